"""A definition bound to a rulebook: one shared state machine, flattened into steps that are ready to be asked.

Binding compiles every expression once; a step then knows which values it reads, who may take it, and how to decode
what it is shown. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from engine.calendars import calendar_of
from engine.deadlines import BoundDeadline, Watch, bind_deadline, watch_of
from engine.definition import (
    CANCELLED,
    Definition,
    Effect,
    MachineFile,
    MoveKind,
    Privacy,
    Sign,
    Transition,
    Who,
)
from engine.errors import TransitionNotOpen, Unknown
from engine.expressions.compiling import Expression, Reading, compile_expression
from engine.expressions.kinds import TERM, TEXT, Kind, Row, encode, parse_kind
from engine.expressions.scope import Scope
from engine.guards import Guard, Readers, asking, compile_guard, flatten, judged, plain_sentence
from engine.library import Library
from engine.outline import fields_about, graph, lists_of, member_rules, opens_with_members, steps_apart, waits_elsewhere
from engine.records import Json, Outcome, Verdict
from engine.scopes import batch_kind, case_scope, kind_or_unknown, machines_called
from engine.stakes import Stakes
from engine.step import (
    AS_WRITTEN,
    Assignment,
    Consequence,
    Decoder,
    Look,
    Seen,
    Signing,
    Step,
    as_it_is,
    decoder_of,
    expressions_of,
    facts_set,
    wording,
)  # fmt: skip
from engine.titles import choices_of, titles_of
from engine.vocabulary import RulebookText
from engine.writers import closed_to

BATCH_PUBLISHED, TERM_STARTED = "batch_published", "term_started"
"""Who opens a case that starts with a batch or a term: the registry's event itself, through whoever caused it."""

_TOLD_BY_KIND = {
    MoveKind.ADVANCE: "moved",
    MoveKind.RETURN: "returned",
    MoveKind.REJECT: "refused",
    MoveKind.WITHDRAW: "moved",
}


class Machine:
    """A definition bound to a rulebook: the shared `transitions.Machine`, and the table of steps made from it."""

    def __init__(self, library: Library, definition: Definition, *, shape: str, rulebook: str) -> None:
        self.definition = definition
        self.profile = definition.profile
        self.shape = shape
        self.rulebook = rulebook
        self.book: RulebookText = library.rulebook_for(definition.profile)
        self.calendar = calendar_of(self.book.calendar, definition.profile)
        self.scope: Scope = replace(case_scope(library, definition), calendar=self.calendar)
        choices = choices_of(library, definition, self.scope)
        self.readers = Readers(titles=titles_of(definition, self.book), choices=choices)
        self.derived = {name: fact.derive for name, fact in self.book.vocabulary.student.items() if fact.derive}
        self.stored = frozenset(self.book.vocabulary.student)
        self.personal_fields = frozenset(
            name for name, one in definition.fields.items() if one.privacy is not Privacy.OPEN
        )
        self.readings: dict[str, Reading] = {}
        self._looks: dict[str, Look] = {}
        self._known_decoders: dict[str, Decoder] = {}
        self._on_nothing: dict[str, Json] = {}
        self._with_student: dict[str, bool] = {}
        self.asks_late = False
        self._shelf = library.of_profile(definition.profile)
        self._guards: dict[str, Guard] = {}
        self._deadlines: dict[str, BoundDeadline] = {}
        self._running = {
            state: tuple(name for name, one in definition.deadlines.items() if state in one.running)
            for state in definition.states
        }
        self.starts = {name: self._compile(one.starts) for name, one in definition.fields.items() if one.starts}
        self.graph = graph(definition)
        self.is_gathered = any(True for _ in lists_of(library, definition))
        self.gathered_by = tuple(name for name, one in lists_of(library, definition) if opens_with_members(one))
        self._member_rules = tuple(member_rules(library, definition, self.gathered_by))
        self.gathers = self._rows_of_members(definition)
        self.waits_elsewhere = any(waits_elsewhere(one) for one in definition.transitions.values())
        self._signed = frozenset(name for name, one in definition.transitions.items() if one.sign is not None)
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

    def deadline(self, name: str) -> BoundDeadline:
        """A deadline of the definition, compiled once."""
        if name not in self._deadlines:
            before = self.book.organisation.profiles[self.profile].before
            written = self.definition.deadlines[name]
            one = bind_deadline(written, self.guards_of(written.settled), self.scope, self.derived, before)
            self._learn(one.expressions)
            self._deadlines[name] = one
        return self._deadlines[name]

    def running(self, state: str) -> tuple[str, ...]:
        """The deadlines that run while a case waits in a state."""
        return self._running.get(state, ())

    def touches_deadlines(self, state: str, trigger: str) -> bool:
        """Whether deadlines run before or after a step; also where it is not open here."""
        step = self._table.get((state, trigger))
        return step is not None and any(self.running(one) for one in (state, *step.targets))

    @cached_property
    def watch(self) -> Watch:
        """What the deadlines read beside the case itself."""
        return watch_of(map(self.deadline, self.definition.deadlines), self.stored)

    @cached_property
    def stakes(self) -> Stakes:
        """What its steps could break of the definition's invariants."""
        stakes = Stakes(self.definition, self._compile, self.starts, self.stored)
        self._learn(one.expression for one in stakes.conditions)
        return stakes

    def term_of(self, day: date) -> Json:
        """The term a day belongs to, as JSON; None where none is set."""
        term = None if self.calendar is None else self.calendar.term_of(day)
        return None if term is None else encode(TERM, term)

    def to_sign(self, state: str, trigger: str) -> Step | None:
        """The step of a trigger that is signed for, also where its state has been left; None for any other."""
        if trigger not in self._signed:
            return None
        return self._table.get((state, trigger)) or self.step_anywhere(trigger)

    def is_elsewhere(self, state: str, trigger: str) -> bool:
        """Whether a step is taken at another unit than the case's own."""
        return self.waits_elsewhere and any(who.at is not None for who in self.step(state, trigger).transition.by)

    def step_anywhere(self, trigger: str) -> Step:
        """The step of a trigger, whatever state it leads out of."""
        return next(step for (_, name), step in self._table.items() if name == trigger)

    def steps(self) -> Iterable[tuple[str, Step]]:
        """Every state with every step out of it."""
        return ((state, step) for (state, _), step in self._table.items())

    def reaches_out(self, state: str, trigger: str) -> bool:
        """Whether a step may change more than the case and its student's facts; also where it is not open here."""
        step = self._table.get((state, trigger))
        return step is not None and step.reaches_out

    def may_start_lists(self, state: str) -> bool:
        """Whether a case that enters a state may be the first member of a list, as far as its state decides."""
        row: Row = {"state": state, "open": state != CANCELLED and not self.definition.is_final(state)}
        rules = self._member_rules
        return any(rule is None or rule.evaluate({}, {rule.sources[0]: (row,)}) is not False for rule in rules)

    def state_title(self, state: str) -> str:
        """A state as people read it."""
        return self.definition.states[state].title.zh if state in self.definition.states else state

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
        """Steps by their Chinese titles, each once; a place to sign (`TRIGGER.SLOT`) by that of its step."""
        steps = dict.fromkeys(trigger.partition(".")[0] for trigger in triggers)
        return "、".join(self.definition.transitions[step].title.zh for step in steps)

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
            self._known_decoders[key] = as_it_is if kind is None or kind.name in AS_WRITTEN else decoder_of(kind)
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

    def stays_with_student(self, reading: Reading) -> bool:
        """Whether a reading looks at cases of the student only, so that a student without others has none to show."""
        if reading.key not in self._with_student:
            names = [source.argument for source in reading.sources]
            self._with_student[reading.key] = reading.only_cases and all(map(self._is_about_students, names))
        return self._with_student[reading.key]

    def _is_about_students(self, name: str) -> bool:
        return all("student" in one.about for one in machines_called(name, self._shelf))

    def kind(self, key: str) -> Kind | None:
        """The kind of what a key names: a fact, a field, a reading; None for what nobody knows."""
        if key in self.readings:
            return self.readings[key].kind
        group, dot, name = key.partition(".")
        if dot:
            return self.scope.groups.get(group, {}).get(name)
        fact = self.book.vocabulary.student.get(key)  # a list reads facts of its members, which are not its own names
        return self.scope.names.get(key) or (None if fact is None else kind_or_unknown(fact.type))

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
            rule = self.book.rules[name]
            self.asks_late |= any("late" in text for text in (rule.applies, rule.holds, *rule.let.values()) if text)
            self._guards[name] = compile_guard(name, rule, self.scope, self.derived)
        return self._guards[name]

    def _compile(self, text: str, expects: Kind | None = None) -> Expression:
        self.asks_late |= "late" in text
        return compile_expression(text, self.scope, self.derived, expects)

    def _bind(self, trigger: str, one: Transition) -> Step:
        """A transition as a step; with signatures, also as each slot takes it."""
        step = self._bound(trigger, one, one.guards)
        if one.sign is None:
            return step
        slots = {
            name: replace(
                self._bound(trigger, one, (*one.guards, *slot.guards)),
                entitled=_entitled((slot,)),
                apart=steps_apart(self.definition, trigger, name),
                needs=(*one.needs, *slot.needs),
            )
            for name, slot in one.sign.slots.items()
        }
        return replace(step, signing=self._signing(one.sign, slots))

    def _bound(self, trigger: str, one: Transition, named: Iterable[str]) -> Step:
        rules = self.book.rules
        written = [target.partition(".")[2] for target in one.assigns if target.startswith("student.")]
        parts = [
            [self._guard(name) for name in flatten(names, rules)]
            for names in ((*named, *self.group_guards(written)), one.unless, one.warns)
        ]
        guards = tuple(guard for part in parts for guard in part)
        applies = self._compile(one.applies) if one.applies else None
        assigns = tuple(self._assignment(target, text) for target, text in one.assigns.items())
        consequences = tuple(self._consequence(effect) for effect in one.then)
        extra = [e for e in (applies, *(a.expression for a in assigns), *expressions_of(consequences)) if e is not None]
        chosen = [a.chosen_by for a in assigns if a.chosen_by is not None]
        self._learn([*(e for guard in guards for e in (*guard.expressions, *guard.shown.values())), *extra])
        asked = [*(guard.reads for guard in guards), *(e.reads for e in extra), chosen]
        reads = tuple(dict.fromkeys(key for keys in asked for key in keys))
        facts = tuple(key for key in reads if key in self.stored)
        dimensions = self._dimensions(one)
        takes = {name: self.field_kind(name) for name in (*one.asked, *one.accepts, *dimensions, "reason")}
        return Step(
            trigger=trigger,
            transition=one,
            targets=one.targets,
            entitled=_entitled((*one.by, *([Who(role=one.when)] if one.when else ()))),
            asked=(*one.asked, *(name for name in dimensions if name not in (*one.asked, *self.starts))),
            takes=takes,
            codes={name: self.scope.choices.get(kind.of, {}) for name, kind in takes.items() if kind.name == "choice"},
            apart=steps_apart(self.definition, trigger),
            applies=applies,
            guards=guards,
            worded=wording(tuple(guard.name for guard in guards)),
            ask=asking(guards),
            unless_from=len(parts[0]),
            warns_from=len(parts[0]) + len(parts[1]),
            assigns=assigns,
            facts=facts,
            others=tuple(key for key in reads if key not in self.stored),
            decoders=self._decoders(reads),
            personal=tuple(key for key in reads if self._is_personal(key)),
            told=tuple((tell.to, tell.message or _TOLD_BY_KIND[one.kind]) for tell in one.tell),
            consequences=consequences,
            needs=one.needs,
            closed=closed_to(one, facts_set(assigns, self.kind, self.scope.choices), self.book.vocabulary.student),
            reaches_out=self._reaches_out(one),
        )

    def _is_personal(self, key: str) -> bool:
        """Whether a fact, or a field of the case, may not stand in an event in clear."""
        if key.startswith("case."):
            return key.removeprefix("case.") in self.personal_fields
        return key in self.stored and self.book.vocabulary.student[key].privacy is not Privacy.OPEN

    def _learn(self, expressions: Iterable[Expression]) -> None:
        """Remember the readings of expressions, so that sight finds them by their key."""
        self.readings |= {reading.key: reading for one in expressions for reading in one.readings}

    def _reaches_out(self, one: Transition) -> bool:
        """Whether the transition may change more than the case and its student's facts."""
        if one.then or one.sign or one.reviews or one.issues or self.waits_elsewhere:
            return True
        states = self.definition.states
        ends = [states[name] for name in (*one.origins, *one.targets) if name in states]
        is_frozen = self.definition.members is not None and any(state.frozen for state in ends)
        starts_anew = opens_with_members(self.definition) and any(state.final for state in ends)
        return is_frozen or starts_anew or any(self.may_start_lists(target) for target in one.targets)

    def _signing(self, sign: Sign, slots: Mapping[str, Step]) -> Signing:
        applies = {name: self._compile(slot.applies) for name, slot in sign.slots.items() if slot.applies}
        self._learn(applies.values())
        reads = tuple(dict.fromkeys(key for one in applies.values() for key in one.reads))
        return Signing(
            sign=sign,
            steps=slots,
            applies=applies,
            facts=tuple(key for key in reads if key in self.stored),
            others=tuple(key for key in reads if key not in self.stored),
            decoders=self._decoders(reads),
        )

    def _consequence(self, effect: Effect) -> Consequence:
        name = effect.fire or effect.open or effect.move or effect.cancel or ""
        target, _, trigger = name.rpartition(".")
        texts = {**effect.values, **({"to": effect.to} if effect.to else {})}
        return Consequence(
            effect=effect,
            name=name,
            target=target,
            trigger=trigger,
            applies=self._compile(effect.applies) if effect.applies else None,
            values={field: self._compile(text) for field, text in texts.items()},
            rows=self._rows_of(effect, target),
            expects_one=effect.fire is not None and effect.expects == "one" and target != "members",
        )

    def _rows_of(self, effect: Effect, target: str) -> Reading | None:
        """The reading that finds the cases an effect fires: members, or open related cases of a workflow."""
        if effect.fire is None or target == "record":
            return None
        source = "members" if target == "members" else f"cases('{target}')"
        conditions = [text for text in (effect.where, None if target == "members" else "it.open") if text]
        text = f"where({source}, {' and '.join(f'({one})' for one in conditions)})" if conditions else source
        return self._compile(text).readings[0]

    def _rows_of_members(self, definition: MachineFile) -> Reading | None:
        """The reading that chooses the members of a list among the cases it may gather; None: it takes all."""
        members = definition.members
        if members is None or members.where is None:
            return None
        return self._compile(f"where(cases('{members.of}'), {members.where})").readings[0]

    def _dimensions(self, one: Transition) -> tuple[str, ...]:
        """What an opening must be given beside its fields: the batch and the fields the case is about."""
        return fields_about(self.definition) if one.opens else ()

    def field_kind(self, name: str) -> Kind:
        """The kind of what a request gives for a field."""
        field = self.definition.fields.get(name)
        if field is not None:
            return parse_kind(field.type)
        batch = batch_kind(self.definition) if name == "batch" else None
        return TEXT if batch is None else Kind(name="batch", of=batch)

    def _decoders(self, keys: Iterable[str]) -> tuple[tuple[str, Decoder], ...]:
        kinds = ((key, self.kind(key)) for key in keys)
        return tuple((key, decoder_of(kind)) for key, kind in kinds if kind is not None and kind.name not in AS_WRITTEN)

    def _assignment(self, target: str, text: str | None) -> Assignment:
        owner, _, name = target.partition(".")
        expression = self._compile(text) if text is not None else None
        if target.startswith("student["):
            chosen_by = target.removeprefix("student[").removesuffix("]")
            return Assignment(target="student", name="", expression=expression, chosen_by=chosen_by)
        return Assignment(target=owner, name=name, expression=expression)


def _entitled(by: Iterable[Who]) -> tuple[tuple[Who, tuple[str, ...]], ...]:
    return tuple((who, (who.acting_role,)) for who in by)
