"""The top bar: at most six entries, by what a person may do (the console's specification, section 3)."""

from __future__ import annotations

from typing import NamedTuple

from console.web.audiences import Audience, audiences
from engine.actors import Actor


class Entry(NamedTuple):
    """One entry: where it leads, its text (a name for `say`), whether the person is there, and how many wait there.

    `many` None: nothing waits there, or the page tells of a fault and counts nothing.
    """

    address: str
    text: str
    is_here: bool
    many: int | None = None


_TODO = "/queue/todo"
_ENTRIES = (
    (_TODO, "待办", frozenset({Audience.STAFF})),
    ("/batches", "批次", frozenset({Audience.STAFF, Audience.AUDITOR})),
    ("/lists", "名单名册", frozenset({Audience.STAFF, Audience.AUDITOR})),
    ("/files", "导入导出", frozenset({Audience.STAFF})),
    ("/audit", "审计", frozenset({Audience.AUDITOR})),
    ("/admin", "管理", frozenset({Audience.ADMIN})),
)
_PLACES = {
    _TODO: ("/queue", "/cases", "/bulk"),
    "/batches": ("/batches", "/nudge", "/admin/batches"),
    "/files": ("/files", "/imports", "/exports"),
}
"""Pages that belong to an entry by another address than its own."""


def entries(actor: Actor, path: str, waiting: int | None = None) -> tuple[Entry, ...]:
    """The entries of a person who is at a path; `waiting` is how many cases wait there, where that is known."""
    belongs = audiences(actor)
    return tuple(
        Entry(
            address,
            text,
            any(path.startswith(one) for one in _PLACES.get(address, (address,))),
            waiting if address == _TODO else None,
        )
        for address, text, for_whom in _ENTRIES
        if belongs & for_whom
    )
