"""Documents as deciding sees them: what is missing, what is not in order any more, what has to be ticked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from engine.documents import (
    asked_by,
    differing_fields,
    empty_fields,
    has,
    hear_file,
    marks,
    missing,
    reviewed,
    same_students,
    ticked,
    unticked,
)
from engine.errors import Unknown
from engine.expressions.kinds import Row
from engine.filing import Filed
from engine.issuing import Issued, issue, made_hash
from engine.library import Library
from engine.records import Json, Outcome, Verdict
from engine.steps import Machine
from engine.store.documents import DocumentRow
from engine.trail.event import EventKind
from engine.vocabulary import Document
from tests.engine.hearings import Known, machine_of
from tests.engine.lab import loan, with_loan
from tests.engine.papers import (
    BY_RULE,
    EVIDENCE,
    LIST,
    MADE,
    NAME,
    PHOTO,
    PHOTO_BY_NUMBER,
    SCAN,
    STATEMENT,
    STRANGE,
    WITHDRAWAL,
    lending_papers,
    with_papers,
)
from tests.engine.town import FIRST

SOUND: Mapping[str, Json] = {
    "kind": "jpeg", "bytes": 5000, "width": 300, "height": 300, "orientation": 1, "stem": f"{FIRST}{NAME}",
}  # fmt: skip
STUDENT = Known({"student_no": FIRST, "name": NAME})


@pytest.fixture(scope="module")
def machine(library: Library) -> Machine:
    return machine_of(with_papers(library), lending_papers())


def uploaded(kind: str, seq: int = 2, **more: object) -> DocumentRow:
    row = DocumentRow(case=7, seq=seq, kind=kind, sha256=f"{seq:064d}", looks=SOUND)
    return row._replace(**more)  # type: ignore[arg-type] # a test's own words


def ids(verdicts: list[Verdict]) -> list[str]:
    return [one.id for one in verdicts]


def test_a_case_has_a_place_for_what_its_steps_its_signatures_and_its_rules_name(machine: Machine):
    assert set(asked_by(machine)) == {
        WITHDRAWAL, PHOTO, PHOTO_BY_NUMBER, LIST, EVIDENCE, SCAN, STATEMENT, MADE, BY_RULE,
    }  # fmt: skip
    assert STRANGE not in asked_by(machine)


def test_a_needed_document_that_is_absent_is_named_by_its_title(machine: Machine):
    found = missing(machine, [WITHDRAWAL, SCAN], [uploaded(SCAN)], STUDENT.see)
    assert ids(found) == ["X-10"]
    title = machine.book.documents[WITHDRAWAL].title
    assert title.zh in found[0].sentence.zh
    assert "材料 T-SCAN" not in found[0].sentence.zh


def test_all_absent_documents_stand_in_one_sentence(machine: Machine):
    [verdict] = missing(machine, [WITHDRAWAL, LIST], [], STUDENT.see)
    assert verdict.sentence.zh.count("、") == 1


def test_a_withdrawn_document_is_absent(machine: Machine):
    row = uploaded(WITHDRAWAL, withdrawn=True)
    assert ids(missing(machine, [WITHDRAWAL], [row], STUDENT.see)) == ["X-10"]
    assert not has([row], WITHDRAWAL)


def test_documents_in_order_leave_nothing_to_say(machine: Machine):
    assert missing(machine, [WITHDRAWAL, MADE], [uploaded(WITHDRAWAL), made()], STUDENT.see) == []


def test_a_file_in_order_when_it_was_handed_in_is_asked_again_of_what_is_known_today(machine: Machine):
    renamed = Known({"student_no": FIRST, "name": "测试·新"})
    assert ids(missing(machine, [WITHDRAWAL], [uploaded(WITHDRAWAL)], renamed.see)) == ["G-WD-04"]


def test_a_file_is_undecided_where_nobody_knows_what_it_is_compared_with(machine: Machine):
    [verdict] = hear_file(machine, WITHDRAWAL, SOUND, Known({"student_no": FIRST}).see).refusing
    assert (verdict.id, verdict.outcome) == ("G-WD-04", Outcome.UNDECIDED)
    assert "姓名" in verdict.sentence.zh


def test_every_rule_is_asked_of_a_file_and_what_it_saw_is_told(machine: Machine):
    heard = hear_file(machine, WITHDRAWAL, {**SOUND, "width": 10, "orientation": 3}, STUDENT.see)
    assert len(heard.said) == 5
    assert sorted(one.id for one in heard.refusing) == ["G-WD-05c", "G-WD-05d"]
    assert heard.seen == {"student_no": FIRST, "name": NAME}


TICKS = {f"{SCAN}.both_sides": True, f"{SCAN}.legible": True}


@pytest.mark.parametrize(
    ("given", "refused_for", "said"),
    [
        (TICKS, [], ""),
        ({}, ["X-22"], "正反面"),
        ({f"{SCAN}.legible": True}, ["X-22"], "正反面"),
        ({**TICKS, f"{SCAN}.legible": False}, ["X-24"], "清晰"),
        ({f"{SCAN}.legible": False}, ["X-22", "X-24"], "正反面"),
    ],
)
def test_every_tick_of_a_reviewed_document_is_given_and_with_yes(
    machine: Machine, given: Mapping[str, bool], refused_for: list[str], said: str
):
    found = unticked(machine, [SCAN], [uploaded(SCAN)], given)
    assert ids(found) == refused_for
    assert not found or said in found[0].sentence.zh


def test_a_document_that_is_not_on_the_case_has_nothing_to_tick(machine: Machine):
    assert unticked(machine, [SCAN, STATEMENT], [], {}) == []
    assert unticked(machine, [SCAN, STATEMENT], [], TICKS) == []
    assert ticked(machine, [SCAN, STATEMENT], []) == {}


def test_a_tick_nobody_asks_for_is_a_mistake(machine: Machine):
    with pytest.raises(Unknown, match=f"{SCAN}.legible"):
        unticked(machine, [SCAN], [uploaded(SCAN)], {f"{SCAN}.legibel": True})


def test_a_reviewing_step_tells_its_ticks_and_a_document_without_any_by_itself(machine: Machine):
    told = ticked(machine, [SCAN, LIST], [uploaded(SCAN), uploaded(LIST, 3)])
    assert told == {**TICKS, LIST: True}
    assert marks(told) == {SCAN: {"both_sides": True, "legible": True}, LIST: {}}


def test_a_document_is_reviewed_once_every_file_of_it_is_and_a_new_one_starts_anew():
    looked_at = uploaded(SCAN, ticks={"legible": True})
    assert not reviewed([], SCAN)
    assert reviewed([looked_at], SCAN)
    assert reviewed([uploaded(WITHDRAWAL, ticks={})], WITHDRAWAL)
    assert not reviewed([looked_at, uploaded(SCAN, 3)], SCAN)
    assert reviewed([looked_at, uploaded(SCAN, 3, withdrawn=True)], SCAN)


PEOPLE: list[Row] = [
    {"student_no": "22001", "id_number": "610103200001010018", "name": "甲"},
    {"student_no": "22002", "id_number": "610103200002020025", "name": "乙·丙"},
]


@pytest.mark.parametrize(
    ("lists", "is_same"),
    [
        pytest.param([["22001", "22002"]], True, id="by student number"),
        pytest.param([["22002", "22001"]], True, id="in another order"),
        pytest.param([["610103200001010018", "610103200002020025"], ["22001", "22002"]], True, id="pictures and sheet"),
        pytest.param([["22001甲", "22002乙·丙"]], True, id="by number and name"),
        pytest.param([["22001"]], False, id="one missing"),
        pytest.param([["22001", "22002", "22003"]], False, id="one too many"),
        pytest.param([["22001", "22001", "22002"]], False, id="one twice"),
        pytest.param([["22001", "610103200002020025"]], False, id="two kinds of number mixed"),
        pytest.param([["22001", "22002"], ["22001"]], False, id="the sheet lacks one"),
        pytest.param([], None, id="it names nobody"),
    ],
)
def test_a_list_names_the_same_students_if_it_names_each_once_and_nobody_else(
    lists: list[list[str]],
    is_same: bool | None,  # noqa: FBT001 a parameter of the test, given by name
):
    row = uploaded(LIST, looks={**SOUND, "listed": lists})
    assert same_students([row], LIST, PEOPLE) is is_same


def test_a_list_that_is_not_there_names_nobody():
    assert same_students([], LIST, PEOPLE) is False


# --- forms --------------------------------------------------------------------------------------

CERTIFIED: Row = {"student_no": FIRST, "name": NAME, "level": "专科", "certificate_no": None}


def made(row: Row = CERTIFIED) -> DocumentRow:
    content: dict[str, Json] = {"columns": list(row), "rows": [[str(one) if one else None for one in row.values()]]}
    return Issued(kind=MADE, made=content, sha256=made_hash(content)).row(7, 3)


def test_the_empty_fields_of_a_form_are_named_by_title(machine: Machine):
    assert empty_fields(machine, MADE, CERTIFIED) == ({"name": machine.readers.titles["certificate_no"].zh},)
    assert empty_fields(machine, MADE, {**CERTIFIED, "certificate_no": "1"}) == ()


def test_the_differing_fields_of_a_form_say_what_it_has_and_what_is_known_now(machine: Machine):
    now: dict[str, Json] = {"student_no": FIRST, "name": "新名", "level": "专科"}
    assert differing_fields(machine, [made()], MADE, now) == ({"name": "姓名", "expected": "新名", "found": NAME},)
    assert differing_fields(machine, [made()], MADE, {**now, "name": NAME}) == ()
    assert differing_fields(machine, [], MADE, now) == ()


def listing(library: Library, **document: object) -> Machine:
    """A list of records that makes one form."""
    definition = loan({}, members={"of": "diploma-registration"}, about=["site"])
    more = with_loan(library, definition)
    form = Document.model_validate({"title": {"zh": "名单", "en": "List"}, "made_from": "members", **document})
    book = more.rulebook.model_copy(update={"documents": {**more.rulebook.documents, "T-FORM": form}})
    return machine_of(replace(more, rulebook=book), definition)


MEMBERS: list[Row] = [
    {"student_no": "3", "name": "丙", "state": "applied", "born_on": date(2000, 1, 3), "cohort": 2022},
    {"student_no": "1", "name": "甲", "state": "enrolled", "born_on": None, "cohort": 2021},
    {"student_no": "2", "name": "乙", "state": "applied", "born_on": date(2000, 1, 2), "cohort": None},
]


def test_a_form_has_the_rows_that_fulfil_its_condition_in_its_order(library: Library):
    machine = listing(
        library, columns=["student_no", "name", "born_on"], rows="it.state == 'applied'", sort="student_no"
    )
    form = issue(machine, "T-FORM", MEMBERS, Known().see)
    assert isinstance(form, Issued)
    assert form.made == {
        "columns": ["student_no", "name", "born_on"],
        "rows": [["2", "乙", "2000-01-02"], ["3", "丙", "2000-01-03"]],
    }
    assert form.sha256 == made_hash(form.made)
    assert form.row(7, 4) == DocumentRow(7, 4, "T-FORM", None, {"sha256": form.sha256}, made=form.made)


def test_a_form_without_condition_has_all_rows_a_missing_value_comes_last_and_a_last_row_ends_it(library: Library):
    machine = listing(library, columns=["student_no", "cohort"], sort=["cohort"], last_row="/记录行结束/")
    form = issue(machine, "T-FORM", MEMBERS, Known().see)
    assert isinstance(form, Issued)
    assert form.made["rows"] == [["1", 2021], ["3", 2022], ["2", None], ["/记录行结束/", None]]


def test_a_form_is_sorted_by_its_first_column_first(library: Library):
    machine = listing(library, columns=["student_no"], sort=["state", "student_no"])
    form = issue(machine, "T-FORM", MEMBERS, Known().see)
    assert isinstance(form, Issued)
    assert form.made["rows"] == [["2"], ["3"], ["1"]]


def test_a_form_may_compare_its_rows_with_the_case(library: Library):
    machine = listing(library, columns=["student_no"], rows="it.unit == case.unit")
    rows: list[Row] = [{"student_no": "1", "unit": "S1"}, {"student_no": "2", "unit": "S2"}]
    form = issue(machine, "T-FORM", rows, Known({"case.unit": "S2"}).see)
    assert isinstance(form, Issued)
    assert form.made["rows"] == [["2"]]


def test_a_form_is_not_made_while_it_is_undecided_who_belongs_on_it(library: Library):
    machine = listing(library, columns=["student_no"], rows="it.cohort == 2022")
    verdict = issue(machine, "T-FORM", MEMBERS, Known().see)
    assert isinstance(verdict, Verdict)
    assert verdict.id == "X-28"
    assert "名单" in verdict.sentence.zh


def test_the_same_rows_make_the_same_hash_and_another_value_another(library: Library):
    machine = listing(library, columns=["student_no", "name"], sort="student_no")
    forms = [issue(machine, "T-FORM", rows, Known().see) for rows in (MEMBERS, MEMBERS[::-1], MEMBERS[1:])]
    hashes = [form.sha256 for form in forms if isinstance(form, Issued)]
    assert hashes[0] == hashes[1] != hashes[2]


# --- the fold -----------------------------------------------------------------------------------


def test_events_add_up_to_documents_with_ticks_forms_and_what_was_withdrawn():
    form = made()
    filed = Filed()
    told: list[tuple[EventKind, Mapping[str, Json]]] = [
        (EventKind.EVIDENCE_ADDED, {"document": SCAN, "file": {"sha256": "a", "kind": "jpeg"}}),
        (EventKind.EVIDENCE_ADDED, {"document": SCAN, "file": {"sha256": "b", "kind": "pdf"}}),
        (EventKind.REFUSED, {"document": SCAN, "ticks": {f"{SCAN}.legible": True}}),
        (EventKind.EVIDENCE_WITHDRAWN, {"document": SCAN, "added": 2}),
        (EventKind.MOVED, {"ticks": TICKS, "documents": {MADE: form.looks["sha256"]}}),
        (EventKind.EVIDENCE_ADDED, {"document": SCAN, "file": {"sha256": "c", "kind": "png"}}),
        (EventKind.MOVED, {}),
    ]
    for seq, (kind, data) in enumerate(told, start=1):
        filed.apply(kind, seq, data)
    both = {"both_sides": True, "legible": True}
    kept = [
        DocumentRow(7, 1, SCAN, "a", {"kind": "jpeg", "stem": "一"}, ticks=both),
        DocumentRow(7, 2, SCAN, "b", {"kind": "pdf"}, withdrawn=True),
        form._replace(seq=5),
        DocumentRow(7, 6, SCAN, "c", {"kind": "png"}),
    ]
    assert filed.differences(kept) == []
    assert filed.differences(kept[1:]) == [f"document {SCAN} #1"]
    assert filed.differences([*kept, kept[0]]) == ["document kept twice"]
    assert filed.differences([kept[0]._replace(ticks=None), *kept[1:]]) == [f"document {SCAN} #1"]
    altered = form._replace(seq=5, made={"columns": [], "rows": []})
    assert filed.differences([*kept[:2], altered, kept[3]]) == [f"document {MADE} #5"]
    filed.reveal(1, {"file.stem": "二"})
    assert filed.differences(kept) == [f"document {SCAN} #1"]
