"""Letting people in and keeping them out from the command line."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from console.access import entering, sessions
from console.access.entering import NewPassword
from console.access.limiter import Guess
from console.access.programs import is_proved, shown
from console.access.refusals import NotLetIn, WrongCode
from engine.store import access
from engine.store.database import Connection, open_engine
from engine.trail.event import REGISTRY
from tests.console.counter import Counter

AT = datetime(2024, 5, 13, 1, 30, tzinfo=UTC)
GOOD, OTHER = "柳桥的梧桐叶落了三次", "correct horse of Liuqiao"


@pytest.fixture
def connection(empty: Counter):
    engine = open_engine(empty.url)
    with closing(Connection(engine)) as one:
        yield one
    engine.dispose()


def of(login: str) -> Guess:
    return Guess(login, "password", "198.51.100.7")


def test_a_password_is_read_from_a_file_kept_hashed_and_never_printed(
    empty: Counter, connection: Connection, tmp_path: Path
):
    file = tmp_path / "password"
    file.write_text(f"{GOOD}\nsecond line\n", "utf-8")

    said = empty.done("user", "password", "op", "--password-file", str(file))

    assert entering.by_password(connection, of("op"), GOOD, AT).login == "op"
    assert GOOD not in said.stdout + said.stderr
    assert GOOD not in str(connection.execute("SELECT * FROM credential").fetchall())


def test_a_weak_password_and_a_file_that_is_not_there_change_nothing(
    empty: Counter, connection: Connection, tmp_path: Path
):
    file = tmp_path / "password"
    file.write_text("12345", "utf-8")

    weak = empty.xueji("user", "password", "op", "--password-file", str(file))
    missing = empty.xueji("user", "password", "op", "--password-file", str(tmp_path / "none"))

    assert (weak.exit_code, missing.exit_code) == (2, 2)
    assert "至少 10 个字符" in weak.stderr
    assert connection.execute("SELECT count(*) FROM credential").fetchone() == (0,)


@pytest.mark.parametrize(
    "words",
    [("password",), ("activate",), ("disable",), ("enable",), ("totp", "--reset"), ("tokens",), ("revoke-token", "it")],
)
def test_whoever_has_no_account_is_not_let_in_or_kept_out(empty: Counter, words: tuple[str, ...]):
    said = empty.xueji("user", words[0], "opp", *words[1:])

    assert said.exit_code == 2
    assert "Did you mean 'op'" in said.stderr


def test_an_activation_code_is_printed_once_and_the_next_one_makes_it_worthless(empty: Counter, connection: Connection):
    first, second = (empty.done("user", "activate", "op").stdout.strip().rpartition("：")[2] for _ in range(2))

    with pytest.raises(WrongCode):
        entering.by_one_time_code(connection, of("op"), NewPassword(first, GOOD), AT)
    entering.by_one_time_code(connection, of("op"), NewPassword(second, GOOD), AT)

    assert entering.by_password(connection, of("op"), GOOD, AT).is_activated


def test_a_disabled_person_is_signed_out_and_kept_out_until_enabled(empty: Counter, connection: Connection):
    access.set_password(connection, "op", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$7wM", AT)
    token = sessions.begin(connection, "op", AT)

    assert "已停用" in empty.done("user", "disable", "op").stdout
    assert "原已停用" in empty.done("user", "disable", "op").stdout

    assert sessions.resume(connection, token, AT) is None
    with pytest.raises(NotLetIn):
        entering.by_password(connection, of("op"), OTHER, AT)
    assert "已恢复" in empty.done("user", "enable", "op").stdout
    assert "未曾停用" in empty.done("user", "enable", "op").stdout


def test_a_lost_telephone_is_forgotten_only_when_that_is_said(empty: Counter, connection: Connection):
    access.set_second_factor(connection, "op", "sealed", AT)
    token = sessions.begin(connection, "op", AT)

    assert empty.xueji("user", "totp", "op").exit_code == 2
    assert sessions.resume(connection, token, AT) is not None
    empty.done("user", "totp", "op", "--reset")

    row = access.credential(connection, "op")
    assert row is not None
    assert row.totp_secret is None
    assert sessions.resume(connection, token, AT) is None


def test_a_code_given_and_a_second_factor_forgotten_at_the_keyboard_are_events_too(
    empty: Counter, connection: Connection
):
    access.set_second_factor(connection, "op", "sealed", AT)
    for words in (("activate", "op"), ("totp", "op", "--reset"), ("totp", "op", "--reset")):
        empty.done("user", *words)

    rows = connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (REGISTRY,)).fetchall()
    events = [orjson.loads(bytes(row[0])) for row in rows]
    told = [(one["actor"], sorted(one["data"])) for one in events if one["kind"] == "account_changed"]
    assert told == [("setup", ["code_until", "login"]), ("setup", ["login", "second_factor"])]


def test_a_token_is_shown_once_listed_without_itself_and_worth_nothing_once_it_is_revoked(
    empty: Counter, connection: Connection
):
    made = [
        empty.done("user", "token", "op", "--name", name, "--scope", "read").stdout.strip() for name in ("报表", "归档")
    ]
    assert [shown(connection, one, AT) is not None for one in made] == [True, True]

    assert "作废 1 个" in empty.done("user", "revoke-token", "op", "报表").stdout

    assert [shown(connection, one, AT) is not None for one in made] == [False, True]
    told = empty.document("user", "tokens", "op")
    assert {one["name"]: one["revoked"] is not None for one in told} == {"报表": True, "归档": False}
    listed = empty.done("user", "tokens", "op").stdout
    assert ("已作废" in listed, "有效" in listed) == (True, True)
    assert not any(one in listed for one in made)
    empty.done("user", "disable", "op")
    assert "不能用" in empty.done("user", "tokens", "op").stderr
    assert shown(connection, made[1], AT) is None
    again = empty.xueji("user", "revoke-token", "op", "报表")
    assert again.exit_code == 2
    assert "归档" in again.stderr


def test_a_printed_token_is_proved_by_nobody_and_one_to_administer_lasts_thirty_days_at_most(
    empty: Counter, connection: Connection
):
    too_long = empty.xueji("user", "token", "op", "--name", "管理", "--scope", "admin", "--days", "31")
    assert (too_long.exit_code, "30" in too_long.stderr) == (2, True)
    empty.done("user", "token", "op", "--name", "管理", "--scope", "admin")
    said = empty.done("user", "token", "op", "--name", "报表", "--scope", "read")
    assert "不能办" in said.stderr

    told = {one["name"]: one for one in empty.document("user", "tokens", "op")}

    days = {
        name: (datetime.fromisoformat(one["until"]) - datetime.fromisoformat(one["made"])).days
        for name, one in told.items()
    }
    assert days == {"管理": 30, "报表": 90}
    assert {one["proved"] for one in told.values()} == {None}
    row = shown(connection, said.stdout.strip(), AT)
    assert row is not None
    assert not is_proved(row, AT)
