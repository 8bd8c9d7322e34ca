"""Builds of the engine, honest and sabotaged: a test of a promise counts only if the sabotaged build fails it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The engine with one promise broken by `sabotage`; `is_noticed` says whether the claim at hand must fail."""

    name: str
    sabotage: Callable[[pytest.MonkeyPatch], None]
    is_noticed: bool = True

    def __str__(self) -> str:
        return self.name

    @contextmanager
    def tried(self) -> Iterator[None]:
        """Run claims on this build: on an honest one they hold, on a sabotaged one an assertion of the test fails.

        Any other exception of the sabotaged build passes through: a crash proves nothing about the claim.
        """
        with pytest.MonkeyPatch.context() as patch:
            self.sabotage(patch)
            if not self.is_noticed:
                yield
                return
            try:
                yield
            except AssertionError as failed:
                if not Path(extract_tb(failed.__traceback__)[-1].filename).name.startswith("test_"):
                    raise
                return
        pytest.fail(f"nobody noticed: the claim holds although “{self.name}”")


HONEST = Build(name="honest", sabotage=lambda _: None, is_noticed=False)


def breaks_under(*builds: Build) -> pytest.MarkDecorator:
    """Try a claim on the honest build and on sabotaged ones, each of which must fail it."""
    return pytest.mark.parametrize("build", [HONEST, *builds], ids=str)


def although(build: Build) -> Build:
    """A sabotaged build on which the claim must hold all the same, because a second defence stands behind the first."""
    return replace(build, name=f"although {build.name}", is_noticed=False)
