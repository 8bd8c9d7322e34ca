"""Tables are taken along where they are read: at a desk and on a telephone, with a script and without."""

from __future__ import annotations

from io import BytesIO

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Locator, Page

from console.demo import evening, school
from tests.web.browser.conftest import PHONE, WIDE, Visiting
from tests.web.conftest import Site

_SAMPLE = {"batch": school.BATCH, "workflow": "diploma-registration", "by": "unit", "confidence": "95", "error": "10",
           "size": "5"}  # fmt: skip
_PAGES = (
    ("auditor", "/audit/samples"), ("auditor", "/audit/papers"), ("auditor", "/audit/changes"),
    ("security-admin", "/admin/people"), ("security-admin", "/admin/units"), ("security-admin", "/admin/changes"),
)  # fmt: skip


def button(page: Page) -> Locator:
    """The one button by which the table of a page is taken along."""
    [found] = [one for one in page.get_by_role("button", name="导出", exact=True).all() if one.is_visible()]
    return found


@pytest.mark.parametrize("script", [True, False], ids=["script", "none"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desk", "telephone"])
def test_the_queue_is_taken_along_as_it_is_narrowed_at_a_desk_and_on_a_telephone(
    site: Site, visiting: Visiting, *, size: tuple[int, int], script: bool
) -> None:
    page = visiting(site, evening.APPROVER, size=size, script=script)
    page.goto("/queue/todo?lane=ready")
    with page.expect_download() as got:
        button(page).click()
    [_, *rows] = load_workbook(BytesIO(got.value.path().read_bytes())).worksheets[0].iter_rows(values_only=True)
    assert {row[7] for row in rows} == {"可直接办"}


def test_tables_of_auditors_and_administrators_are_taken_along_on_a_telephone(site: Site, visiting: Visiting) -> None:
    auditor = site.signed_in("auditor")
    auditor.post("/audit/papers", {"batch": school.BATCH, "text": "记一条"})
    auditor.post("/audit/samples", _SAMPLE)
    for login, address in _PAGES:
        page = visiting(site, login, size=PHONE, script=False)
        page.goto(address)
        box = button(page).bounding_box()
        assert box is not None
        assert (box["x"] >= 0, box["x"] + box["width"] <= PHONE[0], box["height"] >= 44) == (True, True, True), address
        with page.expect_download() as got:
            button(page).click()
        assert got.value.suggested_filename.endswith("-2024-05-15.xlsx")
