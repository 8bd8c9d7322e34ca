"""What people see: dates as an office writes them, tables that line up with Chinese in them."""

from datetime import UTC, date, datetime

import pytest
from rich.cells import cell_len

from console.calling import read_moment, read_pairs
from console.printing import long_date, long_moment, shortened, table
from engine.errors import Unreadable


def test_a_day_is_written_with_its_weekday() -> None:
    assert long_date(date(2024, 5, 13)) == "2024年5月13日（周一）"
    assert long_date(date(2024, 6, 30)) == "2024年6月30日（周日）"


def test_a_moment_is_shown_by_the_clocks_of_shanghai() -> None:
    assert long_moment("2024-05-12T16:30:00.000000Z") == "2024年5月13日（周一）00:30"
    assert long_moment(datetime(2024, 5, 13, 1, 30, tzinfo=UTC)) == "2024年5月13日（周一）09:30"


@pytest.mark.parametrize("text", ["2024-05-13T09:30", "2024-05-13T09:30+08:00", "2024-05-13T01:30Z"])
def test_a_moment_without_an_offset_is_shanghai_time(text: str) -> None:
    assert read_moment(text) == datetime(2024, 5, 13, 1, 30, tzinfo=UTC)


def test_what_is_no_moment_is_refused_with_an_example() -> None:
    with pytest.raises(Unreadable, match="2024-05-13"):
        read_moment("13.5.2024")


def test_a_value_may_hold_an_equals_sign() -> None:
    assert read_pairs(["note=a=b", "batch=2024-06"]) == {"note": "a=b", "batch": "2024-06"}


def test_columns_line_up_whatever_the_script(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")

    table(("名称 name", "数 n"), [("教学点", 7), ("branch school", 12345), ("第1分校第1教学点", 40)])

    rows = capsys.readouterr().out.splitlines()[3:6]
    assert {cell_len(row.rstrip()) for row in rows} == {cell_len(rows[1].rstrip())}


def test_a_code_is_never_broken_while_there_is_room_to_break_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    table(("学号 student", "原因 reason"), [("2021090000001", "很长的原因 " * 12)])

    assert "2021090000001" in capsys.readouterr().out


def test_a_long_list_of_names_says_how_many_there_are() -> None:
    assert shortened(["a", "b"]) == "a、b"
    assert shortened(list("abcdefg"), 2) == "a、b 等 7 in all"
