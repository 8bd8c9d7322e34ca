"""The auditors' resources: a case at a moment, verifying, samples, findings, seals, changes; each look is kept.

What the pages keep of a look is kept of a program's too, by the same functions (the console's specification, 7.10).
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import Path, Query

from console.access.programs import Scope
from console.api.answers import Words, words
from console.api.answers_auditing import (
    ChangeOut,
    ChangesOut,
    ConclusionIn,
    FactOut,
    FindingOut,
    FindingsOut,
    HeadLineOut,
    JudgementOut,
    LookThroughIn,
    MismatchOut,
    MomentOut,
    OutcomeOut,
    PlaceOut,
    SampleIn,
    SampleOut,
    SealsCheckedOut,
    SealsOut,
    SeenOut,
    StratumOut,
    TickOut,
    VerifiedOut,
    WhyOut,
)
from console.api.doors import ApiDoors, Call
from console.api.errands import MOST, Before, Errand, Number, do_once, errand
from console.api.routes import Key
from console.web.admin import changes
from console.web.audiences import Audience
from console.web.auditing import findings, samples, seals
from console.web.auditing.frame import keep_look, scope_of
from console.web.auditing.verifying import Mismatch, verify
from console.web.auditing.view import Moment, WhyLine, moment_of
from console.web.auditing.working import begin, go_on, refuse_too_many
from console.web.faults import NotFound
from engine.auditing.findings import CODES
from engine.auditing.papers import Drawn
from engine.auditing.sampling import ALGORITHM
from engine.records import Outcome
from engine.repeating import answered_at
from engine.store import audit_runs
from engine.store.audit_runs import DONE, FINDINGS
from engine.store.database import INTEGRITY_ERRORS

doors = ApiDoors()
_DRAW, _CONCLUDE = "api:sample", "api:finding"
_PAGE = 100
CaseNumber = Annotated[str, Path(max_length=9, description="The case's number, with or without its dash")]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", max_length=64)]
Seq = Annotated[int | None, Query(ge=1, le=MOST, description="After which event; else its last that is no look")]
Batch = Annotated[str, Query(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$", description="Empty: any")]
_OUTCOMES: dict[Outcome, OutcomeOut] = {
    Outcome.HOLDS: "holds",
    Outcome.FAILS: "fails",
    Outcome.UNDECIDED: "undecided",
    Outcome.NOT_APPLICABLE: "not_applicable",
}


@doors.door("GET", "/audit/cases/{number}", scope=Scope.AUDIT, to=Audience.AUDITOR)
def case_then(call: Call, number: CaseNumber, seq: Seq = None) -> MomentOut:
    """A case right after one of its events: state, facts, verdicts then; the look is an event of the case."""
    with moment_of(errand(call), number, seq) as moment:
        return _moment(moment)


def _moment(moment: Moment) -> MomentOut:
    head, slider, event = moment.view.head, moment.slider, moment.event
    return MomentOut(
        number=head.number,
        seq=slider.here.seq,
        last=slider.last,
        at=slider.here.at.isoformat(),
        state_title=words(head.state),
        batch=head.batch,
        what=None if event is None else words(event.title),
        by=None if event is None else event.who or None,
        verdicts=[_why(one) for one in moment.why],
        facts=[
            FactOut(
                name=one.name, title=words(one.title), value=one.now, before=one.was, is_hidden=one.is_hidden,
                source=words(one.source.title), by=one.source.who, at=one.at.isoformat(),
                changed_later=moment.later[one.name].isoformat() if one.name in moment.later else None,
            )
            for one in moment.facts
        ],
        lacking=[words(one) for one in moment.view.lacking],
        events=[
            TickOut(seq=one.seq, at=one.at.isoformat(), title=None if one.title is None else words(one.title))
            for one in slider.ticks
        ],
    )  # fmt: skip


def _why(one: WhyLine) -> WhyOut:
    return WhyOut(
        id=one.id,
        title=words(one.title),
        outcome=_OUTCOMES[one.outcome],
        seen=[SeenOut(title=words(title), value=value) for title, value in one.seen],
        clauses=list(one.clauses),
    )


@doors.door("GET", "/audit/cases/{number}/verification", scope=Scope.AUDIT, to=Audience.AUDITOR)
def verification(call: Call, number: CaseNumber) -> VerifiedOut:
    """Whether the trail of a case is as it was written: chain, MACs, rows beside it, seals; nothing is changed."""
    checked = verify(errand(call), call.case(number))
    sealing = checked.sealing
    return VerifiedOut(
        number=checked.number,
        agrees=checked.agrees,
        events=checked.events,
        mismatches=[_mismatch(one) for one in checked.mismatches],
        head=sealing.size,
        sealed=sealing.sealed,
        unsealed=sealing.unsealed,
        missing=[_mismatch(one) for one in sealing.missing],
    )


def _mismatch(one: Mismatch) -> MismatchOut:
    return MismatchOut(is_own=one.is_own, seq=one.seq, why=one.why)


@doors.door("GET", "/audit/samples", scope=Scope.AUDIT, to=Audience.AUDITOR)
def drawn(call: Call) -> list[SampleOut]:
    """The newest samples of the units the person audits, each with its seed."""
    visit = errand(call)
    keep_look(visit, "samples")
    return [_sample(one.drawn, one.seen) for one in samples.sample_lines(visit)]


@doors.door("GET", "/audit/samples/{seq}", scope=Scope.AUDIT, to=Audience.AUDITOR)
def sample(call: Call, seq: Number) -> SampleOut:
    """A sample: how it was drawn, its cases, and how many of them have been looked at."""
    visit = errand(call)
    view = samples.sample_view(visit, seq)
    keep_look(visit, "sample", sample=seq)
    return _sample(view.drawn, view.seen)


def _sample(one: Drawn, seen: int) -> SampleOut:
    told = one.told
    return SampleOut(
        seq=one.seq,
        at=one.at,
        by=one.actor,
        batch=str(told["batch"]),
        seed=str(told["seed"]),
        algorithm=str(told.get("algorithm", ALGORITHM)),
        population=int(told["population"]),
        population_sha256=str(told["population_sha256"]),
        strata=[
            StratumOut(unit=code, population=population, drawn=number)
            for code, (population, number) in sorted(told["strata"].items())
        ],
        cases=list(one.cases),
        seen=seen,
    )


@doors.door("POST", "/audit/samples", scope=Scope.AUDIT, to=Audience.AUDITOR, status_code=201)
def draw(call: Call, wanted: SampleIn, key: Key) -> SampleOut:
    """Draw a sample; the trail keeps how, and which cases. Without a seed one is chosen."""
    given = wanted.model_dump(exclude={"size"})
    visit = errand(call, **given, size=None if wanted.size is None else str(wanted.size))
    do_once(call, _DRAW, key, lambda: samples.draw(visit))
    at = answered_at(call.desk, _DRAW, call.own(key))
    if at is None:
        raise NotFound
    view = samples.sample_view(visit, at[1])
    return _sample(view.drawn, view.seen)


@doors.door("GET", "/audit/findings", scope=Scope.AUDIT, to=Audience.AUDITOR)
def found(
    call: Call,
    batch: Batch = "",
    standing: Literal["", "open", "confirmed", "unfounded", "mended"] = "",
    after: Annotated[str, Query(pattern=r"^[0-9a-f]{0,64}$", description="`next` of the page before")] = "",
) -> FindingsOut:
    """What the person's newest look through a batch found, and what has been concluded of it."""
    visit = errand(call)
    scope_of(visit, batch)
    keep_look(visit, "findings", batch=batch or None)
    return _found(visit, batch, standing, after)


def _found(visit: Errand, batch: str, standing: str = "", after: str = "") -> FindingsOut:
    newest = findings.latest(visit, batch)
    if newest is None:
        return FindingsOut(batch=batch)
    run, result = newest
    go_on(visit, run, findings.look_for)
    if run.stage != DONE or result is None:
        return FindingsOut(batch=run.batch, stage=run.stage, made_at=run.made_at)
    view = findings.findings_view(visit, run, result)
    lines = sorted(
        (line for group in view.groups for line in group.standing(standing)), key=lambda line: line.finding.digest
    )
    left = [line for line in lines if line.finding.digest > after]
    return FindingsOut(
        batch=run.batch,
        stage=run.stage,
        made_at=run.made_at,
        cases=view.cases,
        counts={one.value: many for one, many in view.counts.items()},
        findings=[_finding(line) for line in left[:_PAGE]],
        next=left[_PAGE - 1].finding.digest if len(left) > _PAGE else None,
    )


def _finding(line: findings.Line) -> FindingOut:
    one = line.finding
    return FindingOut(
        finding=one.digest,
        code=one.code,
        title=words(CODES[one.code]),
        people=list(one.people),
        at=one.at,
        sentence=words(line.said),
        standing=line.standing.value,
        places=[PlaceOut(case=place.case, seqs=list(place.seqs)) for place in one.places],
        judged=[
            JudgementOut(at=each.at, by=each.actor, standing=each.standing.value, text=each.text)
            for each in line.judged
        ],
    )


@doors.door("POST", "/audit/findings", scope=Scope.AUDIT, to=Audience.AUDITOR, status_code=202)
def look_through(call: Call, wanted: LookThroughIn, key: Key) -> FindingsOut:
    """Look through a batch anew; it is done in the background, and read at the same address."""
    visit, batch = errand(call), wanted.batch.strip()
    scope = scope_of(visit, batch)
    number = sha256(f"{FINDINGS}/{call.own(key)}".encode()).hexdigest()[:32]
    if audit_runs.run_of(call.desk.connection, number) is None:
        refuse_too_many(visit)
        keep_look(visit, "findings", batch=batch or None)
        with suppress(*INTEGRITY_ERRORS):  # the same, asked twice at this moment
            begin(visit, (FINDINGS, batch, batch), findings.asked_of(scope), findings.look_for, number)
    return _found(visit, batch)


@doors.door("GET", "/audit/findings/{finding}", scope=Scope.AUDIT, to=Audience.AUDITOR)
def one_finding(call: Call, finding: Digest) -> FindingOut:
    """One finding of the newest look that found it: what it rests on, and what has been concluded of it."""
    visit = errand(call)
    _, line = findings.finding_of(visit, finding)
    keep_look(visit, "finding", finding=line.finding.digest)
    return _finding(line)


@doors.door("POST", "/audit/findings/{finding}", scope=Scope.AUDIT, to=Audience.AUDITOR)
def conclude(call: Call, finding: Digest, conclusion: ConclusionIn, key: Key) -> FindingOut:
    """Conclude something of a finding; the trail keeps it with the note."""
    visit = errand(call, standing=conclusion.standing, text=conclusion.text)
    do_once(call, _CONCLUDE, key, lambda: findings.conclude(visit, finding))
    return _finding(findings.finding_of(visit, finding)[1])


@doors.door("GET", "/audit/seals", scope=Scope.AUDIT, to=Audience.AUDITOR)
def sealed(call: Call, before: Before = None) -> SealsOut:
    """The heads that were signed, the newest first, and how many events are not under one yet."""
    visit = errand(call)
    keep_look(visit, "seals")
    view = seals.seals_view(visit, before)
    return SealsOut(
        log=call.office.log,
        heads=[
            HeadLineOut(size=one.size, root=one.root, signed_at=one.signed_at.isoformat(), signers=list(one.signers))
            for one in view.heads
        ],
        unsealed=view.unsealed,
        next=view.following,
    )


@doors.door("GET", "/audit/seals/check", scope=Scope.AUDIT, to=Audience.AUDITOR)
def check_seals(call: Call) -> SealsCheckedOut:
    """Work out the newest heads again from the leaves, and see whether the next could be signed."""
    visit = errand(call)
    keep_look(visit, "seals")
    checked = seals.check(visit)
    status = checked.status
    return SealsCheckedOut(
        agrees=checked.agrees,
        heads=checked.heads,
        changed=list(checked.changed),
        size=status.size,
        unsealed=status.unsealed,
        guards_missing=list(status.guards_missing),
        trouble=status.trouble,
    )


@doors.door("GET", "/audit/changes", scope=Scope.AUDIT, to=Audience.AUDITOR)
def changed(call: Call, before: Before = None) -> ChangesOut:
    """What was changed of people, accounts, tokens and units at the units one audits, the newest first."""
    visit = errand(call)
    keep_look(visit, "changes")
    return changes_at(call, scope_of(visit).paths, before)


def changes_at(call: Call, paths: tuple[str, ...], before: int | None) -> ChangesOut:
    """A page of changes at some units, in both languages."""
    with call.desk.connection.reading():
        zh, en = (changes.page(errand(call, lang), paths, before) for lang in ("zh", "en"))
    return ChangesOut(
        changes=[
            ChangeOut(seq=one.seq, at=one.at.isoformat(), by=one.login, what=Words(zh=one.what, en=other.what))
            for one, other in zip(zh.lines, en.lines, strict=True)
        ],
        next=zh.following or None,
    )
