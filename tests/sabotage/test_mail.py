"""Promise 2, its other half: what has been told by mail is told once."""

from __future__ import annotations

from datetime import timedelta

from engine.store import mails
from engine.store.database import INTEGRITY_ERRORS, Connection
from engine.store.mails import Claim, MailRow, Noted
from engine.trail.event import moment
from notifications.mailers import Patience, Relay, SmtpMailer
from tests.faults.mail_server import TAKE_AND_DROP, Office, serving
from tests.faults.mailroom import NOW, Slot, add_mails, address, held, mailroom, message_id, run, states
from tests.sabotage.builds import although, breaks_under
from tests.sabotage.mail_switches import (
    DOUBTFUL_TRIED_AGAIN,
    EPOCH_IGNORED,
    LEASE_NOT_ASKED,
    NEITHER_LEASE_NOR_EPOCH,
    NO_SLOT,
)
from tests.sabotage.office import attempt

HOUR = timedelta(hours=1)
LATER, SOON_AFTER, MUCH_LATER = NOW + HOUR, NOW + HOUR + HOUR / 20, NOW + 3 * HOUR


class _DiedError(Exception):
    """A sender is no more."""


def dies() -> None:
    raise _DiedError


def compose(connection: Connection, number: int) -> object:
    """What each of two who compose at once does: a mail for a slot that is the same for both."""
    sql = (
        "INSERT INTO mail (recipient, slot, state, not_before, attempts, epoch, changed_at)"
        " VALUES (?, ?, 'waiting', ?, 0, 0, ?)"
    )
    params = (f"person/u{number}", f"single/{number}", moment(NOW), moment(NOW))
    return attempt(lambda: connection.execute(sql, params))


def taken_in(connection: Connection, epoch: int) -> MailRow:
    """A sender takes the mail, and is slow from then on."""
    with connection.writing():
        (row,) = mails.claim(connection, Claim(epoch=epoch, at=NOW, until=NOW + HOUR / 2, most=1))
    return row


@breaks_under(NO_SLOT)
def test_what_two_compose_at_once_is_one_mail(build, database_url):
    with build.tried(), mailroom(database_url, is_new=True) as one, mailroom(database_url) as two:
        slot = Slot()
        compose(one.connection, 7)

        refused = compose(two.connection, 7)
        run(one, slot)

        assert slot.taken == {address(7): 1}
        assert isinstance(refused, INTEGRITY_ERRORS)


@breaks_under(DOUBTFUL_TRIED_AGAIN)
def test_a_mail_taken_by_a_server_that_gave_no_answer_is_not_sent_again(build, sqlite_url):
    drops = iter([TAKE_AND_DROP])
    with build.tried(), mailroom(sqlite_url, is_new=True) as desk:
        add_mails(desk.connection, [1])
        with serving(Office(fault=lambda step, _: next(drops, None) if step == "DATA" else None)) as office:
            relay = Relay(host="127.0.0.1", port=office.port, security="none")
            for at in (NOW, LATER, MUCH_LATER):
                run(desk, SmtpMailer(relay, Patience(reply=2, end=2)), at)

        assert office.taken == {message_id(1): 1}
        assert states(desk.connection) == {1: "unknown"}


@breaks_under(DOUBTFUL_TRIED_AGAIN)
def test_a_mail_whose_sender_died_while_handing_it_over_is_not_sent_again(build, database_url):
    with build.tried(), mailroom(database_url, is_new=True) as desk:
        add_mails(desk.connection, [1])
        slot = Slot()
        slot.meanwhile["taken"] = dies
        try:
            run(desk, slot)
        except _DiedError:
            run(desk, slot, MUCH_LATER)

        assert slot.taken == {address(1): 1}
        assert states(desk.connection) == {1: "unknown"}


@breaks_under(EPOCH_IGNORED, although(LEASE_NOT_ASKED))
def test_a_late_no_to_a_paused_sender_does_not_bring_back_what_another_has_handed_over(build, database_url):
    with build.tried(), mailroom(database_url, is_new=True) as slow, mailroom(database_url) as quick:
        add_mails(slow.connection, [1])
        row = taken_in(slow.connection, held(slow, NOW, seconds=30).epoch)
        slot = Slot()
        refused = Noted("waiting", "451 try again", LATER)
        slot.meanwhile = {"after": lambda: mails.note(slow.connection, row, refused, LATER), "taken": dies}
        run(quick, Slot(), LATER, lease=held(quick, LATER, holder="two"))  # sees that it was left behind
        try:
            run(quick, slot, SOON_AFTER, lease=held(quick, SOON_AFTER, holder="two"))
        except _DiedError:
            run(quick, slot, MUCH_LATER, lease=held(quick, MUCH_LATER, holder="three"))

        assert slot.taken == {address(1): 1}
        assert states(quick.connection) == {1: "unknown"}


@breaks_under(although(EPOCH_IGNORED), although(LEASE_NOT_ASKED), NEITHER_LEASE_NOR_EPOCH)
def test_a_sender_paused_beyond_its_lease_sends_nothing_that_another_has_taken(build, database_url):
    with build.tried(), mailroom(database_url, is_new=True) as slow, mailroom(database_url) as quick:
        add_mails(slow.connection, [1])
        slot = Slot()

        def another_takes_it() -> None:
            lease = held(quick, LATER, holder="two")
            with quick.connection.writing():
                for row in mails.left_behind(quick.connection, lease.epoch, LATER):
                    mails.note(quick.connection, row, Noted("waiting", None, LATER), LATER)
                mails.claim(quick.connection, Claim(epoch=lease.epoch, at=LATER, until=MUCH_LATER, most=1))

        slot.meanwhile["before"] = another_takes_it
        run(slow, slot, lease=held(slow, NOW, seconds=30))

        assert not slot.taken
