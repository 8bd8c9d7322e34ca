"""So many mails a minute are enough, whenever one asks."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from notifications.sending import Rate
from tests.faults.mailroom import NOW

MINUTE = timedelta(minutes=1)


@given(
    per_minute=st.integers(1, 600),
    steps=st.lists(st.tuples(st.integers(-10, 90), st.integers(0, 50)), max_size=30),
)
def test_in_no_stretch_of_time_do_more_leave_than_its_share_and_a_burst(per_minute, steps):
    rate, at, spent = Rate(per_minute, Random(1)), NOW, 0  # noqa: S311 spreading tries, no secret
    passed = timedelta()
    for seconds, wanted in steps:
        at += timedelta(seconds=seconds)
        passed += timedelta(seconds=max(seconds, 0))
        for _ in range(min(wanted, rate.room(at))):
            rate.spend()
            spent += 1

    assert spent <= passed / MINUTE * per_minute + max(per_minute / 6, 1) + 1e-6
