"""Personal values given within a case stand in no event in clear, and the case is still what its events add up to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine.errors import NotRetractable
from engine.library import Library
from engine.records import Moved, Refused, Request
from engine.retracting import retract
from tests.engine.lab import CHECK, lending, loan, rule
from tests.engine.town import NOW

WHERE = "幸福路九号"
FIELDS: Mapping[str, Mapping[str, object]] = {
    "address": {"type": "text", "title": {"zh": "住址", "en": "Address"}, "privacy": "personal"}
}
MOVES: Mapping[str, Mapping[str, object]] = {
    "move": {
        "from": "checked", "to": "lent", "by": "records_section", "accepts": ["address"], "guards": ["far"],
        "set": {"case.address": "case.address"},
    },
    "note": {"from": "asked", "by": "site_operator", "asks": ["address"], "retractable": True},
}  # fmt: skip
FAR = rule("case.address == '幸福路九号'")


def test_a_personal_field_is_sealed_wherever_an_event_would_tell_it_and_replays(district_url: str, library: Library):
    with lending(district_url, library, loan({**CHECK, **MOVES}, fields=FIELDS), far=FAR) as (town, case):
        assert isinstance(town.decided(case, "note", "operator.s1", address=WHERE), Moved)
        assert isinstance(town.decided(case, "check", "approver.s1"), Moved)
        assert isinstance(town.decided(case, "move", "records.sx", address="别处"), Refused)
        assert isinstance(town.decided(case, "move", "records.sx", address=WHERE), Moved)
        told = str(town.events(case))
        assert WHERE not in told
        assert "别处" not in told
        assert town.by_id(case).fields["address"] == WHERE
        assert town.replayed().diverged == ()
        town.edit(("cases", "fields"), '{"address":"别处"}', id=case)
        assert [one.chain for one in town.replayed().diverged] == [f"case/{town.by_id(case).number}"]


def test_a_personal_field_deleted_by_hand_is_missed(district_url: str, library: Library):
    with lending(district_url, library, loan({**CHECK, **MOVES}, fields=FIELDS), far=FAR) as (town, case):
        assert isinstance(town.decided(case, "note", "operator.s1", address=WHERE), Moved)
        town.connection.execute("DELETE FROM personal WHERE chain = ?", (case,))
        town.edit(("cases", "fields"), "{}", id=case)
        [found] = town.replayed().diverged
        assert (found.chain, "抹除" in found.why) == (f"case/{town.by_id(case).number}", True)


def test_a_step_of_a_case_with_personal_fields_is_not_taken_back(district_url: str, library: Library):
    with lending(district_url, library, loan({**CHECK, **MOVES}, fields=FIELDS), far=FAR) as (town, case):
        assert isinstance(town.decided(case, "note", "operator.s1", address=WHERE), Moved)
        with pytest.raises(NotRetractable):
            retract(town.desk, case, Request(trigger="retract", actor=town.actor("operator.s1"), at=NOW))
