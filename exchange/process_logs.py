"""What a log for process mining tells of a step, whatever the format: who, in what role, where, when, from, to.

Rule 1: people are pseudonyms under a key of this one export, unless names are asked for.
Rule 2: no values: no facts, no fields, no reasons, which people type. Numbers of cases stay: they say nothing without
the database, and an auditor who finds something has to find the case.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import orjson

from engine.actors import IMPORT, TIMER
from engine.definition import Bilingual, Definition
from engine.store.process_logs import LoggedCase
from engine.trail.event import EventKind, chain_name

STEPS = frozenset({EventKind.OPENED, EventKind.MOVED, EventKind.RETRACTED, EventKind.MIGRATED})
"""What changes where a case stands; a step that only marks the case is a `moved` too."""
REFUSALS = frozenset({EventKind.REFUSED})

_NOBODY = frozenset({IMPORT.login, TIMER.login})
_HEX_DIGITS = 16  # 64 bits: among a million people two pseudonyms agree once in 37 million exports


class Sink(Protocol):
    """Where a log is written to."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""
        ...


class Pseudonyms:
    """Stands for people: the same for the same person within one export; the keyless one tells names as they are."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes | None) -> None:
        self._key = key

    def person(self, login: str) -> str:
        """What a login is called; the clock and imports are nobody."""
        return login if login in _NOBODY else self._stand_in("person", login)

    def student(self, student: int, number: str | None) -> str:
        """What a student is called: the student number where names are told."""
        return number or chain_name(-student) if self._key is None else self._stand_in("student", str(student))

    def chain(self, chain: str) -> str:
        """What a chain is called: a case's by its number, a student's only where names are told."""
        return self._stand_in("chain", chain) if chain.startswith("student/") else chain

    def _stand_in(self, kind: str, name: str) -> str:
        if self._key is None:
            return name
        return f"{kind}-{hmac.digest(self._key, f'{kind}/{name}'.encode(), 'sha256').hex()[:_HEX_DIGITS]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How much was written."""

    cases: int
    events: int


class Happening(NamedTuple):
    """One event of a case as a log tells it; moments as the trail writes them."""

    seq: int
    kind: EventKind
    step: str
    title: Bilingual
    at: str
    resource: str
    role: str
    unit: str
    origin: str
    target: str
    more: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How events become lines: who is called what, which kinds are told, and what steps are called."""

    pseudonyms: Pseudonyms
    definitions: Mapping[str, Definition]
    kinds: frozenset[EventKind] = STEPS

    def read(self, case: LoggedCase, body: bytes) -> Happening | None:
        """An event as a log tells it, or None for one that it does not tell."""
        event = orjson.loads(body)
        if event["kind"] not in self.kinds:
            return None
        kind, data = EventKind(event["kind"]), event["data"]
        trigger = data.get("trigger", kind.value)
        return Happening(
            seq=event["seq"],
            kind=kind,
            step=f"retract:{trigger}" if kind is EventKind.RETRACTED else trigger,
            title=self._title(event["definition"], kind, trigger),
            at=event["at"],
            resource=self.pseudonyms.person(event["actor"]),
            role=event.get("role") or "",
            unit=event.get("unit") or case.unit,
            origin=data.get("from", ""),
            target=data.get("to", ""),
            more={name: text for name, text in self._more(event) if text},
        )

    def _more(self, event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What not every event says: whose part was taken, by whose leave, what was late, what caused it."""
        data = event["data"]
        yield "done_by", event.get("done_by", "")
        yield "on_behalf_of", event.get("on_behalf_of", "")
        if "delegation" in event:
            yield "delegated_by", self.pseudonyms.person(event["delegation"]["by"])
        if "cause" in event:
            yield "cause", f"{self.pseudonyms.chain(event['cause']['chain'])}#{event['cause']['seq']}"
        yield "late", " ".join(data.get("late", ()))
        yield "failed", " ".join(data.get("failed", ()))
        yield "undecided", " ".join(data.get("undecided", ()))

    def _title(self, shape: str, kind: EventKind, trigger: str) -> Bilingual:
        if kind is EventKind.MIGRATED:
            return Bilingual(zh="升级到新版本", en="Moved to a new version")
        step = self.definitions[shape].transitions.get(trigger)
        title = Bilingual(zh=trigger, en=trigger) if step is None else step.title
        if kind is EventKind.RETRACTED:
            return Bilingual(zh=f"撤回：{title.zh}", en=f"Retract: {title.en}")
        return title
