"""Judging again: past decisions under other rules, from the values their events recorded.

What was seen stands in the event, personal values beside it. What only the other rules read is taken from the facts as
they were then, folded from the trail (`engine.past`); what is not known even so leaves the decision open, and counted.
A decision that was refused by the engine itself (a right, a signature twice, a linked case) stays refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from engine.auditing.scope import Scope, cases_in, chains_below
from engine.desk import Desk
from engine.guards import Guard
from engine.looking_back import library_kept
from engine.other_rules import Asked, OtherRules, Under
from engine.records import Json, Outcome
from engine.seen_then import NOTHING_MORE, Decision, Then, seen_then
from engine.step import WORDS, Step
from engine.store.database import Connection, open_engine
from engine.store.trail import events, personal_values
from engine.trail.chain import Scribe
from engine.trail.event import REGISTRY, EventKind, chain_name

_DECISIONS = frozenset(map(str, (EventKind.OPENED, EventKind.MOVED, EventKind.SIGNED, EventKind.REFUSED)))
NOT_OPEN, NOT_ALLOWED, DISTINCT, ASKS = "not-open", "not-allowed", "distinct-persons", "asked-missing"
"""What refuses beside the rules: the step is gone, its role is another, a person acts twice, a field is asked for."""


class Said(NamedTuple):
    """What one rule said then and says now, by its name; the words of the trail, `—` where it was not asked."""

    rule: str
    id: str
    then: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A decision that would have been otherwise.

    `allows` says that it was refused and would have been allowed. `rules` are those that make the difference, `values`
    what they read (personal values only by name), `folded` which of these stood in no event of the case.
    """

    chain: str
    seq: int
    at: str
    workflow: str
    trigger: str
    actor: str
    role: str
    unit: str
    allows: bool
    rules: tuple[Said, ...]
    values: Mapping[str, Json]
    personal: tuple[str, ...]
    folded: tuple[str, ...]


class Told(NamedTuple):
    """One decision, otherwise or not: where it stands, whose it was, whether it was allowed, and would be.

    `allows` None: it cannot be said.
    """

    chain: str
    seq: int
    at: str
    workflow: str
    trigger: str
    actor: str
    unit: str
    allowed: bool
    allows: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What judging again came to.

    `decisions` were looked at; `unheard` of them were refused before any rule was asked; `open` cannot be said, by
    rule and what is not known. `told` are all of them, where that was asked for.
    """

    decisions: int = 0
    unheard: int = 0
    folded: int = 0
    open: Mapping[tuple[str, str], int] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    told: tuple[Told, ...] = ()

    def __add__(self, other: Judged) -> Judged:
        """Two ranges together."""
        return Judged(
            decisions=self.decisions + other.decisions,
            unheard=self.unheard + other.unheard,
            folded=self.folded + other.folded,
            open=Counter(self.open) + Counter(other.open),
            differences=self.differences + other.differences,
            told=self.told + other.told,
        )


class Part(NamedTuple):
    """One range of chains to be judged: where, under what, and of which batch (None: all).

    With `paths` only what is at or below one of these units. `tells` asks for every decision, not only the others.
    """

    url: str
    span: tuple[int, int]
    other: Under
    batch: str | None = None
    paths: tuple[str, ...] = ()
    tells: bool = False


def judge_part(part: Part) -> Judged:
    """Judge one range again on a connection of its own; what each worker runs."""
    engine = open_engine(part.url)
    connection = Connection(engine)
    try:
        with connection.reading():
            return judge_range(connection, part)
    finally:
        connection.close()
        engine.dispose()


def judge_range(connection: Connection, part: Part) -> Judged:
    """Judge the decisions of the chains from `span[0]` to `span[1]`, both included; call inside `reading`."""
    rules, desk = _rules_of(part.url, part.other)
    desk.sit_at(connection)
    counted, unheard = 0, 0
    decisions: list[Decision] = []
    told: dict[tuple[int, int], Told] = {}
    for chain, seq, event, personal in _asked_about(connection, desk, part):
        counted += 1
        if part.tells:
            told[chain, seq] = _told(desk, chain, event)
        if "barred" in event["data"]:
            unheard += 1
        elif not rules.is_same(event["definition"], event["rulebook"]):
            compared = rules.compared(_asked(event))
            if compared is not None:
                decisions.append(Decision(chain, seq, event, personal, compared))
    waiting = [one for one in decisions if one.needs_more]
    found = [(one, _judge(one, NOTHING_MORE)) for one in decisions if not one.needs_more]
    found += [(one, _judge(one, then)) for one, then in seen_then(desk, waiting)]
    undecided: Counter[tuple[str, str]] = Counter()
    for _, each in found:
        undecided.update(each.open)
    if part.tells:
        told.update(_otherwise(told, found))
    differences = tuple(one for _, each in found for one in each.differences)
    return Judged(
        decisions=counted, unheard=unheard, folded=len(waiting), open=undecided, differences=differences,
        told=tuple(told.values()),
    )  # fmt: skip


def _asked_about(
    connection: Connection, desk: Desk, part: Part
) -> Iterator[tuple[int, int, Mapping[str, Any], Mapping[str, Json]]]:
    """The decisions of a range, as `_events`, of the batch and the units asked about."""
    is_meant = _meant(connection, Scope(batch=part.batch, paths=part.paths))
    for one in _events(connection, part.span):
        if _decides(desk, one[2]) and is_meant(one[0], one[2]):
            yield one


def _otherwise(
    told: Mapping[tuple[int, int], Told], found: Iterable[tuple[Decision, Judged]]
) -> Iterator[tuple[tuple[int, int], Told]]:
    """The decisions that would be otherwise, or cannot be judged, by their places."""
    for one, each in found:
        place = (one.chain, one.seq)
        if each.open or each.differences:
            yield place, told[place]._replace(allows=None if each.open else not told[place].allowed)


def _told(desk: Desk, chain: int, event: Mapping[str, Any]) -> Told:
    """A decision as it was, and as it would be if nothing is otherwise."""
    allowed = event["kind"] != EventKind.REFUSED
    return Told(
        chain_name(chain), event["seq"], event["at"], desk.definition(event["definition"]).workflow,
        event["data"]["trigger"], event["actor"], event.get("unit") or "", allowed, allowed,
    )  # fmt: skip


@lru_cache(maxsize=2)
def _rules_of(url: str, other: Under) -> tuple[OtherRules, Desk]:
    """The other rules beside those the database has, compiled once in a process; the desk sits nowhere yet."""
    engine = open_engine(url)
    connection = Connection(engine)
    try:
        with connection.reading():
            library = library_kept(connection, dict(other.functions))
        desk = Desk(connection, Scribe("", b""), library, salt=bytes, rehearsal=True)
        return OtherRules(desk, other), desk
    finally:
        connection.close()
        engine.dispose()


def _meant(connection: Connection, scope: Scope) -> Callable[[int, Mapping[str, Any]], bool]:
    """Whether an event is of a case of a scope, or one that was refused when it asked to come into its batch."""
    if scope == Scope():
        return lambda _chain, _event: True
    cases = cases_in(connection, scope)
    there = chains_below(connection, scope.paths) if scope.paths else None

    def is_meant(chain: int, event: Mapping[str, Any]) -> bool:
        if chain in cases:
            return True
        is_asked = scope.batch is None or (event["data"].get("given") or {}).get("batch") == scope.batch
        return is_asked and (there is None or chain in there)

    return is_meant


def _events(
    connection: Connection, span: tuple[int, int]
) -> Iterator[tuple[int, int, Mapping[str, Any], Mapping[str, Json]]]:
    """Chain, sequence, event and what opens its commitment, of all events of a range but the registry's."""
    sealed = personal_values(connection, span)
    opened = next(sealed, None)
    for chain, seq, body, *_ in events(connection, span):
        while opened is not None and opened[:2] < (chain, seq):
            opened = next(sealed, None)
        is_here = opened is not None and opened[:2] == (chain, seq)
        if chain != REGISTRY:
            yield chain, seq, orjson.loads(body), orjson.loads(opened[3]) if opened is not None and is_here else {}


def _decides(desk: Desk, event: Mapping[str, Any]) -> bool:
    """Whether an event tells of a decision on a step of its definition; files and delegations are none."""
    if event["kind"] not in _DECISIONS or "definition" not in event:
        return False
    return event["data"].get("trigger") in desk.definition(event["definition"]).transitions


def _asked(event: Mapping[str, Any]) -> Asked:
    data = event["data"]
    signing = data.get("signing")
    return Asked(
        shape=event["definition"],
        rulebook=event["rulebook"],
        state=data["from"],
        trigger=data["trigger"],
        slot=data.get("slot"),
        signing=signing,
        against=signing not in (None, data["trigger"]),
    )


def _judge(one: Decision, then: Then) -> Judged:
    """One decision again."""
    data, was, becomes = one.event["data"], one.compared.was, one.compared.becomes
    was_refused = one.event["kind"] == EventKind.REFUSED
    if was_refused and data.get("engine"):
        return Judged()
    values = {**(data.get("seen") or {}), **one.personal, **then.values}
    heard = _Heard(against=(_by_engine(one, NOT_OPEN),)) if becomes is None else _hear(one, becomes, values, then)
    if heard.against:
        if was_refused:
            return Judged()
        return Judged(differences=(_difference(one, heard.against, values, then, allows=False),))
    if heard.doubted:
        return Judged(open={(said.rule, key): 1 for said, key in heard.doubted})
    if not was_refused:
        return Judged()
    lifted = tuple(
        Said(guard.name, guard.id, outcome.word, heard.words.get(guard.name, "—"))
        for guard, outcome in _refusing_then(was, data.get("verdicts") or {})
    )
    return Judged(differences=(_difference(one, lifted, values, then, allows=True),))


class _Heard(NamedTuple):
    """What the other rules say: what stands against it for sure, what is doubted for want of a key, and every word."""

    against: tuple[Said, ...] = ()
    doubted: tuple[tuple[Said, str], ...] = ()
    words: Mapping[str, str] = {}


def _hear(one: Decision, becomes: Step, values: Mapping[str, Json], then: Then) -> _Heard:
    known = becomes.decoded({key: values.get(key) for key in (*becomes.facts, *becomes.others)})
    asked = becomes.ask(known)
    said = one.event["data"].get("verdicts") or {}
    unknown = {*then.missing, *one.erased(becomes)}
    against = list(_beside_the_rules(one, becomes, known, then))
    doubted = [(Said(ASKS, ASKS, "—", "undecided"), name) for name in _asked_more(one, becomes)]
    for guard, outcome in becomes.refusing(asked):
        lacks = [key for key in guard.reads if key in unknown]
        word = Said(guard.name, guard.id, said.get(guard.name, "—"), outcome.word)
        if outcome is not Outcome.UNDECIDED or not lacks:
            against.append(word)
        elif not _was_asked_the_same(one.compared.was, guard, said):
            doubted += [(word, key) for key in lacks]
    words = {guard.name: WORDS[outcome] for guard, outcome in zip(becomes.guards, asked, strict=True)}
    return _Heard(tuple(against), tuple(doubted), words)


def _was_asked_the_same(was: Step, guard: Guard, said: Mapping[str, str]) -> bool:
    """Whether the very same rule held then: what it read is erased, and its word stands."""
    same = any(one.name == guard.name and one.rule == guard.rule for one in was.guards)
    return same and said.get(guard.name) in (WORDS[Outcome.HOLDS], WORDS[Outcome.NOT_APPLICABLE])


def _beside_the_rules(one: Decision, becomes: Step, known: Mapping[str, Any], then: Then) -> Iterator[Said]:
    """What stands against a step beside its rules, and did not then."""
    data, was = one.event["data"], one.compared.was
    target = data.get("to")
    is_left = target is not None and target != data["from"] and target not in becomes.targets
    if (is_left and target in was.targets) or (
        becomes.applies is not None and becomes.applies.evaluate(known) is False
    ):
        yield _by_engine(one, NOT_OPEN)
    role = one.event.get("role")
    roles = [{who.acting_role for who, _ in step.entitled} for step in (was, becomes)]
    if role in roles[0] and role not in roles[1]:
        yield _by_engine(one, NOT_ALLOWED)
    people = data.get("people", [one.event["actor"]])
    twice = [key for key in becomes.apart if key not in was.apart and set(people) & set(then.taken.get(key, ()))]
    if twice:
        yield _by_engine(one, DISTINCT)
    yield from (Said(verdict.rule, verdict.id, "—", verdict.outcome.word) for verdict in then.papers)


def _by_engine(one: Decision, name: str) -> Said:
    rule = one.compared.machine.book.engine.get(name)
    return Said(name, name if rule is None or rule.id is None else rule.id, "—", "fails")


def _asked_more(one: Decision, becomes: Step) -> list[str]:
    """The fields the step asks for under the other rules that nobody was asked for then."""
    given = {*one.given, *one.event["data"]}
    return [name for name in becomes.asked if name not in one.compared.was.asked and name not in given]


def _refusing_then(was: Step, said: Mapping[str, str]) -> list[tuple[Guard, Outcome]]:
    """The rules that refused then, by what the event says of them."""
    words = [said.get(guard.name, WORDS[Outcome.NOT_APPLICABLE]) for guard in was.guards]
    return was.refusing([WORDS.index(word) for word in words])


def _difference(
    one: Decision, rules: Sequence[Said], values: Mapping[str, Json], then: Then, *, allows: bool
) -> Difference:
    """The difference with what the rules behind it read, under whichever rules they are asked."""
    event, data, compared = one.event, one.event["data"], one.compared
    named = {said.rule for said in rules}
    steps = [compared.was] if compared.becomes is None else [compared.was, compared.becomes]
    keys = dict.fromkeys(
        key for step in steps for guard in step.guards if guard.name in named for key in guard.reads if key in values
    )
    personal = {key for step in steps for key in step.personal}
    return Difference(
        chain=chain_name(one.chain),
        seq=one.seq,
        at=event["at"],
        workflow=compared.machine.definition.workflow,
        trigger=data["trigger"],
        actor=event["actor"],
        role=event.get("role") or "",
        unit=event.get("unit") or "",
        allows=allows,
        rules=tuple(rules),
        values={key: values[key] for key in keys if key not in personal},
        personal=tuple(key for key in keys if key in personal),
        folded=tuple(key for key in keys if key in then.values),
    )
