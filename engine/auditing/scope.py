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
