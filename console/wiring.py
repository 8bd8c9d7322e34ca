"""The composition root: settings in, a ready desk out. Nothing is wired anywhere else."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from console.clock import machine_now
from console.settings import Settings
from engine.checking import examining
from engine.desk import Desk
from engine.errors import DefinitionFaults, XuejiError
from engine.expressions.kinds import SHANGHAI
from engine.library import Library
from engine.loading.origins import Origin
from engine.loading.remembered import fingerprint, load_remembered, recalled
from engine.store import proposals, registry, schema
from engine.store.database import Connection, open_engine
from engine.store.proposals import Line, Template
from engine.trail.chain import KEY_BYTES, Scribe
from notifications.messages import catalogue
from notifications.messages.laying import Installed
from rules.functions import FUNCTIONS


class NotInitialised(XuejiError):
    """The database has no tables yet, or its key is not where it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Everything one process works with: the desk, where its database and key are, and what kind of database it is.

    `in_force` are the numbers of the approved texts that the desk's library was read with.
    """

    desk: Desk
    url: str
    log: str
    key: bytes
    rehearsal: bool
    in_force: tuple[int, ...] = ()

    def is_outdated(self, today: date) -> bool:
        """Whether something has come into force, or was approved, since the definitions were read."""
        return proposals.numbers_in_force(self.desk.connection, today) != self.in_force


def origin_of(settings: Settings) -> Origin:
    """What definitions are read with."""
    return Origin(
        folder=settings.definitions, functions=FUNCTIONS, messages=catalogue.MESSAGES,
        remembered=lambda over: recalled(settings.definitions, settings.memory_folder, FUNCTIONS, over),
        templates=Installed(settings.messages),
    )  # fmt: skip


def create(settings: Settings, *, rehearsal: bool, profile: str | None) -> bool:
    """Create or migrate the database and, the first time, its log's name and key. Returns whether it is new.

    The key never enters the database: who can write there must not be able to make a MAC (design, section 7).
    """
    engine = open_engine(settings.database)
    try:
        is_new = not schema.is_current(engine)
        schema.upgrade(engine)
        connection = Connection(engine)
        try:
            if registry.setting(connection, "log") is None:
                _write_key(settings.key_file)
                with connection.writing():
                    registry.set_setting(connection, "log", f"xueji/{secrets.token_hex(8)}")
                    registry.set_setting(connection, "rehearsal", "yes" if rehearsal else "no")
                    registry.set_setting(connection, "profile", profile or "")
        finally:
            connection.close()
    finally:
        engine.dispose()
    return is_new


@contextmanager
def office(settings: Settings, library: Library | None = None, *, today: date | None = None) -> Iterator[Office]:
    """Open the database for one command.

    Args:
        settings: Which one.
        library: What to work by; None: the folder with what was approved and is in force laid over it.
        today: The day to go by; None: the machine's.

    Raises:
        NotInitialised: If `xueji init` has not been run, or the key file is missing.
        DefinitionFaults: If the files under workflows/ or rules/ cannot be used.
        Altered: If the text of something approved is not what was approved.
    """
    engine = open_engine(settings.database)
    try:
        if not _has_file(settings.database) or not schema.is_current(engine):
            message = f"数据库尚未建立，请先运行 xueji init。{settings.address} has no tables; run 'xueji init' first."
            raise NotInitialised(message)
        connection = Connection(engine)
        try:
            log = registry.setting(connection, "log") or ""
            key = _read_key(settings.key_file)
            rehearsal = registry.setting(connection, "rehearsal") == "yes"
            laid = _Laid((), {}) if library else _laid(connection, today or machine_now().astimezone(SHANGHAI).date())
            shelf = library or load_remembered(settings.definitions, settings.memory_folder, FUNCTIONS, laid.over)
            desk = Desk(connection, Scribe(log, key), shelf, salt=secrets.token_bytes, rehearsal=rehearsal)
            if library is None and desk.unpublished():
                _refuse_faults(settings, laid.over)
            yield Office(desk=desk, url=settings.database, log=log, key=key, rehearsal=rehearsal, in_force=laid.numbers)
        finally:
            connection.close()
    finally:
        engine.dispose()


class Published(NamedTuple):
    """What the database has in force today beside the folder: texts, and the publication of each, by file.

    `templates` are those of what people are told.
    """

    over: Mapping[str, str]
    lines: Mapping[str, Line]
    rehearsal: bool
    templates: tuple[Template, ...]


def published(settings: Settings, today: date) -> Published | None:
    """What was approved and is in force, for who asks nothing else of the database; None where there is none yet.

    Raises:
        Altered: If the text of something approved is not what was approved.
    """
    engine = open_engine(settings.database)
    try:
        if not _has_file(settings.database) or not schema.is_current(engine):
            return None
        connection = Connection(engine)
        try:
            with connection.reading():
                rehearsal = registry.setting(connection, "rehearsal") == "yes"
                over = proposals.texts_in_force(connection, today)
                templates = proposals.templates_in_force(connection, today)
                return Published(over, proposals.approved_by(connection, today), rehearsal, templates)
        finally:
            connection.close()
    finally:
        engine.dispose()


class _Laid(NamedTuple):
    """The approved texts that are laid over the folder: their numbers, and by file."""

    numbers: tuple[int, ...]
    over: Mapping[str, str]


def _laid(connection: Connection, today: date) -> _Laid:
    with connection.reading():
        numbers = proposals.numbers_in_force(connection, today)
        return _Laid(numbers, proposals.texts_in_force(connection, today) if numbers else {})


def _has_file(database: str) -> bool:
    """Whether a SQLite database is there: opening one that is not would leave an empty file behind."""
    path = database.removeprefix("sqlite:///")
    return path == database or path.startswith("file:") or Path(path).exists()


def _refuse_faults(settings: Settings, over: Mapping[str, str]) -> None:
    """Definitions new to this database are checked whole before any case can be opened under them.

    That they were found sound is remembered while they and the code that checks them are byte for byte the same.
    """
    code = [Path(catalogue.__file__), *sorted(Path(examining.__file__).parents[1].rglob("*.py"))]
    sound = settings.memory_folder / f"{fingerprint(settings.definitions, FUNCTIONS, over, code)}.sound"
    if sound.exists():
        return
    _, faults = examining.examine(settings.definitions, FUNCTIONS, messages=catalogue.MESSAGES, over=over)
    if grave := [fault for fault in faults if not fault.is_warning]:
        raise DefinitionFaults(grave)
    with suppress(OSError):
        sound.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in sound.parent.glob("*.sound"):
            old.unlink(missing_ok=True)
        sound.touch()


def _write_key(path: Path) -> None:
    """Make a key readable by its owner alone; one that is there is kept."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")


def _read_key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as problem:
        message = (
            f"找不到日志密钥文件 {path}；请放回原处或设置 XUEJI_KEY_FILE。"
            f" The log's key file {path} is missing or unreadable; put it back or set XUEJI_KEY_FILE."
        )
        raise NotInitialised(message) from problem
    if len(key) != KEY_BYTES:
        message = (
            f"{path} 不是日志密钥（应为 {KEY_BYTES * 2} 个十六进制字符）。{path} is no key: {KEY_BYTES * 2} hex digits."
        )
        raise NotInitialised(message)
    return key
