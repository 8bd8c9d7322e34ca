"""The withdrawal on CHSI (学信网退学): student by student, then batch, term report, city report."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from engine.bulk import move_many
from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.status_acts import BATCH, DECISION, NEXT_TERM, applied, caused_by, last_change, suspended
from tests.definitions.world import Told, World
from tests.exchange.pictures import of_size, picture

ELSEWHERE: dict[str, Json] = {"cause": "chsi_other_institution", "copies": 4}
IN_ORDER: dict[str, Json] = {"original": True, "student_signed": True, "site_sealed": True}
TEN_MIB = 10 * 2**20


def asked(world: World, student: str) -> Told:
    case = world.opens("chsi-withdrawal", student, "apply", "site_operator", **ELSEWHERE)
    return case.hands_in("F-56", by="site_operator")


def complete(world: World, student: str) -> Told:
    case = asked(world, student).hands_in("E-WD", by="site_operator")
    return case.takes("complete_material", "site_operator", **IN_ORDER)


def processed(world: World, student: str) -> Told:
    return complete(world, student).takes("process_single", "records_section", **DECISION)


def gif() -> bytes:
    written = BytesIO()
    Image.new("P", (200, 200)).save(written, "GIF")
    return written.getvalue()


def test_a_student_who_applies_elsewhere_is_processed_on_chsi_and_the_record_ends(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()

    case = asked(world, student)
    case.hands_in("E-WD", by="site_operator").takes("complete_material", "site_operator", **IN_ORDER)
    case.takes("process_single", "records_section", **DECISION)

    record = world.record(student)
    assert (case.state, record.state) == ("processed_on_chsi", "withdrawn")
    assert record.field("reason_code") == "chsi_other_institution"
    assert caused_by(record, case)
    assert last_change(world, student) == ("31", DECISION["decided_on"], DECISION["document_no"])
    world.replays_clean()


def test_a_picture_with_a_fault_is_returned_with_its_reason_and_sent_again(world_of: Furnish):
    world = world_of("open-university")
    case = complete(world, world.enrols())

    assert case.refuses("return", "records_section", reason="歪斜") == {"X-05"}
    case.takes("return", "records_section", fault="skewed", reason="歪斜")
    assert case.state == "returned"
    case.takes("resubmit", "site_operator", **IN_ORDER)
    for _ in range(4):
        case.takes("return", "records_section", fault="unclear", reason="不清晰").takes(
            "resubmit", "site_operator", **IN_ORDER
        )

    assert case.refuses("return", "records_section", fault="unclear", reason="不清晰") == {"X-01"}
    assert case.state == "material_complete"
    world.replays_clean()


def test_a_withdrawal_on_chsi_is_taken_back_before_it_is_processed(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    suspended(world, student)
    case = complete(world, student)

    assert case.takes("take_back", "student", reason="不报考了").state == "cancelled"
    assert world.record(student).state == "suspended"
    world.replays_clean()


def test_only_a_student_on_roll_who_applies_elsewhere_with_four_copies_withdraws_on_chsi(world_of: Furnish):
    world = world_of("open-university")
    world.publishes(BATCH)
    student, graduating = world.enrols(), world.ready()
    applied(world, graduating)
    start = ("chsi-withdrawal", student, "apply", "site_operator")

    assert world.opening_refused(*start, **{**ELSEWHERE, "cause": "voluntary"}) == {"G-WD-01"}
    assert world.opening_refused(*start, **{**ELSEWHERE, "copies": 3}) == {"G-WD-09"}
    assert world.opening_refused("chsi-withdrawal", graduating, *start[2:], **ELSEWHERE) == {"G-SC-06"}
    assert world.opens(*start, **ELSEWHERE).state == "applied"
    world.replays_clean()


def test_the_material_is_one_picture_of_the_original_signed_and_sealed(world_of: Furnish):
    world = world_of("open-university")
    case = asked(world, world.enrols())
    step = ("complete_material", "site_operator")

    assert case.refuses(*step, **IN_ORDER) == {"G-WD-03", "X-10"}
    case.hands_in("E-WD", by="site_operator")
    assert case.refuses(*step, **{**IN_ORDER, "original": False}) == {"G-WD-06"}
    assert case.refuses(*step, **{**IN_ORDER, "student_signed": False}) == {"G-WD-07"}
    assert case.refuses(*step, **{**IN_ORDER, "site_sealed": False}) == {"G-WD-07"}
    assert case.takes(*step, **IN_ORDER).state == "material_complete"
    world.replays_clean()


@pytest.mark.parametrize(
    ("joint", "body", "refused"),
    [
        ("+", picture(), {"G-WD-04"}),
        (" ", picture(), {"G-WD-04"}),
        ("", gif(), {"X-20", "G-WD-05a", "G-WD-05c", "G-WD-05d"}),  # what it is not decoded for is not known
        ("", of_size(TEN_MIB + 1), {"G-WD-05b"}),
        ("", picture(size=(199, 200)), {"G-WD-05c"}),
        ("", picture(size=(200, 199)), {"G-WD-05c"}),
        ("", picture(orientation=6), {"G-WD-05d"}),
    ],
    ids=["plus", "space", "gif", "10 MB and a byte", "199 wide", "199 high", "turned"],
)
def test_a_picture_is_called_number_and_name_upright_and_as_large_as_asked(
    world_of: Furnish, joint: str, body: bytes, refused: set[str]
):
    world = world_of("open-university")
    student = world.enrols()
    case = asked(world, student)

    name = f"{student}{joint}测试.jpg"
    assert case.hands_in_vainly("E-WD", by="site_operator", body=body, name=name) == refused
    case.hands_in("E-WD", by="site_operator", body=picture("PNG"), name=f"{student}测试.png")
    assert case.takes("complete_material", "site_operator", **IN_ORDER).state == "material_complete"


def test_the_records_section_ticks_every_property_of_the_picture_and_processes_one_by_one(world_of: Furnish):
    world = world_of("open-university")
    case = complete(world, world.enrols())
    step = ("process_single", "records_section")
    every = case.in_order("process_single")
    assert len(every) == 5

    for tick in every:
        unlooked = {name: True for name in every if name != tick}
        assert case.refuses_ticks(*step, unlooked, **DECISION) == {"X-22"}
        assert case.refuses_ticks(*step, {**every, tick: False}, **DECISION) == {"X-24"}
    request = world.request("process_single", world.actor("records_section", "S1"), **DECISION)
    many = move_many(world.town.desk, [(case.id, case.case.revision)], request)
    assert not many.moved
    assert "G-WD-08" in many.refused[0].failed
    assert case.takes(*step, **DECISION).state == "processed_on_chsi"
    world.replays_clean()


def test_who_applied_or_sent_the_material_does_not_process_it(world_of: Furnish):
    world = world_of("open-university")
    world.gives("site_operator@S1", "records_section", "P")
    world.gives("site_operator2@S1", "records_section", "P")
    case = asked(world, world.enrols()).hands_in("E-WD", by="site_operator")
    case.takes("complete_material", "site_operator2", **IN_ORDER)

    for person in ("site_operator", "site_operator2"):
        assert case.refuses("process_single", person, **DECISION) == {"G-SG-08"}
    assert case.takes("process_single", "records_section", **DECISION).state == "processed_on_chsi"
    world.replays_clean()


def test_a_batch_opens_with_its_first_student_and_is_closed_in_order_of_student_numbers(world_of: Furnish):
    world = world_of("open-university")
    first, second = world.enrols(), world.enrols()
    processed(world, second)
    [batch] = world.cases("chsi-withdrawal.batch_list")
    assert (batch.state, batch.case.unit) == ("open", "S1")
    processed(world, first)

    batch.takes("close_batch", "site_operator")

    assert batch.state == "listed"
    assert [row[0] for row in batch.made("F-71")] == [first, second]
    processed(world, world.enrols())
    assert [one.state for one in world.cases("chsi-withdrawal.batch_list")] == ["open", "listed"]
    world.replays_clean()


def of_site(world: World, lists: str, unit: str) -> Told:
    [case] = [one for one in world.cases(f"chsi-withdrawal.{lists}") if one.case.unit == unit]
    return case


def reported(case: Told, batches: int) -> Told:
    """The report of a teaching point, signed, sealed and sent."""
    case.hands_in("F-72", by="site_operator").takes("close", "site_operator", batches_stated=batches)
    return case.signs("report_city", "handler", "handler").signs("report_city", "seal", "seal_keeper")


def test_the_reports_of_a_term_open_with_the_next_and_go_by_the_city_school_to_the_province(world_of: Furnish):
    world = world_of("open-university")
    processed(world, world.enrols())
    [batch] = world.cases("chsi-withdrawal.batch_list")
    batch.takes("close_batch", "site_operator")
    world.starts_term("2024-1", NEXT_TERM)

    site, other = of_site(world, "term_report", "S1"), of_site(world, "term_report", "S2")
    city = of_site(world, "city_report", "B1")
    assert [one.state for one in (site, other, city)] == ["collecting"] * 3
    assert site.field("period") == city.field("period") == "2023-2"
    assert site.due("D-35") == "2024-09-14 23:59:59"  # a Saturday worked for the Mid-Autumn Festival
    site.hands_in("F-72", by="site_operator").takes("close", "site_operator", batches_stated=1)
    assert site.state == "signing"
    assert [row[0] for row in site.made("F-71b")] == [batch.number]
    site.signs("report_city", "seal", "seal_keeper").signs("report_city", "handler", "handler")
    assert site.state == "sent_to_city"
    assert city.refuses("report_province", "city_school") == {"G-WD-14"}
    reported(other, 0)
    city.takes("report_province", "city_school")

    assert city.state == "reported_to_province"
    assert [row[0] for row in city.made("F-71b")] == sorted([site.number, other.number])
    world.replays_clean()


def test_a_term_report_counts_closed_batches_and_has_its_paper(world_of: Furnish):
    world = world_of("open-university")
    processed(world, world.enrols())
    [batch] = world.cases("chsi-withdrawal.batch_list")
    world.starts_term("2024-1", NEXT_TERM)
    report = of_site(world, "term_report", "S1")

    assert report.refuses("close", "site_operator", batches_stated=1) == {"G-WD-12", "X-10"}
    report.hands_in("F-72", by="site_operator")
    batch.takes("close_batch", "site_operator")
    assert report.refuses("close", "site_operator", batches_stated=2) == {"G-WD-13"}
    assert report.takes("close", "site_operator", batches_stated=1).state == "signing"
    world.replays_clean()


def test_a_term_report_is_reopened_by_the_teaching_point_or_by_who_does_not_sign(world_of: Furnish):
    world = world_of("open-university")
    world.starts_term("2024-1", NEXT_TERM)
    report = of_site(world, "term_report", "S1").hands_in("F-72", by="site_operator")

    report.takes("close", "site_operator", batches_stated=0).takes("reopen", "site_operator", reason="报告有误")
    report.takes("close", "site_operator", batches_stated=0)
    report.signs("report_city", "handler", "handler", yes=False, reason="报告有误")
    assert report.state == "collecting"
    report.takes("close", "site_operator", batches_stated=0)
    report.signs("report_city", "handler", "handler").signs("report_city", "seal", "seal_keeper")

    assert report.state == "sent_to_city"
    world.replays_clean()
