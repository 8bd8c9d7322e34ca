"""Sealing as a process does it: the key from its file, a round, the head published, the witnesses asked."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from console.durable import OWNER_ONLY, locked, put
from console.seal_keys import signers_of
from console.settings import Settings
from console.wiring import Office
from console.witnesses import Asked, ask_all, witnesses_of
from engine import sealing
from engine.sealing import Clock, LastHead, Sealed, SealedElsewhere, Sealer
from engine.store import leaves
from engine.trail.notes import Note

MAKE_KEY = "xueji audit key"
"""The command that makes the key."""


class HeadFile(LastHead):
    """The last head that was signed, in a file beside the key."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    @override
    def locked(self) -> Iterator[None]:
        with ExitStack() as inside:
            try:
                inside.enter_context(locked(self._path.with_name(f"{self._path.name}.lock"), waits=False))
            except BlockingIOError as problem:
                raise SealedElsewhere(None) from problem
            yield

    @override
    def read(self) -> Note | None:
        return Note.parse(self._path.read_bytes()) if self._path.exists() else None

    @override
    def keep(self, note: Note) -> None:
        put(self._path, note.encoded(), OWNER_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came of a round: of the tree, and of asking the witnesses."""

    sealed: Sealed
    asked: tuple[Asked, ...] = ()

    @property
    def unheard(self) -> tuple[str, ...]:
        """The witnesses that did not vouch, each with the reason."""
        return tuple(f"{one.witness}: {one.why}" for one in self.asked if one.signature is None)


def sealer_of(settings: Settings, log: str) -> Sealer | None:
    """Who seals this log; None before a key is made.

    Raises:
        UnusableKey: If the key cannot be read.
    """
    signers = signers_of(settings, log)
    path = settings.seal_key_file
    head = HeadFile(path.with_name(f"{path.name}.head"))
    return Sealer(log=log, signers=signers, head=head) if signers else None


def this_process() -> str:
    """A name unlike that of any other process, on whatever machine."""
    return f"{platform.node()}/{os.getpid()}/{secrets.token_hex(4)}"


def seal_round(
    office: Office, settings: Settings, sealer: Sealer, clock: Clock, told: Callable[[int], None] = lambda _: None
) -> Round:
    """Seal what there is, publish the head, ask the witnesses, and publish it again with what they say.

    Raises:
        SealedElsewhere: If another process is sealing.
        SealingRefused: If the head may not be signed.
        TreeBroken: If a part of the tree is missing.
        NoteError: If the last head's file holds none.
        WitnessesRefused: If the file of the witnesses cannot be used; the head is signed and published all the same.
    """
    connection = office.desk.connection
    sealed = sealing.seal(connection, sealer, this_process(), clock, told)
    publish(office, settings)
    witnesses = witnesses_of(settings)
    asked = () if witnesses is None else ask_all(connection, witnesses.each)
    publish(office, settings)
    return Round(sealed=sealed, asked=asked)


def publish(office: Office, settings: Settings) -> None:
    """Put the newest head, with all its signatures, where everybody may read it."""
    note, path = leaves.latest(office.desk.connection), settings.checkpoint_file
    if note is None:
        return
    text = note.encoded()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        put(path, text)
