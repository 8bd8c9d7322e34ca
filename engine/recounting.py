"""Dates are counted anew by themselves once another calendar is in force, whoever brought it: two persons, a release.

A worker does it (`carry_on`): some hundreds of cases a transaction, and how far it has come is written in the same one.
So nothing is half done, whoever is cut off goes on where it was, and what is counted already does not move again.
What was counted is told of by `deadline_moved` events, whose cause is the event that published the rulebook.
`engine.extending.recount` stays for whoever does not want to wait.

Source: requirements.md, INV-DL-1; the console's specification, 7.11.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from engine.actors import TIMER
from engine.desk import Desk
from engine.library import content_hash
from engine.records import Request
from engine.settling import cause_of, settle
from engine.store import deadlines, published, registry
from engine.store.database import Connection
from engine.trail.event import REGISTRY

GRACE = timedelta(minutes=1)
"""For a few seconds processes beside still go by the old calendar; what they count then is counted anew after them."""
_CHUNK = 500
_NAME = "calendar"
"""Of the setting."""
_TRIGGER = "deadline_recount"


class Recount(BaseModel):
    """By which calendar the dates that stand were counted, and how far counting them by another one has come.

    Attributes:
        counted_by: The content hash of the calendar.
        counting: Of the one by which they are being counted; None: all are counted.
        since: When that began; the first cases are counted `GRACE` later.
        ended: When it ended; None before, and where nothing was ever counted anew.
        cause: The place in the registry's chain of the event that brought the calendar.
        cases: How many there were to look at.
        looked: How many of them were looked at.
        moved: How many deadlines moved.
        after: The last case that was looked at.
    """

    model_config = ConfigDict(frozen=True)

    counted_by: str
    counting: str | None = None
    since: datetime | None = None
    ended: datetime | None = None
    cause: int | None = None
    cases: int = 0
    looked: int = 0
    moved: int = 0
    after: int = 0


def how_far(connection: Connection) -> Recount | None:
    """How counting anew stands; None in a database where no calendar was noted yet."""
    text = registry.setting(connection, _NAME)
    return None if text is None else Recount.model_validate_json(text)


def note_calendar(desk: Desk) -> None:
    """Note by which calendar dates were counted until now, where nobody has; in the transaction that brings another."""
    if registry.setting(desk.connection, _NAME) is None:
        _write(desk, Recount(counted_by=calendar_of(desk)))


def calendar_of(desk: Desk) -> str:
    """The content hash of the calendar in force."""
    return content_hash(desk.library.rulebook.calendar)


def carry_on(desk: Desk, calendar: str, go_on: Callable[[], datetime | None]) -> int:
    """Begin counting anew if another calendar is in force than dates were counted by, or go on with it.

    Args:
        desk: Where the cases are worked, by what is in force.
        calendar: `calendar_of` it, which does not change while a process works by it.
        go_on: The moment to go by; None: it is time to stop, for now.

    Returns:
        The number of deadlines that moved.

    Raises:
        StaleCase: If somebody else moved one of the cases meanwhile; the next one to carry on begins with it.
    """
    kept, at = how_far(desk.connection), go_on()
    if at is None or (kept is not None and kept.counting is None and kept.counted_by == calendar):
        return 0
    if kept is None or kept.counting != calendar:
        with desk.connection.writing():
            _write(desk, Recount(counted_by=calendar) if kept is None else _begun(desk, kept, calendar, at))
        return 0
    if kept.since is not None and at - kept.since < GRACE:
        return 0
    desk.refresh()
    timed, before = _timed(desk), kept.moved
    cause = None if kept.cause is None else cause_of(REGISTRY, kept.cause)
    while at is not None and kept.counting is not None:
        with desk.connection.writing():
            cases = deadlines.cases_after(desk.connection, timed, kept.after, _CHUNK) if timed else []
            request = Request(trigger=_TRIGGER, actor=TIMER, at=at)
            moved = settle(desk, dict.fromkeys(cases, cause), request) if cases else 0
            kept = _further(kept, cases, moved) if cases else _ended(kept, at)
            _write(desk, kept)
        at = go_on()
    return kept.moved - before


def _begun(desk: Desk, kept: Recount, calendar: str, at: datetime) -> Recount:
    timed = _timed(desk)
    return Recount(
        counted_by=kept.counted_by,
        counting=calendar,
        since=at,
        cause=published.place_of_rulebook(desk.connection, desk.rulebook),
        cases=deadlines.how_many(desk.connection, timed) if timed else 0,
    )


def _further(kept: Recount, cases: list[int], moved: int) -> Recount:
    done = {"looked": kept.looked + len(cases), "moved": kept.moved + moved, "after": cases[-1]}
    return kept.model_copy(update=done)


def _ended(kept: Recount, at: datetime) -> Recount:
    return kept.model_copy(update={"counted_by": kept.counting, "counting": None, "ended": at})


def _timed(desk: Desk) -> list[str]:
    """The definitions with deadlines that have cases."""
    return [shape for shape in desk.shapes_in_use() if desk.definition(shape).deadlines]


def _write(desk: Desk, kept: Recount) -> None:
    registry.put_setting(desk.connection, _NAME, kept.model_dump_json())
