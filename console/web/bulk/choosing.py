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
from engine.records import case_of
from engine.store import bulk_runs
from engine.store.bulk_runs import Outcome, Row, Run
from engine.store.cases import read_cases
from engine.trail.event import moment

MOST = 10_000


def freeze(visit: Visit) -> str:
    """Keep what was ticked, as it stands now; the id of the run.

    Raises:
        FieldFaults: If nothing was ticked, or no step named.
    """
    asked = read_filter(dict(parse_qsl(visit.form.get("filter", "")))).with_(case="", after="")
    waiting = waiting_for(visit, asked)
    ticked = {case for one in visit.posted.getlist("case") if (case := case_of(str(one).replace("-", "")))}
    chosen = list(_chosen(waiting, asked, ticked, is_everything=bool(visit.form.get("everything"))))
    return keep(visit, visit.form.get("trigger", ""), asked.query(), chosen)


def again(visit: Visit, run: Run, cases: Iterable[int]) -> str:
    """A new selection of some cases of a run, as they stand now; the id of the new run."""
    waiting = waiting_for(visit, Filter())
    chosen = [placed for case in cases if (placed := waiting.standing(case)) is not None]
    return keep(visit, run.trigger, run.address, chosen)


def keep(visit: Visit, trigger: str, address: str, chosen: Sequence[Placed]) -> str:
    """Judge what was chosen, and keep it.

    Raises:
        FieldFaults: If there is nothing to decide on.
    """
    if not trigger or not chosen:
        raise FieldFaults([FieldFault("case", visit.say("选择"), visit.say("请先选择要办的件"))])
    run = Run(secrets.token_urlsafe(12), visit.login, trigger, address, "preview", moment(visit.at), None)
    rows = list(_judged(visit, trigger, chosen))
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


def _judged(visit: Visit, trigger: str, chosen: Sequence[Placed]) -> Iterator[Row]:
    """A row for each case: 需细看 stay out, the others are asked of the engine, which writes nothing."""
    found = read_cases(visit.desk.connection, [one.case for one in chosen])
    revisions = {case: one.case.revision for case, one in found.items() if visit.visible.sees(one.case)}
    looked = {one.case for one in chosen if one.lane is Lane.LOOK}
    warned = {one.case for one in chosen if one.cautions}
    asked = [(case, revision) for case, revision in revisions.items() if case not in looked]
    answer = move_many(visit.desk, asked, visit.asks(trigger), dry_run=True)
    against = {one.case.id: " ".join(verdict.id for verdict in one.verdicts) for one in answer.refused}
    against |= {case: "" for case, _ in answer.barred}
    for case, revision in revisions.items():
        if case in against:
            yield Row(case, revision, Outcome.CANNOT, against[case])
        elif case in looked or case in warned:  # blocked no more, its cautions are still to be read
            yield Row(case, revision, Outcome.LOOK)
        else:
            yield Row(case, revision, Outcome.CAN)
