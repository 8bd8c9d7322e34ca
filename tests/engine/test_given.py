"""What a program hands in is checked before it can reach an event; what others change meanwhile is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import RuleInUse, Unknown, Unreadable
from engine.facts import FactRefusal, keep_refusals
from engine.library import Library
from engine.publishing import change_batch
from engine.records import Json, Moved
from tests.engine.town import BATCH, FIRST, NOW, SECOND, Town, town_at


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"degree_applied": True}, id="a field of another step"),
        pytest.param({"state": "registered"}, id="no field at all"),
    ],
)
def test_a_step_takes_only_the_fields_it_asks_for(town: Town, fields: dict[str, Json]):
    before = town.counts()
    with pytest.raises(Unknown, match=next(iter(fields))):
        town.take(FIRST, "apply", "operator.s1", fields={"batch": BATCH, **fields})
    assert town.counts() == before
    assert town.case(FIRST).state == "enrolled"


def test_a_field_of_the_wrong_kind_is_refused_before_anything_is_written(town: Town):
    before = town.counts()
    given = {"decided_on": "2024-13-40", "document_no": "教字2024年1号"}
    with pytest.raises(Unreadable, match="2024-13-40"):
        town.decided(town.record(FIRST), "suspend", "records.sx", **given)
    assert town.counts() == before


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        pytest.param("fee_owed", 120.5, id="a float"),
        pytest.param("terms_passed", float("nan"), id="not a number"),
        pytest.param("terms_passed", 2**53, id="an integer JSON cannot keep"),
        pytest.param("photo_collected", "是", id="a word for yes"),
        pytest.param("issued_on", "2024/6/30", id="a date written otherwise"),
        pytest.param("major", "e\u0301conomie", id="text not in NFC"),
    ],
)
def test_a_fact_of_the_wrong_kind_never_reaches_the_trail(town: Town, fact: str, value: Json):
    before, known = town.counts(), town.facts(FIRST)
    with pytest.raises(Unreadable, match=fact):
        town.know(FIRST, **{fact: value})
    assert (town.counts(), town.facts(FIRST)) == (before, known)


@pytest.mark.parametrize("fact", ["shoe_size", "full_time"])
def test_a_fact_nobody_may_store_is_refused_by_name(town: Town, fact: str):
    with pytest.raises(Unknown, match=fact):
        town.know(FIRST, **{fact: True})


def test_a_batch_changed_at_another_desk_is_seen_at_the_next_step(town: Town, other_clerk: Town):
    """Batches are remembered from step to step, as long as the registry's chain has not grown."""
    town.advance(FIRST, "registered")
    town.advance(SECOND, "provincially_audited")
    later = {"graduation_on": "2024-07-31"}
    change_batch(other_clerk.desk, BATCH, later, other_clerk.request("batch_set", "records.sx"))
    moved = town.take(SECOND, "register", "auditor.sx")
    assert isinstance(moved, Moved)
    [seen] = [event["data"]["seen"] for event in town.events(moved.case.id) if event["data"]["trigger"] == "register"]
    assert seen["batch.graduation_on"] == "2024-07-31"


def test_a_rulebook_that_lacks_a_rule_open_cases_ask_cannot_be_published(district_url: str, library: Library):
    rules = {name: rule for name, rule in library.rulebook.rules.items() if name != "file-reviewed"}
    lacking = replace(library, rulebook=library.rulebook.model_copy(update={"rules": rules}), definitions={})
    with town_at(district_url, lacking) as town:
        with pytest.raises(RuleInUse, match="file-reviewed"):
            town.desk.publish(NOW, "setup")
        assert town.desk.unpublished() == (town.desk.rulebook,)
    with town_at(district_url, library) as town:
        assert isinstance(town.take(FIRST, "apply", "operator.s1"), Moved)


def test_a_student_refused_for_two_things_at_once_has_one_event_that_names_both(town: Town):
    verdict = town.desk.machine(town.case(FIRST).shape).engine_verdict("one-by-one")
    other = replace(verdict, id="X-13")
    twice = [FactRefusal(student_no=FIRST, verdicts=(verdict,)), FactRefusal(student_no=FIRST, verdicts=(other,))]
    with town.connection.writing():
        keep_refusals(town.desk, twice, town.request("roster", "import"))
    last = town.events(-town.student(FIRST).id)[-1]
    assert (last["kind"], last["data"]["failed"]) == ("refused", ["G-WD-08", "X-13"])
    assert town.replayed().diverged == ()
