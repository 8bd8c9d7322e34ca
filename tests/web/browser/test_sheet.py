"""Every piece that pages are made of, in a browser under the policy: usable, quiet, and it does what it says."""

import re
from pathlib import Path

import pytest
from fastapi import Response
from jinja2 import ChoiceLoader, FileSystemLoader
from playwright.sync_api import Page, expect

from console.demo import evening, school
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault
from console.web.routes import ALL
from console.web.visit import Visit
from tests.web.browser.axe import violations
from tests.web.browser.conftest import LAPTOP, PHONE, WIDE
from tests.web.conftest import opening

SHEETS = Path(__file__).parent / "sheets"
doors = Doors()
_NEEDED = FieldFault("phone", "手机号", "少了一位")


@doors.get("/sheet", to=Audience.STAFF)
def sheet(visit: Visit) -> Response:
    return visit.page("sheet.html", faults=())


@doors.get("/sheet/student", to=Audience.STAFF)
def student(visit: Visit) -> Response:
    return visit.page("student.html")


@doors.post("/sheet", to=Audience.STAFF)
def answered(visit: Visit) -> Response:
    """Answers as it is asked to; a decision's answer has parts for elsewhere."""
    wanted = visit.form.get("answer", "ok")
    if wanted == "ok":
        text = f'<p id="done">送出了：{visit.form.get("reason", "")}</p>'
        return Response(f'{text}<hx-partial hx-target="#elsewhere">改变了</hx-partial>', media_type="text/html")
    body = f"<p>{_NEEDED.title}——{_NEEDED.reason}</p>" if wanted == "422" else "<p>这件刚刚有变动</p>"
    return Response(body, int(wanted), media_type="text/html")


@pytest.fixture(scope="module")
def sheets(staged_evening, tmp_path_factory):
    """A house that has the sheets beside its pages; nothing on them changes anything."""
    with pytest.MonkeyPatch.context() as patch, opening(staged_evening, tmp_path_factory.mktemp("sheets")) as open_one:
        patch.setattr("console.web.app.ALL", (*ALL, doors))
        site = open_one()
        environment = site.house.pages.environment
        assert environment.loader is not None
        patch.setattr(environment, "loader", ChoiceLoader([environment.loader, FileSystemLoader(SHEETS)]))
        yield site


@pytest.fixture
def page(sheets, visiting) -> Page:
    """The sheet, before an approver at a desk."""
    found: Page = visiting(
        sheets, evening.APPROVER, expected=("Failed to load resource: the server responded with a status of 5",)
    )
    found.goto("/sheet")
    return found


@pytest.mark.parametrize("address", ["/sheet", "/sheet/student", "/help/keys"])
@pytest.mark.parametrize(
    ("size", "lang"),
    [
        pytest.param(WIDE, "zh", id="wide-zh"),
        pytest.param(PHONE, "en", id="phone-en"),
        pytest.param(WIDE, "en", id="wide-en", marks=pytest.mark.heavy),
        pytest.param(PHONE, "zh", id="phone-zh", marks=pytest.mark.heavy),
    ],
)
def test_nobody_is_kept_out_and_nothing_is_wider_than_the_screen(sheets, visiting, address, lang, size):
    page = visiting(sheets, evening.APPROVER, size=size, lang=lang)
    page.goto(address)

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_the_sheet_fits_a_small_laptop(sheets, visiting):
    page = visiting(sheets, evening.APPROVER, size=LAPTOP)
    page.goto("/sheet")

    assert page.evaluate("document.documentElement.scrollWidth") <= LAPTOP[0]


def test_a_menu_opens_without_a_script(sheets, visiting):
    page = visiting(sheets, evening.APPROVER, script=False)
    page.goto("/sheet")
    page.get_by_text("更多", exact=True).click()

    expect(page.get_by_role("link", name="转办")).to_be_visible()


def test_the_answer_to_a_form_changes_its_place_and_parts_elsewhere(page):
    page.fill("#reason", "材料齐全")
    page.fill("#phone", "1")
    page.get_by_role("button", name="送出").click()

    expect(page.locator("#answer")).to_contain_text("送出了：材料齐全")
    expect(page.locator("#elsewhere")).to_have_text("改变了")


def test_faults_of_fields_go_to_the_list_of_faults(page):
    page.get_by_role("button", name="有错", exact=True).click()

    expect(page.locator("#faults")).to_contain_text("手机号——少了一位")
    expect(page.locator("#answer")).to_be_empty()


def test_a_conflict_takes_the_place_of_the_answer(page):
    page.get_by_role("button", name="有变动").click()

    expect(page.locator("#answer")).to_contain_text("这件刚刚有变动")


def test_an_answer_that_broke_is_told_as_not_known_and_never_shown(page):
    page.get_by_role("button", name="坏了").click()

    expect(page.get_by_role("alert").filter(has_text="没有收到答复，可能已经办成。")).to_be_visible()
    expect(page.locator("#answer")).to_be_empty()


def test_asking_again_sends_the_same_form_once_more(page):
    page.fill("#reason", "材料齐全")
    page.fill("#phone", "1")
    page.get_by_role("button", name="坏了").click()
    page.evaluate("document.querySelector('#asking button[value=\"500\"]').value = 'ok'")
    page.get_by_role("button", name=re.compile("再问一次")).click()

    expect(page.locator("#answer")).to_contain_text("送出了")
    expect(page.get_by_text("没有收到答复")).to_have_count(0)


def test_j_and_k_walk_through_the_rows_and_x_ticks_one(page):
    for key in ("j", "j", "k", "x"):
        page.keyboard.press(key)

    assert page.evaluate("document.activeElement.closest('li').innerText").startswith("陆晓雯") is False
    expect(page.locator("[data-tick]:checked")).to_have_count(1)


def test_shift_x_ticks_everything_between(page):
    for key in ("x", "j", "j", "j", "Shift+X"):
        page.keyboard.press(key)

    expect(page.locator("[data-tick]:checked")).to_have_count(4)


def test_shift_and_a_click_tick_everything_between(page):
    ticks = page.locator("[data-tick]")
    ticks.nth(0).click()
    ticks.nth(2).click(modifiers=["Shift"])

    expect(page.locator("[data-tick]:checked")).to_have_count(3)


@pytest.mark.parametrize("key", ["Control+v", "Alt+v", "Meta+v"])
def test_keys_are_silent_with_a_modifier(page, key):
    page.keyboard.press(key)

    expect(page.locator("#c1")).not_to_be_checked()


def test_a_key_presses_what_bears_its_name(page):
    page.keyboard.press("v")

    expect(page.locator("#c1")).to_be_checked()


def test_keys_are_silent_in_a_field(page):
    page.locator("#reason").press_sequentially("v j x")

    expect(page.locator("#reason")).to_have_value("v j x")
    expect(page.locator("#c1")).not_to_be_checked()
    expect(page.locator("[data-tick]:checked")).to_have_count(0)


@pytest.mark.parametrize("given", ["isComposing: true", "keyCode: 229"])
def test_keys_are_silent_while_characters_are_composed(page, given):
    page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: 'v', bubbles: true, {given}}}))")

    expect(page.locator("#c1")).not_to_be_checked()


def test_an_input_method_that_takes_the_keys_is_told_of_once(page):
    for _ in range(2):
        page.evaluate(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'v', keyCode: 229, bubbles: true}))"
        )

    expect(page.get_by_text("输入法是中文状态，按 Shift 后快捷键可用")).to_have_count(1)


def test_keys_that_are_switched_off_do_nothing(page):
    page.evaluate("document.body.dataset.keys = 'off'")
    page.keyboard.press("v")

    expect(page.locator("#c1")).not_to_be_checked()


def test_slash_goes_to_the_search_and_escape_leaves_it(page):
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator("#find")).not_to_be_focused()


def test_g_and_b_go_to_the_batches(page):
    page.keyboard.press("g")
    page.keyboard.press("b")

    expect(page).to_have_url(re.compile("/batches$"))


def test_what_is_blocked_does_nothing_and_says_why(page):
    button = page.get_by_role("link", name="提出毕业申请")
    button.click(force=True)

    expect(button).to_have_accessible_description(re.compile("还差 1 条"))
    expect(page).to_have_url(re.compile("/sheet$"))


def test_a_countdown_goes_away_when_its_time_is_over(page):
    page.evaluate("document.querySelector('[data-until]').dataset.until = '1'")

    expect(page.locator("[data-fades]")).to_have_count(0, timeout=3000)


def test_the_session_says_two_minutes_before_that_it_will_end(sheets, visiting):
    with visiting(sheets, evening.APPROVER) as page:
        page.clock.install()
        page.goto("/sheet", wait_until="networkidle")  # what is on its way would take half an hour
        page.clock.fast_forward("27:30")  # time goes on between: a second would be lost on a slow machine
        expect(page.get_by_text("2 分钟后自动退出")).to_have_count(0)
        page.clock.fast_forward("00:31")
        expect(page.get_by_text("2 分钟后自动退出")).to_be_visible()
        page.get_by_role("button", name="继续").click()

        expect(page.get_by_text("2 分钟后自动退出")).to_have_count(0)


def test_the_language_is_switched_and_stays(sheets, visiting):
    page = visiting(sheets, school.operator(evening.SITE))  # somebody else: it stays
    page.goto("/sheet")
    page.get_by_role("button", name="EN").click()

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("link", name="To do")).to_be_visible()


def test_the_person_goes_out_by_the_menu(page):
    page.get_by_text("周敏").click()
    page.get_by_role("button", name="退出").click()

    expect(page).to_have_url(re.compile("/sign-in"))
