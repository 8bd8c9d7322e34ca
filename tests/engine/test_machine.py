"""Deciding: which moves there are, who may take them, and what a refusal owes the person it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
import transitions

from engine.actors import Actor, Grant
from engine.definition import CANCELLED, NEW, Definition, Effect
from engine.errors import NotAllowed, TransitionNotOpen, Unknown
from engine.library import Library, content_hash
from engine.machine import decide
from engine.records import Case, Head, Json, Moved, Outcome, Refused, Request
from engine.steps import Machine, graph
from engine.trail.event import moment
from tests.engine.lab import CHECK, SEND_BACK, lending, loan, rule, with_loan
from tests.engine.town import FIRST, NOW, READY, REASON, Town, roster_facts

READY_FACTS = {**roster_facts(FIRST), **READY, "certificate_no": "511615202402000001"}


class Known:
    """What a test says is known; effects reach the cases it names."""

    def __init__(self, values: Mapping[str, Json] | None = None, reached: tuple[str, ...] = ()) -> None:
        self.values = values or {}
        self.reached = reached

    def see(self, facts: Sequence[str], others: Sequence[str]) -> dict[str, Json]:
        return {key: self.values.get(key) for key in (*facts, *others)}

    def linked(self, effect: Effect) -> tuple[str, ...]:  # noqa: ARG002 the same for every effect
        return self.reached


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


@pytest.fixture(scope="session")
def machines(library: Library) -> dict[tuple[str, str], Machine]:
    """Every shipped definition in every profile that runs it."""
    return {key: machine_of(library, one) for key, one in library.definitions.items()}


class Piece:
    """A throwaway model for the oracle."""

    state: str


def oracle_after(definition: Definition, state: str, trigger: str) -> str | None:
    """Where `transitions` itself goes from a state, or None where it refuses to go."""
    oracle, piece = graph(definition), Piece()
    oracle.add_model(piece, initial=state)
    try:
        piece.trigger(trigger)  # type: ignore[attr-defined] # given by add_model
    except transitions.MachineError:
        return None
    return piece.state


def test_the_shipped_definitions_are_here(machines: dict[tuple[str, str], Machine]):
    workflows = {workflow for workflow, _ in machines}
    assert {"diploma-registration", "leave-of-absence", "graduation-eligibility-review"} <= workflows
    assert len(machines) >= 10


def test_the_table_knows_exactly_the_moves_of_the_machine(machines: dict[tuple[str, str], Machine]):
    checked = 0
    for machine in machines.values():
        definition = machine.definition
        for state in (NEW, *definition.states, CANCELLED):
            for trigger, one in definition.transitions.items():
                after = oracle_after(definition, state, trigger)
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
        definition, actor = machine.definition, anybody(machine)
        everywhere = (NEW, *definition.states, CANCELLED)
        for state in everywhere:
            for trigger, one in definition.transitions.items():
                legal = oracle_after(definition, state, trigger) is not None
                for to in everywhere if one.by or one.when else ():
                    outcome = _decided(machine, state, trigger, (actor, to))
                    if not legal or to not in (one.targets or (state,)):
                        assert outcome is None, (definition.workflow, state, trigger, to)
                    elif isinstance(outcome, Moved):
                        assert outcome.case.state == to
                        moved += 1
    assert moved > 20


def _decided(machine: Machine, state: str, trigger: str, asked: tuple[Actor, str]) -> Moved | Refused | None:
    actor, to = asked
    fields = dict.fromkeys((*machine.definition.transitions[trigger].asked, "reason"), "x")
    try:
        return decide(machine, case_in(state), asking(trigger, actor, to, **fields), Known(READY_FACTS))
    except TransitionNotOpen:
        return None


def test_a_step_that_is_not_open_says_which_are_and_changes_nothing(town: Town):
    before, rows = town.case(FIRST), town.counts()
    with pytest.raises(TransitionNotOpen, match="enrolled") as caught:
        town.take(FIRST, "site_approve", "approver.s1")
    assert set(caught.value.open_triggers) == {"apply", "suspend", "withdraw"}
    assert (town.case(FIRST), town.counts()) == (before, rows)


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
    assert (town.case(FIRST), town.counts()) == (before, rows)


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


def test_with_several_targets_the_first_is_the_default_and_the_person_may_choose(district_url: str, library: Library):
    with lending(district_url, library, loan({**CHECK, **SEND_BACK})) as (town, case):
        town.decided(case, "check", "approver.s1")
        assert town.decided(case, "send_back", "records.sx", None, **REASON).case.state == "asked"
        town.decided(case, "check", "approver.s1")
        assert town.decided(case, "send_back", "records.sx", to="shelved", **REASON).case.state == "shelved"


def test_a_province_returns_a_record_to_the_step_it_chooses(library: Library):
    machine = machine_of(library, library.record("open-university"))
    for to in ("site_approved", "applied", "enrolled"):
        request = asking("provincial_return", anybody(machine), to, **REASON)
        outcome = decide(machine, case_in("branch_approved"), request, Known())
        assert isinstance(outcome, Moved)
        assert outcome.case.state == to


def test_returns_are_capped_and_the_refusal_says_what_to_do_instead(library: Library):
    machine = machine_of(library, loan({**CHECK, **SEND_BACK}, rounds=2))
    case = case_in("checked", rounds=1)
    second = decide(machine, case, asking("send_back", anybody(machine), None, **REASON), Known())
    assert isinstance(second, Moved)
    assert second.case.rounds == 2
    third = decide(
        machine, second.case._replace(state="checked"), asking("send_back", anybody(machine), None, **REASON), Known()
    )
    assert isinstance(third, Refused)
    [verdict] = third.verdicts
    assert verdict.rule == "rounds-used-up"
    assert "2" in verdict.sentence.zh
    assert verdict.remedy is not None


def test_coming_to_rest_starts_the_rounds_and_the_persons_anew(library: Library):
    machine = machine_of(library, loan({**CHECK, **SEND_BACK}, rounds=2))
    case = case_in("checked", rounds=1, taken={"check": ("a",)})
    outcome = decide(machine, case, asking("send_back", anybody(machine), "shelved", **REASON), Known())
    assert isinstance(outcome, Moved)
    assert (outcome.case.rounds, outcome.case.taken) == (0, {})


@pytest.mark.parametrize("kind", ["return", "reject", "withdraw"])
@pytest.mark.parametrize("reason", [None, ""])
def test_who_sends_back_rejects_or_withdraws_gives_a_reason(library: Library, kind: str, reason: str | None):
    machine = machine_of(
        library, loan({"stop": {"from": "asked", "to": "shelved", "kind": kind, "by": "site_operator"}})
    )
    refused = decide(machine, case_in("asked"), asking("stop", anybody(machine), reason=reason), Known())
    assert isinstance(refused, Refused)
    assert [verdict.rule for verdict in refused.verdicts] == ["asked-missing"]
    assert "理由" in refused.verdicts[0].sentence.zh
    given = decide(machine, case_in("asked"), asking("stop", anybody(machine), reason="重复"), Known())
    assert isinstance(given, Moved)
    assert given.data["reason"] == "重复"


def test_a_rule_and_a_missing_field_are_told_together(library: Library):
    definition = loan(
        {"lend": {"from": "asked", "to": "lent", "by": "site_operator", "guards": ["never-lent"], "asks": ["until"]}},
        fields={"until": {"type": "date", "title": {"zh": "归还日期", "en": "Due back"}}},
    )
    machine = machine_of(with_loan(library, definition, never_lent=rule("false")), definition)
    refused = decide(machine, case_in("asked"), asking("lend", anybody(machine)), Known())
    assert isinstance(refused, Refused)
    assert [verdict.rule for verdict in refused.verdicts] == ["never-lent", "asked-missing"]
    assert "归还日期" in refused.verdicts[1].sentence.zh


def test_a_warning_does_not_refuse_and_is_recorded(library: Library):
    definition = loan({"lend": {"from": "asked", "to": "lent", "by": "site_operator", "warns": ["rarely-lent"]}})
    machine = machine_of(with_loan(library, definition, rarely_lent=rule("false")), definition)
    outcome = decide(machine, case_in("asked"), asking("lend", anybody(machine)), Known())
    assert isinstance(outcome, Moved)
    assert [verdict.rule for verdict in outcome.warnings] == ["rarely-lent"]
    assert outcome.data["verdicts"] == {"rarely-lent": "fails"}


UNLESS = [
    ((True, True), False),
    ((True, False), True),
    ((False, False), True),
    ((None, False), False),
    ((None, True), False),
]


@pytest.mark.parametrize(("known", "moves"), UNLESS)
def test_unless_lets_a_step_through_only_when_one_of_its_rules_fails(
    library: Library,
    known: tuple[bool | None, bool | None],
    moves: bool,  # noqa: FBT001
):
    definition = loan({"refuse": {"from": "asked", "to": "lent", "by": "site_operator", "unless": ["one", "two"]}})
    rules = {"one": rule("card_filled"), "two": rule("form_filled")}
    machine = machine_of(with_loan(library, definition, **rules), definition)
    sight = Known({"card_filled": known[0], "form_filled": known[1]})
    outcome = decide(machine, case_in("asked"), asking("refuse", anybody(machine)), sight)
    assert isinstance(outcome, Moved) == moves
    if isinstance(outcome, Refused):
        assert outcome.verdicts


def test_guards_and_unless_of_the_same_rules_exclude_each_other(library: Library):
    steps = {
        "lend": {"from": "asked", "to": "lent", "by": "site_operator", "guards": ["one", "two"]},
        "shelve": {"from": "asked", "to": "shelved", "by": "site_operator", "unless": ["one", "two"]},
    }
    definition = loan(steps)
    machine = machine_of(with_loan(library, definition, one=rule("card_filled"), two=rule("form_filled")), definition)
    for one in (True, False, None):
        for two in (True, False, None):
            sight = Known({"card_filled": one, "form_filled": two})
            moved = [
                trigger for trigger in steps
                if isinstance(decide(machine, case_in("asked"), asking(trigger, anybody(machine)), sight), Moved)
            ]  # fmt: skip
            assert len(moved) == (0 if None in (one, two) else 1), (one, two)


def test_a_step_that_does_not_apply_is_not_offered_rather_than_refused(library: Library):
    definition = loan(
        {"renew": {"from": "asked", "by": "site_operator", "applies": "case.kind == 'book'"}},
        fields={"kind": {"type": "text", "title": {"zh": "种类", "en": "Kind"}}},
    )
    machine = machine_of(library, definition)
    request = asking("renew", anybody(machine))
    with pytest.raises(TransitionNotOpen):
        decide(machine, case_in("asked"), request, Known({"case.kind": "file"}))
    assert isinstance(decide(machine, case_in("asked"), request, Known({"case.kind": "book"})), Moved)


NOT_CARRIED_OUT: Mapping[str, Mapping[str, object]] = {
    "sign": {"by": [], "sign": {"slots": {"head": {"role": "site_head"}}}},
    "needs": {"needs": ["F-55"]},
    "reviews": {"reviews": ["F-55"]},
    "issues": {"issues": ["F-55"]},
}


@pytest.mark.parametrize("part", ["needs", "reviews", "issues"])
def test_what_this_version_cannot_do_is_refused_never_half_done(library: Library, part: str):
    definition = loan({"lend": {"from": "asked", "to": "lent", "by": "site_operator", **NOT_CARRIED_OUT[part]}})
    machine = machine_of(library, definition)
    refused = decide(machine, case_in("asked"), asking("lend", anybody(machine)), Known())
    assert isinstance(refused, Refused)
    [verdict] = refused.verdicts
    assert (verdict.rule, verdict.id) == ("not-carried-out", "X-08")
    assert part in verdict.sentence.zh


def test_a_step_that_is_signed_is_taken_by_nobody_in_this_version(library: Library):
    machine = machine_of(library, loan({"lend": {"from": "asked", "to": "lent", **NOT_CARRIED_OUT["sign"]}}))
    head = Actor(login="head", grants=(Grant(role="site_head", unit="S1", path="/GK/SX/B1/S1/"),))
    try:
        outcome: object = decide(machine, case_in("asked"), asking("lend", head), Known())
    except NotAllowed:
        return
    assert isinstance(outcome, Refused)
    assert [verdict.rule for verdict in outcome.verdicts] == ["not-carried-out"]


@pytest.mark.parametrize(
    ("effect", "reached", "refusal"),
    [
        ({"fire": "shelf.empty", "expects": "any"}, (), None),
        ({"fire": "shelf.empty", "expects": "any"}, ("0000000A",), "not-carried-out"),
        ({"fire": "shelf.empty"}, (), "linked-case"),
        ({"fire": "shelf.empty"}, ("0000000A",), "not-carried-out"),
        ({"cancel": "open_cases"}, (), None),
        ({"cancel": "open_cases"}, ("0000000A",), "not-carried-out"),
        ({"open": "shelf.fill"}, (), "not-carried-out"),
        ({"move": "student", "to": "case.unit"}, (), "not-carried-out"),
    ],
)
def test_an_effect_that_reaches_nothing_is_done_and_one_that_reaches_a_case_names_it(
    library: Library, effect: Mapping[str, str], reached: tuple[str, ...], refusal: str | None
):
    machine = machine_of(
        library, loan({"lend": {"from": "asked", "to": "lent", "by": "site_operator", "then": [effect]}})
    )
    outcome = decide(machine, case_in("asked"), asking("lend", anybody(machine)), Known(reached=reached))
    if refusal is None:
        assert isinstance(outcome, Moved)
        return
    assert isinstance(outcome, Refused)
    [verdict] = outcome.verdicts
    assert verdict.rule == refusal
    for number in reached:
        assert number in verdict.sentence.zh


def test_a_step_taken_one_by_one_is_refused_in_bulk(library: Library):
    machine = machine_of(library, loan({"lend": {"from": "asked", "to": "lent", "by": "site_operator", "bulk": False}}))
    request = asking("lend", anybody(machine))
    assert isinstance(decide(machine, case_in("asked"), request, Known()), Moved)
    refused = decide(machine, case_in("asked"), replace(request, alone=False), Known())
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-WD-08",)


def test_no_sentence_of_the_engine_leaves_a_hole(library: Library):
    """Every placeholder of `rules/engine.yaml` is one the engine fills."""
    filled = {
        "distinct-persons": {"person", "steps"}, "one-by-one": set(), "rounds-used-up": {"rounds"},
        "asked-missing": {"field"}, "linked-case": {"what"}, "not-carried-out": {"what"},
        "draft-definition": {"workflow"},
    }  # fmt: skip
    machine = machine_of(library, library.record("online-ed"))
    for name, words in filled.items():
        verdict = machine.engine_verdict(name, **dict.fromkeys(words, "某"))
        assert "{" not in verdict.sentence.zh + verdict.sentence.en, name


def test_deciding_changes_neither_the_case_nor_the_request(library: Library):
    machine = machine_of(library, loan(CHECK))
    case, request = case_in("asked", fields={"a": "b"}), asking("check", anybody(machine), note="n")
    kept = case._replace(fields=dict(case.fields), taken=dict(case.taken))
    outcome = decide(machine, case, request, Known())
    assert isinstance(outcome, Moved)
    assert case == kept
    assert request.fields == {"note": "n"}
    assert outcome.case.revision == case.revision + 1
