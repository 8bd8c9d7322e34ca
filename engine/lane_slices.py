"""Slices of a person's queue: from where the rows of one lane and one right come, as SQL with its parameters. Pure.

A queue is several slices, for rows come from the lanes as they are kept, and from those whom others' steps keep apart
(`lane_hand`). What is asked of them, and counted, is in `engine.lane_queries`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from engine.lanes import Lane
from engine.store.students import below
from engine.trail.event import moment

APART = "distinct-persons"
"""The engine's own rule by which nobody takes two steps that are kept apart."""


class Order(StrEnum):
    """In which order a queue is shown; behind each stands the case's number, so that there are no ties."""

    LANE = "lane"
    DUE = "due"
    ENTERED = "entered"
    UNIT = "unit"
    NUMBER = "number"
    PINYIN = "pinyin"


KEYS: Mapping[Order, tuple[str, ...]] = {
    Order.LANE: ("lane", "due_at", "case_id"),
    Order.DUE: ("due_at", "case_id"),
    Order.ENTERED: ("entered_at", "case_id"),
    Order.UNIT: ("path", "due_at", "case_id"),
    Order.NUMBER: ("student_no", "case_id"),
    Order.PINYIN: ("pinyin", "case_id"),
}

Cursor = tuple[object, ...]
"""Where a page ends: the values by which it is ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What of a queue is wanted; what is None or empty takes nothing out.

    Attributes:
        workflow: A workflow or list.
        state: A state of it.
        batch: A batch.
        path: The path of a unit: cases there and below.
        lane: One lane.
        rule: A rule that stands in the way, `APART` included.
        caution: A caution by its id, with or without the fact it is about.
        due_by: Due until then.
        facts: What is known of the student, such as `level` and `cohort`, as text.
        cases: These cases only.
    """

    workflow: str | None = None
    state: str | None = None
    batch: str | None = None
    path: str | None = None
    lane: Lane | None = None
    rule: str | None = None
    caution: str | None = None
    due_by: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    cases: Sequence[int] | None = None


EVERYTHING = Filter()


class Part(NamedTuple):
    """A piece of SQL with its parameters."""

    sql: str
    params: tuple[object, ...] = ()


class Right(NamedTuple):
    """In what right cases wait for a person: a role at a unit and below, perhaps lent, perhaps for one case.

    `people` are the person, and who lends; `gone` are cases handed over to somebody else for good (转办).
    """

    role: str
    path: str
    case: int | None
    people: tuple[str, ...]
    gone: tuple[int, ...] = ()

    def where(self, alias: str, *, walked: bool = False) -> Part:
        """The condition on a row of `lane`; where it is `walked` in order, no index by unit is to be used."""
        at = f"({alias}.at_path || '')" if walked else f"{alias}.at_path"
        text = f"{alias}.role = ? AND {at} >= ? AND {at} < ?"
        params: tuple[object, ...] = (self.role, *below(self.path))
        if len(self.people) > 1:
            text += f" AND NOT {alias}.in_person"
        if self.case is not None:
            text, params = f"{text} AND {alias}.case_id = ?", (*params, self.case)
        if self.gone:
            text, params = f"{text} AND {alias}.case_id NOT IN ({marks_of(self.gone)})", (*params, *self.gone)
        return Part(text, params)


class Slice(NamedTuple):
    """Cases that stand in one lane for a person in one right (its place): where their rows come from, and which."""

    shown: Lane
    held: int
    source: str
    where: Part

    def body(self, also: Part, *, with_student: bool = False) -> Part:
        """What follows the columns of a SELECT."""
        join = " JOIN cases c ON c.id = l.case_id LEFT JOIN student s ON s.id = c.student" if with_student else ""
        where = all_of(self.where, also)
        return Part(f"FROM {self.source}{join} WHERE {where.sql}", where.params)


NO_MORE = Part("")
"""No further condition."""

Walked = Callable[[int, Lane], bool]
"""Whether a lane of a right is walked in order instead of being read by its units."""


class Slices:
    """The slices of one person's queue.

    Args:
        rights: In which cases can wait for the person.
        find: The database's function that says where a text stands in another.
    """

    def __init__(self, rights: Sequence[Right], find: str) -> None:
        self._rights = rights
        self._find = find

    def shown(self, wanted: Filter, walked: Walked = lambda *_: False) -> Iterator[Slice]:
        """Everything that is wanted, as the person stands before it."""
        for one in self.stored(wanted, walked):
            kept = self._is_apart(one.held)
            yield one if one.shown is Lane.BLOCKED else one._replace(where=all_of(one.where, negated(kept)))
        if wanted.lane in (None, Lane.BLOCKED):
            more = Part("l.lane > 0") if wanted.rule is None else NO_MORE
            yield from (one._replace(where=all_of(one.where, more)) for one in self.hands(wanted))

    def stored(self, wanted: Filter, walked: Walked = lambda *_: False) -> Iterator[Slice]:
        """What is wanted lane by lane as the rows say, whoever is kept apart; nothing where that alone is wanted."""
        narrowed = self._narrowed(wanted)
        for held, right in enumerate(self._rights if wanted.rule != APART else ()):
            for lane in Lane if wanted.lane is None else (wanted.lane,):
                here = right.where("l", walked=walked(held, lane))
                yield Slice(
                    lane, held, "lane l", all_of(here, Part("l.lane = ?", (lane.value,)), self._once(held), narrowed)
                )

    def hands(self, wanted: Filter) -> Iterator[Slice]:
        """What others' steps keep the person from, in whichever lane it stands for others."""
        narrowed = self._narrowed(replace(wanted, rule=None))
        for held, right in enumerate(self._rights if wanted.rule in (None, APART) else ()):
            for place, person in enumerate(right.people):
                own = Part("h.login = ?", (person,))
                once = [negated(self._names(one)) for one in right.people[:place]]
                where = (own, right.where("l"), self._names(person), *once, self._once(held), narrowed)
                yield Slice(Lane.BLOCKED, held, "lane_hand h JOIN lane l ON l.case_id = h.case_id", all_of(*where))

    def _names(self, person: str) -> Part:
        """The condition that a row names somebody as kept apart."""
        return Part(f"({self._find}(coalesce(l.apart, ''), ?) > 0)", (f"|{person}|",))

    def _is_apart(self, held: int) -> Part:
        """The condition that the person, or who lends the right, is kept apart."""
        names = [self._names(one) for one in self._rights[held].people]
        return Part(" OR ".join(one.sql for one in names), tuple(value for one in names for value in one.params))

    def _once(self, held: int) -> Part:
        """The condition that no other row of the case, and no right before this one, has the case in the queue."""
        others = [right.where("o") for right in self._rights]
        earlier = [negated(one.where("l")) for one in self._rights[:held] if one.role == self._rights[held].role]
        any_right = " OR ".join(f"({one.sql})" for one in others)
        text = (
            "(l.leads OR NOT EXISTS (SELECT 1 FROM lane o WHERE o.case_id = l.case_id"  # noqa: S608 built here
            f" AND (o.leads OR (o.role, o.at_path) < (l.role, l.at_path)) AND ({any_right})))"
        )
        return all_of(Part(text, tuple(value for one in others for value in one.params)), *earlier)

    def _narrowed(self, wanted: Filter) -> Part:
        """The condition of a filter, but for the lane."""
        plain = {"l.workflow": wanted.workflow, "l.state": wanted.state, "l.batch": wanted.batch}
        parts = [Part(f"{column} = ?", (value,)) for column, value in plain.items() if value is not None]
        if wanted.path is not None:
            parts.append(Part("l.path >= ? AND l.path < ?", below(wanted.path)))
        if wanted.rule is not None and wanted.rule != APART:
            parts.append(Part(f"{self._find}(coalesce(l.hindrances, ''), ?) > 0", (f"|{wanted.rule}=",)))
        if wanted.caution is not None:
            end = "|" if "." in wanted.caution else ""
            parts.append(Part(f"{self._find}(coalesce(l.cautions, ''), ?) > 0", (f"|{wanted.caution}{end}",)))
        if wanted.due_by is not None:
            parts.append(Part("l.due_at <= ?", (moment(wanted.due_by),)))
        if wanted.cases is not None:
            parts.append(
                Part(f"l.case_id IN ({marks_of(wanted.cases)})" if wanted.cases else "1 = 0", tuple(wanted.cases))
            )
        parts += [_fact(name, value, self._find) for name, value in wanted.facts.items()]
        return all_of(*parts)


def _fact(name: str, value: str, find: str) -> Part:
    """The condition that something is known of the student, as text."""
    is_sqlite = find == "instr"
    said = "CAST(f.facts ->> ? AS text)" if is_sqlite else "CAST(f.facts AS json) ->> CAST(? AS text)"
    text = "EXISTS (SELECT 1 FROM cases a JOIN student f ON f.id = a.student WHERE a.id = l.case_id AND {} = ?)"
    return Part(text.format(said), (f"$.{name}" if is_sqlite else name, value))


class Walk(NamedTuple):
    """A walk through a queue in an order, from a place on (None: the beginning), forwards or back."""

    order: Order
    start: Cursor | None
    limit: int
    is_back: bool = False

    def reaches(self, lane: Lane) -> bool:
        """Whether cases of a lane can come behind the place."""
        if self.order is not Order.LANE or self.start is None:
            return True
        at = Lane(int(str(self.start[0])))
        return lane <= at if self.is_back else lane >= at

    def behind(self, lane: Lane) -> Part:
        """The condition that a row of a lane comes behind the place."""
        if self.start is None or (self.order is Order.LANE and int(str(self.start[0])) != lane):
            return Part("1 = 1")
        columns, values = self.columns, self.start[-len(self.columns) :]
        sign = "<" if self.is_back else ">"
        return Part(f"({', '.join(columns)}) {sign} ({marks_of(values)})", tuple(values))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that order the rows of one lane."""
        names = (name for name in KEYS[self.order] if name != "lane")
        return tuple("coalesce(s.student_no, '')" if name == "student_no" else f"l.{name}" for name in names)


def all_of(*parts: Part) -> Part:
    """The condition that all of them hold."""
    kept = [one for one in parts if one.sql]
    return Part(" AND ".join(one.sql for one in kept), tuple(value for one in kept for value in one.params))


def negated(part: Part) -> Part:
    """The condition that it does not hold."""
    return Part(f"NOT ({part.sql})", part.params)


def marks_of(many: Sequence[object]) -> str:
    """A question mark for each."""
    return ",".join("?" * len(many))
