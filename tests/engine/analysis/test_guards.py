"""Rules that never hold or never fail, and branches that overlap or leave somebody out, each with a sample student."""

import pytest

from engine.analysis.examining import examine
from engine.analysis.guards import examine_guards
from tests.engine.loading.folders import clean_folder, spoil

LEAVE, RULES = "workflows/leave.yaml", "rules/conditions.yaml"
BACK = "  back: {title: {zh: 退回, en: Send back}, from: asked, to: asked, kind: return, by: head}\n"
FINAL = "  granted: {title: {zh: 已批准, en: Granted}, final: true}\n"
NEEDS = "    needs: [F-01]\n"
OF_LOGIC = {"never-holds", "never-fails", "overlap", "gap", "not-decided"}
PAID = "holds: fee_owed <= limit"


def told(folder):
    """What logic says of the rules and branches; what walking says is not of interest here."""
    found = examine(folder, guards=examine_guards).told
    return [(fault.code, fault, story) for fault, story in found if fault.code in OF_LOGIC]


def rule(name, holds, *, remedy=False):
    """One more rule."""
    mends = "  remedy: {by: clerk, zh: 补, en: mend}\n" if remedy else ""
    return (
        f"{name}:\n  id: {name}\n  title: {{zh: 条件, en: Rule}}\n  holds: {holds}\n{mends}"
        "  otherwise: {zh: 否, en: no}\n  source: S-1\n"
    )


def branched(folder, *, guards, unless, extra=""):
    """`grant` asks some rules; `urge` leads elsewhere unless some hold."""
    spoil(clean_folder(folder), LEAVE, NEEDS, f"{NEEDS}    guards: {guards}\n")
    spoil(folder, LEAVE, FINAL, FINAL + "  urged: {title: {zh: 加急, en: Urged}, final: true}\n")
    urge = f"  urge: {{title: {{zh: 加急, en: Urge}}, from: asked, to: urged, by: head, unless: {unless}}}\n"
    spoil(folder, LEAVE, BACK, BACK + urge)
    spoil(folder, RULES, "ready:", f"{extra}ready:")
    return folder


def test_rules_in_order_bring_nothing_out(tmp_path):
    assert told(clean_folder(tmp_path)) == []


@pytest.mark.parametrize(
    "holds",
    ["fee_owed < 0 and fee_owed > limit", "level == '本科' and level == '专科'", "born_on > days_after(born_on, 1)",
     "fee_owed * 2 == 0.01 and fee_owed >= 1", "false", "known(born_on) and not known(born_on)"],
)  # fmt: skip
def test_a_rule_that_nobody_can_pass_never_holds(tmp_path, holds):
    spoil(clean_folder(tmp_path), RULES, PAID, f"holds: {holds}")

    ((code, fault, _),) = told(tmp_path)

    assert code == "never-holds"
    assert fault.excerpt.startswith("paid")


@pytest.mark.parametrize(
    "holds",
    ["fee_owed <= 0 or fee_owed > limit", "level == level", "true", "weekday(born_on) >= 1",
     "known(level) or not known(level)"],
)  # fmt: skip
def test_a_rule_that_refuses_nobody_never_fails(tmp_path, holds):
    spoil(clean_folder(tmp_path), RULES, PAID, f"holds: {holds}")

    assert [code for code, _, _ in told(tmp_path)] == ["never-fails"]


@pytest.mark.parametrize(
    "holds",
    ["level in ('本科', '专科')", "known(fee_owed)", "count(cases('leave')) < limit", "taken('back') or fee_owed <= 0",
     "starts_with(name, 'A')", "today <= months_after(born_on, 1200)"],
)  # fmt: skip
def test_a_rule_that_somebody_passes_and_somebody_fails_is_in_order(tmp_path, holds):
    spoil(clean_folder(tmp_path), RULES, PAID, f"holds: {holds}")

    assert told(tmp_path) == []


def test_a_sample_student_is_told_by_title_in_both_languages(tmp_path):
    spoil(clean_folder(tmp_path), RULES, PAID, "holds: level == '本科' and level == '专科'")

    ((_, _, story),) = told(tmp_path)

    assert [line.split("：")[0] for line in story] == ["层次"]
    assert " · Level: " in story[0]


def test_branches_by_one_rule_are_exclusive_and_complete(tmp_path):
    assert told(branched(tmp_path, guards="[paid]", unless="[paid]")) == []


def test_branches_overlap_where_the_second_also_opens_on_another_rule(tmp_path):
    extra = rule("bachelor", "level == '本科'")
    branched(tmp_path, guards="[paid]", unless="[paid, bachelor]", extra=extra)

    ((code, fault, story),) = told(tmp_path)

    assert (code, fault.excerpt.strip()[:4]) == ("overlap", "urge")
    assert "层次：专科 · Level: Junior college" in story


def test_branches_leave_somebody_out_whom_nobody_can_help(tmp_path):
    branched(tmp_path, guards="[paid, bachelor]", unless="[paid]", extra=rule("bachelor", "level == '本科'"))

    ((code, _, story),) = told(tmp_path)

    assert code == "gap"
    assert "层次：专科 · Level: Junior college" in story


def test_what_somebody_can_mend_is_no_gap(tmp_path):
    extra = rule("bachelor", "level == '本科'", remedy=True)

    assert told(branched(tmp_path, guards="[paid, bachelor]", unless="[paid]", extra=extra)) == []


def test_what_hangs_on_other_cases_is_not_decided_and_said_so(tmp_path):
    extra = rule("first-leave", "\"none(cases('leave'), it.state == 'granted')\"")
    branched(tmp_path, guards="[paid]", unless="[paid, first-leave]", extra=extra)

    ((code, fault, story),) = told(tmp_path)

    assert (code, fault.is_warning, story) == ("not-decided", True, ())
