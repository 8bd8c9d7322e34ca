"""One text changed in a library that is sound: what it changes is checked, and what may refer to it.

To read every file of an institution with the place of every word, and to type every expression of every machine, takes
seconds. What a single text can break is far less. A sound change is found to be sound here; whatever else is found is
left to `engine.checking.examining`, which names every fault with its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

from engine.checking.examining import complaints, complaints_of, complaints_together
from engine.checking.subjects import Complaint, Subject, subjects
from engine.library import Library
from engine.loading.calendars import read_calendar
from engine.loading.folder import definitions_in, read_batches
from engine.loading.registered import source_hash
from engine.loading.rulebooks import read_rulebook
from engine.loading.shelf import Shelf
from engine.store.proposals import is_batch, is_procedure
from engine.vocabulary import RulebookText, Vocabulary


def changed_soundly(
    base: Library, folder: Path, over: Mapping[str, str], file: str, messages: Collection[str] | None = None
) -> Library | None:
    """The library with a text in place of a file, if it is as sound as it was before; None: examine everything.

    Args:
        base: A sound library: that of the folder, with `over` laid over it except for the file.
        folder: Where the files are.
        over: Texts by the name of a file, the changed one among them.
        file: The one that has changed.
        messages: What people can be told; None: any name.
    """
    shelf = Shelf(folder=folder, over=over)
    found: Iterator[Complaint] = iter(())  # no check asks a batch or a calendar: their faults are found in reading
    if is_batch(file):
        library = replace(base, batches=dict(read_batches(shelf, base.rulebook)))
    elif is_procedure(file):
        library = _with_definitions(base, shelf, folder / file)
        found = _complaints_around(base, library, Path(file).stem, messages)
    elif file.startswith("rules/calendars/"):
        library = replace(base, rulebook=base.rulebook.model_copy(update={"calendar": read_calendar(shelf)}))
        if any(profile not in base.rulebook.organisation.profiles for profile, _ in shelf.profiles):
            return None
    else:
        book = read_rulebook(shelf, source_hash(base.functions))
        if book is None:
            return None
        library = replace(base, rulebook=book, batches=dict(read_batches(shelf, book)))
        found = complaints(library, messages)
    if shelf.faults or shelf.has_gaps or any(not one.finding.is_warning for one in found):
        return None
    return library


def _with_definitions(base: Library, shelf: Shelf, path: Path) -> Library:
    """The library with the definitions of one file, in the order in which a folder is read."""
    others = {key: one for key, one in base.definitions.items() if key[0] != path.stem}
    both = {**others, **dict(definitions_in(shelf, path))}
    ordered = sorted(both.items(), key=lambda one: f"{one[0][0]}.yaml")  # it keeps the order of profiles
    return replace(base, definitions=dict(ordered))


def _complaints_around(
    base: Library, library: Library, name: str, messages: Collection[str] | None
) -> Iterator[Complaint]:
    """What is said about the machines of a workflow, those that may refer to it, and everything together."""
    own = [one for each in (base, library) for one in each.definitions.values() if one.workflow == name]
    if any(one.record for one in own):  # everybody may mean it without naming it
        return complaints(library, messages)
    families = {one.family for one in own if one.family}
    named = _naming(library.rulebook, {name, *families})
    near = {
        key
        for key, one in library.definitions.items()
        if one.workflow == name or _has(one.model_dump_json(by_alias=True), named)
    }
    those = (one for one in subjects(library) if _key(one) in near)
    return chain(complaints_of(those, messages), complaints_together(library))


def _key(one: Subject) -> tuple[str, str]:
    return one.definition.workflow, one.definition.profile


def _naming(book: RulebookText, names: Collection[str]) -> frozenset[str]:
    """Some names, and those of all rules, documents, facts and groups whose own text has one of them."""
    entries = [(key, repr(one)) for key, one in _entries(book)]
    found, before = set(names), 0
    while len(found) > before:
        before = len(found)
        found |= {key for key, text in entries if key not in found and _has(text, found)}
    return frozenset(found)


def _entries(book: RulebookText) -> Iterator[tuple[str, object]]:
    """What machines name: rules, documents, and everything a vocabulary knows; of every profile."""
    yield from (*book.rules.items(), *book.documents.items(), *_known(book.vocabulary))
    for variant in book.variants.values():
        both = (*variant.rules.items(), *variant.documents.items())
        yield from ((name, one) for name, one in both if one is not None)
        if variant.vocabulary is not None:
            yield from _known(variant.vocabulary)


def _known(one: Vocabulary) -> Iterator[tuple[str, object]]:
    for part in Vocabulary.model_fields:
        yield from getattr(one, part).items()


def _has(text: str, names: Collection[str]) -> bool:
    """Whether a text may name one of some: a part of another word counts too, for it costs only a look."""
    return any(name in text for name in names)
