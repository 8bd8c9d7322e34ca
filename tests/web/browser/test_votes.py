"""A vote in a browser, with a script and without: a no stays a no, whatever comes between."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import MadeOnce
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, Visiting
from tests.web.voting import PASSWORD, SIGNER, WHY, Ballot, Vote, balloting, stage

either = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
both = pytest.mark.parametrize("which", ["degree", "leave"])


@pytest.fixture
def ballot(made_once: MadeOnce, tmp_path: Path) -> Iterator[Ballot]:
    with balloting(made_once("ballot", stage), tmp_path) as there:
        yield there


def at_the_form(visiting: Visiting, ballot: Ballot, vote: Vote, *, script: bool) -> Page:
    """The form of the step, reached from the open case."""
    page = visiting(ballot.site, SIGNER, script=script)
    page.goto(f"/queue/todo?case={vote.number}")
    if script:
        page.wait_for_selector("[data-htmx-powered]", state="attached")
    for tick in page.locator("[data-caution]").all():
        tick.check()
    page.locator("#approve button").click()
    expect(page.get_by_role("radio")).to_have_count(2)
    return page


def says_no(page: Page, why: str = WHY) -> None:
    page.get_by_label("不同意", exact=True).check()
    page.locator("#reason").fill(why)
    sends(page)


def sends(page: Page) -> None:
    page.locator(".xj-step-form button[type=submit]").click()


def shows_no(page: Page, why: str = WHY) -> None:
    expect(page.get_by_label("不同意", exact=True)).to_be_checked()
    expect(page.locator("#reason")).to_have_value(why)


def is_against(ballot: Ballot, vote: Vote) -> bool:
    return ballot.votes_given(vote) == [(SIGNER, "no")] and ballot.state(vote) == vote.no


@either
@both
def test_a_no_that_comes_back_for_its_reason_is_still_a_no(
    ballot: Ballot, visiting: Visiting, which: str, *, script: bool
) -> None:
    vote = ballot.votes[which]
    page = at_the_form(visiting, ballot, vote, script=script)
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)

    says_no(page, "短")

    expect(page.locator(".xj-faults")).to_be_visible()
    shows_no(page, "短")
    page.locator("#reason").fill(WHY)
    sends(page)
    expect(page.locator(".xj-step-form")).to_have_count(0)
    assert is_against(ballot, vote)


@either
@both
def test_a_no_is_still_there_after_signing_in_again(
    ballot: Ballot, visiting: Visiting, which: str, *, script: bool
) -> None:
    vote = ballot.votes[which]
    page = at_the_form(visiting, ballot, vote, script=script)
    ballot.site.watch.pass_by(minutes=31)

    says_no(page)

    expect(page.get_by_text("登录已过期，您写的内容还在")).to_be_visible()
    page.locator("#account").fill(SIGNER)
    page.locator("#password").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    shows_no(page)
    assert ballot.votes_given(vote) == []
    if script:  # the checker is one
        assert violations(page) == []
    sends(page)
    expect(page.locator(".xj-step-form")).to_have_count(0)
    assert is_against(ballot, vote)


@either
def test_a_no_is_still_there_after_the_proof(ballot: Ballot, visiting: Visiting, *, script: bool) -> None:
    vote = ballot.votes["degree"]
    page = at_the_form(visiting, ballot, vote, script=script)
    ballot.site.watch.pass_by(minutes=16)

    says_no(page)

    expect(page.get_by_role("heading", name="为了逐级批准 更名后，请再输一次密码")).to_be_visible()
    page.locator("#proof").fill(PASSWORD)
    page.get_by_role("button", name="确认").click()
    shows_no(page)
    sends(page)
    expect(page.locator(".xj-step-form")).to_have_count(0)
    assert is_against(ballot, vote)


@either
@both
def test_a_page_of_the_session_before_asks_to_press_again_and_that_is_enough(
    ballot: Ballot, visiting: Visiting, which: str, *, script: bool
) -> None:
    vote = ballot.votes[which]
    page = at_the_form(visiting, ballot, vote, script=script)
    anew = ballot.site.signed_in(SIGNER).cookie or ""
    page.context.add_cookies([{"name": ballot.site.house.cookie, "value": anew, "url": ballot.site.address}])

    says_no(page)

    expect(page.get_by_text("页面开得太久，请再按一次，内容已保留")).to_be_visible()
    shows_no(page)
    sends(page)
    expect(page.locator(".xj-step-form")).to_have_count(0)
    assert is_against(ballot, vote)


@both
def test_a_press_without_a_vote_goes_nowhere(ballot: Ballot, visiting: Visiting, which: str) -> None:
    vote = ballot.votes[which]
    page = at_the_form(visiting, ballot, vote, script=True)
    before = ballot.events(vote)

    page.locator("#reason").fill(WHY)
    sends(page)

    expect(page.locator(".xj-step-form")).to_be_visible()
    assert ballot.events(vote) == before


def test_the_form_of_a_vote_can_be_used_by_everybody(ballot: Ballot, visiting: Visiting) -> None:
    page = visiting(ballot.site, SIGNER, size=PHONE)
    page.goto(ballot.votes["degree"].form)

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
