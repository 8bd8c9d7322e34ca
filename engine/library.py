"""What the engine was given to run by: procedures as each profile runs them, rules, batches.

Source: the definition language, sections 9 and 12.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel

from engine.definition import Definition, Reason
from engine.errors import Unknown
from engine.expressions.functions import Registered
from engine.usual import usual_reasons
from engine.vocabulary import BatchFile, RulebookText


class Pins(NamedTuple):
    """Content hashes: of the rulebook, and of every procedure and list by workflow and profile."""

    rulebook: str
    machines: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Library:
    """All definitions of one moment.

    Attributes:
        definitions: Every procedure as each profile runs it, by workflow and profile.
        rulebook: The files under `rules/` with their variants; what is decided reads `rulebook_for`. What is stored
            once for everybody (units, roles, which facts there are and of what type) reads the rulebook itself.
        batches: The batch files, by name.
        functions: What expressions may call beside the functions of the language, by name.
    """

    definitions: Mapping[tuple[str, str], Definition]
    rulebook: RulebookText
    batches: Mapping[str, BatchFile]
    functions: Mapping[str, Registered] = field(default_factory=dict)
    _rulebooks: dict[str, RulebookText] = field(default_factory=dict, init=False, repr=False, compare=False)
    _machines: dict[str, Mapping[str, Definition]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _pins: list[Pins] = field(default_factory=list, init=False, repr=False, compare=False)
    compiled: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was compiled from it, by those who compile (`engine.desk`)."""

    def __repr__(self) -> str:
        """How many there are: written out, a library fills a book."""
        return f"Library({len(self.definitions)} definitions, {len(self.batches)} batches)"

    def rulebook_for(self, profile: str) -> RulebookText:
        """The rulebook as a profile reads it, made once."""
        if profile not in self._rulebooks:
            self._rulebooks[profile] = self.rulebook.for_profile(profile)
        return self._rulebooks[profile]

    def of_profile(self, profile: str) -> Mapping[str, Definition]:
        """The procedures a profile runs, by workflow name."""
        return {name: one for (name, of), one in self.definitions.items() if of == profile}

    def machines_of(self, profile: str) -> Mapping[str, Definition]:
        """The procedures a profile runs and their lists (`WORKFLOW.LIST`), by name; made once."""
        if profile not in self._machines:
            procedures = self.of_profile(profile).values()
            self._machines[profile] = {one.workflow: one for procedure in procedures for one in procedure.machines()}
        return self._machines[profile]

    def machines(self) -> Iterator[Definition]:
        """Every procedure and list of every profile."""
        for profile in dict.fromkeys(of for _, of in self.definitions):
            yield from self.machines_of(profile).values()

    def pins(self) -> Pins:
        """What cases opened now are pinned to; made once."""
        if not self._pins:
            machines = {(one.workflow, one.profile): content_hash(one) for one in self.machines()}
            self._pins.append(Pins(content_hash(self.rulebook), machines))
        return self._pins[0]

    def definition(self, workflow: str, profile: str) -> Definition:
        """The procedure, or list of a procedure, as this profile runs it.

        Raises:
            Unknown: If the profile does not run a workflow of that name.
        """
        found = self.machines_of(profile).get(workflow)
        if found is None:
            what = f"workflow of profile '{profile}'"
            raise Unknown(what, workflow, self.machines_of(profile))
        return found

    def usual_reasons(self, one: Definition, trigger: str) -> tuple[Reason, ...]:
        """What is usually said with a step, as its procedure has it today.

        It decides nothing, so a case of an earlier version is offered it too.
        """
        today = self.machines_of(one.profile).get(one.workflow, one)
        return usual_reasons(today, today.transitions.get(trigger) or one.transitions[trigger])

    def record(self, profile: str) -> Definition:
        """The procedure whose case is the student's record; there is one per profile.

        Raises:
            Unknown: If no workflow of the profile says `record: true`.
        """
        found = next((one for one in self.of_profile(profile).values() if one.record), None)
        if found is None:
            what = "record workflow of profile"
            raise Unknown(
                what,
                profile,
                sorted({of for (_, of), one in self.definitions.items() if one.record}),
            )
        return found


def canonical(model: BaseModel) -> bytes:
    """The bytes a definition is pinned by: JSON without defaults, so new keys change no old hash.

    Names keep the order of the file, because slots that sign in sequence do so in that order.
    """
    content = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return orjson.dumps(content)


def content_hash(model: BaseModel) -> str:
    """The SHA-256 of the canonical bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(model)).hexdigest()
