"""When a deadline of a definition is due and from when its window is open; whether a moment is in time.

Pure: the values come from whoever looks, the working days from the scope's calendar.
Source: the definition language, section 8; requirements.md, 4.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from engine.definition import Deadline
from engine.expressions.compiling import Expression, compile_expression
from engine.expressions.functions import (
    DOCUMENT_ANSWERS,
    DOCUMENT_ROWS,
    days_after,
    end_of_day,
    start_of_day,
)  # fmt: skip
from engine.expressions.kinds import Value
from engine.expressions.scope import Scope
from engine.guards import Guard
from engine.records import Outcome

Before = Literal["inclusive", "exclusive"]
"""How a profile reads 之前: up to the end of the day that is named, or of the day before it (Q-01)."""

Values = Mapping[str, Value | None]
"""What is known, by key; an absent key is missing."""


class Watch(NamedTuple):
    """What the deadlines of a machine read beside the case itself: a change of it may move or settle them.

    Attributes:
        facts: Of the student.
        batch: Fields of the case's batch.
        units: Facts of the case's unit, or of units above it.
        documents: Whether they ask for documents on the case.
        others: Whether they look at other cases: the record, related ones, members, records of the same person.
        tables: Whether they look rows of tables up.
    """

    facts: frozenset[str] = frozenset()
    batch: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    documents: bool = False
    others: bool = False
    tables: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundDeadline:
    """A deadline of a definition, compiled for its cases.

    Attributes:
        deadline: As the definition has it.
        due: Gives a date or a moment.
        opens: Gives the start of the window; None: it was always open.
        settled: The rules that settle it while the case stays; none: only leaving its states does.
        before: How the profile reads a date.
        reads: The keys that both ends of the window read.
    """

    deadline: Deadline
    due: Expression
    opens: Expression | None
    settled: tuple[Guard, ...]
    before: Before
    reads: tuple[str, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Everything that is asked about it."""
        ends = (self.due,) if self.opens is None else (self.due, self.opens)
        return (*ends, *(expression for guard in self.settled for expression in guard.expressions))


def bind_deadline(
    deadline: Deadline, settled: tuple[Guard, ...], scope: Scope, derived: Mapping[str, str], before: Before
) -> BoundDeadline:
    """A deadline compiled in the scope of its machine, with the calendar that the scope has.

    Args:
        deadline: As the definition has it.
        settled: Its rules, compiled.
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
        settled=settled,
        before=before,
        reads=tuple(dict.fromkeys(key for one in both for key in one.reads)),
    )


def watch_of(many: Iterable[BoundDeadline], stored: frozenset[str]) -> Watch:
    """What deadlines read beside the case itself, for their dates and for being settled.

    Args:
        many: The deadlines of a machine.
        stored: The facts that are kept about a student.
    """
    keys: set[str] = set()
    functions: set[str] = set()
    for one in many:
        expressions = [one.due, *(expression for guard in one.settled for expression in guard.expressions)]
        readings = [reading for expression in expressions for reading in expression.readings]
        keys.update(*(expression.reads for expression in expressions), *(reading.outer for reading in readings))
        functions.update(source.function for reading in readings for source in reading.sources)
    parted = [key.partition(".") for key in keys]
    return Watch(
        facts=frozenset(keys & stored),
        batch=frozenset(key.removeprefix("batch.") for key in keys if key.startswith("batch.")),
        units=frozenset(name for group, dot, name in parted if dot and group.isidentifier() and group not in _NO_UNITS),
        documents=not functions.isdisjoint((*DOCUMENT_ANSWERS, *DOCUMENT_ROWS)),
        others=not functions.isdisjoint(_OTHERS) or any(key.startswith("record.") for key in keys),
        tables="rows" in functions,
    )


_NO_UNITS = ("case", "record", "batch")
_OTHERS = ("cases", "others", "members", "same_person")


def is_settled(one: BoundDeadline, values: Values) -> bool:
    """Whether what was to be done is done: there are rules that say so, and none of them fails or cannot be decided."""
    said = (Outcome(guard.ask(*[values.get(key) for key in guard.reads])) for guard in one.settled)
    return bool(one.settled) and not any(outcome.refuses for outcome in said)


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
    return in_time(due_of(one, values), at)


def in_time(due: datetime | None, at: datetime) -> bool | None:
    """Whether a moment is not after a last moment; undecided while that is open."""
    return None if due is None else at.replace(microsecond=0) <= due


def lies_within(one: BoundDeadline, values: Values, due: datetime | None, at: datetime) -> bool | None:
    """`within(…)`: whether a moment lies in the window that ends with a given last moment.

    Decided as soon as one end of it says no.
    """
    opens = opens_of(one, values)
    begun = True if one.opens is None else None if opens is None else at >= opens
    is_early = in_time(due, at)
    if begun is False or is_early is False:
        return False
    return None if begun is None or is_early is None else True
