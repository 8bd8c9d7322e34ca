"""The school's own sign-on: in without a password here, out when the school says so, and nobody on a forged word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from console.demo import evening
from engine.store import access
from tests.web import school as servers
from tests.web.conftest import Person, Site
from tests.web.school import CLIENT, OTHER_KEY, SECRET, School

WHO = evening.APPROVER
SILENT = "学校统一身份登录没有回应，可用本系统账号"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def school() -> Iterator[School]:
    with servers.teaching(lambda: evening.NOW, WHO) as one:
        yield one


@pytest.fixture
def site(open_site: Callable[..., Site], school: School, tmp_path: Path) -> Site:
    """A house that both servers of the school sign people in to."""
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n", "utf-8")
    one = open_site(
        oidc_issuer=school.address, oidc_client_id=CLIENT, oidc_client_secret_file=secret, cas=school.address
    )
    school.now = one.watch
    return one


def asked_of(address: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}


def goes(person: Person, school: School, way: str, wanted: str = "/me", again: str = "") -> str:
    """To the school, where the person signs in; the address the browser is sent back to."""
    out = person.get(f"/sign-in/{way}?next={wanted}{again}")
    assert out.status_code == 303
    there = out.headers["location"]
    assert there.startswith(school.address)
    asked = asked_of(there)
    return school.authorize(asked) if way == "oidc" else school.cas_login(asked)


def comes_back(person: Person, site: Site, back: str) -> httpx.Response:
    assert back.startswith(site.address)
    return person.get(back.removeprefix(site.address))


def is_in(person: Person) -> bool:
    return person.get("/me").status_code == 200


both = pytest.mark.parametrize("way", ["oidc", "cas"])


@both
def test_the_school_signs_people_in_and_they_come_to_the_page_wanted(site: Site, school: School, way: str) -> None:
    person = site.stranger()
    assert "用学校统一身份登录" in person.get("/sign-in").text

    answer = comes_back(person, site, goes(person, school, way))

    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert is_in(person)


@both
def test_who_has_no_account_here_or_a_disabled_one_does_not_come_in(site: Site, school: School, way: str) -> None:
    with site.house.desks.borrowed() as office:
        access.disable(office.desk.connection, WHO, site.watch.at)
    for login in ("nobody-here", WHO):
        school.login = login
        person = site.stranger()

        answer = comes_back(person, site, goes(person, school, way))

        assert "unknown=1" in answer.headers["location"]
        assert "本系统没有您的账号" in person.get(answer.headers["location"]).text
        assert not is_in(person)


@both
def test_a_school_that_does_not_answer_leaves_the_form_of_our_own(site: Site, school: School, way: str) -> None:
    person = site.stranger()
    back = goes(person, school, way)
    for answer in ((500, "text/plain", b"no"), (200, "text/plain", b"what?"), (200, "text/xml", b"<a/>")):
        school.answer = answer
        told = comes_back(person, site, back)
        assert "school=1" in told.headers["location"]
        assert SILENT in person.get(told.headers["location"]).text
    assert not is_in(person)


def test_a_school_that_is_gone_is_told_before_anybody_leaves(open_site: Callable[..., Site]) -> None:
    person = open_site(oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT).stranger()

    answer = person.get("/sign-in/oidc?next=/me")

    assert answer.headers["location"] == "/sign-in?next=%2Fme&school=1"


def test_a_school_that_is_not_reached_by_https_is_not_believed(open_site: Callable[..., Site]) -> None:
    site = open_site(oidc_issuer="http://school.invalid", oidc_client_id=CLIENT, cas="http://school.invalid")
    for way in ("oidc", "cas"):
        assert "school=1" in site.stranger().get(f"/sign-in/{way}").headers["location"]


def test_without_a_school_there_is_no_such_page(open_site: Callable[..., Site]) -> None:
    person = open_site().stranger()
    for address in ("/sign-in/oidc", "/sign-in/oidc/back", "/sign-in/cas", "/sign-in/cas/back"):
        assert person.get(address).status_code == 404
    assert person.browser.post("/sign-in/oidc/out", data={"logout_token": "x"}).status_code == 400


@both
def test_another_browser_cannot_come_back_in_ones_place_nor_twice(site: Site, school: School, way: str) -> None:
    person, thief = site.stranger(), site.stranger()
    back = goes(person, school, way)
    goes(thief, school, way)

    assert "school=1" in comes_back(thief, site, back).headers["location"]
    assert not is_in(thief)
    assert comes_back(person, site, back).headers["location"] == "/me"
    person.post("/sign-out")
    assert "school=1" in comes_back(person, site, back).headers["location"]


@both
def test_the_way_to_the_school_and_back_takes_ten_minutes_at_most(site: Site, school: School, way: str) -> None:
    person = site.stranger()
    back = goes(person, school, way)
    site.watch.pass_by(minutes=10)

    assert "school=1" in comes_back(person, site, back).headers["location"]


@both
def test_a_wanted_page_outside_the_house_is_not_gone_to(site: Site, school: School, way: str) -> None:
    person = site.stranger()

    answer = comes_back(person, site, goes(person, school, way, wanted="//evil.example"))

    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"nonce": "another"}, id="of another sign-in"),
        pytest.param({"nonce": None}, id="of no sign-in"),
        pytest.param({"iss": "https://evil.example"}, id="of another school"),
        pytest.param({"aud": "somebody-else"}, id="for another house"),
        pytest.param({"aud": ["xueji", "other"], "azp": "other"}, id="given to another house"),
        pytest.param({"exp": 1}, id="long over"),
        pytest.param({"exp": None}, id="without end"),
        pytest.param({"preferred_username": None}, id="of nobody"),
        pytest.param({"preferred_username": ["a", "list"]}, id="of several"),
    ],
)
def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(site: Site, school: School, changes: dict[str, object]):
    school.changes = changes
    person = site.stranger()

    answer = comes_back(person, site, goes(person, school, "oidc"))

    assert "school=1" in answer.headers["location"]
    assert not is_in(person)


def test_a_token_signed_by_somebody_else_lets_nobody_in(site: Site, school: School) -> None:
    school.key = OTHER_KEY
    person = site.stranger()

    assert "school=1" in comes_back(person, site, goes(person, school, "oidc")).headers["location"]


def test_the_code_is_asked_about_with_pkce_state_and_nonce_and_the_secret_stays_out_of_addresses(
    site: Site, school: School
) -> None:
    person = site.stranger()
    there = person.get("/sign-in/oidc").headers["location"]
    asked = asked_of(there)

    assert (asked["code_challenge_method"], asked["response_type"], asked["scope"]) == (
        "S256",
        "code",
        "openid profile",
    )
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    assert asked["redirect_uri"] == f"{site.address}/sign-in/oidc/back"
    comes_back(person, site, school.authorize(asked))
    assert SECRET not in str([(path, fields) for path, fields, _ in school.asked])


def test_a_note_changed_by_its_browser_is_not_read(site: Site, school: School) -> None:
    person = site.stranger()
    back = goes(person, school, "oidc")
    name = f"{site.house.cookie}-school"
    body, _, mac = person.browser.cookies[name].partition(".")
    person.browser.cookies.delete(name)
    person.browser.cookies.set(name, f"{body[:-2]}AA.{mac}", domain="127.0.0.1")

    assert "school=1" in comes_back(person, site, back).headers["location"]


@both
def test_the_same_person_proves_it_again_at_the_school_and_nobody_else_can(
    site: Site, school: School, way: str
) -> None:
    person = site.stranger()
    comes_back(person, site, goes(person, school, way))
    before = person.browser.cookies[site.house.cookie]
    assert person.get("/me/second-factor").headers["location"].startswith("/sign-in/again?")

    school.login = evening.OPERATOR
    comes_back(person, site, goes(person, school, way, again="&again=1"))
    assert person.get("/me/second-factor").status_code == 303
    school.login = WHO
    back = goes(person, school, way, again="&again=1")
    comes_back(person, site, back)

    assert person.get("/me/second-factor").status_code == 200
    assert person.browser.cookies[site.house.cookie] != before
    assert [
        fields for path, fields, _ in school.asked if path == "/p3/serviceValidate" and "renew" in fields
    ] or way == "oidc"


def test_who_was_signed_in_at_the_school_hours_ago_has_not_proved_it_again(site: Site, school: School) -> None:
    person = site.stranger()
    comes_back(person, site, goes(person, school, "oidc"))
    school.changes = {"auth_time": int(evening.NOW.timestamp()) - 3600}

    comes_back(person, site, goes(person, school, "oidc", again="&again=1"))

    assert person.get("/me/second-factor").status_code == 303


def test_cas_says_that_a_sign_in_is_over_and_its_session_ends(site: Site, school: School) -> None:
    person, other = site.stranger(), site.signed_in(WHO)
    back = goes(person, school, "cas")
    comes_back(person, site, back)
    ticket = asked_of(back)["ticket"]

    def says(index: str, tag: str = "LogoutRequest") -> int:
        message = (
            f'<samlp:{tag} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">'
            f"<samlp:SessionIndex>{index}</samlp:SessionIndex></samlp:{tag}>"
        )
        address = back.removeprefix(site.address)
        return site.stranger().browser.post(address, data={"logoutRequest": message}).status_code

    assert says("ST-of-somebody") == 200
    assert says(ticket, "Other") == 400
    assert is_in(person)
    assert says(ticket) == 200

    assert not is_in(person)
    assert is_in(other)


def test_a_message_that_would_unfold_into_gigabytes_is_not_read(site: Site) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    bomb = f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><x>&a8;</x>'

    answer = site.stranger().browser.post("/sign-in/cas/back", data={"logoutRequest": bomb})

    assert answer.status_code == 400


def test_the_school_says_signed_that_a_sign_in_is_over_and_its_session_ends(site: Site, school: School) -> None:
    person, other = site.stranger(), site.signed_in(WHO)
    comes_back(person, site, goes(person, school, "oidc"))
    at = int(evening.NOW.timestamp())
    good = {"iss": school.address, "aud": CLIENT, "iat": at, "jti": "1", "sid": "session-1", "events": {LOGOUT: {}}}

    def says(**changes: object) -> int:
        token = school.signed({**good, **changes})
        return site.stranger().browser.post("/sign-in/oidc/out", data={"logout_token": token}).status_code

    assert [says(events={}), says(nonce="x"), says(aud="other"), says(iss="other"), says(sid=None)] == [400] * 5
    school.key = OTHER_KEY
    assert says() == 400
    assert is_in(person)
    school.key = servers.KEY
    assert says(sid="another") == 200
    assert is_in(person)
    assert says() == 200

    assert not is_in(person)
    assert is_in(other)
