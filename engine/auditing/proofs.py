"""Proofs: steps that some rule must have let through, and what was seen when it was asked.

Source: requirements.md 7; each line of the table names the invariant it serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.auditing.ground import Flaw, Ground
from engine.auditing.history import REFUSED, History
from engine.auditing.steps import Flaws
from engine.records import Json

RECORD = "record"
"""Stands for whichever workflow is the student's record."""
_ALLOWED = ("holds", "not_applicable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Steps of a workflow that these rules (empty: all of the step) must have let through.

    A rule that the profile's definition does not ask for there is no part of the proof; `seen` are values that the
    step must have been shown wherever the rule is asked.
    """

    workflow: str
    triggers: tuple[str, ...]
    rules: tuple[str, ...] = ()
    profile: str | None = None
    seen: Mapping[str, Json] = field(default_factory=dict)

    def check(self, history: History, ground: Ground) -> Flaws:
        """The steps of a case that lack their proof."""
        own = history.definition
        if self.profile not in (None, own.profile) or not (own.workflow == self.workflow or self._is_record(history)):
            return
        for one in history.taken(*self.triggers):
            asked = ground.guards(one.definition, one.data.trigger, one.rulebook)
            said = one.data.verdicts or {}
            for name in asked:
                if (not self.rules or name in self.rules) and said.get(name) not in _ALLOWED:
                    word = said.get(name, "未判断 not asked")
                    yield Flaw(
                        one.seq, f"“{one.data.trigger}”时条件“{name}”：{word}", f"{name} at {one.data.trigger}: {word}"
                    )
            if asked and not self.rules and one.data.seen is None and one.data.sealed is None:
                yield Flaw(one.seq, "没有留存判断所依据的值", "what the rules were given is not kept")
            yield from self._shown(asked, one.seq, one.data.seen or {})

    def _shown(self, asked: tuple[str, ...], seq: int, seen: Mapping[str, Json]) -> Iterator[Flaw]:
        for name, value in self.seen.items():
            if set(self.rules) & set(asked) and seen.get(name) != value:
                yield Flaw(seq, f"当时 {name} 为“{seen.get(name)}”", f"{name} was {seen.get(name)} then")

    def _is_record(self, history: History) -> bool:
        return self.workflow == RECORD and history.definition.record


def level_exam_only_where_due(history: History, _: Ground) -> Flaws:
    """INV-GR-5: the level examination is asked of 专科 and 专升本 of cohort 2022 and of nobody else."""
    for one in history.events:
        said = (one.data.verdicts or {}).get("level-exam-passed")
        seen = one.data.seen or {}
        if said is None or "cohort" not in seen or "level" not in seen:
            continue
        is_due = seen["cohort"] == _COHORT and seen["level"] in _LEVELS
        if is_due == (said == "not_applicable") or (is_due and one.kind != REFUSED and said != "holds"):
            whom = f"{seen['cohort']}级{seen['level']}"
            yield Flaw(one.seq, f"对{whom}的学业水平考试判为“{said}”", f"level examination of {whom}: {said}")


_COHORT, _LEVELS = 2022, ("专科", "专升本")


def one_credential(history: History, _: Ground) -> Flaws:
    """INV-CT-1: a record is registered once."""
    if history.definition.record:
        for one in list(history.taken("register"))[1:]:
            yield Flaw(one.seq, "学历重复注册", "the credential was registered twice")


def printed_from_the_book(history: History, _: Ground) -> Flaws:
    """INV-CT-4: a certificate is printed only after the book the student stands in was archived."""
    if history.definition.workflow != "credential-registration-fulltime":
        return
    is_archived = False
    for _before, one in history.steps():
        if one.data.trigger == "archive_row" and one.cause is not None:
            is_archived = True
        elif one.data.to == "expected":
            is_archived = False
        elif one.data.trigger == "print" and not is_archived:
            yield Flaw(one.seq, "不在已归档名册而打印证书", "printed before the book was archived")


def only_annotated(history: History, _: Ground) -> Flaws:
    """INV-PUB: a record that is open for query is annotated and nothing else."""
    if not history.definition.record:
        return
    is_published = False
    for _before, one in history.steps():
        if is_published and not one.data.trigger.startswith("annotate_"):
            yield Flaw(one.seq, f"开通查询后办理“{one.data.trigger}”", f"{one.data.trigger} after publication")
        is_published = is_published or one.data.trigger == "publish"


def frozen_file(history: History, _: Ground) -> Flaws:
    """INV-ARC: a graduation file that is frozen has no later step and no document put on or taken off."""
    if history.definition.workflow != "graduation-file-completion":
        return
    for state, one in zip(history.before, history.events, strict=True):
        if state == "frozen" and one.kind != REFUSED:
            yield Flaw(one.seq, f"封存后仍有“{one.kind}”", f"{one.kind} after the file was frozen")


def annotated_once(history: History, _: Ground) -> Flaws:
    """INV-AN-3: a change of status is written to the record by one step, once."""
    definition = history.definition
    writing = [name for name, one in definition.transitions.items() if "student.last_change" in one.assigns]
    if definition.family != "status-change" or not writing:
        return
    for count, one in enumerate(history.taken(*writing)):
        if count:
            yield Flaw(one.seq, "同一异动重复标注", "one change is annotated twice")
        if "last_change" not in (one.data.facts or ()):
            yield Flaw(one.seq, "异动没有标注到学籍", "the change is not annotated on the record")


def confirmed_or_left_out(history: History, _: Ground) -> Flaws:
    """INV-LIST-1: on a list, a student is either confirmed or left out, not both."""
    if history.definition.workflow != "graduation-eligibility-review":
        return
    sides: set[str] = set()
    for _before, one in history.steps():
        if one.data.trigger == "review_again":
            sides.clear()
        elif one.data.trigger in ("confirm", "leave_out"):
            sides.add(one.data.trigger)
            if len(sides) > 1:
                yield Flaw(one.seq, "既列入确认名单又列入不办理名单", "both confirmed and left out")


def changed_with_evidence(history: History, _: Ground) -> Flaws:
    """INV-IC-1: information is changed only once its evidence was checked since it was handed in."""
    if history.definition.workflow != "student-information-change":
        return
    is_checked = False
    for _before, one in history.steps():
        if one.data.trigger in ("check_evidence", "check_evidence_late"):
            is_checked = True
        elif one.data.to in ("drafted", "returned"):
            is_checked = False
        elif one.data.trigger in ("apply_on_chsi", "close") and not is_checked:
            yield Flaw(one.seq, "未核验证据即修改信息", "changed without evidence that was checked")


Each = Callable[[History, Ground], Iterator[Flaw]]

APPLIED = Proof(workflow=RECORD, triggers=("apply",))
XINHUA = Proof(
    workflow=RECORD, triggers=("apply",), rules=("xinhua-photo",), profile="open-university",
    seen={"photo_collected": True, "photo_vendor": "新华社"},
)  # fmt: skip
ELECTRONIC = Proof(
    workflow=RECORD, triggers=("site_approve",), rules=("electronic-photo",), profile="open-university",
    seen={"electronic_photo": True},
)  # fmt: skip
CHECKED_AND_APPROVED = Proof(
    workflow=RECORD, triggers=("provincial_audit",), rules=("preliminary-passed", "both-approvals"),
    profile="open-university",
)  # fmt: skip
UPLOAD_AGREES = Proof(
    workflow="diploma-registration.upload_list", triggers=("confirm_count",), rules=("upload-list-agrees",)
)
EVERYBODY_DECIDED = Proof(
    workflow="graduation-eligibility-review.site_list", triggers=("close",), rules=("every-student-decided",)
)
CREDENTIAL_AGREES = Proof(
    workflow=RECORD, triggers=("register", "publish"),
    rules=("certificate-agrees", "certificate-complete", "photo-present"),
)  # fmt: skip
FIRST_CREDENTIAL = Proof(workflow=RECORD, triggers=("register",), rules=("first-credential", "certificate-kind"))
ISSUED_ON_THE_DAY = Proof(workflow=RECORD, triggers=("register",), rules=("issued-on-graduation-day",))
IN_BOOK = Proof(workflow="credential-registration-fulltime", triggers=("print",), rules=("in-archived-book",))
DUE_THIS_YEAR = Proof(workflow="annual-registration", triggers=("open_year",), rules=("due-for-annual-registration",))
FEES_PAID = Proof(
    workflow="annual-registration", triggers=("register_at_college", "make_up"),
    rules=("annual-conditions-met", "made-up-after-deferral"),
)  # fmt: skip
LAST_YEAR_SETTLED = Proof(
    workflow="annual-registration", triggers=("e_register", "merge_finance"), rules=("last-year-settled",)
)
RECHECKED = Proof(
    workflow="freshman-record-registration", triggers=("student_sign", "register"),
    rules=("check-passed", "recheck-passed"),
)  # fmt: skip
PREPARATORY = Proof(workflow="freshman-record-registration", triggers=("register",), rules=("preparatory-level",))
NOT_WAIVED = Proof(
    workflow="freshman-record-registration", triggers=("student_sign", "register"), rules=("not-annotated",)
)
FITTING_TRANSFER = Proof(
    workflow="school-transfer", triggers=("submit", "accept"),
    rules=("same-major", "same-student-type", "major-offered-at-target"),
)  # fmt: skip
COURSE_IN_ITS_TERM = Proof(
    workflow="course-registration", triggers=("plan", "register", "move_later"),
    rules=("no-open-status-change", "not-before-its-term", "in-its-term", "not-yet-registered"),
)  # fmt: skip
OWN_IMAGE = Proof(
    workflow="chsi-withdrawal", triggers=("complete_material", "resubmit"), rules=("one-picture",)
)  # fmt: skip
BATCHES_AGREE = Proof(workflow="chsi-withdrawal.term_report", triggers=("close",), rules=("batches-agree",))
NOT_AUTOMATIC = Proof(
    workflow="transcript-issue", triggers=("request", "issue"), rules=("not-withdrawn-automatically",)
)
NO_CERTIFICATE = Proof(
    workflow="record-annotation", triggers=("propose", "record_entry"),
    rules=("no-certificate-after-automatic-withdrawal",),
)  # fmt: skip
TRANSCRIPTS_LEFT = Proof(workflow="transcript-issue", triggers=("request", "issue"), rules=("transcripts-left",))
EVIDENCE = Proof(
    workflow="student-information-change",
    triggers=("draft", "resubmit", "check_evidence", "check_evidence_late"),
    rules=("evidence-complete", "change-before-graduation"),
)
EXEMPTED = Proof(
    workflow="online-exam-exemption-list", triggers=("find_gap", "add_row"),
    rules=("exempted-subject", "centre-code-of-8-digits"),
)  # fmt: skip
SHEET_ENDS = Proof(workflow="online-exam-exemption-list.sheet", triggers=("submit",), rules=("sheet-ends-once",))
