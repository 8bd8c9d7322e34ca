"""Batches (届/批次) and terms: publishing a batch pins the rulebook in force; either opens what starts with it.

Everything done here is an event of the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from engine.actors import Actor
from engine.calendars import calendar_of
from engine.desk import Desk
from engine.errors import AlreadyOpen, NotAllowed, NotNow, Unknown, Unreadable
from engine.expressions.compiling import compile_expression
from engine.expressions.kinds import SHANGHAI, TERM, YES_NO, Value, decode, encode, parse_input, parse_kind
from engine.records import Json, Request
from engine.scopes import batch_scope, choice_titles
from engine.settling import settle_batch
from engine.starting import open_with, openings
from engine.steps import BATCH_PUBLISHED, TERM_STARTED
from engine.store import registry
from engine.store.registry import BatchRow
from engine.trail.event import REGISTRY, EventKind, chain_name, moment
from engine.vocabulary import BatchFile, Fact

_PUBLISHER = "records_section"
"""学籍科 publishes (S000-0.1)."""

_EVERYWHERE = ("all",)
"""What a batch file says that concerns every unit of its profile."""


class Broken(NamedTuple):
    """An order of a batch's dates that does not hold, as the vocabulary writes it, and the fields it is about."""

    text: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publishing a batch did."""

    batch: str
    rulebook: str
    opened: int
    not_opened: int


class Changed(NamedTuple):
    """What setting values of a batch did: all its values as they are now, and how many deadlines it has moved."""

    values: Mapping[str, Json]
    deadlines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TermStarted:
    """What the start of a term did, and for which profiles, by whose calendars it is the term now."""

    term: str
    profiles: tuple[str, ...]
    opened: int
    not_opened: int


def publish_batch(
    desk: Desk, name: str, request: Request, progress: Callable[[int], None] = lambda _: None
) -> Published:
    """Publish a batch of the library: keep its values, pin the rulebook, open the cases that start with it.

    Raises:
        Unknown: If the files have no such batch, or it names a unit that is not there.
        NotAllowed: If the person does not publish batches (S000-0.1: the records section does).
        AlreadyOpen: If it is published already.
    """
    desk.refresh()
    file = desk.library.batches.get(name)
    if file is None:
        raise Unknown("批次 batch", name, desk.library.batches)
    _entitled(desk, request.actor, "batch_publish")
    if desk.batch(name) is not None:
        raise AlreadyOpen("批次 batch", name, "已发布 published")
    row = BatchRow(
        name=name,
        kind=file.kind,
        profile=file.profile,
        title=file.title.zh,
        values=_values(desk, file),
        rulebook=desk.rulebook,
    )
    units = _units(desk, file)
    data: dict[str, Json] = {
        "batch": name,
        "kind": row.kind,
        "profile": row.profile,
        "rulebook": row.rulebook,
        "values": dict(row.values),
    }
    if file.units != _EVERYWHERE:
        data["units"] = list(units)
    with desk.connection.writing():
        registry.add_batch(desk.connection, row, moment(request.at))
        cause = _record(desk, EventKind.BATCH_PUBLISHED, data, request)
    desk.refresh()
    starting = [
        one for one in openings(desk, row.profile, BATCH_PUBLISHED) if f"batch {row.kind}" in one.definition.about
    ]
    start = replace(request, trigger=BATCH_PUBLISHED, fields={"batch": name})
    done = open_with(desk, starting, units, start, cause=cause, progress=progress)
    return Published(batch=name, rulebook=desk.rulebook, opened=done.opened, not_opened=done.not_opened)


def start_term(
    desk: Desk, term: str, request: Request, progress: Callable[[int], None] = lambda _: None
) -> TermStarted:
    """Say that a term has begun: opens what starts with it in every profile by whose calendar it is the term now.

    Said again, it opens what is missing: for students who came later, or profiles whose term begins later.

    Raises:
        Unreadable: If it is not written as a term.
        NotNow: If it is the term of no profile that starts anything with it.
        NotAllowed: If the person does not start terms (the records section does).
    """
    desk.refresh()
    _entitled(desk, request.actor, "term_start")
    try:
        wanted = encode(TERM, parse_input(TERM, term, {}))
    except ValueError as problem:
        raise Unreadable("学期 term", term, f"2024-1（{problem}）") from problem
    every = sorted({profile for _, profile in desk.library.definitions})
    running = {profile: _term_now(desk, profile, request) for profile in every}
    now_in_it = [profile for profile in every if running[profile] == wanted]
    starting = {profile: list(openings(desk, profile, TERM_STARTED)) for profile in now_in_it}
    profiles = tuple(profile for profile in now_in_it if starting[profile])
    if not profiles:
        raise NotNow(term, {str(now) for now in running.values() if now is not None})
    data: dict[str, Json] = {"term": wanted, "profiles": list(profiles)}
    with desk.connection.writing():
        cause = _record(desk, EventKind.TERM_STARTED, data, request)
    start = replace(request, trigger=TERM_STARTED, fields={})
    done = [open_with(desk, starting[one], _topmost(desk), start, cause=cause, progress=progress) for one in profiles]
    opened, not_opened = (sum(counts) for counts in zip(*done, strict=True))
    return TermStarted(term=str(wanted), profiles=profiles, opened=opened, not_opened=not_opened)


def change_batch(desk: Desk, name: str, given: Mapping[str, str], request: Request) -> Changed:
    """Set values of a published batch, such as a date that was still open; the change is an event (S004-1.3).

    Every deadline that it moves is an event of its case.

    Raises:
        Unknown: If the batch is not published or has no such field.
        Unreadable: If a value is not of its kind.
        NotAllowed: If the person holds none of the roles by which a field is written; else, does not publish batches.
    """
    desk.refresh()
    with desk.connection.writing():
        row = registry.batch(desk.connection, name)
        if row is None:
            raise Unknown("已发布批次 published batch", name, registry.batches(desk.connection))
        new = {field: _read_value(desk, row, field, text) for field, text in given.items()}
        writers = {_fields(desk, row)[field].written_by or (_PUBLISHER,) for field in new}
        for roles in writers or {(_PUBLISHER,)}:
            _entitled(desk, request.actor, "batch_set", roles)
        values = {**row.values, **new}
        registry.set_batch_values(desk.connection, name, values)
        data: dict[str, Json] = {
            "batch": name,
            "values": {field: {"old": row.values.get(field), "new": new[field]} for field in new},
        }
        cause = _record(desk, EventKind.BATCH_CHANGED, data, request)
        desk.refresh()
        moved = settle_batch(desk, name, new, request, cause)
    return Changed(values, moved)


def _entitled(desk: Desk, actor: Actor, act: str, roles: tuple[str, ...] = (_PUBLISHER,)) -> None:
    if all(grant.role not in roles for grant in actor.grants):
        top = min((row.path for row in desk.units().values()), default="/")
        raise NotAllowed(actor.login, act, roles, top)


def _values(desk: Desk, file: BatchFile) -> dict[str, Any]:
    fields = desk.library.rulebook_for(file.profile).vocabulary.batch[file.kind].fields
    return {name: value for name, value in file.values.items() if name in fields}


def _fields(desk: Desk, row: BatchRow) -> Mapping[str, Fact]:
    return desk.library.rulebook_for(row.profile).vocabulary.batch[row.kind].fields


def broken_orders(desk: Desk, profile: str, kind: str, values: Mapping[str, Json]) -> Iterator[Broken]:
    """The orders of the dates of a profile's kind of batch that would not hold with these values.

    What is still open breaks none.
    """
    vocabulary = desk.library.rulebook_for(profile).vocabulary
    scope, fields = batch_scope(vocabulary, kind), vocabulary.batch[kind].fields
    for text in vocabulary.batch[kind].check:
        rule = compile_expression(text, scope, {}, YES_NO)
        seen = {name: _decoded(fields[name], values.get(name)) for name in rule.reads}
        if rule.evaluate(seen) is False:
            yield Broken(text, tuple(rule.reads))


def _decoded(field: Fact, value: Json) -> Value | None:
    return None if value is None else decode(parse_kind(field.type), value)


def _read_value(desk: Desk, row: BatchRow, field: str, text: str) -> Json:
    vocabulary, fields = desk.library.rulebook_for(row.profile).vocabulary, _fields(desk, row)
    if field not in fields:
        raise Unknown("批次字段 field of the batch", field, fields)
    of = parse_kind(fields[field].type)
    try:
        return encode(of, parse_input(of, text, choice_titles(vocabulary)))
    except ValueError as problem:
        raise Unreadable(f"{fields[field].title.zh} {field}", text, f"{of}（{problem}）") from problem


def _record(desk: Desk, kind: EventKind, data: dict[str, Json], request: Request) -> dict[str, Json]:
    """Record an event of the registry; how others name it as their cause. Call inside its transaction."""
    desk.record([(kind, data)], at=request.at, actor=request.actor.login)
    return {"chain": chain_name(REGISTRY), "seq": registry.registry_head(desk.connection).seq}


def _units(desk: Desk, file: BatchFile) -> tuple[str, ...]:
    """The units a batch concerns, everything below them included.

    Raises:
        Unknown: If one is not there.
    """
    if file.units == _EVERYWHERE:
        return _topmost(desk)
    for unit in file.units:
        if unit not in desk.units():
            raise Unknown(f"批次 {file.batch} 的单位 unit", unit, desk.units())
    return file.units


def _topmost(desk: Desk) -> tuple[str, ...]:
    return tuple(code for code, unit in desk.units().items() if unit.parent is None)


def _term_now(desk: Desk, profile: str, request: Request) -> Json:
    """The term of the day by a profile's calendar, as JSON; None where none is set."""
    calendar = calendar_of(desk.library.rulebook_for(profile).calendar, profile)
    term = None if calendar is None else calendar.term_of(request.at.astimezone(SHANGHAI).date())
    return None if term is None else encode(TERM, term)
