"""In what right a person takes a step: a role at a unit, the own case, a delegation, or as the effect of another step.

Pure. What is not known of the case is asked of `Sight`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from engine.actors import Actor, Grant
from engine.definition import Who
from engine.errors import NotAllowed
from engine.expressions.kinds import Row
from engine.records import Case, Json, Request
from engine.step import Step
from engine.store.documents import DocumentRow
from engine.trail.event import moment

EFFECT = "effect"
"""The role in which a step is taken that another case's step fires."""


class Sight(Protocol):
    """What is known at the moment of a decision: the deciding asks, the caller looks it up."""

    def see(self, facts: Sequence[str], others: Sequence[str]) -> dict[str, Json]:
        """The values of all keys, None where not known: `facts` are stored facts of the student, `others` the rest."""
        ...

    def place(self, at: str) -> tuple[str, str] | None:
        """The unit at which a role counts, and its path: of a kind at or above the case's, or the one a field names."""
        ...

    def units_of_members(self, kind: str) -> Sequence[tuple[str, str]]:
        """The units of a kind that the members of a list belong to, with their paths."""
        ...

    def documents(self) -> Sequence[DocumentRow]:
        """The documents on the case."""
        ...

    def handed_in_by(self, kind: str) -> Sequence[str]:
        """Who handed in the documents of a kind that are on the case."""
        ...

    def member_rows(self) -> Sequence[Row]:
        """The members of a list, as rows."""
        ...

    def own_row(self) -> Row:
        """The case itself with what is known about its student, as a row."""
        ...

    def late(self) -> Sequence[str]:
        """The deadlines that ran in the case's state and are over."""
        ...

    def frozen_on(self) -> Sequence[str]:
        """The numbers of the lists on which the case is frozen and which have not ended."""
        ...

    def steps_taken(self) -> Sequence[tuple[str, str]]:
        """The steps the case has taken, oldest first: trigger, and the state it led to."""
        ...

    def after(self, case: Case, facts: Mapping[str, Json]) -> Sight:
        """What will be known once the case stands so and these facts of its student are written."""
        ...

    def taken_elsewhere(self, facts: Mapping[str, Json]) -> Sequence[str]:
        """The facts among these that belong to one person only and that another student has already."""
        ...


class Right(NamedTuple):
    """In what right a person acts: the grant, what the definition says of such people, and what stands against it."""

    grant: Grant
    who: Who
    barred: str | None = None


def entitled(step: Step, case: Case, request: Request, sight: Sight) -> Right:
    """In what right a person takes a step on this case, where that is not simply a role at the case's unit.

    Raises:
        NotAllowed: If there is no right at all, not even one that has run out.
    """
    for who, roles in step.entitled:
        if request.caused and who.role in (EFFECT, "members"):
            return Right(Grant(role=EFFECT, unit=case.unit, path=case.path), who)
        place = (case.unit, case.path) if who.at is None else sight.place(who.at)
        found = None if place is None or request.caused else right_at(who, roles, place, case, request)
        if found is not None:
            return found
    raise NotAllowed(request.actor.login, request.trigger, [who.acting_role for who, _ in step.entitled], case.unit)


def right_at(who: Who, roles: tuple[str, ...], place: tuple[str, str], case: Case, request: Request) -> Right | None:
    """In what right a person acts as one of `who` at a place (unit and path), or None.

    A student is the one the case is about, or somebody to whom that student has left it where the definition allows.
    """
    actor = request.actor
    if who.role == "student" and actor.is_student(case.student):
        return Right(Grant(role="student", unit=case.unit, path=case.path), who)
    if who.delegates is not None and any(actor.holds(role, place[1]) for role in who.delegates.roles):
        left = actor.grant_for(("student",), place[1], case.id)
        if left is not None:
            return Right(left, who, _bar(who, left, request))
    grant = actor.grant_for(roles, place[1], case.id)
    if grant is not None:
        return Right(grant, who, _bar(who, grant, request))
    if who.delegates is None:
        return None
    held_here = (one for one in actor.grants if one.role in who.delegates.roles and place[1].startswith(one.path))
    held = next(held_here, None)
    return None if held is None else Right(held, who, "delegation-missing")  # it could be left to this person


def _bar(who: Who, grant: Grant, request: Request) -> str | None:
    """What stands against acting by a delegation: done in person only, or the time is over (G-SG-01, G-SG-02)."""
    if grant.giver is None:
        return None
    if who.in_person and who.delegates is None:
        return "in-person"
    return "delegation-missing" if grant.until is not None and grant.until < moment(request.at) else None


def decides_own_case(actor: Actor, grant: Grant, case: Case) -> bool:
    """Whether somebody acts as staff on the case about themselves."""
    return actor.is_student(case.student) and grant.role != "student"


def people_of(request: Request, grant: Grant) -> tuple[str, ...]:
    """Who counts as having taken a step: the one who acts, and the one who delegated; nobody for an effect."""
    if request.caused:
        return ()
    login = request.actor.login
    return (login,) if grant.giver is None else (login, grant.giver)


def said_of(step: Step, request: Request, stands: Right) -> Mapping[str, Json]:
    """What the event says whichever case it is of and whatever is decided."""
    grant = stands.grant
    said: dict[str, Json] = {
        "at": moment(request.at),
        "actor": request.actor.login,
        "role": grant.role,
        "unit": grant.unit,
    }
    if request.id is not None:
        said["request"] = request.id
    if grant.giver is not None:
        said["delegation"] = {"by": grant.giver, "why": grant.reason, "until": grant.until}
    if stands.who.recorded_by is not None:
        said["done_by"] = stands.who.role
    if step.transition.on_behalf_of is not None:
        said["on_behalf_of"] = step.transition.on_behalf_of
    return said
