"""What the templates of the queue call: names of chips and filters, clocks, pairs for roads and choices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from console.web.lettering import local
from console.web.queue.filtering import Filter, Sort
from console.web.queue.hindering import short_caution
from console.web.queue.narrowing import value_words
from console.web.queue.rows import minutes_since
from console.web.queue.step_fields import StepField
from console.web.visit import Visit
from engine.cautions import TITLES
from engine.definition import Bilingual
from engine.records import case_number


def words_for(visit: Visit) -> Mapping[str, Callable[..., object]]:
    """The functions, bound to a visit; templates call them by `q.NAME`."""
    return {
        "chip_words": partial(_chips, visit),
        "narrowings": partial(_narrowings, visit),
        "orders": partial(orders, visit),
        "minutes_since": partial(minutes_since, visit),
        "caution_words": partial(short_caution, visit),
        "road_words": partial(_road, visit),
        "target_words": partial(_pairs, visit),
        "choice_words": partial(_choices, visit),
        "titles_of": partial(_titles, visit),
        "clock": _clock,
        "number_of": case_number,
    }


def _clock(at: datetime) -> str:
    return f"{local(at):%H:%M}"


def _chips(visit: Visit, asked: Filter) -> list[tuple[str, str]]:
    """What narrows the queue, each with the address without it."""
    return [(value_words(visit, name, value), asked.without(name).address(case="")) for name, value in asked.chips()]


def _narrowings(visit: Visit, _view: object, asked: Filter) -> Iterator[tuple[str, str]]:
    """What the queue can be narrowed down by at once."""
    yield visit.say("今天到期"), asked.address(due=visit.today.isoformat(), after="", case="")
    for kind in TITLES:
        yield short_caution(visit, kind), asked.address(caution=kind, after="", case="")


def orders(visit: Visit) -> list[tuple[str, str]]:
    """The orders in which the queue can be shown, as addresses call them and in words."""
    return [
        ("", visit.say("按截止排序")),
        (Sort.DUE, visit.say("只按截止")),
        (Sort.ENTERED, visit.say("按进入本环节时间")),
        (Sort.UNIT, visit.say("按单位")),
        (Sort.PINYIN, visit.say("按姓名拼音")),
        (Sort.NUMBER, visit.say("按学号")),
    ]


def _road(visit: Visit, road: Iterable[tuple[Bilingual, str]]) -> list[tuple[str, str, str]]:
    return [(visit.title(words), where, "") for words, where in road]


def _pairs(visit: Visit, many: Iterable[tuple[str, Bilingual]]) -> list[tuple[str, str]]:
    return [(name, visit.title(words)) for name, words in many]


def _choices(visit: Visit, field: StepField) -> list[tuple[str, str]]:
    empty = [] if field.is_required and field.value else [("", "")]
    return [*empty, *_pairs(visit, field.choices)]


def _titles(visit: Visit, many: Sequence[Bilingual]) -> str:
    return visit.say("、").join(visit.title(one) for one in many)
