"""What the stories of status procedures have in common: signing at the levels, records in the states they need."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from engine.records import Json
from tests.definitions.world import Told, World

DECISION: Mapping[str, Json] = {"decided_on": "2024-04-22", "document_no": "学字2024-7"}
BY_HAND: Mapping[str, Json] = {"body_typed": True, "signed_by_hand": True, "dated_by_hand": True}
NEXT_TERM = datetime(2024, 9, 5, 4, tzinfo=UTC)
"""A Thursday of the first week of the next term, which is the first of an academic year."""
BATCH = "2024-06"


def site_confirms(case: Told) -> Told:
    """The teaching point confirms and seals."""
    return case.signs("confirm", "site", "site_approver").signs("confirm", "seal", "seal_keeper")


def branch_and_province_approve(case: Told) -> Told:
    case.signs("approve", "branch", "branch_approver")
    return case.signs("approve", "province", "provincial_auditor", **DECISION)


def faculty_confirms(case: Told) -> Told:
    """Class teacher and head of the faculty confirm, the seal is set."""
    case.signs("confirm", "class_teacher", "class_teacher").signs("confirm", "faculty_head", "faculty_head")
    return case.signs("confirm", "seal", "seal_keeper")


def records_approve(case: Told) -> Told:
    return case.signs("approve", "records", "records_section", **DECISION)


def suspended(world: World, student: str) -> Told:
    """The record of a student as it is during a leave that is on no case."""
    return world.record(student).takes("suspend", "records_section", **DECISION)


def withdrawn(world: World, student: str) -> Told:
    return world.record(student).takes("withdraw", "records_section", reason_code="voluntary", **DECISION)


def applied(world: World, student: str) -> Told:
    """The record of a student for whom the teaching point has filed the application for graduation."""
    return world.record(student).takes("apply", "site_operator", batch=BATCH)


def last_change(world: World, student: str) -> tuple[Json, Json, Json]:
    """Category, day and document number of the last change of status on the record."""
    return tuple(world.fact(student, name) for name in ("last_change", "last_changed_on", "last_change_no"))  # type: ignore[return-value] # three


def caused_by(record: Told, case: Told) -> bool:
    """Whether the last event of the record names a case as its cause."""
    cause = record.events()[-1]["cause"]
    return isinstance(cause, dict) and cause["chain"] == f"case/{case.number}"
