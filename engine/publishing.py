"""Batches (届/批次): publishing one pins the rulebook in force and opens what starts with it; changes are logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.actors import Actor, Grant
from engine.definition import Definition
from engine.desk import Desk
from engine.errors import AlreadyOpen, NotAllowed, Unknown, Unreadable
from engine.expressions.kinds import encode, parse_input, parse_kind
from engine.opening import open_case
from engine.records import Json, Moved, Request
from engine.scopes import choice_titles
from engine.steps import BATCH_PUBLISHED
from engine.store import registry, students
from engine.store.registry import BatchRow
from engine.trail.event import EventKind, moment
from engine.vocabulary import BatchFile

_PUBLISHER = "records_section"
"""学籍科 publishes (S000-0.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publishing a batch did."""

    batch: str
    rulebook: str
    opened: int
    not_opened: int


def publish_batch(
    desk: Desk, name: str, request: Request, progress: Callable[[int], None] = lambda _: None
) -> Published:
    """Publish a batch of the library: keep its values, pin the rulebook, open the cases that start with it.

    Raises:
        Unknown: If the files have no such batch.
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
    data: dict[str, Json] = {
        "batch": name,
        "kind": row.kind,
        "profile": row.profile,
        "rulebook": row.rulebook,
        "values": dict(row.values),
    }
    with desk.connection.writing():
        registry.add_batch(desk.connection, row, moment(request.at))
        desk.record([(EventKind.BATCH_PUBLISHED, data)], at=request.at, actor=request.actor.login)
    opened, not_opened = _open_what_starts(desk, row, request, progress)
    return Published(batch=name, rulebook=desk.rulebook, opened=opened, not_opened=not_opened)


def change_batch(desk: Desk, name: str, given: Mapping[str, str], request: Request) -> Mapping[str, Json]:
    """Set values of a published batch, such as a date that was still open; the change is an event (S004-1.3).

    Raises:
        Unknown: If the batch is not published or has no such field.
        Unreadable: If a value is not of its kind.
        NotAllowed: If the person does not publish batches.
    """
    desk.refresh()
    _entitled(desk, request.actor, "batch_set")
    with desk.connection.writing():
        row = registry.batch(desk.connection, name)
        if row is None:
            raise Unknown("已发布批次 published batch", name, registry.batches(desk.connection))
        new = {field: _read_value(desk, row, field, text) for field, text in given.items()}
        values = {**row.values, **new}
        registry.set_batch_values(desk.connection, name, values)
        data: dict[str, Json] = {
            "batch": name,
            "values": {field: {"old": row.values.get(field), "new": new[field]} for field in new},
        }
        desk.record([(EventKind.BATCH_CHANGED, data)], at=request.at, actor=request.actor.login)
    desk.refresh()
    return values


def _entitled(desk: Desk, actor: Actor, act: str) -> None:
    if all(grant.role != _PUBLISHER for grant in actor.grants):
        top = min((row.path for row in desk.units().values()), default="/")
        raise NotAllowed(actor.login, act, (_PUBLISHER,), top)


def _values(desk: Desk, file: BatchFile) -> dict[str, Any]:
    fields = desk.library.rulebook_for(file.profile).vocabulary.batch[file.kind].fields
    return {name: value for name, value in file.values.items() if name in fields}


def _read_value(desk: Desk, row: BatchRow, field: str, text: str) -> Json:
    vocabulary = desk.library.rulebook_for(row.profile).vocabulary
    fields = vocabulary.batch[row.kind].fields
    if field not in fields:
        raise Unknown("批次字段 field of the batch", field, fields)
    of = parse_kind(fields[field].type)
    try:
        return encode(of, parse_input(of, text, choice_titles(vocabulary)))
    except ValueError as problem:
        raise Unreadable(f"{fields[field].title.zh} {field}", text, f"{of}（{problem}）") from problem


def _open_what_starts(
    desk: Desk, batch: BatchRow, request: Request, progress: Callable[[int], None]
) -> tuple[int, int]:
    """Open what starts with the batch for every student of its profile; drafts are opened by hand."""
    starting = [
        (definition, trigger)
        for definition in desk.library.of_profile(batch.profile).values()
        for trigger, one in definition.openings.items()
        if one.when == "batch_published" and definition.status == "published" and _about_batch(definition, batch.kind)
    ]
    opened = not_opened = 0
    for definition, trigger in starting:
        actor = Actor(login=request.actor.login, grants=(Grant(role=BATCH_PUBLISHED, unit="", path=""),))
        start = replace(request, trigger=trigger, actor=actor, fields={"batch": batch.name}, id=None)
        for student in list(students.students(desk.connection)):
            if desk.profile_of(student.unit) != batch.profile:
                continue
            try:
                outcome = open_case(desk, definition.workflow, student.student_no, start)
            except AlreadyOpen:
                not_opened += 1
            else:
                opened += isinstance(outcome, Moved)
                not_opened += not isinstance(outcome, Moved)
            progress(1)
    return opened, not_opened


def _about_batch(definition: Definition, kind: str) -> bool:
    return "student" in definition.about and f"batch {kind}" in definition.about
