"""Takers: to whom a role on a case could be passed, everybody on its staff with every reason why not.

It asks what `engine.delegating` will ask, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from engine.actors import Actor, Grant
from engine.barring import NOBODYS_TO_LEND, Hearing, hear, never_lent, without_right
from engine.delegating import against_taker
from engine.desk import Desk
from engine.pinyin import order_key
from engine.records import Request, Verdict
from engine.store import people, registry
from engine.store.delegations import DelegationRow
from engine.store.people import Holder
from engine.trail.event import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """Somebody to whom a role might be passed; `against` is every reason why not."""

    login: str
    name: str
    roles: tuple[str, ...]
    against: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Takers:
    """To whom a person might pass a role; `against` is what stands against passing it at all."""

    against: tuple[Verdict, ...]
    people: tuple[Taker, ...]


def takers(desk: Desk, case: int, role: str, request: Request, *, until: datetime | None) -> Takers:
    """Everybody with a role at the case's unit or above to whom one could be passed; those who may first, by 姓名拼音.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        role: What would be passed.
        request: By whom, when.
        until: Until when it would be lent; None: it would be handed over for good, which only holders of the role may
            take, and only they are named.

    Raises:
        Unknown: If there is no such case.
        StaleCase: If it has changed since it was seen.
    """
    hearing = hear(desk, case, request)
    own = None if hearing.case.student is None else registry.account_of(desk.connection, hearing.case.student)
    held: dict[str, list[Holder]] = {}
    for one in people.staff_above(desk.connection, hearing.case.path):
        held.setdefault(one.login, []).append(one)
    row = _row(hearing, role, until)
    fitting = {
        login: some
        for login, some in held.items()
        if login != request.actor.login and (until is not None or any(one.role == role for one in some))
    }
    found = [_taker(hearing, row, some, own) for some in fitting.values()]
    return Takers(
        against=(*never_lent(desk, row), *without_right(desk, row, request.actor, hearing.case.path)),
        people=tuple(sorted(found, key=lambda one: (bool(one.against), order_key(one.name), one.login))),
    )


def roles_to_pass(actor: Actor, path: str) -> Iterator[str]:
    """The roles that are a person's own at a unit: what can be passed."""
    held = dict.fromkeys(grant.role for grant in actor.grants if path.startswith(grant.path))
    yield from (role for role in held if role not in NOBODYS_TO_LEND)


def _row(hearing: Hearing, role: str, until: datetime | None) -> DelegationRow:
    return DelegationRow(
        giver=hearing.request.actor.login,
        taker="",
        role=role,
        unit=hearing.case.unit,
        case=hearing.case.id,
        reason="",
        for_good=until is None,
        since=moment(hearing.request.at),
        until=None if until is None else moment(until),
    )


def _taker(hearing: Hearing, row: DelegationRow, held: list[Holder], own: str | None) -> Taker:
    login = held[0].login
    taker = Actor(
        login=login,
        grants=tuple(Grant(role=one.role, unit="", path=one.path) for one in held),
        student=hearing.case.student if login == own else None,
    )
    named = replace(row, taker=login)
    return Taker(
        login=login,
        name=held[0].name or login,
        roles=tuple(dict.fromkeys(one.role for one in held)),
        against=against_taker(hearing, named, taker),
    )
