"""What a program does with a queue: counts, filters, many at once with a preview, reminding, taking it along."""

import time
from io import BytesIO
from typing import Any

import httpx
import orjson
import pytest
from openpyxl import load_workbook

from console.demo import evening, school
from console.web.queue import waiting
from engine.trail.event import REGISTRY
from tests.web.conftest import Site
from tests.web.test_api import Program

_STEP = "site_approve"


@pytest.fixture
def approver(site: Site) -> Program:
    """A program of the approver's that may read and decide."""
    return Program(site, evening.APPROVER, "read", "decide")


def _settled(program: Program, run: str) -> dict[str, Any]:
    """A run once nobody works on it any more."""
    for _ in range(300):
        answer: dict[str, Any] = program.get(f"/bulk/{run}").json()
        if answer["stage"] not in ("running", "withdrawing"):
            return answer
        time.sleep(0.1)
    message = "the run never ended"
    raise AssertionError(message)


def _exported(site: Site) -> list[dict[str, Any]]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (REGISTRY,))
        events = [orjson.loads(bytes(row[0])) for row in rows.fetchall()]
    return [one for one in events if one["kind"] == "exported"]


def _approvals(program: Program, number: str) -> int:
    history = program.get(f"/cases/{number}/events").json()
    return sum(one["kind"] == "moved" and one.get("trigger") == _STEP for one in history)


def test_a_queue_is_counted_by_lane_and_its_pages_hold_exactly_those(approver: Program) -> None:
    counts = approver.get("/queue/counts").json()
    assert (counts["ready"], counts["look"], counts["blocked"], counts["total"]) == (47, 5, 8, 60)
    assert sum(one["sole"] for one in counts["hindrances"]) <= counts["blocked"]

    numbers: list[str] = []
    after: str | None = ""
    while after is not None:
        page = approver.get(f"/queue/todo?sort=due&after={after}").json()
        numbers += [one["number"] for one in page["cases"]]
        after = page.get("next")
    assert len(numbers) == len(set(numbers)) == 60
    blocked = approver.get("/queue/todo?lane=blocked").json()["cases"]
    assert ({one["lane"] for one in blocked}, len(blocked)) == ({"blocked"}, 8)
    rule = counts["hindrances"][0]
    held = approver.get(f"/queue/todo?rule={rule['rule']}").json()["cases"]
    assert (len(held), {rule["rule"] in one["hindrances"] for one in held}) == (rule["cases"], {True})


def test_many_are_looked_at_first_decided_once_and_taken_back(approver: Program) -> None:
    wanted = {"trigger": _STEP, "filter": {"lane": "ready"}}
    preview = approver.post("/bulk", wanted).json()
    assert (preview["stage"], preview["counts"], preview["sample"]) == ("preview", {"can": 47}, [])
    every = approver.post("/bulk", {"trigger": _STEP}).json()
    assert every["counts"] == {"can": 47, "look": 5, "cannot": 8}
    assert sum(one["cases"] for one in every["against"]) >= 8
    address = f"/bulk/{preview['id']}"
    numbers = [one["number"] for one in approver.get(f"{address}/rows?outcome=can&limit=200").json()["rows"]]
    assert [_approvals(approver, one) for one in numbers[:3]] == [0, 0, 0], "a preview decides nothing"

    begun = [approver.post(f"{address}/commit", {}, "commit-0001").status_code for _ in range(2)]
    done = _settled(approver, preview["id"])

    assert begun == [202, 202]
    assert (done["stage"], done["counts"], done["failed"]) == ("done", {"moved": 47}, 0)
    assert {_approvals(approver, one) for one in numbers} == {1}
    approver.post(f"{address}/withdrawal", {}, "withdraw-01")
    assert _settled(approver, preview["id"])["counts"] == {"withdrawn": 47}
    assert approver.get("/queue/counts").json()["ready"] == 47


def test_what_somebody_else_decided_meanwhile_is_left_and_can_be_tried_again(site: Site, approver: Program) -> None:
    other = Program(site, evening.SECOND, "read", "decide")
    numbers = [one["number"] for one in approver.get("/queue/todo?lane=ready").json()["cases"]][:2]
    mine, theirs = (one.post("/bulk", {"trigger": _STEP, "cases": numbers}).json()["id"] for one in (approver, other))
    approver.post(f"/bulk/{mine}/commit", {}, "commit-0002")
    assert _settled(approver, mine)["counts"] == {"moved": 2}
    other.post(f"/bulk/{theirs}/commit", {}, "commit-0003")
    assert _settled(other, theirs)["counts"] == {"changed": 2}
    assert approver.get(f"/bulk/{theirs}").status_code == httpx.codes.NOT_FOUND

    assert other.post(f"/bulk/{theirs}/retry", {}).json()["id"] == theirs, "none of them waits any more"
    approver.post(f"/bulk/{mine}/withdrawal", {}, "withdraw-02")
    _settled(approver, mine)
    again = other.post(f"/bulk/{theirs}/retry", {}).json()
    assert (again["stage"], again["counts"]) == ("preview", {"can": 2})


def test_many_are_not_decided_by_a_token_that_nobody_proved(site: Site, approver: Program) -> None:
    printed = Program(site, evening.APPROVER, "read", "decide", is_proved=False)
    ready = approver.get("/queue/todo?lane=ready").json()["cases"]
    run = printed.post("/bulk", {"trigger": _STEP, "filter": {"lane": "ready"}}).json()["id"]
    cases = [{"number": one["number"], "revision": one["revision"]} for one in ready[:2]]
    many = {"trigger": _STEP, "cases": cases}
    refused = [
        printed.post(f"/bulk/{run}/commit", {}, "commit-0004"),
        printed.post("/decisions", {**many, "dry_run": False}, "decide-0001"),
    ]
    assert [one.status_code for one in refused] == [403, 403]
    assert {"接口令牌" in one.json()["title"] for one in refused} == {True}
    assert printed.post("/decisions", many, "decide-0002").status_code == httpx.codes.OK, "a dry run decides nothing"
    one = cases[0]
    single = printed.post(f"/cases/{one['number']}/transitions/{_STEP}", {"revision": one["revision"]}, "decide-0003")
    assert single.json()["moved"], "no page asks again for one case that goes on"


def test_a_proof_is_good_for_thirty_days_and_a_token_to_read_for_longer(site: Site) -> None:
    program = Program(site, evening.APPROVER, "read", days=90)
    assert program.post("/exports/queue", {}).status_code == httpx.codes.OK
    site.watch.pass_by(days=31)
    assert program.get("/queue/counts").status_code == httpx.codes.OK
    assert program.post("/exports/queue", {}).status_code == httpx.codes.FORBIDDEN


def test_a_queue_taken_along_is_whole_and_leaves_an_event_that_names_nobody(site: Site, approver: Program) -> None:
    answer = approver.post("/exports/queue", {"lane": "blocked"})
    rows = list(load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
    [told] = _exported(site)
    assert (len(rows), told["actor"], told["data"]["cases"]) == (9, evening.APPROVER, 8)
    assert not any(str(row[1]) in orjson.dumps(told).decode() for row in rows[1:])

    run = approver.post("/bulk", {"trigger": _STEP}).json()["id"]
    book = load_workbook(BytesIO(approver.post(f"/bulk/{run}/export", {}).content)).worksheets[0]
    assert book.max_row == 61
    assert [one["data"]["trigger"] for one in _exported(site)] == ["export:queue", "export:bulk"]


def test_a_filter_is_kept_under_a_name_once_and_only_its_maker_forgets_it(site: Site, approver: Program) -> None:
    wanted = {"name": "受阻的", "filter": {"lane": "blocked"}, "shared": True}
    kept = [approver.post("/queue/views", wanted, "view-00001").json() for _ in range(2)]
    assert (kept[0], kept[0]["filter"]) == (kept[1], {"lane": "blocked"})
    other = Program(site, evening.SECOND, "read", "decide")
    [seen] = other.get("/queue/views").json()
    assert (seen["id"], seen["is_own"]) == (kept[0]["id"], False)
    drop = f"/queue/views/{seen['id']}/drop"
    assert [one["id"] for one in other.post(drop, {}, "view-00002").json()] == [seen["id"]]
    assert approver.post(drop, {}, "view-00003").json() == []


def test_what_was_done_is_listed_and_a_student_is_found_without_standing_in_an_address(approver: Program) -> None:
    one = approver.get("/queue/todo?lane=ready").json()["cases"][0]
    approver.post(f"/cases/{one['number']}/transitions/{_STEP}", {"revision": one["revision"]}, "decide-0004")
    line = approver.get("/queue/done").json()["lines"][0]
    assert (line["number"], line["may_withdraw"]) == (one["number"], True)
    assert line["waits_for"]
    found = approver.post("/find", {"text": one["student_no"]}).json()
    assert one["number"] in {each["number"] for each in found}
    assert approver.post("/find", {"text": "nobody of this name"}).json() == []


def test_those_who_can_mend_what_holds_a_queue_up_are_reminded_once(approver: Program) -> None:
    rules = [one["rule"] for one in approver.get("/queue/counts").json()["hindrances"]]
    chosen = [approver.post("/nudges", {"about": rule}) for rule in rules]
    one = next(answer.json() for answer in chosen if answer.status_code == httpx.codes.CREATED)
    assert "result" not in one
    assert one["recipients"] >= 1

    sent = [approver.post(f"/nudges/{one['handle']}/send", {}, f"nudge-000{n}").json() for n in range(2)]

    assert sent[0]["result"] == sent[1]["result"] == approver.get(f"/nudges/{one['handle']}").json()["result"]
    assert sum(sent[0]["result"].values()) == one["recipients"]


def test_the_tables_of_a_batch_are_told_as_its_page_has_them(site: Site, approver: Program) -> None:
    table = approver.get(f"/batches/{school.BATCH}/tables/units").json()
    assert table["columns"][:2] == ["代码", "单位"]
    assert evening.SITE in {row[0] for row in table["rows"]}
    book = approver.get(f"/batches/{school.BATCH}/tables/units.xlsx")
    rows = list(load_workbook(BytesIO(book.content)).worksheets[0].iter_rows(values_only=True))
    assert [list(row)[:3] for row in rows[1:]] == [row[:3] for row in table["rows"]]
    counted = approver.get(f"/batches/{school.BATCH}/cases").json()
    assert counted["total"] >= len(counted["cases"]) > 0
    assert approver.get(f"/batches/{school.BATCH}/tables/units?unit=511610101").status_code == httpx.codes.NOT_FOUND
    assert _exported(site) == [], "it counts and names nobody"


_NOWHERE = "none-such"


@pytest.mark.parametrize("wanted", [{"unit": _NOWHERE}, {"due": "2024-06-31"}])
def test_a_filter_that_cannot_be_meant_is_refused_and_never_left_out(approver: Program, wanted: dict[str, str]) -> None:
    [(name, value)] = wanted.items()
    answers = [
        approver.get(f"/queue/todo?{name}={value}"),
        approver.get(f"/queue/counts?{name}={value}"),
        approver.post("/bulk", {"trigger": _STEP, "filter": wanted}),
        approver.post("/nudges", {"about": "electronic-photo", "filter": wanted}),
        approver.post("/exports/queue", wanted),
        approver.post("/queue/views", {"name": "x", "filter": wanted}, "view-00009"),
    ]
    assert [one.status_code for one in answers] == [422] * 6


def test_a_day_of_the_calendar_is_a_filter(approver: Program) -> None:
    assert approver.get("/queue/counts?due=2024-05-15").json()["total"] <= 60
    assert approver.get("/queue/counts?due=").json()["total"] == 60


def test_a_caution_as_a_case_names_it_finds_that_case_again(approver: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    one = next(one for one in approver.get("/queue/todo?caution=corrected").json()["cases"])
    caution = next(each for each in one["cautions"] if each.startswith("corrected."))

    def found() -> set[str]:
        return {each["number"] for each in approver.get(f"/queue/todo?caution={caution}").json()["cases"]}

    short = found()
    monkeypatch.setattr(waiting, "SHORT", 10)
    assert one["number"] in short
    assert found() == short


def test_of_each_hindrance_it_is_told_how_many_cases_only_that_holds_up(approver: Program) -> None:
    run = approver.post("/bulk", {"trigger": _STEP}).json()
    rows = approver.get(f"/bulk/{run['id']}/rows?outcome=cannot&limit=200").json()["rows"]
    alone = [row["rules"][0] for row in rows if len(row["rules"]) == 1]
    assert {one["rule"]: one["sole"] for one in run["against"]} == {
        one["rule"]: alone.count(one["rule"]) for one in run["against"]
    }
    assert alone


def test_a_queue_of_several_workflows_is_previewed_for_a_step_of_one_of_them(site: Site) -> None:
    head = Program(site, school.HEAD, "read", "decide")
    kinds = [one["workflow"] for one in head.get("/queue/todo").json()["cases"]]
    lists = head.get("/queue/todo?wf=graduation-eligibility-review.site_list").json()["cases"]
    assert (kinds[0], bool(lists)) == ("diploma-registration", True)
    answer = head.post("/bulk", {"trigger": "accept"})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    assert answer.json()["counts"]["cannot"] >= 50


def test_many_cases_are_read_together_however_many_they_are(narrow_site: Site) -> None:
    program = Program(narrow_site, evening.APPROVER, "read", "decide")
    every = program.get("/queue/todo?lane=ready").json()["cases"]

    def statements(many: int) -> list[int]:
        numbers = [one["number"] for one in every[:many]]
        named = [{"number": one["number"], "revision": one["revision"]} for one in every[:many]]
        found = []
        for path, body in (("/bulk", {"cases": numbers}), ("/decisions", {"cases": named})):
            with narrow_site.counted() as told:
                assert program.post(path, {"trigger": _STEP, **body}, "count-0001").is_success
            found.append(sum(one.lstrip().startswith("SELECT") for one in told))
        return found

    statements(1)
    assert statements(40) == statements(10)
