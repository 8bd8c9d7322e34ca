"""Another date for a deadline: who may set it, what it changes, and counting anew after a new holiday notice."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from engine.casework import move
from engine.errors import NotAllowed, Unknown
from engine.extending import Extended, Touched, extend_batch, extend_deadline, last_moment, recount, touched
from engine.library import Library
from engine.records import Json, Moved, Request
from engine.recounting import GRACE, calendar_of, carry_on, how_far, note_calendar
from engine.vocabulary import CalendarText
from tests.engine.clocks import TERM, agree, rows, scan, ticking
from tests.engine.lab import opened, rule
from tests.engine.town import ELSEWHERE, FIRST, NOW, SECOND, Town

MAY_31 = last_moment(date(2024, 5, 31))


def asked(town: Town, student: str = FIRST) -> int:
    return opened(town, "loan", student, batch=TERM)


def extend(
    town: Town, case: int, *, to: datetime = MAY_31, name: str = "by-opening", login: str = "records.sx", **fields: Json
) -> Extended:
    words: dict[str, Json] = {"reason": "停电 power cut", **fields}
    return extend_deadline(town.desk, case, name, to, town.request("deadline_extend", login, **words))


def test_an_extension_counts_wherever_the_deadline_is_asked_about(district_url: str, library: Library):
    with ticking(district_url, library, extra={"in-time": rule("before('by-opening')")}) as town:
        case = asked(town)
        at = datetime(2024, 5, 20, 2, tzinfo=UTC)
        extended = extend(town, case)
        assert extended.after == rows(town, case)["by-opening"]
        assert (extended.after.due_at, extended.after.extended) == (MAY_31, True)
        event = town.events(case)[-1]["data"]
        assert (event["deadline"], event["old"][:10], event["new"][:10]) == ("by-opening", "2024-04-30", "2024-05-31")
        assert event["reason"] == "停电 power cut"
        assert scan(town, at) == []
        outcome = move(town.desk, case, Request(trigger="check", actor=town.actor("approver.s1"), at=at))
        assert isinstance(outcome, Moved)
        assert outcome.data.get("late") == ["by-batch"]
        assert rows(town, case)["by-opening"].due_at == MAY_31
        agree(town)


def test_before_reads_the_extended_date(district_url: str, library: Library):
    check = {"check": {"from": "asked", "to": "checked", "by": "site_approver", "guards": ["in-time"]}}
    with ticking(district_url, library, steps=check, extra={"in-time": rule("before('by-opening')")}) as town:
        first, second = asked(town), asked(town, SECOND)
        extend(town, first)
        at = datetime(2024, 5, 20, 2, tzinfo=UTC)
        request = Request(trigger="check", actor=town.actor("approver.s1"), at=at)
        assert isinstance(move(town.desk, first, request), Moved)
        assert not isinstance(move(town.desk, second, request), Moved)


def test_those_reminded_are_told_of_the_new_date_also_of_an_earlier_one(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        extend(town, case, to=last_moment(date(2024, 4, 25)))
        told = town.connection.execute(
            "SELECT recipient, message, deadline FROM outbox WHERE chain = ? ORDER BY id", (case,)
        ).fetchall()
        assert told == [("site_operator", "deadline_moved", "by-opening")]
        agree(town)


@pytest.mark.parametrize(
    ("words", "failed"),
    [
        ({"reason": " "}, "asked-missing"),
        ({"to": datetime(2024, 4, 19, tzinfo=UTC)}, "deadline-past"),
        ({"to": last_moment(date(2024, 4, 30))}, "deadline-same"),
    ],
)
def test_a_date_that_cannot_be_is_refused_and_the_refusal_kept(
    district_url: str, library: Library, words: dict[str, object], failed: str
):
    with ticking(district_url, library) as town:
        case = asked(town)
        before = rows(town, case)
        refused = extend(town, case, **words).refused  # type: ignore[arg-type] # a test's own words
        assert [one.rule for one in refused] == [failed]
        assert rows(town, case) == before
        assert town.events(case)[-1]["data"]["engine"] == [failed]
        agree(town)


def test_only_whom_it_is_escalated_to_may_extend_it_else_the_records_section(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        case = asked(town)
        for name in ("by-opening", "over"):
            with pytest.raises(NotAllowed, match="records_section"):
                extend(town, case, name=name, login="approver.s1")
        with pytest.raises(Unknown, match="by-opening"):
            extend(town, case, name="by-openin")


def test_an_extended_date_stays_when_what_it_was_counted_from_changes(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        town.know(FIRST, fee_owed="3.00")
        case = asked(town)
        extend(town, case, name="by-fact")
        town.know(FIRST, issued_on="2024-07-01")
        assert rows(town, case)["by-fact"].due_at == MAY_31
        agree(town)


def test_all_cases_of_a_batch_are_extended_at_once_and_run_again_nothing_moves(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        cases = [asked(town, student) for student in (FIRST, SECOND, ELSEWHERE)]
        request = town.request("deadline_extend", "records.sx", reason="停电")
        counted = extend_batch(town.desk, TERM, "by-opening", MAY_31, request, dry_run=True)
        assert (counted.moved, len(town.events(cases[0]))) == (3, 1)
        done = extend_batch(town.desk, TERM, "by-opening", MAY_31, request)
        again = extend_batch(town.desk, TERM, "by-opening", MAY_31, request)
        assert (done.moved, again.moved, again.unchanged) == (3, 0, 3)
        assert {rows(town, case)["by-opening"].due_at for case in cases} == {MAY_31}
        agree(town)


def test_a_new_holiday_notice_moves_what_is_counted_in_working_days_and_nothing_else(
    district_url: str, library: Library
):
    with ticking(district_url, library) as town:
        case, extended = asked(town), asked(town, SECOND)
        for one in (case, extended):
            move(town.desk, one, town.request("check", "approver.s1"))
        extend(town, extended, name="by-stay")
        assert rows(town, case)["by-stay"].due_at == last_moment(date(2024, 4, 24))
    with ticking(district_url, library, calendar=with_holidays(library)) as town:
        request = town.request("deadline_recount", "records.sx")
        assert recount(town.desk, request, dry_run=True).moved == 1
        assert recount(town.desk, request).moved == 1
        assert recount(town.desk, request).moved == 0
        assert rows(town, case)["by-stay"].due_at == last_moment(date(2024, 5, 6))
        event = town.events(case)[-1]
        assert (event["kind"], event["rulebook"]) == ("deadline_moved", town.desk.rulebook)
        assert rows(town, extended)["by-stay"].due_at == MAY_31
        agree(town)
        with pytest.raises(NotAllowed):
            recount(town.desk, town.request("deadline_recount", "approver.s1"))


def test_another_calendar_in_force_is_counted_by_once_and_by_itself_and_goes_on_where_it_was_cut_off(
    district_url: str, library: Library
):
    with ticking(district_url, library) as town:
        case, extended = asked(town), asked(town, SECOND)
        for one in (case, extended):
            move(town.desk, one, town.request("check", "approver.s1"))
        extend(town, extended, name="by-stay")
        with town.connection.writing():
            note_calendar(town.desk)  # as whoever approves another one does
    with ticking(district_url, library, calendar=with_holidays(library)) as town:
        after = NOW + GRACE

        def rounds(*moments: datetime) -> int:
            told = [*moments, None]
            return carry_on(town.desk, calendar_of(town.desk), lambda: told.pop(0))

        request = town.request("definition_publish", "records.sx")
        assert touched(town.desk, request, most=15) == Touched(1, 1), "said before it is done"
        unread = touched(town.desk, request, most=14)
        assert (unread.is_most, unread.deadlines > 1, unread.people) == (True, True, 4), "an upper bound where too many"
        assert [rounds(at, at, at) for at in (NOW, NOW + GRACE / 2)] == [0, 0], "others go by the old one for a moment"
        assert rows(town, case)["by-stay"].due_at == last_moment(date(2024, 4, 24))
        assert rounds(after) == 1
        half = how_far(town.connection)
        assert half is not None
        assert (half.looked, half.cases, half.ended) == (15, 15, None)
        assert rounds(after, after, after) == 0
        done = how_far(town.connection)
        assert done is not None
        assert (done.moved, done.counting, done.ended) == (1, None, after)
        assert rows(town, case)["by-stay"].due_at == last_moment(date(2024, 5, 6))
        assert rows(town, extended)["by-stay"].due_at == MAY_31
        moved = [one for one in town.events(case) if one["kind"] == "deadline_moved"]
        assert [(one["actor"], one["cause"]["chain"]) for one in moved] == [("timer", "registry")]
        assert (rounds(after, after, after), how_far(town.connection)) == (0, done)
        agree(town)


def with_holidays(library: Library) -> CalendarText:
    """The calendar as shipped, with nobody working from 22 to 28 April 2024."""
    calendar = library.rulebook.calendar
    [year] = [one for one in calendar.years if one.year == NOW.year]
    week = {"title": {"zh": "停工", "en": "Closed"}, "from": "2024-04-22", "to": "2024-04-28"}
    written = year.model_dump(mode="json", by_alias=True)
    written["holidays"] = [*written["holidays"], week]
    written["working_days"] = [day for day in written["working_days"] if day != "2024-04-28"]
    closed = type(year).model_validate(written)
    years = tuple(closed if one is year else one for one in calendar.years)
    return calendar.model_copy(update={"years": years})
