"""The first page of a student, and what lies behind its foot: messages, looks, papers, the photo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FileRefused, NotFound
from console.web.my.reading import Own, read_own
from console.web.my.view import contact, my_view
from console.web.my.wording import lang_of
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.records import Case
from engine.store import own as kept
from engine.store import people
from engine.viewing import VIEW, view
from exchange.by_phone import thumbnail
from exchange.evidence import FileRefused as Unshowable

doors = Doors()

_PHOTO_SIDE = 224
"""Pixels of the longer side: what the page shows at twice the density, in a few kB."""
_ALONE = "default-src 'none'; sandbox; frame-ancestors 'none'"
_MOST_LINES = 100
_PURPOSES: Mapping[str, Bilingual] = {
    "open": Bilingual(zh="打开您的件", en="opened your case"),
    "check": Bilingual(zh="核对证件", en="checked a document"),
    "contact": Bilingual(zh="联系学生", en="to contact you"),
    "audit": Bilingual(zh="审计", en="audit"),
    "other": Bilingual(zh="其他", en="other"),
}
_TOLD: Mapping[str, Bilingual] = {
    "approaching": Bilingual(zh="快到期了", en="Due soon"),
    "due_today": Bilingual(zh="今天到期", en="Due today"),
    "overdue": Bilingual(zh="已逾期", en="Overdue"),
    "moved": Bilingual(zh="有进展", en="Progress"),
    "returned": Bilingual(zh="退回了", en="Sent back"),
    "refused": Bilingual(zh="未通过", en="Refused"),
    "registered": Bilingual(zh="学历已注册", en="Registered"),
    "urged": Bilingual(zh="请尽快办", en="Please act"),
    "deadline_moved": Bilingual(zh="期限有变", en="Deadline changed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LookLine:
    """Somebody looked: who, at which procedure's case, what for, when."""

    who: str
    case: Bilingual
    what: Bilingual
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldLine:
    """A message: what it said, about which procedure and deadline, when."""

    what: Bilingual
    case: Bilingual
    deadline: Bilingual | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPaper:
    """A document on one of the own cases."""

    address: str
    title: Bilingual
    case: Bilingual
    at: datetime


@doors.get("/my", to=Audience.STUDENT)
def my(visit: Visit) -> Response:
    """Where I am, what I must do, until when."""
    return visit.page("my/home.html", my=my_view(read_own(visit), lang_of(visit)))


@doors.get("/my/photo", to=Audience.STUDENT)
def photo(visit: Visit) -> Response:
    """The own photo, small; like every look at a document it leaves an event."""
    row = read_own(visit).glance.photo
    if row is None:
        raise NotFound
    viewed = view(visit.desk, row.case, row.kind, row.seq, visit.asks(VIEW))
    try:
        body = thumbnail(viewed.body, _PHOTO_SIDE)
    except Unshowable as problem:
        raise FileRefused(str(problem), 415) from problem
    return Response(body, media_type="image/jpeg", headers={"Content-Security-Policy": _ALONE})


@doors.get("/my/messages", to=Audience.STUDENT)
def messages(visit: Visit) -> Response:
    """What the student was told, newest first."""
    own = read_own(visit)
    told = kept.told(visit.desk.connection, visit.actor.student or 0, visit.login, [one.id for one in own.cases])
    return visit.page("my/messages.html", lines=tuple(_told_lines(own, told[:_MOST_LINES])), contact=contact(own))


@doors.get("/my/looks", to=Audience.STUDENT)
def looks(visit: Visit) -> Response:
    """Who looked at the student's data, newest first; the student's own looks are left out."""
    own = read_own(visit)
    found = [
        one for one in kept.looks(visit.desk.connection, [one.id for one in own.cases]) if one.login != visit.login
    ][:_MOST_LINES]
    names, _ = people.named(visit.desk.connection, sorted({one.login for one in found}), None)
    lines = tuple(_look_lines(own, found, names))
    return visit.page("my/looks.html", lines=lines, contact=contact(own))


@doors.get("/my/papers", to=Audience.STUDENT)
def papers(visit: Visit) -> Response:
    """The documents on the own cases."""
    own = read_own(visit)
    return visit.page("my/papers.html", lines=tuple(_papers(own)), contact=contact(own))


def _case_of(own: Own, case: int) -> Case:
    return next(one for one in own.cases if one.id == case)


def _title(own: Own, case: int) -> Bilingual:
    return own.desk.definition(_case_of(own, case).shape).title


def _told_lines(own: Own, told: list[kept.Told]) -> Iterator[ToldLine]:
    for one in told:
        definition = own.desk.definition(_case_of(own, one.case).shape)
        deadline = definition.deadlines.get(one.deadline or "")
        yield ToldLine(
            what=_TOLD.get(one.message, Bilingual(zh="通知", en="Notice")),
            case=definition.title,
            deadline=None if deadline is None else deadline.title,
            at=one.at,
        )


def _look_lines(own: Own, found: list[kept.Look], names: Mapping[str, str]) -> Iterator[LookLine]:
    for one in found:
        documents = own.machine.book.documents
        word = one.what.removeprefix("reveal/")
        what = documents[word].title if word in documents else _PURPOSES.get(word, _PURPOSES["open"])
        yield LookLine(who=names.get(one.login, one.login), case=_title(own, one.case), what=what, at=one.at)


def _papers(own: Own) -> Iterator[OwnPaper]:
    for case in own.cases:
        documents = own.desk.machine_for(case, {}).book.documents
        at = {one["seq"]: one["at"] for one in own.glance.steps.get(case.id, ())}
        for row in own.glance.documents.get(case.id, ()):
            title = documents[row.kind].title if row.kind in documents else Bilingual(zh=row.kind, en=row.kind)
            yield OwnPaper(
                address=f"/evidence/{case.number}.{row.seq}.{row.kind}",
                title=title,
                case=own.desk.definition(case.shape).title,
                at=datetime.fromisoformat(at[row.seq]),
            )
