"""Packages of photographs and results of audits, sent through the console: each whole, or nothing of it."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from openpyxl import load_workbook
from PIL import Image

from console.demo import evening, school
from engine.casework import open_case
from engine.handing_in import Rooms
from engine.publishing import change_batch
from engine.records import Moved, Request
from engine.store import documents
from engine.store.cases import read_cases, students_cases
from engine.store.students import by_numbers, students
from exchange.cells import Cell
from exchange.certificates import make_certificate_no
from tests.exchange.pictures import package, png_claiming
from tests.web.conftest import Site
from tests.web.test_imports import FACTS, GOOD, checked, events, owed, plain, send, settled, sheet, workbook_of

BATCH = school.BATCH
PHOTOS = "/imports/new/photos"
FINAL, PROVINCIAL = "/imports/new/final_results", "/imports/new/provincial_results"


# --- packages of photographs --------------------------------------------------------------------------


def facts_of(site: Site, name: str) -> dict[str, object]:
    """What is known under a name of each student, by number."""
    with site.house.desks.borrowed() as office:
        return {one.student_no: one.facts.get(name) for one in students(office.desk.connection)}


def photo(shade: int = 120, size: tuple[int, int] = (480, 640), kind: str = "JPEG") -> bytes:
    """A picture as large as a collector's."""
    made = BytesIO()
    image = Image.effect_noise(size, 30).convert("RGB")
    image.paste((shade, shade, shade), (0, 0, size[0], 40))
    image.save(made, kind)
    return made.getvalue()


def collecting(site: Site, number: str) -> int:
    """A photo collection of a student, opened by the records section."""
    with site.house.desks.borrowed() as office:
        desk = office.desk
        request = Request(trigger="start", actor=desk.actor(school.HEAD), at=site.watch.at, fields={"batch": BATCH})
        opened = open_case(desk, "graduate-photo-collection", number, request)
    assert isinstance(opened, Moved)
    return opened.case.id


def photos_of(site: Site, case: int) -> list[str]:
    with site.house.desks.borrowed() as office:
        return [str(one.sha256) for one in documents.of_case(office.desk.connection, case)]


HOSTILE: list[tuple[bytes, str]] = [
    (b"Rar!\x1a\x07\x00" + bytes(40), "不是 ZIP 压缩包（内容是RAR 压缩包）"),
    (GOOD, "这是 Excel 文件，不是照片包"),
    (package({"1.jpg": photo()})[:900], "压缩包损坏或没有传完"),
    (package({"../../1.jpg": photo()}), "“../../1.jpg”指向别处"),
    (package({"1.jpg": bytes(50 * 2**20)}, stored=False), "解压后过大"),
    (package({"1.jpg": photo()}) + b"<script>", "压缩包前后夹带了别的内容"),
    (package({".DS_Store": b"x"}), "压缩包里没有照片"),
]


def test_an_archive_that_is_no_sound_package_is_refused_in_words_and_the_next_request_is_answered(site: Site):
    person, before = site.signed_in(school.HEAD), events(site)
    for body, words in HOSTILE:
        answer = send(person, PHOTOS, body, name="照片.zip")
        assert (answer.status_code, words in plain(answer.text)) == (415, True), (words, plain(answer.text))
        assert person.get(PHOTOS).status_code == 200
    assert events(site) == before


def test_pictures_that_fail_stand_beside_the_rule_and_nothing_of_the_package_is_kept(site: Site):
    person, before = site.signed_in(school.HEAD), events(site)
    one, two, three, four, *_ = owed(site)
    exam_no = str(facts_of(site, "exam_no")[two])
    pictures = {
        f"一班/{one}.jpg": photo(size=(640, 480)),
        f"一班/{exam_no}.jpg": photo(),
        f"二班/{two}.jpg": photo(),
        "20990399999.jpg": photo(),
        f"{three}.jpg": png_claiming(60_000, 60_000),
        f"{four}.jpg": photo() + package({"x": b"x"}),
        "名单.xlsx": workbook_of(["学号"], [one], [two], [three], [four], ["20990399998"]),
    }
    address, page = checked(person, PHOTOS, package(pictures))
    assert "6 张：1 张合格" in page
    assert (
        "G-PH-01 照片480×640竖幅 照片为640×480，应为480×640 怎么改： 按480×640竖幅重新导出（G-PH-01，S001-I-6.12）"
        in page
    )
    assert "与第 2 张是同一名学生" in page
    assert "库中没有这个号码" in page
    assert "像素过多" in page
    assert "图片后面夹带了别的内容" in page
    assert "名单上有，包里没有照片" in page
    assert "继续导入" in page
    assert "与第 2 张" not in plain(person.get(f"{address}?header=照片标准 / Standard").text).partition("按第几张")[2]
    shown = person.get(f"{address}/pictures/1.png")
    assert (shown.headers["content-type"], Image.open(BytesIO(shown.content)).size) == ("image/png", (240, 180))
    assert [person.get(f"{address}/pictures/{place}.png").status_code for place in (5, 7, 99)] == [404, 404, 404]
    assert site.signed_in(school.ACCEPTING).get(f"{address}/pictures/1.png").status_code == 404
    listed = load_workbook(BytesIO(person.get(f"{address}/marked.xlsx").content)).worksheets[0]
    assert [row[1] for row in listed.iter_rows(min_row=2, values_only=True)].count(f"一班/{one}.jpg") == 1
    person.post(f"{address}/commit", {})
    assert "处错误" in settled(person, address)
    assert events(site) == before


def test_photographs_go_onto_their_cases_and_a_new_one_in_place_of_a_reviewed_one_is_reviewed_again(site: Site):
    person = site.signed_in(school.HEAD)
    lacking = [number for number, there in facts_of(site, "electronic_photo").items() if there is False]
    passed = [number for number, said in facts_of(site, "photo_review").items() if said == "通过"]
    collected = next(number for number in passed if number not in lacking)
    case, id_number = collecting(site, collected), str(facts_of(site, "id_number")[collected])
    first = photo(100)
    body = package({**{f"{number}.jpg": photo() for number in lacking}, f"{id_number.lower()}.jpg": first})
    address, page = checked(person, PHOTOS, body)
    assert f"{len(lacking) + 1} 人的照片有变；不变 0 人。 1 张存入照片采集的办件。" in page
    assert f"{len(lacking)} 人没有进行中的照片采集" in page
    assert "人建立照片采集，把照片存进去" in page
    assert not photos_of(site, case), "nothing is written before it is confirmed"
    person.post(f"{address}/commit", {})
    page = settled(person, address)
    assert f"已导入：改动 {len(lacking) + 1} 人，不变 0 人。 批号 0515-01" in page
    assert photos_of(site, case) == [sha256(first).hexdigest()]
    assert False not in facts_of(site, "electronic_photo").values()
    assert facts_of(site, "photo_review")[collected] == "通过", "a first picture takes nothing back"

    _, page = checked(person, PHOTOS, body)
    assert "这份文件 今天 17:31 已由赵凯导入，没有改动任何数据" in page

    second = photo(40)
    address, page = checked(person, PHOTOS, package({f"{collected}.jpg": second}))
    assert "其中 1 人的照片审核过，换新后要重审。" in page
    person.post(f"{address}/commit", {})
    assert "1 人的照片需重审" in settled(person, address)
    assert collected in plain(person.get(f"{address}/reviews").text)
    assert photos_of(site, case) == [sha256(second).hexdigest()]
    assert facts_of(site, "photo_review")[collected] == "待审"
    found = plain(person.get("/files?find=0515-02").text)
    assert ("0515-02" in found, "0515-01" in found) == (True, False), "an import is found by its number"


def collections(site: Site) -> dict[str, str]:
    """Where the photo collections of students stand, by student number."""
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(
            "SELECT s.student_no, c.state FROM cases c JOIN student s ON s.id = c.student"
            " WHERE c.workflow = 'graduate-photo-collection'"
        ).fetchall()
    return {str(number): str(state) for number, state in rows}


def expected(site: Site) -> list[str]:
    """Who is in the batch and may still apply: its publication has opened a review, and the record is on roll."""
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(
            "SELECT s.student_no FROM cases c JOIN student s ON s.id = c.student JOIN cases r ON r.id = s.record"
            " WHERE c.workflow = 'graduation-eligibility-review' AND r.state = 'enrolled' ORDER BY s.student_no"
        ).fetchall()
    return [str(number) for (number,) in rows]


def test_the_photographs_of_those_without_a_collection_are_kept_once_one_is_opened_for_them(site: Site):
    person = site.signed_in(school.HEAD)
    known = facts_of(site, "electronic_photo")
    one = next(number for number in expected(site) if known[number] is True)
    two = next(number for number in expected(site) if known[number] is False)
    pictures = {one: photo(100), two: photo(90)}
    body = package({f"{number}.jpg": picture for number, picture in pictures.items()})

    address, page = checked(person, PHOTOS, body)
    assert "2 人没有进行中的照片采集：图片检查后不保存" in page
    assert person.post(f"{address}/collections", {"open": "1"}).status_code == 303
    page = settled(person, address)
    assert "将为 2 人建立照片采集，并通知本人" in page
    assert "2 张存入照片采集的办件。" in page
    assert "2 人因此条件已齐" not in page, "a case that is opened was not freed of anything"
    assert not collections(site), "nothing is opened before it is confirmed"
    person.post(f"{address}/collections", {})
    assert "为其中 2 人建立照片采集" in settled(person, address), "it can be left"
    person.post(f"{address}/collections", {"open": "1"})
    settled(person, address)

    before = events(site)
    person.post(f"{address}/commit", {})
    page = settled(person, address)
    assert "为 2 人建立照片采集。" in page
    assert "2 张存入照片采集的办件。" in page
    assert collections(site) == {one: "open", two: "open"}
    with site.house.desks.borrowed() as office:
        rows = by_numbers(office.desk.connection, list(pictures))
        opened = {
            case.id: number
            for number, row in rows.items()
            for case in students_cases(office.desk.connection, row.id)
            if case.workflow == "graduate-photo-collection"
        }
    assert [photos_of(site, case) for case in opened] == [
        [sha256(pictures[number]).hexdigest()] for number in opened.values()
    ]
    assert facts_of(site, "electronic_photo")[two] is True
    assert events(site) - before == 5, "two cases, two pictures, and what is new of one student"
    _, page = checked(person, PHOTOS, package({f"{one}.jpg": photo(80)}))
    assert "建立照片采集" not in page, "there is one now"


def test_a_collection_that_has_ended_is_not_opened_again_by_a_photograph_and_nobody_opens_one_without_the_right(
    site: Site,
):
    one, two, *_ = expected(site)
    case = collecting(site, one)
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("UPDATE cases SET state = 'submitted' WHERE id = ?", (case,))
    _, page = checked(site.signed_in(school.HEAD), PHOTOS, package({f"{one}.jpg": photo()}))
    assert "1 人没有进行中的照片采集" in page
    assert "建立照片采集，把照片存进去" not in page
    stranger = next(number for number in owed(site) if number not in expected(site))
    with site.house.desks.borrowed() as office:
        desk = office.desk
        rows = list(by_numbers(desk.connection, [two, stranger]).values())
        found = {
            login: Rooms(desk, "E-PHOTO", Request(trigger="photos", actor=desk.actor(login), at=site.watch.at))
            for login in (school.HEAD, "auditor")
        }
        whom = {login: [row.student_no for some in one.for_some(rows).values() for row in some]
                for login, one in found.items()}  # fmt: skip
    assert whom == {school.HEAD: [two], "auditor": []}, "of those in the batch, by those who may"


# --- the pictures a clerk really sends ------------------------------------------------------------


def picture_of(kind: str = "JPEG", mode: str = "RGB", **how: object) -> bytes:
    made = BytesIO()
    Image.effect_noise((480, 640), 30).convert(mode).save(made, kind, **how)
    return made.getvalue()


def test_what_clerks_send_is_taken_or_refused_in_words_that_say_what_to_do(site: Site):
    person = site.signed_in(school.HEAD)
    one, two, three, four, five, six, seven, eight, nine, *_ = owed(site)
    same, turned = photo(), Image.Exif()
    turned[0x0112] = 6
    lying = BytesIO()
    Image.effect_noise((640, 480), 30).convert("RGB").save(lying, "JPEG", exif=turned)
    wide = one.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    id_number = str(facts_of(site, "id_number")[nine])
    pictures = {
        f"网络教育/一班/{wide}.JPG": photo(),
        f"__MACOSX/网络教育/._{one}.jpg": b"x",
        "网络教育/.DS_Store": b"x",
        "~$名单.xlsx": b"x",
        f"{two}.jpg": same,
        f"{three}.jpg": same,
        f"{four}.jpg": picture_of(mode="CMYK"),
        f"{five}.jpg": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
        f"{six}.png": picture_of("PNG"),
        f"{seven}.jpg": lying.getvalue(),
        f"{eight}.jpg": b"",
        f"李强{id_number}.jpg": photo(),
    }
    address, page = checked(person, PHOTOS, package(pictures))
    assert "9 张：3 张合格" in page, page
    assert "和第 2 张是同一张照片，却是两名学生 怎么改： 请换成本人的" in page
    assert "不是照片（内容是手机拍的 HEIC 图片） 怎么改： 请换成 JPG" in page
    assert "文件内容为png，应为jpeg" in page
    assert "照片实际是横的，只靠旋转标记才竖着显示 怎么改： 请用看图软件转正，另存为 JPG" in page
    assert "文件是空的（0 字节） 怎么改： 请重新导出这张照片" in page
    assert f"文件名里除了号码 {id_number[:4]}****{id_number[-4:]} 还有别的字 怎么改： 请改成只有号码" in page
    assert id_number not in person.get(address).text, "an ID number is masked, also beside a name"
    warnings = plain(person.get(f"{address}?which=warnings").text)
    assert "颜色是印刷用的 CMYK" in warnings
    assert person.get(f"{address}/pictures/4.png").status_code == 200, "its colours are turned for the page"


# --- results of audits above the school ---------------------------------------------------------------


def results(*rows: tuple[str, str, str]) -> bytes:
    return workbook_of(["学号", "审核结果", "未通过原因"], *[list[object](one) for one in rows])


def states(site: Site, *numbers: str) -> list[str]:
    """Where the records of some students stand."""
    with site.house.desks.borrowed() as office:
        found = by_numbers(office.desk.connection, list(numbers))
        records = read_cases(office.desk.connection, [found[one].record or 0 for one in numbers])
    return [records[found[one].record or 0].case.state for one in numbers]


def certificate(site: Site, number: str) -> dict[str, Cell]:
    """What a certificate says, as a row of facts."""
    return {
        "student_no": number, "conclusion": "毕业", "graduated_on": "2024-06-20", "issued_on": "2024-06-20",
        "certificate_no": make_certificate_no(
            school_code=school.SCHOOL.code, kind="1", graduated_on=date(2024, 6, 20),
            level=str(facts_of(site, "level")[number]), serial=1,
        ),
    }  # fmt: skip


def certify(site: Site, folder: Path, number: str) -> None:
    """What a student needs to be registered, beside having passed."""
    with site.house.desks.borrowed() as office:
        desk = office.desk
        named = {"school_name": "示范开放大学", "president": "示范校长", "graduation_on": "2024-06-20"}
        change_batch(desk, BATCH, named, Request(trigger="batch_set", actor=desk.actor(school.HEAD), at=site.watch.at))
    person = site.signed_in(school.HEAD)
    address, page = checked(person, FACTS, sheet(folder, [certificate(site, number)]))
    person.post(f"{address}/commit", {})
    assert "已导入" in settled(person, address), page


def test_results_of_the_audits_are_recorded_for_everybody_on_the_sheet_or_for_nobody(site: Site, tmp_path: Path):
    person = site.signed_in(school.AUDITING)
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(
            "SELECT s.student_no FROM student s JOIN cases c ON c.id = s.record WHERE c.state = 'branch_approved'"
            " ORDER BY s.student_no LIMIT 3"
        ).fetchall()
    one, two, three = (str(number) for (number,) in rows)
    elsewhere = next(number for number in owed(site) if states(site, number) == ["enrolled"])

    _, page = checked(person, FINAL, results((one, "通过", ""), (two, "未通过", ""), (elsewhere, "通过", "x")))
    assert "未通过须写原因" in page
    assert "学籍现为“学籍科已接收”，不能记“学历注册”" in page
    assert "学籍现为“在籍”，不能记“学历注册”" in page

    sheet_of = results((one, "通过", ""), (two, "审核不通过", "学分不足"), (three, "合格", ""))
    address, page = checked(person, PROVINCIAL, sheet_of)
    assert "将记录通过 2 人、未通过 1 人；已记录过 0 人。" in page
    assert f"{two} 学分不足" in page
    assert set(states(site, one, two, three)) == {"branch_approved"}
    person.post(f"{address}/commit", {})
    assert "已导入：通过 2 人，未通过 1 人，已记录过 0 人。 批号 0515-01" in settled(person, address)
    assert states(site, one, two, three) == ["provincially_audited", "enrolled", "provincially_audited"]
    _, page = checked(person, PROVINCIAL, sheet_of)
    assert "已由何正平导入，没有改动任何数据" in page

    final = results((one, "通过", ""), (three, "未通过", "照片不符"))
    _, page = checked(person, FINAL, final)
    assert "1 名学生不符合规则，整份不导入" in page, "no certificate is known yet (G-GR-19a)"
    assert states(site, one, three) == ["provincially_audited"] * 2, "one who is refused stops the other"
    certify(site, tmp_path, one)
    address, page = checked(person, FINAL, final)
    assert "将记录通过 1 人、未通过 1 人" in page
    person.post(f"{address}/commit", {})
    assert "批号 0515-03" in settled(person, address)
    assert states(site, one, three) == ["registered", "enrolled"]
    assert site.signed_in(evening.APPROVER).get(FINAL).status_code == 404
