"""The page of a what-if: a matrix of what was and would be, what makes the difference, and the decisions one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from console.web import forms, lettering
from console.web.auditing.frame import names_of
from console.web.auditing.what_if import Came, Hashes, Otherwise
from console.web.queue.people import name_of
from console.web.visit import Visit
from engine.exporting import exported
from engine.judging_again import Said, Told
from engine.records import Json, case_number, case_of
from engine.store.audit_runs import Run
from engine.store.cases import Found, read_cases
from exchange.plain_tables import table_workbook

PAGE = 50
_SHOWN = 12
_FILTERS = ("was", "now", "rule", "unit", "who")
SORTS = ("when", "student", "unit", "who", "rule")
_WAS = {True: "passed", False: "refused"}
_NOW = {True: "pass", False: "refuse", None: "open"}


class Cell(NamedTuple):
    """One cell of the matrix: how many, and where they are listed."""

    many: int
    address: str


class Row(NamedTuple):
    """One row of the matrix: what was, and the cells of what would be."""

    was: str
    cells: tuple[Cell, ...]


class Tally(NamedTuple):
    """How many decisions would be otherwise by a rule, a unit, a person."""

    words: str
    many: int
    address: str


class Line(NamedTuple):
    """One decision: whose, which step, what was seen, what was and would be."""

    told: Told
    number: str | None
    name: str
    student_no: str
    step: str
    unit: str
    who: str
    seen: str
    rules: tuple[str, ...]
    was: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address says: by what the decisions are narrowed, their order, and from which one on."""

    run: str
    given: Mapping[str, str]
    sort: str
    start: int

    def address(self, **changes: str) -> str:
        """The address that says the same, with changes; from the first one on unless `start` is among them."""
        said = {**self.given, "sort": "" if self.sort == SORTS[0] else self.sort, **changes}
        kept = {name: value for name, value in said.items() if value}
        return f"/audit/what-if/{self.run}" + (f"?{urlencode(kept)}" if kept else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfView:
    """The page of a run that is done."""

    run: Run
    asked: Asked
    compared: tuple[Hashes, ...]
    matrix: tuple[Row, ...]
    same: int
    changed: int
    tallies: Mapping[str, tuple[Tally, ...]]
    missing: tuple[tuple[str, str, int], ...]
    lines: tuple[Line, ...]
    listed: int
    chips: tuple[tuple[str, str], ...]
    following: str

    @property
    def total(self) -> int:
        """How many decisions were judged again."""
        return self.same + self.changed


def asked_for(run: str, given: Mapping[str, str]) -> Asked:
    """What an address says; words that mean nothing are left aside."""
    sort = given.get("sort", "")
    return Asked(
        run=run,
        given={name: given[name] for name in _FILTERS if given.get(name)},
        sort=sort if sort in SORTS else SORTS[0],
        start=forms.number(given.get("start", "")) or 0,
    )


class _Result:
    """What came of a run, with words in the language of the page."""

    def __init__(self, visit: Visit, result: str) -> None:
        self._visit = visit
        self.came = msgspec.json.decode(result, type=Came)

    def title(self, name: str) -> str:
        """What a rule, fact or step is called."""
        zh, en = self.came.titles.get(name, (name, name))
        return zh if self._visit.lang == "zh" else en

    def why(self, one: Told) -> Otherwise | None:
        """Why a decision would be otherwise."""
        return self.came.why.get(f"{one.chain}#{one.seq}")

    def rules(self, one: Told) -> tuple[Said, ...]:
        """The rules that make a decision another."""
        why = self.why(one)
        return () if why is None else why.rules

    def is_other(self, one: Told) -> bool:
        """Whether a decision would be another, or cannot be judged."""
        return one.allows is not one.allowed


def what_if_view(visit: Visit, run: Run, result: str, asked: Asked) -> WhatIfView:
    """The page of a run that is done."""
    found = _Result(visit, result)
    told = found.came.told
    names = names_of(visit, (one.actor for one in told))
    changed = [one for one in told if found.is_other(one)]
    listed = _ordered(found, names, asked, [one for one in told if _fits(found, one, asked.given)])
    shown = listed[asked.start : asked.start + PAGE]
    further = asked.start + PAGE
    return WhatIfView(
        run=run,
        asked=asked,
        compared=found.came.compared,
        matrix=_matrix(visit, told, asked),
        same=len(told) - len(changed),
        changed=len(changed),
        tallies=_tallies(visit, found, changed, names, asked),
        missing=tuple((found.title(rule), found.title(key), count) for rule, key, count in found.came.open),
        lines=tuple(_lines(visit, found, shown, names)),
        listed=len(listed),
        chips=tuple(_chips(visit, found, names, asked)),
        following=asked.address(start=str(further)) if further < len(listed) else "",
    )


def _fits(found: _Result, one: Told, given: Mapping[str, str]) -> bool:
    """Whether a decision is among those asked for: with nothing asked, those that would be otherwise."""
    if not given:
        return found.is_other(one)
    values = {"was": _WAS[one.allowed], "now": _NOW[one.allows], "unit": one.unit, "who": one.actor}
    if any(values[name] != value for name, value in given.items() if name in values):
        return False
    if "rule" in given and given["rule"] not in {said.rule for said in found.rules(one)}:
        return False
    return found.is_other(one) or "was" in given


def _ordered(found: _Result, names: Mapping[str, str], asked: Asked, some: list[Told]) -> list[Told]:
    keys = {
        "when": lambda one: one.at,
        "student": lambda one: one.chain,
        "unit": lambda one: (one.unit, one.at),
        "who": lambda one: (names[one.actor], one.at),
        "rule": lambda one: ([said.id for said in found.rules(one)], one.at),
    }
    return sorted(some, key=keys[asked.sort])


def _matrix(visit: Visit, told: Iterable[Told], asked: Asked) -> tuple[Row, ...]:
    counts = Counter((one.allowed, one.allows) for one in told)
    words = {True: visit.say("原来：通过"), False: visit.say("原来：被拒")}
    plain = Asked(run=asked.run, given={}, sort=asked.sort, start=0)
    return tuple(
        Row(words[was], tuple(Cell(counts[was, now], plain.address(was=_WAS[was], now=_NOW[now])) for now in _NOW))
        for was in _WAS
    )


def _tallies(
    visit: Visit, found: _Result, changed: Sequence[Told], names: Mapping[str, str], asked: Asked
) -> dict[str, tuple[Tally, ...]]:
    """How many would be otherwise, by what makes the difference, by unit, by who decided; the most first."""
    units = visit.desk.units()
    by_rule = Counter((said.rule, said.id) for one in changed for said in found.rules(one))
    by_unit = Counter(one.unit for one in changed)
    by_who = Counter(one.actor for one in changed)
    return {
        "rule": tuple(
            Tally(f"{number} {found.title(rule)}", count, asked.address(rule=rule))
            for (rule, number), count in by_rule.most_common(_SHOWN)
        ),
        "unit": tuple(
            Tally(units[code].name if code in units else code, count, asked.address(unit=code))
            for code, count in by_unit.most_common(_SHOWN)
        ),
        "who": tuple(Tally(names[who], count, asked.address(who=who)) for who, count in by_who.most_common(_SHOWN)),
    }


def _chips(visit: Visit, found: _Result, names: Mapping[str, str], asked: Asked) -> Iterable[tuple[str, str]]:
    """The filters that are set, in words, each with the address without it."""
    units = visit.desk.units()
    words = {
        "passed": visit.say("原来：通过"), "refused": visit.say("原来：被拒"), "pass": visit.say("新规则：通过"),
        "refuse": visit.say("新规则：不通过"), "open": visit.say("新规则：待定"),
    }  # fmt: skip
    for name, value in asked.given.items():
        unit = units[value].name if name == "unit" and value in units else value
        said = {"rule": found.title(value), "unit": unit, "who": names.get(value, value)}
        yield said.get(name, words.get(value, value)), asked.address(**{name: ""})


def _lines(visit: Visit, found: _Result, some: Sequence[Told], names: Mapping[str, str]) -> Iterable[Line]:
    """Decisions as they are shown; a request to open a case stands in the student's chain, and names nobody here."""
    numbers = {one.chain: case for one in some if (case := _case(one)) is not None}
    cases = read_cases(visit.desk.connection, sorted(set(numbers.values()))) if numbers else {}
    units = visit.desk.units()
    for one in some:
        whose = cases.get(numbers.get(one.chain, 0))
        yield _line(visit, found, one, whose)._replace(
            unit=units[one.unit].name if one.unit in units else one.unit, who=names[one.actor]
        )


def _case(one: Told) -> int | None:
    kind, _, number = one.chain.partition("/")
    return case_of(number) if kind == "case" else None


def _line(visit: Visit, found: _Result, one: Told, case: Found | None) -> Line:
    why = found.why(one)
    seen = "" if why is None else why.zh if visit.lang == "zh" else why.en
    words = {True: visit.say("可通过"), False: visit.say("不通过"), None: visit.say("待定")}
    return Line(
        told=one,
        number=None if case is None else case_number(case.case.id),
        name="—" if case is None else name_of(visit, case),
        student_no="" if case is None else case.student_no or "",
        step=found.title(f"{one.workflow}.{one.trigger}"),
        unit=one.unit,
        who=one.actor,
        seen=seen,
        rules=tuple(f"{said.id} {found.title(said.rule)}" for said in found.rules(one)),
        was=words[one.allowed],
        now=words[one.allows],
    )


def workbook(visit: Visit, run: Run, result: str, asked: Asked) -> bytes:
    """The decisions an address asks for as a workbook; the trail keeps that they were taken out."""
    columns, rows = table(visit, result, asked)
    body = table_workbook(visit.say("换规则重判"), columns, rows)
    digests: dict[str, Json] = {"xlsx": sha256(body).hexdigest()}
    told: dict[str, Json] = {"batch": run.batch, "counts": {"decisions": len(rows)}, "sha256": digests}
    exported(visit.desk, visit.asks("audit:what-if"), told)
    return body


def table(visit: Visit, result: str, asked: Asked) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The decisions an address asks for, as a workbook has them: columns and rows."""
    found = _Result(visit, result)
    told = [one for one in found.came.told if _fits(found, one, asked.given)]
    names = names_of(visit, (one.actor for one in told))
    columns = ("件号", "姓名", "学号", "单位", "环节", "办理人", "时间", "看到的值", "规则", "原结论", "新结论")
    rows: list[tuple[str, ...]] = [
        (
            line.number or "", line.name, line.student_no, line.unit, line.step, line.who,
            lettering.exported(line.told.at), line.seen, "；".join(line.rules), line.was, line.now,
        )
        for line in _lines(visit, found, _ordered(found, names, asked, told), names)
    ]  # fmt: skip
    return tuple(visit.say(one) for one in columns), rows
