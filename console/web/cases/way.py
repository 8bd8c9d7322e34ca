"""The way a case has taken: as a picture, and as a list of states and steps for whoever reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from console.drawing import Way, draw
from console.road_drawing import Inks, Manner, draw_road, told
from console.roads import moves
from console.web.cases.reading import Dossier
from engine.definition import CANCELLED, NEW, Bilingual
from engine.trail.event import EventKind
from exchange.diagrams import Diagram, diagram_of

_STEPS = (EventKind.OPENED, EventKind.MOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceLine:
    """One state of the workflow: whether the case is there now, or was, and since when it was last."""

    title: Bilingual
    is_now: bool
    times: int
    entered_at: datetime | None
    onward: tuple[tuple[Bilingual, Bilingual, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WayView:
    """The way of a case: two pictures of it (the second for telephones), one sentence, and the list behind them."""

    wide: str
    tall: str
    sentence: str
    places: tuple[PlaceLine, ...]


def way_view(dossier: Dossier, lang: Literal["zh", "en"], inks: Inks, *, is_blocked: bool) -> WayView:
    """The way of a case in words and pictures."""
    diagram, way = way_of(dossier)
    return WayView(
        wide=picture(diagram, way, Manner(inks=inks, lang=lang, is_blocked=is_blocked)),
        tall=picture(diagram, way, Manner(inks=inks, lang=lang, is_tall=True, is_blocked=is_blocked)),
        sentence=told(diagram, way, lang),
        places=tuple(_places(dossier, diagram, way)),
    )


def picture(diagram: Diagram, way: Way, manner: Manner) -> str:
    """The way as a road; where the workflow has none that is clear, as the layout library routes it."""
    return draw_road(diagram, way, manner) or draw(diagram, way)


def way_of(dossier: Dossier) -> tuple[Diagram, Way]:
    """What there is to draw: the definition, and the steps of the case; one that was taken back is none."""
    steps: list[tuple[str, str, str]] = []
    for line in dossier.own():
        kind, data = line.event["kind"], line.event["data"]
        if kind in _STEPS:
            steps.append((data["trigger"], data["from"], data["to"]))
        elif kind == EventKind.RETRACTED and steps and steps[-1][0] == data.get("trigger"):
            steps.pop()
    cancelled_in = next((origin for trigger, origin, _ in steps if trigger == CANCELLED), None)
    diagram = diagram_of(dossier.definition, cancelled_in=cancelled_in)
    known = [one for one in steps if one[1] in diagram.states and one[2] in diagram.states]
    return diagram, Way(steps=known, state=dossier.case.state)


def _places(dossier: Dossier, diagram: Diagram, way: Way) -> Iterator[PlaceLine]:
    entered: dict[str, datetime] = {}
    times: Counter[str] = Counter()
    for line in dossier.own():
        data = line.event["data"]
        if line.event["kind"] in _STEPS and data["to"] != data["from"]:
            entered[data["to"]] = datetime.fromisoformat(line.event["at"])
            times[data["to"]] += 1
    taken = Counter(way.steps)
    for state, title in diagram.states.items():
        if state == NEW:
            continue
        onward = tuple(
            (diagram.titles[one.step], diagram.states[one.target], taken[one.step, one.origin, one.target])
            for one in moves(diagram)
            if one.origin == state
        )
        yield PlaceLine(
            title=title, is_now=state == way.state, times=times[state], entered_at=entered.get(state), onward=onward
        )
