"""Filters kept under a name: one's own, and those of everybody at one's units."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from console.web.faults import FieldFault, FieldFaults
from console.web.queue.filtering import Filter
from console.web.visit import Visit
from engine.store import desk_work
from engine.store.desk_work import SavedView

LONGEST_NAME = 20


def kept(visit: Visit) -> Sequence[SavedView]:
    """The filters that the person sees."""
    return desk_work.views(visit.desk.connection, visit.login, [grant.unit for grant in visit.actor.grants])


def keep(visit: Visit, name: str, asked: Filter, *, shared: bool, pinned: bool) -> SavedView:
    """Keep a filter; shared it is for everybody at the person's first unit.

    Raises:
        FieldFaults: If it has no name, or too long a one.
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        said = visit.say("要 {least} 到 {most} 个字，现在 {n} 个", least=1, most=LONGEST_NAME, n=len(name))
        raise FieldFaults([FieldFault("name", visit.say("名称"), said)])
    unit = next((grant.unit for grant in visit.actor.grants), None) if shared else None
    new = SavedView(secrets.token_urlsafe(9), visit.login, unit, name, asked.query(), pinned)
    with visit.desk.connection.writing():
        desk_work.add_view(visit.desk.connection, new)
    return new


def drop(visit: Visit, view: str) -> None:
    """Forget a filter of one's own."""
    with visit.desk.connection.writing():
        desk_work.drop_view(visit.desk.connection, view, visit.login)
