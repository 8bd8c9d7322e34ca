"""A running `xueji work` says mails in the words that two persons have just approved; a broken one stops no mail."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from console.clock import machine_now
from engine.expressions.kinds import SHANGHAI
from engine.store.proposals import digest_of
from tests.console.counter import Counter
from tests.console.test_reminding import MORNING, connection_to, letters, reminded_counter  # noqa: F401 a fixture

PATIENCE = 60.0
"""Seconds: a process is started, and sends every five."""
SAYS = "approaching/says.txt"
WRITTEN = "{{ matter.zh }}快到期了，请到行政楼 102。\n{{ matter.en }} is due soon; please come to room 102.\n"
INSTALLED = "请在期限前办理"


class Process:
    """A `xueji work`, and the clock it goes by."""

    def __init__(self, office: Counter) -> None:
        self.office = office
        self.shift, self.log = office.folder / "shift", office.folder / "work.log"
        self.set_to("2024-05-06T09:06")

    def set_to(self, moment: str) -> None:
        at = datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI)
        new = self.shift.with_suffix(".new")
        new.write_text(str((at - machine_now()).total_seconds()), "ascii")
        new.replace(self.shift)

    def said(self) -> str:
        return self.log.read_text("utf-8")

    @contextmanager
    def running(self) -> Iterator["Process"]:
        told = (f"XUEJI_CLOCK={self.shift}", "XUEJI_LEASE_SECONDS=5")
        command = ["env", *told, sys.executable, "-m", "console", "--database", self.office.url, "work"]
        with self.log.open("wb") as written, subprocess.Popen(command, stderr=written) as process:
            try:
                until(lambda: "leading" in self.said())
                yield self
                process.terminate()
                assert process.wait(PATIENCE) == 0
            finally:
                process.kill()


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def office(reminded_counter: Counter, tmp_path: Path) -> Counter:  # noqa: F811 the fixture
    """A reminder waits for ten past nine; two system administrators are there."""
    here = reminded_counter.copied(tmp_path)
    for login in ("ma", "lu"):
        here.done("user", "add", login, "--role", "system_admin", "--unit", "SX")
    here.xueji("remind", "run", now=MORNING)
    assert letters(here) == []
    return here


def publish(office: Counter, text: str) -> None:
    """As two persons do, at the keyboard."""
    file = office.folder / SAYS
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    at = "2024-05-06T09:07"
    for words in (
        ("propose", str(file), "--as", "ma", "--reason", "按学籍科要求改措辞"),
        ("approve", "1", "--as", "lu"),
    ):
        result = office.xueji("definition", *words, now=at)
        assert result.exit_code == 0, result.output


def text_of_the_one_letter(office: Counter) -> str:
    [letter] = letters(office)
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_what_was_approved_is_said_by_the_next_mail_of_a_process_that_runs(office: Counter) -> None:
    with Process(office).running() as process:
        publish(office, WRITTEN)
        process.set_to("2024-05-06T09:20")
        until(lambda: bool(letters(office)))

    assert "快到期了，请到行政楼 102。" in text_of_the_one_letter(office)
    assert process.said().count("event=working") == 1, "it was not restarted, nor were definitions read again"
    shown = office.xueji("messages", "show", "approaching", now="2024-05-06T09:20")
    assert "快到期了，请到行政楼 102。" in shown.stdout


@pytest.mark.parametrize("harm", ["a word that is gone", "another text than was approved"])
def test_a_template_that_cannot_be_used_is_named_and_the_mail_leaves_as_it_is_installed(
    office: Counter, harm: str
) -> None:
    publish(office, WRITTEN)
    broken = WRITTEN.replace("matter.zh", "subject_matter")
    digest = digest_of(broken if harm == "a word that is gone" else WRITTEN)
    connection = connection_to(office)
    connection.execute("UPDATE proposal SET body = ?, sha256 = ?", (broken, digest))
    connection.close()

    with Process(office).running() as process:
        process.set_to("2024-05-06T09:20")
        until(lambda: bool(letters(office)))

    said = text_of_the_one_letter(office)
    assert "行政楼" not in said
    assert "缴清学费" in said
    assert f"template {SAYS} cannot be used, the installed one is" in process.said()
    status = office.xueji("work", "--status", now="2024-05-06T09:21")
    assert (status.exit_code, SAYS in status.stdout) == (1, True)
    checked = office.xueji("messages", "check", now="2024-05-06T09:21")
    assert (checked.exit_code, SAYS in checked.stdout) == (1, True)
