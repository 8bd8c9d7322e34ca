"""Whatever happens in whatever order, every row that is kept is the one that would be made now, and replay agrees."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.attaching import attach, withdraw_document
from engine.bulk import move_many
from engine.casework import move
from engine.errors import NotRetractable, TransitionNotOpen, Unknown
from engine.extending import extend_deadline, last_moment
from engine.library import Library
from engine.publishing import change_batch
from engine.records import Json, Request
from engine.retracting import retract
from engine.store import documents
from exchange.evidence import inspect
from tests.engine.clocks import CARD, TERM, agree, scan, ticking
from tests.engine.lab import opened
from tests.engine.laning import lanes_agree
from tests.engine.town import FIRST, NOW, SECOND, Town
from tests.exchange.pictures import picture

PICTURE = picture()
DAYS = st.integers(1, 60)


class Scene(NamedTuple):
    """The town, the cases there are, and how many days after the beginning it is."""

    town: Town
    cases: list[int]
    day: int

    @property
    def at(self) -> datetime:
        return NOW + timedelta(days=self.day)

    def request(self, trigger: str, login: str, **fields: Json) -> Request:
        return Request(trigger=trigger, actor=self.town.actor(login), at=self.at, fields=fields)


Act = Callable[[Scene], object]
"""Something somebody does."""


def known(**facts: str | None) -> Act:
    return lambda scene: scene.town.know(FIRST, **facts)


def batch(value: str) -> Act:
    return lambda scene: change_batch(scene.town.desk, TERM, {"photo_by": value}, scene.request("set", "records.sx"))


def taken(trigger: str, login: str = "approver.s1") -> Act:
    return lambda scene: move(scene.town.desk, scene.cases[0], scene.request(trigger, login))


def taken_together(scene: Scene) -> object:
    seen = [(case, scene.town.by_id(case).revision) for case in scene.cases]
    return move_many(scene.town.desk, seen, scene.request("check", "approver.s1"))


def extended(name: str) -> Act:
    def act(scene: Scene) -> object:
        request = scene.request("deadline_extend", "records.sx", reason="停电")
        due = last_moment(date(2024, 6, 25) + timedelta(days=scene.day))
        return extend_deadline(scene.town.desk, scene.cases[0], name, due, request)

    return act


def brought(scene: Scene) -> object:
    upload = inspect("card.jpg", PICTURE)
    return attach(scene.town.desk, scene.cases[0], CARD, upload, scene.request("attach", "operator.s1"))


def taken_off(scene: Scene) -> object:
    there = [row for row in documents.of_case(scene.town.connection, scene.cases[0]) if not row.withdrawn]
    request = scene.request("withdraw", "operator.s1", reason="误传")
    return [withdraw_document(scene.town.desk, scene.cases[0], row.seq, request) for row in there]


def taken_back(scene: Scene) -> object:
    return retract(scene.town.desk, scene.cases[0], scene.request("retract", "approver.s1"))


def scanned(scene: Scene) -> object:
    return scan(scene.town, scene.at)


ACTS = st.sampled_from(
    [
        known(fee_owed="3.00"), known(fee_owed="0.00"), known(issued_on="2024-04-25"), known(issued_on=None),
        batch("2024-05-02"), batch("2024-06-20"), taken("check"), taken("put_aside"), taken("take_up"), taken("lend"),
        taken("note", "operator.s1"), taken_together, extended("by-opening"), extended("by-fact"),
        brought, taken_off, taken_back, scanned,
    ]
)  # fmt: skip


@given(acts=st.lists(st.tuples(ACTS, DAYS), min_size=3, max_size=10))
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_after_any_acts_every_row_is_what_it_would_be_if_it_were_made_now(
    district_url: str, library: Library, acts: list[tuple[Act, int]]
):
    with ticking(district_url, library) as town:
        town.know(FIRST, fee_owed="3.00", issued_on="2024-04-01")
        cases = [opened(town, "loan", student, batch=TERM) for student in (FIRST, SECOND)]
        for act, day in sorted(acts, key=lambda one: one[1]):
            with suppress(TransitionNotOpen, NotRetractable, Unknown):
                act(Scene(town, cases, day))
        agree(town)
        lanes_agree(town.desk, NOW + timedelta(days=61))
