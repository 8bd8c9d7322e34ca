"""A person's queue, read from the lanes: counted, grouped, and page by page, however many cases there are.

Rule 1: a lane is one person's. Where others' steps keep the person from a case, it is blocked for them, whatever its
rules say: somebody else has to be asked (G-SG-08).
Rule 2: a case is in a queue once: by the row that leads, where several of its rows wait for the same person.
Rule 3: numbers are exact up to `CAP`; one that is higher says only that.

Source: console.md 6 (Lanes, Counts, Lists).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.actors import Actor
from engine.lane_slices import APART, KEYS, NO_MORE, Cursor, Filter, Order, Part, Right, Slice, Slices, Walk
from engine.lanes import Lane
from engine.records import Outcome
from engine.store.database import Connection, Row
from engine.store.delegations import handed_over
from engine.store.lanes import COLUMNS, read
from engine.store.lanes import Lane as LaneRow
from engine.trail.event import moment

CAP = 10_000
"""Up to here numbers are exact."""
PAGE = 50
_NARROW = 2_000
"""A lane with fewer cases is read by its units and put in order; a longer one is walked till a page is full."""
_WALKED = (Order.LANE, Order.DUE, Order.PINYIN)
"""The orders in which a long lane can be walked: each has its index."""
_ROW = ", ".join(f"l.{name}" for name in COLUMNS.split(", "))
EVERYTHING = Filter()


class Placed(NamedTuple):
    """One case in a person's queue.

    Attributes:
        row: Its row.
        lane: The lane it stands in for the person.
        key: The values by which it is ordered.
        is_apart: Others' steps keep the person from it.
    """

    row: LaneRow
    lane: Lane
    key: Cursor
    is_apart: bool

    @property
    def case(self) -> int:
        """The case."""
        return self.row.case

    @property
    def hindrances(self) -> Mapping[str, Outcome]:
        """The rules that stand in the way, by name; that the person is kept apart comes first."""
        found = against(self.row.hindrances)
        return {APART: Outcome.FAILS, **found} if self.is_apart else found

    @property
    def cautions(self) -> tuple[str, ...]:
        """The ids of what is to be looked at."""
        return tuple(words(self.row.cautions))


class Page(NamedTuple):
    """A page of a queue; `after` is where the next one begins, None on the last."""

    rows: tuple[Placed, ...]
    after: Cursor | None


class Hindrance(NamedTuple):
    """One rule that holds cases up: how many, and of how many it is the only one."""

    rule: str
    cases: int
    sole: int


class Kind(NamedTuple):
    """What a case is of: its workflow or list, its state there, its batch if it has one, and the path of its unit."""

    workflow: str
    state: str
    batch: str | None
    path: str


class Place(NamedTuple):
    """Where a case is in a queue: its place from 1 (beyond `CAP`: `CAP` + 1), and its neighbours."""

    number: int
    previous: Placed | None
    next: Placed | None


def kind_of(row: LaneRow) -> Kind:
    """What a case is of, by its row."""
    return Kind(row.workflow, row.state, row.batch, row.path)


def words(barred: str | None) -> list[str]:
    """What stands between bars."""
    return [word for word in (barred or "").split("|") if word]


def against(hindrances: str | None) -> dict[str, Outcome]:
    """The rules that stand in the way, by name, as a row keeps them."""
    pairs = (one.partition("=") for one in words(hindrances))
    return {name: Outcome(int(outcome)) for name, _, outcome in pairs}


def rights_of(connection: Connection, actor: Actor, at: datetime) -> tuple[Right, ...]:
    """The rights in which cases can wait for a person, each once: their own, then those lent while they run."""
    lent = [one for one in actor.lent_at(moment(at)) if one.giver is not None]
    roles = tuple(dict.fromkeys(one.role for one in (*actor.grants, *lent)))
    own_cases = _own_cases(connection, actor)
    handed = handed_over(connection, roles)
    found: dict[Right, None] = {}
    for grant in (*actor.grants, *lent):
        if grant.role == "student" and grant.case is None:
            continue
        people = (actor.login,) if grant.giver is None else (actor.login, grant.giver)
        gone = {case for (case, role), taker in handed.items() if role == grant.role and taker not in people}
        found[Right(grant.role, grant.path, grant.case, people, tuple(sorted(gone | own_cases)))] = None
    return tuple(found)


def _own_cases(connection: Connection, actor: Actor) -> set[int]:
    """The cases about the person, which others decide."""
    if actor.student is None:
        return set()
    rows = connection.execute("SELECT id FROM cases WHERE student = ?", (actor.student,)).fetchall()
    return {int(row[0]) for row in rows}


class Lengths:
    """Which lanes of which rights are long, remembered for a while: it says how they are walked, and nothing else."""

    def __init__(self) -> None:
        self._known: dict[tuple[Right, ...], tuple[datetime, frozenset[tuple[int, int]]]] = {}

    def of(
        self, rights: tuple[Right, ...], at: datetime, find: Callable[[], frozenset[tuple[int, int]]]
    ) -> frozenset[tuple[int, int]]:
        """Those found a short while before a moment, or found now."""
        known = self._known.get(rights)
        if known is None or not timedelta() <= at - known[0] < _REMEMBERED:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[rights] = (at, find())
        return known[1]


_REMEMBERED = timedelta(minutes=5)
_MOST_REMEMBERED = 1_000
"""People whose lanes are remembered."""


class Queue:
    """What waits for a person now.

    Args:
        connection: Where the cases are.
        actor: The person, with the rights held now.
        at: Now; what was lent until before then counts no more.
        lengths: What is remembered of how long the lanes are.
    """

    def __init__(self, connection: Connection, actor: Actor, at: datetime, lengths: Lengths | None = None) -> None:
        self._connection = connection
        self._at = at
        self._rights = rights_of(connection, actor, at)
        self._slices = Slices(self._rights, "instr" if connection.is_sqlite else "strpos")
        self._lengths = Lengths() if lengths is None else lengths

    def counts(self, wanted: Filter = EVERYTHING) -> dict[Lane, int]:
        """How many cases stand in each lane, whichever lane is wanted; more than `CAP` are `CAP` + 1."""
        every = replace(wanted, lane=None)
        apart = self._apart(every)
        found = dict.fromkeys(Lane, 0)
        for lane, number in self._all(
            _counted(one, CAP + 1 + apart[one.shown], place) for place, one in enumerate(self._slices.stored(every))
        ):
            found[Lane(lane)] += number
        if wanted.rule == APART:
            return {**found, Lane.BLOCKED: min(apart.total(), CAP + 1)}
        for lane in (Lane.LOOK, Lane.READY):
            found[lane] -= apart[lane]
            found[Lane.BLOCKED] += apart[lane]
        return {lane: min(number, CAP + 1) for lane, number in found.items()}

    def total(self) -> int:
        """How many cases wait, in whichever lane; in one statement, for others' steps change the lane and no number."""
        parts = (_counted(one, CAP + 1, place) for place, one in enumerate(self._slices.stored(EVERYTHING)))
        return min(sum(int(number) for _, number in self._all(parts)), CAP + 1)

    def page(
        self, wanted: Filter = EVERYTHING, order: Order = Order.LANE, after: Cursor | None = None, limit: int = PAGE
    ) -> Page:
        """The cases behind a place in the order, at most `limit`."""
        rows = self._read(wanted, Walk(order, after, limit + 1))
        return Page(tuple(rows[:limit]), rows[limit - 1].key if len(rows) > limit else None)

    def before(self, place: Cursor, wanted: Filter, order: Order, limit: int) -> tuple[Placed, ...]:
        """The cases before a place in the order, the nearest first, at most `limit`."""
        return tuple(self._read(wanted, Walk(order, place, limit, is_back=True)))

    def find(self, case: int, wanted: Filter = EVERYTHING, order: Order = Order.LANE) -> Placed | None:
        """A case as it stands for the person; None where it is not among those wanted."""
        return next(iter(self._read(replace(wanted, cases=(case,)), Walk(order, None, 1))), None)

    def neighbours(self, case: int, wanted: Filter = EVERYTHING, order: Order = Order.LANE) -> Place | None:
        """Where a case is among those that are wanted; None where it is not among them."""
        found = self.find(case, wanted, order)
        if found is None:
            return None
        [before, behind] = [self._read(wanted, Walk(order, found.key, 1, is_back=back)) for back in (True, False)]
        walk = Walk(order, found.key, CAP, is_back=True)
        parts = [
            _counted(one, CAP, place, walk.behind(one.shown))
            for place, one in enumerate(self._slices.shown(wanted))
            if walk.reaches(one.shown)
        ]
        number = min(sum(count for _, count in self._all(parts)), CAP) + 1
        return Place(number, before[0] if before else None, behind[0] if behind else None)

    def hindrances(self, wanted: Filter = EVERYTHING) -> tuple[Hindrance, ...]:
        """What holds cases up, of the first `CAP` that are blocked; what is most often missing first."""
        bodies = (one.body(NO_MORE) for one in self._slices.stored(replace(wanted, lane=Lane.BLOCKED)))
        texts = Counter[str]()
        for text, number in self._all(_grouped(body, place) for place, body in enumerate(bodies)):
            texts[str(text)] += number
        cases, sole = Counter[str](), Counter[str]()
        for text, number in texts.items():
            rules = against(text)
            cases.update(dict.fromkeys(rules, number))
            sole.update(dict.fromkeys(rules, number) if len(rules) == 1 else {})
        apart = self._apart(replace(wanted, lane=None))
        if apart:
            cases[APART], sole[APART] = apart.total(), apart.total() - apart[Lane.BLOCKED]
        return tuple(Hindrance(rule, number, sole[rule]) for rule, number in cases.most_common())

    def by_unit(self, wanted: Filter = EVERYTHING) -> dict[str, Counter[Lane]]:
        """How many cases wait in each lane at each unit, by the path of the unit; not capped."""
        found: dict[str, Counter[Lane]] = {}
        bodies = ((one.shown, one.body(NO_MORE)) for one in self._slices.shown(wanted))
        for shown, path, number in self._all(
            Part(f"SELECT {lane.value}, l.path, count(*) {body.sql} GROUP BY l.path", body.params)
            for lane, body in bodies
        ):
            found.setdefault(str(path), Counter())[Lane(shown)] += number
        return found

    def kinds(self) -> Counter[Kind]:
        """How many cases of each kind wait, in whichever lane; not capped."""
        found = Counter[Kind]()
        columns = ", ".join(f"l.{name}" for name in Kind._fields)
        bodies = (one.body(NO_MORE) for one in self._slices.stored(EVERYTHING))
        parts = [Part(f"SELECT {columns}, count(*) {one.sql} GROUP BY {columns}", one.params) for one in bodies]
        for *kind, number in self._all(parts):
            found[Kind(*kind)] += number
        return found

    def _apart(self, wanted: Filter) -> Counter[Lane]:
        """How many cases others' steps keep the person from, by the lane in which they stand for others."""
        bodies = (one.body(NO_MORE) for one in self._slices.hands(wanted))
        rows = self._all(Part(f"SELECT l.lane, count(*) {one.sql} GROUP BY l.lane", one.params) for one in bodies)
        found = Counter[Lane]()
        for lane, number in rows:
            found[Lane(lane)] += number
        return found

    def _read(self, wanted: Filter, walk: Walk) -> list[Placed]:
        """The next rows of a walk through what is wanted."""
        is_in_order = walk.order in _WALKED and wanted.cases is None
        slices = self._slices.shown(wanted, self._is_long if is_in_order else lambda *_: False)
        parts = [_page_part(one, walk, place) for place, one in enumerate(slices) if walk.reaches(one.shown)]
        found = [self._placed(row, walk.order) for row in self._all(parts)]
        return sorted(found, key=lambda one: one.key, reverse=walk.is_back)[: walk.limit]

    def _is_long(self, held: int, lane: Lane) -> bool:
        """Whether a lane has so many cases that it is walked: SQLite would put all of them in order for one page."""
        if not self._connection.is_sqlite:
            return False
        return (held, lane.value) in self._lengths.of(self._rights, self._at, self._long)

    def _long(self) -> frozenset[tuple[int, int]]:
        """The lanes of each right that have more than a few cases."""
        parts = [
            Part(
                f"SELECT {place}, {one.value}, count(*) FROM (SELECT 1 FROM lane l WHERE l.lane = ? AND {here.sql}"  # noqa: S608
                " LIMIT ?)",
                (one.value, *here.params, _NARROW + 1),
            )
            for place, here in enumerate(right.where("l") for right in self._rights)
            for one in Lane
        ]
        return frozenset((place, one) for place, one, number in self._all(parts) if number > _NARROW)

    def _placed(self, row: Row, order: Order) -> Placed:
        shown, held, number, *columns = row
        one = read(tuple(columns))
        named = {**one._asdict(), "lane": shown, "case_id": one.case, "student_no": number}
        is_apart = any(f"|{person}|" in (one.apart or "") for person in self._rights[held].people)
        return Placed(one, Lane(shown), tuple(named[name] for name in KEYS[order]), is_apart)

    def _all(self, parts: Iterable[Part]) -> Iterator[Row]:
        """The rows of all parts, in one statement."""
        many = list(parts)
        if not many:
            return iter(())
        sql = " UNION ALL ".join(one.sql for one in many)
        return iter(self._connection.execute(sql, tuple(value for one in many for value in one.params)).fetchall())


def _counted(one: Slice, limit: int, place: int, also: Part = NO_MORE) -> Part:
    """How many there are, at most so many."""
    body = one.body(also, with_student="s.student_no" in also.sql)
    text = f"SELECT {one.shown.value}, count(*) FROM (SELECT 1 {body.sql} LIMIT ?) n{place}"  # noqa: S608 built here
    return Part(text, (*body.params, limit))


def _grouped(body: Part, place: int) -> Part:
    """How many there are for each text of what stands in the way, of the first `CAP`."""
    inner = f"SELECT l.hindrances {body.sql} LIMIT ?"
    return Part(f"SELECT hindrances, count(*) FROM ({inner}) b{place} GROUP BY hindrances", (*body.params, CAP))  # noqa: S608


def _page_part(one: Slice, walk: Walk, place: int) -> Part:
    """The next rows of a slice."""
    by_number = walk.order is Order.NUMBER
    number = "coalesce(s.student_no, '')" if by_number else "''"
    body = one.body(walk.behind(one.shown), with_student=by_number)
    turn = " DESC" if walk.is_back else ""
    order = ", ".join(f"{column}{turn}" for column in walk.columns)
    text = (
        f"SELECT * FROM (SELECT {one.shown.value} AS shown, {one.held} AS held,"  # noqa: S608 built here
        f" {number} AS student_no, {_ROW} {body.sql} ORDER BY {order} LIMIT ?) r{place}"
    )
    return Part(text, (*body.params, walk.limit))
