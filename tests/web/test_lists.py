"""Lists and books: they add up, are signed in their order, and nothing is signed that changed after it was fixed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from io import BytesIO
from pathlib import Path

import orjson
import pytest
from PIL import Image
from typer.testing import CliRunner

from console.calling import Sitting
from console.commands import app
from console.demo import lists as reviewing
from console.demo import school
from console.demo.sheets import Files
from engine.facts import keep_facts
from engine.loading.folder import load
from engine.organisation import give_role, rename_unit
from engine.records import Json, case_number
from engine.store import registry, students
from engine.store.documents import of_case
from tests.definitions.credential_acts import FULLTIME, TO_BE_SET, archived, expected, list_sealed, student_signed
from tests.definitions.world import world_at
from tests.engine.town import HOME, KEY, LOG
from tests.web.conftest import Person, Site, opening
from tests.web.test_api import Program

UNIT = school.SITES[0].code
HANDLER, SECOND = school.operator(UNIT), "second-operator"
TICKS = {"tick-E-F04.signed": "yes", "tick-E-F04.sealed": "yes"}
WHY = "签字页上的印章不清楚，请重新盖章"
_TAGS = re.compile(r"<[^>]+>")


@dataclass(slots=True)
class Desk:
    """The list of one teaching point, and the people who work on it."""

    site: Site
    id: int
    handler: Person
    records: Person

    @property
    def address(self) -> str:
        return f"/lists/{case_number(self.id)}"

    def page(self, person: Person, part: str = "") -> str:
        answer = person.get(f"{self.address}{part}")
        assert answer.status_code == 200, answer.text
        return told(answer.text)

    def posted(self, person: Person, part: str, files=(), **form: str) -> tuple[int, str]:
        page = person.get(f"{self.address}/{part}" if part in ("sign", "scan", "back") else self.address).text
        seen = re.search(r'name="seen" value="(\d+)"', page)
        answer = person.post(f"{self.address}/{part}", {"seen": seen[1] if seen else "", **form}, files=files)
        return answer.status_code, told(answer.text) or answer.headers.get("location", "")

    def scans(self, person: Person, shade: int) -> int:
        return self.posted(person, "scan", [("file", ("s.png", scan(shade), "image/png"))], kind="E-F04")[0]

    def signs(self, slot: str, **form: str) -> tuple[int, str]:
        return self.posted(self.handler, "sign", slot=slot, **{"vote": "yes", **form})

    @property
    def state(self) -> str:
        with self.site.house.desks.borrowed() as office:
            [(state,)] = office.desk.connection.execute("SELECT state FROM cases WHERE id = ?", (self.id,)).fetchall()
        return str(state)

    def kinds(self) -> list[str]:
        with self.site.house.desks.borrowed() as office:
            rows = office.desk.connection.execute(
                "SELECT body FROM event WHERE chain = ? ORDER BY seq", (self.id,)
            ).fetchall()
        return [str(orjson.loads(bytes(body))["kind"]) for (body,) in rows]

    def sent_back_and_reviewed(self) -> None:
        """The records section sends the list back; its students are reviewed anew, all but one found eligible."""
        assert self.posted(self.records, "back", trigger="return_list", reason=WHY)[0] == 303
        with self.site.house.desks.borrowed() as office:
            sitting = Sitting(office=office, at=self.site.watch.at)
            rows = office.desk.connection.execute(
                "SELECT s.student_no FROM member m JOIN cases l ON l.id = m.list_id JOIN cases c ON c.id = m.member"
                " JOIN student s ON s.id = c.student WHERE l.unit = ?",
                (UNIT,),
            ).fetchall()
            assert rows == [], "a list that was sent back has let its members go"
            numbers = office.desk.connection.execute(
                "SELECT s.student_no FROM cases c JOIN student s ON s.id = c.student WHERE c.unit = ?"
                " AND c.workflow = 'graduation-eligibility-review' AND c.state = 'undecided'",
                (UNIT,),
            ).fetchall()
            reviewing.find_eligible(sitting, frozenset(str(one) for (one,) in numbers[1:]))
            reviewing.find_the_rest(sitting)


def told(page: str) -> str:
    """What a reader sees of a page."""
    return re.sub(r"\s+", " ", unescape(_TAGS.sub("", page)))


def scan(shade: int) -> bytes:
    written = BytesIO()
    Image.new("L", (620, 877), shade).save(written, "PNG")
    return written.getvalue()


def at_work(site: Site) -> Desk:
    with site.house.desks.borrowed() as office:
        [(number,)] = office.desk.connection.execute(
            "SELECT id FROM cases WHERE workflow = 'graduation-eligibility-review.site_list' AND unit = ?", (UNIT,)
        ).fetchall()
    return Desk(site, number, site.signed_in(HANDLER), site.signed_in(school.HEAD))


@pytest.fixture
def desk(site: Site) -> Desk:
    return at_work(site)


# --- one list from draft to accepted ---------------------------------------------------------------------------------


def test_a_list_sent_back_is_closed_signed_in_order_and_accepted_by_somebody_who_saw_the_scan(desk: Desk):
    first = desk.page(desk.records)
    assert "第 1 稿" in first
    assert "对得上，无重复" in first

    assert desk.posted(desk.records, "back", trigger="return_list", reason="短")[0] == 422
    assert desk.posted(desk.records, "back", trigger="return_list", reason=WHY)[0] == 303
    draft = desk.page(desk.handler)
    assert "第 2 稿" in draft
    assert re.search(r"对不上.*7 人哪张表都不在", draft)
    assert re.search(r"已作废的稿 第 1 稿.*经办人 林芳|已作废的稿 第 1 稿.*经办人", draft)
    assert "还不能名单定稿" in draft, "the step that is not open says why"
    assert desk.handler.get(f"{desk.address}/print").status_code == 404, "what was printed belongs to a void draft"
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 422

    with desk.site.house.desks.borrowed() as office:
        sitting = Sitting(office=office, at=desk.site.watch.at)
        reviewing.find_the_rest(sitting)
    assert "7 = 毕业生名单确认表 0 + 不办理毕业学生名单 7 对得上" in desk.page(desk.handler)
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert "换表" in desk.page(desk.handler)
    assert "第 2 稿与第 1 稿相比" in desk.page(desk.handler, "/diff")

    status, page = desk.signs("handler")
    assert status == 422
    assert "是本稿定稿以前交的" in page
    assert desk.scans(desk.handler, 240) == 303

    status, page = desk.signs("head")
    assert status == 422
    assert "还没轮到您：先由经办人签" in page
    for slot in ("handler", "head"):
        assert desk.signs(slot)[0] == 303
    assert desk.state == "signing"
    assert "已签 2 / 3" in desk.page(desk.handler)
    assert [desk.signs("seal", request="twice")[0] for _ in range(2)] == [303, 303], "a second click does nothing more"
    assert desk.state == "submitted"
    assert desk.kinds().count("moved") == 5

    assert desk.posted(desk.records, "seen", **{"tick-E-F04.signed": "yes"})[0] == 422
    assert desk.posted(desk.records, "seen", **TICKS)[0] == 303
    assert desk.state == "accepted"


def test_what_changes_after_the_list_was_closed_voids_what_was_signed(desk: Desk):
    desk.sent_back_and_reviewed()
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert desk.scans(desk.handler, 240) == 303
    assert desk.signs("handler")[0] == 303

    student_no = correct_a_name(desk)
    page = desk.page(desk.handler)
    assert "定稿后有改动" in page
    assert re.search(rf"毕业生名单确认表：{student_no} 更名后", page)
    status, page = desk.signs("head")
    assert status == 422
    assert "须退回经办重出一稿再签" in page
    assert desk.state == "signing"

    assert desk.posted(desk.handler, "back", trigger="reopen", reason=WHY)[0] == 303
    page = desk.page(desk.handler)
    assert re.search(r"第 3 稿", page)
    assert re.search(r"第 2 稿 7 人.*?经办人 .*? 已作废", page)
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert "资料改" in desk.page(desk.handler)
    assert re.search(r"姓名 原值 \S+ → 现值 更名后", desk.page(desk.handler, "/diff"))


def test_a_list_that_does_not_add_up_is_neither_closed_nor_signed_from_the_page_the_interface_or_the_command(
    desk: Desk,
):
    assert desk.posted(desk.records, "back", trigger="return_list", reason=WHY)[0] == 303
    undecided = everybody(desk)
    status, page = desk.posted(desk.handler, "step", trigger="close")
    assert status == 422
    assert "哪张都不在" in page
    assert all(f"（{number}）" in page for number in undecided)

    with desk.site.house.desks.borrowed() as office:
        reviewing.find_the_rest(Sitting(office=office, at=desk.site.watch.at))
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert desk.scans(desk.handler, 240) == 303
    old = correct(desk, {"student_no": "2099030000001"}, form="F-02")
    page = desk.page(desk.handler, "/sign")
    assert "对不上" in page
    assert "2099030000001" in page
    assert 'value="yes"' not in desk.handler.get(f"{desk.address}/sign").text, "what cannot be done has no button"
    status, page = desk.signs("handler", vote="yes")
    assert status == 422
    assert "（2099030000001）" in page
    assert "X-48" in by_program(desk, "submit_list", "handler")
    assert "X-48" in at_the_keyboard(desk, "submit_list", "handler")
    assert old != "2099030000001"
    assert desk.state == "signing"

    assert desk.posted(desk.handler, "back", trigger="reopen", reason=WHY)[0] == 303
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert desk.scans(desk.handler, 230) == 303
    assert desk.signs("handler")[0] == 303


def everybody(desk: Desk) -> list[str]:
    """The students of the teaching point who are expected."""
    with desk.site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(
            "SELECT s.student_no FROM cases c JOIN student s ON s.id = c.student WHERE c.unit = ?"
            " AND c.workflow = 'graduation-eligibility-review'",
            (UNIT,),
        ).fetchall()
    return [str(number) for (number,) in rows]


def by_program(desk: Desk, trigger: str, slot: str) -> str:
    """What a program of the handler's is answered that signs."""
    program = Program(desk.site, HANDLER, "read", "decide")
    address = f"/cases/{case_number(desk.id)}"
    seen = program.get(address).json()["revision"]
    answer = program.post(
        f"{address}/transitions/{trigger}", {"revision": seen, "slot": slot, "consents": True}, "signed-0001"
    )
    return answer.text


def at_the_keyboard(desk: Desk, trigger: str, slot: str) -> str:
    """What the handler is told who signs by the command."""
    words = ["sign", UNIT, trigger, "--case", case_number(desk.id), "--slot", slot, "--as", HANDLER]
    where = ["--database", desk.site.house.settings.database, "--now", desk.site.watch.at.isoformat()]
    return CliRunner().invoke(app, [*where, *words]).output


def correct_a_name(desk: Desk) -> str:
    """A member's name is corrected while the list is being signed."""
    return correct(desk, {"name": "更名后"}, form="F-01")


def correct(desk: Desk, facts: dict[str, Json], form: str) -> str:
    """Something about the first student on a form is corrected; the number that stands there."""
    with desk.site.house.desks.borrowed() as office:
        own, connection = office.desk, office.desk.connection
        [row] = [one for one in of_case(connection, desk.id) if one.kind == form][-1:]
        assert row.made is not None
        lines = row.made["rows"]
        assert isinstance(lines, list)
        with connection.writing():
            found = students.student(connection, str(lines[0][0]))
            assert found is not None
            request = Sitting(office=office, at=desk.site.watch.at).request("facts", own.actor(school.HEAD))
            keep_facts(own, found, facts, request, cause=(desk.id, 1))
    return str(lines[0][0])


def test_who_handed_the_scan_in_does_not_tick_it_and_signing_asks_who_is_there(desk: Desk):
    with desk.site.house.desks.borrowed() as office:
        for role, unit in (("site_operator", UNIT), ("records_section", school.SCHOOL.code)):
            give_role(office.desk, SECOND, role, unit, at=desk.site.watch.at, actor=school.HEAD)
    both = desk.site.signed_in(SECOND)
    desk.sent_back_and_reviewed()
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert desk.scans(both, 230) == 303
    desk.site.watch.pass_by(minutes=20)
    status, where = desk.signs("handler")
    assert (status, where.startswith("/sign-in/again?")) == (303, True)
    desk.handler = desk.site.signed_in(HANDLER)
    for slot in ("handler", "head", "seal"):
        assert desk.signs(slot)[0] == 303

    assert "扫描件是您自己交的，要由另一人看" in desk.page(both, "/scan")
    status, page = desk.posted(both, "seen", **TICKS)
    assert status == 422
    assert "须由另一人核验" in page
    assert desk.state == "submitted"
    assert desk.posted(desk.records, "seen", **TICKS)[0] == 303


def test_a_signer_who_says_no_sends_the_list_back_and_says_why(desk: Desk):
    desk.sent_back_and_reviewed()
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    assert desk.scans(desk.handler, 220) == 303
    assert desk.signs("handler", vote="no", reason="短")[0] == 422
    assert desk.signs("handler", vote="no", reason=WHY)[0] == 303
    assert desk.state == "draft"
    assert WHY in desk.page(desk.handler)


def test_who_nudges_the_next_signer_comes_back_to_the_list_which_says_so(desk: Desk):
    desk.sent_back_and_reviewed()
    assert desk.posted(desk.handler, "step", trigger="close")[0] == 303
    where = f"/cases/{case_number(desk.id)}/nudge"
    [about] = re.findall(r'name="about" value="([^"]+)"', desk.handler.get(where).text)

    answer = desk.handler.post(where, {"about": about, "request": "once"})

    assert answer.headers["location"] == f"{desk.address}?nudged=yes"
    assert "已催办" in told(desk.handler.get(answer.headers["location"]).text)
    assert "urged" in desk.kinds()


# --- looking ---------------------------------------------------------------------------------------------------------


def test_everybody_sees_the_lists_of_the_own_units_and_of_no_other(read_site: Site):
    desk = at_work(read_site)
    rows = re.findall(r'<th scope="row"><a href="(/lists/[^"]+)">', desk.records.get("/lists").text)
    assert len(rows) == len(school.SITES)
    own = re.findall(r'<th scope="row"><a href="(/lists/[^"]+)">', desk.handler.get("/lists").text)
    assert [one.replace("-", "") for one in own] == [desk.address]
    elsewhere = read_site.signed_in(school.operator(school.SITES[1].code))
    for part in ("", "/diff", "/print", "/sign", "/scan", "/back"):
        assert elsewhere.get(f"{desk.address}{part}").status_code == 404
    assert "还没有您能看到的名单" in told(read_site.signed_in("system-admin").get("/lists").text)


def test_a_number_of_the_sum_leads_to_exactly_those_members(read_site: Site):
    desk = at_work(read_site)
    page = desk.records.get(desk.address).text
    parts = re.findall(r'<a href="(/lists/[0-9A-Z-]+\?in=F-\d+)">\S+ (\d+)</a>', page)
    assert len(parts) == 2
    for address, count in parts:
        assert desk.records.get(address).text.count('<th scope="row">') == int(count)


def test_the_form_on_paper_is_a_document_whose_every_look_is_kept_and_a_late_list_comes_first(desk: Desk):
    before = desk.kinds().count("viewed")
    answer = desk.handler.get(f"{desk.address}/print?form=F-04")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF")
    assert desk.kinds().count("viewed") == before + 1
    assert desk.handler.get(f"{desk.address}/print?form=F-29").status_code == 404

    assert desk.posted(desk.records, "seen", **TICKS)[0] == 303
    desk.site.watch.at += timedelta(days=2)
    late = told(desk.site.signed_in(school.HEAD).get("/lists?show=late").text)
    assert f"逾期 {len(school.SITES)}" in late
    assert "个工作日" in late


def test_a_fixed_list_keeps_the_name_its_unit_had_then_until_it_gathers_anew(desk: Desk):
    old, site = school.SITES[0].name, desk.site
    with site.house.desks.borrowed() as office:
        assert rename_unit(office.desk, UNIT, "新桥教学点", at=site.watch.at, actor="setup")

    assert f"{old} 毕业" in (page := desk.page(desk.handler))
    assert "单位现名 新桥教学点" in page
    assert old in told(desk.records.get("/lists").text)

    assert desk.posted(desk.records, "back", trigger="return_list", reason=WHY)[0] == 303
    assert "新桥教学点 毕业" in (page := desk.page(desk.handler))
    assert "单位现名" not in page
    assert old not in told(desk.records.get("/lists").text)


def test_the_pages_take_few_statements(open_site: Callable[..., Site]):
    site = open_site(desks=1)
    desk = at_work(site)
    for address in ("/lists", desk.address):
        for _ in range(2):  # what is read once a process
            desk.records.get(address)
        with site.counted() as found:
            assert desk.records.get(address).status_code == 200
        assert len(found) <= 9, "\n".join(found)


# --- books -----------------------------------------------------------------------------------------------------------


def test_a_bound_book_taken_in_by_the_archive_has_a_receipt_to_print(tmp_path: Path):
    with archive_of_a_school(tmp_path) as (site, number):
        page = site.signed_in("records_section@U").get(f"/lists/{number}")
        assert "已归档" in told(page.text)
        receipt = told(page.text[page.text.index('id="receipt"') : page.text.index('id="dues"')])
        assert re.search(
            r"归档回执 打印回执 存放位置3-2-1页数120 接收人archive@U 接收时间2024年4月22日.* 指纹[0-9a-f]{12}… 1 人",
            receipt,
        ), receipt
        paper = site.signed_in("archive@U").get(f"/lists/{number}/receipt")
        assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
        assert paper.content.startswith(b"%PDF")


@contextmanager
def archive_of_a_school(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """A house over the database of a full-time school whose graduate book was signed, sealed and archived."""
    (folder := tmp_path / "school").mkdir()
    database = folder / "evening.db"
    with world_at(database, load(HOME), "fulltime-vocational") as world:
        student = expected(world)
        world.publishes(FULLTIME, **TO_BE_SET)
        student_signed(world, student)
        list_sealed(world)
        book = archived(world)
        with world.town.connection.writing():
            registry.set_setting(world.town.connection, "log", LOG)
            registry.set_setting(world.town.connection, "rehearsal", "yes")
        number = case_number(book.id)
    key = database.with_name("evening.db.key")
    key.write_text(KEY.hex())
    key.chmod(0o600)
    with opening(Files(into=folder), tmp_path) as open_one:
        yield open_one(), number
