"""The school that the guide for definitions describes, at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from engine.actors import IMPORT
from engine.enrolling import Enrolment, enrol
from engine.library import Library
from engine.organisation import add_units, give_role
from engine.records import Json
from engine.store import schema
from engine.store.database import open_engine
from engine.store.registry import UnitRow
from tests.definitions.world import World
from tests.engine.town import town_at

NOON = datetime(2024, 4, 22, 4, tzinfo=UTC)


class Office(World):
    """The school of the page with two teaching points, two people in every role, and students who do not exist."""

    @cached_property
    def tree(self) -> Mapping[str, tuple[str, str | None]]:
        return {"U": ("school", None), "S1": ("site", "U"), "S2": ("site", "U")}

    def enrols(self, unit: str | None = None, **facts: Json) -> str:
        number = str(next(self.numbers))
        known: dict[str, Json] = {"student_no": number, "name": "测试", "level": "专科", "cohort": 2022, **facts}
        new = Enrolment(student_no=number, unit=unit or "S1", facts={"fee_owed": "0.00", **known})
        enrol(self.town.desk, [new], self.request("open_record", IMPORT))
        return number

    def furnish(self) -> None:
        desk = self.town.desk
        desk.publish(NOON, "setup")
        rows = [
            UnitRow(code=code, name=code, kind=kind, parent=up, path="", profile=None if up else "college")
            for code, (kind, up) in self.tree.items()
        ]
        add_units(desk, rows, at=NOON, actor="setup")
        for role, one in desk.library.rulebook.organisation.roles.items():
            for code in (code for code, (kind, _) in self.tree.items() if kind in one.held_at):
                give_role(desk, f"{role}@{code}", role, code, at=NOON, actor="setup")
                give_role(desk, f"{role}2@{code}", role, code, at=NOON, actor="setup")


@contextmanager
def working(path: Path, library: Library, *, rehearsal: bool = True) -> Iterator[Office]:
    """The office at work; each time somebody sits down at the same database."""
    url = f"sqlite:///{path}"
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with town_at(url, library, rehearsal=rehearsal) as town:
        office = Office(town=town, profile="college", now=NOON)
        if not town.desk.units():
            office.furnish()
        yield office
