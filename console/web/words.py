"""What templates may call: days, times and numbers in the language of the page, at the moment of the visit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache

from markupsafe import Markup

from console.web import days, lettering
from console.web.guarding import FIELD
from console.web.kept import AGAIN
from console.web.lettering import TimeLeft
from console.web.rendering import HERE, of_visit
from console.web.visit import Visit


def _moment(visit: Visit, at: datetime | str) -> str:
    return lettering.short_moment(at, visit.lang, visit.at)


def _long_moment(visit: Visit, at: datetime | str) -> str:
    return lettering.long_moment(at, visit.lang)


def _day(visit: Visit, day: date | datetime | str) -> str:
    return lettering.short_day(day, visit.lang, visit.today)


def _long_day(visit: Visit, day: date | datetime | str) -> str:
    return lettering.long_day(day, visit.lang)


def _end_of_day(visit: Visit, due: datetime | str) -> str:
    return lettering.end_of(due, visit.lang, visit.at)


def _before_end_of(visit: Visit, due: datetime | str) -> str:
    return lettering.before_end_of(due, visit.lang)


def _time_left(visit: Visit, due: datetime | str) -> TimeLeft:
    return lettering.time_left(due, visit.lang, visit.at, visit.calendar)


def _capped(visit: Visit, count: int) -> str:
    return lettering.capped(count, visit.lang)


def _form_token(visit: Visit) -> Markup:
    hidden = Markup('<input type="hidden" name="{}" value="{}">')
    again = hidden.format(AGAIN, visit.kept) if visit.kept else ""
    return hidden.format(FIELD, visit.token()) + again


@cache
def static(name: str) -> str:
    """The address of a file of ours; it changes when the file does, so that browsers may keep it."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


WORDS: Mapping[str, Callable[..., object]] = {
    "moment": of_visit(_moment),
    "long_moment": of_visit(_long_moment),
    "day": of_visit(_day),
    "long_day": of_visit(_long_day),
    "day_kind": of_visit(days.kind_of),
    "end_of_day": of_visit(_end_of_day),
    "before_end_of": of_visit(_before_end_of),
    "time_left": of_visit(_time_left),
    "capped": of_visit(_capped),
    "form_token": of_visit(_form_token),
    "number": lettering.number,
    "share": lettering.share,
    "money": lettering.money,
    "number_shown": lettering.number_shown,
    "static": static,
}
