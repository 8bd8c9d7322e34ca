"""What the commands print: tables that line up with Chinese in them, verdicts in two languages, timelines, progress.

Answers go to standard output, notes and progress to standard error, so that `--json` output can be piped as it is.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Literal

import orjson
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from engine.definition import CANCELLED, NEW, Bilingual, MachineFile
from engine.expressions.kinds import SHANGHAI, decode, parse_kind, show
from engine.records import Json, Outcome, Sentence, Verdict
from engine.scopes import choice_titles
from engine.timeline import Entry
from engine.trail.event import EventKind
from engine.vocabulary import NOBODY_HOLDS, Role, Vocabulary

_WIDTH_IN_A_PIPE = 120
_WEEKDAYS = "一二三四五六日"
_INDENT = 4
_GAP, _LEAST = 3, 12
"""Between two columns of a table, and what a column that is broken into lines should have at least, on screen."""

_OUTCOMES: Mapping[Outcome, tuple[str, str, str]] = {
    Outcome.HOLDS: ("✓", "符合 holds", "green"),
    Outcome.FAILS: ("✗", "不符合 fails", "red"),
    Outcome.UNDECIDED: ("?", "无法判定 undecided", "yellow"),
    Outcome.NOT_APPLICABLE: ("–", "不适用 not applicable", "dim"),
}
_KINDS: Mapping[str, str] = {
    EventKind.OPENED: "建立 opened",
    EventKind.MOVED: "办理 moved",
    EventKind.SIGNED: "签署 signed",
    EventKind.SIGNER_CHANGED: "加签减签 signers",
    EventKind.REFUSED: "未通过 refused",
    EventKind.RETRACTED: "撤回 retracted",
    EventKind.DELEGATED: "委派 delegated",
    EventKind.HANDED_OVER: "转办 handed over",
    EventKind.DELEGATION_REVOKED: "收回委派 revoked",
    EventKind.URGED: "催办 urged",
    EventKind.DEADLINE_MOVED: "期限变动 deadline",
    EventKind.LATE: "逾期 late",
    EventKind.REMINDED: "提醒 reminded",
    EventKind.ESCALATED: "上报 escalated",
    EventKind.TIMER_BLOCKED: "定时受阻 timer",
    EventKind.FACT_CHANGED: "信息变更 facts",
    EventKind.EVIDENCE_ADDED: "上传材料 evidence",
    EventKind.EVIDENCE_WITHDRAWN: "撤下材料 withdrawn",
    EventKind.VIEWED: "查看材料 viewed",
    EventKind.COMMENTED: "备注 commented",
    EventKind.COPIED: "抄送 copied",
    EventKind.ERASED: "抹除个人信息 erased",
}


def long_date(day: date) -> str:
    """A day as an office writes it: 2024年5月13日（周一）."""
    return f"{day.year}年{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def value_shown(vocabulary: Vocabulary, of: str, raw: Json) -> str:
    """A value of a type as it is kept, as people read it; one that is missing is open (未定)."""
    if raw is None:
        return "未定 open"
    kind = parse_kind(of)
    value = decode(kind, raw)
    if kind.name == "date" and isinstance(value, date):
        return long_date(value)
    return show(kind, value, "zh", choice_titles(vocabulary))


def long_moment(at: datetime | str) -> str:
    """A moment, aware or as the trail writes it, on the clocks of Shanghai: 2024年5月13日（周一）09:30."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    local = moment.astimezone(SHANGHAI)
    return f"{long_date(local.date())}{local:%H:%M}"


def stacked_moment(at: datetime | str) -> str:
    """The day above the time, for the cells of a table."""
    return long_moment(at).replace("）", "）\n")


def both(words: Bilingual | Sentence) -> str:
    """Chinese first, English beside it; a word that is the same in both stands once."""
    return words.zh if words.zh == words.en else f"{words.zh} {words.en}"


def state_title(definition: MachineFile, state: str | None) -> str:
    """What a state of this workflow is called; a dash for none."""
    if state is None:
        return "—"
    if state == NEW:
        return "新建 New"
    if state == CANCELLED:
        return "已撤销 Cancelled"
    return both(definition.states[state].title)


def step_title(definition: MachineFile, trigger: str | None) -> str:
    """What a step is called, with the trigger one types; facts have sources instead of steps."""
    step = definition.transitions.get(trigger or "")
    return trigger or "" if step is None else f"{step.title.zh} {trigger}"


def role_title(roles: Mapping[str, Role], role: str) -> str:
    """What a role is called, with the name one types."""
    title = roles[role].title if role in roles else NOBODY_HOLDS.get(role)
    return role if title is None else f"{title.zh} {role}"


def line(text: str = "", *, style: str = "") -> None:
    """Print a line of an answer; it is never broken in a pipe."""
    _console().print(Text(text, style=style), soft_wrap=True)


def note(text: str, *, style: str = "") -> None:
    """Say something beside the answer, on standard error."""
    _console(stderr=True).print(Text(text, style=style), soft_wrap=True)


def document(value: object) -> None:
    """Print one JSON document, and nothing else, on standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str | int]], title: str = "") -> None:
    """Print a table: numbers to the right, short words and codes unbroken, headers Chinese above English."""
    lines = list(rows)
    drawn = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False,
        show_edge=False,
    )  # fmt: skip
    console = _console()
    unbroken = _unbroken(columns, lines, console.width)
    for place, name in enumerate(columns):
        is_number = bool(lines) and all(isinstance(one[place], int) for one in lines)
        justify: Literal["left", "right"] = "right" if is_number else "left"
        drawn.add_column(name.replace(" ", "\n", 1), justify=justify, no_wrap=place in unbroken, overflow="fold")
    for one in lines:
        drawn.add_row(*(Text(str(cell)) for cell in one))
    console.print(drawn)
    line()


def _unbroken(columns: Sequence[str], lines: Sequence[Sequence[str | int]], width: int) -> set[int]:
    """The columns whose cells are not broken: the narrowest first, as long as the others keep some room."""
    widths = [
        max(cell_len(part) for text in (name.replace(" ", "\n", 1), *(one[place] for one in lines))
            for part in str(text).split("\n"))
        for place, name in enumerate(columns)
    ]  # fmt: skip
    kept: set[int] = set()
    room = width
    for place in sorted(range(len(columns)), key=widths.__getitem__):
        room -= widths[place] + _GAP
        others = len(columns) - len(kept) - 1
        if room < others * _LEAST:
            break
        kept.add(place)
    return kept


def verdicts(asked: Iterable[Verdict], roles: Mapping[str, Role]) -> None:
    """Print what each rule said: id and title, and unless it holds, why, who can mend it and how, and its clause."""
    for one in asked:
        sign, word, style = _OUTCOMES[one.outcome]
        _indented(Text.assemble((f"{sign} {one.id}", f"bold {style}"), f" {both(one.title)} ", (word, style)), 2)
        if one.outcome.refuses:
            for text in _explanation(one, roles):
                _indented(Text(text), _INDENT)


def timeline(entries: Iterable[Entry], definition: MachineFile, titles: Mapping[str, Bilingual]) -> None:
    """Print what happened to a case, oldest first; `titles` name the facts that changed."""
    columns = ("时间 when", "事件 event", "步骤 step", "办理人 who", "状态 state", "说明 notes")
    rows = [
        (
            stacked_moment(one.at), _KINDS.get(one.kind, one.kind).replace(" ", "\n"),
            step_title(definition, one.trigger).replace(" ", "\n"), _who(one), _states(one, definition),
            _remarks(one, definition, titles),
        )
        for one in entries
    ]  # fmt: skip
    table(columns, rows, "经过 Timeline")


@contextmanager
def progress(total: int | None, label: str) -> Iterator[Callable[[int], None]]:
    """Show how far a long act is, on standard error; gives the function to be told of what is done.

    Nothing is drawn when nobody is looking, in a pipe; `total` is None where nobody knows it beforehand.
    """
    console = _console(stderr=True)
    shown = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    with shown:
        task = shown.add_task(label, total=total)
        yield lambda done: shown.update(task, advance=done)


def stacked(words: Bilingual | Sentence) -> str:
    """Chinese above English, for the cells of a table."""
    return words.zh if words.zh == words.en else f"{words.zh}\n{words.en}"


def shortened(names: Collection[str], most: int = 5) -> str:
    """The first of many names, and how many there are."""
    first = "、".join(list(names)[:most])
    return first if len(names) <= most else f"{first} 等 {len(names)} in all"


def _console(*, stderr: bool = False) -> Console:
    """A console on the stream as it is now; made anew, because tests and pipes exchange the streams."""
    width = shutil.get_terminal_size((_WIDTH_IN_A_PIPE, 40)).columns
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def _indented(text: Text, columns: int) -> None:
    _console().print(Padding(text, (0, 0, 0, columns), expand=False))


def _explanation(one: Verdict, roles: Mapping[str, Role]) -> Iterator[str]:
    if one.sentence.zh:
        yield one.sentence.zh
        yield one.sentence.en
    if one.remedy is not None:
        yield f"办法 remedy：{role_title(roles, one.remedy_by or '')}：{both(one.remedy)}"
    if one.source:
        yield f"依据 source：{'、'.join(one.source)}"


def _who(entry: Entry) -> str:
    return f"{entry.actor}\n{entry.role}" if entry.role and entry.role != entry.actor else entry.actor


def _states(entry: Entry, definition: MachineFile) -> str:
    if entry.target is None:
        return ""
    target = state_title(definition, entry.target).split(" ")[0]
    if entry.origin in (None, NEW, entry.target):
        return target
    return f"{state_title(definition, entry.origin).split(' ')[0]}\n→ {target}"


def _of_deadline(entry: Entry, definition: MachineFile) -> str:
    """Which deadline, its new date where it moved, why, and what stood against its timer."""
    known = definition.deadlines.get(entry.deadline or "")
    named = entry.deadline or "" if known is None else known.title.zh
    moved = f"→ {long_moment(entry.due)}" if entry.kind == EventKind.DEADLINE_MOVED and entry.due else ""
    words = [named, moved, entry.reason or "", *(f"✗ {one}" for one in entry.failed)]
    return " ".join([*filter(None, words), *(f"? {one}" for one in entry.undecided)])


def _remarks(entry: Entry, definition: MachineFile, titles: Mapping[str, Bilingual]) -> str:
    if entry.deadline is not None:
        return _of_deadline(entry, definition)
    if entry.kind == EventKind.REFUSED:
        return " ".join([*(f"✗ {one}" for one in entry.failed), *(f"? {one}" for one in entry.undecided)])
    if entry.taker:
        return f"→ {entry.taker}\n{entry.reason or ''}".rstrip()
    if entry.reason:
        return f"理由：{entry.reason}"
    fields = {name: one.title for name, one in definition.fields.items()}
    known = {**titles, **fields}
    return shortened([known[name].zh if name in known else name for name in (*entry.changed, *entry.sealed)], 3)
