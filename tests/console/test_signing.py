"""Signing by command: whose turn it is, saying no, lists of a unit, and terms that start."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.settings import HOME
from tests.console.counter import READY, ROSTER, SITES, Counter

LENDING = """\
workflow: signed-loan
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
  ask:    {title: {zh: 提出, en: Ask}, from: new, to: asked, by: site_operator}
  lend:
    title: {zh: 借出, en: Lend}
    from: asked
    to: lent
    sign:
      order: sequence
      against: refuse
      slots: {site: {role: site_approver}, records: {role: records_section, at: province}}
  refuse: {title: {zh: 不予借出, en: Refuse}, from: asked, to: refused, kind: reject, by: records_section}
lists:
  sheet:
    title: {zh: 借阅清单, en: Sheet}
    about: [branch]
    unique: never
    members: {of: signed-loan, where: it.state == 'asked'}
    states:
      open: {title: {zh: 编制中, en: Open}}
      done: {title: {zh: 已完成, en: Done}, final: true}
    transitions:
      start: {title: {zh: 编制, en: Start}, from: new, to: open, by: records_section}
      close: {title: {zh: 完成, en: Close}, from: open, to: done, by: records_section}
  term_sheet:
    title: {zh: 学期清单, en: Sheet of a term}
    about: [branch, case.term]
    unique: ever
    fields: {term: {type: term, starts: this_term, title: {zh: 学期, en: Term}}}
    members: {of: signed-loan}
    states: {open: {title: {zh: 编制中, en: Open}}, done: {title: {zh: 已完成, en: Done}, final: true}}
    transitions:
      begin: {title: {zh: 开始, en: Begin}, from: new, to: open, when: term_started}
      close: {title: {zh: 完成, en: Close}, from: open, to: done, by: records_section}
"""
WHO = READY[0]
BRANCH = SITES[0].branch_code
SIGN = ("sign", WHO, "lend")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The definitions as shipped, and one procedure more."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("rules", "workflows"):
        shutil.copytree(HOME / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "workflows" / "signed-loan.yaml").write_text(LENDING, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XUEJI_DEFINITIONS", str(folder))
        yield


@pytest.fixture(scope="module")
def lent(home: None, enrolled_counter: Counter, tmp_path_factory: pytest.TempPathFactory) -> tuple[Counter, str]:  # noqa: ARG001 definitions
    """A loan just asked for by the first student, and its number; made once, for new definitions are checked whole."""
    at = enrolled_counter.copied(tmp_path_factory.mktemp("lent"))
    said = at.done("open", "signed-loan", WHO, "--as", "op").stdout
    return at, said.split()[1]


@pytest.fixture
def lending(lent: tuple[Counter, str], tmp_path: Path) -> tuple[Counter, str]:
    """The same in a place of its own."""
    at, case = lent
    return at.copied(tmp_path), case


def test_each_signature_waits_in_its_turn_and_the_last_takes_the_step(lending: tuple[Counter, str]) -> None:
    counter, case = lending
    [waiting] = counter.document("queue", "--as", "ap")
    assert (waiting["triggers"], waiting["slots"], waiting["givers"]) == (["lend"], {"lend": ["site"]}, [])
    assert "签字 sign site" in counter.xueji("queue", "--as", "ap").stdout
    assert counter.document("queue", "--as", "rec") == []

    first = counter.document(*SIGN, "--as", "ap", "--case", case)
    assert (first["moved"], first["signed"], first["missing"], first["state"]) == (1, True, ["records"], "asked")
    last = counter.document(*SIGN, "--as", "rec", "--case", case)
    assert (last["signed"], last["missing"], last["state"]) == (False, [], "lent")
    assert counter.document("replay", "--all")["diverged"] == []


def test_a_signature_says_on_screen_what_is_missing(lending: tuple[Counter, str]) -> None:
    counter, case = lending

    said = counter.done(*SIGN, "--as", "ap", "--case", case, "--slot", "site").stdout

    assert "已签字 signed" in said
    assert "尚缺 missing records" in said


def test_signing_out_of_turn_is_refused_with_the_reason(lending: tuple[Counter, str]) -> None:
    counter, case = lending

    result = counter.xueji(*SIGN, "--as", "rec", "--case", case)

    assert result.exit_code == 1
    assert "site" in result.stdout
    assert counter.document("case", WHO, "--case", case)["state"] == "asked"


def test_saying_no_asks_for_the_reason_and_takes_the_other_way(lending: tuple[Counter, str]) -> None:
    counter, case = lending

    assert counter.xueji(*SIGN, "--as", "ap", "--case", case, "--against").exit_code == 1
    said = counter.document(*SIGN, "--as", "ap", "--case", case, "--against", "--reason", "未归还")

    assert said["state"] == "refused"


def test_a_step_nobody_signs_is_not_signed(lending: tuple[Counter, str]) -> None:
    counter, case = lending

    result = counter.xueji("sign", WHO, "refuse", "--as", "rec", "--case", case)

    assert result.exit_code == 2
    assert "lend" in result.stderr


def test_a_case_shows_its_seats_on_screen_and_in_json(lending: tuple[Counter, str]) -> None:
    counter, case = lending
    counter.done(*SIGN, "--as", "ap", "--case", case)

    lend = next(one for one in counter.document("case", WHO, "--case", case)["steps"] if one["trigger"] == "lend")
    shown = counter.done("case", WHO, "--case", case).stdout

    signatures = lend["signatures"]
    assert (signatures["needed"], signatures["given"], signatures["missing"]) == (2, 1, ["records"])
    assert [(seat["slot"], seat["by"], seat["vote"], seat["is_turn"]) for seat in signatures["seats"]] == [
        ("site", "ap", "yes", False), ("records", None, None, True),
    ]  # fmt: skip
    assert signatures["seats"][1]["could"] == ["rec"]
    for said in ("已签 1 given，须签 2 of 2 needed", "已签 signed", "待签", "学籍科"):
        assert said in shown


def test_a_list_is_opened_and_worked_by_the_code_of_its_unit(lending: tuple[Counter, str]) -> None:
    counter, _ = lending
    said = counter.done("open", "signed-loan.sheet", BRANCH, "--as", "rec").stdout
    number = said.split()[1]
    assert said.startswith(BRANCH)

    shown = counter.done("case", BRANCH).stdout
    assert f"单位 unit {BRANCH}" in shown
    assert number in shown
    assert [one["case"] for one in counter.document("queue", "--as", "rec")] == [number]
    counter.done("open", "signed-loan.sheet", BRANCH, "--as", "rec")
    several = counter.xueji("move", BRANCH, "close", "--as", "rec")
    assert several.exit_code == 2
    assert number in several.stderr
    assert counter.document("move", BRANCH, "close", "--as", "rec", "--case", number)["state"] == "done"
    assert counter.document("move", BRANCH, "close", "--as", "rec")["state"] == "done", "only one is left"


def test_a_term_that_has_begun_opens_its_lists_once(lending: tuple[Counter, str]) -> None:
    counter, _ = lending
    too_early = counter.xueji("term", "start", "2024-1", "--as", "rec")
    assert too_early.exit_code == 1
    assert "2023-2" in too_early.stderr

    said = counter.xueji("term", "start", "2024-1", "--as", "rec", now="2024-09-10T09:00")
    assert said.exit_code == 0, said.output
    assert "opened with it：1" in said.stdout
    again = counter.xueji("term", "start", "2024-1", "--as", "rec", now="2024-09-11T09:00")
    assert "opened with it：0；未建立 not opened：1" in again.stdout
    assert counter.xueji("term", "start", "2024-1", "--as", "op", now="2024-09-11T09:00").exit_code == 2


def test_candidates_are_taken_in_without_a_record(empty: Counter) -> None:
    roster = empty.sheet("roster.xlsx", ROSTER)

    said = empty.document("import", "roster", roster, "--no-record")
    again = empty.done("import", "roster", roster, "--no-record").stdout

    assert (said["opened"], said["added"], said["refused"]) == (0, len(ROSTER), [])
    assert "nothing changed" in again
    assert empty.xueji("case", WHO).exit_code == 2
    assert empty.document("replay", "--all")["cases"] == 0
