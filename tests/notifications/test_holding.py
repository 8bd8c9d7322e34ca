"""What somebody's act is to tell waits as long as that person can undo it (the console's specification, 6, Undo)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine.library import Library
from engine.store.sessions import Preference, set_preference
from notifications.composing import Hours, compose
from tests.engine.lab import loan
from tests.engine.town import NOW
from tests.notifications.lending import address, lent
from tests.notifications.test_composing import SENT_BACK, mails

_ALWAYS = Hours(quiet_from=Hours().quiet_to)


@pytest.mark.parametrize("seconds", [pytest.param(None, id="not chosen"), 10, 30, 60])
def test_a_mail_about_somebodys_act_waits_as_long_as_that_person_can_undo_it(
    district_url: str, library: Library, seconds: int | None
):
    with lent(district_url, library, loan(SENT_BACK)) as (town, case):
        address(town, "operator.s1")
        if seconds is not None:
            chosen = Preference(undo_seconds=seconds)  # type: ignore[arg-type]  # one of the three
            set_preference(town.connection, "approver.s1", chosen)
        town.decided(case, "send_back", "approver.s1", reason="材料不齐")

        compose(town.desk, _done_at(town), _ALWAYS)

        assert [at for _, _, at in mails(town)] == [_done_at(town) + timedelta(seconds=seconds or 30)]


def test_what_was_done_long_ago_waits_no_longer_than_everything(district_url: str, library: Library):
    with lent(district_url, library, loan(SENT_BACK)) as (town, case):
        address(town, "operator.s1")
        town.decided(case, "send_back", "approver.s1", reason="材料不齐")
        later = _done_at(town) + timedelta(hours=1)

        compose(town.desk, later, _ALWAYS)

        assert [at for _, _, at in mails(town)] == [later + _ALWAYS.hold]


def _done_at(town) -> datetime:
    [(at,)] = town.connection.execute("SELECT max(at) FROM deed").fetchall()
    assert datetime.fromisoformat(at) >= NOW
    return datetime.fromisoformat(at)
