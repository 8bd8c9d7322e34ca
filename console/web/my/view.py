"""The first page of a student, ready to be written down: the answer, what to do, the road, own data, whom to ask."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from hashlib import sha256

from console.web.lettering import last_day, masked_id, valued
from console.web.my.reading import Own, OwnStep
from console.web.my.todos import CHANGE, Todos, outside_batch, todos
from console.web.queue.step_fields import step_form
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.expressions.kinds import SHANGHAI, Lang, decode, parse_kind
from engine.forward import ways_on
from engine.records import Case, Json, Sentence
from engine.step import Step
from engine.steps import Machine
from engine.trail.event import canonical
from exchange.diagrams import main_road
from notifications.lettering import left_of

OWN_DATA = ("name", "gender", "id_number", "level", "major", "study_years")
"""What the certificate and the national site will show."""
_LANGS: tuple[Lang, ...] = ("zh", "en")
_REPORTED = frozenset({"key_info_confirmed", "photo_collected"})
"""What a report takes back."""
_OPERATOR = "site_operator"
_OFFICER = "records_officer"
PREPARING = Bilingual(zh="备齐材料", en="Getting everything ready")


class Answer(StrEnum):
    """Where a student is, in one word."""

    TODO = "todo"
    LATE = "late"
    OTHERS = "others"
    READY = "ready"
    WAITING = "waiting"
    DONE = "done"
    OUTSIDE = "outside"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One state of the road: what it is called, whether it lies behind, and what to say of it."""

    title: Bilingual
    where: str
    who: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFact:
    """One item of the own data: its name, what it is called, and how it reads."""

    name: str
    title: Bilingual
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom to ask: who, where, at which number and when, as far as the unit or one above it has said so."""

    names: tuple[str, ...]
    unit: str
    phone: str = ""
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MyView:
    """The page.

    Attributes:
        reason: Why not, where the answer is a no.
        unit: Who decides next, while the student waits.
    """

    name: str
    answer: Answer
    todos: Todos
    state: Bilingual
    reason: Sentence | None
    unit: str
    due_at: datetime | None
    shown_on: date | None
    places: tuple[Place, ...]
    facts: tuple[OwnFact, ...]
    photo: str | None
    contact: Contact
    told: int


def my_view(own: Own, lang: Lang) -> MyView:
    """Everything the first page shows to the student."""
    to_do = todos(own)
    answer, reason = _answer(own, to_do)
    ahead = next_step(own)
    return MyView(
        name=str(own.facts.get("name") or own.record.student_no or own.actor.login),
        answer=answer,
        todos=to_do,
        state=own.definition.states[own.record.case.state].title,
        reason=reason,
        unit=who_takes(own, ahead) if ahead is not None else "",
        due_at=to_do.due_at if to_do.open else _first_due(own),
        shown_on=_day(own, "issued_on") or _day(own, "graduated_on"),
        places=tuple(_places(own, answer)),
        facts=own_facts(own, lang),
        photo=None if own.glance.photo is None else "/my/photo",
        contact=contact(own),
        told=own.glance.told,
    )


def own_facts(own: Own, lang: Lang) -> tuple[OwnFact, ...]:
    """The own data as the certificate will have them; the ID number masked."""
    vocabulary = own.machine.book.vocabulary.student
    return tuple(
        OwnFact(name=name, title=vocabulary[name].title, shown=_shown(own, name, vocabulary[name].type, lang))
        for name in OWN_DATA
        if name in vocabulary and own.facts.get(name) is not None
    )


def _shown(own: Own, name: str, kind: str, lang: Lang) -> str:
    value = own.facts.get(name)
    if name == "id_number":
        return masked_id(str(value))
    parsed = parse_kind(kind)
    return valued(parsed, decode(parsed, value), lang, own.machine.readers.choices)


def contact(own: Own) -> Contact:
    """Whom a student asks: who files and keeps the papers at the own unit."""
    case = own.record.case
    units = own.desk.units()
    upwards = (units[code].facts for code in reversed(case.path.strip("/").split("/")))
    here = [one for role in (_OPERATOR, _OFFICER) for one in own.staff.holding(role, case.path)]
    nearest = max((len(one.path) for one in here), default=0)
    names = dict.fromkeys(one.name or one.login for one in here if len(one.path) == nearest)
    said: Mapping[str, Json] = next((facts for facts in upwards if facts.get("phone")), {})
    phone, hours = (str(said.get(name) or "") for name in ("phone", "office_hours"))
    return Contact(names=tuple(names)[:2], unit=units[case.unit].name, phone=phone, hours=hours)


def _answer(own: Own, to_do: Todos) -> tuple[Answer, Sentence | None]:
    """Where the student is, and why not, where that is a no."""
    case, road = own.record.case, main_road(own.definition)
    if own.machine.is_final(case.state):
        return (Answer.DONE if case.state == road[-1] else Answer.STOPPED), None
    if case.state not in road:
        return Answer.STOPPED, None
    if not own.applying or case.state != _applies_in(own):
        return (Answer.WAITING if own.applying else Answer.OUTSIDE), None
    if (outside := outside_batch(own)) is not None:
        return Answer.OUTSIDE, outside.sentence
    if to_do.open:
        is_late = to_do.due_at is not None and to_do.due_at <= own.at
        return (Answer.LATE if is_late else Answer.TODO), None
    return (Answer.OTHERS if to_do.others else Answer.READY), None


def _applies_in(own: Own) -> str:
    """The state of the record in which one applies."""
    batch = own.batch
    kind = "" if batch is None else f"batch {batch.kind}"
    fields = {name for name, field in own.definition.fields.items() if field.type == kind}
    found = (one.origins for one in own.definition.transitions.values() if fields.intersection(one.asks))
    return next((origin for origins in found for origin in origins), "")


def next_step(own: Own) -> Step | None:
    """The step along the road that the record waits for, if people take it."""
    return next((way.step for way in ways_on(own.machine, own.record.case.state)), None)


def who_takes(own: Own, step: Step) -> str:
    """At which unit a step is taken: the nearest above the student's where somebody holds the role."""
    units = own.desk.units()
    path = own.record.case.path
    held = [one.path for who, _ in step.entitled for one in own.staff.holding(who.acting_role, path)]
    nearest = max(held, key=len, default=path)
    return next((unit.name for unit in units.values() if unit.path == nearest), "")


def _places(own: Own, answer: Answer) -> Iterator[Place]:
    """The road: what lies behind, where the student is, and what is ahead with whoever takes the step there."""
    road = [one for one in main_road(own.definition) if one != "new"]
    state = own.record.case.state
    here = road.index(state) if state in road else 0
    applies_in = _applies_in(own)
    for place, name in enumerate(road):
        is_begin = name == applies_in
        if is_begin:
            yield Place(title=own.definition.states[name].title, where="been", on=_day(own, "enrolled_on"))
            yield Place(title=PREPARING, where="now" if here == place else "been")
            continue
        where = "ahead" if place > here else "now" if place == here and answer is not Answer.DONE else "been"
        is_last = place == len(road) - 1
        yield Place(
            title=own.definition.states[name].title,
            where=where,
            who="" if place <= here else _who_leads_to(own, name, road[place - 1]),
            on=_day(own, "issued_on") if is_last else None,
        )


def _who_leads_to(own: Own, state: str, before: str) -> str:
    for way in ways_on(own.machine, before):
        if state in way.step.targets:
            return who_takes(own, way.step)
    return ""


def _first_due(own: Own) -> datetime | None:
    """The first deadline of the record that is still to be met."""
    rows = own.running.get(own.record.case.id, ())
    return min((row.due_at for row in rows if row.due_at is not None and not row.settled), default=None)


def _day(own: Own, name: str) -> date | None:
    value = own.facts.get(name)
    return date.fromisoformat(value) if isinstance(value, str) else None


def form_text(own: Own, one: OwnStep, typed: Mapping[str, str], lang: Lang) -> tuple[tuple[Bilingual, str], ...]:
    """Everything that stands on what a student signs: the data of the form, then what the student filled in."""
    vocabulary = one.machine.book.vocabulary.student
    data = [
        (vocabulary[name].title, _shown(own, name, vocabulary[name].type, lang))
        for name in _columns(one)
        if name in vocabulary and own.facts.get(name) is not None
    ]
    return (*data, *_filled_in(own, one, typed, lang))


def form_mark(own: Own, one: OwnStep, typed: Mapping[str, str], key: bytes) -> str:
    """By what a form is known again, in whichever language it is read: another as soon as anything on it is another.

    The values are in it themselves, for a masked number may change where nobody sees it; under a key, so that nobody
    finds the number from the mark.
    """
    said = canonical({
        "case": one.case.number,
        "step": one.trigger,
        "text": [[title.zh, title.en, shown] for lang in _LANGS for title, shown in form_text(own, one, typed, lang)],
        "facts": {name: own.facts.get(name) for name in _columns(one)},
        "typed": dict(typed),
    })  # fmt: skip
    return hmac.new(sha256(b"xueji form that is signed\n" + key).digest(), said, sha256).hexdigest()


def answered_in(visit: Visit, own: Own, case: Case) -> int | None:
    """Within how many working days somebody has to deal with what a student has reported; None where nothing says so.

    That is a deadline which runs and rests on what was reported: one of the change itself, or one that waits for photo
    or data to be in order.
    """
    machine = own.desk.machine_for(case, {})
    due = [
        row.due_at
        for row in own.running.get(case.id, ())
        if row.due_at is not None and not row.settled and row.due_at > own.at and _is_about(machine, case, row.name)
    ]
    if not due or (calendar := visit.calendar) is None:
        return None
    noon = datetime.combine(last_day(min(due)), time(12), SHANGHAI)
    return left_of(noon, calendar, own.at).working_days or None


def _is_about(machine: Machine, case: Case, deadline: str) -> bool:
    settling = machine.deadline(deadline).settled
    return case.workflow == CHANGE or any(not _REPORTED.isdisjoint(guard.reads) for guard in settling)


def _columns(one: OwnStep) -> tuple[str, ...]:
    """What the forms of a procedure have columns for."""
    issued = dict.fromkeys(kind for step in one.machine.definition.transitions.values() for kind in step.issues)
    return tuple(dict.fromkeys(name for kind in issued for name in one.machine.book.documents[kind].columns))


def _filled_in(own: Own, one: OwnStep, typed: Mapping[str, str], lang: Lang) -> Iterator[tuple[Bilingual, str]]:
    for field in step_form(one.machine, one.step, own.glance.documents.get(one.case.id, ()), typed).fields:
        words = dict(field.choices).get(field.value)
        if field.value:
            yield field.title, field.value if words is None else (words.zh if lang == "zh" else words.en)
