"""Templates of an institution: read once, looked at, tried apart, and refused before they are used.

What is checked is what is used: the text is read once. A fault names the line, and the nearest right word.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson

from engine.errors import Fault, XuejiError, nearest
from notifications.messages import sandbox
from notifications.messages.catalogue import parts, says, shipped, variables
from notifications.messages.envelopes import Unmailable, check_line
from notifications.messages.samples import every_sample
from notifications.messages.variables import Both, Group, NoticeWords, notice_words
from notifications.messages.writing import Writer, sentence

_URL = "https://xueji.example"
_REHEARSAL = "演练"
_SECONDS_TO_WAIT = 60
"""By the clock on the wall; what ends a template is the time it computes, however busy the machine is."""

_MOST_BYTES = 200_000
_TOO_LONG = f"超过 {_MOST_BYTES} 字节 it is larger than {_MOST_BYTES} bytes"
_LONGEST_SUBJECT = 150
_MISSING = re.compile(r"'([A-Za-z_]\w*)'$|^'([A-Za-z_]\w*)' is undefined")


class TemplatesRefused(XuejiError):
    """Templates of an institution cannot be used; every fault is placed."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class _Unusable(Exception):
    """A file is no template; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A page to be tried, and the least it must say."""

    page: sandbox.Page
    says: tuple[str, ...]


def check_overrides(folder: Path) -> list[Fault]:
    """Every fault in a folder of templates, placed; none: they can be used."""
    return _examined(folder)[1]


def texts_in(folder: Path) -> Mapping[str, str]:
    """The templates of a folder that can be read, by name, whether or not they can be used."""
    return _read(folder)[0]


def accepted(folder: Path) -> Mapping[str, str]:
    """The templates of a folder, to take the place of those of the house.

    Raises:
        TemplatesRefused: If one of them has a fault.
    """
    own, faults = _examined(folder)
    if faults:
        raise TemplatesRefused(faults)
    return own


def faults_of(own: Mapping[str, str]) -> list[Fault]:
    """Every fault of templates that take the place of those of the house, by name; none: they can be used."""
    unfit = [_fault(name, 1, _nameless(name)) for name in own if name not in variables()]
    unfit += [_fault(name, 1, _TOO_LONG) for name, text in own.items() if _is_too_long(text)]
    return sorted(unfit or _looked_at(own) or _tried(own))


def _examined(folder: Path) -> tuple[Mapping[str, str], list[Fault]]:
    own, faults = _read(folder)
    faults += _looked_at(own)
    return own, sorted(faults or _tried(own))


def _read(folder: Path) -> tuple[dict[str, str], list[Fault]]:
    """The templates of a folder by name; what is no template, lies elsewhere or cannot be read is a fault."""
    if not folder.is_dir():
        return {}, [_fault(str(folder), 1, "没有这个目录 there is no such folder")]
    own: dict[str, str] = {}
    faults = []
    home = folder.resolve()
    for path in sorted(one for one in folder.rglob("*") if not one.is_dir()):
        name = path.relative_to(folder).as_posix()
        if not name.startswith("."):
            try:
                own[name] = _text(path, name, home)
            except _Unusable as problem:
                faults.append(_fault(name, 1, str(problem)))
    return own, faults


def _text(path: Path, name: str, home: Path) -> str:
    """The text of a template, read once.

    Raises:
        _Unusable: If it is none.
    """
    if name not in variables():
        raise _Unusable(_nameless(name))
    if not path.resolve().is_relative_to(home):
        raise _Unusable("文件不在此目录内 the file lies outside the folder")
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise _Unusable(_TOO_LONG)
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise _Unusable("无法按 UTF-8 读取 it cannot be read as UTF-8") from problem


def _nameless(name: str) -> str:
    return f"没有名为“{name}”的模板 there is no template of that name.{nearest(name, variables())}"


def _is_too_long(text: str) -> bool:
    return len(text.encode(errors="replace")) > _MOST_BYTES


def _looked_at(own: Mapping[str, str]) -> list[Fault]:
    """What can be told of templates without rendering them; all of it."""
    outcomes = _apart(sandbox.Asked(texts=own, sources={}, pages=[])) if own else []
    faults = [fault for one in outcomes for fault in _unfit(one, own[one["template"]])]
    return faults + [_too_costly(name) for name in list(own)[len(outcomes) : len(outcomes) + 1]]


def _unfit(outcome: sandbox.Outcome, text: str) -> Iterator[Fault]:
    name, known = outcome["template"], variables()[outcome["template"]]
    if "fault" in outcome:
        yield _fault(name, outcome["line"], _explained(outcome["fault"]), text)
    for word, line in outcome.get("words", ()):
        if word not in known:
            message = f"没有变量“{word}”，可用：{'、'.join(sorted(known))} no such variable.{nearest(word, known)}"
            yield _fault(name, line, message, text)
    for wanted, line in outcome.get("named", ()):
        if wanted not in variables():
            hint = "" if wanted is None else nearest(wanted, variables())
            message = f"只能引用这些模板的名称 only these templates, by their names, can be referred to.{hint}"
            yield _fault(name, line, message, text)


def _tried(own: Mapping[str, str]) -> list[Fault]:
    """Render what the templates are used for, apart; the first fault of each template."""
    if not own:
        return []
    sources = {**shipped(), **own}
    trials = list(_trials(sources))
    found: dict[str, Fault] = {}
    outcomes = _apart(sandbox.Asked(texts={}, sources=sources, pages=[one.page for one in trials]))
    for trial, outcome in zip(trials, outcomes, strict=False):
        fault = _judged(trial, outcome, own)
        if fault is not None:
            found.setdefault(fault.file, fault)
    for trial in trials[len(outcomes) : len(outcomes) + 1]:
        fault = _too_costly(_own_of(trial.page["template"], own))
        found.setdefault(fault.file, fault)
    return list(found.values())


def _too_costly(name: str) -> Fault:
    """The process ended before it had done with this template."""
    return _fault(
        name, 1,
        f"超过 {sandbox.MOST_SECONDS} 秒，或占用过多内存"
        f" it takes more than {sandbox.MOST_SECONDS} s, or too much memory",
    )  # fmt: skip


def _trials(sources: Mapping[str, str]) -> Iterator[_Trial]:
    """Each sample as it would be rendered; sentences are those of the house, their own templates are tried apart."""
    writer = Writer(sandbox.environment(shipped()), _URL, is_rehearsal=True)
    for letter in every_sample():
        if len(letter.notices) == 1:
            (notice,) = letter.notices
            words: NoticeWords = notice_words(notice, letter.at, _URL)
            yield _Trial(page={"template": says(notice.message), "variables": words}, says=())
        folder, said = writer.written(letter)
        names = parts(folder, sources)
        link = said["queue"] if folder == "digest" else str(cast("Mapping[str, object]", said)["link"])
        yield _Trial(page={"template": names.subject, "variables": said}, says=())
        for name in (names.text, names.html):
            yield _Trial(page={"template": name, "variables": said}, says=(link, _REHEARSAL))


def _apart(asked: sandbox.Asked) -> list[sandbox.Outcome]:
    """What became of the templates and pages, in order; shorter than they are if one ended the process."""
    command = (sys.executable, "-I", sandbox.__file__)
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and script, no shell
            command, input=orjson.dumps(asked), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
            timeout=_SECONDS_TO_WAIT,
        )  # fmt: skip
        written = child.stdout
    except subprocess.TimeoutExpired as late:
        written = late.stdout or b""
    whole, _, _ = written.rpartition(b"\n")
    return [orjson.loads(line) for line in whole.splitlines()]


def _judged(trial: _Trial, outcome: sandbox.Outcome, own: Mapping[str, str]) -> Fault | None:
    """What is wrong with a page as it came out; None if nothing is."""
    name = outcome["template"]
    if "fault" in outcome:
        message, blamed = _explained(outcome["fault"]), name if name in own else _own_of(trial.page["template"], own)
        return _fault(blamed, outcome["line"] if blamed == name else 1, message, own.get(blamed, ""))
    problem = _wrong_with(name, outcome["text"], trial.says) if "text" in outcome else None
    return None if problem is None else _fault(_own_of(name, own), 1, problem)


def _wrong_with(name: str, text: str, least: Iterable[str]) -> str | None:
    missing = [one for one in least if one not in text]
    if missing:
        return f"没有写出 it does not say: {'、'.join(missing)}"
    try:
        if name.endswith("/says.txt"):
            sentence(text)
        if name.endswith("/subject.txt"):
            check_line("主题 subject", text.strip())
    except Unmailable as problem:
        return str(problem)
    if name.endswith("/subject.txt") and not 0 < len(text.strip()) <= _LONGEST_SUBJECT:
        return f"主题应有 1 至 {_LONGEST_SUBJECT} 字 a subject has 1 to {_LONGEST_SUBJECT} characters"
    return None


def _explained(problem: str) -> str:
    """What stopped a template, with the nearest right word if a word is unknown."""
    if problem == sandbox.TOO_MUCH:
        return f"超过 {sandbox.MOST_CHARACTERS} 字，或占用过多内存 the page is too long, or takes too much memory"
    missing = _MISSING.search(problem)
    hint = "" if missing is None else nearest(missing[1] or missing[2], _words())
    return f"模板有误 {problem}{'.' if hint else ''}{hint}"


def _words() -> frozenset[str]:
    """Every word that means something in a template, variables and what they consist of."""
    inner = frozenset(Group.__annotations__) | frozenset(Both.__annotations__)
    return inner.union(*variables().values())


def _own_of(page: str, own: Mapping[str, str]) -> str:
    """The template of the institution that a page was made with: its own, else what it builds on."""
    kind = page.rpartition(".")[2]
    return next((one for one in (page, f"notice.{kind}", f"base.{kind}") if one in own), page)


def _fault(name: str, line: int, message: str, text: str = "") -> Fault:
    lines = text.splitlines()
    excerpt = lines[line - 1] if 0 < line <= len(lines) else ""
    return Fault(file=name, line=line, column=1, code="template", message=message, excerpt=excerpt)
