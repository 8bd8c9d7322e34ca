"""The same step for everybody of a batch: chosen by batch, state and the person's reach; every refusal is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from console import documents
from console.calling import Caller, Sitting
from console.printing import document, line, note, progress, role_title, shortened, stacked, table
from console.working import Asked
from engine.bulk import BulkAnswer, move_many
from engine.casework import read_fields
from engine.desk import Desk
from engine.eligibility import application, works_by
from engine.errors import NotAllowed, Unknown
from engine.records import Case, Json, Outcome, Refused, Request, Verdict
from engine.step import Step
from engine.store.cases import in_batch, records_under


@dataclass(frozen=True, slots=True, kw_only=True)
class MassMove:
    """What is asked for: the step (its student number is empty), the batch, and how to answer."""

    step: Asked
    batch: str
    dry_run: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """One case the step is asked of, and its student."""

    case: Case
    student_no: str


def move_all(caller: Caller, asked: MassMove) -> int:
    """Take a step on every case of a batch that stands where it leads out of, within the person's reach."""
    login = asked.step.login
    with caller.sitting(publishes_as=None if asked.dry_run else login) as sitting:
        desk = sitting.desk
        chosen = _choose(desk, asked)
        answer = _take(sitting, asked, chosen)
        numbers = {one.case.id: one.student_no for one in chosen}
        if asked.as_json:
            document(_document(answer, numbers))
        else:
            _tell(desk, asked, answer, numbers)
    return 1 if answer.refused or answer.conflicts or answer.barred else 0


def _take(sitting: Sitting, asked: MassMove, chosen: Sequence[_Chosen]) -> BulkAnswer:
    if not chosen:
        return BulkAnswer()
    request = _request(sitting, asked, chosen[0].case)
    cases = [(one.case.id, one.case.revision) for one in chosen]
    with progress(len(chosen), "判断 judging" if asked.dry_run else "办理 moving") as advance:
        return move_many(sitting.desk, cases, request, advance, dry_run=asked.dry_run)


def _request(sitting: Sitting, asked: MassMove, case: Case) -> Request:
    desk, step = sitting.desk, asked.step
    given = {"batch": asked.batch, **step.given} if _applies(desk, asked) else dict(step.given)
    typed: dict[str, Json] = {**given}
    fields = read_fields(desk, desk.machine_for(case, typed), step.trigger, given)
    request = sitting.request(step.trigger, desk.actor(step.login), fields)
    return replace(request, to=step.to, id=step.request, ticks=step.ticks)


def _applies(desk: Desk, asked: MassMove) -> bool:
    """Whether the step is the one by which records come into the batch."""
    return asked.step.trigger == application(desk, asked.batch)


def _choose(desk: Desk, asked: MassMove) -> list[_Chosen]:
    """The cases that stand where the step leads out of, at units where the person may take it.

    Raises:
        NotAllowed: If there are such cases, and none is within the person's reach.
        Unknown: If no workflow of the batch's profile has such a step.
    """
    actor = desk.actor(asked.step.login)
    found = _Steps(desk, asked.step.trigger)
    standing = [(one, step) for one in _candidates(desk, asked) if (step := found.step(one.case)) is not None]
    chosen = [
        one
        for one, step in standing
        if any(actor.grant_for(roles, one.case.path) is not None for _, roles in step.entitled)
    ]
    if standing and not chosen:
        one, step = standing[0]
        raise NotAllowed(actor.login, asked.step.trigger, [who.acting_role for who, _ in step.entitled], one.case.unit)
    return chosen


def _candidates(desk: Desk, asked: MassMove) -> Iterator[_Chosen]:
    """For the application the records of the batch's profile; else the batch's records, or its other cases."""
    trigger = asked.step.trigger
    applies = _applies(desk, asked)  # says so when the batch is not published
    row = desk.batch(asked.batch)
    profile = row.profile if row is not None else ""
    having = {name for name, one in desk.library.of_profile(profile).items() if trigger in one.transitions}
    if not having:
        known = {name for one in desk.library.of_profile(profile).values() for name in one.transitions}
        raise Unknown("步骤 step", trigger, known)
    record = desk.library.record(profile).workflow
    workflows = {record} if record in having else having
    if applies:
        units = {code for code in desk.units() if works_by(desk, code, profile)}
        for found in records_under(desk.connection):
            if found.case.unit in units:
                yield _Chosen(case=found.case, student_no=found.student_no or "")
        return
    for case, student_no in in_batch(desk.connection, asked.batch):
        if case.workflow in workflows:
            yield _Chosen(case=case, student_no=student_no)


class _Steps:
    """The step of one trigger out of each (shape, state), looked up once."""

    def __init__(self, desk: Desk, trigger: str) -> None:
        self._desk = desk
        self._trigger = trigger
        self._found: dict[tuple[str, str], Step | None] = {}

    def step(self, case: Case) -> Step | None:
        """The step out of where a case stands, if there is one."""
        key = (case.shape, case.state)
        if key not in self._found:
            machine = self._desk.machine(case.shape)
            is_open = self._trigger in machine.open_triggers(case.state)
            self._found[key] = machine.step(case.state, self._trigger) if is_open else None
        return self._found[key]


def _document(answer: BulkAnswer, numbers: Mapping[int, str]) -> documents.Document:
    refused = [documents.refusal(numbers[one.case.id], one.failed, one.undecided) for one in answer.refused]
    return {
        "moved": len(answer.moved),
        "refused": sorted(refused, key=lambda one: str(one["student_no"])),
        "conflicts": len(answer.conflicts) + len(answer.barred),
    }


def _tell(desk: Desk, asked: MassMove, answer: BulkAnswer, numbers: Mapping[int, str]) -> None:
    conflicts = len(answer.conflicts) + len(answer.barred)
    if not (answer.moved or answer.refused or conflicts):
        line(f"批次 {asked.batch} 没有可办理“{asked.step.trigger}”的办件。No case stands before this step.")
        return
    done, preview = ("可办理", "（预览，未写入 preview, nothing written）") if asked.dry_run else ("已办理", "")
    line(
        f"{asked.step.trigger}{preview}：{done} {len(answer.moved)} moved，未通过 {len(answer.refused)} refused，"
        f"冲突 {conflicts} conflicts"
    )
    if answer.refused:
        _show_refused(desk, answer.refused, numbers)
    for case, why in answer.barred[:5]:
        line(f"{numbers[case]}：{why}")
    if answer.conflicts:
        first = shortened([numbers[case] for case in answer.conflicts])
        note(f"期间已被他人办理，请再运行一次：{first}。Changed meanwhile; run it again.")


def _show_refused(desk: Desk, refused: Sequence[Refused], numbers: Mapping[int, str]) -> None:
    """One line a rule: how many it stands in the way of, who can mend it, and the first of them."""
    roles = desk.library.rulebook.organisation.roles
    met: dict[str, list[tuple[str, Verdict]]] = defaultdict(list)
    for one in refused:
        for verdict in one.verdicts:
            met[verdict.id].append((numbers[one.case.id], verdict))
    rows = [
        (
            rule, stacked(some[0][1].title),
            sum(verdict.outcome is Outcome.FAILS for _, verdict in some),
            sum(verdict.outcome is Outcome.UNDECIDED for _, verdict in some),
            role_title(roles, some[0][1].remedy_by or "—").replace(" ", "\n"),
            shortened(sorted(number for number, _ in some), 3).replace("、", "\n"),
        )
        for rule, some in sorted(met.items())
    ]  # fmt: skip
    columns = ("规则 rule", "名称 title", "不符合 failed", "未定 undecided", "谁来办 who mends", "学号 students")
    table(columns, rows, f"未通过 {len(refused)} 件，按规则 Refused, by rule")
    note("全部名单 the whole list: --json；一名学生的详情 one student: xueji case STUDENT_NO")
