"""Passing rights on: 委派 for a time, 转办 for good, a signature left to somebody, and taking a delegation back.

What is arranged here only says who may act for whom; whether a step is then taken, `engine.machine` decides. Whoever
it concerns, the taker, is told in the same transaction.
Nobody passes on what is not their own: a right that was lent cannot be lent again.

Source: the definition language, sections 6 and 11; G-SG-01, G-SG-02.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from engine.actors import Actor
from engine.barring import (
    Hearing,
    barred_in_case,
    hear,
    never_lent,
    no_right,
    not_to_be_left,
    only_in_person,
    outside_role,
    student_of,
    unfit_terms,
    without_right,
)
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, Unknown
from engine.expressions.kinds import TEXT
from engine.keeping import write_event
from engine.records import Head, Json, Request, Verdict
from engine.step import check_value
from engine.store import delegations, registry
from engine.store.cases import Keeping, Told, extend, keep, read_cases, write_told
from engine.store.delegations import DelegationRow, StandingRow
from engine.store.people import PERSON
from engine.trail.event import EventKind, chain_name, moment

Refusal = tuple[Verdict, ...]
"""Every reason why not; empty when it is done."""

LOOKS_AFTER_PEOPLE = "security_admin"
"""The role of those who end other people's roles, and hand on what they had."""

DELEGATED, DELEGATION_ENDED = "delegated", "delegation_ended"
"""The messages to a taker: that something is passed on, and that it is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """Who is to act, in which role, and why; the reason is clear text in the trail, like that of any step.

    `since` is when it begins; None, or a moment that has passed: at once. What is handed over for good begins at once.
    """

    taker: str
    role: str
    reason: str
    since: datetime | None = None


def delegate(desk: Desk, unit: str, mandate: Mandate, until: datetime, request: Request) -> Refusal:
    """Let somebody act in one's role at a unit and everywhere below it until a moment (委派), as for an absence.

    Args:
        desk: Where cases are worked.
        unit: Where; the actor holds the role there or above.
        mandate: Who, in which role, why.
        until: The last moment at which it is good.
        request: By whom, when; its trigger is the word the trail keeps if it is refused.

    Returns:
        Every reason why not, kept in the registry's chain; empty when it is done.

    Raises:
        Unknown: If there is no such unit or role.
        Unreadable: If the reason is not in NFC.
    """
    desk.refresh()
    _known(desk, mandate)
    with desk.connection.writing():
        registry.registry_head(desk.connection)
        place = desk.units().get(unit)
        if place is None:
            raise Unknown("单位 unit", unit, desk.units())
        row = _row(mandate, (request.actor.login, unit, None), request, until)
        taker = registry.actor(desk.connection, row.taker)
        refused = (
            *unfit_terms(desk, row, taker, request),
            *never_lent(desk, row),
            *without_right(desk, row, request.actor, place.path),
        )
        if refused:
            desk.record_events([(EventKind.REFUSED, event_of(request, _refused(request, refused, row, taker)))])
        else:
            delegations.add_delegation(desk.connection, row)
            [written] = desk.record_events([(EventKind.DELEGATED, event_of(request, _told(row, request)))])
            write_told(desk.connection, [(written, _tell(row.taker, DELEGATED), None)])
    return refused


def delegate_case(desk: Desk, case: int, mandate: Mandate, until: datetime, request: Request) -> Refusal:
    """Let somebody act in one's role on one case until a moment (委派).

    Refused to the student the case is about, to somebody who took a step kept apart from the role's, and where the
    definition has it done in person (G-SG-01).

    Returns:
        Every reason why not, kept in the case's chain; empty when it is done.

    Raises:
        Unknown: If there is no such case or role.
        Unreadable: If the reason is not in NFC.
        StaleCase: If the case has changed since it was seen.
    """
    return _lend_case(desk, case, mandate, request, until)


def hand_over(desk: Desk, case: int, mandate: Mandate, request: Request) -> Refusal:
    """Hand a case over for good to somebody who holds the same role at its unit or above (转办).

    Returns:
        Every reason why not, kept in the case's chain; empty when it is done.

    Raises:
        Unknown: If there is no such case or role.
        Unreadable: If the reason is not in NFC.
        StaleCase: If the case has changed since it was seen.
    """
    return _lend_case(desk, case, mandate, request, None)


def left_behind(desk: Desk, login: str) -> list[tuple[int, str]]:
    """The open cases that somebody has for good (转办), each with the role; nobody else can act on them in it."""
    had = delegations.had_by(desk.connection, login)
    if not had:
        return []
    found = read_cases(desk.connection, sorted({case for case, _ in had}))
    is_open = {number: not desk.definition(one.case.shape).is_final(one.case.state) for number, one in found.items()}
    return [(case, role) for case, role in had if is_open.get(case)]


def hand_on(desk: Desk, giver: str, taker: str, reason: str, request: Request) -> Mapping[int, Refusal]:
    """Hand on whatever somebody who leaves has for good (转办), every case of it or none.

    Args:
        desk: Where cases are worked.
        giver: Who leaves.
        taker: Who has the cases from now on.
        reason: Why, in clear.
        request: By whom, when: somebody who looks after people at the cases' units.

    Returns:
        Every reason why not, by case; empty when all of them are done.

    Raises:
        Unknown: If nobody has the giver's login.
        Unreadable: If the reason is not in NFC.
        NotAllowed: If a case is at a unit whose people the person does not look after.
    """
    desk.refresh()
    check_value("reason", TEXT, reason)
    asked, leaves = replace(request, id=None), desk.actor(giver)
    with desk.connection.writing():
        rows = []
        for case, role in left_behind(desk, giver):
            unit = hear(desk, case, asked).case.unit
            rows.append(_row(Mandate(taker=taker, role=role, reason=reason), (giver, unit, case), asked, None))
        against = {row.case or 0: why for row in rows if (why := tuple(_against_heir(desk, row, leaves, asked)))}
        for row in rows if not against else ():
            delegations.add_delegation(desk.connection, row)
            told = _tell(row.taker, DELEGATED)
            _keep(hear(desk, row.case or 0, asked), EventKind.HANDED_OVER, _told(row, asked), told)
    return against


def _against_heir(desk: Desk, row: DelegationRow, leaves: Actor, request: Request) -> Iterator[Verdict]:
    hearing = hear(desk, row.case or 0, request)
    if not request.actor.holds(LOOKS_AFTER_PEOPLE, hearing.case.path):
        raise NotAllowed(request.actor.login, request.trigger, (LOOKS_AFTER_PEOPLE,), hearing.case.unit)
    taker = registry.actor(desk.connection, row.taker)
    yield from unfit_terms(desk, row, taker, request)
    yield from without_right(desk, row, leaves, hearing.case.path)
    yield from against_taker(hearing, row, taker)


def _lend_case(desk: Desk, case: int, mandate: Mandate, request: Request, until: datetime | None) -> Refusal:
    """Let somebody else have a role on one case: until a moment it is lent (委派), else handed over for good (转办)."""
    desk.refresh()
    _known(desk, mandate)
    with desk.connection.writing():
        hearing = hear(desk, case, request)
        row = _row(mandate, (request.actor.login, hearing.case.unit, case), request, until)
        taker = registry.actor(desk.connection, row.taker)
        refused = (
            *unfit_terms(desk, row, taker, request),
            *never_lent(desk, row),
            *without_right(desk, row, request.actor, hearing.case.path),
            *against_taker(hearing, row, taker),
        )
        kind = EventKind.HANDED_OVER if until is None else EventKind.DELEGATED
        return _answer(hearing, kind, row, (refused, taker))


def against_taker(hearing: Hearing, row: DelegationRow, taker: Actor | None) -> Refusal:
    """What stands against a person taking over a role on a case: by who it is, and by how the role is exercised."""
    by_role = outside_role(hearing, row, taker) if row.for_good else only_in_person(hearing, row)
    return (*barred_in_case(hearing, row, taker), *by_role)


def leave_to(desk: Desk, case: int, mandate: Mandate, until: datetime, request: Request) -> Refusal:
    """A student leaves a signature to a member of staff, where `delegates` of the definition allows it (G-SG-02).

    For a student without an account the records officer records it; the giver is the student all the same.
    The mandate's role is `student`.

    Returns:
        Every reason why not, kept in the case's chain; empty when it is done.

    Raises:
        Unknown: If there is no such case, or it is about no student.
        Unreadable: If the reason is not in NFC.
        StaleCase: If the case has changed since it was seen.
    """
    desk.refresh()
    check_value("reason", TEXT, mandate.reason)
    with desk.connection.writing():
        hearing = hear(desk, case, request)
        giver = student_of(hearing)
        row = _row(mandate, (giver or request.actor.login, hearing.case.unit, case), request, until)
        taker = registry.actor(desk.connection, row.taker)
        refused = (
            *unfit_terms(desk, row, taker, request),
            *([] if giver else [no_right(desk, row, request.actor)]),
            *barred_in_case(hearing, row, taker),
            *not_to_be_left(hearing, row, taker),
        )
        return _answer(hearing, EventKind.DELEGATED, row, (refused, taker))


def revoke(desk: Desk, taker: str, role: str, request: Request, *, case: int | None = None) -> int:
    """Take back what one lends somebody in a role: on one case, or (None) whatever is lent for all cases.

    The taker hears of what would have counted longer.

    Returns:
        How many delegations ended.

    Raises:
        Unknown: If there is none, or no such case.
        StaleCase: If the case has changed since it was seen.
    """
    desk.refresh()
    with desk.connection.writing():
        hearing = None if case is None else hear(desk, case, request)
        if hearing is None:
            registry.registry_head(desk.connection)
        givers = _givers(hearing, role, request)
        found = [one for giver in givers for one in delegations.standing(desk.connection, giver, taker, role, case)]
        if not found:
            raise Unknown("委派 delegation", f"{givers[0]} → {taker}（{role}）")
        for one in found:
            delegations.revoke_delegation(desk.connection, one.id, moment(request.at))
        longest = sorted(found, key=lambda one: one.until)
        if hearing is None:
            ended = {one.unit: one for one in longest}
            _record_ended(desk, ended.values(), (taker, role), request)
        else:
            told = _told_of_end(longest[-1], taker, request)
            _keep(hearing, EventKind.DELEGATION_REVOKED, _ended(longest[-1], taker, role), told)
    return len(found)


def _record_ended(desk: Desk, ended: Collection[StandingRow], mandate: tuple[str, str], request: Request) -> None:
    """Write into the registry's chain that delegations of (taker, role) were taken back, and tell the taker."""
    taker, role = mandate
    written = desk.record_events(
        (EventKind.DELEGATION_REVOKED, event_of(_part(request, place), _ended(one, taker, role)))
        for place, one in enumerate(ended, start=1)
    )
    told = (_told_of_end(one, taker, request) for one in ended)
    write_told(desk.connection, ((event, said, None) for event, said in zip(written, told, strict=True)))


def _givers(hearing: Hearing | None, role: str, request: Request) -> tuple[str, ...]:
    """By which names a person may have lent something: a student also by that used before there was an account."""
    student = None if hearing is None or role != "student" else student_of(hearing)
    if hearing is None or student is None:
        return (request.actor.login,)
    return tuple(dict.fromkeys((student, chain_name(-(hearing.case.student or 0)))))


def _told_of_end(one: StandingRow, taker: str, request: Request) -> Told:
    """Whom to tell that a delegation was taken back: nobody if it was over by then."""
    return _tell(taker, DELEGATION_ENDED) if one.until >= moment(request.at) else ()


def _tell(taker: str, message: str) -> Told:
    return ((f"{PERSON}{taker}", message),)


def _ended(one: StandingRow, taker: str, role: str) -> dict[str, Json]:
    """What the event of a delegation taken back says."""
    return {"by": one.giver, "to": taker, "role": role, "unit": one.unit}


def _part(request: Request, place: int) -> Request:
    """The request of one of several events: the first answers it, the others bear its id with a suffix."""
    return request if request.id is None or place == 1 else replace(request, id=f"{request.id}/{place}")


def event_of(request: Request, data: dict[str, Json]) -> dict[str, Json]:
    """An event that says what somebody asked for has come to: when, by whom, and in answer to which request."""
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
    if request.id is not None:
        event["request"] = request.id
    return event


def keep_refusal(hearing: Hearing, data: dict[str, Json]) -> None:
    """Record in the case's chain that something was refused; its revision stays.

    Raises:
        StaleCase: If the chain has grown meanwhile.
    """
    desk, machine, case, request = hearing
    told: dict[str, Json] = {"from": case.state, **data}
    written = write_event(desk, machine, case, EventKind.REFUSED, event_of(request, told))
    if not extend(desk.connection, case, written):
        raise StaleCase(case.number, case.revision)


def refused_data(request: Request, verdicts: Refusal) -> dict[str, Json]:
    """What the event of a refusal says, by the same keys as that of a step."""
    return {
        "trigger": request.trigger,
        "engine": [one.rule for one in verdicts],
        "failed": sorted({one.id for one in verdicts}),
        "undecided": [],
    }


def _known(desk: Desk, mandate: Mandate) -> None:
    """What is wrong with the words of a call, before anything is asked of anybody."""
    roles = desk.library.rulebook.organisation.roles
    if mandate.role not in roles:
        raise Unknown("角色 role", mandate.role, roles)
    check_value("reason", TEXT, mandate.reason)


def _row(
    mandate: Mandate, place: tuple[str, str, int | None], request: Request, until: datetime | None
) -> DelegationRow:
    """The delegation as it would be kept; `place` is giver, unit and case."""
    giver, unit, case = place
    return DelegationRow(
        giver=giver,
        taker=mandate.taker,
        role=mandate.role,
        unit=unit,
        case=case,
        reason=mandate.reason,
        for_good=until is None,
        since=moment(_first(mandate, request.at, until)),
        until=None if until is None else moment(until),
    )


def _first(mandate: Mandate, at: datetime, until: datetime | None) -> datetime:
    """The moment from which it counts."""
    return at if until is None or mandate.since is None else max(mandate.since, at)


def _answer(hearing: Hearing, kind: EventKind, row: DelegationRow, refused_to: tuple[Refusal, Actor | None]) -> Refusal:
    """Keep the delegation with its event, or only the event of its refusal."""
    refused, taker = refused_to
    if refused:
        keep_refusal(hearing, _refused(hearing.request, refused, row, taker))
    else:
        delegations.add_delegation(hearing.desk.connection, row)
        _keep(hearing, kind, _told(row, hearing.request), _tell(row.taker, DELEGATED))
    return refused


def _keep(hearing: Hearing, kind: EventKind, data: dict[str, Json], told: Told) -> None:
    """Write the event of a change of persons: an open page should know of it, so the revision rises."""
    desk, machine, before, request = hearing
    written = write_event(desk, machine, before, kind, event_of(request, data))
    after = before._replace(revision=before.revision + 1, head=Head(seq=written.seq, hash=written.hash))
    if not keep(desk.connection, Keeping(before=before, after=after, event=written, told=told)):
        raise StaleCase(before.number, before.revision)


def _told(row: DelegationRow, request: Request) -> dict[str, Json]:
    """What the event of a delegation says; from when, where that is later than the event."""
    begins: dict[str, Json] = {} if row.since == moment(request.at) else {"since": row.since}
    return {
        **begins,
        "by": row.giver,
        "to": row.taker,
        "role": row.role,
        "unit": row.unit,
        "why": row.reason,
        "until": row.until,
        "for_good": row.for_good,
    }


def _refused(request: Request, verdicts: Refusal, row: DelegationRow, taker: Actor | None) -> dict[str, Json]:
    """What the event of a refused delegation says; a login nobody has is not written down."""
    given: dict[str, Json] = {"role": row.role, "unit": row.unit, "why": row.reason, "until": row.until}
    if row.since != moment(request.at):
        given["since"] = row.since
    return {**refused_data(request, verdicts), "given": given if taker is None else {**given, "to": row.taker}}
