"""Signing in and out: in within three requests, back to the page wanted, and nothing told to an intruder."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest

from console.access import entering, totp
from console.demo import evening
from console.web.addresses import own_path
from engine.store import access
from tests.web.conftest import Person, Site
from tests.web.reading import told

WHO, PASSWORD = evening.APPROVER, evening.PASSWORD
STUDENT_WAIT, STAFF_WAIT = 15, 30
WRONG = "账号或密码不对，或暂时不能登录"
_MOST_STATEMENTS = 4
"""Of the page (console.md 7.1); what becomes of a try takes more."""


def at_the_form(site: Site, address: str = "/sign-in") -> Person:
    person = site.stranger()
    assert person.get(address).status_code == 200
    return person


def signs_in(person: Person, login: str = WHO, password: str = PASSWORD, **more: str) -> httpx.Response:
    return person.post("/sign-in", {"account": login, "password": password, **more})


def is_in(person: Person) -> bool:
    return person.get("/me").status_code == 200


@dataclass(frozen=True)
class Telephone:
    secret: str

    def code(self, site: Site) -> str:
        return pyotp.TOTP(self.secret).at(site.watch.at)


def with_telephone(site: Site, login: str = WHO) -> Telephone:
    with site.house.desks.borrowed() as office:
        secret = totp.offered_secret(office.key, "a test")
        totp.enrol(office.desk.connection, office.key, login, secret, site.watch.at)
    return Telephone(secret)


def a_student(site: Site) -> str:
    with site.house.desks.borrowed() as office:
        row = office.desk.connection.execute("SELECT login FROM account WHERE student IS NOT NULL").fetchone()
    assert row is not None
    return str(row[0])


def test_account_and_password_lead_to_the_page_that_was_wanted(site: Site) -> None:
    person = site.stranger()
    to_form = person.get("/me").headers["location"]
    form = person.get(to_form)

    assert 'name="next" value="/me"' in form.text
    answer = signs_in(person, next="/me")

    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert is_in(person)


def test_the_form_says_what_it_is_and_where_help_is(site: Site) -> None:
    page = site.stranger().get("/sign-in")

    for text in ("账号", "密码", "登录", "学生首次使用", "激活账号", "忘记密码", "示范开放大学"):
        assert text in page.text
    assert "统一身份" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.text.count("<h1") == 1


def test_the_form_takes_at_most_four_statements(narrow_site: Site) -> None:
    person = at_the_form(narrow_site)
    with narrow_site.counted() as statements:
        assert person.get("/sign-in").status_code == 200
    assert len(statements) <= _MOST_STATEMENTS, statements


def test_somebody_signed_in_is_not_asked_again(site: Site) -> None:
    answer = site.signed_in(WHO).get("/sign-in?next=/me")

    assert answer.headers["location"] == "/me"


def test_the_token_of_before_signing_in_is_nobodys_afterwards(site: Site) -> None:
    person = at_the_form(site)
    planted = person.browser.cookies[site.house.cookie]

    signs_in(person)

    assert person.browser.cookies[site.house.cookie] != planted
    assert is_in(person)
    assert not is_in(Person(site=site, cookie=planted))


def test_signing_in_anew_ends_the_session_of_before(site: Site) -> None:
    person = at_the_form(site)
    signs_in(person)
    first = person.browser.cookies[site.house.cookie]

    signs_in(person)

    assert not is_in(Person(site=site, cookie=first))


def test_cookies_are_for_this_house_alone_and_no_script_reads_them(site: Site) -> None:
    answer = signs_in(at_the_form(site))

    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 3
    for cookie in cookies:
        assert "httponly" in cookie.lower()
        assert "samesite=lax" in cookie.lower()
        assert "path=/" in cookie.lower()
        assert "domain" not in cookie.lower()


def test_where_the_house_is_reached_by_https_cookies_travel_by_nothing_else(open_site: Callable[..., Site]) -> None:
    site = open_site(url="https://school.example")
    form = site.stranger().get("/sign-in")
    planted = form.headers["set-cookie"].partition("=")[2].partition(";")[0]
    person = Person(site=site, cookie=planted)

    answer = signs_in(person)

    cookies = [*form.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")]
    assert answer.status_code == 303
    assert len(cookies) == 4
    for cookie in cookies:
        assert cookie.startswith("__Host-xueji")
        assert "; secure" in cookie.lower()
        assert "path=/" in cookie.lower()
        assert "domain" not in cookie.lower()


def test_a_wrong_password_an_unknown_account_and_a_disabled_one_are_told_the_same_bytes(site: Site) -> None:
    with site.house.desks.borrowed() as office:
        access.disable(office.desk.connection, evening.OPERATOR, site.watch.at)

    tried = ((WHO, "not the password"), ("nobody-at-all", PASSWORD), (evening.OPERATOR, PASSWORD), ("", ""))
    answers = [signs_in(at_the_form(site), login, password) for login, password in tried]

    assert {answer.status_code for answer in answers} == {422}
    assert len({told(answer, login) for answer, (login, _) in zip(answers, tried, strict=True)}) == 1
    assert WRONG in answers[0].text
    assert {tuple(sorted(answer.headers.keys())) for answer in answers} == {tuple(sorted(answers[0].headers.keys()))}


def test_after_many_tries_everybody_waits_the_same_and_the_right_password_too(site: Site) -> None:
    waits = []
    for login in (WHO, "nobody-at-all"):
        for _ in range(5):
            assert signs_in(at_the_form(site), login, "not the password").status_code == 422
        waits.append(signs_in(at_the_form(site), login, PASSWORD))

    assert [answer.status_code for answer in waits] == [429, 429]
    assert "请 1 分钟后再试，或用统一身份登录" in waits[0].text
    assert told(waits[0], WHO) == told(waits[1], "nobody-at-all")
    assert waits[0].headers["retry-after"] == "60"
    site.watch.pass_by(minutes=1)
    assert signs_in(at_the_form(site)).status_code == 303


def test_the_owner_comes_in_from_a_known_browser_while_others_guess(site: Site) -> None:
    owner = at_the_form(site)
    signs_in(owner)
    owner.post("/sign-out")
    for _ in range(6):
        signs_in(at_the_form(site), WHO, "not the password")

    assert signs_in(at_the_form(site)).status_code == 429
    owner.get("/sign-in")
    assert signs_in(owner).status_code == 303


def test_a_session_signed_out_is_over_also_for_who_kept_its_cookie(site: Site) -> None:
    person = at_the_form(site)
    signs_in(person)
    kept = person.browser.cookies[site.house.cookie]

    answer = person.post("/sign-out")

    assert answer.headers["location"] == "/sign-in?out=1"
    assert "已安全退出" in person.get("/sign-in?out=1").text
    assert not is_in(person)
    assert not is_in(Person(site=site, cookie=kept))


def test_signing_out_is_not_done_by_a_link_nor_from_another_site(site: Site) -> None:
    person = site.signed_in(WHO)

    assert person.get("/sign-out").status_code == 405
    assert person.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert is_in(person)


@pytest.mark.parametrize(("is_staff", "minutes"), [(True, STAFF_WAIT), (False, STUDENT_WAIT)])
def test_who_does_nothing_is_signed_out(site: Site, is_staff: bool, minutes: int) -> None:  # noqa: FBT001 a table
    person = site.signed_in(WHO if is_staff else a_student(site))
    site.watch.pass_by(minutes=minutes - 1)
    assert is_in(person)

    site.watch.pass_by(minutes=minutes)

    assert person.get("/me").headers["location"].startswith("/sign-in?next=")


def test_half_a_day_is_the_longest_however_busy(site: Site) -> None:
    person = site.signed_in(WHO)
    for _ in range(12 * 60 // 25):
        site.watch.pass_by(minutes=25)
        assert is_in(person)

    site.watch.pass_by(minutes=25)

    assert not is_in(person)


def test_who_has_a_telephone_is_asked_for_its_code_after_the_password(site: Site) -> None:
    telephone, person = with_telephone(site), at_the_form(site)

    to_code = signs_in(person, next="/me").headers["location"]
    assert to_code == "/sign-in/code?next=%2Fme"
    assert not is_in(person)
    assert "动态口令（6 位）" in person.get(to_code).text
    answer = person.post("/sign-in/code", {"code": telephone.code(site), "next": "/me"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert is_in(person)


def test_a_code_that_somebody_looked_at_is_good_for_nobody_else(site: Site) -> None:
    telephone, first, second = with_telephone(site), at_the_form(site), at_the_form(site)
    for person in (first, second):
        signs_in(person)

    answers = [person.post("/sign-in/code", {"code": telephone.code(site)}) for person in (first, second)]

    assert [answer.status_code for answer in answers] == [303, 422]
    assert not is_in(second)


def test_codes_are_guessed_five_times_and_no_more(site: Site) -> None:
    telephone, person = with_telephone(site), at_the_form(site)
    signs_in(person)

    answers = [person.post("/sign-in/code", {"code": "000000"}).status_code for _ in range(5)]
    answers.append(person.post("/sign-in/code", {"code": telephone.code(site)}).status_code)

    assert answers == [422] * 5 + [429]
    assert not is_in(person)


def test_the_page_for_the_code_is_for_who_gave_the_password_a_short_while_ago(site: Site) -> None:
    telephone, person = with_telephone(site), at_the_form(site)

    assert person.get("/sign-in/code").headers["location"] == "/sign-in?next=%2F"
    signs_in(person)
    site.watch.pass_by(minutes=11)
    answer = person.post("/sign-in/code", {"code": telephone.code(site)})

    assert answer.headers["location"] == "/sign-in?next=%2F"
    assert not is_in(person)


def halfway(site: Site, login: str) -> Person:
    """Somebody of a live database whose password was right: a rehearsal's people need no second factor."""
    person = at_the_form(site)
    with site.house.desks.borrowed() as office:
        token = entering.halfway(office.desk.connection, login, site.watch.at)
    person.browser.cookies.set(f"{site.house.cookie}-in", token, domain="127.0.0.1")
    return person


def test_a_member_of_staff_enrols_a_telephone_and_sees_the_spare_codes_once(site: Site) -> None:
    person = halfway(site, WHO)
    page = person.get("/sign-in/enrol?next=/me")
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert found is not None
    assert "<svg" in page.text
    telephone = Telephone(found[1].replace(" ", ""))

    wrong = person.post("/sign-in/enrol", {"code": "000000"})
    right = person.post("/sign-in/enrol", {"code": telephone.code(site), "next": "/me"})

    assert (wrong.status_code, right.status_code) == (422, 200)
    spare = re.findall(r"<code>([0-9A-Z-]{23})</code>", right.text)
    assert len(spare) == 10
    assert is_in(person)
    assert person.get("/sign-in/enrol").headers["location"] == "/sign-in?next=%2F"
    again = at_the_form(site)
    signs_in(again)
    assert again.post("/sign-in/code", {"code": telephone.code(site)}).status_code == 422
    assert again.post("/sign-in/code", {"code": spare[3].lower()}).status_code == 303


def test_stepping_up_says_what_for_takes_a_code_and_gives_a_new_token(site: Site) -> None:
    person = site.signed_in(WHO)
    telephone = with_telephone(site)
    site.watch.pass_by(minutes=16)
    before = person.browser.cookies[site.house.cookie]
    address = person.get("/me/second-factor").headers["location"]
    [following] = parse_qs(urlsplit(address).query)["next"]

    page = person.get(address)
    wrong = person.post("/sign-in/again", {"proof": "000000", "next": following})
    right = person.post("/sign-in/again", {"proof": telephone.code(site), "next": following})

    assert "为了更换动态口令，请再输一次动态口令" in page.text
    assert wrong.status_code == 422
    assert "为了更换动态口令" in wrong.text
    assert (right.status_code, right.headers["location"]) == (303, following)
    assert not is_in(Person(site=site, cookie=before))
    assert is_in(person)
    assert person.get(address).headers["location"] == following
    assert person.get(following).headers["location"] == "/me/second-factor"


def test_stepping_up_asks_for_the_password_where_there_is_no_telephone(site: Site) -> None:
    person = site.signed_in(WHO)
    site.watch.pass_by(minutes=16)

    assert "请再输一次密码" in person.get("/sign-in/again?for=x").text
    assert person.post("/sign-in/again", {"proof": "not the password"}).status_code == 422
    assert person.post("/sign-in/again", {"proof": PASSWORD}).status_code == 303


def test_what_somebody_writes_into_the_address_is_not_said_to_be_what_for(site: Site) -> None:
    person = site.signed_in(WHO)
    site.watch.pass_by(minutes=16)

    page = person.get("/sign-in/again?next=/kept/of-nobody&for=%3Cscript%3Eyour%20prize").text

    assert "为了继续办理" in page
    assert "your prize" not in page


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "////",
        "/\t/evil.example", "/\n/evil.example", "/ /evil.example", "javascript:alert(1)", "http:/evil.example", "",
        "evil.example", "?next=x", "/\x00/evil.example", "/\x7f", "/\u2028/evil", "/\uff0fevil.example", " /me",
        "/" + "x" * 3000, "/me\r\nSet-Cookie: a=b", "data:text/html,x", "\\/evil.example", "/\\/evil.example",
        "https:evil.example",
    ],
)  # fmt: skip
def test_no_address_leads_out_of_the_house(wanted: str) -> None:
    assert own_path(wanted) == "/"


@pytest.mark.parametrize(
    "wanted", ["/", "/me", "/queue/todo?lane=ready&after=2024-05-15T00:00", "/cases/7QK4-M2T9#facts"]
)
def test_every_page_of_our_own_is_returned_to(wanted: str) -> None:
    assert own_path(wanted) == wanted


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_signing_in_by_a_link_of_others_ends_at_home(site: Site, wanted: str) -> None:
    person = site.stranger()
    person.browser.get("/sign-in", params={"next": wanted})

    answer = signs_in(person, next=wanted)

    assert answer.headers["location"] == "/"


def test_the_form_costs_few_statements_and_signing_in_not_many(narrow_site: Site) -> None:
    person = narrow_site.stranger()
    with narrow_site.counted() as form:
        person.get("/sign-in")
    with narrow_site.counted() as entry:
        signs_in(person)

    assert len(form) <= 4, form
    assert len(entry) <= 20, entry
