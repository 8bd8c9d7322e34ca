"""Absences told by an administrator: told, seen by the absent person, changed, ended; at the page and by programs."""

from console.demo import evening, school
from engine.organisation import add_units, give_role
from engine.store.registry import UnitRow
from tests.web.conftest import Person, Site
from tests.web.reading import filled
from tests.web.test_administration import SITE, _events, _text
from tests.web.test_api import Program

OF_APPROVER = f"/admin/people/{evening.APPROVER}/absence"
DAYS = {"first": "2024-05-16", "last": "2024-05-17", "reason": "电话请假"}


def tell(admin: Person, **typed: str) -> str:
    """Tell the approver's absence by the form of the page; where the answer leads, or what it says."""
    form = {**filled(admin.get(OF_APPROVER).text, OF_APPROVER), **DAYS, **typed}
    answer = admin.post(OF_APPROVER, form)
    return answer.headers.get("location") or _text(answer.text)


def test_an_absence_told_by_an_administrator_is_seen_by_the_person_who_ends_it(site: Site) -> None:
    admin, approver = site.signed_in("security-admin"), site.signed_in(evening.APPROVER)
    assert f'href="{OF_APPROVER}"' in admin.get(f"/admin/people/{evening.APPROVER}").text

    assert tell(admin, stand_in=evening.SECOND) == "/admin/absences?said=told"

    page = _text(admin.get("/admin/absences").text)
    assert "周敏 approver-0104" in page.replace(evening.APPROVER, "approver-0104")
    assert "5月16日—5月17日 将要" in page
    assert "电话请假" in page
    own = _text(approver.get("/me/delegations").text)
    assert "登记：电话请假；代办人" in own
    assert "我回来了" in own
    changes = _text(site.signed_in("audit-admin").get("/admin/changes").text)
    assert f"由 {evening.SECOND} 代办；理由：电话请假" in changes

    approver.post("/me/delegations/away", {"back": "1"})

    assert "没有人登记不在岗" in _text(admin.get("/admin/absences").text)
    with site.house.desks.borrowed() as office:
        assert office.desk.actor(evening.SECOND).delegated == ()
    assert "记为在岗，原登记" in _text(site.signed_in("audit-admin").get("/admin/changes").text)


def test_naming_oneself_is_refused_with_its_reason_and_what_was_typed_stays(site: Site) -> None:
    admin = site.signed_in("security-admin")

    said = admin.post(OF_APPROVER, {**DAYS, "stand_in": "security-admin"})

    assert said.status_code == 422
    assert "security-admin不能委派或转办给自己" in said.text
    assert 'value="2024-05-16"' in said.text
    assert 'value="security-admin"' not in admin.get(OF_APPROVER).text, "nor is it offered"
    assert '"kind":"refused"' in _events(site)[-1]


def test_a_form_with_gaps_names_each_at_its_field_and_keeps_nothing(site: Site) -> None:
    admin = site.signed_in("security-admin")
    said = tell(admin, first="2024-05-17", last="2024-05-16", reason="")
    assert all(one in said for one in ("有 2 处要改", "不能早于第一天", "请写明理由"))
    assert all(one in tell(admin, first="", last="2026-01-01") for one in ("请选择一天", "请选择今天起一年以内的一天"))
    assert "没有人登记不在岗" in _text(admin.get("/admin/absences").text)


def test_an_absence_is_changed_and_ended_by_the_administrator(site: Site) -> None:
    admin = site.signed_in("security-admin")
    tell(admin)
    with site.house.desks.borrowed() as office:
        [(number,)] = office.desk.connection.execute("SELECT id FROM absence").fetchall()
    address = f"/admin/absences/{number}"
    form = filled(admin.get(address).text, address)
    assert (form["first"], form["last"], form["reason"]) == ("2024-05-16", "2024-05-17", "电话请假")

    changed = admin.post(address, {**form, "last": "2024-05-20"})

    assert changed.headers["location"] == "/admin/absences?said=changed"
    assert "5月16日—5月20日" in _text(admin.get("/admin/absences").text)
    assert admin.post(f"{address}/end").headers["location"] == "/admin/absences?said=ended"
    assert admin.post(f"{address}/end").status_code == 404
    assert '"back":{"from":"2024-05-16","to":"2024-05-20"}' in _events(site)[-1]


def test_the_page_names_what_nobody_else_can_do_meanwhile(site: Site) -> None:
    admin = site.signed_in("security-admin")
    tell(admin)
    assert "没有别人能办" not in admin.get("/admin/absences").text
    with site.house.desks.borrowed() as office:
        others = office.desk.connection.execute(
            "SELECT login FROM role_grant WHERE role = 'site_approver' AND unit = ? AND until IS NULL AND login <> ?",
            (SITE, evening.APPROVER),
        ).fetchall()
    for (login,) in others:
        address = f"/admin/people/{login}/absence"
        admin.post(address, {**filled(admin.get(address).text, address), **DAYS})

    page = _text(admin.get("/admin/absences").text)

    assert page.count("没有别人能办") == 1 + len(others)
    assert "教学点审批人" in page


def test_whose_people_one_does_not_look_after_one_tells_nothing_of_nor_of_oneself(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        elsewhere = UnitRow(code="9", name="别校", kind="school", parent=None, path="", profile="online-ed")
        add_units(office.desk, [elsewhere], at=site.watch.at, actor=school.HEAD)
        give_role(office.desk, "sec-2", "security_admin", "9", at=site.watch.at, actor=school.HEAD)
    admin, other = site.signed_in("security-admin"), site.signed_in("sec-2")
    tell(admin)
    with site.house.desks.borrowed() as office:
        [(number,)] = office.desk.connection.execute("SELECT id FROM absence").fetchall()
    assert [other.get(one).status_code for one in (OF_APPROVER, f"/admin/absences/{number}")] == [404, 404]
    assert other.post(OF_APPROVER, DAYS).status_code == 404
    assert [other.post(f"/admin/absences/{number}{one}", DAYS).status_code for one in ("", "/end")] == [404, 404]
    assert evening.APPROVER not in other.get("/admin/absences").text
    assert admin.get("/admin/people/security-admin/absence").status_code == 404


def test_a_program_tells_an_absence_once_under_its_key_and_needs_a_proved_token_to_name_a_stand_in(site: Site) -> None:
    program = Program(site, "security-admin", "read", "admin")
    wanted = {"login": evening.APPROVER, **DAYS, "stand_in": evening.SECOND}

    unproved = Program(site, "security-admin", "admin", is_proved=False)
    assert unproved.post("/admin/absences", wanted, "away-0000").status_code == 403

    first, again = (program.post("/admin/absences", wanted, "away-0001") for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert first.json() == again.json()
    [one] = first.json()["absences"]
    assert (one["login"], one["stand_in"], one["told_by"]) == (evening.APPROVER, evening.SECOND, "security-admin")
    assert [line["id"] for line in program.get("/admin/absences").json()["absences"]] == [one["id"]]
    address = f"/admin/absences/{one['id']}"
    refused = program.post(address, {**DAYS, "stand_in": "security-admin"}, "away-0002").json()
    assert [line["zh"] for line in refused["refused"]] == ["不能委派给自己"]
    assert program.post(f"{address}/end", {}, "away-0003").json()["absences"] == []
    assert program.post(f"{address}/end", {}, "away-0004").status_code == 404
    alone = {name: value for name, value in wanted.items() if name != "stand_in"}
    assert unproved.post("/admin/absences", alone, "away-0005").status_code == 200, "nobody is lent anything by it"
