"""Secrets that people and browsers carry: made here, handed over once, and kept as their SHA-256 alone.

A fast hash is enough: each has 100 random bits or more, so there is nothing to guess through.
"""

from __future__ import annotations

import secrets
import unicodedata
from hashlib import sha256

_TOKEN_BYTES = 32
JOINT = "."
"""Between the two halves of a session's token; in none of them."""
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKES = str.maketrans("OIL", "011")
_CODE_LETTERS, _GROUP = 20, 5


def new_token() -> str:
    """What a browser carries in a cookie: 256 random bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def new_code() -> str:
    """What a person types: 100 random bits as 20 letters of Crockford's base 32, in groups of five."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _CODE_LETTERS, _GROUP))


def hash_of(token: str) -> str:
    """Under which a token is kept."""
    return sha256(token.encode()).hexdigest()


def hash_of_code(code: str) -> str:
    """Under which a code is kept; small letters, spaces, dashes and letters that look like digits do not matter."""
    plain = "".join(unicodedata.normalize("NFKC", code).split()).replace("-", "")
    return hash_of(plain.upper().translate(_LOOK_ALIKES))
