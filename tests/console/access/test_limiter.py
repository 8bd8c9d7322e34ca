"""Waits after wrong guesses, and that whoever guesses keeps nobody else out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from console.access import entering, limiter
from console.access.limiter import MAILS, Bucket, Guess, network_of, waiting
from engine.store import access
from engine.store.database import Connection
from tests.console.access.conftest import opened
from tests.console.access.people import MINUTE, NOBODY, NOW, STAFF

ZHOU, LIN, _ = STAFF
HOME = "a-device-of-zhou"
NONE = timedelta()


def guessed(connection: Connection, guess: Guess, at=NOW) -> timedelta:
    return limiter.begin(connection, limiter.buckets(connection, guess), at)


def at_last(connection: Connection, guess: Guess, *, wrong: int, at=NOW) -> None:
    """Somebody mistypes so often, then gets in."""
    for _ in range(wrong):
        assert guessed(connection, guess, at) == NONE
    counted = limiter.buckets(connection, guess)
    assert limiter.begin(connection, counted, at) == NONE
    limiter.proved(connection, counted, at)


@pytest.mark.parametrize("login", [ZHOU, NOBODY])
def test_five_guesses_are_free_and_then_each_waits_twice_as_long_whether_or_not_the_account_exists(
    connection: Connection, login: str
):
    guess = Guess(login, "password", "198.51.100.7")
    at, waits = NOW, []

    for _ in range(9):
        wait = guessed(connection, guess, at)
        waits.append(wait)
        at += wait
        if wait:
            assert guessed(connection, guess, at) == NONE

    assert waits == [NONE] * 5 + [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]


def test_who_only_asks_again_makes_nobody_wait_longer(connection: Connection):
    guess = Guess(ZHOU, "password", "198.51.100.7")
    for _ in range(5):
        guessed(connection, guess)

    waits = [guessed(connection, guess, NOW + timedelta(seconds=second)) for second in (0, 10, 20)]

    assert waits == [MINUTE, MINUTE - timedelta(seconds=10), MINUTE - timedelta(seconds=20)]


def test_the_owner_is_not_kept_waiting_at_a_known_device_by_what_others_guess(connection: Connection):
    access.know_device(connection, HOME, ZHOU, NOW)
    for number in range(60):
        guessed(connection, Guess(ZHOU, "password", f"198.51.100.{number % 5}"))

    assert guessed(connection, Guess(ZHOU, "password", "198.51.100.1")) > NONE
    assert guessed(connection, Guess(ZHOU, "password", "198.51.100.1", HOME)) == NONE
    assert guessed(connection, Guess(ZHOU, "password", "198.51.100.1", "an-invented-device")) > NONE


def test_a_known_device_of_one_person_is_a_stranger_to_anothers_account(connection: Connection):
    access.know_device(connection, HOME, ZHOU, NOW)
    for _ in range(5):
        guessed(connection, Guess(LIN, "password", "198.51.100.7"))

    assert guessed(connection, Guess(LIN, "password", "198.51.100.7", HOME)) == MINUTE


def test_a_stolen_device_may_not_guess_for_ever(connection: Connection):
    access.know_device(connection, HOME, ZHOU, NOW)

    waits = [guessed(connection, Guess(ZHOU, "password", "198.51.100.7", HOME)) for _ in range(11)]

    assert waits == [NONE] * 10 + [MINUTE]


def test_the_owner_without_a_known_device_is_not_kept_waiting_by_somebody_elsewhere_who_never_stops(
    connection: Connection,
):
    at, made = NOW, [NOW]
    while at < NOW + timedelta(days=3):
        wait = guessed(connection, Guess(ZHOU, "password", "203.0.113.9"), at)
        made += [at] if wait == NONE else []
        at += max(wait, timedelta(seconds=10))
    just_after = made[-1] + timedelta(seconds=1)

    assert len(made) < 90
    assert guessed(connection, Guess(ZHOU, "password", "203.0.113.9"), just_after) > NONE
    assert guessed(connection, Guess(ZHOU, "password", "198.51.100.7"), just_after) == NONE


def test_many_networks_together_get_a_guess_each_quarter_of_an_hour_at_one_account(connection: Connection):
    waits = [guessed(connection, Guess(ZHOU, "password", f"198.51.100.{number}")) for number in range(33)]

    assert waits == [NONE] * 30 + [15 * MINUTE] * 3
    quarter = NOW + 15 * MINUTE
    assert guessed(connection, Guess(ZHOU, "password", "198.51.100.40"), quarter) == NONE
    assert guessed(connection, Guess(ZHOU, "password", "198.51.100.41"), quarter) == 15 * MINUTE


def test_guesses_at_many_accounts_from_one_network_wait_two_minutes_each_and_others_do_not(connection: Connection):
    waits = [guessed(connection, Guess(f"somebody-{number}", "password", "198.51.100.7")) for number in range(101)]

    assert waits == [NONE] * 100 + [2 * MINUTE]
    assert guessed(connection, Guess(ZHOU, "password", "203.0.113.9")) == NONE
    later = NOW + 2 * MINUTE
    assert guessed(connection, Guess(ZHOU, "password", "198.51.100.7"), later) == NONE
    assert guessed(connection, Guess(LIN, "password", "198.51.100.7"), later) == 2 * MINUTE


def test_a_campus_of_one_address_signs_in_with_typing_errors_and_nobody_waits(connection: Connection):
    for number in range(150):
        at_last(connection, Guess(f"student-{number}", "password", "198.51.100.7"), wrong=2)

    waits = [guessed(connection, Guess(f"other-{number}", "password", "198.51.100.7")) for number in range(100)]

    assert waits == [NONE] * 100


def test_getting_in_at_an_account_of_ones_own_takes_back_no_guesses_at_others(connection: Connection):
    for number in range(99):
        guessed(connection, Guess(f"somebody-{number}", "password", "198.51.100.7"))

    at_last(connection, Guess(LIN, "password", "198.51.100.7"), wrong=0)

    assert guessed(connection, Guess("one-more", "password", "198.51.100.7")) == NONE
    assert guessed(connection, Guess("two-more", "password", "198.51.100.7")) == 2 * MINUTE


def test_asking_for_codes_by_mail_closes_no_sign_in(connection: Connection):
    for number in range(300):
        guessed(connection, Guess(f"somebody-{number % 40}", MAILS, "198.51.100.7"))

    assert guessed(connection, Guess("somebody-1", "password", "198.51.100.7")) == NONE


def test_no_wait_for_another_mail_is_longer_than_the_last_ones_code_is_good(connection: Connection):
    at, waits = NOW, []
    for _ in range(25):
        waits.append(guessed(connection, Guess(ZHOU, MAILS, "198.51.100.7"), at))
        at += waits[-1]

    assert waits[:5] == [NONE] * 5
    assert [wait for wait in waits if wait][:2] == [MINUTE, 2 * MINUTE]
    assert max(waits) == 30 * MINUTE < entering.RESET


def test_a_right_password_lets_the_account_begin_anew_and_costs_its_network_nothing(connection: Connection):
    guess = Guess(ZHOU, "password", "198.51.100.7")
    for _ in range(200):
        counted = limiter.buckets(connection, guess)
        assert limiter.begin(connection, counted, NOW) == NONE
        limiter.proved(connection, counted, NOW)

    assert [guessed(connection, guess) for _ in range(5)] == [NONE] * 5


def test_a_day_later_all_is_forgotten(connection: Connection):
    guess = Guess(ZHOU, "password", "198.51.100.7")
    for _ in range(5):
        guessed(connection, guess)

    assert guessed(connection, guess, NOW + timedelta(days=1, seconds=1)) == NONE
    assert [guessed(connection, guess, NOW + timedelta(days=1, seconds=1)) for _ in range(5)] == [NONE] * 4 + [MINUTE]


def test_guesses_made_at_the_same_moment_are_as_few_as_guesses_in_a_row(access_url: str):
    def guess_once(number: int) -> timedelta:
        with opened(access_url) as connection:
            return guessed(connection, Guess(ZHOU, "password", f"2001:db8:1:2::{number:x}"))

    with ThreadPoolExecutor(12) as pool:
        waits = list(pool.map(guess_once, range(36)))

    assert waits.count(NONE) == 5


def test_what_somebody_typed_stands_in_no_table(connection: Connection):
    guessed(connection, Guess("my-password-by-mistake", "password", "198.51.100.7"))

    kept = str(connection.execute("SELECT * FROM login_attempt").fetchall())

    assert "my-password" not in kept
    assert "198.51" not in kept


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", id="two addresses of one site"),
        pytest.param("::ffff:198.51.100.7", "198.51.100.7", id="an old address in new clothes"),
        pytest.param("testclient", "testclient", id="no address at all"),
    ],
)
def test_addresses_of_one_customer_are_one_network(one: str, other: str):
    assert network_of(one) == network_of(other)


def test_addresses_of_different_customers_are_different_networks():
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("198.51.100.7") != network_of("198.51.100.8")


def test_a_clock_that_was_set_back_keeps_nobody_out(connection: Connection):
    guess = Guess(ZHOU, "password", "198.51.100.7")
    waits = [guessed(connection, guess, NOW + timedelta(days=30)) for _ in range(4)]

    waits += [guessed(connection, guess, NOW) for _ in range(2)]

    assert waits == [NONE] * 5 + [MINUTE]


def test_no_wait_is_longer_than_its_longest():
    bucket = Bucket("one", free=5, longest=timedelta(hours=1))

    waits = [waiting(bucket, tries) for tries in range(2000)]

    assert max(waits) == timedelta(hours=1)
    assert waits == sorted(waits)
