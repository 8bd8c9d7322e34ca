"""Facts of units on either database: deadlines below the unit move with them, and steps taken later see them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from engine.library import Library
from engine.records import Moved
from engine.store.deadlines import of_case
from engine.store.registry import set_unit_facts
from engine.trail.event import moment
from engine.unit_facts import change_unit
from tests.engine.lab import loan, opened, working
from tests.engine.town import ELSEWHERE, Town

TITLE = {"zh": "某", "en": "Some"}
SITE_OPERATOR = {"by": "site_operator"}
READS_THE_BRANCH = loan(
    {"check": {**SITE_OPERATOR, "from": "asked", "to": "checked"}},
    deadlines={"L-1": {"title": TITLE, "while": ["checked"], "due": "branch.first_meeting_on"}},
)
MEETING = "first_meeting_on"


def due(town: Town, case: int) -> str | None:
    [row] = of_case(town.connection, case)
    return None if row.due_at is None else moment(row.due_at)


def meets(town: Town, unit: str, day: str) -> None:
    """The records section says when, for the town's vocabulary names nobody whom it has."""
    change_unit(town.desk, unit, {MEETING: day}, town.request("unit_set", "records.sx"))


def for_anybody(library: Library) -> Library:
    """The shipped library, in which a class meeting is written by the records section."""
    vocabulary = library.rulebook.vocabulary
    fact = vocabulary.unit[MEETING].model_copy(update={"written_by": ()})
    vocabulary = vocabulary.model_copy(update={"unit": {**vocabulary.unit, MEETING: fact}})
    return replace(library, rulebook=library.rulebook.model_copy(update={"vocabulary": vocabulary}))


def test_a_date_of_the_unit_above_moves_the_deadlines_below_it_and_no_others(district_url: str, library: Library):
    with working(district_url, for_anybody(library), [READS_THE_BRANCH]) as town:
        here, there = opened(town, "loan"), opened(town, "loan", ELSEWHERE)
        for case, login in ((here, "operator.s1"), (there, "operator.s2")):
            assert isinstance(town.decided(case, "check", login), Moved)
        assert (due(town, here), due(town, there)) == (None, None)

        meets(town, "B1", "2024-05-20")
        assert (due(town, here), due(town, there)) == ("2024-05-20T15:59:59.000000Z", None)
        meets(town, "B1", "2024-05-22")
        assert due(town, here) == "2024-05-22T15:59:59.000000Z"
        assert town.replayed().diverged == ()


def test_what_was_read_in_an_act_that_was_taken_back_is_read_again(town: Town):
    desk = town.desk
    desk.as_of(1)
    code, before = next((code, row.facts) for code, row in desk.units().items())

    with suppress(LookupError), town.connection.writing():
        set_unit_facts(town.connection, code, {MEETING: "2024-05-01"})
        desk.refresh()
        assert desk.units()[code].facts != before
        raise LookupError

    desk.as_of(1)
    assert desk.units()[code].facts == before
