"""Signatures: quorums, turns, votes against, late and double votes, what leaving the state voids, 加签, 减签, 撤回."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier

import pytest

from engine.casework import move
from engine.errors import NotAllowed, NotRetractable, StaleCase, TransitionNotOpen, Unknown
from engine.library import Library
from engine.organisation import give_role
from engine.records import Moved, Refused, Verdict
from engine.retracting import retract
from engine.signers import add_signer, drop_signer
from engine.signing import Vote, votes
from engine.vocabulary import Rule
from tests.engine.lab import Written, lending, loan, rule
from tests.engine.town import NOW, REASON, Town, town_at

THREE: Mapping[str, Written] = {name: {"role": "site_approver"} for name in ("one", "two", "three")}
SIGNERS = ("a", "b", "c", "d")
AGAINST: Mapping[str, Written] = {"refuse": {"from": "asked", "to": "shelved", "kind": "reject"}}
KIND: Mapping[str, Written] = {"fields": {"kind": {"type": "text", "title": {"zh": "种类", "en": "Kind"}}}}


def signed(slots: Mapping[str, Written] = THREE, *, step: Written | None = None, **sign: object) -> dict[str, Written]:
    """A step `lend` out of `asked` that is signed."""
    return {"lend": {"from": "asked", "to": "lent", "sign": {"slots": slots, **sign}, **(step or {})}}


@contextmanager
def signing(
    url: str, library: Library, steps: Mapping[str, Written], rules: Mapping[str, Rule] | None = None, **more: object
) -> Iterator[tuple[Town, int]]:
    """A loan just asked for, and four people who may sign at its site."""
    with lending(url, library, loan(steps, **more), **(rules or {})) as (town, case):
        for login in SIGNERS:
            give_role(town.desk, login, "site_approver", "S1", at=NOW, actor="setup")
        yield town, case


def sign(town: Town, case: int, login: str, **given: object) -> Moved | Refused:
    """One signature; `given` are those of the request, or fields."""
    own = {name: given.pop(name) for name in ("slot", "consents", "trigger", "seen") if name in given}
    request = replace(town.request(str(own.pop("trigger", "lend")), login, **given), **own)  # type: ignore[arg-type] # a test's own words
    outcome = move(town.desk, case, request)
    assert isinstance(outcome, Moved | Refused)
    return outcome


def given_in(town: Town, case: int) -> Mapping[str, Vote]:
    """The signatures that stand, by seat."""
    return votes(town.by_id(case).slots, "lend")


def states(town: Town, case: int, logins: Sequence[str]) -> list[str]:
    """Where the case is after each of these has signed."""
    found = []
    for login in logins:
        outcome = sign(town, case, login)
        assert isinstance(outcome, Moved), outcome
        found.append(town.by_id(case).state)
    return found


@pytest.mark.parametrize(
    ("quorum", "after"),
    [("all", ["asked", "asked", "lent"]), ("any", ["lent"]), ("majority", ["asked", "lent"]), (2, ["asked", "lent"])],
)
def test_the_signature_that_completes_the_quorum_takes_the_step(
    district_url: str, library: Library, quorum: str | int, after: list[str]
):
    with signing(district_url, library, signed(quorum=quorum)) as (town, case):
        assert states(town, case, SIGNERS[: len(after)]) == after
        kinds = [event["kind"] for event in town.events(case)]
        assert kinds == ["opened", *["signed"] * (len(after) - 1), "moved"]
        assert town.by_id(case).slots == {}, "leaving the state voids every slot"
        assert town.by_id(case).taken["lend"] == [SIGNERS[len(after) - 1]]
        assert town.replayed().diverged == ()


def test_in_sequence_nobody_signs_before_it_is_their_turn(district_url: str, library: Library):
    with signing(district_url, library, signed(order="sequence")) as (town, case):
        early = sign(town, case, "b", slot="two")
        assert isinstance(early, Refused)
        assert [(one.rule, one.id) for one in early.verdicts] == [("not-your-turn", "X-15")]
        last = town.events(case)[-1]
        assert (last["kind"], last["data"]["slot"]) == ("refused", "two")
        for login, slot in (("a", "one"), ("b", "two"), ("c", "three")):
            assert isinstance(sign(town, case, login, slot=slot), Moved)
        assert town.by_id(case).state == "lent"
        assert town.replayed().diverged == ()


def test_without_a_sequence_everybody_signs_where_there_is_room(district_url: str, library: Library):
    with signing(district_url, library, signed()) as (town, case):
        assert isinstance(sign(town, case, "c", slot="three"), Moved)
        assert isinstance(sign(town, case, "a"), Moved)
        assert set(given_in(town, case)) == {"three", "one"}
        assert town.events(case)[-1]["data"]["missing"] == ["two"]


def test_a_slot_that_does_not_apply_is_nobodys_to_sign(district_url: str, library: Library):
    slots = {"one": {"role": "site_approver"}, "two": {"role": "site_approver", "applies": "case.kind == 'book'"}}
    steps = {**signed(slots), "ask": {"from": "new", "to": "asked", "by": "site_operator", "accepts": ["kind"]}}
    with signing(district_url, library, steps, fields=KIND["fields"]) as (town, case):
        town.edit(("cases", "fields"), '{"kind":"file"}', id=case)
        with pytest.raises(NotAllowed):
            sign(town, case, "b", slot="two")
        assert isinstance(sign(town, case, "a"), Moved)
        assert town.by_id(case).state == "lent"


def test_a_slot_asks_its_own_rules_beside_those_of_the_step(district_url: str, library: Library):
    slots: dict[str, Written] = {
        "one": {"role": "site_approver"}, "two": {"role": "site_approver", "guards": ["never"]},
    }  # fmt: skip
    with signing(district_url, library, signed(slots), {"never": rule("false")}) as (town, case):
        assert isinstance(sign(town, case, "a", slot="one"), Moved)
        refused = sign(town, case, "b", slot="two")
        assert isinstance(refused, Refused)
        assert [one.rule for one in refused.verdicts] == ["never"]


def test_with_veto_the_first_no_decides_and_gives_a_reason(district_url: str, library: Library):
    with signing(district_url, library, {**signed(against="refuse"), **AGAINST}) as (town, case):
        assert isinstance(sign(town, case, "a"), Moved)
        without = sign(town, case, "b", consents=False)
        assert isinstance(without, Refused)
        assert [one.rule for one in without.verdicts] == ["asked-missing"]
        outcome = sign(town, case, "b", consents=False, **REASON)
        assert isinstance(outcome, Moved)
        assert (outcome.trigger, outcome.case.state) == ("refuse", "shelved")
        assert town.events(case)[-1]["data"]["vote"] == "no"
        assert town.replayed().diverged == ()


def test_without_veto_a_no_decides_only_when_the_quorum_is_out_of_reach(district_url: str, library: Library):
    steps = {**signed(against="refuse", veto=False, quorum="majority"), **AGAINST}
    with signing(district_url, library, steps) as (town, case):
        assert isinstance(sign(town, case, "a", consents=False, **REASON), Moved)
        assert town.by_id(case).state == "asked"
        assert isinstance(sign(town, case, "b"), Moved)
        assert isinstance(sign(town, case, "c", consents=False, **REASON), Moved)
        assert town.by_id(case).state == "shelved"
        assert town.replayed().diverged == ()


def test_no_cannot_be_said_where_the_definition_offers_no_way_to(district_url: str, library: Library):
    with signing(district_url, library, signed()) as (town, case), pytest.raises(TransitionNotOpen, match="against"):
        sign(town, case, "a", consents=False, **REASON)


def test_a_vote_after_the_state_was_left_is_refused_and_logged(district_url: str, library: Library):
    with signing(district_url, library, signed(quorum="any")) as (town, case):
        assert isinstance(sign(town, case, "a"), Moved)
        late = sign(town, case, "b")
        assert isinstance(late, Refused)
        assert late.failed == ("X-11",)
        last = town.events(case)[-1]
        assert (last["kind"], last["actor"], last["data"]["failed"]) == ("refused", "b", ["X-11"])
        with pytest.raises(TransitionNotOpen):
            sign(town, case, "operator.s1")


def test_a_vote_before_the_case_has_come_so_far_is_not_open(district_url: str, library: Library):
    steps = {**signed(), "go": {"from": "asked", "to": "checked", "by": "site_operator"}}
    steps["lend"] = {**steps["lend"], "from": "checked"}
    with signing(district_url, library, steps) as (town, case), pytest.raises(TransitionNotOpen):
        sign(town, case, "a")


def test_one_person_signs_once(district_url: str, library: Library):
    with signing(district_url, library, signed()) as (town, case):
        assert isinstance(sign(town, case, "a"), Moved)
        again = sign(town, case, "a")
        assert isinstance(again, Refused)
        assert [(one.rule, one.id) for one in again.verdicts] == [("signed-already", "X-14")]
        taken = sign(town, case, "b", slot="one")
        assert isinstance(taken, Refused)
        assert [one.rule for one in taken.verdicts] == ["signing-over"]
        assert [event["kind"] for event in town.events(case)[-2:]] == ["refused", "refused"]
        assert list(given_in(town, case)) == ["one"]


@pytest.mark.parametrize("kept_apart", [["check", "lend"], ["check", "lend.two"]])
def test_who_took_a_step_does_not_sign_where_that_is_kept_apart(
    district_url: str, library: Library, kept_apart: list[str]
):
    steps = {**signed(), "check": {"from": "asked", "by": "site_approver"}}
    with signing(district_url, library, steps, distinct=[kept_apart]) as (town, case):
        town.decided(case, "check", "a")
        refused = sign(town, case, "a", slot="two")
        assert isinstance(refused, Refused)
        assert refused.failed == ("G-SG-08",)
        assert isinstance(sign(town, case, "a", slot="one"), Refused if "lend" in kept_apart else Moved)


def test_who_signed_does_not_take_a_step_kept_apart_from_the_slot(district_url: str, library: Library):
    steps = {**signed(), "check": {"from": "asked", "by": "site_approver"}}
    with signing(district_url, library, steps, distinct=[["lend.one", "check"]]) as (town, case):
        assert isinstance(sign(town, case, "a", slot="one"), Moved)
        assert isinstance(sign(town, case, "b", slot="two"), Moved)
        assert isinstance(town.decided(case, "check", "a"), Refused)
        assert isinstance(town.decided(case, "check", "b"), Moved)
        assert town.by_id(case).slots["lend"], "a step that does not leave the state leaves the signatures"
        assert town.replayed().diverged == ()


def test_after_a_return_everybody_signs_anew(district_url: str, library: Library):
    steps = {
        **signed(), "check": {"from": "asked", "to": "checked", "by": "site_operator"},
        "back": {"from": "checked", "to": "asked", "kind": "return", "by": "site_approver"},
    }  # fmt: skip
    with signing(district_url, library, steps) as (town, case):
        assert states(town, case, ("a", "b")) == ["asked", "asked"]
        town.decided(case, "check", "operator.s1")
        town.decided(case, "back", "d", None, **REASON)
        assert (town.by_id(case).slots, town.by_id(case).rounds) == ({}, 1)
        assert states(town, case, ("a", "b", "c")) == ["asked", "asked", "lent"]
        assert town.replayed().diverged == ()


def test_what_a_step_asks_for_is_asked_of_the_signature_that_completes_it(district_url: str, library: Library):
    with signing(district_url, library, signed(quorum=2, step={"asks": ["kind"]}), fields=KIND["fields"]) as (
        town,
        case,
    ):
        assert isinstance(sign(town, case, "a"), Moved)
        refused = sign(town, case, "b")
        assert isinstance(refused, Refused)
        assert [one.rule for one in refused.verdicts] == ["asked-missing"]
        assert isinstance(sign(town, case, "b", kind="book"), Moved)
        assert town.by_id(case).fields == {"kind": "book"}


def test_two_who_complete_a_block_at_the_same_moment_move_the_case_once(district_url: str, library: Library):
    steps = signed(quorum=2)
    with signing(district_url, library, steps) as (town, case):
        assert isinstance(sign(town, case, "a"), Moved)
        begin = Barrier(2)

        def sit_down_and_sign(login: str) -> Moved | Refused | StaleCase:
            with town_at(district_url, town.desk.library) as own:
                begin.wait(timeout=30)
                try:
                    return sign(own, case, login)
                except StaleCase as problem:
                    return problem

        with ThreadPoolExecutor(2) as clerks:
            answers = list(clerks.map(sit_down_and_sign, ("b", "c")))
        assert sorted(type(one).__name__ for one in answers) in (["Moved", "Refused"], ["Moved", "StaleCase"])
        assert [event["kind"] for event in town.events(case)].count("moved") == 1
        assert town.replayed().diverged == ()


def test_a_signature_is_taken_back_while_nobody_has_acted_on_it(district_url: str, library: Library):
    with signing(district_url, library, signed(step={"retractable": True})) as (town, case):
        before = town.by_id(case)
        assert isinstance(sign(town, case, "a"), Moved)
        after = retract(town.desk, case, town.request("retract", "a"))
        assert (after.slots, after.taken, after.entered_at) == ({}, before.taken, before.entered_at)
        assert isinstance(sign(town, case, "a"), Moved)
        assert isinstance(sign(town, case, "b"), Moved)
        with pytest.raises(NotRetractable):
            retract(town.desk, case, town.request("retract", "a"))
        retract(town.desk, case, town.request("retract", "b"))
        assert list(given_in(town, case)) == ["one"]
        assert town.replayed().diverged == ()


CHANGING: Mapping[str, Written] = {
    "add": {"by": ["site_operator"], "roles": ["records_section"], "at_most": 1},
    "drop": {"by": ["site_operator"], "slots": ["three"]},
}


def changing() -> dict[str, Written]:
    """Three sign; the operator may ask for one of the records section besides, and let the third go."""
    return signed(add=CHANGING["add"], drop=CHANGING["drop"])


def _in_sequence() -> dict[str, Written]:
    return signed(add=CHANGING["add"], drop=CHANGING["drop"], order="sequence")


def rules_of(verdicts: Sequence[Verdict]) -> list[str]:
    return [one.rule for one in verdicts]


def test_a_signer_added_has_to_sign_too_and_counts_for_distinct(district_url: str, library: Library):
    steps = {**changing(), "file": {"from": "lent", "by": "records_section"}}
    with signing(district_url, library, steps, distinct=[["lend", "file"]]) as (town, case):
        assert add_signer(town.desk, case, "records_section", town.request("lend", "operator.s1")) == ()
        last = town.events(case)[-1]
        assert (last["kind"], last["data"]["added"], last["data"]["signer"]) == (
            "signer_changed",
            "+1",
            "records_section",
        )
        assert states(town, case, ("a", "b", "c", "records.sx")) == ["asked", "asked", "asked", "lent"]
        assert isinstance(town.decided(case, "file", "records.sx"), Refused)
        assert isinstance(town.decided(case, "file", "auditor.sx"), Moved)
        assert town.replayed().diverged == ()


def test_only_the_roles_named_may_be_added_and_no_more_than_may_be(district_url: str, library: Library):
    with signing(district_url, library, changing()) as (town, case):
        request = town.request("lend", "operator.s1")
        assert rules_of(add_signer(town.desk, case, "site_operator", request)) == ["signer-not-offered"]
        assert add_signer(town.desk, case, "records_section", request) == ()
        assert rules_of(add_signer(town.desk, case, "records_section", request)) == ["signers-used-up"]
        assert [event["kind"] for event in town.events(case)[1:]] == ["refused", "signer_changed", "refused"]
        with pytest.raises(NotAllowed):
            add_signer(town.desk, case, "records_section", town.request("lend", "a"))
        with pytest.raises(StaleCase):
            add_signer(town.desk, case, "records_section", replace(request, seen=1))
        assert town.replayed().diverged == ()


def test_in_sequence_a_signer_added_before_another_signs_before_them(district_url: str, library: Library):
    with signing(district_url, library, {**changing(), **_in_sequence()}) as (town, case):
        assert isinstance(sign(town, case, "a"), Moved)
        request = town.request("lend", "operator.s1")
        with pytest.raises(Unknown, match="two"):
            add_signer(town.desk, case, "records_section", request, before="one")
        assert add_signer(town.desk, case, "records_section", request, before="two") == ()
        assert town.events(case)[-1]["data"]["before"] == "two"
        early = sign(town, case, "b", slot="two")
        assert isinstance(early, Refused)
        assert rules_of(early.verdicts) == ["not-your-turn"]
        assert states(town, case, ("records.sx", "b", "c")) == ["asked", "asked", "lent"]
        assert town.replayed().diverged == ()


def test_a_signer_keeps_the_place_before_a_slot_that_is_dropped_later(district_url: str, library: Library):
    with signing(district_url, library, {**changing(), **_in_sequence()}) as (town, case):
        request = town.request("lend", "operator.s1")
        assert add_signer(town.desk, case, "records_section", request, before="three") == ()
        assert drop_signer(town.desk, case, "three", town.request("lend", "operator.s1")) == ()
        assert states(town, case, ("a", "b", "records.sx")) == ["asked", "asked", "lent"]
        assert town.replayed().diverged == ()


def test_where_there_is_no_sequence_nobody_comes_before_another(district_url: str, library: Library):
    with signing(district_url, library, changing()) as (town, case), pytest.raises(Unknown):
        add_signer(town.desk, case, "records_section", town.request("lend", "operator.s1"), before="two")


def test_a_slot_dropped_is_not_waited_for_any_more(district_url: str, library: Library):
    with signing(district_url, library, changing()) as (town, case):
        assert rules_of(drop_signer(town.desk, case, "two", town.request("lend", "operator.s1"))) == [
            "signer-not-offered"
        ]
        assert isinstance(sign(town, case, "a"), Moved)
        assert drop_signer(town.desk, case, "three", town.request("lend", "operator.s1")) == ()
        assert town.by_id(case).state == "asked"
        assert isinstance(sign(town, case, "b"), Moved)
        assert town.by_id(case).state == "lent"
        assert town.replayed().diverged == ()


def test_a_slot_that_is_signed_is_not_dropped(district_url: str, library: Library):
    with signing(district_url, library, changing()) as (town, case):
        request = town.request("lend", "operator.s1")
        assert isinstance(sign(town, case, "c", slot="three"), Moved)
        assert rules_of(drop_signer(town.desk, case, "three", request)) == ["signing-over"]


def test_where_nobody_would_be_left_to_sign_a_slot_is_kept(district_url: str, library: Library):
    with signing(district_url, library, changing()) as (town, case):
        assert states(town, case, ("a", "b")) == ["asked", "asked"]
        refused = drop_signer(town.desk, case, "three", town.request("lend", "operator.s1"))
        assert rules_of(refused) == ["nobody-left-to-sign"]
        assert isinstance(sign(town, case, "c"), Moved)
        assert town.by_id(case).state == "lent"


def test_signers_are_changed_only_where_the_definition_says_so_and_only_while_it_is_signed(
    district_url: str, library: Library
):
    with signing(district_url, library, signed(quorum="any")) as (town, case):
        with pytest.raises(TransitionNotOpen):
            add_signer(town.desk, case, "records_section", town.request("lend", "operator.s1"))
        assert isinstance(sign(town, case, "a"), Moved)
        with pytest.raises(TransitionNotOpen):
            drop_signer(town.desk, case, "three", town.request("lend", "operator.s1"))
