"""Lists: gathered live, frozen, released, followed by a supplement; who is on one, who signs for whom, who may move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier
from time import perf_counter

import pytest

from engine.attaching import Attached, attach
from engine.casework import move, open_case
from engine.definition import Definition
from engine.enrolling import Enrolment, enrol
from engine.errors import NotAllowed, StaleCase
from engine.library import Library
from engine.organisation import give_role
from engine.records import Case, Json, Moved, Refused
from engine.vocabulary import Document
from exchange.evidence import inspect
from tests.engine.lab import Written, loan, opened, working
from tests.engine.town import ELSEWHERE, FIRST, NOW, REASON, SECOND, THIRD, Town, roster_facts, town_at
from tests.exchange.pictures import picture

STEPS: Mapping[str, Written] = {
    "check": {"from": "asked", "to": "checked", "by": ["site_operator", "members"]},
    "lend": {"from": "checked", "to": "lent", "by": ["site_operator", "effect"]},
    "note": {"from": ["asked", "checked", "lent"], "by": "effect"},
}
START: Mapping[str, Written] = {"start": {"from": "new", "to": "open", "by": ["members", "records_section"]}}
COMPILE: Mapping[str, Written] = {"compile": {"from": "open", "to": "compiled", "by": "records_section"}}
REOPEN: Mapping[str, Written] = {
    "reopen": {"from": "compiled", "to": "open", "kind": "return", "by": "records_section"}
}
SEAL: Mapping[str, Written] = {
    "seal": {"from": "compiled", "to": "sealed", "by": "records_section", "then": [{"fire": "members.lend"}]}
}
NOTE: Mapping[str, Written] = {
    "seal": {"from": "compiled", "to": "sealed", "by": "records_section", "then": [{"fire": "members.note"}]}
}


def named(entries: Mapping[str, Written]) -> dict[str, Written]:
    return {name: {"title": {"zh": name, "en": name}, **one} for name, one in entries.items()}


def roll(transitions: Mapping[str, Written], **more: object) -> dict[str, object]:
    """A list of the checked loans of the province."""
    states: Mapping[str, Written] = {"open": {}, "compiled": {"frozen": True}, "sealed": {"final": True}}
    return {
        "title": {"zh": "名单", "en": "Roll"}, "about": ["province"], "states": named(states),
        "members": {"of": "loan", "where": "it.state == 'checked'"}, "transitions": named({**START, **transitions}),
        **more,
    }  # fmt: skip


ONE_AT_A_TIME = roll({**COMPILE, **REOPEN, **SEAL})


def lending_by_list(**lists: Mapping[str, object]) -> Definition:
    return loan(STEPS, lists=lists)


@contextmanager
def compiling(
    url: str, library: Library, checked: Sequence[str] = (FIRST, ELSEWHERE), **lists: Mapping[str, object]
) -> Iterator[tuple[Town, list[int]]]:
    """Loans of some students, checked so that they are ready for the list `roll`."""
    with working(url, library, [lending_by_list(**(lists or {"roll": ONE_AT_A_TIME}))]) as town:
        yield town, [checked_loan(town, no) for no in checked]


def checked_loan(town: Town, student_no: str) -> int:
    case = opened(town, "loan", student_no)
    outcome = town.decided(case, "check", "operator.s2" if student_no == ELSEWHERE else "operator.s1")
    assert isinstance(outcome, Moved), outcome
    return case


def lists(town: Town, name: str = "loan.roll") -> list[Case]:
    """The lists of a kind, by number."""
    rows = town.connection.execute("SELECT id FROM cases WHERE workflow = ? ORDER BY id", (name,)).fetchall()
    return [town.by_id(int(str(row[0]))) for row in rows]


def test_any_list_may_ask_that_another_than_who_handed_it_in_ticks_a_scan(district_url: str, library: Library):
    scan = Document.model_validate({
        "title": {"zh": "名单扫描件", "en": "Scan of the roll"}, "file": ["png"], "ticked_by_another": True,
        "ticks": {"signed": {"zh": "签字", "en": "signed"}, "sealed": {"zh": "公章", "en": "sealed"}}, "source": "test",
    })  # fmt: skip
    rolls = roll({**COMPILE, "seal": {**SEAL["seal"], "needs": ["E-ROLL"], "reviews": ["E-ROLL"]}})
    documents = {**library.rulebook.documents, "E-ROLL": scan}
    library = replace(library, rulebook=library.rulebook.model_copy(update={"documents": documents}))
    with compiling(district_url, library, [FIRST], roll=rolls) as (town, _):
        [listed] = lists(town)
        give_role(town.desk, "colleague", "records_section", "SX", at=NOW, actor="setup")
        town.decided(listed.id, "compile", "records.sx")
        upload = inspect("roll.png", picture("PNG"))
        assert isinstance(
            attach(town.desk, listed.id, "E-ROLL", upload, town.request("attach", "records.sx")), Attached
        )
        ticks = {"E-ROLL.signed": True, "E-ROLL.sealed": True}

        for who, expected in (("records.sx", ("X-47",)), ("colleague", ())):
            answer = move(town.desk, listed.id, replace(town.request("seal", who), ticks=ticks))
            assert (answer.failed if isinstance(answer, Refused) else ()) == expected


def sharing(library: Library, first: str, second: str) -> Library:
    """The library with two forms, `ONE` and `TWO`, that take those members for whom the conditions are true."""
    forms = {
        kind: Document.model_validate({
            "title": {"zh": kind, "en": kind}, "made_from": "members", "rows": rows, "columns": ["student_no"],
            "source": "test",
        })
        for kind, rows in (("ONE", first), ("TWO", second))
    }  # fmt: skip
    documents = {**library.rulebook.documents, **forms}
    return replace(library, rulebook=library.rulebook.model_copy(update={"documents": documents}))


SHARED = roll(
    {"compile": {**COMPILE["compile"], "issues": ["ONE", "TWO"]}, **REOPEN, **SEAL},
    members={"of": "loan", "where": "it.state == 'checked'", "on_one_of": ["ONE", "TWO"]},
)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (f"it.student_no == '{FIRST}'", f"it.student_no == '{SECOND}'", ("nowhere", ELSEWHERE)),
        (f"it.student_no == '{FIRST}'", f"it.student_no in ('{FIRST}', '{SECOND}', '{ELSEWHERE}')", ("twice", FIRST)),
        (f"it.student_no == '{FIRST}'", f"it.student_no != '{FIRST}'", None),
    ],
    ids=["somebody-is-on-none", "somebody-is-on-two", "all-are-on-one"],
)
def test_a_list_is_fixed_only_if_everybody_stands_on_exactly_one_of_the_forms_that_share_it_out(
    district_url: str, library: Library, first: str, second: str, told: tuple[str, str] | None
):
    with compiling(district_url, sharing(library, first, second), [FIRST, SECOND, ELSEWHERE], roll=SHARED) as (town, _):
        [listed] = lists(town)

        answer = town.decided(listed.id, "compile", "records.sx")

        if told is None:
            assert isinstance(answer, Moved)
            return
        assert isinstance(answer, Refused)
        assert answer.failed == ("X-48",)
        assert town.by_id(listed.id).state == "open"
        [verdict] = answer.verdicts
        nowhere, twice = verdict.sentence.zh.partition("哪张都不在：")[2].split("；不止一张：")
        said = {"nowhere": nowhere, "twice": twice}
        assert f"（{told[1]}）" in said.pop(told[0])
        assert list(said.values()) == ["—"]
        assert told[1] not in str(answer.data), "whom it is about is told and not kept"


def members(town: Town) -> list[tuple[object, ...]]:
    return town.connection.execute("SELECT list_id, member FROM member ORDER BY list_id, member").fetchall()


def at_once(url: str, library: Library, *acts: Callable[[Town], object]) -> list[object]:
    """What each of some clerks is answered who all begin at the same moment."""
    begin = Barrier(len(acts))

    def work(act: Callable[[Town], object]) -> object:
        with town_at(url, library) as town:
            begin.wait(timeout=30)
            try:
                return act(town)
            except StaleCase as problem:
                return problem

    with ThreadPoolExecutor(len(acts)) as clerks:
        return list(clerks.map(work, acts))


def test_a_list_opens_with_its_first_member_and_the_next_one_joins_it(district_url: str, library: Library):
    with compiling(district_url, library) as (town, [first, second]):
        [roll_of_all] = lists(town)
        assert (roll_of_all.state, roll_of_all.unit) == ("open", "SX")
        [opened_by] = town.events(roll_of_all.id)
        assert opened_by["cause"]["chain"] == town.events(first)[-1]["chain"]
        frozen = town.decided(roll_of_all.id, "compile", "records.sx")
        assert isinstance(frozen, Moved)
        assert frozen.data["members"]["count"] == 2  # type: ignore[index, call-overload] # JSON
        assert members(town) == [(roll_of_all.id, first), (roll_of_all.id, second)]
        assert town.replayed().diverged == ()


def test_until_it_freezes_a_list_gathers_who_is_ready_now(district_url: str, library: Library):
    with compiling(district_url, library) as (town, [first, second]):
        [roll_of_all] = lists(town)
        assert isinstance(town.decided(first, "lend", "operator.s1"), Moved)
        town.decided(roll_of_all.id, "compile", "records.sx")
        assert members(town) == [(roll_of_all.id, second)]


def test_a_member_of_a_frozen_list_is_moved_by_the_list_and_by_nobody_else(district_url: str, library: Library):
    with compiling(district_url, library) as (town, loans):
        [roll_of_all] = lists(town)
        town.decided(roll_of_all.id, "compile", "records.sx")
        refused = town.decided(loans[0], "lend", "operator.s1")
        assert isinstance(refused, Refused)
        assert [(one.rule, one.id) for one in refused.verdicts] == [("list-frozen", "X-12")]
        assert roll_of_all.number in refused.verdicts[0].sentence.zh
        assert isinstance(town.decided(roll_of_all.id, "seal", "records.sx"), Moved)
        assert [town.by_id(one).state for one in loans] == ["lent", "lent"]
        assert {town.events(one)[-1]["cause"]["seq"] for one in loans} == {town.by_id(roll_of_all.id).head.seq}
        assert town.replayed().diverged == ()


def test_a_list_that_goes_back_lets_its_members_go(district_url: str, library: Library):
    with compiling(district_url, library) as (town, loans):
        [roll_of_all] = lists(town)
        town.decided(roll_of_all.id, "compile", "records.sx")
        town.decided(roll_of_all.id, "reopen", "records.sx", None, **REASON)
        assert members(town) == []
        assert town.events(roll_of_all.id)[-1]["data"]["members"] is None
        assert isinstance(town.decided(loans[0], "lend", "operator.s1"), Moved)
        town.decided(roll_of_all.id, "compile", "records.sx")
        assert members(town) == [(roll_of_all.id, loans[1])]
        assert town.replayed().diverged == ()


def test_who_comes_after_the_list_has_frozen_starts_the_next_once_it_has_ended(district_url: str, library: Library):
    with compiling(district_url, library) as (town, loans):
        [roll_of_all] = lists(town)
        town.decided(roll_of_all.id, "compile", "records.sx")
        late = checked_loan(town, SECOND)
        assert len(lists(town)) == 1, "one at a time"
        town.decided(roll_of_all.id, "seal", "records.sx")
        [ended, supplement] = lists(town)
        assert (ended.state, supplement.state) == ("sealed", "open")
        town.decided(supplement.id, "compile", "records.sx")
        assert members(town) == [(supplement.id, late)], "only what is new"
        town.decided(supplement.id, "seal", "records.sx")
        assert [town.by_id(one).state for one in (*loans, late)] == ["lent"] * 3
        assert len(lists(town)) == 2, "nobody waits, so there is no third"
        assert town.replayed().diverged == ()


def test_where_several_lists_may_run_who_comes_late_starts_a_supplement_at_once(district_url: str, library: Library):
    several = roll({**COMPILE, **SEAL}, unique="never")
    with compiling(district_url, library, roll=several) as (town, _):
        [first] = lists(town)
        town.decided(first.id, "compile", "records.sx")
        late = checked_loan(town, SECOND)
        checked_loan(town, THIRD)
        [_, supplement] = lists(town)
        town.decided(supplement.id, "compile", "records.sx")
        assert (supplement.id, late) in members(town)
        assert len(members(town)) == 4
        assert town.replayed().diverged == ()


def test_a_list_that_froze_empty_moves_nobody_who_came_later(district_url: str, library: Library):
    with compiling(district_url, library, checked=[FIRST]) as (town, [loan_of_first]):
        [empty] = lists(town)
        town.decided(loan_of_first, "lend", "operator.s1")
        town.decided(empty.id, "compile", "records.sx")
        late = checked_loan(town, SECOND)
        assert isinstance(town.decided(empty.id, "seal", "records.sx"), Moved)
        assert town.by_id(late).state == "checked"
        assert len(lists(town)) == 2


def test_of_two_lists_that_freeze_at_once_each_case_is_on_one(district_url: str, library: Library):
    several = roll({**COMPILE, **SEAL}, unique="never")
    with compiling(district_url, library, checked=[FIRST, SECOND, THIRD, ELSEWHERE], roll=several) as (town, loans):
        open_case(town.desk, "loan.roll", "SX", town.request("start", "records.sx"))
        one, two = lists(town)

        def freezing(number: int) -> Callable[[Town], object]:
            return lambda clerk: move(clerk.desk, number, clerk.request("compile", "records.sx"))

        answers = at_once(district_url, town.desk.library, freezing(one.id), freezing(two.id))
        assert [type(answer) for answer in answers] == [Moved, Moved]
        assert sorted(int(str(member)) for _, member in members(town)) == sorted(loans)
        counts = {len([row for row in members(town) if row[0] == one.id]) for one in lists(town)}
        assert counts == {0, 4}
        assert town.replayed().diverged == ()


def test_two_lists_that_move_the_same_members_at_once_do_not_wait_for_each_other(district_url: str, library: Library):
    kinds = {"roll": roll({**COMPILE, **NOTE}), "file": roll({**COMPILE, **NOTE})}
    with compiling(district_url, library, checked=[FIRST, SECOND, THIRD, ELSEWHERE], **kinds) as (town, loans):
        frozen = [*lists(town), *lists(town, "loan.file")]
        assert len(frozen) == 2
        for one in frozen:
            town.decided(one.id, "compile", "records.sx")

        def sealing(number: int) -> Callable[[Town], object]:
            return lambda clerk: move(clerk.desk, number, clerk.request("seal", "records.sx"))

        answers = at_once(district_url, town.desk.library, *(sealing(one.id) for one in frozen))
        assert [type(answer) for answer in answers] == [Moved, Moved]
        for loaned in loans:
            assert [event["data"]["trigger"] for event in town.events(loaned)[-2:]] == ["note", "note"]
        assert town.replayed().diverged == ()


def signed_by_sites(**sign: Json) -> dict[str, object]:
    slots: Mapping[str, Written] = {
        "site": {"role": "site_approver", "each": "site"}, "province": {"role": "records_section"},
    }  # fmt: skip
    seal: Written = {
        "from": "compiled", "to": "sealed", "sign": {"slots": slots, **sign}, "then": [{"fire": "members.lend"}],
    }  # fmt: skip
    return roll({**COMPILE, **REOPEN, "seal": seal})


def test_each_unit_among_the_members_signs_for_itself(district_url: str, library: Library):
    with compiling(district_url, library, roll=signed_by_sites(order="sequence")) as (town, loans):
        give_role(town.desk, "approver.t1", "site_approver", "T1", at=NOW, actor="setup")
        [roll_of_all] = lists(town)
        town.decided(roll_of_all.id, "compile", "records.sx")
        early = town.decided(roll_of_all.id, "seal", "auditor.sx")
        assert isinstance(early, Refused)
        assert early.failed == ("X-15",)
        with pytest.raises(NotAllowed):
            town.decided(roll_of_all.id, "seal", "approver.t1")
        for login, seat in (("approver.s2", "site@S2"), ("approver.s1", "site@S1"), ("auditor.sx", "province")):
            outcome = town.decided(roll_of_all.id, "seal", login)
            assert isinstance(outcome, Moved)
            assert outcome.data["slot"] == seat
        assert [town.by_id(one).state for one in loans] == ["lent", "lent"]
        assert town.by_id(roll_of_all.id).taken["seal.site"] == ["approver.s2", "approver.s1"]
        assert town.replayed().diverged == ()


def test_signatures_on_a_list_are_void_when_it_goes_back_and_a_late_one_is_refused(district_url: str, library: Library):
    with compiling(district_url, library, roll=signed_by_sites()) as (town, _):
        [roll_of_all] = lists(town)
        town.decided(roll_of_all.id, "compile", "records.sx")
        assert isinstance(town.decided(roll_of_all.id, "seal", "approver.s1"), Moved)
        town.decided(roll_of_all.id, "reopen", "records.sx", None, **REASON)
        assert town.by_id(roll_of_all.id).slots == {}
        late = town.decided(roll_of_all.id, "seal", "approver.s2")
        assert isinstance(late, Refused)
        assert late.failed == ("X-11",)
        assert town.connection.execute("SELECT count(*) FROM waiting").fetchone() == (0,)


def test_where_a_list_waits_is_written_for_each_seat_and_goes_with_the_signature(district_url: str, library: Library):
    with compiling(district_url, library, roll=signed_by_sites()) as (town, _):
        [roll_of_all] = lists(town)
        town.decided(roll_of_all.id, "compile", "records.sx")

        def waiting() -> list[tuple[object, ...]]:
            return town.connection.execute("SELECT slot, role, unit FROM waiting ORDER BY slot").fetchall()

        province = ("province", "records_section", "SX")
        assert waiting() == [province, ("site@S1", "site_approver", "S1"), ("site@S2", "site_approver", "S2")]
        town.decided(roll_of_all.id, "seal", "approver.s1")
        assert waiting() == [province, ("site@S2", "site_approver", "S2")]


def test_a_member_that_refuses_refuses_the_list_and_all_stay(district_url: str, library: Library):
    with compiling(district_url, library) as (town, loans):
        [roll_of_all] = lists(town)
        town.decided(roll_of_all.id, "compile", "records.sx")
        town.edit(("cases", "state"), "asked", id=loans[1])
        refused = town.decided(roll_of_all.id, "seal", "records.sx")
        town.edit(("cases", "state"), "checked", id=loans[1])
        assert isinstance(refused, Refused)
        assert refused.failed == ("X-04",)
        assert town.by_id(loans[1]).number in refused.verdicts[0].sentence.zh
        assert [town.by_id(one).state for one in loans] == ["checked", "checked"]
        assert len(members(town)) == 2
        assert town.replayed().diverged == ()


@pytest.mark.heavy
def test_ten_thousand_members_are_opened_and_moved_each_in_one_act(
    district_url: str, library: Library, record_testsuite_property: Callable[[str, object], None]
):
    """The seconds of each act are in the report of the run (`--junitxml`)."""
    opens: Written = {
        "from": "asked", "to": "lent", "by": "site_operator", "then": [{"open": "loan.ask", "for_each": "student"}],
    }  # fmt: skip
    campaign = loan({"go": opens}, workflow="campaign", about=["site"])
    by_effect: Mapping[str, Written] = {"ask": {"from": "new", "to": "checked", "by": ["site_operator", "effect"]}}
    lent = loan({**STEPS, **by_effect}, lists={"roll": ONE_AT_A_TIME})
    with working(district_url, library, [lent, campaign]) as town:
        enrol(town.desk, [_line(place) for place in range(1, 10_001)], town.request("open_record", "import"))
        started = town.open(("campaign", "ask"), "S2", "operator.s2")
        assert isinstance(started, Moved)
        began = perf_counter()
        for act, (case, login) in {"go": (started.case.id, "operator.s2"), "compile": (0, ""), "seal": (0, "")}.items():
            number = case or lists(town)[0].id
            assert isinstance(town.decided(number, act, login or "records.sx"), Moved)
            record_testsuite_property(f"{town.url[:6]} {act}", perf_counter() - began)
            began = perf_counter()
        left = town.connection.execute(
            "SELECT count(*) FROM cases WHERE workflow = 'loan' AND state = 'lent'"
        ).fetchall()
        assert left == [(10_001,)]
        assert town.replayed().diverged == ()


def _line(place: int) -> Enrolment:
    number = f"2024{place:09d}"
    told = {name: value for name, value in roster_facts(number).items() if name not in ("id_number", "exam_no")}
    return Enrolment(student_no=number, unit="S2", facts=told)
