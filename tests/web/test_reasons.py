"""Reasons to choose from by number, over HTTP: those of the procedure first, then the person's own, nine in all."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest

from console.demo import evening
from console.web.queue.reasons import Offered, of_every
from tests.conftest import MadeOnce
from tests.web.conftest import Person, Site
from tests.web.reading import filled
from tests.web.test_api import Program, waiting
from tests.web.test_bulk_decisions import chosen, result
from tests.web.test_bulk_decisions import ready as ready_ones
from tests.web.test_deciding import events
from tests.web.test_lists import at_work
from tests.web.test_queue import ready
from tests.web.voting import SIGNER, Ballot, balloting, stage

PHOTO = "电子照片不是本人近照，或有白边、变形、模糊，请重新采集合格照片后再报"
BEFORE = "电子照片不是本人近照，请重采后再报"
LINK = re.compile(
    r'<li><a href="([^"]+)" data-key="(\d+)" data-fill lang="zh-CN">([^<]+)</a>'
    r'( <span class="xj-quiet">(?:您用过|used by you)</span>)?'
    r'(?:<p class="xj-quiet">([^<]+)</p>)?</li>'
)


class Offer(NamedTuple):
    """A reason as a form offers it."""

    address: str
    key: int
    words: str
    is_own: bool
    gloss: str


def offers(html: str) -> list[Offer]:
    """The reasons a page offers, in the order of its list."""
    return [
        Offer(unescape(at), int(key), unescape(words), bool(own), unescape(gloss))
        for at, key, words, own, gloss in LINK.findall(html)
    ]


def standing(html: str) -> str:
    """What stands in the field of the reason."""
    [words] = re.findall(r'<textarea[^>]* name="reason"[^>]*>([^<]*)</textarea>', html)
    return unescape(words)


@pytest.fixture
def approver(site: Site) -> Person:
    return site.signed_in(evening.APPROVER)


def returns(person: Person, reason: str, **more: str) -> str:
    """Send a case of the person's back for a reason; its number."""
    number = ready(person)
    form = filled(person.get(f"/cases/{number}/do/site_return").text, f"/cases/{number}/do/site_return")
    assert person.post(f"/cases/{number}/do/site_return", {**form, "reason": reason, **more}).status_code == 303
    return number


def test_the_reasons_of_the_procedure_come_first_by_number_and_the_own_ones_after_them(approver: Person) -> None:
    found = offers(approver.get(f"/cases/{ready(approver)}/do/site_return").text)

    assert [one.key for one in found] == list(range(1, 8))
    assert (found[0].words, found[-1].words) == (PHOTO, BEFORE)
    assert [one.is_own for one in found] == [False] * 6 + [True]


def test_a_reason_chosen_stands_in_the_field_and_the_case_can_be_sent_back_with_more_words(
    site: Site, approver: Person
) -> None:
    number = ready(approver)
    page = approver.get(f"/cases/{number}/do/site_return?from=lane%3Dready").text

    html = approver.get(offers(page)[0].address).text
    form = filled(html, f"/cases/{number}/do/site_return")

    assert (standing(html), form["from"]) == (PHOTO, "lane=ready")
    answer = approver.post(f"/cases/{number}/do/site_return", {**form, "reason": f"{PHOTO}；照相馆周六也开门"})
    assert answer.status_code == 303
    assert events(site, number)[-1]["data"]["reason"] == f"{PHOTO}；照相馆周六也开门"


def test_a_refusal_is_offered_other_reasons_than_a_return(approver: Person) -> None:
    number = ready(approver)
    back, no = (
        {one.words for one in offers(approver.get(f"/cases/{number}/do/{trigger}").text) if not one.is_own}
        for trigger in ("site_return", "site_reject")
    )

    assert (len(back), len(no)) == (6, 6)
    assert not back & no


def test_a_reason_of_the_procedure_that_was_used_before_is_offered_once(approver: Person) -> None:
    returns(approver, PHOTO)

    found = offers(approver.get(f"/cases/{ready(approver)}/do/site_return").text)

    assert [one.words for one in found].count(PHOTO) == 1
    assert len(found) == 7


def test_nine_are_offered_at_most_and_of_the_own_ones_the_last(site: Site, approver: Person) -> None:
    for part in ("学籍卡", "登记表", "个人鉴定"):
        site.watch.pass_by(minutes=1)
        returns(approver, f"{part}里的日期前后矛盾，请改正后再报")

    found = offers(approver.get(f"/cases/{ready(approver)}/do/site_return").text)

    assert [one.key for one in found] == list(range(1, 10))
    assert [one.words[:3] for one in found if one.is_own] == ["个人鉴", "登记表", "学籍卡"]


def test_a_reason_too_short_comes_back_with_the_reasons_to_choose_from(approver: Person) -> None:
    number = ready(approver)
    form = filled(approver.get(f"/cases/{number}/do/site_return").text, f"/cases/{number}/do/site_return")

    answer = approver.post(f"/cases/{number}/do/site_return", {**form, "reason": "不全", "from": "lane=ready"})

    assert (answer.status_code, standing(answer.text)) == (422, "不全")
    again = offers(answer.text)
    assert [one.words for one in again][:1] == [PHOTO]
    html = approver.get(again[0].address).text
    assert (standing(html), filled(html, f"/cases/{number}/do/site_return")["from"]) == (PHOTO, "lane=ready")


@pytest.mark.parametrize("place", ["0", "8", "-1", "1.5", "²", "x" * 400, ""])
def test_a_number_that_no_reason_has_fills_nothing_in(approver: Person, place: str) -> None:
    html = approver.get(f"/cases/{ready(approver)}/do/site_return?preset={place}")

    assert (html.status_code, standing(html.text)) == (200, "")


def test_whoever_works_in_english_reads_what_a_reason_says_and_sends_the_student_the_chinese(
    site: Site, approver: Person
) -> None:
    approver.post("/me/language", {"lang": "en"})
    number = ready(approver)

    [first, *_] = found = offers(approver.get(f"/cases/{number}/do/site_return").text)
    html = approver.get(first.address).text
    form = filled(html, f"/cases/{number}/do/site_return")

    assert first.gloss.startswith("The photo is not recent, has a white border")
    assert [bool(one.gloss) for one in found] == [True] * 6 + [False], "own words are as they were written"
    assert standing(html) == first.words == PHOTO
    assert approver.post(f"/cases/{number}/do/site_return", form).status_code == 303
    assert events(site, number)[-1]["data"]["reason"] == PHOTO


def test_whoever_works_in_chinese_reads_no_english_below_the_reasons(approver: Person) -> None:
    found = offers(approver.get(f"/cases/{ready(approver)}/do/site_return").text)

    assert {one.gloss for one in found} == {""}


def test_of_several_ways_back_with_other_reasons_none_is_offered_before_one_is_chosen() -> None:
    photo, form, own = (Offered("/", words, words == BEFORE) for words in (PHOTO, "请本人重新签名后再报", BEFORE))

    assert of_every([(photo, own)]) == (photo, own)
    assert of_every([(photo, own), (photo,)]) == (photo, own)
    assert of_every([(photo,), (form,)]) == of_every([(photo,), ()]) == ()


def test_many_are_sent_back_for_a_reason_chosen_by_number_without_a_script(site: Site, approver: Person) -> None:
    numbers = ready_ones(approver)[:3]
    first = chosen(approver, *numbers)
    address = approver.post(f"{first}/instead", {"trigger": "site_return"}).headers["location"]
    assert offers(approver.get(first).text) == [], "nobody is asked why they agree"

    found = offers(approver.get(address).text)
    assert [one.words for one in found][:1] == [PHOTO]
    page = approver.get(found[0].address).text
    assert standing(page) == PHOTO
    approver.post(f"{address}/commit", {"reason": standing(page)})

    assert result(approver, address) == "退回修改 3"
    assert {events(site, number)[-1]["data"]["reason"] for number in numbers} == {PHOTO}


def test_a_list_is_sent_back_for_a_reason_of_the_list_and_not_of_its_members(site: Site) -> None:
    desk = at_work(site)

    found = offers(desk.records.get(f"{desk.address}/back").text)
    page = desk.records.get(found[0].address).text

    assert standing(page) == found[0].words == "名单缺签字、公章或扫描件，请补齐以后重新报送"
    assert desk.posted(desk.records, "back", trigger="return_list", reason=standing(page))[0] == 303
    assert desk.state == "draft"


def test_whoever_signs_against_a_list_is_offered_the_reasons_of_sending_it_back(site: Site) -> None:
    desk = at_work(site)
    desk.sent_back_and_reviewed()
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert desk.scans(desk.handler, 240) == 303

    found = offers(desk.handler.get(f"{desk.address}/sign").text)
    page = desk.handler.get(found[1].address).text

    assert '<details class="xj-fold" open>' in page
    assert standing(page) == found[1].words == "表2、表3 人数合计与表1 不符，请逐人核对以后重新报送"
    assert desk.signs("handler", vote="no", reason=standing(page))[0] == 303
    assert desk.state == "draft"


def test_whoever_signs_against_a_list_is_offered_what_the_same_person_wrote_with_a_no_before(site: Site) -> None:
    desk = at_work(site)
    desk.sent_back_and_reviewed()
    own = "名单上有人的照片不是本人，请核对以后重新定稿"
    found = []
    for _ in range(2):
        assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
        assert desk.scans(desk.handler, 240) == 303
        found.append([one.words for one in offers(desk.handler.get(f"{desk.address}/sign").text) if one.is_own])
        assert desk.signs("handler", vote="no", reason=own)[0] == 303

    assert found == [[], [own]]


@pytest.fixture(scope="module")
def set_down(made_once: MadeOnce) -> Path:
    return made_once("ballot", stage)


@pytest.fixture
def ballot(set_down: Path, tmp_path: Path) -> Iterator[Ballot]:
    with balloting(set_down, tmp_path) as there:
        yield there


def test_whoever_votes_against_a_leave_is_offered_the_reasons_of_sending_it_back(ballot: Ballot) -> None:
    vote, signer = ballot.votes["leave"], ballot.signer(SIGNER)

    found = offers(signer.get(vote.form).text)
    html = signer.get(found[0].address).text

    assert found[0].words == "申请表的签名或日期不是本人手写，请本人手写签名和年月日后再报"
    assert signer.post(vote.form, {**filled(html, vote.form), "vote": "no"}).status_code == 303
    assert ballot.state(vote) == "drafted"
    assert ballot.events(vote)[-1]["data"]["reason"] == found[0].words


def test_a_program_is_told_the_usual_reasons_with_the_steps_of_a_case(site: Site) -> None:
    program = Program(site, evening.APPROVER, "read")
    one = waiting(program, "lane=ready")[0]

    steps = {step["trigger"]: step["reasons"] for step in program.get(f"/cases/{one['number']}").json()["steps"]}

    assert steps["site_return"][0]["zh"] == PHOTO
    assert steps["site_return"][0]["en"].startswith("The photo is not recent")
    assert steps["site_approve"] == []


def test_the_page_of_a_definition_shows_its_usual_reasons_in_both_languages(read_site: Site) -> None:
    html = read_site.signed_in("system-admin").get("/admin/definitions/diploma-registration?profile=online-ed").text

    assert "退回修改 1" in html
    assert (PHOTO in html, "The photo is not recent, has a white border" in html) == (True, True)
    assert "央校上传名单核对 · " not in html, "online education has no such list"
