"""Who acts: a person's login and the roles held at units of the organisation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role held at a unit; it reaches the unit and everything below it (`path` ends with a slash)."""

    role: str
    unit: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person (or `import`, `timer`, `effect`) with the rights held at the moment of the request."""

    login: str
    grants: tuple[Grant, ...] = ()

    def grant_for(self, roles: Collection[str], path: str) -> Grant | None:
        """The right this actor would use for one of `roles` at a unit, or None; a closer unit comes first."""
        closest = None
        for grant in self.grants:
            if grant.role in roles and path.startswith(grant.path):
                closest = grant if closest is None or len(grant.path) > len(closest.path) else closest
        return closest


IMPORT = Actor(login="import", grants=(Grant(role="import", unit="", path=""),))
"""A sheet read in by the registry itself: it opens records and writes facts, and can do nothing else."""
