"""The second factor: six digits from a telephone that change every 30 s (RFC 6238), and codes for when it is lost.

The secret is kept sealed with a key that the database does not hold: a copy of the database gives nobody's codes away.
A code is taken once, and none older than the last one taken.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from base64 import b32encode, b64decode, b64encode
from datetime import datetime
from hashlib import sha256

import pyotp
import segno
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyotp.exceptions import OTPVerificationError

from console.access.tokens import hash_of_code, new_code
from engine.store import access
from engine.store.access import CredentialRow, NewCode
from engine.store.database import Connection

ISSUER = "学籍 xueji"
RECOVERY_CODES = 10
_SECRET_BYTES = 20
"""As long as the hash of RFC 6238's codes."""
_NONCE_BYTES = 12
_WINDOW = 1
"""Time steps that a telephone's clock may be wrong, either way."""
_SIX_DIGITS = re.compile(r"[0-9]{6}")


def offered_secret(key: bytes, occasion: str) -> str:
    """The secret offered to somebody who enrols, the same as long as the occasion is: nothing has to be kept of it.

    Args:
        key: The key outside the database.
        occasion: What nobody else has and no later enrolment shares, such as the token of this sign-in.
    """
    said = hmac.new(_derived(key, b"offer"), occasion.encode(), sha256).digest()
    return b32encode(said[:_SECRET_BYTES]).decode()


def picture(secret: str, login: str) -> str:
    """The QR code by which a telephone learns a secret, as SVG that any content policy allows."""
    code = segno.make(pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER), error="m")
    return code.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None, omitsize=True)


def enrol(connection: Connection, key: bytes, login: str, secret: str, at: datetime) -> tuple[str, ...]:
    """Keep a secret that a code has shown to be in the telephone; returns the codes for when that is lost."""
    codes = tuple(new_code() for _ in range(RECOVERY_CODES))
    kept = [NewCode(code_hash=hash_of_code(one), login=login, purpose="recovery", expires_at=None) for one in codes]
    with connection.writing():
        access.set_second_factor(connection, login, sealed(key, login, secret), at)
        access.add_codes(connection, kept, at)
    return codes


def is_shown(secret: str, code: str, at: datetime) -> bool:
    """Whether a code is that of a secret now: somebody who enrols has the secret in the telephone."""
    return _counter(secret, code, at) is not None


def take(connection: Connection, key: bytes, row: CredentialRow, code: str, at: datetime) -> bool:
    """Take a code, or one for a lost telephone; False when it is wrong, used, or older than one that was used."""
    if row.totp_secret is None:
        return False
    counter = _counter(opened(key, row.login, row.totp_secret), code, at)
    with connection.writing():
        if counter is not None:
            return access.use_counter(connection, row.login, counter)
        lost = hash_of_code(code)
        is_theirs = access.whose_code(connection, lost, ("recovery",), at) == row.login
        return is_theirs and access.use_code(connection, lost, row.login, at)


def sealed(key: bytes, login: str, secret: str) -> str:
    """A secret as it is kept: readable with the key, and for this login only."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return b64encode(nonce + AESGCM(_derived(key, b"seal")).encrypt(nonce, secret.encode(), login.encode())).decode()


def opened(key: bytes, login: str, kept: str) -> str:
    """A secret as it was before it was sealed.

    Raises:
        cryptography.exceptions.InvalidTag: If the key or the login is another, or a byte was changed.
    """
    raw = b64decode(kept)
    nonce, body = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
    return AESGCM(_derived(key, b"seal")).decrypt(nonce, body, login.encode()).decode()


def _counter(secret: str, code: str, at: datetime) -> int | None:
    """The time step whose code this is, within the window; None when it is none's."""
    digits = "".join(unicodedata.normalize("NFKC", code).split())  # an input method writes digits of full width
    if not _SIX_DIGITS.fullmatch(digits):
        return None
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(digits, for_time=at, valid_window=_WINDOW)
    except OTPVerificationError:
        return None


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"xueji second factor v1 " + purpose).derive(key)
