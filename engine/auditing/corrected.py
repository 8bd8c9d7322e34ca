"""Corrected: decisions that rested on facts which were other ones afterwards, and nobody decided anew.

A value that was not known when it was looked at has not been corrected since, and a change that the case itself caused
is its doing. Only the last value counts: what was set right back stands as it was seen. Personal values are sealed, and
compared only while what opens them is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson

from engine.auditing.found import Finding, Place, mark
from engine.auditing.ground import Ground
from engine.auditing.history import SIGNED, Event, History, readable
from engine.auditing.words import fact_title, fact_value, moment_said, step_title
from engine.records import Json, Sentence
from engine.store.database import Connection
from engine.trail.event import EventKind, chain_name

FACTS_CORRECTED = "facts-corrected"
_CHUNK = 200
"""Histories looked at together: their students' chains are read in one statement."""
_DECIDING = frozenset({str(EventKind.MOVED), SIGNED})


class _Change(NamedTuple):
    """What a fact became: by which event of the student, when, and what caused it."""

    seq: int
    at: str
    cause: str | None
    new: Json
    personal: bool


Changes = Mapping[str, Sequence[_Change]]


def corrected(connection: Connection, histories: Iterable[History], ground: Ground) -> Iterator[Finding]:
    """The cases whose last decision is older than a correction of something a decision had seen (`facts-corrected`).

    Call inside `reading`; memory holds a few hundred cases at a time.
    """
    left = iter(histories)
    while chunk := list(islice(left, _CHUNK)):
        about = [one for one in chunk if one.student is not None and any(map(_decides, one.events))]
        changes = _changes(connection, sorted({one.student or 0 for one in about}))
        for history in about:
            yield from _of_case(connection, history, changes.get(history.student or 0, {}), ground)


def _decides(one: Event) -> bool:
    return one.kind in _DECIDING and one.cause is None


def _of_case(connection: Connection, history: History, changes: Changes, ground: Ground) -> Iterator[Finding]:
    decided = [one for one in history.events if _decides(one)]
    last = max(one.at for one in decided)
    own = chain_name(history.chain)
    later = {
        name: past[-1] for name, past in changes.items() if past[-1].at > last and past[-1].cause != own
    }  # fmt: skip
    if not later:
        return
    seen: dict[str, tuple[Event, Json]] = {}
    for one in decided:
        values = {**(one.data.seen or {}), **_sealed(connection, history.chain, one)}
        seen.update((name, (one, values[name])) for name in later.keys() & values.keys())
    for name, (one, value) in sorted(seen.items()):
        if value is not None and value != later[name].new:
            yield _finding(history, name, (one, value), later[name], ground)


def _finding(history: History, name: str, seen: tuple[Event, Json], change: _Change, ground: Ground) -> Finding:
    one, value = seen
    case, who = Place(history.chain, (one.seq,)), mark(one.actor)
    step = step_title(ground.definitions.get(one.definition, history.definition), one.data.trigger)
    book = ground.book_of(one)
    fact, at = fact_title(book, name), moment_said(change.at)
    zh, en = f"{who} 对 {case.number} 办理“{step.zh}”时，", f"{who} took {step.en} on {case.number} when "
    if change.personal:
        zh += f"所见“{fact.zh}”是另一个值（个人信息，不显示），{at.zh}更正，未再办理"
        en += f"{fact.en} was another value (personal, not shown); it was corrected {at.en} and nobody decided anew"
    else:
        was, new = fact_value(book, name, value), fact_value(book, name, change.new)
        zh += f"“{fact.zh}”为“{was.zh}”，{at.zh}更正为“{new.zh}”，未再办理"
        en += f"{fact.en} was {was.en}; it was corrected to {new.en} {at.en} and nobody decided anew"
    places = (case, Place(-(history.student or 0), (change.seq,)))
    return Finding(code=FACTS_CORRECTED, people=(one.actor,), at=change.at, places=places, said=Sentence(zh=zh, en=en))


def _sealed(connection: Connection, chain: int, one: Event) -> Mapping[str, Any]:
    return {} if one.data.sealed is None else _opened(connection, chain, one.seq)


def _opened(connection: Connection, chain: int, seq: int) -> Mapping[str, Any]:
    """Personal values behind a commitment; none where they have been erased."""
    row = connection.execute("SELECT body FROM personal WHERE chain = ? AND seq = ?", (chain, seq)).fetchone()
    values: Mapping[str, Any] = {} if row is None else orjson.loads(bytes(row[0]))
    return values


def _changes(connection: Connection, students: Sequence[int]) -> dict[int, dict[str, list[_Change]]]:
    """What every fact of some students became, in order, by student and fact."""
    found: dict[int, dict[str, list[_Change]]] = {}
    if not students:
        return found
    marks = ",".join("?" * len(students))
    sql = f"SELECT chain, body FROM event WHERE chain IN ({marks}) ORDER BY chain, seq"  # noqa: S608 marks only
    for chain, body in connection.execute(sql, [-student for student in students]).fetchall():
        event = readable(body)
        if event["kind"] == EventKind.FACT_CHANGED:
            for name, change in _told(connection, int(chain), event):
                found.setdefault(-int(chain), {}).setdefault(name, []).append(change)
    return found


def _told(connection: Connection, chain: int, event: Mapping[str, Any]) -> Iterator[tuple[str, _Change]]:
    data = event["data"]
    cause = (data.get("cause") or {}).get("chain")
    for name, change in (data.get("facts") or {}).items():
        yield name, _Change(event["seq"], event["at"], cause, change["new"], personal=False)
    for name, change in (_opened(connection, chain, event["seq"]) if data.get("sealed_facts") else {}).items():
        yield name, _Change(event["seq"], event["at"], cause, change["new"], personal=True)
