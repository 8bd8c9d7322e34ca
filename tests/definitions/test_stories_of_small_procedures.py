"""Transcripts, student cards, files lent, queries, aid data and updates of personal data: procedures of a few steps."""

from __future__ import annotations

import pytest

from engine.bulk import move_many
from engine.casework import move
from engine.errors import NotAllowed, Unreadable
from engine.records import Json
from engine.store.documents import of_case
from tests.definitions.conftest import Furnish
from tests.definitions.status_acts import DECISION, withdrawn
from tests.definitions.world import Told, World, told

TRANSCRIPT, CARD, FILE = "transcript-issue", "student-card-replacement", "record-archive-and-lending"
QUERY, AID, UPDATE = "registration-query-and-verification", "vocational-aid-data-report", "personal-data-update"
COLLEGES = ["fulltime-college", "fulltime-university", "fulltime-vocational"]
LOAN: dict[str, Json] = {
    "borrower": "王老师", "lent_for": "政审", "lent_on": "2024-04-22", "back_by": "2024-05-06",
}  # fmt: skip
NEW_ADDRESS: dict[str, Json] = {"item": "address", "new_value": "成都市青羊区一号", "changed_on": "2024-04-15"}


def made(case: Told, form: str) -> list[Json]:
    """The one row of a form that a step of the case made."""
    [one] = [one.made for one in of_case(case.world.town.connection, case.id) if one.kind == form]
    assert one is not None
    rows = one["rows"]
    assert isinstance(rows, list)
    [row] = rows
    assert isinstance(row, list)
    return row


# --- transcripts --------------------------------------------------------------------------------


def requested(world: World, student: str, purpose: str = "job_fair") -> Told:
    return world.opens(TRANSCRIPT, student, "request", "student", purpose=purpose)


def issued(world: World, student: str, number: int) -> Told:
    return requested(world, student).takes("issue", "records_section", issue_no=f"2024-{number}")


@pytest.mark.parametrize("profile", COLLEGES)
def test_three_transcripts_are_issued_for_job_fairs_and_further_ones_for_individual_use(
    world_of: Furnish, profile: str
):
    world = world_of(profile)
    student = world.enrols()
    first = requested(world, student)
    first.takes("issue", "records_section", issue_no="2024-1")
    assert made(first, "F-90")[-2:] == ["job_fair", "2024-1"]
    issues = [first, issued(world, student, 2), issued(world, student, 3)]

    named = told(world.tries_to_open(TRANSCRIPT, student, "request", "student", purpose="job_fair"))
    assert all(one.number in named for one in issues)
    assert world.opening_refused(TRANSCRIPT, student, "request", "student", purpose="job_fair") == {"G-TR-01"}
    own = requested(world, student, "individual").takes("issue", "records_section", issue_no="2024-4")
    assert own.state == "issued"
    world.replays_clean()


def test_of_two_requests_open_after_two_issues_the_second_is_refused(world_of: Furnish):
    world = world_of("fulltime-college")
    student = world.enrols()
    issued(world, student, 1)
    issued(world, student, 2)
    third, fourth = requested(world, student), requested(world, student)

    third.takes("issue", "records_section", issue_no="2024-3")
    assert fourth.refuses("issue", "records_section", issue_no="2024-4") == {"G-TR-01"}
    fourth.takes("refuse", "records_section", reason="次数已满")

    assert fourth.state == "refused"
    world.replays_clean()


def test_a_request_for_a_transcript_is_taken_back(world_of: Furnish):
    world = world_of("fulltime-college")
    case = requested(world, world.enrols()).takes("take_back", "student", reason="不需要了")

    assert case.state == "cancelled"
    world.replays_clean()


def test_after_an_automatic_withdrawal_there_is_no_transcript_and_after_a_voluntary_one_there_is(world_of: Furnish):
    world = world_of("fulltime-college")
    automatic, voluntary, late = world.enrols(), world.enrols(), world.enrols()
    waiting = requested(world, late, "individual")
    for student in (automatic, late):
        world.record(student).takes("withdraw", "records_section", reason_code="automatic", **DECISION)
    withdrawn(world, voluntary)

    individual = {"purpose": "individual"}
    assert world.opening_refused(TRANSCRIPT, automatic, "request", "records_officer", **individual) == {"G-WD-10"}
    assert waiting.state == "cancelled"
    case = world.opens(TRANSCRIPT, voluntary, "request", "records_officer", purpose="individual")
    assert case.takes("issue", "records_section", issue_no="2024-1").state == "issued"
    world.replays_clean()


# --- student cards ------------------------------------------------------------------------------


def test_a_student_card_is_approved_by_the_faculty_and_issued_by_the_records_section(world_of: Furnish):
    world = world_of("fulltime-college")
    world.gives("faculty_head@F1", "records_section", "U")
    case = world.opens(CARD, world.enrols(), "request", "student", cause="lost")
    case.takes("approve", "faculty_head")
    assert case.refuses("issue", "faculty_head", card_no="B-1") == {"G-SG-08"}
    case.takes("issue", "records_section", card_no="B-1")

    assert case.state == "issued"
    assert made(case, "F-91")[-1] == "B-1"
    world.replays_clean()


@pytest.mark.parametrize("approved", [False, True], ids=["at once", "after the faculty agreed"])
def test_a_student_card_is_refused_or_the_request_taken_back(world_of: Furnish, approved: bool):  # noqa: FBT001 a parameter
    world = world_of("fulltime-college")
    for step, by, ends in (("refuse", "records_section", "refused"), ("take_back", "student", "cancelled")):
        case = world.opens(CARD, world.enrols(), "request", "student", cause="damaged")
        if approved:
            case.takes("approve", "unit_leader")
        assert case.refuses(step, by) == {"X-05"}
        assert case.takes(step, by, reason="照片不符").state == ends
    world.replays_clean()


# --- files in the archive -----------------------------------------------------------------------


def test_a_file_is_lent_extended_returned_lent_again_and_sent_on(world_of: Furnish):
    world = world_of("generic")
    case = world.opens(FILE, world.enrols(), "file", "archive", shelf_no="3-2-1")
    case.takes("lend", "archive", **LOAN)
    assert (case.state, case.due("lending")) == ("lent", "2024-05-06 23:59:59")
    assert made(case, "F-92")[3:] == list(LOAN.values())
    case.bars("lend", "archive", **LOAN)
    case.takes("extend", "archive", back_by="2024-05-20").takes("return_file", "archive", returned_on="2024-04-22")
    assert (case.state, case.field("borrower"), case.field("lent_for")) == ("returned", None, None)
    case.takes("lend", "archive", **{**LOAN, "borrower": "赵老师"})
    assert case.field("returned_on") is None
    case.takes("return_file", "archive", returned_on="2024-04-22")
    assert case.refuses("add_material", "archive") == {"X-10"}
    case.hands_in("E-FILE", by="archive").takes("add_material", "archive").takes(
        "send_on", "archive", sent_to="人才中心"
    )

    assert case.state == "sent_on"
    world.replays_clean()


def test_the_days_of_lending_come_one_after_the_other_and_returning_is_not_ahead_of_today(world_of: Furnish):
    world = world_of("generic")
    case = world.opens(FILE, world.enrols(), "file", "archive", shelf_no="3-2-1")

    assert case.refuses("lend", "archive", **{**LOAN, "back_by": "2024-04-21"}) == {"G-AR-01"}
    case.takes("lend", "archive", **LOAN)
    assert case.refuses("extend", "archive", back_by="2024-04-21") == {"G-AR-01"}
    for day in ("2024-04-21", "2024-04-23"):
        assert case.refuses("return_file", "archive", returned_on=day) == {"G-AR-04"}
    world.replays_clean()


# --- queries ------------------------------------------------------------------------------------

ANSWER: dict[str, Json] = {"answer": "信息一致", "referred_to_chsi": True}


@pytest.mark.parametrize("profile", ["fulltime-university", "generic"])
def test_a_student_is_answered_about_oneself_and_referred_to_chsi(world_of: Furnish, profile: str):
    world = world_of(profile)
    case = world.opens(QUERY, world.enrols(), "ask", "student", subject_of_query="identity")

    assert case.refuses("answer", "records_section", **{**ANSWER, "referred_to_chsi": False}) == {"G-QY-02"}
    case.takes("answer", "records_section", **ANSWER)

    assert case.state == "answered"
    assert made(case, "F-94")[-1] == "信息一致"
    world.replays_clean()


def test_a_third_party_asks_with_data_the_student_supplied(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()
    asked: dict[str, Json] = {"subject_of_query": "record_archive", "asked_by": "某单位"}

    without = world.opening_refused(QUERY, student, "ask_for_other", "records_section", **asked, supplied=False)
    assert without == {"G-QY-01"}
    case = world.opens(QUERY, student, "ask_for_other", "records_section", **asked, supplied=True)
    case.takes("refuse", "records_section", reason="信息不全")

    assert case.state == "refused"
    world.replays_clean()


def test_queries_are_answered_one_by_one(world_of: Furnish):
    world = world_of("generic")
    case = world.opens(QUERY, world.enrols(), "ask", "student", subject_of_query="identity")
    request = world.request("answer", world.actor("records_section", "K1"), **ANSWER)

    answer = move_many(world.town.desk, [(case.id, case.case.revision)], request)

    assert [one.failed for one in answer.refused] == [("G-WD-08",)]
    assert case.state == "requested"
    world.replays_clean()


def test_a_student_takes_no_part_in_the_query_of_another(world_of: Furnish):
    world = world_of("generic")
    case = world.opens(QUERY, world.enrols(), "ask", "student", subject_of_query="identity")
    other = world.actor("student", "K1", world.town.student(world.enrols()).id)

    with pytest.raises(NotAllowed):
        move(world.town.desk, case.id, world.request("take_back", other, reason="不需要了"))

    assert case.state == "requested"
    world.replays_clean()


def test_a_query_is_taken_back(world_of: Furnish):
    world = world_of("generic")
    case = world.opens(QUERY, world.enrols(), "ask", "student", subject_of_query="identity")

    assert case.takes("take_back", "student", reason="不需要了").state == "cancelled"
    world.replays_clean()


# --- aid data -----------------------------------------------------------------------------------


def test_aid_data_are_compiled_and_reported_by_the_date_of_the_notice(world_of: Furnish):
    world = world_of("vocational-branch")
    case = world.opens(AID, "FB", "start", "academic_affairs", notice_no="教资〔2024〕3号")
    assert case.due("aid-report") is None
    case.takes("set_date", "academic_affairs", due_on="2024-05-10")
    assert case.due("aid-report") == "2024-05-10 23:59:59"
    assert case.refuses("compile", "records_officer") == {"X-10"}
    case.hands_in("F-69", by="records_officer").takes("compile", "records_officer")
    case.takes("correct", "academic_affairs", reason="漏报一人")
    assert case.state == "open"
    case.takes("compile", "records_officer").takes("report", "records_officer")

    assert case.state == "reported"
    world.replays_clean()


@pytest.mark.parametrize("compiled", [False, True], ids=["open", "compiled"])
def test_aid_data_are_called_off_with_their_notice(world_of: Furnish, compiled: bool):  # noqa: FBT001 a parameter
    world = world_of("vocational-branch")
    case = world.opens(AID, "FB", "start", "records_officer", notice_no="教资〔2024〕3号", due_on="2024-05-10")
    if compiled:
        case.hands_in("F-69", by="records_officer").takes("compile", "records_officer")

    assert case.refuses("call_off", "academic_affairs") == {"X-05"}
    assert case.takes("call_off", "academic_affairs", reason="通知撤销").state == "cancelled"
    world.replays_clean()


# --- personal data ------------------------------------------------------------------------------


def reported(world: World, student: str, **other: Json) -> Told:
    return world.opens(UPDATE, student, "report", "student", **{**NEW_ADDRESS, **other})


@pytest.mark.parametrize(
    "profile",
    ["generic", "k12-generic", "fulltime-university", "fulltime-vocational", "fulltime-college", "vocational-branch"],
)
def test_an_address_is_updated_when_its_proof_was_checked_by_somebody_else(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols(address="旧址")
    faculty = next(unit for unit in world.above(world.town.student(student).unit) if world.tree[unit][0] == "faculty")
    world.gives(f"records_officer@{faculty}", "records_section", "U")
    case = reported(world, student)
    assert case.due("D-47") == "2024-05-15 23:59:59"
    assert case.refuses("check", "records_officer") == {"X-10"}
    case.hands_in("E-PROOF", by="student")
    assert case.refuses_ticks("check", "records_officer", {"E-PROOF.agrees": True}) == {"X-22"}
    case.takes("check", "records_officer")
    assert case.refuses("update", f"records_officer@{faculty}") == {"G-SG-08"}
    case.takes("update", "records_section")

    assert (case.state, case.field("old_value")) == ("updated", "旧址")
    assert world.fact(student, "address") == NEW_ADDRESS["new_value"]
    world.replays_clean()


@pytest.mark.parametrize("item", ["guardian", "guardian_phone", "household_at", "phone", "email", "politics"])
def test_each_other_item_of_personal_data_is_updated(world_of: Furnish, item: str):
    world = world_of("generic")
    student = world.enrols()
    case = reported(world, student, item=item, new_value="新值").hands_in("E-PROOF", by="student")
    case.takes("check", "records_officer").takes("update", "records_section")

    assert world.fact(student, item) == "新值"
    world.replays_clean()


def test_a_name_is_no_personal_data_to_be_updated(world_of: Furnish):
    world = world_of("generic")
    student = world.enrols()

    with pytest.raises(Unreadable, match="name"):
        reported(world, student, item="name")
    assert world.cases_of(student, UPDATE) == []


def test_an_update_says_what_changed_and_not_what_will_change(world_of: Furnish):
    world = world_of("generic")
    student = world.enrols(address="旧址")

    future = {**NEW_ADDRESS, "changed_on": "2024-04-23"}
    assert world.opening_refused(UPDATE, student, "report", "student", **future) == {"G-PD-01"}
    same = {**NEW_ADDRESS, "new_value": "旧址"}
    assert world.opening_refused(UPDATE, student, "report", "student", **same) == {"G-PD-02"}
    assert reported(world, student, changed_on="2024-04-22").state == "reported"
    world.replays_clean()


def test_a_returned_update_is_reported_again_or_taken_back(world_of: Furnish):
    world = world_of("generic")
    student = world.enrols(address="旧址")
    case = reported(world, student).hands_in("E-PROOF", by="student").takes("check", "records_officer")

    case.takes("return", "records_section", reason="证明不清")
    assert case.state == "returned"
    again = {"new_value": "旧址", "changed_on": "2024-04-16"}
    assert case.refuses("resubmit", "student", **again) == {"G-PD-02"}
    case.takes("resubmit", "student", new_value="成都市二号", changed_on="2024-04-16")
    assert case.state == "reported"
    case.takes("return", "records_officer", reason="证明不清").takes("take_back", "student", reason="不再更新")

    assert case.state == "cancelled"
    assert world.fact(student, "address") == "旧址"
    world.replays_clean()
