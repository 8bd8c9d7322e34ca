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
from tests.web.test_signing_in import WRONG, at_the_form, signs_in

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


def test_a_nought_in_what_is_typed_finds_nothing_and_is_kept_as_no_character(site: Site, tmp_path: Path) -> None:
    stranger, approver = at_the_form(site), site.signed_in(evening.APPROVER)
    first = ready(approver)

    assert WRONG in signs_in(stranger, "zhou\0min", "guessed\0").text
    found = approver.post("/find", {"q": "陆\0晓雯"})
    assert "没有找到" in approver.get(found.headers["location"]).text
    assert approver.get("/files?find=%00").status_code == 200
    for query in ("level=%00", "rule=%00&level=%00", "wf=%00&batch=%00&caution=%00&level=%00"):
        assert "筛选条件下没有" in approver.get(f"/queue/todo?{query}").text
    kept = approver.post("/queue/views", {"name": "再报\0", "query": "level=%00", "pinned": "1"})
    assert "再报�" in approver.get(kept.headers["location"]).text
    assert approver.post(f"/cases/{first}/draft", {"trigger": "site_return", "reason": "照片\0"}).status_code < 400
    assert approver.post(f"/cases/{first}/comment", {"text": "照片\0已重采"}).status_code == 303
    assert "照片�已重采" in approver.get(f"/cases/{first}").text
    head = site.signed_in(school.HEAD)
    body = sheet(tmp_path, [{"student_no": next(iter(owed(site))), "fee_owed": "1.50"}])
    assert head.post(FACTS, files=[("file", ("欠费\0.xlsx", body, "application/x"))]).status_code == 303


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
