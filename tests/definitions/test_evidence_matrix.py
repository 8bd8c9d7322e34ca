"""Which change of information needs which picture (requirements.md 6.3), and what a picture must be (6.1)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.errors import XuejiError
from engine.records import Json
from exchange.evidence import FileRefused
from tests.definitions.change_acts import CALLED, CHANGE, SCANNED, applied, asked_of, drafted, graduated, proves
from tests.definitions.conftest import Furnish
from tests.definitions.world import Told, World
from tests.exchange.pictures import of_size, pdf, picture

ID, ENROL, HOUSEHOLD, POLICE = "E-IC-ID", "E-IC-ENROL", "E-IC-HOUSEHOLD", "E-IC-POLICE"
NOTICE, IDPROOF, CHSI, REPORT = "E-IC-NOTICE", "E-IC-IDPROOF", "E-IC-CHSI", "E-IC-REPORT"
DIPLOMA, GRADFORM = "E-IC-DIPLOMA", "E-IC-GRADFORM"
TEN_MB = 10 * 2**20


@dataclass(frozen=True)
class Row:
    """A row of the matrix: what is changed, and the parts of which each needs one of its kinds."""

    rule: str
    item: str
    kind: str
    parts: tuple[tuple[str, ...], ...]
    tertiary: bool | None = None

    def __str__(self) -> str:
        level = {None: "", True: "-tertiary", False: "-below"}[self.tertiary]
        return f"{self.rule}-{self.item}-{self.kind}{level}"


ROWS = (
    Row("EM-1", "gender", "change", ((ID,),)),
    Row("EM-1", "ethnicity", "change", ((ID,),)),
    Row("EM-2a", "entry_level", "change", ((CHSI, REPORT),), tertiary=True),
    Row("EM-2b", "entry_level", "change", ((DIPLOMA,),), tertiary=False),
    Row("EM-3", "name", "change", ((ID,), (HOUSEHOLD, POLICE))),
    Row("EM-4", "id_number", "change", ((ID,), (NOTICE, IDPROOF, POLICE))),
    *(Row("EM-5a", item, "entry_error", ((ID,), (ENROL,))) for item in ("name", "gender", "id_number", "ethnicity")),
    Row("EM-5b", "entry_level", "entry_error", ((CHSI, REPORT),), tertiary=True),
    Row("EM-5b", "entry_level", "entry_error", ((DIPLOMA,),), tertiary=False),
)
OF_GRADUATES = tuple(row for row in ROWS if row.item != "entry_level")


def choices(row: Row) -> list[tuple[str, ...]]:
    """Every way to satisfy a row with no picture too many."""
    found: list[tuple[str, ...]] = [()]
    for part in row.parts:
        found = [(*chosen, one) for chosen in found for one in part]
    return found


def about(world: World, group: str) -> str:
    """A student of a group, on a Monday in term."""
    if group == "graduate":
        return graduated(world)
    return world.enrols(enrolled_on="2024-03-01" if group == "freshman" else "2022-03-01")


@pytest.mark.parametrize("group", ["freshman", "on_roll"])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_set_of_the_matrix_suffices_and_without_any_part_of_it_the_rule_is_named(
    world_of: Furnish, row: Row, group: str
):
    world = world_of("open-university")
    for chosen in choices(row):
        student = about(world, group)
        assert not_enough(world, student, row, chosen) == [row.rule] * len(chosen)
        case = asked(world, student, row)
        assert case.field("group") == group
        proves(case, *chosen).takes("check_evidence", "site_operator", **SCANNED)
        assert case.state == "evidence_checked"
    world.replays_clean()


@pytest.mark.parametrize("row", OF_GRADUATES, ids=str)
def test_a_graduate_adds_the_registration_form_to_the_set_of_the_matching_rule(world_of: Furnish, row: Row):
    world = world_of("open-university")
    for chosen in choices(row):
        student = about(world, "graduate")
        full = (*chosen, GRADFORM)
        named = not_enough(world, student, row, full, "check_evidence_late")
        assert named == [*[row.rule] * len(chosen), "EM-6"]
        case = proves(asked(world, student, row), *full).takes("check_evidence_late", "site_operator", **SCANNED)
        assert (case.field("group"), case.state) == ("graduate", "late")
    world.replays_clean()


def not_enough(
    world: World, student: str, row: Row, chosen: tuple[str, ...], step: str = "check_evidence"
) -> list[str]:
    """The rule under which the check is refused for each kind left out of a sufficient set."""
    named = []
    for left_out in chosen:
        case = proves(asked(world, student, row), *(kind for kind in chosen if kind != left_out))
        refused = case.refuses(step, "site_operator", **SCANNED)
        found = [one for one in refused if one.startswith("EM-")]
        assert len(found) == 1, (left_out, refused)
        assert refused <= {found[0], "G-IC-10"}
        named += found
        case.takes("take_back", "student", reason="补交证据")
    return named


def asked(world: World, student: str, row: Row) -> Told:
    level = {} if row.tertiary is None else {"new_level_is_tertiary": row.tertiary}
    return drafted(world, student, row.item, row.kind, **level)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_kind_of_evidence_that_belongs_to_another_row_does_not_stand_in(world_of: Furnish, row: Row):
    world = world_of("open-university")
    student = world.enrols()
    belongs = {kind for part in row.parts for kind in part}
    case = proves(asked(world, student, row), *(kind for kind in CALLED if kind not in belongs))

    refused = case.refuses("check_evidence", "site_operator", **SCANNED)

    assert refused - {"G-IC-10"} == {row.rule}
    world.replays_clean()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_late_change_needs_its_set_and_the_report_of_the_head(world_of: Furnish, row: Row):
    world = world_of("open-university")
    case = asked(world, applied(world), row)
    assert row.rule in case.refuses("check_evidence_late", "site_operator", **SCANNED)
    proves(case, *choices(row)[0])
    assert case.refuses("check_evidence", "site_operator", **SCANNED) == {"G-IC-02"}
    case.takes("check_evidence_late", "site_operator", **SCANNED)

    assert case.refuses("head_approve", "responsible_head", slot="head", reason="情况属实") == {"EM-7", "X-10"}
    case.hands_in("F-76b", by="site_operator")
    case.signs("head_approve", "head", "responsible_head", reason="情况属实")
    case.signs("head_approve", "seal", "seal_keeper@B1", reason="情况属实")

    assert case.state == "evidence_checked"
    world.replays_clean()


@pytest.mark.parametrize("kind", ["change", "entry_error"])
def test_while_the_new_level_is_unknown_no_evidence_of_it_suffices(world_of: Furnish, kind: str):
    world = world_of("open-university")
    case = proves(drafted(world, world.enrols(), "entry_level", kind), CHSI)

    undecided = {"EM-2b"} if kind == "change" else {"EM-5b"}
    assert case.refuses("check_evidence", "site_operator", **SCANNED) == undecided
    case.takes("check_evidence", "site_operator", **SCANNED, new_level_is_tertiary=True)
    world.replays_clean()


@pytest.mark.parametrize("kind", ["change", "entry_error"])
def test_the_education_level_of_a_graduate_is_not_provided_for(world_of: Furnish, kind: str):
    world = world_of("open-university")
    student = graduated(world)

    assert world.opening_refused(CHANGE, student, "draft", "student", **asked_of("entry_level", kind)) == {"EM-0"}
    assert world.cases_of(student, CHANGE) == []
    world.replays_clean()


@pytest.mark.parametrize("item", ["born_on", "photo"])
def test_a_date_of_birth_alone_and_a_photo_are_no_items_of_a_change(world_of: Furnish, item: str):
    world = world_of("open-university")
    student = world.enrols()
    before = world.counts()

    with pytest.raises(XuejiError, match=item):
        world.tries_to_open(CHANGE, student, "draft", "student", item=item, kind="change", new_value="2000-01-02")

    assert world.counts()[1:] == before[1:]
    world.replays_clean()


def test_pictures_of_changed_information_are_taken_as_requirements_6_1_says(world_of: Furnish):
    world = world_of("open-university")
    case = drafted(world, world.enrols())
    square, called = picture(size=(200, 200)), "户口本.jpg"

    for body, name, ids in (
        (of_size(TEN_MB + 1), called, {"G-EV-01"}),
        (picture(size=(199, 200)), called, {"G-EV-02"}),
        (picture(size=(200, 199)), called, {"G-EV-02"}),
        (picture("GIF", (300, 300)), called, {"G-EV-02", "G-EV-04", "X-20"}),
        (pdf(), called, {"G-EV-02", "G-EV-04", "X-20"}),
        (square, "照片.jpg", {"G-EV-05"}),
        (square, "户口本 .jpg", {"G-EV-05"}),
        (square, "户口本+.jpg", {"G-EV-05"}),
    ):
        assert case.hands_in_vainly(HOUSEHOLD, by="student", body=body, name=name) == ids, (name, ids)
    with pytest.raises(FileRefused, match="不完整"):
        case.hands_in(HOUSEHOLD, by="student", body=square[: len(square) // 2], name=called)

    case.hands_in(HOUSEHOLD, by="student", body=of_size(TEN_MB), name=called)
    case.hands_in(HOUSEHOLD, by="student", body=square, name="户口本.JPG")
    case.hands_in(HOUSEHOLD, by="student", body=picture("PNG", (200, 200)), name=called)
    assert case.hands_in_vainly(HOUSEHOLD, by="student", body=square, name=called) == {"X-25"}
    case.hands_in(ID, by="student", body=picture(size=(300, 300)), name="身份证.jpg")
    assert case.hands_in_vainly(ID, by="student", body=picture(size=(301, 300)), name="身份证.jpg") == {"X-21"}
    world.replays_clean()


@pytest.mark.parametrize("kind", CALLED)
def test_every_kind_of_evidence_is_called_by_what_it_shows(world_of: Furnish, kind: str):
    world = world_of("open-university")
    student = world.enrols()
    case, body = drafted(world, student), picture(size=(200, 200))

    assert case.hands_in_vainly(kind, by="student", body=body, name=f"{student}测试.jpg") == {"G-EV-05"}
    proves(case, kind)
    world.replays_clean()


def test_the_picture_of_a_withdrawal_form_is_taken_as_requirements_6_1_says(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    asked: dict[str, Json] = {"cause": "chsi_other_institution", "copies": 4}
    case = world.opens("chsi-withdrawal", student, "apply", "site_operator", **asked)
    square, called = picture(size=(200, 200)), f"{student}测试.jpg"

    for body, name, ids in (
        (of_size(TEN_MB + 1), called, {"G-WD-05b"}),
        (picture(size=(199, 200)), called, {"G-WD-05c"}),
        (picture(size=(200, 200), orientation=6), called, {"G-WD-05d"}),
        (pdf(), called, {"G-WD-05a", "G-WD-05c", "G-WD-05d", "X-20"}),
        (square, f"{student}+测试.jpg", {"G-WD-04"}),
        (square, f"{student} 测试.jpg", {"G-WD-04"}),
        (square, f"{student}.jpg", {"G-WD-04"}),
    ):
        assert case.hands_in_vainly("E-WD", by="site_operator", body=body, name=name) == ids, (name, ids)

    case.hands_in("E-WD", by="site_operator", body=of_size(TEN_MB), name=called)
    assert case.hands_in_vainly("E-WD", by="site_operator", body=square, name=called) == {"X-21"}
    world.replays_clean()
