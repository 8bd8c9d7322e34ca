"""The plan: who would be told what and why, nothing written; and it is what then really happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.expressions.kinds import SHANGHAI
from engine.library import Library
from engine.store.people import set_address
from engine.trail.event import moment
from notifications.composing import Hours, compose
from notifications.planning import Planned, plan, unreachable
from notifications.scanning import scan
from tests.engine.town import FIRST, NOW, SECOND, THIRD, Town
from tests.notifications.lending import (
    address,
    away,
    lend,
    lend_case,
    lent,
    lent_and_undone,
    own_account,
    reminded,
    shanghai,
)

Step = Callable[[Town, Sequence[int]], None]

EVERYBODY = ("student", "site_approver", "site_operator", "class_teacher")


LOAN = reminded({"to": list(EVERYBODY), "before": ["7d", "1wd", "1d", "0d"]})


def lines(planned: Sequence[Planned]) -> set[tuple[object, ...]]:
    """On which day whom is told what about which case; who is nobody is left out."""
    return {
        (one.when.astimezone(SHANGHAI).date(), one.case, one.rung, one.message, one.person.key)
        for one in planned
        if one.person is not None
    }


def told(town: Town, days: int) -> set[tuple[object, ...]]:
    """What scanning every day at ten really tells."""
    found: set[tuple[object, ...]] = set()
    for day in range(days):
        at = NOW + timedelta(days=day)
        scan(town.desk, at, 1000)
        rows = town.connection.execute(
            "SELECT chain, rung, message, recipient FROM outbox WHERE rung IS NOT NULL AND mail IS NULL"
        ).fetchall()
        town.connection.execute("UPDATE outbox SET mail = 0")
        local = at.astimezone(SHANGHAI).date()
        found |= {(local, town.by_id(case).number, rung, said, who) for case, rung, said, who in rows}
    return found


STEPS: Sequence[Step] = (
    lambda town, _: away(town, "approver.s1", "2024-05-05", "2024-05-12"),
    lambda town, _: away(town, "both.s1", "2024-05-06", "2024-05-16"),
    lambda town, _: away(town, "operator.s1", "2024-05-10", "2024-05-20"),
    lambda town, _: away(town, "records.sx", "2024-05-14", "2024-05-14"),
    lambda town, _: away(town, "auditor.sx", "2024-05-13", "2024-05-15"),
    lambda town, _: lend(town, "approver.s1", "operator.s2", "site_approver", days=20),
    lambda town, cases: lend_case(town, cases[1], "both.s1", "approver.s2", "site_approver"),
    lambda town, _: own_account(town, "both.s1", FIRST),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taken=st.sets(st.integers(min_value=0, max_value=len(STEPS) - 1)))
def test_what_is_planned_is_what_scanning_day_by_day_then_tells(
    sqlite_district: str, library: Library, taken: set[int]
):
    with lent_and_undone(sqlite_district, library, LOAN, (FIRST, SECOND, THIRD)) as (town, cases):
        for number in sorted(taken):
            STEPS[number](town, cases)

        planned = lines(plan(town.desk, NOW, 30))

        assert planned
        assert planned == told(town, 31)


def test_planning_writes_nothing(district_url: str, library: Library):
    with lent(district_url, library, LOAN) as (town, _):
        before = town.counts()

        plan(town.desk, NOW, 30)

        assert town.counts() == before


def test_a_plan_says_when_why_and_whether_an_address_is_known(district_url: str, library: Library):
    with lent(district_url, library, reminded()) as (town, case):
        address(town, "approver.s1")

        coming = plan(town.desk, shanghai("2024-05-05 00:00"), 3)

        assert [(one.when, one.rung, one.case) for one in coming] == [
            (shanghai("2024-05-06 09:00"), "before:7d", town.by_id(case).number)
        ] * 2
        first, second = coming
        assert (first.person and first.person.key, first.has_address) == ("person/approver.s1", True)
        assert (second.person and second.person.key, second.has_address) == ("person/both.s1", False)
        assert first.why is not None
        assert first.why.zh.startswith("您是S1的")
        assert (first.deadline.zh, first.due_at) == ("审核期限", shanghai("2024-05-13 23:59:59"))


def test_where_nobody_would_be_told_the_plan_says_so(district_url: str, library: Library):
    with lent(district_url, library, reminded({"to": ["class_teacher"]}, escalate=None)) as (town, _):
        [one] = plan(town.desk, shanghai("2024-05-05 00:00"), 3)

        assert (one.person, one.why, one.has_address) == (None, None, False)
        assert (one.message, one.vacant) == ("nobody_left", ("class_teacher",))


def test_a_settled_or_finished_case_is_in_no_plan(district_url: str, library: Library):
    with lent(district_url, library, reminded()) as (town, case):
        town.decided(case, "check", "approver.s1")

        assert plan(town.desk, NOW, 60) == []


def test_whom_no_mail_reaches_is_listed_with_what_they_missed(district_url: str, library: Library):
    with lent(district_url, library, reminded()) as (town, _):
        address(town, *(login for login in ("approver.s1", "records.sx")))
        town.edit(("account", "refused_at"), moment(NOW), login="records.sx")
        scan(town.desk, shanghai("2024-05-06 09:00"), 10)
        compose(town.desk, shanghai("2024-05-06 09:01"), Hours())

        found = unreachable(town.desk)

        keys = {one.key: one.refused for one in found.staff}
        assert "person/approver.s1" not in keys
        assert (keys["person/records.sx"], keys["person/both.s1"]) == (True, False)
        assert [(one.recipient, one.messages) for one in found.missed] == [("person/both.s1", 1)]

        with town.connection.writing():
            set_address(town.connection, "records.sx", "new@example.org")
        assert "person/records.sx" not in {one.key for one in unreachable(town.desk).staff}


def test_a_plan_reads_the_people_of_a_day_once(sqlite_district: str, library: Library):
    said: list[str] = []
    with lent_and_undone(sqlite_district, library, LOAN, (FIRST, SECOND, THIRD)) as (town, _):
        town.connection.raw.set_trace_callback(said.append)
        plan(town.desk, datetime(2024, 5, 6, tzinfo=SHANGHAI), 1)
        town.connection.raw.set_trace_callback(None)

    assert sum("FROM role_grant g JOIN unit" in one for one in said) <= len(EVERYBODY) + 1, "escalated to one more"
