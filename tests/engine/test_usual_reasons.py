"""A procedure says what is usually said to whoever gets a case back, by the kind of step."""

from pathlib import Path

import pytest

from engine.checking.examining import examine
from engine.definition import Definition
from engine.differences import differences
from engine.errors import Fault
from engine.library import Library, canonical, content_hash
from engine.loading.folder import load
from tests.engine.loading.folders import clean_folder, spoil

LEAVE = "workflows/leave.yaml"
BACK = "  back: {title: {zh: 退回, en: Send back}, from: asked, to: asked, kind: return, by: head}\n"
PINNED_BEFORE = "182922fb42733bcca672899bca9c48e42affd1173609c9224418fc013ffe8ca8"
PHOTO = "{zh: 照片不是近照，请重新采集后再报, en: The photo is an old one; take it anew and ask again}"
FORM = "{zh: 登记表没有填完，请填完后再报, en: The form is not filled in; complete it and ask again}"
ENDS = "    reopen: {title: {zh: 退回, en: Reopen}, from: closed, to: open, kind: return, by: head}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return clean_folder(tmp_path)


def saying(folder: Path, reasons: str) -> Path:
    """The folder, with usual reasons of its leaves."""
    spoil(folder, LEAVE, "rounds: 3\n", f"rounds: 3\nreasons: {reasons}\n")
    return folder


def leave(library: Library) -> Definition:
    return library.definition("leave", "college")


def shown(fault: Fault) -> str:
    """What stands at the place of a fault."""
    return fault.excerpt[fault.column - 1 :]


def test_a_definition_without_usual_reasons_is_pinned_by_the_hash_it_always_had(folder: Path):
    assert content_hash(leave(load(folder))) == PINNED_BEFORE


def test_usual_reasons_are_part_of_what_a_case_is_pinned_to_and_are_read_back(folder: Path):
    said = leave(load(saying(folder, f"{{return: [{PHOTO}, {FORM}]}}")))

    assert content_hash(said) != PINNED_BEFORE
    assert Definition.model_validate_json(canonical(said)) == said
    assert '"reasons":{"return":[{"zh":"照片不是近照' in canonical(said).decode()


def test_usual_reasons_belong_to_the_steps_of_their_kind_and_to_no_other(folder: Path):
    library = load(saying(folder, f"{{return: [{PHOTO}]}}"))
    definition = leave(library)
    usual = {name: library.usual_reasons(definition, name) for name in definition.transitions}

    assert [one.zh for one in usual["back"]] == ["照片不是近照，请重新采集后再报"]
    assert (usual["ask"], usual["grant"]) == ((), ())


def test_whoever_signs_against_a_list_is_offered_the_reasons_of_the_step_that_a_no_takes(folder: Path):
    spoil(folder, LEAVE, f"  {ENDS}", f"  {ENDS}    reasons: {{return: [{FORM}]}}\n")
    library = load(folder)
    sheet = library.definition("leave.sheet", "college")

    for trigger in ("send", "reopen"):
        assert [one.en for one in library.usual_reasons(sheet, trigger)] == [
            "The form is not filled in; complete it and ask again"
        ]
    assert library.usual_reasons(sheet, "close") == ()


def own(folder: Path, reasons: str, step: str = BACK) -> Path:
    """The folder, with reasons that are said with one step of its leaves alone."""
    spoil(folder, LEAVE, step, step.replace("}\n", f", reasons: {reasons}}}\n"))
    return folder


def test_a_step_with_reasons_of_its_own_is_offered_them_instead_of_those_of_its_kind(folder: Path):
    step = BACK.replace("  back:", "  again:")
    spoil(saying(folder, f"{{return: [{PHOTO}]}}"), LEAVE, BACK, BACK + step)
    library = load(own(folder, f"[{FORM}]", step))

    usual = {name: library.usual_reasons(leave(library), name) for name in ("back", "again")}

    assert [[one.en[:9] for one in usual[name]] for name in ("back", "again")] == [["The photo"], ["The form "]]


def test_a_step_that_says_there_is_no_usual_reason_is_offered_none_of_its_kind(folder: Path):
    step = BACK.replace("  back:", "  again:")
    spoil(saying(folder, f"{{return: [{PHOTO}]}}"), LEAVE, BACK, BACK + step)
    library = load(own(folder, "[]", step))

    assert library.usual_reasons(leave(library), "again") == ()
    assert Definition.model_validate_json(canonical(leave(library))) == leave(library)


def test_whoever_signs_against_a_list_is_offered_the_own_reasons_of_the_step_that_a_no_takes(folder: Path):
    library = load(own(folder, f"[{FORM}]", ENDS[2:]))
    sheet = library.definition("leave.sheet", "college")

    assert [one.en[:8] for one in library.usual_reasons(sheet, "send")] == ["The form"]


@pytest.mark.parametrize("by", ["student", "effect", "timer", "[student, effect]"])
def test_what_officers_say_is_not_put_into_the_mouth_of_a_student_or_of_the_programme(folder: Path, by: str):
    step = BACK.replace("  back:", "  again:")
    spoil(saying(folder, f"{{return: [{PHOTO}]}}"), LEAVE, BACK, BACK + step.replace("by: head", f"by: {by}"))
    library = load(folder)

    assert [len(library.usual_reasons(leave(library), name)) for name in ("back", "again")] == [1, 0]


@pytest.mark.parametrize("by", ["[student, head]", "{role: student, recorded_by: clerk}"])
def test_what_staff_take_or_record_for_a_student_is_offered_the_reasons_of_its_kind(folder: Path, by: str):
    spoil(saying(folder, f"{{return: [{PHOTO}]}}"), LEAVE, BACK, BACK.replace("by: head", f"by: {by}"))
    library = load(folder)

    assert len(library.usual_reasons(leave(library), "back")) == 1


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(BACK.replace("by: head", "by: student"), id="the-student-alone"),
        pytest.param(BACK.replace("by: head", f"by: head, reasons: [{FORM}]"), id="a-step-with-its-own"),
    ],
)
def test_reasons_of_a_kind_that_no_step_offers_are_refused(folder: Path, step: str):
    spoil(saying(folder, f"{{return: [{PHOTO}]}}"), LEAVE, BACK, step)

    faults = examine(folder)[1]

    assert ("nothing-asks", "return: [{zh:") in [(one.code, shown(one)[:13]) for one in faults]


def test_reasons_of_a_kind_stand_where_only_a_no_to_a_signature_takes_such_a_step(folder: Path):
    reopen = ENDS.replace("by: head", "by: timer")
    spoil(folder, LEAVE, f"  {ENDS}", f"  {reopen}    reasons: {{return: [{FORM}]}}\n")

    assert "nothing-asks" not in {fault.code for fault in examine(folder)[1]}


@pytest.mark.parametrize(
    ("reasons", "step", "code", "place"),
    [
        pytest.param(f"[{FORM}]", BACK.replace("head", "student"), "nothing-asks", "reasons", id="a-student-alone"),
        pytest.param(
            f"[{FORM}]", BACK.replace(", kind: return", ""), "nothing-asks", "reasons", id="asks-for-nothing"
        ),
        pytest.param(f"[{PHOTO}, {FORM}, {PHOTO}]", BACK, "twice", "照片不是近照", id="the-same-twice"),
        pytest.param(
            f"[{PHOTO.replace('The photo', f'The cliche{chr(0x301)}')}]", BACK, "wrong-value", "The cliche",
            id="a-character-in-pieces",
        ),
        pytest.param(
            f"[{', '.join(PHOTO.replace('近照', f'近照{n}') for n in range(10))}]", BACK, "wrong-value", "[{zh",
            id="ten-of-them",
        ),
    ],
)  # fmt: skip
def test_own_reasons_nobody_could_choose_or_send_are_refused_where_they_stand(
    folder: Path, reasons: str, step: str, code: str, place: str
):
    if step != BACK:
        spoil(folder, LEAVE, BACK, step)

    faults = [one for one in examine(own(folder, reasons, step))[1] if one.code == code]

    assert faults
    assert shown(faults[0]).startswith(place), str(faults[0])


def test_the_difference_of_two_versions_names_the_own_reasons_of_a_step(folder: Path):
    before = leave(load(own(folder, f"[{PHOTO}]")))
    spoil(folder, LEAVE, PHOTO, FORM)

    (told,) = differences(before, leave(load(folder)))

    assert told.zh.startswith("步骤“退回”的常用理由：新增 登记表没有填完")
    assert told.en.startswith("step 'Send back': usual reasons: added 登记表没有填完")


def test_a_difference_says_that_a_step_is_offered_none_any_more(folder: Path):
    before = leave(load(folder))

    (told,) = differences(before, leave(load(own(folder, "[]"))))

    assert told.zh == "步骤“退回”的常用理由由“—”改为“[]”。"


def test_a_case_of_an_earlier_version_is_offered_the_own_reasons_of_a_step_today(folder: Path):
    before = leave(load(own(folder, f"[{PHOTO}]")))
    spoil(folder, LEAVE, PHOTO, FORM)

    assert [one.en[:8] for one in load(folder).usual_reasons(before, "back")] == ["The form"]


def test_a_case_of_an_earlier_version_is_offered_the_reasons_of_today(folder: Path):
    before = leave(load(folder))
    today = load(saying(folder, f"{{return: [{PHOTO}]}}"))

    assert len(today.usual_reasons(before, "back")) == 1


def test_a_case_of_a_procedure_that_is_no_more_keeps_the_reasons_it_was_opened_with(folder: Path):
    before = leave(load(saying(folder, f"{{return: [{PHOTO}]}}")))
    (folder / LEAVE).unlink()

    assert len(load(folder).usual_reasons(before, "back")) == 1


@pytest.mark.parametrize(
    ("reasons", "code", "place"),
    [
        pytest.param(f"{{reject: [{PHOTO}]}}", "nothing-asks", "reject", id="a-kind-no-step-is-of"),
        pytest.param(f"{{return: [{PHOTO}, {FORM}, {PHOTO}]}}", "twice", "照片不是近照", id="the-same-twice"),
        pytest.param(f"{{retrun: [{PHOTO}]}}", "unknown-key", "retrun", id="a-kind-there-is-not"),
        pytest.param("{return: [{zh: 照片不合格, en: It is no good}]}", "wrong-value", "照片不合格", id="too-short"),
        pytest.param(f"{{return: [{{zh: {'长' * 501}, en: Far too long}}]}}", "wrong-value", "长长", id="too-long"),
        pytest.param(
            '{return: [{zh: "照片不合格         ", en: The photo is no good}]}', "wrong-value", '"照片', id="padded"
        ),
        pytest.param(
            f"{{return: [{', '.join(PHOTO.replace('近照', f'近照{n}') for n in range(10))}]}}", "wrong-value", "[{zh",
            id="ten-of-a-kind",
        ),
        pytest.param(
            f"{{return: [{PHOTO.replace('The photo', f'The cliche{chr(0x301)}')}]}}", "wrong-value", "The cliche",
            id="a-character-in-pieces",
        ),
        pytest.param("{return: [{zh: 照片不是近照，请重新采集后再报}]}", "missing-key", "{zh", id="without-english"),
    ],
)  # fmt: skip
def test_reasons_nobody_could_choose_or_send_are_refused_where_they_stand(
    folder: Path, reasons: str, code: str, place: str
):
    _, faults = examine(saying(folder, reasons))

    assert {fault.code for fault in faults} == {code}, "\n".join(map(str, faults))
    assert shown(faults[0]).startswith(place), str(faults[0])
    assert faults[0].line == 1 + (folder / LEAVE).read_text("utf-8").splitlines().index(f"reasons: {reasons}")


def test_reasons_of_a_list_are_held_against_the_steps_of_the_list(folder: Path):
    spoil(folder, LEAVE, f"  {ENDS}", f"  {ENDS}    reasons: {{withdraw: [{FORM}]}}\n")

    (fault,) = examine(folder)[1]

    assert (fault.code, shown(fault)[:8]) == ("nothing-asks", "withdraw")


def test_the_difference_of_two_versions_names_the_reasons_that_came_and_went(folder: Path):
    before = leave(load(saying(folder, f"{{return: [{PHOTO}]}}")))
    spoil(folder, LEAVE, PHOTO, FORM)

    (told,) = differences(before, leave(load(folder)))

    assert told.zh.startswith("退回的常用理由：新增 登记表没有填完，请填完后再报 / The form is not filled in")
    assert "；去掉 照片不是近照，请重新采集后再报 / The photo is an old one" in told.zh
    assert told.en.startswith("usual reasons of a return: added 登记表没有填完")
    assert "; removed 照片不是近照" in told.en


def test_reasons_in_another_order_are_a_difference_because_their_keys_are_others(folder: Path):
    before = leave(load(saying(folder, f"{{return: [{PHOTO}, {FORM}]}}")))
    spoil(folder, LEAVE, f"{PHOTO}, {FORM}", f"{FORM}, {PHOTO}")

    (told,) = differences(before, leave(load(folder)))

    assert told.zh.startswith("退回的常用理由由“照片不是近照")
