"""The house: what every request of one process shares. Made once, in `console.serving`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from console.settings import Settings
from console.web.desks import Desks
from console.web.due import Batches
from console.web.rendering import Pages
from console.web.turns import Turns
from engine.lane_queries import Lengths

COOKIE = "xueji"
"""The name of the session's cookie; where the house is reached by https it bears the prefix that browsers enforce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Settings, desks, pages and the clock of one process.

    Attributes:
        now: What time it is: the machine's clock, or that of a rehearsal. Nothing else here reads a clock.
        rehearsal: Whether what is worked on is not real; every page says so.
        lengths: Which people's queues are long, as it was a short while ago.
        batches: The published batches, as long as none has changed.
        turns: What a crowd waits for before it takes a desk.
    """

    settings: Settings
    desks: Desks
    pages: Pages
    now: Callable[[], datetime]
    rehearsal: bool
    lengths: Lengths = field(default_factory=Lengths, compare=False, repr=False)
    batches: Batches = field(default_factory=Batches, compare=False, repr=False)
    turns: Turns = field(default_factory=Turns, compare=False, repr=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port at which people reach the house."""
        parts = urlsplit(self.settings.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_secure(self) -> bool:
        """Whether people reach the house by https."""
        return self.origin.startswith("https:")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return f"__Host-{COOKIE}" if self.is_secure else COOKIE
