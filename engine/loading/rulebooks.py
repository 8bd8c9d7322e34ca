"""The files under `rules/` into one rulebook, with what each profile has otherwise; calendars by `calendars`.

Source: the definition language, sections 9, 10 and 12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic

from engine.errors import nearest
from engine.loading.calendars import read_calendar
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding, varied_key
from engine.loading.shapes import Found, Model
from engine.loading.shelf import Shelf
from engine.loading.variants import variants, without, without_variants
from engine.vocabulary import (
    Document,
    Fact,
    Organisation,
    Rule,
    RulebookHead,
    RulebookText,
    RulebookVariant,
    Vocabulary,
)

_NOT_RULES = frozenset({"rulebook", "vocabulary", "engine", "documents", "organisation"})
_KEPT_ONCE = ("type", "unique", "privacy")
"""What is the same for every profile: a fact is stored once, whoever looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entries(Generic[Model]):
    """The entries of all files of one kind, and by profile those that are otherwise (None: removed)."""

    own: Mapping[str, Model]
    others: Mapping[str, Mapping[str, Model | None]] = field(default_factory=dict)


def read_rulebook(shelf: Shelf, functions: str) -> RulebookText | None:
    """The rulebook of a folder, or nothing if a file of it is unusable.

    Args:
        shelf: Where the files are laid out; takes the faults and the trees.
        functions: The hash of the source of the registered functions.
    """
    rules = shelf.folder / "rules"
    head = _single(shelf, RulebookHead, "rulebook")
    organisation = _single(shelf, Organisation, "organisation")
    vocabulary, vocabularies = _vocabularies(shelf)
    texts = [path for path in shelf.files("rules") if path.stem not in _NOT_RULES]
    conditions = _entries(shelf, Rule, "rules", texts)
    engine = _entries(shelf, Rule, "engine", [rules / "engine.yaml"])
    documents = _entries(shelf, Document, "documents", [rules / "documents.yaml"])
    calendar = read_calendar(shelf)
    _report_rules(shelf, conditions, engine.own)
    if head is None or vocabulary is None or organisation is None:
        return None
    _report_profiles(shelf, organisation)
    named = dict.fromkeys((*vocabularies, *conditions.others, *documents.others))
    return RulebookText(
        effective_from=head.effective_from,
        vocabulary=vocabulary,
        rules=conditions.own,
        engine=engine.own,
        documents=documents.own,
        organisation=organisation,
        functions=functions,
        variants={
            profile: RulebookVariant(
                vocabulary=vocabularies.get(profile),
                rules=conditions.others.get(profile, {}),
                documents=documents.others.get(profile, {}),
            )
            for profile in named
        },
        calendar=calendar,
    )


def _single(shelf: Shelf, model: type[Model], name: str) -> Model | None:
    tree = shelf.open(shelf.folder / "rules" / f"{name}.yaml")
    if tree is None:
        return None
    shelf.trees[name] = tree
    return shelf.shape(model, tree)


def _vocabularies(shelf: Shelf) -> tuple[Vocabulary | None, Mapping[str, Vocabulary]]:
    """The vocabulary as it stands, and that of each profile it names."""
    file = shelf.open(shelf.folder / "rules" / "vocabulary.yaml")
    if file is None:
        return None, {}
    shelf.trees["vocabulary"] = without_variants(file)
    own = shelf.shape(Vocabulary, shelf.trees["vocabulary"])
    found: Found = []
    others: dict[str, Vocabulary] = {}
    for one in variants(file, found):
        shelf.profiles.append((one.profile, one.place))
        shelf.trees[varied_key("vocabulary", one.profile)] = one.tree
        other = shelf.shape(Vocabulary, one.tree)
        if own is not None and other is not None:
            others[one.profile] = other
            found.extend(_stored_otherwise(one.tree, own, other))
    shelf.report(found)
    return own, others


def _stored_otherwise(tree: Node, own: Vocabulary, other: Vocabulary) -> Iterator[tuple[Place, Finding]]:
    """Facts that a profile would store otherwise, or alone."""
    for shelf, facts, base in (("student", other.student, own.student), ("unit", other.unit, own.unit)):
        for name, fact in facts.items():
            for key in _otherwise(base.get(name), fact):
                message = f"'{name}': {key} is the same for every profile, because a fact is stored once."
                finding = Finding(code="wrong-value", message=message)
                yield tree.at([shelf, name, key]).place, finding


def _otherwise(own: Fact | None, other: Fact) -> Sequence[str]:
    if own is None:
        return ("that it is kept",)
    return [key for key in _KEPT_ONCE if getattr(own, key) != getattr(other, key)]


def _entries(shelf: Shelf, model: type[Model], name: str, paths: Sequence[Path]) -> _Entries[Model]:
    """The entries of several files under one roof; a name stands in one of them only."""
    nothing = Node(place=Place(file=f"rules/{name}.yaml", line=1, column=1), value={})
    files = [shelf.open(path) or nothing for path in paths]
    has_variants = name != "engine"  # the engine refuses every profile in the same words
    roof = nothing
    for file in files:
        roof = _under_roof(shelf, roof, without_variants(file) if has_variants else file)
    shelf.trees[name] = roof
    own = {key: shelf.shape(model, entry) for key, entry in roof.entries.items()}
    others = _other_entries(shelf, model, name, files) if has_variants else {}
    return _Entries(own={key: one for key, one in own.items() if one is not None}, others=others)


def _under_roof(shelf: Shelf, roof: Node, file: Node) -> Node:
    """Put the entries of one more file beside those of the others."""
    for key in file.entries:
        if key in roof.keys:
            other = roof.keys[key]
            message = f"'{key}' stands also in {other.file}, line {other.line}."
            shelf.report([(file.keys[key], Finding(code="twice", message=message))])
    return replace(roof, value={**roof.entries, **file.entries}, keys={**roof.keys, **file.keys})


def _other_entries(
    shelf: Shelf, model: type[Model], name: str, files: Sequence[Node]
) -> Mapping[str, Mapping[str, Model | None]]:
    """By profile, the entries that the variants of the files change, add or (None) remove."""
    found: Found = []
    others: dict[str, dict[str, Model | None]] = {}
    for file in files:
        own = without_variants(file)
        for one in variants(file, found):
            shelf.profiles.append((one.profile, one.place))
            tree = varied_key(name, one.profile)
            elsewhere = without(shelf.trees.get(tree, shelf.trees[name]), own.entries)
            shelf.trees[tree] = _under_roof(shelf, elsewhere, one.tree)
            kept = others.setdefault(one.profile, {})
            for key, node in _different(own, one.tree).items():
                kept[key] = None if node is None else shelf.shape(model, node)
    shelf.report(found)
    return others


def _different(own: Node, other: Node) -> Mapping[str, Node | None]:
    """The entries that are not the very same; what a variant does not touch is shared."""
    return {
        key: other.entries.get(key)
        for key in dict.fromkeys((*own.entries, *other.entries))
        if own.entries.get(key) is not other.entries.get(key)
    }


def _report_profiles(shelf: Shelf, organisation: Organisation) -> None:
    """A variant belongs to a profile that the organisation names."""
    for profile, place in shelf.profiles:
        if profile not in organisation.profiles:
            message = f"no profile '{profile}'.{nearest(profile, organisation.profiles)}"
            shelf.report([(place, Finding(code="unknown-profile", message=message))])


def _report_rules(shelf: Shelf, rules: _Entries[Rule], engine: Mapping[str, Rule]) -> None:
    """A rule decides by its text; an engine rule decides in code and has its sentence here."""
    for tree, name, rule in _every(rules):
        if rule is not None and not rule.all_of and rule.holds is None:
            finding = Finding(code="missing-key", message="'holds' is required here.")
            shelf.report([(shelf.trees[tree].keys[name], finding)])
        if name in engine:
            finding = Finding(code="twice", message=f"'{name}' is a rule and an engine rule.")
            shelf.report([(shelf.trees["engine"].keys[name], finding)])
    for name, rule in engine.items():
        if rule.holds is not None or rule.all_of:
            finding = Finding(code="unknown-key", message="an engine rule has no condition here.")
            shelf.report([(shelf.trees["engine"].keys[name], finding)])


def _every(rules: _Entries[Rule]) -> Iterator[tuple[str, str, Rule | None]]:
    """Each rule with the tree it stands in."""
    for name, rule in rules.own.items():
        yield "rules", name, rule
    for profile, others in rules.others.items():
        for name, other in others.items():
            yield varied_key("rules", profile), name, other
