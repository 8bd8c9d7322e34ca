"""The site approver's evening, the acceptance of the console (console.md 8): 60 cases by keyboard alone, keys counted.

On the way a second approver is faster once, one decision is undone, one answer is lost and asked for again, one case is
sent back. In the end 52 are decided and 8 handed on, and each case has exactly the events it should.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from console.demo import evening
from tests.web.browser.axe import violations
from tests.web.browser.conftest import Visiting
from tests.web.conftest import Person, Site
from tests.web.test_deciding import events
from tests.web.test_queue import numbers

_ONE_BY_ONE, _IN_BULK, _BLOCKED = 80, 40, 9
_WHY = "主要学习经历未从高中阶段填起，请补齐后再报"
_LOST = ("Failed to load resource", "htmx: htmx:error")

Told = tuple[str, str | None, str]
"""What an event tells: its kind, of which step, by whom."""

_APPROVED: Told = ("moved", "site_approve", evening.APPROVER)
_UNDONE: Told = ("retracted", "site_approve", evening.APPROVER)
_RETURNED: Told = ("moved", "site_return", evening.APPROVER)
_BY_THE_SECOND: Told = ("moved", "site_return", evening.SECOND)


@dataclass
class Hands:
    """A keyboard and nothing else; it counts what is pressed, a chord by its keys."""

    page: Page
    pressed: int = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.pressed += len(key.split("+"))
            self.page.keyboard.press(key)


@dataclass
class Evening:
    """The house, the page before the approver, and what every case should have been told in the end."""

    site: Site
    page: Page
    hands: Hands
    before: dict[str, int]
    lanes: dict[str, list[str]]
    expected: dict[str, list[Told]] = field(default_factory=dict)

    @property
    def open(self) -> str | None:
        """The number of the case that is open."""
        return next(iter(parse_qs(urlsplit(self.page.url).query).get("case", [])), None)

    def gone_on(self, number: str) -> None:
        """The page has left a case."""
        expect(self.page.locator(f'#xj-case a[href="/cases/{number}"]')).to_have_count(0)

    def look(self) -> None:
        """Every caution of the open case is seen, one key each."""
        unseen = self.page.locator("[data-caution]:not(:checked)")
        for left in range(unseen.count(), 0, -1):
            self.hands.press("v")
            expect(unseen).to_have_count(left - 1)

    def told(self) -> dict[str, list[Told]]:
        """What every case was told this evening."""
        found = {number: events(self.site, number)[many:] for number, many in self.before.items()}
        return {
            number: [(one["kind"], one["data"].get("trigger"), one["actor"]) for one in many]
            for number, many in found.items()
        }


def begun(site: Site, visiting: Visiting, **how: object) -> Evening:
    person = site.signed_in(evening.APPROVER)
    lanes = {lane: numbers(person.get(f"/queue/todo?lane={lane}").text) for lane in ("blocked", "look", "ready")}
    every = [number for many in lanes.values() for number in many]
    assert [len(lanes[one]) for one in ("ready", "look", "blocked")] == [47, 5, 8]
    page = visiting(site, evening.APPROVER, **how)
    page.goto("/queue/todo")
    return Evening(site, page, Hands(page), {one: len(events(site, one)) for one in every}, lanes)


def ready(page: Page) -> None:
    """The page answers keys."""
    page.wait_for_selector("[data-htmx-powered]", state="attached")


def set_others_moving(told: Evening) -> None:
    """受阻: those who mend two reasons are told, the own application is handed over; each is shown first."""
    page, hands, start = told.page, told.hands, told.hands.pressed
    for said in ("已催办", "已催办", "已转办"):
        ready(page)
        hands.press("w")
        expect(page.locator("button[autofocus]")).to_be_focused()
        hands.press("Enter")
        expect(page.locator("#xj-undo")).to_contain_text(said)
    assert hands.pressed - start <= _BLOCKED
    photo, file, own = (_first(told, rule) for rule in ("electronic-photo", "file-reviewed", "distinct-persons"))
    urged: Told = ("urged", None, evening.APPROVER)
    told.expected |= {one: [] for one in told.lanes["blocked"]}
    told.expected |= {photo: [urged], file: [urged], own: [("handed_over", None, evening.APPROVER)]}


def _first(told: Evening, rule: str) -> str:
    """The case in whose chain it stands that a unit was told of all it is about; the one that was handed over."""
    held = numbers(told.site.signed_in(evening.APPROVER).get(f"/queue/todo?rule={rule}").text)
    kinds = {"distinct-persons": "handed_over"}
    named = held or told.lanes["blocked"]
    found = [one for one in named if any(e["kind"] == kinds.get(rule, "urged") for e in events(told.site, one))]
    assert len(found) == 1, rule
    return found[0]


def approve(told: Evening) -> None:
    number = told.open
    assert number is not None
    told.look()
    told.hands.press("a")
    told.gone_on(number)
    told.expected[number] = [_APPROVED]


def approve_and_take_back(told: Evening) -> None:
    """A wrong key costs one key: the case is there again, and is approved after all."""
    number = told.open
    approve(told)
    told.hands.press("u")
    expect(told.page.locator(f'#xj-case .xj-ids a[href="/cases/{number}"]')).to_have_count(1)
    expect(told.page.locator("#xj-undo")).to_contain_text("没有发出任何消息")
    approve(told)
    told.expected[str(number)] = [_APPROVED, _UNDONE, _APPROVED]


def approve_and_hear_nothing(told: Evening) -> None:
    """The answer is lost on its way, and asked for again: nothing is done twice."""
    page, number = told.page, told.open
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(route.request.url)
        route.fetch()  # it arrives, and is done
        route.abort()

    page.route("**/do/site_approve", lose, times=1)
    told.look()
    told.hands.press("a")
    expect(page.locator("[data-again]")).to_be_focused()
    told.hands.press("Enter")
    told.gone_on(str(number))
    assert len(lost) == 1
    told.expected[str(number)] = [_APPROVED]


def send_back(told: Evening) -> None:
    """The reason is one the person gave before."""
    number = told.open
    told.hands.press("r")
    expect(told.page.locator("#xj-act textarea")).to_be_focused()
    told.hands.press("1")
    expect(told.page.locator("#xj-act textarea")).to_have_value(re.compile("照片"))
    expect(told.page.locator("#xj-act textarea")).to_be_focused()
    told.hands.press("Control+Enter")
    told.gone_on(str(number))
    told.expected[str(number)] = [_RETURNED]


def come_too_late(told: Evening) -> None:
    """Somebody else is faster: what happened is read, nothing is done, one goes on."""
    number = str(told.open)
    be_faster(told.site, number)
    told.look()
    told.hands.press("a")
    expect(told.page.locator("#conflict")).to_contain_text("没有生效")
    expect(told.page.locator("#xj-case")).to_contain_text("王建国")
    assert violations(told.page) == []
    told.hands.press("j")
    expect(told.page.locator("#conflict")).to_have_count(0)
    told.expected[number] = [_BY_THE_SECOND]


def be_faster(site: Site, number: str) -> None:
    second: Person = site.signed_in(evening.SECOND)
    fields = dict(re.findall(r'name="(seen|seq|at)" value="([^"]*)"', second.get(f"/queue/todo?case={number}").text))
    answer = second.post(f"/cases/{number}/do/site_return", {**fields, "reason": _WHY, "anyway": "1"})
    assert answer.status_code == 303


def assert_all_is_told_and_nothing_twice(told: Evening) -> None:
    """52 approved or returned, 8 handed on."""
    assert told.told() == told.expected
    decided = [one for one in told.expected.values() if one and one[-1][0] == "moved"]
    assert len(decided) == 52
    left = numbers(told.site.signed_in(evening.APPROVER).get("/queue/todo").text)
    assert set(left) < set(told.lanes["blocked"])
    assert len(left) == 7


def test_sixty_cases_one_by_one_by_keyboard_alone(site: Site, visiting: Visiting) -> None:
    told = begun(site, visiting, expected=_LOST)
    ready(told.page)
    set_others_moving(told)
    ready(told.page)
    told.hands.press("j")
    expect(told.page.locator("#xj-case h1")).to_be_focused()
    special = {8: approve_and_take_back, 12: approve_and_hear_nothing, 16: come_too_late, 20: send_back}

    for place in range(52):
        special.get(place, approve)(told)

    expect(told.page.locator("#xj-case h1")).to_have_text("本队列已办完")
    assert_all_is_told_and_nothing_twice(told)
    assert told.hands.pressed <= _ONE_BY_ONE, told.hands.pressed


def test_sixty_cases_with_the_ready_ones_in_bulk(site: Site, visiting: Visiting) -> None:
    told = begun(site, visiting, expected=_LOST)
    page, hands = told.page, told.hands
    ready(page)
    set_others_moving(told)
    ready(page)
    hands.press("b")
    expect(page.get_by_role("heading", level=1)).to_have_text("批量同意")
    shown = "59 件：47 可办 · 5 需细看（不在内） · 7 不可办"  # one is handed over
    expect(page.locator(".xj-bulk-sum")).to_have_text(shown)
    assert violations(page) == []
    faster = told.lanes["ready"][3]
    be_faster(site, faster)
    hands.press("Enter")
    expect(page.locator(".xj-bulk-result")).to_be_visible()
    expect(page.locator(".xj-bulk-result")).to_have_text(re.compile(r"同意 46\s+情况有变，没有办 1"))
    assert violations(page) == []
    told.expected |= {one: [_APPROVED] for one in told.lanes["ready"]} | {faster: [_BY_THE_SECOND]}
    hands.press("Enter")
    ready(page)
    hands.press("j")
    expect(page.locator("#xj-case h1")).to_be_focused()

    for one in (approve_and_take_back, approve_and_hear_nothing, approve, send_back, approve):
        one(told)

    expect(page.locator("#xj-case h1")).to_have_text("本队列已办完")
    assert_all_is_told_and_nothing_twice(told)
    assert hands.pressed <= _IN_BULK, hands.pressed


def test_ticked_by_keyboard_only_those_are_decided(site: Site, visiting: Visiting) -> None:
    """Shift+X takes the range; what is ticked and nothing else goes into the preview."""
    told = begun(site, visiting)
    page, hands = told.page, told.hands
    ready(page)
    page.locator("[name=everything]").uncheck()
    page.evaluate("document.querySelectorAll('[data-tick]').forEach((one) => { one.checked = false })")
    rows = [page.locator(f"#row-{one} a") for one in told.lanes["ready"][:3]]
    rows[0].focus()
    hands.press("x")
    rows[2].focus()
    hands.press("Shift+x")
    hands.press("b")

    expect(page.locator(".xj-bulk-sum")).to_contain_text("3 件：3 可办")


def test_a_key_pressed_before_htmx_has_taken_up_the_next_case_still_acts_in_its_pane(
    site: Site, visiting: Visiting
) -> None:
    """Hands that know the way are quicker than a page that is being put in."""
    told = begun(site, visiting)
    ready(told.page)
    told.hands.press("j")
    expect(told.page.locator("#xj-case h1")).to_be_focused()
    told.page.evaluate("htmx.config.defaultSettleDelay = 4000")
    approve(told)
    expect(told.page.locator("#xj-case [data-key=r]:not([data-htmx-powered])")).to_have_count(1)

    told.hands.press("r")

    expect(told.page.locator("#xj-act textarea")).to_be_visible()
    assert told.open is not None


def clicks(page: Page) -> Iterator[None]:
    """受阻 by clicks, with or without a script: two for each reason."""
    for way in ("催办 5", "催办 2", "转办 1"):
        page.locator(".xj-holdups").get_by_text(way).click()
        yield
        page.locator("main button.btn-primary").click()
        yield


@pytest.mark.parametrize("script", [pytest.param(True, id="with a script"), pytest.param(False, id="without")])
def test_eight_blocked_cases_are_set_moving_with_six_clicks(site: Site, visiting: Visiting, *, script: bool) -> None:
    told = begun(site, visiting, script=script)

    assert sum(1 for _ in clicks(told.page)) == 6

    expect(told.page.locator("#xj-undo")).to_contain_text("已转办")
    assert sum(len(many) for many in told.told().values()) == 3


def test_without_a_script_the_evening_goes_the_same_way(site: Site, visiting: Visiting) -> None:
    """Fewer cases: one approved, one undone, one sent back, one lost to somebody faster, three in bulk."""
    told = begun(site, visiting, script=False)
    page = told.page
    told.expected = {one: [] for many in told.lanes.values() for one in many}
    one, undone, returned, late, *many = told.lanes["ready"][:7]

    for number in (one, undone):
        page.goto(f"/queue/todo?case={number}")
        page.locator("#approve button").click()
        expect(page.locator(f"#row-{number}")).to_have_count(0)
    page.get_by_role("button", name="撤销").click()
    expect(page.locator(f"#row-{undone}")).to_have_count(1)
    told.expected |= {one: [_APPROVED], undone: [_APPROVED, _UNDONE]}

    page.goto(f"/queue/todo?case={returned}")
    page.locator(".xj-open-actions").get_by_text("退回修改").click()
    page.locator("textarea").fill(_WHY)
    page.get_by_role("button", name="退回修改").click()
    told.expected[returned] = [_RETURNED]

    page.goto(f"/queue/todo?case={late}")
    be_faster(site, late)
    page.locator("#approve button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("没有生效")
    page.get_by_role("link", name="办下一件").click()
    told.expected[late] = [_BY_THE_SECOND]

    page.goto("/queue/todo")
    page.locator("[name=everything]").uncheck()
    ticked = page.locator("[data-tick]:checked").evaluate_all("(boxes) => boxes.map((one) => one.value)")
    for number in set(ticked) - set(many):
        page.locator(f"[data-tick][value='{number}']").uncheck()
    page.locator("#lane-ready + button").click()
    page.get_by_role("button", name="同意这 3 件").click()
    expect(page.locator(".xj-bulk-result")).to_have_text(re.compile("同意 3"))  # the page refreshes by its header
    told.expected |= {number: [_APPROVED] for number in many}

    assert told.told() == told.expected
