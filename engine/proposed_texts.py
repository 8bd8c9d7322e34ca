"""What is found in a definition that is to be published: every fault, else in what it differs, what it would move."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from engine.checking.changes import changed_soundly
from engine.checking.examining import examine
from engine.definition import Bilingual, Definition
from engine.desk import Desk
from engine.differences import Difference, differences, rulebook_differences
from engine.errors import DefinitionFaults, Fault
from engine.expressions.kinds import SHANGHAI
from engine.extending import Touched, touched
from engine.library import Library, content_hash
from engine.loading.folder import read_batch, read_workflow
from engine.loading.origins import Origin
from engine.proposed_batches import STAYS, batch_differences, batch_faults, batch_name, is_published
from engine.records import Request
from engine.store import proposals
from engine.store.proposals import Proposal, is_batch, is_procedure
from engine.vocabulary import RulebookText

_MOST_COUNTED = 5_000
"""Cases whose deadlines are counted by another calendar while somebody waits: a few seconds' worth."""
_VERSION = re.compile(r"^version[ \t]*:[ \t]*", re.MULTILINE)


class Version(BaseModel):
    """The version of a profile before (None: it is new) and after."""

    model_config = ConfigDict(frozen=True)

    old: int | None
    new: int


class Findings(BaseModel):
    """What was found when a text was read: every fault; without any, in what it differs from what it replaces.

    `not_before` is the day the file itself says, `touched` how many dates of deadlines would move, and of how many
    students, where the calendar is another one, as things stood when the text was read.
    """

    model_config = ConfigDict(frozen=True)

    faults: tuple[Fault, ...] = ()
    title: Bilingual | None = None
    differences: tuple[Difference, ...] = ()
    versions: Mapping[str, Version] = {}
    not_before: date | None = None
    moves_dates: bool = False
    touched: Touched | None = None


def examined(
    origin: Origin, over: Mapping[str, str], given: tuple[str, str]
) -> tuple[Library | None, tuple[Fault, ...]]:
    """The library with a text (file, text) in place of a file, and every fault; warnings stand in nobody's way.

    `over` are the texts laid over the folder, which together are sound. A sound change is found to be sound from what
    it can have changed; only a change that is not is looked for everywhere.
    """
    file, text = given
    laid = {**over, file: text}
    with suppress(DefinitionFaults):  # what is installed cannot be used, and is told below with everything else
        changed = changed_soundly(origin.library(over), origin.folder, laid, file, origin.messages)
        if changed is not None:
            return changed, ()
    library, found = examine(origin.folder, origin.functions, messages=origin.messages, over=laid)
    return library, tuple(one for one in found if not one.is_warning)


def findings_of(one: Proposal) -> Findings:
    """What was found when it was read."""
    return Findings.model_validate_json(one.findings)


def findings_in(
    desk: Desk, origin: Origin, over: Mapping[str, str], texts: tuple[str, str, str], request: Request
) -> Findings:
    """Read a text (file, text, the text it replaces) together with all others, and say what is found.

    Args:
        desk: By what is in force.
        origin: Where the others are.
        over: What was approved, laid over them.
        texts: The file, the text, and the text it replaces.
        request: By whom and when.
    """
    file, text, before = texts
    library, faults = examined(origin, over, (file, text))
    if library is None or faults:
        return Findings(faults=(*faults, *(batch_faults(desk, None, texts) if is_batch(file) else ())))
    if is_batch(file):
        return _in_batch(desk, library, texts)
    if not is_procedure(file):
        old = _rulebook_before(desk, origin, over, request)
        head = library.rulebook.effective_from if file == "rules/rulebook.yaml" else None
        told = rulebook_differences(old, library.rulebook)
        is_same = content_hash(old) == content_hash(library.rulebook)
        moves_dates = old.calendar != library.rulebook.calendar
        other = Desk(desk.connection, desk.scribe, library, salt=bytes, rehearsal=desk.rehearsal)
        return Findings(
            differences=told or (() if is_same else (_ELSEWHERE,)),
            not_before=head,
            moves_dates=moves_dates,
            touched=touched(other, request, _MOST_COUNTED) if moves_dates else None,
        )
    was = _procedures(file, before)
    now = _procedures(file, text)
    return Findings(
        faults=tuple(_old_versions(file, text, was, now)),
        title=next(iter(now.values())).title,
        differences=tuple(_told(was, now)),
        versions={name: Version(old=was[name].version if name in was else None, new=one.version)
                  for name, one in now.items()},
        not_before=max(one.effective_from for one in now.values()),
    )  # fmt: skip


def _in_batch(desk: Desk, library: Library, texts: tuple[str, str, str]) -> Findings:
    """What is found in a batch (file, text, text it replaces) whose shape is good."""
    file, _, before = texts
    now = library.batches[batch_name(file)]
    told: tuple[Difference, ...] = ()
    if before:
        was = read_batch(file, before, library.rulebook)
        told = tuple(batch_differences(library.rulebook_for(now.profile).vocabulary, was, now))
        told += (STAYS,) if told and is_published(desk, now.batch) else ()
    return Findings(faults=batch_faults(desk, now, texts), title=now.title, differences=told)


_ELSEWHERE = Difference("有其他改动，请看对照。", "There are other changes; see them side by side.")


def _rulebook_before(desk: Desk, origin: Origin, over: Mapping[str, str], request: Request) -> RulebookText:
    """The rulebook of the newest that was approved; the desk's own where nothing approved waits for its day."""
    if not proposals.days_to_come(desk.connection, request.at.astimezone(SHANGHAI).date()):
        return desk.library.rulebook
    return origin.library(over).rulebook


def _procedures(file: str, text: str) -> Mapping[str, Definition]:
    return read_workflow(Path(file), text) if text else {}


def _old_versions(
    file: str, text: str, was: Mapping[str, Definition], now: Mapping[str, Definition]
) -> Iterator[Fault]:
    """A definition that is not as it was has a higher number, or two of them would be called the same."""
    stale = [name for name, one in now.items() if name in was and was[name] != one and one.version <= was[name].version]
    if stale:
        where = _VERSION.search(text)
        before = "" if where is None else text[: where.end()]
        line = before.count("\n") + 1
        version = max(was[name].version for name in stale)
        yield Fault(
            file=file,
            line=line,
            column=len(before.rpartition("\n")[2]) + 1,
            code="wrong-value",
            message=(
                f"取值不符 · 第 {version} 版已在用，改动后写 {version + 1}。"
                f" version {version} is in use; what is changed is version {version + 1}."
            ),
            excerpt=text.splitlines()[line - 1],
        )


def _told(was: Mapping[str, Definition], now: Mapping[str, Definition]) -> Iterator[Difference]:
    """The differences of all profiles, each once, with the profiles it is about where it is not about all."""
    about: dict[Difference, list[str]] = {}
    for name, one in now.items():
        for told in differences(was[name], one) if name in was else ():
            about.setdefault(told, []).append(name)
    both = [name for name in now if name in was]
    for told, names in about.items():
        where = ("", "") if names == both else (f"（{'、'.join(names)}）", f"({', '.join(names)}) ")
        yield Difference(where[0] + told.zh, where[1] + told.en)
    for name in dict.fromkeys((*now, *was)):
        if name not in was:
            yield Difference(f"新增办学类型“{name}”的流程。", f"The procedure is new for profile '{name}'.")
        elif name not in now:
            yield Difference(f"取消办学类型“{name}”的流程。", f"The procedure is gone for profile '{name}'.")
