"""Working a queue: what waits, opening a case, taking a step, taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from console import documents
from console.calling import Caller, Misuse, Sitting
from console.printing import both, document, line, stacked_moment, state_title, table, verdicts
from engine.casework import find_case, move, open_case, read_fields
from engine.definition import NEW
from engine.desk import Desk
from engine.errors import Unknown
from engine.opening import machine_to_open, opening_of, unit_of
from engine.queues import Task, Waiting, waiting_for
from engine.records import Json, Moved, Refused, Repeated, Request
from engine.retracting import retract
from engine.steps import Machine
from engine.store.cases import read_case


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A step or signature somebody asks for, as typed; `about` is a student number or the code of a unit.

    `case` None is the student's record, or the one open case of the unit. `slot` and `consents` are for signatures.
    """

    about: str
    trigger: str
    login: str
    given: Mapping[str, str]
    case: str | None = None
    to: str | None = None
    request: str | None = None
    slot: str | None = None
    consents: bool = True
    ticks: Mapping[str, bool] = field(default_factory=dict)


def show_queue(caller: Caller, login: str, *, as_json: bool) -> int:
    """What waits for a person, longest waiting first."""
    with caller.sitting() as sitting:
        desk = sitting.desk
        waiting = waiting_for(desk, desk.actor(login), sitting.at)
        if as_json:
            document([documents.waiting(one, sitting.at) for one in waiting])
            return 0
        if not waiting:
            line(f"{login} 没有待办。Nothing waits for {login}.")
            return 0
        columns = (
            "学号或单位、办件号 about, case",
            "业务、状态 workflow, state",
            "单位、批次 unit, batch",
            "等待自 since",
            "可办、签字 steps, slots",
        )
        table(columns, [_waiting_row(desk, one) for one in waiting], f"{login} 的待办 {len(waiting)} 件 waiting")
    return 0


def _waiting_row(desk: Desk, one: Waiting) -> tuple[str, ...]:
    definition = desk.definition(one.shape)
    return (
        f"{one.student_no or one.unit}\n{one.number}",
        f"{definition.title.zh}\n{state_title(definition, one.state)}",
        f"{one.unit}\n{one.batch or '—'}",
        stacked_moment(one.since),
        "\n".join(map(_task, one.tasks)),
    )


def _task(task: Task) -> str:
    """A step, with the place to sign and for whom one would act."""
    slot = "" if task.slot is None else f"\n签字 sign {task.slot}"
    return f"{task.trigger}{slot}" if task.giver is None else f"{task.trigger}{slot}\n代 for {task.giver}"


def open_one(caller: Caller, workflow: str, about: str, login: str, given: Mapping[str, str]) -> int:
    """Open a case of a workflow about a student or a unit, by the opening this person may take.

    Raises:
        Misuse: If cases of this workflow are opened by the registry's own events only.
    """
    with caller.sitting(publishes_as=login) as sitting:
        desk, actor = sitting.desk, sitting.desk.actor(login)
        unit = unit_of(desk, about)
        definition = desk.library.definition(workflow, desk.profile_of(unit))
        trigger = opening_of(definition, actor)
        if trigger is None:
            message = (
                f"“{definition.title.zh}”随批次发布或学期开始建立，不能手工建立。"
                f" Cases of {definition.workflow} open with a batch or a term, not by hand."
            )
            raise Misuse(message)
        machine = machine_to_open(desk, workflow, unit, trigger)
        fields = read_fields(desk, machine, trigger, given)
        outcome = open_case(desk, workflow, about, replace(sitting.request(trigger, actor), fields=fields))
        return _tell(desk, about, machine, outcome, as_json=False)


def move_one(caller: Caller, asked: Asked, *, as_json: bool) -> int:
    """Take one step of one case, or print every reason why not."""
    with caller.sitting(publishes_as=asked.login) as sitting:
        machine, case, request = _request(sitting, asked)
        return _tell(sitting.desk, asked.about, machine, move(sitting.desk, case, request), as_json=as_json)


def sign_one(caller: Caller, asked: Asked, *, as_json: bool) -> int:
    """Sign a step of one case, or print every reason why not.

    Raises:
        Misuse: If the step is not one that is signed.
    """
    with caller.sitting(publishes_as=asked.login) as sitting:
        machine, case, request = _request(sitting, asked)
        if machine.definition.transitions[asked.trigger].sign is None:
            signed = [name for name, one in machine.definition.transitions.items() if one.sign is not None]
            message = (
                f"“{asked.trigger}”不是签字的步骤，请用 xueji move。'{asked.trigger}' is not signed; take it with"
                f" 'xueji move'. 签字的步骤 signed: {'、'.join(signed) or '—'}"
            )
            raise Misuse(message)
        return _tell(sitting.desk, asked.about, machine, move(sitting.desk, case, request), as_json=as_json)


def _request(sitting: Sitting, asked: Asked) -> tuple[Machine, int, Request]:
    """What somebody asks for, read by the definition of the case it is asked of."""
    desk = sitting.desk
    case = find_case(desk, asked.about, asked.case)
    found = read_case(desk.connection, case)
    if found is None:
        raise Unknown("办件 case", asked.case or asked.about)
    typed: dict[str, Json] = dict(asked.given)
    machine = desk.machine_for(found.case, typed)
    fields = read_fields(desk, machine, asked.trigger, asked.given)
    request = sitting.request(asked.trigger, desk.actor(asked.login), fields)
    told = replace(request, to=asked.to, id=asked.request)
    return machine, case, replace(told, slot=asked.slot, consents=asked.consents, ticks=asked.ticks)


def retract_last(caller: Caller, student_no: str, login: str, case: str | None) -> int:
    """Take back one's own last step."""
    with caller.sitting(publishes_as=login) as sitting:
        desk = sitting.desk
        number = find_case(desk, student_no, case)
        after = retract(desk, number, sitting.request("retract", desk.actor(login)))
        definition = desk.definition(after.shape)
        line(f"{student_no} {after.number}：已撤回 taken back → {state_title(definition, after.state)}")
    return 0


def _tell(desk: Desk, student_no: str, machine: Machine, outcome: Moved | Refused | Repeated, *, as_json: bool) -> int:
    if as_json:
        document(_document(student_no, outcome))
    else:
        _print(desk, student_no, machine, outcome)
    match outcome:
        case Moved():
            return 0
        case Refused():
            return 1
        case Repeated():
            return 0 if outcome.moved else 1
        case _:
            assert_never(outcome)


def _document(student_no: str, outcome: Moved | Refused | Repeated) -> documents.Document:
    """The same keys as for many cases, and what became of this one."""
    if isinstance(outcome, Repeated):
        number, state, moved = outcome.number, outcome.state, outcome.moved
    else:
        number, state, moved = outcome.case.number, outcome.case.state, isinstance(outcome, Moved)
    refused = [] if isinstance(outcome, Moved) or moved else [
        documents.refusal(student_no, outcome.failed, outcome.undecided)
    ]  # fmt: skip
    return {
        "moved": int(moved),
        "refused": refused,
        "conflicts": 0,
        "case": number,
        "state": state,
        "signed": isinstance(outcome, Moved) and outcome.signed,
        "missing": list(_missing(outcome)),
        "verdicts": [documents.verdict(one) for one in outcome.verdicts] if isinstance(outcome, Refused) else [],
    }


def _missing(outcome: Moved | Refused | Repeated) -> tuple[str, ...]:
    """The seats that are still to sign after a signature."""
    missing = outcome.data.get("missing") if isinstance(outcome, Moved) and outcome.signed else ()
    return tuple(map(str, missing)) if isinstance(missing, list | tuple) else ()


def _print(desk: Desk, student_no: str, machine: Machine, outcome: Moved | Refused | Repeated) -> None:
    definition, roles = machine.definition, desk.library.rulebook.organisation.roles
    step = definition.transitions[outcome.trigger]
    if isinstance(outcome, Repeated):
        said = "此前已办理 done before" if outcome.moved else "此前未通过 refused before"
        rules = " ".join((*outcome.failed, *outcome.undecided))
        state = state_title(definition, outcome.state)
        line(f"{student_no} {outcome.number} {both(step.title)}：{said}，{state} {rules}")
        return
    head = f"{student_no} {outcome.case.number} {both(step.title)}"
    state = state_title(definition, outcome.case.state)
    if isinstance(outcome, Moved):
        if outcome.signed:
            waits = "、".join(_missing(outcome))
            line(f"{head}：已签字 signed，仍为 still {state}；尚缺 missing {waits}", style="green")
            return
        line(f"{head}：已办理 done → {state}", style="green")
        if outcome.warnings:
            line("提醒 warnings（不影响办理 they do not stand in the way）")
            verdicts(outcome.warnings, roles)
        return
    if outcome.case.state == NEW:
        line(f"{student_no} {both(step.title)}：未通过 refused，没有建立 not opened", style="red")
    else:
        line(f"{head}：未通过 refused，仍为 still {state}", style="red")
    verdicts(outcome.verdicts, roles)
    if step.asked:
        line(f"  此步骤须填 the step asks for {'、'.join(f'{name}=…' for name in step.asked)}")
