"""Tokens by which programs act for people: each that is made and each that ends is an event of the registry.

Rule: the trail says who made it, for whom, what for, for which scopes and until when,
and when the person proved to be there; never the token nor its hash.
A token that only runs out leaves no event, for the one that made it has said until when it is good.
"""

from __future__ import annotations

from datetime import datetime

from engine.desk import Desk
from engine.records import Json
from engine.store import api_tokens, registry
from engine.store.api_tokens import TokenRow
from engine.trail.event import EventKind, moment


def keep_token(desk: Desk, row: TokenRow, actor: str) -> None:
    """Keep a token as it was made, and tell of it.

    Args:
        desk: Where it is kept.
        row: The token; `made_at` is the moment of the event.
        actor: Who made it.
    """
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else writes to the registry's chain waits here
        api_tokens.add_token(desk.connection, row)
        proved: dict[str, Json] = {} if row.proved_at is None else {"proved_at": moment(row.proved_at)}
        data = {**_told(row), "scopes": sorted(row.scopes), "until": moment(row.expires_at), "good": True, **proved}
        desk.record([(EventKind.TOKEN_CHANGED, data)], at=row.made_at, actor=actor)


def end_tokens(desk: Desk, login: str, name: str, *, at: datetime, actor: str) -> int:
    """End a person's tokens of a name that are still good, and tell of each; how many.

    Args:
        desk: Where they are kept.
        login: Whose.
        name: What they were made for.
        at: When, for the trail.
        actor: Who ends them.
    """
    with desk.connection.writing():
        registry.registry_head(desk.connection)
        good = [one for one in api_tokens.tokens_of(desk.connection, login) if one.name == name and one.is_good(at)]
        count = api_tokens.revoke_tokens(desk.connection, login, name, at)
        told = {one.made_at: {**_told(one), "made_at": moment(one.made_at), "good": False} for one in good}
        if told:
            desk.record([(EventKind.TOKEN_CHANGED, data) for data in told.values()], at=at, actor=actor)
    return count


def _told(row: TokenRow) -> dict[str, Json]:
    return {"login": row.login, "name": row.name}
