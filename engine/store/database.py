"""The two databases: how a connection is opened, held, and brought into a transaction.

One connection is held for a process's work: taking it from a pool for every step costs a quarter of the step. SQL on it
is plain text with `?`, the same for both databases wherever they agree. SQLModel is the schema (`tables`) and the
source of the migrations; its sessions are not used here, because closing one would end the transaction around it.
"""

from __future__ import annotations

import itertools
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol, cast

import psycopg
from sqlalchemy import Engine, create_engine, event

from engine.errors import XuejiError

try:
    import pysqlite3.dbapi2 as sqlite_module
except ModuleNotFoundError:  # no wheel for this platform: the library of the system, see `journal_of`
    sqlite_module = sqlite3

Params = Sequence[object]
Row = tuple[Any, ...]  # what a database hands over has the types of its columns, which no checker sees

_FIRST_SOUND_SQLITE = (3, 51, 3)
"""SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode; on those, the rollback journal is used."""

_PATIENCE_SECONDS = 30.0
"""How long a writer waits for another writer before saying so."""


NEWEST = 2**62
"""Beyond any number there is: what is read backwards, page by page, begins here."""


class Busy(XuejiError):
    """Another writer held the database for longer than anybody should wait."""

    def __init__(self) -> None:
        super().__init__(
            f"数据库被占用超过 {_PATIENCE_SECONDS:.0f} 秒，请稍后再试。"
            f" Another writer held the database for more than {_PATIENCE_SECONDS:.0f} s; try again."
        )


class Unreachable(XuejiError):
    """The database cannot be opened as asked."""


class Cursor(Protocol):
    """What both drivers' cursors have in common."""

    rowcount: int

    def fetchone(self) -> Row | None:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Row]:
        """All remaining rows."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


def journal_of(version: tuple[int, ...]) -> tuple[str, str]:
    """The journal mode and synchronous level that lose nothing on this SQLite: WAL and FULL, or DELETE and EXTRA."""
    return ("WAL", "FULL") if version >= _FIRST_SOUND_SQLITE else ("DELETE", "EXTRA")


def open_engine(url: str) -> Engine:
    """A SQLAlchemy engine in autocommit for `sqlite:///FILE` or `postgresql://…`; transactions are begun by hand.

    Raises:
        Unreachable: If the URL names neither.
    """
    if url.startswith("sqlite:"):
        engine = create_engine(url, module=sqlite_module, isolation_level="AUTOCOMMIT")
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    if re.match(r"postgres(ql)?(\+psycopg)?://", url):
        address = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", url)
        return create_engine(address, isolation_level="AUTOCOMMIT")
    message = f"“{url}” 不是数据库地址。Expected sqlite:///FILE or postgresql://USER@HOST/NAME, got '{url}'."
    raise Unreachable(message)


def _prepare_sqlite(raw: sqlite3.Connection, _record: object) -> None:
    mode, level = journal_of(sqlite_module.sqlite_version_info)
    raw.execute(
        "PRAGMA busy_timeout = 0"
    )  # waiting is ours (`Connection.writing`): SQLite's own starves a second writer
    raw.execute("PRAGMA foreign_keys = ON")
    _patiently(lambda: raw.execute(f"PRAGMA journal_mode = {mode}"))
    raw.execute(f"PRAGMA synchronous = {level}")
    raw.execute("PRAGMA cache_size = -65536")  # 64 MiB: the indexes of a million cases


def _patiently(act: Callable[[], object]) -> None:
    """Do something another writer may be in the way of, with short random waits between the tries."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            act()
        except sqlite_module.OperationalError as problem:
            if "locked" not in str(problem) and "busy" not in str(problem):
                raise
            if time.monotonic() > until:
                raise Busy from problem
            time.sleep(random.uniform(0.0002, 0.001))  # noqa: S311 spreading waits, no secret
        else:
            return


class Connection:
    """One held connection, with explicit transactions.

    `taken_back` counts the writing transactions that were rolled back: what was read in one may never have been.
    """

    def __init__(self, engine: Engine) -> None:
        self._held = engine.connect()
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.raw: Any = cast("Any", self._held.connection.dbapi_connection)  # sqlite3's or psycopg's share no type
        self._execute: Callable[..., Any] = self.raw.execute
        self.in_transaction = False
        self._is_reading = False
        self.taken_back = 0
        self._streams = itertools.count()
        if not self.is_sqlite:
            self.raw.prepare_threshold = 2

    def close(self) -> None:
        """Give the connection back; nothing is open afterwards."""
        self._held.close()

    def stand_still_at_most(self, seconds: float) -> None:
        """Let the server end this connection once a transaction of it has asked for nothing for so long.

        Otherwise a process that is stopped, or a machine that is gone, keeps what it has locked from everybody. On
        SQLite no server can: there a process stopped while it writes holds the database until it goes on or ends.
        """
        if not self.is_sqlite:
            limit = f"{round(seconds * 1000)}ms"
            self._execute("SELECT set_config('idle_in_transaction_session_timeout', %s, false)", (limit,))

    @property
    def is_lasting(self) -> bool:
        """Whether what is committed is on the disk; a rehearsal that is soon told again does without."""
        return not self.is_sqlite or bool(self._execute("PRAGMA synchronous").fetchone()[0])

    def execute(self, sql: str, params: Params = ()) -> Cursor:
        """Run one statement written with `?`."""
        cursor: Cursor = self._execute(sql if self.is_sqlite else _for_postgres(sql), params)
        return cursor

    def executemany(self, sql: str, many: Iterable[Params]) -> None:
        """Run one statement for many rows."""
        if self.is_sqlite:
            self.raw.executemany(sql, many)
            return
        with self.raw.cursor() as cursor:
            cursor.executemany(_for_postgres(sql), list(many))

    def stream(self, sql: str, params: Params = ()) -> Iterator[Row]:
        """Rows one after the other without holding them all; call inside `reading`."""
        if self.is_sqlite:
            yield from self._execute(sql, params)
            return
        with self.raw.cursor(name=f"stream_{next(self._streams)}", binary=True) as cursor:
            cursor.itersize = 2000
            yield from cursor.execute(_for_postgres(sql), params)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction that only reads: everything in it is seen as of one moment, whatever others write.

        Inside one that is open already, that one serves. Nothing is written inside: `writing` comes before or after.
        """
        if self.in_transaction or self._is_reading:
            yield
            return
        self._execute("BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._is_reading = True
        try:
            yield
        finally:
            self._is_reading = False
            self._execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that is going to write; commits at the end, rolls back on any exception.

        On SQLite it takes the one writer's place at once (BEGIN IMMEDIATE), so that what is read inside cannot change.
        """
        if self.in_transaction:
            yield
            return
        if self.is_sqlite:
            _patiently(lambda: self._execute("BEGIN IMMEDIATE"))
        else:
            self._execute("BEGIN")
        self.in_transaction = True
        try:
            yield
            _patiently(lambda: self._execute("COMMIT"))
        except BaseException:
            self._take_back()
            raise
        finally:
            self.in_transaction = False

    def _take_back(self) -> None:
        """Roll back what is still open: SQLite has done so itself on a full disk, the server on a lost connection."""
        self.taken_back += 1
        if self.raw.in_transaction if self.is_sqlite else not self.raw.closed:
            self._execute("ROLLBACK")

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Around reading, deciding and keeping one case.

        SQLite holds the writer's place meanwhile; PostgreSQL keeps in one statement that writes nothing when the
        case has moved on, so it needs no transaction around it.
        """
        if self.is_sqlite:
            with self.writing():
                yield
        else:
            yield


@lru_cache(maxsize=512)
def _for_postgres(sql: str) -> str:
    return sql.replace("?", "%s")


INTEGRITY_ERRORS = (sqlite_module.IntegrityError, psycopg.IntegrityError)
"""What either driver raises when a unique key or a foreign key refuses a row."""

LOCKING_ERRORS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
"""What PostgreSQL raises at one of two who wait for each other: nothing of it is written, and it may try again."""

CONTENTION_ERRORS = (*LOCKING_ERRORS, *INTEGRITY_ERRORS)
"""What says that somebody else was doing something at the same moment: looking again settles it."""

DRIVER_ERRORS = (sqlite_module.Error, psycopg.Error)
"""The root of everything either driver raises: a file that is no database, a server that is gone."""
