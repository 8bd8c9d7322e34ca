"""Related cases: which other cases a case can see, and how they read as rows.

*Related* cases agree on every dimension of `about` that both have; a unit agrees with what lies inside it or above.
Source: the definition language, sections 7 and 10.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from engine.definition import Definition, MachineFile
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI, Kind, Row, decode
from engine.outline import fields_about
from engine.records import Case
from engine.scopes import kind_or_unknown
from engine.steps import Machine
from engine.store.relations import Beside, Neighbour, beside


def named(desk: Desk, profile: str, name: str) -> tuple[Definition, ...]:
    """The workflows and lists of a profile that a name stands for: its own, or those of a family."""
    shelf = desk.library.machines_of(profile)
    if name in shelf:
        return (shelf[name],)
    return tuple(one for one in shelf.values() if one.family == name)


def related_cases(desk: Desk, machine: Machine, case: Case, name: str, *, others: bool = False) -> list[Neighbour]:
    """The cases a name stands for that are related to a case; cancelled ones and the case itself left out.

    Args:
        desk: Where they are kept.
        machine: The machine of the case.
        case: The case that looks.
        name: A workflow, `WORKFLOW.LIST` or a family.
        others: Those of other students in the same batch instead.
    """
    own = machine.definition
    found: dict[int, Neighbour] = {}
    for other in named(desk, own.profile, name):
        wanted = _others(case, other) if others else _beside(own, case, other)
        shared = () if others else shared_fields(own, other)
        for one in beside(desk.connection, wanted):
            if others and one.case.student == case.student:
                continue
            if all(one.case.fields.get(field) == case.fields.get(field) for field in shared):
                found[one.case.id] = one
    return [found[number] for number in sorted(found)]


def shared_fields(one: MachineFile, other: MachineFile) -> tuple[str, ...]:
    """The fields by which both are told apart, and on which related cases agree."""
    return tuple(field for field in fields_about(one) if field in fields_about(other))


def unit_kind(machine: MachineFile) -> str | None:
    """The kind of unit a case is about, or None where its unit is its student's or its opener's."""
    return next((one for one in machine.about if one != "student" and "." not in one and " " not in one), None)


def _beside(own: MachineFile, case: Case, other: Definition) -> Beside:
    same_student = case.student is not None and "student" in other.about
    is_somewhere = unit_kind(own) is not None or unit_kind(other) is not None
    batch = case.fields.get("batch") if "batch" in shared_fields(own, other) else None
    return Beside(
        workflows=(other.workflow,),
        student=case.student if same_student else None,
        batch=batch if isinstance(batch, str) else None,
        path=case.path if is_somewhere and not same_student else None,
        apart_from=case.id,
    )


def _others(case: Case, other: Definition) -> Beside:
    batch = case.fields.get("batch")
    return Beside(workflows=(other.workflow,), batch=batch if isinstance(batch, str) else None, apart_from=case.id)


def row_of(desk: Desk, machine: Machine, one: Neighbour, *, is_late: bool) -> Row:
    """One case as a row; facts are read by the vocabulary of the machine that looks."""
    case, definition = one.case, desk.definition(one.case.shape)
    opened_on = day_of(case.opened_at)
    return {
        **machine.decoded(one.facts),
        **{name: _value(_field_kind(definition, name), raw) for name, raw in case.fields.items()},
        "number": case.number,
        "state": case.state,
        "open": not definition.is_final(case.state),
        "unit": case.unit,
        "rounds": case.rounds,
        "opened_on": opened_on,
        "entered_on": day_of(case.entered_at),
        "opened_term": None if machine.calendar is None else machine.calendar.term_of(opened_on),
        "late": is_late,
    }


def day_of(at: str) -> date:
    """The day in Asia/Shanghai of a moment as events write it."""
    return datetime.fromisoformat(at).astimezone(SHANGHAI).date()


def _value(kind: Kind | None, raw: Any) -> Any:  # noqa: ANN401 JSON becomes a value here
    return raw if raw is None or kind is None else decode(kind, raw)


@lru_cache(maxsize=1024)
def _kind_called(text: str) -> Kind:
    return kind_or_unknown(text)


def _field_kind(definition: Definition, name: str) -> Kind | None:
    field = definition.fields.get(name)
    return None if field is None else _kind_called(field.type)
