"""Sums that must add up: everybody of a list stands on exactly one of the forms that share its members out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console.web.lists.drafts import Draft
from console.web.lists.reading import Book
from engine.definition import Bilingual
from engine.documents import document_of
from engine.drafts import NAMES, forms_of, made_last
from engine.issuing import chosen
from engine.records import Json
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
    parts = tuple(_as_made(book) if draft is not None and book.is_fixed else _as_they_would_be(book))
    shared = len(parts) >= _LEAST
    times = {one.case.number: sum(one.case.number in part.numbers for part in parts) for one in book.members}
    return Sums(
        total=len(book.members),
        parts=parts,
        nowhere=tuple(one for one in book.members if shared and not times[one.case.number]),
        twice=tuple(one for one in book.members if times[one.case.number] > 1),
    )


def _kinds(book: Book) -> Iterator[str]:
    """The forms that take some of the members only, one for each condition."""
    seen: set[str] = set()
    for kind in forms_of(book.machine):
        condition = document_of(book.machine, kind).rows
        if condition is not None and condition not in seen:
            seen.add(condition)
            yield kind


def _as_they_would_be(book: Book) -> Iterator[Part]:
    rows = book.sight.member_rows()
    for kind in _kinds(book):
        found = chosen(book.machine, kind, rows, book.sight.see)
        if found is not None:
            yield Part(kind=kind, title=book.form(kind), numbers=frozenset(str(one["number"]) for one in found))


def _as_made(book: Book) -> Iterator[Part]:
    made = made_last(book.machine, book.documents)
    for kind in _kinds(book):
        if kind in made:
            who = made[kind].lines.keys()
            numbers = frozenset(one.case.number for one in book.members if _identifiers(one) & who)
            yield Part(kind=kind, title=book.form(kind), numbers=numbers)


def _identifiers(one: Neighbour) -> frozenset[str]:
    """Everything a form may know a member by."""
    known: Mapping[str, Json] = {**one.facts, **one.case.fields, "number": one.case.number}
    return frozenset(str(known[name]) for name in NAMES if known.get(name) is not None)
