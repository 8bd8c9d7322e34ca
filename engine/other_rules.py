"""Other rules: the steps of the past as they were, beside the same steps under other definitions or rules.

Pure but for reading pinned texts at a desk; nothing here reads events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from engine.definition import Definition
from engine.desk import Desk
from engine.errors import TransitionNotOpen, Unknown
from engine.expressions.functions import Registered
from engine.library import Library, canonical, content_hash
from engine.step import Step
from engine.steps import Machine
from engine.vocabulary import RulebookText


class Under(NamedTuple):
    """What decisions are judged again under, as texts: it travels to processes and other machines.

    Attributes:
        definitions: Procedures, as JSON; what is missing stays as each case was pinned.
        rulebook: The rules, as JSON; None: those each event names.
        functions: What expressions may call beside the functions of the language, by name.
    """

    definitions: tuple[str, ...] = ()
    rulebook: str | None = None
    functions: tuple[tuple[str, Registered], ...] = ()


def under(library: Library, procedures: Iterable[Definition], *, rules: bool) -> Under:
    """Other rules out of a library: these procedures of it, and its rules if they are meant too."""
    return Under(
        definitions=tuple(canonical(one).decode() for one in procedures),
        rulebook=canonical(library.rulebook).decode() if rules else None,
        functions=tuple(sorted(library.functions.items())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A step as it was and as it would be (None: it is not open there any more).

    `more` are the keys that only the other rules read.
    """

    was: Step
    machine: Machine
    becomes: Step | None
    more: tuple[str, ...]


class Asked(NamedTuple):
    """Which step an event tells of: definition and rulebook by hash, out of which state, in which slot."""

    shape: str
    rulebook: str
    state: str
    trigger: str
    slot: str | None = None
    signing: str | None = None
    against: bool = False


class OtherRules:
    """Steps compared, each once."""

    def __init__(self, desk: Desk, other: Under) -> None:
        self._desk = desk
        procedures = [Definition.model_validate_json(text) for text in other.definitions]
        self._others = {(one.workflow, one.profile): one for procedure in procedures for one in procedure.machines()}
        self._hashes = {key: content_hash(one) for key, one in self._others.items()}
        self._book = None if other.rulebook is None else RulebookText.model_validate_json(other.rulebook)
        self._book_hash = None if self._book is None else content_hash(self._book)
        own = {(one.workflow, one.profile): one for one in procedures}
        self._definitions = {**desk.library.definitions, **own}
        self._machines: dict[tuple[str, str], Machine] = {}
        self._compared: dict[Asked, Compared | None] = {}

    def is_same(self, shape: str, rulebook: str) -> bool:
        """Whether a definition under a rulebook is the very same under the other rules."""
        return self._hashes_under(shape, rulebook) == (shape, rulebook)

    def compared(self, asked: Asked) -> Compared | None:
        """The step then and under the other rules; None where the definition of then has no such step there."""
        if asked not in self._compared:
            self._compared[asked] = self._compare(asked)
        return self._compared[asked]

    def _compare(self, asked: Asked) -> Compared | None:
        machine = self._desk.machine(asked.shape, asked.rulebook)
        was = _step(machine, asked)
        if was is None:
            return None
        other = self._other(asked)
        becomes = _step(other, asked)
        read = {*was.facts, *was.others}
        more = () if becomes is None else tuple(key for key in (*becomes.facts, *becomes.others) if key not in read)
        return Compared(was=was, machine=other, becomes=becomes, more=more)

    def _hashes_under(self, shape: str, rulebook: str) -> tuple[str, str]:
        """The hashes of the definition and the rulebook that stand for these under the other rules."""
        pinned = self._desk.definition(shape)
        return self._hashes.get((pinned.workflow, pinned.profile), shape), self._book_hash or rulebook

    def _other(self, asked: Asked) -> Machine:
        """The machine an event would have met."""
        shape, book = self._hashes_under(asked.shape, asked.rulebook)
        if (shape, book) not in self._machines:
            pinned = self._desk.definition(asked.shape)
            own = self._book or self._desk.book(asked.rulebook)
            library = replace(self._desk.library, definitions=self._definitions, rulebook=own)
            one = self._others.get((pinned.workflow, pinned.profile), pinned)
            self._machines[shape, book] = Machine(library, one, shape=shape, rulebook=book)
        return self._machines[shape, book]


def _step(machine: Machine, asked: Asked) -> Step | None:
    """The step an event tells of; a signature's with what its slot asks beside."""
    try:
        if asked.slot is not None and not asked.against:
            signed = machine.to_sign(asked.state, asked.signing or asked.trigger)
            if signed is not None and signed.signing is not None and asked.state in signed.transition.origins:
                return signed.signing.steps.get(asked.slot.partition("@")[0], signed)
        return machine.step(asked.state, asked.trigger)
    except (TransitionNotOpen, Unknown):
        return None
