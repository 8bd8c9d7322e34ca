"""One's own settings: language, how pages are liked, the password, the telephone, and where one is signed in."""

from __future__ import annotations

import re

import pyotp
import pytest

from console.access.tokens import hash_of
from console.demo import evening
from engine.store import sessions
from engine.store.sessions import Preference, SessionRow
from tests.web.conftest import Person, Site

WHO, PASSWORD = evening.APPROVER, evening.PASSWORD
NEW = "柳桥的梧桐叶落了三次"
LIKED = {"lang": "en", "undo_seconds": "60", "keys": "on", "density": "compact"}


def liked(site: Site, person: Person) -> Preference:
    return session_of(site, person).preference


def session_of(site: Site, person: Person) -> SessionRow:
    with site.house.desks.borrowed() as office:
        row = sessions.session(office.desk.connection, hash_of(person.browser.cookies[site.house.cookie]))
    assert row is not None
    return row


def test_what_is_chosen_is_kept_for_the_person_at_every_browser(site: Site) -> None:
    person, elsewhere = site.signed_in(WHO), site.signed_in(WHO)

    answer = person.post("/me/preferences", LIKED)

    assert answer.headers["location"] == "/me?kept=1"
    assert liked(site, person) == Preference(lang="en", undo_seconds=60, keys=True, density="compact")
    page = elsewhere.get("/me").text
    assert 'lang="en"' in page
    assert "Own settings" in page
    assert re.search(r'value="60" checked', page)


def test_keys_that_are_not_ticked_are_off(site: Site) -> None:
    person = site.signed_in(WHO)

    person.post("/me/preferences", {name: value for name, value in LIKED.items() if name != "keys"})

    assert not liked(site, person).keys


@pytest.mark.parametrize(
    "changes", [{"lang": "fr"}, {"undo_seconds": "9999"}, {"undo_seconds": "x"}, {"density": "none"}]
)
def test_what_no_form_of_ours_offers_is_not_kept(site: Site, changes: dict[str, str]) -> None:
    person = site.signed_in(WHO)

    assert person.post("/me/preferences", {**LIKED, **changes}).status_code == 404

    assert liked(site, person) == Preference()


def test_a_stranger_chooses_a_language_and_stays_on_the_page(site: Site) -> None:
    person = site.stranger()
    person.get("/activate")

    answer = person.post("/me/language", {"lang": "en"}, headers={"Referer": f"{site.house.origin}/activate"})

    assert answer.headers["location"] == "/activate"
    assert "Activate account" in person.get("/activate").text
    assert person.post("/me/language", {"lang": "fr"}).status_code == 404


def test_a_language_chosen_on_any_page_is_the_persons_own(site: Site) -> None:
    person = site.signed_in(WHO)

    person.post("/me/language", {"lang": "en"})

    assert liked(site, person).lang == "en"


def changes_password(person: Person, current: str, new: str, again: str | None = None):
    return person.post("/me/password", {"current": current, "password": new, "repeated": again or new})


def test_a_new_password_needs_the_old_one_and_closes_every_other_session(site: Site) -> None:
    person, elsewhere = site.signed_in(WHO), site.signed_in(WHO)
    before = person.browser.cookies[site.house.cookie]

    refused = [
        changes_password(person, "not the password", NEW),
        changes_password(person, PASSWORD, "12345"),
        changes_password(person, PASSWORD, NEW, "another"),
    ]
    assert [answer.status_code for answer in refused] == [422] * 3
    assert elsewhere.get("/me").status_code == 200
    answer = changes_password(person, PASSWORD, NEW)

    assert answer.headers["location"] == "/me?password=1"
    assert person.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 303
    assert Person(site=site, cookie=before).get("/me").status_code == 303
    assert changes_password(person, PASSWORD, NEW + "!").status_code == 422


def test_another_telephone_is_enrolled_by_who_has_just_proved_it_and_the_old_one_is_worthless(site: Site) -> None:
    person, elsewhere = site.signed_in(WHO), site.signed_in(WHO)
    secrets = []
    for _ in range(2):
        page = person.get("/me/second-factor")
        found = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
        assert found is not None
        secrets.append(found[1].replace(" ", ""))
        code = pyotp.TOTP(secrets[-1]).at(site.watch.at)
        assert person.post("/me/second-factor", {"code": "000000"}).status_code == 422
        assert "备用码" in person.post("/me/second-factor", {"code": code}).text

    assert secrets[0] != secrets[1]
    assert elsewhere.get("/me").status_code == 303
    site.watch.pass_by(minutes=16)
    assert person.get("/me/second-factor").headers["location"].startswith("/sign-in/again?")
    old, new = (pyotp.TOTP(secret).at(site.watch.at) for secret in secrets)
    assert person.post("/sign-in/again", {"proof": old}).status_code == 422
    assert person.post("/sign-in/again", {"proof": new}).status_code == 303


def test_one_sees_where_one_is_signed_in_and_ends_one_or_all_others(site: Site) -> None:
    here, there, elsewhere, others = (site.signed_in(who) for who in (WHO, WHO, WHO, evening.OPERATOR))
    of_there, of_others = session_of(site, there).id_hash, session_of(site, others).id_hash

    page = here.get("/me").text
    assert page.count("退出它") == 2
    assert page.count("就是这里") == 1
    assert of_others not in page

    assert here.post("/me/sessions", {"session": of_others}).status_code == 404
    assert here.post("/me/sessions", {"session": of_there}).headers["location"] == "/me?ended=1"
    assert (there.get("/me").status_code, elsewhere.get("/me").status_code) == (303, 200)
    here.post("/me/sessions", {"session": "all"})

    assert (elsewhere.get("/me").status_code, others.get("/me").status_code) == (303, 200)
    assert here.get("/me").status_code == 200


def test_a_session_that_is_over_is_not_listed(site: Site) -> None:
    site.signed_in(WHO)
    site.watch.pass_by(minutes=31)

    assert site.signed_in(WHO).get("/me").text.count("退出它") == 0


def test_the_page_costs_few_statements(narrow_site: Site) -> None:
    person = narrow_site.signed_in(WHO)
    with narrow_site.counted() as found:
        person.get("/me")

    assert len(found) <= 8, found  # two of them for the number in the bar
