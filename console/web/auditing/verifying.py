"""Verifying one case here and now: what was checked, what did not agree, and what could not be checked.

The proof for those who do not trust this house is the bundle and its own verifier (`xueji audit export`, `verify`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import NamedTuple

from console.web.cases.looking import looked_at
from console.web.visit import Visit
from engine.replay import replay_one
from engine.store import bundles, leaves
from engine.store.bundles import Line, Scope
from engine.store.cases import Found
from engine.store.database import Connection
from engine.store.leaves import TreeBroken
from engine.trail.event import REGISTRY, chain_name
from engine.trail.notes import Checkpoint
from engine.trail.tree import Node, includes, inclusion_path, leaf_hash


class Mismatch(NamedTuple):
    """An event that does not agree: of the case itself or of its student, its number, and why if it is known."""

    is_own: bool
    seq: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """How far the events of a case are sealed: under the head of which size, how many, and how many not yet."""

    size: int
    sealed: int
    unsealed: int
    missing: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of verifying a case.

    Attributes:
        events: How many were read, of the case and of what is known about its student.
        mismatches: Where links, MACs or the rows kept beside do not agree with the events.
    """

    number: str
    events: int
    mismatches: tuple[Mismatch, ...]
    sealing: Sealing

    @property
    def agrees(self) -> bool:
        """Whether nothing that was checked disagrees."""
        return not self.mismatches and not self.sealing.missing


def verify(visit: Visit, found: Found) -> Checked:
    """Replay the chains of a case and of its student, and prove each sealed event to be under the newest head.

    That it was asked for is kept as a look at the case, afterwards, so that it is not among what was checked.
    """
    case, office = found.case, visit.office
    connection = visit.desk.connection
    chains = [case.id] if case.student is None else [case.id, -case.student]
    replayed = reduce(add, (replay_one(connection, office.log, office.key, chain) for chain in chains))
    own = chain_name(case.id)
    checked = Checked(
        number=case.number,
        events=replayed.events,
        mismatches=tuple(Mismatch(one.chain == own, one.seq, one.why) for one in replayed.diverged),
        sealing=_sealing(connection, Scope(kind="case", name=case.number, case=case.id)),
    )
    looked_at(visit, found)
    return checked


def _sealing(connection: Connection, scope: Scope) -> Sealing:
    with connection.reading():
        note = leaves.latest(connection)
        head = None if note is None else Checkpoint.parse(note.text)
        size = 0 if head is None else head.size
        lines = [one for one in bundles.events(connection, scope, size) if one.chain != REGISTRY]
        sealed = [one for one in lines if one.place is not None]
        missing = () if head is None else _missing(sealed, head, leaves.node(connection), scope)
    return Sealing(size=size, sealed=len(sealed), unsealed=len(lines) - len(sealed), missing=missing)


def _missing(lines: Sequence[Line], head: Checkpoint, tree: Node, scope: Scope) -> tuple[Mismatch, ...]:
    """The events said to be sealed that are not under the head as they stand now."""
    return tuple(Mismatch(one.chain == scope.case, one.seq, "") for one in lines if not _is_under(one, head, tree))


def _is_under(line: Line, head: Checkpoint, tree: Node) -> bool:
    place = line.place or 0
    try:
        path = inclusion_path(place, head.size, tree)
    except TreeBroken:
        return False
    return includes(leaf_hash(line.hash + line.mac), place, head.size, path, head.root)
