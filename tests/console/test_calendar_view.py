"""The calendar at the counter: what is in force in the database where there is one; none is needed to ask."""

import pytest

from console.settings import HOME
from tests.console.counter import Counter


def test_an_explanation_lists_every_day_that_did_not_count(nowhere: Counter) -> None:
    answer = nowhere.document("calendar", "explain", "2024-09-18", "+15wd")

    assert (answer["day"], answer["provisional"]) == ("2024-10-14", False)
    assert [one["day"] for one in answer["skipped"]][3:10] == [f"2024-10-0{day}" for day in range(1, 8)]
    assert answer["skipped"][3]["reason"] == {"zh": "国庆节", "en": "National Day"}
    assert [one["day"] for one in answer["made_up"]] == ["2024-09-29", "2024-10-12"]


def test_an_explanation_reads_in_both_languages(nowhere: Counter) -> None:
    said = nowhere.done("calendar", "explain", "2024-09-18", "-3wd").stdout

    assert "2024年9月18日（周三） -3wd → 2024年9月12日（周四）" in said
    assert "中秋节 Mid-Autumn Festival" in said
    assert "还没有数据库" in said


def test_what_is_counted_in_a_year_without_a_notice_is_called_provisional(nowhere: Counter) -> None:
    assert "暂定" in nowhere.done("calendar", "explain", "2026-12-25", "10wd").stdout
    assert "暂定" in nowhere.done("calendar", "show", "2027").stdout
    assert "暂定" in nowhere.done("calendar", "show", "2031").stdout
    assert "暂定" not in nowhere.done("calendar", "show", "2024").stdout


def test_a_year_shows_its_notice_its_days_off_and_its_terms(nowhere: Counter) -> None:
    year = nowhere.document("calendar", "show", "2024", "--profile", "online-ed")

    assert (year["status"], year["source"]) == ("confirmed", ["国办发明电〔2023〕7号"])
    assert year["holidays"][-1]["to"] == "2024-10-07"
    assert len(year["working_days"]) == 8
    assert [one["term"] for one in year["terms"]] == ["2023-1", "2023-2", "2024-1"]


def test_a_year_that_two_have_published_is_shown_and_counted_by_instead_of_the_file(empty: Counter) -> None:
    for login in ("sys", "sys2"):
        empty.done("user", "add", login, "--role", "system_admin", "--unit", "SX")
    file = empty.folder / "2024.yaml"
    text = (HOME / "rules" / "calendars" / "2024.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("from: 2024-06-10}", "from: 2024-06-10, to: 2024-06-12}"), encoding="utf-8")
    assert empty.document("calendar", "show", "2024")["calendar"]["publications"] == []

    asked = empty.document("definition", "propose", str(file), "--as", "sys", "--reason", "端午节放假通知改动")
    assert asked["moves_dates"] is True
    assert asked["touches"] == {"deadlines": 0, "people": 0, "is_most": False}
    assert empty.document("calendar", "explain", "2024-06-07", "+1wd")["day"] == "2024-06-11", "not approved yet"
    empty.done("definition", "approve", str(asked["number"]), "--as", "sys2")

    shown = empty.document("calendar", "explain", "2024-06-07", "+1wd")
    assert shown["day"] == "2024-06-13"
    assert shown["calendar"]["publications"] == [
        {"number": asked["number"], "file": "rules/calendars/2024.yaml", "effective_on": "2024-05-13"}
    ]
    assert "按数据库中发布的 rules/calendars/2024.yaml（第 1 号" in empty.done("calendar", "show", "2024").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("explain", "18.9.2024", "+15wd"), "2024-09-18"),
        (("explain", "2024-09-18", "15"), r"+15wd"),
        (("show", "2024", "--profile", "online"), "online-ed"),
    ],
)
def test_a_slip_is_answered_with_what_is_expected(nowhere: Counter, words: tuple[str, ...], says: str) -> None:
    result = nowhere.xueji("calendar", *words)

    assert result.exit_code == 2
    assert says in result.stderr
