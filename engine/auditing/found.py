"""Found: one thing an auditor may want to ask about, and the limits beyond which it is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from fractions import Fraction
from hashlib import sha256
from typing import NamedTuple

from engine.expressions.kinds import SHANGHAI
from engine.records import Sentence
from engine.trail.event import canonical, chain_name

_SHOWN = len("2024-05-13 09:30:00")
_OPEN, _SHUT = "⟦", "⟧"
"""What stands around a login in a sentence, until a name is put in."""
_HALF = 4
"""A case's number is read in two halves: K7Q2-M4XA."""


class Place(NamedTuple):
    """Events of one chain that a finding rests on."""

    chain: int
    seqs: tuple[int, ...]

    @property
    def case(self) -> str:
        """The case by its number; a student by the name of the chain."""
        return chain_name(self.chain).removeprefix("case/")

    @property
    def number(self) -> str:
        """The same as people read it: K7Q2-M4XA."""
        return self.case if self.chain < 0 else f"{self.case[:_HALF]}-{self.case[_HALF:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found: its code, who (logins), since when, where, and a sentence. It accuses nobody: it asks.

    In `said` people are marked (`mark`); `told` is the sentence to be read.
    """

    code: str
    people: tuple[str, ...]
    at: str
    places: tuple[Place, ...]
    said: Sentence

    @property
    def cases(self) -> int:
        """How many cases it concerns; a student's chain is none."""
        return len({place.chain for place in self.places if place.chain > 0})

    def told(self, names: Mapping[str, str]) -> Sentence:
        """The sentence with people by their names; whoever has none by the login."""
        zh, en = self.said.zh, self.said.en
        for login in self.people:
            called = names.get(login, login)
            zh, en = zh.replace(mark(login), called), en.replace(mark(login), called)
        return Sentence(zh=zh, en=en)

    def who(self, names: Mapping[str, str]) -> tuple[str, ...]:
        """The people by name and login, 王敏（wang）, for two may have one name; whoever has none by the login."""
        return tuple(f"{names[login]}（{login}）" if login in names else login for login in self.people)

    @property
    def digest(self) -> str:
        """What names it wherever it is found again: the SHA-256 of what it rests on, its words left out.

        With more events it is another one: what was concluded, was concluded of these.
        """
        places = [[chain_name(place.chain), list(place.seqs)] for place in self.places]
        told = {"code": self.code, "people": list(self.people), "at": self.at, "places": places}
        return sha256(canonical(told)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From where on something is found.

    Attributes:
        reading_seconds: Two cases decided singly by one person, less than this apart, were hardly read.
        bulk_least: So many cases decided by one person within one second are decided in bulk.
        opens: The clock in Shanghai from which on an office works.
        closes: Until when, excluded.
        pair_least: So many cases must have gone through the same two people.
        pair_share: And at least this part of what either of them decided at that step.
    """

    reading_seconds: int = 20
    bulk_least: int = 10
    opens: time = time(7)
    closes: time = time(21)
    pair_least: int = 10
    pair_share: Fraction = Fraction(95, 100)


def mark(login: str) -> str:
    """A person in a sentence that is kept: no name, and nothing that a sentence has otherwise."""
    return f"{_OPEN}{login}{_SHUT}"


def places_of(events: Iterable[tuple[int, int]]) -> tuple[Place, ...]:
    """Places from chains and sequences, each chain once, in the order they come."""
    found: dict[int, list[int]] = {}
    for chain, seq in events:
        found.setdefault(chain, []).append(seq)
    return tuple(Place(chain, tuple(seqs)) for chain, seqs in found.items())


def local(at: str) -> datetime:
    """A moment of the trail on the clocks of Shanghai."""
    return datetime.fromisoformat(at).astimezone(SHANGHAI)


def shown(at: str) -> str:
    """A moment of the trail as a sentence says it: 2024-05-13 09:30:00, by Shanghai's clocks."""
    return local(at).isoformat(" ")[:_SHOWN]
