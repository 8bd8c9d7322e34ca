"""The list of requirements, `docs/coverage/requirements.yaml`, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from engine.definition import Bilingual
from engine.loading.strict_yaml import read_text

LIST = Path("docs/coverage/requirements.yaml")


class Reference(NamedTuple):
    """What answers a requirement: a kind of thing, and its name."""

    kind: str
    name: str


class _Entry(BaseModel):
    """What the list says of one requirement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str | None = None
    answer: tuple[str, ...] = ()
    not_built: str | None = None
    background: str | None = None


class _Section(BaseModel):
    """What the list says of one part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Bilingual
    section: str
    profile: str | None = None
    note: Bilingual | None = None
    not_built: str | None = None
    ids: tuple[str, ...] = ()
    clauses: Mapping[str, _Entry] = Field(default_factory=dict)


class _Listing(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: tuple[_Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement: its title, unless the definitions have one, and what they cannot say."""

    id: str
    title: str | None
    answers: tuple[Reference, ...]
    not_built: str | None
    background: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the requirements, in their order; `profile` is whose rules it holds, if one institution's."""

    title: Bilingual
    section: str
    profile: str | None
    note: Bilingual | None
    requirements: tuple[Requirement, ...]


def read_parts(home: Path) -> tuple[Part, ...]:
    """The list, part by part.

    Raises:
        ValueError: If the file is no strict YAML, or says something the list has no place for.
    """
    tree, faults = read_text((home / LIST).read_text(encoding="utf-8"), LIST.as_posix())
    if tree is None or faults:
        raise ValueError("\n".join(map(str, faults)))
    return tuple(_part(section) for section in _Listing.model_validate(tree.plain()).parts)


def _part(section: _Section) -> Part:
    ids = dict.fromkeys((*section.ids, *section.clauses))
    return Part(
        title=section.title,
        section=section.section,
        profile=section.profile,
        note=section.note,
        requirements=tuple(_requirement(one, section) for one in ids),
    )


def _requirement(name: str, section: _Section) -> Requirement:
    entry = section.clauses.get(name, _Entry())
    own = "not_built" in entry.model_fields_set or entry.background is not None
    return Requirement(
        id=name,
        title=entry.title,
        answers=tuple(_reference(text) for text in entry.answer),
        not_built=entry.not_built if own else section.not_built,
        background=entry.background,
    )


def _reference(text: str) -> Reference:
    kind, _, name = text.partition(" ")
    return Reference(kind=kind, name=name)
