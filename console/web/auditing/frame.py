"""What the auditor's pages have in common: the way between them, how far the person audits, and that a look is kept."""

from __future__ import annotations

from collections.abc import Iterable

from console.web.batches.index import applies_in
from console.web.batches.wording import title_of
from console.web.faults import NotFound
from console.web.visit import Visit
from engine.auditing.scope import Scope
from engine.exporting import looked, reach_of
from engine.records import Json
from engine.store.people import named

_PLACES = (
    ("/audit", "审计首页"),
    ("/audit/samples", "抽样"),
    ("/audit/findings", "疑点"),
    ("/audit/papers", "底稿"),
    ("/audit/what-if", "换规则重判"),
    ("/audit/changes", "变更记录"),
    ("/audit/seals", "封存情况"),
)
Tab = tuple[str, str, None, bool]


def tabs(visit: Visit) -> list[Tab]:
    """The auditor's pages, and which of them one is at."""
    path = visit.request.url.path
    return [(address, visit.say(text), None, _is_at(path, address)) for address, text in _PLACES]


def _is_at(path: str, address: str) -> bool:
    return path == address or (address != "/audit" and path.startswith(f"{address}/"))


def keep_look(visit: Visit, page: str, **told: Json) -> None:
    """Keep in the trail that the person looks at a page; call before it is shown."""
    looked(visit.desk, visit.asks(f"view:{page}"), told)


def scope_of(visit: Visit, batch: str = "") -> Scope:
    """The cases that the person audits: of a batch, or of any.

    Raises:
        NotFound: If there is no such batch.
    """
    if batch and visit.desk.batch(batch) is None:
        raise NotFound
    return Scope(batch=batch or None, paths=_paths(visit))


def _paths(visit: Visit) -> tuple[str, ...]:
    return tuple(one.path for one in reach_of(visit.desk, visit.asks("view:audit")))


def batch_choices(visit: Visit) -> list[tuple[str, str]]:
    """The batches of the units that the person audits in which students apply, the newest name first."""
    desk, paths = visit.desk, _paths(visit)
    profiles = {
        unit.profile
        for unit in desk.units().values()
        if unit.path.startswith(paths) or any(path.startswith(unit.path) for path in paths)
    }
    found = [row for row in desk.every_batch() if row.profile in profiles and applies_in(desk, row)]
    return [(row.name, title_of(visit, row)) for row in sorted(found, key=lambda one: one.name, reverse=True)]


def names_of(visit: Visit, logins: Iterable[str]) -> dict[str, str]:
    """How people are addressed, by login; whoever has no name by the login."""
    wanted = sorted(set(logins))
    called = named(visit.desk.connection, wanted, None)[0] if wanted else {}
    return {login: called.get(login, login) for login in wanted}
