"""A template of what people are told is published by two like a definition, and changes none of the definitions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import orjson
import pytest

from engine.errors import DefinitionFaults, Fault, NeedsAnother, NotAllowed, NothingNew, Unknown
from engine.looking_back import as_it_stood
from engine.proposed_texts import findings_of
from engine.proposing import (
    NotAsItWas,
    approve,
    draft,
    newest_text,
    propose,
    propose_text,
    read_back,
)
from engine.store import proposals
from tests.engine.publishing_house import NOW, SECOND, TODAY, School, build, folder_at, school_at

JUNE = date(2024, 6, 1)
FILE = "messages/urged/says.txt"
WHY = "按学校通知修订"


class Words:
    """Templates that are one line each and must greet; the installed ones say hello."""

    names: Collection[str] = ("urged/says.txt", "base.txt")

    def said(self, name: str, approved: Mapping[str, str]) -> str:
        return approved.get(name) or "hello\n"

    def faults(self, name: str, text: str, approved: Mapping[str, str]) -> Collection[Fault]:
        every = {**dict.fromkeys(self.names, "hello"), **{one: said for one, said in approved.items() if said}}
        every[name] = text or "hello"
        return [
            Fault(file=one, line=1, column=1, code="template", message="no greeting", excerpt=said.strip())
            for one, said in every.items()
            if "hello" not in said
        ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_at(tmp_path_factory.mktemp("home"))


@contextmanager
def speaking(url: str, folder: Path, day: date = TODAY) -> Iterator[School]:
    with school_at(url, folder, day) as school:
        yield replace(school, origin=replace(school.origin, templates=Words()))


@pytest.fixture
def school(tmp_path: Path, folder: Path) -> Iterator[School]:
    url = f"sqlite:///{tmp_path / 'school.db'}"
    build(url, folder)
    with speaking(url, folder) as at:
        yield at


def said_on(school: School, day: date) -> dict[str, str | None]:
    return {one.name: one.text for one in proposals.templates_in_force(school.connection, day)}


def test_a_template_published_by_two_is_told_by_the_trail_and_leaves_every_definition_as_it_was(
    database_url: str, folder: Path
) -> None:
    build(database_url, folder)
    with speaking(database_url, folder) as school:
        case, library = school.asked(), school.desk.library
        with pytest.raises(NeedsAnother):
            approve(school.desk, school.origin, school.proposed("hello, please\n", name=FILE), school.by("ma"))
        done = approve(school.desk, school.origin, 1, school.by("lu"))

        assert done.library is library
        assert school.desk.unpublished() == ()
        rows = school.connection.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq").fetchall()
        event = orjson.loads(bytes(rows[-1][0]))
        assert (event["kind"], event["actor"]) == ("definition_published", "lu")
        assert event["data"] == {
            "message": "urged/says.txt", "file": FILE, "proposal": 1, "sha256": proposals.digest_of("hello, please\n"),
            "effective_from": "2024-05-15", "proposed_by": "ma", "approved_by": "lu",
        }  # fmt: skip
        assert said_on(school, TODAY) == {"urged/says.txt": "hello, please\n"}
        assert proposals.texts_in_force(school.connection, TODAY) == {}
        assert proposals.numbers_in_force(school.connection, TODAY) == ()
        with as_it_stood(school.desk, "SC", None, NOW + timedelta(days=1)) as then:
            assert then.case == case
            assert then.desk.library.definition("stamp", "college").version == 1
        assert school.replayed().diverged == ()


def test_what_is_approved_for_a_day_to_come_is_said_from_that_day_on(school: School) -> None:
    school.published("hello in June\n", JUNE, name=FILE)
    assert said_on(school, JUNE - timedelta(days=1)) == {}
    assert said_on(school, JUNE) == {"urged/says.txt": "hello in June\n"}


def test_a_template_and_a_definition_are_approved_beside_each_other(school: School) -> None:
    school.published("hello, please\n", name=FILE)
    school.published(SECOND)
    assert set(proposals.texts_in_force(school.connection, TODAY)) == {"workflows/stamp.yaml"}
    assert set(said_on(school, TODAY)) == {"urged/says.txt"}
    assert school.replayed().diverged == ()


def test_a_template_with_a_fault_is_not_submitted_and_is_looked_at_again_when_it_is_approved(school: School) -> None:
    number = school.drafted("bye\n", name=FILE)
    one = proposals.proposal(school.connection, number)
    assert one is not None
    assert [(fault.file, fault.line) for fault in findings_of(one).faults] == [(FILE, 1)]
    with pytest.raises(DefinitionFaults, match=f"{FILE}:1:1"):
        propose(school.desk, number, TODAY, school.by("ma", reason=WHY))

    sound = school.proposed("hello, please\n", name=FILE)
    school.connection.execute("UPDATE proposal SET body = 'bye' WHERE number = ?", (sound,))
    with pytest.raises(DefinitionFaults, match=f"{FILE}:1:1"):
        approve(school.desk, school.origin, sound, school.by("lu"))
    assert said_on(school, TODAY) == {}


def test_a_blank_text_is_no_way_back_and_an_unknown_name_is_answered_with_the_nearest(school: School) -> None:
    number = school.drafted(" \n", name=FILE)
    one = proposals.proposal(school.connection, number)
    assert one is not None
    assert findings_of(one).faults != ()
    with pytest.raises(Unknown, match=r"Did you mean 'urged/says\.txt'"):
        draft(school.desk, school.origin, ("messages/urged/say.txt", b"hello"), school.by("ma"))
    with pytest.raises(NotAllowed):
        draft(school.desk, school.origin, (FILE, b"hello"), school.by("he"))


def test_the_installed_text_is_back_by_a_proposal_of_its_own_and_only_where_another_was_published(
    school: School,
) -> None:
    asked = school.by("ma", reason=WHY)
    with pytest.raises(NothingNew):
        propose_text(school.desk, read_back(school.desk, school.origin, FILE, asked), TODAY, asked)
    school.published("hello, please\n", name=FILE)
    number = propose_text(school.desk, read_back(school.desk, school.origin, FILE, asked), TODAY, asked)
    assert number is not None
    assert newest_text(school.connection, school.origin, FILE) == "hello, please\n"

    approve(school.desk, school.origin, number, school.by("lu"))

    assert said_on(school, TODAY) == {"urged/says.txt": ""}
    assert newest_text(school.connection, school.origin, FILE) == "hello\n"
    assert school.replayed().diverged == ()


def test_of_two_texts_for_one_template_the_second_is_not_approved_over_the_first(school: School) -> None:
    one, two = (school.proposed(f"hello {place}\n", name=FILE) for place in ("here", "there"))
    approve(school.desk, school.origin, one, school.by("lu"))
    with pytest.raises(NotAsItWas):
        approve(school.desk, school.origin, two, school.by("lu"))


def test_a_text_that_is_not_the_one_approved_is_left_out_and_keeps_no_other_from_being_read(school: School) -> None:
    school.published("hello, please\n", name=FILE)
    school.published("hello, all\n", name="messages/base.txt")
    school.connection.execute("UPDATE proposal SET body = 'hello, forged' WHERE file = ?", (FILE,))

    assert said_on(school, TODAY) == {"urged/says.txt": None, "base.txt": "hello, all\n"}
    assert [one for one in school.replayed().diverged if "proposal 1" in str(one)]
