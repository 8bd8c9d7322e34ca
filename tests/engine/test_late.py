"""A step taken after its deadline is taken, and stands in the trail as late (逾期); a step in time does not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from engine.casework import move
from engine.library import Library
from engine.records import Moved, Request
from tests.engine.lab import CHECK, lending, loan
from tests.engine.town import NOW

WEEK: Mapping[str, Mapping[str, object]] = {
    "D-01": {"title": {"zh": "审核期限", "en": "Check"}, "while": "asked", "due": "days_after(case.opened_on, 7)"},
    "D-02": {"title": {"zh": "另一期限", "en": "Another"}, "while": "checked", "due": "days_after(case.opened_on, 1)"},
}


@pytest.mark.parametrize(("days", "late"), [(7, None), (8, ["D-01"])])
def test_only_the_step_after_the_last_day_is_marked_late(district_url: str, library: Library, days: int, late: object):
    with lending(district_url, library, loan(CHECK, deadlines=WEEK)) as (town, case):
        at = NOW + timedelta(days=days)
        outcome = move(town.desk, case, Request(trigger="check", actor=town.actor("approver.s1"), at=at))
        assert isinstance(outcome, Moved)
        assert town.events(case)[-1]["data"].get("late") == late
        assert town.replayed().diverged == ()
