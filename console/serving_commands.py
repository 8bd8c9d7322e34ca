"""The command that serves the console (`console.commands`)."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    ctx: typer.Context,
    *,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="监听 Where to listen.")] = "127.0.0.1:8000",
    work: Annotated[bool, typer.Option("--work/--no-work", help="同时提醒与封存 Remind and seal beside it.")] = True,
) -> int:
    """打开网页控制台，直至收到 SIGTERM。Serve the console until told to end."""
    from console.calling import caller_of
    from console.serving import Serving
    from console.serving import serve as open_house

    database, now = ctx.obj
    return open_house(caller_of(database, now), Serving(listen, work))
