"""Passing rights on in the town of the tests: who lends, hands over or leaves what to whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from engine.actors import Actor
from engine.delegating import Mandate, Refusal, delegate, delegate_case, hand_over, leave_to
from engine.library import Library
from engine.organisation import give_role
from engine.records import Moved, Request
from engine.trail.event import moment
from tests.engine.lab import CHECK, lending, loan
from tests.engine.town import NOW, Town

WEEK = NOW + timedelta(days=7)
AWAY = "出差"
CANNOT_RETURN = "因故不能返校"
LOAN = loan({
    **CHECK,
    "confirm": {
        "from": "checked", "to": "lent",
        "by": {"role": "student", "delegates": {"roles": ["handler"], "reasons": [CANNOT_RETURN]}},
    },
    "seal": {"from": "checked", "to": "lent", "by": {"role": "site_head", "in_person": True}},
}, distinct=[["ask", "check"]])  # fmt: skip


def asking(town: Town, login: str, at: datetime = NOW, seen: int | None = None) -> Request:
    return Request(trigger="delegate", actor=town.actor(login), at=at, seen=seen)


def lend(town: Town, giver: str, taker: str, role: str, unit: str, **term: datetime) -> Refusal:
    """`term`: `since` and `until`; at once, and for a week."""
    mandate = Mandate(taker=taker, role=role, reason=AWAY, since=term.get("since"))
    return delegate(town.desk, unit, mandate, term.get("until", WEEK), asking(town, giver))


def lend_case(town: Town, case: int, giver: str, taker: str, role: str) -> Refusal:
    mandate = Mandate(taker=taker, role=role, reason=AWAY)
    return delegate_case(town.desk, case, mandate, WEEK, asking(town, giver))


def hand(town: Town, case: int, giver: str, taker: str, role: str = "site_approver") -> Refusal:
    return hand_over(town.desk, case, Mandate(taker=taker, role=role, reason=AWAY), asking(town, giver))


def leave(town: Town, case: int, giver: str, taker: str, reason: str = CANNOT_RETURN) -> Refusal:
    mandate = Mandate(taker=taker, role="student", reason=reason)
    return leave_to(town.desk, case, mandate, WEEK, asking(town, giver))


def hire(town: Town, login: str, role: str = "handler", unit: str = "S1") -> Actor:
    give_role(town.desk, login, role, unit, at=NOW, actor="setup")
    return town.actor(login)


def dismiss(town: Town, login: str, role: str) -> None:
    town.edit(("role_grant", "until"), moment(NOW), login=login, role=role)


@contextmanager
def checked_loan(url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """A loan that is checked: it waits for the student, or for the head in person."""
    with lending(url, library, LOAN) as (town, case):
        assert isinstance(town.decided(case, "check", "approver.s1"), Moved)
        hire(town, "handler.s1")
        yield town, case
