"""Lanes: where each case waits for whom, and whether it is blocked there, to be looked at, or ready.

Rule 1: a lane only sorts, counts and groups. Who decides is judged anew by `engine.machine`, and what is shown live.
Rule 2: rows are written in the transaction that changes what they rest on; `refresh` does what only time changes.
Rule 3: everything here can be made anew from cases, facts and the trail (`engine.lane_rebuilding`).

The reasons are in docs/decisions/0016. Source: console.md 6 (Lanes, Cautions).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from engine.cautions import Caution, Decision, Looked, cautions, read_marks
from engine.deeds import decided_by
from engine.desk import Desk
from engine.documents import missing
from engine.expressions.kinds import SHANGHAI
from engine.fetching import Fetched, Neighbourhood
from engine.forward import Reads, asks_for_papers, reads_of, waits_for_staff
from engine.guards import Guard
from engine.pinyin import NAMES
from engine.records import Moved, Outcome, Request
from engine.sight import Seeing
from engine.spots import Place, Spot, spots
from engine.step import Step
from engine.steps import Machine
from engine.store import deadlines, documents
from engine.store import lanes as store
from engine.store.cases import Found, read_cases
from engine.store.deadlines import Row as DeadlineRow
from engine.store.documents import DocumentRow
from engine.store.lanes import NEVER, Standing
from engine.store.lanes import Lane as LaneRow
from engine.store.registry import UnitRow
from engine.trail.event import moment

CHUNK = 1000
FAR = timedelta(minutes=10)
"""How old the lane of a case may be whose rules look at other students' cases, before `refresh` judges it again."""
_DIGITS = 12


class Lane(IntEnum):
    """In which order cases are shown: others are set moving first, then one thinks, then one is quick."""

    BLOCKED = 0
    LOOK = 1
    READY = 2


class Basis(NamedTuple):
    """What a lane rests on beside the case and its student.

    Attributes:
        deadlines: The rows that run on the case.
        places: Where it waits elsewhere.
        decision: The last decision on it.
        is_frozen: Only the list it stands on may move it.
        fetched: What was fetched for a whole chunk.
    """

    deadlines: Sequence[DeadlineRow] = ()
    places: Sequence[Place] = ()
    decision: Decision | None = None
    is_frozen: bool = False
    fetched: Fetched | None = None


class _Judged(NamedTuple):
    """What a step's rules and the trail say of a case that waits for it."""

    lane: Lane
    hindrances: str | None
    cautions: str | None


def standing_of(desk: Desk, found: Found, request: Request, basis: Basis) -> Standing:
    """Where a case waits as it stands, and how; no rows where it waits for nobody.

    Args:
        desk: Where the case is worked.
        found: The case with what is known about its student.
        request: Its moment is now.
        basis: What else it rests on.
    """
    return _standing(desk, desk.machine_for(found.case, {}), found, request, basis)


def _standing(desk: Desk, machine: Machine, found: Found, request: Request, basis: Basis) -> Standing:
    case = found.case
    if not waits_for_staff(machine, case.state):
        return Standing(case.id, ())
    asking = _Asking(desk, machine, found, request, basis)
    judged: dict[str, _Judged | None] = {}
    rows: dict[tuple[str, str], LaneRow] = {}
    for spot in spots(machine, case, basis.places, is_frozen=basis.is_frozen):
        if spot.trigger not in judged:
            judged[spot.trigger] = asking.judged(machine.step(case.state, spot.trigger))
        one = judged[spot.trigger]
        if one is not None and (spot.role, spot.path) not in rows:
            rows[spot.role, spot.path] = asking.row(spot, one, leads=not rows)
    return Standing(case.id, tuple(rows.values()))


class _Asking:
    """One case asked what stands in its way."""

    __slots__ = ("_basis", "_desk", "_due", "_found", "_machine", "_request", "_sight")

    def __init__(self, desk: Desk, machine: Machine, found: Found, request: Request, basis: Basis) -> None:
        self._desk, self._machine, self._found, self._basis = desk, machine, found, basis
        self._request = _plain(request)
        fetched = basis.fetched
        if fetched is not None:
            fetched = fetched._replace(deadlines={found.case.id: basis.deadlines})
        self._sight = Seeing(desk, machine, found, self._request, fetched=fetched)
        dates = [one.due_at for one in basis.deadlines if one.due_at is not None and not one.settled]
        self._due = moment(min(dates)) if dates else NEVER

    def judged(self, step: Step) -> _Judged | None:
        """What the rules of a step say; None where it does not apply."""
        values = step.decoded(self._sight.see(step.facts, step.others))
        if step.applies is not None and step.applies.evaluate(values) is False:
            return None
        against: dict[str, Outcome] = {}
        asked = step.ask(values) if step.guards else []
        if asked and step.blocks(asked):
            against = {
                guard.name: said for guard, said in step.refusing(asked) if not self._is_to_be_given(guard, said, step)
            }
        if step.needs:
            papers = missing(self._machine, step.needs, self._sight.documents(), self._sight.see)
            against |= {verdict.rule: verdict.outcome for verdict in papers}
        warned = self.cautions(step)
        lane = Lane.BLOCKED if against else Lane.LOOK if warned else Lane.READY
        return _Judged(
            lane,
            _barred(f"{name}={outcome.value}" for name, outcome in against.items()) if against else None,
            _barred(one.id for one in warned) if warned else None,
        )

    def cautions(self, step: Step) -> tuple[Caution, ...]:
        """What is to be looked at before a step."""
        return cautions(self._looked(step), self._machine.book.vocabulary.student) if self._may_warn else ()

    @property
    def _may_warn(self) -> bool:
        """Whether there is anything that a caution could rest on; mostly there is not."""
        found, basis = self._found, self._basis
        decision = basis.decision
        is_special = decision is not None and (decision.giver is not None or decision.late)
        return bool(found.marks or found.case.sent_back or basis.deadlines or is_special)

    def _is_to_be_given(self, guard: Guard, outcome: Outcome, step: Step) -> bool:
        """Whether a rule is undecided only because the person has not been asked yet for what it reads."""
        if outcome is not Outcome.UNDECIDED:
            return False
        fields = self._found.case.fields
        return any(f"case.{name}" in guard.reads and fields.get(name) is None for name in step.takes)

    def _looked(self, step: Step) -> Looked:
        return Looked(
            case=self._found.case,
            decision=self._basis.decision,
            marks=read_marks(self._found.marks),
            reads=step.facts,
            is_late=any(one.is_late for one in self._basis.deadlines),
            at=self._request.at,
        )

    def row(self, spot: Spot, judged: _Judged, *, leads: bool) -> LaneRow:
        """The row of a place."""
        case = self._found.case
        batch = case.fields.get("batch")
        return LaneRow(
            case.id, spot.role, spot.path, spot.trigger, case.workflow, case.shape, case.state, case.path,
            batch if isinstance(batch, str) else None, judged.lane.value, self._due, case.entered_at, spot.in_person,
            leads, _barred(sorted(spot.apart)), judged.hindrances, judged.cautions, _moment(self._request.at),
            self._machine.rulebook[:_DIGITS], self._found.pinyin,
        )  # fmt: skip


def _barred(words: Iterable[str]) -> str | None:
    """Words between bars, so that one is found by `|word|` or, of a pair, by its beginning."""
    text = "|".join(words)
    return f"|{text}|" if text else None


@lru_cache(maxsize=8)
def _plain(request: Request) -> Request:
    """A request without what is given with it, for it asks about whatever comes next; one act asks it of every case."""
    return Request(trigger=request.trigger, actor=request.actor, at=request.at)


@lru_cache(maxsize=8)
def _moment(at: datetime) -> str:
    """A moment as rows keep it; the same for every case of an act."""
    return moment(at)


def standing_after(
    judging: tuple[Desk, Machine], found: Found, moved: Moved, request: Request, basis: Basis
) -> Standing | None:
    """Where a case waits once a plain step is taken; None, at no cost, where it waits for nobody before and after.

    A step that writes facts is settled afterwards, with them.

    Args:
        judging: Where the case is worked, and by what it is judged.
        found: The case before the step.
        moved: The step as decided.
        request: Its moment is now.
        basis: What it rests on after the step, but for the decision, which is this one.
    """
    desk, machine = judging
    case, before = moved.case, found.case
    if moved.facts or not (waits_for_staff(machine, before.state) or waits_for_staff(machine, case.state)):
        return None
    is_frozen = case.entered_at == before.entered_at and machine.is_gathered and case.id in _frozen(desk, [case.id])
    basis = Basis(basis.deadlines, (), decided_by(moved.event), is_frozen, basis.fetched)
    standing = _standing(desk, machine, found._replace(case=case), request, basis)
    return standing if found.waits is None else standing._replace(was=found.waits.get(case.id, ()))


def to_be_looked_at(desk: Desk, found: Sequence[Found], request: Request) -> frozenset[int]:
    """Those of some cases of which there is a caution, before a step that they need not wait for, such as applying.

    Nothing was decided on what is applied for first; what was sent back is a caution by itself.

    Args:
        desk: Where they are.
        found: The cases with what is known about their students.
        request: Names the step; those for which it is not open are left aside.
    """
    asked = [one for one in found if request.trigger in desk.machine(one.case.shape).open_triggers(one.case.state)]
    clocks = deadlines.of_cases(desk.connection, _with_deadlines(desk, asked))
    warned: set[int] = set()
    for one in asked:
        case, machine = one.case, desk.machine_for(one.case, request.fields)
        basis = Basis(deadlines=clocks.get(case.id, ()))
        if _Asking(desk, machine, one, request, basis).cautions(machine.step(case.state, request.trigger)):
            warned.add(case.id)
    return frozenset(warned)


def settle(desk: Desk, cases: Iterable[int], request: Request) -> int:
    """Judge cases as they stand now and write where they wait; call inside the transaction that has changed something.

    Returns:
        How many were judged.
    """
    ordered = sorted(set(cases))
    for start in range(0, len(ordered), CHUNK):
        _settle_chunk(desk, ordered[start : start + CHUNK], request)
    return len(ordered)


def _settle_chunk(desk: Desk, cases: Sequence[int], request: Request) -> None:
    deadlines.hold_cases(desk.connection, cases)  # whoever moves one meanwhile waits, or has moved it before it is read
    found = read_cases(desk.connection, cases)
    store.put(desk.connection, [*standings(desk, list(found.values()), request)])


def standings(desk: Desk, found: Sequence[Found], request: Request) -> Iterator[Standing]:
    """Where the cases of a chunk wait as they stand; what they rest on is read for all of them at once."""
    waiting = [one for one in found if waits_for_staff(desk.machine_for(one.case, {}), one.case.state)]
    ids = [one.case.id for one in waiting]
    clocks = deadlines.of_cases(desk.connection, _with_deadlines(desk, waiting))
    places = store.waiting_of(desk.connection, ids)
    deeds = store.last_deeds(desk.connection, ids)
    frozen = _frozen(desk, ids)
    neighbours = Neighbourhood(desk.connection, (one.case.student for one in waiting))
    fetched = Fetched(neighbours, clocks, _papers(desk, waiting))
    for one in found:
        deed = deeds.get(one.case.id)
        basis = Basis(
            deadlines=clocks.get(one.case.id, ()),
            places=places.get(one.case.id, ()),
            decision=None if deed is None else Decision(deed.at, deed.giver, deed.late),
            is_frozen=one.case.id in frozen,
            fetched=fetched,
        )
        yield standing_of(desk, one, request, basis)


def _papers(desk: Desk, found: Iterable[Found]) -> dict[int, list[DocumentRow]]:
    """The documents on those of some cases that are asked for them where they wait."""
    asked = [one.case.id for one in found if asks_for_papers(desk.machine_for(one.case, {}), one.case.state)]
    return documents.of_cases(desk.connection, asked) if asked else {}


def _frozen(desk: Desk, cases: Sequence[int]) -> frozenset[int]:
    """Those of some cases that only the list moves on which they stand."""
    lists = store.frozen_among(desk.connection, cases)
    return frozenset(
        case for case, held in lists.items() if any(not desk.definition(shape).is_final(state) for shape, state in held)
    )


def _with_deadlines(desk: Desk, found: Iterable[Found]) -> list[int]:
    return [one.case.id for one in found if desk.machine(one.case.shape).running(one.case.state)]


def settle_students(
    desk: Desk, students: Iterable[int], request: Request, facts: Iterable[str] | None = None, *, apart_from: int = 0
) -> None:
    """Judge the waiting cases of students whose rules read what has changed: some facts, or (None) another case.

    A name orders them, so all of them are judged where it has changed.

    Args:
        desk: Where the cases are worked.
        students: Whose facts or cases have changed.
        request: Its moment is now.
        facts: The facts; None: a case of theirs has moved.
        apart_from: The case whose own step did it, and which is judged with that.
    """
    many = sorted({one for one in students if one})
    if not many:
        return
    touched = None if facts is None else frozenset(facts)
    concerned = _Concerned(desk, touched)
    settle(
        desk,
        (
            case
            for _, case, shape in store.of_students(desk.connection, many)
            if case != apart_from and concerned(shape)
        ),
        request,
    )


def settle_moved(desk: Desk, moved: Mapping[int, int], request: Request) -> None:
    """After cases have moved (each with its student, 0: none): judge them and those beside them that look around, once.

    Call it when all of them stand as they are going to stand.
    """
    beside = store.of_students(desk.connection, sorted({student for student in moved.values() if student}))
    concerned = _Concerned(desk, None)
    settle(desk, [*moved, *(case for _, case, shape in beside if concerned(shape))], request)


def settle_beside(desk: Desk, found: Found, request: Request) -> None:
    """After a case has moved whose own lane was written with its step: judge those of its student's that look around.

    Args:
        desk: Where the cases are worked.
        found: The case as it was read to be acted on.
        request: Its moment is now.
    """
    waits = found.waits or {}
    concerned = _Concerned(desk, None)
    settle(desk, (one.id for one in found.others or () if one.id in waits and concerned(one.shape)), request)


def settle_others(desk: Desk, moved: Mapping[int, int], request: Request) -> None:
    """After many cases have moved (each with its student, 0: none): judge those beside them that look around.

    Of students with several cases also the moved ones, for each was judged before the others had moved.
    """
    found = store.of_students(desk.connection, sorted({student for student in moved.values() if student}))
    own = Counter(moved.values())
    concerned = _Concerned(desk, None)
    settle(
        desk,
        (case for student, case, shape in found if (case not in moved or own[student] > 1) and concerned(shape)),
        request,
    )


class _Concerned:
    """Whether cases of a shape read what has changed; asked once for each shape."""

    def __init__(self, desk: Desk, touched: frozenset[str] | None) -> None:
        self._desk, self._touched, self._known = desk, touched, dict[str, bool]()
        student = desk.library.rulebook.vocabulary.student
        marked = () if touched is None else (name for name in touched if name in student and student[name].caution)
        self._all = any(True for _ in marked) or (touched is not None and not NAMES.isdisjoint(touched))

    def __call__(self, shape: str) -> bool:
        if shape not in self._known:
            self._known[shape] = self._all or self._reads(reads_of(self._desk.machine(shape)))
        return self._known[shape]

    def _reads(self, reads: Reads) -> bool:
        looks = reads.around or reads.far
        return looks if self._touched is None else looks or reads.documents or not reads.facts.isdisjoint(self._touched)


def settle_batch(desk: Desk, batch: str, fields: Iterable[str], request: Request) -> None:
    """After values of a batch have changed: judge its waiting cases that read them."""
    touched = frozenset(fields)
    shapes = _shapes(desk, lambda reads: not touched.isdisjoint(reads.batch))
    settle(desk, store.of_batch(desk.connection, batch, shapes), request)


def settle_unit(desk: Desk, unit: UnitRow, facts: Iterable[str], request: Request) -> None:
    """After facts of a unit have changed: judge the waiting cases there and below that read them."""
    touched = frozenset(facts)
    shapes = _shapes(desk, lambda reads: not touched.isdisjoint(reads.units))
    settle(desk, store.of_units(desk.connection, unit.path, shapes), request)


def settle_tables(desk: Desk, request: Request) -> None:
    """After a table has changed: judge the waiting cases that look rows up."""
    settle(desk, store.of_shapes(desk.connection, _shapes(desk, lambda reads: reads.tables)), request)


def refresh(desk: Desk, request: Request, progress: Callable[[int], None] = lambda _: None) -> int:
    """Judge anew what time alone may have changed; each thousand cases in a transaction of their own.

    Those are cases whose rules read the date and were last judged on an earlier day, whose deadline has passed since,
    that are judged by a rulebook that is in force no more, or whose rules look at other students' cases (`FAR`).

    Args:
        desk: Where the cases are worked.
        request: Its moment is now.
        progress: Told of cases done.

    Returns:
        How many were judged.
    """
    desk.refresh()
    day = moment(request.at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0))
    connection = desk.connection
    cases = {
        *store.judged_before(connection, day, _shapes(desk, lambda reads: reads.clock)),
        *store.judged_before(connection, moment(request.at - FAR), _shapes(desk, lambda reads: reads.far)),
        *store.outdated(connection, day, moment(request.at), desk.rulebook[:_DIGITS]),
    }
    ordered = sorted(cases)
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        with connection.writing():
            _settle_chunk(desk, chunk, request)
        progress(len(chunk))
    return len(ordered)


def _shapes(desk: Desk, wanted: Callable[[Reads], bool]) -> list[str]:
    """The shapes in use whose rules read so."""
    return [shape for shape in desk.shapes_in_use() if wanted(reads_of(desk.machine(shape)))]
