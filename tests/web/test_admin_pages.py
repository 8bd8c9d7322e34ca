"""Administration: how things stand, what left the house, who may what; each administrator sees the own pages only."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.backups import backup_next
from console.calling import Caller
from console.demo import evening
from console.web.admin.outbox import masked
from engine.store.mails import refuse_address
from engine.store.people import set_address
from tests.web.conftest import Site

_MAIL = (
    "INSERT INTO mail (recipient, slot, state, not_before, attempts, epoch, answer, changed_at)"
    " VALUES (?, ?, ?, '2024-05-15T01:00:00.000000Z', 1, 0, ?, '2024-05-15T01:00:00.000000Z')"
)


def a_mail(site: Site, state: str, answer: str) -> int:
    """Of the outbox, to the approver; its number."""
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute(_MAIL, (f"person/{evening.APPROVER}", f"single/{state}", state, answer))
        [(number,)] = office.desk.connection.execute("SELECT max(id) FROM mail").fetchall()
    return int(number)


@pytest.mark.parametrize(
    ("login", "page"), [("system-admin", "health"), ("security-admin", "people"), ("audit-admin", "access")]
)
def test_who_only_administers_is_offered_no_search_for_students(read_site: Site, login: str, page: str) -> None:
    """They see no student and no case: whatever they typed, nothing would be found; who audits sees some."""
    shown = read_site.signed_in(login).get(f"/admin/{page}")

    assert shown.status_code == 200
    assert 'action="/find"' not in shown.text
    assert 'action="/find"' in read_site.signed_in("auditor").get("/audit").text


def test_each_administrator_comes_to_the_own_first_page_and_sees_no_other(read_site: Site) -> None:
    first = {"system-admin": "/admin/health", "security-admin": "/admin/people", "audit-admin": "/admin/health"}
    assert {who: read_site.signed_in(who).get("/admin").headers["location"] for who in first} == first
    hidden = {"security-admin": ("health", "outbox"), "audit-admin": ("outbox", "people"), "system-admin": ("people",)}
    for who, pages in hidden.items():
        assert [read_site.signed_in(who).get(f"/admin/{page}").status_code for page in pages] == [404] * len(pages)


def test_health_says_of_each_part_how_it_is_and_what_to_do(read_site: Site) -> None:
    text = read_site.signed_in("audit-admin").get("/admin/health").text
    assert all(part in text for part in ("调度", "封存", "数据库", "邮件"))
    assert "SQLite 3." in text
    assert "故障" in text
    assert "启动 xueji work，或看它的日志。" in text  # nobody works beside the house of the tests


def test_health_says_when_the_last_verified_backup_was_made_and_warns_when_it_is_old_or_nobody_knows(
    open_site: Callable[..., Site], read_site: Site, tmp_path: Path
) -> None:
    unset = read_site.signed_in("system-admin").get("/admin/health").text
    site = open_site(backups=tmp_path)
    admin, caller = site.signed_in("system-admin"), Caller(settings=site.house.settings, now=site.watch.at)
    none = admin.get("/admin/health").text
    assert backup_next(caller, 1, dry_run=False) == 0
    [(held,)] = _rows(site, "SELECT count(*) FROM event")
    today = admin.get("/admin/health").text
    site.watch.pass_by(hours=20)
    site.watch.pass_by(hours=6, minutes=1)
    old = site.signed_in("system-admin").get("/admin/health").text
    told = site.program.get("/metrics").text

    assert "没有设置备份目录，不知道有没有备份。" in unset
    assert "备份目录里没有核对过的备份。" in none
    said = f"今天 17:31 备份并核对过，含 {held:,} 个事件，现有 {held:,} 个。"
    assert said in today
    assert "昨天 17:31 备份并核对过" in old
    assert "再运行 xueji backup" not in today
    assert "再运行 xueji backup" in old
    assert f"xueji_backup_events {float(held)}" in told
    made = (site.watch.at - timedelta(hours=26, minutes=1)).timestamp()
    assert float(re.search(r"^xueji_backup_timestamp_seconds (\S+)", told, re.MULTILINE)[1]) == made  # type: ignore[index]  # it is there


def _rows(site: Site, sql: str) -> list[Any]:
    with site.house.desks.borrowed() as office:
        return list(office.desk.connection.execute(sql).fetchall())


def test_a_mail_nobody_knows_of_is_kept_as_received_by_whoever_asked(site: Site) -> None:
    number, admin = a_mail(site, "unknown", "550 <zhou@mail.example> no such user"), site.signed_in("system-admin")
    page = admin.get("/admin/outbox")
    assert "z***@mail.example" in page.text
    assert "zhou@" not in page.text

    assert admin.post(f"/admin/outbox/{number}/received", {"reason": " "}).status_code == 422
    answer = admin.post(f"/admin/outbox/{number}/received", {"reason": "电话问过"})

    assert answer.headers["location"] == "/admin/outbox?said=received"
    assert "system-admin：电话问过" in admin.get("/admin/outbox?state=accepted").text
    again = admin.post(f"/admin/outbox/{number}/resend", {"reason": "再发"})
    assert again.headers["location"] == "/admin/outbox?said=settled"


def test_a_mail_that_came_back_stands_by_itself_until_the_address_is_corrected_and_can_then_be_sent_again(
    site: Site,
) -> None:
    number, admin = a_mail(site, "failed", "550 <zhou@mail.example> no such user"), site.signed_in("system-admin")
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute(_MAIL, ("student/9999", "x", "failed", "421 busy"))
        set_address(office.desk.connection, evening.APPROVER, "zhou@mail.example")
        refuse_address(office.desk.connection, f"person/{evening.APPROVER}", "zhou@mail.example", site.watch.at)

    def shown(state: str) -> tuple[list[str], bool]:
        page = admin.get(f"/admin/outbox?state={state}").text
        return re.findall(r'<th scope="row">(\d+)</th>', page), "确未收到，重发" in page

    others = shown("failed")[0]
    assert shown("returned") == ([str(number)], False), "sent again as it is, it would come back again"
    assert str(number) not in others
    tabs = re.sub(r"<[^>]+>", " ", admin.get("/admin/outbox?state=returned").text)
    assert re.search(rf"退回\s+1\s+失败\s+{len(others)}\s", tabs)
    assert "z***@mail.example" in tabs

    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        set_address(office.desk.connection, evening.APPROVER, "zhoumin@mail.example")

    assert shown("returned") == ([], False)
    assert shown("failed") == ([*sorted([*others, str(number)], key=int, reverse=True)], True)


def test_the_outbox_goes_on_behind_the_last_mail_of_a_page(site: Site) -> None:
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.executemany(_MAIL, [(f"student/{n}", "x", "unknown", None) for n in range(51)])
    admin = site.signed_in("system-admin")
    first = admin.get("/admin/outbox").text
    following = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")

    assert first.count("确未收到，重发") == 50
    assert admin.get(following).text.count("确未收到，重发") == 1


def test_a_role_is_given_at_a_unit_and_one_that_another_excludes_is_not(site: Site) -> None:
    admin = site.signed_in("security-admin")
    given = admin.post("/admin/people/auditor/roles", {"role": "records_section", "unit": "51161"})
    assert given.headers["location"] == "/admin/people/auditor?said=given"

    refused = admin.post("/admin/people/system-admin/roles", {"role": "audit_admin", "unit": "51161"})
    assert refused.status_code == 422
    assert "不能同时担任系统管理员与审计管理员" in refused.text
    own = admin.post("/admin/people/security-admin/roles", {"role": "auditor", "unit": "51161"})
    assert "不能给自己加角色" in own.text


def test_disabling_says_what_waits_and_signs_the_person_out_at_once(site: Site) -> None:
    admin, approver = site.signed_in("security-admin"), site.signed_in(evening.APPROVER)
    address = f"/admin/people/{evening.APPROVER}/disable"
    waiting = admin.get(address).text.partition("现在等此人办理的 ")[2].partition(" 件")[0]
    assert int(waiting) > 0
    assert approver.get("/queue/todo").status_code == 200

    admin.post(address)

    assert approver.get("/queue/todo").headers["location"].startswith("/sign-in")
    assert "已停用" in admin.get(f"/admin/people/{evening.APPROVER}").text
    admin.post(f"/admin/people/{evening.APPROVER}/enable")
    assert "已停用" not in admin.get(f"/admin/people/{evening.APPROVER}").text


def test_no_page_of_administration_asks_the_database_more_than_eight_times(narrow_site: Site) -> None:
    pages = {"system-admin": ("health", "outbox?state=accepted"), "security-admin": ("people", "people/auditor")}
    for who, addresses in pages.items():
        person = narrow_site.signed_in(who)
        for address in addresses:
            with narrow_site.counted() as statements:
                assert person.get(f"/admin/{address}").status_code == 200
            assert len(statements) <= 8, (address, statements)


def test_addresses_in_the_answers_of_mail_systems_are_masked() -> None:
    assert masked("550 5.1.1 <wang@school.example>: unknown") == "550 5.1.1 <w***@school.example>: unknown"
