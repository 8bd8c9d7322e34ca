"""What the people of the demonstration do, each by the same calls as the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from console.calling import Sitting
from console.demo.school import BATCH, SITES, approver, both_in_one, operator
from engine.bulk import BulkAnswer, move_many
from engine.casework import find_case, move
from engine.errors import StaleCase
from engine.queues import waiting_for
from engine.records import Json, Moved, Refused
from engine.store.cases import read_case, records_under

_A_MINUTE = timedelta(minutes=1)
_APPLICATION: Mapping[str, Json] = {"batch": BATCH}
_RETURNED_BECAUSE: Mapping[str, Json] = {"reason": "登记表照片不清晰"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a step taken on many cases."""

    moved: int
    refused: tuple[Refused, ...]
    others: int
    """In conflict, or not open to the person."""

    def __add__(self, other: Done) -> Done:
        """Two people's work together."""
        return Done(
            moved=self.moved + other.moved, refused=self.refused + other.refused, others=self.others + other.others
        )


NOTHING = Done(moved=0, refused=(), others=0)


def later(sitting: Sitting, minutes: int) -> Sitting:
    """The same office, so many minutes on."""
    return replace(sitting, at=sitting.at + minutes * _A_MINUTE)


def apply_everywhere(sitting: Sitting, apart_from: str) -> Done:
    """At each teaching point the operator applies for every student on roll, but for the one who comes late."""
    done = NOTHING
    for site in SITES:
        path = sitting.desk.units()[site.code].path
        found = [one for one in records_under(sitting.desk.connection, path) if one.student_no != apart_from]
        cases = [(one.case.id, one.case.revision) for one in found]
        done += take_on(sitting, operator(site.code), "apply", cases, _APPLICATION)
    return done


def approve_everywhere(sitting: Sitting, apart_from: str) -> Done:
    """At each teaching point the approver works off the queue; the late application stays in it."""
    done = NOTHING
    for site in SITES:
        done += work_queue(sitting, approver(site.code), "site_approve", apart_from)
    return done


def work_queue(sitting: Sitting, login: str, trigger: str, apart_from: str = "") -> Done:
    """One person takes one step on everything that waits for it, as it stands on the page."""
    waiting = waiting_for(sitting.desk, sitting.desk.actor(login), sitting.at)
    cases = [(one.case, one.revision) for one in waiting if trigger in one.triggers and one.student_no != apart_from]
    return take_on(sitting, login, trigger, cases)


def students_waiting(sitting: Sitting, login: str, trigger: str) -> frozenset[str | None]:
    """The numbers of the students on whom a person may take a step."""
    waiting = waiting_for(sitting.desk, sitting.desk.actor(login), sitting.at)
    return frozenset(one.student_no for one in waiting if trigger in one.triggers)


def take_step(
    sitting: Sitting, login: str, student_no: str, trigger: str, fields: Mapping[str, Json] | None = None
) -> Moved | Refused:
    """One person takes one step on one student's record."""
    request = sitting.request(trigger, sitting.desk.actor(login), fields)
    outcome = move(sitting.desk, find_case(sitting.desk, student_no), request)
    if isinstance(outcome, Moved | Refused):
        return outcome
    message = f"'{trigger}' of {student_no} was given no request id, and yet it is taken for a repeated one"
    raise TypeError(message)


def file_own(sitting: Sitting, student_no: str, site: str) -> Refused | None:
    """A person who holds both roles applies for a student and tries to approve it; the answer, if it is a refusal."""
    login = both_in_one(site)
    take_step(sitting, login, student_no, "apply", _APPLICATION)
    outcome = take_step(later(sitting, 5), login, student_no, "site_approve")
    return outcome if isinstance(outcome, Refused) else None


def decide_twice(sitting: Sitting, student_no: str, site: str) -> StaleCase | None:
    """Two people look at the same case; one approves, then the other from the page of before: what that one is told."""
    case = find_case(sitting.desk, student_no)
    found = read_case(sitting.desk.connection, case)
    take_step(sitting, both_in_one(site), student_no, "site_approve")
    request = later(sitting, 1).request("site_approve", sitting.desk.actor(approver(site)))
    try:
        move(sitting.desk, case, replace(request, seen=found.case.revision if found else None))
    except StaleCase as stale:
        return stale
    return None


def return_once(sitting: Sitting, student_no: str, site: str) -> None:
    """The approver returns an application, and the operator files it again in the afternoon."""
    take_step(sitting, approver(site), student_no, "site_return", _RETURNED_BECAUSE)
    take_step(later(sitting, 300), operator(site), student_no, "apply", _APPLICATION)


def take_on(
    sitting: Sitting,
    login: str,
    trigger: str,
    cases: Sequence[tuple[int, int]],
    fields: Mapping[str, Json] | None = None,
) -> Done:
    """One person takes one step on many cases, as they stand on the page."""
    answer: BulkAnswer = move_many(sitting.desk, cases, sitting.request(trigger, sitting.desk.actor(login), fields))
    return Done(
        moved=len(answer.moved),
        refused=tuple(answer.refused),
        others=len(answer.conflicts) + len(answer.barred),
    )
