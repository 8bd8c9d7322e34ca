"""The list of the queue: cases in their lanes, the blocked ones by what holds them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.web.queue.filtering import LANES, Filter, Sort
from console.web.queue.open_case import lang_of
from console.web.queue.paging import left_lane
from console.web.queue.people import ROW, name_of, words_of
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
from engine.vocabulary import Rule

_NAMES: Mapping[Lane, str] = {lane: name for name, lane in LANES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case in the list; at most one badge is shown beside its words.

    Attributes:
        cautions: What is to be looked at, in a word each.
        claim: Who else is at it.
        is_new: It has come since the person signed in, and they have not opened it yet.
    """

    number: str
    name: str
    student_no: str
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
    book, roles = visit.desk.library.rulebook, visit.desk.library.rulebook.organisation.roles
    known: Rule | None = book.rules.get(rule) or book.engine.get(rule)
    remedy = None if known is None else known.remedy
    title = None if known is None else known.title
    return Holdup(
        rule=rule,
        title=title or Bilingual(zh=rule, en=rule),
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
    machine = visit.desk.machine(found.case.shape)
    return Row(
        number=number,
        name=name_of(visit, found),
        student_no=found.student_no or "",
        words=tuple(words_of(machine, found, ROW, lang_of(visit))),
        lane=_NAMES[standing.lane],
        cautions=tuple(dict.fromkeys(short_caution(visit, one) for one in _telling(standing.cautions))),
        claim=claim if claim is not None and claim.login != visit.login else None,
        has_draft=found.case.id in lying.drafts,
        is_new=is_new,
        is_late=standing.row.due_at < moment(visit.at),
        is_open=filter_.case == number,
        address=filter_.address(case=number),
    )


def _telling(cautions: Sequence[str]) -> Iterator[str]:
    """Cautions without those that say less of a fact than another does: corrected or retaken, it has been changed."""
    facts = {one.partition(".")[2] for one in cautions if one.startswith(("corrected.", "retaken."))}
    return (one for one in cautions if not (one.startswith("changed-since.") and one.partition(".")[2] in facts))


def short_caution(visit: Visit, caution: str) -> str:
    """A caution in a word."""
    kind, _, name = caution.partition(".")
    known = visit.desk.library.rulebook.vocabulary.student.get(name)
    fact = visit.say("资料") if known is None else visit.title(known.title)
    said = {
        "sent-back": visit.say("再报"),
        "changed-since": visit.say("{fact}改过", fact=fact),
        "corrected": visit.say("{fact}更正", fact=fact),
        "by-hand": visit.say("{fact}人工录入", fact=fact),
        "by-delegate": visit.say("前次受托办理"),
        "retaken": visit.say("{fact}重采", fact=fact),
        "late": visit.say("已标逾期"),
        "transferred": visit.say("新转入"),
    }
    return said.get(kind, caution)


def minutes_since(visit: Visit, since: datetime) -> int:
    """For how many minutes somebody has been at a case; at least one."""
    return max(1, round((visit.at - since).total_seconds() / 60))
