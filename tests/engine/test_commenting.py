"""A comment is for those who work on a case, decides nothing, and can be erased like any personal value."""

from dataclasses import replace

import pytest

from engine.commenting import LONGEST, comment
from engine.errors import NotAllowed, Unreadable
from engine.records import Moved, Repeated
from engine.store import stories
from engine.trail.event import Written
from tests.engine.town import FIRST, Town

WORDS = "学生来电：登记表第二页已补交"


def write(town: Town, login: str = "operator.s1", text: str = WORDS) -> Written:
    written = comment(town.desk, town.record(FIRST), text, town.request("comment", login))
    assert isinstance(written, Written)
    return written


def test_the_words_are_sealed_and_open_for_those_who_read_the_case(town: Town):
    written = write(town)
    event = town.events(written.chain)[-1]

    assert (event["kind"], event["actor"], event["role"]) == ("commented", "operator.s1", "site_operator")
    assert WORDS not in str(event)
    assert stories.story(town.connection, [written.chain])[-1].opened == {"text": WORDS}
    assert town.replayed().diverged == ()


def test_a_page_opened_before_still_decides(town: Town):
    town.advance(FIRST, "applied")
    seen = town.case(FIRST).revision
    write(town)
    assert isinstance(town.take(FIRST, "site_approve", "approver.s1", seen=seen), Moved)


def test_a_click_that_comes_twice_is_one_comment(town: Town):
    request = replace(town.request("comment", "operator.s1"), id="r-1")
    case = town.record(FIRST)
    answers = [comment(town.desk, case, WORDS, request) for _ in "12"]

    assert isinstance(answers[0], Written)
    assert isinstance(answers[1], Repeated)
    assert [one["kind"] for one in town.events(case)].count("commented") == 1


@pytest.mark.parametrize("login", ["operator.s2", "operator.t1"])
@pytest.mark.parametrize("number", [None, "r-1"])
def test_whoever_takes_no_part_writes_nothing_and_the_case_keeps_that_it_was_asked(
    town: Town, login: str, number: str | None
):
    request = replace(town.request("comment", login), id=number)
    with pytest.raises(NotAllowed):
        comment(town.desk, town.record(FIRST), WORDS, request)
    assert town.events(town.record(FIRST))[-1]["data"]["barred"] == "not_allowed"


@pytest.mark.parametrize("text", ["", "　\n", "长" * (LONGEST + 1), "\ud800"])
def test_what_is_no_text_is_not_kept(town: Town, text: str):
    counts = town.counts()
    with pytest.raises(Unreadable):
        write(town, text=text)
    assert town.counts() == counts
