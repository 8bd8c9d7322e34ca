"""Effects: what a step does in other cases, in one transaction with it or not at all, and how the trail tells of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from multiprocessing import get_context

import pytest

from engine import acting
from engine.bulk import move_many
from engine.definition import Definition
from engine.invariants import audit_histories
from engine.library import Library
from engine.loading.folder import load
from engine.records import Case, Moved, Refused
from engine.store.cases import students_cases
from engine.store.trail import spans
from tests.engine.lab import Written, loan, opened, procedure, rule, working
from tests.engine.town import ELSEWHERE, FIRST, HOME, SECOND, THIRD, Town

GIVE: Mapping[str, Written] = {"give": {"from": "asked", "to": "lent", "by": ["effect", "site_operator"]}}
NAMED = {"fields": {"shelf": {"type": "text", "title": {"zh": "架号", "en": "Shelf"}}}}


def lends(*effects: Written, **step: object) -> Definition:
    """The loan, whose step `lend` sets effects off."""
    return loan({"lend": {"from": "asked", "to": "lent", "by": "site_operator", "then": list(effects), **step}})


def lend(town: Town, case: int) -> Moved | Refused:
    return town.decided(case, "lend", "operator.s1")


def cases_of(town: Town, workflow: str, student_no: str = FIRST) -> list[Case]:
    found = students_cases(town.connection, town.student(student_no).id)
    return [case for case in found if case.workflow == workflow]


def assert_refused_whole(town: Town, case: int, refused: Moved | Refused, rows: tuple[int, ...]) -> Refused:
    """Nothing has changed but the chain of the case, which tells of the refusal."""
    assert isinstance(refused, Refused)
    assert refused.verdicts[0].id == "X-04"
    assert town.by_id(case).state == "asked"
    assert town.counts() == (rows[0] + 1, *rows[1:])
    last = town.events(case)[-1]
    assert (last["kind"], last["data"]["engine"]) == ("refused", ["linked-case"])
    assert town.replayed().diverged == ()
    return refused


def test_a_step_takes_the_linked_case_with_it_and_its_event_is_named_as_the_cause(district_url: str, library: Library):
    with working(district_url, library, [lends({"fire": "file.give"}), procedure("file", GIVE)]) as town:
        case, file = opened(town, "loan"), opened(town, "file")
        other = opened(town, "file", SECOND)
        assert isinstance(lend(town, case), Moved)
        assert (town.by_id(file).state, town.by_id(other).state) == ("lent", "asked")
        cause, caused = town.events(case)[-1], town.events(file)[-1]
        assert cause["data"]["effects"] == ["file.give"]
        assert caused["cause"] == {"chain": cause["chain"], "seq": cause["seq"]}
        assert (caused["actor"], caused["role"], caused["data"]["people"]) == ("operator.s1", "effect", [])
        assert town.replayed().diverged == ()


@pytest.mark.parametrize("files", [0, 2])
def test_where_one_case_is_expected_none_or_several_refuse(district_url: str, library: Library, files: int):
    definitions = [lends({"fire": "file.give"}), procedure("file", GIVE, unique="never")]
    with working(district_url, library, definitions) as town:
        case = opened(town, "loan")
        linked = [opened(town, "file") for _ in range(files)]
        rows = town.counts()
        assert_refused_whole(town, case, lend(town, case), rows)
        assert {town.by_id(one).state for one in linked} <= {"asked"}


@pytest.mark.parametrize("files", [0, 2])
def test_where_any_are_expected_all_there_are_go_along(district_url: str, library: Library, files: int):
    definitions = [lends({"fire": "file.give", "expects": "any"}), procedure("file", GIVE, unique="never")]
    with working(district_url, library, definitions) as town:
        case = opened(town, "loan")
        linked = [opened(town, "file") for _ in range(files)]
        assert isinstance(lend(town, case), Moved)
        assert [town.by_id(one).state for one in linked] == ["lent"] * files
        assert town.replayed().diverged == ()


def test_an_effect_chooses_among_the_linked_cases(district_url: str, library: Library):
    ask: Mapping[str, Written] = {
        "ask": {"from": "new", "to": "asked", "by": ["site_operator", "effect"], "accepts": ["shelf"]}
    }
    file = procedure("file", {**GIVE, **ask}, unique="never", **NAMED)
    with working(district_url, library, [lends({"fire": "file.give", "where": "it.shelf == 'A'"}), file]) as town:
        case = opened(town, "loan")
        chosen, other = opened(town, "file", shelf="A"), opened(town, "file", shelf="B")
        assert isinstance(lend(town, case), Moved)
        assert (town.by_id(chosen).state, town.by_id(other).state) == ("lent", "asked")


def test_an_effect_hands_values_on(district_url: str, library: Library):
    asks: Mapping[str, Written] = {"give": {**GIVE["give"], "asks": ["shelf"]}}
    file = procedure("file", asks, **NAMED)
    with working(district_url, library, [lends({"fire": "file.give", "with": {"shelf": "'A' + '1'"}}), file]) as town:
        case, linked = opened(town, "loan"), opened(town, "file")
        assert isinstance(lend(town, case), Moved)
        assert town.by_id(linked).fields == {"shelf": "A1"}


def test_a_linked_step_is_refused_for_what_it_asks_and_is_not_given(district_url: str, library: Library):
    asks: Mapping[str, Written] = {"give": {**GIVE["give"], "asks": ["shelf"]}}
    definitions = [lends({"fire": "file.give"}), procedure("file", asks, **NAMED)]
    with working(district_url, library, definitions) as town:
        case, _ = opened(town, "loan"), opened(town, "file")
        rows = town.counts()
        refused = assert_refused_whole(town, case, lend(town, case), rows)
        assert [one.rule for one in refused.verdicts] == ["linked-case", "asked-missing"]


def test_an_effect_that_does_not_apply_is_not_carried_out(district_url: str, library: Library):
    effect = {"fire": "file.give", "applies": "fee_owed > 0"}
    with working(district_url, library, [lends(effect), procedure("file", GIVE)]) as town:
        case, file = opened(town, "loan"), opened(town, "file")
        assert isinstance(lend(town, case), Moved)
        assert town.by_id(file).state == "asked"
        assert "effects" not in town.events(case)[-1]["data"]


def test_a_linked_case_that_refuses_refuses_the_whole_act_and_is_named(district_url: str, library: Library):
    guarded: Mapping[str, Written] = {"give": {**GIVE["give"], "guards": ["never"]}}
    definitions = [
        lends({"open": "note.ask"}, {"fire": "file.give"}),
        procedure("file", guarded),
        procedure("note", GIVE),
    ]
    with working(district_url, library, definitions, never=rule("false")) as town:
        case, file = opened(town, "loan"), opened(town, "file")
        rows = town.counts()
        refused = assert_refused_whole(town, case, lend(town, case), rows)
        assert refused.failed == ("T-01", "X-04")
        assert town.by_id(file).number in refused.verdicts[0].sentence.zh
        [linked] = town.events(case)[-1]["data"]["linked"]
        assert (linked["trigger"], linked["state"], linked["failed"]) == ("give", "asked", ["T-01"])
        assert cases_of(town, "note") == [], "what came before in the act is undone"


def test_a_step_of_the_record_is_fired_with_what_it_asks_for(district_url: str, library: Library):
    given = {"decided_on": "today", "document_no": "'1'", "suspended_until": "days_after(today, 30)"}
    with working(district_url, library, [lends({"fire": "record.suspend", "with": given})]) as town:
        case = opened(town, "loan")
        assert isinstance(lend(town, case), Moved)
        assert town.case(FIRST).fields["document_no"] == "1"
        assert town.replayed().diverged == ()


def test_an_effect_opens_a_case_about_the_same_student_and_not_a_second_one(district_url: str, library: Library):
    with working(district_url, library, [lends({"open": "file.ask"}), procedure("file", GIVE)]) as town:
        case = opened(town, "loan")
        assert isinstance(lend(town, case), Moved)
        [file] = cases_of(town, "file")
        [told] = town.events(file.id)
        assert (told["kind"], told["cause"]["seq"]) == ("opened", town.by_id(case).head.seq)
        second = opened(town, "loan", SECOND)
        opened(town, "file", SECOND)
        rows = town.counts()
        refused = assert_refused_whole(town, second, lend(town, second), rows)
        assert [one.rule for one in refused.verdicts] == ["linked-case", "not-unique"]


def test_an_effect_opens_one_for_each_student_of_the_unit_and_passes_over_who_cannot(
    district_url: str, library: Library
):
    guarded: Mapping[str, Written] = {
        "ask": {"from": "new", "to": "asked", "by": ["site_operator", "effect"], "guards": ["owes-nothing"]}
    }
    file = procedure("file", {**GIVE, **guarded})
    effect = {"open": "file.ask", "for_each": "student"}
    with working(district_url, library, [lends(effect), file], owes_nothing=rule("fee_owed == 0")) as town:
        case, there = opened(town, "loan"), opened(town, "file", SECOND)
        town.know(THIRD, fee_owed="1.00")
        assert isinstance(lend(town, case), Moved)
        found = {no: len(cases_of(town, "file", no)) for no in (FIRST, SECOND, THIRD, ELSEWHERE)}
        assert found == {FIRST: 1, SECOND: 1, THIRD: 0, ELSEWHERE: 0}
        assert town.by_id(there).state == "asked"
        assert town.replayed().diverged == ()


def test_all_other_open_cases_of_the_student_are_cancelled_and_ended_ones_stay(district_url: str, library: Library):
    definitions = [lends({"cancel": "open_cases"}), procedure("file", GIVE, unique="never")]
    with working(district_url, library, definitions) as town:
        ended, first, second = (opened(town, "file") for _ in range(3))
        town.decided(ended, "give", "operator.s1")
        other, case = opened(town, "file", SECOND), opened(town, "loan")
        assert isinstance(lend(town, case), Moved)
        states = [town.by_id(one).state for one in (ended, first, second, other)]
        assert states == ["lent", "cancelled", "cancelled", "asked"]
        assert town.case(FIRST).state == "enrolled", "the record is no case that can be cancelled"
        assert town.replayed().diverged == ()
        assert audit_histories(town.connection, spans(town.connection, 1)[0]) == {}


def test_a_student_moves_to_another_unit_and_the_open_cases_follow(district_url: str, library: Library):
    moving = {"fields": {"there": {"type": "unit site", "title": {"zh": "转入点", "en": "To"}}}}
    steps: Mapping[str, Written] = {
        "lend": {
            "from": "asked", "to": "lent", "by": "site_operator", "asks": ["there"],
            "then": [{"move": "student", "to": "case.there"}],
        }
    }  # fmt: skip
    with working(district_url, library, [loan(steps, **moving), procedure("file", GIVE)]) as town:
        case, file = opened(town, "loan"), opened(town, "file")
        assert isinstance(town.decided(case, "lend", "operator.s1", there="S2"), Moved)
        assert (town.student(FIRST).unit, town.by_id(file).unit, town.case(FIRST).unit) == ("S2", "S2", "S2")
        assert town.by_id(file).path.endswith("B2/S2/")
        assert town.events(file)[-1]["kind"] == "relocated"
        assert town.events(file)[-1]["cause"]["seq"] == town.by_id(case).head.seq
        assert isinstance(town.decided(file, "give", "operator.s2"), Moved)
        assert town.replayed().diverged == ()


def test_a_step_that_was_caused_keeps_nobody_from_a_later_one(district_url: str, library: Library):
    steps: Mapping[str, Written] = {
        "give": {"from": "asked", "to": "checked", "by": ["effect", "site_operator"]},
        "close": {"from": "checked", "to": "lent", "by": "site_operator"},
    }
    file = procedure("file", steps, distinct=[["give", "close"]])
    with working(district_url, library, [lends({"fire": "file.give"}), file]) as town:
        case, linked = opened(town, "loan"), opened(town, "file")
        own = opened(town, "file", SECOND)
        assert isinstance(lend(town, case), Moved)
        assert isinstance(town.decided(linked, "close", "operator.s1"), Moved)
        town.decided(own, "give", "operator.s1")
        assert isinstance(town.decided(own, "close", "operator.s1"), Refused)
        assert town.replayed().diverged == ()


def test_cases_of_different_procedures_each_set_off_their_own_effects(district_url: str, library: Library):
    """Both steps have an effect in the first place, and not the same one."""
    file = procedure("file", {"give": {**GIVE["give"], "then": [{"open": "note.ask"}]}}, family="papers")
    book = procedure("book", {"give": {**GIVE["give"], "then": [{"open": "slip.ask"}]}}, family="papers")
    plain = [procedure(name, GIVE) for name in ("note", "slip")]
    definitions = [file, book, *plain, lends({"fire": "papers.give", "expects": "any"})]
    with working(district_url, library, definitions) as town:
        case = opened(town, "loan")
        opened(town, "file")
        opened(town, "book")
        assert isinstance(lend(town, case), Moved)
        assert [len(cases_of(town, name)) for name in ("note", "slip")] == [1, 1]
        assert town.replayed().diverged == ()


def test_in_bulk_every_case_with_effects_is_an_act_of_its_own(district_url: str, library: Library):
    with working(district_url, library, [lends({"fire": "file.give"}), procedure("file", GIVE)]) as town:
        cases = [opened(town, "loan", no) for no in (FIRST, SECOND)]
        file = opened(town, "file")
        answer = move_many(town.desk, [(case, 1) for case in cases], town.request("lend", "operator.s1"))
        assert answer.moved == cases[:1]
        assert [one.case.id for one in answer.refused] == cases[1:]
        assert town.by_id(file).state == "lent"
        assert town.replayed().diverged == ()


DYING: Sequence[Definition] = (
    lends({"open": "note.ask"}, {"fire": "file.give"}),
    procedure("file", GIVE),
    procedure("note", GIVE),
)


def _lend_and_die(url: str, case: int) -> None:
    """A process that is gone, without a word, once the second effect is about to be carried out."""
    acting._take_linked = lambda *_: os._exit(9)  # noqa: SLF001 it dies there
    with working(url, load(HOME), DYING) as town:
        lend(town, case)


def test_of_an_act_whose_process_is_killed_in_the_middle_nothing_is_left(district_url: str, library: Library):
    with working(district_url, library, DYING) as town:
        case, file = opened(town, "loan"), opened(town, "file")
        rows = town.counts()
        process = get_context("spawn").Process(target=_lend_and_die, args=(district_url, case))
        process.start()
        process.join(60)
        assert process.exitcode == 9
        assert town.counts() == rows
        assert (town.by_id(case).state, town.by_id(file).state) == ("asked", "asked")
        assert isinstance(lend(town, case), Moved)
        assert town.replayed().diverged == ()
