"""What a person may take in: payments, rosters, facts, and the tables of the definitions; each with its columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from console import taking_in
from console.taking_in import Enrolling, Judged, Told
from console.taking_in_photos import PHOTOS, PRESENT, photos
from console.taking_in_results import AUDITS, may_record, results
from engine.actors import Actor
from engine.desk import Desk
from engine.records import Request
from engine.scopes import choice_titles
from engine.store.import_runs import Run
from engine.tabling import keeps_tables
from engine.taking_in import reach_of
from exchange.audit_results import RESULT_COLUMNS
from exchange.columns import Column
from exchange.fact_sheets import FACT_COLUMNS
from exchange.photo_packages import MOST_BYTES_IN_PACKAGE, admit_package
from exchange.rosters import ROSTER_COLUMNS
from exchange.tables import read_csv, table_columns
from exchange.uploads import admit_upload
from exchange.workbooks import read_first_sheet_of
from exchange.zip_gate import MOST_BYTES_IN_FILE

PAYMENTS, ROSTER, FACTS = "payments", "roster", "facts"
CREATE_UNITS, NO_RECORD = "create_units", "no_record"
"""How a roster may be taken in beside the usual way."""
OPEN_COLLECTIONS = "open_collections"
"""How a package of photographs may be: with a case opened for those who have none."""
_STUDENT, _OWED = "student_no", "fee_owed"
_CSV = ".csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of sheet: its name in addresses, and the columns that may stand in it."""

    name: str
    columns: tuple[Column, ...]

    @property
    def trigger(self) -> str:
        """What the trail calls taking it in, as at the command line."""
        if self.is_table:
            return "import_table"
        return {ROSTER: taking_in.OPEN_RECORD, PAYMENTS: FACTS}.get(self.name, self.name)

    @property
    def source(self) -> str:
        """What the chain of a student calls it, where it changes or refuses what is known."""
        return ROSTER if self.name == ROSTER else self.trigger

    @property
    def options(self) -> tuple[str, ...]:
        """How it may be taken in beside the usual way."""
        return {ROSTER: (CREATE_UNITS, NO_RECORD), PHOTOS: (OPEN_COLLECTIONS,)}.get(self.name, ())

    @property
    def is_table(self) -> bool:
        """Whether it is a table of the definitions."""
        return self.name not in (PAYMENTS, ROSTER, FACTS, PHOTOS, *AUDITS)

    @property
    def is_package(self) -> bool:
        """Whether it is an archive of pictures instead of a sheet."""
        return self.name == PHOTOS

    @property
    def most_bytes(self) -> int:
        """How large a file of it may be."""
        return MOST_BYTES_IN_PACKAGE if self.is_package else MOST_BYTES_IN_FILE

    def takes_csv(self, name: str) -> bool:
        """Whether a file of that name is read as CSV: tables come in that form too."""
        return self.is_table and name.lower().endswith(_CSV)


def kinds_of(desk: Desk, actor: Actor, at: datetime) -> tuple[Kind, ...]:
    """Every kind of sheet that a person may take in, the most used first."""
    return tuple(_kinds(desk, actor, at))


def _kinds(desk: Desk, actor: Actor, at: datetime) -> Iterator[Kind]:
    reach = reach_of(desk.library.rulebook, actor, at)
    columns = tuple(one for one in FACT_COLUMNS if one.key == _STUDENT or one.key in reach.paths)
    if _OWED in reach.paths:
        yield Kind(name=PAYMENTS, columns=tuple(one for one in columns if one.key in (_STUDENT, _OWED)))
    if taking_in.may_open_records(desk, actor):
        yield Kind(name=ROSTER, columns=ROSTER_COLUMNS)
    if any(one.key not in (_STUDENT, _OWED) for one in columns):
        yield Kind(name=FACTS, columns=columns)
    if PRESENT in reach.paths:
        yield Kind(name=PHOTOS, columns=())
    for one in AUDITS.values():
        if may_record(desk, actor, one, at):
            yield Kind(name=one.name, columns=RESULT_COLUMNS)
    vocabulary = desk.library.rulebook.vocabulary
    for name, table in vocabulary.tables.items() if keeps_tables(actor) else ():
        yield Kind(name=name, columns=table_columns(table, vocabulary.student, choice_titles(vocabulary)))


def admit(kind: Kind, name: str, body: bytes) -> None:
    """Let a file pass that can be read without harm; what it says is looked at later.

    Raises:
        SheetRefused: If it is none of its kind, broken, hostile or too large.
    """
    if kind.is_package:
        admit_package(body)
    elif not kind.takes_csv(name):
        admit_upload(body)


def judge(desk: Desk, kind: Kind, run: Run, read: tuple[bytes, Request, Told]) -> Judged:
    """What is wrong with a file, and how it would be kept.

    Raises:
        SheetRefused: If it cannot be read.
    """
    body, request, told = read
    options = run.options.split()
    if kind.is_package:
        return photos(desk, body, request, told, opens=OPEN_COLLECTIONS in options)
    grid = read_csv(body) if kind.takes_csv(run.name) else read_first_sheet_of(body)
    if kind.name == ROSTER:
        how = Enrolling(create_units=CREATE_UNITS in options, opens_record=NO_RECORD not in options)
        return taking_in.roster(desk, grid, request, how, told)
    if kind.name in AUDITS:
        return results(desk, grid, request, AUDITS[kind.name], told)
    if kind.is_table:
        return taking_in.table(desk, grid, kind.name)
    return taking_in.facts(desk, grid, request, kind.columns, told)
