"""The files of one folder while they are read: what each held, and every fault so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from engine.errors import Fault
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding, placed
from engine.loading.shapes import Found, Model, shaped
from engine.loading.strict_yaml import read_text

NOTHING_OVER: Mapping[str, str] = MappingProxyType({})


_read = lru_cache(maxsize=256)(read_text)
"""Reading a text is nearly all there is to do; whoever looks at one more text has read the others a moment ago."""


@dataclass(slots=True, kw_only=True)
class Shelf:
    """Where the files of one folder are laid out while they are read.

    `over` are texts by the name of a file: they are read instead of it, or beside the others where it is not there.
    """

    folder: Path
    over: Mapping[str, str] = field(default_factory=lambda: NOTHING_OVER)
    faults: list[Fault] = field(default_factory=list)
    trees: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, Sequence[str]] = field(default_factory=dict)
    profiles: list[tuple[str, Place]] = field(default_factory=list)
    """The profiles that files under `rules/` name among their variants."""
    has_gaps: bool = False
    """Something could not be read at all; to check the rest would blame it for what is missing."""

    def files(self, part: str) -> list[Path]:
        """The files directly in one of its folders (`rules/calendars`), those laid over it among them, by name."""
        there = {path.name for path in (self.folder / part).glob("*.yaml")}
        laid = {path.name for path in map(PurePosixPath, self.over) if path.parent.as_posix() == part}
        return [self.folder / part / name for name in sorted(there | laid)]

    def open(self, path: Path) -> Node | None:
        """The tree of a file, or nothing if it cannot be read."""
        name = path.relative_to(self.folder).as_posix()
        try:
            text = self.over[name] if name in self.over else path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            finding = Finding(code="syntax", message=f"Cannot be read: {error}.")
            self.report([(Place(file=name, line=1, column=1), finding)])
            self.has_gaps = True
            return None
        self.lines[name] = text.splitlines()
        tree, faults = _read(text, name)
        self.faults.extend(faults)
        self.has_gaps |= tree is None
        return tree

    def report(self, found: Found) -> None:
        """Note what was found, with the lines it stands on."""
        self.faults.extend(placed(finding, place, self.lines) for place, finding in found)

    def shape(self, model: type[Model], tree: Node) -> Model | None:
        """The value of a tree, or nothing if it does not fit; what does not is noted."""
        found: Found = []
        value = shaped(model, tree, found)
        self.report(found)
        self.has_gaps |= value is None
        return value
