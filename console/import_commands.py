"""The commands that take sheets in: rosters, facts, tables (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import As, caller_for
from console.step_commands import AsJson, DryRun

AsOrNot = Annotated[str | None, typer.Option("--as", metavar="USER", help="以谁的身份 In whose name; default: import.")]
Sheet = Annotated[Path, typer.Argument(metavar="FILE", help=".xlsx 文件 The workbook.")]
Package = Annotated[Path, typer.Argument(metavar="FILE", help="照片包 .zip The package.")]
Collections = Annotated[
    bool,
    typer.Option("--open-collections", help="没有照片采集的，一并建立 Open a photo collection where there is none."),
]
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


def import_photos(
    ctx: typer.Context,
    file: Package,
    *,
    login: As,
    open_collections: Collections = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """导入照片包，存入照片采集的办件。Take in a package of photographs, each onto its student's case."""
    from console.taking_in_kinds import OPEN_COLLECTIONS
    from console.taking_in_photos import PHOTOS

    options = (OPEN_COLLECTIONS,) if open_collections else ()
    return _file(ctx, PHOTOS, file, (login, *options), dry_run=dry_run, as_json=as_json)


def import_final_results(
    ctx: typer.Context, file: Sheet, *, login: As, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """导入终审结果，通过的完成学历注册。Take in the results of the final audit."""
    from console.taking_in_results import FINAL

    return _file(ctx, FINAL.name, file, (login,), dry_run=dry_run, as_json=as_json)


def import_provincial_results(
    ctx: typer.Context, file: Sheet, *, login: As, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """导入省校审核结果。Take in the results of the provincial audit."""
    from console.taking_in_results import PROVINCIAL

    return _file(ctx, PROVINCIAL.name, file, (login,), dry_run=dry_run, as_json=as_json)


def _file(ctx: typer.Context, kind: str, file: Path, how: tuple[str, ...], *, dry_run: bool, as_json: bool) -> int:
    """Take in a file; `how` is in whose name, and the options."""
    from console import file_importing

    login, *options = how
    asked = file_importing.FileImport(
        kind=kind, path=file, login=login, dry_run=dry_run, as_json=as_json, options=tuple(options)
    )
    return file_importing.import_file(caller_for(ctx), asked)
