"""What rules refuse when a file is confirmed stays in the chains; what is taken in at the keyboard, the page finds."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
from typer.testing import CliRunner, Result

from console.commands import app
from console.demo import evening, school
from engine.expressions.kinds import SHANGHAI
from engine.store.students import by_numbers
from exchange.invented import invent_students
from exchange.rosters import ROSTER_COLUMNS
from exchange.templates import write_sheet
from tests.web.conftest import Person, Site
from tests.web.test_api import Program
from tests.web.test_imports import FACTS, checked, owed, plain, settled, sheet
from tests.web.test_imports_of_packages import FINAL, PROVINCIAL, certify, facts_of, results, states


def take_in(person: Person, kind: str, body: bytes) -> None:
    """A sheet that goes in at once."""
    address, page = checked(person, kind, body)
    person.post(f"{address}/commit", {})
    assert "已导入" in settled(person, address), page


def refusals(site: Site, number: str) -> list[tuple[str, list[str]]]:
    """What the chains of a student and of the record say was refused: source or step, and the rules."""
    with site.house.desks.borrowed() as office:
        connection = office.desk.connection
        row = by_numbers(connection, [number])[number]
        bodies = connection.execute(
            "SELECT body FROM event WHERE chain IN (?, ?) ORDER BY chain, seq", (-row.id, row.record)
        ).fetchall()
    said = [event for (body,) in bodies if (event := orjson.loads(bytes(body)))["kind"] == "refused"]
    return [(one["data"].get("source") or one["data"]["trigger"], one["data"]["failed"]) for one in said]


def test_a_roster_refused_when_it_is_confirmed_stands_in_the_chain_of_the_student_it_is_about(
    site: Site, tmp_path: Path
):
    person = site.signed_in(school.HEAD)
    here, there = school.SITES[0], school.SITES[-1]
    row = invent_students(1, 77, [here])[0].roster
    elsewhere = {**row, "site_code": there.code, "site": there.name, "branch_code": there.branch_code,
                 "branch": there.branch}  # fmt: skip
    sheets = []
    for name, one in (("here", row), ("there", elsewhere)):
        write_sheet(tmp_path / f"{name}.xlsx", ROSTER_COLUMNS, [one])
        sheets.append(checked(person, "/imports/new/roster", (tmp_path / f"{name}.xlsx").read_bytes()))
    (first, page), (second, _) = sheets
    assert "将为 1 人建立学籍" in page
    person.post(f"{second}/commit", {})
    assert "建立学籍 1 人" in settled(person, second)
    number = str(row["student_no"])
    assert refusals(site, number) == [], "a look at what would be is no refusal"

    person.post(f"{first}/commit", {})
    assert "1 名学生不符合规则，整份不导入" in settled(person, first)
    assert [source for source, _ in refusals(site, number)] == ["roster"]


def test_facts_and_results_refused_when_they_are_confirmed_stand_in_the_chains_they_are_about(
    site: Site, tmp_path: Path
):
    head, auditing = site.signed_in(school.HEAD), site.signed_in(school.AUDITING)
    with site.house.desks.borrowed() as office:
        [[number]] = office.desk.connection.execute(
            "SELECT s.student_no FROM student s JOIN cases c ON c.id = s.record WHERE c.state = 'branch_approved'"
            " ORDER BY s.student_no LIMIT 1"
        ).fetchall()
    passed = results((number, "通过", ""))
    certify(site, tmp_path, number)
    take_in(auditing, PROVINCIAL, passed)
    final, page = checked(auditing, FINAL, passed)
    assert "将记录通过 1 人" in page
    take_in(head, FACTS, sheet(tmp_path, [{"student_no": number, "electronic_photo": "否"}]))
    auditing.post(f"{final}/commit", {})
    assert "1 名学生不符合规则，整份不导入" in settled(auditing, final)
    assert refusals(site, number) == [("register", ["G-GR-19c"])]
    assert states(site, number) == ["provincially_audited"]

    take_in(head, FACTS, sheet(tmp_path, [{"student_no": number, "electronic_photo": "是"}]))
    later, page = checked(head, FACTS, sheet(tmp_path, [{"student_no": number, "file_reviewed": "否"}]))
    assert "将改动 1 人" in page
    take_in(auditing, FINAL, passed)
    head.post(f"{later}/commit", {})
    assert "1 名学生不符合规则，整份不导入" in settled(head, later)
    assert [source for source, _ in refusals(site, number)] == ["facts", "register"]
    assert facts_of(site, "file_reviewed")[number] is True, "an archived file stays as it is (S000-3.8c)"


# --- at the keyboard ----------------------------------------------------------------------------------


def test_an_import_at_the_keyboard_is_numbered_with_those_of_the_page_and_found_there(site: Site, tmp_path: Path):
    person = site.signed_in(school.AUDITING)
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(
            "SELECT s.student_no FROM student s JOIN cases c ON c.id = s.record WHERE c.state = 'branch_approved'"
            " ORDER BY s.student_no LIMIT 2"
        ).fetchall()
    one, two = (str(number) for (number,) in rows)
    take_in(person, PROVINCIAL, results((one, "通过", "")))
    (tmp_path / "结果.xlsx").write_bytes(results((one, "通过", ""), (two, "未通过", "学分不足")))
    words = ["import", "provincial-results", str(tmp_path / "结果.xlsx"), "--as", school.AUDITING]

    previewed = xueji(site, *words, "--dry-run", "--json")
    assert (previewed.exit_code, states(site, two)) == (0, ["branch_approved"])
    told = orjson.loads(previewed.stdout)
    assert (told["passed"], told["failed"], told["unchanged"], told["number"]) == (0, 1, 1, None)
    done = xueji(site, *words)
    assert done.exit_code == 0, done.output
    assert "未通过 1 failed" in done.stdout
    assert "批号 number 0515-02" in done.stdout
    assert states(site, one, two) == ["provincially_audited", "enrolled"]

    found = plain(person.get("/files?find=0515-02").text)
    assert "结果.xlsx" in found, "the page finds it by its number"
    again = xueji(site, *words)
    assert (again.exit_code, "没有任何变动" in again.stdout) == (0, True)
    assert "何正平" in again.stderr, "who took the same file in"
    refused = xueji(site, "import", "final-results", str(tmp_path / "结果.xlsx"), "--as", school.AUDITING, "--json")
    assert refused.exit_code == 1
    assert [fault["row"] for fault in orjson.loads(refused.stdout)["faults"]] == [3], "the first has passed already"


def test_a_sheet_taken_in_at_the_keyboard_in_nobodys_name_is_found_by_its_number_by_who_keeps_all_records(
    site: Site, tmp_path: Path
):
    numbers = sorted(owed(site))[:2]
    for name, amount, words in (("缴费.xlsx", "11.00", []), ("补缴.xlsx", "12.00", ["--as", school.HEAD])):
        (tmp_path / name).write_bytes(sheet(tmp_path, [{"student_no": one, "fee_owed": amount} for one in numbers]))
        done = xueji(site, "import", "facts", str(tmp_path / name), *words)
        assert done.exit_code == 0, done.output
        assert "批号 number 0515-0" in done.stdout
    head, approver = site.signed_in(school.HEAD), site.signed_in(evening.APPROVER)

    found = head.get("/files?find=0515-01").text
    assert "缴费.xlsx 命令行" in plain(found)
    assert "补缴.xlsx" in plain(head.get("/files?find=0515-02").text)
    [address] = re.findall(r'href="(/imports/[^"/]+)"[^>]*>缴费', found)
    assert "改动 2 人" in plain(head.get(address).text)
    assert "批号 0515-01" in plain(head.get(address).text)
    assert approver.get(address).status_code == 404
    assert "缴费.xlsx" not in approver.get("/files").text
    head.post(f"{address}/drop", {})
    assert head.get(address).status_code == 200, "what was taken in is not forgotten"


def test_a_program_finds_what_was_taken_in_at_the_keyboard_where_its_person_finds_it(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "缴费.xlsx").write_bytes(sheet(tmp_path, [{"student_no": min(owed(site)), "fee_owed": "11.00"}]))
    assert xueji(site, "import", "facts", str(tmp_path / "缴费.xlsx")).exit_code == 0
    head, other = (Program(site, login, "import") for login in (school.HEAD, evening.OPERATOR))

    [listed] = head.get("/imports").json()["runs"]
    assert (listed["name"], listed["number"]) == ("缴费.xlsx", "0515-01")
    for part in ("", "/faults", "/cases"):
        assert head.get(f"/imports/{listed['id']}{part}").status_code == 200
        assert other.get(f"/imports/{listed['id']}{part}").status_code == 404
    assert other.get("/imports").json()["runs"] == []
    assert head.post(f"/imports/{listed['id']}/drop", {}, "drop-00001").status_code == 409, "it was taken in"


def test_of_a_sheet_that_was_taken_in_at_the_keyboard_the_page_says_from_the_command_line(
    site: Site, tmp_path: Path
) -> None:
    number = min(owed(site))
    first, second = (sheet(tmp_path, [{"student_no": number, "fee_owed": fee}]) for fee in ("11.00", "12.00"))
    for name, body in (("缴费.xlsx", first), ("补缴.xlsx", second)):
        (tmp_path / name).write_bytes(body)
        assert xueji(site, "import", "facts", str(tmp_path / name)).exit_code == 0
    head = site.signed_in(school.HEAD)

    again, page = checked(head, FACTS, second)
    assert "已从命令行导入，没有改动任何数据" in page
    _, since = checked(head, FACTS, first)
    assert "已从命令行导入过；此后又有改动" in since
    head.post("/me/language", {"lang": "en"})
    assert "from the command line; nothing was changed" in plain(head.get(again).text)


def xueji(site: Site, *words: str) -> Result:
    """Run one command on the house's database, at its time."""
    now = site.watch.at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
    return CliRunner().invoke(app, ["--database", site.house.settings.database, "--now", now, *words])
