"""The one place that decides: given a case, a request and what is seen, what happens.

Rule 1: every answer to "may this case take this step" is made here.
Rule 2: nothing here reads a clock, a file or a database; what is known comes through `Sight`.

The permitted moves are those of one shared `transitions.Machine` per definition, which defines, validates and draws
them. Deciding reads a table flattened from it once: asking the Machine itself costs fourteen times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from engine.actors import Grant
from engine.definition import MoveKind, Who
from engine.drafts import against_closing, against_signing
from engine.errors import NotAllowed, TransitionNotOpen
from engine.expressions.kinds import Value
from engine.guards import explain
from engine.outline import comes_after
from engine.papers import NO_PAPERS, Papers, papers_of
from engine.records import NO_SLOTS, Case, Json, Moved, Outcome, Refused, Request, Slots, Verdict
from engine.rights import EFFECT, Right, Sight, decides_own_case, entitled, people_of, said_of
from engine.seating import block_of, late_right, objections, seat_for
from engine.signing import Signature, Standing, Vote, with_vote
from engine.stakes import Condition
from engine.step import Step
from engine.steps import Machine
from engine.trail.event import moment
from engine.upholding import broken, held_by_others, left_for_good, not_theirs, skipped


def decide(machine: Machine, case: Case, request: Request, sight: Sight) -> Moved | Refused:
    """Decide whether a case takes a step or a signature, and where that leaves it.

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
    docket = _docket_for_all(machine, request, case.state, case.unit, case.path)
    return _hear(machine, docket or _docket(machine, case, request, sight), case, sight)


def _hear(machine: Machine, docket: _Docket, case: Case, sight: Sight) -> Moved | Refused:
    step = docket.step
    seen = sight.see(step.facts, step.others)
    values = step.decoded(seen)
    if step.applies is not None and step.applies.evaluate(values) is False:
        raise TransitionNotOpen(step.trigger, case.state, machine.open_triggers(case.state))
    asked = step.ask(values)
    hearing = _Hearing(machine, docket, case, seen, values, asked)
    papers = NO_PAPERS
    if docket.has_papers:
        papers = papers_of(machine, step, docket.request, sight, completes=not docket.leaves_open)
    blocked = [*docket.blocked]
    for look in docket.looks:
        blocked += look(hearing, sight)
    blocked += papers.verdicts
    if blocked or step.blocks(asked):
        return _refused(hearing, blocked, sight)
    moved = _signed(hearing) if docket.leaves_open else _moved(hearing)
    if moved.facts or docket.stakes:
        wrong = [*held_by_others(machine, moved, sight), *broken(machine, docket.stakes, moved, sight)]
        if wrong:
            return _refused(hearing, wrong, sight)
    return moved if docket.leaves_open else _completed(docket, moved, papers, sight)


class _Docket(NamedTuple):
    """What a request comes to in one state at one unit, whoever's case it is.

    `people` count as having taken the step; `said` is what its event says whatever is decided; `looks` are what the
    engine itself asks of the case, as far as this request can be held up by it, `stakes` the conditions of the
    definition that the step could break.
    """

    step: Step
    request: Request
    at: str
    grant: Grant
    target: str
    people: tuple[str, ...]
    said: Mapping[str, Json]
    returns: bool
    moves: bool
    rests: bool
    ends: bool
    may_be_late: bool
    has_papers: bool
    blocked: tuple[Verdict, ...] = ()
    looks: tuple[_Look, ...] = ()
    signature: Signature | None = None
    leaves_open: bool = False
    stakes: tuple[Condition, ...] = ()


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
        return self.docket.step.worded(tuple(self.asked))


_Look: TypeAlias = "Callable[[_Hearing, Sight], Iterable[Verdict]]"
"""What the engine itself asks of a case: the verdicts that stand in the way."""


def _is_ordinary(request: Request, machine: Machine, state: str) -> bool:
    """Whether staff act in their own right at the case's own unit, which every case of an act has in common."""
    actor = request.actor
    is_own = not (request.caused or actor.student is not None or actor.delegated)
    return is_own and not machine.is_elsewhere(state, request.trigger)


def _docket(machine: Machine, case: Case, request: Request, sight: Sight) -> _Docket:
    """Whether and how a request may be heard where that depends on more than the state and the unit of the case."""
    step = machine.to_sign(case.state, request.trigger)
    if step is not None:
        return _docket_to_sign(machine, step, case, request, sight)
    step = machine.step(case.state, request.trigger)
    return _open_docket(machine, step, request, case.state, entitled(step, case, request, sight))


@lru_cache(maxsize=64)
def _docket_for_all(machine: Machine, request: Request, state: str, unit: str, path: str) -> _Docket | None:
    """Whether and how a request may be heard at all, or None where that depends on the case itself.

    Remembered, for one act asks it for each of a thousand cases.
    """
    if machine.to_sign(state, request.trigger) is not None or not _is_ordinary(request, machine, state):
        return None
    step = machine.step(state, request.trigger)
    for who, roles in step.entitled:
        grant = request.actor.grant_for(roles, path)
        if grant is not None:
            return _open_docket(machine, step, request, state, Right(grant, who))
    raise NotAllowed(request.actor.login, request.trigger, [who.acting_role for who, _ in step.entitled], unit)


def _open_docket(
    machine: Machine,
    step: Step,
    request: Request,
    state: str,
    stands: Right,
    *,
    signature: Signature | None = None,
) -> _Docket:
    target = _target(step, state, request)
    step.accept(request.fields)
    moves = target != state
    leaves_open = signature is not None and signature.leaves_open
    docket = _Docket(
        step=step,
        request=request,
        at=moment(request.at),
        grant=stands.grant,
        target=target,
        people=people_of(request, stands.grant),
        said=said_of(step, request, stands),
        returns=step.transition.kind is MoveKind.RETURN,
        moves=moves,
        rests=moves and machine.rests(target),
        ends=moves and machine.is_final(target),
        may_be_late=moves and bool(machine.running(state)),
        has_papers=step.has_papers,
        signature=signature,
        leaves_open=leaves_open,
    )
    blocked = (*_blocked_for_all(machine, docket, stands.barred), *left_for_good(machine, state, target))
    stakes = machine.stakes.conditions_of(step, target, leaves_open=leaves_open)
    return docket._replace(blocked=blocked, looks=tuple(_looks(machine, docket, state, stands.who)), stakes=stakes)


def _docket_to_sign(machine: Machine, step: Step, case: Case, request: Request, sight: Sight) -> _Docket:
    """The docket of a signature: of the step itself, or of the one that is taken when a signer says no.

    Raises:
        NotAllowed: If the person may sign nowhere here; no other step signs for anybody.
        TransitionNotOpen: If no is said where the definition offers no way to say it.
    """
    signing = step.signing
    if signing is None or request.caused:
        raise NotAllowed(request.actor.login, request.trigger, [EFFECT], case.unit)
    if case.state not in step.transition.origins:
        return _docket_too_late(machine, step, case, request, sight)
    block = block_of(step, case, sight)
    seat, stands = seat_for(block, case, request)
    vote = Vote(by=request.actor.login, yes=request.consents, giver=stands.grant.giver)
    signed = block.signed(seat, vote)
    signature = Signature(request.trigger, seat, vote, signed.standing is Standing.OPEN, signed.missing)
    taken = signing.steps.get(seat.slot) or replace(step, entitled=((seat.who, (seat.who.acting_role,)),))
    if not request.consents:
        against = signing.sign.against
        if against is None:
            raise TransitionNotOpen(f"{request.trigger}（反对 against）", case.state, machine.open_triggers(case.state))
        taken = machine.step(case.state, against) if signed.standing is Standing.LOST else taken
    docket = _open_docket(machine, taken, request, case.state, stands, signature=signature)
    wrong = [*objections(machine, block, seat, vote.people), *against_signing(machine, taken, vote, sight)]
    return docket._replace(blocked=(*docket.blocked, *wrong))


def _docket_too_late(machine: Machine, step: Step, case: Case, request: Request, sight: Sight) -> _Docket:
    """A signature after the state was left: it is refused, and the refusal is kept (the slots are void).

    Raises:
        TransitionNotOpen: If the case has not come that far, or the person has never had to sign.
    """
    signing = step.signing
    if signing is not None and comes_after(machine.definition, case.state, step.transition.origins):
        stands = late_right(signing.sign, case, request, sight)
        if stands is not None:
            docket = _open_docket(machine, step, request, case.state, stands)
            over = machine.engine_verdict("signing-over", what=step.transition.title.zh)
            return docket._replace(blocked=(over,))
    raise TransitionNotOpen(request.trigger, case.state, machine.open_triggers(case.state))


def _target(step: Step, state: str, request: Request) -> str:
    """The state the step leads to; with several, the actor's choice, by default the first written."""
    if request.to is None:
        return step.targets[0] if step.targets else state
    if request.to not in (step.targets or (state,)):
        raise TransitionNotOpen(f"{request.trigger} → {request.to}", state, step.targets)
    return request.to


def _blocked_for_all(machine: Machine, docket: _Docket, barred: str | None) -> Iterator[Verdict]:
    """What the engine itself asks of a request, whatever the rules say and whosever the case is."""
    step, request, signature = docket.step, docket.request, docket.signature
    asked = step.asked
    if signature is not None and signature.leaves_open:
        asked = () if signature.vote.yes else ("reason",)
    for name in asked:
        if request.fields.get(name) in (None, ""):
            yield machine.engine_verdict("asked-missing", field=machine.title(f"case.{name}"))
    if not (request.alone or step.transition.bulk):
        yield machine.engine_verdict("one-by-one")
    if barred is not None:
        yield machine.engine_verdict(barred, what=step.transition.title.zh, who=request.actor.login)


def _looks(machine: Machine, docket: _Docket, state: str, who: Who) -> Iterator[_Look]:
    """What the engine asks of the case itself: whose it is, who took its steps, what is left out, who writes what."""
    if docket.step.closed:
        yield lambda hearing, _: not_theirs(machine, docket.step, who, hearing.values)
    orders = machine.stakes.orders(state, docket.step.trigger)
    if orders:
        yield lambda _, sight: skipped(machine, orders, docket.step, sight)
    if docket.step.apart and docket.people:
        yield _of_distinct_persons
    if docket.returns:
        yield _of_rounds
    yield from _looks_at_sums(machine, docket)
    if docket.request.caused:
        return
    if docket.request.actor.student is not None:
        yield _of_own_case
    if machine.is_gathered and (docket.moves or docket.returns):
        yield _of_frozen_lists


def _looks_at_sums(machine: Machine, docket: _Docket) -> Iterator[_Look]:
    if docket.moves and not docket.leaves_open and machine.definition.fixes(docket.step.transition):
        yield lambda _, sight: against_closing(machine, sight)


def _of_distinct_persons(hearing: _Hearing, _sight: Sight) -> Iterator[Verdict]:
    machine, docket, case = hearing[:3]
    taken = case.taken
    for person in docket.people:
        earlier = [trigger for trigger in docket.step.apart if trigger in taken and person in taken[trigger]]
        if earlier:
            yield machine.engine_verdict("distinct-persons", person=person, steps=machine.titles_of(earlier))


def _of_rounds(hearing: _Hearing, _sight: Sight) -> Iterator[Verdict]:
    most = hearing.machine.definition.rounds
    if hearing.case.rounds >= most:
        yield hearing.machine.engine_verdict("rounds-used-up", rounds=str(most))


def _of_own_case(hearing: _Hearing, _sight: Sight) -> Iterator[Verdict]:
    machine, docket, case = hearing[:3]
    if decides_own_case(docket.request.actor, docket.grant, case):
        yield machine.engine_verdict("own-case", what=docket.step.transition.title.zh)


def _of_frozen_lists(hearing: _Hearing, sight: Sight) -> Iterator[Verdict]:
    return (hearing.machine.engine_verdict("list-frozen", what=number) for number in sight.frozen_on())


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
    if docket.signature is not None:
        data["slot"] = docket.signature.seat.name
    sealed = step.split(hearing.seen, data)
    event = _event(docket, data)
    return Refused(trigger=request.trigger, case=case, verdicts=verdicts, event=event, data=data, sealed=sealed)


def _moved(hearing: _Hearing) -> Moved:
    _, docket, case, seen, values, asked = hearing
    step, given = docket.step, docket.request.fields
    fields, facts = step.assigned(case.fields, given, values)
    data: dict[str, Json] = {"trigger": step.trigger, "from": case.state, "to": docket.target}
    if asked:
        data["verdicts"] = hearing.verdicts
    sealed = step.split(seen, data)
    if fields is not case.fields:
        data["fields"] = {name: fields[name] for name in fields if fields[name] != case.fields.get(name)}
    if facts:
        data["facts"] = sorted(facts)
    taken, rounds = _counted(docket, case, data)
    slots = NO_SLOTS if docket.moves or not case.slots else _without(case, docket)
    number, workflow, shape, student, unit, path, _, revision, head, _, _, _, opened, entered, _, sent_back = case
    moved = Case(
        number, workflow, shape, student, unit, path, docket.target, revision + 1, head,
        fields, taken, rounds, opened, docket.at if docket.moves else entered, slots,
        sent_back + step.transition.sends_back,
    )  # fmt: skip
    warnings = _warnings(hearing) if step.warns else ()
    effects = step.due(values) if step.consequences else ()
    if effects:
        data["effects"] = [step.consequences[one.place].name for one in effects]
    event = _event(docket, data)
    return Moved(step.trigger, moved, event, data, sealed, facts, step.told, docket.ends, warnings, effects)


def _completed(docket: _Docket, moved: Moved, papers: Papers, sight: Sight) -> Moved:
    """The step together with what it is late for, the forms it makes and the ticks of its reviewer."""
    late = sight.late() if docket.may_be_late else ()
    if late:
        moved.data["late"] = late
    if papers.issued:
        moved.data["documents"] = {one.kind: one.sha256 for one in papers.issued}
    if papers.ticks:
        moved.data["ticks"] = papers.ticks
    return moved._replace(issued=papers.issued, ticks=papers.ticks) if papers.issued or papers.ticks else moved


def _without(case: Case, docket: _Docket) -> Slots:
    """The signatures that stay when a step is taken without leaving the state: those of other steps."""
    signed = docket.step.trigger if docket.signature is None else docket.signature.trigger
    return {trigger: block for trigger, block in case.slots.items() if trigger != signed}


def _signed(hearing: _Hearing) -> Moved:
    """One more has signed; the case stays where it is until the block is complete or lost."""
    _, docket, case, seen, _, asked = hearing
    step, request, signature = docket.step, docket.request, docket.signature
    given = {name: value for name, value in request.fields.items() if name != "reason"}
    data: dict[str, Json] = {"trigger": request.trigger, "from": case.state}
    if asked:
        data["verdicts"] = hearing.verdicts
    sealed = step.split(seen, data)
    if given:
        data["fields"] = given
    taken, _ = _counted(docket, case, data)
    slots = case.slots
    if signature is not None:
        slots = with_vote(slots, signature.trigger, signature.seat.name, signature.vote)
        data["missing"] = list(signature.missing)
    signed = case._replace(
        revision=case.revision + 1, fields={**case.fields, **given} if given else case.fields, taken=taken, slots=slots
    )
    return Moved(request.trigger, signed, _event(docket, data), data, sealed, signed=True)


def _counted(docket: _Docket, case: Case, data: dict[str, Json]) -> tuple[Mapping[str, Sequence[str]], int]:
    """Who took what and how many returns there were since the case opened or last rested; a rest starts both anew."""
    signature, people = docket.signature, docket.people
    if signature is not None:
        data["slot"] = signature.seat.name
        data["vote"] = "yes" if signature.vote.yes else "no"
        data["signing"] = signature.trigger
    if len(people) != 1:
        data["people"] = people
    if docket.rests:
        data["rests"] = True
        return {}, 0
    trigger = docket.step.trigger
    taken = dict(case.taken)
    if signature is not None:
        key = f"{signature.trigger}.{signature.seat.slot}"
        taken[key] = (*taken.get(key, ()), *people)
    if signature is None or not signature.leaves_open:
        taken[trigger] = (*taken.get(trigger, ()), *people)
    if not docket.returns:
        return taken, case.rounds
    data["rounds"] = case.rounds + 1
    return taken, case.rounds + 1


def _event(docket: _Docket, data: dict[str, Json]) -> dict[str, Json]:
    """What every answered request leaves in the trail: by whom, as whom, for whom, why, and what was looked at."""
    request = docket.request
    if "reason" in request.fields:
        data["reason"] = request.fields["reason"]
    data |= {"cautions": [*request.cautions]} if request.cautions else {}
    return {**docket.said, "data": data}


def _warnings(hearing: _Hearing) -> tuple[Verdict, ...]:
    machine, docket, _, _, values, asked = hearing
    return tuple(explain(one, word, values, machine.readers) for one, word in docket.step.warning(asked))
