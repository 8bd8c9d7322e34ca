"""Whoever is lent a role, given a case or left a signature hears of it, as long as it counts, and when it is over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

import pytest

from engine.delegating import Mandate, delegate, leave_to, revoke
from engine.library import Library
from engine.store.mails import MailRow, mails
from engine.store.people import set_name
from engine.trail.event import moment
from notifications.composing import Hours, compose
from notifications.lettering import Letters
from notifications.messages.letters import Letter, Notice
from notifications.messages.rendering import Messages
from tests.engine.lab import CHECK, loan
from tests.engine.town import FIRST, NOW, Town
from tests.notifications.lending import address, asked, grant, hand, lend, lend_case, lent, own_account, shanghai

UNTIL = NOW + timedelta(days=60)
SOON = NOW + timedelta(hours=1)
LOAN = loan({
    **CHECK,
    "confirm": {
        "from": "asked", "to": "lent",
        "by": {"role": "student", "delegates": {"roles": ["handler"], "reasons": ["因故不能返校"]}},
    },
})  # fmt: skip


@pytest.fixture
def desk(district_url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """A loan just asked for, in a town where mail reaches the operators."""
    with lent(district_url, library, LOAN) as (town, case):
        address(town, "operator.s1", "operator.s2")
        yield town, case


def mail_of(town: Town, login: str, at: datetime = SOON) -> MailRow:
    compose(town.desk, at, Hours())
    [mail] = [one for one in mails(town.connection, ["waiting"], 100) if one.recipient == f"person/{login}"]
    return mail


def letter(town: Town, mail: MailRow, at: datetime = SOON) -> Letter | None:
    return Letters(town.desk).letter(mail, at)


def only_notice(town: Town, login: str) -> Notice:
    found = letter(town, mail_of(town, login))
    assert found is not None
    [notice] = found.notices
    return notice


def pages(said: Letter) -> list[str]:
    """A letter as text and as HTML."""
    house = Messages(None, url="https://x.example", sender="records@school.example", log="x", is_rehearsal=False)
    bodies = [house.mail(said).get_body((kind,)) for kind in ("plain", "html")]
    return ["" if one is None else str(one.get_content()) for one in bodies]


def take_back(town: Town, giver: str, taker: str, role: str, *, case: int | None = None) -> None:
    assert revoke(town.desk, taker, role, asked(town, giver, "revoke"), case=case) == 1


def leave_signature(town: Town, case: int) -> None:
    """The student leaves a signature to the handler, whom mail reaches."""
    grant(town, "handler.s1", "handler", "S1")
    own_account(town, "zhao", FIRST)
    address(town, "handler.s1")
    mandate = Mandate(taker="handler.s1", role="student", reason="因故不能返校")
    assert leave_to(town.desk, case, mandate, UNTIL, asked(town, "zhao", "leave")) == ()


def test_a_role_lent_at_a_unit_is_told_at_once_with_who_what_where_how_long_and_why(desk: tuple[Town, int]):
    town, case = desk
    with town.connection.writing():
        set_name(town.connection, "approver.s1", "王𠮷")
    lend(town, "approver.s1", "operator.s1", "site_approver")

    mail = mail_of(town, "operator.s1")
    said = letter(town, mail)

    assert said is not None
    [notice] = said.notices
    assert mail.slot.startswith("single/")
    assert (notice.message, notice.case, notice.state, notice.todo) == ("delegated", None, None, ())
    assert (notice.workflow.zh, notice.unit, notice.reason) == ("教学点审批人", "S1", "出差")
    assert notice.delegation is not None
    assert (notice.delegation.giver, notice.delegation.role.zh) == ("王𠮷", "教学点审批人")
    assert (notice.delegation.since, notice.delegation.until) == (NOW, UNTIL)
    assert notice.why.zh == "您受委派代行S1教学点审批人职责"
    for page in pages(said):
        assert "https://x.example/queue/todo" in page
        assert town.by_id(case).number not in page


def test_who_has_no_name_in_the_books_is_known_by_the_login(desk: tuple[Town, int]):
    town, _ = desk
    lend(town, "approver.s1", "operator.s1", "site_approver")

    notice = only_notice(town, "operator.s1")

    assert notice.delegation is not None
    assert notice.delegation.giver == "approver.s1"


def test_a_colleague_who_also_studies_is_known_by_the_login(desk: tuple[Town, int]):
    town, _ = desk
    own_account(town, "zhao", FIRST)
    grant(town, "zhao", "site_approver", "S1")
    town.know(FIRST, name="赵学生")
    lend(town, "zhao", "operator.s1", "site_approver")

    notice = only_notice(town, "operator.s1")

    assert notice.delegation is not None
    assert notice.delegation.giver == "zhao"


ENDS: dict[str, Callable[[Town], None]] = {
    "taken back": lambda town: take_back(town, "approver.s1", "operator.s1", "site_approver"),
    "lost by its giver": lambda town: town.edit(("role_grant", "until"), moment(NOW), login="approver.s1"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_role_that_is_lent_no_more_when_the_mail_leaves_is_no_news(
    desk: tuple[Town, int], end: Callable[[Town], None]
):
    town, _ = desk
    lend(town, "approver.s1", "operator.s1", "site_approver")
    mail = mail_of(town, "operator.s1")
    assert letter(town, mail) is not None

    end(town)

    assert letter(town, mail) is None


def test_a_delegation_is_news_up_to_its_last_moment(desk: tuple[Town, int]):
    town, _ = desk
    lend(town, "approver.s1", "operator.s1", "site_approver")
    mail = mail_of(town, "operator.s1")

    assert letter(town, mail, UNTIL) is not None
    assert letter(town, mail, UNTIL + timedelta(microseconds=1)) is None


def test_a_delegation_that_begins_later_is_told_at_once_with_the_day_it_begins(desk: tuple[Town, int]):
    town, _ = desk
    later = Mandate(taker="operator.s1", role="site_approver", reason="开会", since=SOON + timedelta(days=1))
    assert delegate(town.desk, "S1", later, UNTIL, asked(town, "approver.s1", "delegate")) == ()

    said = letter(town, mail_of(town, "operator.s1"))

    assert said is not None
    for page in pages(said):
        assert re.search(r"自2024年4月21日.{0,4}\s?11:00至", page), page
        assert "from 21 Apr 2024" in page, page


def test_one_that_is_over_is_no_news_because_a_longer_one_counts(desk: tuple[Town, int]):
    town, _ = desk
    short = Mandate(taker="operator.s1", role="site_approver", reason="开会")
    assert delegate(town.desk, "S1", short, SOON, asked(town, "approver.s1", "delegate")) == ()
    mail = mail_of(town, "operator.s1", NOW)
    lend(town, "approver.s1", "operator.s1", "site_approver")

    assert letter(town, mail, SOON) is not None
    assert letter(town, mail, SOON + timedelta(seconds=1)) is None


def test_a_case_lent_to_somebody_says_which_and_what_can_be_done(desk: tuple[Town, int]):
    town, case = desk
    lend_case(town, case, "approver.s1", "operator.s2", "site_approver")

    notice = only_notice(town, "operator.s2")

    assert (notice.message, notice.case, notice.workflow.zh) == ("delegated", town.by_id(case).number, "档案借阅")
    assert ([one.zh for one in notice.todo], notice.reason) == (["check"], "出差")
    assert notice.delegation is not None
    assert (notice.delegation.giver, notice.delegation.until) == ("approver.s1", UNTIL)


def test_a_case_lent_to_somebody_is_no_news_once_it_is_over(desk: tuple[Town, int]):
    town, case = desk
    lend_case(town, case, "approver.s1", "operator.s2", "site_approver")
    own_account(town, "zhao", FIRST)
    mail = mail_of(town, "operator.s2")
    town.decided(case, "check", "approver.s1")
    assert letter(town, mail) is not None, "lent it is, also in a state that is not the taker's turn"

    town.edit(("cases", "state"), "lent", id=case)

    assert letter(town, mail) is None


def test_a_case_handed_over_is_told_to_its_new_holder_as_long_as_it_is_theirs(desk: tuple[Town, int]):
    town, case = desk
    for login in ("operator.s1", "operator.s2"):
        grant(town, login, "site_approver", "S1")
    address(town, "both.s1")
    hand(town, case, "approver.s1", "operator.s2", "site_approver")

    mail = mail_of(town, "operator.s2")
    said = letter(town, mail)

    assert said is not None
    [notice] = said.notices
    assert notice.delegation is not None
    assert (notice.message, notice.delegation.until, notice.reason) == ("delegated", None, "调岗")
    assert notice.why.zh == "您是S1的教学点审批人"

    hand(town, case, "operator.s2", "both.s1", "site_approver")

    assert letter(town, mail) is None


def test_a_signature_left_to_somebody_names_no_student(desk: tuple[Town, int]):
    town, case = desk
    leave_signature(town, case)

    notice = only_notice(town, "handler.s1")

    assert notice.delegation is not None
    assert (notice.message, notice.delegation.giver) == ("delegated", None)
    assert notice.why.zh == "学生本人委托您签字"
    assert all(word not in repr(notice) for word in ("zhao", FIRST, "测试"))


def test_who_was_left_a_signature_is_shown_only_what_a_student_may_leave(district_url: str, library: Library):
    takes_back: Mapping[str, object] = {"from": "asked", "to": "lent", "by": {"role": "student"}}
    both = loan({**CHECK, "confirm": LOAN.transitions["confirm"].model_dump(by_alias=True), "take_back": takes_back})
    with lent(district_url, library, both) as (town, case):
        leave_signature(town, case)

        assert [one.zh for one in only_notice(town, "handler.s1").todo] == ["confirm"]


def test_what_is_taken_back_is_a_line_of_the_next_digest(desk: tuple[Town, int]):
    town, case = desk
    lend_case(town, case, "approver.s1", "operator.s2", "site_approver")
    town.connection.execute("DELETE FROM outbox")
    take_back(town, "approver.s1", "operator.s2", "site_approver", case=case)

    mail = mail_of(town, "operator.s2")
    said = letter(town, mail)

    assert said is not None
    [notice] = said.notices
    assert mail.slot.startswith("digest/")
    assert (notice.message, notice.case, notice.todo) == ("delegation_ended", town.by_id(case).number, ())
    assert notice.delegation is not None
    assert (notice.delegation.since, notice.delegation.until) == (None, NOW)

    lend_case(town, case, "approver.s1", "operator.s2", "site_approver")

    assert letter(town, mail) is None, "lent again"


def test_one_digest_tells_of_every_right_that_was_taken_back(desk: tuple[Town, int]):
    town, _ = desk
    address(town, "operator.t1")
    for unit in ("SX", "B1"):
        mandate = Mandate(taker="operator.s1", role="records_section", reason="出差")
        assert delegate(town.desk, unit, mandate, UNTIL, asked(town, "records.sx", "delegate")) == ()
    town.connection.execute("DELETE FROM outbox")
    assert revoke(town.desk, "operator.s1", "records_section", asked(town, "records.sx", "revoke")) == 2

    said = letter(town, mail_of(town, "operator.s1"))

    assert said is not None
    assert {(one.message, one.unit) for one in said.notices} == {("delegation_ended", "SX"), ("delegation_ended", "B1")}


def test_a_message_that_is_none_any_more_is_told_as_a_step_that_was_taken(sqlite_district: str, library: Library):
    old = loan({"check": {**CHECK["check"], "tell": {"to": "site_operator", "message": "sealed"}}})
    with lent(sqlite_district, library, old) as (town, case):
        address(town, "operator.s1")
        town.decided(case, "check", "approver.s1")

        notice = only_notice(town, "operator.s1")

        assert (notice.message, notice.state and notice.state.zh) == ("moved", "checked")


def test_the_mail_says_when_by_the_clocks_of_shanghai(desk: tuple[Town, int]):
    town, _ = desk
    lend(town, "approver.s1", "operator.s1", "site_approver")
    said = letter(town, mail_of(town, "operator.s1"))
    assert said is not None

    assert shanghai("2024-04-20 10:00") == NOW
    for page in pages(said):
        assert "2024年4月20日（周六）10:00 至 2024年6月19日（周三）10:00" in page
