"""Drafts of a list: the forms it is fixed with, and what would stand in them otherwise if they were made now. Pure.

Rule 1: nothing is signed that has changed since it was fixed, nor on the strength of a paper that is older than it.
Rule 2: nothing is fixed and nothing signed that does not add up: where forms share the members out (`on_one_of`), each
member stands on exactly one of them.

Source: requirements.md G-SG-03 (S000-3.7d), INV-LIST-1 (S000-3.7c).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from engine.documents import document_of, of_kind, titled
from engine.expressions.kinds import Row
from engine.issuing import chosen, issue, lines_of
from engine.records import Json, Verdict
from engine.rights import Sight
from engine.signing import Vote
from engine.step import Step
from engine.steps import Machine
from engine.store.documents import DocumentRow
from engine.vocabulary import NAMES

_SEVERAL = 2
_TOLD = 20
"""People whom a refusal names; the page of the list has all of them."""

Line = Sequence[Json]


class Form(NamedTuple):
    """What stands in a form as it was made: its columns, and its lines by whom they are about."""

    columns: tuple[str, ...]
    lines: Mapping[str, Line]

    def named(self, who: str, column: str) -> Json:
        """What stands in a column of somebody's line; None where it has no such column."""
        return self.lines[who][self.columns.index(column)] if column in self.columns else None


@lru_cache(maxsize=256)
def forms_of(machine: Machine) -> tuple[str, ...]:
    """The forms that are made of the members when they are fixed: what is signed."""
    issued = machine.definition.issued_when_fixed
    return tuple(kind for kind in issued if document_of(machine, kind).made_from == "members")


def form_from(made: Mapping[str, Json]) -> Form:
    """A form as it is kept; lines that name nobody are told apart by their place."""
    columns, rows = made["columns"], made["rows"]
    names = tuple(map(str, columns)) if isinstance(columns, Sequence) else ()
    lines = [one for one in rows if isinstance(one, Sequence)] if isinstance(rows, Sequence) else []
    by = [names.index(name) for name in NAMES if name in names]
    found: dict[str, Line] = {}
    for place, one in enumerate(lines):
        who = str(next((one[column] for column in by if one[column] is not None), place))
        found[who if who not in found else f"{who} {place}"] = one
    return Form(names, found)


def differing(earlier: Form, later: Form) -> tuple[str, ...]:
    """Who stands on both of two forms of a kind with another line."""
    before, after = earlier.lines, later.lines
    return tuple(who for who in after if who in before and list(after[who]) != list(before[who]))


def made_now(machine: Machine, sight: Sight) -> dict[str, Form]:
    """The forms as they would be made now; without those that cannot be."""
    rows = sight.member_rows() if forms_of(machine) else ()
    made = {kind: issue(machine, kind, rows, sight.see) for kind in forms_of(machine)}
    return {kind: form_from(one.made) for kind, one in made.items() if not isinstance(one, Verdict)}


def made_last(machine: Machine, on_case: Sequence[DocumentRow]) -> dict[str, Form]:
    """The forms as they were made last; without those that never were, or whose contents have been erased."""
    found: dict[str, Form] = {}
    for kind in forms_of(machine):
        made = next((row.made for row in reversed(of_kind(on_case, kind)) if row.made is not None), None)
        if made is not None:
            found[kind] = form_from(made)
    return found


def since_fixed(machine: Machine, sight: Sight) -> dict[str, tuple[str, ...]]:
    """Of whom something is known otherwise by now than stands in the forms, by form.

    Only what is known of the students counts: in which state a member is, the procedure itself changes meanwhile.
    Forms that have other columns by now say nothing.
    """
    last = made_last(machine, sight.documents())
    rows = sight.member_rows() if last else ()
    found: dict[str, tuple[str, ...]] = {}
    for kind, form in last.items():
        columns = document_of(machine, kind).columns
        now = form_from({"columns": list(columns), "rows": lines_of(machine, kind, rows)})
        facts = [name for name in columns if name in machine.stored]
        if form.columns == now.columns:
            found[kind] = tuple(
                who
                for who in form.lines
                if who in now.lines and any(form.named(who, name) != now.named(who, name) for name in facts)
            )
    return {kind: people for kind, people in found.items() if people}


def outdated(machine: Machine, needed: Sequence[str], on_case: Sequence[DocumentRow]) -> tuple[str, ...]:
    """The papers among those needed that were handed in before the draft was made, and so show another one signed.

    Before the first draft there was no other.
    """
    made = {row.seq for kind in forms_of(machine) for row in of_kind(on_case, kind)}
    if len(made) < _SEVERAL:
        return ()
    return tuple(kind for kind in needed if any(row.sha256 and row.seq < max(made) for row in of_kind(on_case, kind)))


class Sharing(NamedTuple):
    """How the members of a list stand on the forms that share them out.

    Attributes:
        on: By form the numbers of the cases on it; empty where no forms do, or not all of them are there any more.
        nowhere: The members on none of them, as rows; `twice` those on several.
    """

    on: Mapping[str, frozenset[str]]
    nowhere: tuple[Row, ...] = ()
    twice: tuple[Row, ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether everybody stands on exactly one."""
        return not self.nowhere and not self.twice


def sharing_now(machine: Machine, sight: Sight) -> Sharing:
    """How the members would be shared out if the forms were made now."""
    kinds = _shared_by(machine)
    rows = sight.member_rows() if kinds else ()
    found = {kind: chosen(machine, kind, rows, sight.see) for kind in kinds}
    if any(one is None for one in found.values()):  # that it is undecided is said of the form itself
        return Sharing({})
    return _sharing(rows, {kind: frozenset(_number(one) for one in some or ()) for kind, some in found.items()})


def sharing_as_made(machine: Machine, sight: Sight) -> Sharing:
    """How the members are shared out by the forms as they were made last."""
    kinds = _shared_by(machine)
    made = made_last(machine, sight.documents()) if kinds else {}
    if not all(kind in made for kind in kinds):
        return Sharing({})
    rows = sight.member_rows() if kinds else ()
    on = {
        kind: frozenset(_number(row) for row in rows if not made[kind].lines.keys().isdisjoint(_names(row)))
        for kind in kinds
    }
    return _sharing(rows, on)


def _shared_by(machine: Machine) -> tuple[str, ...]:
    members = machine.definition.members
    return () if members is None else tuple(members.on_one_of)


def _sharing(rows: Sequence[Row], on: Mapping[str, frozenset[str]]) -> Sharing:
    times = Counter(number for some in on.values() for number in some)
    nowhere = tuple(row for row in rows if on and not times[_number(row)])
    return Sharing(on, nowhere, tuple(row for row in rows if times[_number(row)] > 1))


def _number(row: Row) -> str:
    return str(row["number"])


def _names(row: Row) -> list[str]:
    """Everything a form may know a member by, the usual first."""
    return [str(row[name]) for name in NAMES if row.get(name) is not None]


def against_closing(machine: Machine, sight: Sight) -> Iterator[Verdict]:
    """What stands against fixing the members: the forms they would be fixed with do not add up."""
    yield from _off(machine, sharing_now(machine, sight))


def _off(machine: Machine, sharing: Sharing) -> Iterator[Verdict]:
    if not sharing.adds_up:
        yield machine.engine_verdict(
            "not-on-one", forms=_titles(machine, sharing.on), nowhere=_people(sharing.nowhere),
            twice=_people(sharing.twice),
        )  # fmt: skip


def _people(rows: Sequence[Row]) -> str:
    """Who is meant, the first of them; nobody is a dash."""
    said = [f"{row.get('name') or ''}（{_names(row)[0]}）" for row in rows[:_TOLD]]
    more = f"…（{len(rows)}）" if len(rows) > _TOLD else ""
    return "、".join(said) + more or "—"


def against_signing(machine: Machine, step: Step, vote: Vote, sight: Sight) -> Iterator[Verdict]:
    """What stands against signing a list for a step.

    Its draft is no more what it was or does not add up, or a paper is of another draft.
    """
    if machine.definition.members is None or not vote.yes:
        return
    changes = since_fixed(machine, sight)
    if changes:
        many = len({who for people in changes.values() for who in people})
        yield machine.engine_verdict("draft-changed", what=_titles(machine, changes), many=str(many))
    yield from _off(machine, sharing_as_made(machine, sight))
    old = outdated(machine, step.needs, sight.documents())
    if old:
        yield machine.engine_verdict("paper-of-older-draft", what=_titles(machine, old))


def _titles(machine: Machine, kinds: Sequence[str] | Mapping[str, object]) -> str:
    return "、".join(titled(document_of(machine, kind).title) for kind in kinds)
