"""The four answers of a rule."""

import pytest

from engine.expressions.compiling import compile_expression
from engine.expressions.verdicts import FAILS, HOLDS, NOT_APPLICABLE, UNDECIDED, compile_verdict
from tests.engine.expressions.school import SCOPE


@pytest.mark.parametrize(
    ("applies", "holds", "verdict"),
    [
        (True, True, HOLDS),
        (True, False, FAILS),
        (True, None, UNDECIDED),
        (False, True, NOT_APPLICABLE),
        (False, False, NOT_APPLICABLE),
        (False, None, NOT_APPLICABLE),
        (None, True, HOLDS),
        (None, False, UNDECIDED),
        (None, None, UNDECIDED),
    ],
)
def test_a_rule_with_both_conditions(applies, holds, verdict):
    both = (compile_expression(text, SCOPE) for text in ("enrolled", "wants_degree"))
    asked = compile_verdict(*both)

    assert asked.reads == ("enrolled", "wants_degree")
    assert asked.ask(applies, holds) == verdict


@pytest.mark.parametrize(("passed", "verdict"), [(1, FAILS), (2, HOLDS), (3, HOLDS), (None, UNDECIDED)])
def test_a_rule_that_always_applies(passed, verdict):
    asked = compile_verdict(None, compile_expression("terms_passed >= 2", SCOPE))

    assert asked.ask(passed) == verdict


def test_a_rule_that_reads_nothing_is_decided():
    assert compile_verdict(None, compile_expression("1 + 1 == 2", SCOPE)).ask() == HOLDS


def test_the_level_examination_binds_the_cohort_of_2022_below_bachelor_only():
    applies = compile_expression("cohort == 2022 and level in ('专科', '专升本')", SCOPE)
    holds = compile_expression("level_exam == '合格'", SCOPE)
    asked = compile_verdict(applies, holds)

    assert asked.ask(2022, "专科", "合格") == HOLDS
    assert asked.ask(2022, "专科", "缺考") == FAILS
    assert asked.ask(2022, "专科", None) == UNDECIDED
    assert asked.ask(2021, "专科", None) == NOT_APPLICABLE


def test_a_reading_of_both_conditions_is_fetched_once():
    applies = compile_expression("any(members, it.open)", SCOPE)
    holds = compile_expression("any( members, it.open ) and has('F-01')", SCOPE)

    asked = compile_verdict(applies, holds)

    assert asked.reads == ("any(members, it.open)", "has('F-01')")
    assert tuple(reading.key for reading in asked.readings) == asked.reads
