"""What registered functions say: the hash of their source, by which a rulebook is pinned to them."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from pathlib import Path

from engine.expressions.functions import Registered


def source_hash(functions: Mapping[str, Registered]) -> str:
    """The SHA-256 of the modules the functions are written in, and of their names; empty without any.

    Whole modules, because a function may call another that stands beside it.

    Raises:
        TypeError: If one of them is not written in Python.
    """
    if not functions:
        return ""
    files = {inspect.getfile(one.run) for one in functions.values()}
    sources = sorted(Path(file).read_bytes() for file in files)
    return hashlib.sha256(b"\0".join([",".join(sorted(functions)).encode(), *sources])).hexdigest()
