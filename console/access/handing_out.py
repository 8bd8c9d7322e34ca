"""What lets somebody in anew: a code for a first or another password, and a lost second factor forgotten.

Rule: each signs the person out everywhere and is an event of the registry, which says by whom, for whom and until
when, never the code; and if the person looks after people too, it says that (who lets an administrator in anew could
come in as one).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from console.access import entering
from engine.delegating import LOOKS_AFTER_PEOPLE
from engine.desk import Desk
from engine.records import Json
from engine.store import access, registry, sessions
from engine.trail.event import EventKind, moment

CODE_UNTIL, SECOND_FACTOR, HOLDS = "code_until", "second_factor", "holds"
"""In the event: until when a code is good; False, that there is no second factor any more; the role worth saying."""


class Handed(NamedTuple):
    """A code for one use, whose it is, and until when it is good; kept as its hash alone."""

    login: str
    code: str
    until: datetime


def hand_out_code(desk: Desk, login: str, *, at: datetime, actor: str) -> Handed:
    """Make a code by which a person sets a password; earlier ones are good no more. It ends the person's sessions.

    Args:
        desk: Where accounts are kept.
        login: Whose; there is such an account.
        at: When; the code is good for `entering.ACTIVATION` from then on.
        actor: Who hands it out.
    """
    until = at + entering.ACTIVATION
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else writes to the registry's chain waits here
        code = entering.issue(desk.connection, login, "activate", at)
        sessions.end_sessions(desk.connection, login)
        _tell(desk, login, {CODE_UNTIL: moment(until)}, at, actor)
    return Handed(login, code, until)


def forget_second_factor(desk: Desk, login: str, *, at: datetime, actor: str) -> bool:
    """Forget a second factor whose telephone is lost, with its spare codes; False when there was none.

    It ends the person's sessions; another is enrolled at the next sign-in.

    Args:
        desk: Where accounts are kept.
        login: Whose; there is such an account.
        at: When, for the trail.
        actor: Who, for the trail.
    """
    with desk.connection.writing():
        registry.registry_head(desk.connection)
        row = access.credential(desk.connection, login)
        sessions.end_sessions(desk.connection, login)
        if row is None or row.totp_secret is None:
            return False
        access.set_second_factor(desk.connection, login, None, at)
        _tell(desk, login, {SECOND_FACTOR: False}, at, actor)
    return True


def _tell(desk: Desk, login: str, what: dict[str, Json], at: datetime, actor: str) -> None:
    is_apart = LOOKS_AFTER_PEOPLE in desk.actor(login).roles_within(moment(at))
    holds: dict[str, Json] = {HOLDS: LOOKS_AFTER_PEOPLE} if is_apart else {}
    desk.record([(EventKind.ACCOUNT_CHANGED, {"login": login, **what, **holds})], at=at, actor=actor)
