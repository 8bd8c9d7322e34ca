"""A queue: its first page and the numbers over it, with a thousand cases for one person and with a hundred thousand."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

from console.bench.bulk import takers_of_many
from console.bench.results import Line
from console.bench.scene import AT, CYCLE, Scene
from engine.lane_queries import Queue
from engine.store.database import Connection
from engine.store.lanes import COLUMNS as LANE_COLUMNS

NAME = "queue"
FEW, MANY = 1_000, 100_000
_LOOKS = 30
_OF_CASES = (
    "workflow, shape, student, unit, path, batch, state, revision, seq, head, fields, taken, rounds, opened_at,"
    " entered_at"
)
_OF_LANES = LANE_COLUMNS.removeprefix("case_id, ")
_SPREAD = (
    "UPDATE lane SET lane = CASE WHEN case_id % 20 = 0 THEN 0 WHEN case_id % 20 < 3 THEN 1 ELSE 2 END,"
    " hindrances = CASE WHEN case_id % 40 = 0 THEN '|electronic-photo=1|' WHEN case_id % 20 = 0"
    " THEN '|file-reviewed=1|' END,"
    " due_at = CASE WHEN case_id % 3 = 0 THEN '2024-05-15T16:00:00.000000Z' ELSE '2024-05-20T16:00:00.000000Z' END"
)


def run_queue(scene: Scene) -> list[Line]:
    """Time what a page of a queue asks for, with few cases and with many; `scene` has as many records as `FEW`."""
    take = next(iter(takers_of_many(scene).values()))
    take(scene.cases, CYCLE[0])
    connection = scene.desk.connection
    connection.execute(_SPREAD)
    approver = scene.actors["approver"]

    def look() -> None:
        queue = Queue(connection, approver, AT)
        queue.counts()
        queue.page()

    def group() -> None:
        Queue(connection, approver, AT).hindrances()

    few = _milliseconds(look)
    multiply(connection, FEW, MANY // FEW)
    connection.execute(_SPREAD)
    many = _milliseconds(look)
    return [
        Line(race=NAME, what=f"counts and a page, {FEW:,} waiting", value=few, unit="ms"),
        Line(race=NAME, what=f"counts and a page, {MANY:,} waiting", value=many, unit="ms"),
        Line(race=NAME, what=f"what holds up a twentieth of {MANY:,}", value=_milliseconds(group), unit="ms"),
        Line(race=NAME, what=f"{MANY:,} / {FEW:,}", value=many / few, unit="×", promised=3.0, at_most=True),
    ]


def multiply(connection: Connection, cases: int, times: int) -> None:
    """Copy every case and its place in a lane until there are so many times as many; nothing else is copied."""
    with connection.writing():
        for number in range(1, times):
            for table, key, columns in (("cases", "id", _OF_CASES), ("lane", "case_id", _OF_LANES)):
                connection.execute(
                    f"INSERT INTO {table} ({key}, {columns}) SELECT {key} + ?, {columns} FROM {table}"  # noqa: S608 constant
                    f" WHERE {key} <= ?",
                    (number * cases, cases),
                )
    connection.execute("ANALYZE")


def _milliseconds(look: Callable[[], None]) -> float:
    """The median of some looks, after one that warms the caches."""
    look()
    spans = []
    for _ in range(_LOOKS):
        start = perf_counter()
        look()
        spans.append(perf_counter() - start)
    return median(spans) * 1000
