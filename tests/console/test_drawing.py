"""Workflows as pictures: whole, quiet about style, the way of a case in colour; the one in the README is current."""

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from console.drawing import Way, draw
from engine.definition import Bilingual
from engine.loading.folder import read_workflow
from exchange.diagrams import Diagram, diagram_of
from tests.console.counter import READY, Counter

SVG = "{http://www.w3.org/2000/svg}"
WALKED, HERE = "#047857", "#047857"
PICTURE = Path("docs/pictures/diploma-registration.svg")


@cache
def diploma_registration() -> Diagram:
    return diagram_of(read_workflow(Path("workflows/diploma-registration.yaml"))["open-university"])


def parsed(picture):
    return ET.fromstring(picture)  # noqa: S314 drawn a moment ago


def words_in(picture):
    return [element.text for element in parsed(picture).iter(f"{SVG}text")]


def test_a_picture_names_every_state_and_step_in_both_languages() -> None:
    diagram = diploma_registration()
    words = words_in(draw(diagram))

    for title in (*[title for state, title in diagram.states.items() if state != "new"], diagram.title):
        assert title.zh in words
        assert title.en in words
    for passage in diagram.passages:
        assert all(diagram.titles[step].zh in words for step in passage.steps)
    assert words.count("· 记录省校初审") == 4


def test_a_picture_needs_no_style_no_script_and_nothing_from_elsewhere() -> None:
    picture = draw(diploma_registration())

    assert not re.search(r"style|<script|href|url\(|\bid=|\bon\w+=", picture)
    assert picture.count("http") == 1  # the name space


def test_a_picture_can_be_read_aloud() -> None:
    root = parsed(draw(diploma_registration()))

    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "学历电子注册 Diploma registration"
    assert root[1].text == (
        "主要路径：开始 → 在籍 → 已提出毕业申请 → 教学点审批同意 → 分校审批同意 → 省校审核通过 → 学历已注册"
    )


def test_texts_are_written_so_that_they_stay_texts() -> None:
    diagram = diploma_registration()
    odd = Bilingual(zh="<甲>&乙", en='"<b>')
    changed = Diagram(**{name: getattr(diagram, name) for name in Diagram.__slots__} | {"title": odd})

    assert {"<甲>&乙", '"<b>'} <= set(words_in(draw(changed)))


def test_every_block_lies_inside_the_picture_and_its_text_inside_the_block() -> None:
    root = parsed(draw(diploma_registration()))
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    (blocks,) = [group for group in root if len(group) > 20]
    left, top = map(float, re.findall(r"[\d.]+", blocks.get("transform") or ""))

    boxes = list(blocks.iter(f"{SVG}rect"))
    assert len(boxes) > 20
    for box in boxes:
        x, y, wide, high = (float(box.get(name) or 0) for name in ("x", "y", "width", "height"))
        assert left + x >= 0
        assert top + y >= 0
        assert left + x + wide <= width
        assert top + y + high <= height
    for text in blocks.iter(f"{SVG}text"):
        at, size = float(text.get("x") or 0), float(text.get("font-size") or 0)
        half = sum(size if letter >= "\u2e80" else size * 0.5 for letter in text.text or "") / 2
        assert any(
            float(box.get("x") or 0) <= at - half
            and at + half <= float(box.get("x") or 0) + float(box.get("width") or 0)
            for box in boxes
        ), text.text


def test_the_way_of_a_case_is_marked_with_how_often_and_where_it_stands() -> None:
    steps = [
        ("open_record", "new", "enrolled"), ("apply", "enrolled", "applied"), ("site_return", "applied", "enrolled"),
        ("apply", "enrolled", "applied"),
    ]  # fmt: skip
    picture = draw(diploma_registration(), Way(steps=steps, state="applied"))

    words = words_in(picture)
    assert words.count("现处") == 1
    assert words.count("×2") == 1
    assert "现处：已提出毕业申请" in (parsed(picture)[1].text or "")
    walked = [one for one in parsed(picture).iter(f"{SVG}path") if one.get("stroke") == WALKED]
    assert len(walked) == 6 + 1  # in and out of three passages, and the one in the legend
    assert not [one for one in parsed(draw(diploma_registration())).iter() if one.get("stroke") == WALKED]


def test_a_picture_is_the_same_every_time() -> None:
    assert draw(diploma_registration()) == draw(diploma_registration())


def test_the_picture_in_the_documentation_is_current(counter: Counter, tmp_path: Path) -> None:
    drawn = tmp_path / "diploma-registration.svg"
    counter.done("draw", "W-01", str(drawn), "--as", "svg")

    assert drawn.read_text("utf-8") == PICTURE.read_text("utf-8"), f"xueji draw W-01 {PICTURE} --as svg"


def test_a_case_is_drawn_by_its_number_with_its_own_definition(counter: Counter) -> None:
    counter.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")
    number = counter.document("case", READY[0])["case"]

    picture = counter.done("draw", "W-01", "--as", "svg", "--case", number).stdout

    assert "现处：已提出毕业申请" in picture
    assert "教学点已列入确认名单" in picture  # as the profile of its unit calls it


@pytest.mark.parametrize(
    ("form", "starts"), [("svg", "<svg "), ("mermaid", "stateDiagram-v2"), ("bpmn", '<?xml version="1.0"')]
)
def test_a_list_is_drawn_in_every_form_by_its_name(nowhere: Counter, form: str, starts: str) -> None:
    drawn = nowhere.done("draw", "diploma-registration.upload_list", "--as", form).stdout

    assert drawn.startswith(starts)
    assert "人数已核对" in drawn
    assert not list(nowhere.folder.iterdir())  # no database is needed, and none is made


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("diploma-registraton", "--as", "svg"), "Did you mean 'diploma-registration'?"),
        (("W-01", "--as", "png"), "Known: bpmn, mermaid, svg."),
        (("W-01", "--as", "svg", "--profile", "online-edu"), "Did you mean 'online-ed'?"),
        (("W-01", "--as", "bpmn", "--case", "K7Q2M4XA"), "Only svg shows the way of a case."),
        (("W-01", "--as", "svg", "--case", "nonsense"), "nonsense"),
    ],
)
def test_what_cannot_be_drawn_is_said_with_what_can(counter: Counter, words: tuple[str, ...], answer: str) -> None:
    result = counter.xueji("draw", *words)

    assert result.exit_code == 2
    assert answer in result.stderr
