"""Two administrators publish a definition or a batch in a browser, with a script and without: eight clicks at most."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, WIDE, Visiting
from tests.web.browser.hands import Hand
from tests.web.conftest import Site
from tests.web.test_publishing import FILE, FIRST, OTHER, REASON, SECOND

MOST_CLICKS = 8


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A sound file and one with a fault, each named as it must be."""
    good, bad = tmp_path / "good" / FILE.name, tmp_path / "bad" / FILE.name
    for path, text in ((good, SECOND), (bad, SECOND.replace("records_section", "record_section", 1))):
        path.parent.mkdir()
        path.write_text(text, "utf-8")
    return good, bad


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_an_administrator_publishes_a_definition(
    site: Site, visiting: Visiting, files: tuple[Path, Path], *, script: bool
) -> None:
    good, bad = files
    first = Hand(visiting(site, FIRST, script=script))
    first.page.goto("/admin/definitions")
    first.press("link", "发布定义…")
    first.choose("定义文件", bad)
    first.press("button", "上传并检查")
    expect(first.page.locator(".xj-found")).to_contain_text(f"workflows/{FILE.name}:")
    expect(first.page.locator(".xj-excerpt").first).to_contain_text("^")
    first.press("link", "换一个文件")
    first.choose("定义文件", good)
    first.press("button", "上传并检查")
    expect(first.page.locator(".xj-told")).to_contain_text("名称由")
    first.write("理由", REASON)
    first.press("button", "提交发布")
    expect(first.page.get_by_role("status")).to_contain_text("等另一人批准")
    expect(first.page.get_by_role("button", name="同意发布")).to_have_count(0)
    assert first.clicks <= MOST_CLICKS

    other = Hand(visiting(site, OTHER, script=script))
    other.page.goto("/admin/definitions")
    other.press("link", "第 2 号")
    other.press("button", "同意发布")
    expect(other.page.get_by_role("status")).to_contain_text("已批准")
    assert other.clicks <= MOST_CLICKS
    other.page.goto(f"/admin/definitions/{FILE.stem}")
    expect(other.page.get_by_role("heading", level=1)).to_contain_text("第 2 版")


@pytest.mark.heavy  # test_every_page.py looks at each page, here at what they turn into
def test_nothing_is_in_anybodys_way_on_the_pages_of_definitions(
    site: Site, visiting: Visiting, files: tuple[Path, Path]
) -> None:
    for lang in ("zh", "en"):
        page = visiting(site, FIRST, lang=lang)
        addresses = [f"definitions/{FILE.stem}", "definitions/graduation", "definitions", "calendars", "terms"]
        for file in files:
            page.goto("/admin/definitions/new")
            assert violations(page) == [], (lang, "new")
            page.locator("#file").set_input_files(file)
            page.locator("main form button").click()
            page.wait_for_url("**/proposals/*")
            assert violations(page) == [], (lang, page.url)
        for address in addresses:
            page.goto(f"/admin/{address}")
            assert violations(page) == [], (lang, address)
        records = visiting(site, "records-audit", lang=lang)
        for address in ("", "/2024-06", "/2024-1-teaching"):
            records.goto(f"/admin/batches{address}")
            assert violations(records) == [], (lang, address)


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_a_batch_after_the_last_is_brought_in_by_two(site: Site, visiting: Visiting, *, script: bool) -> None:
    first = Hand(visiting(site, FIRST, script=script))
    first.page.goto("/admin/batches")
    first.press("link", "新批次…")
    first.press("link", "照此新建 2024-06", exact=True)
    first.write("审核截止", "2025-05-17")
    if script:
        expect(first.page.locator("#value-review_by-day")).to_contain_text("休息日")
    first.press("button", "检查并看全部日期")
    expect(first.page.locator(".xj-faults")).to_contain_text("日期先后应为 审核截止 ≤ 名单报送截止")
    first.write("审核截止", "2025-05-14")
    first.press("button", "检查并看全部日期")
    expect(first.page.get_by_role("heading", level=1)).to_contain_text("新批次：2025届6月毕业")
    first.write("理由", REASON)
    first.press("button", "提交发布")
    expect(first.page.get_by_role("status")).to_contain_text("等另一人批准")
    assert first.clicks <= MOST_CLICKS

    other = Hand(visiting(site, OTHER, script=script))
    other.page.goto("/admin/batches")
    other.press("link", "第 1 号")
    other.press("button", "同意发布")
    expect(other.page.get_by_role("status")).to_contain_text("已批准")
    other.press("link", "在批次管理里看")
    expect(other.page.get_by_role("heading", level=1)).to_contain_text("未发布")
    assert other.clicks <= MOST_CLICKS


@pytest.mark.parametrize(("lang", "size"), [("zh", WIDE), ("en", PHONE)], ids=["wide", "telephone"])
def test_nothing_is_in_anybodys_way_where_a_batch_is_brought_in(
    site: Site, visiting: Visiting, lang: str, size: tuple[int, int]
) -> None:
    page = visiting(site, FIRST, lang=lang, size=size)
    for address in ("batches", "batches/new", "batches/new?kind=checking&profile=fulltime-university"):
        page.goto(f"/admin/{address}")
        assert violations(page) == [], address
    page.goto("/admin/batches/new?like=2024-06")
    assert violations(page) == []
    page.locator("#value-review_by").fill("2025-06-17")
    page.locator("main form button.btn-primary").click()
    page.locator(".xj-faults").wait_for()
    assert violations(page) == [], "with faults"
    page.locator("#value-review_by").fill("2025-05-14")
    page.locator("main form button.btn-primary").click()
    page.wait_for_url("**/proposals/*")
    assert violations(page) == [], "the draft"
