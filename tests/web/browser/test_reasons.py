"""Why a case goes back, chosen by number: with one key, completed by hand, and without a script."""

import re

import pytest
from playwright.sync_api import Page, expect

from console.demo import evening
from tests.web.browser.axe import violations
from tests.web.browser.conftest import LAPTOP, PHONE, Visiting
from tests.web.browser.test_queue_keys import queue
from tests.web.conftest import Site
from tests.web.test_bulk_decisions import chosen, result
from tests.web.test_bulk_decisions import ready as ready_ones
from tests.web.test_deciding import events
from tests.web.test_queue import ready
from tests.web.test_reasons import PHOTO

MORE = "（照相馆周六开门）"


@pytest.fixture
def first(site: Site) -> str:
    """The first case that nothing but a decision is missing to."""
    return ready(site.signed_in(evening.APPROVER))


def to_write(page: Page) -> None:
    """The panel is open, and the field of the reason has the focus."""
    page.keyboard.press("r")
    expect(page.locator("#xj-act textarea")).to_be_focused()


def test_one_key_writes_the_reason_and_it_is_completed_where_it_ends(
    site: Site, visiting: Visiting, first: str
) -> None:
    page = queue(visiting, site, first, size=LAPTOP)
    one = page.locator("#xj-case h1").inner_text()
    to_write(page)
    assert violations(page) == []

    page.keyboard.press("1")
    expect(page.locator("#xj-act textarea")).to_have_value(PHOTO)
    page.keyboard.type(MORE)
    page.keyboard.press("Control+Enter")

    expect(page.locator("#xj-case h1")).not_to_have_text(one)
    assert events(site, first)[-1]["data"]["reason"] == PHOTO + MORE


def test_two_faults_are_chosen_one_under_the_other_and_digits_in_a_text_stay_digits(
    site: Site, visiting: Visiting, first: str
) -> None:
    page = queue(visiting, site, first)
    to_write(page)

    field = page.locator("#xj-act textarea")
    page.keyboard.press("1")
    expect(field).to_have_value(PHOTO)
    page.keyboard.type(" 3")
    page.locator(".xj-presets a").nth(2).click()

    expect(field).to_be_focused()
    assert [one[:5] for one in field.input_value().splitlines()] == ["电子照片不", "登记表有空"]
    assert field.input_value().splitlines()[0].endswith("后再报 3")


def test_a_second_press_writes_no_reason_twice_and_spoils_no_words(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    to_write(page)
    field, presets = page.locator("#xj-act textarea"), page.locator(".xj-presets a")

    presets.nth(0).dblclick()
    expect(field).to_have_value(PHOTO)
    page.keyboard.type(MORE)
    presets.nth(1).focus()
    page.keyboard.press("1")
    page.keyboard.press("2")
    expect(field).to_have_value(PHOTO + MORE)

    field.fill("")
    presets.nth(1).focus()
    page.keyboard.press("1")
    expect(field).to_have_value(PHOTO)


def test_a_reason_that_was_chosen_is_kept_as_if_it_was_written(site: Site, visiting: Visiting, first: str) -> None:
    page = queue(visiting, site, first)
    to_write(page)
    page.keyboard.press("1")

    with page.expect_response(re.compile("/draft$")) as kept:
        page.locator("#xj-act textarea").blur()
    assert kept.value.ok
    page.goto(f"/cases/{first}/do/site_return")

    expect(page.locator("textarea")).to_have_value(PHOTO)


def test_many_are_sent_back_for_a_reason_chosen_by_its_key(site: Site, visiting: Visiting) -> None:
    person = site.signed_in(evening.APPROVER)
    numbers = ready_ones(person)[:2]
    address = person.post(f"{chosen(person, *numbers)}/instead", {"trigger": "site_return"}).headers["location"]
    page = visiting(site, evening.APPROVER)
    page.goto(address)

    page.keyboard.press("1")
    expect(page.locator("textarea")).to_have_value(PHOTO)
    page.keyboard.press("Control+Enter")

    page.wait_for_load_state()
    assert result(person, address) == "退回修改 2"
    assert {events(site, number)[-1]["data"]["reason"] for number in numbers} == {PHOTO}


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_a_reason_is_chosen_and_completed_without_a_script(
    site: Site, visiting: Visiting, first: str, size: tuple[int, int]
) -> None:
    page = visiting(site, evening.APPROVER, size=size, script=False)
    page.goto(f"/cases/{first}/do/site_return")

    page.get_by_role("link", name=PHOTO).click()
    field = page.locator("textarea")
    expect(field).to_have_value(PHOTO)
    field.fill(PHOTO + MORE)
    page.get_by_role("button", name="退回修改").click()

    page.wait_for_url("**/queue/todo?case=*")
    assert events(site, first)[-1]["data"]["reason"] == PHOTO + MORE
