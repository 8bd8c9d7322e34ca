"""What a student has to do: each rule that the student mends, with the one page that mends it, and what others owe.

Rule 1: a page leads to a step of the engine; where there is none, it is said whom to ask, and nothing is invented.
Rule 2: a step that is not open now stays there, with every reason beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.web.my.reading import STUDENT, Heard, Own, OwnStep
from engine.deadlines import BoundDeadline
from engine.definition import Bilingual, MoveKind
from engine.records import Case, Outcome, Sentence, Verdict
from engine.store.deadlines import Row

SIGNATURE = "E-SIGN"
"""The document that is a student's own signature."""
_CONFIRMED = "key_info_confirmed"
"""The fact that the student has looked at name, numbers and photo and found them right."""
_BATCH_PAIRS = "batch.pairs"
CHANGE = "student-information-change"
"""The procedure that changes data (W-19)."""
_BACKWARDS = (MoveKind.RETURN, MoveKind.REJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing to do.

    Attributes:
        title: What it is about.
        said: What is missing, or how it is mended, in a line.
        verb: What the button says; empty where no page mends it.
        address: The page that mends it; empty likewise.
        blocked: Why the page cannot be used yet.
        due_at: Until when, as far as a deadline says so.
    """

    title: Sentence | Bilingual
    said: Sentence | Bilingual
    verb: Bilingual | None = None
    address: str = ""
    blocked: tuple[Verdict, ...] = ()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OthersTodo:
    """Something that somebody else has to do: what, how it stands, and which role."""

    title: Sentence
    said: Sentence
    role: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """Something that was sent back to the student: which case, by which step, by whom, when, and why, word for word."""

    case: Bilingual
    step: Bilingual
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Todos:
    """Everything that stands between the student and the application."""

    open: tuple[Todo, ...]
    done: tuple[Sentence, ...]
    others: tuple[OthersTodo, ...]
    returned: tuple[Returned, ...]

    @property
    def due_at(self) -> datetime | None:
        """The first day by which something has to be done."""
        return min((one.due_at for one in self.open if one.due_at is not None), default=None)


def todos(own: Own) -> Todos:
    """What a student has to do, the first deadline first."""
    refused = [one for one in own.applying if one.verdict.outcome.refuses]
    mine = [one for one in refused if one.verdict.remedy_by == STUDENT]
    from_rules = [todo for one in mine for todo in _of_rule(own, one)]
    taken = {one.address for one in from_rules}
    from_cases = [one for one in _of_cases(own) if one.address not in taken]
    unique = {(one.address or one.title.zh): one for one in (*from_rules, *from_cases)}
    return Todos(
        open=tuple(sorted(unique.values(), key=lambda one: (one.due_at is None, one.due_at or own.at))),
        done=tuple(
            one.verdict.title
            for one in own.applying
            if one.verdict.remedy_by == STUDENT and one.verdict.outcome is Outcome.HOLDS
        ),
        others=tuple(_of_others(own, refused)),
        returned=tuple(returned(own)),
    )


def outside_batch(own: Own) -> Verdict | None:
    """Why the student is not in the batch, where a rule about its cohorts and levels says so."""
    return next(
        (one.verdict for one in own.applying if one.verdict.outcome.refuses and _BATCH_PAIRS in one.guard.reads), None
    )


def returned(own: Own) -> Iterator[Returned]:
    """What was sent back and waits for the student since."""
    for case in own.cases:
        definition = own.desk.definition(case.shape)
        entered = [one for one in own.glance.steps.get(case.id, ()) if one["data"].get("to") == case.state]
        step = definition.transitions.get(str(entered[-1]["data"].get("trigger"))) if entered else None
        if step is not None and step.kind in _BACKWARDS and not definition.is_final(case.state):
            event = entered[-1]
            yield Returned(
                case=definition.title,
                step=step.title,
                by=str(event["actor"]),
                at=datetime.fromisoformat(event["at"]),
                reason=str(event["data"].get("reason", "")),
            )


def page_of(one: OwnStep, own: Own) -> tuple[str, Bilingual]:
    """The page on which a step is taken, and what its button says."""
    at = f"{one.case.number}/{one.trigger}"
    if _CONFIRMED in one.writes:
        return "/my/check", Bilingual(zh="去核对", en="Check")
    if SIGNATURE not in one.step.transition.needs:
        return f"/my/do/{at}", Bilingual(zh="去办", en="Do it")
    if one.step.asked and (one.case.id, one.trigger) not in own.glance.drafts:
        return f"/my/do/{at}", Bilingual(zh="去填写", en="Fill in")
    return f"/my/sign/{one.case.number}", Bilingual(zh="去签名", en="Sign")


def confirming(own: Own) -> OwnStep | None:
    """The step by which the student confirms the own data, if one is open."""
    return next((one for one in own.steps if one.writes.get(_CONFIRMED) is True), None)


def reporting(own: Own) -> OwnStep | None:
    """The step by which the student says that something is wrong, if one is open."""
    return next((one for one in own.steps if one.writes.get(_CONFIRMED) is False), None)


def signing(own: Own, number: str) -> OwnStep | None:
    """The step of a case that needs the student's signature, if one is open."""
    plain = number.replace("-", "").upper()
    return next((one for one in own.steps if one.case.number == plain and SIGNATURE in one.step.transition.needs), None)


def _of_rule(own: Own, heard: Heard) -> Iterator[Todo]:
    verdict, due_at = heard.verdict, _due(own, heard.guard.name)
    mending = [one for one in own.steps if _mends(own, one, heard)]
    for one in mending:
        address, verb = page_of(one, own)
        yield Todo(
            title=_title(one, verdict, alone=len(mending) == 1),
            said=verdict.sentence if one.refusing else _hint(one),
            verb=verb,
            address=address,
            blocked=one.refusing,
            due_at=due_at,
        )
    if not mending:
        yield Todo(title=verdict.remedy or verdict.title, said=verdict.sentence, due_at=due_at)


def _mends(own: Own, one: OwnStep, heard: Heard) -> bool:
    """Whether a step writes something that a rule waits for."""
    reads = set(heard.guard.reads)
    return one.step.transition.kind is MoveKind.ADVANCE and any(
        name in reads and value is not False and own.facts.get(name) != value for name, value in one.writes.items()
    )


def _title(one: OwnStep, verdict: Verdict, *, alone: bool) -> Sentence | Bilingual:
    if _CONFIRMED in one.writes:
        return Bilingual(zh="核对照片和信息", en="Check photo and data")
    return verdict.title if alone and not one.step.transition.needs else one.step.transition.title


def _hint(one: OwnStep) -> Bilingual:
    if _CONFIRMED in one.writes:
        return Bilingual(zh="约 2 分钟", en="About 2 minutes")
    if SIGNATURE in one.step.transition.needs:
        return Bilingual(zh="个人鉴定，本人签，不可代签", en="The appraisal; in person, nobody may sign for you")
    return Bilingual(zh="本人办理", en="In person")


def _of_cases(own: Own) -> Iterator[Todo]:
    """What other cases wait for: a step that moves the case on and that only the student takes."""
    for one in own.steps:
        transition = one.step.transition
        is_onward = transition.kind is MoveKind.ADVANCE and bool(one.step.targets)
        if one.case.id == own.record.case.id or not is_onward or one.is_done(own.facts) or one.refusing:
            continue
        address, verb = page_of(one, own)
        title = own.desk.definition(one.case.shape).title
        yield Todo(title=title, said=transition.title, verb=verb, address=address, due_at=_first_due(own, one.case))
    for case in own.beside:
        if lacking := lacking_papers(own, case):
            yield Todo(
                title=own.desk.definition(case.shape).title,
                said=lacking[0].sentence,
                verb=Bilingual(zh="去上传", en="Upload"),
                address=f"/my/upload/{case.number}",
                due_at=_first_due(own, case),
            )


def lacking_papers(own: Own, case: Case) -> tuple[Verdict, ...]:
    """What staff would miss on a case of the student's that has to be handed in with it."""
    machine = own.desk.machine_for(case, {})
    if machine.is_final(case.state) or not takes_papers(own, case):
        return ()
    steps = [machine.step(case.state, trigger) for trigger in machine.open_triggers(case.state)]
    found: dict[str, Verdict] = {}
    for step in steps:
        if step.transition.reviews:
            found |= {one.rule: one for one in own.heard_of_papers(machine, case, step)}
    return tuple(found.values())


def takes_papers(own: Own, case: Case) -> tuple[str, ...]:
    """The documents that somebody will look at next on a case that the student began or was told of."""
    machine = own.desk.machine_for(case, {})
    if machine.is_final(case.state):
        return ()
    has_part = any(who.role == STUDENT for one in machine.definition.transitions.values() for who in one.by)
    steps = [machine.step(case.state, trigger) for trigger in machine.open_triggers(case.state)]
    return tuple(dict.fromkeys(kind for step in steps for kind in step.transition.reviews)) if has_part else ()


def _of_others(own: Own, refused: Sequence[Heard]) -> Iterator[OthersTodo]:
    roles = own.desk.library.rulebook.organisation.roles
    for one in refused:
        role = roles.get(one.verdict.remedy_by or "")
        if role is not None and one.verdict.remedy_by != STUDENT and _BATCH_PAIRS not in one.guard.reads:
            yield OthersTodo(title=one.verdict.title, said=one.verdict.remedy or one.verdict.sentence, role=role.title)


def _due(own: Own, rule: str) -> datetime | None:
    """Until when a rule has to be mended: by the deadline that it settles, else by the first that runs."""
    rows = [
        (case, row)
        for case in own.cases
        for row in own.running.get(case.id, ())
        if row.due_at is not None and not row.settled
    ]
    settled_by = [row.due_at for case, row in rows if row.due_at and rule in _settling(own, case, row)]
    return min(settled_by or [row.due_at for _, row in rows if row.due_at], default=None)


def _first_due(own: Own, case: Case) -> datetime | None:
    rows = own.running.get(case.id, ())
    return min((row.due_at for row in rows if row.due_at is not None and not row.settled), default=None)


def _settling(own: Own, case: Case, row: Row) -> Sequence[str]:
    bound: BoundDeadline = own.desk.machine_for(case, {}).deadline(row.name)
    return [guard.name for guard in bound.settled]
