"""Loans of a file with deadlines, and what people tests need: accounts with addresses, absences, what is lent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from engine.definition import Definition
from engine.delegating import Mandate, delegate, delegate_case, hand_over
from engine.library import Library
from engine.organisation import add_student_account, give_role
from engine.records import Case, Request
from engine.store import people
from engine.store.people import Absence
from notifications.people import Found, Roll
from tests.engine.lab import CHECK, lending, loan, opened, with_loan
from tests.engine.town import FIRST, NOW, Town, town_at

Written = Mapping[str, object]

DUE = "2024-05-13T23:59:59+08:00"
LADDER: Written = {"to": ["site_approver"], "before": ["7d", "3d", "1d", "0d"], "overdue": "1d"}
WEEK: Written = {"title": {"zh": "审核期限", "en": "Check"}, "while": "asked", "due": "days_after(case.opened_on, 23)"}
"""Opened on 20 April, due on 13 May 2024."""


def reminded(remind: Written | None = None, **more: object) -> Definition:
    """A loan whose check has a deadline with a ladder; `more` are other keys of the deadline."""
    deadline = {**WEEK, "remind": {**LADDER, **(remind or {})}, "escalate": {"to": "records_section", "after": "1d"}}
    return loan(CHECK, deadlines={"D-01": {**deadline, **more}})


@contextmanager
def lent(url: str, library: Library, definition: Definition) -> Iterator[tuple[Town, int]]:
    """A loan just asked for by the first student, in a town where nothing else is to be told."""
    with lending(url, library, definition) as (town, case):
        town.connection.execute("DELETE FROM outbox")
        yield town, case


@contextmanager
def lent_and_undone(
    url: str, library: Library, definition: Definition, students: Sequence[str] = (FIRST,)
) -> Iterator[tuple[Town, list[int]]]:
    """Loans just asked for, of which the database knows nothing afterwards: for tests that try many definitions."""
    with town_at(url, with_loan(library, definition)) as town, town.undone():
        town.desk.publish(NOW, "setup")
        cases = [opened(town, "loan", number) for number in students]
        town.connection.execute("DELETE FROM outbox")
        yield town, cases


def shanghai(text: str) -> datetime:
    """A moment by Shanghai's clocks: 2024-05-13 09:00."""
    return datetime.fromisoformat(f"{text}+08:00")


def people_for(town: Town, case: Case, role: str, at: datetime) -> Found:
    """Who can act on one case in a role."""
    return Roll(town.desk, at).find(case, role)


def address(town: Town, *logins: str) -> None:
    """Let mail reach people."""
    with town.connection.writing():
        for login in logins:
            assert people.set_address(town.connection, login, f"{login}@example.org")


def away(town: Town, login: str, first: str, last: str) -> None:
    with town.connection.writing():
        people.add_absence(town.connection, Absence(login, date.fromisoformat(first), date.fromisoformat(last)))


def grant(town: Town, login: str, role: str, unit: str) -> None:
    give_role(town.desk, login, role, unit, at=NOW, actor="setup")


def own_account(town: Town, login: str, student_no: str) -> None:
    assert add_student_account(town.desk, login, student_no, at=NOW, actor="setup")


def asked(town: Town, giver: str, word: str) -> Request:
    return Request(trigger=word, actor=town.actor(giver), at=NOW)


def lend(town: Town, giver: str, taker: str, role: str, *, days: int = 60) -> None:
    """委派 at the site, for some days from `NOW`."""
    mandate = Mandate(taker=taker, role=role, reason="出差")
    assert delegate(town.desk, "S1", mandate, NOW + timedelta(days=days), asked(town, giver, "delegate")) == ()


def lend_case(town: Town, case: int, giver: str, taker: str, role: str) -> None:
    mandate = Mandate(taker=taker, role=role, reason="出差")
    until = NOW + timedelta(days=60)
    assert delegate_case(town.desk, case, mandate, until, asked(town, giver, "delegate")) == ()


def hand(town: Town, case: int, giver: str, taker: str, role: str) -> None:
    mandate = Mandate(taker=taker, role=role, reason="调岗")
    assert hand_over(town.desk, case, mandate, asked(town, giver, "hand_over")) == ()
