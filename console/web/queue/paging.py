"""In which order a queue is shown, and where a page of it ends, as addresses say it.

An address has the values by which the last case of the page is ordered, so that the next page goes on there whether or
not that case still waits. Nothing personal is among them: by student number or 姓名拼音 it has the case alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from console.web.queue.filtering import Filter
from engine.lane_queries import Placed
from engine.lane_slices import KEYS, Cursor, Order
from engine.lanes import Lane
from engine.records import case_number, case_of

Gone: TypeAlias = Callable[[Order, int], "str | None"]
"""By what personal a case that waits no more has its place; None where the person may not know of it."""

ORDERS: Mapping[Order, Callable[[Placed], Cursor]] = {
    Order.LANE: lambda one: (one.lane, one.row.due_at, one.case),
    Order.DUE: lambda one: (one.row.due_at, one.case),
    Order.ENTERED: lambda one: (one.row.entered_at, one.case),
    Order.UNIT: lambda one: (one.row.path, one.row.due_at, one.case),
    Order.NUMBER: lambda one: one.key,
    Order.PINYIN: lambda one: (one.row.pinyin, one.case),
}
"""By what a case has its place in each order, as the database has it (`engine.lane_slices.KEYS`)."""

_PERSONAL = (Order.NUMBER, Order.PINYIN)
"""The orders whose values stand in no address."""

_JOINT = "~"
_LANES: Mapping[str, Lane] = {str(int(one)): one for one in Lane}


def order_of(asked: Filter) -> Order:
    """The order that a filter asks for."""
    return Order(asked.sort or Order.LANE)


def end_after(asked: Filter, last: Placed) -> str:
    """Where a page ends whose last case that is."""
    *values, _ = ORDERS[order_of(asked)](last)
    told = [str(int(one)) if isinstance(one, Lane) else str(one) for one in values]
    return _JOINT.join([*(told if order_of(asked) not in _PERSONAL else ()), case_number(last.case)])


def end_of(asked: Filter, find: Callable[[int], Placed | None], gone: Gone) -> Cursor | None:
    """Where the page before ended, as `end_after` said it; None where nothing such was said.

    By what is personal the case is looked for in the queue (`find`), and then among those that have left it (`gone`).
    """
    *values, number = asked.after.split(_JOINT)
    order, case = order_of(asked), case_of(number)
    if case is None or len(values) != (0 if order in _PERSONAL else len(KEYS[order]) - 1):
        return None
    if order is Order.LANE:
        return (_LANES[values[0]], values[1], case) if values[0] in _LANES else None
    if order not in _PERSONAL:
        return (*values, case)
    if (standing := find(case)) is not None:
        return ORDERS[order](standing)
    value = gone(order, case)
    return None if value is None else (value, case)


def nobody(_order: Order, _case: int) -> str | None:
    """Knows of no case that has left the queue."""
    return None


def left_lane(asked: Filter) -> Lane | None:
    """The lane in which the page before ended; None on the first, and in another order."""
    return _LANES.get(asked.after.partition(_JOINT)[0]) if order_of(asked) is Order.LANE else None
