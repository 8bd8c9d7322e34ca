"""The one place that decides: given a case, a request and what is seen, what happens.

Rule 1: every answer to "may this case take this step" is made here.
Rule 2: nothing here reads a clock, a file or a database; what is known comes through `Sight`.

The permitted moves are those of one shared `transitions.Machine` per definition, which defines, validates and draws
them. Deciding reads a table flattened from it once: asking the Machine itself costs fourteen times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from engine.actors import Grant
from engine.definition import Effect, MoveKind, Who
from engine.errors import NotAllowed, TransitionNotOpen
from engine.expressions.kinds import Value
from engine.guards import explain
from engine.records import Case, Json, Moved, Outcome, Refused, Request, Verdict
from engine.steps import Machine, Step
from engine.trail.event import moment

WORDS = tuple(outcome.word for outcome in Outcome)


class Sight(Protocol):
    """What is known at the moment of a decision: the deciding asks, the caller looks it up."""

    def see(self, facts: Sequence[str], others: Sequence[str]) -> dict[str, Json]:
        """The values of all keys, None where not known: `facts` are stored facts of the student, `others` the rest."""
        ...

    def linked(self, effect: Effect) -> tuple[str, ...]:
        """The numbers of the open cases that an effect would reach."""
        ...


def decide(machine: Machine, case: Case, request: Request, sight: Sight) -> Moved | Refused:
    """Decide whether a case takes a step, and where that leaves it.

    Every rule is asked even after one has refused, so the person hears all reasons at once. For an opening, `case`
    is the case to be, in the state `new`.

    Args:
        machine: The definition the case was opened under, bound to the rulebook in force or pinned by its batch.
        case: The case as it stands; it is never changed.
        request: What is asked for, by whom, when.
        sight: What is known about the student and around the case.

    Returns:
        `Moved` with the case as it becomes, or `Refused` with at least one verdict.

    Raises:
        TransitionNotOpen: If the state has no such step, or not to the state asked for, or it does not apply.
        Unknown, Unreadable: If a field is given that the step does not take, or a value that is not of its kind.
        NotAllowed: If the actor does not hold a role the step asks for, at the case's unit or above it.
    """
    docket = _docket(machine, request, case.state, case.unit, case.path)
    step = docket.step
    seen = sight.see(step.facts, step.others)
    values = step.decoded(seen)
    if step.applies is not None and step.applies.evaluate(values) is False:
        raise TransitionNotOpen(request.trigger, case.state, machine.open_triggers(case.state))
    asked = step.ask(values)
    hearing = _Hearing(machine, docket, case, seen, values, asked)
    blocked = [*docket.blocked, *_blocked(hearing, sight)]
    if blocked or step.blocks(asked):
        return _refused(hearing, blocked, sight)
    return _moved(hearing)


class _Docket(NamedTuple):
    """What a request comes to in one state at one unit, whoever's case it is."""

    step: Step
    request: Request
    at: str
    grant: Grant
    who: Who
    target: str
    returns: bool
    moves: bool
    rests: bool
    ends: bool
    blocked: tuple[Verdict, ...]


class _Hearing(NamedTuple):
    """One case heard: what was asked, what was seen, and what the rules said."""

    machine: Machine
    docket: _Docket
    case: Case
    seen: Mapping[str, Json]
    values: Mapping[str, Value | None]
    asked: list[int]

    @property
    def verdicts(self) -> Mapping[str, str]:
        """Every rule that was asked, with its word."""
        return _worded(self.docket.step.names, tuple(self.asked))


@lru_cache(maxsize=1024)
def _worded(names: tuple[str, ...], asked: tuple[int, ...]) -> Mapping[str, str]:
    return {name: WORDS[one] for name, one in zip(names, asked, strict=True)}


@lru_cache(maxsize=64)
def _docket(machine: Machine, request: Request, state: str, unit: str, path: str) -> _Docket:
    """Whether and how a request may be heard at all; remembered, for one act asks it for each of a thousand cases."""
    step = machine.step(state, request.trigger)
    grant, who = _entitled(step, request, unit, path)
    target = _target(step, state, request)
    step.accept(request.fields)
    moves = target != state
    return _Docket(
        step=step,
        request=request,
        at=moment(request.at),
        grant=grant,
        who=who,
        target=target,
        returns=step.transition.kind is MoveKind.RETURN,
        moves=moves,
        rests=moves and machine.rests(target),
        ends=moves and machine.is_final(target),
        blocked=tuple(_blocked_for_all(machine, step, request)),
    )


def _entitled(step: Step, request: Request, unit: str, path: str) -> tuple[Grant, Who]:
    for who, roles in step.entitled:
        grant = request.actor.grant_for(roles, path)
        if grant is not None:
            return grant, who
    wanted = [who.acting_role for who, _ in step.entitled]
    raise NotAllowed(request.actor.login, request.trigger, wanted, unit)


def _target(step: Step, state: str, request: Request) -> str:
    """The state the step leads to; with several, the actor's choice, by default the first written."""
    if request.to is None:
        return step.targets[0] if step.targets else state
    if request.to not in (step.targets or (state,)):
        raise TransitionNotOpen(f"{request.trigger} → {request.to}", state, step.targets)
    return request.to


def _blocked_for_all(machine: Machine, step: Step, request: Request) -> Iterator[Verdict]:
    """What the engine itself asks of a request, whatever the rules say and whosever the case is."""
    for name in step.asked:
        if request.fields.get(name) in (None, ""):
            yield machine.engine_verdict("asked-missing", field=machine.title(f"case.{name}"))
    if not (request.alone or step.transition.bulk):
        yield machine.engine_verdict("one-by-one")
    for what in step.not_carried_out:
        yield machine.engine_verdict("not-carried-out", what=what)


def _blocked(hearing: _Hearing, sight: Sight) -> list[Verdict]:
    """What the engine itself asks of the case: who took its steps, how often it was returned, what it would set off."""
    machine, docket, case = hearing[:3]
    step, login = docket.step, docket.request.actor.login
    found: list[Verdict] = []
    taken = case.taken
    earlier = [trigger for trigger in step.apart if trigger in taken and login in taken[trigger]]
    if earlier:
        steps = machine.titles_of(earlier)
        found.append(machine.engine_verdict("distinct-persons", person=login, steps=steps))
    if docket.returns and case.rounds >= machine.definition.rounds:
        found.append(machine.engine_verdict("rounds-used-up", rounds=str(machine.definition.rounds)))
    for effect in step.transition.then:
        found += _effect_verdicts(machine, effect, sight)
    return found


def _effect_verdicts(machine: Machine, effect: Effect, sight: Sight) -> list[Verdict]:
    """An effect that reaches no case needs nothing done; one that would reach some is not carried out yet."""
    reached = sight.linked(effect)
    name = effect.fire or effect.open or effect.move or effect.cancel or ""
    if reached:
        return [machine.engine_verdict("not-carried-out", what=f"{name}（{'、'.join(reached)}）")]
    if effect.open or effect.move:
        return [machine.engine_verdict("not-carried-out", what=name)]
    if effect.fire and effect.expects == "one":
        return [machine.engine_verdict("linked-case", what=name)]
    return []


def _refused(hearing: _Hearing, blocked: list[Verdict], sight: Sight) -> Refused:
    machine, docket, case = hearing[:3]
    step, request = docket.step, docket.request
    refusing = step.refusing(hearing.asked)
    shown = step.shown_by(guard for guard, _ in refusing)
    known = {**hearing.values, **machine.decoded(sight.see((), shown))} if shown else hearing.values
    verdicts = (*(explain(guard, outcome, known, machine.readers) for guard, outcome in refusing), *blocked)
    data: dict[str, Json] = {
        "trigger": request.trigger,
        "from": case.state,
        "verdicts": hearing.verdicts,
        "engine": [verdict.rule for verdict in blocked],
        "failed": sorted({verdict.id for verdict in verdicts if verdict.outcome is Outcome.FAILS}),
        "undecided": sorted({verdict.id for verdict in verdicts if verdict.outcome is Outcome.UNDECIDED}),
    }
    given = {name: value for name, value in request.fields.items() if name != "reason"}
    if given:
        data["given"] = given
    sealed = step.split(hearing.seen, data)
    event = _event(docket, data)
    return Refused(trigger=request.trigger, case=case, verdicts=verdicts, event=event, data=data, sealed=sealed)


def _moved(hearing: _Hearing) -> Moved:
    _, docket, case, seen, values, asked = hearing
    step, request = docket.step, docket.request
    fields, facts = step.assigned(case.fields, request.fields, values)
    data: dict[str, Json] = {"trigger": request.trigger, "from": case.state, "to": docket.target}
    if asked:
        data["verdicts"] = hearing.verdicts
    sealed = step.split(seen, data)
    if fields is not case.fields:
        data["fields"] = {name: fields[name] for name in fields if fields[name] != case.fields.get(name)}
    if facts:
        data["facts"] = sorted(facts)
    taken, rounds = _counted(docket, case, data)
    counted = (fields, taken, rounds, case.opened_at, docket.at if docket.moves else case.entered_at)
    moved = Case(*case[:6], docket.target, case.revision + 1, case.head, *counted)
    warnings = _warnings(hearing) if step.warns else ()
    event = _event(docket, data)
    return Moved(request.trigger, moved, event, data, sealed, facts, step.told, docket.ends, warnings)


def _counted(docket: _Docket, case: Case, data: dict[str, Json]) -> tuple[Mapping[str, Sequence[str]], int]:
    """Who took what and how many returns there were since the case opened or last rested; a rest starts both anew."""
    if docket.rests:
        data["rests"] = True
        return {}, 0
    trigger = docket.request.trigger
    taken = {**case.taken, trigger: (*case.taken.get(trigger, ()), docket.request.actor.login)}
    if not docket.returns:
        return taken, case.rounds
    data["rounds"] = case.rounds + 1
    return taken, case.rounds + 1


def _event(docket: _Docket, data: dict[str, Json]) -> dict[str, Json]:
    """What every answered request leaves in the trail: by whom, as whom, for whom, why."""
    request, who, transition = docket.request, docket.who, docket.step.transition
    if "reason" in request.fields:
        data["reason"] = request.fields["reason"]
    event: dict[str, Json] = {
        "at": docket.at,
        "actor": request.actor.login,
        "role": docket.grant.role,
        "unit": docket.grant.unit,
        "data": data,
    }
    if request.id is not None:
        event["request"] = request.id
    if who.recorded_by is not None:
        event["done_by"] = who.role
    if transition.on_behalf_of is not None:
        event["on_behalf_of"] = transition.on_behalf_of
    return event


def _warnings(hearing: _Hearing) -> tuple[Verdict, ...]:
    return tuple(
        explain(guard, outcome, hearing.values, hearing.machine.readers)
        for guard, outcome in hearing.docket.step.warning(hearing.asked)
    )
