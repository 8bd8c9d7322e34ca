"""Findings: what deserves a look, by kind, each with its threshold in words and what it may innocently be.

They are looked for in the background, in the whole trail of a batch; what is concluded of one is in the trail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import NamedTuple

import msgspec

from console.web import lettering
from console.web.auditing.frame import names_of, scope_of
from console.web.auditing.sharing import every_done
from console.web.auditing.working import Worker
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine.auditing.findings import CODES, findings
from engine.auditing.found import Finding, Limits
from engine.auditing.papers import FOLLOWING, Judgement, Standing, judgements
from engine.auditing.scope import Scope, cases_in
from engine.exporting import exported
from engine.noting import Ruling, judge_finding
from engine.records import Json, Sentence
from engine.store import audit_runs
from engine.store.audit_runs import DONE, FINDINGS, Run
from exchange.audit_reports import places_of
from exchange.plain_tables import table_workbook

SHOWN = 200
"""Cases of one finding on its page, and in one row of the workbook, which has them all."""
_LEAST_NOTE, _LONGEST_NOTE = 4, 500
_LIMITS = Limits()


class Asked(msgspec.Struct, frozen=True):
    """What is looked through: a batch, as far as the person audits it."""

    batch: str
    paths: tuple[str, ...]


class Came(msgspec.Struct, frozen=True):
    """What came of it: in how many cases was looked, and what was found."""

    cases: int
    found: tuple[Finding, ...]


class Kind(NamedTuple):
    """What one kind of finding is called, from where on something is one, and what it may innocently be."""

    code: str
    title: str
    threshold: str
    innocent: str


class Line(NamedTuple):
    """One finding: who, how it stands, what was concluded of it, oldest first, and what is said of it, with names."""

    finding: Finding
    who: tuple[str, ...]
    standing: Standing
    judged: tuple[Judgement, ...]
    said: Sentence

    @property
    def address(self) -> str:
        """Its page."""
        return f"/audit/findings/{self.finding.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The findings of a kind, by how they stand."""

    kind: Kind
    lines: tuple[Line, ...]

    def standing(self, standing: str) -> tuple[Line, ...]:
        """Those that stand so; all of them where none is named."""
        return tuple(line for line in self.lines if standing in ("", line.standing))

    @property
    def people(self) -> int:
        """How many people they are about."""
        return len({login for line in self.lines for login in line.finding.people})

    @property
    def cases(self) -> int:
        """How many cases they rest on."""
        return len({place.chain for line in self.lines for place in line.finding.places if place.chain > 0})


class Sheet(NamedTuple):
    """What was found, as a workbook has it; what rests on very many cases goes on in further rows."""

    batch: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsView:
    """The page: the newest run about a batch, and what was found by kind."""

    run: Run
    cases: int
    groups: tuple[Group, ...]
    counts: Mapping[Standing, int]

    @property
    def total(self) -> int:
        """How many findings there are."""
        return sum(self.counts.values())

    @property
    def checks(self) -> int:
        """How many kinds were looked for."""
        return len(CODES)


def kinds(visit: Visit) -> dict[str, Kind]:
    """Every kind of finding in words, in the order of a page."""
    say, limits = visit.say, _LIMITS
    hours = {"a": f"{limits.opens:%H:%M}", "b": f"{limits.closes:%H:%M}"}
    share = int(limits.pair_share * 100)
    told = (
        ("too-fast", say("审得过快"), say("一人接连逐件办理，两件相隔不到 {n} 秒", n=limits.reading_seconds),
         say("事先逐件审过纸质材料")),
        ("in-bulk", say("整批"), say("一人一秒内办理 {n} 件以上", n=limits.bulk_least),
         say("先抽看，再整批办理可直接办的件")),
        ("out-of-hours", say("非工作时间"), say("早于 {a}、晚于 {b}，或在不上班的日子办理", **hours),
         say("临近截止时加班")),
        ("two-levels", say("一人两级"), say("同一人经手一件的两级"), say("编制少，受委派代办了一级")),
        ("always-paired", say("固定搭档"),
         say("{n} 件以上由同两人先后办理，占其中一人该环节的 {share}% 以上", n=limits.pair_least, share=share),
         say("该单位每一环节只设一人")),
        ("facts-corrected", say("依据后来更正"), say("决定之后，所依据的事实被更正，没有再办"),
         say("更正的是与结论无关的细节")),
        ("signatures-missing", say("缺签名"), say("要签名的一步，办成时签名不全"), say("签名在纸上，还没有录入")),
        ("late-unmarked", say("逾期未标"), say("过了期限才办，或期限已过仍未办，没有标逾期"),
         say("期限后来经同意延长")),
    )  # fmt: skip
    return {code: Kind(code, title, threshold, innocent) for code, title, threshold, innocent in told}


def standings(visit: Visit) -> dict[Standing, str]:
    """How a finding may stand, in words."""
    return {
        Standing.OPEN: visit.say("待核实"),
        Standing.CONFIRMED: visit.say("属实"),
        Standing.UNFOUNDED: visit.say("不成立"),
        Standing.MENDED: visit.say("已整改"),
    }


def asked_of(scope: Scope) -> str:
    """What is to be looked through, as JSON."""
    return msgspec.json.encode(Asked(scope.batch or "", scope.paths)).decode()


def look_for(worker: Worker) -> str:
    """Look through a batch; what a thread of its own does."""
    asked = msgspec.json.decode(worker.asked(), type=Asked)
    scope = Scope(batch=asked.batch, paths=asked.paths)
    with worker.house.desks.borrowed_for(worker.run.id) as office:
        found = findings(office.desk, scope, _LIMITS, worker.house.now())
        cases = len(cases_in(office.desk.connection, scope))
    return msgspec.json.encode(Came(cases, found)).decode()


def latest(visit: Visit, batch: str) -> tuple[Run, str | None] | None:
    """The newest run of the person's own about a batch (empty: about any)."""
    return audit_runs.latest_of(visit.desk.connection, FINDINGS, visit.login, batch)


def findings_view(visit: Visit, run: Run, result: str) -> FindingsView:
    """The page of what was found."""
    came = msgspec.json.decode(result, type=Came)
    lines = _lines(visit, run.batch, came.found)
    by_code = {code: tuple(line for line in lines if line.finding.code == code) for code in CODES}
    every = kinds(visit)
    counts = Counter(line.standing for line in lines)
    return FindingsView(
        run=run,
        cases=came.cases,
        groups=tuple(Group(kind=every[code], lines=found) for code, found in by_code.items() if found),
        counts={standing: counts[standing] for standing in Standing},
    )


def _lines(visit: Visit, batch: str, found: Sequence[Finding]) -> list[Line]:
    connection, scope = visit.desk.connection, scope_of(visit, batch)
    with connection.reading():
        judged = judgements(connection, scope)
    about = [login for one in found for login in one.people]
    names = names_of(visit, [*about, *(one.actor for some in judged.values() for one in some)])
    lines: dict[str, Line] = {}
    for one in found:
        told = judged.get(one.digest, [])
        named = tuple(each._replace(actor=names[each.actor]) for each in told)
        standing = told[-1].standing if told else Standing.OPEN
        lines.setdefault(
            one.digest, Line(one, tuple(names[login] for login in one.people), standing, named, one.told(names))
        )
    return list(lines.values())


def finding_of(visit: Visit, digest: str) -> tuple[Run, Line]:
    """One finding by what it rests on, out of the newest run that found it and that the person may open.

    Raises:
        NotFound: If none of them has it.
    """
    mine = scope_of(visit).paths
    with visit.desk.connection.reading():
        told = next(_with(visit, digest, mine), None)
    if told is None:
        raise NotFound
    run, found = told
    return run, _lines(visit, run.batch, [found])[0]


def _with(visit: Visit, digest: str, mine: tuple[str, ...]) -> Iterator[tuple[Run, Finding]]:
    for run, result in every_done(visit, FINDINGS, mine):
        for one in msgspec.json.decode(result, type=Came).found:
            if one.digest == digest:
                yield run, one


def sheet(visit: Visit, batch: str) -> Sheet:
    """What the newest run about a batch found.

    Raises:
        NotFound: If there is none, or it is still looked for.
    """
    newest = latest(visit, batch)
    if newest is None or newest[0].stage != DONE or newest[1] is None:
        raise NotFound
    view, words = findings_view(visit, newest[0], newest[1]), standings(visit)
    rows = [
        (
            group.kind.title, words[line.standing], "、".join(line.who), lettering.exported(line.finding.at),
            _said(visit, line.said), places,
        )
        for group in view.groups
        for line in group.lines
        for places in _all_places(line.finding)
    ]  # fmt: skip
    columns = tuple(visit.say(one) for one in ("疑点", "状态", "何人", "起于", "说明", "办件与事件"))
    return Sheet(newest[0].batch, visit.say("疑点"), columns, tuple(rows), view.total)


def _all_places(finding: Finding) -> Iterator[str]:
    """Every case of a finding with its events, as many together as a cell has room for."""
    for first in range(0, max(1, len(finding.places)), SHOWN):
        some = replace(finding, places=finding.places[first : first + SHOWN])
        yield places_of(some, SHOWN)


def workbook(visit: Visit, batch: str) -> tuple[str, bytes]:
    """What was found, with all of its cases, as a workbook: its name and its bytes; the trail keeps that it was taken.

    Raises:
        NotFound: If nothing was looked for, or it still is.
    """
    shown = sheet(visit, batch)
    body = table_workbook(shown.title, shown.columns, shown.rows)
    digests: dict[str, Json] = {"xlsx": sha256(body).hexdigest()}
    told: dict[str, Json] = {"batch": shown.batch, "counts": {"findings": shown.findings}, "sha256": digests}
    exported(visit.desk, visit.asks("audit:findings"), told)
    return f"findings-{shown.batch}.xlsx", body


def _said(visit: Visit, said: Sentence) -> str:
    return said.zh if visit.lang == "zh" else said.en


def conclude(visit: Visit, digest: str) -> None:
    """Keep what the person concludes of a finding.

    Raises:
        NotFound: If there is no such finding.
        FieldFaults: If it does not follow from how it stands, or the note is missing.
    """
    run, line = finding_of(visit, digest)
    words = standings(visit)
    wanted = next((one for one in FOLLOWING[line.standing] if one.value == visit.form.get("standing")), None)
    text = visit.form.get("text", "")
    faults = []
    if wanted is None:
        why = visit.say("现在是“{standing}”，请从列出的结论里选", standing=words[line.standing])
        faults.append(FieldFault("standing", visit.say("结论"), why))
    if not _LEAST_NOTE <= len(text) <= _LONGEST_NOTE:
        why = visit.say("请写 {a} 到 {b} 个字", a=_LEAST_NOTE, b=_LONGEST_NOTE)
        faults.append(FieldFault("text", visit.say("说明"), why))
    if wanted is None or faults:
        raise FieldFaults(faults)
    judge_finding(visit.desk, run.batch, line.finding, Ruling(standing=wanted, text=text), visit.asks("audit:finding"))
