"""Random well-typed expressions over the school of the tests, and random worlds to judge them in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

from hypothesis import strategies as st

from engine.expressions.kinds import Value
from engine.expressions.tree import Source
from tests.engine.expressions.school import BATCH, CASE, COURSES, FACTS, LEAVE, VALUES


class At(NamedTuple):
    """Where a text stands: how much may still be nested, on a row or not.

    Only a forgiving text asks `known` and `first_known`, which may change their answer when
    something becomes known.
    """

    depth: int
    row: bool = False
    forgiving: bool = True

    def inside(self):
        return self._replace(depth=self.depth - 1)

    def columns(self, *names):
        return names if self.row else ()


def either(*texts):
    return st.sampled_from(texts)


def joined(template, *parts):
    return st.tuples(*parts).map(lambda values: template.format(*values))


@cache
def conditions(at):
    leaves = either("enrolled", "wants_degree", "true", "false", *at.columns("it.open"))
    if at.depth == 0:
        return leaves
    here = at.inside()
    over = here._replace(row=True)
    options = [
        leaves,
        joined("({} and {})", conditions(here), conditions(here)),
        joined("({} or {} or {})", conditions(here), conditions(here), leaves),
        joined("(not {})", conditions(here)),
        joined("({} if {} else {})", conditions(here), conditions(here), conditions(here)),
        joined("{} {} {}", numbers(here), comparisons(), numbers(here)),
        joined("{} <= {} < {}", numbers(here), numbers(here), numbers(here)),
        joined("{} {} {}", dates(here), comparisons(), dates(here)),
        joined("{} {} {}", levels(at), either("==", "!="), levels(at)),
        joined("{} {} ({},)", levels(at), either("in", "not in"), levels(at)),
        joined("({}, {}) {} batch.pairs", numbers(here), levels(at), either("in", "not in")),
        joined(
            "{} {} ({}, {})",
            numbers(here),
            either("in", "not in"),
            numbers(here),
            numbers(here),
        ),
        joined(
            "({0}, {1}) in (({2}, {1}), (2022, '专科'))",
            numbers(here),
            levels(at),
            numbers(here),
        ),
        joined("starts_with({}, {})", texts(), texts()),
        joined("{} == {}", texts(), texts()),
        joined("value_of(case.item) == {}", either("name", "case.new_value", "id_number")),
        joined("{}({}, {})", either("every", "any", "none"), rows(here), conditions(over)),
        joined("{} in values({}, it.days)", numbers(here), rows(here)),
        joined("(id_number, {}, {}) in courses", levels(at), numbers(here)),
        either("has('F-01')", "taken('approve')", "within('D-01')", "case.state == 'drafted'"),
    ]
    if at.forgiving:
        options.append(joined("known({})", st.one_of(numbers(here), dates(here))))
    return st.one_of(options)


def comparisons():
    return either("==", "!=", "<", "<=", ">", ">=")


def levels(at):
    return either("level", "'专科'", "level", *at.columns("it.level"))


def texts():
    return either("name", "id_number", "'51161'", "name + id_number", "case.cause")


@cache
def numbers(at):
    leaves = either(
        "cohort",
        "terms_passed",
        "fee_owed",
        "0",
        "2022",
        "120.50",
        *at.columns("it.days", "it.cost"),
    )
    if at.depth == 0:
        return leaves
    here = at.inside()
    options = [
        leaves,
        joined("({} {} {})", numbers(here), either("+", "-"), numbers(here)),
        joined("2 * {}", numbers(here).map("({})".format)),
        joined("-({})", numbers(here)),
        joined("({} if {} else {})", numbers(here), conditions(here), numbers(here)),
        joined("({} - {})", dates(here), dates(here)),
        joined("count({})", rows(here)),
        joined("length({})", texts()),
        joined("weekday({})", dates(here)),
    ]
    if at.forgiving:
        options.append(joined("first_known({}, {})", numbers(here), numbers(here)))
    return st.one_of(options)


@cache
def dates(at):
    leaves = either("born_on", "today", "batch.fees_by", *at.columns("it.opened_on"))
    if at.depth == 0:
        return leaves
    here = at.inside()
    return st.one_of(
        leaves,
        joined("({} if {} else {})", dates(here), conditions(here), dates(here)),
        joined(
            "{}({}, {})",
            either("days_after", "months_after", "teaching_week_end"),
            dates(here),
            whole(),
        ),
        joined("working_days_after({}, {})", dates(here), either("15", "-3", "0")),
        joined("first_day(term_after(term_of({})))", dates(here)),
        joined("day({}({}))", either("start_of_day", "end_of_day"), dates(here)),
        joined("closes({})", either("this_term", "term(2024, 1)", "term(2024, 3)")),
    )


def whole():
    return either("cohort", "terms_passed", "1", "-2")


@cache
def rows(at):
    leaves = either("cases('leave')", "members", "others('leave')")
    if at.depth == 0:
        return leaves
    here = at.inside()
    kept = conditions(here._replace(row=True))
    return st.one_of(leaves, joined("where({}, {})", rows(here._replace(row=False)), kept))


# --- worlds ------------------------------------------------------------------------------------

KINDS = {
    **FACTS,
    **{f"case.{name}": kind for name, kind in CASE.items()},
    **{f"batch.{name}": kind for name, kind in BATCH.items()},
}
ROW_SOURCES = (Source("cases", "leave"), Source("others", "leave"), Source("members", ""))
ANSWERS = (Source("has", "F-01"), Source("taken", "approve"), Source("within", "D-01"))


@dataclass(frozen=True, kw_only=True)
class World:
    seen: Mapping[str, Value | None]
    supplied: Mapping[Source, Value | None]


def full_world(random):
    """Give a world in which everything is known."""

    def row(columns):
        return {name: random.choice(VALUES[str(kind)]) for name, kind in columns.items()}

    supplied = {source: tuple(row(LEAVE) for _ in range(random.randrange(4))) for source in ROW_SOURCES}
    supplied[Source("rows", "courses")] = tuple(row(COURSES) for _ in range(random.randrange(3)))
    supplied |= {source: random.choice((True, False)) for source in ANSWERS}
    return World(seen=row(KINDS), supplied=supplied)


def forgetful(random, world):
    """Give the world as somebody knows it who forgot some of it."""

    def some(mapping):
        share = random.random()
        return {key: None if random.random() < share else value for key, value in mapping.items()}

    def thinner(supply):
        return tuple(some(row) for row in supply) if isinstance(supply, tuple) else supply

    thin = {source: thinner(supply) for source, supply in world.supplied.items()}
    lost = random.choice((*thin, None))
    return World(seen=some(world.seen), supplied={**thin, lost: None})


def worlds(number):
    """Give pairs of a full world and what is left of it when some was forgotten."""
    random = Random(number)  # noqa: S311 - repeatable, and no secret
    full = [full_world(random) for _ in range(number)]
    return [(world, forgetful(random, world)) for world in full]


WORLDS = worlds(40)
