"""The way of a case on its road: every state once, what was gone counted and thick, what leads back under the road."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from console.drawing import Way
from console.road_drawing import Inks, Manner, draw_road, told
from console.roads import COLUMN, ROW, Plan, moves, plan
from engine.definition import MachineFile
from engine.loading.folder import read_workflow
from exchange.diagrams import Diagram, diagram_of

SVG = "{http://www.w3.org/2000/svg}"
INKS = Inks(
    road="#000001", on_road="#000002", tint="#000003", back="#000004", paper="#000005", line="#000006", text="#000007",
    quiet="#000008",
)  # fmt: skip
SENT_BACK = Way(
    steps=[("apply", "enrolled", "applied"), ("site_return", "applied", "enrolled")] * 2
    + [("apply", "enrolled", "applied")],
    state="applied",
)


@cache
def shipped() -> tuple[tuple[str, Diagram], ...]:
    """Every workflow and list as its first profile runs it."""
    return tuple(
        (one.workflow, diagram_of(one))
        for file in sorted(Path("workflows").glob("*.yaml"))
        for one in next(iter(read_workflow(file).values())).machines()
    )


@cache
def diploma() -> Diagram:
    definition: MachineFile = read_workflow(Path("workflows/diploma-registration.yaml"))["online-ed"]
    return diagram_of(definition)


def drawn(way: Way = SENT_BACK, **manner: object) -> ET.Element:
    picture = draw_road(diploma(), way, Manner(inks=INKS, **manner))  # type: ignore[arg-type] # a test's own words
    assert picture is not None
    return ET.fromstring(picture)  # noqa: S314 drawn a moment ago


def words(picture: ET.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def plans() -> Iterator[tuple[str, Diagram, Plan]]:
    for name, diagram in shipped():
        for measures in (ROW, COLUMN):
            placed = plan(diagram, measures)
            if placed is not None:
                yield name, diagram, placed


def test_nearly_every_shipped_workflow_has_a_road() -> None:
    clear = {name for name, _, _ in plans()}
    assert "diploma-registration" in clear
    assert len(clear) > 0.85 * len(shipped())


def test_every_state_has_one_place_and_every_move_a_way() -> None:
    for name, diagram, placed in plans():
        assert set(placed.boxes) == {state for state in diagram.states if state != "new"}, name
        gone = {(one.origin, one.target): set(one.steps) for one in placed.tracks}
        wanted: dict[tuple[str, str], set[str]] = {}
        for move in moves(diagram):
            wanted.setdefault((move.origin, move.target), set()).add(move.step)
        assert gone == wanted, name


def test_no_two_states_cover_each_other() -> None:
    for name, _, placed in plans():
        for one, other in combinations(placed.boxes.values(), 2):
            apart = abs(one.middle.along - other.middle.along) >= (one.long + other.long) / 2
            below = abs(one.middle.across - other.middle.across) >= (one.wide + other.wide) / 2
            assert apart or below, (name, one.state, other.state)


def test_lines_run_along_or_across_and_end_at_the_edge_of_their_states() -> None:
    for name, _, placed in plans():
        for track in placed.tracks:
            for one, other in zip(track.corners, track.corners[1:], strict=False):
                assert one.along == pytest.approx(other.along) or one.across == pytest.approx(other.across), name
            for end, state in ((track.corners[0], track.origin), (track.corners[-1], track.target)):
                box = placed.boxes[state]
                on_side = abs(end.along - box.middle.along) == pytest.approx(box.long / 2)
                on_edge = abs(end.across - box.middle.across) == pytest.approx(box.wide / 2)
                assert on_side or on_edge, (name, track)


def test_what_was_gone_is_counted_and_thick_and_the_rest_is_not() -> None:
    picture = drawn()
    circles = list(picture.iter(f"{SVG}circle"))
    thick = [one for one in picture.iter(f"{SVG}path") if one.get("stroke-width") == "2.5"]

    assert len(circles) == len(thick) == 2
    assert {one.get("stroke") for one in thick} == {INKS.road, INKS.back}
    assert [word for word in words(picture) if word.isdigit()] == ["3", "2"]


def test_only_where_the_case_is_is_filled_and_where_it_was_is_tinted() -> None:
    faces = [one.get("fill") for one in drawn().iter(f"{SVG}rect")]
    assert faces.count(INKS.road) == 1
    assert faces.count(INKS.tint) == 1


def test_a_hundred_passages_read_as_many() -> None:
    many = Way(steps=[("apply", "enrolled", "applied")] * 120, state="applied")
    assert "99+" in words(drawn(many))


def test_a_case_that_is_blocked_bears_a_lock() -> None:
    assert len(list(drawn(is_blocked=True).iter(f"{SVG}path"))) == len(list(drawn().iter(f"{SVG}path"))) + 1


def test_ends_have_a_double_border() -> None:
    for name in ("学历已注册", "退学"):
        [box] = [one for one in drawn().iter(f"{SVG}g") if (one[0].text or "").startswith(f"{name} ")]
        assert len(box.findall(f"{SVG}rect")) == 2


@pytest.mark.parametrize("is_tall", [False, True])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_state_is_named_inside_the_picture(lang, is_tall) -> None:
    picture = drawn(lang=lang, is_tall=is_tall)
    width, height = float(picture.get("width") or 0), float(picture.get("height") or 0)
    said = "".join(words(picture)).replace(" ", "")

    for state, title in diploma().states.items():
        assert state == "new" or (title.zh if lang == "zh" else title.en.replace(" ", "")) in said
    for box in picture.iter(f"{SVG}rect"):
        assert float(box.get("x") or -1) >= 0
        assert float(box.get("x") or 0) + float(box.get("width") or 0) <= width
        assert float(box.get("y") or 0) + float(box.get("height") or 0) <= height
    assert width <= (360 if is_tall else 960)


def test_a_picture_needs_no_style_no_script_and_nothing_from_elsewhere() -> None:
    picture = draw_road(diploma(), SENT_BACK, Manner(inks=INKS))
    assert picture is not None
    assert not re.search(r"style|<script|href|url\(|\bid=|\bon\w+=", picture)
    assert picture.count("http") == 1  # the name space


def test_a_picture_is_told_in_one_sentence() -> None:
    assert told(diploma(), SENT_BACK, "zh") == "学历电子注册：现在“已提出毕业申请”，走过 5 步，到过 在籍"
    assert told(diploma(), SENT_BACK, "en") == "Diploma registration: now Applied, 5 steps taken, been to Enrolled"
    assert drawn()[0].text == told(diploma(), SENT_BACK, "zh")


def test_a_workflow_without_a_clear_road_is_left_to_the_layout_library() -> None:
    unclear = [diagram for name, diagram in shipped() if plan(diagram, ROW) is None]
    assert unclear
    for diagram in unclear:
        state = next(one for one in diagram.states if one != "new")
        assert draw_road(diagram, Way(steps=[], state=state), Manner(inks=INKS)) is None
