"""A step that sets what its people may not write (`written_by`) is a fault, placed where it is set."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.checking.examining import examine
from tests.engine.checking.test_codes import BACK, DAYS, GO, LEAVE, VOCABULARY, shown
from tests.engine.loading.folders import clean_folder, spoil

NOBODYS, CLERKS = "privacy: personal, title: {zh: 姓名", "privacy: personal, written_by: [clerk], title: {zh: 姓名"


@pytest.mark.parametrize(
    ("takers", "fact", "faults"),
    [
        ("by: head", "student.name", 1),
        ("by: clerk", "student.name", 0),
        ("by: [clerk, head]", "student.name", 1),
        ("by: {role: clerk, recorded_by: teacher}", "student.name", 0),
        ("sign: {slots: {one: {role: head}, two: {role: clerk}}}", "student.name", 0),
        ("sign: {slots: {one: {role: head}, two: {role: teacher}}}", "student.name", 1),
        ("kind: reject, by: head", "student.name", 0),
        ("by: head", "student.born_on", 0),
    ],
)
def test_a_step_sets_a_fact_only_where_everybody_who_takes_it_may_write_it(
    tmp_path: Path, takers: str, fact: str, faults: int
):
    spoil(clean_folder(tmp_path), VOCABULARY, NOBODYS, CLERKS)
    mark = f"  mark: {GO}from: asked, {takers}, set: {{{fact}: null}}}}\n"
    spoil(tmp_path, LEAVE, BACK, BACK + mark)

    found = [shown(fault) for fault in examine(tmp_path)[1] if fault.code == "not-a-writer"]
    assert (len(found), found[:1] == [] or found[0].startswith("student.name")) == (faults, True)


def test_a_fact_that_a_field_chooses_is_written_by_those_who_may_write_every_one_it_can_choose(tmp_path: Path):
    spoil(clean_folder(tmp_path), VOCABULARY, NOBODYS, CLERKS)
    item = "  item: {name: {zh: 姓名, en: Name}, born_on: {zh: 出生日期, en: Date of birth}}\nstudent:\n"
    spoil(tmp_path, VOCABULARY, "student:\n", item)
    spoil(tmp_path, LEAVE, DAYS, DAYS + "  item: {type: choice item, title: {zh: 更正项, en: Item}}\n")
    mark = f'  mark: {GO}from: asked, by: head, asks: [item], set: {{"student[case.item]": null}}}}\n'
    spoil(tmp_path, LEAVE, BACK, BACK + mark)

    [fault] = [one for one in examine(tmp_path)[1] if one.code == "not-a-writer"]
    assert "'name' is written by clerk" in fault.message
