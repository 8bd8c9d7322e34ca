"""The doors of definitions, calendars, terms and batches."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from console.web.admin.frame import tabs
from console.web.audiences import Audience
from console.web.definitions import batches, calendars, changed_batches, editing, new_batches, publishing, reading
from console.web.definitions.reading import ADDRESS
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit

doors = Doors()
_FIRST_YEAR, _LAST_YEAR = 2000, 2099


@doors.get("/admin/definitions", to=Audience.SYSTEM_ADMIN)
def definitions(visit: Visit) -> Response:
    """Every definition, and what waits to be approved."""
    return visit.page("definitions/index.html", tabs=tabs(visit), shown=reading.overview(visit))


@doors.get("/admin/definitions/new", to=Audience.SYSTEM_ADMIN)
def new_definition(visit: Visit) -> Response:
    """Choose the file that is to be published."""
    return _choosing(visit)


def _choosing(visit: Visit, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    return visit.page(
        "definitions/new.html", status=422 if faults else 200, tabs=tabs(visit), steps=publishing.STEPS, faults=faults
    )


@doors.post("/admin/definitions/new", to=Audience.SYSTEM_ADMIN)
def draft_definition(visit: Visit) -> Response:
    """Read the file, keep it with what was found."""
    try:
        number = publishing.receive(visit)
    except FieldFaults as problem:
        return _choosing(visit, problem)
    return visit.go(publishing.address_of(number))


@doors.get("/admin/definitions/proposals/{number}", to=Audience.SYSTEM_ADMIN)
def proposal(visit: Visit, number: int, said: str = "") -> Response:
    """What is to be published, what was found, whom it touches."""
    return _proposal(visit, number, said=said)


def _proposal(visit: Visit, number: int, *, said: str = "", problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    reasons = {one.field: one.reason for one in faults}
    shown = publishing.view(visit, number)
    given = visit.form if faults else {}
    return visit.page(
        "definitions/proposal.html",
        status=422 if faults else 200,
        tabs=tabs(visit),
        steps=publishing.STEPS,
        shown=shown,
        since=changed_batches.since_the_former(visit, publishing.seen(visit, number)),
        can_be_made_anew=changed_batches.can_be_made_anew(visit, shown.line),
        can_be_changed=changed_batches.can_be_changed(visit, shown.line.file),
        said=said,
        faults=faults,
        reasons={name: reasons.get(name, "") for name in ("effective_on", "reason")},
        given={
            "effective_on": given.get("effective_on", shown.first.isoformat()),
            "reason": given.get("reason", ""),
        },
    )


@doors.post("/admin/definitions/proposals/{number}/submit", to=Audience.SYSTEM_ADMIN)
def submit_proposal(visit: Visit, number: int) -> Response:
    """Submit it for approval by somebody else."""
    try:
        publishing.submit(visit, number)
    except FieldFaults as problem:
        return _proposal(visit, number, problem=problem)
    return visit.go(f"{publishing.address_of(number)}?said=submitted")


@doors.post("/admin/definitions/proposals/{number}/approve", to=Audience.SYSTEM_ADMIN)
def approve_proposal(visit: Visit, number: int) -> Response:
    """Publish what somebody else proposed."""
    try:
        publishing.approve(visit, number)
    except FieldFaults as problem:
        return _proposal(visit, number, problem=problem)
    return visit.go(f"{publishing.address_of(number)}?said=approved")


@doors.post("/admin/definitions/proposals/{number}/refuse", to=Audience.SYSTEM_ADMIN)
def refuse_proposal(visit: Visit, number: int) -> Response:
    """Say no to what somebody else proposed."""
    try:
        publishing.refuse(visit, number)
    except FieldFaults as problem:
        return _proposal(visit, number, problem=problem)
    return visit.go(f"{publishing.address_of(number)}?said=refused")


@doors.post("/admin/definitions/proposals/{number}/withdraw", to=Audience.SYSTEM_ADMIN)
def withdraw_proposal(visit: Visit, number: int) -> Response:
    """Take one's own back."""
    publishing.withdraw(visit, number)
    return visit.go(f"{ADDRESS}?said=withdrawn")


@doors.get("/admin/definitions/{name}", to=Audience.SYSTEM_ADMIN)
def definition(visit: Visit, name: str, profile: str = "") -> Response:
    """One file: picture, rules, versions, text."""
    return visit.page("definitions/definition.html", tabs=tabs(visit), shown=reading.read(visit, name, profile))


@doors.get("/admin/calendars", to=Audience.SYSTEM_ADMIN)
def admin_calendars(visit: Visit, year: int = 0) -> Response:
    """A year at a glance."""
    return _year(visit, min(max(year or visit.today.year, _FIRST_YEAR), _LAST_YEAR))


def _year(visit: Visit, year: int) -> Response:
    shown = calendars.year_of(visit, year)
    return visit.page("definitions/calendar.html", tabs=tabs(visit), shown=shown, weekdays=calendars.WEEKDAYS)


@doors.get("/admin/calendars/{year}", to=Audience.SYSTEM_ADMIN)
def change_year(visit: Visit, year: int) -> Response:
    """A year to be changed."""
    _known(year)
    return _changing(visit, year, editing.text_of_year(visit, year))


def _known(year: int) -> None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise NotFound


def _changing(visit: Visit, year: int, text: str, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    return visit.page(
        "definitions/change_year.html", status=422 if faults else 200, shown=editing.year_form(visit, year, text),
        faults=faults, weekdays=calendars.WEEKDAYS, given=visit.form if faults else {},
        ticked=frozenset(map(str, visit.posted.getlist("day"))) if faults else frozenset(),
    )  # fmt: skip


@doors.post("/admin/calendars/{year}", to=Audience.SYSTEM_ADMIN)
def draft_year(visit: Visit, year: int) -> Response:
    """Set days of the working copy (nothing is kept), or read it as what is to be published."""
    _known(year)
    do = visit.form.get("do", "text")
    try:
        text = editing.changed_year(visit, year) if do in ("set", "check") else ""
        if do == "set":
            return _changing(visit, year, text)
        number = publishing.keep(visit, f"{year}.yaml", text.encode() or _written(visit))
    except FieldFaults as problem:
        return _changing(visit, year, visit.form.get("text", "") + "\n", problem)
    return visit.go(publishing.address_of(number))


@doors.get("/admin/terms", to=Audience.SYSTEM_ADMIN)
def admin_terms(visit: Visit) -> Response:
    """Every term."""
    return _terms(visit)


def _terms(visit: Visit, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    return visit.page(
        "definitions/terms.html", status=422 if faults else 200, tabs=tabs(visit), shown=calendars.terms_of(visit),
        form=editing.terms_form(visit), faults=faults, reasons={one.field: one.reason for one in faults},
    )  # fmt: skip


@doors.post("/admin/terms", to=Audience.SYSTEM_ADMIN)
def draft_terms(visit: Visit) -> Response:
    """Read the terms, as a table or a text, as what is to be published."""
    try:
        is_table = visit.form.get("do") == "check"
        text = editing.changed_terms(visit).encode() if is_table else _written(visit)
        number = publishing.keep(visit, editing.TERMS, text)
    except FieldFaults as problem:
        return _terms(visit, problem)
    return visit.go(publishing.address_of(number))


def _written(visit: Visit) -> bytes:
    """The text of a form: browsers send its lines with carriage returns.

    Raises:
        FieldFaults: If there is none.
    """
    text = visit.form.get("text", "").replace("\r\n", "\n")
    if not text:
        raise FieldFaults([FieldFault("text", visit.say("文件内容"), visit.say("请写内容"))])
    return f"{text}\n".encode()


@doors.get("/admin/batches", to=Audience.BATCHES)
def admin_batches(visit: Visit, said: str = "", opened: int = 0) -> Response:
    """Batches of the files and of the database; saying that a term has begun."""
    return _batches(visit, said=said, opened=opened)


def _batches(visit: Visit, *, said: str = "", opened: int = 0, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    return visit.page(
        "definitions/batches.html", status=422 if faults else 200, lines=batches.lines(visit), said=said,
        opened=opened, faults=faults, term=visit.form.get("term", "") if faults else "", tabs=tabs(visit),
        coming=new_batches.coming(visit), **_parts(visit),
    )  # fmt: skip


@doors.get("/admin/batches/new", to=Audience.SYSTEM_ADMIN)
def new_batch(visit: Visit, like: str = "", draft: int = 0, kind: str = "", profile: str = "") -> Response:
    """Choose what a new batch begins with; then, after a pattern, an own draft or of a kind, its form."""
    if like:
        return _new_batch(visit, new_batches.form_like(visit, like))
    if draft:
        return _new_batch(visit, new_batches.form_of_draft(visit, draft))
    if kind:
        return _new_batch(visit, new_batches.empty_form(visit, kind, profile))
    return _choosing_batch(visit)


@doors.get("/admin/batches/again/{number}", to=Audience.SYSTEM_ADMIN)
def batch_again(visit: Visit, number: int) -> Response:
    """The form of a batch that nobody approved, to be proposed anew."""
    return _new_batch(visit, changed_batches.form_again(visit, number))


@doors.get("/admin/batches/{name}/change", to=Audience.SYSTEM_ADMIN)
def change_batch(visit: Visit, name: str) -> Response:
    """The form of a batch that is not published, to be proposed otherwise."""
    return _new_batch(visit, changed_batches.form_of_batch(visit, name))


def _choosing_batch(visit: Visit, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    return visit.page(
        "definitions/choose_batch.html", status=422 if faults else 200, shown=new_batches.choosing(visit), faults=faults
    )


def _new_batch(visit: Visit, form: new_batches.Form, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    return visit.page(
        "definitions/new_batch.html", status=422 if faults else 200, form=form, faults=faults,
        reasons={one.field: one.reason for one in faults},
    )  # fmt: skip


@doors.post("/admin/batches/new", to=Audience.SYSTEM_ADMIN)
def draft_batch(visit: Visit) -> Response:
    """Read the form as the batch that is to be published by two."""
    try:
        number = new_batches.hand_in(visit)
    except FieldFaults as problem:
        if any(one.field == "kind" for one in problem.faults):
            return _choosing_batch(visit, problem)
        return _new_batch(visit, new_batches.form_as_sent(visit, problem), problem)
    return visit.go(publishing.address_of(number))


@doors.post("/admin/batches/term", to=Audience.RECORDS)
def begin_term(visit: Visit) -> Response:
    """Say that a term has begun."""
    try:
        done = batches.begin_term(visit)
    except FieldFaults as problem:
        return _batches(visit, problem=problem)
    return visit.go(f"{batches.ADDRESS}?said=term&opened={done.opened}")


@doors.get("/admin/batches/{name}", to=Audience.BATCHES)
def admin_batch(visit: Visit, name: str, said: str = "") -> Response:
    """One batch with its values."""
    return _batch(visit, batches.batch(visit, name), said=said)


def _batch(
    visit: Visit, shown: batches.Batch, *, said: str = "", problem: FieldFaults | None = None,
    preview: batches.Preview | None = None,
) -> Response:  # fmt: skip
    faults = () if problem is None else problem.faults
    return visit.page(
        "definitions/batch.html", status=422 if faults else 200, shown=shown, said=said, faults=faults,
        preview=preview, can_be_changed=new_batches.newest_of(visit, shown.line.name) is not None, **_parts(visit),
    )  # fmt: skip


def _parts(visit: Visit) -> dict[str, Any]:
    """What the visitor has to do with batches: bring them in, or publish them."""
    system, records = Audience.SYSTEM_ADMIN.admits(visit.actor), Audience.RECORDS.admits(visit.actor)
    return {"brings_in": system, "publishes": records}


@doors.post("/admin/batches/{name}/publish", to=Audience.RECORDS)
def publish_batch(visit: Visit, name: str) -> Response:
    """Publish a batch; first what it would open, then, confirmed, doing it."""
    shown = batches.batch(visit, name)
    if visit.form.get("confirmed") != "yes" and not shown.line.is_published:
        opens = batches.try_publishing(visit, name)
        return visit.page("definitions/publish_batch.html", shown=shown, opens=opens)
    batches.publish(visit, name)
    return visit.go(f"{shown.address}?said=published")


@doors.post("/admin/batches/{name}/set", to=Audience.RECORDS)
def set_batch(visit: Visit, name: str) -> Response:
    """Set dates of a batch; first what would move, then, confirmed, doing it."""
    shown = batches.batch(visit, name)
    try:
        if visit.form.get("confirmed") != "yes":
            return _batch(visit, shown, preview=batches.try_setting(visit, shown))
        batches.set_values(visit, shown)
    except FieldFaults as problem:
        again = batches.batch(visit, name, {one.field: one.reason for one in problem.faults})
        return _batch(visit, again, problem=problem)
    return visit.go(f"{shown.address}?said=set")
