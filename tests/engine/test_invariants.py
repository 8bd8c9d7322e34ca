"""Invariants (requirements.md 7): what the engine writes keeps each; a forged event that has the key breaks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import orjson
import pytest

from engine.facts import write_facts
from engine.invariants import CATALOGUE, audit_histories, audit_part, audit_rows, together
from engine.records import Json, case_number
from engine.store.trail import spans
from tests.engine.forged_clocks import late_unmarked, told_twice
from tests.engine.forging import Forger
from tests.engine.town import FIRST, NOW, OPEN_FIRST, OPEN_SECOND, SECOND, Town

VOCATIONAL, ONLINE, OPEN = "fulltime-vocational", "online-ed", "open-university"
Pair = tuple[int, int]
"""The case at fault, and one like it that is not."""


def found(town: Town) -> dict[str, set[str]]:
    """The cases at fault by invariant."""
    parts = [audit_histories(town.connection, span) for span in spans(town.connection, 2)]
    audited = together([*parts, audit_rows(town.desk, NOW)])
    return {one.invariant.id: {fault.case for fault in one.faults} for one in audited if one.faults}


def records(forge: Forger, *upto: str, **facts: object) -> list[int]:
    """Records of new students, each forged up to its state by the usual steps."""
    made = []
    for state in upto:
        case = forge.town.record(forge.student(**facts))  # type: ignore[arg-type] # a test's own facts
        for trigger, to, actor, role, unit in WAY[: [one[1] for one in WAY].index(state) + 1 if state else 0]:
            forge.step(case, trigger=trigger, to=to, actor=actor, role=role, unit=unit, **behalf(trigger))
        made.append(case)
    return made


def behalf(trigger: str) -> dict[str, str]:
    return {"on_behalf_of": "student"} if trigger == "apply" else {}


WAY = (
    ("apply", "applied", "operator.s1", "site_operator", "S1"),
    ("site_approve", "site_approved", "approver.s1", "site_approver", "S1"),
    ("branch_approve", "branch_approved", "records.sx", "records_section", "SX"),
    ("provincial_audit", "provincially_audited", "auditor.sx", "records_section", "SX"),
    ("register", "registered", "auditor.sx", "records_section", "SX"),
)


def two_records(forge: Forger) -> Pair:
    first, second, other = (forge.student(study_mode="普通全日制") for _ in range(3))
    facts = {**forge.town.facts(second), "id_number": forge.town.facts(first)["id_number"]}
    forge.town.edit(("student", "facts"), orjson.dumps(facts).decode(), student_no=second)
    return max(forge.town.record(first), forge.town.record(second)), forge.town.record(other)


def same_number(forge: Forger) -> Pair:
    first, second, other = (forge.student(registration_no=number) for number in ("R-1", "R-1", "R-2"))
    assert first
    return forge.town.record(second), forge.town.record(other)


def no_such_state(forge: Forger) -> Pair:
    bad, good = records(forge, "", "applied")
    return forge.step(bad, trigger="apply", to="graduated"), good


def left_registered(forge: Forger) -> Pair:
    bad, good = records(forge, "registered", "registered")
    return forge.step(bad, trigger="resume", to="enrolled"), good


def skipped_steps(forge: Forger) -> Pair:
    bad, good = records(forge, "applied", "registered")
    return forge.step(bad, trigger="register", to="registered"), good


def no_such_role(forge: Forger) -> Pair:
    bad, good = records(forge, "", "applied")
    return forge.step(bad, trigger="apply", to="applied", actor="nobody"), good


def approves_own(forge: Forger) -> Pair:
    bad, good = records(forge, "applied", "site_approved")
    return forge.step(bad, trigger="site_approve", to="site_approved", actor="operator.s1"), good


def approves_again(forge: Forger) -> Pair:
    bad, good = records(forge, "site_approved", "site_approved")
    again = {"from": "applied", "trigger": "site_approve", "to": "site_approved"}
    return forge.step(bad, **again), good


def refused_silently(forge: Forger) -> Pair:
    bad, good = records(forge, "", "")
    forge.step(good, "refused", trigger="apply", failed=["G-GR-03"], undecided=[])
    return forge.step(bad, "refused", trigger="apply", failed=[], undecided=[]), good


def filled_by_another(forge: Forger) -> Pair:
    way = {"trigger": "open_form", "to": "empty", "fields": {"part": "card"}}
    fill = {"trigger": "fill_card", "to": "filled", "role": "student"}
    number = forge.student()
    student = forge.town.student(number).id
    sql = "INSERT INTO account (login, created_at, student) VALUES ('own', ?, ?)"
    forge.town.connection.execute(sql, (forge.later(), student))
    bad = forge.case("graduation-file-completion", ONLINE, number, way, fill)
    return bad, forge.case("graduation-file-completion", ONLINE, number, way, {**fill, "actor": "own"})


def lent_by_nobody(forge: Forger) -> Pair:
    bad, good = records(forge, "", "applied")
    lent = {"by": "approver.s1", "why": "出差", "until": None}
    return forge.step(bad, trigger="apply", to="applied", delegation=lent, on_behalf_of="student"), good


def unsealed(forge: Forger) -> Pair:
    workflow = "graduation-eligibility-review.site_list"
    start = [{"trigger": "start", "to": "draft"}, {"trigger": "close", "to": "signing"}]
    sign = {"trigger": "submit_list", "signing": "submit_list", "vote": "yes"}
    signed = [
        {**sign, "kind": "signed", "slot": "handler", "actor": "one", "missing": ["head", "seal"]},
        {**sign, "kind": "signed", "slot": "head", "actor": "two", "missing": ["seal"]},
    ]
    last = {**sign, "slot": "seal", "to": "submitted", "actor": "three"}
    bad = forge.case(workflow, ONLINE, None, *start, signed[0], {**last, "slot": "seal"})
    return bad, forge.case(workflow, ONLINE, None, *start, *signed, last)


def guards_unasked(forge: Forger) -> Pair:
    bad, good = records(forge, "", "applied")
    return forge.step(bad, trigger="apply", to="applied", verdicts={}), good


def other_vendor(forge: Forger) -> Pair:
    bad, good = forge.town.record(OPEN_FIRST), forge.town.record(OPEN_SECOND)
    for case, vendor in ((bad, "金沙江"), (good, "新华社")):
        forge.step(case, trigger="apply", to="applied", seen={"photo_collected": True, "photo_vendor": vendor})
    return bad, good


def junior_degree(forge: Forger) -> Pair:
    bad, good = (
        forge.case("degree-application", OPEN, forge.student(level=level), {"trigger": "apply", "to": "applied"})
        for level in ("专科", "专升本")
    )
    return bad, good


def uploaded_unapproved(forge: Forger) -> Pair:
    workflow = "diploma-registration.upload_list"
    start = {"trigger": "supply", "to": "open", "fields": {"batch": "2024-07-open"}}
    confirm = {"trigger": "confirm_count", "to": "count_confirmed", "members": {"count": 0, "sha256": ""}}
    bad, good = (forge.case(workflow, OPEN, None, start, confirm, unit="T1") for _ in range(2))
    member = forge.town.record(forge.student())
    sql = "INSERT INTO member (list_id, member, kind, stay) VALUES (?, ?, ?, '')"
    forge.town.connection.execute(sql, (bad, member, workflow))
    return bad, good


def wrong_cohort(forge: Forger) -> Pair:
    bad, good = records(forge, "", "")
    for case, cohort in ((bad, 2021), (good, 2022)):
        forge.step(case, trigger="apply", to="applied", seen={"cohort": cohort, "level": "专科"})
    return bad, good


def on_neither_table(forge: Forger) -> Pair:
    review, workflow = "graduation-eligibility-review", "graduation-eligibility-review.site_list"
    batch = {"batch": "forged"}
    forge.case(review, ONLINE, forge.student(), {"trigger": "expect", "to": "undecided", "fields": batch})
    frozen = {"trigger": "close", "to": "signing", "members": {"count": 0, "sha256": ""}}
    last = {"trigger": "submit_list", "to": "submitted"}
    bad, good = (
        forge.case(workflow, ONLINE, None, {"trigger": "start", "to": "draft", "fields": {"batch": one}}, frozen, last)
        for one in ("forged", "else")
    )
    return bad, good


def no_conclusion(forge: Forger) -> Pair:
    bad, good = (forge.student(conclusion=one) for one in ("毕业", "结业"))
    for number in (bad, good):
        for trigger, to, *_ in WAY:
            forge.step(forge.town.record(number), trigger=trigger, to=to)
    forge.facts(bad, NOW, conclusion="肄业")
    return forge.town.record(bad), forge.town.record(good)


def queried_early(forge: Forger) -> Pair:
    bad, good = records(forge, "registered", "registered")
    forge.step(good, trigger="publish", to="registered", at="2024-07-01T00:00:00.000000Z")
    return forge.step(bad, trigger="publish", to="registered"), good


def without_photo(forge: Forger) -> Pair:
    bad, good = records(forge, "provincially_audited", "registered")
    said = {"certificate-agrees": "holds", "certificate-complete": "holds", "photo-present": "fails"}
    return forge.step(bad, trigger="register", to="registered", verdicts=said), good


def printed_early(forge: Forger) -> Pair:
    start = {"trigger": "expect", "to": "expected", "fields": {"batch": "2024-06"}}
    archive = {"trigger": "archive_row", "to": "archived", "cause": {"chain": "case/00000000", "seq": 1}}
    prints = {"trigger": "print", "to": "archived"}
    workflow = "credential-registration-fulltime"
    bad = forge.case(
        workflow, VOCATIONAL, forge.student(), start, {"trigger": "find_eligible", "to": "eligible"}, prints
    )
    return bad, forge.case(workflow, VOCATIONAL, forge.student(), start, archive, prints)


def _closed(fact: str, step: str | None) -> Callable[[Forger], Pair]:
    def forged(forge: Forger) -> Pair:
        bad, good = forge.student(), forge.student()
        for number in (bad, good):
            for trigger, to, *_ in WAY:
                forge.step(forge.town.record(number), trigger=trigger, to=to)
            if step is not None:
                forge.step(forge.town.record(number), trigger=step, to="registered", at="2024-07-01T00:00:00.000000Z")
        forge.facts(bad, NOW + timedelta(days=100), **{fact: "x"})
        forge.facts(good, NOW + timedelta(days=100), phone="x")
        return forge.town.record(bad), forge.town.record(good)

    return forged


def twice_a_year(forge: Forger) -> Pair:
    bad, good = forge.student(), forge.student()
    year = {"trigger": "open_year", "to": "open", "fields": {"academic_year": 2023}}
    cases = [forge.case("annual-registration", VOCATIONAL, number, year) for number in (bad, bad, good)]
    return cases[1], cases[2]


def fees_unpaid(forge: Forger) -> Pair:
    year = {"trigger": "open_year", "to": "open", "fields": {"academic_year": 2023}}
    step = {"trigger": "register_at_college", "to": "registered_at_college"}
    said = {**step, "verdicts": {"annual-conditions-met": "fails"}}
    bad, good = (forge.case("annual-registration", VOCATIONAL, forge.student(), year, one) for one in (said, step))
    return bad, good


def change_unannotated(forge: Forger) -> Pair:
    way = [{"trigger": "draft", "to": "drafted"}, {"trigger": "approve", "to": "approved"}]
    annotated = {**way[1], "facts": ["last_change", "major"]}
    bad, good = (forge.case("major-transfer", OPEN, forge.student(), way[0], one) for one in (way[1], annotated))
    return bad, good


def deregistered_late(forge: Forger) -> Pair:
    def decided(on: str, **more: object) -> int:
        start = {"trigger": "record_decision", "to": "decided", "fields": {"decided_on": on}}
        last = {"trigger": "deregister", "to": "deregistered", **more}
        return forge.case("record-deregistration", ONLINE, forge.student(), start, last)

    marked = decided("2024-01-02", late=["D-10"])
    assert marked
    return decided("2024-01-02"), decided("2024-04-18")


def _freshman(forge: Forger, level: str, *, checked: bool = True, **facts: object) -> int:
    number = forge.student(**facts)  # type: ignore[arg-type] # a test's own facts
    if checked:
        opened = {"trigger": "import_and_open", "to": "expected"}
        forge.case("admission-qualification-check", VOCATIONAL, number, opened, {"trigger": "conclude", "to": "passed"})
    start = {"trigger": "issue_list", "to": "list_issued", "fields": {"registered_level": level}}
    last = {"trigger": "register", "to": "registered_record"}
    return forge.case("freshman-record-registration", VOCATIONAL, number, start, last)


def unchecked(forge: Forger) -> Pair:
    return _freshman(forge, "专科", checked=False), _freshman(forge, "专科")


def direct_from_preparatory(forge: Forger) -> Pair:
    return _freshman(forge, "专科", admitted_level="预科"), _freshman(forge, "预科", admitted_level="预科")


def waived_with_record(forge: Forger) -> Pair:
    start = {"trigger": "issue_list", "to": "list_issued"}
    last = {"trigger": "annotate_waived", "to": "qualification_waived"}
    bad = forge.case("freshman-record-registration", VOCATIONAL, forge.student(), start, last)
    return bad, _freshman(forge, "专科")


def other_major(forge: Forger) -> Pair:
    start = {"trigger": "draft", "to": "drafted"}
    submit = {"trigger": "submit", "to": "submitted"}
    said = {**submit, "verdicts": {"same-major": "fails"}}
    bad, good = (forge.case("school-transfer", OPEN, forge.student(), start, one) for one in (said, submit))
    return bad, good


def course_twice(forge: Forger) -> Pair:
    plan = {"trigger": "plan", "to": "planned", "fields": {"course_id": "00815"}}
    bad, good = forge.student(), forge.student()
    cases = [forge.case("course-registration", OPEN, number, plan) for number in (bad, bad, good)]
    return cases[1], cases[2]


def without_image(forge: Forger) -> Pair:
    start = {"trigger": "apply", "to": "applied"}
    single = {"trigger": "process_single", "to": "processed_on_chsi"}
    bad, good = (forge.case("chsi-withdrawal", OPEN, forge.student(), start, single) for _ in range(2))
    forge.town.connection.execute("INSERT INTO file (sha256, body) VALUES ('x', ?)", (b"x",))
    sql = "INSERT INTO document (case_id, seq, kind, sha256, looks, withdrawn) VALUES (?, 1, 'E-WD', 'x', '{}', ?)"
    forge.town.connection.execute(sql, (good, False))
    return bad, good


def _transcript(forge: Forger, number: str) -> int:
    start = {"trigger": "request", "to": "requested", "fields": {"purpose": "job_fair"}}
    return forge.case("transcript-issue", "fulltime-college", number, start, {"trigger": "issue", "to": "issued"})


def transcript_for_automatic(forge: Forger) -> Pair:
    bad = forge.student()
    start = {"trigger": "find_absence", "to": "absence_found"}
    last = {"trigger": "deregister", "to": "deregistered"}
    forge.case("automatic-withdrawal", "fulltime-college", bad, start, last)
    return _transcript(forge, bad), _transcript(forge, forge.student())


def fourth_transcript(forge: Forger) -> Pair:
    number = forge.student()
    cases = [_transcript(forge, number) for _ in range(4)]
    return cases[3], cases[2]


def unproved_change(forge: Forger) -> Pair:
    start = {"trigger": "draft", "to": "drafted"}
    checked = {"trigger": "check_evidence", "to": "evidence_checked"}
    close = {"trigger": "close", "to": "closed"}
    workflow = "student-information-change"
    bad = forge.case(workflow, OPEN, forge.student(), start, close)
    return bad, forge.case(workflow, OPEN, forge.student(), start, checked, close)


def wrong_subject(forge: Forger) -> Pair:
    bad, good = (
        forge.case(
            "online-exam-exemption-list", OPEN, forge.student(),
            {"trigger": "find_gap", "to": "sync_gap_found", "fields": {"subject_code": code}},
        )
        for code in ("70", "71")
    )  # fmt: skip
    return bad, good


def roleless(forge: Forger) -> Pair:
    bad, good = records(forge, "", "applied")
    return forge.step(bad, trigger="apply", to="applied", role=None), good


def other_version(forge: Forger) -> Pair:
    bad, good = records(forge, "", "applied")
    other = forge.town.desk.hash_of(forge.town.desk.library.definition("diploma-registration", OPEN))
    return forge.step(bad, trigger="apply", to="applied", definition=other), good


def looked_without_right(forge: Forger) -> Pair:
    bad, good = records(forge, "", "")
    seen = {"trigger": "view:E-WD", "document": "E-WD", "added": 2, "sha256": "ab"}
    for case, login in ((bad, "operator.s2"), (good, "operator.s1")):
        forge.step(case, "evidence_added", trigger="attach:E-WD", document="E-WD", file={"sha256": "ab"})
        forge.step(case, "viewed", **seen, actor=login)
    return bad, good


FORGERIES: dict[str, Callable[[Forger], Pair]] = {
    "INV-ID-1": two_records, "INV-ID-2": same_number, "INV-ST-1": no_such_state, "INV-ST-2": left_registered,
    "INV-ST-3": skipped_steps, "INV-ST-4": no_such_role, "INV-AP-1": approves_own, "INV-AP-2": approves_again,
    "INV-AP-3": refused_silently, "INV-SIGN-1": filled_by_another, "INV-SIGN-2": lent_by_nobody,
    "INV-SIGN-3": unsealed, "INV-GR-1": guards_unasked, "INV-GR-2": other_vendor, "INV-GR-3": junior_degree,
    "INV-GR-4": uploaded_unapproved, "INV-GR-5": wrong_cohort, "INV-LIST-1": on_neither_table,
    "INV-CT-1": no_conclusion, "INV-CT-2": queried_early, "INV-CT-3": without_photo, "INV-CT-4": printed_early,
    "INV-PUB": _closed("name", "publish"), "INV-ARC": _closed("card_filled", None), "INV-AN-1": twice_a_year,
    "INV-AN-2": fees_unpaid, "INV-AN-3": change_unannotated, "INV-DR-1": deregistered_late, "INV-AD-1": unchecked,
    "INV-AD-2": direct_from_preparatory, "INV-AD-3": waived_with_record, "INV-SC-1": other_major,
    "INV-CR-1": course_twice, "INV-WD-1": without_image, "INV-WD-2": transcript_for_automatic,
    "INV-TR-1": fourth_transcript, "INV-IC-1": unproved_change, "INV-EX-1": wrong_subject, "INV-LOG-1": roleless,
    "INV-LOG-2": other_version, "INV-DL-1": late_unmarked, "INV-DL-2": told_twice,
    "INV-ACC-1": looked_without_right,
}  # fmt: skip
"""For each invariant, how a database is made to break it."""


def test_each_invariant_names_the_forged_case_and_leaves_the_sound_one_alone(town: Town):
    """One database, broken in forty-three ways: each forgery is found by its own invariant."""
    forge = Forger(town=town)
    pairs = {name: forged(forge) for name, forged in FORGERIES.items()}
    at_fault = found(town)
    missed = {name for name, (bad, _) in pairs.items() if case_number(bad) not in at_fault.get(name, set())}
    falsely = {name for name, (_, good) in pairs.items() if case_number(good) in at_fault.get(name, set())}
    assert (missed, falsely) == (set(), set())


def test_what_the_engine_wrote_keeps_every_invariant(town: Town):
    town.advance(FIRST, "registered")
    town.know(SECOND, fee_owed="120.50")
    town.take(SECOND, "apply", "operator.s1")
    town.advance(OPEN_FIRST, "branch_approved")
    assert found(town) == {}


def test_a_range_is_audited_on_a_connection_of_its_own(town: Town):
    [span] = spans(town.connection, 1)
    forge = Forger(town=town)
    bad, _ = no_such_state(forge)
    [span] = spans(town.connection, 1)
    assert audit_part((town.url, span)) == audit_histories(town.connection, span)
    assert "INV-ST-1" in audit_part((town.url, (bad, bad)))


def test_every_invariant_of_the_requirements_is_checked_and_forged_here():
    assert {one.id for one in CATALOGUE if not one.is_checked} == set()
    assert {one.id for one in CATALOGUE} == set(FORGERIES)
    assert all(one.title.zh and one.title.en and one.source for one in CATALOGUE)


@pytest.mark.parametrize("student_no", [FIRST, OPEN_FIRST], ids=["online-ed", "open-university"])
def test_a_registered_record_is_frozen_but_for_annotations(town: Town, student_no: str):
    """S000-3.8c, S004-5.1b: what closes facts, closes them; the steps that are left annotate (or open it for query)."""
    case = town.case(student_no)
    town.edit(("cases", "state"), "registered", id=case.id)
    town.edit(("cases", "fields"), '{"batch":"2024-06","published":true}', id=case.id)
    machine = town.desk.machine_for(case, {})
    moving = [one for one in machine.open_triggers("registered") if machine.step("registered", one).targets]
    assert moving == []
    assert set(machine.open_triggers("registered")) == {"annotate_lost", "annotate_minor", "publish"}
    vocabulary = town.desk.library.rulebook_for(machine.definition.profile).vocabulary
    for group in ("identity", "programme", "certificate", "file"):
        name = next(
            name for name, fact in vocabulary.student.items() if fact.group == group and fact.type == KINDS[group]
        )
        with town.undone():
            sheet = {student_no: {name: VALUES[group]}}
            assert write_facts(town.desk, sheet, town.request("facts", "import")).refused, name


KINDS: dict[str, str] = {"identity": "text", "programme": "number", "certificate": "date", "file": "yes_no"}
VALUES: dict[str, Json] = {"identity": "改名", "programme": 1999, "certificate": "2023-01-01", "file": False}
