"""The doors of lists and books: all of them, one, its signatures, its paper, its scans, what differs between drafts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from fastapi import Response

from console.web.audiences import Audience
from console.web.cases.looking import opened
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.lists.acts import (
    Ticking,
    done_before,
    form_of,
    hand_in,
    offers,
    scans,
    send_back,
    sign,
    take_step,
)
from console.web.lists.drafts import name_of
from console.web.lists.overview import overview
from console.web.lists.printing import printed, printed_receipt
from console.web.lists.reading import read_book
from console.web.lists.view import ListView, list_view
from console.web.queue.reasons import Offered, chosen, of_every, offered
from console.web.visit import Visit
from engine.records import Sentence

doors = Doors()
_ALONE = "default-src 'none'; sandbox; frame-ancestors 'none'"


@doors.get("/lists", to=Audience.SIGNED_IN)
def lists(visit: Visit) -> Response:
    """The lists in sight, what is late first."""
    visit.leaves_trace("lists")
    return visit.page("lists/index.html", overview=overview(visit))


@doors.get("/lists/{no}", to=Audience.SIGNED_IN)
def list_page(visit: Visit, no: str, after: str = "") -> Response:
    """One list: who stands on it, whether it adds up, who signs it."""
    book = read_book(visit, opened(visit, no))
    return _page(visit, list_view(book, visit.request.query_params.get("in", ""), after))


@doors.get("/lists/{no}/diff", to=Audience.SIGNED_IN)
def list_diff(visit: Visit, no: str) -> Response:
    """What the present draft has against the one before."""
    shown = _shown(visit, no)
    if shown.difference is None:
        raise NotFound
    return visit.page("lists/diff.html", view=shown, difference=shown.difference, name_of=name_of)


@doors.get("/lists/{no}/print", to=Audience.SIGNED_IN)
def list_print(visit: Visit, no: str, form: str = "") -> Response:
    """The forms of the draft, or one of them, on paper; each is a document that is looked at."""
    shown = _shown(visit, no)
    return _pdf(printed(shown, form), f"{shown.book.case.number}-{shown.number}{'-' + form if form else ''}.pdf")


@doors.get("/lists/{no}/receipt", to=Audience.SIGNED_IN)
def list_receipt(visit: Visit, no: str) -> Response:
    """The receipt of a list that has ended, on paper: who took it in, when, and what was stated of it."""
    shown = _shown(visit, no)
    return _pdf(printed_receipt(shown), f"{shown.book.case.number}-receipt.pdf")


def _pdf(body: bytes, name: str) -> Response:
    name = quote(name)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": _ALONE,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(body, media_type="application/pdf", headers=headers)


# --- signing ----------------------------------------------------------------------------------------------------------


@doors.get("/lists/{no}/sign", to=Audience.STAFF)
def list_sign_form(visit: Visit, no: str) -> Response:
    """Where the visitor signs, or who signs first."""
    return _sign_page(visit, _shown(visit, no))


@doors.post("/lists/{no}/sign", to=Audience.STAFF, page=list_sign_form)
def list_sign(visit: Visit, no: str) -> Response:
    """Give a signature."""
    if done_before(visit):
        return visit.go(f"/lists/{no}")
    shown = _shown(visit, no)
    try:
        refused = sign(visit, shown)
    except FieldFaults as problem:
        return _sign_page(visit, shown, faults=problem.faults)
    return _sign_page(visit, shown, refused) if refused else visit.go(shown.book.address)


def _sign_page(
    visit: Visit, shown: ListView, refused: Sequence[Sentence] = (), faults: Sequence[FieldFault] = ()
) -> Response:
    block = shown.to_sign
    if block is None:
        raise NotFound
    return visit.page(
        "lists/sign.html", status=422 if refused or faults else 200, view=shown, signed=block,
        offers=offers(visit, block), form=form_of(visit, shown, refused, faults), why=_why(visit, shown, block.trigger),
    )  # fmt: skip


# --- scans ------------------------------------------------------------------------------------------------------------


@doors.get("/lists/{no}/scan", to=Audience.STAFF)
def list_scan_form(visit: Visit, no: str) -> Response:
    """What was handed in, where to hand in more, and what another person ticks."""
    return _scan_page(visit, _shown(visit, no))


@doors.post("/lists/{no}/scan", to=Audience.STAFF)
def list_scan(visit: Visit, no: str) -> Response:
    """Hand in a scan."""
    if done_before(visit):
        return visit.go(f"/lists/{no}")
    shown = _shown(visit, no)
    try:
        refused = hand_in(visit, shown)
    except FieldFaults as problem:
        return _scan_page(visit, shown, faults=problem.faults)
    return _scan_page(visit, shown, refused) if refused else visit.go(f"{shown.book.address}/scan")


@doors.post("/lists/{no}/seen", to=Audience.STAFF)
def list_seen(visit: Visit, no: str) -> Response:
    """Say to have seen signatures and seal, as another person than who handed the scan in."""
    if done_before(visit):
        return visit.go(f"/lists/{no}")
    shown = _shown(visit, no)
    refused = Ticking(visit, shown).take()
    return _scan_page(visit, shown, refused) if refused else visit.go(shown.book.address)


def _scan_page(
    visit: Visit, shown: ListView, refused: Sequence[Sentence] = (), faults: Sequence[FieldFault] = ()
) -> Response:
    return visit.page(
        "lists/scan.html", status=422 if refused or faults else 200, view=shown, scans=scans(shown),
        ticking=Ticking(visit, shown), form=form_of(visit, shown, refused, faults),
    )  # fmt: skip


# --- back, and on -----------------------------------------------------------------------------------------------------


@doors.get("/lists/{no}/back", to=Audience.STAFF)
def list_back_form(visit: Visit, no: str) -> Response:
    """Where the list may be sent back to, and why."""
    return _back_page(visit, _shown(visit, no))


@doors.post("/lists/{no}/back", to=Audience.STAFF, page=list_back_form)
def list_back(visit: Visit, no: str) -> Response:
    """Send the list back: its signatures are void."""
    if done_before(visit):
        return visit.go(f"/lists/{no}")
    shown = _shown(visit, no)
    try:
        refused = send_back(visit, shown)
    except FieldFaults as problem:
        return _back_page(visit, shown, faults=problem.faults)
    return _back_page(visit, shown, refused) if refused else visit.go(shown.book.address)


def _back_page(
    visit: Visit, shown: ListView, refused: Sequence[Sentence] = (), faults: Sequence[FieldFault] = ()
) -> Response:
    ways = [one for one in shown.actions if one.is_back and one.is_mine]
    if not ways:
        raise NotFound
    return visit.page(
        "lists/back.html", status=422 if refused or faults else 200, view=shown, ways=ways,
        form=form_of(visit, shown, refused, faults), why=_why(visit, shown, *(one.trigger for one in ways)),
    )  # fmt: skip


class _Why(NamedTuple):
    """Why the list goes back: what stands in the field, and the reasons to choose from."""

    said: str
    offered: tuple[Offered, ...]


def _why(visit: Visit, shown: ListView, *triggers: str) -> _Why:
    """Which of several ways back is meant is chosen beside the reasons, so they are those of every one."""
    book, here = shown.book, visit.request.url.path
    those = of_every([offered(visit, book.machine, book.machine.step(book.case.state, one), here) for one in triggers])
    return _Why(visit.form.get("reason") or chosen(visit, those) or "", those)


@doors.post("/lists/{no}/step", to=Audience.STAFF)
def list_step(visit: Visit, no: str) -> Response:
    """Take a step that asks for nothing, such as closing the list."""
    if done_before(visit):
        return visit.go(f"/lists/{no}")
    shown = _shown(visit, no)
    refused = take_step(visit, shown)
    return _page(visit, shown, refused) if refused else visit.go(shown.book.address)


def _page(visit: Visit, shown: ListView, refused: Sequence[Sentence] = ()) -> Response:
    return visit.page(
        "lists/page.html", status=422 if refused else 200, view=shown, form=form_of(visit, shown, refused)
    )


def _shown(visit: Visit, no: str) -> ListView:
    """A list that is open already: the look was kept when its page was opened; an auditor's is kept each time."""
    return list_view(read_book(visit, opened(visit, no, is_part=True)))
