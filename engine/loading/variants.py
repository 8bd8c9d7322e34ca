"""What each profile does differently: a workflow file projected to every profile it names.

Each value replaces what stands at a path, adds an entry to its map, or (null) removes it. Nothing
is merged; a value keeps the place it has in the variant.
Source: the definition language, section 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.errors import nearest
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """One file as one profile runs it, and the paths of its variant that lead nowhere."""

    profile: str
    tree: Node
    findings: tuple[tuple[Place, Finding], ...] = ()


class _NoSuchPathError(Exception):
    """A step of a path is not there; says which, and what is."""

    def __init__(self, step: str, known: Iterable[str]) -> None:
        super().__init__(f"nothing called '{step}' here.{nearest(step, known)}")


def projections(file: Node) -> tuple[Projection, ...]:
    """The file as its own profile runs it, then as every profile among its variants does."""
    base = _without(file, "variants")
    own = file.entries.get("profile")
    first = Projection(profile=str(own.value) if own else "", tree=base)
    variants = file.entries.get("variants")
    if variants is None:
        return (first,)
    return (first, *(_projected(base, variants, profile) for profile in variants.entries))


def _projected(base: Node, variants: Node, profile: str) -> Projection:
    changes = variants.entries[profile]
    tree = _put(base, ["profile"], Node(place=variants.keys[profile], value=profile))
    findings = []
    for path, change in changes.entries.items():
        try:
            tree = _put(tree, path.split("."), change)
        except _NoSuchPathError as error:
            finding = Finding(code="unknown-path", message=f"'{path}': {error}")
            findings.append((changes.keys[path], finding))
    if not isinstance(changes.value, Mapping):
        finding = Finding(code="syntax", message="A variant maps paths to values; {} adopts the file unchanged.")
        findings.append((changes.place, finding))
    return Projection(profile=profile, tree=tree, findings=tuple(findings))


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
        return _without(node, step)
    return replace(node, value={**known, step: change}, keys={**node.keys, step: change.place})


def _without(node: Node, key: str) -> Node:
    return replace(
        node,
        value={name: one for name, one in node.entries.items() if name != key},
        keys={name: place for name, place in node.keys.items() if name != key},
    )
