"""Who may write what the vocabulary says (`written_by`): by hand, by a sheet, and by a step that sets it.

Source: the definition language, section 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from engine.actors import Actor
from engine.definition import RESERVED_ROLES, MoveKind, Transition, Who
from engine.guards import judged, plain_sentence
from engine.records import Outcome, Request, Verdict
from engine.trail.event import moment
from engine.vocabulary import Fact, RulebookText

KEEPER = "records_section"
"""学籍科 writes what nobody is named for (S000-0.1)."""
SHEET = "import"
"""Named in `written_by`, a sheet may write the fact, whoever takes it in."""
NOT_A_WRITER = "not-a-writer"
"""The engine's own rule by which a write is refused."""


class Closed(NamedTuple):
    """A fact that a step sets and that not everybody who may take the step may write.

    `roles` may. A fact that a choice field names (`student[case.FIELD]`) is closed under each name that it may be:
    `chosen_by` is then the key of that field.
    """

    fact: str
    roles: tuple[str, ...]
    chosen_by: str | None = None


def holds_one(actor: Actor, roles: Sequence[str], path: str, at: datetime) -> bool:
    """Whether somebody holds one of some roles at a unit or above it, or is lent one (委派) for all cases there."""
    held = (*actor.grants, *actor.lent_at(moment(at)))
    return any(one.role in roles and path.startswith(one.path) and one.case is None for one in held)


def closed_to(
    one: Transition, facts: Iterable[tuple[str, str | None]], known: Mapping[str, Fact]
) -> tuple[Closed, ...]:
    """The facts among those a transition sets that not everybody who takes it may write; mostly none.

    A signed step is taken by its signers together: one who may write is enough. A step that takes back (`return`,
    `reject`, `withdraw`) clears what others have written, and asks nobody.
    """
    if one.kind is not MoveKind.ADVANCE:
        return ()
    takers = [_names(who, one) for who in (one.sign.slots.values() if one.sign else one.by)]
    enough = any if one.sign else all
    return tuple(
        Closed(name, known[name].written_by, chosen_by)
        for name, chosen_by in facts
        if name in known and known[name].written_by
        if not (takers and enough(names.intersection(known[name].written_by) for names in takers))
    )


def may_write(who: Who, one: Transition, roles: Sequence[str]) -> bool:
    """Whether those who take a transition as `who` are among the roles that may write."""
    return not _names(who, one).isdisjoint(roles)


def _names(who: Who, one: Transition) -> frozenset[str]:
    """Everything such a person counts as: the one who does it, who records it, and for whom it is filed."""
    return frozenset(name for name in (who.role, who.recorded_by, one.on_behalf_of) if name)


def not_a_writer(book: RulebookText, fact: Fact, roles: Iterable[str]) -> Verdict:
    """The refusal of a write, naming who may."""
    words = {"what": f"{fact.title.zh} {fact.title.en}", "who": "、".join(_title(book, role) for role in roles)}
    rule = book.engine[NOT_A_WRITER]
    return judged(NOT_A_WRITER, rule, Outcome.FAILS, plain_sentence(rule.otherwise, words))


def _title(book: RulebookText, role: str) -> str:
    if role in RESERVED_ROLES:
        return _RESERVED.get(role, role)
    title = book.organisation.roles[role].title
    return f"{title.zh} {title.en}"


_RESERVED = {"student": "学生本人 the student", SHEET: "导入的表格 a sheet"}


def closed_to_sheets(book: RulebookText) -> Mapping[str, Fact]:
    """The facts that a sheet writes only in the name of somebody who may; mostly none."""
    facts = book.vocabulary.student
    return {name: one for name, one in facts.items() if one.written_by and SHEET not in one.written_by}


def taken_in_by(fact: Fact) -> tuple[str, ...]:
    """The roles whose holders may take a sheet with a fact in, in their own name: its writers, or the keeper.

    The keeper (S000-0.1) takes in what nobody is named for, and what any sheet may write.
    """
    named = tuple(one for one in fact.written_by if one not in RESERVED_ROLES and one != SHEET)
    return (*named, KEEPER) if SHEET in fact.written_by or not fact.written_by else named


def denied(book: RulebookText, facts: Iterable[Fact], path: str, request: Request) -> tuple[Verdict, ...]:
    """The refusals of those among some facts that whoever takes a sheet in may not write of a student at a unit."""
    return tuple(
        not_a_writer(book, one, one.written_by)
        for one in facts
        if not holds_one(request.actor, one.written_by, path, request.at)
    )
