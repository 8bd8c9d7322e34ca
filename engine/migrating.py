"""Moving open cases to a later version of their definition: an explicit act with a verdict for each case.

A case keeps the shape it was opened with until somebody moves it. `upgrades` of the new version says where each state
of the old one leads; a step that is new and could not have been avoided on the way there is never skipped in silence.

Source: the definition language, sections 3 (upgrades) and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine import lanes
from engine.definition import NEW, Definition, MachineFile, Transition
from engine.desk import Desk
from engine.errors import NotAllowed, Unknown
from engine.keeping import write_event
from engine.records import Case, Json, Request
from engine.settling import change_of, write_changes
from engine.store import deadlines
from engine.store.case_changes import migrate_case, open_cases
from engine.store.cases import hold_case, read_case
from engine.trail.event import EventKind, moment

_MIGRATES = ("records_section", "academic_affairs", "provincial_auditor")
"""Who may move cases to another version of their definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What becomes of one case: the state it goes to, or every reason why it stays as it is."""

    case: int
    version: int
    state: str
    to: str
    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    @property
    def goes(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.zh


@dataclass(slots=True, kw_only=True)
class Migrated:
    """The verdict of every open case that is not of the version asked for."""

    cases: list[Migration] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)


def migrate(
    desk: Desk,
    wanted: tuple[str, str, int],
    request: Request,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Migrated:
    """Move the open cases of a workflow to a version of its definition.

    Args:
        desk: Where the cases are worked; its library holds the version.
        wanted: Workflow (or `WORKFLOW.LIST`), profile and version.
        request: By whom and when; its `reason` is kept with every case.
        dry_run: Judge every case and write nothing.
        progress: Told of cases done.

    Raises:
        Unknown: If the library has no such workflow, profile or version.
        NotAllowed: If the person does not move cases.
    """
    desk.refresh()
    workflow, profile, version = wanted
    new = desk.library.definition(workflow, profile)
    if new.version != version:
        raise Unknown(f"{workflow} 的版本 version", str(version), [str(new.version)])
    if not any(grant.role in _MIGRATES for grant in request.actor.grants):
        raise NotAllowed(request.actor.login, "migrate", _MIGRATES, "")
    shape = desk.hash_of(new)
    answer = Migrated()
    for case in open_cases(desk.connection, workflow):
        old = desk.definition(case.shape)
        if case.shape == shape or old.profile != profile or old.is_final(case.state):
            continue
        verdict = judged(old, new, case)
        if verdict.goes and not dry_run and not _move(desk, case, verdict, shape, request):
            answer.conflicts.append(case.id)
        else:
            answer.cases.append(verdict)
        progress(1)
    return answer


def judged(old: Definition, new: Definition, case: Case) -> Migration:
    """Where a case goes under a new definition, or why it cannot."""
    to = new.upgrades.get(old.version, {}).get(case.state, case.state)
    reasons = [*_reasons(old, new, case, to)]
    return Migration(
        case=case.id,
        version=old.version,
        state=case.state,
        to=to,
        zh=tuple(zh for zh, _ in reasons),
        en=tuple(en for _, en in reasons),
    )


def _reasons(old: Definition, new: Definition, case: Case, to: str) -> Iterator[tuple[str, str]]:
    if old.version not in new.upgrades:
        yield (
            f"新版本没有写明版本{old.version}如何升级",
            f"the new version does not say how version {old.version} upgrades",
        )
    if to not in new.states:
        yield f"新版本没有状态“{to}”", f"the new version has no state '{to}'"
        return
    for trigger in skipped(old, new, to):
        title = new.transitions[trigger].title
        yield f"会跳过新步骤“{title.zh}”", f"would skip the new step '{title.en}'"
    if case.slots:
        yield "签字尚未结束", "signing has begun; it ends under the old version"
    for name, value in case.fields.items():
        if value is not None and name in old.fields and not _keeps(old, new, name):
            title = old.fields[name].title
            yield (
                f"新版本的“{title.zh}”类型不同或已取消",
                f"'{title.en}' is of another type in the new version, or gone",
            )


def _keeps(old: Definition, new: Definition, name: str) -> bool:
    return name in new.fields and new.fields[name].type == old.fields[name].type


def skipped(old: MachineFile, new: MachineFile, state: str) -> list[str]:
    """The steps that are new and that no way to a state leaves out: a case put there would have skipped them."""
    fresh = [trigger for trigger, one in new.transitions.items() if one.targets and _is_new(old, trigger, one)]
    return [trigger for trigger in fresh if not _reachable(new, state, without=trigger)]


def _is_new(old: MachineFile, trigger: str, one: Transition) -> bool:
    """Whether a step is new, or is signed for the first time."""
    was = old.transitions.get(trigger)
    return was is None or (one.sign is not None and was.sign is None)


def _reachable(definition: MachineFile, state: str, *, without: str) -> bool:
    reached, waiting = {NEW}, [NEW]
    while waiting:
        here = waiting.pop()
        for trigger, one in definition.transitions.items():
            if trigger != without and here in one.origins:
                further = [target for target in one.targets if target not in reached]
                reached.update(further)
                waiting += further
    return state in reached


def _move(desk: Desk, case: Case, verdict: Migration, shape: str, request: Request) -> bool:
    machine = desk.machine(shape)
    data: dict[str, Json] = {"from": case.state, "to": verdict.to, "was": case.shape}
    if "reason" in request.fields:
        data["reason"] = request.fields["reason"]
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
    entered = str(event["at"]) if verdict.to != case.state else case.entered_at
    with desk.connection.writing():
        hold_case(desk.connection, case.id)
        found = read_case(desk.connection, case.id)
        if found is None or found.case != case:
            return False
        after = found._replace(case=case._replace(shape=shape, state=verdict.to, entered_at=entered))
        change = change_of(desk, after, deadlines.of_case(desk.connection, case.id), request)
        if change is not None:
            data["deadlines"] = change.told
            write_changes(desk, [change])
        written = write_event(desk, machine, case, EventKind.MIGRATED, event)
        moved = migrate_case(desk.connection, case, (shape, verdict.to, entered), written)
        lanes.settle(desk, [case.id], request)
        return moved
