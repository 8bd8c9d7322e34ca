"""Importing a sheet without JavaScript, in as few clicks as promised; axe on each page in both languages."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from console.demo import school
from exchange.fact_sheets import FACT_COLUMNS
from exchange.templates import write_sheet
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, WIDE, Visiting
from tests.web.browser.hands import Hand
from tests.web.conftest import Site

MOST_CLICKS = 8
"""Of whoever imports payments with three bad cells (console.md, 2)."""


def sheet(site: Site, file: Path, *fees: str) -> Path:
    """A sheet of payments of the first students."""
    with site.house.desks.borrowed() as office:
        found = office.desk.connection.execute("SELECT student_no FROM student ORDER BY student_no").fetchall()
    rows = [{"student_no": number, "fee_owed": fee} for (number,), fee in zip(found, fees, strict=False)]
    write_sheet(file, [one for one in FACT_COLUMNS if one.key in rows[0]], rows)
    return file


def send(hand: Hand, file: Path) -> None:
    """Choose a file and send it: two clicks. The page refreshes by itself until the sheet is checked."""
    hand.choose("选文件", file)
    hand.press("button", "上传并检查")
    expect(hand.page.get_by_text("正在检查")).to_have_count(0, timeout=20_000)


def test_payments_with_three_bad_cells_are_mended_and_taken_in_without_a_script(
    site: Site, visiting: Visiting, tmp_path: Path
):
    page = visiting(site, school.HEAD, script=False)
    hand = Hand(page)
    page.goto("/files")
    hand.press("link", "缴费")
    send(hand, sheet(site, tmp_path / "缴费.xlsx", "1,26O.00", "-1", "x", "12.00"))
    expect(page.get_by_text("还有 3 处错误，改好再传；一处有错，整份不导入")).to_be_visible()
    expect(page.get_by_role("link", name="继续导入")).to_have_attribute("aria-disabled", "true")
    with page.expect_download() as marked:
        hand.press("link", "下载标好错的原表")
    assert marked.value.suggested_filename == "已标注-缴费.xlsx"
    hand.press("link", "换一个文件")
    send(hand, sheet(site, tmp_path / "缴费-2.xlsx", "1260.00", "1.00", "2.00", "12.00"))
    expect(page.get_by_role("heading", name="导入以后")).to_be_visible()
    hand.press("button", "导入 4 行")
    expect(page.get_by_text("已导入：改动 4 人，不变 0 人。")).to_be_visible(timeout=20_000)
    assert hand.clicks <= MOST_CLICKS


@pytest.mark.heavy  # test_every_page.py looks at each page, here at what they turn into
def test_nothing_is_in_anybodys_way_in_either_language(site: Site, visiting: Visiting, tmp_path: Path):
    page = visiting(site, school.HEAD)
    hand = Hand(page)
    addresses = ["/files", "/exports", "/imports/new/roster"]
    for name, fees in (("a.xlsx", ("x", "-1", "1,0")), ("b.xlsx", ("7.00", "8.00")), ("c.xlsx", ("9.00", "8.00"))):
        page.goto("/imports/new/payments")
        send(hand, sheet(site, tmp_path / name, *fees))
        addresses.append(page.url)
    hand.press("button", "导入 2 行")
    expect(page.get_by_text("已导入：")).to_be_visible(timeout=20_000)
    addresses.append(f"{page.url}/ready")
    for lang in ("zh", "en"):
        other = visiting(site, school.HEAD, lang=lang)
        for address in addresses:
            other.goto(address)
            assert violations(other) == [], (lang, address)
            other.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
            assert other.evaluate("document.documentElement.scrollWidth") <= PHONE[0], address
            other.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
