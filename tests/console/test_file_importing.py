"""Packages of photographs and results of audits at the counter: as on the page, under a number, whole or not at all."""

from collections.abc import Mapping
from io import BytesIO

import orjson
import pytest
from PIL import Image

from console.settings import Settings
from console.wiring import office
from engine.store.students import student
from tests.console.counter import NUMBERS, ROSTER, SITES, Counter, altered
from tests.exchange.pictures import package, sheet


def photo() -> bytes:
    made = BytesIO()
    Image.effect_noise((480, 640), 30).convert("RGB").save(made, "JPEG")
    return made.getvalue()


def put(counter: Counter, files: Mapping[str, bytes], name: str = "照片.zip") -> str:
    path = counter.folder / name
    path.write_bytes(package(files))
    return str(path)


def test_a_package_is_previewed_kept_under_a_number_and_known_the_second_time(counter: Counter) -> None:
    file = put(counter, {f"{number}.jpg": photo() for number in NUMBERS})
    words = ("import", "photos", file, "--as", "rec")

    without = counter.document(*words, "--dry-run")
    preview = counter.document(*words, "--open-collections", "--dry-run")
    first = counter.document(*words, "--open-collections")
    second = counter.xueji(*words)

    assert (without["loose"], without["openable"], without["opened"], without["number"]) == (6, 6, 0, None)
    same = ("rows", "opened", "changed", "unchanged", "pictures", "loose", "faults", "refused")
    assert [preview[name] for name in same] == [first[name] for name in same] == [6, 6, 6, 0, 6, 0, [], []]
    assert (preview["number"], first["number"], preview["dry_run"]) == (None, "0513-03", True), (
        "after a roster and a sheet of facts"
    )
    assert second.exit_code == 0
    assert "nothing changed" in second.stdout
    assert "rec" in second.stderr, "who took the same file in"
    counter.done("replay", "--all")


def test_a_package_with_any_fault_is_refused_whole_and_each_picture_is_named(counter: Counter) -> None:
    one, two, *_ = NUMBERS
    file = put(counter, {f"{one}.jpg": photo(), f"班/{two}.jpg": b"", "99999999.jpg": photo()})

    answer = counter.document("import", "photos", file, "--as", "rec", "--open-collections", code=1)
    shown = counter.xueji("import", "photos", file, "--as", "rec")

    assert [(fault["row"], fault["value"], fault["cell"]) for fault in answer["faults"]] == [
        (2, f"班/{two}.jpg", ""), (3, "99999999.jpg", ""),
    ]  # fmt: skip
    assert (answer["opened"], answer["pictures"], answer["number"]) == (0, 0, None)
    assert "什么都没有写入" in shown.stdout
    assert "文件是空的" in shown.stdout


@pytest.mark.parametrize(
    ("login", "body", "words"),
    [
        ("op", package({"1.jpg": b""}), "需要担任"),
        ("rec", b"Rar!\x1a\x07\x00" + bytes(40), "内容是RAR 压缩包"),
        ("rec", b"", "不是 ZIP 压缩包"),
        ("nobody", package({"1.jpg": b""}), "nobody"),
    ],
)
def test_who_may_not_and_what_is_no_package_is_misuse_and_says_what_to_do(
    counter: Counter, login: str, body: bytes, words: str
) -> None:
    (counter.folder / "照片.zip").write_bytes(body)

    answer = counter.xueji("import", "photos", str(counter.folder / "照片.zip"), "--as", login)

    assert answer.exit_code == 2
    assert words in answer.stderr


def test_results_of_students_who_stand_elsewhere_are_refused_row_by_row(counter: Counter) -> None:
    path = counter.folder / "结果.xlsx"
    path.write_bytes(
        sheet([["学号", "审核结果", "未通过原因"], [NUMBERS[0], "通过", None], [NUMBERS[1], "未通过", None]])
    )

    for command in ("final-results", "provincial-results"):
        answer = counter.document("import", command, str(path), "--as", "rec", code=1)
        assert {fault["row"] for fault in answer["faults"]} == {2, 3}, command
        assert any("未通过须写原因" in fault["reason"]["zh"] for fault in answer["faults"])


def test_a_refused_roster_leaves_its_refusal_in_the_chain_of_each_known_student_and_nothing_else(
    counter: Counter,
) -> None:
    """All of it is taken back, new units and what the chains said of it: that is said again (S000-3.8c)."""
    other = next(one for one in SITES if one.code != ROSTER[0]["site_code"])
    rows = altered(ROSTER, 0, site_code=other.code, site=other.name)

    preview = counter.document("import", "roster", counter.sheet("moved.xlsx", rows), "--dry-run", code=1)
    assert _refused(counter, str(ROSTER[0]["student_no"])) == []
    counter.document("import", "roster", counter.sheet("moved.xlsx", rows), code=1)

    assert [one["student_no"] for one in preview["refused"]] == [ROSTER[0]["student_no"]]
    assert _refused(counter, str(ROSTER[0]["student_no"])) == ["roster"]
    assert _refused(counter, str(ROSTER[1]["student_no"])) == []


def _refused(counter: Counter, number: str) -> list[str]:
    """What was refused of a student, by its source."""
    with office(Settings(database=counter.url)) as opened:
        connection = opened.desk.connection
        row = student(connection, number)
        assert row is not None
        bodies = connection.execute("SELECT body FROM event WHERE chain = ?", (-row.id,)).fetchall()
    said = [orjson.loads(bytes(body)) for (body,) in bodies]
    return [str(one["data"]["source"]) for one in said if one["kind"] == "refused"]
