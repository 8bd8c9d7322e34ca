"""Verification, survey and statistics (核查、调查、统计) of a school, and what becomes of each finding."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.publishing import start_term
from engine.records import Json
from tests.definitions.change_acts import CHANGE, asked_of
from tests.definitions.conftest import Furnish
from tests.definitions.world import Told, World

CAMPAIGN, UPDATE = "record-verification-and-statistics", "personal-data-update"
FINDING = f"{CAMPAIGN}.finding"
ADDRESS: dict[str, Json] = {"item": "address", "new_value": "成都市一号", "changed_on": "2024-04-15"}
NEXT_DAY = datetime(2024, 4, 23, 4, tzinfo=UTC)


def running(world: World, campaign: str = "verification") -> Told:
    case = world.opens(CAMPAIGN, "U", "plan", "records_section", campaign=campaign)
    return case.takes("run", "records_section", scope="2022级")


def noted(world: World, student: str, concerns: str, **more: Json) -> Told:
    return world.opens(FINDING, student, "note", "records_officer", concerns=concerns, detail="与证件不符", **more)


def test_a_campaign_is_reported_when_every_finding_is_settled_and_closed_by_somebody_else(world_of: Furnish):
    world = world_of("generic")
    world.gives("records_section@U", "academic_affairs", "U")
    first, second = world.enrols(), world.enrols()
    case = world.opens(CAMPAIGN, "U", "plan", "records_section", campaign="verification")
    assert (case.state, case.field("period"), case.due("D-45")) == ("planned", "2023-2", "2024-07-12 23:59:59")
    case.takes("run", "records_section", scope="2022级")
    key, other, unfounded = noted(world, first, "key"), noted(world, first, "other"), noted(world, second, "key")
    assert key.due("finding") == "2024-05-22 23:59:59"
    case.takes("gather", "records_section")
    case.hands_in("F-93", by="records_section")
    assert case.refuses("report", "records_section", reported_to="教育厅") == {"G-VS-01"}
    world.opens(CHANGE, first, "draft", "student", **asked_of("name", "change"))
    world.opens(UPDATE, first, "report", "student", **ADDRESS)
    key.takes("settle_key", "records_officer")
    other.takes("settle_other", "records_officer")
    unfounded.takes("dismiss", "records_section", reason="与证件一致")
    assert (key.state, other.state, unfounded.state) == ("settled", "settled", "unfounded")
    case.takes("report", "records_section", reported_to="教育厅")
    assert case.refuses("close", "records_section@U") == {"G-SG-08"}
    case.takes("close", "academic_affairs")

    assert case.state == "closed"
    world.replays_clean()


def test_each_term_a_verification_is_planned_once_for_every_school(world_of: Furnish):
    world = world_of("generic")
    for _ in range(2):
        start_term(world.town.desk, "2023-2", world.request("start", world.actor("records_section", "U")))

    [case] = world.cases(CAMPAIGN)
    assert (case.case.unit, case.state) == ("U", "planned")
    assert (case.field("period"), case.field("campaign")) == ("2023-2", "verification")
    case.takes("run", "records_section", scope="全校")
    world.replays_clean()


def test_a_finding_is_settled_by_a_procedure_opened_since_it_was_found(world_of: Furnish):
    world = world_of("generic")
    student = world.enrols()
    world.opens(CHANGE, student, "draft", "student", **asked_of("name", "change"))
    world.opens(UPDATE, student, "report", "student", **ADDRESS)
    world.now = NEXT_DAY
    key, other = noted(world, student, "key"), noted(world, student, "other")

    assert key.refuses("settle_key", "records_officer") == {"G-VS-04"}
    assert other.refuses("settle_other", "records_officer") == {"G-VS-05"}
    key.bars("settle_other", "records_officer")
    other.bars("settle_key", "records_officer")
    world.opens(CHANGE, student, "draft", "student", **asked_of("gender", "entry_error"))
    world.opens(UPDATE, student, "report", "student", **{**ADDRESS, "item": "phone"})
    key.takes("settle_key", "records_officer")
    other.takes("settle_other", "records_section")
    world.replays_clean()


@pytest.mark.parametrize(
    ("campaign", "paper"), [("verification", "F-93"), ("statistics", "F-41"), ("survey", "E-SURVEY")]
)
def test_each_kind_of_campaign_is_reported_with_its_own_paper(world_of: Furnish, campaign: str, paper: str):
    world = world_of("generic")
    case = running(world, campaign).takes("gather", "records_section")
    others = [one for one in ("F-93", "F-41", "E-SURVEY") if one != paper]

    case.hands_in(*others, by="records_section")
    assert case.refuses("report", "records_section", reported_to="教育厅") == {"G-VS-03"}
    case.hands_in(paper, by="records_section")
    if campaign == "verification":
        assert case.refuses_ticks("report", "records_section", {}, reported_to="教育厅") == {"X-22"}
        denied = {"F-93.signed": False}
        assert case.refuses_ticks("report", "records_section", denied, reported_to="教育厅") == {"X-24"}
    case.takes("report", "records_section", reported_to="教育厅")

    assert case.state == "reported"
    world.replays_clean()


def test_a_report_or_its_findings_may_be_sent_back(world_of: Furnish):
    world = world_of("generic")
    case = running(world).takes("gather", "records_section")
    case.takes("send_back", "academic_affairs", reason="范围不全")
    assert case.state == "running"
    case.takes("gather", "records_section").hands_in("F-93", by="records_section")
    case.takes("report", "records_section", reported_to="教育厅")

    assert case.takes("send_back", "academic_affairs", reason="数据有误").state == "running"
    world.replays_clean()


def test_a_campaign_is_given_up_only_while_no_finding_is_open(world_of: Furnish):
    world = world_of("generic")
    case, finding = running(world), noted(world, world.enrols(), "key")

    assert case.refuses("give_up", "records_section", reason="改期") == {"G-VS-02"}
    finding.takes("dismiss", "records_section", reason="无误")
    assert case.refuses("give_up", "records_section") == {"X-05"}
    case.takes("give_up", "records_section", reason="改期")

    assert case.state == "cancelled"
    world.replays_clean()


def test_at_a_primary_or_secondary_school_every_finding_is_settled_by_an_update(world_of: Furnish):
    world = world_of("k12-generic")
    student = world.enrols()
    case = running(world)
    key, other = noted(world, student, "key"), noted(world, student, "other")
    assert key.refuses("settle_key", "records_officer") == {"G-VS-05"}
    world.opens(UPDATE, student, "report", "student", **ADDRESS)
    key.takes("settle_key", "records_officer")
    other.takes("settle_other", "records_officer")
    case.takes("gather", "records_section").hands_in("F-93", by="records_section")
    case.takes("report", "records_section", reported_to="教育局").takes("close", "academic_affairs")

    assert case.state == "closed"
    world.replays_clean()
