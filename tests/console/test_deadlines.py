"""`xueji deadline list`, `extend` and `recount` as they are typed, and deadlines on the page of a case."""

from __future__ import annotations

import pytest

from tests.console.counter import READY, Counter

LEAVE = ("suspend", "decided_on=2024-05-01", "document_no=2024-18", "suspended_until=2024-06-20", "--as", "rec")
EXTEND = ("deadline", "extend", READY[0], "leave-ends")
WHY = ("--reason", "住院 in hospital", "--as", "rec")


@pytest.fixture
def away(counter: Counter) -> Counter:
    """A counter at which one student is on leave until 20 June."""
    counter.done("move", READY[0], *LEAVE)
    return counter


def test_the_page_of_a_case_and_the_list_say_until_when_it_runs(away: Counter) -> None:
    [on_page] = away.document("case", READY[0])["deadlines"]
    [listed] = away.document("deadline", "list", "--as", "rec")

    assert on_page == {
        "deadline": "leave-ends", "due_at": "2024-06-20T15:59:59.000000Z", "settled": False, "late": False,
        "extended": False, "blocked": False,
    }  # fmt: skip
    assert (listed["student_no"], listed["due_at"]) == (READY[0], on_page["due_at"])
    assert "2024年6月20日（周四）23:59" in away.xueji("case", READY[0]).stdout
    assert "leave-ends" in away.xueji("deadline", "list").stdout
    assert away.document("deadline", "list", "--batch", "2024-06") == []


def test_another_date_is_set_with_a_reason_and_stands_in_the_timeline(away: Counter) -> None:
    done = away.xueji(*EXTEND, "2024-07-01", *WHY)

    assert done.exit_code == 0, done.output
    assert "2024年6月20日（周四）23:59 → 2024年7月1日（周一）23:59" in done.stdout
    page = away.document("case", READY[0])
    assert page["deadlines"][0]["extended"] is True
    assert (page["timeline"][-1]["kind"], page["timeline"][-1]["reason"]) == ("deadline_moved", "住院 in hospital")
    assert "已延期" in away.xueji("deadline", "list").stdout


@pytest.mark.parametrize(
    ("due", "said", "code"),
    [("2024-05-12", "X-39", 1), ("2024-06-20", "X-40", 1), ("soon", "2024-05-13T17:40", 2)],
)
def test_a_date_that_cannot_be_is_refused_with_the_reason(away: Counter, due: str, said: str, code: int) -> None:
    refused = away.xueji(*EXTEND, due, *WHY)

    assert refused.exit_code == code
    assert said in refused.output


def test_who_may_not_extend_it_is_told_who_may(away: Counter) -> None:
    refused = away.xueji(*EXTEND, "2024-07-01", "--reason", "想", "--as", "op")

    assert refused.exit_code == 2
    assert "records_section" in refused.stderr


def test_what_the_command_takes_is_said_when_it_is_typed_otherwise(away: Counter) -> None:
    for words in ((*EXTEND, "2024-07-01", "--dry-run"), ("deadline", "extend", "leave-ends", "2024-07-01")):
        refused = away.xueji(*words, *WHY)
        assert refused.exit_code == 2
        assert "--batch B" in refused.stderr


def test_counting_anew_moves_nothing_while_no_notice_is_new(away: Counter) -> None:
    for words in (("--dry-run",), ()):
        counted = away.xueji("deadline", "recount", "--as", "rec", *words)
        assert counted.exit_code == 0, counted.output
        assert "0 项" in counted.stdout
