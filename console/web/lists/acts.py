"""What is done on a list: signing, handing in the scan, looking at it as another person, sending it back, closing it.

The engine decides every one of them anew; what it refuses comes back with every reason, and nothing is lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from console.web import forms
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.lists.chain import Block, Place
from console.web.lists.view import ListView, Paper
from console.web.queue.step_fields import LONGEST, NO, SHORTEST, VOTE, YES
from console.web.visit import Visit
from engine.attaching import attach, withdraw_document
from engine.casework import answered, move
from engine.definition import Bilingual
from engine.documents import document_of, ticks_of
from engine.records import Json, Refused, Repeated, Request, Sentence, Verdict
from engine.repeating import refused_before
from exchange.evidence import MOST_BYTES, FileRefused, inspect

EVERY = "every"
"""In the place of one to sign: all of a paper that were signed on it."""
_NOT_YOUR_TURN = "not-your-turn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What every form has: the revision seen, the request it is, and why it was not done."""

    seen: int
    request: str
    refused: tuple[Sentence, ...] = ()
    faults: tuple[FieldFault, ...] = ()


def form_of(visit: Visit, shown: ListView, refused: Sequence[Sentence] = (), faults: Sequence[FieldFault] = ()) -> Form:
    """A form as it came, under a new number once something was refused.

    One that is shown again without having been asked for is still of the moment at which the list was seen.
    """
    number = "" if refused else visit.form.get("request", "")
    seen = forms.number(visit.form.get("seen", "")) if visit.told else None
    return Form(
        seen=shown.book.case.revision if seen is None else seen,
        request=number or secrets.token_hex(8),
        refused=tuple(refused),
        faults=tuple(faults),
    )


def done_before(visit: Visit) -> bool:
    """Whether this very form was sent before, and was done: it is not done twice."""
    first = answered(visit.desk, _asked(visit, ""))
    return first is not None and first.moved


# --- signing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A place where the visitor could sign, and, where it is not the turn, who signs first."""

    place: Place
    first: str


def offers(visit: Visit, block: Block) -> tuple[Offer, ...]:
    """Where the visitor could sign."""
    return tuple(Offer(place=one, first="" if one in block.turn else _first(visit, block)) for one in block.mine)


def _first(visit: Visit, block: Block) -> str:
    """Who signs first, in words: the role, with a name where one signs here."""
    return "、".join(
        " ".join([visit.title(one.role), *(one.could[:1] if one.recorder is None else ())]) for one in block.turn
    )


def sign(visit: Visit, shown: ListView) -> tuple[Sentence, ...]:
    """Give a signature, after the second factor; why not, or nothing.

    Raises:
        NotFound: If nothing is signed now.
        FreshProofWanted: If the second factor was given too long ago.
        FieldFaults: If neither yes nor no is said where one may say either, or no is said and not why.
    """
    block = shown.to_sign
    if block is None:
        raise NotFound
    if block.against and visit.form.get(VOTE) not in (YES, NO):
        raise FieldFaults([FieldFault(VOTE, visit.say("您的意见"), visit.say("请选“同意”或“不同意”"))])
    says_no = visit.form.get(VOTE) == NO
    reason = visit.form.get("reason", "")
    if says_no:
        _demand_reason(visit, reason)
    visit.demand_fresh_proof(visit.say("签字 {what}", what=visit.title(shown.book.definition.title)))
    if visit.form.get("slot") == EVERY and not says_no:
        return _write_down_all(visit, shown, block)
    request = _asked(visit, block.trigger, {"reason": reason} if says_no else {})
    request = replace(request, slot=visit.form.get("slot") or None, consents=not says_no)
    return _refusals(visit, move(visit.desk, shown.book.case.id, request), block)


def _write_down_all(visit: Visit, shown: ListView, block: Block) -> tuple[Sentence, ...]:
    """Write down all that is signed on the paper, place by place, up to one that is refused.

    The last goes under the number of the form: only then was all of it done. What was seen holds for the first.
    """
    for number, one in enumerate(block.on_paper, start=1):
        is_last = number == len(block.on_paper)
        request = _asked(visit, block.trigger, part="" if is_last else f"-{one.slot}")
        request = replace(request, slot=one.slot, seen=request.seen if number == 1 else None)
        if refused := _refusals(visit, move(visit.desk, shown.book.case.id, request), block):
            return refused
    return ()


def _refusals(visit: Visit, answer: object, block: Block | None = None) -> tuple[Sentence, ...]:
    """Why something was not done; whose turn it is first comes before anything else."""
    if isinstance(answer, Repeated) and not answer.moved:
        return (refused_before(answer),)
    if not isinstance(answer, Refused):
        return ()
    early = [one for one in answer.verdicts if one.rule == _NOT_YOUR_TURN]
    rest = [one for one in answer.verdicts if one.rule != _NOT_YOUR_TURN]
    said = [_wrong_turn(visit, block)] if early and block is not None else [one.sentence for one in early]
    return (*said, *map(_sentence, rest))


def _wrong_turn(visit: Visit, block: Block) -> Sentence:
    name = _first(visit, block)
    return Sentence(zh=f"还没轮到您：先由{name}签", en=f"Not your turn; {name} signs first")


def _sentence(one: Verdict) -> Sentence:
    return one.sentence if one.sentence.zh else one.title


# --- the scan ---------------------------------------------------------------------------------------------------------


def hand_in(visit: Visit, shown: ListView) -> tuple[Sentence, ...]:
    """Put a scan on the list, in the place of one that is of an earlier draft; why not, or nothing.

    Raises:
        FieldFaults: If no file was chosen.
    """
    kind = visit.form.get("kind", "")
    file = next(iter(visit.files("file")), None)
    if file is None or kind not in shown.to_scan:
        raise FieldFaults([FieldFault("file", visit.say("扫描件"), visit.say("请选择文件"))])
    with file.file as opened:
        body = opened.read(MOST_BYTES + 1)
    try:
        upload = inspect(file.filename or kind, body)
    except FileRefused as problem:
        return (Sentence(zh=problem.reason.zh, en=problem.reason.en),)
    case = shown.book.case.id
    for one in _replaced(shown, kind):
        off = _asked(visit, "withdraw", {"reason": "重新扫描"}, part=f"-off-{one.seq}")
        if refused := _refusals(visit, withdraw_document(visit.desk, case, one.seq, replace(off, seen=None))):
            return refused
    return _refusals(visit, attach(visit.desk, case, kind, upload, replace(_asked(visit, "attach"), seen=None)))


def _replaced(shown: ListView, kind: str) -> list[Paper]:
    """The scans that make room: those of an earlier draft, and where there may be only one, the one before."""
    there = [one for one in shown.papers if one.kind == kind and not one.is_made]
    is_single = shown.book.machine.book.documents[kind].count == 1
    return there if is_single else [one for one in there if one.is_old]


class Ticking:
    """The step by which another person says to have seen signatures and seal, as the list stands."""

    def __init__(self, visit: Visit, shown: ListView) -> None:
        self._visit, self._shown = visit, shown
        book = shown.book
        steps = [book.machine.step(book.case.state, one.trigger) for one in book.steps]
        plain = [one for one in steps if one.transition.reviews and not one.asked and len(one.targets) <= 1]
        mine = {one.trigger for one in shown.actions if one.is_mine}
        self.step = next((one for one in plain if one.trigger in mine), next(iter(plain), None))

    @property
    def _reviews(self) -> Sequence[str]:
        return () if self.step is None else self.step.transition.reviews

    @property
    def ticks(self) -> dict[str, Bilingual]:
        """What is ticked of the papers that are there, by the name a request gives it."""
        machine, there = self._shown.book.machine, {one.kind for one in self._shown.papers}
        kinds = [kind for kind in self._reviews if kind in there]
        return {name: title for kind in kinds for name, title in ticks_of(machine, kind).items()}

    @property
    def is_by_another(self) -> bool:
        """Whether any of it is looked at by somebody else than who handed it in."""
        machine = self._shown.book.machine
        return any(document_of(machine, kind).ticked_by_another for kind in self._reviews)

    @property
    def title(self) -> Bilingual | None:
        """What the step is called."""
        return None if self.step is None else self.step.transition.title

    @property
    def is_mine(self) -> bool:
        """Whether the visitor may take the step."""
        trigger = None if self.step is None else self.step.trigger
        return any(one.is_mine for one in self._shown.actions if one.trigger == trigger)

    @property
    def own(self) -> tuple[Paper, ...]:
        """The papers that the visitor has handed in, and that another has to look at."""
        kinds = [kind for kind in self._reviews if document_of(self._shown.book.machine, kind).ticked_by_another]
        name = self._shown.book.name(self._visit.login)
        return tuple(one for one in self._shown.papers if one.kind in kinds and not one.is_made and one.by == name)

    def take(self) -> tuple[Sentence, ...]:
        """Tick, and take the step; why not, or nothing.

        Raises:
            NotFound: If nothing is ticked now.
        """
        if self.step is None:
            raise NotFound
        given = {name: self._visit.form.get(f"tick-{name}") == "yes" for name in self.ticks}
        request = replace(
            _asked(self._visit, self.step.trigger), ticks={name: True for name, yes in given.items() if yes}
        )
        return _refusals(self._visit, move(self._visit.desk, self._shown.book.case.id, request))


# --- back, and on -----------------------------------------------------------------------------------------------------


def send_back(visit: Visit, shown: ListView) -> tuple[Sentence, ...]:
    """Send the list back, with the reason; why not, or nothing.

    Raises:
        NotFound: If no such step leads back from where it is.
        FieldFaults: If the reason is too short or too long.
    """
    trigger, reason = visit.form.get("trigger", ""), visit.form.get("reason", "")
    if not any(one.trigger == trigger and one.is_back for one in shown.actions):
        raise NotFound
    _demand_reason(visit, reason)
    return _refusals(visit, move(visit.desk, shown.book.case.id, _asked(visit, trigger, {"reason": reason})))


def take_step(visit: Visit, shown: ListView) -> tuple[Sentence, ...]:
    """Take a step that asks for nothing; why not, or nothing.

    Raises:
        NotFound: If there is no such step now.
    """
    trigger = visit.form.get("trigger", "")
    if not any(one.trigger == trigger and one.is_plain for one in shown.actions):
        raise NotFound
    return _refusals(visit, move(visit.desk, shown.book.case.id, _asked(visit, trigger)))


def _demand_reason(visit: Visit, reason: str) -> None:
    if not SHORTEST <= len(reason) <= LONGEST:
        said = visit.say("要 {least} 到 {most} 个字，现在 {n} 个", least=SHORTEST, most=LONGEST, n=len(reason))
        raise FieldFaults([FieldFault("reason", visit.say("理由"), said)])


def _asked(visit: Visit, trigger: str, fields: dict[str, Json] | None = None, *, part: str = "") -> Request:
    number, seen = visit.form.get("request"), forms.number(visit.form.get("seen", ""))
    return visit.asks(trigger, fields, seen=seen, request=f"list{part}:{number}" if number else None)


def scans(shown: ListView) -> tuple[Paper, ...]:
    """What was handed in."""
    return tuple(one for one in shown.papers if not one.is_made)
