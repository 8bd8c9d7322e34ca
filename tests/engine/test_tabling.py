"""A table is taken in whole, its change is an event, and the same rows again are no change."""

from datetime import UTC, datetime

import pytest

from engine.errors import NotAllowed, Unknown
from engine.records import Json
from engine.scopes import typed_rows
from engine.store import registry
from engine.tabling import TableChange, replace_table, rows_hash
from engine.trail.event import REGISTRY
from engine.vocabulary import Table
from tests.engine.town import Town

OFFERS: list[dict[str, Json]] = [
    {"major_code": "630302", "site": "S1", "cohort": 2022, "term": "2024-1"},
    {"major_code": "630302", "site": "S2", "cohort": 2022, "term": "2024-1"},
]


def replace(town: Town, rows: list[dict[str, Json]], *, login: str = "records.sx", dry_run: bool = False):
    return replace_table(town.desk, "major_offers", rows, town.request("import_table", login), dry_run=dry_run)


def test_the_rows_are_kept_in_the_order_of_the_sheet_and_replace_those_before(town: Town):
    first = replace(town, OFFERS)
    second = replace(town, [OFFERS[1]])

    assert first == TableChange(before=0, after=2, added=2, removed=0)
    assert second == TableChange(before=2, after=1, added=0, removed=1)
    assert registry.table_rows(town.connection, "major_offers") == [OFFERS[1]]
    assert registry.table_rows(town.connection, "course_offers") == []


def test_the_change_is_an_event_of_the_registry_with_counts_and_the_hash_of_the_rows(town: Town):
    replace(town, OFFERS)

    event = town.events(REGISTRY)[-1]

    assert (event["kind"], event["actor"]) == ("table_changed", "records.sx")
    assert event["data"] == {
        "table": "major_offers",
        "rows": {"old": 0, "new": 2},
        "added": 2,
        "removed": 0,
        "sha256": rows_hash(OFFERS),
    }
    assert rows_hash(registry.table_rows(town.connection, "major_offers")) == rows_hash(OFFERS)
    assert town.replayed().diverged == ()


def test_the_same_rows_in_another_order_and_a_dry_run_leave_no_trace(town: Town):
    replace(town, OFFERS)
    events = len(town.events(REGISTRY))

    again = replace(town, OFFERS[::-1])
    tried = replace(town, [OFFERS[0]], dry_run=True)

    assert again.changes_nothing
    assert tried == TableChange(before=2, after=1, added=0, removed=1)
    assert registry.table_rows(town.connection, "major_offers") == OFFERS
    assert len(town.events(REGISTRY)) == events


def test_who_does_not_keep_tables_changes_none(town: Town):
    with pytest.raises(NotAllowed, match="academic_affairs"):
        replace(town, OFFERS, login="operator.s1")

    assert registry.table_rows(town.connection, "major_offers") == []


@pytest.mark.parametrize(
    ("name", "row", "problem"),
    [
        ("major_offer", {}, "major_offers"),
        ("major_offers", {"majors": "630302"}, "major_code"),
    ],
)
def test_a_table_or_column_that_is_not_there_is_answered_with_the_nearest(town: Town, name, row, problem):
    with pytest.raises(Unknown, match=problem):
        replace_table(town.desk, name, [row], town.request("import_table", "records.sx"))


def test_a_value_of_another_kind_is_refused_before_anything_is_written(town: Town):
    with pytest.raises(ValueError, match="2024"):
        replace(town, [{**OFFERS[0], "term": "2024"}])

    assert registry.table_rows(town.connection, "major_offers") == []


def test_rows_become_values_of_their_columns_and_what_a_row_lacks_is_missing():
    table = Table.model_validate(
        {"title": {"zh": "表", "en": "Table"}, "columns": {"term": "term", "at": "moment", "old": "yes_no"}}
    )

    [row] = typed_rows(table, [{"term": "2024-1", "at": "2024-05-13T01:30:00.000000Z", "else": 1}])

    assert row == {"term": (2024, 1), "at": datetime(2024, 5, 13, 1, 30, tzinfo=UTC), "old": None}
