"""The pages of administration, and which of the three administrators sees which."""

from __future__ import annotations

from typing import NamedTuple

from console.web.audiences import Audience, audiences
from console.web.faults import NotFound
from console.web.visit import Visit


class Place(NamedTuple):
    """One page of administration: where, its name for `say`, and whose it is."""

    address: str
    text: str
    to: frozenset[Audience]


PLACES = (
    Place("/admin/health", "健康", frozenset({Audience.SYSTEM_ADMIN, Audience.AUDIT_ADMIN})),
    Place("/admin/outbox", "发件箱", frozenset({Audience.SYSTEM_ADMIN})),
    Place("/admin/definitions", "定义", frozenset({Audience.SYSTEM_ADMIN})),
    Place("/admin/calendars", "日历", frozenset({Audience.SYSTEM_ADMIN})),
    Place("/admin/terms", "学期", frozenset({Audience.SYSTEM_ADMIN})),
    Place("/admin/batches", "批次", frozenset({Audience.SYSTEM_ADMIN})),
    Place("/admin/people", "人员", frozenset({Audience.SECURITY_ADMIN})),
    Place("/admin/units", "单位", frozenset({Audience.SECURITY_ADMIN})),
    Place("/admin/delegations", "代办", frozenset({Audience.SECURITY_ADMIN})),
    Place("/admin/absences", "不在岗", frozenset({Audience.SECURITY_ADMIN})),
    Place("/admin/access", "查看记录", frozenset({Audience.AUDIT_ADMIN, Audience.SECURITY_ADMIN})),
    Place("/admin/changes", "变更记录", frozenset({Audience.AUDIT_ADMIN, Audience.SECURITY_ADMIN})),
    Place("/admin/templates", "模板", frozenset({Audience.SYSTEM_ADMIN})),
)


def own_places(visit: Visit) -> list[Place]:
    """The pages the visitor may see, in their order."""
    belongs = audiences(visit.actor)
    return [one for one in PLACES if belongs & one.to]


def tabs(visit: Visit) -> list[tuple[str, str, None, bool]]:
    """The visitor's pages as tabs."""
    path = visit.request.url.path
    return [(one.address, visit.say(one.text), None, path.startswith(one.address)) for one in own_places(visit)]


def demand(visit: Visit, address: str) -> None:
    """Let only those go on whose page it is.

    Raises:
        NotFound: If it is another administrator's.
    """
    if address not in {one.address for one in own_places(visit)}:
        raise NotFound
