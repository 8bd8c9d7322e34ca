"""委派, 转办 and leaving a signature: who may pass what to whom, and what is left of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from engine.casework import move
from engine.delegating import Mandate, Refusal, delegate, delegate_case, revoke
from engine.errors import NotAllowed, StaleCase, Unknown, Unreadable
from engine.lane_queries import rights_of
from engine.library import Library
from engine.organisation import add_student_account
from engine.records import Moved, Request
from engine.trail.event import REGISTRY, chain_name, moment
from engine.visibility import visible_to
from tests.engine.passing import (
    AWAY,
    CANNOT_RETURN,
    WEEK,
    asking,
    checked_loan,
    dismiss,
    hand,
    hire,
    leave,
    lend,
    lend_case,
)
from tests.engine.town import FIRST, NOW, SECOND, Town, town_at


def rules(refused: Refusal) -> list[str]:
    return [one.rule for one in refused]


def path(town: Town, unit: str) -> str:
    return town.desk.units()[unit].path


@pytest.fixture
def lent(district_url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """A loan that waits for the student, or for the head in person."""
    with checked_loan(district_url, library) as checked:
        yield checked


def test_a_delegation_for_an_absence_reaches_the_units_below_and_no_others(town: Town):
    assert lend(town, "records.sx", "operator.s1", "records_section", "SX") == ()

    deputy = town.actor("operator.s1")
    for unit in ("SX", "B1", "S1", "S2"):
        grant = deputy.grant_for(("records_section",), path(town, unit))
        assert grant is not None
        assert (grant.giver, grant.case, grant.reason, grant.until) == ("records.sx", None, AWAY, moment(WEEK))
    assert deputy.grant_for(("records_section",), path(town, "T1")) is None
    assert not deputy.holds("records_section", path(town, "S1")), "it is lent, not held"


def test_a_delegation_can_be_kept_to_a_part_of_what_the_giver_holds(town: Town):
    assert lend(town, "records.sx", "operator.s1", "records_section", "B1") == ()

    assert town.actor("operator.s1").grant_for(("records_section",), path(town, "S1")) is not None
    assert town.actor("operator.s1").grant_for(("records_section",), path(town, "S2")) is None


def test_an_own_right_comes_before_one_that_is_lent(town: Town):
    lend(town, "approver.s1", "both.s1", "site_approver", "S1")

    grant = town.actor("both.s1").grant_for(("site_approver",), path(town, "S1"))

    assert grant is not None
    assert grant.giver is None


def test_what_has_run_out_is_still_known_and_never_hides_what_has_not(town: Town):
    soon, later = NOW + timedelta(hours=1), NOW + timedelta(days=30)
    lend(town, "records.sx", "operator.s1", "records_section", "B1", until=later)
    lend(town, "auditor.sx", "operator.s1", "records_section", "S1", until=soon)

    grant = town.actor("operator.s1").grant_for(("records_section",), path(town, "S1"))

    assert len(town.actor("operator.s1").delegated) == 2
    assert grant is not None
    assert (grant.giver, grant.until) == ("records.sx", moment(later))


def test_a_delegation_that_begins_later_counts_from_then_on_and_not_before_nor_after(town: Town):
    town.advance(FIRST, "applied")
    first, last, tick = NOW + timedelta(days=2), NOW + timedelta(days=3), timedelta(microseconds=1)

    def returning(at: datetime) -> Request:
        return Request(trigger="site_return", actor=town.actor("operator.s2"), at=at, fields={"reason": AWAY})

    assert lend(town, "approver.s1", "operator.s2", "site_approver", "S1", since=first, until=last) == ()

    assert town.events(REGISTRY)[-1]["data"]["since"] == moment(first)
    for at, counts in ((NOW, False), (first - tick, False), (first, True), (last, True), (last + tick, False)):
        deputy, case = town.actor("operator.s2"), town.case(FIRST)
        assert visible_to(town.desk, deputy, at).sees(case) is counts, at
        assert any(right.role == "site_approver" for right in rights_of(town.connection, deputy, at)) is counts, at
        assert (returning(at).actor.grant_for(("site_approver",), case.path) is None) is (at < first)
    for at in (NOW, first - tick):
        with pytest.raises(NotAllowed):
            move(town.desk, town.record(FIRST), returning(at))
    assert isinstance(move(town.desk, town.record(FIRST), returning(first)), Moved)
    assert town.replayed().diverged == ()


def test_what_begins_later_and_lasts_longer_does_not_hide_what_counts_now(town: Town):
    soon = NOW + timedelta(days=1)
    lend(town, "records.sx", "operator.s1", "records_section", "SX", until=soon)
    lend(town, "auditor.sx", "operator.s1", "records_section", "SX", since=soon, until=WEEK)

    deputy = asking(town, "operator.s1").actor.grant_for(("records_section",), path(town, "S1"))

    assert deputy is not None
    assert (deputy.giver, len(town.actor("operator.s1").delegated)) == ("records.sx", 2)


def test_what_begins_later_can_be_taken_back_before_and_a_beginning_that_has_passed_is_at_once(town: Town):
    lend(town, "records.sx", "operator.s1", "records_section", "SX", since=NOW + timedelta(days=1))
    assert revoke(town.desk, "operator.s1", "records_section", asking(town, "records.sx")) == 1

    assert lend(town, "records.sx", "operator.s1", "records_section", "SX", since=NOW - timedelta(days=1)) == ()
    assert "since" not in town.events(REGISTRY)[-1]["data"]
    later = lend(town, "records.sx", "operator.s1", "records_section", "SX", since=WEEK + timedelta(days=1))
    assert (rules(later), town.events(REGISTRY)[-1]["data"]["given"]["since"]) == (
        ["delegation-past"], moment(WEEK + timedelta(days=1)),
    )  # fmt: skip
    assert town.replayed().diverged == ()


def test_the_registry_keeps_to_whom_why_and_until_when(town: Town):
    lend(town, "records.sx", "operator.s1", "records_section", "SX")

    event = town.events(REGISTRY)[-1]

    assert (event["kind"], event["actor"]) == ("delegated", "records.sx")
    assert event["data"] == {
        "by": "records.sx", "to": "operator.s1", "role": "records_section", "unit": "SX", "why": AWAY,
        "until": moment(WEEK), "for_good": False,
    }  # fmt: skip
    assert town.replayed().diverged == ()


def test_what_is_taken_back_is_gone_and_stands_in_the_trail(town: Town):
    for unit in ("SX", "B1"):
        lend(town, "records.sx", "operator.s1", "records_section", unit)

    assert revoke(town.desk, "operator.s1", "records_section", asking(town, "records.sx")) == 2

    assert town.actor("operator.s1").delegated == ()
    assert [one["kind"] for one in town.events(REGISTRY)[-2:]] == ["delegation_revoked"] * 2
    with pytest.raises(Unknown, match="委派"):
        revoke(town.desk, "operator.s1", "records_section", asking(town, "records.sx"))
    assert town.replayed().diverged == ()


def test_only_the_giver_takes_a_delegation_back(town: Town):
    lend(town, "records.sx", "operator.s1", "records_section", "SX")

    with pytest.raises(Unknown):
        revoke(town.desk, "operator.s1", "records_section", asking(town, "auditor.sx"))
    assert len(town.actor("operator.s1").delegated) == 1


def test_what_the_giver_has_lost_is_lent_no_more(town: Town):
    lend(town, "records.sx", "operator.s1", "records_section", "B1")
    dismiss(town, "records.sx", "records_section")

    assert town.actor("operator.s1").delegated == ()


def test_a_delegate_cannot_delegate(town: Town):
    lend(town, "records.sx", "operator.s1", "records_section", "SX")

    refused = lend(town, "operator.s1", "operator.s2", "records_section", "S1")

    assert rules(refused) == ["right-not-held"]
    assert town.actor("operator.s2").delegated == ()


@pytest.mark.parametrize(
    ("giver", "changes", "rule", "said"),
    [
        pytest.param("records.sx", {"taker": "records.sx"}, "delegate-oneself", "records.sx", id="oneself"),
        pytest.param("records.sx", {"taker": "operator.s"}, "no-such-taker", "operator.s", id="nobody"),
        pytest.param("operator.s1", {"taker": "operator.s2"}, "right-not-held", "学籍科", id="not held"),
        pytest.param("records.kf", {}, "right-not-held", "SX", id="held elsewhere"),
        pytest.param("records.sx", {"reason": " "}, "asked-missing", "理由", id="no reason"),
        pytest.param("records.sx", {"until": NOW}, "delegation-past", "2024-04-20 10:00", id="past"),
    ],
)
def test_a_refused_delegation_says_why_is_logged_and_lends_nothing(
    town: Town, giver: str, changes: dict[str, object], rule: str, said: str
):
    given = {"taker": "operator.s1", "reason": AWAY, "until": WEEK, **changes}
    mandate = Mandate(taker=str(given["taker"]), role="records_section", reason=str(given["reason"]))
    until = given["until"]
    assert isinstance(until, datetime)

    refused = delegate(town.desk, "SX", mandate, until, asking(town, giver))

    assert rules(refused) == [rule]
    assert said in refused[0].sentence.zh
    event = town.events(REGISTRY)[-1]
    assert (event["kind"], event["actor"], event["data"]["engine"]) == ("refused", giver, [rule])
    assert town.connection.execute("SELECT count(*) FROM delegation").fetchone() == (0,)
    assert town.replayed().diverged == ()


def test_an_unknown_taker_is_answered_with_the_nearest_login_and_not_written_down(town: Town):
    refused = lend(town, "records.sx", "auditor.sy", "records_section", "SX")

    assert "Did you mean 'auditor.sx'" in refused[0].sentence.en
    assert "to" not in town.events(REGISTRY)[-1]["data"]["given"]


def test_all_reasons_are_told_at_once(town: Town):
    refused = lend(town, "operator.s1", "operator.s1", "records_section", "SX", until=NOW)

    assert rules(refused) == ["delegate-oneself", "delegation-past", "right-not-held"]


def test_words_nobody_knows_are_misuse(town: Town):
    with pytest.raises(Unknown, match="Did you mean 'records_section'"):
        lend(town, "records.sx", "operator.s1", "record_section", "SX")
    with pytest.raises(Unknown, match="SY"):
        lend(town, "records.sx", "operator.s1", "records_section", "SY")
    decomposed = Mandate(taker="operator.s1", role="records_section", reason="caf\u0065\u0301")
    with pytest.raises(Unreadable, match="NFC"):
        delegate(town.desk, "SX", decomposed, WEEK, asking(town, "records.sx"))


def test_one_case_is_delegated_for_that_case_only_and_open_pages_notice(town: Town):
    case = town.advance(FIRST, "applied")

    assert lend_case(town, case.id, "approver.s1", "operator.s2", "site_approver") == ()

    after, deputy = town.case(FIRST), town.actor("operator.s2")
    grant = deputy.grant_for(("site_approver",), case.path, case.id)
    assert grant is not None
    assert grant.giver == "approver.s1"
    assert deputy.grant_for(("site_approver",), case.path, town.record(SECOND)) is None
    assert deputy.grant_for(("site_approver",), case.path) is None, "somebody who asks for no case gets none"
    assert (after.revision, after.state, after.taken) == (case.revision + 1, case.state, case.taken)
    event = town.events(case.id)[-1]
    assert (event["kind"], event["data"]["to"], event["data"]["until"]) == ("delegated", "operator.s2", moment(WEEK))
    assert town.replayed().diverged == ()


def test_a_delegation_of_one_case_is_taken_back_in_its_chain(town: Town):
    case = town.advance(FIRST, "applied")
    lend_case(town, case.id, "approver.s1", "operator.s2", "site_approver")

    assert revoke(town.desk, "operator.s2", "site_approver", asking(town, "approver.s1"), case=case.id) == 1

    assert town.actor("operator.s2").delegated == ()
    assert town.events(case.id)[-1]["kind"] == "delegation_revoked"
    assert town.case(FIRST).revision == case.revision + 2
    assert town.replayed().diverged == ()


def test_who_took_a_level_below_is_not_made_the_delegate_of_the_next(town: Town):
    case = town.advance(FIRST, "applied")

    refused = lend_case(town, case.id, "approver.s1", "operator.s1", "site_approver")

    assert rules(refused) == ["delegate-barred"]
    assert "提出毕业申请" in refused[0].sentence.zh
    event = town.events(case.id)[-1]
    assert (event["kind"], event["data"]["failed"], event["data"]["from"]) == ("refused", ["X-31"], "applied")
    assert event["data"]["given"]["to"] == "operator.s1"
    assert town.case(FIRST).revision == case.revision
    assert town.actor("operator.s1").delegated == ()
    assert town.replayed().diverged == ()


def test_the_student_a_case_is_about_is_nobodys_delegate_in_it(town: Town):
    case = town.advance(FIRST, "applied")
    add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")

    assert rules(lend_case(town, case.id, "approver.s1", "zhao", "site_approver")) == ["own-case"]
    elsewhere = town.advance(SECOND, "applied")
    assert lend_case(town, elsewhere.id, "approver.s1", "zhao", "site_approver") == ()


def test_what_is_done_in_person_is_not_delegated(lent: tuple[Town, int]):
    town, case = lent
    hire(town, "head.s1", "site_head")

    refused = lend_case(town, case, "head.s1", "operator.s2", "site_head")

    assert [one.id for one in refused] == ["G-SG-01"]
    assert town.events(case)[-1]["data"]["engine"] == ["in-person"]


def test_a_page_that_is_old_delegates_nothing(town: Town):
    case = town.advance(FIRST, "applied")
    mandate = Mandate(taker="operator.s2", role="site_approver", reason=AWAY)

    with pytest.raises(StaleCase):
        delegate_case(town.desk, case.id, mandate, WEEK, asking(town, "approver.s1", seen=case.revision - 1))
    assert town.actor("operator.s2").delegated == ()


def test_a_case_is_handed_over_for_good_within_the_role_and_unit(town: Town):
    case = town.advance(FIRST, "applied")
    hire(town, "second.s1", "site_approver")

    assert hand(town, case.id, "approver.s1", "second.s1") == ()

    event = town.events(case.id)[-1]
    assert (event["kind"], event["data"]["for_good"], event["data"]["until"]) == ("handed_over", True, None)
    assert town.actor("second.s1").delegated == (), "the taker acts by the own right"
    assert town.case(FIRST).revision == case.revision + 1
    assert town.replayed().diverged == ()


def test_who_does_not_hold_the_role_there_cannot_take_a_case_over(town: Town):
    case = town.advance(FIRST, "applied")

    refused = hand(town, case.id, "approver.s1", "approver.s2")

    assert rules(refused) == ["hand-over-outside"]
    assert town.events(case.id)[-1]["data"]["failed"] == ["X-37"]


def test_nobody_hands_a_case_to_whom_it_must_not_go(town: Town):
    case = town.go(FIRST, (("apply", "both.s1"),))
    hire(town, "zhao", "site_approver")
    add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")

    assert rules(hand(town, case.id, "approver.s1", "both.s1")) == ["delegate-barred"]
    assert rules(hand(town, case.id, "approver.s1", "approver.s1")) == ["delegate-oneself"]
    assert rules(hand(town, case.id, "approver.s1", "zhao")) == ["own-case"]
    assert rules(hand(town, case.id, "operator.s1", "approver.s1")) == ["right-not-held"]


def test_what_was_handed_over_is_passed_on_by_its_new_holder_only(town: Town):
    case = town.advance(FIRST, "applied")
    for login in ("second.s1", "third.s1"):
        hire(town, login, "site_approver")
    hand(town, case.id, "approver.s1", "second.s1")

    assert rules(hand(town, case.id, "approver.s1", "third.s1")) == ["handed-over"]
    assert rules(lend_case(town, case.id, "approver.s1", "operator.s2", "site_approver")) == ["handed-over"]
    assert hand(town, case.id, "second.s1", "third.s1") == ()


def test_a_case_whose_holder_has_left_the_role_is_everybodys_again(town: Town):
    case = town.advance(FIRST, "applied")
    for login in ("second.s1", "third.s1"):
        hire(town, login, "site_approver")
    hand(town, case.id, "approver.s1", "second.s1")
    dismiss(town, "second.s1", "site_approver")

    assert hand(town, case.id, "approver.s1", "third.s1") == ()


def test_handing_over_is_for_good(town: Town):
    case = town.advance(FIRST, "applied")
    hire(town, "second.s1", "site_approver")
    hand(town, case.id, "approver.s1", "second.s1")

    with pytest.raises(Unknown):
        revoke(town.desk, "second.s1", "site_approver", asking(town, "approver.s1"), case=case.id)


def test_a_student_leaves_a_signature_where_the_procedure_allows_it(lent: tuple[Town, int]):
    town, case = lent
    add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")

    assert leave(town, case, "zhao", "handler.s1") == ()

    grant = town.actor("handler.s1").grant_for(("student",), town.by_id(case).path, case)
    assert grant is not None
    assert (grant.giver, grant.reason) == ("zhao", CANNOT_RETURN)
    assert town.events(case)[-1]["data"]["by"] == "zhao"
    assert revoke(town.desk, "handler.s1", "student", asking(town, "zhao"), case=case) == 1
    assert town.actor("handler.s1").delegated == ()
    assert town.replayed().diverged == ()


def test_the_records_officer_records_it_for_a_student_without_an_account_only(lent: tuple[Town, int]):
    town, case = lent
    with town.undone():
        assert leave(town, case, "records.sx", "handler.s1") == ()
        event = town.events(case)[-1]
        assert event["actor"] == "records.sx"
        assert event["data"]["by"] == chain_name(-town.student(FIRST).id), "the giver is the student"
        assert len(town.actor("handler.s1").delegated) == 1
        assert revoke(town.desk, "handler.s1", "student", asking(town, "records.sx"), case=case) == 1
    add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")
    assert rules(leave(town, case, "records.sx", "handler.s1")) == ["right-not-held"]
    assert rules(leave(town, case, "operator.s1", "handler.s1")) == ["right-not-held"]


def test_a_student_with_a_new_account_takes_back_what_was_recorded_before(lent: tuple[Town, int]):
    town, case = lent
    leave(town, case, "records.sx", "handler.s1")
    add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")

    assert revoke(town.desk, "handler.s1", "student", asking(town, "zhao"), case=case) == 1

    assert town.actor("handler.s1").delegated == ()
    assert town.events(case)[-1]["data"]["by"] == chain_name(-town.student(FIRST).id)


def test_a_signature_is_left_to_the_roles_and_for_the_reasons_named_only(lent: tuple[Town, int]):
    town, case = lent
    add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")
    add_student_account(town.desk, "qian", SECOND, at=NOW, actor="setup")

    refused = leave(town, case, "zhao", "operator.s1")
    assert [one.id for one in refused] == ["G-SG-02"]
    assert CANNOT_RETURN in refused[0].sentence.zh
    assert [one.id for one in leave(town, case, "zhao", "handler.s1", "没空")] == ["G-SG-02"]
    assert rules(leave(town, case, "zhao", "qian")) == ["signature-not-left"]
    assert rules(leave(town, case, "qian", "handler.s1")) == ["right-not-held"], "another student's signature"
    assert town.events(case)[-1]["kind"] == "refused"
    assert town.actor("handler.s1").delegated == ()


def test_the_records_officer_does_not_take_a_signature_for_oneself(lent: tuple[Town, int]):
    town, case = lent
    hire(town, "records.sx")

    assert rules(leave(town, case, "records.sx", "records.sx")) == ["delegate-oneself"]


def test_a_signature_is_left_nowhere_else(town: Town):
    add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")

    refused = leave(town, town.record(FIRST), "zhao", "approver.s1")
    assert [one.id for one in refused] == ["G-SG-01"]


def test_a_person_is_read_in_one_statement_with_delegations_or_without(sqlite_district: str, library: Library):
    with town_at(sqlite_district, library) as town:
        lend(town, "records.sx", "operator.s1", "records_section", "SX")
        asked: list[str] = []
        town.connection.raw.set_trace_callback(asked.append)
        people = [town.actor(login) for login in ("operator.s1", "operator.s2")]
        town.connection.raw.set_trace_callback(None)

    assert ([len(one.delegated) for one in people], len(asked)) == ([1, 0], 2)
