"""A folder of definitions in: `workflows/` and `rules/` to a library, with every fault.

Source: the definition language, sections 2, 9 and 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from engine.definition import Definition
from engine.errors import DefinitionFaults, Fault
from engine.expressions.functions import Registered
from engine.library import Library
from engine.loading.batches import typed_batch
from engine.loading.nodes import Node
from engine.loading.positions import Finding, Positions, key_of
from engine.loading.registered import source_hash
from engine.loading.rulebooks import read_rulebook
from engine.loading.shapes import Found
from engine.loading.shelf import NOTHING_OVER, Shelf
from engine.loading.variants import projections
from engine.vocabulary import BatchFile, RulebookText

NO_FUNCTIONS: Mapping[str, Registered] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a folder held: a library (none if a file is unusable), every fault, every place."""

    library: Library | None
    faults: tuple[Fault, ...]
    positions: Positions


def load(
    folder: Path, functions: Mapping[str, Registered] = NO_FUNCTIONS, over: Mapping[str, str] = NOTHING_OVER
) -> Library:
    """The library of a folder that holds `workflows/` and `rules/`.

    Only the shape of the files is judged here; `engine.checking` judges what they say.

    Args:
        folder: Where the two folders are.
        functions: What expressions may call beside the functions of the language (`rules/functions.py`).
        over: Texts by the name of a file, read instead of it.

    Raises:
        DefinitionFaults: If anything in any file cannot be used; it names every place.
    """
    reading = read(folder, functions, over)
    if reading.library is None or reading.faults:
        raise DefinitionFaults(reading.faults)
    return reading.library


def read(
    folder: Path, functions: Mapping[str, Registered] = NO_FUNCTIONS, over: Mapping[str, str] = NOTHING_OVER
) -> Reading:
    """What a folder holds, with all faults at once; never raises for what a file says. `over`: as `load`."""
    shelf = Shelf(folder=folder, over=over)
    rulebook = read_rulebook(shelf, source_hash(functions))
    definitions = {key: one for path in shelf.files("workflows") for key, one in definitions_in(shelf, path)}
    batches = dict(read_batches(shelf, rulebook)) if rulebook is not None else {}
    library = None
    if rulebook is not None and not shelf.has_gaps:
        library = Library(definitions=definitions, rulebook=rulebook, batches=batches, functions=functions)
    return Reading(
        library=library,
        faults=tuple(sorted(set(shelf.faults))),
        positions=Positions(trees=shelf.trees, lines=shelf.lines),
    )


def read_workflow(path: Path, text: str | None = None) -> dict[str, Definition]:
    """One workflow file by itself, or a text in its place: as each of its profiles has it.

    Raises:
        DefinitionFaults: If anything in it cannot be used.
    """
    shelf = Shelf(folder=path.parent, over=NOTHING_OVER if text is None else {path.name: text})
    file = shelf.open(path)
    found: Found = []
    read: dict[str, Definition] = {}
    for projection in projections(file, found) if file is not None else ():
        definition = shelf.shape(Definition, projection.tree)
        if definition is not None:
            read[definition.profile] = definition
    shelf.report(found)
    if shelf.faults:
        raise DefinitionFaults(tuple(sorted(set(shelf.faults))))
    return read


def definitions_in(shelf: Shelf, path: Path) -> Iterator[tuple[tuple[str, str], Definition]]:
    """The definitions of one file of a shelf, by workflow and profile; the shelf takes the faults and the trees."""
    file = shelf.open(path)
    if file is None:
        return
    _report_name(shelf, file, "workflow", path.stem)
    found: Found = []
    for projection in projections(file, found):
        definition = shelf.shape(Definition, projection.tree)
        if definition is not None:
            key = key_of(definition.workflow, definition.profile)
            shelf.trees[key] = projection.tree
            yield (definition.workflow, definition.profile), definition
    shelf.report(found)


def read_batches(shelf: Shelf, rulebook: RulebookText) -> Iterator[tuple[str, BatchFile]]:
    """The batch files of a shelf, their values read as a rulebook has them; the shelf takes the faults."""
    for path in shelf.files("workflows/batches"):
        yield from _batches_in(shelf, path, rulebook)


def read_batch(file: str, text: str, rulebook: RulebookText) -> BatchFile:
    """One batch by itself, its values read as a rulebook has them.

    Raises:
        DefinitionFaults: If anything in it cannot be used.
    """
    shelf = Shelf(folder=Path(), over={file: text})
    found = [batch for _, batch in _batches_in(shelf, Path(file), rulebook)]
    if shelf.faults:
        raise DefinitionFaults(tuple(sorted(set(shelf.faults))))
    return found[0]


def placed_at_keys(file: str, text: str, wrong: Iterable[tuple[str, str]]) -> tuple[Fault, ...]:
    """What is wrong with a text, by the key (one of the first level) whose value it is about.

    Nothing where the text cannot be read at all, which is a fault of its own.
    """
    shelf = Shelf(folder=Path(), over={file: text})
    tree = shelf.open(Path(file))
    if tree is None:
        return ()
    found = Shelf(folder=Path(), lines=shelf.lines)
    found.report([(tree.at([key]).place, Finding(code="wrong-value", message=message)) for key, message in wrong])
    return tuple(sorted(found.faults))


def _batches_in(shelf: Shelf, path: Path, rulebook: RulebookText) -> Iterator[tuple[str, BatchFile]]:
    """The batch of one file of a shelf, by its name; none where it cannot be used."""
    tree = shelf.open(path)
    if tree is None:
        return
    _report_name(shelf, tree, "batch", path.stem)
    batch = shelf.shape(BatchFile, tree)
    if batch is not None:
        found: Found = []
        yield batch.batch, typed_batch(batch, tree, rulebook.for_profile(batch.profile), found)
        shelf.report(found)


def _report_name(shelf: Shelf, tree: Node, key: str, stem: str) -> None:
    """The name inside is the name outside, so two files can never define the same thing."""
    named = tree.entries.get(key)
    if named is not None and str(named.value) != stem:
        message = f"the file is called '{stem}', so this is too, not '{named.value}'."
        shelf.report([(named.place, Finding(code="wrong-value", message=message))])
