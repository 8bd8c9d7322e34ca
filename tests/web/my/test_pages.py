"""A student's own pages over HTTP: where I am, what I must do, until when; and every form, sent once or twice."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image

from engine.casework import find_case
from engine.store.cases import read_case
from tests.web.conftest import Person, Site
from tests.web.my.pages import events, facts, form_of, hidden, words
from tests.web.student_days import REASON, Days

CEILING = 7
LARGEST = 60_000


# --- where I am -----------------------------------------------------------------------------------------------------


def test_the_first_page_says_how_many_things_are_left_and_until_when(may: Site, days: Days) -> None:
    said = words(may.signed_in(days.busy).get("/my").text)

    assert "还差 2 件事，就可以报毕业" in said
    assert "5月13日（周一）24:00 前" in said
    assert "还剩 2 个工作日（11日 周六 上班）" in said
    assert "备齐材料　您在这里" in said
    assert "林芳" in said


def test_each_thing_to_do_has_one_button_that_leads_to_the_page_which_mends_it(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    todo = person.get("/my").text.partition('<ol class="xj-todo">')[2].partition("</ol>")[0]

    addresses = re.findall(r'<a class="btn[^"]*" href="([^"]+)"', todo)
    assert len(addresses) == todo.count("<li>") == 2
    assert [person.get(one).status_code for one in addresses] == [200, 200]


def test_what_the_engine_has_no_step_for_is_named_and_has_no_button(may: Site, days: Days) -> None:
    text = may.signed_in(days.debtor).get("/my").text

    assert "在平台缴清欠费" in words(text)
    assert "本系统里办不了，问教学点" in words(text)
    assert 'href="/my/do' not in text


def test_what_others_owe_stands_apart_with_who_owes_it(may: Site, days: Days) -> None:
    said = words(may.signed_in(days.debtor).get("/my").text)

    assert "等别人办的" in said
    assert "补修补考后导入成绩" in said


def test_a_student_with_nothing_left_waits_for_the_application(may: Site, days: Days) -> None:
    assert "都做好了，等" in words(may.signed_in(days.ready).get("/my").text)


def test_once_applied_the_page_names_the_unit_that_decides(may: Site, days: Days) -> None:
    text = may.signed_in(days.waiting).get("/my").text

    assert re.search(r"<h1>都做好了，等第\d分校第\d教学点审批", text)
    assert "已提出毕业申请　您在这里" in words(text)


def test_what_was_sent_back_comes_first_with_the_reason_word_for_word(may: Site, days: Days) -> None:
    text = may.signed_in(days.returned).get("/my").text

    assert REASON in text
    assert text.index(REASON) < text.index("我要做什么")
    assert "退回了，请先看原因，再找林芳" in words(text)


def test_after_the_deadline_the_page_says_whom_to_call_now(may: Site, days: Days) -> None:
    may.watch.pass_by(days=4)
    said = words(may.signed_in(days.busy).get("/my").text)

    assert "已过 5月13日，请马上联系林芳" in said
    assert "逾期 1 个工作日" in said


def test_whoever_is_not_in_the_batch_reads_which_rule_says_so(may: Site, days: Days) -> None:
    text = may.signed_in(days.outside).get("/my").text

    assert "您不在本批次：2017级高起本不在" in words(text)


def test_a_registered_student_reads_from_when_the_national_site_shows_it(may: Site, days: Days) -> None:
    with may.house.desks.borrowed() as office:  # as the registration leaves it
        connection = office.desk.connection
        case = find_case(office.desk, days.waiting)
        with connection.writing():
            connection.execute("UPDATE cases SET state = 'registered' WHERE id = ?", (case,))
            sql = "UPDATE student SET facts = json_set(facts, '$.issued_on', '2024-06-30') WHERE record = ?"
            connection.execute(sql, (case,))
    text = may.signed_in(days.waiting).get("/my").text

    assert "学历已注册，2024年6月30日（周日）起可在学信网查" in words(text)
    assert 'href="/my/check"' not in text


def test_the_first_page_takes_few_statements_and_few_bytes(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    person.get("/my")
    with may.counted() as statements:
        answer = person.get("/my")

    assert len(statements) <= CEILING, "\n".join(statements)
    assert len(answer.content) <= LARGEST


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/my/check", 8),
        ("/my/report", 8),
        ("/my/report/data", 8),
        ("/my/messages", 8),
        ("/my/papers", 8),
        ("/my/looks", 10),  # rows and events of looks, then the names of who looked
    ],
)
def test_the_pages_behind_it_take_few_as_well(may: Site, days: Days, address: str, most: int) -> None:
    person = may.signed_in(days.busy)
    person.get(address)
    with may.counted() as statements:
        answer = person.get(address)

    assert len(statements) <= most, "\n".join(statements)
    assert len(answer.content) <= LARGEST


def test_the_own_id_number_is_masked_until_the_student_asks_for_it_and_the_look_is_kept(may: Site, days: Days) -> None:
    person, number = may.signed_in(days.busy), str(facts(may, days.busy)["id_number"])

    assert number not in person.get("/my").text + person.get("/my/check").text
    shown = person.post("/my/check/reveal", form_of(person, "/my/check"))
    assert number in shown.text
    assert "view:facts" in events(may, days.busy)


@pytest.mark.parametrize("address", ["/my", "/my/check", "/my/report", "/my/messages", "/my/looks", "/my/papers"])
def test_a_students_pages_are_for_students_only(may: Site, address: str) -> None:
    assert may.signed_in("approver-0104").get(address).status_code == 404


def test_nobody_signs_or_fills_in_on_the_case_of_somebody_else(may: Site, days: Days) -> None:
    owner, other = may.signed_in(days.busy), may.signed_in(days.debtor)
    address = re.search(r'href="(/my/do/[^"]+)"', owner.get("/my").text)[1]  # type: ignore[index]  # it is there

    assert owner.get(address).status_code == 200
    assert other.get(address).status_code == 404
    assert other.get(address.replace("/do/", "/sign/").rpartition("/")[0]).status_code == 404


# --- checking -------------------------------------------------------------------------------------------------------


def _all_right(person: Person, **other: object) -> dict[str, object]:
    page = person.get("/my/check").text
    items = dict.fromkeys(re.findall(r'<fieldset class="xj-check" id="([^"]+)"', page), "right")
    return {**hidden(page), **items, "field-checked_where": "platform", **other}


def test_finding_everything_right_is_a_step_of_the_engine(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    form = _all_right(person)

    assert person.post("/my/check", form).headers["location"] == "/my"
    assert facts(may, days.busy)["key_info_confirmed"] is True
    assert "还差 1 件事" in words(person.get("/my").text)


def test_the_same_answer_sent_twice_is_one_event(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    form = _all_right(person)
    answers = [person.post("/my/check", form).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert events(may, days.busy).count("confirm_information") == 1


def test_an_item_that_was_not_looked_at_is_asked_for_again(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    form = _all_right(person)
    del form["item-gender"]
    answer = person.post("/my/check", form)

    assert answer.status_code == 422
    assert "性别——请选对或不对" in words(answer.text)
    assert facts(may, days.busy)["key_info_confirmed"] is False


def test_one_wrong_item_leads_to_the_report(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    answer = person.post("/my/check", _all_right(person, **{"item-name": "wrong"}))

    assert answer.headers["location"] == "/my/report?wrong=name"


# --- reporting ------------------------------------------------------------------------------------------------------


def test_a_wrong_photo_is_reported_by_the_step_the_engine_has_for_it(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    answer = person.post("/my/report", form_of(person, "/my/report", what="not-me"))
    done = person.get(answer.headers["location"])

    assert "report_error" in events(may, days.busy)
    assert re.search(r"已报告，件号 \w{4}-\w{4}", words(done.text))


def test_where_no_step_is_open_the_report_says_whom_to_ask_and_changes_nothing(may: Site, days: Days) -> None:
    with may.house.desks.borrowed() as office:
        connection = office.desk.connection
        with connection.writing():
            connection.execute("UPDATE cases SET state = 'concluded' WHERE workflow = 'graduation-eligibility-review'")
    person = may.signed_in(days.busy)
    before = events(may, days.busy)
    answer = person.post("/my/report", form_of(person, "/my/report", what="not-me"))

    assert answer.status_code == 422
    assert "现在没有可以在这里办的步骤" in answer.text
    assert events(may, days.busy) == before


def _change_of_name(person: Person) -> str:
    form = form_of(
        person, "/my/report/data",
        **{"field-item": "name", "field-new_value": "诸葛浩非", "field-kind": "entry_error"},
    )  # fmt: skip
    answers = [person.post("/my/report/data", form) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    return answers[0].headers["location"]


def test_a_wrong_name_opens_a_change_of_information_once(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    page = person.get(_change_of_name(person))

    assert re.search(r"已报告，件号 \w{4}-\w{4}", words(page.text))
    assert "录入错误须有身份证和报名登记表" in page.text
    assert events(may, days.busy).count("draft") == 1


def _picture(kind: str, side: int, *, by_phone: bool = False) -> bytes:
    out = BytesIO()
    exif = Image.Exif()
    if by_phone:
        exif.get_ifd(0x8769)[0x829A] = 0.01
    Image.effect_noise((side, side), 60).convert("RGB").save(out, kind, exif=exif, compress_level=0)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.png", _picture("PNG", 150), "尺寸 150×150，至少 200×200"),
        ("a.jpg", b"%PDF-1.7 \n" + b"x" * 400, "要 JPG 或 PNG，这份是 PDF"),
        ("a.png", _picture("PNG", 2600), "最多 10 MB"),
        ("a.jpg", _picture("JPEG", 400, by_phone=True), "信息更正不收手机照片，请到教学点高拍"),
        ("a.jpg", _picture("JPEG", 400)[:900], "图片不完整或已损坏"),
    ],
)
def test_a_paper_is_looked_at_at_once_by_what_it_is(may: Site, days: Days, name: str, body: bytes, said: str) -> None:
    person = may.signed_in(days.busy)
    address = _change_of_name(person)
    form = form_of(person, address, kind="E-IC-ID")
    answer = person.post(address, form, files=[("file", (name, body, "image/jpeg"))])

    assert answer.status_code == 422
    assert said in answer.text


def test_a_sound_paper_is_on_the_case_and_what_is_missing_gets_less(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    address = _change_of_name(person)
    scan = ("file", ("IMG_0001.jpeg", _picture("JPEG", 400), "image/jpeg"))
    for kind in ("E-IC-ID", "E-IC-ENROL"):
        assert "还缺" in person.get(address).text
        answer = person.post(address, form_of(person, address, kind=kind), files=[scan])
        assert answer.status_code == 303, words(answer.text)
        scan = ("file", ("IMG_0002.jpeg", _picture("JPEG", 401), "image/jpeg"))

    assert "材料交齐了" in person.get(address).text
    assert "E-IC-ID" in person.get("/my/papers").text


def test_an_open_change_stands_in_the_way_of_confirming_and_says_so(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    _change_of_name(person)
    text = person.get("/my").text

    assert 'aria-disabled="true"' in text
    assert "去上传" in text
    assert person.post("/my/check", _all_right(person)).status_code == 422


# --- what lies behind -----------------------------------------------------------------------------------------------


def test_who_looked_is_listed_with_name_and_moment_but_for_the_own_looks(may: Site, days: Days) -> None:
    person = may.signed_in(days.waiting)
    assert "还没有人看过" in person.get("/my/looks").text
    with may.house.desks.borrowed() as office:
        found = read_case(office.desk.connection, find_case(office.desk, days.waiting))
        assert found is not None
        number, site = found.case.number, found.case.unit
    approver = may.signed_in(f"approver-{site[-4:]}")
    assert approver.get(f"/cases/{number}").status_code == 200

    assert "周敏" in words(person.get("/my/looks").text)


def test_messages_are_listed_with_what_they_were_about(may: Site, days: Days) -> None:
    said = words(may.signed_in(days.waiting).get("/my/messages").text)

    assert "消息" in said
    assert "学历电子注册" in said


def test_an_account_without_a_record_sees_no_page(may: Site, days: Days) -> None:
    with may.house.desks.borrowed() as office:
        connection = office.desk.connection
        with connection.writing():
            connection.execute("UPDATE student SET record = NULL WHERE student_no = ?", (days.debtor,))

    assert may.signed_in(days.debtor).get("/my").status_code == 404


def test_the_pages_are_in_english_for_whoever_asks_for_it(may: Site, days: Days) -> None:
    person = may.signed_in(days.busy)
    person.post("/me/language", {"lang": "en"})
    said = words(person.get("/my").text)

    assert "2 things left before graduation" in said
    assert "by 13 May 2024 (Mon), 24:00" in said
    assert "You are here" in said
