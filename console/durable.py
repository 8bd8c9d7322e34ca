"""Files that must be whole and on the disk: written beside, synchronised, put in place; looked at by one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER_ONLY = 0o600
EVERYBODY_READS = 0o644


def put(path: Path, text: str, mode: int = EVERYBODY_READS) -> None:
    """Put a text in a file's place: killed at any point, either the old one is there or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        os.fchmod(descriptor, mode)  # what everybody is to read, everybody reads, however closely the service is kept
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    _synchronise(path.parent)


def make(path: Path, text: bytes) -> None:
    """Make a file that only its owner may read.

    Raises:
        FileExistsError: If there is one; it is left as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    _synchronise(path.parent)


def put_folder(finished: Path, path: Path) -> None:
    """Give a finished folder its name, with all its files on the disk before: it is there whole, or not at all."""
    for file in finished.iterdir():
        _synchronise(file)
    _synchronise(finished)
    finished.rename(path)
    _synchronise(path.parent)


@contextmanager
def locked(path: Path, *, waits: bool = True) -> Iterator[None]:
    """Be the only process inside, of all that name this file; it is made where it is missing.

    Raises:
        BlockingIOError: If another is inside, and this one does not wait: that one may have been stopped.
    """
    import fcntl  # noqa: PLC0415 where there is none (Windows), everything but sealing works

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def _synchronise(path: Path) -> None:
    """A file's contents, or a folder's: the names of its files."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
