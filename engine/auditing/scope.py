"""Scope: which cases an auditor looks at: those of a batch, those at or below the units of the auditor, or both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.auditing.history import Definitions, History, gathered
from engine.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Cases of `batch` (None: of every batch and of none), at or below one of `paths` (empty: wherever they are)."""

    batch: str | None = None
    paths: tuple[str, ...] = ()

    def where(self) -> tuple[str, tuple[str, ...]]:
        """The condition on `cases c` in SQL, and its parameters; always true where nothing is asked."""
        parts, params = ["1 = 1"], list[str]()
        if self.batch is not None:
            parts.append("c.batch = ?")
            params.append(self.batch)
        if self.paths:
            inside = "substr(c.path, 1, length(CAST(? AS text))) = CAST(? AS text)"
            parts.append(f"({' OR '.join([inside] * len(self.paths))})")
            params += [path for one in self.paths for path in (one, one)]
        return " AND ".join(parts), tuple(params)


def histories_in(connection: Connection, scope: Scope, definitions: Definitions) -> Iterator[History]:
    """The histories of a scope, by number; streamed, one case in memory at a time; call inside `reading`."""
    where, params = scope.where()
    sql = f"SELECT e.chain, e.body FROM event e JOIN cases c ON c.id = e.chain WHERE {where} ORDER BY e.chain, e.seq"  # noqa: S608 constant text
    yield from gathered(connection.stream(sql, params), definitions)


def cases_in(connection: Connection, scope: Scope) -> frozenset[int]:
    """The cases of a scope."""
    where, params = scope.where()
    rows = connection.execute(f"SELECT c.id FROM cases c WHERE {where}", params).fetchall()  # noqa: S608 constant text
    return frozenset(int(row[0]) for row in rows)


def chains_below(connection: Connection, paths: tuple[str, ...]) -> frozenset[int]:
    """The chains of the cases, and of the students, at or below some units as they are today."""
    rows = connection.execute("SELECT -s.id, u.path FROM student s JOIN unit u ON u.code = s.unit").fetchall()
    students = frozenset(int(chain) for chain, path in rows if str(path).startswith(paths))
    return students | cases_in(connection, Scope(paths=paths))
