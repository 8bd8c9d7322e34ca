"""Papers of a case: the original to be saved, and pictures made anew for the page; every look is an event of the case.

Nothing that was handed in is ever shown by the browser as what it claims to be: originals are attachments in a sandbox,
and a page shows pixels that were decoded and written anew here (`exchange.pictures`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Response

from console.web import forms
from console.web.audiences import Audience
from console.web.cases.looking import dossier_of, part_looked_at
from console.web.cases.margin import PICTURES, PaperLine, paper_lines
from console.web.doors import Doors
from console.web.faults import FileRefused, NotFound
from console.web.visit import Visit
from engine.store.cases import Found
from engine.viewing import VIEW, Viewed, view
from exchange.evidence import FileRefused as Unshowable
from exchange.pictures import Turn, shown

doors = Doors()

_MOST = 2000
"""Pixels of the longer side of a picture on a page."""
_ALONE = "default-src 'none'; sandbox; frame-ancestors 'none'"
_ENDINGS: Mapping[str, str] = {
    "jpeg": "jpg", "png": "png", "gif": "gif", "bmp": "bmp", "tiff": "tif", "webp": "webp", "heic": "heic",
    "pdf": "pdf", "zip": "zip", "xlsx": "xlsx", "docx": "docx", "pptx": "pptx", "rar": "rar", "7z": "7z",
    "form": "json",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A document as an address names it: its case, the event that brought it, and its kind."""

    found: Found
    seq: int
    kind: str


@doors.get("/evidence/{which}", to=Audience.SIGNED_IN)
def original(visit: Visit, which: str) -> Response:
    """The file as it was handed in, to be saved; a form that a step made, as the bytes its hash is of."""
    named = _named(visit, which)
    return to_be_saved(named, _viewed(visit, named))


def to_be_saved(named: Named, viewed: Viewed) -> Response:
    """The bytes of a document as an attachment in a sandbox, named after the case and nobody."""
    ending = _ENDINGS.get(_kind(viewed), "bin")
    name = f"{named.kind}-{named.found.case.number}-{named.seq}.{ending}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": _ALONE,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(viewed.body, media_type="application/octet-stream", headers=headers)


@doors.get("/evidence/{which}/page/{n}.png", to=Audience.SIGNED_IN)
def page(visit: Visit, which: str, n: int, turn: int = 0) -> Response:
    """A picture made anew; what is no picture is only there to be saved."""
    named = _named(visit, which)
    if n != 1 or turn not in set(Turn):
        raise NotFound
    viewed = _viewed(visit, named)
    if _kind(viewed) not in PICTURES:
        raise FileRefused(_only_saved(visit, _kind(viewed)), 415)
    try:
        body = shown(viewed.body, _MOST, Turn(turn))
    except Unshowable as problem:
        raise FileRefused(str(problem), 415) from problem
    return Response(body, media_type="image/png", headers={"Content-Security-Policy": _ALONE})


@doors.get("/evidence/{which}/look", to=Audience.SIGNED_IN)
def viewer(visit: Visit, which: str, turn: int = 0, beside: str = "") -> Response:
    """A paper on a page of its own, turned, and next to another of the same case; each picture is a look."""
    named = _named(visit, which)
    papers = {one.id: one for one in paper_lines(dossier_of(visit, part_looked_at(visit, named.found)))}
    one = papers.get(which)
    if one is None or turn not in set(Turn):
        raise NotFound
    other: PaperLine | None = papers.get(beside)
    others = [paper for paper in papers.values() if paper.is_picture and paper.id != which]
    return visit.page(
        "case/paper.html", number=named.found.case.number, paper=one, turn=turn, others=others,
        beside=other if other is not None and other.is_picture else None,
    )  # fmt: skip


def _named(visit: Visit, which: str) -> Named:
    """The document that an address names.

    Raises:
        NotFound: If it names none, or the person may not know of its case.
    """
    number, _, rest = which.partition(".")
    seq, _, kind = rest.partition(".")
    place = forms.number(seq)
    if place is None or not kind:
        raise NotFound
    return Named(found=visit.case(number), seq=place, kind=kind)


def _viewed(visit: Visit, named: Named) -> Viewed:
    return view(visit.desk, named.found.case.id, named.kind, named.seq, visit.asks(VIEW))


def _kind(viewed: Viewed) -> str:
    """What the bytes are, as it was found when they were handed in."""
    return str(viewed.document.looks.get("kind", "form"))


def _only_saved(visit: Visit, kind: str) -> str:
    return visit.say("{kind} 文件不能在页面上看，请下载后打开", kind=kind.upper())
