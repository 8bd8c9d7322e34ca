"""抄送: colleagues who may see a case are shown it, once a day each; it is no right, no decision, and all or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.copying import LONGEST, may_read, readers, send_copy
from engine.delegating import Mandate, delegate
from engine.erasing import erase
from engine.errors import NotAllowed, Unreadable
from engine.organisation import add_student_account, disable, give_role
from engine.records import Moved, Repeated
from engine.retracting import retract
from engine.store import stories
from engine.store.copies import copies_of, note_of
from engine.store.people import set_name
from tests.engine.town import FIRST, NOW, Town

NOTE = "签名页已补，请放心办下一步"


def send(
    town: Town, to: Sequence[str], note: str = NOTE, login: str = "operator.s1", **changes: object
) -> list[str] | Repeated:
    """The ids of what stands against a copy; none: it is sent."""
    request = replace(town.request("copy", login), **changes)  # type: ignore[arg-type] # a test's own words
    answer = send_copy(town.desk, town.record(FIRST), to, note, request)
    return answer if isinstance(answer, Repeated) else [one.id for one in answer]


def copied(town: Town) -> list[object]:
    """Who was told of a copy."""
    return [recipient for _, _, recipient, message in town.told() if message == "copied"]


def test_each_colleague_is_told_once_and_the_case_stands_as_before(town: Town):
    before = town.case(FIRST)

    assert send(town, ["approver.s1", "records.sx", "approver.s1"]) == []

    after = town.case(FIRST)
    assert after == before._replace(head=after.head)
    assert copied(town) == ["person/approver.s1", "person/records.sx"]
    event = town.events(after.id)[-1]
    assert (event["kind"], event["actor"], event["role"]) == ("copied", "operator.s1", "site_operator")
    assert event["data"]["colleagues"] == ["approver.s1", "records.sx"]
    assert town.replayed().diverged == ()


def test_the_words_are_sealed_and_open_for_those_who_read_the_case(town: Town):
    send(town, ["approver.s1"], f"　{NOTE}\n")
    case = town.case(FIRST)

    assert NOTE not in str(town.events(case.id)[-1])
    assert stories.story(town.connection, [case.id])[-1].opened == {"text": NOTE}
    [copy] = copies_of(town.connection, "approver.s1", 0, 10)
    assert (copy.message, copy.sender, copy.note, copy.is_read) == ("copied", "operator.s1", NOTE, False)
    assert note_of(town.connection, case.id, case.head.seq) == NOTE


def test_a_copy_needs_no_words(town: Town):
    assert send(town, ["approver.s1"], " ") == []
    assert "sealed" not in town.events(town.record(FIRST))[-1]["data"]
    assert copies_of(town.connection, "approver.s1", 0, 10)[0].note == ""


def test_everything_against_a_copy_is_said_at_once_and_then_nobody_is_told(town: Town):
    give_role(town.desk, "watch", "auditor", "SX", at=NOW, actor="setup")
    give_role(town.desk, "gone", "site_approver", "S1", at=NOW, actor="setup")
    disable(town.desk, "gone", at=NOW, actor="setup")
    to = ["operator.s1", "nobody.at.all", "operator.s2", "watch", "gone", "approver.s1"]

    refused = send(town, to, "长" * (LONGEST + 1))

    assert refused == ["X-59", "X-55", "X-36", "X-57", "X-57", "X-58"]
    assert copied(town) == []
    event = town.events(town.record(FIRST))[-1]
    assert (event["kind"], event["data"]["trigger"]) == ("refused", "copy")
    assert event["data"]["failed"] == sorted({"X-59", "X-55", "X-36", "X-57", "X-58"})
    assert "nobody.at.all" not in str(event), "a login nobody has is not written down"
    assert send(town, [], "") == ["X-05"]
    assert town.replayed().diverged == ()


def test_of_one_case_a_colleague_is_told_once_a_day_whoever_sends_it(town: Town):
    assert send(town, ["approver.s1"]) == []

    request = replace(town.request("copy", "records.sx"), at=NOW + timedelta(hours=13))
    refused = send_copy(town.desk, town.record(FIRST), ["approver.s1", "operator.s1"], "", request)

    assert not isinstance(refused, Repeated)
    assert [(one.id, "2024-04-21 00:00" in one.sentence.zh) for one in refused] == [("X-54", True)]
    assert copied(town) == ["person/approver.s1"], "all of them or nobody"
    assert send(town, ["approver.s1"], at=NOW + timedelta(hours=14)) == [], "midnight in Shanghai has passed"
    assert len(copied(town)) == 2


def test_the_student_of_a_case_neither_sends_nor_gets_a_copy_even_as_a_colleague(town: Town):
    assert add_student_account(town.desk, "zhao", FIRST, at=NOW, actor="setup")
    with pytest.raises(NotAllowed):
        send(town, ["approver.s1"], login="zhao")
    give_role(town.desk, "zhao", "site_approver", "S1", at=NOW, actor="setup")
    with pytest.raises(NotAllowed):
        send(town, ["approver.s1"], login="zhao")

    assert send(town, ["zhao"]) == ["X-56"]
    assert "zhao" not in {one.login for one in offered(town)}
    assert not may_read(town.desk, town.case(FIRST), "zhao", NOW)


@pytest.mark.parametrize("login", ["operator.s2", "operator.t1", "watch"])
@pytest.mark.parametrize("number", [None, "r-1"])
def test_whoever_takes_no_part_sends_nothing_and_the_case_keeps_that_it_was_asked(
    town: Town, login: str, number: str | None
):
    give_role(town.desk, "watch", "auditor", "SX", at=NOW, actor="setup")

    with pytest.raises(NotAllowed):
        send(town, ["approver.s1"], login=login, id=number)

    assert town.events(town.record(FIRST))[-1]["data"]["barred"] == "not_allowed"
    assert copied(town) == []


def test_a_click_that_comes_twice_is_one_copy(town: Town):
    first, again = (send(town, ["approver.s1"], id="r-1") for _ in range(2))

    assert first == []
    assert isinstance(again, Repeated)
    assert again.moved
    assert copied(town) == ["person/approver.s1"]


def test_a_page_opened_before_still_decides_and_who_decided_may_still_take_it_back(town: Town):
    town.advance(FIRST, "applied")
    seen = town.case(FIRST).revision
    send(town, ["approver.s1"])
    assert isinstance(town.take(FIRST, "site_approve", "approver.s1", seen=seen), Moved)

    send(town, ["records.sx"])
    retract(town.desk, town.record(FIRST), town.request("withdraw", "approver.s1", reason="看错了"))

    assert town.case(FIRST).state == "applied"
    assert town.replayed().diverged == ()


def offered(town: Town, login: str = "operator.s1"):
    return readers(town.desk, town.record(FIRST), town.request("copy", login))


def test_a_copy_is_offered_to_colleagues_who_may_see_the_case_the_nearest_first(town: Town):
    give_role(town.desk, "watch", "auditor", "SX", at=NOW, actor="setup")
    give_role(town.desk, "gone", "site_approver", "S1", at=NOW, actor="setup")
    disable(town.desk, "gone", at=NOW, actor="setup")
    give_role(town.desk, "office", "security_admin", "SX", at=NOW, actor="setup")

    found = offered(town)

    assert [(one.login, one.unit) for one in found] == [
        ("approver.s1", "S1"), ("both.s1", "S1"), ("auditor.sx", "SX"), ("records.sx", "SX"),
    ]  # fmt: skip
    assert found[1].roles == ("site_approver", "site_operator")
    assert not any(one.against for one in found)


def test_those_of_one_unit_stand_by_the_sound_of_their_names(town: Town):
    for login, name in (("approver.s1", "曾明"), ("both.s1", "欧阳修")):
        assert set_name(town.connection, login, name)

    assert [one.name for one in offered(town, "operator.s1") if one.unit == "S1"] == ["欧阳修", "曾明"]


def test_who_was_told_today_stays_on_the_list_and_it_says_from_when_again(town: Town):
    send(town, ["both.s1"])

    against = {one.login: [why.id for why in one.against] for one in offered(town, "records.sx") if one.against}

    assert against == {"both.s1": ["X-54"]}


def test_who_is_lent_a_role_gets_copies_as_long_as_it_is_lent(town: Town):
    until = NOW + timedelta(days=2)
    mandate = Mandate(taker="operator.s2", role="site_approver", reason="出差")
    assert delegate(town.desk, "S1", mandate, until, town.request("delegate", "approver.s1")) == ()

    assert "operator.s2" in {one.login for one in offered(town)}
    assert may_read(town.desk, town.case(FIRST), "operator.s2", until)
    assert not may_read(town.desk, town.case(FIRST), "operator.s2", until + timedelta(seconds=1))
    assert send(town, ["operator.s2"]) == []
    assert send(town, ["operator.s2"], at=until + timedelta(days=1)) == ["X-57"]


def test_what_is_no_text_is_not_kept(town: Town):
    counts = town.counts()
    with pytest.raises(Unreadable):
        send(town, ["approver.s1"], "\ud800")
    assert town.counts() == counts


def test_an_erased_note_is_gone_and_the_copy_still_stands(town: Town):
    send(town, ["approver.s1"])
    town.go(FIRST, (("withdraw", "records.sx"),))
    assert erase(town.desk, FIRST, town.request("erase", "records.sx", reason="本人申请")).refused == ()

    [copy] = [one for one in copies_of(town.connection, "approver.s1", 0, 10) if one.message == "copied"]
    assert (copy.sender, copy.note) == ("operator.s1", "")
    assert town.replayed().diverged == ()
