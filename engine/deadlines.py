"""When a deadline of a definition is due and from when its window is open; whether a moment is in time.

Pure: the values come from whoever looks, the working days from the scope's calendar.
Source: the definition language, section 8; requirements.md, 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from engine.definition import Deadline
from engine.expressions.compiling import Expression, Reading, compile_expression
from engine.expressions.functions import days_after, end_of_day, start_of_day
from engine.expressions.kinds import Value
from engine.expressions.scope import Scope

Before = Literal["inclusive", "exclusive"]
"""How a profile reads 之前: up to the end of the day that is named, or of the day before it (Q-01)."""

Values = Mapping[str, Value | None]
"""What is known, by key; an absent key is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundDeadline:
    """A deadline of a definition, compiled for its cases.

    Attributes:
        deadline: As the definition has it.
        due: Gives a date or a moment.
        opens: Gives the start of the window; None: it was always open.
        before: How the profile reads a date.
        reads: The keys that both expressions read.
        readings: Those of the reads that are calls on rows, documents or history.
    """

    deadline: Deadline
    due: Expression
    opens: Expression | None
    before: Before
    reads: tuple[str, ...]
    readings: tuple[Reading, ...]


def bind_deadline(deadline: Deadline, scope: Scope, derived: Mapping[str, str], before: Before) -> BoundDeadline:
    """A deadline compiled in the scope of its machine, with the calendar that the scope has.

    Args:
        deadline: As the definition has it.
        scope: What names mean for its cases.
        derived: Facts that are computed instead of stored, as expressions.
        before: `before` of the profile in the organisation file.

    Raises:
        ExpressionFaults: If `due` or `opens` does not fit the scope.
    """
    due = compile_expression(deadline.due, scope, derived)
    opens = None if deadline.opens is None else compile_expression(deadline.opens, scope, derived)
    both = (due,) if opens is None else (due, opens)
    return BoundDeadline(
        deadline=deadline,
        due=due,
        opens=opens,
        before=before,
        reads=tuple(dict.fromkeys(key for one in both for key in one.reads)),
        readings=tuple({reading.key: reading for one in both for reading in one.readings}.values()),
    )


def due_of(one: BoundDeadline, values: Values) -> datetime | None:
    """The last moment in time; None while the date is open (待定) or something it is counted from is not known.

    A date stands for its last second in Asia/Shanghai, of the day before where the profile reads 之前 so.
    A moment stands for itself.
    """
    value = one.due.evaluate(values)
    if not isinstance(value, date) or isinstance(value, datetime):
        return value if isinstance(value, datetime) else None
    day = days_after(value, -1) if one.before == "exclusive" else value
    return None if day is None else end_of_day(day)


def opens_of(one: BoundDeadline, values: Values) -> datetime | None:
    """The first moment of the window; None where it has no beginning or that is not known. A date opens at 0:00."""
    value = None if one.opens is None else one.opens.evaluate(values)
    if isinstance(value, datetime):
        return value
    return start_of_day(value) if isinstance(value, date) else None


def is_before(one: BoundDeadline, values: Values, at: datetime) -> bool | None:
    """`before(…)`: whether a moment is in time; undecided while the date is open.

    Seconds count, their fractions do not: with 17:40, 17:40:00 is in time and 17:40:01 is late (S004-6.1).
    """
    due = due_of(one, values)
    return None if due is None else at.replace(microsecond=0) <= due


def is_within(one: BoundDeadline, values: Values, at: datetime) -> bool | None:
    """`within(…)`: whether a moment lies in the window; decided as soon as one end of it says no."""
    opens = opens_of(one, values)
    begun = True if one.opens is None else None if opens is None else at >= opens
    in_time = is_before(one, values, at)
    if begun is False or in_time is False:
        return False
    return None if begun is None or in_time is None else True
