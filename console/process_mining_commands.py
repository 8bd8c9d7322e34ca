"""The commands that give the trail and the workflows to other tools (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import As, caller_for

LogFile = Annotated[Path, typer.Argument(metavar="FILE", help="写入的文件 The file to write.")]
InBatch = Annotated[str | None, typer.Option("--batch", metavar="B", help="只含此批次 Cases of this batch only.")]
OfWorkflow = Annotated[str | None, typer.Option("--workflow", metavar="W", help="只含此流程 This workflow only.")]
WithNames = Annotated[bool, typer.Option("--names", help="写明登录名与学生，不用化名 Logins and students as they are.")]
Format = Annotated[str, typer.Option("--as", metavar="FORMAT", help="svg、mermaid、bpmn")]


def audit_xes(
    ctx: typer.Context,
    file: LogFile,
    *,
    login: As,
    batch: InBatch = None,
    workflow: OfWorkflow = None,
    names: WithNames = False,
    refusals: Annotated[bool, typer.Option("--refusals", help="含未通过的 Refusals as well.")] = False,
) -> int:
    """导出 XES 事件日志（IEEE 1849），供流程挖掘软件使用。An event log for process mining; gzipped as .xes.gz."""
    from console import process_mining

    asked = process_mining.LogAsked(
        path=file, login=login, batch=batch, workflow=workflow, names=names, refusals=refusals
    )
    return process_mining.export_xes(caller_for(ctx), asked)


def audit_ocel(
    ctx: typer.Context,
    file: LogFile,
    *,
    login: As,
    batch: InBatch = None,
    workflow: OfWorkflow = None,
    names: WithNames = False,
) -> int:
    """导出 OCEL 2.0 对象中心事件日志（JSON）。An object-centric event log: students, cases, lists, units."""
    from console import process_mining

    asked = process_mining.LogAsked(path=file, login=login, batch=batch, workflow=workflow, names=names)
    return process_mining.export_ocel(caller_for(ctx), asked)


def draw(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="流程或其代号，如 W-01 The workflow, or its id.")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="文件，默认标准输出 Default: printed.")] = None,
    *,
    form: Format,
    profile: Annotated[
        str | None, typer.Option(metavar="P", help="办学类型，默认文件所写的 Default: the file's.")
    ] = None,
    case: Annotated[
        str | None, typer.Option("--case", metavar="NO", help="标出此办件的经过 The way of a case.")
    ] = None,
) -> int:
    """画出流程图：SVG、Mermaid 或 BPMN 2.0。Draw a workflow."""
    from console import picturing

    return picturing.draw(
        caller_for(ctx), picturing.Wanted(workflow=workflow, profile=profile, form=form, case=case), file
    )
