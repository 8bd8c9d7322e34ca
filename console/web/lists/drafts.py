"""The drafts of a list: which there were, what was signed on each, what voided it, and what differs between two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from console.web.lists.reading import Book
from engine.drafts import Form, differing, form_from, forms_of, made_now
from engine.records import Json
from engine.store.stories import StoryLine
from engine.trail.event import EventKind

_SHOWN = 12
"""Letters of a fingerprint on a page; all of them stand in the QR code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A signature that was given: for which step, where, by whom or recorded by whom, when, and whether for it."""

    trigger: str
    slot: str
    by: str
    at: datetime
    yes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was fixed at one time.

    Attributes:
        number: The first, second, … draft.
        seq: The event that fixed it.
        sha256: What commits to its members.
        ended: When it was let go, by whom and why; None: it stands. `ended_seq` is the event.
    """

    number: int
    seq: int
    at: datetime
    count: int
    sha256: str
    given: tuple[Given, ...] = ()
    ended: tuple[datetime, str, str] | None = None
    ended_seq: int = 0

    @property
    def fingerprint(self) -> str:
        """The first letters of what commits to its members."""
        return self.sha256[:_SHOWN]


def drafts_of(book: Book) -> tuple[Draft, ...]:
    """Every draft, the first first; of a list that gathers anew the last of them is void."""
    return drafts_in(book.lines)


def drafts_in(lines: Iterable[StoryLine]) -> tuple[Draft, ...]:
    """The same, by the events of the list."""
    found: list[Draft] = []
    for line in lines:
        event, data = line.event, line.event["data"]
        if found and data.get("signing") and event["kind"] in (EventKind.SIGNED, EventKind.MOVED):
            found[-1] = replace(found[-1], given=(*found[-1].given, _given(event)))
        members = data.get("members", False)
        if isinstance(members, Mapping):
            found.append(_draft(len(found) + 1, line.seq, event, members))
        elif members is None and found:
            ended = (_at(event), str(event["actor"]), str(data.get("reason", "")))
            found[-1] = replace(found[-1], ended=ended, ended_seq=line.seq)
    return tuple(found)


def _draft(number: int, seq: int, event: Mapping[str, Json], members: Mapping[str, Json]) -> Draft:
    count = members["count"]
    return Draft(
        number=number, seq=seq, at=_at(event), count=count if isinstance(count, int) else 0,
        sha256=str(members["sha256"]),
    )  # fmt: skip


def _given(event: Mapping[str, Mapping[str, Json]]) -> Given:
    data = event["data"]
    return Given(
        trigger=str(data["signing"]), slot=str(data["slot"]), by=str(event["actor"]), at=_at(event),
        yes=data.get("vote") == "yes",
    )  # fmt: skip


def _at(event: Mapping[str, object]) -> datetime:
    return datetime.fromisoformat(str(event["at"]))


class Written(NamedTuple):
    """What the forms of a draft say, by form."""

    number: int
    forms: Mapping[str, Form]

    def people(self) -> dict[str, tuple[str, ...]]:
        """Everybody who stands on one, with the forms."""
        found: dict[str, list[str]] = {}
        for kind, form in self.forms.items():
            for who in form.lines:
                found.setdefault(who, []).append(kind)
        return {who: tuple(kinds) for who, kinds in found.items()}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What is different between two drafts. Everybody is named by the first identifier of the form."""

    earlier: Written
    later: Written

    @cached_property
    def added(self) -> tuple[str, ...]:
        """Who stands only on the later."""
        return tuple(who for who in self.later.people() if who not in self.earlier.people())

    @cached_property
    def gone(self) -> tuple[str, ...]:
        """Who stands only on the earlier."""
        return tuple(who for who in self.earlier.people() if who not in self.later.people())

    @cached_property
    def moved(self) -> tuple[str, ...]:
        """Who stands on other forms."""
        before, after = self.earlier.people(), self.later.people()
        return tuple(who for who in after if who in before and after[who] != before[who])

    @cached_property
    def changed(self) -> tuple[tuple[str, str], ...]:
        """Who stands on the same form with another line: the form, and who."""
        return tuple(
            (kind, who)
            for kind, form in self.later.forms.items()
            if kind in self.earlier.forms and self.earlier.forms[kind].columns == form.columns
            for who in differing(self.earlier.forms[kind], form)
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is."""
        return not (self.added or self.gone or self.moved or self.changed)


def difference(book: Book, drafts: Sequence[Draft]) -> Difference | None:
    """What the present draft has against the one before it; None where there is none, or it made no forms."""
    written = [one for one in _written(book, drafts) if one.forms]
    return Difference(earlier=written[-2], later=written[-1]) if len(written) > 1 else None


def _written(book: Book, drafts: Sequence[Draft]) -> Iterator[Written]:
    kinds = forms_of(book.machine)
    for draft in drafts:
        rows = [row for row in book.documents if row.seq == draft.seq and row.kind in kinds]
        yield Written(draft.number, {row.kind: form_from(row.made) for row in rows if row.made is not None})
    if not book.is_fixed:
        yield Written(len(drafts) + 1, made_now(book.machine, book.sight))


def name_of(written: Written, who: str) -> str:
    """How a draft calls somebody; empty where no form of it has names."""
    forms = (form for form in written.forms.values() if who in form.lines)
    return next((str(name) for form in forms if (name := form.named(who, "name")) is not None), "")
