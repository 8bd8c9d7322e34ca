"""Erasures: sealed values may be absent only where the student's chain tells that they were erased, by whom and why.

An erasure names each chain and how far it was erased; a value given later is not covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.store import erasures
from engine.store.database import Connection

NOT_COVERED = "个人信息缺失，且无抹除记录 personal values are missing, and no erasure of this student tells of it"


class Erasures:
    """What the students' chains tell of erasures; asked only where something is absent, which is rare."""

    __slots__ = ("_chain", "_connection", "_upto")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain: int | None = None
        self._upto = 0

    def covers(self, chain: int, seq: int) -> bool:
        """Whether what an event sealed, or the form it brought, was erased."""
        if chain != self._chain:
            self._chain, self._upto = chain, erasures.erased_upto(self._connection, chain)
        return seq <= self._upto


def left_behind(connection: Connection, data: Mapping[str, Any]) -> list[str]:
    """The chains that an erasure names and that still have sealed values or forms of that time."""
    return [
        name
        for name, upto in data["chains"].items()
        if (chain := erasures.chain_of(name)) is not None and erasures.left_behind(connection, chain, upto)
    ]
