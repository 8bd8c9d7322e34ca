"""催办: who may remind whom of what, and how often; and the accounts of students, who urge most."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine.auditing.history import history_of
from engine.errors import AlreadyOpen, NotAllowed, TransitionNotOpen, Unknown
from engine.organisation import add_student_account, give_role
from engine.records import Request
from engine.trail.event import REGISTRY
from engine.urging import Nudge, urge, urge_to_mend
from tests.engine.town import ELSEWHERE, FIRST, NOW, SECOND, Town


@pytest.fixture
def waiting(town: Town) -> Town:
    """A town in which a student's application waits for the teaching point."""
    town.advance(FIRST, "applied")
    return town


def urging(town: Town, login: str, at: datetime = NOW) -> list[str]:
    request = Request(trigger="urge", actor=town.actor(login), at=at)
    return [one.rule for one in urge(town.desk, town.record(FIRST), request)]


def urged(town: Town) -> list[tuple[object, ...]]:
    return [one for one in town.told() if one[3] == "urged"]


def account(town: Town, login: str, student_no: str) -> bool:
    return add_student_account(town.desk, login, student_no, at=NOW, actor="setup")


def test_urging_tells_the_roles_the_case_waits_for_and_changes_nothing(waiting: Town):
    before = waiting.case(FIRST)

    assert urging(waiting, "operator.s1") == []

    after = waiting.case(FIRST)
    assert after == before._replace(head=after.head)
    assert urged(waiting) == [(after.id, after.head.seq, "site_approver", "urged")]
    event = waiting.events(after.id)[-1]
    assert (event["kind"], event["actor"], event["data"]) == ("urged", "operator.s1", {"roles": ["site_approver"]})
    assert waiting.replayed().diverged == ()


def test_the_same_person_urges_once_a_day_and_hears_when_it_is_possible_again(waiting: Town):
    urging(waiting, "operator.s1")
    request = Request(trigger="urge", actor=waiting.actor("operator.s1"), at=NOW + timedelta(hours=13))

    [refused] = urge(waiting.desk, waiting.record(FIRST), request)

    assert (refused.id, "2024-04-21 00:00" in refused.sentence.zh) == ("X-32", True)
    assert waiting.events(waiting.record(FIRST))[-1]["data"]["failed"] == ["X-32"]
    assert len(urged(waiting)) == 1
    assert urging(waiting, "operator.s1", NOW + timedelta(hours=14)) == [], "midnight in Shanghai has passed"
    assert waiting.replayed().diverged == ()


def test_another_person_may_urge_on_the_same_day(waiting: Town):
    urging(waiting, "operator.s1")

    assert urging(waiting, "records.sx") == []
    assert len(urged(waiting)) == 2


def test_a_student_urges_in_the_own_case_only(waiting: Town):
    account(waiting, "zhao", FIRST)
    account(waiting, "qian", SECOND)

    assert urging(waiting, "zhao") == []
    with pytest.raises(NotAllowed):
        urging(waiting, "qian")
    with pytest.raises(NotAllowed):
        urging(waiting, "operator.s2")


def test_a_role_that_may_not_know_of_the_case_urges_nobody_about_it(waiting: Town):
    give_role(waiting.desk, "admin", "security_admin", "SX", at=NOW, actor="setup")
    nudge = Nudge(case=waiting.record(FIRST), role="student", about="x", why="补齐照片")

    for login in ("admin", "operator.s2"):
        with pytest.raises(NotAllowed):
            urging(waiting, login)
        with pytest.raises(NotAllowed):
            urge_to_mend(waiting.desk, [nudge], Request(trigger="nudge", actor=waiting.actor(login), at=NOW))
    assert urged(waiting) == []


def test_a_case_at_rest_waits_for_nobody(town: Town):
    with pytest.raises(TransitionNotOpen, match="enrolled"):
        urging(town, "operator.s1")
    assert urged(town) == []


def test_an_account_of_a_student_is_that_students_alone(town: Town):
    assert account(town, "zhao", FIRST)
    assert not account(town, "zhao", FIRST), "said twice, it is so already"

    zhao = town.actor("zhao")
    assert (zhao.grants, zhao.delegated) == ((), ())
    assert zhao.is_student(town.student(FIRST).id)
    assert not zhao.is_student(town.student(SECOND).id)
    assert not town.actor("operator.s1").is_student(None)
    with pytest.raises(AlreadyOpen, match="zhao"):
        account(town, "zhao2", FIRST)
    with pytest.raises(AlreadyOpen, match="zhao"):
        account(town, "zhao", SECOND)
    with pytest.raises(Unknown):
        account(town, "sun", "999")
    assert town.connection.execute("SELECT login FROM account WHERE login IN ('zhao2', 'sun')").fetchall() == []


def test_the_trail_names_the_students_chain_and_not_the_number(town: Town):
    account(town, "zhao", FIRST)

    event = town.events(REGISTRY)[-1]

    assert (event["kind"], event["data"]["login"], event["data"]["role"]) == ("role_changed", "zhao", "student")
    assert event["data"]["about"].startswith("student/")
    assert FIRST not in str(event)


def test_a_member_of_staff_may_study_too(town: Town):
    give_role(town.desk, "sun", "handler", "S1", at=NOW, actor="setup")

    assert account(town, "sun", FIRST)

    sun = town.actor("sun")
    assert [one.role for one in sun.grants] == ["handler"]
    assert sun.is_student(town.student(FIRST).id)


# --- those who must mend what a case lacks ---------------------------------------------------------


def mending(town: Town, login: str, nudges: list[Nudge], at: datetime = NOW) -> tuple[Nudge, ...]:
    return urge_to_mend(town.desk, nudges, Request(trigger="urge", actor=town.actor(login), at=at))


def lacking(town: Town, student_no: str, about: str = "G-GR-08", unit: str | None = None) -> Nudge:
    role = "student" if unit is None else "site_operator"
    return Nudge(case=town.record(student_no), role=role, about=about, why="请签名。", unit=unit)


def test_whoever_can_mend_something_is_told_what_although_the_case_rests(town: Town):
    done = mending(town, "operator.s1", [lacking(town, FIRST)])

    case = town.case(FIRST)
    assert len(done) == 1
    assert urged(town) == [(case.id, case.head.seq, "student", "urged")]
    data = town.events(case.id)[-1]["data"]
    assert data == {"roles": ["student"], "mends": "G-GR-08", "why": "请签名。"}
    assert town.replayed().diverged == ()
    [history] = history_of(town.connection, case.id, {case.shape: town.desk.definition(case.shape)})
    assert history.events[-1].kind == "urged", "an auditor reads it like any other event"


def test_about_one_thing_nobody_is_told_twice_a_day_whoever_asks(town: Town):
    both = [lacking(town, FIRST), lacking(town, SECOND)]
    assert len(mending(town, "operator.s1", both[:1])) == 1

    assert mending(town, "records.sx", both) == (both[1],)
    assert mending(town, "records.sx", [lacking(town, FIRST, "G-GR-07")]) != (), "another thing is another message"
    assert mending(town, "records.sx", both, NOW + timedelta(hours=14)) == tuple(both), "midnight has passed"
    assert len(urged(town)) == 5


def test_the_people_of_a_unit_are_told_once_of_all_its_cases(town: Town):
    assert len(mending(town, "records.sx", [lacking(town, FIRST, unit="S1")])) == 1
    assert mending(town, "records.sx", [lacking(town, SECOND, unit="S1")]) == ()
    assert [one[2] for one in urged(town)] == ["site_operator"]


def test_of_a_selection_with_a_case_beyond_the_own_units_nobody_is_told(town: Town):
    with pytest.raises(NotAllowed):
        mending(town, "operator.s2", [lacking(town, ELSEWHERE), lacking(town, FIRST)])
    assert urged(town) == []


def test_being_asked_to_mend_something_does_not_use_up_the_days_urging(waiting: Town):
    mending(waiting, "operator.s1", [lacking(waiting, FIRST)])
    assert urging(waiting, "operator.s1") == []
