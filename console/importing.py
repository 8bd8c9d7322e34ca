"""Taking sheets in: read whole, judged whole, kept whole under a number (批号), or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from console.calling import Caller, Misuse, Sitting
from console.documents import Document, fact_refusal
from console.on_file import on_file, unit_rows
from console.printing import document, line, note, progress, shortened, table, verdicts
from console.taking_in import Effect, enrolments
from console.taking_in_findings import Findings
from console.taking_in_kinds import CREATE_UNITS, FACTS, NO_RECORD, ROSTER
from console.taking_in_whole import run_at_keyboard, settle_found
from engine.actors import IMPORT, Actor
from engine.desk import Desk
from engine.enrolling import RosterRefused, enrol
from engine.facts import FactRefusal, keep_refusals, write_facts
from engine.organisation import add_units
from engine.records import Json
from engine.store import import_runs
from engine.store.import_runs import Run
from exchange.fact_sheets import FactRow, facts_in
from exchange.faults import Fault, Sheet
from exchange.known import Known
from exchange.refusals import SheetRefused
from exchange.rosters import RosterRow, new_units, roster_in
from exchange.tables import TableRow
from exchange.workbooks import content_of, read_first_sheet_of

_MOST_SHOWN = 100
"""Rows of a table of faults on screen; `--json` has all."""
_MOST_EXPLAINED = 10
"""Students whose refusal is explained rule by rule on screen."""

Row = TypeVar("Row", RosterRow, FactRow, TableRow)
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What was asked for: the sheet, in whose name, and how."""

    path: Path
    login: str | None
    dry_run: bool
    as_json: bool
    create_units: bool = False
    opens_record: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What an import did, or would do."""

    opened: int
    changed: int
    unchanged: int
    refused: tuple[FactRefusal, ...]
    added: int = 0
    units: int = 0
    number: str | None = None

    @property
    def nothing(self) -> bool:
        return not (self.opened or self.added or self.changed or self.refused)


_NONE = _Counts(opened=0, changed=0, unchanged=0, refused=())


class _NotKept(Exception):
    """Ends the transaction of a dry run: an ending, no error."""


def import_roster(caller: Caller, asked: Import) -> int:
    """Take in a roster; every faulty cell is named, and then nothing is written."""
    with caller.sitting() as sitting:
        # Who is on file is asked in bulk when enrolling; asking row by row here would cost a query each.
        known = replace(on_file(sitting.desk), students={})
        body = readable(asked.path, lambda: content_of(asked.path))
        sheet = readable(asked.path, lambda: _roster(body, known, sitting, asked))
        done = _enrol(sitting, asked, _run(sitting, asked, ROSTER, body), sheet.rows, known) if sheet.ok else _NONE
        return _answer(sitting.desk, asked, sheet, done)


def import_facts(caller: Caller, asked: Import) -> int:
    """Take in a sheet of facts; every faulty cell is named, and then nothing is written."""
    with caller.sitting() as sitting:
        known = on_file(sitting.desk)
        body = readable(asked.path, lambda: content_of(asked.path))
        sheet = readable(asked.path, lambda: facts_in(read_first_sheet_of(body), known, sitting.today))
        done = _write_facts(sitting, asked, _run(sitting, asked, FACTS, body), sheet.rows) if sheet.ok else _NONE
        return _answer(sitting.desk, asked, sheet, done)


def _roster(body: bytes, known: Known, sitting: Sitting, asked: Import) -> Sheet[RosterRow]:
    return roster_in(read_first_sheet_of(body), known, sitting.today, create_units=asked.create_units)


def readable(path: Path, read: Callable[[], Read]) -> Read:
    """Read a sheet; a file that is none is the caller's mistake, told by its name.

    Raises:
        Misuse: If it cannot be read as a sheet at all.
    """
    try:
        return read()
    except SheetRefused as refused:
        name = "" if path.name in refused.reason.zh else f"{path.name}："
        message = f"{name}{refused.reason.zh}。{refused.reason.en}."
        raise Misuse(message) from refused


def _actor(sitting: Sitting, asked: Import) -> Actor:
    return IMPORT if asked.login is None else sitting.desk.actor(asked.login)


def _run(sitting: Sitting, asked: Import, kind: str, body: bytes) -> Run:
    """The run of the bytes that were read: the file may be saved again, or gone, before all of it is kept."""
    options = [CREATE_UNITS] if asked.create_units else []
    options += [] if asked.opens_record else [NO_RECORD]
    login = asked.login or IMPORT.login
    return run_at_keyboard(kind, " ".join(options), login, (asked.path.name, body), sitting.at)


def _enrol(sitting: Sitting, asked: Import, run: Run, rows: Sequence[RosterRow], known: Known) -> _Counts:
    """Units and records in one transaction, so that a refused roster leaves no empty teaching point behind."""
    desk, actor = sitting.desk, _actor(sitting, asked)
    done = _NONE
    try:
        with desk.connection.writing(), progress(len(rows), "建立学籍 opening records") as advance:
            desk.publish(sitting.at, actor.login)
            units = unit_rows(desk, new_units(rows, known))
            add_units(desk, units, at=sitting.at, actor=actor.login)
            request = sitting.request("open_record", actor)
            one = enrol(
                desk, enrolments(rows), request, opens_record=asked.opens_record, dry_run=asked.dry_run,
                progress=advance,
            )  # fmt: skip
            done = _Counts(
                opened=one.opened,
                changed=one.changed,
                unchanged=one.unchanged,
                refused=one.refused,
                added=one.added,
                units=len(units),
            )
            done = _numbered(sitting, asked, run, len(rows), done)
            _end(keeps=not asked.dry_run)
    except RosterRefused as refused:  # units and all were taken back, and with them what the chains said of it
        done = _Counts(opened=0, changed=0, unchanged=0, refused=refused.refused)
        with desk.connection.writing():
            keep_refusals(desk, refused.refused, sitting.request("roster", actor))
    except _NotKept:
        desk.refresh()
    return done


def _end(*, keeps: bool) -> None:
    if not keeps:
        raise _NotKept


def _write_facts(sitting: Sitting, asked: Import, run: Run, rows: Sequence[FactRow]) -> _Counts:
    desk, actor = sitting.desk, _actor(sitting, asked)
    facts: dict[str, Mapping[str, Json]] = {row.student_no: row.facts for row in rows}
    with desk.connection.writing(), progress(len(rows), "写入信息 writing facts") as advance:
        request = sitting.request("facts", actor)
        done = write_facts(desk, facts, request, dry_run=asked.dry_run, progress=advance)
        if done.refused and not asked.dry_run:
            return _Counts(opened=0, changed=0, unchanged=0, refused=done.refused)
        counts = _Counts(opened=0, changed=done.changed, unchanged=done.unchanged, refused=done.refused)
        return _numbered(sitting, asked, run, len(rows), counts)


def _numbered(sitting: Sitting, asked: Import, run: Run, rows: int, done: _Counts) -> _Counts:
    """The same with the number of the run, which is kept with it; call inside the transaction that keeps the sheet.

    What says nothing new is no run, as on the page.
    """
    if asked.dry_run or done.nothing:
        return done
    effect = Effect(
        opened=done.opened, added=done.added, changed=done.changed, unchanged=done.unchanged, units=done.units
    )
    import_runs.add_run(sitting.desk.connection, run, b"")
    found = Findings(rows=rows, good=rows, counts=effect.counts)
    return replace(done, number=settle_found(sitting.desk, run, found, sitting.at).number)


def _answer(desk: Desk, asked: Import, sheet: Sheet[Row], done: _Counts) -> int:
    if asked.as_json:
        document(_document(asked, sheet, done))
    else:
        _tell(desk, asked, sheet, done)
    return 1 if sheet.faults or done.refused else 0


def _document(asked: Import, sheet: Sheet[Row], done: _Counts) -> Document:
    return {
        "rows": len(sheet.rows),
        "number": done.number,
        "opened": done.opened,
        "added": done.added,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "faults": [one.as_document() for one in sheet.faults],
        "warnings": [one.as_document() for one in sheet.warnings],
        "refused": [fact_refusal(one) for one in done.refused],
        "dry_run": asked.dry_run,
    }


def _tell(desk: Desk, asked: Import, sheet: Sheet[Row], done: _Counts) -> None:
    if sheet.warnings:
        show_cells(sheet.warnings, f"请核对 {len(sheet.warnings)} 处 to check")
    if sheet.faults:
        show_cells(sheet.faults, f"{asked.path.name}：{len(sheet.faults)} 处错误 faults")
        line("什么都没有写入；改正后请重新导入。Nothing was written; mend the sheet and import it again.", style="red")
        return
    if done.refused:
        explain(desk, done.refused)
        line(f"{len(done.refused)} 名学生不符合条件，什么都没有写入。Refused; nothing was written.", style="red")
        return
    _sum_up(asked, done, len(sheet.rows))


def _sum_up(asked: Import, done: _Counts, rows: int) -> None:
    if done.nothing:
        line(f"{rows} 行均与库中一致，没有任何变动。All {rows} rows are on file already: nothing changed.")
        return
    verb = "预览，未写入 preview, nothing written" if asked.dry_run else "完成 done"
    opened = f"建立学籍 {done.opened} opened，" if done.opened else ""
    opened = f"{opened}新增学生（无学籍）{done.added} added without a record，" if done.added else opened
    line(f"{rows} 行（{verb}）：{opened}变更 {done.changed} changed，不变 {done.unchanged} unchanged")
    if done.number is not None:
        line(f"批号 number {done.number}")


def show_cells(cells: Sequence[Fault], title: str) -> None:
    """One line for each thing to mend; the same value wrong for the same reason in many rows is one thing."""
    alike: dict[object, list[Fault]] = {}
    for one in cells:
        alike.setdefault((one.column, one.value, one.reason) if one.value else one.cell, []).append(one)
    rows = [
        (some[0].row, some[0].column, some[0].cell, some[0].value, _reason(some)) for some in alike.values()
    ]  # fmt: skip
    table(("行 row", "列 column", "单元格 cell", "值 value", "原因 reason"), rows[:_MOST_SHOWN], title)
    if len(rows) > _MOST_SHOWN:
        note(f"只列出前 {_MOST_SHOWN} 处，全部见 --json。The first {_MOST_SHOWN}; --json has all {len(rows)}.")


def _reason(alike: Sequence[Fault]) -> str:
    reason = alike[0].reason
    others = [str(one.row) for one in alike[1:]]
    also = f"\n亦见于 also in rows {shortened(others, 10)}" if others else ""
    return f"{reason.zh}\n{reason.en}{also}"


def explain(desk: Desk, refused: Sequence[FactRefusal]) -> None:
    """Print of the first students whom rules refuse what each rule said."""
    for one in refused[:_MOST_EXPLAINED]:
        line(f"学号 {one.student_no}", style="bold")
        verdicts(one.verdicts, desk.library.rulebook.organisation.roles)
    if len(refused) > _MOST_EXPLAINED:
        note(f"只说明前 {_MOST_EXPLAINED} 名：{shortened([one.student_no for one in refused])}；全部 all: --json")
