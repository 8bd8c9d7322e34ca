"""An event: one line of the trail, as bytes that are stored exactly as they are hashed.

The bytes are JSON with sorted ASCII keys, NFC strings, integers below 2^53 and no floats, which makes them equal to
RFC 8785. Types and NFC are checked where values enter the engine (`engine.expressions.kinds`), not again here: a full
walk of every event would cost more than writing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import orjson

from engine.records import case_number

VERSION = 1

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)


class EventKind(StrEnum):
    """What an event tells."""

    OPENED = "opened"
    MOVED = "moved"
    REFUSED = "refused"
    SIGNED = "signed"
    SIGNER_CHANGED = "signer_changed"
    RELOCATED = "relocated"
    MIGRATED = "migrated"
    RETRACTED = "retracted"
    DELEGATED = "delegated"
    HANDED_OVER = "handed_over"
    DELEGATION_REVOKED = "delegation_revoked"
    URGED = "urged"
    DEADLINE_MOVED = "deadline_moved"
    LATE = "late"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    TIMER_BLOCKED = "timer_blocked"
    FACT_CHANGED = "fact_changed"
    EVIDENCE_ADDED = "evidence_added"
    EVIDENCE_WITHDRAWN = "evidence_withdrawn"
    VIEWED = "viewed"
    IMPORTED = "imported"
    ROLE_CHANGED = "role_changed"
    UNIT_CHANGED = "unit_changed"
    ACCOUNT_CHANGED = "account_changed"
    TOKEN_CHANGED = "token_changed"  # noqa: S105 a kind of event
    DEFINITION_PUBLISHED = "definition_published"
    BATCH_PUBLISHED = "batch_published"
    BATCH_CHANGED = "batch_changed"
    TERM_STARTED = "term_started"
    TABLE_CHANGED = "table_changed"
    SEALED = "sealed"
    EXPORTED = "exported"
    NOTED = "noted"
    COMMENTED = "commented"
    COPIED = "copied"
    ERASED = "erased"


class Written(NamedTuple):
    """An event as it is kept: its bytes, their hash, and the MAC that the database cannot make."""

    chain: int
    seq: int
    body: bytes
    hash: bytes
    mac: bytes
    request: str | None = None


REGISTRY = 0
"""The chain of definitions, rulebooks, batches, units and roles. Cases are positive, students negative."""


def chain_name(chain: int) -> str:
    """How a chain is called in the events themselves: `registry`, `case/K7Q2M4XA` or `student/…`."""
    if chain == REGISTRY:
        return "registry"
    return f"case/{case_number(chain)}" if chain > 0 else f"student/{case_number(-chain)}"


def moment(at: datetime) -> str:
    """An aware moment as it stands in events: RFC 3339, UTC, always six decimals."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    text = at.isoformat()
    return f"{text[:26]}Z" if at.microsecond else f"{text[:19]}.000000Z"


def event_bytes(event: Mapping[str, object]) -> bytes:
    """The canonical bytes of an event.

    Raises:
        TypeError: If a value is not JSON of the trail (a date, a Decimal, an integer beyond 2^53).
    """
    return orjson.dumps(event, option=_OPTIONS)


def canonical(value: object) -> bytes:
    """The canonical bytes of any JSON value of the trail; used for content hashes and commitments."""
    return orjson.dumps(value, option=_OPTIONS)
