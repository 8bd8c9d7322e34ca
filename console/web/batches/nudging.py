"""催办 from the page of a batch: who would be told, by which way, what, and when they last were; then, once, done.

The selection is made by the page's numbers and kept under a handle: what is shown is what is sent, and a second click
finds it done. Whoever was told of the same today is left out, by the engine, at the moment of sending.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from console.web.batches.counting import Looked, course_of
from console.web.batches.overview import lagging_units
from console.web.batches.wording import Ways, rules_of
from console.web.faults import NotFound
from console.web.visit import Visit
from engine.definition import RESERVED_ROLES
from engine.errors import NotAllowed
from engine.expressions.kinds import SHANGHAI
from engine.figures import Standing
from engine.records import Case, Json
from engine.store import urgings
from engine.store.cases import read_cases
from engine.trail.event import moment
from engine.urging import FILING, Nudge, urge_to_mend
from notifications.people import Roll

LAGGING = "lagging"
"""Of all units those that lag."""
SHOWN = 50
_CHUNK = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody who is told, or nobody (no name): whether mail reaches them, and when they were last told of it."""

    role: str
    name: str
    unit: str
    has_address: bool
    told_at: datetime | None
    is_told_today: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would be sent. Of many recipients the first are shown.

    Attributes:
        batch: What it is about; empty where it was begun from a queue.
        texts: What they read, each text once.
        again: How many were told of it today and are left out.
        silent: How many of the others have no address.
        result: What came of it; None before.
    """

    handle: str
    batch: str
    back: str
    recipients: tuple[Recipient, ...]
    count: int
    texts: tuple[str, ...]
    again: int
    silent: int
    result: Mapping[str, Json] | None

    @property
    def to_tell(self) -> int:
        """How many are told if it is done now."""
        return self.count - self.again


def choose(looked: Looked, about: str) -> str:
    """Keep a selection; its handle.

    Args:
        looked: The batch, narrowed to the unit and the students that are meant.
        about: A rule, `filing`, or `lagging` for the filing of the units that lag.

    Raises:
        NotFound: If there is no such rule, or nobody to tell.
    """
    return keep(looked.visit, (looked.code, Ways(looked=looked).page()), list(_nudges(looked, about)))


def keep(visit: Visit, origin: tuple[str, str], nudges: Sequence[Nudge]) -> str:
    """Keep whom to tell what; its handle.

    Args:
        visit: Who is about to tell them.
        origin: The batch it is about (empty: a queue), and the address one comes back to.
        nudges: Each of them.

    Raises:
        NotFound: If there is nobody to tell.
    """
    if not nudges:
        raise NotFound
    handle, (batch, back) = secrets.token_urlsafe(12), origin
    body: dict[str, Json] = {"batch": batch, "back": back, "nudges": [asdict(one) for one in nudges]}
    with visit.desk.connection.writing():
        urgings.add_urging(visit.desk.connection, handle, visit.login, moment(visit.at), body)
    return handle


def _nudges(looked: Looked, about: str) -> Iterator[Nudge]:
    if about in (FILING, LAGGING):
        units = {one.unit for one in lagging_units(looked, course_of(looked))} if about == LAGGING else None
        yield from _to_file(looked, units)
        return
    rule = rules_of(looked).get(about)
    if rule is None or not rule.role or rule.how is None:
        raise NotFound
    found = [one for one in looked.counts.seen if about in one.lacking]
    text = f"{looked.roll.batch.title}：请办“{rule.title}”——{rule.how.zh}"
    if rule.role == "student":
        yield from (Nudge(case=one.case, role="student", about=about, why=f"{text}。") for one in found)
        return
    for unit, some in _by_unit(found):
        why = f"{text}（{looked.visit.desk.units()[unit].name} {len(some)} 名学生）。"
        yield Nudge(case=some[0].case, role=rule.role, about=about, why=why, unit=unit)


def _to_file(looked: Looked, units: set[str] | None) -> Iterator[Nudge]:
    """Those who file for the students of a unit, of each unit once."""
    road, step = looked.roll.road, looked.roll.definition.transitions[looked.roll.trigger]
    roles = [who.acting_role for who in step.by if who.acting_role not in RESERVED_ROLES]
    waiting = [one for one in looked.counts.seen if one.state == road.start and (units is None or one.unit in units)]
    for unit, some in _by_unit(waiting):
        first = min(some, key=lambda one: (bool(one.lacking), one.case))
        ready = sum(not one.lacking for one in some)
        name, title = looked.visit.desk.units()[unit].name, looked.roll.batch.title
        why = f"{title}：{name}还有 {len(some)} 人没有申请，其中条件已齐、漏申请 {ready} 人。"
        yield from (Nudge(case=first.case, role=role, about=FILING, why=why, unit=unit) for role in roles)


def _by_unit(standings: Sequence[Standing]) -> Iterator[tuple[str, list[Standing]]]:
    by_unit = attrgetter("unit")
    return ((unit, list(some)) for unit, some in groupby(sorted(standings, key=by_unit), by_unit))


def preview(visit: Visit, handle: str) -> Preview:
    """What a selection would tell whom, or has told.

    Raises:
        NotFound: If the visitor has made no such selection.
    """
    row = urgings.urging(visit.desk.connection, handle)
    if row is None or row.login != visit.login:
        raise NotFound
    body: Any = row.body
    nudges = [Nudge(**one) for one in body["nudges"]]
    found = list(recipients(visit, nudges))
    return Preview(
        handle=handle,
        batch=body["batch"],
        back=body["back"],
        recipients=tuple(found[:SHOWN]),
        count=len(found),
        texts=tuple(dict.fromkeys(one.why for one in nudges))[:SHOWN],
        again=sum(one.is_told_today for one in found),
        silent=sum(not one.has_address and not one.is_told_today for one in found),
        result=row.result,
    )


def recipients(visit: Visit, nudges: Sequence[Nudge]) -> Iterator[Recipient]:
    """Whom each nudge would reach, in their order."""
    desk, roll = visit.desk, Roll(visit.desk, visit.at)
    cases = _cases(visit, nudges)
    roll.expect(cases.values())
    told = {
        key: at
        for about in {one.about for one in nudges}
        for key, at in urgings.last_urged(desk.connection, about, (one.scope for one in nudges)).items()
    }
    for one in nudges:
        case = cases.get(one.case)
        people = () if case is None else roll.find(case, one.role).people
        at = datetime.fromisoformat(told[one.key]) if one.key in told else None
        yield Recipient(
            role=one.role,
            name="、".join(person.name or person.key for person in people),
            unit="" if case is None else desk.units()[case.unit].name,
            has_address=any(person.is_reachable for person in people),
            told_at=at,
            is_told_today=at is not None and at.astimezone(SHANGHAI).date() == visit.today,
        )


def _cases(visit: Visit, nudges: Sequence[Nudge]) -> dict[int, Case]:
    wanted, found = sorted({one.case for one in nudges}), dict[int, Case]()
    for start in range(0, len(wanted), _CHUNK):
        read = read_cases(visit.desk.connection, wanted[start : start + _CHUNK])
        found.update((number, one.case) for number, one in read.items())
    return found


def send(visit: Visit, handle: str) -> Preview:
    """Tell those of a selection who were not told today, once, however often it is asked; the selection as shown.

    Raises:
        NotFound: If the visitor has made no such selection.
        NotAllowed: If the visitor has no role there any more.
        StaleCase: If a case has grown at this moment; nobody was told.
    """
    shown = preview(visit, handle)
    if shown.result is not None:
        return shown
    connection = visit.desk.connection
    row: Any = urgings.urging(connection, handle)
    nudges = [Nudge(**one) for one in row.body["nudges"]]
    if not visit.actor.grants:
        raise NotAllowed(visit.login, "urge", ("任一角色 any role",), "")
    with connection.writing():
        done = urge_to_mend(visit.desk, nudges, visit.asks("urge"))
        silent = min(shown.silent, len(done))
        result: dict[str, Json] = {
            "told": len(done) - silent,
            "silent": silent,
            "again": len(nudges) - len(done),
        }
        urgings.end_urging(connection, handle, result)
    return shown
