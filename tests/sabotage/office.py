"""A small office on a database of its own: one teaching point, its people, and students who do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, reduce
from operator import add
from pathlib import Path
from typing import TypeVar

import orjson
import pytest

from console import wiring
from console.settings import HOME, Settings
from console.wiring import Office
from engine import acting, casework
from engine.actors import IMPORT
from engine.desk import Desk
from engine.enrolling import Enrolment, enrol
from engine.errors import XuejiError
from engine.library import Library
from engine.loading.folder import load
from engine.organisation import add_units, give_role
from engine.publishing import publish_batch
from engine.records import Json, Request
from engine.replay import Replayed, replay_range
from engine.store import cases
from engine.store.cases import Keeping
from engine.store.database import INTEGRITY_ERRORS, Connection, Row
from engine.store.registry import UnitRow
from engine.store.trail import spans
from exchange.identity import make_check_digit

T = TypeVar("T")

NOW = datetime(2024, 4, 20, 2, tzinfo=UTC)
BATCH = "2024-06"

UNITS = (
    UnitRow(code="SX", name="省校", kind="province", parent=None, path="", profile="online-ed"),
    UnitRow(code="B1", name="分校", kind="branch", parent="SX", path="", profile=None),
    UnitRow(code="S1", name="教学点", kind="site", parent="B1", path="", profile=None),
)
PEOPLE = (
    ("operator.one", "site_operator", "S1"),
    ("operator.two", "site_operator", "S1"),
    ("approver.one", "site_approver", "S1"),
    ("approver.two", "site_approver", "S1"),
    ("records", "records_section", "SX"),
)
READY: Mapping[str, Json] = {
    "prior_qualification": "符合", "key_info_confirmed": True, "terms_required": 5, "terms_passed": 5,
    "level_exam": "合格", "photo_collected": True, "photo_review": "通过", "photo_vendor": "新华社",
    "identity_check": "通过", "fee_owed": "0.00", "card_filled": True, "form_filled": True, "form_signed": True,
    "file_reviewed": True, "site_opinion": True, "electronic_photo": True,
}  # fmt: skip
"""Facts with which nothing stands between a student and the second approval."""


@cache
def shipped() -> Library:
    """The definitions and rules of the project, read once."""
    return load(HOME)


def student_no(place: int) -> str:
    """The number of the student enrolled in that place; the student's record is the case of the same number."""
    return f"2022030{place:06d}"


def id_number(place: int) -> str:
    """An ID number with a valid check digit that belongs to nobody."""
    first_17 = f"610103{birth_year(place)}0101{place % 1000:03d}"
    return first_17 + make_check_digit(first_17)


def birth_year(place: int) -> int:
    """Three digits tell people born on one day apart, so every thousand has a year of its own."""
    return 1980 + place // 1000


def enrolment(place: int, facts: Mapping[str, Json]) -> Enrolment:
    """The roster's line for an invented student who may graduate, unless `facts` say otherwise."""
    told: dict[str, Json] = {
        "student_no": student_no(place), "exam_no": f"2261{place:06d}", "name": f"测试{place}", "gender": "女",
        "id_number": id_number(place), "born_on": f"{birth_year(place)}-01-01", "level": "专科", "cohort": 2022,
        "major_code": "530605", "study_mode": "业余", "enrolled_on": "2022-03-01",
    }  # fmt: skip
    return Enrolment(student_no=student_no(place), unit="S1", facts={**told, **READY, **facts})


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """Where an office is: a database that only this test uses, and the key beside it."""

    url: str
    key: Path

    @property
    def settings(self) -> Settings:
        return Settings.model_validate({"database": self.url, "XUEJI_KEY_FILE": self.key})

    @contextmanager
    def furnished(self, students: int = 3, **facts: Json) -> Iterator[Office]:
        """A new office with its organisation, the batch published, and every student enrolled."""
        wiring.create(self.settings, rehearsal=True, profile="online-ed")
        with self.opened() as office:
            desk = office.desk
            desk.publish(NOW, "setup")
            add_units(desk, UNITS, at=NOW, actor="setup")
            for login, role, unit in PEOPLE:
                give_role(desk, login, role, unit, at=NOW, actor="setup")
            publish_batch(desk, BATCH, asked(desk, "records", "publish"))
            rows = [enrolment(place, facts) for place in range(1, students + 1)]
            enrol(desk, rows, Request(trigger="open_record", actor=IMPORT, at=NOW))
            yield office

    @contextmanager
    def opened(self, library: Library | None = None) -> Iterator[Office]:
        """A desk of its own on the same database, as another process has it."""
        with wiring.office(self.settings, library or shipped()) as office:
            yield office


def asked(desk: Desk, login: str, trigger: str, *, seen: int | None = None, request_id: str | None = None) -> Request:
    """What a person asks for, with the batch where the step wants one."""
    fields: dict[str, Json] = {"batch": BATCH} if trigger == "apply" else {}
    return Request(trigger=trigger, actor=desk.actor(login), at=NOW, fields=fields, seen=seen, id=request_id)


def asked_to_leave(desk: Desk) -> Request:
    """The records section strikes a student off, whatever stage the application is at."""
    fields: dict[str, Json] = {"reason_code": "voluntary", "decided_on": "2024-04-20", "document_no": "2024-17"}
    return replace(asked(desk, "records", "withdraw"), fields=fields)


def attempt(act: Callable[[], T]) -> T | Exception:
    """What an act answers, or what it raises: a claim can then say which of the two it should have been."""
    try:
        return act()
    except (XuejiError, *INTEGRITY_ERRORS) as problem:
        return problem


class _StoppedError(Exception):
    """A step was stopped between deciding and keeping."""


def decided(desk: Desk, case: int, request: Request) -> Keeping:
    """A step decided on the case as it stands now and stopped just before it is kept; nothing is written."""
    caught: list[Keeping] = []

    def stop(_connection: Connection, keeping: Keeping) -> bool:
        caught.append(keeping)
        raise _StoppedError

    with pytest.MonkeyPatch.context() as patch, suppress(_StoppedError):
        for module in (casework, acting):  # a step that causes others is kept by the act
            patch.setattr(module, "keep", stop)
        casework.move(desk, case, request)
    return caught[0]


def kept(desk: Desk, keeping: Keeping) -> bool:
    """Keep a decided step as `casework.move` does."""
    with desk.connection.deciding():
        return cases.keep(desk.connection, keeping)


def rows(connection: Connection, sql: str, *params: object) -> list[Row]:
    """All rows of a query."""
    return connection.execute(sql, params).fetchall()


def everything(connection: Connection) -> dict[str, list[Row]]:
    """All that a step may write, table by table."""
    order = {"cases": "id", "student": "id", "event": "chain, seq", "outbox": "id", "personal": "chain, seq"}
    return {table: rows(connection, f"SELECT * FROM {table} ORDER BY {by}") for table, by in order.items()}  # noqa: S608 constant text


def events(connection: Connection, chain: int) -> list[dict[str, Json]]:
    """The events of a chain as they read."""
    found = rows(connection, "SELECT body FROM event WHERE chain = ? ORDER BY seq", chain)
    return [orjson.loads(row[0]) for row in found]


def state_of(connection: Connection, case: int) -> object:
    """The state of a case."""
    return rows(connection, "SELECT state FROM cases WHERE id = ?", case)[0][0]


def replayed(office: Office) -> Replayed:
    """The whole trail read back."""
    parts = spans(office.desk.connection, 1)
    return reduce(add, (replay_range(office.desk.connection, office.log, office.key, part) for part in parts))
