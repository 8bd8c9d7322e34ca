"""Files that hold secrets: read only where nobody else may read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from engine.errors import XuejiError

_OTHERS, _GROUP_AND_OTHERS = stat.S_IRWXO, stat.S_IRWXG | stat.S_IRWXO


def secret_text(file: Path, refused: Callable[[str], XuejiError]) -> str:
    """What a file says that nobody else may read.

    Group bits count where the file is ours: systemd hands out credentials as files of root's with an access list, which
    look as if their group could read them.

    Raises:
        XuejiError: What `refused` makes of the reason: others may read it, or it cannot be read as UTF-8.
    """
    try:
        with file.open("rb") as opened:
            status = os.fstat(opened.fileno())
            forbidden = _GROUP_AND_OTHERS if status.st_uid == os.getuid() else _OTHERS
            if status.st_mode & forbidden:
                mode = stat.filemode(status.st_mode)
                said = f"{file} 可被他人读取 others may read it, and it holds secrets ({mode}): chmod 600 {file}"
                raise refused(said)
            return opened.read().decode("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        said = f"{file} 无法按 UTF-8 读取 it cannot be read as UTF-8"
        raise refused(said) from problem
