"""Letting people in and keeping them out, from the command line: passwords, first use, second factors, disablement.

Nobody has a password before somebody gave one, and no password is ever printed: what is printed is a code for one use.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import typer

from console.access import entering, passwords
from console.api import tokens
from console.calling import SETUP, Caller, Misuse, Sitting
from console.printing import line, note
from engine import organisation
from engine.errors import Unknown
from engine.store import access, registry, sessions


def set_password(caller: Caller, login: str, file: Path | None) -> int:
    """Give a person a password, asked for at the terminal or read from the first line of a file.

    Raises:
        Unknown: If there is no such account.
        WeakPassword: If it is not taken.
        Misuse: If the file cannot be read.
    """
    with caller.sitting() as sitting:
        _known(sitting, login)
        password = _asked() if file is None else _read(file)
        passwords.refuse_weak(password, login)
        kept = passwords.hashed(password)
        entering.replace_password(sitting.desk.connection, login, kept, sitting.at)
        line(f"用户 user {login}：密码已设，已在各处退出 password set, signed out everywhere")
    return 0


def activate(caller: Caller, login: str) -> int:
    """Print a code by which a person sets the first password, once.

    Raises:
        Unknown: If there is no such account.
    """
    with caller.sitting() as sitting:
        _known(sitting, login)
        code = entering.issue(sitting.desk.connection, login, "activate", sitting.at)
        line(f"激活码 activation code：{code}")
        note(
            f"请当面或可靠地交给 {login}，{entering.ACTIVATION.days} 日内在 {caller.settings.url}/activate 用一次。"
            f" Hand it to {login} safely; it is good once, for {entering.ACTIVATION.days} days."
        )
    return 0


def make_token(caller: Caller, login: str, name: str, scopes: Sequence[str], days: int) -> int:
    """Print a token by which a program acts for a person; it is kept as its hash alone.

    Raises:
        Unknown: If there is no such account, or no such scope.
    """
    with caller.sitting() as sitting:
        _known(sitting, login)
        made = tokens.issue(sitting.desk.connection, tokens.Wish(login, name, scopes, timedelta(days=days)), sitting.at)
        line(made)
        note(f"只显示这一次；{days} 天后失效。Shown only now; good for {days} days.")
    return 0


def disable(caller: Caller, login: str) -> int:
    """Keep a person out from now on; the person is signed out at once.

    Raises:
        Unknown: If there is no such account.
    """
    with caller.sitting() as sitting:
        _known(sitting, login)
        is_new = organisation.disable(sitting.desk, login, at=sitting.at, actor=SETUP)
        line(f"用户 user {login}：{'已停用并退出 disabled, signed out' if is_new else '原已停用 disabled already'}")
    return 0


def enable(caller: Caller, login: str) -> int:
    """Let a person in again.

    Raises:
        Unknown: If there is no such account.
    """
    with caller.sitting() as sitting:
        _known(sitting, login)
        is_new = organisation.enable(sitting.desk, login, at=sitting.at, actor=SETUP)
        line(f"用户 user {login}：{'已恢复 may sign in again' if is_new else '未曾停用 was not disabled'}")
    return 0


def reset_second_factor(caller: Caller, login: str) -> int:
    """Forget a person's second factor, whose telephone is lost; the person enrols another at the next sign-in.

    Raises:
        Unknown: If there is no such account.
    """
    with caller.sitting() as sitting:
        _known(sitting, login)
        connection = sitting.desk.connection
        with connection.writing():
            access.set_second_factor(connection, login, None, sitting.at)
            sessions.end_sessions(connection, login)
        line(
            f"用户 user {login}：动态口令已清除，下次登录时重新绑定 second factor forgotten, to be set at next sign-in"
        )
    return 0


def _known(sitting: Sitting, login: str) -> None:
    connection = sitting.desk.connection
    if access.credential(connection, login) is None:
        raise Unknown("用户 user", login, registry.logins(connection))


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
