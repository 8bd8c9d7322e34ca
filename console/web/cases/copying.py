"""抄送 from a case: to which colleagues, with which words; who was told today already stands there and says so."""

from __future__ import annotations

from fastapi import Response

from console.web.audiences import Audience
from console.web.cases.asking import Form, done, form_of
from console.web.cases.looking import asked
from console.web.doors import Doors
from console.web.visit import Visit
from engine.copying import COPY, LONGEST, readers, send_copy
from engine.records import Repeated
from engine.store.cases import Found

doors = Doors()


@doors.get("/cases/{no}/copies", to=Audience.STAFF)
def copy_form(visit: Visit, no: str) -> Response:
    """To whom a copy may go: colleagues who may see the case anyway."""
    found = visit.case(no)
    return _page(visit, found, form_of(visit, found))


@doors.post("/cases/{no}/copies", to=Audience.STAFF, page=copy_form)
def copy_post(visit: Visit, no: str) -> Response:
    """Send a copy to all who are ticked, or to nobody."""
    found = visit.case(no)
    answer = send_copy(visit.desk, found.case.id, _chosen(visit), visit.form.get("note", ""), asked(visit, COPY))
    if answer and not (isinstance(answer, Repeated) and answer.moved):
        return _page(visit, found, form_of(visit, found, answer), status=422)
    return done(visit, found)


def _chosen(visit: Visit) -> list[str]:
    return [one for one in visit.posted.getlist("to") if isinstance(one, str)]


def _page(visit: Visit, found: Found, form: Form, *, status: int = 200) -> Response:
    titles = visit.desk.library.rulebook.organisation.roles
    return visit.page(
        "case/copy.html",
        status=status,
        form=form,
        readers=readers(visit.desk, found.case.id, visit.asks(COPY)),
        titles={name: one.title for name, one in titles.items()},
        units={code: one.name for code, one in visit.desk.units().items()},
        chosen=_chosen(visit),
        longest=LONGEST,
    )
