"""Databases as a whole, for copying: one file of SQLite, or a dump of PostgreSQL by its own tools."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from engine.errors import XuejiError
from engine.store.database import Connection, open_engine

SQLITE, POSTGRES = "sqlite", "postgresql"
_SQLITE_FILE, _DUMP_FILE = "xueji.db", "xueji.dump"


class ToolMissing(XuejiError):
    """A program of PostgreSQL is needed and not to be found."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"找不到 {name}：请安装 PostgreSQL 客户端（版本不低于服务器），或把它的目录加入 PATH。"
            f" {name} is not found: install PostgreSQL's client programs, no older than the server."
        )


class ToolFailed(XuejiError):
    """A program of PostgreSQL ended with an error."""

    def __init__(self, name: str, said: str) -> None:
        last = said.strip().splitlines()[-1] if said.strip() else "—"
        super().__init__(f"{name} 失败：{last}。{name} failed; the last it said stands before.")


class PlaceTaken(XuejiError):
    """There is a database already where one is to be put."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"{address} 已有数据库，不会覆盖；请换一个地址，或先把原库移开。"
            f" There is a database at {address} already; it is not overwritten. Move it away, or name another place."
        )


def dump(connection: Connection, database: str, folder: Path) -> tuple[str, Path]:
    """Write the database as of one moment into a folder, while others work on it.

    Returns:
        Its kind, and the file.

    Raises:
        ToolMissing, ToolFailed: If PostgreSQL's own tool is not there, or says no.
    """
    if connection.is_sqlite:
        file = folder / _SQLITE_FILE
        connection.execute("VACUUM INTO ?", (str(file),))
        return SQLITE, file
    file = folder / _DUMP_FILE
    _run("pg_dump", make_url(database), "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")
    return POSTGRES, file


@contextmanager
def opened(folder: Path, kind: str, database: str) -> Iterator[str]:
    """The URL of a copy to read; of PostgreSQL a scratch database on the same server, dropped at the end.

    A SQLite copy is read at its own place, and nothing is written to it.
    """
    if kind == SQLITE:
        yield f"sqlite:///{folder / _SQLITE_FILE}"
        for beside in ("-wal", "-shm"):
            (folder / f"{_SQLITE_FILE}{beside}").unlink(missing_ok=True)
        return
    with _scratch(make_url(database)) as url:
        _run("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", str(folder / _DUMP_FILE), into=True)
        yield url.render_as_string(hide_password=False)


def refuse_taken(database: str) -> None:
    """Refuse a place with a database in it.

    Raises:
        PlaceTaken: If there is one.
    """
    url = make_url(database)
    if url.get_backend_name() == SQLITE:
        if Path(url.database or "").exists():
            raise PlaceTaken(database)
        return
    engine = open_engine(database)
    try:
        connection = Connection(engine)
        try:
            found = connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchone()
        finally:
            connection.close()
    finally:
        engine.dispose()
    if found is not None:
        raise PlaceTaken(url.render_as_string(hide_password=True))


@contextmanager
def put_in_place(folder: Path, kind: str, database: str, prepare: Callable[[str], None]) -> Iterator[str]:
    """The URL of a copy to be checked inside; only if that holds, a database stands in the place, prepared for work.

    Args:
        folder: The backup.
        kind: Its kind of database.
        database: The place.
        prepare: Makes what is put there ready to be worked on, by its URL.

    Raises:
        PlaceTaken: If the kinds differ: a SQLite backup is restored as SQLite.
    """
    url = make_url(database)
    if url.get_backend_name() != kind:
        raise PlaceTaken(url.render_as_string(hide_password=True))
    if kind == SQLITE:
        place = Path(url.database or "")
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f"{place.name}.restoring-{secrets.token_hex(4)}")
        try:
            shutil.copy(folder / _SQLITE_FILE, beside)
            yield f"sqlite:///{beside}"
            prepare(f"sqlite:///{beside}")
            _settle(beside)
            beside.rename(place)
        finally:
            for left in place.parent.glob(f"{beside.name}*"):
                left.unlink()
        return
    with opened(folder, kind, database) as scratch:
        yield scratch
    _run("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
         str(folder / _DUMP_FILE), into=True)  # fmt: skip
    prepare(database)


def _settle(file: Path) -> None:
    """Everything into the one file, and onto the disk."""
    engine = open_engine(f"sqlite:///{file}")
    try:
        connection = Connection(engine)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()
    finally:
        engine.dispose()
    with file.open("rb") as open_file:
        os.fsync(open_file.fileno())


@contextmanager
def _scratch(url: URL) -> Iterator[URL]:
    name = f"xueji_check_{secrets.token_hex(6)}"
    _execute(url, f'CREATE DATABASE "{name}"')
    try:
        yield url.set(database=name)
    finally:
        _execute(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _execute(url: URL, sql: str) -> None:
    engine = open_engine(url.render_as_string(hide_password=False))
    try:
        connection = Connection(engine)
        try:
            connection.execute(sql)
        finally:
            connection.close()
    finally:
        engine.dispose()


def _run(name: str, url: URL, *words: str, into: bool = False) -> None:
    """A program of PostgreSQL; the password goes by its environment, where other users do not see it."""
    program = shutil.which(name)
    if program is None:
        raise ToolMissing(name)
    plain = url.set(drivername=POSTGRES, password=None).render_as_string()
    given = {**os.environ, **({"PGPASSWORD": url.password} if url.password else {})}
    done = subprocess.run(  # noqa: S603 a program of PATH with words of our own
        [program, *([f"--dbname={plain}"] if into else [plain]), *words], capture_output=True, text=True, env=given,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise ToolFailed(name, done.stderr)
