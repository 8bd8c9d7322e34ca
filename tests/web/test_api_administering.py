"""What administrators' programs do: units, people, rights, definitions, batches, mails; each once under a key."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import orjson
import pytest
from openpyxl import load_workbook

from console.demo import evening, school
from console.settings import HOME
from engine.trail.event import REGISTRY
from tests.web import test_publishing as publishing
from tests.web.conftest import Site
from tests.web.test_api import Program

SITE, BRANCH, OTHER = "511610104", "5116101", "5116102"


@pytest.fixture
def security(site: Site) -> Program:
    """A program of the school's security administrator."""
    return Program(site, "security-admin", "read", "admin")


def _registry(site: Site) -> list[dict[str, Any]]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (REGISTRY,))
        return [orjson.loads(bytes(row[0])) for row in rows.fetchall()]


def _kinds(site: Site) -> list[str]:
    return [str(one["kind"]) for one in _registry(site)]


def test_a_unit_is_added_renamed_and_moved_once_under_each_key(site: Site, security: Program) -> None:
    unit = {"under": SITE, "code": "5116101049", "name": "九班", "kind": "class"}
    added = [security.post("/admin/units", unit, "unit-0001") for _ in range(2)]
    assert [one.status_code for one in added] == [201, 201], added[1].text
    assert added[0].json() == added[1].json()
    before = len(_registry(site))

    address = "/admin/units/5116101049"
    named = [security.post(f"{address}/name", {"name": "第九班"}, "unit-0002").json() for _ in range(2)]
    assert [one["name"] for one in named] == ["第九班", "第九班"]
    assert [one["name"] for one in named[1]["earlier"]] == ["九班"]
    sites = [one["code"] for one in security.get("/admin/units").json()["units"] if one["kind"] == "site"]
    there = next(one for one in sites if one != SITE and one.startswith(BRANCH))
    meant = security.get(f"{address}/move?under={there}").json()
    assert (meant["units"], meant["cases"], meant["against"]) == (1, 0, [])
    assert security.get(address).json()["parent"] == SITE
    moved = [security.post(f"{address}/move", {"under": there}, "unit-0003").json() for _ in range(2)]
    assert moved == [{"unit": "5116101049", "under": there, "moved": True, "against": []}] * 2
    assert security.get(address).json()["parent"] == there
    assert len(_registry(site)) == before + 2, "one event for the name, one for the move"
    refused = security.post("/admin/units", {**unit, "under": "none-such"}, "unit-0004")
    assert refused.status_code == 404


def test_a_wrong_value_is_told_by_its_field_in_the_language_asked_for(site: Site, security: Program) -> None:
    unit = {"under": SITE, "code": SITE, "name": "重复", "kind": "class"}
    answer = security.post("/admin/units", unit, "unit-0005")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["fields"] == [{"where": "body.code", "reason": "单位代码：已有这个代码的单位"}]
    asked = {"Authorization": f"Bearer {security.token}", "Idempotency-Key": "unit-0006", "Accept-Language": "en"}
    english = site.program.post("/api/v1/admin/units", json=unit, headers=asked).json()
    assert "单位代码" not in english["fields"][0]["reason"]


def test_a_role_is_given_and_ended_by_another_and_administrators_exclude_each_other(
    site: Site, security: Program
) -> None:
    person = f"/admin/people/{evening.SECOND}"
    role = {"role": "site_operator", "unit": SITE}
    given = [security.post(f"{person}/roles", role, "role-0001") for _ in range(2)]
    assert given[0].status_code == 200, given[0].text
    assert given[0].json() == given[1].json()
    assert ("site_operator", SITE) in {(one["role"], one["unit"]) for one in given[0].json()["roles"]}
    asked = _registry(site)[-1]["request"]
    assert (asked.partition("security-admin/")[1], asked.rpartition("/")[2]) == ("security-admin/", "role-0001")

    ended = [security.post(f"{person}/roles/end", role, "role-0002") for _ in range(2)]
    assert [one.status_code for one in ended] == [200, 200]
    again = security.post(f"{person}/roles", role, "role-0001")
    assert "site_operator" not in {one["role"] for one in again.json()["roles"]}, "a late repeat gives nothing back"

    own = security.post("/admin/people/security-admin/roles", role, "role-0003")
    apart = {"role": "audit_admin", "unit": school.SCHOOL.code}
    both = security.post("/admin/people/system-admin/roles", apart, "role-0004")
    assert (own.status_code, both.status_code) == (422, 422)
    assert both.json()["fields"][0]["where"] == "body.role"


def test_who_is_kept_out_is_let_in_again_and_a_token_is_ended(site: Site, security: Program) -> None:
    person, theirs = f"/admin/people/{evening.OPERATOR}", Program(site, evening.OPERATOR, "read")
    assert theirs.get("/me").status_code == 200
    assert [one["name"] for one in security.get(person).json()["tokens"] if one["is_good"]] == ["test"]

    assert security.post(f"{person}/tokens/end", {"name": "test"}, "token-001").status_code == 200
    out = security.post(f"{person}/disable", {"reason": "离职"}, "leave-001").json()
    back = security.post(f"{person}/enable", {}, "leave-002").json()

    assert theirs.get("/me").status_code == 401
    assert (out["is_disabled"], back["is_disabled"]) == (True, False)
    assert _kinds(site)[-3:] == ["token_changed", "account_changed", "account_changed"]


def test_a_role_is_lent_once_seen_by_who_looks_after_it_and_taken_back(site: Site, security: Program) -> None:
    approver = Program(site, evening.APPROVER, "read", "decide")
    loan = {"role": "site_approver", "unit": SITE, "taker": evening.SECOND, "until": "2024-05-20", "reason": "出差"}
    first, again = (approver.post("/me/delegations", loan, "loan-0001") for _ in range(2))
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert [one["taker"] for one in first.json()["lent"]] == [evening.SECOND]
    refused = [approver.post("/me/delegations", {**loan, "taker": "nobody-such"}, "loan-0002").json() for _ in range(2)]
    assert refused[0] == refused[1]
    assert all(one["zh"] and one["en"] for one in refused[0]["refused"])
    assert len(refused[0]["refused"]) >= 1
    assert [one["giver"] for one in security.get("/admin/delegations").json()["lent"]] == [evening.APPROVER]

    theirs = {**loan, "role": "site_operator"}
    others = Program(site, evening.OPERATOR, "decide").post("/me/delegations", theirs, "loan-0001").json()
    assert {one["giver"] for one in others["lent"]} == {evening.OPERATOR} or others["refused"], "a key is one's own"

    away = {"first": "2024-05-16", "last": "2024-05-20"}
    kept = [approver.post("/me/absences", away, f"away-000{n}").json()["away"] for n in range(2)]
    [[one], again] = kept
    assert (again, {name: one[name] for name in away}) == ([one], away)
    assert approver.post("/me/absences/end", {}, "away-0003").json()["away"] == [one], "it has not begun"
    ended = [approver.post(f"/me/absences/{one['id']}/end", {}, "away-0004").json()["away"] for _ in range(2)]
    assert ended == [[], []]
    ended = [
        approver.post("/me/delegations/end", {"taker": loan["taker"], "role": "site_approver"}, "loan-0003")
        for _ in range(2)
    ]
    assert [one.json()["lent"] for one in ended] == [[], []]


def test_an_administrator_of_one_kind_is_told_nothing_of_what_is_anothers(site: Site) -> None:
    system = Program(site, "system-admin", "read", "admin")
    assert {system.get(one).status_code for one in ("/admin/people", "/admin/units", "/admin/delegations")} == {404}
    role = {"role": "site_operator", "unit": SITE}
    assert system.post(f"/admin/people/{evening.SECOND}/roles", role, "role-0009").status_code == 404
    reading = Program(site, "security-admin", "read")
    assert reading.post(f"/admin/people/{evening.SECOND}/roles", role, "role-0010").status_code == 403


def test_a_definition_is_proposed_by_a_program_and_approved_by_another_persons(site: Site) -> None:
    first, other = (Program(site, one, "read", "admin") for one in (publishing.FIRST, publishing.OTHER))
    text = {"name": publishing.FILE.name, "text": publishing.SECOND}
    drafts = [first.post("/admin/proposals", text, "draft-001").json() for _ in range(2)]
    assert drafts[0] == drafts[1]
    assert (drafts[0]["faults"], drafts[0]["stage"]) == ([], "draft")
    assert "version: 2" in {one.get("new") for place in drafts[0]["places"] for one in place if one["has_changed"]}
    address = f"/admin/proposals/{drafts[0]['number']}"
    assert other.get(address).status_code == 404

    day = {"effective_on": "2024-05-15", "reason": publishing.REASON}
    assert first.post(f"{address}/submit", {**day, "effective_on": "2024-05-01"}, "submit-1").status_code == 422
    submitted = [first.post(f"{address}/submit", day, "submit-2").json()["stage"] for _ in range(2)]
    own = first.post(f"{address}/approve", {}, "approve-1")
    approved = [other.post(f"{address}/approve", {}, "approve-2").json() for _ in range(2)]

    assert submitted == ["proposed", "proposed"]
    assert own.status_code == 409
    assert "另一人" in own.json()["title"]
    assert [(one["stage"], one["decided_by"]) for one in approved] == [("approved", publishing.OTHER)] * 2
    shown = first.get(f"/admin/definitions/{publishing.FILE.stem}").json()
    assert shown["text"] == publishing.SECOND
    assert {one["version"] for one in shown["versions"]} == {1, 2}
    assert first.get("/admin/proposals").json()["proposals"][0]["number"] == drafts[0]["number"]
    assert publishing.FILE.stem in {one["name"] for one in first.get("/admin/definitions").json()["procedures"]}


def test_a_new_batch_is_proposed_by_a_program_as_its_file(site: Site) -> None:
    first, other = (Program(site, one, "read", "admin") for one in (publishing.FIRST, publishing.OTHER))
    text = (HOME / "workflows" / "batches" / "2024-1-teaching.yaml").read_text("utf-8").replace("2024-1", "2024-2")
    drafted = first.post("/admin/proposals", {"name": "2024-2-teaching.yaml", "text": text}, "batch-001").json()
    assert (drafted["faults"], drafted["file"]) == ([], "workflows/batches/2024-2-teaching.yaml")
    address = f"/admin/proposals/{drafted['number']}"
    first.post(f"{address}/submit", {"effective_on": "2024-05-15", "reason": publishing.REASON}, "batch-002")
    assert other.post(f"{address}/approve", {}, "batch-003").json()["stage"] == "approved"

    assert first.get("/admin/batches/2024-2-teaching").json()["is_published"] is False
    assert first.get("/admin/definitions/2024-2-teaching").json()["text"] == text
    records = Program(site, school.AUDITING, "read", "admin")
    published = records.post("/admin/batches/2024-2-teaching/publication", {"dry_run": False}, "batch-004").json()
    assert published["is_published"] is True


def test_a_proposal_is_refused_with_a_reason_or_taken_back_by_its_maker(site: Site) -> None:
    first, other = (Program(site, one, "read", "admin") for one in (publishing.FIRST, publishing.OTHER))
    day = {"effective_on": "2024-05-15", "reason": publishing.REASON}
    numbers = []
    for title in ("学生证补发", "学生证换发"):
        text = publishing.SECOND.replace("学生证补发", title)
        numbers.append(first.post("/admin/proposals", {"name": publishing.FILE.name, "text": text}, "draft-002"))
    one, two = (f"/admin/proposals/{answer.json()['number']}" for answer in numbers)
    first.post(f"{one}/submit", day, "submit-3")

    refused = [other.post(f"{one}/refuse", {"reason": "与细则不一致"}, "refuse-1").json() for _ in range(2)]
    withdrawn = [first.post(f"{two}/withdraw", {}, "withdraw-1").json()["stage"] for _ in range(2)]

    assert [(each["stage"], each["answer"]) for each in refused] == [("refused", "与细则不一致")] * 2
    assert withdrawn == ["withdrawn", "withdrawn"]


def test_calendar_terms_and_a_batchs_values_are_told_and_values_set_once_in_order(site: Site) -> None:
    system, records = Program(site, "system-admin", "read"), Program(site, school.AUDITING, "read", "admin")
    year = system.get("/admin/calendars/2024").json()
    assert {one["day"]: one["kind"] for one in year["days"]}["2024-05-11"] == "made-up"
    assert len(year["working_days"]) == 12
    assert system.get("/admin/terms").json()

    address = f"/admin/batches/{school.BATCH}"
    assert school.BATCH in {one["name"] for one in records.get("/admin/batches").json()}
    dates = {one["name"]: one["value"] for one in records.get(address).json()["fields"] if one["kind"] == "date"}
    name, day = next((name, day) for name, day in dates.items() if day)
    wanted = {"values": {name: (date.fromisoformat(day) + timedelta(days=1)).isoformat()}}
    meant = records.post(f"{address}/values", wanted, "values-01")
    assert meant.status_code == 200, meant.text
    assert [(one["old"], one["new"]) for one in meant.json()["changes"]] == [(day, wanted["values"][name])]
    assert records.get(address).json() == meant.json()["batch"]
    done = [records.post(f"{address}/values", {**wanted, "dry_run": False}, "values-02") for _ in range(2)]
    assert [one.status_code for one in done] == [200, 200], done[1].text
    assert done[0].json() == done[1].json()
    kept = {one["name"]: one["value"] for one in done[0].json()["batch"]["fields"]}
    assert kept[name] == wanted["values"][name]
    assert records.post(f"{address}/values", {"values": {"no_such": "x"}}, "values-03").status_code == 422


def test_a_batch_is_published_once_after_a_dry_run_and_a_term_that_is_not_now_does_not_begin(site: Site) -> None:
    records = Program(site, publishing.RECORDS, "read", "admin")
    address, before = "/admin/batches/2024-1-teaching/publication", _kinds(site).count("batch_published")
    meant = records.post(address, {}, "publish-01").json()
    assert (meant["dry_run"], meant["is_published"]) == (True, False)
    assert not records.get("/admin/batches/2024-1-teaching").json()["is_published"]

    done = [records.post(address, {"dry_run": False}, "publish-02").json() for _ in range(2)]

    assert [one["opened"] for one in done] == [meant["opened"], 0]
    assert records.get("/admin/batches/2024-1-teaching").json()["is_published"]
    assert _kinds(site).count("batch_published") == before + 1
    late = records.post("/admin/batches/term", {"term": "2030-1"}, "term-00001")
    assert (late.status_code, late.json()["fields"][0]["where"]) == (422, "body.term")


def test_the_report_of_looks_is_taken_out_by_who_may_read_it_and_has_proved_and_is_told(site: Site) -> None:
    number = Program(site, evening.APPROVER, "read").get("/queue/todo").json()["cases"][0]
    site.signed_in(evening.APPROVER).get(f"/cases/{number['number']}")
    audit = Program(site, "audit-admin", "read")
    printed = Program(site, "audit-admin", "read", is_proved=False)
    about = {"student_no": number["student_no"]}
    assert printed.post("/admin/access/export", about).status_code == 403

    book = load_workbook(BytesIO(audit.post("/admin/access/export", about).content)).worksheets[0]

    assert book.max_row == 1 + len(audit.post("/admin/access", about).json()["looks"])
    told = _registry(site)[-1]
    assert (told["kind"], told["data"]["trigger"]) == ("exported", "export:access")
    assert number["student_no"] not in orjson.dumps(told).decode()


def test_roles_are_not_given_by_a_token_that_a_command_printed(site: Site) -> None:
    printed = Program(site, "security-admin", "read", "admin", is_proved=False)
    role = {"role": "site_operator", "unit": SITE}
    before = len(_registry(site))
    refused = printed.post(f"/admin/people/{evening.SECOND}/roles", role, "role-0011")
    assert (refused.status_code, "/me/tokens" in refused.json()["title_en"]) == (403, True)
    unit = {"under": SITE, "code": "5116101048", "name": "八班", "kind": "class"}
    assert printed.post("/admin/units", unit, "unit-0008").status_code == 201, "no page asks again for it"
    assert len(_registry(site)) == before + 1


def test_health_mails_changes_and_looks_are_told_to_the_administrator_whose_they_are(site: Site) -> None:
    system, audit = Program(site, "system-admin", "read", "admin"), Program(site, "audit-admin", "read")
    parts = system.get("/admin/health").json()
    assert {one["health"] for one in parts} <= {"fine", "look", "fault"}
    assert parts == audit.get("/admin/health").json()

    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        office.desk.connection.execute("UPDATE mail SET state = 'unknown' WHERE id = (SELECT max(id) FROM mail)")
    [mail] = system.get("/admin/outbox").json()["mails"]
    assert mail["is_open"]
    settled = [
        system.post(f"/admin/outbox/{mail['number']}/received", {"reason": "收件人来电"}, "mail-0001").json()
        for _ in range(2)
    ]
    assert settled == [{"number": mail["number"], "state": "accepted"}] * 2
    assert system.get("/admin/outbox").json()["mails"] == []

    number = Program(site, evening.APPROVER, "read").get("/queue/todo").json()["cases"][0]
    site.signed_in(evening.APPROVER).get(f"/cases/{number['number']}")
    by_person = audit.post("/admin/access", {"who": evening.APPROVER}).json()["looks"]
    by_student = audit.post("/admin/access", {"student_no": number["student_no"]}).json()["looks"]
    assert by_person[0]["login"] == by_student[0]["login"] == evening.APPROVER
    assert audit.post("/admin/access", {"who": "nobody-such"}).status_code == 422
    assert any("接口令牌" in one["what"]["zh"] for one in audit.get("/admin/changes").json()["changes"])
