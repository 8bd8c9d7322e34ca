"""What a bulk decision is about: the ticked cases as they stand, each judged once without writing anything.

需细看 never enter: a caution is read case by case.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl

from console.web.faults import FieldFault, FieldFaults
from console.web.queue.filtering import Filter, read_filter
from console.web.queue.waiting import Waiting, waiting_for
from console.web.visit import Visit
from engine.bulk import move_many
from engine.lane_queries import Placed
from engine.lanes import Lane
from engine.records import Json, case_of
from engine.store import bulk_runs
from engine.store.bulk_runs import Outcome, Row, Run, Stage
from engine.store.cases import read_cases
from engine.trail.event import moment

MOST = 10_000
_SOME_REASON: dict[str, Json] = {"reason": "—"}
"""Stands for the words that a step asks for while it is only asked about: they are written with the preview."""


def freeze(visit: Visit) -> str:
    """Keep what was ticked, as it stands now; the id of the run.

    Raises:
        FieldFaults: If nothing was ticked, or no step named.
    """
    asked = read_filter(dict(parse_qsl(visit.form.get("filter", "")))).with_(case="", after="")
    waiting = waiting_for(visit, asked)
    ticked = {case for one in visit.posted.getlist("case") if (case := case_of(str(one).replace("-", "")))}
    chosen = list(_chosen(waiting, asked, ticked, is_everything=bool(visit.form.get("everything"))))
    run = Run("", visit.login, visit.form.get("trigger", ""), asked.query(), Stage.PREVIEW, moment(visit.at), None)
    return keep(visit, run, chosen)


def again(visit: Visit, run: Run, cases: Iterable[int]) -> str | None:
    """A new selection of some cases for what a run says; None where none of them waits any more."""
    waiting = waiting_for(visit, Filter())
    chosen = [placed for case in cases if (placed := waiting.standing(case)) is not None]
    return keep(visit, run, chosen) if chosen else None


def keep(visit: Visit, run: Run, chosen: Sequence[Placed]) -> str:
    """Judge what was chosen for what a run says, and keep it as a new one; its id.

    Raises:
        FieldFaults: If there is nothing to decide on.
    """
    if not run.trigger or not chosen:
        raise FieldFaults([FieldFault("case", visit.say("选择"), visit.say("请先选择要办的件"))])
    run = run._replace(id=secrets.token_urlsafe(12), stage=Stage.PREVIEW, made_at=moment(visit.at), beat_at=None)
    rows = list(_judged(visit, run, chosen))
    with visit.desk.connection.writing():
        bulk_runs.add_run(visit.desk.connection, run, rows)
    return run.id


def _chosen(waiting: Waiting, asked: Filter, ticked: set[int], *, is_everything: bool) -> Iterator[Placed]:
    """The ticked cases; with everything, all the filter shows but the ready ones of the page without a tick."""
    if not is_everything:
        yield from (one for case in sorted(ticked) if (one := waiting.standing(case)) is not None)
        return
    page, after = waiting.page(asked)
    yield from (one for one in page if one.lane is not Lane.READY or one.case in ticked)
    count = len(page)
    while after and count < MOST:
        page, after = waiting.page(asked.with_(after=after))
        count += len(page)
        yield from page


def _judged(visit: Visit, run: Run, chosen: Sequence[Placed]) -> Iterator[Row]:
    """A row for each case: 需细看 stay out, the others are asked of the engine, which writes nothing."""
    trigger = run.trigger
    found = read_cases(visit.desk.connection, [one.case for one in chosen])
    revisions = {case: one.case.revision for case, one in found.items() if visit.visible.sees(one.case)}
    apart = {one.case for one in chosen if trigger not in visit.desk.definition(one.row.shape).transitions}
    looked = {one.case for one in chosen if one.lane is Lane.LOOK}
    warned = {one.case for one in chosen if one.cautions}
    asked = [(case, revision) for case, revision in revisions.items() if case not in looked | apart]
    wants_reason = any("reason" in _asked(visit, one, trigger) for one in {one.row.shape for one in chosen})
    request = visit.asks(trigger, {**(_SOME_REASON if wants_reason else {}), **run.fields})
    answer = move_many(visit.desk, asked, request, dry_run=True)
    against = {one.case.id: " ".join(verdict.rule for verdict in one.verdicts) for one in answer.refused}
    against |= {case: "" for case, _ in answer.barred} | dict.fromkeys(apart, "")
    for case, revision in revisions.items():
        if case in against:
            yield Row(case, revision, Outcome.CANNOT, against[case])
        elif case in looked or case in warned:  # blocked no more, its cautions are still to be read
            yield Row(case, revision, Outcome.LOOK)
        else:
            yield Row(case, revision, Outcome.CAN)


def _asked(visit: Visit, shape: str, trigger: str) -> Sequence[str]:
    machine = visit.desk.machine(shape)
    return machine.step_anywhere(trigger).asked if trigger in machine.definition.transitions else ()
