"""A queue in the order of 姓名拼音: right after every write of a name, and walked, not sorted, however long it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from typing_extensions import override

from console.bench.queueing import multiply
from engine.actors import TIMER
from engine.bulk import move_many
from engine.casework import move
from engine.desk import Desk
from engine.errors import StaleCase
from engine.lane_queries import Queue
from engine.lane_rebuilding import astray, rebuild
from engine.lane_slices import Filter, Order
from engine.lanes import Lane
from engine.library import Library
from engine.pinyin import order_key
from engine.records import Moved, Request
from engine.store import schema
from engine.store.cases import read_case
from engine.store.database import Connection, Cursor, Params, open_engine
from engine.trail.chain import Scribe
from tests.engine.lab import CHECK, lending, loan
from tests.engine.laning import lanes_agree
from tests.engine.town import FIRST, KEY, LOG, NOW, SECOND, THIRD, Town, town_at

NAMES = {FIRST: "曾明", SECOND: "陈佳怡", THIRD: "欧阳修"}
TRYING = (
    "阿依古丽·买买提", "Anna Ó'Brien", "anna", "ANNA", "陈佳", "陈佳怡", "成佳", "鲁班", "吕安", "栾平", "汪佳", "王佳",
    "𠮷田", "龘", "",
)  # fmt: skip


class Overheard(Connection):
    """A connection that keeps what it was asked."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.asked: list[tuple[str, Params]] = []

    @override
    def execute(self, sql: str, params: Params = ()) -> Cursor:
        self.asked.append((sql, params))
        return super().execute(sql, params)

    def plan(self) -> str:
        """How the database does what it was asked last."""
        sql, params = self.asked[-1]
        explain = "EXPLAIN QUERY PLAN" if self.is_sqlite else "EXPLAIN"
        return "\n".join(str(row) for row in super().execute(f"{explain} {sql}", params).fetchall())


class Overtaken(Connection):
    """A connection before whose first writing of a case something else happens."""

    def __init__(self, engine: Engine, meanwhile: Callable[[], object]) -> None:
        super().__init__(engine)
        self._meanwhile: Callable[[], object] | None = meanwhile

    @override
    def execute(self, sql: str, params: Params = ()) -> Cursor:
        if self._meanwhile is not None and ("UPDATE cases" in sql or "CREATE TEMP TABLE" in sql):
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        return super().execute(sql, params)


@pytest.fixture
def filed(town: Town) -> Town:
    """Three students who have applied, and wait for the approver of their site."""
    for student, name in NAMES.items():
        town.know(student, name=name)
        town.advance(student, "applied")
    return town


def queue(town: Town, connection: Connection | None = None) -> Queue:
    return Queue(connection or town.connection, town.actor("approver.s1"), NOW)


def named(town: Town) -> list[str]:
    """The names of those who wait, in the order of the queue."""
    numbers = {town.record(student): student for student in NAMES}
    page = queue(town).page(order=Order.PINYIN, limit=9)
    return [str(town.facts(numbers[one.case])["name"]) for one in page.rows]


def longer(town: Town, times: int) -> None:
    """Twice as many wait, so many times."""
    for _ in range(times):
        row = town.connection.execute("SELECT max(id) FROM cases").fetchone()
        assert row is not None
        multiply(town.connection, int(row[0]), 2)


def test_a_queue_by_pinyin_is_in_the_order_of_the_names(filed: Town):
    assert named(filed) == ["陈佳怡", "欧阳修", "曾明"]


def test_who_is_called_otherwise_from_now_on_waits_at_the_place_of_the_new_name(filed: Town):
    filed.know(SECOND, name="张佳怡")

    assert named(filed) == ["欧阳修", "曾明", "张佳怡"]
    lanes_agree(filed.desk, NOW)


def test_whose_name_is_said_otherwise_waits_where_the_record_says(filed: Town):
    filed.know(FIRST, name="盖明")
    assert named(filed) == ["陈佳怡", "盖明", "欧阳修"]

    filed.know(SECOND, name="葛明")
    assert named(filed) == ["盖明", "葛明", "欧阳修"]

    filed.know(SECOND, name_pinyin="Ga Ming")
    filed.know(FIRST, name_pinyin="Gai Ming")
    assert named(filed) == ["葛明", "盖明", "欧阳修"]
    lanes_agree(filed.desk, NOW)


def test_a_name_orders_cases_too_whose_rules_do_not_read_it(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        town.know(FIRST, name="盖明")
        assert town.kept(("lane", "pinyin"), case_id=case) == order_key("盖明")

        town.know(FIRST, name_pinyin="Gai Ming")
        assert town.kept(("lane", "pinyin"), case_id=case) == order_key("盖明", "Gai Ming")


def test_a_step_leaves_everybody_at_the_place_of_the_name(filed: Town):
    filed.take(THIRD, "site_approve", "approver.s1")

    assert named(filed) == ["陈佳怡", "曾明"]
    kept = filed.connection.execute("SELECT pinyin FROM lane WHERE case_id = ?", (filed.record(THIRD),)).fetchall()
    assert {str(row[0]) for row in kept} == {order_key("欧阳修")}
    lanes_agree(filed.desk, NOW)


def alone(desk: Desk, case: int, request: Request) -> None:
    with pytest.raises(StaleCase):
        move(desk, case, request)


def among_many(desk: Desk, case: int, request: Request) -> None:
    assert move_many(desk, [(case, revision_of(desk, case))], request).conflicts == [case]


def revision_of(desk: Desk, case: int) -> int:
    found = read_case(desk.connection, case)
    assert found is not None
    return found.case.revision


@pytest.mark.parametrize("decide", [alone, among_many])
def test_a_step_that_has_read_a_name_before_it_was_corrected_does_not_put_the_old_one_back(
    postgres_district: str, library: Library, decide: Callable[[Desk, int, Request], None]
):
    with town_at(postgres_district, library) as town:
        town.know(FIRST, name="盖明")
        town.advance(FIRST, "applied")
        case, request = town.record(FIRST), town.step("site_approve", "approver.s1")
        engine = open_engine(postgres_district)
        late = Overtaken(engine, lambda: town.know(FIRST, name_pinyin="Gai Ming"))
        try:
            decide(Desk(late, Scribe(LOG, KEY), library, salt=bytes), case, request)
        finally:
            late.close()
            engine.dispose()

        assert town.kept(("lane", "pinyin"), case_id=case) == order_key("盖明", "Gai Ming")
        assert isinstance(town.take(FIRST, "site_approve", "approver.s1"), Moved)
        lanes_agree(town.desk, NOW)


def test_places_that_somebody_edited_are_named_and_put_right(filed: Town):
    filed.connection.execute("UPDATE student SET pinyin = 'b' WHERE student_no = ?", (FIRST,))
    filed.connection.execute("UPDATE lane SET pinyin = 'a' WHERE case_id = ?", (filed.record(THIRD),))
    request = Request(trigger="rebuild", actor=TIMER, at=NOW)

    found = astray(filed.desk, request)

    assert filed.record(THIRD) in found.cases
    assert found.students == {filed.student(FIRST).id}
    rebuild(filed.desk, request)
    assert named(filed) == ["陈佳怡", "欧阳修", "曾明"]
    lanes_agree(filed.desk, NOW)


def test_a_database_from_before_puts_everybody_in_order_when_it_is_brought_forward(filed: Town):
    engine = open_engine(filed.url)
    try:
        schema.downgrade(engine, "0023")
        schema.upgrade(engine)
    finally:
        engine.dispose()

    assert named(filed) == ["陈佳怡", "欧阳修", "曾明"]
    lanes_agree(filed.desk, NOW)


def test_both_databases_compare_names_as_they_are_compared_here(filed: Town):
    longer(filed, 4)
    waiting = sorted(one.case for one in queue(filed).page(limit=99).rows)[: len(TRYING)]
    pairs = [(order_key(name), case) for name, case in zip(TRYING, waiting, strict=True)]
    filed.connection.execute("DELETE FROM lane WHERE case_id > ?", (max(waiting),))
    filed.connection.executemany("UPDATE lane SET pinyin = ? WHERE case_id = ?", pairs)

    found, page = list[int](), queue(filed).page(order=Order.PINYIN, limit=1)
    while page.after is not None:
        found += [one.case for one in page.rows]
        page = queue(filed).page(order=Order.PINYIN, after=page.after, limit=1)

    assert [*found, *(one.case for one in page.rows)] == [case for _, case in sorted(pairs)]


def test_a_long_queue_is_walked_by_pinyin_without_being_put_in_order(filed: Town):
    longer(filed, 11)
    filed.connection.execute("UPDATE lane SET lane = 2, pinyin = 'x' || (1000000 - case_id)")
    filed.connection.execute("UPDATE lane SET at_path = at_path || 'X' || case_id || '/'")  # at as many units
    filed.connection.execute("ANALYZE")
    engine = open_engine(filed.url)
    overheard = Overheard(engine)
    try:
        asked, ready = queue(filed, overheard), Filter(lane=Lane.READY)
        first = asked.page(ready, Order.PINYIN)
        plans = [overheard.plan()]
        following = asked.page(ready, Order.PINYIN, first.after)
        plans.append(overheard.plan())
        back = asked.before(following.rows[0].key, ready, Order.PINYIN, 50)
        plans.append(overheard.plan())
    finally:
        overheard.close()
        engine.dispose()

    for plan in plans:
        assert "ix_lane_pinyin" in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan
    shown = [one.row.pinyin for one in (*first.rows, *following.rows)]
    assert (len(shown), shown) == (100, sorted(shown))
    assert back == first.rows[::-1]
