"""Why a right may not be passed on: every reason, each as a verdict of `rules/engine.yaml`.

Nobody passes on what is not their own: a right that was lent cannot be lent again. Nothing is written here.

Source: the definition language, section 6; G-SG-01, G-SG-02, G-SG-08.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from engine.actors import Actor
from engine.casework import as_seen
from engine.checking.names import people
from engine.definition import Who
from engine.desk import Desk
from engine.errors import Unknown, nearest
from engine.expressions.kinds import SHANGHAI
from engine.guards import judged, plain_sentence
from engine.records import Case, Outcome, Request, Verdict
from engine.step import Step
from engine.steps import Machine
from engine.store import delegations, registry
from engine.store.delegations import DelegationRow
from engine.trail.event import chain_name

NOBODYS_TO_LEND = frozenset({"auditor"})
"""Roles exercised in the own right alone: who looks at everything answers for it (INV-ACC-1)."""
_ON_BEHALF = ("records_officer", "records_section")
"""Who records what a student without an account leaves to somebody."""


class Hearing(NamedTuple):
    """A case somebody asks something about, read inside the transaction that will answer."""

    desk: Desk
    machine: Machine
    case: Case
    request: Request


def hear(desk: Desk, case: int, request: Request) -> Hearing:
    """The case as it stands, under the definition and rulebook it is judged by; call inside the transaction.

    Raises:
        Unknown: If there is no such case.
        StaleCase: If it has changed since the person saw it.
    """
    found = as_seen(desk, case, request)
    return Hearing(desk, desk.machine_for(found.case, {}), found.case, request)


def refusal(desk: Desk, name: str, **words: str) -> Verdict:
    """One of the engine's own refusals, in the words of the rulebook in force."""
    rule = desk.library.rulebook.engine[name]
    return judged(name, rule, Outcome.FAILS, plain_sentence(rule.otherwise, words))


def on_clock(at: datetime) -> str:
    """A moment as it stands in the sentence of a refusal: on the clocks of Shanghai."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def unfit_terms(desk: Desk, row: DelegationRow, taker: Actor | None, request: Request) -> Iterator[Verdict]:
    """What is asked of every passing on, whatever it is."""
    if not row.reason.strip():
        yield refusal(desk, "asked-missing", field="理由 Reason")
    if taker is None:
        hint = nearest(row.taker, registry.logins(desk.connection))
        yield refusal(desk, "no-such-taker", who=row.taker, hint=hint)
    if row.taker in (row.giver, request.actor.login):
        yield refusal(desk, "delegate-oneself", who=row.taker)
    if taker is not None:
        yield from _apart(desk, row, taker)
    if row.until is not None and row.until <= row.since:
        yield refusal(desk, "delegation-past", until=on_clock(datetime.fromisoformat(row.until)))


def _apart(desk: Desk, row: DelegationRow, taker: Actor) -> Iterator[Verdict]:
    """Nobody is lent a role beside one that excludes it (三员分立)."""
    other = desk.library.rulebook.organisation.excluded_beside(row.role, taker.roles_within(row.since, row.until))
    if other is not None:
        yield refusal(desk, "roles-apart", who=row.taker, one=_title(desk, other), other=_title(desk, row.role))


def without_right(desk: Desk, row: DelegationRow, giver: Actor, path: str) -> Iterator[Verdict]:
    """Only what is one's own is passed on, and a case that was handed over only by whom it was handed to."""
    if not giver.holds(row.role, path):
        yield no_right(desk, row, giver)
    holder = None if row.case is None else delegations.handed_to(desk.connection, row.case, row.role)
    if holder not in (None, giver.login):
        yield refusal(desk, "handed-over", who=str(holder))


def never_lent(desk: Desk, row: DelegationRow) -> Iterator[Verdict]:
    """Some rights are nobody's to pass on."""
    if row.role in NOBODYS_TO_LEND:
        yield refusal(desk, "never-lent", role=_title(desk, row.role))


def barred_in_case(hearing: Hearing, row: DelegationRow, taker: Actor | None) -> Iterator[Verdict]:
    """Nobody acts in the own case for somebody else, nor on two levels of one case (G-SG-08)."""
    desk, machine, case, _ = hearing
    if taker is not None and taker.is_student(case.student):
        yield refusal(desk, "own-case", what=_title(desk, row.role))
    apart = {other for step, _ in _steps_of(hearing, row.role) for other in step.apart}
    taken = [key.partition(".")[0] for key, who in case.taken.items() if key in apart and row.taker in who]
    if taken:
        yield refusal(desk, "delegate-barred", who=row.taker, steps=machine.titles_of(dict.fromkeys(taken)))


def only_in_person(hearing: Hearing, row: DelegationRow) -> Iterator[Verdict]:
    """What is done in person is never delegated (G-SG-01)."""
    found = dict.fromkeys(step.trigger for step, who in _steps_of(hearing, row.role) if who.in_person)
    if found:
        yield refusal(hearing.desk, "in-person", what=hearing.machine.titles_of(found), who=row.taker)


def outside_role(hearing: Hearing, row: DelegationRow, taker: Actor | None) -> Iterator[Verdict]:
    """转办 stays within the role and the unit (language, section 11)."""
    desk, case = hearing.desk, hearing.case
    if taker is not None and not taker.holds(row.role, case.path):
        words = {"who": row.taker, "role": _title(desk, row.role), "unit": case.unit}
        yield refusal(desk, "hand-over-outside", **words)


def not_to_be_left(hearing: Hearing, row: DelegationRow, taker: Actor | None) -> Iterator[Verdict]:
    """A signature is left only where, to whom and why the definition allows it (G-SG-02)."""
    desk, machine, case, _ = hearing
    own = [(step.trigger, who) for step, who in _steps_of(hearing, "student") if who.role == "student"]
    allowed = [who.delegates for _, who in own if who.delegates is not None and not who.in_person]
    if not allowed:
        steps = machine.titles_of(dict.fromkeys(trigger for trigger, _ in own))
        yield refusal(desk, "in-person", what=steps or case.state, who=row.taker)
        return
    fits = (
        row.reason in one.reasons and taker is not None and any(taker.holds(role, case.path) for role in one.roles)
        for one in allowed
    )
    if taker is not None and not any(fits):
        roles = "、".join(_title(desk, role) for role in dict.fromkeys(role for one in allowed for role in one.roles))
        reasons = "、".join(dict.fromkeys(reason for one in allowed for reason in one.reasons))
        yield refusal(desk, "signature-not-left", roles=roles, reasons=reasons)


def student_of(hearing: Hearing) -> str | None:
    """The student as giver, if the person may speak as or for the student: the login, or without one the chain's name.

    Raises:
        Unknown: If the case is about no student.
    """
    desk, case, actor = hearing.desk, hearing.case, hearing.request.actor
    if case.student is None:
        raise Unknown("学生 student of 办件 case", case.number)
    if actor.is_student(case.student):
        return actor.login
    has_account = registry.account_of(desk.connection, case.student) is not None
    is_officer = any(actor.holds(role, case.path) for role in _ON_BEHALF)
    return chain_name(-case.student) if is_officer and not has_account else None


def no_right(desk: Desk, row: DelegationRow, giver: Actor) -> Verdict:
    """What is passed on is not the giver's own."""
    return refusal(desk, "right-not-held", who=giver.login, role=_title(desk, row.role), unit=row.unit)


def _steps_of(hearing: Hearing, role: str) -> Iterator[tuple[Step, Who]]:
    """The steps and signatures out of the case's present state that are this role's, with how it acts."""
    machine, case = hearing.machine, hearing.case
    for trigger in machine.open_triggers(case.state):
        step = machine.step(case.state, trigger)
        for who, _ in people(step.transition):
            if role in (who.role, who.acting_role):
                yield step, who


def _title(desk: Desk, role: str) -> str:
    one = desk.library.rulebook.organisation.roles.get(role)
    return role if one is None else f"{one.title.zh} {role}"
