"""Invariants are upheld while a case is worked, also where a guard forgot them; other steps ask nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from engine.definition import NEW, Definition
from engine.errors import NotRetractable
from engine.library import Library
from engine.machine import decide
from engine.records import Case, Json, Moved, Refused
from engine.retracting import retract
from engine.steps import Machine
from tests.engine.hearings import Known, anybody, asking, case_in, machine_of
from tests.engine.lab import lending, loan, opened, procedure, working
from tests.engine.town import FIRST

YES_NO = {"type": "yes_no", "title": {"zh": "是否", "en": "Yes or no"}}
FIELDS = {"paid": {**YES_NO, "starts": "false"}, "sealed": YES_NO}
BY = {"by": "site_operator"}
STEPS: Mapping[str, Mapping[str, object]] = {
    "look": {**BY, "from": ["asked", "checked"], "to": "checked"},
    "pay": {**BY, "from": ["asked", "checked"], "set": {"case.paid": True}},
    "refund": {**BY, "from": ["checked", "shelved"], "set": {"case.paid": False}},
    "mark": {**BY, "from": ["asked", "checked", "shelved"], "accepts": ["sealed"]},
    "shelve": {**BY, "from": ["asked", "checked"], "to": "shelved"},
    "back": {**BY, "from": ["checked", "shelved"], "to": "asked", "kind": "return"},
    "lend": {**BY, "from": ["asked", "checked", "shelved"], "to": "lent"},
}
PROMISES: Mapping[str, Mapping[str, object]] = {
    "INV-PAID": {"holds": "case.state != 'lent' or case.paid"},
    "INV-SEAL": {"holds": "not (case.sealed and case.state == 'shelved')"},
    "INV-STAY": {"never_left": ["shelved"]},
    "INV-TURN": {"in_order": ["look", "pay", "lend"], "since": "asked"},
}


def promising(*names: str) -> Definition:
    """A procedure whose guards have forgotten what its invariants promise."""
    return loan(STEPS, fields=FIELDS, invariants={name: PROMISES[name] for name in names}, rounds=99)


# --- a random walk, judged by somebody else ----------------------------------------------------------


@dataclass
class Remembering(Known):
    """What is known of the case of a walk: its own fields, and the steps it has taken."""

    case: Case
    taken: Sequence[tuple[str, str]] = ()
    given: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fields = {**self.case.fields, **self.given}
        self.values = {**{f"case.{name}": one for name, one in fields.items()}, "case.state": self.case.state}

    def steps_taken(self) -> Sequence[tuple[str, str]]:
        return self.taken


def kept_promises(taken: Sequence[tuple[str, str]], fields: Mapping[str, Json]) -> Iterator[str]:
    """The promises that hold of a case after these steps, said anew and in other words than the engine's."""
    states = [NEW, *(state for _, state in taken)]
    if states[-1] != "lent" or fields.get("paid") is not False:
        yield "INV-PAID"
    if not (fields.get("sealed") and states[-1] == "shelved"):
        yield "INV-SEAL"
    if all(after == "shelved" for before, after in pairwise(states) if before == "shelved"):
        yield "INV-STAY"
    trigger = taken[-1][0]
    entered = max(
        (place for place, state in enumerate(states[:-1]) if state == "asked" != states[place - 1]), default=0
    )
    since = [name for name, _ in taken[entered:-1]]
    looked = [place for place, name in enumerate(since) if name == "look"]
    paid = [place for place, name in enumerate(since) if name == "pay"]
    if trigger not in ("pay", "lend") or (looked and (trigger == "pay" or max(paid, default=-1) > max(looked))):
        yield "INV-TURN"


@pytest.mark.parametrize("names", [("INV-PAID",), ("INV-SEAL",), ("INV-STAY",), ("INV-TURN",), tuple(PROMISES)])
def test_no_way_of_working_a_case_breaks_a_promise_and_nothing_else_is_refused(
    library: Library, names: tuple[str, ...]
):
    machine = machine_of(library, promising(*names))
    chance, refused = random.Random("upholding"), set[str]()  # noqa: S311 dice
    for _ in range(150):
        refused |= set(walk(machine, names, chance))
    assert refused == set(names), "each promise was put to the test"


def walk(machine: Machine, names: Sequence[str], chance: random.Random) -> Iterator[str]:
    """A case worked at random until it ends; yields every promise that had to be defended."""
    case, taken = case_in("asked", fields={"paid": False}), [("ask", "asked")]
    actor = anybody(machine)
    while not machine.is_final(case.state) and len(taken) < 12:
        trigger = chance.choice(machine.open_triggers(case.state))
        given: dict[str, Json] = {"sealed": chance.choice([True, False])} if trigger == "mark" else {}
        reason: dict[str, Json] = {"reason": "重来"} if trigger == "back" else {}
        request = replace(asking(trigger, actor), fields={**given, **reason})
        outcome = decide(machine, case, request, Remembering(case, taken, given))
        target = STEPS[trigger].get("to", case.state)
        after = {**case.fields, **given, **{"pay": {"paid": True}, "refund": {"paid": False}}.get(trigger, {})}
        broken = set(names) - set(kept_promises([*taken, (trigger, str(target))], after))
        if isinstance(outcome, Refused):
            conditions = broken & {"INV-PAID", "INV-SEAL"}  # asked once nothing else stands in the way
            assert set(outcome.failed) in (broken, broken - conditions), (taken, trigger)
            yield from outcome.failed
        else:
            assert (outcome.case.fields, broken) == (after, set()), (taken, trigger)
            case, taken = outcome.case, [*taken, (trigger, outcome.case.state)]


# --- what is asked of which step ----------------------------------------------------------------------


def at_stake(machine: Machine) -> dict[str, set[str]]:
    """By step, the promises that are asked when it is taken."""
    found: dict[str, set[str]] = {}
    for state, step in machine.steps():
        for target in step.targets or (state,):
            names = {one.name for one in machine.stakes.conditions_of(step, target, leaves_open=False)}
            names |= {one.name for one in machine.stakes.orders(state, step.trigger)}
            found.setdefault(step.trigger, set()).update(names)
    return {trigger: names for trigger, names in found.items() if names}


def test_only_steps_that_could_break_a_promise_are_asked_about_it(library: Library):
    assert at_stake(machine_of(library, promising(*PROMISES))) == {
        "lend": {"INV-PAID", "INV-TURN"}, "pay": {"INV-TURN"}, "mark": {"INV-SEAL"},
        "shelve": {"INV-SEAL"},
    }  # fmt: skip


def test_a_procedure_without_promises_asks_nothing(library: Library):
    assert at_stake(machine_of(library, promising())) == {}


def test_of_the_shipped_procedures_few_steps_ask_and_none_reads_its_history(library: Library):
    asking_steps: dict[str, dict[str, set[str]]] = {}
    for one in library.machines():
        found = at_stake(machine_of(library, one)) if one.invariants else {}
        asking_steps.setdefault(one.workflow, {}).update(found)
    assert {workflow: found for workflow, found in asking_steps.items() if found} == {
        "diploma-registration": {"register": {"INV-CT-2"}, "apply_degree": {"INV-GR-3"}},
        "credential-registration-fulltime": {"hand_to_faculty": {"INV-CT-3"}, "hand_to_student": {"INV-CT-3"}},
    }


# --- in the database ----------------------------------------------------------------------------------


def test_a_refusal_is_told_in_the_words_of_the_promise_and_leaves_the_case_as_it_was(
    sqlite_district: str, library: Library
):
    with lending(sqlite_district, library, promising(*PROMISES)) as (town, case):
        before = town.by_id(case)
        refused = town.decided(case, "lend", "operator.s1")
        assert isinstance(refused, Refused)
        [verdict] = refused.verdicts
        assert (verdict.id, verdict.sentence.en) == ("INV-TURN", "look comes first (INV-TURN)")
        assert town.by_id(case)._replace(head=before.head) == before
        assert town.events(case)[-1]["data"]["engine"] == ["out-of-order"]

        town.decided(case, "look", "operator.s1")
        town.decided(case, "shelve", "operator.s1")
        refused = town.decided(case, "back", "operator.s1", reason="重来")
        assert isinstance(refused, Refused)
        assert [one.sentence.en for one in refused.verdicts] == ["shelved is never left (INV-STAY)"]


def test_a_condition_is_judged_by_what_the_step_writes_about_the_student(sqlite_district: str, library: Library):
    steps = {
        "lend": {
            "from": "asked",
            "to": "lent",
            "by": "site_operator",
            "set": {"student.phone": "case.phone_now"},
            "asks": ["phone_now"],
        }
    }
    fields = {"phone_now": {"type": "code", "title": {"zh": "电话", "en": "Phone"}}}
    promise = {"INV-PHONE": {"holds": "case.state != 'lent' or phone != '110'"}}
    with lending(sqlite_district, library, loan(steps, fields=fields, invariants=promise)) as (town, case):
        refused = town.decided(case, "lend", "operator.s1", phone_now="110")
        assert isinstance(refused, Refused)
        [verdict] = refused.verdicts
        assert verdict.sentence.en == "lend would break INV-PHONE: case.state != 'lent' or phone != '110'"
        assert town.facts(FIRST).get("phone") != "110"
        assert isinstance(town.decided(case, "lend", "operator.s1", phone_now="119"), Moved)
        assert town.facts(FIRST)["phone"] == "119"
        assert town.replayed().diverged == ()


def test_an_order_is_read_from_the_trail_and_a_step_taken_back_does_not_count(sqlite_district: str, library: Library):
    steps = {**STEPS, "look": {**STEPS["look"], "retractable": True}}
    definition = loan(steps, fields=FIELDS, invariants={"INV-TURN": PROMISES["INV-TURN"]}, rounds=99)
    with lending(sqlite_district, library, definition) as (town, case):
        assert isinstance(town.decided(case, "look", "operator.s1"), Moved)
        retract(town.desk, case, town.request("retract", "operator.s1"))
        assert isinstance(town.decided(case, "pay", "operator.s1"), Refused)
        for trigger in ("look", "pay", "lend"):
            assert isinstance(town.decided(case, trigger, "operator.s1"), Moved), trigger
        assert town.replayed().diverged == ()


def test_a_step_into_a_state_that_is_never_left_is_not_taken_back(sqlite_district: str, library: Library):
    steps = {**STEPS, "shelve": {**STEPS["shelve"], "retractable": True}}
    stays = {"INV-STAY": PROMISES["INV-STAY"]}
    for promises, is_kept in (({}, False), (stays, True)):
        definition = loan(steps, fields=FIELDS, invariants=promises)
        with lending(sqlite_district, library, definition) as (town, case):
            assert isinstance(town.decided(case, "shelve", "operator.s1"), Moved)
            if is_kept:
                with pytest.raises(NotRetractable):
                    retract(town.desk, case, town.request("retract", "operator.s1"))
            else:
                retract(town.desk, case, town.request("retract", "operator.s1"))
                town.decided(case, "lend", "operator.s1")
            assert town.by_id(case).state == ("shelved" if is_kept else "lent")


def test_a_case_in_a_state_that_is_never_left_holds_up_the_step_that_would_cancel_it(
    sqlite_district: str, library: Library
):
    leaves = {"lend": {**BY, "from": "asked", "to": "lent", "then": [{"cancel": "open_cases"}]}}
    with working(sqlite_district, library, [promising("INV-STAY"), procedure("leaving", leaves)]) as town:
        kept, leaving = opened(town, "loan"), opened(town, "leaving")
        assert isinstance(town.decided(kept, "shelve", "operator.s1"), Moved)

        refused = town.decided(leaving, "lend", "operator.s1")
        assert isinstance(refused, Refused)
        assert refused.failed == ("INV-STAY", "X-04")
        assert (town.by_id(kept).state, town.by_id(leaving).state) == ("shelved", "asked")
