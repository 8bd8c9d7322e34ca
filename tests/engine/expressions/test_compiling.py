"""Names, kinds, faults, reads and readings of an expression."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engine.expressions.compiling import Supplied, compile_expression
from engine.expressions.faults import ExpressionFaults
from engine.expressions.interpreting import explain
from engine.expressions.kinds import MONEY, NUMBER, TEXT, YES_NO, Row, choice, state
from engine.expressions.scope import Scope
from engine.expressions.tree import Source
from tests.engine.expressions.school import CALENDAR, SCOPE


def faults_of(text, lets=(), expects=None, scope=SCOPE):
    with pytest.raises(ExpressionFaults) as refused:
        compile_expression(text, scope, dict(lets), expects)
    return refused.value.faults


def value_of(text, seen=(), lets=()):
    return compile_expression(text, SCOPE, dict(lets)).evaluate(dict(seen), CALENDAR)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("cohrt == 2022", "unknown-fact", "Did you mean 'cohort'?"),
        ("case.cuase == 'x'", "unknown-field", "Did you mean 'cause'?"),
        ("cas.cause == 'x'", "expression", "Did you mean 'case'?"),
        ("knwon(name)", "unknown-function", "Did you mean 'known'?"),
        ("level == '专生本'", "unknown-choice", "Did you mean '专升本'?"),
        ("level in ('专科', '本')", "unknown-choice", "'本' is no code"),
        ("case.state == 'draftd'", "unknown-state", "Did you mean 'drafted'?"),
        ("none(cases('leav'), it.open)", "unknown-workflow", "Did you mean 'leave'?"),
        ("count(rows('course')) > 0", "unknown-table", "Did you mean 'courses'?"),
        ("(id_number, level, 1) in course", "unknown-table", "Did you mean 'courses'?"),
        ("taken('aprove')", "unknown-trigger", "Did you mean 'approve'?"),
        ("before('D-1')", "unknown-deadline", "Did you mean 'D-01'?"),
        ("has('F-1')", "unknown-document", "Did you mean 'F-01'?"),
        ("every(members, it.opend)", "unknown-field", "Did you mean 'open'?"),
        ("it.open", "expression", "row of every"),
        ("case == 'x'", "expression", "needs a dot"),
        ("it", "expression", "needs a dot"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_right_one(text, code, words):
    (fault,) = faults_of(text)

    assert fault.code == code
    assert words in fault.message


@pytest.mark.parametrize(
    "text",
    [
        "fee_owed * fee_owed == 1",
        "fee_owed + born_on == 1",
        "born_on + 1 == today",
        "born_on - 1 == today",
        "name - name == 1",
        "-name == name",
        "cohort and enrolled",
        "not cohort",
        "enrolled + 1",
        "name < id_number",
        "level < level",
        "this_term < this_term",
        "level == level_exam",
        "level == name",
        "cohort == name",
        "cohort == '2022'",
        "case.unit == case.batch",
        "cohort == today",
        "born_on == '2024-13-01'",
        "born_on == '20240513'",
        "clock(now) < '25:00'",
        "now == '2024-05-13'",
        "cohort in (2022, 'x')",
        "cohort in (2022)",
        "cohort in level",
        "cohort in batch.pairs",
        "(level, cohort) in batch.pairs",
        "(cohort, level, 1) in batch.pairs",
        "cohort in cases('leave')",
        "batch.pairs == batch.pairs",
        "(cohort, level) == (cohort, level)",
        "members == members",
        "1 if enrolled else name",
        "1 if cohort else 2",
        "first_known(cohort, name) == 1",
        "first_known(members, members)",
        "days_after(today, 1.50) == today",
        "days_after(cohort, 1) == today",
        "days_after(today) == today",
        "known(cohort, name)",
        "known((cohort, name))",
        "every(cohort, true)",
        "every(members, it.days)",
        "count(members, true) == 1",
        "values(members, cases('leave'))",
        "cases(name)",
        "cases('leave', 'x')",
        "same_person('x')",
        "matches(name, id_number)",
        "matches(name, '[0-9')",
        "matches(name, 'a*')",
        "matches(name, '[0-9]{9,2}')",
        "value_of(level) == '专科'",
        "value_of(name) == '专科'",
        "cohort, level",
    ],
)
def test_kinds_that_do_not_go_together_are_refused_once(text):
    assert len(faults_of(text)) == 1


def test_all_faults_of_a_text_are_found_at_once():
    faults = faults_of("cohrt == 1 and level == '本' and fee_owed * fee_owed > nothing")

    assert [fault.code for fault in faults] == [
        "unknown-fact",
        "unknown-choice",
        "expression",
        "unknown-fact",
    ]


def test_a_fault_in_a_let_names_the_let_and_the_place_in_its_text():
    (fault,) = faults_of("limit > 1", {"limit": "cohort + cohrt"})

    assert (fault.let, fault.offset, fault.code) == ("limit", 9, "unknown-fact")
    assert str(fault).startswith("let limit, character 10: ")


def test_lets_that_stand_for_each_other_are_refused():
    (fault,) = faults_of("a == 1", {"a": "b + 1", "b": "a + 1"})

    assert fault.message == "'a' is made of itself: a → b → a."


def test_lets_that_grow_without_bound_are_refused():
    lets = {f"x{n}": f"x{n + 1} + x{n + 1}" for n in range(60)} | {"x60": "cohort"}

    assert "500 parts" in faults_of("x0 == 1", lets)[0].message


def test_lets_that_double_each_other_are_refused_before_they_are_compiled():
    lets = {f"x{n}": f"x{n + 1} + x{n + 1}" for n in range(12)} | {"x12": "cohort"}

    assert "500 parts" in faults_of("x0 == 1", lets)[0].message


def test_a_let_stands_for_its_expression_with_its_own_brackets():
    assert value_of("sum * 2", {"cohort": 1}, {"sum": "cohort + 1"}) == 4


def test_a_text_in_a_let_is_read_as_what_it_stands_beside():
    lets = {"opened": "'2020-04-20'", "levels": "('专科', '专升本')"}

    assert value_of("today >= opened", {"today": date(2020, 4, 20)}, lets) is True
    assert value_of("level in levels", {"level": "专科"}, lets) is True


def test_a_literal_is_read_as_the_kind_it_stands_beside():
    assert value_of("born_on == '2024-05-13'", {"born_on": date(2024, 5, 13)}) is True
    assert value_of("'10:00' <= clock(now) < '17:00'") is None
    assert value_of("'17:40' == clock(now)", {"now": datetime(2024, 5, 13, 9, 40, tzinfo=UTC)}) is True


def test_the_expected_kind_is_what_literals_are_read_as():
    text = "'专科' if enrolled else ('专升本' if wants_degree else level)"

    assert compile_expression(text, SCOPE, expects=choice("level")).kind == choice("level")
    assert faults_of("'本' if enrolled else level", expects=choice("level"))
    assert faults_of("name", expects=choice("level"))
    assert faults_of("cohort", expects=YES_NO)
    assert faults_of("fee_owed", expects=NUMBER)
    assert compile_expression("cohort", SCOPE, expects=MONEY).kind == NUMBER
    assert compile_expression("value_of(case.item)", SCOPE, expects=TEXT).kind.name == "value_of"


def test_a_state_is_checked_against_the_states_of_its_own_workflow():
    scope = Scope(groups={"record": {"state": state(("enrolled",), "record")}}, states=("other",))

    assert compile_expression("record.state == 'enrolled'", scope).reads == ("record.state",)
    assert faults_of("record.state == 'other'", scope=scope)[0].code == "unknown-state"


def test_numbers_are_read_from_their_own_text_and_never_as_floats():
    seen = {"fee_owed": Decimal("0.30")}

    assert value_of("fee_owed == 0.10 + 0.20", seen) is True
    assert value_of("0.10 + 0.20") == Decimal("0.30")


# --- reads and readings ------------------------------------------------------------------------


def test_an_expression_reads_each_name_once_in_the_order_of_its_text():
    text = "cohort == 1 and case.cause == name and cohort < 3 and (cohort, level) in batch.pairs"

    expected = ("cohort", "case.cause", "name", "level", "batch.pairs")
    assert compile_expression(text, SCOPE).reads == expected


def test_a_call_on_rows_is_one_reading_and_hides_what_its_conditions_compare_with():
    lets = {"issued": "where(cases('leave'),it.open and it.batch==case.batch)"}
    expression = compile_expression("count(issued) < 3 and enrolled", SCOPE, lets)

    key = "count(where(cases('leave'), it.open and it.batch == case.batch))"
    assert expression.reads == (key, "enrolled")
    (reading,) = expression.readings
    assert (reading.key, reading.kind, reading.outer) == (key, NUMBER, ("case.batch",))
    assert reading.sources == (Source("cases", "leave"),)


def test_every_source_inside_one_reading_is_named():
    text = (
        "count(where(rows('courses'), it.level == level and it.course not in "
        "values(where(same_person(), it.enrolled), it.id_number))) == 0"
    )
    (reading,) = compile_expression(text, SCOPE).readings

    assert reading.sources == (Source("rows", "courses"), Source("same_person", ""))
    person: Row = {"enrolled": True, "id_number": "1"}
    supplied: Supplied = {
        Source("rows", "courses"): ({"course": "1", "level": "专科"}, {"course": "2", "level": "专科"}),
        Source("same_person", ""): (person,),
    }
    assert reading.evaluate({"level": "专科"}, supplied) == 1
    assert reading.evaluate({}, supplied) is None


def test_every_of_the_chosen_rows_asks_only_the_chosen_rows():
    text = "every(where(members, it.open), it.days == 1)"
    (reading,) = compile_expression(text, SCOPE).readings
    source = Source("members", "")
    chosen: Row = {"open": True, "days": 1}
    other: Row = {"open": False, "days": 2}
    wrong: Row = {"open": True, "days": 2}

    assert reading.evaluate({}, {source: (chosen, other)}) is True
    assert reading.evaluate({}, {source: (chosen, other, wrong)}) is False
    assert reading.evaluate({}, {source: ({"open": None, "days": 2}, chosen)}) is None
    assert reading.evaluate({}, {source: ()}) is True


def test_documents_and_history_are_readings_whose_value_is_supplied():
    expression = compile_expression("has('F-01') and not taken('approve')", SCOPE)

    has, taken = expression.readings
    assert (has.key, taken.key) == ("has('F-01')", "taken('approve')")
    assert has.evaluate({}, {Source("has", "F-01"): True}) is True
    assert expression.evaluate({has.key: True, taken.key: False}) is True


def test_whole_rows_of_a_table_are_a_reading_that_compares_them():
    expression = compile_expression("(id_number, level, 1) in courses", SCOPE)

    (reading,) = expression.readings
    assert expression.reads == (reading.key,) == ("(id_number, level, 1) in courses",)
    rows: tuple[Row, ...] = ({"course": "0123", "level": "专科", "term": 1},)
    supplied: Supplied = {Source("rows", "courses"): rows}
    assert reading.evaluate({"id_number": "0123", "level": "专科"}, supplied) is True
    assert reading.evaluate({"id_number": "0123", "level": "专升本"}, supplied) is False
    assert reading.evaluate({"id_number": None, "level": "专科"}, supplied) is None


def test_the_fact_which_a_choice_names_is_read_whichever_it_is():
    expression = compile_expression("value_of(case.item)", SCOPE)

    assert expression.reads == ("case.item", "name", "id_number")
    assert expression.evaluate({"case.item": "name", "name": "甲"}) == "甲"
    assert expression.evaluate({"case.item": "id_number", "name": "甲"}) is None


def test_without_a_calendar_what_needs_one_is_undecided():
    expression = compile_expression("today <= last_day(term_of(born_on))", SCOPE)
    seen = {"today": date(2024, 5, 13), "born_on": date(2024, 3, 1)}

    assert expression.evaluate(seen) is None
    assert expression.evaluate(seen, CALENDAR) is True


def test_a_date_beyond_the_years_of_python_is_undecided_though_everything_is_known():
    expression = compile_expression("days_after(today, 1) > today", SCOPE)

    assert expression.evaluate({"today": date(9999, 12, 31)}) is None


def test_an_explanation_lists_each_condition_with_its_value():
    expression = compile_expression("enrolled and (cohort == 2022 or none(members, it.open))", SCOPE)

    lines = explain(expression, {"enrolled": True, "none(members, it.open)": None, "cohort": 2021})

    assert [(line.text, line.value, line.depth) for line in lines] == [
        ("enrolled and (cohort == 2022 or none(members, it.open))", None, 0),
        ("enrolled", True, 1),
        ("cohort == 2022 or none(members, it.open)", None, 1),
        ("cohort == 2022", False, 2),
        ("none(members, it.open)", None, 2),
    ]
