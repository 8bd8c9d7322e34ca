"""Who looked at what, and why: by student or by person, on screen and as a workbook (personal-data access report).

Beside it who took names along: of a person, or, as a file is about many, of everybody.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import chain, islice
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import urlencode

from console.web import lettering
from console.web.admin.taken_out import PAGE as TAKEN
from console.web.admin.taken_out import Taken, taken_out
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.exporting import listed
from engine.records import Json, case_number, case_of
from engine.store import looks, registry, students
from engine.store.database import NEWEST
from engine.store.looks import AUDIT, OPEN, PAGE, PAPER, REVEAL, Kept
from exchange.cells import Cell
from exchange.plain_tables import long_table_workbook

_MOST_EXPORTED = 100_000
"""So many lines are in one workbook, made before a proxy gives up waiting; a last row says where there are more."""
_CHUNK = 1_000
"""So many are read at a time for it."""
_MAY_LOOK = frozenset({"audit_admin", "security_admin"})
PURPOSES: Mapping[str, str] = {"check": "核对证件", "contact": "联系学生", "audit": "审计", "other": "其他"}
"""What personal values were wanted for, by the words of the trail."""


class About(NamedTuple):
    """Whose looks are asked for: those of a person by login, or those at a student by the number of the chain."""

    who: str = ""
    student: str = ""

    @property
    def query(self) -> Mapping[str, str]:
        """As it stands in an address: nothing personal of a student."""
        return {"who": self.who} if self.who else {"student": self.student}


class Line(NamedTuple):
    """One look in words."""

    at: datetime
    name: str
    login: str
    number: str
    workflow: str
    unit: str
    what: str


class Report(NamedTuple):
    """A page of looks; `following` is the address of the next, empty on the last, `before` what it begins before.

    `student_no` is whom it is about, so that a printed report says so; empty where it is about a person who looked.
    """

    about: About
    lines: list[Line]
    following: str
    before: int | None
    student_no: str = ""


class TakenPage(NamedTuple):
    """What was taken along, newest first; `following` is the address of the next page, empty on the last."""

    lines: list[Taken]
    following: str
    before: int | None


def found_address(visit: Visit) -> str:
    """The address of the report that the form asks for.

    Raises:
        FieldFaults: If it names nobody, or both a student and a person.
    """
    number, login = visit.form.get("student_no", ""), visit.form.get("who", "")
    if number and login:
        only_one = visit.say("学号和用户只填一个")
        raise FieldFaults(
            [FieldFault("student_no", visit.say("学号"), only_one), FieldFault("who", visit.say("用户"), only_one)]
        )
    if login:
        if login not in registry.logins(visit.desk.connection):
            raise FieldFaults([FieldFault("who", visit.say("用户"), visit.say("没有这个用户"))])
        return f"/admin/access?{urlencode({'who': login})}"
    row = students.student(visit.desk.connection, number) if number else None
    if row is None:
        raise FieldFaults([FieldFault("student_no", visit.say("学号"), visit.say("没有这个学号"))])
    return f"/admin/access?{urlencode({'student': case_number(row.id)})}"


def report(visit: Visit, about: About, before: int | None) -> Report:
    """A page of looks, newest first.

    Raises:
        NotFound: If the address names no student's chain.
    """
    found = _kept(visit, about, before or NEWEST, PAGE + 1)
    last = found[PAGE - 1].number if len(found) > PAGE else None
    following = "" if last is None else f"/admin/access?{urlencode({**about.query, 'before': last})}"
    titles = _titles(visit)
    lines = [_line(visit, one, titles) for one in found[:PAGE]]
    return Report(about, lines, following, last, _student_no(visit, about, found))


def taken(visit: Visit, about: About, before: int | None) -> TakenPage:
    """What a person took along, or (where nobody is named) anybody; of a student no file says it."""
    found = taken_out(visit, own_paths(visit), about.who, before, TAKEN + 1)
    last = found[TAKEN - 1].seq if len(found) > TAKEN else None
    query = {"who": about.who} if about.who else {}
    following = "" if last is None else f"/admin/access?{urlencode({**query, 'taken_before': last})}#taken"
    return TakenPage(found[:TAKEN], following, last)


def workbook(visit: Visit) -> bytes:
    """The whole report as a workbook: the looks, of a person also what was taken along; that it was is an event.

    It is written as it is read, so that none of it is kept. Of more than fit the newest are in it; a last row says so.

    Raises:
        NotFound: If the form names nobody.
    """
    about = About(visit.form.get("who", ""), visit.form.get("student", ""))
    looks_at, titles = _every_look(visit, about), _titles(visit)
    first = list(islice(looks_at, 1))
    student_no, many = _student_no(visit, about, first), 0
    heads = [visit.say(one) for one in ("时间", "姓名", "用户", "件号", "业务", "单位", "看了什么")]
    heads, own = ([visit.say("学号"), *heads], [student_no]) if student_no else (heads, [])
    looked = (_row_of_look(_line(visit, one, titles)) for one in chain(first, looks_at))
    taken_too = (_row_of_taken(visit, one) for one in _every_taken(visit, about)) if about.who else iter(())
    newest_first = heapq.merge(looked, taken_too, key=itemgetter(0), reverse=True)

    def rows() -> Iterator[Sequence[Cell]]:
        nonlocal many
        for row in islice(newest_first, _MOST_EXPORTED):
            many += 1
            yield [*own, *row]
        if next(newest_first, None) is not None:
            said = visit.say("更早的没有列出：只列最近 {n} 条", n=lettering.number(_MOST_EXPORTED))
            yield [said, *[None] * (len(heads) - 1)]

    body = long_table_workbook(f"{visit.say('查看记录')} {student_no or about.who}", heads, rows())
    told: dict[str, Json] = {"rows": many, "sha256": sha256(body).hexdigest(), **about.query}
    listed(visit.desk, visit.asks("export:access"), told)
    return body


def _every_look(visit: Visit, about: About) -> Iterator[Kept]:
    """The looks of a report, newest first, read a part at a time."""
    before = NEWEST
    while page := _kept(visit, about, before, _CHUNK):
        yield from page
        before = page[-1].number


def _every_taken(visit: Visit, about: About) -> Iterator[Taken]:
    """What a person took along, newest first, read a part at a time."""
    before = NEWEST
    while page := taken_out(visit, own_paths(visit), about.who, before, _CHUNK):
        yield from page
        before = page[-1].seq


def _row_of_look(one: Line) -> list[Cell]:
    return [lettering.exported(one.at), one.name, one.login, one.number, one.workflow, one.unit, one.what]


def _row_of_taken(visit: Visit, one: Taken) -> list[Cell]:
    what = visit.say("带走：{what}", what=f"{one.what} {one.many}".strip())
    return [lettering.exported(one.at), one.name, one.login, None, None, one.unit, what]


def _kept(visit: Visit, about: About, before: int, most: int) -> list[Kept]:
    connection, paths = visit.desk.connection, own_paths(visit)
    if about.who:
        return looks.of_person(connection, paths, about.who, before, most)
    student = case_of(about.student)
    if student is None:
        raise NotFound
    return looks.of_student(connection, paths, student, before, most)


def _student_no(visit: Visit, about: About, found: Sequence[Kept]) -> str:
    """The number of the student whom a report is about, where the student or a look is of the visitor's units."""
    student = case_of(about.student) if not about.who else None
    if student is None:
        return ""
    row = students.by_id(visit.desk.connection, student)
    is_own = visit.desk.units()[row.unit].path.startswith(own_paths(visit) or ("—",))
    return row.student_no if found or is_own else ""


def own_paths(visit: Visit) -> tuple[str, ...]:
    """Where the visitor looks after people, or audits: only looks at cases there are told."""
    return tuple(sorted({one.path for one in visit.actor.grants if one.role in _MAY_LOOK}))


def _titles(visit: Visit) -> Mapping[str, Bilingual]:
    """What the workflows are called."""
    return {file.workflow: file.title for file in visit.desk.library.machines()}


def _line(visit: Visit, one: Kept, titles: Mapping[str, Bilingual]) -> Line:
    units = visit.desk.units()
    return Line(
        at=one.at,
        name=one.name,
        login=one.login,
        number=lettering.number_shown(case_number(one.case)),
        workflow=visit.title(titles[one.workflow]) if one.workflow in titles else one.workflow,
        unit=units[one.unit].name if one.unit in units else one.unit,
        what=_what(visit, one.purpose),
    )


def _what(visit: Visit, purpose: str) -> str:
    """What was looked at and why, in words."""
    if purpose.startswith(REVEAL):
        why, _, note = purpose.removeprefix(REVEAL).partition("/")
        said = visit.say(PURPOSES[why]) if why in PURPOSES else why
        return visit.say("显示个人信息：{why}", why=f"{said}（{note}）" if note else said)
    if purpose.startswith(PAPER):
        documents, kind = visit.desk.library.rulebook.documents, purpose.removeprefix(PAPER)
        title = visit.title(documents[kind].title) if kind in documents else kind
        return visit.say("看材料：{title}", title=title)
    return {OPEN: visit.say("打开办件"), AUDIT: visit.say("审计查看")}.get(purpose, purpose)
