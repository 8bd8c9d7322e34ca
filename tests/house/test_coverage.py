"""No requirement is left without an answer, and every answer is there."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from engine.guards import flatten
from tests.house.coverage import PAGE, Coverage, Standing, coverage, page
from tests.house.requirements import Reference
from tests.house.source import ROOT

OF_THE_DESIGN = re.compile(r"design-\d+")
IN_THE_REQUIREMENTS = {"S": 319, "W": 49, "G": 124, "D": 45, "F": 72, "E": 9, "EM": 9, "INV": 43}
"""How many ids of each kind the requirements have; nobody takes one off the list unnoticed."""
NOT_TO_BE_BUILT = {"W-49"}
NO_DATE_OF_A_CASE = {"D-43"}
"""The day a rule comes into force stands at the head of its definition, not among the deadlines of a case."""


@pytest.fixture(scope="module")
def found() -> Coverage:
    return coverage()


@pytest.fixture(scope="module")
def rows(found: Coverage):
    return {row.id: row for part in found.parts for row in found.rows(part)}


@pytest.fixture(scope="module")
def listed(found: Coverage):
    return [one.id for part in found.parts for one in part.requirements]


def numbers(listed, kind: str) -> list[str]:
    return [one for one in listed if one.startswith(f"{kind}-")]


def test_the_page_is_as_generated(found):
    assert (ROOT / PAGE).read_text("utf-8") == page(found), "run python -m tests.house.coverage"


def test_every_requirement_has_an_answer_or_a_reason_why_not(rows):
    assert [row.id for row in rows.values() if row.standing is Standing.UNANSWERED] == []
    assert [row.id for row in rows.values() if not row.title] == []


def test_no_requirement_is_missing_from_the_list_or_stands_in_it_twice(listed):
    kinds = Counter(re.split(r"[\d-]", one, maxsplit=1)[0] for one in listed if one[0].isalpha())

    assert kinds == IN_THE_REQUIREMENTS
    assert [one for one, times in Counter(listed).items() if times > 1] == []


def test_everything_named_as_an_answer_is_there(found, rows):
    named = [(row.id, one) for row in rows.values() for one in row.answers]

    assert [(clause, " ".join(one)) for clause, one in named if not found.answers.exists(one)] == []


@pytest.mark.parametrize(
    "answer",
    [
        "workflow leave-of-absense", "workflow leave-of-absence.grant", "rule fees-payed", "fact fee_due",
        "role registrar", "document F-999", "deadline leave-of-absence.D-10", "batch 2019-06", "command xueji fly",
        "file engine/nowhere.py", "file engine/signing.py:unsign", "test tests/house/test_nothing.py", "thing other",
    ],
)  # fmt: skip
def test_an_answer_that_is_not_there_is_noticed(found, answer):
    kind, _, name = answer.partition(" ")

    assert not found.answers.exists(Reference(kind, name))


def test_what_answers_a_clause_is_run_by_the_institution_it_comes_from(found):
    elsewhere = [
        row.id
        for part in found.parts
        for row in found.rows(part)
        if part.profile is not None
        and row.standing is Standing.MET
        and part.profile not in (found.answers.run_by(row.answers) or (part.profile,))
    ]

    assert elsewhere == []


def test_every_number_of_the_catalogue_of_guards_is_a_rule_or_signature_that_is_used(found, rows, listed):
    of_engine = {one.id for one in found.library.rulebook.engine.values()}
    rules = found.library.rulebook.rules
    asked = {rules[name].id for name in found.cited.asked if name in rules}
    signed = {one.sign.id for each in found.library.machines() for one in each.transitions.values() if one.sign}

    assert [one for one in numbers(listed, "G") if one not in of_engine | asked | signed] == []
    assert [one for one in numbers(listed, "G") if rows[one].standing is not Standing.MET] == []


def test_no_rule_stands_in_the_rulebook_that_nothing_asks(found):
    rules = found.library.rulebook.rules
    groups = found.library.rulebook.vocabulary.groups.values()
    kept = set(flatten([name for one in groups for name in one.guards], rules))

    assert [name for name, one in rules.items() if not one.all_of and name not in found.cited.asked | kept] == []


def test_every_procedure_has_one_file_and_every_file_its_procedure(found, listed):
    files = {(one.procedure, one.workflow) for one in found.library.definitions.values()}

    assert sorted({procedure for procedure, _ in files}) == sorted(set(numbers(listed, "W")) - NOT_TO_BE_BUILT)
    assert len(files) == len({procedure for procedure, _ in files})


def test_every_deadline_of_the_requirements_stands_in_a_definition(found, listed):
    kept = {number for one in found.library.machines() for number in one.deadlines}

    assert set(numbers(listed, "D")) - kept == NO_DATE_OF_A_CASE


def test_the_measures_of_2021_are_in_force_from_november(found):
    of_the_measures = [
        one
        for one in found.library.definitions.values()
        if one.profile == "fulltime-university" and any(clause.startswith("S002-12") for clause in one.source)
    ]

    assert {one.effective_from.isoformat() for one in of_the_measures} == {"2021-11-01"}


def test_every_clause_that_a_definition_cites_is_one_of_the_requirements(found, listed):
    cited = [one for one in found.cited.sources if not OF_THE_DESIGN.fullmatch(one)]
    chapters = {re.sub(r"[-.][^-.]+$", "", one) for one in listed}

    assert len(cited) > 250
    assert [one for one in cited if one not in listed and one not in chapters] == []


def test_a_clause_that_nobody_wrote_is_noticed(found):
    (part, *_) = found.parts
    (one, *_) = part.requirements
    unknown = replace(part, requirements=(replace(one, id="S000-9.9", answers=(), not_built=None),))

    (row,) = found.rows(unknown)

    assert row.standing is Standing.UNANSWERED
