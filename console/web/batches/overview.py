"""The page of a batch, in words: deadlines, one sentence that answers, the funnel, what is missing, and every unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from markupsafe import Markup

from console.web import charts
from console.web.batches.counting import Course, Looked, lagging, last_second
from console.web.batches.sight import UNIT_COLUMNS
from console.web.batches.wording import RuleWords, Stage, Ways, rules_of, stages_of
from console.web.charts import Part
from engine.expressions.kinds import SHANGHAI
from engine.figures import Lack, Node, Tally

_READY, _UNREADY, _EXPECTED, _SOLE = "chart-ready", "chart-missing", "chart-expected", "chart-sole"
"""The colours of the drawings, by token."""


class Number(NamedTuple):
    """A number and the list of exactly those it counts."""

    n: int
    address: str


class DeadlineCell(NamedTuple):
    """One date of the batch: what it is for, and its last second; None: not set yet."""

    title: str
    due: datetime | None


class Bar(NamedTuple):
    """A line of the funnel: the stage, its bar, how many, and what is to be said of those who stay behind."""

    title: str
    drawn: Markup
    number: Number
    notes: tuple[tuple[str, Number], ...]


class Missing(NamedTuple):
    """A line of what is missing."""

    rule: RuleWords
    lack: Lack
    drawn: Markup
    sole: Number
    fails: Number
    undecided: Number


class UnitLine(NamedTuple):
    """A line of the units: how deep it stands, whether others stand below it, and every number with its list."""

    node: Node
    name: str
    depth: int
    address: str
    drawn: Markup | None
    unready: Number
    ready: Number
    waiting: tuple[Number, ...]
    spark: Markup | None
    left: int | None

    @property
    def is_group(self) -> bool:
        """Whether other units stand below it."""
        return bool(self.node.below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Shall we make it: `kind` is one of done, over, undated, early, on-time, short.

    Attributes:
        left: How many will be missing, or are.
        units: The names of the units at fault.
    """

    kind: str
    left: int = 0
    due: date | None = None
    done_on: date | None = None
    per_day: int = 0
    needed: int | None = None
    units: tuple[str, ...] = ()


def deadline_cells(looked: Looked) -> tuple[DeadlineCell, ...]:
    """The dates of the batch, in the order of its kind."""
    row, visit = looked.roll.batch, looked.visit
    fields = looked.machine.book.vocabulary.batch[row.kind].fields
    return tuple(
        DeadlineCell(visit.title(field.title), last_second(looked, name))
        for name, field in fields.items()
        if field.type == "date"
    )


def answer_of(looked: Looked, course: Course) -> Answer:
    """The one sentence: whether everybody will have applied in time."""
    waiting, found = course.now.open, course.forecast
    due = None if course.due is None else course.due.astimezone(SHANGHAI).date()
    left = course.left(looked.sight.top.path)
    if not waiting:
        return Answer(kind="done", due=due)
    if due is None:
        return Answer(kind="undated", left=waiting)
    if due < looked.visit.today:
        return Answer(kind="over", left=waiting, due=due)
    if found is None or left is None:
        return Answer(kind="early", due=due)
    kind = "short" if left else "on-time"
    units = tuple(looked.visit.desk.units()[one.unit].name for one in lagging_units(looked, course))
    return Answer(
        kind=kind,
        left=left,
        due=due,
        done_on=found.done_on,
        per_day=found.per_day,
        needed=found.needed,
        units=units,
    )


def lagging_units(looked: Looked, course: Course) -> tuple[Node, ...]:
    """The units at fault: those that together make up two thirds of what will be missing."""
    paths = {code: unit.path for code, unit in looked.visit.desk.units().items()}
    return lagging((one for one in looked.counts.node.walk() if not one.below), course, paths)


def funnel(looked: Looked) -> tuple[Bar, ...]:
    """The stages from everybody who was expected to the diploma."""
    visit, tally, road = looked.visit, looked.counts.node.tally, looked.roll.road
    say = visit.say

    def line(title: str, token: str, number: Number, notes: Sequence[tuple[str, Number]]) -> Bar:
        return Bar(title, charts.bar([Part(token, title, number.n)], tally.expected), number, tuple(notes))

    def number(count: int, key: str) -> Number:
        return Number(count, Ways(looked=looked).cases(key))

    states = looked.roll.definition.states
    off = [
        (visit.title(states[state].title) if state in states else say("已撤销"), number(count, f"at:{state}"))
        for state, count in sorted(tally.off.items())
    ]
    yielded = [
        line(say("预毕业"), _EXPECTED, number(tally.expected, "expected"), off),
        line(
            say("可参加"), _EXPECTED, number(tally.takers, "takers"),
            [(say("条件未齐"), number(tally.unready, "unready"))] if tally.unready else [],
        ),
        line(
            say("条件已齐"), _READY, number(tally.ready + tally.filed, "complete"),
            [(say("漏申请"), number(tally.ready, "ready"))] if tally.ready else [],
        ),
    ]  # fmt: skip
    for stage in stages_of(looked):
        count = tally.passed(road, stage.state)
        here = tally.at.get(stage.state, 0)
        notes = [(say("等{who}", who=stage.waits), number(here, f"at:{stage.state}"))] if stage.waits and here else []
        yielded.append(line(stage.title, stage.token, number(count, f"passed:{stage.state}"), notes))
    return tuple(yielded)


def missing(looked: Looked) -> tuple[Missing, ...]:
    """What is missing, by rule; what alone keeps most from applying comes first."""
    rules = rules_of(looked)
    most = max((one.students for one in looked.counts.lacks), default=1)
    return tuple(_missing(looked, one, rules[one.rule], most) for one in looked.counts.lacks if one.rule in rules)


def _missing(looked: Looked, one: Lack, rule: RuleWords, most: int) -> Missing:
    say = looked.visit.say
    names = zip((_SOLE, _UNREADY, _READY), (say("补上就齐"), say("还差别的"), say("待定")), strict=True)
    parts = [Part(token, name, count) for (token, name), count in zip(names, one.parts, strict=True)]

    def number(count: int, word: str) -> Number:
        return Number(count, Ways(looked=looked).cases(f"{word}:{one.rule}"))

    return Missing(
        rule=rule,
        lack=one,
        drawn=charts.bar(parts, most, track=None),
        sole=number(one.sole, "sole"),
        fails=number(one.fails, "fails"),
        undecided=number(one.undecided, "undecided"),
    )


def missing_legend(looked: Looked) -> tuple[tuple[Markup, str], ...]:
    """The colours of the bars of what is missing."""
    say = looked.visit.say
    said = ((_SOLE, say("补上就齐")), (_UNREADY, say("还差别的")), (_READY, say("待定")))
    return tuple((charts.swatch(token), word) for token, word in said)


def unit_legend(looked: Looked) -> tuple[tuple[Markup, str], ...]:
    """The colours of a unit's bar, the furthest stage first."""
    say = looked.visit.say
    stages = [
        (charts.swatch(stage.token), stage.title)
        for stage in stages_of(looked)
        if looked.counts.node.tally.at.get(stage.state)
    ]
    return (*reversed(stages), (charts.swatch(_READY), say("漏申请")), (charts.swatch(_UNREADY), say("条件未齐")))


def units(looked: Looked, course: Course) -> tuple[UnitLine, ...]:
    """The units below the one at the top, each above those below it, in the order the address asks for."""
    top, stages = looked.counts.node, stages_of(looked)
    shown = list(_ordered(looked, course, top, depth=0))
    if not shown:
        shown = [(top, 0)]
    return tuple(_unit(looked, course, stages, node, depth) for node, depth in shown)


def _ordered(looked: Looked, course: Course, above: Node, depth: int) -> Iterator[tuple[Node, int]]:
    sort = looked.narrowing.sort
    found = sorted(above.below, key=lambda one: _path(looked, one))
    found.sort(key=_key(looked, course, sort.removeprefix("-")), reverse=sort.startswith("-"))
    for one in found:
        yield one, depth
        yield from _ordered(looked, course, one, depth + 1)


def _key(looked: Looked, course: Course, column: str) -> Callable[[Node], tuple[int | str, ...]]:
    """What units are sorted by, most in need of attention first."""

    def left(one: Node) -> int:
        outlook = course.units.get(_path(looked, one))
        return 0 if outlook is None or outlook.left is None else outlook.left

    def waiting(one: Node) -> int:
        return sum(one.tally.at.get(state, 0) for state in looked.roll.road.waiting)

    keys: dict[str, Callable[[Node], tuple[int | str, ...]]] = {
        "gap": lambda one: (-left(one), -one.tally.open),
        "unit": lambda one: (_path(looked, one),),
        "students": lambda one: (-one.tally.takers,),
        "filed": lambda one: (percent(one.tally.filed, one.tally.takers),),
        "unready": lambda one: (-one.tally.unready,),
        "ready": lambda one: (-one.tally.ready,),
        "waiting": lambda one: (-waiting(one),),
        "forecast": lambda one: (-left(one),),
    }
    return keys[column if column in UNIT_COLUMNS else "gap"]


def _path(looked: Looked, one: Node) -> str:
    return looked.visit.desk.units()[one.unit].path


def _unit(looked: Looked, course: Course, stages: Sequence[Stage], node: Node, depth: int) -> UnitLine:
    tally, row = node.tally, looked.visit.desk.units()[node.unit]
    outlook = course.units.get(row.path)

    def number(count: int, key: str) -> Number:
        return Number(count, Ways(looked=looked).cases(key, node.unit))

    return UnitLine(
        node=node,
        name=row.name,
        depth=depth,
        address=Ways(looked=looked).page(unit=node.unit),
        drawn=None if node.below else charts.bar(_parts(looked, stages, tally), tally.takers),
        unready=number(tally.unready, "unready"),
        ready=number(tally.ready, "ready"),
        waiting=tuple(number(tally.at.get(one.state, 0), f"at:{one.state}") for one in stages if one.waits),
        spark=None if node.below or outlook is None else charts.spark(outlook.week, _week(looked, outlook.week)),
        left=None if outlook is None else outlook.left,
    )


def _week(looked: Looked, values: Sequence[int]) -> str:
    return looked.visit.say("近 7 日未申请：{numbers}", numbers="、".join(map(str, values)))


def _parts(looked: Looked, stages: Sequence[Stage], tally: Tally) -> list[Part]:
    say = looked.visit.say
    filed = [Part(stage.token, stage.title, tally.at.get(stage.state, 0)) for stage in stages]
    return [
        *(one for one in reversed(filed) if one.length),
        Part(_READY, say("漏申请"), tally.ready),
        Part(_UNREADY, say("条件未齐"), tally.unready),
    ]


def percent(part: int, whole: int) -> int:
    """How many of a hundred, rounded down: nobody reads 100 % before the last is there."""
    return 100 * part // whole if whole else 0
