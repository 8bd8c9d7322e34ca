"""The addresses of the queue: its lists, what has changed meanwhile, saved filters, and finding somebody."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from fastapi import Response
from fastapi.responses import HTMLResponse

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import NotFound
from console.web.queue import columns, finding, lists, nudging, views_kept
from console.web.queue.answers import after_click, undoable
from console.web.queue.filtering import Filter, Which, read_filter
from console.web.queue.narrowing import narrowings
from console.web.queue.units import by_unit
from console.web.queue.view import QueueView, claims_and_counts, queue_view
from console.web.queue.waiting import waiting_for
from console.web.queue.wording import words_for
from console.web.visit import Visit

doors = Doors()


@doors.get("/queue/pulse", to=Audience.STAFF)
def pulse(visit: Visit, since: str = "", total: int = 0, came: int = 0, query: str = "") -> Response:
    """What has changed since a page was made; nothing (204) where nothing has. It renews the claim of the open case.

    So many `came` since the page was made, up to the last time when there were `total`.
    """
    asked = read_filter(dict(parse_qsl(query)))
    told = claims_and_counts(visit, asked)
    if told.mark == since:
        return Response(status_code=204)
    return HTMLResponse(
        visit.part(
            "queue/pulse.html",
            "pulse",
            q=words_for(visit),
            told=told,
            filter=asked,
            came=came + max(0, told.counts.everything - total),
        )
    )


@doors.get("/queue/filters", to=Audience.STAFF)
def filters(visit: Visit, query: str = "") -> Response:
    """Everything the queue can be narrowed down by, in one form; what is chosen becomes the address."""
    asked = read_filter(dict(parse_qsl(query))).with_(case="", after="")
    return visit.page("queue/filters.html", q=words_for(visit), filter=asked, narrowings=narrowings(visit, asked))


@doors.get("/queue/views", to=Audience.STAFF)
def views(visit: Visit, query: str = "") -> Response:
    """The saved filters, and the form for another."""
    return visit.page("queue/views.html", q=words_for(visit), views=views_kept.kept(visit), query=query, faults=())


@doors.post("/queue/views", to=Audience.STAFF)
def save_view(visit: Visit) -> Response:
    """Keep a filter under a name, or forget one."""
    form = visit.form
    if form.get("drop"):
        views_kept.drop(visit, form["drop"])
        return visit.go("/queue/views")
    asked = read_filter(dict(parse_qsl(form.get("query", "")))).with_(case="", after="")
    views_kept.keep(
        visit, form.get("name", ""), asked, shared=bool(form.get("shared")), pinned=bool(form.get("pinned"))
    )
    return visit.go(asked.address())


@doors.get("/queue/columns", to=Audience.STAFF)
def columns_page(visit: Visit, query: str = "", pressed: str = "") -> Response:
    """What the list shows of each case, and in which order; back to the queue under the same filter."""
    asked = read_filter(dict(parse_qsl(query))).with_(case="", after="")
    return visit.page("queue/columns.html", filter=asked, lines=columns.lines(visit, pressed))


@doors.post("/queue/columns", to=Audience.STAFF)
def choose_columns(visit: Visit) -> Response:
    """Keep what the list shows: on to the queue, or, where one was moved, to the form again."""
    asked = read_filter(dict(parse_qsl(visit.form.get("query", "")))).with_(case="", after="")
    pressed = columns.choose(visit, visit.form)
    return visit.go(
        f"/queue/columns?{urlencode({'query': asked.query(), 'pressed': pressed})}" if pressed else asked.address()
    )


@doors.post("/queue/nudge", to=Audience.STAFF)
def nudge(visit: Visit) -> Response:
    """Freeze whom to urge about what holds cases up, and go to look at it."""
    asked = read_filter(dict(parse_qsl(visit.form.get("filter", ""))))
    return visit.go(f"/nudge/{nudging.choose(visit, visit.form.get('rule', ''), asked)}")


@doors.get("/queue/{which}", to=Audience.STAFF)
def queue(visit: Visit, which: str) -> Response:
    """A queue under the filter its address says."""
    asked = read_filter(visit.request.query_params)
    match which:
        case Which.TODO:
            return _todo(visit, asked)
        case Which.DONE | Which.MINE | Which.COPIES:
            return lists.page(visit, Which(which), visit.request.query_params)
        case _:
            raise NotFound


def _todo(visit: Visit, asked: Filter) -> Response:
    if visit.is_fragment and asked.case:
        return after_click(visit, asked)
    waiting = waiting_for(visit, asked)
    visit.waiting = waiting.total
    units = by_unit(visit, asked, waiting)
    if units is not None:
        return visit.page("queue/units.html", q=words_for(visit), units=units, filter=asked)
    view: QueueView = queue_view(visit, asked, waiting)
    if visit.is_fragment and view.is_anew:
        return visit.go(asked.address())  # nothing of it is put behind what stands there already
    if visit.is_fragment and asked.after:
        words = words_for(visit)
        return HTMLResponse(visit.part("queue/sections.html", "more", q=words, view=view, filter=asked, is_more=True))
    if asked.case and view.open is None:
        raise NotFound
    params = visit.request.query_params
    return visit.page(
        "queue/page.html",
        q=words_for(visit),
        view=view,
        filter=view.filter,
        undo=undoable(visit, params["undo"]) if "undo" in params else None,
        said=_said(visit),
        open=view.open,
    )


def _said(visit: Visit) -> str:
    """What was done just now, as far as the address tells; nothing that anybody could put into an address is shown."""
    params = visit.request.query_params
    if "nudged" in params:
        return nudging.told(visit, params["nudged"])
    words = {
        "undone": visit.say("已撤销，没有发出任何消息"),
        "done": visit.say("已办"),
        "handed": visit.say("已转办"),
    }
    return words.get(params.get("said", ""), "")


@doors.post("/find", to=Audience.SIGNED_IN)
def find(visit: Visit) -> Response:
    """Look for a student or a case by exactly what was typed; what was found stands behind a handle of this session."""
    return finding.find(visit, visit.form.get("q", ""))


@doors.get("/find/{handle}", to=Audience.SIGNED_IN)
def found(visit: Visit, handle: str) -> Response:
    """What a search of this session found."""
    return finding.page(visit, handle)
