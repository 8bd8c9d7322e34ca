"""The commands that copy a database and put it back (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="备份目录 The folder of the backup.")]


def backup(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="备份目录，省略则在 XUEJI_BACKUPS 下按时间新建 Default: the next one there."
        ),
    ] = None,
    *,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=1, help="核对后只留最近 N 份 Keep the newest N, once it is verified."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只说会备份到哪里、删去哪些 Only say where, and which would go.")
    ] = False,
) -> int:
    """备份数据库，读回并逐条重放核对。Back up the database; read back and replayed before it is called one."""
    from console.backups import backup as make_backup
    from console.backups import backup_next
    from console.calling import Misuse, caller_of

    database, now = ctx.obj
    if folder is None:
        return backup_next(caller_of(database, now), keep, dry_run=dry_run)
    if keep is not None or dry_run:
        message = (
            "--keep 和 --dry-run 只用于 XUEJI_BACKUPS 下的备份，不能同时写目录。"
            " --keep and --dry-run are for the backups in XUEJI_BACKUPS: name no folder."
        )
        raise Misuse(message)
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
