"""The token of a page, and where a request comes from: what is believed, and what is not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from console.web.guarding import GOOD_FOR, Doubt, doubt, foreign, token

AT = datetime(2024, 5, 15, 9, 31, tzinfo=UTC)
COOKIE = "of-one-session"
ORIGIN = "https://xueji.example"


def test_a_token_of_this_session_is_believed_for_half_a_day_and_no_longer() -> None:
    given_out = token(COOKIE, AT)
    assert doubt(given_out, COOKIE, AT) is None
    assert doubt(given_out, COOKIE, AT + GOOD_FOR) is None
    assert doubt(given_out, COOKIE, AT + GOOD_FOR + timedelta(seconds=1)) is Doubt.EXPIRED


def test_a_token_of_another_session_is_forged() -> None:
    assert doubt(token("of-another", AT), COOKIE, AT) is Doubt.FORGED


def test_no_token_or_no_session_is_missing() -> None:
    assert doubt(None, COOKIE, AT) is Doubt.MISSING
    assert doubt("", COOKIE, AT) is Doubt.MISSING
    assert doubt(token(COOKIE, AT), None, AT) is Doubt.MISSING


def test_two_pages_of_one_moment_carry_different_tokens() -> None:
    assert token(COOKIE, AT) != token(COOKIE, AT)


@given(place=st.integers(0, 200), letter=st.characters(codec="utf-8"))
def test_a_token_changed_in_one_place_is_forged(place: int, letter: str) -> None:
    good = token(COOKIE, AT)
    at = place % len(good)
    changed = good[:at] + letter + good[at + 1 :]
    assert changed == good or doubt(changed, COOKIE, AT) is Doubt.FORGED


@given(st.text())
def test_whatever_is_sent_as_a_token_is_answered(text: str) -> None:
    assert doubt(text, COOKIE, AT) in (Doubt.FORGED, Doubt.MISSING)


@pytest.mark.parametrize(
    ("said", "is_foreign"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site", "origin": ORIGIN}, True),
        ({"origin": ORIGIN}, False),
        ({"origin": "https://xueji.example.evil"}, True),
        ({"origin": "null"}, True),
        ({"origin": "https://xueji.local", "host": "xueji.local"}, False),
        ({"origin": "http://xueji.local", "host": "xueji.local"}, True),
        ({}, True),
    ],
)
def test_only_what_comes_from_this_house_itself_may_change_something(said: dict[str, str], *, is_foreign: bool) -> None:
    assert foreign(Headers(said), ORIGIN) is is_foreign
