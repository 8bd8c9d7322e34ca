"""What lanes, deeds and marks should be, whatever has happened: what would be made now."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.actors import TIMER
from engine.desk import Desk
from engine.lane_rebuilding import as_made_now
from engine.lanes import FAR, refresh
from engine.records import Request
from engine.store.lanes import Lane, Standing, all_deeds, all_hands, all_rows


def lanes_agree(desk: Desk, at: datetime) -> None:
    """Every row that is kept is the one that would be made now, once the clock has done its part."""
    request = Request(trigger="lanes", actor=TIMER, at=at + FAR + timedelta(seconds=1))
    refresh(desk, request)
    lanes, deeds, marks = as_made_now(desk, request)
    with desk.connection.reading():
        kept, done = [*all_rows(desk.connection)], [*all_deeds(desk.connection)]
        hands = sorted(all_hands(desk.connection))
    before, now = [*map(_timeless, kept)], [*map(_timeless, lanes)]
    assert before == now, {*before} ^ {*now}
    assert hands == sorted({(row.case, login) for row in lanes for login in Standing(row.case, (row,)).hands})
    assert done == deeds
    rows = desk.connection.execute("SELECT id, marks FROM student WHERE marks IS NOT NULL").fetchall()
    assert {int(student): str(text) for student, text in rows} == marks


def _timeless(row: Lane) -> Lane:
    return row._replace(judged_at="", rulebook="")
