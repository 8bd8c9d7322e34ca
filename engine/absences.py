"""Absences that somebody else tells: a colleague who falls ill is away, and whoever is named stands in meanwhile.

Whoever looks after people where the person works tells, changes and ends them. The person is told each time, and may
end them too; who stands in is lent the person's roles there until the last day (委派), and no longer than the absence.
An act about somebody else is an event of the registry; what one says of oneself is in no event.

Rule: an absence is no way to somebody's work: who tells it stands in for nobody, nor does who may not hold the role,
is away too, or works elsewhere (三员分立). What is nobody's to lend stays with the person.

Source: the definition language, section 6; requirements.md, 4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from engine.actors import Actor, Grant
from engine.barring import NOBODYS_TO_LEND, refusal, unfit_terms, without_right
from engine.delegating import (
    LOOKS_AFTER_PEOPLE,
    Mandate,
    Refusal,
    end_loans,
    event_of,
    keep_loan,
    loan_row,
    refused_data,
)
from engine.desk import Desk
from engine.errors import NotAllowed, Unknown, Unreadable
from engine.expressions.functions import end_of_day
from engine.expressions.kinds import SHANGHAI, TEXT
from engine.records import Json, Request, Verdict
from engine.step import check_value
from engine.store import absences, colleagues, registry
from engine.store.absences import AbsenceRow
from engine.store.cases import write_told
from engine.store.delegations import DelegationRow
from engine.store.people import PERSON
from engine.trail.event import EventKind, moment

TOLD = "absence"
"""The message to whom it is told of, and its name as an act."""
AWAY, BACK = "away", "back"
"""In the event: the days somebody is away, or is not away any more."""
LONGEST = timedelta(days=366)
"""How far ahead an absence may last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Who is away from when to when, both days included, why that is said, and who stands in, if anybody does.

    The reason is clear text in the trail, and the person reads it.
    """

    login: str
    first: date
    last: date
    reason: str
    stand_in: str | None = None


def tell(desk: Desk, away: Away, request: Request) -> Refusal:
    """Keep that somebody else is away, and let who is named stand in; all of it or nothing.

    Args:
        desk: Where cases are worked.
        away: Who, when, why, and who stands in.
        request: By whom, when.

    Returns:
        Every reason why not, kept in the registry's chain; empty when it is done.

    Raises:
        Unknown: If there is no such account.
        Unreadable: If the days are in the wrong order, over, or more than a year ahead, or the reason is not in NFC.
        NotAllowed: If the person looks after nobody where the other works, or it is the own absence.
    """
    return _keep(desk, away, None, request)


def change(desk: Desk, number: int, away: Away, request: Request) -> Refusal:
    """Say otherwise when somebody else is away, why, and who stands in; what was lent for it is lent anew.

    Returns:
        Every reason why not, kept in the registry's chain; empty when it is done.

    Raises:
        Unknown: If there is no such absence, or it is another's.
        Unreadable: As `tell`.
        NotAllowed: As `tell`.
    """
    return _keep(desk, away, number, request)


def end(desk: Desk, number: int, request: Request) -> None:
    """Somebody is not away any more, or will not be; who stood in does so no longer.

    Raises:
        Unknown: If there is no such absence.
        NotAllowed: If it is another's whom the person does not look after.
    """
    desk.refresh()
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else changes what people may do waits here
        row = _kept(desk, number)
        is_own = row.login == request.actor.login
        if not is_own:
            looked_after(desk, row.login, request)
        _end_stand_in(desk, row, request)
        absences.end(desk.connection, row.id)
        if row.told_by is not None or not is_own:
            _record(desk, row.login, {BACK: _days(row.first, row.last)}, request)


def end_own(desk: Desk, request: Request) -> None:
    """The person is back: every absence of theirs ends, whoever told it."""
    with desk.connection.writing():
        for row in absences.of_person(desk.connection, request.actor.login):
            end(desk, row.id, replace(request, id=None))


def lendable(absent: Actor, request: Request) -> list[Grant]:
    """The rights of somebody who is away that who tells it can have another exercise."""
    return [
        one
        for one in absent.grants
        if one.role not in NOBODYS_TO_LEND and _looks_after(request.actor, one.path, request.at)
    ]


def looked_after(desk: Desk, login: str, request: Request) -> Actor:
    """Somebody whose absence a person may tell: a colleague who works at a unit whose people they look after.

    Raises:
        Unknown: If there is no such account.
        NotAllowed: If they look after nobody where the other works, or it is their own account.
    """
    absent = registry.actor(desk.connection, login)
    if absent is None:
        raise Unknown("用户 user", login, registry.logins(desk.connection))
    is_there = any(_looks_after(request.actor, one.path, request.at) for one in absent.grants)
    if not is_there or login == request.actor.login:
        where = "、".join(dict.fromkeys(one.unit for one in absent.grants)) or "—"
        raise NotAllowed(request.actor.login, TOLD, (LOOKS_AFTER_PEOPLE,), where)
    return absent


def _looks_after(actor: Actor, path: str, at: datetime) -> bool:
    lent = (one for one in actor.lent_at(moment(at)) if one.case is None)
    return any(one.role == LOOKS_AFTER_PEOPLE and path.startswith(one.path) for one in (*actor.grants, *lent))


def _keep(desk: Desk, away: Away, number: int | None, request: Request) -> Refusal:
    desk.refresh()
    check_value("reason", TEXT, away.reason)
    _check_days(away, request.at)
    with desk.connection.writing():
        registry.registry_head(desk.connection)
        absent = looked_after(desk, away.login, request)
        was = None if number is None else _kept(desk, number)
        if was is not None and was.login != away.login:
            raise Unknown("不在岗 absence", str(number))
        loans = _loans(away, absent, request)
        refused = _each_once(_against(desk, away, was, (absent, loans), request))
        if refused:
            _record_refused(desk, away, refused, request)
            return refused
        row = AbsenceRow(
            id=0 if was is None else was.id, login=away.login, first=away.first, last=away.last,
            told_by=request.actor.login, told_at=request.at, reason=away.reason, stand_in=away.stand_in,
            roles=tuple(sorted({loan.role for loan, _ in loans})),
        )  # fmt: skip
        said: dict[str, Json] = {} if was is None else {"was": _days(was.first, was.last)}
        if was is None:
            absences.add(desk.connection, row)
        else:
            absences.change(desk.connection, row)
            _end_stand_in(desk, was, request)
        data = {AWAY: _days(away.first, away.last), **said, **_standing_in(row), "why": away.reason}
        _record(desk, away.login, data, request)
        for loan, _ in loans:
            keep_loan(desk, loan, replace(request, id=None))
    return ()


def _check_days(away: Away, at: datetime) -> None:
    today = at.astimezone(SHANGHAI).date()
    if away.last < away.first:
        raise Unreadable("TO", away.last.isoformat(), f"不早于 {away.first} not before it")
    if not today <= away.last <= today + LONGEST:
        raise Unreadable("TO", away.last.isoformat(), f"{today} 起一年以内 within a year from it")


def _loans(away: Away, absent: Actor, request: Request) -> list[tuple[DelegationRow, str]]:
    """What whoever stands in is to be lent, each with the path of its unit."""
    if away.stand_in is None:
        return []
    begins = datetime.combine(away.first, time(), SHANGHAI)
    found = []
    for one in lendable(absent, request):
        mandate = Mandate(taker=away.stand_in, role=one.role, reason=away.reason, since=begins)
        found.append((loan_row(mandate, (away.login, one.unit, None), request, end_of_day(away.last)), one.path))
    return found


def _against(
    desk: Desk, away: Away, was: AbsenceRow | None, lent: tuple[Actor, Sequence[tuple[DelegationRow, str]]],
    request: Request,
) -> Iterator[Verdict]:  # fmt: skip
    """Everything that stands against an absence: what is missing, the days, then who is to stand in."""
    absent, loans = lent
    if not away.reason.strip():
        yield refusal(desk, "asked-missing", field="理由 Reason")
    for one in absences.of_person(desk.connection, away.login):
        is_another = was is None or one.id != was.id
        if is_another and one.first <= away.last and away.first <= one.last:
            yield refusal(desk, "away-already", who=away.login, first=str(one.first), last=str(one.last))
    if away.stand_in is None:
        return
    taker = registry.actor(desk.connection, away.stand_in)
    for row, path in loans:
        yield from unfit_terms(desk, row, taker, request)
        yield from without_right(desk, row, absent, path)
    if not loans:
        yield refusal(desk, "nothing-to-stand-in-for", who=away.login)
    if taker is not None:
        yield from _unfit(desk, away, taker, request)


def _unfit(desk: Desk, away: Away, taker: Actor, request: Request) -> Iterator[Verdict]:
    """What stands against a person as somebody who stands in, beside what does against lending."""
    [known] = colleagues.by_login(desk.connection, [taker.login]).values()
    if known.is_closed or not any(_looks_after(request.actor, one.path, request.at) for one in taker.grants):
        yield refusal(desk, "stand-in-elsewhere", who=known.said)
    for one in absences.of_person(desk.connection, taker.login):
        if one.first <= away.last and away.first <= one.last:
            yield refusal(desk, "stand-in-away", who=known.said, first=str(one.first), last=str(one.last))


def _each_once(found: Iterable[Verdict]) -> Refusal:
    """Each sentence once: what stands against one role stands against the next."""
    return tuple({(one.rule, one.sentence.zh): one for one in found}.values())


def _kept(desk: Desk, number: int) -> AbsenceRow:
    row = absences.absence(desk.connection, number)
    if row is None:
        raise Unknown("不在岗 absence", str(number))
    return row


def _end_stand_in(desk: Desk, row: AbsenceRow, request: Request) -> None:
    for role in row.roles if row.stand_in is not None else ():
        end_loans(desk, (row.login, str(row.stand_in), role), request)


def _record(desk: Desk, login: str, what: Mapping[str, Json], request: Request) -> None:
    """Write the event, and tell the person whose absence it is, if somebody else did it."""
    [written] = desk.record_events([(EventKind.ACCOUNT_CHANGED, event_of(request, {"login": login, **what}))])
    if login != request.actor.login:
        write_told(desk.connection, [(written, ((f"{PERSON}{login}", TOLD),), None)])


def _record_refused(desk: Desk, away: Away, refused: Refusal, request: Request) -> None:
    told: dict[str, Json] = {"login": away.login, AWAY: _days(away.first, away.last), "why": away.reason}
    if away.stand_in is not None and registry.actor(desk.connection, away.stand_in) is not None:
        told["stand_in"] = away.stand_in  # a login nobody has is not written down
    data = {**refused_data(request, refused), "asked": told}
    desk.record_events([(EventKind.REFUSED, event_of(request, data))])


def _standing_in(row: AbsenceRow) -> dict[str, Json]:
    return {} if row.stand_in is None else {"stand_in": row.stand_in, "roles": list(row.roles)}


def _days(first: date, last: date) -> dict[str, Json]:
    return {"from": first.isoformat(), "to": last.isoformat()}
