"""One transition out of one state, ready to be asked: its rules compiled, its values decoded, its effects bound.

Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple
from unicodedata import is_normalized

import orjson

from engine.definition import Effect, Sign, Transition, Who
from engine.errors import Unknown, Unreadable
from engine.expressions.compiling import Expression, Reading
from engine.expressions.kinds import Kind, Titles, Value, decode, encode
from engine.guards import Guard
from engine.records import Due, Json, Outcome
from engine.trail.event import canonical
from engine.writers import Closed

AS_WRITTEN = frozenset({"yes_no", "number", "text", "code", "choice", "state", "unit", "batch"})
"""Kinds whose JSON is their value: nothing to decode."""


Seen = Mapping[str, Any]
"""JSON by key; it becomes values of declared kinds here, and only here."""


class Look(NamedTuple):
    """Where a value is found: a reading, or a name in a group (`case`, `batch`, …; empty for bare names)."""

    reading: Reading | None
    group: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One line of `set`: a fact of the student or a field of the case takes a value, or is cleared.

    `chosen_by` is the key of the choice field that names the fact, in `student[case.FIELD]`; `name` is then empty.
    """

    target: str
    name: str
    expression: Expression | None
    chosen_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """One effect of a step: what it does, to which cases, with which values.

    `rows` finds the cases; None where it is the student's record, or where nothing is fired.
    """

    effect: Effect
    name: str
    target: str
    trigger: str
    applies: Expression | None
    values: Mapping[str, Expression]
    rows: Reading | None
    expects_one: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """The signatures of a step: the step as each slot takes it, and which slots apply.

    `facts`, `others` and `decoders` are what the conditions of the slots read.
    """

    sign: Sign
    steps: Mapping[str, Step]
    applies: Mapping[str, Expression]
    facts: tuple[str, ...]
    others: tuple[str, ...]
    decoders: tuple[tuple[str, Decoder], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transition out of one state, ready to be asked.

    `guards` holds the rules of `guards`, `unless` and `warns` one after the other, so that all are asked in one
    sweep; `unless_from` and `warns_from` say where each part begins. `facts` and `others` are the keys it reads.
    `codes` are those that each choice among `takes` may have. `apart` are the keys of `taken` that nobody who takes
    it may stand under. `closed` are facts it sets that not everybody who takes it may write. `reaches_out` says that
    more than the case itself and its student's facts may change with it, so that it is an act (`engine.acting`).
    """

    trigger: str
    transition: Transition
    targets: tuple[str, ...]
    entitled: tuple[tuple[Who, tuple[str, ...]], ...]
    asked: tuple[str, ...]
    takes: Mapping[str, Kind]
    codes: Mapping[str, Collection[str]]
    apart: tuple[str, ...]
    applies: Expression | None
    guards: tuple[Guard, ...]
    worded: Callable[[tuple[int, ...]], Mapping[str, str]]
    ask: Callable[[Mapping[str, Value | None]], list[int]]
    unless_from: int
    warns_from: int
    assigns: tuple[Assignment, ...]
    facts: tuple[str, ...]
    others: tuple[str, ...]
    decoders: tuple[tuple[str, Decoder], ...]
    personal: tuple[str, ...]
    told: tuple[tuple[str, str], ...]
    consequences: tuple[Consequence, ...]
    needs: tuple[str, ...]
    closed: tuple[Closed, ...] = ()
    signing: Signing | None = None
    reaches_out: bool = False

    def accept(self, given: Mapping[str, Json]) -> None:
        """Check what is given with a request: only fields the step asks for or accepts, each of its kind.

        Raises:
            Unknown: If the step takes no such field.
            Unreadable: If a value is not of the field's kind.
        """
        for name, value in given.items():
            if name not in self.takes:
                raise Unknown(f"“{self.trigger}”的字段 field", name, self.takes)
            kind, codes = self.takes[name], self.codes.get(name)
            check_value(name, kind, value)
            if codes is not None and value is not None and value not in codes:
                raise Unreadable(name, str(value), f"{kind}（{'、'.join(codes)}）")

    @property
    def warns(self) -> bool:
        """Whether the step asks rules that only warn."""
        return self.warns_from < len(self.guards)

    def decoded(self, seen: Seen) -> Mapping[str, Any]:
        """What is seen, as values: only dates, money and the like need a second form."""
        return decoded(seen, self.decoders) if self.decoders else seen

    def blocks(self, asked: list[int]) -> bool:
        """Whether what the rules said stands in the way."""
        if self.unless_from == len(self.guards):  # the common case: guards only
            return 1 in asked or 2 in asked  # noqa: PLR2004 Outcome.UNDECIDED
        return bool(self.refusing(asked))

    def refusing(self, asked: list[int]) -> list[tuple[Guard, Outcome]]:
        """The rules that stand in the way: guards that do not hold, and `unless` when none of its rules fails."""
        outcomes = [Outcome(one) for one in asked]
        found = [
            (guard, one) for guard, one in zip(self.guards[: self.unless_from], outcomes, strict=False) if one.refuses
        ]
        unless = list(zip(self.guards, outcomes, strict=True))[self.unless_from : self.warns_from]
        undecided = [pair for pair in unless if pair[1] is Outcome.UNDECIDED]
        if undecided:
            found += undecided
        elif unless and all(one is not Outcome.FAILS for _, one in unless):
            found += [(guard, Outcome.FAILS) for guard, _ in unless]
        return found

    def warning(self, asked: list[int]) -> list[tuple[Guard, Outcome]]:
        """The rules that only warn, and do not hold."""
        pairs = zip(self.guards[self.warns_from :], map(Outcome, asked[self.warns_from :]), strict=True)
        return [(guard, outcome) for guard, outcome in pairs if outcome.refuses]

    def shown_by(self, guards: Iterable[Guard]) -> tuple[str, ...]:
        """Keys that only the sentences of these guards read."""
        keys = (key for guard in guards for one in guard.shown.values() for key in one.reads)
        return tuple(dict.fromkeys(key for key in keys if key not in self.facts and key not in self.others))

    def split(self, seen: Mapping[str, Json], data: dict[str, Json]) -> Mapping[str, Json]:
        """Put what was seen into the event, personal values apart; returns the personal ones."""
        if not seen:
            return {}
        if not self.personal and None not in seen.values():
            data["seen"] = seen
            return {}
        data["seen"] = {key: value for key, value in seen.items() if value is not None and key not in self.personal}
        return {key: seen[key] for key in self.personal if seen.get(key) is not None}

    def assigned(
        self, fields: Mapping[str, Json], given: Mapping[str, Json], values: Mapping[str, Value | None]
    ) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
        """The case's fields after the step, and the facts of the student it writes; a reason is the event's alone."""
        if not self.assigns and not given:
            return fields, {}
        after: dict[str, Json] = {**fields, **{name: value for name, value in given.items() if name != "reason"}}
        facts: dict[str, Json] = {}
        for one in self.assigns:
            if one.chosen_by is not None:
                facts[str(values[one.chosen_by])] = _untagged(_assigned(one, values))
            else:
                (facts if one.target == "student" else after)[one.name] = _assigned(one, values)
        return after, facts

    @property
    def has_papers(self) -> bool:
        """Whether the step needs, reviews or makes documents."""
        return bool(self.needs or self.transition.reviews or self.transition.issues)

    def due(self, values: Mapping[str, Value | None]) -> tuple[Due, ...]:
        """The effects that apply, with their values as they were before the move."""
        return tuple(
            Due(place, {name: _evaluated(text, values) for name, text in one.values.items()})
            for place, one in enumerate(self.consequences)
            if one.applies is None or one.applies.evaluate(values) is True
        )


def facts_set(
    assigns: Iterable[Assignment], kind_of: Callable[[str], Kind | None], choices: Titles
) -> Iterator[tuple[str, str | None]]:
    """The facts that assignments may write, each with the key of the choice field that names it, if one does."""
    for one in assigns:
        if one.chosen_by is not None:
            kind = kind_of(one.chosen_by)
            yield from ((name, one.chosen_by) for name in choices.get(kind.of if kind else "", ()))
        elif one.target == "student":
            yield one.name, None


def expressions_of(consequences: Iterable[Consequence]) -> Iterator[Expression | None]:
    """Everything that effects evaluate."""
    for one in consequences:
        yield one.applies
        yield from one.values.values()


WORDS = tuple(outcome.word for outcome in Outcome)


def wording(names: tuple[str, ...]) -> Callable[[tuple[int, ...]], Mapping[str, str]]:
    """What rules said, as the event has it: by name, in words; remembered, for most cases are told the same."""

    @lru_cache(maxsize=64)
    def worded(asked: tuple[int, ...]) -> Mapping[str, str]:
        return {name: WORDS[one] for name, one in zip(names, asked, strict=True)}

    return worded


def _assigned(one: Assignment, values: Mapping[str, Value | None]) -> Json:
    return None if one.expression is None else _evaluated(one.expression, values)


def _untagged(value: Json) -> Json:
    """A value whose kind only its fact knows, as the fact keeps it."""
    return next(iter(value.values())) if isinstance(value, Mapping) else value


def _evaluated(expression: Expression, values: Mapping[str, Value | None]) -> Json:
    value = expression.evaluate(values)
    return None if value is None else encode(expression.kind, value)


def check_value(name: str, kind: Kind, value: Json) -> None:
    """Check a value before it can reach an event: of its kind, and text in NFC (RFC 8785 hashes what it is given).

    Raises:
        Unreadable: If it is not.
    """
    if value is None:
        return
    try:
        decode(kind, value)
    except ValueError as problem:
        raise Unreadable(name, str(value), f"{kind}（{problem}）") from problem
    if isinstance(value, str) and not is_normalized("NFC", value):
        raise Unreadable(name, value, "NFC")


Decoder = Callable[[Any], Any]
"""Makes a value of one kind out of its JSON."""


def decoded(seen: Seen, decoders: Iterable[tuple[str, Decoder]]) -> dict[str, Any]:
    """JSON values as values of their kinds; what is missing stays missing."""
    values: dict[str, Any] = dict(seen)
    for key, decoder in decoders:
        raw = values.get(key)
        if raw is not None:
            values[key] = decoder(raw)
    return values


def as_it_is(raw: Any) -> Any:  # noqa: ANN401 JSON that is its own value
    """The decoder of a kind whose JSON is its value."""
    return raw


@cache
def decoder_of(kind: Kind) -> Decoder:
    """Decoding of one kind, remembered: the same days, amounts and batch lists come again for every student."""

    @lru_cache(maxsize=4096)
    def of_text(raw: str) -> Value | None:
        return decode(kind, raw)

    @lru_cache(maxsize=64)
    def of_list(written: bytes) -> Value | None:
        return decode(kind, orjson.loads(written))

    return lambda raw: of_text(raw) if isinstance(raw, str) else of_list(canonical(raw))
