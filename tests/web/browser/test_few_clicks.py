"""Ceilings of console.md 2 that no other test here asserts: a branch, the province, a list, auditors, a lost mail."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console import proposed_rules
from console.demo import evening, school
from tests.web.browser.conftest import Visiting
from tests.web.browser.hands import Hand
from tests.web.conftest import Site
from tests.web.test_admin_pages import a_mail
from tests.web.test_audit_work import only_reading, returned, stricter
from tests.web.test_bulk_decisions import chosen, done, ready
from tests.web.test_lists import HANDLER, at_work, scan

SITE, BRANCH = "第1分校第4教学点", "第1分校"
WHY = "电子照片不是本人近照，请重采后再报"


@pytest.fixture
def site_done(site: Site) -> Site:
    """The approver of the teaching point has decided on all that was ready, and it is a quarter of an hour later."""
    person = site.signed_in(evening.APPROVER)
    address = chosen(person, *ready(person), everything=True)
    assert person.post(f"{address}/commit", {}).status_code == 303
    done(person, address)
    site.watch.pass_by(minutes=15)
    return site


def walk_through_the_sample(hand: Hand) -> int:
    """Every case of it is opened, one click each; how many those were."""
    hand.press("link", "抽看", exact=True)
    total = int(hand.page.get_by_role("link", name="抽看 1 / ").inner_text().rpartition(" ")[2])
    for at in range(2, total + 1):
        hand.page.get_by_role("link", name="后一件").click()
        expect(hand.page.get_by_role("link", name=f"抽看 {at} / {total}")).to_be_visible()
    hand.press("link", "看完，返回")
    return total


def test_whoever_stands_above_clears_a_teaching_point_with_two_exceptions_in_twelve_clicks_besides_the_sample(
    site_done: Site, visiting: Visiting
) -> None:
    hand = Hand(visiting(site_done, school.ACCEPTING))
    hand.page.goto("/")
    hand.press("link", SITE, exact=True)
    hand.press("button", "批量同意")
    assert walk_through_the_sample(hand) == 10
    hand.press("button", "同意这 67 件")
    expect(hand.page.locator(".xj-bulk-result")).to_contain_text("67", timeout=30_000)

    hand.press("link", "回到待办")
    looked_at = hand.page.locator(".xj-lane-look [data-row] .xj-row-name").all_inner_texts()[:2]
    hand.press("link", looked_at[0])
    for name in looked_at:
        expect(hand.page.locator("#xj-case h1")).to_contain_text(name)
        hand.clicks += 1
        hand.page.locator("[data-caution]").check()
        hand.press("button", "通过")
        expect(hand.page.locator("#xj-undo")).to_contain_text(name)
    assert hand.clicks <= 12


def test_the_province_audits_a_branch_and_sends_back_the_rest_in_fifteen_clicks_besides_the_sample(
    site_done: Site, visiting: Visiting
) -> None:
    accepting = site_done.signed_in(school.ACCEPTING)
    address = chosen(accepting, *ready(accepting), everything=True)
    for number in re.findall(r'/sample/(\w+)"', accepting.get(address).text):
        accepting.get(f"/cases/{number}")
    accepting.post(f"{address}/commit", {})
    done(accepting, address)
    site_done.watch.pass_by(minutes=10)

    page = visiting(site_done, school.AUDITING)
    hand = Hand(page)
    page.goto("/")
    hand.press("link", BRANCH, exact=True)
    hand.press("button", "批量审核通过")
    walk_through_the_sample(hand)
    hand.press("button", "审核通过这")
    expect(page.locator(".xj-bulk-result")).to_contain_text("审核通过 40", timeout=30_000)
    hand.press("link", "回到待办")
    hand.press("checkbox", "选择全部")
    for row in page.locator(".xj-lane-ready [data-row]").filter(has_text="专科").all()[:2]:
        hand.press("checkbox", row.locator(".xj-row-name").inner_text())
    hand.press("button", "批量同意")
    hand.press("button", "改为退回修改")
    walk_through_the_sample(hand)
    hand.write("理由", WHY)
    hand.press("button", "退回修改这 2 件")
    expect(page.locator(".xj-bulk-result")).to_contain_text("退回修改 2", timeout=30_000)
    assert hand.clicks <= 15


def test_a_list_goes_from_draft_to_signed_in_six_clicks(site: Site, visiting: Visiting, tmp_path: Path) -> None:
    desk = at_work(site)
    desk.sent_back_and_reviewed()
    signed = desk.kinds().count("signed")
    paper = tmp_path / "scan.png"
    paper.write_bytes(scan(210))
    hand = Hand(visiting(site, HANDLER, script=False))
    hand.page.goto(desk.address)
    hand.press("button", "名单定稿")
    hand.press("link", "上传扫描件")
    hand.choose("扫描件", paper)
    hand.press("button", "上传扫描件")
    hand.press("link", "登记签字")
    hand.press("button", "登记：3 处都已签")
    assert hand.clicks <= 6
    assert desk.state == "submitted"
    assert desk.kinds().count("signed") - signed == 2, "the third is the step itself"


def test_an_auditor_sees_a_moment_of_a_case_with_its_proof_in_five_clicks(site: Site, visiting: Visiting) -> None:
    number = returned(site)
    hand = Hand(visiting(site, "auditor", script=False))
    hand.page.goto("/audit")
    hand.write("件号", number)
    hand.press("button", "打开时间轴")
    hand.press("link", "前一条")
    expect(hand.page.get_by_text("当时的事实").first).to_be_visible()
    hand.press("button", "验证")
    expect(hand.page.get_by_text("链完整")).to_be_visible()
    assert hand.clicks <= 5


def test_an_auditor_judges_a_batch_by_other_rules_in_six_clicks(
    site: Site, visiting: Visiting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposed_rules, "examine", only_reading())
    rules = tmp_path / "graduation.yaml"
    rules.write_bytes(stricter())
    hand = Hand(visiting(site, "auditor", script=False))
    hand.page.goto("/audit")
    hand.press("link", "换规则重判")
    hand.choose("或上传规则", rules)
    hand.press("button", "开始重判")
    expect(hand.page.get_by_role("heading", name="原来与新规则")).to_be_visible(timeout=30_000)
    hand.press("link", re.compile(r"^[1-9]\d*$"))
    assert hand.clicks <= 6


def test_a_mail_that_did_not_arrive_is_found_in_three_clicks(site: Site, visiting: Visiting) -> None:
    a_mail(site, "failed", "550 no such user")
    hand = Hand(visiting(site, "system-admin", script=False))
    hand.page.goto("/")
    hand.press("link", "发件箱")
    hand.press("link", "失败")
    expect(hand.page.get_by_text("550 no such user")).to_be_visible()
    assert hand.clicks <= 3
