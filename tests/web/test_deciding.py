"""Deciding over HTTP: once and only once, after what was looked at, undone in time; and when somebody was faster."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest

from console.demo import evening, school
from engine.records import case_number, case_of
from engine.store.cases import read_case
from tests.web.conftest import Person, Site
from tests.web.test_queue import counted, heading, numbers, ready

_DECISION_STATEMENTS = 16
"""As many as the specification allows (console.md 7.2), session and rights and the next case included."""
_WHY = "主要学习经历未从高中阶段填起"
_HTMX = {"HX-Request": "true"}


@pytest.fixture
def approver(site: Site) -> Person:
    """The approver of the evening's teaching point, at a browser without a script."""
    return site.signed_in(evening.APPROVER)


def form_of(html: str, *, seen: bool = True) -> dict[str, Any]:
    """What the form of the main button of an open case carries; `seen`: every caution is ticked."""
    part = html[html.index('<form id="approve"') :]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', part[: part.index("</form>")]))
    return {**fields, "caution": re.findall(r'name="caution" value="([^"]+)"', html) if seen else []}


def approve(person: Person, number: str, form: Mapping[str, object], **headers: str) -> Any:
    return person.post(f"/cases/{number}/do/site_approve", form, headers=headers)


def opened(person: Person, number: str) -> str:
    return person.get(f"/queue/todo?case={number}").text


def looked_at(person: Person) -> str:
    """A case with something to be looked at first."""
    return numbers(person.get("/queue/todo?lane=look").text)[0]


def events(site: Site, number: str) -> list[dict[str, Any]]:
    """The events of a case but for looks, oldest first."""
    with site.house.desks.borrowed() as office:
        sql = "SELECT body FROM event WHERE chain = ? ORDER BY seq"
        rows = office.desk.connection.execute(sql, (case_of(number),)).fetchall()
    return [one for one in (orjson.loads(bytes(row[0])) for row in rows) if one["kind"] != "viewed"]


def test_a_decision_leads_to_the_next_case_with_the_way_back(approver: Person) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))

    answer = approve(approver, number, form)

    assert answer.status_code == 303
    page = approver.get(answer.headers["location"]).text
    assert counted(page)["全部"] == 59
    assert f'action="/cases/{number}/undo"' in page
    assert number not in numbers(page)
    assert f'data-until="{30}"' in page


def test_the_event_keeps_what_was_looked_at(site: Site, approver: Person) -> None:
    number = looked_at(approver)
    form = form_of(opened(approver, number))

    approve(approver, number, form)

    last = events(site, number)[-1]
    assert (last["kind"], last["actor"], last["data"]["trigger"]) == ("moved", evening.APPROVER, "site_approve")
    assert last["data"]["cautions"] == form["caution"] != []


def test_with_a_caution_unseen_nothing_is_approved(site: Site, approver: Person) -> None:
    number = looked_at(approver)
    before = events(site, number)

    answer = approve(approver, number, form_of(opened(approver, number), seen=False))

    assert answer.status_code == 422
    assert "条提示没看" in answer.text
    assert events(site, number) == before


def test_with_htmx_one_answer_has_the_next_case_and_everything_beside_it(approver: Person) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))

    html = approve(approver, number, form, **_HTMX).text

    assert "<html" not in html
    assert heading(html)
    for target in (f"#row-{number}", "#xj-counts", "#xj-total, .xj-bar-count", "#xj-undo", "#xj-evidence"):
        assert f'hx-target="{target}"' in html
    assert counted(html)["全部"] == 59


def test_the_same_decision_sent_again_is_taken_once_and_answered_alike(site: Site, approver: Person) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))
    first = approve(approver, number, form)
    told = events(site, number)

    again = approve(approver, number, form)

    assert again.status_code == first.status_code == 303
    assert again.headers["location"].split("&")[0] == first.headers["location"].split("&")[0]
    assert events(site, number) == told


def test_a_decision_on_a_page_that_is_out_of_date_changes_nothing_and_says_what_happened(site, approver) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))
    second = site.signed_in(evening.SECOND)
    site.watch.pass_by(minutes=4)
    other = form_of(opened(second, number))
    site.watch.pass_by(minutes=4)
    second.post(f"/cases/{number}/do/site_return", {**other, "reason": _WHY})

    answer = approve(approver, number, form)

    assert answer.status_code == 409
    assert "这件刚刚有变动" in answer.text
    assert "王建国" in answer.text
    assert _WHY in answer.text
    assert "第 2 步 · 已提出毕业申请" in answer.text
    assert [one["data"]["trigger"] for one in events(site, number)][-1] == "site_return"


def test_of_two_at_one_case_the_second_is_asked_once(site: Site, approver: Person) -> None:
    number = ready(approver)
    opened(approver, number)
    site.watch.pass_by(minutes=2)
    second = site.signed_in(evening.SECOND)
    form = form_of(opened(second, number))

    answer = approve(second, number, form)

    assert answer.status_code == 409
    assert "周敏2 分钟前打开了此件，仍要办吗" in answer.text
    assert len(events(site, number)) == int(form["seq"])
    assert approve(second, number, {**form, "anyway": "1"}).status_code == 303


def test_a_case_is_taken_over_from_whoever_is_at_it(site: Site, approver: Person) -> None:
    number = ready(approver)
    opened(approver, number)
    second = site.signed_in(evening.SECOND)

    taken = second.post(f"/cases/{number}/claim", {"from": "unit=511610104&sort=due"})

    assert taken.headers["location"] == f"/queue/todo?unit=511610104&sort=due&case={number}"
    assert approve(second, number, form_of(opened(second, number))).status_code == 303


def test_who_only_looks_takes_no_case_over_and_hears_by_name_whose_it_is(site: Site, approver: Person) -> None:
    number = ready(approver)
    opened(approver, number)
    with site.house.desks.borrowed() as office:
        office.desk.connection.execute("UPDATE account SET name = '林晓' WHERE login = ?", (evening.SECOND,))

    refused = site.signed_in(evening.OPERATOR).post(f"/cases/{number}/claim")

    assert refused.status_code == 403
    assert re.search(r"办这件事要“教学点审批[^”]*”（[^）]*教学点[^）]*）；您是[^。]+。可找 (周敏|林晓)<", refused.text)
    assert approve(approver, number, form_of(opened(approver, number))).status_code == 303


def test_undone_in_time_it_is_as_before_and_nobody_hears_of_it(site: Site, approver: Person) -> None:
    number = ready(approver)
    approve(approver, number, form_of(opened(approver, number)))
    site.watch.pass_by(seconds=29)

    answer = approver.post(f"/cases/{number}/undo", {"from": ""})

    assert answer.headers["location"].startswith(f"/queue/todo?case={number}")
    page = approver.get(answer.headers["location"]).text
    assert "没有发出任何消息" in page
    assert counted(page)["全部"] == 60
    assert [one["kind"] for one in events(site, number)][-2:] == ["moved", "retracted"]
    with site.house.desks.borrowed() as office:
        sql = "SELECT count(*) FROM outbox WHERE chain = ? AND seq >= 3"
        assert office.desk.connection.execute(sql, (case_of(number),)).fetchone() == (0,)


def test_undoing_twice_is_undoing_once(site: Site, approver: Person) -> None:
    number = ready(approver)
    approve(approver, number, form_of(opened(approver, number)))
    approver.post(f"/cases/{number}/undo", {"from": ""})

    again = approver.post(f"/cases/{number}/undo", {"from": ""}, headers=_HTMX)

    assert again.status_code == 200
    assert [one["kind"] for one in events(site, number)].count("retracted") == 1


def test_too_late_is_said_and_the_other_way_named(site: Site, approver: Person) -> None:
    number = ready(approver)
    approve(approver, number, form_of(opened(approver, number)))
    site.watch.at += timedelta(seconds=34)

    answer = approver.post(f"/cases/{number}/undo", {"from": ""})

    assert answer.status_code == 409
    assert "已过撤销时间" in answer.text
    assert f"/cases/{number}/withdraw" in answer.text


def test_nobody_undoes_what_another_did(site: Site, approver: Person) -> None:
    number = ready(approver)
    approve(approver, number, form_of(opened(approver, number)))

    assert site.signed_in(evening.SECOND).post(f"/cases/{number}/undo", {"from": ""}).status_code == 409
    assert events(site, number)[-1]["kind"] == "moved"


def test_to_send_back_a_reason_is_wanted_that_a_student_can_use(site: Site, approver: Person) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))
    before = events(site, number)

    answer = approver.post(f"/cases/{number}/do/site_return", {**form, "reason": "材料不全"})

    assert answer.status_code == 422
    assert "要 10 到 500 个字，现在 4 个" in answer.text
    assert "材料不全" in answer.text
    assert events(site, number) == before


def test_the_reason_is_in_the_event_word_for_word(site: Site, approver: Person) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))

    approver.post(f"/cases/{number}/do/site_return", {**form, "reason": _WHY})

    last = events(site, number)[-1]
    assert (last["data"]["trigger"], last["data"]["reason"]) == ("site_return", _WHY)


def test_what_was_typed_is_there_again_after_an_interruption(approver: Person) -> None:
    number = ready(approver)
    kept = approver.post(f"/cases/{number}/draft", {"trigger": "site_return", "reason": _WHY})
    assert kept.status_code == 204

    assert _WHY in approver.get(f"/cases/{number}/do/site_return").text
    assert "有草稿" in approver.get("/queue/todo").text
    approver.post(f"/cases/{number}/draft", {"trigger": "site_return", "reason": ""})
    assert "有草稿" not in approver.get("/queue/todo").text


def test_drafts_and_claims_are_gone_once_the_case_is_decided(site: Site, approver: Person) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))
    approver.post(f"/cases/{number}/draft", {"trigger": "site_return", "reason": _WHY})

    approve(approver, number, form)

    with site.house.desks.borrowed() as office:
        for table in ("claim", "draft"):
            sql = f"SELECT count(*) FROM {table} WHERE case_id = ?"  # noqa: S608 a test's own words
            assert office.desk.connection.execute(sql, (case_of(number),)).fetchone() == (0,)


def test_a_blocked_case_says_why_and_has_no_button(approver: Person) -> None:
    blocked = numbers(approver.get("/queue/todo?rule=electronic-photo").text)[0]
    html = opened(approver, blocked)

    assert 'aria-disabled="true"' in html
    assert "有电子照片" in html
    assert '<form id="approve"' not in html


def test_what_the_rules_refuse_comes_back_with_every_reason(site: Site, approver: Person) -> None:
    blocked = numbers(approver.get("/queue/todo?rule=electronic-photo").text)[0]

    answer = approver.post(f"/cases/{blocked}/do/site_approve", {"caution": _cautions(opened(approver, blocked))})

    assert answer.status_code == 422
    assert "没有电子照片" in answer.text
    assert events(site, blocked)[-1]["kind"] == "refused"


def test_what_was_refused_and_then_mended_is_decided_once_when_the_form_is_sent_again(
    site: Site, approver: Person
) -> None:
    blocked = numbers(approver.get("/queue/todo?rule=electronic-photo").text)[0]
    refused = approve(approver, blocked, {**_pressed(site, blocked), "caution": _cautions(opened(approver, blocked))})
    _mend(site, blocked)

    answer = approve(approver, blocked, step_form_of(refused.text))

    assert (refused.status_code, answer.status_code) == (422, 303)
    assert _answers(site, blocked) == ["refused", "moved"]


def test_what_was_refused_is_not_told_as_done_when_the_same_click_comes_again(site: Site, approver: Person) -> None:
    blocked = numbers(approver.get("/queue/todo?rule=electronic-photo").text)[0]
    form = {**_pressed(site, blocked), "caution": _cautions(opened(approver, blocked))}
    approve(approver, blocked, form)
    _mend(site, blocked)

    again = approve(approver, blocked, form)

    assert again.status_code == 422
    assert "刚才没有办成，原因：" in again.text
    assert "有电子照片" in again.text
    assert "如果已经补齐，请再提交一次，会重新检查。" in again.text
    assert _answers(site, blocked) == ["refused"]
    assert blocked in numbers(approver.get("/queue/todo").text)
    assert approve(approver, blocked, step_form_of(again.text)).status_code == 303


def _pressed(site: Site, number: str) -> dict[str, str]:
    """What the form of a decision carries: a number of its own, and the case as it was seen."""
    with site.house.desks.borrowed() as office:
        found = read_case(office.desk.connection, case_of(number) or 0)
    assert found is not None
    return {"request": "a-click-of-its-own", "seen": str(found.case.revision), "seq": str(found.case.head.seq)}


def _answers(site: Site, number: str) -> list[str]:
    """What came of asking for a step of a case."""
    return [one["kind"] for one in events(site, number) if one["data"].get("trigger") == "site_approve"]


def _mend(site: Site, number: str) -> None:
    """The rule holds from now on, and the case is as it was seen: what it rests on has changed elsewhere."""
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        found = read_case(office.desk.connection, case_of(number) or 0)
        assert found is not None
        sql = "UPDATE student SET facts = json_set(facts, '$.electronic_photo', json('true')) WHERE student_no = ?"
        office.desk.connection.execute(sql, (found.student_no,))


def step_form_of(html: str) -> dict[str, Any]:
    """What the form of a step carries when it is shown again."""
    part = html[html.index('data-draft="') :]
    part = part[: part.index("</form>")]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', part))
    return {**fields, "caution": re.findall(r'name="caution" value="([^"]+)" checked', part)}


def test_the_own_application_is_for_somebody_else(approver: Person) -> None:
    own = numbers(approver.get("/queue/todo?rule=distinct-persons").text)[0]
    html = opened(approver, own)

    assert "这一步须由别人办" in html
    assert f'href="/cases/{own}/hand-over"' in html


def test_nobody_decides_where_they_have_no_right(site: Site, approver: Person) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))
    elsewhere = site.signed_in(school.approver(school.SITES[0].code))

    assert approve(elsewhere, number, form).status_code == 404
    assert approve(site.signed_in("auditor"), number, form).status_code == 404


def test_a_decision_and_the_next_case_take_sixteen_statements_and_the_lane_one_of_them(narrow_site: Site) -> None:
    person = narrow_site.signed_in(evening.APPROVER)
    first = ready(person)
    approve(person, first, form_of(opened(person, first)))  # what is read once a process
    number = ready(person)
    form = form_of(opened(person, number))

    with narrow_site.counted() as found:
        html = approve(person, number, form, **_HTMX).text

    assert counted(html)["全部"] == 58
    assert len(found) <= _DECISION_STATEMENTS, found
    written = [sql for sql in found if re.match("(INSERT INTO|UPDATE|DELETE FROM) lane ", sql)]
    assert len(written) == 1, written


def test_the_claim_goes_with_the_person_to_the_next_case_and_leaves_another_where_he_is(
    site: Site, approver: Person
) -> None:
    number = ready(approver)
    form = form_of(opened(approver, number))
    following = approve(approver, number, form, **_HTMX)
    opened_next = re.search(r"case=(\w+)", following.headers["HX-Replace-Url"])
    assert opened_next is not None
    assert _at_work(site) == {opened_next[1]: evening.APPROVER}

    after = numbers(approver.get("/queue/todo?lane=ready").text)
    behind = after[after.index(opened_next[1]) + 1]
    opened(site.signed_in(evening.SECOND), behind)
    html = approve(approver, opened_next[1], form_of(following.text), **_HTMX).text

    assert "王建国正在处理" in html
    assert _at_work(site) == {behind: evening.SECOND}


def _at_work(site: Site) -> dict[str, str]:
    """Who is at which case."""
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT case_id, login FROM claim").fetchall()
    return {case_number(case): login for case, login in rows}


def _cautions(html: str) -> list[str]:
    return re.findall(r'name="caution" value="([^"]+)"', html)


def test_where_a_case_goes_back_to_is_chosen_by_a_person_and_never_by_the_page(site: Site, approver: Person) -> None:
    number = ready(approver)
    approve(approver, number, form_of(opened(approver, number)))
    branch, address = site.signed_in(school.ACCEPTING), f"/cases/{number}/do/branch_return"

    def offered(html: str) -> tuple[str, list[tuple[str, str]]]:
        [(head, body)] = re.findall(r'<select([^>]* name="to"[^>]*)>(.*?)</select>', html, re.DOTALL)
        return head, re.findall(r'<option value="([^"]*)"( selected)?>', body)

    form = branch.get(address).text
    head, fresh = offered(form)
    sent = dict(re.findall(r'<input type="hidden" name="(seen|seq|at|request)" value="([^"]*)"', form))
    refused = branch.post(address, {**sent, "to": "", "reason": _WHY})
    again = branch.post(address, {**sent, "to": "enrolled", "reason": "短"})

    assert "required" in head
    assert fresh == [("", " selected"), ("applied", ""), ("enrolled", "")]
    assert refused.status_code == again.status_code == 422
    assert "请选择" in refused.text
    assert offered(refused.text)[1] == fresh
    assert offered(again.text)[1] == [("applied", ""), ("enrolled", " selected")], "what was chosen stays"
    assert events(site, number)[-1]["data"]["trigger"] == "site_approve"
    assert branch.post(address, {**sent, "to": "enrolled", "reason": _WHY}).status_code == 303
    assert events(site, number)[-1]["data"]["to"] == "enrolled"


def test_with_one_way_back_only_nothing_is_asked(approver: Person) -> None:
    assert 'name="to"' not in approver.get(f"/cases/{ready(approver)}/do/site_return").text
