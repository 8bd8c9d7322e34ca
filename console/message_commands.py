"""The commands about what people are told: an institution's own templates, and what a message looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.people_commands import caller_for


def messages_check(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="模板目录，缺省为现行的模板 Default: what is in force.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document.")] = False,
) -> int:
    """检查本单位的消息模板，逐处指出错误。Check an institution's templates: all faults, each with its place."""
    from console import message_view

    if folder is None:
        return message_view.check_in_force(caller_for(ctx), as_json=as_json)
    return message_view.check(folder, as_json=as_json)


def messages_show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="消息，如 approaching、digest The message.")],
    *,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="网页版写到 Its HTML, to a file.")] = None,
    under: Annotated[
        Path | None, typer.Option("--under", metavar="DIR", help="用此目录的模板，缺省为现行的 Default: in force.")
    ] = None,
) -> int:
    """用虚构的办件显示一种消息。Show a message as people get it, about an invented case."""
    from console import message_view

    made_with = message_view.in_force(caller_for(ctx)) if under is None else message_view.Under(under)
    return message_view.show(name, html, made_with)
