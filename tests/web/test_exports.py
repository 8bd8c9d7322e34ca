"""Every table is taken along as it is shown: narrowed alike, all of it, after a proof, and the trail says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from html import unescape
from io import BytesIO
from typing import NamedTuple

import pytest
from openpyxl import load_workbook

from console.demo import evening, school
from console.seal_keys import make_key
from console.sealing import sealer_of
from console.web.admin import access
from console.web.files import exports
from engine.organisation import rename_unit
from engine.sealing import seal
from engine.store.delegations import DelegationRow, add_delegation
from tests.web.conftest import Person, Site
from tests.web.test_bulk_decisions import chosen, done, ready
from tests.web.test_lists import at_work
from tests.web.test_queue import ready as case_ready

_FORM = re.compile(
    r'<form class="xj-inline xj-no-print" method="post" action="(/exports/[^"]+)"[^>]*>(.*?)</form>', re.DOTALL
)
_POSTED = re.compile(r'name="(filter|typed|of)" value="([^"]*)"')


def offered(page: str) -> tuple[str, dict[str, str]]:
    """The one export a page offers: its address, and what is posted there."""
    [form] = all_offered(page)
    return form


def all_offered(page: str) -> list[tuple[str, dict[str, str]]]:
    """Every export a page offers."""
    return [
        (unescape(address), {name: unescape(value) for name, value in _POSTED.findall(body)})
        for address, body in _FORM.findall(page)
    ]


def taken(person: Person, page: str) -> list[tuple[object, ...]]:
    """The rows of the table of a page, with its heads, as the page offers it."""
    return sheet(person, offered(page))


def sheet(person: Person, form: tuple[str, dict[str, str]]) -> list[tuple[object, ...]]:
    """The rows of a workbook, with its heads."""
    answer = person.post(*form)
    assert answer.status_code == 200, answer.text
    return list(load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))


def told(site: Site) -> list[str]:
    """What the trail says of what was taken along."""
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq").fetchall()
    return [bytes(body).decode() for (body,) in rows if b'"exported"' in bytes(body)]


def decided(person: Person, many: int) -> None:
    """Somebody has approved some cases at once."""
    address = chosen(person, *ready(person)[:many])
    person.post(f"{address}/commit", {})
    done(person, address)


def found(person: Person) -> str:
    """The page of a search for somebody with several cases."""
    page = person.get("/queue/todo?lane=ready").text
    number = re.findall(r"\b20\d{11}\b", page)[0]
    return str(person.post("/find", {"q": number}).headers["location"])


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/queue/todo", "queue"),
        ("/queue/todo?lane=blocked", "queue"),
        ("/queue/todo?caution=sent-back&sort=number", "queue"),
        ("/queue/done", "done"),
        ("found", "found"),
        (f"/batches/{school.BATCH}/cases?key=filed", "batch"),
        (f"/batches/{school.BATCH}/cases?key=open&level=专科", "batch"),
        ("/lists", "lists"),
        ("/lists?show=open", "lists"),
    ],
)
def test_a_table_is_taken_along_as_it_is_shown_and_the_trail_says_which_and_names_nobody(
    site: Site, address: str, kind: str
):
    person = site.signed_in(evening.APPROVER)
    decided(person, 3)
    page = person.get(found(person) if address == "found" else address).text

    heads, *rows = taken(person, page)

    assert all(re.match(r"[一-鿿、]+ [A-Za-z]", str(head)) for head in heads), heads
    numbers = {str(row[0]).replace("-", "") for row in rows}
    shown = {one.replace("-", "") for one in re.findall(r'href="/(?:cases|lists)/([0-9A-Z-]{8,9})"', page)}
    assert numbers
    assert len(numbers) == len(rows) or kind == "done"
    assert shown <= numbers, "everything the page shows is in it"
    [event] = told(site)
    assert f'"kind":"{kind}"' in event
    assert f'"cases":{len(rows)}' in event
    if kind != "lists":
        people = {str(row[place]) for row in rows for place in (1, 2)}
        assert not any(one in event for one in people)


def test_more_than_a_page_is_taken_along_with_what_narrows_it(site: Site):
    person = site.signed_in(evening.APPROVER)
    for address, least in (("/queue/todo", 60), (f"/batches/{school.BATCH}/cases?key=expected", 51)):
        assert len(taken(person, person.get(address).text)) > least
    whole = taken(person, person.get("/queue/todo").text)[1:]
    lane = taken(person, person.get("/queue/todo?lane=ready").text)[1:]
    assert [row for row in whole if row[7] == "可直接办"] == lane


def test_the_members_of_a_list_are_taken_along_as_their_page_narrows_them(site: Site):
    desk = at_work(site)
    for part in ("", "?in=F-01", "?in=F-02"):
        page = desk.handler.get(f"{desk.address}{part}").text
        heads, *rows = taken(desk.handler, page)
        assert len(rows) == page.count('<th scope="row">') > 0
        assert {str(row[1]) for row in rows} == set(re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page))
        assert "姓名 Name" in heads
    elsewhere = site.signed_in(school.operator(school.SITES[1].code))
    assert elsewhere.post(*offered(desk.handler.get(desk.address).text)).status_code == 404


def test_whoever_gave_no_proof_for_a_while_is_asked_once_more_and_strangers_get_nothing(site: Site):
    person = site.signed_in(evening.APPROVER)
    decided(person, 1)
    forms = [offered(person.get(one).text) for one in ("/queue/todo", "/queue/done", "/lists", found(person))]
    other = site.signed_in(evening.SECOND)
    assert other.post(*forms[-1]).status_code == 404, "what a search found is who searched's"
    site.watch.pass_by(minutes=16)
    for address, form in forms:
        assert person.post(address, form).headers["location"].startswith("/sign-in/again"), address
    assert told(site) == []
    assert site.signed_in("auditor").post(*forms[0]).status_code == 404
    assert site.signed_in("auditor").post(*forms[2]).status_code == 200
    assert person.post("/exports/nothing", {}).status_code == 404


def test_what_one_opened_and_was_told_of_is_taken_along_too(site: Site):
    operator = site.signed_in(evening.OPERATOR)
    for which, what in (("mine", "决定 Decisions"), ("copies", "消息 Messages")):
        answer = operator.post(f"/exports/{which}", {})
        [heads, *_] = list(load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
        assert heads[5] == what


MANY = 52
"""More than a page of any table."""
_BRANCH = school.SITES[0].code[:7]
_SAMPLE = {"batch": school.BATCH, "workflow": "diploma-registration", "by": "unit", "confidence": "95", "error": "10",
           "size": "20", "seed": "2024"}  # fmt: skip


def _samples(_: Site, auditor: Person) -> str:
    for seed in ("2024", "2025"):
        auditor.post("/audit/samples", {**_SAMPLE, "seed": seed})
    return "/audit/samples"


def _sample(_: Site, auditor: Person) -> str:
    address = str(auditor.post("/audit/samples", _SAMPLE).headers["location"])
    auditor.get(re.findall(r'href="(/audit/cases/[^"]+)"', auditor.get(address).text)[0])
    return address


def _papers(_: Site, auditor: Person) -> str:
    for number in range(MANY):
        auditor.post("/audit/papers", {"batch": school.BATCH, "text": f"第 {number} 条", "conclusion": "sound"})
    return f"/audit/papers?batch={school.BATCH}"


def _seals(site: Site, auditor: Person) -> str:
    make_key(site.house.settings.seal_key_file, None)
    with site.house.desks.borrowed() as office:
        sealer = sealer_of(site.house.settings, office.log)
    assert sealer is not None
    for _ in range(MANY):
        auditor.get("/audit/samples")  # a look, which the next head seals
        with site.house.desks.borrowed() as office:
            seal(office.desk.connection, sealer, "test", site.watch)
    return "/audit/seals"


def _renamed(site: Site, _: Person) -> None:
    with site.house.desks.borrowed() as office:
        for number in range(MANY):
            rename_unit(office.desk, evening.SITE, f"文昭第{number}教学点", at=site.watch.at, actor=school.HEAD)


def _audited_changes(site: Site, person: Person) -> str:
    _renamed(site, person)
    return "/audit/changes"


def _changes(site: Site, person: Person) -> str:
    _renamed(site, person)
    return "/admin/changes"


def _delegations(site: Site, _: Person) -> str:
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        for number in range(MANY):
            one = DelegationRow(
                giver=evening.APPROVER, taker=evening.OPERATOR, role="site_approver", unit=evening.SITE, case=None,
                reason=f"第 {number} 次出差", for_good=False, since="2024-05-01T00:00:00.000000Z",
                until="2024-05-02T00:00:00.000000Z",
            )  # fmt: skip
            add_delegation(office.desk.connection, one)
    return "/admin/delegations?over=1"


def _refused(site: Site, _: Person) -> str:
    given = {
        "what": f"site_approver@{evening.SITE}",
        "taker": evening.APPROVER,
        "until": "2024-05-20",
        "reason": "出差",
    }
    assert site.signed_in(evening.APPROVER).post("/me/delegations", given).status_code == 422
    return "/admin/delegations"


def _outbox(site: Site, _: Person) -> str:
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        for number in range(MANY):
            office.desk.connection.execute(
                "INSERT INTO mail (recipient, slot, state, not_before, attempts, epoch, answer, changed_at)"
                " VALUES (?, ?, 'failed', '2024-05-15T01:00:00.000000Z', 1, 0, '550', '2024-05-15T01:00:00.000000Z')",
                (f"person/{evening.APPROVER}", f"single/{number}"),
            )
    return "/admin/outbox?state=failed"


class Office(NamedTuple):
    """A table of an auditor or an administrator: whose, its page, the column by which rows are known, as both call it.

    `called` is what the access report calls it.
    """

    kind: str
    login: str
    page: Callable[[Site, Person], str]
    column: tuple[str, str]
    called: str
    names_people: bool = True


_OFFICES = [
    Office("samples", "auditor", _samples, ("种子", "种子"), "抽过的样本"),
    Office("sample", "auditor", _sample, ("", "件号"), "样本"),
    Office("papers", "auditor", _papers, ("底稿", "底稿"), "底稿"),
    Office("seals", "auditor", _seals, ("", "封存到"), "封存头", names_people=False),
    Office("audited-changes", "auditor", _audited_changes, ("记录号", "记录号"), "变更记录"),
    Office("people", "security-admin", lambda *_: "/admin/people", ("用户", "用户"), "人员与角色"),
    Office("units", "security-admin", lambda *_: f"/admin/units?at={_BRANCH}", ("代码", "代码"), "单位",
           names_people=False),
    Office("delegations", "security-admin", _delegations, ("理由", "理由"), "委派一览"),
    Office("delegations", "security-admin", _refused, ("为什么", "为什么"), "委派一览"),
    Office("outbox", "system-admin", _outbox, ("", "编号"), "邮件"),
    Office("changes", "security-admin", _changes, ("记录号", "记录号"), "变更记录"),
    Office("changes", "audit-admin", _changes, ("记录号", "记录号"), "变更记录"),
]  # fmt: skip


def column(page: str, label: str) -> list[str]:
    """A column of the last table of a page by its head, or (empty) by what its rows begin with, or its list."""
    cells = rf'<td data-label="{label}">(.*?)</td>' if label else r'<th scope="row">(.*?)</th>'
    found = re.findall(cells, page, re.DOTALL) or re.findall(r'<li><a href="/audit/cases/[^"]+">(.*?)</a>', page)
    return [plain(re.sub(r"<[^>]+>", "", one)) for one in found]


def plain(cell: object) -> str:
    """A value without what only a page writes beside it."""
    return unescape(str(cell)).strip().removeprefix("#").replace(",", "")


def pages(person: Person, address: str) -> list[str]:
    """A page and all that follow it."""
    found = [person.get(address).text]
    while following := re.search(r'rel="next" href="([^"]+)"', found[-1]):
        found.append(person.get(unescape(following[1])).text)
    return found


@pytest.mark.parametrize("one", _OFFICES, ids=lambda one: f"{one.kind}-{one.login}-{one.column[1]}")
def test_what_auditors_and_administrators_see_as_a_table_is_taken_along_row_by_row_after_a_proof_and_told(
    site: Site, one: Office
):
    person = site.signed_in(one.login)
    shown = pages(person, one.page(site, person))
    listed = [cell for page in shown for cell in column(page, one.column[0])]
    form = offered(shown[0])
    assert form[0].partition("?")[0] == f"/exports/{one.kind}"
    assert form[0] == offered(shown[-1])[0], "from each page all of it"

    site.watch.pass_by(minutes=16)
    late = person.post(*form)
    if one.names_people:
        assert late.headers["location"].startswith("/sign-in/again")
        assert told(site) == []
        answer = site.signed_in(one.login).post(*form)
    else:
        answer = late
    heads, *rows = load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)

    assert all(re.match(r"[一-鿿、]+ [A-Za-z]", str(head)) for head in heads), heads
    [place] = [place for place, head in enumerate(heads) if str(head).split()[0] == one.column[1]]
    assert [plain(row[place]) for row in rows] == listed
    assert len(shown) > 1 or len(listed) < MANY, "more than a page of it"
    [event] = told(site)
    assert f'"kind":"{one.kind}"' in event
    assert f'"rows":{len(rows)}' in event
    assert f'"sha256":"{sha256(answer.content).hexdigest()}"' in event
    report = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", site.signed_in("audit-admin").get("/admin/access").text))
    assert re.search(rf" {one.login} .* {one.called} {len(rows):,} 条 #\d+", report), report


def test_a_sample_says_of_each_case_its_unit_and_whether_it_was_opened(site: Site):
    auditor = site.signed_in("auditor")
    page = auditor.get(_sample(site, auditor)).text
    [_, *rows] = taken(auditor, page)
    units = re.findall(r'<h2 id="stratum-\d+">(.*?)</h2>', page)
    assert list(dict.fromkeys(row[1] for row in rows)) == units
    assert [row[2] for row in rows].count("已看") == 1


def test_people_who_were_looked_for_are_taken_along_alone_and_no_address_tells_the_name(site: Site):
    admin = site.signed_in("security-admin")
    page = admin.post("/admin/people", {"typed": "approver"}).text
    address, posted = offered(page)
    assert (address, posted) == ("/exports/people", {"typed": "approver"})
    [_, *rows] = taken(admin, page)
    assert [row[1] for row in rows] == column(page, "用户")
    assert all("approver" in str(row[1]) for row in rows)
    assert "approver" not in told(site)[0]


def test_the_roles_and_tokens_of_a_person_are_taken_along_as_the_page_shows_them_and_the_event_tells_of_nobody(
    site: Site,
):
    person = site.signed_in(evening.APPROVER)
    for name in ("报表", "核对"):
        person.post("/me/tokens", {"name": name, "scope_read": "on", "days": "30"})
        site.watch.pass_by(minutes=1)
    person.post("/me/tokens/end", {"name": "核对"})
    admin = site.signed_in("security-admin")
    page = admin.get(f"/admin/people/{evening.APPROVER}").text
    roles, tokens = all_offered(page)
    assert [roles, tokens] == [(f"/exports/person-{one}", {"of": evening.APPROVER}) for one in ("roles", "tokens")]

    [heads, *held], [_, *made] = (sheet(admin, form) for form in (roles, tokens))

    assert [str(one).split()[0] for one in heads] == ["姓名", "用户", "角色", "单位", "代码", "始于", "由谁给"]
    assert [str(row[2]) for row in held] == column(page.partition('id="give"')[0], "")
    assert {row[1:2] + row[3:5] for row in held} == {(evening.APPROVER, "第1分校第4教学点", evening.SITE)}
    assert [(row[2], row[3], row[7]) for row in made] == [("核对", "查看", "已终止"), ("报表", "查看", "有效")]
    assert not any(evening.APPROVER in event for event in told(site)), "what and how many, never who"
    assert [re.findall('"rows":([0-9]+)', event) for event in told(site)] == [[str(len(held))], ["2"]]
    site.watch.pass_by(minutes=16)
    assert admin.post(*roles).headers["location"].startswith("/sign-in/again")
    unknown = site.signed_in("security-admin").post("/exports/person-roles", {"of": "nobody-there"})
    assert unknown.status_code == 404


def test_ones_own_tokens_are_taken_along_without_another_proof_as_they_name_nobody(site: Site):
    person = site.signed_in(evening.APPROVER)
    person.post("/me/tokens", {"name": "报表", "scope_read": "on", "days": "30"})
    form = offered(person.get("/me/tokens").text)
    site.watch.pass_by(minutes=16)

    [heads, row] = sheet(person, form)

    assert [str(one).split()[0] for one in heads] == ["用途", "范围", "自", "至", "最近使用", "状况", "本人验证"]
    assert (row[0], row[1], row[4], row[5]) == ("报表", "查看", "从未", "有效")
    assert '"kind":"tokens"' in told(site)[0]


def test_a_table_with_more_than_a_workbook_holds_says_so_in_its_last_row(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exports, "MOST", 3)
    people = {evening.APPROVER: "/queue/todo", "security-admin": "/admin/people", "auditor": "/lists"}
    for login, address in people.items():
        person = site.signed_in(login)
        [_, *rows] = taken(person, person.get(address).text)
        assert len(rows) == 4
        assert str(rows[-1][0]) == "后面的没有列出：只列前 3 条"
        assert re.search('"(cases|rows)":3,', told(site)[-1]), "the row that says so is none"


def test_a_table_is_offered_only_to_those_whose_page_it_is(site: Site):
    whose: dict[str, set[str]] = {}
    for one in _OFFICES:
        whose.setdefault(one.kind, set()).add(one.login)
    staff, admins = (evening.APPROVER, school.HEAD), ("system-admin", "security-admin", "audit-admin", "auditor")
    for login in (*staff, *admins):
        person = site.signed_in(login)
        for kind, logins in whose.items():
            if login not in logins:
                assert person.post(f"/exports/{kind}?of=1", {}).status_code == 404, (login, kind)
    assert told(site) == []


def test_a_report_taken_out_goes_on_behind_what_is_read_at_once_newest_first_and_nothing_comes_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_CHUNK", 3)
    approver, admin = site.signed_in(evening.APPROVER), site.signed_in("audit-admin")
    number = case_ready(approver)
    for many in range(4):
        for _ in range(2):
            approver.get(f"/cases/{number}")
            site.watch.pass_by(seconds=30)
        approver.post("/exports/done" if many % 2 else "/exports/queue")
        site.watch.pass_by(seconds=30)

    book = admin.post("/admin/access/export", {"who": evening.APPROVER})

    sheet = load_workbook(BytesIO(book.content)).active
    heads, *rows = sheet.iter_rows(values_only=True)  # type: ignore[union-attr] # it has a sheet
    assert [row[-1] == "打开办件" for row in rows] == [False, True, True] * 4
    assert [row[0] for row in rows] == sorted({str(row[0]) for row in rows}, reverse=True)
    assert (heads[0], sheet.freeze_panes, sheet.auto_filter.ref) == ("时间", "A2", "A1:G13")  # type: ignore[union-attr]
    assert '"rows":12' in told(site)[-1]
