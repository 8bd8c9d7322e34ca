"""Addresses, names and absences at the counter."""

from __future__ import annotations

import sqlite3

import pytest

from tests.console.counter import Counter


def kept(counter: Counter, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(counter.url.removeprefix("sqlite:///"))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_an_address_and_a_name_are_kept_and_taken_away_again(empty: Counter):
    empty.done("user", "address", "op", "op@example.org", "--name", "王𠮷")
    assert kept(empty, "SELECT email, name FROM account WHERE login = 'op'") == [("op@example.org", "王𠮷")]

    empty.done("user", "address", "op", "--none")
    assert kept(empty, "SELECT email, name FROM account WHERE login = 'op'") == [(None, "王𠮷")]


def test_a_new_address_has_refused_nothing_and_gets_what_was_missed(empty: Counter):
    connection = sqlite3.connect(empty.url.removeprefix("sqlite:///"))
    connection.execute("UPDATE account SET refused_at = '2024-05-01T00:00:00.000000Z' WHERE login = 'op'")
    connection.execute(
        "INSERT INTO outbox (chain, seq, recipient, message, mail) VALUES (1, 1, 'person/op', 'moved', -1)"
    )
    connection.commit()
    connection.close()

    result = empty.done("user", "address", "op", "op@example.org")

    assert "待发消息 1 条" in result.stdout
    assert kept(empty, "SELECT refused_at FROM account WHERE login = 'op'") == [(None,)]
    assert kept(empty, "SELECT mail FROM outbox WHERE recipient = 'person/op'") == [(None,)]


@pytest.mark.parametrize(
    "words",
    [
        ("op",), ("op", "op@example.org", "--none"), ("op", "op.example.org"), ("op", "op@example.org\nBcc: x@x.org"),
        ("op", "--name", "王\r\nBcc: x@x.org"), ("nobody", "op@example.org"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_changes_nothing(empty: Counter, words: tuple[str, ...]):
    result = empty.xueji("user", "address", *words)

    assert result.exit_code == 2
    assert result.stderr
    assert kept(empty, "SELECT DISTINCT email, name FROM account") == [(None, None)]


def test_absences_are_set_listed_and_cleared(empty: Counter):
    empty.done("absence", "set", "op", "2024-05-10", "2024-05-14")
    again = empty.done("absence", "set", "op", "2024-05-10", "2024-05-14")
    empty.done("absence", "set", "ap", "2024-06-01", "2024-06-01")

    assert "原已登记" in again.stdout
    assert empty.document("absence", "list") == [
        {"login": "ap", "from": "2024-06-01", "to": "2024-06-01"},
        {"login": "op", "from": "2024-05-10", "to": "2024-05-14"},
    ]
    assert "不在岗" in empty.done("absence", "list", "op").stdout

    empty.xueji("absence", "clear", "op", now="2024-05-14T10:00:00+08:00")
    empty.xueji("absence", "clear", "ap", now="2024-06-02T10:00:00+08:00")
    assert [one["login"] for one in empty.document("absence", "list")] == ["ap"], "what is over stays"


@pytest.mark.parametrize(
    "words",
    [("op", "2024-05-14", "2024-05-10"), ("op", "20240514x", "2024-05-20"), ("nobody", "2024-05-14", "2024-05-14")],
)
def test_an_absence_that_cannot_be_is_refused(empty: Counter, words: tuple[str, ...]):
    assert empty.xueji("absence", "set", *words).exit_code == 2
    assert empty.document("absence", "list") == []


def test_an_absence_is_told_for_somebody_else_with_its_reason_and_ended_by_its_first_day(empty: Counter):
    empty.done("user", "add", "people", "--role", "security_admin", "--unit", "SX")
    told = ("absence", "set", "op", "2024-05-20", "2024-05-24", "--reason", "电话请假")

    assert "无权办理" in empty.xueji(*told, "--as", "ap").stderr
    assert empty.xueji(*told[:-1], "假" * 201, "--as", "people").exit_code == 2
    empty.done(*told, "--as", "people")

    assert empty.document("absence", "list", "op") == [{
        "login": "op", "from": "2024-05-20", "to": "2024-05-24", "told_by": "people", "reason": "电话请假",
    }]  # fmt: skip
    refused = empty.xueji(*told, "--as", "people")
    assert (refused.exit_code, "X-60" in refused.stdout) == (1, True)
    assert empty.xueji(*told).exit_code == 2, "without --as nobody gives a reason"

    assert "0 段" in empty.done("absence", "clear", "op", "--as", "people").stdout, "it has not begun"
    empty.done("absence", "clear", "op", "--as", "people", "--from", "2024-05-20")
    assert empty.document("absence", "list") == []
