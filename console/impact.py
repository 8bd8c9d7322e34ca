"""Whom a proposed text touches: open cases that keep the old version, open cases and batches that rules concern."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from engine.definition import Definition
from engine.desk import Desk
from engine.proposed_texts import Findings
from engine.store import published, registry
from engine.store.proposals import is_batch, is_procedure, is_template


class Impact(NamedTuple):
    """Open cases, published batches (of a procedure: none), and the version of a procedure (None: a file of rules)."""

    is_procedure: bool
    open: int
    batches: int
    version: int | None


_NOBODY = Impact(is_procedure=False, open=0, batches=0, version=None)


def impact_of(desk: Desk, file: str, found: Findings) -> Impact:
    """Whom a text for a file touches, as the database stands.

    A template of what people are told touches no case, nor does a batch that is not published.
    """
    if is_template(file) or is_batch(file):
        return _NOBODY
    connection = desk.connection
    is_one = is_procedure(file)
    stem, many = Path(file).stem, 0
    for shape, states in published.standing(connection).items():
        one = desk.definition(shape)
        is_meant = one.workflow.partition(".")[0] == stem and one.profile in found.versions
        many += open_in(one, states) if is_meant or not is_one else 0
    batches = 0 if is_one else len(registry.batches(connection))
    version = max((one.new for one in found.versions.values()), default=None)
    return Impact(is_one, many, batches, version)


def open_in(one: Definition, states: Mapping[str, int]) -> int:
    """How many of the cases of a definition are open."""
    return sum(many for state, many in states.items() if not one.is_final(state))
