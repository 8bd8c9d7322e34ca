"""What the names of an expression mean where it stands."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from engine.expressions.functions import Calendar, Registered
from engine.expressions.kinds import Kind, Titles

RowColumns = Callable[[str, str], Mapping[str, Kind] | None]


def _no_rows(_function: str, _argument: str) -> None:
    """Know no workflow and no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The names one expression may use, each with its kind.

    Attributes:
        names: Bare names: student facts, `today`, `now`, `this_term`.
        groups: Names after a dot by the name before it: `case`, `record`, `batch`, `unit`.
        rows: Columns of `it` for a function and its argument, such as `("cases", "leave")`,
            `("rows", "programme_courses")`, `("members", "")`; `None` if there are none.
        choices: Choice list → code → title by language.
        triggers: Names that `taken` may ask about.
        deadlines: Names that `before` and `within` may ask about.
        documents: Names that `has`, `reviewed` and the like may ask about.
        states: Words allowed beside a state whose own kind lists none.
        functions: The functions of `rules/functions.py`.
        workflows: Workflows, families and lists, only to suggest the nearest.
        tables: Tables, only to suggest the nearest.
        calendar: Working days and terms that what is compiled here goes by; undecided without one.
    """

    names: Mapping[str, Kind] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)
    rows: RowColumns = _no_rows
    choices: Titles = field(default_factory=dict)
    triggers: Collection[str] = ()
    deadlines: Collection[str] = ()
    documents: Collection[str] = ()
    states: Collection[str] = ()
    functions: Mapping[str, Registered] = field(default_factory=dict)
    workflows: Collection[str] = ()
    tables: Collection[str] = ()
    calendar: Calendar | None = None
