"""Every page there is, Chinese or English, wide or on a telephone: usable by everybody as far as axe can tell; quiet.

The pages are those of `tests/web/matrix.yaml`, so that none is forgotten; what they complain of in the browser (a
script's error, something the policy forbids) fails the test too.
"""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page

from tests.web import test_matrix as matrix
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, WIDE, Visiting
from tests.web.test_matrix import PEOPLE, Entry, Town, entries

town = matrix.town
_NO_PAGES = (
    ".png",
    ".svg",
    ".xlsx",
    "/metrics",
    "/print",
    "/mail",
    "/healthz",
    "/photo",
    "/evidence/{which}",
    "/pulse",
    "/day",
)


def _for_whom(entry: Entry) -> str | None:
    """Somebody who is shown the page."""
    case = entry.cases[0] if entry.cases else None
    shown = (name for name, who in PEOPLE.items() if httpx.codes.OK in (entry.expected(who, case) or ()))
    return next(shown, None)


def _pages() -> Iterator[tuple[str, Entry]]:
    for entry in entries("get"):
        name = None if entry.path.endswith(_NO_PAGES) else _for_whom(entry)
        if name is not None:
            yield name, entry


EVERY, SOME, OTHERS = slice(None), slice(0, None, 4), slice(2, None, 4)


@pytest.mark.parametrize(
    ("lang", "size", "pages"),
    [
        pytest.param("zh", WIDE, SOME, id="Chinese and wide, every fourth one"),
        pytest.param("en", PHONE, OTHERS, id="English on a telephone, other ones"),
        pytest.param("zh", WIDE, EVERY, id="Chinese and wide", marks=pytest.mark.heavy),
        pytest.param("en", PHONE, EVERY, id="English on a telephone", marks=pytest.mark.heavy),
    ],
)
def test_every_page_can_be_used_by_everybody(
    town: Town, visiting: Visiting, lang: str, size: tuple[int, int], pages: slice
) -> None:
    browsers: dict[str, Page] = {}
    found = {}
    for name, entry in [*_pages()][pages]:
        if name not in browsers:
            login = PEOPLE[name].login.format(student=town.student) or None
            browsers[name] = visiting(town.site, login, lang=lang, size=size)
        page = browsers[name]
        address = entry.address(town.numbers[entry.cases[0]] if entry.cases else "")
        answer = page.goto(address)
        is_page = answer is not None and answer.ok and "text/html" in answer.headers.get("content-type", "")
        said = violations(page) if is_page else []
        if said:
            found[address] = said
    assert found == {}
