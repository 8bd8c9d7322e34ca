"""From roles to people, from people to mails: what is a mail of its own, what a line of a digest, when it leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from engine.library import Library
from engine.records import Moved
from engine.retracting import retract
from engine.store.outbox import UNTOLD, tell_again, untold
from engine.trail.event import chain_name, moment
from notifications.composing import Composed, Hours, compose
from tests.engine.lab import CHECK, loan, opened, working
from tests.engine.town import FIRST, NOW, SECOND, Town, town_at
from tests.notifications.lending import address, away, lent, own_account, reminded, shanghai

MORNING = shanghai("2024-05-13 10:00")
TELLING = {"check": {**CHECK["check"], "tell": ["student", "site_approver"]}}
SENT_BACK = {
    "send_back": {"from": "asked", "to": "shelved", "kind": "return", "by": "site_approver", "tell": "site_operator"}
}


@pytest.fixture
def told(district_url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """A loan that was checked, of which the student and the approvers are to be told."""
    with lent(district_url, library, loan(TELLING)) as (town, case):
        assert isinstance(town.decided(case, "check", "approver.s1"), Moved)
        yield town, case


def rows(town: Town) -> list[tuple[object, ...]]:
    sql = "SELECT recipient, message, mail FROM outbox ORDER BY id"
    return town.connection.execute(sql).fetchall()


def mails(town: Town) -> list[tuple[str, str, datetime]]:
    found = town.connection.execute("SELECT recipient, slot, not_before FROM mail ORDER BY id").fetchall()
    return [(who, slot, datetime.fromisoformat(at)) for who, slot, at in found]


def write(town: Town, case: int, recipient: str, message: str, **more: object) -> int:
    """A row of the outbox as the engine writes it, about the last event of the case."""
    row = {"chain": case, "seq": town.by_id(case).head.seq, "recipient": recipient, "message": message, **more}
    sql = f"INSERT INTO outbox ({', '.join(row)}) VALUES ({', '.join('?' * len(row))}) RETURNING id"  # noqa: S608
    with town.connection.writing():
        [number] = town.connection.execute(sql, tuple(row.values())).fetchall()
    return int(number[0])


def remind(town: Town, case: int, rung: str, message: str = "approaching", due: str = "2024-05-20 23:59:59") -> int:
    due_at = moment(shanghai(due))
    return write(town, case, "person/approver.s1", message, deadline="D-01", due_at=due_at, rung=rung)


def test_a_message_to_a_role_becomes_one_to_each_who_can_act(told: tuple[Town, int]):
    town, _ = told
    address(town, "approver.s1", "both.s1")
    town.know(FIRST, email="zhao@example.org")

    done = compose(town.desk, MORNING, Hours())

    student = chain_name(-town.student(FIRST).id)
    assert done == Composed(spread=2, digests=3)
    assert {who for who, _, _ in mails(town)} == {student, "person/approver.s1", "person/both.s1"}
    assert [one[2] for one in rows(town)[:2]] == [0, 0], "the rows of roles are done with"


def test_composing_again_changes_nothing(told: tuple[Town, int]):
    town, _ = told
    address(town, "approver.s1")
    compose(town.desk, MORNING, Hours())
    before = rows(town), mails(town)

    assert compose(town.desk, MORNING + timedelta(minutes=1), Hours()) == Composed()
    assert (rows(town), mails(town)) == before


def test_all_that_is_not_urgent_goes_into_one_digest_a_day(told: tuple[Town, int]):
    town, case = told
    address(town, "approver.s1")
    compose(town.desk, shanghai("2024-05-13 08:00"), Hours())
    write(town, case, "person/approver.s1", "escalated")
    compose(town.desk, shanghai("2024-05-13 09:00"), Hours())

    [mail] = mails(town)

    assert mail == ("person/approver.s1", "digest/2024-05-13", shanghai("2024-05-13 09:10"))
    assert town.kept(("mail", "state"), slot="digest/2024-05-13") == "waiting"


@pytest.mark.parametrize("state", ["claimed", "handing_over", "accepted", "unknown", "dropped"])
def test_what_comes_when_todays_digest_has_left_goes_into_tomorrows(told: tuple[Town, int], state: str):
    town, case = told
    address(town, "approver.s1")
    compose(town.desk, MORNING, Hours())
    town.edit(("mail", "state"), state, slot="digest/2024-05-13")

    write(town, case, "person/approver.s1", "escalated")
    compose(town.desk, MORNING, Hours())

    assert mails(town)[-1] == ("person/approver.s1", "digest/2024-05-14", shanghai("2024-05-14 09:10"))


@pytest.mark.parametrize(
    ("rung", "is_alone"),
    [
        ("before:7d", False), ("before:1d", False), ("day:0d", True), ("overdue:1", True), ("overdue:2", False),
        ("day:0d/nobody", True),
    ],
)  # fmt: skip
def test_reminders_on_the_last_day_and_the_first_of_being_late_are_mails_of_their_own(
    district_url: str, library: Library, rung: str, is_alone: object
):
    with lent(district_url, library, reminded()) as (town, case):
        address(town, "approver.s1")
        number = remind(town, case, rung)

        compose(town.desk, MORNING, Hours())

        assert mails(town)[0][1] == (f"single/{number}" if is_alone else "digest/2024-05-13")


def test_a_deadline_that_is_told_alone_never_waits_for_a_digest(district_url: str, library: Library):
    with lent(district_url, library, reminded({"alone": True})) as (town, case):
        address(town, "approver.s1")
        number = remind(town, case, "before:7d")

        compose(town.desk, MORNING, Hours())

        assert [slot for _, slot, _ in mails(town)] == [f"single/{number}"]


def test_a_reminder_that_the_next_digest_would_bring_too_late_goes_by_itself(district_url: str, library: Library):
    with lent(district_url, library, reminded()) as (town, case):
        address(town, "approver.s1")
        remind(town, case, "before:1d", due="2024-05-14 09:00:00")
        remind(town, case, "before:1d", "overdue", due="2024-05-14 17:40:00")
        town.connection.execute(
            "INSERT INTO mail (recipient, slot, state, not_before, attempts, epoch, changed_at)"
            " VALUES ('person/approver.s1', 'digest/2024-05-13', 'accepted', ?, 1, 1, ?)",
            (moment(NOW), moment(NOW)),
        )

        compose(town.desk, MORNING, Hours())

        assert [slot.partition("/")[0] for _, slot, _ in mails(town)] == ["digest", "single", "digest"]


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2024-05-13 10:00:00", "2024-05-13 10:00:10"),
        ("2024-05-13 20:59:49", "2024-05-13 20:59:59"),
        ("2024-05-13 20:59:50", "2024-05-14 07:00:00"),
        ("2024-05-13 23:00:00", "2024-05-14 07:00:00"),
        ("2024-05-14 03:00:00", "2024-05-14 07:00:00"),
        ("2024-05-14 07:00:00", "2024-05-14 07:00:10"),
    ],
)
def test_a_mail_of_its_own_waits_for_undoing_and_for_the_end_of_the_night(
    district_url: str, library: Library, now: str, leaves: str
):
    with lent(district_url, library, reminded()) as (town, case):
        address(town, "approver.s1")
        remind(town, case, "overdue:1", "overdue", due="2024-05-12 23:59:59")

        compose(town.desk, shanghai(now), Hours())

        assert [at for _, _, at in mails(town)] == [shanghai(leaves)]


def test_the_night_is_no_reason_to_tell_of_a_deadline_when_it_is_over(district_url: str, library: Library):
    with lent(district_url, library, reminded()) as (town, case):
        address(town, "approver.s1")
        remind(town, case, "day:0d", "due_today", due="2024-05-13 23:59:59")

        compose(town.desk, shanghai("2024-05-13 22:00"), Hours())

        assert [at for _, _, at in mails(town)] == [shanghai("2024-05-13 22:00:10")]


def test_where_only_working_days_count_a_digest_waits_for_the_next(told: tuple[Town, int]):
    town, _ = told
    address(town, "approver.s1")

    compose(town.desk, shanghai("2024-05-18 08:00"), Hours(working_days_only=True))

    assert mails(town) == [("person/approver.s1", "digest/2024-05-20", shanghai("2024-05-20 09:10"))]


def test_a_holiday_that_is_worked_counts_as_a_working_day(told: tuple[Town, int]):
    town, _ = told
    address(town, "approver.s1")

    compose(town.desk, shanghai("2024-05-11 08:00"), Hours(working_days_only=True))

    assert mails(town)[0][1] == "digest/2024-05-11", "a Saturday worked for the May holidays"


def test_whoever_sent_a_case_on_hears_at_once_that_it_came_back(district_url: str, library: Library):
    with lent(district_url, library, loan(SENT_BACK)) as (town, case):
        address(town, "operator.s1", "both.s1")
        town.decided(case, "send_back", "approver.s1", reason="材料不齐")

        compose(town.desk, MORNING, Hours())

        slots = {who: slot.partition("/")[0] for who, slot, _ in mails(town)}
        assert slots == {"person/operator.s1": "single", "person/both.s1": "digest"}


@pytest.mark.parametrize("message", ["urged", "delegated"])
def test_what_somebody_asks_of_a_person_now_waits_for_no_digest(told: tuple[Town, int], message: str):
    town, case = told
    address(town, "operator.s1")
    number = write(town, case, "person/operator.s1", message)

    compose(town.desk, MORNING, Hours())

    assert ("person/operator.s1", f"single/{number}") in [(who, slot) for who, slot, _ in mails(town)]


def test_a_student_hears_at_once_that_the_own_case_came_back(district_url: str, library: Library):
    back = {"send_back": {**SENT_BACK["send_back"], "tell": "student"}}
    with lent(district_url, library, loan(back)) as (town, case):
        own_account(town, "zhao", FIRST)
        address(town, "zhao")
        town.decided(case, "send_back", "approver.s1", reason="材料不齐")

        compose(town.desk, MORNING, Hours())

        assert [(who, slot.partition("/")[0]) for who, slot, _ in mails(town)] == [("person/zhao", "single")]


def test_whoever_no_mail_reaches_is_counted_and_gets_it_once_there_is_an_address(told: tuple[Town, int]):
    town, _ = told
    address(town, "both.s1")
    town.edit(("account", "refused_at"), moment(NOW), login="both.s1")

    done = compose(town.desk, MORNING, Hours())

    assert (done.untold, mails(town)) == (3, [])
    assert {one.recipient for one in untold(town.connection)} >= {"person/approver.s1", "person/both.s1"}

    address(town, "approver.s1")
    with town.connection.writing():
        assert tell_again(town.connection, "person/approver.s1") == 1
    compose(town.desk, MORNING, Hours())

    assert [who for who, _, _ in mails(town)] == ["person/approver.s1"]


def test_a_copy_for_a_role_nobody_can_act_in_goes_to_the_unit_above(district_url: str, library: Library):
    back: Mapping[str, Mapping[str, object]] = {
        "check": {**CHECK["check"], "tell": "site_approver"},
        "close": {"from": "checked", "to": "lent", "by": "records_section"},
    }
    with lent(district_url, library, loan(back)) as (town, case):
        address(town, "records.sx", "auditor.sx")
        town.decided(case, "check", "approver.s1")
        for login in ("approver.s1", "both.s1"):
            away(town, login, "2024-05-13", "2024-05-13")

        compose(town.desk, MORNING, Hours())

        said = {(who, message) for who, message, mail in rows(town) if mail}
        assert said == {("person/auditor.sx", "nobody_left"), ("person/records.sx", "nobody_left")}


def test_a_copy_for_a_role_nobody_has_anywhere_is_kept_as_told_nobody(district_url: str, library: Library):
    with lent(district_url, library, loan({"check": {**CHECK["check"], "tell": "class_teacher"}})) as (town, case):
        town.decided(case, "check", "approver.s1")

        assert compose(town.desk, MORNING, Hours()) == Composed(untold=1)
        assert rows(town) == [("class_teacher", "moved", UNTOLD)]
        assert [(one.recipient, one.messages) for one in untold(town.connection)] == [("class_teacher", 1)]


def test_what_is_taken_back_in_time_leaves_nothing_to_send(district_url: str, library: Library):
    undo = {"check": {**CHECK["check"], "tell": "site_approver", "retractable": True}}
    with lent(district_url, library, loan(undo)) as (town, case):
        address(town, "approver.s1")
        town.decided(case, "check", "approver.s1")
        compose(town.desk, MORNING, Hours())
        assert len(mails(town)) == 1

        retract(town.desk, case, town.request("check", "approver.s1"))

        assert rows(town) == []


def test_thousands_are_gathered_page_by_page(sqlite_district: str, library: Library):
    with working(sqlite_district, library, [loan(CHECK, unique="never")]) as town:
        town.connection.execute("DELETE FROM outbox")
        address(town, "approver.s1")
        cases = [opened(town, "loan", SECOND) for _ in range(3)]
        for case in cases:
            for number in range(400):
                write(town, case, "person/approver.s1", f"moved{number}")

        assert compose(town.desk, MORNING, Hours()).digests == 1200
        assert len(mails(town)) == 1


def test_two_who_compose_at_once_put_everything_into_one_mail_each(district_url: str, library: Library):
    telling = loan({"check": {**CHECK["check"], "tell": ["site_approver", "site_operator"]}}, unique="never")
    with working(district_url, library, [telling]) as town:
        town.connection.execute("DELETE FROM outbox")
        address(town, "approver.s1", "both.s1", "operator.s1")
        for _ in range(20):
            town.decided(opened(town, "loan", FIRST), "check", "approver.s1")
        shelf = town.desk.library

        def composing(_: int) -> None:
            with town_at(district_url, shelf) as clerk:
                compose(clerk.desk, MORNING, Hours())

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(composing, range(2)))
        compose(town.desk, MORNING, Hours())

        assert sorted(who for who, _, _ in mails(town)) == [
            "person/approver.s1",
            "person/both.s1",
            "person/operator.s1",
        ]
        assert sum(bool(mail) for _, _, mail in rows(town)) == 3 * 20
