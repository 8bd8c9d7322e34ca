"""Issuing: a form made by a step from what the step saw, as rows that are kept, and a hash that stands in the trail.

Pure. The file (a workbook, a page) is made from the rows whenever somebody wants it.

Source: the definition language, sections 5 (issues) and 12 (Document).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from engine.documents import See, document_of, titled
from engine.expressions.compiling import Expression, compile_expression
from engine.expressions.kinds import TEXT, Kind, Row, encode
from engine.expressions.scope import Scope
from engine.records import Json, Verdict
from engine.scopes import kind_or_unknown
from engine.steps import Machine
from engine.store.documents import DocumentRow
from engine.trail.event import canonical
from engine.vocabulary import Document

_MEMBERS = ("members", "")


class Issued(NamedTuple):
    """A form as made: `made` has `columns` and `rows`, `sha256` is the hash of its canonical bytes."""

    kind: str
    made: Mapping[str, Json]
    sha256: str

    def row(self, case: int, seq: int) -> DocumentRow:
        """The document as it is kept with its case, brought by the event `seq`."""
        looks: dict[str, Json] = {"sha256": self.sha256}
        return DocumentRow(case=case, seq=seq, kind=self.kind, sha256=None, looks=looks, made=self.made)


def issue(machine: Machine, kind: str, rows: Sequence[Row], see: See) -> Issued | Verdict:
    """Make a form.

    Args:
        machine: The definition under the rulebook the case is judged by.
        kind: A document with `made_from`.
        rows: What it is made from, as values: the case itself with the facts of its student (one row), the members of
            the list, or the cases of the batch.
        see: Looks up what the form's condition compares rows with (`case.group`).

    Returns:
        The form, or the engine's verdict where its condition cannot be decided for every row.

    Raises:
        Unknown: If there is no such document.
    """
    document = document_of(machine, kind)
    wanted = chosen(machine, kind, rows, see)
    if wanted is None:
        return machine.engine_verdict("document-undecided", what=titled(document.title))
    lines = lines_of(machine, kind, _sorted(wanted, document.sort))
    if document.last_row is not None:
        lines.append([document.last_row, *[None] * (len(document.columns) - 1)])
    made: dict[str, Json] = {"columns": list(document.columns), "rows": lines}
    return Issued(kind=kind, made=made, sha256=made_hash(made))


def lines_of(machine: Machine, kind: str, rows: Sequence[Row]) -> list[list[Json]]:
    """Rows as they would stand in a form now, whatever its condition says of them."""
    document = document_of(machine, kind)
    kinds = _kinds(machine, document)
    return [_line(document.columns, kinds, row) for row in rows]


def made_hash(made: Mapping[str, Json]) -> str:
    """The hash under which the trail knows what was made."""
    return sha256(canonical(made)).hexdigest()


def chosen(machine: Machine, kind: str, rows: Sequence[Row], see: See) -> Sequence[Row] | None:
    """The rows that fulfil a document's condition; None where that is undecided for one of them."""
    condition = _condition(machine, kind)
    if condition is None:
        return rows
    [reading] = condition.readings
    facts = [key for key in reading.outer if key in machine.stored]
    others = [key for key in reading.outer if key not in machine.stored]
    outer = machine.decoded(see(facts, others)) if reading.outer else {}
    found = reading.evaluate(outer, dict.fromkeys(reading.sources, rows))
    return None if found is None else [row for row in _as_tuple(found) if isinstance(row, Mapping)]


def _as_tuple(value: object) -> Iterable[object]:
    return value if isinstance(value, tuple) else ()


@lru_cache(maxsize=256)
def _condition(machine: Machine, kind: str) -> Expression | None:
    document = document_of(machine, kind)
    if document.rows is None:
        return None
    scope = _scope(machine, document)
    return compile_expression(f"where(members, {document.rows})", scope, machine.derived)


def _scope(machine: Machine, document: Document) -> Scope:
    """Where the condition of a form is read: `it` is a row of whatever the form is made from."""
    columns = _row_kinds(machine, document)

    def rows(function: str, argument: str) -> Mapping[str, Kind] | None:
        return columns if (function, argument) == _MEMBERS else machine.scope.rows(function, argument)

    return replace(machine.scope, rows=rows)


def _row_kinds(machine: Machine, document: Document) -> Mapping[str, Kind]:
    """What is known of a row: a member's columns; else facts, and what the case itself has.

    The condition of a file that is handed in to a list says which of its members it is about.
    """
    is_about_members = document.made_from is None and machine.definition.members is not None
    if document.made_from == "members" or is_about_members:
        return machine.scope.rows(*_MEMBERS) or {}
    facts = {name: kind_or_unknown(fact.type) for name, fact in machine.book.vocabulary.student.items()}
    return {**facts, **machine.scope.names, **machine.scope.groups["case"]}


def _kinds(machine: Machine, document: Document) -> tuple[Kind, ...]:
    known = _row_kinds(machine, document)
    return tuple(known.get(name, TEXT) for name in document.columns)


def _line(columns: Sequence[str], kinds: Sequence[Kind], row: Row) -> list[Json]:
    return [
        None if row.get(name) is None else encode(kind, row[name]) for name, kind in zip(columns, kinds, strict=True)
    ]


def _sorted(rows: Sequence[Row], by: Sequence[str]) -> list[Row]:
    """Rows in the form's order; a missing value comes last."""
    found = list(rows)
    for name in reversed(by):
        present = [row for row in found if row.get(name) is not None]
        found = [*sorted(present, key=_value_of(name)), *(row for row in found if row.get(name) is None)]
    return found


def _value_of(name: str) -> Callable[[Row], Any]:
    """The values of one column have one kind, and each kind has an order."""
    return lambda row: row[name]
