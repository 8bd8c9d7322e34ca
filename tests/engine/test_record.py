"""The student's record (W-01, requirements 3.1), in both profiles, on both databases."""

from __future__ import annotations

import pytest

from engine.casework import open_case
from engine.errors import AlreadyOpen, NotAllowed, TransitionNotOpen
from engine.records import Case, Moved, Refused
from tests.engine.town import FIELDS, FIRST, NOW, OPEN_FIRST, REASON, STEPS_TO_REGISTERED, Town

STATES = (
    "enrolled", "suspended", "withdrawn", "applied", "site_approved", "branch_approved", "provincially_audited",
    "registered",
)  # fmt: skip

# requirements 3.1: trigger → (from, to); both profiles unless said otherwise below.
TABLE = {
    "suspend": {"enrolled": "suspended"},
    "resume": {"suspended": "enrolled"},
    "withdraw": dict.fromkeys(("enrolled", "suspended", "applied", "site_approved", "branch_approved"), "withdrawn"),
    "apply": {"enrolled": "applied"},
    "cancel_application": {"applied": "enrolled"},
    "site_approve": {"applied": "site_approved"},
    "site_return": {"applied": "enrolled"},
    "site_reject": {"applied": "enrolled"},
    "branch_approve": {"site_approved": "branch_approved"},
    "branch_return": {"site_approved": "applied"},
    "branch_reject": {"site_approved": "enrolled"},
    "provincial_audit": {"branch_approved": "provincially_audited"},
    "provincial_return": {"branch_approved": "site_approved"},
    "provincial_reject": {"branch_approved": "enrolled"},
    "register": {"provincially_audited": "registered"},
    "national_reject": {"provincially_audited": "enrolled"},
    "annotate_lost": {"registered": "registered"},
    "annotate_minor": {"registered": "registered"},
}
ONLY_OPEN = {
    "apply_degree": {"applied": "applied"},
    "record_preliminary_check": {one: one for one in ("enrolled", "applied", "site_approved", "branch_approved")},
}
WHO = {
    FIRST: {
        **dict.fromkeys(("apply", "cancel_application"), "operator.s1"),
        **dict.fromkeys(("site_approve", "site_return", "site_reject"), "approver.s1"),
        **dict.fromkeys(("branch_approve", "branch_return", "branch_reject"), "records.sx"),
        **dict.fromkeys(("provincial_audit", "provincial_reject", "register", "national_reject"), "auditor.sx"),
        **dict.fromkeys(("suspend", "resume", "withdraw", "annotate_lost", "annotate_minor"), "records.sx"),
    },
    OPEN_FIRST: {
        **dict.fromkeys(("apply", "cancel_application", "apply_degree"), "operator.t1"),
        **dict.fromkeys(("site_approve", "site_return", "site_reject"), "approver.t1"),
        **dict.fromkeys(("branch_approve", "branch_return", "branch_reject"), "branch.c1"),
        **dict.fromkeys(("provincial_audit", "provincial_return", "record_preliminary_check"), "province.kf"),
        **dict.fromkeys(("provincial_reject", "register", "national_reject"), "records.kf"),
        **dict.fromkeys(("suspend", "resume", "withdraw", "annotate_lost", "annotate_minor"), "records.kf"),
    },
}  # fmt: skip
LEAVE = {"cause": "病休", "leave_from": "2024-05-01", "leave_to": "2024-09-01"}
BOTH = pytest.mark.parametrize("student_no", [FIRST, OPEN_FIRST], ids=["online-ed", "open-university"])


def brought(town: Town, student_no: str, state: str) -> Case:
    """The record in any of the eight states."""
    if state == "suspended":
        return town.go(student_no, (("suspend", WHO[student_no]["suspend"]),))
    if state == "withdrawn":
        return town.go(student_no, (("withdraw", WHO[student_no]["withdraw"]),))
    return town.advance(student_no, state)


@BOTH
def test_a_record_goes_from_enrolled_to_registered_step_by_step(town: Town, student_no: str):
    profile = town.desk.profile_of(town.student(student_no).unit)
    states = []
    for trigger, login in STEPS_TO_REGISTERED[profile]:
        outcome = town.take(student_no, trigger, login)
        assert isinstance(outcome, Moved), (trigger, outcome)
        states.append(outcome.case.state)
    assert states == ["applied", "site_approved", "branch_approved", "provincially_audited", "registered"]
    assert town.case(student_no).revision == 1 + 1 + 5, "opened, facts, five steps"
    assert town.replayed().diverged == ()


@BOTH
def test_every_step_is_open_exactly_where_the_table_says(town: Town, student_no: str):
    """requirements 3.1, with everything refused that it refuses on purpose: skipping a level, leaving an end."""
    steps = {**TABLE, **(ONLY_OPEN if student_no == OPEN_FIRST else {})}
    for state in STATES:
        with town.undone():
            case = brought(town, student_no, state)
            open_steps = {trigger for trigger, moves in steps.items() if state in moves}
            assert set(town.desk.machine_for(case, {}).open_triggers(state)) - {"publish"} == open_steps
            before, barred = town.counts(), sorted(steps.keys() - open_steps)
            for trigger in barred:
                with pytest.raises(TransitionNotOpen):
                    town.take(student_no, trigger, WHO[student_no].get(trigger, "records.sx"))
            after = town.case(student_no)
            assert town.counts() == (before[0] + len(barred), *before[1:]), "each leaves its refusal, and nothing else"
            assert after == case._replace(head=after.head)


@BOTH
def test_every_step_of_the_table_is_possible_to_the_right_person(town: Town, student_no: str):
    town.know(student_no, level="专升本")  # so that the degree may be applied for
    steps = {**TABLE, **(ONLY_OPEN if student_no == OPEN_FIRST else {})}
    for trigger, moves in steps.items():
        for origin, target in moves.items() if trigger in WHO[student_no] else ():
            with town.undone():
                brought(town, student_no, origin)
                outcome = town.take(student_no, trigger, WHO[student_no][trigger])
                assert isinstance(outcome, Moved), (trigger, outcome)
                assert town.case(student_no).state == target


@BOTH
def test_a_suspended_student_cannot_apply_until_resumed(town: Town, student_no: str):
    brought(town, student_no, "suspended")
    with pytest.raises(TransitionNotOpen, match="suspended"):
        town.take(student_no, "apply", WHO[student_no]["apply"])
    assert town.go(student_no, (("resume", WHO[student_no]["resume"]),)).fields.get("suspended_until") is None
    town.advance(student_no, "applied")


@BOTH
def test_nothing_leads_out_of_withdrawn_and_a_withdrawn_student_is_not_enrolled_again(town: Town, student_no: str):
    case = brought(town, student_no, "withdrawn")
    assert town.desk.machine_for(case, {}).open_triggers("withdrawn") == ()
    opening = town.request("open_record", WHO[student_no]["withdraw"])
    with pytest.raises(AlreadyOpen):
        open_case(town.desk, "diploma-registration", student_no, opening)


@BOTH
def test_a_registered_record_takes_only_annotations_and_stays_registered(town: Town, student_no: str):
    case = brought(town, student_no, "registered")
    open_to_people = {"annotate_lost", "annotate_minor"}
    assert set(town.desk.machine_for(case, {}).open_triggers("registered")) == open_to_people | {"publish"}
    for trigger in sorted(open_to_people):
        outcome = town.take(student_no, trigger, WHO[student_no][trigger])
        assert isinstance(outcome, Moved)
        assert outcome.case.state == "registered"
    assert town.case(student_no).fields["proof_no"] == "ZM-1"


@BOTH
def test_the_file_of_a_registered_student_is_closed_says_why_and_logs_the_attempt(town: Town, student_no: str):
    brought(town, student_no, "registered")
    before = town.counts()
    written = town.know(student_no, form_signed=False)
    assert len(written.refused) == 1
    [verdict] = written.refused[0].verdicts
    assert (verdict.id, verdict.source) == ("G-PB-02", ("S000-3.8c",))
    assert town.facts(student_no)["form_signed"] is True
    event = town.events(-town.student(student_no).id)[-1]
    assert (event["kind"], event["data"]["failed"]) == ("refused", ["G-PB-02"]), "the attempt is on record"
    assert town.counts() == (before[0] + 1, *before[1:])
    assert town.replayed().diverged == ()


@BOTH
def test_what_is_registered_but_not_yet_published_may_still_be_corrected(town: Town, student_no: str):
    brought(town, student_no, "registered")
    assert town.know(student_no, major="行政管理").refused == ()
    assert town.know(student_no, phone="13800000000").refused == ()


def test_only_the_timer_opens_a_registered_record_for_query(town: Town):
    brought(town, FIRST, "registered")
    with pytest.raises(NotAllowed, match="timer"):
        town.take(FIRST, "publish", "records.sx")


@BOTH
def test_what_is_published_is_changed_no_more(town: Town, student_no: str):
    case = brought(town, student_no, "registered")
    fields = '{"batch":"2024-06","published":true}'
    town.connection.execute("UPDATE cases SET fields = ? WHERE id = ?", (fields, case.id))
    written = town.know(student_no, major="行政管理", name="某某", conclusion="结业")
    [refused] = written.refused
    assert [verdict.id for verdict in refused.verdicts] == ["G-PB-01"]


@BOTH
def test_no_level_is_skipped(town: Town, student_no: str):
    town.advance(student_no, "applied")
    for trigger in ("branch_approve", "provincial_audit", "register"):
        with pytest.raises(TransitionNotOpen):
            town.take(student_no, trigger, WHO[student_no][trigger])


def test_who_filed_the_application_may_not_approve_it(town: Town):
    town.go(FIRST, (("apply", "both.s1"),))
    refused = town.take(FIRST, "site_approve", "both.s1")
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-SG-08",)
    assert "both.s1" in refused.verdicts[0].sentence.zh
    assert "提出毕业申请" in refused.verdicts[0].sentence.zh
    town.go(FIRST, (("site_approve", "approver.s1"),))


def test_who_approved_for_the_branch_may_not_audit_for_the_province(town: Town):
    town.advance(FIRST, "branch_approved")
    refused = town.take(FIRST, "provincial_audit", "records.sx")
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-SG-08",)
    town.go(FIRST, (("provincial_audit", "auditor.sx"),))


def test_persons_are_kept_apart_after_a_return_too(town: Town):
    town.advance(FIRST, "site_approved")
    town.go(FIRST, (("branch_return", "auditor.sx"), ("site_approve", "approver.s1")))
    town.go(FIRST, (("branch_approve", "auditor.sx"),))
    refused = town.take(FIRST, "provincial_audit", "auditor.sx")
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-SG-08",)


def test_the_applicant_of_before_a_return_may_still_not_approve(town: Town):
    town.go(FIRST, (("apply", "both.s1"), ("site_approve", "approver.s1"), ("branch_return", "records.sx")))
    refused = town.take(FIRST, "site_approve", "both.s1")
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-SG-08",)


def test_after_resting_everybody_may_act_again(town: Town):
    town.go(FIRST, (("apply", "both.s1"), ("site_reject", "approver.s1"), ("apply", "operator.s1")))
    assert town.go(FIRST, (("site_approve", "both.s1"),)).state == "site_approved"


def test_a_branch_returns_to_the_first_state_unless_it_chooses_another(town: Town):
    town.advance(FIRST, "site_approved")
    assert town.go(FIRST, (("branch_return", "records.sx"),)).state == "applied"
    town.go(FIRST, (("site_approve", "approver.s1"),))
    chosen = town.take(FIRST, "branch_return", "records.sx", to="enrolled")
    assert isinstance(chosen, Moved)
    assert chosen.case.state == "enrolled"


def test_a_site_without_the_photo_can_only_disagree(town: Town):
    town.advance(FIRST, "applied")
    town.know(FIRST, electronic_photo=False)
    refused = town.take(FIRST, "site_approve", "approver.s1")
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-GR-12",)
    town.go(FIRST, (("site_reject", "approver.s1"),))


def test_a_rejection_needs_a_reason_and_keeps_it(town: Town):
    town.advance(FIRST, "applied")
    refused = town.take(FIRST, "site_reject", "approver.s1", fields={})
    assert isinstance(refused, Refused)
    assert refused.failed == ("X-05",)
    town.go(FIRST, (("site_reject", "approver.s1"),))
    assert town.events(town.record(FIRST))[-1]["data"]["reason"] == REASON["reason"]


def test_an_unsynchronised_examination_warns_at_applying_and_refuses_at_the_audit(town: Town):
    town.know(OPEN_FIRST, unified_exam_synced=False)
    applied = town.take(OPEN_FIRST, "apply", "operator.t1")
    assert isinstance(applied, Moved)
    assert [verdict.id for verdict in applied.warnings] == ["G-GR-15"]
    assert town.events(town.record(OPEN_FIRST))[-1]["data"]["verdicts"]["unified-exam-synced"] == "fails"
    town.advance(OPEN_FIRST, "branch_approved")
    refused = town.take(OPEN_FIRST, "provincial_audit", "province.kf")
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-GR-15",)


def test_a_junior_college_student_applies_for_no_degree(town: Town):
    town.advance(OPEN_FIRST, "applied")
    refused = town.take(OPEN_FIRST, "apply_degree", "operator.t1")
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-GR-11",)
    town.know(OPEN_FIRST, level="专升本")
    moved = town.take(OPEN_FIRST, "apply_degree", "operator.t1")
    assert isinstance(moved, Moved)
    assert (moved.case.state, moved.case.fields["degree_applied"]) == ("applied", True)


def test_the_preliminary_check_writes_the_student_and_names_its_cause(town: Town):
    town.know(OPEN_FIRST, preliminary_passed=None)
    before = town.case(OPEN_FIRST)
    town.go(OPEN_FIRST, (("record_preliminary_check", "province.kf"),))
    assert town.facts(OPEN_FIRST)["preliminary_passed"] is True
    event = town.events(-town.student(OPEN_FIRST).id)[-1]
    assert event["kind"] == "fact_changed"
    assert event["actor"] == "province.kf"
    assert event["data"]["facts"] == {"preliminary_passed": {"old": None, "new": True}}
    assert event["data"]["cause"] == {"chain": f"case/{before.number}", "seq": before.head.seq + 1}
    assert town.case(OPEN_FIRST).state == before.state
    assert town.replayed().diverged == ()


def test_an_audit_without_the_preliminary_check_is_refused(town: Town):
    town.know(OPEN_FIRST, preliminary_passed=None)
    town.advance(OPEN_FIRST, "branch_approved")
    refused = town.take(OPEN_FIRST, "provincial_audit", "province.kf")
    assert isinstance(refused, Refused)
    assert (refused.failed, refused.undecided) == ((), ("G-GR-13",))


def test_registration_asks_everything_the_certificate_needs(town: Town):
    town.advance(OPEN_FIRST, "provincially_audited")
    town.know(OPEN_FIRST, certificate_no=None, issued_on="2024-07-01", electronic_photo=False, conclusion=None)
    refused = town.take(OPEN_FIRST, "register", "records.kf", fields={"final_audit": "未通过"})
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-GR-19a", "G-GR-19c", "G-GR-20", "G-GR-26")
    assert refused.undecided == ("G-CT-01",)


def test_registering_tells_the_student_and_the_site_once_and_refusing_tells_nobody(town: Town):
    town.advance(FIRST, "provincially_audited")
    told = len(town.told())
    town.know(FIRST, electronic_photo=False)
    assert isinstance(town.take(FIRST, "register", "auditor.sx"), Refused)
    assert len(town.told()) == told
    town.know(FIRST, electronic_photo=True)
    town.go(FIRST, (("register", "auditor.sx"),))
    case = town.case(FIRST)
    assert set(town.told()[told:]) == {
        (case.id, case.head.seq, "student", "registered"),
        (case.id, case.head.seq, "site_operator", "registered"),
    }


def test_a_withdrawal_cancels_what_is_still_open_and_the_trail_names_the_cause(rehearsal: Town):
    leave = rehearsal.open(("leave-of-absence", "draft"), FIRST, "operator.s1", **LEAVE)
    assert isinstance(leave, Moved), leave
    withdrawn = rehearsal.take(FIRST, "withdraw", "records.sx")
    assert isinstance(withdrawn, Moved)
    assert rehearsal.case(FIRST).state == withdrawn.case.state
    assert rehearsal.kept(("cases", "state"), id=leave.case.id) == "cancelled"
    last = rehearsal.events(leave.case.id)[-1]
    assert (last["kind"], last["data"]["to"]) == ("moved", "cancelled")
    assert last["cause"]["seq"] == rehearsal.case(FIRST).head.seq
    assert rehearsal.replayed().diverged == ()


def test_an_open_leave_of_absence_stands_in_the_way_of_applying(rehearsal: Town):
    leave = rehearsal.open(("leave-of-absence", "draft"), FIRST, "operator.s1", **LEAVE)
    assert isinstance(leave, Moved), leave
    refused = rehearsal.take(FIRST, "apply", "operator.s1")
    assert isinstance(refused, Refused)
    assert refused.failed == ("G-SC-07",)
    assert "异动" in refused.verdicts[0].sentence.zh


def test_the_moment_of_the_request_is_the_clock_of_the_rules(town: Town):
    town.know(FIRST, max_study_until="2024-04-20")
    assert NOW.isoformat().startswith("2024-04-20"), "10 o'clock in Shanghai"
    late = town.take(FIRST, "apply", "operator.s1", at=NOW.replace(hour=16))
    assert isinstance(late, Refused), "00:00 of 21 April in Shanghai"
    assert late.failed == ("G-GR-24",)
    in_time = town.take(FIRST, "apply", "operator.s1", at=NOW.replace(hour=15, minute=59, second=59))
    assert isinstance(in_time, Moved)


def test_every_field_of_the_table_of_requests_is_one_its_step_knows(town: Town):
    machine = town.desk.machine_for(town.case(OPEN_FIRST), {})
    for trigger, fields in FIELDS.items():
        one = machine.definition.transitions[trigger]
        assert set(fields) <= {*one.asked, *one.accepts, "reason"}, trigger
