"""What a person may know of: role by subtree of units by workflow, one filter for every list, page and search.

Rule 1: a role sees the cases at or below the unit it is held at, of those workflows in which it has any part at all,
and those that wait for it at another unit than their own.
Rule 2: an auditor sees every case at or below the unit; a student the own cases; what is lent is seen while it runs.
Rule 3: whoever has a part in nothing, such as the administrators of the system, sees no case.

Source: requirements.md INV-ACC-1; the definition language, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from engine.actors import Actor, Grant
from engine.desk import Desk
from engine.records import Case
from engine.store.students import below
from engine.store.waiting import places_of
from engine.trail.event import moment

AUDITOR = "auditor"
"""The role that has a part in nothing and sees everything, at the own unit and below."""
STUDENT = "student"


class Scope(NamedTuple):
    """Cases that one right lets a person know of.

    They are at or below `path`. `workflows` None: all of them. With `case` that one only, with `student` only those
    about that student, wherever they are. A role with a part in some is also waited for at other units than theirs.
    """

    role: str
    path: str = ""
    workflows: tuple[str, ...] | None = None
    case: int | None = None
    student: int | None = None

    def covers(self, case: Case) -> bool:
        """Whether a case is among them, as far as its own unit says."""
        if self.student is not None:
            return case.student == self.student
        if self.case is not None and case.id != self.case:
            return False
        return case.path.startswith(self.path) and (self.workflows is None or case.workflow in self.workflows)


Place = tuple[str, str]
"""A role that is waited for, and the path of the unit where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """Everything a person may know of at a moment."""

    scopes: tuple[Scope, ...]
    waits_at: Callable[[int], Sequence[Place]] = field(repr=False, compare=False)

    def where(self, alias: str = "c", key: str = "id") -> tuple[str, tuple[object, ...]]:
        """The condition of a list, as SQL with its parameters; it stands in brackets and may be joined by AND.

        Args:
            alias: The table of the list: `cases`, or one that has `path` and `workflow` of the case like it.
            key: The column of that table with the case's number.
        """
        parts: list[str] = []
        params: list[object] = []
        for scope in self.scopes:
            for text, values in _conditions(scope, alias, f"{alias}.{key}"):
                parts.append(text)
                params += values
        return (f"({' OR '.join(parts)})", tuple(params)) if parts else ("(1 = 0)", ())

    def sees(self, case: Case) -> bool:
        """Whether the person may know of a case; where it waits elsewhere is looked up only if nothing else says so."""
        if any(scope.covers(case) for scope in self.scopes):
            return True
        staff = [scope for scope in self.scopes if _may_be_waited_for(scope) and scope.case in (None, case.id)]
        if not staff:
            return False
        return any(
            scope.role == role and path.startswith(scope.path)
            for role, path in self.waits_at(case.id)
            for scope in staff
        )


def visible_to(desk: Desk, actor: Actor, at: datetime) -> Visible:
    """What a person may know of.

    Args:
        desk: Where the cases are.
        actor: The person, with the rights held now.
        at: Now; what was lent until before then is seen no more.
    """
    return Visible(
        scopes=scopes_of(actor, desk.workflows_by_role(), at), waits_at=lambda case: places_of(desk.connection, case)
    )


def scopes_of(actor: Actor, parts: Mapping[str, Sequence[str]], at: datetime) -> tuple[Scope, ...]:
    """The scopes of a person's rights, each once; `parts` are the workflows in which each role has a part."""
    now = moment(at)
    found = [scope for grant in (*actor.grants, *actor.lent_at(now)) if (scope := _scope(grant, parts)) is not None]
    if actor.student is not None:
        found.append(Scope(STUDENT, student=actor.student))
    return tuple(dict.fromkeys(found))


def _scope(grant: Grant, parts: Mapping[str, Sequence[str]]) -> Scope | None:
    if grant.role == AUDITOR:
        return Scope(AUDITOR, path=grant.path, case=grant.case)
    if grant.role == STUDENT and grant.case is None:
        return None  # a signature is left for one case; a unit full of students is nobody's own
    workflows = parts.get(grant.role)
    return None if not workflows else Scope(grant.role, grant.path, tuple(workflows), grant.case)


def _may_be_waited_for(scope: Scope) -> bool:
    return scope.student is None and scope.role != AUDITOR


def _conditions(scope: Scope, alias: str, key: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """What the cases of a scope have in common: at its unit or below, or waiting for it elsewhere."""
    if scope.student is not None:
        yield f"{key} IN (SELECT o.id FROM cases o WHERE o.student = ?)", (scope.student,)  # noqa: S608 names only
        return
    text, params = ("", ()) if scope.case is None else (f"{key} = ? AND ", (scope.case,))
    here = f"{text}{alias}.path >= ? AND {alias}.path < ?"
    if scope.workflows is None:
        yield here, (*params, *below(scope.path))
    else:
        marks = ",".join("?" * len(scope.workflows))
        yield f"{here} AND {alias}.workflow IN ({marks})", (*params, *below(scope.path), *scope.workflows)
    if _may_be_waited_for(scope):
        waits = f"{key} IN (SELECT w.case_id FROM waiting w WHERE w.role = ? AND w.path >= ? AND w.path < ?)"  # noqa: S608
        yield f"{text}{waits}", (*params, scope.role, *below(scope.path))
