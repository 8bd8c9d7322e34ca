"""Proposed rules: definitions in a folder or a file that somebody hands in, laid over the installed ones, and checked.

What is handed in is text and stays text: YAML of the strict kind, in places that are named beforehand, within limits
far above any definition. Functions that rules may call are those installed, whatever comes in.
"""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

from engine.checking.examining import examine
from engine.errors import DefinitionFaults, XuejiError
from engine.other_rules import Under, under
from notifications.messages.catalogue import MESSAGES
from rules.functions import FUNCTIONS

MOST_BYTES = 4 * 2**20
_MOST_IN_ONE = 2**20
_MOST_FILES = 200
_PARTS = ("workflows", "rules")
_PLACE = re.compile(
    r"(?:[^/\\]{1,80}/)?(?P<place>workflows/[a-z0-9-]{1,80}|rules/(?:calendars/)?[a-z0-9-]{1,80})\.yaml"
)
"""Where a file of a package may stand: below `workflows/` or `rules/`, perhaps in one folder around both."""
_WORKFLOW = re.compile(r"^workflow:[ \t]*([a-z0-9-]{1,80})[ \t]*(?:#.*)?$", re.MULTILINE)
_ENCRYPTED = 1


class NoRules(XuejiError):
    """What was given holds no definitions, or nothing that may be looked at."""


def rules_in(folder: Path, installed: Path, approved: Mapping[str, str]) -> Under:
    """The rules in a folder: its `workflows/` and `rules/`; a file under `rules/` it lacks is the one in force.

    Args:
        folder: What is tried.
        installed: The folder of definitions.
        approved: The texts laid over that folder, by file (docs/decisions/0018).

    Raises:
        NoRules: If it has neither.
        DefinitionFaults: If together they cannot be used.
    """
    procedures = {path.stem for path in (folder / "workflows").glob("*.yaml")}
    has_rules = any((folder / "rules").rglob("*.yaml"))
    if not procedures and not has_rules:
        message = f"{folder} 下没有 workflows/*.yaml 或 rules/*.yaml。There are neither workflows/ nor rules/ there."
        raise NoRules(message)
    with TemporaryDirectory() as both:
        for source in (installed, folder):
            for part in _PARTS:
                for path in (source / part).rglob("*.yaml"):
                    target = Path(both) / path.relative_to(source)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
        over = {file: text for file, text in approved.items() if not (folder / file).exists()}
        library, faults = examine(Path(both), FUNCTIONS, messages=MESSAGES, over=over)
    grave = [fault for fault in faults if not fault.is_warning]
    if library is None or grave:
        raise DefinitionFaults(grave)
    wanted = [one for (name, _), one in library.definitions.items() if name in procedures]
    return under(library, wanted, rules=has_rules)


def handed_in(name: str, body: bytes, installed: Path) -> Mapping[str, bytes]:
    """The texts in a file somebody hands in, by their places: one YAML file, or a ZIP package of several.

    Args:
        name: What the file is called; of a file of rules it says which one it replaces.
        body: Its bytes.
        installed: Where the installed definitions are.

    Raises:
        NoRules: If it is neither, too large, or holds anything else.
    """
    if len(body) > MOST_BYTES:
        message = f"文件超过 {MOST_BYTES // 2**20} MB。The file is larger than {MOST_BYTES // 2**20} MB."
        raise NoRules(message)
    return _unpacked(body) if body.startswith(b"PK") else {_place(name, body, installed): body}


def rules_of(texts: Mapping[str, bytes], installed: Path, approved: Mapping[str, str]) -> Under:
    """The rules that were handed in (`handed_in`), laid over those in force (`rules_in`).

    Raises:
        NoRules: If there are none.
        DefinitionFaults: If together they cannot be used.
    """
    with TemporaryDirectory() as folder:
        for place, text in texts.items():
            target = Path(folder) / f"{place}.yaml"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
        return rules_in(Path(folder), installed, approved)


def _place(name: str, body: bytes, installed: Path) -> str:
    """Where a single file belongs: a procedure by the name inside, a file of rules by its own."""
    if found := _WORKFLOW.search(body.decode("utf-8", "replace")):
        return f"workflows/{found[1]}"
    known = {path.name: path for path in (installed / "rules").rglob("*.yaml")}
    if name not in known:
        message = (
            f"“{name}”不是流程（没有 workflow:），也不与 rules/ 下的文件同名。"
            f" '{name}' is no procedure (it has no 'workflow:') and not called like a file under rules/."
        )
        raise NoRules(message)
    return known[name].relative_to(installed).with_suffix("").as_posix()


def _unpacked(body: bytes) -> Mapping[str, bytes]:
    """The files of a package, by their places."""
    try:
        with ZipFile(BytesIO(body)) as package:
            entries = [one for one in package.infolist() if not one.is_dir()]
            _admit(entries)
            return {_placed(one): _read(package, one) for one in entries}
    except (BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error) as problem:
        message = "压缩包已损坏。The package is damaged."
        raise NoRules(message) from problem


def _admit(entries: list[ZipInfo]) -> None:
    names = {one.filename for one in entries}
    is_too_much = len(entries) > _MOST_FILES or sum(one.file_size for one in entries) > 4 * MOST_BYTES
    if is_too_much or len(names) < len(entries) or any(one.flag_bits & _ENCRYPTED for one in entries):
        message = "压缩包的文件过多、过大、重名或已加密。Too many or too large files, two of one name, or encrypted."
        raise NoRules(message)


def _placed(entry: ZipInfo) -> str:
    found = _PLACE.fullmatch(entry.filename)
    if found is None:
        message = (
            f"压缩包里只能有 workflows/*.yaml 和 rules/*.yaml，不能有 {entry.filename[:80]!r}。"
            f" A package holds workflows/*.yaml and rules/*.yaml only."
        )
        raise NoRules(message)
    return found["place"]


def _read(package: ZipFile, entry: ZipInfo) -> bytes:
    with package.open(entry) as opened:
        body = opened.read(_MOST_IN_ONE + 1)
    if len(body) > _MOST_IN_ONE:
        message = f"{entry.filename[:80]} 过大。It is too large."
        raise NoRules(message)
    return body
