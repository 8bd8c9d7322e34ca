"""Candidates (录取名单): students with facts and a unit, whose record a procedure opens later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.casework import find_case
from engine.enrolling import Enrolled, Enrolment, enrol
from engine.errors import SeveralOpen, Unknown
from engine.library import Library
from engine.records import Moved, Refused
from tests.engine.lab import loan, with_loan
from tests.engine.town import FIRST, NOW, Town, roster_facts, town_at

CANDIDATE, OTHER = "2023030000011", "2023030000012"
REGISTERING = loan({
    "register": {
        "from": "asked", "to": "lent", "by": "site_operator", "then": [{"open": "diploma-registration.open_record"}],
    }
}, unique="never")  # fmt: skip


def take_in(town: Town, *numbers: str, dry_run: bool = False, opens_record: bool = False) -> Enrolled:
    rows = [Enrolment(student_no=no, unit="S1", facts=roster_facts(no)) for no in numbers]
    return enrol(town.desk, rows, town.request("open_record", "import"), opens_record=opens_record, dry_run=dry_run)


@contextmanager
def intake(url: str, library: Library) -> Iterator[Town]:
    """A desk at which candidates register, two of them on the list."""
    with town_at(url, with_loan(library, REGISTERING)) as town:
        town.desk.publish(NOW, "setup")
        assert take_in(town, CANDIDATE, OTHER) == Enrolled(opened=0, changed=0, unchanged=0, added=2)
        yield town


def test_candidates_exist_with_facts_and_unit_and_without_a_record(town: Town):
    cases = town.counts()[3]
    assert take_in(town, CANDIDATE, OTHER).added == 2
    row = town.student(CANDIDATE)
    assert (row.unit, row.record, row.facts["name"]) == ("S1", None, "测试")
    assert town.counts()[3] == cases, "no case"
    [event] = town.events(-row.id)
    assert (event["kind"], event["data"]["unit"]) == ("fact_changed", "S1")
    assert town.replayed().diverged == ()


def test_the_same_list_twice_changes_nothing_and_what_is_new_in_it_is_written(town: Town):
    take_in(town, CANDIDATE)
    rows = town.counts()
    assert take_in(town, CANDIDATE) == Enrolled(opened=0, changed=0, unchanged=1)
    assert town.counts() == rows
    assert town.know(CANDIDATE, major="行政管理").changed == 1
    assert town.facts(CANDIDATE)["major"] == "行政管理"


def test_a_dry_run_of_a_list_writes_nothing(town: Town):
    rows = town.counts()
    assert take_in(town, CANDIDATE, dry_run=True).added == 1
    assert town.counts() == rows


def test_a_candidate_of_a_unit_nobody_knows_is_refused_with_the_whole_list(town: Town):
    rows = town.counts()
    lines = [
        Enrolment(student_no=no, unit=unit, facts=roster_facts(no)) for no, unit in ((CANDIDATE, "S1"), (OTHER, "S9"))
    ]
    with pytest.raises(Unknown, match="S9"):
        enrol(town.desk, lines, town.request("open_record", "import"), opens_record=False)
    assert town.counts() == rows


def test_a_procedure_opens_the_record_of_a_candidate(district_url: str, library: Library):
    with intake(district_url, library) as town:
        with pytest.raises(Unknown, match=CANDIDATE):
            find_case(town.desk, CANDIDATE)
        opened = town.open(("loan", "ask"), CANDIDATE, "operator.s1")
        assert isinstance(opened, Moved)
        assert find_case(town.desk, CANDIDATE) == opened.case.id, "the only open case there is"
        assert isinstance(town.decided(opened.case.id, "register", "operator.s1"), Moved)
        record = town.case(CANDIDATE)
        assert (record.workflow, record.state, record.student) == (
            "diploma-registration", "enrolled", town.student(CANDIDATE).id,
        )  # fmt: skip
        assert town.student(OTHER).record is None
        assert town.replayed().diverged == ()


def test_a_candidate_who_may_have_no_record_is_refused_with_it_and_stays_without(district_url: str, library: Library):
    with intake(district_url, library) as town:
        town.know(CANDIDATE, level="研究生")
        opened = town.open(("loan", "ask"), CANDIDATE, "operator.s1")
        assert isinstance(opened, Moved)
        refused = town.decided(opened.case.id, "register", "operator.s1")
        assert isinstance(refused, Refused)
        assert (refused.failed, refused.undecided) == (("X-04",), ("G-AD-14",))
        assert town.student(CANDIDATE).record is None
        assert town.by_id(opened.case.id).state == "asked"


def test_a_candidate_with_two_open_cases_is_asked_which(district_url: str, library: Library):
    with intake(district_url, library) as town:
        both = [town.open(("loan", "ask"), CANDIDATE, "operator.s1") for _ in range(2)]
        numbers = [one.case.number for one in both if isinstance(one, Moved)]
        with pytest.raises(SeveralOpen) as caught:
            find_case(town.desk, CANDIDATE)
        assert [number for number, _, _ in caught.value.cases] == numbers
        assert find_case(town.desk, FIRST) == town.student(FIRST).record, "a record is meant where there is one"
