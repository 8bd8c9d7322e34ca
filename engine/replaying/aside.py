"""Aside: what events say of rows kept beside a case's own (documents, members of a list, delegations, deadlines).

Most chains have none, so nothing here is made or asked until an event or a row calls for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from engine.filing import Filed
from engine.records import Json
from engine.replaying.deadlines import TOLD, Clocks
from engine.replaying.erasures import Erasures
from engine.replaying.members import digest_then
from engine.store import deadlines, documents
from engine.store.database import Connection
from engine.store.deadlines import Row
from engine.store.documents import DocumentRow
from engine.store.trail import Lent, delegations_in_range, members_in_range
from engine.trail.event import REGISTRY, EventKind

_LENT = (EventKind.DELEGATED, EventKind.HANDED_OVER)
TOLD_ASIDE = TOLD | frozenset(
    map(str, (EventKind.EVIDENCE_ADDED, EventKind.EVIDENCE_WITHDRAWN, EventKind.DELEGATION_REVOKED, *_LENT))
)
"""Kinds of event that always say something of rows beside the case's own."""


class Kept(NamedTuple):
    """The rows beside one chain."""

    documents: Sequence[DocumentRow] = ()
    members: Sequence[int] = ()
    delegations: Sequence[Lent] = ()
    deadlines: Sequence[Row] = ()


_NOTHING_KEPT = Kept()


class Shelf:
    """All rows beside a range of chains, given out chain by chain in rising order."""

    __slots__ = ("_deadlines", "_delegations", "_documents", "_members", "least")

    def __init__(self, connection: Connection, span: tuple[int, int]) -> None:
        self._documents = _Queue((row.case, row) for row in documents.in_range(connection, span))
        self._members = _Queue(members_in_range(connection, span))
        self._delegations = _Queue(delegations_in_range(connection, span))
        self._deadlines = _Queue(deadlines.in_range(connection, span))
        self.least: int | None = None
        self._look()

    def _look(self) -> None:
        queues = (self._documents, self._members, self._delegations, self._deadlines)
        self.least = min((one.chain for one in queues if one.chain is not None), default=None)

    def take(self, chain: int) -> Kept:
        """The rows beside a chain; those of chains before it must have been taken."""
        if self.least != chain:
            return _NOTHING_KEPT
        kept = Kept(
            documents=list(self._documents.take(chain)),
            members=list(self._members.take(chain)),
            delegations=list(self._delegations.take(chain)),
            deadlines=list(self._deadlines.take(chain)),
        )
        self._look()
        return kept


class _Queue:
    """Rows by chain, the next one in sight."""

    __slots__ = ("_next", "_rows", "chain")

    def __init__(self, rows: Iterator[tuple[int, Any]]) -> None:
        self._rows = rows
        self.chain: int | None = None
        self._next: Any = None
        self._step()

    def _step(self) -> None:
        self.chain, self._next = next(self._rows, (None, None))

    def take(self, chain: int) -> Iterator[Any]:
        while self.chain == chain:
            yield self._next
            self._step()


class Aside:
    """What the events of one chain say of the rows beside it."""

    __slots__ = ("_chain", "_clocks", "_filed", "_fixed", "_fixed_at", "_lent")

    def __init__(self, chain: int) -> None:
        self._chain = chain
        self._filed = Filed()
        self._clocks = Clocks()
        self._lent: list[Lent] = []
        self._fixed: Mapping[str, Any] | None = None
        self._fixed_at = 0

    @property
    def documents(self) -> Sequence[DocumentRow]:
        """The documents told of so far; of forms made by a step only the hash."""
        return self._filed.rows

    @property
    def deadlines(self) -> Sequence[Row]:
        """The deadline rows told of so far."""
        return self._clocks.rows(self._chain)

    @property
    def lent(self) -> Sequence[Lent]:
        """The delegations told of so far, those that were taken back too."""
        return self._lent

    @property
    def fixed(self) -> tuple[Mapping[str, Any], int] | None:
        """What the last freezing committed to (count and SHA-256) and its event; None while nobody is fixed."""
        return None if self._fixed is None else (self._fixed, self._fixed_at)

    def apply(self, event: Mapping[str, Any]) -> None:
        """Add one event of the chain."""
        kind, seq, data = event["kind"], event["seq"], event["data"]
        self._clocks.apply(event)
        if kind in _LENT:
            self._lent.append(_lent(event["at"], data))
        elif kind == EventKind.DELEGATION_REVOKED:
            self._lent = [self._revoked(one, event["at"], data) for one in self._lent]
        else:
            self._filed.apply(kind, seq, data)
            if "members" in data:
                self._fixed, self._fixed_at = data["members"], seq

    def reveal(self, seq: int, personal: Mapping[str, Json]) -> None:
        """Add what opens an event's commitment."""
        self._filed.reveal(seq, personal)

    def _revoked(self, one: Lent, at: str, data: Mapping[str, Any]) -> Lent:
        """A student may stand under two names, login and number, and both end; a case may have changed its unit."""
        same = (one.taker, one.role) == (data["to"], data["role"])
        giver = one.giver == data["by"] or one.role == "student"
        place = one.unit == data["unit"] or self._chain != REGISTRY
        return one._replace(revoked_at=at) if same and giver and place and one.is_standing else one

    def differences(self, connection: Connection, kept: Kept, erasures: Erasures) -> list[str]:
        """The rows that are kept otherwise than the events say."""
        told, found = Counter(self._lent), Counter(kept.delegations)
        lent = sorted({f"delegation to {one.taker} as {one.role}" for one in (told - found) + (found - told)})
        members = self._members(connection, kept.members)
        filed = self._filed.differences(kept.documents, partial(erasures.covers, self._chain))
        return [*filed, *members, *lent, *self._clocks.differences(kept.deadlines)]

    def _members(self, connection: Connection, kept: Sequence[int]) -> Iterator[str]:
        count = 0 if self._fixed is None else self._fixed["count"]
        if count != len(kept):
            yield f"members ({count} fixed, {len(kept)} kept)"
        elif self._fixed is not None and kept:
            then = digest_then(connection, self._chain, self._fixed_at)
            if then != self._fixed["sha256"]:
                yield "members (not those that were fixed)"


def _lent(at: str, data: Mapping[str, Any]) -> Lent:
    words = cast("tuple[str, str, str, str, str]", tuple(data[key] for key in ("by", "to", "role", "unit", "why")))
    return Lent(*words, for_good=data["for_good"], since=data.get("since", at), until=data["until"], revoked_at=None)
