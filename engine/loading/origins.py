"""Where definitions come from: a folder, what its expressions may call, and which file a text is for.

Templates of what people are told are such files too, below `messages/`; whoever tells people knows them (`Templates`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.errors import Fault, Unknown, Unreadable
from engine.expressions.functions import Registered
from engine.library import Library
from engine.loading.folder import load
from engine.store.proposals import MESSAGES, is_template

MOST_BYTES = 500_000
"""The longest file shipped has a tenth of it."""
FOLDERS = ("workflows", "rules", "rules/calendars", "workflows/batches")
"""Where the files are of which one may be replaced by a text."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,80}\.yaml", re.ASCII)
_HEAD = re.compile(r"^(workflow|year|batch)[ \t]*:", re.MULTILINE)
_NEW_FILES: Mapping[str, str] = {"workflow": "workflows", "year": "rules/calendars", "batch": "workflows/batches"}
"""Files that may be new, by the key they begin with."""


class Templates(Protocol):
    """The templates of what people are told; names are those below `messages/`, `approved` are texts by name.

    An approved text lies over the one installed; an empty one is none.
    """

    @property
    def names(self) -> Collection[str]:
        """Which there may be."""

    def said(self, name: str, approved: Mapping[str, str]) -> str:
        """What mails are made with there; empty where nothing is."""

    def faults(self, name: str, text: str, approved: Mapping[str, str]) -> Collection[Fault]:
        """Every fault of a text, tried together with all others; one of them may lie in another template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What definitions are read with: the folder, what expressions may call, and the names of what people are told."""

    folder: Path
    functions: Mapping[str, Registered]
    messages: Collection[str]
    remembered: Callable[[Mapping[str, str]], Library] | None = None
    """Gives the library with texts laid over the folder to who does not ask where anything stands; None: it is read."""
    templates: Templates | None = None
    """None: there are none that could be published."""

    def library(self, over: Mapping[str, str]) -> Library:
        """The library with texts laid over the folder.

        Raises:
            DefinitionFaults: If anything in any file cannot be used.
        """
        return load(self.folder, self.functions, over) if self.remembered is None else self.remembered(over)

    def on_disk(self, file: str) -> str:
        """What is installed; empty where there is no such file."""
        if self.templates is not None and is_template(file):
            return self.templates.said(file.removeprefix(MESSAGES), {})
        path = self.folder / file
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def place_of(self, over: Mapping[str, str], name: str, text: str) -> str:
        """For which file a text is, by its name; a new procedure, year or batch has a place too.

        Args:
            over: Texts laid over the folder.
            name: Of the file, without its folder.
            text: What it says.

        Raises:
            Unreadable: If it is not named like a file of definitions.
            Unknown: If there is no such file, and it is none that may be new.
        """
        if not _NAME.fullmatch(name):
            raise Unreadable("文件名 file name", name, "leave-of-absence.yaml")
        head = _HEAD.search(text)
        own = None if head is None else _NEW_FILES[head[1]]
        for folder in sorted(FOLDERS, key=lambda one: one != own):  # a batch and a year may both be called 2024
            file = f"{folder}/{name}"
            if file in over or (self.folder / file).is_file():
                return file
        if own is None:
            known = [path.name for folder in FOLDERS for path in (self.folder / folder).glob("*.yaml")]
            raise Unknown("定义文件 definition file", name, known)
        return f"{own}/{name}"


def decoded(name: str, raw: bytes) -> str:
    """The text of a file that was handed in.

    Raises:
        Unreadable: If it is too long, or no UTF-8.
    """
    if len(raw) > MOST_BYTES:
        raise Unreadable(name, f"{len(raw):,} B", f"不超过 {MOST_BYTES:,} 字节 at most so many bytes")
    try:
        return raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        raise Unreadable(name, f"第 {problem.start} 字节 byte {problem.start}", "UTF-8") from problem
