"""A case keeps the shape it was opened with, and a batch the rules it was published with (design, 1.4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import AlreadyOpen, NotAllowed, NotRetractable, StaleCase, Unknown, Unreadable
from engine.library import Library, content_hash
from engine.publishing import change_batch, publish_batch
from engine.queues import waiting_for
from engine.records import Moved, Refused
from engine.retracting import retract
from tests.engine.lab import CHECK, lending, loan, rule, with_loan
from tests.engine.town import BATCH, FIRST, NOW, OPEN_BATCH, SECOND, Town, town_at

LEND = {"lend": {"from": "checked", "to": "lent", "by": "site_approver"}}
BACK = {"shelve": {"from": "asked", "to": "shelved", "by": "site_approver", "retractable": True}}


def stricter(library: Library) -> Library:
    """Tomorrow's rulebook: a cent of debt is forgiven no more, nor is having paid."""
    rules = {
        **library.rulebook.rules,
        "fees-paid": library.rulebook.rules["fees-paid"].model_copy(update={"holds": "false"}),
    }
    return replace(library, rulebook=library.rulebook.model_copy(update={"rules": rules}))


def test_changed_files_neither_strand_nor_alter_an_open_case(district_url: str, library: Library):
    """features.md 6, 7: after an upgrade every waiting case still accepts its decision."""
    with lending(district_url, library, loan({**CHECK, **LEND})) as (town, case):
        town.decided(case, "check", "approver.s1")
    changed = loan({"refile": {"from": "asked", "to": "shelved", "by": "site_operator"}}, version=2)
    with town_at(district_url, with_loan(library, changed)) as town:
        town.desk.publish(NOW, "setup")
        waiting = [one for one in waiting_for(town.desk, town.actor("approver.s1"), NOW) if one.case == case]
        assert [one.triggers for one in waiting] == [("lend",)]
        assert isinstance(town.decided(case, "lend", "approver.s1"), Moved)
        assert town.by_id(case).state == "lent"
        opened = town.open(("loan", "ask"), SECOND, "operator.s1")
        assert isinstance(opened, Moved)
        assert opened.case.shape == content_hash(changed) != town.by_id(case).shape
        assert isinstance(town.decided(opened.case.id, "refile", "operator.s1"), Moved)
        assert town.replayed().diverged == ()


def test_a_case_goes_on_when_its_procedure_is_gone_from_the_files(district_url: str, library: Library):
    with lending(district_url, library, loan({**CHECK, **LEND})) as (_, case):
        pass
    with town_at(district_url, library) as town:
        assert isinstance(town.decided(case, "check", "approver.s1"), Moved)
        with pytest.raises(Unknown, match="loan"):
            town.open(("loan", "ask"), SECOND, "operator.s1")


def test_a_published_batch_keeps_the_rules_it_was_published_with(district_url: str, library: Library):
    with town_at(district_url, stricter(library)) as town:
        town.desk.publish(NOW, "setup")
        applied = town.take(FIRST, "apply", "operator.s1")
        assert isinstance(applied, Moved), "nothing changes in the middle of a batch"
        event = town.events(town.record(FIRST))[-1]
        assert event["rulebook"] == content_hash(library.rulebook)
        assert town.desk.rulebook != event["rulebook"]
        assert isinstance(town.take(FIRST, "site_approve", "approver.s1"), Moved)
        assert town.events(town.record(FIRST))[-1]["rulebook"] == content_hash(library.rulebook)


def test_a_case_without_a_batch_meets_the_rules_in_force_today(district_url: str, library: Library):
    definition = loan({"lend": {"from": "asked", "to": "lent", "by": "site_approver", "guards": ["may-lend"]}})
    with lending(district_url, library, definition, may_lend=rule("true")) as (_, case):
        pass
    with town_at(district_url, with_loan(library, definition, may_lend=rule("false"))) as town:
        town.desk.publish(NOW, "setup")
        refused = town.decided(case, "lend", "approver.s1")
        assert isinstance(refused, Refused)
        assert town.events(case)[0]["rulebook"] != town.events(case)[-1]["rulebook"] == town.desk.rulebook


def test_every_hash_an_event_names_can_be_looked_up(town: Town):
    town.advance(FIRST, "registered")
    for event in town.events(town.record(FIRST)):
        assert town.desk.definition(event["definition"]).workflow == "diploma-registration"
        kept = town.connection.execute("SELECT count(*) FROM rulebook WHERE hash = ?", (event["rulebook"],)).fetchone()
        assert kept == (1,)


def test_publishing_definitions_a_second_time_writes_nothing(town: Town):
    rows = town.counts()
    assert town.desk.publish(NOW, "setup") == ()
    assert town.counts() == rows


def test_a_batch_is_published_once_by_those_who_may(town: Town):
    with pytest.raises(AlreadyOpen, match=BATCH):
        publish_batch(town.desk, BATCH, town.request("publish", "records.sx"))
    with pytest.raises(NotAllowed, match="records_section"):
        publish_batch(town.desk, OPEN_BATCH, town.request("publish", "operator.s1"))
    with pytest.raises(Unknown, match=r"Did you mean '2024-06'\?"):
        publish_batch(town.desk, "2024-6", town.request("publish", "records.sx"))


def test_a_changed_date_of_a_batch_is_an_event_with_the_old_and_the_new(town: Town):
    change_batch(town.desk, BATCH, {"graduation_on": "2024-07-01"}, town.request("set", "records.sx"))
    event = town.events(0)[-1]
    assert (event["kind"], event["actor"]) == ("batch_changed", "records.sx")
    assert event["data"]["values"] == {"graduation_on": {"old": "2024-06-30", "new": "2024-07-01"}}
    batch = town.desk.batch(BATCH)
    assert batch is not None
    assert batch.values["graduation_on"] == "2024-07-01"
    with pytest.raises(Unreadable, match="2024-13-01"):
        change_batch(town.desk, BATCH, {"graduation_on": "2024-13-01"}, town.request("set", "records.sx"))
    with pytest.raises(Unknown, match=r"Did you mean 'graduation_on'\?"):
        change_batch(town.desk, BATCH, {"graduation_in": "2024-07-01"}, town.request("set", "records.sx"))


def test_a_step_can_be_taken_back_by_its_taker_until_somebody_acts(district_url: str, library: Library):
    with lending(district_url, library, loan({**CHECK, **LEND, **BACK})) as (town, case):
        before = town.by_id(case)
        told = town.told()
        town.decided(case, "shelve", "approver.s1", reason="n")
        after = retract(town.desk, case, town.request("retract", "approver.s1"))
        assert (after.state, after.fields, after.taken, after.rounds) == (
            before.state, before.fields, {name: list(who) for name, who in before.taken.items()}, before.rounds,
        )  # fmt: skip
        assert town.by_id(case) == after._replace(taken=town.by_id(case).taken)
        assert [event["kind"] for event in town.events(case)] == ["opened", "moved", "retracted"]
        assert town.told() == told, "a message not yet sent is not sent"
        assert town.replayed().diverged == ()
        assert isinstance(town.decided(case, "check", "approver.s1"), Moved)


def test_a_step_is_taken_back_by_nobody_else_nor_twice_nor_where_the_definition_does_not_say_so(
    district_url: str, library: Library
):
    with lending(district_url, library, loan({**CHECK, **LEND, **BACK})) as (town, case):
        town.decided(case, "shelve", "approver.s1")
        rows = town.counts()
        with pytest.raises(NotRetractable):
            retract(town.desk, case, town.request("retract", "both.s1"))
        with pytest.raises(StaleCase):
            retract(town.desk, case, replace(town.request("retract", "approver.s1"), seen=1))
        assert town.counts() == rows
        retract(town.desk, case, town.request("retract", "approver.s1"))
        with pytest.raises(NotRetractable):
            retract(town.desk, case, town.request("retract", "approver.s1"))
        town.decided(case, "check", "approver.s1")
        with pytest.raises(NotRetractable):
            retract(town.desk, case, town.request("retract", "approver.s1"))
