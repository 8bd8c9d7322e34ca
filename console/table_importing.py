"""Taking in a table that others maintain: read whole, judged whole, and then the whole of it, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.calling import Caller, Sitting
from console.importing import readable, show_cells
from console.printing import document, line
from engine.errors import Unknown
from engine.scopes import choice_titles
from engine.tabling import TableChange, replace_table
from exchange.faults import Sheet
from exchange.tables import TableRow, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class TableImport:
    """What was asked for: the table, the sheet, in whose name, and how."""

    name: str
    path: Path
    login: str
    dry_run: bool
    as_json: bool


def import_table(caller: Caller, asked: TableImport) -> int:
    """Make a sheet the whole of a table; every faulty cell is named, and then nothing is written.

    Raises:
        Unknown: If there is no such table or user.
        Misuse: If the file is no sheet.
    """
    with caller.sitting() as sitting:
        sheet = _read(sitting, asked)
        change = _keep(sitting, asked, sheet) if sheet.ok else None
        if asked.as_json:
            document(_document(asked, sheet, change))
        else:
            _tell(asked, sheet, change)
        return 0 if sheet.ok else 1


def _read(sitting: Sitting, asked: TableImport) -> Sheet[TableRow]:
    vocabulary = sitting.desk.library.rulebook.vocabulary
    if asked.name not in vocabulary.tables:
        raise Unknown("表 table", asked.name, vocabulary.tables)
    table, titles = vocabulary.tables[asked.name], choice_titles(vocabulary)
    return readable(asked.path, lambda: read_table(asked.path, table, vocabulary.student, titles))


def _keep(sitting: Sitting, asked: TableImport, sheet: Sheet[TableRow]) -> TableChange:
    desk = sitting.desk
    actor = desk.actor(asked.login)
    if not asked.dry_run:
        desk.publish(sitting.at, actor.login)
    rows = [row.values for row in sheet.rows]
    return replace_table(desk, asked.name, rows, sitting.request("import_table", actor), dry_run=asked.dry_run)


def _document(asked: TableImport, sheet: Sheet[TableRow], change: TableChange | None) -> dict[str, object]:
    return {
        "table": asked.name,
        "rows": len(sheet.rows),
        "before": 0 if change is None else change.before,
        "added": 0 if change is None else change.added,
        "removed": 0 if change is None else change.removed,
        "faults": [one.as_document() for one in sheet.faults],
        "dry_run": asked.dry_run,
    }


def _tell(asked: TableImport, sheet: Sheet[TableRow], change: TableChange | None) -> None:
    if change is None:
        show_cells(sheet.faults, f"{asked.path.name}：{len(sheet.faults)} 处错误 faults")
        line("什么都没有写入；改正后请重新导入。Nothing was written; mend the sheet and import it again.", style="red")
    elif change.changes_nothing:
        line(f"{change.after} 行均与库中一致，没有任何变动。All rows are on file already: nothing changed.")
    else:
        verb = "预览，未写入 preview, nothing written" if asked.dry_run else "完成 done"
        line(
            f"{asked.name}（{verb}）：{change.before} → {change.after} 行 rows，"
            f"新增 {change.added} added，删除 {change.removed} removed"
        )
