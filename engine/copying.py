"""Copying (抄送): who works on a case shows it to colleagues, with a few words if they like; nothing is decided by it.

Rule 1: a copy is no right: who may not know of the case is not told of it, neither now nor when the mail leaves.
Rule 2: each colleague is told of one case once on a day of Shanghai, whoever sends it.
Rule 3: the revision stays, and what is written is sealed, as with a comment (`engine.commenting`).
Rule 4: a copy is between colleagues: the case's student neither sends nor gets one.

A repeated click is no second copy.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

import orjson

from engine.actors import Actor
from engine.attaching import part_in
from engine.barring import Hearing, hear, on_clock, refusal
from engine.casework import as_seen, record_barred
from engine.delegating import Refusal, event_of, keep_refusal, refused_data
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, Unreadable, nearest
from engine.expressions.kinds import SHANGHAI
from engine.keeping import write_event
from engine.pinyin import order_key
from engine.records import Case, Json, Repeated, Request, Verdict
from engine.repeating import once
from engine.sight import Seeing
from engine.store import colleagues, registry
from engine.store.cases import Sealed, extend, hold_case, write_told
from engine.store.colleagues import Colleague
from engine.store.people import PERSON
from engine.store.waiting import places_of
from engine.trail.chain import commitment
from engine.trail.event import EventKind, canonical, moment
from engine.visibility import Visible, scopes_of

COPY = "copy"
"""What it is called in the trail as an act."""
COPIED = "copied"
"""The message told to those who get one."""
LONGEST = 200
"""Characters of what is written with it."""
_NO_COLLEAGUES = frozenset({"student", "third_party", "auditor"})
"""Roles that know of cases and are nobody's colleagues: who it is about, who asks from outside, who looks on."""
_CONCERNED = "参与该业务的同事 a colleague with a part in it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody to whom a copy may go: roles held around the case, the nearest unit, and `against`, why not today."""

    login: str
    name: str
    roles: tuple[str, ...]
    unit: str
    against: Refusal


def send_copy(desk: Desk, case: int, to: Sequence[str], note: str, request: Request) -> Refusal | Repeated:
    """Show a case to colleagues, all of them or nobody.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        to: The logins of the colleagues.
        note: What is written with it, 200 characters at most; may be empty.
        request: By whom and when; under the id of one that came before nothing is sent again.

    Returns:
        Every reason why not, kept in the case's chain; empty when it is sent; or the first answer.

    Raises:
        Unreadable: If the note is no text.
        Unknown: If there is no such case.
        NotAllowed: If the person takes no part in such cases as a member of staff; the case keeps that it was asked.
        StaleCase: If the case has changed since it was seen, or its chain has grown meanwhile.
    """
    said = unicodedata.normalize("NFC", note.strip())
    if any("\ud800" <= letter <= "\udfff" for letter in said):
        raise Unreadable("附言 note", ascii(note[:LONGEST]), "文字 text")
    try:
        return once(desk, COPY, request, lambda asked: _send(desk, case, (tuple(dict.fromkeys(to)), said), asked))
    except NotAllowed as problem:  # what was begun is taken back, so that this is kept by itself
        record_barred(desk, case, request, problem)
        raise


def readers(desk: Desk, case: int, request: Request) -> tuple[Reader, ...]:
    """To whom a copy may go, the nearest unit first, then by 姓名拼音; who was told today says when again.

    Raises:
        Unknown: If there is no such case.
        StaleCase: If it has changed since it was seen.
    """
    desk.refresh()
    hearing = hear(desk, case, request)
    sight, told = _Sight(desk, hearing.case, request.at), _told_today(hearing)
    everybody = colleagues.around(desk.connection, [hearing.case.path, *(path for _, path in sight.places)])
    found = [one for one in everybody if not tuple(_barred(hearing, one, sight))]
    return tuple(
        sorted(
            (_reader(hearing, one, tuple(_again(hearing, one, told))) for one in found),
            key=lambda one: (-len(desk.units()[one.unit].path), one.unit, order_key(one.name), one.login),
        )
    )


def may_read(desk: Desk, case: Case, login: str, at: datetime) -> bool:
    """Whether a copy of a case is still for somebody: a colleague who may sign in and know of it."""
    found = colleagues.by_login(desk.connection, [login]).get(login)
    return found is not None and not found.is_closed and _Sight(desk, case, at).is_for(found)


class _Sight:
    """Who may know of one case as a member of staff."""

    def __init__(self, desk: Desk, case: Case, at: datetime) -> None:
        self._desk, self._case, self._at = desk, case, at
        self.places = places_of(desk.connection, case.id)

    def is_for(self, one: Colleague) -> bool:
        """Whether somebody may know of it, not as its student."""
        if one.actor.is_student(self._case.student):
            return False
        scopes = scopes_of(_at_work(one.actor), self._desk.workflows_by_role(), self._at)
        return Visible(scopes=scopes, waits_at=lambda _: self.places).sees(self._case)


def _at_work(actor: Actor) -> Actor:
    """A person with the rights of a member of staff alone."""
    return replace(
        actor,
        grants=tuple(one for one in actor.grants if one.role not in _NO_COLLEAGUES),
        delegated=tuple(one for one in actor.delegated if one.role not in _NO_COLLEAGUES),
        student=None,
    )


def _send(desk: Desk, case: int, what: tuple[tuple[str, ...], str], request: Request) -> Refusal:
    (to, said), connection = what, desk.connection
    with connection.writing():
        hold_case(connection, case)
        found = as_seen(desk, case, request)
        machine = desk.machine_for(found.case, {})
        hearing = Hearing(desk, machine, found.case, request)
        asked = replace(request, actor=_at_work(request.actor))
        if request.actor.is_student(found.case.student):
            raise NotAllowed(request.actor.login, request.trigger, (_CONCERNED,), found.case.unit)
        grant = part_in(machine, found.case, asked, request.trigger, Seeing(desk, machine, found, asked))
        people = colleagues.by_login(connection, to)
        if refused := tuple(_against(hearing, (to, said), people)):
            keep_refusal(
                hearing, {**refused_data(request, refused), "colleagues": [one for one in to if one in people]}
            )
            return refused
        data: dict[str, Json] = {"trigger": request.trigger, "colleagues": list(to)}
        sealed = Sealed(salt=desk.salt(), body=canonical({"text": said})) if said else None
        if sealed is not None:
            data["sealed"] = commitment(sealed.salt, sealed.body)
        event = {**event_of(request, data), "role": grant.role, "unit": grant.unit}
        written = write_event(desk, machine, found.case, EventKind.COPIED, event)
        if not extend(connection, found.case, written, sealed):
            raise StaleCase(found.case.number, found.case.revision)
        write_told(connection, [(written, [(f"{PERSON}{one}", COPIED) for one in to], None)])
    return ()


def _against(hearing: Hearing, what: tuple[Sequence[str], str], people: dict[str, Colleague]) -> Iterator[Verdict]:
    """Everything that stands against a copy: what is missing, then person by person, in the order given."""
    (to, said), desk = what, hearing.desk
    if not to:
        yield refusal(desk, "asked-missing", field="抄送给谁 Copy to")
    if len(said) > LONGEST:
        yield refusal(desk, "note-too-long", limit=str(LONGEST), many=str(len(said)))
    sight, told = _Sight(desk, hearing.case, hearing.request.at), _told_today(hearing)
    for login in to:
        one = people.get(login)
        if one is None:
            yield refusal(desk, "no-such-taker", who=login, hint=nearest(login, registry.logins(desk.connection)))
        else:
            yield from _barred(hearing, one, sight)
            yield from _again(hearing, one, told)


def _barred(hearing: Hearing, one: Colleague, sight: _Sight) -> Iterator[Verdict]:
    """What stands against a person on any day."""
    desk = hearing.desk
    if one.actor.login == hearing.request.actor.login:
        yield refusal(desk, "copy-oneself")
    elif one.actor.is_student(hearing.case.student):
        yield refusal(desk, "copy-to-student", who=one.said)
    elif not sight.is_for(one):
        yield refusal(desk, "copy-unseen", who=one.said)
    if one.is_closed:
        yield refusal(desk, "copy-closed", who=one.said)


def _again(hearing: Hearing, one: Colleague, told: frozenset[str]) -> Iterator[Verdict]:
    if one.actor.login in told:
        day = hearing.request.at.astimezone(SHANGHAI).date() + timedelta(days=1)
        again = datetime.combine(day, time(), SHANGHAI)
        yield refusal(hearing.desk, "copied-already", who=one.said, again=on_clock(again))


def _told_today(hearing: Hearing) -> frozenset[str]:
    """The logins of those who were told of the case today already."""
    rows = hearing.desk.connection.execute("SELECT body FROM event WHERE chain = ?", (hearing.case.id,)).fetchall()
    events = (orjson.loads(bytes(row[0])) for row in rows)
    today = hearing.request.at.astimezone(SHANGHAI).date()
    return frozenset(
        login
        for one in events
        if one["kind"] == EventKind.COPIED and datetime.fromisoformat(one["at"]).astimezone(SHANGHAI).date() == today
        for login in one["data"]["colleagues"]
    )


def _reader(hearing: Hearing, one: Colleague, against: Refusal) -> Reader:
    actor = _at_work(one.actor)
    lent = (right for right in actor.lent_at(moment(hearing.request.at)) if right.case in (None, hearing.case.id))
    held = sorted((*actor.grants, *lent), key=lambda right: -len(right.path))
    return Reader(
        login=one.actor.login,
        name=one.name or one.actor.login,
        roles=tuple(dict.fromkeys(right.role for right in held)),
        unit=held[0].unit,
        against=against,
    )
