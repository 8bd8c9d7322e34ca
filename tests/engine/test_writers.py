"""Facts are written by those the vocabulary names (`written_by`): by sheets, by rosters and by steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.actors import Actor, Grant
from engine.definition import Definition
from engine.enrolling import Enrolment, RosterRefused, enrol
from engine.errors import NotAllowed
from engine.facts import FactsWritten, write_facts
from engine.library import Library
from engine.machine import decide
from engine.publishing import change_batch
from engine.records import Json, Moved, Refused
from engine.trail.event import moment
from engine.writers import holds_one
from tests.engine.hearings import Known, asking, case_in, machine_of
from tests.engine.lab import loan, with_loan
from tests.engine.town import BATCH, FIRST, NOW, OPEN_FIRST, Town, roster_facts, town_at

NEW_ONE = "2022030000099"
PATH = "/GK/SX/B1/S1/"


def written_by(library: Library, *roles: str, fact: str = "fee_owed") -> Library:
    """The shipped library, in which a fact is written by these roles."""
    vocabulary = library.rulebook.vocabulary
    student = {**vocabulary.student, fact: vocabulary.student[fact].model_copy(update={"written_by": roles})}
    book = library.rulebook.model_copy(update={"vocabulary": vocabulary.model_copy(update={"student": student})})
    return replace(library, rulebook=book)


@pytest.fixture
def town(sqlite_district: str, library: Library) -> Iterator[Town]:
    """The district, where the records section writes what is owed."""
    with town_at(sqlite_district, written_by(library, "records_section")) as town:
        town.desk.publish(NOW, "setup")
        yield town


def sheet(town: Town, login: str, student_no: str = FIRST, **facts: Json) -> FactsWritten:
    return write_facts(town.desk, {student_no: facts}, town.request("facts", login))


# --- sheets and rosters ----------------------------------------------------------------------------


def test_a_sheet_with_what_only_an_office_writes_is_refused_and_says_who_may(town: Town):
    [refusal] = sheet(town, "import", fee_owed="9.00").refused
    [verdict] = refusal.verdicts
    assert (refusal.student_no, verdict.rule, verdict.id) == (FIRST, "not-a-writer", "X-41")
    assert verdict.sentence.en == "欠费金额 Fees owed is written by: 学籍科 Student Records Section"
    assert town.facts(FIRST)["fee_owed"] == "0.00"
    assert (town.events(-town.student(FIRST).id)[-1]["data"]) == {"source": "facts", "failed": ["X-41"]}
    assert town.replayed().diverged == ()


@pytest.mark.parametrize(("login", "student", "may"), [
    ("records.sx", FIRST, True), ("operator.s1", FIRST, False), ("records.sx", OPEN_FIRST, False),
    ("records.kf", OPEN_FIRST, True),
])  # fmt: skip
def test_a_sheet_is_taken_in_by_a_holder_of_the_role_at_the_students_unit_or_above(
    town: Town, login: str, student: str, may: object
):
    assert (not sheet(town, login, student, fee_owed="9.00").refused) is may
    assert town.facts(student)["fee_owed"] == ("9.00" if may else "0.00")


def test_what_is_as_it_was_is_written_by_nobody(town: Town):
    assert sheet(town, "import", fee_owed="0.00", phone="13800000000").refused == ()


def test_a_roster_with_what_only_an_office_writes_is_refused_whole(town: Town):
    rows = [Enrolment(student_no=NEW_ONE, unit="S1", facts={**roster_facts(NEW_ONE), "fee_owed": "9.00"})]
    with pytest.raises(RosterRefused) as problem:
        enrol(town.desk, rows, town.request("open_record", "import"))
    assert [(one.student_no, [v.id for v in one.verdicts]) for one in problem.value.refused] == [(NEW_ONE, ["X-41"])]
    counted = town.connection.execute("SELECT count(*) FROM student WHERE student_no = ?", (NEW_ONE,)).fetchone()
    assert counted == (0,)


@pytest.mark.parametrize("named", ["import", "student"])
def test_only_a_fact_that_import_is_named_for_comes_by_any_sheet(sqlite_district: str, library: Library, named: str):
    with town_at(sqlite_district, written_by(library, named)) as town:
        town.desk.publish(NOW, "setup")
        assert bool(sheet(town, "operator.s1", fee_owed="9.00").refused) is (named != "import")


# --- batches --------------------------------------------------------------------------------------


def test_a_date_of_a_batch_is_set_by_those_it_is_written_by(sqlite_district: str, library: Library):
    vocabulary = library.rulebook.vocabulary
    kind = vocabulary.batch["graduation"]
    fees = kind.fields["fees_by"].model_copy(update={"written_by": ("site_head", "site_operator")})
    kinds = {**vocabulary.batch, "graduation": kind.model_copy(update={"fields": {**kind.fields, "fees_by": fees}})}
    book = library.rulebook.model_copy(update={"vocabulary": vocabulary.model_copy(update={"batch": kinds})})
    with town_at(sqlite_district, replace(library, rulebook=book)) as town:
        for login, field, may in (
            ("operator.s1", "fees_by", True), ("records.sx", "fees_by", False),
            ("operator.s1", "photo_by", False), ("records.sx", "photo_by", True),
        ):  # fmt: skip
            with nullcontext() if may else pytest.raises(NotAllowed, match="batch_set"):
                change_batch(town.desk, BATCH, {field: "2024-05-21"}, town.request("set", login))


# --- who holds a role ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lent", "holds"),
    [
        ({}, True),
        ({"until": moment(NOW)}, True),
        ({"until": moment(NOW - timedelta(seconds=1))}, False),
        ({"case": 7}, False),
        ({"path": "/GK/SX/B2/"}, False),
    ],
)
def test_a_lent_role_counts_for_all_of_its_unit_and_until_it_has_run_out(lent: Mapping[str, object], holds: object):
    grant = Grant(**{"role": "clerk", "unit": "S1", "path": PATH, "giver": "li", **lent})  # type: ignore[arg-type]
    assert holds_one(Actor(login="wang", delegated=(grant,)), ("clerk",), PATH, NOW) is holds


# --- steps -----------------------------------------------------------------------------------------

SET = {"student.fee_owed": "0.00"}
STEP = {"from": "asked", "to": "lent", "set": SET}


def decided(library: Library, step: Mapping[str, object], role: str, **values: Json) -> Moved | Refused:
    """A step taken in a role, where site operators write what is owed; whoever checks, this one did not."""
    fields = {"item": {"type": "choice correction", "title": {"zh": "项", "en": "Item"}}} if "asks" in step else {}
    definition: Definition = loan({"lend": step}, fields=fields)
    machine = machine_of(with_loan(written_by(library, "site_operator"), definition), definition)
    seen = {f"case.{name}": value for name, value in values.items()}
    actor = Actor(login="wang", grants=(Grant(role=role, unit="S1", path=PATH),))
    return decide(machine, case_in("asked"), replace(asking("lend", actor), fields=values), Known(seen))


@pytest.mark.parametrize(
    ("step", "role", "may"),
    [
        ({**STEP, "by": ["site_operator", "site_approver"]}, "site_operator", True),
        ({**STEP, "by": ["site_operator", "site_approver"]}, "site_approver", False),
        ({**STEP, "by": {"role": "site_approver", "recorded_by": "site_operator"}}, "site_operator", True),
        ({**STEP, "by": "site_approver", "kind": "return", "to": "checked"}, "site_approver", True),
        ({**STEP, "sign": {"slots": {"one": {"role": "site_operator"}, "two": {"role": "site_approver"}}}},
         "site_approver", True),
        ({**STEP, "sign": {"slots": {"one": {"role": "site_head"}, "two": {"role": "site_approver"}}}},
         "site_approver", False),
    ],
)  # fmt: skip
def test_a_step_that_sets_a_fact_is_taken_by_those_who_may_write_it(
    library: Library, step: Mapping[str, object], role: str, may: object
):
    given = {"reason": "重填"} if step.get("kind") else {}
    outcome = decided(library, step, role, **given)
    assert isinstance(outcome, Moved) is may
    if isinstance(outcome, Refused):
        assert (outcome.failed, outcome.data["engine"]) == (("X-41",), ["not-a-writer"])


def test_where_a_field_chooses_the_fact_only_the_one_chosen_counts(library: Library):
    vocabulary = library.rulebook.vocabulary
    items = {name: vocabulary.student[name].title for name in ("fee_owed", "phone")}
    book = vocabulary.model_copy(update={"choices": {**vocabulary.choices, "correction": items}})
    chosen = replace(library, rulebook=library.rulebook.model_copy(update={"vocabulary": book}))
    step = {**STEP, "by": "site_approver", "asks": ["item"], "set": {"student[case.item]": None}}

    answers = {name: type(decided(chosen, step, "site_approver", item=name)) for name in items}
    assert answers == {"fee_owed": Refused, "phone": Moved}
