"""What pages of lists read in one statement is what is kept, on both databases."""

from __future__ import annotations

from engine.records import NOTHING
from engine.store import deadlines, documents, people, stories
from engine.store.kept import kept_of
from engine.store.lists import standing
from tests.engine.town import FIRST, Town

SITE_LIST = "graduation-eligibility-review.site_list"


def test_events_documents_and_deadlines_of_a_case_come_together_as_they_are_kept(town: Town):
    town.advance(FIRST, "site_approved")
    cases = [int(row[0]) for row in town.connection.execute("SELECT id FROM cases ORDER BY id").fetchall()]
    running = 0
    for case in cases:
        kept = kept_of(town.connection, case)
        assert list(kept.lines) == [one._replace(opened=NOTHING) for one in stories.story(town.connection, [case])]
        assert list(kept.documents) == documents.of_case(town.connection, case)
        assert list(kept.deadlines) == deadlines.of_case(town.connection, case)
        running += len(kept.deadlines)
    assert running, "no case of the district has a deadline"


def test_a_list_in_sight_stands_with_the_deadline_that_ends_first(town: Town):
    everything, nothing = ("(1 = 1)", ()), ("(1 = 0)", ())
    rows = town.connection.execute("SELECT id FROM cases WHERE workflow = ?", (SITE_LIST,)).fetchall()
    found = standing(town.connection, [SITE_LIST], everything, 100)
    assert {one.case.id for one in found} == {int(row[0]) for row in rows}
    for one in found:
        open_ = [row for row in deadlines.of_case(town.connection, one.case.id) if not row.settled]
        due = min((row.due_at for row in open_ if row.due_at is not None), default=None)
        assert (one.due_at, one.members) == (due, 0)
        assert one.deadline in {row.name for row in open_} | {None}
    assert standing(town.connection, [SITE_LIST], nothing, 100) == []


def test_whoever_holds_one_of_some_roles_is_found_with_the_place(town: Town):
    expected = {(login, path) for role in ("site_approver", "records_section") for login, path in
                people.holders(town.connection, role)}  # fmt: skip
    found = people.holding(town.connection, ["site_approver", "records_section"])
    assert {(one.login, one.path) for one in found} == expected
    assert expected
