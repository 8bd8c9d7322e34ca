"""The trail sealed, taken out, and verified by the offline verifier, as an auditor does it, by one process and by two.

The verifier runs by itself, `python -I` on its one file: its memory is all that verifying takes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter, sleep
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console.bench.results import Line
from console.bench.scene import AT, Scene
from console.sealing import HeadFile, this_process
from engine.sealing import Sealer, seal
from engine.store.bundles import Scope
from engine.trail.notes import Signer
from exchange.bundles import VERIFIER, write_bundle

NAME = "verify"
_EVENTS_A_SECOND = 1_000_000 / 60
"""A million events in a minute on two cores."""
_MOST_MIB = 150

T = TypeVar("T")


class Checked(NamedTuple):
    """A bundle verified: seconds on the clock, and the most memory any of its processes took, in MiB."""

    seconds: float
    memory: float


class UnsoundError(Exception):
    """The verifier did not find sound what nobody touched: its speed would mean nothing."""


def run_verify(scene: Scene) -> list[Line]:
    """Seal everything in the scene's database, take it out, and verify it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = Signer(scene.office.log, Ed25519PrivateKey.generate())
        sealer = Sealer(log=scene.office.log, signers=(key,), head=HeadFile(folder / "head"))
        connection = scene.desk.connection
        sealed, sealing = _timed(lambda: seal(connection, sealer, this_process(), lambda: AT))
        bundle, policy = folder / "all.zip", folder / "policy"
        policy.write_text(f"log {key.verifier.vkey()}\nquorum none\n", encoding="utf-8")
        everything = Scope(kind="all")
        made, writing = _timed(lambda: write_bundle(bundle, connection, everything, log=scene.office.log, made_at=AT))
        checked = {jobs: _check(bundle, policy, jobs) for jobs in (1, 2)}
    lines = [
        Line(race=NAME, what=f"{sealed.events:,} events sealed", value=sealed.events / sealing, unit="events/s"),
        Line(race=NAME, what=f"{made.events:,} events taken out", value=made.events / writing, unit="events/s"),
    ]
    for jobs, one in checked.items():
        who = "one process" if jobs == 1 else "two processes"
        lines += [
            Line(
                race=NAME, what=f"{made.events:,} events verified, {who}", value=made.events / one.seconds,
                unit="events/s", promised=_EVENTS_A_SECOND if jobs > 1 else None,
            ),
            Line(
                race=NAME, what=f"memory of a process, {who}", value=one.memory, unit="MiB", promised=_MOST_MIB,
                at_most=True,
            ),
        ]  # fmt: skip
    return lines


def _timed(act: Callable[[], T]) -> tuple[T, float]:
    start = perf_counter()
    return act(), perf_counter() - start


def _check(bundle: Path, policy: Path, jobs: int) -> Checked:
    script = str(VERIFIER / "xueji_verify.py")
    command = [sys.executable, "-I", script, str(bundle), "--policy", str(policy), "--jobs", str(jobs)]
    start, memory = perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 our own file, no shell
        while process.poll() is None:
            memory = max(memory, *map(_most_memory, _family(process.pid)))
            sleep(0.05)
    if process.returncode:
        raise UnsoundError(process.returncode)
    return Checked(perf_counter() - start, memory)


def _family(process: int) -> list[int]:
    """A process and its children, as Linux tells them."""
    children = Path(f"/proc/{process}/task/{process}/children")
    return [process, *(map(int, children.read_text(encoding="ascii").split()) if children.exists() else ())]


def _most_memory(process: int) -> float:
    """The most memory a process has had by now, in MiB (what `wait4` tells begins with its parent's); 0 once gone."""
    with suppress(OSError):
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        return next((int(one.split()[1]) / 1024 for one in status.splitlines() if one.startswith("VmHWM")), 0.0)
    return 0.0
