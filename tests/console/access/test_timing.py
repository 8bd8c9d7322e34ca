"""How long an answer takes tells nobody whether an account exists; minutes, so only in the heavy run."""

from __future__ import annotations

import random
import time
from bisect import bisect_left
from datetime import timedelta
from itertools import count

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from console.access import entering, passwords
from console.access.limiter import Guess
from console.access.refusals import NotLetIn
from engine.store import access
from engine.store.database import Connection
from tests.console.access.people import GOOD, NOBODY, NOW, OTHER, STAFF

ZHOU, LIN, _ = STAFF
SAMPLES = 2_000
WIDEST = 0.05
"""How far from even the chance may be that one class of answers is the slower of two."""


@pytest.mark.heavy
@pytest.mark.parametrize("access_url", ["sqlite"], indirect=True)
def test_a_known_an_unknown_and_a_disabled_account_answer_in_the_same_time(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
):
    light = PasswordHash((Argon2Hasher(memory_cost=8 * 1024, time_cost=1, parallelism=1),))  # else it takes an hour
    monkeypatch.setattr(passwords, "HASHER", light)
    monkeypatch.setattr(passwords, "NOBODYS", light.hash("of nobody"))
    for login in (ZHOU, LIN):
        access.set_password(connection, login, light.hash(GOOD), NOW)
    access.disable(connection, LIN, NOW)
    days = count()
    took: dict[str, list[float]] = {ZHOU: [], LIN: [], NOBODY: []}

    for _ in range(SAMPLES):
        for login in random.sample(list(took), 3):
            at = NOW + timedelta(days=next(days) * 0.1)
            begun = time.perf_counter()
            with pytest.raises(NotLetIn):
                entering.by_password(connection, Guess(login, "password", str(at)), OTHER, at)
            took[login].append(time.perf_counter() - begun)
            connection.execute("DELETE FROM login_attempt")

    for login in (LIN, NOBODY):
        assert abs(_chance_slower(took[login], took[ZHOU]) - 0.5) < WIDEST, login


def _chance_slower(one: list[float], other: list[float]) -> float:
    """How often a sample of one is slower than a sample of the other (Mann and Whitney's U, as a share)."""
    in_order = sorted(other)
    return sum(bisect_left(in_order, sample) for sample in one) / (len(one) * len(other))
