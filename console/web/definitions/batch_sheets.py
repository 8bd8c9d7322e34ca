"""A proposed batch as who approves it reads it: its dates in their order, what is open, and everything else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from console.web.definitions.batch_patterns import EVERYWHERE, fields_of, readable
from console.web.definitions.batches import in_words
from console.web.visit import Visit
from engine.expressions.kinds import SHANGHAI, decode, parse_kind
from engine.proposed_batches import said
from engine.vocabulary import BatchFile


class Stop(NamedTuple):
    """A date of a batch: what ends or begins then, the day (YYYY-MM-DD), and the time of day where it has one."""

    title: str
    day: str
    clock: str


class Sheet(NamedTuple):
    """A batch as who approves it reads it: its dates in their order, what is open, and everything else."""

    name: str
    stops: tuple[Stop, ...]
    open: tuple[str, ...]
    others: tuple[tuple[str, str], ...]
    orders: tuple[str, ...]
    is_listed: bool
    is_published: bool


def sheet_of(visit: Visit, file: str, text: str) -> Sheet | None:
    """A proposed batch as one reads it; None where it is none, or cannot be read."""
    one = readable(visit, file, text)
    if one is None:
        return None
    fields = fields_of(visit, one.profile, one.kind)
    stops, others, left_open = [], [*_about(visit, one)], []
    for name, fact in fields.items():
        kind, value, title = parse_kind(fact.type), one.values.get(name), visit.title(fact.title)
        known = None if value is None else decode(kind, value)  # type: ignore[arg-type] # as typed_batch writes it
        if known is None:
            left_open.append(title)
        elif isinstance(known, datetime):
            here = known.astimezone(SHANGHAI)
            stops.append(Stop(title, here.date().isoformat(), f"{here:%H:%M}"))
        elif isinstance(known, date):
            stops.append(Stop(title, known.isoformat(), ""))
        else:
            others.append((title, said(value)))
    checks = visit.desk.library.rulebook_for(one.profile).vocabulary.batch[one.kind].check
    return Sheet(
        name=one.batch,
        stops=tuple(sorted(stops, key=lambda stop: (stop.day, stop.clock or "24:00"))),
        open=tuple(left_open),
        others=tuple(others),
        orders=tuple(in_words(visit, check, fields) for check in checks),
        is_listed=one.batch in visit.desk.library.batches,
        is_published=visit.desk.batch(one.batch) is not None,
    )


def _about(visit: Visit, one: BatchFile) -> Iterator[tuple[str, str]]:
    profile = visit.desk.library.rulebook.organisation.profiles[one.profile]
    units = visit.desk.units()
    yield visit.say("批次代码"), one.batch
    yield visit.say("名称"), f"{one.title.zh} / {one.title.en}"
    yield visit.say("种类"), one.kind
    yield visit.say("办学类型"), visit.title(profile.title)
    names = "、".join(f"{units[code].name}（{code}）" if code in units else code for code in one.units)
    yield visit.say("单位"), visit.say("所有单位") if tuple(one.units) == EVERYWHERE else names
    yield visit.say("通知或条款"), "、".join(one.source) or "—"
