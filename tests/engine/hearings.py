"""Hearings without a database: one case, one request, what is known, and the machine they are put to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.actors import Actor, Grant
from engine.definition import Definition
from engine.expressions.kinds import Row
from engine.library import Library, content_hash
from engine.records import Case, Head, Json, Request
from engine.steps import Machine
from engine.store.documents import DocumentRow
from engine.trail.event import moment
from tests.engine.town import FIRST, NOW, READY, roster_facts

READY_FACTS = {**roster_facts(FIRST), **READY, "certificate_no": "511615202402000001"}


class Known:
    """What a test says is known of a case that is alone in the world: no documents, no lists, one unit."""

    def __init__(self, values: Mapping[str, Json] | None = None) -> None:
        self.values = values or {}

    def see(self, facts: Sequence[str], others: Sequence[str]) -> dict[str, Json]:
        return {key: self.values.get(key) for key in (*facts, *others)}

    def place(self, at: str) -> tuple[str, str] | None:  # noqa: ARG002 the same for every unit
        return ("S1", "/GK/SX/B1/S1/")

    def units_of_members(self, kind: str) -> Sequence[tuple[str, str]]:  # noqa: ARG002 no list, no members
        return ()

    def documents(self) -> Sequence[DocumentRow]:
        return ()

    def handed_in_by(self, kind: str) -> Sequence[str]:  # noqa: ARG002 there are none
        return ()

    def member_rows(self) -> Sequence[Row]:
        return ()

    def own_row(self) -> Row:
        return {}

    def late(self) -> Sequence[str]:
        return ()

    def frozen_on(self) -> Sequence[str]:
        return ()

    def steps_taken(self) -> Sequence[tuple[str, str]]:
        return ()

    def after(self, case: Case, facts: Mapping[str, Json]) -> Known:
        fields = {f"case.{name}": value for name, value in case.fields.items()}
        return Known({**self.values, **fields, **facts, "case.state": case.state})

    def taken_elsewhere(self, facts: Mapping[str, Json]) -> Sequence[str]:  # noqa: ARG002 nobody else is there
        return ()


def machine_of(library: Library, definition: Definition) -> Machine:
    return Machine(library, definition, shape=content_hash(definition), rulebook=content_hash(library.rulebook))


def case_in(state: str, **more: object) -> Case:
    at = moment(NOW)
    case = Case(
        id=7, workflow="any", shape="", student=1, unit="S1", path="/GK/SX/B1/S1/", state=state, revision=1,
        head=Head(), fields={}, taken={}, rounds=0, opened_at=at, entered_at=at,
    )  # fmt: skip
    return case._replace(**more)  # type: ignore[arg-type] # a test's own words


def anybody(machine: Machine) -> Actor:
    """Somebody who holds every role a definition names, at the top."""
    roles = {who.acting_role for _, step in machine.steps() for who, _ in step.entitled}
    return Actor(login="anybody", grants=tuple(Grant(role=role, unit="GK", path="/GK/") for role in sorted(roles)))


def asking(trigger: str, actor: Actor, to: str | None = None, **fields: Json) -> Request:
    return Request(trigger=trigger, actor=actor, at=NOW, to=to, fields=fields)
