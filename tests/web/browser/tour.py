"""The pictures of `docs/tour.md`, taken in a real browser: `python -m tests.web.browser.tour [NAME …]`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from console.demo import evening, school
from console.demo.sheets import Files
from console.demo.story import stage_evening
from engine.daybook import rebuild_days
from engine.records import case_number
from tests.chromium import MISSING, installed
from tests.web.conftest import Site, opening
from tests.web.student_days import MORNING, Days, staged_in

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
STUDENTS = 1_200
_WIDE, _PHONE = (1440, 900), (390, 844)
_COLOURS = 128
"""Enough for pages of few colours, and small files."""


class Stop(NamedTuple):
    """A picture: what it is called, whose browser, of which size, and what is done before it is taken."""

    name: str
    login: str | None
    go: Callable[[Page], object]
    size: tuple[int, int] = _WIDE


def _at(address: str) -> Callable[[Page], object]:
    return lambda page: page.goto(address)


def _open_case(page: Page) -> None:
    """A case that others hold up, as a page of its own."""
    page.goto("/queue/todo?lane=blocked")
    number = re.findall(r'id="row-(\w+)"', page.content())[0]
    page.goto(f"/cases/{number}")


def _bulk(page: Page) -> None:
    page.goto("/queue/todo?lane=ready")
    for box in page.locator('input[name="case"][type="checkbox"]').all()[:12]:
        box.check()
    page.keyboard.press("b")
    page.wait_for_url("**/bulk/*")
    page.wait_for_load_state()


def _faulty_import(page: Page) -> None:
    """A payment file with three bad cells."""
    page.goto("/imports/new/facts")
    with page.expect_download() as begun:
        page.locator("a[href$='template.xlsx']").first.click()
    page.locator("input[type=file]").set_input_files(
        {"name": "0513-缴费.xlsx", "mimeType": "application/octet-stream", "buffer": _spoilt(begun.value.path())}
    )
    page.locator("main button[type=submit]").click()
    page.wait_for_selector("main table")


def _spoilt(template: Path) -> bytes:
    book = load_workbook(BytesIO(template.read_bytes()))
    sheet = book.worksheets[0]
    headers = [str(cell.value or "") for cell in sheet[1]]
    for row, amount in enumerate(("1,26O.00", "没有", "0.00"), start=2):
        sheet.cell(row, 1, f"20200900000{row:02}")
        for column, header in enumerate(headers, start=1):
            if "欠费" in header:
                sheet.cell(row, column, amount)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _open_ready(page: Page) -> None:
    page.goto("/queue/todo?lane=ready")
    page.keyboard.press("j")
    page.wait_for_selector("#approve")


def _open_list(page: Page) -> None:
    page.goto("/lists")
    page.locator("main a[href^='/lists/']").first.click()
    page.wait_for_load_state()


def _find(page: Page) -> None:
    """What is found of the batch, once it has been looked for."""
    page.goto("/audit/findings")
    page.locator("form[action='/audit/findings'] button").click()
    page.wait_for_selector(".xj-audit-lines", timeout=120_000)


def _verified(number: str, seq: int) -> Callable[[Page], object]:
    """The moment of a decision, and that the trail adds up."""

    def go(page: Page) -> None:
        page.goto(f"/audit/cases/{number}?seq={seq}")
        page.locator("form[action$='/verify'] button").click()
        page.wait_for_selector("#xj-verified *")

    return go


def stops(site: Site) -> Sequence[Stop]:
    """All but the student's."""
    with site.house.desks.borrowed() as office:
        sql = (
            "SELECT chain, min(seq) FROM event WHERE chain > 0 AND body LIKE '%\"site_approve\"%'"
            " AND body LIKE '%\"verdicts\"%' GROUP BY chain ORDER BY count(*) DESC, chain LIMIT 1"
        )
        ((decided, seq),) = office.desk.connection.execute(sql).fetchall()
    return (
        Stop("sign-in", None, _at("/sign-in")),
        Stop("queue", evening.APPROVER, _open_ready),
        Stop("case", evening.APPROVER, _open_case),
        Stop("bulk", evening.APPROVER, _bulk),
        Stop("batch", school.HEAD, _at("/batches/2024-06")),
        Stop("lists", evening.OPERATOR, _open_list),
        Stop("import", school.HEAD, _faulty_import),
        Stop("moment", "auditor", _verified(case_number(int(decided)), int(seq))),
        Stop("findings", "auditor", _find),
        Stop("definition", "system-admin", _at("/admin/definitions/diploma-registration")),
        Stop("health", "system-admin", _at("/admin/health")),
    )


def take(site: Site, browser: Browser, stop: Stop) -> None:
    """Take one picture, in few colours."""
    width, height = stop.size
    context = browser.new_context(
        base_url=site.address, viewport={"width": width, "height": height}, locale="zh-CN", reduced_motion="reduce"
    )
    if stop.login is not None:
        cookie = site.signed_in(stop.login).cookie or ""
        context.add_cookies([{"name": site.house.cookie, "value": cookie, "url": site.address}])
    page = context.new_page()
    stop.go(page)
    taken = Image.open(BytesIO(page.screenshot())).convert("RGB")
    context.close()
    PICTURES.mkdir(exist_ok=True)
    file = PICTURES / f"tour-{stop.name}.png"
    taken.quantize(_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    sys.stdout.write(f"{file.name} {file.stat().st_size // 1024} kB\n")


def main(wanted: Sequence[str]) -> None:
    """Take them all, or those named."""
    path = installed()
    if path is None:
        raise SystemExit(MISSING)
    with TemporaryDirectory() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        if set(wanted) != {"student"}:
            (Path(place) / "evening").mkdir()
            with opening(stage_evening(Path(place) / "evening", STUDENTS), Path(place)) as open_one:
                site = open_one()
                with site.house.desks.borrowed() as office:
                    rebuild_days(office.desk, school.BATCH, site.watch.at)  # as the worker keeps them, night by night
                for stop in stops(site):
                    if not wanted or stop.name in wanted:
                        take(site, browser, stop)
        if not wanted or "student" in wanted:
            _student(browser, staged_in(Path(place) / "days"), Path(place) / "may")
        browser.close()


def _student(browser: Browser, days: Days, place: Path) -> None:
    place.mkdir()
    with opening(Files(into=days.folder), place) as open_one:
        site = open_one()
        site.watch.at = MORNING
        take(site, browser, Stop("student", days.busy, _at("/my"), _PHONE))


if __name__ == "__main__":
    main(sys.argv[1:])
