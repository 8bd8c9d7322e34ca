"""What a bulk decision's page says: how many can, cannot and why, the sample to look at first, what became of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from math import ceil

from console.web.queue.open_case import lang_of
from console.web.queue.people import ROW, name_of, words_of
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.records import case_number
from engine.store import bulk_runs, desk_work
from engine.store.bulk_runs import Outcome, Row, Run
from engine.store.cases import Found, read_cases
from engine.trail.event import moment

SHOWN = 200
"""Lines on one page; the workbook has them all."""
_LEAST_SAMPLE = 10
_SAMPLE_SHARE = 0.05
_AT_HAND = "site"
"""The kind of unit that has each case before it anyway: no sample is asked of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case: whose, what became of it, and whether it is of the sample and was opened."""

    number: str
    name: str
    student_no: str
    unit: str
    words: tuple[str, ...]
    outcome: Outcome
    why: tuple[str, ...]
    claimed: str
    is_sample: bool
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkView:
    """The page. `groups` are the cases in it by unit and words, `against` those that cannot by rule."""

    run: Run
    verb: Bilingual
    counts: Counter[Outcome]
    lines: tuple[Line, ...]
    groups: tuple[tuple[str, int], ...]
    against: tuple[tuple[str, str, int], ...]

    @property
    def total(self) -> int:
        """How many were chosen."""
        return sum(self.counts.values())

    @property
    def sample(self) -> tuple[Line, ...]:
        """The cases to be opened first."""
        return tuple(one for one in self.lines if one.is_sample)

    @property
    def unseen(self) -> int:
        """How many of the sample have not been opened."""
        return sum(not one.is_seen for one in self.sample)

    @property
    def failed(self) -> int:
        """How many can be tried again."""
        return self.counts[Outcome.CHANGED] + self.counts[Outcome.REFUSED]

    def of(self, *outcomes: str) -> tuple[Line, ...]:
        """The lines of some outcomes."""
        return tuple(one for one in self.lines if one.outcome in outcomes)


def bulk_view(visit: Visit, run: Run) -> BulkView:
    """The page of a run as it is now."""
    connection = visit.desk.connection
    rows = bulk_runs.rows_of(connection, run.id)
    found = read_cases(connection, [one.case for one in rows]) if rows else {}
    found = {case: one for case, one in found.items() if visit.visible.sees(one.case)}
    sample = _sample(visit, run, [one for one in rows if one.outcome is Outcome.CAN])
    seen = bulk_runs.seen_by(connection, visit.login, sorted(sample))
    lying = desk_work.lying_on(connection, list(found), visit.login, visit.at) if found else None
    claims = {} if lying is None else {case: one.name for case, one in lying.claims.items() if one.login != visit.login}
    lines = tuple(
        _line(visit, row, found[row.case], (claims.get(row.case, ""), row.case in sample, row.case in seen))
        for row in rows
        if row.case in found
    )
    shape = next((one.case.shape for one in found.values()), "")
    step = visit.desk.definition(shape).transitions.get(run.trigger) if shape else None
    titles = _titles(visit)
    against = Counter(rule for row in rows if row.outcome is Outcome.CANNOT for rule in row.rules.split() or [""])
    return BulkView(
        run=run,
        verb=Bilingual(zh=run.trigger, en=run.trigger) if step is None else step.title,
        counts=Counter(one.outcome for one in rows),
        lines=lines,
        groups=tuple(sorted(Counter(" · ".join((x.unit, *x.words[-1:])) for x in lines if x.outcome == "can").items())),
        against=tuple((rule, titles.get(rule, rule), number) for rule, number in against.most_common()),
    )


def _titles(visit: Visit) -> dict[str, str]:
    rules = visit.desk.library.rulebook.rules
    return {name: visit.title(rule.title) for name, rule in rules.items() if rule.title is not None}


def _line(visit: Visit, row: Row, found: Found, told: tuple[str, bool, bool]) -> Line:
    claimed, is_sample, is_seen = told
    titles = _titles(visit) if row.rules else {}
    return Line(
        number=case_number(row.case),
        name=name_of(found),
        student_no=found.student_no or "",
        unit=visit.desk.units()[found.case.unit].name,
        words=tuple(words_of(visit.desk.machine(found.case.shape), found, ROW, lang_of(visit))),
        outcome=row.outcome,
        why=tuple(titles.get(rule, rule) for rule in row.rules.split()),
        claimed=claimed,
        is_sample=is_sample,
        is_seen=is_seen,
    )


def _sample(visit: Visit, run: Run, rows: list[Row]) -> set[int]:
    """The same cases each time the page is looked at: none at a site, else 5 %, at least ten, or all there are."""
    kinds = {visit.desk.units()[grant.unit].kind for grant in (*visit.actor.grants, *visit.actor.delegated)}
    if kinds == {_AT_HAND}:
        return set()
    size = max(_LEAST_SAMPLE, ceil(_SAMPLE_SHARE * len(rows)))
    return {one.case for one in sorted(rows, key=lambda one: sha256(f"{run.id}{one.case}".encode()).digest())[:size]}


def remaining(visit: Visit, run: Run) -> bool:
    """Whether a run waits for a worker: its own has not been heard of for a while."""
    return run.stage == "running" and (run.beat_at or "") < moment(visit.at - bulk_runs.SILENCE)
