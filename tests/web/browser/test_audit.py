"""The auditor's pages in a browser: through a case by keyboard and without a script, verified, and for everybody."""

import re

import pytest
from playwright.sync_api import Page, expect

from console import proposed_rules
from console.demo import school
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, WIDE, Visiting
from tests.web.conftest import Site
from tests.web.test_audit_work import _SAMPLE, found, judged, only_reading, returned, stricter


@pytest.fixture
def number(site: Site) -> str:
    """An application that was sent back once: four events, the third the return."""
    return returned(site)


def at_event(page: Page, seq: int) -> None:
    expect(page.get_by_role("status").filter(has_text="共 4 条")).to_contain_text(f"第 {seq} 条 / 共 4 条")


def test_an_auditor_walks_a_case_by_keyboard_notes_and_verifies_it(site: Site, visiting: Visiting, number: str) -> None:
    page = visiting(site, "auditor")
    page.goto("/audit")
    page.get_by_label("件号", exact=True).fill(number)
    page.keyboard.press("Enter")
    at_event(page, 4)
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    at_event(page, 3)
    expect(page).to_have_url(re.compile("seq=3"))
    expect(page.locator("blockquote")).to_be_visible()
    page.keyboard.press("Home")
    at_event(page, 1)
    page.keyboard.press("End")
    at_event(page, 4)
    page.keyboard.press("ArrowLeft")
    at_event(page, 3)

    page.get_by_role("button", name="验证").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("链完整")).to_be_visible()
    expect(page.get_by_text("重算状态一致")).to_be_visible()
    assert violations(page) == []

    page.keyboard.press("n")
    page.locator("#text").fill("退回理由与材料相符")
    page.get_by_role("button", name="记入底稿").press("Enter")
    expect(page.get_by_role("link", name="看第 3 条")).to_be_visible()


def test_the_same_without_a_script_goes_by_links_a_list_and_pages(site: Site, visiting: Visiting, number: str) -> None:
    page = visiting(site, "auditor", script=False)
    page.goto("/audit")
    page.get_by_label("件号", exact=True).fill(number)
    page.get_by_role("button", name="打开时间轴").click()
    at_event(page, 4)
    page.get_by_role("link", name="前一条").click()
    at_event(page, 3)
    page.get_by_label("跳到哪一条").select_option("2")
    page.locator(".xj-audit-step").get_by_role("button", name="看这一条").click()
    at_event(page, 2)
    page.get_by_text("记入底稿").first.click()
    page.locator("#text").fill("申请时条件齐备")
    page.get_by_role("button", name="记入底稿").click()
    page.get_by_role("link", name="看第 2 条").click()
    at_event(page, 2)
    page.get_by_role("button", name="验证").click()
    expect(page.get_by_text("链完整")).to_be_visible()


@pytest.mark.heavy  # test_every_page.py looks at each page, here at what they turn into
def test_every_page_of_an_auditor_is_open_to_everybody_and_fits_the_screen(
    site: Site, visiting: Visiting, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposed_rules, "examine", only_reading())
    person = site.signed_in("auditor")
    sample = person.post("/audit/samples", _SAMPLE).headers["location"]
    paper = person.post("/audit/papers", {"case": number, "seq": "3", "text": "底稿"}).headers["location"]
    finding = re.search(r"/audit/findings/[0-9a-f]{64}", found(person))[0]  # type: ignore[index]  # there are some
    run, _ = judged(person, "graduation.yaml", stricter())
    pages = (
        "/audit", f"/audit/cases/{number}?seq=2", "/audit/samples", sample, f"/audit/findings?batch={school.BATCH}",
        finding, "/audit/papers", paper, "/audit/seals", "/audit/what-if", run,
    )  # fmt: skip
    for lang in ("zh", "en"):
        page = visiting(site, "auditor", lang=lang)
        for address in pages:
            page.goto(address)
            assert violations(page) == [], (lang, address)
            assert page.locator("h1").count() == 1, address
            for width, height in (PHONE, WIDE):
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (lang, address, width)
