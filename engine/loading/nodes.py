"""A definition file as a tree in which everything still knows where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands; lines and columns count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A scalar, a list or a mapping; `keys` says where each key of a mapping stands.

    `inset` counts the characters between the place and the text itself (1 for a quoted text).
    """

    place: Place
    value: str | int | bool | tuple[Node, ...] | Mapping[str, Node] | None
    keys: Mapping[str, Place] = field(default_factory=dict)
    inset: int = 0

    @property
    def entries(self) -> Mapping[str, Node]:
        """The entries of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, Mapping) else {}

    def child(self, step: str | int) -> Node | None:
        """What stands under a key or at an index, if anything does."""
        if isinstance(self.value, tuple) and isinstance(step, int):
            return self.value[step] if step < len(self.value) else None
        return self.entries.get(str(step))

    def at(self, path: Sequence[str | int]) -> Node:
        """The deepest node on a path; steps that are not in the file are passed over.

        Steps are missing where one word stands for a list of one, or a model adds a level.
        """
        here = self
        for step in path:
            here = here.child(step) or here
        return here

    def place_of_key(self, path: Sequence[str | int]) -> Place:
        """Where the last key of a path stands; for an item of a list, where the item stands."""
        parent = self.at(path[:-1])
        key = str(path[-1]) if path else ""
        return parent.keys.get(key) or self.at(path).place

    def plain(self) -> Json:
        """The tree without places, as pydantic reads it."""
        if isinstance(self.value, Mapping):
            return {key: one.plain() for key, one in self.value.items()}
        if isinstance(self.value, tuple):
            return [one.plain() for one in self.value]
        return self.value
