"""The queue over HTTP: what it shows to whom, under which filter, with how many statements; finding; saved filters."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from console.demo import evening, school
from console.web.queue import waiting
from engine.records import case_of
from tests.web.conftest import Person, Site

_PAGE_STATEMENTS, _FRAGMENT_STATEMENTS, _LIST_STATEMENTS = 10, 9, 7
"""The specification allows 11, 9 and 11 (console.md 7.2); whoever needs one more says so there."""


@pytest.fixture
def approver(site: Site) -> Person:
    """The approver of the evening's teaching point, at a browser without a script."""
    return site.signed_in(evening.APPROVER)


def numbers(html: str) -> list[str]:
    """The numbers of the cases in a list, in its order."""
    return re.findall(r'id="row-(\w+)"', html)


def counted(html: str) -> dict[str, int]:
    """The numbers above the list."""
    part = html[html.index('class="xj-lanes"') :]
    return {name: int(count) for name, count in re.findall(r">(全部|可直接办|需细看|受阻) ([\d,]+)</a>", part)}


def ready(person: Person, place: int = 0) -> str:
    """A case that nothing but the person's own decision is missing to."""
    return numbers(person.get("/queue/todo?lane=ready").text)[place]


def heading(html: str) -> str:
    """The one head line of a page."""
    [found] = re.findall(r"<h1[^>]*>(.*?)</h1>", html, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found).strip()


def test_the_evening_waits_for_its_approver_case_by_case(approver: Person) -> None:
    html = approver.get("/queue/todo").text

    counts = counted(html)
    assert counts == {"全部": 60, "可直接办": 47, "需细看": 5, "受阻": 8}
    assert len(numbers(html)) == 50


def test_every_number_is_a_link_to_exactly_those_cases(approver: Person) -> None:
    html = approver.get("/queue/todo").text
    counts = counted(html)

    for lane, name in (("blocked", "受阻"), ("look", "需细看"), ("ready", "可直接办")):
        page = approver.get(f"/queue/todo?lane={lane}").text
        assert len(numbers(page)) == min(50, counts[name])
    rules = re.findall(r'href="(/queue/todo\?rule=[^"]+)">[^<]*</a> <b>(\d+)</b>', html)
    assert sorted(int(count) for _, count in rules) == [1, 2, 5]
    for address, count in rules:
        assert len(numbers(approver.get(address).text)) == int(count)


def test_a_case_sent_back_and_filed_again_says_for_which_time_and_why_it_was_sent_back(approver: Person) -> None:
    filed_again = numbers(approver.get("/queue/todo?caution=sent-back").text)

    assert len(filed_again) == 2
    middle = approver.get(f"/queue/todo?case={filed_again[0]}").text
    assert "第 2 次报送" in middle
    assert "您 退回：“电子照片不是本人近照，请重采后再报”" in middle


def test_the_second_page_goes_on_where_the_first_ended(approver: Person) -> None:
    first = approver.get("/queue/todo").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None

    second = numbers(approver.get(following[1].replace("&amp;", "&")).text)

    assert len(second) == 10
    assert not set(second) & set(numbers(first))


_ASKED = (
    "", "lane=blocked", "rule=electronic-photo", "rule=distinct-persons", "caution=corrected", "sort=due",
    "sort=number", "sort=entered", "batch=2024-06", "unit=511610104", "due=2024-05-15", "level=本科",
    "unit=none-such",
)  # fmt: skip


def test_a_queue_too_long_to_be_read_as_a_whole_shows_the_same(
    approver: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(query: str) -> tuple[dict[str, int], list[str], list[str], list[tuple[str, str]]]:
        html = approver.get(f"/queue/todo?{query}").text
        rows = numbers(html)
        middle = approver.get(f"/queue/todo?{query}&case={rows[3]}").text if len(rows) > 3 else ""
        holdups = re.findall(r'href="(/queue/todo\?rule=[^"]+)">[^<]*</a> <b>(\d+)</b>', html)
        return counted(html), rows, re.findall(r"第 (\d+) / (\d+) 件", middle), sorted(holdups)

    short = [shown(query) for query in _ASKED]
    monkeypatch.setattr(waiting, "SHORT", 10)

    assert [shown(query) for query in _ASKED] == short


def test_in_a_long_queue_too_a_decision_leads_to_the_case_behind(
    approver: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SHORT", 10)
    first, second = ready(approver), ready(approver, 1)
    fields = dict(
        re.findall(r'name="(seen|seq|request)" value="([^"]*)"', approver.get(f"/queue/todo?case={first}").text)
    )

    answer = approver.post(f"/cases/{first}/do/site_approve", fields)

    assert f"case={second}" in answer.headers["location"]


def test_what_an_old_bookmark_says_and_no_queue_knows_is_passed_over(approver: Person) -> None:
    assert counted(approver.get("/queue/todo?lane=sideways&sort=pretty&colour=red&due=soon").text)["全部"] == 60


def test_nothing_matches_and_the_way_back_to_everything_is_offered(approver: Person) -> None:
    html = approver.get("/queue/todo?batch=2019-01").text

    assert "筛选条件下没有。" in html
    assert "清除筛选，看全部 60 件" in html


def test_whoever_has_nothing_to_do_is_told_so(site: Site) -> None:
    elsewhere = site.signed_in(school.operator(school.SITES[0].code))

    assert "现在没有待办" in elsewhere.get("/queue/todo").text


def test_a_queue_is_for_staff_and_another_name_for_it_is_no_page(site: Site, approver: Person) -> None:
    assert site.signed_in("auditor").get("/queue/todo").status_code == 404
    assert approver.get("/queue/everything").status_code == 404
    assert site.stranger().get("/queue/todo").headers["location"].startswith("/sign-in")


def test_the_open_case_stands_between_list_and_evidence(approver: Person) -> None:
    number = ready(approver)
    html = approver.get(f"/queue/todo?case={number}").text

    assert heading(html) in html[html.index(f'id="row-{number}"') :]
    assert "条全部符合" in html
    assert f'action="/cases/{number}/do/site_approve"' in html
    assert 'aria-current="true"' in html
    assert re.search(r"第 \d+ / 60 件", html)


def test_the_number_of_the_identity_document_is_masked_in_the_queue(approver: Person) -> None:
    html = approver.get(f"/queue/todo?case={ready(approver)}").text

    assert re.search(r"\d{4}\*\*\*\*\d{3}[\dX]", html)
    assert not re.search(r"\b\d{17}[\dX]\b", html)


def test_a_case_that_is_not_for_the_person_is_no_page(site: Site, approver: Person) -> None:
    number = ready(approver)
    elsewhere = site.signed_in(school.approver(school.SITES[0].code))

    assert elsewhere.get(f"/queue/todo?case={number}").status_code == 404
    assert elsewhere.fragment(f"/queue/todo?case={number}").status_code == 404


def test_opening_a_case_says_to_others_that_one_is_at_it_and_keeps_the_look(site: Site, approver: Person) -> None:
    number = ready(approver)
    approver.get(f"/queue/todo?case={number}")

    second = site.signed_in(evening.SECOND)
    assert "周敏正在处理 1 分钟" in second.get(f"/queue/todo?case={number}").text
    with site.house.desks.borrowed() as office:
        sql = "SELECT login FROM access_row WHERE case_id = ? ORDER BY id"
        rows = office.desk.connection.execute(sql, (case_of(number),)).fetchall()
    assert [login for (login,) in rows] == [evening.APPROVER, evening.SECOND]


def test_a_claim_ends_by_itself_after_three_minutes_unless_the_page_asks_again(site: Site, approver: Person) -> None:
    number = ready(approver)
    approver.get(f"/queue/todo?case={number}")
    second = site.signed_in(evening.SECOND)
    site.watch.pass_by(minutes=2, seconds=50)
    approver.get(f"/queue/pulse?query=case%3D{number}")
    site.watch.pass_by(minutes=1)

    assert "周敏正在处理 4 分钟" in second.get("/queue/todo").text
    site.watch.pass_by(minutes=3)
    assert "正在处理" not in second.get("/queue/todo").text


def test_a_row_that_is_clicked_brings_its_case_and_both_rows(site: Site, approver: Person) -> None:
    one, other = ready(approver), ready(approver, 1)
    asked = {"HX-Request": "true", "HX-Current-URL": f"{site.address}/queue/todo?case={one}"}

    html = approver.get(f"/queue/todo?case={other}", **asked).text

    assert "<html" not in html
    assert set(re.findall(r'hx-target="#row-(\w+)" hx-swap="outerHTML"', html)) == {one, other}
    assert 'hx-target="#xj-evidence"' in html


def test_the_pulse_is_silent_until_something_changes(site: Site, approver: Person) -> None:
    html = approver.get("/queue/todo").text
    found = re.search(r'hx-get="(/queue/pulse[^"]+)"', html)
    assert found is not None
    address = found[1].replace("&amp;", "&")
    assert approver.fragment(address).status_code == 204

    number = ready(approver)
    site.signed_in(evening.SECOND).get(f"/queue/todo?case={number}")

    told = approver.fragment(address)
    assert told.status_code == 200
    assert "王建国正在处理" in told.text
    assert f'hx-target="#claim-{number}"' in told.text


def test_statements_of_the_queue_are_few(narrow_site: Site) -> None:
    person = narrow_site.signed_in(evening.APPROVER)
    one, other = ready(person), ready(person, 1)
    person.get(f"/queue/todo?case={one}")

    with narrow_site.counted() as listed:
        person.get("/queue/todo")
    with narrow_site.counted() as page:
        person.get(f"/queue/todo?case={other}")
    with narrow_site.counted() as fragment:
        person.fragment(f"/queue/todo?case={one}")

    assert len(listed) <= _LIST_STATEMENTS
    assert len(page) <= _PAGE_STATEMENTS
    assert len(fragment) <= _FRAGMENT_STATEMENTS


def test_statements_of_a_queue_too_long_to_be_read_as_a_whole_are_counted(
    narrow_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SHORT", 10)
    person = narrow_site.signed_in(evening.APPROVER)
    pages = {"/queue/todo": 12, f"/queue/todo?case={ready(person)}": 19}
    for address, most in pages.items():
        with narrow_site.counted() as found:
            assert person.get(address).status_code == 200
        assert len(found) <= most, (address, found)


def test_what_one_typed_into_the_find_box_stands_in_no_address(approver: Person) -> None:
    html = approver.get(f"/queue/todo?case={ready(approver)}").text
    name = heading(html)

    answer = approver.post("/find", {"q": name})

    assert answer.status_code == 303
    assert name not in answer.headers["location"]
    page = approver.get(answer.headers["location"])
    assert name in page.text


@pytest.mark.parametrize("dashed", [pytest.param(True, id="with the dash"), pytest.param(False, id="without")])
def test_a_case_is_found_by_its_number(approver: Person, *, dashed: bool) -> None:
    number = ready(approver)
    typed = f"{number[:4]}-{number[4:]}" if dashed else number.lower()

    assert approver.post("/find", {"q": typed}).headers["location"] == f"/cases/{number}"


def test_a_search_finds_nothing_of_other_units_and_is_read_by_its_session_only(site: Site, approver: Person) -> None:
    number = ready(approver)
    elsewhere = site.signed_in(school.approver(school.SITES[0].code))
    handle = elsewhere.post("/find", {"q": number}).headers["location"]

    assert "没有找到" in elsewhere.get(handle).text
    assert approver.get(handle).status_code == 404


def test_a_filter_is_kept_under_a_name_and_forgotten_again(approver: Person) -> None:
    saved = approver.post("/queue/views", {"name": "今天的再报", "query": "caution=late&case=X", "pinned": "1"})
    assert dict(parse_qsl(urlsplit(saved.headers["location"]).query)) == {"caution": "late"}

    assert "今天的再报" in approver.get("/queue/todo").text
    page = approver.get("/queue/views").text
    [drop] = re.findall(r'name="drop" value="([^"]+)"', page)
    approver.post("/queue/views", {"drop": drop})
    assert "今天的再报" not in approver.get("/queue/todo").text


def test_a_filter_for_the_unit_is_there_for_the_others_who_cannot_drop_it(site: Site, approver: Person) -> None:
    approver.post("/queue/views", {"name": "今晚先办", "query": "lane=look", "pinned": "1", "shared": "1"})
    second = site.signed_in(evening.SECOND)

    assert "今晚先办" in second.get("/queue/todo").text
    assert 'name="drop"' not in second.get("/queue/views").text


def test_a_filter_without_a_name_is_not_kept(approver: Person) -> None:
    assert approver.post("/queue/views", {"name": "", "query": ""}).status_code == 422


@pytest.mark.parametrize("which", ["done", "mine", "copies"])
def test_the_other_lists_open_for_everybody_on_the_staff(approver: Person, which: str) -> None:
    answer = approver.get(f"/queue/{which}")

    assert answer.status_code == 200
    assert heading(answer.text)


def test_what_was_done_this_afternoon_is_under_done_the_last_first(approver: Person) -> None:
    html = approver.get("/queue/done").text

    assert "同意" in html
    times = re.findall(r'data-label="时间">今天 (\d\d:\d\d)', html)
    assert times == sorted(times, reverse=True)
    assert times
    assert "撤回" in html


def test_what_is_due_within_three_working_days_stands_under_the_bar_for_the_staff(site: Site, approver: Person) -> None:
    line = "审核截止、名单报送截止、照片包截止：今天 24:00"

    for address in ("/queue/todo", "/queue/done", "/batches", "/me"):
        assert line in approver.get(address).text
    assert "xj-due-strip" not in site.signed_in("auditor").get("/batches").text
    site.watch.pass_by(hours=6, minutes=30)
    assert "xj-due-strip" not in site.signed_in(evening.APPROVER).get("/queue/todo").text, "it is over"


def test_how_many_wait_is_told_on_every_page(approver: Person) -> None:
    first = ready(approver)
    for address in ("/queue/todo", "/queue/done", "/batches", "/lists", "/me", f"/cases/{first}", "/nowhere"):
        assert '<span class="xj-bar-count">60</span>' in approver.get(address).text, address

    fields = re.findall(r'name="(seen|seq|request)" value="([^"]*)"', approver.get(f"/queue/todo?case={first}").text)
    approver.post(f"/cases/{first}/do/site_approve", dict(fields))

    assert '<span class="xj-bar-count">59</span>' in approver.get("/batches").text


def test_those_who_mend_what_holds_cases_up_are_told_once_a_day_from_the_queue(site: Site, approver: Person) -> None:
    shown = approver.post("/queue/nudge", {"rule": "electronic-photo", "filter": "sort=due"}).headers["location"]
    page = approver.get(shown).text
    assert "请办“有电子照片”——补交电子照片（第1分校第4教学点 5 名学生）。" in page
    assert "林芳" in page

    back = approver.post(shown, {}).headers["location"]

    assert back.startswith("/queue/todo?sort=due&nudged=")
    assert "已催办：待发 1 · 没有地址 0 · 今天已催过 0" in _read(approver.get(back).text)
    assert "今天 17:31 已催" in approver.get("/queue/todo").text
    again = approver.post("/queue/nudge", {"rule": "electronic-photo"}).headers["location"]
    assert "已催过，明天可再催" in approver.get(again).text
    assert site.signed_in(evening.SECOND).get(shown).status_code == 404


@pytest.mark.parametrize("rule", ["", "no-such-rule", "distinct-persons", "file-signed"])
def test_nobody_is_told_of_what_holds_nothing_up_or_nobody_mends(approver: Person, rule: str) -> None:
    assert approver.post("/queue/nudge", {"rule": rule}).status_code == 404


def test_what_somebody_put_into_an_address_is_not_said_by_the_page(approver: Person) -> None:
    assert "请改用别的账号" not in approver.get("/queue/todo?said=请改用别的账号").text


def test_a_reason_given_before_is_one_press_away(approver: Person) -> None:
    number = ready(approver)
    html = approver.get(f"/cases/{number}/do/site_return").text
    [address] = re.findall(r'<li><a href="([^"]+)"[^>]*>[^<]*</a> <span class="xj-quiet">您用过</span>', html)

    filled = approver.get(address.replace("&amp;", "&")).text

    assert ">电子照片不是本人近照，请重采后再报</textarea>" in filled
    assert "preset" not in approver.get(f"/cases/{number}/do/site_approve").text


def test_a_reason_that_names_a_student_is_offered_for_no_other(approver: Person) -> None:
    first = ready(approver)
    name = re.search(r"<h1>([^<]+?)\s", approver.get(f"/cases/{first}").text)
    assert name
    form = approver.get(f"/cases/{first}/do/site_return").text
    given = {
        "seen": re.findall(r'name="seen" value="([^"]+)"', form)[0],
        "reason": f"{name[1].strip()}的照片不清，请重采后再报",
    }
    assert approver.post(f"/cases/{first}/do/site_return", {**given, "to": "enrolled"}).status_code in (200, 303)

    html = approver.get(f"/cases/{ready(approver)}/do/site_return").text

    assert "电子照片不是本人近照，请重采后再报" in html
    assert name[1].strip() + "的照片不清" not in html


def _read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())
