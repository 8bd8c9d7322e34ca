"""How the log stands: how much is sealed and vouched for, when, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from console.sealing import sealer_of
from console.settings import Settings
from console.wiring import Office
from console.witnesses import Witnesses, witnesses_of
from engine import sealing
from engine.sealing import Sealer, SealingRefused
from engine.store import append_only, leaves
from engine.store.database import Connection
from engine.store.leaves import TreeBroken
from engine.trail.notes import Checkpoint, Note, NoteError, cosigned_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """A witness, and the head it vouched for last: its size, and when by its own clock; None: never."""

    name: str
    url: str | None
    size: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealStatus:
    """How the log stands.

    Attributes:
        key: What auditors put into their policy; None where there is no key to seal with.
        quorum: Whether enough witnesses vouch for the newest head; None where nobody is asked.
        guards_missing: The guards of the database that are taken off.
        trouble: Why the next head could not be signed.
    """

    log: str
    key: str | None
    size: int
    signed_at: datetime | None
    unsealed: int
    witnesses: tuple[Vouched, ...]
    quorum: bool | None
    guards_missing: tuple[str, ...]
    trouble: str | None


def seal_status(office: Office, settings: Settings) -> SealStatus:
    """See how the log stands, and sign nothing."""
    connection, log = office.desk.connection, office.log
    sealer, witnesses = sealer_of(settings, log), witnesses_of(settings)
    latest = leaves.latest(connection)
    return SealStatus(
        log=log,
        key=None if sealer is None else sealer.signers[0].verifier.vkey(),
        size=0 if latest is None else Checkpoint.parse(latest.text).size,
        signed_at=leaves.signed_at(connection),
        unsealed=leaves.count_unsealed(connection),
        witnesses=() if witnesses is None else _vouched(connection, witnesses),
        quorum=None if witnesses is None or latest is None else _is_quorum(witnesses, latest),
        guards_missing=append_only.missing(connection),
        trouble=_trouble(connection, sealer),
    )


def _trouble(connection: Connection, sealer: Sealer | None) -> str | None:
    """Why the next head could not be signed."""
    if sealer is None:
        return None
    try:
        sealing.check(connection, sealer)
    except (SealingRefused, TreeBroken, NoteError) as problem:
        return str(problem)
    return None


def _vouched(connection: Connection, witnesses: Witnesses) -> tuple[Vouched, ...]:
    """For which head each witness vouched last, and when by its own clock."""
    sizes = leaves.cosigned_sizes(connection)
    told: list[Vouched] = []
    for one in witnesses.each:
        size = sizes.get(one.key.name)
        note_then = None if size is None else leaves.checkpoint_of(connection, size)
        at = None if note_then is None else cosigned_at(note_then, one.key)
        when = None if at is None else datetime.fromtimestamp(at, UTC)
        told.append(Vouched(name=one.name, url=one.url, size=None if at is None else size, at=when))
    return tuple(told)


def _is_quorum(witnesses: Witnesses, latest: Note) -> bool:
    return witnesses.policy.is_quorum(witnesses.policy.cosigners(latest))
