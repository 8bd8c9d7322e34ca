"""Reporting what is wrong and handing in papers: nothing that was ticked is lost, and each page says what it is for."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image

from console.demo import school
from engine.casework import open_case
from engine.facts import write_facts
from engine.records import Moved, Request
from tests.web.conftest import Person, Site
from tests.web.my.pages import events, facts, form_of, hidden, words
from tests.web.student_days import Days

PHOTOS = "graduate-photo-collection"


def _ticked_wrong(person: Person, *wrong: str) -> str:
    """Where the check leads when these items were found wrong."""
    page = person.get("/my/check").text
    items = dict.fromkeys(re.findall(r'<fieldset class="xj-check" id="([^"]+)"', page), "right")
    form = {**hidden(page), **items, **{f"item-{name}": "wrong" for name in wrong}}
    return person.post("/my/check", form).headers["location"]


def _chosen(page: str, name: str) -> list[str]:
    return re.findall(rf'<input type="radio"[^>]*name="{name}" value="([^"]+)" checked', page)


@pytest.mark.parametrize(("wrong", "item"), [("gender", "gender"), ("name", "name"), ("major", "other")])
def test_the_item_ticked_as_wrong_is_the_one_the_report_begins_with(
    may: Site, days: Days, wrong: str, item: str
) -> None:
    person = may.signed_in(days.busy)
    address = _ticked_wrong(person, wrong)
    page = person.get(address)
    assert _chosen(page.text, "what") == ["data"]
    carried = dict(re.findall(r'<input type="hidden" name="(wrong)" value="([^"]*)">', page.text))
    answer = person.post("/my/report", {**hidden(page.text), **carried, "what": "data"})

    assert answer.headers["location"] == f"/my/report/data?wrong={wrong}"
    assert _chosen(person.get(answer.headers["location"]).text, "field-item") == [item]


def test_several_items_found_wrong_are_all_named_and_reported_one_at_a_time(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _ticked_wrong(person, "name", "gender")

    assert "您选了不对的：姓名、性别。一次报告一项。" in words(person.get(address).text)
    answer = person.post("/my/report", form_of(person, address, wrong="name,gender", what="data"))
    data = person.get(answer.headers["location"]).text
    assert "您选了不对的：姓名、性别" in words(data)
    assert _chosen(data, "field-item") == ["name"]


def test_what_an_address_calls_wrong_and_is_no_item_is_not_repeated_on_the_page(may: Site, days: Days) -> None:
    page = may.signed_in(days.busy).get("/my/report?wrong=bogus,name%00")

    assert "bogus" not in words(page.text)
    assert "您选了不对的" not in page.text


def _reported(person: Person, **fields: str) -> str:
    form = form_of(person, "/my/report/data", **{"field-item": "name", "field-new_value": "诸葛浩非", **fields})
    answer = person.post("/my/report/data", form)
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"]


def test_a_report_with_a_deadline_says_within_how_many_working_days_it_is_dealt_with(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    page = person.get(_reported(person, **{"field-kind": "change", "field-changed_on": "2024-05-01"}))

    assert "林芳会在 16 个工作日内处理，有结果会通知您。" in words(page.text)  # 11 May is worked; until 31 May


def test_a_deadline_that_is_not_the_students_makes_nobody_late(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    _reported(person, **{"field-kind": "change", "field-changed_on": "2024-05-01"})
    said = words(person.get("/my").text)

    assert "5月13日（周一）24:00 前" in said
    assert "逾期" not in said  # the freshmen's of 2022 is settled for a student on roll


def test_a_report_without_a_deadline_promises_no_day(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    page = person.get(_reported(person, **{"field-kind": "entry_error"}))

    assert "个工作日内处理" not in page.text


# --- papers of other procedures -------------------------------------------------------------------------------------


def _picture(size: tuple[int, int], *, by_phone: bool) -> bytes:
    out, exif = BytesIO(), Image.Exif()
    if by_phone:
        exif.get_ifd(0x8769)[0x829A] = 0.01
    Image.effect_noise(size, 60).convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.fixture
def photos(may: Site, days: Days) -> str:
    """Where the student hands in the graduation photo of a procedure that asks nothing about scanners."""
    login = _operator(may, days.busy)
    with may.house.desks.borrowed() as office:
        desk = office.desk
        request = Request(trigger="start", actor=desk.actor(login), at=may.watch.at, fields={"batch": school.BATCH})
        opened = open_case(desk, PHOTOS, days.busy, request)
        assert isinstance(opened, Moved), opened
        with desk.connection.writing():
            sql = "UPDATE cases SET state = 'student_confirmed' WHERE id = ?"
            desk.connection.execute(sql, (opened.case.id,))
    return f"/my/upload/{opened.case.number}"


def _operator(site: Site, student: str) -> str:
    with site.house.desks.borrowed() as office:
        sql = "SELECT c.unit FROM cases c JOIN student s ON s.record = c.id WHERE s.student_no = ?"
        [(unit,)] = office.desk.connection.execute(sql, (student,)).fetchall()
    return school.operator(unit)


def test_a_photo_taken_by_phone_is_taken_where_nobody_asks_for_a_scan(may: Site, days: Days, photos: str) -> None:
    person = may.signed_in(days.busy)
    taken = ("file", ("IMG_0001.jpg", _picture((480, 640), by_phone=True), "image/jpeg"))
    answer = person.post(photos, form_of(person, photos, kind="E-PHOTO"), files=[taken])

    assert answer.status_code == 303, words(answer.text)
    assert "attach:E-PHOTO" in events(may, days.busy)


def test_the_page_of_papers_says_which_procedure_they_are_for_and_offers_the_camera(
    may: Site, days: Days, photos: str
) -> None:
    page = may.signed_in(days.busy).get(photos).text

    assert "已报告" not in words(page)
    assert "交材料：" in words(page)
    assert 'capture="environment"' in page
    assert re.findall(r'id="file"[^>]*accept="([^"]*)"', page) == ["image/jpeg"]
    assert "不收手机照片" not in page
    assert "材料交齐了" not in page


def test_the_page_of_a_change_of_information_asks_for_a_scan_and_offers_no_camera(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    page = person.get(_reported(person, **{"field-kind": "entry_error"})).text

    assert "capture=" not in page
    assert "不收手机照片" in page
    assert re.findall(r'id="file"[^>]*accept="([^"]*)"', page) == ["image/jpeg,image/png"]


# --- two things that wait ---------------------------------------------------------------------------------------------


def test_each_blocked_thing_to_do_is_described_by_its_own_reasons(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    _reported(person, **{"field-kind": "entry_error"})  # confirming waits for it
    with may.house.desks.borrowed() as office:  # and the form for a fact it needs
        head = office.desk.actor(school.HEAD)
        write_facts(
            office.desk, {days.busy: {"student_type": None}}, Request(trigger="facts", actor=head, at=may.watch.at)
        )
    assert facts(may, days.busy).get("student_type") is None
    page = person.get("/my").text

    described = re.findall(r'aria-disabled="true" aria-describedby="([^"]+)"', page)
    assert len(described) == 2
    assert len(set(described)) == 2
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert sorted(ids) == sorted(set(ids))
    texts = [re.search(rf'id="{one}">(.*?)</span>', page, re.DOTALL)[1] for one in described]  # type: ignore[index]
    assert len(set(texts)) == 2
