"""The first class meeting (首次班会): a fact of the class by which portraits fall due (D-14), set by who holds it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import NotAllowed, Unknown, Unreadable
from engine.records import Moved
from engine.store.deadlines import Row, due_rows, of_case
from engine.unit_facts import change_unit
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import admits, documents_checked, face_scanned, publishes_intake, the_list
from tests.definitions.world import Told, World

MEETING = "first_meeting_on"
REPORT = "admission-qualification-check.class_report"


@pytest.fixture
def world(world_of: Furnish) -> World:
    world = world_of("fulltime-vocational")
    publishes_intake(world)
    return world


def says(world: World, unit: str, by: str, **facts: str) -> None:
    change_unit(world.town.desk, unit, facts, world.request("unit_set", world.actor(by, unit)))


def row_of(case: Told) -> Row:
    [row] = [one for one in of_case(case.world.town.connection, case.id) if one.name == "D-14"]
    return row


def test_the_portrait_falls_due_when_the_class_meeting_is_entered_and_moves_with_it(world: World):
    case = documents_checked(world, admits(world))
    assert (case.due("D-14"), row_of(case).next_at) == (None, None)

    says(world, "K1", "class_teacher", first_meeting_on="2024-09-02")
    assert case.due("D-14") == "2024-09-02 23:59:59"
    said = case.world.town.events(case.id)[-1]
    assert (said["kind"], said["cause"]) == ("deadline_moved", {"chain": "registry", "seq": len(world.town.events(0))})
    assert said["data"]["old"] is None

    says(world, "K1", "student_affairs_section", first_meeting_on="2024-09-05")
    assert case.due("D-14") == "2024-09-05 23:59:59"
    assert case.world.town.events(case.id)[-1]["data"]["old"] == "2024-09-02T15:59:59.000000Z"
    world.replays_clean()


def test_reminders_follow_the_meeting_to_its_new_day(world: World):
    case = documents_checked(world, admits(world))
    says(world, "K1", "class_teacher", first_meeting_on="2024-09-02")
    assert row_of(case).next_at == datetime(2024, 9, 1, 1, tzinfo=UTC), "09:00 of the day before"

    says(world, "K1", "class_teacher", first_meeting_on="2024-09-05")
    assert row_of(case).next_at == datetime(2024, 9, 4, 1, tzinfo=UTC)
    before_it = due_rows(world.town.connection, datetime(2024, 9, 3, tzinfo=UTC), 99)
    assert "D-14" not in {one.name for one in before_it}
    assert ("class_teacher", "deadline_moved") in {told[2:] for told in world.town.told()}


def test_a_meeting_that_is_taken_back_leaves_the_date_open_again(world: World):
    case = documents_checked(world, admits(world))
    says(world, "K1", "class_teacher", first_meeting_on="2024-09-02")
    says(world, "K1", "class_teacher", first_meeting_on="")

    assert (case.due("D-14"), row_of(case).next_at) == (None, None)
    world.replays_clean()


def test_whoever_comes_to_the_class_later_has_the_date_from_the_start_and_other_classes_have_none(world: World):
    says(world, "K1", "class_teacher", first_meeting_on="2024-09-02")
    here, there = documents_checked(world, admits(world)), documents_checked(world, admits(world, "K2"))

    assert (here.due("D-14"), there.due("D-14")) == ("2024-09-02 23:59:59", None)


def test_a_meeting_said_of_the_faculty_is_no_meeting_of_its_classes(world: World):
    case = documents_checked(world, admits(world))
    says(world, "F1", "student_affairs_section", first_meeting_on="2024-09-02")
    assert case.due("D-14") is None


def test_the_change_is_an_event_of_the_registry_with_the_old_and_the_new_value(world: World):
    says(world, "K1", "class_teacher", first_meeting_on="2024-09-02")
    says(world, "K1", "class_teacher2", first_meeting_on="2024-09-05")

    event = world.town.events(0)[-1]
    assert (event["kind"], event["actor"]) == ("fact_changed", "class_teacher2@K1")
    assert event["data"] == {
        "source": "unit_set", "unit": "K1", "facts": {MEETING: {"old": "2024-09-02", "new": "2024-09-05"}},
    }  # fmt: skip


def test_what_was_known_already_leaves_no_trace(world: World):
    says(world, "K1", "class_teacher", first_meeting_on="2024-09-02")
    counted = world.counts()
    says(world, "K1", "class_teacher", first_meeting_on="2024/9/2")
    assert world.counts() == counted


@pytest.mark.parametrize(
    ("by", "fact"),
    [("records_officer", MEETING), ("class_teacher", "class_teacher_trained"), ("class_teacher@K2", MEETING)],
)
def test_only_those_the_vocabulary_names_write_a_fact_at_their_own_unit_or_below(world: World, by: str, fact: str):
    counted = world.counts()
    words = {MEETING: "2024-09-02", "class_teacher_trained": "是"}
    with pytest.raises(NotAllowed):
        says(world, "K1", by, **{fact: words[fact]})
    assert (world.counts(), world.town.desk.units()["K1"].facts) == (counted, {})


def test_a_fact_that_nobody_is_named_for_is_the_records_sections(world: World):
    with pytest.raises(NotAllowed, match="records_section"):
        says(world, "K1", "class_teacher", photo_package_to="档案室")
    says(world, "K1", "records_section", photo_package_to="档案室")
    assert world.town.desk.units()["K1"].facts == {"photo_package_to": "档案室"}


def test_a_wrong_unit_fact_or_value_is_named_with_the_nearest_right_one(world: World):
    with pytest.raises(Unknown, match=MEETING):
        says(world, "K1", "class_teacher", first_meeting="2024-09-02")
    with pytest.raises(Unreadable, match="2024-09-31"):
        says(world, "K1", "class_teacher", first_meeting_on="2024-09-31")
    actor = world.actor("class_teacher", "K1")
    with pytest.raises(Unknown, match="K9"):
        change_unit(world.town.desk, "K9", {MEETING: "2024-09-02"}, world.request("unit_set", actor))


def test_the_class_teachers_training_is_warned_of_until_it_is_recorded(world: World):
    for unit in ("K1", "K2"):
        face_scanned(world, admits(world, unit))
    says(world, "K2", "student_affairs_section", class_teacher_trained="是")

    warned = {unit: warnings_at_handing_in(world, unit) for unit in ("K1", "K2")}
    assert warned == {"K1": {"G-AD-26"}, "K2": set()}


def warnings_at_handing_in(world: World, unit: str) -> set[str]:
    outcome = the_list(world, REPORT, unit).asks("hand_in", "class_teacher")
    assert isinstance(outcome, Moved)
    return {one.id for one in outcome.warnings}


def test_replay_finds_a_fact_of_a_unit_that_no_event_tells_of(world: World):
    says(world, "K1", "class_teacher", first_meeting_on="2024-09-02")
    world.replays_clean()
    world.town.edit(("unit", "facts"), '{"first_meeting_on":"2024-09-03"}', code="K1")

    [found] = world.town.replayed().diverged
    assert found.chain == "registry"
    assert MEETING in found.why
