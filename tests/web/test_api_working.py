"""Work beside the steps through the REST interface: by the same rights as on the pages, and never done twice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.demo import evening, school
from exchange.cells import Cell
from tests.exchange.pictures import picture
from tests.web.conftest import Site
from tests.web.test_api import Program
from tests.web.test_imports import events, owed, sheet
from tests.web.test_lists import HANDLER, UNIT, at_work, scan

COLLEAGUE = "second-approver"
PHOTO, ID_CARD = "E-PHOTO", "E-IC-ID"


class Sender(Program):
    """A program that sends files as well."""

    def __init__(self, site: Site, login: str, *scopes: str) -> None:
        super().__init__(site, login, *scopes)
        self.site = site

    def send(
        self, path: str, form: Mapping[str, str], file: tuple[str, bytes], key: str = "file-0001"
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        return self._client.post(f"/api/v1{path}", data=dict(form), files={"file": file}, headers=headers)


@pytest.fixture
def approver(site: Site) -> Sender:
    """A program of the approver's that may read and decide."""
    return Sender(site, evening.APPROVER, "read", "decide")


def _applied(program: Program) -> str:
    """The number of a case that waits for the approver."""
    return str(program.get("/queue/todo?sort=entered").json()["cases"][0]["number"])


def _kinds(program: Program, number: str) -> list[str]:
    return [one["kind"] for one in program.get(f"/cases/{number}/events").json()]


def _in_pages(program: Program, address: str, name: str, first: str = "") -> list[Mapping[str, Any]]:
    """Everything that pages say one after the other."""
    found: list[Mapping[str, Any]] = []
    after: str | None = first
    while after is not None:
        page = program.get(f"{address}&after={after}").json()
        found += page[name]
        after = page.get("next")
    return found


# --- documents -------------------------------------------------------------------------------------------------------


def _correction(approver: Sender) -> tuple[Sender, str]:
    """A program of the operator's, and the number of a correction of a name it has opened."""
    operator = Sender(approver.site, evening.OPERATOR, "read", "decide")
    student = approver.get("/queue/todo?sort=entered").json()["cases"][0]["student_no"]
    asked = {"item": "name", "kind": "entry_error", "new_value": "顾予安"}
    body = {"workflow": "student-information-change", "about": student, "fields": asked}
    return operator, str(operator.post("/cases", body, "open-0001").json()["number"])


def test_a_paper_is_handed_in_once_saved_byte_for_byte_and_withdrawn_and_every_look_is_kept(approver: Sender) -> None:
    (operator, number), body = _correction(approver), picture()
    there = f"/cases/{number}/documents"
    first, again = (operator.send(there, {"kind": ID_CARD}, ("身份证.jpg", body)).json() for _ in range(2))

    assert first["done"], first["verdicts"]
    assert again == {name: value for name, value in first.items() if name != "seq"} | {"repeated": True}
    [one] = operator.get(there).json()
    assert (one["seq"], one["sha256"], one["file"]) == (first["seq"], sha256(body).hexdigest(), "jpeg")
    saved = operator.get(f"{there}/{one['seq']}/{ID_CARD}")
    assert saved.content == body
    assert saved.headers["content-disposition"].startswith("attachment;")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert _kinds(operator, number)[-2:] == ["evidence_added", "viewed"]

    off = [operator.post(f"{there}/{one['seq']}/withdrawal", {"reason": "换一张"}, "off-00001").json() for _ in "12"]
    assert [each["done"] for each in off] == [True, True]
    assert operator.get(there).json() == []
    assert _kinds(operator, number).count("evidence_withdrawn") == 1
    assert operator.get(f"{there}/99999/{ID_CARD}").status_code == 404


def test_a_file_that_does_not_fit_is_refused_with_every_reason_and_one_that_is_broken_is_no_file(
    approver: Sender,
) -> None:
    there = f"/cases/{_applied(approver)}/documents"
    small = approver.send(there, {"kind": PHOTO}, ("photo.jpg", picture(size=(48, 64)))).json()
    assert not small["done"]
    assert small["failed"]
    assert all(one["sentence"]["zh"] for one in small["verdicts"])
    broken = approver.send(there, {"kind": PHOTO}, ("photo.jpg", picture()[:300]), "file-0002")
    assert (broken.status_code, broken.headers["content-type"]) == (415, "application/problem+json")
    stale = approver.send(there, {"kind": PHOTO, "revision": "0"}, ("photo.jpg", picture(size=(480, 640))), "file-0003")
    assert stale.status_code == 409
    assert stale.json()["revision"] == approver.get(there.removesuffix("/documents")).json()["revision"]


# --- acts ------------------------------------------------------------------------------------------------------------


def test_a_case_is_handed_over_once_and_never_to_oneself(approver: Sender) -> None:
    number = _applied(approver)
    body = {"taker": COLLEAGUE, "role": "site_approver", "reason": "本人出差"}
    own = approver.post(f"/cases/{number}/handing-over", {**body, "taker": evening.APPROVER}, "hand-0001").json()
    assert (own["done"], len(own["verdicts"]) > 0) == (False, True)
    done = [approver.post(f"/cases/{number}/handing-over", body, "hand-0002").json() for _ in range(2)]
    assert [(one["done"], one["repeated"]) for one in done] == [(True, False), (True, True)]
    assert _kinds(approver, number).count("handed_over") == 1
    assert approver.post(f"/cases/{number}/handing-over", {**body, "revision": 0}, "hand-0003").status_code == 409


def test_a_key_is_good_for_its_person_and_act_alone(site: Site, approver: Sender) -> None:
    number, other = _applied(approver), Sender(site, COLLEAGUE, "read", "decide")
    said = [
        one.post(f"/cases/{number}/comments", {"text": "已电话核实"}, "same-0001").json() for one in (approver, other)
    ]
    asked = approver.post(f"/cases/{number}/reminder", {}, "same-0001").json()
    again = approver.post(f"/cases/{number}/comments", {"text": "已电话核实"}, "same-0001").json()
    assert [one["repeated"] for one in (*said, asked, again)] == [False, False, False, True]
    assert [_kinds(approver, number).count(kind) for kind in ("commented", "urged")] == [2, 1]


def test_who_urges_twice_a_day_is_told_when_it_may_be_done_again(approver: Sender) -> None:
    number = _applied(approver)
    assert approver.post(f"/cases/{number}/reminder", {}, "urge-0001").json()["done"]
    second = approver.post(f"/cases/{number}/reminder", {}, "urge-0002").json()
    assert not second["done"]
    assert "2024-05-16" in second["verdicts"][0]["sentence"]["zh"]


def test_a_case_is_lent_until_a_day_within_a_year(site: Site, approver: Sender) -> None:
    number = _applied(approver)
    body = {"taker": COLLEAGUE, "role": "site_approver", "reason": "本人请假", "until": "2024-05-17"}
    for day in ("2024-05-14", "2025-06-01"):
        assert approver.post(f"/cases/{number}/delegation", {**body, "until": day}, "lend-0001").status_code == 422
    assert approver.post(f"/cases/{number}/delegation", body, "lend-0001").json()["done"]
    with site.house.desks.borrowed() as office:
        [(until,)] = office.desk.connection.execute(
            "SELECT until FROM delegation WHERE taker = ? AND case_id IS NOT NULL", (COLLEAGUE,)
        ).fetchall()
    assert str(until).startswith("2024-05-17T15:59:59"), "the last second of the day in Shanghai"


# --- deadlines -------------------------------------------------------------------------------------------------------


def test_what_is_due_in_a_batch_comes_soonest_first_in_pages_and_only_of_cases_one_may_know_of(
    site: Site, approver: Sender
) -> None:
    there = f"/batches/{school.BATCH}/deadlines"
    records = Program(site, school.HEAD, "read")
    whole = records.get(f"{there}?limit=200").json()["deadlines"]
    assert [one.get("due_at", "9999") for one in whole] == sorted(one.get("due_at", "9999") for one in whole)
    assert _in_pages(records, f"{there}?limit=3", "deadlines") == whole
    own = approver.get(f"{there}?limit=200").json()["deadlines"]
    assert {one["unit"] for one in own} <= {evening.SITE}
    assert len(own) < len(whole)
    one = whole[0]
    assert [each["name"] for each in records.get(f"/cases/{one['number']}/deadlines").json()].count(one["name"]) == 1
    assert records.get(f"{there}?after=nowhere").status_code == 422
    assert records.get("/batches/none-such/deadlines").status_code == 404


# --- lists and books -------------------------------------------------------------------------------------------------


def _list(program: Program, unit: str) -> dict[str, Any]:
    """The list of a teaching point."""
    [one] = program.get(f"/lists?batch={school.BATCH}&unit={unit}").json()["lists"]
    return dict(one)


def test_lists_come_in_pages_and_each_has_the_fingerprint_that_its_page_shows(site: Site) -> None:
    records, handler = (Program(site, login, "read") for login in (school.HEAD, evening.OPERATOR))
    whole = records.get(f"/lists?batch={school.BATCH}&limit=200").json()["lists"]
    assert len(whole) == len(school.SITES)
    assert _in_pages(records, f"/lists?batch={school.BATCH}&limit=5", "lists") == whole
    own = handler.get("/lists").json()["lists"]
    assert [one["unit"] for one in own] == [evening.SITE]
    page = site.signed_in(evening.OPERATOR).get(f"/lists/{own[0]['number']}").text
    assert own[0]["sha256"][:12] in page

    there = f"/lists/{own[0]['number']}"
    told = handler.get(f"{there}?limit=200").json()
    assert (told["sha256"], told["count"]) == (own[0]["sha256"], own[0]["members"])
    assert _in_pages(handler, f"{there}?limit=3", "members") == told["members"]
    assert [one["slot"] for one in told["signatures"]] == ["handler", "head", "seal"]
    assert handler.get(f"/lists/{whole[0]['number']}").status_code == 404
    assert handler.get(f"/lists/{told['members'][0]['number']}").status_code == 404, "a case that is no list"


def test_a_list_is_scanned_signed_in_order_and_accepted_through_the_interface(site: Site) -> None:
    at_work(site).sent_back_and_reviewed()
    handler, records = (Sender(site, login, "read", "decide") for login in (HANDLER, school.HEAD))
    number = _list(handler, UNIT)["number"]
    there, case = f"/lists/{number}", f"/cases/{number}"

    def step(program: Program, trigger: str, **more: object) -> dict[str, Any]:
        body = {"revision": program.get(there).json()["revision"], **more}
        return dict(program.post(f"{case}/transitions/{trigger}", body, f"{trigger}-{more.get('slot', 'step')}").json())

    assert "sha256" not in handler.get(there).json(), "it gathers anew"
    assert step(handler, "close")["moved"]
    [sheet] = handler.get(there).json()["signing"]
    assert [one["slot"] for one in sheet["seats"] if one["is_turn"]] == ["handler"]
    old = [one for one in handler.get(f"{case}/documents").json() if one["kind"] == "E-F04"]
    for one in old:
        assert handler.post(f"{case}/documents/{one['seq']}/withdrawal", {"reason": "旧稿"}, "old-scan1").json()["done"]
    assert handler.send(f"{case}/documents", {"kind": "E-F04"}, ("s.png", scan(240))).json()["done"]
    early = step(handler, sheet["trigger"], slot="head", consents=True)
    assert not early["moved"]
    for slot in ("handler", "head", "seal"):
        [block] = handler.get(there).json()["signing"]
        assert [one["slot"] for one in block["seats"] if one["is_turn"]] == [slot]
        body: dict[str, object] = {"revision": handler.get(there).json()["revision"], "slot": slot}
        silent = handler.post(f"{case}/transitions/{sheet['trigger']}", body, f"silent-{slot}")
        assert silent.status_code == 422, "a vote that was not given is not a yes"
        assert "consents" in silent.text
        body["consents"] = True
        done = handler.post(f"{case}/transitions/{sheet['trigger']}", body, f"signs-{slot}").json()
        assert done["moved"], done
    assert handler.get(there).json()["state"] == "submitted"

    unticked = step(records, "accept")
    assert not unticked["moved"]
    body = {"revision": records.get(there).json()["revision"], "ticks": {"E-F04.signed": True, "E-F04.sealed": True}}
    assert records.post(f"{case}/transitions/accept", body, "ticked-01").json()["moved"]
    assert records.get(there).json()["state"] == "accepted"


# --- sheets in -------------------------------------------------------------------------------------------------------


def _ended(program: Program, run: str) -> dict[str, Any]:
    """A run once nobody works on it any more."""
    for _ in range(200):
        told = program.get(f"/imports/{run}").json()
        if told["stage"] not in ("checking", "committing"):
            return dict(told)
        time.sleep(0.05)
    message = "nobody came to an end with it"
    raise AssertionError(message)


def test_a_sheet_is_told_every_fault_with_its_place_mended_and_taken_in_once(site: Site, tmp_path: Path) -> None:
    head, other = (Sender(site, login, "import", "read") for login in (school.HEAD, school.ACCEPTING))
    fees = owed(site)
    rows: list[dict[str, Cell]] = [{"student_no": number, "fee_owed": "0.00"} for number in fees]
    bad = [dict(one) for one in rows]
    bad[0]["fee_owed"], bad[1]["fee_owed"], bad[2]["student_no"] = "1,26O.00", "-1", "20990399999"

    sent = head.send("/imports/payments", {}, ("0513-缴费.xlsx", sheet(tmp_path, bad)), "sheet-0001")
    assert sent.status_code == 202
    faulty = _ended(head, sent.json()["id"])
    assert (faulty["stage"], faulty["faults"], faulty["good"]) == ("faulty", 3, len(rows) - 3)
    placed = head.get(f"/imports/{faulty['id']}/faults?limit=200").json()["faults"]
    assert [one["cell"] for one in placed] == ["B2", "B3", "A4"]
    assert all(one["reason"]["zh"] and one["reason"]["en"] for one in placed)
    assert _in_pages(head, f"/imports/{faulty['id']}/faults?limit=2", "faults", "-1") == placed
    assert head.post(f"/imports/{faulty['id']}/commit", {}, "commit-001").json()["stage"] == "faulty"
    assert owed(site) == fees, "what has a fault is not taken in"

    site.watch.pass_by(minutes=1)
    mended, debtors = sheet(tmp_path, rows), [number for number, fee in fees.items() if float(fee) > 0]
    twice = [head.send("/imports/payments", {}, ("0513.xlsx", mended), "sheet-0002").json()["id"] for _ in range(2)]
    assert twice[0] == twice[1]
    ready = _ended(head, twice[0])
    assert (ready["stage"], ready["counts"]["changed"], owed(site) == fees) == ("ready", len(debtors), True)
    assert "number" not in ready
    assert head.post(f"/imports/{ready['id']}/commit", {}, "commit-002").status_code == 202
    done = _ended(head, ready["id"])
    assert (done["stage"], done["number"], done["counts"]) == ("done", "0515-01", ready["counts"])
    written = events(site)
    assert head.post(f"/imports/{ready['id']}/commit", {}, "commit-002").json() == done
    assert head.post(f"/imports/{ready['id']}/drop", {}, "drop-00002").status_code == 409, "it was taken in"
    assert events(site) == written
    assert set(owed(site).values()) == {"0.00"}
    freed = _in_pages(head, f"/imports/{ready['id']}/cases?which=applying&limit=2", "numbers")
    assert len(freed) == done["applying"] == ready["applying"] > 0

    assert [one["id"] for one in _in_pages(head, "/imports?limit=1", "runs")] == [ready["id"], faulty["id"]]
    assert head.post(f"/imports/{faulty['id']}/drop", {}, "drop-00001").status_code == 200
    assert head.get(f"/imports/{faulty['id']}").status_code == 404, "what was dropped is there no more"
    assert [other.get(f"/imports/{ready['id']}{part}").status_code for part in ("", "/faults", "/cases")] == [404] * 3
    assert other.get("/imports").json()["runs"] == []


def test_what_is_no_sheet_or_not_ones_own_to_write_is_not_even_kept(site: Site, tmp_path: Path) -> None:
    head, handler = (Sender(site, login, "import") for login in (school.HEAD, evening.OPERATOR))
    body = sheet(tmp_path, [{"student_no": "1", "fee_owed": "0.00"}])
    assert handler.send("/imports/payments", {}, ("a.xlsx", body)).status_code == 404
    broken = head.send("/imports/payments", {}, ("a.xlsx", b"a,b\n1,2\n"))
    assert (broken.status_code, "Excel" in broken.json()["title"]) == (415, True)
    assert head.get("/imports").json()["runs"] == []
