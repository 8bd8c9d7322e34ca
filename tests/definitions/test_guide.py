"""The guide for people who write definitions says what the loader, the checks and the engine do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from console.defining import diff
from engine import definition, vocabulary
from engine.actors import IMPORT
from engine.analysis.examining import examine
from engine.casework import open_case
from engine.errors import NotAllowed
from engine.expressions.compiling import compile_expression
from engine.expressions.faults import ExpressionFaults
from engine.expressions.functions import ALL_NAMES
from engine.facts import write_facts
from engine.library import Library
from engine.loading.folder import load
from engine.loading.positions import LABELS
from engine.migrating import migrate
from engine.publishing import start_term
from engine.records import Refused
from engine.retracting import retract
from engine.scopes import case_scope
from engine.signers import add_signer, drop_signer
from engine.unit_facts import change_unit
from tests.definitions.guide_office import NOON, Office, working
from tests.definitions.world import Told
from tests.engine.loading.folders import spoil, write

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
PIECES = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CITING = {"source", "legal_basis"}
READ_AS_OTHERS = {"WorkflowFile", "RulebookHead"}  # their keys are those of the definitions and the rulebook
INHERITED = {("Definition", "members"), ("Slot", "in_person"), ("Slot", "recorded_by"), ("Slot", "delegates")}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The office of the page: pieces of one file stand one after the other, as they do on the page."""
    folder = tmp_path_factory.mktemp("office")
    for name in dict(PIECES):
        write(folder, name, "".join(piece for one, piece in PIECES if one == name))
    write(folder, "rules/engine.yaml", (ROOT / "rules/engine.yaml").read_text(encoding="utf-8"))
    return folder


@pytest.fixture
def folder(office: Path, tmp_path: Path) -> Path:
    return shutil.copytree(office, tmp_path / "office")


@pytest.fixture(scope="module")
def library(office: Path) -> Library:
    return load(office)


@pytest.fixture
def world(tmp_path: Path, library: Library) -> Iterator[Office]:
    with working(tmp_path / "office.db", library) as one:
        yield one
        one.replays_clean()


def test_every_piece_of_yaml_on_the_page_belongs_to_a_file():
    assert len(PIECES) == PAGE.count("```yaml")
    assert len(PIECES) > 30


def test_the_office_of_the_page_loads_and_checks_clean_story_by_story(office):
    assert examine(office).told == ()


def test_the_profiles_of_the_page_differ_where_the_page_says(library):
    college, evening = (library.definition("transcript-request", one) for one in ("college", "evening"))

    assert "send_back" in college.transitions
    assert "send_back" not in evening.transitions
    limits = [library.rulebook_for(one).rules["copies-within-limit"].let["limit"] for one in ("college", "evening")]
    assert limits == ["3", "5"]


def written(value: object) -> Iterator[tuple[str, str]]:
    """Every key that is written in a definition, with the kinds of part it belongs to."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set & type(value).model_fields.keys():
            yield from ((one.__name__, name) for one in type(value).__mro__ if name in getattr(one, "model_fields", {}))
            yield from written(getattr(value, name))
    elif isinstance(value, Mapping | tuple | list):
        yield from (one for part in (value.values() if isinstance(value, Mapping) else value) for one in written(part))


def test_every_key_of_the_language_stands_in_an_example_that_loads(library):
    shown = set(written([*library.definitions.values(), library.rulebook, *library.batches.values()]))
    kinds = {one.__name__: one for file in (definition, vocabulary) for one in vars(file).values() if is_part(one)}
    every = {(kind, name) for kind in kinds.keys() - READ_AS_OTHERS for name in kinds[kind].model_fields}

    assert {one for one in every - shown if one[1] not in CITING} == INHERITED


def is_part(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, definition.Part) and one is not definition.Part


def test_every_word_that_decides_how_a_key_works_stands_in_an_example():
    examples = "\n".join(piece for _, piece in PIECES)
    words = (
        "kind: return; kind: reject; kind: withdraw; quorum: majority; quorum: any; quorum: 2; order: sequence; "
        "veto: false; expects: any; for_each: student; cancel: open_cases; move: student; by: timer; by: members; "
        "by: effect; fire: record.; fire: members.; when: batch_published; when: term_started; unique: ever; "
        "unique: never; never_left:; in_order:; made_from: case; made_from: members"
    )

    assert [one for one in words.split("; ") if one not in examples] == []


def test_the_fault_on_the_page_is_what_the_check_says(folder):
    answers = re.findall(r"^```text\n(workflows.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    spoil(folder, "workflows/transcript-request.yaml", "warns: [fees-paid]", "warns: [fees-payd]")

    assert [str(examine(folder).told[0][0])] == answers


def test_the_table_of_codes_is_that_of_the_checks():
    table = re.findall(r"^\| `([a-z-]+)` \|", PAGE[PAGE.index("| code | what is wrong") :], re.MULTILINE)

    assert table == sorted(LABELS)


def expressions() -> list[str]:
    table = PAGE[PAGE.index("| example | gives |") : PAGE.index("Such a field keeps")]
    return [one for line in table.splitlines()[2:] for one in re.findall(r"`([^`]+)`", line.split(" | ")[0])]


def test_every_function_of_the_language_is_on_the_page_with_an_example():
    assert {name for one in expressions() for name in re.findall(r"(\w+)\(", one)} == set(ALL_NAMES)


@pytest.mark.parametrize("text", expressions())
def test_every_example_of_an_expression_means_something_in_the_office(library, text):
    for one in library.of_profile("college").values():
        scope = case_scope(library, one)
        for whole in (text, f"count({text}) == 0"):
            try:
                compile_expression(whole, scope, {})
            except ExpressionFaults:
                continue
            return
    pytest.fail(text)


def asked_for_a_grant(world: Office, student: str | None = None, amount: str = "500.00") -> Told:
    grant = world.opens("hardship-grant", student or world.enrols(), "ask", "site_operator", amount=amount)
    return grant.hands_in("GRANT-FORM", by="site_operator")


def signed_by(grant: Told, trigger: str, *signers: str) -> Told:
    """Signatures one after the other: `SLOT role`."""
    for one in signers:
        slot, _, role = one.partition(" ")
        grant.signs(trigger, slot, role)
    return grant


def test_signatures_in_sequence_wait_for_their_turn_and_for_slots_that_apply(world):
    owing = world.enrols(fee_owed="3.00")
    small, large = asked_for_a_grant(world), asked_for_a_grant(world, owing, "2000.00")
    assert small.refuses("check", "records_section", slot="section") == {"T-11"}

    signed_by(small, "check", "head site_head", "section records_section")
    assert small.state == "checked"
    assert small.refuses("check", "site_head", slot="head") == {"X-11"}

    signed_by(large, "check", "head site_head")
    assert large.refuses("check", "finance_office", slot="finance") == {"T-1"}
    world.knows(owing, fee_owed="0.00")
    signed_by(large, "check", "finance finance_office", "section records_section")
    assert large.state == "checked"


def test_a_slot_asks_for_its_papers_and_a_first_no_ends_it_all(world):
    grant = world.opens("hardship-grant", world.enrols(), "ask", "site_operator", amount="500.00")

    assert grant.refuses("check", "site_head", slot="head") == {"X-10"}
    grant.hands_in("GRANT-FORM", by="site_operator")
    assert grant.refuses("check", "site_head", slot="head", yes=False) == {"X-05"}  # no needs a reason
    grant.signs("check", "head", "site_head", yes=False, reason="材料不实")
    assert grant.state == "refused"


def heard(world: Office) -> Told:
    return signed_by(asked_for_a_grant(world), "check", "head site_head", "section records_section")


def test_a_majority_a_choice_and_a_number_make_the_quorums_of_the_page(world):
    grant = heard(world)
    world.gives("dean2@U", "panel_member", "U")
    grant.signs("hear", "first", "panel_member", yes=False, reason="金额过高")
    assert grant.state == "checked", "one no of three decides nothing without a veto"
    assert grant.refuses("hear", "panel_member", slot="second") == {"X-14"}
    signed_by(grant, "hear", "second panel_member2", "third dean2")
    assert grant.state == "heard"
    signed_by(signed_by(grant, "approve", "dean dean"), "pay", "finance finance_office", "dean dean")
    assert grant.state == "paid"

    lost = heard(world)
    for slot, role in (("first", "panel_member"), ("second", "panel_member2")):
        lost.signs("hear", slot, role, yes=False, reason="金额过高")
    assert lost.state == "refused"


def test_signers_are_added_and_dropped_within_what_the_page_offers(world):
    grant = heard(world)
    desk, section = world.town.desk, world.actor("records_section", "S1")

    assert [one.id for one in add_signer(desk, grant.id, "site_head", world.request("hear", section))] == ["X-16"]
    assert add_signer(desk, grant.id, "dean", world.request("hear", section)) == ()
    assert [one.id for one in add_signer(desk, grant.id, "dean", world.request("hear", section))] == ["X-17"]
    assert drop_signer(desk, grant.id, "third", world.request("hear", section)) == ()
    signed_by(grant, "hear", "first panel_member", "+1 dean")
    assert grant.state == "heard", "two of the three that are left"


def test_a_signature_is_taken_back_and_a_return_voids_all_until_the_rounds_are_used_up(world):
    grant = signed_by(asked_for_a_grant(world), "check", "head site_head")
    retract(world.town.desk, grant.id, world.request("retract", world.actor("site_head", "S1")))
    assert grant.case.slots == {}

    signed_by(grant, "check", "head site_head", "section records_section")
    panel = ("first panel_member", "second panel_member2")
    for target in ("checked", "asked"):
        signed_by(grant, "hear", *panel).takes("send_back", "dean", to=target, reason="补充说明")
        assert (grant.state, grant.case.slots) == (target, {})
    assert grant.case.rounds == 2
    signed_by(grant, "check", "head site_head", "section records_section")
    signed_by(grant, "hear", *panel)
    assert grant.refuses("send_back", "dean", reason="补充说明") == {"X-01"}


def test_a_step_is_taken_back_until_somebody_acts(world):
    record = world.record(world.enrols()).takes("suspend", "records_section")
    retract(world.town.desk, record.id, world.request("retract", world.actor("records_section", "S1")))

    assert record.state == "enrolled"
    assert [one["kind"] for one in record.events()][-2:] == ["moved", "retracted"]


def test_a_copy_goes_to_whom_the_page_says(world):
    transcript = world.opens("transcript-request", world.enrols(), "ask", "site_operator", purpose="job_fair")
    transcript.takes("check", "site_head").takes("issue", "records_section")

    told = [(recipient, message) for chain, _, recipient, message in world.town.told() if chain == transcript.id]
    assert sorted(told) == [("site_operator", "moved"), ("student", "registered")]


def test_effects_move_cancel_and_open_other_cases_in_their_order(world):
    student = world.enrols()
    transcript = world.opens("transcript-request", student, "ask", "site_operator", purpose="job_fair")
    loan = world.opens("file-loan", student, "ask", "site_operator")
    leave = world.opens("leave-of-absence", student, "ask", "site_operator", cause="养病", clear_up=True)
    leave.takes("grant", "dean")

    assert [one.state for one in (world.record(student), transcript, loan)] == ["suspended", "cancelled", "cancelled"]
    [talk] = world.cases_of(student, "return-talk")
    assert (talk.state, talk.field("cause")) == ("arranged", "养病")
    assert talk.events()[0]["cause"] == {"chain": f"case/{leave.number}", "seq": 2}


def test_a_linked_case_that_is_not_ready_refuses_the_whole_act_and_is_named_as_the_page_names_it(world):
    student = world.enrols()
    leave = world.opens("leave-of-absence", student, "ask", "site_operator", cause="养病")
    record = world.record(student).takes("suspend", "records_section")
    outcome = leave.asks("grant", "dean")

    assert isinstance(outcome, Refused)
    [sentence] = re.findall(r"^```text\n(关联业务.*)\n```$", PAGE, re.MULTILINE)
    assert [one.sentence.zh for one in outcome.verdicts] == [sentence.replace("K7Q2M4XA", record.number)]
    assert (leave.state, world.cases_of(student, "return-talk")) == ("asked", [])


def test_the_student_moves_once_the_head_of_the_new_site_agrees(world):
    student = world.enrols("S1")
    loan = world.opens("file-loan", student, "ask", "site_operator")
    transfer = world.opens("site-transfer", student, "ask", "site_operator", to_site="S2")
    transfer.bars("accept", "site_head@S1")
    transfer.takes("accept", "site_head@S2")

    assert (world.town.student(student).unit, loan.case.unit) == ("S2", "S2")


def test_a_draft_opens_one_case_for_each_student_in_a_rehearsal_only(tmp_path, library):
    with working(tmp_path / "office.db", library) as world:
        here, left, elsewhere = world.enrols(), world.enrols(), world.enrols("S2")
        world.record(left).takes("leave", "records_section")
        world.opens("file-review", "S1", "begin", "records_section")
        called = [len(world.cases_of(one, "file-check")) for one in (here, left, elsewhere)]
        assert called == [1, 0, 0]
    with working(tmp_path / "office.db", library, rehearsal=False) as world:
        actor = world.actor("records_section", "S2")
        outcome = open_case(world.town.desk, "file-review", "S2", world.request("begin", actor))
        assert isinstance(outcome, Refused)
        assert outcome.failed == ("X-07",)


def cards(world: Office, *units: str) -> list[Told]:
    return [world.opens("student-card", world.enrols(unit), "ask", "site_operator") for unit in units]


def test_a_list_is_live_then_frozen_then_signed_by_each_site_and_moves_its_members(world):
    one, two = cards(world, "S1", "S2")
    [order] = world.cases("student-card.order")
    order.takes("close", "records_section")
    [late] = cards(world, "S1")

    assert [row[0] for row in order.made("CARD-ORDER")][2:] == ["以下空白"]
    assert one.refuses("strike", "site_operator", reason="不办了") == {"X-12"}
    assert order.refuses("send", "seal_keeper", slot="seal") == {"X-15"}
    signed_by(order, "send", "sites@S1 site_head@S1", "sites@S2 site_head@S2", "seal seal_keeper")
    assert [card.state for card in (one, two, late)] == ["ordered", "ordered", "asked"]

    supplement, _ = world.cases("student-card.order")
    supplement.takes("close", "records_section")
    assert len(supplement.made("CARD-ORDER")) == 2, "what is new, and the last row"


def test_a_list_that_goes_back_lets_its_members_go(world):
    [card] = cards(world, "S1")
    [order] = world.cases("student-card.order")
    order.takes("close", "records_section").takes("reopen", "records_section", reason="有误")

    card.takes("strike", "site_operator", reason="不办了")
    assert order.refuses("close", "records_section") == {"T-12"}


def test_a_field_may_choose_the_fact_that_a_step_writes(world):
    student = world.enrols()
    correction = world.opens("data-correction", student, "ask", "site_operator", item="cohort", corrected=2023)
    correction.takes("correct", "records_section")

    assert world.fact(student, "cohort") == 2023


def test_a_group_of_facts_closes_when_its_rule_stops_holding(world):
    student = world.enrols()
    world.record(student).takes("leave", "records_section")
    answer = write_facts(world.town.desk, {student: {"fee_owed": "5.00"}}, world.request("facts", IMPORT))

    assert [verdict.id for one in answer.refused for verdict in one.verdicts] == ["T-2"]
    assert world.fact(student, "fee_owed") == "0.00"


def test_the_day_of_the_photographer_is_a_fact_of_the_site_that_its_head_writes(world):
    student = world.enrols("S1")
    world.publishes("2024-photos")
    [case] = world.cases_of(student, "photo-taking")
    assert case.due("camera-day") is None

    head, operator = (world.actor(role, "S1") for role in ("site_head", "site_operator"))
    change_unit(world.town.desk, "S1", {"camera_on": "2024-05-20"}, world.request("unit_set", head))
    assert case.due("camera-day") == "2024-05-20 23:59:59"
    with pytest.raises(NotAllowed, match="site_head"):
        change_unit(world.town.desk, "S1", {"camera_on": "2024-05-21"}, world.request("unit_set", operator))


def test_a_fact_is_supplied_by_those_it_is_written_by(world):
    student = world.enrols("S1")
    sheet = {student: {"photo_taken": True}}

    [refusal] = write_facts(world.town.desk, sheet, world.request("facts", IMPORT)).refused
    assert [one.id for one in refusal.verdicts] == ["X-41"]
    assert "Teaching-point operator" in refusal.verdicts[0].sentence.en
    assert write_facts(world.town.desk, sheet, world.request("facts", world.actor("site_operator", "S2"))).refused
    assert not write_facts(world.town.desk, sheet, world.request("facts", world.actor("site_operator", "S1"))).refused
    assert world.fact(student, "photo_taken") is True


def test_a_term_opens_a_case_for_everybody_and_its_deadline_blocks_a_step(world):
    here, left = world.enrols(), world.enrols()
    world.record(left).takes("leave", "records_section")
    world.now = datetime(2024, 9, 15, 15, 59, 59, tzinfo=UTC)  # the last second of teaching week 2 in Shanghai
    started = start_term(world.town.desk, "2024-1", world.request("term_start", world.actor("records_section", "U")))
    [in_time] = world.cases_of(here, "term-registration")

    assert (started.opened, started.not_opened) == (1, 1)
    assert in_time.due("two-weeks") == "2024-09-15 23:59:59"
    assert in_time.refuses("excuse", "records_section") == {"T-13"}
    world.now = datetime(2024, 9, 15, 16, tzinfo=UTC)
    assert in_time.refuses("register", "site_operator") == {"T-13"}
    in_time.takes("excuse", "records_section")


def first_version(folder: Path) -> Path:
    """The student card before it could be taken back."""
    file = folder / "workflows" / "student-card.yaml"
    text = file.read_text("utf-8").replace("version: 2", "version: 1").replace("2024-09-01", "2024-04-01")
    file.write_text(re.sub(r"^(  strike|upgrades):.*\n", "", text, flags=re.MULTILINE), "utf-8")
    return file


def test_the_difference_of_two_versions_is_what_the_page_shows(office, folder, capsys):
    assert diff(first_version(folder), office / "workflows" / "student-card.yaml", as_json=False) == 0

    [told] = re.findall(r"^```console\n(college\n.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert capsys.readouterr().out.strip() == told


def test_an_open_case_goes_to_the_version_that_says_how(folder, tmp_path, library):
    first_version(folder)
    with working(tmp_path / "office.db", load(folder)) as world:
        [card] = cards(world, "S1")
        assert "strike" not in card.definition.transitions
    with working(tmp_path / "office.db", library) as world:
        world.town.desk.publish(NOON, "setup")
        mover = world.actor("records_section", "U")
        [verdict] = migrate(world.town.desk, ("student-card", "college", 2), world.request("migrate", mover)).cases
        assert verdict.goes
        Told(world, card.id).takes("strike", "site_operator", reason="不办了")
        world.replays_clean()
