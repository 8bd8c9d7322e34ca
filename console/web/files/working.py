"""Checking and keeping a sheet: a thread of its own with its own desk, so that the tab may be closed.

Only `_keep` changes anything beside the run itself: the whole sheet, judged afresh, in one transaction with the run.
A process that died is found by its silence, and whoever looks at the page next has the work taken up again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from console.taking_in import REFUSED, Effect, Judged, rehearsed
from console.taking_in_findings import Findings, failed_with, findings_of, read_findings, rows_of
from console.taking_in_kinds import Kind, judge, kinds_of
from console.taking_in_whole import keep_refused, settle_done
from console.web import background
from console.web.background import MOST_OPEN, Task
from console.web.faults import TooManyOpen
from console.web.house import House
from console.web.presence import Presence
from engine.desk import Desk
from engine.errors import StaleCase, XuejiError
from engine.records import Request
from engine.store import import_runs
from engine.store.database import CONTENTION_ERRORS, Busy, Connection
from engine.store.import_runs import AT_WORK, CONFIRMED, Run, Stage
from exchange.faults import Sentence
from exchange.refusals import SheetRefused

_EVERY = 500
"""Rows between two signs of life."""
_TRIES = 3
FOUND_GOOD = (*CONFIRMED, Stage.AGAIN)
"""A sheet that may be taken in, or would change nothing."""


def begin(visit: Presence, run: Run, stage: Stage) -> None:
    """Have a run checked or kept, unless somebody alive is at it.

    Raises:
        TooManyOpen: If it is not at work yet, and the person has as many open as one may.
    """
    connection = visit.desk.connection
    since = CONFIRMED if stage is Stage.COMMITTING else ()
    with connection.writing():
        if run.stage not in AT_WORK:
            refuse_too_many(visit)
        is_taken = import_runs.take(connection, run.id, stage, visit.at, since)
    if is_taken:
        _start(visit, run._replace(stage=stage))


def check_again(visit: Presence, run: Run, options: Sequence[str]) -> None:
    """Have a run that was found to be in order checked once more, to be taken in otherwise.

    Raises:
        TooManyOpen: If the person has as many open as one may.
    """
    connection = visit.desk.connection
    with connection.writing():
        refuse_too_many(visit)
        is_taken = import_runs.take(connection, run.id, Stage.CHECKING, visit.at, FOUND_GOOD)
        if is_taken:
            import_runs.set_options(connection, run.id, " ".join(options))
    if is_taken:
        _start(visit, run._replace(stage=Stage.CHECKING, options=" ".join(options), told=""))


def refuse_too_many(visit: Presence) -> None:
    """Refuse another run to somebody who has as many open as one may.

    Raises:
        TooManyOpen: If it is so.
    """
    if import_runs.RUNS.count_open(visit.desk.connection, visit.actor.login, visit.at) >= MOST_OPEN:
        raise TooManyOpen(MOST_OPEN)


def _start(visit: Presence, run: Run) -> None:
    task = Task(
        room="import",
        run=run.id,
        work=lambda: _work(visit.house, run),
        beat=lambda connection, at: import_runs.RUNS.live_on(connection, run.id, at, run.stage.value),
        broke=lambda connection, at, number: _break_off(connection, run, at, number),
    )
    background.begin(visit.house, task)


def _break_off(connection: Connection, run: Run, at: datetime, number: str) -> None:
    said = Sentence(
        f"办到一半出错，编号 {number}；请重新上传，仍不成请把编号告诉系统管理员",
        f"it broke half way, ref {number}; send it again, and if it breaks again, tell the system administrator",
    )
    with connection.writing():
        if import_runs.hold(connection, run.id, run.stage):
            import_runs.settle(connection, run.id, Stage.BROKEN, failed_with(said).as_json(), at)


def take_up(visit: Presence, run: Run) -> None:
    """Have a run gone on with whose worker has not been heard of."""
    if run.stage in AT_WORK and run.is_silent(visit.at):
        begin(visit, run, run.stage)


def _work(house: House, run: Run) -> None:
    with house.desks.borrowed_for(run.id) as office:
        working = _Working(office.desk, run, house.now)
        try:
            working.work()
        except SheetRefused as problem:
            working.settle(Stage.UNREADABLE, failed_with(problem.reason))
        except Busy:  # nothing is wrong with the sheet: it is taken up again
            raise
        except XuejiError as problem:
            working.settle(Stage.BROKEN, failed_with(_sentence(problem)))


def _sentence(problem: XuejiError) -> Sentence:
    text = str(problem)
    return Sentence(text, text)


class _Otherwise(Exception):
    """Ends the transaction of a sheet that would not do any more what was shown: an ending, no error."""

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        super().__init__()


class _Working:
    """One worker at one run."""

    def __init__(self, desk: Desk, run: Run, now: Callable[[], datetime]) -> None:
        self._desk = desk
        self._run = run
        self._now = now

    def work(self) -> None:
        """Check the sheet or keep it, once more where somebody else wrote to the same students meanwhile."""
        act = self._check if self._run.stage is Stage.CHECKING else self._keep
        for left in reversed(range(_TRIES)):
            try:
                act()
            except (StaleCase, *CONTENTION_ERRORS):
                if not left:
                    raise
            else:
                return

    def _check(self) -> None:
        """Read the sheet, and rehearse what it does where nothing is wrong with it."""
        _, judged, request = self._judged()
        if judged.faults:
            self._settle_judged(Stage.FAULTY, judged, None)
            return
        self._tell(0, findings_of(judged).as_json())
        effect = rehearsed(self._desk, judged, request, self._tell)
        stage = Stage.REFUSED if effect.refused else Stage.AGAIN if effect.does_nothing else Stage.READY
        self._settle_judged(stage, judged, effect)

    def _keep(self) -> None:
        """Keep the whole sheet, or nothing of it."""
        kind, judged, request = self._judged()
        if judged.faults:
            self._settle_judged(Stage.FAULTY, judged, None)
            return
        try:
            with self._desk.connection.writing():
                self._keep_all(judged, request)
        except _Otherwise as end:
            stage = Stage.AGAIN if end.effect.does_nothing else Stage.OTHERWISE
            self._settle_judged(stage, judged, end.effect)
        except REFUSED as problem:
            with self._desk.connection.writing():
                if self._settle_judged(Stage.REFUSED, judged, Effect(refused=problem.refused)):
                    keep_refused(self._desk, kind, problem.refused, request)
        finally:
            self._desk.refresh()

    def _keep_all(self, judged: Judged, request: Request) -> None:
        connection = self._desk.connection
        if not import_runs.hold(connection, self._run.id, Stage.COMMITTING):
            return  # somebody took it up and was faster
        effect = judged.keep(self._desk, request)
        if effect.refused:  # the refusal stands in the chains of those it is about
            self._put(Stage.REFUSED, judged, effect)
            return
        if effect.counts != read_findings(self._run.told).effect.counts:
            raise _Otherwise(effect)
        settle_done(self._desk, self._run, judged, effect, self._now())

    def _judged(self) -> tuple[Kind, Judged, Request]:
        """The sheet as it is to be judged now, for the rights held now."""
        actor, at = self._desk.actor(self._run.login), self._now()
        kind = next((one for one in kinds_of(self._desk, actor, at) if one.name == self._run.kind), None)
        body = import_runs.body_of(self._desk.connection, self._run.id)
        if kind is None or body is None:
            raise SheetRefused(_GONE)
        request = Request(trigger=kind.trigger, actor=actor, at=at)
        read = (body, request, self._told)
        return kind, judge(self._desk, kind, self._run, read), request

    def _told(self, row: int) -> None:
        if row % _EVERY == 0:
            self._tell(row)

    def _tell(self, row: int, told: str | None = None) -> None:
        with self._desk.connection.writing():
            import_runs.beat(self._desk.connection, self._run.id, self._now(), row, told)

    def _settle_judged(self, stage: Stage, judged: Judged, effect: Effect | None) -> bool:
        """Keep what was found; False where somebody took it up and was faster."""
        with self._desk.connection.writing():
            is_own = import_runs.hold(self._desk.connection, self._run.id, self._run.stage)
            if is_own:
                self._put(stage, judged, effect)
            return is_own

    def _put(self, stage: Stage, judged: Judged, effect: Effect | None) -> None:
        connection, found = self._desk.connection, findings_of(judged, effect)
        import_runs.put_faults(connection, self._run.id, rows_of(judged))
        import_runs.settle(connection, self._run.id, stage, found.as_json(), self._now())

    def settle(self, stage: Stage, found: Findings) -> None:
        """Keep how it ended without having been judged."""
        with self._desk.connection.writing():
            if import_runs.hold(self._desk.connection, self._run.id, self._run.stage):
                import_runs.settle(self._desk.connection, self._run.id, stage, found.as_json(), self._now())


_GONE = Sentence(
    "这份文件已不在了，或您不再有权导入；请重新上传",
    "the file is gone, or you may not import it any more; send it again",
)
