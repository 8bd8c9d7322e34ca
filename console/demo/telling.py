"""How the demonstration speaks: chapters with a date, one line for each thing done, and the tables between them."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.cells import cell_len

from console.demo.acts import Done
from console.demo.school import SITES
from console.printing import line, long_date, state_title, table, verdicts
from engine.definition import Definition
from engine.desk import Desk
from engine.eligibility import Eligibility
from engine.expressions.kinds import SHANGHAI
from engine.records import Refused
from engine.store.cases import records_under
from exchange.faults import Fault

_WIDEST = 100


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
    """Eligibility by teaching point, at the first sheet of facts and at the second, with the sum of all."""
    units = desk.units()
    rows: list[tuple[str | int, ...]] = [
        (units[site.branch_code].name, site.code, units[site.code].name, *_of_site(before, after, site.code))
        for site in SITES
    ]
    rows.append(("合计 all", "", "", *_of_site(before, after, "")))
    columns = (
        "分校 branch",
        "代码 code",
        "教学点 site",
        "学生 students",
        "符合 eligible",
        "补正后 now",
        "不符 failed",
        "待定 open",
    )
    table(columns, rows, "毕业资格 Eligibility · 按教学点 by teaching point")


def _of_site(before: Sequence[Eligibility], after: Sequence[Eligibility], site: str) -> tuple[int, ...]:
    then = [one for one in before if site in ("", one.unit)]
    now = [one for one in after if site in ("", one.unit)]
    eligible = sum(one.eligible for one in now)
    failed = sum(bool(one.failed) for one in now)
    return len(now), sum(one.eligible for one in then), eligible, failed, len(now) - eligible - failed


def show_rules(titles: Sequence[tuple[str, str]], before: Sequence[Eligibility], after: Sequence[Eligibility]) -> None:
    """Eligibility by rule: how many each one stops, before and after something was put right."""
    counts = [_by_rule(answers) for answers in (before, after)]
    rows = [
        (rule_id, title, *(count[rule_id, kind] for count in counts for kind in (0, 1))) for rule_id, title in titles
    ]
    columns = ("规则 rule", "名称 title", "不符 failed", "待定 open", "补正后不符 failed now", "待定 open now")
    table(columns, [row for row in rows if any(row[2:])], "毕业资格 Eligibility · 按规则 by rule")


def _by_rule(answers: Sequence[Eligibility]) -> Counter[tuple[str, int]]:
    return Counter(
        (rule_id, kind) for one in answers for kind, ids in enumerate((one.failed, one.undecided)) for rule_id in ids
    )


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
        return f"{sys.executable} -m console"
    found = shutil.which("xueji")
    if found is not None and Path(found).resolve() == typed.resolve():
        return "xueji"
    near = os.path.relpath(typed)
    return str(typed) if near.startswith("..") else near


def _width() -> int:
    return min(_WIDEST, shutil.get_terminal_size((_WIDEST, 40)).columns)
