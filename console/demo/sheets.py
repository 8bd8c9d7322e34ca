"""The sheets of the demonstration: written as workbooks, and read in again as anybody's would be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from console.calling import SETUP, Sitting
from console.on_file import on_file, unit_rows
from engine.actors import Actor
from engine.enrolling import Enrolled, Enrolment, enrol
from engine.facts import FactsWritten, write_facts
from engine.organisation import add_units
from engine.records import Json
from engine.store import registry
from engine.store.database import DRIVER_ERRORS, Connection, open_engine
from exchange.fact_sheets import FACT_COLUMNS, read_facts
from exchange.faults import Fault
from exchange.invented import Cells
from exchange.rosters import ROSTER_COLUMNS, RosterRow, new_units, read_roster
from exchange.templates import write_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the demonstration leaves in its folder."""

    into: Path

    @property
    def database(self) -> Path:
        """The rehearsal database."""
        return self.into / "demo.db"

    @property
    def roster(self) -> Path:
        """The roster of the batch."""
        return self.into / "roster.xlsx"

    @property
    def facts(self) -> Path:
        """What is known of the students in April."""
        return self.into / "facts.xlsx"

    @property
    def mended(self) -> Path:
        """What has been put right since."""
        return self.into / "facts-mended.xlsx"

    @property
    def certificates(self) -> Path:
        """Conclusions, certificate numbers and days."""
        return self.into / "facts-certificates.xlsx"

    @property
    def mail(self) -> Path:
        """The mails of the demonstration, a file each; where `XUEJI_MAIL` puts them by default."""
        return self.into / "mail"

    @property
    def sheets(self) -> tuple[Path, ...]:
        """The four workbooks."""
        return (self.roster, self.facts, self.mended, self.certificates)

    @property
    def url(self) -> str:
        """The rehearsal database as `--database` takes it."""
        return f"sqlite:///{self.database.as_posix()}"

    def are_somebody_elses(self) -> bool:
        """Whether files of these names lie there that no earlier demonstration has left."""
        if self.database.exists():
            return not _is_rehearsal(self.url)
        return any(path.exists() for path in self.sheets)

    def start_afresh(self) -> None:
        """Make the folder, and remove what an earlier demonstration left in it; nothing else is touched."""
        self.into.mkdir(parents=True, exist_ok=True)
        beside = [self.database.with_name(self.database.name + end) for end in ("-wal", "-shm", "-journal", ".key")]
        for path in (*self.sheets, *beside, self.database, *self.mail.glob("*.eml")):
            path.unlink(missing_ok=True)


def _is_rehearsal(url: str) -> bool:
    engine = open_engine(url)
    try:
        connection = Connection(engine)
        try:
            return registry.setting(connection, "rehearsal") == "yes"
        finally:
            connection.close()
    except (SQLAlchemyError, *DRIVER_ERRORS):
        return False
    finally:
        engine.dispose()


def write_roster(path: Path, rows: Iterable[Cells]) -> None:
    """Write a roster under its Chinese headers."""
    write_sheet(path, ROSTER_COLUMNS, rows)


def write_fact_sheet(path: Path, rows: Iterable[Cells]) -> None:
    """Write a sheet of facts; columns nobody fills are left out."""
    given = list(rows)
    used = {key for row in given for key in row}
    write_sheet(path, [column for column in FACT_COLUMNS if column.key in used], given)


def faults_of_roster(sitting: Sitting, path: Path) -> tuple[Fault, ...]:
    """What is wrong with a roster; reading it writes nothing."""
    return read_roster(path, on_file(sitting.desk), sitting.today, create_units=True).faults


def take_in_roster(sitting: Sitting, path: Path, actor: Actor) -> Enrolled:
    """Read a sound roster: make the branches and teaching points it names, open every student's record."""
    known = on_file(sitting.desk)
    rows = read_roster(path, known, sitting.today, create_units=True).rows
    add_units(sitting.desk, unit_rows(sitting.desk, new_units(rows, known)), at=sitting.at, actor=SETUP)
    return enrol(sitting.desk, [_enrolment(row) for row in rows], sitting.request("open_record", actor))


def take_in_facts(sitting: Sitting, path: Path, actor: Actor) -> FactsWritten:
    """Read a sound sheet of facts and write what it says."""
    sheet = read_facts(path, on_file(sitting.desk), sitting.today)
    said: dict[str, Mapping[str, Json]] = {row.student_no: row.facts for row in sheet.rows}
    return write_facts(sitting.desk, said, sitting.request("facts", actor))


def _enrolment(row: RosterRow) -> Enrolment:
    return Enrolment(student_no=row.student_no, unit=row.site_code, facts=row.facts)
