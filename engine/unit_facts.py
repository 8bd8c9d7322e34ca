"""Facts of units: what is known of an office, a school or a class, written with old and new values.

Each change is an event of the registry, and moves the deadlines of cases there and below that read it.
Source: the definition language, sections 4 and 12.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.desk import Desk
from engine.errors import NotAllowed, Unknown, Unreadable
from engine.expressions.kinds import encode, parse_input
from engine.facts import kind_of
from engine.records import Json, Request
from engine.scopes import choice_titles
from engine.settling import cause_of, settle_unit
from engine.step import check_value
from engine.store import registry
from engine.trail.event import REGISTRY, EventKind, moment
from engine.vocabulary import Fact
from engine.writers import KEEPER, holds_one


def change_unit(desk: Desk, code: str, given: Mapping[str, str], request: Request) -> Mapping[str, Json]:
    """Write facts of a unit as people write them, an empty one to clear it; what is known of it then.

    Nothing is written, and no event made, where all of it was known before.

    Args:
        desk: Where it is kept.
        code: The unit.
        given: By name, what is known now.
        request: By whom and when; its trigger names the source.

    Raises:
        Unknown: If there is no such unit, or the vocabulary has no such fact of units.
        Unreadable: If a value is not of its kind.
        NotAllowed: If the person holds none of the roles by which a fact is written, at the unit or above it.
    """
    desk.refresh()
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else changes the registry waits here
        row = desk.units().get(code)
        if row is None:
            raise Unknown("单位 unit", code, desk.units())
        new = {name: _read(desk, name, text) for name, text in given.items()}
        for name in new:
            _refuse_others(_fact(desk, name), request, code, row.path)
        changed = {name: value for name, value in new.items() if row.facts.get(name) != value}
        facts = {**row.facts, **changed}
        if not changed:
            return facts
        registry.set_unit_facts(desk.connection, code, facts)
        told: dict[str, Json] = {name: {"old": row.facts.get(name), "new": changed[name]} for name in changed}
        data: dict[str, Json] = {"source": request.trigger, "unit": code, "facts": told}
        event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
        [written] = desk.record_events([(EventKind.FACT_CHANGED, event)])
        desk.refresh()
        settle_unit(desk, row, changed, request, cause_of(REGISTRY, written.seq))
    return facts


def _fact(desk: Desk, name: str) -> Fact:
    known = desk.library.rulebook.vocabulary.unit
    if name not in known:
        raise Unknown("单位信息项 fact of units", name, known)
    return known[name]


def _read(desk: Desk, name: str, text: str) -> Json:
    """A value as a person writes it; nothing at all clears it."""
    fact = _fact(desk, name)
    kind = kind_of(fact.type)
    if not text:
        return None
    try:
        value = encode(kind, parse_input(kind, text, choice_titles(desk.library.rulebook.vocabulary)))
    except ValueError as problem:
        raise Unreadable(f"{fact.title.zh} {name}", text, f"{kind}（{problem}）") from problem
    check_value(name, kind, value)
    return value


def _refuse_others(fact: Fact, request: Request, code: str, path: str) -> None:
    """Only those by whom the vocabulary has it written, at the unit or above it; else who keeps the registry."""
    roles = fact.written_by or (KEEPER,)
    if not holds_one(request.actor, roles, path, request.at):
        raise NotAllowed(request.actor.login, f"unit_set {fact.title.zh}", roles, code)
