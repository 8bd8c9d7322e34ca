"""Days and moments as they are typed at the keyboard: of the same years as on pages and in sheets."""

from __future__ import annotations

import pytest

from tests.console.counter import READY, SITES, Counter

_PASS = (
    "delegate", "--as", "ap", "--to", "rec", "--role", "site_approver", "--reason", "出差", "--unit", SITES[0].code,
)  # fmt: skip
_EXTEND = ("deadline", "extend", READY[0], "leave-ends")
_WHY = ("--reason", "住院", "--as", "rec")
_PROPOSE = ("definition", "propose", "workflows/leave.yaml", "--as", "sys", "--reason", "改")


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((*_PASS, "--until", "{day}"), "--until"),
        ((*_PASS, "--until", "2024-05-20", "--from", "{day}"), "--from"),
        ((*_EXTEND, "{day}", *_WHY), "日期 date"),
        ((*_EXTEND, "{day}T17:40", *_WHY), "日期 date"),
        (("calendar", "explain", "{day}", "+15wd"), "DATE"),
        (("absence", "set", "op", "{day}", "2024-05-14"), "FROM"),
        (("absence", "set", "op", "2024-05-14", "{day}"), "TO"),
        (("case", READY[0], "--at", "{day}"), "--at"),
        ((*_PROPOSE, "--from", "{day}"), "--from"),
    ],
    ids=["until", "from", "due", "due-at", "count", "absent-from", "absent-to", "at", "in-force"],
)
def test_a_day_of_a_year_that_no_record_has_is_refused_and_the_years_are_said(
    counter: Counter, words: tuple[str, ...], name: str, day: str
) -> None:
    refused = counter.xueji(*(word.format(day=day) for word in words))

    assert refused.exit_code == 2, refused.output
    assert name in refused.stderr
    assert f"“{day}" in refused.stderr
    assert "1900 至 2200 年" in refused.stderr
    assert "a day of the years 1900 to 2200" in refused.stderr


@pytest.mark.parametrize("now", ["0001-01-01", "9999-12-31T23:59", "1899-12-31T23:59Z"])
def test_a_rehearsal_is_told_no_time_of_a_year_that_no_record_has(counter: Counter, now: str) -> None:
    refused = counter.xueji("queue", "--as", "ap", now=now)

    assert refused.exit_code == 2, refused.output
    assert "--now" in refused.stderr
    assert "1900 至 2200 年" in refused.stderr


@pytest.mark.parametrize("day", ["1900-01-01", "2200-12-31"])
def test_the_first_and_the_last_of_those_years_are_days_to_count_from(nowhere: Counter, day: str) -> None:
    assert nowhere.xueji("calendar", "explain", day, "+15wd").exit_code == 0
    assert nowhere.xueji("calendar", "explain", day, "-15wd").exit_code == 0
