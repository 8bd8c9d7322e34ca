"""Aids for auditors: a sample drawn, findings looked for, notes written and read; every one of them is an event."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from console.calling import Caller, Misuse, Sitting
from console.printing import document, line, note, stacked, table
from engine.auditing.findings import CODES, called, findings
from engine.auditing.found import Finding, Limits, shown
from engine.auditing.papers import Conclusion, Paper, concluded, papers
from engine.auditing.sampling import ALGORITHM, Sample
from engine.auditing.scope import Scope
from engine.casework import find_case
from engine.errors import Unknown, Unreadable
from engine.exporting import exported, reach_of
from engine.noting import Plan, Remark, draw_sample, note_batch, note_case
from engine.records import Json, case_of
from engine.store import leaves, registry
from engine.store.cases import read_case
from engine.trail.event import Written
from engine.trail.notes import Checkpoint
from exchange.working_papers import ERASED, SAID, papers_pdf

NOTE, SAMPLE, FINDINGS, PAPERS = "audit:note", "audit:sample", "audit:findings", "audit:papers"
"""What the trail calls the acts."""
_SEED_BYTES = 8
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAsked:
    """A sample as typed: percentages and the seed are still text."""

    batch: str
    login: str
    confidence: str
    error: str
    size: int | None
    seed: str | None
    by: str
    workflow: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAsked:
    """A note as typed: on a student's record, on a case, or on a batch; exactly one of them."""

    login: str
    text: str
    conclusion: str | None
    student_no: str | None
    case: str | None
    batch: str | None


def sample(caller: Caller, asked: SampleAsked, *, as_json: bool) -> int:
    """Draw a sample and say what was drawn, and how to draw it again.

    Raises:
        Unknown: If there is no such batch, workflow or kind of unit.
        Unreadable: If a percentage or the size cannot be one.
        NotAllowed: If the person is no auditor.
    """
    plan = Plan(
        batch=asked.batch,
        seed=asked.seed or secrets.token_hex(_SEED_BYTES),
        workflow=asked.workflow,
        by=asked.by,
        size=asked.size,
        confidence=_percent("--confidence", asked.confidence),
        error=_percent("--error", asked.error),
    )
    with caller.sitting() as sitting:
        drawn = draw_sample(sitting.desk, plan, sitting.request(SAMPLE, sitting.desk.actor(asked.login)))
        if as_json:
            document(_sample_document(plan, drawn))
        else:
            _show_sample(sitting, plan, drawn)
    return 0


def _percent(name: str, text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as problem:
        raise Unreadable(name, text, "百分数，如 95 a percentage, such as 95") from problem


def _sample_document(plan: Plan, drawn: Sample) -> dict[str, object]:
    return {
        "batch": plan.batch,
        "workflow": plan.workflow,
        "seed": drawn.seed,
        "algorithm": ALGORITHM,
        "population": drawn.population,
        "population_sha256": drawn.digest,
        "strata": [
            {"unit": one.unit, "population": one.population, "cases": list(one.drawn)} for one in drawn.strata
        ],
        "cases": list(drawn.cases),
    }  # fmt: skip


def _show_sample(sitting: Sitting, plan: Plan, drawn: Sample) -> None:
    units = sitting.desk.units()
    line(f"批次 {plan.batch}：{drawn.population} 件中抽取 {len(drawn.cases)} 件 drawn", style="bold")
    line(f"种子 seed {drawn.seed}　算法 {ALGORITHM}：printf '%s' {drawn.seed}:办件号 | sha256sum，各单位取最小者。")
    line("The smallest hashes of SEED:CASE in each unit are drawn; the same seed draws the same cases again.")
    names = {code: f"{row.name} {code}" for code, row in units.items()}
    rows = [(names[one.unit], one.population, len(one.drawn), _wrapped(one.drawn)) for one in drawn.strata]
    table(("单位 unit", "办件 cases", "抽取 drawn", "抽中 which"), rows)


def _wrapped(numbers: Iterable[str]) -> str:
    """Case numbers, four a line."""
    listed = list(numbers)
    return "\n".join(" ".join(listed[start : start + 4]) for start in range(0, len(listed), 4))


def look_for(
    caller: Caller,
    scope: tuple[str | None, str | None],
    limits: Limits,
    only: Collection[str],
    *,
    as_json: bool,
) -> int:
    """Look for findings in a batch or in everything.

    Args:
        caller: Which database, what time.
        scope: The batch, and the auditor in whose name it is looked for: only at and below the own units then, and
            the trail says so. None for either: everything, and nobody's.
        limits: From where on something is found.
        only: The codes looked for; empty for all.
        as_json: Print one document.

    Returns:
        1 if anything was found.

    Raises:
        Unknown: If there is no such batch or code.
        NotAllowed: If the person is no auditor.
    """
    batch, login = scope
    with caller.sitting() as sitting:
        found = findings(sitting.desk, scope_for(sitting, FINDINGS, batch, login), limits, sitting.at, only)
        names = called(sitting.desk.connection, found)
        if login is not None:
            keep_read(sitting, FINDINGS, login, {"batch": batch, "counts": {"findings": len(found)}})
        if as_json:
            document({"findings": [finding_document(one, names) for one in found]})
        else:
            _show_findings(found, names)
    return 1 if found else 0


def scope_for(sitting: Sitting, trigger: str, batch: str | None, login: str | None) -> Scope:
    """The cases of a batch (None: of any) that a person may audit (None: all there are).

    Raises:
        Unknown: If there is no such batch or person.
        NotAllowed: If the person is no auditor.
    """
    desk = sitting.desk
    if batch is not None and desk.batch(batch) is None:
        raise Unknown("已发布批次 published batch", batch, registry.batches(desk.connection))
    if login is None:
        return Scope(batch=batch)
    reach = reach_of(desk, sitting.request(trigger, desk.actor(login)))
    return Scope(batch=batch, paths=tuple(one.path for one in reach))


def keep_read(sitting: Sitting, trigger: str, login: str, told: dict[str, Json]) -> None:
    """Keep in the registry's chain what an auditor is given to read; call before it is given."""
    head = leaves.latest(sitting.desk.connection)
    size = None if head is None else Checkpoint.parse(head.text).size
    exported(sitting.desk, sitting.request(trigger, sitting.desk.actor(login)), {**told, "size": size})


def finding_document(one: Finding, names: Mapping[str, str]) -> dict[str, object]:
    """A finding as JSON, its sentences with people by their names; the keys are a contract."""
    said = one.told(names)
    return {
        "code": one.code,
        "title": {"zh": CODES[one.code].zh, "en": CODES[one.code].en},
        "people": list(one.people),
        "at": one.at,
        "events": [{"case": place.case, "seqs": list(place.seqs)} for place in one.places],
        "zh": said.zh,
        "en": said.en,
    }


def _show_findings(found: Collection[Finding], names: Mapping[str, str]) -> None:
    if not found:
        line("没有发现。Nothing was found.", style="green")
        return
    for code, title in CODES.items():
        own = [one for one in found if one.code == code]
        if not own:
            continue
        line(f"{title.zh} {title.en}（{code}）：{len(own)}", style="bold")
        rows = [
            (
                shown(one.at).replace(" ", "\n"), "\n".join(one.who(names)), one.cases, stacked(one.told(names)),
            )
            for one in own
        ]  # fmt: skip
        table(("自 since", "何人 who", "办件 cases", "说明 what"), rows[:_MOST_SHOWN])
        if len(own) > _MOST_SHOWN:
            line(f"另有 {len(own) - _MOST_SHOWN} 项，--json 全部列出。More with --json.")
    line("发现是需要询问之处，不是结论。A finding is something to ask about, no conclusion.")


def write_note(caller: Caller, asked: NoteAsked) -> int:
    """Note something on a case or a batch; nothing of it changes.

    Raises:
        Misuse: If it is not said on what, or on several things.
        Unknown: If there is no such student, case, batch or conclusion.
        NotAllowed: If the person is no auditor at the unit or above.
    """
    if [asked.student_no, asked.case, asked.batch].count(None) != 2:  # noqa: PLR2004 all but one
        message = "请写学号、--case 或 --batch 之一。Give exactly one of STUDENT_NO, --case, --batch."
        raise Misuse(message)
    remark = Remark(text=asked.text, conclusion=_conclusion(asked.conclusion))
    with caller.sitting() as sitting:
        written = _noted(sitting, asked, remark)
    line(
        f"已记录，第 {written.seq} 号事件；文字已封存，办件未变。Noted as event {written.seq}, sealed; nothing changed."
    )
    return 0


def _conclusion(word: str | None) -> Conclusion | None:
    if word is None:
        return None
    if word not in list(Conclusion):
        raise Unknown("结论 conclusion", word, list(Conclusion))
    return Conclusion(word)


def _noted(sitting: Sitting, asked: NoteAsked, remark: Remark) -> Written:
    desk = sitting.desk
    request = sitting.request(NOTE, desk.actor(asked.login))
    if asked.batch is not None:
        return note_batch(desk, asked.batch, remark, request)
    if asked.student_no is not None:
        return note_case(desk, find_case(desk, asked.student_no), remark, request)
    case = case_of(asked.case or "")
    if case is None or read_case(desk.connection, case) is None:
        raise Unknown("办件 case", asked.case or "")
    return note_case(desk, case, remark, request)


def show_papers(caller: Caller, batch: str | None, login: str, pdf: Path | None, *, as_json: bool) -> int:
    """Show what was noted on a batch and its cases, as far as the person audits them, or write it as a PDF.

    Raises:
        Misuse: If the PDF is there already or has no folder.
        Unknown: If there is no such batch.
        NotAllowed: If the person is no auditor.
    """
    if pdf is not None:
        check_new(pdf)
    with caller.sitting() as sitting:
        scope = scope_for(sitting, PAPERS, batch, login)
        with sitting.desk.connection.reading():
            found = list(papers(sitting.desk.connection, scope))
        made = None if pdf is None else papers_pdf(found, batch, login, sitting.at)
        told: dict[str, Json] = {"batch": batch, "counts": {"papers": len(found)}}
        if made is not None:
            told["sha256"] = {"pdf": sha256(made).hexdigest()}
        keep_read(sitting, PAPERS, login, told)
    if pdf is not None and made is not None:
        pdf.write_bytes(made)
    if as_json:
        document({"papers": [_paper_document(one) for one in found]})
    elif pdf is None:
        _show_papers(found)
    else:
        line(f"已写入 written {pdf}：{len(found)} 条 notes")
    return 0


def check_new(path: Path) -> None:
    """Refuse a file that is there already, or has no folder, before anything is kept.

    Raises:
        Misuse: If so.
    """
    if path.exists() or not path.absolute().parent.is_dir():
        message = f"{path} 已存在或目录不存在，不覆盖。It is there already, or its folder is not; nothing is replaced."
        raise Misuse(message)


def _paper_document(one: Paper) -> dict[str, object]:
    return {
        "case": one.case, "batch": one.batch, "seq": one.seq, "at": one.at, "actor": one.actor, "unit": one.unit,
        "conclusion": one.conclusion, "text": one.text,
    }  # fmt: skip


def _show_papers(found: Collection[Paper]) -> None:
    if not found:
        line("没有记录。Nothing has been noted.")
        return
    rows = [_paper_row(one) for one in found]
    table(("办件 case", "时间 when", "审计员 who", "结论 conclusion", "记录 note"), rows)
    last = [paper.conclusion for paper in concluded(found).values()]
    note("、".join(f"{words} {last.count(one.value)}" for one, words in SAID.items()))


def _paper_row(one: Paper) -> tuple[str, str, str, str, str]:
    about = one.case or f"批次 {one.batch}"
    text = ERASED if one.text is None else one.text
    return about, shown(one.at).replace(" ", "\n"), one.actor, said_of(one.conclusion), text


def said_of(conclusion: str | None) -> str:
    """A conclusion in both languages; a dash for none."""
    return "—" if conclusion is None else SAID[Conclusion(conclusion)].replace(" ", "\n")
