"""Publishing by two: what a proposal says, what was found in it, whom it touches, and who may do what about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from console.impact import Impact, impact_of
from console.web import forms
from console.web.definitions import mails
from console.web.definitions.batch_sheets import Sheet, sheet_of
from console.web.definitions.comparing import Pair, side_by_side
from console.web.definitions.reading import ADDRESS
from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults, FileRefused, NotFound
from console.web.visit import Visit
from console.wiring import origin_of
from engine import proposing
from engine.errors import AlreadyOpen, DefinitionFaults, RuleInUse, Unknown, Unreadable, XuejiError
from engine.loading.origins import MOST_BYTES
from engine.proposed_texts import Findings, findings_of
from engine.proposing import SeveralReasons, earliest
from engine.records import Request
from engine.recounting import Recount, calendar_of, how_far
from engine.store import people, proposals
from engine.store.proposals import Line, Proposal, Stage, is_template

FIELD = "file"
STEPS = ("选文件", "检查", "差别", "影响", "提交，由另一人批准")
"""What publishing passes through, by a name for `say`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A proposal as shown; `names` are of everybody it names, `first` is the first day it may be in force.

    `text` is what it brings. Of a template of what people are told `mail` is where it is looked at and `title` is of
    its mail; of definitions both are empty. `batch` is a batch as one reads it.
    """

    line: Line
    findings: Findings
    places: tuple[tuple[Pair, ...], ...]
    impact: Impact
    names: dict[str, str]
    first: date
    is_own: bool
    is_new_file: bool
    address: str
    recount: Recount | None
    text: str
    mail: str
    title: str
    batch: Sheet | None

    @property
    def step(self) -> int:
        """How far it has come: its place in `STEPS`."""
        if self.line.stage is not Stage.DRAFT:
            return len(STEPS) - 1
        return 1 if self.findings.faults else 3

    @property
    def says_something(self) -> bool:
        """Whether there is something to be submitted: a difference, or a file that was not there."""
        return not self.findings.faults and (bool(self.findings.differences) or self.is_new_file)


def address_of(number: int) -> str:
    """Where a proposal is."""
    return f"{ADDRESS}/proposals/{number}"


def view(visit: Visit, number: int) -> View:
    """A proposal; a draft is shown to its maker only.

    Raises:
        NotFound: If there is none that the visitor may see.
    """
    one = seen(visit, number)
    line, found = one.line, findings_of(one)
    logins = [login for login in (line.made_by, line.decided_by) if login is not None]
    names, _ = people.named(visit.desk.connection, logins, None)
    text = _text(visit, one)
    return View(
        line=line,
        findings=found,
        places=side_by_side(one.before, text),
        impact=impact_of(visit.desk, line.file, found),
        names={login: names.get(login) or login for login in logins},
        first=earliest(visit.desk, line.file, found, visit.today),
        is_own=line.made_by == visit.login,
        is_new_file=not one.before,
        address=address_of(number),
        recount=_recount(visit, line, found),
        text=text,
        mail=mails.address_of(line.file, number) if is_template(line.file) else "",
        title=visit.say(mails.title_of(line.file)) if is_template(line.file) else "",
        batch=None if found.faults else sheet_of(visit, line.file, text),
    )


def _text(visit: Visit, one: Proposal) -> str:
    """What a proposal brings; what is installed where it gives that back."""
    if one.body or not is_template(one.line.file):
        return one.body
    return origin_of(visit.house.settings).on_disk(one.line.file)


def _recount(visit: Visit, line: Line, found: Findings) -> Recount | None:
    """How far dates have been counted by what was approved; None where that is not in force, or moves none."""
    in_force = proposals.approved_by(visit.desk.connection, visit.today) if found.moves_dates else {}
    if line.number not in [one.number for one in in_force.values()]:
        return None
    kept, calendar = how_far(visit.desk.connection), calendar_of(visit.desk)
    is_about = kept is not None and calendar in (kept.counting, kept.counted_by if kept.counting is None else None)
    return kept if is_about else Recount(counted_by="")


def seen(visit: Visit, number: int) -> Proposal:
    """A proposal with its texts; a draft is its maker's alone.

    Raises:
        NotFound: If there is none that the visitor may see.
    """
    one = proposals.proposal(visit.desk.connection, number)
    if one is None or (one.line.stage is Stage.DRAFT and one.line.made_by != visit.login):
        raise NotFound
    return one


def receive(visit: Visit) -> int:
    """Keep the file of a form as a draft; its number.

    Raises:
        FieldFaults: If none was chosen, or it is no file of definitions.
        FileRefused: If it is too large.
    """
    file = next(iter(visit.files(FIELD)), None)
    if file is None:
        raise FieldFaults([FieldFault(FIELD, visit.say("文件"), visit.say("请选择文件"))])
    with file.file as opened:
        raw = opened.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise FileRefused(visit.say("文件最多 {most} KB", most=MOST_BYTES // 1000), 413)
    return keep(visit, Path(file.filename or "").name, raw)


def keep_back(visit: Visit, name: str) -> int:
    """Keep as a draft that a template is to be as installed again.

    Raises:
        FieldFaults: If there is no such template.
    """
    request, origin = visit.asks("definition_publish"), origin_of(visit.house.settings)
    try:
        read = proposing.read_back(visit.desk, origin, name, request)
    except Unknown as problem:
        raise _fault(visit, FIELD, visit.say("文件"), problem) from problem
    return proposing.keep_draft(visit.desk, read, request)


def keep(visit: Visit, name: str, raw: bytes) -> int:
    """Keep a text as a draft for the file of that name.

    Raises:
        FieldFaults: If it is no file of definitions.
    """
    request = visit.asks("definition_publish")
    try:
        return proposing.draft(visit.desk, origin_of(visit.house.settings), (name, raw), request)
    except (Unreadable, Unknown) as problem:
        raise _fault(visit, FIELD, visit.say("文件"), problem) from problem


def submit(visit: Visit, number: int) -> None:
    """Submit a draft for approval by somebody else.

    Raises:
        FieldFaults: If the day is too early or none, or no reason is given.
    """
    day = day_in(visit)
    seen(visit, number)
    try:
        proposing.propose(visit.desk, number, day, _request(visit))
    except (Unreadable, SeveralReasons) as problem:
        problems = problem.reasons if isinstance(problem, SeveralReasons) else (problem,)
        raise FieldFaults([to_mend(visit, one) for one in problems]) from problem


def to_mend(visit: Visit, problem: XuejiError) -> FieldFault:
    """Which field of the form to submit is to be mended; what is wrong with the text is none's."""
    words = in_language(str(problem), visit.lang)
    if not isinstance(problem, Unreadable):
        return FieldFault("faults", visit.say("检查"), words)
    if "reason" in problem.name:
        return FieldFault("reason", visit.say("理由"), words)
    return FieldFault("effective_on", visit.say("生效日期"), words)


def day_in(visit: Visit) -> date:
    """From which day on something is to be in force, as a form says.

    Raises:
        FieldFaults: If it says none.
    """
    found = forms.day(visit.form.get("effective_on", ""))
    if found is None:
        raise FieldFaults([FieldFault("effective_on", visit.say("生效日期"), visit.say("请写日期，如 2024-06-01"))])
    return found


def approve(visit: Visit, number: int) -> date:
    """Publish what somebody else proposed; the first day on which it is in force.

    Raises:
        NeedsAnother: If it is the visitor's own.
        FieldFaults: If together with what else is in force it cannot be used.
    """
    file = seen(visit, number).line.file
    visit.demand_fresh_proof(visit.say("批准发布"))
    try:
        done = proposing.approve(visit.desk, origin_of(visit.house.settings), number, _request(visit))
    except (AlreadyOpen, DefinitionFaults, RuleInUse, SeveralReasons) as problem:
        problems = problem.reasons if isinstance(problem, SeveralReasons) else (problem,)
        raise FieldFaults([FieldFault("faults", visit.say("检查"), str(one)) for one in problems]) from problem
    if done.effective_on == visit.today and not is_template(file):
        visit.house.desks.in_force.take(done.library)
    return done.effective_on


def refuse(visit: Visit, number: int) -> None:
    """Say no to what somebody else proposed, and why.

    Raises:
        FieldFaults: If no reason is given.
    """
    seen(visit, number)
    _with_reason(visit, lambda request: proposing.refuse(visit.desk, number, request))


def withdraw(visit: Visit, number: int) -> None:
    """Take one's own back."""
    seen(visit, number)
    proposing.withdraw(visit.desk, number, _request(visit))


def _with_reason(visit: Visit, act: Callable[[Request], None]) -> None:
    try:
        act(_request(visit))
    except Unreadable as problem:
        raise _fault(visit, "reason", visit.say("理由"), problem) from problem


def _request(visit: Visit) -> Request:
    return visit.asks("definition_publish", {"reason": visit.form.get("reason", "")})


def _fault(visit: Visit, field: str, title: str, problem: XuejiError) -> FieldFaults:
    return FieldFaults([FieldFault(field, title, in_language(str(problem), visit.lang))])
