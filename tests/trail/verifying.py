"""The verifier as tests call it: the very file that goes with every bundle, in this process."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from engine.trail.notes import Note
from exchange.bundles import VERIFIER
from tests.trail.prey import POLICY


def _loaded() -> ModuleType:
    name = "xueji_verify"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, VERIFIER / "xueji_verify.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


verifier: Any = _loaded()
"""Its functions; it is no package of ours, so no type checker follows it here."""


class Said(NamedTuple):
    """What the verifier came to: the outcome, and what it named, as (code, chain, seq)."""

    outcome: str
    named: tuple[tuple[str, str, int], ...]

    @property
    def chains(self) -> set[str]:
        """The chains that were named."""
        return {chain for _, chain, _ in self.named}

    @property
    def codes(self) -> set[str]:
        """What was found."""
        return {code for code, _, _ in self.named}


def verified(path: Path, *, policy: str = POLICY, seen: Note | None = None) -> Said:
    """Have a bundle checked."""
    kept = None if seen is None else seen.encoded().encode()
    asked = verifier.Asked(verifier.Policy.parse(policy), kept, 1)
    told = verifier.as_json(verifier.verify(path, asked))
    return Said(told["outcome"], tuple((one["code"], one["chain"], one["seq"]) for one in told["findings"]))
