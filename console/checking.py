"""Checking definitions: every fault with its place, its line and a caret."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.calling import Misuse
from console.printing import document, line, note
from engine.checking.examining import examine
from engine.errors import Fault
from rules.functions import FUNCTIONS


def check(paths: Sequence[Path], definitions: Path, *, as_json: bool) -> int:
    """Check folders of definitions, or single files within one; without any, the installed definitions.

    Returns:
        1 if there is a fault; warnings alone do not count.
    """
    faults = [fault for folder, names in _asked(paths or (definitions,)).items() for fault in _faults(folder, names)]
    if as_json:
        document([_document(one) for one in faults if not one.is_warning])
    else:
        _tell(faults)
    return 1 if any(not one.is_warning for one in faults) else 0


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


def _faults(folder: Path, names: frozenset[str] | None) -> list[Fault]:
    _, faults = examine(folder, FUNCTIONS)
    if names is None:
        return list(faults)
    return [one for one in faults if any(one.file == name or one.file.startswith(f"{name}/") for name in names)]


def _document(one: Fault) -> dict[str, object]:
    return {
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "code": one.code,
        "message": one.message,
    }


def _tell(faults: Sequence[Fault]) -> None:
    for one in faults:
        if one.is_warning:
            note(f"提醒 warning {one}")
        else:
            line(str(one))
    wrong = sum(not one.is_warning for one in faults)
    if wrong:
        line(f"{wrong} 处错误 faults，{len(faults) - wrong} 处提醒 warnings", style="red")
    else:
        line(f"定义没有错误 no faults，{len(faults)} 处提醒 warnings", style="green")
