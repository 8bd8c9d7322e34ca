"""A date field says 班/休 as soon as a day is chosen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from console.demo import evening
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, WIDE, Visiting
from tests.web.conftest import Site


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "telephone"])
def test_a_day_that_is_chosen_is_told_at_once_and_another_one_after_it(
    read_site: Site, visiting: Visiting, size: tuple[int, int]
) -> None:
    page = visiting(read_site, evening.APPROVER, size=size)
    page.goto("/me/delegations")

    page.locator("#until").fill("2024-05-18")
    page.locator("#until").dispatch_event("change")
    expect(page.locator("#until-day")).to_contain_text("休息日（周六），下一个工作日 2024年5月20日（周一）")
    page.locator("#until").fill("2024-05-11")
    page.locator("#until").dispatch_event("change")

    expect(page.locator("#until-day")).to_contain_text("调休上班")
    assert violations(page) == []
