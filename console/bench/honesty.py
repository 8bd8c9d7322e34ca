"""The honesty check: what the yardstick writes is what the engine writes, row for row, before anybody is timed.

Everybody takes the cycle twice, on ten fresh cases of their own: a hundred moves each. Compared is every column that
does not name the case or its student, and after every act where the case waits; of an event its whole content and the
length of its bytes. Hashes, MACs and ids of requests must differ; their lengths may not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import orjson

from console.bench.scene import CYCLE, Act, Scene, requests
from engine.store.database import Connection, Row

CASES = 10
_CYCLES = 2
_NAMES_THE_CASE = ("chain", "prev", "request")

_BESIDE = {
    "lane": "role, at_path, trigger, workflow, shape, state, path, batch, lane, due_at, entered_at, in_person, leads,"
    " apart, hindrances, cautions, judged_at, rulebook",
    "lane_hand": "login",
    "deed": "seq, login, kind, trigger, at, giver, late",
}
"""What stands beside a case, without its number."""

Cycle = Callable[[Sequence[int], Act], None]
"""Takes one act of the cycle on some cases."""


class DishonestError(Exception):
    """The yardstick and the engine do not write the same rows: their ratio would mean nothing."""

    def __init__(self, name: str, theirs: object, ours: object) -> None:
        super().__init__(f"'{name}' does not write what the engine writes.\n{name}: {theirs}\nengine: {ours}")


def check_honesty(scene: Scene, everybody: Mapping[str, Cycle]) -> int:
    """Let everybody work and compare what they wrote with what the first, the engine, wrote.

    Returns:
        How many rows were compared with the engine's.

    Raises:
        DishonestError: Naming who differs, and the first row in which.
    """
    connection, written = scene.desk.connection, []
    for place, (name, cycle) in enumerate(everybody.items()):
        cases = scene.cases[place * CASES : (place + 1) * CASES]
        waited: list[object] = []
        for act in CYCLE * _CYCLES:
            cycle(cases, act)
            waited += [row for case in cases for row in _beside(connection, case)]
        written.append((name, [*waited, *(row for case in cases for row in _rows(connection, case))]))
    (_, ours), *rest = written
    for name, theirs in rest:
        for their, our in zip(theirs, ours, strict=True):
            if their != our:
                raise DishonestError(name, their, our)
    return len(ours) * len(rest)


def cycle_of(take: Callable[[int, Act, str], None]) -> Cycle:
    """The cycle by single steps."""

    def cycle(cases: Sequence[int], act: Act) -> None:
        for case, _, request in requests([act], cases):
            take(case, act, request)

    return cycle


def cycle_of_many(take: Callable[[Sequence[int], Act], None]) -> Cycle:
    """The cycle by acts on many cases."""
    return take


def _rows(connection: Connection, case: int) -> list[object]:
    """Everything the database holds of a case, without what names it."""
    found: list[object] = list(
        connection.execute(
            "SELECT workflow, shape, batch, state, revision, seq, length(head), fields, taken, rounds, opened_at,"
            " entered_at, sent_back FROM cases WHERE id = ?",
            (case,),
        ).fetchall()
    )
    events = connection.execute(
        "SELECT seq, request, body, hash, mac FROM event WHERE chain = ? AND seq > 1 ORDER BY seq", (case,)
    ).fetchall()
    found += map(_event, events)
    for table in ("outbox", "personal"):
        columns = "seq, recipient, message" if table == "outbox" else "seq"
        sql = f"SELECT '{table}', {columns} FROM {table} WHERE chain = ? ORDER BY {columns}"  # noqa: S608 constant
        found += connection.execute(sql, (case,)).fetchall()
    return found


def _beside(connection: Connection, case: int) -> list[object]:
    """Where a case waits, whom that is kept from, and the last that was done."""
    found: list[object] = []
    for table, columns in _BESIDE.items():
        last = "seq DESC LIMIT 1" if table == "deed" else columns
        sql = f"SELECT '{table}', {columns} FROM {table} WHERE case_id = ? ORDER BY {last}"  # noqa: S608 constant
        found += connection.execute(sql, (case,)).fetchall()
    return found


def _event(row: Row) -> tuple[object, ...]:
    seq, request, body, digest, mac = row
    content = orjson.loads(bytes(body))
    for name in _NAMES_THE_CASE:
        del content[name]
    return seq, len(request), len(body), len(digest), len(mac), content
