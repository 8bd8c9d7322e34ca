"""`xueji signer add` (加签) and `xueji signer remove` (减签), as they are typed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.settings import HOME
from tests.console.counter import READY, SITES, Counter

LENDING = """\
workflow: counted-loan
procedure: W-99
title: {zh: 档案借阅, en: Loan of a file}
version: 1
effective_from: 2024-01-01
profile: online-ed
source: test
about: [student]
unique: never
states:
  asked:   {title: {zh: 已提出, en: Asked}}
  lent:    {title: {zh: 已借出, en: Lent}, final: true}
  refused: {title: {zh: 不予借出, en: Refused}, final: true}
transitions:
  ask: {title: {zh: 提出, en: Ask}, from: new, to: asked, by: site_operator}
  lend:
    title: {zh: 借出, en: Lend}
    from: asked
    to: lent
    sign:
      slots: {site: {role: site_approver}, desk: {role: site_operator}}
      add: {by: [site_operator], roles: [records_section], at_most: 1}
      drop: {by: [site_operator], slots: [desk, site]}
  refuse:
    title: {zh: 不予借出, en: Refuse}
    from: asked
    to: refused
    kind: reject
    sign: {slots: {records: {role: records_section}}}
"""
WHO = READY[0]
LEND = (WHO, "lend")
ADD = ("signer", "add", *LEND, "records_section", "--as", "op")
REMOVE = ("signer", "remove", *LEND, "desk", "--as", "op")
DELEGATE = ("delegate", "--as", "op", "--to", "rec", "--role", "site_operator", "--reason", "出差")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The definitions as shipped, and one procedure more."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("rules", "workflows"):
        shutil.copytree(HOME / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "workflows" / "counted-loan.yaml").write_text(LENDING, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XUEJI_DEFINITIONS", str(folder))
        yield


@pytest.fixture(scope="module")
def lent(home: None, enrolled_counter: Counter, tmp_path_factory: pytest.TempPathFactory) -> tuple[Counter, str]:  # noqa: ARG001 definitions
    """A loan just asked for by the first student, and its number; made once, for new definitions are checked whole."""
    at = enrolled_counter.copied(tmp_path_factory.mktemp("lent"))
    said = at.done("open", "counted-loan", WHO, "--as", "op").stdout
    return at, said.split()[1]


@pytest.fixture
def lending(lent: tuple[Counter, str], tmp_path: Path) -> tuple[Counter, tuple[str, str]]:
    """The same in a place of its own, and the option that names it."""
    at, case = lent
    return at.copied(tmp_path), ("--case", case)


def sign(counter: Counter, case: tuple[str, str], login: str) -> str:
    """Sign the loan; the state it is in afterwards."""
    state: str = counter.document("sign", *LEND, "--as", login, *case)["state"]
    return state


def kinds(counter: Counter, case: tuple[str, str]) -> list[str]:
    """What happened to the loan itself, in order."""
    entries = counter.document("case", WHO, *case)["timeline"]
    return [one["kind"] for one in entries if one["chain"] == f"case/{case[1]}"]


def test_a_signer_added_is_waited_for_and_the_signature_counts(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending

    said = counter.document(*ADD, *case, "--reason", "金额较大")

    assert (said["changed"], said["state"], said["refused"]) == (1, "asked", [])
    assert said["signatures"]["missing"] == ["site", "desk", "+1"]
    assert said["signatures"]["seats"][-1]["could"] == ["rec"]
    assert counter.document("case", WHO, *case)["timeline"][-1]["reason"] == "金额较大"
    assert [sign(counter, case, login) for login in ("ap", "op", "rec")] == ["asked", "asked", "lent"]
    assert counter.document("replay", "--all")["diverged"] == []


def test_a_signer_is_added_at_the_unit_that_is_named(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending

    seat = counter.document(*ADD, *case, "--unit", "SX")["signatures"]["seats"][-1]

    assert (seat["slot"], seat["role"], seat["unit"]) == ("+1", "records_section", "SX")
    nowhere = counter.xueji(*ADD, *case, "--unit", "SY")
    assert (nowhere.exit_code, "单位 unit" in nowhere.stderr) == (2, True)


def test_where_nobody_signs_in_sequence_nobody_is_put_before_another(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending

    said = counter.xueji(*ADD, *case, "--before", "desk")

    assert (said.exit_code, "待签的签字位" in said.stderr) == (2, True)
    assert kinds(counter, case) == ["opened"]


def test_a_slot_removed_is_not_waited_for(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending

    said = counter.done(*REMOVE, *case).stdout

    assert "减签 slot dropped desk；尚缺 missing site" in said
    assert sign(counter, case, "ap") == "lent"
    assert counter.document("replay", "--all")["diverged"] == []


def test_one_signs_instead_of_another_and_the_trail_agrees(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending
    counter.done(*ADD, *case)

    said = counter.document(*REMOVE, *case)

    assert (said["changed"], said["signatures"]["missing"]) == (1, ["site", "+1"])
    assert [sign(counter, case, login) for login in ("ap", "rec")] == ["asked", "lent"]
    assert counter.document("replay", "--all")["diverged"] == []


def test_who_would_be_last_to_sign_is_not_removed(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending
    assert sign(counter, case, "ap") == "asked"

    result = counter.xueji(*REMOVE, *case)

    assert result.exit_code == 1
    for told in ("X-18", "desk", "办法 remedy"):
        assert told in result.stdout
    assert sign(counter, case, "op") == "lent"


def test_a_refusal_names_every_reason_and_changes_nothing(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending
    counter.done(*ADD, *case)

    said = counter.document("signer", "add", *LEND, "site_approver", "--as", "op", *case, code=1)

    assert said["refused"] == [{"student_no": WHO, "failed": ["X-16", "X-17"], "undecided": []}]
    assert [one["id"] for one in said["verdicts"]] == ["X-16", "X-17"]
    assert said["changed"] == 0
    assert said["signatures"]["missing"] == ["site", "desk", "+1"]
    assert kinds(counter, case)[-2:] == ["signer_changed", "refused"]


def test_only_who_may_changes_signers_and_only_of_steps_that_offer_it(
    lending: tuple[Counter, tuple[str, str]],
) -> None:
    counter, case = lending

    other = counter.xueji(*ADD[:-1], "ap", *case)
    fixed = counter.xueji("signer", "remove", WHO, "refuse", "records", "--as", "rec", *case)
    unsigned = counter.xueji("signer", "add", WHO, "lent", "records_section", "--as", "op", *case)

    assert (other.exit_code, fixed.exit_code, unsigned.exit_code) == (2, 1, 2)
    assert "lend（加签）" in other.stderr
    assert "site_operator" in other.stderr
    assert "不允许对“refuse”减签；可减签的步骤：lend" in fixed.stderr
    assert "Did you mean 'lend'" in unsigned.stderr
    assert kinds(counter, case) == ["opened"]


def test_after_the_vote_no_signers_change(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending
    sign(counter, case, "ap")
    signed = counter.xueji("signer", "remove", *LEND, "site", "--as", "op", *case)
    assert sign(counter, case, "op") == "lent"

    added, removed = counter.xueji(*ADD, *case), counter.xueji(*REMOVE, *case)

    assert (signed.exit_code, added.exit_code, removed.exit_code) == (1, 1, 1)
    assert "X-11" in signed.stdout, "that slot has been signed"
    assert "lent" in added.stderr
    assert kinds(counter, case)[-1] == "moved"


@pytest.mark.parametrize(("act", "done"), [(ADD, "+1"), (REMOVE, "desk")])
def test_a_repeated_click_changes_signers_once(
    lending: tuple[Counter, tuple[str, str]], act: tuple[str, ...], done: str
) -> None:
    counter, case = lending

    first = counter.document(*act, *case, "--request", "R1")
    again = counter.document(*act, *case, "--request", "R1")
    shown = counter.done(*act, *case, "--request", "R1").stdout

    assert (first["changed"], first["repeated"], again["changed"], again["repeated"]) == (1, False, 1, True)
    assert first["signatures"] == again["signatures"]
    assert (done in first["signatures"]["missing"]) == (act is ADD)
    assert f"R1：此前已办理 done before {case[1]}" in shown
    assert kinds(counter, case) == ["opened", "signer_changed"]


def test_what_was_refused_is_refused_again_under_its_id(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending
    act = ("signer", "add", *LEND, "site_approver", "--as", "op", *case, "--request", "R1")
    assert counter.xueji(*act).exit_code == 1

    again, shown = counter.document(*act, code=1), counter.xueji(*act)

    assert again["refused"] == [{"student_no": WHO, "failed": ["X-16"], "undecided": []}]
    assert (shown.exit_code, "此前未通过 refused before" in shown.stdout, "X-16" in shown.stdout) == (1, True, True)
    assert kinds(counter, case) == ["opened", "refused"]


def test_a_right_that_is_lent_changes_signers_until_it_runs_out(lending: tuple[Counter, tuple[str, str]]) -> None:
    counter, case = lending
    counter.done(*DELEGATE, "--until", "2024-05-14", *case)
    act = (*ADD[:-1], "rec", *case)

    late = counter.xueji(*act, now="2024-05-15T09:00")

    assert late.exit_code == 1
    assert "G-SG-02" in late.stdout
    assert counter.xueji(*act, now="2024-05-14T09:00").exit_code == 0


def test_help_says_chinese_first(empty: Counter) -> None:
    shown = empty.done("signer", "--help").stdout

    assert "加签：" in shown
    assert "减签：" in shown
    assert "加签与减签。" in empty.done("--help").stdout


def test_the_clock_of_a_live_database_is_not_set(nowhere: Counter) -> None:
    assert nowhere.xueji("init", now=None).exit_code == 0

    result = nowhere.xueji(*ADD)

    assert result.exit_code == 2
    assert "--now" in result.stderr


def test_the_student_a_case_is_about_does_not_change_who_signs_it(
    lending: tuple[Counter, tuple[str, str]],
) -> None:
    counter, case = lending
    counter.done("user", "add", "zhao", "--student", WHO)
    unit = counter.document("case", WHO, *case)["unit"]
    counter.done("user", "add", "zhao", "--role", "site_operator", "--unit", unit)

    result = counter.xueji(*ADD[:-1], "zhao", *case)

    assert result.exit_code == 1
    assert "X-30" in result.stdout
    assert unit in {site.code for site in SITES}
