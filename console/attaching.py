"""Handing in documents: a file onto a case, off it again, what is there, and reading it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from console import documents as said
from console.calling import REFUSED, Caller, Misuse
from console.printing import document, line, note, state_title, table, verdicts
from engine.attaching import Attached, Withdrawn, attach, withdraw_document
from engine.casework import find_case
from engine.desk import Desk
from engine.documents import Upload, document_of, reviewed, titled
from engine.errors import Unknown
from engine.records import Refused, Repeated, Request
from engine.steps import Machine
from engine.store import documents
from engine.store.cases import Found, read_case
from engine.store.documents import DocumentRow
from engine.viewing import VIEW, view
from exchange.evidence import MOST_BYTES, FileRefused, inspect

_ENDINGS = {"jpeg": "jpg"}
"""How a file of a kind is called when it is saved, where that is not the kind itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A file somebody hands in, as typed; `case` None is the student's record."""

    student_no: str
    kind: str
    path: Path
    login: str
    case: str | None = None
    request: str | None = None


def attach_file(caller: Caller, asked: HandedIn, *, as_json: bool) -> int:
    """Put a file on a case, or print every reason why not."""
    try:
        upload = _inspected(asked.path)
    except FileRefused as problem:
        note(str(problem), style="red")
        return REFUSED
    with caller.sitting(publishes_as=asked.login) as sitting:
        desk = sitting.desk
        case = find_case(desk, asked.student_no, asked.case)
        request = replace(sitting.request("attach", desk.actor(asked.login)), id=asked.request)
        outcome = attach(desk, case, asked.kind, upload, request)
        return _tell(desk, asked.student_no, asked.kind, outcome, as_json=as_json)


def withdraw_file(caller: Caller, student_no: str, number: int, request: tuple[str, str, str | None]) -> int:
    """Take a document off a case; `request` is by whom, why, and of which case."""
    login, reason, case_no = request
    with caller.sitting(publishes_as=login) as sitting:
        desk = sitting.desk
        case = find_case(desk, student_no, case_no)
        asked: Request = sitting.request("withdraw", desk.actor(login), {"reason": reason})
        outcome = withdraw_document(desk, case, number, asked)
        kind = outcome.document.kind if isinstance(outcome, Withdrawn) else outcome.trigger.partition(":")[2]
        return _tell(desk, student_no, kind, outcome, as_json=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Into which folder documents are written, and who reads them."""

    folder: Path
    login: str


def saving(folder: Path | None, login: str | None) -> Saving | None:
    """What `--save` and `--as` ask for together.

    Raises:
        Misuse: If nobody is named who reads the files.
    """
    if folder is None:
        return None
    if login is None:
        message = "请用 --as 写明由谁查看：查看材料留痕。Say who reads them with --as: every look is kept in the trail."
        raise Misuse(message)
    return Saving(folder=folder, login=login)


def show_documents(caller: Caller, student_no: str, number: str | None, *, save: Saving | None, as_json: bool) -> int:
    """List the documents of a case; with `save`, write each into a folder, named without anybody's name."""
    with caller.sitting(publishes_as=None if save is None else save.login) as sitting:
        desk = sitting.desk
        found = read_case(desk.connection, find_case(desk, student_no, number))
        if found is None:
            raise Unknown("办件 case", number or student_no)
        machine = desk.machine_for(found.case, {})
        rows = documents.of_case(desk.connection, found.case.id)
        if save is not None:
            _save(desk, rows, save, sitting.request(VIEW, desk.actor(save.login)))
        if as_json:
            document(_listing(found, rows))
            return 0
        if not rows:
            line(f"{student_no} {found.case.number} 没有材料。There are no documents.")
            return 0
        columns = ("序号 no.", "材料 document", "文件 file", "复核 reviewed")
        table(columns, [_line(machine, row) for row in rows], f"{student_no} {found.case.number} 材料 documents")
    return 0


def _inspected(path: Path) -> Upload:
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as problem:
        message = f"无法打开文件：{problem.strerror}。The file cannot be opened: {problem.strerror}."
        raise Misuse(message) from problem
    return inspect(path.name, body)


def _tell(
    desk: Desk,
    student_no: str,
    kind: str,
    outcome: Attached | Withdrawn | Refused | Repeated,
    *,
    as_json: bool,
) -> int:
    if as_json:
        document(_answer(student_no, kind, outcome))
    else:
        _print(desk, student_no, kind, outcome)
    return 0 if _went_well(outcome) else REFUSED


def _went_well(outcome: Attached | Withdrawn | Refused | Repeated) -> bool:
    return outcome.moved if isinstance(outcome, Repeated) else not isinstance(outcome, Refused)


def _answer(student_no: str, kind: str, outcome: Attached | Withdrawn | Refused | Repeated) -> said.Document:
    """The same keys as for a step, and the document."""
    if isinstance(outcome, Repeated):
        number, state = outcome.number, outcome.state
    else:
        number, state = outcome.case.number, outcome.case.state
    refused = (
        [said.refusal(student_no, outcome.failed, outcome.undecided)]
        if isinstance(outcome, Refused | Repeated) and not _went_well(outcome)
        else []
    )
    return {
        "attached": int(_went_well(outcome)),
        "refused": refused,
        "case": number,
        "state": state,
        "document": kind,
        "number": outcome.document.seq if isinstance(outcome, Attached) else None,
        "sha256": outcome.document.sha256 if isinstance(outcome, Attached) else None,
        "verdicts": [said.verdict(one) for one in outcome.verdicts] if isinstance(outcome, Refused) else [],
    }


def _print(desk: Desk, student_no: str, kind: str, outcome: Attached | Withdrawn | Refused | Repeated) -> None:
    if isinstance(outcome, Repeated):
        word = "此前已办理 done before" if outcome.moved else "此前未通过 refused before"
        line(f"{student_no} {outcome.number} {kind}：{word} {' '.join((*outcome.failed, *outcome.undecided))}")
        return
    case = outcome.case
    machine = desk.machine_for(case, {})
    head = f"{student_no} {case.number} {kind} {titled(document_of(machine, kind).title)}"
    match outcome:
        case Attached():
            line(f"{head}：已收 taken in，序号 no. {outcome.document.seq}", style="green")
        case Withdrawn():
            line(f"{head}：已撤下 withdrawn，序号 no. {outcome.document.seq}", style="green")
        case Refused():
            state = state_title(machine.definition, case.state)
            line(f"{head}：未通过 refused，办件仍为 the case is still {state}", style="red")
            verdicts(outcome.verdicts, desk.library.rulebook.organisation.roles)


def _listing(found: Found, rows: list[DocumentRow]) -> said.Document:
    """Names of files and of people listed stay in the database: they are personal."""
    return {
        "student_no": found.student_no,
        "case": found.case.number,
        "documents": [
            {
                "number": row.seq,
                "document": row.kind,
                "sha256": row.sha256 or row.looks.get("sha256"),
                "made": row.sha256 is None,
                "file": {name: value for name, value in row.looks.items() if name not in {"stem", "listed", "sha256"}},
                "ticks": row.ticks,
            }
            for row in rows
        ],
    }


def _line(machine: Machine, row: DocumentRow) -> tuple[str | int, ...]:
    looks = row.looks
    size = f" {looks['width']}×{looks['height']}" if "width" in looks else ""
    what = "系统生成 made here" if row.sha256 is None else f"{looks['kind']}{size} {looks['bytes']} 字节 bytes"
    is_reviewed = reviewed([row], row.kind)
    return row.seq, f"{row.kind} {titled(document_of(machine, row.kind).title)}", what, "✓" if is_reviewed else "—"


def _save(desk: Desk, rows: list[DocumentRow], save: Saving, request: Request) -> None:
    """Write one file after the other; each is a look of its own."""
    save.folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        viewed = view(desk, row.case, row.kind, row.seq, request)
        kind = str(row.looks.get("kind", "json"))
        path = save.folder / f"{row.kind}-{row.seq}.{_ENDINGS.get(kind, kind.replace(' ', '-'))}"
        path.write_bytes(viewed.body)
        note(str(path))
