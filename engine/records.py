"""Cases, requests and answers: the values that deciding turns into one another.

What every step makes anew is a `NamedTuple`: frozen like the rest, and made in a quarter of the time
(docs/decisions/0010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from engine.actors import Actor

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
"""What stands in events, fields and facts: no floats, no dates, no Decimals."""

NOTHING: Mapping[str, Json] = MappingProxyType({})
"""No values at all."""

Slots: TypeAlias = "Mapping[str, Mapping[str, Json]]"
"""Signatures by step: what is `given`, `added` and `dropped` since the state was entered (`engine.signing`)."""

NO_SLOTS: Slots = MappingProxyType({})

ZERO = bytes(32)
"""What stands before the first event of a chain."""

_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U to mistake on paper
_PAIRS = tuple(one + two for one in _BASE32 for two in _BASE32)
_SPREAD, _SPACE = 0x5851F42D4D, 1 << 40  # odd, so multiplying is a bijection on 40 bits: numbers do not count up


@lru_cache(maxsize=4096)
def case_number(case: int) -> str:
    """The eight characters a person reads and types for a case; distinct for every case below 2^40."""
    spread = case * _SPREAD % _SPACE
    return _PAIRS[spread >> 30] + _PAIRS[spread >> 20 & 1023] + _PAIRS[spread >> 10 & 1023] + _PAIRS[spread & 1023]


def case_of(number: str) -> int | None:
    """The case behind eight characters, or None when they are no case number."""
    text = number.strip().upper()
    if len(text) != 8 or any(letter not in _BASE32 for letter in text):  # noqa: PLR2004 8 x 5 bits = 40 bits
        return None
    spread = sum(_BASE32.index(letter) << shift for letter, shift in zip(text, range(35, -1, -5), strict=True))
    return spread * pow(_SPREAD, -1, _SPACE) % _SPACE


class Head(NamedTuple):
    """Where a chain ends: the number of events in it and the hash of the last."""

    seq: int = 0
    hash: bytes = ZERO


class Outcome(IntEnum):
    """What a rule said. The numbers are those of the compiled functions (`engine.expressions.verdicts`)."""

    HOLDS = 0
    FAILS = 1
    UNDECIDED = 2
    NOT_APPLICABLE = 3

    @property
    def word(self) -> str:
        """The outcome as the trail and the answers write it."""
        return self.name.lower()

    @property
    def refuses(self) -> bool:
        """Whether a guard with this outcome stands in the way."""
        return self in (Outcome.FAILS, Outcome.UNDECIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one rule said, with the sentence a person reads, who can mend it, and the clause it comes from."""

    rule: str
    id: str
    outcome: Outcome
    title: Sentence
    sentence: Sentence
    remedy_by: str | None = None
    remedy: Sentence | None = None
    source: tuple[str, ...] = ()


class Case(NamedTuple):
    """One case as it stands.

    `revision` rises with every change somebody's open page should know of; `head` is the end of the case's chain,
    which also grows with refusals and looks. `fields` are JSON values, decoded by the kinds of the definition.
    `taken` holds, since the case opened or last rested, who took which transition (G-SG-08, `taken(...)`); `rounds`
    the returns of that time, which the definition caps, `sent_back` all that came back since it opened (console.md 6).
    The two moments are kept as the trail writes them (RFC 3339, UTC): deciding compares and copies, never counts them.
    """

    id: int
    workflow: str
    shape: str
    student: int | None
    unit: str
    path: str
    state: str
    revision: int
    head: Head
    fields: Mapping[str, Json]
    taken: Mapping[str, Sequence[str]]
    rounds: int
    opened_at: str
    entered_at: str
    slots: Slots = NO_SLOTS
    sent_back: int = 0

    @property
    def number(self) -> str:
        """The eight characters a person reads."""
        return case_number(self.id)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """What is asked for, by whom, when; equal only to itself, for asking the same again is another request.

    `seen` is the revision on the page the person decided from (None: whatever is there now); `to` the chosen state
    of a transition with several; `id` makes a repeated request safe: it returns the first answer. Of a step that is
    signed, `slot` is the place to sign (None: the first that is this person's) and `consents` whether the signature is
    for it. `ticks` is what a reviewer found of documents. `caused` says that another step of the same person fires it.
    `cautions` are the ids of those (`engine.cautions`) that the person says to have looked at; the event keeps them.
    """

    trigger: str
    actor: Actor
    at: datetime
    fields: Mapping[str, Json] = field(default_factory=dict)
    to: str | None = None
    seen: int | None = None
    id: str | None = None
    alone: bool = True
    slot: str | None = None
    consents: bool = True
    ticks: Mapping[str, bool] = field(default_factory=dict)
    caused: bool = False
    cautions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Whoever asks does so with the rights of that moment: what is lent from a later one on is not there yet."""
        if self.actor.delegated:
            object.__setattr__(self, "actor", self.actor.begun_by(self.at))


class Due(NamedTuple):
    """An effect that applies: its place among the effects of the step, and its values as they were before the move."""

    place: int
    values: Mapping[str, Json]


class Moved(NamedTuple):
    """The case took the transition: what it has become, what the event says, what is told to whom.

    `event` is the event to be written and `data` its innermost part, which keeping may still add to.
    `sealed` are personal values the rules saw (the event gets their commitment), `facts` what the step writes about
    the student, `ends` whether the case has come to a final state, `effects` what it sets off in other cases.
    `signed` says that this was a signature and more are missing: the case stays where it is. `issued` are the forms
    the step makes (document, rows, hash), `ticks` what its reviewer found, `KIND.tick` by `KIND.tick`.
    """

    trigger: str
    case: Case
    event: dict[str, Json]
    data: dict[str, Json]
    sealed: Mapping[str, Json] = NOTHING
    facts: Mapping[str, Json] = NOTHING
    told: tuple[tuple[str, str], ...] = ()
    ends: bool = False
    warnings: tuple[Verdict, ...] = ()
    effects: tuple[Due, ...] = ()
    signed: bool = False
    issued: tuple[tuple[str, Mapping[str, Json], str], ...] = ()
    ticks: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The case stayed; `verdicts` has every rule that fails or cannot be decided, in the order they were asked."""

    trigger: str
    case: Case
    verdicts: tuple[Verdict, ...]
    event: dict[str, Json]
    data: dict[str, Json]
    sealed: Mapping[str, Json] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[str, ...]:
        """The ids of the rules that fail, sorted, each once."""
        return _ids(self.verdicts, Outcome.FAILS)

    @property
    def undecided(self) -> tuple[str, ...]:
        """The ids of the rules that lack a value, sorted, each once."""
        return _ids(self.verdicts, Outcome.UNDECIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The first answer to a request that has come again, read back from its event."""

    trigger: str
    number: str
    moved: bool
    state: str
    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


def _ids(verdicts: tuple[Verdict, ...], outcome: Outcome) -> tuple[str, ...]:
    return tuple(sorted({verdict.id for verdict in verdicts if verdict.outcome is outcome}))
