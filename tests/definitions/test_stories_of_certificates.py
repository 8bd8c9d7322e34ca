"""What may happen to a certificate after graduation: lost, exchanged, annotated (补办, 换发, 标注)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.credential_acts import FULLTIME, TO_BE_SET, expected, graduate, registered
from tests.definitions.status_acts import DECISION, caused_by, withdrawn
from tests.definitions.world import Told, World

PROOF, EXCHANGE, NOTE = "graduation-certificate-proof", "completion-to-graduation", "record-annotation"
NOTICE: dict[str, Json] = {"newspaper": "示范晚报", "notice_level": "provincial", "notice_on": "2024-04-20"}
LOSS_PAPERS = ("F-57", "E-LOSS-3", "E-LOSS-4", "E-LOSS-5")
NEW: dict[str, Json] = {"upper_decision_no": "省教学〔2024〕7号", "new_certificate_no": "511615202405009999"}
REWARD: dict[str, Json] = {"kind": "reward", "content": "三好学生", "happened_on": "2024-04-15"}
MINOR: dict[str, Json] = {
    "kind": "minor",
    "content": "会计学辅修",
    "happened_on": "2024-04-15",
    "certificate": "FX202401",
}


def noticed(world: World, student: str, **changes: Json) -> Told:
    """A loss reported and declared in a newspaper."""
    case = world.opens(PROOF, student, "report_loss", "student", lost_on="2024-04-01")
    return case.hands_in("E-LOSS-1", by="student").takes("publish_notice", "student", **{**NOTICE, **changes})


def proof_applied(world: World, student: str) -> Told:
    case = noticed(world, student).takes("pay_fee", "finance")
    return case.hands_in(*LOSS_PAPERS, by="student").takes("apply", "student")


def proof_sealed(case: Told) -> Told:
    case.takes("accept", "records_section").takes("attach_photo", "records_section")
    return case.signs("seal", "embossed", "seal_keeper@U")


def test_a_lost_certificate_is_declared_applied_for_sealed_issued_and_annotated_on_the_record(world_of: Furnish):
    world = world_of("fulltime-vocational")
    student = graduate(world)
    case = world.opens(PROOF, student, "report_loss", "student", lost_on="2024-04-01")

    assert case.refuses("publish_notice", "student", **NOTICE) == {"X-10"}
    case.hands_in("E-LOSS-1", by="student").takes("publish_notice", "student", **NOTICE)
    case.takes("pay_fee", "finance").bars("pay_fee", "finance")
    assert case.hands_in(*LOSS_PAPERS, by="student").takes("apply", "student").state == "applied"
    assert case.refuses_ticks("accept", "records_section", {}) == {"X-22"}
    assert case.refuses_ticks("accept", "records_section", {"E-LOSS-5.same_negative": False}) == {"X-24"}
    assert case.takes("accept", "records_section").state == "accepted"
    assert case.takes("attach_photo", "records_section").state == "photo_attached"
    assert case.signs("seal", "embossed", "seal_keeper@U").state == "sealed"
    assert case.refuses("issue", "records_section") == {"X-05"}
    assert case.takes("issue", "records_section", proof_no="ZM2024001").state == "issued"
    assert case.made("F-31")[0][-1] == "ZM2024001"
    assert case.takes("annotate", "records_section").state == "annotated"

    record = world.record(student)
    assert (record.state, record.field("proof_no")) == ("registered", "ZM2024001")
    assert caused_by(record, case)
    world.replays_clean()


def test_nobody_loses_a_certificate_that_was_never_registered(world_of: Furnish):
    world = world_of("fulltime-vocational")

    refused = world.opening_refused(PROOF, expected(world), "report_loss", "student", lost_on="2024-04-01")

    assert refused == {"G-LC-02"}


def test_a_certificate_of_proof_is_applied_for_when_every_item_is_there_and_the_notice_came_first(world_of: Furnish):
    world = world_of("fulltime-vocational")
    case = noticed(world, graduate(world))

    for paper in LOSS_PAPERS:
        assert case.refuses("apply", "student") == {"G-LC-01"}
        case.hands_in(paper, by="student")
    assert case.refuses("apply", "student") == {"G-LC-01"}
    case.takes("pay_fee", "finance")
    assert case.takes("apply", "student").state == "applied"
    world.replays_clean()


def test_a_notice_of_tomorrow_is_no_notice_yet(world_of: Furnish):
    world = world_of("fulltime-vocational")
    case = noticed(world, graduate(world), notice_on="2024-04-23").takes("pay_fee", "finance")
    case.hands_in(*LOSS_PAPERS, by="student")

    assert case.refuses("apply", "student") == {"G-LC-01"}


def test_an_application_for_proof_is_returned_mended_and_submitted_again(world_of: Furnish):
    world = world_of("fulltime-vocational")
    case = proof_applied(world, graduate(world))

    assert case.refuses("return", "records_section") == {"X-05"}
    case.takes("return", "records_section", reason="声明不清晰")
    assert case.state == "returned"
    assert case.refuses("resubmit", "student", notice_on="2024-04-23") == {"G-LC-01"}
    case.takes("resubmit", "student", newspaper="示范日报")
    assert (case.state, case.field("newspaper")) == ("applied", "示范日报")
    world.replays_clean()


@pytest.mark.parametrize("state", ["lost", "notice_published", "applied", "returned"])
def test_a_certificate_found_again_ends_the_application(world_of: Furnish, state: str):
    world = world_of("fulltime-vocational")
    student = graduate(world)
    if state == "lost":
        case = world.opens(PROOF, student, "report_loss", "records_section", lost_on="2024-04-01")
    elif state == "notice_published":
        case = noticed(world, student)
    else:
        case = proof_applied(world, student)
    if state == "returned":
        case.takes("return", "records_section", reason="声明不清晰")

    assert case.state == state
    assert case.refuses("found_again", "student") == {"X-05"}
    assert case.takes("found_again", "student", reason="已找到").state == "cancelled"
    world.replays_clean()


def test_who_accepts_does_not_seal_and_no_number_is_given_twice(world_of: Furnish):
    world = world_of("fulltime-vocational")
    world.gives("records_section@U", "seal_keeper", "U")
    world.publishes(FULLTIME, **TO_BE_SET)
    student, other = expected(world), expected(world)
    registered(world, student, other)
    first = proof_applied(world, student)
    first.takes("accept", "records_section").takes("attach_photo", "records_section")
    assert first.refuses("seal", "records_section", slot="embossed") == {"G-SG-08"}
    first.signs("seal", "embossed", "seal_keeper@U").takes("issue", "records_section", proof_no="ZM2024001")
    first.takes("annotate", "records_section")

    of_other, second = proof_sealed(proof_applied(world, other)), proof_sealed(proof_applied(world, student))
    assert of_other.refuses("issue", "records_section", proof_no="ZM2024001") == {"G-LC-03"}
    assert second.refuses("issue", "records_section", proof_no="ZM2024001") == {"G-LC-03"}
    second.takes("issue", "records_section", proof_no="ZM2024002").takes("annotate", "records_section")

    assert world.record(student).field("proof_no") == "ZM2024002"
    world.replays_clean()


@pytest.mark.parametrize("profile", ["fulltime-university", "fulltime-college"])
def test_the_other_full_time_schools_issue_a_proof_in_the_same_way(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = graduate(world)

    case = proof_sealed(proof_applied(world, student)).takes("issue", "records_section", proof_no="ZM2024001")
    case.takes("annotate", "records_section")

    assert (case.state, world.record(student).field("proof_no")) == ("annotated", "ZM2024001")
    world.replays_clean()


def completion(world: World, **facts: Json) -> str:
    """Somebody with a registered certificate of completion who has all credits by now."""
    return graduate(world, conclusion="结业", **facts)


def test_a_completion_is_exchanged_for_a_graduation_and_the_record_stays_registered(world_of: Furnish):
    world = world_of("fulltime-college")
    student = completion(world)
    case = world.opens(EXCHANGE, student, "apply", "student")

    assert case.field("old_certificate_no") == world.fact(student, "certificate_no")
    assert case.takes("check", "academic_section").state == "requirements_checked"
    assert case.refuses("approve", "academic_affairs") == {"X-05"}
    assert case.takes("approve", "academic_affairs", **DECISION).state == "approved"
    assert case.refuses("withdraw_old", "records_section") == {"X-10"}
    case.hands_in("E-OLD-CERT", by="records_section").takes("withdraw_old", "records_section")
    assert case.state == "old_certificate_withdrawn"
    assert case.takes("register", "records_section", **NEW).state == "registered_credential"

    assert world.record(student).state == "registered"
    world.replays_clean()


def test_only_who_holds_a_registered_completion_and_has_the_credits_exchanges_it(world_of: Furnish):
    world = world_of("fulltime-college")
    student, not_yet = completion(world), expected(world, conclusion="结业")
    case = world.opens(EXCHANGE, student, "apply", "records_section")
    world.knows(student, credits_earned=119)

    assert world.opening_refused(EXCHANGE, not_yet, "apply", "student") == {"G-LC-02"}
    assert case.refuses("check", "academic_section") == {"G-GR-23"}
    world.knows(student, credits_earned=120)
    assert case.takes("check", "academic_section").state == "requirements_checked"
    world.replays_clean()


def test_a_certificate_of_graduation_is_not_exchanged(world_of: Furnish):
    world = world_of("fulltime-college")

    assert world.opening_refused(EXCHANGE, graduate(world), "apply", "student") == {"G-CT-05"}


def test_who_checks_an_exchange_does_not_approve_it(world_of: Furnish):
    world = world_of("fulltime-college")
    world.gives("academic_section@F1", "academic_affairs", "U")
    case = world.opens(EXCHANGE, completion(world), "apply", "student").takes("check", "academic_section")

    assert case.refuses("approve", "academic_section", **DECISION) == {"G-SG-08"}


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_an_exchange_may_be_refused_at_the_school_and_declined_above(world_of: Furnish, steps: int):
    world = world_of("fulltime-college")
    student = completion(world)
    case = world.opens(EXCHANGE, student, "apply", "student").hands_in("E-OLD-CERT", by="student")
    forward: list[tuple[str, str, dict[str, Json]]] = [
        ("check", "academic_section", {}), ("approve", "academic_affairs", {**DECISION}),
        ("withdraw_old", "records_section", {}),
    ]  # fmt: skip
    for trigger, role, fields in forward[:steps]:
        case.takes(trigger, role, **fields)
    refuse, by = ("refuse", "academic_affairs") if steps < 2 else ("decline", "records_section")

    assert case.refuses(refuse, by) == {"X-05"}
    assert case.takes(refuse, by, reason="不符合规定").state == "refused"
    assert world.record(student).state == "registered"
    world.replays_clean()


def test_an_exchange_is_taken_back_by_the_student(world_of: Furnish):
    world = world_of("fulltime-college")
    case = world.opens(EXCHANGE, completion(world), "apply", "student")

    assert case.refuses("take_back", "student") == {"X-05"}
    assert case.takes("take_back", "student", reason="暂缓").state == "cancelled"
    world.replays_clean()


def test_a_reward_is_proposed_by_the_faculty_and_recorded_by_the_records_section(world_of: Furnish):
    world = world_of("fulltime-university")
    world.gives("records_officer@F1", "records_section", "U")
    student = world.enrols()
    case = world.opens(NOTE, student, "propose", "records_officer", **REWARD)

    assert case.refuses("record_entry", "records_officer") == {"G-SG-08"}
    case.bars("record_minor", "records_section")
    assert case.takes("record_entry", "records_section").state == "recorded"
    assert world.record(student).state == "enrolled"
    world.replays_clean()


def test_a_minor_is_annotated_on_the_registered_credential(world_of: Furnish):
    world = world_of("fulltime-university")
    student = graduate(world)
    case = world.opens(NOTE, student, "propose", "records_officer", **MINOR)

    case.bars("record_entry", "records_section")
    assert case.takes("record_minor", "records_section").state == "recorded"

    record = world.record(student)
    assert (record.state, record.field("minor_no")) == ("registered", "FX202401")
    assert caused_by(record, case)
    world.replays_clean()


def test_a_minor_needs_the_main_credential_and_certificates_need_their_number(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()
    unnumbered = {name: value for name, value in MINOR.items() if name != "certificate"}

    assert world.opening_refused(NOTE, student, "propose", "records_officer", **MINOR) == {"G-CT-04"}
    assert world.opening_refused(NOTE, student, "propose", "records_officer", **unnumbered) == {"G-CT-04", "G-CT-06"}
    for kind in ("incomplete_study", "certificate_of_study"):
        entry = {**REWARD, "kind": kind}
        assert world.opening_refused(NOTE, student, "propose", "records_officer", **entry) == {"G-CT-06"}
        assert (
            world.opens(NOTE, student, "propose", "records_officer", **entry, certificate=f"{kind}-1").state
            == "proposed"
        )
    world.replays_clean()


@pytest.mark.parametrize("kind", ["incomplete_study", "certificate_of_study"])
def test_after_an_automatic_withdrawal_no_certificate_is_given(world_of: Furnish, kind: str):
    world = world_of("fulltime-university")
    automatic, voluntary = world.enrols(), world.enrols()
    world.record(automatic).takes("withdraw", "records_section", reason_code="automatic", **DECISION)
    withdrawn(world, voluntary)
    entry = {**REWARD, "kind": kind, "certificate": "YY202401"}

    assert world.opening_refused(NOTE, automatic, "propose", "records_officer", **entry) == {"G-WD-10"}
    case = world.opens(NOTE, voluntary, "propose", "records_officer", **entry)
    assert case.takes("record_entry", "records_section").state == "recorded"
    world.replays_clean()


def test_an_annotation_is_refused_or_taken_back_with_a_reason(world_of: Furnish):
    world = world_of("fulltime-university")
    refused = world.opens(NOTE, world.enrols(), "propose", "records_officer", **REWARD)
    taken_back = world.opens(NOTE, world.enrols(), "propose", "records_officer", **REWARD)

    assert refused.refuses("refuse", "records_section") == {"X-05"}
    assert refused.takes("refuse", "records_section", reason="无依据").state == "refused"
    assert taken_back.refuses("take_back", "records_officer") == {"X-05"}
    assert taken_back.takes("take_back", "records_officer", reason="日期有误").state == "cancelled"
    world.replays_clean()


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        (datetime(2024, 4, 22, 4, tzinfo=UTC), "2024-10-02 23:59:59"),
        (datetime(2024, 9, 10, 4, tzinfo=UTC), "2024-10-02 23:59:59"),
        (datetime(2024, 11, 1, 4, tzinfo=UTC), "2025-10-08 23:59:59"),
    ],
)
def test_an_annotation_is_due_with_the_annual_registration_that_can_still_take_it(
    world_of: Furnish, opened: datetime, due: str
):
    world = world_of("fulltime-university")
    world.now = opened

    assert world.opens(NOTE, world.enrols(), "propose", "records_officer", **REWARD).due("D-09") == due


@pytest.mark.parametrize("profile", ["fulltime-vocational", "fulltime-college"])
def test_vocational_and_junior_colleges_annotate_in_the_same_way(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = graduate(world)

    world.opens(NOTE, student, "propose", "records_officer", **MINOR).takes("record_minor", "records_section")

    assert world.record(student).field("minor_no") == "FX202401"
    world.replays_clean()
