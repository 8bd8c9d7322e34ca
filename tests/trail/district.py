"""A district with up to a thousand events for attackers: records at every state, facts, refusals, loans on a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.enrolling import Enrolment, enrol
from engine.facts import write_facts
from engine.library import Library
from engine.loading.folder import load
from engine.organisation import give_role
from engine.records import Moved
from tests.engine.lab import with_loan
from tests.engine.test_lists import ONE_AT_A_TIME, lending_by_list, lists
from tests.engine.town import (
    BATCH,
    HOME,
    NOW,
    OPEN_BATCH,
    READY,
    REASON,
    STATES_TO_REGISTERED,
    STEPS_TO_REGISTERED,
    Town,
    build,
    roster_facts,
)

PUPILS = tuple(str(2022030000100 + place) for place in range(114))
"""Students of site S1 beside those of the town; every one is as far as the place in this list says."""
FEW = PUPILS[:25]
"""Enough for every kind of chain."""


def library() -> Library:
    """The definitions as shipped, and a procedure with a list of its own."""
    shipped = load(HOME)
    open_batch = shipped.batches[BATCH].model_copy(update={"batch": OPEN_BATCH, "profile": "open-university"})
    both = replace(shipped, batches={**shipped.batches, OPEN_BATCH: open_batch})
    return with_loan(both, lending_by_list(roll=ONE_AT_A_TIME))


def furnish(town: Town, pupils: Sequence[str]) -> None:
    """Everything that happens here, in one transaction, for nobody else is looking."""
    with town.connection.writing():
        build(town)
        give_role(town.desk, "inspector", "auditor", "GK", at=NOW, actor="setup")
        roster = [Enrolment(student_no=no, unit="S1", facts=roster_facts(no)) for no in pupils]
        enrol(town.desk, roster, town.request("open_record", "import"))
        facts = {no: {**READY, "phone": f"139{no[-8:]}", "certificate_no": f"5116152024{no[-8:]}"} for no in pupils}
        write_facts(town.desk, facts, town.request("facts", "import"))
        for place, pupil in enumerate(pupils):
            _walk(town, pupil, place)
        _lend(town)


def _walk(town: Town, pupil: str, place: int) -> None:
    """A record goes on as far as its place says; some owe, are refused, and go back."""
    if place % 7 == 3:
        town.know(pupil, fee_owed="120.50")
        town.take(pupil, "apply", "operator.s1")
        town.know(pupil, fee_owed="0.00")
    steps = STEPS_TO_REGISTERED["online-ed"][: place % len(STATES_TO_REGISTERED)]
    for trigger, login in steps:
        assert isinstance(town.take(pupil, trigger, login, id=f"{trigger}/{pupil}"), Moved)
    if len(steps) == 1:
        town.take(pupil, "site_return", "approver.s1", fields=REASON)


def _lend(town: Town) -> None:
    """A dozen loans are checked, compiled into a list, and lent by it."""
    for pupil in PUPILS[:12]:
        asked = town.open(("loan", "ask"), pupil, "operator.s1")
        assert isinstance(asked, Moved)
        assert isinstance(town.decided(asked.case.id, "check", "operator.s1"), Moved)
    [roll] = lists(town)
    for trigger in ("compile", "seal"):
        assert isinstance(town.decided(roll.id, trigger, "records.sx"), Moved)
