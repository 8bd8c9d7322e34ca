"""Claims, drafts, saved filters and searches: on both databases, for whoever they belong to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.store.copies import copies_of
from engine.store.desk_work import (
    CLAIM_LASTS,
    FIND_LASTS,
    Around,
    Finding,
    SavedView,
    Within,
    add_view,
    cases_named,
    claim,
    claimed_by,
    deeds_of,
    draft,
    drop_view,
    finding,
    go_on,
    keep_draft,
    keep_finding,
    last_deed,
    leave,
    let_go,
    lying_on,
    reasons_of,
    take_over,
    tally,
    views,
)
from engine.store.urgings import UrgedKey, add_urged
from engine.trail.event import moment
from tests.engine.town import FIRST, NOW, SECOND, Town

_MINUTE = timedelta(minutes=1)
_ALL = ("1 = 1", ())
ONE, OTHER = "approver.s1", "operator.s1"


def test_of_two_who_open_a_case_the_first_is_at_it(town: Town):
    case = town.record(FIRST)

    assert claim(town.connection, case, ONE, NOW)
    assert not claim(town.connection, case, OTHER, NOW + _MINUTE)

    assert lying_on(town.connection, [case], OTHER, NOW + _MINUTE).claims[case].login == ONE
    assert claimed_by(town.connection, OTHER, NOW + _MINUTE) == []


def test_a_claim_that_is_renewed_is_as_old_as_it_was_first(town: Town):
    case = town.record(FIRST)
    for minutes in range(6):
        assert claim(town.connection, case, ONE, NOW + minutes * _MINUTE)

    found = lying_on(town.connection, [case], OTHER, NOW + 6 * _MINUTE).claims[case]
    assert found.since == NOW


def test_a_claim_that_ran_out_is_anybodys_and_begins_anew(town: Town):
    case = town.record(FIRST)
    claim(town.connection, case, ONE, NOW)
    later = NOW + CLAIM_LASTS

    assert lying_on(town.connection, [case], OTHER, later).claims == {}
    assert claim(town.connection, case, OTHER, later)
    assert lying_on(town.connection, [case], ONE, later).claims[case].since == later


def test_a_case_can_be_taken_over_and_let_go_by_whoever_is_at_it(town: Town):
    case = town.record(FIRST)
    claim(town.connection, case, ONE, NOW)
    take_over(town.connection, case, OTHER, NOW)

    let_go(town.connection, case, ONE)
    assert claimed_by(town.connection, OTHER, NOW) == [case]
    let_go(town.connection, case, OTHER)
    assert claimed_by(town.connection, OTHER, NOW) == []


def test_a_claim_goes_on_with_its_person_unless_somebody_else_is_there(town: Town):
    one, two = town.record(FIRST), town.record(SECOND)
    claim(town.connection, one, ONE, NOW)
    claim(town.connection, two, ONE, NOW - CLAIM_LASTS)

    go_on(town.connection, one, two, ONE, NOW + _MINUTE)
    assert claimed_by(town.connection, ONE, NOW + _MINUTE) == [two]
    assert lying_on(town.connection, [two], OTHER, NOW + _MINUTE).claims[two].since == NOW + _MINUTE

    claim(town.connection, one, OTHER, NOW + _MINUTE)
    go_on(town.connection, two, one, ONE, NOW + 2 * _MINUTE)
    assert claimed_by(town.connection, ONE, NOW + 2 * _MINUTE) == []
    assert lying_on(town.connection, [one], ONE, NOW + 2 * _MINUTE).claims[one].login == OTHER

    go_on(town.connection, one, two, ONE, NOW + 2 * _MINUTE)
    assert claimed_by(town.connection, ONE, NOW + 2 * _MINUTE) == [two]


def test_whoever_goes_on_to_a_case_they_are_at_already_is_there_for_as_long_as_before(town: Town):
    one, two = town.record(FIRST), town.record(SECOND)
    claim(town.connection, one, ONE, NOW)
    claim(town.connection, two, ONE, NOW)

    go_on(town.connection, one, two, ONE, NOW + _MINUTE)

    assert claimed_by(town.connection, ONE, NOW + _MINUTE) == [two]
    assert lying_on(town.connection, [two], OTHER, NOW + _MINUTE).claims[two].since == NOW


def test_a_draft_is_its_writers_alone_and_the_last_one_counts(town: Town):
    case = town.record(FIRST)
    keep_draft(town.connection, (ONE, case, "site_return"), {"reason": "照片"}, NOW)
    keep_draft(town.connection, (ONE, case, "site_return"), {"reason": "照片不清楚"}, NOW + _MINUTE)

    assert draft(town.connection, ONE, case, "site_return") == {"reason": "照片不清楚"}
    assert draft(town.connection, OTHER, case, "site_return") == {}
    assert lying_on(town.connection, [case], ONE, NOW).drafts == {case}
    assert lying_on(town.connection, [case], OTHER, NOW).drafts == frozenset()


@pytest.mark.parametrize("body", [{}, {"reason": ""}])
def test_nothing_typed_is_no_draft(town: Town, body: dict[str, str]):
    case = town.record(FIRST)
    keep_draft(town.connection, (ONE, case, "site_return"), {"reason": "照片"}, NOW)
    keep_draft(town.connection, (ONE, case, "site_return"), body, NOW)

    assert lying_on(town.connection, [case], ONE, NOW).drafts == frozenset()


def test_whoever_is_done_with_a_case_leaves_nothing_on_it(town: Town):
    case = town.record(FIRST)
    claim(town.connection, case, ONE, NOW)
    keep_draft(town.connection, (ONE, case, "site_return"), {"reason": "照片"}, NOW)

    leave(town.connection, case, ONE)

    found = lying_on(town.connection, [case], ONE, NOW)
    assert (found.claims, found.drafts) == ({}, frozenset())


def test_nothing_lies_on_no_case(town: Town):
    assert lying_on(town.connection, [], ONE, NOW).claims == {}


def test_a_filter_is_for_its_owner_and_for_the_unit_it_is_shared_with(town: Town):
    own = SavedView("a", ONE, None, "再报", "caution=sent-back", pinned=True)
    shared = SavedView("b", ONE, "S1", "今天", "due=2024-05-13", pinned=False)
    for view in (own, shared):
        add_view(town.connection, view)

    assert views(town.connection, ONE, []) == [shared, own]
    assert views(town.connection, OTHER, ["S1"]) == [shared]
    assert not drop_view(town.connection, "b", OTHER)
    assert drop_view(town.connection, "a", ONE)
    assert views(town.connection, ONE, ["S1"]) == [shared]


def test_what_was_found_is_there_for_the_session_that_asked_until_it_is_old(town: Town):
    found = Finding("name", (3, 1))
    keep_finding(town.connection, "handle", "mine", found, NOW)

    assert finding(town.connection, "handle", "mine") == found
    assert finding(town.connection, "handle", "another") is None
    keep_finding(town.connection, "later", "mine", found, NOW + FIND_LASTS + _MINUTE)
    assert finding(town.connection, "handle", "mine") is None


def test_a_student_is_found_by_number_document_and_whole_name(town: Town):
    facts = town.facts(FIRST)
    for kind, text in (("student_no", FIRST), ("id_number", facts["id_number"]), ("name", facts["name"])):
        found = cases_named(town.connection, str(text), _ALL)
        assert (found.kind, town.record(FIRST) in found.cases) == (kind, True)


@pytest.mark.parametrize("text", ["%", "_", "\\", '"', "202203", ""])
def test_a_part_of_a_name_or_a_sign_of_the_search_finds_nobody(town: Town, text: str):
    assert cases_named(town.connection, text, _ALL) == Finding("nothing", ())


def test_nobody_is_found_of_whom_one_may_not_know(town: Town):
    assert cases_named(town.connection, FIRST, ("c.path = ?", ("/nowhere/",))).cases == ()


def test_what_a_person_did_is_counted_and_told_the_last_first(town: Town):
    for number in (FIRST, SECOND):
        town.take(number, "apply", "operator.s1")
    midnight = NOW - timedelta(days=1)

    counts = tally(town.connection, "operator.s1", midnight, NOW)
    [last, first] = deeds_of(town.connection, "operator.s1", Within(("moved",)), "", 10)

    assert (counts.done, counts.today, counts.opened) == (2, 2, 0)
    assert (first.case, last.case) == (town.record(FIRST), town.record(SECOND))
    behind = f"{last.at.isoformat(timespec='microseconds').replace('+00:00', 'Z')}/{last.case}/{last.seq}"
    assert deeds_of(town.connection, "operator.s1", Within(("moved",)), behind, 10) == [first]
    assert last_deed(town.connection, first.case) == ("operator.s1", first)
    assert last_deed(town.connection, -1) is None


def test_what_a_person_was_told_is_theirs(town: Town):
    with town.connection.writing():
        sql = "INSERT INTO outbox (chain, seq, recipient, message) VALUES (?, 1, ?, 'returned')"
        for number in (FIRST, SECOND):
            town.connection.execute(sql, (town.record(number), f"person/{ONE}"))

    told = copies_of(town.connection, ONE, 0, 10)

    assert [one.case for one in told] == [town.record(SECOND), town.record(FIRST)]
    assert copies_of(town.connection, ONE, told[0].id, 10) == [told[1]]
    assert copies_of(town.connection, OTHER, 0, 10) == []
    assert tally(town.connection, ONE, NOW, NOW).told == 2


def test_filters_papers_and_who_was_told_today_are_read_with_the_cases(town: Town):
    case, unit = town.record(FIRST), "S1"
    add_view(town.connection, SavedView("b", OTHER, unit, "今晚先办", "lane=look", pinned=True))
    add_view(town.connection, SavedView("a", ONE, None, "再报", "caution=late", pinned=False))
    add_urged(town.connection, UrgedKey("unit/S1", "operator", "photo"), "2024-05-15", moment(NOW), ONE)
    add_urged(town.connection, UrgedKey("unit/S1", "operator", "fees"), "2024-05-14", moment(NOW), ONE)
    asked = Around(units=[unit], day="2024-05-15", abouts=["fees", "photo"], scopes=["unit/S1"])

    found = lying_on(town.connection, [case], ONE, NOW, asked)

    assert [(one.name, one.unit, one.pinned) for one in found.views] == [
        ("今晚先办", unit, True),
        ("再报", None, False),
    ]
    assert found.told == {"photo": NOW}
    assert found.papers == frozenset()
    assert set(found.views) == set(views(town.connection, ONE, [unit]))


def test_the_reasons_a_person_gave_for_a_step_are_found_again_each_once(town: Town):
    assert reasons_of(town.connection, ONE, "site_return", 9) == ()
