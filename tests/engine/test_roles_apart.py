"""三员分立: who looks after the system, its rights and its traces are different persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from console.access import sessions
from engine.checking.examining import examine
from engine.delegating import Mandate, delegate
from engine.errors import RolesApart
from engine.organisation import give_role
from engine.records import Request
from engine.store import registry
from engine.takers import roles_to_pass
from tests.engine.loading.folders import clean_folder, spoil
from tests.engine.town import NOW, Town

ADMINS = ("system_admin", "security_admin", "audit_admin")
WEEK = NOW + timedelta(days=7)


def gives(town: Town, login: str, role: str) -> bool:
    return give_role(town.desk, login, role, "SX", at=NOW, actor="setup")


def lends(town: Town, giver: str, taker: str, role: str, since: datetime | None = None) -> list[str]:
    request = Request(trigger="delegate", actor=town.desk.actor(giver), at=NOW)
    mandate = Mandate(taker=taker, role=role, reason="出差", since=since)
    return [one.rule for one in delegate(town.desk, "SX", mandate, WEEK, request)]


@pytest.mark.parametrize("held", ADMINS)
@pytest.mark.parametrize("wanted", ADMINS)
def test_nobody_is_given_two_of_the_three_administrators_roles(town: Town, held: str, wanted: str):
    gives(town, "wu", held)
    before = town.counts()

    if held == wanted:
        assert not gives(town, "wu", wanted)
        return
    with pytest.raises(RolesApart) as refused:
        gives(town, "wu", wanted)

    roles = town.desk.library.rulebook.organisation.roles
    assert f"不能同时担任{roles[held].title.zh}与{roles[wanted].title.zh}" in str(refused.value)
    assert "cannot be both" in str(refused.value)
    assert town.counts() == before
    assert town.desk.actor("wu").roles_within("2024") == {held}


def test_nobody_is_given_or_lent_what_excludes_a_role_that_will_be_lent(town: Town):
    for login, role in (("he", "audit_admin"), ("li", "system_admin"), ("wu", "site_operator")):
        give_role(town.desk, login, role, "S1" if role == "site_operator" else "SX", at=NOW, actor="setup")
    assert lends(town, "he", "wu", "audit_admin", NOW + timedelta(days=3)) == []

    assert lends(town, "li", "wu", "system_admin") == ["roles-apart"]
    with pytest.raises(RolesApart):
        gives(town, "wu", "system_admin")


def test_nobody_is_lent_a_role_beside_one_that_excludes_it_and_the_refusal_is_kept(town: Town):
    gives(town, "wu", "system_admin")
    gives(town, "he", "audit_admin")

    assert lends(town, "he", "wu", "audit_admin") == ["roles-apart"]

    event = town.events(0)[-1]
    assert (event["kind"], event["data"]["engine"]) == ("refused", ["roles-apart"])
    assert town.desk.actor("wu").delegated == ()


def test_an_auditors_role_is_nobodys_to_lend_and_the_refusal_is_kept(town: Town):
    gives(town, "he", "auditor")
    give_role(town.desk, "wu", "site_operator", "S1", at=NOW, actor="setup")

    assert list(roles_to_pass(town.desk.actor("he"), town.desk.units()["S1"].path)) == []
    assert lends(town, "he", "wu", "auditor") == ["never-lent"]

    event = town.events(0)[-1]
    assert (event["kind"], event["data"]["failed"]) == ("refused", ["X-53"])
    assert town.desk.actor("wu").delegated == ()


def test_a_role_that_is_given_to_nobody_has_words_and_one_that_is_gone_its_name(town: Town):
    called = town.desk.library.rulebook.organisation.called

    assert [called(one).zh for one in ("timer", "import", "site_operator", "of_old")] == [
        "定时", "导入", "教学点经办人", "of_old",
    ]  # fmt: skip


def test_nobody_is_given_a_role_beside_one_that_is_lent_until_that_is_over(town: Town):
    gives(town, "he", "audit_admin")
    registry.add_account(town.connection, "wu", "2024-04-20T00:00:00.000000Z")
    assert lends(town, "he", "wu", "audit_admin") == []

    with pytest.raises(RolesApart):
        gives(town, "wu", "system_admin")

    after = WEEK + timedelta(days=1)
    assert give_role(town.desk, "wu", "system_admin", "SX", at=after, actor="setup")


def test_other_roles_are_held_beside_an_administrators(town: Town):
    gives(town, "wu", "system_admin")

    assert gives(town, "wu", "auditor")


def test_a_new_role_signs_its_person_out_everywhere_and_nobody_else(town: Town):
    gives(town, "wu", "auditor")
    gives(town, "he", "auditor")
    wu, he = (sessions.begin(town.connection, login, NOW) for login in ("wu", "he"))

    assert not gives(town, "wu", "auditor")
    assert sessions.resume(town.connection, wu, NOW) is not None
    gives(town, "wu", "records_section")

    assert sessions.resume(town.connection, wu, NOW) is None
    assert sessions.resume(town.connection, he, NOW) is not None


@pytest.mark.parametrize(
    ("excluded", "code", "says"),
    [
        pytest.param("clark", "unknown-role", "Did you mean 'clerk'", id="an unknown role"),
        pytest.param("clerk", "one-sided", "'clerk' does not exclude 'head'", id="one side only"),
        pytest.param("head", "one-sided", "excludes itself", id="itself"),
    ],
)
def test_roles_that_exclude_each_other_exist_and_both_say_so(tmp_path, excluded: str, code: str, says: str):
    folder = clean_folder(tmp_path)
    spoil(folder, "rules/organisation.yaml", "held_at: school}", f"held_at: school, excludes: {excluded}}}")

    _, faults = examine(folder)

    [found] = [fault for fault in faults if fault.file.endswith("organisation.yaml")]
    assert found.code == code
    assert says in found.message


def test_the_three_administrators_of_the_shipped_organisation_exclude_each_other(town: Town):
    roles = town.desk.library.rulebook.organisation.roles

    assert {name: set(roles[name].excludes) for name in ADMINS} == {name: set(ADMINS) - {name} for name in ADMINS}
    assert replace(town.desk.actor("records.sx"), grants=()).roles_within("2024") == frozenset()
