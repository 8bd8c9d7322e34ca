"""Sums that must add up: everybody of a list stands on exactly one of the forms that share its members out.

The engine fixes and signs nothing that does not (X-48); the page says before whom that is about.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.web.lists.drafts import Draft
from console.web.lists.reading import Book
from engine.definition import Bilingual
from engine.drafts import sharing_as_made, sharing_now
from engine.store.relations import Neighbour

_LEAST = 2
"""Forms that share a list out; a single one has nothing to add up with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A form that takes some of the members, with their case numbers."""

    kind: str
    title: Bilingual
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """How many there are, how the forms share them out, and who stands on none or on several."""

    total: int
    parts: tuple[Part, ...]
    nowhere: tuple[Neighbour, ...]
    twice: tuple[Neighbour, ...]

    @property
    def adds_up(self) -> bool:
        """Whether everybody stands on exactly one."""
        return not self.nowhere and not self.twice

    @property
    def is_shared_out(self) -> bool:
        """Whether there is anything to add up."""
        return len(self.parts) >= _LEAST

    def of(self, number: str) -> tuple[Part, ...]:
        """The forms a member stands on."""
        return tuple(one for one in self.parts if number in one.numbers)


def sums_of(book: Book, draft: Draft | None) -> Sums:
    """How the members are shared out: by the forms as they were made, of a list that gathers as they would be."""
    is_made = draft is not None and book.is_fixed
    sharing = sharing_as_made(book.machine, book.sight) if is_made else sharing_now(book.machine, book.sight)
    nowhere, twice = ({str(row["number"]) for row in rows} for rows in (sharing.nowhere, sharing.twice))
    return Sums(
        total=len(book.members),
        parts=tuple(Part(kind=kind, title=book.form(kind), numbers=numbers) for kind, numbers in sharing.on.items()),
        nowhere=tuple(one for one in book.members if one.case.number in nowhere),
        twice=tuple(one for one in book.members if one.case.number in twice),
    )
