"""The page of a case: what it says, to whom, what is kept of the look, and what can be done from it."""

import re
from collections.abc import Mapping

import pytest

from console.demo import evening, school
from engine.records import case_number
from engine.settling import Standing, made_row
from engine.store import deadlines
from tests.web.cases import a_blocked, a_filed, events_of, numbers_of, records, texts
from tests.web.conftest import Site

_ELSEWHERE = school.operator(school.SITES[0].code)
_MOST_STATEMENTS = 14


def _looks(site: Site) -> list[tuple[str, str]]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT login, purpose FROM access_row ORDER BY id").fetchall()
    return [(login, purpose) for login, purpose in rows]


@pytest.fixture
def blocked(site: Site) -> str:
    return a_blocked(site)


@pytest.fixture
def filed(site: Site) -> str:
    return a_filed(site)


def test_the_heading_says_how_much_is_missing_and_who_mends_it(site: Site, blocked: str) -> None:
    page = site.signed_in(evening.OPERATOR).get(f"/cases/{blocked}")

    said = texts(page.text)
    assert page.status_code == 200
    fails, undecided = page.text.count("xj-rule-fails"), page.text.count("xj-rule-undecided")
    assert fails + undecided > 0
    assert re.search(rf"现在不能提出毕业申请：还差 {fails} 条" if fails else rf"{undecided} 条待定", said)
    assert f"补齐 {fails + undecided} 件事即可" in said
    assert 'aria-disabled="true" aria-describedby="why-not"' in page.text


def test_until_when_something_is_mended_is_said_by_a_deadline_that_is_not_settled(site: Site) -> None:
    """The fees are to be paid by D-02 of the student's review, which a rulebook of then may take for settled."""
    sql = (
        "SELECT s.record, c.id FROM student s JOIN cases r ON r.id = s.record JOIN cases c ON c.student = s.id"
        " WHERE r.state = 'enrolled' AND c.workflow = 'graduation-eligibility-review' AND c.id <> r.id"
        " AND json_extract(s.facts, '$.fee_owed') NOT IN ('0', '0.00') ORDER BY s.record"
    )
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        owing, review = office.desk.connection.execute(sql).fetchall()[0]
        row = made_row(review, "D-02", Standing(site.watch.at, is_settled=False), 1, site.watch.at)
        deadlines.put(office.desk.connection, [row])
    reader, page = site.signed_in("auditor"), f"/cases/{case_number(owing)}"

    runs = _fees(reader.get(page).text)
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        deadlines.put(office.desk.connection, [row._replace(settled=True)])
    over = _fees(reader.get(page).text)

    assert 'class="xj-due"' in runs
    assert 'class="xj-due"' not in over


def _fees(html: str) -> str:
    """The line about the fees."""
    [line] = [one for one in html.split("<tr") if "G-GR-07" in one and "xj-rule-fails" in one]
    return line.partition("</tr>")[0]


def test_what_fails_stands_above_what_holds(site: Site, blocked: str) -> None:
    html = site.signed_in(evening.OPERATOR).get(f"/cases/{blocked}").text

    rules = re.findall(r'class="xj-rule-(\w+)"', html)
    order = ["fails", "undecided", "holds", "not_applicable"]
    assert rules == sorted(rules, key=order.index)
    assert {"holds", "not_applicable"} <= set(rules)


def test_a_case_that_is_ready_says_so_and_offers_its_step(site: Site, filed: str) -> None:
    html = site.signed_in(evening.APPROVER).get(f"/cases/{filed}").text

    assert "条规则全部符合" in html
    assert f'href="/cases/{filed}/do/site_approve"' in html


def test_whoever_just_acted_is_offered_nothing_but_to_take_it_back(site: Site, filed: str) -> None:
    html = site.signed_in(evening.OPERATOR).get(f"/cases/{filed}").text

    assert "已办：提出毕业申请" in html
    assert re.findall(rf"/cases/{filed}/do/(\w+)", html) == ["cancel_application"]


@pytest.mark.parametrize("dash", ["", "-"])
def test_a_number_may_be_written_with_its_dash(site: Site, blocked: str, dash: str) -> None:
    written = blocked[:4] + dash + blocked[4:]
    assert site.signed_in(evening.OPERATOR).get(f"/cases/{written}").status_code == 200


@pytest.mark.parametrize("login", [_ELSEWHERE, "system-admin"])
def test_what_one_may_not_know_of_is_not_there(site: Site, blocked: str, login: str) -> None:
    person = site.signed_in(login)
    pages = ["", "/at/1", "/events/1", "/diagram.svg", "/print", "/comment", "/withdraw", "/nudge", "/reveal"]
    assert {person.get(f"/cases/{blocked}{one}").status_code for one in pages} == {404}


@pytest.mark.parametrize("login", [evening.OPERATOR, "auditor"])
def test_no_page_of_a_case_has_a_personal_value_in_clear(site: Site, login: str) -> None:
    number, _, facts = records(site, "c.state = 'applied'")[0]
    person = site.signed_in(login)

    hidden = [
        str(facts[name]) for name in ("id_number", "email", "born_on", "ethnicity", "politics") if facts.get(name)
    ]
    for address in (f"/cases/{number}", f"/cases/{number}/print", f"/cases/{number}/at/1", f"/cases/{number}/events/2"):
        said = texts(person.get(address).text)
        assert [value for value in hidden if value in said] == []
    assert f"{facts['id_number'][:4]}****{facts['id_number'][-4:]}" in person.get(f"/cases/{number}").text


def test_opening_a_case_leaves_a_row_and_a_part_of_the_open_page_none(site: Site, blocked: str) -> None:
    person = site.signed_in(evening.OPERATOR)
    person.get(f"/cases/{blocked}")
    part = person.fragment(f"/cases/{blocked}?show=fact")

    assert _looks(site) == [(evening.OPERATOR, "open")]
    assert part.text.lstrip().startswith("<section") or 'id="history"' in part.text
    assert "<html" not in part.text


@pytest.mark.parametrize("page", ["", "/at/1", "/events/2", "/print"])
def test_a_page_asked_for_as_a_fragment_is_a_look_like_any_other(site: Site, blocked: str, page: str) -> None:
    part = site.signed_in(evening.OPERATOR).fragment(f"/cases/{blocked}{page}")

    assert "<html" not in part.text
    assert blocked in part.text.replace("-", "")
    assert _looks(site) == [(evening.OPERATOR, "open")]


@pytest.mark.parametrize("part", ["", "?show=fact", "?whole=true"])
def test_no_header_lets_an_auditor_look_unseen(site: Site, blocked: str, part: str) -> None:
    before = len(events_of(site, blocked))
    site.signed_in("auditor").fragment(f"/cases/{blocked}{part}")

    assert [one["data"]["trigger"] for one in events_of(site, blocked)[before:]] == ["view:case"]


def test_every_page_an_auditor_opens_is_an_event_of_the_case(site: Site, blocked: str) -> None:
    before = len(events_of(site, blocked))
    page = site.signed_in("auditor").get(f"/cases/{blocked}")

    [event] = events_of(site, blocked)[before:]
    assert page.status_code == 200
    assert (event["kind"], event["actor"], event["data"]["trigger"]) == ("viewed", "auditor", "view:case")
    assert _looks(site) == [("auditor", "audit")]


def test_a_personal_value_is_shown_for_a_minute_once_it_is_said_what_for(site: Site) -> None:
    number, _, facts = records(site, "c.state = 'applied'")[0]
    person = site.signed_in(evening.OPERATOR)
    form = person.get(f"/cases/{number}/reveal?fact=id_number")
    shown = person.post(f"/cases/{number}/reveal", {"fact": "id_number", "purpose": "contact"})

    assert "用途" in form.text
    assert shown.status_code == 200
    assert facts["id_number"] in shown.text
    assert shown.headers["refresh"] == f"60;url=/cases/{number}"
    event = events_of(site, number)[-1]
    assert event["data"] == {"trigger": "view:facts", "revealed": ["id_number"], "purpose": "contact"}
    assert _looks(site) == [(evening.OPERATOR, "reveal/contact")]
    assert facts["id_number"] not in person.get(f"/cases/{number}").text


@pytest.mark.parametrize(
    "form", [{"fact": "id_number"}, {"fact": "id_number", "purpose": "other"}, {"fact": "id_number", "purpose": "why"}]
)
def test_nothing_is_shown_without_a_purpose(site: Site, form: Mapping[str, str]) -> None:
    number, _, facts = records(site, "c.state = 'applied'")[0]
    before = len(events_of(site, number))
    answer = site.signed_in(evening.OPERATOR).post(f"/cases/{number}/reveal", form)

    assert answer.status_code == 422
    assert facts["id_number"] not in answer.text
    assert len(events_of(site, number)) == before


def test_a_fact_that_is_nobodys_secret_cannot_be_revealed(site: Site, blocked: str) -> None:
    form = {"fact": "level", "purpose": "contact"}
    assert site.signed_in(evening.OPERATOR).post(f"/cases/{blocked}/reveal", form).status_code == 403


def test_a_refusal_is_in_the_history_with_the_rules_that_refused(site: Site, blocked: str) -> None:
    events = events_of(site, blocked)
    refused = next(one for one in events if one["kind"] == "refused")
    person = site.signed_in(evening.OPERATOR)
    page, single = person.get(f"/cases/{blocked}"), person.get(f"/cases/{blocked}/events/{refused['seq']}")

    for told in (page.text, single.text):
        assert "提出毕业申请：被拒" in told
        assert all(rule in told for rule in refused["data"]["failed"])
    assert f'href="/cases/{blocked}/events/{refused["seq"]}"' in page.text


def test_the_history_can_be_narrowed_to_one_kind(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    every, facts = person.get(f"/cases/{filed}").text, person.get(f"/cases/{filed}?show=fact").text

    assert every.count('class="xj-told"') > facts.count('class="xj-told"') > 0
    assert "名册导入" in facts
    assert 'aria-current="true"' in facts


def test_a_case_can_be_seen_as_it_stood(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    then, now = person.get(f"/cases/{filed}/at/1"), person.get(f"/cases/{filed}")

    assert "回看：第 1 条之后" in then.text
    assert "xj-badge-neutral" in then.text
    assert "已提出毕业申请</span>" in now.text
    assert "已提出毕业申请</span>" not in then.text.partition("xj-columns")[0]
    assert person.get(f"/cases/{filed}/at/99").status_code == 404


def test_the_way_is_a_picture_and_a_text(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    picture = person.get(f"/cases/{filed}/diagram.svg")
    page = person.get(f"/cases/{filed}").text

    assert picture.headers["content-type"] == "image/svg+xml"
    assert 'role="img"' in picture.text
    assert "<title>学历电子注册：现在“已提出毕业申请”，走过" in picture.text
    assert "style=" not in picture.text
    assert "文字版" in page
    assert "现在在这里" in page


def test_a_page_of_a_case_costs_at_most_fourteen_statements(narrow_site: Site) -> None:
    person = narrow_site.signed_in(evening.APPROVER)
    numbers = numbers_of(narrow_site, "c.state IN ('applied', 'enrolled')")[:4]
    person.get(f"/cases/{numbers[0]}")
    for number in numbers:
        with narrow_site.counted() as statements:
            assert person.get(f"/cases/{number}").status_code == 200
        assert len(statements) <= _MOST_STATEMENTS, statements


def test_a_comment_is_read_by_those_who_work_on_the_case(site: Site, filed: str) -> None:
    words = "学生来电：登记表第二页已补交"
    operator = site.signed_in(evening.OPERATOR)
    answer = operator.post(f"/cases/{filed}/comment", {"text": words, "request": "r-1"})
    again = operator.post(f"/cases/{filed}/comment", {"text": words, "request": "r-1"})

    assert (answer.status_code, again.status_code) == (303, 303)
    page = site.signed_in(evening.APPROVER).get(f"/cases/{filed}").text
    assert page.count(words) == 1
    assert [one["kind"] for one in events_of(site, filed)][-1] == "commented"
    assert words not in str(events_of(site, filed)[-1])


def test_students_do_not_read_what_staff_remark_on_their_case(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        sql = "SELECT a.login, s.record FROM account a JOIN student s ON s.id = a.student"
        login, record = office.desk.connection.execute(sql).fetchall()[0]
    number, words = case_number(record), "家长来电"
    site.signed_in(evening.OPERATOR).post(f"/cases/{number}/comment", {"text": words})
    seq, student = len(events_of(site, number)), site.signed_in(login)

    assert words not in student.get(f"/cases/{number}").text
    assert student.get(f"/cases/{number}/events/{seq}").status_code == 404
    assert words in site.signed_in(evening.OPERATOR).get(f"/cases/{number}/events/{seq}").text


def test_an_empty_comment_is_sent_back(site: Site, filed: str) -> None:
    answer = site.signed_in(evening.OPERATOR).post(f"/cases/{filed}/comment", {"text": " "})
    assert answer.status_code == 422
    assert "请写下备注" in answer.text


def test_the_page_speaks_english(site: Site, blocked: str) -> None:
    html = site.signed_in(evening.OPERATOR).get(f"/cases/{blocked}", accept_language="en").text
    assert "Cannot Apply now" in html
    assert "现在不能" not in html


def test_on_paper_everything_is_unfolded_and_says_by_whom_it_was_printed(site: Site, filed: str) -> None:
    html = site.signed_in(evening.APPROVER).get(f"/cases/{filed}/print").text
    assert f"打印 {evening.APPROVER}" in texts(html)
    assert re.search(r"2024年5月15日（周三）17:31 · \d+ 条记录 · 链尾 [0-9a-f]{12}", texts(html))
    assert "/do/" not in html
