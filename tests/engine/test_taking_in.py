"""A sheet taken in by a person in their own name writes what their roles write, of their own students."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from console.taking_in import facts, rehearsed
from console.taking_in_kinds import kinds_of
from console.taking_in_photos import photos
from console.taking_in_whole import keep_refused
from engine.actors import Actor, Grant
from engine.library import Library
from engine.recording import WholeRefused
from engine.records import Json, Moved
from engine.store import documents
from engine.taking_in import not_theirs, reach_of, ready
from engine.trail.event import moment
from engine.writers import taken_in_by
from exchange.fact_sheets import FACT_COLUMNS
from exchange.workbooks import Grid
from tests.engine.lab import CHECK, lending, loan, rule
from tests.engine.town import BATCH, FIRST, NOW, OPEN_FIRST, SECOND, Town, town_at
from tests.exchange.pictures import package, picture


@pytest.fixture
def town(sqlite_district: str, library: Library) -> Iterator[Town]:
    with town_at(sqlite_district, library) as town:
        town.desk.publish(NOW, "setup")
        yield town


def refused(town: Town, login: str, student_no: str = FIRST, **facts: Json) -> list[str]:
    found = not_theirs(town.desk, {student_no: facts}, town.request("facts", login))
    return [verdict.rule for one in found for verdict in one.verdicts]


def test_a_fact_is_taken_in_by_its_writers_and_by_the_keeper_where_any_sheet_may_write_it(library: Library):
    known = library.rulebook.vocabulary.student
    said = {name: taken_in_by(known[name]) for name in ("fee_owed", "photo_review", "card_filled")}
    assert said == {
        "fee_owed": ("finance", "records_section"),
        "photo_review": ("records_section",),
        "card_filled": ("records_section",),
    }
    own = known["fee_owed"].model_copy(update={"written_by": ("finance",)})
    assert taken_in_by(own) == ("finance",), "what an office keeps to itself is taken in by nobody else"


@pytest.mark.parametrize(
    ("login", "student", "may"),
    [
        ("records.sx", FIRST, True),
        ("records.sx", OPEN_FIRST, False),
        ("records.kf", OPEN_FIRST, True),
        ("operator.s1", FIRST, False),
    ],
)
def test_the_keeper_takes_in_facts_of_the_own_students_and_nobody_else_does(
    town: Town, login: str, student: str, may: object
):
    assert (refused(town, login, student, fee_owed="9.00") == []) is may


def test_what_is_as_it_was_is_asked_of_nobody(town: Town):
    assert refused(town, "operator.s1", fee_owed="0.00") == []
    assert refused(town, "operator.s1", fee_owed="0.00", photo_review="未通过") == ["not-a-writer"]


def test_a_lent_role_reaches_as_far_as_it_was_lent_and_as_long(library: Library):
    book = library.rulebook
    lent = Grant(role="finance", unit="X", path="/GK/X/", giver="li", until=moment(NOW))
    actor = Actor(login="wang", delegated=(lent,))
    assert reach_of(book, actor, NOW).paths == {"fee_owed": ("/GK/X/",)}
    assert reach_of(book, actor, NOW + timedelta(days=1)).everywhere() == ()
    for_one_case = replace(actor, delegated=(replace(lent, case=7),))
    assert reach_of(book, for_one_case, NOW).everywhere() == ()


def test_a_rehearsal_foretells_what_is_done_and_leaves_nothing_behind(district_url: str, library: Library):
    grid: Grid = [["学号", "欠费金额"], [FIRST, "9.00"], [SECOND, "0.00"], [None, None]]
    with town_at(district_url, library) as town:
        town.desk.publish(NOW, "setup")
        request, chain = town.request("facts", "records.sx"), -town.student(FIRST).id
        heard: list[int] = []
        judged = facts(town.desk, grid, request, FACT_COLUMNS, heard.append)
        before = town.events(chain)

        foretold = rehearsed(town.desk, judged, request, heard.append)

        assert (judged.rows, judged.faults, heard) == (2, (), [2, 3, 2])
        assert (foretold.changed, foretold.unchanged, foretold.ready) == (1, 1, frozenset())
        assert (town.events(chain), town.facts(FIRST)["fee_owed"]) == (before, "0.00")
        assert judged.keep(town.desk, request) == foretold
        assert town.facts(FIRST)["fee_owed"] == "9.00"
        assert town.replayed().diverged == ()


def test_whoever_may_apply_is_ready_and_is_not_while_a_fee_is_owed(town: Town):
    request = town.request("facts", "import")
    record = town.student(FIRST).record
    assert record in ready(town.desk, [FIRST, OPEN_FIRST], request).applying
    town.know(FIRST, fee_owed="9.00")
    assert record not in ready(town.desk, [FIRST], request).applying
    town.know(FIRST, fee_owed="0.00")
    assert ready(town.desk, [FIRST], request).applying == {record}


def test_a_case_that_waits_is_ready_while_nothing_stands_in_its_way(sqlite_district: str, library: Library):
    steps = {"check": {**CHECK["check"], "guards": ["paid"]}}
    with lending(sqlite_district, library, loan(steps), paid=rule("fee_owed == 0", id="T-02")) as (town, case):
        request = town.request("facts", "import")
        assert case in ready(town.desk, [FIRST], request).waiting
        town.know(FIRST, fee_owed="9.00")
        assert case not in ready(town.desk, [FIRST], request).waiting


def test_a_refused_package_of_photographs_leaves_no_picture_behind_and_the_refusal_in_the_chain(
    sqlite_district: str, library: Library
):
    """No shipped rule closes the facts of photographs; an institution's may."""
    book = library.rulebook
    groups = {**book.vocabulary.groups, "progress": book.vocabulary.groups["identity"].model_copy(
        update={"guards": ("closed",)})}  # fmt: skip
    closing = book.model_copy(update={
        "rules": {**book.rules, "closed": rule("cohort < 1900")},
        "vocabulary": book.vocabulary.model_copy(update={"groups": groups}),
    })  # fmt: skip
    with town_at(sqlite_district, library) as town:
        town.know(FIRST, electronic_photo=False)
    with town_at(sqlite_district, replace(library, rulebook=closing)) as town:
        desk = town.desk
        desk.publish(NOW, "setup")
        opened = town.open(("graduate-photo-collection", "start"), FIRST, "records.sx", batch=BATCH)
        assert isinstance(opened, Moved)
        request = town.request("photos", "records.sx")
        judged = photos(desk, package({f"{FIRST}.jpg": picture(size=(480, 640))}), request, lambda _: None)
        [kind] = [one for one in kinds_of(desk, request.actor, NOW) if one.name == "photos"]

        with pytest.raises(WholeRefused) as problem:
            judged.keep(desk, request)
        assert documents.of_case(town.connection, opened.case.id) == []
        keep_refused(desk, kind, problem.value.refused, request)

        [said] = [one["data"] for one in town.events(-town.student(FIRST).id) if one["kind"] == "refused"]
        assert (said["source"], said["failed"]) == ("photos", ["T-01"])
        assert town.facts(FIRST)["electronic_photo"] is False
