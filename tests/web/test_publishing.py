"""Definitions are published by two in the console; calendars, terms and batches are changed with their effect shown."""

import re
from collections.abc import Callable
from datetime import date, datetime
from html import unescape
from time import monotonic, sleep

import pytest

from console.calling import Caller
from console.demo import school
from console.post import post_of
from console.serving import opened
from console.settings import HOME
from console.web.definitions.comparing import side_by_side
from console.worker import Premises, Worker
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.replay import replay_range
from engine.store import proposals
from engine.store.trail import spans
from tests.web.conftest import Person, Site

FIRST, OTHER = "system-admin", "second-system-admin"
RECORDS = school.AUDITING
FILE = HOME / "workflows" / "student-card-replacement.yaml"
TEXT = FILE.read_text("utf-8")
SECOND = TEXT.replace("version: 1\n", "version: 2\n", 1).replace("zh: 学生证补办,", "zh: 学生证补发,", 1)
NEW = "/admin/definitions/new"
PATIENCE = 60.0
"""Seconds: more than any machine takes to read the definitions."""
REASON = "按学校 2024 年 5 月通知"


def uploaded(person: Person, text: str, name: str = FILE.name) -> str:
    """Where a proposal is that was just drafted."""
    answer = person.post(NEW, files=[("file", (name, text.encode(), "application/yaml"))])
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def submitted(person: Person, text: str, day: str = "2024-05-15") -> str:
    address = uploaded(person, text)
    answer = person.post(f"{address}/submit", {"effective_on": day, "reason": REASON})
    assert answer.headers["location"] == f"{address}?said=submitted"
    return address


def test_a_definition_is_published_by_two_and_the_page_says_who_and_what_stays_as_it_was(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    address = submitted(first, SECOND)
    page = first.get(address).text
    assert "名称由" in page
    assert "件仍按旧版办完；自2024年5月15日（周三）起，新开的件按第 2 版" in page
    assert "须由另一人批准" in page
    assert "同意发布" not in page
    own = first.post(f"{address}/approve")
    assert own.status_code == 409
    assert "须由另一人批准" in own.text

    assert other.post(f"{address}/approve").headers["location"] == f"{address}?said=approved"

    assert "学生证补发" in first.get("/admin/definitions").text
    history = first.get(f"/admin/definitions/{FILE.stem}").text
    assert history.index("第 2 版") < history.index("第 1 版")
    assert {FIRST, OTHER} <= set(re.findall(r"[a-z-]+admin", history))
    with site.house.desks.borrowed() as office:
        assert office.desk.unpublished() == ()
        [whole] = spans(office.desk.connection, 1)
        assert replay_range(office.desk.connection, office.log, office.key, whole).diverged == ()


def test_what_was_approved_is_in_force_in_every_process_beside_and_after_a_restart(site: Site) -> None:
    settings, now = site.house.settings, site.watch.at
    premises = Premises(settings=settings, post=post_of(settings), wall=site.watch, is_told=True)
    with opened(settings, site.watch, told=now, desks=1) as beside, premises.opened() as working:
        before = beside.desks.in_force.library
        first, other = site.signed_in(FIRST), site.signed_in(OTHER)
        other.post(f"{submitted(first, SECOND)}/approve")

        assert working.is_outdated(premises.today())
        wait_for(lambda: beside.desks.in_force.library is not before)
        with beside.desks.borrowed() as office:
            assert version_at(office.desk) == 2
    with Caller(settings=settings, now=now).sitting() as sitting:
        assert version_at(sitting.desk) == 2
    with premises.opened() as working:
        assert not working.is_outdated(premises.today())
        assert version_at(working.desk) == 2


def test_what_is_approved_for_a_day_to_come_is_in_force_on_that_day_without_a_restart(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    other.post(f"{submitted(first, SECOND, '2024-06-01')}/approve")
    with site.house.desks.borrowed() as office:
        assert version_at(office.desk) == 1
        office.desk.connection.execute("UPDATE proposal SET before = 'an older installation'")
    assert "安装的文件与发布时不同" in first.get(f"/admin/definitions/{FILE.stem}").text

    before = site.house.desks.in_force.library
    site.watch.at = datetime(2024, 6, 1, tzinfo=SHANGHAI)
    wait_for(lambda: site.house.desks.in_force.library is not before)
    with site.house.desks.borrowed() as office:
        assert version_at(office.desk) == 2


def wait_for(is_so: Callable[[], bool]) -> None:
    patience = monotonic() + PATIENCE
    while not is_so() and monotonic() < patience:
        sleep(0.05)


def version_at(desk: Desk) -> int:
    return next(one.version for (name, _), one in desk.library.definitions.items() if name == FILE.stem)


def test_every_fault_stands_with_file_line_column_caret_and_the_nearest_word(site: Site) -> None:
    admin = site.signed_in(FIRST)
    wrong = SECOND.replace("records_section", "record_section", 1)
    page = admin.get(uploaded(admin, wrong)).text
    place = re.search(r"workflows/student-card-replacement\.yaml:(\d+):(\d+)", page)
    assert place is not None
    assert wrong.splitlines()[int(place[1]) - 1].find("record_section") + 1 == int(place[2])
    assert "records_section" in page
    assert "\n" + " " * (int(place[2]) - 1) + "^</pre>" in page
    assert "提交发布" not in page
    for name, raw, status in (("x.yml", b"a: 1", 422), ("stamp.yaml", b"\xff", 422), (FILE.name, b"a" * 600_000, 413)):
        assert admin.post(NEW, files=[("file", (name, raw, "text/plain"))]).status_code == status
    assert admin.post(NEW).status_code == 422


def test_a_draft_is_its_makers_alone_and_what_is_refused_or_taken_back_is_over(site: Site) -> None:
    first, other = site.signed_in(FIRST), site.signed_in(OTHER)
    address = uploaded(first, SECOND)
    assert other.get(address).status_code == 404
    early = first.post(f"{address}/submit", {"effective_on": "2024-05-14", "reason": REASON})
    assert early.status_code == 422
    assert "2024-05-15" in early.text
    assert first.post(f"{address}/submit", {"effective_on": "2024-06-01", "reason": ""}).status_code == 422
    first.post(f"{address}/submit", {"effective_on": "2024-06-01", "reason": REASON})
    assert "等另一人批准" in other.get("/admin/definitions").text

    assert other.post(f"{address}/refuse", {"reason": "不"}).status_code == 422
    other.post(f"{address}/refuse", {"reason": "与规定不符"})
    assert "与规定不符" in first.get(address).text
    assert other.post(f"{address}/approve").status_code == 409
    again = submitted(first, SECOND)
    assert first.post(f"{again}/withdraw").headers["location"].startswith("/admin/definitions")
    assert other.post(f"{again}/approve").status_code == 409
    with site.house.desks.borrowed() as office:
        assert proposals.numbers_in_force(office.desk.connection, date.max) == ()


def test_a_change_of_the_calendar_says_how_many_deadlines_and_people_it_touches(site: Site) -> None:
    admin = site.signed_in(FIRST)
    text = (HOME / "rules" / "calendars" / "2024.yaml").read_text("utf-8")
    working = {"text": text, "status": "confirmed", "source": "国办发明电〔2023〕7号"}
    closing = {"kind": "off", "name_zh": "停课", "first": "2024-05-16", "last": "2024-06-07", "do": "set"}
    nameless = admin.post("/admin/calendars/2024", {**working, **closing, "name_en": ""})
    assert (nameless.status_code, "休的日子要写名称" in nameless.text) == (422, True)
    shown = admin.post("/admin/calendars/2024", {**working, **closing, "name_en": "Closed"}).text
    assert "改了 23 天，还没有提交" in shown
    copy = unescape(re.search(r'name="text"[^>]*>(.*?)</textarea>', shown, re.DOTALL)[1])  # type: ignore[index] # it is there
    added = [line for line in copy.splitlines() if line not in text.splitlines()]
    assert added == ["  - {title: {zh: 停课, en: Closed}, from: 2024-05-16, to: 2024-06-07}"], "the rest is as it was"

    answer = admin.post("/admin/calendars/2024", {**working, "text": copy, "do": "check"})
    address = answer.headers["location"]
    page = admin.get(address).text
    assert "年历“2024”的放假" in page
    touched = re.search(r"影响 ([\d,]+) 个期限、[\d,]+ 人", page)
    assert touched is not None
    admin.post(f"{address}/submit", {"effective_on": "2024-05-15", "reason": REASON})
    other = site.signed_in(OTHER)
    other.post(f"{address}/approve")
    assert "等后台重新推算期限" in other.get(address).text

    site.watch.pass_by(minutes=1)
    settings = site.house.settings
    premises = Premises(settings=settings, post=post_of(settings), wall=site.watch, is_told=True)
    worker = Worker(premises, lambda *_, **__: None)
    worker.do("recount")
    site.watch.pass_by(minutes=2)
    worker.do("recount")
    worker.close()
    moved = re.search(r"期限已重新推算.*移动 ([\d,]+) 个日期", other.get(address).text)
    assert moved is not None
    assert moved[1] == touched[1], "as many as was said before"
    with Caller(settings=settings, now=site.watch.at).sitting() as sitting:
        [whole] = spans(sitting.desk.connection, 1)
        assert replay_range(sitting.desk.connection, sitting.office.log, sitting.office.key, whole).diverged == ()


def test_terms_are_a_table_whose_dates_are_kept_in_order_and_what_is_not_changed_stays_as_written(site: Site) -> None:
    admin = site.signed_in(FIRST)
    page = admin.get("/admin/terms").text
    rows = dict(re.findall(r'name="((?:name|first|last|vacation)-[\d-]+)" type="\w+" value="([^"]*)"', page))
    [place] = [name.removeprefix("name-") for name, value in rows.items() if value == "2026-1"]
    new = {"name-0-0": "2027-1", "first-0-0": "2027-09-06", "last-0-0": "2028-01-21"}
    wrong = {**rows, **new, f"last-{place}": "2026-09-01", "first-0-0": "2027-07-10", "do": "check"}
    refused = admin.post("/admin/terms", wrong)
    assert refused.status_code == 422
    assert "最后一天在第一天之前" in refused.text
    assert "学期 2026-2 及其假期到 2027-08-31，还没有结束" in refused.text

    done = admin.get(admin.post("/admin/terms", {**rows, **new, "do": "check"}).headers["location"]).text
    assert [unescape(one) for one in re.findall(r"<ins>(.*?)</ins>", done)] == [
        "  2027-1: {from: 2027-09-06, to: 2028-01-21}"
    ]
    assert "<del>" not in done
    assert [admin.post(f"/admin/{what}", {"text": ""}).status_code for what in ("calendars/2024", "terms")] == [422] * 2


def test_a_year_is_seen_at_a_glance_with_what_is_off_worked_and_provisional(read_site: Site) -> None:
    admin = read_site.signed_in(FIRST)
    known, later = admin.get("/admin/calendars?year=2024").text, admin.get("/admin/calendars?year=2040").text
    assert known.count("<b>休</b>") == 28
    assert known.count("<b>班</b>") == 8
    assert "国办发明电〔2023〕7号" in known
    assert "已确认" in known
    assert "暂定" in later
    assert "2023-2" in admin.get("/admin/terms").text


def test_dates_of_a_batch_are_previewed_kept_in_order_and_set_by_the_records_section(site: Site) -> None:
    records = site.signed_in(RECORDS)
    address = f"/admin/batches/{school.BATCH}"
    as_shown = {"review_by": "2024-05-20", "lists_by": "2024-05-22", "package_by": "2024-05-22"}
    preview = records.post(f"{address}/set", as_shown)
    assert "将要改动" in preview.text
    assert "2024-05-15" in preview.text
    told = re.search(r"([1-9]\d*) 件的期限随之移动", preview.text)
    assert told
    before = _moved(site)
    assert "2024-05-20" not in records.get(address).text  # nothing was written

    wrong = records.post(f"{address}/set", {"review_by": "2024-06-20", "confirmed": "yes"})
    assert wrong.status_code == 422
    assert "审核截止 ≤ 名单报送截止" in wrong.text
    assert records.post(f"{address}/set", {"review_by": "20 May"}).status_code == 422
    done = records.post(f"{address}/set", {**as_shown, "confirmed": "yes"})
    assert done.headers["location"] == f"{address}?said=set"
    assert 'value="2024-05-20"' in records.get(address).text
    assert _moved(site) - before == int(told[1]), "as many as were told beforehand"


def _moved(site: Site) -> int:
    with site.house.desks.borrowed() as office:
        sql = "SELECT body FROM event"
        bodies = [bytes(body) for (body,) in office.desk.connection.execute(sql).fetchall()]
    return sum(b'"kind":"deadline_moved"' in one for one in bodies)


def test_a_batch_is_published_after_its_effect_was_shown_and_a_term_begins(site: Site) -> None:
    records = site.signed_in(RECORDS)
    assert "未发布" in records.get("/admin/batches").text
    address = "/admin/batches/2024-1-teaching"
    shown = records.post(f"{address}/publish")
    assert "随之建立" in shown.text
    assert "未发布" in records.get(address).text
    assert records.post(f"{address}/publish", {"confirmed": "yes"}).headers["location"] == f"{address}?said=published"
    assert "已发布" in records.get(address).text
    assert records.post(f"{address}/publish", {"confirmed": "yes"}).status_code == 409
    assert records.post("/admin/batches/term", {"term": "2030-1"}).status_code == 422
    assert site.signed_in(FIRST).post(f"{address}/publish", {"confirmed": "yes"}).status_code == 404


@pytest.mark.parametrize(
    "what",
    [
        "definitions",
        "definitions/diploma-registration",
        "definitions/graduation",
        "definitions/new",
        "calendars",
        "terms",
    ],
)
def test_no_page_of_definitions_asks_the_database_more_than_eight_times(narrow_site: Site, what: str) -> None:
    admin = narrow_site.signed_in(FIRST)
    with narrow_site.counted() as statements:
        assert admin.get(f"/admin/{what}").status_code == 200
    assert len(statements) <= 8, statements


def test_two_texts_stand_side_by_side_where_they_differ_and_only_there() -> None:
    old = "\n".join(map(str, range(40)))
    new = old.replace("\n20\n", "\n20 and more\n").replace("\n35\n", "\n")
    places = side_by_side(old, new)
    assert len(places) == 2
    changed = [pair for place in places for pair in place if (pair.old and pair.old.has_changed)]
    assert [(pair.old and pair.old.text, pair.new and pair.new.text) for pair in changed] == [
        ("20", "20 and more"),
        ("35", None),
    ]
