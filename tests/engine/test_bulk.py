"""Bulk: as many cases as you like, and nothing happens to any of them that would not have happened alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import bulk
from engine.bulk import BulkAnswer, move_many
from engine.errors import TransitionNotOpen
from engine.records import Moved, Refused, Request
from engine.store.cases import records_under
from tests.engine.town import ELSEWHERE, FIRST, OPEN_FIRST, OPEN_SECOND, SECOND, THIRD, Town

S1 = (FIRST, SECOND, THIRD)


def pages(town: Town, *numbers: str) -> list[tuple[int, int]]:
    """Cases with the revision somebody sees now."""
    return [(case.id, case.revision) for case in map(town.case, numbers)]


def all_apply(town: Town, cases: list[tuple[int, int]], **changes: object) -> BulkAnswer:
    request = replace(town.step("apply", "operator.s1"), **changes)  # type: ignore[arg-type] # a test's own words
    return move_many(town.desk, cases, request)


def a_mixed_lot(town: Town) -> None:
    """One in order, one that fails and lacks something, one that has applied already."""
    town.know(SECOND, fee_owed="120.50", terms_passed=None)
    town.take(THIRD, "apply", "operator.s1")


def test_bulk_says_of_every_case_what_one_by_one_would_have_said(town: Town):
    a_mixed_lot(town)
    with town.undone():
        alone = {no: town.take(no, "apply", "operator.s1") for no in (FIRST, SECOND)}
        with pytest.raises(TransitionNotOpen):
            town.take(THIRD, "apply", "operator.s1")
        rows = {no: town.case(no) for no in S1}
        counted = town.counts()
    answer = all_apply(town, pages(town, *S1))
    first, second = alone[FIRST], alone[SECOND]
    assert isinstance(first, Moved)
    assert isinstance(second, Refused)
    assert answer.moved == [town.record(FIRST)]
    [refused] = answer.refused
    assert (refused.verdicts, refused.case.id) == (second.verdicts, town.record(SECOND))
    assert [case for case, _ in answer.barred] == [town.record(THIRD)]
    assert town.counts() == counted
    for no in S1:
        case, was = town.case(no), rows[no]
        assert (case.state, case.revision, case.fields, case.taken) == (was.state, was.revision, was.fields, was.taken)
    assert town.replayed().diverged == ()


def test_a_refused_case_of_a_bulk_run_has_its_refusal_in_its_chain(town: Town):
    a_mixed_lot(town)
    all_apply(town, pages(town, *S1))
    event = town.events(town.record(SECOND))[-1]
    assert (event["kind"], event["data"]["failed"], event["data"]["undecided"]) == ("refused", ["G-GR-07"], ["G-GR-04"])


def test_a_case_that_is_held_back_stays_where_it_is_and_its_refusal_stands_in_its_chain(town: Town):
    a_mixed_lot(town)
    before = {no: town.case(no).head.seq for no in S1}
    held = [town.record(FIRST), town.record(SECOND)]

    answer = move_many(town.desk, pages(town, FIRST, SECOND), town.step("apply", "operator.s1"), held=held)

    assert answer.moved == [town.record(FIRST)], "it would have moved"
    assert (town.case(FIRST).state, town.case(FIRST).head.seq) == ("enrolled", before[FIRST])
    assert [one.case.id for one in answer.refused] == [town.record(SECOND)]
    assert town.case(SECOND).head.seq == before[SECOND] + 1
    assert town.replayed().diverged == ()


def test_a_case_that_changed_since_it_was_seen_is_a_conflict_and_stays(town: Town, other_clerk: Town):
    seen = pages(town, *S1)
    other_clerk.know(SECOND, fee_owed="1.00")
    answer = all_apply(town, seen)
    assert answer.conflicts == [town.record(SECOND)]
    assert len(answer.moved) == 2
    assert town.case(SECOND).state == "enrolled"


def test_a_case_that_does_not_exist_is_a_conflict(town: Town):
    assert all_apply(town, [(999, 1), *pages(town, FIRST)]).conflicts == [999]


def test_a_case_of_another_site_is_barred_and_does_not_stop_the_others(town: Town):
    answer = all_apply(town, pages(town, ELSEWHERE, FIRST))
    assert answer.moved == [town.record(FIRST)]
    [(case, why)] = answer.barred
    assert case == town.record(ELSEWHERE)
    assert "site_operator" in why


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_where_the_chunks_end_makes_no_difference(town: Town, monkeypatch: pytest.MonkeyPatch, chunk: int):
    monkeypatch.setattr(bulk, "CHUNK", chunk)
    a_mixed_lot(town)
    done: list[int] = []
    answer = move_many(town.desk, pages(town, *S1), town.step("apply", "operator.s1"), done.append)
    assert (len(answer.moved), len(answer.refused), len(answer.barred)) == (1, 1, 1)
    assert sum(done) == 3
    assert max(done) <= chunk
    assert town.replayed().diverged == ()


def test_an_empty_bulk_run_does_nothing(town: Town):
    rows = town.counts()
    assert all_apply(town, []) == BulkAnswer()
    assert town.counts() == rows


def test_a_run_that_was_cut_off_is_run_again_and_moves_nothing_twice(town: Town):
    a_mixed_lot(town)
    seen = pages(town, *S1)
    all_apply(town, seen[:1], id="bulk-1")
    again = all_apply(town, seen, id="bulk-1")
    assert again.moved == []
    assert town.record(FIRST) in again.conflicts
    assert [refused.case.id for refused in again.refused] == [town.record(SECOND)]
    moves = [event for event in town.events(town.record(FIRST)) if event["kind"] == "moved"]
    assert len(moves) == 1


def test_a_run_with_refusals_can_be_run_again_with_the_same_id(town: Town):
    a_mixed_lot(town)
    seen = pages(town, SECOND, FIRST)
    all_apply(town, seen[:1], id="bulk-1")
    again = all_apply(town, seen, id="bulk-1")
    assert again.moved == [town.record(FIRST)]
    refusals = [event for event in town.events(town.record(SECOND)) if event["kind"] == "refused"]
    assert len(refusals) == 1, "one request, one line in the log"


def test_a_case_named_twice_moves_once(town: Town):
    answer = all_apply(town, pages(town, FIRST, FIRST, SECOND))
    assert sorted(answer.moved) == sorted((town.record(FIRST), town.record(SECOND)))
    assert town.replayed().diverged == ()


def test_every_case_of_a_run_gets_its_own_event_and_its_own_messages(town: Town):
    told = len(town.told())
    all_apply(town, pages(town, *S1))
    assert len(town.told()) - told == 3
    for no in S1:
        last = town.events(town.record(no))[-1]
        assert (last["kind"], last["actor"], last["data"]["to"]) == ("moved", "operator.s1", "applied")


def test_a_step_that_writes_facts_writes_them_in_bulk_too(town: Town):
    both = (OPEN_FIRST, OPEN_SECOND)
    for no in both:
        town.know(no, preliminary_passed=None)
    request = town.request("record_preliminary_check", "province.kf")
    assert len(move_many(town.desk, pages(town, *both), request).moved) == 2
    for no in both:
        assert town.facts(no)["preliminary_passed"] is True
        event = town.events(-town.student(no).id)[-1]
        assert event["data"]["cause"]["chain"] == f"case/{town.case(no).number}"
    assert town.replayed().diverged == ()


def test_bulk_goes_all_the_way_to_registered(town: Town):
    for trigger, login in (
        ("apply", "operator.s1"), ("site_approve", "approver.s1"), ("branch_approve", "records.sx"),
        ("provincial_audit", "auditor.sx"), ("register", "auditor.sx"),
    ):  # fmt: skip
        answer = move_many(town.desk, pages(town, *S1), town.step(trigger, login))
        assert len(answer.moved) == 3, (trigger, answer)
    states = {found.student_no: found.case.state for found in records_under(town.connection, "/GK/SX/B1/S1/")}
    assert states == dict.fromkeys(S1, "registered")
    assert town.replayed().diverged == ()


def test_persons_are_kept_apart_in_bulk_too(town: Town):
    request: Request = town.step("apply", "both.s1")
    move_many(town.desk, pages(town, FIRST), request)
    answer = move_many(town.desk, pages(town, FIRST), town.request("site_approve", "both.s1"))
    assert [one.failed for one in answer.refused] == [("G-SG-08",)]
