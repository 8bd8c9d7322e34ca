"""Deciding: which moves there are, who may take them, and what a refusal owes the person it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import transitions

from engine.actors import Actor, Grant
from engine.definition import CANCELLED, NEW, Definition
from engine.errors import NotAllowed, TransitionNotOpen, Unknown
from engine.expressions.kinds import Kind
from engine.library import Library
from engine.machine import decide
from engine.outline import graph
from engine.records import Case, Json, Moved, Outcome, Refused
from engine.steps import Machine
from tests.engine.hearings import READY_FACTS, Known, anybody, asking, case_in, machine_of
from tests.engine.lab import CHECK, SEND_BACK, lending, loan
from tests.engine.town import FIRST, REASON, Town


@pytest.fixture(scope="session")
def machines(library: Library) -> dict[tuple[str, str], Machine]:
    """Every shipped definition in every profile that runs it."""
    return {key: machine_of(library, one) for key, one in library.definitions.items()}


class Piece:
    """A throwaway model for the oracle."""

    state: str


class Oracle:
    """Where `transitions` itself goes by a definition."""

    def __init__(self, definition: Definition) -> None:
        self._graph = graph(definition)

    def after(self, state: str, trigger: str) -> str | None:
        """The state after a step, or None where it refuses to go."""
        piece = Piece()
        self._graph.add_model(piece, initial=state)
        try:
            piece.trigger(trigger)  # type: ignore[attr-defined] # given by add_model
        except transitions.MachineError:
            return None
        finally:
            self._graph.remove_model(piece)
        return piece.state


def test_the_shipped_definitions_are_here(machines: dict[tuple[str, str], Machine]):
    workflows = {workflow for workflow, _ in machines}
    assert {"diploma-registration", "leave-of-absence", "graduation-eligibility-review"} <= workflows
    assert len(machines) >= 10


def test_the_table_knows_exactly_the_moves_of_the_machine(machines: dict[tuple[str, str], Machine]):
    checked = 0
    for machine in machines.values():
        definition, oracle = machine.definition, Oracle(machine.definition)
        for state in (NEW, *definition.states, CANCELLED):
            for trigger, one in definition.transitions.items():
                after = oracle.after(state, trigger)
                assert (trigger in machine.open_triggers(state)) == (after is not None), (state, trigger)
                if after is not None:
                    targets = machine.step(state, trigger).targets
                    assert after == (targets[0] if targets else state)
                    assert targets == one.targets
                checked += 1
    assert checked > 500


def test_deciding_goes_exactly_where_the_machine_goes(machines: dict[tuple[str, str], Machine]):
    moved = 0
    for machine in machines.values():
        definition, oracle, actor = machine.definition, Oracle(machine.definition), anybody(machine)
        everywhere = (NEW, *definition.states, CANCELLED)
        for state in everywhere:
            for trigger, one in definition.transitions.items():
                legal = oracle.after(state, trigger) is not None
                for to in everywhere if one.by or one.when else ():
                    outcome = _decided(machine, state, trigger, (actor, to))
                    if not legal or to not in (one.targets or (state,)):
                        assert outcome is None, (definition.workflow, state, trigger, to)
                    elif isinstance(outcome, Moved):
                        assert outcome.case.state == to
                        moved += 1
    assert moved > 20


OF_KIND: dict[str, Json] = {
    "number": 1, "date": "2024-05-13", "moment": "2024-05-13T01:00:00.000000Z", "yes_no": True, "term": "2024-1",
}  # fmt: skip
"""A value of each kind that is not a word."""


def _value_of(machine: Machine, kind: Kind) -> Json:
    if kind.name == "choice":
        return next(iter(machine.scope.choices[kind.of or ""]))
    return OF_KIND.get(kind.name, "x")


def _decided(machine: Machine, state: str, trigger: str, asked: tuple[Actor, str]) -> Moved | Refused | None:
    actor, to = asked
    step = machine.step_anywhere(trigger)
    fields = {name: _value_of(machine, step.takes[name]) for name in (*step.asked, "reason")}
    try:
        return decide(machine, case_in(state), asking(trigger, actor, to, **fields), Known(READY_FACTS))
    except TransitionNotOpen:
        return None


def assert_only_a_refusal_was_added(town: Town, before: Case, rows: tuple[int, ...]) -> None:
    after = town.case(FIRST)
    assert after == before._replace(head=after.head)
    assert town.counts() == (rows[0] + 1, *rows[1:])
    assert town.events(after.id)[-1]["kind"] == "refused"
    assert town.replayed().diverged == ()


def test_a_step_that_is_not_open_says_which_are_and_changes_nothing(town: Town):
    before, rows = town.case(FIRST), town.counts()
    with pytest.raises(TransitionNotOpen, match="enrolled") as caught:
        town.take(FIRST, "site_approve", "approver.s1")
    assert set(caught.value.open_triggers) == {"apply", "suspend", "withdraw"}
    assert_only_a_refusal_was_added(town, before, rows)


def test_an_unknown_step_is_answered_with_the_nearest_word(town: Town):
    with pytest.raises(Unknown, match=r"Did you mean 'apply'\?"):
        town.take(FIRST, "aply", "operator.s1")


def test_a_target_that_is_not_written_is_refused(district_url: str, library: Library):
    with lending(district_url, library, loan({**CHECK, **SEND_BACK})) as (town, case):
        town.decided(case, "check", "approver.s1")
        with pytest.raises(TransitionNotOpen, match="lent"):
            town.decided(case, "send_back", "records.sx", to="lent", **REASON)


def test_a_role_at_another_unit_is_not_allowed_and_changes_nothing(town: Town):
    before, rows = town.case(FIRST), town.counts()
    with pytest.raises(NotAllowed, match="site_operator"):
        town.take(FIRST, "apply", "operator.s2")
    assert_only_a_refusal_was_added(town, before, rows)


@pytest.mark.parametrize(
    ("unit", "path", "may"),
    [
        ("S1", "/GK/SX/B1/S1/", True),
        ("B1", "/GK/SX/B1/", True),
        ("GK", "/GK/", True),
        ("S10", "/GK/SX/B1/S10/", False),
        ("B2", "/GK/SX/B2/", False),
        ("K1", "/GK/SX/B1/S1/K1/", False),
    ],
)
def test_a_right_reaches_its_unit_and_everything_below_it(library: Library, unit: str, path: str, may: bool):  # noqa: FBT001
    machine = machine_of(library, loan(CHECK))
    actor = Actor(login="a", grants=(Grant(role="site_approver", unit=unit, path=path),))
    if may:
        outcome = decide(machine, case_in("asked"), asking("check", actor), Known())
        assert isinstance(outcome, Moved)
        assert outcome.event["unit"] == unit
    else:
        with pytest.raises(NotAllowed):
            decide(machine, case_in("asked"), asking("check", actor), Known())


def test_a_right_at_one_site_does_not_reach_a_site_whose_code_begins_alike(library: Library):
    machine = machine_of(library, loan(CHECK))
    actor = Actor(login="a", grants=(Grant(role="site_approver", unit="S1", path="/GK/SX/B1/S1/"),))
    with pytest.raises(NotAllowed):
        decide(machine, case_in("asked", unit="S10", path="/GK/SX/B1/S10/"), asking("check", actor), Known())


def test_of_two_rights_the_closer_one_is_used(library: Library):
    above, here = ("GK", "/GK/"), ("S1", "/GK/SX/B1/S1/")
    grants = tuple(Grant(role="site_approver", unit=unit, path=path) for unit, path in (above, here))
    outcome = decide(
        machine_of(library, loan(CHECK)), case_in("asked"), asking("check", Actor(login="a", grants=grants)), Known()
    )
    assert outcome.event["unit"] == "S1"


def refusals(library: Library) -> Iterator[tuple[Machine, str, Refused]]:
    """A refusal of every step of the shipped record that asks any rule, with nothing at all known."""
    for profile in ("online-ed", "open-university"):
        machine = machine_of(library, library.record(profile))
        for state, step in machine.steps():
            if step.guards and step.entitled:
                outcome = decide(machine, case_in(state), asking(step.trigger, anybody(machine)), Known())
                if isinstance(outcome, Refused):
                    yield machine, state, outcome


def test_a_refusal_names_every_rule_that_stands_in_the_way_never_only_the_first(library: Library):
    seen = 0
    for machine, state, refused in refusals(library):
        step = machine.step(state, refused.trigger)
        told = [verdict.rule for verdict in refused.verdicts]
        assert len(told) == len(set(told))
        for guard in step.guards[: step.unless_from]:
            outcome = guard.ask(*[None] * len(guard.reads))
            assert (guard.name in told) == Outcome(outcome).refuses, (refused.trigger, guard.name)
        seen += len(told)
    assert seen > 40


def test_every_refusing_verdict_speaks_both_languages_and_cites_its_source(library: Library):
    for _, _, refused in refusals(library):
        for verdict in refused.verdicts:
            assert verdict.sentence.zh
            assert verdict.sentence.en
            assert "{" not in verdict.sentence.zh + verdict.sentence.en, verdict
            assert verdict.source, verdict


def test_all_eight_conditions_are_reported_at_once_with_the_values_seen(town: Town):
    town.know(
        FIRST, prior_qualification="不符合", key_info_confirmed=False, terms_passed=3, level_exam="缺考",
        photo_review="未通过", fee_owed="120.50", form_signed=False, max_study_until="2024-01-31",
    )  # fmt: skip
    refused = town.take(FIRST, "apply", "operator.s1")
    assert isinstance(refused, Refused)
    assert refused.failed == (
        "G-GR-02", "G-GR-03", "G-GR-04", "G-GR-05", "G-GR-06", "G-GR-07", "G-GR-08", "G-GR-24",
    )  # fmt: skip
    assert refused.undecided == ()
    said = {verdict.id: verdict.sentence.zh for verdict in refused.verdicts}
    assert "120.50" in said["G-GR-07"]
    assert said["G-GR-04"] == "应修5学期，合格3学期"
    assert "缺考" in said["G-GR-05"]


def test_what_is_missing_is_undecided_and_told_by_its_title(town: Town):
    town.know(FIRST, fee_owed=None, terms_passed=None)
    refused = town.take(FIRST, "apply", "operator.s1")
    assert isinstance(refused, Refused)
    assert (refused.failed, refused.undecided) == ((), ("G-GR-04", "G-GR-07"))
    said = {verdict.id: verdict.sentence.zh for verdict in refused.verdicts}
    assert said == {"G-GR-04": "尚缺：合格学期数", "G-GR-07": "尚缺：欠费金额"}


def test_a_refusal_is_an_event_with_every_verdict_and_the_values_seen(town: Town):
    town.know(FIRST, fee_owed="120.50", terms_passed=None)
    before = town.case(FIRST)
    refused = town.take(FIRST, "apply", "operator.s1")
    assert isinstance(refused, Refused)
    event = town.events(before.id)[-1]
    assert event["kind"] == "refused"
    data = event["data"]
    assert data["failed"] == ["G-GR-07"]
    assert data["undecided"] == ["G-GR-04"]
    assert data["verdicts"]["fees-paid"] == "fails"
    assert data["verdicts"]["level-exam-passed"] == "holds"
    assert data["seen"]["fee_owed"] == "120.50"
    assert town.case(FIRST).revision == before.revision
    assert town.case(FIRST).head.seq == before.head.seq + 1
