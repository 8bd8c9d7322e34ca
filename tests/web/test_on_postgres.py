"""The main journeys through the pages, on PostgreSQL: everything else here is looked at on SQLite."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from console.demo import evening, school
from console.demo.sheets import Files
from engine.records import case_number
from engine.replay import replay_range
from engine.store import schema
from engine.store.database import open_engine
from engine.store.tables import METADATA
from engine.store.trail import spans
from tests.web.conftest import Site
from tests.web.test_audit_pages import _said as said
from tests.web.test_bulk_decisions import chosen, result
from tests.web.test_deciding import approve, form_of, opened
from tests.web.test_imports import FACTS, checked, owed, settled, sheet
from tests.web.test_lists import TICKS, WHY, at_work
from tests.web.test_publishing import FIRST, OTHER, SECOND, submitted
from tests.web.test_queue import counted, numbers, ready

_ROWS = 500


@pytest.fixture
def site(open_site: Callable[..., Site], staged_evening: Files, postgres_url: str) -> Site:
    """The house of the evening over a copy of its rows in PostgreSQL."""
    _copied(staged_evening.into / "evening.db", postgres_url)
    return open_site(database=postgres_url, XUEJI_KEY_FILE=staged_evening.into / "evening.db.key")


def _copied(file: Path, url: str) -> None:
    """Write every row of a database of SQLite into one of PostgreSQL, and let its sequences go on behind them."""
    schema.upgrade(target := open_engine(url))
    with closing(sqlite3.connect(file)) as old, target.begin() as new:
        for table in METADATA.sorted_tables:
            names = [one.name for one in table.columns]
            marks = ", ".join(f":{name}" for name in names)
            insert = sa.text(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})")  # noqa: S608 our own tables
            found = old.execute(f"SELECT {', '.join(names)} FROM {table.name}").fetchall()  # noqa: S608 the same
            rows = [dict(zip(names, map(_as_kept, table.columns, one), strict=True)) for one in found]
            for start in range(0, len(rows), _ROWS):
                new.execute(insert, rows[start : start + _ROWS])
            for column in table.primary_key:
                name = new.scalar(sa.text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name})
                if name is not None and rows:
                    last = max(int(str(one[column.name])) for one in rows)
                    new.execute(sa.text("SELECT setval(:name, :last)"), {"name": name, "last": last})
    target.dispose()


def _as_kept(column: sa.Column[object], value: object) -> object:
    """SQLite keeps 0 and 1 where PostgreSQL keeps no and yes."""
    return bool(value) if isinstance(column.type, sa.Boolean) and value is not None else value


def test_the_main_journeys_go_on_postgresql_as_they_go_on_sqlite(site: Site, tmp_path: Path) -> None:
    approver = site.signed_in(evening.APPROVER)

    # the queue, a decision, and its undoing
    assert counted(approver.get("/queue/todo").text) == {"全部": 60, "可直接办": 47, "需细看": 5, "受阻": 8}
    assert len(numbers(approver.get("/queue/todo?caution=sent-back").text)) == 2
    first = ready(approver)
    after = approve(approver, first, form_of(opened(approver, first))).headers["location"]
    assert counted(approver.get(after).text)["全部"] == 59
    approver.post(f"/cases/{first}/undo", {"from": ""})
    assert '<span class="xj-bar-count">60</span>' in approver.get("/batches").text

    # many at once
    run = chosen(approver, *[ready(approver, place) for place in range(3)])
    approver.post(f"{run}/commit")
    assert result(approver, run) == "同意 3"

    # a sheet, checked and committed
    head = site.signed_in(school.HEAD)
    [number, *_] = owed(site)
    address, page = checked(head, FACTS, sheet(tmp_path, [{"student_no": number, "fee_owed": "321.50"}]))
    assert "将改动 1 人" in page
    assert head.post(f"{address}/commit", {}).status_code == 303
    settled(head, address)
    assert owed(site)[number] == "321.50"

    # a list: sent back, closed, scanned, signed, accepted by another
    desk = at_work(site)
    desk.sent_back_and_reviewed()
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert desk.scans(desk.handler, 240) == 303
    assert [desk.signs(slot)[0] for slot in ("handler", "head", "seal")] == [303, 303, 303]
    assert desk.posted(desk.records, "seen", **TICKS)[0] == 303
    assert (desk.state, WHY in desk.page(desk.records)) == ("accepted", True)

    # an auditor stands at a moment, and has the chain verified
    with site.house.desks.borrowed() as office:
        sql = "SELECT id FROM cases WHERE unit = ? AND state = 'applied' AND seq = 4 ORDER BY id"
        no = case_number(office.desk.connection.execute(sql, (evening.SITE,)).fetchall()[0][0])
    auditor = site.signed_in("auditor")
    assert "退回修改" in said(auditor.get(f"/audit/cases/{no}?seq=3").text)
    assert "链完整" in said(auditor.post(f"/audit/cases/{no}/verify").text)

    # a definition, by two
    other = site.signed_in(OTHER)
    assert other.post(f"{submitted(site.signed_in(FIRST), SECOND)}/approve").headers["location"].endswith("approved")
    assert "学生证补发" in other.get("/admin/definitions").text

    # a student
    with site.house.desks.borrowed() as office:
        sql = "SELECT login FROM account WHERE student IS NOT NULL ORDER BY login"
        [(login,), *_] = office.desk.connection.execute(sql).fetchall()
    assert re.search(r"<h1", site.signed_in(str(login)).get("/my").text)

    with site.house.desks.borrowed() as office:
        connection = office.desk.connection
        [whole] = spans(connection, 1)
        assert replay_range(connection, office.log, office.key, whole).diverged == ()
