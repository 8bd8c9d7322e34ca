"""The page of a batch: every number leads to exactly those cases, all see their own units, nobody is urged twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html import unescape
from io import BytesIO

import pytest
from openpyxl import load_workbook

from console.demo import evening, school
from engine.daybook import keep_days
from engine.eligibility import eligibility
from engine.facts import write_facts
from engine.records import Request
from exchange.plain_tables import long_table_workbook, table_workbook
from tests.web.conftest import Person, Site
from tests.web.test_bulk_decisions import done, said

BATCH = f"/batches/{school.BATCH}"
SITE, OTHER = evening.SITE, school.SITES[0]
_NUMBER = re.compile(r'<a class="xj-number[^"]*" href="([^"]+)">([\d,]+)</a>')
_HEAD = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


@pytest.fixture
def head(site: Site) -> Person:
    """The head of the records section, with the days of the batch kept."""
    with site.house.desks.borrowed() as office:
        keep_days(office.desk, site.watch.at)
    return site.signed_in(school.HEAD)


def numbers(page: str) -> list[tuple[str, int]]:
    return [(unescape(address), int(shown.replace(",", ""))) for address, shown in _NUMBER.findall(page)]


def title(page: str) -> str:
    found = _HEAD.findall(page)
    assert len(found) == 1, "one first heading a page"
    return unescape(re.sub(r"<[^>]+>", "", found[0])).strip()


def urged(site: Site) -> list[tuple[str, str, str]]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT scope, role, about FROM urged ORDER BY scope, role").fetchall()
    return [(str(scope), str(role), str(about)) for scope, role, about in rows]


# --- what the page says --------------------------------------------------------------------------


def test_every_number_leads_to_a_list_of_exactly_as_many_students(head: Person):
    found = numbers(head.get(BATCH).text)
    assert len(found) > 40
    for address, count in dict(found).items():
        assert title(head.get(address).text).endswith(f"{count:,} 人"), address


def test_the_units_of_a_column_add_up_to_the_funnel(head: Person):
    page = head.get(BATCH).text
    of_units = [(address, count) for address, count in numbers(page) if "unit=" in address and "key=unready" in address]
    below = [count for address, count in of_units if any(f"unit={one.code}" in address for one in school.SITES)]
    whole = re.search(r"条件未齐 (\d+)</a>", page)
    assert whole is not None
    assert sum(below) == int(whole[1])


def test_a_list_names_the_students_and_what_they_lack_and_its_address_names_nobody(head: Person):
    address, count = next((one for one in numbers(head.get(BATCH).text) if "key=fails" in one[0] and one[1]), ("", 0))
    page = head.get(address).text
    assert page.count("<tr>") == 1 + min(count, 50)
    assert re.search(r'href="/cases/[0-9A-Z]{4}-[0-9A-Z]{4}"', page)
    assert not re.search(r"\d{9,}", address)


def test_a_long_list_goes_on_page_by_page_and_names_everybody_once(head: Person):
    address, seen = f"{BATCH}/cases?key=expected", list[str]()
    while address:
        page = head.get(address).text
        seen += re.findall(r'href="/cases/([0-9A-Z-]{9})"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(following[1]) if following else ""
    assert len(seen) == len(set(seen))
    assert title(head.get(f"{BATCH}/cases?key=expected").text).endswith(f"{len(seen)} 人")


def test_a_list_is_put_in_the_order_of_a_column_and_read_forth_and_back(head: Person):
    whole: dict[str, list[str]] = {}
    for by in ("", "unit", "-unit", "state", "-lacking"):
        address, page, pages = f"{BATCH}/cases?key=expected&by={by}", "", list[list[str]]()
        while address:
            page = head.get(address).text
            pages.append(re.findall(r'href="/cases/([0-9A-Z-]{9})"', page))
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = unescape(following[1]) if following else ""
        back = re.search(r'rel="prev" href="([^"]+)"', page)
        assert back is not None
        assert re.findall(r'href="/cases/([0-9A-Z-]{9})"', head.get(unescape(back[1])).text) == pages[-2]
        whole[by] = [one for some in pages for one in some]
        assert len(whole[by]) == len({*whole[by]})
    assert {frozenset(one) for one in whole.values()} == {frozenset(whole[""])}
    assert whole["unit"] != whole["-unit"]
    units = re.findall(r'data-label="单位">([^<]+)<', head.get(f"{BATCH}/cases?key=expected&by=unit").text)
    assert units == sorted(units)
    page = head.get(f"{BATCH}/cases?key=expected&by=-lacking").text
    assert 'aria-sort="descending"' in page
    assert 'data-label="缺什么">—<' not in page.partition("</tr>")[2].partition("</tr>")[0]
    assert head.get(f"{BATCH}/cases?key=expected&by=nothing").text.count("<tr>") > 1


def test_the_answer_is_a_sentence_and_without_five_days_it_foretells_nothing(site: Site):
    page = site.signed_in(school.HEAD).get(BATCH).text
    assert "数据还少，暂不预测" in page
    with site.house.desks.borrowed() as office:
        keep_days(office.desk, site.watch.at)
    page = site.signed_in(school.HEAD).get(BATCH).text
    assert re.search(r"照现在的速度赶不上：到 5月15日 24:00 约差 \d+ 人", page)
    assert "近 5 个工作日平均每天申请" in page


def test_the_drawings_are_plain_svg_with_titles_and_no_style(head: Person):
    page = head.get(BATCH).text
    drawn = re.findall(r"<svg\b.*?</svg>", page, re.DOTALL)
    assert len(drawn) > 20
    for one in drawn:
        assert "style" not in one
        assert "<title" in one or 'aria-hidden="true"' in one


# --- who sees what -------------------------------------------------------------------------------


def test_unit_staff_see_their_own_units_and_nothing_of_the_others(site: Site):
    page = site.signed_in(evening.OPERATOR).get(BATCH).text
    own = next(one for one in school.SITES if one.code == SITE)
    assert own.name in page
    assert not [one.name for one in school.SITES if one.code != SITE and one.name in page]


def test_a_unit_that_is_not_ones_own_is_not_there(site: Site, head: Person):
    operator = site.signed_in(evening.OPERATOR)
    for address in (f"{BATCH}?unit={OTHER.code}", f"{BATCH}/cases?key=open&unit={OTHER.code}", f"{BATCH}?unit=nowhere"):
        assert operator.get(address).status_code == 404
    assert head.get(f"{BATCH}?unit={OTHER.code}").status_code == 200


def test_administrators_and_strangers_see_no_batch(site: Site):
    assert site.signed_in("system-admin").get(BATCH).status_code == 404
    assert site.stranger().get(BATCH).status_code == 303
    assert site.signed_in(school.HEAD).get("/batches/2024-99").status_code == 404
    assert site.signed_in(school.HEAD).get(f"{BATCH}/cases?key=nobody").status_code == 404
    assert site.signed_in(school.HEAD).get(f"{BATCH}/table/nothing").status_code == 404


def test_the_list_of_batches_names_those_one_sees_students_of(site: Site):
    assert f'href="{BATCH}"' in site.signed_in(evening.OPERATOR).get("/batches").text
    assert "还没有批次" in site.signed_in("system-admin").get("/batches").text


def test_an_auditor_reads_the_page_and_urges_nobody(site: Site):
    page = site.signed_in("auditor").get(BATCH)
    assert page.status_code == 200
    assert "<form" not in page.text.partition("<h1")[2]


# --- sorting, filtering, tables ------------------------------------------------------------------


def order(page: str) -> list[str]:
    section = page.partition('id="units"')[2]
    return [unescape(one) for one in re.findall(r'<th scope="row"><a href="[^"]*">(.*?)</a>', section)]


def test_units_are_sorted_by_the_address_and_the_head_says_so(head: Person):
    forth, back = head.get(f"{BATCH}?sort=unready").text, head.get(f"{BATCH}?sort=-unready").text
    assert 'aria-sort="ascending"' in forth
    assert 'aria-sort="descending"' in back
    assert sorted(order(forth)) == sorted(order(back))
    assert order(forth) != order(back)
    assert order(head.get(f"{BATCH}?sort=nothing").text) == order(head.get(BATCH).text)


def test_a_filter_narrows_every_number_and_stays_in_every_link(head: Person):
    whole = head.get(BATCH).text
    levels = sorted(set(re.findall(r"\?level=([^&\"]+)", whole)))
    assert levels
    counts = []
    for one in levels:
        page = head.get(f"{BATCH}?level={one}").text
        assert all(f"level={one}" in address for address, _ in numbers(page))
        counts.append(dict(numbers(page))[next(a for a, _ in numbers(page) if "key=expected" in a)])
    assert sum(counts) == next(count for address, count in numbers(whole) if "key=expected" in address)


@pytest.mark.parametrize("table", ["funnel", "burn", "missing", "units"])
def test_a_table_is_exported_as_it_is_shown(head: Person, table: str):
    page = head.get(f"{BATCH}/table/{table}").text
    sheet = load_workbook(BytesIO(head.get(f"{BATCH}/table/{table}.xlsx").content)).active
    assert sheet is not None
    [heads, *rows] = list(sheet.iter_rows(values_only=True))
    assert list(heads) == [unescape(one) for one in re.findall(r'<th scope="col">(.*?)</th>', page)]
    assert len(rows) == page.count("<tr>") - 1


@pytest.mark.parametrize("made", [table_workbook, long_table_workbook], ids=["kept", "streamed"])
def test_a_name_that_looks_like_a_formula_stays_a_name(made: Callable[..., bytes]):
    body = made("=1+1", ("=A1", "n"), [("=HYPERLINK(0)", 3), ("+86", None), ("@x", 1)])
    sheet = load_workbook(BytesIO(body)).active
    assert sheet is not None
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)} == {"s"}
    assert all(sheet.cell(row=row, column=1).quotePrefix for row in (1, 2, 3, 4))


# --- those who were forgotten --------------------------------------------------------------------


FORGOTTEN = re.compile(r"为漏申请的 (\d+) 人申请…")


def forgotten(who: Person, query: str = "") -> int:
    """For how many the page of the batch offers to file."""
    found = FORGOTTEN.search(who.get(f"{BATCH}{query}").text)
    return int(found[1]) if found else 0


def may_apply_too(site: Site) -> int:
    """Whoever lacked nothing but the fees, at the site of the evening, has paid them; how many these are."""
    with site.house.desks.borrowed() as office:
        desk = office.desk
        request = Request(trigger="import", actor=desk.actor(school.HEAD), at=site.watch.at)
        answers = [one for one in eligibility(desk, school.BATCH, request) if one.unit == SITE]
        owing = [one.student_no for one in answers if (one.failed, one.undecided) == (("G-GR-07",), ())]
        write_facts(desk, {number: {"fee_owed": "0.00"} for number in owing}, request)
    return len(owing)


def states(site: Site) -> Counter[str]:
    """In how many records of the site of the evening what is the state."""
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(
            "SELECT state, count(*) FROM cases WHERE workflow = 'diploma-registration' AND unit = ? GROUP BY state",
            (SITE,),
        ).fetchall()
    return Counter({str(state): int(many) for state, many in rows})


def test_all_who_were_forgotten_are_filed_for_and_each_record_has_its_own_event(site: Site):
    more, operator, before = may_apply_too(site), site.signed_in(evening.OPERATOR), states(site)
    assert more >= 1
    many = forgotten(operator)
    assert many == 1 + more

    address = operator.post(f"{BATCH}/apply", {}).headers["location"]
    assert f"{many} 件： {many} 可办" in said(operator.get(address).text)
    assert "这一步要填写" not in operator.get(address).text, "the batch is the one whose page it was"
    assert states(site) == before, "a preview files nothing"
    assert operator.post(f"{address}/commit", {}).status_code == 303

    assert f"提出毕业申请 {many}" in said(done(operator, address))
    assert states(site) - before == Counter({"applied": many})
    assert forgotten(operator) == 0
    assert operator.post(f"{BATCH}/apply", {}).headers["location"] == f"{BATCH}/cases?key=ready", "nobody is left"


def test_nobody_is_offered_to_file_for_students_of_others(site: Site, head: Person):
    may_apply_too(site)
    elsewhere = site.signed_in(school.operator(OTHER.code))
    assert forgotten(head) == 0, "who sees everybody and files for nobody"
    assert "漏申请" in title(head.get(f"{BATCH}/cases?key=ready").text)
    assert FORGOTTEN.search(head.get(f"{BATCH}/cases?key=ready").text) is None
    for person in (head, elsewhere):
        before = states(site)
        where = person.post(f"{BATCH}/apply", {}).headers["location"]
        assert person is elsewhere or where.endswith("/cases?key=ready")
        if where.startswith("/bulk/"):
            person.post(f"{where}/commit", {})
            done(person, where)
        assert states(site) == before


def test_a_filter_of_the_page_says_for_whom_one_files(site: Site):
    may_apply_too(site)
    operator = site.signed_in(evening.OPERATOR)
    majors = re.findall(r"\?major_code=([^&\"]+)", operator.get(BATCH).text)
    shares = [forgotten(operator, f"?major_code={one}") for one in dict.fromkeys(majors)]
    assert sum(shares) == forgotten(operator)
    assert len([one for one in shares if one]) > 1, "the forgotten are of several majors"
    one = next(one for one, share in zip(dict.fromkeys(majors), shares, strict=True) if share)
    address = operator.post(f"{BATCH}/apply?major_code={one}", {}).headers["location"]
    assert f"{forgotten(operator, f'?major_code={one}')} 可办" in said(operator.get(address).text)
    assert f'href="{BATCH}/cases?major_code={one}&amp;key=ready"' in operator.get(address).text, (
        "and one comes back there"
    )


def test_who_is_to_be_looked_at_first_is_not_filed_with_the_others(site: Site):
    may_apply_too(site)
    operator, many = site.signed_in(evening.OPERATOR), forgotten(site.signed_in(evening.OPERATOR))
    with site.house.desks.borrowed() as office:
        request = Request(trigger="import", actor=office.desk.actor(school.HEAD), at=site.watch.at)
        number = re.findall(r'data-label="学号">(\d+)<', operator.get(f"{BATCH}/cases?key=ready").text)[0]
        for collected in (False, True):
            write_facts(office.desk, {number: {"photo_collected": collected}}, request)

    page = operator.get(operator.post(f"{BATCH}/apply", {}).headers["location"]).text

    assert f"{many - 1} 可办 · 1 需细看（不在内）" in said(page)
    assert number in operator.get(re.findall(r'href="(/bulk/[^"]+outcome=look)"', page)[-1]).text


# --- urging --------------------------------------------------------------------------------------


def students_rule(who: Person) -> tuple[str, int]:
    """A rule that students mend and some lack, and how many these are."""
    rows = re.findall(r"<tr>(.*?)</tr>", who.get(BATCH).text.partition('id="missing"')[2], re.DOTALL)
    row = next(one for one in rows if re.search(r'xj-who-mends"[^>]*>学生<', one))
    found = re.search(r'name="about" value="([^"]+)".*催办 (\d+) 人', row, re.DOTALL)
    assert found is not None
    return found[1], int(found[2])


def nudge(who: Person, about: str, query: str = "") -> str:
    answer = who.post(f"/nudge{query}", {"batch": school.BATCH, "about": about})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_urging_shows_whom_and_what_before_anybody_is_told(site: Site, head: Person):
    rule, count = students_rule(head)
    preview = head.get(nudge(head, rule)).text
    assert title(preview) == f"催办 {count} 人"
    assert "收件人" in preview
    assert urged(site) == []


def test_each_student_is_urged_once_a_day_however_often_it_is_asked(site: Site, head: Person):
    rule, count = students_rule(head)
    address = nudge(head, rule)
    for _ in range(2):
        assert head.post(address).headers["location"] == address
    assert "已催办" in head.get(address).text
    told = urged(site)
    assert len(told) == count
    assert {(role, about) for _, role, about in told} == {("student", rule)}

    again = nudge(head, rule)
    assert "已催过，明天可再催" in head.get(again).text
    head.post(again)
    assert urged(site) == told

    site.watch.pass_by(hours=12)
    tomorrow = site.signed_in(school.HEAD)
    tomorrow.post(nudge(tomorrow, rule))
    assert len(urged(site)) == 2 * count


def test_the_message_says_what_is_missing_in_the_words_that_were_shown(site: Site, head: Person):
    address = nudge(head, students_rule(head)[0])
    shown = re.findall(r'<p class="xj-letter" lang="zh">(.*?)</p>', head.get(address).text)
    head.post(address)
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event ORDER BY id DESC LIMIT 1").fetchall()
    assert unescape(shown[0]) in bytes(rows[0][0]).decode()


def test_a_lagging_site_hears_once_whatever_the_number_of_its_students(site: Site, head: Person):
    head.post(nudge(head, "filing", f"?unit={SITE}"))
    assert urged(site) == [(f"unit/{SITE}", "site_operator", "filing")]


def test_a_selection_is_its_makers_own(site: Site, head: Person):
    address = nudge(head, students_rule(head)[0])
    assert site.signed_in(evening.OPERATOR).get(address).status_code == 404
    assert site.signed_in(evening.OPERATOR).post(address).status_code == 404
    assert urged(site) == []


def test_nobody_urges_about_what_is_no_rule_or_beyond_the_own_unit(site: Site, head: Person):
    operator = site.signed_in(evening.OPERATOR)
    assert head.post("/nudge", {"batch": school.BATCH, "about": "G-XX"}).status_code == 404
    assert operator.post(f"/nudge?unit={OTHER.code}", {"batch": school.BATCH, "about": "filing"}).status_code == 404


def test_what_is_told_waits_in_the_outbox_for_the_students(site: Site, head: Person):
    rule, count = students_rule(head)
    head.post(nudge(head, rule))
    with site.house.desks.borrowed() as office:
        told = office.desk.connection.execute(
            "SELECT count(*) FROM outbox WHERE message = 'urged' AND recipient = 'student'"
        ).fetchone()
    assert told == (count,)


# --- speed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "most"),
    [("", 7), ("/cases?key=open", 7), ("/table/units", 7), ("/table/burn", 7)],  # 9 are allowed (console.md 7.4)
)
def test_a_page_of_a_batch_takes_few_statements(narrow_site: Site, address: str, most: int):
    head = narrow_site.signed_in(school.HEAD)
    head.get(BATCH)
    with narrow_site.counted() as statements:
        assert head.get(f"{BATCH}{address}").status_code == 200
    assert len(statements) <= most, statements
