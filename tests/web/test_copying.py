"""抄送 from a case, at a browser and by a program: to whom, what they read of it, and what is said against it."""

import re
from io import BytesIO

import pytest
from openpyxl import load_workbook

from console.demo import evening, school
from engine.organisation import add_student_account, disable
from engine.records import case_of
from tests.web.cases import a_filed, events_of, records, texts
from tests.web.conftest import Person, Site
from tests.web.reading import filled
from tests.web.test_api import Program

NOTE = "签名页已补，请放心办下一步"
ELSEWHERE = school.operator(school.SITES[0].code)


@pytest.fixture
def filed(site: Site) -> str:
    return a_filed(site)


def address_of(number: str) -> str:
    return f"/cases/{number}/copies"


def form_of(person: Person, number: str, *to: str, note: str = NOTE) -> dict[str, object]:
    """The form as its page holds it, with colleagues ticked and a few words."""
    address = address_of(number)
    return {**filled(person.get(address).text, address), "to": list(to), "note": note}


def line_of(person: Person, number: str) -> str:
    """What 抄送我的 says of a case."""
    rows = person.get("/queue/copies").text.split("<tr>")
    return next(texts(row) for row in rows if f"/cases/{number}" in row and "抄送" in texts(row))


def test_a_copy_is_sent_from_the_case_and_read_by_a_colleague_under_the_own_copies(site: Site, filed: str) -> None:
    sender, colleague = site.signed_in(evening.APPROVER), site.signed_in(evening.SECOND)
    assert f'href="{address_of(filed)}"' in sender.get(f"/cases/{filed}").text
    assert f'href="{address_of(filed)}"' in sender.get(f"/queue/todo?case={filed}").text

    sent = sender.post(address_of(filed), form_of(sender, filed, evening.SECOND, evening.OPERATOR))

    assert (sent.status_code, sent.headers["location"]) == (303, f"/cases/{filed}")
    event = events_of(site, filed)[-1]
    assert (event["kind"], event["data"]["colleagues"]) == ("copied", [evening.SECOND, evening.OPERATOR])
    told = line_of(colleague, filed)
    assert ("周敏" in told, NOTE in told, "未读" in told) == (True, True, True)
    stream = texts(colleague.get(f"/cases/{filed}").text)
    assert re.search(rf"抄送 给 王建国、林芳.*{NOTE}", stream)
    assert "已读" in line_of(colleague, filed)


def test_a_copy_is_offered_to_those_who_may_see_the_case_and_no_others(site: Site, filed: str) -> None:
    html = site.signed_in(evening.APPROVER).get(address_of(filed)).text

    offered = set(re.findall(r'name="to" value="([^"]+)"', html))
    assert offered >= {evening.SECOND, evening.OPERATOR, school.HEAD}
    assert offered.isdisjoint({evening.APPROVER, ELSEWHERE, "auditor"})


def test_a_refused_copy_says_every_reason_keeps_what_was_typed_and_is_sent_once_mended(site: Site, filed: str) -> None:
    with site.house.desks.borrowed() as office:
        disable(office.desk, evening.OPERATOR, at=site.watch.at, actor="setup")
    person, address = site.signed_in(evening.APPROVER), address_of(filed)
    form = form_of(person, filed, evening.SECOND, ELSEWHERE, evening.OPERATOR, note="长" * 201)

    refused, again = (person.post(address, form) for _ in range(2))
    mended = {**filled(refused.text, address), "to": [evening.SECOND], "note": NOTE}
    done, twice = (person.post(address, mended) for _ in range(2))

    said = texts(refused.text)
    assert (refused.status_code, again.status_code) == (422, 422)
    assert all(one in said for one in ("X-57", "X-58", "X-59", "现有201字"))
    assert f'value="{evening.SECOND}" checked' in refused.text
    assert "长" * 201 in refused.text
    assert "刚才没有办成：" in again.text
    assert mended["request"] != form["request"]
    assert (done.status_code, twice.status_code) == (303, 303)
    assert [one["kind"] for one in events_of(site, filed)][-2:] == ["refused", "copied"]


def test_nobody_ticked_is_said_and_nothing_is_sent(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    answer = person.post(address_of(filed), form_of(person, filed))

    assert answer.status_code == 422
    assert "请填写“抄送给谁" in answer.text
    assert NOTE in answer.text


def test_who_was_told_today_is_shown_with_the_day_from_which_it_may_be_again(site: Site, filed: str) -> None:
    person, address = site.signed_in(evening.APPROVER), address_of(filed)
    person.post(address, form_of(person, filed, evening.SECOND))

    html = person.get(address).text

    assert re.search(rf'value="{evening.SECOND}" aria-disabled="true" aria-describedby="against-\d+"', html)
    assert re.search(r"今日已有人抄送给王建国 .*；2024-05-16 00:00起可再次抄送", html)


def test_a_form_from_a_page_that_is_too_old_is_shown_again_with_everybody_who_was_ticked(
    site: Site, filed: str
) -> None:
    address = address_of(filed)
    form = form_of(site.signed_in(evening.APPROVER), filed, evening.SECOND, evening.OPERATOR)
    site.watch.pass_by(hours=1)
    person = site.signed_in(evening.APPROVER)

    old = person.browser.post(address, data=form, headers={"Sec-Fetch-Site": "same-origin"})

    assert old.status_code == 403
    assert "内容已保留" in old.text
    assert NOTE in old.text
    assert all(f'value="{one}" checked' in old.text for one in (evening.SECOND, evening.OPERATOR))
    assert events_of(site, filed)[-1]["kind"] != "copied"
    again = {**filled(old.text, address), "to": [evening.SECOND, evening.OPERATOR]}
    assert person.browser.post(address, data=again, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert events_of(site, filed)[-1]["data"]["colleagues"] == [evening.SECOND, evening.OPERATOR]


def test_the_student_sees_neither_that_a_copy_was_sent_nor_what_it_says(site: Site) -> None:
    [(number, student_no, _), *_] = records(site, "c.state = 'enrolled'")
    sender = site.signed_in(evening.OPERATOR)
    assert sender.post(address_of(number), form_of(sender, number, evening.SECOND)).status_code == 303
    with site.house.desks.borrowed() as office:
        sql = "SELECT a.login FROM account a JOIN student s ON s.id = a.student WHERE s.record = ?"
        rows = office.desk.connection.execute(sql, (case_of(number),)).fetchall()
        if not rows:
            add_student_account(office.desk, student_no, student_no, at=site.watch.at, actor="setup")
        login = rows[0][0] if rows else student_no
    owner = site.signed_in(login)

    seq = events_of(site, number)[-1]["seq"]
    said = texts(owner.get(f"/cases/{number}").text)

    assert "抄送" not in said
    assert NOTE not in said
    assert owner.get(f"/cases/{number}/events/{seq}").status_code == 404
    assert owner.get(address_of(number)).status_code == 404
    assert owner.post(address_of(number), {"to": [evening.SECOND]}).status_code == 404


def test_a_program_sends_a_copy_once_and_its_reader_has_it_with_the_words(site: Site, filed: str) -> None:
    sender = Program(site, evening.APPROVER, "read", "decide")
    body = {"to": [evening.SECOND], "note": NOTE}
    first, again = (sender.post(f"/cases/{filed}/copies", body, "copy-0001").json() for _ in range(2))
    other = sender.post(f"/cases/{filed}/copies", body, "copy-0002").json()

    assert (first["done"], again["done"], again["repeated"]) == (True, True, True)
    assert (other["done"], other["failed"]) == (False, ["X-54"])
    lines = Program(site, evening.SECOND, "read").get("/queue/copies").json()["lines"]
    [line] = [one for one in lines if one["number"] == filed and one.get("note")]
    assert (line["sender"], line["note"], line["is_read"]) == ("周敏", NOTE, False)
    assert [one["kind"] for one in events_of(site, filed)].count("copied") == 1
    assert Program(site, evening.APPROVER, "read").post(f"/cases/{filed}/copies", body, "copy-0003").status_code == 403


def test_what_is_taken_along_of_the_own_copies_says_who_sent_it_with_which_words(site: Site, filed: str) -> None:
    sender = site.signed_in(evening.APPROVER)
    sender.post(address_of(filed), form_of(sender, filed, evening.SECOND))

    answer = site.signed_in(evening.SECOND).post("/exports/copies", {})

    _, *rows = load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)
    assert [row[5] for row in rows if row[0] == filed and "抄送" in str(row[5])] == [f"抄送　周敏　{NOTE}"]


@pytest.mark.parametrize("body", [{"to": [evening.SECOND], "why": "x"}, {"note": "x"}, {"to": evening.SECOND}])
def test_a_program_that_sends_other_fields_sends_no_copy(site: Site, filed: str, body: dict[str, object]) -> None:
    program = Program(site, evening.APPROVER, "read", "decide")

    assert program.post(f"/cases/{filed}/copies", body, "copy-0001").status_code == 422
    assert events_of(site, filed)[-1]["kind"] != "copied"
