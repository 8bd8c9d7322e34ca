"""Personal values in full: only by right, only once it is said what for, and the trail keeps each time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import NotAllowed, Unknown, Unreadable
from engine.invariants import audit_histories
from engine.organisation import add_student_account, give_role
from engine.store import looks
from engine.store.trail import spans
from engine.viewing import MANY_REVEALS, REVEALED_OFTEN, Purpose, Reason, Revealed, reveal, view_case
from tests.engine.town import FIRST, NOW, SECOND, Town

LAST = 2**62
_CONTACT = Reason(purpose=Purpose.CONTACT)


def ask(town: Town, login: str, *names: str, why: Reason = _CONTACT, **changes: object) -> Revealed:
    request = replace(town.request("reveal", login), **changes)  # type: ignore[arg-type] # a test's own words
    return reveal(town.desk, town.record(FIRST), names or ("id_number",), why, request)


def faults(town: Town) -> list[str]:
    """The invariants that a look has broken."""
    parts = [audit_histories(town.connection, span) for span in spans(town.connection, 1)]
    return [name for part in parts for name, some in part.items() if some]


def test_whoever_works_on_the_case_is_shown_the_value_and_the_trail_keeps_what_for(town: Town):
    before = town.case(FIRST)
    shown = ask(town, "operator.s1", "name", "id_number")

    assert shown.values == {name: town.facts(FIRST)[name] for name in ("id_number", "name")}
    event = town.events(before.id)[-1]
    assert (event["kind"], event["actor"], event["role"]) == ("viewed", "operator.s1", "site_operator")
    assert event["data"] == {"trigger": "view:facts", "revealed": ["id_number", "name"], "purpose": "contact"}
    assert town.case(FIRST) == before._replace(head=town.case(FIRST).head)
    assert town.replayed().diverged == ()
    assert faults(town) == []


def test_an_auditor_is_shown_it_as_well(town: Town):
    give_role(town.desk, "aud", "auditor", "SX", at=NOW, actor="setup")
    ask(town, "aud", why=Reason(purpose=Purpose.AUDIT))
    assert town.events(town.record(FIRST))[-1]["role"] == "auditor"


def test_students_see_their_own_values_and_nobody_elses(town: Town):
    add_student_account(town.desk, "pupil", FIRST, at=NOW, actor="setup")
    add_student_account(town.desk, "other", SECOND, at=NOW, actor="setup")
    assert ask(town, "pupil").values == {"id_number": town.facts(FIRST)["id_number"]}
    assert town.events(town.record(FIRST))[-1]["role"] == "student"
    assert faults(town) == []
    with pytest.raises(NotAllowed):
        ask(town, "other")


@pytest.mark.parametrize("login", ["operator.s2", "operator.t1"])
def test_nobody_else_is_and_the_case_keeps_that_it_was_asked(town: Town, login: str):
    with pytest.raises(NotAllowed):
        ask(town, login)
    event = town.events(town.record(FIRST))[-1]
    assert (event["kind"], event["actor"], event["data"]["barred"]) == ("refused", login, "not_allowed")


@pytest.mark.parametrize("name", ["level", "nothing"])
def test_only_personal_facts_are_revealed(town: Town, name: str):
    counts = town.counts()
    with pytest.raises(Unknown):
        ask(town, "operator.s1", "id_number", name)
    assert town.counts() == counts


@pytest.mark.parametrize("note", ["", "  ", "长" * 201])
def test_another_purpose_is_said_in_words(town: Town, note: str):
    with pytest.raises(Unreadable):
        ask(town, "operator.s1", why=Reason(purpose=Purpose.OTHER, note=note))
    ask(town, "operator.s1", why=Reason(purpose=Purpose.OTHER, note="寄送证书"))
    assert town.events(town.record(FIRST))[-1]["data"]["reason"] == "寄送证书"


def test_how_often_somebody_asks_within_an_hour_is_counted(town: Town):
    at = [NOW, NOW + timedelta(minutes=30), NOW + timedelta(minutes=61)]
    assert [ask(town, "operator.s1", at=one).in_last_hour for one in at] == [1, 2, 2]
    assert looks.reveals(town.connection, "approver.s1", NOW) == 0


def test_opening_a_case_is_not_counted_among_them(town: Town):
    looks.add_look(town.connection, looks.Look("operator.s1", town.record(FIRST), NOW))
    assert ask(town, "operator.s1").in_last_hour == 1


def test_whoever_is_shown_much_is_told_of_once_an_hour_to_those_who_look_after_people(town: Town):
    for login, unit in (("sec.sx", "SX"), ("sec.kf", "KF")):
        give_role(town.desk, login, "security_admin", unit, at=NOW, actor="setup")
    for _ in range(MANY_REVEALS):
        ask(town, "operator.s1")
    assert [one for one in town.told() if one[3] == REVEALED_OFTEN] == []

    for minutes in (0, 1, 59, 60):
        ask(town, "operator.s1", at=NOW + timedelta(minutes=minutes))

    found = [one for one in town.told() if one[3] == REVEALED_OFTEN]
    assert [one[2] for one in found] == ["person/sec.sx", "person/sec.sx"], "once in each hour of the clock"
    event = next(one for one in town.events(town.record(FIRST)) if one["seq"] == found[0][1])
    assert (event["kind"], event["actor"]) == ("viewed", "operator.s1")
    assert town.replayed().diverged == ()


def test_every_look_is_found_by_who_looked_and_by_whom_it_is_about(town: Town):
    give_role(town.desk, "aud", "auditor", "SX", at=NOW, actor="setup")
    view_case(town.desk, town.record(FIRST), town.request("view:case", "aud"))
    ask(town, "operator.s1", why=Reason(purpose=Purpose.OTHER, note="寄送证书"))
    path, student = town.desk.units()["SX"].path, town.student(FIRST).id

    about = looks.of_student(town.connection, [path], student, LAST, 10)
    assert [(one.login, one.purpose) for one in about] == [("operator.s1", "reveal/other/寄送证书"), ("aud", "audit")]
    assert [one.case for one in looks.of_person(town.connection, [path], "aud", LAST, 10)] == [town.record(FIRST)]
    elsewhere = [town.desk.units()["KF"].path]
    assert looks.of_student(town.connection, elsewhere, student, LAST, 10) == []
