"""Turns: what only a few may do at a time is waited for outside, without a thread and without a desk.

A password takes a tenth of a second of a processor and much memory to look at; a school's server may take seconds to
answer. A crowd that signs in waits for itself alone: whoever is at work meanwhile finds threads and desks free.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto

from fastapi import Request

from console.access import passwords, school
from console.web.forms import posted


class Turn(Enum):
    """What is waited for: a password to be looked at, or the school's server."""

    PASSWORD = auto()
    SCHOOL = auto()


AT_ONCE = {Turn.PASSWORD: passwords.AT_ONCE, Turn.SCHOOL: school.AT_ONCE}
PATIENCE = {Turn.PASSWORD: 20.0, Turn.SCHOOL: 5.0}
"""Seconds after which somebody hears that it is too full: waiting here costs nobody anything."""
_CODE = re.compile(r"\s*[0-9]{6}\s*")
"""A code of the second factor; it takes no time to look at."""


def of_password(_request: Request) -> Turn | None:
    """A form with a password in it."""
    return Turn.PASSWORD


def of_proof(request: Request) -> Turn | None:
    """A form in which somebody signed in proves to be there: by a password where they have no second factor."""
    given = posted(request).get("proof")
    return Turn.PASSWORD if isinstance(given, str) and given and not _CODE.fullmatch(given) else None


def of_school(_request: Request) -> Turn | None:
    """A way to the school's server or back."""
    return Turn.SCHOOL


class Turns:
    """The turns of one process; each line is served in the order of coming."""

    def __init__(self) -> None:
        self._free = {turn: asyncio.Semaphore(many) for turn, many in AT_ONCE.items()}

    @asynccontextmanager
    async def waited_for(self, turn: Turn) -> AsyncIterator[bool]:
        """Whether a turn came; it is held until the block ends."""
        free = self._free[turn]
        try:
            async with asyncio.timeout(PATIENCE[turn]):
                await free.acquire()
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            free.release()
