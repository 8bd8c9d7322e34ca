"""Whoever is lent a role, given a case or left a signature is told in the transaction that does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.delegating import revoke
from engine.library import Library
from engine.organisation import add_student_account
from engine.store.database import INTEGRITY_ERRORS
from engine.trail.event import REGISTRY
from tests.engine.passing import WEEK, asking, checked_loan, hand, hire, leave, lend, lend_case
from tests.engine.town import FIRST, NOW, Town


def told_since(town: Town, before: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Of what the outbox has that it did not have before: chain, whom, and which message."""
    return [(chain, who, message) for chain, _, who, message in town.told()[len(before) :]]


def test_whoever_is_lent_a_role_is_told_by_the_registrys_event_and_again_when_it_is_taken_back(town: Town):
    before = town.told()
    for unit in ("SX", "B1"):
        lend(town, "records.sx", "operator.s1", "records_section", unit)
    assert town.told()[-1][1] == town.events(REGISTRY)[-1]["seq"]
    revoke(town.desk, "operator.s1", "records_section", asking(town, "records.sx"))

    assert town.told()[-1][1] == town.events(REGISTRY)[-1]["seq"]
    assert told_since(town, before) == [
        *([(REGISTRY, "person/operator.s1", "delegated")] * 2),
        *([(REGISTRY, "person/operator.s1", "delegation_ended")] * 2),
    ]


def test_whoever_is_lent_a_case_is_told_by_its_event_and_again_when_it_is_taken_back(town: Town):
    case = town.advance(FIRST, "applied")
    before = town.told()
    lend_case(town, case.id, "approver.s1", "operator.s2", "site_approver")
    assert town.told()[-1][1] == town.events(case.id)[-1]["seq"]
    revoke(town.desk, "operator.s2", "site_approver", asking(town, "approver.s1"), case=case.id)

    assert town.told()[-1][1] == town.events(case.id)[-1]["seq"]
    assert told_since(town, before) == [
        (case.id, "person/operator.s2", "delegated"),
        (case.id, "person/operator.s2", "delegation_ended"),
    ]


def test_whoever_gets_a_case_for_good_is_told(town: Town):
    case = town.advance(FIRST, "applied")
    hire(town, "second.s1", "site_approver")
    before = town.told()

    hand(town, case.id, "approver.s1", "second.s1")

    assert told_since(town, before) == [(case.id, "person/second.s1", "delegated")]


def test_whoever_a_signature_is_left_to_is_told(district_url: str, library: Library):
    with checked_loan(district_url, library) as (town, case):
        add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")
        before = town.told()

        leave(town, case, "zhao", "handler.s1")
        revoke(town.desk, "handler.s1", "student", asking(town, "zhao"), case=case)

        assert told_since(town, before) == [
            (case, "person/handler.s1", "delegated"),
            (case, "person/handler.s1", "delegation_ended"),
        ]


def test_what_was_over_before_it_was_taken_back_is_told_nobody(town: Town):
    case = town.advance(FIRST, "applied")
    lend(town, "records.sx", "operator.s1", "records_section", "SX", until=NOW + timedelta(hours=1))
    lend_case(town, case.id, "approver.s1", "operator.s2", "site_approver")
    before = town.told()

    late = asking(town, "records.sx", NOW + timedelta(hours=2))
    assert revoke(town.desk, "operator.s1", "records_section", late) == 1
    later = asking(town, "approver.s1", WEEK + timedelta(microseconds=1))
    assert revoke(town.desk, "operator.s2", "site_approver", later, case=case.id) == 1

    assert town.told() == before


LENDING: dict[str, Callable[[Town, int], object]] = {
    "a role": lambda town, _: lend(town, "approver.s1", "operator.s2", "site_approver", "S1"),
    "a case": lambda town, case: lend_case(town, case, "approver.s1", "operator.s2", "site_approver"),
}


@pytest.mark.parametrize("what", LENDING)
def test_what_its_taker_cannot_be_told_is_not_done(town: Town, what: str):
    case = town.advance(FIRST, "applied").id
    chain = case if what == "a case" else REGISTRY
    place = (chain, len(town.events(chain)) + 1, "person/operator.s2", "delegated")
    with town.connection.writing():
        town.connection.execute("INSERT INTO outbox (chain, seq, recipient, message) VALUES (?, ?, ?, ?)", place)
    before = town.counts()

    with pytest.raises(INTEGRITY_ERRORS):
        LENDING[what](town, case)

    assert town.counts() == before
    assert town.actor("operator.s2").delegated == ()


def test_a_refused_delegation_is_told_nobody(town: Town):
    case = town.advance(FIRST, "applied")
    before = town.told()

    assert lend(town, "operator.s1", "operator.s2", "records_section", "S1") != ()
    assert lend_case(town, case.id, "approver.s1", "operator.s1", "site_approver") != ()

    assert town.told() == before
