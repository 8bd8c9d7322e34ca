"""Tokens of programs: the trail tells who made which for whom, and no row of one stands without its event."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from engine.store.api_tokens import TokenRow, add_token
from engine.tokens import end_tokens, keep_token
from engine.trail.event import REGISTRY, moment
from tests.engine.town import NOW, Town

DAY = timedelta(days=1)
WHO = "approver.s1"


def row(secret: str, name: str = "报表", at: datetime = NOW) -> TokenRow:
    return TokenRow(
        hash=sha256(secret.encode()).hexdigest(), login=WHO, name=name, scopes=frozenset({"read", "decide"}),
        made_at=at, expires_at=at + 90 * DAY, revoked_at=None, used_at=None,
    )  # fmt: skip


def test_a_token_made_and_ended_is_told_by_whom_for_whom_and_for_what_but_never_itself(town: Town):
    one = row("one")
    keep_token(town.desk, one, "admin")
    keep_token(town.desk, row("two"), "admin")  # the clock of a rehearsal may stand still
    keep_token(town.desk, row("other", "归档"), "admin")
    keep_token(town.desk, replace(row("proved", "管理"), proved_at=NOW), WHO)
    assert town.replayed().diverged == ()

    assert end_tokens(town.desk, WHO, "报表", at=NOW + DAY, actor="setup") == 2
    assert end_tokens(town.desk, WHO, "报表", at=NOW + DAY, actor="setup") == 0

    told = [one for one in town.events(REGISTRY) if one["kind"] == "token_changed"]
    assert [(one["actor"], one["data"]["login"], one["data"]["name"], one["data"]["good"]) for one in told] == [
        ("admin", WHO, "报表", True), ("admin", WHO, "报表", True), ("admin", WHO, "归档", True),
        (WHO, WHO, "管理", True), ("setup", WHO, "报表", False),
    ]  # fmt: skip
    assert (told[0]["data"]["scopes"], told[0]["data"]["until"]) == (["decide", "read"], moment(NOW + 90 * DAY))
    assert [one["data"].get("proved_at") for one in told] == [None, None, None, moment(NOW), None]
    assert not any(one.hash in str(event) for event in told)
    assert town.replayed().diverged == ()


def test_a_token_that_no_event_tells_of_or_tells_otherwise_of_is_named_while_it_is_good(town: Town):
    keep_token(town.desk, row("one"), "admin")
    for column, value in (
        ("scopes", "admin"), ("expires_at", moment(NOW + 300 * DAY)), ("revoked_at", moment(NOW)),
        ("proved_at", moment(NOW)),
    ):  # fmt: skip
        kept = town.kept(("api_token", column), login=WHO)
        town.edit(("api_token", column), value, login=WHO)
        assert "api_token" in town.replayed().diverged[0].why, column
        town.edit(("api_token", column), kept, login=WHO)

    add_token(town.connection, row("before the trail told of tokens", "旧"))
    assert "旧" in town.replayed().diverged[0].why
    assert end_tokens(town.desk, WHO, "旧", at=NOW + DAY, actor="setup") == 1
    assert town.replayed().diverged == ()
