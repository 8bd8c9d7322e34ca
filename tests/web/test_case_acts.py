"""What can be done on a case beside its steps: passing it on, a nudge, a remark, an address corrected, taking back."""

import re

import pytest

from console.demo import evening, school
from engine.organisation import give_role
from engine.records import case_number, case_of
from engine.store import people
from engine.store.cases import read_case
from tests.web.cases import a_blocked, a_filed, events_of, number_of, texts
from tests.web.conftest import Site
from tests.web.reading import filled


@pytest.fixture
def blocked(site: Site) -> str:
    return a_blocked(site)


@pytest.fixture
def filed(site: Site) -> str:
    return a_filed(site)


def test_who_filed_a_case_is_named_among_those_who_cannot_act_on_it_and_why(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    html = person.get(f"/cases/{filed}/delegate?role=site_approver").text

    barred = re.search(rf'value="site_approver:{evening.OPERATOR}"[^>]*aria-disabled="true"', html)
    assert barred
    assert re.search(rf'value="site_approver:{evening.SECOND}"(?![^>]*aria-disabled)', html)
    form = {"taker": f"site_approver:{evening.OPERATOR}", "reason": "出差", "until": "2024-05-20"}
    answer = person.post(f"/cases/{filed}/delegate", form)
    assert answer.status_code == 422
    assert "提出毕业申请" in answer.text


def test_a_case_is_lent_until_a_day_to_somebody_who_may(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    form = {"taker": f"site_approver:{evening.SECOND}", "reason": "出差", "until": "2024-05-20"}

    assert person.post(f"/cases/{filed}/delegate", {**form, "until": "2023-05-20"}).status_code == 422
    assert person.post(f"/cases/{filed}/delegate", {**form, "reason": ""}).status_code == 422
    assert person.post(f"/cases/{filed}/delegate", form).status_code == 303
    event = events_of(site, filed)[-1]
    assert (event["kind"], event["data"]["to"]) == ("delegated", evening.SECOND)
    assert event["data"]["until"] == "2024-05-20T15:59:59.000000Z"


def test_who_has_two_roles_chooses_a_person_with_the_role_that_is_passed_on(site: Site, filed: str) -> None:
    with site.house.desks.borrowed() as office:
        give_role(office.desk, evening.APPROVER, "site_operator", evening.SITE, at=evening.NOW, actor="setup")
    person = site.signed_in(evening.APPROVER)

    html = person.get(f"/cases/{filed}/hand-over").text
    asked = person.get(f"/cases/{filed}/hand-over?role=site_operator").text
    answer = person.post(f"/cases/{filed}/hand-over", {"taker": f"site_operator:{evening.OPERATOR}", "reason": "调岗"})

    lists = [set(re.findall(r'value="(\w+):([^"]+)"', part)) for part in html.split("<legend>")[1:]]
    assert [len({role for role, _ in one}) for one in lists] == [1, 1], "each list is for one role"
    assert {("site_approver", evening.SECOND), ("site_operator", evening.OPERATOR)} <= set().union(*lists)
    assert ("site_approver", evening.OPERATOR) not in set().union(*lists)
    assert asked.index('value="site_operator:') < asked.index('value="site_approver:')
    assert answer.status_code == 303
    event = events_of(site, filed)[-1]
    passed = (event["kind"], event["data"]["role"], event["data"]["to"])
    assert passed == ("handed_over", "site_operator", evening.OPERATOR)


def test_a_case_is_handed_over_for_good(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    html = person.get(f"/cases/{filed}/hand-over?role=site_approver").text
    taker = f"site_approver:{evening.SECOND}"
    answer = person.post(f"/cases/{filed}/hand-over", {"taker": taker, "reason": "调岗"})

    assert f'value="{taker}"' in html
    assert answer.status_code == 303
    assert events_of(site, filed)[-1]["kind"] == "handed_over"


@pytest.mark.parametrize(("act", "kind"), [("hand-over", "handed_over"), ("delegate", "delegated")])
def test_a_form_that_was_refused_is_done_once_it_is_mended_and_a_second_click_says_what_the_first_did(
    site: Site, filed: str, act: str, kind: str
) -> None:
    """Sent as its page holds it, with the request number that stands in it."""
    person, address = site.signed_in(evening.APPROVER), f"/cases/{filed}/{act}"
    typed = {"reason": "调岗", **({"until": "2024-05-20"} if act == "delegate" else {})}
    form = {**filled(person.get(address).text, address), **typed}
    barred, able = (f"site_approver:{one}" for one in (evening.OPERATOR, evening.SECOND))

    refused, again = (person.post(address, {**form, "taker": barred}) for _ in range(2))
    mended = {**filled(refused.text, address), **typed, "taker": able}
    done, twice = (person.post(address, mended) for _ in range(2))

    assert (refused.status_code, again.status_code) == (422, 422)
    assert "刚才没有办成：" in again.text
    assert mended["request"] != form["request"]
    assert (done.status_code, twice.status_code) == (303, 303)
    kinds = [(one["kind"], one["data"].get("to")) for one in events_of(site, filed)]
    assert kinds[-2:] == [("refused", kinds[-2][1]), (kind, evening.SECOND)]
    assert [one for one, _ in kinds].count(kind) == 1


def test_a_nudge_that_was_refused_today_is_sent_tomorrow_from_the_page_that_said_so(site: Site, filed: str) -> None:
    person, address = site.signed_in(evening.OPERATOR), f"/cases/{filed}/nudge"
    assert person.post(address, {**filled(person.get(address).text, address), "about": "waiting"}).status_code == 303
    form = {**filled(person.get(address).text, address), "about": "waiting"}

    refused, again = (person.post(address, form) for _ in range(2))
    site.watch.pass_by(hours=12)
    tomorrow = site.signed_in(evening.OPERATOR).post(address, {**filled(refused.text, address), "about": "waiting"})

    assert (refused.status_code, again.status_code) == (422, 422), "nothing was sent, and nothing else is said"
    assert "刚才没有办成：X-32" in again.text
    assert tomorrow.headers["location"] == f"{address}?said=nudged"
    assert [one["kind"] for one in events_of(site, filed)].count("urged") == 2


@pytest.mark.parametrize("who", [evening.OPERATOR, "auditor", "the student"])
def test_whatever_the_page_of_a_case_offers_its_reader_may_do(site: Site, who: str) -> None:
    with site.house.desks.borrowed() as office:
        sql = (
            "SELECT a.login, s.record FROM account a JOIN student s ON s.id = a.student JOIN cases c ON c.id = s.record"
            " WHERE c.state = 'enrolled' AND c.unit = ? ORDER BY a.login"
        )
        login, record = office.desk.connection.execute(sql, (evening.SITE,)).fetchall()[0]
    person = site.signed_in(login if who == "the student" else who)
    page = person.get(f"/cases/{case_number(record)}").text
    actions = page.partition("xj-actions")[2].partition("</section>")[0]
    offered = set(re.findall(r'href="/cases/\w+/([\w-]+)', actions))

    assert {one: person.get(f"/cases/{case_number(record)}/{one}").status_code for one in offered if one != "do"} == (
        dict.fromkeys(offered - {"do"}, 200)
    )
    assert offered >= {
        evening.OPERATOR: {"comment", "hand-over", "delegate", "copies", "signers"}, "auditor": set(),
        "the student": {"comment"},
    }[who]  # fmt: skip


def test_those_who_can_mend_what_is_missing_are_told_once_a_day(site: Site, blocked: str) -> None:
    person = site.signed_in(evening.OPERATOR)
    form = person.get(f"/cases/{blocked}/nudge").text
    wanted = re.search(r'name="about" value="([^"]+)"', form)
    assert wanted
    first = person.post(f"/cases/{blocked}/nudge", {"about": wanted[1]})
    second = person.post(f"/cases/{blocked}/nudge", {"about": wanted[1]})

    assert (first.status_code, second.status_code) == (303, 422)
    assert "今天已经催过" in second.text
    assert [one["kind"] for one in events_of(site, blocked)].count("urged") == 1


def test_a_nudge_says_who_would_read_what_and_afterwards_what_came_of_it(site: Site, blocked: str) -> None:
    person, address = site.signed_in(evening.OPERATOR), f"/cases/{blocked}/nudge"
    before = texts(person.get(address).text)
    wanted = re.findall(r'name="about" value="([^"]+)"', person.get(address).text)

    sent = person.post(address, {"about": wanted})
    after = person.get(sent.headers["location"]).text

    assert before.count("邮件 · 还没有催过") == len(wanted) > 0
    assert "已催办" not in before
    assert sent.headers["location"] == f"{address}?said=nudged"
    said = re.search(r"已发 0 · 待发 (\d+) · 没有地址 (\d+)", texts(after))
    assert said
    assert int(said[1]) + int(said[2]) == len(wanted) == texts(after).count("已催过，明天可再催")
    assert "checked" not in after, "nobody is chosen again who was told today"


def test_a_nudge_names_those_whom_no_mail_reaches(site: Site, blocked: str) -> None:
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("UPDATE student SET facts = json_remove(facts, '$.email')")
        office.desk.connection.execute("UPDATE account SET email = NULL")

    person, address = site.signed_in(evening.OPERATOR), f"/cases/{blocked}/nudge"
    html = person.get(address).text
    wanted = re.findall(r'name="about" value="([^"]+)"', html)
    after = person.get(person.post(address, {"about": wanted}).headers["location"]).text

    assert texts(html).count("没有地址") == len(wanted)
    assert f"已发 0 · 待发 0 · 没有地址 {len(wanted)}" in texts(after)


def test_a_case_that_is_over_can_still_be_remarked_on_but_not_by_who_only_reads(site: Site) -> None:
    number = number_of(
        site, "SELECT id FROM cases WHERE workflow = 'graduation-eligibility-review' AND state = 'confirmed'"
    )
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("UPDATE cases SET state = 'concluded' WHERE id = ?", (case_of(number),))
    address = f"/cases/{number}/comment"

    html = site.signed_in(evening.APPROVER).get(f"/cases/{number}").text
    answer = site.signed_in(evening.APPROVER).post(address, {"text": "证书已寄出"})

    assert "只能加注" in html
    assert f'href="{address}"' in html
    assert 'id="xj-act"' in html
    assert answer.status_code == 303
    assert events_of(site, number)[-1]["kind"] == "commented"
    assert f'href="{address}"' not in site.signed_in("auditor").get(f"/cases/{number}").text
    assert f'href="{address}"' not in site.signed_in(evening.APPROVER).get(f"/cases/{number}/print").text


@pytest.fixture
def unreached(site: Site) -> str:
    """A case whose student's last mail came back."""
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("UPDATE mail SET state = 'failed'")
    told = "SELECT id FROM cases WHERE id IN (SELECT chain FROM outbox"
    return number_of(site, f"{told} WHERE recipient LIKE 'student/%' AND mail IS NOT NULL)")


def test_a_mail_that_came_back_is_a_task_of_whoever_keeps_the_address(site: Site, unreached: str) -> None:
    keeper, page, form = site.signed_in(school.HEAD), f"/cases/{unreached}", f"/cases/{unreached}/mail"
    assert f'href="{form}"' in keeper.get(page).text
    assert "更正邮箱" in keeper.get(form).text

    bad = keeper.post(form, {"mail": "没有@"})
    done = keeper.post(form, {"mail": "new.address@student.example"})

    assert (bad.status_code, done.status_code) == (422, 303)
    with site.house.desks.borrowed() as office:
        found = read_case(office.desk.connection, case_of(unreached) or 0)
        assert found is not None
        student = found.case.student or 0
        assert people.pupils(office.desk.connection, [student])[student].email == "new.address@student.example"
    after = keeper.get(page).text
    assert "最近一封没有送到学生手里" in after
    assert "邮箱已于" in texts(after)
    assert f'href="{form}"' not in after
    assert "new.address@student.example" not in after


def test_who_does_not_keep_the_address_hears_who_does(site: Site, unreached: str) -> None:
    person = site.signed_in(evening.OPERATOR)

    said = texts(person.get(f"/cases/{unreached}").text)

    assert re.search(r"请学籍科.*更正邮箱，或请教学点打电话告知", said)
    assert person.get(f"/cases/{unreached}/mail").status_code == 404
    assert person.post(f"/cases/{unreached}/mail", {"mail": "new@student.example"}).status_code == 404


def test_signers_cannot_be_changed_where_no_step_is_signed(site: Site, filed: str) -> None:
    assert "流程没有规定" in site.signed_in(evening.APPROVER).get(f"/cases/{filed}/signers").text


def test_only_the_own_last_step_is_taken_back(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    assert person.get(f"/cases/{filed}/withdraw").status_code == 200
    assert person.post(f"/cases/{filed}/withdraw", {"reason": ""}).status_code == 422
    assert person.post(f"/cases/{filed}/withdraw", {"reason": "看错了"}).status_code == 409


def test_forms_come_as_parts_of_the_page(site: Site, filed: str) -> None:
    person = site.signed_in(evening.APPROVER)
    for act in ("comment", "withdraw", "hand-over", "delegate", "copies", "signers", "nudge", "reveal?fact=id_number"):
        part = person.fragment(f"/cases/{filed}/{act}")
        assert part.status_code == 200
        assert "<html" not in part.text
        assert "<form" in part.text
