"""What starts with a batch or a term: students, units and lists, each once, by the system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.definition import Definition
from engine.errors import NotAllowed, NotNow, Unknown, Unreadable
from engine.library import Library
from engine.publishing import Published, TermStarted, publish_batch, start_term
from engine.records import Json, Request
from engine.store.students import students
from tests.engine.lab import OPEN, Written, loan, procedure, rule, titled, with_loan
from tests.engine.town import BATCH, FIRST, NOW, Town, town_at

LATER = "2024-12"
BY_BATCH: Mapping[str, Written] = {"call": {"from": "new", "to": "asked", "when": "batch_published"}}
BY_TERM: Mapping[str, Written] = {"begin": {"from": "new", "to": "asked", "when": "term_started"}}
TERM_FIELD = {"term": {"type": "term", "starts": "this_term", "title": {"zh": "学期", "en": "Term"}}}
IN_TERM = datetime(2024, 9, 10, 2, tzinfo=UTC)
BETWEEN = datetime(2024, 8, 1, 2, tzinfo=UTC)


def starting(transitions: Mapping[str, Written], **more: object) -> Definition:
    """The loan, opened by nobody but the event."""
    one = loan(transitions, **more)
    return one.model_copy(
        update={"transitions": {name: step for name, step in one.transitions.items() if name != "ask"}}
    )


def bundle(about: list[str], transitions: Mapping[str, Written], **more: object) -> dict[str, object]:
    return {
        "title": {"zh": "名单", "en": "List"}, "about": about, "members": {"of": "loan"}, **more,
        "states": titled({"asked": {}}), "transitions": titled(transitions),
    }  # fmt: skip


@contextmanager
def with_batch(
    url: str,
    library: Library,
    definition: Definition,
    units: tuple[str, ...] = ("all",),
    beside: tuple[Definition, ...] = (),
) -> Iterator[Town]:
    """A desk with records, one procedure more, others beside it, and a batch yet to be published, for some units."""
    later = library.batches[BATCH].model_copy(update={"batch": LATER, "units": units})
    records = {key: one for key, one in library.definitions.items() if one.record}
    records |= {(one.workflow, one.profile): one for one in beside}
    shelf = replace(library, batches={**library.batches, LATER: later}, definitions=records)
    with town_at(url, with_loan(shelf, definition, on_site_one=rule("unit.code == 'S1'"))) as town:
        town.desk.publish(NOW, "setup")
        yield town


def publish(town: Town) -> Published:
    return publish_batch(town.desk, LATER, town.request("publish", "records.sx"))


def begin(town: Town, term: str = "2024-1", at: datetime = IN_TERM, login: str = "records.sx") -> TermStarted:
    return start_term(town.desk, term, Request(trigger="term_start", actor=town.actor(login), at=at))


def opened(town: Town, workflow: str = "loan") -> list[tuple[str, Json]]:
    """The cases of a workflow: unit, and the batch or term they are about."""
    sql = "SELECT id FROM cases WHERE workflow = ? ORDER BY unit, id"
    cases = [town.by_id(int(row[0])) for row in town.connection.execute(sql, (workflow,)).fetchall()]
    return [(case.unit, case.fields.get("batch") or case.fields.get("term")) for case in cases]


def test_a_batch_opens_what_starts_with_it_for_every_student_of_its_profile(district_url: str, library: Library):
    with with_batch(district_url, library, starting(BY_BATCH, about=["student", "batch graduation"])) as town:
        done = publish(town)
        assert (done.opened, done.not_opened) == (4, 0)
        assert opened(town) == [("S1", LATER)] * 3 + [("S2", LATER)]
        [first, *_] = (
            town.connection.execute("SELECT id FROM cases WHERE workflow = 'loan' ORDER BY id").fetchone() or ()
        )
        [event] = town.events(int(str(first)))
        registry = town.events(0)
        cause = registry[event["cause"]["seq"] - 1]
        assert (event["cause"]["chain"], cause["kind"], cause["data"]["batch"]) == (
            "registry",
            "batch_published",
            LATER,
        )
        assert (event["actor"], event["role"]) == ("records.sx", "batch_published")
        assert town.replayed().diverged == ()


@pytest.mark.parametrize(
    ("kind", "units", "expected"),
    [
        ("site", ("all",), ["S1", "S2"]),
        ("branch", ("all",), ["B1", "B2"]),
        ("province", ("all",), ["SX"]),
        ("site", ("B2",), ["S2"]),
        ("branch", ("S1",), []),
    ],
)
def test_a_batch_opens_cases_about_units_of_a_kind_below_its_units(
    district_url: str, library: Library, kind: str, units: tuple[str, ...], expected: list[str]
):
    with with_batch(district_url, library, starting(BY_BATCH, about=[kind, "batch graduation"]), units) as town:
        assert publish(town).opened == len(expected)
        assert opened(town) == [(unit, LATER) for unit in expected]


def test_a_batch_for_some_units_opens_nothing_for_students_elsewhere(district_url: str, library: Library):
    about = ["student", "batch graduation"]
    with with_batch(district_url, library, starting(BY_BATCH, about=about), ("B2",)) as town:
        assert publish(town).opened == 1
        assert opened(town) == [("S2", LATER)]
        assert town.events(0)[-1]["data"]["units"] == ["B2"]


def test_a_batch_that_names_a_unit_which_is_not_there_is_not_published(district_url: str, library: Library):
    with with_batch(district_url, library, starting(BY_BATCH, about=["site", "batch graduation"]), ("B7",)) as town:
        with pytest.raises(Unknown, match="B7"):
            publish(town)
        assert town.desk.batch(LATER) is None


def test_a_batch_opens_lists_and_counts_those_whose_guards_do_not_hold(district_url: str, library: Library):
    call = {"call": {**BY_BATCH["call"], "guards": ["on-site-one"]}}
    lists = {"bundle": bundle(["site", "batch graduation"], call)}
    with with_batch(district_url, library, loan({}, lists=lists)) as town:
        done = publish(town)
        assert (done.opened, done.not_opened) == (1, 1)
        assert opened(town, "loan.bundle") == [("S1", LATER)]


def test_a_student_whose_guards_do_not_hold_is_counted_and_told_so_in_the_students_chain(
    district_url: str, library: Library
):
    call = {"call": {**BY_BATCH["call"], "guards": ["on-site-one"]}}
    with with_batch(district_url, library, starting(call, about=["student", "batch graduation"])) as town:
        done = publish(town)
        assert (done.opened, done.not_opened) == (3, 1)
        assert opened(town) == [("S1", LATER)] * 3
        [elsewhere] = [row for row in students(town.connection) if row.unit == "S2"]
        assert town.events(-elsewhere.id)[-1]["kind"] == "refused"
        assert town.replayed().diverged == ()


def test_a_case_that_cannot_open_another_with_it_holds_up_nobody_elses(district_url: str, library: Library):
    note = procedure("note", {"ask": {**OPEN["ask"], "by": "effect", "guards": ["on-site-one"]}})
    call = {"call": {**BY_BATCH["call"], "then": [{"open": "note.ask"}]}}
    about = ["student", "batch graduation"]
    with with_batch(district_url, library, starting(call, about=about), beside=(note,)) as town:
        done = publish(town)
        assert (done.opened, done.not_opened) == (3, 1)
        assert opened(town) == [("S1", LATER)] * 3
        assert opened(town, "note") == [("S1", None)] * 3
        assert town.replayed().diverged == ()


def test_a_term_opens_what_starts_with_it_where_it_is_that_term(district_url: str, library: Library):
    about = {"about": ["student", "case.term"], "fields": TERM_FIELD, "unique": "ever"}
    lists = {"bundle": bundle(["branch", "case.term"], BY_TERM, fields=TERM_FIELD, unique="ever")}
    with with_batch(district_url, library, starting(BY_TERM, **about, lists=lists)) as town:
        done = begin(town)
        assert (done.term, done.opened) == ("2024-1", 6)
        assert "online-ed" in done.profiles
        assert opened(town) == [("S1", "2024-1")] * 3 + [("S2", "2024-1")]
        assert opened(town, "loan.bundle") == [("B1", "2024-1"), ("B2", "2024-1")]
        event = town.events(0)[-1]
        assert (event["kind"], event["actor"], event["data"]["term"]) == ("term_started", "records.sx", "2024-1")
        assert town.replayed().diverged == ()


def test_a_term_started_again_opens_only_what_is_missing(district_url: str, library: Library):
    about = {"about": ["student", "case.term"], "fields": TERM_FIELD, "unique": "ever"}
    with with_batch(district_url, library, starting(BY_TERM, **about)) as town:
        begin(town)
        again = begin(town)
        assert (again.opened, again.not_opened) == (0, 4)
        assert len(opened(town)) == 4
        assert begin(town, "2024-2", datetime(2025, 3, 1, tzinfo=UTC)).opened == 4, "the next term opens its own"


@pytest.mark.parametrize(("term", "at"), [("2024-1", BETWEEN), ("2024-2", IN_TERM), ("2023-2", IN_TERM)])
def test_a_term_that_is_not_the_term_of_the_day_does_not_start(
    district_url: str, library: Library, term: str, at: datetime
):
    with with_batch(district_url, library, starting(BY_TERM, about=["student"])) as town:
        rows = town.counts()
        with pytest.raises(NotNow, match=term):
            begin(town, term, at)
        assert town.counts() == rows


def test_a_term_is_started_by_the_records_section_and_written_as_one(district_url: str, library: Library):
    with with_batch(district_url, library, starting(BY_TERM, about=["student"])) as town:
        with pytest.raises(NotAllowed, match="records_section"):
            begin(town, login="operator.s1")
        with pytest.raises(Unreadable, match="2024-1"):
            begin(town, "秋季")
        assert town.student(FIRST).record is not None
