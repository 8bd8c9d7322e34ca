"""Seals: the heads that were signed, what is not under one yet, and whether all of it is as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from console.seal_status import SealStatus, seal_status
from console.web.visit import Visit
from engine.store import leaves
from engine.store.leaves import Head, TreeBroken
from engine.trail.notes import Checkpoint
from engine.trail.tree import Node, root_at

PAGE = 30
_SHOWN_OF_ROOT = 16


class HeadLine(NamedTuple):
    """A head in the list: how many events are under it, its root in short, when it was signed, by which keys."""

    size: int
    root: str
    signed_at: datetime
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealsView:
    """The page; `following` is the size before which the next page begins."""

    heads: tuple[HeadLine, ...]
    unsealed: int
    following: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of a check: the heads looked at, those whose root is another now, and how the log stands."""

    heads: int
    changed: tuple[int, ...]
    status: SealStatus

    @property
    def agrees(self) -> bool:
        """Whether nothing disagrees."""
        return not (self.changed or self.status.trouble or self.status.guards_missing)


def seals_view(visit: Visit, before: int | None) -> SealsView:
    """The heads, the newest first, and how many events wait for one."""
    connection = visit.desk.connection
    found, low = leaves.newest_heads(connection, before, PAGE + 1)
    lines = tuple(_line(one) for one in found[:PAGE])
    return SealsView(
        heads=lines,
        unsealed=leaves.count_unsealed_after(connection, low),
        following=lines[-1].size if len(found) > PAGE else None,
    )


def newest(visit: Visit, most: int) -> list[HeadLine]:
    """The newest heads, so many at most."""
    return [_line(one) for one in leaves.newest_heads(visit.desk.connection, None, most)[0]]


def _line(head: Head) -> HeadLine:
    told = Checkpoint.parse(head.note.text)
    signers = tuple(dict.fromkeys(one.name for one in head.note.signatures))
    return HeadLine(told.size, told.root.hex()[:_SHOWN_OF_ROOT], head.signed_at, signers)


def check(visit: Visit) -> Checked:
    """Work out the roots of the newest heads again from the leaves, and see whether the next could be signed."""
    connection = visit.desk.connection
    with connection.reading():
        found, _ = leaves.newest_heads(connection, None, PAGE)
        tree = leaves.node(connection)
        heads = [Checkpoint.parse(one.note.text) for one in found]
        changed = tuple(one.size for one in heads if not _is_so(one, tree))
    return Checked(heads=len(heads), changed=changed, status=seal_status(visit.office, visit.house.settings))


def _is_so(head: Checkpoint, tree: Node) -> bool:
    try:
        return root_at(head.size, tree) == head.root
    except TreeBroken:
        return False
