"""A decision on many cases on a small screen: nothing is cut off, and every button is big enough for a thumb."""

import pytest
from playwright.sync_api import expect

from console.demo import evening
from tests.web.browser.conftest import PHONE, Visiting
from tests.web.conftest import Site
from tests.web.test_bulk_decisions import chosen, ready

TABLET = (768, 1024)
_THUMB = 44
_SMALL = """least => [...document.querySelectorAll('main a.btn, main button, main summary, main .xj-bulk-result a')]
    .filter(one => one.checkVisibility())
    .filter(one => one.getBoundingClientRect().height < least).map(one => one.innerText.trim())"""
_CUT = """() => [...document.querySelectorAll('main .btn, main th a')].filter(one => one.checkVisibility())
    .filter(one => one.matches('.btn') ? one.scrollWidth > one.clientWidth + 1 : one.offsetHeight > 40)
    .map(one => one.innerText.trim())"""
_SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [PHONE, TABLET], ids=["phone", "tablet"])
def test_from_preview_to_withdrawal_nothing_is_cut_off_and_every_button_fits_a_thumb(
    site: Site, visiting: Visiting, size: tuple[int, int], lang: str
) -> None:
    person = site.signed_in(evening.APPROVER)
    address = chosen(person, *ready(person)[:3], everything=True)
    page = visiting(site, evening.APPROVER, size=size, lang=lang)

    def fits(step: str) -> None:
        small = page.evaluate(_SMALL, _THUMB) if size == PHONE else []
        problems.append((step, page.evaluate(_SIDEWAYS), small, page.evaluate(_CUT)))

    problems: list[tuple[str, int, list[str], list[str]]] = []
    for step, part in (("preview", ""), ("can", "/rows?outcome=can"), ("cannot", "/rows?outcome=cannot")):
        page.goto(f"{address}{part}")
        fits(step)
    page.goto(address)
    page.locator("form[action$='/commit'] button").click()
    expect(page.locator(".xj-bulk-result")).to_be_visible(timeout=20_000)
    fits("result")
    page.locator(".xj-actions form[action$='/withdraw'] button").click()
    expect(page.locator(".xj-bulk-result a[href$='withdrawn']")).to_be_visible(timeout=20_000)
    fits("withdrawn")

    assert [one for one in problems if any(one[1:])] == []
