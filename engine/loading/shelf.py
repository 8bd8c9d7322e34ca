"""The files of one folder while they are read: what each held, and every fault so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import Fault
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding, placed
from engine.loading.shapes import Found, Model, shaped
from engine.loading.strict_yaml import read_text


@dataclass(slots=True, kw_only=True)
class Shelf:
    """Where the files of one folder are laid out while they are read."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    trees: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, Sequence[str]] = field(default_factory=dict)
    profiles: list[tuple[str, Place]] = field(default_factory=list)
    """The profiles that files under `rules/` name among their variants."""
    has_gaps: bool = False
    """Something could not be read at all; to check the rest would blame it for what is missing."""

    def open(self, path: Path) -> Node | None:
        """The tree of a file, or nothing if it cannot be read."""
        name = path.relative_to(self.folder).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            finding = Finding(code="syntax", message=f"Cannot be read: {error}.")
            self.report([(Place(file=name, line=1, column=1), finding)])
            self.has_gaps = True
            return None
        self.lines[name] = text.splitlines()
        tree, faults = read_text(text, name)
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
