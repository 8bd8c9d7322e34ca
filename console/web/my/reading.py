"""Reading what a student's own pages show: the record, the other open cases, what the rules of applying say today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from console.web.faults import NotFound
from console.web.visit import Visit
from engine.actors import Actor
from engine.definition import Definition
from engine.desk import Desk
from engine.eligibility import application, works_by
from engine.errors import Unknown
from engine.expressions.kinds import Value
from engine.fetching import Fetched, Neighbourhood
from engine.guards import Guard, explain
from engine.prospects import Staff
from engine.records import Case, Json, Outcome, Request, Verdict
from engine.rights import right_at
from engine.sight import Seeing
from engine.step import Step
from engine.steps import Machine
from engine.store import deadlines, own
from engine.store.cases import Found
from engine.store.deadlines import Row
from engine.store.own import Glance
from engine.store.registry import BatchRow

STUDENT = "student"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one rule said, with the rule."""

    guard: Guard
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStep:
    """A step that the student takes in person: on which case, what it would write, and what stands in its way."""

    found: Found
    machine: Machine
    step: Step
    writes: Mapping[str, Value | None]
    refusing: tuple[Verdict, ...]

    @property
    def case(self) -> Case:
        """The case it is taken on."""
        return self.found.case

    @property
    def trigger(self) -> str:
        """The step's name."""
        return self.step.trigger

    def is_done(self, facts: Mapping[str, Json]) -> bool:
        """Whether everything it would write is known already."""
        return bool(self.writes) and all(facts.get(name) == value for name, value in self.writes.items())


@dataclass(frozen=True, kw_only=True)
class Own:
    """Everything that is read of a student for the own pages; without slots, for what is worked out is kept.

    Attributes:
        record: The student's record (学籍) with what is known.
        beside: The other cases that are not cancelled.
        batch: The batch one would graduate with, or does; None where there is none, or several could be meant.
        running: The deadlines that run, by case.
    """

    desk: Desk
    actor: Actor
    record: Found
    beside: Sequence[Case]
    batch: BatchRow | None
    running: Mapping[int, Sequence[Row]]
    staff: Staff
    glance: Glance
    at: datetime
    sights: Fetched

    @cached_property
    def facts(self) -> Mapping[str, Json]:
        """What is known of the student."""
        return self.record.facts

    @property
    def cases(self) -> tuple[Case, ...]:
        """The record, then the others."""
        return (self.record.case, *self.beside)

    @property
    def given(self) -> Mapping[str, Json]:
        """What is taken as given where rules are asked: the batch."""
        return {} if self.batch is None else {"batch": self.batch.name}

    @cached_property
    def machine(self) -> Machine:
        """The record's definition, under the rules that would judge it."""
        return self.desk.machine_for(self.record.case, self.given)

    @property
    def definition(self) -> Definition:
        """Of the record."""
        return self.machine.definition

    @cached_property
    def applying(self) -> tuple[Heard, ...]:
        """What every rule of applying says today; nothing where there is no batch to apply for."""
        if self.batch is None:
            return ()
        return tuple(self._hear(self.machine, self.record, application(self.desk, self.batch.name), self.given))

    @cached_property
    def steps(self) -> tuple[OwnStep, ...]:
        """Every step that the student may take now on one of the own cases."""
        return tuple(one for case in self.cases for one in self.steps_of(case))

    def steps_of(self, case: Case) -> Iterator[OwnStep]:
        """The steps that the student may take now on one case."""
        machine = self.machine if case is self.record.case else self.desk.machine_for(case, {})
        if machine.is_final(case.state):
            return
        found = self.record._replace(case=case)
        for trigger in machine.open_triggers(case.state):
            step = machine.step(case.state, trigger)
            if self._is_own(step, case) and (one := self._own_step(machine, found, step)) is not None:
                yield one

    def _is_own(self, step: Step, case: Case) -> bool:
        request = Request(trigger=step.trigger, actor=self.actor, at=self.at)
        return any(
            who.acting_role == STUDENT and right_at(who, roles, (case.unit, case.path), case, request) is not None
            for who, roles in step.entitled
        )

    def _own_step(self, machine: Machine, found: Found, step: Step) -> OwnStep | None:
        request = Request(trigger=step.trigger, actor=self.actor, at=self.at)
        sight = Seeing(self.desk, machine, found, request, fetched=self.sights)
        values = {
            **step.decoded(sight.see(step.facts, step.others)),
            **machine.decoded(sight.see((), step.shown_by(step.guards))),
        }
        if step.applies is not None and step.applies.evaluate(values) is False:
            return None
        asked = [guard.ask(*[values[key] for key in guard.reads]) for guard in step.guards]
        given = {f"case.{name}" for name in step.takes}
        refusing = tuple(
            explain(guard, outcome, values, machine.readers)
            for guard, outcome in step.refusing(asked)
            if not given.intersection(guard.reads)  # what the form asks for is not wrong before it is filled in
        )
        writes = {
            one.name: one.expression.evaluate({})
            for one in step.assigns
            if one.target == STUDENT and one.name and one.expression is not None and not one.expression.reads
        }
        return OwnStep(found=found, machine=machine, step=step, writes=writes, refusing=refusing)

    def _hear(self, machine: Machine, found: Found, trigger: str, given: Mapping[str, Json]) -> Iterator[Heard]:
        step = machine.step_anywhere(trigger)
        request = Request(trigger=trigger, actor=self.actor, at=self.at, fields=given)
        sight = Seeing(self.desk, machine, found, request, fetched=self.sights)
        values = {
            **step.decoded(sight.see(step.facts, step.others)),
            **machine.decoded(sight.see((), step.shown_by(step.guards))),
        }
        for guard in step.guards[: step.unless_from]:
            outcome = Outcome(guard.ask(*[values[key] for key in guard.reads]))
            yield Heard(guard=guard, verdict=explain(guard, outcome, values, machine.readers))

    def heard_of_papers(self, machine: Machine, case: Case, step: Step) -> Iterator[Verdict]:
        """The rules of a step of somebody else's that refuse because of a document the student hands in."""
        found = self.record._replace(case=case)
        request = Request(trigger=step.trigger, actor=self.actor, at=self.at)
        sight = Seeing(self.desk, machine, found, request, fetched=self.sights)
        guards = [one for one in step.guards if any(key.startswith("has(") for key in one.reads)]
        reads = tuple(dict.fromkeys(key for one in guards for key in one.reads))
        stored = tuple(key for key in reads if key in step.facts)
        values = machine.decoded(sight.see(stored, tuple(key for key in reads if key not in step.facts)))
        for guard in guards:
            outcome = Outcome(guard.ask(*[values[key] for key in guard.reads]))
            if outcome.refuses:
                yield explain(guard, outcome, values, machine.readers)

    def own_step(self, number: str, trigger: str) -> OwnStep:
        """A step of the student's own, as an address names it.

        Raises:
            NotFound: If there is no such case of the student's, or the step is not open to them now.
        """
        plain = number.replace("-", "").upper()
        for one in self.steps:
            if one.case.number == plain and one.trigger == trigger:
                return one
        raise NotFound


def read_own(visit: Visit) -> Own:
    """What a student's own pages show.

    Raises:
        NotFound: If the person has no record.
    """
    desk, student = visit.desk, visit.actor.student or 0
    found = own.cases_of(desk.connection, student)
    record = next((one for one in found if one.case.id == one.record), None)
    if record is None:
        raise NotFound
    desk.as_of(record.registry)
    cases = [one.case for one in found]
    beside = [one for one in cases if one.id != record.case.id]
    numbers = [one.id for one in cases]
    running = deadlines.of_cases(desk.connection, numbers)
    glance = own.glance(desk.connection, student, visit.login, numbers)
    hood = Neighbourhood(desk.connection, [student], {student: cases})
    return Own(
        desk=desk,
        actor=visit.actor,
        record=record,
        beside=beside,
        batch=_batch(desk, record, beside),
        running=running,
        staff=Staff(desk.connection, visit.login),
        glance=glance,
        at=visit.at,
        sights=Fetched(hood, running, glance.documents),
    )


def _batch(desk: Desk, record: Found, beside: Sequence[Case]) -> BatchRow | None:
    """The batch of the record; else of another case, if it is of the same kind; else the only one there could be."""
    fitting = [
        row for row in desk.every_batch() if works_by(desk, record.case.unit, row.profile) and _applied_for(desk, row)
    ]
    named = [str(case.fields.get("batch")) for case in (record.case, *reversed(beside))]
    own_one = next((row for name in named for row in fitting if row.name == name), None)
    return own_one or (fitting[0] if len(fitting) == 1 else None)


def _applied_for(desk: Desk, row: BatchRow) -> bool:
    """Whether one applies for such a batch with the record."""
    try:
        application(desk, row.name)
    except Unknown:
        return False
    return True
