"""Signing in by keyboard, without a script, on a telephone, and by everybody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from console.access import entering
from console.demo import evening
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, WIDE

PAGES = ("/sign-in", "/activate", "/forgotten", "/sign-in/code", "/sign-in/enrol", "/sign-in?school=1")


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_account_tab_password_enter_leads_to_the_page_wanted(site, visiting, script) -> None:
    page = visiting(site, None, script=script)
    page.goto("/me")
    page.locator("#account").focus()

    page.keyboard.type(evening.APPROVER)
    page.keyboard.press("Tab")
    page.keyboard.type(evening.PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url("**/me")
    expect(page.locator("h1")).to_have_text("个人设置")
    page.get_by_role("button", name=re.compile("退出其他所有登录")).click()
    expect(page.get_by_role("status")).to_contain_text("已退出所选的登录")


def test_who_stays_away_too_long_is_told_that_the_session_is_over_and_who_does_not_goes_on(site, visiting) -> None:
    page = visiting(site, evening.APPROVER)
    page.clock.install()
    page.goto("/me", wait_until="networkidle")

    page.clock.fast_forward("28:01")
    page.get_by_role("button", name="继续").click()
    expect(page.get_by_text("2 分钟后自动退出")).to_have_count(0)
    page.clock.fast_forward("28:01")
    site.watch.pass_by(minutes=31)
    page.get_by_role("button", name="继续").click()

    expect(page.get_by_text("登录已过期，这一页上写的还在")).to_be_visible()
    expect(page.get_by_text("2 分钟后自动退出")).to_have_count(0)
    page.close()


def test_a_page_left_alone_says_by_itself_that_the_session_is_over_and_keeps_no_chair_signed_in(site, visiting) -> None:
    page = visiting(site, evening.APPROVER)
    page.clock.install()
    page.goto("/me", wait_until="networkidle")
    site.watch.pass_by(minutes=29)

    page.evaluate("fetch('/stay/pulse')")
    page.clock.fast_forward("28:01")
    site.watch.pass_by(minutes=2)
    page.clock.fast_forward("02:05")

    expect(page.get_by_text("登录已过期，这一页上写的还在")).to_be_visible()
    page.close()


def test_two_minutes_before_the_half_day_is_over_the_page_says_so_though_somebody_is_at_work(site, visiting) -> None:
    page = visiting(site, evening.APPROVER)
    for _ in range(24):
        site.watch.pass_by(minutes=29)
        assert page.request.get("/stay").ok
    site.watch.pass_by(minutes=14)  # ten are left of twelve hours
    page.clock.install()
    page.goto("/queue/todo", wait_until="networkidle")

    page.clock.fast_forward("05:00")
    page.locator("[data-row] a").last.click()
    expect(page.locator("#xj-case h1")).to_be_focused()
    expect(page.get_by_text("2 分钟后自动退出")).to_have_count(0)
    page.clock.fast_forward("03:01")

    expect(page.get_by_text("2 分钟后自动退出")).to_be_visible()
    page.close()


def test_tab_goes_from_account_to_password_to_button(site, visiting) -> None:
    page = visiting(site, None)
    page.goto("/sign-in")
    expect(page.locator("#account")).to_be_focused()

    page.keyboard.press("Tab")
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.press("Tab")

    expect(page.get_by_role("button", name="登录")).to_be_focused()


@pytest.mark.parametrize(("size", "lang"), [(WIDE, "zh"), (PHONE, "en")], ids=["wide", "telephone"])
def test_everybody_can_use_the_pages(site, visiting, lang, size) -> None:
    page = visiting(site, None, lang=lang, size=size)
    with site.house.desks.borrowed() as office:
        token = entering.halfway(office.desk.connection, evening.OPERATOR, site.watch.at)
    page.context.add_cookies([{"name": f"{site.house.cookie}-in", "value": token, "url": site.address}])

    found = []
    for address in PAGES:
        page.goto(address)
        found += violations(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address

    assert found == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_everybody_can_use_their_own_settings(site, visiting, lang) -> None:
    page = visiting(site, evening.APPROVER, lang=lang)

    found = []
    for address in ("/me", "/me/second-factor"):
        page.goto(address)
        found += violations(page)

    assert found == []
