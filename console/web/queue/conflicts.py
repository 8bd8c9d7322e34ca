"""What one hears who was not the first: what has changed since the page was made, and what is still open."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import Response

from console.web import forms
from console.web.cases.facts import changes, worded
from console.web.cases.masking import eyes_of, veil_of
from console.web.cases.reading import Dossier
from console.web.cases.standing import Reader
from console.web.queue.filtering import Filter
from console.web.queue.looking import Change
from console.web.queue.open_case import lang_of
from console.web.queue.people import name_of
from console.web.queue.reading import read_open
from console.web.queue.step_fields import NO, TO, VOTE, YES, Typed
from console.web.queue.waiting import waiting_for
from console.web.queue.wording import words_for
from console.web.visit import Visit
from engine.definition import Bilingual, Definition
from engine.store import people
from engine.store.cases import Found
from engine.store.stories import StoryLine
from engine.trail.event import EventKind

_ACTS = (EventKind.MOVED, EventKind.SIGNED, EventKind.RETRACTED)
_TAKEN_BACK = Bilingual(zh="撤回", en="Withdrawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    """What somebody did since: who, what, why, when."""

    who: str
    what: Bilingual
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A decision that was not taken because the case had moved on.

    Attributes:
        verb: What the person wanted.
        then: State and place in the chain when the page was made, `now` the present ones.
        acts: What others did since.
        changes: Facts that are otherwise.
        is_still_open: Whether the same step could be taken now; `hidden` is what its form carries, all that the person
            had put into it.
        said: What of it is a decision, in words, with what it is called; `is_against` it is a vote against.
        reason: What the person had written.
    """

    number: str
    name: str
    verb: Bilingual
    then: tuple[int, Bilingual]
    now: tuple[int, Bilingual]
    acts: tuple[Meanwhile, ...]
    changes: tuple[Change, ...]
    is_still_open: bool
    trigger: str
    hidden: tuple[tuple[str, str], ...]
    said: tuple[tuple[str, str], ...]
    is_against: bool
    reason: str
    back: str
    onward: str


def conflict(visit: Visit, found: Found, trigger: str, asked: Filter) -> Response:
    """The page of a decision that came too late; nothing was changed."""
    dossier = read_open(visit.desk, found, visit.asks("look"))
    machine, case = dossier.machine, found.case
    reader = Reader(actor=visit.actor, veil=veil_of(eyes_of(visit.actor, machine, case), machine), lang=lang_of(visit))
    seen_seq = forms.number(visit.form.get("seq", "")) or 0
    typed = Typed.of(visit.posted.multi_items())
    waiting = waiting_for(visit, asked)
    standing = waiting.standing(case.id)
    told = Conflict(
        number=case.number,
        name=name_of(visit, found),
        verb=machine.definition.transitions[trigger].title,
        then=(seen_seq, _state(machine.definition, _state_at(dossier, seen_seq))),
        now=(case.head.seq, _state(machine.definition, case.state)),
        acts=tuple(_acts(visit, dossier, seen_seq)),
        changes=tuple(_changed(dossier, reader, visit.form.get("at", ""))),
        is_still_open=standing is not None and trigger in machine.open_triggers(case.state),
        trigger=trigger,
        hidden=(
            ("seen", str(case.revision)), ("seq", str(case.head.seq)), ("from", visit.form.get("from", "")),
            ("request", secrets.token_hex(16)), *typed.pairs,
        ),
        said=tuple(_said(visit, machine.definition, typed)),
        is_against=typed.values.get(VOTE) == NO,
        reason=typed.reason,
        back=asked.address(),
        onward=asked.address(case=""),
    )  # fmt: skip
    return visit.page("queue/conflict.html", q=words_for(visit), status=409, told=told)


def too_late(visit: Visit, found: Found) -> Response:
    """The page of an undo that came too late: it can still be withdrawn, if nobody has acted since."""
    return visit.page(
        "queue/too_late.html", q=words_for(visit), status=409, number=found.case.number, name=name_of(visit, found)
    )


def _said(visit: Visit, definition: Definition, typed: Typed) -> Iterator[tuple[str, str]]:
    """The choices that go with pressing again: nobody should have to remember which they were."""
    votes = {YES: visit.say("同意"), NO: visit.say("不同意")}
    if (vote := typed.values.get(VOTE, "")) in votes:
        yield visit.say("您的意见"), votes[vote]
    if to := typed.values.get(TO):
        yield visit.say("到哪一步"), visit.title(_state(definition, to))


def _state(definition: Definition, state: str) -> Bilingual:
    known = definition.states.get(state)
    return Bilingual(zh=state, en=state) if known is None else known.title


def _state_at(dossier: Dossier, seq: int) -> str:
    """The state right after an event of the chain; the present one where the page did not say."""
    state = dossier.case.state
    for line in reversed(list(dossier.own())):
        if line.seq <= seq:
            break
        state = str(line.event["data"].get("from", state)) if line.event["kind"] in _ACTS else state
    return state


def _acts(visit: Visit, dossier: Dossier, seq: int) -> Iterator[Meanwhile]:
    steps = dossier.definition.transitions
    later = [line for line in dossier.own() if line.seq > seq and line.event["kind"] in _ACTS]
    others = sorted({str(line.event["actor"]) for line in later} - {visit.login})
    called = people.named(visit.desk.connection, others, None)[0] if others else {}
    for line in later:
        step = steps.get(str(line.event["data"].get("trigger")))
        is_step = step is not None and line.event["kind"] != EventKind.RETRACTED
        who = str(line.event["actor"])
        yield Meanwhile(
            who=visit.say("您") if who == visit.login else called.get(who, who),
            what=step.title if step is not None and is_step else _TAKEN_BACK,
            reason=str(line.event["data"].get("reason") or ""),
            at=datetime.fromisoformat(str(line.event["at"])),
        )


def _changed(dossier: Dossier, reader: Reader, since: str) -> Iterator[Change]:
    """Facts that were written since the page was made."""
    later: list[StoryLine] = [
        line for line in dossier.lines
        if since and line.event["kind"] == EventKind.FACT_CHANGED and str(line.event["at"]) >= since
    ]  # fmt: skip
    vocabulary = dossier.machine.book.vocabulary.student
    for line in later:
        for name, old, new in changes(line):
            if name in vocabulary:
                fact = (name, vocabulary[name])
                title = fact[1].title
                yield Change(
                    title=title.zh if reader.lang == "zh" else title.en,
                    old="" if old is None else worded(dossier, reader, fact, old),
                    new="" if new is None else worded(dossier, reader, fact, new),
                )
