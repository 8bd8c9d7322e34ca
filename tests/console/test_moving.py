"""Working a queue by command: one case, all of a batch, taking back, looking."""

import shutil
from pathlib import Path

import pytest

from console.settings import HOME
from tests.console.counter import NUMBERS, OWES, READY, UNKNOWN, Counter

APPLY = ("apply", "batch=2024-06", "--as", "op")
ALL_APPLY = ("move", "--all-eligible", "apply", "--as", "op", "--batch", "2024-06")


def test_eligibility_is_one_sorted_document_with_exactly_these_keys(counter: Counter) -> None:
    answer = counter.document("eligibility", "--batch", "2024-06")

    assert [one["student_no"] for one in answer] == NUMBERS
    assert all(list(one) == ["student_no", "eligible", "failed", "undecided", "not_applicable"] for one in answer)
    by_number = {one["student_no"]: one for one in answer}
    assert (by_number[OWES]["eligible"], by_number[OWES]["failed"]) == (False, ["G-GR-07"])
    assert (by_number[UNKNOWN]["eligible"], by_number[UNKNOWN]["undecided"]) == (False, ["G-GR-07"])
    assert all(by_number[number]["eligible"] for number in READY)


def test_eligibility_on_screen_counts_by_unit_and_by_rule(counter: Counter) -> None:
    shown = counter.xueji("eligibility", "--batch", "2024-06").stdout

    assert "学生 6 students：符合 4 eligible，不符合 1 failed，无法判定 1 undecided" in shown
    assert "第1分校第1教学点" in shown
    assert "学费已缴清" in shown


def test_a_refusal_prints_rule_sentence_remedy_and_clause_and_leaves_the_case_where_it_was(counter: Counter) -> None:
    result = counter.xueji("move", OWES, *APPLY)

    assert result.exit_code == 1
    for said in ("G-GR-07", "学费已缴清 Fees paid", "120.50", "办法 remedy", "依据 source：S000"):
        assert said in result.stdout
    assert counter.document("case", OWES)["state"] == "enrolled"


def test_a_step_that_is_taken_says_where_the_case_is_now(counter: Counter) -> None:
    result = counter.xueji("move", READY[0], *APPLY)

    assert result.exit_code == 0
    assert "已提出毕业申请 Applied" in result.stdout
    assert counter.document("case", READY[0])["state"] == "applied"


def test_one_case_and_many_answer_with_the_same_keys(counter: Counter) -> None:
    one = counter.document("move", OWES, *APPLY, code=1)

    assert (one["moved"], one["conflicts"]) == (0, 0)
    assert one["refused"] == [{"student_no": OWES, "failed": ["G-GR-07"], "undecided": []}]


def test_a_repeated_request_gets_the_first_answer_and_moves_nothing(counter: Counter) -> None:
    first = counter.xueji("move", READY[0], *APPLY, "--request", "r-1")
    again = counter.xueji("move", READY[0], *APPLY, "--request", "r-1")

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "此前已办理" in again.stdout


def test_all_of_a_batch_move_and_those_refused_are_listed_with_their_rules(counter: Counter) -> None:
    answer = counter.document(*ALL_APPLY, code=1)

    assert answer == {
        "moved": 4,
        "refused": [
            {"student_no": OWES, "failed": ["G-GR-07"], "undecided": []},
            {"student_no": UNKNOWN, "failed": [], "undecided": ["G-GR-07"]},
        ],
        "conflicts": 0,
    }
    assert {one["student_no"] for one in counter.document("queue", "--as", "ap")} == set(READY)


def test_a_preview_of_a_mass_move_answers_the_same_and_writes_nothing(counter: Counter) -> None:
    before = counter.document("replay", "--all")

    preview = counter.document(*ALL_APPLY, "--dry-run", code=1)

    assert counter.document("replay", "--all") == before
    assert preview == counter.document(*ALL_APPLY, code=1)


def test_later_steps_take_the_cases_of_the_batch_and_run_out_of_them(counter: Counter) -> None:
    counter.xueji(*ALL_APPLY)
    approve = ("move", "--all-eligible", "site_approve", "--as", "ap", "--batch", "2024-06")

    first = counter.document(*approve)
    second = counter.xueji(*approve)

    assert first == {"moved": 4, "refused": [], "conflicts": 0}
    assert second.exit_code == 0
    assert "No case stands before this step" in second.stdout


def test_refusals_of_a_mass_move_are_grouped_by_rule_on_screen(counter: Counter) -> None:
    shown = counter.xueji(*ALL_APPLY)

    assert shown.exit_code == 1
    assert "已办理 4 moved，未通过 2 refused，冲突 0 conflicts" in shown.stdout
    assert shown.stdout.count("G-GR-07") == 1
    assert OWES in shown.stdout


def test_nobody_approves_what_they_applied_for(counter: Counter) -> None:
    number = next(one for one in READY if counter.document("case", one)["unit"].endswith("0101"))
    counter.done("move", number, "apply", "batch=2024-06", "--as", "both")

    one = counter.xueji("move", number, "site_approve", "--as", "both")
    many = counter.document("move", "--all-eligible", "site_approve", "--as", "both", "--batch", "2024-06", code=1)

    assert one.exit_code == 1
    assert "G-SG-08" in one.stdout
    assert many["refused"] == [{"student_no": number, "failed": ["G-SG-08"], "undecided": []}]


def test_a_step_the_state_does_not_lead_to_is_refused_and_the_open_ones_are_named(counter: Counter) -> None:
    result = counter.xueji("move", READY[0], "site_approve", "--as", "ap")

    assert result.exit_code == 1
    assert "apply" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("move", READY[0], "aply", "--as", "op"), "Did you mean 'apply'", id="step"),
        pytest.param(("move", "12", "apply", "--as", "op"), "学号或单位代码 student number", id="student"),
        pytest.param(("move", READY[0], "apply", "batch=2024-07", "--as", "op"), "2024-06", id="batch"),
        pytest.param(("move", READY[0], "apply", "bach=2024-06", "--as", "op"), "Did you mean 'batch'", id="field"),
        pytest.param(("move", READY[0], "apply", "--as", "ap"), "site_operator", id="who may not"),
        pytest.param(("move", READY[0], "apply", "--case", "ZZZZ", "--as", "op"), "办件 case", id="case"),
        pytest.param(("move", "apply", "--as", "op"), "STUDENT_NO", id="one word"),
        pytest.param(("move", "--all-eligible", "apply", "--as", "op"), "--batch", id="no batch"),
        pytest.param(("move", READY[0], "apply", "--batch", "2024-06", "--as", "op"), "batch=", id="batch as option"),
        pytest.param((*ALL_APPLY[:3], "--as", "ap", "--batch", "2024-06"), "site_operator", id="many, who may not"),
        pytest.param((*ALL_APPLY[:3], "--as", "op", "--batch", "2024-07"), "2024-06", id="many, batch"),
        pytest.param(("open", "leave", READY[0], "--as", "op"), "leave-of-absence", id="workflow"),
        pytest.param(("case", "12"), "学号或单位代码 student number", id="case of nobody"),
        pytest.param(("replay",), "--all", id="replay nothing"),
        pytest.param(("eligibility", "--batch", "2024-07"), "2024-06", id="eligibility"),
    ],
)
def test_what_cannot_be_meant_is_misuse_and_says_what_could(
    counter: Counter, words: tuple[str, ...], said: str
) -> None:
    result = counter.xueji(*words)

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_case_shows_every_verdict_of_every_open_step_in_both_languages(counter: Counter) -> None:
    seen = counter.document("case", OWES)

    apply = next(one for one in seen["steps"] if one["trigger"] == "apply")
    fees = next(one for one in apply["verdicts"] if one["id"] == "G-GR-07")
    assert seen["assumed"] == {"batch": "2024-06"}
    assert not apply["is_open"]
    assert fees["outcome"] == "fails"
    assert "120.50" in fees["sentence"]["zh"]
    assert "120.50" in fees["sentence"]["en"]
    assert len(apply["verdicts"]) > 5
    assert [one["kind"] for one in seen["timeline"]] == ["fact_changed", "fact_changed", "opened"]


def test_a_case_on_screen_has_its_state_what_blocks_it_and_its_timeline(counter: Counter) -> None:
    counter.xueji("move", OWES, *APPLY)

    shown = counter.xueji("case", OWES).stdout

    for said in ("在籍 Enrolled", "受阻 1 blocked", "✗ G-GR-07", "2024年5月13日（周一）", "未通过"):
        assert said in shown


def test_what_is_not_retractable_is_not_taken_back(counter: Counter) -> None:
    counter.done("move", READY[0], *APPLY)

    result = counter.xueji("retract", READY[0], "--as", "op")

    assert result.exit_code == 1
    assert "不能撤回" in result.stderr


def test_a_retractable_step_is_taken_back_by_its_own_person_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("workflows", "rules"):
        shutil.copytree(HOME / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "workflows" / "diploma-registration.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("    asks: [batch]\n", "    asks: [batch]\n    retractable: true\n", 1), encoding="utf-8"
    )
    monkeypatch.setenv("XUEJI_DEFINITIONS", str(tmp_path))
    counter = Counter(url=f"sqlite:///{tmp_path / 'xueji.db'}", folder=tmp_path).set_up().enrol()
    counter.done("move", READY[0], *APPLY)

    another = counter.xueji("retract", READY[0], "--as", "rec")
    own = counter.xueji("retract", READY[0], "--as", "op")

    assert another.exit_code == 1
    assert own.exit_code == 0
    assert "已撤回 taken back → 在籍 Enrolled" in own.stdout
    assert counter.document("replay", "--all")["diverged"] == []


def test_a_case_is_opened_by_hand_and_a_refused_opening_says_which_fields_it_asks_for(counter: Counter) -> None:
    missing = counter.xueji("open", "leave-of-absence", READY[0], "--as", "op")
    given = ("cause=因病", "leave_from=2024-09-01", "leave_to=2025-02-28")
    opened = counter.xueji("open", "leave-of-absence", READY[0], *given, "--as", "op")
    waiting = counter.document("queue", "--as", "op")

    assert missing.exit_code == 1
    assert "not opened" in missing.stdout
    assert "cause=…、leave_from=…、leave_to=…" in missing.stdout
    assert opened.exit_code == 0
    assert [one["workflow"] for one in waiting] == ["leave-of-absence"]
    assert "草稿" in counter.xueji("case", READY[0], "--case", waiting[0]["case"]).stdout


def test_an_empty_queue_says_so(counter: Counter) -> None:
    assert "Nothing waits" in counter.xueji("queue", "--as", "ap").stdout
    assert counter.document("queue", "--as", "ap") == []
