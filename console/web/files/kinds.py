"""What a person may take in: payments, rosters, facts, and the tables of the definitions; each with its columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from console import taking_in
from console.taking_in import Enrolling, Judged, Told
from console.web.visit import Visit
from engine.actors import Actor
from engine.desk import Desk
from engine.records import Request
from engine.scopes import choice_titles
from engine.store.import_runs import Run
from engine.tabling import keeps_tables
from engine.taking_in import reach_of
from exchange.columns import Column
from exchange.fact_sheets import FACT_COLUMNS
from exchange.rosters import ROSTER_COLUMNS
from exchange.tables import read_csv, table_columns
from exchange.workbooks import Grid, read_first_sheet_of

PAYMENTS, ROSTER, FACTS = "payments", "roster", "facts"
CREATE_UNITS, NO_RECORD = "create_units", "no_record"
"""How a roster may be taken in beside the usual way."""
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
        return {ROSTER: taking_in.OPEN_RECORD, PAYMENTS: FACTS, FACTS: FACTS}.get(self.name, "import_table")

    @property
    def is_table(self) -> bool:
        """Whether it is a table of the definitions."""
        return self.name not in (PAYMENTS, ROSTER, FACTS)

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
    vocabulary = desk.library.rulebook.vocabulary
    for name, table in vocabulary.tables.items() if keeps_tables(actor) else ():
        yield Kind(name=name, columns=table_columns(table, vocabulary.student, choice_titles(vocabulary)))


def title_of(visit: Visit, kind: str) -> str:
    """What a kind is called on pages."""
    plain = {PAYMENTS: visit.say("缴费"), ROSTER: visit.say("花名册"), FACTS: visit.say("事实")}
    tables = visit.desk.library.rulebook.vocabulary.tables
    return plain[kind] if kind in plain else visit.title(tables[kind].title) if kind in tables else kind


def grid_of(kind: Kind, run: Run, body: bytes) -> Grid:
    """The cells of a sheet that was sent.

    Raises:
        SheetRefused: If it cannot be read.
    """
    return read_csv(body) if kind.takes_csv(run.name) else read_first_sheet_of(body)


def judge(desk: Desk, kind: Kind, run: Run, read: tuple[Grid, Request, Told]) -> Judged:
    """What is wrong with a sheet, and how it would be kept."""
    grid, request, told = read
    if kind.name == ROSTER:
        options = run.options.split()
        how = Enrolling(create_units=CREATE_UNITS in options, opens_record=NO_RECORD not in options)
        return taking_in.roster(desk, grid, request, how, told)
    if kind.is_table:
        return taking_in.table(desk, grid, kind.name)
    return taking_in.facts(desk, grid, request, kind.columns, told)
