"""What auditors' programs read and draw: a case as it stood, whether its trail is sound, samples, findings, seals."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import orjson
import pytest

from console.demo import evening, school
from engine.organisation import give_role
from engine.records import case_number
from engine.store import audit_runs
from engine.store.audit_runs import FAILED, FINDINGS, RUNNING, WHAT_IF, Run
from engine.trail.event import moment
from tests.web.conftest import Site
from tests.web.test_api import Program


@pytest.fixture
def auditor(site: Site) -> Program:
    """A program of the school's auditor."""
    return Program(site, "auditor", "audit")


def _case(site: Site, state: str) -> tuple[int, str]:
    with site.house.desks.borrowed() as office:
        [(case,)] = office.desk.connection.execute(
            "SELECT id FROM cases WHERE unit = ? AND state = ? AND workflow = ? ORDER BY id LIMIT 1",
            (evening.SITE, state, "diploma-registration"),
        ).fetchall()
    return int(case), case_number(int(case))


def _kept(site: Site, chain: int) -> list[dict[str, Any]]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (chain,))
        return [orjson.loads(bytes(row[0])) for row in rows.fetchall()]


def _searched(program: Program) -> dict[str, Any]:
    """What was found once nothing is looked for any more."""
    for _ in range(600):
        answer: dict[str, Any] = program.get(f"/audit/findings?batch={school.BATCH}").json()
        if answer["stage"] != "running":
            return answer
        time.sleep(0.1)
    message = "still running"
    raise AssertionError(message)


def test_a_program_sees_a_case_as_it_stood_and_each_look_is_kept(site: Site, auditor: Program) -> None:
    case, number = _case(site, "applied")

    now, first = auditor.get(f"/audit/cases/{number}").json(), auditor.get(f"/audit/cases/{number}?seq=1").json()

    assert (first["seq"], now["seq"]) == (1, now["last"])
    assert first["state_title"] != now["state_title"]
    decided = auditor.get(f"/audit/cases/{number}?seq=2").json()
    assert {one["outcome"] for one in decided["verdicts"]} <= {"holds", "fails", "undecided", "not_applicable"}
    assert decided["facts"]
    assert not any(
        one["name"] == "id_number" and one["value"].isalnum() and len(one["value"]) == 18 for one in now["facts"]
    )
    assert [one["kind"] for one in _kept(site, case)][-3:] == ["viewed"] * 3
    assert auditor.get(f"/audit/cases/{number}?seq=9999").status_code == httpx.codes.NOT_FOUND


def test_a_program_hears_that_the_trail_of_a_case_is_sound_and_when_it_is_not(site: Site, auditor: Program) -> None:
    case, number = _case(site, "applied")
    address = f"/audit/cases/{number}/verification"
    sound = auditor.get(address).json()
    assert (sound["agrees"], sound["mismatches"]) == (True, [])
    assert sound["events"] >= sound["sealed"] + sound["unsealed"] > 0

    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("UPDATE cases SET state = 'registered' WHERE id = ?", (case,))

    broken = auditor.get(address).json()
    assert not broken["agrees"]
    assert broken["mismatches"][0]["is_own"]


def test_a_sample_is_drawn_once_under_a_key_and_its_seed_draws_it_again(auditor: Program) -> None:
    wanted = {"batch": school.BATCH, "workflow": "diploma-registration", "seed": "2024", "size": 5}
    first, again = (auditor.post("/audit/samples", wanted, "sample-01") for _ in range(2))
    assert [first.status_code, again.json()] == [201, first.json()], first.text
    other = auditor.post("/audit/samples", wanted, "sample-02").json()
    assert other["seq"] != first.json()["seq"]
    assert (other["cases"], other["seed"]) == (first.json()["cases"], "2024")

    auditor.get(f"/audit/cases/{other['cases'][0]}")

    assert auditor.get(f"/audit/samples/{other['seq']}").json()["seen"] == 1
    assert [one["seq"] for one in auditor.get("/audit/samples").json()] == [other["seq"], first.json()["seq"]]
    wrong = auditor.post("/audit/samples", {**wanted, "confidence": "nine"}, "sample-03")
    assert (wrong.status_code, wrong.json()["fields"][0]["where"]) == (422, "body.confidence")


def test_findings_are_looked_for_and_what_is_concluded_of_one_is_kept_once(site: Site, auditor: Program) -> None:
    assert "stage" not in auditor.get(f"/audit/findings?batch={school.BATCH}").json()
    begun = auditor.post("/audit/findings", {"batch": school.BATCH}, "search-01")
    assert begun.status_code == 202, begun.text
    came = _searched(auditor)
    assert came["findings"], came
    one = came["findings"][0]
    address = f"/audit/findings/{one['finding']}"

    said = {"standing": "unfounded", "text": "事先逐件审过纸质材料"}
    concluded = [auditor.post(address, said, "conclusion-01") for _ in range(2)]

    assert [one.status_code for one in concluded] == [200, 200], concluded[1].text
    assert concluded[0].json() == concluded[1].json() == auditor.get(address).json()
    assert [one["standing"] for one in concluded[1].json()["judged"]] == ["unfounded"]
    assert auditor.post("/audit/findings", {"batch": school.BATCH}, "search-01").json()["made_at"] == came["made_at"]
    looks = [one["data"]["trigger"] for one in _kept(site, 0) if one["kind"] == "viewed"]
    assert {"view:findings", "view:finding"} <= set(looks)


def test_a_search_that_was_turned_away_is_begun_under_the_same_key_once_there_is_room(
    site: Site, auditor: Program
) -> None:
    now = moment(site.watch.at)
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        for one in "123":
            run = Run(one, WHAT_IF, "auditor", "", "", RUNNING, 0, 0, now, now)
            audit_runs.add_run(office.desk.connection, run, "{}")
    wanted = {"batch": school.BATCH}
    assert auditor.post("/audit/findings", wanted, "search-02").status_code == 429
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        for one in "123":
            audit_runs.end(office.desk.connection, one, site.watch.at, FAILED, "")

    begun = [auditor.post("/audit/findings", wanted, "search-02") for _ in range(2)]

    assert [one.status_code for one in begun] == [202, 202]
    assert "findings" in _searched(auditor)
    with site.house.desks.borrowed() as office:
        assert len(audit_runs.runs_of(office.desk.connection, FINDINGS, "auditor", 10)) == 1


def test_changes_are_told_in_both_languages_as_of_one_moment(open_site: Callable[..., Site]) -> None:
    site = open_site(desks=2)
    auditor = Program(site, "auditor", "audit")
    read: list[str] = []
    with ExitStack() as held, ExitStack() as lent:
        ours = lent.enter_context(site.house.desks.borrowed()).desk.connection.raw
        theirs = held.enter_context(site.house.desks.borrowed()).desk

        def between(sql: str) -> None:
            """Somebody is given a role when the changes are read for the second time."""
            if sql.startswith("SELECT seq, body FROM event WHERE chain"):
                read.append(sql)
                if len(read) == 2:
                    give_role(
                        theirs, evening.SECOND, "site_operator", evening.SITE, at=site.watch.at, actor=school.HEAD
                    )

        ours.set_trace_callback(between)
        lent.close()  # the one desk at which the program is answered
        told = auditor.get("/audit/changes")
        ours.set_trace_callback(None)

    assert (told.status_code, len(read) >= 2) == (200, True)
    [newest, *others] = auditor.get("/audit/changes").json()["changes"]
    assert evening.SECOND in newest["what"]["en"]
    assert others == told.json()["changes"][: len(others)]


def test_seals_and_changes_are_told_and_the_looks_at_them_kept(site: Site, auditor: Program) -> None:
    seals, checked = auditor.get("/audit/seals").json(), auditor.get("/audit/seals/check").json()
    assert checked["heads"] == len(seals["heads"])
    assert checked["changed"] == []

    changes = auditor.get("/audit/changes").json()["changes"]

    assert any("auditor" in one["what"]["zh"] for one in changes), "the token of this very program"
    assert all(one["what"]["en"] for one in changes)
    assert [one["data"]["trigger"] for one in _kept(site, 0)[-3:]] == ["view:seals", "view:seals", "view:changes"]
