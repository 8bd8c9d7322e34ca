"""The commands about deadlines: which run, another date, counting anew (`console.commands`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from console.people_commands import caller_for

As = Annotated[str, typer.Option("--as", metavar="USER", help="以谁的身份办理 In whose name.")]
AsOrNot = Annotated[str | None, typer.Option("--as", metavar="USER", help="其单位及下级 At whose units and below.")]
OfBatch = Annotated[str | None, typer.Option("--batch", metavar="B", help="批次 Of a batch.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只计数，不写入 Count, and write nothing.")]


def list_(
    ctx: typer.Context,
    *,
    login: AsOrNot = None,
    batch: OfBatch = None,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document.")] = False,
) -> int:
    """正在运行的期限。The deadlines that run."""
    from console import deadlines

    return deadlines.show(caller_for(ctx), login, batch, as_json=as_json)


def extend(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[STUDENT_NO] NAME DATE", help="学号或单位（批次不写）、期限、日期 About whom, what, until."
        ),
    ],
    *,
    reason: Annotated[str, typer.Option(metavar="R", help="理由，明文留痕 Why; it stands in the trail.")],
    login: As,
    case: Annotated[str | None, typer.Option("--case", metavar="NO", help="办件号 The case.")] = None,
    batch: OfBatch = None,
    dry_run: DryRun = False,
) -> int:
    """延期或改期，一案或整批。Another date for a deadline, of one case or of all of a batch."""
    from console import deadlines
    from console.calling import Misuse

    wanted = 3 if batch is None else 2
    if len(words) != wanted or (batch is None and dry_run) or (batch is not None and case is not None):
        message = (
            "请写 学号 期限 日期，或 --batch B 期限 日期（仅批次可 --dry-run）。"
            " Give STUDENT_NO NAME DATE, or --batch B NAME DATE (only a batch takes --dry-run)."
        )
        raise Misuse(message)
    *about, name, due = words
    asked = deadlines.Extension(
        name=name, due=due, login=login, reason=reason, about="".join(about), case=case, batch=batch,
    )  # fmt: skip
    return deadlines.extend(caller_for(ctx), asked, dry_run=dry_run)


def recount(ctx: typer.Context, *, login: As, dry_run: DryRun = False) -> int:
    """放假通知公布后重新推算。Count all dates anew after a holiday notice."""
    from console import deadlines

    return deadlines.count_anew(caller_for(ctx), login, dry_run=dry_run)


def deadlines_in(group: typer.Typer, answering: Callable[[Callable[..., int]], Callable[..., None]]) -> typer.Typer:
    """The group of commands, each ended by its exit code."""
    group.command("list")(answering(list_))
    group.command()(answering(extend))
    group.command()(answering(recount))
    return group
