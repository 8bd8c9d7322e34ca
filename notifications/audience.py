"""Who is told of a rung of a deadline; and where nobody can act, who above them hears of that.

Used by what tells (`scanning`) and by what says beforehand who would be told (`planning`), so that both agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from engine.definition import Bilingual, Deadline
from engine.desk import Desk
from engine.ladder import ESCALATED, Rung
from engine.records import Case
from notifications.people import Found, Person, Roll, why

NOBODY_LEFT = "nobody_left"
"""The message that says that a role in charge has nobody who can act."""


class Addressee(NamedTuple):
    """Somebody who is told, and why."""

    person: Person
    why: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who hears of a rung.

    Attributes:
        told: Those who can act.
        vacant: The roles of the rung in which nobody can.
        reported: Those above who hear of the vacant roles instead.
    """

    told: tuple[Addressee, ...]
    vacant: tuple[str, ...]
    reported: tuple[Addressee, ...]


def audience(desk: Desk, roll: Roll, case: Case, deadline: Deadline, rung: Rung) -> Audience:
    """Who hears of a rung: each person once, in the first of the roles.

    A role that has nothing to sign now is left in peace, as long as others of the rung can act.
    """
    found = {role: roll.find(case, role) for role in rung.to}
    if rung.message != ESCALATED and not all(one.is_idle for one in found.values()):
        found = {role: one for role, one in found.items() if not one.is_idle}
    vacant = tuple(role for role, one in found.items() if not one.people)
    return Audience(
        told=_each_once(desk, found),
        vacant=vacant,
        reported=_reported(desk, roll, case, deadline, vacant) if vacant else (),
    )


def reported_rung(rung: Rung, vacant: tuple[str, ...]) -> Rung:
    """The rung as those hear of it who are told that nobody is left: another one, so that both can reach a person."""
    return rung._replace(name=f"{rung.name}/nobody", message=NOBODY_LEFT, to=vacant)


def _each_once(desk: Desk, found: dict[str, Found]) -> tuple[Addressee, ...]:
    each: dict[str, Addressee] = {}
    for role, one in found.items():
        for person in one.people:
            reason = why(desk, role, one.unit, stands_in=person.key in one.stand_ins)
            each.setdefault(person.key, Addressee(person, reason))
    return tuple(each.values())


def _reported(desk: Desk, roll: Roll, case: Case, deadline: Deadline, vacant: tuple[str, ...]) -> tuple[Addressee, ...]:
    """Those to whom a missed deadline goes, else whoever has a part in the procedure at the next unit above."""
    role = None if deadline.escalate is None else deadline.escalate.to
    if role is not None and role not in vacant:
        found = _each_once(desk, {role: roll.find(case, role)})
        if found:
            return found
    return tuple(Addressee(one, why(desk, held, unit, stands_in=False)) for one, held, unit in roll.above(case))
