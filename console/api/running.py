"""How the system runs, for programs: health, mails that are a question, what was changed, who looked at what."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path

from console.access.programs import Scope
from console.api.answers import Words
from console.api.answers_auditing import ChangesOut
from console.api.answers_running import (
    LookOut,
    LooksIn,
    LooksOut,
    MailOut,
    OutboxOut,
    PartOut,
    ReasonIn,
    SettledOut,
    TakenOut,
    WhoseIn,
)
from console.api.auditing import changes_at
from console.api.doors import ApiDoors, Call, Workbook
from console.api.errands import Before, Number, errand
from console.api.routes import Key
from console.web.admin import access, outbox
from console.web.admin.access import About
from console.web.admin.frame import demand
from console.web.admin.health import parts
from console.web.audiences import Audience
from engine.errors import Unknown
from engine.records import case_number
from engine.store import mails, registry, students

doors = ApiDoors()
State = Literal["unknown", "returned", "failed", "waiting", "accepted", "dropped"]
Verdict = Annotated[Literal["received", "resend"], Path()]


@doors.door("GET", "/admin/health", scope=Scope.READ, to=Audience.ADMIN)
def health(call: Call) -> list[PartOut]:
    """How each part of the machinery stands, and what to do; not for who looks after people."""
    zh, en = (errand(call, lang) for lang in ("zh", "en"))
    demand(zh, "/admin/health")
    return [
        PartOut(
            name=Words(zh=one.name, en=other.name),
            health=one.health.value,
            sentence=Words(zh=one.sentence, en=other.sentence),
            remedy=Words(zh=one.remedy, en=other.remedy) if one.remedy else None,
        )
        for one, other in zip(parts(zh), parts(en), strict=True)
    ]


@doors.door("GET", "/admin/outbox", scope=Scope.READ, to=Audience.SYSTEM_ADMIN)
def sent(call: Call, state: State = "unknown", before: Before = None) -> OutboxOut:
    """Mails in a state, the newest first; no address is told, and no student named.

    `returned` are those that failed at an address which the mail system refuses, `failed` the others.
    """
    box = outbox.outbox(errand(call), state, before)
    return OutboxOut(
        mails=[MailOut(**{**one._asdict(), "changed_at": one.changed_at.isoformat()}) for one in box.lines],
        next=box.lines[-1].number if box.following else None,
    )


@doors.door("POST", "/admin/outbox/{number}/{verdict}", scope=Scope.ADMIN, to=Audience.SYSTEM_ADMIN)
def settle(call: Call, number: Number, verdict: Verdict, how: ReasonIn, _key: Key) -> SettledOut:
    """Say of a mail that it has arrived, or is to be sent again, and how one knows; what was said first counts."""
    outbox.settle(errand(call, reason=how.reason), number, verdict)
    row = mails.mail(call.desk.connection, number)
    return SettledOut(number=number, state="dropped" if row is None else row.state)


@doors.door("GET", "/admin/changes", scope=Scope.READ, to=Audience.ADMIN)
def changed(call: Call, before: Before = None) -> ChangesOut:
    """What was changed of people, accounts, tokens and units one looks after, or whose administration one audits."""
    visit = errand(call)
    demand(visit, "/admin/changes")
    return changes_at(call, access.own_paths(visit), before)


@doors.door("POST", "/admin/access", scope=Scope.READ, to=Audience.ADMIN)
def looks(call: Call, wanted: LooksIn) -> LooksOut:
    """Who looked at what, by person or by student, the newest first; the student's number stands in no address."""
    visit = errand(call)
    demand(visit, "/admin/access")
    about = _about(call, wanted)
    report = access.report(visit, about, wanted.before)
    taken = access.taken(visit, about, wanted.taken_before) if about.who else None
    return LooksOut(
        looks=[
            LookOut(
                at=one.at.isoformat(), login=one.login, number=one.number, workflow=one.workflow, unit=one.unit,
                what=one.what,
            )
            for one in report.lines
        ],
        next=report.before,
        taken=[
            TakenOut(seq=one.seq, at=one.at.isoformat(), login=one.login, unit=one.unit, what=one.what, many=one.many)
            for one in (taken.lines if taken else ())
        ],
        taken_next=taken.before if taken else None,
    )  # fmt: skip


@doors.door("POST", "/admin/access/export", scope=Scope.READ, to=Audience.ADMIN, answers=Workbook, proof=True)
def take_looks_out(call: Call, wanted: WhoseIn) -> Workbook:
    """The whole report as a workbook; each time it is taken out is an event."""
    demand(errand(call), "/admin/access")
    return Workbook(access.workbook(errand(call, **_about(call, wanted).query)))


def _about(call: Call, wanted: WhoseIn) -> About:
    """Whose looks are meant.

    Raises:
        Unknown: If nobody has that login or number.
    """
    connection = call.desk.connection
    if wanted.who:
        if wanted.who not in registry.logins(connection):
            raise Unknown("用户 login", wanted.who)
        return About(who=wanted.who)
    row = students.student(connection, wanted.student_no)
    if row is None:
        raise Unknown("学号 student number", wanted.student_no)
    return About(student=case_number(row.id))
