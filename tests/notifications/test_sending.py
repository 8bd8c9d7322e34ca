"""Mails that are due leave, each at most once; what came of it is kept, and nothing is lost when a sender is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from email.message import EmailMessage
from random import Random

import pytest
from jinja2 import UndefinedError

from engine.desk import Desk
from engine.errors import Unknown
from engine.store import mails
from engine.store.database import Busy, Connection
from engine.store.leases import give_up
from engine.store.mails import Claim, MailRow, Noted
from notifications.mailers import Answer
from notifications.messages.envelopes import Unmailable
from notifications.sending import TRIES, Rate, Render, Sent, send
from tests.faults.mailroom import NOW, Slot, add_mails, address, fast, held, letter, mailroom, run, states
from tests.postgres import fresh_database
from tests.sabotage.office import rows

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REFUSED = Answer(outcome="later", text="451 later")
NO_SUCH_USER = Answer(outcome="never", text="550 no such user", about="address")
SPAM = Answer(outcome="never", text="554 spam")
NO_ANSWER = Answer(outcome="unknown", text="no answer came", about="system")
DOWN = Answer(outcome="later", text="cannot be reached", about="system")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def mail_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for the mails of all these tests, one after the other."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('mails') / 'xueji.db'}"
        else:
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgres_server")))
        stack.enter_context(mailroom(url, is_new=True))
        yield url


@pytest.fixture
def desk(mail_url: str) -> Iterator[Desk]:
    with mailroom(mail_url) as desk:
        for table in ("mail", "lease", "account"):
            desk.connection.execute(f"DELETE FROM {table}")  # noqa: S608 constant names
        add_mails(desk.connection, range(1, 4))
        yield desk


@pytest.fixture
def other(desk: Desk, mail_url: str) -> Iterator[Desk]:
    """Another process's desk on the same database."""
    assert not desk.connection.in_transaction
    with mailroom(mail_url) as other:
        yield other


def row_of(desk: Desk, number: int = 1) -> MailRow:
    row = mails.mail(desk.connection, number)
    assert row is not None
    return row


def send_written(desk: Desk, render: Render, at: datetime = NOW) -> Sent:
    """One run with mails that are written otherwise."""
    return send(desk, Slot(), render, lambda: at, held(desk, at), rate=fast())


def count(desk: Desk, slot: Slot, at: datetime, times: int) -> Sent:
    """Runs at one moment after another, each when the mail before is due again; the last run's answer."""
    sent = Sent()
    for _ in range(times):
        slot.answers[address(1)] = REFUSED
        sent = run(desk, slot, at)
        at = max(at, row_of(desk).not_before)
    return sent


def test_every_mail_that_is_due_leaves_once_and_its_answer_is_kept(desk):
    slot = Slot()

    sent = run(desk, slot)

    assert sent == Sent(accepted=3)
    assert slot.taken == {address(number): 1 for number in (1, 2, 3)}
    assert row_of(desk) == row_of(desk)._replace(state="accepted", attempts=1, answer="250 OK", changed_at=NOW)
    assert run(desk, slot) == Sent()


def test_a_mail_waits_until_it_is_due(desk):
    assert run(desk, Slot(), NOW - MINUTE) == Sent()
    assert set(states(desk.connection).values()) == {"waiting"}


def test_mails_leave_in_the_order_they_were_due(desk):
    add_mails(desk.connection, [4], at=NOW - HOUR)
    slot = Slot()

    run(desk, slot)

    assert list(slot.taken) == [address(number) for number in (4, 1, 2, 3)]


def test_a_mail_of_which_nothing_is_left_to_say_is_dropped(desk):
    slot = Slot()

    def render(row: MailRow, at: datetime) -> EmailMessage | None:
        return None if row.id == 2 else letter(row, at)

    sent = send(desk, slot, render, lambda: NOW, held(desk, NOW), rate=fast())

    assert sent == Sent(accepted=2, dropped=1)
    assert states(desk.connection) == {1: "accepted", 2: "dropped", 3: "accepted"}


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Unmailable("The address is no mail address."), "The address is no mail address."),
        (Unknown("学生 student", "李雷"), "Unknown"),
        (UndefinedError("'李雷' is undefined"), "UndefinedError"),
    ],
)
def test_a_mail_that_cannot_be_written_is_shown_without_names_and_does_not_hold_up_the_others(desk, problem, said):
    def render(row: MailRow, at: datetime) -> EmailMessage | None:
        if row.id == 1:
            raise problem
        return letter(row, at)

    sent = send_written(desk, render)

    assert sent == Sent(accepted=2, failed=1)
    assert row_of(desk).state == "failed"
    assert (row_of(desk).answer or "").endswith(said)


def test_a_busy_database_is_no_fault_of_a_mail(desk):
    def render(_row: MailRow, _at: datetime) -> EmailMessage | None:
        raise Busy

    with pytest.raises(Busy):
        send_written(desk, render)

    assert run(desk, Slot(), NOW + 10 * MINUTE) == Sent()
    assert run(desk, Slot(), NOW + 12 * MINUTE) == Sent(accepted=3)


def test_a_mail_refused_for_now_is_tried_again_after_a_wait_that_doubles(desk):
    slot, at, waits = Slot(), NOW, []
    for _ in range(6):
        slot.answers[address(1)] = REFUSED
        run(desk, slot, at)
        waits.append(row_of(desk).not_before - at)
        assert run(desk, slot, row_of(desk).not_before - timedelta(seconds=1)) == Sent()
        at = row_of(desk).not_before

    assert [round(wait / MINUTE / 2**tries, 1) for tries, wait in enumerate(waits)] == pytest.approx([1] * 6, abs=0.25)
    assert run(desk, slot, at) == Sent(accepted=1)
    assert slot.taken[address(1)] == 1


def test_a_mail_refused_for_three_days_has_failed_and_is_shown(desk):
    sent = count(desk, Slot(), NOW, TRIES)

    assert sent == Sent(failed=1)
    assert (row_of(desk).state, row_of(desk).answer) == ("failed", "451 later")
    assert 2 * DAY < row_of(desk).changed_at - NOW < 4 * DAY
    assert run(desk, Slot(), NOW + 30 * DAY) == Sent()


def test_an_address_refused_for_good_is_marked_and_the_mail_has_failed(desk):
    slot = Slot()
    slot.answers = {address(1): NO_SUCH_USER, address(2): SPAM}

    assert run(desk, slot) == Sent(failed=2, accepted=1)

    refused = rows(desk.connection, "SELECT login FROM account WHERE refused_at IS NOT NULL")
    assert refused == [("u1",)]
    assert run(desk, slot, NOW + DAY) == Sent()


def test_an_address_corrected_meanwhile_is_not_marked(desk, other):
    slot = Slot()
    slot.answers = {address(1): NO_SUCH_USER}
    sql = "UPDATE account SET email = 'new.address@people.invalid' WHERE login = 'u1'"
    slot.meanwhile["after"] = lambda: other.connection.execute(sql)

    run(desk, slot)

    assert rows(desk.connection, "SELECT count(*) FROM account WHERE refused_at IS NOT NULL") == [(0,)]


def test_a_mail_nobody_knows_about_is_never_tried_again_by_itself(desk):
    slot = Slot()
    slot.answers = {address(1): NO_ANSWER}

    assert run(desk, slot) == Sent(unknown=1, ended="system")
    assert run(desk, slot, NOW + 30 * DAY) == Sent(accepted=2)
    assert states(desk.connection) == {1: "unknown", 2: "accepted", 3: "accepted"}


def test_when_the_mail_system_is_down_one_mail_finds_out_for_all(desk):
    slot = Slot()
    slot.answers = {address(1): DOWN}

    assert run(desk, slot) == Sent(later=1, ended="system")
    assert [row_of(desk, number).attempts for number in (1, 2, 3)] == [1, 0, 0]
    assert states(desk.connection) == dict.fromkeys((1, 2, 3), "waiting")


def test_a_mail_system_that_is_not_well_is_left_alone_for_longer_each_time(desk):
    slot, rate, at, pauses = Slot(), fast(), NOW, []
    for _ in range(10):
        slot.answers = {address(number): DOWN for number in (1, 2, 3)}
        assert run(desk, slot, at, rate=rate).ended == "system"
        pause = timedelta(seconds=5)
        while rate.is_paused(at + pause):
            pause *= 2
        pauses.append(pause)
        at += DAY

    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
    assert pauses[-1] <= timedelta(minutes=11)
    slot.answers = {}
    assert run(desk, slot, at, rate=rate).accepted == 3


def test_while_the_mail_system_is_left_alone_nothing_is_taken(desk):
    slot, rate = Slot(), fast()
    slot.answers = {address(1): DOWN}
    run(desk, slot, rate=rate)

    assert run(desk, slot, NOW + timedelta(seconds=4), rate=rate) == Sent(ended="system")
    assert run(desk, slot, NOW + timedelta(seconds=5), rate=rate).accepted == 2


def test_no_more_leave_than_the_rate_allows_and_the_rest_goes_on_later(desk):
    rate, slot = Rate(6, Random(1)), Slot()  # noqa: S311 spreading tries, no secret

    assert run(desk, slot, rate=rate) == Sent(accepted=1, ended="rate")
    assert run(desk, slot, NOW + timedelta(seconds=9), rate=rate) == Sent(ended="rate")
    assert run(desk, slot, NOW + timedelta(seconds=10), rate=rate) == Sent(accepted=1, ended="rate")
    assert states(desk.connection)[3] == "waiting"


def test_a_worker_without_the_lease_sends_nothing(desk, other):
    old = held(desk, NOW, seconds=30)
    later = NOW + MINUTE
    held(other, later, holder="two")

    assert run(desk, Slot(), later, lease=old) == Sent(ended="lease")


def test_a_run_ends_with_its_lease_and_what_it_had_not_tried_is_free_at_once(desk, other):
    lease = held(desk, NOW, seconds=30)
    moments = iter([NOW] * 12)

    def at() -> datetime:
        return next(moments, NOW + MINUTE)

    sent = send(desk, Slot(), letter, at, lease, rate=fast())

    assert sent.ended == "lease"
    assert 0 < sent.accepted < 3
    assert run(other, Slot(), NOW + MINUTE, lease=held(other, NOW + MINUTE, holder="two")).accepted == 3 - sent.accepted


def test_a_mail_taken_by_a_worker_that_is_gone_is_tried_again_when_its_time_is_over(desk, other):
    lease = held(desk, NOW)
    with desk.connection.writing():
        mails.claim(desk.connection, Claim(epoch=lease.epoch, at=NOW, until=NOW + MINUTE, most=2))

    assert run(other, Slot(), NOW + MINUTE / 2, lease=lease) == Sent(accepted=1)
    assert run(other, Slot(), NOW + MINUTE, lease=lease) == Sent()
    assert "before it handed this over" in (row_of(desk).answer or "")
    assert run(other, Slot(), NOW + 3 * MINUTE, lease=lease) == Sent(accepted=2)
    assert [row_of(desk, number).attempts for number in (1, 2, 3)] == [2, 2, 1]


def test_a_mail_taken_under_an_older_lease_need_not_wait_until_that_time_is_over(desk, other):
    lease = held(desk, NOW, seconds=30)
    with desk.connection.writing():
        mails.claim(desk.connection, Claim(epoch=lease.epoch, at=NOW, until=NOW + HOUR, most=2))
    give_up(desk.connection, lease)
    lease = held(other, NOW, holder="two")

    assert run(other, Slot(), lease=lease) == Sent(accepted=1)
    assert run(other, Slot(), NOW + 2 * MINUTE, lease=lease) == Sent(accepted=2)


def test_a_mail_that_ends_its_worker_every_time_does_not_hold_up_the_others_and_has_failed_in_the_end(desk):
    def render(row: MailRow, at: datetime) -> EmailMessage | None:
        if row.id == 1:
            raise ArithmeticError  # stands for a process that is gone: nothing more is written
        return letter(row, at)

    at, deaths = NOW, 0
    while states(desk.connection)[1] != "failed":
        try:
            send_written(desk, render, at)
        except ArithmeticError:
            deaths += 1
        at += HOUR / 2

    assert deaths == TRIES
    assert at - NOW > 2 * DAY
    assert states(desk.connection) == {1: "failed", 2: "accepted", 3: "accepted"}


def handing_over(desk: Desk) -> tuple[Slot, MailRow]:
    """A sender that handed a mail over and was stopped there."""
    lease = held(desk, NOW, seconds=30)
    with desk.connection.writing():
        row = mails.claim(desk.connection, Claim(epoch=lease.epoch, at=NOW, until=NOW + MINUTE, most=1))[0]
        assert mails.hand_over(desk.connection, row, NOW, NOW + 20 * MINUTE)
    return Slot(), row


def test_a_mail_that_was_being_handed_over_when_its_worker_died_becomes_a_question(desk, other):
    slot, _ = handing_over(desk)

    assert run(other, slot, NOW + 19 * MINUTE, lease=held(other, NOW + 19 * MINUTE, holder="two")).accepted == 2
    assert states(desk.connection)[1] == "handing_over"
    assert run(other, slot, NOW + 20 * MINUTE, lease=held(other, NOW + 20 * MINUTE, holder="two")).unknown == 1
    assert states(desk.connection)[1] == "unknown"
    assert "nobody heard the answer" in (row_of(desk).answer or "")
    assert address(1) not in slot.taken


LATE = NOW + 30 * MINUTE


def said_late(desk: Desk, row: MailRow, state: str) -> bool:
    """A paused sender hears its answer at last."""
    with desk.connection.writing():
        return mails.note(desk.connection, row, Noted(state, "late", LATE), LATE)


@pytest.mark.parametrize("state", ["accepted", "failed", "waiting"])
def test_a_sure_answer_that_comes_late_settles_the_question(desk, other, state):
    slot, row = handing_over(desk)
    run(other, slot, LATE, lease=held(other, LATE, holder="two"))

    assert said_late(desk, row, state)
    assert row_of(desk).state == state


def settle(desk: Desk, state: str) -> bool:
    with desk.connection.writing():
        return mails.settle(desk.connection, row_of(desk), Noted(state, "said by staff", LATE), LATE)


def test_a_late_answer_spares_the_mail_that_staff_wanted_sent_again(desk, other):
    slot, row = handing_over(desk)
    run(other, slot, LATE, lease=held(other, LATE, holder="two"))
    assert settle(desk, "waiting")

    assert said_late(desk, row, "accepted")
    assert run(other, slot, LATE + HOUR, lease=held(other, LATE + HOUR, holder="two")) == Sent()


@pytest.mark.parametrize("state", ["accepted", "failed", "waiting", "unknown"])
def test_no_late_answer_changes_a_mail_that_another_has_taken_since(desk, other, state):
    slot, row = handing_over(desk)
    run(other, slot, LATE, lease=held(other, LATE, holder="two"))
    assert settle(desk, "waiting")
    assert run(other, slot, LATE, lease=held(other, LATE, holder="two")).accepted == 1
    kept = row_of(desk)

    assert not said_late(desk, row, state)
    assert row_of(desk) == kept


@pytest.mark.parametrize("state", ["accepted", "dropped"])
def test_what_staff_has_settled_stays_settled(desk, other, state):
    slot, row = handing_over(desk)
    run(other, slot, LATE, lease=held(other, LATE, holder="two"))
    assert settle(desk, state)

    assert not said_late(desk, row, "waiting")
    assert not settle(desk, "waiting")
    assert row_of(desk).state == state


def other_takes_over(other: Desk, slot: Slot) -> Callable[[], object]:
    """What happens while a sender is paused beyond its lease and its claims: another leads, and sends what waits."""

    def takes_over() -> None:
        lease = held(other, LATE, holder="two")
        for at in (LATE, LATE + 2 * MINUTE):
            run(other, slot, at, lease=lease)

    return takes_over


def test_a_sender_paused_before_handing_over_leaves_the_mail_to_whoever_took_over(desk, other):
    slow, quick = Slot(), Slot()
    slow.meanwhile["before"] = other_takes_over(other, quick)

    sent = run(desk, slow, lease=held(desk, NOW, seconds=30))

    assert sent == Sent(abandoned=1, ended="lease")
    assert not slow.taken
    assert quick.taken == {address(number): 1 for number in (1, 2, 3)}


def test_of_a_sender_paused_after_it_said_it_hands_over_the_mail_is_a_question_until_its_answer_comes(desk, other):
    slow, quick = Slot(), Slot()
    slow.meanwhile["after"] = other_takes_over(other, quick)

    run(desk, slow, lease=held(desk, NOW, seconds=30))

    assert address(1) not in quick.taken
    assert slow.taken + quick.taken == {address(number): 1 for number in (1, 2, 3)}
    assert set(states(desk.connection).values()) == {"accepted"}


def claimed(connection: Connection, epoch: int) -> list[int]:
    with connection.writing():
        return [row.id for row in mails.claim(connection, Claim(epoch=epoch, at=NOW, until=NOW + MINUTE, most=2))]


def test_two_who_take_mails_at_once_take_different_ones(desk, other):
    assert claimed(desk.connection, 1) == [1, 2]
    assert claimed(other.connection, 1) == [3]


def test_nobody_takes_a_mail_that_bears_a_later_epoch(desk):
    assert claimed(desk.connection, 5) == [1, 2]
    desk.connection.execute("UPDATE mail SET state = 'waiting'")

    assert claimed(desk.connection, 4) == [3]


def test_mails_are_counted_by_state_and_listed_latest_first(desk):
    slot = Slot()
    slot.answers = {address(2): SPAM}
    run(desk, slot)
    run(desk, slot, NOW + MINUTE)

    assert mails.counts(desk.connection) == {"accepted": 2, "failed": 1}
    assert [row.id for row in mails.mails(desk.connection, ["accepted"], 10)] == [3, 1]
    assert [row.id for row in mails.mails(desk.connection, mails.OPEN_QUESTIONS, 10)] == [2]
