"""The commands that copy a database and put it back (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="备份目录 The folder of the backup.")]


def backup(ctx: typer.Context, folder: Folder) -> int:
    """备份数据库，读回并逐条重放核对。Back up the database; read back and replayed before it is called one."""
    from console.backups import backup as make_backup
    from console.calling import caller_of

    database, now = ctx.obj
    return make_backup(caller_of(database, now), folder)


def restore(
    ctx: typer.Context,
    folder: Folder,
    *,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="接受丢失备份之后的事件 Although later events are lost.")
    ] = False,
) -> int:
    """把备份恢复到尚无数据库的地址。Put a backup where no database is; checked whole."""
    from console.backups import restore as put_back
    from console.calling import caller_of

    database, now = ctx.obj
    return put_back(caller_of(database, now), folder, accept_loss=accept_loss)
