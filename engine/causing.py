"""What an act carries along: the cause of what it causes, steps about to be taken, taken, and refused.

Source: the definition language, section 7 (Each effect …).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engine.records import Json, Moved, Request, Verdict
from engine.steps import Machine
from engine.store.cases import Found
from engine.trail.event import chain_name


class Cause(NamedTuple):
    """The event that causes another: its chain and its place in it."""

    chain: int
    seq: int

    @property
    def told(self) -> dict[str, Json]:
        """As an event names it."""
        return {"chain": chain_name(self.chain), "seq": self.seq}


class Doing(NamedTuple):
    """One linked case about to take a step, and the event that causes it."""

    case: int
    request: Request
    cause: Cause


class Done(NamedTuple):
    """A step that was taken: the case as it stands now with its surroundings, what was decided, and its event.

    `read` is the case as it was read to be acted on, where its lane was written with the step itself.
    """

    found: Found
    machine: Machine
    moved: Moved
    event: Cause
    read: Found | None = None


SetOff = tuple[Done, Mapping[str, Json]]
"""A step that sets an effect off, with the effect's values."""


class LinkedRefusal(Exception):
    """Linked cases said no; carries what each of them said, so that the transaction is rolled back on the way."""

    def __init__(self, verdicts: Sequence[Verdict], linked: Sequence[Mapping[str, Json]] = ()) -> None:
        self.verdicts = tuple(verdicts)
        self.linked = tuple(linked)
        super().__init__("a linked case is not ready")
