"""A clerk in a process of its own: takes one step on a list of cases, one by one or in bulk, and says what is done.

`python -m tests.faults.clerk URL KEY LOGIN TRIGGER CHUNK` reads its list (cases with the revisions seen) and its start
from standard input, so that several clerks hold the same list and begin at once. A line is written after the engine has
answered and not before: what stands there was acknowledged, whatever happens to the clerk next. CHUNK 0 is one by one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from engine import bulk
from engine.bulk import move_many
from engine.casework import move
from engine.desk import Desk
from engine.errors import StaleCase
from engine.records import Moved, Request
from tests.sabotage.office import Premises, asked

Cases = Sequence[tuple[int, int]]
Say = Callable[[str, list[int]], None]


def say(what: str, cases: list[int]) -> None:
    """One acknowledged line."""
    sys.stdout.buffer.write(orjson.dumps([what, cases]) + b"\n")
    sys.stdout.buffer.flush()


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


def main(url: str, key: str, login: str, trigger: str, chunk: int) -> None:
    """Open the office, say so, wait for the list, work it."""
    with Premises(url=url, key=Path(key)).opened() as office:
        request = asked(office.desk, login, trigger)
        say("ready", [])
        cases = orjson.loads(sys.stdin.buffer.readline())
        if chunk:
            bulk.CHUNK = chunk
            in_bulk(office.desk, cases, request, say)
        else:
            one_by_one(office.desk, cases, request, say)
    say("done", [])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
