"""The invariants an auditor checks (requirements.md 7), by id over a whole database, and those definitions declare.

Three kinds of check: over the history of each case, over the rows of all cases together, and by a definition's own
`invariants`. They speak of what the trail says; whether the trail is sound, `engine.replay` has said before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from engine.actors import EXAMINER
from engine.auditing import access, clocks, erased, proofs, steps, wholes
from engine.auditing.ground import Flaw, ground_of
from engine.auditing.history import histories
from engine.auditing.proofs import Each
from engine.auditing.wholes import Survey, Whole
from engine.definition import Definition
from engine.desk import Desk
from engine.expressions.compiling import Expression, compile_expression
from engine.records import Request, Sentence
from engine.sight import Seeing
from engine.steps import Machine
from engine.store.cases import read_cases
from engine.store.database import Connection, open_engine
from engine.trail.event import chain_name

_CHUNK = 500


class Fault(NamedTuple):
    """A case at fault: its chain, the event (0: as it stands) and why, in both languages."""

    chain: int
    seq: int
    why: Sentence

    @property
    def case(self) -> str:
        """The case by its number; a student or the registry by the name of the chain."""
        return chain_name(self.chain).removeprefix("case/")


Faults = dict[str, list[Fault]]
"""The cases at fault, by invariant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One invariant: what it says, where it comes from, and how it is checked.

    Attributes:
        id: As in requirements.md 7.
        title: What holds.
        source: The clauses it comes from.
        each: Checks over the history of one case.
        whole: Checks over the rows of all cases.
        elsewhere: Who else checks it, or what cannot be checked yet.
    """

    id: str
    title: Sentence
    source: tuple[str, ...]
    each: tuple[Each, ...] = ()
    whole: tuple[Whole, ...] = ()
    elsewhere: Sentence | None = None

    @property
    def is_checked(self) -> bool:
        """Whether anything can be checked yet, here or by a definition or replay."""
        return bool(self.each or self.whole) or self.elsewhere in (_told(_DECLARED), _told(_REPLAYED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What came of one invariant."""

    invariant: Invariant
    faults: tuple[Fault, ...] = ()


def _one(
    name: str,
    title: tuple[str, str],
    source: str,
    *,
    each: Sequence[Each] = (),
    whole: Sequence[Whole] = (),
    elsewhere: tuple[str, str] | None = None,
) -> Invariant:
    return Invariant(
        id=name,
        title=Sentence(zh=title[0], en=title[1]),
        source=tuple(source.split()),
        each=tuple(each),
        whole=tuple(whole),
        elsewhere=None if elsewhere is None else _told(elsewhere),
    )


def _told(words: tuple[str, str]) -> Sentence:
    return Sentence(zh=words[0], en=words[1])


_DECLARED = ("由定义声明，逐办件核对", "declared by the definition and checked for each of its cases")
_REPLAYED = ("链、哈希、MAC 与重放由回放核对", "chains, hashes, MACs and the fold are checked by replay itself")

CATALOGUE: tuple[Invariant, ...] = (
    _one("INV-ID-1", ("同一人同一学习时段只有一个学籍", "One record per person and study period"), "S002-7.1",
         whole=[wholes.one_record_a_period]),
    _one("INV-ID-2", ("学籍号、证书编号、注册证号唯一", "Record, certificate and registration numbers are unique"),
         "S001-C-1.4 S001-E-1.2", whole=[wholes.numbers_unique]),
    _one("INV-ST-1", ("学籍恰在八种状态之一，且等于留痕重放的结果",
          "The record is in one of its states, as its log says"),
         "card", each=[steps.in_one_state], elsewhere=_REPLAYED),
    _one("INV-ST-2", ("退学与已注册不再变动", "Withdrawn and registered are never left"), "S000-3.8c S004-5.1b",
         elsewhere=_DECLARED),
    _one("INV-ST-3", ("到已注册须依次经申请、两级审批、审核、注册", "The steps to registered are taken in order"),
         "S001-I-6.2", elsewhere=_DECLARED),
    _one("INV-ST-4", ("每一步都在本级待办、由本岗位人员办理", "Every step is taken in its queue by its role"),
         "S003 S001-I-6", each=[steps.entitled]),
    _one("INV-AP-1", ("一人不得在两级审批同一申请，也不得审批自己的申请",
          "Nobody approves twice over, or what they filed"),
         "G-SG-08", each=[steps.kept_apart]),
    _one("INV-AP-2", ("重复审批被拒绝", "Nobody approves the same twice"), "[d]", each=[steps.never_twice]),
    _one("INV-AP-3", ("被拒的步骤也留痕，并写明未通过的条件", "A refusal says which guards failed"), "card",
         each=[steps.refusals_say_why]),
    _one("INV-SIGN-1", ("学籍卡、登记表、签名均出自本人账号",
          "Card, form and signature come from the student's account"),
         "S000-3.3 S000-3.8a", each=[steps.by_own_account]),
    _one("INV-SIGN-2", ("代签只在流程允许处，且有登记的委托",
          "Others sign only where allowed, by recorded delegation"),
         "S004-6.3 S001-D-1.5", each=[steps.lent_and_recorded]),
    _one("INV-SIGN-3", ("每份名单的签字与印章齐全、次序正确", "Every list has its signatures and seals in order"),
         "S003",
         each=[steps.all_signatures]),
    _one("INV-GR-1", ("申请时各条件均具备，所见的值随步骤存下",
          "Every applicant satisfied all guards; inputs are kept"),
         "S000-2", each=[proofs.APPLIED.check]),
    _one("INV-GR-2", ("开放大学：无新华社照片不申请，无电子照片不审批", "No application without Xinhua photo"),
         "S001-I-6.6 S001-I-6.8", each=[proofs.XINHUA.check, proofs.ELECTRONIC.check]),
    _one("INV-GR-3", ("专科生没有学位申请", "No 专科 student has a degree application"), "S001-I-6.4",
         whole=[wholes.no_degree_for_juniors], elsewhere=_DECLARED),
    _one("INV-GR-4", ("上报名单上的人均经初审与两级审批，人数与名单一致",
          "The upload list has those approved, all of them"),
         "S001-I-6.0b S001-I-6.11", each=[proofs.CHECKED_AND_APPROVED.check, proofs.UPLOAD_AGREES.check],
         whole=[wholes.upload_list_complete]),
    _one("INV-GR-5", ("学业水平考试只要求2022级专科与专升本", "The level examination is asked of 2022 only"),
         "S000-2.4",
         each=[proofs.level_exam_only_where_due]),
    _one("INV-LIST-1", ("确认与不办理名单互不重叠、合为全体", "Tables 2 and 3 are disjoint and make table 1"),
         "S000-3.7",
         each=[proofs.EVERYBODY_DECIDED.check, proofs.confirmed_or_left_out], whole=[wholes.lists_cover_everybody]),
    _one("INV-CT-1", ("一人至多一份学历，只有毕业与结业", "One credential a student, graduation or completion"),
         "S002-13.2 S002-14.1", each=[proofs.one_credential, proofs.FIRST_CREDENTIAL.check],
         whole=[wholes.one_credential_each]),
    _one("INV-CT-2", ("发证日期等于毕业日期，之前不可查询", "Issued on graduation day, no query before"), "S002-16",
         each=[proofs.ISSUED_ON_THE_DAY.check], whole=[wholes.not_before_issue], elsewhere=_DECLARED),
    _one("INV-CT-3", ("注册与证书一致、各项与照片齐全", "Registered data equals the certificate, nothing missing"),
         "S002-15 S004-5.1a", each=[proofs.CREDENTIAL_AGREES.check], elsewhere=_DECLARED),
    _one("INV-CT-4", ("证书只为已归档名册上的学生打印", "Printed only for students in the archived book"), "S003-5.6",
         each=[proofs.IN_BOOK.check, proofs.printed_from_the_book]),
    _one("INV-PUB", ("开通查询后只标注，不更改", "After publication only annotations"), "S004-5.1b",
         each=[proofs.only_annotated], whole=[wholes.facts_closed("not-published", "publish")]),
    _one("INV-ARC", ("毕业后档案不变", "The file is unchanged after graduation"), "S000-3.8c",
         each=[proofs.frozen_file], whole=[wholes.facts_closed("file-not-frozen", "register")]),
    _one("INV-AN-1", ("每学年至多一次学年注册，自入学次年第一学期起",
          "One annual registration a year, from the second"),
         "S002-10.1", each=[proofs.DUE_THIS_YEAR.check], whole=[wholes.once_a_year]),
    _one("INV-AN-2", ("补注册须先暂缓，注册须已缴费", "Made up only after deferral; registered only with fees paid"),
         "S002-11", each=[proofs.FEES_PAID.check], elsewhere=_DECLARED),
    _one("INV-AN-3", ("上学年每次学籍变动恰好标注一次", "Every change of last year is annotated once"), "S002-10.3",
         each=[proofs.annotated_once, proofs.LAST_YEAR_SETTLED.check]),
    _one("INV-DR-1", ("决定后15个工作日内注销，否则记为逾期", "De-registered within 15 working days, or marked late"),
         "S002-12.3", whole=[wholes.in_time(
             ("record-deregistration", "voluntary-withdrawal", "automatic-withdrawal"), "D-10", ("deregister",))]),
    _one("INV-AD-1", ("审查不合格不注册，复查三个月内出结果", "No registration unchecked; re-check in three months"),
         "S002-4 S003-2.1", each=[proofs.RECHECKED.check],
         whole=[wholes.checked_before_registered,
                wholes.in_time(("admission-qualification-recheck",), "D-11", ("no_doubt", "clear", "fail"))]),
    _one("INV-AD-2", ("预科录取不直接注册为本专科", "Preparatory admission is never registered directly"), "S002-5.1",
         each=[proofs.PREPARATORY.check], whole=[wholes.preparatory_first]),
    _one("INV-AD-3", ("放弃、保留、取消入学资格者没有学籍", "Who waived, retained or lost admission has no record"),
         "S002-4.4", each=[proofs.NOT_WAIVED.check], whole=[wholes.waived_without_record], elsewhere=_DECLARED),
    _one("INV-SC-1", ("不跨学生类别转学，专业相同且转入处开设",
          "Transfers keep type and major, which is offered there"),
         "S001-I-2", each=[proofs.FITTING_TRANSFER.check], whole=[wholes.transfers_fit]),
    _one("INV-CR-1", ("异动期间不注册课程，不提前、不重复", "No course during a change, too early, or twice"),
         "S001-I-4",
         each=[proofs.COURSE_IN_ITS_TERM.check], whole=[wholes.courses_once]),
    _one("INV-WD-1", ("学信网退学逐人逐图，报告批次数等于系统批次数", "Withdrawals on CHSI singly, with own image"),
         "S001-I-3.1 S001-I-3.12", each=[proofs.OWN_IMAGE.check, proofs.BATCHES_AGREE.check],
         whole=[wholes.singly_with_own_image]),
    _one("INV-WD-2", ("自动退学者没有肄业证书、退学证明、成绩单", "No papers for automatic withdrawals"),
         "S001-D-1.4",
         each=[proofs.NOT_AUTOMATIC.check, proofs.NO_CERTIFICATE.check], whole=[wholes.nothing_for_automatic]),
    _one("INV-TR-1", ("招聘会用途至多三份成绩证明", "At most three transcripts for fairs"), "S001-D-2.3",
         each=[proofs.TRANSCRIPTS_LEFT.check], whole=[wholes.three_transcripts]),
    _one("INV-IC-1", ("信息修改均有应附证据，变更日期不晚于毕业", "Changed information has its evidence"), "S001-I-5",
         each=[proofs.EVIDENCE.check, proofs.changed_with_evidence]),
    _one("INV-EX-1", ("免考科目、中心代码与结束行合规", "Exemption codes, centre code and last row are in form"),
         "S001-I-1", each=[proofs.EXEMPTED.check, proofs.SHEET_ENDS.check], whole=[wholes.sheet_in_form]),
    _one("INV-DL-1", ("每一步不晚于期限，否则记为逾期；延期留痕", "In time or marked late; extensions are logged"),
         "all", each=[clocks.late_is_marked]),
    _one("INV-DL-2", ("每次提醒只发一遍，已办结的不再提醒", "Each reminder once; none for finished cases"), "card",
         each=[clocks.told_once]),
    _one("INV-LOG-1", ("留痕只增不改、连续有序、可查篡改", "The log is append-only, in sequence, tamper-evident"),
         "card",
         each=[steps.told_in_full], elsewhere=_REPLAYED),
    _one("INV-LOG-2", ("每一事件按当时有效的版本判断", "Every event is judged by the version in force"), "S002-22",
         each=[steps.judged_in_force]),
    _one("INV-ACC-1", ("个人信息只由有权岗位读取，查看留痕",
          "Personal data is read by authorised roles only, and logged"),
         "S001-E-4 S001-H-2.3",
         each=[access.seen_by_right, access.noted_by_right], whole=[erased.erased_by_right],
         elsewhere=("材料逐次核对；屏幕上查看学生信息尚不登记",
                    "every look at a document is checked; facts shown on screen leave no look yet")),
)  # fmt: skip
"""Every invariant of part 7, in its order."""


def audit_part(part: tuple[str, tuple[int, int]]) -> Faults:
    """Check the histories of a range on a connection of its own: (database URL, span); what each process runs."""
    url, span = part
    engine = open_engine(url)
    connection = Connection(engine)
    try:
        return audit_histories(connection, span)
    finally:
        connection.close()
        engine.dispose()


def audit_histories(connection: Connection, span: tuple[int, int]) -> Faults:
    """The faults in the histories of the cases from `span[0]` to `span[1]`, both included."""
    found: Faults = {}
    checks = [(one.id, check) for one in CATALOGUE for check in one.each]
    with connection.reading():
        ground = ground_of(connection)
        for history in histories(connection, span, ground.definitions):
            for name, check in checks:
                for flaw in check(history, ground):
                    _add(found, name, history.chain, flaw)
            if history.definition.invariants:
                for name, flaw in steps.declared(history, ground):
                    _add(found, name, history.chain, flaw)
    return found


def audit_rows(desk: Desk, at: datetime) -> Faults:
    """The faults between the rows of all cases, and of the conditions that definitions declare.

    Args:
        desk: Where the cases are worked.
        at: The moment that conditions take for now.
    """
    found: Faults = {}
    desk.refresh()
    with desk.connection.reading():
        survey = Survey(desk=desk, ground=ground_of(desk.connection), at=at)
        for one in CATALOGUE:
            for check in one.whole:
                for chain, flaw in check(survey):
                    _add(found, one.id, chain, flaw)
        for shape, definition in survey.ground.definitions.items():
            for name, chain in _not_holding(survey, shape, definition):
                _add(found, name, chain, Flaw(0, "声明的条件不成立", "what the definition declares does not hold"))
    return found


def _add(found: Faults, name: str, chain: int, flaw: Flaw) -> None:
    found.setdefault(name, []).append(Fault(chain, flaw.seq, Sentence(zh=flaw.zh, en=flaw.en)))


def _not_holding(survey: Survey, shape: str, definition: Definition) -> Iterator[tuple[str, int]]:
    """The cases of a definition for which a condition it declares is false as they stand."""
    texts = {name: one.holds for name, one in definition.invariants.items() if one.holds is not None}
    rows = survey.connection.execute("SELECT id FROM cases WHERE shape = ? ORDER BY id", (shape,)).fetchall()
    ids = [int(str(row[0])) for row in rows] if texts else []
    compiled: dict[int, Mapping[str, Expression]] = {}
    for start in range(0, len(ids), _CHUNK):
        for case, found in read_cases(survey.connection, ids[start : start + _CHUNK]).items():
            machine = survey.desk.machine_for(found.case, {})
            conditions = compiled.setdefault(id(machine), _compiled(machine, texts))
            sight = Seeing(survey.desk, machine, found, Request(trigger="", actor=EXAMINER, at=survey.at))
            for name, condition in conditions.items():
                if condition.evaluate(machine.decoded(sight.see((), condition.reads))) is False:
                    yield name, case


def _compiled(machine: Machine, texts: Mapping[str, str]) -> Mapping[str, Expression]:
    found = {name: compile_expression(text, machine.scope, machine.derived) for name, text in texts.items()}
    machine.readings |= {reading.key: reading for one in found.values() for reading in one.readings}
    return found


def together(parts: Sequence[Faults]) -> tuple[Audited, ...]:
    """Every invariant with its faults, in the order of part 7, then those that only definitions declare."""
    faults: Faults = {}
    for part in parts:
        for name, some in part.items():
            faults.setdefault(name, []).extend(some)
    known = {one.id for one in CATALOGUE}
    further = [_one(name, (name, name), "") for name in sorted(faults.keys() - known)]
    return tuple(
        Audited(invariant=one, faults=tuple(sorted(set(faults.get(one.id, ())), key=lambda fault: fault[:2])))
        for one in (*CATALOGUE, *further)
    )
