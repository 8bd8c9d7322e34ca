"""Logs for process mining by command: only auditors, only their units, never without a line in the trail."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.console.counter import READY, SITES, Counter

XES = "{http://www.xes-standard.org/}"


@pytest.fixture(scope="module")
def worked_once(enrolled_counter: Counter, tmp_path_factory: pytest.TempPathFactory) -> Counter:
    """Two students have applied, and there is an auditor of the whole school."""
    counter = enrolled_counter.copied(tmp_path_factory.mktemp("worked"))
    for number in READY[:2]:
        counter.done("move", number, "apply", "batch=2024-06", "--as", "op")
    counter.done("user", "add", "shen", "--role", "auditor", "--unit", "SX")
    return counter


@pytest.fixture
def worked(worked_once: Counter, tmp_path: Path) -> Counter:
    """A copy of that school for one test."""
    return worked_once.copied(tmp_path)


def exports_of(counter: Counter) -> list[dict[str, Any]]:
    with sqlite3.connect(counter.url.removeprefix("sqlite:///")) as database:
        bodies = [
            json.loads(body) for (body,) in database.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq")
        ]
    database.close()
    return [body for body in bodies if body["kind"] == "exported"]


def parsed(path: Path) -> ET.Element:
    return ET.fromstring(path.read_bytes())  # noqa: S314 written a moment ago


def test_an_auditor_takes_out_a_log_and_the_registry_tells_who_what_and_how_much(worked: Counter) -> None:
    path = worked.folder / "log.xes"
    worked.done("audit", "xes", str(path), "--as", "shen", "--batch", "2024-06", "--workflow", "diploma-registration")

    (event,) = exports_of(worked)
    assert len(parsed(path).findall(f"{XES}trace")) == 2
    assert (event["actor"], event["role"], event["unit"]) == ("shen", "auditor", "SX")
    assert event["data"] == {
        "trigger": "export:xes", "batch": "2024-06", "workflow": "diploma-registration", "names": False, "cases": 2,
        "events": 4, "size": None,
    }  # fmt: skip
    assert worked.document("replay", "--all")["diverged"] == []


def test_names_are_told_only_if_asked_for_and_the_trail_says_that_they_were(worked: Counter) -> None:
    hidden, named = worked.folder / "hidden.xes", worked.folder / "named.xes"
    worked.done("audit", "xes", str(hidden), "--as", "shen")
    worked.done("audit", "xes", str(named), "--as", "shen", "--names")

    assert READY[0] not in hidden.read_text("utf-8")
    assert READY[0] in named.read_text("utf-8")
    assert [event["data"]["names"] for event in exports_of(worked)] == [False, True]


def test_a_log_is_packed_by_its_name_and_holds_refusals_if_asked(worked: Counter) -> None:
    worked.xueji("move", READY[0], "site_approve", "--as", "both")
    path = worked.folder / "log.xes.gz"
    worked.done("audit", "xes", str(path), "--as", "shen", "--refusals")

    assert gzip.decompress(path.read_bytes()).count(b'value="ate_abort"') == 1


def test_an_ocel_log_has_every_case_of_the_scope(worked: Counter) -> None:
    path = worked.folder / "log.json"
    worked.done("audit", "ocel", str(path), "--as", "shen")

    log = json.loads(path.read_bytes())
    assert [one["type"] for one in log["objects"]].count("diploma-registration") == 6
    assert [one["type"] for one in log["events"]].count("diploma-registration.apply") == 2
    assert exports_of(worked)[0]["data"]["trigger"] == "export:ocel"


def test_nobody_but_an_auditor_takes_anything_out(worked: Counter) -> None:
    path = worked.folder / "log.xes"
    result = worked.xueji("audit", "xes", str(path), "--as", "rec")

    assert result.exit_code == 2
    assert "auditor" in result.stderr
    assert not path.exists()
    assert exports_of(worked) == []


def test_an_auditor_of_one_unit_has_its_cases_only(worked: Counter) -> None:
    with sqlite3.connect(worked.url.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE role_grant SET unit = ? WHERE login = 'shen'", (SITES[1].code,))
        (own,) = database.execute("SELECT count(*) FROM cases WHERE unit = ?", (SITES[1].code,)).fetchone()
    database.close()
    path = worked.folder / "log.xes"
    worked.done("audit", "xes", str(path), "--as", "shen")

    units = {one.get("value") for one in parsed(path).iter(f"{XES}string") if one.get("key") == "xueji:unit"}
    assert 0 < own < 6
    assert len(parsed(path).findall(f"{XES}trace")) == own
    assert units == {SITES[1].code}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("xes", "log.xml"), ".xes"),
        (("ocel", "log.xes"), ".json"),
        (("xes", "log.xes", "--batch", "2024-07"), "2024-06"),
        (("xes", "log.xes", "--workflow", "diploma-registraton"), "Did you mean 'diploma-registration'?"),
    ],
)
def test_a_mistyped_request_leaves_no_file_and_no_event(worked: Counter, words: tuple[str, ...], answer: str) -> None:
    log, name, *more = words
    before = sorted(worked.folder.iterdir())
    result = worked.xueji("audit", log, str(worked.folder / name), "--as", "shen", *more)

    assert result.exit_code == 2
    assert answer in result.stderr
    assert sorted(worked.folder.iterdir()) == before
    assert exports_of(worked) == []


def test_a_log_that_cannot_be_written_to_its_end_is_not_there_at_all(
    worked: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console import process_mining  # noqa: PLC0415 its own name is broken below

    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(process_mining, "keep_read", full)
    path = worked.folder / "log.xes"
    path.write_text("an older one")

    with pytest.raises(OSError, match="no space"):
        worked.xueji("audit", "xes", str(path), "--as", "shen")

    assert path.read_text() == "an older one"
    assert not list(worked.folder.glob(".*.part"))
