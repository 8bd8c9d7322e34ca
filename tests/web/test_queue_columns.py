"""What the list of the queue shows of each case besides its name: each person's own choice, in the own order."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO

import pytest
from openpyxl import load_workbook

from console.demo import evening, school
from console.web.queue.columns import FIRST, Column
from tests.web.conftest import Person, Site
from tests.web.test_exports import offered
from tests.web.test_queue import numbers

_ROW = re.compile(r'<li class="xj-row[^"]*" id="row-(\w+)".*?</li>', re.DOTALL)


@pytest.fixture
def approver(site: Site) -> Person:
    """The approver of the evening's teaching point, at a browser without a script."""
    return site.signed_in(evening.APPROVER)


def choose(person: Person, *columns: Column, **pressed: str) -> str:
    """Tick columns, in the order in which they shall stand, and press a button; the address it leads to."""
    order = [*columns, *(one for one in Column if one not in columns)]
    ticks = {f"show_{one}": "1" for one in columns}
    form = {"query": "lane=look", "order": " ".join(order), **ticks, **pressed}
    return str(person.post("/queue/columns", form).headers["location"])


def row(page: str, place: int = 0) -> list[str]:
    """What a row says, part by part, without its badge."""
    part = [found[0] for found in _ROW.finditer(page)][place]
    shown = part[part.index("xj-row-name") : part.index('<span id="claim-')]
    said = (re.sub(r"<[^>]*>", "", one) for one in re.split(r"</span>", shown[shown.index(">") + 1 :]))
    return [text for one in said if (text := unescape(one).strip(" ·\n"))]


def form_of(page: str) -> tuple[list[str], list[str]]:
    """What the form offers in its order, and what of it is ticked."""
    offers = re.findall(r'name="show_(\w+)" value="1"( checked)?', page)
    return [name for name, _ in offers], [name for name, on in offers if on]


def test_until_somebody_chooses_a_row_says_number_level_cohort_and_major(approver: Person) -> None:
    offers, ticked = form_of(approver.get("/queue/columns").text)

    assert sorted(offers) == sorted(Column)
    assert ticked == [*FIRST]
    name, number, level, cohort, major = row(approver.get("/queue/todo?lane=ready").text)
    assert name
    assert re.fullmatch(r"20\d{11}", number)
    assert re.fullmatch(r"20\d\d级", cohort), (level, cohort, major)


def test_a_person_chooses_what_a_row_says_and_in_which_order_and_comes_back_to_the_same_filter(
    site: Site, approver: Person
) -> None:
    address = choose(approver, Column.UNIT, Column.ENTERED, Column.DUE, Column.STATE, Column.CASE)

    assert address == "/queue/todo?lane=look"
    page = approver.get(address).text
    name, *said = row(page)
    number = numbers(page)[0]
    unit = next(one.name for one in school.SITES if one.code == evening.SITE)
    assert name
    assert said == [unit, "5月13日进入", "已提出毕业申请", f"{number[:4]}-{number[4:]}"], "nothing is due"
    assert form_of(approver.get("/queue/columns").text)[1] == ["unit", "entered", "due", "state", "case"]
    assert row(site.signed_in(evening.APPROVER).get(address).text)[1:] == said, "at every browser"
    assert len(row(site.signed_in(evening.SECOND).get(address).text)) == 5, "nobody else's list changes"


def test_one_column_more_is_moved_up_or_down_by_a_button_that_keeps_the_focus(approver: Person) -> None:
    chosen = (Column.NUMBER, Column.UNIT, Column.WHY)

    there = choose(approver, *chosen, up="why")
    page = approver.get(there).text

    assert there == "/queue/columns?query=lane%3Dlook&pressed=up-why"
    assert form_of(page)[1] == ["number", "why", "unit"]
    assert re.search(r'name="up" value="why" autofocus', page)
    page = approver.get(choose(approver, Column.NUMBER, Column.WHY, Column.UNIT, up="why")).text
    assert form_of(page)[1] == ["why", "number", "unit"]
    assert re.search(r'name="down" value="why" autofocus', page), "at the top it can only go down again"
    page = approver.get(choose(approver, Column.WHY, Column.NUMBER, Column.UNIT, down="unit")).text
    assert form_of(page)[1] == ["why", "number", "unit"], "the last goes no further"


def test_a_row_says_why_its_case_is_held_up_or_what_is_to_be_looked_at(approver: Person) -> None:
    choose(approver, Column.WHY)

    blocked = approver.get("/queue/todo?lane=blocked").text
    reasons = {row(blocked, place)[1] for place in range(8)}
    titles = re.findall(r'href="/queue/todo\?rule=[^"]+">([^<]*)</a> <b>', blocked)

    assert reasons == set(titles)
    look = approver.get("/queue/todo?caution=sent-back&lane=look").text
    assert row(look)[1].startswith("再报")
    assert "xj-badge-warn" not in look, "what a column says is not said by a badge again"


def test_with_nothing_ticked_only_names_are_left_and_the_default_comes_back_with_one_press(approver: Person) -> None:
    assert choose(approver) == "/queue/todo?lane=look"
    page = approver.get("/queue/todo?lane=look").text
    assert [len(row(page, place)) for place in range(5)] == [1] * 5

    assert choose(approver, reset="1") == "/queue/todo?lane=look"

    assert form_of(approver.get("/queue/columns").text)[1] == [*FIRST]
    assert len(row(approver.get("/queue/todo?lane=look").text)) == 5


def test_a_list_says_which_list_it_is_whatever_is_chosen(site: Site) -> None:
    person = site.signed_in(school.ACCEPTING)
    waiting = "/queue/todo?wf=graduation-eligibility-review.site_list"
    before = row(person.get(waiting).text)
    choose(person, Column.DUE)

    name, *rest = row(person.get(waiting).text)

    assert name == before[0], "that of its unit"
    assert rest == ["5月15日截止", before[-1]]


def test_the_queue_is_taken_along_in_the_columns_its_reader_has_chosen(approver: Person) -> None:
    choose(approver, Column.UNIT, Column.CASE, Column.DUE, Column.WHY)
    page = approver.get("/queue/todo?lane=look").text

    answer = approver.post(*offered(page))

    heads, *rows = load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)
    assert [str(one).split()[0] for one in heads] == ["件号", "姓名", "单位", "截止", "原因", "分类"]
    assert [cells[0] for cells in rows] == numbers(page)
    assert [cells[1] for cells in rows] == [row(page, place)[0] for place in range(5)]
    assert all(cells[4] and cells[5] == "需细看" for cells in rows)


@pytest.mark.parametrize(
    "form",
    [{"order": "number"}, {"order": f"{' '.join(Column)} number"}, {}, {"order": " ".join(Column), "up": "x"}],
    ids=["too-few", "twice", "none", "unknown"],
)
def test_what_no_form_of_ours_sends_changes_nothing(approver: Person, form: dict[str, str]) -> None:
    choose(approver, Column.UNIT)

    assert approver.post("/queue/columns", form).status_code == 404

    assert form_of(approver.get("/queue/columns").text)[1] == ["unit"]


def test_other_settings_are_kept_when_columns_are_chosen_and_columns_when_those_are(approver: Person) -> None:
    liked = {"lang": "en", "undo_seconds": "60", "keys": "on", "density": "compact"}
    approver.post("/me/preferences", liked)
    choose(approver, Column.BATCH, Column.ENTERED)
    assert 'value="60" checked' in approver.get("/me").text

    approver.post("/me/preferences", liked)

    page = approver.get("/queue/todo?lane=look").text
    assert "xj-compact" in page
    assert row(page)[1] == "2024届6月毕业"
    assert row(page)[2].startswith("since ")


def test_no_choice_of_columns_costs_the_page_a_statement(narrow_site: Site) -> None:
    person = narrow_site.signed_in(evening.APPROVER)
    taken = []

    for columns in ((Column.NUMBER,), (*Column,)):
        choose(person, *columns)
        person.get("/queue/todo")
        with narrow_site.counted() as found:
            assert person.get("/queue/todo").status_code == 200
        taken.append(len(found))

    assert taken[0] == taken[1] <= 10
