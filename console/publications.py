"""Publishing by two at the keyboard: one person submits a file, another approves it, as on the pages.

Every reason why not is told; the exit code is 1 where the state of things, or what the text says, stands in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from console.calling import MISUSE, REFUSED, Caller, Misuse, Sitting, read_day
from console.impact import Impact, impact_of
from console.printing import document, line, note, stacked_moment, table
from console.wiring import origin_of
from engine import proposing
from engine.errors import (
    AlreadyOpen,
    DefinitionFaults,
    Fault,
    NeedsAnother,
    NothingNew,
    RuleInUse,
    Unknown,
    Unreadable,
    WaitsAlready,
    XuejiError,
)
from engine.proposed_texts import Findings, findings_of
from engine.proposing import NotAsItWas, SeveralReasons
from engine.records import Request
from engine.store import proposals
from engine.store.proposals import MESSAGES as BELOW
from engine.store.proposals import Line, Stage, is_batch, is_template
from notifications.messages.catalogue import DIGEST, MESSAGES

_STAGES: Mapping[Stage, str] = {
    Stage.DRAFT: "草稿 draft",
    Stage.PROPOSED: "待批准 waiting",
    Stage.APPROVED: "已批准 approved",
    Stage.REFUSED: "未同意 refused",
    Stage.WITHDRAWN: "已收回 withdrawn",
}
_SAYS_NO = (AlreadyOpen, NeedsAnother, NotAsItWas, NothingNew, WaitsAlready, DefinitionFaults, RuleInUse)
"""What stands in the way though the command was well meant."""
_REASONS = (SeveralReasons, Unreadable, *_SAYS_NO)
_OF_TEMPLATES = (".txt", ".html")
_FOLDERS = frozenset((*MESSAGES, DIGEST))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposing:
    """A file somebody submits, as typed; `day` None: the earliest possible.

    `is_back`: of a template of what people are told the name is given alone; the installed one is to be back.
    """

    file: Path
    login: str
    reason: str
    day: str | None
    is_back: bool = False


def propose(caller: Caller, asked: Proposing, *, dry_run: bool, as_json: bool) -> int:
    """Read a file and submit it for approval by somebody else; 1 and every reason where that cannot be.

    Raises:
        Misuse: If there is no such file.
        Unreadable: If the day cannot be read, or the file is none of definitions.
        Unknown: If there is no such definition.
    """
    day = None if asked.day is None else read_day(asked.day, "--from", "2024-06-01")
    raw = b"" if asked.is_back else _bytes_of(asked.file)
    with caller.sitting(publishes_as=None if dry_run else asked.login) as sitting:
        desk, request = sitting.desk, _request(sitting, asked.login, asked.reason)
        origin, name = origin_of(caller.settings), _name_of(asked.file)
        if asked.is_back:
            read = proposing.read_back(desk, origin, name, request)
        else:
            read = proposing.read_given(desk, origin, (name, raw), request)
        first = proposing.earliest(desk, read.file, read.findings, sitting.today)
        effective_on = first if day is None else day
        impact = impact_of(desk, read.file, read.findings)
        told: dict[str, object] = {"file": read.file, "effective_on": effective_on.isoformat(), "dry_run": dry_run}
        told |= _found_in(read.findings, impact)
        if not as_json:
            _tell(read.file, read.findings, impact, effective_on)
        try:
            number = proposing.propose_text(desk, read, effective_on, request, dry_run=dry_run)
        except _REASONS as problem:
            return _refused(problem, told, as_json=as_json)
    if as_json:
        document({**told, "number": number, "refused": []})
    else:
        done = "可以提交 could be submitted" if number is None else f"第 {number} 号已提交 submitted"
        line(f"{done}：{effective_on} 起生效，须由另一人批准 in force from then on; another person approves it")
    return 0


def approve(caller: Caller, number: int, login: str, *, dry_run: bool, as_json: bool) -> int:
    """Publish what another person has submitted; 1 and every reason where that cannot be."""
    with caller.sitting(publishes_as=None if dry_run else login) as sitting:
        desk, request = sitting.desk, _request(sitting, login)
        try:
            done = proposing.approve(desk, origin_of(caller.settings), number, request, dry_run=dry_run)
        except _REASONS as problem:
            return _refused(problem, {"number": number}, as_json=as_json)
        one = _shown(sitting, number)
    if as_json:
        said = {"effective_on": done.effective_on.isoformat(), "hashes": list(done.hashes), "dry_run": dry_run}
        document({**_document(one), **said, "refused": []})
        return 0
    words = "可以批准 could be approved" if dry_run else "已批准 approved"
    line(f"第 {number} 号 {one.file}：{words}，{done.effective_on} 起生效 in force from then on", style="green")
    for digest in done.hashes:
        line(f"  {digest}", style="dim")
    return 0


def refuse(caller: Caller, number: int, login: str, reason: str, *, as_json: bool) -> int:
    """Say no to what another person has submitted, and why."""
    return _decide(
        caller, number, lambda at: proposing.refuse(at.desk, number, _request(at, login, reason)), as_json=as_json
    )


def withdraw(caller: Caller, number: int, login: str, *, as_json: bool) -> int:
    """Take back what one has submitted oneself."""
    return _decide(caller, number, lambda at: proposing.withdraw(at.desk, number, _request(at, login)), as_json=as_json)


def show_all(caller: Caller, *, waiting: bool, as_json: bool) -> int:
    """What was submitted, the newest first."""
    with caller.sitting() as sitting:
        every = proposals.lines(sitting.desk.connection)
    shown = [one for one in every if one.stage is Stage.PROPOSED or not waiting]
    if as_json:
        document([_document(one) for one in shown])
    elif not shown:
        line("没有发布。Nothing was submitted.")
    else:
        columns = ("编号 no", "文件 file", "情况 stage", "生效 from", "提交 submitted", "处理 decided")
        table(columns, [_row(one) for one in shown])
    return 0


def show(caller: Caller, number: int, *, as_json: bool) -> int:
    """One publication with what was found in it.

    Raises:
        Unknown: If nothing of that number was submitted.
    """
    with caller.sitting() as sitting:
        one = _shown(sitting, number)
        kept = proposals.proposal(sitting.desk.connection, number)
        found = Findings() if kept is None else findings_of(kept)
        impact = impact_of(sitting.desk, one.file, found)
    if as_json:
        document({**_document(one), **_found_in(found, impact)})
        return 0
    table(("编号 no", "文件 file", "情况 stage", "生效 from", "提交 submitted", "处理 decided"), [_row(one)])
    line(f"理由 reason：{one.reason}")
    if one.answer:
        line(f"未同意的理由 why not：{one.answer}")
    _tell(one.file, found, impact, date.fromisoformat(one.effective_on or sitting.today.isoformat()))
    return 0


def _decide(caller: Caller, number: int, act: Callable[[Sitting], None], *, as_json: bool) -> int:
    with caller.sitting() as sitting:
        try:
            act(sitting)
        except _REASONS as problem:
            return _refused(problem, {"number": number}, as_json=as_json)
        one = _shown(sitting, number)
    if as_json:
        document({**_document(one), "refused": []})
    else:
        line(f"第 {number} 号 {one.file}：{_STAGES[one.stage]}", style="green")
    return 0


def _refused(problem: XuejiError, told: Mapping[str, object], *, as_json: bool) -> int:
    """Tell every reason; the exit code."""
    reasons = problem.reasons if isinstance(problem, SeveralReasons) else (problem,)
    if as_json:
        document({**told, "refused": [{"kind": type(one).__name__, "says": str(one)} for one in reasons]})
    for one in reasons:
        note(f"✗ {one}", style="red")
    return REFUSED if any(isinstance(one, _SAYS_NO) for one in reasons) else MISUSE


def _shown(sitting: Sitting, number: int) -> Line:
    """What everybody may see of a publication: drafts are their makers' alone.

    Raises:
        Unknown: If nothing of that number was submitted.
    """
    one = proposals.proposal(sitting.desk.connection, number)
    if one is None or one.line.stage is Stage.DRAFT:
        raise Unknown("发布 publication", str(number))
    return one.line


def _request(sitting: Sitting, login: str, reason: str = "") -> Request:
    return sitting.request("definition_publish", sitting.desk.actor(login), {"reason": reason})


def _name_of(file: Path) -> str:
    """How a file is called where it is proposed: that of a template of what people are told with its folders."""
    if file.suffix not in _OF_TEMPLATES:
        return file.name
    parts = file.parts[-2:]
    return BELOW + (f"{parts[0]}/{file.name}" if parts[0] in _FOLDERS else file.name)


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        message = f"{file} 无法读取：{problem.strerror}。The file cannot be read: {problem.strerror}."
        raise Misuse(message) from problem


def _tell(file: str, found: Findings, impact: Impact, effective_on: date) -> None:
    """What was found in a text, and whom it touches."""
    if found.faults:
        line(f"{file}：{len(found.faults)} 处错误 faults", style="red")
        return
    for one in found.differences:
        line(f"  {one.zh}")
        line(f"  {one.en}", style="dim")
    if is_template(file):
        line(
            f"{effective_on} 起，还没有发出的邮件也按新的文字。"
            f" From {effective_on} on mails are written so, also those that wait to be sent."
        )
        return
    if is_batch(file):
        line(
            f"{effective_on} 起可由学籍科发布（xueji batch publish）；发布之前什么也不建立。"
            f" From {effective_on} on the records section can publish it; nothing is opened before."
        )
        return
    if impact.is_procedure:
        line(
            f"在办 {impact.open} 件仍按旧版办完，{effective_on} 起新开的按第 {impact.version} 版。"
            f" {impact.open} open cases keep the old version; new ones are of version {impact.version} from then on."
        )
        return
    line(
        f"在办 {impact.open} 件、已发布批次 {impact.batches} 个；批次仍按各自的规则。"
        f" {impact.open} open cases, {impact.batches} published batches; batches keep their own rules."
    )
    if found.touched is not None:
        many, people, is_most = found.touched
        zh, en = ("至多", "at most ") if is_most else ("", "")
        line(f"影响{zh} {many} 个期限、{people} 人。Touches {en}{many} deadlines, {people} people.", style="bold")
        line(
            "生效后由后台（xueji work 或 serve）自动重新推算，约一分钟后开始。"
            " Once in force they are counted anew by the worker, beginning about a minute later.",
            style="dim",
        )


def _row(one: Line) -> tuple[str | int, ...]:
    decided = "—" if one.decided_at is None else f"{one.decided_by}\n{stacked_moment(one.decided_at)}"
    made = f"{one.made_by}\n{stacked_moment(one.made_at)}"
    return one.number, one.file, _STAGES[one.stage].replace(" ", "\n"), one.effective_on or "—", made, decided


def _document(one: Line) -> dict[str, object]:
    return {**one._asdict(), "stage": one.stage.value}


def _found_in(found: Findings, impact: Impact) -> dict[str, object]:
    touched = None if found.touched is None else found.touched._asdict()
    return {
        "faults": [_fault(one) for one in found.faults],
        "differences": [one._asdict() for one in found.differences],
        "open_cases": impact.open,
        "batches": impact.batches,
        "version": impact.version,
        "moves_dates": found.moves_dates,
        "touches": touched,
    }


def _fault(one: Fault) -> dict[str, object]:
    return {"file": one.file, "line": one.line, "column": one.column, "code": one.code, "message": one.message}
