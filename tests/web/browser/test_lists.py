"""Lists and books in a browser: for everybody, in both languages, on every width, signed without a script."""

import re

from playwright.sync_api import expect

from engine.records import case_number
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, WIDE, Visiting
from tests.web.conftest import Site
from tests.web.test_lists import HANDLER, WHY, at_work, scan


def test_a_list_goes_back_and_is_closed_scanned_and_signed_without_a_script_and_in_nobodys_way(
    site: Site, visiting: Visiting
):
    desk = at_work(site)
    address = f"/lists/{case_number(desk.id)}"
    desk.sent_back_and_reviewed()

    page = visiting(site, HANDLER, script=False)
    page.goto("/lists")
    page.get_by_role("link", name="教学点").first.click()
    page.get_by_role("button", name="名单定稿").click()
    page.get_by_role("link", name="上传扫描件").first.click()
    page.get_by_label("扫描件").set_input_files({"name": "s.png", "mimeType": "image/png", "buffer": scan(210)})
    page.get_by_role("button", name="上传扫描件").click()
    expect(page.get_by_text("第 2 稿").first).to_be_visible()
    page.goto(address)
    page.get_by_role("link", name="登记签字").click()
    expect(page.get_by_text("还没轮到您：先由经办人签").first).to_be_visible()
    page.get_by_role("button", name="登记：已签").click()
    expect(page.get_by_text("已签 1 / 3")).to_be_visible()

    for lang, size in (("zh", WIDE), ("en", PHONE)):
        page = visiting(site, HANDLER, lang=lang, size=size)
        for one in ("/lists", *(f"{address}{part}" for part in ("", "/diff", "/sign", "/scan", "/back"))):
            page.goto(one)
            assert violations(page) == [], (lang, one)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], one
    page.goto(f"{address}/back")
    page.get_by_label("Reason").fill(WHY)
    page.get_by_role("button", name="Back to handler").click()
    expect(page.get_by_text(re.compile("Void drafts"))).to_be_visible()
