"""What the registry's chain says of a text that was approved (`engine.proposing`): by its hashes, or by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from engine.definition import Definition
from engine.desk import Desk
from engine.library import Library
from engine.proposed_batches import batch_name
from engine.records import Json
from engine.store.proposals import MESSAGES, Line, is_batch, is_procedure, is_template


def told_of(desk: Desk, line: Line, versions: Sequence[tuple[date, Library]]) -> list[dict[str, Json]]:
    """What the chain says of an approved text, by the libraries of the days on which it changes something.

    What it names is kept at the same time; call inside the transaction of the approval.
    """
    return _each_once(one for day, library in versions for one in _events(desk, line, library, day))


def _events(desk: Desk, line: Line, library: Library, day: date) -> Iterator[dict[str, Json]]:
    """What the chain says of the library of a day: the definitions of the file, or the rulebook.

    Of a template or a batch it says its name: the text has no other hash than its own.
    """
    said: dict[str, Json] = {
        "file": line.file,
        "proposal": line.number,
        "sha256": line.sha256,
        "effective_from": day.isoformat(),
    }
    if is_template(line.file):
        yield {"message": line.file.removeprefix(MESSAGES), **said}
        return
    if is_batch(line.file):
        yield {"batch": batch_name(line.file), **said}
        return
    machines = _machines(line, library)
    if machines is None:
        yield {**desk.keep_rulebook(library.pins().rulebook, library.rulebook), **said}
        return
    for digest, one in machines.items():
        yield {**desk.keep_definition(digest, one), **said}


def hashes(line: Line, library: Library) -> tuple[str, ...]:
    """Under which hashes a library has what a file says; of a template or a batch, its own."""
    if is_template(line.file) or is_batch(line.file):
        return (line.sha256,)
    machines = _machines(line, library)
    return (library.pins().rulebook,) if machines is None else tuple(machines)


def _machines(line: Line, library: Library) -> dict[str, Definition] | None:
    """The definitions of a file and their lists, by hash; None for a file of rules."""
    if not is_procedure(line.file):
        return None
    stem, pins = Path(line.file).stem, library.pins()
    own = (one for one in library.machines() if one.workflow.partition(".")[0] == stem)
    return {pins.machines[one.workflow, one.profile]: one for one in own}


def _each_once(told: Iterable[dict[str, Json]]) -> list[dict[str, Json]]:
    """The first event of each hash: a definition does not change with what else comes into force later."""
    found: dict[str, dict[str, Json]] = {}
    for one in told:
        found.setdefault(hash_in(one), one)
    return list(found.values())


def hash_in(told: Mapping[str, Json]) -> str:
    """By which hash an event tells of what was approved."""
    return str(told.get("definition") or told.get("rulebook") or told["sha256"])
