"""Administration, the other half: roles end, units move, rights are lent, looks are told, templates are tried."""

import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import orjson
import pytest
from openpyxl import load_workbook

from console.access.programs import Wish, issue
from console.access.tokens import hash_of
from console.demo import evening, school
from console.web.admin import access
from engine.delegating import Mandate, hand_over
from engine.organisation import add_units, give_role
from engine.records import Request, case_number
from engine.store.people import Absence, add_absence
from engine.store.registry import UnitRow
from engine.trail.event import REGISTRY
from tests.web.conftest import Person, Site
from tests.web.reading import filled, told

SITE, OTHER_BRANCH = "511610104", "5116102"
_PEOPLE = "/admin/people"


def _events(site: Site, chain: int = REGISTRY) -> list[str]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (chain,))
        return [bytes(row[0]).decode() for row in rows.fetchall()]


def _case(site: Site) -> tuple[int, str]:
    """A case that waits for the approvers of the site, and its number."""
    with site.house.desks.borrowed() as office:
        [(case,)] = office.desk.connection.execute(
            "SELECT case_id FROM lane WHERE role = 'site_approver' AND path LIKE ? ORDER BY case_id LIMIT 1",
            (f"%/{SITE}/",),
        ).fetchall()
    return int(case), case_number(int(case))


def _hand(site: Site, case: int, taker: str) -> None:
    with site.house.desks.borrowed() as office:
        desk = office.desk
        request = Request(trigger="hand_over", actor=desk.actor(evening.APPROVER), at=site.watch.at)
        assert hand_over(desk, case, Mandate(taker=taker, role="site_approver", reason="出差"), request) == ()


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_a_role_is_ended_after_it_is_said_what_ends_with_it(site: Site) -> None:
    admin, approver = site.signed_in("security-admin"), site.signed_in(evening.APPROVER)
    address = f"{_PEOPLE}/{evening.APPROVER}/end"
    asked = admin.get(f"{address}?role=site_approver&unit={SITE}")
    assert "解除 周敏 的“教学点审批人”" in _text(asked.text)
    assert approver.get("/queue/todo").status_code == 200

    done = admin.post(address, {"role": "site_approver", "unit": SITE})

    assert done.headers["location"] == f"{_PEOPLE}/{evening.APPROVER}?said=ended"
    assert approver.get("/queue/todo").headers["location"].startswith("/sign-in")
    assert '"held":false' in _events(site)[-1]
    assert admin.post(address, {"role": "site_approver", "unit": SITE}).status_code == 404
    own = admin.get(f"{_PEOPLE}/security-admin/end?role=security_admin&unit={school.SCHOOL.code}")
    assert own.status_code == 404


def test_who_is_kept_out_leaves_an_event_and_the_cases_to_somebody_who_can_take_them(site: Site) -> None:
    admin, (case, _) = site.signed_in("security-admin"), _case(site)
    _hand(site, case, evening.SECOND)
    address = f"{_PEOPLE}/{evening.SECOND}/disable"
    assert "转办给此人而未办完的 1 件" in admin.get(address).text

    for taker, why in (("", "请选择转给谁"), (evening.OPERATOR, "件不能转给此人")):
        refused = admin.post(address, {"taker": taker})
        assert (refused.status_code, why in refused.text) == (422, True)
    assert "account_changed" not in _events(site)[-1]
    done = admin.post(address, {"taker": evening.APPROVER, "reason": "离职"})

    assert done.headers["location"].endswith("?said=disabled")
    assert '"disabled":true' in _events(site)[-1]
    assert '"by":"' + evening.SECOND in _events(site, case)[-1]
    assert '"kind":"handed_over"' in _events(site, case)[-1]


def test_an_administrator_knows_of_no_people_and_units_but_the_own(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        elsewhere = UnitRow(code="9", name="别校", kind="school", parent=None, path="", profile="online-ed")
        add_units(office.desk, [elsewhere], at=site.watch.at, actor=school.HEAD)
        for login, role in (("sec-2", "security_admin"), ("rec-2", "records_section")):
            give_role(office.desk, login, role, "9", at=site.watch.at, actor=school.HEAD)
    other = site.signed_in("sec-2")
    page = other.get(_PEOPLE)
    assert "rec-2" in page.text
    assert evening.APPROVER not in page.text
    hidden = (
        f"{_PEOPLE}/{evening.APPROVER}", f"{_PEOPLE}/{evening.APPROVER}/disable", f"/admin/units/{SITE}",
        f"/admin/units/9/move?under={school.SCHOOL.code}", f"/admin/delegations/assign?role=site_head&unit={SITE}",
    )  # fmt: skip
    assert [other.get(one).status_code for one in hidden] == [404] * len(hidden)
    assert other.post(f"{_PEOPLE}/{evening.APPROVER}/disable").status_code == 404
    assert "不在您管理的单位之内" in other.post(f"{_PEOPLE}/rec-2/roles", {"role": "auditor", "unit": "51161"}).text
    assert "别校" in other.get("/admin/units").text
    assert SITE not in other.get("/admin/units").text


def test_a_unit_is_added_described_and_moved_with_its_people_and_cases(site: Site) -> None:
    admin = site.signed_in("security-admin")
    with site.house.desks.borrowed() as office:
        give_role(office.desk, "branch-two", "branch_approver", OTHER_BRANCH, at=site.watch.at, actor=school.HEAD)
    address = f"/admin/units/{SITE}"
    assert admin.post(f"{address}/add", {"code": "x 1", "name": "一班", "kind": "class"}).status_code == 422
    assert admin.post(f"{address}/add", {"code": "x1", "name": "一班", "kind": "class"}).headers["location"]
    assert "一班" in admin.get("/admin/units").text
    assert admin.post(address, {"phone": "打总机"}).status_code == 422
    admin.post(address, {"phone": "0571-8800 1234", "office_hours": "周一至周五 8:30—17:30"})
    assert "0571-8800 1234" in admin.get("/admin/units").text

    preview = _text(admin.get(f"{address}/move?under={OTHER_BRANCH}").text)
    assert "branch-two" in preview.partition("此后看得到的人")[2].partition("此后看不到的人")[0]
    again = admin.get(f"{address}/move?under={SITE}")
    assert again.status_code == 404
    done = admin.post(f"{address}/move", {"under": OTHER_BRANCH})

    assert done.headers["location"] == f"{address}?said=moved"
    _, number = _case(site)
    assert site.signed_in("branch-two").get(f"/cases/{number}").status_code == 200
    assert site.signed_in(evening.APPROVER).get(f"/cases/{number}").status_code == 200
    assert '"was":"5116101"' in _events(site)[-1]


def test_a_unit_is_renamed_by_its_administrator_and_the_page_says_what_it_was_called(site: Site) -> None:
    admin, address = site.signed_in("security-admin"), f"/admin/units/{SITE}"
    with site.house.desks.borrowed() as office:
        old = office.desk.units()[SITE].name
    for name, why in (("", "写 1 至 60 个字"), (old, "现在就叫这个名称")):
        refused = admin.post(f"{address}/rename", {"new_name": name})
        assert (refused.status_code, why in refused.text) == (422, True)

    assert admin.post(f"{address}/rename", {"new_name": "文昭教学点"}).headers["location"] == f"{address}?said=renamed"

    page = _text(admin.get(address).text)
    assert ("文昭教学点 511610104" in page, f"曾用名 {old}" in page) == (True, True)
    assert "文昭教学点" in admin.get("/admin/units").text
    assert site.signed_in(evening.APPROVER).post(f"{address}/rename", {"new_name": "x"}).status_code in (403, 404)


def test_a_program_gets_a_token_from_its_person_alone_and_auditors_read_who_made_and_ended_it(site: Site) -> None:
    person, admin = site.signed_in(evening.APPROVER), site.signed_in("security-admin")
    given = {"name": "报表", "scope_read": "on", "scope_decide": "on", "days": "30"}
    for lacking in ("name", "scope", "days"):
        form = {name: value for name, value in given.items() if not name.startswith(lacking)}
        assert person.post("/me/tokens", form).status_code == 422, lacking
    assert "token_changed" not in _events(site)[-1]

    [made] = set(re.findall(r"xueji_[\w-]{40,}", person.post("/me/tokens", given).text))

    assert person.post("/me/tokens", given).status_code == 422, "a good token of that name is there already"
    asking = {"Authorization": f"Bearer {made}"}
    assert site.program.get("/api/v1/queue/todo", headers=asking).status_code == 200
    assert made not in person.get("/me/tokens").text
    page = f"{_PEOPLE}/{evening.APPROVER}"
    assert "查看、提交办理" in admin.get(page).text
    assert admin.post(f"{page}/tokens/end", {"name": "报表"}).headers["location"] == f"{page}?said=token"
    assert admin.post(f"{page}/tokens/end", {"name": "报表"}).status_code == 404
    assert site.program.get("/api/v1/queue/todo", headers=asking).status_code == 401
    told = [one for one in _events(site) if '"token_changed"' in one]
    assert [orjson.loads(one)["actor"] for one in told] == [evening.APPROVER, "security-admin"]
    assert not any(made in one or hash_of(made) in one for one in told)
    for who, address in (("audit-admin", "/admin/changes"), ("auditor", "/audit/changes")):
        said = _text(site.signed_in(who).get(address).text)
        assert f"为 周敏（{evening.APPROVER}）生成接口令牌“报表”：查看、提交办理，至 2024年6月14日" in said
        assert f"作废 周敏（{evening.APPROVER}）的接口令牌“报表”" in said


def test_a_token_is_marked_when_nobody_proved_it_and_one_to_administer_lasts_thirty_days_at_most(site: Site) -> None:
    person, admin = site.signed_in(evening.SECOND), site.signed_in("security-admin")
    with site.house.desks.borrowed() as office:
        issue(office.desk, Wish(evening.SECOND, "打印的", ("read",), timedelta(days=30)), site.watch.at, "setup")
    for page in (person.get("/me/tokens"), admin.get(f"{_PEOPLE}/{evening.SECOND}")):
        assert "有效未经本人验证" in _text(page.text).replace(" ", "")
    given = {"name": "管理", "scope_admin": "on", "days": "90"}
    long = admin.post("/me/tokens", given)
    assert (long.status_code, "含“管理”的最多 30 天" in long.text) == (422, True)
    [made] = set(re.findall(r"xueji_[\w-]{40,}", admin.post("/me/tokens", {**given, "days": "30"}).text))
    asking = {"Authorization": f"Bearer {made}", "Idempotency-Key": "role-0001"}
    role = {"role": "site_operator", "unit": SITE}
    address = f"/api/v1/admin/people/{evening.SECOND}/roles"
    assert site.program.post(address, json=role, headers=asking).status_code == 200
    site.watch.pass_by(minutes=20)
    assert (
        admin.post("/me/tokens", {**given, "name": "另一个", "days": "30"}).headers["location"].startswith("/sign-in")
    )


def test_a_student_is_told_the_number_of_the_own_unit_or_of_the_one_above(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        [(login,)] = office.desk.connection.execute(
            "SELECT a.login FROM account a JOIN student s ON s.id = a.student WHERE s.unit = ? LIMIT 1", (SITE,)
        ).fetchall()
    admin, student = site.signed_in("security-admin"), site.signed_in(str(login))
    admin.post(f"/admin/units/{school.SCHOOL.code}", {"phone": "0571-8800 0000", "office_hours": "8:30—17:30"})
    assert 'href="tel:0571-8800 0000"' in student.get("/my").text
    admin.post(f"/admin/units/{SITE}", {"phone": "0571-8800 1234"})
    assert 'href="tel:0571-8800 1234"' in student.get("/my").text


def test_a_role_is_lent_refused_with_every_reason_and_taken_back(site: Site) -> None:
    approver, admin = site.signed_in(evening.APPROVER), site.signed_in("security-admin")
    given = {"what": f"site_approver@{SITE}", "taker": evening.OPERATOR, "until": "2024-05-20", "reason": "出差"}
    assert "请选择今天起一年以内的一天" in approver.post("/me/delegations", {**given, "until": "2024-05-01"}).text
    refused = approver.post("/me/delegations", {**given, "taker": evening.APPROVER})
    assert (refused.status_code, "不能委派或转办给自己" in refused.text) == (422, True)

    for since, why in (("2024-05-10", "请选择今天或以后的一天"), ("2024-05-21", "不能早于开始的那一天")):
        assert why in approver.post("/me/delegations", {**given, "since": since}).text
    to_come = {**given, "since": "2024-05-18"}
    assert approver.post("/me/delegations", to_come).headers["location"] == "/me/delegations?said=lent"

    assert "尚未开始" in approver.get("/me/delegations").text
    approver.post("/me/delegations/end", {"taker": evening.OPERATOR, "role": "site_approver"})
    assert approver.post("/me/delegations", given).headers["location"] == "/me/delegations?said=lent"

    assert "出差" in approver.get("/me/delegations").text
    listed = _text(admin.get("/admin/delegations").text)
    assert "林芳" in listed
    assert "不能委派给自己" in listed.partition("最近没有办成的")[2]
    ended = approver.post("/me/delegations/end", {"taker": evening.OPERATOR, "role": "site_approver"})
    assert ended.headers["location"] == "/me/delegations?said=ended"
    assert "林芳" in admin.get("/admin/delegations?over=1").text


def test_a_second_click_on_a_loan_that_was_refused_never_says_that_it_was_lent(site: Site) -> None:
    approver, address = site.signed_in(evening.APPROVER), "/me/delegations"
    typed = {"what": f"site_approver@{SITE}", "until": "2024-05-20", "reason": "出差"}
    form = {**filled(approver.get(address).text, address), **typed}

    refused, again = (approver.post(address, {**form, "taker": evening.APPROVER}) for _ in range(2))
    mended = {**filled(refused.text, address), **typed, "taker": evening.OPERATOR}

    assert (refused.status_code, again.status_code) == (422, 422)
    assert "刚才没有办成：" in again.text
    assert approver.post(address, mended).headers["location"] == f"{address}?said=lent"
    with site.house.desks.borrowed() as office:
        assert len(office.desk.actor(evening.OPERATOR).delegated) == 1


def test_an_auditors_role_is_not_offered_to_be_lent_and_refused_where_it_is_asked_for(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        give_role(office.desk, evening.APPROVER, "auditor", school.SCHOOL.code, at=site.watch.at, actor=school.HEAD)
    approver, address = site.signed_in(evening.APPROVER), "/me/delegations"
    page = approver.get(address).text
    asked = {
        "what": f"auditor@{school.SCHOOL.code}",
        "taker": evening.OPERATOR,
        "until": "2024-05-20",
        "reason": "出差",
    }

    refused = approver.post(address, {**filled(page, address), **asked})

    assert (f"site_approver@{SITE}" in page, "auditor@" in page) == (True, False)
    assert (refused.status_code, "“审计员 auditor”须由本人行使" in refused.text) == (422, True)


def test_days_on_which_nobody_can_act_are_named_and_somebody_is_assigned(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        desk = office.desk
        holders = [login for login, in desk.connection.execute(
            "SELECT login FROM role_grant WHERE role = 'site_approver' AND unit = ? AND until IS NULL", (SITE,)
        ).fetchall()]  # fmt: skip
        day = site.watch.at.date()
        with desk.connection.writing():
            for login in holders:
                add_absence(desk.connection, Absence(str(login), day.replace(day=16), day.replace(day=17)))
    admin = site.signed_in("security-admin")
    page = _text(admin.get("/admin/delegations").text)
    assert re.search(r"5月16日—5月17日 \S+的“教学点审批人”无人，\d+ 件在等 指定", page)

    form = admin.get(f"/admin/delegations/assign?role=site_approver&unit={SITE}")
    assert evening.OPERATOR in form.text
    asked = {"role": "site_approver", "unit": SITE, "login": "operator-0101"}
    done = admin.post("/admin/delegations/assign", asked)

    assert done.headers["location"] == "/admin/delegations?said=assigned"
    assert not re.search(r"5月16日—5月17日 \S+的“教学点审批人”", _text(admin.get("/admin/delegations").text))


def test_days_away_are_said_by_oneself_and_taken_back(site: Site) -> None:
    approver = site.signed_in(evening.APPROVER)
    wrong = approver.post("/me/delegations/away", {"first": "2024-05-17", "last": "2024-05-16"})
    assert (wrong.status_code, "请写今天起一年以内的第一天和最后一天" in wrong.text) == (422, True)
    away = approver.post("/me/delegations/away", {"first": "2024-05-15", "last": "2024-05-17"})
    assert away.headers["location"] == "/me/delegations?said=away"
    assert "2024年5月15日（周三）—2024年5月17日（周五）" in approver.get("/me/delegations").text
    approver.post("/me/delegations/away", {"back": "1"})
    assert "2024年5月17日" not in approver.get("/me/delegations").text


def _reveal(person: Person, number: str, times: int) -> None:
    for _ in range(times):
        answer = person.post(f"/cases/{number}/reveal", {"fact": "id_number", "purpose": "other", "note": "核对存根"})
        assert answer.status_code == 200


def test_who_looked_at_what_and_why_is_told_by_student_and_by_person_and_much_is_told_at_once(site: Site) -> None:
    approver, admin, (case, number) = site.signed_in(evening.APPROVER), site.signed_in("audit-admin"), _case(site)
    with site.house.desks.borrowed() as office:
        [(student_no,)] = office.desk.connection.execute(
            "SELECT s.student_no FROM cases c JOIN student s ON s.id = c.student WHERE c.id = ?", (case,)
        ).fetchall()
    approver.get(f"/cases/{number}")
    _reveal(approver, number, 30)
    assert _alarms(site) == []
    _reveal(approver, number, 2)
    assert _alarms(site) == ["person/security-admin"]

    at = admin.post("/admin/access", {"student_no": student_no}).headers["location"]
    assert str(student_no) not in at
    page = admin.get(at).text
    assert "显示个人信息：其他（核对存根）" in page
    assert "打开办件" in page
    assert f"看过学号 {student_no} 的学生的" in page
    assert f'value="{student_no}"' in page
    taken = admin.post("/admin/access/export", {"student": at.partition("=")[2]})
    sheet = load_workbook(BytesIO(taken.content)).active
    assert sheet is not None
    assert {row[0] for row in sheet.iter_rows(min_row=2, values_only=True)} == {student_no}
    assert str(student_no) not in _events(site)[-1]
    both = admin.post("/admin/access", {"student_no": student_no, "who": evening.APPROVER})
    assert both.status_code == 422
    assert "学号和用户只填一个" in both.text
    assert "周敏" in admin.get(f"/admin/access?who={evening.APPROVER}").text
    assert admin.post("/admin/access", {"student_no": "0"}).status_code == 422
    book = admin.post("/admin/access/export", {"who": evening.APPROVER})
    assert book.content.startswith(b"PK")
    assert '"trigger":"export:access"' in _events(site)[-1]
    assert str(student_no) not in _events(site)[-1]


def test_who_took_names_along_stands_in_the_access_report_with_how_many(site: Site) -> None:
    approver, admin = site.signed_in(evening.APPROVER), site.signed_in("audit-admin")
    assert "没有人带走过名单" in admin.get("/admin/access").text
    taken = approver.post("/exports/queue")
    rows = load_workbook(BytesIO(taken.content)).active.max_row - 1  # type: ignore[union-attr] # it has a sheet

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", admin.get("/admin/access").text))
    assert re.search(f"周敏 {evening.APPROVER} .* 待办 {rows:,} 条 #\\d+", page), page
    of_person = admin.get(f"/admin/access?who={evening.APPROVER}").text
    assert f"{evening.APPROVER} 带走的" in of_person
    assert f"{rows:,} 条" in of_person
    assert f"{rows:,} 条" not in admin.get("/admin/access?who=audit-admin").text, "another took nothing along"
    book = admin.post("/admin/access/export", {"who": evening.APPROVER})
    told = [row[-1] for row in load_workbook(BytesIO(book.content)).active.iter_rows(values_only=True)]  # type: ignore[union-attr]
    assert f"带走：待办 {rows:,} 条" in told
    assert f'"sha256":"{sha256(book.content).hexdigest()}"' in _events(site)[-1], "which file it was can be proved"
    assert site.signed_in("system-admin").get("/admin/access").status_code == 404


def test_a_report_with_more_than_a_workbook_holds_says_so_in_its_last_row(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_MOST_EXPORTED", 2)
    approver, admin, (_, number) = site.signed_in(evening.APPROVER), site.signed_in("audit-admin"), _case(site)
    counts = []
    for _ in range(2):
        for _ in range(2):
            approver.get(f"/cases/{number}")
        book = admin.post("/admin/access/export", {"who": evening.APPROVER})
        rows = list(load_workbook(BytesIO(book.content)).active.iter_rows(min_row=2, values_only=True))  # type: ignore[union-attr]
        counts.append((len(rows), str(rows[-1][0]).startswith("更早的没有列出")))
    assert counts == [(2, False), (3, True)]
    assert '"rows":2' in _events(site)[-1], "the row that says so is none"


def test_who_looked_at_nothing_and_took_something_along_has_a_report_to_be_taken_out(site: Site) -> None:
    admin, address = site.signed_in("audit-admin"), f"/admin/access?who={evening.SECOND}"
    assert 'action="/admin/access/export"' not in admin.get(address).text
    site.signed_in(evening.SECOND).post("/exports/queue")
    page = admin.get(address).text
    assert "没有查看记录" in page
    book = admin.post("/admin/access/export", filled(page, "/admin/access/export"))
    assert "带走：待办" in str([*load_workbook(BytesIO(book.content)).active.iter_rows(values_only=True)])  # type: ignore[union-attr]


def _alarms(site: Site) -> list[str]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT recipient FROM outbox WHERE message = 'revealed_often'")
        return [str(row[0]) for row in rows.fetchall()]


def test_the_report_asks_for_a_code_before_it_is_taken_out(site: Site) -> None:
    admin = site.signed_in("audit-admin")
    site.watch.pass_by(minutes=16)
    answer = admin.post("/admin/access/export", {"who": evening.APPROVER})
    assert answer.headers["location"].startswith("/sign-in/again")


def test_every_mail_is_shown_and_a_changed_template_is_tried_with_its_faults_placed(read_site: Site) -> None:
    admin = read_site.signed_in("system-admin")
    listed = admin.get("/admin/templates").text
    assert all(word in listed for word in ("催办", "显示个人信息过多", "每日汇总"))
    page = admin.get("/admin/templates/urged")
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    mail = admin.get("/admin/templates/urged/mail")
    assert "You are being asked to deal with this" in mail.text
    assert "sandbox" in mail.headers["Content-Security-Policy"]

    bad = admin.post("/admin/templates/urged", {"urged/says.txt": "请{{ matters.zh }}\nPlease {{ matter.en }}"})
    assert bad.status_code == 422
    assert "urged/says.txt:1:1" in bad.text
    assert "Did you mean &#39;matter&#39;" in bad.text
    good = admin.post("/admin/templates/urged", {"urged/says.txt": "请办 {{ matter.zh }}\nPlease: {{ matter.en }}"})
    assert "没有错误，可以使用" in good.text
    assert "请办 审核学籍卡与登记表" in good.text
    assert told(admin.get("/admin/templates/urged")) == told(page), "nothing is kept"


def test_no_page_of_these_asks_the_database_more_often_than_it_may(open_site: Callable[..., Site]) -> None:
    narrow = open_site(desks=1)
    approver = f"{_PEOPLE}/{evening.APPROVER}"
    ceilings = {
        ("security-admin", "/admin/units"): 5,
        ("security-admin", f"/admin/units/{SITE}"): 8,
        ("security-admin", f"/admin/units/{SITE}/move?under={OTHER_BRANCH}"): 8,
        ("security-admin", f"{approver}/end?role=site_approver&unit={SITE}"): 8,
        ("security-admin", f"{approver}/disable"): 8,
        ("security-admin", "/admin/delegations"): 8,
        ("security-admin", f"/admin/delegations/assign?role=site_approver&unit={SITE}"): 8,
        ("audit-admin", f"/admin/access?who={evening.APPROVER}"): 8,
        ("system-admin", "/admin/templates/urged"): 8,
        (evening.APPROVER, "/me/delegations"): 8,
    }
    many = {}
    for (who, address), most in ceilings.items():
        person = narrow.signed_in(who)
        person.get(address)  # what is compiled once is compiled
        with narrow.counted() as statements:
            assert person.get(address).status_code == 200, address
        if len(statements) > most:
            many[address] = statements
    assert many == {}
