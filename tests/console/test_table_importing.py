"""Tables at the counter: the sheet becomes the whole of the table, or nothing is written."""

from pathlib import Path

from tests.console.counter import Counter

HEADER = "major_code,site,cohort,term"


def csv(counter: Counter, *rows: str) -> str:
    path = Path(counter.folder) / "offers.csv"
    path.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
    return str(path)


def test_a_table_is_previewed_taken_in_and_the_second_time_nothing_changes(empty: Counter) -> None:
    words = ("import", "table", "major_offers", csv(empty, "630302,S1,2022,2024-1", "630303,S1,2022,2024-1"))

    preview = empty.document(*words, "--as", "rec", "--dry-run")
    first = empty.document(*words, "--as", "rec")
    second = empty.document(*words, "--as", "rec")

    assert preview == {**first, "dry_run": True}
    assert first == {
        "table": "major_offers", "rows": 2, "before": 0, "added": 2, "removed": 0, "faults": [], "dry_run": False,
    }  # fmt: skip
    assert (second["before"], second["added"], second["removed"]) == (2, 0, 0)
    assert "nothing changed" in empty.done(*words, "--as", "rec").stdout
    assert empty.document("replay", "--all")["diverged"] == []


def test_every_bad_cell_is_named_and_nothing_is_written(empty: Counter) -> None:
    path = csv(empty, "630302,S1,二二,2024-1", ",S1,2022,2024")

    answer = empty.document("import", "table", "major_offers", path, "--as", "rec", code=1)
    said = empty.xueji("import", "table", "major_offers", path, "--as", "rec")

    assert [one["cell"] for one in answer["faults"]] == ["C2", "A3", "D3"]
    assert "什么都没有写入" in said.stdout
    good = csv(empty, "630302,S1,2022,2024-1")
    assert empty.document("import", "table", "major_offers", good, "--as", "rec")["before"] == 0


def test_a_slip_is_answered_with_what_is_expected(empty: Counter) -> None:
    path = csv(empty, "630302,S1,2022,2024-1")

    results = [
        empty.xueji("import", "table", "major_offer", path, "--as", "rec"),
        empty.xueji("import", "table", "major_offers", path, "--as", "op"),
        empty.xueji("import", "table", "major_offers", str(empty.folder / "none.xlsx"), "--as", "rec"),
    ]

    assert [one.exit_code for one in results] == [2, 2, 2]
    for result, says in zip(results, ("major_offers", "records_section", "none.xlsx"), strict=True):
        assert says in result.stderr
