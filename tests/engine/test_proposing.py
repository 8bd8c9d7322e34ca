"""A definition is published by two, from a day on, for every process; what was opened before stays as it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.errors import DefinitionFaults, NeedsAnother, NotAllowed, NothingNew, RuleInUse, Unknown, Unreadable
from engine.looking_back import as_it_stood
from engine.proposed_texts import findings_of
from engine.proposing import (
    NotAsItWas,
    approve,
    draft,
    propose,
    refuse,
    withdraw,
)
from engine.store import proposals
from engine.store.proposals import Altered
from tests.engine.publishing_house import FILE, NOW, SECOND, STAMP, TODAY, School, build, folder_at, school_at

JUNE = date(2024, 6, 1)
CONDITIONS = "conditions.yaml"
STEADY = """\
steady:
  id: G-9
  title: {zh: 稳定, en: Steady}
  holds: true
  otherwise: {zh: 不稳定, en: Unsteady}
  source: S-1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_at(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """The school's database, to be copied."""
    file = tmp_path_factory.mktemp("school") / "school.db"
    build(f"sqlite:///{file}", folder)
    return file


@pytest.fixture
def url(built: Path, tmp_path: Path) -> str:
    """Of a copy that only this test uses."""
    return f"sqlite:///{shutil.copy(built, tmp_path / 'xueji.db')}"


@pytest.fixture
def school(url: str, folder: Path) -> Iterator[School]:
    with school_at(url, folder) as at:
        yield at


def registry_events(school: School) -> list[dict[str, Any]]:
    rows = school.connection.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq").fetchall()
    return [orjson.loads(bytes(row[0])) for row in rows]


def test_what_two_persons_publish_is_told_by_an_event_that_names_both(database_url: str, folder: Path):
    build(database_url, folder)
    with school_at(database_url, folder) as school:
        _is_published_by_two(school)


def _is_published_by_two(school: School) -> None:
    old = school.asked()
    done = school.published(SECOND)

    [event] = [one for one in registry_events(school) if one["data"].get("proposal")]
    assert event["kind"] == "definition_published"
    assert event["actor"] == "lu"
    told = {key: event["data"][key] for key in ("proposed_by", "approved_by", "file", "effective_from", "version")}
    assert told == {
        "proposed_by": "ma", "approved_by": "lu", "file": f"workflows/{FILE}", "effective_from": "2024-05-15",
        "version": 2,
    }  # fmt: skip
    assert event["data"]["definition"] == done.hashes[0]
    assert school.step(old, "stamp") == "done"
    assert school.replayed().diverged == ()


def test_after_a_restart_and_in_a_second_process_new_cases_are_of_the_new_version_and_old_ones_are_not(
    url: str, folder: Path
):
    with school_at(url, folder) as first:
        old = first.asked()
        first.published(SECOND)
    with school_at(url, folder) as restarted, school_at(url, folder) as beside:
        new, other = restarted.asked(), beside.asked()
        assert [restarted.step(one, "read") for one in (new, other)] == ["read", "read"]
        assert beside.step(old, "stamp") == "done"
        assert restarted.desk.unpublished() == ()
        assert beside.replayed().diverged == ()


def test_what_is_approved_for_a_day_to_come_is_in_force_from_that_day_on(url: str, folder: Path):
    with school_at(url, folder) as may:
        may.published(SECOND, JUNE)
    with school_at(url, folder, JUNE - timedelta(days=1)) as before:
        assert before.step(before.asked(), "stamp") == "done"
    with school_at(url, folder, JUNE) as after:
        assert after.step(after.asked(), "read") == "read"
        assert after.replayed().diverged == ()


def test_who_looks_back_sees_what_was_in_force_and_not_what_was_only_approved(url: str, folder: Path):
    with school_at(url, folder) as may:
        case = may.asked()
        may.published(SECOND, JUNE)
        with as_it_stood(may.desk, "SC", None, NOW + timedelta(days=1)) as then:
            assert then.case == case
            assert then.desk.library.definition("stamp", "college").version == 1
        with as_it_stood(may.desk, "SC", None, NOW + timedelta(days=30)) as then:
            assert then.desk.library.definition("stamp", "college").version == 2


def test_nobody_approves_what_is_their_own_and_nobody_else_than_an_administrator_does(school: School):
    number = school.proposed(SECOND)
    with pytest.raises(NeedsAnother, match="须由另一人批准"):
        approve(school.desk, school.origin, number, school.by("ma"))
    with pytest.raises(NotAllowed):
        approve(school.desk, school.origin, number, school.by("shi"))
    with pytest.raises(NotAllowed):
        school.drafted(SECOND, login="he")
    assert proposals.numbers_in_force(school.connection, date.max) == ()


def test_every_fault_is_told_where_it_stands_and_such_a_text_goes_no_further(school: School):
    wrong = SECOND.replace("by: head}\n", "by: haed}\n").replace("to: asked, by: clerk", "to: askd, by: clerk")
    number = school.drafted(wrong)
    one = proposals.proposal(school.connection, number)
    assert one is not None
    faults = findings_of(one).faults
    assert {(fault.file, fault.line) for fault in faults} >= {(f"workflows/{FILE}", 14), (f"workflows/{FILE}", 15)}
    assert any("'head'" in fault.message for fault in faults)
    with pytest.raises(DefinitionFaults):
        propose(school.desk, number, TODAY, school.by("ma", reason="按学校通知修订"))


def test_what_is_changed_has_a_higher_version_and_the_fault_stands_at_the_number(school: School):
    number = school.drafted(SECOND.replace("version: 2", "version: 1"))
    one = proposals.proposal(school.connection, number)
    assert one is not None
    [fault] = findings_of(one).faults
    assert (fault.line, fault.column, fault.excerpt) == (4, 10, "version: 1")


def test_what_says_the_same_cannot_be_submitted(school: School):
    number = school.drafted(STAMP + "# nothing else\n")
    with pytest.raises(NothingNew):
        propose(school.desk, number, TODAY, school.by("ma", reason="按学校通知修订"))


@pytest.mark.parametrize(
    ("day", "reason"), [(TODAY - timedelta(days=1), "按学校通知修订"), (TODAY, "改")], ids=["past", "no reason"]
)
def test_a_day_in_the_past_or_a_reason_of_one_word_is_not_taken(school: School, day: date, reason: str):
    number = school.drafted(SECOND)
    with pytest.raises(Unreadable):
        propose(school.desk, number, day, school.by("ma", reason=reason))


def test_a_file_says_itself_before_which_day_it_is_not_in_force(school: School):
    number = school.drafted(SECOND.replace("effective_from: 2024-01-01", "effective_from: 2024-06-01"))
    with pytest.raises(Unreadable, match="2024-06-01"):
        propose(school.desk, number, TODAY, school.by("ma", reason="按学校通知修订"))


def test_of_two_proposals_for_one_file_the_second_is_overtaken_by_the_first(school: School):
    first, second = school.proposed(SECOND), school.proposed(SECOND.replace("已阅", "已审阅"))
    approve(school.desk, school.origin, first, school.by("lu"))
    with pytest.raises(NotAsItWas):
        approve(school.desk, school.origin, second, school.by("lu"))
    with pytest.raises(NotAsItWas):
        approve(school.desk, school.origin, first, school.by("lu"))


def test_a_proposal_is_refused_with_a_reason_or_taken_back_and_then_nobody_approves_it(school: School):
    refused, taken = school.proposed(SECOND), school.proposed(SECOND)
    refuse(school.desk, refused, school.by("lu", reason="与规定不符，请改"))
    withdraw(school.desk, taken, school.by("ma"))
    for number in (refused, taken):
        with pytest.raises(NotAsItWas):
            approve(school.desk, school.origin, number, school.by("lu"))
    with pytest.raises(Unknown):
        withdraw(school.desk, refused, school.by("lu"))


def test_a_rule_is_published_likewise_and_going_back_to_the_old_one_is_an_event_too(url: str, folder: Path):
    text = (folder / "rules" / CONDITIONS).read_text(encoding="utf-8")
    with school_at(url, folder) as school:
        before = school.desk.rulebook
        looser = school.published(text.replace("let: {limit: 0}", "let: {limit: 100}"), name=CONDITIONS)
        one = proposals.proposal(school.connection, 1)
        assert one is not None
        assert [told.zh for told in findings_of(one).differences] == [
            "规则“已缴费”的中间值：新增 limit: 100；去掉 limit: 0。"
        ]
    with school_at(url, folder) as school:
        assert school.desk.rulebook == looser.hashes[0]
        assert school.published(text, name=CONDITIONS).hashes == (before,)
    with school_at(url, folder) as school:
        assert school.desk.rulebook == before
        assert school.replayed().diverged == ()


def test_what_waits_for_its_day_is_checked_and_published_together_with_what_comes_between(url: str, folder: Path):
    text = (folder / "rules" / CONDITIONS).read_text(encoding="utf-8")
    vocabulary = (folder / "rules" / "vocabulary.yaml").read_text(encoding="utf-8")
    with school_at(url, folder) as school:
        school.published(text.replace("let: {limit: 0}", "let: {limit: 100}"), JUNE, CONDITIONS)
        both = school.published(vocabulary.replace("zh: 欠费", "zh: 欠缴"), TODAY, "vocabulary.yaml")
        assert len(both.hashes) == 2
    with school_at(url, folder, JUNE) as later:
        book = later.desk.library.rulebook
        assert (book.rules["paid"].let, book.vocabulary.student["fee_owed"].title.zh) == ({"limit": "100"}, "欠缴")
        assert later.desk.unpublished() == ()


def test_a_rule_that_an_open_case_asks_is_not_taken_away_though_no_procedure_in_force_names_it(url: str, folder: Path):
    text = (folder / "rules" / CONDITIONS).read_text(encoding="utf-8")
    rule = text + STEADY
    with school_at(url, folder) as school:
        school.published(rule, name=CONDITIONS)
    with school_at(url, folder) as school:
        school.published(SECOND.replace("to: asked, by: clerk", "to: asked, by: clerk, guards: [steady]"))
    with school_at(url, folder) as school:
        school.asked()
        school.published(SECOND.replace("version: 2", "version: 3"))
    with school_at(url, folder) as school, pytest.raises(RuleInUse, match="steady"):
        school.published(text, name=CONDITIONS)


def test_a_text_that_is_not_the_one_approved_is_not_read_and_replay_finds_it(url: str, folder: Path):
    with school_at(url, folder) as school:
        school.published(SECOND)
        school.connection.execute("UPDATE proposal SET body = replace(body, '已阅', '已看')")
        assert [one for one in school.replayed().diverged if "proposal 1" in str(one)]
        with pytest.raises(Altered, match=FILE):
            proposals.texts_in_force(school.connection, TODAY)


@pytest.mark.parametrize(
    ("name", "raw"),
    [("stamp.yml", b"workflow: stamp\n"), ("../stamp.yaml", b""), (FILE, b"\xff\xfe"), (FILE, b"a" * 600_000)],
    ids=["ending", "path", "no text", "too long"],
)
def test_what_is_no_file_of_definitions_is_refused_and_nothing_is_kept(school: School, name: str, raw: bytes):
    with pytest.raises(Unreadable):
        draft(school.desk, school.origin, (name, raw), school.by("ma"))
    assert proposals.drafts_of(school.connection, "ma") == []


def test_a_new_procedure_has_a_place_and_an_unknown_file_has_none(school: School):
    number = school.drafted(STAMP.replace("workflow: stamp", "workflow: seal"), name="seal.yaml")
    one = proposals.proposal(school.connection, number)
    assert one is not None
    assert (one.line.file, one.before) == ("workflows/seal.yaml", "")
    with pytest.raises(Unknown, match="stamp"):
        school.drafted("a: 1\n", name="stmp.yaml")
