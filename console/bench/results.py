"""What the races found, as lines of one table."""

from __future__ import annotations

from dataclasses import dataclass

from console.bench.races import Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure: what was measured, its value and unit, and what is promised of it."""

    race: str
    what: str
    value: float
    unit: str
    promised: float | None = None
    at_most: bool = False
    lowest: float | None = None
    highest: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept here; None when nothing is promised."""
        if self.promised is None:
            return None
        return self.value <= self.promised if self.at_most else self.value >= self.promised


def ratio_line(race: str, what: str, ratio: Ratio, promised: float | None = None) -> Line:
    """A ratio with its lowest and highest round."""
    return Line(
        race=race,
        what=what,
        value=ratio.median,
        unit="×",
        promised=promised,
        lowest=ratio.lowest,
        highest=ratio.highest,
    )
