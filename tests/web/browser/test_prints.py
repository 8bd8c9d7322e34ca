"""What is printed comes out on clean sheets of A4, each with its number and how many there are."""

from __future__ import annotations

import pytest

from console.demo import evening
from tests.web.browser.conftest import Visiting
from tests.web.browser.papers import sizes, texts
from tests.web.conftest import Site
from tests.web.test_bulk_decisions import chosen, ready

_UPRIGHT = (595, 842)
"""A4 in points."""
_NOT_ON_PAPER = ("回到首页", "导出", "看改动的影响", "批量通过")


def _case(site: Site) -> str:
    return f"/cases/{ready(site.signed_in(evening.APPROVER))[0]}"


def _bulk(site: Site) -> str:
    person = site.signed_in(evening.APPROVER)
    return chosen(person, *ready(person)[:3], everything=True)


@pytest.mark.parametrize(
    ("login", "address", "least"),
    [
        pytest.param(evening.APPROVER, lambda _: "/queue/todo", 2, id="a queue"),
        pytest.param(evening.APPROVER, lambda _: "/lists", 1, id="the lists"),
        pytest.param(evening.APPROVER, _bulk, 1, id="the preview of a decision on many"),
        pytest.param("security-admin", lambda _: "/admin/people", 1, id="a page of an administrator"),
        pytest.param(evening.APPROVER, _case, 1, id="a case"),
    ],
)
def test_every_sheet_of_a_printed_page_says_which_of_how_many_it_is(
    site: Site, visiting: Visiting, login, address, least
) -> None:
    page = visiting(site, login)
    page.goto(address(site))

    paper = page.pdf(prefer_css_page_size=True, print_background=True)

    sheets = texts(paper)
    assert least <= len(sheets) <= 12
    assert [text.startswith(f"{place}/{len(sheets)}") for place, text in enumerate(sheets, start=1)] == [True] * len(
        sheets
    )
    assert sizes(paper) == {_UPRIGHT}
    assert [one for one in _NOT_ON_PAPER if any(one in text for text in sheets)] == []
    assert "".join(sheets).count(f"打印{login}·") == 1
