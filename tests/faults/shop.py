"""A small shop on a morning on which much is due: what it is furnished with, and what it looks like afterwards.

The shop lends files. Its deadlines are of every kind a scan meets: reminders before, on the day and after, an
escalation, a role nobody holds, timers that fire, are refused by a rule, or find their step closed. Besides, steps
have told roles something, which is still to be spread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple, TypeVar

import orjson

from engine.actors import IMPORT
from engine.casework import move, open_case
from engine.definition import Definition
from engine.desk import Desk
from engine.enrolling import enrol
from engine.expressions.kinds import SHANGHAI
from engine.library import Library
from engine.organisation import add_units, give_role
from engine.records import Json, Moved, Request
from engine.replay import Replayed, replay_range
from engine.store import schema
from engine.store.database import Connection, Row, open_engine
from engine.store.people import set_address
from engine.store.tables import METADATA
from engine.store.trail import spans
from engine.trail.chain import Scribe
from engine.vocabulary import CalendarText
from tests.engine.lab import CHECK, OPEN, loan, rule, with_loan
from tests.sabotage.office import NOW, PEOPLE, UNITS, enrolment, rows, shipped, student_no

LOG, KEY = "xueji/shop", bytes(32)
MORNING = datetime(2024, 5, 14, 9, 5, tzinfo=SHANGHAI)
"""After the reminders of the day, before its digest; whatever was due on the 13th is late."""
DAY = timedelta(days=1)
AnyConnection = TypeVar("AnyConnection", bound=Connection)

_LADDER = {"to": ["site_approver"], "before": ["7d", "3d", "1d", "0d"], "overdue": "1d"}
_ABOVE = {"to": "records_section", "after": "1d"}
_TOLD = ["student", "site_approver", "records_section"]
_LAPSE: Mapping[str, object] = {"from": "asked", "to": "shelved", "by": "timer"}


def _due(days: int, **more: object) -> dict[str, object]:
    """A deadline so many days after 20 April."""
    title = {"zh": "期限", "en": "Deadline"}
    return {"title": title, "while": "asked", "due": f"days_after(case.opened_on, {days})", **more}


def _procedure(workflow: str, deadlines: Mapping[str, object], **lapse: object) -> Definition:
    """A loan of its own name, with steps that tell roles; those of the timer are as given."""
    steps = {**OPEN, "check": {**CHECK["check"], "tell": _TOLD}}
    if lapse:
        steps["lapse"] = {**_LAPSE, **lapse}
    return loan(steps, workflow=workflow, procedure=f"W-{workflow}", deadlines=deadlines)


_MISSED = {"D-01": _due(23, missed={"fire": "lapse"}, remind={**_LADDER, "to": ["site_operator"]})}
PROCEDURES = (
    _procedure(
        "reminded",
        {
            "early": _due(31, remind=_LADDER, escalate=_ABOVE),
            "today": _due(24, remind={**_LADDER, "at": "08:30"}),
            "missed": _due(23, remind={**_LADDER, "to": ["site_approver", "class_teacher"]}, escalate=_ABOVE),
        },
    ),
    _procedure("lapsing", _MISSED, tell=_TOLD),
    _procedure("guarded", _MISSED, guards=["T-unowed"], tell=_TOLD),
    _procedure("closed", _MISSED, applies="case.opened_on > '2024-12-31'", tell=_TOLD),
    _procedure("told", _MISSED, tell=_TOLD),
)
"""Each is asked for once; what is `told` has been checked besides."""


def library() -> Library:
    """The shipped words with no procedure and no rule but those of the shop: hundreds of processes take it up."""
    book = shipped().rulebook.model_copy(update={"rules": {}, "documents": {}, "calendar": CalendarText()})
    shelf = Library(definitions={}, rulebook=book, batches={})
    for one in PROCEDURES:
        shelf = with_loan(shelf, one, T_unowed=rule("fee_owed == 0"))
    return shelf


@contextmanager
def connected(url: str, connect: type[AnyConnection]) -> Iterator[AnyConnection]:
    """A connection to the shop's database."""
    engine = open_engine(url)
    connection = connect(engine)
    if connection.is_sqlite:
        connection.execute("PRAGMA synchronous = OFF")  # processes are killed here, not the power supply
    try:
        yield connection
    finally:
        connection.close()
        engine.dispose()


def desk_at(connection: Connection, shelf: Library) -> Desk:
    """A desk in the shop."""
    return Desk(connection, Scribe(LOG, KEY), shelf, salt=bytes, rehearsal=True)


def furnish(url: str) -> None:
    """Make the shop in an empty database: on 20 April a student asks for everything it lends."""
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with connected(url, Connection) as connection:
        desk = desk_at(connection, library())
        desk.publish(NOW, "setup")
        add_units(desk, UNITS, at=NOW, actor="setup")
        for login, role, unit in PEOPLE:
            give_role(desk, login, role, unit, at=NOW, actor="setup")
            if login != "approver.two":  # no mail reaches that one
                with connection.writing():
                    set_address(connection, login, f"{login}@xueji.invalid")
        known: dict[str, Json] = {"fee_owed": "1280.50", "email": "somebody@xueji.invalid"}
        enrol(desk, [enrolment(1, known)], Request(trigger="open_record", actor=IMPORT, at=NOW), opens_record=False)
        asked = [_asked_for(desk, one.workflow) for one in PROCEDURES]
        checked = Request(trigger="check", actor=desk.actor("approver.one"), at=NOW)
        assert isinstance(move(desk, asked[-1], checked), Moved)


def _asked_for(desk: Desk, workflow: str) -> int:
    opened = open_case(desk, workflow, student_no(1), Request(trigger="ask", actor=desk.actor("operator.one"), at=NOW))
    assert isinstance(opened, Moved), opened
    return opened.case.id


class Told(NamedTuple):
    """A message, and the mail it is in by recipient and slot (or the word for none)."""

    chain: int
    deadline: str | None
    due_at: str | None
    rung: str | None
    recipient: str
    message: str
    mail: str


class Posted(NamedTuple):
    """A mail; the slot of a single one names its message, whose number a database is free to choose."""

    recipient: str
    slot: str
    state: str
    not_before: str


class State(NamedTuple):
    """What a shop looks like, but for numbers a database is free to choose."""

    told: Counter[Told]
    mails: Counter[Posted]
    events: Counter[tuple[int, str, str]]
    deadlines: list[Row]
    cases: list[Row]


def state_of(connection: Connection) -> State:
    """Everything that scanning and composing write."""
    slots = _slots(connection)
    found = rows(connection, "SELECT chain, deadline, due_at, rung, recipient, message, mail FROM outbox")
    told = (((chain, name, due_at, rung, to, message), mail) for chain, name, due_at, rung, to, message, mail in found)
    mails = rows(connection, "SELECT id, recipient, state, not_before FROM mail")
    return State(
        told=Counter(Told(*what, slots.get(mail, str(mail))) for what, mail in told),
        mails=Counter(Posted(to, slots[number], state, not_before) for number, to, state, not_before in mails),
        events=_events(connection),
        deadlines=rows(connection, "SELECT * FROM deadline ORDER BY case_id, name"),
        cases=rows(connection, "SELECT id, state, revision, seq FROM cases ORDER BY id"),
    )


def _slots(connection: Connection) -> dict[object, str]:
    """The slots of mails by number."""
    about = "o.chain, o.deadline, o.rung, o.message"
    single = f"SELECT 'single/' || o.id, {about} FROM outbox o"  # noqa: S608 constant text
    named = {str(row[0]): "/".join(("single", *map(str, row[1:]))) for row in rows(connection, single)}
    mails = rows(connection, "SELECT id, slot FROM mail")
    return {number: named.get(str(slot), str(slot)) for number, slot in mails}


def _events(connection: Connection) -> Counter[tuple[int, str, str]]:
    """How often each chain tells what: its kind, with the deadline or the step it is about."""
    found: Counter[tuple[int, str, str]] = Counter()
    for chain, body in rows(connection, "SELECT chain, body FROM event"):
        event = orjson.loads(bytes(body))
        data = event["data"]
        found[chain, event["kind"], f"{data.get('deadline')}/{data.get('rung')}/{data.get('trigger')}"] += 1
    return found


def fingerprint(connection: Connection) -> str:
    """Two shops with the same one are the same to whoever works in them: every row of every table is."""
    tables = (rows(connection, f"SELECT * FROM {table.name}") for table in METADATA.sorted_tables)  # noqa: S608 ours
    return sha256(repr([sorted(map(repr, table)) for table in tables]).encode()).hexdigest()


def replayed(connection: Connection) -> Replayed:
    """The whole trail read back."""
    return sum((replay_range(connection, LOG, KEY, span) for span in spans(connection, 1)), Replayed(cases=0, events=0))
