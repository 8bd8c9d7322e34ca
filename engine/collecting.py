"""Python's search for garbage cycles, kept out of where there are none: definitions, and chunks of work."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cycle collector out of a chunk: measured, looking for cycles meanwhile costs a third of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_AFTER, _OLDER, _OLDEST = 20_000, 20, 50
"""So many new objects before the collector looks, and so many looks before it looks at older ones (700, 10, 10)."""


def set_aside() -> None:
    """Have the collector leave alone what is there now: definitions are half a million objects that stay.

    Looking through them again and again costs a fifth of a batch's work. What was set aside before and is no longer
    used, because other definitions came into force, goes first.
    """
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()
    gc.freeze()
    gc.set_threshold(_AFTER, _OLDER, _OLDEST)
