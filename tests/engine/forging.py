"""A forger with the key: events that the engine would never write, chained and signed as if it had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import orjson

from engine.definition import NEW, Definition
from engine.enrolling import Enrolment, enrol
from engine.guards import flatten
from engine.records import Case, Head, Json
from engine.store import students
from engine.store.cases import add_cases, write_events
from engine.trail.chain import Scribe
from engine.trail.event import EventKind, chain_name, moment
from tests.engine.town import KEY, LOG, NOW, READY, Town, roster_facts

Words = Mapping[str, object]


@dataclass(slots=True, kw_only=True)
class Forger:
    """Writes straight into a town's database; every event a second after the last."""

    town: Town
    _scribe: Scribe = field(default_factory=lambda: Scribe(LOG, KEY))
    _seconds: count[int] = field(default_factory=lambda: count(1))
    _numbers: count[int] = field(default_factory=lambda: count(2022030000101))

    def later(self) -> str:
        """The next moment."""
        return moment(NOW + timedelta(seconds=next(self._seconds)))

    def student(self, **facts: Json) -> str:
        """A new student with a record, who lacks nothing; enrolled as the engine does it."""
        number = next(self._numbers)
        roster = {**roster_facts(str(number)), "id_number": f"61010320000101{number % 10000:04d}"}
        row = Enrolment(student_no=str(number), unit="S1", facts=roster)
        enrol(self.town.desk, [row], self.town.request("open_record", "import"))
        written = self.town.know(str(number), **{**READY, "certificate_no": f"7{number}", **facts})
        assert not written.refused, written
        return str(number)

    def case(self, workflow: str, profile: str, student_no: str | None, *steps: Words, unit: str = "S1") -> int:
        """A case of any workflow that went through these steps; each says `trigger`, `to`, and what else it tells."""
        definition = self.town.desk.library.machines_of(profile)[workflow]
        _, last = students.last_ids(self.town.connection)
        student = None if student_no is None else self.town.student(student_no).id
        opening, *rest = steps
        at = self.later()
        about = {"unit": unit} if student is None else {"student": chain_name(-student)}
        shape = self.town.desk.hash_of(definition)
        event = self._event(definition, shape, {"from": NEW, "at": at, **opening})
        event["data"] = {**_json(event["data"]), "about": about, "unit": unit, "workflow": workflow}
        written = self._scribe.write(last + 1, Head(), EventKind.OPENED, event)
        case = Case(
            id=last + 1, workflow=workflow, shape=shape, student=student, unit=unit,
            path=self.town.desk.units()[unit].path, state=str(opening["to"]), revision=1,
            head=Head(seq=1, hash=written.hash), fields=_json(opening.get("fields", {})), taken={}, rounds=0,
            opened_at=at, entered_at=at,
        )  # fmt: skip
        add_cases(self.town.connection, [(case, written, None)])
        write_events(self.town.connection, [written])
        for one in rest:
            self.step(last + 1, str(one.get("kind", "moved")), **{name: one[name] for name in one if name != "kind"})
        return last + 1

    def step(self, case: int, kind: str = "moved", **told: object) -> int:
        """One event more on a case, and its row as if the event were true."""
        before = self.town.by_id(case)
        definition = self.town.desk.definition(before.shape)
        event = self._event(definition, before.shape, {"from": before.state, **told})
        written = self._scribe.write(case, before.head, EventKind(kind), event)
        write_events(self.town.connection, [written])
        data = _json(event["data"])
        fields = orjson.dumps({**before.fields, **_json(data.get("fields", {}))}).decode()
        state = str(data.get("to") or before.state)
        sql = "UPDATE cases SET seq = ?, head = ?, state = ?, fields = ?, entered_at = ? WHERE id = ?"
        at = event["at"] if state != before.state else before.entered_at
        self.town.connection.execute(sql, (written.seq, written.hash, state, fields, at, case))
        return case

    def facts(self, student_no: str, at: datetime, **new: Json) -> None:
        """Facts of a student written past every rule."""
        row = self.town.student(student_no)
        data: Json = {"source": "forged", "facts": {name: {"old": None, "new": value} for name, value in new.items()}}
        event: dict[str, Json] = {"at": moment(at), "actor": "somebody", "data": data}
        written = self._scribe.write(-row.id, row.head, EventKind.FACT_CHANGED, event)
        write_events(self.town.connection, [written])
        head = Head(seq=written.seq, hash=written.hash)
        students.set_facts(self.town.connection, row, {**row.facts, **new}, head)

    def _event(self, definition: Definition, shape: str, told: Words) -> dict[str, Json]:
        """An event of a step that all rules let through, unless `told` says otherwise."""
        outer = {"at", "actor", "role", "unit", "delegation", "cause", "definition", "on_behalf_of", "done_by"}
        trigger = str(told.get("trigger", ""))
        transition = definition.transitions.get(trigger)
        rules = self.town.desk.library.rulebook_for(definition.profile).rules
        asked = flatten(transition.guards, rules) if transition is not None else ()
        data = {"verdicts": dict.fromkeys(asked, "holds"), "seen": {}, **told}
        event: dict[str, object] = {
            "at": self.later(), "actor": "operator.s1", "role": "site_operator", "unit": "S1",
            "definition": shape, "rulebook": self.town.desk.rulebook,
        }  # fmt: skip
        event |= {name: told[name] for name in outer & told.keys()}
        event["data"] = {name: value for name, value in data.items() if name not in outer}
        return {name: value for name, value in _json(event).items() if value is not None}


def _json(value: object) -> dict[str, Json]:
    """Written by a test, and JSON for that reason."""
    read: dict[str, Json] = orjson.loads(orjson.dumps(value))
    return read
