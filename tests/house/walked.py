"""Which final states no story reaches: `python -m tests.house.walked` tells the stories and lists them.

As a plugin of pytest it is shown every world when its story is over, and reads from the trail where the cases were.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import NamedTuple

import orjson
import pytest

from engine.definition import CANCELLED, Definition
from engine.library import Library
from engine.loading.folder import load
from engine.trail.event import EventKind
from tests.engine.town import Town
from tests.house.source import ROOT

_PLUGIN = "tests.house.walked"
_ARRIVES = frozenset({EventKind.OPENED, EventKind.MOVED, EventKind.MIGRATED})
_arrived: set[tuple[str, str, str]] = set()
"""Machine, profile and state, for every state that a case of a story came to."""


def saw(town: Town) -> None:
    """Note where the cases of a world have been."""
    for (body,) in town.connection.execute("SELECT body FROM event WHERE chain > 0").fetchall():
        event = orjson.loads(bytes(body))
        if event["kind"] in _ARRIVES:
            shape = town.desk.definition(event["definition"])
            _arrived.add((shape.workflow, shape.profile, event["data"]["to"]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List, after the stories, the ends that none of them came to."""
    ends = ends_of(load(ROOT))
    for status in ("published", "draft"):
        every = [end for end in ends if end.status == status]
        missing = [end for end in every if not any((end.machine, one, end.state) in _arrived for one in end.profiles)]
        terminalreporter.write_line(f"{status}: {len(missing)} of {len(every)} final states are reached by no story")
        for end in missing:
            terminalreporter.write_line(f"  {end.machine}: {end.state} ({', '.join(end.profiles)})")


class End(NamedTuple):
    """A final state of a machine, and the profiles that have it."""

    machine: str
    state: str
    status: str
    profiles: tuple[str, ...]


def ends_of(library: Library) -> list[End]:
    """Every final state of every machine."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in library.machines():
        for state in _ends(library, one):
            found[one.workflow, state, one.status].append(one.profile)
    return [End(*key, tuple(profiles)) for key, profiles in sorted(found.items())]


def _ends(library: Library, one: Definition) -> set[str]:
    """The final states of a machine; `cancelled` where a step of its own, or an effect of another, leads there."""
    every = library.machines_of(one.profile).values()
    effects = (effect for other in every for step in other.transitions.values() for effect in step.then)
    ends = {name for name, state in one.states.items() if state.final}
    is_cancelled = any(CANCELLED in step.targets for step in one.transitions.values())
    if is_cancelled or any(effect.cancel == one.workflow for effect in effects):
        ends.add(CANCELLED)
    return ends


def main() -> int:
    """Tell every story, and say what none of them comes to."""
    options = ["-q", "-p", "no:cacheprovider", "-p", _PLUGIN]
    return pytest.main([*options, "-k", "stories", str(ROOT / "tests/definitions")])


if __name__ == "__main__":
    sys.exit(main())
