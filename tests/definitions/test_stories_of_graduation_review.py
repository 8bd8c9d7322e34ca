"""Who graduates in online education: the file of each student, the review, and the list of the teaching point."""

from __future__ import annotations

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.world import Told, World
from tests.exchange.pictures import package, picture

FILES, REVIEW, SITE_LIST = (
    "graduation-file-completion", "graduation-eligibility-review", "graduation-eligibility-review.site_list",
)  # fmt: skip
BATCH = "2024-06"
DATES = {"graduation_on": "2024-06-30", "school_name": "示范大学", "president": "校长甲"}
KNOWN: dict[str, Json] = {"major": "电子商务", "student_type": "开放教育"}
FORM: dict[str, Json] = {"first_stage": "高中", "in_order": True, "site_kind": "县级"}


def part(world: World, student: str, name: str) -> Told:
    """The card or the form of a student's file."""
    [one] = [case for case in world.cases_of(student, FILES) if case.field("part") == name]
    return one


def file_done(world: World, student: str) -> None:
    """The student fills both parts, the teaching point reviews them and gives its opinion."""
    part(world, student, "card").takes("fill_card", "student").takes("review_card", "site_operator")
    form = part(world, student, "form")
    if not form.events()[1:]:
        form.hands_in("E-SIGN", by="student")
    form.takes("fill_form", "student", **FORM).takes("review_form", "site_operator").takes(
        "enter_opinion", "site_approver", opinion="同意毕业"
    )


def review_of(world: World, student: str) -> Told:
    return world.cases_of(student, REVIEW)[0]


def reviewed(world: World, student: str) -> Told:
    return review_of(world, student).takes("find_eligible", "site_operator")


def list_of(world: World) -> Told:
    return world.cases(SITE_LIST)[0]


def closed(world: World) -> Told:
    return list_of(world).takes("close", "site_operator").hands_in("E-F04", by="site_operator")


def closed_again(listed: Told) -> Told:
    """The next draft, with a scan of its own: that of the one before shows signatures under something else."""
    listed.takes("close", "site_operator")
    assert listed.refuses("submit_list", "site_operator", slot="handler") == {"X-46"}
    return listed.takes_off("E-F04", by="site_operator").hands_in("E-F04", by="site_operator")


def submitted(listed: Told) -> Told:
    for slot in ("handler", "head", "seal"):
        listed.signs("submit_list", slot, "site_operator")
    return listed


def photos_of(world: World, *students: str) -> bytes:
    """A package with a picture of each, named by ID number as the records section wants it."""
    return package({f"{world.fact(student, 'id_number')}.jpg": picture() for student in students})


def test_a_site_reviews_its_students_submits_its_list_and_sends_the_photos(world_of: Furnish):
    world = world_of("online-ed")
    ready, poor = world.ready(None, **KNOWN), world.ready(None, **KNOWN, fee_owed="300.00")
    world.publishes(BATCH, **DATES)
    review, other, listed = review_of(world, ready), review_of(world, poor), list_of(world)

    assert (review.state, listed.state) == ("undecided", "draft")
    listed.takes("supply", "records_section")
    assert [row[0] for row in listed.made("F-00")] == [ready, poor]
    assert listed.made("F-03") == []
    assert listed.refuses("close", "site_operator") == {"G-GR-29", "X-48"}
    assert review.takes("find_eligible", "site_operator").state == "eligible"
    assert other.refuses("find_eligible", "site_operator") == {"G-GR-07"}
    assert other.takes("find_not_eligible", "site_operator").state == "not_eligible"

    listed.takes("close", "site_operator")
    confirmed, left = ([row[0] for row in listed.made(kind)] for kind in ("F-01", "F-02"))
    assert (confirmed, left) == ([ready], [poor])
    assert [row[0] for row in listed.made("F-04")] == left
    assert listed.refuses("submit_list", "site_operator", slot="handler") == {"X-10"}
    assert submitted(listed.hands_in("E-F04", by="site_operator")).state == "submitted"
    assert (review.state, other.state) == ("confirmed", "not_processed")
    assert listed.refuses_ticks("accept", "records_section", {"E-F04.signed": True}) == {"X-22"}
    assert listed.takes("accept", "records_section").state == "accepted"
    assert (review.state, other.state) == ("concluded", "concluded")

    assert listed.refuses("send_photos", "site_operator") == {"G-PH-03", "X-10"}
    listed.hands_in("F-08", by="site_operator", body=photos_of(world, ready), name="照片包.zip")
    assert listed.takes("send_photos", "site_operator").state == "photos_sent"
    world.replays_clean()


def test_a_package_that_lacks_a_graduate_or_shows_somebody_else_is_not_sent(world_of: Furnish):
    world = world_of("online-ed")
    graduate, left = world.ready(None, **KNOWN), world.ready(None, **KNOWN, fee_owed="300.00")
    world.publishes(BATCH, **DATES)
    reviewed(world, graduate)
    review_of(world, left).takes("find_not_eligible", "site_operator")
    listed = submitted(closed(world)).takes("accept", "records_section")

    listed.hands_in("F-08", by="site_operator", body=photos_of(world, graduate, left), name="照片包.zip")

    assert listed.refuses("send_photos", "site_operator") == {"G-PH-03"}


CONDITIONS: dict[str, tuple[str, Json, str]] = {
    "prior qualification": ("prior_qualification", "不符合", "G-GR-02"),
    "information not confirmed": ("key_info_confirmed", False, "G-GR-03"),
    "a term not passed": ("terms_passed", 4, "G-GR-04"),
    "level examination": ("level_exam", "不合格", "G-GR-05"),
    "photo": ("photo_review", "未通过", "G-GR-06"),
    "fees": ("fee_owed", "0.01", "G-GR-07"),
    "card": ("card_filled", False, "G-GR-08"),
    "file not reviewed": ("file_reviewed", False, "G-GR-09"),
    "study period over": ("max_study_until", "2024-04-21", "G-GR-24"),
}


@pytest.mark.parametrize("condition", list(CONDITIONS))
def test_each_condition_of_graduation_makes_a_student_not_eligible_and_mended_eligible(
    world_of: Furnish, condition: str
):
    fact, value, refused = CONDITIONS[condition]
    world = world_of("online-ed")
    student = world.ready(None, **KNOWN)
    good = world.fact(student, fact)
    world.knows(student, **{fact: value})
    world.publishes(BATCH, **DATES)
    review = review_of(world, student)

    assert review.refuses("find_eligible", "site_operator") == {refused}
    review.takes("find_not_eligible", "site_operator")
    world.knows(student, **{fact: good})
    assert review.takes("find_eligible", "site_operator").state == "eligible"
    world.replays_clean()


def test_nobody_to_whom_nothing_is_lacking_is_found_not_eligible(world_of: Furnish):
    world = world_of("online-ed")
    student = world.ready(None, **KNOWN)
    world.publishes(BATCH, **DATES)

    refused = review_of(world, student).refuses("find_not_eligible", "site_operator")

    assert {"G-GR-02", "G-GR-09"} <= refused
    assert review_of(world, student).state == "undecided"


def test_the_student_confirms_or_reports_what_is_wrong_and_may_be_set_aside(world_of: Furnish):
    world = world_of("online-ed")
    student = world.ready(None, **KNOWN, key_info_confirmed=False)
    world.publishes(BATCH, **DATES)
    review = review_of(world, student)

    assert review.refuses("confirm_information", "student") == {"X-05"}
    review.takes("confirm_information", "student", checked_where="chsi")
    assert world.fact(student, "key_info_confirmed") is True
    review.takes("report_error", "student", checked_where="platform", reason="出生日期有误")
    assert world.fact(student, "key_info_confirmed") is False
    assert review.refuses("set_aside", "site_operator") == {"X-05"}
    assert review.takes("set_aside", "site_operator", reason="资料不全").state == "not_eligible"
    review.takes("confirm_information", "student", checked_where="platform")
    assert review.takes("find_eligible", "site_operator").state == "eligible"
    world.replays_clean()


def test_a_list_sent_back_is_reviewed_again_and_one_being_signed_is_opened_again(world_of: Furnish):
    world = world_of("online-ed")
    student, poor = world.ready(None, **KNOWN), world.ready(None, **KNOWN, fee_owed="300.00")
    world.publishes(BATCH, **DATES)
    review, other = reviewed(world, student), review_of(world, poor).takes("find_not_eligible", "site_operator")
    listed = closed(world)

    assert listed.refuses("reopen", "site_operator") == {"X-05"}
    assert listed.takes("reopen", "site_operator", reason="说明有误").state == "draft"
    listed.takes("close", "site_operator")
    listed.signs("submit_list", "handler", "site_operator", yes=False, reason="说明有误")
    assert listed.state == "draft"
    submitted(closed_again(listed))
    assert listed.refuses("return_list", "records_section") == {"X-05"}
    listed.takes("return_list", "records_section", reason="印章不清")
    assert (listed.state, review.state, other.state) == ("draft", "undecided", "undecided")

    world.knows(poor, fee_owed="0.00")
    reviewed(world, student)
    reviewed(world, poor)
    submitted(closed_again(listed)).takes("accept", "records_section")
    assert (review.state, other.state) == ("concluded", "concluded")
    world.replays_clean()


def test_nothing_is_signed_that_changed_after_the_list_was_closed(world_of: Furnish):
    world = world_of("online-ed")
    student, poor = world.ready(None, **KNOWN), world.ready(None, **KNOWN, fee_owed="300.00")
    world.publishes(BATCH, **DATES)
    reviewed(world, student)
    review_of(world, poor).takes("find_not_eligible", "site_operator")
    listed = closed(world)
    listed.signs("submit_list", "handler", "site_operator")

    world.knows(student, name="更名后")

    assert listed.refuses("submit_list", "site_operator", slot="head") == {"X-45"}
    assert listed.takes("reopen", "site_operator", reason="姓名更正，重出一稿").case.slots == {}
    assert submitted(closed_again(listed)).state == "submitted"
    world.replays_clean()


def test_who_signs_out_of_turn_is_refused_and_who_handed_the_scan_in_does_not_tick_it(world_of: Furnish):
    world = world_of("online-ed")
    world.ready(None, **KNOWN, fee_owed="300.00")
    world.publishes(BATCH, **DATES)
    [poor] = world.cases(REVIEW)
    poor.takes("find_not_eligible", "site_operator")
    listed = closed(world)
    operator = world.person("site_operator", listed.case.unit)
    office = world.person("records_section", listed.case.unit).partition("@")[2]

    assert listed.refuses("submit_list", "site_operator", slot="seal") == {"G-SG-03"}
    submitted(listed)
    world.gives(operator, "records_section", office)
    ticks = {"E-F04.signed": True, "E-F04.sealed": True}
    assert listed.refuses_ticks("accept", "site_operator", ticks) == {"X-47"}
    assert listed.takes("accept", "records_section").state == "accepted"


def test_who_withdraws_meanwhile_holds_up_neither_acceptance_nor_return(world_of: Furnish):
    world = world_of("online-ed")
    student, leaves = world.ready(None, **KNOWN), world.ready(None, **KNOWN)
    world.publishes(BATCH, **DATES)
    reviewed(world, student)
    reviewed(world, leaves)
    listed = submitted(closed(world))
    gone: dict[str, Json] = {"reason_code": "voluntary", "decided_on": "2024-04-22", "document_no": "学字2024-7"}
    world.record(leaves).takes("withdraw", "records_section", **gone)
    assert review_of(world, leaves).state == "cancelled"

    listed.takes("return_list", "records_section", reason="一人退学")
    reviewed(world, student)
    submitted(closed_again(listed)).takes("accept", "records_section")

    assert review_of(world, student).state == "concluded"
    world.replays_clean()


def test_only_cohorts_and_levels_of_the_batch_are_expected(world_of: Furnish):
    world = world_of("online-ed")
    student = world.ready(None, **KNOWN, cohort=2023)

    world.publishes(BATCH, **DATES)

    assert world.cases_of(student, REVIEW) == []
    assert world.cases_of(student, FILES) == []


def test_who_is_on_no_submitted_list_is_not_approved(world_of: Furnish):
    world = world_of("online-ed")
    student = world.ready(None, **KNOWN)
    world.publishes(BATCH, **DATES)
    record = world.record(student).takes("apply", "site_operator", batch=BATCH)

    assert record.refuses("site_approve", "site_approver") == {"G-GR-26"}


def test_the_file_is_filled_by_the_student_reviewed_given_an_opinion_and_frozen_with_the_credential(world_of: Furnish):
    world = world_of("online-ed")
    empty = dict.fromkeys(("card_filled", "form_filled", "form_signed", "file_reviewed", "site_opinion"))
    student = world.ready(None, **KNOWN, **empty)
    world.publishes(BATCH, **DATES)
    card, form = part(world, student, "card"), part(world, student, "form")

    assert (card.state, form.state) == ("empty", "empty")
    card.bars("fill_form", "student", **FORM)
    assert card.takes("fill_card", "student").state == "filled"
    assert world.fact(student, "card_filled") is True
    assert form.refuses("fill_form", "student", **FORM) == {"X-10"}
    assert form.hands_in("E-SIGN", by="student").takes("fill_form", "student", **FORM).state == "filled"
    assert (world.fact(student, "form_filled"), world.fact(student, "form_signed")) == (True, True)
    form.takes("review_form", "site_operator")
    assert form.refuses("enter_opinion", "site_approver", opinion="同意毕业") == {"G-FM-07"}
    assert card.takes("review_card", "site_operator").state == "reviewed"
    assert card.made("F-05")[0][0] == student
    assert form.refuses("enter_opinion", "site_approver") == {"X-05"}
    assert form.takes("enter_opinion", "site_approver", opinion="同意毕业").state == "opinion_entered"
    assert form.made("F-06")[0][0] == student
    assert (world.fact(student, "file_reviewed"), world.fact(student, "site_opinion")) == (True, True)

    reviewed(world, student)
    submitted(closed(world)).takes("accept", "records_section")
    record = world.record(student).takes("apply", "site_operator", batch=BATCH).takes("site_approve", "site_approver")
    record.takes("branch_approve", "records_section").takes("provincial_audit", "records_section2")
    record.takes("register", "records_section2")
    assert (record.state, card.state, form.state) == ("registered", "frozen", "frozen")
    [refused] = world.town.know(student, card_filled=False).refused
    assert "G-PB-02" in {one.id for one in refused.verdicts}
    world.replays_clean()


def test_a_part_returned_or_filled_anew_takes_back_all_that_was_said_of_it(world_of: Furnish):
    world = world_of("online-ed")
    student = world.ready(None, **KNOWN)
    world.publishes(BATCH, **DATES)
    card, form = part(world, student, "card"), part(world, student, "form")
    file_done(world, student)

    assert form.refuses("return_form", "site_operator") == {"X-05"}
    form.takes("return_form", "site_operator", reason="签名不清")
    lost = ("form_filled", "form_signed", "file_reviewed", "site_opinion")
    assert (form.state, [world.fact(student, one) for one in lost]) == ("empty", [False] * 4)
    card.takes("return_card", "site_operator", reason="电话有误")
    assert (card.state, world.fact(student, "card_filled"), world.fact(student, "card_reviewed")) == (
        "empty",
        False,
        False,
    )

    file_done(world, student)
    form.takes("reopen_form", "student", reason="补充经历")
    card.takes("reopen_card", "student", reason="更正电话")
    assert (card.state, form.state, world.fact(student, "file_reviewed")) == ("empty", "empty", False)
    file_done(world, student)
    assert world.fact(student, "site_opinion") is True
    world.replays_clean()


FORM_FAULTS: dict[str, tuple[dict[str, Json], dict[str, Json], set[str]]] = {
    "an empty column": ({"major": None}, {}, {"G-FM-01"}),
    "no ID number and no other document": ({"id_number": None}, {}, {"G-FM-01", "G-FM-02"}),
    "no student type": ({"student_type": None}, {}, {"G-FM-01", "G-FM-03"}),
    "a level that is not on the form": ({"level": "本科"}, {}, {"G-FM-04"}),
    "begins too late": ({}, {"first_stage": "其他"}, {"G-FM-05"}),
    "not in order": ({}, {"in_order": False}, {"G-FM-05"}),
    "no kind of teaching point": ({}, {"site_kind": None}, {"G-FM-06", "X-05"}),
}


@pytest.mark.parametrize("fault", list(FORM_FAULTS))
def test_a_form_with_a_fault_is_not_taken_and_mended_it_is(world_of: Furnish, fault: str):
    facts, given, refused = FORM_FAULTS[fault]
    world = world_of("online-ed")
    student = world.ready(None, **KNOWN)
    good = {name: world.fact(student, name) for name in facts}
    world.publishes(BATCH, **DATES)
    form = part(world, student, "form").hands_in("E-SIGN", by="student")
    world.knows(student, **facts)

    assert form.refuses("fill_form", "student", **{**FORM, **given}) == refused
    world.knows(student, **good)
    assert form.takes("fill_form", "student", **FORM).state == "filled"
    world.replays_clean()


def test_who_reviews_the_form_gives_no_opinion_and_nobody_fills_it_for_the_student(world_of: Furnish):
    world = world_of("online-ed")
    world.gives("site_operator@S1", "site_approver", "S1")
    student = world.ready(None, **KNOWN)
    world.publishes(BATCH, **DATES)
    form = part(world, student, "form").hands_in("E-SIGN", by="student")

    form.bars("fill_form", "site_operator", **FORM)
    part(world, student, "card").bars("fill_card", "site_operator")
    part(world, student, "card").takes("fill_card", "student").takes("review_card", "site_operator2")
    form.takes("fill_form", "student", **FORM).takes("review_form", "site_operator")
    assert form.refuses("enter_opinion", "site_operator", opinion="同意毕业") == {"G-SG-08"}
    assert form.takes("enter_opinion", "site_approver", opinion="同意毕业").state == "opinion_entered"


def test_at_an_open_university_the_teaching_point_opens_the_parts(world_of: Furnish):
    world = world_of("open-university")
    student = world.ready(None, **KNOWN)
    world.publishes(BATCH, **DATES)
    for name in ("card", "form"):
        world.opens(FILES, student, "open_form", "site_operator", batch=BATCH, part=name)

    file_done(world, student)

    assert part(world, student, "form").state == "opinion_entered"
    world.replays_clean()
