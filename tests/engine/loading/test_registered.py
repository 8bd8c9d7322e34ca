"""Functions registered beside the language: called by rules, checked by kind, pinned with the rulebook."""

from datetime import date

import pytest

from engine.checking.examining import examine
from engine.expressions.functions import Registered
from engine.expressions.kinds import DATE, NUMBER
from engine.library import content_hash
from engine.loading.folder import load
from engine.steps import Machine
from rules.functions import FUNCTIONS
from tests.engine.loading.folders import clean_folder, spoil

HOLDS, FAILS = 0, 1


def age_on(born_on: date, day: date) -> int:
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


AGE = {"age_on": Registered(takes=(DATE, DATE), gives=NUMBER, run=age_on, total=True)}


@pytest.fixture
def folder(tmp_path):
    spoil(clean_folder(tmp_path), "rules/conditions.yaml", "fee_owed <= limit", "age_on(born_on, today) < 18 + limit")
    return tmp_path


def test_a_rule_calls_a_registered_function(folder):
    library = load(folder, AGE)
    machine = Machine(library, library.definition("leave", "college"), shape="", rulebook="")
    (grown,) = machine.guards_of(["paid"])

    def on(day: date) -> int:
        known = {"born_on": date(2006, 5, 14), "today": day}
        return int(grown.ask(*[known[key] for key in grown.reads]))

    assert examine(folder, AGE)[1] == ()
    assert (on(date(2024, 5, 13)), on(date(2024, 5, 14))) == (HOLDS, FAILS)


def test_a_function_that_is_not_registered_is_named_with_the_nearest(folder):
    _, faults = examine(folder, {"age_at": AGE["age_on"]})

    assert {fault.code for fault in faults} == {"unknown-function"}
    assert "Did you mean 'age_at'?" in faults[0].message


def test_the_values_given_to_a_registered_function_are_of_its_kinds(folder):
    spoil(folder, "rules/conditions.yaml", "age_on(born_on", "age_on(fee_owed")

    assert {fault.code for fault in examine(folder, AGE)[1]} == {"expression"}


def test_the_source_of_the_functions_is_part_of_the_rulebook(tmp_path):
    clean_folder(tmp_path)
    without, given = load(tmp_path).rulebook, load(tmp_path, AGE).rulebook

    assert without.functions == ""
    assert len(given.functions) == 64
    assert content_hash(without) != content_hash(given)


def test_no_shipped_condition_needs_a_function_of_its_own():
    assert dict(FUNCTIONS) == {}
