"""The commands about mails that have left, or have not (`console.commands`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from console.people_commands import As, caller_for


def mail_list(
    ctx: typer.Context,
    *,
    state: Annotated[
        str | None, typer.Option(metavar="S", help="状态，默认待核实的 Default: unknown and failed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document.")] = False,
) -> int:
    """查看邮件：各状态数量与待核实的邮件。How many mails are in each state, and which need a person."""
    from console import mailbox

    return mailbox.show_mails(caller_for(ctx), state, as_json=as_json)


def mail_unreachable(
    ctx: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document.")] = False,
) -> int:
    """查看无法通知的人员。Who can be told nothing, and what they have missed."""
    from console import mailbox

    return mailbox.show_unreachable(caller_for(ctx), as_json=as_json)


def mail_settle(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NO", min=1, help="邮件编号 The mail's number.")],
    verdict: Annotated[str, typer.Argument(metavar="VERDICT", help="accepted 已送达、again 重发、dropped 不发")],
    *,
    login: As,
    reason: Annotated[str, typer.Option(metavar="R", help="依据，明文留存 How you know; it is kept.")],
) -> int:
    """核实去向不明或未送达的邮件。Say what became of a mail that is unknown or failed."""
    from console import mailbox

    return mailbox.settle(caller_for(ctx), number, verdict, login, reason)


def mails_in(group: typer.Typer, answering: Callable[[Callable[..., int]], Callable[..., None]]) -> typer.Typer:
    """Put the commands about mails into a group."""
    group.command("list")(answering(mail_list))
    group.command("unreachable")(answering(mail_unreachable))
    group.command("settle")(answering(mail_settle))
    return group
