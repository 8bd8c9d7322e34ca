"""Definitions published by two: one person proposes a text, another approves it, and from a day on it is in force.

The text is kept in the database and laid over the files of the folder when definitions are read; so it is in force in
every process, after every restart, and old cases keep what they were opened with (docs/decisions/0018).
What is approved is published in the same transaction: the event names both persons and the hash of the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from engine.actors import Actor
from engine.checking.rulebooks import rule_in_use
from engine.desk import Desk
from engine.errors import DefinitionFaults, NotAllowed, RuleInUse, Unknown, Unreadable, XuejiError
from engine.expressions.kinds import SHANGHAI
from engine.library import Library
from engine.loading.origins import Origin, decoded
from engine.proposed_texts import examined, findings_in, findings_of
from engine.records import Json, Request
from engine.store import proposals, registry
from engine.store.database import Connection
from engine.store.proposals import Line, Proposal, Stage
from engine.trail.event import EventKind, moment

PUBLISHES = "system_admin"
"""Who proposes and who approves, each by a right of their own: the system administrator (三员分立)."""
_SHORTEST_REASON, _LONGEST_REASON = 4, 500


class NeedsAnother(XuejiError):
    """Who has proposed something does not approve it."""

    def __init__(self, login: str) -> None:
        super().__init__(f"须由另一人批准：{login} 是提交人。Another person must approve: {login} proposed it.")


class NotAsItWas(XuejiError):
    """A proposal is not where it was when the page was opened: decided, withdrawn, or overtaken by another."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"第 {number} 号发布已有变动，没有办成：可能已由别人处理，或同一文件另有新的发布；请刷新后再看。"
            f" Publication {number} is not as it was; nothing was done. Somebody may have decided on it, or published"
            " the same file since; look again."
        )


class NothingNew(XuejiError):
    """A text says what is in force already."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file} 与现行的没有差别，无须发布。{file} says what is in force; there is nothing to publish."
        )


class Approved(NamedTuple):
    """What an approval did: the first day in force, what was published, and the library of that day."""

    effective_on: date
    hashes: tuple[str, ...]
    library: Library


def draft(desk: Desk, origin: Origin, given: tuple[str, bytes], request: Request) -> int:
    """Read a file (name, bytes) as what is to be published, and keep it with all that was found; its number.

    Raises:
        NotAllowed: If the person does not publish definitions.
        Unreadable: If it is too long, no UTF-8, or not named like a file of definitions.
        Unknown: If there is no such file, and it is none that may be new.
    """
    _entitled(desk, request.actor)
    name, raw = given
    text = decoded(name, raw)
    over = proposals.texts_in_force(desk.connection, date.max)
    file = origin.place_of(over, name, text)
    before = over.get(file) or origin.on_disk(file)
    found = findings_in(desk, origin, over, (file, text, before), request)
    with desk.connection.writing():
        by = (request.actor.login, moment(request.at))
        return proposals.add(desk.connection, (file, text, before), found.model_dump_json(), by)


def newest_text(connection: Connection, origin: Origin, file: str) -> str:
    """What a file says by the newest that was approved, else in the folder; empty where there is none."""
    approved = proposals.texts_in_force(connection, date.max).get(file)
    return origin.on_disk(file) if approved is None else approved


def earliest(desk: Desk, one: Proposal, today: date) -> date:
    """The first day from which a text may be in force: not past, not before its own, nor that of what it replaces."""
    before = [
        date.fromisoformat(line.effective_on)
        for line in proposals.lines(desk.connection, one.line.file)
        if line.stage is Stage.APPROVED and line.effective_on is not None
    ]
    said = findings_of(one).not_before
    return max([today, *before, *([] if said is None else [said])])


def propose(desk: Desk, number: int, effective_on: date, request: Request) -> None:
    """Submit a draft for approval by somebody else; `request.fields["reason"]` says why.

    Raises:
        NotAllowed: If the person does not publish definitions.
        Unknown: If it is no draft of this person.
        DefinitionFaults: If it has faults.
        NothingNew: If it says what is in force already.
        Unreadable: If the day is too early, or no reason is given.
    """
    _entitled(desk, request.actor)
    one = own_draft(desk, number, request.actor.login)
    found = findings_of(one)
    if found.faults:
        raise DefinitionFaults(found.faults)
    if not found.differences and one.before:
        raise NothingNew(one.line.file)
    first = earliest(desk, one, day_of(request))
    if effective_on < first:
        raise Unreadable("生效日期 effective date", effective_on.isoformat(), f"{first} 或以后 or later")
    reason = _reason(request)
    with desk.connection.writing():
        if not proposals.submit(desk.connection, number, effective_on.isoformat(), reason, moment(request.at)):
            raise NotAsItWas(number)


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
    _of_another(desk, number, request)
    reason = _reason(request)
    with desk.connection.writing():
        by = (request.actor.login, moment(request.at))
        if not proposals.decide(desk.connection, number, Stage.REFUSED, by, reason):
            raise NotAsItWas(number)


def approve(desk: Desk, origin: Origin, number: int, request: Request) -> Approved:
    """Publish what another person proposed: in force from its day on, at the earliest today.

    It is checked whole again, as it will stand on its first day and on each later day on which something else that was
    approved comes into force.

    Raises:
        NotAllowed: If the person does not publish definitions.
        Unknown: If there is no such proposal.
        NeedsAnother: If it is the person's own.
        NotAsItWas: If it was decided on, taken back, or is no longer about what it was to replace.
        DefinitionFaults: If together with what else is in force it cannot be used.
        RuleInUse: If the rulebook would lack a rule that an open case asks.
    """
    one = _of_another(desk, number, request)
    kept = proposals.numbers_in_force(desk.connection, date.max)
    if newest_text(desk.connection, origin, one.line.file) != one.before:
        raise NotAsItWas(number)
    today = day_of(request)
    first = max(today, date.fromisoformat(one.line.effective_on or today.isoformat()))
    days = (first, *proposals.days_to_come(desk.connection, first))
    versions = [(day, _library_on(desk, origin, one, day)) for day in days]
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else approves waits here
        if proposals.numbers_in_force(desk.connection, date.max) != kept:
            raise NotAsItWas(number)
        by = (request.actor.login, moment(request.at))
        if not proposals.decide(desk.connection, number, Stage.APPROVED, by):
            raise NotAsItWas(number)
        proposals.put_off(desk.connection, number, first.isoformat())
        events = [event for day, library in versions for event in _events(desk, one.line, library, (day, first))]
        told = _each_once(events)
        named = {"proposed_by": one.line.made_by, "approved_by": request.actor.login}
        whole = [(EventKind.DEFINITION_PUBLISHED, {**data, **named}) for data in told]
        desk.record(whole, at=request.at, actor=request.actor.login)
    hashes = tuple(str(data.get("definition") or data.get("rulebook")) for data in told)
    return Approved(first, hashes, versions[0][1])


def _library_on(desk: Desk, origin: Origin, one: Proposal, day: date) -> Library:
    over = {**proposals.texts_in_force(desk.connection, day), one.line.file: one.body}
    library, faults = examined(origin, over)
    if library is None or faults:
        raise DefinitionFaults(faults)
    in_use = [*desk.definitions_in_use(), *desk.library.definitions.values()]
    lacking = [found.finding.message for found in rule_in_use(in_use, library.rulebook)]
    if lacking:
        raise RuleInUse(dict.fromkeys(lacking))
    return library


def _events(desk: Desk, line: Line, library: Library, days: tuple[date, date]) -> Iterator[dict[str, Json]]:
    """What the chain says of one library: the definitions of the file, or the rulebook; kept at the same time.

    `days`: from which this is in force, and from which the text is.
    """
    said: dict[str, Json] = {
        "file": line.file,
        "proposal": line.number,
        "sha256": line.sha256,
        "effective_from": days[0].isoformat(),
    }
    pins = library.pins()
    if not line.file.startswith("workflows/"):
        yield {**desk.keep_rulebook(pins.rulebook, library.rulebook), **said}
        return
    stem = Path(line.file).stem
    for one in library.machines():
        if one.workflow.partition(".")[0] == stem:
            yield {**desk.keep_definition(pins.machines[one.workflow, one.profile], one), **said}


def _each_once(events: Sequence[dict[str, Json]]) -> list[dict[str, Json]]:
    """The first event of each hash: a definition does not change with what else comes into force later."""
    found: dict[str, dict[str, Json]] = {}
    for one in events:
        found.setdefault(str(one.get("definition") or one.get("rulebook")), one)
    return list(found.values())


def _of_another(desk: Desk, number: int, request: Request) -> Proposal:
    _entitled(desk, request.actor)
    one = proposals.proposal(desk.connection, number)
    if one is None or one.line.stage is Stage.DRAFT:
        raise Unknown("发布 publication", str(number))
    if one.line.stage is not Stage.PROPOSED:
        raise NotAsItWas(number)
    if one.line.made_by == request.actor.login:
        raise NeedsAnother(request.actor.login)
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
