"""Signatures in queues and on the case: whose turn it is, and who has signed; lists queue like any other case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from engine.casework import find_case, move, open_case
from engine.definition import Definition
from engine.errors import SeveralOpen, Unknown
from engine.library import Library
from engine.prospects import Signatures, prospects
from engine.queues import waiting_for
from engine.records import Moved
from tests.engine.lab import CHECK, Written, lending, loan, titled, with_loan
from tests.engine.town import ELSEWHERE, FIRST, NOW, SECOND, Town, town_at

SITE = {"role": "site_approver"}
HEAD = {"role": "records_section", "at": "province"}


def signed(slots: Mapping[str, Written], **more: object) -> dict[str, Written]:
    """A loan is handed out once it is signed for."""
    return {"hand_out": {"from": "asked", "to": "lent", "sign": {"slots": slots, **more}}}


IN_TURN = signed({"site": SITE, "head": HEAD}, order="sequence")
TOGETHER = signed({"site": SITE, "head": HEAD, "desk": {"role": "site_operator"}})


def slots_for(town: Town, login: str) -> dict[str, Sequence[str]]:
    """The places to sign that wait for a person, by step."""
    return {
        trigger: slots for one in waiting_for(town.desk, town.actor(login), NOW) for trigger, slots in one.slots.items()
    }


def signers(town: Town) -> dict[str, list[str]]:
    """Everybody a signature waits for."""
    logins = [str(row[0]) for row in town.connection.execute("SELECT login FROM account ORDER BY login").fetchall()]
    found = {login: [slot for slots in slots_for(town, login).values() for slot in slots] for login in logins}
    return {login: slots for login, slots in found.items() if slots}


def sign(town: Town, case: int, login: str, slot: str | None = None) -> Moved:
    outcome = move(town.desk, case, replace(town.request("hand_out", login), slot=slot))
    assert isinstance(outcome, Moved), outcome
    return outcome


def signatures(town: Town, case: int, trigger: str = "hand_out") -> Signatures:
    _, _, steps = prospects(town.desk, case, town.request("look", "operator.s1"))
    [found] = [one.signatures for one in steps if one.trigger == trigger]
    assert found is not None
    return found


def test_in_sequence_only_the_next_seat_waits(district_url: str, library: Library):
    with lending(district_url, library, loan(IN_TURN)) as (town, case):
        assert signers(town) == {"approver.s1": ["site"], "both.s1": ["site"]}
        assert slots_for(town, "approver.s1") == {"hand_out": ("site",)}
        assert sign(town, case, "approver.s1").signed
        assert signers(town) == {"auditor.sx": ["head"], "records.sx": ["head"]}
        assert not sign(town, case, "records.sx").signed
        assert signers(town) == {}
        assert town.replayed().diverged == ()


def test_in_any_order_every_seat_waits_for_its_people_but_not_for_who_has_signed(district_url: str, library: Library):
    with lending(district_url, library, loan(TOGETHER)) as (town, case):
        assert slots_for(town, "both.s1") == {"hand_out": ("desk", "site")}
        sign(town, case, "both.s1", "site")
        assert signers(town) == {"auditor.sx": ["head"], "operator.s1": ["desk"], "records.sx": ["head"]}


def test_a_seat_kept_apart_from_an_earlier_step_does_not_wait_for_who_took_it(district_url: str, library: Library):
    with town_at(district_url, with_loan(library, loan(IN_TURN, distinct=[["ask", "hand_out.site"]]))) as town:
        town.desk.publish(NOW, "setup")
        assert isinstance(town.open(("loan", "ask"), FIRST, "both.s1"), Moved)
        assert signers(town) == {"approver.s1": ["site"]}


def test_two_seats_kept_apart_wait_for_two_people(district_url: str, library: Library):
    slots = signed({"site": SITE, "again": SITE}, order="sequence")
    with lending(district_url, library, loan(slots)) as (town, case):
        sign(town, case, "approver.s1")
        assert signers(town) == {"both.s1": ["again"]}


def test_the_case_shows_each_seat_who_signed_whose_turn_it_is_and_who_could(district_url: str, library: Library):
    with lending(district_url, library, loan(IN_TURN)) as (town, case):
        before = signatures(town, case)
        assert (before.needed, before.given, before.missing, before.in_sequence) == (2, 0, ("site", "head"), True)
        site, head = before.seats
        assert (site.is_turn, site.unit, site.could) == (True, "S1", ("approver.s1", "both.s1"))
        assert (head.is_turn, head.unit, head.role, head.could) == (
            False, "SX", "records_section", ("auditor.sx", "records.sx"),
        )  # fmt: skip
        sign(town, case, "approver.s1")
        after = signatures(town, case)
        assert (after.given, after.missing) == (1, ("head",))
        site, head = after.seats
        assert site.given is not None
        assert (site.given.by, site.given.yes, site.is_turn, site.could) == ("approver.s1", True, False, ())
        assert head.is_turn


def test_who_took_a_step_kept_apart_is_not_named_among_those_who_could(district_url: str, library: Library):
    with town_at(district_url, with_loan(library, loan(CHECK, distinct=[["ask", "check"]]))) as town:
        town.desk.publish(NOW, "setup")
        opened = town.open(("loan", "ask"), FIRST, "both.s1")
        assert isinstance(opened, Moved)
        _, _, [check] = prospects(town.desk, opened.case.id, town.request("look", "operator.s1"))
        assert (check.trigger, check.could, check.signatures) == ("check", ("approver.s1",), None)


def test_a_seat_at_the_cases_own_unit_follows_the_student_to_another(district_url: str, library: Library):
    station = {"type": "unit site", "title": {"zh": "转入点", "en": "Target"}}
    leave = {"from": "asked", "to": "lent", "by": "site_operator", "asks": ["station"]}
    steps = {**IN_TURN, "leave": {**leave, "then": [{"move": "student", "to": "case.station"}]}}
    with lending(district_url, library, loan(steps, unique="never", fields={"station": station})) as (town, case):
        other = town.open(("loan", "ask"), FIRST, "operator.s1")
        assert isinstance(other, Moved)
        assert isinstance(town.decided(other.case.id, "leave", "operator.s1", station="S2"), Moved)
        assert signers(town) == {"approver.s2": ["site"]}
        sign(town, case, "approver.s2")
        assert signers(town) == {"auditor.sx": ["head"], "records.sx": ["head"]}
        assert town.replayed().diverged == ()


# --- lists --------------------------------------------------------------------------------------

LIST_STATES = titled({"open": {}, "bundled": {"frozen": True}, "sent": {"frozen": True, "final": True}})
LIST_STEPS = titled({
    "start": {"from": "new", "to": "open", "by": "records_section"},
    "bundle": {"from": "open", "to": "bundled", "by": "records_section"},
    "hand_out": {
        "from": "bundled", "to": "sent",
        "sign": {"slots": {"site": {**SITE, "each": "site"}, "head": {"role": "records_section"}}, "order": "sequence"},
        "then": [{"fire": "members.give"}],
    },
    "take_apart": {"from": "bundled", "to": "open", "kind": "return", "by": "records_section"},
})  # fmt: skip
BUNDLE = {
    "title": {"zh": "借阅名单", "en": "Loans"}, "about": ["province"], "states": LIST_STATES, "transitions": LIST_STEPS,
    "unique": "never", "members": {"of": "loan", "where": "it.state == 'checked'"},
}  # fmt: skip
BUNDLED: Definition = loan({
    **CHECK,
    "give": {"from": "checked", "to": "lent", "by": ["site_approver", "effect"]},
}, lists={"bundle": BUNDLE})  # fmt: skip


@contextmanager
def bundling(url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """Two checked loans at different sites, and an open list of the province."""
    with town_at(url, with_loan(library, BUNDLED)) as town:
        town.desk.publish(NOW, "setup")
        for student, site in ((FIRST, "s1"), (ELSEWHERE, "s2")):
            opened = town.open(("loan", "ask"), student, f"operator.{site}")
            assert isinstance(opened, Moved), opened
            assert isinstance(town.decided(opened.case.id, "check", f"approver.{site}"), Moved)
        started = open_case(town.desk, "loan.bundle", "SX", town.request("start", "records.sx"))
        assert isinstance(started, Moved), started
        yield town, started.case.id


def triggers(town: Town, login: str) -> set[tuple[str, str]]:
    waiting = waiting_for(town.desk, town.actor(login), NOW)
    return {(one.student_no or one.unit, trigger) for one in waiting for trigger in one.triggers}


def test_a_list_waits_like_any_other_case_and_its_frozen_members_wait_for_nobody(district_url: str, library: Library):
    with bundling(district_url, library) as (town, bundle):
        assert triggers(town, "records.sx") == {("SX", "bundle")}
        assert triggers(town, "approver.s1") == {(FIRST, "give")}
        town.decided(bundle, "bundle", "records.sx")
        assert triggers(town, "approver.s1") == {("SX", "hand_out")}, "the member waits for its list now"
        town.decided(bundle, "take_apart", "records.sx", reason="重编")
        assert triggers(town, "approver.s1") == {(FIRST, "give")}


def test_each_unit_of_the_members_has_a_seat_that_waits_for_its_own_people(district_url: str, library: Library):
    with bundling(district_url, library) as (town, bundle):
        town.decided(bundle, "bundle", "records.sx")
        assert signers(town) == {"approver.s1": ["site@S1"], "approver.s2": ["site@S2"], "both.s1": ["site@S1"]}
        assert [seat.name for seat in signatures(town, bundle).seats] == ["site@S1", "site@S2", "head"]
        sign(town, bundle, "approver.s2")
        assert signers(town) == {"approver.s1": ["site@S1"], "both.s1": ["site@S1"]}
        sign(town, bundle, "both.s1")
        assert signers(town) == {"auditor.sx": ["head"], "records.sx": ["head"]}
        sign(town, bundle, "auditor.sx")
        assert signers(town) == {}
        assert town.by_id(bundle).state == "sent"
        assert town.replayed().diverged == ()


def test_a_unit_is_enough_to_find_its_case_while_only_one_is_open(district_url: str, library: Library):
    with bundling(district_url, library) as (town, bundle):
        assert find_case(town.desk, "SX") == bundle
        with pytest.raises(Unknown, match="B1"):
            find_case(town.desk, "B1")
        with pytest.raises(Unknown, match="SX"):
            find_case(town.desk, "SX", town.case(SECOND).number)
        other = open_case(town.desk, "loan.bundle", "SX", town.request("start", "records.sx"))
        assert isinstance(other, Moved)
        with pytest.raises(SeveralOpen) as caught:
            find_case(town.desk, "SX")
        numbers = [town.by_id(bundle).number, other.case.number]
        assert [number for number, _, _ in caught.value.cases] == numbers
        assert all(number in str(caught.value) for number in numbers)
        assert find_case(town.desk, "SX", numbers[1]) == other.case.id
