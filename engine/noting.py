"""Noting: what an auditor notes, concludes or draws is kept in the trail, and changes nothing that is audited.

Rule 1: only who is an auditor at the unit or above notes, in the own right: nobody lends it.
Rule 2: a case that is noted on keeps its revision, so pages that are open decide as before.
Rule 3: the text is sealed like a personal value, for auditors write names; what is left out of it is the conclusion.

Source: requirements.md INV-ACC-1 (S001-E-4, S001-H-2.3).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from engine.actors import Grant
from engine.auditing.found import Finding
from engine.auditing.papers import FINDING, NOTE, SAMPLE, Conclusion, Standing
from engine.auditing.sampling import ALGORITHM, Sample, draw, population_of, sample_size
from engine.auditing.scope import Scope
from engine.casework import as_seen
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, Unknown, Unreadable
from engine.exporting import AUDITOR, reach_of
from engine.keeping import barred_event, write_event
from engine.records import Json, Request
from engine.store.cases import Sealed, extend, hold_case, write_personal
from engine.trail.chain import commitment
from engine.trail.event import REGISTRY, EventKind, Written, canonical, moment

UNIT = "unit"
"""A sample by the units that the cases belong to, not by kinds of unit above them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What is noted: a text, what it concludes, if it concludes anything, and which event of a case it is about."""

    text: str
    conclusion: Conclusion | None = None
    about: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """How a finding stands from now on, and why."""

    standing: Standing
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which sample is wanted: of a batch, of one workflow alone or of all, by which kind of unit, and how large.

    `size` None: worked out from `confidence` and `error`, both in percent (`engine.auditing.sampling`).
    """

    batch: str
    seed: str
    workflow: str | None = None
    by: str = UNIT
    size: int | None = None
    confidence: Fraction = Fraction(95)
    error: Fraction = Fraction(5)


def note_case(desk: Desk, case: int, remark: Remark, request: Request) -> Written:
    """Note something on a case.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        remark: What is noted.
        request: By whom and when; with an `id` the event names it, so that the same is not noted twice (`once`).

    Returns:
        The event.

    Raises:
        Unreadable: If the text is empty, or no text.
        Unknown: If there is no such case, or no such event of it.
        NotAllowed: If the person is no auditor at the case's unit or above; the case keeps that it was asked.
    """
    text = _text(remark.text)
    with desk.connection.writing():
        hold_case(desk.connection, case)
        found = as_seen(desk, case, request)
        if remark.about is not None and not 1 <= remark.about <= found.case.head.seq:
            raise Unknown("事件 event", str(remark.about))
        machine = desk.machine_for(found.case, {})
        problem, sealed = None, None
        try:
            grant = _right(request, found.case.path, found.case.unit)
        except NotAllowed as barred:
            problem = barred
            event, kind = barred_event(found.case.state, request, barred), EventKind.REFUSED
        else:
            sealed = _sealed(desk, text)
            event, kind = _event(request, grant, _told(remark, sealed)), EventKind.NOTED
        written = write_event(desk, machine, found.case, kind, event)
        if not extend(desk.connection, found.case, written, sealed):
            raise StaleCase(found.case.number, found.case.revision)
    if problem is not None:
        raise problem
    return written


def note_batch(desk: Desk, batch: str, remark: Remark, request: Request) -> Written:
    """Note something on a batch; the registry's chain keeps it, under the widest unit the person audits.

    Raises:
        Unreadable: If the text is empty, or no text.
        Unknown: If there is no such published batch.
        NotAllowed: If the person is no auditor anywhere.
    """
    text = _text(remark.text)
    grant = reach_of(desk, request)[0]
    _check_batch(desk, batch)
    with desk.connection.writing():
        sealed = _sealed(desk, text)
        told = {"batch": batch, **_told(remark, sealed)}
        [written] = desk.record_events([(EventKind.NOTED, _event(request, grant, told))])
        write_personal(desk.connection, [(REGISTRY, written.seq, sealed.salt, sealed.body)])
    return written


def judge_finding(desk: Desk, batch: str, finding: Finding, ruling: Ruling, request: Request) -> Written:
    """Conclude something of a finding, with a note; the registry's chain keeps it, and what the finding rests on.

    Raises:
        Unreadable: If the note is empty, or no text.
        Unknown: If there is no such published batch.
        NotAllowed: If the person is no auditor anywhere.
    """
    grant = reach_of(desk, request)[0]
    _check_batch(desk, batch)
    with desk.connection.writing():
        sealed = _sealed(desk, _text(ruling.text))
        told: dict[str, Json] = {
            "noted": FINDING,
            "batch": batch,
            "code": finding.code,
            "finding": finding.digest,
            "standing": ruling.standing.value,
            "sealed": commitment(sealed.salt, sealed.body),
        }
        [written] = desk.record_events([(EventKind.NOTED, _event(request, grant, told))])
        write_personal(desk.connection, [(REGISTRY, written.seq, sealed.salt, sealed.body)])
    return written


def draw_sample(desk: Desk, plan: Plan, request: Request) -> Sample:
    """Draw a sample of the cases of a batch that the person may audit; the registry's chain keeps what was drawn.

    Raises:
        Unknown: If there is no such batch or kind of unit, or the batch has no such cases.
        Unreadable: If the size, the confidence or the error is out of range.
        NotAllowed: If the person is no auditor anywhere.
    """
    reach = reach_of(desk, request)
    _check_batch(desk, plan.batch)
    above = _above(desk, plan.by)
    scope = Scope(batch=plan.batch, paths=tuple(grant.path for grant in reach))
    with desk.connection.writing():
        population = population_of(desk.connection, scope, plan.workflow, above)
        if not population:
            raise Unknown(f"批次 {plan.batch} 可抽的办件 case of the batch", plan.workflow or plan.batch)
        sample = draw(population, _size(plan, sum(map(len, population.values()))), plan.seed)
        units: Json = [grant.unit for grant in reach]
        told = {**_told_of(plan, sample), "units": units}
        desk.record_events([(EventKind.NOTED, _event(request, reach[0], told))])
    return sample


def _right(request: Request, path: str, unit: str) -> Grant:
    """The right by which a person notes: auditor at the unit or above, the own one, the closest."""
    held = [one for one in request.actor.grants if one.role == AUDITOR and path.startswith(one.path)]
    if not held:
        raise NotAllowed(request.actor.login, request.trigger, (AUDITOR,), unit)
    return max(held, key=lambda one: len(one.path))


def _text(given: str) -> str:
    text = unicodedata.normalize("NFC", given.strip())
    if not text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Unreadable("--text", ascii(given), "审计记录的文字 what is noted")
    return text


def _sealed(desk: Desk, text: str) -> Sealed:
    return Sealed(salt=desk.salt(), body=canonical({"text": text}))


def _told(remark: Remark, sealed: Sealed) -> dict[str, Json]:
    said: dict[str, Json] = {"noted": NOTE, "sealed": commitment(sealed.salt, sealed.body)}
    if remark.about is not None:
        said["event"] = remark.about
    return said if remark.conclusion is None else {**said, "conclusion": remark.conclusion.value}


def _event(request: Request, grant: Grant, told: Mapping[str, Json]) -> dict[str, Json]:
    event: dict[str, Json] = {
        "at": moment(request.at),
        "actor": request.actor.login,
        "role": grant.role,
        "unit": grant.unit,
        "data": {"trigger": request.trigger, **told},
    }
    return event if request.id is None else {**event, "request": request.id}


def _check_batch(desk: Desk, batch: str) -> None:
    desk.refresh()
    if desk.batch(batch) is None:
        raise Unknown("已发布批次 published batch", batch, desk.library.batches)


def _above(desk: Desk, by: str) -> dict[str, str]:
    """For which unit another stands: the nearest of a kind at or above it; a unit without one stands for itself."""
    kinds = desk.library.rulebook.organisation.units
    if by == UNIT:
        return {}
    if by not in kinds:
        raise Unknown("单位类别 kind of unit", by, (UNIT, *kinds))
    return {code: desk.unit_above(code, by) or code for code in desk.units()}


def _size(plan: Plan, population: int) -> int:
    if plan.size is None:
        return sample_size(population, plan.confidence, plan.error)
    if plan.size < 1:
        raise Unreadable("--size", str(plan.size), "正整数 a whole number above 0")
    return min(plan.size, population)


def _told_of(plan: Plan, sample: Sample) -> dict[str, Json]:
    """What the event of a sample says: everything from which the draw can be done again, and what was drawn."""
    asked: dict[str, Json] = {"size": plan.size}
    if plan.size is None:
        asked = {"confidence": _percent(plan.confidence), "error": _percent(plan.error)}
    return {
        "noted": SAMPLE,
        "batch": plan.batch,
        "of": plan.workflow,
        "by": plan.by,
        "algorithm": ALGORITHM,
        "seed": plan.seed,
        **asked,
        "population": sample.population,
        "population_sha256": sample.digest,
        "strata": {one.unit: [one.population, len(one.drawn)] for one in sample.strata},
        "cases": list(sample.cases),
    }


def _percent(share: Fraction) -> str:
    """A percentage as text: the trail has no floats."""
    return str(share.numerator) if share.denominator == 1 else str(float(share))
