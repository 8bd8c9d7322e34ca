"""A clerk in a process of its own: takes one step on a list of cases, one by one or in bulk, and says what is done.

It is told its list (cases with the revisions seen) when it is to start, so that several clerks hold the same list and
begin at once. A word is said after the engine has answered and not before: what was said was acknowledged, whatever
happens to the clerk next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from engine import bulk
from engine.bulk import move_many
from engine.casework import move
from engine.desk import Desk
from engine.errors import StaleCase
from engine.records import Moved, Request
from tests.sabotage.office import Premises, asked

Cases = Sequence[tuple[int, int]]
Say = Callable[[str, list[int]], None]


def one_by_one(desk: Desk, cases: Cases, request: Request, told: Say) -> None:
    """Decide each case as a person does who has the list open."""
    for case, seen in cases:
        try:
            answer = move(desk, case, asked(desk, request.actor.login, request.trigger, seen=seen))
        except StaleCase:
            told("conflict", [case])
        else:
            told("moved" if isinstance(answer, Moved) else "other", [case])


def in_bulk(desk: Desk, cases: Cases, request: Request, told: Say) -> None:
    """Decide the whole list in one act, a line for every chunk."""
    for start in range(0, len(cases), bulk.CHUNK):
        answer = move_many(desk, cases[start : start + bulk.CHUNK], request)
        told("moved", answer.moved)
        told("conflict", answer.conflicts)
        told("other", [one.case.id for one in answer.refused] + [case for case, _ in answer.barred])


def main(line: Connection, url: str, key: str, *work: str) -> None:
    """Open the office, say so, wait for the list, work it; in chunks, or for 0 one by one."""
    login, trigger, chunk = work

    def say(word: str, cases: list[int]) -> None:
        line.send((word, cases))

    with Premises(url=url, key=Path(key)).opened() as office:
        request = asked(office.desk, login, trigger)
        say("ready", [])
        cases = line.recv()
        if int(chunk):
            bulk.CHUNK = int(chunk)
            in_bulk(office.desk, cases, request, say)
        else:
            one_by_one(office.desk, cases, request, say)
    say("done", [])
