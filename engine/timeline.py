"""The timeline of a case: its own chain and its student's, read back in the order of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from engine.desk import Desk
from engine.records import Json
from engine.store.cases import Found
from engine.trail.event import EventKind

_PASSED = (EventKind.DELEGATED, EventKind.HANDED_OVER, EventKind.DELEGATION_REVOKED)
"""Events in which `to` is a person and not a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a timeline.

    `origin` and `target` are states; `changed` holds the open facts or fields that changed, `sealed` the names of
    the personal ones. `taker` is to whom a right or the case was passed; `deadline` is the one it is about, `due` its
    date from then on.
    """

    at: str
    chain: str
    seq: int
    kind: str
    actor: str
    role: str
    trigger: str | None
    origin: str | None
    target: str | None
    failed: tuple[str, ...]
    undecided: tuple[str, ...]
    changed: Mapping[str, Json]
    sealed: tuple[str, ...]
    reason: str | None
    taker: str | None = None
    deadline: str | None = None
    due: str | None = None


def timeline(desk: Desk, found: Found) -> tuple[Entry, ...]:
    """Everything that happened to a case and to what is known about its student, oldest first.

    Personal values stay sealed: only their names are told. What auditors noted is left out: it is not for the people
    of the case, and `engine.auditing.papers` reads it.
    """
    chains = [found.case.id] + ([-found.case.student] if found.case.student is not None else [])
    marks = ",".join("?" * len(chains))
    sql = f"SELECT body FROM event WHERE chain IN ({marks})"  # noqa: S608 question marks only
    rows = desk.connection.execute(sql, tuple(chains)).fetchall()
    events = [orjson.loads(bytes(row[0])) for row in rows]
    entries = [_entry(event) for event in events if event["kind"] != EventKind.NOTED]
    return tuple(sorted(entries, key=lambda one: (one.at, one.chain.startswith("case/"), one.seq)))


def _entry(event: Mapping[str, Any]) -> Entry:
    data = event["data"]
    is_passed = event["kind"] in _PASSED
    changed = data.get("facts" if event["kind"] == EventKind.FACT_CHANGED else "fields")
    return Entry(
        at=event["at"],
        chain=event["chain"],
        seq=event["seq"],
        kind=event["kind"],
        actor=event["actor"],
        role=event.get("done_by") or event.get("role") or data.get("role") or "",
        trigger=data.get("trigger") or data.get("source"),
        origin=data.get("from"),
        target=None if is_passed else data.get("to"),
        failed=tuple(data.get("failed", ())),
        undecided=tuple(data.get("undecided", ())),
        changed=changed if isinstance(changed, dict) else {},
        sealed=tuple(data.get("sealed_facts", ())),
        reason=data.get("why") if is_passed else data.get("reason"),
        taker=data.get("to") if is_passed else None,
        deadline=data.get("deadline"),
        due=data.get("new", data.get("due")) if "deadline" in data else None,
    )
