"""A unit moves under another: with everything below it, its people, its students and their cases.

Rule 1: who loses and who gains sight of what is below is worked out by the same rights that will count afterwards.
Rule 2: what cannot be told of the past by the units alone stands in the way: another profile, seats added by hand.
Rule 3: one event of the registry tells of it; deadlines and places to wait that read units above follow at once.

Source: console.md 7.11 (units); the definition language, section 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from engine import lanes
from engine.actors import Actor, Grant
from engine.desk import Desk
from engine.errors import Misplaced, Unknown
from engine.lists import wait_elsewhere
from engine.organisation import told_of
from engine.records import Json, Request, Sentence, case_number
from engine.settling import cause_of, settle
from engine.store import registry, unit_moves
from engine.store.cases import read_cases
from engine.store.deadlines import running_at
from engine.store.registry import UnitRow
from engine.trail.event import REGISTRY, EventKind, moment
from engine.visibility import scopes_of

_CHUNK = 1000
_SHOWN = 5


class Sighted(NamedTuple):
    """Somebody whose sight changes, and by which role at which unit."""

    login: str
    name: str
    role: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearrangement:
    """What a move would mean: who gains and who loses sight, of how many units and open cases; and why not.

    Attributes:
        was: The code of the unit it is under now; None for a topmost one.
        against: Every reason why it cannot be done; empty when it can.
    """

    unit: UnitRow
    under: UnitRow
    was: str | None
    units: int
    cases: int
    gain: tuple[Sighted, ...]
    lose: tuple[Sighted, ...]
    against: tuple[Sentence, ...]


def rearranged(desk: Desk, code: str, under: str, at: datetime) -> Rearrangement:
    """What it would mean to move a unit under another.

    Raises:
        Unknown: If there is no such unit.
        Misplaced: If a kind of unit does not stand under the other's kind.
    """
    unit, parent = _known(desk, code), _known(desk, under)
    inside = desk.library.rulebook.organisation.units[unit.kind].inside
    if parent.kind not in inside:
        raise Misplaced(code, unit.kind, under, parent.kind, inside)
    old, new = _above(unit.path), _above(f"{parent.path}{code}/")
    sight = list(_onlookers(desk, {*old, *new}, at))
    return Rearrangement(
        unit=unit,
        under=parent,
        was=unit.parent,
        units=sum(1 for one in desk.units().values() if one.path.startswith(unit.path)),
        cases=len(_open_cases(desk, unit.path)),
        gain=tuple(one for path, one in sight if path not in old),
        lose=tuple(one for path, one in sight if path not in new),
        against=tuple(_against(desk, unit, parent)),
    )


def move_unit(desk: Desk, code: str, under: str, request: Request) -> Rearrangement:
    """Move a unit under another, with everything below it; whether the person may is for the caller to know.

    Args:
        desk: Where they are kept.
        code: The unit.
        under: The unit it stands under from now on.
        request: By whom and when.

    Returns:
        What it meant; where `against` has reasons, nothing was done.

    Raises:
        Unknown: If there is no such unit.
        Misplaced: If a kind of unit does not stand under the other's kind.
        StaleCase: If somebody moved a case of the unit meanwhile; nothing was done then.
    """
    desk.refresh()
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else changes the organisation waits here
        meant = rearranged(desk, code, under, request.at)
        if meant.against:
            return meant
        unit, path = meant.unit, f"{meant.under.path}{code}/"
        unit_moves.move(desk.connection, code, under, (unit.path, path))
        data = {**told_of(replace(unit, parent=under)), "was": unit.parent}
        event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
        [written] = desk.record_events([(EventKind.UNIT_CHANGED, event)])
        desk.refresh()
        _follow(desk, path, request, cause_of(REGISTRY, written.seq))
    return meant


def _follow(desk: Desk, path: str, request: Request, cause: Mapping[str, Json]) -> None:
    """What of the cases reads the units above: deadlines, where they wait, in which lane."""
    settle(desk, dict.fromkeys(running_at(desk.connection, path), cause), request, lambda watch: bool(watch.units))
    cases = _open_cases(desk, path)
    for start in range(0, len(cases), _CHUNK):
        for found in read_cases(desk.connection, cases[start : start + _CHUNK]).values():
            wait_elsewhere(desk, desk.machine(found.case.shape), found, request)
    lanes.settle(desk, cases, request)


def _known(desk: Desk, code: str) -> UnitRow:
    row = desk.units().get(code)
    if row is None:
        raise Unknown("单位 unit", code, desk.units())
    return row


def _above(path: str) -> tuple[str, ...]:
    """The paths of the units above one, topmost first."""
    parts = path.split("/")[1:-2]
    return tuple(f"/{'/'.join(parts[: count + 1])}/" for count in range(len(parts)))


def _onlookers(desk: Desk, paths: set[str], at: datetime) -> Iterator[tuple[str, Sighted]]:
    """Those who know of cases below some units because of a role there, held or lent, each with the unit's path."""
    parts = desk.workflows_by_role()
    for one in unit_moves.onlookers(desk.connection, sorted(paths), at):
        grant = Grant(role=one.role, unit=one.unit, path=one.path)
        if scopes_of(Actor(login=one.login, grants=(grant,)), parts, at):
            yield one.path, Sighted(one.login, one.name, one.role, one.unit)


def _open_cases(desk: Desk, path: str) -> list[int]:
    """The cases at a unit and below that have not ended, by number."""
    rows = unit_moves.cases_below(desk.connection, path)
    return [case for case, shape, state in rows if not desk.definition(shape).is_final(state)]


def _against(desk: Desk, unit: UnitRow, parent: UnitRow) -> Iterator[Sentence]:
    """Everything that stands in the way of a move."""
    if parent.path.startswith(unit.path):
        yield Sentence(zh="不能移到自己或自己的下级之下。", en="A unit cannot stand under itself or what is below it.")
    elif parent.code == unit.parent:
        yield Sentence(zh=f"已在“{parent.name}”之下。", en=f"It stands under '{parent.name}' already.")
    old, new = _profile(desk, unit.parent), _profile(desk, parent.code)
    if unit.profile is None and old != new:
        yield Sentence(
            zh=f"办学类型会由 {old or '—'} 变为 {new or '—'}，在办的件按哪个办不能确定；请先为本单位写明办学类型。",
            en=f"It would work by {new or '—'} instead of {old or '—'}; give the unit a profile of its own first.",
        )
    seated = [case_number(one) for one in unit_moves.seated_below(desk.connection, unit.path)]
    if seated:
        which = "、".join(seated[:_SHOWN])
        yield Sentence(
            zh=f"{len(seated)} 件有在此加签的人，签完后再移：{which}。",
            en=f"{len(seated)} cases have signers added here; let them be signed first: {which}.",
        )


def _profile(desk: Desk, code: str | None) -> str | None:
    try:
        return None if code is None else desk.profile_of(code)
    except Unknown:
        return None
