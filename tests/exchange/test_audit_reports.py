"""The audit report: every figure reaches paper and workbook, data never becomes markup or a formula."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from PIL import Image

from engine.auditing.findings import CODES
from engine.auditing.found import Finding, Limits, Place
from engine.auditing.papers import Drawn, Paper
from engine.auditing.summary import Funnel, Line, Read, Summary, Tally, Trail
from engine.definition import Bilingual
from engine.records import Sentence, case_number
from exchange import typesetting
from exchange.audit_reports import document_of, qr_code, report_pdf, report_pictures
from exchange.audit_workbooks import report_workbook
from exchange.typesetting import CannotTypeset

AT = datetime(2024, 7, 1, 2, tzinfo=UTC)
SAID = "2024-05-14T01:30:00.000000Z"
NOTE = "xueji/test\n1610\na3bkRYRUPDhgYZGpQ1CwdlLuwfKTLwacYP26ezy9k2I=\n\n— xueji/test HVOPxwYx5CEjIXfdU1f3NyYio=\n"
LIMITS = Limits()
HOSTILE = ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", '#panic("x")', "]*_`$#", "<b>&amp;")


def dashed(chain: int) -> str:
    number = case_number(chain)
    return f"{number[:4]}-{number[4:]}"


def word(text: str) -> Bilingual:
    return Bilingual(zh=text, en=text)


def finding(code: str, number: int) -> Finding:
    places = tuple(Place(chain, (2, 3)) for chain in range(number, number + 30))
    said = Sentence(zh=f"甲办理 {number} 件", en=f"somebody decided {number}")
    return Finding(code=code, people=("wang",), at=SAID, places=places, said=said)


TOLD = {
    "strata": {"S1": [20, 3]}, "cases": ["K7Q2M4XA", "AAAAAAA1", "AAAAAAA2"], "population": 20, "seed": "2024",
    "algorithm": "sha256(seed:case)/1", "confidence": "95", "error": "5",
}  # fmt: skip
FULL = Summary(
    batch="2024-06",
    title="2024届6月毕业",
    at=AT,
    auditor="shen",
    units=("示范大学",),
    funnels=(
        Funnel(
            "one", word("学历注册"), (word("已申请"), word("已注册")),
            (Line("S1", "一点", (1, 19)), Line("S2", "二点", (0, 7))),
        ),
        Funnel(
            "many", word("长流程"), tuple(word(f"状态名称之{one}") for one in range(11)),
            (Line("S1", "第一分校第一教学点", (123,) * 11), Line("S2", "二", (0,) * 11)),
        ),
    ),
    refusals=(Tally("G-GR-07", word("学费已缴清"), "", 5, 4),),
    returns=(Tally("site_return", word("退回修改"), "学历注册", 3, 2),),
    late=(Tally("D-06", word("报送照片包"), "毕业名单", 12, 12),),
    findings=tuple(finding(code, one * 40 + 1) for code in CODES for one in range(17)),
    sample=Drawn(228, SAID, "shen", "SX", TOLD),
    read=(Read("S1", "一点", 20, 3, 1, 1, 0),),
    exceptions=(Paper(7, 4, SAID, "shen", "SX", "2024-06", "exception", "一段不出现在报告里的文字"),),
    trail=Trail(1700, 1187, "xueji/test", 1610, SAID, NOTE),
)  # fmt: skip
EMPTY = replace(
    FULL, funnels=(), refusals=(), returns=(), late=(), findings=(), sample=None, read=(), exceptions=(),
    trail=Trail(3, 0, "xueji/test", None, None, None),
)  # fmt: skip


def hostile(text: str) -> Summary:
    return replace(
        FULL, title=text, auditor=text, units=(text,), batch=text,
        refusals=(Tally(text, word(text), text, 1, 1),),
        findings=(replace(finding("too-fast", 1), people=(text,), said=Sentence(zh=text, en=text)),),
    )  # fmt: skip


@pytest.mark.parametrize("summary", [FULL, EMPTY], ids=["full", "empty"])
def test_the_report_is_a_pdf_and_the_same_again_for_the_same_figures(summary: Summary):
    made = report_pdf(summary, LIMITS)
    assert made.startswith(b"%PDF-")
    assert made == report_pdf(summary, LIMITS)


def test_pages_are_a4_upright():
    first, *_ = report_pictures(EMPTY, LIMITS)
    width, height = Image.open(BytesIO(first)).size
    assert height / width == pytest.approx(297 / 210, abs=0.002)


@pytest.mark.parametrize("text", HOSTILE)
def test_data_never_becomes_markup(text: str):
    assert report_pdf(hostile(text), LIMITS).startswith(b"%PDF-")


def test_a_font_that_is_not_there_is_an_error_and_not_a_page_of_boxes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(typesetting, "_FONTS", "exchange")
    with pytest.raises(CannotTypeset, match="unknown font family: noto sans cjk sc"):
        report_pdf(EMPTY, LIMITS)


def test_a_template_that_cannot_be_set_says_so():
    with pytest.raises(CannotTypeset, match=r"audit_report\.typ"):
        typesetting.typeset("audit_report.typ", {}, AT)


def test_paper_says_of_every_code_how_many_and_the_first_of_them_and_where():
    codes: Any = document_of(FULL, LIMITS)["codes"]
    assert [one["code"] for one in codes] == list(CODES)
    assert {(one["times"], len(one["found"]), one["left"]) for one in codes} == {(17, 15, 2)}
    assert codes[0]["found"][0]["places"].startswith(f"{dashed(1)} #2 #3、{dashed(2)} #2 #3、")
    assert codes[0]["found"][0]["places"].endswith("… +18")
    assert codes[0]["cases"] == len({chain for one in range(17) for chain in range(one * 40 + 1, one * 40 + 31)})


def test_the_signed_head_stands_on_paper_as_text_and_as_a_code_and_unsealed_is_said():
    sealed, unsealed = document_of(FULL, LIMITS), document_of(EMPTY, LIMITS)
    assert (sealed["note"], sealed["qr"]) == (NOTE, qr_code(NOTE))
    assert qr_code(NOTE) != qr_code(NOTE.replace("1610", "1611"))
    assert (unsealed["note"], unsealed["qr"]) == (None, None)
    assert "not sealed yet" in str(unsealed["trail"])
    assert "尚未封存" in str(unsealed["seal"])


def test_the_sample_says_how_it_was_drawn_and_what_is_unread():
    told: Any = document_of(FULL, LIMITS)
    assert "抽取 3 / 20 件，置信度 95%，可容忍误差 5%；种子 2024" in told["sample"]["zh"]
    assert "event 228 of the registry" in told["sample"]["en"]
    assert [one["unread"] for one in told["read"]] == [1]
    assert told["read-total"] == [20, 3, 1, 1, 0, 1]


def test_no_text_of_a_note_is_in_the_report():
    assert "不出现" not in str(document_of(FULL, LIMITS))
    book = load_workbook(BytesIO(report_workbook(FULL, LIMITS)))
    assert "不出现" not in str([[cell.value for row in sheet for cell in row] for sheet in book])


def test_the_workbook_has_every_finding_with_all_of_its_cases():
    book = load_workbook(BytesIO(report_workbook(FULL, LIMITS)))
    assert book.sheetnames == ["概况", "进度", "未通过", "退回", "逾期", "发现", "抽样", "抽取的办件", "有问题"]
    rows = list(book["发现"].iter_rows(min_row=2, values_only=True))
    assert len(rows) == 17 * len(CODES)
    assert rows[0][:4] == ("办理快于阅读", "too-fast", "wang", "2024-05-14 09:30:00")
    assert str(rows[0][7]).count("#2 #3") == 30
    assert list(book["进度"].iter_rows(min_row=2, max_row=3, values_only=True)) == [
        ("学历注册", "S1", "一点", "已申请", 1), ("学历注册", "S1", "一点", "已注册", 19),
    ]  # fmt: skip
    assert ("S1", "一点", 20, 3, 1, 1, 0) in list(book["抽样"].iter_rows(values_only=True))


def test_two_people_of_one_name_are_told_apart_in_the_workbook():
    found = tuple(replace(finding("too-fast", 1), people=(one,)) for one in ("wang.s1", "wang.s2"))
    summary = replace(FULL, findings=found, names={"wang.s1": "王敏", "wang.s2": "王敏"})

    rows = load_workbook(BytesIO(report_workbook(summary, LIMITS)))["发现"].iter_rows(min_row=2, values_only=True)

    assert [row[2] for row in rows] == ["王敏（wang.s1）", "王敏（wang.s2）"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text_in_the_workbook_whatever_it_begins_with(text: str):
    book = load_workbook(BytesIO(report_workbook(hostile(text), LIMITS)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == text]
    assert len(cells) >= 8
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.quotePrefix for cell in cells} == {text[0] in "=+-@"}
