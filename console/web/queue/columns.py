"""What the list of the queue shows of each case besides its name: chosen by each person, in the person's own order.

The rows carry all of it anyway, so that no choice costs a statement. Source: console.md 6 (Lists).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from console.web.faults import NotFound
from console.web.lettering import last_day, local, number_shown, short_day
from console.web.queue.hindering import why
from console.web.queue.open_case import lang_of
from console.web.queue.people import facts_of
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.lane_queries import Placed
from engine.store import sessions
from engine.store.cases import Found
from engine.store.lanes import NEVER
from exchange.cells import Cell


class Column(StrEnum):
    """One thing that the list can show, by the name under which a choice is kept."""

    NUMBER = "number"
    LEVEL = "level"
    COHORT = "cohort"
    MAJOR = "major"
    UNIT = "unit"
    WORKFLOW = "workflow"
    STATE = "state"
    BATCH = "batch"
    WHY = "why"
    DUE = "due"
    ENTERED = "entered"
    CASE = "case"


FIRST = (Column.NUMBER, Column.LEVEL, Column.COHORT, Column.MAJOR)
"""What is shown to whoever has chosen nothing."""
TITLES: Mapping[Column, str] = {
    Column.NUMBER: "学号", Column.LEVEL: "层次", Column.COHORT: "年级", Column.MAJOR: "专业", Column.UNIT: "单位",
    Column.WORKFLOW: "业务", Column.STATE: "状态", Column.BATCH: "所属批次", Column.WHY: "原因",
    Column.DUE: "截止", Column.ENTERED: "进入本环节", Column.CASE: "件号",
}  # fmt: skip
"""What each is called, for `say`."""
_CANCELLED = Bilingual(zh="已撤销", en="Cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A column in the form: its name and title, whether it is shown, whether it can go up or down among those shown.

    `focus` is the button (`up`, `down`) that goes on where the last one was pressed; empty on every other line.
    """

    name: Column
    title: str
    is_shown: bool
    may_rise: bool
    may_sink: bool
    focus: str


def chosen(visit: Visit) -> tuple[Column, ...] | None:
    """What the person has chosen, in that order; None where nothing was. What is known no more is passed over."""
    kept = None if visit.session is None else visit.session.preference.columns
    return None if kept is None else tuple(Column(one) for one in kept if one in set(Column))


def shown(visit: Visit) -> tuple[Column, ...]:
    """What the list shows to the person."""
    own = chosen(visit)
    return FIRST if own is None else own


def value_of(visit: Visit, column: Column, standing: Placed, found: Found) -> Cell:
    """What a column has of a case, as a sheet has it; None where there is nothing."""
    return _VALUES[column](visit, standing, found)


def words_of(visit: Visit, column: Column, standing: Placed, found: Found) -> str:
    """The same as a row of the list says it; empty where there is nothing."""
    value = value_of(visit, column, standing, found)
    if isinstance(value, date):
        day = short_day(value, visit.lang, visit.today)
        return visit.say("{day}截止", day=day) if column is Column.DUE else visit.say("{day}进入", day=day)
    if column is Column.NUMBER and value is None:
        return number_shown(found.case.number)
    return "" if value is None else str(value)


def lines(visit: Visit, pressed: str = "") -> list[Line]:
    """The form: what is shown in its order, then the rest; `pressed` is the button pressed last, as `up-unit`."""
    own = shown(visit)
    way, _, name = pressed.partition("-")
    found = []
    for place, one in enumerate((*own, *(one for one in Column if one not in own))):
        may_rise, may_sink = 0 < place < len(own), place < len(own) - 1
        may = {"up": may_rise, "down": may_sink}
        focus = "" if one != name or way not in may else way if may[way] else "down" if may_sink else "up"
        line = Line(
            name=one, title=visit.say(TITLES[one]), is_shown=one in own, may_rise=may_rise, may_sink=may_sink,
            focus=focus,
        )  # fmt: skip
        found.append(line)
    return found


def choose(visit: Visit, form: Mapping[str, str]) -> str:
    """Keep what a form says: what is ticked, in the order it stood in, one of them moved.

    Returns the button by which one was moved, as `up-unit`; empty where none was.

    Raises:
        NotFound: If it names what there is not; no form of ours does.
    """
    if "reset" in form:
        _keep(visit, None)
        return ""
    stood = form.get("order", "").split()
    if sorted(stood) != sorted(Column):
        raise NotFound
    own = [Column(one) for one in stood if f"show_{one}" in form]
    way, name = next(((way, form[way]) for way in ("up", "down") if way in form), ("", ""))
    if way and name not in set(Column):
        raise NotFound
    _keep(visit, _moved(own, Column(name), way) if way else own)
    return f"{way}-{name}" if way else ""


def _moved(own: Sequence[Column], one: Column, way: str) -> Sequence[Column]:
    """The order once one of them has changed its place with the one before or behind it."""
    if one not in own:
        return own
    at = own.index(one)
    to = min(max(at + (-1 if way == "up" else 1), 0), len(own) - 1)
    rest = [other for other in own if other != one]
    return [*rest[:to], one, *rest[to:]]


def _keep(visit: Visit, columns: Sequence[Column] | None) -> None:
    if visit.session is None:
        raise NotFound
    kept = None if columns is None else tuple(map(str, columns))
    with visit.desk.connection.writing():
        liked = replace(visit.session.preference, columns=kept)
        sessions.set_preference(visit.desk.connection, visit.login, liked)


def _fact(name: str) -> Callable[[Visit, Placed, Found], Cell]:
    def told(visit: Visit, _: Placed, found: Found) -> Cell:
        return next(facts_of(visit.desk.machine(found.case.shape), found, (name,), lang_of(visit)), None)

    return told


def _workflow(visit: Visit, _: Placed, found: Found) -> Cell:
    return visit.title(visit.desk.machine(found.case.shape).definition.title)


def _state(visit: Visit, _: Placed, found: Found) -> Cell:
    state = visit.desk.machine(found.case.shape).definition.states.get(found.case.state)
    return visit.title(_CANCELLED if state is None else state.title)


def _batch(visit: Visit, standing: Placed, found: Found) -> Cell:
    name = standing.row.batch
    kept = visit.house.batches.of(visit.desk, found.registry)  # read already, for the line under the bar
    return next((one.title for one in kept if one.name == name), name)


def _due(_: Visit, standing: Placed, __: Found) -> Cell:
    due = standing.row.due_at
    return None if due == NEVER else last_day(due)


_VALUES: Mapping[Column, Callable[[Visit, Placed, Found], Cell]] = {
    Column.NUMBER: lambda _, __, found: found.student_no,
    Column.LEVEL: _fact("level"),
    Column.COHORT: _fact("cohort"),
    Column.MAJOR: _fact("major"),
    Column.UNIT: lambda visit, _, found: visit.desk.units()[found.case.unit].name,
    Column.WORKFLOW: _workflow,
    Column.STATE: _state,
    Column.BATCH: _batch,
    Column.WHY: lambda visit, standing, _: visit.say("、").join(why(visit, standing)) or None,
    Column.DUE: _due,
    Column.ENTERED: lambda _, standing, __: local(standing.row.entered_at).date(),
    Column.CASE: lambda _, __, found: number_shown(found.case.number),
}
