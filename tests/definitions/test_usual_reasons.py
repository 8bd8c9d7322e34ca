"""What the shipped procedures usually say can be done by whoever reads it, in every profile that says it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.library import Library
from engine.loading.folder import load

ROOT = Path(__file__).parents[2]
FULLTIME = ("fulltime-university", "fulltime-vocational", "fulltime-college", "vocational-branch", "generic")
STATUS = ("leave-of-absence", "major-transfer", "resumption-of-study", "school-transfer", "voluntary-withdrawal")


@pytest.fixture(scope="module")
def library() -> Library:
    return load(ROOT)


def said(library: Library, workflow: str, profile: str) -> Mapping[str, str]:
    """All that is offered with each step, as one text."""
    one = library.definition(workflow, profile)
    offered = {name: library.usual_reasons(one, name) for name in one.transitions}
    return {name: "\n".join(reason.zh for reason in reasons) for name, reasons in offered.items() if reasons}


def changes(library: Library) -> list[tuple[str, str]]:
    """The procedures of changed status, as every profile runs them."""
    return [(one.workflow, one.profile) for one in library.machines() if one.workflow in STATUS]


def test_only_who_must_write_a_form_by_hand_is_sent_back_for_not_having_done_so(library: Library) -> None:
    for workflow, profile in changes(library):
        one = library.definition(workflow, profile)
        asks = "form-written-by-hand" in one.transitions["submit"].guards
        offers = {"手写" in said(library, workflow, profile)[name] for name in ("send_back",)}
        assert offers == {asks}, (workflow, profile)


def test_only_who_must_hand_in_several_copies_is_sent_back_for_too_few(library: Library) -> None:
    for profile in ("open-university", "online-ed", *FULLTIME[:3]):
        asks = "four-copies" in library.definition("voluntary-withdrawal", profile).transitions["submit"].guards
        assert ("份数" in said(library, "voluntary-withdrawal", profile)["send_back"]) == asks, profile


@pytest.mark.parametrize(
    ("workflow", "rule", "words"),
    [("school-transfer", "same-major", "与现在的专业不同"), ("major-transfer", "major-offered", "没有开设")],
)
def test_a_transfer_is_refused_for_the_major_only_where_its_rule_is_asked(
    library: Library, workflow: str, rule: str, words: str
) -> None:
    profiles = [profile for name, profile in changes(library) if name == workflow]

    for profile in profiles:
        asks = rule in library.definition(workflow, profile).transitions["submit"].guards
        assert (words in said(library, workflow, profile)["reject"]) == asks, profile
    assert {"open-university", "fulltime-university"} <= set(profiles)


def test_no_full_time_school_is_told_what_a_teaching_point_alone_could_do(library: Library) -> None:
    told = {
        (one.workflow, one.profile): "".join(said(library, one.workflow, one.profile).values())
        for one in library.machines()
        if one.profile in FULLTIME
    }

    assert [name for name, words in told.items() if "教学点" in words.replace("教学点或院部", "")] == []


def test_whoever_gets_no_leave_is_told_to_report_because_nobody_can_ask_again(library: Library) -> None:
    for profile in ("vocational-branch", "fulltime-vocational"):
        one = library.definition("term-reporting-and-leave", profile)
        there = one.transitions["refuse_leave"].targets
        leads = {name for name, step in one.transitions.items() if set(there) & set(step.origins)}

        words = said(library, one.workflow, profile)["refuse_leave"]

        assert "request_leave" not in leads
        assert ("report_late" in leads, "重新请假" in words, words.count("补报到")) == (True, False, 3)


def test_a_student_who_takes_back_or_fills_in_anew_is_offered_no_words_of_an_officer(library: Library) -> None:
    assert "take_back" not in said(library, "term-reporting-and-leave", "vocational-branch")
    for profile in ("online-ed", "open-university"):
        assert set(said(library, "graduation-file-completion", profile)) == {"return_card", "return_form"}


def test_a_card_is_not_sent_back_for_what_only_the_form_has(library: Library) -> None:
    card, form = (said(library, "graduation-file-completion", "online-ed")[f"return_{one}"] for one in ("card", "form"))

    for words in ("签名", "主要学习经历", "教学点类别"):
        assert (words in card, words in form) == (False, True), words


def test_an_approval_of_a_withdrawal_is_revoked_for_reasons_of_the_school(library: Library) -> None:
    for profile in ("open-university", "fulltime-university"):
        words = said(library, "voluntary-withdrawal", profile)

        assert "撤销" in words["revoke"]
        assert not set(words["revoke"].splitlines()) & set(words["take_back"].splitlines())


def test_where_only_the_list_moves_the_record_nobody_is_offered_reasons_for_it(library: Library) -> None:
    assert [said(library, "diploma-registration", profile) for profile in FULLTIME] == [{}] * 5
    assert set(said(library, "diploma-registration", "online-ed")) >= {"site_return", "site_reject"}


def test_a_student_is_set_aside_for_the_level_examination_in_words_of_the_procedure(library: Library) -> None:
    assert "学业水平考试" in said(library, "graduation-eligibility-review", "online-ed")["set_aside"]
