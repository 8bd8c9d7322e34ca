"""The forms of a list on paper: every page says which list and draft it is of."""

from datetime import UTC, datetime

import pytest

from engine.definition import Bilingual
from exchange.list_forms import PrintedForm, Sheet, SignHere, forms_pdf, marking

AT = datetime(2024, 5, 15, 9, 31, tzinfo=UTC)


def sheet(rows: int, sha256: str = "ab" * 32) -> Sheet:
    title = Bilingual(zh="不办理毕业学生情况说明", en="Statement")
    lines = tuple((f"20180300{number:04d}", '白"玲<云#[x]') for number in range(rows))
    return Sheet(
        unit="第1分校第4教学点", list=Bilingual(zh="毕业名单", en="Lists"), batch="2024届6月毕业", number="FBKR13TR",
        draft=2, sha256=sha256, is_rehearsal=True, by="林芳",
        forms=(PrintedForm(kind="F-04", title=title, columns=("学号", "姓名"), rows=lines, sha256="cd" * 32),),
        signs=(SignHere(role=Bilingual(zh="经办人", en="Handler"), seal=None),
               SignHere(role=Bilingual(zh="印章保管人", en="Keeper"), seal="公章")),
    )  # fmt: skip


@pytest.mark.parametrize("rows", [0, 1, 90])
def test_a_form_of_any_length_is_set_and_the_same_twice(rows: int):
    made = forms_pdf(sheet(rows), AT)
    assert made.startswith(b"%PDF")
    assert made == forms_pdf(sheet(rows), AT)


def test_what_is_scanned_names_the_list_the_draft_and_the_whole_fingerprint():
    assert marking(sheet(1)) == f"XUEJI FBKR13TR 2 {'ab' * 32}"


def test_a_form_made_before_any_draft_is_set_without_a_fingerprint():
    assert forms_pdf(sheet(1, sha256=""), AT).startswith(b"%PDF")
