"""Absences that somebody else tells: a colleague who falls ill is away, whoever else holds the role does the work.

Whoever looks after people where the person works tells, changes and ends them. The person is told each time, and may
end them too. An act about somebody else is an event of the registry; what one says of oneself is in no event.

Rule: an absence takes nobody's role and gives nobody one; who is to act meanwhile is given a role, or is lent one by
whoever holds it. What is over is left as it was.

Source: the definition language, section 6; requirements.md, 4.2.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from engine.actors import Actor
from engine.barring import refusal
from engine.delegating import LOOKS_AFTER_PEOPLE, Refusal, event_of, refused_data
from engine.desk import Desk
from engine.errors import NotAllowed, Unknown, Unreadable, XuejiError
from engine.expressions.kinds import SHANGHAI, TEXT
from engine.records import Json, Request, Verdict
from engine.step import check_value
from engine.store import absences, colleagues, registry
from engine.store.absences import AbsenceRow
from engine.store.cases import write_told
from engine.store.people import PERSON
from engine.trail.event import EventKind, moment

TOLD = "absence"
"""The message to whom it is told of, and its name as an act."""
AWAY, BACK, WAS = "away", "back", "was"
"""In the event: the days somebody is away, or is not away any more; and what the days were before they were changed."""
LONGEST = timedelta(days=366)
"""How far ahead an absence may last."""
AGO = timedelta(days=14)
"""How long ago one may have begun that is told now."""
LONGEST_REASON = 200
"""Of the reason, in characters."""
_NO_TEXT = ("Cc", "Cs")
"""Controls, line breaks among them, and halves of characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Who is away from when to when, both days included, and why that is said.

    The reason is one line of clear text in the trail, and the person reads it.
    """

    login: str
    first: date
    last: date
    reason: str


class AbsenceChanged(XuejiError):
    """An absence is not as it was when it was read to be changed: somebody else has changed it; nothing was done."""

    def __init__(self, row: AbsenceRow) -> None:
        self.row = row
        by = row.told_by or "—"
        super().__init__(
            f"这段不在岗刚由 {by} 改过，现为 {row.first} 至 {row.last}；您的改动没有保存，请看过再改。"
            f" {by} has changed this absence meanwhile: {row.first} to {row.last} now. Nothing was kept; look again."
        )


class AccountClosed(XuejiError):
    """Whose account is closed is expected nowhere."""

    def __init__(self, login: str) -> None:
        super().__init__(
            f"{login} 的账号已停用，不用登记不在岗。The account of {login} is closed; there is no absence to tell."
        )


def tell(desk: Desk, away: Away, request: Request) -> Refusal:
    """Keep that somebody else is away.

    Args:
        desk: Where cases are worked.
        away: Who, when and why.
        request: By whom, when.

    Returns:
        Every reason why not, kept in the registry's chain; empty when it is done.

    Raises:
        Unknown: If there is no such account.
        Unreadable: If the days are in the wrong order, over, began more than `AGO` or end more than a year ahead, or
            the reason is too long, no single line, or not in NFC.
        NotAllowed: If the person looks after nobody where the other works, or it is the own absence.
        AccountClosed: If the other is kept out.
    """
    return _keep(desk, away, None, request)


def change(desk: Desk, number: int, away: Away, seen: datetime | None, request: Request) -> Refusal:
    """Say otherwise when somebody else is away, and why.

    Args:
        desk: Where cases are worked.
        number: Which absence.
        away: Who, when and why.
        seen: When it was told, as whoever changes it has read; None where the person said it.
        request: By whom, when.

    Returns:
        Every reason why not, kept in the registry's chain; empty when it is done.

    Raises:
        Unknown: If there is no such absence, it is over, or it is another's.
        AbsenceChanged: If it was told anew since.
        Unreadable: As `tell`; a first day that was kept may stay.
        NotAllowed: As `tell`.
        AccountClosed: As `tell`.
    """
    return _keep(desk, away, (number, seen), request)


def end(desk: Desk, number: int, request: Request) -> bool:
    """Somebody is not away any more, or will not be; False where it is over, which stays as it is.

    Raises:
        Unknown: If there is no such absence.
        NotAllowed: If it is another's whom the person does not look after.
        AccountClosed: If it is another's who is kept out.
    """
    desk.refresh()
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else changes what people may do waits here
        row = absences.absence(desk.connection, number)
        if row is None:
            raise Unknown("不在岗 absence", str(number))
        is_own = row.login == request.actor.login
        if not is_own:
            looked_after(desk, row.login, request)
        if row.last < _today(request):
            return False
        absences.end(desk.connection, row.id)
        if row.told_by is not None or not is_own:
            _record(desk, row.login, {BACK: _days(row.first, row.last)}, request)
        return True


def end_now(desk: Desk, login: str, request: Request) -> int:
    """Somebody is back: whatever keeps them away today ends, whoever told it; how many that were.

    Raises:
        NotAllowed: As `end`.
        AccountClosed: As `end`.
    """
    today = _today(request)
    with desk.connection.writing():
        rows = absences.of_person(desk.connection, login)
        return sum(end(desk, row.id, replace(request, id=None)) for row in rows if row.first <= today <= row.last)


def earliest(today: date, was: AbsenceRow | None) -> date:
    """The earliest first day of an absence that is told today, or of one that is changed."""
    return today - AGO if was is None else min(was.first, today - AGO)


def looked_after(desk: Desk, login: str, request: Request) -> Actor:
    """Somebody whose absence a person may tell: a colleague who works at a unit whose people they look after.

    Raises:
        Unknown: If there is no such account.
        NotAllowed: If they look after nobody where the other works, or it is their own account.
        AccountClosed: If the other is kept out.
    """
    known = colleagues.by_login(desk.connection, [login]).get(login)
    if known is None:
        raise Unknown("用户 user", login, registry.logins(desk.connection))
    absent = known.actor
    is_there = any(_looks_after(request.actor, one.path, request.at) for one in absent.grants)
    if not is_there or login == request.actor.login:
        where = "、".join(dict.fromkeys(one.unit for one in absent.grants)) or "—"
        raise NotAllowed(request.actor.login, TOLD, (LOOKS_AFTER_PEOPLE,), where)
    if known.is_closed:
        raise AccountClosed(login)
    return absent


def _looks_after(actor: Actor, path: str, at: datetime) -> bool:
    lent = (one for one in actor.lent_at(moment(at)) if one.case is None)
    return any(one.role == LOOKS_AFTER_PEOPLE and path.startswith(one.path) for one in (*actor.grants, *lent))


def _keep(desk: Desk, away: Away, changed: tuple[int, datetime | None] | None, request: Request) -> Refusal:
    desk.refresh()
    _check_reason(away.reason)
    with desk.connection.writing():
        registry.registry_head(desk.connection)
        looked_after(desk, away.login, request)
        was = None if changed is None else _as_seen(desk, away.login, changed, request)
        _check_days(away, was, _today(request))
        refused = tuple(_against(desk, away, was))
        if refused:
            _record_refused(desk, away, refused, request)
            return refused
        row = AbsenceRow(
            id=0 if was is None else was.id, login=away.login, first=away.first, last=away.last,
            told_by=request.actor.login, told_at=request.at, reason=away.reason,
        )  # fmt: skip
        before: dict[str, Json] = {} if was is None else {WAS: _days(was.first, was.last)}
        if was is None:
            absences.add(desk.connection, row)
        else:
            absences.change(desk.connection, row)
        _record(desk, away.login, {AWAY: _days(away.first, away.last), **before, "why": away.reason}, request)
    return ()


def _as_seen(desk: Desk, login: str, changed: tuple[int, datetime | None], request: Request) -> AbsenceRow:
    """The absence that is to be changed, as whoever changes it has read it."""
    number, seen = changed
    row = absences.absence(desk.connection, number)
    if row is None or row.login != login or row.last < _today(request):
        raise Unknown("不在岗 absence", str(number))
    if row.told_at != seen:
        raise AbsenceChanged(row)
    return row


def _check_reason(reason: str) -> None:
    check_value("reason", TEXT, reason)
    if len(reason) > LONGEST_REASON:
        expected = f"不超过 {LONGEST_REASON} 字 at most {LONGEST_REASON} characters"
        raise Unreadable("reason", f"{reason[:20]}…", expected)
    if any(unicodedata.category(one) in _NO_TEXT for one in reason):
        raise Unreadable(
            "reason", " ".join(reason.split()), "一行文字，没有控制字符 one line without control characters"
        )


def _check_days(away: Away, was: AbsenceRow | None, today: date) -> None:
    start = earliest(today, was)
    if away.first < start:
        raise Unreadable("FROM", away.first.isoformat(), f"{start} 或以后 or later")
    if away.last < away.first:
        raise Unreadable("TO", away.last.isoformat(), f"不早于 {away.first} not before it")
    if not today <= away.last <= today + LONGEST:
        raise Unreadable("TO", away.last.isoformat(), f"{today} 起一年以内 within a year from it")


def _against(desk: Desk, away: Away, was: AbsenceRow | None) -> Iterator[Verdict]:
    """Everything that stands against an absence: what is missing, and every one that it would lie across."""
    if not away.reason.strip():
        yield refusal(desk, "asked-missing", field="理由 Reason")
    across = [
        one
        for one in absences.of_person(desk.connection, away.login)
        if (was is None or one.id != was.id) and one.first <= away.last and away.first <= one.last
    ]
    known = colleagues.by_login(desk.connection, sorted({away.login, *(one.told_by or away.login for one in across)}))
    for one in across:
        words = {"who": known[away.login].said, "teller": known[one.told_by or away.login].said}
        yield refusal(desk, "away-already", first=str(one.first), last=str(one.last), **words)


def _record(desk: Desk, login: str, what: Mapping[str, Json], request: Request) -> None:
    """Write the event, and tell the person whose absence it is, if somebody else did it."""
    [written] = desk.record_events([(EventKind.ACCOUNT_CHANGED, event_of(request, {"login": login, **what}))])
    if login != request.actor.login:
        write_told(desk.connection, [(written, ((f"{PERSON}{login}", TOLD),), None)])


def _record_refused(desk: Desk, away: Away, refused: Refusal, request: Request) -> None:
    told: dict[str, Json] = {"login": away.login, AWAY: _days(away.first, away.last), "why": away.reason}
    desk.record_events([(EventKind.REFUSED, event_of(request, {**refused_data(request, refused), "asked": told}))])


def _today(request: Request) -> date:
    return request.at.astimezone(SHANGHAI).date()


def _days(first: date, last: date) -> dict[str, Json]:
    return {"from": first.isoformat(), "to": last.isoformat()}
