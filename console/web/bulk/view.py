"""What a bulk decision's page says: how many can, cannot and why, the sample to look at first, what became of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import NamedTuple

from console.access.stepping_up import asks_for, is_fresh
from console.web.queue.answers import undo_span
from console.web.queue.open_case import lang_of
from console.web.queue.people import ROW, name_of, words_of
from console.web.queue.reasons import Offered, offered
from console.web.queue.rows import Holdup, holdup_of
from console.web.queue.step_fields import GIVEN, StepForm, step_form
from console.web.visit import Visit
from engine.definition import Bilingual, MoveKind
from engine.records import Case, case_number
from engine.step import Step
from engine.store import bulk_runs, desk_work
from engine.store.bulk_runs import AT_WORK, Outcome, Row, Run, Stage
from engine.store.cases import Found, read_case, read_cases
from engine.trail.event import moment

SHOWN = 200
"""Lines on one page; the workbook has them all."""
_LEAST_SAMPLE = 10
_SAMPLE_SHARE = 0.05
_AT_HAND = "site"
"""The kind of unit that has each case before it anyway: no sample is asked of it."""
_BACK = (MoveKind.RETURN, MoveKind.REJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case: whose, and what became of it."""

    number: str
    name: str
    student_no: str
    unit: str
    words: tuple[str, ...]
    outcome: Outcome
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One case to be opened first, and whether it was."""

    line: Line
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What stands before the decision.

    Attributes:
        groups: The cases in it by unit and words.
        against: What those lack that cannot be in it; `barred` are those that are not for the person at all.
        claimed: Cases in it that somebody else is at, with the name.
        instead: Other steps that can be taken on the same cases: trigger and title.
    """

    groups: tuple[tuple[str, int], ...]
    against: tuple[Holdup, ...]
    barred: int
    sample: tuple[Sampled, ...]
    claimed: tuple[tuple[Line, str], ...]
    instead: tuple[tuple[str, Bilingual], ...]

    @property
    def unseen(self) -> int:
        """How many of the sample have not been opened."""
        return sum(not one.is_seen for one in self.sample)

    @property
    def following(self) -> str | None:
        """The number of the first that has not."""
        return next((one.line.number for one in self.sample if not one.is_seen), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkView:
    """The page.

    Attributes:
        verb: The step. `wants_reason`: it is said at the end why; `is_final`: nothing leads back.
        form: What is to be given before the cases can be judged; None where nothing is.
        proof: What the person is asked for once more, `code` or `password`; empty where that was a short while ago.
        preview: Before the decision; None afterwards.
        undo: For how many seconds more everything can be undone and nobody has heard of it.
        broken: The number under which the log knows what broke it; empty where nothing did. `stuck` the same of what
            broke while it was taken back.
        presets: Reasons to choose from by number, where it is to be said why.
        waits: Whether it waits for its turn, since others are worked on.
    """

    run: Run
    verb: Bilingual
    form: StepForm | None
    wants_reason: bool
    is_final: bool
    counts: Counter[Outcome]
    proof: str
    preview: Preview | None
    undo: int
    broken: str
    stuck: str
    waits: bool
    presets: tuple[Offered, ...]

    @property
    def back(self) -> str:
        """The page the cases were chosen on."""
        query = self.run.address
        return f"/queue/todo{'?' if query else ''}{query}" if self.run.is_of_queue else query

    @property
    def total(self) -> int:
        """How many were chosen."""
        return self.counts.total()

    @property
    def inside(self) -> int:
        """How many are decided on, were, or will be."""
        return self.total - self.counts[Outcome.LOOK] - self.counts[Outcome.CANNOT]

    @property
    def done(self) -> int:
        """How many of them the worker has been at."""
        left = (Outcome.CAN,) if self.run.stage is Stage.RUNNING else (Outcome.MOVED, Outcome.STAYS)
        return self.inside - sum(self.counts[one] for one in left)

    @property
    def failed(self) -> int:
        """How many can be tried again."""
        return self.counts[Outcome.CHANGED] + self.counts[Outcome.REFUSED] + self.counts[Outcome.BROKEN]


class Taken(NamedTuple):
    """The step of a run as it is taken on one of its cases."""

    case: Case
    step: Step


def bulk_view(visit: Visit, run: Run) -> BulkView:
    """The page of a run as it is now; while it is worked on, only how far it is."""
    rows = bulk_runs.rows_of(visit.desk.connection, run.id)
    step, session = step_of(visit, run, rows), visit.session
    needs_proof = run.stage is Stage.PREVIEW and session is not None and not is_fresh(session, visit.at)
    return BulkView(
        run=run,
        verb=Bilingual(zh=run.trigger, en=run.trigger) if step is None else step.step.transition.title,
        form=_form(visit, run, step) if step is not None and _is_to_be_filled(run, step) else None,
        wants_reason=step is not None and "reason" in step.step.asked and not asks_first(step),
        is_final=step is not None and _is_final(visit, step),
        counts=Counter(one.outcome for one in rows),
        proof=asks_for(session) if session is not None and needs_proof else "",
        preview=_preview(visit, run, rows, step) if run.stage is Stage.PREVIEW else None,
        undo=_seconds_left(visit, run, rows),
        broken=next((one.broke for one in rows if one.outcome is Outcome.BROKEN), ""),
        stuck=next((one.broke for one in rows if one.outcome is Outcome.MOVED and one.broke), ""),
        waits=visit.house.desks.waits(run.id),
        presets=_presets(visit, run, step) if step is not None and session is not None else (),
    )


def step_of(visit: Visit, run: Run, rows: Sequence[Row]) -> Taken | None:
    """The step of a run on one of the cases that are in it; None where that has no such step."""
    first = next((one for one in rows if one.outcome not in (Outcome.LOOK, Outcome.CANNOT)), next(iter(rows), None))
    found = None if first is None else read_case(visit.desk.connection, first.case)
    if found is None or run.trigger not in visit.desk.definition(found.case.shape).transitions:
        return None
    return Taken(found.case, visit.desk.machine(found.case.shape).step_anywhere(run.trigger))


def asks_first(taken: Taken) -> bool:
    """Whether a step asks for more than why: then the cases are judged with what it is given."""
    return bool({*taken.step.asked} - {"reason"})


def _presets(visit: Visit, run: Run, taken: Taken) -> tuple[Offered, ...]:
    if run.stage is not Stage.PREVIEW:
        return ()
    return offered(visit, visit.desk.machine(taken.case.shape), taken.step, f"/bulk/{run.id}")


def _is_to_be_filled(run: Run, taken: Taken) -> bool:
    """Whether somebody has to say first what the step is given; a page that is about a batch has said which."""
    return asks_first(taken) and (run.is_of_queue or any(name not in run.fields for name in taken.step.asked))


def _form(visit: Visit, run: Run, taken: Taken) -> StepForm:
    typed = {name: "" if value is None else str(value) for name, value in run.fields.items()}
    fields = {f"{GIVEN}{name}": value for name, value in typed.items()}
    return step_form(visit.desk.machine(taken.case.shape), taken.step, (), {**typed, **fields})


def _is_final(visit: Visit, taken: Taken) -> bool:
    machine = visit.desk.machine(taken.case.shape)
    return any(machine.is_final(target) for target in taken.step.targets)


def _seconds_left(visit: Visit, run: Run, rows: Sequence[Row]) -> int:
    """Seconds until the first hears of it: of the case decided first, for each mail waits from its own decision on."""
    first = next((one.case for one in rows if one.outcome is Outcome.MOVED), None)
    if run.stage is not Stage.DONE or first is None or _left(visit, run.beat_at) == 0:
        return 0  # it ended so long ago that there is nothing to look up
    return _left(visit, bulk_runs.acted(visit.desk.connection, run.id, [first]).get(first))


def _left(visit: Visit, at: str | None) -> int:
    """Seconds of the span for undoing that are left since a moment of the trail."""
    if at is None:
        return 0
    left = datetime.fromisoformat(at) + undo_span(visit) - visit.at
    return max(0, int(left.total_seconds()))


def _preview(visit: Visit, run: Run, rows: Sequence[Row], step: Taken | None) -> Preview:
    connection = visit.desk.connection
    inside = [one for one in rows if one.outcome is Outcome.CAN]
    found = _found(visit, inside)
    sample = sampled(visit, run, inside)
    seen = bulk_runs.seen_by(connection, visit.login, sorted(sample)) if sample else set()
    claims = desk_work.lying_on(connection, list(found), visit.login, visit.at).claims
    lines = {row.case: _line(visit, row, found[row.case]) for row in inside if row.case in found}
    groups = Counter(" · ".join((one.unit, *one.words[-1:])) for one in lines.values())
    against = Counter(rule for row in rows if row.outcome is Outcome.CANNOT for rule in row.rules.split())
    rows_address, queue = f"/bulk/{run.id}/rows?outcome={Outcome.CANNOT}", "/queue/todo?rule="
    return Preview(
        groups=tuple(sorted(groups.items())),
        against=tuple(
            holdup_of(visit, rule, count, f"{queue}{rule}" if run.is_of_queue else rows_address)
            for rule, count in against.most_common()
        ),
        barred=sum(row.outcome is Outcome.CANNOT and not row.rules for row in rows),
        sample=tuple(Sampled(line=lines[case], is_seen=case in seen) for case in lines if case in sample),
        claimed=tuple((lines[case], one.name) for case, one in claims.items() if one.login != visit.login),
        instead=() if step is None else tuple(_instead(visit, step)),
    )


def _instead(visit: Visit, taken: Taken) -> Iterator[tuple[str, Bilingual]]:
    """The steps back that can be taken on the same cases by the same people, and ask for nothing but why."""
    case, step = taken
    machine = visit.desk.machine(case.shape)
    roles = {role for _, some in step.entitled for role in some}
    for trigger in machine.open_triggers(case.state):
        other = machine.step(case.state, trigger)
        is_theirs = any(roles & set(some) for _, some in other.entitled)
        asks_why = other.transition.kind in _BACK and set(other.asked) == {"reason"} and other.transition.bulk
        if trigger != step.trigger and is_theirs and asks_why:
            yield trigger, other.transition.title


def asks_for_sample(visit: Visit) -> bool:
    """Whether the person opens a sample before many are decided: everybody but those who work at sites alone."""
    kinds = {visit.desk.units()[grant.unit].kind for grant in (*visit.actor.grants, *visit.actor.delegated)}
    return kinds != {_AT_HAND}


def sampled(visit: Visit, run: Run, rows: Sequence[Row]) -> set[int]:
    """The cases to be opened first, of those that can be decided, and the same each time.

    None at a site, else 5 %, at least ten, or all there are.
    """
    if not asks_for_sample(visit):
        return set()
    size = max(_LEAST_SAMPLE, ceil(_SAMPLE_SHARE * len(rows)))
    return {one.case for one in sorted(rows, key=lambda one: sha256(f"{run.id}{one.case}".encode()).digest())[:size]}


def lines_of(visit: Visit, rows: Sequence[Row]) -> tuple[Line, ...]:
    """Some cases of a run as the person may still know of them."""
    found = _found(visit, rows)
    return tuple(_line(visit, row, found[row.case]) for row in rows if row.case in found)


def _found(visit: Visit, rows: Sequence[Row]) -> dict[int, Found]:
    read = read_cases(visit.desk.connection, [one.case for one in rows]) if rows else {}
    return {case: one for case, one in read.items() if visit.visible.sees(one.case)}


def _line(visit: Visit, row: Row, found: Found) -> Line:
    return Line(
        number=case_number(row.case),
        name=name_of(visit, found),
        student_no=found.student_no or "",
        unit=visit.desk.units()[found.case.unit].name,
        words=tuple(words_of(visit.desk.machine(found.case.shape), found, ROW, lang_of(visit))),
        outcome=row.outcome,
        why=_why(visit, row),
    )


def _why(visit: Visit, row: Row) -> tuple[str, ...]:
    if row.broke and row.outcome is Outcome.MOVED:
        return (visit.say("撤回时出错，编号 {number}", number=row.broke),)
    if row.broke:
        return (visit.say("编号 {number}", number=row.broke),)
    return tuple(visit.title(holdup_of(visit, rule, 1, "").title) for rule in row.rules.split())


def waits_for_worker(visit: Visit, run: Run) -> bool:
    """Whether a run has lost its worker: nothing has been heard of it for a while."""
    return run.stage in AT_WORK and (run.beat_at or "") < moment(visit.at - bulk_runs.SILENCE)
