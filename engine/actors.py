"""Who acts: a person's login and the roles held at units of the organisation, or lent by others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role held at a unit; it reaches the unit and everything below it (`path` ends with a slash).

    One that somebody else lends (委派) names its `giver`, why, from when (empty: for ever) and until when (moments of
    the trail, both included); with a `case` it is good for that case only.
    """

    role: str
    unit: str
    path: str
    giver: str | None = None
    case: int | None = None
    since: str = ""
    until: str | None = None
    reason: str = ""

    def counts_at(self, at: str) -> bool:
        """Whether it has begun and is not over at a moment of the trail."""
        return self.since <= at and (self.until is None or at <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person (or `import`, `timer`, `effect`) with the rights held at the moment of the request.

    `grants` are a person's own; what others lend stands apart in `delegated`, so that the usual step never sees it.
    """

    login: str
    grants: tuple[Grant, ...] = ()
    delegated: tuple[Grant, ...] = ()
    student: int | None = None

    def grant_for(self, roles: Collection[str], path: str, case: int = 0) -> Grant | None:
        """The right this actor would use for one of `roles` at a unit, or None; a closer unit comes first.

        A right of one's own comes before one that is lent. A lent one may have run out: whoever decides asks when.
        """
        closest = None
        for grant in self.grants:
            if grant.role in roles and path.startswith(grant.path):
                closest = grant if closest is None or len(grant.path) > len(closest.path) else closest
        return self._lent(roles, path, case) if closest is None and self.delegated else closest

    def holds(self, role: str, path: str) -> bool:
        """Whether the role is the actor's own at a unit or above it: what is lent cannot be lent on."""
        return any(grant.role == role and path.startswith(grant.path) for grant in self.grants)

    def lent_at(self, at: str) -> tuple[Grant, ...]:
        """What others lend that counts at a moment of the trail."""
        return tuple(one for one in self.delegated if one.counts_at(at))

    def begun_by(self, at: datetime) -> Actor:
        """The same person without what is lent from a later moment on; what is over stays, so that it can be told."""
        begun = tuple(one for one in self.delegated if not one.since or datetime.fromisoformat(one.since) <= at)
        return self if len(begun) == len(self.delegated) else replace(self, delegated=begun)

    def roles_within(self, first: str, last: str | None = None) -> frozenset[str]:
        """Every role held at any time from one moment of the trail to another (None: for ever), own or lent."""
        lent = (
            one.role
            for one in self.delegated
            if (one.until is None or first <= one.until) and (last is None or one.since <= last)
        )
        return frozenset((*(grant.role for grant in self.grants), *lent))

    def is_student(self, student: int | None) -> bool:
        """Whether this account is that student's."""
        return student is not None and self.student == student

    def _lent(self, roles: Collection[str], path: str, case: int) -> Grant | None:
        """The lent right that lasts longest, so that one that has run out never hides one that has not."""
        fitting = [
            grant
            for grant in self.delegated
            if grant.role in roles and path.startswith(grant.path) and grant.case in (None, case)
        ]
        return max(fitting, key=lambda one: (one.until is None, one.until or "", len(one.path)), default=None)


IMPORT = Actor(login="import", grants=(Grant(role="import", unit="", path=""),))
"""A sheet read in by the registry itself: it opens records and writes facts, and can do nothing else."""

TIMER = Actor(login="timer", grants=(Grant(role="timer", unit="", path=""),))
"""The clock: it takes the steps that missed deadlines fire, and can do nothing else."""

THE_PAST, ROLL_CALL, EXAMINER = Actor(login="past"), Actor(login="roll"), Actor(login="audit")
"""Who asks what nobody asks: a decision again as it was, who stands where, whether what must hold does. None acts."""

SETUP, PUBLISHER, ONLOOKER = "setup", "serve", "console"
"""Whom the trail names before anybody has an account, and where a house publishes what its files say by itself; who
looks without having said who that is."""

RESERVED = frozenset(
    (
        *(one.login for one in (IMPORT, TIMER, THE_PAST, ROLL_CALL, EXAMINER)),
        *(SETUP, PUBLISHER, ONLOOKER),
        *("student", "effect", "members"),  # what is no person where a step says by whom it is taken
    )
)
"""Logins of nobody: a person called so would be taken for whoever acts under that name, and given what is theirs."""
