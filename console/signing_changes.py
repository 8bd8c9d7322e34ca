"""加签 and 减签: one signer more, or a slot that need not be signed, while the signatures of a step are gathered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from console import documents
from console.calling import REFUSED, Caller, Sitting
from console.delegating import said_before
from console.printing import both, document, line, state_title, verdicts
from engine.casework import find_case
from engine.delegating import Refusal
from engine.desk import Desk
from engine.prospects import Prospect, prospects
from engine.records import Case, Outcome, Repeated, Request
from engine.repeating import once
from engine.signers import add_signer, drop_signer
from engine.steps import Machine

_Act = Callable[[Desk, int, Request], Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of signers somebody asks for, as typed; `what` is the role to be added, or the slot to go.

    `case` None is the student's record, or the one open case of the unit; `unit` None is the case's own;
    `before` None is after everybody else.
    """

    about: str
    trigger: str
    what: str
    login: str
    case: str | None = None
    unit: str | None = None
    before: str | None = None
    reason: str | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """What became of it: the answer, and the case and the step as they stand afterwards (None: no longer open)."""

    answer: Refusal | Repeated
    case: Case
    machine: Machine
    step: Prospect | None

    @property
    def is_done(self) -> bool:
        """Whether signers were changed, now or when it was asked first."""
        return self.answer.moved if isinstance(self.answer, Repeated) else not self.answer


def add(caller: Caller, asked: Change, *, as_json: bool) -> int:
    """Ask for one signature more, or print every reason why not."""

    def act(desk: Desk, case: int, request: Request) -> Refusal:
        return add_signer(desk, case, asked.what, request, unit=asked.unit, before=asked.before)

    with caller.sitting(publishes_as=asked.login) as sitting:
        return _tell(sitting, asked, _change(sitting, asked, "add_signer", act), "加签 signer added", as_json=as_json)


def remove(caller: Caller, asked: Change, *, as_json: bool) -> int:
    """Let a slot go unsigned, or print every reason why not."""

    def act(desk: Desk, case: int, request: Request) -> Refusal:
        return drop_signer(desk, case, asked.what, request)

    with caller.sitting(publishes_as=asked.login) as sitting:
        return _tell(sitting, asked, _change(sitting, asked, "drop_signer", act), "减签 slot dropped", as_json=as_json)


def _change(sitting: Sitting, asked: Change, name: str, act: _Act) -> _Changed:
    desk = sitting.desk
    case, actor = find_case(desk, asked.about, asked.case), desk.actor(asked.login)
    fields = {} if asked.reason is None else {"reason": asked.reason}
    request = replace(sitting.request(asked.trigger, actor, fields), id=asked.request)
    answer = once(desk, name, request, lambda told: act(desk, case, told))
    found, machine, steps = prospects(desk, case, sitting.request("look", actor))
    step = next((one for one in steps if one.trigger == asked.trigger), None)
    return _Changed(answer=answer, case=found.case, machine=machine, step=step)


def _tell(sitting: Sitting, asked: Change, changed: _Changed, done: str, *, as_json: bool) -> int:
    if as_json:
        document(_document(asked, changed))
    elif isinstance(changed.answer, Repeated):
        said_before(asked.request, changed.answer)
    else:
        _print(sitting, asked, changed, done)
    return 0 if changed.is_done else REFUSED


def _document(asked: Change, changed: _Changed) -> documents.Document:
    """The same keys as for a step, and the seats as they stand."""
    answer, case = changed.answer, changed.case
    failed = answer.failed if isinstance(answer, Repeated) else documents.ids(answer, Outcome.FAILS)
    return {
        "changed": int(changed.is_done),
        "repeated": isinstance(answer, Repeated),
        "refused": [] if changed.is_done else [documents.refusal(asked.about, failed, ())],
        "case": case.number,
        "state": case.state,
        "trigger": asked.trigger,
        "signatures": None if changed.step is None else documents.prospect(changed.step)["signatures"],
        "verdicts": [documents.verdict(one) for one in _verdicts(changed)],
    }


def _verdicts(changed: _Changed) -> Refusal:
    """Why it was refused; the first answer to a repeated request names the rules only."""
    return () if isinstance(changed.answer, Repeated) else changed.answer


def _print(sitting: Sitting, asked: Change, changed: _Changed, done: str) -> None:
    case, definition = changed.case, changed.machine.definition
    head = f"{asked.about} {case.number} {both(definition.transitions[asked.trigger].title)}"
    if changed.is_done:
        seats = None if changed.step is None else changed.step.signatures
        missing = "—" if seats is None else "、".join(seats.missing)
        line(f"{head}：{done} {asked.what}；尚缺 missing {missing}", style="green")
        return
    line(f"{head}：未通过 refused，仍为 still {state_title(definition, case.state)}", style="red")
    verdicts(_verdicts(changed), sitting.desk.library.rulebook.organisation.roles)
