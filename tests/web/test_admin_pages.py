"""Administration: how things stand, what left the house, who may what; each administrator sees the own pages only."""

from console.demo import evening
from console.web.admin.outbox import masked
from tests.web.conftest import Site

_MAIL = (
    "INSERT INTO mail (recipient, slot, state, not_before, attempts, epoch, answer, changed_at)"
    " VALUES (?, ?, ?, '2024-05-15T01:00:00.000000Z', 1, 0, ?, '2024-05-15T01:00:00.000000Z')"
)


def _a_mail(site: Site, state: str, answer: str) -> int:
    """Of the outbox, to the approver; its number."""
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute(_MAIL, (f"person/{evening.APPROVER}", f"single/{state}", state, answer))
        [(number,)] = office.desk.connection.execute("SELECT max(id) FROM mail").fetchall()
    return int(number)


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


def test_a_mail_nobody_knows_of_is_kept_as_received_by_whoever_asked(site: Site) -> None:
    number, admin = _a_mail(site, "unknown", "550 <zhou@mail.example> no such user"), site.signed_in("system-admin")
    page = admin.get("/admin/outbox")
    assert "z***@mail.example" in page.text
    assert "zhou@" not in page.text

    assert admin.post(f"/admin/outbox/{number}/received", {"reason": " "}).status_code == 422
    answer = admin.post(f"/admin/outbox/{number}/received", {"reason": "电话问过"})

    assert answer.headers["location"] == "/admin/outbox?said=received"
    assert "system-admin：电话问过" in admin.get("/admin/outbox?state=accepted").text
    again = admin.post(f"/admin/outbox/{number}/resend", {"reason": "再发"})
    assert again.headers["location"] == "/admin/outbox?said=settled"


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
