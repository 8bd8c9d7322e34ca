"""The commands about definitions: a first draft, what differs, publishing by two, moving open cases over.

Source: the contract of the command line (design, section 9); `console.commands`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import As, caller_for

AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document on standard output.")]
Number = Annotated[int, typer.Argument(metavar="NO", min=1, help="发布的编号 The publication's number.")]
Reason = Annotated[str, typer.Option(metavar="R", help="理由，4—500 字，随发布保存 Why; it is kept with it.")]
CheckOnly = Annotated[bool, typer.Option("--dry-run", help="只检查，不写入 Check only, and write nothing.")]


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


def propose(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="workflows、rules 下的文件或消息模板 A definition or a template.")
    ],
    *,
    login: As,
    reason: Reason,
    day: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="生效日期 Default: the earliest possible.")
    ] = None,
    installed: Annotated[
        bool, typer.Option("--installed", help="消息模板用回安装的文字 A template as it is installed again.")
    ] = False,
    dry_run: CheckOnly = False,
    as_json: AsJson = False,
) -> int:
    """提交定义、日历、学期、批次文件或消息模板，待另一人批准。Submit a file; another person approves it."""
    from console import publications

    asked = publications.Proposing(file=file, login=login, reason=reason, day=day, is_back=installed)
    return publications.propose(caller_for(ctx), asked, dry_run=dry_run, as_json=as_json)


def approve(
    ctx: typer.Context, number: Number, *, login: As, dry_run: CheckOnly = False, as_json: AsJson = False
) -> int:
    """批准他人提交的发布。Publish what another person has submitted."""
    from console import publications

    return publications.approve(caller_for(ctx), number, login, dry_run=dry_run, as_json=as_json)


def refuse(ctx: typer.Context, number: Number, *, login: As, reason: Reason, as_json: AsJson = False) -> int:
    """不同意他人提交的发布。Say no to what another person has submitted."""
    from console import publications

    return publications.refuse(caller_for(ctx), number, login, reason, as_json=as_json)


def withdraw(ctx: typer.Context, number: Number, *, login: As, as_json: AsJson = False) -> int:
    """收回本人提交、尚未批准的发布。Take back one's own, as long as nobody has decided on it."""
    from console import publications

    return publications.withdraw(caller_for(ctx), number, login, as_json=as_json)


def list_(
    ctx: typer.Context,
    *,
    waiting: Annotated[bool, typer.Option("--waiting", help="只看待批准的 Only those to be decided on.")] = False,
    as_json: AsJson = False,
) -> int:
    """已提交的发布及其结果。What was submitted, and what became of it."""
    from console import publications

    return publications.show_all(caller_for(ctx), waiting=waiting, as_json=as_json)


def show(ctx: typer.Context, number: Number, *, as_json: AsJson = False) -> int:
    """一项发布：差别、影响、何人何时。One publication: what differs, whom it touches, who and when."""
    from console import publications

    return publications.show(caller_for(ctx), number, as_json=as_json)


def publications_in(group: typer.Typer, answering: Callable[[Callable[..., int]], Callable[..., None]]) -> typer.Typer:
    """The group of commands of publishing by two, each ended by its exit code."""
    group.command()(answering(propose))
    group.command()(answering(approve))
    group.command()(answering(refuse))
    group.command()(answering(withdraw))
    group.command("list")(answering(list_))
    group.command()(answering(show))
    return group
