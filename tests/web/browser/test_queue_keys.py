"""The queue by keyboard: from case to case, decided with one key, undone with another; two at once; a lost answer."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from console.demo import evening
from tests.web.browser.axe import violations
from tests.web.browser.conftest import LAPTOP, PHONE, Visiting
from tests.web.conftest import Person, Site
from tests.web.test_deciding import events, looked_at
from tests.web.test_queue import ready

_WHY = "主要学习经历未从高中阶段填起，请补齐后再报"


@pytest.fixture
def first(site: Site) -> str:
    """The first case that nothing but a decision is missing to."""
    return ready(site.signed_in(evening.APPROVER))


def queue(visiting: Visiting, site: Site, number: str, login: str = evening.APPROVER, **how: object) -> Page:
    page = visiting(site, login, **how)
    page.goto(f"/queue/todo?case={number}")
    if how.get("script", True):
        page.wait_for_selector("[data-htmx-powered]", state="attached")
    return page


def see_all(page: Page) -> None:
    """Tick every caution of the open case, one key each."""
    for _ in range(page.locator("[data-caution]").count()):
        page.keyboard.press("v")
    expect(page.locator("[data-caution]:not(:checked)")).to_have_count(0)


def name(page: Page) -> str:
    return page.locator("#xj-case h1").inner_text()


def total(page: Page) -> str:
    return page.locator("#xj-total").inner_text()


def test_j_and_k_open_the_next_case_and_the_one_before(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    one = name(page)

    page.keyboard.press("j")
    expect(page.locator("#xj-case h1")).not_to_have_text(one)
    assert first not in page.url
    expect(page.locator("[data-row] a[aria-current]")).to_have_count(1)
    page.keyboard.press("k")

    expect(page.locator("#xj-case h1")).to_have_text(one)
    assert page.url.endswith(f"case={first}")


def test_one_key_decides_and_the_next_case_is_there(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    one = name(page)
    see_all(page)

    page.keyboard.press("a")

    expect(page.locator("#xj-case h1")).not_to_have_text(one)
    expect(page.locator(f"#row-{first}")).to_have_count(0)
    expect(page.locator("#xj-undo")).to_contain_text(one)
    expect(page.locator("#xj-case h1")).to_be_focused()
    assert total(page) == page.locator(".xj-bar-count").inner_text() == "59"
    assert page.locator("#bulk .xj-n-ready").all_inner_texts() == ["46", "46"]
    assert events(site, first)[-1]["data"]["trigger"] == "site_approve"


def test_one_key_back_and_nothing_was_said_to_anybody(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    one = name(page)
    see_all(page)
    page.keyboard.press("a")
    expect(page.locator("#xj-case h1")).not_to_have_text(one)

    page.keyboard.press("u")

    expect(page.locator("#xj-case h1")).to_have_text(one)
    expect(page.locator("#xj-undo")).to_contain_text("没有发出任何消息")
    expect(page.locator(f"#row-{first}")).to_have_count(1)
    assert total(page) == "60"
    assert [event["kind"] for event in events(site, first)][-2:] == ["moved", "retracted"]


def test_a_case_is_sent_back_without_a_mouse(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    one = name(page)

    page.keyboard.press("r")
    expect(page.locator("#xj-act textarea")).to_be_focused()
    page.keyboard.type(_WHY)
    page.keyboard.press("Control+Enter")

    expect(page.locator("#xj-case h1")).not_to_have_text(one)
    last = events(site, first)[-1]["data"]
    assert (last["trigger"], last["reason"]) == ("site_return", _WHY)


def test_the_form_of_a_step_as_a_page_of_its_own_leads_on_too(site: Site, visiting: Visiting, first: str) -> None:
    page = visiting(site, evening.APPROVER)
    page.goto(f"/cases/{first}/do/site_return")
    page.locator("textarea").fill(_WHY)
    page.get_by_role("button", name="退回修改").click()

    page.wait_for_url("**/queue/todo?case=*")
    assert events(site, first)[-1]["data"]["reason"] == _WHY


def test_a_reason_too_short_is_said_beside_the_field_and_kept(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    page.keyboard.press("r")
    expect(page.locator("#xj-act textarea")).to_be_focused()
    page.keyboard.type("不全")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#xj-act [role=alert]")).to_be_visible()
    expect(page.locator("#xj-act textarea")).to_have_value("不全")
    assert page.locator("h1").count() == 1


def test_with_a_caution_unseen_the_key_approves_nothing(site: Site, visiting: Visiting) -> None:
    person = site.signed_in(evening.APPROVER)
    number = looked_at(person)
    before = events(site, number)
    page = queue(visiting, site, number)

    page.keyboard.press("a")

    expect(page.locator("#xj-act [role=alert]")).to_contain_text("没看")
    assert events(site, number) == before
    see_all(page)
    page.keyboard.press("a")
    expect(page.locator(f"#row-{number}")).to_have_count(0)
    assert events(site, number)[-1]["data"]["cautions"]


def test_two_at_one_case_and_the_slower_one_reads_what_happened(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    see_all(page)
    second = site.signed_in(evening.SECOND)
    _send_back(site, second, first)

    page.keyboard.press("a")

    expect(page.locator("#conflict")).to_contain_text("没有生效")
    expect(page.locator("#xj-case")).to_contain_text(_WHY)
    expect(page.locator("#xj-case")).to_contain_text("王建国")
    assert [event["data"]["trigger"] for event in events(site, first)][-1] == "site_return"
    assert violations(page) == []


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_is_done_twice(site, visiting, first: str) -> None:
    page = queue(visiting, site, first, expected=("Failed to load resource", "htmx: htmx:error"))
    one = name(page)
    see_all(page)
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.fetch()  # it arrives, and is done; only the answer is lost
        route.abort()

    page.route("**/do/site_approve", lose)
    page.keyboard.press("a")
    strip = page.locator("#xj-strips")
    expect(strip).to_contain_text("可能已经办成")
    told = events(site, first)

    strip.get_by_role("button").click()

    expect(page.locator("#xj-case h1")).not_to_have_text(one)
    assert events(site, first) == told
    assert told[-1]["data"]["trigger"] == "site_approve"


def test_without_a_script_a_case_is_decided_and_undone_by_buttons(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first, script=False)
    one = name(page)
    for tick in page.locator("[data-caution]").all():
        tick.check()
    page.locator("#approve button").click()
    assert name(page) != one

    page.get_by_role("button", name="撤销").click()

    assert name(page) == one


def test_typing_in_a_field_presses_no_keys(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    before = events(site, first)
    page.keyboard.press("/")
    page.keyboard.type("arnu")

    assert page.locator("#find").input_value() == "arnu"
    assert events(site, first) == before


@pytest.mark.parametrize(("size", "lang"), [(LAPTOP, "zh"), (PHONE, "en")])
def test_the_queue_can_be_used_by_everybody(
    site: Site, visiting: Visiting, first: str, lang: str, size: object
) -> None:
    page = queue(visiting, site, first, lang=lang, size=size)
    page.locator("#known").scroll_into_view_if_needed()  # where the bar of actions lies over nothing
    assert violations(page) == []
    page.goto("/queue/todo")
    assert violations(page) == []


def test_on_a_telephone_there_is_the_list_and_then_the_case(site: Site, visiting: Visiting, first: str) -> None:
    page = visiting(site, evening.APPROVER, size=PHONE)
    page.goto("/queue/todo")
    expect(page.locator("#xj-list")).to_be_visible()
    page.goto(f"/queue/todo?case={first}")

    expect(page.locator("#xj-list")).to_be_hidden()
    expect(page.locator("#approve button")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def _send_back(site: Site, person: Person, number: str) -> None:
    html = person.get(f"/queue/todo?case={number}").text
    fields = dict(re.findall(r'name="(seen|seq|at)" value="([^"]*)"', html))
    form = {**fields, "reason": _WHY, "anyway": "1"}
    assert person.post(f"/cases/{number}/do/site_return", form).status_code == 303
    assert events(site, number)[-1]["actor"] == evening.SECOND
