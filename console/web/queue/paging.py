"""In which order a queue is shown, and where a page of it ends, as addresses say it.

An address has the values by which the last case of the page is ordered, so that the next page goes on there whether or
not that case still waits. Nothing personal is among them: by student number or 姓名拼音 it has the case, and beside it
a mark under the key of the house by which is seen whether that place is still the one that was left.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
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
_DIGITS = 12
_LANES: Mapping[str, Lane] = {str(int(one)): one for one in Lane}


def order_of(asked: Filter) -> Order:
    """The order that a filter asks for."""
    return Order(asked.sort or Order.LANE)


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Where pages end, as the addresses of one house say it.

    Attributes:
        key: The secret of the house under which what is personal is marked.
        gone: By what personal a case that waits no more has its place.
    """

    key: bytes = field(repr=False)
    gone: Gone
    _read: dict[tuple[Order, str], Cursor | None] = field(default_factory=dict, init=False)

    def after(self, asked: Filter, last: Placed) -> str:
        """Where a page ends whose last case that is."""
        *values, _ = ORDERS[order_of(asked)](last)
        if order_of(asked) in _PERSONAL:
            told = [self._mark(values[0], last.case)]
        else:
            told = [str(int(one)) if isinstance(one, Lane) else str(one) for one in values]
        return _JOINT.join([*told, case_number(last.case)])

    def of(self, asked: Filter, find: Callable[[int], Placed | None]) -> Cursor | None:
        """Where the page before ended, as `after` said it; None where nothing such was said, or that place is no more.

        By what is personal the case is looked for in the queue (`find`), then among those that have left it (`gone`),
        once for each request: where it is called otherwise by now, nobody can say what stood behind it.
        """
        known = order_of(asked), asked.after
        if known not in self._read:
            self._read[known] = self._place(asked, find)
        return self._read[known]

    def _place(self, asked: Filter, find: Callable[[int], Placed | None]) -> Cursor | None:
        *values, number = asked.after.split(_JOINT)
        order, case = order_of(asked), case_of(number)
        if case is None or len(values) != len(KEYS[order]) - 1:
            return None
        if order is Order.LANE:
            return (_LANES[values[0]], values[1], case) if values[0] in _LANES else None
        if order not in _PERSONAL:
            return (*values, case)
        standing = find(case)
        value = self.gone(order, case) if standing is None else ORDERS[order](standing)[0]
        is_there = value is not None and hmac.compare_digest(self._mark(value, case).encode(), values[0].encode())
        return (value, case) if is_there else None

    def _mark(self, value: object, case: int) -> str:
        """By what the value is known again that a case has its place by, and by nobody without the key."""
        said = f"{case}\n{value}".encode()
        return hmac.new(sha256(b"xueji place in a queue\n" + self.key).digest(), said, sha256).hexdigest()[:_DIGITS]


def left_lane(asked: Filter) -> Lane | None:
    """The lane in which the page before ended; None on the first, and in another order."""
    return _LANES.get(asked.after.partition(_JOINT)[0]) if order_of(asked) is Order.LANE else None
