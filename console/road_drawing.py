"""The way of a case as a picture (SVG): the road it takes, what it went, where it is, and what leads back.

Presentation attributes only, for pages whose content security policy allows no inline style; no ids, so that several
pictures can stand in one page. Colour is never the only sign: what was gone is thick and counted, where the case is,
is filled, an end has a double border. Pure.

Source: the console's specification, section 7.12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape

from console.drawing import Way
from console.roads import COLUMN, ROW, Box, Measures, Place, Plan, Track, plan
from engine.definition import Bilingual
from exchange.diagrams import Diagram

_FONTS = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC',system-ui,sans-serif"
_MARGIN, _ABOVE = 6.0, 40.0
_FIRST_WIDE = "\u2e80"  # from here on a letter is as wide as it is high
_STATE_SIZE, _STEP_SIZE = 13.0, 12.0
_ARROW, _COUNT = 8.0, 9.0
_THIN, _THICK, _BORDER = 1.0, 2.5, 1.4
_MOST_COUNTED = 99
_MOST_NAMED = 2
_BEFORE_WORDS = 0.15
"""How far along its lane a count stands where words of the road might reach the lane's middle."""
_DASHES = "4 3"
_LOCK = "M-4 -1h8v6h-8zM-2.5 -1v-2a2.5 2.5 0 0 1 5 0v2"


class Inks(NamedTuple):
    """The colours of a picture, by what they are for."""

    road: str
    on_road: str
    tint: str
    back: str
    paper: str
    line: str
    text: str
    quiet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a picture is to be: its colours, the language of its words, and whether it runs downwards, for telephones.

    `is_blocked` puts a lock on the state where the case is. `standing` is how many cases stand in each state, for the
    picture of a definition instead of a case's way.
    """

    inks: Inks
    lang: Literal["zh", "en"] = "zh"
    is_tall: bool = False
    is_blocked: bool = False
    standing: Mapping[str, int] | None = None


def draw_road(diagram: Diagram, way: Way, manner: Manner) -> str | None:
    """The way of a case on its road as SVG text; None where the workflow has no road that is clear enough.

    Args:
        diagram: What there is to draw.
        way: The steps the case took, and where it is.
        manner: How.
    """
    placed = plan(diagram, COLUMN if manner.is_tall else ROW)
    if placed is None:
        return None
    picture = _Picture(diagram=diagram, way=way, manner=manner, placed=placed, taken=_taken(way))
    width, height = picture.size
    said = told(diagram, way, manner.lang) if manner.standing is None else counted(diagram, manner)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {_framed(width, height)} role="img" font-family="{_FONTS}">',
            f"<title>{escape(said)}</title>",
            *picture.elements(),
            "</svg>",
            "",
        )
    )


def _framed(width: float, height: float) -> str:
    return f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'


def told(diagram: Diagram, way: Way, lang: Literal["zh", "en"]) -> str:
    """The picture in one sentence."""
    taken = Counter(step for step, *_ in way.steps)
    states = dict.fromkeys(place for _, *ends in way.steps for place in ends if place in diagram.states)
    been = [_word(diagram.states[one], lang) for one in states if one not in ("new", way.state)]
    here = _word(diagram.states[way.state], lang)
    if lang == "zh":
        return f"{diagram.title.zh}：现在“{here}”，走过 {sum(taken.values())} 步，到过 {'、'.join(been) or '—'}"
    return f"{diagram.title.en}: now {here}, {sum(taken.values())} steps taken, been to {', '.join(been) or 'none'}"


def counted(diagram: Diagram, manner: Manner) -> str:
    """The picture of a definition in one sentence: where its cases stand."""
    there = [(_word(diagram.states[one], manner.lang), many) for one, many in (manner.standing or {}).items() if many]
    if manner.lang == "zh":
        return f"{diagram.title.zh}：在办 {'、'.join(f'{word} {many}' for word, many in there) or 0}"
    return f"{diagram.title.en}: open {', '.join(f'{word} {many}' for word, many in there) or 0}"


def _taken(way: Way) -> Mapping[tuple[str, str], int]:
    """How often the case went from a state to another."""
    return Counter((origin, target) for _, origin, target in way.steps)


def _word(title: Bilingual, lang: Literal["zh", "en"]) -> str:
    return title.zh if lang == "zh" else title.en


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """A road laid out, ready to be written down."""

    diagram: Diagram
    way: Way
    manner: Manner
    placed: Plan
    taken: Mapping[tuple[str, str], int]

    @property
    def inks(self) -> Inks:
        return self.manner.inks

    @property
    def measures(self) -> Measures:
        return COLUMN if self.manner.is_tall else ROW

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole."""
        along, across = self.placed.size
        if self.manner.is_tall:
            return across + 2 * _MARGIN, along + 2 * _MARGIN
        return along + 2 * _MARGIN, across + _ABOVE + 2 * _MARGIN

    def at(self, place: Place) -> tuple[float, float]:
        """Where a place lies in the picture."""
        if self.manner.is_tall:
            return place.across + _MARGIN, place.along + _MARGIN
        return place.along + _MARGIN, place.across + _ABOVE + _MARGIN

    def elements(self) -> Iterator[str]:
        """Lines first, the ones that were gone on top of the others; then boxes, counts and words."""
        ordered = sorted(self.placed.tracks, key=lambda one: self.count(one) > 0)
        for one in ordered:
            yield from self._line(one)
        for box in self.placed.boxes.values():
            yield from self._box(box)
        for one in ordered:
            if self.count(one):
                yield from self._count(one)
        yield from self._words()

    def count(self, track: Track) -> int:
        """How often the case went this way."""
        return self.taken.get((track.origin, track.target), 0)

    def _line(self, track: Track) -> Iterator[str]:
        is_gone = self.count(track) > 0
        ink = (self.inks.back if track.is_back else self.inks.road) if is_gone else self.inks.line
        dashes = f' stroke-dasharray="{_DASHES}"' if track.lane is not None and not is_gone else ""
        width = _THICK if is_gone else _THIN
        points = [self.at(one) for one in track.corners]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        yield (
            f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="{width:g}" stroke-linejoin="round"{dashes}/>'
        )
        yield _head(points[-2], points[-1], ink)

    def _box(self, box: Box) -> Iterator[str]:
        is_here, been = box.state == self.way.state, self._been()
        face = self.inks.road if is_here else self.inks.tint if box.state in been else self.inks.paper
        line = self.inks.road if is_here or box.state in been else self.inks.line
        text = self.inks.on_road if is_here else self.inks.text
        x, y = self.at(box.middle)
        width, height = (box.wide, box.long) if self.manner.is_tall else (box.long, box.wide)
        title = self.diagram.states[box.state]
        yield f"<g><title>{escape(f'{title.zh} {title.en}')}</title>"
        yield _rectangle((x, y), (width, height), face, line)
        if box.state in self.diagram.finals:
            yield _rectangle((x, y), (width - 7, height - 7), "none", text if is_here else line, corner=3)
        yield from _lettered((x, y), _wrapped(_word(title, self.manner.lang), width - 12, _STATE_SIZE), text, is_here)
        if is_here and self.manner.is_blocked:
            yield _lock((x + width / 2 - 11, y - height / 2 + 10), self.inks.on_road)
        if many := (self.manner.standing or {}).get(box.state):
            yield from self._standing((x + width / 2, y - height / 2), many)
        yield "</g>"

    def _standing(self, corner: tuple[float, float], many: int) -> Iterator[str]:
        """How many cases stand in a state, on the corner of its box and above its words."""
        said = f"{many:,}"
        wide = 12 + 7 * len(said)
        x, y = corner[0] - wide / 2 + 4, corner[1] - 5
        yield _rectangle((x, y), (wide, 18), self.inks.road, self.inks.paper, corner=9)
        yield _text((x, y + 4), said, self.inks.on_road, 11, weight=600)

    def _been(self) -> frozenset[str]:
        return frozenset(place for _, *ends in self.way.steps for place in ends)

    def _count(self, track: Track) -> Iterator[str]:
        """How often the way was gone, in a circle on its line."""
        ends = track.corners[1:3] if track.lane is not None else track.corners
        (one_x, one_y), (other_x, other_y) = map(self.at, ends)
        way = _BEFORE_WORDS if self.manner.is_tall and track.lane is not None else 0.5
        x, y = one_x + (other_x - one_x) * way, one_y + (other_y - one_y) * way
        ink = self.inks.back if track.is_back else self.inks.road
        count = self.count(track)
        said = str(count) if count <= _MOST_COUNTED else f"{_MOST_COUNTED}+"
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_COUNT:g}" fill="{self.inks.paper}" stroke="{ink}"/>'
        yield _text((x, y + 4), said, ink, 11, weight=600)

    def _words(self) -> Iterator[str]:
        """What the steps are called: above the road, beside what goes down and up, and on the lanes of a row."""
        seen: set[float] = set()
        for one in self.placed.tracks:
            if one.lane is None:
                yield from self._words_of_straight(one)
            elif not self.manner.is_tall and one.lane not in seen:
                seen.add(one.lane)
                yield from self._words_of_lane(one.lane)

    def _words_of_straight(self, track: Track) -> Iterator[str]:
        (start_x, start_y), (end_x, end_y) = map(self.at, track.corners)
        ink, is_counted = self._ink_of_words(track), self.count(track) > 0
        said = self._named(track.steps)
        is_level = track.corners[0].across == track.corners[1].across
        if is_level and not self.manner.is_tall:  # above the line
            raised = _COUNT + 4 if is_counted else 5
            for place, part in enumerate(reversed(_wrapped(said, self.measures.gap - 4, _STEP_SIZE))):
                yield self._halo(((start_x + end_x) / 2, start_y - raised - place * 14), part, ink)
        elif is_level:
            beside = _COUNT + 5 if is_counted else 7
            yield self._halo((start_x + beside, (start_y + end_y) / 2 + 4), said, ink, anchor="start")
        elif not self.manner.is_tall and self._there(track) is None:
            back = self._back(track)
            both = track.steps if back is None else (*track.steps, *back.steps)
            x = max(start_x, self.at(back.corners[0])[0] if back else 0) + 7
            yield self._halo((x, max(start_y, end_y) - 9), self._named(both), ink, anchor="start")

    def _back(self, track: Track) -> Track | None:
        """The straight way back that runs beside a straight way."""
        beside = (one for one in self.placed.tracks if one.lane is None)
        return next((one for one in beside if (one.origin, one.target) == (track.target, track.origin)), None)

    def _there(self, track: Track) -> Track | None:
        """The straight way down beside which one leads up; it bears the words of both."""
        return None if track.origin in self.diagram.road else self._back(track)

    def _words_of_lane(self, lane: float) -> Iterator[str]:
        """The words of a lane, under its longest stretch."""
        here = [one for one in self.placed.tracks if one.lane == lane]
        longest = max(here, key=lambda one: abs(one.corners[1].along - one.corners[2].along))
        steps = dict.fromkeys(step for one in here for step in one.steps)
        gone = next((one for one in here if self.count(one)), longest)
        right = max(longest.corners[1].along, longest.corners[2].along)
        x, y = self.at(Place(right - 8, lane))
        yield self._halo((x, y - 5), self._named(list(steps)), self._ink_of_words(gone), anchor="end")

    def _named(self, steps: Sequence[str]) -> str:
        words = list(dict.fromkeys(_word(self.diagram.titles[step], self.manner.lang) for step in steps))
        comma, more = ("、", "等") if self.manner.lang == "zh" else (", ", " …")
        return comma.join(words[:_MOST_NAMED]) + (more if len(words) > _MOST_NAMED else "")

    def _ink_of_words(self, track: Track) -> str:
        if not self.count(track):
            return self.inks.quiet
        return self.inks.back if track.is_back else self.inks.road

    def _halo(self, at: tuple[float, float], text: str, ink: str, *, anchor: str = "middle") -> str:
        """Words that stand clear of the lines they cross."""
        halo = f' stroke="{self.inks.paper}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
        return _text(at, text, ink, _STEP_SIZE, anchor=anchor, more=halo)


def _rectangle(
    middle: tuple[float, float], size: tuple[float, float], face: str, line: str, *, corner: float = 6
) -> str:
    (x, y), (width, height) = middle, size
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' rx="{corner:g}" fill="{face}" stroke="{line}" stroke-width="{_BORDER}"/>'
    )


def _lettered(middle: tuple[float, float], lines: Sequence[str], ink: str, is_bold: bool) -> Iterator[str]:  # noqa: FBT001 weight follows
    size = _STATE_SIZE if len(lines) == 1 else 11.5
    top = middle[1] - (len(lines) - 1) * (size + 2) / 2 + size * 0.36
    for place, line in enumerate(lines):
        yield _text((middle[0], top + place * (size + 2)), line, ink, size, weight=600 if is_bold else 400)


def _text(  # noqa: PLR0913 what SVG needs to write a word
    at: tuple[float, float], text: str, ink: str, size: float, *, weight: int = 400, anchor: str = "middle",
    more: str = "",
) -> str:  # fmt: skip
    bold = "" if weight == 400 else f' font-weight="{weight}"'  # noqa: PLR2004 the weight of plain text
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{ink}"{bold}{more}>'
        f"{escape(text)}</text>"
    )


def _lock(at: tuple[float, float], ink: str) -> str:
    return (
        f'<path d="{_LOCK}" transform="translate({at[0]:.1f} {at[1]:.1f})" fill="none" stroke="{ink}"'
        ' stroke-width="1.3"/>'
    )


def _head(before: tuple[float, float], tip: tuple[float, float], ink: str) -> str:
    """The head of an arrow; lines run along or across only."""
    x, y = tip
    half = _ARROW / 2
    if abs(before[0] - x) > abs(before[1] - y):
        back = x - _ARROW if before[0] < x else x + _ARROW
        corners = f"{x:.1f},{y:.1f} {back:.1f},{y - half:.1f} {back:.1f},{y + half:.1f}"
    else:
        back = y - _ARROW if before[1] < y else y + _ARROW
        corners = f"{x:.1f},{y:.1f} {x - half:.1f},{back:.1f} {x + half:.1f},{back:.1f}"
    return f'<polygon points="{corners}" fill="{ink}"/>'


def _wrapped(text: str, width: float, size: float) -> list[str]:
    """A text in lines that fit: broken anywhere in Chinese, between words elsewhere."""
    if _wide(text, size) <= width:
        return [text]
    parts, glue = (list(text), "") if any(letter >= _FIRST_WIDE for letter in text) else (text.split(), " ")
    return _broken(parts, glue, lambda line: _wide(line, size - 1) <= width)


def _broken(parts: Sequence[str], glue: str, fits: Callable[[str], bool]) -> list[str]:
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]}{glue}{part}"
        if fits(longer):
            lines[-1] = longer
        else:
            lines.append(part)
    if not glue and len(lines) > 1 and len(lines[-1]) == 1 and len(lines[-2]) > 2:  # noqa: PLR2004 no letter alone
        lines[-2:] = [lines[-2][:-1], lines[-2][-1] + lines[-1]]
    return lines


def _wide(text: str, size: float) -> float:
    """How wide a text is, about: what is not Chinese is somewhat over half as wide as high."""
    return sum(size if letter >= _FIRST_WIDE else size * 0.56 for letter in text)
