"""Summary: a batch in figures for an auditor: where its cases stand, what was refused, returned, late, found and read.

It names units, rules, case numbers and the people who decided; no student and no text that an auditor wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

import msgspec

from engine.auditing.found import Finding
from engine.auditing.history import readable
from engine.auditing.papers import Conclusion, Drawn, Paper
from engine.auditing.scope import Scope
from engine.definition import CANCELLED, Bilingual, Definition, MoveKind
from engine.desk import Desk
from engine.store import leaves
from engine.store.database import Connection
from engine.trail.event import EventKind
from engine.trail.notes import Checkpoint

_CANCELLED = Bilingual(zh="已撤销", en="Cancelled")
_BARRED: Mapping[str, Bilingual] = {
    "not_allowed": Bilingual(zh="无权办理", en="Not allowed"),
    "not_open": Bilingual(zh="此状态不可办理", en="Not open in this state"),
}
_RETURNING = (MoveKind.RETURN, MoveKind.REJECT)


class Line(NamedTuple):
    """One line of a funnel: a unit, and how many of its cases stand in each state."""

    unit: str
    name: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All cases of the unit."""
        return sum(self.counts)


class Funnel(NamedTuple):
    """The cases of one workflow: the states in which any stand, in the order of the procedure, and a line per unit."""

    workflow: str
    title: Bilingual
    states: tuple[Bilingual, ...]
    lines: tuple[Line, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many stand in each state, of all units."""
        return tuple(map(sum, zip(*(line.counts for line in self.lines), strict=True)))


class Tally(NamedTuple):
    """How often something happened, and to how many cases; `of` is the procedure, where it is one's own."""

    code: str
    title: Bilingual
    of: str
    times: int
    cases: int


class Read(NamedTuple):
    """What came of the sample in one unit: drawn out of how many, and with what conclusion; the rest is unread."""

    unit: str
    name: str
    population: int
    drawn: int
    sound: int
    exception: int
    open: int


class Trail(NamedTuple):
    """The log behind the report: its events, and the newest signed head (None: not sealed yet)."""

    events: int
    events_of_batch: int
    origin: str
    size: int | None
    signed_at: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything a report on a batch says; `names` are those of the people in its findings, by login."""

    batch: str
    title: str
    at: datetime
    auditor: str
    units: tuple[str, ...]
    funnels: tuple[Funnel, ...]
    refusals: tuple[Tally, ...]
    returns: tuple[Tally, ...]
    late: tuple[Tally, ...]
    findings: tuple[Finding, ...]
    sample: Drawn | None
    read: tuple[Read, ...]
    exceptions: tuple[Paper, ...]
    trail: Trail
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """The cases of the batch, of every procedure."""
        return sum(sum(funnel.counts) for funnel in self.funnels)


def funnels(desk: Desk, scope: Scope) -> tuple[Funnel, ...]:
    """Where the cases of a scope stand: the student's record first, then the largest procedure."""
    where, params = scope.where()
    sql = f"SELECT c.workflow, c.shape, c.unit, c.state, count(*) FROM cases c WHERE {where} GROUP BY 1, 2, 3, 4"  # noqa: S608 constant text
    counts: dict[str, Counter[tuple[str, str]]] = {}
    shapes: dict[str, list[str]] = {}
    for workflow, shape, unit, state, count in sorted(desk.connection.execute(sql, params).fetchall()):
        counts.setdefault(workflow, Counter())[unit, state] += count
        shapes.setdefault(workflow, []).append(shape)
    made = [_funnel(desk, workflow, shapes[workflow], counts[workflow]) for workflow in counts]
    records = {one.workflow for one in desk.library.machines() if one.record}
    return tuple(sorted(made, key=lambda one: (one.workflow not in records, -sum(one.counts), one.workflow)))


def _funnel(desk: Desk, workflow: str, shapes: Iterable[str], counts: Counter[tuple[str, str]]) -> Funnel:
    definitions = [desk.definition(shape) for shape in dict.fromkeys(shapes)]
    titles = {name: state.title for one in definitions for name, state in one.states.items()} | {CANCELLED: _CANCELLED}
    reached = {state for _, state in counts}
    states = [state for state in titles if state in reached]
    lines = [
        Line(unit, desk.units()[unit].name, tuple(counts[unit, state] for state in states))
        for unit in sorted({unit for unit, _ in counts})
    ]
    return Funnel(workflow, definitions[0].title, tuple(titles[state] for state in states), tuple(lines))


class _Data(msgspec.Struct, gc=False):
    trigger: str = ""
    failed: list[str] | None = None
    undecided: list[str] | None = None
    barred: str | None = None
    late: list[str] | None = None
    deadline: str = ""


class _Event(msgspec.Struct):
    kind: str
    data: _Data
    definition: str = ""


_decode = msgspec.json.Decoder(_Event).decode
_REFUSED = b'"kind":"refused"'
_Key = tuple[str, str, Bilingual, str]
"""The table it is counted in, its code, its title, its procedure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """What was refused (by rule), returned or rejected (by step) and late (by deadline), the most frequent first."""

    refusals: tuple[Tally, ...]
    returns: tuple[Tally, ...]
    late: tuple[Tally, ...]
    events: int


def tallies(desk: Desk, scope: Scope) -> Tallies:
    """Count what happened to the cases of a scope; streamed, memory holds the counts. Call inside `reading`.

    An event whose bytes are spoilt is counted among the events and nowhere else: replay has named it.
    """
    titles, events = _rule_titles(desk), 0
    times: Counter[_Key] = Counter()
    cases: Counter[_Key] = Counter()
    last: dict[_Key, int] = {}
    for chain, body, is_own in _events(desk.connection, scope):
        events += is_own
        for key in _happened(desk, body, titles):
            times[key] += 1
            cases[key] += last.get(key) != chain
            last[key] = chain
    made: dict[str, list[Tally]] = {"refusal": [], "return": [], "late": []}
    for (kind, code, title, of), count in sorted(times.items(), key=lambda one: (-one[1], one[0][1])):
        made[kind].append(Tally(code, title, of, count, cases[kind, code, title, of]))
    return Tallies(
        refusals=tuple(made["refusal"]), returns=tuple(made["return"]), late=tuple(made["late"]), events=events
    )


def _events(connection: Connection, scope: Scope) -> Iterator[tuple[int, bytes, bool]]:
    """Chain and bytes of the events of a scope's cases; then, as not its own, refusals of what asked to join its batch.

    A case whose application is refused is in no batch yet, and the reason is what a report on the batch is read for.
    """
    read = "SELECT e.chain, e.body FROM event e JOIN cases c ON c.id = e.chain WHERE"
    where, params = scope.where()
    for chain, body in connection.stream(f"{read} {where} ORDER BY e.chain, e.seq", params):
        yield int(chain), bytes(body), True
    if scope.batch is None:
        return
    where, params = replace(scope, batch=None).where()
    elsewhere = f"{where} AND (c.batch IS NULL OR c.batch <> ?) ORDER BY e.chain, e.seq"
    for chain, body in connection.stream(f"{read} {elsewhere}", (*params, scope.batch)):
        if _REFUSED in bytes(body) and (readable(body)["data"].get("given") or {}).get("batch") == scope.batch:
            yield int(chain), bytes(body), False


def _happened(desk: Desk, body: bytes, titles: Mapping[str, Bilingual]) -> Iterator[_Key]:
    try:
        one = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    data = one.data
    if one.kind == EventKind.REFUSED:
        for rule in (*(data.failed or ()), *(data.undecided or ())):
            yield "refusal", rule, titles.get(rule, Bilingual(zh=rule, en=rule)), ""
        if data.barred is not None:
            yield "refusal", data.barred, _BARRED.get(data.barred, Bilingual(zh=data.barred, en=data.barred)), ""
    elif one.kind in (EventKind.MOVED, EventKind.LATE):
        yield from _of_step(desk.definition(one.definition), one)


def _of_step(definition: Definition, one: _Event) -> Iterator[_Key]:
    """A step that sends back, and the deadlines it, or the clock, says are over."""
    of, data = definition.title.zh, one.data
    step = definition.transitions.get(data.trigger)
    if step is not None and step.kind in _RETURNING:
        yield "return", data.trigger, step.title, of
    for name in (*(data.late or ()), *([data.deadline] if one.kind == EventKind.LATE else [])):
        deadline = definition.deadlines.get(name)
        yield "late", name, Bilingual(zh=name, en=name) if deadline is None else deadline.title, of


def _rule_titles(desk: Desk) -> Mapping[str, Bilingual]:
    """What rules are called, by the id that events have."""
    book = desk.library.rulebook
    books = [book.for_profile(profile) for profile in book.variants]
    texts = [*(one.rules for one in (*books, book)), book.engine]
    rules = [(name, rule) for text in texts for name, rule in text.items()]
    return {rule.id or name: rule.title for name, rule in rules if rule.title is not None}


def read_of(desk: Desk, sample: Drawn | None, conclusions: Mapping[str, Paper]) -> tuple[Read, ...]:
    """What came of a sample, unit by unit; cases stand with the unit they were drawn for."""
    if sample is None:
        return ()
    numbers, found = list(sample.cases), []
    for unit, (population, drawn) in sample.told["strata"].items():
        own, numbers = numbers[:drawn], numbers[drawn:]
        said = Counter(conclusions[number].conclusion for number in own if number in conclusions)
        row = desk.units().get(unit)
        counts = (said[Conclusion.SOUND], said[Conclusion.EXCEPTION], said[Conclusion.OPEN])
        found.append(Read(unit, unit if row is None else row.name, population, drawn, *counts))
    return tuple(found)


def exceptions_of(conclusions: Mapping[str, Paper]) -> tuple[Paper, ...]:
    """The cases whose last conclusion is an exception, by number."""
    return tuple(conclusions[number] for number in sorted(conclusions) if _is_exception(conclusions[number]))


def _is_exception(paper: Paper) -> bool:
    return paper.conclusion == Conclusion.EXCEPTION


def trail_of(connection: Connection, origin: str, events_of_batch: int) -> Trail:
    """The figures of the log, and its newest signed head."""
    row: Sequence[object] | None = connection.execute("SELECT count(*) FROM event").fetchone()
    events = 0 if row is None else int(str(row[0]))
    note, signed_at = leaves.latest(connection), leaves.signed_at(connection)
    if note is None:
        return Trail(events, events_of_batch, origin, None, None, None)
    head = Checkpoint.parse(note.text)
    at = None if signed_at is None else signed_at.isoformat()
    return Trail(events, events_of_batch, head.origin, head.size, at, note.encoded())
