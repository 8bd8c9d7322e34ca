"""Recording what was decided elsewhere: steps on many cases, all of them or none.

`engine.bulk` answers case by case and keeps what can be kept. A sheet of results is one piece of paper: one row that
cannot be recorded stops the others (S001-I-6.0c).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.bulk import BulkAnswer, move_many
from engine.desk import Desk
from engine.errors import StaleCase, XuejiError
from engine.facts import FactRefusal
from engine.records import Json, Refused, Request, case_number
from engine.store.cases import read_cases


class Recording(NamedTuple):
    """One step with what it is given, and the cases it is recorded on, each with the revision it was seen at."""

    trigger: str
    fields: Mapping[str, Json]
    cases: Sequence[tuple[int, int]]


class Recorded(NamedTuple):
    """What recording did: nothing at all if anything was refused."""

    moved: int = 0
    refused: tuple[FactRefusal, ...] = ()


class WholeRefused(XuejiError):
    """Some of a whole is refused, so all of it is; carries the refusals, and rolls everything back."""

    def __init__(self, refused: tuple[FactRefusal, ...]) -> None:
        self.refused = refused
        super().__init__(f"{len(refused)} 名学生不符合规则，什么都没有写入。{len(refused)} students are refused.")


class NotTheirs(XuejiError):
    """A step that is not this person's to take, in the words it was refused in; rolls everything back."""


def record_all(desk: Desk, recordings: Sequence[Recording], request: Request) -> Recorded:
    """Take every step, or none; what rules refuse is an event of each case it concerns.

    Args:
        desk: Where the cases are worked.
        recordings: The steps; each case once.
        request: By whom and when; its trigger and fields are those of each recording.

    Raises:
        WholeRefused: If a case is refused for the sake of cases that its step fires; nothing was written.
        NotTheirs: If a step is not this person's to take; nothing was written.
        StaleCase: If somebody moved one of the cases meanwhile; nothing was written.
    """
    desk.refresh()
    with desk.connection.writing():
        refused = [two for one in recordings for two in _judged(desk, one, request)]
        if refused:
            return Recorded(refused=_refusals(desk, refused))
        return Recorded(moved=sum(_taken(desk, one, request) for one in recordings))


def _judged(desk: Desk, one: Recording, request: Request) -> list[Refused]:
    """Whom the rules refuse; only these are asked in earnest, so that their chains say so."""
    asked = replace(request, trigger=one.trigger, fields=one.fields)
    said = move_many(desk, one.cases, asked, dry_run=True)
    _demand_all(said)
    seen, against = dict(one.cases), [each.case.id for each in said.refused]
    if against:
        kept = move_many(desk, [(case, seen[case]) for case in against], asked)
        _demand_all(kept)
        if kept.moved:  # ready between the two questions, because of somebody else: ask for all of it again
            raise StaleCase(case_number(kept.moved[0]), seen[kept.moved[0]])
    return said.refused


def _taken(desk: Desk, one: Recording, request: Request) -> int:
    done = move_many(desk, one.cases, replace(request, trigger=one.trigger, fields=one.fields))
    _demand_all(done)
    if done.refused:
        raise WholeRefused(_refusals(desk, done.refused))
    return len(done.moved)


def _demand_all(answer: BulkAnswer) -> None:
    if answer.barred:
        raise NotTheirs(answer.barred[0][1])
    if answer.conflicts:
        raise StaleCase(case_number(answer.conflicts[0]), 0)


def _refusals(desk: Desk, refused: Iterable[Refused]) -> tuple[FactRefusal, ...]:
    verdicts = {one.case.id: one.verdicts for one in refused}
    found = read_cases(desk.connection, list(verdicts))
    told = [FactRefusal(student_no=one.student_no or "", verdicts=verdicts[case]) for case, one in found.items()]
    return tuple(sorted(told, key=lambda one: one.student_no))
