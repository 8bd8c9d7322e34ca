"""Two desks at once: a row is right whichever of a step and what its deadline reads is written first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

from engine.actors import TIMER
from engine.casework import move
from engine.library import Library
from engine.publishing import change_batch
from engine.records import Request
from engine.store.database import CONTENTION_ERRORS
from engine.timers import Firing, fire_timer
from tests.engine.clocks import TERM, agree, rows, scan, ticking
from tests.engine.lab import opened
from tests.engine.town import FIRST, SECOND

ROUNDS = 6


def test_rows_are_right_whoever_is_first_the_step_or_the_new_date_of_the_batch(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        cases = [opened(town, "loan", student, batch=TERM) for student in (FIRST, SECOND) for _ in range(ROUNDS)]
        for case in cases:
            move(town.desk, case, town.request("put_aside", "approver.s1"))
    start = Barrier(2, timeout=30)

    def take_up() -> None:
        with ticking(district_url, library) as town:
            start.wait()
            for case in cases:
                move(town.desk, case, town.request("take_up", "approver.s1"))

    def set_dates() -> None:
        with ticking(district_url, library) as town:
            start.wait()
            for day in range(10, 10 + ROUNDS):
                try:
                    change_batch(town.desk, TERM, {"photo_by": f"2024-06-{day}"}, town.request("set", "records.sx"))
                except CONTENTION_ERRORS:
                    continue  # two who waited for each other: the registrar tries again

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(take_up), pool.submit(set_dates)]:
            done.result()
    with ticking(district_url, library) as town:
        agree(town)


def test_two_clocks_that_saw_the_same_row_fire_its_timer_once(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = opened(town, "loan", FIRST, batch=TERM)
        at = datetime(2024, 5, 30, 15, 59, 59, tzinfo=UTC)
        scan(town, at)
        seen = rows(town, case)["over"]
        request = Request(trigger="scan", actor=TIMER, at=datetime(2024, 5, 31, tzinfo=UTC))
        with ticking(district_url, library) as other:
            assert scan(other, request.at) == [Firing.FIRED]
        assert fire_timer(town.desk, seen, request) is Firing.NOTHING
        assert [event["data"].get("trigger") for event in town.events(case)].count("lapse") == 1
        agree(town)
