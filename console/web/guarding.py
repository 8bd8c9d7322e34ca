"""Whether a request that changes something was meant by the person at the browser (OWASP ASVS 3.5.1, 3.5.3).

Two independent proofs: what the browser itself says of where the request comes from (Fetch-Metadata, else Origin), and
a token that only a page of this session carries. The token differs in every page, so that compressing it tells nothing.

Beside it stands whose page it is, sealed by the house. That lets nobody do anything; it says that what was typed into a
page may be shown again to that person, when the page itself is believed no more.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from console.access.sessions import family_of

GOOD_FOR = timedelta(hours=12)
"""As long as a session may last at all."""
FIELD = "_token"
HEADER = "X-CSRF-Token"
_NONCE = 16
_MAC = 64
_OWNER = 32
_SEALED = 5
"""Parts of a token that says whose it is: when, nonce, owner, seal, MAC."""
_SAFE_SITES = ("same-origin",)


class Whose(NamedTuple):
    """Whose page it is, and the key of the house, by which nobody else can say so."""

    key: bytes
    login: str


class Doubt(StrEnum):
    """Why a request is not believed."""

    FOREIGN = "foreign"
    MISSING = "missing"
    FORGED = "forged"
    EXPIRED = "expired"


def foreign(headers: Headers, origin: str) -> bool:
    """Whether a request comes from another site, or does not tell where from.

    Args:
        headers: Of the request.
        origin: Scheme, host and port at which people reach this house.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _SAFE_SITES
    said = headers.get("origin")
    return said not in (origin, f"{urlsplit(origin).scheme}://{headers.get('host')}")


def token(cookie: str, at: datetime, whose: Whose | None = None) -> str:
    """A token for one page of the session that a cookie names, good for `GOOD_FOR`; `whose` page it is."""
    said = f"{int(at.timestamp()):x}.{secrets.token_hex(_NONCE)}"
    if whose is not None:
        said = f"{said}.{owner(whose)}"
        said = f"{said}.{_seal(whose.key, said)}"
    return f"{said}.{_mac(cookie, said)}"


def owner(whose: Whose) -> str:
    """By what a person is known in a token, and by nobody without the key."""
    return hmac.new(whose.key, b"xueji page owner\n" + whose.login.encode(), hashlib.sha256).hexdigest()[:_OWNER]


def owner_in(given: str | None, key: bytes) -> str | None:
    """Whose page a token is from, as `owner` says it; None unless this house made it for somebody.

    Of any session and any age: it proves no intention, only from whose page something comes.
    """
    parts = (given or "").split(".")
    if len(parts) != _SEALED or not (given or "").isascii():
        return None
    said, seal = ".".join(parts[:3]), parts[3]
    return parts[2] if hmac.compare_digest(seal, _seal(key, said)) else None


def doubt(given: str | None, cookie: str | None, at: datetime) -> Doubt | None:
    """What speaks against a token, or None."""
    if not given or not cookie:
        return Doubt.MISSING
    said, _, mac = given.rpartition(".")
    if len(mac) != _MAC or not given.isascii() or not hmac.compare_digest(mac, _mac(cookie, said)):
        return Doubt.FORGED
    since = said.partition(".")[0]
    made = int(since, 16) if since and set(since) <= set(string.hexdigits) else 0
    age = at.timestamp() - made
    return Doubt.EXPIRED if age > GOOD_FOR.total_seconds() or age < -GOOD_FOR.total_seconds() else None


def _seal(key: bytes, said: str) -> str:
    return hmac.new(key, b"xueji page seal\n" + said.encode(), hashlib.sha256).hexdigest()


def _mac(cookie: str, said: str) -> str:
    """Under the half of the cookie that stays with the session: the other half is renewed while pages are open."""
    key = hashlib.sha256(b"xueji page token\n" + family_of(cookie).encode()).digest()
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
