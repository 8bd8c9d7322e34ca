"""What is fetched for a whole chunk of cases in one go, so that looking at each asks the database nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from engine.records import Case
from engine.store.cases import related_many
from engine.store.database import Connection
from engine.store.deadlines import Row as DeadlineRow
from engine.store.documents import DocumentRow


class Neighbourhood:
    """The cases of the students of a chunk, fetched in one statement when a rule asks for the first of them.

    Args:
        connection: Where they are.
        students: Those of the chunk; None for a case about a unit.
        known: The cases by student, where somebody has read them all already.
    """

    def __init__(
        self, connection: Connection, students: Iterable[int | None], known: Mapping[int, Sequence[Case]] | None = None
    ) -> None:
        self._connection = connection
        self._students = [one for one in students if one is not None]
        self._cases = known

    def of(self, student: int) -> Sequence[Case]:
        """The cases of a student that are not cancelled."""
        if self._cases is None:
            self._cases = related_many(self._connection, self._students)
        return self._cases.get(student, ())


class Fetched(NamedTuple):
    """What is fetched for a whole chunk of cases in one go: cases of the same student, rows of deadlines by case.

    `documents` are those of all the cases, by case, where somebody has read them already.
    """

    neighbours: Neighbourhood
    deadlines: Mapping[int, Sequence[DeadlineRow]]
    documents: Mapping[int, Sequence[DocumentRow]] | None = None
