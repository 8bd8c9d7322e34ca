"""Deadlines forged: a late step that is not marked, a reminder told twice; each beside a case in order."""

from __future__ import annotations

from tests.engine.forging import Forger, Words

PROFILE = "open-university"
OVER = "2024-04-01T15:59:59.000000Z"
DRAFTED: Words = {"trigger": "draft", "to": "drafted", "deadlines": {"D-37": {"due": OVER}}}


def late_unmarked(forge: Forger) -> tuple[int, int]:
    step = {"trigger": "check_evidence", "to": "evidence_checked"}
    bad, good = (
        forge.case("student-information-change", PROFILE, forge.student(), DRAFTED, {**step, "late": late})
        for late in ([], ["D-37"])
    )
    return bad, good


def told_twice(forge: Forger) -> tuple[int, int]:
    told = {"kind": "reminded", "deadline": "D-37", "due": OVER, "rung": "overdue:1"}
    further = {**told, "rung": "overdue:2"}
    bad, good = (
        forge.case("student-information-change", PROFILE, forge.student(), DRAFTED, told, again)
        for again in (told, further)
    )
    return bad, good
