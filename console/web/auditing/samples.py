"""Samples: drawn by a seed so that anybody draws the same again, and how many of their cases have been looked at."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from console.web import forms
from console.web.auditing.frame import names_of, scope_of
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from console.web.walks import Walk, walk_through
from engine.auditing.papers import Drawn, sample_in, samples
from engine.auditing.sampling import looked_at
from engine.errors import Unknown, Unreadable
from engine.noting import UNIT, Plan, draw_sample
from engine.store.past import event_at
from engine.trail.event import REGISTRY

SHOWN = 20
"""Samples in the list; older ones are found in the trail."""
_SEED_BYTES = 8
_LONGEST = 60
_FIELDS = {"--size": "size", "--confidence": "confidence", "--error": "error"}


class SampleLine(NamedTuple):
    """A sample in the list, and how many of its cases an auditor has opened since it was drawn."""

    drawn: Drawn
    who: str
    seen: int

    @property
    def address(self) -> str:
        """Its page."""
        return f"/audit/samples/{self.drawn.seq}"

    @property
    def total(self) -> int:
        """How many were drawn."""
        return len(self.drawn.cases)


class SampledCase(NamedTuple):
    """One case of a sample: where it opens, and whether an auditor has opened it."""

    number: str
    address: str
    is_seen: bool


class Stratum(NamedTuple):
    """The cases of one unit."""

    unit: str
    population: int
    cases: tuple[SampledCase, ...]

    @property
    def seen(self) -> int:
        """How many of them have been opened."""
        return sum(one.is_seen for one in self.cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """The page of a sample."""

    drawn: Drawn
    who: str
    batch: str
    strata: tuple[Stratum, ...]

    @property
    def cases(self) -> tuple[SampledCase, ...]:
        """All of them, in the order of the draw."""
        return tuple(case for one in self.strata for case in one.cases)

    @property
    def seen(self) -> int:
        """How many have been opened."""
        return sum(one.seen for one in self.strata)

    @property
    def following(self) -> SampledCase | None:
        """The first that nobody has opened."""
        return next((one for one in self.cases if not one.is_seen), None)


def sample_lines(visit: Visit) -> list[SampleLine]:
    """The samples of the units the person audits, the newest first."""
    connection = visit.desk.connection
    with connection.reading():
        found = samples(connection, scope_of(visit))[: -SHOWN - 1 : -1]
        looks = looked_at(connection, {number for one in found for number in one.cases})
    names = names_of(visit, (one.actor for one in found))
    return [
        SampleLine(one, names[one.actor], sum(looks.get(case, "") >= one.at for case in one.cases)) for one in found
    ]


def drawn_of(visit: Visit, seq: int) -> Drawn:
    """A sample by the number of its event.

    Raises:
        NotFound: If that is none, or not of the units the person audits.
    """
    body = event_at(visit.desk.connection, REGISTRY, seq)
    found = None if body is None else sample_in(body)
    unit = None if found is None else visit.desk.units().get(found.unit)
    if found is None or unit is None or not unit.path.startswith(scope_of(visit).paths):
        raise NotFound
    return found


def sample_view(visit: Visit, seq: int) -> SampleView:
    """The page of a sample.

    Raises:
        NotFound: As `drawn_of`.
    """
    drawn = drawn_of(visit, seq)
    looks = looked_at(visit.desk.connection, drawn.cases)
    batch = visit.desk.batch(str(drawn.told["batch"]))
    return SampleView(
        drawn=drawn,
        who=names_of(visit, [drawn.actor])[drawn.actor],
        batch=str(drawn.told["batch"]) if batch is None else batch.title,
        strata=tuple(_strata(visit, drawn, {case for case, at in looks.items() if at >= drawn.at})),
    )


def _strata(visit: Visit, drawn: Drawn, seen: set[str]) -> Iterator[Stratum]:
    """The units as the event has them: the cases stand unit by unit."""
    units, left = visit.desk.units(), iter(drawn.cases)
    for code, (population, number) in sorted(drawn.told["strata"].items()):
        cases = [SampledCase(case, _case(case, drawn.seq), case in seen) for case in islice(left, number)]
        yield Stratum(units[code].name if code in units else code, population, tuple(cases))


def _case(number: str, sample: int) -> str:
    return f"/audit/cases/{number}?sample={sample}"


def walk_of(visit: Visit, seq: int, number: str) -> Walk:
    """Where a case stands in a sample.

    Raises:
        NotFound: If there is no such sample, or the case is none of it.
    """
    cases = drawn_of(visit, seq).cases
    if number not in cases:
        raise NotFound
    return walk_through(f"/audit/samples/{seq}", [_case(one, seq) for one in cases], cases.index(number))


def unit_kinds(visit: Visit) -> list[tuple[str, str]]:
    """By what a sample may be stratified: units, or kinds of unit above them."""
    kinds = visit.desk.library.rulebook.organisation.units
    return [(UNIT, visit.say("各办理单位")), *((name, visit.title(one.title)) for name, one in kinds.items())]


def workflow_choices(visit: Visit) -> list[tuple[str, str]]:
    """Which cases a sample may be drawn from: students' records first, then all of a batch."""
    records = {one.workflow: visit.title(one.title) for one in visit.desk.library.definitions.values() if one.record}
    return [*records.items(), ("", visit.say("批次的所有办件"))]


def draw(visit: Visit) -> int:
    """Draw a sample as the form asks; the number of its event.

    Raises:
        FieldFaults: If something in the form cannot be meant.
    """
    form = visit.form
    size = form.get("size", "")
    faults = [] if not size or forms.number(size) is not None else [_fault(visit, "size")]
    shares = {name: _share(form.get(name, "")) for name in ("confidence", "error")}
    faults += [_fault(visit, name) for name, share in shares.items() if share is None]
    if faults:
        raise FieldFaults(faults)
    plan = Plan(
        batch=form.get("batch", ""),
        seed=form.get("seed", "")[:_LONGEST] or secrets.token_hex(_SEED_BYTES),
        workflow=form.get("workflow") or None,
        by=form.get("by") or UNIT,
        size=int(size) if size else None,
        confidence=shares["confidence"] or Fraction(0),
        error=shares["error"] or Fraction(0),
    )
    try:
        with visit.desk.connection.writing():
            draw_sample(visit.desk, plan, visit.asks("audit:sample"))
            return samples(visit.desk.connection, scope_of(visit))[-1].seq
    except Unreadable as problem:
        raise FieldFaults([_fault(visit, _FIELDS.get(problem.name, "size"))]) from problem
    except Unknown as problem:
        raise FieldFaults([FieldFault("batch", visit.say("批次"), visit.say("这个批次没有可抽的办件"))]) from problem


def _share(text: str) -> Fraction | None:
    try:
        return Fraction(text.removesuffix("%"))
    except (ValueError, ZeroDivisionError):
        return None


def _fault(visit: Visit, name: str) -> FieldFault:
    titles = {"size": visit.say("件数"), "confidence": visit.say("置信度"), "error": visit.say("可容忍误差")}
    reason = visit.say("请写大于 0 的整数") if name == "size" else visit.say("请写大于 0、小于 100 的百分数")
    return FieldFault(name, titles[name], reason)
