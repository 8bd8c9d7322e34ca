"""The demonstration tells the whole story, its totals add up, and what it says to try next works as printed."""

import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console import wiring
from console.calling import Misuse
from console.commands import app
from console.demo import story
from console.demo.cast import FEWEST_STUDENTS, gather, mended, mended_by, with_two_slips
from console.demo.sheets import Files
from console.settings import Settings
from engine.replay import replay_range
from engine.store.cases import records_under
from engine.store.trail import spans

STUDENTS = 60
SEED = 7
WIDTH = 100
PROGRAM = f"{sys.executable} -m console"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Told:
    """One telling: what it printed, and what it left."""

    files: Files
    lines: list[str]

    @property
    def commands(self) -> list[str]:
        """The lines printed below a comment that says what they show."""
        return [line for before, line in zip(self.lines, self.lines[1:], strict=False) if before.startswith("# ")]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Told:
    """The command as a person types it, at 100 columns."""
    folder = tmp_path_factory.mktemp("told") / "demo"
    typed = f"{PROGRAM} demo --students {STUDENTS} --seed {SEED} --into {folder}"
    done = run(typed)
    assert (done.returncode, done.stderr) == (0, "")
    return Told(files=Files(into=folder), lines=done.stdout.splitlines())


def run(command: str) -> subprocess.CompletedProcess[str]:
    in_the_office = ["env", f"COLUMNS={WIDTH}", *shlex.split(command)]
    return subprocess.run(in_the_office, cwd=ROOT, capture_output=True, text=True, check=False)


def total_lines(lines: list[str]) -> list[str]:
    """The table of states at the end."""
    first, last = (next(n for n, line in enumerate(lines) if word in line) for word in ("全部学籍", "重放全部事件"))
    return [line for line in lines[first:last] if re.search(r"\d+\s*$", line)]


def states(files: Files) -> Counter[str]:
    with wiring.office(Settings(database=files.url)) as office:
        return Counter(one.case.state for one in records_under(office.desk.connection))


def test_everybody_is_registered_refused_or_waiting_for_another_person(told):
    counts = states(told.files)

    assert counts.total() == STUDENTS
    assert set(counts) == {"enrolled", "applied", "registered"}
    assert counts["applied"] == 1
    assert any(f"通过 moved {counts['registered']}，未通过 refused 0" in line for line in told.lines)
    assert any(f"未通过 refused {counts['enrolled']}" in line for line in told.lines)


def test_the_trail_it_leaves_replays_without_a_difference(told):
    with wiring.office(Settings(database=told.files.url)) as office:
        connection = office.desk.connection
        parts = [replay_range(connection, office.log, office.key, span) for span in spans(connection, 1)]

    cases, events = (sum(counts) for counts in zip(*((part.cases, part.events) for part in parts), strict=True))
    assert cases > STUDENTS
    assert [one for part in parts for one in part.diverged] == []
    assert any(f"{cases:,} 件 cases，{events:,} 个事件 events" in line for line in told.lines)


def in_table(lines: list[str], title: str) -> dict[str, list[int]]:
    """The numbers of a printed table, by the words before them."""
    first = next(n for n, line in enumerate(lines) if line.startswith(title))
    found = {}
    ruled = next(n for n, line in enumerate(lines) if n > first and line.startswith("──"))
    for line in lines[ruled + 1 :]:
        if not line.strip():
            break
        numbers = re.search(r"(?:\s+\d+)+\s*$", line)
        assert numbers is not None, line
        found[line[: numbers.start()].strip()] = [int(number) for number in numbers[0].split()]
    return found


def test_the_reminders_it_counts_are_those_in_the_database_and_every_day_has_had_its_morning(told):
    counted = in_table(told.lines, "提醒 · 按期限")

    assert set(counted) >= {"提前7天 7 days before", "当日 on the day", "逾期 overdue", "上报 escalated", "合计 all"}
    assert [sum(column) for column in zip(*list(counted.values())[:-1], strict=True)] == counted["合计 all"]
    with wiring.office(Settings(database=told.files.url)) as office:
        sql = "SELECT count(*) FROM outbox WHERE rung IS NOT NULL"
        assert office.desk.connection.execute(sql).fetchall() == [(counted["合计 all"][-1],)]
    assert any("36 个早晨 mornings" in line for line in told.lines)


def test_what_students_put_right_they_put_right_after_being_told(told):
    mended = in_table(told.lines, "提醒后补正")

    assert mended
    assert all("未提醒" not in words for words in mended)
    assert all(sum(numbers[:-1]) == numbers[-1] > 0 for numbers in mended.values())


def test_every_mail_it_sent_is_a_file_that_says_it_is_a_rehearsal(told):
    files = list(told.files.mail.glob("*.eml"))
    letters = [BytesParser(EmailMessage, policy=policy.default).parsebytes(file.read_bytes()) for file in files]

    assert any(f"发出邮件 mails sent {len(files):,}" in line for line in told.lines)
    assert all(letter["Subject"].startswith("【演练】") for letter in letters)
    assert all(letter["To"].addresses[0].domain.endswith("xueji.invalid") for letter in letters)
    assert len({letter["Message-ID"] for letter in letters}) == len(files)


@pytest.mark.parametrize(
    "says",
    [
        pytest.param("演练 REHEARSAL", id="that it is a rehearsal"),
        pytest.param("the check digit is wrong", id="which cell of a sheet is wrong"),
        pytest.param("新建 opened 0，变更 changed 0", id="that the same sheet again changes nothing"),
        pytest.param("✗ G-GR-07", id="the rule that fails"),
        pytest.param("? G-GR-04", id="the rule that lacks a value"),
        pytest.param("依据 source：S000-2.6", id="the clause it comes from"),
        pytest.param("已被他人办理，请刷新后再试", id="that somebody was faster"),
        pytest.param("✗ G-SG-08", id="that nobody approves what they filed"),
        pytest.param("登记表照片不清晰", id="why an application was returned"),
        pytest.param("不一致 diverged 0", id="that the trail adds up"),
    ],
)
def test_the_story_says(told, says):
    assert any(says in line for line in told.lines)


def test_what_it_says_to_try_next_works_as_printed(told):
    first, *others, serving = told.commands
    assert run(first).returncode == 0  # as a person types it; the others without starting Python anew
    outcomes = [(command, CliRunner().invoke(app, shlex.split(command.removeprefix(PROGRAM)))) for command in others]

    assert len(outcomes) == 5
    assert all(command.startswith(PROGRAM) for command in told.commands)
    assert [(command, done.output) for command, done in outcomes if done.exit_code] == []
    assert serving.endswith("evening.db --now 2024-05-15T17:31 serve"), "which does not end: tests/web opens it"
    assert states(told.files)["applied"] == 0


def test_the_same_seed_gives_the_same_totals_and_a_second_telling_starts_afresh(told, tmp_path, capsys):
    shutil.copytree(told.files.into, tmp_path, dirs_exist_ok=True)

    assert story.run(students=STUDENTS, seed=SEED, into=tmp_path) == 0

    again = total_lines(capsys.readouterr().out.splitlines())
    assert [line.split() for line in again] == [line.split() for line in total_lines(told.lines)]
    assert len(again) == 4


def test_sheets_that_may_be_somebodys_own_are_left_alone(tmp_path):
    own = Files(into=tmp_path).roster
    own.write_text("mine")

    with pytest.raises(Misuse, match="they may be yours"):
        story.run(students=STUDENTS, seed=SEED, into=tmp_path)

    assert own.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [own]


@pytest.mark.parametrize("rehearsal", [pytest.param(True, id="rehearsal"), pytest.param(False, id="live")])
def test_only_a_rehearsal_database_is_ever_replaced(tmp_path, rehearsal):
    files = Files(into=tmp_path)
    wiring.create(Settings(database=files.url), rehearsal=rehearsal, profile=None)

    assert files.are_somebody_elses() is not rehearsal


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    files = Files(into=tmp_path)
    files.database.write_text("letters, not pages " * 100)

    assert files.are_somebody_elses()


def test_starting_afresh_removes_what_the_demonstration_made_and_nothing_else(tmp_path):
    files = Files(into=tmp_path)
    notes = tmp_path / "notes.txt"
    files.mail.mkdir()
    beside = [tmp_path / "demo.db.key", tmp_path / "demo.db-wal", files.mail / "1.single.1@xueji.eml"]
    for path in (*files.sheets, files.database, *beside, notes):
        path.touch()

    files.start_afresh()

    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {notes}


def test_too_few_students_for_the_story_are_refused_before_anything_is_written(tmp_path):
    into = tmp_path / "demo"

    with pytest.raises(Misuse, match=f"at least {FEWEST_STUDENTS} students, not 5"):
        story.run(students=5, seed=SEED, into=into)

    assert not into.exists()


@pytest.mark.parametrize("seed", range(40))
def test_every_seed_has_its_four_students_whose_stories_are_told(seed):
    cast = gather(FEWEST_STUDENTS, seed)
    sites = {one.student_no: one.roster["site_code"] for one in cast.students}

    assert len({cast.debtor, cast.several, cast.late, cast.contested}) == 4
    assert sites[cast.late] == sites[cast.contested] == cast.short_staffed


def test_the_debtor_pays_and_the_one_with_several_troubles_mends_none():
    cast = gather(STUDENTS, SEED)
    rows = {row["student_no"]: row for row in mended(cast)}

    assert rows[cast.debtor]["fee_owed"] == "0.00"
    assert cast.several not in rows


def test_what_is_mended_grows_with_every_reminder_until_it_is_all():
    cast = gather(300, SEED)
    parts = [{row["student_no"] for row in mended_by(cast, part)} for part in range(4)]

    assert parts[0] == set()
    assert parts[1] < parts[2] < parts[3] == {row["student_no"] for row in mended(cast)}


def test_the_roster_first_handed_in_has_two_slips():
    cast = gather(STUDENTS, SEED)
    sound = {one.student_no: one.roster for one in cast.students}

    slips = [key for row in with_two_slips(cast) for key in row if row[key] != sound[row["student_no"]][key]]

    assert slips == ["id_number", "level"]
