"""The list of the queue in a browser: ticks stay as they were set, more rows come behind those that are there."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from console.demo import evening
from console.web.queue import waiting
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, Visiting
from tests.web.conftest import Site
from tests.web.test_queue import ready


def queue(visiting: Visiting, site: Site, query: str = "", **how: object) -> Page:
    page = visiting(site, evening.APPROVER, **how)
    page.goto(f"/queue/todo?{query}")
    if how.get("script", True):
        page.wait_for_selector("[data-htmx-powered]", state="attached")
    return page


def can(page: Page) -> int:
    """How many of a preview can be decided on."""
    found, *_ = re.findall(r"(\d+) 可办", page.locator("main").inner_text())
    return int(found)


def test_a_tick_taken_away_stays_away_while_one_goes_on_decides_and_undoes(site: Site, visiting: Visiting) -> None:
    person = site.signed_in(evening.APPROVER)
    first, second = ready(person), ready(person, 1)
    page = queue(visiting, site, f"case={second}")
    ticks = page.locator(f"#row-{second} input")
    name = page.locator("#xj-case h1").inner_text()

    page.locator(f"#row-{second} a").focus()
    page.keyboard.press("x")
    expect(ticks).not_to_be_checked()
    page.keyboard.press("k")
    expect(page.locator("#xj-case h1")).not_to_have_text(name)
    expect(ticks).not_to_be_checked()
    page.keyboard.press("a")
    expect(page.locator(f"#row-{first}")).to_have_count(0)
    expect(ticks).not_to_be_checked()
    page.keyboard.press("u")
    expect(page.locator(f"#row-{first}")).to_have_count(1)
    expect(ticks).not_to_be_checked()

    page.keyboard.press("b")
    page.wait_for_url("**/bulk/*")
    assert can(page) == 46


def test_the_tick_above_the_ready_cases_takes_all_of_theirs_away_and_puts_them_back(
    site: Site, visiting: Visiting
) -> None:
    page = queue(visiting, site)
    above, ticked = page.locator("[name=everything]"), page.locator(".xj-lane-ready [data-tick=case]:checked")
    before = ticked.count()

    above.uncheck()
    expect(ticked).to_have_count(0)
    above.check()
    expect(ticked).to_have_count(before)
    above.uncheck()
    page.locator(".xj-lane-ready [data-tick=case]").first.check()
    page.keyboard.press("b")
    page.wait_for_url("**/bulk/*")
    assert (before > 1, can(page)) == (True, 1)


def test_more_rows_come_behind_those_that_are_there_and_their_ticks_count(site: Site, visiting: Visiting) -> None:
    page = queue(visiting, site)
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(50)
    page.locator("#row-" + ready(site.signed_in(evening.APPROVER)) + " input").uncheck()

    page.get_by_role("link", name="再看 50 件").click()

    expect(rows).to_have_count(60)
    expect(page.get_by_role("link", name="再看 50 件")).to_have_count(0)
    assert "after=" not in page.url
    rows.last.locator("input").uncheck()
    rows.last.locator("a").click()
    expect(page.locator("[data-row] a[aria-current]")).to_have_count(1)
    expect(rows.last.locator("input")).not_to_be_checked()
    page.keyboard.press("b")
    page.wait_for_url("**/bulk/*")
    assert can(page) == 45


@pytest.mark.parametrize("size", [(1440, 900), PHONE], ids=["wide", "phone"])
def test_filters_and_pages_are_for_everybody_without_a_script_too(
    site: Site, visiting: Visiting, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PAGE", 20)
    page = queue(visiting, site, size=size, script=False)
    page.get_by_role("link", name="再看 50 件").click()
    page.get_by_role("link", name="再看 50 件").click()
    page.get_by_role("link", name="上一页").click()
    assert page.locator("[data-row]").count() == 20

    page.goto("/queue/filters")
    page.get_by_label("受阻的原因").select_option(index=1)
    page.get_by_role("button", name="筛选").click()

    assert page.locator("[data-row]").count() == 5
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("address", ["/queue/filters", "/queue/todo?rule=electronic-photo&lane=ready"])
def test_the_filters_and_an_empty_list_can_be_read_by_everybody(
    site: Site, visiting: Visiting, address: str, lang: str
) -> None:
    page = visiting(site, evening.APPROVER, lang=lang)
    page.goto(address)

    assert violations(page) == []


@pytest.mark.parametrize("size", [(1440, 900), PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_what_a_row_says_is_chosen_one_click_beside_the_list_and_read_by_everybody(
    site: Site, visiting: Visiting, size: tuple[int, int], *, script: bool
) -> None:
    page = queue(visiting, site, "lane=look", size=size, script=script)
    page.get_by_role("link", name="显示的列").locator("visible=true").click()
    for name in ("层次", "年级", "专业"):
        page.get_by_label(name, exact=True).uncheck()
    for name in ("单位", "原因"):
        page.get_by_label(name, exact=True).check()
    page.get_by_role("button", name="保存").click()

    assert page.url.endswith("/queue/todo?lane=look")
    words = page.locator("[data-row] .xj-row-words").first
    assert "第1分校第4教学点" in words.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    if script:
        assert violations(page) == []

    page.get_by_role("link", name="显示的列").locator("visible=true").click()
    page.get_by_role("button", name="上移 原因").click()
    page.get_by_role("button", name="上移 原因").click()
    if script:
        assert violations(page) == []
        expect(page.get_by_role("button", name="下移 原因")).to_be_focused()
        page.keyboard.press("Tab")
    page.get_by_label("原因", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue/todo?lane=look")

    assert page.locator("[data-row] .xj-row-no").first.inner_text() == "电子照片重采"
