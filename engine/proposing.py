"""Definitions published by two: one person proposes a text, another approves it, and from a day on it is in force.

The text is kept in the database and laid over the files of the folder when definitions are read; so it is in force in
every process, after every restart, and old cases keep what they were opened with (docs/decisions/0018).
What is approved is published in the same transaction: the event names both persons and the hash of the text.
Templates of what people are told go the same way (`engine.proposed_templates`), and so do batches
(`engine.proposed_batches`), which are then published by the records section.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from engine.actors import Actor
from engine.approval_events import hash_in, hashes, told_of
from engine.checking.rulebooks import rule_in_use
from engine.desk import Desk
from engine.errors import (
    AlreadyOpen,
    DefinitionFaults,
    NeedsAnother,
    NotAllowed,
    NothingNew,
    RuleInUse,
    Unknown,
    Unreadable,
    WaitsAlready,
    XuejiError,
)
from engine.expressions.kinds import SHANGHAI
from engine.library import Library
from engine.loading.origins import Origin, decoded
from engine.proposed_batches import batch_name, was_published_since
from engine.proposed_templates import check_template, findings_in_template, newest_template, template_file
from engine.proposed_texts import Findings, examined, findings_in, findings_of
from engine.records import Request
from engine.recounting import note_calendar
from engine.store import proposals, registry
from engine.store.database import Connection
from engine.store.proposals import Proposal, Stage, is_batch, is_template
from engine.trail.event import EventKind, moment

PUBLISHES = "system_admin"
"""Who proposes and who approves, each by a right of their own: the system administrator (三员分立)."""
_SHORTEST_REASON, _LONGEST_REASON = 4, 500


class NotAsItWas(XuejiError):
    """A proposal is not where it was when the page was opened: decided, withdrawn, or overtaken by another."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"第 {number} 号发布已有变动，没有办成：可能已由别人处理，或同一文件另有新的发布；请刷新后再看。"
            f" Publication {number} is not as it was; nothing was done. Somebody may have decided on it, or published"
            " the same file since; look again."
        )


class SeveralReasons(XuejiError):
    """More than one thing stands in the way; each is told."""

    def __init__(self, reasons: Sequence[XuejiError]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(map(str, self.reasons)))


class Approved(NamedTuple):
    """What an approval did, or would do: the first day in force, what is published, and the library of that day."""

    effective_on: date
    hashes: tuple[str, ...]
    library: Library


class Read(NamedTuple):
    """A text that was handed in: for which file, the text it is to replace (empty: none), and what was found in it."""

    file: str
    text: str
    before: str
    findings: Findings


def read_given(desk: Desk, origin: Origin, given: tuple[str, bytes], request: Request) -> Read:
    """Read a file (name, bytes) as what is to be published, together with all others; nothing is written.

    A template of what people are told is named with `messages/` before it.

    Raises:
        NotAllowed: If the person does not publish definitions.
        Unreadable: If it is too long, no UTF-8, or not named like a file of definitions.
        Unknown: If there is no such file, and it is none that may be new.
    """
    _entitled(desk, request.actor)
    name, raw = given
    text = decoded(name, raw)
    if is_template(name):
        return _read_template(desk, origin, name, text)
    over = proposals.texts_in_force(desk.connection, date.max)
    file = origin.place_of(over, name, text)
    before = over.get(file) or origin.on_disk(file)
    return Read(file, text, before, findings_in(desk, origin, over, (file, text, before), request))


def read_back(desk: Desk, origin: Origin, name: str, request: Request) -> Read:
    """Read that a template is to be as installed again: what was approved for it is to be given up.

    Raises:
        NotAllowed: If the person does not publish definitions.
        Unknown: If there is no such template.
    """
    _entitled(desk, request.actor)
    return _read_template(desk, origin, name, "", is_back=True)


def _read_template(desk: Desk, origin: Origin, name: str, text: str, *, is_back: bool = False) -> Read:
    """A blank text would be taken for none, and the installed one be back: that is asked for outright."""
    file = template_file(origin, name)
    before = newest_template(desk.connection, origin, file)
    given = text if is_back or text.strip() else "\n"
    return Read(file, given, before, findings_in_template(desk.connection, origin, (file, given, before)))


def draft(desk: Desk, origin: Origin, given: tuple[str, bytes], request: Request) -> int:
    """Read a file (name, bytes) as what is to be published, and keep it with all that was found; its number.

    Raises:
        NotAllowed, Unreadable, Unknown: As `read_given`.
    """
    return keep_draft(desk, read_given(desk, origin, given, request), request)


def keep_draft(desk: Desk, read: Read, request: Request) -> int:
    """Keep a text that was read, with all that was found, as a draft; its number."""
    with desk.connection.writing():
        return _keep(desk, read, request)


def _keep(desk: Desk, read: Read, request: Request) -> int:
    by = (request.actor.login, moment(request.at))
    return proposals.add(desk.connection, read[:3], read.findings.model_dump_json(), by)


def newest_text(connection: Connection, origin: Origin, file: str) -> str:
    """What a file says by the newest that was approved, else as it is installed; empty where there is none."""
    if is_template(file):
        return newest_template(connection, origin, file)
    approved = proposals.texts_in_force(connection, date.max).get(file)
    return origin.on_disk(file) if approved is None else approved


def earliest(desk: Desk, file: str, found: Findings, today: date) -> date:
    """The first day from which a text may be in force: not past, not before its own, nor that of what it replaces."""
    before = [
        date.fromisoformat(line.effective_on)
        for line in proposals.lines(desk.connection, file)
        if line.stage is Stage.APPROVED and line.effective_on is not None
    ]
    return max([today, *before, *([] if found.not_before is None else [found.not_before])])


def propose(desk: Desk, number: int, effective_on: date, request: Request) -> None:
    """Submit a draft for approval by somebody else; `request.fields["reason"]` says why.

    Raises:
        NotAllowed: If the person does not publish definitions.
        Unknown: If it is no draft of this person.
        DefinitionFaults: If it has faults.
        NothingNew: If it says what is in force already.
        Unreadable: If the day is too early, or no reason is given.
        SeveralReasons: If more than one of these stands in the way.
    """
    _entitled(desk, request.actor)
    one = own_draft(desk, number, request.actor.login)
    read = Read(one.line.file, one.body, one.before, findings_of(one))
    _raise_all(_against(desk, read, effective_on, request))
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # another proposal of the person's for the same batch waits here
        _submit(desk, number, effective_on, request)


def propose_text(desk: Desk, read: Read, effective_on: date, request: Request, *, dry_run: bool = False) -> int | None:
    """Keep a text that was read and submit it, in one go; its number, None for a dry run. Else as `propose`.

    Where something stands in the way nothing is kept, not even a draft. Sent twice, it is one proposal.

    Raises:
        WaitsAlready: If the person's own proposal of the same text waits, for another day or with another reason.
    """
    _raise_all(_against(desk, read, effective_on, request))
    if dry_run:
        return None
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # a second click waits here
        waits = proposals.waiting_alike(desk.connection, read.file, read.text, request.actor.login)
        if waits is not None:
            if (waits.effective_on, waits.reason) != (effective_on.isoformat(), _reason(request)):
                raise WaitsAlready(read.file, waits.number)
            return waits.number
        number = _keep(desk, read, request)
        _submit(desk, number, effective_on, request)
    return number


def _against(desk: Desk, read: Read, effective_on: date, request: Request) -> Iterator[XuejiError]:
    """Everything that stands in the way of submitting a text."""
    found = read.findings
    if found.faults:
        yield DefinitionFaults(found.faults)
    elif not found.differences and (read.before or not read.text):
        yield NothingNew(read.file)
    first = earliest(desk, read.file, found, day_of(request))
    if effective_on < first:
        yield Unreadable("生效日期 effective date", effective_on.isoformat(), f"{first} 或以后 or later")
    try:
        _reason(request)
    except Unreadable as problem:
        yield problem


def _submit(desk: Desk, number: int, effective_on: date, request: Request) -> None:
    """Of a batch it takes the place of the person's own proposal that waits: nobody approves what was changed since."""
    reason, at = _reason(request), moment(request.at)
    one = own_draft(desk, number, request.actor.login).line
    for line in proposals.lines(desk.connection, one.file) if is_batch(one.file) else ():
        if line.stage is Stage.PROPOSED and line.made_by == one.made_by:
            proposals.move(desk.connection, line.number, (Stage.PROPOSED, Stage.WITHDRAWN))
    if not proposals.submit(desk.connection, number, effective_on.isoformat(), reason, at):
        raise NotAsItWas(number)


def _raise_all(problems: Iterable[XuejiError]) -> None:
    """Nothing where there is none, a single one as it is, several together.

    Raises:
        XuejiError: Any of them.
        SeveralReasons: If there are several.
    """
    found = tuple(problems)
    if len(found) > 1:
        raise SeveralReasons(found)
    for one in found:
        raise one


def own_draft(desk: Desk, number: int, login: str) -> Proposal:
    """A draft of this person.

    Raises:
        Unknown: If it is none.
    """
    one = proposals.proposal(desk.connection, number)
    if one is None or one.line.made_by != login or one.line.stage is not Stage.DRAFT:
        raise Unknown("草稿 draft", str(number))
    return one


def withdraw(desk: Desk, number: int, request: Request) -> None:
    """Take one's own draft or proposal back, as long as nobody has decided on it.

    Raises:
        Unknown: If it is none of this person.
        NotAsItWas: If it was decided on.
    """
    one = proposals.proposal(desk.connection, number)
    if one is None or one.line.made_by != request.actor.login:
        raise Unknown("发布 publication", str(number))
    with desk.connection.writing():
        if one.line.stage not in (Stage.DRAFT, Stage.PROPOSED) or not proposals.move(
            desk.connection, number, (one.line.stage, Stage.WITHDRAWN)
        ):
            raise NotAsItWas(number)


def refuse(desk: Desk, number: int, request: Request) -> None:
    """Say no to what another person proposed; `request.fields["reason"]` says why.

    Raises:
        NotAllowed: If the person does not publish definitions.
        Unknown: If there is no such proposal.
        NeedsAnother: If it is the person's own.
        NotAsItWas: If it was decided on, or taken back.
        Unreadable: If no reason is given.
    """
    _entitled(desk, request.actor)
    if _waiting(desk, number).line.made_by == request.actor.login:
        raise NeedsAnother(request.actor.login)
    reason = _reason(request)
    with desk.connection.writing():
        by = (request.actor.login, moment(request.at))
        if not proposals.decide(desk.connection, number, Stage.REFUSED, by, reason):
            raise NotAsItWas(number)


def approve(desk: Desk, origin: Origin, number: int, request: Request, *, dry_run: bool = False) -> Approved:
    """Publish what another person proposed: in force from its day on, at the earliest today.

    It is checked again, as it will stand on its first day and on each later day on which something else that was
    approved comes into force. A dry run checks, and writes nothing.

    Raises:
        NotAllowed: If the person does not publish definitions.
        Unknown: If there is no such proposal.
        NeedsAnother: If it is the person's own.
        NotAsItWas: If it was decided on, taken back, or is no longer about what it was to replace.
        DefinitionFaults: If together with what else is in force it cannot be used.
        RuleInUse: If the rulebook would lack a rule that an open case asks.
        AlreadyOpen: If it is a batch that was published meanwhile.
        SeveralReasons: If more than one of these stands in the way.
    """
    _entitled(desk, request.actor)
    one = _waiting(desk, number)
    kept = proposals.numbers_approved(desk.connection)
    _raise_all(_against_approving(desk, origin, one, request.actor.login))
    today = day_of(request)
    first = max(today, date.fromisoformat(one.line.effective_on or today.isoformat()))
    days = (first, *proposals.days_to_come(desk.connection, first))
    versions = _versions(desk, origin, one, days)
    if dry_run:
        pinned = dict.fromkeys(each for _, library in versions for each in hashes(one.line, library))
        return Approved(first, tuple(pinned), versions[0][1])
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else approves waits here
        if proposals.numbers_approved(desk.connection) != kept or _is_overtaken(desk, one):
            raise NotAsItWas(number)
        by = (request.actor.login, moment(request.at))
        if not proposals.decide(desk.connection, number, Stage.APPROVED, by):
            raise NotAsItWas(number)
        proposals.put_off(desk.connection, number, first.isoformat())
        note_calendar(desk)
        told = told_of(desk, one.line, versions)
        named = {"proposed_by": one.line.made_by, "approved_by": request.actor.login}
        whole = [(EventKind.DEFINITION_PUBLISHED, {**data, **named}) for data in told]
        desk.record(whole, at=request.at, actor=request.actor.login)
    return Approved(first, tuple(map(hash_in, told)), versions[0][1])


def _against_approving(desk: Desk, origin: Origin, one: Proposal, login: str) -> Iterator[XuejiError]:
    """What stands in the way of approving a proposal before its text is looked at."""
    if one.line.made_by == login:
        yield NeedsAnother(login)
    if newest_text(desk.connection, origin, one.line.file) != one.before:
        yield NotAsItWas(one.line.number)
    if _is_overtaken(desk, one):
        yield AlreadyOpen("批次 batch", batch_name(one.line.file), "已发布 published")


def _is_overtaken(desk: Desk, one: Proposal) -> bool:
    return was_published_since(desk, one.line.file, findings_of(one).differences)


def _versions(desk: Desk, origin: Origin, one: Proposal, days: Sequence[date]) -> list[tuple[date, Library]]:
    """The library of each day on which it changes.

    Raises:
        DefinitionFaults, RuleInUse, SeveralReasons: What stands in the way on any of the days, each told once.
    """
    if is_template(one.line.file):  # it changes none of the definitions
        check_template(desk.connection, origin, (one.line.file, one.body), days)
        return [(min(days), desk.library)]
    versions, problems = [], dict[str, XuejiError]()
    for day in days:
        try:
            versions.append((day, _library_on(desk, origin, one, day)))
        except (DefinitionFaults, RuleInUse) as problem:
            problems.setdefault(str(problem), problem)
    _raise_all(problems.values())
    return versions


def _library_on(desk: Desk, origin: Origin, one: Proposal, day: date) -> Library:
    over = proposals.texts_in_force(desk.connection, day)
    library, faults = examined(origin, over, (one.line.file, one.body))
    if library is None or faults:
        raise DefinitionFaults(faults)
    in_use = [*desk.definitions_in_use(), *desk.library.definitions.values()]
    lacking = [found.finding.message for found in rule_in_use(in_use, library.rulebook)]
    if lacking:
        raise RuleInUse(dict.fromkeys(lacking))
    return library


def _waiting(desk: Desk, number: int) -> Proposal:
    one = proposals.proposal(desk.connection, number)
    if one is None or one.line.stage is Stage.DRAFT:
        raise Unknown("发布 publication", str(number))
    if one.line.stage is not Stage.PROPOSED:
        raise NotAsItWas(number)
    return one


def _reason(request: Request) -> str:
    reason = str(request.fields.get("reason") or "").strip()
    if not _SHORTEST_REASON <= len(reason) <= _LONGEST_REASON:
        wanted = f"{_SHORTEST_REASON}—{_LONGEST_REASON} 字 characters"
        raise Unreadable("理由 reason", reason[:20], wanted)
    return reason


def _entitled(desk: Desk, actor: Actor) -> None:
    """By a right of one's own: what two persons must do is not lent to one of them."""
    if all(grant.role != PUBLISHES for grant in actor.grants):
        top = min((row.path for row in desk.units().values()), default="/")
        raise NotAllowed(actor.login, "definition_publish", (PUBLISHES,), top)


def day_of(request: Request) -> date:
    """The day in Shanghai on which something is asked for."""
    return request.at.astimezone(SHANGHAI).date()
