"""The page of a batch in a browser: for everybody, in both languages, on every width, on paper, without a script."""

import re

import pytest
from playwright.sync_api import expect

from console.demo import evening, school
from engine.daybook import keep_days
from tests.web.browser.axe import violations
from tests.web.browser.conftest import LAPTOP, PHONE, WIDE, Visiting
from tests.web.conftest import Site
from tests.web.test_batch_page import may_apply_too, states

BATCH = f"/batches/{school.BATCH}"
MOST_CLICKS = 4
"""Of whoever files for all who may apply and have not (console.md, 2: F-81)."""


@pytest.fixture
def batch_site(site: Site) -> Site:
    """A house with the days of the batch kept."""
    with site.house.desks.borrowed() as office:
        keep_days(office.desk, site.watch.at)
    return site


@pytest.mark.heavy  # test_every_page.py looks at each page, here at what they turn into
def test_nothing_is_in_anybodys_way_in_either_language(batch_site: Site, visiting: Visiting):
    for lang in ("zh", "en"):
        page = visiting(batch_site, school.HEAD, lang=lang)
        for address in ("", "/table/units", "/cases?key=open"):
            page.goto(f"{BATCH}{address}")
            assert violations(page) == [], (lang, address)


def test_no_width_makes_the_page_slide_sideways(batch_site: Site, visiting: Visiting):
    page = visiting(batch_site, school.HEAD)
    for width, height in (WIDE, LAPTOP, (820, 1180), PHONE):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(BATCH)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_units_are_cards_and_what_is_pressed_is_large(batch_site: Site, visiting: Visiting):
    page = visiting(batch_site, school.HEAD, size=PHONE)
    page.goto(BATCH)
    unit = page.locator(".xj-units tbody tr:not(.xj-group)").first
    assert unit.evaluate("one => getComputedStyle(one).display") == "grid"
    assert unit.locator(".xj-aside").first.is_hidden()
    heights = page.locator("main button").evaluate_all("many => many.map(one => one.getBoundingClientRect().height)")
    assert min(heights) >= 44


def test_printed_it_takes_two_pages_across(batch_site: Site, visiting: Visiting):
    page = visiting(batch_site, school.HEAD)
    page.goto(BATCH)
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 2
    width, height = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper)[0]
    assert float(width) > float(height)


def test_a_unit_is_urged_in_two_clicks_without_a_script(batch_site: Site, visiting: Visiting):
    page = visiting(batch_site, school.HEAD, script=False)
    page.goto(BATCH)
    page.locator(".xj-missing").get_by_role("button").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("催办")
    page.get_by_role("button", name=re.compile("^催办")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已催办")
    expect(page.get_by_role("status")).to_contain_text("待发")


def test_a_click_on_a_number_and_one_back_lead_where_one_was(batch_site: Site, visiting: Visiting):
    page = visiting(batch_site, evening.OPERATOR)
    page.goto(BATCH)
    number = page.locator("a.xj-number").first
    count = number.inner_text()
    number.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{count} 人")
    page.go_back()
    expect(page.locator("#units")).to_be_visible()


@pytest.mark.parametrize("through", ["button", "number"])
def test_all_who_were_forgotten_are_filed_in_four_clicks_from_the_page_without_a_script(
    site: Site, visiting: Visiting, through: str
):
    may_apply_too(site)
    before = states(site)
    page, clicks = visiting(site, evening.OPERATOR, script=False), 0
    page.goto(BATCH)
    many = int(re.findall(r"\d+", page.get_by_role("button", name="为漏申请的").inner_text())[0])
    if through == "number":
        page.locator(".xj-figures .xj-warn a").click()
        clicks += 1
    page.get_by_role("button", name="为漏申请的").click()
    clicks += 1
    expect(page.get_by_role("heading", level=1)).to_have_text("批量提出毕业申请")
    page.get_by_role("button", name=f"提出毕业申请这 {many} 件").click()
    clicks += 1
    expect(page.locator(".xj-bulk-result")).to_contain_text(f"提出毕业申请 {many}", timeout=20_000)
    assert clicks <= MOST_CLICKS
    assert states(site)["applied"] == before["applied"] + many
    page.get_by_role("link", name="返回").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("漏申请　0 人")
