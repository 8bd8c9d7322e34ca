"""Clerks at work: real processes that are started, given the same list, waited for or killed."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.sabotage.office import Premises

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True, kw_only=True)
class Clerk:
    """One process; `said` is what it has acknowledged so far: word → cases."""

    process: subprocess.Popen[bytes]
    said: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def hear(self) -> str | None:
        """The next line it says, or None once it is gone; half a line was never said."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            return None
        word, cases = orjson.loads(line)
        self.said[word] += cases
        return str(word)

    def begin(self, cases: Sequence[tuple[int, int]]) -> None:
        """Hand over the list."""
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(cases) + b"\n")
        self.process.stdin.flush()

    def finish(self) -> Mapping[str, list[int]]:
        """Hear everything to the end, and that it ended well."""
        while self.hear() is not None:
            pass
        assert self.process.wait(timeout=30) == 0
        assert "done" in self.said
        return self.said

    def kill(self) -> Mapping[str, list[int]]:
        """SIGKILL, then hear what it had still managed to say."""
        self.process.kill()
        self.process.wait(timeout=30)
        while self.hear() is not None:
            pass
        return self.said


@contextmanager
def clerks(premises: Premises, trigger: str, logins: Sequence[str], *, chunk: int = 0) -> Iterator[list[Clerk]]:
    """A clerk for every login, all ready to begin; whoever is left at the end is killed."""
    command = [sys.executable, "-m", "tests.faults.clerk", premises.url, str(premises.key)]
    started = [
        Clerk(
            process=subprocess.Popen(
                [*command, login, trigger, str(chunk)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        )
        for login in logins
    ]
    try:
        for clerk in started:
            assert clerk.hear() == "ready"
        yield started
    finally:
        for clerk in started:
            with clerk.process:
                clerk.process.kill()
