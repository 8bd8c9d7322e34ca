"""The page of what waits for a person: list, open case, evidence; made from a filter and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256

from console.web.cases.masking import Eyes, eyes_of
from console.web.queue.empties import Empty, why_empty
from console.web.queue.filtering import Filter
from console.web.queue.open_case import Beside, OpenCase, open_case
from console.web.queue.people import name_of
from console.web.queue.reading import Known
from console.web.queue.rows import Listed, Row, Section, around, row_of, sections
from console.web.queue.waiting import Waiting, listing, waiting_for
from console.web.visit import Visit
from engine.expressions.kinds import SHANGHAI
from engine.lane_queries import Placed
from engine.lanes import Lane
from engine.records import case_number, case_of
from engine.store import desk_work, looks
from engine.store.cases import Found, read_cases, read_with_kin
from engine.store.desk_work import Around, Claim, Lying, SavedView, Tally

_FEW = 3
"""Decisions in an hour from which a pace can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """A decision that can still be undone: of which case, what it was called, and for how many seconds."""

    number: str
    name: str
    verb: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many cases there are under a filter in each lane, whichever of them is shown, and how many in all."""

    blocked: int
    look: int
    ready: int
    everything: int

    @property
    def total(self) -> int:
        """Under the filter."""
        return self.blocked + self.look + self.ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many were decided today, and when the rest will be done if it goes on like this; None: too early to tell."""

    today: int
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """The page.

    `is_anew` where the place to go on from is no more, so that the list begins at its beginning.
    `empty` says why nothing of it can be done; None where something can. `previous` and `following` are the addresses
    of the pages of the list before and behind this one; `mark` says what the pulse compares with.
    """

    filter: Filter
    is_anew: bool
    counts: Counts
    empty: Empty | None
    sections: tuple[Section, ...]
    previous: str
    following: str
    tally: Tally
    views: tuple[SavedView, ...]
    claimed: int
    open: OpenCase | None
    pace: Pace
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read of some cases: as they stand, and what lies on them.

    `left` is a case the person is at no more once another is opened.
    """

    found: Mapping[int, Found]
    lying: Lying
    left: int | None = None


def queue_view(visit: Visit, filter_: Filter, waiting: Waiting) -> QueueView:
    """What waits for whoever visits, under a filter."""
    connection = visit.desk.connection
    page, after, before, is_anew = listing(waiting, filter_)
    filter_ = filter_.with_(after="") if is_anew else filter_
    opened = open_id(filter_)
    wanted = [*(one.case for one in page), *([] if opened is None else [opened])]
    beside = around(visit, page)
    read = read_some(visit, wanted, beside, opened)
    new = {*beside.came} - read.lying.opened - {opened}
    rows = {
        one.case: row_of(visit, filter_, one, read.found[one.case], read.lying, is_new=one.case in new) for one in page
    }
    counts = counts_of(waiting, filter_)
    tally = desk_work.tally(connection, visit.login, midnight(visit), visit.at)
    return QueueView(
        filter=filter_,
        is_anew=is_anew,
        counts=counts,
        empty=why_empty(visit, filter_, waiting),
        sections=sections(visit, filter_, waiting, Listed(page=page, rows=rows, told=read.lying.told)),
        previous="" if before is None else filter_.address(after=before, case=""),
        following=filter_.address(after=after, case="") if after else "",
        tally=tally,
        views=read.lying.views,
        claimed=sum(1 for one in read.lying.claims.values() if one.login == visit.login),
        open=None if opened is None or opened not in read.found else shown(visit, filter_, waiting, read, opened),
        pace=pace_of(visit, tally, counts),
        mark=mark_of(waiting, (one for one in read.lying.claims.values() if one.case in rows), visit.login),
    )


def read_some(
    visit: Visit,
    cases: Iterable[int],
    beside: Around | None = None,
    opened: int | None = None,
    *,
    known: Lying | None = None,
) -> Read:
    """Read some cases, each once, and what lies on them and beside them; of the open one all of its student's.

    What lies on them is not read again where that was `known` of all of them already.
    """
    connection, wanted = visit.desk.connection, list(dict.fromkeys(cases))
    if opened is None:
        found = read_cases(connection, wanted) if wanted else {}
    else:
        found = read_with_kin(connection, wanted, opened)
    for one in found.values():
        visit.desk.as_of(one.registry)
    if known is None or not known.cases.issuperset(wanted):
        known = desk_work.lying_on(connection, wanted, visit.login, visit.at, beside)
    return Read(found=found, lying=known)


def open_id(filter_: Filter) -> int | None:
    """The case a filter has open."""
    return case_of(filter_.case.replace("-", "")) if filter_.case else None


def shown(visit: Visit, filter_: Filter, waiting: Waiting, read: Read, case: int) -> OpenCase | None:
    """A case that somebody opens in the queue, if they may know of it: the look is kept, and that they are at it."""
    found = read.found[case]
    standing = waiting.standing(found.case.id)
    if standing is None and not (visit.visible.sees(found.case) and may_open_here(visit, found)):
        return None
    _keep_look(visit, found, standing, read.left)
    place = waiting.place(filter_, case) if standing is not None else None
    following = None if place is None or place.next is None else read.found.get(place.next.case)
    known = Known(
        has_papers=case in read.lying.papers,
        kin=tuple(one.case for one in read.found.values() if one.case.student == found.case.student is not None),
    )
    beside = Beside(
        standing=standing,
        known=known,
        claim=read.lying.claims.get(case),
        place=place,
        following="" if following is None else name_of(visit, following),
    )
    return open_case(visit, found, beside)


def _keep_look(visit: Visit, found: Found, standing: Placed | None, left: int | None) -> None:
    connection, case = visit.desk.connection, found.case.id
    is_workable = standing is not None and standing.lane is not Lane.BLOCKED
    with connection.writing():
        looks.add_look(connection, looks.Look(visit.login, case, visit.at))
        if is_workable and left not in (None, case):
            desk_work.go_on(connection, left, case, visit.login, visit.at)
        elif is_workable:
            desk_work.claim(connection, case, visit.login, visit.at)
        elif left is not None:
            desk_work.let_go(connection, left, visit.login)


def may_open_here(visit: Visit, found: Found) -> bool:
    """Whether a case is opened in the queue by somebody who works on it; auditors read it on its own page."""
    return eyes_of(visit.actor, visit.desk.machine_for(found.case, {}), found.case) is not Eyes.AUDITOR


def counts_of(waiting: Waiting, filter_: Filter) -> Counts:
    """How many there are in each lane."""
    found = waiting.counts(filter_)
    return Counts(blocked=found[Lane.BLOCKED], look=found[Lane.LOOK], ready=found[Lane.READY], everything=waiting.total)


def midnight(visit: Visit) -> datetime:
    """When the day of the visit began in Shanghai."""
    return datetime.combine(visit.today, time(), SHANGHAI)


def pace_of(visit: Visit, tally: Tally, counts: Counts) -> Pace:
    """How it goes: as in the last hour."""
    left = counts.look + counts.ready
    if tally.last_hour < _FEW or not left:
        return Pace(today=tally.today, done_at=None)
    done_at = visit.at + timedelta(hours=1) * left / tally.last_hour
    is_today = done_at.astimezone(SHANGHAI).date() == visit.today
    return Pace(today=tally.today, done_at=done_at if is_today else None)


def mark_of(waiting: Waiting, claims: Iterable[Claim], login: str) -> str:
    """A mark of what waits and who else is at work on it: another when anything has come, gone or changed."""
    told = sorted(f"{one.case} {one.login}" for one in claims if one.login != login)
    return sha256("\n".join((waiting.mark(), *told)).encode()).hexdigest()[:12]


def single_row(visit: Visit, filter_: Filter, waiting: Waiting, read: Read, case: int) -> Row | None:
    """One row of the list anew; None where the case is in it no more."""
    standing = waiting.standing(case)
    is_known = standing is not None and case in read.found
    return row_of(visit, filter_, standing, read.found[case], read.lying) if standing and is_known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the pulse tells: the counts, who is at which case of the list, and how many came since the page was made."""

    counts: Counts
    claims: tuple[tuple[str, Claim | None], ...]
    mark: str


def claims_and_counts(visit: Visit, asked: Filter) -> Told:
    """How the queue stands now; whoever asks is still at the case that is open."""
    connection = visit.desk.connection
    waiting = waiting_for(visit, asked)
    page = listing(waiting, asked).rows
    lying = desk_work.lying_on(connection, [one.case for one in page], visit.login, visit.at)
    opened = open_id(asked)
    if opened is not None and waiting.standing(opened) is not None:
        with connection.writing():
            desk_work.claim(connection, opened, visit.login, visit.at)
    others = {case: one for case, one in lying.claims.items() if one.login != visit.login}
    claims = tuple((case_number(one.case), others.get(one.case)) for one in page)
    return Told(counts=counts_of(waiting, asked), claims=claims, mark=mark_of(waiting, others.values(), visit.login))
