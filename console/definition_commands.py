"""The commands about definitions: a first draft, what differs, moving open cases over (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import As, caller_for


def new(
    name: Annotated[str, typer.Argument(metavar="WORKFLOW", help="文件名，如 study-abroad The file's name.")],
    *,
    profile: Annotated[str, typer.Option(metavar="P", help="办学类型 The profile.")] = "generic",
    into: Annotated[Path, typer.Option(metavar="DIR", help="写到哪里 Where to write it.")] = Path(),
) -> int:
    """新建流程定义草稿，逐行有注释。Write a commented starting file for a workflow."""
    from console import defining

    return defining.new(name, profile, into)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="旧文件 The older file.")],
    later: Annotated[Path, typer.Argument(metavar="NEW", help="新文件 The later file.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON One JSON document.")] = False,
) -> int:
    """用句子说明两个版本的差别。Tell the difference between two versions of a workflow in sentences."""
    from console import defining

    return defining.diff(old, later, as_json=as_json)


def migrate(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="流程 The workflow.")],
    *,
    login: As,
    version: Annotated[int, typer.Option("--to", metavar="VERSION", help="升级到的版本 The version.")],
    profile: Annotated[str, typer.Option(metavar="P", help="办学类型 The profile.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看结果，不写入 Judge, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON One JSON document.")] = False,
) -> int:
    """将未办结的案件升级到新版本，逐件说明。Move open cases to a version, with a verdict for each."""
    from console import defining

    return defining.migrate_cases(
        caller_for(ctx), (workflow, profile, version), login, dry_run=dry_run, as_json=as_json
    )
