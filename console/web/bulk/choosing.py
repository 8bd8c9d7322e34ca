"""What a bulk decision is about: the ticked cases as they stand, each judged once without writing anything.

需细看 never enter: a caution is read case by case.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from console.web.faults import FieldFault, FieldFaults
from console.web.queue.filtering import Filter, read_filter
from console.web.queue.waiting import Waiting, waiting_for
from console.web.visit import Visit
from engine.bulk import move_many
from engine.lane_queries import Placed
from engine.lanes import Lane, to_be_looked_at
from engine.records import Json, Request, case_of
from engine.store import bulk_runs
from engine.store.bulk_runs import Outcome, Row, Run, Stage
from engine.store.cases import read_cases
from engine.trail.event import moment

MOST = 10_000
_SOME_REASON: dict[str, Json] = {"reason": "—"}
"""Stands for the words that a step asks for while it is only asked about: they are written with the preview."""


class Resting(NamedTuple):
    """A case that waits for nobody, such as the record of somebody who may apply: ready, or to be looked at first."""

    case: int
    lane: Lane
    cautions: tuple[str, ...] = ()


Chosen: TypeAlias = "Placed | Resting"


def freeze(visit: Visit) -> str:
    """Keep what was ticked, as it stands now; the id of the run.

    Raises:
        FieldFaults: If nothing was ticked, or no step named.
    """
    asked = read_filter(dict(parse_qsl(visit.form.get("filter", "")))).with_(case="", after="")
    waiting = waiting_for(visit, asked)
    chosen = list(_chosen(visit, waiting, asked))
    run = Run("", visit.login, visit.form.get("trigger", ""), asked.query(), Stage.PREVIEW, moment(visit.at), None)
    return keep(visit, run, chosen)


def again(visit: Visit, run: Run, cases: Iterable[int]) -> str | None:
    """A new selection of some cases for what a run says; None where none of them waits any more."""
    if not run.is_of_queue:
        resting_now = resting(visit, visit.asks(run.trigger, run.fields), cases)
        return keep(visit, run, resting_now) if resting_now else None
    waiting = waiting_for(visit, Filter())
    chosen = [placed for case in cases if (placed := waiting.standing(case)) is not None]
    return keep(visit, run, chosen) if chosen else None


def resting(visit: Visit, request: Request, cases: Iterable[int]) -> list[Resting]:
    """Those of some cases for which a step is open that they need not wait for; as many as are decided on at once."""
    found = read_cases(visit.desk.connection, sorted(cases)[:MOST])
    seen = [one for one in found.values() if visit.visible.sees(one.case)]
    open_ = [one for one in seen if request.trigger in visit.desk.machine(one.case.shape).open_triggers(one.case.state)]
    warned = to_be_looked_at(visit.desk, open_, request)
    return [Resting(one.case.id, Lane.LOOK if one.case.id in warned else Lane.READY) for one in open_]


def keep(visit: Visit, run: Run, chosen: Sequence[Chosen]) -> str:
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


def shown_by(waiting: Waiting, asked: Filter) -> Iterator[Placed]:
    """All that a filter shows, up to as many as are decided on at once."""
    return islice(chain.from_iterable(waiting.pages(asked)), MOST)


def _chosen(visit: Visit, waiting: Waiting, asked: Filter) -> Iterator[Placed]:
    """The ticked cases; with everything, all the filter shows but those that stood on the page without a tick."""
    ticked, shown = _posted(visit, "case"), _posted(visit, "shown")
    if visit.form.get("everything") and shown:
        yield from (one for one in shown_by(waiting, asked) if one.case in ticked or one.case not in shown)
    else:
        yield from (one for case in sorted(ticked) if (one := waiting.standing(case)) is not None)


def _posted(visit: Visit, name: str) -> set[int]:
    """The cases a form names in its fields of a name, several in one between blanks."""
    numbers = (number for one in visit.posted.getlist(name) for number in str(one).replace("-", "").split())
    return {case for number in numbers if (case := case_of(number)) is not None}


def _judged(visit: Visit, run: Run, chosen: Sequence[Chosen]) -> Iterator[Row]:
    """A row for each case: 需细看 stay out, the others are asked of the engine, which writes nothing."""
    trigger = run.trigger
    found = read_cases(visit.desk.connection, [one.case for one in chosen])
    revisions = {case: one.case.revision for case, one in found.items() if visit.visible.sees(one.case)}
    shapes = {case: one.case.shape for case, one in found.items()}
    apart = {case for case, shape in shapes.items() if trigger not in visit.desk.definition(shape).transitions}
    looked = {one.case for one in chosen if one.lane is Lane.LOOK}
    warned = {one.case for one in chosen if one.cautions}
    asked = [(case, revision) for case, revision in revisions.items() if case not in looked | apart]
    wants_reason = any("reason" in _asked(visit, one, trigger) for one in set(shapes.values()))
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
