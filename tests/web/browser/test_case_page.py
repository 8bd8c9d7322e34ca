"""The page of a case in a browser: by keyboard, without a script, on a telephone, on paper, for everybody."""

import re

import pytest
from playwright.sync_api import Page, expect

from console.demo import evening
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, WIDE
from tests.web.cases import numbers_of

_WORDS = "学生来电：登记表第二页已补交"


@pytest.fixture
def filed(site) -> str:
    """An application that waits for the approver."""
    return numbers_of(site, "c.state = 'applied' AND c.seq = 2")[0]


@pytest.fixture
def blocked(site) -> str:
    """A record that cannot be applied for."""
    return numbers_of(site, "c.state = 'enrolled'")[0]


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_a_comment_is_written_without_a_mouse_and_without_leaving_the_page(site, visiting, filed) -> None:
    page = visiting(site, evening.APPROVER)
    page.goto(f"/cases/{filed}")
    name = heading(page)
    page.keyboard.press("c")
    form = page.locator("#xj-act form")
    expect(form).to_be_visible()
    expect(form.locator("textarea")).to_be_focused()
    assert page.locator("h1").count() == 1

    page.keyboard.type(_WORDS)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{filed}")
    expect(page.locator("#history")).to_contain_text(_WORDS)
    assert heading(page) == name


def test_the_same_goes_by_links_and_pages_where_there_is_no_script(site, visiting, filed) -> None:
    page = visiting(site, evening.APPROVER, script=False)
    page.goto(f"/cases/{filed}")
    page.get_by_role("link", name="备注").click()
    page.locator("textarea").fill(_WORDS)
    page.get_by_role("button", name="写下备注").click()
    page.wait_for_url(f"**/cases/{filed}")
    expect(page.locator("#history")).to_contain_text(_WORDS)


def test_narrowing_the_history_leaves_the_rest_of_the_page_alone(site, visiting, filed) -> None:
    page = visiting(site, evening.APPROVER)
    page.goto(f"/cases/{filed}")
    page.locator("details summary", has_text="文字版").click()
    page.locator(".xj-chip", has_text="事实").click()

    expect(page.locator("#history .xj-chip[aria-current]")).to_have_text(re.compile("事实"))
    expect(page.locator("#history")).to_contain_text("名册导入")
    expect(page.locator(".xj-places").first).to_be_visible()


def test_a_value_is_shown_and_the_page_hides_it_again_by_itself(site, visiting, filed) -> None:
    page = visiting(site, evening.APPROVER)
    page.goto(f"/cases/{filed}")
    page.locator(".xj-reveal").first.click()
    page.get_by_label("核对证件").check()
    page.get_by_role("button", name="显示").click()

    expect(page.locator(".xj-ids")).to_contain_text(re.compile(r"\d{17}[\dX]"))
    expect(page.get_by_role("status").filter(has_text="完整显示 60 秒")).to_be_visible()
    page.get_by_role("link", name="现在遮住").click()
    expect(page.locator(".xj-ids")).to_contain_text("****")


@pytest.mark.parametrize(("size", "lang"), [(WIDE, "zh"), (PHONE, "en")])
def test_everybody_can_use_the_page_and_its_forms(site, visiting, blocked, size, lang) -> None:
    page = visiting(site, evening.OPERATOR, size=size, lang=lang)
    for address in ("", "/at/1", "/events/2", "/nudge", "/delegate", "/copies", "/reveal?fact=id_number", "/print"):
        page.goto(f"/cases/{blocked}{address}")
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = !one.matches('.xj-menu')))")
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], address


@pytest.mark.parametrize("script", [True, False])
def test_a_copy_is_sent_from_the_menu_and_found_by_the_colleague_with_and_without_a_script(
    site, visiting, filed, script
) -> None:
    page = visiting(site, evening.APPROVER, script=script)
    page.goto(f"/cases/{filed}")
    page.locator("details.xj-menu summary", has_text="更多").click()
    page.get_by_role("link", name="抄送").click()
    page.get_by_label("王建国").check()
    page.get_by_label("附言").fill("签名页已补")
    page.get_by_role("button", name="抄送").click()
    expect(page.locator("#history")).to_contain_text("签名页已补")

    for size in (WIDE, PHONE):
        reader = visiting(site, evening.SECOND, size=size, script=script)
        reader.goto("/queue/copies")
        expect(reader.get_by_role("row").filter(has_text="签名页已补")).to_contain_text("周敏")
        assert not script or violations(reader) == []


def test_the_way_runs_down_on_a_telephone_and_along_on_a_desk(site, visiting, filed) -> None:
    for size, shown, hidden in ((WIDE, ".xj-way-wide", ".xj-way-tall"), (PHONE, ".xj-way-tall", ".xj-way-wide")):
        page = visiting(site, evening.APPROVER, size=size)
        page.goto(f"/cases/{filed}")
        expect(page.locator(shown)).to_be_visible()
        expect(page.locator(hidden)).to_be_hidden()


def test_paper_bears_no_buttons_and_says_which_case_it_is(site, visiting, filed) -> None:
    page = visiting(site, evening.APPROVER)
    page.goto(f"/cases/{filed}/print")
    page.emulate_media(media="print")

    expect(page.locator(".xj-bar")).to_be_hidden()
    assert page.locator(".btn:visible").count() == 0
    expect(page.locator(".xj-print-foot")).to_contain_text(f"件号 {filed[:4]}-{filed[4:]}")
    assert page.locator("details:not([open])").count() == page.locator("details.xj-menu").count()
