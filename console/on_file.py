"""What the database knows already, as the readers of sheets ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from engine.desk import Desk
from engine.errors import Unknown
from engine.store import students
from engine.store.registry import UnitRow
from engine.store.students import StudentRow
from exchange.cells import FactValue
from exchange.known import Known, KnownStudent, KnownUnit

EVERYWHERE = ("/",)
"""The path below which every unit stands."""
_AHEAD = 1_000


class StudentsOnFile(Mapping[str, KnownStudent]):
    """The students of a database by number, looked up as a sheet names them: it may hold a million.

    Args:
        desk: Where they are kept.
        paths: Those of the units, with all below, whose students whoever reads the sheet may know of.
        named: The numbers that the sheet names, in its order: a thousand are looked up when the first is asked for.
    """

    def __init__(self, desk: Desk, paths: Sequence[str] = EVERYWHERE, named: Sequence[str] = ()) -> None:
        self._desk = desk
        self._paths = tuple(paths)
        self._named = named
        self._places = {number: place for place, number in enumerate(named)}
        self._ahead: Mapping[str, StudentRow | None] = {}
        self._until = 0
        self._last: tuple[str, KnownStudent] | None = None

    def __getitem__(self, student_no: str) -> KnownStudent:
        if self._last is None or self._last[0] != student_no:  # of one row several things are asked
            self._last = (student_no, self._known(student_no))
        return self._last[1]

    def _known(self, student_no: str) -> KnownStudent:
        row = self._row(student_no)
        if row is None or not self._desk.units()[row.unit].path.startswith(self._paths):
            raise KeyError(student_no)
        return KnownStudent(facts=cast("Mapping[str, FactValue]", row.facts), site_code=row.unit)

    def _row(self, student_no: str) -> StudentRow | None:
        place = self._places.get(student_no, -1)
        if place >= self._until:  # what was passed already is named a second time, and looked up by itself
            self._until = place + _AHEAD
            numbers = self._named[place : self._until]
            self._ahead = {**dict.fromkeys(numbers), **students.by_numbers(self._desk.connection, numbers)}
        if student_no in self._ahead:
            return self._ahead[student_no]
        return students.student(self._desk.connection, student_no)

    def __iter__(self) -> Iterator[str]:
        return (row.student_no for row in students.students(self._desk.connection))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def on_file(desk: Desk, paths: Sequence[str] = EVERYWHERE, named: Sequence[str] = ()) -> Known:
    """Everything a sheet is judged against; students of units at or below these paths only, `named` looked up ahead."""
    return Known(
        students=StudentsOnFile(desk, paths, named),
        exam_no_owners=students.owners(desk.connection, "exam_no"),
        id_number_owners=students.owners(desk.connection, "id_number"),
        certificate_no_owners=students.owners(desk.connection, "certificate_no"),
        units={
            code: KnownUnit(name=unit.name, kind=unit.kind, parent=unit.parent) for code, unit in desk.units().items()
        },
    )


def unit_rows(desk: Desk, new: Mapping[str, KnownUnit]) -> list[UnitRow]:
    """Units that a roster names for the first time, placed: a branch stands under the one unit that may hold it.

    Raises:
        Unknown: If no unit, or more than one, may hold a branch; add the branch by hand then.
    """
    return [
        UnitRow(
            code=code, name=unit.name, kind=unit.kind, parent=unit.parent or _holder(desk, unit.kind), path="",
            profile=None,
        )
        for code, unit in new.items()
    ]  # fmt: skip


def _holder(desk: Desk, kind: str) -> str:
    inside = desk.library.rulebook.organisation.units[kind].inside
    holders = [unit.code for unit in desk.units().values() if unit.kind in inside]
    if len(holders) != 1:
        what = f"唯一可设 {kind} 的上级单位（请先用 unit add 添加）the one unit that may hold a"
        raise Unknown(what, kind, holders)
    return holders[0]
