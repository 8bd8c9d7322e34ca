"""Passwords: which are taken, and how one is hashed and looked at (OWASP ASVS 6.2, 11.4.2).

Argon2id with 64 MiB and two passes, above what OWASP asks for. Each hash takes that much memory, so only two are made
at a time: a crowd at the door must not become a crowd in memory. Somebody unknown is hashed for like anybody else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import NamedTuple

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from engine.definition import Bilingual
from engine.errors import XuejiError

SHORTEST = 10
LONGEST = 256
"""Characters. Nobody types more; hashing what a machine sends costs us, not it."""
_FEWEST_KINDS = 5
_SHORTEST_NAME = 4

MEMORY_KIB, PASSES, LANES = 64 * 1024, 2, 1
AT_ONCE = 2
"""How many hashes are made at a time."""
_PATIENCE_SECONDS = 5.0
HASHER = PasswordHash((Argon2Hasher(memory_cost=MEMORY_KIB, time_cost=PASSES, parallelism=LANES),))
"""Makes hashes and looks at them; only in a turn (`a_turn`)."""
_TURNS = BoundedSemaphore(AT_ONCE)
NOBODYS = "$argon2id$v=19$m=65536,t=2,p=1$OjLe27JxTTf2+8u/tcf1YA$NSD986MZcc4XUiE1/nRde9WQ4V+BzRykYNu5H18dhNE"
"""What the password of somebody unknown is compared with: the hash of 256 random bits that were thrown away."""


class Crowded(XuejiError):
    """So many sign in at this moment that the machine cannot look at one more password."""

    def __init__(self) -> None:
        super().__init__("登录的人太多，请过几秒再试。Too many people are signing in; try again in a few seconds.")


class WeakPassword(XuejiError):
    """A password that is not taken; every reason at once."""

    def __init__(self, reasons: tuple[Bilingual, ...]) -> None:
        self.reasons = reasons
        zh, en = "；".join(one.zh for one in reasons), "; ".join(one.en for one in reasons)
        super().__init__(f"密码不合要求：{zh}。This password is not taken: {en}.")


class Checked(NamedTuple):
    """Whether a password is right, and its hash under today's parameters if what is kept is weaker."""

    is_right: bool
    stronger: str | None = None


def hashed(password: str) -> str:
    """What is kept of a password.

    Raises:
        Crowded: If no turn comes free.
    """
    with a_turn():
        return HASHER.hash(_plain(password))


def check(password: str, kept: str | None) -> Checked:
    """Whether a password is the one whose hash is kept; as long for nobody's (None) as for anybody's.

    Raises:
        Crowded: If no turn comes free.
    """
    given = _plain(password)
    with a_turn():
        is_right, stronger = HASHER.verify_and_update(given[:LONGEST], kept or NOBODYS)
    return Checked(is_right and kept is not None and len(given) <= LONGEST, stronger)


def refuse_weak(password: str, login: str) -> None:
    """Take only passwords that are hard to guess; no rule asks for signs of several kinds, nor for a new one in time.

    Raises:
        WeakPassword: With every reason.
    """
    if reasons := weaknesses(password, login):
        raise WeakPassword(reasons)


def weaknesses(password: str, login: str) -> tuple[Bilingual, ...]:
    """Why a password is not taken; empty when it is."""
    given = _plain(password)
    lower = given.casefold()
    name = login.casefold()
    found = (
        (len(given) < SHORTEST, f"至少 {SHORTEST} 个字符", f"at least {SHORTEST} characters"),
        (len(given) > LONGEST, f"至多 {LONGEST} 个字符", f"at most {LONGEST} characters"),
        (
            lower == name or (len(name) >= _SHORTEST_NAME and name in lower),
            "不能含有账号",
            "without the account's name",
        ),
        (lower in _commonest(), "太常见，别人会先试它", "one of the commonest: others try it first"),
        (
            len(set(lower)) < _FEWEST_KINDS,
            f"至少 {_FEWEST_KINDS} 个不同的字符",
            f"at least {_FEWEST_KINDS} that differ",
        ),
    )
    return tuple(Bilingual(zh=zh, en=en) for is_so, zh, en in found if is_so)


def _plain(password: str) -> str:
    """The same characters however a keyboard composes them (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password)


@cache
def _commonest() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split())


@contextmanager
def a_turn() -> Iterator[None]:
    """One of the two places at which a password is looked at.

    Raises:
        Crowded: If none comes free.
    """
    if not _TURNS.acquire(timeout=_PATIENCE_SECONDS):
        raise Crowded
    try:
        yield
    finally:
        _TURNS.release()
