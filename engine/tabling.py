"""Tables that others maintain (majors offered, programme rules): taken in whole, each change an event of the registry.

Source: the definition language, section 12.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine import lanes
from engine.actors import Actor
from engine.desk import Desk
from engine.errors import NotAllowed, Unknown
from engine.expressions.kinds import decode, parse_kind
from engine.records import Json, Request
from engine.settling import cause_of, settle_lookers
from engine.store import registry
from engine.trail.event import REGISTRY, EventKind, canonical

_MAINTAINERS = ("records_section", "academic_affairs")
"""学籍科 and 教务处 keep the tables (S001-I-4.1)."""

Rows = Sequence[Mapping[str, Json]]
"""JSON by column, each value of the column's kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """What taking a table in did, or would do: rows before and after, and how many are in one of the two only."""

    before: int
    after: int
    added: int
    removed: int

    @property
    def changes_nothing(self) -> bool:
        """Whether the table holds the same rows already, in whatever order."""
        return not (self.added or self.removed)


def replace_table(desk: Desk, name: str, rows: Rows, request: Request, *, dry_run: bool = False) -> TableChange:
    """Make these rows the whole of a table, in one transaction; the same rows again change nothing and leave no event.

    Args:
        desk: Where it is kept.
        name: A table of the vocabulary.
        rows: Its rows; the event has their number and SHA-256, not the rows.
        request: By whom and when.
        dry_run: Only say what would change.

    Raises:
        Unknown: If the vocabulary has no such table, or a row has other columns than it.
        NotAllowed: If the person does not keep tables.
        ValueError: If a value is not of its column's kind.
    """
    _entitled(desk, request.actor)
    _check(desk, name, rows)
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else replaces a table waits here
        change = _compared(registry.table_rows(desk.connection, name), rows)
        if not dry_run and not change.changes_nothing:
            registry.replace_table(desk.connection, name, rows)
            data: dict[str, Json] = {
                "table": name,
                "rows": {"old": change.before, "new": change.after},
                "added": change.added,
                "removed": change.removed,
                "sha256": rows_hash(rows),
            }
            desk.record([(EventKind.TABLE_CHANGED, data)], at=request.at, actor=request.actor.login)
            desk.refresh()
            settle_lookers(desk, {0: cause_of(REGISTRY, registry.registry_head(desk.connection).seq)}, request)
            lanes.settle_tables(desk, request)
    return change


def rows_hash(rows: Rows) -> str:
    """The SHA-256 of rows in their order, as 64 hexadecimal digits: what the event holds them to."""
    return hashlib.sha256(b"\n".join(canonical(row) for row in rows)).hexdigest()


def keeps_tables(actor: Actor) -> bool:
    """Whether a person keeps the tables."""
    return any(grant.role in _MAINTAINERS for grant in actor.grants)


def _entitled(desk: Desk, actor: Actor) -> None:
    if not keeps_tables(actor):
        top = min((row.path for row in desk.units().values()), default="/")
        raise NotAllowed(actor.login, "import table", _MAINTAINERS, top)


def _check(desk: Desk, name: str, rows: Rows) -> None:
    tables = desk.library.rulebook.vocabulary.tables
    if name not in tables:
        raise Unknown("表 table", name, tables)
    kinds = {column: parse_kind(text) for column, text in tables[name].columns.items()}
    for row in rows:
        for column, value in row.items():
            if column not in kinds:
                raise Unknown("列 column", column, kinds)
            decode(kinds[column], value)


def _compared(old: Rows, new: Rows) -> TableChange:
    was, becomes = ({canonical(row) for row in rows} for rows in (old, new))
    return TableChange(before=len(old), after=len(new), added=len(becomes - was), removed=len(was - becomes))
