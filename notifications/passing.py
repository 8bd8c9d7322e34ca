"""Passing on: what a mail tells of a delegation (委派, 转办, a signature left, taking back), if that still counts.

A delegation of a role at a unit is told by the registry's chain and is about no case at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, cast

from engine.definition import Bilingual
from engine.desk import Desk
from engine.records import Json
from engine.store import delegations, people, registry
from engine.trail.event import REGISTRY, EventKind, moment
from notifications.messages.letters import Delegation
from notifications.people import STUDENT, why

_KINDS = frozenset({EventKind.DELEGATED, EventKind.HANDED_OVER, EventKind.DELEGATION_REVOKED})
_SIGNING = Bilingual(zh="代学生签字", en="signing for the student")


class Right(NamedTuple):
    """What is passed on: whose role, where, to whom; `case` None: for all cases there and below."""

    giver: str
    taker: str
    role: str
    unit: str
    case: int | None


class Passing(NamedTuple):
    """An event that tells of a right passed on from `since` on, or taken back; `until` None: for good or taken back."""

    kind: EventKind
    right: Right
    at: str
    until: str | None
    since: str


def passing(chain: int, event: Mapping[str, Json]) -> Passing | None:
    """What an event tells of a delegation; None if it is about something else."""
    if event["kind"] not in _KINDS:
        return None
    data = cast("Mapping[str, str]", event["data"])
    case = None if chain == REGISTRY else chain
    right, at = Right(data["by"], data["to"], data["role"], data["unit"], case), str(event["at"])
    return Passing(EventKind(str(event["kind"])), right, at, data.get("until"), data.get("since", at))


def still_counts(desk: Desk, one: Passing, at: datetime) -> bool:
    """Whether what an event tells is so at a moment: still lent, still theirs; or taken back and not lent again."""
    right = one.right
    if one.kind == EventKind.HANDED_OVER:
        return delegations.handed_to(desk.connection, right.case or 0, right.role) == right.taker
    lasting = [until for until in _lent_until(desk, right) if until >= moment(at)]
    return not lasting if one.kind == EventKind.DELEGATION_REVOKED else one.until in lasting


def _lent_until(desk: Desk, right: Right) -> list[str]:
    """Until when a right is lent, as often as it is; what its giver has lost is lent no more."""
    taker = registry.actor(desk.connection, right.taker)
    lent = () if taker is None else taker.delegated
    key = (right.giver, right.role, right.unit, right.case)
    return [one.until for one in lent if one.until is not None and (one.giver, one.role, one.unit, one.case) == key]


def delegation_of(desk: Desk, one: Passing) -> Delegation:
    """The same in words that people know: names, the title of the role, moments."""
    at = datetime.fromisoformat(one.at)
    until = None if one.until is None else datetime.fromisoformat(one.until)
    is_over = one.kind == EventKind.DELEGATION_REVOKED
    return Delegation(
        giver=_name_of(desk, one.right),
        role=title_of(desk, one.right.role),
        since=None if is_over else datetime.fromisoformat(one.since),
        until=at if is_over else until,
        begins_later=not is_over and one.since > one.at,
    )


def title_of(desk: Desk, role: str) -> Bilingual:
    """What a role is called; one that has gone from the rulebook is its name."""
    if role == STUDENT:
        return _SIGNING
    one = desk.library.rulebook.organisation.roles.get(role)
    return Bilingual(zh=role, en=role) if one is None else one.title


def reason_to_tell(desk: Desk, one: Passing, unit: str) -> Bilingual:
    """Why the taker is told, as a clause."""
    if one.kind != EventKind.DELEGATION_REVOKED:
        is_lent = one.kind == EventKind.DELEGATED
        return why(desk, one.right.role, unit, stands_in=is_lent)
    return Bilingual(zh="该权限此前委派给了您", en="what was taken back had been lent to you")


def _name_of(desk: Desk, right: Right) -> str | None:
    """Whom the reader knows as the giver; a student is named in no mail."""
    return None if right.role == STUDENT else colleague(desk, right.giver)


def colleague(desk: Desk, login: str) -> str:
    """Whom the reader knows as a colleague; students are named in no mail, also where they work as somebody's.

    What is known of students includes their names, so an account that is also a student's stands there by its login.
    """
    found = people.contacts(desk.connection, [login]).get(login)
    return login if found is None or found.student is not None else found.name or login
