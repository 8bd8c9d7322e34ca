"""A case as it stood (`case --at`), and what is shown of a case beside its steps: facts, documents, what is lent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from console import documents
from console.calling import Misuse, Sitting
from console.printing import line, long_moment, note, role_title, table, value_shown
from engine.definition import Privacy
from engine.desk import Desk
from engine.documents import document_of
from engine.looking_back import as_it_stood
from engine.prospects import Prospect
from engine.records import Json, Sentence
from engine.steps import Machine
from engine.store import people
from engine.store.cases import Found
from engine.store.documents import DocumentRow, of_case
from engine.store.people import Loan
from engine.trail.event import moment

_NOT_IN_THE_TRAIL = "（不在岗记录不入日志，当时谁不在岗不可知 absences are not in the trail）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is looked at instead of the present: a sitting at the desk of that time, and what nobody knows any more."""

    sitting: Sitting
    case: int
    lacking: tuple[Sentence, ...]


@contextmanager
def past(sitting: Sitting, about: str, number: str | None, at: datetime) -> Iterator[Past]:
    """The sitting of a moment, on rows that are made anew from the trail.

    Raises:
        Misuse: If the moment has not come.
    """
    if at > sitting.at:
        message = f"--at {moment(at)} 尚未到来，现在是 {moment(sitting.at)}。That moment has not come."
        raise Misuse(message)
    with as_it_stood(sitting.desk, about, number, at) as then:
        office = replace(sitting.office, desk=then.desk)
        yield Past(sitting=replace(sitting, office=office, at=at), case=then.case, lacking=then.lacking)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What stands beside the steps of a case.

    `facts` are the open ones of the student; of those that are personal, only the names are told. `lent` is what is
    lent of the roles that could take a step now, by role.
    """

    facts: Mapping[str, Json]
    personal: tuple[str, ...]
    documents: Sequence[DocumentRow]
    lent: Sequence[tuple[str, Loan]]


def beside(desk: Desk, found: Found, machine: Machine, steps: Sequence[Prospect], at: datetime) -> Beside:
    """Gather what stands beside the steps of a case at a moment."""
    known = {name: value for name, value in found.facts.items() if value is not None}
    vocabulary = machine.book.vocabulary.student
    is_open = {name: name in vocabulary and vocabulary[name].privacy is Privacy.OPEN for name in known}
    roles = dict.fromkeys(role for one in steps for role in _roles(one))
    return Beside(
        facts={name: value for name, value in known.items() if is_open[name]},
        personal=tuple(sorted(name for name in known if not is_open[name])),
        documents=of_case(desk.connection, found.case.id),
        lent=[
            (role, loan)
            for role in roles
            for loan in people.loans(desk.connection, role, at)
            if found.case.path.startswith(loan.path) and loan.case in (None, found.case.id)
        ],
    )


def _roles(one: Prospect) -> tuple[str, ...]:
    seats = () if one.signatures is None else one.signatures.seats
    return (*one.roles, *(seat.role for seat in seats))


def document(one: Beside) -> documents.Document:
    """What `case --json` says of it; names of files and of people listed stay in the database."""
    return {
        "facts": dict(sorted(one.facts.items())),
        "personal": list(one.personal),
        "documents": [
            {
                "number": row.seq,
                "document": row.kind,
                "sha256": row.sha256 or row.looks.get("sha256"),
                "ticks": row.ticks,
            }
            for row in one.documents
        ],
        "lent": [
            {"role": role, "giver": loan.giver, "taker": loan.taker, "only_this_case": loan.case is not None}
            for role, loan in one.lent
        ],
    }


def show_then(at: datetime, lacking: Sequence[Sentence]) -> None:
    """Say that this is the past, and what nobody knows any more."""
    line(f"回看 as it stood：{long_moment(at)}", style="bold yellow")
    for one in lacking:
        line(f"  ? {one.zh} {one.en}", style="yellow")
    note(_NOT_IN_THE_TRAIL)


def show_beside(desk: Desk, machine: Machine, one: Beside) -> None:
    """Show facts, documents and what is lent."""
    vocabulary = machine.book.vocabulary
    facts = [
        (f"{vocabulary.student[name].title.zh} {name}", value_shown(vocabulary, vocabulary.student[name].type, value))
        for name, value in one.facts.items()
    ]
    if facts or one.personal:
        table(
            ("信息项 fact", "值 value"), facts, f"学生信息 Facts（另有个人信息 {len(one.personal)} 项不显示 personal）"
        )
    for row in one.documents:
        reviewed = "已核验 reviewed" if row.ticks else "未核验 not reviewed"
        line(f"材料 document {row.kind} {document_of(machine, row.kind).title.zh}（#{row.seq}，{reviewed}）")
    roles = desk.library.rulebook.organisation.roles
    for role, loan in one.lent:
        line(f"委派 lent：{role_title(roles, role)}　{loan.giver} → {loan.taker}")
    line()
