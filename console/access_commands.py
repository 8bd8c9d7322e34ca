"""The commands by which people are let in and kept out (`console.commands`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from console.calling import Caller

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="登录名 The login.")]


def _caller(ctx: typer.Context) -> Caller:
    from console.calling import caller_of

    return caller_of(*ctx.obj)


def user_password(
    ctx: typer.Context,
    login: Login,
    *,
    file: Annotated[
        Path | None, typer.Option("--password-file", metavar="FILE", help="从文件首行读取 From a file's first line.")
    ] = None,
) -> int:
    """设置密码，在终端输入。Set a person's password; it is asked for."""
    from console import accounts

    return accounts.set_password(_caller(ctx), login, file)


def user_activate(ctx: typer.Context, login: Login) -> int:
    """生成一次性激活码，由本人设置密码。Print a code by which a person sets the password, once."""
    from console import accounts

    return accounts.activate(_caller(ctx), login)


def user_disable(ctx: typer.Context, login: Login) -> int:
    """停用，立即退出登录。Keep a person out, and sign out at once."""
    from console import accounts

    return accounts.disable(_caller(ctx), login)


def user_enable(ctx: typer.Context, login: Login) -> int:
    """恢复停用的用户。Let a person in again."""
    from console import accounts

    return accounts.enable(_caller(ctx), login)


def user_totp(
    ctx: typer.Context,
    login: Login,
    *,
    reset: Annotated[
        bool, typer.Option("--reset", help="清除，手机丢失时用 Forget it: the telephone is lost.")
    ] = False,
) -> int:
    """清除动态口令，下次登录时重新绑定。Forget a person's second factor."""
    from console import accounts
    from console.calling import Misuse

    if not reset:
        message = "动态口令由本人登录时绑定；清除请加 --reset。People set their own; add --reset to forget one."
        raise Misuse(message)
    return accounts.reset_second_factor(_caller(ctx), login)


def user_token(
    ctx: typer.Context,
    login: Login,
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="用途 What it is for.")],
    scope: Annotated[list[str], typer.Option(metavar="SCOPE", help="范围 read, decide, import, audit, admin.")],
    days: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=366,
            help="有效天数，默认 90，含 admin 最多 30 For how many days: 90, with admin 30.",
        ),
    ] = None,
) -> int:
    """为程序生成接口令牌，只显示一次。Make a token for a program; it is shown once."""
    from console import accounts

    return accounts.make_token(_caller(ctx), login, name, scope, days)


def user_tokens(
    ctx: typer.Context,
    login: Login,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document.")] = False,
) -> int:
    """查看接口令牌：用途、范围、有效期、最近使用。A person's tokens; never the token itself."""
    from console import accounts

    return accounts.show_tokens(_caller(ctx), login, as_json=as_json)


def user_revoke_token(
    ctx: typer.Context,
    login: Login,
    name: Annotated[str, typer.Argument(metavar="NAME", help="用途 What it was made for.")],
) -> int:
    """作废接口令牌，立即生效。End a token at once."""
    from console import accounts

    return accounts.revoke_tokens(_caller(ctx), login, name)


def access_in(group: typer.Typer, answering: Callable[[Callable[..., int]], Callable[..., None]]) -> None:
    """Put the commands into the group about people."""
    for name, command in (
        ("password", user_password),
        ("activate", user_activate),
        ("disable", user_disable),
        ("enable", user_enable),
        ("totp", user_totp),
        ("token", user_token),
        ("tokens", user_tokens),
        ("revoke-token", user_revoke_token),
    ):
        group.command(name)(answering(command))
