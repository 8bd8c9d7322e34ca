"""Sheets at the counter: whole or not at all, every fault named, the second time nothing to do."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import pytest

from console.calling import Caller
from console.importing import Import, import_facts, import_roster
from console.settings import Settings
from exchange.cells import Cell
from tests.console.counter import FACTS, NUMBERS, ROSTER, SITES, Counter, altered


def test_a_good_roster_opens_a_record_for_every_student_and_the_second_time_nothing_changes(empty: Counter) -> None:
    roster = empty.sheet("roster.xlsx", ROSTER)

    first = empty.document("import", "roster", roster)
    second = empty.document("import", "roster", roster)

    assert first == {
        "rows": 6, "number": "0513-01", "opened": 6, "added": 0, "changed": 0, "unchanged": 0, "faults": [],
        "warnings": [], "refused": [], "dry_run": False,
    }  # fmt: skip
    assert (second["opened"], second["changed"], second["unchanged"]) == (0, 0, 6)
    assert second["number"] is None, "what says nothing new is no run"
    assert "nothing changed" in empty.xueji("import", "roster", roster).stdout
    assert empty.document("replay", "--all")["cases"] == 6


def _swap(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        pytest.param({"name": ""}, "姓名", "必填", id="blank"),
        pytest.param({"gender": "无"}, "性别", "不在代码表内", id="no such code"),
        pytest.param({"id_number": _swap(ROSTER[2]["id_number"])}, "身份证号", "校验码", id="check digit"),
        pytest.param({"student_no": ROSTER[0]["student_no"]}, "学号", "重复", id="twice in the sheet"),
        pytest.param({"cohort": "二二"}, "入学年份", "四位年份", id="no year"),
        pytest.param({"enrolled_on": "2022-13-45"}, "入学日期", "没有这一天", id="no day"),
        pytest.param({"site_code": "999"}, "教学点代码", "没有代码为 999", id="unknown teaching point"),
        pytest.param({"site": "别的教学点"}, "教学点名称", SITES[0].name, id="another name"),
    ],
)
def test_one_faulty_cell_refuses_the_whole_roster_and_is_named_with_row_and_column(
    empty: Counter, cells: Mapping[str, Cell], column: str, reason: str
) -> None:
    roster = empty.sheet("bad.xlsx", altered(ROSTER, 2, **cells))

    answer = empty.document("import", "roster", roster, code=1)

    fault = next(one for one in answer["faults"] if one["column"] == column)
    assert fault["row"] == 4
    assert reason in fault["reason"]["zh"]
    assert fault["reason"]["en"]
    assert set(fault) == {"row", "column", "cell", "value", "reason"}
    assert empty.document("replay", "--all")["cases"] == 0


def test_an_id_number_is_masked_wherever_it_is_shown(empty: Counter) -> None:
    number = _swap(ROSTER[2]["id_number"])
    roster = empty.sheet("bad.xlsx", altered(ROSTER, 2, id_number=number))

    shown = empty.xueji("import", "roster", roster)
    answer = empty.xueji("import", "roster", roster, "--json")

    assert shown.exit_code == 1
    assert "什么都没有写入" in shown.stdout
    assert number not in shown.output
    assert number not in answer.output
    assert f"{number[:4]}****{number[-4:]}" in answer.stdout


def test_new_teaching_points_are_created_only_when_asked_and_never_by_a_preview(empty: Counter) -> None:
    moved = [{**row, "site_code": "511610199", "site": "新设教学点"} for row in ROSTER]
    roster = empty.sheet("new.xlsx", moved)

    refused = empty.xueji("import", "roster", roster)
    preview = empty.document("import", "roster", roster, "--create-units", "--dry-run")
    after_preview = empty.xueji("import", "roster", roster)
    taken_in = empty.document("import", "roster", roster, "--create-units")

    assert refused.exit_code == after_preview.exit_code == 1
    assert "--create-units" in refused.stdout
    assert (preview["opened"], preview["dry_run"]) == (6, True)
    assert taken_in["opened"] == 6
    assert "新设教学点" in empty.xueji("case", NUMBERS[0]).stdout


def test_facts_are_previewed_written_once_and_known_the_second_time(counter: Counter) -> None:
    facts = counter.sheet("more.xlsx", altered(FACTS, 0, fee_owed="0.00"))

    preview = counter.document("import", "facts", facts, "--dry-run")
    first = counter.document("import", "facts", facts)
    second = counter.xueji("import", "facts", facts)

    assert (preview["changed"], preview["unchanged"]) == (first["changed"], first["unchanged"]) == (1, 5)
    assert second.exit_code == 0
    assert "nothing changed" in second.stdout


def test_facts_with_any_fault_are_refused_whole(counter: Counter) -> None:
    rows = altered(altered(FACTS, 1, fee_owed="一百"), 2, student_no="999", fee_owed="5")
    facts = counter.sheet("bad.xlsx", [{**row, "photo_review": "待审"} for row in rows])

    answer = counter.document("import", "facts", facts, code=1)

    assert [(one["row"], one["column"]) for one in answer["faults"]] == [(3, "欠费金额"), (4, "学号")]
    assert (answer["changed"], answer["unchanged"]) == (0, 0)
    assert all(one["failed"] in ([], ["G-GR-07"]) for one in counter.document("eligibility", "--batch", "2024-06"))


def test_a_file_that_is_no_workbook_is_misuse_and_says_what_to_do(empty: Counter) -> None:
    (empty.folder / "list.xlsx").write_text("学号,姓名", encoding="utf-8")

    text = empty.xueji("import", "roster", str(empty.folder / "list.xlsx"))
    missing = empty.xueji("import", "roster", "nowhere.xlsx")

    assert (text.exit_code, missing.exit_code) == (2, 2)
    assert ".xlsx" in text.stderr
    assert "nowhere.xlsx" in missing.stderr


def test_the_same_wrong_value_in_many_rows_is_shown_once_with_all_its_rows(empty: Counter) -> None:
    roster = empty.sheet("bad.xlsx", [{**row, "gender": "无"} for row in ROSTER])

    shown = empty.xueji("import", "roster", roster).stdout

    assert shown.count("不在代码表内") == 1
    assert "亦见于 also in rows 3、4、5、6、7" in shown


def test_rosters_and_facts_are_numbered_in_the_order_they_are_kept_and_what_is_refused_has_no_number(
    empty: Counter,
) -> None:
    roster, facts = empty.sheet("roster.xlsx", ROSTER), empty.sheet("facts.xlsx", FACTS)
    faulty = empty.sheet("bad.xlsx", altered(ROSTER, 2, name=""))

    assert empty.document("import", "roster", roster, "--dry-run")["number"] is None
    assert empty.document("import", "roster", faulty, code=1)["number"] is None
    assert "批号 number 0513-01" in empty.done("import", "roster", roster).stdout
    assert empty.document("import", "facts", facts, "--as", "rec")["number"] == "0513-02"
    assert empty.document("import", "facts", facts, "--as", "rec")["number"] is None
    empty.done("replay", "--all")


class OnceThere(type(Path())):  # type: ignore[misc]  # the class of paths of this machine
    """A file that is gone as soon as somebody has opened it, as one that is saved anew in that moment."""

    def open(self, *args: Any, **said: Any) -> IO[Any]:
        file: IO[Any] = super().open(*args, **said)
        self.unlink()
        return file


@pytest.mark.parametrize("kind", ["roster", "facts"])
def test_a_sheet_that_is_gone_once_it_was_opened_is_taken_in_and_told_by_the_bytes_that_were_read(
    empty: Counter, kind: str
) -> None:
    roster, facts = empty.sheet("roster.xlsx", ROSTER), empty.sheet("facts.xlsx", FACTS)
    take_in, path = (import_roster, roster) if kind == "roster" else (import_facts, facts)
    if kind == "facts":
        empty.done("import", "roster", roster)
    body = Path(path).read_bytes()

    caller = Caller(settings=Settings(database=empty.url), now=datetime(2024, 5, 13, 2, tzinfo=UTC))
    asked = Import(path=OnceThere(path), login=None, dry_run=False, as_json=True)
    assert take_in(caller, asked) == 0

    with sqlite3.connect(empty.url.removeprefix("sqlite:///")) as database:
        [kept] = database.execute("SELECT size, sha256 FROM import_run WHERE kind = ?", (kind,)).fetchall()
    assert kept == (len(body), sha256(body).hexdigest())
