"""A small school at the counter: two teaching points, six students, four people, and `xueji` to work with."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from console.commands import app
from exchange.cells import Cell
from exchange.fact_sheets import FACT_COLUMNS
from exchange.invented import PAIRS_OF_BATCH, invent_sites, invent_students
from exchange.rosters import ROSTER_COLUMNS
from exchange.templates import write_sheet

NOW = "2024-05-13T09:30"
SITES = invent_sites(1, 2)
ROSTER = [
    one.roster
    for one in invent_students(40, 1, SITES)
    if (int(one.roster["cohort"]), one.roster["level"]) in PAIRS_OF_BATCH
][:6]
NUMBERS = sorted(row["student_no"] for row in ROSTER)
GOOD: Mapping[str, Cell] = {
    "prior_qualification": "符合", "key_info_confirmed": "是", "terms_required": 5, "terms_passed": 5,
    "level_exam": "合格", "photo_collected": "是", "photo_review": "通过", "identity_check": "通过",
    "photo_vendor": "新华社", "fee_owed": "0.00", "card_filled": "是", "form_filled": "是", "form_signed": "是",
    "file_reviewed": "是", "site_opinion": "是", "electronic_photo": "是", "preliminary_passed": "是",
    "unified_exam_passed": "是", "unified_exam_synced": "是", "conclusion": "毕业",
}  # fmt: skip
OWES, UNKNOWN = NUMBERS[0], NUMBERS[1]
"""One owes 120.50 yuan, of one nobody knows whether anything is owed; the other four are in order."""
READY = NUMBERS[2:]
FACTS: list[Mapping[str, Cell]] = [
    {**GOOD, "student_no": number, "fee_owed": {OWES: "120.50", UNKNOWN: ""}.get(number, "0.00")} for number in NUMBERS
]
PEOPLE = (
    ("rec", "records_section", "SX"),
    *((login, role, site.code) for site in SITES for login, role in (("op", "site_operator"), ("ap", "site_approver"))),
    ("both", "site_operator", SITES[0].code),
    ("both", "site_approver", SITES[0].code),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """`xueji` on one database, in one folder."""

    url: str
    folder: Path

    def xueji(self, *words: str, now: str | None = NOW) -> Result:
        """Run one command; whatever goes wrong inside it is raised here."""
        clock = () if now is None else ("--now", now)
        return CliRunner().invoke(app, ["--database", self.url, *clock, *words], catch_exceptions=False)

    def document(self, *words: str, code: int = 0) -> Any:
        """The one document a command prints with `--json`."""
        result = self.xueji(*words, "--json")
        assert result.exit_code == code, result.stderr
        return json.loads(result.stdout)

    def sheet(self, name: str, rows: Sequence[Mapping[str, Cell]]) -> str:
        """Write a workbook: a roster if its rows have names, else facts."""
        path = self.folder / name
        write_sheet(path, ROSTER_COLUMNS if "name" in rows[0] else FACT_COLUMNS, rows)
        return str(path)

    def set_up(self) -> "Counter":
        """The database, the people and the batch, without students."""
        self.done("init", "--rehearsal", "--profile", "online-ed")
        self.done("unit", "add", "SX", "示范省校", "--kind", "province")
        self.done("unit", "add", SITES[0].branch_code, SITES[0].branch, "--kind", "branch", "--parent", "SX")
        for site in SITES:
            self.done("unit", "add", site.code, site.name, "--kind", "site", "--parent", site.branch_code)
        for login, role, unit in PEOPLE:
            self.done("user", "add", login, "--role", role, "--unit", unit)
        self.done("batch", "publish", "2024-06", "--as", "rec")
        return self

    def enrol(self) -> "Counter":
        """The students and what is known of them."""
        self.done("import", "roster", self.sheet("roster.xlsx", ROSTER))
        self.done("import", "facts", self.sheet("facts.xlsx", FACTS))
        return self

    def done(self, *words: str) -> Result:
        """Run a command that must succeed."""
        result = self.xueji(*words)
        assert result.exit_code == 0, result.output
        return result

    def copied(self, folder: Path) -> "Counter":
        """The same database in another folder."""
        for file in self.folder.glob("xueji.db*"):
            shutil.copy(file, folder)
        return Counter(url=f"sqlite:///{folder / 'xueji.db'}", folder=folder)


def altered(rows: Sequence[Mapping[str, Cell]], place: int, **cells: Cell) -> list[Mapping[str, Cell]]:
    """Rows with some cells of one of them changed."""
    return [{**row, **cells} if at == place else row for at, row in enumerate(rows)]
