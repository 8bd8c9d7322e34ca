"""The commands that tell people: the worker, what is going to be told, and telling it once (`console.commands`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from console.calling import Caller

AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="MOMENT", help="以何时计，仅限演练库 As of when; rehearsals only.")
]
AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只试算，不写入 Count only, and write nothing.")]


def _caller(ctx: typer.Context, as_of: str | None = None) -> Caller:
    from console.calling import caller_of

    database, now = ctx.obj
    return caller_of(database, as_of or now)


def work(
    ctx: typer.Context,
    *,
    once: Annotated[bool, typer.Option("--once", help="只办一轮，供 cron 使用 One round, for cron.")] = False,
    status: Annotated[bool, typer.Option("--status", help="进程、时钟与邮件的状况 How things stand.")] = False,
    confirm_clock: Annotated[bool, typer.Option("--confirm-clock", help="确认时钟正确 The clock is right.")] = False,
) -> int:
    """持续提醒与发信，直至收到 SIGTERM。Remind people and send their mail until told to end."""
    from console import work as working

    if status:
        return working.show_status(_caller(ctx))
    if confirm_clock:
        return working.confirm_clock(_caller(ctx))
    return working.work(_caller(ctx), once=once)


def remind_plan(
    ctx: typer.Context,
    *,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=3660, help="天数 For how many days.")] = 7,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> int:
    """今后几天将提醒谁、何事、为何。Who is going to be told what, and why."""
    from console import reminding

    return reminding.plan(_caller(ctx, as_of), days, as_json=as_json)


def remind_run(ctx: typer.Context, *, as_of: AsOf = None, dry_run: DryRun = False, as_json: AsJson = False) -> int:
    """提醒一次：查期限、写信、发信。Remind once: look at deadlines, write mails, send them."""
    from console import reminding

    return reminding.run(_caller(ctx, as_of), dry_run=dry_run, as_json=as_json)
