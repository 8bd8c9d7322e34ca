"""Who looked at what, and why: by student or by person, on screen and as a workbook (personal-data access report)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from console.web import lettering
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine.exporting import listed
from engine.records import case_number, case_of
from engine.store import looks, registry, students
from engine.store.looks import AUDIT, OPEN, PAGE, PAPER, REVEAL, Kept
from exchange.plain_tables import table_workbook

_NEWEST = 2**62
_MOST_EXPORTED = 20_000
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
    """A page of looks; `following` is the address of the next, empty on the last, `before` what it begins before."""

    about: About
    lines: list[Line]
    following: str
    before: int | None


def found_address(visit: Visit) -> str:
    """The address of the report that the form asks for.

    Raises:
        FieldFaults: If it names nobody.
    """
    number, login = visit.form.get("student_no", ""), visit.form.get("who", "")
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
    found = _kept(visit, about, before or _NEWEST, PAGE + 1)
    last = found[PAGE - 1].number if len(found) > PAGE else None
    following = "" if last is None else f"/admin/access?{urlencode({**about.query, 'before': last})}"
    return Report(about, [_line(visit, one) for one in found[:PAGE]], following, last)


def workbook(visit: Visit) -> bytes:
    """All looks of a report as a workbook; that it was taken out is an event of the registry.

    Raises:
        NotFound: If the form names nobody.
    """
    about = About(visit.form.get("who", ""), visit.form.get("student", ""))
    lines = [_line(visit, one) for one in _kept(visit, about, _NEWEST, _MOST_EXPORTED)]
    heads = [visit.say(one) for one in ("时间", "姓名", "用户", "件号", "业务", "单位", "看了什么")]
    rows = [(lettering.exported(x.at), x.name, x.login, x.number, x.workflow, x.unit, x.what) for x in lines]
    body = table_workbook(visit.say("查看记录"), heads, rows)
    listed(visit.desk, visit.asks("export:access"), {"rows": len(rows), **about.query})
    return body


def _kept(visit: Visit, about: About, before: int, most: int) -> list[Kept]:
    connection, paths = visit.desk.connection, own_paths(visit)
    if about.who:
        return looks.of_person(connection, paths, about.who, before, most)
    student = case_of(about.student)
    if student is None:
        raise NotFound
    return looks.of_student(connection, paths, student, before, most)


def own_paths(visit: Visit) -> tuple[str, ...]:
    """Where the visitor looks after people, or audits: only looks at cases there are told."""
    return tuple(sorted({one.path for one in visit.actor.grants if one.role in _MAY_LOOK}))


def _line(visit: Visit, one: Kept) -> Line:
    units, desk = visit.desk.units(), visit.desk
    titles = {file.workflow: file.title for file in desk.library.machines()}
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
