"""The shipped deadlines keep the order, the times of day and the readings that the requirements give them (part 4)."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.deadlines import Before, bind_deadline, due_of, is_before
from engine.expressions.kinds import SHANGHAI
from engine.loading.batches import typed_batch
from engine.loading.nodes import Place
from engine.loading.positions import Finding
from engine.loading.strict_yaml import read_text
from engine.scopes import case_scope
from engine.vocabulary import BatchFile
from tests.definitions.test_calendars import HOME, deadlines, due, library
from tests.house.requirements import read_parts

YEARS = range(2018, 2027)
TERMS = [(year, number) for year in YEARS for number in (1, 2)]
LAST_SECOND = timedelta(days=1) - timedelta(seconds=1)


def on(day: date, time: timedelta = LAST_SECOND) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + time


def the(moments: set[datetime | None]) -> datetime:
    [moment] = moments
    assert moment is not None
    return moment


# --- every row of the table is a deadline of a definition -----------------------------------------


TABLE = [
    one.id for part in read_parts(HOME) if part.section == "4.2" for one in part.requirements if one.id[:2] == "D-"
]
NO_DEADLINE = {"D-43": "the day a version comes into force, which every definition says (effective_from)"}


def test_the_table_has_its_forty_five_rows():
    assert len(TABLE) == 45
    assert {"D-44", "D-46"} & set(TABLE) == set(), "a guard, and the order of two steps: no deadlines"


@pytest.mark.parametrize("row", [one for one in TABLE if one not in NO_DEADLINE])
def test_a_row_of_the_table_is_a_deadline_somebody_is_reminded_of_or_that_closes_a_window(row):
    found = [one.deadline for (_, _, name), one in deadlines().items() if name == row]

    assert found, f"{row} is in no definition"
    assert all(one.remind or one.opens or one.escalate or one.missed for one in found)


def test_every_definition_says_from_when_it_is_in_force():
    assert all(one.effective_from for one in library().machines())


# --- the order between deadlines -------------------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
def test_d_07_comes_before_d_08_and_that_before_d_09_in_every_year(year):
    moments = [the(due(name, "fulltime-university", {"case.academic_year": year})) for name in ("D-07", "D-08", "D-09")]

    assert moments == sorted(moments)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_d_25_and_d_26_come_before_d_27_and_that_before_d_28_in_every_term(term):
    of_term = {"case.term": term, "batch.term": term}
    d_25, d_26, d_27 = (the(due(name, "vocational-branch", of_term)) for name in ("D-25", "D-26", "D-27"))
    d_28 = the(due("D-28", "vocational-branch", {**of_term, "case.held_on": d_27.astimezone(SHANGHAI).date()}))

    assert d_25 <= d_27
    assert d_26 <= d_27
    assert d_28 - d_27 == timedelta(days=7)


def faults_of(batch: str, old: str, new: str) -> list[tuple[int, str]]:
    """What is said about a shipped batch when one of its lines is written otherwise: line and message."""
    text = (HOME / "workflows" / "batches" / f"{batch}.yaml").read_text("utf-8")
    assert text.count(old) == 1
    tree, _ = read_text(text.replace(old, new), f"{batch}.yaml")
    assert tree is not None
    found: list[tuple[Place, Finding]] = []
    file = BatchFile.model_validate(tree.plain())
    typed_batch(file, tree, library().rulebook_for(file.profile), found)
    return [(place.line, finding.message) for place, finding in found]


@pytest.mark.parametrize(
    ("batch", "old", "new", "broken"),
    [
        (
            "2024-06",
            "photo_by: 2024-05-13",
            "photo_by: 2024-05-16",
            {"photo_by <= review_by", "photo_by <= package_by"},
        ),
        ("2024-06", "fees_by: 2024-05-13", "fees_by: 2024-05-16", {"fees_by <= review_by", "fees_by <= package_by"}),
        ("2024-06", "file_by: 2024-05-13", "file_by: 2024-05-16", {"file_by <= review_by", "file_by <= package_by"}),
        ("2024-06", "review_by: 2024-05-15", "review_by: 2024-05-16", {"review_by <= lists_by"}),
        ("2024-06", "lists_by: 2024-05-15", "lists_by: 2024-05-12", {"review_by <= lists_by"}),
        ("2020-check", "online_to: 2020-04-23", "online_to: 2020-04-24", {"end_of_day(online_to) < feedback_at"}),
        ("2020-check", "online_from: 2020-04-16", "online_from: 2020-04-24", {"online_from <= online_to"}),
    ],
)
def test_a_batch_whose_dates_are_out_of_order_is_refused_when_it_is_read(batch, old, new, broken):
    found = faults_of(batch, old, new)

    assert {message.removeprefix("it must hold that ").split(";")[0] for _, message in found} == broken
    assert all(line > 0 for line, _ in found)


@pytest.mark.parametrize("batch", ["2024-06", "2020-check", "2024-06-fulltime", "2024-1-teaching"])
def test_a_batch_as_shipped_keeps_its_order(batch):
    assert faults_of(batch, f"batch: {batch}\n", f"batch: {batch}\n") == []


# --- times of day, readings of 之前, open dates ------------------------------------------------------


def test_the_feedback_form_is_in_time_to_17_40_00_and_late_a_second_after():
    """S004-6.1; D-20."""
    values = {"batch.feedback_at": on(date(2020, 4, 24), timedelta(hours=17, minutes=40))}
    [one] = {bound for (_, of, name), bound in deadlines().items() if (of, name) == ("fulltime-university", "D-20")}

    assert is_before(one, values, on(date(2020, 4, 24), timedelta(hours=17, minutes=40)))
    assert not is_before(one, values, on(date(2020, 4, 24), timedelta(hours=17, minutes=40, seconds=1)))


def test_a_date_still_open_gives_no_deadline_and_setting_it_gives_one():
    """S004-1.3; D-21."""
    assert due("D-21", "fulltime-university", {"batch.offline_by": None}) == set()
    assert due("D-21", "fulltime-university", {"batch.offline_by": date(2020, 6, 1)}) == {on(date(2020, 6, 1))}


@given(day=st.dates(date(2018, 1, 1), date(2030, 12, 31)))
def test_every_shipped_deadline_that_is_a_date_ends_with_its_day_or_the_day_before_as_its_profile_reads_it(day):
    """Q-01: 之前 a day means until its end, unless a profile says otherwise."""
    readings: list[tuple[Before, date]] = [("inclusive", day), ("exclusive", day - timedelta(days=1))]
    for before, ends_on in readings:
        definition = library().definition("graduation-eligibility-review", "online-ed")
        scope = case_scope(library(), definition)
        one = bind_deadline(definition.deadlines["D-02"], (), scope, {}, before)

        assert due_of(one, {"batch.fees_by": day}) == on(ends_on)
