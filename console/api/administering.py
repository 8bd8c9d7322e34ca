"""The security administrators' resources: units, people, roles and tokens; and for everybody, what one lends.

The rights are those of the pages: only what is held at the own units and below, never one's own account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Literal

import orjson
from fastapi import Query

from console.access.handing_out import Handed
from console.access.programs import Scope
from console.api.answers import Words, words
from console.api.answers_administering import (
    AbsenceOut,
    AccountIn,
    AwayIn,
    CodeOut,
    DelegationsOut,
    DisableIn,
    EndLoanIn,
    FormerNameOut,
    GapOut,
    HeldOut,
    LentOut,
    LoanIn,
    LookForIn,
    MovedOut,
    MoveOut,
    OneUnitOut,
    OwnDelegationsOut,
    PeopleOut,
    PersonOut,
    RefusedLoanOut,
    RoleIn,
    SightedOut,
    TokenNameIn,
    TokenOut,
    UnderIn,
    UnitContactIn,
    UnitIn,
    UnitLineOut,
    UnitNameIn,
    UnitsOut,
)
from console.api.doors import ApiDoors, Call
from console.api.errands import Before, Code, Errand, Login, Number, do_once, errand
from console.api.routes import Key
from console.web.admin import accounts, delegations, leaving, people, tokens, units
from console.web.admin.absences import end_own as end_own_absence
from console.web.admin.absences import own as own_absences
from console.web.admin.scope import own_unit, own_units
from console.web.audiences import Audience
from console.web.faults import NotFound
from engine.errors import Misplaced
from engine.moving_units import Rearrangement, Sighted, move_unit, rearranged
from engine.repeating import answered_at
from engine.store import api_tokens
from engine.store.delegations import Passed
from engine.store.past import event_at
from engine.store.people import absences
from engine.store.registry import UnitRow
from engine.trail.event import EventKind

doors = ApiDoors()
SECURITY = Audience.SECURITY_ADMIN
_PAGE = 100
After = Annotated[str, Query(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$", description="`next` of the page before")]


@doors.door("GET", "/admin/units", scope=Scope.READ, to=SECURITY)
def own_tree(call: Call, after: After = "") -> UnitsOut:
    """The units one looks after, each below the one it belongs to, with what is open there."""
    visit = errand(call)
    rows = sorted(own_units(visit), key=lambda row: row.path)
    start = own_unit(visit, after).path if after else ""
    left = [row for row in rows if row.path > start]
    counted = units.open_cases(visit)
    page = left[:_PAGE]
    following = page[-1].code if len(left) > _PAGE else None
    return UnitsOut(units=[UnitLineOut.model_validate(_line(row, counted)) for row in page], next=following)


def _line(row: UnitRow, counted: Mapping[str, int]) -> dict[str, object]:
    return {
        "code": row.code, "name": row.name, "kind": row.kind, "parent": row.parent, "profile": row.profile,
        "open": counted.get(row.code, 0), "phone": str(row.facts.get(units.PHONE) or ""),
        "office_hours": str(row.facts.get(units.HOURS) or ""),
    }  # fmt: skip


@doors.door("GET", "/admin/units/{code}", scope=Scope.READ, to=SECURITY)
def one_unit(call: Call, code: Code) -> OneUnitOut:
    """One unit, with the names it had."""
    return _unit(errand(call), code)


def _unit(visit: Errand, code: str) -> OneUnitOut:
    visit.desk.refresh()
    row, former = own_unit(visit, code), reversed(visit.desk.earlier_names(code))
    earlier = [FormerNameOut(name=one.name, until=one.until, by=one.by) for one in former]
    return OneUnitOut.model_validate({**_line(row, units.open_cases(visit)), "earlier": earlier})


@doors.door("POST", "/admin/units", scope=Scope.ADMIN, to=SECURITY, status_code=201)
def add_unit(call: Call, unit: UnitIn, key: Key) -> OneUnitOut:
    """Add a unit below one of one's own."""
    visit = errand(call, code=unit.code, name=unit.name, kind=unit.kind)
    do_once(call, "api:unit_add", key, lambda: units.add(visit, unit.under))
    return _unit(visit, visit.form["code"])


@doors.door("POST", "/admin/units/{code}/name", scope=Scope.ADMIN, to=SECURITY)
def rename_unit(call: Call, code: Code, wanted: UnitNameIn, key: Key) -> OneUnitOut:
    """Another name for a unit; what was made before keeps the old one."""
    visit = errand(call, **{units.NEW_NAME: wanted.name})
    do_once(call, "api:unit_rename", key, lambda: units.rename(visit, code))
    return _unit(visit, code)


@doors.door("POST", "/admin/units/{code}/contact", scope=Scope.ADMIN, to=SECURITY)
def describe_unit(call: Call, code: Code, contact: UnitContactIn, key: Key) -> OneUnitOut:
    """Where the unit's people are reached, and when."""
    visit = errand(call, **{units.PHONE: contact.phone, units.HOURS: contact.office_hours})
    do_once(call, "api:unit_set", key, lambda: units.describe(visit, code))
    return _unit(visit, code)


@doors.door("GET", "/admin/units/{code}/move", scope=Scope.READ, to=SECURITY)
def before_moving(call: Call, code: Code, under: Annotated[str, Query(max_length=32)] = "") -> MoveOut:
    """What moving a unit under another would mean; nothing is done."""
    visit = errand(call)
    here, there = own_unit(visit, code), own_unit(visit, under)
    try:
        return _move(rearranged(visit.desk, here.code, there.code, visit.at))
    except Misplaced as problem:
        raise NotFound from problem


@doors.door("POST", "/admin/units/{code}/move", scope=Scope.ADMIN, to=SECURITY, proof=True)
def move(call: Call, code: Code, wanted: UnderIn, key: Key) -> MovedOut:
    """Move a unit with everything below it, or say every reason why not."""
    visit = errand(call)
    here, there = own_unit(visit, code), own_unit(visit, wanted.under)
    done: list[Rearrangement] = []
    try:
        do_once(
            call, "api:unit_move", key,
            lambda: done.append(move_unit(visit.desk, here.code, there.code, visit.asks("unit_move"))),
        )  # fmt: skip
    except Misplaced as problem:
        raise NotFound from problem
    against = done[0].against if done else ()
    visit.desk.refresh()
    return MovedOut(
        unit=here.code,
        under=own_unit(visit, here.code).parent,
        moved=not against,
        against=[words(one) for one in against],
    )


def _move(meant: Rearrangement) -> MoveOut:
    return MoveOut(
        unit=meant.unit.code,
        under=meant.under.code,
        units=meant.units,
        cases=meant.cases,
        gain=_sighted(meant.gain),
        lose=_sighted(meant.lose),
        against=[words(one) for one in meant.against],
    )


def _sighted(some: Iterable[Sighted]) -> list[SightedOut]:
    return [SightedOut(login=one.login, role=one.role, unit=one.unit) for one in dict.fromkeys(some)]


@doors.door("GET", "/admin/people", scope=Scope.READ, to=SECURITY)
def own_people(call: Call, after: After = "") -> PeopleOut:
    """Those who hold a role at one's units, by login."""
    visit = errand(call)
    page = people.people(visit, after)
    following = page.people[-1].login if page.following else None
    return PeopleOut(people=_persons(visit, page.people), next=following)


@doors.door("POST", "/admin/people/find", scope=Scope.READ, to=SECURITY)
def find_people(call: Call, wanted: LookForIn) -> PeopleOut:
    """Those whose name or login has a text in it: of one's units, who work nowhere yet, or no more; fifty at most."""
    visit = errand(call, text=wanted.text)
    return PeopleOut(people=_persons(visit, people.find(visit, visit.form["text"]).people))


@doors.door("POST", "/admin/people", scope=Scope.ADMIN, to=SECURITY, status_code=201, proof=True)
def add_person(call: Call, wanted: AccountIn, key: Key) -> CodeOut:
    """Add an account with its first role; its code is told once, to the first who asks under this key."""
    visit = errand(
        call, login=wanted.login, name=wanted.name, mail=wanted.mail, role=wanted.role, unit=wanted.unit
    )  # fmt: skip
    return _code(call, "api:account_add", key, visit.form[accounts.LOGIN], lambda: accounts.add(visit))


@doors.door("POST", "/admin/people/{login}/code", scope=Scope.ADMIN, to=SECURITY, proof=True)
def hand_out_code(call: Call, login: Login, key: Key) -> CodeOut:
    """Another code for a person's password, told once; earlier ones end, and so do the person's sessions."""
    visit = errand(call)
    people.person(visit, login)
    return _code(call, "api:code", key, login, lambda: accounts.hand_out(visit, login))


def _code(call: Call, act: str, key: str, login: str, hand_out: Callable[[], Handed]) -> CodeOut:
    made: list[Handed] = []
    do_once(call, act, key, lambda: made.append(hand_out()))
    if not made:
        return CodeOut(login=login)
    return CodeOut(login=login, code=made[0].code, until=made[0].until.isoformat())


@doors.door("POST", "/admin/people/{login}/second-factor", scope=Scope.ADMIN, to=SECURITY, proof=True)
def forget_second_factor(call: Call, login: Login, key: Key) -> PersonOut:
    """Forget a person's second factor, whose telephone is lost; it ends the person's sessions."""
    visit = errand(call)
    people.person(visit, login)
    do_once(call, "api:second_factor", key, lambda: accounts.forget(visit, login))
    return _whole(visit, login)


@doors.door("GET", "/admin/people/{login}", scope=Scope.READ, to=SECURITY)
def one_person(call: Call, login: Login) -> PersonOut:
    """One of those who work at one's units, or did, or nowhere yet: roles and tokens."""
    return _whole(errand(call), login)


def _whole(visit: Errand, login: str) -> PersonOut:
    own = [
        TokenOut(
            name=one.name, scopes=sorted(one.scopes), made_at=one.made_at.isoformat(),
            expires_at=one.expires_at.isoformat(), used_at=None if one.used_at is None else one.used_at.isoformat(),
            is_good=one.is_good(visit.at), proved_at=None if one.proved_at is None else one.proved_at.isoformat(),
        )
        for one in api_tokens.tokens_of(visit.desk.connection, login)
    ]  # fmt: skip
    [one] = _persons(visit, [people.person(visit, login)])
    return one.model_copy(update={"tokens": own})


def _persons(visit: Errand, some: Sequence[people.Person]) -> list[PersonOut]:
    by = people.givers(visit, some)
    return [_person(one, by) for one in some]


def _person(one: people.Person, by: Mapping[tuple[str, str, str], str]) -> PersonOut:
    return PersonOut(
        login=one.login,
        name=one.name,
        is_disabled=one.is_disabled,
        roles=[
            HeldOut(
                role=role.name,
                unit=role.code,
                since=role.since.isoformat(),
                by=by.get((one.login, role.name, role.code)),
            )
            for role in one.roles
        ],
        elsewhere=one.elsewhere,
    )


@doors.door("POST", "/admin/people/{login}/roles", scope=Scope.ADMIN, to=SECURITY, proof=True)
def give_role(call: Call, login: Login, role: RoleIn, key: Key) -> PersonOut:
    """Let a person hold a role at a unit; roles that exclude each other are refused."""
    visit = errand(call, role=role.role, unit=role.unit)
    do_once(call, "api:role_give", key, lambda: people.give_role(visit, login))
    return _whole(visit, login)


@doors.door("POST", "/admin/people/{login}/roles/end", scope=Scope.ADMIN, to=SECURITY, proof=True)
def end_role(call: Call, login: Login, role: RoleIn, key: Key) -> PersonOut:
    """Let a person hold a role no longer."""
    visit = errand(call, role=role.role, unit=role.unit)
    people.person(visit, login)
    do_once(call, "api:role_end", key, lambda: leaving.end_role(visit, login))
    return _whole(visit, login)


@doors.door("POST", "/admin/people/{login}/disable", scope=Scope.ADMIN, to=SECURITY, proof=True)
def disable(call: Call, login: Login, leave: DisableIn, key: Key) -> PersonOut:
    """Keep a person out from now on, and hand on the cases nobody else could act on; or neither."""
    visit = errand(call, taker=leave.taker, reason=leave.reason)
    do_once(call, "api:disable", key, lambda: leaving.disable(visit, login))
    return _whole(visit, login)


@doors.door("POST", "/admin/people/{login}/enable", scope=Scope.ADMIN, to=SECURITY, proof=True)
def enable(call: Call, login: Login, key: Key) -> PersonOut:
    """Let a person in again."""
    visit = errand(call)
    do_once(call, "api:enable", key, lambda: people.enable(visit, login))
    return _whole(visit, login)


@doors.door("POST", "/admin/people/{login}/tokens/end", scope=Scope.ADMIN, to=SECURITY, proof=True)
def end_token(call: Call, login: Login, token: TokenNameIn, key: Key) -> PersonOut:
    """End a token of somebody's at once."""
    visit = errand(call, name=token.name)
    people.person(visit, login)
    do_once(call, "api:token_end", key, lambda: tokens.end(visit, login))
    return _whole(visit, login)


@doors.door("GET", "/admin/delegations", scope=Scope.READ, to=SECURITY)
def lent(call: Call, which: Literal["current", "past"] = "current", before: Before = None) -> DelegationsOut:
    """What is lent at one's units, or was; what was refused; where nobody can act."""
    visit = errand(call)
    page = delegations.page(visit, before, is_over=which == "past")
    return DelegationsOut(
        lent=[_lent(one.one, visit.at) for one in page.lines],
        refused=[
            RefusedLoanOut(
                at=one.at.isoformat(), giver=one.giver, taker=one.taker, role=one.role, unit=one.unit, why=one.why
            )
            for one in page.refused
        ],
        gaps=[
            GapOut(
                role=one.one.role, unit=one.one.path.rstrip("/").rpartition("/")[2], cases=one.one.cases,
                first=one.one.first.isoformat(), last=one.one.last.isoformat(), held_by_nobody=one.one.nobody,
            )
            for one in page.gaps
        ],
        next=page.lines[-1].one.id if page.following else None,
    )  # fmt: skip


def _lent(one: Passed, at: datetime) -> LentOut:
    return LentOut(
        id=one.id,
        giver=one.giver,
        taker=one.taker,
        role=one.role,
        unit=one.unit,
        reason=one.reason,
        since=one.since.isoformat(),
        until=None if one.until is None else one.until.isoformat(),
        is_to_come=one.since > at,
    )


@doors.door("GET", "/me/delegations", scope=Scope.READ, to=Audience.STAFF)
def own_delegations(call: Call) -> OwnDelegationsOut:
    """What one lends for every case of a unit, what one is lent so, and the days one is away."""
    return _own(errand(call))


def _own(visit: Errand, refused: Sequence[Words] = ()) -> OwnDelegationsOut:
    return OwnDelegationsOut(
        lent=[_lent(one.one, visit.at) for one in delegations.own_lines(visit)],
        away=[
            AbsenceOut(
                id=one.number, first=one.first.isoformat(), last=one.last.isoformat(),
                told_by=one.teller or None, reason=one.reason or None,
            )
            for one in own_absences(visit)
        ],
        refused=list(refused),
    )  # fmt: skip


@doors.door("POST", "/me/delegations", scope=Scope.DECIDE, to=Audience.STAFF)
def lend(call: Call, loan: LoanIn, key: Key) -> OwnDelegationsOut:
    """Let somebody act in a role of one's own until a day; a refusal is an answer with every reason."""
    visit = errand(
        call, what=f"{loan.role.strip()}@{loan.unit.strip()}", taker=loan.taker, since=loan.since, until=loan.until,
        reason=loan.reason, request=call.own(key),
    )  # fmt: skip
    delegations.lend(visit)
    return _own(visit, why_not(visit, "delegate", call.own(key)))


def why_not(visit: Errand, act: str, key: str) -> list[Words]:
    """What stood in the way of an act, read back from its event, so that it is answered the same again."""
    at, known = answered_at(visit.desk, act, key), visit.desk.library.rulebook.engine
    body = None if at is None else event_at(visit.desk.connection, *at)
    event = {} if body is None else orjson.loads(body)
    against = event["data"]["engine"] if event.get("kind") == EventKind.REFUSED else ()
    titles = [(name, known[name].title if name in known else None) for name in against]
    return [Words(zh=name, en=name) if title is None else words(title) for name, title in titles]


@doors.door("POST", "/me/delegations/end", scope=Scope.DECIDE, to=Audience.STAFF)
def take_back(call: Call, ending: EndLoanIn, key: Key) -> OwnDelegationsOut:
    """Take back what one lends somebody in a role."""
    visit = errand(call, taker=ending.taker, role=ending.role)
    do_once(call, "api:revoke", key, lambda: delegations.take_back(visit))
    return _own(visit)


@doors.door("POST", "/me/absences", scope=Scope.DECIDE, to=Audience.STAFF)
def be_away(call: Call, days: AwayIn, _key: Key) -> OwnDelegationsOut:
    """Keep that one is away on some days; days that are kept already are kept once."""
    visit = errand(call, first=days.first, last=days.last)
    kept = {(one.first.isoformat(), one.last.isoformat()) for one in absences(visit.desk.connection, visit.login)}
    if (days.first, days.last) not in kept:
        delegations.be_away(visit)
    return _own(visit)


@doors.door("POST", "/me/absences/end", scope=Scope.DECIDE, to=Audience.STAFF)
def be_back(call: Call, _key: Key) -> OwnDelegationsOut:
    """One is not away any more today; what is still to come is ended by its number."""
    visit = errand(call)
    delegations.be_back(visit)
    return _own(visit)


@doors.door("POST", "/me/absences/{number}/end", scope=Scope.DECIDE, to=Audience.STAFF)
def not_be_away(call: Call, number: Number, _key: Key) -> OwnDelegationsOut:
    """One is not away on the days of one absence, now or to come; what is ended already stays so."""
    visit = errand(call)
    with suppress(NotFound):
        end_own_absence(visit, number)
    return _own(visit)
