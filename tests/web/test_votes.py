"""A vote over HTTP: whatever comes between, a no that was said stays a no, and what nobody said is no yes."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from tests.conftest import MadeOnce
from tests.web.conftest import Person
from tests.web.reading import filled
from tests.web.voting import OTHER, PASSWORD, SIGNER, WHY, Ballot, Vote, balloting, stage

_OVER = {"minutes": 31}
"""Longer than a session of the staff is left alone."""
both = pytest.mark.parametrize("which", ["degree", "leave"])


@pytest.fixture(scope="session")
def set_down(made_once: MadeOnce) -> Path:
    return made_once("ballot", stage)


@pytest.fixture
def ballot(set_down: Path, tmp_path: Path) -> Iterator[Ballot]:
    with balloting(set_down, tmp_path) as there:
        yield there


def no_of(person: Person, vote: Vote, /, **more: str) -> dict[str, str]:
    """The form of a step, filled in with a no and why, as its page would send it."""
    page = person.get(vote.form)
    assert page.status_code == 200, page.text
    return {**seen_all(page.text), **filled(page.text, vote.form), "vote": "no", "reason": WHY, **more}


def seen_all(html: str) -> dict[str, str]:
    found = [part.split('"')[0] for part in html.split('name="caution" value="')[1:]]
    return {"caution": found[0]} if found else {}


def sends(person: Person, address: str, form: dict[str, str], **headers: str) -> httpx.Response:
    """A form exactly as it is, with its own token and no other."""
    said = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", **named(headers)}
    return person.browser.post(address, data=form, headers=said)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): text for name, text in headers.items()}


def signs_in_again(person: Person, answer: httpx.Response, login: str = SIGNER) -> httpx.Response:
    """Where somebody arrives who was sent to sign in and does."""
    where = answer.headers["location"]
    page = person.get(where)
    form = {**filled(page.text, "/sign-in"), "account": login, "password": PASSWORD}
    return arrives(person, sends(person, "/sign-in", form))


def arrives(person: Person, answer: httpx.Response) -> httpx.Response:
    while answer.status_code == httpx.codes.SEE_OTHER:
        answer = person.get(answer.headers["location"])
    return answer


def is_against(ballot: Ballot, vote: Vote, login: str = SIGNER) -> bool:
    """Whether one vote was given, against; the case has gone where that leads."""
    return ballot.votes_given(vote) == [(login, "no")] and ballot.state(vote) == vote.no


@both
def test_a_no_stays_a_no_when_the_form_comes_back_for_the_reason(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()

    answer = sends(person, vote.form, no_of(person, vote, reason="短"))
    again = filled(answer.text, vote.form)

    assert answer.status_code == 422
    assert (again["vote"], again["reason"]) == ("no", "短")
    assert ballot.votes_given(vote) == []
    assert sends(person, vote.form, {**again, "reason": WHY}).status_code == 303
    assert is_against(ballot, vote)


@both
def test_a_form_without_a_vote_is_no_yes_and_signs_nothing(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    before = ballot.events(vote)
    form = no_of(person, vote, vote="")

    missing = sends(person, vote.form, {name: text for name, text in form.items() if name != "vote"})
    strange = sends(person, vote.form, {**form, "vote": "on"})

    for answer in (missing, strange):
        assert answer.status_code == 422
        assert "请选“同意”或“不同意”" in answer.text
        assert "vote" not in filled(answer.text, vote.form), "nothing is chosen for anybody"
        assert filled(answer.text, vote.form)["reason"] == WHY
    assert ballot.events(vote) == before


@both
def test_a_fresh_form_has_chosen_nothing(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()

    assert "vote" not in filled(person.get(vote.form).text, vote.form)


@both
def test_a_no_stays_a_no_when_somebody_else_was_faster(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    form = no_of(person, vote)

    answer = sends(person, vote.form, {**form, "seen": str(int(form["seen"]) - 1)})

    assert answer.status_code == 409
    assert "不同意" in answer.text, "it is said what pressing again would say"
    assert WHY in answer.text
    assert f'data-copy="{WHY}"' in answer.text
    assert "看过了，仍然不同意" in answer.text
    again = filled(answer.text, vote.form)
    assert (again["vote"], again["reason"]) == ("no", WHY)
    assert sends(person, vote.form, again).status_code == 303
    assert is_against(ballot, vote)


@both
def test_a_no_stays_a_no_when_another_has_the_case_open(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    other = ballot.signer(OTHER)
    other.get(f"/queue/todo?case={vote.number}")
    form = no_of(person, vote)

    answer = sends(person, vote.form, form)

    assert (answer.status_code, "王建国" in answer.text) == (409, True)
    assert sends(person, vote.form, filled(answer.text, vote.form)).status_code == 303
    assert is_against(ballot, vote)


@both
def test_a_draft_keeps_the_vote_too(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    form = no_of(person, vote)

    assert person.post(f"/cases/{vote.number}/draft", {**form, "trigger": vote.step}).status_code == 204

    again = filled(person.get(vote.form).text, vote.form)
    assert (again["vote"], again["reason"]) == ("no", WHY)


@both
def test_a_no_stays_a_no_over_a_session_that_has_ended_and_nothing_is_sent_by_itself(
    ballot: Ballot, which: str
) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    form = no_of(person, vote)
    ballot.site.watch.pass_by(**_OVER)

    answer = sends(person, vote.form, form)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2Fkept%2F")
    assert "登录已过期，您写的内容还在" in person.get(answer.headers["location"]).text
    page = signs_in_again(person, answer)
    assert "您写的内容还在" in page.text
    assert ballot.votes_given(vote) == []
    again = filled(page.text, vote.form)
    assert (again["vote"], again["reason"]) == ("no", WHY)
    assert sends(person, vote.form, again).status_code == 303
    assert is_against(ballot, vote)


@both
def test_a_no_stays_a_no_on_a_page_that_was_open_while_one_signed_in_anew(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    form = no_of(person, vote)
    ballot.site.watch.pass_by(**_OVER)
    page = filled(person.get("/sign-in").text, "/sign-in")
    sends(person, "/sign-in", {**page, "account": SIGNER, "password": PASSWORD})

    answer = sends(person, vote.form, form)

    assert answer.status_code == 403
    assert "页面开得太久，请再按一次，内容已保留" in answer.text
    again = filled(answer.text, vote.form)
    assert (again["vote"], again["reason"]) == ("no", WHY)
    assert ballot.votes_given(vote) == []
    assert sends(person, vote.form, again).status_code == 303
    assert is_against(ballot, vote)


def test_a_no_stays_a_no_over_the_proof_that_what_is_final_asks_for(ballot: Ballot) -> None:
    vote, person = ballot.votes["degree"], ballot.signer()
    form = no_of(person, vote)
    ballot.site.watch.pass_by(minutes=16)

    answer = sends(person, vote.form, form)
    where = answer.headers["location"]
    page = person.get(where)

    assert where.startswith("/sign-in/again?next=%2Fkept%2F")
    assert "为了逐级批准 更名后，请再输一次密码" in page.text
    proven = sends(person, "/sign-in/again", {**filled(page.text, "/sign-in/again"), "proof": PASSWORD})
    shown = arrives(person, proven)
    again = filled(shown.text, vote.form)
    assert (again["vote"], again["reason"]) == ("no", WHY)
    assert ballot.votes_given(vote) == []
    assert sends(person, vote.form, again).status_code == 303
    assert is_against(ballot, vote)


def test_no_name_stands_in_the_address_that_asks_for_a_proof(ballot: Ballot) -> None:
    vote, person = ballot.votes["degree"], ballot.signer()
    form = no_of(person, vote)
    ballot.site.watch.pass_by(minutes=16)

    address = sends(person, vote.form, form).headers["location"]

    assert set(parse_qs(urlsplit(address).query)) == {"next"}
    assert unquote(address).isascii()
    said = person.get("/sign-in/again?next=/me&for=%E6%9B%B4%E5%90%8D%E5%90%8E").text
    assert "更名后" not in said, "and what another writes into the address is not said"


def test_pages_that_were_open_go_on_after_the_proof(ballot: Ballot) -> None:
    vote, person = ballot.votes["degree"], ballot.signer()
    other = no_of(person, ballot.votes["leave"])
    before = person.browser.cookies[ballot.site.house.cookie]
    ballot.site.watch.pass_by(minutes=16)
    asked = person.get(sends(person, vote.form, no_of(person, vote)).headers["location"])
    sends(person, "/sign-in/again", {**filled(asked.text, "/sign-in/again"), "proof": PASSWORD})

    assert person.browser.cookies[ballot.site.house.cookie] != before, "the old token is good no more"
    assert sends(person, ballot.votes["leave"].form, other).status_code == 303
    assert is_against(ballot, ballot.votes["leave"])


@both
def test_a_form_from_another_site_is_refused_and_nothing_of_it_is_shown_or_kept(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    good, stale = no_of(person, vote), "x" + no_of(person, vote)["_token"]
    elsewhere = ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Sec_Fetch_Site": "none"})

    for headers in elsewhere:
        for form in (good, {**good, "_token": stale}):
            answer = sends(person, vote.form, form, **headers)
            assert answer.status_code == 403
            assert WHY not in answer.text
            assert "内容已保留" not in answer.text, "what is not kept is not said to be"
    ballot.site.watch.pass_by(**_OVER)
    for headers in elsewhere:
        answer = sends(person, vote.form, good, **headers)
        assert "kept" not in answer.headers["location"]
    assert kept(ballot) == 0


@both
def test_what_no_page_of_the_house_made_for_the_person_is_not_shown_again(ballot: Ballot, which: str) -> None:
    vote, person, other = ballot.votes[which], ballot.signer(), ballot.signer(OTHER)
    form, others = no_of(person, vote), no_of(other, vote)["_token"]
    signs = others[:-1] + ("0" if others[-1] != "0" else "1")

    for token in ("", "forged", others, signs, form["_token"].rpartition(".")[0]):
        answer = sends(person, vote.form, {**form, "_token": token})
        assert answer.status_code == 403
        assert WHY not in answer.text
    ballot.site.watch.pass_by(**_OVER)
    for token in ("", "forged"):
        assert "kept" not in sends(person, vote.form, {**form, "_token": token}).headers["location"]
    assert (kept(ballot), ballot.votes_given(vote)) == (0, [])


@both
def test_what_one_person_wrote_is_shown_to_nobody_else_who_signs_in_there(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    form = no_of(person, vote)
    ballot.site.watch.pass_by(**_OVER)
    answer = sends(person, vote.form, form)

    page = signs_in_again(person, answer, OTHER)

    assert page.status_code == 404
    assert WHY not in page.text
    handle = unquote(answer.headers["location"]).rpartition("/")[2]
    assert WHY not in person.get(f"{vote.form}?kept={handle}").text
    assert WHY in ballot.signer().get(f"{vote.form}?kept={handle}").text


def test_what_was_not_sent_again_within_the_hour_is_forgotten(ballot: Ballot) -> None:
    vote, person = ballot.votes["degree"], ballot.signer()
    form = no_of(person, vote)
    ballot.site.watch.pass_by(**_OVER)
    handle = unquote(sends(person, vote.form, form).headers["location"]).rpartition("/")[2]
    ballot.site.watch.pass_by(minutes=61)

    assert ballot.signer().get(f"/kept/{handle}").status_code == 404
    assert WHY not in ballot.signer().get(f"{vote.form}?kept={handle}").text


@both
def test_what_was_kept_is_forgotten_once_it_was_sent_again_and_done_and_not_before(ballot: Ballot, which: str) -> None:
    vote, person = ballot.votes[which], ballot.signer()
    form = no_of(person, vote)
    ballot.site.watch.pass_by(**_OVER)
    page = signs_in_again(person, sends(person, vote.form, form))

    other = filled(page.text, "/find")
    assert sends(person, "/queue/views", {**other, "name": "我的件", "query": "wf=leave"}).status_code == 303
    refused = sends(person, vote.form, {**filled(page.text, vote.form), "reason": "短"})
    assert (refused.status_code, kept(ballot)) == (422, 1), "nothing was done yet with what is kept"

    again = {**filled(refused.text, vote.form), "reason": WHY}
    assert sends(person, vote.form, again).status_code == 303
    assert is_against(ballot, vote)
    assert kept(ballot) == 0


def test_a_form_that_waited_on_a_page_of_its_own_is_forgotten_once_it_was_sent_again(ballot: Ballot) -> None:
    person = ballot.signer()
    token = filled(person.get("/queue/todo").text, "/find")["_token"]
    ballot.site.watch.pass_by(**_OVER)
    answer = sends(person, "/queue/views", {"_token": token, "name": "我的学位件", "query": "wf=degree-application"})
    page = signs_in_again(person, answer)
    assert kept(ballot) == 1

    sends(person, "/queue/views", filled(page.text, "/queue/views"))

    assert kept(ballot) == 0


def test_a_remark_is_still_there_after_signing_in_again(ballot: Ballot) -> None:
    number, person = ballot.votes["degree"].number, ballot.signer()
    address = f"/cases/{number}/comment"
    form = {**filled(person.get(address).text, address), "text": "请核对学位外语成绩单"}
    ballot.site.watch.pass_by(**_OVER)

    page = signs_in_again(person, sends(person, address, form))

    assert filled(page.text, address)["text"] == "请核对学位外语成绩单"


def test_a_form_without_a_page_of_its_own_waits_on_one_that_shows_what_was_written(ballot: Ballot) -> None:
    person = ballot.signer()
    token = filled(person.get("/queue/todo").text, "/find")["_token"]
    ballot.site.watch.pass_by(**_OVER)
    answer = sends(person, "/queue/views", {"_token": token, "name": "我的学位件", "query": "wf=degree-application"})

    page = signs_in_again(person, answer)

    assert "我的学位件" in page.text
    again = filled(page.text, "/queue/views")
    assert (again["name"], again["query"]) == ("我的学位件", "wf=degree-application")
    assert sends(person, "/queue/views", again).status_code == 303


def test_passwords_and_codes_are_not_kept(ballot: Ballot) -> None:
    person = ballot.signer()
    form = filled(person.get("/me").text, "/me/password")
    ballot.site.watch.pass_by(**_OVER)
    secret = "neither this nor that 7"  # noqa: S105 of nobody
    answer = sends(person, "/me/password", {**form, "current": PASSWORD, "password": secret, "repeated": secret})

    page = signs_in_again(person, answer)

    assert "密码、口令和文件没有保留" in page.text
    assert secret not in page.text
    assert secret not in rows(ballot)


def test_a_script_that_keeps_drafts_leaves_nothing_behind_when_the_session_is_over(ballot: Ballot) -> None:
    vote, person = ballot.votes["degree"], ballot.signer()
    form = no_of(person, vote)
    ballot.site.watch.pass_by(**_OVER)

    sends(person, f"/cases/{vote.number}/draft", form, Sec_Fetch_Mode="cors")

    assert kept(ballot) == 0


def test_a_caution_is_asked_once_for_a_step_with_a_form(ballot: Ballot) -> None:
    vote, person = ballot.votes["degree"], ballot.signer()
    opened = person.get(f"/queue/todo?case={vote.number}").text
    form = filled(opened, f"/cases/{vote.number}/do/approve")
    [caution] = set(seen_all(opened).values())

    page = person.get(vote.form, Sec_Fetch_Site="same-origin")
    ticked = person.browser.get(
        vote.form, params={**form, "caution": caution}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    anothers = person.browser.get(
        vote.form, params={**form, "caution": caution}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert "caution" not in filled(page.text, vote.form)
    assert "caution" not in filled(anothers.text, vote.form), "another's link ticks nothing"
    again = filled(ticked.text, vote.form)
    assert again["caution"] == caution
    answer = sends(person, vote.form, {**again, "vote": "no", "reason": "短"})
    assert filled(answer.text, vote.form)["caution"] == caution
    assert sends(person, vote.form, {**again, "vote": "no", "reason": WHY}).status_code == 303


def kept(ballot: Ballot) -> int:
    with ballot.site.house.desks.borrowed() as office:
        [(many,)] = office.desk.connection.execute("SELECT count(*) FROM kept_form").fetchall()
    return int(many)


def rows(ballot: Ballot) -> str:
    with ballot.site.house.desks.borrowed() as office:
        return str(office.desk.connection.execute("SELECT * FROM kept_form").fetchall())
