"""Wholes: what holds between cases, students and lists, read from the rows that replay has compared with the trail.

Source: requirements.md 7.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import orjson

from engine.auditing.ground import Flaw, Ground
from engine.auditing.history import Event, history_of, readable
from engine.auditing.rows import (
    Row,
    cases_of,
    frozen_at,
    known_of,
    members_of,
    records_of,
    students,
)
from engine.deadlines import is_before
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.records import Case
from engine.store.cases import Found, read_case
from engine.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A whole database before an auditor, at a moment."""

    desk: Desk
    ground: Ground
    at: datetime

    @property
    def connection(self) -> Connection:
        """Where it is kept."""
        return self.desk.connection

    @property
    def records(self) -> list[str]:
        """The definitions whose cases are student records."""
        return [shape for shape, one in self.ground.definitions.items() if one.record]

    def cases(self, workflow: str) -> list[Row]:
        """The cases of a workflow that are not cancelled."""
        return cases_of(self.connection, workflow)

    def taken(self, case: int, *triggers: str) -> Iterator[Event]:
        """The times a case took some steps, as the trail tells it."""
        for history in history_of(self.connection, case, self.ground.definitions):
            yield from history.taken(*triggers)


Faults = Iterator[tuple[int, Flaw]]
Whole = Callable[[Survey], Faults]


def one_record_a_period(survey: Survey) -> Faults:
    """INV-ID-1: one record a person and period; two records of one student, or two people with one ID number."""
    for rows in records_of(survey.connection, survey.records).values():
        for one in rows[1:]:
            yield one.id, Flaw(0, "同一学生另有学籍", "the student has another record")
    persons: dict[str, list[tuple[str, str, int]]] = {}
    for student, record, known in students(survey.connection):
        if known.id_number and known.study_mode == "普通全日制":
            until = known.ended_on or known.graduated_on or "9999"
            chain = -student if record is None else record
            persons.setdefault(known.id_number, []).append((known.enrolled_on or "", until, chain))
    for periods in persons.values():
        periods.sort()
        for before, after in pairwise(periods):
            if after[0] < before[1]:
                yield after[2], Flaw(0, "同一人全日制学籍时段重叠", "the person has another full-time record then")


def numbers_unique(survey: Survey) -> Faults:
    """INV-ID-2: no record, certificate or registration number twice."""
    holders: dict[tuple[str, str], int] = {}
    for student, record, known in students(survey.connection):
        chain = -student if record is None else record
        for name in ("record_no", "certificate_no", "registration_no"):
            number = getattr(known, name)
            if number is not None and holders.setdefault((name, number), chain) != chain:
                yield chain, Flaw(0, f"{name} 与他人相同", f"{name} is somebody else's too")


def one_credential_each(survey: Survey) -> Faults:
    """INV-CT-1: one credential a student, and it is a graduation or a completion."""
    for rows in records_of(survey.connection, survey.records).values():
        for one in [row for row in rows if row.state == "registered"][1:]:
            yield one.id, Flaw(0, "一人两份学历", "the student has two credentials")
    seen: set[int | None] = set()
    for row in survey.cases("credential-registration-fulltime"):
        if row.fields.get("registered"):
            if row.student in seen:
                yield row.id, Flaw(0, "一人两次注册学历", "the credential was registered in two batches")
            seen.add(row.student)
    for case, known in _registered(survey):
        if known["conclusion"] not in ("毕业", "结业"):
            yield case, Flaw(0, f"结论为“{known['conclusion']}”", f"the conclusion is {known['conclusion']}")


def _registered(survey: Survey) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Registered records with what is known of the student."""
    marks = ",".join("?" * len(survey.records))
    sql = (
        "SELECT c.id, s.facts FROM cases c JOIN student s ON s.id = c.student"  # noqa: S608 marks
        f" WHERE c.state = 'registered' AND c.shape IN ({marks}) ORDER BY c.id"
    )
    for case, facts in survey.connection.stream(sql, tuple(survey.records)) if survey.records else ():
        known = orjson.loads(facts)
        yield int(case), {"conclusion": known.get("conclusion"), "issued_on": known.get("issued_on")}


def not_before_issue(survey: Survey) -> Faults:
    """INV-CT-2: no query before the day of issue."""
    published = dict(_times(survey, "publish"))
    for case, known in _registered(survey) if published else ():
        issued_on = known["issued_on"]
        if case in published and (issued_on is None or _day(published[case]) < date.fromisoformat(issued_on)):
            yield case, Flaw(0, f"发证日期 {issued_on} 之前开通查询", f"open for query before {issued_on}")


def _times(survey: Survey, trigger: str) -> Iterator[tuple[int, str]]:
    """When registered records took a step; the bytes are looked through before they are read."""
    needle = f'"trigger":"{trigger}"'.encode()
    sql = "SELECT e.chain, e.body FROM cases c JOIN event e ON e.chain = c.id WHERE c.state = 'registered'"
    for chain, body in survey.connection.stream(sql):
        if needle in bytes(body):
            event = readable(body)
            if event["kind"] == "moved":
                yield int(chain), event["at"]


def facts_closed(rule: str, closing: str) -> Whole:
    """INV-PUB, INV-ARC: facts of a group that a rule closes are not written after the step that closes it."""

    def check(survey: Survey) -> Faults:
        closed = _closed(survey, closing)
        names = {profile: _group(survey, rule, profile) for _, profile, _ in closed.values()}
        for student, at, seq, written in _written(survey) if closed else ():
            case, profile, since = closed.get(student, (0, "", "~"))
            late = sorted(written & names.get(profile, set())) if at > since else []
            if late:
                listed = "、".join(late)
                yield (
                    case,
                    Flaw(0, f"之后改了 {listed}（学生链 #{seq}）", f"{listed} changed later (student's event {seq})"),
                )

    return check


def _closed(survey: Survey, closing: str) -> dict[int, tuple[int, str, str]]:
    """By student: the record, its profile, and when it took the closing step."""
    times = dict(_times(survey, closing))
    found: dict[int, tuple[int, str, str]] = {}
    for shape in survey.records:
        sql = "SELECT id, student FROM cases WHERE shape = ? AND state = 'registered'"
        for case, student in survey.connection.execute(sql, (shape,)).fetchall():
            if case in times:
                found[int(str(student))] = (
                    int(str(case)),
                    survey.ground.definitions[shape].profile,
                    times[int(str(case))],
                )
    return found


def _group(survey: Survey, rule: str, profile: str) -> set[str]:
    vocabulary = survey.desk.library.rulebook_for(profile).vocabulary
    closing = {name for name, group in vocabulary.groups.items() if rule in group.guards}
    return {name for name, fact in vocabulary.student.items() if fact.group in closing}


def _written(survey: Survey) -> Iterator[tuple[int, str, int, set[str]]]:
    """Which facts of which student were written when."""
    for chain, seq, body in survey.connection.stream("SELECT chain, seq, body FROM event WHERE chain < 0"):
        event = readable(body)
        data = event["data"]
        if event["kind"] == "fact_changed":
            yield -int(chain), event["at"], int(seq), {*data.get("facts", ()), *data.get("sealed_facts", ())}


def no_degree_for_juniors(survey: Survey) -> Faults:
    """INV-GR-3: no 专科 student has a degree application."""
    for row in survey.cases("degree-application"):
        if row.state != "refused" and known_of(survey.connection, row.student).level == "专科":
            yield row.id, Flaw(0, "专科学生申请学位", "a degree application of a 专科 student")


def upload_list_complete(survey: Survey) -> Faults:
    """INV-GR-4: on an upload list stand those of the teaching point who were checked and approved, and all of them."""
    for row in survey.cases("diploma-registration.upload_list"):
        if not survey.ground.definitions[row.shape].is_fixed(row.state):
            continue
        members = members_of(survey.connection, row.id)
        for member in members:
            yield from ((row.id, flaw) for flaw in _uploaded(survey, row, member))
        then = frozen_at(survey.connection, row.id) or ""
        for one in survey.cases("diploma-registration"):
            is_due = one.state == "provincially_audited" and one.entered_at < then and one.path.startswith(row.path)
            if is_due and one.fields.get("batch") == row.fields.get("batch") and not _on_a_list(survey, one.id):
                yield row.id, Flaw(0, "应上报的学生不在名单", "somebody who is due is not on the list")


def _uploaded(survey: Survey, row: Row, member: int) -> Iterator[Flaw]:
    found = read_case(survey.connection, member)
    if found is None:
        return
    case = found.case
    lacking = [name for name in ("site_approve", "branch_approve") if name not in case.taken]
    if lacking or not found.facts.get("preliminary_passed") or not case.path.startswith(row.path):
        yield Flaw(0, f"{case.number} 未经初审与两级审批", f"{case.number} was not checked and approved twice")


def _on_a_list(survey: Survey, case: int) -> bool:
    sql = "SELECT 1 FROM member WHERE member = ? AND kind = 'diploma-registration.upload_list'"
    return survey.connection.execute(sql, (case,)).fetchone() is not None


def lists_cover_everybody(survey: Survey) -> Faults:
    """INV-LIST-1: once submitted, everybody expected stands on one of the two tables."""
    reviews = survey.cases("graduation-eligibility-review")
    by_id = {row.id: row for row in reviews}
    for row in survey.cases("graduation-eligibility-review.site_list"):
        if row.state in ("draft", "signing"):
            continue
        members = set(members_of(survey.connection, row.id))
        then = frozen_at(survey.connection, row.id) or ""
        for one in reviews:
            is_own = one.fields.get("batch") == row.fields.get("batch") and one.path.startswith(row.path)
            if is_own and one.opened_at < then and one.id not in members:
                yield row.id, Flaw(0, "有学生不在名单上", "somebody expected is not on the list")
        for member in members & by_id.keys():
            if by_id[member].state in ("undecided", "eligible", "not_eligible"):
                yield row.id, Flaw(0, "有学生既未确认也未列为不办理", "somebody is on neither table")


def once_a_year(survey: Survey) -> Faults:
    """INV-AN-1: one annual registration a student and academic year, from the year after entry."""
    seen: Counter[tuple[int | None, object]] = Counter()
    for row in survey.cases("annual-registration"):
        year = row.fields.get("academic_year")
        seen[row.student, year] += 1
        if seen[row.student, year] > 1:
            yield row.id, Flaw(0, f"{year} 学年重复注册", f"a second registration of {year}")
        known = known_of(survey.connection, row.student)
        if isinstance(year, int) and known.cohort is not None and year <= known.cohort:
            yield row.id, Flaw(0, f"入学年份 {known.cohort}，不办理 {year} 学年注册", f"entered in {known.cohort}")


def in_time(workflows: tuple[str, ...], deadline: str, triggers: tuple[str, ...]) -> Whole:
    """INV-DR-1, INV-AD-1: a step not later than its deadline, or marked late."""

    def check(survey: Survey) -> Faults:
        for workflow in workflows:
            for row in survey.cases(workflow):
                if deadline in survey.ground.definitions[row.shape].deadlines:
                    yield from _late(survey, row, deadline, triggers)

    return check


def _late(survey: Survey, row: Row, deadline: str, triggers: tuple[str, ...]) -> Faults:
    found = read_case(survey.connection, row.id)
    if found is None:
        return
    machine = survey.desk.machine_for(found.case, {})
    bound = machine.deadline(deadline)
    values = machine.decoded({key: _value(survey, found, key) for key in bound.reads})
    extended_at = _extended_at(survey, row.id, deadline)  # by that date INV-DL-1 holds the step
    for one in survey.taken(row.id, *triggers):
        is_late = is_before(bound, values, datetime.fromisoformat(one.at)) is False
        if is_late and deadline not in (one.data.late or ()) and one.seq < extended_at:
            yield row.id, Flaw(one.seq, f"逾期办理而未标注（{deadline}）", f"later than {deadline} and not marked late")


def _extended_at(survey: Survey, case: int, deadline: str) -> int:
    """The event by which a person first set another date; beyond every event where nobody has."""
    for history in history_of(survey.connection, case, survey.ground.definitions):
        moved = (one for one in history.events if one.data.extended and one.data.deadline == deadline)
        return next((one.seq for one in moved), len(history.events) + 1)
    return 0


def _value(survey: Survey, found: Found, key: str) -> Any:  # noqa: ANN401 JSON of a field or of a batch
    case: Case = found.case
    group, dot, name = key.partition(".")
    if group == "batch":
        batch = case.fields.get("batch")
        row = survey.desk.batch(batch) if isinstance(batch, str) else None
        return None if row is None else row.values.get(name)
    return case.fields.get(name) if dot else found.facts.get(key)


def checked_before_registered(survey: Survey) -> Faults:
    """INV-AD-1: nobody is registered without an admission check that was passed."""
    passed = {row.student for row in survey.cases("admission-qualification-check") if row.state == "passed"}
    for row in survey.cases("freshman-record-registration"):
        if row.state in _REGISTERED_FRESHMEN and row.student not in passed:
            yield row.id, Flaw(0, "入学资格审查未合格即注册学籍", "registered without a passed admission check")


_REGISTERED_FRESHMEN = ("registered_record", "error_reported", "student_confirmed")


def preparatory_first(survey: Survey) -> Faults:
    """INV-AD-2: who was admitted as preparatory is not registered as 本科 or 专科 without the transition."""
    moved_on = {
        row.student for row in survey.cases("preparatory-transition") if row.state in ("filed", "registered_record")
    }
    for row in survey.cases("freshman-record-registration"):
        level = row.fields.get("registered_level")
        is_direct = row.state in _REGISTERED_FRESHMEN and level in ("本科", "专科") and row.student not in moved_on
        if is_direct and known_of(survey.connection, row.student).admitted_level == "预科":
            yield row.id, Flaw(0, f"预科录取直接注册为{level}", f"admitted as preparatory, registered as {level}")


def waived_without_record(survey: Survey) -> Faults:
    """INV-AD-3: who waived, retained or lost the admission has no record."""
    freshmen = survey.cases("freshman-record-registration")
    registered = {row.student for row in freshmen if row.state in _REGISTERED_FRESHMEN}
    for row in freshmen:
        if row.state not in ("qualification_waived", "qualification_retained", "qualification_cancelled"):
            continue
        for record in _records(survey, row.student):
            if record[1] != "withdrawn" and row.student not in registered:
                yield row.id, Flaw(0, "放弃、保留或取消入学资格而有学籍", "not admitted, and yet there is a record")


def _records(survey: Survey, student: int | None) -> list[tuple[int, str]]:
    sql = "SELECT c.id, c.state FROM student s JOIN cases c ON c.id = s.record WHERE s.id = ?"
    return [(int(str(case)), str(state)) for case, state in survey.connection.execute(sql, (student or 0,)).fetchall()]


def transfers_fit(survey: Survey) -> Faults:
    """INV-SC-1: what was accepted was proposed under the same rules: no approval without release and acceptance."""
    for row in survey.cases("school-transfer"):
        if row.state == "approved":
            steps = {one.data.trigger for one in survey.taken(row.id, "submit", "accept", "record_acceptance")}
            if "submit" not in steps or len(steps) == 1:
                yield row.id, Flaw(0, "未经转入方同意即批准", "approved without acceptance")


def courses_once(survey: Survey) -> Faults:
    """INV-CR-1: no course of a student twice."""
    seen: Counter[tuple[int | None, object]] = Counter()
    for row in survey.cases("course-registration"):
        course = row.fields.get("course_id")
        seen[row.student, course] += 1
        if seen[row.student, course] > 1:
            yield row.id, Flaw(0, f"课程 {course} 重复注册", f"course {course} is there twice")


def singly_with_own_image(survey: Survey) -> Faults:
    """INV-WD-1: each withdrawal on CHSI by itself and with an image of its own; batches stated = batches there."""
    images: dict[str, int] = {}
    moments: dict[tuple[str, str], int] = {}
    for row in survey.cases("chsi-withdrawal"):
        if row.state != "processed_on_chsi":
            continue
        sql = "SELECT sha256 FROM document WHERE case_id = ? AND kind = 'E-WD' AND NOT withdrawn"
        found = [str(one[0]) for one in survey.connection.execute(sql, (row.id,)).fetchall()]
        if len(found) != 1 or images.setdefault(found[0], row.id) != row.id:
            yield row.id, Flaw(0, "没有自己的一张申请表图片", "no single image of its own")
        for one in survey.taken(row.id, "process_single"):
            if moments.setdefault((one.actor, one.at), row.id) != row.id:
                yield row.id, Flaw(one.seq, "成批办理", "processed together with another")
    for row in survey.cases("chsi-withdrawal.term_report"):
        stated, there = row.fields.get("batches_stated"), len(members_of(survey.connection, row.id))
        if row.state != "collecting" and stated != there:
            yield row.id, Flaw(0, f"报告 {stated} 批，系统 {there} 批", f"{stated} batches stated, {there} there")


def nothing_for_automatic(survey: Survey) -> Faults:
    """INV-WD-2: no certificate and no transcript for who was withdrawn automatically."""
    gone = {row.student: row.entered_at for row in survey.cases("automatic-withdrawal") if row.state == "deregistered"}
    for workflow, state in (("transcript-issue", "issued"), ("record-annotation", "recorded")):
        for row in survey.cases(workflow):
            is_paper = workflow == "transcript-issue" or row.fields.get("kind") in _CERTIFICATES
            if row.state == state and is_paper and row.entered_at > gone.get(row.student, "~"):
                yield row.id, Flaw(0, "自动退学者仍出具证明", "a paper for somebody withdrawn automatically")


_CERTIFICATES = ("incomplete_study", "certificate_of_study")


def three_transcripts(survey: Survey) -> Faults:
    """INV-TR-1: at most three transcripts for fairs."""
    issued: Counter[int | None] = Counter()
    for row in survey.cases("transcript-issue"):
        if row.state == "issued" and row.fields.get("purpose") == "job_fair":
            issued[row.student] += 1
            if issued[row.student] > _MOST_TRANSCRIPTS:
                yield row.id, Flaw(0, "第四份成绩证明", "a fourth transcript")


_MOST_TRANSCRIPTS = 3


def sheet_in_form(survey: Survey) -> Faults:
    """INV-EX-1: exempted subjects are 69 and 71, centre codes have 8 digits."""
    for row in survey.cases("online-exam-exemption-list"):
        subject, centre = row.fields.get("subject_code"), row.fields.get("centre_code")
        if subject not in ("69", "71"):
            yield row.id, Flaw(0, f"免考科目代码 {subject}", f"exempted subject {subject}")
        if centre is not None and not re.fullmatch(r"[0-9]{8}", str(centre)):
            yield row.id, Flaw(0, f"学习中心代码 {centre}", f"code of the centre {centre}")


def _day(at: str) -> date:
    return datetime.fromisoformat(at).astimezone(SHANGHAI).date()
