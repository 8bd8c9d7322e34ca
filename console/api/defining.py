"""Definitions, calendars and batches for programs: read, proposed by one and approved by another, values set."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from console.access.programs import Scope
from console.api.answers import Words, words
from console.api.answers_running import (
    BatchFieldOut,
    BatchLineOut,
    BatchValuesOut,
    ChangeOut,
    DayOut,
    DefinitionOut,
    DefinitionsOut,
    DraftIn,
    LineOut,
    ProcedureOut,
    ProposalLineOut,
    ProposalOut,
    ProposalsOut,
    PublishedOut,
    PublishIn,
    ReasonIn,
    SubmitIn,
    TermIn,
    TermOut,
    TermStartedOut,
    ValuesIn,
    ValuesOut,
    VersionOut,
    YearOut,
)
from console.api.doors import ApiDoors, Call
from console.api.errands import Before, Errand, Number, do_once, errand
from console.api.routes import Key
from console.web.audiences import Audience
from console.web.definitions import batches, calendars, publishing, reading
from console.web.definitions.comparing import Pair
from engine.errors import Unknown
from engine.store import proposals
from engine.store.proposals import Line, Stage

doors = ApiDoors()
SYSTEM = Audience.SYSTEM_ADMIN
_PAGE = 100
FileName = Annotated[str, Path(max_length=80, pattern=r"^[a-z0-9-]+$", description="Of the file, without its ending")]
BatchName = Annotated[str, Path(max_length=40, pattern=r"^[0-9A-Za-z._-]+$")]
_HAS_COME = {
    "submit": (Stage.PROPOSED, Stage.APPROVED, Stage.REFUSED),
    "approve": (Stage.APPROVED,),
    "refuse": (Stage.REFUSED,),
    "withdraw": (Stage.WITHDRAWN,),
}
"""Where a proposal stands once an act was done: asked again, it is answered as it stands."""


@doors.door("GET", "/admin/definitions", scope=Scope.READ, to=SYSTEM)
def every_definition(call: Call) -> DefinitionsOut:
    """Which definitions and files of rules there are."""
    shown = reading.overview(errand(call))
    return DefinitionsOut(
        procedures=[
            ProcedureOut(
                name=one.name, title=words(one.title), procedure=one.procedure, versions=list(one.versions),
                profiles=one.profiles, open=one.open,
            )
            for one in shown.procedures
        ],
        rules=list(shown.rules),
    )  # fmt: skip


@doors.door("GET", "/admin/proposals", scope=Scope.READ, to=SYSTEM)
def every_proposal(call: Call, before: Before = None) -> ProposalsOut:
    """What was proposed, by whomever, and one's own drafts, the newest first."""
    connection = call.desk.connection
    found = [*proposals.lines(connection), *proposals.drafts_of(connection, call.actor.login)]
    newest = sorted(found, key=lambda one: one.number, reverse=True)
    left = [one for one in newest if before is None or one.number < before]
    following = left[_PAGE - 1].number if len(left) > _PAGE else None
    return ProposalsOut(proposals=[_short(one) for one in left[:_PAGE]], next=following)


def _short(one: Line) -> ProposalLineOut:
    return ProposalLineOut.model_validate(_line(one))


def _line(one: Line) -> dict[str, object]:
    return {**one._asdict(), "stage": one.stage.value}


@doors.door("GET", "/admin/definitions/{name}", scope=Scope.READ, to=SYSTEM)
def one_definition(call: Call, name: FileName) -> DefinitionOut:
    """One file: its text as it is in force, its versions, what was proposed."""
    shown = reading.read(errand(call), name, "")
    return DefinitionOut(
        name=shown.name,
        file=shown.file,
        title=words(shown.title),
        text="\n".join(shown.lines) + "\n",
        versions=[
            VersionOut(
                profile=one.profile, version=one.version, hash=one.hash, open=one.open, is_in_force=one.is_in_force,
                published_at=None if one.publication is None else one.publication.at,
                published_by=None if one.publication is None else one.publication.actor,
            )
            for one in shown.versions
        ],
        proposals=[_short(one) for one in shown.proposals],
        is_overtaken=shown.is_overtaken,
    )  # fmt: skip


@doors.door("POST", "/admin/proposals", scope=Scope.ADMIN, to=SYSTEM, status_code=201)
def draft(call: Call, given: DraftIn, _key: Key) -> ProposalOut:
    """Read a text, keep it as a draft with what was found; the same text is kept once."""
    visit, digest = errand(call), proposals.digest_of("" if given.installed else given.text)
    for one in proposals.drafts_of(visit.desk.connection, visit.login):
        if one.sha256 == digest and given.name in (one.file, one.file.rpartition("/")[2]):
            return _proposal(visit, one.number)
    if given.installed:
        return _proposal(visit, publishing.keep_back(visit, given.name))
    return _proposal(visit, publishing.keep(visit, given.name, given.text.encode()))


@doors.door("GET", "/admin/proposals/{number}", scope=Scope.READ, to=SYSTEM)
def one_proposal(call: Call, number: Number) -> ProposalOut:
    """A proposal: what was found, in what it differs, whom it touches; a draft is its maker's alone."""
    return _proposal(errand(call), number)


def _proposal(visit: Errand, number: int) -> ProposalOut:
    shown = publishing.view(visit, number)
    told = {
        "faults": [str(one) for one in shown.findings.faults],
        "differences": [Words(zh=one.zh, en=one.en) for one in shown.findings.differences],
        "earliest": shown.first.isoformat(),
        "open_cases": shown.impact.open,
        "batches": shown.impact.batches,
        "places": [[_pair(pair) for pair in place] for place in shown.places],
    }
    return ProposalOut.model_validate({**_line(shown.line), **told})


def _pair(pair: Pair) -> LineOut:
    old, new = pair
    return LineOut(
        old_number=None if old is None else old.number,
        old=None if old is None else old.text,
        new_number=None if new is None else new.number,
        new=None if new is None else new.text,
        has_changed=any(one is not None and one.has_changed for one in pair),
    )


@doors.door("POST", "/admin/proposals/{number}/submit", scope=Scope.ADMIN, to=SYSTEM)
def submit(call: Call, number: Number, wanted: SubmitIn, _key: Key) -> ProposalOut:
    """Submit one's draft for approval by somebody else, from a day on."""
    visit = errand(call, effective_on=wanted.effective_on, reason=wanted.reason)
    if not _is_done(visit, number, "submit"):
        publishing.submit(visit, number)
    return _proposal(visit, number)


@doors.door("POST", "/admin/proposals/{number}/approve", scope=Scope.ADMIN, to=SYSTEM, proof=True)
def approve(call: Call, number: Number, _key: Key) -> ProposalOut:
    """Publish what somebody else proposed; never one's own."""
    visit = errand(call)
    if not _is_done(visit, number, "approve"):
        publishing.approve(visit, number)
    return _proposal(visit, number)


@doors.door("POST", "/admin/proposals/{number}/refuse", scope=Scope.ADMIN, to=SYSTEM)
def refuse(call: Call, number: Number, why: ReasonIn, _key: Key) -> ProposalOut:
    """Say no to what somebody else proposed, and why."""
    visit = errand(call, reason=why.reason)
    if not _is_done(visit, number, "refuse"):
        publishing.refuse(visit, number)
    return _proposal(visit, number)


@doors.door("POST", "/admin/proposals/{number}/withdraw", scope=Scope.ADMIN, to=SYSTEM)
def withdraw(call: Call, number: Number, _key: Key) -> ProposalOut:
    """Take one's own back."""
    visit = errand(call)
    if not _is_done(visit, number, "withdraw"):
        publishing.withdraw(visit, number)
    return _proposal(visit, number)


def _is_done(visit: Errand, number: int, act: str) -> bool:
    """Whether this person has done so already: proposals keep what they have come to, and no key."""
    one = proposals.proposal(visit.desk.connection, number)
    if one is None or one.line.stage not in _HAS_COME[act]:
        return False
    return visit.login == (one.line.made_by if act in ("submit", "withdraw") else one.line.decided_by)


@doors.door("GET", "/admin/calendars/{year}", scope=Scope.READ, to=SYSTEM)
def year(call: Call, year: Annotated[int, Path(ge=2000, le=2099)]) -> YearOut:
    """A year of the calendar in force: days off, days made up, working days of each month."""
    shown = calendars.year_of(errand(call), year)
    days = [day for month in shown.months for week in month.weeks for day in week if day.kind in ("off", "made-up")]
    return YearOut(
        year=year,
        is_confirmed=shown.is_confirmed,
        years=list(shown.years),
        working_days=[month.working_days for month in shown.months],
        days=[
            DayOut(
                day=one.day.isoformat(), kind="off" if one.kind == "off" else "made-up",
                reason=None if one.reason is None else words(one.reason),
            )
            for one in days
        ],
    )  # fmt: skip


@doors.door("GET", "/admin/terms", scope=Scope.READ, to=SYSTEM)
def terms(call: Call) -> list[TermOut]:
    """Every term: of everybody, then of profiles and units that differ."""
    return [
        TermOut(of=name, term=term, first=dates.first.isoformat(), last=dates.last.isoformat())
        for name, group in calendars.terms_of(errand(call)).groups
        for term, dates in group
    ]


@doors.door("GET", "/admin/batches", scope=Scope.READ, to=Audience.BATCHES)
def every_batch(call: Call) -> list[BatchLineOut]:
    """Batches of the files and of the database, those that are not published first."""
    return [BatchLineOut.model_validate(one._asdict()) for one in batches.lines(errand(call))]


@doors.door("GET", "/admin/batches/{name}", scope=Scope.READ, to=Audience.BATCHES)
def one_batch(call: Call, name: BatchName) -> BatchValuesOut:
    """One batch with its values."""
    return _batch(errand(call), name)


def _batch(visit: Errand, name: str) -> BatchValuesOut:
    shown = batches.batch(visit, name)
    fields = [
        BatchFieldOut(name=one.name, title=one.title, kind=one.kind, value=one.value, can_be_set=one.can_be_set)
        for one in shown.fields
    ]
    told = {"kind": shown.kind, "fields": fields, "checks": list(shown.checks)}
    return BatchValuesOut.model_validate({**shown.line._asdict(), **told})


@doors.door("POST", "/admin/batches/term", scope=Scope.ADMIN, to=Audience.RECORDS)
def begin_term(call: Call, wanted: TermIn, _key: Key) -> TermStartedOut:
    """Say that a term has begun, and open what begins with it; said again, what is missing is opened."""
    done = batches.begin_term(errand(call, term=wanted.term))
    return TermStartedOut(term=done.term, profiles=list(done.profiles), opened=done.opened, not_opened=done.not_opened)


@doors.door("POST", "/admin/batches/{name}/publication", scope=Scope.ADMIN, to=Audience.RECORDS)
def publish(call: Call, name: BatchName, wanted: PublishIn, _key: Key) -> PublishedOut:
    """Publish a batch with what begins with it; a dry run says how many cases that would open."""
    visit = errand(call)
    if batches.batch(visit, name).line.is_published:
        return PublishedOut(dry_run=wanted.dry_run, is_published=True, opened=0)
    opened = batches.try_publishing(visit, name) if wanted.dry_run else batches.publish(visit, name)
    return PublishedOut(dry_run=wanted.dry_run, is_published=not wanted.dry_run, opened=opened)


@doors.door("POST", "/admin/batches/{name}/values", scope=Scope.ADMIN, to=Audience.RECORDS)
def set_values(call: Call, name: BatchName, wanted: ValuesIn, key: Key) -> ValuesOut:
    """Set values of a batch, as long as their dates stay in order; a dry run says what would move."""
    visit = errand(call, **wanted.values)
    shown = batches.batch(visit, name)
    known = [one.name for one in shown.fields if one.can_be_set]
    for one in wanted.values:
        if one not in known:
            raise Unknown("批次的值 value of the batch", one, known)
    if wanted.dry_run:
        preview = batches.try_setting(visit, shown)
        changes = [ChangeOut(title=one.title, old=one.old, new=one.new) for one in preview.changes]
        return ValuesOut(dry_run=True, changes=changes, deadlines=preview.deadlines, batch=_batch(visit, name))
    do_once(call, "api:batch_set", key, lambda: batches.set_values(visit, shown))
    visit.desk.refresh()
    return ValuesOut(dry_run=False, changes=[], deadlines=0, batch=_batch(visit, name))
