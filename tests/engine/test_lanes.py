"""Lanes: in which lane a case stands for whom, counted and paged; whatever happens, the rows are those made now."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine.actors import TIMER
from engine.bulk import move_many
from engine.casework import move
from engine.deed_queries import copies, decided
from engine.deed_queries import opened as opened_by
from engine.delegating import Mandate, hand_over
from engine.facts import write_facts
from engine.lane_queries import Hindrance, Queue
from engine.lane_rebuilding import rebuild
from engine.lane_slices import APART, Filter, Order
from engine.lanes import Lane, refresh
from engine.library import Library
from engine.organisation import add_student_account, give_role
from engine.records import Moved, Request
from engine.retracting import retract
from engine.visibility import visible_to
from tests.engine.clocks import TERM, ticking
from tests.engine.lab import CHECK, lending, loan, opened, procedure, rule, working
from tests.engine.laning import lanes_agree
from tests.engine.passing import lend, lend_case
from tests.engine.test_queues import transferring
from tests.engine.town import ELSEWHERE, FIRST, NOW, SECOND, THIRD, Town

PAID: dict[str, dict[str, object]] = {"check": {**CHECK["check"], "guards": ["paid", "photographed"]}}
RULES = {"paid": rule("fee_owed == 0", id="T-02"), "photographed": rule("photo_collected", id="T-03")}


def queue(town: Town, login: str, at: datetime = NOW) -> Queue:
    return Queue(town.connection, town.actor(login), at)


def lanes(town: Town, login: str) -> dict[str, int]:
    return {lane.name: number for lane, number in queue(town, login).counts().items() if number}


def cases(town: Town, login: str, wanted: Filter | None = None, order: Order = Order.LANE) -> list[int]:
    """Everything in a person's queue, two cases a page."""
    found, after = [], None
    while True:
        page = queue(town, login).page(wanted or Filter(), order, after, 2)
        found += [one.case for one in page.rows]
        after = page.after
        if after is None:
            return found


def test_a_case_whose_rules_hold_is_ready_and_one_that_lacks_something_is_blocked_by_name(
    district_url: str, library: Library
):
    with lending(district_url, library, loan(PAID), **RULES) as (town, case):
        assert lanes(town, "approver.s1") == {"READY": 1}
        town.know(FIRST, fee_owed="3.00", photo_collected=None)
        assert lanes(town, "approver.s1") == {"BLOCKED": 1}
        [one] = queue(town, "approver.s1").page().rows
        assert (one.case, {name: said.word for name, said in one.hindrances.items()}) == (
            case, {"paid": "fails", "photographed": "undecided"},
        )  # fmt: skip
        town.know(FIRST, photo_collected=True)
        assert queue(town, "approver.s1").hindrances() == (Hindrance("paid", 1, 1),)


def test_what_was_mended_after_filing_is_to_be_looked_at_and_no_more_after_the_next_decision(
    district_url: str, library: Library
):
    steps: dict[str, dict[str, object]] = {
        **PAID,
        "stamp": {"from": "checked", "to": "lent", "by": "site_approver", "guards": ["paid"]},
    }
    with lending(district_url, library, loan(steps), **RULES) as (town, case):
        later = Request(trigger="facts", actor=town.actor("import"), at=NOW + timedelta(hours=1))
        write_facts(town.desk, {FIRST: {"fee_owed": "1.00"}}, later)
        write_facts(town.desk, {FIRST: {"fee_owed": "0.00"}}, later)
        [one] = queue(town, "approver.s1").page().rows
        assert (one.lane, one.cautions) == (Lane.LOOK, ("changed-since.fee_owed",))
        request = Request(trigger="check", actor=town.actor("approver.s1"), at=NOW + timedelta(hours=2))
        assert isinstance(move(town.desk, case, request), Moved)
        assert lanes(town, "approver.s1") == {"READY": 1}


def test_what_a_person_typed_is_to_be_looked_at_and_what_came_in_a_sheet_is_not(district_url: str, library: Library):
    with lending(district_url, library, loan(PAID), **RULES) as (town, _):
        for source, expected in (("facts", {"READY": 1}), ("by_hand", {"LOOK": 1})):
            town.know(FIRST, fee_owed=None)
            typed = Request(trigger=source, actor=town.actor("operator.s1"), at=NOW)
            write_facts(town.desk, {FIRST: {"fee_owed": "0.00"}}, typed)
            assert lanes(town, "approver.s1") == expected
        lanes_agree(town.desk, NOW)


def test_a_case_at_rest_or_ended_is_in_no_lane(district_url: str, library: Library):
    steps = {**CHECK, "shelve": {"from": "asked", "to": "shelved", "by": "site_approver"}}
    with lending(district_url, library, loan(steps)) as (town, case):
        town.decided(case, "shelve", "approver.s1")
        assert lanes(town, "approver.s1") == {}
        assert town.connection.execute("SELECT count(*) FROM lane WHERE case_id = ?", (case,)).fetchone() == (0,)


def test_who_filed_is_kept_apart_and_sees_the_case_as_blocked_for_that_reason(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK, distinct=[["ask", "check"]])) as (town, _):
        own = town.open(("loan", "ask"), SECOND, "both.s1")
        assert isinstance(own, Moved)
        assert lanes(town, "approver.s1") == {"READY": 2}
        assert lanes(town, "both.s1") == {"READY": 1, "BLOCKED": 1}
        blocked, ready = queue(town, "both.s1").page().rows
        assert (blocked.case, list(blocked.hindrances), ready.hindrances) == (own.case.id, [APART], {})
        assert queue(town, "both.s1").hindrances() == (Hindrance(APART, 1, 1),)
        assert cases(town, "both.s1", Filter(rule=APART)) == [own.case.id]
        assert cases(town, "both.s1", Filter(lane=Lane.BLOCKED)) == [own.case.id]


def test_a_deputy_is_kept_apart_where_the_giver_is_and_sees_nothing_done_in_person(district_url: str, library: Library):
    steps = {**CHECK, "sign": {"from": "checked", "to": "lent", "by": {"role": "site_approver", "in_person": True}}}
    with lending(district_url, library, loan(steps, distinct=[["ask", "check"]])) as (town, case):
        town.open(("loan", "ask"), SECOND, "both.s1")
        give_role(town.desk, "deputy", "handler", "S2", at=NOW, actor="setup")
        assert lend(town, "both.s1", "deputy", "site_approver", "S1") == ()
        assert lanes(town, "deputy") == {"READY": 1, "BLOCKED": 1}
        town.decided(case, "check", "approver.s1")
        assert lanes(town, "deputy") == {"BLOCKED": 1}
        assert lanes(town, "approver.s1") == {"READY": 2}


def test_what_is_lent_for_one_case_shows_that_case_alone(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        town.open(("loan", "ask"), SECOND, "operator.s1")
        give_role(town.desk, "deputy", "handler", "S2", at=NOW, actor="setup")
        assert lend_case(town, case, "approver.s1", "deputy", "site_approver") == ()
        assert cases(town, "deputy") == [case]


def test_a_case_handed_over_is_in_its_takers_queue_alone(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        mandate = Mandate(taker="both.s1", role="site_approver", reason="回避")
        assert hand_over(town.desk, case, mandate, town.request("hand_over", "approver.s1")) == ()
        assert (cases(town, "approver.s1"), cases(town, "both.s1")) == ([], [case])


def test_nobody_has_the_own_case_in_the_queue(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, _):
        add_student_account(town.desk, "first", FIRST, at=NOW, actor="setup")
        give_role(town.desk, "first", "site_approver", "S1", at=NOW, actor="setup")
        assert (cases(town, "first"), len(cases(town, "approver.s1"))) == ([], 1)


def test_a_step_taken_elsewhere_waits_in_the_lane_of_that_unit(district_url: str, library: Library):
    with transferring(district_url, library) as (town, case):
        assert (cases(town, "approver.s2"), cases(town, "approver.s1")) == ([case], [])
        town.decided(case, "accept", "approver.s2")
        assert cases(town, "approver.s2") == []


def test_a_step_that_does_not_apply_is_in_no_lane_and_one_case_is_in_a_queue_once(district_url: str, library: Library):
    with transferring(district_url, library, urgent=True) as (town, case):
        town.decided(case, "accept", "approver.s2")
        assert (cases(town, "approver.s1"), cases(town, "operator.s1")) == ([case], [])
        assert cases(town, "both.s1") == [case]
    steps = {**CHECK, "note": {"from": "asked", "to": "checked", "by": "site_operator"}}
    with lending(district_url, library, loan(steps, workflow="loan-two")) as (town, other):
        assert cases(town, "both.s1").count(other) == 1


def test_a_rule_that_looks_at_another_case_of_the_student_changes_the_lane_when_that_case_moves(
    district_url: str, library: Library
):
    steps = {"check": {**CHECK["check"], "guards": ["alone"]}}
    beside = procedure("beside", {"finish": {"from": "asked", "to": "lent", "by": "site_operator"}})
    alone = rule("none(cases('beside'), it.open)")
    with working(district_url, library, [loan(steps), beside], alone=alone) as town:
        case = opened(town, "loan")
        assert lanes(town, "approver.s1") == {"READY": 1}
        other = opened(town, "beside")
        assert lanes(town, "approver.s1") == {"BLOCKED": 1}
        town.decided(other, "finish", "operator.s1")
        assert cases(town, "approver.s1", Filter(lane=Lane.READY)) == [case]


def test_many_moved_at_once_stand_in_the_same_lanes_as_moved_one_by_one(town: Town):
    for number in (FIRST, SECOND, THIRD):
        town.advance(number, "applied")
    seen = [(town.record(number), town.case(number).revision) for number in (FIRST, SECOND, THIRD)]
    assert len(move_many(town.desk, seen, town.step("site_approve", "approver.s1")).moved) == 3
    assert sorted(cases(town, "records.sx")) == [case for case, _ in seen]
    lanes_agree(town.desk, NOW)


def test_a_step_taken_back_puts_the_case_back_into_its_lane(district_url: str, library: Library):
    steps = {"check": {**CHECK["check"], "retractable": True}}
    with lending(district_url, library, loan(steps)) as (town, case):
        town.decided(case, "check", "approver.s1")
        assert cases(town, "approver.s1") == []
        retract(town.desk, case, town.request("retract", "approver.s1"))
        assert cases(town, "approver.s1") == [case]
        lanes_agree(town.desk, NOW)


def test_a_case_that_came_back_says_for_which_time_it_is_filed_though_it_rested_meanwhile(
    district_url: str, library: Library
):
    back = {"from": "asked", "to": "shelved", "by": "site_approver", "retractable": True}
    steps = {
        **CHECK,
        "give_back": {**back, "kind": "return"},
        "refuse": {**back, "kind": "reject"},
        "file_again": {"from": "shelved", "to": "asked", "by": "site_operator"},
    }
    with lending(district_url, library, loan(steps)) as (town, case):
        for trigger, expected in (("give_back", 1), ("refuse", 2)):
            town.decided(case, trigger, "approver.s1", reason="缺签名")
            town.decided(case, "file_again", "operator.s1")
            [one] = queue(town, "approver.s1").page().rows
            assert (one.lane, one.cautions) == (Lane.LOOK, ("sent-back",))
            assert (town.by_id(case).sent_back, town.by_id(case).rounds) == (expected, 0)

        town.decided(case, "give_back", "approver.s1", reason="按错了")
        retract(town.desk, case, town.request("retract", "approver.s1"))
        assert town.by_id(case).sent_back == 2
        lanes_agree(town.desk, NOW)

        town.connection.execute("UPDATE cases SET sent_back = 7")
        rebuild(town.desk, Request(trigger="rebuild", actor=TIMER, at=NOW))
        assert town.by_id(case).sent_back == 2
        lanes_agree(town.desk, NOW)


def test_a_rule_about_the_day_is_judged_again_by_the_clock(district_url: str, library: Library):
    steps = {"check": {**CHECK["check"], "guards": ["in-time"]}}
    with lending(district_url, library, loan(steps), in_time=rule("today == case.opened_on")) as (town, _):
        for hours, expected in ((0, "READY"), (3, "READY"), (24, "BLOCKED")):
            refresh(town.desk, Request(trigger="refresh", actor=TIMER, at=NOW + timedelta(hours=hours)))
            assert lanes(town, "approver.s1") == {expected: 1}


def test_a_case_is_sorted_by_the_first_of_its_deadlines(district_url: str, library: Library):
    with ticking(district_url, library) as town:
        town.know(SECOND, issued_on="2024-03-25", fee_owed="3.00")
        late, soon = (opened(town, "loan", student, batch=TERM) for student in (FIRST, SECOND))
        assert cases(town, "approver.s1") == [soon, late]
        assert cases(town, "approver.s1", Filter(due_by=NOW + timedelta(days=6))) == [soon]
        town.know(SECOND, issued_on="2024-06-25")
        assert cases(town, "approver.s1") == [late, soon]


@pytest.mark.parametrize("order", list(Order))
def test_pages_show_every_case_once_and_neighbours_follow_their_order(
    district_url: str, library: Library, order: Order
):
    with lending(district_url, library, loan(PAID, unique="never", distinct=[["ask", "check"]]), **RULES) as (town, _):
        for student, login in ((SECOND, "both.s1"), (THIRD, "operator.s1"), (SECOND, "operator.s1")):
            town.open(("loan", "ask"), student, login)
        town.know(THIRD, fee_owed="2.00")
        found = cases(town, "both.s1", order=order)
        assert len(found) == len({*found}) == 4 == sum(queue(town, "both.s1").counts().values())
        for number, (before, case, behind) in enumerate(zip([None, *found], found, [*found[1:], None], strict=False)):
            place = queue(town, "both.s1").neighbours(case, order=order)
            assert place is not None
            assert place.number == number + 1
            assert [one and one.case for one in (place.previous, place.next)] == [before, behind]


def test_filters_narrow_counts_and_pages_alike(town: Town):
    for number in (FIRST, SECOND, ELSEWHERE):
        town.advance(number, "applied") if number != ELSEWHERE else None
    town.advance(FIRST, "site_approved")
    asked = {
        "everything": Filter(), "unit": Filter(path="/GK/SX/B1/"), "other": Filter(path="/GK/SX/B2/"),
        "state": Filter(state="site_approved"), "level": Filter(facts={"level": "专科", "cohort": "2022"}),
        "nobody": Filter(facts={"level": "本科"}), "batch": Filter(batch="2024-06"), "none": Filter(workflow="loan"),
    }  # fmt: skip
    found = {name: len(cases(town, "records.sx", one)) for name, one in asked.items()}
    assert found == {name: sum(queue(town, "records.sx").counts(one).values()) for name, one in asked.items()}
    assert found == {
        "everything": 1, "unit": 1, "other": 0, "state": 1, "level": 1, "nobody": 0, "batch": 1, "none": 0,
    }  # fmt: skip
    assert {path: sum(lanes.values()) for path, lanes in queue(town, "records.sx").by_unit().items()} == {
        "/GK/SX/B1/S1/": 1
    }


def test_what_a_person_did_and_opened_is_found_again_newest_first(town: Town):
    town.advance(FIRST, "site_approved")
    town.take(SECOND, "apply", "operator.s1", at=NOW + timedelta(hours=1))
    visible = visible_to(town.desk, town.actor("operator.s1"), NOW)
    done = decided(town.connection, "operator.s1", visible)
    assert [(one.case.student_no, one.deed.trigger, one.is_last) for one in done] == [
        (SECOND, "apply", True), (FIRST, "apply", False),
    ]  # fmt: skip
    first = done[0].deed
    assert decided(town.connection, "operator.s1", visible, (first.at, first.case, first.seq)) == done[1:]
    assert opened_by(town.connection, "operator.s1", visible) == []
    nobody = visible_to(town.desk, town.actor("operator.s2"), NOW)
    assert decided(town.connection, "operator.s1", nobody) == []


def test_what_a_person_was_told_is_found_without_reminders(town: Town):
    case = town.advance(FIRST, "applied")
    town.connection.execute(
        "INSERT INTO outbox (chain, seq, recipient, message) VALUES (?, 9, 'person/records.sx', 'moved')", (case.id,)
    )
    town.connection.execute(
        "INSERT INTO outbox (chain, seq, recipient, message, deadline) VALUES (?, 9, 'person/records.sx', 'due', 'D')",
        (case.id,),
    )
    visible = visible_to(town.desk, town.actor("records.sx"), NOW)
    assert [one.message for one in copies(town.connection, "records.sx", visible)] == ["moved"]


def test_rows_that_somebody_edited_are_put_right_by_making_them_anew(town: Town):
    town.advance(FIRST, "applied")
    town.connection.execute("UPDATE lane SET lane = 0, hindrances = '|x=1|', apart = '|approver.s1|'")
    town.connection.execute("DELETE FROM deed")
    town.connection.execute("UPDATE student SET marks = '{}'")
    assert lanes(town, "approver.s1") == {"BLOCKED": 1}
    rebuild(town.desk, Request(trigger="rebuild", actor=TIMER, at=NOW))
    assert lanes(town, "approver.s1") == {"READY": 1}
    lanes_agree(town.desk, NOW)
