"""How the demonstration speaks: chapters with a date, one line for each thing done, and the tables between them."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from shlex import quote

from rich.cells import cell_len

from console.demo.acts import Done
from console.demo.calendar import Mended
from console.demo.school import FACTS_AT, MENDED_AT, SITES
from console.printing import line, long_date, long_moment, state_title, step_title, table, verdicts
from engine.definition import Definition
from engine.desk import Desk
from engine.eligibility import Eligibility
from engine.expressions.kinds import SHANGHAI
from engine.records import Refused
from engine.store.cases import records_under
from engine.timeline import Entry
from exchange.faults import Fault

_WIDEST = 100
_PLACES = 4
"""The digits of a unit's code that tell teaching points apart, as in the names of the people there."""

_RUNGS: Mapping[str, str] = {
    "before:7d": "提前7天 7 days before",
    "before:3d": "提前3天 3 days before",
    "before:1d": "提前1天 1 day before",
    "day:0d": "当日 on the day",
    "overdue": "逾期 overdue",
    "escalate": "上报 escalated",
}


def rule(text: str, style: str = "bold") -> None:
    """A heading with a line drawn to the edge."""
    line()
    line(f"{text} {'─' * max(3, _width() - cell_len(text) - 1)}", style=style)


def chapter(number: int, at: datetime, zh: str, en: str) -> None:
    """The beginning of a chapter: its number, its day, and what it is about."""
    rule(f"{number}  {long_date(at.astimezone(SHANGHAI).date())}  {zh}  {en}", "bold cyan")


@contextmanager
def timed() -> Iterator[list[str]]:
    """What is put into the list is said when the work is done, with the seconds it took at the right edge."""
    said: list[str] = []
    started = time.perf_counter()
    yield said
    seconds = f"{time.perf_counter() - started:.2f} s"
    text = "；".join(said)
    line(f"  {text}{' ' * max(2, _width() - cell_len(text) - len(seconds) - 2)}{seconds}")


def say(text: str, style: str = "") -> None:
    """A line within a chapter."""
    line(f"  {text}", style=style)


def counted(done: Done) -> str:
    """How many cases a step moved and how many were refused."""
    others = f"，未办 not taken {done.others:,}" if done.others else ""
    return f"通过 moved {done.moved:,}，未通过 refused {len(done.refused):,}{others}"


def show_faults(faults: Sequence[Fault]) -> None:
    """Each faulty cell: where it stands, what it holds, and what is wrong with it."""
    for one in faults:
        line(f"    {one.in_chinese()}", style="yellow")
        line(f"    {one.in_english()}", style="dim")


def show_refusal(desk: Desk, student_no: str, refused: Refused) -> None:
    """Everything one person is told: rule by rule, what was seen, who can mend it, and the clause."""
    say(f"学号 student {student_no}，办理 step {refused.trigger}：未通过 refused", "bold")
    verdicts(refused.verdicts, desk.library.rulebook.organisation.roles)


def show_sites(desk: Desk, before: Sequence[Eligibility], after: Sequence[Eligibility]) -> None:
    """Eligibility by teaching point, with the sum of all; `before` is the first sheet of facts, `after` the second."""
    rows: list[Sequence[str | int]] = [
        (f"{site.code[-_PLACES:]} {desk.units()[site.code].name}", *_of_site(before, after, site.code))
        for site in SITES
    ]
    rows.append(("合计 all", *_of_site(before, after, "")))
    days = [f"{_short_day(at)} 符合" for at in (FACTS_AT, MENDED_AT)]
    columns = ("教学点 site", "学生 students", *days, "不符 failed", "仅待定 undecided")
    table(columns, rows, "毕业资格 · 按教学点 by teaching point（符合 eligible）")


def _of_site(before: Sequence[Eligibility], after: Sequence[Eligibility], site: str) -> tuple[int, ...]:
    then = [one for one in before if site in ("", one.unit)]
    now = [one for one in after if site in ("", one.unit)]
    eligible = sum(one.eligible for one in now)
    failed = sum(bool(one.failed) for one in now)
    return len(now), sum(one.eligible for one in then), eligible, failed, len(now) - eligible - failed


def show_rules(titles: Mapping[str, str], before: Sequence[Eligibility], after: Sequence[Eligibility]) -> None:
    """Eligibility by rule: how many each one stops (✗) or cannot decide on (?), before and after the mending."""
    counts = [_by_rule(answers) for answers in (before, after)]
    rows: list[Sequence[str | int]] = [
        (one, titles[one], *(count[one, kind] for count in counts for kind in (0, 1)))
        for one in sorted(titles)
        if any(count[one, kind] for count in counts for kind in (0, 1))
    ]
    signs = [f"{_short_day(at)} {sign}" for at in (FACTS_AT, MENDED_AT) for sign in "✗?"]
    title = "毕业资格 · 按规则 by rule（✗ 不符 failed，? 待定 undecided）"
    table(("规则 rule", "名称 title", *signs), rows, title)


def _by_rule(answers: Sequence[Eligibility]) -> Counter[tuple[str, int]]:
    return Counter(
        (rule_id, kind) for one in answers for kind, ids in enumerate((one.failed, one.undecided)) for rule_id in ids
    )


def show_rungs(definition: Definition, told: Mapping[tuple[str, str], int]) -> None:
    """How many messages each rung of each deadline has been, one a person."""
    own = [*definition.deadlines, *(name for one in definition.lists.values() for name in one.deadlines)]
    names = [name for name in own if any(deadline == name for _, deadline in told)]
    rows: list[Sequence[str | int]] = [
        (title, *(told.get((rung, name), 0) for name in names), sum(told.get((rung, name), 0) for name in names))
        for rung, title in _RUNGS.items()
    ]
    rows.append(
        ("合计 all", *(sum(n for (_, name), n in told.items() if name == one) for one in names), sum(told.values()))
    )
    table(("提醒 rung", *names, "合计 all"), rows, "提醒 · 按期限 reminders by deadline")


def show_mended(mended: Sequence[Mended]) -> None:
    """What students put right after they had been told: by day, last reminder and deadline."""
    names = sorted({name for one in mended for name, _ in one.after})
    rows: list[Sequence[str | int]] = [
        (
            _short_day(one.at), _RUNGS.get(rung or "", "未提醒 not reminded"),
            *(one.after.get((name, rung), 0) for name in names),
            sum(count for (_, after), count in one.after.items() if after == rung),
        )
        for one in mended
        for rung in sorted({after for _, after in one.after}, key=lambda rung: list(_RUNGS).index(rung or "escalate"))
    ]  # fmt: skip
    columns = ("日期 day", "最近一次提醒 last reminded", *names, "合计 all")
    table(columns, rows, "提醒后补正 put right after being told")


def show_timeline(entries: Sequence[Entry], definition: Definition) -> None:
    """A case from its events, one line each: when, which step, who, and what came of it."""
    rows = [
        (long_moment(one.at), step_title(definition, one.trigger), one.actor, _outcome(one, definition))
        for one in entries
    ]
    table(("时间 when", "步骤 step", "办理人 who", "结果 what came of it"), rows)


def _outcome(entry: Entry, definition: Definition) -> str:
    if entry.target is None:
        return f"写入 {len(entry.changed) + len(entry.sealed)} 项 facts"
    reached = definition.states[entry.target].title.zh
    return reached if entry.reason is None else f"{reached}：{entry.reason}"


def show_states(desk: Desk, definition: Definition) -> dict[str, int]:
    """How many records are in each state; every record is in one."""
    counts = Counter(one.case.state for one in records_under(desk.connection))
    rows: list[tuple[str | int, ...]] = [
        (state_title(definition, state), state, counts[state]) for state in definition.states if counts[state]
    ]
    rows.append(("合计 all", "", counts.total()))
    table(("状态 state", "代码 code", "学生 students"), rows, "全部学籍 All records")
    return dict(counts)


def program() -> str:
    """How the command was typed, so that what is printed next works when it is typed as printed."""
    typed = Path(sys.argv[0])
    if typed.name != "xueji":
        return f"{quote(sys.executable)} -m console"
    found = shutil.which("xueji")
    if found is not None and Path(found).resolve() == typed.resolve():
        return "xueji"
    near = os.path.relpath(typed)
    return quote(str(typed) if near.startswith("..") else near)


def _short_day(at: datetime) -> str:
    return f"{at.month}/{at.day}"


def _width() -> int:
    return min(_WIDEST, shutil.get_terminal_size((_WIDEST, 40)).columns)
