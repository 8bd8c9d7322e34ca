"""Guards in the database: what is only added to is neither changed nor removed while they stand.

They stop slips and scripts, and whoever may write but not change the schema. Who owns the tables can take them off:
that is for `missing` to say, and for the sealed tree to outlast.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.store.database import Connection

GUARDED: Mapping[str, tuple[str, ...]] = {
    "event": ("update", "delete"),
    "leaf": ("update", "delete"),
    "tree_node": ("update", "delete"),
    "checkpoint": ("update", "delete"),
    "personal": ("update",),
}
"""What is refused on which table, as migration 0006 has it; on PostgreSQL TRUNCATE too."""

_ON_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
_ON_POSTGRES = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"


def guards(connection: Connection) -> tuple[str, ...]:
    """The triggers that ought to stand, by name."""
    if connection.is_sqlite:
        return tuple(f"guard_{table}_{act}" for table, acts in GUARDED.items() for act in acts)
    return tuple(f"guard_{table}" for table in GUARDED)


def missing(connection: Connection) -> tuple[str, ...]:
    """The guards that somebody has taken off or switched off."""
    standing = connection.execute(_ON_SQLITE if connection.is_sqlite else _ON_POSTGRES).fetchall()
    names = {str(name) for (name,) in standing}
    return tuple(name for name in guards(connection) if name not in names)
