"""What a student's forms ask of the engine: once however often they are sent, on the page the student saw."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.web import forms
from console.web.my.reading import Own, OwnStep
from console.web.visit import Visit
from engine.casework import move
from engine.guards import explain
from engine.records import Json, Outcome, Refused, Repeated, Request, Sentence
from engine.repeating import refused_before
from engine.sight import Seeing


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnForm:
    """What every form of a student's has: the request it is, the revision seen, and why it was not done.

    `read` is the mark of a text that is signed (`view.form_mark`); empty where none is.
    """

    request: str
    seen: int | str
    refused: tuple[Sentence, ...] = ()
    read: str = ""


def own_form(visit: Visit, one: OwnStep | None, refused: Sequence[Sentence] = ()) -> OwnForm:
    """A form: as it came if nothing was asked of the engine yet, under a new number once something was refused."""
    number = "" if refused else visit.form.get("request", "")
    return OwnForm(
        request=number or secrets.token_hex(8),
        seen="" if one is None else one.case.revision,
        refused=tuple(refused),
    )


def asked(visit: Visit, trigger: str, fields: Mapping[str, Json] | None = None, *, part: str = "") -> Request:
    """What a form asks for; `part` tells apart the acts of one form, of which the last is done on what was seen."""
    number, seen = visit.form.get("request"), forms.number(visit.form.get("seen", ""))
    return visit.asks(
        trigger,
        fields,
        seen=None if part else seen,
        request=f"my{part}:{number}" if number else None,
    )


def take(visit: Visit, one: OwnStep, fields: Mapping[str, Json]) -> tuple[Sentence, ...]:
    """Take a step of the student's own; why not, or nothing where it is taken."""
    return refusals(move(visit.desk, one.case.id, asked(visit, one.trigger, fields)))


def refusals(answer: object) -> tuple[Sentence, ...]:
    """Why something was not done; of a request that came again, what is still known of its first answer."""
    if isinstance(answer, Refused):
        return tuple(one.sentence for one in answer.verdicts)
    if isinstance(answer, Repeated) and not answer.moved:
        return (refused_before(answer),)
    return ()


def would_refuse(own: Own, one: OwnStep, fields: Mapping[str, Json]) -> tuple[Sentence, ...]:
    """What would stand in the way of a step with these fields; nothing is kept of the question."""
    request = Request(trigger=one.trigger, actor=own.actor, at=own.at, fields=fields)
    sight, step = Seeing(own.desk, one.machine, one.found, request, fetched=own.sights), one.step
    values = {
        **step.decoded(sight.see(step.facts, step.others)),
        **one.machine.decoded(sight.see((), step.shown_by(step.guards))),
    }
    refusing = step.refusing([guard.ask(*[values[key] for key in guard.reads]) for guard in step.guards])
    return tuple(explain(guard, Outcome(word), values, one.machine.readers).sentence for guard, word in refusing)
