"""Moving open cases to a later version of their definition: case by case, never past a new step in silence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest

from engine.definition import Definition
from engine.errors import NotAllowed, Unknown
from engine.library import Library
from engine.migrating import Migration, migrate
from engine.records import Moved, Request
from tests.engine.lab import CHECK, SEND_BACK, lending, loan, titled, with_loan
from tests.engine.town import NOW, Town, town_at

LEND = {"lend": {"from": "checked", "to": "lent", "by": "records_section"}}
FIRST_VERSION = loan({**CHECK, **SEND_BACK, **LEND})
STAMP = {"stamp": {"from": "checked", "to": "stamped", "by": "site_approver"}}
STATES = titled({"asked": {}, "checked": {}, "stamped": {}, "shelved": {"rests": True}, "lent": {"final": True}})


def later(**more: object) -> Definition:
    """A second version in which a loan is stamped before it is lent."""
    lend = {"lend": {"from": "stamped", "to": "lent", "by": "records_section"}}
    return loan({**CHECK, **SEND_BACK, **STAMP, **lend}, **{"version": 2, "states": STATES, **more})


@contextmanager
def at_version_two(url: str, library: Library, new: Definition, *, checked: bool = False) -> Iterator[tuple[Town, int]]:
    """A loan opened under the first version, at a desk that knows the second."""
    with lending(url, library, FIRST_VERSION) as (town, case):
        if checked:
            assert isinstance(town.decided(case, "check", "approver.s1"), Moved)
    with town_at(url, with_loan(library, new)) as town:
        town.desk.publish(NOW, "setup")
        yield town, case


def moved(town: Town, version: int = 2, *, dry_run: bool = False, login: str = "records.sx") -> list[Migration]:
    request = Request(trigger="migrate", actor=town.actor(login), at=NOW)
    return migrate(town.desk, ("loan", "online-ed", version), request, dry_run=dry_run).cases


def test_an_open_case_goes_to_the_state_the_new_version_names_and_is_worked_by_it_from_then_on(
    district_url: str, library: Library
):
    new = later(upgrades={1: {"asked": "asked"}})
    with at_version_two(district_url, library, new) as (town, case):
        [verdict] = moved(town)
        assert (verdict.goes, verdict.state, verdict.to) == (True, "asked", "asked")
        assert town.desk.definition(town.by_id(case).shape).version == 2
        for trigger, login in (("check", "approver.s1"), ("stamp", "approver.s1"), ("lend", "records.sx")):
            assert isinstance(town.decided(case, trigger, login), Moved)
        assert town.replayed().diverged == ()
        assert [event["kind"] for event in town.events(case)][1] == "migrated"


def test_a_case_that_would_skip_a_new_step_stays_and_the_step_is_named(district_url: str, library: Library):
    new = later(upgrades={1: {"checked": "stamped"}})
    with at_version_two(district_url, library, new, checked=True) as (town, case):
        before = town.by_id(case)
        [verdict] = moved(town)
        assert not verdict.goes
        assert verdict.zh == ("会跳过新步骤“stamp”",)
        assert town.by_id(case) == before


def test_a_dry_run_says_the_same_and_writes_nothing(district_url: str, library: Library):
    with at_version_two(district_url, library, later(upgrades={1: {}})) as (town, _):
        counted = town.counts()
        said = moved(town, dry_run=True)
        assert town.counts() == counted
        assert said == moved(town)


def test_a_version_that_does_not_say_how_to_upgrade_moves_nothing(district_url: str, library: Library):
    with at_version_two(district_url, library, later()) as (town, case):
        [verdict] = moved(town)
        assert verdict.zh == ("新版本没有写明版本1如何升级",)
        assert town.desk.definition(town.by_id(case).shape).version == 1


def test_a_case_in_a_state_that_is_gone_stays(district_url: str, library: Library):
    renamed = later(upgrades={1: {}}).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    written = orjson.dumps(renamed).replace(b'"asked"', b'"requested"')
    gone = Definition.model_validate_json(written)
    with at_version_two(district_url, library, gone) as (town, _):
        [verdict] = moved(town)
        assert verdict.zh == ("新版本没有状态“asked”",)


def test_only_the_registry_moves_cases_and_only_to_a_version_that_is_there(district_url: str, library: Library):
    with at_version_two(district_url, library, later(upgrades={1: {}})) as (town, _):
        with pytest.raises(NotAllowed):
            moved(town, login="operator.s1")
        with pytest.raises(Unknown, match="7"):
            moved(town, 7)


def test_a_moved_case_is_not_moved_twice(district_url: str, library: Library):
    with at_version_two(district_url, library, later(upgrades={1: {}})) as (town, case):
        assert len(moved(town)) == 1
        assert moved(town) == []
        assert town.by_id(case).state == "asked"
