"""A mail that did not reach the student: the address is corrected where it is told, by whoever keeps it."""

from __future__ import annotations

from fastapi import Response

from console.web.audiences import Audience
from console.web.cases.asking import Form, done, form_of
from console.web.cases.looking import asked
from console.web.cases.messages import MAIL, may_correct
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.faults import NotFound
from console.web.lettering import masked_mail
from console.web.visit import Visit
from engine.facts import write_facts
from engine.store import people, registry
from engine.store.cases import Found
from notifications.messages.envelopes import Unmailable, address_of

doors = Doors()


@doors.get("/cases/{no}/mail", to=Audience.STAFF)
def mail_form(visit: Visit, no: str) -> Response:
    """Where the student is reached by mail, to be corrected."""
    found = _of_theirs(visit, no)
    return _page(visit, found, form_of(visit, found))


@doors.post("/cases/{no}/mail", to=Audience.STAFF, page=mail_form)
def mail_post(visit: Visit, no: str) -> Response:
    """Correct where the student is reached; old and new value stand in the student's chain, sealed."""
    found = _of_theirs(visit, no)
    mail = visit.form.get("mail", "")
    try:
        address_of(None, mail)
    except Unmailable as problem:
        faults = [in_language(str(problem), visit.lang)]
        return _page(visit, found, form_of(visit, found, faults=faults), status=422)
    connection = visit.desk.connection
    with connection.writing():
        written = write_facts(visit.desk, {str(found.student_no): {MAIL: mail}}, asked(visit, "mail"))
        if not written.refused and (own := registry.account_of(connection, found.case.student or 0)) is not None:
            people.set_address(connection, own, None)  # else an earlier address of the account would go before it
    refused = [one for each in written.refused for one in each.verdicts]
    return _page(visit, found, form_of(visit, found, refused), status=422) if refused else done(visit, found)


def _of_theirs(visit: Visit, no: str) -> Found:
    found = visit.case(no)
    if not may_correct(visit.desk, visit.actor, found, visit.at):
        raise NotFound
    return found


def _page(visit: Visit, found: Found, form: Form, *, status: int = 200) -> Response:
    contact = people.pupils(visit.desk.connection, [found.case.student or 0]).get(found.case.student or 0)
    now = contact.email if contact is not None else None
    return visit.page("case/mail.html", status=status, form=form, now=masked_mail(now) if now else "")
