"""Seen then: what only other rules read, as it was when a decision was made; folded from the trail up to its event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from engine.actors import THE_PAST
from engine.definition import NEW
from engine.desk import Desk
from engine.documents import missing
from engine.errors import Unknown
from engine.other_rules import Compared
from engine.past import Past, numbered, past_of
from engine.records import NOTHING, Case, Head, Json, Request, Verdict
from engine.sight import Seeing
from engine.step import Step
from engine.steps import Machine
from engine.store import students
from engine.store.cases import Found, read_case
from engine.store.past import cases_about, lines_of, owners_of
from engine.trail.event import REGISTRY, EventKind

_STUDENTS = 500
_FAR = frozenset({"others", "members", "same_person"})


class Decision(NamedTuple):
    """One event that decided, with what its commitment opens to (nothing: there is none, or it is erased)."""

    chain: int
    seq: int
    event: Mapping[str, Any]
    personal: Mapping[str, Json]
    compared: Compared

    @property
    def given(self) -> dict[str, Json]:
        """The fields that were given or changed with it, personal ones too."""
        data = self.event["data"]
        split = ((name.partition("."), value) for name, value in self.personal.items())
        hidden = {name: value for (part, dot, name), value in split if dot and part in ("fields", "given")}
        return {**(data.get("given") or {}), **(data.get("fields") or {}), **hidden}

    @property
    def needs_more(self) -> bool:
        """Whether the other rules read what the event does not tell: values, who acted before, documents."""
        was, becomes = self.compared.was, self.compared.becomes
        if becomes is None:
            return False
        return bool(self.compared.more or {*becomes.apart} - {*was.apart} or {*becomes.needs} - {*was.needs})

    def erased(self, step: Step) -> tuple[str, ...]:
        """The personal values of a step that the event has sealed and that are erased since."""
        is_erased = self.event["data"].get("sealed") is not None and not self.personal
        return step.personal if is_erased else ()


class Then(NamedTuple):
    """What was, beside what an event tells: values, keys nobody can know, who had taken what, documents that lacked."""

    values: Mapping[str, Json] = NOTHING
    missing: frozenset[str] = frozenset()
    taken: Mapping[str, Sequence[str]] = {}
    papers: tuple[Verdict, ...] = ()


NOTHING_MORE = Then()


def seen_then(desk: Desk, decisions: Sequence[Decision]) -> Iterator[tuple[Decision, Then]]:
    """Each decision with what was then, some hundred students at a time; call inside `reading`."""
    owners = owners_of(desk.connection, [one.chain for one in decisions if one.chain > REGISTRY])
    by_owner: dict[int, list[Decision]] = {}
    for one in decisions:
        student = -one.chain if one.chain < REGISTRY else owners.get(one.chain)
        by_owner.setdefault(student or -one.chain, []).append(one)  # a case without a student stands for itself
    ordered = sorted(by_owner)
    for start in range(0, len(ordered), _STUDENTS):
        part = ordered[start : start + _STUDENTS]
        yield from _of_chunk(desk, part, [one for owner in part for one in by_owner[owner]])


def _of_chunk(desk: Desk, owners: Sequence[int], decisions: Sequence[Decision]) -> Iterator[tuple[Decision, Then]]:
    chains = [REGISTRY]
    for owner in owners:
        chains += [-owner] if owner < 0 else [-owner, *cases_about(desk.connection, student=owner)]
    wanted = {(one.chain, one.seq): one for one in decisions}
    with past_of(desk) as past:
        for line in lines_of(desk.connection, chains):
            one = wanted.get((line.chain, line.seq))
            if one is not None:
                yield one, _before(past, one)
            past.take(line)


def _before(past: Past, one: Decision) -> Then:
    """What was just before an event."""
    becomes, machine = one.compared.becomes, one.compared.machine
    then = past.desk()
    found = _found(then, one)
    if becomes is None or found is None:
        return Then(missing=frozenset(one.compared.more))
    at = datetime.fromisoformat(one.event["at"])
    sight = Seeing(then, machine, found, Request(trigger=becomes.trigger, actor=THE_PAST, at=at, fields=one.given))
    erased = past.erased(-(found.case.student or 0)) | {f"case.{name}" for name in past.erased(one.chain)}
    keys = [key for key in one.compared.more if key not in erased and _is_knowable(then, machine, key, found.case)]
    stored = [key for key in keys if key in machine.stored]
    values = sight.see(stored, [key for key in keys if key not in machine.stored])
    needed = [kind for kind in becomes.needs if kind not in one.compared.was.needs]
    return Then(
        values=values,
        missing=frozenset(one.compared.more) - {*keys},
        taken=found.case.taken,
        papers=tuple(missing(machine, needed, sight.documents(), sight.see)) if needed else (),
    )


def _is_knowable(desk: Desk, machine: Machine, key: str, case: Case) -> bool:
    """Whether a reading looks no further than the student and what the trail keeps."""
    reading = machine.look(key).reading
    if reading is None:
        return True
    if any(source.function in _FAR for source in reading.sources):
        return False
    if any(f"table/{source.argument}" in desk.unknown for source in reading.sources):
        return False
    looks_around = any(source.function == "cases" for source in reading.sources)
    return not looks_around or (case.student is not None and machine.stays_with_student(reading))


def _found(desk: Desk, one: Decision) -> Found | None:
    """The case as it was; of an opening, the case to be."""
    if one.event["kind"] != EventKind.OPENED and one.chain > REGISTRY:
        return read_case(desk.connection, one.chain)
    data = one.event["data"]
    about = (data.get("about") or {}).get("student")
    student = -one.chain if one.chain < REGISTRY else None if about is None else numbered(about)
    try:
        row = None if student is None else students.by_id(desk.connection, student)
    except Unknown:
        return None
    unit = str(data.get("unit") or ("" if row is None else row.unit))
    if unit not in desk.units():
        return None
    case = _to_be(desk, one, unit, student)
    if row is None:
        return Found(case=case, known={}, student_no=None, record=None)
    return Found(case=case, known=row.facts, student_no=row.student_no, record=row.record)


def _to_be(desk: Desk, one: Decision, unit: str, student: int | None) -> Case:
    machine, at = one.compared.machine, one.event["at"]
    return Case(
        id=max(one.chain, 0),
        workflow=machine.definition.workflow,
        shape=one.event["definition"],
        student=student,
        unit=unit,
        path=desk.units()[unit].path,
        state=NEW,
        revision=0,
        head=Head(),
        fields={},
        taken={},
        rounds=0,
        opened_at=at,
        entered_at=at,
    )
