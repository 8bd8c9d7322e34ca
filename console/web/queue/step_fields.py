"""The form of a step: what it asks for, where it may lead, what is to be ticked on documents; read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.web.faults import FieldFault, FieldFaults
from console.web.visit import Visit
from engine.casework import read_fields
from engine.definition import Bilingual, MoveKind
from engine.documents import of_kind, ticks_of
from engine.errors import Unreadable
from engine.expressions.kinds import Kind
from engine.records import Json
from engine.step import Step
from engine.steps import Machine
from engine.store.documents import DocumentRow

REASON = "reason"
SHORTEST, LONGEST = 10, 500
"""Characters of a reason that a student reads word for word."""
GIVEN, _TICK = "field-", "tick-"
_TYPES: Mapping[str, str] = {"date": "date", "number": "number", "money": "text", "moment": "datetime-local"}
_READ_BY_STUDENTS = (MoveKind.RETURN, MoveKind.REJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepField:
    """One field of a form: what it is called, how it is typed, between what one chooses, what stands in it."""

    name: str
    title: Bilingual
    type: str
    choices: tuple[tuple[str, Bilingual], ...]
    is_required: bool
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForm:
    """What a person fills in for a step.

    `wants_reason` says that somebody else will read why. `targets` are several states to choose from, or none.
    `can_oppose`: the step is signed, and one may sign against it. `is_final`: nothing leads back.
    """

    trigger: str
    title: Bilingual
    fields: tuple[StepField, ...]
    wants_reason: bool
    is_read_by_student: bool
    targets: tuple[tuple[str, Bilingual], ...]
    ticks: tuple[tuple[str, Bilingual], ...]
    can_oppose: bool
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was filled in."""

    fields: Mapping[str, Json]
    to: str | None
    ticks: Mapping[str, bool]
    consents: bool


def is_plain(machine: Machine, step: Step, state: str) -> bool:
    """Whether a step is taken with one press: it asks for nothing, is not final, and leads to one place."""
    is_final = any(machine.is_final(target) for target in step.targets if target != state)
    reviews = any(ticks_of(machine, kind) for kind in step.transition.reviews)
    signs_against = step.signing is not None and step.signing.sign.against is not None
    return not (step.asked or is_final or reviews or len(step.targets) > 1 or signs_against)


def step_form(machine: Machine, step: Step, papers: Sequence[DocumentRow], typed: Mapping[str, str]) -> StepForm:
    """The form of a step, with what was typed before."""
    states = machine.definition.states
    kinds = [kind for kind in step.transition.reviews if of_kind(papers, kind)]
    return StepForm(
        trigger=step.trigger,
        title=step.transition.title,
        fields=tuple(_fields(machine, step, typed)),
        wants_reason=REASON in step.asked,
        is_read_by_student=step.transition.kind in _READ_BY_STUDENTS,
        targets=tuple((name, states[name].title) for name in step.targets if name in states)
        if len(step.targets) > 1
        else (),
        ticks=tuple((name, title) for kind in kinds for name, title in ticks_of(machine, kind).items()),
        can_oppose=step.signing is not None and step.signing.sign.against is not None,
        is_final=any(machine.is_final(target) for target in step.targets),
    )


def _fields(machine: Machine, step: Step, typed: Mapping[str, str]) -> Iterator[StepField]:
    for name, kind in step.takes.items():
        if name == REASON:
            continue
        title = machine.readers.titles.get(f"case.{name}") or Bilingual(zh=name, en=name)
        yield StepField(
            name=f"{GIVEN}{name}",
            title=title,
            type="choice" if _choices(machine, kind) else _TYPES.get(kind.name, "text"),
            choices=_choices(machine, kind),
            is_required=name in step.asked,
            value=typed.get(f"{GIVEN}{name}", ""),
        )


def _choices(machine: Machine, kind: Kind) -> tuple[tuple[str, Bilingual], ...]:
    if kind.name == "yes_no":
        return (("true", Bilingual(zh="是", en="Yes")), ("false", Bilingual(zh="否", en="No")))
    if kind.name not in ("choice", "batch", "unit"):
        return ()
    listed = machine.readers.choices.get(kind.of if kind.name == "choice" else str(kind), {})
    return tuple((code, Bilingual(zh=words["zh"], en=words["en"])) for code, words in listed.items())


def read_given(visit: Visit, machine: Machine, step: Step) -> Given:
    """What was posted for a step, as values of their kinds.

    Raises:
        FieldFaults: If the reason is too short or too long, or a value is not of its kind: all of them at once.
    """
    form = visit.form
    typed = {name.removeprefix(GIVEN): value for name, value in form.items() if name.startswith(GIVEN) and value}
    faults = [*_bad_reason(visit, step, form.get(REASON, ""))]
    fields: dict[str, Json] = {}
    for name, text in typed.items():
        try:
            fields |= read_fields(visit.desk, machine, step.trigger, {name: text})
        except Unreadable as problem:
            title = machine.readers.titles.get(f"case.{name}")
            faults.append(FieldFault(f"{GIVEN}{name}", name if title is None else visit.title(title), str(problem)))
    if faults:
        raise FieldFaults(faults)
    if form.get(REASON):
        fields[REASON] = form[REASON]
    ticks = {name.removeprefix(_TICK): value == "yes" for name, value in form.items() if name.startswith(_TICK)}
    return Given(fields=fields, to=form.get("to") or None, ticks=ticks, consents=form.get("vote") != "no")


def _bad_reason(visit: Visit, step: Step, reason: str) -> Iterator[FieldFault]:
    least = SHORTEST if step.transition.kind in _READ_BY_STUDENTS else 1
    if not reason and REASON not in step.asked:
        return
    if not least <= len(reason) <= LONGEST:
        said = visit.say("要 {least} 到 {most} 个字，现在 {n} 个", least=least, most=LONGEST, n=len(reason))
        yield FieldFault(REASON, visit.say("理由"), said)
