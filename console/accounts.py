"""Letting people in and keeping them out, from the command line: passwords, first use, second factors, disablement.

Nobody has a password before somebody gave one, and no password is ever printed: what is printed is a code for one use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import typer

from console.access import entering, passwords, programs
from console.access.handing_out import forget_second_factor, hand_out_code
from console.calling import SETUP, Caller, Misuse, Sitting
from console.printing import document, line, long_moment, note, table
from engine import organisation
from engine.errors import Unknown
from engine.records import Json
from engine.store import access, api_tokens, registry
from engine.store.api_tokens import TokenRow
from engine.tokens import end_tokens
from engine.trail.event import moment

_USUAL = 90
"""For how many days a token is good unless it is said, as far as its scopes allow."""


def set_password(caller: Caller, login: str, file: Path | None) -> int:
    """Give a person a password, asked for at the terminal or read from the first line of a file.

    Raises:
        Unknown: If there is no such account.
        WeakPassword: If it is not taken.
        Misuse: If the file cannot be read.
    """
    with _about(caller, login) as sitting:
        password = _asked() if file is None else _read(file)
        passwords.refuse_weak(password, login)
        kept = passwords.hashed(password)
        entering.replace_password(sitting.desk.connection, login, kept, sitting.at)
        line(f"用户 user {login}：密码已设，已在各处退出 password set, signed out everywhere")
    return 0


def activate(caller: Caller, login: str) -> int:
    """Print a code by which a person sets the first password, or another, once; the person is signed out at once.

    Raises:
        Unknown: If there is no such account.
    """
    with _about(caller, login) as sitting:
        handed = hand_out_code(sitting.desk, login, at=sitting.at, actor=SETUP)
        line(f"激活码 activation code：{handed.code}")
        note(
            f"请当面或可靠地交给 {login}，{entering.ACTIVATION.days} 日内在 {caller.settings.url}/activate 用一次。"
            f" Hand it to {login} safely; it is good once, for {entering.ACTIVATION.days} days."
        )
    return 0


def make_token(caller: Caller, login: str, name: str, scopes: Sequence[str], days: int | None) -> int:
    """Print a token by which a program acts for a person; it is kept as its hash alone.

    Raises:
        Unknown: If there is no such account, or no such scope.
        Unreadable: If it would be good for longer than one for such scopes can be.
    """
    span = min(timedelta(days=_USUAL), programs.longest(scopes)) if days is None else timedelta(days=days)
    with _about(caller, login) as sitting:
        made = programs.issue(sitting.desk, programs.Wish(login, name, scopes, span), sitting.at, SETUP)
        line(made)
        note(
            f"只显示这一次；{span.days} 天后失效；页面要再输动态口令的事，此令牌不能办。"
            f" Shown only now; good for {span.days} days; not for what pages ask a code for."
        )
    return 0


def show_tokens(caller: Caller, login: str, *, as_json: bool) -> int:
    """Show a person's tokens, newest first: what each is for and until when, never the token itself.

    Raises:
        Unknown: If there is no such account.
    """
    with _about(caller, login) as sitting:
        found = api_tokens.tokens_of(sitting.desk.connection, login)
        if as_json:
            document([_told(one) for one in found])
        elif found:
            table(
                ("用途 name", "范围 scopes", "至 until", "最近使用 used", "状况 standing"),
                [_row(one, sitting.at) for one in found],
            )
        else:
            line("没有接口令牌。No tokens.")
        account = access.credential(sitting.desk.connection, login)
        if account is not None and account.is_disabled:
            note("账号已停用，恢复之前令牌都不能用。The account is disabled: until it is enabled no token can be used.")
    return 0


def revoke_tokens(caller: Caller, login: str, name: str) -> int:
    """End a person's tokens of one name at once; a program that shows one is turned away from then on.

    Raises:
        Unknown: If there is no such account, or no token of that name that is good.
    """
    with _about(caller, login) as sitting:
        connection = sitting.desk.connection
        count = end_tokens(sitting.desk, login, name, at=sitting.at, actor=SETUP)
        if not count:
            good = {one.name for one in api_tokens.tokens_of(connection, login) if one.is_good(sitting.at)}
            raise Unknown("接口令牌 token", name, good)
        line(f"用户 user {login}：接口令牌“{name}”已作废 {count} 个 token(s) revoked")
    return 0


def _told(one: TokenRow) -> Json:
    moments = {"made": one.made_at, "until": one.expires_at, "used": one.used_at, "revoked": one.revoked_at}
    return {
        "name": one.name,
        "scopes": sorted(one.scopes),
        "proved": None if one.proved_at is None else moment(one.proved_at),
        **{name: None if at is None else moment(at) for name, at in moments.items()},
    }


def _row(one: TokenRow, at: datetime) -> tuple[str, ...]:
    used = "从未 never" if one.used_at is None else long_moment(one.used_at)
    ended = "已作废 revoked" if one.revoked_at is not None else "已过期 expired"
    standing = "有效 good" if one.is_good(at) else ended
    return one.name, " ".join(sorted(one.scopes)), long_moment(one.expires_at), used, standing


def disable(caller: Caller, login: str) -> int:
    """Keep a person out from now on; the person is signed out at once.

    Raises:
        Unknown: If there is no such account.
    """
    with _about(caller, login) as sitting:
        is_new = organisation.disable(sitting.desk, login, at=sitting.at, actor=SETUP)
        line(f"用户 user {login}：{'已停用并退出 disabled, signed out' if is_new else '原已停用 disabled already'}")
    return 0


def enable(caller: Caller, login: str) -> int:
    """Let a person in again.

    Raises:
        Unknown: If there is no such account.
    """
    with _about(caller, login) as sitting:
        is_new = organisation.enable(sitting.desk, login, at=sitting.at, actor=SETUP)
        line(f"用户 user {login}：{'已恢复 may sign in again' if is_new else '未曾停用 was not disabled'}")
    return 0


def reset_second_factor(caller: Caller, login: str) -> int:
    """Forget a person's second factor, whose telephone is lost; the person enrols another at the next sign-in.

    Raises:
        Unknown: If there is no such account.
    """
    with _about(caller, login) as sitting:
        forget_second_factor(sitting.desk, login, at=sitting.at, actor=SETUP)
        line(
            f"用户 user {login}：动态口令已清除，下次登录时重新绑定 second factor forgotten, to be set at next sign-in"
        )
    return 0


@contextmanager
def _about(caller: Caller, login: str) -> Iterator[Sitting]:
    """A sitting about somebody who has an account."""
    with caller.sitting() as sitting:
        connection = sitting.desk.connection
        if access.credential(connection, login) is None:
            raise Unknown("用户 user", login, registry.logins(connection))
        yield sitting


def _asked() -> str:
    said: str = typer.prompt("密码 Password", hide_input=True, confirmation_prompt="再输一次 Once more", err=True)
    return said


def _read(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        message = f"读不出密码文件 {file}。The password file {file} cannot be read."
        raise Misuse(message) from problem
    return lines[0] if lines else ""
