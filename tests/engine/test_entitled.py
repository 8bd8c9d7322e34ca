"""Who took a step, as the invariants see it: cases that end because another one did."""

from __future__ import annotations

from typing import Any

from engine.invariants import audit_histories
from engine.records import case_number
from engine.store.trail import spans
from tests.engine.forging import Forger
from tests.engine.town import Town


def test_a_case_is_cancelled_by_another_case_and_by_nobody_else(town: Town):
    forge = Forger(town=town)
    bad, good = (forge.town.record(forge.student()) for _ in range(2))
    cancelled: dict[str, Any] = {"trigger": "cancelled", "to": "cancelled", "people": []}
    forge.step(bad, **cancelled)
    forge.step(good, **cancelled, role="effect", cause={"chain": "case/00000001", "seq": 1})

    at_fault = {fault.case for fault in audit_histories(town.connection, spans(town.connection, 1)[0])["INV-ST-4"]}

    assert case_number(bad) in at_fault
    assert case_number(good) not in at_fault
