"""The audit report: a batch in figures, as PDF and as a workbook, handed out once the trail says who took it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from console.audit_aids import check_new, keep_read, scope_for
from console.calling import Caller, Misuse, Sitting
from console.printing import line
from engine.auditing.findings import called, findings
from engine.auditing.found import Limits
from engine.auditing.papers import concluded, papers, samples
from engine.auditing.summary import Summary, exceptions_of, funnels, read_of, tallies, trail_of
from engine.errors import Unknown
from engine.exporting import reach_of
from engine.records import Json
from exchange.audit_reports import report_pdf
from exchange.audit_workbooks import report_workbook

REPORT = "audit:report"
"""What the trail calls the act."""


def report(caller: Caller, batch: str, login: str, files: tuple[Path | None, Path | None], limits: Limits) -> int:
    """Write the report of a batch: (PDF, workbook), either or both.

    Raises:
        Misuse: If neither file is asked for, or one is there already or has no folder.
        Unknown: If there is no such batch.
        NotAllowed: If the person is no auditor.
    """
    wanted = [path for path in files if path is not None]
    for path in wanted:
        check_new(path)
    if not wanted or len(set(wanted)) != len(wanted):
        message = "请写 --pdf FILE、--xlsx FILE 或两者（不同文件）。Give --pdf FILE, --xlsx FILE or both, not the same."
        raise Misuse(message)
    with caller.sitting() as sitting:
        summary = summary_of(sitting, batch, login, limits)
        made = _made(summary, limits, files)
        digests: dict[str, Json] = {kind: sha256(body).hexdigest() for kind, (_, body) in made.items()}
        counts: dict[str, Json] = {"cases": summary.cases, "findings": len(summary.findings)}
        keep_read(sitting, REPORT, login, {"batch": batch, "counts": counts, "sha256": digests})
    for path, body in made.values():
        path.write_bytes(body)
        line(f"已写入 written {path}（{len(body):,} 字节 bytes）")
    return 0


def _made(summary: Summary, limits: Limits, files: tuple[Path | None, Path | None]) -> dict[str, tuple[Path, bytes]]:
    """By kind, where each file goes and its bytes."""
    pdf, workbook = files
    made = {} if pdf is None else {"pdf": (pdf, report_pdf(summary, limits))}
    return made if workbook is None else {**made, "xlsx": (workbook, report_workbook(summary, limits))}


def summary_of(sitting: Sitting, batch: str, login: str, limits: Limits) -> Summary:
    """A batch in figures, as far as a person audits it.

    Raises:
        Unknown: If there is no such batch.
        NotAllowed: If the person is no auditor.
    """
    desk = sitting.desk
    scope = scope_for(sitting, REPORT, batch, login)
    row = desk.batch(batch)
    if row is None:
        raise Unknown("已发布批次 published batch", batch)
    found = findings(desk, scope, limits, sitting.at)
    with desk.connection.reading():
        counted = tallies(desk, scope)
        conclusions = concluded(papers(desk.connection, scope))
        drawn = samples(desk.connection, scope)
        sample = drawn[-1] if drawn else None
        return Summary(
            batch=batch,
            title=row.title,
            at=sitting.at,
            auditor=login,
            units=tuple(
                desk.units()[one.unit].name for one in reach_of(desk, sitting.request(REPORT, desk.actor(login)))
            ),
            funnels=funnels(desk, scope),
            refusals=counted.refusals,
            returns=counted.returns,
            late=counted.late,
            findings=found,
            sample=sample,
            read=read_of(desk, sample, conclusions),
            exceptions=exceptions_of(conclusions),
            trail=trail_of(desk.connection, sitting.office.log, counted.events),
            names=called(desk.connection, found),
        )
