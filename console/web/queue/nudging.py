"""催办 from the queue: those who can mend what one rule holds up there, each in one message; shown first, then sent.

The selection is kept and sent as from the page of a batch (`console.web.batches.nudging`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby, islice

from console.web.batches.nudging import keep
from console.web.faults import NotFound
from console.web.queue.filtering import Filter
from console.web.queue.waiting import waiting_for
from console.web.visit import Visit
from engine.lane_queries import Placed
from engine.store import urgings
from engine.urging import Nudge

MOST = 1_000
"""Cases whose people are told at once; more is a matter for the page of the batch."""


def choose(visit: Visit, rule: str, asked: Filter) -> str:
    """Keep whom to tell of what a rule holds up under a filter; the handle of the selection.

    Raises:
        NotFound: If there is no such rule, nobody mends it, or it holds nothing up.
    """
    book = visit.desk.library.rulebook
    known = book.rules.get(rule)
    if known is None or known.title is None or known.remedy is None:
        raise NotFound
    held = asked.with_(lane="blocked", rule=rule, case="", after="")
    found = list(islice(chain.from_iterable(waiting_for(visit, asked).pages(held)), MOST))
    what = f"请办“{known.title.zh}”——{known.remedy.zh}"
    role = known.remedy.by
    nudges = list(_to_students(rule, what, found) if role == "student" else _to_staff(visit, (role, rule), what, found))
    return keep(visit, ("", asked.with_(case="", after="").address()), nudges)


def _to_students(rule: str, what: str, found: Sequence[Placed]) -> Iterator[Nudge]:
    return (Nudge(case=one.case, role="student", about=rule, why=f"{what}。") for one in found)


def _to_staff(visit: Visit, mender: tuple[str, str], what: str, found: Sequence[Placed]) -> Iterator[Nudge]:
    """One message to those who hold the role at a unit, for all of its cases."""
    role, rule = mender
    for path, some in groupby(sorted(found, key=lambda one: (one.row.path, one.case)), lambda one: one.row.path):
        here, unit = list(some), path.rstrip("/").rpartition("/")[2]
        why = f"{what}（{visit.desk.units()[unit].name} {len(here)} 名学生）。"
        yield Nudge(case=here[0].case, role=role, about=rule, why=why, unit=unit)


def told(visit: Visit, handle: str) -> str:
    """What came of a selection the visitor has sent, in a sentence; empty where there is none."""
    row = urgings.urging(visit.desk.connection, handle)
    if row is None or row.login != visit.login or row.result is None:
        return ""
    result = row.result
    return visit.say(
        "已催办：待发 {b} · 没有地址 {c} · 今天已催过 {d}", b=result["told"], c=result["silent"], d=result["again"]
    )
