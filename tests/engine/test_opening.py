"""Opening: rosters all or nothing, one record for ever, drafts in a rehearsal only."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from engine.casework import find_case, open_case
from engine.enrolling import Enrolled, Enrolment, RosterRefused, enrol
from engine.errors import AlreadyOpen, NotAllowed, Unknown
from engine.library import Library
from engine.records import Json, Moved, Refused, Repeated
from engine.tabling import replace_table
from tests.engine.lab import lending, loan
from tests.engine.town import FIRST, OPEN_FIRST, SECOND, SITE_OF, Town, roster_facts, town_at

NEW_ONE, NEW_TWO = "2023030000011", "2023030000012"
LEAVE: dict[str, Json] = {"cause": "病休", "leave_from": "2024-05-01", "leave_to": "2024-09-01"}
LEAVE_DRAFTED = ("leave-of-absence", "draft")
DRAFT = ("degree-application", "apply")
COURSES: list[dict[str, Json]] = [{"programme": "P2", "course_id": "C1", "term": 1, "degree_course": False}]


def line(student_no: str, unit: str = "S1", **facts: Json) -> Enrolment:
    return Enrolment(student_no=student_no, unit=unit, facts={**roster_facts(student_no), **facts})


def take_in(town: Town, *lines: Enrolment, dry_run: bool = False) -> Enrolled:
    return enrol(town.desk, lines, town.request("open_record", "import"), dry_run=dry_run)


def test_a_roster_opens_the_record_of_every_new_student(town: Town):
    assert take_in(town, line(NEW_ONE), line(NEW_TWO, "T1")) == Enrolled(opened=2, changed=0, unchanged=0)
    for no, unit, profile in ((NEW_ONE, "S1", "online-ed"), (NEW_TWO, "T1", "open-university")):
        case = town.case(no)
        assert (case.state, case.unit, case.revision) == ("enrolled", unit, 1)
        assert town.desk.definition(case.shape).profile == profile
        [opened] = town.events(case.id)
        assert (opened["kind"], opened["actor"], opened["data"]["to"]) == ("opened", "import", "enrolled")
        assert opened["data"]["fields"] == {"degree_applied": False, "published": False}
    assert town.replayed().diverged == ()


def test_the_same_roster_twice_changes_nothing(town: Town):
    roster = [line(no, unit) for no, unit in SITE_OF.items()]
    rows = town.counts()
    assert take_in(town, *roster) == Enrolled(opened=0, changed=0, unchanged=6)
    assert town.counts() == rows


def test_a_roster_that_says_something_new_of_a_known_student_changes_that_alone(town: Town):
    rows = town.counts()
    assert take_in(town, line(FIRST, major="行政管理"), line(SECOND)) == Enrolled(opened=0, changed=1, unchanged=1)
    assert town.facts(FIRST)["major"] == "行政管理"
    assert town.facts(FIRST)["fee_owed"] == "0.00", "what the roster does not name stays"
    assert town.counts()[0] == rows[0] + 1


def test_one_bad_line_refuses_the_whole_roster_and_names_every_bad_line(town: Town):
    rows = town.counts()
    bad = (line(NEW_ONE, level=None, education_type=None), line(NEW_TWO), line("2023030000013", level="研究生"))
    with pytest.raises(RosterRefused) as caught:
        take_in(town, *bad, line(FIRST, major="行政管理"))
    refused = {one.student_no: [verdict.id for verdict in one.verdicts] for one in caught.value.refused}
    assert refused == {NEW_ONE: ["G-AD-14"], "2023030000013": ["G-AD-14"]}
    assert town.counts() == rows
    assert "major" not in town.facts(FIRST)
    assert take_in(town, line(NEW_TWO)).opened == 1, "and can be taken in once it is right"


def test_a_dry_run_judges_everything_and_writes_nothing(town: Town):
    rows = town.counts()
    said = take_in(town, line(NEW_ONE), line(NEW_TWO, level=None), line(FIRST, major="行政管理"), dry_run=True)
    assert (said.opened, said.changed, said.unchanged) == (2, 1, 0)
    assert [one.student_no for one in said.refused] == [NEW_TWO]
    assert town.counts() == rows


def test_a_roster_of_a_unit_nobody_knows_is_refused_whole(town: Town):
    rows = town.counts()
    with pytest.raises(Unknown, match="S9"):
        take_in(town, line(NEW_ONE), line(NEW_TWO, "S9"))
    assert town.counts() == rows


def test_a_student_has_one_record_for_ever(town: Town):
    with pytest.raises(AlreadyOpen) as caught:
        town.open(("diploma-registration", "open_record"), FIRST, "records.sx")
    assert (caught.value.case, caught.value.state) == (town.case(FIRST).number, "enrolled")


def test_a_record_is_opened_only_by_those_who_may_and_that_somebody_else_tried_is_logged(town: Town):
    events, *rows = town.counts()
    with pytest.raises(NotAllowed, match="records_section"):
        town.open(("diploma-registration", "open_record"), FIRST, "operator.s1")
    assert town.counts() == (events + 1, *rows)
    [(body,)] = town.connection.execute("SELECT body FROM event ORDER BY id DESC LIMIT 1").fetchall()
    event = orjson.loads(body)
    assert (event["kind"], event["actor"], event["data"]["barred"]) == ("refused", "operator.s1", "not_allowed")


def test_a_draft_opens_no_case_outside_a_rehearsal_and_the_refusal_is_recorded(town: Town):
    rows, before = town.counts(), town.student(OPEN_FIRST)
    refused = town.open(DRAFT, OPEN_FIRST, "operator.t1")
    assert isinstance(refused, Refused)
    [verdict] = refused.verdicts
    assert verdict.rule == "draft-definition"
    assert "degree-application" in verdict.sentence.zh
    assert "{" not in verdict.sentence.zh + verdict.sentence.en
    assert town.counts() == (rows[0] + 1, *rows[1:]), "an event, and no case"
    after = town.student(OPEN_FIRST)
    assert after.head.seq == before.head.seq + 1
    event = town.events(-after.id)[-1]
    assert (event["kind"], event["actor"], event["data"]["failed"]) == ("refused", "operator.t1", ["X-07"])
    assert town.replayed().diverged == ()


def test_a_rehearsal_opens_drafts(rehearsal: Town):
    rehearsal.know(OPEN_FIRST, level="专升本", programme="P1", wants_degree=True)
    replace_table(rehearsal.desk, "programme_courses", COURSES, rehearsal.request("import_table", "records.kf"))
    rehearsal.advance(OPEN_FIRST, "applied")
    opened = rehearsal.open(DRAFT, OPEN_FIRST, "operator.t1")
    assert isinstance(opened, Moved), opened
    assert opened.case.state == "applied"
    assert rehearsal.case(OPEN_FIRST).fields["degree_applied"] is True
    assert find_case(rehearsal.desk, OPEN_FIRST, opened.case.number) == opened.case.id
    assert rehearsal.replayed().diverged == ()


def test_a_refused_opening_stands_in_the_chain_of_the_student(rehearsal: Town):
    rehearsal.go(FIRST, (("suspend", "records.sx"),))
    rows = rehearsal.counts()
    refused = rehearsal.open(LEAVE_DRAFTED, FIRST, "operator.s1", **LEAVE)
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-SC-06",)
    assert rehearsal.counts() == (rows[0] + 1, rows[1], rows[2] + 1, *rows[3:])  # what was given is sealed
    told = rehearsal.events(-rehearsal.student(FIRST).id)[-1]["data"]
    assert (told["failed"], told["sealed_given"]) == (["G-SC-06"], ["cause"])
    assert rehearsal.replayed().diverged == ()


def test_a_second_open_case_of_the_same_kind_is_refused_and_names_the_first(district_url: str, library: Library):
    with lending(district_url, library, loan({})) as (town, case):
        rows = town.counts()
        with pytest.raises(AlreadyOpen, match=town.by_id(case).number):
            town.open(("loan", "ask"), FIRST, "operator.s1")
        assert town.counts() == rows
        assert isinstance(town.open(("loan", "ask"), SECOND, "operator.s1"), Moved)


def test_an_ended_case_makes_room_for_another_unless_it_may_be_opened_once_only(district_url: str, library: Library):
    stop = {"stop": {"from": "asked", "to": "lent", "by": "site_operator"}}
    for unique, again in (("open", True), ("never", True), ("ever", False)):
        with lending(district_url, library, loan(stop, workflow=f"loan-{unique}", unique=unique)) as (town, case):
            assert isinstance(town.decided(case, "stop", "operator.s1"), Moved)
            opening = (f"loan-{unique}", "ask")
            if again:
                assert isinstance(town.open(opening, FIRST, "operator.s1"), Moved)
            else:
                with pytest.raises(AlreadyOpen):
                    town.open(opening, FIRST, "operator.s1")


def test_a_cancelled_case_does_not_count_even_where_one_is_allowed_for_ever(district_url: str, library: Library):
    stop = {"stop": {"from": "asked", "to": "cancelled", "kind": "withdraw", "by": "site_operator"}}
    with lending(district_url, library, loan(stop, unique="ever")) as (town, case):
        assert isinstance(town.decided(case, "stop", "operator.s1", reason="重复"), Moved)
        assert isinstance(town.open(("loan", "ask"), FIRST, "operator.s1"), Moved)


def test_a_repeated_opening_is_given_its_first_answer(rehearsal: Town):
    request = replace(rehearsal.request("draft", "operator.s1", **LEAVE), id="o-1")
    first = open_case(rehearsal.desk, "leave-of-absence", FIRST, request)
    assert isinstance(first, Moved)
    rows = rehearsal.counts()
    again = open_case(rehearsal.desk, "leave-of-absence", FIRST, request)
    assert again == Repeated(trigger="draft", number=first.case.number, moved=True, state="drafted")
    assert rehearsal.counts() == rows


def test_what_does_not_exist_is_unknown_by_its_name(town: Town):
    with pytest.raises(Unknown, match="学号"):
        town.open(LEAVE_DRAFTED, "9999", "operator.s1")
    with pytest.raises(Unknown, match="leave-of-absence"):
        town.open(("leave-of-absense", "draft"), FIRST, "operator.s1")
    with pytest.raises(Unknown, match="draft"):
        town.open(("leave-of-absence", "drafted"), FIRST, "operator.s1")
    with pytest.raises(Unknown):
        find_case(town.desk, FIRST, town.case(SECOND).number)


def test_the_case_of_one_student_is_not_found_under_another(town: Town):
    """features.md 6, 13."""
    with pytest.raises(Unknown, match="办件"):
        find_case(town.desk, FIRST, town.case(OPEN_FIRST).number)
    assert find_case(town.desk, FIRST, town.case(FIRST).number.lower()) == town.record(FIRST)


def test_two_clerks_opening_at_once_never_share_a_number(town: Town, library: Library):
    with town_at(town.url, library, rehearsal=True) as one, town_at(town.url, library, rehearsal=True) as two:
        first = one.open(LEAVE_DRAFTED, FIRST, "operator.s1", **LEAVE)
        second = two.open(LEAVE_DRAFTED, SECOND, "operator.s1", **LEAVE)
    assert isinstance(first, Moved)
    assert isinstance(second, Moved)
    assert first.case.id != second.case.id
