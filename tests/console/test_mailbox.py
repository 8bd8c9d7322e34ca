"""Staff see which mails have not arrived for sure, and say what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest
from typer.testing import CliRunner, Result

from console.commands import _answering, _group
from console.mail_commands import mails_in
from engine.store import mails
from engine.store.database import Connection
from engine.store.mails import MailRow
from engine.trail.event import moment
from tests.console.counter import NOW, Counter
from tests.faults.mailroom import mailroom

REASON = "电话确认 asked by telephone"


class Desk:
    """`xueji mail` on a counter with five mails."""

    def __init__(self, counter: Counter, connection: Connection) -> None:
        self.connection = connection
        self._counter = counter
        at = moment(datetime.fromisoformat("2024-05-12T08:00+08:00"))
        rows = [
            (number, f"person/u{number}", f"single/{number}", state, at, 1, 0, f"answer {number}", at)
            for number, state in enumerate(("waiting", "accepted", "failed", "unknown", "unknown"), 1)
        ]
        connection.executemany(
            "INSERT INTO mail (id, recipient, slot, state, not_before, attempts, epoch, answer, changed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def mail(self, *words: str) -> Result:
        app = mails_in(_group("邮件。Mails."), _answering)
        return CliRunner().invoke(app, list(words), obj=(self._counter.url, NOW), catch_exceptions=False)

    def settle(self, number: int, verdict: str, *, login: str = "rec", reason: str = REASON) -> Result:
        return self.mail("settle", str(number), verdict, "--as", login, "--reason", reason)

    def row(self, number: int) -> MailRow:
        row = mails.mail(self.connection, number)
        assert row is not None
        return row


@pytest.fixture
def desk(counter: Counter) -> Iterator[Desk]:
    with mailroom(counter.url) as room:
        yield Desk(counter, room.connection)


def test_the_list_counts_every_state_and_shows_what_needs_a_person(desk):
    result = desk.mail("list")

    assert result.exit_code == 0
    assert "待发送 waiting 1　已交付 accepted 1　未送达 failed 1　去向不明 unknown 2" in result.stdout
    assert [f"answer {number}" in result.stdout for number in range(1, 6)] == [False, False, True, True, True]


def test_one_state_is_listed_when_asked_for(desk):
    shown = desk.mail("list", "--state", "accepted").stdout

    assert "person/u2" in shown
    assert "person/u3" not in shown


def test_who_has_a_role_and_no_address_is_listed_with_what_was_missed(desk):
    desk.connection.execute("UPDATE account SET email = 'rec@school.example' WHERE login = 'rec'")
    desk.connection.execute(
        "INSERT INTO outbox (chain, seq, recipient, message, mail) VALUES (1, 1, 'person/op', 'approved', -1)"
    )

    shown, told = desk.mail("unreachable"), desk.mail("unreachable", "--json")

    assert (shown.exit_code, told.exit_code) == (1, 1)
    assert "无邮箱 no address" in shown.stdout
    found = json.loads(told.stdout)
    assert "person/rec" not in {one["person"] for one in found["staff"]}
    assert found["missed"] == [{"recipient": "person/op", "messages": 1}]


def test_a_state_that_is_none_is_answered_with_the_nearest(desk):
    result = desk.mail("list", "--state", "unknwon")

    assert result.exit_code == 2
    assert "Did you mean 'unknown'?" in result.stderr


def test_the_list_as_a_document(desk):
    result = desk.mail("list", "--state", "waiting", "--json")

    assert '"counts"' in result.stdout
    assert '"recipient": "person/u1"' in result.stdout


@pytest.mark.parametrize(
    ("number", "verdict", "state"),
    [
        (3, "again", "waiting"),
        (4, "accepted", "accepted"),
        (4, "again", "waiting"),
        (5, "dropped", "dropped"),
    ],
)
def test_a_person_says_what_became_of_a_mail_and_who_and_why_is_kept(desk, number, verdict, state):
    assert desk.settle(number, verdict).exit_code == 0

    row = desk.row(number)
    assert (row.state, row.answer) == (state, f"rec：{REASON}")
    assert (row.attempts, row.not_before.isoformat()) == (
        (0, "2024-05-13T01:30:00+00:00") if verdict == "again" else (1, "2024-05-12T00:00:00+00:00")
    )


@pytest.mark.parametrize("number", [1, 2])
def test_a_mail_that_is_no_question_is_left_as_it_is(desk, number):
    was = desk.row(number)

    result = desk.settle(number, "again")

    assert result.exit_code == 1
    assert "nothing to settle" in result.stdout
    assert desk.row(number) == was


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"number": 99, "verdict": "again"}, "No 邮件 mail '99'"),
        ({"number": 4, "verdict": "agian"}, "Did you mean 'again'?"),
        ({"number": 4, "verdict": "again", "login": "op"}, "it needs records_section"),
        ({"number": 4, "verdict": "again", "login": "nobody"}, "No 用户 user"),
        ({"number": 4, "verdict": "again", "reason": " "}, "Say how you know"),
    ],
)
def test_what_cannot_be_meant_changes_nothing_and_says_why(desk, asked, said):
    result = desk.settle(**asked)

    assert result.exit_code == 2
    assert said in result.stderr
    assert desk.row(4).state == "unknown"
