"""Writing a file of calendars anew with other days or terms: what is not changed stays as it was, comments too.

The texts are read with the positions and comments of ruamel's round trip, and only what differs is touched; whoever
proposes the result sees it side by side with what it replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from engine.definition import Bilingual
from engine.errors import DefinitionFaults
from engine.loading.shapes import Model
from engine.loading.shelf import Shelf
from engine.vocabulary import CalendarYear, TermDates, TermsFile

_DAY = timedelta(days=1)
_WIDTH = 4096
"""Lines are not broken: a holiday is a line, and so are the make-up working days."""
Flowing = TypeVar("Flowing", CommentedMap, CommentedSeq)
_Titled = tuple[str, str]


class Days(NamedTuple):
    """Days of a year's notice: those off with what they are called, and those worked that would be off (调休上班)."""

    off: Mapping[date, Bilingual]
    worked: frozenset[date]


def year_in(file: str, text: str) -> CalendarYear:
    """What a file of a year says.

    Raises:
        DefinitionFaults: If it cannot be read; it names every place.
    """
    return _shaped(CalendarYear, file, text)


def terms_in(file: str, text: str) -> TermsFile:
    """What the file of terms says; an empty one says nothing.

    Raises:
        DefinitionFaults: As `year_in`.
    """
    return _shaped(TermsFile, file, text) if text.strip() else TermsFile()


def _shaped(model: type[Model], file: str, text: str) -> Model:
    shelf = Shelf(folder=Path(), over={file: text})
    tree = shelf.open(Path(file))
    found = None if tree is None else shelf.shape(model, tree)
    if found is None or shelf.faults:
        raise DefinitionFaults(shelf.faults)
    return found


def days_of(year: CalendarYear) -> Days:
    """The days a notice speaks of."""
    return Days({day: one.title for one in year.holidays for day in one.days()}, frozenset(year.working_days))


def with_days(text: str, days: Days, status: str, source: str) -> str:
    """The text of a year with other days, whether its notice is out, and which it is."""
    yaml = _yaml()
    tree: Any = yaml.load(text)
    if str(tree.get("status", "confirmed")) != status:
        tree["status"] = status
    _put_source(tree, source)
    _put_stretches(tree, _stretches(days.off))
    worked = sorted(days.worked)
    if worked != list(tree.get("working_days") or ()):
        tree["working_days"] = _flow(CommentedSeq(worked))
    return _dumped(yaml, tree)


def with_terms(text: str, groups: Mapping[tuple[str, ...], Mapping[str, TermDates]]) -> str:
    """The text of terms with other dates.

    Args:
        text: As it was; empty where there was none.
        groups: Whose terms (nobody's in particular, `profiles` or `units` and a name), each by its name, complete.
    """
    yaml = _yaml()
    tree: Any = yaml.load(text) if text.strip() else CommentedMap()
    for path, terms in groups.items():
        here = tree
        for step in path:
            here = here.setdefault(step, CommentedMap())
        if terms or "terms" in here:
            _put_terms(here.setdefault("terms", CommentedMap()), terms)
    return _dumped(yaml, tree)


def _put_terms(here: Any, terms: Mapping[str, TermDates]) -> None:  # noqa: ANN401 ruamel's maps are untyped
    for name in [name for name in here if name not in terms]:
        del here[name]
    for name, one in sorted(terms.items()):
        said = {
            key: day for key, day in (("from", one.first), ("to", one.last), ("vacation_to", one.vacation_to)) if day
        }
        if name not in here:
            here.insert(sum(str(other) < name for other in here), name, _flow(CommentedMap(said)))
        elif dict(here[name]) != said:
            here[name] = _flow(CommentedMap(said))


def _put_source(tree: Any, source: str) -> None:  # noqa: ANN401
    was = tree.get("source")
    if source and source != ("、".join(was) if isinstance(was, list) else was):
        if "source" in tree:
            tree["source"] = source
        else:
            tree.insert(list(tree).index("status") + 1 if "status" in tree else 1, "source", source)
    elif not source and was:
        del tree["source"]


def _put_stretches(tree: Any, wanted: Sequence[tuple[_Titled, date, date]]) -> None:  # noqa: ANN401
    old = tree.get("holidays") or CommentedSeq()
    places = {_said(one): place for place, one in enumerate(old)}
    if [_said(one) for one in old] == list(wanted):
        return
    comments = dict(old.ca.items)
    new = CommentedSeq([old[places[one]] if one in places else _written(*one) for one in wanted])
    for place, one in enumerate(wanted):
        if one in places and places[one] in comments:
            new.ca.items[place] = comments[places[one]]
    if not wanted:
        _flow(new)
    tree["holidays"] = new


def _said(one: Any) -> tuple[_Titled, date, date]:  # noqa: ANN401
    return (str(one["title"]["zh"]), str(one["title"]["en"])), one["from"], one.get("to") or one["from"]


def _written(title: _Titled, first: date, last: date) -> CommentedMap:
    named = _flow(CommentedMap({"zh": title[0], "en": title[1]}))
    return _flow(CommentedMap({"title": named, "from": first, **({"to": last} if last != first else {})}))


def _stretches(off: Mapping[date, Bilingual]) -> list[tuple[_Titled, date, date]]:
    """Days on end that are called the same, in their order."""
    found: list[tuple[_Titled, date, date]] = []
    for day, title in sorted(off.items(), key=lambda one: one[0]):
        named = (title.zh, title.en)
        if found and found[-1][0] == named and found[-1][2] + _DAY == day:
            found[-1] = (named, found[-1][1], day)
        else:
            found.append((named, day, day))
    return found


def _flow(one: Flowing) -> Flowing:
    one.fa.set_flow_style()
    return one


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.width = _WIDTH
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(yaml: YAML, tree: Any) -> str:  # noqa: ANN401
    out = StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


def spread(first: date, last: date) -> Iterable[date]:
    """Every day from one to another, both included; none where they run backwards."""
    return (first + _DAY * count for count in range((last - first).days + 1))
