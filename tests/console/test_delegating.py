"""`xueji delegate`, `hand-over`, `revoke`, `urge` and the accounts of students, as they are typed."""

from __future__ import annotations

import pytest

from tests.console.counter import READY, SITES, Counter

APPLY = ("apply", "batch=2024-06", "--as", "op")
PASS = ("--as", "ap", "--to", "rec", "--role", "site_approver", "--reason", "出差")
UNTIL = ("--until", "2024-05-20")
UNIT = ("--unit", SITES[0].code)


@pytest.fixture
def applied(counter: Counter) -> tuple[Counter, str]:
    """A counter at which one record waits for the teaching point, and its number."""
    counter.done("move", READY[0], *APPLY)
    number: str = counter.document("case", READY[0])["case"]
    return counter, number


def test_an_absence_is_delegated_until_the_end_of_the_day_and_taken_back(counter: Counter) -> None:
    given = counter.xueji("delegate", *PASS, *UNTIL, *UNIT)
    back = counter.xueji("revoke", *PASS[:6])
    again = counter.xueji("revoke", *PASS[:6])

    assert (given.exit_code, back.exit_code, again.exit_code) == (0, 0, 2)
    assert "2024年5月20日（周一）23:59" in given.stdout
    assert "1 项 revoked" in back.stdout
    assert "委派 delegation" in again.stderr


def test_a_delegation_may_begin_on_a_later_day_and_not_on_one_that_is_over(applied: tuple[Counter, str]) -> None:
    counter, number = applied
    given = counter.xueji("delegate", *PASS, *UNTIL, "--case", number, "--from", "2024-05-15")
    early = counter.xueji("move", READY[0], "site_approve", "--as", "rec")
    then = counter.xueji("move", READY[0], "site_approve", "--as", "rec", now="2024-05-15T00:00")

    assert "自 from 2024年5月15日（周三）00:00 至" in given.stdout
    assert (early.exit_code != 0, then.exit_code) == (True, 0)
    assert counter.document("case", READY[0])["state"] == "site_approved"
    for since, said in (("2024-05-12", "today or later"), ("2024-05-21", "before --until"), ("soon", "--from")):
        refused = counter.xueji("delegate", *PASS, *UNTIL, *UNIT, "--from", since)
        assert (refused.exit_code, said in refused.stderr) == (2, True), since
    assert counter.document("replay", "--all")["diverged"] == []


def test_a_refused_delegation_names_rule_and_remedy_and_exits_with_one(counter: Counter) -> None:
    result = counter.xueji("delegate", *PASS, "--until", "2024-05-12", *UNIT)

    assert result.exit_code == 1
    for said in ("X-34", "2024-05-12 23:59", "办法 remedy", "S004-6.3"):
        assert said in result.stdout


def test_the_unit_may_be_left_out_where_only_one_can_be_meant(counter: Counter) -> None:
    one = counter.xueji(
        "delegate", "--as", "rec", "--to", "op", "--role", "records_section", "--reason", "会议", *UNTIL
    )
    many = counter.xueji("delegate", *PASS, *UNTIL)

    assert one.exit_code == 0
    assert many.exit_code == 2
    assert all(site.code in many.stderr for site in SITES)


def test_one_case_is_delegated_and_its_timeline_says_to_whom(applied: tuple[Counter, str]) -> None:
    counter, number = applied

    given = counter.xueji("delegate", *PASS, *UNTIL, "--case", number)

    assert given.exit_code == 0, given.output
    last = counter.document("case", READY[0])["timeline"][-1]
    assert (last["kind"], last["actor"], last["taker"], last["to"]) == ("delegated", "ap", "rec", None)
    shown = counter.xueji("case", READY[0]).stdout
    assert "委派" in shown
    assert "→ rec" in shown
    assert counter.document("replay", "--all")["diverged"] == []


def test_a_case_is_handed_over_to_another_holder_of_the_role(applied: tuple[Counter, str]) -> None:
    counter, number = applied
    to = ("--role", "site_approver", "--reason", "调岗", "--case", number)

    outside = counter.xueji("hand-over", "--as", "ap", "--to", "rec", *to)
    counter.done(
        "user", "add", "second", "--role", "site_approver", "--unit", counter.document("case", READY[0])["unit"]
    )
    within = counter.xueji("hand-over", "--as", "ap", "--to", "second", *to)

    assert (outside.exit_code, within.exit_code) == (1, 0)
    assert "X-37" in outside.stdout
    assert "已转办 handed over" in within.stdout


def test_urging_twice_on_a_day_says_when_again(applied: tuple[Counter, str]) -> None:
    counter, _ = applied

    first = counter.xueji("urge", READY[0], "--as", "op")
    second = counter.xueji("urge", READY[0], "--as", "op")
    resting = counter.xueji("urge", READY[1], "--as", "op")

    assert (first.exit_code, second.exit_code, resting.exit_code) == (0, 1, 1)
    assert "X-32" in second.stdout
    assert "2024-05-14 00:00" in second.stdout
    assert "enrolled" in resting.stderr


def test_a_student_gets_an_account_and_urges_with_it(applied: tuple[Counter, str]) -> None:
    counter, _ = applied

    made = counter.xueji("user", "add", "zhao", "--student", READY[0])
    other = counter.xueji("user", "add", "zhao2", "--student", READY[0])

    assert "已建立 made" in made.stdout
    assert other.exit_code == 1
    assert "zhao" in other.stderr
    assert counter.xueji("urge", READY[0], "--as", "zhao").exit_code == 0
    assert counter.xueji("urge", READY[1], "--as", "zhao").exit_code == 2


def test_a_student_without_leave_of_the_procedure_leaves_no_signature(applied: tuple[Counter, str]) -> None:
    counter, number = applied
    counter.done("user", "add", "zhao", "--student", READY[0])

    result = counter.xueji(
        "delegate", "--as", "zhao", "--to", "ap", "--role", "student", "--reason", "没空", *UNTIL, "--case", number
    )

    assert result.exit_code == 1
    assert "G-SG-01" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("user", "add", "w", "--role", "handler"), "--student", id="role without unit"),
        pytest.param(("user", "add", "w"), "--student", id="neither"),
        pytest.param(("user", "add", "w", "--student", "12"), "学号 student number", id="student"),
        pytest.param(("delegate", *PASS, *UNIT, "--until", "soon"), "--until", id="until"),
        pytest.param(("delegate", *PASS, *UNIT, *UNTIL, "--case", "ABCDEFGH"), "--unit", id="case and unit"),
        pytest.param(("delegate", *PASS, *UNTIL, "--case", "12"), "办件 case", id="case"),
        pytest.param(("delegate", *PASS, *UNTIL, "--unit", "SY"), "单位 unit", id="unit"),
        pytest.param(("revoke", "--as", "ap", "--to", "recc", "--role", "handler"), "ap → recc", id="nothing lent"),
    ],
)
def test_what_cannot_be_meant_is_misuse(counter: Counter, words: tuple[str, ...], said: str) -> None:
    result = counter.xueji(*words)

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("delegate", *PASS, *UNTIL, *UNIT), id="delegate"),
        pytest.param(("delegate", *PASS, *UNTIL, "--case"), id="delegate one case"),
        pytest.param(("hand-over", *PASS[:3], "second", *PASS[4:], "--case"), id="hand over"),
        pytest.param(("urge", READY[0], "--as", "op"), id="urge"),
    ],
)
def test_a_repeated_click_does_nothing_more(applied: tuple[Counter, str], words: tuple[str, ...]) -> None:
    counter, number = applied
    unit = counter.document("case", READY[0])["unit"]
    counter.done("user", "add", "second", "--role", "site_approver", "--unit", unit)
    asked = (*words, *((number,) if words[-1] == "--case" else ()), "--request", "R1")
    counter.done(*asked)
    timeline = counter.document("case", READY[0])["timeline"]

    again = counter.done(*asked).stdout

    assert "请求 request R1：此前已办理 done before" in again
    assert counter.document("case", READY[0])["timeline"] == timeline


def test_taking_back_twice_under_one_id_is_no_error(counter: Counter) -> None:
    counter.done("delegate", *PASS, *UNTIL, *UNIT)

    first, again = (counter.done("revoke", *PASS[:6], "--request", "R1").stdout for _ in range(2))

    assert "1 项 revoked" in first
    assert "此前已办理 done before" in again


def test_a_refused_click_is_refused_again_and_kept_once(applied: tuple[Counter, str]) -> None:
    counter, _ = applied
    counter.done("urge", READY[0], "--as", "op", "--request", "R1")
    results = [counter.xueji("urge", READY[0], "--as", "op", "--request", "R2") for _ in range(2)]

    assert [one.exit_code for one in results] == [1, 1]
    assert "此前未通过 refused before" in results[1].stdout
    assert "X-32" in results[1].stdout
    kinds = [one["kind"] for one in counter.document("case", READY[0])["timeline"]]
    assert kinds.count("refused") == 1
