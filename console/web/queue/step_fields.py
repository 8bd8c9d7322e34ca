"""The form of a step: what it asks for, where it may lead, what is to be ticked on documents; read and written.

What a person has put into it is `Typed`: read once, and shown again whenever the form comes back, for whatever reason.
What nobody has chosen is refused and never guessed: a vote that got lost on the way must not become a yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from console.web.faults import FieldFault, FieldFaults
from console.web.visit import Visit
from engine.casework import read_fields
from engine.definition import LONGEST_REASON, SHORTEST_REASON, Bilingual, MoveKind
from engine.documents import of_kind, ticks_of
from engine.errors import Unreadable
from engine.expressions.kinds import Kind
from engine.lane_queries import Placed
from engine.records import Json
from engine.step import Step
from engine.steps import Machine
from engine.store.documents import DocumentRow

REASON = "reason"
SHORTEST, LONGEST = SHORTEST_REASON, LONGEST_REASON
TO, VOTE, SLOT, CAUTION = "to", "vote", "slot", "caution"
YES, NO = "yes", "no"
GIVEN, TICK = "field-", "tick-"
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
    `to`, `vote` and `ticked` are what was chosen before; empty where nobody has chosen.
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
    to: str = ""
    vote: str = ""
    ticked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person has put into the form of a step, and nothing that the page put there.

    `pairs` are names and texts as they were posted; a name may stand there several times.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, str] = field(init=False)
    """The last text of each name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", dict(self.pairs))

    @classmethod
    def of(cls, posted: Iterable[tuple[str, object]]) -> Typed:
        """Of a form as it was posted, or of a draft; blanks around a text do not count."""
        return cls(
            tuple((name, text.strip()) for name, text in posted if isinstance(text, str) and _is_typed(name))
        )  # fmt: skip

    @property
    def reason(self) -> str:
        """Why, in the person's words."""
        return self.values.get(REASON, "")

    @property
    def cautions(self) -> tuple[str, ...]:
        """What the person says to have looked at."""
        return tuple(dict.fromkeys(text for name, text in self.pairs if name == CAUTION))

    @property
    def ticks(self) -> Mapping[str, bool]:
        """What the person says of documents, by the name a request gives it."""
        return {name.removeprefix(TICK): text == YES for name, text in self.pairs if name.startswith(TICK)}

    @property
    def draft(self) -> Mapping[str, str]:
        """What is kept of it for another day: not what was looked at, which may be otherwise by then."""
        return {name: text[:LONGEST] for name, text in self.values.items() if name != CAUTION}


def _is_typed(name: str) -> bool:
    return name in (REASON, TO, VOTE, SLOT, CAUTION) or name.startswith((GIVEN, TICK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The values that were filled in, of their kinds."""

    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided: values, where to, what was ticked, yes or no, at which place to sign, what was looked at."""

    fields: Mapping[str, Json]
    to: str | None
    ticks: Mapping[str, bool]
    consents: bool
    slot: str | None
    cautions: tuple[str, ...]


def is_plain(machine: Machine, step: Step, state: str) -> bool:
    """Whether a step is taken with one press: it asks for nothing, is not final, and leads to one place."""
    is_final = any(machine.is_final(target) for target in step.targets if target != state)
    reviews = any(ticks_of(machine, kind) for kind in step.transition.reviews)
    return not (step.asked or is_final or reviews or len(step.targets) > 1 or can_oppose(step))


def can_oppose(step: Step) -> bool:
    """Whether a step asks for a vote: it is signed, and one may sign against it."""
    return step.signing is not None and step.signing.sign.against is not None


def to_look_at(step: Step, standing: Placed | None) -> tuple[str, ...]:
    """The ids of what is to be looked at before a step: where it leads on, and is the one that the case waits for."""
    is_this = standing is not None and standing.row.trigger == step.trigger
    return standing.cautions if standing is not None and is_this and step.transition.kind is MoveKind.ADVANCE else ()


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
        can_oppose=can_oppose(step),
        is_final=any(machine.is_final(target) for target in step.targets),
        to=typed.get(TO, ""),
        vote=typed.get(VOTE, ""),
        ticked=frozenset(name for name, is_ticked in Typed.of(typed.items()).ticks.items() if is_ticked),
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
    """The values that were posted for a step.

    Raises:
        FieldFaults: If the reason is too short or too long, or a value is not of its kind: all of them at once.
    """
    typed = Typed.of(visit.posted.multi_items())
    fields, faults = _values(visit, machine, step, typed)
    if faults := [*_bad_reason(visit, step, typed), *faults]:
        raise FieldFaults(faults)
    return Given(fields=fields)


def read_decision(visit: Visit, machine: Machine, step: Step, typed: Typed) -> Decision:
    """What was decided with a step.

    Raises:
        FieldFaults: If a choice that the step asks for was not made, the reason is too short or too long, or a value
            is not of its kind: all of them at once.
    """
    fields, faults = _values(visit, machine, step, typed)
    if faults := [*_not_chosen(visit, step, typed), *_bad_reason(visit, step, typed), *faults]:
        raise FieldFaults(faults)
    return Decision(
        fields=fields,
        to=typed.values.get(TO) or None,
        ticks=typed.ticks,
        consents=typed.values.get(VOTE) != NO,
        slot=typed.values.get(SLOT) or None,
        cautions=typed.cautions,
    )


def _values(visit: Visit, machine: Machine, step: Step, typed: Typed) -> tuple[dict[str, Json], list[FieldFault]]:
    given = {name.removeprefix(GIVEN): text for name, text in typed.values.items() if name.startswith(GIVEN) and text}
    fields: dict[str, Json] = {REASON: typed.reason} if typed.reason else {}
    faults: list[FieldFault] = []
    for name, text in given.items():
        try:
            fields |= read_fields(visit.desk, machine, step.trigger, {name: text})
        except Unreadable as problem:
            title = machine.readers.titles.get(f"case.{name}")
            faults.append(FieldFault(f"{GIVEN}{name}", name if title is None else visit.title(title), str(problem)))
    return fields, faults


def _not_chosen(visit: Visit, step: Step, typed: Typed) -> Iterator[FieldFault]:
    """The choices that nobody has made; with one way only there is nothing to choose."""
    if len(step.targets) > 1 and typed.values.get(TO) not in step.targets:
        yield FieldFault(TO, visit.say("到哪一步"), visit.say("请选择"))
    if can_oppose(step) and typed.values.get(VOTE) not in (YES, NO):
        yield FieldFault(VOTE, visit.say("您的意见"), visit.say("请选“同意”或“不同意”"))


def _bad_reason(visit: Visit, step: Step, typed: Typed) -> Iterator[FieldFault]:
    is_against = can_oppose(step) and typed.values.get(VOTE) == NO
    least = SHORTEST if is_against or step.transition.kind in _READ_BY_STUDENTS else 1
    reason = typed.reason
    if not reason and not is_against and REASON not in step.asked:
        return
    if not least <= len(reason) <= LONGEST:
        said = visit.say("要 {least} 到 {most} 个字，现在 {n} 个", least=least, most=LONGEST, n=len(reason))
        yield FieldFault(REASON, visit.say("理由"), said)
