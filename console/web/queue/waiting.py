"""What waits for a person under a filter: a short queue is read once and sorted here, a long one asked of the database.

Both answer the same questions with the same numbers (`engine.lane_queries`); most people's queues are short, and a page
of one costs one statement instead of eight.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from hashlib import sha256
from itertools import takewhile
from typing import NamedTuple, TypeAlias

from console.web.queue.filtering import LANES, Filter, Sort
from console.web.queue.paging import ORDERS, Ends, order_of
from console.web.visit import Visit
from engine.lane_queries import Hindrance, Kind, Placed, Queue, kind_of
from engine.lane_slices import Cursor, Order
from engine.lane_slices import Filter as Wanted
from engine.lanes import Lane
from engine.store import desk_work, looks
from engine.store.cases import read_cases
from engine.trail.event import moment

PAGE = 50
FOLDED = 20
"""So many of the blocked stand on a page of all lanes, folded: they never push aside what can be done."""
SHORT = 1_000
"""Up to so many cases are sorted and counted here."""
_TOGETHER = 200
"""So many named cases are looked for in one statement, which names each once for every right and lane."""


class Place(NamedTuple):
    """Where a case is in the queue: its place from 1, of how many, and its neighbours."""

    number: int
    of: int
    previous: Placed | None
    next: Placed | None


@dataclass(frozen=True, kw_only=True)
class Short:
    """A queue that was read as a whole, each case once."""

    every: tuple[Placed, ...]
    ends: Ends
    own: frozenset[int] = frozenset()

    @cached_property
    def _by_case(self) -> Mapping[int, Placed]:
        return {one.case: one for one in self.every}

    @property
    def total(self) -> int:
        """How many there are, whatever is shown."""
        return len(self.every)

    def standing(self, case: int) -> Placed | None:
        """A case as it stands for the person."""
        return self._by_case.get(case)

    def standings(self, cases: Collection[int]) -> Mapping[int, Placed]:
        """Those of some cases that wait for the person, as they stand, by number."""
        return {case: one for case in cases if (one := self._by_case.get(case)) is not None}

    def counts(self, asked: Filter) -> Counter[Lane]:
        """How many stand in each lane under a filter, whichever of them is shown."""
        return Counter(one.lane for one in self.chosen(asked.with_(lane="")))

    @cached_property
    def _chosen(self) -> dict[Filter, tuple[Placed, ...]]:
        return {}

    def chosen(self, asked: Filter) -> tuple[Placed, ...]:
        """Those a filter shows, in its order; put in order once."""
        asked = asked.with_(case="", after="")
        if asked not in self._chosen:
            self._chosen[asked] = self._choose(asked)
        return self._chosen[asked]

    def _choose(self, asked: Filter) -> tuple[Placed, ...]:
        tests = list(_tests(asked, self.own))
        found = [one for one in self.every if all(test(one) for test in tests)]
        return tuple(sorted(found, key=ORDERS[order_of(asked)]))

    def page(self, asked: Filter) -> tuple[Sequence[Placed], str]:
        """The page behind the case a filter names, and behind which the next one begins; nothing on the last."""
        chosen, end = self.chosen(asked), self.end(asked)
        first = 0 if end is None else bisect_right(chosen, end, key=ORDERS[order_of(asked)])
        page = chosen[first : first + PAGE]
        return page, self.ends.after(asked, page[-1]) if first + PAGE < len(chosen) else ""

    def end(self, asked: Filter) -> Cursor | None:
        """Where the page before ended; None where that place is none, or is no more."""
        return self.ends.of(asked, self.standing)

    def pages(self, asked: Filter) -> Iterator[Sequence[Placed]]:
        """All that a filter shows, a page at a time."""
        chosen = self.chosen(asked)
        return (chosen[at : at + PAGE] for at in range(0, len(chosen), PAGE))

    def workable(self, asked: Filter, most: int) -> tuple[Sequence[Placed], str]:
        """The first that are not blocked, and behind which the next page begins; nothing on the last."""
        chosen = [one for one in self.chosen(asked) if one.lane is not Lane.BLOCKED]
        return chosen[:most], self.ends.after(asked, chosen[most - 1]) if most < len(chosen) else ""

    def before(self, asked: Filter, first: Placed) -> Sequence[Placed]:
        """A page of those that stand before a case, and one more; the nearest first."""
        ahead = list(takewhile(lambda one: one.case != first.case, self.chosen(asked)))
        return ahead[::-1][: PAGE + 1]

    def holdups(self, asked: Filter) -> tuple[Hindrance, ...]:
        """What holds cases up, what is most often missing first."""
        cases, sole = Counter[str](), Counter[str]()
        for one in self.chosen(asked.with_(lane="blocked")):
            cases.update([*one.hindrances])
            sole.update([*one.hindrances] if len(one.hindrances) == 1 else [])
        return tuple(Hindrance(rule, number, sole[rule]) for rule, number in cases.most_common())

    def place(self, asked: Filter, case: int) -> Place | None:
        """Where a case is among those a filter shows; None where it is not among them."""
        chosen = self.chosen(asked)
        numbers = {one.case: number for number, one in enumerate(chosen)}
        at = numbers.get(case)
        if at is None:
            return None
        following = chosen[at + 1] if at + 1 < len(chosen) else None
        return Place(at + 1, len(chosen), chosen[at - 1] if at else None, following)

    def behind(self, asked: Filter, left: Placed) -> Sequence[Placed]:
        """What stands behind a case in the order of the list, whether or not it is still in it."""
        whole = replace(self, every=(*self.without(left.case).every, left)).chosen(asked)
        places = {one.case: place for place, one in enumerate(whole)}
        return whole[places.get(left.case, -1) + 1 :]

    def by_unit(self, cases: Collection[int] | None = None) -> dict[str, Counter[Lane]]:
        """How many stand in each lane at each unit, by the path of the unit; of some cases, or of all."""
        found: dict[str, Counter[Lane]] = {}
        for one in self.every:
            if cases is None or one.case in cases:
                found.setdefault(one.row.path, Counter())[one.lane] += 1
        return found

    def kinds(self) -> Counter[Kind]:
        """How many there are of each kind."""
        return Counter(kind_of(one.row) for one in self.every)

    def without(self, case: int) -> Short:
        """The same once a case waits no more."""
        return replace(self, every=tuple(one for one in self.every if one.case != case))

    def mark(self) -> str:
        """A mark of what waits, that is another when anything has come, gone or changed its lane."""
        told = sorted(f"{one.case} {one.lane} {one.row.judged_at}" for one in self.every)
        return sha256("\n".join(told).encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Long:
    """A queue too long to be read as a whole; `paths` are those of units, `own` the cases the person is at.

    What was asked once is not asked again, until something has been done (`without`). `begins` are the first of them by
    lanes, as far as they were read to see how long it is.
    """

    queue: Queue
    paths: Mapping[str, str]
    own: frozenset[int] = frozenset()
    begins: Sequence[Placed] = ()
    ends: Ends
    _standing: dict[int, Placed | None] = field(default_factory=dict, init=False)
    _counts: dict[Filter, Counter[Lane]] = field(default_factory=dict, init=False)
    _places: dict[tuple[Filter, int], Place | None] = field(default_factory=dict, init=False)

    @cached_property
    def total(self) -> int:
        """How many there are, whatever is shown; as far as they are counted."""
        return self.counts(Filter()).total()

    def standing(self, case: int) -> Placed | None:
        """A case as it stands for the person."""
        if case not in self._standing:
            self._standing[case] = self.queue.find(case)
        return self._standing[case]

    def standings(self, cases: Collection[int]) -> Mapping[int, Placed]:
        """Those of some cases that wait for the person, as they stand, by number."""
        found: dict[int, Placed] = {}
        asked = sorted(set(cases))
        for start in range(0, len(asked), _TOGETHER):
            part = asked[start : start + _TOGETHER]
            rows = self.queue.page(Wanted(cases=part), Order.LANE, None, len(part)).rows
            found |= {one.case: one for one in rows}
        return found

    def counts(self, asked: Filter) -> Counter[Lane]:
        """How many stand in each lane under a filter, whichever of them is shown."""
        asked = asked.with_(lane="", sort="", after="", case="")
        if asked not in self._counts:
            self._counts[asked] = Counter(self.queue.counts(self._wanted(asked)))
        return self._counts[asked]

    def page(self, asked: Filter) -> tuple[Sequence[Placed], str]:
        """The page behind the case a filter names, and behind which the next one begins; nothing on the last."""
        known = self._known(asked)
        if len(known) > PAGE:
            return known[:PAGE], self.ends.after(asked, known[PAGE - 1])
        found = self.queue.page(self._wanted(asked), order_of(asked), self.end(asked), PAGE)
        self._remember(asked, found.rows)
        return found.rows, "" if found.after is None else self.ends.after(asked, found.rows[-1])

    def end(self, asked: Filter) -> Cursor | None:
        """Where the page before ended; None where that place is none, or is no more."""
        return self.ends.of(asked, lambda case: self.queue.find(case, order=order_of(asked)))

    def pages(self, asked: Filter) -> Iterator[Sequence[Placed]]:
        """All that a filter shows, each once, a page at a time: it goes on behind the last row that was read."""
        after: Cursor | None = None
        told = set[int]()
        while True:
            found = self.queue.page(self._wanted(asked), order_of(asked), after, PAGE)
            yield [one for one in found.rows if one.case not in told]
            told.update(one.case for one in found.rows)
            if (after := found.after) is None:
                return

    def workable(self, asked: Filter, most: int) -> tuple[Sequence[Placed], str]:
        """The first that are not blocked, and behind which the next page begins; nothing on the last."""
        known = [one for one in self._known(asked.with_(after="")) if one.lane is not Lane.BLOCKED]
        if len(known) > most:
            return known[:most], self.ends.after(asked, known[most - 1])
        found = self.queue.page(self._wanted(asked), Order.LANE, _NOT_BLOCKED, most)
        self._remember(asked, found.rows)
        return found.rows, "" if found.after is None else self.ends.after(asked, found.rows[-1])

    def _known(self, asked: Filter) -> Sequence[Placed]:
        """What was read already of a page of all lanes."""
        is_everything = asked.with_(sort="", case="") == Filter() and order_of(asked) is Order.LANE
        self._remember(asked, self.begins if is_everything else ())
        return self.begins if is_everything else ()

    def before(self, asked: Filter, first: Placed) -> Sequence[Placed]:
        """A page of those that stand before a case, and one more; the nearest first."""
        return self.queue.before(first.key, self._wanted(asked), order_of(asked), PAGE + 1)

    def holdups(self, asked: Filter) -> tuple[Hindrance, ...]:
        """What holds cases up, what is most often missing first."""
        return self.queue.hindrances(self._wanted(asked))

    def place(self, asked: Filter, case: int) -> Place | None:
        """Where a case is among those a filter shows; None where it is not among them."""
        asked = asked.with_(after="", case="")
        if (asked, case) not in self._places:
            self._places[asked, case] = self._place(asked, case)
        return self._places[asked, case]

    def _place(self, asked: Filter, case: int) -> Place | None:
        found = self.queue.neighbours(case, self._wanted(asked), order_of(asked))
        if found is None:
            return None
        self._remember(asked, [one for one in (found.previous, found.next) if one is not None])
        counts = self.counts(asked)
        of = counts[LANES[asked.lane]] if asked.lane else counts.total()
        return Place(found.number, of, found.previous, found.next)

    def _remember(self, asked: Filter, rows: Sequence[Placed]) -> None:
        """Rows in the order of the lanes say how each case stands."""
        if order_of(asked) is Order.LANE:
            self._standing.update((one.case, one) for one in rows)

    def behind(self, asked: Filter, left: Placed) -> Sequence[Placed]:
        """What stands behind a case in the order of the list, whether or not it is still in it."""
        order = order_of(asked)
        key = None if order is Order.NUMBER else ORDERS[order](left)  # no row of a lane has the student number
        rows = self.queue.page(self._wanted(asked), order, key, PAGE).rows
        self._remember(asked, rows)
        return rows

    def by_unit(self, cases: Collection[int] | None = None) -> dict[str, Counter[Lane]]:
        """How many stand in each lane at each unit, by the path of the unit; of some cases, or of all."""
        return self.queue.by_unit(Wanted(cases=None if cases is None else sorted(cases)))

    def kinds(self) -> Counter[Kind]:
        """How many there are of each kind."""
        return self.queue.kinds()

    def without(self, case: int) -> Long:  # noqa: ARG002 asked anew each time, it knows
        """The same once a case waits no more."""
        return Long(queue=self.queue, paths=self.paths, own=self.own, ends=self.ends)

    def mark(self) -> str:
        """A mark of what waits; of so many only the numbers."""
        return "-".join(str(self.counts(Filter())[lane]) for lane in Lane)

    def _wanted(self, asked: Filter) -> Wanted:
        """What is asked of the database; at a unit that is none nothing waits."""
        is_nowhere = bool(asked.unit) and asked.unit not in self.paths
        return Wanted(
            workflow=asked.wf or None,
            state=asked.state or None,
            batch=asked.batch or None,
            path=self.paths.get(asked.unit),
            lane=LANES.get(asked.lane),
            rule=asked.rule or None,
            caution=asked.caution or None,
            due_by=asked.due_by,
            facts={name: value for name, value in asked.facts() if value},
            cases=() if is_nowhere else sorted(self.own) if asked.who in _OWN else None,
        )


Waiting: TypeAlias = "Short | Long"


def waiting_for(visit: Visit, asked: Filter) -> Waiting:
    """What waits for whoever visits, to be filtered so."""
    own = _OWN[asked.who](visit) if asked.who in _OWN else ()
    queue = Queue(visit.desk.connection, visit.actor, visit.at, visit.house.lengths)
    ends = Ends(key=visit.office.key, gone=partial(_place_of, visit))
    found = queue.page(order=Order.NUMBER if asked.sort == Sort.NUMBER else Order.LANE, limit=SHORT)
    if found.after is None and not any(value for _, value in asked.facts()):
        return Short(every=found.rows, own=frozenset(own), ends=ends)
    paths = {code: one.path for code, one in visit.desk.units().items()}
    begins = () if asked.sort == Sort.NUMBER else found.rows
    return Long(queue=queue, paths=paths, own=frozenset(own), begins=begins, ends=ends)


def _place_of(visit: Visit, order: Order, case: int) -> str | None:
    """By what of its student a case has its place, waiting or not; None where the person may not know of it."""
    found = read_cases(visit.desk.connection, [case]).get(case)
    if found is None or not visit.visible.sees(found.case):
        return None
    return found.pinyin if order is Order.PINYIN else found.student_no or ""


def opened_by(visit: Visit) -> Sequence[int]:
    """The waiting cases whoever visits has opened since they came."""
    return looks.opened(visit.desk.connection, visit.login, SHORT)


_OWN: Mapping[str, Callable[[Visit], Sequence[int]]] = {
    "me": lambda visit: desk_work.claimed_by(visit.desk.connection, visit.login, visit.at),
    "seen": opened_by,
}
"""What of the queue is a person's own, by how the filter calls it."""


class Listing(NamedTuple):
    """A page of the list as it is shown.

    `after` is where this page ends and the next begins, `before` where the one before this begins (`Ends.after`): empty
    on the last, None on the first. `is_anew` where it is the first because the place to go on from is no more.
    """

    rows: Sequence[Placed]
    after: str
    before: str | None
    is_anew: bool = False


def listing(waiting: Waiting, asked: Filter) -> Listing:
    """A page of what a filter shows; where all lanes are shown the blocked only begin it, the rest is in their own."""
    is_anew = bool(asked.after) and waiting.end(asked) is None
    asked = asked.with_(after="") if is_anew else asked
    rows, after = waiting.page(asked)
    blocked = [one for one in rows if one.lane is Lane.BLOCKED]
    if _is_folded(asked) and len(blocked) > FOLDED:
        others, after = waiting.workable(asked, PAGE - FOLDED)
        rows = [*blocked[:FOLDED], *others]
    return Listing(rows, after, _before(waiting, asked, rows), is_anew)


def _before(waiting: Waiting, asked: Filter, rows: Sequence[Placed]) -> str | None:
    if not asked.after:
        return None
    if not rows:  # all that stood behind is decided
        return ""
    if not (ahead := waiting.before(asked, rows[0])):
        return None
    if _is_folded(asked):  # the first page has more than its share of them
        ahead = list(takewhile(lambda one: one.lane is not Lane.BLOCKED, ahead))
    return waiting.ends.after(asked, ahead[PAGE]) if len(ahead) > PAGE else ""


def _is_folded(asked: Filter) -> bool:
    return not asked.lane and not asked.rule and asked.sort in ("", Sort.LANE)


_NOT_BLOCKED: Cursor = (Lane.LOOK.value, "", 0)
"""Where those begin that are not blocked."""


_Test = Callable[[Placed], bool]


def _tests(asked: Filter, own: frozenset[int]) -> Iterator[_Test]:
    said = {"workflow": asked.wf, "state": asked.state, "batch": asked.batch}
    wanted = {name: value for name, value in said.items() if value}
    if wanted:
        yield lambda one: all(getattr(one.row, name) == value for name, value in wanted.items())
    if asked.unit:
        yield lambda one: f"/{asked.unit}/" in one.row.path
    if asked.rule or asked.caution:
        yield lambda one: asked.rule in ("", *one.hindrances) and asked.caution in ("", *_named(one.cautions))
    if asked.who in _OWN:
        yield lambda one: one.case in own
    if asked.due_by is not None:
        due_by = moment(asked.due_by)
        yield lambda one: one.row.due_at <= due_by
    if asked.lane:
        yield lambda one: one.lane is LANES[asked.lane]


def _named(cautions: Sequence[str]) -> Iterator[str]:
    """What cautions may be called: by their ids, and whichever fact they name."""
    yield from cautions
    yield from (one.partition(".")[0] for one in cautions)
