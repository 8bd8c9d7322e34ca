"""What a procedure is: the frozen values that a workflow file is read into.

The classes *are* the file format (unknown keys are refused) and at the same time the values the
engine decides by, so there is one place to look a key up. JSON Schema is generated from them.
Expressions stay text here; they are typed and compiled in `engine.steps`, against a rulebook.

Source: the definition language, sections 3 to 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints, model_validator

NEW = "new"
CANCELLED = "cancelled"
"""The reserved final state of every workflow."""

RESERVED_ROLES = frozenset({"student", "effect", "timer", "members", "import"})
"""Who may act without holding a role; `import` is a sheet read in by the registry."""


def _as_tuple(given: object) -> tuple[object, ...]:
    """A single word stands for a list of one, everywhere the language allows either."""
    if given is None:
        return ()
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def _as_text(given: object) -> object:
    """Expressions may be written as bare YAML scalars: `holds: true`, `due: 3`."""
    if isinstance(given, bool):
        return "true" if given else "false"
    return str(given) if isinstance(given, int | float) else given


def _as_day(given: object) -> object:
    """Only a day as it is written; pydantic would also take seconds since 1970."""
    if isinstance(given, date):
        return given
    if isinstance(given, str) and len(given) == len("2024-05-13"):
        return date.fromisoformat(given)
    message = "a day is written like 2024-05-13"
    raise ValueError(message)


Day = Annotated[date, BeforeValidator(_as_day)]
Words = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...])]
Expression = Annotated[
    str,
    BeforeValidator(_as_text, json_schema_input_type=str | bool | int),
    Field(min_length=1, max_length=4000),
]


class Part(BaseModel):
    """A piece of a definition file: frozen, and strict about its keys."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        coerce_numbers_to_str=True,
        ignored_types=(cached_property,),
    )


class Bilingual(Part):
    """One text in Chinese and English; both are required wherever people read it."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Privacy(StrEnum):
    """How carefully a value is handled: shown with the case, masked, or never in mails and logs."""

    OPEN = "open"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 - a degree of privacy, no password


class CaseField(Part):
    """One value that is true within a case; `starts` is evaluated at opening, else it is missing."""

    type: str
    title: Bilingual
    starts: Expression | None = None
    header: Words = ()
    privacy: Privacy = Privacy.OPEN
    source: Words = ()


class State(Part):
    """Where a case waits."""

    title: Bilingual
    final: StrictBool = False
    rests: StrictBool = False
    frozen: StrictBool = False
    queue: Words = ()
    source: Words = ()
    legal_basis: str | None = None


class Delegates(Part):
    """To whom and why a student may leave a signature (G-SG-02)."""

    roles: Words = ()
    reasons: Words = ()


class Who(Part):
    """One kind of person who may act: a role, and where and how it counts."""

    role: str
    at: str | None = None
    in_person: StrictBool = False
    recorded_by: str | None = None
    delegates: Delegates | None = None

    @property
    def acting_role(self) -> str:
        """The role of the person at the keyboard: who records it, else who does it."""
        return self.recorded_by or self.role


def _as_who(given: object) -> object:
    return {"role": given} if isinstance(given, str) else given


def _as_who_list(given: object) -> object:
    return tuple(_as_who(one) for one in _as_tuple(given))


WhoList = Annotated[
    tuple[Who, ...],
    BeforeValidator(_as_who_list, json_schema_input_type=str | Who | tuple[str | Who, ...]),
]


class Slot(Who):
    """One signature (签字, 盖章) of a transition."""

    seal: str | None = None
    each: str | None = None
    applies: Expression | None = None
    guards: Words = ()
    needs: Words = ()


SlotOrRole = Annotated[Slot, BeforeValidator(_as_who, json_schema_input_type=str | Slot)]


class AddSigner(Part):
    """加签: who may add how many signers of which roles."""

    by: Words
    roles: Words
    at_most: int = Field(default=1, ge=1)


class DropSigner(Part):
    """减签: who may drop which slots."""

    by: Words
    slots: Words


class Sign(Part):
    """The signatures that make a transition possible."""

    slots: Mapping[str, SlotOrRole] = Field(min_length=1)
    quorum: Literal["all", "any", "majority"] | int = "all"
    order: Literal["sequence", "any"] = "any"
    against: str | None = None
    veto: StrictBool = True
    add: AddSigner | None = None
    drop: DropSigner | None = None
    id: str | None = None


class Tell(Part):
    """Who gets a copy (抄送), and which message; absent: that of the transition's kind."""

    to: str
    message: str | None = None


def _as_tell_list(given: object) -> object:
    return tuple({"to": one} if isinstance(one, str) else one for one in _as_tuple(given))


TellList = Annotated[
    tuple[Tell, ...],
    BeforeValidator(_as_tell_list, json_schema_input_type=str | Tell | tuple[str | Tell, ...]),
]


class Effect(Part):
    """What a move does to other cases, in the same transaction; exactly one verb."""

    fire: str | None = None
    open: str | None = None
    move: str | None = None
    cancel: str | None = None
    to: str | None = None
    applies: Expression | None = None
    where: Expression | None = None
    expects: Literal["one", "any"] = "one"
    for_each: str | None = None
    values: Mapping[str, Expression] = Field(default_factory=dict, alias="with")

    @model_validator(mode="after")
    def _one_verb(self) -> Self:
        given = [verb for verb in ("fire", "open", "move", "cancel") if getattr(self, verb) is not None]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            message = f"an effect has exactly one of fire, open, move, cancel; here: {found}"
            raise ValueError(message)
        return self


class MoveKind(StrEnum):
    """What a transition means to the person whose case it is."""

    ADVANCE = "advance"
    RETURN = "return"
    REJECT = "reject"
    WITHDRAW = "withdraw"


SHORTEST_REASON, LONGEST_REASON = 10, 500
"""Characters of a reason that a student reads word for word."""

_Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=SHORTEST_REASON, max_length=LONGEST_REASON)]


class Reason(Bilingual):
    """What is usually said to whoever gets a case back: what is wrong, and what to do."""

    zh: _Why
    en: _Why


Nine = Annotated[tuple[Reason, ...], Field(max_length=9)]
"""Usual reasons: nine at most, one for each of the keys 1 to 9."""


class Transition(Part):
    """One step. It opens a case (`from: new`), moves it, or (without `to`) only marks it."""

    title: Bilingual
    origins: Words = Field(alias="from", min_length=1)
    targets: Words = Field(default=(), alias="to")
    kind: MoveKind = MoveKind.ADVANCE
    by: WhoList = ()
    sign: Sign | None = None
    when: Literal["batch_published", "term_started"] | None = None
    applies: Expression | None = None
    on_behalf_of: Literal["student"] | None = None
    asks: Words = ()
    accepts: Words = ()
    needs: Words = ()
    reviews: Words = ()
    issues: Words = ()
    guards: Words = ()
    unless: Words = ()
    warns: Words = ()
    assigns: Mapping[str, Expression | None] = Field(default_factory=dict, alias="set")
    then: tuple[Effect, ...] = ()
    tell: TellList = ()
    bulk: StrictBool = True
    retractable: StrictBool = False
    reasons: Nine | None = None
    source: Words = ()
    legal_basis: str | None = None

    @property
    def opens(self) -> bool:
        """Whether this transition opens a case."""
        return self.origins == (NEW,)

    @property
    def sends_back(self) -> bool:
        """Whether whoever put the case forward gets it back, to mend it or to put it forward anew."""
        return self.kind in (MoveKind.RETURN, MoveKind.REJECT)

    @property
    def asked(self) -> tuple[str, ...]:
        """The fields a request must give; all but `advance` also ask for the reason."""
        if self.kind is MoveKind.ADVANCE or "reason" in self.asks:
            return self.asks
        return (*self.asks, "reason")


Offset = Annotated[str, Field(pattern=r"^[0-9]{1,4}(d|wd)$")]
"""A number of calendar days (`3d`) or working days (`3wd`)."""


class Remind(Part):
    """The ladder of reminders of a deadline."""

    to: Words
    before: Annotated[
        tuple[Offset, ...], BeforeValidator(_as_tuple, json_schema_input_type=Offset | tuple[Offset, ...])
    ] = ()
    overdue: Offset | None = None
    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "09:00"
    alone: StrictBool = False


class Escalate(Part):
    """Who hears of a missed deadline, and how long after."""

    to: str
    after: Offset


class Missed(Part):
    """What a missed deadline does beyond the late mark."""

    fire: str


class Reasons(Part):
    """The usual reasons by the kind of step that asks why, of those steps that say none of their own."""

    return_: Nine = Field(default=(), alias="return")
    reject: Nine = ()
    withdraw: Nine = ()

    def of(self, kind: MoveKind) -> tuple[Reason, ...]:
        """Those of one kind of step; none of a step that leads on."""
        every = {MoveKind.RETURN: self.return_, MoveKind.REJECT: self.reject, MoveKind.WITHDRAW: self.withdraw}
        return every.get(kind, ())


class Deadline(Part):
    """Until when something is to be done while a case waits in a state."""

    title: Bilingual
    running: Words = Field(alias="while")
    due: Expression
    opens: Expression | None = None
    settled: Words = ()
    remind: Remind | None = None
    escalate: Escalate | None = None
    missed: Missed | None = None
    source: Words = ()
    legal_basis: str | None = None


class Invariant(Part):
    """What an auditor may rely on; exactly one of the three forms."""

    never_left: Words = ()
    in_order: Words = ()
    since: str | None = None
    holds: Expression | None = None


class Members(Part):
    """Which cases a list gathers; `on_one_of` are forms that share them out: each stands on exactly one."""

    of: str
    where: Expression | None = None
    on_one_of: Words = ()


class MachineFile(Part):
    """What a workflow and each of its lists have in common: one state machine."""

    title: Bilingual
    about: Words
    unique: Literal["open", "ever", "never"] = "open"
    fields: Mapping[str, CaseField] = Field(default_factory=dict)
    states: Mapping[str, State]
    transitions: Mapping[str, Transition]
    deadlines: Mapping[str, Deadline] = Field(default_factory=dict)
    members: Members | None = None
    distinct: tuple[Words, ...] = ()
    rounds: int = Field(default=5, ge=1)
    reasons: Reasons = Reasons()
    invariants: Mapping[str, Invariant] = Field(default_factory=dict)

    @cached_property
    def openings(self) -> Mapping[str, Transition]:
        """The transitions that open a case, by trigger."""
        return {trigger: one for trigger, one in self.transitions.items() if one.opens}

    def is_final(self, state: str) -> bool:
        """Whether no move leads on from this state."""
        return state == CANCELLED or self.states[state].final

    def is_fixed(self, state: str) -> bool:
        """Whether the members of a list are fixed in a state; in one that does not exist they are not."""
        found = self.states.get(state)
        return found is not None and found.frozen

    def fixes(self, one: Transition) -> bool:
        """Whether a step makes a draft: the members are fixed with it."""
        return any(map(self.is_fixed, one.targets)) and not any(map(self.is_fixed, one.origins))

    @property
    def issued_when_fixed(self) -> tuple[str, ...]:
        """The documents made by the steps that fix the members, each once, in the order written."""
        issued = [kind for one in self.transitions.values() if self.fixes(one) for kind in one.issues]
        return tuple(dict.fromkeys(issued))


class Definition(MachineFile):
    """One procedure as one profile runs it: what a case is pinned to when it opens."""

    workflow: str
    procedure: str
    version: int = Field(ge=1)
    effective_from: Day
    status: Literal["published", "draft"] = "published"
    profile: str
    source: Words = ()
    legal_basis: str | None = None
    family: str | None = None
    record: StrictBool = False
    lists: Mapping[str, MachineFile] = Field(default_factory=dict)
    upgrades: Mapping[int, Mapping[str, str]] = Field(default_factory=dict)

    def machines(self) -> Iterator[Definition]:
        """The procedure itself and its lists, each as a definition of its own: a list is a case like any other."""
        yield self
        for name, one in self.lists.items():
            inherited = {key: getattr(self, key) for key in _INHERITED}
            own = {key: getattr(one, key) for key in MachineFile.model_fields}
            yield Definition(workflow=f"{self.workflow}.{name}", **inherited, **own)


_INHERITED = ("procedure", "version", "effective_from", "status", "profile", "source", "legal_basis")
"""What a list has of its procedure."""


class WorkflowFile(Definition):
    """A workflow file as written: one definition and what other profiles do differently."""

    variants: Mapping[str, Mapping[str, object]] = Field(default_factory=dict)
