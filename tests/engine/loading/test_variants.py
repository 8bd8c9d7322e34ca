"""A workflow file projected to the profiles it names."""

import pytest

from engine.checking.examining import examine
from engine.loading.folder import load, read
from tests.engine.loading.folders import clean_folder, write

TRIP = "workflows/trip.yaml"


@pytest.fixture
def folder(tmp_path):
    return clean_folder(tmp_path)


def add(folder, variants: str) -> None:
    text = (folder / TRIP).read_text(encoding="utf-8")
    write(folder, TRIP, f"{text}variants:\n  east:\n{variants}")


def test_a_value_replaces_an_entry_is_added_and_null_removes(folder):
    add(
        folder,
        "    transitions.return.by: [head, clerk]\n"
        "    transitions.cancel: {title: {zh: 取消, en: Cancel}, from: away, to: cancelled, kind: withdraw, by: head}\n"
        "    transitions.start: null\n",
    )

    library = load(folder)
    east, base = library.definition("trip", "east"), library.definition("trip", "college")

    assert [who.role for who in east.transitions["return"].by] == ["head", "clerk"]
    assert list(east.transitions) == ["return", "cancel"]
    assert list(base.transitions) == ["start", "return"]
    assert east.profile == "east"


def test_an_empty_variant_adopts_the_file_unchanged(folder):
    text = (folder / TRIP).read_text(encoding="utf-8")
    write(folder, TRIP, f"{text}variants:\n  east: {{}}\n")

    library = load(folder)
    base, east = library.definition("trip", "college"), library.definition("trip", "east")

    assert east == base.model_copy(update={"profile": "east"})


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("transitions.retrun.by: head", "Did you mean 'return'?"),
        ("stats.away.title: {zh: 甲, en: A}", "Did you mean 'states'?"),
        ("transitions.begin: null", "no"),
        ("version.by: 1", "no"),
    ],
)
def test_a_path_that_leads_nowhere_is_named_with_the_nearest_step(folder, path, hint):
    add(folder, f"    {path}\n")

    (fault,) = read(folder).faults

    assert fault.code == "unknown-path"
    assert fault.excerpt[fault.column - 1 :].startswith(path.split(":")[0])
    assert hint in fault.message


def test_a_wrong_value_of_a_variant_is_placed_in_the_variant(folder):
    add(folder, "    transitions.return.kind: retrun\n")

    (fault,) = read(folder).faults

    assert (fault.code, fault.excerpt) == ("wrong-value", "    transitions.return.kind: retrun")


def test_a_fault_that_profiles_share_is_told_once(folder):
    text = (folder / TRIP).read_text(encoding="utf-8").replace("by: clerk", "by: clrk")
    write(
        folder,
        "rules/organisation.yaml",
        (folder / "rules/organisation.yaml").read_text(encoding="utf-8") + "  east: {title: {zh: 东, en: East}}\n",
    )
    write(folder, TRIP, f"{text}variants:\n  east: {{transitions.start.by: head}}\n")

    _, faults = examine(folder)

    assert [fault.code for fault in faults] == ["unknown-role"]
