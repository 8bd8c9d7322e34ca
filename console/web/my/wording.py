"""The language of a student's page, for what the engine words itself."""

from __future__ import annotations

from console.web.visit import Visit
from engine.expressions.kinds import Lang


def lang_of(visit: Visit) -> Lang:
    """The language of the page."""
    return "en" if visit.lang == "en" else "zh"
