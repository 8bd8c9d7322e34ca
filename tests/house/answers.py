"""Whether what answers a requirement is there, and how the page links to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import typer
from typer.core import TyperGroup

from console.commands import app
from engine.library import Library
from tests.house.requirements import Reference

_WORDS = {
    "workflow": "流程", "rule": "条件", "fact": "信息项", "role": "岗位", "document": "表格", "deadline": "期限",
    "batch": "批次", "command": "命令", "file": "文件", "test": "测试",
}  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What may answer a requirement: the definitions, the commands, the files of the project."""

    home: Path
    library: Library

    def exists(self, one: Reference) -> bool:
        """Whether there is such a thing."""
        if one.kind in {"file", "test"}:
            return self._is_in_file(one.name)
        return one.name in self._names.get(one.kind, {})

    def link(self, one: Reference) -> str:
        """The answer as the page shows it, from `docs/`."""
        if one.kind == "command":
            return f"命令 `{one.name}`"
        file = one.name.partition(":")[0] if one.kind in {"file", "test"} else self._names[one.kind][one.name]
        return f"{_WORDS[one.kind]} [{one.name}](../{file})"

    def run_by(self, answers: Iterable[Reference]) -> tuple[str, ...]:
        """The profiles that run the procedures among the answers; none where no procedure is."""
        named = {one.name for one in answers if one.kind in {"workflow", "deadline"}}
        return tuple(
            profile
            for profile in self.library.rulebook.organisation.profiles
            if any(f"{name}.".startswith(f"{run}.") for name in named for run in self.library.of_profile(profile))
        )

    @cached_property
    def _names(self) -> Mapping[str, Mapping[str, str]]:
        """By kind, every name there is, and the file it stands in."""
        book = self.library.rulebook
        return {
            "workflow": dict(self._workflows()),
            "deadline": dict(self._deadlines()),
            "rule": self._rules,
            "fact": dict.fromkeys(book.vocabulary.student, "rules/vocabulary.yaml"),
            "role": dict.fromkeys(book.organisation.roles, "rules/organisation.yaml"),
            "document": dict.fromkeys(book.documents, "rules/documents.yaml"),
            "batch": {name: f"workflows/batches/{name}.yaml" for name in self.library.batches},
            "command": dict.fromkeys(_commands(), "console/commands.py"),
        }

    def _workflows(self) -> Iterator[tuple[str, str]]:
        for machine in self.library.machines():
            file = _file_of(machine.workflow)
            yield machine.workflow, file
            yield from ((f"{machine.workflow}.{step}", file) for step in machine.transitions)

    def _deadlines(self) -> Iterator[tuple[str, str]]:
        for machine in self.library.machines():
            for number in machine.deadlines:
                yield f"{machine.workflow}.{number}", _file_of(machine.workflow)

    @cached_property
    def _rules(self) -> Mapping[str, str]:
        book = self.library.rulebook
        named = {*book.rules, *book.engine}
        files = sorted((self.home / "rules").glob("*.yaml"))
        keys = {file: re.findall(r"^([a-z0-9-]+):", file.read_text(encoding="utf-8"), re.MULTILINE) for file in files}
        return {name: f"rules/{file.name}" for file, names in keys.items() for name in names if name in named}

    def _is_in_file(self, name: str) -> bool:
        path, _, inside = name.partition(":")
        file = self.home / path
        if not file.is_file():
            return False
        return not inside or inside in _defined_in(file)


def _file_of(workflow: str) -> str:
    return f"workflows/{workflow.partition('.')[0]}.yaml"


def _defined_in(file: Path) -> frozenset[str]:
    """The functions, classes and attributes that a module defines."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    defined = (one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.ClassDef))
    targets = (one.target for one in ast.walk(tree) if isinstance(one, ast.AnnAssign))
    return frozenset((*defined, *(one.id for one in targets if isinstance(one, ast.Name))))


def _commands() -> Iterator[str]:
    """Every command as it is typed."""
    yield from _below(typer.main.get_command(app), "xueji")


def _below(command: object, typed: str) -> Iterator[str]:
    if not isinstance(command, TyperGroup):
        yield typed
        return
    for name, one in command.commands.items():
        yield from _below(one, f"{typed} {name}")
