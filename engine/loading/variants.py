"""What each profile does differently: a file projected to every profile it names.

Each value replaces what stands at a path, adds an entry to its map, or (null) removes it. Nothing
is merged; a value keeps the place it has in the variant.
Source: the definition language, section 9.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from engine.errors import nearest
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding
from engine.loading.shapes import Found

VARIANTS = "variants"
"""The reserved key: profile → path → value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """One file as one profile runs it, and where it names the profile."""

    profile: str
    place: Place
    tree: Node


class _NoSuchPathError(Exception):
    """A step of a path is not there; says which, and what is."""

    def __init__(self, step: str, known: Iterable[str]) -> None:
        super().__init__(f"nothing called '{step}' here.{nearest(step, known)}")


def projections(file: Node, found: Found) -> Iterator[Projection]:
    """A workflow file as its own profile runs it, then as every profile among its variants does."""
    own = file.entries.get("profile")
    place = own.place if own else file.place
    yield Projection(profile=str(own.value) if own else "", place=place, tree=without_variants(file))
    for one in variants(file, found):
        yield replace(one, tree=_put(one.tree, ["profile"], Node(place=one.place, value=one.profile)))


def variants(file: Node, found: Found) -> Iterator[Projection]:
    """A file as each profile among its variants reads it; paths that lead nowhere are added to `found`."""
    given = file.entries.get(VARIANTS)
    if given is None:
        return
    if not isinstance(given.value, Mapping):
        message = "`variants` maps profiles to what they do differently."
        found.append((given.place, Finding(code="syntax", message=message)))
    base = without_variants(file)
    for profile, changes in given.entries.items():
        yield Projection(profile=profile, place=given.keys[profile], tree=_changed(base, changes, found))


def without_variants(file: Node) -> Node:
    """A file as it stands, for profiles that do nothing differently."""
    return without(file, {VARIANTS})


def _changed(base: Node, changes: Node, found: Found) -> Node:
    tree = base
    for path, change in changes.entries.items():
        try:
            tree = _put(tree, path.split("."), change)
        except _NoSuchPathError as error:
            finding = Finding(code="unknown-path", message=f"'{path}': {error}")
            found.append((changes.keys[path], finding))
    if not isinstance(changes.value, Mapping):
        finding = Finding(code="syntax", message="A variant maps paths to values; {} adopts the file unchanged.")
        found.append((changes.place, finding))
    return tree


def _put(node: Node, path: list[str], change: Node) -> Node:
    step, rest = path[0], path[1:]
    known = node.entries
    is_new = step not in known
    if not isinstance(node.value, Mapping) or (is_new and (rest or change.value is None)):
        raise _NoSuchPathError(step, known)
    if rest:
        entry = _put(known[step], rest, change)
        return replace(node, value={**known, step: entry})
    if change.value is None:
        return without(node, {step})
    return replace(node, value={**known, step: change}, keys={**node.keys, step: change.place})


def without(node: Node, keys: Container[str]) -> Node:
    """A mapping without some of its entries."""
    return replace(
        node,
        value={name: one for name, one in node.entries.items() if name not in keys},
        keys={name: place for name, place in node.keys.items() if name not in keys},
    )
