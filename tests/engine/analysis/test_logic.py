"""A formula says of every student, known in part or whole, what the expression itself says."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
import z3

from engine.analysis.logic import Formulas
from engine.expressions.compiling import compile_expression
from engine.expressions.kinds import CLOCK, DATE, MOMENT, MONEY, NUMBER, TERM, TEXT, YES_NO, choice
from engine.expressions.scope import Scope

TITLE = {"zh": "甲", "en": "A"}
KINDS = {
    "n": NUMBER, "m": MONEY, "d": DATE, "e": DATE, "y": YES_NO, "x": YES_NO, "c": choice("level"), "t": TEXT,
    "at": MOMENT, "hour": CLOCK, "term_no": TERM,
}  # fmt: skip
VALUES: dict[str, tuple[Any, ...]] = {
    "n": (0, 3, -2, None),
    "m": (Decimal("0.00"), Decimal("0.10"), Decimal("3.00"), None),
    "d": (date(2024, 2, 29), date(2024, 5, 13), None),
    "e": (date(2024, 2, 29), date(2023, 12, 31), None),
    "y": (True, False, None),
    "x": (True, False, None),
    "c": ("本科", "专科", None),
    "t": ("甲", "乙", "", None),
    "at": (datetime(2024, 5, 13, 9, 40, tzinfo=UTC), datetime(2024, 5, 13, 16, 0, 1, tzinfo=UTC), None),
    "hour": (time(8, 30), time(23, 59), None),
    "term_no": ((2023, 2), (2024, 1), None),
}
SCOPE = Scope(names=KINDS, choices={"level": {"本科": TITLE, "专科": TITLE}})
TEXTS = [
    "y and x", "y or not x", "not (y and x) or y", "n == 3", "n != 3", "n < m", "m * 30 >= 3.00", "m <= 0.10",
    "n + 1 > 3 and not y", "-n * 2 - n == 6", "d - e > 60", "d == e", "days_after(d, n) > e", "weekday(d) == 1",
    "c == '专科'", "c in ('本科', '专科')", "c not in ('本科',)", "t == '甲' or t == '丙'", "t in ('甲', '乙')",
    "(n, c) in ((3, '本科'), (0, '专科'))", "n == 3 and c == '本科'",
    "known(n)", "known(n) and n > 0", "first_known(n, 7) == 7", "first_known(m, n) > 2", "n == 3 if y else n == 0",
    "(n if y else n) == 3", "(d if y else e) == d", "end_of_day(d) >= at", "start_of_day(d) <= at",
    "day(at) == d", "clock(at) < hour", "hour >= '17:40'", "at <= start_of_day(days_after(d, 1))",
    "term_no == term_after(term_before(term_no))", "academic_year(term_no) == 2024", "term_number(term_no) == 2",
    "d <= '2024-05-13'", "n <= 3 <= m", "y == x",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_formula_agrees_with_its_expression_for_every_student(text):
    expression = compile_expression(text, SCOPE, {}, YES_NO)
    formulas = Formulas(choices=SCOPE.choices)
    valued = formulas.of(expression.tree)

    assert formulas.opaque == set()
    for values in product(*(VALUES[name] for name in expression.reads)):
        seen = dict(zip(expression.reads, values, strict=True))
        assert decided(formulas, valued, seen) == expression.evaluate(seen), seen


def decided(formulas, valued, seen):
    """What the formulas come to for one student."""
    pairs = []
    for name, (kind, own) in formulas.variables.items():
        pairs.append((own.known, z3.BoolVal(seen[name] is not None)))
        if seen[name] is not None:
            pairs.append((own.value, formulas.constant(kind, seen[name])))
    known, value = (z3.simplify(z3.substitute(one, *pairs)) for one in (valued.known, valued.value))
    return z3.is_true(value) if z3.is_true(known) else None


@pytest.mark.parametrize("text", ["starts_with(t, '甲')", "length(t) > 3", "months_after(d, 1) == e", "n * n == 4"])
def test_what_cannot_be_said_is_left_free_and_remembered(text):
    formulas = Formulas(choices=SCOPE.choices)

    formulas.of(compile_expression(text, SCOPE, {}, YES_NO).tree)

    assert formulas.opaque


@pytest.mark.parametrize("name", KINDS)
def test_a_value_is_read_back_from_a_model_as_it_was(name):
    expression = compile_expression(f"{name} == {name}", SCOPE, {}, YES_NO)
    for value in VALUES[name]:
        formulas = Formulas(choices=SCOPE.choices)
        formulas.of(expression.tree)
        kind, own = formulas.variables[name]
        solver = z3.Solver()
        solver.add(own.known == z3.BoolVal(value is not None), *formulas.limits())
        if value is not None:
            solver.add(own.value == formulas.constant(kind, value))
        solver.check()

        assert formulas.read(name, solver.model()) == value
