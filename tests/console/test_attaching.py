"""Handing in documents by command: a file onto a case, what is there, and off it again."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.settings import HOME
from tests.console.counter import READY, ROSTER, Counter
from tests.exchange.pictures import picture

LENDING = """\
workflow: paper-loan
procedure: W-99
title: {zh: 档案借阅, en: Loan of a file}
version: 1
effective_from: 2024-01-01
profile: online-ed
source: test
about: [student]
states:
  asked: {title: {zh: 已提出, en: Asked}}
  lent:  {title: {zh: 已借出, en: Lent}, final: true}
transitions:
  ask:  {title: {zh: 提出, en: Ask}, from: new, to: asked, by: site_operator}
  lend: {title: {zh: 借出, en: Lend}, from: asked, to: lent, by: site_approver, needs: [E-WD]}
"""
WHO = READY[0]
NAME = next(str(one["name"]) for one in ROSTER if one["student_no"] == WHO)


@pytest.fixture(scope="module")
def lending(tmp_path_factory: pytest.TempPathFactory, enrolled_counter: Counter) -> Iterator[tuple[Counter, str]]:
    """A counter with a procedure that needs a picture of a form, and the number of its one case."""
    home = tmp_path_factory.mktemp("home")
    for name in ("rules", "workflows"):
        shutil.copytree(HOME / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    (home / "workflows" / "paper-loan.yaml").write_text(LENDING, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XUEJI_DEFINITIONS", str(home))
        at = enrolled_counter.copied(tmp_path_factory.mktemp("lending"))
        said = at.done("open", "paper-loan", WHO, "--as", "op").stdout
        yield at, said.split()[1]


@pytest.fixture
def counter_and_case(lending: tuple[Counter, str], tmp_path: Path) -> tuple[Counter, str]:
    at, case = lending
    return at.copied(tmp_path), case


def form(folder: Path, name: str = f"{WHO}{NAME}.jpg", body: bytes | None = None) -> str:
    path = folder / name
    path.write_bytes(picture() if body is None else body)
    return str(path)


def test_a_file_handed_in_is_listed_and_can_be_saved_again_without_anybodys_name(
    counter_and_case: tuple[Counter, str], tmp_path: Path
):
    counter, case = counter_and_case
    path = form(tmp_path)
    answer = counter.document("attach", WHO, "E-WD", path, "--as", "op", "--case", case)
    assert (answer["attached"], answer["case"], answer["state"], answer["document"]) == (1, case, "asked", "E-WD")
    [listed] = counter.document("documents", WHO, "--case", case)["documents"]
    assert listed["sha256"] == answer["sha256"]
    assert listed["file"] == {
        "kind": "jpeg", "bytes": Path(path).stat().st_size, "width": 200, "height": 200, "orientation": 1,
    }  # fmt: skip
    saved = tmp_path / "saved"
    shown = counter.done("documents", WHO, "--case", case, "--save", str(saved), "--as", "ap")
    assert "E-WD" in shown.stdout
    assert NAME not in shown.output
    [file] = saved.iterdir()
    assert file.name == f"E-WD-{answer['number']}.jpg"
    assert file.read_bytes() == Path(path).read_bytes()
    assert "上传材料" in counter.done("case", WHO, "--case", case).stdout
    assert counter.document("replay", "--all")["diverged"] == []


def test_a_refused_file_is_told_with_rule_sentence_remedy_and_clause(
    counter_and_case: tuple[Counter, str], tmp_path: Path
):
    counter, case = counter_and_case
    result = counter.xueji("attach", WHO, "E-WD", form(tmp_path, "扫描.jpg"), "--as", "op", "--case", case)
    assert result.exit_code == 1
    for said in ("G-WD-04", f"{WHO}{NAME}", "办法 remedy", "依据 source：S001-I-3.6", "未通过 refused"):
        assert said in result.stdout
    answer = counter.document("attach", WHO, "E-WD", form(tmp_path, "扫描.jpg"), "--as", "op", "--case", case, code=1)
    assert (answer["attached"], answer["refused"][0]["failed"], answer["sha256"]) == (0, ["G-WD-04"], None)
    assert counter.document("documents", WHO, "--case", case)["documents"] == []


def test_a_broken_picture_is_refused_before_it_reaches_the_case(counter_and_case: tuple[Counter, str], tmp_path: Path):
    counter, case = counter_and_case
    path = form(tmp_path, body=picture()[:2000])
    result = counter.xueji("attach", WHO, "E-WD", path, "--as", "op", "--case", case)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "重新扫描" in result.stderr


def test_a_file_that_is_not_there_is_a_mistake(counter_and_case: tuple[Counter, str], tmp_path: Path):
    counter, case = counter_and_case
    result = counter.xueji("attach", WHO, "E-WD", str(tmp_path / "none.jpg"), "--as", "op", "--case", case)
    assert result.exit_code == 2
    assert "无法打开" in result.stderr


def test_a_repeated_request_is_answered_as_before(counter_and_case: tuple[Counter, str], tmp_path: Path):
    counter, case = counter_and_case
    words = ("attach", WHO, "E-WD", form(tmp_path), "--as", "op", "--case", case, "--request", "r-1")
    counter.done(*words)
    assert "done before" in counter.done(*words).stdout
    assert len(counter.document("documents", WHO, "--case", case)["documents"]) == 1


def test_a_document_taken_off_makes_room_for_another(counter_and_case: tuple[Counter, str], tmp_path: Path):
    counter, case = counter_and_case
    words = ("attach", WHO, "E-WD", form(tmp_path), "--as", "op", "--case", case)
    number = counter.document(*words)["number"]
    form(tmp_path)
    full = counter.document(*words, code=1)
    assert full["refused"][0]["failed"] == ["X-21"]
    taken_off = counter.done("detach", WHO, str(number), "--as", "op", "--case", case, "--reason", "扫描不清")
    assert "withdrawn" in taken_off.stdout
    assert "没有材料" in counter.done("documents", WHO, "--case", case).stdout
    assert counter.document(*words)["attached"] == 1


def viewed(counter: Counter, case: str) -> list[tuple[str, str, str]]:
    """Who looked at what in which role, as the timeline tells it."""
    entries = counter.document("case", WHO, "--case", case)["timeline"]
    return [(one["actor"], one["role"], one["trigger"]) for one in entries if one["kind"] == "viewed"]


def test_each_document_saved_is_a_look_in_the_timeline(counter_and_case: tuple[Counter, str], tmp_path: Path):
    counter, case = counter_and_case
    counter.done("attach", WHO, "E-WD", form(tmp_path), "--as", "op", "--case", case)
    words = ("documents", WHO, "--case", case, "--save", str(tmp_path / "saved"), "--as")
    counter.done(*words, "ap")
    counter.done(*words, "op")
    assert viewed(counter, case) == [("ap", "site_approver", "view:E-WD"), ("op", "site_operator", "view:E-WD")]
    assert "查看材料" in counter.done("case", WHO, "--case", case).stdout
    assert counter.document("replay", "--all")["diverged"] == []
    assert "All 43 invariants hold; 0 cannot be checked yet." in counter.done("replay", "--all").stdout


def test_nobody_reads_a_document_unnamed(counter_and_case: tuple[Counter, str], tmp_path: Path):
    counter, case = counter_and_case
    counter.done("attach", WHO, "E-WD", form(tmp_path), "--as", "op", "--case", case)
    result = counter.xueji("documents", WHO, "--case", case, "--save", str(tmp_path / "saved"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--as" in result.stderr
    assert not (tmp_path / "saved").exists()
    assert viewed(counter, case) == []


def test_who_may_not_read_gets_no_file_and_the_case_keeps_the_attempt(
    counter_and_case: tuple[Counter, str], tmp_path: Path
):
    counter, case = counter_and_case
    counter.done("attach", WHO, "E-WD", form(tmp_path), "--as", "op", "--case", case)
    counter.done("user", "add", "clerk", "--role", "records_section", "--unit", "SX")
    saved = tmp_path / "saved"
    result = counter.xueji("documents", WHO, "--case", case, "--save", str(saved), "--as", "clerk")
    assert result.exit_code == 2
    assert "无权" in result.stderr
    assert list(saved.glob("*")) == []
    last = counter.document("case", WHO, "--case", case)["timeline"][-1]
    assert (last["kind"], last["actor"], last["trigger"]) == ("refused", "clerk", "view:E-WD")


def test_what_is_printed_as_json_is_one_document(counter_and_case: tuple[Counter, str], tmp_path: Path):
    counter, case = counter_and_case
    result = counter.done("attach", WHO, "E-WD", form(tmp_path), "--as", "op", "--case", case, "--json")
    assert list(json.loads(result.stdout)) == [
        "attached", "refused", "case", "state", "document", "number", "sha256", "verdicts",
    ]  # fmt: skip
