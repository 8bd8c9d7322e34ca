"""The commands that take sheets in: rosters, facts, tables (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import As, caller_for
from console.step_commands import AsJson, DryRun

AsOrNot = Annotated[str | None, typer.Option("--as", metavar="USER", help="以谁的身份 In whose name; default: import.")]
Sheet = Annotated[Path, typer.Argument(metavar="FILE", help=".xlsx 文件 The workbook.")]
TableName = Annotated[str, typer.Argument(metavar="NAME", help="表 The table, such as major_offers.")]
TableFile = Annotated[Path, typer.Argument(metavar="FILE", help=".xlsx 或 .csv 文件 The sheet.")]


def import_roster(
    ctx: typer.Context,
    file: Sheet,
    *,
    login: AsOrNot = None,
    create_units: Annotated[bool, typer.Option("--create-units", help="添加新的分校和教学点 Add new units.")] = False,
    no_record: Annotated[bool, typer.Option("--no-record", help="录取名单，不建学籍 Candidates: no record.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """导入学生名册，建立学籍。Take in a roster and open the records."""
    from console import importing

    asked = importing.Import(
        path=file, login=login, dry_run=dry_run, as_json=as_json, create_units=create_units,
        opens_record=not no_record,
    )  # fmt: skip
    return importing.import_roster(caller_for(ctx), asked)


def import_facts(
    ctx: typer.Context, file: Sheet, *, login: AsOrNot = None, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """导入学生信息（成绩、照片、费用等）。Take in what is newly known about students."""
    from console import importing

    asked = importing.Import(path=file, login=login, dry_run=dry_run, as_json=as_json)
    return importing.import_facts(caller_for(ctx), asked)


def import_table(
    ctx: typer.Context, name: TableName, file: TableFile, *, login: As, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """导入参考表（开设专业、专业规则等），整表替换。Take in a table; the sheet becomes the whole of it."""
    from console import table_importing

    asked = table_importing.TableImport(name=name, path=file, login=login, dry_run=dry_run, as_json=as_json)
    return table_importing.import_table(caller_for(ctx), asked)
