"""Every kind of step does what its definition says: targets, returns, reasons, warnings, exclusions, effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from engine.actors import Actor, Grant
from engine.errors import NotAllowed, TransitionNotOpen
from engine.library import Library
from engine.machine import decide
from engine.records import Moved, Refused
from tests.engine.hearings import Known, anybody, asking, case_in, machine_of
from tests.engine.lab import CHECK, SEND_BACK, lending, loan, rule, with_loan
from tests.engine.town import REASON


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


def test_a_step_whose_papers_are_not_there_is_refused_and_they_are_named(library: Library):
    kind, document = next((name, one) for name, one in library.rulebook.documents.items() if not one.made_from)
    machine = machine_of(
        library, loan({"lend": {"from": "asked", "to": "lent", "by": "site_operator", "needs": [kind]}})
    )
    refused = decide(machine, case_in("asked"), asking("lend", anybody(machine)), Known())
    assert isinstance(refused, Refused)
    [verdict] = refused.verdicts
    assert (verdict.rule, verdict.id) == ("document-missing", "X-10")
    assert document.title.zh in verdict.sentence.zh


HEAD = {"lend": {"from": "asked", "to": "lent", "sign": {"slots": {"head": {"role": "site_head"}}}}}


def test_a_step_with_one_slot_is_taken_by_the_signature_and_by_nothing_else(library: Library):
    machine = machine_of(library, loan(HEAD))
    head = Actor(login="head", grants=(Grant(role="site_head", unit="S1", path="/GK/SX/B1/S1/"),))
    outcome = decide(machine, case_in("asked"), asking("lend", head), Known())
    assert isinstance(outcome, Moved)
    assert (outcome.case.state, outcome.signed, outcome.data["slot"]) == ("lent", False, "head")
    assert outcome.case.taken == {"lend.head": ("head",), "lend": ("head",)}
    other = Actor(login="other", grants=(Grant(role="site_operator", unit="S1", path="/GK/SX/B1/S1/"),))
    with pytest.raises(NotAllowed, match="site_head"):
        decide(machine, case_in("asked"), asking("lend", other), Known())


@pytest.mark.parametrize(
    "effect",
    [{"fire": "record.withdraw"}, {"cancel": "open_cases"}, {"move": "student", "to": "case.unit"}],
    ids=lambda effect: str(next(iter(effect))),
)
@pytest.mark.parametrize("applies", ["true", "false"])
def test_a_step_is_decided_with_the_effects_it_sets_off_where_they_apply(
    library: Library, effect: Mapping[str, str], applies: str
):
    then = [{**effect, "applies": applies}]
    steps = {"lend": {"from": "asked", "to": "lent", "by": "site_operator", "then": then}}
    machine = machine_of(library, loan(steps))
    outcome = decide(machine, case_in("asked"), asking("lend", anybody(machine)), Known())
    assert isinstance(outcome, Moved)
    assert [one.place for one in outcome.effects] == ([0] if applies == "true" else [])
    assert outcome.data.get("effects", []) == ([next(iter(effect.values()))] if applies == "true" else [])


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
        "asked-missing": {"field"}, "linked-case": {"what"}, "draft-definition": {"workflow"},
        "signed-already": {"who"}, "not-your-turn": {"what", "turn"}, "signing-over": {"what"},
        "list-frozen": {"what"}, "not-unique": {"what", "who"}, "signer-not-offered": {"what", "known"},
        "draft-changed": {"what", "many"}, "paper-of-older-draft": {"what"}, "own-paper": {"what", "who"},
        "not-on-one": {"forms", "nowhere", "twice"},
        "fact-taken": {"what"}, "signers-used-up": {"most"}, "nobody-left-to-sign": {"what"},
    }  # fmt: skip
    machine = machine_of(library, library.record("online-ed"))
    for name, words in filled.items():
        verdict = machine.engine_verdict(name, **dict.fromkeys(words, "某"))
        assert "{" not in verdict.sentence.zh + verdict.sentence.en, name


def test_deciding_changes_neither_the_case_nor_the_request(library: Library):
    machine = machine_of(library, loan(CHECK))
    case, request = case_in("asked", fields={"a": "b"}), asking("check", anybody(machine), reason="n")
    kept = case._replace(fields=dict(case.fields), taken=dict(case.taken))
    outcome = decide(machine, case, request, Known())
    assert isinstance(outcome, Moved)
    assert case == kept
    assert request.fields == {"reason": "n"}
    assert outcome.case.revision == case.revision + 1
