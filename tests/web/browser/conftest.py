"""A Chromium of this machine before the houses of tests/web."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

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


class Pages:
    """Pages of a browser, each in a context of its own, given to one test after the other: to make one takes seconds.

    Args:
        browser: Where they are opened.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._blank: dict[tuple[object, ...], list[Page]] = {}

    def close(self) -> None:
        """Close those that nobody looks at."""
        for page in chain.from_iterable(self._blank.values()):
            page.context.close()

    @contextmanager
    def lent(self, address: str, size: tuple[int, int], **how: Any) -> Iterator[Page]:
        """Yield a page on which nothing is open, in a context without cookies.

        Args:
            address: Of the house that is visited.
            size: Width and height in pixels.
            how: What else Playwright's `new_context` is to be told.
        """
        blank = self._blank.setdefault((address, *sorted(how.items())), [])
        page = blank.pop() if blank else self._browser.new_context(base_url=address, **how).new_page()
        width, height = size
        page.set_viewport_size({"width": width, "height": height})
        try:
            yield page
        finally:
            if page.context.pages == [page]:
                blank.append(_emptied(page, address))
            else:
                page.context.close()


def _emptied(page: Page, address: str) -> Page:
    """With an empty document of the same house: on about:blank Chromium would make a process anew for the next one."""
    page.emulate_media(media="null")
    page.context.clear_cookies()
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=""))
    page.goto(f"{address}/nothing")
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
    page.unroute_all()
    return page


@pytest.fixture(scope="session")
def kept_pages(chromium: Browser) -> Iterator[Pages]:
    """Pages of this browser."""
    with closing(Pages(chromium)) as pages:
        yield pages


@pytest.fixture
def visiting(kept_pages: Pages) -> Iterator[Visiting]:
    """Opens pages, `visiting(site, login, size=PHONE, lang="en")`; what they complain of fails the test.

    A page goes to another test afterwards, unless it was closed: by who sets its clock, of which no page can be rid.
    """
    complaints: list[str] = []
    with ExitStack() as given_back:

        def visit(site: Site, login: str | None, *, size=WIDE, lang="zh", script=True, expected=()) -> Page:
            how = {"locale": {"zh": "zh-CN", "en": "en-GB"}[lang], "java_script_enabled": script}
            page = given_back.enter_context(kept_pages.lent(site.address, size, reduced_motion="reduce", **how))
            if login is not None:
                cookie = site.signed_in(login).cookie or ""
                page.context.add_cookies([{"name": site.house.cookie, "value": cookie, "url": site.address}])

            def erred(error: Error) -> None:
                complaints.append(str(error))

            def said(message: ConsoleMessage) -> None:
                if message.type == "error" and not message.text.startswith((*_EXPECTED, *expected)):
                    complaints.append(message.text)

            page.on("pageerror", erred)
            page.on("console", said)
            given_back.callback(page.remove_listener, "pageerror", erred)
            given_back.callback(page.remove_listener, "console", said)
            return page

        yield visit
    assert complaints == []
