"""Answers to htmx: one response with the open case as its content, and what else of the page has changed beside it.

Whoever has no script gets a whole page at the same address instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Response
from fastapi.responses import HTMLResponse

from console.web.faults import NotFound
from console.web.queue.filtering import Filter, read_filter
from console.web.queue.open_case import OpenCase
from console.web.queue.people import name_of
from console.web.queue.rows import Row
from console.web.queue.view import Counts, QueueView, Undoable, counts_of, open_id, read_some, shown, single_row
from console.web.queue.waiting import Waiting, waiting_for
from console.web.queue.wording import words_for
from console.web.visit import Visit
from engine.lane_queries import Placed
from engine.lanes import Lane
from engine.records import case_number, case_of
from engine.store import desk_work
from engine.store.cases import read_case
from engine.store.desk_work import Lying
from engine.trail.event import EventKind

GRACE = timedelta(seconds=3)
"""How long after its end an undo is still taken: it was pressed in time, and travelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What of the page changes beside the open case.

    Attributes:
        rows: Rows of the list anew.
        gone: The number of a case whose row leaves the list.
        whole: The whole list anew.
        counts: The numbers above the list; None: as they were.
        undo: What can be undone from now on; `said` is what else is to be said.
    """

    rows: tuple[Row, ...] = ()
    gone: str = ""
    whole: QueueView | None = None
    counts: Counts | None = None
    undo: Undoable | None = None
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A case that the person is done with, and what lay on it and on those to come; `is_claimed`: they were at it."""

    case: int
    lying: Lying
    is_claimed: bool


def after_click(visit: Visit, asked: Filter) -> Response:
    """A row was opened: its case, and both rows, the one left and the one reached.

    Raises:
        NotFound: If there is no such case, or not for this person.
    """
    opened = open_id(asked)
    before = open_id(_filter_of_page(visit))
    waiting = waiting_for(visit, asked)
    read = read_some(visit, concerned(waiting, asked, opened, before), opened=opened)
    if opened is None or opened not in read.found:
        raise NotFound
    view = shown(visit, asked, waiting, read, opened)
    if view is None:
        raise NotFound
    rows = [single_row(visit, asked, waiting, read, one) for one in (opened, before) if one is not None]
    return fragment(visit, asked, view, Beside(rows=tuple(one for one in rows if one is not None)))


def concerned(waiting: Waiting, asked: Filter, *cases: int | None) -> Iterator[int]:
    """The cases of an answer: those named, and the one behind the first, whose name is told."""
    known = [one for one in cases if one is not None]
    yield from known
    place = waiting.place(asked, known[0]) if known else None
    if place is not None and place.next is not None:
        yield place.next.case


def _filter_of_page(visit: Visit) -> Filter:
    """The filter of the page that htmx asks from."""
    current = visit.request.headers.get("HX-Current-URL", "")
    return read_filter(dict(parse_qsl(urlsplit(current).query)))


def fragment(visit: Visit, asked: Filter, view: OpenCase | None, beside: Beside, *, status: int = 200) -> HTMLResponse:
    """The open case, or that there is none left, with everything beside it."""
    body = visit.part("queue/answer.html", "answer", q=words_for(visit), open=view, filter=asked, beside=beside)
    return HTMLResponse(body, status, headers={"HX-Replace-Url": asked.address()})


def next_after(waiting: Waiting, asked: Filter, left: Placed | None) -> Placed | None:
    """The case to go on with: the one behind the one that was left, else the first that is not blocked."""
    behind = () if left is None else waiting.behind(asked, left)
    following = next((one for one in behind if one.lane is not Lane.BLOCKED), None)
    if following is not None:
        return following
    lanes = (asked.lane,) if asked.lane else ("look", "ready")
    rows = (one for lane in lanes for one in waiting.page(asked.with_(lane=lane, after=""))[0])
    return next((one for one in rows if one.lane is not Lane.BLOCKED), None)


def go_on(
    visit: Visit, place: tuple[Filter, Waiting, Placed | None], beside: Beside, leaving: Leaving | None = None
) -> Response:
    """The answer to something done: the next case with what has changed, or the way to its page.

    Args:
        visit: Whose it is.
        place: The filter, what waits now, and the case that comes next.
        beside: What has changed.
        leaving: The case that it was done to, where the person is at that no more.
    """
    asked, waiting, following = place
    asked = asked.with_(case="" if following is None else case_number(following.case))
    left = None if leaving is None or not leaving.is_claimed else leaving.case
    if left is not None and (following is None or not visit.is_fragment):
        with visit.desk.connection.writing():
            desk_work.let_go(visit.desk.connection, left, visit.login)
    if not visit.is_fragment:
        said = {"said": "done"} if beside.undo is None else {"undo": beside.undo.number}
        return visit.go(f"/queue/todo?{'&'.join(part for part in (asked.query(), urlencode(said)) if part)}")
    counts = counts_of(waiting, asked)
    if following is None:
        return fragment(visit, asked, None, replace(beside, counts=counts))
    known = None if leaving is None else leaving.lying
    read = read_some(visit, concerned(waiting, asked, following.case), opened=following.case, known=known)
    read = replace(read, left=left)
    view = shown(visit, asked, waiting, read, following.case)
    row = single_row(visit, asked, waiting, read, following.case)
    return fragment(visit, asked, view, replace(beside, rows=() if row is None else (row,), counts=counts))


def undoable(visit: Visit, number: str) -> Undoable | None:
    """What the person can still undo of a case: their own last deed, within the seconds they have chosen."""
    case = case_of(number.replace("-", ""))
    last = None if case is None else desk_work.last_deed(visit.desk.connection, case)
    found = None if case is None else read_case(visit.desk.connection, case)
    if last is None or found is None or last[0] != visit.login:
        return None
    deed = last[1]
    step = visit.desk.definition(found.case.shape).transitions.get(deed.trigger)
    left = deed.at + undo_span(visit) - visit.at
    if deed.kind == EventKind.RETRACTED or step is None or not step.retractable or left <= timedelta():
        return None
    return Undoable(
        number=case_number(deed.case),
        name=name_of(visit, found),
        verb=visit.title(step.title),
        seconds=int(left.total_seconds()),
    )


def undo_span(visit: Visit) -> timedelta:
    """For how long the person can undo a decision, and what it would tell others waits."""
    return timedelta() if visit.session is None else visit.session.preference.undo
