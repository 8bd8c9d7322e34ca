"""Absences told by an administrator: told, seen by the absent person, changed, ended; at the page and by programs."""

from unicodedata import normalize

from console.demo import evening, school
from engine.organisation import add_units, disable, give_role
from engine.store.registry import UnitRow
from tests.web.conftest import Person, Site
from tests.web.reading import filled
from tests.web.test_administration import SITE, _events, _text
from tests.web.test_api import Program

OF_APPROVER = f"/admin/people/{evening.APPROVER}/absence"
DAYS = {"first": "2024-05-16", "last": "2024-05-17", "reason": "电话请假"}


def tell(admin: Person, of: str = OF_APPROVER, **typed: str) -> str:
    """Tell an absence, the approver's, by the form of the page; where the answer leads, or what it says."""
    form = {**filled(admin.get(of).text, of), **DAYS, **typed}
    answer = admin.post(of, form)
    return answer.headers.get("location") or _text(answer.text)


def told(site: Site) -> str:
    """The address of the one absence there is."""
    with site.house.desks.borrowed() as office:
        [(number,)] = office.desk.connection.execute("SELECT id FROM absence").fetchall()
    return f"/admin/absences/{number}"


def second_admin(site: Site) -> Person:
    """Another who looks after the same people."""
    with site.house.desks.borrowed() as office:
        [unit] = [one.unit for one in office.desk.actor("security-admin").grants]
        give_role(office.desk, "sec-2", "security_admin", unit, at=site.watch.at, actor=school.HEAD)
    return site.signed_in("sec-2")


def test_an_absence_told_by_an_administrator_is_seen_by_the_person_who_ends_it(site: Site) -> None:
    admin, approver = site.signed_in("security-admin"), site.signed_in(evening.APPROVER)
    assert f'href="{OF_APPROVER}"' in admin.get(f"/admin/people/{evening.APPROVER}").text

    assert tell(admin, first="2024-05-15") == "/admin/absences?said=told"

    page = _text(admin.get("/admin/absences").text)
    assert "周敏 approver-0104" in page.replace(evening.APPROVER, "approver-0104")
    assert "5月15日—5月17日 现在" in page
    assert "电话请假" in page
    own = _text(approver.get("/me/delegations").text)
    assert "登记：电话请假" in own
    changes = _text(site.signed_in("audit-admin").get("/admin/changes").text)
    assert "不在岗：2024年5月15日（周三）—2024年5月17日（周五）；理由：电话请假" in changes

    assert approver.post("/me/delegations/away", {"back": "1"}).headers["location"] == "/me/delegations?said=back"

    assert "没有人登记不在岗" in _text(admin.get("/admin/absences").text)
    assert "记为在岗，原登记" in _text(site.signed_in("audit-admin").get("/admin/changes").text)


def test_the_person_cancels_one_absence_that_is_to_come_and_keeps_the_others(site: Site) -> None:
    approver = site.signed_in(evening.APPROVER)
    for first, last in (("2024-05-20", "2024-05-21"), ("2024-06-03", "2024-06-04")):
        approver.post("/me/delegations/away", {"first": first, "last": last})
    own = approver.get("/me/delegations").text
    assert (own.count('name="cancel"'), "我回来了" in own) == (2, False), "nothing keeps them away today"
    form = {"cancel": own.split('name="cancel" value="')[1].split('"')[0]}

    said = [approver.post("/me/delegations/away", form).headers["location"] for _ in range(2)]

    assert said == ["/me/delegations?said=cancelled", "/me/delegations?said=over"]
    assert "这一段已结束" in _text(approver.get(said[1]).text)
    left = _text(approver.get("/me/delegations").text)
    assert ("5月20日" in left, "6月3日" in left) == (False, True)
    tell(site.signed_in("security-admin"), "/admin/people/second-approver/absence")
    with site.house.desks.borrowed() as office:
        [(other,)] = office.desk.connection.execute("SELECT max(id) FROM absence").fetchall()
    assert approver.post("/me/delegations/away", {"cancel": str(other)}).headers["location"].endswith("over")
    with site.house.desks.borrowed() as office:
        assert office.desk.connection.execute("SELECT count(*) FROM absence").fetchall() == [(2,)]


def test_a_form_with_gaps_names_each_at_its_field_and_keeps_what_was_typed(site: Site) -> None:
    admin = site.signed_in("security-admin")
    said = tell(admin, first="2024-05-17", last="2024-05-16", reason="")
    assert all(one in said for one in ("有 2 处要改", "不能早于第一天", "请写明理由"))
    said = tell(admin, first="2024-04-30", last="2026-01-01", reason="假" * 201)
    assert all(
        one in said for one in ("5月1日（周三）或以后的一天", "请选择今天起一年以内的一天", "最多 200 字，现有 201 字")
    )
    assert "假" * 201 in admin.post(OF_APPROVER, {**DAYS, "reason": "假" * 201}).text, "nothing is cut"
    assert "没有人登记不在岗" in _text(admin.get("/admin/absences").text)


def test_a_reason_typed_on_another_keyboard_is_kept_in_the_form_of_the_trail(site: Site) -> None:
    admin = site.signed_in("security-admin")
    assert tell(admin, reason=normalize("NFD", "José 请假")) == "/admin/absences?said=told"
    assert normalize("NFC", "José 请假") in admin.get("/admin/absences").text


def test_an_absence_is_changed_and_ended_by_the_administrator_and_a_second_click_finds_it_ended(site: Site) -> None:
    admin = site.signed_in("security-admin")
    tell(admin)
    address = told(site)
    form = filled(admin.get(address).text, address)
    assert (form["first"], form["last"], form["reason"]) == ("2024-05-16", "2024-05-17", "电话请假")

    changed = admin.post(address, {**form, "last": "2024-05-20"})

    assert changed.headers["location"] == "/admin/absences?said=changed"
    page = admin.get("/admin/absences").text
    assert "5月16日—5月20日" in _text(page)
    button = filled(page, f"{address}/end")
    assert [admin.post(f"{address}/end", button).headers["location"] for _ in range(2)] == [
        "/admin/absences?said=ended", "/admin/absences?said=over",
    ]  # fmt: skip
    assert "这一段已结束" in _text(admin.get("/admin/absences?said=over").text)
    assert '"back":{"from":"2024-05-16","to":"2024-05-20"}' in _events(site)[-1]
    assert admin.post(f"{address}/end", {"of": "nobody"}).status_code == 404


def test_what_another_administrator_changed_meanwhile_is_shown_and_not_overwritten(site: Site) -> None:
    admin, other = site.signed_in("security-admin"), second_admin(site)
    tell(admin)
    address = told(site)
    form, others = (filled(one.get(address).text, address) for one in (admin, other))
    site.watch.pass_by(minutes=1)
    other.post(address, {**others, "last": "2024-05-24", "reason": "住院"})

    said = admin.post(address, {**form, "last": "2024-05-20"})

    assert said.status_code == 409
    assert "sec-2刚改过，您的改动没有保存" in _text(said.text)
    assert "2024年5月24日（周五），住院" in _text(said.text)
    again = filled(said.text, address)
    assert again["last"] == "2024-05-20", "what was typed stands"
    assert "5月16日—5月24日" in _text(admin.get("/admin/absences").text)
    assert admin.post(address, again).headers["location"] == "/admin/absences?said=changed", "this time knowingly"
    across = tell(other, first="2024-05-20", last="2024-05-21")
    assert "2024-05-16至2024-05-20已登记不在岗（由" in across


def test_whose_account_is_closed_is_neither_told_to_be_away_nor_shown_as_away(site: Site) -> None:
    admin = site.signed_in("security-admin")
    tell(admin)
    address = told(site)
    with site.house.desks.borrowed() as office:
        disable(office.desk, evening.APPROVER, at=site.watch.at, actor="security-admin")

    assert [admin.get(one).status_code for one in (OF_APPROVER, address)] == [404, 404]
    assert admin.post(OF_APPROVER, DAYS).status_code == 404
    assert evening.APPROVER not in admin.get("/admin/absences").text


def test_the_page_names_what_nobody_else_can_do_meanwhile_and_leads_to_giving_the_role(site: Site) -> None:
    admin = site.signed_in("security-admin")
    far = {"first": "2024-07-01", "last": "2024-07-03"}
    tell(admin, **far)
    assert "没有别人能办" not in admin.get("/admin/absences").text
    with site.house.desks.borrowed() as office:
        others = office.desk.connection.execute(
            "SELECT login FROM role_grant WHERE role = 'site_approver' AND unit = ? AND until IS NULL AND login <> ?",
            (SITE, evening.APPROVER),
        ).fetchall()
    for (login,) in others:
        tell(admin, f"/admin/people/{login}/absence", **far)

    page = admin.get("/admin/absences").text

    assert _text(page).count("没有别人能办") == 1 + len(others)
    assert "教学点审批人" in page
    assert f'href="/admin/delegations/assign?role=site_approver&amp;unit={SITE}"' in page


def test_what_waits_for_somebody_elsewhere_is_counted_only_to_who_looks_after_people_there(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        nine = UnitRow(code="9", name="别校", kind="school", parent=None, path="", profile="online-ed")
        below = UnitRow(code="91", name="别校教学点", kind="site", parent="9", path="", profile="online-ed")
        add_units(office.desk, [nine, below], at=site.watch.at, actor=school.HEAD)
        give_role(office.desk, "sec-2", "security_admin", "9", at=site.watch.at, actor=school.HEAD)
        give_role(office.desk, evening.APPROVER, "site_approver", "91", at=site.watch.at, actor=school.HEAD)
    tell(site.signed_in("security-admin"))

    seen = [
        Program(site, one, "read").get("/admin/absences").json()["absences"][0] for one in ("security-admin", "sec-2")
    ]

    assert seen[0]["waiting"] > 0
    assert seen[1]["waiting"] == 0
    page = _text(site.signed_in("sec-2").get("/admin/absences").text)
    assert ("别校教学点" in page, "0 件" in page) == (True, True)


def test_whose_people_one_does_not_look_after_one_tells_nothing_of_nor_of_oneself(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        elsewhere = UnitRow(code="9", name="别校", kind="school", parent=None, path="", profile="online-ed")
        add_units(office.desk, [elsewhere], at=site.watch.at, actor=school.HEAD)
        give_role(office.desk, "sec-2", "security_admin", "9", at=site.watch.at, actor=school.HEAD)
    admin, other = site.signed_in("security-admin"), site.signed_in("sec-2")
    tell(admin)
    address = told(site)
    assert [other.get(one).status_code for one in (OF_APPROVER, address)] == [404, 404]
    assert other.post(OF_APPROVER, DAYS).status_code == 404
    of = {**DAYS, "of": evening.APPROVER}
    assert [other.post(f"{address}{one}", of).status_code for one in ("", "/end")] == [404, 404]
    assert evening.APPROVER not in other.get("/admin/absences").text
    assert admin.get("/admin/people/security-admin/absence").status_code == 404


def test_a_program_tells_an_absence_once_under_its_key_and_changes_what_it_has_read(site: Site) -> None:
    program = Program(site, "security-admin", "read", "admin", is_proved=False)
    wanted = {"login": evening.APPROVER, **DAYS}

    first, again = (program.post("/admin/absences", wanted, "away-0001") for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert first.json() == again.json()
    [one] = first.json()["absences"]
    assert (one["login"], one["told_by"], one["nobody_for"]) == (evening.APPROVER, "security-admin", [])
    assert [line["id"] for line in program.get("/admin/absences").json()["absences"]] == [one["id"]]
    across = program.post("/admin/absences", wanted, "away-0002").json()
    assert [line["zh"] for line in across["refused"]] == ["不在岗的日期不重叠"]
    address = f"/admin/absences/{one['id']}"
    assert program.post(address, DAYS, "away-0003").status_code == 409, "it is not what was read"
    longer = {**DAYS, "last": "2024-05-20", "told_at": one["told_at"]}
    assert program.post(address, longer, "away-0004").json()["absences"][0]["last"] == "2024-05-20"
    for reason in ("假" * 201, "请\x00假"):
        assert program.post("/admin/absences", {**wanted, "reason": reason}, "away-0005").status_code == 422
    assert program.post(f"{address}/end", {}, "away-0006").json()["absences"] == []
    assert program.post(f"{address}/end", {}, "away-0007").status_code == 404


def test_more_than_two_hundred_absences_are_all_read_by_a_program_page_by_page(site: Site) -> None:
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.executemany(
            "INSERT INTO absence (login, first_day, last_day) VALUES (?, ?, ?)",
            [(evening.APPROVER, f"2024-06-{1 + number % 28:02}", "2024-06-30") for number in range(203)],
        )
    program = Program(site, "security-admin", "read")

    page = program.get("/admin/absences").json()
    rest = program.get(f"/admin/absences?after={page['next']}").json()

    assert (len(page["absences"]), len(rest["absences"]), rest.get("next")) == (200, 3, None)
    assert len({one["id"] for one in (*page["absences"], *rest["absences"])}) == 203
    assert "只列最先开始的 200 段，导出的表里全有" in _text(
        site.signed_in("security-admin").get("/admin/absences").text
    )
