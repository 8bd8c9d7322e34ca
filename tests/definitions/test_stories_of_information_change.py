"""Changes of a student's information (信息修改) from the application to the changed record, in time and late."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import AlreadyOpen
from engine.records import Json
from engine.store.documents import of_case
from tests.definitions.change_acts import CHANGE, NEW_VALUES, SCANNED, applied, asked_of, drafted, graduated, proves
from tests.definitions.conftest import Furnish
from tests.definitions.world import Told, World, told
from tests.exchange.pictures import package, picture

STATISTICS = f"{CHANGE}.statistics"
AFTER_TERM = datetime(2024, 7, 15, 4, tzinfo=UTC)
SCHOOLS = ["fulltime-university", "fulltime-vocational", "generic"]
PROOFS = ("E-IC-ID", "E-IC-HOUSEHOLD")


def proved(world: World, student: str, *more: str) -> Told:
    """A change of name, with the pictures that prove it."""
    return proves(drafted(world, student), *PROOFS, *more)


def checked(case: Told) -> Told:
    return case.takes("check_evidence", "site_operator", **SCANNED)


def approved_late(case: Told) -> Told:
    """Evidence checked after the time for it, approved by the head and sealed by the branch."""
    case.takes("check_evidence_late", "site_operator", **SCANNED).hands_in("F-76b", by="site_operator")
    case.signs("head_approve", "head", "responsible_head", reason="情况属实")
    return case.signs("head_approve", "seal", "seal_keeper@B1", reason="情况属实")


def statistics(world: World) -> Told:
    return world.cases(STATISTICS)[0]


def hands_in_folders(listed: Told, *people: str) -> Told:
    """Hand in one folder of evidence for each of these, named number and name."""
    folders = package({f"{one}测试/身份证.jpg": picture(size=(200, 200)) for one in people})
    return listed.hands_in("E-IC-FOLDER", by="site_operator", body=folders, name="证据.zip")


def signed(listed: Told, *slots: str) -> Told:
    """Handler, leader and keeper of the seal sign, in this order."""
    by = {"handler": "handler", "leader": "unit_leader", "seal": "seal_keeper"}
    for slot in slots or by:
        listed.signs("sign", slot, f"{by[slot]}@S1")
    return listed


def sent(world: World, *students: str) -> Told:
    """The form of everybody whose evidence is checked, signed, sealed and sent."""
    listed = statistics(world).hands_in("F-76", by="site_operator")
    listed.takes("close_on_roll", "site_operator", changes_stated=len(students), errors_stated=0)
    return signed(hands_in_folders(listed, *students))


def rows_of(listed: Told, form: str) -> list[list[Json]]:
    """The rows of a form that a step made."""
    made = [one.made for one in of_case(listed.world.town.connection, listed.id) if one.kind == form]
    assert made[-1] is not None
    rows = made[-1]["rows"]
    assert isinstance(rows, list)
    return rows


def test_a_change_in_time_goes_with_its_form_to_chsi_and_changes_the_record(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols(key_info_confirmed=True)

    case = drafted(world, student)
    assert (case.state, case.field("old_value")) == ("drafted", "测试")
    assert case.due("D-37") == "2024-05-15 23:59:59"
    assert world.fact(student, "key_info_confirmed") is False
    assert checked(proves(case, *PROOFS)).state == "evidence_checked"
    listed = statistics(world)
    assert listed.state == "open"
    listed.hands_in("F-76", by="site_operator")
    listed.takes("close_on_roll", "site_operator", changes_stated=1, errors_stated=0)
    assert listed.state == "signing"
    assert [row[0] for row in rows_of(listed, "F-74")] == [student]
    assert signed(hands_in_folders(listed, student), "seal", "handler", "leader").state == "submitted"
    assert case.state == "submitted"
    case.takes("apply_on_chsi", "records_section")
    assert world.fact(student, "name") == "测试"
    case.takes("close", "records_section")

    assert case.state == "closed"
    assert world.fact(student, "name") == NEW_VALUES["name"]
    assert (case.field("old_value"), case.field("new_value")) == ("测试", NEW_VALUES["name"])
    assert world.record(student).state == "enrolled"
    world.replays_clean()


def test_a_change_of_the_education_level_and_an_entry_error_go_on_one_form_sorted_by_number(world_of: Furnish):
    world = world_of("open-university")
    first, second = world.enrols(), world.enrols()
    checked(proves(drafted(world, second, "gender", "entry_error"), "E-IC-ID", "E-IC-ENROL"))
    level = proves(drafted(world, first, "entry_level", new_level_is_tertiary=False), "E-IC-CHSI")
    assert level.refuses("check_evidence", "site_operator", **SCANNED) == {"EM-2b"}
    level.takes("check_evidence", "site_operator", new_level_is_tertiary=True, **SCANNED)

    listed = statistics(world).hands_in("F-76", by="site_operator")
    listed.takes("close_on_roll", "site_operator", changes_stated=1, errors_stated=1)
    signed(hands_in_folders(listed, first, second))
    level.takes("apply_on_chsi", "records_section").takes("close", "records_section")

    assert [row[0] for row in rows_of(listed, "F-74")] == [first, second]
    assert world.fact(first, "entry_level") == NEW_VALUES["entry_level"]
    world.replays_clean()


def test_a_freshman_after_the_first_term_goes_the_late_way(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols(enrolled_on="2024-03-01")
    case = proved(world, student)
    assert (case.field("group"), case.due("D-36")) == ("freshman", "2024-07-12 23:59:59")
    assert case.refuses("check_evidence_late", "site_operator", **SCANNED) == {"G-IC-01", "G-IC-02", "G-IC-03"}

    world.now = AFTER_TERM
    assert case.refuses("check_evidence", "site_operator", **SCANNED) == {"G-IC-01"}
    assert case.takes("check_evidence_late", "site_operator", **SCANNED).state == "late"
    assert case.refuses("head_approve", "responsible_head", slot="head", reason="确属本人") == {"EM-7", "X-10"}
    case.hands_in("F-76b", by="site_operator")
    assert case.signs("head_approve", "head", "responsible_head", reason="确属本人").state == "late"
    assert case.signs("head_approve", "seal", "seal_keeper@B1", reason="确属本人").state == "evidence_checked"

    listed = statistics(world).hands_in("F-76", by="site_operator")
    assert listed.field("group") == "freshman"
    listed.bars("close_on_roll", "site_operator", changes_stated=1, errors_stated=0)
    listed.takes("close_freshmen", "site_operator", changes_stated=1, errors_stated=0)
    signed(hands_in_folders(listed, student))
    for denied in ("signed", "sealed"):
        ticks = {**case.in_order("apply_on_chsi"), f"F-76b.{denied}": False}
        assert case.refuses_ticks("apply_on_chsi", "records_section", ticks) == {"X-24"}
    case.takes("apply_on_chsi", "records_section").takes("close", "records_section")

    assert [row[0] for row in rows_of(listed, "F-73")] == [student]
    assert world.fact(student, "name") == NEW_VALUES["name"]
    world.replays_clean()


def test_the_seal_of_a_late_change_waits_for_the_head_and_a_no_of_the_head_refuses_it(world_of: Furnish):
    world = world_of("open-university")
    case = proved(world, applied(world))
    case.takes("check_evidence_late", "site_operator", **SCANNED).hands_in("F-76b", by="site_operator")

    assert case.refuses("head_approve", "seal_keeper@B1", slot="seal", reason="盖章")
    assert case.refuses("head_approve", "responsible_head", slot="head", yes=False) == {"X-05"}
    case.signs("head_approve", "head", "responsible_head", yes=False, reason="不属实")

    assert case.state == "refused"
    world.replays_clean()


def test_a_graduate_adds_the_registration_form_and_goes_on_the_form_of_graduates(world_of: Furnish):
    world = world_of("open-university")
    student = graduated(world, registration_no=None)
    case = proved(world, student, "E-IC-GRADFORM")
    assert case.refuses("check_evidence", "site_operator", **SCANNED) == {"G-IC-03"}
    assert approved_late(case).state == "evidence_checked"

    listed = statistics(world).hands_in("F-76", by="site_operator")
    stated = {"changes_stated": 1, "errors_stated": 0}
    assert "G-IC-07" in listed.refuses("close_graduates", "site_operator", **stated)
    world.knows(student, registration_no="5216120240600001")
    assert listed.refuses("close_graduates", "site_operator", **stated) == {"G-IC-08"}
    world.knows(student, registration_no="5116120240600001")
    listed.takes("close_graduates", "site_operator", **stated)
    assert rows_of(listed, "F-75")[0][0] == "5116120240600001"
    folders = package({"5116120240600001测试/身份证.jpg": picture()})
    listed.hands_in("E-IC-FOLDER", by="site_operator", body=folders, name="证据.zip")
    signed(listed)
    case.takes("apply_on_chsi", "records_section").takes("close", "records_section")

    assert world.fact(student, "name") == NEW_VALUES["name"]
    assert world.record(student).state == "registered"
    world.replays_clean()


def test_what_is_open_for_query_is_changed_by_nobody(world_of: Furnish):
    world = world_of("open-university")
    student = graduated(world)
    case = approved_late(proved(world, student, "E-IC-GRADFORM"))
    listed = statistics(world).hands_in("F-76", by="site_operator")
    listed.takes("close_graduates", "site_operator", changes_stated=1, errors_stated=0)
    folders = package({"5116120240600001测试/身份证.jpg": picture()})
    signed(listed.hands_in("E-IC-FOLDER", by="site_operator", body=folders, name="证据.zip"))
    world.now = AFTER_TERM
    world.record(student).takes("publish", "timer")

    assert world.opening_refused(CHANGE, student, "draft", "student", **asked_of("gender", "change")) == {"G-PB-01"}
    assert case.refuses("apply_on_chsi", "records_section") == {"G-PB-01"}
    case.takes("refuse", "records_section", reason="已开通查询")

    assert case.state == "refused"
    assert world.fact(student, "name") == "测试"
    world.replays_clean()


def test_a_change_is_dated_and_nothing_that_happened_after_graduation_is_entered(world_of: Furnish):
    world = world_of("open-university")
    undated = {"item": "name", "kind": "change", "new_value": "李明"}
    student, graduate = world.enrols(), graduated(world)
    world.now = AFTER_TERM

    assert world.opening_refused(CHANGE, student, "draft", "student", **undated) == {"G-IC-11"}
    for day in ("2024-07-01", "2024-07-15"):
        asked = {**undated, "changed_on": day}
        assert world.opening_refused(CHANGE, graduate, "draft", "student", **asked) == {"G-IC-04"}
    assert drafted(world, graduate, changed_on="2024-06-30").state == "drafted"
    world.replays_clean()


def test_a_second_change_of_the_same_item_waits_for_the_first(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    first = drafted(world, student)

    with pytest.raises(AlreadyOpen, match=first.number):
        world.opens(CHANGE, student, "draft", "student", **asked_of("name", "entry_error"))
    assert drafted(world, student, "gender").state == "drafted"
    first.takes("take_back", "student", reason="填错")

    assert drafted(world, student).state == "drafted"
    world.replays_clean()


def test_a_changed_id_number_is_nobody_elses(world_of: Furnish):
    world = world_of("generic")
    taken = world.fact(world.enrols(), "id_number")
    case = drafted(world, world.enrols(), "id_number", "entry_error", new_value=taken)
    proves(case, "E-IC-ID", "E-IC-ENROL").takes("check_evidence", "records_officer", **SCANNED)
    case.takes("apply_on_chsi", "records_section")

    assert case.refuses("close", "records_section") == {"X-19"}
    assert case.state == "applied_on_chsi"
    world.replays_clean()


def test_an_open_change_keeps_the_student_from_applying_for_graduation_and_is_named(world_of: Furnish):
    world = world_of("open-university")
    world.publishes("2024-06")
    student = world.ready()
    case = drafted(world, student)

    outcome = world.record(student).asks("apply", "site_operator", batch="2024-06")
    assert case.number in told(outcome)
    assert world.record(student).refuses("apply", "site_operator", batch="2024-06") == {"G-SC-07"}
    case.takes("take_back", "student", reason="不再修改")
    world.record(student).takes("apply", "site_operator", batch="2024-06")
    world.replays_clean()


@pytest.mark.parametrize(
    ("declared", "ids"),
    [
        ({"device": "phone", "original": True}, {"G-EV-06"}),
        ({"device": "screenshot", "original": True}, {"G-EV-06"}),
        ({"device": "scanner", "original": False}, {"G-EV-07"}),
        ({"device": "phone", "original": False}, {"G-EV-06", "G-EV-07"}),
    ],
)
def test_evidence_is_scanned_from_the_original(world_of: Furnish, declared: dict[str, Json], ids: set[str]):
    world = world_of("open-university")
    case = proved(world, world.enrols())

    assert case.refuses("check_evidence", "site_operator", **declared) == ids
    case.takes("check_evidence", "site_operator", device="document_camera", original=True)
    world.replays_clean()


def test_whoever_checks_evidence_ticks_all_that_only_an_eye_can_tell(world_of: Furnish):
    world = world_of("open-university")
    case = proved(world, world.enrols())
    ticks = case.in_order("check_evidence")
    assert sorted(ticks) == [
        "E-IC-HOUSEHOLD.complete", "E-IC-HOUSEHOLD.legible",
        "E-IC-ID.both_sides", "E-IC-ID.complete", "E-IC-ID.legible",
    ]  # fmt: skip

    for tick in ticks:
        without = {name: True for name in ticks if name != tick}
        assert case.refuses_ticks("check_evidence", "site_operator", without, **SCANNED) == {"X-22"}
        denied = {**ticks, tick: False}
        assert case.refuses_ticks("check_evidence", "site_operator", denied, **SCANNED) == {"X-24"}
    checked(case)
    world.replays_clean()


def test_the_report_states_the_numbers_of_the_form_and_each_student_has_a_folder(world_of: Furnish):
    world = world_of("open-university")
    student, other = world.enrols(), world.enrols()
    checked(proved(world, student))
    listed = statistics(world)

    assert listed.refuses("close_on_roll", "site_operator", changes_stated=1, errors_stated=0) == {"X-10"}
    listed.hands_in("F-76", by="site_operator")
    for wrong in ({"changes_stated": 0, "errors_stated": 1}, {"changes_stated": 2, "errors_stated": 0}):
        assert listed.refuses("close_on_roll", "site_operator", **wrong) == {"G-IC-06"}
    listed.takes("close_on_roll", "site_operator", changes_stated=1, errors_stated=0)
    assert listed.refuses("sign", "handler@S1", slot="handler") == {"G-IC-09", "X-10"}
    hands_in_folders(listed, student, other)
    assert listed.refuses("sign", "handler@S1", slot="handler") == {"G-IC-09"}
    listed.signs("sign", "leader", "unit_leader@S1", yes=False, reason="文件夹不符")
    assert listed.state == "open"
    world.replays_clean()


def test_a_form_without_rows_is_not_closed(world_of: Furnish):
    world = world_of("open-university")
    case = checked(proved(world, world.enrols()))
    listed = statistics(world).hands_in("F-76", by="site_operator")
    case.takes("return", "site_operator", reason="证据不清")

    assert listed.refuses("close_on_roll", "site_operator", changes_stated=0, errors_stated=0) == {"G-IC-12"}
    world.replays_clean()


def test_on_a_form_being_signed_nobody_is_returned_and_reopened_it_gathers_anew(world_of: Furnish):
    world = world_of("open-university")
    first, second = world.enrols(), world.enrols()
    case = checked(proved(world, first))
    listed = statistics(world).hands_in("F-76", by="site_operator")
    listed.takes("close_on_roll", "site_operator", changes_stated=1, errors_stated=0)

    assert case.refuses("return", "site_operator", reason="证据不清") == {"X-12"}
    checked(proved(world, second))
    listed.takes("reopen", "site_operator", reason="漏报一人")
    listed.takes("close_on_roll", "site_operator", changes_stated=2, errors_stated=0)

    assert [row[0] for row in rows_of(listed, "F-74")] == [first, second]
    world.replays_clean()


def test_a_returned_change_is_handed_in_again(world_of: Furnish):
    world = world_of("open-university")
    case = checked(proved(world, world.enrols()))

    case.takes("return", "site_operator", reason="证据不清")
    assert case.state == "returned"
    case.takes("resubmit", "student", new_value="李鸣")
    assert (case.state, case.field("new_value")) == ("drafted", "李鸣")
    checked(case)

    assert case.state == "evidence_checked"
    world.replays_clean()


@pytest.mark.parametrize("by", ["student", "site_operator"])
def test_a_change_is_taken_back_before_its_evidence_is_checked(world_of: Furnish, by: str):
    world = world_of("open-university")
    case = proved(world, world.enrols())

    assert case.refuses("take_back", by) == {"X-05"}
    case.takes("take_back", by, reason="不再修改")

    assert case.state == "cancelled"
    world.replays_clean()


@pytest.mark.parametrize("by", ["site_approver", "responsible_head@B1", "records_section"])
def test_a_change_is_refused_with_a_reason_before_and_after_its_evidence_is_checked(world_of: Furnish, by: str):
    world = world_of("open-university")
    draft, late = drafted(world, world.enrols()), checked(proved(world, world.enrols()))

    for case in (draft, late):
        assert case.refuses("refuse", by) == {"X-05"}
        assert case.takes("refuse", by, reason="不属实").state == "refused"
    world.replays_clean()


def test_who_checked_the_evidence_neither_approves_it_late_nor_changes_it_on_chsi(world_of: Furnish):
    world = world_of("open-university")
    world.gives("site_operator@S1", "responsible_head", "B1")
    world.gives("site_operator@S1", "records_section", "P")
    student = world.enrols()
    case = checked(proved(world, student))
    sent(world, student)
    assert case.refuses("apply_on_chsi", "site_operator") == {"G-SG-08"}

    late = proved(world, applied(world))
    late.takes("check_evidence_late", "site_operator", **SCANNED).hands_in("F-76b", by="site_operator")
    assert late.refuses("head_approve", "site_operator", slot="head", reason="情况属实") == {"G-SG-08"}
    world.replays_clean()


def test_online_education_goes_the_same_way(world_of: Furnish):
    world = world_of("online-ed")
    student = world.enrols()
    case = checked(proved(world, student))
    sent(world, student)
    case.takes("apply_on_chsi", "records_section").takes("close", "records_section")

    assert world.fact(student, "name") == NEW_VALUES["name"]
    world.replays_clean()


@pytest.mark.parametrize("profile", SCHOOLS)
def test_at_a_school_the_faculty_checks_and_the_records_section_changes_without_a_form(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()
    case = proved(world, student)
    case.takes("check_evidence", "records_officer", **SCANNED)
    assert world.cases(STATISTICS) == []
    case.takes("apply_on_chsi", "records_section").takes("close", "records_section")

    assert (case.state, world.fact(student, "name")) == ("closed", NEW_VALUES["name"])
    world.replays_clean()


@pytest.mark.parametrize("profile", SCHOOLS)
def test_at_a_school_a_late_change_is_approved_by_its_head_with_its_seal(world_of: Furnish, profile: str):
    world = world_of(profile)
    case = proved(world, world.enrols(enrolled_on="2024-03-01"))
    world.now = AFTER_TERM
    case.takes("check_evidence_late", "records_officer", **SCANNED).hands_in("F-76b", by="records_officer")

    case.signs("head_approve", "head", "responsible_head@U", reason="情况属实")
    case.signs("head_approve", "seal", "seal_keeper@U", reason="情况属实")
    assert case.state == "evidence_checked"
    case.takes("refuse", "records_section", reason="证据有疑")

    assert case.state == "refused"
    world.replays_clean()
