"""Who looks after people finds them, adds an account, hands out a code and forgets a lost second factor."""

import re
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.access import stepping_up
from console.access.handing_out import hand_out_code
from console.access.tokens import hash_of_code
from console.demo import evening, school
from engine.delegating import Mandate, delegate
from engine.organisation import add_units, end_role, give_role
from engine.records import Request
from engine.replaying.registry import Registered
from engine.store import access, people
from engine.store.registry import UnitRow
from engine.trail.event import REGISTRY
from tests.web.conftest import Person, Site
from tests.web.reading import filled
from tests.web.test_api import Program

SITE = "511610104"
_PEOPLE, _NEW = "/admin/people", "/admin/add-person"
_CODE = re.compile(r"(?:[0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}")
_FORM = {"login": "x2024-7", "name": "何清", "mail": "heqing@school.example", "role": "site_operator", "unit": SITE}
_WISH = "correct horse battery 8"


@pytest.fixture
def admin(site: Site) -> Person:
    """The school's security administrator."""
    return site.signed_in("security-admin")


def _events(site: Site) -> list[dict[str, Any]]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (REGISTRY,))
        return [orjson.loads(bytes(row[0])) for row in rows.fetchall()]


def _told(site: Site, count: int = 1) -> list[dict[str, Any]]:
    return [one["data"] for one in _events(site)[-count:]]


def _code_in(text: str) -> str:
    [code] = {one.group() for one in _CODE.finditer(text)}
    return code


def _elsewhere(site: Site, *given: tuple[str, str]) -> None:
    """A school of others, with people of its own."""
    with site.house.desks.borrowed() as office:
        other = UnitRow(code="9", name="别校", kind="school", parent=None, path="", profile="online-ed")
        add_units(office.desk, [other], at=site.watch.at, actor=school.HEAD)
        for login, role in given:
            give_role(office.desk, login, role, "9", at=site.watch.at, actor=school.HEAD)


def _has_second_factor(site: Site, login: str, *, is_set: bool = False) -> bool:
    with site.house.desks.borrowed() as office:
        if is_set:
            access.set_second_factor(office.desk.connection, login, "sealed", site.watch.at)
        row = access.credential(office.desk.connection, login)
    return row is not None and row.totp_secret is not None


def _activates(site: Site, login: str, code: str) -> int:
    stranger = site.stranger()
    stranger.get("/activate")
    form = {"account": login, "code": code, "password": _WISH, "repeated": _WISH}
    return stranger.post("/activate", form).status_code


def test_a_person_is_found_by_a_part_of_the_name_or_login_and_neither_stands_in_an_address(admin: Person) -> None:
    page = admin.get(_PEOPLE)
    assert filled(page.text, _PEOPLE)["typed"] == ""
    by_login, by_name = (admin.post(_PEOPLE, {"typed": one}) for one in ("APPROVER", "周"))
    assert (by_login.status_code, evening.APPROVER in by_login.text) == (200, True)
    assert evening.OPERATOR not in by_login.text
    assert by_name.headers["location"] == f"{_PEOPLE}/{evening.APPROVER}", "there is one of that name"
    nobody, empty, wild = (admin.post(_PEOPLE, {"typed": one}) for one in ("查无此人", " ", "%"))
    assert ("没有找到" in nobody.text, "没有找到" in wild.text, nobody.status_code) == (True, True, 200)
    assert (empty.status_code, "请填写" in empty.text) == (422, True)


def test_found_are_people_of_the_own_units_those_who_left_them_and_those_without_a_role(
    site: Site, admin: Person
) -> None:
    _elsewhere(site, ("zz-sec", "security_admin"), ("zz-rec", "records_section"))
    with site.house.desks.borrowed() as office:
        for login in ("zz-left", "zz-here"):
            give_role(office.desk, login, "site_operator", SITE, at=site.watch.at, actor=school.HEAD)
        end_role(office.desk, "zz-left", "site_operator", SITE, at=site.watch.at, actor=school.HEAD)

    own, others = (one.post(_PEOPLE, {"typed": "zz-"}).text for one in (admin, site.signed_in("zz-sec")))

    assert [one in own for one in ("zz-left", "zz-here", "zz-sec", "zz-rec")] == [True, True, False, False]
    assert [one in others.partition("xj-card")[2] for one in ("zz-left", "zz-here", "zz-rec")] == [False, False, True]


def test_an_account_is_added_with_its_role_and_its_code_is_shown_on_that_page_alone(site: Site, admin: Person) -> None:
    before = len(_events(site))
    page = admin.post(_NEW, {**filled(admin.get(f"{_NEW}?unit={SITE}").text, _NEW), **_FORM})

    code = _code_in(page.text)
    assert page.status_code == 200
    assert "no-store" in page.headers["cache-control"]
    assert ("2024年5月29日" in page.text, "/activate" in page.text, "何清" in page.text) == (True, True, True)
    assert all(code not in admin.get(one).text for one in (_PEOPLE, f"{_PEOPLE}/x2024-7", "/admin/changes"))
    role, handed = _told(site, 2)
    assert (role["role"], role["unit"], role["held"]) == ("site_operator", SITE, True)
    assert handed == {"login": "x2024-7", "code_until": handed["code_until"]}
    assert handed["code_until"].startswith("2024-05-29")
    assert len(_events(site)) == before + 2
    with site.house.desks.borrowed() as office:
        contact = people.contacts(office.desk.connection, ["x2024-7"])["x2024-7"]
    assert (contact.name, contact.email) == ("何清", "heqing@school.example")
    assert _activates(site, "x2024-7", code) == 303
    assert _activates(site, "x2024-7", code) == 422, "it is good once"


def test_a_code_is_kept_nowhere_but_as_its_hash(site: Site, admin: Person) -> None:
    code = _code_in(admin.post(_NEW, _FORM).text)
    plain = code.replace("-", "")
    database = Path(site.house.settings.database.removeprefix("sqlite:///"))
    bytes_of_all = b"".join(one.read_bytes() for one in sorted(database.parent.rglob("*")) if one.is_file())
    said = [one.encode() in bytes_of_all for one in (code, plain, plain.lower(), hash_of_code(code))]
    assert said == [False, False, False, True]


def test_a_form_with_faults_names_each_at_its_field_and_adds_nothing(site: Site, admin: Person) -> None:
    _elsewhere(site)
    before = len(_events(site))
    wrong = {"login": "a b", "name": "", "mail": "何清", "role": "student", "unit": "none-such"}
    page = admin.post(_NEW, wrong)
    assert page.status_code == 422
    assert [f'id="{one}-fault"' in page.text for one in wrong] == [True] * 5
    assert filled(page.text, _NEW)["login"] == "a b"

    for field, given, why in (
        ("login", evening.APPROVER.upper(), "已有人用这个登录名"),
        ("login", "Timer", "系统自己用这个名称"),
        ("login", "serve", "系统自己用这个名称"),
        ("unit", "9", "不在您管理的单位之内"),
        ("unit", school.SCHOOL.code, "只在：教学点"),
    ):
        page = admin.post(_NEW, {**_FORM, field: given})
        assert (page.status_code, f'id="{field}-fault"' in page.text, why in page.text) == (422, True, True), given
    assert len(_events(site)) == before


def test_another_code_ends_the_earlier_one_and_the_sessions_and_is_told_in_the_changes(
    site: Site, admin: Person
) -> None:
    person, address = site.signed_in(evening.APPROVER), f"{_PEOPLE}/{evening.APPROVER}"
    filled(admin.get(address).text, f"{address}/code")

    first, second = (_code_in(admin.post(f"{address}/code").text) for _ in range(2))

    assert first != second
    assert person.get("/queue/todo").headers["location"].startswith("/sign-in")
    assert [_activates(site, evening.APPROVER, one) for one in (first, second)] == [422, 303]
    assert _events(site)[-1]["actor"] == "security-admin"
    changes = admin.get("/admin/changes").text
    assert f"（{evening.APPROVER}）发激活码" in changes
    assert second not in changes


def test_a_lost_second_factor_is_forgotten_with_an_event_and_the_sessions_end(site: Site, admin: Person) -> None:
    address = f"{_PEOPLE}/{evening.APPROVER}"
    with site.house.desks.borrowed() as office:
        access.set_second_factor(office.desk.connection, evening.APPROVER, None, site.watch.at)
    assert "/second-factor" not in admin.get(address).text, "there is none to be forgotten"
    _has_second_factor(site, evening.APPROVER, is_set=True)
    person = site.signed_in(evening.APPROVER)
    filled(admin.get(address).text, f"{address}/second-factor")

    done = admin.post(f"{address}/second-factor")

    assert done.headers["location"] == f"{address}?said=forgotten"
    assert not _has_second_factor(site, evening.APPROVER)
    assert person.get("/queue/todo").headers["location"].startswith("/sign-in")
    assert _told(site) == [{"login": evening.APPROVER, "second_factor": False}]
    before = len(_events(site))
    assert admin.post(f"{address}/second-factor").headers["location"].endswith("?said=none")
    assert len(_events(site)) == before
    assert f"（{evening.APPROVER}）的动态口令" in admin.get("/admin/changes").text


def test_none_of_it_is_done_without_a_fresh_proof(site: Site, admin: Person) -> None:
    site.watch.at += stepping_up.FRESH
    before, address = len(_events(site)), f"{_PEOPLE}/{evening.APPROVER}"
    for where, form in ((_NEW, _FORM), (f"{address}/code", {}), (f"{address}/second-factor", {})):
        answer = admin.post(where, form)
        assert answer.headers["location"].startswith("/sign-in/again"), where
        assert "x2024-7" not in answer.headers["location"]
    assert len(_events(site)) == before


def test_nobody_lets_oneself_in_anew_nor_somebody_who_is_disabled_or_holds_a_role_elsewhere(
    site: Site, admin: Person
) -> None:
    _elsewhere(site, (evening.OPERATOR, "records_section"))
    admin.post(f"{_PEOPLE}/{evening.SECOND}/disable", {"taker": evening.APPROVER})
    before = len(_events(site))
    whom = {
        "security-admin": "请另一位管理员办理", evening.OPERATOR: "在您管理的单位之外还有角色",
        evening.SECOND: "账号已停用",
    }  # fmt: skip
    for login, why in whom.items():
        address = f"{_PEOPLE}/{login}"
        page = admin.get(address).text
        assert (why in page, f"{address}/code" in page) == (True, False), login
        for act in ("code", "second-factor"):
            refused = admin.post(f"{address}/{act}")
            assert (refused.status_code, why in refused.text) == (422, True), login
            assert not _CODE.search(refused.text)
    assert len(_events(site)) == before


@pytest.mark.parametrize("since", [None, timedelta(days=3)], ids=["now", "from a later day on"])
def test_nobody_is_let_in_anew_who_is_lent_a_role_elsewhere_until_that_is_over(
    site: Site, admin: Person, since: timedelta | None
) -> None:
    _elsewhere(site, ("zz-rec", "records_section"))
    _lent_elsewhere(site, evening.OPERATOR, since=None if since is None else site.watch.at + since)
    _has_second_factor(site, evening.OPERATOR, is_set=True)
    before, address = len(_events(site)), f"{_PEOPLE}/{evening.OPERATOR}"

    assert "此人受委派，可在您管理的单位之外办理" in admin.get(address).text
    for act in ("code", "second-factor"):
        refused = admin.post(f"{address}/{act}")
        assert (refused.status_code, "请上级管理员办理" in refused.text) == (422, True)
        assert not _CODE.search(refused.text)
    assert len(_events(site)) == before
    assert _has_second_factor(site, evening.OPERATOR)

    site.watch.pass_by(days=8)
    assert site.signed_in("security-admin").post(f"{address}/code").status_code == 200


def _lent_elsewhere(site: Site, login: str, *, since: datetime | None = None) -> None:
    with site.house.desks.borrowed() as office:
        request = Request(trigger="delegate", actor=office.desk.actor("zz-rec"), at=site.watch.at)
        mandate = Mandate(taker=login, role="records_section", reason="出差", since=since)
        assert delegate(office.desk, "9", mandate, site.watch.at + timedelta(days=7), request) == ()


def test_a_role_given_elsewhere_while_the_code_is_asked_for_is_not_overlooked(site: Site, admin: Person) -> None:
    _elsewhere(site)
    address, answers = f"{_PEOPLE}/{evening.OPERATOR}/code", list[int]()
    asks = threading.Thread(target=lambda: answers.append(admin.post(address).status_code))
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        asks.start()
        time.sleep(1)
        give_role(office.desk, evening.OPERATOR, "records_section", "9", at=site.watch.at, actor=school.HEAD)
    asks.join()

    assert answers == [422]


def test_of_an_administrators_of_people_the_page_warns_and_the_trail_says_what_they_hold(
    site: Site, admin: Person
) -> None:
    with site.house.desks.borrowed() as office:
        give_role(office.desk, "sec-3", "security_admin", school.SCHOOL.code, at=site.watch.at, actor=school.HEAD)
    assert "此人也管理人员" in admin.get(f"{_PEOPLE}/sec-3").text
    assert "此人也管理人员" not in admin.get(f"{_PEOPLE}/{evening.APPROVER}").text
    _has_second_factor(site, "sec-3", is_set=True)

    admin.post(f"{_PEOPLE}/sec-3/code")
    admin.post(f"{_PEOPLE}/sec-3/second-factor")

    assert [one["holds"] for one in _told(site, 2)] == ["security_admin"] * 2
    assert admin.get("/admin/changes").text.count("；此人是安全管理员") == 2


def test_a_program_adds_a_person_once_and_is_told_the_code_once(site: Site) -> None:
    security = Program(site, "security-admin", "read", "admin")
    first, again = (security.post("/admin/people", _FORM, "account-01") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert _CODE.fullmatch(first.json()["code"])
    assert again.json() == {"login": "x2024-7"}
    assert [one["login"] for one in security.post("/admin/people/find", {"text": "何清"}).json()["people"]] == [
        "x2024-7"
    ]
    refused = security.post("/admin/people", {**_FORM, "mail": "x"}, "account-02")
    assert [one["where"] for one in refused.json()["fields"]] == ["body.login", "body.mail"]

    codes = [security.post("/admin/people/x2024-7/code", {}, "account-03").json().get("code") for _ in range(2)]
    assert (codes[0] != first.json()["code"], codes[1]) == (True, None)
    assert _activates(site, "x2024-7", codes[0]) == 303
    _has_second_factor(site, "x2024-7", is_set=True)
    assert security.post("/admin/people/x2024-7/second-factor", {}, "account-04").status_code == 200
    assert not _has_second_factor(site, "x2024-7")
    own = security.post("/admin/people/security-admin/code", {}, "account-05")
    assert own.status_code == 422


def test_a_program_whose_token_nobody_proved_lets_nobody_in(site: Site) -> None:
    printed = Program(site, "security-admin", "read", "admin", is_proved=False)
    address = f"/admin/people/{evening.APPROVER}"
    asked: dict[str, dict[str, str]] = {"/admin/people": _FORM, f"{address}/code": {}, f"{address}/second-factor": {}}
    assert [printed.post(one, body, "proof-0001").status_code for one, body in asked.items()] == [403] * 3
    assert printed.post("/admin/people/find", {"text": "何清"}).status_code == 200


def test_a_code_for_somebody_disabled_leaves_the_account_closed_in_the_trail_as_in_its_row(
    site: Site, admin: Person
) -> None:
    admin.post(f"{_PEOPLE}/{evening.OPERATOR}/disable", {"taker": evening.APPROVER})
    told = Registered()
    with site.house.desks.borrowed() as office:
        hand_out_code(office.desk, evening.OPERATOR, at=site.watch.at, actor="setup")
        for one in _events(site):
            told.apply(one)
        with office.desk.connection.reading():
            found = told.differences(office.desk.connection)
    assert told.rows["account_closed"].keys() == {evening.OPERATOR}
    assert [one for one in found if evening.OPERATOR in one] == []


def test_of_each_role_it_is_said_since_when_and_who_gave_it(site: Site, admin: Person) -> None:
    admin.post(_NEW, _FORM)
    with site.house.desks.borrowed() as office:
        give_role(office.desk, "x2024-7", "site_approver", SITE, at=site.watch.at, actor="setup")
        called = people.contacts(office.desk.connection, ["security-admin"])["security-admin"].name
    held = {"教学点经办人": called, "教学点审批人": "命令行"}
    listed, own = admin.get(f"{_PEOPLE}?after=x2024").text, admin.get(f"{_PEOPLE}/x2024-7").text
    for page in (listed, own):
        rows = [" ".join(re.sub(r"<[^>]+>", " ", one.partition("</tr>")[0]).split()) for one in page.split("<tr>")]
        for title, by in held.items():
            [row] = [one for one in rows if title in one and "5月15日" in one and (page is own or "x2024-7" in one)]
            assert str(by) in row

    roles = Program(site, "security-admin", "read").get("/admin/people/x2024-7").json()["roles"]
    assert {one["role"]: one["by"] for one in roles} == {"site_operator": "security-admin", "site_approver": "setup"}


def test_the_pages_about_people_ask_the_database_no_more_than_eight_times(narrow_site: Site) -> None:
    admin = narrow_site.signed_in("security-admin")
    many = {}
    for address in (_PEOPLE, f"{_PEOPLE}/{evening.APPROVER}", _NEW):
        admin.get(address)
        with narrow_site.counted() as statements:
            assert admin.get(address).status_code == 200
        many[address] = statements
    assert [len(one) <= 8 for one in many.values()] == [True] * 3, many
