"""Passwords: which are taken, and what is kept of them."""

from __future__ import annotations

import threading
import unicodedata

import pytest
from argon2 import extract_parameters
from pwdlib.hashers.argon2 import Argon2Hasher

from console.access import passwords
from console.access.passwords import NOBODYS, Crowded, WeakPassword, check, hashed, refuse_weak, weaknesses
from tests.console.access.people import GOOD, OTHER


def test_the_right_password_and_no_other_is_taken():
    kept = hashed(GOOD)

    assert check(GOOD, kept) == (True, None)
    assert check(OTHER, kept) == (False, None)
    assert GOOD not in kept


def test_the_same_password_twice_is_not_the_same_hash():
    assert hashed(GOOD) != hashed(GOOD)


def test_a_password_is_the_same_however_the_keyboard_composes_it():
    composed = unicodedata.normalize("NFC", "Löwenzähne 2024")
    taken_apart = unicodedata.normalize("NFD", composed)

    assert composed != taken_apart
    assert check(taken_apart, hashed(composed)).is_right


def test_parameters_are_above_what_owasp_asks_for_and_nobodys_hash_has_the_same():
    of_somebody, of_nobody = (extract_parameters(one) for one in (hashed(GOOD), NOBODYS))

    assert of_somebody == of_nobody
    assert of_somebody.type.name == "ID"
    assert of_somebody.memory_cost >= 46 * 1024
    assert of_somebody.time_cost >= 2
    assert (of_somebody.hash_len, of_somebody.salt_len) == (32, 16)


def test_a_hash_of_weaker_parameters_is_made_anew_once_the_password_is_known():
    weak = Argon2Hasher(memory_cost=8 * 1024, time_cost=1, parallelism=1).hash(GOOD)

    checked = check(GOOD, weak)

    assert checked.is_right
    assert checked.stronger is not None
    assert check(GOOD, checked.stronger) == (True, None)
    assert check(OTHER, weak) == (False, None)


def test_nobody_has_a_password_and_asking_for_one_hashes_all_the_same(monkeypatch: pytest.MonkeyPatch):
    looked_at: list[str] = []
    before = passwords.HASHER.verify_and_update

    def noted(password: str, kept: str) -> tuple[bool, str | None]:
        looked_at.append(kept)
        return before(password, kept)

    monkeypatch.setattr(passwords.HASHER, "verify_and_update", noted)

    assert not check(GOOD, None).is_right
    assert looked_at == [NOBODYS]


@pytest.mark.parametrize(
    ("password", "login", "says"),
    [
        pytest.param("nine lett", "zhou", "at least 10 characters", id="nine characters"),
        pytest.param("学籍科周敏密码九字", "zhou", "at least 10 characters", id="nine Chinese characters"),
        pytest.param("x" * 300 + "abcdef", "zhou", "at most 256", id="longer than anybody types"),
        pytest.param("Zhoumin-1988-07", "zhoumin", "without the account", id="with the login in it"),
        pytest.param("2022030000001", "2022030000001", "without the account", id="the student number"),
        pytest.param("Password123", "zhou", "commonest", id="one of the commonest, in other letters"),
        pytest.param("1234567890", "zhou", "commonest", id="ten digits in a row"),
        pytest.param("woaini1314520", "zhou", "commonest", id="one of the commonest here"),
        pytest.param("ababababababab", "zhou", "5 that differ", id="two letters over and over"),
    ],
)
def test_a_password_that_others_would_try_first_is_not_taken(password: str, login: str, says: str):
    with pytest.raises(WeakPassword) as refused:
        refuse_weak(password, login)

    assert says in str(refused.value)


@pytest.mark.parametrize("password", [GOOD, OTHER, "学籍科周敏的密码十个字", "all lower case and blanks"])
def test_a_long_password_needs_no_signs_of_several_kinds(password: str):
    assert weaknesses(password, "zhoumin") == ()


def test_every_reason_is_said_at_once():
    reasons = [one.en for one in weaknesses("zhou", "zhou")]

    assert len(reasons) == 3


def test_a_password_nobody_could_have_set_is_wrong_and_not_an_error():
    assert not check("x" * 100_000, NOBODYS).is_right
    assert not check("", NOBODYS).is_right
    assert not check("\x00\ud7ff", NOBODYS).is_right


def test_two_are_looked_at_at_once_and_the_third_hears_that_it_is_crowded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.01)
    both_are_in, may_leave = threading.Barrier(3), threading.Event()

    def stay() -> None:
        with passwords.a_turn():
            both_are_in.wait()
            may_leave.wait()

    stayers = [threading.Thread(target=stay) for _ in range(2)]
    for one in stayers:
        one.start()
    both_are_in.wait()

    with pytest.raises(Crowded):
        check(GOOD, NOBODYS)

    may_leave.set()
    for one in stayers:
        one.join()
    assert not check(GOOD, NOBODYS).is_right
