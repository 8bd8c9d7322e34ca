"""What one profile has otherwise under `rules/` is what its cases, facts and batches are judged by, and no others."""

from dataclasses import replace

import pytest

from engine.library import Library
from engine.records import Refused
from engine.vocabulary import RulebookVariant
from tests.engine.lab import OPEN, loan, rule, with_loan
from tests.engine.town import FIRST, NOW, town_at

GUARDED = {"ask": {**OPEN["ask"], "guards": ["never-lent"]}}


def varied(library: Library, profile: str, variant: RulebookVariant) -> Library:
    return replace(library, rulebook=library.rulebook.model_copy(update={"variants": {profile: variant}}))


@pytest.mark.parametrize(("profile", "is_refused"), [("online-ed", True), ("open-university", False)])
def test_a_case_is_judged_by_the_rule_as_its_own_profile_has_it(sqlite_district, library, profile, is_refused):
    lending = with_loan(library, loan(GUARDED), never_lent=rule("true"))
    strict = RulebookVariant(rules={"never-lent": rule("false")})

    with town_at(sqlite_district, varied(lending, profile, strict)) as town:
        town.desk.publish(NOW, "setup")
        answer = town.open(("loan", "ask"), FIRST, "operator.s1")

    assert isinstance(answer, Refused) is is_refused


def test_what_was_pinned_is_read_back_from_the_database_with_its_variants(sqlite_district, library):
    strict = varied(library, "online-ed", RulebookVariant(documents={"F-08": None}))

    with town_at(sqlite_district, strict) as town:
        town.desk.publish(NOW, "setup")
        pinned = town.desk.rulebook
    with town_at(sqlite_district, library) as town:
        definition = library.record("online-ed")
        machine = town.desk.machine(town.desk.hash_of(definition), pinned)

    assert "F-08" in library.rulebook.documents
    assert "F-08" not in machine.book.documents


@pytest.mark.parametrize(("profile", "is_refused"), [("online-ed", True), ("open-university", False)])
def test_a_group_that_one_profile_closes_stays_open_for_the_others(sqlite_district, library, profile, is_refused):
    vocabulary = library.rulebook.vocabulary
    assert vocabulary.groups["progress"].guards == ()
    closed = vocabulary.groups["progress"].model_copy(update={"guards": ("closed",)})
    otherwise = RulebookVariant(
        vocabulary=vocabulary.model_copy(update={"groups": {**vocabulary.groups, "progress": closed}}),
        rules={"closed": rule("false")},
    )

    with town_at(sqlite_district, varied(library, profile, otherwise)) as town:
        town.desk.publish(NOW, "setup")
        written = town.know(FIRST, terms_passed=1)

    assert bool(written.refused) is is_refused
