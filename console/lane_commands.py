"""The commands about lanes, in which queues are sorted (`console.commands`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from console.people_commands import caller_for


def rebuild(
    ctx: typer.Context,
    *,
    login: Annotated[str, typer.Option("--as", metavar="USER", help="以谁的身份办理 In whose name.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说哪些会变 Say only what would change.")] = False,
) -> int:
    """按办件、信息与留痕重新生成待办分栏与经办记录。Make the lanes of all queues anew from cases and trail."""
    from console import lanes

    return lanes.make_anew(caller_for(ctx), login, dry_run=dry_run)


def lanes_in(group: typer.Typer, answering: Callable[[Callable[..., int]], Callable[..., None]]) -> typer.Typer:
    """The group of commands, each ended by its exit code."""
    group.command()(answering(rebuild))
    return group
