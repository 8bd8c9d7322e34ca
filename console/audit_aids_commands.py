"""The commands that help an auditor: sample, findings, notes, papers, report (`console.commands`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.people_commands import caller_for

if TYPE_CHECKING:
    from engine.auditing.found import Limits

Auditor = Annotated[str, typer.Option("--as", metavar="AUDITOR", help="以哪位审计员的身份，留痕 Which auditor; kept.")]
AuditorOrNot = Annotated[
    str | None, typer.Option("--as", metavar="AUDITOR", help="以哪位审计员的身份，限其单位并留痕 Own units only; kept.")
]
TheBatch = Annotated[str, typer.Option("--batch", metavar="B", help="批次 The batch.")]
BatchOrNot = Annotated[str | None, typer.Option("--batch", metavar="B", help="批次 Of a batch.")]
AsJson = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档 One JSON document on standard output.")]
Seconds = Annotated[
    int, typer.Option("--seconds", metavar="N", min=1, help="逐件间隔少于 N 秒为过快 Below it nobody reads.")
]
Bulk = Annotated[int, typer.Option("--bulk", metavar="N", min=2, help="一秒内 N 件为批量 So many a second are bulk.")]
Pairs = Annotated[int, typer.Option("--pairs", metavar="N", min=2, help="固定搭档至少 N 件 So many make a pair.")]


def _limits(seconds: int, bulk: int, pairs: int) -> Limits:
    from engine.auditing.found import Limits

    return Limits(reading_seconds=seconds, bulk_least=bulk, pair_least=pairs)


def audit_sample(
    ctx: typer.Context,
    *,
    batch: TheBatch,
    login: Auditor,
    confidence: Annotated[str, typer.Option(metavar="C", help="置信度，百分数 Confidence in percent.")] = "95",
    error: Annotated[str, typer.Option(metavar="E", help="可容忍误差，百分数 Tolerable error in percent.")] = "5",
    size: Annotated[int | None, typer.Option(metavar="N", help="样本量，代替前两项 Instead of these two.")] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="S", help="种子，默认随机 The seed; default: a random one.")
    ] = None,
    by: Annotated[str, typer.Option(metavar="UNIT", help="按 unit 或单位类别分层 unit, or a kind of unit.")] = "unit",
    workflow: Annotated[str | None, typer.Option(metavar="W", help="只抽此流程 Of this workflow only.")] = None,
    as_json: AsJson = False,
) -> int:
    """分层抽样，任何人可重算，留痕。A stratified sample that anybody can draw again; kept in the trail."""
    from console import audit_aids

    asked = audit_aids.SampleAsked(
        batch=batch, login=login, confidence=confidence, error=error, size=size, seed=seed, by=by, workflow=workflow,
    )  # fmt: skip
    return audit_aids.sample(caller_for(ctx), asked, as_json=as_json)


def audit_findings(
    ctx: typer.Context,
    *,
    batch: BatchOrNot = None,
    only: Annotated[list[str] | None, typer.Option(metavar="CODE", help="只查这些 Only these; repeat.")] = None,
    login: AuditorOrNot = None,
    seconds: Seconds = 20,
    bulk: Bulk = 10,
    pairs: Pairs = 10,
    as_json: AsJson = False,
) -> int:
    """可疑之处：过快、批量、非工作时间、同一人两级……。What to ask about; exit code 1 if there is anything."""
    from console import audit_aids

    limits = _limits(seconds, bulk, pairs)
    return audit_aids.look_for(caller_for(ctx), (batch, login), limits, only or (), as_json=as_json)


def audit_note(
    ctx: typer.Context,
    student_no: Annotated[str | None, typer.Argument(metavar="[STUDENT_NO]", help="学号：其学籍 The record.")] = None,
    *,
    login: Auditor,
    text: Annotated[
        str,
        typer.Option(
            metavar="T",
            help="文字；封存，办件人不可见；仍请勿写证件号、病情 Sealed and not shown to the people of the case;"
            " even so, no ID numbers and no illnesses.",
        ),
    ],
    case: Annotated[str | None, typer.Option("--case", metavar="NO", help="办件号 A case.")] = None,
    batch: BatchOrNot = None,
    conclude: Annotated[
        str | None, typer.Option(metavar="C", help="结论 sound 无异议、exception 有问题、open 待查")
    ] = None,
) -> int:
    """审计工作底稿：记录与结论，不改变办件。Note and conclude; the case stays as it is."""
    from console import audit_aids

    asked = audit_aids.NoteAsked(
        login=login, text=text, conclusion=conclude, student_no=student_no, case=case, batch=batch
    )
    return audit_aids.write_note(caller_for(ctx), asked)


def audit_papers(
    ctx: typer.Context,
    *,
    login: Auditor,
    batch: BatchOrNot = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="写成 PDF，含文字 As a PDF, texts and all.")] = None,
    as_json: AsJson = False,
) -> int:
    """查阅工作底稿，查阅留痕。Read what was noted; that it was read is kept."""
    from console import audit_aids

    return audit_aids.show_papers(caller_for(ctx), batch, login, pdf, as_json=as_json)


def audit_report(
    ctx: typer.Context,
    *,
    batch: TheBatch,
    login: Auditor,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="PDF 文件 The report on A4.")] = None,
    xlsx: Annotated[Path | None, typer.Option(metavar="FILE", help="工作簿 The same with every finding.")] = None,
    seconds: Seconds = 20,
    bulk: Bulk = 10,
    pairs: Pairs = 10,
) -> int:
    """批次的审计报告（PDF 与工作簿），导出留痕。The report of a batch; that it was taken out is kept."""
    from console import audit_reporting

    return audit_reporting.report(caller_for(ctx), batch, login, (pdf, xlsx), _limits(seconds, bulk, pairs))
