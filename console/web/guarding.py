"""Whether a request that changes something was meant by the person at the browser (OWASP ASVS 3.5.1, 3.5.3).

Two independent proofs: what the browser itself says of where the request comes from (Fetch-Metadata, else Origin), and
a token that only a page of this session carries. The token differs in every page, so that compressing it tells nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from starlette.datastructures import Headers

GOOD_FOR = timedelta(hours=12)
"""As long as a session may last at all."""
FIELD = "_token"
HEADER = "X-CSRF-Token"
_NONCE = 16
_MAC = 64
_SAFE_SITES = ("same-origin",)


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


def token(cookie: str, at: datetime) -> str:
    """A token for one page of the session that a cookie names, good for `GOOD_FOR`."""
    said = f"{int(at.timestamp()):x}.{secrets.token_hex(_NONCE)}"
    return f"{said}.{_mac(cookie, said)}"


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


def _mac(cookie: str, said: str) -> str:
    key = hashlib.sha256(b"xueji page token\n" + cookie.encode()).digest()
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
