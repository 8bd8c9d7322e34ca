"""Checking definitions: every fault with its place, its line and a caret, and the story that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.calling import Misuse
from console.printing import document, line, note
from engine.analysis.examining import LogicOfGuards, examine
from engine.checking.examining import Told
from notifications.messages.catalogue import MESSAGES
from rules.functions import FUNCTIONS

ANALYSIS = "pip install --require-hashes -r requirements/analysis.txt"


def check(paths: Sequence[Path], definitions: Path, *, guards: bool, as_json: bool) -> int:
    """Check folders of definitions, or single files within one; without any, the installed definitions.

    Args:
        paths: Folders or files.
        definitions: The installed definitions.
        guards: Read the rules as logic too, which needs the extra `analysis`.
        as_json: One JSON document on standard output.

    Returns:
        1 if there is a fault; warnings alone do not count.

    Raises:
        Misuse: If the extra is needed and missing, or a path is no folder of definitions.
    """
    logic = _logic() if guards else None
    asked = _asked(paths or (definitions,))
    told = [one for folder, names in asked.items() for one in _told(folder, names, logic)]
    if as_json:
        document([_document(one) for one in told if not one[0].is_warning])
    else:
        _tell(told)
    return 1 if any(not fault.is_warning for fault, _ in told) else 0


def _logic() -> LogicOfGuards:
    """The solver behind `--guards`; loaded only when it is asked for.

    Raises:
        Misuse: If it is not installed.
    """
    try:
        from engine.analysis.guards import examine_guards  # noqa: PLC0415 an extra that may be missing
    except ModuleNotFoundError as missing:
        if missing.name != "z3":
            raise
        message = (
            f"--guards 需要附加组件 analysis（z3），尚未安装。请运行：{ANALYSIS}\n"
            f"--guards needs the extra 'analysis' (z3), which is not installed. Run: {ANALYSIS}"
        )
        raise Misuse(message) from missing
    return examine_guards


def _asked(paths: Sequence[Path]) -> dict[Path, frozenset[str] | None]:
    """The folders to examine, each with the files that were named (None: all of them)."""
    asked: dict[Path, frozenset[str] | None] = {}
    for path in paths:
        folder = _folder_of(path)
        is_whole = path.resolve() == folder
        named = asked.get(folder, frozenset())
        asked[folder] = None if is_whole or named is None else named | {path.resolve().relative_to(folder).as_posix()}
    return asked


def _folder_of(path: Path) -> Path:
    """The folder of definitions a path is or lies in.

    Raises:
        Misuse: If there is none.
    """
    here = path.resolve()
    if path.exists():
        for folder in (here, *here.parents):
            if (folder / "workflows").is_dir() and (folder / "rules").is_dir():
                return folder
    message = (
        f"{path} 不是定义目录（其中应有 workflows/ 和 rules/），也不在其中。"
        f" {path} is no folder of definitions (with workflows/ and rules/ in it), and lies in none."
    )
    raise Misuse(message)


def _told(folder: Path, names: frozenset[str] | None, logic: LogicOfGuards | None) -> list[Told]:
    told = examine(folder, FUNCTIONS, guards=logic, messages=MESSAGES).told
    if names is None:
        return list(told)
    return [one for one in told if any(one[0].file == name or one[0].file.startswith(f"{name}/") for name in names)]


def _document(told: Told) -> dict[str, object]:
    one, story = told
    return {
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "code": one.code,
        "message": one.message,
        "story": list(story),
    }


def _tell(told: Sequence[Told]) -> None:
    for one, story in told:
        write, before = (note, "提醒 warning ") if one.is_warning else (line, "")
        write(f"{before}{one}")
        for sentence in story:
            write(f"    {sentence}")
    wrong = sum(not one.is_warning for one, _ in told)
    if wrong:
        line(f"{wrong} 处错误 faults，{len(told) - wrong} 处提醒 warnings", style="red")
    else:
        line(f"定义没有错误 no faults，{len(told)} 处提醒 warnings", style="green")
