"""Deadline rows: made, moved, settled, started again and closed by what the cases go through, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from engine.attaching import Attached, Withdrawn, attach, withdraw_document
from engine.bulk import move_many
from engine.casework import move
from engine.expressions.functions import end_of_day
from engine.keeping import write_event
from engine.library import Library
from engine.migrating import migrate
from engine.publishing import change_batch
from engine.records import Json, Moved, Request
from engine.retracting import retract
from engine.store.cases import extend
from engine.timers import Firing
from engine.trail.event import EventKind
from exchange.evidence import inspect
from tests.engine.clocks import CARD, TERM, agree, rows, scan, ticking
from tests.engine.lab import opened
from tests.engine.town import FIRST, NOW, SECOND, THIRD, Town
from tests.exchange.pictures import picture

OPENED = date(2024, 4, 20)


def asked(town: Town, student: str = FIRST) -> int:
    return opened(town, "loan", student, batch=TERM)


def last_second(day: date) -> datetime | None:
    return end_of_day(day)


def take(town: Town, case: int, trigger: str, login: str = "approver.s1", at: datetime = NOW, **fields: Json) -> None:
    outcome = move(town.desk, case, Request(trigger=trigger, actor=town.actor(login), at=at, fields=fields))
    assert isinstance(outcome, Moved), outcome


def set_batch(town: Town, **values: str) -> None:
    change_batch(town.desk, TERM, values, town.request("set", "records.sx"))


def test_entering_a_state_makes_the_rows_that_run_in_it_and_says_so_in_its_event(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        made = rows(town, case)
        assert made.keys() == {"by-opening", "by-fact", "by-batch", "over"}
        assert made["by-opening"].due_at == last_second(OPENED + timedelta(days=10))
        told = town.events(case)[0]["data"]["deadlines"]
        assert told["by-opening"] == {"due": "2024-04-30T15:59:59.000000Z", "next": "2024-04-23T01:00:00.000000Z"}
        assert told["by-fact"] == {"due": "2024-07-30T15:59:59.000000Z", "settled": True}
        agree(town)


def test_leaving_the_states_closes_rows_and_those_that_go_on_stay_as_they_were(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        before = rows(town, case)
        take(town, case, "check")
        after = rows(town, case)
        assert after.keys() == {"by-opening", "by-batch", "by-stay", "over"}
        assert after["by-opening"] == before["by-opening"]
        told = town.events(case)[-1]["data"]["deadlines"]
        assert told["by-fact"] is None
        assert told.keys() == {"by-fact", "by-stay"}
        take(town, case, "lend")
        assert rows(town, case) == {}
        agree(town)


def test_a_row_moves_with_the_fact_it_is_counted_from(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case, other = asked(town), asked(town, SECOND)
        town.know(FIRST, issued_on="2024-07-10", fee_owed="3.00")
        row = rows(town, case)["by-fact"]
        assert row.due_at == last_second(date(2024, 8, 9))
        event = town.events(case)[-1]
        assert event["kind"] == "deadline_moved"
        assert event["data"]["old"], event["data"]["new"] == ("2024-07-30", "2024-08-09")
        assert event["cause"]["chain"].startswith("student/")
        assert row.sequence == event["seq"]
        assert len(town.events(other)) == 1
        agree(town)


def test_a_fact_settles_a_deadline_and_it_starts_again_when_that_ceases_to_hold(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        town.know(FIRST, fee_owed="3.00")
        case = asked(town)
        assert rows(town, case)["by-fact"].next_at is not None
        town.know(FIRST, fee_owed="0.00")
        settled = rows(town, case)["by-fact"]
        assert (settled.settled, settled.next_at) == (True, None)
        town.know(FIRST, fee_owed="1.00")
        again = rows(town, case)["by-fact"]
        assert not again.settled
        assert again.next_at is not None
        agree(town)


def test_a_fact_that_moves_nothing_leaves_no_event(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        town.know(FIRST, gender="男")
        assert len(town.events(case)) == 1


def test_an_open_date_is_silent_until_the_batch_has_it(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        set_batch(town, photo_by="2024-05-20")
        case = asked(town)
        assert rows(town, case)["by-batch"].due_at == last_second(date(2024, 5, 20))
        set_batch(town, photo_by="2024-05-27")
        row = rows(town, case)["by-batch"]
        assert row.due_at == last_second(date(2024, 5, 27))
        event = town.events(case)[-1]
        assert (event["data"]["deadline"], event["cause"]["chain"]) == ("by-batch", "registry")
        assert ("site_operator", "deadline_moved") in {(who, what) for _, _, who, what in town.told()}
        agree(town)


def test_an_extended_batch_date_takes_the_late_mark_back_and_tells_of_it_anew(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        set_batch(town, photo_by="2024-05-20")
        case = asked(town)
        scan(town, datetime(2024, 5, 21, 2, tzinfo=UTC))
        assert rows(town, case)["by-batch"].missed_at is not None
        set_batch(town, photo_by="2024-06-20")
        assert rows(town, case)["by-batch"].missed_at is None
        agree(town)


def test_the_late_mark_is_made_once_however_often_it_is_looked_at(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        for hours in (0, 1, 30):
            scan(town, datetime(2024, 4, 30, 16, tzinfo=UTC) + timedelta(hours=hours))
        late = [event for event in town.events(case) if event["kind"] == "late"]
        assert [event["data"]["deadline"] for event in late] == ["by-opening"]
        agree(town)


def test_a_timer_fires_once_though_two_clocks_look(district_url: str, library: Library):
    with ticking(district_url, library) as town, ticking(district_url, library) as other:
        case = asked(town)
        at = datetime(2024, 5, 31, 2, tzinfo=UTC)
        fired = [*scan(town, at), *scan(other, at), *scan(town, at)]
        assert fired.count(Firing.FIRED) == 1
        last = town.events(case)[-1]
        assert (last["actor"], last["data"]["trigger"], last["data"].get("late")) == (
            "timer",
            "lapse",
            ["by-opening", "by-batch"],
        )
        assert rows(town, case) == {}
        agree(town)


def test_a_refused_timer_waits_and_tries_again_once_what_it_read_has_changed(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        town.know(FIRST, fee_owed="3.00")
        case = asked(town)
        at = datetime(2024, 5, 31, 2, tzinfo=UTC)
        assert scan(town, at) == [Firing.BLOCKED]
        row = rows(town, case)["over"]
        assert (row.blocked, row.next_at) == (True, None)
        blocked = town.events(case)[-1]
        assert (blocked["kind"], blocked["data"]["failed"]) == ("timer_blocked", ["T-01"])
        agree(town)
        assert scan(town, at + timedelta(days=1)) == []
        town.know(FIRST, fee_owed="0.00")
        assert not rows(town, case)["over"].blocked
        agree(town)
        assert scan(town, at + timedelta(days=1)) == [Firing.FIRED]
        assert town.by_id(case).state == "lent"
        agree(town)


@pytest.mark.parametrize("kind", [EventKind.VIEWED, EventKind.REMINDED, EventKind.ESCALATED, EventKind.LATE])
def test_a_step_can_be_taken_back_after_a_look_or_a_reminder(sqlite_district: str, library: Library, kind: EventKind):
    with ticking(sqlite_district, library) as town:
        case = asked(town)
        take(town, case, "check")
        before = town.by_id(case)
        told: dict[str, Json] = {"at": "2024-05-01T00:00:00.000000Z", "actor": "somebody", "data": {}}
        with town.connection.writing():
            event = write_event(town.desk, town.desk.machine(before.shape), before, kind, told)
            assert extend(town.connection, before, event)
        retract(town.desk, case, town.request("retract", "approver.s1"))
        assert town.by_id(case).state == "asked"


def test_a_step_taken_back_puts_the_rows_back(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        before = rows(town, case)
        take(town, case, "check")
        retract(town.desk, case, town.request("retract", "approver.s1"))
        after = rows(town, case)
        assert {name: row.due_at for name, row in after.items()} == {name: row.due_at for name, row in before.items()}
        agree(town)


@pytest.mark.parametrize("trigger", ["put_aside", "note"])
def test_a_case_put_aside_has_no_deadlines_and_one_noted_keeps_them(district_url: str, library: Library, trigger: str):
    with ticking(district_url, library) as town:
        case = asked(town)
        before = rows(town, case)
        take(town, case, trigger, "operator.s1" if trigger == "note" else "approver.s1")
        assert rows(town, case) == ({} if trigger == "put_aside" else before)
        agree(town)


def test_a_document_settles_and_taken_off_again_it_starts_anew(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        set_batch(town, photo_by="2024-05-20")
        case = asked(town)
        brought = attach(town.desk, case, CARD, inspect("card.jpg", picture()), town.request("attach", "operator.s1"))
        assert isinstance(brought, Attached), brought
        assert rows(town, case)["by-batch"].settled
        assert brought.case == town.by_id(case)
        agree(town)
        off = town.request("withdraw", "operator.s1", reason="误传")
        withdrawn = withdraw_document(town.desk, case, brought.document.seq, off)
        assert isinstance(withdrawn, Withdrawn), withdrawn
        assert not rows(town, case)["by-batch"].settled
        agree(town)


def test_a_case_moved_to_another_version_has_the_deadlines_of_that_version(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        kept = rows(town, case)["by-opening"]
    with ticking(district_url, library, version=2) as town:
        migrate(town.desk, ("loan", "online-ed", 2), town.request("migrate", "records.sx"))
        assert town.by_id(case).state == "checked"
        assert rows(town, case).keys() == {"by-opening", "by-batch", "by-stay", "over"}
        assert rows(town, case)["by-opening"] == kept
        agree(town)


def test_a_student_who_changes_the_unit_keeps_the_deadlines(district_url: str, library: Library):
    with ticking(district_url, library, steps=TRANSFER) as town:
        case = asked(town)
        before = rows(town, case)
        take(town, asked(town), "transfer", there="S2")
        assert town.by_id(case).unit == "S2"
        assert rows(town, case) == before
        agree(town)


TRANSFER = {
    "transfer": {
        "from": "asked", "to": "lent", "by": "site_approver", "asks": ["there"],
        "then": [{"move": "student", "to": "case.there"}],
    },
}  # fmt: skip


def test_many_steps_at_once_leave_the_rows_that_one_at_a_time_leaves(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        one, *many = (asked(town, student) for student in (FIRST, SECOND, THIRD))
        take(town, one, "check")
        request = town.request("check", "approver.s1")
        answer = move_many(town.desk, [(case, town.by_id(case).revision) for case in many], request)
        assert answer.moved == many
        alone = [row._replace(case=0) for row in rows(town, one).values()]
        for case in many:
            assert [row._replace(case=0) for row in rows(town, case).values()] == alone
            assert town.events(case)[-1]["data"] == town.events(one)[-1]["data"]
        agree(town)


def test_steps_of_many_late_cases_are_each_marked_late(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        cases = [asked(town, student) for student in (FIRST, SECOND)]
        request = Request(trigger="check", actor=town.actor("approver.s1"), at=NOW + timedelta(days=11))
        move_many(town.desk, [(case, town.by_id(case).revision) for case in cases], request)
        assert [town.events(case)[-1]["data"]["late"] for case in cases] == [["by-opening"]] * 2
        agree(town)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("due_at", "2024-05-01T15:59:59.000000Z"), ("due_at", None), ("settled", True), ("extended", True),
        ("sequence", 7), ("told_at", "2024-05-01T15:59:59.000000Z"), ("missed_at", "2024-05-01T15:59:59.000000Z"),
        ("blocked", True), ("next_at", None), ("name", "by-nobody"),
    ],
)  # fmt: skip
def test_replay_finds_every_column_of_a_row_that_somebody_edited(
    district_url: str, library: Library, column: str, value: object
):
    with ticking(district_url, library) as town:
        case = asked(town)
        agree(town)
        town.edit(("deadline", column), value, case_id=case, name="by-opening")
        [found] = town.replayed().diverged
        assert (found.chain, "deadline by-opening" in found.why or "by-nobody" in found.why) == (
            f"case/{town.by_id(case).number}", True,
        )  # fmt: skip
        if column != "name":
            assert column in found.why


def test_replay_finds_a_row_taken_away(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        town.connection.execute("DELETE FROM deadline WHERE case_id = ?", (case,))
        [found] = town.replayed().diverged
        assert "by-opening (missing)" in found.why
