"""A Chromium of this machine before the houses of tests/web."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests import chromium as chromium_here
from tests.web.conftest import Site

WIDE, LAPTOP, PHONE = (1440, 900), (1366, 768), (390, 844)
_EXPECTED = ("Failed to load resource: the server responded with a status of 4",)
"""What Chromium says of every answer that is not a page's success; tests ask for some."""

Visiting = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser that is there; without one these tests cannot run, and say so."""
    path = chromium_here.installed()
    if path is None:
        pytest.skip(chromium_here.MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visiting(chromium: Browser) -> Iterator[Visiting]:
    """Opens pages, `visiting(site, login, size=PHONE, lang="en")`; what they complain of fails the test."""
    complaints: list[str] = []
    contexts = []

    def visit(site: Site, login: str | None, *, size=WIDE, lang="zh", script=True, expected=()) -> Page:
        width, height = size
        context = chromium.new_context(
            base_url=site.address, viewport={"width": width, "height": height}, java_script_enabled=script,
            locale={"zh": "zh-CN", "en": "en-GB"}[lang], reduced_motion="reduce",
        )  # fmt: skip
        contexts.append(context)
        if login is not None:
            cookie = site.signed_in(login).cookie or ""
            context.add_cookies([{"name": site.house.cookie, "value": cookie, "url": site.address}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                if said.type == "error" and not said.text.startswith((*_EXPECTED, *expected))
                else None
            ),
        )
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []
