"""A new batch is brought in on a page by two administrators, and then published by the records section."""

import re
from collections.abc import Callable
from html import unescape
from time import monotonic, sleep

import pytest

from console.serving import opened
from engine.replay import replay_range
from engine.store import proposals
from engine.store.trail import spans
from tests.web.conftest import Person, Site
from tests.web.test_publishing import FIRST, OTHER, REASON, RECORDS

NEW = "/admin/batches/new"
LIKE = f"{NEW}?like=2024-06"
_INPUT = re.compile(r'<input class="form-control[^"]*" id="([^"]+)" name="\1"[^>]*? value="([^"]*)"')
_AREA = re.compile(r'<textarea class="form-control[^"]*" id="([^"]+)"[^>]*>(.*?)</textarea>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="(kind|like|draft|again|change)" value="([^"]*)"')
_CHOSEN = re.compile(r'<select[^>]* name="profile".*?<option value="([^"]*)" selected', re.DOTALL)
PATIENCE = 60.0
"""Seconds: more than any machine takes to read the definitions."""


def form_of(person: Person, address: str = LIKE) -> dict[str, str]:
    """The form as it is filled in when it is opened."""
    page = person.get(address).text
    found = {name: unescape(value) for name, value in (*_INPUT.findall(page), *_AREA.findall(page))}
    chosen = _CHOSEN.search(page)
    return {**found, **dict(_HIDDEN.findall(page)), "profile": chosen[1] if chosen else "online-ed"}


def drafted(person: Person, **changes: str) -> str:
    """Where the draft is that the form after last year's batch has become."""
    answer = person.post(NEW, {**form_of(person), **changes})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def submitted(person: Person, day: str = "2024-05-15", **changes: str) -> str:
    address = drafted(person, **changes)
    answer = person.post(f"{address}/submit", {"effective_on": day, "reason": REASON})
    assert answer.headers["location"] == f"{address}?said=submitted"
    return address


def faults(page: str) -> dict[str, str]:
    """What the list above the form says, by the field it leads to."""
    listed = re.search(r'<div class="xj-faults".*?</div>', page, re.DOTALL)
    assert listed is not None
    return {field: unescape(said) for field, said in re.findall(r'<a href="#([^"]+)">(.*?)</li>', listed[0])}


def wait_for(is_so: Callable[[], bool]) -> None:
    patience = monotonic() + PATIENCE
    while not is_so() and monotonic() < patience:
        sleep(0.05)


def test_the_next_batch_is_filled_in_after_the_last_with_its_years_moved_on(read_site: Site) -> None:
    admin = read_site.signed_in(FIRST)
    assert f'href="{NEW}"' in admin.get("/admin/batches").text
    assert "2024届6月毕业" in admin.get(NEW).text
    form = form_of(admin)
    assert (form["name"], form["title_zh"], form["title_en"]) == ("2025-06", "2025届6月毕业", "Class of June 2025")
    assert (form["value-review_by"], form["value-graduation_on"]) == ("2025-05-15", "")
    assert form["value-pairs"].splitlines()[:2] == ["2019 高起本", "2020 高起本"]
    page = admin.get(LIKE).text
    assert "2024年5月15日（周三）" in page, "what it was last time stands beside"
    assert "照片采集截止 ≤ 审核截止" in page
    check = form_of(admin, f"{NEW}?like=2020-check")
    assert (check["name"], check["value-class_of"], check["value-feedback_at"]) == (
        "2024-check", "2024", "2024-04-24T17:40",
    )  # fmt: skip
    term = form_of(admin, f"{NEW}?like=2024-1-teaching")
    assert (term["title_en"], term["value-term"]) == ("Teaching, first term of 2025/26", "2025-1")
    assert admin.get(f"{NEW}?like=none-such").status_code == 404


def test_a_batch_is_brought_in_by_two_is_in_force_at_once_and_published_as_any(site: Site) -> None:
    settings, now = site.house.settings, site.watch.at
    first, other, records = site.signed_in(FIRST), site.signed_in(OTHER), site.signed_in(RECORDS)
    with opened(settings, site.watch, told=now, desks=1) as beside:
        before = beside.desks.in_force.library
        address = submitted(first, **{"value-graduation_on": "2025-06-29"})
        page = first.get(address).text
        assert "须由另一人批准" in page
        assert first.post(f"{address}/approve").status_code == 409
        assert records.get("/admin/batches/2025-06").status_code == 404, "nothing is in force yet"
        assert address in other.get("/admin/batches").text

        assert other.post(f"{address}/approve").headers["location"] == f"{address}?said=approved"
        unpublished = records.get("/admin/batches/2025-06").text
        assert "未发布" in unpublished
        assert "2025年6月29日 休息日（周日）" in unpublished
        wait_for(lambda: beside.desks.in_force.library is not before)
        assert "2025-06" in beside.desks.in_force.library.batches

    assert "随之建立" in records.post("/admin/batches/2025-06/publish").text
    done = records.post("/admin/batches/2025-06/publish", {"confirmed": "yes"})
    assert done.headers["location"] == "/admin/batches/2025-06?said=published"
    assert 'value="2025-06-29"' in records.get("/admin/batches/2025-06").text
    with site.house.desks.borrowed() as office:
        [whole] = spans(office.desk.connection, 1)
        assert replay_range(office.desk.connection, office.log, office.key, whole).diverged == ()


def test_who_approves_sees_all_dates_in_their_order_with_the_days_off_marked(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    address = submitted(first, **{"value-graduation_on": "2025-06-29", "value-last_upload_at": "2025-07-04T17:00"})
    page = other.get(address).text
    dates = re.findall(r'<td data-label="日期">(.*?)</td>', page, re.DOTALL)
    plain = [re.sub(r"<[^>]+>|\s+", "", one) for one in dates]
    assert len(plain) == 8
    assert plain[0].startswith("2025年5月13日（周二）工作日")
    assert plain[-2].startswith("2025年6月29日休息日（周日）")
    assert plain[-1] == "2025年7月4日（周五）工作日·17:00"
    assert "待定 2 项：学校名称、校长姓名" in page
    assert "新批次：2025届6月毕业" in page
    assert "由学籍科发布；发布之前不建立任何件" in page


def test_a_day_off_is_told_under_its_field_and_a_moment_is_too(read_site: Site) -> None:
    admin = read_site.signed_in(FIRST)
    assert "休息日" in admin.get("/day?value-review_by=2024-05-04").text
    assert "2024年5月11日（周六） 调休上班" in admin.get("/day?value-last_upload_at=2024-05-11T17:00").text


def test_every_fault_of_a_new_batch_stands_at_its_field_and_what_was_typed_is_kept(site: Site) -> None:
    admin = site.signed_in(FIRST)
    wrong = {
        "name": "June 2025", "title_en": "", "units": "51161、00000", "value-review_by": "2025-06-20",
        "value-lists_by": "15 May", "value-package_by": "2025-05-01", "value-pairs": "2022 本科生\n2021",
        "value-last_upload_at": "soon", "value-president": "曾令仪",
    }  # fmt: skip
    answer = admin.post(NEW, {**form_of(admin), **wrong})
    assert answer.status_code == 422
    found = faults(answer.text)
    assert found.keys() == {
        "name", "title_en", "units", "value-lists_by", "value-pairs", "value-last_upload_at", "value-photo_by",
        "value-fees_by", "value-file_by",
    }  # fmt: skip
    assert "没有单位 00000" in found["units"]
    assert "照片采集截止 ≤ 照片包截止" in found["value-photo_by"]
    assert 'aria-describedby="value-lists_by-fault value-lists_by-day"' in answer.text
    for kept in ("June 2025", "曾令仪", "2025-06-20", "2022 本科生\n2021"):
        assert kept in answer.text
    with site.house.desks.borrowed() as office:
        assert proposals.drafts_of(office.desk.connection, FIRST) == []
    assert admin.post(NEW).status_code == 422


@pytest.mark.parametrize("taken", ["2024-06", "2024-1-teaching"], ids=["published", "of the folder"])
def test_the_name_of_a_batch_that_is_there_is_not_given_again(site: Site, taken: str) -> None:
    admin = site.signed_in(FIRST)
    answer = admin.post(NEW, {**form_of(admin), "name": taken})
    assert (answer.status_code, list(faults(answer.text))) == (422, ["name"])


def test_two_proposals_for_one_name_do_not_both_come_into_force(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    late = drafted(other, **{"value-graduation_on": "2025-07-01"})
    address = submitted(first)
    waits = other.post(NEW, form_of(other))
    assert (waits.status_code, "正等另一人批准" in faults(waits.text)["name"]) == (422, True)
    other.post(f"{late}/submit", {"effective_on": "2024-05-15", "reason": REASON})
    other.post(f"{address}/approve")
    assert first.post(f"{late}/approve").status_code == 409
    assert '毕业日期</th><td data-label="现值">—</td>' in first.get("/admin/batches/2025-06").text
    again = other.post(NEW, form_of(other))
    assert "已有这个代码的批次" in faults(again.text)["name"]


def test_a_refused_batch_is_made_anew_and_who_approves_sees_what_changed_since(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    address = submitted(first)
    other.post(f"{address}/refuse", {"reason": "审核截止晚了两天"})
    number = address.rpartition("/")[2]
    assert f'href="/admin/batches/again/{number}"' in first.get(address).text
    form = form_of(first, f"/admin/batches/again/{number}")
    assert (form["name"], form["value-review_by"], form["again"]) == ("2025-06", "2025-05-15", number)

    drafts = first.post(NEW, {**form, "value-review_by": "2025-05-13"}).headers["location"]
    first.post(f"{drafts}/submit", {"effective_on": "2024-05-15", "reason": REASON})

    page = other.get(drafts).text
    since = page[page.index(f"与第 {number} 号相比") :]
    assert "由“2025-05-15”改为“2025-05-13”" in since
    assert "审核截止晚了两天" in since
    assert other.post(f"{drafts}/approve").headers["location"].endswith("?said=approved")


@pytest.mark.parametrize("field", ["again", "draft"])
@pytest.mark.parametrize("forged", ["9" * 5000, "9" * 30, "987654", "-1"], ids=["5000 digits", "30", "nobody's", "-1"])
def test_a_number_that_is_none_in_the_form_of_a_batch_loses_nothing_that_was_typed(
    site: Site, field: str, forged: str
) -> None:
    admin = site.signed_in(FIRST)
    form = {**form_of(admin), field: forged, "value-president": "曾令仪"}
    wrong = admin.post(NEW, {**form, "title_en": ""})
    assert (wrong.status_code, list(faults(wrong.text))) == (422, ["title_en"])
    assert "曾令仪" in wrong.text
    assert admin.post(NEW, form).status_code == 303


def test_digits_of_another_script_name_no_proposal(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    address = submitted(first)
    other.post(f"{address}/refuse", {"reason": "审核截止晚了两天"})
    number = address.rpartition("/")[2]
    form = {**form_of(first, f"/admin/batches/again/{number}"), "title_en": ""}
    assert "上次报的" in first.post(NEW, form).text

    arabic = number.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert "上次报的" not in first.post(NEW, {**form, "again": arabic}).text


def anew(site: Site, former: str, **changes: str) -> str:
    """Where the proposal is that was made of a former one and submitted a minute later."""
    site.watch.pass_by(minutes=1)
    first = site.signed_in(FIRST)
    form = form_of(first, f"/admin/batches/again/{former.rpartition('/')[2]}")
    address = first.post(NEW, {**form, **changes}).headers["location"]
    first.post(f"{address}/submit", {"effective_on": "2024-05-15", "reason": REASON})
    return address


def compared(page: str) -> list[str]:
    """With which former proposals a page compares, in its order."""
    return re.findall(r"<h2[^>]*>与第 (\d+) 号相比", page)


def test_why_a_batch_was_refused_stays_in_sight_however_often_it_is_proposed_anew(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    refused = submitted(first)
    other.post(f"{refused}/refuse", {"reason": "审核截止晚了两天"})
    second = anew(site, refused)
    third = anew(site, second, **{"value-graduation_on": "2025-06-30"})

    page = other.get(third).text
    assert compared(page) == [refused.rpartition("/")[2], second.rpartition("/")[2]], "the refusal stands first"
    assert page.index("审核截止晚了两天") < page.index("已由提交人收回")
    assert f"内容与第 {refused.rpartition('/')[2]} 号一样" in other.get(second).text

    other.post(f"{third}/approve")
    place = "/admin/batches/2025-06"
    site.watch.pass_by(minutes=1)
    draft = first.post(NEW, {**form_of(first, f"{place}/change"), "value-graduation_on": "2025-07-01"})
    assert compared(first.get(draft.headers["location"]).text) == [], "what was approved since has settled it"


def test_a_draft_that_lay_while_another_was_refused_does_not_hide_the_refusal(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    lies = drafted(first, **{"value-graduation_on": "2025-07-01"})
    refused = submitted(first)
    other.post(f"{refused}/refuse", {"reason": "审核截止晚了两天"})
    site.watch.pass_by(minutes=1)
    first.post(f"{lies}/submit", {"effective_on": "2024-05-15", "reason": REASON})

    page = other.get(lies).text
    assert compared(page) == [refused.rpartition("/")[2]]
    assert "审核截止晚了两天" in page


def test_a_batch_that_is_proposed_as_another_kind_says_why_the_former_was_refused(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    refused = submitted(first)
    other.post(f"{refused}/refuse", {"reason": "审核截止晚了两天"})
    site.watch.pass_by(minutes=1)
    form = form_of(first, f"{NEW}?kind=intake&profile=open-university")
    given = {"name": "2025-06", "title_zh": "2025年秋季入学", "title_en": "Intake of autumn 2025"}
    address = first.post(NEW, {**form, **given}).headers["location"]
    first.post(f"{address}/submit", {"effective_on": "2024-05-15", "reason": REASON})

    page = other.get(address).text
    assert compared(page) == [refused.rpartition("/")[2]]
    assert "审核截止晚了两天" in page
    assert "不能逐项相比" in page


def test_what_waits_is_changed_by_who_proposed_it_and_the_former_is_no_longer_to_be_approved(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    address = submitted(first)
    number = address.rpartition("/")[2]
    assert other.get(f"/admin/batches/again/{number}").status_code == 404, (
        "while it waits it is its proposer's to change"
    )
    form = form_of(first, f"/admin/batches/again/{number}")

    again = first.post(NEW, {**form, "value-review_by": "2025-05-14"}).headers["location"]
    assert "须由另一人批准" in first.get(address).text, "a draft takes nothing back"
    first.post(f"{again}/submit", {"effective_on": "2024-05-15", "reason": REASON})

    assert other.post(f"{address}/approve").status_code != 303
    assert "由“2025-05-15”改为“2025-05-14”" in other.get(again).text
    assert other.post(f"{again}/approve").headers["location"].endswith("?said=approved")


def test_an_approved_batch_that_is_not_published_is_changed_by_two_and_a_published_one_is_not(site: Site) -> None:
    first, other, records = site.signed_in(FIRST), site.signed_in(OTHER), site.signed_in(RECORDS)
    other.post(f"{submitted(first)}/approve")
    place = "/admin/batches/2025-06"
    assert f'href="{place}/change"' in other.get(place).text
    assert "2025-06/change" not in records.get(place).text
    form = form_of(other, f"{place}/change")
    assert (form["name"], form["value-review_by"]) == ("2025-06", "2025-05-15")
    moved = other.post(NEW, {**form, "name": "2025-07"})
    assert (moved.status_code, "代码不能换" in faults(moved.text)["name"]) == (422, True)

    draft = other.post(NEW, {**form, "value-graduation_on": "2025-06-30"}).headers["location"]
    assert f"{NEW}?draft=" in other.get(draft).text
    other.post(f"{draft}/submit", {"effective_on": "2024-05-15", "reason": REASON})
    assert first.post(f"{draft}/approve").headers["location"].endswith("?said=approved")
    assert "2025年6月30日" in records.get(place).text

    records.post(f"{place}/publish", {"confirmed": "yes"})
    assert other.get(f"{place}/change").status_code == 404
    assert "2025-06/change" not in other.get(place).text
    assert other.post(NEW, form).status_code == 422


def test_a_draft_is_gone_back_to_and_the_one_made_of_it_takes_its_place(site: Site) -> None:
    admin = site.signed_in(FIRST)
    address = drafted(admin, **{"units": "51161", "source": "教务〔2025〕3号", "value-pairs": "2022 专升本"})
    number = address.rpartition("/")[2]
    assert f"{NEW}?draft={number}" in admin.get(address).text
    form = form_of(admin, f"{NEW}?draft={number}")
    assert (form["name"], form["units"], form["source"]) == ("2025-06", "51161", "教务〔2025〕3号")
    assert (form["value-pairs"], form["value-review_by"]) == ("2022 专升本", "2025-05-15")
    again = admin.post(NEW, {**form, "value-review_by": "2025-05-14"}).headers["location"]
    with site.house.desks.borrowed() as office:
        drafts = proposals.drafts_of(office.desk.connection, FIRST)
    assert [f"/admin/definitions/proposals/{one.number}" for one in drafts] == [again]
    assert site.signed_in(OTHER).get(f"{NEW}?draft={again.rpartition('/')[2]}").status_code == 404


def test_a_batch_of_a_kind_without_precedent_begins_empty_and_leaves_open_what_is_not_known(site: Site) -> None:
    admin = site.signed_in(FIRST)
    empty = f"{NEW}?kind=intake&profile=open-university"
    form = form_of(admin, empty)
    assert (form["kind"], form["profile"], form["value-entry_on"]) == ("intake", "open-university", "")
    filled = {"name": "2024-autumn", "title_zh": "2024年秋季入学", "title_en": "Intake of autumn 2024"}
    answer = admin.post(NEW, {**form, **filled, "value-reporting_from": "2024-09-02"})
    page = admin.get(answer.headers["location"]).text
    assert "待定 5 项" in page
    assert "报到开始 ≤ 报到结束" in page
    assert admin.get(f"{NEW}?kind=none-such&profile=open-university").status_code == 404


def test_who_publishes_batches_brings_none_in_and_who_brings_them_in_publishes_none(site: Site) -> None:
    records, admin = site.signed_in(RECORDS), site.signed_in(FIRST)
    assert NEW not in records.get("/admin/batches").text
    assert [records.get(NEW).status_code, records.post(NEW).status_code] == [404, 404]
    page = admin.get("/admin/batches/2024-1-teaching").text
    assert "发布批次…" not in page
    assert "/set" not in admin.get("/admin/batches/2024-06").text
    for act in ("publish", "set"):
        assert admin.post(f"/admin/batches/2024-1-teaching/{act}", {"confirmed": "yes"}).status_code == 404
    assert admin.post("/admin/batches/term", {"term": "2024-1"}).status_code == 404


def test_approving_a_batch_asks_for_a_fresh_proof(site: Site) -> None:
    address = submitted(site.signed_in(FIRST))
    other = site.signed_in(OTHER)
    site.watch.pass_by(minutes=16)
    assert other.post(f"{address}/approve").headers["location"].startswith("/sign-in/again")
    assert "2025-06" not in site.house.desks.in_force.library.batches


def test_the_file_of_a_batch_is_read_with_its_publications(site: Site) -> None:
    address = submitted(site.signed_in(FIRST))
    other = site.signed_in(OTHER)
    other.post(f"{address}/approve")
    page = other.get("/admin/definitions/2025-06").text
    assert "workflows/batches/2025-06.yaml" in page
    assert address in page
    assert "review_by: 2025-05-15" in page


@pytest.mark.parametrize("what", ["batches", "batches/new", "batches/new?like=2024-06", "batches/2024-06"])
def test_no_page_of_batches_asks_the_database_more_than_eight_times(narrow_site: Site, what: str) -> None:
    admin = narrow_site.signed_in(FIRST)
    with narrow_site.counted() as statements:
        assert admin.get(f"/admin/{what}").status_code == 200
    assert len(statements) <= 8, statements
