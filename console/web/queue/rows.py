"""The list of the queue: cases in their lanes, the blocked ones by what holds them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.web.queue.columns import Column, shown, words_of
from console.web.queue.filtering import LANES, Filter, Sort
from console.web.queue.hindering import cautions_of, rule_of, rule_title
from console.web.queue.open_case import lang_of
from console.web.queue.paging import left_lane
from console.web.queue.people import kind_of_list, name_of
from console.web.queue.waiting import Waiting
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.lane_queries import Placed
from engine.lane_slices import APART
from engine.lanes import Lane
from engine.records import case_number
from engine.store.cases import Found
from engine.store.desk_work import Around, Claim, Lying
from engine.trail.event import moment

_NAMES: Mapping[Lane, str] = {lane: name for name, lane in LANES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case in the list; at most one badge is shown beside its words.

    Attributes:
        beside: What stands beside the name: the first of the person's columns.
        words: What stands beneath: which list it is, then the other columns that say something.
        cautions: What is to be looked at, in a word each; none where a column says it.
        claim: Who else is at it.
        is_new: It has come since the person signed in, and they have not opened it yet.
    """

    number: str
    name: str
    beside: str
    words: tuple[str, ...]
    lane: str
    cautions: tuple[str, ...]
    claim: Claim | None
    has_draft: bool
    is_new: bool
    is_late: bool
    is_open: bool
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdup:
    """One thing that holds cases up: how many, who mends it and how, and the address of exactly those cases.

    Attributes:
        is_own: Nobody mends it; another person has to decide.
        first: The number of the first of the cases, `role` the one it waits for.
        told_at: When somebody was last told of it today.
    """

    rule: str
    title: Bilingual
    count: int
    by: Bilingual | None
    remedy: Bilingual | None
    is_own: bool
    address: str
    first: str = ""
    role: str = ""
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One lane of the list, or (`lane` empty) all of it in another order.

    Attributes:
        count: How many are in it, on this page and on others.
        goes_on: It began on the page before.
    """

    lane: str
    count: int
    goes_on: bool = False
    rows: tuple[Row, ...]
    holdups: tuple[Holdup, ...] = ()
    trigger: str = ""
    verb: Bilingual | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the list as it was read: the cases in their order, their rows, and who was told of what today."""

    page: Sequence[Placed]
    rows: Mapping[int, Row]
    told: Mapping[str, datetime]


def around(visit: Visit, page: Sequence[Placed]) -> Around:
    """What is read beside the cases of a page: the filters one keeps, who was told of what today, what was opened."""
    blocked = [one for one in page if one.lane is Lane.BLOCKED]
    units = {placed.row.path.rstrip("/").rpartition("/")[2] for placed in blocked}
    return Around(
        units=tuple(dict.fromkeys(grant.unit for grant in visit.actor.grants)),
        day=visit.today.isoformat(),
        abouts=sorted({rule for placed in blocked for rule in placed.hindrances}),
        scopes=sorted({*(f"unit/{unit}" for unit in units), *(case_number(placed.case) for placed in blocked)}),
        came=[one.case for one in page if _has_come(visit, one)],
    )


def _has_come(visit: Visit, placed: Placed) -> bool:
    """Whether it came to where it is since the person signed in."""
    return visit.session is not None and placed.row.entered_at > moment(visit.session.created_at)


def sections(visit: Visit, asked: Filter, waiting: Waiting, listed: Listed) -> tuple[Section, ...]:
    """The lanes of a page, each with how many there are under the filter."""
    counts, page = waiting.counts(asked), listed.page
    if asked.sort not in ("", Sort.LANE):
        rows = tuple(listed.rows[one.case] for one in page)
        return (Section(lane="", count=counts.total(), goes_on=bool(asked.after), rows=rows),) if page else ()
    return tuple(_sections(visit, asked, waiting, listed))


def _sections(visit: Visit, asked: Filter, waiting: Waiting, listed: Listed) -> Iterator[Section]:
    counts, left = waiting.counts(asked), left_lane(asked)
    for lane in (one for one in Lane if asked.lane in ("", _NAMES[one])):
        here = [one for one in listed.page if one.lane is lane]
        goes_on = left is lane
        rows = tuple(listed.rows[one.case] for one in here)
        section = Section(lane=_NAMES[lane], count=counts[lane], goes_on=goes_on, rows=rows)
        if lane is Lane.BLOCKED and counts[lane] and (here or not asked.after):
            yield replace(section, holdups=tuple(_holdups(visit, asked, waiting, listed)))
        elif here:
            yield _with_verb(visit, section, here) if lane is Lane.READY else section


def _with_verb(visit: Visit, section: Section, ready: Sequence[Placed]) -> Section:
    """What may be done to all of them at once: the step that most of them wait for."""
    [((shape, trigger), _)] = Counter((one.row.shape, one.row.trigger) for one in ready).most_common(1)
    return replace(section, trigger=trigger, verb=visit.desk.definition(shape).transitions[trigger].title)


def _holdups(visit: Visit, asked: Filter, waiting: Waiting, listed: Listed) -> Iterator[Holdup]:
    for one in waiting.holdups(asked):
        holdup = holdup_of(visit, one.rule, one.cases, asked.cleared().address(rule=one.rule))
        held = (placed for placed in listed.page if one.rule in placed.hindrances)
        first, role = next(((case_number(placed.case), placed.row.role) for placed in held), ("", ""))
        yield replace(holdup, first=first, role=role, told_at=listed.told.get(one.rule))


def holdup_of(visit: Visit, rule: str, count: int, address: str) -> Holdup:
    """One thing that holds so many cases up, in words."""
    roles, known = visit.desk.library.rulebook.organisation.roles, rule_of(visit, rule)
    remedy = None if known is None else known.remedy
    return Holdup(
        rule=rule,
        title=rule_title(visit, rule),
        count=count,
        by=roles[remedy.by].title if remedy is not None and remedy.by in roles else None,
        remedy=remedy,
        is_own=rule == APART,
        address=address,
    )


def row_of(visit: Visit, filter_: Filter, standing: Placed, found: Found, lying: Lying, *, is_new: bool = False) -> Row:
    """One case as the list shows it."""
    number = found.case.number
    claim = lying.claims.get(found.case.id)
    of_list = kind_of_list(visit.desk.machine(found.case.shape), found, lang_of(visit))
    columns = shown(visit)
    beside, *words = [words_of(visit, one, standing, found) for one in columns] or [""]
    return Row(
        number=number,
        name=name_of(visit, found),
        beside=beside,
        words=tuple(one for one in (*of_list, *words) if one),
        lane=_NAMES[standing.lane],
        cautions=() if Column.WHY in columns else cautions_of(visit, standing),
        claim=claim if claim is not None and claim.login != visit.login else None,
        has_draft=found.case.id in lying.drafts,
        is_new=is_new,
        is_late=standing.row.due_at < moment(visit.at),
        is_open=filter_.case == number,
        address=filter_.address(case=number),
    )


def minutes_since(visit: Visit, since: datetime) -> int:
    """For how many minutes somebody has been at a case; at least one."""
    return max(1, round((visit.at - since).total_seconds() / 60))
