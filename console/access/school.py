"""What both sign-ons of a school have in common: who came, what went wrong, the note a browser carries meanwhile."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from ssl import SSLContext
from threading import BoundedSemaphore
from urllib.parse import urlsplit

import httpx
import orjson

from console.access.tokens import new_token
from engine.errors import XuejiError

GOOD_FOR = timedelta(minutes=10)
_TIMEOUT = httpx.Timeout(5.0)
AT_ONCE = 3
"""How many ask at a time."""
_PATIENCE_SECONDS = 2.0
_TURNS = BoundedSemaphore(AT_ONCE)
_MOST_BYTES = 256 * 1024
_AT_HOME = ("localhost", "127.0.0.1", "::1")


class SchoolSilent(XuejiError):
    """The school's sign-on did not answer, or not as agreed; nobody is let in on its word."""

    def __init__(self) -> None:
        super().__init__(
            "学校统一身份登录没有回应，可用本系统账号。School sign-on does not answer; use your account here."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom the school has signed in, under which login here, and what it calls this sign-in when it ends it."""

    login: str
    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a browser carries from here to the school and back, so that no other browser can come back in its place.

    `again` is who has to come back, where somebody signed in proves it once more; empty for anybody.
    """

    state: str
    nonce: str
    verifier: str
    next: str
    until: str
    again: str = ""


def new_note(following: str, at: datetime, *, again: str = "") -> Note:
    """A note for one way to the school and back."""
    until = (at + GOOD_FOR).isoformat()
    return Note(state=new_token(), nonce=new_token(), verifier=new_token(), next=following, until=until, again=again)


def written(note: Note, key: bytes) -> str:
    """A note as a cookie: readable by its browser, and changed by nobody."""
    body = urlsafe_b64encode(orjson.dumps(asdict(note)))
    return f"{body.decode()}.{_mac(body, key)}"


def read(cookie: str, state: str, key: bytes, at: datetime) -> Note | None:
    """The note of a cookie, if we wrote it, it is not too old, and it is of the state the browser came back with."""
    body, _, mac = cookie.partition(".")
    if not cookie.isascii() or not hmac.compare_digest(mac, _mac(body.encode(), key)):
        return None
    try:
        note = Note(**orjson.loads(urlsafe_b64decode(body)))
    except (NotBase64, ValueError, TypeError):
        return None
    is_good = at < datetime.fromisoformat(note.until) and hmac.compare_digest(note.state.encode(), state.encode())
    return note if is_good else None


@contextmanager
def asking() -> Iterator[httpx.Client]:
    """A client that asks a school's server: never long, and never somewhere else than it was sent.

    Few ask at a time: a server that does not answer must not keep everybody else waiting here.

    Raises:
        SchoolSilent: If too many are asking.
    """
    if not _TURNS.acquire(timeout=_PATIENCE_SECONDS):
        raise SchoolSilent
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, verify=_trusted()) as client:
            yield client
    finally:
        _TURNS.release()


@cache
def _trusted() -> SSLContext:
    """The authorities whose certificates are trusted: read once, which takes longer than to ask."""
    return httpx.create_ssl_context(trust_env=False)


def answer_of(response: httpx.Response) -> bytes:
    """The body of an answer.

    Raises:
        SchoolSilent: If it is no answer, or too much of one.
    """
    if response.status_code != httpx.codes.OK or len(response.content) > _MOST_BYTES:
        raise SchoolSilent
    return response.content


def trusted(address: str) -> str:
    """An address of a school's server, if what it says cannot be changed on the way.

    Raises:
        SchoolSilent: If it is neither https nor on this machine.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _AT_HOME):
        raise SchoolSilent
    return address


def _mac(body: bytes, key: bytes) -> str:
    return hmac.new(sha256(b"xueji school sign-on note\n" + key).digest(), body, sha256).hexdigest()
