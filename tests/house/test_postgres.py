"""The server the store tests trust is a real one, and leaves nothing behind."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests import postgres


def test_every_test_gets_an_empty_database_of_its_own(postgres_server):
    with (
        postgres.fresh_database(postgres_server) as one,
        postgres.fresh_database(postgres_server) as other,
    ):
        with psycopg.connect(one) as connection:
            connection.execute("CREATE TABLE student_case (id integer)")
        with psycopg.connect(other) as connection:
            found = connection.execute("SELECT to_regclass('student_case')").fetchone()

    assert found == (None,)


def test_a_database_goes_away_although_somebody_still_uses_it(postgres_server):
    with postgres.fresh_database(postgres_server) as url:
        left_open = psycopg.connect(url)

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)
    left_open.close()


def test_each_kind_of_database_is_asked_for_by_its_own_url(database_url, request):
    kind = request.node.callspec.params["database_url"]

    assert database_url.startswith({"sqlite": "sqlite:///", "postgresql": "postgresql://"}[kind])


def test_a_server_stops_and_its_folder_goes_when_the_tests_are_killed(monkeypatch):
    monkeypatch.delenv("XUEJI_TEST_POSTGRES", raising=False)
    command = [sys.executable, "-m", "tests.postgres"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with psycopg.connect(url) as connection:
            told = connection.execute("SHOW data_directory").fetchone()
        assert told is not None
        process.send_signal(signal.SIGKILL)

    assert _gone(Path(told[0]).parent, within_seconds=10)


def _gone(folder: Path, *, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not folder.exists()


def test_a_command_runs_beside_an_empty_database_and_its_failure_is_told(postgres_server, monkeypatch):
    monkeypatch.setenv("XUEJI_TEST_POSTGRES", postgres_server)
    script = """
import os, psycopg
with psycopg.connect(os.environ["XUEJI_DATABASE"]) as connection:
    raise SystemExit(connection.execute("SELECT 40 + count(*) FROM pg_tables "
        "WHERE schemaname = 'public'").fetchone()[0])
"""

    assert postgres.main([sys.executable, "-c", script]) == 40


def test_the_server_inside_the_wheel_starts_where_none_is_installed(monkeypatch):
    monkeypatch.delenv("XUEJI_TEST_POSTGRES", raising=False)
    monkeypatch.setattr(postgres, "_installed", lambda: iter(()))

    with postgres.served() as url, psycopg.connect(url) as connection:
        major = connection.info.server_version // 10_000

    assert major >= postgres.OLDEST_VERSION


def test_no_server_at_all_is_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.delenv("XUEJI_TEST_POSTGRES", raising=False)
    monkeypatch.setattr(postgres, "_installed", lambda: iter(()))
    monkeypatch.setattr(postgres, "_wheel", lambda: None)

    with pytest.raises(postgres.NoPostgresError, match="install one"), postgres.served():
        pass
