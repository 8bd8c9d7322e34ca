"""Eligibility: the exact answer for every student of a batch, before anybody applies."""

from __future__ import annotations

import pytest

from engine import eligibility as module
from engine.eligibility import Eligibility, application, eligibility
from engine.errors import Unknown
from engine.records import Json, Moved, Refused, Request
from tests.engine.town import BATCH, ELSEWHERE, FIRST, NOW, OPEN_BATCH, OPEN_FIRST, OPEN_SECOND, SECOND, THIRD, Town

LATE = NOW.replace(month=4, day=21)
NEVER = ("G-GR-24",)
"""Without a maximum study period on file, the rule about it does not apply."""

MATRIX: list[tuple[str, dict[str, Json], tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = [
    ("in order", {}, ((), (), NEVER)),
    ("fees owed", {"fee_owed": "0.01"}, (("G-GR-07",), (), NEVER)),
    ("fees unknown", {"fee_owed": None}, ((), ("G-GR-07",), NEVER)),
    ("a term missing", {"terms_passed": 4}, (("G-GR-04",), (), NEVER)),
    ("more terms than asked", {"terms_passed": 6}, ((), (), NEVER)),
    ("terms unknown", {"terms_required": None}, ((), ("G-GR-04",), NEVER)),
    ("2022 junior college, examination failed", {"level_exam": "不合格"}, (("G-GR-05",), (), NEVER)),
    ("2022 junior college, examination missed", {"level_exam": "缺考"}, (("G-GR-05",), (), NEVER)),
    ("2022 junior college, no result", {"level_exam": None}, ((), ("G-GR-05",), NEVER)),
    ("2022 to bachelor, no result", {"level": "专升本", "level_exam": None}, ((), ("G-GR-05",), NEVER)),
    ("2021 junior college, no result", {"cohort": 2021, "level_exam": None}, ((), (), ("G-GR-05", *NEVER))),
    (
        "2021 to bachelor, missed",
        {"cohort": 2021, "level": "专升本", "level_exam": "缺考"},
        ((), (), ("G-GR-05", *NEVER)),
    ),
    ("2019 senior high", {"cohort": 2019, "level": "高起本", "level_exam": None}, ((), (), ("G-GR-05", *NEVER))),
    ("2022 senior high", {"level": "高起本", "level_exam": None}, (("G-GR-01",), (), ("G-GR-05", *NEVER))),
    ("2023", {"cohort": 2023}, (("G-GR-01",), (), ("G-GR-05", *NEVER))),
    ("cohort unknown, passed", {"cohort": None}, ((), ("G-GR-01",), NEVER)),
    ("cohort unknown, no result", {"cohort": None, "level_exam": None}, ((), ("G-GR-01", "G-GR-05"), NEVER)),
    ("prior pending", {"prior_qualification": "待审"}, (("G-GR-02",), (), NEVER)),
    ("prior reviewed", {"prior_qualification": "审核通过"}, ((), (), NEVER)),
    ("not confirmed", {"key_info_confirmed": False}, (("G-GR-03",), (), NEVER)),
    ("confirmation unknown", {"key_info_confirmed": None}, ((), ("G-GR-03",), NEVER)),
    ("no photo, review unknown", {"photo_collected": False, "photo_review": None}, (("G-GR-06",), (), NEVER)),
    ("photo unknown, review failed", {"photo_collected": None, "photo_review": "未通过"}, (("G-GR-06",), (), NEVER)),
    ("photo pending", {"photo_review": "待审"}, (("G-GR-06",), (), NEVER)),
    ("identity not checked", {"identity_check": "未核"}, ((), (), NEVER)),
    ("identity unknown", {"identity_check": None}, ((), ("G-GR-06",), NEVER)),
    ("card missing, rest unknown", {"card_filled": False, "form_filled": None}, (("G-GR-08",), (), NEVER)),
    ("form unknown", {"form_filled": None}, ((), ("G-GR-08",), NEVER)),
    ("in the study period to the day", {"max_study_until": "2024-04-20"}, ((), (), ())),
    ("study period over", {"max_study_until": "2024-04-19"}, (("G-GR-24",), (), ())),
    (
        "everything at once",
        {"fee_owed": None, "terms_passed": 1, "level_exam": "缺考", "form_signed": False, "photo_review": None},
        (("G-GR-04", "G-GR-05", "G-GR-08"), ("G-GR-06", "G-GR-07"), NEVER),
    ),
]


def answers(town: Town, batch: str = BATCH) -> dict[str, Eligibility]:
    asked = town.request("eligibility", "records.sx")
    return {one.student_no: one for one in eligibility(town.desk, batch, asked)}


def test_the_exact_answer_for_every_kind_of_student(town: Town):
    for who, facts, (failed, undecided, not_applicable) in MATRIX:
        with town.undone():
            town.know(FIRST, **facts)
            one = answers(town)[FIRST]
            assert (one.failed, one.undecided, one.not_applicable) == (failed, undecided, not_applicable), who
            assert one.eligible == (not failed and not undecided), who


def test_applying_says_what_eligibility_said(town: Town):
    for who, facts, (failed, undecided, _) in MATRIX:
        with town.undone():
            town.know(FIRST, **facts)
            outcome = town.take(FIRST, "apply", "operator.s1")
            if failed or undecided:
                assert isinstance(outcome, Refused), who
                assert (outcome.failed, outcome.undecided) == (failed, undecided), who
            else:
                assert isinstance(outcome, Moved), who


def test_only_the_students_of_the_profile_are_judged_in_order_of_their_numbers(town: Town):
    assert list(answers(town)) == [FIRST, SECOND, THIRD, ELSEWHERE]
    assert list(answers(town, OPEN_BATCH)) == [OPEN_FIRST, OPEN_SECOND]


def test_judging_writes_nothing(town: Town):
    rows, before = town.counts(), town.case(FIRST)
    answers(town)
    assert (town.counts(), town.case(FIRST)) == (rows, before)


def test_who_has_applied_already_is_not_in_the_batch_any_more(town: Town):
    town.advance(FIRST, "applied")
    assert answers(town)[FIRST].failed == ("G-GR-01",)


@pytest.mark.parametrize("chunk", [1, 3])
def test_where_the_chunks_end_makes_no_difference(town: Town, monkeypatch: pytest.MonkeyPatch, chunk: int):
    town.know(SECOND, fee_owed="1.00")
    whole = answers(town)
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert answers(town) == whole


def test_the_day_of_the_request_counts_not_the_day_of_the_machine(town: Town):
    town.know(FIRST, max_study_until="2024-04-20")
    actor = town.actor("records.sx")
    late = eligibility(town.desk, BATCH, Request(trigger="e", actor=actor, at=LATE))
    assert next(one for one in late if one.student_no == FIRST).failed == ("G-GR-24",)


def test_a_batch_that_is_not_published_is_unknown_with_the_nearest_name(town: Town):
    with pytest.raises(Unknown, match="2024-06"):
        answers(town, "2024-6")


def test_one_applies_for_a_batch_by_the_step_that_asks_for_it(town: Town):
    assert application(town.desk, BATCH) == "apply"
    assert application(town.desk, OPEN_BATCH) == "apply"
