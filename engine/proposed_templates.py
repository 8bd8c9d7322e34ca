"""What is found in a template of what people are told that is to be published: every fault, else in what it differs.

Templates are texts below `messages/`, one more kind of file that two persons publish (docs/decisions/0018). An approved
one lies over the one that is installed; an approved text that is empty gives the installed one back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from difflib import SequenceMatcher

from engine.differences import Difference
from engine.errors import DefinitionFaults, Fault, Unknown
from engine.loading.origins import Origin, Templates
from engine.proposed_texts import Findings
from engine.store.database import Connection
from engine.store.proposals import MESSAGES, Template, templates_in_force


def template_file(origin: Origin, name: str) -> str:
    """The file of a template, by its name with or without `messages/`.

    Raises:
        Unknown: If there is none of that name.
    """
    known = _known(origin).names
    short = name.removeprefix(MESSAGES)
    if short not in known:
        raise Unknown("消息模板 message template", short, known)
    return f"{MESSAGES}{short}"


def newest_template(connection: Connection, origin: Origin, file: str) -> str:
    """What a template says by the newest that was approved, else as it is installed; empty where nothing is said."""
    return _known(origin).said(_name(file), usable(templates_in_force(connection, date.max)))


def usable(approved: Iterable[Template]) -> dict[str, str]:
    """Approved templates by name, without those whose text is not the one that was approved."""
    return {one.name: one.text for one in approved if one.text is not None}


def findings_in_template(connection: Connection, origin: Origin, texts: tuple[str, str, str]) -> Findings:
    """What is found in a text (file, text, the text it replaces), tried with the newest of all others."""
    file, text, before = texts
    approved = usable(templates_in_force(connection, date.max))
    if faults := _faults(origin, (file, text), approved):
        return Findings(faults=faults)
    now = _known(origin).said(_name(file), {**approved, _name(file): text})
    return Findings(differences=tuple(_told(before, now, is_back=not text and _name(file) in approved)))


def check_template(connection: Connection, origin: Origin, given: tuple[str, str], days: Collection[date]) -> None:
    """Try a text (file, text) as it will stand on each of some days.

    Raises:
        DefinitionFaults: If it cannot be used on one of them.
    """
    found = [_faults(origin, given, usable(templates_in_force(connection, day))) for day in days]
    if faults := dict.fromkeys(one for some in found for one in some):
        raise DefinitionFaults(faults)


def _faults(origin: Origin, given: tuple[str, str], approved: Mapping[str, str]) -> tuple[Fault, ...]:
    found = _known(origin).faults(_name(given[0]), given[1], approved)
    return tuple(replace(one, file=f"{MESSAGES}{one.file}") for one in found)


def _told(before: str, now: str, *, is_back: bool) -> Iterator[Difference]:
    """How many lines are others; the lines themselves stand side by side on the page."""
    if is_back:
        yield Difference("用回安装的文字。", "The installed text is back.")
    old, new = before.splitlines(), now.splitlines()
    gone = come = 0
    for kind, first, last, new_first, new_last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            gone, come = gone + last - first, come + new_last - new_first
    if gone or come:
        yield Difference(f"去 {gone} 行，加 {come} 行。", f"Lines gone: {gone}, come: {come}.")


def _name(file: str) -> str:
    return file.removeprefix(MESSAGES)


def _known(origin: Origin) -> Templates:
    if origin.templates is None:
        raise Unknown("消息模板 message template", "")
    return origin.templates
