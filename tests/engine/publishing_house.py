"""A school with one small folder of definitions, two system administrators, and a way to sit down there again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from engine.casework import move, open_case
from engine.desk import Desk
from engine.loading.folder import load
from engine.loading.origins import Origin
from engine.organisation import add_units, give_role
from engine.proposing import Approved, approve, draft, propose
from engine.records import Json, Moved, Request
from engine.replay import Replayed, replay_range
from engine.store import proposals, schema
from engine.store.database import Connection, open_engine
from engine.store.registry import UnitRow
from engine.store.trail import spans
from engine.trail.chain import Scribe
from tests.engine.loading.folders import clean_folder, spoil, write
from tests.engine.town import KEY, LOG

NOW = datetime(2024, 5, 15, 2, tzinfo=UTC)
TODAY = date(2024, 5, 15)
FILE = "stamp.yaml"
STAMP = """\
workflow: stamp
procedure: W-9
title: {zh: 用印, en: Stamp}
version: 1
effective_from: 2024-01-01
profile: college
about: [school]
unique: never
states:
  asked: {title: {zh: 已申请, en: Asked}}
  done: {title: {zh: 已用印, en: Done}, final: true}
transitions:
  ask: {title: {zh: 申请, en: Ask}, from: new, to: asked, by: clerk}
  stamp: {title: {zh: 用印, en: Stamp}, from: asked, to: done, by: head}
"""
SECOND = STAMP.replace("version: 1", "version: 2").replace(
    "  done:", "  read: {title: {zh: 已阅, en: Read}}\n  done:"
).replace(
    "  stamp: {title: {zh: 用印, en: Stamp}, from: asked,",
    "  read: {title: {zh: 阅, en: Read}, from: asked, to: read, by: head}\n"
    "  stamp: {title: {zh: 用印, en: Stamp}, from: read,",
)  # fmt: skip
"""The second version, in which the head reads before the stamp is used."""
_PEOPLE = (("ma", "system_admin"), ("lu", "system_admin"), ("he", "clerk"), ("shi", "head"))


def folder_at(path: Path) -> Path:
    """The folder of definitions."""
    clean_folder(path)
    administrator = "  system_admin: {title: {zh: 系统管理员, en: Administrator}, held_at: school}\n"
    spoil(path, "rules/organisation.yaml", "  clerk:", f"{administrator}  clerk:")
    write(path, f"workflows/{FILE}", STAMP)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """A desk at it, by what is in force on a day."""

    desk: Desk
    origin: Origin

    @property
    def connection(self) -> Connection:
        return self.desk.connection

    def by(self, login: str, trigger: str = "publish", at: datetime = NOW, **fields: Json) -> Request:
        return Request(trigger=trigger, actor=self.desk.actor(login), at=at, fields=fields)

    def drafted(self, text: str, login: str = "ma", name: str = FILE) -> int:
        return draft(self.desk, self.origin, (name, text.encode()), self.by(login))

    def proposed(self, text: str, day: date = TODAY, name: str = FILE, login: str = "ma") -> int:
        number = self.drafted(text, login, name)
        propose(self.desk, number, day, self.by(login, reason="按学校通知修订"))
        return number

    def published(self, text: str, day: date = TODAY, name: str = FILE) -> Approved:
        return approve(self.desk, self.origin, self.proposed(text, day, name), self.by("lu"))

    def asked(self) -> int:
        """A case just opened."""
        outcome = open_case(self.desk, "stamp", "SC", self.by("he", "ask"))
        assert isinstance(outcome, Moved), outcome
        return outcome.case.id

    def step(self, case: int, trigger: str) -> str:
        """Take a step; the state it leads to."""
        outcome = move(self.desk, case, self.by("shi", trigger))
        assert isinstance(outcome, Moved), outcome
        return outcome.case.state

    def replayed(self) -> Replayed:
        parts = [replay_range(self.connection, LOG, KEY, span) for span in spans(self.connection, 2)]
        return sum(parts, Replayed(cases=0, events=0))


@contextmanager
def school_at(url: str, folder: Path, day: date = TODAY) -> Iterator[School]:
    """Sit down as a process does that starts on a day: the folder, and over it what is in force."""
    engine = open_engine(url)
    connection = Connection(engine)
    origin = Origin(folder=folder, functions={}, messages=())
    try:
        library = load(folder, {}, proposals.texts_in_force(connection, day))
        desk = Desk(connection, Scribe(LOG, KEY), library, salt=bytes)
        desk.publish(NOW, "setup")
        yield School(desk=desk, origin=origin)
    finally:
        connection.close()
        engine.dispose()


def build(url: str, folder: Path) -> None:
    """A database with the school and its people."""
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with school_at(url, folder) as school:
        unit = UnitRow(code="SC", name="学校", kind="school", parent=None, path="", profile="college")
        add_units(school.desk, [unit], at=NOW, actor="setup")
        for login, role in _PEOPLE:
            give_role(school.desk, login, role, "SC", at=NOW, actor="setup")
