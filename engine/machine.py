"""The one place that decides: given a case, a request and what is seen, what happens.

Rule 1: every answer to "may this case take this step" is made here.
Rule 2: nothing here reads a clock, a file or a database; what is known comes through `Sight`.

The permitted moves are those of one shared `transitions.Machine` per definition, which defines, validates and draws
them. Deciding reads a table flattened from it once: asking the Machine itself costs fourteen times as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    step = machine.step(case.state, request.trigger)
    grant, who = _entitled(step, case, request)
    target = _target(step, case, request)
    step.accept(request.fields)
    seen = sight.see(step.facts, step.others)
    values = step.decoded(seen)
    if step.applies is not None and step.applies.evaluate(values) is False:
        raise TransitionNotOpen(request.trigger, case.state, machine.open_triggers(case.state))
    asked = [guard.ask(*[values[key] for key in guard.reads]) for guard in step.guards]
    hearing = _Hearing(machine, step, case, request, moment(request.at), seen, values, asked, grant, who)
    blocked = _engine_verdicts(hearing, sight)
    if blocked or step.blocks(asked):
        return _refused(hearing, blocked, sight)
    return _moved(hearing, target)


class _Hearing(NamedTuple):
    """One case heard: what was asked of whom, what was seen, and what the rules said."""

    machine: Machine
    step: Step
    case: Case
    request: Request
    at: str
    seen: Mapping[str, Json]
    values: Mapping[str, Value | None]
    asked: list[int]
    grant: Grant
    who: Who

    @property
    def verdicts(self) -> dict[str, Json]:
        """Every rule that was asked, with its word."""
        return {guard.name: WORDS[one] for guard, one in zip(self.step.guards, self.asked, strict=True)}


def _entitled(step: Step, case: Case, request: Request) -> tuple[Grant, Who]:
    for who, roles in step.entitled:
        grant = request.actor.grant_for(roles, case.path)
        if grant is not None:
            return grant, who
    wanted = [who.acting_role for who, _ in step.entitled]
    raise NotAllowed(request.actor.login, request.trigger, wanted, case.unit)


def _target(step: Step, case: Case, request: Request) -> str:
    """The state the step leads to; with several, the actor's choice, by default the first written."""
    if request.to is None:
        return step.targets[0] if step.targets else case.state
    if request.to not in (step.targets or (case.state,)):
        raise TransitionNotOpen(f"{request.trigger} → {request.to}", case.state, step.targets)
    return request.to


def _engine_verdicts(hearing: _Hearing, sight: Sight) -> list[Verdict]:
    """What the engine itself asks of every step, whatever its rules say."""
    machine, step, case, request = hearing[:4]
    found = []
    if step.asked:
        found += [
            machine.engine_verdict("asked-missing", field=machine.title(f"case.{name}"))
            for name in step.asked
            if request.fields.get(name) in (None, "")
        ]
    if step.apart:
        login = request.actor.login
        earlier = [trigger for trigger in step.apart if login in case.taken.get(trigger, ())]
        if earlier:
            taken = machine.titles_of(earlier)
            found.append(machine.engine_verdict("distinct-persons", person=login, steps=taken))
    if step.transition.kind is MoveKind.RETURN and case.rounds >= machine.definition.rounds:
        found.append(machine.engine_verdict("rounds-used-up", rounds=str(machine.definition.rounds)))
    if not (request.alone or step.transition.bulk):
        found.append(machine.engine_verdict("one-by-one"))
    found += [machine.engine_verdict("not-carried-out", what=what) for what in step.not_carried_out]
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
    machine, step, case, request = hearing[:4]
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
    event = _event(hearing, data)
    return Refused(trigger=request.trigger, case=case, verdicts=verdicts, event=event, data=data, sealed=sealed)


def _moved(hearing: _Hearing, target: str) -> Moved:
    machine, step, case, request = hearing[:4]
    fields, facts = step.assigned(case.fields, request.fields, hearing.values)
    data: dict[str, Json] = {"trigger": request.trigger, "from": case.state, "to": target}
    if hearing.asked:
        data["verdicts"] = hearing.verdicts
    sealed = step.split(hearing.seen, data)
    if fields is not case.fields:
        data["fields"] = {name: fields[name] for name in fields if fields[name] != case.fields.get(name)}
    if facts:
        data["facts"] = sorted(facts)
    moves = target != case.state
    taken, rounds = _counted(hearing, data, rests=moves and machine.rests(target))
    moved = case._replace(
        state=target,
        revision=case.revision + 1,
        fields=fields,
        taken=taken,
        rounds=rounds,
        entered_at=hearing.at if moves else case.entered_at,
    )
    return Moved(
        trigger=request.trigger,
        case=moved,
        event=_event(hearing, data),
        data=data,
        sealed=sealed,
        facts=facts,
        told=step.told,
        ends=moves and machine.is_final(target),
        warnings=_warnings(hearing) if step.warns else (),
    )


def _counted(hearing: _Hearing, data: dict[str, Json], *, rests: bool) -> tuple[Mapping[str, Sequence[str]], int]:
    """Who took what and how many returns there were since the case opened or last rested; a rest starts both anew."""
    step, case, request = hearing.step, hearing.case, hearing.request
    if rests:
        data["rests"] = True
        return {}, 0
    taken = {**case.taken, request.trigger: (*case.taken.get(request.trigger, ()), request.actor.login)}
    if step.transition.kind is not MoveKind.RETURN:
        return taken, case.rounds
    data["rounds"] = case.rounds + 1
    return taken, case.rounds + 1


def _event(hearing: _Hearing, data: dict[str, Json]) -> dict[str, Json]:
    """What every answered request leaves in the trail: by whom, as whom, for whom, why."""
    request = hearing.request
    if "reason" in request.fields:
        data["reason"] = request.fields["reason"]
    event: dict[str, Json] = {
        "at": hearing.at,
        "actor": request.actor.login,
        "role": hearing.grant.role,
        "unit": hearing.grant.unit,
        "data": data,
    }
    if request.id is not None:
        event["request"] = request.id
    if hearing.who.recorded_by is not None:
        event["done_by"] = hearing.who.role
    if hearing.step.transition.on_behalf_of is not None:
        event["on_behalf_of"] = hearing.step.transition.on_behalf_of
    return event


def _warnings(hearing: _Hearing) -> tuple[Verdict, ...]:
    return tuple(
        explain(guard, outcome, hearing.values, hearing.machine.readers)
        for guard, outcome in hearing.step.warning(hearing.asked)
    )
