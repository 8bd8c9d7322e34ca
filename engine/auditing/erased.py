"""Erasures: whoever erased a person's values kept the records, in the own right, and nothing that has to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.auditing.ground import Flaw
from engine.auditing.wholes import Faults, Survey
from engine.store import erasures
from engine.trail.event import EventKind
from engine.writers import KEEPER


def erased_by_right(survey: Survey) -> Faults:
    """INV-ACC-1: each erasure by the records section at the student's unit or above, held then, and with a reason."""
    for chain, event in erasures.every_erasure(survey.connection):
        unit = _unit_then(survey, chain, event["seq"])
        why = _wrong(survey, event, unit)
        if why is not None:
            yield chain, why


def _wrong(survey: Survey, event: Mapping[str, Any], unit: str) -> Flaw | None:
    who, where, seq = event["actor"], event.get("unit") or "", event["seq"]
    held = event.get("role") == KEEPER and "delegation" not in event
    if not held or not survey.ground.holds(who, KEEPER, where, event["at"]):
        return Flaw(seq, f"{who} 当时不是{where}的学籍科而抹除", f"{who} was not of the records section at {where}")
    if not survey.ground.is_above(where, unit):
        return Flaw(seq, f"学生当时属于 {unit}，不在 {where}", f"the student was at {unit} then, not below {where}")
    if not event["data"].get("reason"):
        return Flaw(seq, "抹除没有事由", "erased without a reason")
    return None


def _unit_then(survey: Survey, chain: int, seq: int) -> str:
    """The unit a student belonged to at an event of the own chain."""
    told = [
        one["data"] for one in erasures.told(survey.connection, chain)[:seq] if one["kind"] == EventKind.FACT_CHANGED
    ]
    return next((str(data["unit"]) for data in reversed(told) if data.get("unit")), "")
