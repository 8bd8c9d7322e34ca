"""Deadlines at the keyboard: which run and how they stand, another date for a case or a batch, counting anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from console import documents
from console.calling import REFUSED, Caller, Sitting, read_day, read_moment
from console.printing import (
    both,
    document,
    line,
    long_moment,
    note,
    progress,
    shortened,
    stacked,
    stacked_moment,
    state_title,
    table,
    verdicts,
)
from engine.casework import find_case
from engine.definition import MachineFile
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.extending import Extended, ExtendedMany, extend_batch, extend_deadline, last_moment, recount
from engine.records import Request
from engine.store.deadlines import Listed, Row, listed

_MOST = 500
"""As many as anybody reads at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Another date for a deadline, as typed; with a batch, for all its cases in which the deadline runs."""

    name: str
    due: str
    login: str
    reason: str
    about: str = ""
    case: str | None = None
    batch: str | None = None


def show(caller: Caller, login: str | None, batch: str | None, *, as_json: bool) -> int:
    """List the deadlines that run at a person's units and below, of a batch, or all."""
    with caller.sitting() as sitting:
        desk = sitting.desk
        paths = [None] if login is None else sorted({grant.path for grant in desk.actor(login).grants})
        own = [path for path in paths if not any(path and path != one and path.startswith(one or "") for one in paths)]
        found = [one for path in own for one in listed(desk.connection, batch=batch, path=path, limit=_MOST)]
        if as_json:
            document([_document(sitting, one) for one in found])
            return 0
        if not found:
            line("没有正在运行的期限。No deadline is running.")
            return 0
        columns = ("期限 deadline", "截止 due", "情况 standing", "学号或单位、办件 about, case", "状态 state")
        table(columns, [_line(sitting, one) for one in found], f"期限 {len(found)} 项 deadlines")
    return 0


def extend(caller: Caller, asked: Extension, *, dry_run: bool) -> int:
    """Give a deadline another last day or moment, and say which it had."""
    due = last_moment(_day_or_moment(asked.due))
    with caller.sitting(publishes_as=asked.login) as sitting:
        desk = sitting.desk
        request = sitting.request("deadline_extend", desk.actor(asked.login), {"reason": asked.reason})
        if asked.batch is not None:
            return _tell_many(desk, extend_batch(desk, asked.batch, asked.name, due, request, dry_run=dry_run))
        case = find_case(desk, asked.about, asked.case)
        return _tell(desk, extend_deadline(desk, case, asked.name, due, request))


def count_anew(caller: Caller, login: str, *, dry_run: bool) -> int:
    """Count all dates that run by the calendar in force."""
    with caller.sitting(publishes_as=None if dry_run else login) as sitting:
        desk = sitting.desk
        request: Request = sitting.request("deadline_recount", desk.actor(login))
        with progress(None, "重新推算 counting") as told:
            done = recount(desk, request, told, dry_run=dry_run)
        would = "将变动 would move" if dry_run else "变动 moved"
        line(f"办件 {done.looked} 件，期限{would} {done.moved} 项。Rulebook {desk.rulebook[:12]}.")
    return 0


def standing(row: Row, at: datetime) -> str:
    """How a deadline stands at a moment, in both languages."""
    if row.settled:
        return "已办 settled"
    if row.blocked:
        return "定时受阻 timer blocked"
    if row.due_at is None:
        return "待定 open date"
    if row.is_over(at):
        return "逾期 overdue"
    return "已延期 extended" if row.extended else "进行中 running"


def _line(sitting: Sitting, one: Listed) -> tuple[str, ...]:
    definition = sitting.desk.definition(one.case.shape)
    row = one.row
    return (
        f"{stacked(definition.deadlines[row.name].title)}\n{row.name}",
        "待定 open" if row.due_at is None else stacked_moment(row.due_at),
        standing(row, sitting.at).replace(" ", "\n", 1),
        f"{one.student_no or one.case.unit}\n{one.case.number}",
        state_title(definition, one.case.state).replace(" ", "\n", 1),
    )


def _document(sitting: Sitting, one: Listed) -> documents.Document:
    about: documents.Document = {"case": one.case.number, "student_no": one.student_no, "unit": one.case.unit}
    return {**about, "workflow": one.case.workflow, "state": one.case.state, **documents.deadline(one.row, sitting.at)}


def _tell(desk: Desk, done: Extended) -> int:
    if done.refused:
        verdicts(done.refused, desk.library.rulebook.organisation.roles)
        return REFUSED
    before, after = done.before, done.after
    was = "待定 open" if before is None or before.due_at is None else long_moment(before.due_at)
    line(f"{was} → {'' if after is None or after.due_at is None else long_moment(after.due_at)}")
    return 0


def _tell_many(desk: Desk, done: ExtendedMany) -> int:
    if done.refused:
        verdicts(done.refused, desk.library.rulebook.organisation.roles)
        return REFUSED
    line(f"改期 moved {done.moved}；原已如此 unchanged {done.unchanged}；无权 not yours {len(done.barred)}")
    if done.barred:
        note(f"无权改期的办件 not yours to extend: {shortened(done.barred)}")
    return REFUSED if done.barred else 0


def _day_or_moment(text: str) -> date:
    """A day, or a moment by Shanghai's clocks.

    Raises:
        Unreadable: If it is neither.
    """
    name = "日期 date"
    if len(text) <= len("2024-05-13"):
        return read_day(text, name, "2024-05-13（到当日结束 whole day）或 or 2024-05-13T17:40")
    return read_moment(text, name).astimezone(SHANGHAI)


def show_of_case(definition: MachineFile, rows: Sequence[Row], at: datetime) -> None:
    """Print the deadlines of one case: what, until when, how it stands."""
    table(
        ("期限 deadline", "截止 due", "情况 standing"),
        [
            (
                f"{both(definition.deadlines[row.name].title)}（{row.name}）",
                "待定 open" if row.due_at is None else long_moment(row.due_at),
                standing(row, at),
            )
            for row in rows
        ],
        "期限 Deadlines",
    )
