"""Charts as SVG, drawn by the server: bars, sparks, and the line that burns down; colours by name from the token file.

Presentation attributes only, for the pages run under a policy that refuses styles; the fonts are those of the page.
Every chart has a title and stands beside a table with the same numbers. Pure but for the token file, read once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import count
from typing import NamedTuple

from markupsafe import Markup, escape

from console.web.rendering import HERE

_TOKEN = re.compile(r"--(?:xj-)?([a-z0-9-]+)\s*:\s*(#[0-9A-Fa-f]{6})\b")
_DAY = timedelta(days=1)
_WEEK = 7


class Part(NamedTuple):
    """One part of a bar: its colour by token, what it is called, and its length."""

    token: str
    name: str
    length: int


@cache
def palette() -> Mapping[str, str]:
    """The colours of the token file by name."""
    return dict(_TOKEN.findall((HERE / "static" / "tokens.css").read_text("utf-8")))


def colour(name: str) -> str:
    """A colour by its token.

    Raises:
        KeyError: If there is no such token.
    """
    return palette()[name]


def swatch(token: str) -> Markup:
    """A little square, for a legend."""
    return Markup(
        '<svg class="xj-swatch" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">'
        '<rect width="12" height="12" rx="2" fill="{}"/></svg>'
    ).format(colour(token))


def bar(parts: Sequence[Part], whole: int, *, track: str | None = "chart-track") -> Markup:
    """Parts beside each other, `whole` being the full width; without a track the rest stays empty.

    It stretches to the width it is given; its title says every part with its number.
    """
    named = "，".join(f"{one.name} {one.length}" for one in parts)
    rects = [] if track is None else [_rect(0, 100, track)]
    rects += [_rect(begins, width, one.token) for one, begins, width in _spans(parts, whole)]
    return Markup(
        '<svg class="xj-part" role="img" viewBox="0 0 100 10" preserveAspectRatio="none"><title>{}</title>{}</svg>'
    ).format(named, Markup().join(rects))


def _spans(parts: Sequence[Part], whole: int) -> Iterator[tuple[Part, float, float]]:
    at = 0.0
    for one in parts:
        width = 100 * one.length / whole if whole else 0.0
        if width:
            yield one, at, width
        at += width


def _rect(begins: float, width: float, token: str) -> Markup:
    return Markup('<rect x="{}" width="{}" height="10" fill="{}"/>').format(
        _short(begins), _short(width), colour(token)
    )


def spark(values: Sequence[int], title: str) -> Markup:
    """A small line without axes, its own least and most being its bottom and top."""
    least, most = min(values, default=0), max(values, default=0)
    step = 70 / max(1, len(values) - 1)
    points = " ".join(
        f"{_short(1 + place * step)},{_short(17 - 14 * (value - least) / max(1, most - least))}"
        for place, value in enumerate(values)
    )
    return Markup(
        '<svg class="xj-spark" role="img" width="72" height="20" viewBox="0 0 72 20"><title>{}</title>'
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"/></svg>'
    ).format(title, points, colour("primary"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """What burns down: of each day how many are still open.

    Attributes:
        days: The ends of the days that are over, in order, and now.
        plan: The same as it should be, up to the deadline.
        due: The day of the deadline.
        left: How many will be open then at this pace; None where nothing is foretold.
        off: Stretches of days on which nobody works, with what they are called if they are a holiday.
        made_up: Days of rest that are worked.
    """

    days: Sequence[tuple[date, int]]
    plan: Sequence[tuple[date, int]]
    due: date
    left: int | None
    off: Sequence[tuple[date, date, str]]
    made_up: Sequence[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnWords:
    """What stands in the drawing, in the language of the page; `day` writes a day."""

    title: str
    description: str
    plan: str
    now: str
    left: str
    due: str
    off: str
    made_up: str
    day: Callable[[date], str]


_WIDE, _HIGH = 640, 260
_TICKS = 4
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 40, 28


class _Sheet:
    """Where days and counts lie in the drawing."""

    def __init__(self, burn: Burn) -> None:
        self.first = min(burn.days[0][0], burn.due)
        self.last = max(burn.due, burn.days[-1][0]) + _DAY
        self._span = max(1, (self.last - self.first).days)
        most = max([1, *(value for _, value in burn.days), *(value for _, value in burn.plan)])
        self.step = _step(most)
        self._most = -(-most // self.step) * self.step

    def x(self, day: date, shift: float = 0.0) -> float:
        part = ((day - self.first).days + shift) / self._span
        return _LEFT + part * (_WIDE - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _HIGH - _BOTTOM - value / self._most * (_HIGH - _TOP - _BOTTOM)

    def ticks(self) -> Iterable[int]:
        return range(0, self._most + 1, self.step)

    def weeks(self) -> Iterator[date]:
        """A day a week, Mondays, but the first day for the first of them."""
        every = max(1, self._span // (6 * _WEEK) + (self._span > 6 * _WEEK))
        monday = self.first + timedelta(days=-self.first.weekday() % _WEEK)
        for place in count():
            day = monday + place * every * timedelta(days=_WEEK)
            if day > self.last:
                return
            yield day


def burn_down(burn: Burn, words: BurnWords) -> Markup:
    """The plan dashed, what is open as a line, what is foretold dotted; days off shaded, worked ones marked."""
    sheet = _Sheet(burn)
    parts = [
        *_days_off(sheet, burn, words),
        *_axes(sheet, words),
        _line(sheet, burn.plan, 'stroke-width="1.5" stroke-dasharray="5 4" stroke', "ink-3"),
        *_plan_label(sheet, burn, words),
        _line(sheet, burn.days, 'stroke-width="2.5" stroke-linejoin="round" stroke', "primary"),
        *_deadline(sheet, burn, words),
        *_now(sheet, burn, words),
    ]
    return Markup(
        '<svg class="xj-chart" role="img" aria-labelledby="burn-title burn-desc" viewBox="0 0 {} {}">'
        '<title id="burn-title">{}</title><desc id="burn-desc">{}</desc>{}</svg>'
    ).format(_WIDE, _HIGH, words.title, words.description, Markup().join(parts))


def _days_off(sheet: _Sheet, burn: Burn, words: BurnWords) -> Iterator[Markup]:
    bottom = sheet.y(0)
    for first, last, name in burn.off:
        left, right = sheet.x(first, -0.5), sheet.x(last, 0.5)
        yield Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
            _short(max(left, _LEFT)), _TOP, _short(right - max(left, _LEFT)), _short(bottom - _TOP), colour("page")
        )
        if name:
            yield _text((left + right) / 2, 26, f"{name} {words.off}", "ink-2")
    for day in burn.made_up:
        yield Markup('<rect x="{}" y="13" width="18" height="18" rx="3" fill="{}"/>').format(
            _short(sheet.x(day) - 9), colour("warn-bg")
        )
        yield _text(sheet.x(day), 26, words.made_up, "warn")


def _axes(sheet: _Sheet, words: BurnWords) -> Iterator[Markup]:
    for value in sheet.ticks():
        y = _short(sheet.y(value))
        yield Markup('<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="{}"/>').format(
            _LEFT, _WIDE - _RIGHT, y, y, colour("line")
        )
        yield _text(_LEFT - 8, sheet.y(value) + 4, f"{value:,}", "ink-2", "end")
    for day in sheet.weeks():
        yield _text(sheet.x(day), _HIGH - 8, words.day(day), "ink-2")


def _line(sheet: _Sheet, points: Sequence[tuple[date, int]], stroke: str, token: str) -> Markup:
    drawn = " ".join(f"{_short(sheet.x(day))},{_short(sheet.y(value))}" for day, value in points)
    return Markup(f'<polyline points="{{}}" fill="none" {stroke}="{{}}"/>').format(drawn, colour(token))  # noqa: S704 our own words


def _plan_label(sheet: _Sheet, burn: Burn, words: BurnWords) -> Iterator[Markup]:
    """Below the dashed line and left of it, where nothing else is; a plan of one day is no line."""
    if len(burn.plan) > 1:
        day, value = burn.plan[len(burn.plan) // 2]
        yield _text(sheet.x(day) - 12, min(sheet.y(value) + 18, sheet.y(0) - 6), words.plan, "ink-2", "end")


def _deadline(sheet: _Sheet, burn: Burn, words: BurnWords) -> Iterator[Markup]:
    x = _short(sheet.x(burn.due))
    yield Markup('<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="{}" stroke-width="1.5"/>').format(
        x, x, _TOP, _short(sheet.y(0)), colour("bad-plain")
    )
    yield _text(sheet.x(burn.due) - 6, _TOP + 14, words.due, "bad-plain", "end", weight=600)


def _now(sheet: _Sheet, burn: Burn, words: BurnWords) -> Iterator[Markup]:
    day, value = burn.days[-1]
    x, y = sheet.x(day), sheet.y(value)
    if burn.left is not None and burn.due > day:
        there = sheet.x(burn.due), sheet.y(burn.left)
        yield Markup(
            '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="2" stroke-dasharray="2 3"/>'
            '<circle cx="{}" cy="{}" r="5" fill="{}" stroke="{}" stroke-width="2"/>'
        ).format(
            *map(_short, (x, y, *there)),
            colour("bad-plain"),
            *map(_short, there),
            colour("surface"),
            colour("bad-plain"),
        )
        yield _text(there[0] - 10, min(there[1] + 20, sheet.y(0) - 4), words.left, "bad-plain", "end", weight=600)
    yield Markup('<circle cx="{}" cy="{}" r="5" fill="{}"/>').format(_short(x), _short(y), colour("primary"))
    yield _text(x + 4, y - 12, words.now, "primary", "end" if x > _WIDE / 2 else "start", weight=600)


def _text(x: float, y: float, text: str, token: str, anchor: str = "middle", *, weight: int = 400) -> Markup:
    """Words with a white rim, so that a line behind them does not cross them out."""
    return Markup(
        '<text x="{}" y="{}" font-size="13" font-weight="{}" text-anchor="{}" fill="{}" stroke="{}" stroke-width="3"'
        ' paint-order="stroke">{}</text>'
    ).format(_short(x), _short(y), weight, anchor, colour(token), colour("surface"), escape(text))


def _step(most: int) -> int:
    """The least round number of which a handful reach the top."""
    scales = (digit * scale for scale in (1, 10, 100, 1_000, 10_000, 100_000) for digit in (1, 2, 3, 5))
    return next((one for one in scales if one * _TICKS >= most), most)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
