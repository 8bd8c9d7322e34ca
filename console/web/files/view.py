"""What the pages of a sheet say: where it is, what is wrong with it, what it would do or has done."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from console.taking_in_findings import MOST, Findings, read_findings
from console.taking_in_kinds import FACTS, PAYMENTS, ROSTER, Kind, kinds_of
from console.taking_in_photos import PHOTOS
from console.taking_in_results import FINAL, PROVINCIAL
from console.web.presence import Presence
from console.web.queue.people import name_of, tone_of
from console.web.visit import Visit
from engine.actors import IMPORT
from engine.eligibility import application
from engine.errors import Unknown
from engine.records import case_number
from engine.store import import_runs
from engine.store.cases import Found, read_cases
from engine.store.import_runs import AT_WORK, CONFIRMED, Before, FaultRow, Run, Stage, Wanted
from engine.writers import KEEPER

PAGE = 50
_SHOWN = 100
_ARROW = " / "
_LIST = re.compile(r"([^（(]+)[（(](.+)[）)]")
_EXPECTED = ("应为", "expected")
"""How reasons begin that say what may stand in a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One line of past imports; `is_nobodys`: at the keyboard, in nobody's name."""

    run: Run
    title: str
    rows: int
    number: str
    state: str
    tone: str
    is_nobodys: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the list: where, what it holds, what is wrong with it, and how to mend it as far as that is known.

    Of a package it is a picture: `sort` is the rule it was held against, `picture` where it can be seen.
    """

    line: int
    cell: str
    header: str
    value: str
    what: str
    how: str
    sort: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A page of cells to mend, or to look at; `address` is that of the list with one thing changed."""

    rows: tuple[Cell, ...]
    total: int
    wanted: Wanted
    page: int
    base: str

    def address(self, **changes: object) -> str:
        """The address of the list with something changed, from its first page on."""
        said: dict[str, object] = {
            "order": self.wanted.order if self.wanted.order != "row" else "",
            "header": self.wanted.header,
            "sort": self.wanted.sort,
            "which": "warnings" if self.wanted.is_warning else "",
            **changes,
        }
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{self.base}?{query}" if query else self.base

    @property
    def previous(self) -> str:
        """The address of the page before; empty on the first."""
        return self.address(page=self.page - 1) if self.page > 1 else ""

    @property
    def following(self) -> str:
        """The address of the next page; empty on the last."""
        return self.address(page=self.page + 1) if self.page * PAGE < self.total else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet and everything its page says.

    `before` is who has taken the same sheet in; `cells` the list of what to mend, where there is one; `applies` whether
    the visitor is one of those who file applications; `waits` whether it waits for its turn, as others are worked on.
    """

    run: Run
    title: str
    found: Findings
    facts: Mapping[str, int]
    cells: Cells
    before: Before | None
    sorts: Mapping[str, tuple[str, int]]
    headers: Mapping[str, tuple[str, int]]
    applies: bool
    waits: bool

    @property
    def is_capped(self) -> bool:
        """Whether there are more cells to mend than are kept one by one."""
        return self.found.faults > MOST


def title_of(visit: Visit, kind: str) -> str:
    """What a kind is called on pages."""
    plain = {
        PAYMENTS: visit.say("缴费"), ROSTER: visit.say("花名册"), FACTS: visit.say("事实"),
        PHOTOS: visit.say("照片包"), FINAL.name: visit.say("终审结果"), PROVINCIAL.name: visit.say("省校审核结果"),
    }  # fmt: skip
    tables = visit.desk.library.rulebook.vocabulary.tables
    return plain[kind] if kind in plain else visit.title(tables[kind].title) if kind in tables else kind


def past_of(visit: Visit, wanted: str) -> list[Past]:
    """What the person has sent, the newest first; with a file's name or a number (批号), those only."""
    return [_past(visit, one) for one in import_runs.runs_of(visit.desk.connection, whose(visit), _SHOWN, wanted)]


def whose(visit: Presence) -> tuple[str, ...]:
    """Whose runs a person sees: the own, and nobody's for who keeps the records of every unit there is."""
    roots = [one.path for one in visit.desk.units().values() if one.parent is None]
    keeps_all = all(visit.actor.holds(KEEPER, path) for path in roots)
    own = visit.actor.login
    return (own, IMPORT.login) if keeps_all else (own,)


def _past(visit: Visit, run: Run) -> Past:
    found = read_findings(run.told)
    words: Mapping[Stage, tuple[str, str]] = {
        Stage.CHECKING: (visit.say("检查中"), "run"),
        Stage.UNREADABLE: (visit.say("读不出"), "bad"),
        Stage.FAULTY: (visit.say("{n} 处错误", n=found.faults), "bad"),
        Stage.REFUSED: (visit.say("不符合规则"), "bad"),
        Stage.AGAIN: (visit.say("没有改动"), "neutral"),
        Stage.READY: (visit.say("等您确认"), "warn"),
        Stage.OTHERWISE: (visit.say("等您确认"), "warn"),
        Stage.COMMITTING: (visit.say("写入中"), "run"),
        Stage.DONE: (visit.say("已导入"), "ok"),
        Stage.BROKEN: (visit.say("没有办成"), "bad"),
    }
    state, tone = words[run.stage]
    return Past(
        run=run, title=title_of(visit, run.kind), rows=found.rows, number=found.number, state=state, tone=tone,
        is_nobodys=run.login == IMPORT.login,
    )  # fmt: skip


def sheet_of(visit: Visit, run: Run, asked: Mapping[str, str]) -> Sheet:
    """The page of a sheet, with the cells somebody asks for."""
    found = read_findings(run.told)
    titles = visit.desk.library.rulebook.vocabulary.student
    facts = {visit.title(titles[name].title): count for name, count in found.facts.items() if name in titles}
    connection = visit.desk.connection
    is_known = run.stage in (*CONFIRMED, Stage.AGAIN)
    return Sheet(
        run=run,
        title=title_of(visit, run.kind),
        found=found,
        facts=facts,
        cells=_cells(visit, run, found, asked),
        before=import_runs.taken_in_before(connection, run.kind, run.sha256) if is_known else None,
        sorts={one: (half(visit, one), count) for one, count in found.sorts.items()},
        headers={one: (_header(visit, run, one), count) for one, count in found.headers.items()},
        applies=bool(found.applying) and _applies(visit),
        waits=visit.house.desks.waits(run.id),
    )


def _applies(visit: Visit) -> bool:
    """Whether a visitor files applications in one of the batches."""
    desk, roles = visit.desk, {one.role for one in visit.actor.grants}
    for batch in desk.every_batch():
        with suppress(Unknown):  # nobody applies in batches of this kind
            step = desk.library.record(batch.profile).transitions[application(desk, batch.name)]
            if not roles.isdisjoint(who.acting_role for who in step.by):
                return True
    return False


def _header(visit: Visit, run: Run, header: str) -> str:
    """A column as it stands in the sheet; of a package, what was looked at."""
    return half(visit, header) if run.kind == PHOTOS else header


def _cells(visit: Visit, run: Run, found: Findings, asked: Mapping[str, str]) -> Cells:
    is_warning = not found.faults or asked.get("which") == "warnings"
    number = asked.get("page", "1")
    page = int(number) if number.isdecimal() and len(number) < 5 and int(number) else 1  # noqa: PLR2004 digits
    wanted = Wanted(
        is_warning=is_warning,
        header=asked.get("header", ""),
        sort=asked.get("sort", ""),
        order="kind" if asked.get("order") == "kind" else "row",
        first=(page - 1) * PAGE,
        limit=PAGE,
    )
    rows, total = ([], 0) if run.stage in AT_WORK else import_runs.faults_of(visit.desk.connection, run.id, wanted)
    return Cells(
        rows=tuple(_cell(visit, run, one) for one in rows),
        total=total,
        wanted=wanted,
        page=page,
        base=f"/imports/{run.id}",
    )


def _cell(visit: Visit, run: Run, row: FaultRow) -> Cell:
    if run.kind != PHOTOS:
        what, how = _what_and_how(visit, row)
        return Cell(line=row.line, cell=row.cell, header=row.header, value=row.value, what=what, how=how)
    what, how = _picture_and_remedy(visit, row)
    picture = f"/imports/{run.id}/pictures/{row.line}.png" if row.cell and run.has_body else ""
    return Cell(
        line=row.line, cell="", header=_header(visit, run, row.header), value=row.value, what=what, how=how,
        sort=half(visit, row.sort), picture=picture,
    )  # fmt: skip


def _what_and_how(visit: Visit, row: FaultRow) -> tuple[str, str]:
    """The two halves of a reason: what is wrong stands first, then what to write, or what may stand there."""
    said, ends = (row.zh, "；") if visit.lang == "zh" else (row.en, "; ")
    if said.startswith(_EXPECTED):
        return visit.say("写法不对"), said
    what, _, how = said.partition(ends)
    if not how and (listed := _LIST.fullmatch(what)):
        return listed[1].strip(), visit.say("可填：{words}", words=listed[2])
    return what, how


def _picture_and_remedy(visit: Visit, row: FaultRow) -> tuple[str, str]:
    """The two halves of what is said of a picture: what a rule found may have a pause in it, its remedy has none."""
    said, ends = (row.zh, "；") if visit.lang == "zh" else (row.en, "; ")
    what, end, how = said.rpartition(ends)
    return (what, how) if end else (said, "")


def half(visit: Visit, sort: str) -> str:
    """What cells have in common, in the language of the page."""
    zh, _, en = sort.partition(_ARROW)
    return zh if visit.lang == "zh" else en


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """A case that an import has had its effect on."""

    number: str
    name: str
    student_no: str
    unit: str
    state: str
    tone: str


def freed_by(visit: Visit, cases: Sequence[int]) -> list[Freed]:
    """The cases among those of an import that the person may know of, by number."""
    found = read_cases(visit.desk.connection, list(cases)) if cases else {}
    units = visit.desk.units()
    return [
        Freed(
            number=case_number(case), name=name_of(visit, one), student_no=one.student_no or "",
            unit=units[one.case.unit].name, state=_state(visit, one),
            tone=tone_of(visit.desk.machine(one.case.shape), one.case.state),
        )
        for case, one in sorted(found.items())
        if visit.visible.sees(one.case)
    ]  # fmt: skip


def _state(visit: Visit, found: Found) -> str:
    state = visit.desk.definition(found.case.shape).states.get(found.case.state)
    return found.case.state if state is None else visit.title(state.title)


def own_kinds(visit: Visit) -> list[tuple[Kind, str]]:
    """What the person may take in, with what it is called."""
    return [(one, title_of(visit, one.name)) for one in kinds_of(visit.desk, visit.actor, visit.at)]
