"""Whose runs somebody may open: the own ones, and those of whoever audits no more than oneself.

So an address that is passed on opens for a colleague or the head of audit, and stays nothing to whoever may not see
the cases behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from console.web.auditing.frame import names_of, scope_of
from console.web.faults import NotFound
from console.web.visit import Visit
from engine.store import audit_runs
from engine.store.audit_runs import Run


class _Reach(msgspec.Struct, frozen=True):
    """How far was looked: of everything that was asked, only this."""

    paths: tuple[str, ...]


def may_open(login: str, mine: tuple[str, ...], run: Run, asked: str) -> bool:
    """Whether a run is one's own, or every unit it looked through is one that the person audits (`mine`) too."""
    if run.login == login:
        return True
    theirs = msgspec.json.decode(asked, type=_Reach).paths
    return bool(theirs) and bool(mine) and all(path.startswith(mine) for path in theirs)


def run_for(visit: Visit, run: str, kind: str) -> tuple[Run, str | None]:
    """A run by its id, with what came of it.

    Raises:
        NotFound: If there is none, or not for this person.
    """
    connection = visit.desk.connection
    found = audit_runs.run_of(connection, run)
    if found is None or found[0].kind != kind:
        raise NotFound
    if found[0].login != visit.login:
        mine = scope_of(visit).paths
        if not may_open(visit.login, mine, found[0], audit_runs.asked_of(connection, run)):
            raise NotFound
    return found


def asked_by(visit: Visit, run: Run) -> str:
    """Who asked for a run, as the page says it."""
    return visit.say("您") if run.login == visit.login else names_of(visit, [run.login])[run.login]


def every_done(visit: Visit, kind: str, mine: tuple[str, ...]) -> Iterator[tuple[Run, str]]:
    """The runs of a kind that are done and that an auditor of the paths `mine` may open, with what came of each.

    The newest first. Streamed; call inside `reading`. How far somebody audits is asked before: that may write.
    """
    for run, asked, result in audit_runs.done(visit.desk.connection, kind):
        if may_open(visit.login, mine, run, asked):
            yield run, result
