"""A folder of definitions becomes a library, or every fault of it is named at once."""

import json

import pytest

from engine.errors import DefinitionFaults, Unknown
from engine.library import canonical, content_hash
from engine.loading.folder import load, read
from tests.engine.loading.folders import clean_folder, spoil, write
from tests.engine.town import HOME

LEAVE = "workflows/leave.yaml"


@pytest.fixture
def folder(tmp_path):
    return clean_folder(tmp_path)


def found(folder) -> list[tuple[str, str, int, int]]:
    return [(one.code, one.file, one.line, one.column) for one in read(folder).faults]


def test_a_library_knows_its_workflows_by_profile(folder):
    library = load(folder)

    assert sorted(library.definitions) == [("leave", "college"), ("record", "college"), ("trip", "college")]
    assert library.record("college").workflow == "record"
    assert library.definition("leave", "college").transitions["grant"].by[0].role == "head"
    assert library.rulebook.rules["ready"].all_of == ("paid", "on-roll")


def test_a_workflow_that_is_not_there_is_answered_with_the_nearest(folder):
    library = load(folder)

    with pytest.raises(Unknown, match="Did you mean 'leave'"):
        library.definition("leaf", "college")
    with pytest.raises(Unknown, match="college"):
        library.record("colege")


def test_seven_different_faults_of_one_file_are_all_reported_where_they_stand(folder):
    spoil(folder, LEAVE, "version: 1", "version: first")
    spoil(folder, LEAVE, "procedure: W-2\n", "procedure: W-2\nprocedure: W-3\n")
    spoil(folder, LEAVE, "kind: return, by: head}\ndead", "kind: retrun, by: head}\ndead")
    spoil(folder, LEAVE, "    by: head\n", "    by: head\n    gaurds: [paid]\n")
    spoil(folder, LEAVE, "  part: {type: choice level, title", "  part: {title")
    spoil(folder, LEAVE, "rounds: 3", "rounds: on")
    spoil(folder, LEAVE, "effective_from: 2024-01-01", "effective_from: 2024")

    faults = read(folder).faults

    assert {(fault.code, fault.excerpt[fault.column - 1 :][:6]) for fault in faults} == {
        ("wrong-value", "first"),
        ("twice", "proced"),
        ("wrong-value", "retrun"),
        ("unknown-key", "gaurds"),
        ("missing-key", "{title"),
        ("syntax", "on"),
        ("wrong-value", "2024"),
        ("wrong-value", "on"),
    }


def test_faults_of_several_files_are_reported_together(folder):
    spoil(folder, LEAVE, "version: 1", "vresion: 1")
    spoil(folder, "rules/conditions.yaml", "holds: fee_owed <= limit", "hold: fee_owed <= limit")
    spoil(folder, "rules/organisation.yaml", "held_at: school", "heldat: school")

    assert {file for _, file, _, _ in found(folder)} == {
        LEAVE,
        "rules/conditions.yaml",
        "rules/organisation.yaml",
    }
    with pytest.raises(DefinitionFaults) as raised:
        load(folder)
    assert "Did you mean 'version'?" in str(raised.value)
    assert "Did you mean 'held_at'?" in str(raised.value)


def test_an_unknown_key_deep_inside_is_answered_with_the_keys_of_that_place(folder):
    spoil(folder, LEAVE, "{against: reopen, slots", "{againts: reopen, slots")

    (fault,) = read(folder).faults

    assert fault.message == "没有这个键 · no key 'againts' here. Did you mean 'against'?"


def test_a_missing_file_is_a_fault_and_not_a_traceback(folder):
    (folder / "rules/vocabulary.yaml").unlink()

    reading = read(folder)

    assert reading.library is None
    assert [fault.file for fault in reading.faults] == ["rules/vocabulary.yaml"]


def test_a_rule_that_stands_in_two_files_is_defined_twice(folder):
    text = (folder / "rules/conditions.yaml").read_text(encoding="utf-8")
    write(folder, "rules/zz.yaml", text[: text.index("on-roll:")])

    assert found(folder) == [("twice", "rules/zz.yaml", 1, 1)]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        pytest.param("  holds: fee_owed <= limit\n", "", "holds", id="a rule without condition"),
        pytest.param("  id: G-1\n", "", "id", id="a rule without id"),
        pytest.param(
            "ready: {all_of: [paid, on-roll]}",
            "ready: {id: G-7, all_of: [paid]}",
            "all_of",
            id="a set with an id",
        ),
    ],
)
def test_a_rule_is_a_whole_condition_or_a_set(folder, old, new, wanted):
    spoil(folder, "rules/conditions.yaml", old, new)

    (fault,) = read(folder).faults

    assert wanted in fault.message


def test_an_engine_rule_has_no_condition(folder):
    spoil(folder, "rules/engine.yaml", "  source: S-1", "  holds: true\n  source: S-1")

    assert found(folder) == [("unknown-key", "rules/engine.yaml", 1, 1)]


def test_a_file_defines_what_it_is_called(folder):
    spoil(folder, LEAVE, "workflow: leave", "workflow: leaf")

    assert found(folder) == [("wrong-value", LEAVE, 1, 11)]


def test_a_quoted_yes_is_no_truth_value(folder):
    spoil(folder, "workflows/record.yaml", "record: true", 'record: "yes"')

    assert found(folder) == [("wrong-value", "workflows/record.yaml", 8, 9)]


def test_the_hash_changes_with_what_is_said_and_not_with_how_it_is_laid_out(folder):
    before = load(folder).definition("trip", "college")
    spoil(folder, "workflows/trip.yaml", "about: [student, case.place]", "about:\n- student\n- case.place")
    spoil(folder, "workflows/trip.yaml", "to: away, by: effect", "to: [away], by: [effect]")
    same = load(folder).definition("trip", "college")
    spoil(folder, "workflows/trip.yaml", "by: clerk", "by: head")
    other = load(folder).definition("trip", "college")

    assert content_hash(before) == content_hash(same)
    assert content_hash(before) != content_hash(other)


def test_a_definition_is_read_back_from_its_canonical_bytes(folder):
    definition = load(folder).definition("leave", "college")

    again = type(definition).model_validate_json(canonical(definition))

    assert again == definition
    assert list(again.transitions) == list(definition.transitions)


def test_the_bytes_shipped_definitions_are_pinned_by_are_those_of_any_other_writer_of_json():
    shipped = load(HOME)

    for one in (shipped.rulebook, *shipped.definitions.values()):
        content = one.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        assert canonical(one) == json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
