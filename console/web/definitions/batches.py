"""Batches: what the files have and what is published; publishing one, and setting its dates, each with a preview."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine.errors import NotNow, Unknown, Unreadable
from engine.expressions.kinds import Kind, parse_kind
from engine.proposed_batches import said
from engine.publishing import Changed, TermStarted, broken_orders, change_batch, publish_batch, start_term
from engine.store.registry import BatchRow
from engine.vocabulary import BatchFile, Fact

ADDRESS = "/admin/batches"
_SETTABLE = ("date", "moment", "text", "number", "term")
"""Kinds of fields that are one line in a form; sets of pairs are set by the file."""


_START, _END = (re.compile(rf"{name}\(([^()]*)\)") for name in ("start_of_day", "end_of_day"))


class Line(NamedTuple):
    """A batch of the files or of the database."""

    name: str
    title: str
    profile: str
    is_published: bool
    open_fields: int


class Field(NamedTuple):
    """A value of a batch: what it is called, its kind, what it is now as text, and whether a form can set it."""

    name: str
    title: str
    kind: str
    value: str
    shown: str
    can_be_set: bool
    fault: str = ""


class Change(NamedTuple):
    """One value as it was and as it is to be."""

    title: str
    old: str
    new: str


class Preview(NamedTuple):
    """What setting values would do: the values, and how many deadlines would move."""

    changes: tuple[Change, ...]
    given: Mapping[str, str]
    deadlines: int


class Batch(NamedTuple):
    """A batch with its values; `rulebook` is empty before it is published, and a file may be gone since."""

    line: Line
    kind: str
    source: tuple[str, ...]
    fields: tuple[Field, ...]
    checks: tuple[str, ...]
    rulebook: str
    address: str
    has_file: bool


def lines(visit: Visit) -> list[Line]:
    """Every batch, those that are not published first."""
    rows = {row.name: row for row in visit.desk.every_batch()}
    names = dict.fromkeys((*visit.desk.library.batches, *rows))
    found = [_line(visit, visit.desk.library.batches.get(name), rows.get(name)) for name in names]
    return sorted(found, key=lambda one: (one.is_published, one.name))


def _line(visit: Visit, file: BatchFile | None, row: BatchRow | None) -> Line:
    if row is not None:
        fields = _facts(visit, row.profile, row.kind)
        title = visit.title(file.title) if file is not None else row.title
        missing = sum(row.values.get(name) is None for name in fields)
        return Line(row.name, title, row.profile, is_published=True, open_fields=missing)
    if file is None:
        raise NotFound
    missing = sum(value is None for value in file.values.values())
    return Line(file.batch, visit.title(file.title), file.profile, is_published=False, open_fields=missing)


def _facts(visit: Visit, profile: str, kind: str) -> Mapping[str, Fact]:
    return visit.desk.library.rulebook_for(profile).vocabulary.batch[kind].fields


def batch(visit: Visit, name: str, faults: Mapping[str, str] | None = None) -> Batch:
    """One batch.

    Raises:
        NotFound: If neither the files nor the database have it.
    """
    row, file = visit.desk.batch(name), visit.desk.library.batches.get(name)
    line = _line(visit, file, row)
    kind = row.kind if row is not None else file.kind if file is not None else ""
    facts = _facts(visit, line.profile, kind)
    values: Mapping[str, object] = row.values if row is not None else file.values if file is not None else {}
    checks = visit.desk.library.rulebook_for(line.profile).vocabulary.batch[kind].check
    given = visit.form if faults else {}
    return Batch(
        line=line,
        kind=kind,
        source=file.source if file is not None else (),
        fields=tuple(
            _field(visit, name, fact, given.get(name, said(values.get(name))), (faults or {}).get(name, ""))
            for name, fact in facts.items()
        ),
        checks=tuple(in_words(visit, text, facts) for text in checks),
        rulebook="" if row is None else row.rulebook[:12],
        address=f"{ADDRESS}/{name}",
        has_file=file is not None,
    )


def _field(visit: Visit, name: str, fact: Fact, value: str, fault: str) -> Field:
    kind: Kind = parse_kind(fact.type)
    return Field(name, visit.title(fact.title), kind.name, value, value or "—", kind.name in _SETTABLE, fault)


def in_words(visit: Visit, check: str, facts: Mapping[str, Fact]) -> str:
    """An order of dates in the words of the page."""
    words = check.replace("<=", "≤")
    for name in sorted(facts, key=len, reverse=True):
        words = words.replace(name, visit.title(facts[name].title))
    words = _START.sub(lambda found: visit.say("{what}当天开始", what=found[1]), words)
    return _END.sub(lambda found: visit.say("{what}当天结束", what=found[1]), words)


class _NotMeant(Exception):
    """Rolls back what was tried."""


@contextmanager
def _undone(visit: Visit) -> Iterator[None]:
    """Whatever happens inside has not happened afterwards."""
    with suppress(_NotMeant), visit.desk.connection.writing():
        yield
        raise _NotMeant


def publish(visit: Visit, name: str) -> int:
    """Publish a batch; how many cases were opened with it."""
    return publish_batch(visit.desk, name, visit.asks("batch_publish")).opened


def try_publishing(visit: Visit, name: str) -> int:
    """How many cases publishing it would open; nothing is kept."""
    opened = 0
    with _undone(visit):
        opened = publish(visit, name)
    visit.desk.refresh()
    return opened


def given(visit: Visit, shown: Batch) -> dict[str, str]:
    """The fields of the form that are not as they were."""
    return {
        one.name: visit.form[one.name]
        for one in shown.fields
        if one.can_be_set and one.name in visit.form and visit.form[one.name] != one.value and visit.form[one.name]
    }


def try_setting(visit: Visit, shown: Batch) -> Preview:
    """What setting the values of the form would do; nothing is kept.

    Raises:
        FieldFaults: If one cannot be read, or they are out of order.
    """
    wanted, done = given(visit, shown), Changed({}, 0)
    old = {one.name: one for one in shown.fields}
    with _undone(visit):
        done = _set(visit, shown.line.name, wanted)
    visit.desk.refresh()
    changes = tuple(Change(old[name].title, old[name].shown, said(done.values[name])) for name in wanted)
    return Preview(changes, wanted, done.deadlines)


def set_values(visit: Visit, shown: Batch) -> None:
    """Set the values of the form.

    Raises:
        FieldFaults: If one cannot be read, or they are out of order.
    """
    _set(visit, shown.line.name, given(visit, shown))


def _set(visit: Visit, name: str, wanted: Mapping[str, str]) -> Changed:
    if not wanted:
        raise FieldFaults([FieldFault("values", visit.say("日期"), visit.say("没有改动"))])
    try:
        with visit.desk.connection.writing():
            done = change_batch(visit.desk, name, wanted, visit.asks("batch_set"))
            _demand_order(visit, name, wanted)
            return done
    except Unreadable as problem:
        field = problem.name.rpartition(" ")[2]
        raise FieldFaults([FieldFault(field, problem.name, in_language(str(problem), visit.lang))]) from problem


def _demand_order(visit: Visit, name: str, wanted: Mapping[str, str]) -> None:
    """Take back what was set if a date that was given stands on the wrong side of another."""
    visit.desk.refresh()
    row = visit.desk.batch(name)
    if row is None:
        raise NotFound
    facts = _facts(visit, row.profile, row.kind)
    broken = [
        one for one in broken_orders(visit.desk, row.profile, row.kind, row.values) if wanted.keys() & set(one.fields)
    ]
    if broken:
        visit.desk.refresh()
        title = visit.say("日期先后")
        raise FieldFaults([FieldFault(one.fields[0], title, in_words(visit, one.text, facts)) for one in broken])


def begin_term(visit: Visit) -> TermStarted:
    """Say that a term has begun.

    Raises:
        FieldFaults: If it is none, or not the term of the day.
    """
    try:
        return start_term(visit.desk, visit.form.get("term", ""), visit.asks("term_start"))
    except (Unreadable, NotNow, Unknown) as problem:
        fault = FieldFault("term", visit.say("学期"), in_language(str(problem), visit.lang))
        raise FieldFaults([fault]) from problem
