"""Tempo: how fast and at what hours each person decided, told from decisions in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from engine.auditing.decisions import Decision
from engine.auditing.found import Finding, Limits, local, mark, places_of
from engine.auditing.words import moment_said
from engine.calendars import WorkCalendar
from engine.definition import Bilingual
from engine.records import Sentence

TOO_FAST, IN_BULK, OUT_OF_HOURS = "too-fast", "in-bulk", "out-of-hours"
_SECOND = len("2024-05-13T01:30:00")

CalendarOf = Callable[[str], WorkCalendar | None]
"""The calendar of a profile, None where there is none."""


@dataclass(slots=True)
class _Pace:
    """One person: what was decided in the second that runs, and the run of single acts before it."""

    second: list[Decision] = field(default_factory=list)
    run: list[Decision] = field(default_factory=list)
    fastest: timedelta = timedelta(0)
    last: Decision | None = None


def paces(decisions: Iterable[Decision], limits: Limits) -> Iterator[Finding]:
    """Who decided case after case faster than one reads (`too-fast`), and who many at once (`in-bulk`).

    Several cases in one request have one moment: they are no single acts, and found only where they are many.
    """
    people: dict[str, _Pace] = {}
    for one in decisions:
        pace = people.setdefault(one.actor, _Pace())
        if pace.second and pace.second[0].at[:_SECOND] != one.at[:_SECOND]:
            yield from _close_second(pace, limits)
        pace.second.append(one)
    for pace in people.values():
        yield from _close_second(pace, limits)
        yield from _close_run(pace, limits)


def _close_second(pace: _Pace, limits: Limits) -> Iterator[Finding]:
    """A second is over: was it bulk, one request, or single acts that continue a run?"""
    acts, pace.second = pace.second, []
    cases = len({one.chain for one in acts})
    if cases >= limits.bulk_least:
        yield from _close_run(pace, limits)
        yield _bulk(acts, cases)
    elif cases > 1 and len({one.at for one in acts}) == 1:
        yield from _close_run(pace, limits)
    else:
        for one in acts:
            yield from _single(pace, one, limits)


def _single(pace: _Pace, one: Decision, limits: Limits) -> Iterator[Finding]:
    last, pace.last = pace.last, one
    if last is None or last.chain == one.chain:
        return
    apart = abs(datetime.fromisoformat(one.at) - datetime.fromisoformat(last.at))
    if apart >= timedelta(seconds=limits.reading_seconds):
        yield from _close_run(pace, limits)
        pace.last = one
    elif pace.run:
        pace.run.append(one)
        pace.fastest = min(apart, pace.fastest)
    else:
        pace.run, pace.fastest = [last, one], apart


def _close_run(pace: _Pace, limits: Limits) -> Iterator[Finding]:
    run, seconds, limit = pace.run, pace.fastest.total_seconds(), limits.reading_seconds
    pace.run, pace.last = [], None
    if not run:
        return
    who, cases, at = mark(run[0].actor), len({one.chain for one in run}), moment_said(run[0].at)
    zh = f"{who} 自 {at.zh} 起逐件办理 {cases} 件，最快相隔 {seconds:.1f} 秒（少于 {limit} 秒）"
    en = f"{who} decided {cases} cases singly from {at.en} on, {seconds:.1f} s apart at the fastest (below {limit} s)"
    yield _finding(TOO_FAST, run, zh, en)


def _bulk(acts: list[Decision], cases: int) -> Finding:
    who, at = mark(acts[0].actor), moment_said(acts[0].at)
    zh = f"{who} 于 {at.zh} 一秒内批量办理 {cases} 件"
    return _finding(IN_BULK, acts, zh, f"{who} decided {cases} cases in bulk within one second, {at.en}")


def _finding(code: str, acts: list[Decision], zh: str, en: str) -> Finding:
    return Finding(
        code=code, people=(acts[0].actor,), at=acts[0].at, places=places_of((one.chain, one.seq) for one in acts),
        said=Sentence(zh=zh, en=en),
    )  # fmt: skip


@dataclass(slots=True)
class _Day:
    """What one person decided out of hours on one day, and why nobody works then."""

    day: date
    acts: list[Decision] = field(default_factory=list)
    why: dict[Bilingual, None] = field(default_factory=dict)


_NIGHT = Bilingual(zh="非工作时间", en="outside office hours")


def out_of_hours(decisions: Iterable[Decision], limits: Limits, calendar_of: CalendarOf) -> Iterator[Finding]:
    """Who decided before the office opens, after it closes, or on a day on which nobody works: one finding a day."""
    days: dict[str, _Day] = {}
    for one in decisions:
        why = _why_closed(one, limits, calendar_of)
        if why is None:
            continue
        day = local(one.at).date()
        kept = days.get(one.actor)
        if kept is not None and kept.day != day:
            yield _late_day(kept)
            kept = None
        if kept is None:
            kept = days[one.actor] = _Day(day)
        kept.acts.append(one)
        kept.why[why] = None
    yield from map(_late_day, days.values())


def _why_closed(one: Decision, limits: Limits, calendar_of: CalendarOf) -> Bilingual | None:
    at, calendar = local(one.at), calendar_of(one.profile)
    off = None if calendar is None else calendar.reason_off(at.date())
    if off is not None:
        return off
    return None if limits.opens <= at.time() < limits.closes else _NIGHT


def _late_day(kept: _Day) -> Finding:
    who, cases = mark(kept.acts[0].actor), len({one.chain for one in kept.acts})
    at = moment_said(kept.acts[0].at)
    zh = f"{who} 自 {at.zh} 起在非工作时间办理 {cases} 件（{'、'.join(one.zh for one in kept.why)}）"
    en = f"{who} decided {cases} cases out of hours, from {at.en} on ({', '.join(one.en for one in kept.why)})"
    return _finding(OUT_OF_HOURS, kept.acts, zh, en)
