"""The figures of a batch add up, wherever one looks from; days are what the trail says; so is the forecast."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.daybook import ends_of_days, keep_days, rebuild_days, series, today_of
from engine.eligibility import eligibility, judge_records
from engine.errors import Unknown
from engine.figures import Node, Road, Standing, chosen, lacks, road_of, tallies, tree
from engine.library import Library
from engine.pace import DAYS, DayOpen, EveryDay, Horizon, minutes_left, plan
from engine.records import Json, Moved, Request
from engine.relocating import relocate
from engine.roll_call import Roll, Rolls
from engine.store import figures
from engine.store.cases import read_case
from engine.store.figures import Line
from tests.engine.town import BATCH, ELSEWHERE, FIRST, NOW, SECOND, THIRD, Town

FILED = ("applied", "site_approved", "branch_approved", "provincially_audited", "registered")
ROAD = Road(start="enrolled", waiting=FILED[:-1], end=FILED[-1])


class Unit(NamedTuple):
    code: str
    path: str


UNITS = {
    code: Unit(code, path)
    for code, path in (
        ("SX", "/SX/"), ("B1", "/SX/B1/"), ("B2", "/SX/B2/"), ("S1", "/SX/B1/S1/"), ("S2", "/SX/B1/S2/"),
        ("S3", "/SX/B2/S3/"), ("S10", "/SX/B1/S10/"), ("XX", "/XX/"),
    )
}  # fmt: skip
RULES = ("G-1", "G-2", "G-3")
LACKING = st.lists(st.sampled_from(RULES), unique=True).map(lambda some: tuple(sorted(some)))


@st.composite
def students(draw: st.DrawFn) -> Standing:
    state = draw(st.sampled_from((*ROAD.states, "suspended", "withdrawn")))
    failing = draw(LACKING) if state == ROAD.start else ()
    undecided = tuple(one for one in draw(LACKING) if one not in failing) if state == ROAD.start else ()
    unit = draw(st.sampled_from(("S1", "S2", "S3", "S10", "B1")))
    return Standing(draw(st.integers(1, 10**9)), 1, unit, state, failing, undecided)


CLASSES = st.lists(students(), max_size=40)


def counted(standings: Sequence[Standing], node: Node, key: str) -> int:
    """A number of a unit, read off the students one by one."""
    choice, path = chosen(key, ROAD), UNITS[node.unit].path
    assert choice is not None
    return sum(choice(one) for one in standings if UNITS[one.unit].path.startswith(path))


@given(standings=CLASSES)
def test_every_number_of_every_unit_counts_exactly_the_students_its_link_leads_to(standings: list[Standing]):
    for node in tree(tallies(standings, ROAD), UNITS, "SX").walk():
        tally = node.tally
        plain = {
            name: getattr(tally, name) for name in ("expected", "takers", "filed", "open", "ready", "unready", "sole")
        }
        assert plain == {name: counted(standings, node, name) for name in plain}
        assert tally.ready + tally.filed == counted(standings, node, "complete")
        assert sum(tally.off.values()) == counted(standings, node, "off")
        for state in ROAD.stages:
            assert tally.passed(ROAD, state) == counted(standings, node, f"passed:{state}")
            assert tally.at.get(state, 0) == counted(standings, node, f"at:{state}")


@given(standings=CLASSES)
def test_the_units_below_add_up_to_the_unit_above_but_for_its_own_students(standings: list[Standing]):
    own = tallies(standings, ROAD)
    for node in tree(own, UNITS, "SX").walk():
        mine = own[node.unit].expected if node.unit in own else 0
        assert node.tally.expected == mine + sum(one.tally.expected for one in node.below)
    assert tree(own, UNITS, "SX").tally.expected == len(standings)


@given(standings=CLASSES)
def test_what_is_missing_is_counted_once_a_student_and_rule_and_its_parts_are_disjoint(standings: list[Standing]):
    found = {one.rule: one for one in lacks(standings)}
    plain = Counter(rule for one in standings for rule in one.lacking)
    assert {rule: one.students for rule, one in found.items()} == dict(plain)
    for rule, one in found.items():
        alone = [who for who in standings if who.lacking == (rule,)]
        assert (one.sole, one.sole_undecided) == (len(alone), sum(rule in who.undecided for who in alone))
        assert one.fails == sum(rule in who.failing for who in standings)
        assert sum(one.parts) == one.students
        assert min(one.parts) >= 0
    order = [(-one.sole, -one.students, one.rule) for one in lacks(standings)]
    assert order == sorted(order)


def test_a_site_whose_code_begins_like_anothers_is_another():
    standings = [Standing(1, 1, "S1", "enrolled"), Standing(2, 2, "S10", "enrolled")]

    top = tree(tallies(standings, ROAD), UNITS, "SX")

    assert [(one.unit, one.tally.expected) for one in top.walk()] == [("SX", 2), ("B1", 2), ("S1", 1), ("S10", 1)]


def test_a_name_that_is_no_number_of_the_page_chooses_nobody():
    assert chosen("nobody", ROAD) is None
    assert chosen("nothing:applied", ROAD) is None
    nobody = chosen("passed:lost", ROAD)
    assert nobody is not None
    assert not nobody(Standing(1, 1, "S1", "applied"))


# --- the road and the roll -----------------------------------------------------------------------


def test_the_main_road_leads_from_the_application_to_the_diploma(library: Library):
    for profile in ("online-ed", "open-university"):
        assert road_of(library.record(profile), "apply") == ROAD


class Called(NamedTuple):
    """A town with rolls of its own."""

    town: Town
    rolls: Rolls

    def roll(self, at: datetime = NOW) -> Roll:
        return self.rolls.of(self.town.desk, BATCH, at)

    def of(self, student_no: str, at: datetime = NOW) -> Standing:
        return self.roll(at).standings[self.town.record(student_no)]

    def afresh(self, at: datetime = NOW) -> dict[int, Standing]:
        return dict(Rolls(("level", "cohort")).of(self.town.desk, BATCH, at).standings)


@pytest.fixture
def called(town: Town) -> Called:
    return Called(town, Rolls(("level", "cohort")))


def test_the_roll_says_what_eligibility_says(called: Called):
    called.town.know(FIRST, fee_owed="5.00", photo_review=None)
    called.town.know(SECOND, level="高起本", cohort=2023)

    said = eligibility(called.town.desk, BATCH, called.town.request("e", "records.sx"))

    roll = {one.student: one for one in called.roll().standings.values()}
    for one in said:
        standing = roll[called.town.student(one.student_no).id]
        assert (standing.failing, standing.undecided, standing.unit) == (one.failed, one.undecided, one.unit)
    assert called.of(SECOND).marks == {"level": "高起本", "cohort": 2023}


def test_only_those_are_called_again_to_whom_something_has_happened(called: Called, monkeypatch: pytest.MonkeyPatch):
    called.roll()
    asked: list[str | None] = []

    def watched(desk, chunk, request):
        asked.extend(one.student_no for one in chunk)
        return judge_records(desk, chunk, request)

    monkeypatch.setattr("engine.roll_call.judge_records", watched)
    first = called.roll()
    called.town.know(FIRST, fee_owed="5.00")

    assert called.of(FIRST).failing == ("G-GR-07",)
    assert asked == [FIRST]
    assert called.roll().version != first.version
    assert called.roll() is called.roll()


def relocated(town: Town, student_no: str, unit: str, at: datetime) -> None:
    """The student goes to another unit, as the effect of a step would have it."""
    request = Request(trigger="relocate", actor=town.actor("import"), at=at)
    with town.connection.writing():
        found = read_case(town.connection, town.record(student_no))
        assert found is not None
        relocate(town.desk, found, unit, request, {"case": found.case.number, "seq": found.case.head.seq})


def changing(town: Town, student_no: str) -> None:
    """A change of information is begun, which keeps the student from applying."""
    asked: dict[str, Json] = {"item": "name", "kind": "entry_error", "new_value": "测验"}
    outcome = town.open(("student-information-change", "draft"), student_no, "operator.s1", **asked)
    assert isinstance(outcome, Moved), outcome


def test_a_kept_roll_is_the_roll_called_afresh_whatever_happens(called: Called):
    town = called.town
    called.roll()
    acts = (
        lambda: town.know(THIRD, form_signed=False),
        lambda: town.advance(FIRST, "applied"),
        lambda: town.take(SECOND, "suspend", "records.sx"),
        lambda: changing(town, THIRD),
        lambda: relocated(town, ELSEWHERE, "S1", NOW),
        lambda: town.go(FIRST, (("cancel_application", "operator.s1"),)),
    )
    for act in acts:
        act()
        assert called.roll().standings == called.afresh()
    assert called.of(THIRD).failing == ("G-GR-03", "G-GR-08", "G-SC-07")


def test_another_day_may_say_otherwise_and_everybody_is_called_again(called: Called):
    called.town.know(FIRST, max_study_until="2024-04-20")

    assert called.of(FIRST).failing == ()
    assert called.of(FIRST, NOW + timedelta(days=1)).failing == ("G-GR-24",)


def test_who_applied_in_another_batch_is_not_in_this_one(called: Called):
    with pytest.raises(Unknown, match="2024-06"):
        called.rolls.of(called.town.desk, "2024-6", NOW)
    assert called.town.record(FIRST) in called.roll().standings
    called.town.edit(("cases", "fields"), '{"batch":"another"}', id=called.town.record(FIRST))
    called.town.edit(("cases", "state"), "applied", id=called.town.record(FIRST))
    assert called.town.record(FIRST) not in called.afresh()


# --- days ----------------------------------------------------------------------------------------


def at_day(day: int) -> datetime:
    return datetime(2024, 4, day, 4, tzinfo=UTC)


def test_a_day_ends_where_the_last_event_before_midnight_in_shanghai_left_each_student(town: Town):
    town.take(FIRST, "apply", "operator.s1", at=datetime(2024, 4, 21, 15, 59, tzinfo=UTC))
    town.take(SECOND, "apply", "operator.s1", at=datetime(2024, 4, 21, 16, 1, tzinfo=UTC))
    town.take(FIRST, "cancel_application", "operator.s1", at=at_day(23))

    rebuild_days(town.desk, BATCH, at_day(25))

    lines = figures.days(town.connection, BATCH, "/GK/SX/")
    states = {
        day: {one.state: one.students for one in lines if one.day == day and one.unit == "S1"}
        for day in {one.day for one in lines}
    }
    assert states["2024-04-20"] == {"enrolled": 3}
    assert states["2024-04-21"] == {"applied": 1, "enrolled": 2}
    assert states["2024-04-22"] == {"applied": 2, "enrolled": 1}
    assert states["2024-04-23"] == states["2024-04-24"] == {"applied": 1, "enrolled": 2}
    assert "2024-04-25" not in states, "a day that is not over is counted live"
    road = road_of(town.desk.library.record("online-ed"), "apply")
    assert series(lines, road)[-1] == DayOpen(date(2024, 4, 24), 1, 3)
    roll = Rolls().of(town.desk, BATCH, at_day(25))
    today = date(2024, 4, 25)
    assert today_of(roll.standings.values(), road, today) == {"S1": DayOpen(today, 1, 2), "S2": DayOpen(today, 0, 1)}


def test_days_kept_night_after_night_are_those_rebuilt_at_the_end(town: Town):
    acts = {
        21: lambda at: town.take(FIRST, "apply", "operator.s1", at=at),
        22: lambda at: relocated(town, SECOND, "S2", at),
        23: lambda at: town.take(FIRST, "site_approve", "approver.s1", at=at),
        24: lambda at: town.take(THIRD, "suspend", "records.sx", at=at),
    }
    for day in range(21, 26):
        keep_days(town.desk, at_day(day))
        if day in acts:
            acts[day](at_day(day))
    kept = figures.days(town.connection, BATCH, "/GK/")
    assert keep_days(town.desk, at_day(25)) == 0, "a second time there is nothing to keep"

    written = rebuild_days(town.desk, BATCH, at_day(25))

    assert figures.days(town.connection, BATCH, "/GK/") == kept
    assert written == len(kept)
    assert sum(one.students for one in kept if one.day == "2024-04-24") == 4


def test_a_unit_sees_its_own_days_only(town: Town):
    rebuild_days(town.desk, BATCH, at_day(22))
    assert {one.unit for one in figures.days(town.connection, BATCH, "/GK/SX/B1/")} == {"S1"}
    assert figures.days_together(town.connection, BATCH, "/GK/SX/")[-1] == Line("2024-04-21", "", "enrolled", 4)
    assert figures.days(town.connection, BATCH, "/GK/", "2024-04-22") == []


def test_a_student_counts_from_the_day_it_joined(town: Town):
    record = town.record(FIRST)
    lines = ends_of_days(town.desk, {record: date(2024, 4, 22)}, date(2024, 4, 23))
    assert lines == [Line("2024-04-22", "S1", "enrolled", 1), Line("2024-04-23", "S1", "enrolled", 1)]


# --- pace ----------------------------------------------------------------------------------------

MONDAY = datetime(2024, 5, 13, 8, 20, tzinfo=UTC)
"""16:20 on the clocks of Shanghai."""
DUE = datetime(2024, 5, 15, 15, 59, 59, tzinfo=UTC)


class Weekdays:
    """Saturdays and Sundays are free, but for the 11th of May 2024."""

    def is_working_day(self, day: date, /) -> bool:
        return day.weekday() < 5 or day == date(2024, 5, 11)


def line_of(filed: Sequence[int], until: date, total: int) -> list[DayOpen]:
    first = until - timedelta(days=len(filed) - 1)
    return [DayOpen(first + timedelta(days=place), count, total - count) for place, count in enumerate(filed)]


def test_the_pace_of_five_working_days_is_carried_on_over_the_working_time_left():
    days = line_of([363, 363, 436, 509, 582, 655, 728, 728], date(2024, 5, 12), 1140)
    now = DayOpen(date(2024, 5, 13), 728, 412)

    found = Horizon(MONDAY, DUE, Weekdays()).forecast(days, now)

    assert minutes_left(MONDAY, DUE, Weekdays()) == 2 * 1440 + 460
    assert found is not None
    assert (found.per_day, found.gained) == (73, 365)
    assert found.left == 412 - 365 * 3340 // 7200
    assert found.needed == 178
    assert found.done_on == date(2024, 5, 21)


def test_with_less_than_five_working_days_nothing_is_foretold():
    days = line_of([100, 120, 140, 160], date(2024, 5, 12), 500)
    assert Horizon(MONDAY, DUE, Weekdays()).forecast(days, DayOpen(date(2024, 5, 13), 180, 320)) is None
    assert Horizon(MONDAY, DUE, Weekdays()).forecast([], DayOpen(date(2024, 5, 13), 0, 5)) is None


def test_when_more_is_taken_back_than_filed_the_pace_is_none_and_never_below():
    days = line_of([50, 40, 30, 30, 20, 20, 10, 10, 0], date(2024, 5, 12), 60)
    found = Horizon(MONDAY, DUE, Weekdays()).forecast(days, DayOpen(date(2024, 5, 13), 0, 60))
    assert found is not None
    assert (found.gained, found.left, found.done_on) == (0, 60, None)


def test_after_the_deadline_no_time_is_left_and_all_that_is_open_is_late():
    days = line_of([0, 0, 10, 20, 30, 40, 50, 60], date(2024, 5, 15), 100)
    late = datetime(2024, 5, 16, 1, tzinfo=UTC)
    found = Horizon(late, DUE, Weekdays()).forecast(days, DayOpen(date(2024, 5, 16), 60, 40))
    assert found is not None
    assert (found.left, found.needed) == (40, None)


@given(
    counts=st.lists(st.integers(0, 300), min_size=12, max_size=30),
    waiting=st.integers(0, 500),
    hours=st.integers(0, 400),
)
def test_the_forecast_lies_between_nothing_and_everything_that_is_open(counts: list[int], waiting: int, hours: int):
    days = line_of(counts, date(2024, 5, 12), 1000)
    due = MONDAY + timedelta(hours=hours)
    found = Horizon(MONDAY, due, EveryDay()).forecast(days, DayOpen(date(2024, 5, 13), 0, waiting))
    assert found is not None
    assert 0 <= found.left <= waiting
    plain = (counts[-1] - counts[-1 - DAYS]) * hours * 60 / (DAYS * 1440)
    assert abs(found.left - min(waiting, max(0, waiting - max(0, plain)))) <= 1
    if found.left == 0 and waiting and hours:
        assert found.needed is None or found.needed <= found.per_day + 1
        assert found.done_on is not None


@given(count=st.integers(0, 2000), length=st.integers(0, 60))
def test_the_plan_falls_on_working_days_only_and_ends_with_nobody_left(count: int, length: int):
    first = date(2024, 5, 13)
    line = list(plan(first, first + timedelta(days=length), count, Weekdays()))
    assert line[-1][1] == 0
    for (_, before), (day, after) in itertools.pairwise(line):
        assert after <= before
        if not Weekdays().is_working_day(day):
            assert after == before
