"""A workflow as a picture (SVG): the main road straight down, what leads back dashed, the way of a case in colour.

Pure. Presentation attributes only, for pages whose content security policy allows no inline style; no ids, so that
several pictures can stand in one page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

from engine.definition import NEW, Bilingual
from exchange.diagrams import Diagram, Passage
from exchange.layouts import Block, Layout, Line, Point, layout

_FONTS = "'Noto Sans SC','Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
_MARGIN, _HEADING, _LEGEND = 28.0, 44.0, 40.0
_LEGEND_WIDTH = 390.0
_START = 22.0  # the diameter of the dot a case starts from
_STATE_HEIGHT, _STEP_HEIGHT, _MARK_HEIGHT = 46.0, 32.0, 16.0
_CORNER, _ARROW, _SMALL_ARROW = 7.0, 8.0, 6.0
_FIRST_WIDE = "\u2e80"  # from here on a letter is as wide as it is high
_DASHES = "5 4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way a case has taken: its steps in order, each with where it led from and to, and where the case stands."""

    steps: Sequence[tuple[str, str, str]]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paint:
    """The colours of one thing: its line with its width, its face, its letters."""

    line: str
    face: str
    text: str
    width: float = 1.3


_INK, _PALE, _PAPER = "#1e293b", "#64748b", "#ffffff"
_ROAD = _Paint(line="#1d4ed8", face="#eff6ff", text="#1e3a8a", width=2.4)
_SIDE = _Paint(line="#64748b", face="#f8fafc", text=_INK)
_BACK = _Paint(line="#b45309", face="#fffbeb", text="#92400e")
_WALKED = _Paint(line="#047857", face="#d1fae5", text="#064e3b", width=2.8)
_HERE = _Paint(line="#064e3b", face="#047857", text=_PAPER, width=2.8)
_TAG = _Paint(line="#064e3b", face=_PAPER, text="#064e3b")
_UNTRODDEN = _Paint(line="#cbd5e1", face="#f8fafc", text=_PALE)


def draw(diagram: Diagram, way: Way | None = None) -> str:
    """The picture of a workflow as SVG text, for a page or a file.

    Args:
        diagram: What there is to draw.
        way: The way of a case, put in colour while the rest steps back.
    """
    blocks = [*_state_blocks(diagram), *(_step_block(diagram, one) for one in diagram.passages)]
    placed = layout(blocks, [line for one in diagram.passages for line in _lines_of(one)], downwards=True)
    picture = _Picture(diagram=diagram, way=way, placed=placed, sizes={block.name: block for block in blocks})
    heading = _wide(diagram.title.zh, 18) + _wide(diagram.title.en, 12) + 16
    width = max(placed.width, heading, _LEGEND_WIDTH) + 2 * _MARGIN
    below = placed.height + _HEADING + _MARGIN
    height = below + _LEGEND + _MARGIN
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {_framed(width, height)} role="img" font-family="{_FONTS}">',
            f"<title>{escape(f'{diagram.title.zh} {diagram.title.en}')}</title>",
            f"<desc>{escape(_described(diagram, way))}</desc>",
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="10" fill="{_PAPER}"/>',
            f'<g transform="translate({_MARGIN:.0f} {_MARGIN + 14:.0f})">',
            *_heading(diagram.title),
            "</g>",
            f'<g transform="translate({(width - placed.width) / 2:.0f} {_MARGIN + _HEADING:.0f})">',
            *picture.elements(),
            "</g>",
            f'<g transform="translate({_MARGIN:.0f} {below + _LEGEND:.0f})">',
            *_legend(way),
            "</g>",
            "</svg>",
            "",
        )
    )


def _framed(width: float, height: float) -> str:
    return f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'


def _heading(title: Bilingual) -> Iterator[str]:
    yield f'<text font-size="18" font-weight="700" fill="{_INK}">{escape(title.zh)}</text>'
    beside = _wide(title.zh, 18) + 12
    yield f'<text x="{beside:.0f}" font-size="12" fill="{_PALE}">{escape(title.en)}</text>'


def _described(diagram: Diagram, way: Way | None) -> str:
    """The picture in words, for those who hear it."""
    road = " → ".join(diagram.states[state].zh for state in diagram.road)
    here = "" if way is None else f"；现处：{diagram.states[way.state].zh}"
    return f"主要路径：{road}{here}"


def _wide(text: str, size: float) -> float:
    """How wide a text is, about: what is not Chinese is somewhat over half as wide as high."""
    return sum(size if letter >= _FIRST_WIDE else size * 0.58 for letter in text)


def _state_blocks(diagram: Diagram) -> Iterator[Block]:
    for name, title in diagram.states.items():
        if name == NEW:
            yield Block(name=name, width=_START, height=_START)
            continue
        marks = diagram.marks.get(name, ())
        marked = (_wide(f"· {diagram.titles[mark].zh}", 11) for mark in marks)
        width = max(_wide(title.zh, 15), _wide(title.en, 10.5), *marked, 80.0) + 30
        height = _STATE_HEIGHT + _MARK_HEIGHT * len(marks) + (6 if marks else 0)
        yield Block(name=name, width=width, height=height)


def _step_block(diagram: Diagram, one: Passage) -> Block:
    titles = [diagram.titles[step] for step in one.steps]
    width = max(max(_wide(title.zh, 12.5), _wide(title.en, 9.5)) for title in titles) + 26
    return Block(name=_block_name(one), width=width, height=_STEP_HEIGHT * len(titles) + 4)


def _block_name(one: Passage) -> str:
    return f"step {one.name}"


def _lines_of(one: Passage) -> Iterator[Line]:
    for origin in one.origins:
        yield Line(source=origin, target=_block_name(one), weight=_weight(one, origin), is_back=one.is_back)
    for target in one.targets:
        yield Line(source=_block_name(one), target=target, weight=_weight(one, target), is_back=one.is_back)


def _weight(one: Passage, end: str) -> int:
    return 10 if end in one.road else 1


def _legend(way: Way | None) -> Iterator[str]:
    entries = [(_ROAD, "", "主要路径 main road"), (_BACK, _DASHES, "返回 back")]
    if way is not None:
        entries = [(_WALKED, "", "已走过 taken"), (_UNTRODDEN, "", "未走过 not taken")]
    at = 0.0
    for paint, dashes, words in entries:
        yield _stroke(f"M{at:g} -4h26", paint, dashes=dashes)
        yield _explained(at, words)
        at = round(at + 64 + _wide(words, 11))
    yield _rectangle((at, -12), (26, 15), _SIDE, corner=4)
    yield _rectangle((at + 2.5, -9.5), (21, 10), _SIDE, corner=2, inner=True)
    yield _explained(at, "终态 final")


def _explained(at: float, words: str) -> str:
    return f'<text x="{at + 34:g}" font-size="11" fill="{_PALE}">{words}</text>'


def _stroke(path: str, paint: _Paint, *, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="{path}" fill="none" stroke="{paint.line}" stroke-width="{paint.width}"{dashed}/>'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """A diagram laid out, ready to be written down."""

    diagram: Diagram
    way: Way | None
    placed: Layout
    sizes: Mapping[str, Block]

    def elements(self) -> Iterator[str]:
        """Lines first, so that blocks are on top of them; among the lines those that a case has walked last."""
        corners = iter(self.placed.lines)
        lines: list[tuple[bool, str]] = []
        for one in self.diagram.passages:
            lines += [self._line(one, (origin, None), next(corners)) for origin in one.origins]
            lines += [self._line(one, (None, target), next(corners)) for target in one.targets]
        yield from (drawn for _, drawn in sorted(lines, key=lambda line: line[0]))
        for name, title in self.diagram.states.items():
            yield from self._state(name, title)
        for one in self.diagram.passages:
            yield from self._passage(one)

    def _line(self, one: Passage, ends: tuple[str | None, str | None], corners: Sequence[Point]) -> tuple[bool, str]:
        """A line from or to a state, and whether it has been walked."""
        origin, target = ends
        walked = self.way is not None and any(
            step in one.steps and origin in (None, left) and target in (None, reached)
            for step, left, reached in self.way.steps
        )
        is_road = (origin or target) in one.road
        paint = _WALKED if walked else self._paint(is_road=is_road, is_back=one.is_back)
        dashes = _DASHES if one.is_back else ""
        if is_road and target is None:  # straight down into its step: no head needed
            return walked, _stroke(_path(corners), paint, dashes=dashes)
        size = _ARROW if origin is None else _SMALL_ARROW
        return walked, _stroke(_path(_shortened(corners, size)), paint, dashes=dashes) + _head(corners, paint, size)

    def _paint(self, *, is_road: bool, is_back: bool = False) -> _Paint:
        if self.way is not None:
            return _UNTRODDEN
        return _ROAD if is_road else _BACK if is_back else _SIDE

    def _state(self, name: str, title: Bilingual) -> Iterator[str]:
        centre, size = self.placed.centres[name], self.sizes[name]
        paint = self._paint_of(name)
        if name == NEW:
            yield f'<circle cx="{centre.x}" cy="{centre.y}" r="{_START / 2}" fill="{paint.line}"/>'
            return
        left, top = centre.x - size.width / 2, centre.y - size.height / 2
        yield f"<g><title>{escape(f'{title.zh} {title.en} ({name})')}</title>"
        yield _rectangle((left, top), (size.width, size.height), paint, corner=9)
        if name in self.diagram.finals:
            yield _rectangle((left + 3.5, top + 3.5), (size.width - 7, size.height - 7), paint, corner=6, inner=True)
        yield _words(centre.x, top + 22, title.zh, 15, paint.text, bold=True)
        yield _words(centre.x, top + 37, title.en, 10.5, paint.text)
        for place, mark in enumerate(self.diagram.marks.get(name, ())):
            below = top + _STATE_HEIGHT + 12 + place * _MARK_HEIGHT
            yield _words(centre.x, below, f"· {self.diagram.titles[mark].zh}", 11, paint.text)
        if self.way is not None and name == self.way.state:
            yield from _tag(left + 8, top - 9, "现处")
        yield "</g>"

    def _paint_of(self, state: str) -> _Paint:
        if self.way is None:
            return self._paint(is_road=state in self.diagram.road)
        if state == self.way.state:
            return _HERE
        visited = {place for _, left, reached in self.way.steps for place in (left, reached)}
        return _WALKED if state in visited else _UNTRODDEN

    def _passage(self, one: Passage) -> Iterator[str]:
        centre, size = self.placed.centres[_block_name(one)], self.sizes[_block_name(one)]
        taken = Counter(step for step, *_ in self.way.steps) if self.way is not None else Counter[str]()
        own = self._paint(is_road=bool(one.road), is_back=one.is_back)
        paint = _WALKED if any(step in taken for step in one.steps) else own
        left, top = centre.x - size.width / 2, centre.y - size.height / 2
        yield "<g>"
        yield _rectangle(
            (left, top), (size.width, size.height), paint, corner=size.height / 2 if len(one.steps) == 1 else 14
        )
        for place, step in enumerate(one.steps):
            title, ink = self.diagram.titles[step], _WALKED.text if step in taken else own.text
            yield f"<g><title>{escape(f'{title.zh} {title.en} ({step})')}</title>"
            yield _words(centre.x, top + 16 + place * _STEP_HEIGHT, title.zh, 12.5, ink)
            yield _words(centre.x, top + 28 + place * _STEP_HEIGHT, title.en, 9.5, ink)
            if taken[step] > 1:
                yield from _tag(left + size.width - 18, top - 6 + place * _STEP_HEIGHT, f"×{taken[step]}")
            yield "</g>"
        yield "</g>"


def _rectangle(
    corner_at: tuple[float, float], size: tuple[float, float], paint: _Paint, *, corner: float, inner: bool = False
) -> str:
    (left, top), (width, height) = corner_at, size
    face, line = ("none", 0.8) if inner else (paint.face, paint.width)
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{corner:g}" fill="{face}"'
        f' stroke="{paint.line}" stroke-width="{line}"/>'
    )


def _tag(left: float, top: float, text: str) -> Iterator[str]:
    """A little sign on the edge of a block."""
    width = _wide(text, 10.5) + 13
    yield _rectangle((left, top), (width, 16), _TAG, corner=8)
    yield _words(left + width / 2, top + 12, text, 10.5, _TAG.text, bold=True)


def _words(x: float, y: float, text: str, size: float, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="middle" fill="{colour}"{weight}>'
        f"{escape(text)}</text>"
    )


def _path(corners: Sequence[Point]) -> str:
    """A line through its corners, each rounded as far as the shorter side allows."""
    path = [f"M{corners[0].x:g} {corners[0].y:g}"]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        room = min(_CORNER, _length(before, corner) / 2, _length(corner, after) / 2)
        into, out = _towards(corner, before, room), _towards(corner, after, room)
        path.append(f"L{into.x:g} {into.y:g}Q{corner.x:g} {corner.y:g} {out.x:g} {out.y:g}")
    path.append(f"L{corners[-1].x:g} {corners[-1].y:g}")
    return "".join(path)


def _shortened(corners: Sequence[Point], size: float) -> list[Point]:
    """The line without the part that its head covers."""
    *rest, before, end = corners
    return [*rest, before, _towards(end, before, min(size - 1, _length(before, end)))]


def _head(corners: Sequence[Point], paint: _Paint, size: float) -> str:
    before, tip = next((one, other) for one, other in pairwise(corners[::-1]) if one != other)[::-1]
    along = _length(before, tip)
    x, y = (tip.x - before.x) / along, (tip.y - before.y) / along
    base, half = _towards(tip, before, size), size / 2
    sides = f"{base.x - y * half:g},{base.y + x * half:g} {base.x + y * half:g},{base.y - x * half:g}"
    return f'<polygon points="{tip.x:g},{tip.y:g} {sides}" fill="{paint.line}"/>'


def _length(one: Point, other: Point) -> float:
    return float(((one.x - other.x) ** 2 + (one.y - other.y) ** 2) ** 0.5)


def _towards(start: Point, end: Point, far: float) -> Point:
    along = _length(start, end) or 1.0
    return Point(
        round(start.x + (end.x - start.x) * far / along, 1), round(start.y + (end.y - start.y) * far / along, 1)
    )
