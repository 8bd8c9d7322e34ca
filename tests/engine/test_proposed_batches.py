"""A batch is brought in by two, and then published by the records section; until then it can be changed by two."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from pathlib import Path
from threading import Event
from typing import Any

import orjson
import pytest

from engine.definition import Bilingual
from engine.errors import AlreadyOpen, DefinitionFaults, Fault, NothingNew
from engine.loading.batch_texts import BatchHead, batch_text
from engine.loading.folder import load, read_batch
from engine.organisation import give_role
from engine.proposed_texts import findings_of
from engine.proposing import NotAsItWas, SeveralReasons, approve, propose
from engine.publishing import publish_batch
from engine.store import proposals, published
from tests.engine.loading.folders import CLEAN, spoil
from tests.engine.publishing_house import FILE, NOW, SECOND, TODAY, School, build, folder_at, school_at

JUNE = date(2024, 6, 1)
NEW = "2025-06.yaml"
TEXT = """\
batch: 2025-06
kind: class
title: {zh: 2025届, en: Class of 2025}
profile: college
pairs: [[2022, 本科]]
opens_on: 2025-05-06
closes_on: 2025-05-13
last_at: null
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = folder_at(tmp_path_factory.mktemp("home"))
    section = "  records_section: {title: {zh: 学籍科, en: Records}, held_at: school}\n"
    spoil(home, "rules/organisation.yaml", "  clerk:", f"{section}  clerk:")
    return home


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """The school's database, to be copied."""
    file = tmp_path_factory.mktemp("school") / "school.db"
    made(f"sqlite:///{file}", folder)
    return file


@pytest.fixture
def url(built: Path, tmp_path: Path) -> str:
    """Of a copy that only this test uses."""
    return f"sqlite:///{shutil.copy(built, tmp_path / 'xueji.db')}"


@pytest.fixture
def school(url: str, folder: Path) -> Iterator[School]:
    with school_at(url, folder) as at:
        yield at


def made(url: str, folder: Path) -> None:
    build(url, folder)
    with school_at(url, folder) as school:
        give_role(school.desk, "fu", "records_section", "SC", at=NOW, actor="setup")


def events(school: School) -> list[dict[str, Any]]:
    rows = school.connection.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq").fetchall()
    return [orjson.loads(bytes(row[0])) for row in rows]


def faults(school: School, text: str, name: str = NEW) -> tuple[Fault, ...]:
    one = proposals.proposal(school.connection, school.drafted(text, name=name))
    assert one is not None
    return findings_of(one).faults


def test_a_new_batch_stands_beside_those_of_the_folder_once_two_have_brought_it_in(database_url: str, folder: Path):
    made(database_url, folder)
    with school_at(database_url, folder) as school:
        done = school.published(TEXT, name=NEW)
        assert "2025-06" in done.library.batches
        [event] = [one for one in events(school) if one["data"].get("proposal")]
        assert (event["kind"], event["actor"]) == ("definition_published", "lu")
        told = {key: event["data"][key] for key in ("batch", "file", "proposed_by", "approved_by", "effective_from")}
        assert told == {
            "batch": "2025-06", "file": f"workflows/batches/{NEW}", "proposed_by": "ma", "approved_by": "lu",
            "effective_from": "2024-05-15",
        }  # fmt: skip
        assert event["data"]["sha256"] == proposals.digest_of(TEXT) == done.hashes[0]
    with school_at(database_url, folder) as restarted:
        assert restarted.desk.unpublished() == ()
        publish_batch(restarted.desk, "2025-06", restarted.by("fu", "batch_publish"))
        row = restarted.desk.batch("2025-06")
        assert row is not None
        assert (row.values["closes_on"], row.values["last_at"]) == ("2025-05-13", None)
        assert restarted.replayed().diverged == ()


def test_bringing_in_a_batch_publishes_no_procedure_and_no_rulebook_anew(school: School):
    before = published.publications(school.connection)
    school.published(TEXT, name=NEW)
    assert published.publications(school.connection) == before
    school.published(SECOND, name=FILE)
    assert len(published.publications(school.connection)) == len(before) + 1


def test_a_batch_for_a_day_to_come_is_there_from_that_day_on(url: str, folder: Path):
    with school_at(url, folder) as may:
        may.published(TEXT, JUNE, NEW)
    with school_at(url, folder) as before:
        assert "2025-06" not in before.desk.library.batches
    with school_at(url, folder, JUNE) as after:
        assert "2025-06" in after.desk.library.batches


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("closes_on: 2025-05-13", "closes_on: 2025-05-05", 6, "opens_on <= closes_on"),
        ("closes_on: 2025-05-13", "closes_on: 13 May", 7, "closes_on"),
        ("kind: class", "kind: clas", 2, "class"),
        ("profile: college", "profile: colege", 4, "college"),
        ("profile: college", "profile: college\nunits: [SC, SD]", 5, "没有单位“SD”"),
        ("last_at: null", "last: null", 8, "last_at"),
    ],
    ids=["order", "no day", "kind", "profile", "unit", "field"],
)
def test_what_is_wrong_in_a_batch_is_told_where_it_stands(school: School, old: str, new: str, line: int, says: str):
    [fault] = faults(school, TEXT.replace(old, new))
    assert (fault.file, fault.line) == (f"workflows/batches/{NEW}", line)
    assert says in fault.message


@pytest.mark.parametrize("name", ["june", "2025", "new", f"2025-{'a' * 40}", "2025-06-"])
def test_a_new_batch_is_called_by_its_year_first(school: School, name: str):
    [fault] = faults(school, TEXT.replace("batch: 2025-06", f"batch: {name}"), f"{name}.yaml")
    assert (fault.line, "2025-1-teaching" in fault.message) == (1, True)
    number = proposals.drafts_of(school.connection, "ma")[0].number
    with pytest.raises(DefinitionFaults):
        propose(school.desk, number, TODAY, school.by("ma", reason="按学校通知新增"))


def test_of_two_proposals_for_one_name_only_the_first_comes_into_force(url: str, folder: Path):
    with school_at(url, folder) as school:
        first = school.proposed(TEXT, name=NEW)
        second = school.proposed(TEXT.replace("2025-05-13", "2025-05-20"), name=NEW, login="lu")
        approve(school.desk, school.origin, first, school.by("lu"))
        with pytest.raises(NotAsItWas):
            approve(school.desk, school.origin, second, school.by("ma"))
    with school_at(url, folder) as school:
        assert school.desk.library.batches["2025-06"].values["closes_on"] == "2025-05-13"


def test_of_one_persons_two_proposals_for_a_batch_sent_at_the_same_moment_only_one_waits(
    database_url: str, folder: Path
):
    made(database_url, folder)
    with school_at(database_url, folder) as here, school_at(database_url, folder) as there:
        one = here.drafted(TEXT, name=NEW)
        other = here.drafted(TEXT.replace("closes_on: 2025-05-13", "closes_on: 2025-05-14"), name=NEW)
        is_sent = Event()

        def send() -> None:
            asked = there.by("ma", reason="按学校通知修订")
            is_sent.set()
            propose(there.desk, other, TODAY, asked)

        with ThreadPoolExecutor(1) as pool:
            with here.connection.writing():
                propose(here.desk, one, TODAY, here.by("ma", reason="按学校通知修订"))
                sent = pool.submit(send)
                is_sent.wait(30)
                wait([sent], timeout=1)  # whoever waits for nobody has submitted by then
            sent.result()

        stages = {line.number: line.stage for line in proposals.lines(here.connection, f"workflows/batches/{NEW}")}
        assert stages == {one: proposals.Stage.WITHDRAWN, other: proposals.Stage.PROPOSED}


def test_a_batch_is_changed_by_two_and_who_approves_late_is_told_that_it_was_published_meanwhile(
    url: str, folder: Path
):
    later = TEXT.replace("2025-05-13", "2025-05-20").replace("last_at: null", "last_at: 2025-05-20T17:00")
    with school_at(url, folder) as school:
        school.published(TEXT, name=NEW)
    with school_at(url, folder) as school:
        number = school.drafted(later, name=NEW)
        one = proposals.proposal(school.connection, number)
        assert one is not None
        assert [told.zh for told in findings_of(one).differences] == [
            "“结束”由“2025-05-13”改为“2025-05-20”。", "“末次”由“待定”改为“2025-05-20T17:00”。",
        ]  # fmt: skip
        propose(school.desk, number, TODAY, school.by("ma", reason="按学校通知改期"))
        with pytest.raises(NothingNew):
            propose(
                school.desk, school.drafted(f"{TEXT}# no more\n", name=NEW), TODAY, school.by("ma", reason="只是注释")
            )
        publish_batch(school.desk, "2025-06", school.by("fu", "batch_publish"))
        with pytest.raises(AlreadyOpen):
            approve(school.desk, school.origin, number, school.by("lu"))
        with pytest.raises(SeveralReasons) as both:
            approve(school.desk, school.origin, number, school.by("ma"))
        assert len(both.value.reasons) == 2, "every reason is told"


def test_the_file_of_a_published_batch_may_be_changed_and_that_nothing_moves_by_it_is_told(school: School):
    text = CLEAN["workflows/batches/2024.yaml"]
    publish_batch(school.desk, "2024", school.by("fu", "batch_publish"))
    one = proposals.proposal(school.connection, school.drafted(text.replace("05-13\n", "05-20\n"), name="2024.yaml"))
    assert one is not None
    assert [told.zh[:6] for told in findings_of(one).differences] == ["“结束”由“", "批次已发布："]
    propose(school.desk, one.line.number, TODAY, school.by("ma", reason="留底与实际一致"))
    approve(school.desk, school.origin, one.line.number, school.by("lu"))
    row = school.desk.batch("2024")
    assert row is not None
    assert row.values["closes_on"] == "2024-05-13"


def test_the_name_of_a_published_batch_whose_file_is_gone_is_not_given_again(url: str, folder: Path):
    with school_at(url, folder) as school:
        school.published(TEXT, name=NEW)
    with school_at(url, folder) as later:
        publish_batch(later.desk, "2025-06", later.by("fu", "batch_publish"))
        later.connection.execute("DELETE FROM proposal")
        [fault] = faults(later, TEXT)
        assert (fault.line, "已有这个代码的批次" in fault.message) == (1, True)


def test_a_batch_is_written_as_it_is_read_whatever_its_texts_hold(folder: Path):
    head = BatchHead(
        "2025-06",
        "class",
        "college",
        Bilingual(zh="“甲”: [乙] #丙", en='null, "x": {y}'),
        ("S-1", "yes"),
        ("001", "all"),
    )
    text = batch_text(head, {"pairs": [[2022, "本科"]], "opens_on": "2025-05-06", "closes_on": None})
    assert "opens_on: 2025-05-06\n" in text
    one = read_batch("workflows/batches/2025-06.yaml", text, load(folder).rulebook)
    assert (one.title, one.source, one.units) == (head.title, head.source, head.units)
    assert one.values == {"pairs": [[2022, "本科"]], "opens_on": "2025-05-06", "closes_on": None}
