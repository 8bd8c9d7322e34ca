"""The numbers behind each part of the page as a table: to read, and to take along as a workbook, as shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from console.web.batches.burning import burn_of
from console.web.batches.counting import Looked, course_of
from console.web.batches.overview import Number, funnel, missing, percent, units
from console.web.batches.wording import stages_of
from exchange.cells import Cell

Value = Cell | Number


class Table(NamedTuple):
    """A table: its caption, heads, and rows whose numbers may lead to a list."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def plain(self) -> list[list[Cell]]:
        """The rows without addresses."""
        return [[one.n if isinstance(one, Number) else one for one in row] for row in self.rows]


def _funnel(looked: Looked) -> Table:
    say = looked.visit.say
    rows = [
        (bar.title, bar.number, "；".join(f"{word} {number.n}" for word, number in bar.notes)) for bar in funnel(looked)
    ]
    return Table("funnel", say("进度漏斗"), (say("环节"), say("人数"), say("说明")), tuple(rows))


def _burn(looked: Looked) -> Table:
    say, course = looked.visit.say, course_of(looked)
    burn = burn_of(looked, course)
    columns = (say("日期"), say("未申请"), say("已申请"), say("计划"), say("工作日"))
    plan = {} if burn is None else dict(burn.plan)
    rows = tuple(
        (
            one.day,
            one.open,
            one.filed,
            plan.get(one.day),
            say("是") if course.work.is_working_day(one.day) else say("否"),
        )
        for one in (*(one for one in course.days if one.day < course.now.day), course.now)
    )
    return Table("burn", say("燃尽：未申请的人数"), columns, rows)


def _missing(looked: Looked) -> Table:
    say = looked.visit.say
    columns = (say("规则"), say("编号"), say("补上就齐"), say("不符合"), say("待定"), say("谁来补"), say("条款"))
    rows = tuple(
        (one.rule.title, one.rule.id, one.sole, one.fails, one.undecided, one.rule.who, "、".join(one.rule.clauses))
        for one in missing(looked)
    )
    return Table("missing", say("缺什么"), columns, rows)


def _units(looked: Looked) -> Table:
    say, course = looked.visit.say, course_of(looked)
    stages = [one for one in stages_of(looked) if one.waits]
    columns = (
        say("代码"), say("单位"), say("人数"), say("已申请"), say("已申请 %"), say("条件未齐"), say("漏申请"),
        *(say("等{who}", who=one.waits) for one in stages), say("预计差"),
    )  # fmt: skip
    rows = tuple(
        (
            one.node.unit, one.name, one.node.tally.takers, one.node.tally.filed,
            percent(one.node.tally.filed, one.node.tally.takers), one.unready, one.ready, *one.waiting, one.left,
        )
        for one in units(looked, course)
    )  # fmt: skip
    return Table("units", say("各单位"), columns, rows)


TABLES: Mapping[str, Callable[[Looked], Table]] = {
    "funnel": _funnel,
    "burn": _burn,
    "missing": _missing,
    "units": _units,
}
"""Every table by the name it has in addresses."""
