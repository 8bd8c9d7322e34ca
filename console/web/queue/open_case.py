"""The case that is open in the queue: who, how far, what to look at, what the rules say, what changed, what to do.

In this order and nothing else (the console's specification, 7.2).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.web.cases.facts import FactLine, fact_lines, worded
from console.web.cases.margin import PaperLine, paper_lines
from console.web.cases.masking import eyes_of, veil_of
from console.web.cases.reading import Dossier
from console.web.cases.standing import OpenStep, Reader, RuleLine, open_steps
from console.web.queue.looking import CautionLine, Change, caution_lines, cautions_of, changes_since
from console.web.queue.people import HEAD, name_of, tone_of, words_of
from console.web.queue.reading import Known, at_of, last_decision, read_open
from console.web.queue.step_fields import is_plain
from console.web.queue.waiting import Place
from console.web.visit import Visit
from engine.definition import CANCELLED, NEW, Bilingual, MoveKind
from engine.expressions.kinds import Lang
from engine.lane_queries import Placed
from engine.store.cases import Found
from engine.store.desk_work import Claim
from engine.trail.event import EventKind, moment
from exchange.diagrams import main_road

_CANCELLED = Bilingual(zh="已撤销", en="Cancelled")
_MANNER: Mapping[MoveKind, tuple[str, str, str]] = {
    MoveKind.ADVANCE: ("approve", "a", "check"),
    MoveKind.RETURN: ("return", "r", "arrow-back-up"),
    MoveKind.REJECT: ("refuse", "n", "ban"),
}
"""How the button of a step looks, its key and its icon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that can be done, or not: then with every reason.

    `manner` is approve, return, refuse or other. `is_plain`: it asks for nothing, and one press does it.
    """

    trigger: str
    title: Bilingual
    manner: str
    key: str
    sign: str
    is_plain: bool
    why_not: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The rules a case met at the step before: which step, how many there were, whether all held, and the event."""

    title: Bilingual
    rules: int
    all_held: bool
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLast:
    """What whoever reads has just done to the case."""

    title: Bilingual
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """The middle and the right of the queue.

    Attributes:
        words: Open facts in a row. `masked` is the number of the identity document as it is shown.
        road: The states of the main road, each with `been`, `now` or `ahead`; nothing where the case left it.
        step: The step that the case waits for; None where nothing leads on.
        changes: What is otherwise than at `changed_since`.
        actions: What a person decides with one press; `others` what else may be done.
        claim: Who else is at the case.
        request: The number under which a decision from this page is asked for, however often it is sent.
    """

    number: str
    workflow: Bilingual
    name: str
    student_no: str | None
    words: tuple[str, ...]
    masked: str
    may_reveal: bool
    state: Bilingual
    tone: str
    road: tuple[tuple[Bilingual, str], ...]
    cautions: tuple[CautionLine, ...]
    step: OpenStep | None
    earlier: Earlier | None
    changed_since: datetime | None
    changes: tuple[Change, ...]
    facts: tuple[FactLine, ...]
    actions: tuple[Action, ...]
    others: tuple[Action, ...]
    papers: tuple[PaperLine, ...]
    batch: str
    claim: Claim | None
    own_last: OwnLast | None
    place: Place | None
    following: str
    revision: int
    seen_seq: int
    seen_at: str
    request: str

    @property
    def rules(self) -> Sequence[RuleLine]:
        """What the rules of the step say; what stands in the way first."""
        return () if self.step is None else self.step.rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the queue knows of a case beside the case itself.

    `following` is whom the next one is about, if known; `known` is what has been read of it already.
    """

    standing: Placed | None
    claim: Claim | None
    place: Place | None
    following: str
    known: Known


def lang_of(visit: Visit) -> Lang:
    """The language of the page."""
    return "en" if visit.lang == "en" else "zh"


def open_case(visit: Visit, found: Found, beside: Beside) -> OpenCase:
    """A case as whoever visits sees it open."""
    dossier = read_open(visit.desk, found, visit.asks("look"), beside.known)
    machine, case, lang = dossier.machine, dossier.case, lang_of(visit)
    reader = Reader(actor=visit.actor, veil=veil_of(eyes_of(visit.actor, machine, case), machine), lang=lang)
    steps = open_steps(dossier, reader)
    step = _leading(steps, beside.standing)
    is_late = beside.standing is not None and "late" in beside.standing.cautions
    warned = cautions_of(dossier, machine.step(case.state, step.trigger), is_late=is_late) if step else ()
    since, changed = changes_since(dossier, reader)
    own_last = None if beside.standing is not None else _own_last(dossier, visit.login)
    actions = () if own_last else tuple(_actions(visit, dossier, steps, step))
    state = dossier.definition.states.get(case.state)
    return OpenCase(
        number=case.number,
        workflow=dossier.definition.title,
        name=name_of(visit, found),
        student_no=found.student_no,
        words=tuple(words_of(machine, found, HEAD, lang)),
        masked=_masked(dossier, reader),
        may_reveal=reader.veil.may_reveal("id_number"),
        state=_CANCELLED if state is None else state.title,
        tone=tone_of(machine, case.state),
        road=tuple(_road(dossier)),
        cautions=caution_lines(visit, dossier, reader, warned),
        step=step,
        earlier=_earlier(dossier),
        changed_since=since,
        changes=changed,
        facts=fact_lines(dossier, reader),
        actions=tuple(one for one in actions if one.manner != "other"),
        others=tuple(one for one in actions if one.manner == "other"),
        papers=paper_lines(dossier),
        batch="" if dossier.batch is None else dossier.batch.title,
        claim=beside.claim if beside.claim is not None and beside.claim.login != visit.login else None,
        own_last=own_last,
        place=beside.place,
        following=beside.following,
        revision=case.revision,
        seen_seq=case.head.seq,
        seen_at=moment(visit.at),
        request=secrets.token_hex(16),
    )


def _leading(steps: Sequence[OpenStep], standing: Placed | None) -> OpenStep | None:
    """The step the case waits for with this person; for others the likeliest one."""
    wanted = None if standing is None else standing.row.trigger
    found = next((one for one in steps if one.trigger == wanted), None)
    return found or next((one for one in steps if one.kind is MoveKind.ADVANCE), None)


def _own_last(dossier: Dossier, login: str) -> OwnLast | None:
    last = last_decision(dossier)
    if last is None or last.event["actor"] != login or last.event["kind"] == EventKind.RETRACTED:
        return None
    step = dossier.definition.transitions.get(str(last.event["data"].get("trigger")))
    return None if step is None else OwnLast(title=step.title, at=at_of(last))


def _masked(dossier: Dossier, reader: Reader) -> str:
    fact, value = dossier.machine.book.vocabulary.student.get("id_number"), dossier.found.facts.get("id_number")
    return "" if fact is None or value is None else worded(dossier, reader, ("id_number", fact), value)


def _road(dossier: Dossier) -> Iterator[tuple[Bilingual, str]]:
    road = [state for state in main_road(dossier.definition) if state != NEW]
    if dossier.case.state not in road or dossier.case.state == CANCELLED:
        return
    here = road.index(dossier.case.state)
    for place, state in enumerate(road):
        where = "been" if place < here else "now" if place == here else "ahead"
        yield dossier.definition.states[state].title, where


def _earlier(dossier: Dossier) -> Earlier | None:
    """The rules of the step that brought the case where it is."""
    last = last_decision(dossier)
    if last is None or last.event["kind"] != EventKind.MOVED:
        return None
    step = dossier.definition.transitions.get(str(last.event["data"].get("trigger")))
    told = last.event["data"].get("verdicts") or {}
    if step is None or not told:
        return None
    return Earlier(title=step.title, rules=len(told), all_held={*told.values()} <= {"holds", "not_applicable"},
                   seq=last.seq)  # fmt: skip


def _actions(visit: Visit, dossier: Dossier, steps: Sequence[OpenStep], leading: OpenStep | None) -> Iterator[Action]:
    """What the person has a right to, the leading step first; a step blocked for them stays, with the reasons."""
    mine = [one for one in steps if one.is_mine or (one is leading and not one.is_automatic)]
    taken = set[str]()
    for one in sorted(mine, key=lambda one: (one is not leading, list(MoveKind).index(one.kind))):
        manner, key, sign = _MANNER.get(one.kind, ("other", "", "chevron-right"))
        if manner in taken or (manner == "approve" and one is not leading):
            manner, key, sign = "other", "", "chevron-right"
        taken.add(manner)
        step = dossier.machine.step(dossier.case.state, one.trigger)
        yield Action(
            trigger=one.trigger,
            title=one.title,
            manner=manner,
            key=key,
            sign=sign,
            is_plain=is_plain(dossier.machine, step, dossier.case.state),
            why_not=tuple(_why_not(visit, one)),
        )


def _why_not(visit: Visit, one: OpenStep) -> Iterator[str]:
    """Every reason why a step cannot be taken by this person now."""
    for title in one.apart:
        yield visit.say("您办过“{step}”，这一步须由别人办", step=visit.title(title))
    if not one.is_mine and not one.apart:
        who = visit.say("、").join(visit.title(mender.title) for mender in one.could)
        yield visit.say("这一步由{who}办", who=who) if who else visit.say("现在没有人能办")
    for rule in one.rules:
        if rule.outcome.refuses:
            yield rule.title.zh if visit.lang == "zh" else rule.title.en
