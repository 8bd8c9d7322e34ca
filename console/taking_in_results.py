"""Taking in the results of an audit above the school (终审结果, 省校审核结果): a step for each student, or none.

Source: requirements.md, S001-I-6.0c (`register` by the import of the final result), S001-I-6.10 (F-82).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from console.on_file import on_file
from console.taking_in import PART, Effect, Judged, Told, rows_in
from engine.actors import Actor
from engine.definition import RESERVED_ROLES
from engine.desk import Desk
from engine.errors import Unknown
from engine.recording import Recording, record_all
from engine.records import Case, Json, Request
from engine.store.cases import Found, records_of
from engine.store.history import steps_of
from engine.store.students import by_numbers
from engine.taking_in import paths_of
from exchange.audit_results import PASSED, ResultRow, results_in
from exchange.columns import codes_under
from exchange.fact_sheets import STUDENT_NO
from exchange.faults import Sentence
from exchange.workbooks import Grid

_RESULT, _REASON = "final_audit", "reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """An audit above the school: the steps of the record by which a result is recorded, passed or not."""

    name: str
    passes: str
    fails: str

    @property
    def steps(self) -> tuple[str, str]:
        """Both."""
        return (self.passes, self.fails)

    def trigger(self, *, has_passed: bool) -> str:
        """The step by which a result is recorded."""
        return self.passes if has_passed else self.fails


FINAL = Audit(name="final_results", passes="register", fails="national_reject")
PROVINCIAL = Audit(name="provincial_results", passes="provincial_audit", fails="provincial_reject")
AUDITS: Mapping[str, Audit] = {one.name: one for one in (FINAL, PROVINCIAL)}


def may_record(desk: Desk, actor: Actor, audit: Audit, at: datetime) -> bool:
    """Whether a person is one of those who record such results, at any unit."""
    return bool(_reach(desk, actor, audit, at))


def _reach(desk: Desk, actor: Actor, audit: Audit, at: datetime) -> tuple[str, ...]:
    return paths_of(actor, recorders(desk, audit), at)


def recorders(desk: Desk, audit: Audit) -> frozenset[str]:
    """The roles that take both steps in the records of some profile; whether in this one's is decided case by case."""
    found: set[str] = set()
    for profile in desk.library.rulebook.organisation.profiles:
        with suppress(Unknown):  # a profile without a record of its own
            steps = desk.library.record(profile).transitions
            takers = [{who.acting_role for who in steps[one].by} for one in audit.steps if one in steps]
            found |= set.intersection(*takers) if len(takers) == len(audit.steps) else set()
    return frozenset(found - RESERVED_ROLES)


def results(desk: Desk, grid: Grid, request: Request, audit: Audit, told: Told) -> Judged:
    """A sheet of results, as whoever sends it may record it."""
    numbers = codes_under(grid, STUDENT_NO)
    known = on_file(desk, _reach(desk, request.actor, audit, request.at), numbers)
    records = _Records(desk, audit, numbers)
    sheet = results_in(grid, known, records.against, told)
    parts = [sheet.rows[start : start + PART] for start in range(0, len(sheet.rows), PART)]
    return Judged(
        rows=rows_in(grid),
        faults=sheet.faults,
        warnings=sheet.warnings,
        keep=partial(_keep, audit, sheet.rows),
        parts=tuple(partial(_keep, audit, one) for one in parts),
        listed=tuple((one.student_no, one.reason) for one in sheet.rows if not one.has_passed),
    )


class _Records:
    """The records of the students of a sheet, read a thousand at a time, and what stands against a result."""

    def __init__(self, desk: Desk, audit: Audit, numbers: Sequence[str]) -> None:
        self._desk = desk
        self._audit = audit
        self.found = dict(_records(desk, numbers))

    def against(self, number: str, has_passed: bool) -> Sentence | None:  # noqa: FBT001 - `Standing` of the sheet
        """Why a result cannot be recorded where the record stands."""
        found = self.found.get(number)
        if found is None:
            return _NO_RECORD
        if self.is_open(found, has_passed=has_passed) or self.is_recorded(found, has_passed=has_passed):
            return None
        definition = self._desk.definition(found.case.shape)
        state = definition.states.get(found.case.state)
        step = definition.transitions.get(self._audit.trigger(has_passed=has_passed))
        if state is None or step is None:
            return _NO_AUDIT
        return Sentence(
            f"学籍现为“{state.title.zh}”，不能记“{step.title.zh}”；请核对是否在上传名单",
            f"the record is “{state.title.en}”: “{step.title.en}” cannot be recorded; is it on the upload list?",
        )

    def is_open(self, found: Found, *, has_passed: bool) -> bool:
        """Whether the step leads on from where the record stands."""
        machine = self._desk.machine(found.case.shape)
        return self._audit.trigger(has_passed=has_passed) in machine.open_triggers(found.case.state)

    def is_recorded(self, found: Found, *, has_passed: bool) -> bool:
        """Whether the same result was the last thing that happened to the record: the sheet comes a second time."""
        steps = steps_of(self._desk.connection, found.case.id)
        return bool(steps) and steps[-1][0] == self._audit.trigger(has_passed=has_passed)


def _records(desk: Desk, numbers: Sequence[str]) -> Iterator[tuple[str, Found]]:
    for start in range(0, len(numbers), PART):
        known = by_numbers(desk.connection, numbers[start : start + PART])
        for found in records_of(desk.connection, [one.id for one in known.values()]):
            yield found.student_no or "", found


def _keep(audit: Audit, rows: Sequence[ResultRow], desk: Desk, request: Request) -> Effect:
    with desk.connection.writing():
        records = _Records(desk, audit, [one.student_no for one in rows])
        due = [
            (one, found.case)
            for one in rows
            if records.is_open(found := records.found[one.student_no], has_passed=one.has_passed)
        ]
        done = record_all(desk, _recordings(desk, audit, due), request)
    passed = sum(one.has_passed for one, _ in due)
    return Effect(passed=passed, failed=len(due) - passed, unchanged=len(rows) - len(due), refused=done.refused)


def _recordings(desk: Desk, audit: Audit, due: Iterable[tuple[ResultRow, Case]]) -> list[Recording]:
    """The steps, those given alike together: whoever passed, and each reason why not."""
    alike: dict[tuple[str, str, str], list[Case]] = defaultdict(list)
    for one, case in due:
        alike[case.shape, audit.trigger(has_passed=one.has_passed), one.reason].append(case)
    return [
        Recording(trigger, _fields(desk, shape, trigger, reason), [(case.id, case.revision) for case in cases])
        for (shape, trigger, reason), cases in alike.items()
    ]


def _fields(desk: Desk, shape: str, trigger: str, reason: str) -> Mapping[str, Json]:
    """What a step is given: the reason, or the result itself where the definition asks for it."""
    asked = desk.definition(shape).transitions[trigger].asks
    said: dict[str, Json] = {_RESULT: PASSED} if _RESULT in asked else {}
    return {**said, _REASON: reason} if reason else said


_NO_RECORD = Sentence("该生还没有学籍", "this student has no record yet")
_NO_AUDIT = Sentence("该生的学籍不经过这一级审核", "this student's record is not audited at that level")
