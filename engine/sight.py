"""What is seen around a case: facts, fields, record, batch, unit, and readings over related cases.

Everything is looked up by the key under which the event will record it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from engine.actors import TIMER
from engine.deadlines import due_of, in_time, lies_within
from engine.definition import NEW
from engine.desk import Desk
from engine.documents import differing_fields, empty_fields, has, of_kind, reviewed, same_students
from engine.expressions.compiling import Reading
from engine.expressions.functions import DOCUMENT_ANSWERS, DOCUMENT_ROWS
from engine.expressions.kinds import SHANGHAI, Row, Value, encode
from engine.expressions.tree import Source
from engine.fetching import Fetched
from engine.issuing import chosen
from engine.neighbours import day_of, named, related_cases, row_of, shared_fields
from engine.records import Case, Json, Request, case_number
from engine.scopes import typed_rows
from engine.steps import Machine
from engine.store import deadlines, documents
from engine.store.cases import Found, read_case, related, same_person
from engine.store.deadlines import Row as DeadlineRow
from engine.store.documents import DocumentRow
from engine.store.history import steps_of
from engine.store.lists import frozen_members, gathered, lists_of, member_paths
from engine.store.past import event_at
from engine.store.relations import Neighbour
from engine.store.students import held_elsewhere
from engine.trail.event import moment

_BUILT_IN: Mapping[str, Callable[[Case], Json]] = {
    "state": lambda case: case.state,
    "unit": lambda case: case.unit,
    "rounds": lambda case: case.rounds,
    "opened_on": lambda case: day_of(case.opened_at).isoformat(),
    "entered_on": lambda case: day_of(case.entered_at).isoformat(),
}


class Seeing:
    """The sight of one request on one case; what is asked for twice is looked up once."""

    __slots__ = (
        "_case", "_deadlines", "_desk", "_documents", "_fetched", "_found", "_known", "_machine", "_members",
        "_record", "_related", "_request",
    )  # fmt: skip

    def __init__(
        self,
        desk: Desk,
        machine: Machine,
        found: Found,
        request: Request,
        *,
        fetched: Fetched | None = None,
        members: Sequence[Neighbour] | None = None,
    ) -> None:
        self._desk = desk
        self._machine = machine
        self._found = found
        self._case = found.case
        self._known: Mapping[str, Json] | None = None
        self._request = request
        self._record: Case | None = None
        self._documents: Sequence[DocumentRow] | None = None
        self._related: list[Case] | None = None
        self._fetched = fetched
        self._members = members
        self._deadlines: Mapping[str, DeadlineRow] | None = None

    def see(self, facts: Sequence[str], others: Sequence[str]) -> dict[str, Json]:
        """The values of all keys as JSON, None where not known."""
        seen: dict[str, Json] = {}
        if facts:
            known = self._facts
            seen = {key: known.get(key) for key in facts}
        for key, ask, what in _ways(self._machine, tuple(others)):
            seen[key] = ask(self, what)
        return seen

    @property
    def _facts(self) -> Mapping[str, Json]:
        if self._known is None:
            self._known = self._found.facts
        return self._known

    def place(self, at: str) -> tuple[str, str] | None:
        """The unit at which a role counts, and its path: of a kind at or above the case's, or the one a field names."""
        desk = self._desk
        if at.startswith("case."):
            named_unit = self._of_case(self._case, at.removeprefix("case."), self._request.fields)
            unit = named_unit if isinstance(named_unit, str) and named_unit in desk.units() else None
        else:
            unit = desk.unit_above(self._case.unit, at)
        return None if unit is None else (unit, desk.units()[unit].path)

    def units_of_members(self, kind: str) -> Sequence[tuple[str, str]]:
        """The units of a kind that the members of a frozen list belong to, with their paths."""
        desk = self._desk
        codes = [path.rstrip("/").rpartition("/")[2] for path in member_paths(desk.connection, self._case.id)]
        found = {unit for code in codes if (unit := desk.unit_above(code, kind)) is not None}
        return [(unit, desk.units()[unit].path) for unit in sorted(found)]

    def documents(self) -> Sequence[DocumentRow]:
        """The documents on the case."""
        if self._documents is None:
            self._documents = self._read_documents()
        return self._documents

    def _read_documents(self) -> Sequence[DocumentRow]:
        if self._case.state == NEW:
            return []
        if self._fetched is not None and self._fetched.documents is not None:
            return self._fetched.documents.get(self._case.id, ())
        return documents.of_case(self._desk.connection, self._case.id)

    def handed_in_by(self, kind: str) -> Sequence[str]:
        """Who handed in the documents of a kind that are on the case."""
        rows = [row for row in of_kind(self.documents(), kind) if row.sha256 is not None]
        bodies = (event_at(self._desk.connection, row.case, row.seq) for row in rows)
        return [str(orjson.loads(body)["actor"]) for body in bodies if body is not None]

    def member_rows(self) -> Sequence[Row]:
        """The members of a list, as rows."""
        return self._as_rows(self.members())

    def own_row(self) -> Row:
        """The case itself with what is known about its student and what is given with the request, as a row."""
        given = {name: value for name, value in self._request.fields.items() if name != "reason"}
        case = self._case._replace(fields={**self._case.fields, **given})
        [row] = self._as_rows([Neighbour(case=case, facts=self._facts)])
        return row

    def frozen_on(self) -> Sequence[str]:
        """The numbers of the lists on which the case is frozen and which have not ended."""
        held = []
        for number in lists_of(self._desk.connection, self._case.id):
            found = read_case(self._desk.connection, number)
            if found is not None and not self._desk.definition(found.case.shape).is_final(found.case.state):
                held.append(case_number(number))
        return held

    def steps_taken(self) -> Sequence[tuple[str, str]]:
        """The steps the case has taken, oldest first: trigger, and the state it led to."""
        return [] if self._case.state == NEW else steps_of(self._desk.connection, self._case.id)

    def after(self, case: Case, facts: Mapping[str, Json]) -> Seeing:
        """What will be seen once the case stands so and these facts of its student are written."""
        found = self._found._replace(case=case, known={**self._facts, **facts} if facts else self._found.known)
        plain = Request(trigger=self._request.trigger, actor=self._request.actor, at=self._request.at)
        return Seeing(self._desk, self._machine, found, plain, fetched=self._fetched, members=self._members)

    def taken_elsewhere(self, facts: Mapping[str, Json]) -> Sequence[str]:
        """The facts among these that belong to one person only and that another student has already."""
        return held_elsewhere(self._desk.connection, facts, self._case.student or 0)

    def members(self) -> list[Neighbour]:
        """The members of a list: those fixed when it froze, else those it would gather now."""
        if self._members is not None:
            return list(self._members)
        if self._machine.definition.is_fixed(self._case.state):
            return frozen_members(self._desk.connection, self._case.id)
        return self.candidates()

    def candidates(self) -> list[Neighbour]:
        """The cases a list would gather now: related, chosen, and taken by no other list of its kind in this stay."""
        members = self._machine.definition.members
        if members is None:
            return []
        related_now = self.chosen(related_cases(self._desk, self._machine, self._case_asked, members.of))
        taken = gathered(self._desk.connection, self._case.workflow, [one.case for one in related_now])
        return [one for one in related_now if one.case.id not in taken]

    @property
    def _case_asked(self) -> Case:
        """The case with what is given for it: one that is being opened is told apart by that already."""
        given = {name: value for name, value in self._request.fields.items() if name != "reason"}
        return self._case._replace(fields={**self._case.fields, **given}) if given else self._case

    def chosen(self, many: Sequence[Neighbour]) -> list[Neighbour]:
        """Those of some cases that the list's condition takes."""
        where = self._machine.gathers
        if where is None:
            return list(many)
        kept = {str(row["number"]) for row in self._rows(where, tuple(self._as_rows(many)))}
        return [one for one in many if one.case.number in kept]

    def starting_fields(self) -> dict[str, Json]:
        """What the fields of a case are when it opens."""
        started: dict[str, Json] = {}
        for name, expression in self._machine.starts.items():
            value = expression.evaluate(self._machine.decoded(self.see((), expression.reads)))
            if value is not None:
                started[name] = encode(expression.kind, value)
        return started

    def select(self, reading: Reading) -> Sequence[Row]:
        """The cases an effect reaches, as rows."""
        return self._rows(reading, None)

    def _rows(self, reading: Reading, supplied: Sequence[Row] | None) -> Sequence[Row]:
        outer = self._machine.decoded(self.see((), reading.outer)).values() if reading.outer else ()
        given = [self._supply(source) if supplied is None else supplied for source in reading.sources]
        rows = reading.run(*outer, *given)
        return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, tuple | list) else []

    @classmethod
    def way_to(cls, machine: Machine, key: str) -> Way:
        """How the value of a key is found: a method, and what it is asked for."""
        reading, group, name = machine.look(key)
        if reading is not None:
            return key, cls._of_students_cases if machine.stays_with_student(reading) else cls._read, reading
        if not group:
            return key, cls._of_student if name in machine.stored else cls._clock, name
        known = {"case": cls._of_own_case, "record": cls._of_record, "batch": cls._of_batch}
        return (key, known[group], name) if group in known else (key, cls._of_unit, (group, name))

    def _of_student(self, name: str) -> Json:
        return self._facts.get(name)

    def _of_own_case(self, name: str) -> Json:
        return self._of_case(self._case, name, self._request.fields)

    def _of_record(self, name: str) -> Json:
        record = self._record_case()
        return None if record is None else self._of_case(record, name, {})

    def _clock(self, key: str) -> Json:
        at = self._request.at
        if key == "today":
            return _today(at)
        return moment(at) if key == "now" else self._machine.term_of(at.astimezone(SHANGHAI).date())

    def _of_case(self, case: Case, name: str, given: Mapping[str, Json]) -> Json:
        if name in given:
            return given[name]
        built_in = _BUILT_IN.get(name)
        if built_in is not None:
            return built_in(case)
        if name == "open":
            return not self._desk.definition(case.shape).is_final(case.state)
        if name == "opened_term":
            return self._machine.term_of(day_of(case.opened_at))
        if name == "late":
            return any(row.is_over(self._request.at) for row in self._deadline_rows(case))
        return case.fields.get(name)

    def _of_batch(self, name: str) -> Json:
        batch = self._of_case(self._case, "batch", self._request.fields)
        row = self._desk.batch(batch) if isinstance(batch, str) else None
        return None if row is None else row.values.get(name)

    def _of_unit(self, asked: tuple[str, str]) -> Json:
        group, name = asked
        at: str | None = self._case.unit
        units = self._desk.units()
        while at is not None and group != "unit" and units[at].kind != group:
            at = units[at].parent
        if at is None:
            return None
        row = units[at]
        return {"code": row.code, "name": row.name, "kind": row.kind}.get(name, row.facts.get(name))

    def _record_case(self) -> Case | None:
        if self._found.record in (None, self._case.id):
            return self._case if self._found.record == self._case.id else None
        if self._record is None:
            self._record = self._read_record(self._found.record or 0)
        return self._record

    def _read_record(self, record: int) -> Case | None:
        beside: Sequence[Case] = self._found.others or ()
        if self._fetched is not None and self._case.student is not None:
            beside = self._fetched.neighbours.of(self._case.student)
        if (there := next((one for one in beside if one.id == record), None)) is not None:
            return there
        found = read_case(self._desk.connection, record)
        return found.case if found else None

    def _of_students_cases(self, reading: Reading) -> Json:
        if self._case.student is not None and self._is_alone():
            return self._machine.on_nothing(reading)
        return self._read(reading)

    def _read(self, reading: Reading) -> Json:
        outer = self._machine.decoded(self.see((), reading.outer)).values() if reading.outer else ()
        value = reading.run(*outer, *map(self._supply, reading.sources))
        return value if isinstance(value, bool) or value is None else encode(reading.kind, value)

    def _supply(self, source: Source) -> Sequence[Row] | Value | None:
        """What a reading fetches: rows of cases or tables, answers about documents, history and deadlines."""
        function, name = source.function, source.argument
        if function in DOCUMENT_ANSWERS or function in DOCUMENT_ROWS:
            return self._of_documents(function, name)
        if function in ("before", "within"):
            return self._of_deadline(function, name)
        if function == "taken":
            return name in self._case.taken
        return self._rows_supplied(function, name)

    def _rows_supplied(self, function: str, name: str) -> Sequence[Row] | None:
        match function:
            case "cases":
                return tuple(self._cases(name))
            case "others":
                others = related_cases(self._desk, self._machine, self._case_asked, name, others=True)
                return tuple(self._as_rows(others))
            case "members":
                is_known = f"members/{self._case.number}" not in self._desk.unknown
                return tuple(self.member_rows()) if is_known else None
            case "same_person":
                return tuple(self._same_person())
            case _:
                kept = self._desk.table_rows(name)
                return None if kept is None else typed_rows(self._machine.book.vocabulary.tables[name], kept)

    def _of_documents(self, function: str, kind: str) -> Sequence[Row] | bool | None:
        on_case = self.documents()
        match function:
            case "has":
                return has(on_case, kind)
            case "reviewed":
                return reviewed(on_case, kind)
            case "same_students":
                people = self.member_rows() if self._machine.definition.members else [self.own_row()]
                listed = chosen(self._machine, kind, people, self.see)
                return None if listed is None else same_students(on_case, kind, listed)
            case "empty_fields":
                return empty_fields(self._machine, kind, self.own_row())
            case _:
                known: dict[str, Json] = {**self._facts, **self._case.fields}
                return differing_fields(self._machine, on_case, kind, known)

    def late(self) -> Sequence[str]:
        """The deadlines that ran in the case's state and are over: leaving it now is late (逾期)."""
        return [name for name in self._machine.running(self._case.state) if self._is_late(name)]

    def _is_late(self, name: str) -> bool:
        """Whether a deadline is over and not settled; the step that the deadline itself fires is never late for it."""
        deadline = self._machine.definition.deadlines[name]
        fires = deadline.missed is not None and deadline.missed.fire == self._request.trigger
        if fires and self._request.actor == TIMER:
            return False
        row = self._row(name)
        if row is not None:
            return row.is_over(self._request.at)
        return not deadline.settled and self._of_deadline("before", name) is False

    def _of_deadline(self, function: str, name: str) -> bool | None:
        """Whether it is in time, or within its window; by the date of its row while it runs, which may be extended."""
        bound, row = self._machine.deadline(name), self._row(name)
        if function == "before" and row is not None:
            return in_time(row.due_at, self._request.at)
        values = self._machine.decoded(self.see((), bound.reads))
        due = due_of(bound, values) if row is None else row.due_at
        if function == "before":
            return in_time(due, self._request.at)
        return lies_within(bound, values, due, self._request.at)

    def _row(self, name: str) -> DeadlineRow | None:
        """The row of a deadline that runs on the case."""
        if self._deadlines is None:
            self._deadlines = {row.name: row for row in self._deadline_rows(self._case)}
        return self._deadlines.get(name)

    def _deadline_rows(self, case: Case) -> Sequence[DeadlineRow]:
        if case.state == NEW or not self._desk.definition(case.shape).deadlines:
            return ()
        if self._fetched is not None and case.id == self._case.id:
            return self._fetched.deadlines.get(case.id, ())
        return deadlines.of_case(self._desk.connection, case.id)

    def _same_person(self) -> list[Row]:
        """Records of other students with this ID number; the database keeps it unique, so there are none yet."""
        number = self._facts.get("id_number")
        others = same_person(self._desk.connection, str(number), self._case.student or 0) if number else []
        return [{**self._machine.decoded(facts), "record_state": state} for facts, state in others]

    def _is_alone(self) -> bool:
        """Whether it is known, without a statement for this case alone, that the student has no other."""
        is_read = self._fetched is not None or self._found.others is not None
        return not self._found.has_others or (is_read and not self._all_related())

    def _all_related(self) -> list[Case]:
        if self._related is None:
            self._related = self._look_up_related()
        return self._related

    def _look_up_related(self) -> list[Case]:
        student = self._case.student
        if student is None or not self._found.has_others:
            return []
        if self._found.others is not None:
            return list(self._found.others)
        if self._fetched is not None:
            return [one for one in self._fetched.neighbours.of(student) if one.id != self._case.id]
        return related(self._desk.connection, student, self._case.id)

    def _cases(self, name: str) -> list[Row]:
        """Related cases of a workflow, list or family: those of the student, and those about units or batches."""
        desk, machine = self._desk, self._machine
        own = [one for one in self._all_related() if self._is(one, name)]
        near = self._as_rows([Neighbour(case=one, facts=self._facts) for one in own])
        if self._case.student is not None and all("student" in one.about for one in named(desk, machine.profile, name)):
            return near
        far = related_cases(desk, machine, self._case_asked, name)
        seen = {row["number"] for row in near}
        return [*near, *self._as_rows([one for one in far if one.case.number not in seen])]

    def _as_rows(self, many: Sequence[Neighbour]) -> list[Row]:
        """Cases as rows; whether each is late is looked up only where something asks for it."""
        late = self._late_among([one.case.id for one in many]) if self._machine.asks_late and many else frozenset()
        return [row_of(self._desk, self._machine, one, is_late=one.case.id in late) for one in many]

    def _late_among(self, cases: Sequence[int]) -> frozenset[int]:
        kept = deadlines.of_cases(self._desk.connection, cases)
        return frozenset(case for case, rows in kept.items() if any(row.is_over(self._request.at) for row in rows))

    def _is(self, case: Case, name: str) -> bool:
        definition = self._desk.definition(case.shape)
        if name not in (case.workflow, definition.family):
            return False
        shared = shared_fields(self._machine.definition, definition)
        return all(case.fields.get(field) == self._of_case(self._case, field, self._request.fields) for field in shared)


Way: TypeAlias = "tuple[str, Callable[[Seeing, Any], Json], object]"
"""A key, the method of `Seeing` that finds its value, and what that is asked for."""


@lru_cache(maxsize=1024)
def _ways(machine: Machine, keys: Sequence[str]) -> tuple[Way, ...]:
    """How the values of keys are found, taken apart once for all cases."""
    return tuple(Seeing.way_to(machine, key) for key in keys)


@lru_cache(maxsize=8)
def _today(at: datetime) -> str:
    """The day of a moment in Asia/Shanghai; one act asks it for every case."""
    return at.astimezone(SHANGHAI).date().isoformat()
