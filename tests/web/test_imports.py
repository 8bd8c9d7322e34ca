"""Sheets sent through the console: refused in words, checked whole, confirmed, taken in whole or not at all."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping
from html import unescape
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import httpx
import orjson
from openpyxl import Workbook, load_workbook

from console.demo import evening, school
from engine.eligibility import eligibility
from engine.organisation import add_units, give_role
from engine.records import Request
from engine.store.registry import UnitRow
from exchange.cells import Cell
from exchange.fact_sheets import FACT_COLUMNS
from exchange.templates import write_sheet
from tests.web.conftest import Person, Site

CLERK, COLLEGE = "finance-clerk", "52000"
PAYMENTS, FACTS = "/imports/new/payments", "/imports/new/facts"
MOST = 8
"""Statements of a page (console.md, 7.5)."""


def clerk_elsewhere(site: Site) -> Person:
    """Somebody of the finance office of another school."""
    with site.house.desks.borrowed() as office:
        desk, at = office.desk, site.watch.at
        unit = UnitRow(code=COLLEGE, name="示例学院", kind="school", parent=school.SCHOOL.code, path="", profile=None)
        add_units(desk, [unit], at=at, actor=school.HEAD)
        give_role(desk, CLERK, "finance", COLLEGE, at=at, actor=school.HEAD)
    return site.signed_in(CLERK)


def sheet(folder: Path, rows: Iterable[Mapping[str, Cell]]) -> bytes:
    """A sheet of facts with the columns that are filled."""
    given = list(rows)
    used = {key for row in given for key in row}
    write_sheet(folder / "sheet.xlsx", [one for one in FACT_COLUMNS if one.key in used], given)
    return (folder / "sheet.xlsx").read_bytes()


def owed(site: Site) -> dict[str, str]:
    """What each student owes, by number."""
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT student_no, facts FROM student ORDER BY student_no").fetchall()
    return {str(number): str(orjson.loads(facts).get("fee_owed")) for number, facts in rows}


def events(site: Site) -> int:
    with site.house.desks.borrowed() as office:
        row = office.desk.connection.execute("SELECT count(*) FROM event").fetchone()
    assert row is not None
    return int(row[0])


def send(person: Person, address: str, body: bytes, name: str = "0513-缴费.xlsx") -> httpx.Response:
    return person.post(address, {}, files=[("file", (name, body, "application/octet-stream"))])


def settled(person: Person, address: str) -> str:
    """The page of a sheet once nobody works on it any more."""
    for _ in range(200):
        page = person.get(address)
        assert page.status_code == 200, page.text
        if "Refresh" not in page.headers:
            return plain(page.text)
        time.sleep(0.05)
    message = "nobody came to an end with it"
    raise AssertionError(message)


def plain(page: str) -> str:
    """What stands on a page."""
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def checked(person: Person, address: str, body: bytes) -> tuple[str, str]:
    """The address of a sheet that was sent, and its page once it is checked."""
    answer = send(person, address, body)
    assert answer.status_code == 303, plain(answer.text)
    return answer.headers["location"], settled(person, answer.headers["location"])


# --- what is no sheet --------------------------------------------------------------------------------


def workbook_of(*rows: list[object]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _bomb() -> bytes:
    made = BytesIO(workbook_of(["学号", "欠费金额"], ["1", "1"]))
    with ZipFile(made, "a", ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b"<worksheet>" + b" " * 60 * 2**20)
    return made.getvalue()


GOOD = workbook_of(["学号", "欠费金额"], ["1", "1"])
REFUSED: list[tuple[bytes, int, str]] = [
    (b"%PDF-1.7 \n" + bytes(50), 415, "不是 Excel 文件（内容是PDF）"),
    (b"a,b\n1,2\n", 415, "不是 Excel 文件（内容是纯文本）"),
    (GOOD[: len(GOOD) // 2], 415, "文件损坏"),
    (workbook_of(["学号", "欠费金额"], ["1", "=1+1"]), 415, "B2 是公式"),
    (_bomb(), 415, "解压后过大"),
    (bytes(31 * 2**20), 413, "文件 31.0 MB，最多 30 MB"),
]


def test_what_is_no_sound_sheet_is_refused_in_words_and_the_next_request_is_answered(site: Site):
    person, before = site.signed_in(school.HEAD), events(site)
    for body, status, words in REFUSED:
        answer = send(person, PAYMENTS, body)
        assert (answer.status_code, words in plain(answer.text)) == (status, True), plain(answer.text)
        assert "没有改动任何数据" in answer.text
        assert person.get(PAYMENTS).status_code == 200
    assert send(person, PAYMENTS, b"", name="").status_code == 422
    assert events(site) == before
    assert "还没有传过文件" in person.get("/files").text, "nothing of it was kept"


# --- payments ----------------------------------------------------------------------------------------


def test_three_bad_cells_of_a_payment_file_are_named_marked_and_mended_and_the_file_is_taken_in(
    site: Site, tmp_path: Path
):
    person, fees = site.signed_in(school.HEAD), owed(site)
    debtors = [number for number, fee in fees.items() if float(fee) > 0]
    assert debtors
    rows: list[dict[str, Cell]] = [{"student_no": number, "fee_owed": "0.00"} for number in fees]
    bad = [dict(one) for one in rows]
    bad[0]["fee_owed"], bad[1]["fee_owed"], bad[2]["student_no"] = "1,26O.00", "-1", "20990399999"

    address, page = checked(person, PAYMENTS, sheet(tmp_path, bad))
    assert "3 处错误" in page
    assert "B2 欠费金额 1,26O.00 不是数字：含字母 O 改成 1260.00" in page
    assert "还有 3 处错误，改好再传；一处有错，整份不导入" in page
    assert "A4 学号 20990399999 库中没有这个学号 请先导入名册" in page
    assert plain(person.get(f"{address}?header=学号").text).count("库中没有这个学号") >= 1
    assert "1,26O.00" not in plain(person.get(f"{address}?header=学号").text).partition("单元格")[2]
    assert person.post(f"{address}/commit", {}).status_code == 303
    assert "3 处错误" in settled(person, address), "what has an error cannot be confirmed"

    marked = load_workbook(BytesIO(person.get(f"{address}/marked.xlsx").content)).worksheets[0]
    commented = {cell.coordinate: cell.comment.text for row in marked.iter_rows() for cell in row if cell.comment}
    assert set(commented) == {"B2", "B3", "A4"}
    assert "改成 1260.00" in commented["B2"]
    assert marked["B2"].value == "1,26O.00"
    assert marked["B2"].fill.fgColor.rgb == "00FCE9E7"
    assert owed(site) == fees, "nothing is written before it is confirmed"

    mended = sheet(tmp_path, rows)
    address, page = checked(person, PAYMENTS, mended)
    assert f"将改动 {len(debtors)} 人；不变 {len(rows) - len(debtors)} 人。" in page
    foretold = re.search(r"其中 (\d+) 人因此条件已齐", page)
    assert foretold is not None, "who only owed a fee may apply now"
    assert owed(site) == fees
    before = events(site)
    person.post(f"{address}/commit", {})
    page = settled(person, address)
    assert f"已导入：改动 {len(debtors)} 人，不变 {len(rows) - len(debtors)} 人。" in page
    assert f"{foretold[1]} 人现在可以申请" in page, "what was foretold is what came"
    assert "批号 0515-01" in page
    assert plain(person.get(f"{address}/ready").text).count("在籍") == int(foretold[1])
    assert set(owed(site).values()) == {"0.00"}
    assert events(site) - before >= len(debtors)
    assert site.signed_in(school.ACCEPTING).get(address).status_code == 404, "it is its sender's alone"

    again, page = checked(person, PAYMENTS, mended)
    assert "这份文件 今天 17:31 已由赵凯导入，没有改动任何数据" in page
    assert person.post(f"{again}/drop", {}).headers["location"] == "/files"
    assert person.get(again).status_code == 404


def test_whoever_has_nothing_in_the_way_any_more_is_foretold_counted_and_listed(site: Site, tmp_path: Path):
    head, approver = site.signed_in(school.HEAD), site.signed_in(evening.APPROVER)
    with site.house.desks.borrowed() as office:
        without = office.desk.connection.execute(
            "SELECT s.student_no FROM student s JOIN lane l ON l.case_id = s.record"
            " WHERE l.role = 'site_approver' AND l.lane = 0 AND NOT (s.facts ->> '$.electronic_photo')"
        ).fetchall()
    assert len(without) == 5
    rows: list[dict[str, Cell]] = [{"student_no": number, "electronic_photo": "是"} for (number,) in without]
    address, page = checked(head, FACTS, sheet(tmp_path, rows))
    assert "将改动 5 人；不变 0 人。 其中 5 人因此条件已齐。 电子照片 改动 5 处" in page
    assert "受阻 8" in plain(approver.get("/exports").text)
    head.post(f"{address}/commit", {})
    assert "5 件现在可以办" in settled(head, address)
    assert "受阻 3" in plain(approver.get("/exports").text), "what was foretold is what came"
    listed = plain(head.get(f"{address}/ready").text)
    assert "5 人因这次导入条件已齐" in listed
    assert all(number in listed for (number,) in without)


def test_whoever_may_apply_now_is_filed_for_from_the_page_of_the_sheet_by_who_files(site: Site, tmp_path: Path):
    with site.house.desks.borrowed() as office:
        request = Request(trigger="import", actor=office.desk.actor(school.HEAD), at=site.watch.at)
        answers = [one for one in eligibility(office.desk, school.BATCH, request) if one.unit == evening.SITE]
        owing = [one.student_no for one in answers if (one.failed, one.undecided) == (("G-GR-07",), ())]
        give_role(office.desk, school.HEAD, "site_operator", evening.SITE, at=site.watch.at, actor=school.HEAD)
    assert owing
    head = site.signed_in(school.HEAD)
    address, _ = checked(head, FACTS, sheet(tmp_path, [{"student_no": one, "fee_owed": "0.00"} for one in owing]))
    head.post(f"{address}/commit", {})
    assert f"{len(owing)} 人现在可以申请 去申请" in settled(head, address)
    offered = plain(head.get(f"{address}/ready?which=apply").text)
    assert f"为 {len(owing)} 人申请：" in offered

    run = head.post(f"{address}/apply", {"batch": school.BATCH}).headers["location"]
    assert f"{len(owing)} 可办" in plain(head.get(run).text)
    sample = re.findall(rf'<li><a href="({run}/sample/[^"]+)">', head.get(run).text)
    assert [head.get(one).status_code for one in sample] == [200] * len(owing), "who sits above the site looks first"
    assert head.post(f"{run}/commit", {}).status_code == 303
    settled(head, run)

    assert head.post(f"{address}/apply", {"batch": school.BATCH}).headers["location"] == f"{address}/ready?which=apply"
    assert "为 " not in plain(head.get(f"{address}/ready?which=apply").text).partition("现在条件已齐")[2]
    assert head.post(f"{address}/apply", {"batch": "none-such"}).headers["location"] == f"{address}/ready?which=apply"


def test_two_who_confirm_the_same_file_at_once_take_it_in_once(site: Site, tmp_path: Path):
    fees = owed(site)
    number, fee = next((number, fee) for number, fee in fees.items() if float(fee) > 0)
    body = sheet(tmp_path, [{"student_no": number, "fee_owed": "0.00"}])
    people = [site.signed_in(login) for login in (school.HEAD, school.ACCEPTING)]
    addresses = [checked(one, PAYMENTS, body)[0] for one in people]
    gate = threading.Barrier(2)

    def confirm(person: Person, address: str) -> None:
        gate.wait()
        person.post(f"{address}/commit", {})

    threads = [threading.Thread(target=confirm, args=pair) for pair in zip(people, addresses, strict=True)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    pages = [settled(*pair) for pair in zip(people, addresses, strict=True)]

    assert sorted("已导入：改动 1 人" in page for page in pages) == [False, True]
    [other] = [page for page in pages if "已导入：" not in page]
    assert "导入，没有改动任何数据" in other
    assert owed(site)[number] == "0.00" != fee


def test_what_somebody_changed_meanwhile_is_shown_again_before_it_is_written(site: Site, tmp_path: Path):
    person, fees = site.signed_in(school.HEAD), owed(site)
    one, two, *_ = fees
    address, page = checked(
        person, PAYMENTS, sheet(tmp_path, [{"student_no": number, "fee_owed": "77.00"} for number in (one, two)])
    )
    assert "将改动 2 人；不变 0 人" in page
    other, _ = checked(person, PAYMENTS, sheet(tmp_path, [{"student_no": one, "fee_owed": "77.00"}]))
    person.post(f"{other}/commit", {})
    settled(person, other)

    person.post(f"{address}/commit", {})
    page = settled(person, address)
    assert "您确认的时候情况已变，所以没有写入" in page
    assert "将改动 1 人；不变 1 人" in page
    assert owed(site)[two] == fees[two]
    person.post(f"{address}/commit", {})
    assert "已导入：改动 1 人" in settled(person, address)
    assert owed(site)[two] == "77.00"


def test_a_sheet_whose_worker_died_is_gone_on_with_at_the_next_look_and_taken_in_once(site: Site, tmp_path: Path):
    person = site.signed_in(school.HEAD)
    number = next(iter(owed(site)))
    address, _ = checked(person, PAYMENTS, sheet(tmp_path, [{"student_no": number, "fee_owed": "66.00"}]))
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("UPDATE import_run SET stage = 'committing', beat_at = made_at")
    assert "Refresh" in person.get(address).headers, "somebody might still be at it"
    assert owed(site)[number] != "66.00"
    site.watch.pass_by(minutes=2)
    before = events(site)
    assert "已导入：改动 1 人" in settled(person, address)
    written = events(site) - before
    person.post(f"{address}/commit", {})
    assert "已导入：改动 1 人" in settled(person, address)
    assert (owed(site)[number], events(site) - before) == ("66.00", written)


# --- who, and what ------------------------------------------------------------------------------------


def test_each_takes_in_what_is_theirs_to_write_and_of_their_own_students(site: Site, tmp_path: Path):
    person, head = clerk_elsewhere(site), site.signed_in(school.HEAD)
    assert [one.get(FACTS).status_code for one in (person, head)] == [404, 200]
    assert site.signed_in(evening.APPROVER).get(PAYMENTS).status_code == 404
    assert site.signed_in("auditor").get("/files").status_code == 404
    number, before = next(iter(owed(site))), owed(site)
    _, page = checked(person, PAYMENTS, sheet(tmp_path, [{"student_no": number, "fee_owed": "1", "card_filled": "是"}]))
    assert "不认识的表头“学籍卡”" in page
    assert "库中没有这个学号" in page, "a student of another school is as unknown as one who does not exist"
    address, page = checked(head, FACTS, sheet(tmp_path, [{"student_no": number, "fee_owed": "3.00"}]))
    assert "将改动 1 人" in page
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("UPDATE role_grant SET role = 'finance' WHERE login = ?", (school.HEAD,))
    with site.house.desks.borrowed() as office:
        give_role(office.desk, school.HEAD, "records_section", COLLEGE, at=site.watch.at, actor="test")
    head = site.signed_in(school.HEAD)
    mixed = [{"student_no": number, "fee_owed": "4.00", "photo_review": "未通过"}]
    _, page = checked(head, FACTS, sheet(tmp_path, mixed))
    assert "1 名学生不符合规则" in page, "of this student only the fee is theirs to write"
    assert "照片审核" in page
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("DELETE FROM role_grant WHERE login = ? AND role = 'finance'", (school.HEAD,))
    head.post(f"{address}/commit", {})
    assert "库中没有这个学号" in settled(head, address), "the rights are those held when it is confirmed"
    assert owed(site) == before


def test_a_roster_opens_records_and_a_faulty_one_opens_none(site: Site, staged_evening):
    head = site.signed_in(school.HEAD)
    body = (staged_evening.into / "roster.xlsx").read_bytes()
    _, page = checked(head, "/imports/new/roster", body)
    assert "将改动 1 人" in page or "均与库中一致" in page, page
    book = load_workbook(BytesIO(body))
    rows = book.worksheets[0]
    rows.delete_rows(3, rows.max_row)
    rows["A2"], rows["B2"], rows["F2"] = "2029039999999", "29510000000001", "110101200001010011"
    made = BytesIO()
    book.save(made)
    _, page = checked(head, "/imports/new/roster", made.getvalue())
    assert "1101****0011" in page, "an ID number is masked"
    assert "110101200001010011" not in page


def test_a_table_becomes_the_sheet_and_says_before_what_goes_and_comes(site: Site):
    head = site.signed_in(school.HEAD)
    address = "/imports/new/exemption_reasons"
    template = load_workbook(BytesIO(head.get(f"{address}/template.xlsx").content)).worksheets[0]
    assert [cell.value for cell in template[1]] == ["subject_code", "reason_code", "reason"]
    body = "subject_code,reason_code,reason\nA1,01,年满四十周岁\n".encode()
    answer = send(head, address, body, name="免考原因.csv")
    place = answer.headers["location"]
    assert "将新增 1 行，删除 0 行；不变 0 行" in settled(head, place)
    head.post(f"{place}/commit", {})
    assert "已导入：新增 1 行，删除 0 行" in settled(head, place)


# --- taking along -------------------------------------------------------------------------------------


def test_a_queue_is_taken_along_after_a_proof_and_the_trail_says_so_without_names(site: Site):
    person = site.signed_in(evening.APPROVER)
    assert "全部待办 60" in plain(person.get("/exports").text)
    answer = person.post("/exports/queue", {"filter": "lane=blocked"})
    rows = list(load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
    assert rows[0][:3] == ("件号 Case", "姓名 Name", "学号 Student no.")
    assert len(rows) == 1 + len({row[0] for row in rows[1:]}) == 9
    with site.house.desks.borrowed() as office:
        bodies = office.desk.connection.execute("SELECT body FROM event WHERE chain = 0").fetchall()
    [told] = [body.decode() for (body,) in bodies if b'"exported"' in body]
    assert '"cases":8' in told
    assert not any(str(row[1]) in told for row in rows[1:])
    site.watch.pass_by(minutes=20)
    assert person.post("/exports/queue", {"filter": ""}).headers["location"].startswith("/sign-in/again")


def test_the_pages_ask_the_database_as_seldom_as_was_promised(narrow_site: Site, tmp_path: Path):
    site = narrow_site
    head = site.signed_in(school.HEAD)
    numbers = list(owed(site))
    address, _ = checked(head, FACTS, sheet(tmp_path, [{"student_no": one, "fee_owed": "x"} for one in numbers]))
    fine, _ = checked(head, FACTS, sheet(tmp_path, [{"student_no": one, "fee_owed": "5.00"} for one in numbers]))
    counts = {}
    for page in ("/files", FACTS, address, f"{address}?order=kind&page=2", fine, "/exports"):
        head.get(page)
        with site.counted() as statements:
            assert head.get(page).status_code == 200
        counts[page] = len(statements)
    assert max(counts.values()) <= MOST, counts
