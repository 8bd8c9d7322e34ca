"""Vacancies: what waits somewhere for a role in which nobody can act on some of the next days.

Whoever holds the role at the unit or above it can act, and those it is lent to; not whoever is away or kept out. What
a single case bars somebody from is not asked here.

Source: console.md 7.11 (delegations); the definition language, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from engine.expressions.kinds import SHANGHAI
from engine.store import vacancies as store
from engine.store.database import Connection
from engine.store.vacancies import Able, Post

_DAY = timedelta(days=1)


class Vacancy(NamedTuple):
    """A role that is waited for at a unit, by its path, and from when until when nobody can act in it.

    `nobody`: it is held by nobody at all, there or above.
    """

    role: str
    path: str
    cases: int
    first: date
    last: date
    nobody: bool


def vacancies(
    connection: Connection, paths: Sequence[str], at: datetime, days: int, works: Callable[[date], bool]
) -> list[Vacancy]:
    """Where nobody can act on working days to come, the soonest first.

    Args:
        connection: The database.
        paths: The units, with everything below them.
        at: Now.
        days: How many days are looked at, today among them.
        works: Whether a day is a working day; on others nobody is missed.
    """
    posts = store.posts(connection, paths)
    if not posts:
        return []
    today = at.astimezone(SHANGHAI).date()
    coming = [day for number in range(days) if works(day := today + number * _DAY)]
    people = list(store.able(connection, sorted({one.role for one in posts}), at))
    away = store.away_from(connection, today)
    found = [one for post in posts for one in _gaps(post, people, away, coming)]
    return sorted(found, key=lambda one: (one.first, -one.cases, one.path, one.role))


def _gaps(
    post: Post, people: Iterable[Able], away: Mapping[str, Sequence[tuple[date, date]]], days: Iterable[date]
) -> Iterator[Vacancy]:
    fitting = [one for one in people if one.role == post.role and post.path.startswith(one.path)]
    if any(one.since is None and one.until is None and one.login not in away for one in fitting):
        return  # every day
    first: date | None = None
    last = date.min
    for day in days:
        if not any(_is_there(one, away.get(one.login, ()), day) for one in fitting):
            first, last = first or day, day
        elif first is not None:
            yield Vacancy(post.role, post.path, post.cases, first, last, nobody=not fitting)
            first = None
    if first is not None:
        yield Vacancy(post.role, post.path, post.cases, first, last, nobody=not fitting)


def _is_there(one: Able, away: Iterable[tuple[date, date]], day: date) -> bool:
    if one.since is not None and day < one.since.astimezone(SHANGHAI).date():
        return False
    is_lent_no_more = one.until is not None and one.until.astimezone(SHANGHAI).date() < day
    return not is_lent_no_more and not any(first <= day <= last for first, last in away)
