"""The files under `rules/calendars/`: a year of holidays each, and the terms; with every fault.

What is refused is what would let a count of days go wrong unseen: a day that is both off and worked, a make-up working
day on a Wednesday, a stretch that runs backwards, terms that overlap.
Source: requirements.md, 4.1 and 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

from engine.errors import DefinitionFaults
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding
from engine.loading.shapes import Found
from engine.loading.shelf import NOTHING_OVER, Shelf
from engine.vocabulary import CalendarText, CalendarYear, LocalCalendar, Organisation, TermsFile

_WORKDAYS_A_WEEK = 5
_DECEMBER = 12
_Path = tuple[str | int, ...]
_Days = dict[date, Place]
"""Where each day was first said to be off, or to be worked."""


def read_calendar(shelf: Shelf) -> CalendarText:
    """The calendars of a folder; empty where it has none.

    Args:
        shelf: Where the files are laid out; takes the faults.
    """
    years: list[CalendarYear] = []
    terms = TermsFile()
    seen: _Days = {}
    for path in shelf.files("rules/calendars"):
        tree = shelf.open(path)
        if tree is None:
            continue
        if path.stem == "terms":
            terms = _read_terms(shelf, tree) or terms
        elif year := shelf.shape(CalendarYear, tree):
            years.append(year)
            shelf.report([*_name_faults(tree, year, path.stem), *_day_faults(tree, year, seen)])
    return CalendarText(years=tuple(years), **{name: getattr(terms, name) for name in TermsFile.model_fields})


def load_calendar(folder: Path, over: Mapping[str, str] = NOTHING_OVER) -> tuple[CalendarText, tuple[str, ...]]:
    """The calendars of a folder of definitions without the rest of it, and the profiles there are.

    `over` are texts by the name of a file, read instead of it.

    Raises:
        DefinitionFaults: If anything in any of the files cannot be used; it names every place.
    """
    shelf = Shelf(folder=folder, over=over)
    text = read_calendar(shelf)
    tree = shelf.open(folder / "rules" / "organisation.yaml")
    organisation = None if tree is None else shelf.shape(Organisation, tree)
    if shelf.faults or organisation is None:
        raise DefinitionFaults(shelf.faults)
    return text, tuple(organisation.profiles)


def _read_terms(shelf: Shelf, tree: Node) -> TermsFile | None:
    terms = shelf.shape(TermsFile, tree)
    if terms is None:
        return None
    shelf.profiles.extend((name, tree.place_of_key(["profiles", name])) for name in terms.profiles)
    shelf.report(_local_faults(tree, terms, ()))
    for group, entries in (("profiles", terms.profiles), ("units", terms.units)):
        for name, one in entries.items():
            shelf.report(_local_faults(tree, one, (group, name)))
    return terms


def _name_faults(tree: Node, year: CalendarYear, stem: str) -> Iterator[tuple[Place, Finding]]:
    if str(year.year) != stem:
        yield _at(tree, ("year",), f"the file is called '{stem}', so this is the year {stem}, not {year.year}.")
    if year.status == "confirmed" and not year.source:
        yield _at(tree, ("status",), "a confirmed year names its notice under 'source'; without one it is provisional.")


def _day_faults(tree: Node, year: CalendarYear, seen: _Days) -> Iterator[tuple[Place, Finding]]:
    """Days outside the year, weekdays to be made up, and days said twice; notes the days in `seen`."""
    for number, stretch in enumerate(year.holidays):
        path: _Path = ("holidays", number)
        if stretch.last < stretch.first:
            yield _at(tree, (*path, "to"), f"it ends before it begins, on {stretch.first}.")
        days: Sequence[date] = tuple(stretch.days())
        yield from _said_before(tree, (*path, "from"), days, seen)
        yield from _outside(tree, (*path, "from"), days, year.year)
    for number, day in enumerate(year.working_days):
        path = ("working_days", number)
        if day.weekday() < _WORKDAYS_A_WEEK:
            yield _at(tree, path, f"{day} is no Saturday or Sunday, so it is a working day already.")
        yield from _said_before(tree, path, (day,), seen)
        yield from _outside(tree, path, (day,), year.year)


def _said_before(tree: Node, path: _Path, days: Sequence[date], seen: _Days) -> Iterator[tuple[Place, Finding]]:
    place = tree.at(path).place
    twice = [day for day in days if day in seen]
    if twice:
        other = seen[twice[0]]
        message = f"{twice[0]} stands also in {other.file}, line {other.line}."
        yield place, Finding(code="twice", message=message)
    seen.update((day, place) for day in days if day not in seen)


def _outside(tree: Node, path: _Path, days: Sequence[date], year: int) -> Iterator[tuple[Place, Finding]]:
    """A notice speaks of its year, and of the December before it (元旦)."""
    for day in days:
        if day.year != year and (day.year, day.month) != (year - 1, _DECEMBER):
            yield _at(tree, path, f"{day} is not in {year}, nor in the December before it.")
            return


def _local_faults(tree: Node, local: LocalCalendar, path: _Path) -> Found:
    """Terms and closures that run backwards, and terms that overlap."""
    found = [
        _at(tree, (*path, "closures", number, "to"), f"it ends before it begins, on {one.first}.")
        for number, one in enumerate(local.closures)
        if one.last < one.first
    ]
    terms = sorted(local.terms.items())
    for name, one in terms:
        if one.last < one.first:
            found.append(_at(tree, (*path, "terms", name, "to"), f"the term ends before it begins, on {one.first}."))
        elif one.vacation_to is not None and one.vacation_to < one.last:
            message = f"the vacation ends before the term does, on {one.last}."
            found.append(_at(tree, (*path, "terms", name, "vacation_to"), message))
    for (name, one), (following, other) in pairwise(terms):
        if other.first <= (one.vacation_to or one.last):
            message = f"term {following} begins on {other.first}, before {name} and its vacation are over."
            found.append(_at(tree, (*path, "terms", following, "from"), message))
    return found


def _at(tree: Node, path: _Path, message: str) -> tuple[Place, Finding]:
    return tree.at(path).place, Finding(code="wrong-value", message=message)
