"""The server the store tests trust is a real one, and leaves nothing behind."""

import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL

from tests import postgres
from tests.engine.vault import vault_at
from tests.schema_pool import CATALOGUE, Pool


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


def test_a_database_that_is_used_again_is_what_a_fresh_one_is(postgres_server):
    with closing(Pool(postgres_server, str)) as pool:
        with pool.lent() as used:
            fresh = _dumped(used)
            with vault_at(used) as vault:
                vault.write((0, 1), (1, 1))
                vault.seal()
            left_open = psycopg.connect(used, autocommit=True)
            left_open.execute("CREATE TEMPORARY TABLE draft AS SELECT * FROM event")
            left_open.execute("UPDATE alembic_version SET version_num = 'another'")
            left_open.execute("SELECT setval(oid::regclass, 41) FROM pg_class WHERE relkind = 'S'")
            assert _dumped(used) != fresh
        with pool.lent() as again:
            assert again == used
            assert _dumped(again) == fresh

    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    left_open.close()


def test_a_database_that_a_test_has_altered_is_used_by_no_other(postgres_server):
    with closing(Pool(postgres_server, str)) as pool:
        with pool.lent() as altered, psycopg.connect(altered) as connection:
            connection.execute("ALTER TABLE event DISABLE TRIGGER ALL")
        with pool.lent() as next_one:
            assert next_one != altered

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(altered)


def test_whatever_is_altered_of_a_database_is_noticed(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        before = connection.execute(CATALOGUE).fetchall()
        for change in (
            "ALTER TABLE cases ADD COLUMN shortcut text",
            "ALTER TABLE cases ALTER COLUMN state DROP NOT NULL",
            "ALTER TABLE cases ALTER COLUMN state SET DEFAULT 'graduated'",
            "ALTER TABLE cases ADD CHECK (id > 0)",
            "ALTER TABLE event DISABLE TRIGGER ALL",
            "CREATE INDEX shortcut ON event (body)",
            "CREATE FUNCTION shortcut() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE VIEW shortcut AS SELECT * FROM cases",
            "CREATE SEQUENCE shortcut",
            "CREATE SCHEMA shortcut",
            "GRANT SELECT ON cases TO PUBLIC",
            "CREATE ROLE shortcut",
            f"ALTER DATABASE {connection.info.dbname} SET timezone = 'America/New_York'",
            f"ALTER DATABASE {connection.info.dbname} CONNECTION LIMIT 3",
        ):
            with connection.transaction(force_rollback=True):
                connection.execute(SQL(change))
                assert connection.execute(CATALOGUE).fetchall() != before, change
        assert connection.execute(CATALOGUE).fetchall() == before


def _dumped(url: str) -> str:
    """Everything that is in it, rows and sequences too; the words against a forged dump differ each time."""
    command = [str(postgres.client_programs() / "pg_dump"), url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in told.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


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
