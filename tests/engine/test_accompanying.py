"""A step with the paper it rests on: both or neither; what is refused leaves the older paper where it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Barrier, Thread

import pytest

from engine.accompanying import Paper, take_with
from engine.attaching import Attached, attach
from engine.errors import StaleCase
from engine.library import Library
from engine.records import Json, Moved, Refused, Repeated, Request
from engine.store import documents
from engine.vocabulary import Document
from exchange.evidence import inspect
from tests.engine.lab import lending, loan, rule
from tests.engine.town import FIRST, Town, roster_facts, town_at
from tests.exchange.pictures import pdf, picture

SLIP = "T-SLIP"
OWES_NOTHING, IS_HER = rule("fee_owed == 0"), rule(f"id_number == '{roster_facts(FIRST)['id_number']}'")
LENDING = loan({
    "lend": {"from": "asked", "to": "checked", "by": "site_operator", "needs": [SLIP], "guards": ["paid", "is-her"]},
})  # fmt: skip


class _Changed(Exception):
    """What a page showed is not so any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """A loan asked for, with a slip on it from before."""

    town: Town
    case: int

    def take(self, body: bytes | None = None, request: Request | None = None, **fields: Json) -> object:
        paper = Paper(kind=SLIP, upload=inspect("测试.png", body or picture("PNG")), reason="重签")
        asked = request or self.town.request("lend", "operator.s1")
        return take_with(self.town.desk, self.case, paper, asked, lambda: fields)

    @property
    def slips(self) -> list[str | None]:
        return [row.sha256 for row in documents.of_case(self.town.connection, self.case)]

    @property
    def told(self) -> list[str]:
        return [f"{one['kind']} {one['data'].get('trigger')}" for one in self.town.events(self.case)]


@pytest.fixture
def at(district_url: str, library: Library) -> Iterator[Loan]:
    """Each on a database of its own: what is rolled back here is a whole transaction."""
    title = {"zh": "签条", "en": "slip"}
    slip = Document.model_validate({"title": title, "source": "test", "file": ["png"], "count": 1})
    book = library.rulebook
    with_slip = replace(library, rulebook=book.model_copy(update={"documents": {**book.documents, SLIP: slip}}))
    with lending(district_url, with_slip, LENDING, paid=OWES_NOTHING, is_her=IS_HER) as (town, case):
        town.know(FIRST, fee_owed="0.00")
        older = inspect("测试.png", picture("PNG", (220, 220)))
        assert isinstance(attach(town.desk, case, SLIP, older, town.request("attach", "operator.s1")), Attached)
        yield Loan(town=town, case=case)


def test_the_step_is_taken_with_its_paper_in_the_place_of_an_older_one(at: Loan):
    [older] = at.slips

    assert isinstance(at.take(), Moved)
    assert len(at.slips) == 1
    assert at.slips != [older]
    assert at.town.by_id(at.case).state == "checked"
    assert at.town.replayed().diverged == ()


def test_a_refused_step_leaves_the_older_paper_and_keeps_the_refusal_alone(at: Loan):
    at.town.know(FIRST, fee_owed="20.00")
    before, told, revision = at.slips, at.told, at.town.by_id(at.case).revision
    outcome = at.take()

    assert isinstance(outcome, Refused)
    assert outcome.failed == ("T-01",)
    assert at.slips == before
    assert at.told == [*told, "refused lend"]
    assert at.town.by_id(at.case).revision == revision
    assert at.town.replayed().diverged == ()


def test_a_refused_paper_leaves_the_older_one_and_the_step_is_not_taken(at: Loan):
    before, told = at.slips, at.told
    outcome = at.take(pdf())

    assert isinstance(outcome, Refused)
    assert at.slips == before
    assert at.told == [*told, f"refused attach:{SLIP}"]
    assert at.town.replayed().diverged == ()


def test_a_refused_paper_sent_again_under_its_number_has_the_same_answer_and_the_step_is_not_heard_without_it(at: Loan):
    request = replace(at.town.request("lend", "operator.s1"), id="one-click")
    first = at.take(pdf(), request)
    before, told = at.slips, at.told

    again = [at.take(pdf(), request) for _ in range(2)]

    assert isinstance(first, Refused)
    assert [one.moved for one in again if isinstance(one, Repeated)] == [False, False]
    assert (at.slips, at.told) == (before, told)
    assert at.town.by_id(at.case).state == "asked"
    assert at.town.replayed().diverged == ()


def test_what_came_under_a_number_of_another_click_is_neither_paper_nor_step_of_this_one(at: Loan):
    other = replace(at.town.request("attach", "operator.s1"), id="one-click:on")
    assert isinstance(attach(at.town.desk, at.case, SLIP, inspect("测试.pdf", pdf()), other), Refused)
    before, told = at.slips, at.told

    outcome = at.take(pdf(), replace(at.town.request("lend", "operator.s1"), id="one-click"))

    assert isinstance(outcome, Refused)
    assert at.slips == before
    assert at.told == [*told, f"refused attach:{SLIP}"]


def test_nothing_at_all_is_kept_when_the_text_turns_out_to_be_another(at: Loan):
    before, told = at.slips, at.told

    def changed() -> Mapping[str, Json]:
        raise _Changed

    paper = Paper(kind=SLIP, upload=inspect("测试.png", picture("PNG")), reason="重签")
    with pytest.raises(_Changed):
        take_with(at.town.desk, at.case, paper, at.town.request("lend", "operator.s1"), changed)

    assert (at.slips, at.told) == (before, told)


def test_a_page_from_before_another_change_neither_takes_the_step_nor_leaves_the_paper(at: Loan):
    before, seen = at.slips, at.town.by_id(at.case).revision
    with pytest.raises(StaleCase):
        at.take(request=replace(at.town.request("lend", "operator.s1"), seen=seen - 1))

    assert at.slips == before


def test_asked_twice_under_one_number_at_the_same_moment_it_is_done_once(at: Loan):
    request = replace(at.town.request("lend", "operator.s1"), id="one-click")
    start, answers = Barrier(2), []
    body = picture("PNG")

    def click() -> None:
        with town_at(at.town.url, at.town.desk.library) as second:
            start.wait()
            answers.append(replace(at, town=second).take(body, request))

    clicks = [Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()

    assert sorted(type(one).__name__ for one in answers) == ["Moved", "Repeated"]
    assert next(one for one in answers if isinstance(one, Repeated)).moved
    assert at.told.count(f"evidence_added attach:{SLIP}") == 2
    assert len(at.slips) == 1
