"""Looking back: at any moment there was, a case looks as it looked then; what nobody knows any more is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from engine.actors import Actor
from engine.attaching import attach, withdraw_document
from engine.casework import move
from engine.delegating import Mandate, delegate, delegate_case
from engine.desk import Desk
from engine.errors import NotAllowed, NotRetractable, TransitionNotOpen, Unknown
from engine.extending import extend_deadline, last_moment
from engine.invariants import audit_histories
from engine.library import Library
from engine.looking_back import NotYet, as_it_stood
from engine.organisation import give_role
from engine.prospects import prospects
from engine.publishing import change_batch
from engine.records import Json, Moved, Request, case_number
from engine.retracting import retract
from engine.store import deadlines, documents, people
from engine.store.trail import spans
from engine.tabling import replace_table
from engine.timeline import timeline
from engine.viewing import view_case
from exchange.evidence import inspect
from tests.engine.clocks import CARD, TERM, scan, ticking
from tests.engine.forging import Forger
from tests.engine.lab import CHECK, lending, loan, opened, rule
from tests.engine.passing import AWAY, hire
from tests.engine.test_lists import compiling, lists
from tests.engine.town import FIRST, NOW, OPEN_FIRST, REASON, Town, town_at
from tests.exchange.pictures import picture

PICTURE = picture()
ROLES = ("site_approver", "site_operator", "records_section")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterTown(Town):
    """The town with a clock that goes on: an hour between any two acts."""

    hours: list[int]

    @property
    def now(self) -> datetime:
        return NOW + timedelta(hours=self.hours[0])

    @override
    def request(self, trigger: str, login: str, **fields: Json) -> Request:
        return Request(trigger=trigger, actor=self.actor(login), at=self.now, fields=fields)


def later(town: Town) -> LaterTown:
    return LaterTown(desk=town.desk, url=town.url, hours=[1])


def look(desk: Desk, case: int, at: datetime) -> tuple[object, ...]:
    """All that is shown of a case."""
    asked = Request(trigger="look", actor=Actor(login="console"), at=at)
    found, _, steps = prospects(desk, case, asked)
    known = {name: value for name, value in found.facts.items() if value is not None}
    fields = {name: value for name, value in found.case.fields.items() if value is not None}
    lent = [people.loans(desk.connection, role, at) for role in ROLES]
    own = found.case._replace(fields=fields, taken=dict(found.case.taken), slots=dict(found.case.slots))
    return (
        own, known, found.student_no, found.record, steps, timeline(desk, found), lent,
        deadlines.of_case(desk.connection, case), documents.of_case(desk.connection, case),
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Diary:
    """What was shown of some cases after every act, at the moment of the act."""

    town: LaterTown
    cases: tuple[tuple[str, int], ...]
    pages: list[tuple[datetime, str, int, tuple[object, ...]]]

    def write(self, act: Callable[[LaterTown], object]) -> None:
        with suppress(TransitionNotOpen, NotAllowed, NotRetractable, Unknown):
            act(self.town)
        for about, case in self.cases:
            self.pages.append((self.town.now, about, case, look(self.town.desk, case, self.town.now)))
        self.town.hours[0] += 1

    def check(self) -> None:
        """Look back at every page."""
        for at, about, case, page in self.pages:
            with as_it_stood(self.town.desk, about, case_number(case), at) as then:
                assert then.lacking == ()
                for past, present in zip(look(then.desk, then.case, at), page, strict=True):
                    assert past == present, at


def diary(town: LaterTown, *cases: tuple[str, int]) -> Diary:
    return Diary(town=town, cases=cases, pages=[])


Act = Callable[[LaterTown], object]


def known(**facts: Json) -> Act:
    return lambda town: town.know(FIRST, **facts)


def step(trigger: str, login: str = "approver.s1") -> Act:
    return lambda town: move(town.desk, _loan(town), town.request(trigger, login))


def _loan(town: Town) -> int:
    [row] = town.connection.execute("SELECT id FROM cases WHERE workflow = 'loan' ORDER BY id LIMIT 1").fetchall()
    return int(row[0])


def brought(town: LaterTown) -> object:
    return attach(town.desk, _loan(town), CARD, inspect("card.jpg", PICTURE), town.request("attach", "operator.s1"))


def taken_off(town: LaterTown) -> object:
    request = town.request("withdraw", "operator.s1", reason="误传")
    rows = documents.of_case(town.connection, _loan(town))
    return [withdraw_document(town.desk, _loan(town), row.seq, request) for row in rows]


def extended(town: LaterTown) -> object:
    request = town.request("deadline_extend", "records.sx", reason="停电")
    due = last_moment(date(2024, 6, 25) + timedelta(hours=24 * town.hours[0]))
    return extend_deadline(town.desk, _loan(town), "by-opening", due, request)


def hired(town: LaterTown) -> object:
    login = f"new.{town.hours[0]}"
    return give_role(town.desk, login, "site_approver", "S1", at=town.now, actor="setup")


def lent(town: LaterTown) -> object:
    mandate, asked = Mandate(taker="operator.s1", role="site_approver", reason=AWAY), town.request("d", "approver.s1")
    delegate(town.desk, "S1", mandate, town.now + timedelta(hours=3), asked)
    return delegate_case(town.desk, _loan(town), mandate, town.now + timedelta(hours=5), asked)


def dated(town: LaterTown) -> object:
    day = {"photo_by": f"2024-05-{town.hours[0] % 28 + 1:02d}"}
    return change_batch(town.desk, TERM, day, town.request("set", "records.sx"))


ACTS = st.sampled_from(
    [
        known(fee_owed="3.00"), known(fee_owed="0.00"), known(issued_on="2024-04-25"), known(issued_on=None),
        known(name="某某", phone="13800000000"), known(form_signed=False), dated, step("check"), step("check"),
        step("put_aside"), step("take_up"), step("lend"), step("note", "operator.s1"), step("lapse"), brought,
        taken_off, extended, hired, lent,
        lambda town: retract(town.desk, _loan(town), town.request("retract", "approver.s1")),
        lambda town: scan(town, town.now),
        lambda town: town.hours.__setitem__(0, town.hours[0] + 24 * 11),
    ]
)  # fmt: skip


@given(acts=st.lists(ACTS, min_size=6, max_size=14))
@settings(
    max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
def test_whatever_happened_every_moment_looks_as_it_looked(
    sqlite_template: Path, tmp_path: Path, library: Library, acts: list[Act]
):
    shutil.copy(sqlite_template, tmp_path / "fresh.db")  # time begins anew with every example
    with ticking(f"sqlite:///{tmp_path / 'fresh.db'}", library) as town:
        there = later(town)
        case = opened(there, "loan", FIRST, batch=TERM)
        there.hours[0] += 1
        kept = diary(there, (FIRST, case), (FIRST, town.record(FIRST)))
        for act in acts:
            kept.write(act)
        kept.check()


def test_a_record_on_its_way_looks_at_each_step_as_it_did(town: Town):
    kept = diary(later(town), (OPEN_FIRST, town.record(OPEN_FIRST)))
    for trigger, login in (
        ("apply", "operator.t1"), ("apply", "operator.t1"), ("site_approve", "approver.t1"),
        ("branch_approve", "branch.c1"), ("provincial_audit", "province.kf"), ("register", "records.kf"),
    ):  # fmt: skip
        kept.write(partial(LaterTown.take, student_no=OPEN_FIRST, trigger=trigger, login=login))
    assert town.case(OPEN_FIRST).state == "registered"
    kept.check()


def test_a_list_looks_as_it_did_while_it_gathered_and_while_it_was_frozen_also_after_it_let_its_members_go(
    district_url: str, library: Library
):
    with compiling(district_url, library) as (town, loans):
        there, [roll] = later(town), lists(town)
        kept = diary(there, ("SX", roll.id), (FIRST, loans[0]))
        kept.write(lambda at: at.decided(roll.id, "compile", "records.sx"))
        kept.write(lambda at: at.decided(roll.id, "reopen", "records.sx", None, **REASON))
        kept.write(lambda at: at.decided(loans[0], "lend", "operator.s1"))
        kept.write(lambda at: at.decided(roll.id, "compile", "records.sx"))
        kept.write(lambda at: at.decided(roll.id, "seal", "records.sx"))
        kept.check()


def test_members_that_nobody_can_gather_again_are_unknown_and_it_is_said(sqlite_district: str, library: Library):
    with compiling(sqlite_district, library) as (town, loans):
        there, [roll] = later(town), lists(town)
        assert isinstance(there.decided(roll.id, "compile", "records.sx"), Moved)
        frozen_at = there.now
        town.connection.execute("DELETE FROM member WHERE member = ?", (loans[0],))
        town.connection.execute("DELETE FROM cases WHERE id = ?", (loans[0],))
        with as_it_stood(town.desk, "SX", roll.number, frozen_at) as then:
            assert [one.en for one in then.lacking] == [
                "who was on the list then is not kept; rules that read its members are undecided"
            ]


@contextmanager
def offering(url: str, library: Library) -> Iterator[tuple[LaterTown, int]]:
    """A loan that is checked only where a table has a row."""
    guard = rule("any(rows('major_offers'), it.site == 'S1')")
    with lending(url, library, loan({"check": {**CHECK["check"], "guards": ["offered"]}}), offered=guard) as (
        town,
        case,
    ):
        yield later(town), case


def offer(town: LaterTown, *sites: str) -> None:
    rows: list[Mapping[str, Json]] = [
        {"major_code": "630302", "site": site, "cohort": 2022, "term": "2024-1"} for site in sites
    ]
    replace_table(town.desk, "major_offers", rows, town.request("import_table", "records.sx"))
    town.hours[0] += 1


def said(town: LaterTown, at: datetime) -> tuple[list[str], list[str]]:
    """What the one rule said at a moment, and what was said to be lacking."""
    with as_it_stood(town.desk, FIRST, case_number(_loan(town)), at) as then:
        _, _, [check, *_] = prospects(then.desk, then.case, Request(trigger="look", actor=Actor(login="c"), at=at))
        return [one.outcome.word for one in check.verdicts], [one.en for one in then.lacking]


def test_rows_of_a_table_that_were_replaced_leave_the_rule_undecided_and_it_is_said(
    sqlite_district: str, library: Library
):
    with offering(sqlite_district, library) as (town, _):
        offer(town, "S1")
        first = town.now - timedelta(minutes=30)
        offer(town, "S2")
        unknown = ["the rows table major_offers had then are not kept; rules that read it are undecided"]
        assert said(town, NOW) == (["fails"], [])
        assert said(town, first) == (["undecided"], unknown)
        assert said(town, town.now) == (["fails"], [])
        offer(town, "S1")
        assert said(town, first) == (["holds"], []), "the same rows are there again: their hash says so"


def test_a_fact_that_was_erased_since_leaves_its_rule_undecided_and_it_is_said(sqlite_district: str, library: Library):
    named = loan({"check": {**CHECK["check"], "guards": ["named"]}})
    with lending(sqlite_district, library, named, named=rule("name == '测试'")) as (town, _):
        assert said(later(town), NOW) == (["holds"], [])
        town.connection.execute("DELETE FROM personal WHERE chain = ?", (-town.student(FIRST).id,))
        outcomes, lacking = said(later(town), NOW)
        assert outcomes == ["undecided"]
        assert "name is erased; rules that read it are undecided" in lacking


def test_before_there_was_anything_the_answer_says_so(town: Town):
    with pytest.raises(NotYet, match=FIRST), as_it_stood(town.desk, FIRST, None, NOW - timedelta(days=1)):
        pass
    with pytest.raises(Unknown), as_it_stood(town.desk, "2022999999999", None, NOW):
        pass


def test_looking_back_writes_nothing(town: Town):
    counts = town.counts()
    with as_it_stood(town.desk, FIRST, None, NOW) as then:
        assert then.case == town.record(FIRST)
    assert town.counts() == counts


def at_fault(town: Town) -> set[str]:
    return {name for span in spans(town.connection, 1) for name in audit_histories(town.connection, span)}


def test_an_auditors_look_at_a_case_is_kept_and_sound_and_nobody_elses_is(town: Town):
    hire(town, "auditor", "auditor", "SX")
    case = town.record(FIRST)
    before = town.case(FIRST)
    request = Request(trigger="view", actor=town.actor("auditor"), at=NOW)
    assert view_case(town.desk, case, request, as_of=datetime(2024, 4, 1, tzinfo=UTC))
    assert not view_case(town.desk, case, replace(request, actor=town.actor("operator.s1")))
    event = town.events(case)[-1]
    assert (event["kind"], event["role"], event["unit"]) == ("viewed", "auditor", "SX")
    assert event["data"] == {"trigger": "view:case", "as_of": "2024-04-01T00:00:00.000000Z"}
    assert town.case(FIRST) == before._replace(head=town.case(FIRST).head)
    assert (town.replayed().diverged, at_fault(town)) == ((), set())


def test_a_look_at_a_case_as_a_whole_that_is_no_auditors_is_a_fault(town: Town):
    forger = Forger(town=town)
    forger.step(town.record(FIRST), "viewed", trigger="view:case")
    assert at_fault(town) == {"INV-ACC-1"}


def test_rules_that_were_published_later_do_not_judge_the_past(sqlite_district: str, library: Library):
    strict = loan({"check": {**CHECK["check"], "guards": ["paid"]}})
    with lending(sqlite_district, library, strict, paid=rule("fee_owed == 1")) as (town, _):
        assert said(later(town), NOW) == (["fails"], [])
        with_new = {**town.desk.library.rulebook.rules, "paid": rule("fee_owed == 0")}
        book = town.desk.library.rulebook.model_copy(update={"rules": with_new})
        url, newer = town.url, replace(town.desk.library, rulebook=book)
    with town_at(url, newer) as town:
        town.desk.publish(NOW + timedelta(hours=3), "setup")
        assert said(later(town), NOW) == (["fails"], [])
        assert said(later(town), NOW + timedelta(hours=3)) == (["holds"], [])
