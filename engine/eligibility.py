"""Eligibility: for every student of a batch, what the rules of the application say today, before anybody applies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.desk import Desk
from engine.errors import Unknown
from engine.expressions.kinds import Value
from engine.fetching import Fetched, Neighbourhood
from engine.records import Request
from engine.settling import rows_of
from engine.sight import Seeing
from engine.step import Step
from engine.store.cases import Found, records_under

CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """One student's answer: rule ids, sorted."""

    student_no: str
    unit: str
    failed: tuple[str, ...]
    undecided: tuple[str, ...]
    not_applicable: tuple[str, ...]

    @property
    def eligible(self) -> bool:
        """Whether every rule holds or does not apply."""
        return not self.failed and not self.undecided


def judge(step: Step, values: Mapping[str, Value | None]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The ids of the rules of a step that fail, are undecided, and do not apply; each sorted."""
    asked = [guard.ask(*[values[key] for key in guard.reads]) for guard in step.guards[: step.unless_from]]
    if not any(asked):
        return (), (), ()
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    for guard, outcome in zip(step.guards, asked, strict=False):
        if outcome:
            found[outcome - 1].append(guard.id)
    failed, undecided, not_applicable = found
    return tuple(sorted(failed)), tuple(sorted(undecided)), tuple(sorted(not_applicable))


def eligibility(
    desk: Desk, batch: str, request: Request, progress: Callable[[int], None] = lambda _: None
) -> tuple[Eligibility, ...]:
    """Judge every student whose unit works by the batch's profile; sorted by student number.

    Args:
        desk: Where the cases are.
        batch: A published batch.
        request: Carries the moment (`today` of the rules); nobody's rights are asked.
        progress: Told of students done.

    Raises:
        Unknown: If the batch is not published, or its profile has no step that asks for such a batch.
    """
    desk.refresh()
    row = desk.batch(batch)
    if row is None:
        raise Unknown("已发布批次 published batch", batch, desk.library.batches)
    trigger = application(desk, batch)
    asked = Request(trigger=trigger, actor=request.actor, at=request.at, fields={"batch": batch})
    units = {code for code in desk.units() if works_by(desk, code, row.profile)}
    answers: list[Eligibility] = []
    found = [one for one in records_under(desk.connection) if one.case.unit in units]
    for start in range(0, len(found), CHUNK):
        chunk = found[start : start + CHUNK]
        answers.extend(judge_records(desk, chunk, asked))
        progress(len(chunk))
    return tuple(sorted(answers, key=lambda one: one.student_no))


def application(desk: Desk, batch: str) -> str:
    """The step of the record's workflow that asks for such a batch: how one applies."""
    row = desk.batch(batch)
    if row is None:
        raise Unknown("已发布批次 published batch", batch, desk.library.batches)
    definition = desk.library.record(row.profile)
    fields = {name for name, field in definition.fields.items() if field.type == f"batch {row.kind}"}
    for trigger, one in definition.transitions.items():
        if fields.intersection(one.asks):
            return trigger
    raise Unknown(f"step that asks for a batch {row.kind} in", definition.workflow)


def works_by(desk: Desk, unit: str, profile: str) -> bool:
    """Whether a unit works by a profile; not where none is named at it or above it."""
    try:
        return desk.profile_of(unit) == profile
    except Unknown:
        return False


def judge_records(desk: Desk, chunk: Sequence[Found], request: Request) -> Iterator[Eligibility]:
    """Judge some records, in their order: what the rules of the step say that the request names."""
    cases = [one.case for one in chunk]
    fetched = Fetched(Neighbourhood(desk.connection, (case.student for case in cases)), rows_of(desk, cases))
    for found in chunk:
        machine = desk.machine_for(found.case, request.fields)
        step = machine.step_anywhere(request.trigger)
        sight = Seeing(desk, machine, found, request, fetched=fetched)
        values = step.decoded(sight.see(step.facts, step.others))
        failed, undecided, not_applicable = judge(step, values)
        yield Eligibility(
            student_no=found.student_no or "",
            unit=found.case.unit,
            failed=failed,
            undecided=undecided,
            not_applicable=not_applicable,
        )
