"""A definition bound to a rulebook: one shared state machine, flattened into steps that are ready to be asked.

Binding compiles every expression once; a step then knows which values it reads, who may take it, and how to decode
what it is shown. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple
from unicodedata import is_normalized

import orjson
import transitions

from engine.definition import CANCELLED, NEW, Bilingual, Definition, MachineFile, MoveKind, Privacy, Transition, Who
from engine.errors import TransitionNotOpen, Unknown, Unreadable
from engine.expressions.compiling import Expression, Reading, compile_expression
from engine.expressions.kinds import TEXT, Kind, Titles, Value, decode, encode, parse_kind
from engine.expressions.scope import Scope
from engine.guards import Guard, Readers, asking, compile_guard, flatten, judged, plain_sentence
from engine.library import Library
from engine.records import Json, Outcome, Verdict
from engine.scopes import case_scope
from engine.trail.event import canonical
from engine.vocabulary import RulebookText

BATCH_PUBLISHED, TERM_STARTED = "batch_published", "term_started"
"""Who opens a case that starts with a batch or a term: the registry's event itself, through whoever caused it."""

_AS_WRITTEN = frozenset({"yes_no", "number", "text", "code", "choice", "state", "unit", "batch"})
"""Kinds whose JSON is their value: nothing to decode."""

_TOLD_BY_KIND = {
    MoveKind.ADVANCE: "moved",
    MoveKind.RETURN: "returned",
    MoveKind.REJECT: "refused",
    MoveKind.WITHDRAW: "moved",
}


class Look(NamedTuple):
    """Where a value is found: a reading, or a name in a group (`case`, `batch`, …; empty for bare names)."""

    reading: Reading | None
    group: str
    name: str


Seen = Mapping[str, Any]
"""JSON by key; it becomes values of declared kinds here, and only here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One line of `set`: a fact of the student or a field of the case takes a value, or is cleared."""

    target: str
    name: str
    expression: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transition out of one state, ready to be asked.

    `guards` holds the rules of `guards`, `unless` and `warns` one after the other, so that all are asked in one
    sweep; `unless_from` and `warns_from` say where each part begins. `facts` and `others` are the keys it reads.
    """

    trigger: str
    transition: Transition
    targets: tuple[str, ...]
    entitled: tuple[tuple[Who, tuple[str, ...]], ...]
    asked: tuple[str, ...]
    takes: Mapping[str, Kind]
    apart: tuple[str, ...]
    applies: Expression | None
    guards: tuple[Guard, ...]
    names: tuple[str, ...]
    ask: Callable[[Mapping[str, Value | None]], list[int]]
    unless_from: int
    warns_from: int
    assigns: tuple[Assignment, ...]
    facts: tuple[str, ...]
    others: tuple[str, ...]
    decoders: tuple[tuple[str, Decoder], ...]
    personal: tuple[str, ...]
    told: tuple[tuple[str, str], ...]
    not_carried_out: tuple[str, ...]

    def accept(self, given: Mapping[str, Json]) -> None:
        """Check what is given with a request: only fields the step asks for or accepts, each of its kind.

        Raises:
            Unknown: If the step takes no such field.
            Unreadable: If a value is not of the field's kind.
        """
        for name, value in given.items():
            if name not in self.takes:
                raise Unknown(f"“{self.trigger}”的字段 field", name, self.takes)
            check_value(name, self.takes[name], value)

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
            value = (
                None
                if one.expression is None
                else one.expression.evaluate({key: values.get(key) for key in one.expression.reads})
            )
            encoded = None if value is None or one.expression is None else encode(one.expression.kind, value)
            (facts if one.target == "student" else after)[one.name] = encoded
        return after, facts


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


def _as_it_is(raw: Any) -> Any:  # noqa: ANN401 JSON that is its own value
    return raw


@cache
def _decoder(kind: Kind) -> Decoder:
    """Decoding of one kind, remembered: the same days, amounts and batch lists come again for every student."""

    @lru_cache(maxsize=4096)
    def of_text(raw: str) -> Value | None:
        return decode(kind, raw)

    @lru_cache(maxsize=64)
    def of_list(written: bytes) -> Value | None:
        return decode(kind, orjson.loads(written))

    return lambda raw: of_text(raw) if isinstance(raw, str) else of_list(canonical(raw))


class Machine:
    """A definition bound to a rulebook: the shared `transitions.Machine`, and the table of steps made from it."""

    def __init__(self, library: Library, definition: Definition, *, shape: str, rulebook: str) -> None:
        self.definition = definition
        self.shape = shape
        self.rulebook = rulebook
        self.scope: Scope = case_scope(library, definition)
        self.book: RulebookText = library.rulebook_for(definition.profile)
        self.readers = Readers(titles=_titles(definition, self.book), choices=_choices(library, definition, self.scope))
        self.derived = {name: fact.derive for name, fact in self.book.vocabulary.student.items() if fact.derive}
        self.stored = frozenset(self.book.vocabulary.student)
        self.readings: dict[str, Reading] = {}
        self._looks: dict[str, Look] = {}
        self._known_decoders: dict[str, Decoder] = {}
        self._on_nothing: dict[str, Json] = {}
        self._guards: dict[str, Guard] = {}
        self.starts = {name: self._compile(one.starts) for name, one in definition.fields.items() if one.starts}
        self.graph = graph(definition)
        self._table = self._flatten()

    def step(self, state: str, trigger: str) -> Step:
        """The step of a trigger out of a state.

        Raises:
            Unknown: If the workflow has no such trigger at all.
            TransitionNotOpen: If it does not lead out of this state.
        """
        step = self._table.get((state, trigger))
        if step is None:
            if trigger not in self.definition.transitions:
                raise Unknown("步骤 step", trigger, self.definition.transitions)
            raise TransitionNotOpen(trigger, state, self.open_triggers(state))
        return step

    def step_anywhere(self, trigger: str) -> Step:
        """The step of a trigger, whatever state it leads out of."""
        return next(step for (_, name), step in self._table.items() if name == trigger)

    def steps(self) -> Iterable[tuple[str, Step]]:
        """Every state with every step out of it."""
        return ((state, step) for (state, _), step in self._table.items())

    def open_triggers(self, state: str) -> tuple[str, ...]:
        """The triggers that lead out of a state or mark it."""
        return tuple(trigger for origin, trigger in self._table if origin == state)

    def rests(self, state: str) -> bool:
        """Whether a state is in nobody's queue, so that counting starts anew."""
        return state != CANCELLED and self.definition.states[state].rests

    def is_final(self, state: str) -> bool:
        """Whether no move leads on from this state."""
        return self.definition.is_final(state)

    def title(self, key: str) -> str:
        """How a value is called on screen, in both languages."""
        title = self.readers.titles.get(key)
        return f"{title.zh} {title.en}" if title else key

    def titles_of(self, triggers: Iterable[str]) -> str:
        """Steps by their Chinese titles."""
        return "、".join(self.definition.transitions[trigger].title.zh for trigger in triggers)

    def engine_verdict(self, name: str, **words: str) -> Verdict:
        """A refusal of the engine's own, with its sentence from `rules/engine.yaml`."""
        rule = self.book.engine[name]
        return judged(name, rule, Outcome.FAILS, plain_sentence(rule.otherwise, words))

    def decoded(self, seen: Seen) -> dict[str, Any]:
        """Any values by key, decoded by the kinds of this machine's scope."""
        return {key: None if raw is None else self._decoder_of(key)(raw) for key, raw in seen.items()}

    def _decoder_of(self, key: str) -> Decoder:
        if key not in self._known_decoders:
            kind = self.kind(key)
            self._known_decoders[key] = _as_it_is if kind is None or kind.name in _AS_WRITTEN else _decoder(kind)
        return self._known_decoders[key]

    def look(self, key: str) -> Look:
        """Where the value of a key is found, taken apart once."""
        found = self._looks.get(key)
        if found is None:
            group, dot, name = key.partition(".")
            reading = self.readings.get(key)
            found = self._looks[key] = Look(reading, group if dot else "", name if dot else key)
        return found

    def on_nothing(self, reading: Reading) -> Json:
        """What a reading over related cases says of a student who has no others: always the same, so asked once."""
        if reading.key not in self._on_nothing:
            value = reading.evaluate({}, dict.fromkeys(reading.sources, ()))
            self._on_nothing[reading.key] = None if value is None else encode(reading.kind, value)
        return self._on_nothing[reading.key]

    def kind(self, key: str) -> Kind | None:
        """The kind of what a key names: a fact, a field, a reading; None for what nobody knows."""
        if key in self.readings:
            return self.readings[key].kind
        group, dot, name = key.partition(".")
        return self.scope.groups.get(group, {}).get(name) if dot else self.scope.names.get(key)

    def group_guards(self, facts: Iterable[str]) -> tuple[str, ...]:
        """The rules asked whenever one of these facts is written: those of its group."""
        vocabulary = self.book.vocabulary
        groups = {vocabulary.student[name].group for name in facts if name in vocabulary.student}
        return tuple(
            dict.fromkeys(rule for name in sorted(g for g in groups if g) for rule in vocabulary.groups[name].guards)
        )

    def guards_of(self, names: Iterable[str]) -> tuple[Guard, ...]:
        """Rules by name, compiled for this workflow's cases."""
        return tuple(self._guard(name) for name in flatten(names, self.book.rules))

    def _flatten(self) -> dict[tuple[str, str], Step]:
        table: dict[tuple[str, str], Step] = {}
        for trigger, event in self.graph.events.items():
            step_of_trigger = self._bind(trigger, self.definition.transitions[trigger])
            for origin in event.transitions:
                table[origin, trigger] = step_of_trigger
        return table

    def _guard(self, name: str) -> Guard:
        if name not in self._guards:
            self._guards[name] = compile_guard(name, self.book.rules[name], self.scope, self.derived)
        return self._guards[name]

    def _compile(self, text: str, expects: Kind | None = None) -> Expression:
        return compile_expression(text, self.scope, self.derived, expects)

    def _bind(self, trigger: str, one: Transition) -> Step:
        rules = self.book.rules
        written = [target.partition(".")[2] for target in one.assigns if target.startswith("student.")]
        named = ((*one.guards, *self.group_guards(written)), one.unless, one.warns)
        parts = [[self._guard(name) for name in flatten(names, rules)] for names in named]
        guards = tuple(guard for part in parts for guard in part)
        applies = self._compile(one.applies) if one.applies else None
        assigns = tuple(self._assignment(target, text) for target, text in one.assigns.items())
        extra = [e for e in (applies, *(a.expression for a in assigns)) if e is not None]
        expressions = [e for guard in guards for e in (*guard.expressions, *guard.shown.values())] + extra
        self.readings |= {reading.key: reading for e in expressions for reading in e.readings}
        reads = tuple(
            dict.fromkeys([key for guard in guards for key in guard.reads] + [key for e in extra for key in e.reads])
        )
        stored = self.book.vocabulary.student
        facts = tuple(key for key in reads if key in self.stored)
        return Step(
            trigger=trigger,
            transition=one,
            targets=one.targets,
            entitled=tuple((who, (who.acting_role,)) for who in (*one.by, *([Who(role=one.when)] if one.when else ()))),
            asked=one.asked,
            takes={name: self._field_kind(name) for name in (*one.asked, *one.accepts, "reason")},
            apart=_apart(self.definition, trigger),
            applies=applies,
            guards=guards,
            names=tuple(guard.name for guard in guards),
            ask=asking(guards),
            unless_from=len(parts[0]),
            warns_from=len(parts[0]) + len(parts[1]),
            assigns=assigns,
            facts=facts,
            others=tuple(key for key in reads if key not in self.stored),
            decoders=_decoders((key, self.kind(key)) for key in reads),
            personal=tuple(key for key in facts if stored[key].privacy is not Privacy.OPEN),
            told=tuple((tell.to, tell.message or _TOLD_BY_KIND[one.kind]) for tell in one.tell),
            not_carried_out=_not_carried_out(one),
        )

    def _field_kind(self, name: str) -> Kind:
        field = self.definition.fields.get(name)
        return TEXT if field is None else parse_kind(field.type)

    def _assignment(self, target: str, text: str | None) -> Assignment:
        owner, _, name = target.partition(".")
        return Assignment(target=owner, name=name, expression=self._compile(text) if text is not None else None)


def graph(definition: MachineFile) -> transitions.Machine:
    """The shared `transitions.Machine` of a definition: which moves there are, for validating and drawing.

    It holds no model and decides nothing; a transition without `to` is an internal one, a return with several
    targets is one transition per target.
    """
    machine = transitions.Machine(
        model=None, states=[NEW, *definition.states, CANCELLED], initial=NEW, send_event=True, auto_transitions=False
    )
    for trigger, one in definition.transitions.items():
        for target in one.targets or (None,):
            machine.add_transition(trigger, list(one.origins), target)
    return machine


def _decoders(keys: Iterable[tuple[str, Kind | None]]) -> tuple[tuple[str, Decoder], ...]:
    return tuple((key, _decoder(kind)) for key, kind in keys if kind is not None and kind.name not in _AS_WRITTEN)


def _apart(definition: MachineFile, trigger: str) -> tuple[str, ...]:
    """The steps that nobody who takes this one may have taken (G-SG-08)."""
    groups = [group for group in definition.distinct if trigger in group]
    return tuple(dict.fromkeys(other for group in groups for other in group if other != trigger))


def _not_carried_out(one: Transition) -> tuple[str, ...]:
    """What this version loads and checks but does not run; the step is refused, never half done."""
    parts = {"sign": one.sign, "needs": one.needs, "reviews": one.reviews, "issues": one.issues}
    return tuple(name for name, part in parts.items() if part)


def _choices(library: Library, definition: Definition, scope: Scope) -> Titles:
    """Titles of the codes that sentences show: choice lists, states of every workflow of the profile, batches."""
    titles: dict[str, Mapping[str, Mapping[str, str]]] = dict(scope.choices)
    for name, one in {**library.of_profile(definition.profile), definition.workflow: definition}.items():
        titles[f"state {name}"] = {word: state.title.model_dump() for word, state in one.states.items()}
    for name, batch in library.batches.items():
        titles[f"batch {batch.kind}"] = {**titles.get(f"batch {batch.kind}", {}), name: batch.title.model_dump()}
    return titles


def _titles(definition: MachineFile, book: RulebookText) -> dict[str, Bilingual]:
    titles = {name: fact.title for name, fact in book.vocabulary.student.items()}
    titles |= {f"case.{name}": one.title for name, one in definition.fields.items()}
    titles |= {
        f"batch.{name}": one.title for kind in book.vocabulary.batch.values() for name, one in kind.fields.items()
    }
    titles["case.reason"] = Bilingual(zh="理由", en="Reason")
    titles["record.state"] = Bilingual(zh="学籍状态", en="State of the record")
    return titles
