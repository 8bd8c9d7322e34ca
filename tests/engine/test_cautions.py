"""Cautions: each rests on something the trail tells; none on how a name looks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cautions import TITLES, UNIT, Decision, Looked, Mark, cautions, marked, read_marks, written_marks
from engine.definition import Bilingual
from engine.records import Case, Head, Json
from engine.vocabulary import Fact

AT = datetime(2024, 5, 15, 9, tzinfo=UTC)
BEFORE, AFTER = "2024-05-10T00:00:00.000000Z", "2024-05-14T00:00:00.000000Z"
FACTS = {
    "name": Fact(type="text", title=Bilingual(zh="姓名", en="Name"), caution="corrected"),
    "photo": Fact(type="yes_no", title=Bilingual(zh="照片", en="Photo"), caution="retaken"),
    "fee": Fact(type="money", title=Bilingual(zh="欠费", en="Fees")),
}


def looked(marks: Mapping[str, Mark] | None = None, **more: object) -> Looked:
    """A case at its first filing, applied for between BEFORE and AFTER, about to be judged by the fee."""
    back = int(str(more.get("sent_back", 0)))
    case = Case(1, "loan", "s", 1, "S1", "/S1/", "asked", 1, Head(), {}, {}, 0, BEFORE, BEFORE, sent_back=back)
    decision = more.get("decision", Decision("2024-05-12T00:00:00.000000Z"))
    assert isinstance(decision, Decision)
    return Looked(
        case=case, decision=decision, marks=marks or {}, reads=("fee",), is_late=more.get("is_late") is True, at=AT
    )  # fmt: skip


def ids(one: Looked) -> list[str]:
    return [caution.id for caution in cautions(one, FACTS)]


def test_a_case_filed_once_of_which_nothing_was_changed_needs_no_look():
    assert ids(looked()) == []


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({"fee": Mark(3, AFTER, by_hand=False, replaced=True)}, ["changed-since.fee"]),
        ({"fee": Mark(3, BEFORE, by_hand=False, replaced=True)}, []),
        ({"fee": Mark(3, AFTER, by_hand=True, replaced=True)}, ["by-hand.fee"]),
        ({"photo": Mark(3, BEFORE, by_hand=False, replaced=True)}, ["retaken.photo"]),
        ({"name": Mark(3, BEFORE, by_hand=False, replaced=True)}, ["corrected.name"]),
        ({"name": Mark(3, AFTER, by_hand=True, replaced=False)}, []),
        ({UNIT: Mark(3, AFTER, by_hand=False, replaced=True)}, ["transferred"]),
        ({UNIT: Mark(3, "2023-05-14T00:00:00.000000Z", by_hand=False, replaced=True)}, []),
        ({"unheard": Mark(3, AFTER, by_hand=True, replaced=True)}, []),
    ],
)
def test_what_was_changed_is_to_be_looked_at_if_this_step_reads_it_or_it_says_who_somebody_is(
    marks: dict[str, Mark], expected: list[str]
):
    assert ids(looked(marks)) == expected


def test_the_case_itself_warns_that_it_came_back_of_delegates_and_of_lateness_in_the_order_they_are_specified():
    delegated = Decision(BEFORE, giver="zhou", late=True)
    marks = {"fee": Mark(3, AFTER, by_hand=False, replaced=True)}
    found = cautions(looked(marks, sent_back=2, decision=delegated), FACTS)
    assert [one.id for one in found] == ["sent-back", "changed-since.fee", "by-delegate", "late"]
    assert [one.title.zh.format(**one.values) for one in found][:2] == ["第 3 次报送", "欠费在上次决定后改过"]
    assert (found[1].fact, found[1].seq, found[2].values) == ("fee", 3, {"giver": "zhou"})
    assert ids(looked(is_late=True)) == ["late"]


def test_every_caution_has_a_text_in_both_languages_with_the_same_words_left_open():
    for title in TITLES.values():
        assert {*_open(title.zh)} == {one.removesuffix("_en") for one in _open(title.en)}


def _open(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]


def test_a_value_that_is_written_for_the_first_time_by_an_import_leaves_no_mark():
    assert marked({}, {"fee": (None, "1.00")}, (2, AFTER), by_hand=False) == {}
    assert marked({}, {"fee": ("2.00", "1.00")}, (2, AFTER), by_hand=False) == {
        "fee": Mark(2, AFTER, by_hand=False, replaced=True)
    }
    assert marked({}, {"fee": (None, "1.00")}, (2, AFTER), by_hand=True) == {
        "fee": Mark(2, AFTER, by_hand=True, replaced=False)
    }


def test_a_value_once_replaced_stays_so_though_it_was_empty_meanwhile():
    emptied = marked({}, {"fee": ("2.00", None)}, (2, BEFORE), by_hand=False)
    assert marked(emptied, {"fee": (None, "1.00")}, (3, AFTER), by_hand=False)["fee"].replaced


VALUES = st.none() | st.booleans() | st.text(max_size=3)
CHANGES = st.lists(st.tuples(st.sampled_from(["a", "b", UNIT]), VALUES, VALUES, st.booleans()), max_size=6)


@given(CHANGES)
def test_marks_are_read_back_as_they_were_written(changes: list[tuple[str, Json, Json, bool]]):
    marks: Mapping[str, Mark] = {}
    for seq, (name, old, new, by_hand) in enumerate(changes):
        at = (AT + timedelta(days=seq)).isoformat()
        marks = marked(marks, {name: (old, new)}, (seq, at), by_hand=by_hand)
    assert read_marks(written_marks(marks)) == marks
