"""What a mail says is worked out when it leaves: what is settled by then is left out, and an empty mail is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

import pytest

from engine.absences import Away, change, end, tell
from engine.calendars import calendar_of
from engine.copying import send_copy
from engine.library import Library
from engine.organisation import disable, end_role, give_role
from engine.retracting import retract
from engine.store import absences
from engine.store.deadlines import of_case
from engine.store.mails import MailRow, mails
from engine.store.people import set_name
from engine.trail.event import moment
from engine.viewing import MANY_REVEALS, Purpose, Reason, reveal
from notifications.composing import Hours, compose
from notifications.lettering import Letters, left_of
from notifications.messages.letters import Left, Letter, Notice
from notifications.messages.rendering import Messages
from notifications.messages.wording import local
from notifications.scanning import scan
from tests.engine.lab import CHECK, loan, opened, rule, working
from tests.engine.town import FIRST, NOW, SECOND, Town
from tests.notifications.lending import WEEK, address, away, lend, lent, own_account, reminded, shanghai

TENTH = shanghai("2024-05-10 09:00")


@pytest.fixture
def waiting(district_url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """A loan to be checked by 13 May, whose approver mail reaches."""
    with lent(district_url, library, reminded()) as (town, case):
        address(town, "approver.s1")
        yield town, case


def write_to(town: Town, at: datetime) -> None:
    """Find what is due and put it into mails."""
    scan(town.desk, at, 1000)
    compose(town.desk, at, Hours())


def mail_of(town: Town, login: str = "approver.s1") -> MailRow:
    return next(one for one in mails(town.connection, ["waiting"], 100) if one.recipient == f"person/{login}")


def letter(town: Town, at: datetime, login: str = "approver.s1") -> Letter | None:
    return Letters(town.desk).letter(mail_of(town, login), at)


def read(town: Town, at: datetime, login: str = "approver.s1") -> Letter:
    found = letter(town, at, login)
    assert found is not None
    return found


def test_a_reminder_says_what_until_when_what_to_do_and_why(waiting: tuple[Town, int]):
    town, case = waiting
    with town.connection.writing():
        set_name(town.connection, "approver.s1", "王𠮷")
    write_to(town, TENTH)

    said = read(town, TENTH)
    [notice] = said.notices

    assert (said.to, said.name, said.slot, said.at) == ("approver.s1@example.org", "王𠮷", "digest/2024-05-10", TENTH)
    assert (notice.message, notice.case, notice.unit) == ("approaching", town.by_id(case).number, "S1")
    assert notice.state is not None
    assert notice.deadline is not None
    assert (notice.workflow.zh, notice.state.zh, notice.step) == ("档案借阅", "asked", None)
    assert (notice.deadline.zh, notice.deadline_name) == ("审核期限", "D-01")
    assert (notice.due_at, notice.left) == (shanghai("2024-05-13 23:59:59"), Left(days=3, working_days=2))
    assert [one.zh for one in notice.todo] == ["check"]
    assert notice.why.zh.startswith("您是S1的")
    assert (notice.is_provisional, notice.reason) == (False, None)


def test_the_same_mail_has_the_same_message_id_whenever_it_is_written(waiting: tuple[Town, int]):
    town, _ = waiting
    write_to(town, TENTH)
    mail = mail_of(town)

    first, second = (Letters(town.desk).letter(mail, TENTH + timedelta(hours=hours)) for hours in (0, 5))

    assert first is not None
    assert second is not None
    assert first.message_id == second.message_id == f"<{mail.id}.digest.2024-05-10@xueji.test>"


def test_nothing_is_left_to_say_when_the_case_has_left_its_deadline(waiting: tuple[Town, int]):
    town, case = waiting
    write_to(town, TENTH)
    town.decided(case, "check", "approver.s1")

    assert letter(town, TENTH) is None


def test_what_is_settled_is_left_out_and_the_rest_is_told(sqlite_district: str, library: Library):
    with working(sqlite_district, library, [reminded()]) as town:
        address(town, "approver.s1")
        done, left = (opened(town, "loan", number) for number in (FIRST, SECOND))
        write_to(town, TENTH)
        assert len(read(town, TENTH).notices) == 2

        town.decided(done, "check", "approver.s1")

        assert [one.case for one in read(town, TENTH).notices] == [town.by_id(left).number]


def test_a_deadline_whose_rules_settle_it_is_left_out_and_returns_with_them(sqlite_district: str, library: Library):
    photo = rule("photo_collected")
    definition = reminded({"to": ["site_approver"]}, settled=["photo-there"])
    with working(sqlite_district, library, [definition], photo_there=photo) as town:
        address(town, "approver.s1")
        town.know(FIRST, photo_collected=False)
        opened(town, "loan")
        write_to(town, TENTH)
        assert letter(town, TENTH) is not None

        town.know(FIRST, photo_collected=True)
        assert letter(town, TENTH) is None

        town.know(FIRST, photo_collected=False)
        assert letter(town, TENTH) is not None


def test_a_date_that_has_moved_is_not_told_as_it_was(waiting: tuple[Town, int]):
    town, case = waiting
    write_to(town, TENTH)
    town.edit(("deadline", "due_at"), moment(shanghai("2024-05-20 23:59:59")), case_id=case, name="D-01")

    assert letter(town, TENTH) is None


def test_of_several_reminders_of_one_deadline_a_mail_tells_the_newest(waiting: tuple[Town, int]):
    town, _ = waiting
    for day in (16, 17, 18):
        scan(town.desk, shanghai(f"2024-05-{day} 09:00"), 100)
    compose(town.desk, shanghai("2024-05-18 09:01"), Hours())

    [notice] = read(town, shanghai("2024-05-18 09:10")).notices

    assert (notice.message, notice.left) == ("overdue", Left(days=-5, working_days=-4))


def test_without_an_address_there_is_no_letter_any_more(waiting: tuple[Town, int]):
    town, _ = waiting
    write_to(town, TENTH)
    town.edit(("account", "email"), None, login="approver.s1")

    assert letter(town, TENTH) is None


@pytest.mark.parametrize("refused", [None, "2024-05-01T00:00:00.000000Z"])
def test_an_address_that_refused_gets_no_letter(waiting: tuple[Town, int], refused: str | None):
    town, _ = waiting
    write_to(town, TENTH)
    town.edit(("account", "refused_at"), refused, login="approver.s1")

    assert (letter(town, TENTH) is None) == (refused is not None)


def test_who_stands_in_reads_that_it_is_for_somebody_else(waiting: tuple[Town, int]):
    town, _ = waiting
    lend(town, "approver.s1", "operator.s1", "site_approver")
    away(town, "approver.s1", "2024-05-01", "2024-05-31")
    address(town, "operator.s1")
    write_to(town, TENTH)

    [notice] = read(town, TENTH, "operator.s1").notices

    assert "委派" in notice.why.zh
    assert [one.zh for one in notice.todo] == ["check"]


TOLD: Mapping[str, Mapping[str, object]] = {
    "check": {**CHECK["check"], "tell": ["site_operator", "student"]},
    "send_back": {"from": "checked", "to": "asked", "kind": "return", "by": "records_section", "tell": "site_approver"},
    "close": {"from": "checked", "to": "lent", "by": "records_section"},
}


def test_news_says_what_was_done_and_how_the_case_stands(sqlite_district: str, library: Library):
    with lent(sqlite_district, library, loan(TOLD)) as (town, case):
        address(town, "operator.s1")
        town.decided(case, "check", "approver.s1")
        compose(town.desk, TENTH, Hours())

        [notice] = read(town, TENTH, "operator.s1").notices

        assert notice.step is not None
        assert notice.state is not None
        assert (notice.message, notice.step.zh, notice.state.zh, notice.due_at) == ("moved", "check", "checked", None)


def test_news_of_a_state_that_is_past_is_no_news_but_to_the_student(sqlite_district: str, library: Library):
    with lent(sqlite_district, library, loan(TOLD)) as (town, case):
        own_account(town, "zhao", FIRST)
        address(town, "operator.s1", "zhao")
        town.decided(case, "check", "approver.s1")
        compose(town.desk, TENTH, Hours())
        town.decided(case, "close", "records.sx")

        assert letter(town, TENTH, "operator.s1") is None
        [notice] = read(town, TENTH, "zhao").notices
        assert notice.state is not None
        assert (notice.state.zh, notice.why.zh) == ("lent", "这是您本人的业务")


def test_a_case_that_came_back_says_why_even_when_it_has_gone_on(sqlite_district: str, library: Library):
    with lent(sqlite_district, library, loan(TOLD)) as (town, case):
        address(town, "approver.s1")
        town.decided(case, "check", "approver.s1")
        town.decided(case, "send_back", "records.sx", reason="缺借阅单")
        compose(town.desk, TENTH, Hours())
        town.decided(case, "check", "approver.s1")

        [notice] = read(town, TENTH).notices

        assert (notice.message, notice.reason) == ("returned", "缺借阅单")


def test_a_step_that_was_taken_back_is_told_to_nobody(sqlite_district: str, library: Library):
    undo = {"check": {**CHECK["check"], "tell": "site_approver", "retractable": True}}
    with lent(sqlite_district, library, loan(undo)) as (town, case):
        address(town, "approver.s1")
        town.decided(case, "check", "approver.s1")
        compose(town.desk, TENTH, Hours())
        retract(town.desk, case, town.request("check", "approver.s1"))

        assert letter(town, TENTH) is None


def test_a_moved_date_is_told_with_the_old_one(sqlite_district: str, library: Library):
    deadline = {**WEEK, "due": "days_after(enrolled_on, 804)", "remind": {"to": ["site_approver"], "before": ["7d"]}}
    with lent(sqlite_district, library, loan(CHECK, deadlines={"D-01": deadline})) as (town, case):
        address(town, "approver.s1")
        [before] = of_case(town.connection, case)
        town.know(FIRST, enrolled_on="2022-03-06")
        [after] = of_case(town.connection, case)
        compose(town.desk, TENTH, Hours())

        [notice] = read(town, TENTH).notices

        assert (notice.message, notice.due_at, notice.was_due_at) == ("deadline_moved", after.due_at, before.due_at)
        assert notice.sequence == after.sequence


def test_what_is_counted_in_working_days_of_a_year_not_announced_is_provisional(sqlite_district: str, library: Library):
    deadline = {**WEEK, "due": "working_days_after(days_after(case.opened_on, 3000), 5)"}
    remind = {"to": ["site_approver"], "before": ["7d"]}
    with lent(sqlite_district, library, loan(CHECK, deadlines={"D-01": {**deadline, "remind": remind}})) as (
        town,
        case,
    ):
        address(town, "approver.s1")
        [row] = of_case(town.connection, case)
        assert row.due_at is not None
        at = row.due_at - timedelta(days=5)
        write_to(town, at)

        assert read(town, at).notices[0].is_provisional


@pytest.mark.parametrize(
    ("due", "at", "left"),
    [
        ("2024-05-13 23:59:59", "2024-05-13 09:00", (0, 0)),
        ("2024-05-13 23:59:59", "2024-05-12 23:59", (1, 1)),
        ("2024-05-13 23:59:59", "2024-04-30 09:00", (13, 7)),
        ("2024-05-13 23:59:59", "2024-05-14 00:00", (-1, -1)),
        ("2024-04-30 23:59:59", "2024-05-06 09:00", (-6, -1)),
    ],
)
def test_the_days_left_are_counted_by_the_calendar(library: Library, due: str, at: str, left: tuple[int, int]):
    calendar = calendar_of(library.rulebook.calendar, "online-ed")

    assert left_of(shanghai(due), calendar, shanghai(at)) == Left(days=left[0], working_days=left[1])
    assert left_of(shanghai(due), None, shanghai(at)) == Left(days=left[0], working_days=None)


def test_of_a_colleague_who_is_shown_much_the_mail_names_the_colleague_and_no_case(waiting: tuple[Town, int]):
    town, _ = waiting
    give_role(town.desk, "sec.sx", "security_admin", "SX", at=NOW, actor="setup")
    address(town, "sec.sx")
    with town.connection.writing():
        set_name(town.connection, "operator.s1", "林𠮷")
    why, record = Reason(purpose=Purpose.CHECK), town.record(FIRST)
    for _ in range(MANY_REVEALS + 1):
        reveal(town.desk, record, ["id_number"], why, town.request("reveal", "operator.s1"))
    compose(town.desk, NOW, Hours())

    [notice] = read(town, NOW, "sec.sx").notices

    assert (notice.message, notice.person, notice.case, notice.state) == ("revealed_often", "林𠮷", None, None)
    assert notice.unit == "S1"


@pytest.fixture
def looked_after(waiting: tuple[Town, int]) -> Town:
    """Somebody who looks after the people of the school, by name."""
    town, _ = waiting
    give_role(town.desk, "people.sx", "security_admin", "SX", at=NOW, actor="setup")
    with town.connection.writing():
        set_name(town.connection, "people.sx", "林𠮷")
    return town


def days_away(ahead: int) -> tuple[date, date]:
    return local(NOW).date() + timedelta(days=ahead), local(NOW).date() + timedelta(days=ahead + 3)


def told_away(town: Town, days: tuple[date, date]) -> None:
    away = Away(login="approver.s1", first=days[0], last=days[1], reason="电话请假")
    assert tell(town.desk, away, town.request("absence", "people.sx")) == ()


def of_absences(town: Town) -> list[Notice]:
    compose(town.desk, NOW, Hours())
    return [one for one in read(town, NOW, "approver.s1").notices if one.message == "absence"]


def test_who_is_told_to_be_away_reads_by_whom_which_days_and_why(looked_after: Town):
    told_away(looked_after, days_away(0))

    [notice] = of_absences(looked_after)

    assert (notice.person, notice.away, notice.reason, notice.unit) == ("林𠮷", days_away(0), "电话请假", "S1")
    assert notice.was_away is None


def test_of_two_absences_told_in_one_mail_both_are_read_and_of_one_that_is_ended_which_days_ended(looked_after: Town):
    told_away(looked_after, days_away(0))
    told_away(looked_after, days_away(9))
    assert [one.away for one in of_absences(looked_after)] == [days_away(0), days_away(9)]

    [first, _] = absences.of_person(looked_after.connection, "approver.s1")
    end(looked_after.desk, first.id, looked_after.request("absence_end", "people.sx"))

    found = [(one.away, one.was_away, one.reason) for one in of_absences(looked_after)]
    assert found == [(days_away(9), None, "电话请假"), (None, days_away(0), None)]


def test_an_absence_that_is_changed_is_read_once_with_the_days_before_and_now(looked_after: Town):
    told_away(looked_after, days_away(0))
    [row] = absences.of_person(looked_after.connection, "approver.s1")
    away = Away(login="approver.s1", first=days_away(1)[0], last=days_away(1)[1], reason="再请一天")
    change(looked_after.desk, row.id, away, row.told_at, looked_after.request("absence", "people.sx"))

    found = [(one.away, one.was_away, one.reason) for one in of_absences(looked_after)]

    assert found == [(days_away(1), days_away(0), "再请一天")]


# --- a copy that a colleague sends (抄送) --------------------------------------------------------------------------


@pytest.fixture
def shown(waiting: tuple[Town, int]) -> tuple[Town, int]:
    """The same, of which the operator has sent the approver a copy with a few words."""
    town, case = waiting
    with town.connection.writing():
        set_name(town.connection, "operator.s1", "林𠮷")
    request = town.request("copy", "operator.s1")
    assert send_copy(town.desk, case, ["approver.s1"], "签名页已补，问 13800138000", request) == ()
    compose(town.desk, NOW, Hours())
    return town, case


def test_a_copy_goes_with_the_digest_and_says_from_whom_with_which_words(shown: tuple[Town, int]):
    town, case = shown

    assert mail_of(town).slot.startswith("digest/")
    [notice] = [one for one in read(town, NOW).notices if one.message == "copied"]
    assert (notice.person, notice.reason) == ("林𠮷", "签名页已补，问 13800138000")
    assert (notice.case, notice.why.zh) == (town.by_id(case).number, "同事抄送给您")


def test_the_mail_of_a_copy_names_the_colleague_inside_only_and_no_telephone(shown: tuple[Town, int]):
    town, _ = shown
    messages = Messages(
        None,
        url="https://xueji.example/",
        sender="学籍科 <records@school.example>",
        log="xueji/0a1b",
        is_rehearsal=False,
    )

    mail = messages.mail(read(town, NOW))

    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        said = re.sub(r"<[^>]+>", "", str(body.get_content()))
        assert re.search(r"抄送人 From\s*：?\s*林𠮷", said)
        assert "签名页已补，问 ****" in said
    assert "林𠮷" not in str(mail["Subject"])


def test_a_copy_is_told_also_when_the_case_has_gone_on(shown: tuple[Town, int]):
    town, case = shown
    town.decided(case, "check", "approver.s1")

    assert "copied" in {one.message for one in read(town, NOW).notices}


def test_who_may_not_see_the_case_any_more_or_is_kept_out_reads_no_copy(shown: tuple[Town, int]):
    town, _ = shown
    with town.undone():
        disable(town.desk, "approver.s1", at=NOW, actor="setup")
        assert letter(town, NOW) is None

    end_role(town.desk, "approver.s1", "site_approver", "S1", at=NOW, actor="setup")

    assert letter(town, NOW) is None
