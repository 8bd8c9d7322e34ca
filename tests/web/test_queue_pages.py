"""The list of the queue page by page: what is folded, filters with their numbers, what is new, what one was told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest

from console.demo import evening, school
from console.web.queue import waiting
from engine.pinyin import order_key
from engine.records import case_of
from tests.web.conftest import Person, Site
from tests.web.test_deciding import approve, form_of, opened
from tests.web.test_queue import counted, numbers, ready

_TO_GO = {"全部": 60, "可直接办": 47, "需细看": 5, "受阻": 8}


@pytest.fixture
def approver(site: Site) -> Person:
    """The approver of the evening's teaching point, at a browser without a script."""
    return site.signed_in(evening.APPROVER)


@pytest.fixture(params=[waiting.SHORT, 10], ids=["short", "long"])
def length(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that is read as a whole, and one too long for that."""
    monkeypatch.setattr(waiting, "SHORT", request.param)


def way(html: str, rel: str) -> str:
    """The address of the page before (`prev`) or behind (`next`); empty where there is none."""
    found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    return "" if found is None else unescape(found[1])


def text(html: str) -> str:
    """A page as people read it."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def called(html: str) -> list[str]:
    """The names of those in a list, as they stand."""
    return [unescape(one) for one in re.findall(r'xj-row-name">([^<]+)<', html)]


def pages(person: Person, address: str) -> Iterator[str]:
    """A page of a list and all behind it."""
    while address:
        html = person.get(address).text
        yield html
        address = way(html, "next")


@pytest.mark.usefixtures("length")
def test_however_many_are_blocked_the_first_page_begins_with_what_can_be_done(
    approver: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PAGE", 8)
    monkeypatch.setattr(waiting, "FOLDED", 2)

    html = approver.get("/queue/todo").text

    assert counted(html) == _TO_GO
    look = numbers(approver.get("/queue/todo?lane=look").text)
    assert numbers(html)[2:] == [*look, ready(approver)], "two of the blocked, all to look at, the first that is ready"
    assert 'name="everything"' in html
    assert "看全部 8 件" in html
    assert len(numbers(approver.get("/queue/todo?lane=blocked").text)) == 8
    assert sorted(int(n) for n in re.findall(r"rule=[^\"]+\">[^<]*</a> <b>(\d+)</b>", html)) == [1, 2, 5]


def test_folding_costs_a_long_queue_one_statement_within_what_its_pages_are_allowed(
    narrow_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SHORT", 10)
    monkeypatch.setattr(waiting, "PAGE", 8)
    person = narrow_site.signed_in(evening.APPROVER)
    taken = []

    for folded in (20, 2):
        monkeypatch.setattr(waiting, "FOLDED", folded)
        person.get("/queue/todo")
        with narrow_site.counted() as found:
            assert person.get("/queue/todo").status_code == 200
        taken.append(len(found))

    assert taken[1] == taken[0] + 1 <= 12


@pytest.mark.usefixtures("length")
@pytest.mark.parametrize("query", ["", "sort=due", "lane=ready", "sort=number", "sort=pinyin"])
def test_page_behind_page_shows_every_case_once_and_the_way_back_is_the_way_there(
    approver: Person, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PAGE", 8)
    monkeypatch.setattr(waiting, "FOLDED", 2)
    forth = list(pages(approver, f"/queue/todo?{query}"))
    rows = [numbers(html) for html in forth]

    back = [forth[-1]]
    while way(back[-1], "prev"):
        back.append(approver.get(way(back[-1], "prev")).text)

    shown = [one for page in rows for one in page]
    assert len(shown) == len(set(shown)) == {"": 54, "lane=ready": 47}.get(query, 60)
    assert [numbers(html) for html in reversed(back)] == rows
    assert way(forth[0], "prev") == ""


@pytest.mark.usefixtures("length")
@pytest.mark.parametrize(
    "query", ["", "lane=ready", "sort=due", "sort=entered", "sort=unit", "sort=number", "sort=pinyin"]
)
def test_the_page_behind_goes_on_where_this_one_ended_though_its_last_case_was_decided_meanwhile(
    approver: Person, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "FOLDED", 2)
    can = numbers(approver.get("/queue/todo?lane=ready").text)
    monkeypatch.setattr(waiting, "PAGE", 60)
    every = numbers(approver.get(f"/queue/todo?{query}").text)
    place = next(at for at, one in enumerate(every) if at >= 19 and one in can)
    monkeypatch.setattr(waiting, "PAGE", place + 1)
    following = way(approver.get(f"/queue/todo?{query}").text, "next")
    rest = numbers(approver.get(following).text)

    assert approve(approver, every[place], form_of(opened(approver, every[place]))).status_code == 303

    assert rest == every[place + 1 : 2 * place + 2]
    assert numbers(approver.get(following).text)[: len(rest)] == rest
    more = approver.fragment(following).text
    assert numbers(more)[: len(rest)] == rest
    assert "<h2" not in more, "the lane has its head already"
    if query in ("sort=number", "sort=pinyin"):
        assert re.search(f"after=[0-9a-f]{{12}}~{every[place]}$", following), "what is personal stands in no address"


@pytest.mark.usefixtures("length")
def test_behind_a_case_one_may_not_know_of_or_that_is_none_a_list_begins_at_its_beginning(
    site: Site, approver: Person
) -> None:
    others = numbers(site.signed_in(school.ACCEPTING).get("/queue/todo?sort=due").text)
    unknown = next(one for one in reversed(others) if approver.get(f"/cases/{one}").status_code == 404)
    known = ready(approver, 30)

    for sort, after in (
        ("number", unknown),
        ("number", "x"),
        ("pinyin", unknown),
        ("pinyin", "x"),
        ("lane", known),
        ("lane", f"9~~{known}"),
        ("due", known),
    ):
        first = numbers(approver.get(f"/queue/todo?sort={sort}").text)
        assert numbers(approver.get(f"/queue/todo?sort={sort}&after={after}").text) == first, after


@pytest.mark.usefixtures("length")
def test_behind_the_last_of_all_there_is_a_way_back(approver: Person) -> None:
    html = approver.get("/queue/todo?after=2~9999-12-31T00:00:00.000000Z~ZZZZZZZZ").text

    assert numbers(html) == []
    assert len(numbers(approver.get(way(html, "prev")).text)) == 50


@pytest.mark.usefixtures("length")
def test_the_queue_stands_by_name_and_a_saved_filter_keeps_it_so(approver: Person) -> None:
    asked = approver.post("/queue/views", {"name": "点名", "query": "lane=ready&sort=pinyin"}).headers["location"]
    shown = [name for html in pages(approver, asked) for name in called(html)]
    every = [name for html in pages(approver, "/queue/todo?lane=ready") for name in called(html)]

    assert shown == sorted(every, key=order_key) != every
    assert f'href="{asked}"'.replace("&", "&amp;") in approver.get("/queue/views").text


@pytest.mark.usefixtures("length")
def test_the_order_can_be_chosen_at_the_list_and_in_the_form_of_filters(approver: Person) -> None:
    menu = re.findall(r'<a href="([^"]+)"( aria-current="true")?>按姓名拼音</a>', approver.get("/queue/todo").text)
    assert menu == [("/queue/todo?sort=pinyin", "")]

    html = approver.get("/queue/todo?sort=pinyin").text
    form = approver.get("/queue/filters?query=sort%3Dpinyin").text

    assert '<a href="/queue/todo?sort=pinyin" aria-current="true">按姓名拼音</a>' in html
    assert '<option value="pinyin" selected>按姓名拼音</option>' in form
    in_order = [name for html in pages(approver, "/queue/todo?sort=pinyin") for name in called(html)]
    assert in_order == sorted(in_order, key=order_key)


@pytest.mark.usefixtures("length")
@pytest.mark.parametrize("sort", ["due", "entered", "unit", "pinyin"])
def test_after_a_decision_the_next_case_of_the_list_opens_in_whichever_order_it_stands(
    approver: Person, sort: str
) -> None:
    can = numbers(approver.get(f"/queue/todo?lane=ready&sort={sort}").text)

    html = approver.get(f"/queue/todo?lane=ready&sort={sort}&case={can[20]}").text
    there = approve(approver, can[20], {**form_of(html), "from": f"lane=ready&sort={sort}"}).headers["location"]

    following = dict(parse_qsl(urlsplit(there).query))
    assert (following["sort"], following["case"]) == (sort, can[21])


def test_no_address_of_a_queue_by_name_says_how_anybody_is_called(approver: Person) -> None:
    every = list(pages(approver, "/queue/todo?sort=pinyin"))
    said = {part for html in every for name in called(html) for part in order_key(name).split()}

    ways = [way(html, rel) for html in every for rel in ("next", "prev")]

    assert len(every) > 1
    assert not [part for part in said if len(part) > 3 and any(part in unquote(one) for one in ways)]


def test_asked_for_by_htmx_more_rows_are_put_behind_those_that_are_there(approver: Person) -> None:
    first = approver.get("/queue/todo").text
    following = way(first, "next")

    more = approver.fragment(following).text

    assert "<html" not in more
    assert numbers(more) == numbers(approver.get(following).text)
    assert "<h2" not in more, "the lane has its head already"
    assert 'name="shown"' in more
    assert f'hx-get="{following}" hx-target="#xj-more"'.replace("&", "&amp;") in first


def test_a_form_offers_every_filter_and_each_number_is_that_of_exactly_those_cases(
    approver: Person, length: None
) -> None:
    del length
    form = approver.get("/queue/filters?query=lane%3Dready").text

    offered = {
        name: re.findall(r'<option value="([^"]+)"[^>]*>([^<]*)</option>', body)
        for name, body in re.findall(r'<select[^>]* name="(\w+)".*?>(.*?)</select>', form, re.DOTALL)
    }
    assert {*offered, *re.findall(r'<input[^>]* name="(due|cohort)"', form)} == {
        "wf", "state", "batch", "unit", "lane", "rule", "caution", "level", "who", "due", "cohort",
        "sort",
    }  # fmt: skip
    assert re.search(r'<option value="ready" selected', form), "as the queue was filtered"
    for name in ("wf", "state", "batch", "unit", "rule"):
        assert offered[name]
        for value, words in offered[name]:
            [(said, many)] = re.findall(r"^(.+)（(\d+)）$", unescape(words))
            page = approver.get(f"/queue/todo?{name}={value}").text
            assert counted(page)["全部"] == int(many)
            assert re.search(rf'xj-chip-on" href="[^"]*">\s*{re.escape(said)}', page), "the chip says it in words"
            assert value != said


def test_a_filter_under_which_nothing_waits_stays_chosen_in_the_form(approver: Person) -> None:
    form = approver.get("/queue/filters?query=unit%3D511610201").text

    assert re.search(r'<option value="511610201" selected>第2分校第1教学点</option>', form)


def test_a_filter_stays_chosen_in_the_form_of_somebody_for_whom_nothing_of_its_kind_waits(site: Site) -> None:
    person = site.signed_in(school.operator(school.SITES[0].code))
    asked = {
        "wf": "diploma-registration", "state": "applied", "batch": school.BATCH, "unit": "511610201",
        "rule": "electronic-photo", "cohort": "2021", "due": "2024-05-15",
    }  # fmt: skip

    form = person.get(f"/queue/filters?{urlencode({'query': urlencode(asked)})}").text

    chosen = {
        name: re.findall(r'value="([^"]+)" selected', body)
        for name, body in re.findall(r'<select[^>]* name="(\w+)".*?>(.*?)</select>', form, re.DOTALL)
    }
    typed = dict(re.findall(r'name="(cohort|due)" type="\w+" value="([^"]*)"', form))
    assert {name: value for name, [value] in ((name, many) for name, many in chosen.items() if many)} | typed == asked


def test_a_filter_for_a_day_says_that_the_day_counts(approver: Person) -> None:
    assert "5月15日 24:00 前到期" in text(approver.get("/queue/todo?due=2024-05-15").text)


def test_as_many_are_counted_as_done_as_the_list_shows_those_taken_back_too(approver: Person) -> None:
    first = ready(approver)
    approve(approver, first, form_of(opened(approver, first)))
    approver.post(f"/cases/{first}/undo", {"from": ""})

    shown = sum(html.count('<th scope="row"') for html in pages(approver, "/queue/done"))

    for address in ("/queue/done", "/queue/todo"):
        assert f"已办 {shown} " in text(approver.get(address).text)


def test_an_empty_choice_of_the_form_filters_nothing(approver: Person) -> None:
    html = approver.get("/queue/todo?wf=&state=&batch=&unit=&lane=&rule=&caution=&level=&cohort=&due=&who=").text

    assert counted(html) == _TO_GO
    assert "xj-chip-on" not in html


def test_where_all_wait_for_others_it_is_said_and_whom_they_wait_for_is_one_click_away(approver: Person) -> None:
    html = approver.get("/queue/todo?rule=electronic-photo&lane=ready").text

    assert "5 件都在等别人。" in html
    [address] = re.findall(r'都在等别人。 <a href="([^"]+)">看在等谁', html)
    assert len(numbers(approver.get(unescape(address)).text)) == 5


def test_at_a_unit_where_one_has_no_right_it_is_said_whom_to_ask(approver: Person) -> None:
    html = approver.get(f"/queue/todo?unit={school.SITES[0].code}").text

    assert f"您在“{school.SITES[0].name}”还没有权限，请找 孙宁。" in html


def test_whoever_has_nothing_to_do_reads_what_is_due_next(site: Site) -> None:
    elsewhere = site.signed_in(school.operator(school.SITES[0].code))

    assert "现在没有待办。接下来：审核截止、名单报送截止、照片包截止 5月15日" in elsewhere.get("/queue/todo").text


def back_again(site: Site, number: str) -> None:
    """The second approver approves a case, thinks again, and it is there once more."""
    second = site.signed_in(evening.SECOND)
    assert approve(second, number, form_of(opened(second, number))).status_code == 303
    site.watch.pass_by(seconds=5)
    assert second.post(f"/cases/{number}/undo", {}).status_code == 303


def test_what_has_come_since_one_signed_in_is_marked_new_until_it_is_opened(site: Site, approver: Person) -> None:
    number = ready(approver)
    new = re.compile(rf'id="row-{number}".*?</li>', re.DOTALL)

    def is_new() -> bool:
        [row] = new.findall(approver.get("/queue/todo").text)
        return ">新</span>" in re.sub(r"<svg.*?</svg>", "", row)

    assert not is_new()
    back_again(site, number)

    assert is_new()
    approver.get(f"/queue/todo?case={number}")
    assert not is_new()


def test_how_many_came_is_told_in_one_line_that_counts_on(site: Site, approver: Person) -> None:
    one, other = ready(approver), ready(approver, 1)
    second = site.signed_in(evening.SECOND)
    for number in (one, other):
        approve(second, number, form_of(opened(second, number)))
    [pulse] = re.findall(r'hx-get="(/queue/pulse[^"]+)"', approver.get("/queue/todo").text)
    told = []

    for number in (one, other):
        site.watch.pass_by(seconds=5)
        second.post(f"/cases/{number}/undo", {})
        told.append(approver.fragment(unescape(pulse)).text)
        [pulse] = re.findall(r'hx-get="(/queue/pulse[^"]+)"', told[-1])

    said = [re.findall(r"有 (\d) 件新到", html) for html in told]
    assert said == [["1"], ["2"]]
    assert all('hx-target="#xj-came" hx-swap="innerHTML"' in html for html in told), "in place of what was said before"


def test_what_one_was_told_has_a_name_a_time_and_is_unread_until_the_case_is_opened(
    site: Site, approver: Person
) -> None:
    number = ready(approver)
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute(
            "INSERT INTO outbox (chain, seq, recipient, message) VALUES (?, 1, ?, 'urged')",
            (case_of(number), f"person/{evening.APPROVER}"),
        )

    def line() -> str:
        [row] = [one for one in approver.get("/queue/copies").text.split("<tr>") if f"/cases/{number}" in one]
        return text(row)

    assert "催办" in line()
    assert "urged" not in line()
    assert re.search(r"\d+月\d+日", line())
    assert "未读" in line()
    approver.get(f"/cases/{number}")
    assert "已读" in line()


def test_whoever_has_many_units_sees_which_are_looked_at_and_which_are_done(site: Site) -> None:
    person = site.signed_in(school.ACCEPTING)
    unit, _ = next(lines_of(person))
    cases = numbers(person.get(f"/queue/todo?unit={unit}").text)
    for number in cases[:2]:
        person.get(f"/queue/todo?unit={unit}&case={number}")
    approve_there(person, cases[2])

    now = dict(lines_of(person))[unit]

    assert [int(n) for n in now[-2:]] == [2, 1]
    assert {*numbers(person.get(f"/queue/todo?unit={unit}&who=seen").text)} == {*cases[:2]}
    done = person.get(f"/queue/done?unit={unit}&day=2024-05-15").text
    assert re.findall(r'<th scope="row"[^>]*><a href="/cases/(\w+)"', done) == [cases[2]]
    assert "/cases/" not in re.sub(r"<nav.*?</nav>", "", person.get(f"/queue/done?unit={unit}&day=2024-05-14").text)


def lines_of(person: Person) -> Iterator[tuple[str, list[str]]]:
    """The units of a table of what waits, each with its numbers."""
    html = person.get("/queue/todo").text
    for line in html.split("<tr>")[2:]:
        yield re.findall(r"unit=(\w+)", line)[0], re.findall(r'class="xj-num"[^>]*><a [^>]*>(\d+)</a>', line)


def approve_there(person: Person, number: str) -> None:
    """Take the step the open case offers first."""
    html = opened(person, number)
    person.site.watch.pass_by(seconds=5)
    trigger = re.findall(r'<form id="approve"[^>]* action="/cases/\w+/do/(\w+)"', html)[0]
    assert person.post(f"/cases/{number}/do/{trigger}", form_of(html)).status_code == 303
