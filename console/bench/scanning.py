"""A scan for what is due about deadlines among few and among many that are open: it costs what is due, not what exists.

What is due are reminders of fees that students owe. What is merely open are rows of the next year, put in by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median
from time import perf_counter

from console.bench.results import Line
from console.bench.scene import AT, BATCH, PROVINCE, SETUP, SITES, found_province, open_records
from engine.actors import IMPORT
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.facts import write_facts
from engine.organisation import add_units, give_role
from engine.publishing import publish_batch
from engine.records import Request
from engine.store.cases import records_under
from engine.store.database import Connection
from engine.store.registry import UnitRow
from notifications.scanning import scan

NAME = "scan"
_MOST_TIMES = 3.0
"""A hundred times as many open deadlines may cost three times as much at most."""
_FEW = 100
_PAGE = 500
_ROUNDS = 3
_FIRST_DAY = datetime(2024, 5, 18, 10, 0, tzinfo=SHANGHAI)
"""Everything has been due for days: each later day brings each of those who owe one reminder, and their site one."""
_FILL = (
    "INSERT INTO deadline (case_id, name, due_at, settled, extended, sequence, told_at, blocked, next_at)"
    " WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    " SELECT 1000000000 + i, 'D-02', '2025-12-31T15:59:59.000000Z', FALSE, FALSE, 1, '2024-04-20T02:00:00.000000Z',"
    " FALSE, '2025-0' || (1 + i - i / 9 * 9) || '-01T01:00:00.000000Z' FROM n"
)


class NotDueError(Exception):
    """A scan did not find what was made due, so its time would mean nothing."""


def run_scan(desk: Desk, open_rows: int, due: int) -> list[Line]:
    """Scan on a few days with a hundredth of the rows open, then on a few more with all of them."""
    _owing(desk, due)
    day = _days()
    scan(desk, next(day), _PAGE)  # marks late and escalates, which the days to be timed do not
    _fill(desk.connection, 0, open_rows // _FEW)
    few = median(_timed(desk, next(day), due) for _ in range(_ROUNDS))
    _fill(desk.connection, open_rows // _FEW, open_rows)
    many = median(_timed(desk, next(day), due) for _ in range(_ROUNDS))
    return [
        Line(race=NAME, what=f"{due:,} due of {open_rows // _FEW:,} open", value=few * 1000, unit="ms"),
        Line(race=NAME, what=f"{due:,} due of {open_rows:,} open", value=many * 1000, unit="ms"),
        Line(race=NAME, what="the second to the first", value=many / few, unit="×", promised=_MOST_TIMES, at_most=True),
    ]


def _days() -> Iterator[datetime]:
    return (_FIRST_DAY + timedelta(days=count) for count in range(2 * _ROUNDS + 1))


def _timed(desk: Desk, at: datetime, due: int) -> float:
    start = perf_counter()
    done = scan(desk, at, _PAGE)
    seconds = perf_counter() - start
    if done.told < due:
        raise NotDueError(done)
    return seconds


def _owing(desk: Desk, students: int) -> None:
    """Students with whom everything is in order but the fees, and the batch that reminds them."""
    found_province(desk)
    site = SITES[0]
    branch = UnitRow(code=site.branch_code, name=site.branch, kind="branch", parent=PROVINCE, path="", profile=None)
    below = UnitRow(code=site.code, name=site.name, kind="site", parent=site.branch_code, path="", profile=None)
    add_units(desk, [branch, below], at=AT, actor=SETUP)
    for login, role, unit in (("operator", "site_operator", site.code), ("recorder", "records_section", PROVINCE)):
        give_role(desk, login, role, unit, at=AT, actor=SETUP)
    open_records(desk, students)
    owed = {str(one.student_no): {"fee_owed": "1280.50"} for one in records_under(desk.connection)}
    write_facts(desk, owed, Request(trigger="facts", actor=IMPORT, at=AT))
    publish_batch(desk, BATCH, Request(trigger="publish", actor=desk.actor("recorder"), at=AT))


def _fill(connection: Connection, first: int, last: int) -> None:
    """Rows that are open and not due, with the statistics that a database takes of itself in time."""
    with connection.writing():
        connection.execute(_FILL.format(first=first + 1, last=last))
    connection.execute("ANALYZE deadline")
