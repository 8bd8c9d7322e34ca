"""A folder of definitions in: `workflows/` and `rules/` to a library, with every fault.

Source: the definition language, sections 2, 9 and 12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.definition import Definition
from engine.errors import DefinitionFaults, Fault
from engine.library import Library
from engine.loading.batches import typed_batch
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding, Positions, key_of, placed
from engine.loading.shapes import Found, Model, shaped
from engine.loading.strict_yaml import read_text
from engine.loading.variants import projections
from engine.vocabulary import (
    BatchFile,
    Document,
    Organisation,
    Rule,
    RulebookHead,
    RulebookText,
    Vocabulary,
)

_NOT_RULES = frozenset({"rulebook", "vocabulary", "engine", "documents", "organisation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a folder held: a library (none if a file is unusable), every fault, every place."""

    library: Library | None
    faults: tuple[Fault, ...]
    positions: Positions


def load(folder: Path) -> Library:
    """The library of a folder that holds `workflows/` and `rules/`.

    Only the shape of the files is judged here; `engine.checking` judges what they say.

    Raises:
        DefinitionFaults: If anything in any file cannot be used; it names every place.
    """
    reading = read(folder)
    if reading.library is None or reading.faults:
        raise DefinitionFaults(reading.faults)
    return reading.library


def read(folder: Path) -> Reading:
    """What a folder holds, with all faults at once; never raises for what a file says."""
    desk = _Desk(folder=folder)
    rulebook = _rulebook(desk)
    definitions = dict(_definitions(desk))
    batches = dict(_batches(desk, rulebook)) if rulebook is not None else {}
    library = None
    if rulebook is not None and not desk.has_gaps:
        library = Library(definitions=definitions, rulebook=rulebook, batches=batches)
    return Reading(
        library=library,
        faults=tuple(sorted(set(desk.faults))),
        positions=Positions(trees=desk.trees, lines=desk.lines),
    )


@dataclass(slots=True, kw_only=True)
class _Desk:
    """Where the files of one folder are laid out while they are read."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    trees: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, Sequence[str]] = field(default_factory=dict)
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
        self.faults.extend(placed(finding, place, self.lines) for place, finding in found)

    def shape(self, model: type[Model], tree: Node) -> Model | None:
        found: Found = []
        value = shaped(model, tree, found)
        self.report(found)
        self.has_gaps |= value is None
        return value

    def mapping_of(self, model: type[Model], name: str, paths: Sequence[Path]) -> Mapping[str, Model]:
        """The entries of several files under one roof; a name stands in one of them only."""
        roof = Node(place=Place(file=f"rules/{name}.yaml", line=1, column=1), value={})
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        for path in paths:
            tree = self.open(path) or roof
            for key, entry in tree.entries.items():
                if key in entries:
                    message = f"'{key}' stands also in {keys[key].file}, line {keys[key].line}."
                    self.report([(tree.keys[key], Finding(code="twice", message=message))])
                entries[key], keys[key] = entry, tree.keys[key]
        self.trees[name] = Node(place=roof.place, value=entries, keys=keys)
        shaped_entries = {key: self.shape(model, entry) for key, entry in entries.items()}
        return {key: value for key, value in shaped_entries.items() if value is not None}


def _rulebook(desk: _Desk) -> RulebookText | None:
    rules = desk.folder / "rules"
    head = _single(desk, RulebookHead, "rulebook")
    vocabulary = _single(desk, Vocabulary, "vocabulary")
    organisation = _single(desk, Organisation, "organisation")
    texts = [path for path in sorted(rules.glob("*.yaml")) if path.stem not in _NOT_RULES]
    conditions = desk.mapping_of(Rule, "rules", texts)
    engine = desk.mapping_of(Rule, "engine", [rules / "engine.yaml"])
    documents = desk.mapping_of(Document, "documents", [rules / "documents.yaml"])
    _report_rules(desk, conditions, engine)
    if head is None or vocabulary is None or organisation is None:
        return None
    return RulebookText(
        effective_from=head.effective_from,
        vocabulary=vocabulary,
        rules=conditions,
        engine=engine,
        documents=documents,
        organisation=organisation,
    )


def _single(desk: _Desk, model: type[Model], name: str) -> Model | None:
    tree = desk.open(desk.folder / "rules" / f"{name}.yaml")
    if tree is None:
        return None
    desk.trees[name] = tree
    return desk.shape(model, tree)


def _report_rules(desk: _Desk, rules: Mapping[str, Rule], engine: Mapping[str, Rule]) -> None:
    """A rule decides by its text; an engine rule decides in code and has its sentence here."""
    for name, rule in rules.items():
        if not rule.all_of and rule.holds is None:
            finding = Finding(code="missing-key", message="'holds' is required here.")
            desk.report([(desk.trees["rules"].keys[name], finding)])
    for name, rule in engine.items():
        if rule.holds is not None or rule.all_of:
            finding = Finding(code="unknown-key", message="an engine rule has no condition here.")
            desk.report([(desk.trees["engine"].keys[name], finding)])
        if name in rules:
            finding = Finding(code="twice", message=f"'{name}' is a rule and an engine rule.")
            desk.report([(desk.trees["engine"].keys[name], finding)])


def _definitions(desk: _Desk) -> Iterator[tuple[tuple[str, str], Definition]]:
    for path in sorted((desk.folder / "workflows").glob("*.yaml")):
        file = desk.open(path)
        if file is None:
            continue
        _report_name(desk, file, "workflow", path.stem)
        for projection in projections(file):
            desk.report(list(projection.findings))
            definition = desk.shape(Definition, projection.tree)
            if definition is not None:
                key = key_of(definition.workflow, definition.profile)
                desk.trees[key] = projection.tree
                yield (definition.workflow, definition.profile), definition


def _batches(desk: _Desk, rulebook: RulebookText) -> Iterator[tuple[str, BatchFile]]:
    for path in sorted((desk.folder / "workflows" / "batches").glob("*.yaml")):
        tree = desk.open(path)
        if tree is None:
            continue
        _report_name(desk, tree, "batch", path.stem)
        batch = desk.shape(BatchFile, tree)
        if batch is not None:
            found: Found = []
            yield batch.batch, typed_batch(batch, tree, rulebook, found)
            desk.report(found)


def _report_name(desk: _Desk, tree: Node, key: str, stem: str) -> None:
    """The name inside is the name outside, so two files can never define the same thing."""
    named = tree.entries.get(key)
    if named is not None and str(named.value) != stem:
        message = f"the file is called '{stem}', so this is too, not '{named.value}'."
        desk.report([(named.place, Finding(code="wrong-value", message=message))])
