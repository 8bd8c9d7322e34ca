"""Coming in: one answer for every failure, codes that are good once, and what a new password closes."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from console.access import entering, passwords, rehearsal, sessions, stepping_up, totp
from console.access.entering import ACTIVATION, HALFWAY, RESET, NewPassword
from console.access.limiter import MAILS, Guess
from console.access.passwords import Crowded, WeakPassword
from console.access.refusals import MustWait, NotLetIn, WrongCode
from engine.store import access, registry
from engine.store.database import Connection
from tests.console.access.people import GOOD, KEY, MINUTE, NOBODY, NOW, OTHER, STAFF

ZHOU, LIN, _ = STAFF
NETWORK = "198.51.100.7"
SECRET = totp.offered_secret(KEY, "an occasion")


@pytest.fixture(scope="module")
def good_hash() -> str:
    return passwords.hashed(GOOD)


@pytest.fixture
def with_password(connection: Connection, good_hash: str) -> Connection:
    access.set_password(connection, ZHOU, good_hash, NOW)
    return connection


def of(login: str, what: str = "password") -> Guess:
    return Guess(login, what, NETWORK)


def test_the_right_password_lets_its_person_in(with_password: Connection):
    assert entering.by_password(with_password, of(ZHOU), GOOD, NOW).login == ZHOU


def test_a_wrong_password_an_unknown_account_one_without_a_password_and_a_disabled_one_hear_the_same(
    with_password: Connection, good_hash: str
):
    access.set_password(with_password, LIN, good_hash, NOW)
    access.disable(with_password, LIN, NOW)
    heard = set()

    for login, password in ((ZHOU, OTHER), (NOBODY, GOOD), ("he", GOOD), (LIN, GOOD), ("", ""), (ZHOU, "")):
        with pytest.raises(NotLetIn) as refused:
            entering.by_password(with_password, of(login), password, NOW)
        heard.add(str(refused.value))

    assert len(heard) == 1


@pytest.mark.parametrize("login", [ZHOU, NOBODY])
def test_after_five_wrong_ones_even_the_right_password_waits_and_is_not_looked_at(
    with_password: Connection, login: str, monkeypatch: pytest.MonkeyPatch
):
    looked_at: list[str] = []

    def never_right(given: str, _kept: str | None) -> passwords.Checked:
        looked_at.append(given)
        return passwords.Checked(is_right=False)

    monkeypatch.setattr(passwords, "check", never_right)
    for _ in range(5):
        with pytest.raises(NotLetIn):
            entering.by_password(with_password, of(login), OTHER, NOW)

    with pytest.raises(MustWait) as wait:
        entering.by_password(with_password, of(login), GOOD, NOW)

    assert (wait.value.minutes, looked_at) == (1, [OTHER] * 5)


def test_in_a_crowd_nothing_is_looked_at_and_nothing_is_counted(
    with_password: Connection, monkeypatch: pytest.MonkeyPatch
):
    def crowded(_given: str, _kept: str | None) -> passwords.Checked:
        raise Crowded

    monkeypatch.setattr(passwords, "check", crowded)
    for _ in range(20):
        with pytest.raises(Crowded):
            entering.by_password(with_password, of(ZHOU), GOOD, NOW)
    monkeypatch.undo()

    assert entering.by_password(with_password, of(ZHOU), GOOD, NOW).login == ZHOU


def test_somebody_halfway_comes_in_once_and_within_ten_minutes(connection: Connection):
    token = entering.halfway(connection, ZHOU, NOW)
    row = entering.who_is_halfway(connection, token, NOW + HALFWAY - MINUTE)

    assert row is not None
    assert row.login == ZHOU
    assert entering.who_is_halfway(connection, token, NOW + HALFWAY) is None
    assert entering.who_is_halfway(connection, "made up", NOW) is None
    assert entering.arrive(connection, token, row, NOW)
    assert not entering.arrive(connection, token, row, NOW)
    assert entering.who_is_halfway(connection, token, NOW) is None


def test_to_be_halfway_is_not_to_be_signed_in(connection: Connection):
    token = entering.halfway(connection, ZHOU, NOW)

    assert sessions.resume(connection, token, NOW) is None


def test_wrong_codes_wait_like_wrong_passwords_and_close_no_password(with_password: Connection):
    totp.enrol(with_password, KEY, ZHOU, SECRET, NOW)
    for _ in range(5):
        with pytest.raises(WrongCode):
            entering.by_code(with_password, KEY, of(ZHOU, "code"), "000000", NOW)

    with pytest.raises(MustWait):
        entering.by_code(with_password, KEY, of(ZHOU, "code"), pyotp.TOTP(SECRET).at(NOW), NOW)
    assert entering.by_password(with_password, of(ZHOU), GOOD, NOW).login == ZHOU


def test_an_activation_code_gives_the_first_password_once(connection: Connection):
    code = entering.issue(connection, ZHOU, "activate", NOW)

    entering.by_one_time_code(connection, of(ZHOU, MAILS), NewPassword(code, GOOD), NOW)

    assert entering.by_password(connection, of(ZHOU), GOOD, NOW).is_activated
    with pytest.raises(WrongCode):
        entering.by_one_time_code(connection, of(ZHOU, MAILS), NewPassword(code, OTHER), NOW)


def test_wrong_codes_keep_nobody_from_their_own(connection: Connection):
    code = entering.issue(connection, ZHOU, "activate", NOW)
    for number in range(200):
        with pytest.raises(WrongCode):
            entering.by_one_time_code(connection, of(ZHOU, MAILS), NewPassword(f"guess {number}", GOOD), NOW)

    entering.by_one_time_code(connection, of(ZHOU, MAILS), NewPassword(code, GOOD), NOW)

    assert entering.by_password(connection, of(ZHOU), GOOD, NOW).login == ZHOU


def test_mails_with_a_code_are_few_for_an_account_and_begin_anew_once_one_was_used(connection: Connection):
    asked = of(ZHOU, MAILS)
    due = [entering.may_mail(connection, asked, NOW) for _ in range(7)]
    code = entering.issue(connection, ZHOU, "reset", NOW)

    entering.by_one_time_code(connection, asked, NewPassword(code, GOOD), NOW)

    assert due == [True] * 5 + [False] * 2
    assert entering.may_mail(connection, asked, NOW)


def test_a_network_that_asks_for_everybodys_mail_waits_and_says_so_whether_or_not_the_account_exists(
    connection: Connection,
):
    for number in range(200):
        assert entering.may_mail(connection, of(f"somebody-{number}", MAILS), NOW)

    heard = set()
    for login in (ZHOU, NOBODY):
        with pytest.raises(MustWait) as wait:
            entering.may_mail(connection, of(login, MAILS), NOW)
        heard.add(str(wait.value))
    assert len(heard) == 1
    assert entering.may_mail(connection, of(ZHOU, MAILS), NOW + MINUTE)


def test_a_code_of_another_account_too_old_or_replaced_by_a_newer_one_is_wrong(connection: Connection):
    first = entering.issue(connection, ZHOU, "reset", NOW)
    second = entering.issue(connection, ZHOU, "reset", NOW)

    for login, code, at in ((ZHOU, first, NOW), (LIN, second, NOW), (NOBODY, second, NOW), (ZHOU, second, NOW + RESET)):
        with pytest.raises(WrongCode):
            entering.by_one_time_code(connection, of(login, MAILS), NewPassword(code, GOOD), at)

    just_before = NOW + RESET - MINUTE
    entering.by_one_time_code(connection, of(ZHOU, MAILS), NewPassword(second.lower(), GOOD), just_before)


def test_a_weak_password_does_not_use_the_code_up(connection: Connection):
    code = entering.issue(connection, ZHOU, "activate", NOW)
    with pytest.raises(WeakPassword):
        entering.by_one_time_code(connection, of(ZHOU, MAILS), NewPassword(code, "1234567890"), NOW)

    entering.by_one_time_code(connection, of(ZHOU, MAILS), NewPassword(code, GOOD), NOW + ACTIVATION - MINUTE)


def test_of_two_who_use_one_code_at_the_same_moment_one_sets_the_password(
    connection: Connection, other_connection: Connection, monkeypatch: pytest.MonkeyPatch
):
    code = entering.issue(connection, ZHOU, "reset", NOW)
    before = passwords.hashed

    def meanwhile(password: str) -> str:
        monkeypatch.setattr(passwords, "hashed", before)
        entering.by_one_time_code(other_connection, of(ZHOU, MAILS), NewPassword(code, OTHER), NOW)
        return before(password)

    monkeypatch.setattr(passwords, "hashed", meanwhile)
    with pytest.raises(WrongCode):
        entering.by_one_time_code(connection, of(ZHOU, MAILS), NewPassword(code, GOOD), NOW)

    assert entering.by_password(connection, of(ZHOU), OTHER, NOW).login == ZHOU


def test_a_new_password_closes_what_was_open_under_the_old_one(with_password: Connection, good_hash: str):
    token = sessions.begin(with_password, ZHOU, NOW)
    code = entering.issue(with_password, ZHOU, "reset", NOW)
    access.know_device(with_password, "a-device", ZHOU, NOW)

    entering.replace_password(with_password, ZHOU, good_hash, NOW)

    assert sessions.resume(with_password, token, NOW) is None
    assert not access.knows_device(with_password, "a-device", ZHOU)
    with pytest.raises(WrongCode):
        entering.by_one_time_code(with_password, of(ZHOU, MAILS), NewPassword(code, OTHER), NOW)


def test_stepping_up_takes_a_code_where_there_is_one_and_lasts_a_quarter_of_an_hour(connection: Connection):
    totp.enrol(connection, KEY, ZHOU, SECRET, NOW)
    at = NOW + timedelta(hours=1)
    old = sessions.begin(connection, ZHOU, NOW + 31 * MINUTE)
    row = sessions.resume(connection, old, at)
    assert row is not None
    assert not stepping_up.is_fresh(row, at)

    with pytest.raises(WrongCode):
        stepping_up.prove(connection, KEY, row, GOOD, at)
    new = stepping_up.prove(connection, KEY, row, pyotp.TOTP(SECRET).at(at), at)

    again = sessions.resume(connection, new, at)
    assert again is not None
    assert stepping_up.is_fresh(again, at + 14 * MINUTE)
    assert not stepping_up.is_fresh(again, at + 15 * MINUTE)
    assert sessions.resume(connection, old, at) is None


def test_stepping_up_takes_the_password_of_somebody_without_a_second_factor(with_password: Connection):
    row = sessions.resume(with_password, sessions.begin(with_password, ZHOU, NOW), NOW)
    assert row is not None

    with pytest.raises(NotLetIn):
        stepping_up.prove(with_password, KEY, row, OTHER, NOW)
    new = stepping_up.prove(with_password, KEY, row, GOOD, NOW)

    assert sessions.resume(with_password, new, NOW) is not None


def test_who_signs_on_at_the_school_is_not_fresh_until_a_proof_is_given_here(with_password: Connection):
    token = sessions.begin(with_password, ZHOU, NOW, sessions.Arrival(ticket="ST-1", is_proven=False))
    row = sessions.resume(with_password, token, NOW)

    assert row is not None
    assert not stepping_up.is_fresh(row, NOW)


def test_the_people_of_a_rehearsal_share_a_password_and_those_of_a_live_database_never_do(connection: Connection):
    registry.set_setting(connection, "rehearsal", "yes")
    try:
        rehearsal.furnish(connection, STAFF, OTHER, NOW)
    finally:
        connection.execute("UPDATE setting SET value = 'no' WHERE name = 'rehearsal'")

    with pytest.raises(rehearsal.NotRehearsed):
        rehearsal.furnish(connection, STAFF, GOOD, NOW)

    connection.execute("DELETE FROM setting WHERE name = 'rehearsal'")
    assert entering.by_password(connection, of(LIN), OTHER, NOW).login == LIN
