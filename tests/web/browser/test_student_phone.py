"""A student with a telephone: where am I, what must I do, until when; few taps to report a photo or to sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, expect

from console.demo import evening
from console.demo.sheets import Files
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, Pages
from tests.web.conftest import Site
from tests.web.student_days import MORNING, Days, staged_in

LARGEST = 60_000
_TARGETS = """() => [...document
  .querySelectorAll("main a.btn, main button, .xj-pick, .xj-student-foot a, header button")]
  .filter((one) => one.offsetParent !== null && one.getBoundingClientRect().height < 43.5)
  .map((one) => one.outerHTML)"""
_FIELDS = """() => [...document.querySelectorAll("main input, main select, main textarea")]
  .filter((one) => one.type !== "hidden" && parseFloat(getComputedStyle(one).fontSize) < 16)
  .map((one) => one.name)"""


@pytest.fixture(scope="session")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Who is where on 10 May."""
    return staged_in(tmp_path_factory.getbasetemp() / "student-days")


@pytest.fixture(scope="session")
def staged_evening(days: Days) -> Files:
    """What the houses here are opened on: 10 May instead of the evening of the 15th."""
    return Files(into=days.folder)


@dataclass(slots=True)
class Phone:
    """A telephone in somebody's hand, and how often it was tapped."""

    page: Page
    site: Site
    taps: int = 0

    def tap(self, target: Locator) -> None:
        """Touch something."""
        target.tap()
        self.taps += 1

    def go(self, target: Locator) -> None:
        """Touch something that leads to another page."""
        with self.page.expect_navigation():
            self.tap(target)

    def open(self, address: str) -> None:
        """Go to a page without a tap."""
        self.page.goto(address)


@pytest.fixture
def phone(kept_pages: Pages, site: Site, days: Days) -> Iterator[Phone]:
    """The telephone of the student with two things left, on the morning of 10 May."""
    site.watch.at = MORNING
    complaints: list[str] = []

    def erred(error: Error) -> None:
        complaints.append(str(error))

    cookie = site.signed_in(days.busy).cookie or ""
    with kept_pages.lent(
        site.address, PHONE, has_touch=True, is_mobile=True, locale="zh-CN", device_scale_factor=2
    ) as page:
        page.context.add_cookies([{"name": site.house.cookie, "value": cookie, "url": site.address}])
        page.on("pageerror", erred)
        yield Phone(page=page, site=site)
        page.remove_listener("pageerror", erred)
    assert complaints == []


def _sign_by_finger(phone: Phone) -> None:
    """One stroke across the frame."""
    frame = phone.page.locator("canvas")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    places = [(0.1, 0.6), (0.3, 0.2), (0.5, 0.8), (0.9, 0.3)]
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    session = phone.page.context.new_cdp_session(phone.page)
    for kind, (x, y) in zip(("touchStart", "touchMove", "touchMove", "touchMove"), points, strict=True):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone.taps += 1


def _fill_in(phone: Phone) -> None:
    """The registration form, as far as it is filled in before it is signed."""
    phone.open("/my")
    phone.go(phone.page.get_by_role("link", name="去填写"))
    for words in ("高中", "是", "县级"):
        phone.page.get_by_role("radio", name=words, exact=True).tap()
    phone.go(phone.page.get_by_role("button", name="下一步：签名"))
    phone.taps = 0


def test_the_first_screen_answers_without_a_tap(phone: Phone):
    phone.open("/my")

    for words in ("还差 2 件事，就可以报毕业", "5月13日（周一）24:00 前", "去核对", "去填写"):
        box = phone.page.get_by_text(words).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 844


def test_a_wrong_photo_is_reported_in_six_taps_at_most(phone: Phone):
    phone.open("/my")
    phone.go(phone.page.get_by_role("link", name="有错，要报告"))
    phone.tap(phone.page.get_by_text("照片不是我"))
    phone.go(phone.page.get_by_role("button", name="报告"))

    assert phone.page.get_by_role("heading", level=1).inner_text().strip().startswith("已报告，件号")
    assert phone.taps <= 6


def test_the_form_is_signed_in_five_taps_at_most(phone: Phone):
    _fill_in(phone)
    phone.open("/my")
    phone.go(phone.page.get_by_role("link", name="去签名"))
    _sign_by_finger(phone)
    phone.go(phone.page.get_by_role("button", name="提交"))
    phone.page.keyboard.type(evening.PASSWORD)  # the field has the focus
    phone.go(phone.page.get_by_role("button", name="签好并提交"))

    assert phone.page.get_by_role("heading", level=1).inner_text().startswith("签好了，今天")
    assert phone.taps <= 5


def test_an_empty_frame_is_said_at_once_and_nothing_is_sent(phone: Phone):
    _fill_in(phone)
    phone.page.get_by_role("button", name="提交").tap()

    expect(phone.page.get_by_role("alert").filter(has_text="还没有签名")).to_be_visible()
    assert phone.page.locator("canvas").is_visible()


def test_signing_again_empties_the_frame(phone: Phone):
    _fill_in(phone)
    _sign_by_finger(phone)
    phone.page.get_by_role("button", name="重签").tap()
    phone.page.get_by_role("button", name="提交").tap()

    expect(phone.page.get_by_role("alert").filter(has_text="还没有签名")).to_be_visible()


def test_without_javascript_the_page_says_to_sign_at_the_site(chromium: Browser, phone: Phone):
    _fill_in(phone)
    address = phone.page.url
    context = chromium.new_context(
        locale="zh-CN", java_script_enabled=False, storage_state=phone.page.context.storage_state()
    )
    page = context.new_page()
    page.goto(address)

    assert not page.locator("canvas").is_visible()
    assert page.get_by_text("请到教学点现场签").is_visible()
    context.close()


def test_without_javascript_a_wrong_photo_and_a_wrong_name_are_reported_as_well(chromium: Browser, phone: Phone):
    context = chromium.new_context(
        locale="zh-CN", java_script_enabled=False, storage_state=phone.page.context.storage_state(),
        base_url=phone.site.address, viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True,
    )  # fmt: skip
    page = context.new_page()
    page.goto("/my/report")
    page.get_by_role("radio", name="照片不是我").check(force=True)
    page.get_by_role("button", name="报告").click()
    assert page.get_by_role("heading", level=1).inner_text().strip().startswith("已报告，件号")

    page.goto("/my/check")
    for right in page.get_by_role("radio", name="对", exact=True).all():
        right.check(force=True)
    page.locator('input[name="item-name"][value="wrong"]').check(force=True)
    page.get_by_role("button", name="提交核对结果").click()
    page.get_by_role("button", name="报告").click()
    assert page.get_by_role("radio", name="姓名").is_checked()
    page.get_by_label("正确的是").fill("诸葛浩非")
    page.get_by_role("radio", name="录入错误").check(force=True)
    page.get_by_role("button", name="报告，接着交证明").click()
    assert page.get_by_role("heading", level=1).inner_text().strip().startswith("已报告，件号")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


@pytest.mark.parametrize("address", ["/my", "/my/check", "/my/report", "/my/report/data", "/my/messages", "/my/looks"])
@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.heavy)])
def test_every_page_can_be_used_by_everybody(phone: Phone, address: str, lang: str):
    phone.open("/my")
    if lang == "en":
        phone.go(phone.page.get_by_role("button", name="EN"))
    phone.open(address)

    assert violations(phone.page) == []
    assert phone.page.evaluate(_TARGETS) == []
    assert phone.page.evaluate(_FIELDS) == []
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_pages_of_filling_in_and_signing_can_be_used_by_everybody(phone: Phone):
    _fill_in(phone)
    assert violations(phone.page) == []
    _sign_by_finger(phone)
    phone.go(phone.page.get_by_role("button", name="提交"))

    assert violations(phone.page) == []
    assert phone.page.evaluate(_TARGETS) == []


def test_coming_back_costs_little(phone: Phone):
    phone.open("/my")
    session = phone.page.context.new_cdp_session(phone.page)
    session.send("Network.enable")
    received: list[int] = []
    session.on("Network.loadingFinished", lambda told: received.append(int(told["encodedDataLength"])))
    phone.page.reload()
    phone.page.wait_for_load_state("networkidle")

    assert 0 < sum(received) <= LARGEST
