"""Taking the trail out as a bundle, and having a bundle checked by the verifier, which trusts none of this program."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from console.calling import Caller, Misuse, Sitting
from console.printing import document, line, progress
from engine.desk import Desk
from engine.errors import Unknown
from engine.exporting import exported, reach_of, withheld
from engine.records import Json, Request, case_of
from engine.store import bundles, registry
from engine.store.bundles import Scope
from engine.store.cases import read_case
from exchange.bundles import VERIFIER, Contents, write_bundle

TRIGGER = "export:bundle"
"""What the trail calls the act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be taken out, where to, in whose name; exactly one of case, batch and everything."""

    path: Path
    login: str
    case: str | None = None
    batch: str | None = None
    everything: bool = False


def export(caller: Caller, wanted: Wanted, *, as_json: bool) -> int:
    """Write a bundle; its event is kept once the file is whole and before it has its name.

    Raises:
        Misuse: If it is not said what is wanted, or the file is there already or has no folder.
        Unknown: If there is no such case, batch or person.
        NotAllowed: If the person is no auditor at all the units concerned, or above them.
    """
    if [wanted.case is not None, wanted.batch is not None, wanted.everything].count(True) != 1:
        message = "请写明 --case、--batch 或 --all 之一。Give exactly one of --case, --batch, --all."
        raise Misuse(message)
    with caller.sitting() as sitting:
        scope = _scope(sitting.desk, wanted)
        request = sitting.request(TRIGGER, sitting.desk.actor(wanted.login))
        _entitle(sitting.desk, scope, request)
        with _handed_over(wanted.path) as part:
            contents = _write(sitting, scope, part)
            exported(sitting.desk, request, _told(scope, contents))
        _show(wanted.path, scope, contents, as_json=as_json)
    return 0


def verify(words: list[str]) -> int:
    """Have a bundle checked by the verifier in a process of its own, isolated from this program and its settings.

    Args:
        words: The verifier's own arguments.

    Returns:
        The verifier's exit code; it prints for itself.
    """
    sys.stdout.flush()
    command = [sys.executable, "-I", str(VERIFIER / "xueji_verify.py"), *words]
    return subprocess.run(command, check=False).returncode  # noqa: S603 our own file, and words that no shell reads


def _scope(desk: Desk, wanted: Wanted) -> Scope:
    if wanted.batch is not None:
        if registry.batch(desk.connection, wanted.batch) is None:
            raise Unknown("批次 batch", wanted.batch, registry.batches(desk.connection))
        return Scope(kind="batch", name=wanted.batch)
    if wanted.case is None:
        return Scope(kind="all")
    case = case_of(wanted.case)
    found = None if case is None else read_case(desk.connection, case)
    if found is None:
        raise Unknown("办件 case", wanted.case)
    return Scope(kind="case", name=found.case.number, case=found.case.id)


def _entitle(desk: Desk, scope: Scope, request: Request) -> None:
    """An auditor sees the own unit and all below it: everything that is taken out must be there."""
    reach = reach_of(desk, request)
    for unit, path in bundles.units(desk.connection, scope):
        if not any(path.startswith(grant.path) for grant in reach):
            raise withheld(desk, request, unit)


@contextmanager
def _handed_over(path: Path) -> Iterator[Path]:
    """A file to write that gets its name only if all goes well; nobody else may read it: it holds personal data."""
    if path.exists():
        message = f"{path} 已存在，请另取名字。{path} is there already; choose another name."
        raise Misuse(message)
    if not path.parent.is_dir():
        message = f"没有目录 {path.parent}。There is no folder {path.parent}."
        raise Misuse(message)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write(sitting: Sitting, scope: Scope, part: Path) -> Contents:
    connection, log = sitting.desk.connection, sitting.office.log
    with progress(bundles.count(connection, scope), "导出 exporting") as advance:
        return write_bundle(part, connection, scope, log=log, made_at=sitting.at, advance=advance)


def _told(scope: Scope, contents: Contents) -> dict[str, Json]:
    return {
        "scope": {"kind": scope.kind, "name": scope.name}, "events": contents.events, "size": contents.size,
        "sha256": contents.sha256,
    }  # fmt: skip


def _show(path: Path, scope: Scope, contents: Contents, *, as_json: bool) -> None:
    if as_json:
        document({"file": str(path), **_told(scope, contents)})
        return
    line(f"已导出 {contents.events} 个事件到 {path}，封存至 {contents.size}。", style="green")
    line(f"{contents.events} events are in {path}, under a signed head of size {contents.size}.", style="green")
    line(f"SHA-256 {contents.sha256}")
    if not contents.size:
        line("尚无签名的日志头，无法对外证明；请先运行 xueji audit seal。", style="yellow")
        line("There is no signed head yet, so nothing is proved to outsiders; run 'xueji audit seal' first.")
