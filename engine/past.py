"""The past: the rows that events add up to, in a database in memory, for everything that looks at the present.

Whatever shows or judges a case reads rows; so to see a case as it was, the rows are made as they were, and the same
code looks at them. They are made from the trail; what it knows by hash only (texts of definitions, rows of tables,
members of lists, forms) is taken from the present where it still has that hash. What cannot be known any more is named
in `Desk.unknown`, and rules that read it stay undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.deeds import SentBack
from engine.desk import Desk
from engine.issuing import made_hash
from engine.records import Case, Head, Json, case_of
from engine.replay import Fold, fold_chain
from engine.replaying.aside import TOLD_ASIDE, Aside
from engine.replaying.members import digest_then
from engine.replaying.registry import Registered
from engine.store import absence_tables, deadlines, documents
from engine.store.database import Connection, open_engine
from engine.store.documents import DocumentRow
from engine.store.past import (
    Line,
    copy_published,
    write_batches,
    write_case,
    write_end,
    write_lent,
    write_members,
    write_people,
    write_student,
    write_tables,
    write_units,
)
from engine.store.registry import UnitRow
from engine.store.students import StudentRow
from engine.store.tables import METADATA
from engine.trail.event import REGISTRY, EventKind, chain_name

_BESIDE = (absence_tables,)
"""What else is looked at, in tables of their own: METADATA knows them once their module is read."""
_ASIDE_KEYS = frozenset({"documents", "ticks", "deadlines", "members"})


@dataclass(slots=True)
class _Chain:
    """What is folded of one case or student."""

    sent_back: SentBack
    fold: Fold = field(default_factory=Fold)
    aside: Aside | None = None
    seq: int = 0
    head: bytes = b""
    student: int | None = None
    record: int | None = None
    revision: int = 0
    erased: set[str] = field(default_factory=set)


class Past:
    """Rows as events add up to them: take event after event, then ask at the desk of that time.

    Args:
        desk: The desk of the present; what it knows of definitions and rules serves the past too.
        memory: An empty database.
    """

    def __init__(self, desk: Desk, memory: Connection) -> None:
        self._now = desk
        self._memory = memory
        self._then = desk.elsewhere(memory)
        self._chains: dict[int, _Chain] = {}
        self._changed: dict[int, None] = {}
        self._registry = _Registry(desk, memory)

    def desk(self) -> Desk:
        """The desk of that time, its rows written out up to the last event taken."""
        with self._memory.writing():
            if self._registry.has_grown:
                lists = {one for one in self._then.unknown if not one.startswith("table/")}
                if self._registry.has_moved:  # a case is found by where its unit stands
                    self._changed.update(dict.fromkeys(self._chains))
                self._then.unknown = {*lists, *self._registry.write()}
                self._then.refresh()
            for chain in self._changed:
                if chain < REGISTRY:
                    self._write_student(-chain)
                else:
                    self._write_case(chain)
        self._changed = {}
        return self._then

    def erased(self, chain: int) -> frozenset[str]:
        """The facts of a student, or fields of a case, that were sealed then and are erased since."""
        one = self._chains.get(chain)
        return frozenset() if one is None else frozenset(one.erased)

    def fixed(self, case: int) -> tuple[str, int] | None:
        """The SHA-256 of the members a list has fixed, and the event that fixed them; None while it has not."""
        one = self._chains.get(case)
        told = None if one is None or one.aside is None else one.aside.fixed
        return None if told is None else (told[0]["sha256"], told[1])

    def revise(self, case: int, revision: int) -> None:
        """Say which revision a case had; it is counted from more than the case's own events."""
        self._chains[case].revision = revision
        self._changed[case] = None

    def take(self, line: Line) -> None:
        """Add one event; those of a chain come in its order."""
        event = orjson.loads(line.body)
        if line.chain == REGISTRY:
            self._registry.take(line, event)
            return
        one = self._chain(line.chain)
        fold_chain((line.body,), one.fold)
        one.seq, one.head = line.seq, line.hash
        self._changed[line.chain] = None
        if line.chain > REGISTRY:
            one.sent_back.take(event)
            one.aside = _told_aside(one.aside, line.chain, event)
            self._belong(line.chain, one, event)
        _reveal(one, event, None if line.personal is None else orjson.loads(line.personal))

    def _chain(self, number: int) -> _Chain:
        """What is folded of a chain so far."""
        if number not in self._chains:
            self._chains[number] = _Chain(SentBack(lambda shape: self._now.definition(shape).transitions))
        return self._chains[number]

    def _belong(self, case: int, one: _Chain, event: Mapping[str, Any]) -> None:
        """Whose case it is, and whether it is that student's record: its first event says so."""
        if event["kind"] != EventKind.OPENED:
            return
        one.student = numbered(event["data"].get("about", {}).get("student"))
        if one.student is not None and self._now.definition(event["definition"]).record:
            self._chain(-one.student).record = case
            self._changed[-one.student] = None

    def _write_student(self, student: int) -> None:
        one = self._chains[-student]
        if one.fold.unit is None:  # a case was seen before its student: nothing is known yet
            return
        facts: Any = one.fold.facts
        number = str(facts.get("student_no") or chain_name(-student))
        head = Head(one.seq, one.head)
        write_student(self._memory, StudentRow(student, number, one.fold.unit, one.record, facts, head))

    def _write_case(self, case: int) -> None:
        one = self._chains[case]
        write_case(self._memory, self._case(case, one))
        if one.aside is None:
            return
        self._memory.execute("DELETE FROM document WHERE case_id = ?", (case,))
        documents.add(self._memory, list(self._documents(case, one.aside)))
        self._memory.execute("DELETE FROM deadline WHERE case_id = ?", (case,))
        deadlines.put(self._memory, one.aside.deadlines)
        write_lent(self._memory, case, one.aside.lent)
        self._write_members(case, one.aside)

    def _case(self, case: int, one: _Chain) -> Case:
        fold, unit = one.fold, one.fold.unit or ""
        return Case(
            id=case,
            workflow=fold.workflow or "",
            shape=fold.shape,
            student=one.student,
            unit=unit,
            path=self._then.units()[unit].path,
            state=fold.state,
            revision=one.revision,
            head=Head(one.seq, one.head),
            fields=fold.fields,
            taken=fold.taken,
            rounds=fold.rounds,
            opened_at=fold.opened_at,
            entered_at=fold.entered_at,
            slots=fold.slots,
            sent_back=one.sent_back.now,
        )

    def _documents(self, case: int, aside: Aside) -> Iterator[DocumentRow]:
        """The documents with what is in a form, where the present has the form of that hash."""
        told = aside.documents
        if not told:
            return
        made = {(row.seq, row.kind): row.made for row in documents.in_range(self._now.connection, (case, case))}
        for row in told:
            form = made.get((row.seq, row.kind))
            has_form = row.sha256 is None and form is not None and made_hash(form) == row.looks["sha256"]
            yield row._replace(case=case, made=form if has_form else None)

    def _write_members(self, case: int, aside: Aside) -> None:
        """The members of a frozen list: those that are kept now, if they are those that were fixed then."""
        name = f"members/{chain_name(case).removeprefix('case/')}"
        self._then.unknown.discard(name)
        fixed = aside.fixed
        if fixed is not None and digest_then(self._now.connection, case, fixed[1]) != fixed[0]["sha256"]:
            self._then.unknown.add(name)
            fixed = None
        write_members(self._now.connection, self._memory, case, are_fixed=fixed is not None)


class _Registry:
    """What the registry's chain adds up to, written out when it has grown."""

    __slots__ = ("_end", "_lent", "_memory", "_now", "_told", "has_grown", "has_moved")

    def __init__(self, now: Desk, memory: Connection) -> None:
        self._now, self._memory = now, memory
        self._told = Registered()
        self._lent: Aside | None = None
        self._end = (0, b"")
        self.has_grown = self.has_moved = False

    def take(self, line: Line, event: Mapping[str, Any]) -> None:
        """Add one event of the registry."""
        self._told.apply(event)
        self._lent = _told_aside(self._lent, REGISTRY, event)
        self._end, self.has_grown = (line.seq, line.hash), True
        self.has_moved |= event["kind"] == EventKind.UNIT_CHANGED and "was" in event["data"]

    def write(self) -> frozenset[str]:
        """Write everything out; what cannot be known (`table/NAME`)."""
        rows: Any = self._told.rows
        self.has_grown = self.has_moved = False
        write_units(self._memory, _units(rows["unit"], rows["unit_fact"]))
        lent = () if self._lent is None else self._lent.lent
        own = {login: numbered(chain) for login, chain in rows["account"].items()}
        logins = dict.fromkeys([login for login, *_ in rows["role_grant"]] + [one.taker for one in lent])
        write_people(self._memory, rows["role_grant"], {**logins, **own})
        write_lent(self._memory, None, lent)
        copy_published(self._now.connection, self._memory, rows["published"])
        named = {name: row.title for name in rows["batch"] if (row := self._now.batch(name)) is not None}
        write_batches(self._memory, rows["batch"], named)
        write_end(self._memory, *self._end)
        lacking = write_tables(self._now.connection, self._memory, rows["table_row"])
        return frozenset(f"table/{name}" for name in lacking)


def _units(told: Mapping[str, Sequence[Any]], facts: Mapping[tuple[str, str], Json]) -> list[UnitRow]:
    """Units as told of: a unit's path is its parent's and its own code; one that has moved may be told before that."""
    found = []
    for code, (name, kind, parent, profile) in told.items():
        own = {fact: value for (of, fact), value in facts.items() if of == code}
        path = _path(told, code)
        found.append(UnitRow(code=code, name=name, kind=kind, parent=parent, path=path, profile=profile, facts=own))
    return sorted(found, key=lambda one: one.path)


def _path(told: Mapping[str, Sequence[Any]], code: str) -> str:
    _, _, parent, _ = told[code]
    return f"/{code}/" if parent is None else f"{_path(told, parent)}{code}/"


def _told_aside(aside: Aside | None, chain: int, event: Mapping[str, Any]) -> Aside | None:
    """What is told beside the row of a case; most chains tell of nothing."""
    if event["kind"] in TOLD_ASIDE or not _ASIDE_KEYS.isdisjoint(event["data"]):
        aside = aside or Aside(chain)
        aside.apply(event)
    return aside


def _reveal(one: _Chain, event: Mapping[str, Any], personal: Mapping[str, Json] | None) -> None:
    """Add what an event sealed, or note that it is erased."""
    data = event["data"]
    fold, is_facts = one.fold, event["kind"] == EventKind.FACT_CHANGED
    names = [*(data.get("sealed_fields") or ()), *((data.get("sealed_facts") or ()) if is_facts else ())]
    values = fold.facts if is_facts else fold.fields
    for name in names:
        if personal is None:
            values.pop(name, None)
            one.erased.add(name)
            continue
        change: Any = personal.get(name if is_facts else f"fields.{name}")
        values[name] = change.get("new") if is_facts else change
        one.erased.discard(name)
    if personal is not None and one.aside is not None:
        one.aside.reveal(event["seq"], personal)


def numbered(chain: str | None) -> int | None:
    """The number behind the name of a student's or case's chain; None for none."""
    return None if chain is None else case_of(chain.partition("/")[2])


@contextmanager
def past_of(desk: Desk) -> Iterator[Past]:
    """An empty past beside a desk of the present, in memory; it is gone afterwards."""
    engine = open_engine("sqlite://")
    connection = Connection(engine)
    try:
        connection.execute("PRAGMA foreign_keys = OFF")  # a part of the cases is folded, not all they refer to
        METADATA.create_all(engine)
        yield Past(desk, connection)
    finally:
        connection.close()
        engine.dispose()
