"""Random expressions: the compiled functions, the interpreter and the verdicts say the same."""

from hypothesis import given, settings

from engine.expressions.compiling import compile_expression
from engine.expressions.interpreting import World, interpret
from engine.expressions.kinds import YES_NO
from engine.expressions.verdicts import FAILS, HOLDS, NOT_APPLICABLE, UNDECIDED, compile_verdict
from engine.expressions.writing import written
from tests.engine.expressions.school import CALENDAR, SCOPE
from tests.engine.expressions.texts import WORLDS, At, conditions, numbers

often = settings(max_examples=250, deadline=None)


def known(world, *expressions):
    """Give what is seen, readings included."""
    readings = {
        reading.key: reading.evaluate(world.seen, world.supplied, CALENDAR)
        for expression in expressions
        for reading in expression.readings
    }
    return {**world.seen, **readings}


def judged(expression, world):
    return expression.evaluate(known(world, expression), CALENDAR)


def meant(expression, world):
    return interpret(expression.tree, World(seen=world.seen, supplied=world.supplied, calendar=CALENDAR))


@often
@given(text=conditions(At(3)))
def test_a_compiled_condition_has_the_value_its_meaning_has(text):
    expression = compile_expression(text, SCOPE, expects=YES_NO)

    for full, less in WORLDS:
        assert judged(expression, full) is meant(expression, full)
        assert judged(expression, less) is meant(expression, less)


@often
@given(text=numbers(At(3)))
def test_a_compiled_amount_has_the_value_its_meaning_has(text):
    expression = compile_expression(text, SCOPE)

    for full, less in WORLDS:
        assert judged(expression, full) == meant(expression, full)
        assert judged(expression, less) == meant(expression, less)


@often
@given(text=conditions(At(3)))
def test_the_plain_and_the_three_valued_function_agree_where_everything_is_known(text):
    expression = compile_expression(text, SCOPE)

    for full, _ in WORLDS:
        everything = known(full, expression)
        values = [everything.get(key) for key in expression.reads]
        if None not in values:
            plain = expression.plain(*values, calendar=CALENDAR)
            assert plain is expression.kleene(*values, calendar=CALENDAR)


@often
@given(text=conditions(At(3, forgiving=False)))
def test_learning_a_missing_value_never_overturns_a_decided_condition(text):
    expression = compile_expression(text, SCOPE)

    for full, less in WORLDS:
        before = judged(expression, less)
        assert before is None or judged(expression, full) is before


@often
@given(applies=conditions(At(2)), holds=conditions(At(2)))
def test_a_rule_is_not_applicable_or_has_the_value_of_its_condition(applies, holds):
    asked_when = compile_expression(applies, SCOPE)
    asked_for = compile_expression(holds, SCOPE)
    asked = compile_verdict(asked_when, asked_for)

    for world in (world for pair in WORLDS for world in pair):
        seen = known(world, asked_when, asked_for)
        verdict = asked.ask(*(seen.get(key) for key in asked.reads), calendar=CALENDAR)
        assert verdict == expected_verdict(judged(asked_when, world), judged(asked_for, world))


def expected_verdict(applies, holds):
    if applies is False:
        return NOT_APPLICABLE
    if holds is True:
        return HOLDS
    return UNDECIDED if applies is None or holds is None else FAILS


@often
@given(text=conditions(At(3)))
def test_the_canonical_text_of_an_expression_means_the_same_expression(text):
    once = compile_expression(text, SCOPE)
    again = compile_expression(written(once.tree), SCOPE)

    assert again.tree == once.tree
