"""What a queue can be narrowed down by: what its cases are of, each with how many there are, in one plain form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from console.web import forms, lettering
from console.web.queue.filtering import LANES, Filter
from console.web.queue.hindering import rule_title, short_caution
from console.web.queue.open_case import lang_of
from console.web.queue.waiting import waiting_for
from console.web.visit import Visit
from engine.cautions import TITLES
from engine.definition import Definition
from engine.expressions.kinds import decode, parse_kind, show
from engine.scopes import choice_titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """One thing to narrow by: its name in the address, its words, its values with theirs; `TYPED` ones have none."""

    name: str
    title: str
    choices: tuple[tuple[str, str], ...] = ()


TYPED = ("cohort", "due")
"""What is typed, not chosen."""


def narrowings(visit: Visit, asked: Filter) -> tuple[Narrowing, ...]:
    """Everything the person's cases can be told apart by, in the order of the form; what is asked for is among it."""
    return tuple(_with_asked(visit, one, getattr(asked, one.name)) for one in _narrowings(visit))


def _with_asked(visit: Visit, one: Narrowing, value: str) -> Narrowing:
    if one.name in TYPED or not value or value in dict(one.choices):
        return one
    return replace(one, choices=((value, value_words(visit, one.name, value)), *one.choices))


def _narrowings(visit: Visit) -> tuple[Narrowing, ...]:
    waiting = waiting_for(visit, Filter())
    kinds, holdups = waiting.kinds(), waiting.holdups(Filter())
    found = {name: Counter[str]() for name in ("wf", "state", "batch", "unit")}
    for kind, number in kinds.items():
        unit = kind.path.rstrip("/").rpartition("/")[2]
        for name, value in (("wf", kind.workflow), ("state", kind.state), ("batch", kind.batch), ("unit", unit)):
            found[name][value or ""] += number
    lanes = {"blocked": visit.say("受阻"), "look": visit.say("需细看"), "ready": visit.say("可直接办")}
    vocabulary = visit.desk.library.rulebook.vocabulary
    level = vocabulary.student.get("level")
    codes = {} if level is None else vocabulary.choices.get(parse_kind(level.type).of, {})
    return (
        Narrowing(name="wf", title=visit.say("业务"), choices=_counted(visit, "wf", found["wf"])),
        Narrowing(name="state", title=visit.say("状态"), choices=_counted(visit, "state", found["state"])),
        Narrowing(name="batch", title=visit.say("批次"), choices=_counted(visit, "batch", found["batch"])),
        Narrowing(name="unit", title=visit.say("单位"), choices=_counted(visit, "unit", found["unit"])),
        Narrowing(name="lane", title=visit.say("按能不能办"), choices=tuple((one, lanes[one]) for one in LANES)),
        Narrowing(
            name="rule",
            title=visit.say("受阻的原因"),
            choices=tuple((one.rule, f"{value_words(visit, 'rule', one.rule)}（{one.cases}）") for one in holdups),
        ),
        Narrowing(name="caution", title=visit.say("提示"), choices=_worded(visit, "caution", TITLES)),
        Narrowing(name="level", title=visit.say("层次"), choices=_worded(visit, "level", codes)),
        Narrowing(name="cohort", title=visit.say("入学年份")),
        Narrowing(name="due", title=visit.say("到期日，含当天")),
        Narrowing(name="who", title=visit.say("领取"), choices=_worded(visit, "who", ("me", "seen"))),
    )


def _counted(visit: Visit, name: str, numbers: Counter[str]) -> tuple[tuple[str, str], ...]:
    many = sorted((value, number) for value, number in numbers.items() if value)
    return tuple((value, f"{value_words(visit, name, value)}（{number}）") for value, number in many)


def _worded(visit: Visit, name: str, values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((value, value_words(visit, name, value)) for value in values)


def value_words(visit: Visit, name: str, value: str) -> str:
    """What a filter asks for, as people call it; what nobody knows is called what it is called."""
    known = {"wf": _workflow, "state": _state, "rule": _rule, "caution": short_caution, "batch": _batch, "unit": _unit}
    if name in known:
        return known[name](visit, value)
    if name in ("level", "cohort"):
        return _fact(visit, name, value)
    if name == "due":
        day = forms.day(value)
        shown = value if day is None else lettering.short_day(day, visit.lang, visit.today)
        return visit.say("{day} 24:00 前到期", day=shown)
    if name == "who":
        return {"me": visit.say("我领取的"), "seen": visit.say("我打开过的")}.get(value, value)
    return value


def _workflow(visit: Visit, value: str) -> str:
    return next((visit.title(one.title) for one in _machines(visit) if one.workflow == value), value)


def _state(visit: Visit, value: str) -> str:
    """As the first workflow calls it that has it."""
    states = (one.states.get(value) for one in _machines(visit))
    return next((visit.title(one.title) for one in states if one is not None), value)


def _machines(visit: Visit) -> Iterator[Definition]:
    for procedure in visit.desk.library.definitions.values():
        yield from procedure.machines()


def _rule(visit: Visit, value: str) -> str:
    return visit.title(rule_title(visit, value))


def _batch(visit: Visit, value: str) -> str:
    row = visit.desk.batch(value)
    return value if row is None else row.title


def _unit(visit: Visit, value: str) -> str:
    unit = visit.desk.units().get(value)
    return value if unit is None else unit.name


def _fact(visit: Visit, name: str, value: str) -> str:
    vocabulary, lang = visit.desk.library.rulebook.vocabulary, lang_of(visit)
    if name == "cohort":
        return visit.say("{year}级", year=value)
    kind = parse_kind(vocabulary.student[name].type) if name in vocabulary.student else None
    return value if kind is None else show(kind, decode(kind, value), lang, choice_titles(vocabulary))
