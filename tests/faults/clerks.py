"""Clerks at work: real processes that are started, given the same list, waited for or killed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from tests.forking import end, ended, forked, pipe
from tests.sabotage.office import Premises

_ENDS_WITHIN = 30.0


@dataclass(slots=True, kw_only=True)
class Clerk:
    """One process; `said` is what it has acknowledged so far: word → cases."""

    process: BaseProcess
    line: Connection
    said: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def hear(self) -> str | None:
        """The next word it says, or None once it is gone; half a word was never said."""
        try:
            word, cases = self.line.recv()
        except (EOFError, ConnectionResetError):
            return None
        self.said[word] += cases
        return str(word)

    def begin(self, cases: Sequence[tuple[int, int]]) -> None:
        """Hand over the list."""
        self.line.send(cases)

    def finish(self) -> Mapping[str, list[int]]:
        """Hear everything to the end, and that it ended well."""
        while self.hear() is not None:
            pass
        assert ended(self.process, _ENDS_WITHIN) == 0
        assert "done" in self.said
        return self.said

    def kill(self) -> Mapping[str, list[int]]:
        """SIGKILL, then hear what it had still managed to say."""
        end(self.process)
        while self.hear() is not None:
            pass
        return self.said


@contextmanager
def clerks(premises: Premises, trigger: str, logins: Sequence[str], *, chunk: int = 0) -> Iterator[list[Clerk]]:
    """A clerk for every login, all ready to begin; whoever is left at the end is killed."""
    started = [_start(premises, login, trigger, str(chunk)) for login in logins]
    try:
        for clerk in started:
            assert clerk.hear() == "ready"
        yield started
    finally:
        for clerk in started:
            end(clerk.process)
            clerk.line.close()


def _start(premises: Premises, *words: str) -> Clerk:
    ours, its = pipe()
    with its:
        process = forked("tests.faults.clerk", premises.url, str(premises.key), *words, talking=its)
    return Clerk(process=process, line=ours)
