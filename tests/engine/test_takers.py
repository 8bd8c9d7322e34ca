"""To whom a role can be passed is said before anybody tries, in the words of the refusal that would follow."""

from datetime import timedelta

from engine.delegating import Mandate, delegate_case, hand_over
from engine.store.people import set_name
from engine.takers import Taker, Takers, roles_to_pass, takers
from tests.engine.town import FIRST, NOW, Town

_LATER = NOW + timedelta(days=3)


def offered(town: Town, login: str, role: str, *, for_good: bool = False) -> Takers:
    request = town.request("delegate", login)
    return takers(town.desk, town.record(FIRST), role, request, until=None if for_good else _LATER)


def named(found: Takers) -> dict[str, Taker]:
    return {one.login: one for one in found.people}


def test_whoever_filed_an_application_cannot_be_lent_the_approval_and_hears_why(town: Town):
    town.advance(FIRST, "applied")
    found = offered(town, "approver.s1", "site_approver")
    barred = named(found)["operator.s1"].against
    refused = delegate_case(
        town.desk, town.record(FIRST), Mandate(taker="operator.s1", role="site_approver", reason="出差"), _LATER,
        town.request("delegate", "approver.s1"),
    )  # fmt: skip

    assert barred == refused
    assert barred != ()
    assert named(found)["both.s1"].against == ()


def test_a_case_is_handed_over_to_holders_of_the_role_only(town: Town):
    found = offered(town, "approver.s1", "site_approver", for_good=True)
    mandate = Mandate(taker="both.s1", role="site_approver", reason="调岗")

    assert [one.login for one in found.people] == ["both.s1"]
    assert hand_over(town.desk, town.record(FIRST), mandate, town.request("hand_over", "approver.s1")) == ()


def test_nobody_passes_on_what_is_not_the_own(town: Town):
    assert offered(town, "operator.s1", "site_approver").against != ()
    assert offered(town, "operator.s1", "site_operator").against == ()


def test_nobody_is_offered_to_themselves_and_those_who_may_come_first(town: Town):
    town.advance(FIRST, "applied")
    found = offered(town, "approver.s1", "site_approver")

    assert "approver.s1" not in named(found)
    assert [bool(one.against) for one in found.people] == sorted(bool(one.against) for one in found.people)


def test_those_to_choose_from_stand_by_the_sound_of_their_names(town: Town):
    for login, name in (("both.s1", "曾明"), ("operator.s1", "欧阳修"), ("records.sx", "陈佳"), ("auditor.sx", "查明")):
        assert set_name(town.connection, login, name)

    found = offered(town, "approver.s1", "site_approver")

    assert [one.name for one in found.people if not one.against] == ["陈佳", "欧阳修", "曾明", "查明"]


def test_only_roles_that_reach_the_case_can_be_passed(town: Town):
    path = town.case(FIRST).path
    assert set(roles_to_pass(town.actor("both.s1"), path)) == {"site_operator", "site_approver"}
    assert set(roles_to_pass(town.actor("operator.s2"), path)) == set()
