"""Small edits of definitions in order, each with the fault it must bring out and the story that shows it."""

from pathlib import Path

import pytest

from engine.analysis.configurations import Space
from engine.analysis.examining import examine
from engine.analysis.proofs import too_large
from engine.analysis.walking import walk
from engine.checking.subjects import Subject
from engine.loading.folder import load
from tests.engine.analysis.defects import (
    DEFECTS,
    FLAGGED,
    LEAVE,
    LEAVES,
    MARK,
    ONLY_RECORD,
    RECORD,
    WITHOUT_STORY,
    state,
    step,
    steps,
)
from tests.engine.loading.folders import clean_folder, spoil

PAGE = Path(__file__).parents[3] / "docs/definitions.md"


def test_the_folder_in_order_shows_nothing(tmp_path):
    found = examine(clean_folder(tmp_path))

    assert found.told == ()
    assert found.library is not None
    assert 10 < found.configurations < 100


def test_there_are_enough_defects():
    assert len(DEFECTS) >= 40


@pytest.mark.parametrize("name", DEFECTS)
def test_a_seeded_defect_is_found_with_its_story(tmp_path, name):
    code, edits, place = DEFECTS[name]
    clean_folder(tmp_path)
    for edit in edits:
        spoil(tmp_path, *edit)

    told = examine(tmp_path).told

    found = [(fault, story) for fault, story in told if fault.code == code]
    assert found, "\n".join(str(fault) for fault, _ in told)
    assert any(fault.excerpt[fault.column - 1 :].startswith(place) for fault, _ in found), str(found[0][0])
    for _, story in found if name not in WITHOUT_STORY else ():
        assert story[0].startswith("1. "), story
        assert all(" · " in line for line in story)


def test_the_shortest_story_is_told_in_both_languages(tmp_path):
    clean_folder(tmp_path)
    for edit in DEFECTS["a-mark-that-closes-every-way"][1]:
        spoil(tmp_path, *edit)

    ((fault, story),) = examine(tmp_path).told

    assert fault.code == "stuck"
    assert story == (
        "1. 经办“申请” → 已申请 · Clerk: Ask → Asked",
        "2. 主任“退回” → 已申请 · Head: Send back → Asked",
        "3. 主任“退回” → 已申请 · Head: Send back → Asked",
        "4. 主任“退回” → 已申请 · Head: Send back → Asked",
        "5. 经办“办理” → 已申请 · Clerk: Go → Asked",
        "之后无人能办。 · After that nobody can do anything.",
    )
    assert "\n".join((str(fault), *(f"    {line}" for line in story))) in PAGE.read_text(encoding="utf-8")


def test_a_case_and_the_one_it_is_linked_to_are_told_apart_in_a_story(tmp_path):
    spoil(clean_folder(tmp_path), *ONLY_RECORD)

    ((fault, story),) = examine(tmp_path).told

    assert (fault.code, fault.file) == ("stuck", LEAVE)
    assert story[0] == "1. 学籍：经办“建立” → 在籍 · Record: Clerk: Open → Enrolled"
    assert story[-1].startswith("关联案件处于“离校”")


def test_nobody_waits_in_vain_where_leaving_cancels_what_is_open(tmp_path):
    spoil(clean_folder(tmp_path), *ONLY_RECORD)
    spoil(tmp_path, RECORD, LEAVES, LEAVES[:-1] + ", then: [{cancel: open_cases}]}")

    assert examine(tmp_path).told == ()


def test_a_rest_is_no_dead_end(tmp_path):
    clean_folder(tmp_path)
    for edit in (FLAGGED, steps(MARK, step("rest", "from: asked, to: resting, by: head"),
                                step("wake", "from: resting, to: asked, kind: return, by: head"))):  # fmt: skip
        spoil(tmp_path, *edit)
    spoil(tmp_path, *state("resting", ", rests: true"))

    assert examine(tmp_path).told == ()


def test_a_folder_that_cannot_be_read_is_not_walked(tmp_path):
    spoil(clean_folder(tmp_path), LEAVE, "    from: asked\n    to: granted\n", "    from: asked\n    to: grantd\n")

    assert {fault.code for fault, _ in examine(tmp_path).told} == {"unknown-state", "unreachable", "no-way-out"}


def test_walking_that_was_given_up_says_so(tmp_path):
    library = load(clean_folder(tmp_path))
    subject = Subject(library=library, definition=library.definitions["leave", "college"])

    (complaint,) = too_large(walk(Space(subject=subject), most=2))

    assert (complaint.finding.code, complaint.finding.is_warning) == ("too-large", True)
    assert not list(too_large(walk(Space(subject=subject))))
