"""A worker that stands still: whoever takes over is held up by nothing, and nothing comes of what it does late."""

from pathlib import Path

import pytest

from tests.faults.workers import FIRST_RUNG, Hands, Shop, mails, one_day, owing, until
from tests.sabotage.office import replayed

STUDENTS = 8
READ_A_PAGE = ("UPDATE outbox SET mail", "SELECT a.login")
"""Composing: messages to roles are spread; a page of those to people is read, and how to reach them is asked next."""


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("WITH due AS", id="holding the lease", marks=pytest.mark.heavy),
        pytest.param("UPDATE cases SET seq", id="holding a case", marks=pytest.mark.heavy),
        pytest.param("UPDATE mail SET changed_at", id="holding a mail", marks=pytest.mark.heavy),
    ],
)
def test_a_worker_that_stands_still_in_a_transaction_holds_nobody_up(postgres_premises, tmp_path: Path, statement: str):
    shop = Shop(premises=postgres_premises, folder=tmp_path)
    with owing(shop.premises, STUDENTS) as office, shop.workers(1, stops_before=[statement]) as [still]:
        hands = Hands(connection=office.desk.connection, file=shop.shift)
        hands.set_to(FIRST_RUNG)
        until(lambda: still.is_stopped)

        with shop.workers(1) as [other]:
            one_day(hands, FIRST_RUNG, "before:7d", STUDENTS)
            still.resume()
            until(lambda: "database lost" in still.said)
            assert [still.end(), other.end()] == [0, 0]

        assert set(shop.left().values()) == {1}
        assert replayed(office).diverged == ()


def test_a_worker_that_stood_still_while_another_gathered_its_page_makes_no_mail_of_it(premises, tmp_path: Path):
    shop = Shop(premises=premises, folder=tmp_path)
    with owing(shop.premises, STUDENTS) as office, shop.workers(1, stops_before=READ_A_PAGE) as [still]:
        hands = Hands(connection=office.desk.connection, file=shop.shift)
        hands.set_to(FIRST_RUNG)
        until(lambda: still.is_stopped)
        with shop.workers(1) as [other]:
            one_day(hands, FIRST_RUNG, "before:7d", STUDENTS)
            assert other.end() == 0

        still.resume()
        until(lambda: "event=compose" in still.said)

        assert mails(office.desk.connection) == {"accepted": len(shop.left())}
