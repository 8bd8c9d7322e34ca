"""Chaining: each event names the hash of the one before it, and carries a MAC under a key kept outside the database.

Domain tags keep a hash of one kind from ever being taken for another (RFC 6962, section 2.1, for the same reason).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import cast

from engine.records import Head, Json
from engine.trail.event import VERSION, EventKind, Written, chain_name, event_bytes

_HASH_TAG = b"xueji/event/v1\n"
_MAC_TAG = b"xueji/mac/v1\n"
_COMMITMENT_TAG = b"xueji/commitment/v1\n"
KEY_BYTES = 32

_hash_start = sha256(_HASH_TAG)


def event_hash(body: bytes) -> bytes:
    """SHA-256 of the tagged event bytes."""
    running = _hash_start.copy()
    running.update(body)
    return running.digest()


def mac_maker(key: bytes) -> Callable[[bytes], bytes]:
    """A function that authenticates event bytes with HMAC-SHA-256 (RFC 2104) under `key`.

    The two keyed starts are computed once; copying them is half the price of `hmac.digest` on the hot path.
    """
    block = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")  # noqa: PLR2004 SHA-256 block
    inner_start = sha256(bytes(byte ^ 0x36 for byte in block) + _MAC_TAG)
    outer_start = sha256(bytes(byte ^ 0x5C for byte in block))

    def mac(body: bytes) -> bytes:
        inner = inner_start.copy()
        inner.update(body)
        outer = outer_start.copy()
        outer.update(inner.digest())
        return outer.digest()

    return mac


def commitment(salt: bytes, body: bytes) -> str:
    """What an event keeps of personal values, as canonical bytes: destroying the salt erases them and no proof."""
    return sha256(_COMMITMENT_TAG + salt + body).hexdigest()


class Scribe:
    """Writes events of one log: `log` is its origin, `key` the MAC key."""

    __slots__ = ("_mac", "log")

    def __init__(self, log: str, key: bytes) -> None:
        self.log = log
        self._mac = mac_maker(key)

    def write(self, chain: int, head: Head, kind: EventKind, event: Mapping[str, Json]) -> Written:
        """The next event of a chain.

        Args:
            chain: The chain's number (`engine.trail.event`).
            head: Where the chain ends now.
            kind: What the event tells.
            event: `at`, `actor`, `data`, the `request` it answers and whatever else it says, but for the chain's
                own keys.
        """
        seq = head.seq + 1
        told = {
            **event, "v": VERSION, "log": self.log, "chain": chain_name(chain), "seq": seq, "kind": kind.value,
            "prev": head.hash.hex(),
        }  # fmt: skip
        body = event_bytes(told)
        request = cast("str | None", event.get("request"))
        return Written(chain, seq, body, event_hash(body), self._mac(body), request)
