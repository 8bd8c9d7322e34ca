"""An act: a step and everything it causes in other cases, in one transaction or not at all.

What a step causes is carried out level by level: first the step itself, then, effect by effect, all the cases it
reaches, then what those cause in turn. A linked case that is not ready refuses the whole act and is named.
Locks: students first, in one order for everybody; whoever holds them has their cases to himself.

Source: the definition language, section 7 (Each effect …).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from engine import lanes
from engine.causing import Cause, Doing, Done, LinkedRefusal, SetOff
from engine.definition import CANCELLED
from engine.desk import Desk
from engine.documents import marks
from engine.errors import AlreadyOpen, NotAllowed, StaleCase, TransitionNotOpen, Unknown
from engine.facts import keep_facts
from engine.fetching import Fetched, Neighbourhood
from engine.issuing import Issued
from engine.keeping import keeping_of, kind_of, seal, write_event
from engine.lists import fix_members, lists_to_start, release_members, wait_elsewhere
from engine.machine import decide
from engine.neighbours import unit_kind
from engine.opening import Opened, Subject, machine_to_open, open_one, record_ids, refuse_second, write_opened
from engine.outline import fields_about
from engine.records import Case, Head, Json, Moved, Refused, Request, Verdict, case_of
from engine.relocating import relocate
from engine.rights import EFFECT
from engine.settling import (
    Change,
    cause_of,
    hold_shared,
    left_of,
    rows_of,
    settle,
    settle_lookers,
    settle_step,
    write_changes,
)  # fmt: skip
from engine.sight import Seeing
from engine.step import Consequence
from engine.steps import Machine
from engine.store import documents, students
from engine.store.bulk import keep_many
from engine.store.cases import Found, keep, read_cases, related
from engine.store.deadlines import Row
from engine.store.lists import frozen_members
from engine.store.relations import Neighbour
from engine.trail.event import Written, chain_name, moment
from engine.upholding import left_for_good

_CHUNK = 1000


def carry_through(desk: Desk, found: Found, machine: Machine, moved: Moved, request: Request) -> Case | None:
    """Write a decided step and carry out all it causes; call inside a writing transaction that holds the students.

    Returns:
        The case as it stands now; None where what the step has caused may have changed it once more.

    Raises:
        LinkedRefusal: If a linked case is not ready; the caller rolls everything back.
        StaleCase: If somebody else moved one of the cases meanwhile.
    """
    plain = _plain(request)
    [done] = _keep_all(desk, [(found, machine, moved, None)], plain)
    _carry_out(desk, [done], plain)
    return done.found.case if _stands_alone(desk, done) else None


def _stands_alone(desk: Desk, done: Done) -> bool:
    """Whether nothing but the step itself can have changed the case: no effect, no list, no event of a deadline."""
    machine, moved = done.machine, done.moved
    caused = moved.effects or machine.definition.members is not None or machine.may_start_lists(moved.case.state)
    return done.read is not None and not (caused or machine.watch.documents or desk.lookers())


def carry_out_opening(desk: Desk, opened: Opened, request: Request) -> None:
    """Write an opened case and carry out all its opening causes; as `carry_through`.

    Raises:
        AlreadyOpen: If something unique is held by another case.
    """
    refuse_second(desk, opened)
    carry_out_openings(desk, [opened], request)


def carry_out_openings(desk: Desk, opened: Sequence[Opened], request: Request) -> None:
    """Write cases opened together, of which none holds what another must not, and carry out all their openings cause.

    Raises:
        LinkedRefusal, StaleCase: As `carry_through`.
    """
    plain = _plain(request)
    _carry_out(desk, _keep_opened(desk, opened, plain), plain)


def _plain(request: Request) -> Request:
    """The request of an act without what was given for its first step: no other case reads those values as its own."""
    return replace(request, fields={}, to=None, slot=None, ticks={}, cautions=(), seen=None, id=None)


def _keep_all(
    desk: Desk, decided: Sequence[tuple[Found, Machine, Moved, Cause | None]], request: Request
) -> list[Done]:
    kept, done = [], []
    changes: list[Change] = []
    rows = rows_of(desk, [found.case for found, *_ in decided])
    hold_shared(desk, [found.case for found, *_ in decided])
    for found, machine, moved, cause in decided:
        if cause is not None:
            moved.event["cause"] = cause.told
        fix_members(desk, machine, found.case, moved, request)
        change = settle_step(desk, found, moved, rows, request)
        changes += [] if change is None else [change]
        sealed = seal(desk, machine, moved)
        event = write_event(desk, machine, found.case, kind_of(moved), moved.event)
        keeping = keeping_of(found.case, moved, event, sealed, machine)
        taken = _done(found, machine, moved, event)
        if cause is None and _settles_itself(found, machine, moved):
            clocks = left_of(rows.get(found.case.id, ()), change)
            basis = lanes.Basis(clocks, fetched=_around(desk, found, clocks))
            standing = lanes.standing_after((desk, machine), found, moved, request, basis)
            keeping, taken = keeping._replace(standing=standing), taken._replace(read=found)
        kept.append(keeping)
        done.append(taken)
    if len(kept) == 1:
        won = {kept[0].before.id} if keep(desk.connection, kept[0]) else set()
    else:
        won = keep_many(desk.connection, kept)
    for one in kept:
        if one.before.id not in won:
            raise StaleCase(one.before.number, one.before.revision, one.before.revision)
    write_changes(desk, changes)
    _settle(desk, done, request)
    return done


def _settles_itself(found: Found, machine: Machine, moved: Moved) -> bool:
    """Whether the lane of a case rests on nothing that is written after its step: facts, papers, seats, members."""
    writes = moved.facts or moved.ticks or moved.issued or machine.waits_elsewhere or machine.definition.members
    return found.waits is not None and not writes


def _around(desk: Desk, found: Found, clocks: Sequence[Row]) -> Fetched | None:
    """What judging the lane of a case would ask for once more: the student's cases, the deadlines that run."""
    case = found.case
    if case.student is None:
        return None
    kin = {case.student: (*(found.others or ()), case)}
    return Fetched(Neighbourhood(desk.connection, [case.student], kin), {case.id: clocks})


def _keep_opened(desk: Desk, opened: Sequence[Opened], request: Request) -> list[Done]:
    write_opened(desk, opened)
    students.set_records(desk.connection, record_ids(opened))
    done = [_done(one.found, one.machine, one.moved, one.event) for one in opened]
    _settle(desk, done, request)
    return done


def _done(found: Found, machine: Machine, moved: Moved, event: Written) -> Done:
    """A step as taken: the case at the end of its chain, and what is known of the student once the step has set it."""
    case = moved.case._replace(head=Head(seq=event.seq, hash=event.hash))
    known = {**found.facts, **moved.facts} if moved.facts else found.known
    left = found._replace(case=case, known=known, has_others=True, others=None, waits=None)
    return Done(left, machine, moved, Cause(event.chain, event.seq))


def _settle(desk: Desk, done: Sequence[Done], request: Request) -> None:
    """What goes with steps that were taken: facts of the students, where the cases wait now, lists that start."""
    for one in done:
        _keep_papers(desk, one)
        if one.moved.facts and one.found.case.student is not None:
            row = students.by_id(desk.connection, one.found.case.student)  # as the case before may have left it
            keep_facts(desk, row, one.moved.facts, replace(request, trigger=one.moved.trigger), cause=one.event)
        wait_elsewhere(desk, one.machine, one.found, request)
        if one.machine.watch.documents:
            cause = cause_of(one.event.chain, one.event.seq)
            settle(desk, {one.found.case.id: cause}, request, lambda watch: watch.documents)
    settle_lookers(desk, {one.found.case.student or 0: one.event.told for one in done}, request)
    _settle_lanes(desk, done, request)
    for one in done:
        for start in lists_to_start(desk, one.machine, one.found, request):
            machine = desk.machine(desk.hash_of(start.definition))
            caused = _caused(request, start.trigger, start.fields)
            started = _open_all(desk, [(machine, Subject(start.unit), caused, one.event)], request)
            _carry_out(desk, started, request)


def _settle_lanes(desk: Desk, done: Sequence[Done], request: Request) -> None:
    """Where the cases wait now, unless that was written with their steps, and those beside them that look around."""
    for one in done:
        if one.read is not None:
            lanes.settle_beside(desk, one.read, request)
    moved = {one.found.case.id: one.found.case.student or 0 for one in done if one.read is None}
    if moved:
        lanes.settle_moved(desk, moved, request)


def _keep_papers(desk: Desk, one: Done) -> None:
    """What a reviewer ticked, then the forms the step made: a form is not ticked by the step that makes it."""
    for kind, ticks in marks(one.moved.ticks).items():
        documents.mark(desk.connection, one.found.case.id, kind, ticks)
    if one.moved.issued:
        made = [Issued(*form).row(one.found.case.id, one.event.seq) for form in one.moved.issued]
        documents.add(desk.connection, made)


def _carry_out(desk: Desk, done: Sequence[Done], request: Request) -> None:
    """Effect by effect, for all the cases that took the same step of the same definition together."""
    for together in _by_step(done):
        first = together[0]
        for place, what in enumerate(first.machine.step_anywhere(first.moved.trigger).consequences):
            due = [(one, effect.values) for one in together for effect in one.moved.effects if effect.place == place]
            if due:
                _carry_out(desk, _one_effect(desk, what, due, request), request)
    for one in done:
        release_members(desk, one.machine, one.moved, request)


def _by_step(done: Sequence[Done]) -> Collection[Sequence[Done]]:
    """Those that set effects off, by definition and step: a name means the same effects only within one definition."""
    groups: dict[tuple[str, str], list[Done]] = {}
    for one in done:
        if one.moved.effects:
            groups.setdefault((one.machine.shape, one.moved.trigger), []).append(one)
    return groups.values()


def _one_effect(desk: Desk, what: Consequence, due: Sequence[SetOff], request: Request) -> list[Done]:
    if what.effect.fire is not None:
        return _fire(desk, what, due, request)
    if what.effect.open is not None:
        return _open(desk, what, due, request)
    for one, values in due:
        if what.effect.move is not None:
            relocate(desk, one.found, values.get("to"), request, one.event.told)
        else:
            _cancel_all(desk, one, request)
    return []


def _fire(desk: Desk, what: Consequence, due: Sequence[SetOff], request: Request) -> list[Done]:
    doings: dict[int, Doing] = {}
    for one, values in due:
        for case in _targets(desk, one, what, request):
            caused = _caused(request, what.trigger, values)
            doings.setdefault(case, Doing(case, caused, one.event))
    return _take_linked(desk, list(doings.values()), request)


def _targets(desk: Desk, one: Done, what: Consequence, request: Request) -> list[int]:
    """The cases an effect reaches.

    Raises:
        LinkedRefusal: If it expects one and there is none, or several.
    """
    if what.rows is None:
        record = one.found.record
        found = [] if record is None or record == one.found.case.id else [record]
    else:
        sight = Seeing(desk, one.machine, one.found, request, members=_members_left(desk, one))
        found = [number for row in sight.select(what.rows) if (number := case_of(str(row["number"]))) is not None]
    if what.expects_one and len(found) != 1:
        how_many = f"{len(found)} 件 cases" if found else "没有可办理的业务 none is open"
        raise LinkedRefusal([one.machine.engine_verdict("linked-case", what=f"{what.name}（{how_many}）")])
    return found


def _members_left(desk: Desk, one: Done) -> Sequence[Neighbour] | None:
    """The members of a list that was frozen until this step: they are its own until the step is carried out."""
    was_fixed = one.machine.definition.is_fixed(str(one.moved.data["from"]))
    return frozen_members(desk.connection, one.found.case.id) if was_fixed else None


def _take_linked(desk: Desk, doings: Sequence[Doing], request: Request) -> list[Done]:
    """Take a step on each of the linked cases, or say of every one that is not ready why.

    Raises:
        LinkedRefusal: If any of them refuses.
    """
    done: list[Done] = []
    verdicts: list[Verdict] = []
    linked: list[Mapping[str, Json]] = []
    ordered = sorted(doings, key=lambda doing: doing.case)
    for start in range(0, len(ordered), _CHUNK):
        chunk = ordered[start : start + _CHUNK]
        found = read_cases(desk.connection, [doing.case for doing in chunk])
        decided: list[tuple[Found, Machine, Moved, Cause | None]] = []
        for doing in chunk:
            one = found[doing.case]
            machine = desk.machine_for(one.case, doing.request.fields)
            outcome = _ask(desk, machine, one, doing.request)
            if isinstance(outcome, Moved):
                decided.append((one, machine, outcome, doing.cause))
                continue
            verdicts += _naming(machine, one.case, doing.request.trigger, outcome)
            linked.append(_told_of(one.case, doing.request.trigger, outcome))
        if not verdicts:
            done += _keep_all(desk, decided, request)
    if verdicts:
        raise LinkedRefusal(verdicts, linked)
    return done


def _ask(desk: Desk, machine: Machine, found: Found, request: Request) -> Moved | Refused | None:
    """What a linked case says; None where the step is not open to it at all."""
    try:
        return decide(machine, found.case, request, Seeing(desk, machine, found, request))
    except (TransitionNotOpen, NotAllowed, Unknown):  # Unknown: pinned to a version that has no such step
        return None


def _naming(machine: Machine, case: Case, trigger: str, outcome: Refused | None) -> list[Verdict]:
    """The verdicts of a linked case, after one that names it."""
    step = machine.definition.transitions.get(trigger)
    title = trigger if step is None else step.title.zh
    what = f"{machine.definition.title.zh} {case.number}：{title}，现处于 now {machine.state_title(case.state)}"
    named = machine.engine_verdict("linked-case", what=what)
    return [named] if outcome is None else [named, *outcome.verdicts]


def _told_of(case: Case, trigger: str, outcome: Refused | None) -> dict[str, Json]:
    told: dict[str, Json] = {"case": chain_name(case.id), "trigger": trigger, "state": case.state}
    return told if outcome is None else {**told, "failed": outcome.failed, "undecided": outcome.undecided}


def _caused(request: Request, trigger: str, fields: Mapping[str, Json]) -> Request:
    """The request of a caused step: the same person at the same moment, acting as an effect."""
    return replace(request, trigger=trigger, fields=fields, to=None, seen=None, id=None, alone=True, caused=True)


def _open(desk: Desk, what: Consequence, due: Sequence[SetOff], request: Request) -> list[Done]:
    wanted = []
    for one, values in due:
        fields = one.found.case.fields
        for subject in _subjects(desk, one, what):
            machine = machine_to_open(desk, what.target, subject.unit, what.trigger)
            shared = {name: fields[name] for name in fields_about(machine.definition) if fields.get(name) is not None}
            caused = _caused(request, what.trigger, {**shared, **values})
            wanted.append((machine, subject, caused, one.event))
    return _open_all(desk, wanted, request, passing_over=what.effect.for_each is not None)


def _subjects(desk: Desk, one: Done, what: Consequence) -> Iterator[Subject]:
    """What the opened cases are about: the same student or unit, or each student or unit below."""
    case, each = one.found.case, what.effect.for_each
    definition = desk.library.definition(what.target, desk.profile_of(case.unit))
    kind = unit_kind(definition)
    if each == "student":
        yield from (Subject(row.unit, row) for row in list(students.students(desk.connection, case.path)))
    elif each is not None:
        below = (unit for unit in desk.units().values() if unit.kind == each and unit.path.startswith(case.path))
        yield from (Subject(unit.code) for unit in below)
    elif "student" in definition.about and case.student is not None:
        row = students.by_id(desk.connection, case.student)
        yield Subject(row.unit, row)
    else:
        yield Subject((None if kind is None else desk.unit_above(case.unit, kind)) or case.unit)


def _open_all(
    desk: Desk,
    wanted: Sequence[tuple[Machine, Subject, Request, Cause]],
    request: Request,
    *,
    passing_over: bool = False,
) -> list[Done]:
    """Open cases that a step causes; one for each passes over those whose opening guards do not hold.

    Raises:
        LinkedRefusal: If an opening is refused that had to be.
    """
    _, last = students.last_ids(desk.connection)
    opened: list[Opened] = []
    verdicts: list[Verdict] = []
    for machine, subject, caused, cause in wanted:
        outcome = _ask_to_open(desk, machine, subject, last + len(opened) + 1, caused, cause=cause)
        if isinstance(outcome, Opened):
            opened.append(outcome)
        elif not passing_over:
            verdicts += [machine.engine_verdict("linked-case", what=machine.definition.title.zh), *outcome]
    if verdicts:
        raise LinkedRefusal(verdicts)
    return _keep_opened(desk, opened, request)


def _ask_to_open(
    desk: Desk, machine: Machine, subject: Subject, case: int, caused: Request, *, cause: Cause
) -> Opened | Sequence[Verdict]:
    """A case about to be opened by a step, or what stands against it."""
    try:
        outcome = open_one(desk, machine, subject, case, caused, cause=cause.told)
        if isinstance(outcome, Refused):
            return outcome.verdicts
        refuse_second(desk, outcome)
    except AlreadyOpen as problem:
        return [machine.engine_verdict("not-unique", what=machine.definition.title.zh, who=problem.case)]
    except (TransitionNotOpen, NotAllowed):
        return ()
    return outcome


def _cancel_all(desk: Desk, one: Done, request: Request) -> None:
    """All other open cases of the student become cancelled; the record is no case that can be.

    Nobody has taken that step: it counts for nobody's `distinct`.
    """
    student, record = one.found.case.student, one.found.record
    for case in () if student is None else related(desk.connection, student, one.found.case.id):
        machine = desk.machine(case.shape)
        if case.id != record and not machine.is_final(case.state):
            stays = [*left_for_good(machine, case.state, CANCELLED)]
            if stays:
                raise LinkedRefusal([machine.engine_verdict("linked-case", what=case.number), *stays])
            _cancel(desk, machine, case, one.event, request)


def _cancel(desk: Desk, machine: Machine, case: Case, cause: Cause, request: Request) -> None:
    found = read_cases(desk.connection, [case.id])[case.id]
    at = moment(request.at)
    data: dict[str, Json] = {"trigger": CANCELLED, "from": case.state, "to": CANCELLED, "people": []}
    event: dict[str, Json] = {
        "at": at, "actor": request.actor.login, "role": EFFECT, "unit": case.unit, "data": data,
    }  # fmt: skip
    after = case._replace(
        state=CANCELLED,
        revision=case.revision + 1,
        taken={**case.taken, CANCELLED: case.taken.get(CANCELLED, ())},
        slots={},
        entered_at=at,
    )
    moved = Moved(trigger=CANCELLED, case=after, event=event, data=data, ends=True)
    _keep_all(desk, [(found, machine, moved, cause)], request)
    release_members(desk, machine, moved, request)
