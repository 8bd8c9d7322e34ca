"""The graduation conditions, asked with values as a registrar would know them."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.checking.texts import derived
from engine.guards import Guard, compile_guard
from engine.library import Library
from engine.loading.folder import load
from engine.scopes import case_scope

HOLDS, FAILS, UNDECIDED, NOT_APPLICABLE = range(4)
PAIRS = frozenset({(2022, "专科"), (2022, "专升本"), (2019, "高起本")})
NO_CHANGES = "none(cases('student-information-change'), it.open)"


@pytest.fixture(scope="module")
def library() -> Library:
    return load(Path(__file__).parents[2])


def guard(library: Library, name: str, profile: str = "online-ed") -> Guard:
    scope = case_scope(library, library.record(profile))
    return compile_guard(name, library.rulebook.rules[name], scope, derived(library))


CASES = [
    ("in-batch", {"record.state": "enrolled", "cohort": 2022, "level": "专科", "batch.pairs": PAIRS}, HOLDS),
    ("in-batch", {"record.state": "enrolled", "cohort": 2022, "level": "高起本", "batch.pairs": PAIRS}, FAILS),
    ("in-batch", {"record.state": "suspended", "cohort": 2022, "level": "专科", "batch.pairs": PAIRS}, FAILS),
    ("prior-qualification", {"prior_qualification": "审核通过"}, HOLDS),
    ("prior-qualification", {"prior_qualification": "待审"}, FAILS),
    ("prior-qualification", {}, UNDECIDED),
    ("key-info-settled", {"key_info_confirmed": True, NO_CHANGES: True}, HOLDS),
    ("key-info-settled", {"key_info_confirmed": True, NO_CHANGES: False}, FAILS),
    ("key-info-settled", {"key_info_confirmed": False}, FAILS),
    ("terms-passed", {"terms_required": 5, "terms_passed": 5}, HOLDS),
    ("terms-passed", {"terms_required": 5, "terms_passed": 4}, FAILS),
    ("level-exam-passed", {"cohort": 2022, "level": "专科", "level_exam": "合格"}, HOLDS),
    ("level-exam-passed", {"cohort": 2022, "level": "专升本", "level_exam": "缺考"}, FAILS),
    ("level-exam-passed", {"cohort": 2022, "level": "专升本"}, UNDECIDED),
    ("level-exam-passed", {"cohort": 2021, "level": "专科"}, NOT_APPLICABLE),
    ("level-exam-passed", {"cohort": 2022, "level": "高起本"}, NOT_APPLICABLE),
    ("photo-ready", {"photo_collected": True, "photo_review": "通过", "identity_check": "未核"}, HOLDS),
    ("photo-ready", {"photo_collected": True, "photo_review": "通过", "identity_check": "未通过"}, FAILS),
    ("photo-ready", {"photo_collected": True, "photo_review": "待审", "identity_check": "通过"}, FAILS),
    ("fees-paid", {"fee_owed": Decimal("0.00")}, HOLDS),
    ("fees-paid", {"fee_owed": Decimal("0.01")}, FAILS),
    ("fees-paid", {}, UNDECIDED),
    ("file-complete", {"card_filled": True, "form_filled": True, "form_signed": True}, HOLDS),
    ("file-complete", {"card_filled": True, "form_filled": True, "form_signed": False}, FAILS),
    ("file-complete", {"card_filled": True, "form_filled": True}, UNDECIDED),
    ("within-study-period", {"today": date(2024, 5, 13)}, NOT_APPLICABLE),
    ("within-study-period", {"today": date(2024, 5, 13), "max_study_until": date(2024, 5, 12)}, FAILS),
    ("issued-on-graduation-day", {"issued_on": date(2024, 7, 1), "graduated_on": date(2024, 7, 1)}, HOLDS),
    ("issued-on-graduation-day", {"issued_on": date(2024, 7, 1), "batch.graduation_on": date(2024, 7, 1)}, HOLDS),
    ("issued-on-graduation-day", {"issued_on": date(2024, 7, 1), "batch.graduation_on": date(2024, 7, 2)}, FAILS),
    ("issued-on-graduation-day", {"issued_on": date(2024, 7, 1)}, UNDECIDED),
    ("education-type-in-scope", {"level": "专科"}, HOLDS),
    ("education-type-in-scope", {}, UNDECIDED),
    ("one-fulltime-record", {"study_mode": "开放教育"}, NOT_APPLICABLE),
    ("certificate-kind", {"conclusion": "结业"}, HOLDS),
    ("certificate-kind", {}, UNDECIDED),
]


@pytest.mark.parametrize(("name", "known", "outcome"), CASES)
def test_a_condition_is_judged_as_the_notice_says(library, name, known, outcome):
    asked = guard(library, name)

    assert asked.ask(*[known.get(key) for key in asked.reads]) == outcome
    assert set(known) <= set(asked.reads)


def test_the_final_audit_counts_only_with_the_upload_of_the_province(library):
    asked = guard(library, "final-audit-passed", "open-university")
    uploaded = {"taken('provincial_audit')": True, "case.final_audit": "通过"}

    def ask(**changes: object) -> int:
        known = {**uploaded, **{key.replace("final", "case.final_audit"): one for key, one in changes.items()}}
        return int(asked.ask(*[known.get(key) for key in asked.reads]))

    assert ask() == HOLDS
    assert ask(final="未通过") == FAILS
    assert ask(final=None) == UNDECIDED
