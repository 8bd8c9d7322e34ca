"""Who has a channel is read from a file nobody else may read; nothing of an address is repeated."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.channel_file import ChannelsRefused, channels_in
from console.post import UnusableSettings, post_of
from console.rounds import mailer_for
from console.settings import Settings
from notifications.channels import ChannelMailer
from notifications.mailers import FileMailer
from tests.faults.channel_server import SECRET

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise's PGP

Write = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Write a file of channels that nobody else may read."""

    def write(text: str) -> Path:
        file = tmp_path / "channels.yaml"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return file

    return write


def faults_of(file: Path) -> str:
    with pytest.raises(ChannelsRefused) as caught:
        channels_in(file)
    assert SECRET not in str(caught.value)
    return str(caught.value)


# --- the file --------------------------------------------------------------------------------------


def test_people_stand_by_login_and_students_without_an_account_by_their_number(written: Write):
    file = written(f"wang.li: wecombot://{SECRET}\n'20240001': json://a/{SECRET}\nstudent/k7q2m4xa: json://b\n")

    assert channels_in(file) == {
        "person/wang.li": f"wecombot://{SECRET}",
        "person/20240001": f"json://a/{SECRET}",
        "student/K7Q2M4XA": "json://b",
    }


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_that_others_may_read_is_refused_with_what_to_do(written: Write, mode: int):
    file = written(f"wang.li: wecombot://{SECRET}\n")
    file.chmod(mode)

    said = faults_of(file)

    assert f"chmod 600 {file}" in said
    assert "others may read it" in said


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_credential_of_systemd_is_anothers_file_that_seems_to_be_its_groups_too(written: Write):
    file = written("wang.li: json://a\n")
    os.chown(file, 12345, 12345)

    file.chmod(0o440)
    assert channels_in(file) == {"person/wang.li": "json://a"}
    file.chmod(0o444)
    assert "chmod" in faults_of(file)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (f"wang.li: {SECRET}", 1, "Apprise"),
        (f"li: json://a\nwang.li: wecombott://{SECRET}", 2, "Did you mean 'wecombot'?"),
        (f"li: json://a\nwang.li: json://a/{SECRET}?retry=1", 2, "retry"),
        (f"li: json://a\nli: json://a/{SECRET}", 2, "twice"),
        (f"student/K7Q2M4XA: json://a\nstudent/k7q2m4xa: json://a/{SECRET}", 2, "already as 'student/K7Q2M4XA'"),
        (f"student/123: json://a/{SECRET}", 1, "student/NUMBER"),
        (f"person/li: json://a/{SECRET}", 1, "student/NUMBER"),
        (f"wecombot://{SECRET}: li", 1, "student/NUMBER"),
        (f"wecombot://{SECRET}:", 1, "YAML"),
        (f"li: &{SECRET} a", 1, "YAML"),
        (f"li: *{SECRET}", 1, "YAML"),
        (f"li: [json://a/{SECRET}]", 1, "an address is expected"),
        ("li: 123456", 1, "an address is expected"),
    ],
)
def test_whatever_is_wrong_in_it_is_named_by_its_line_and_no_address_is_repeated(
    written: Write, text: str, line: int, says: str
):
    file = written(f"{text}\n")

    said = faults_of(file)

    assert f"{file}:{line}: " in said
    assert says in said


def test_all_that_is_wrong_is_said_at_once(written: Write):
    file = written(f"a/b: json://a\nli: {SECRET}\nwang: 1\n")

    assert [fault.split(": ")[0].rpartition(":")[2] for fault in faults_of(file).splitlines()] == ["1", "2", "3"]


@pytest.mark.parametrize("text", ["- json://a\n", "json://a\n"])
def test_what_is_no_list_of_people_is_answered_with_what_one_looks_like(written: Write, text: str):
    assert "LOGIN: ADDRESS" in faults_of(written(text))


def test_a_file_that_is_not_there_or_no_text_is_named(written: Write, tmp_path: Path):
    broken = written("")
    broken.write_bytes(b"\xff\xfe")

    assert f"{tmp_path / 'none'} " in faults_of(tmp_path / "none")
    assert "UTF-8" in faults_of(broken)


def test_a_missing_library_is_said_with_the_extra_to_install(written: Write, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.delitem(sys.modules, "notifications.channels")

    said = faults_of(written("li: json://a\n"))

    assert "the extra 'channels' (Apprise), which is not installed" in said
    assert "requirements/channels.txt" in said


# --- the setting -----------------------------------------------------------------------------------


def settings(file: Path | None, **said: object) -> Settings:
    return Settings.model_validate({"database": "sqlite:///xueji.db", "channels": file, **said})


def test_nobody_has_a_channel_unless_a_file_says_so_and_then_apprise_is_not_even_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    post = post_of(settings(None))

    assert not post.reach
    assert isinstance(mailer_for(post), FileMailer)


def test_with_a_file_what_goes_to_channels_is_told_there(written: Write):
    assert isinstance(mailer_for(post_of(settings(written("li: json://a\n")))), ChannelMailer)


def test_a_faulty_file_is_named_beside_every_other_fault(written: Write):
    with pytest.raises(UnusableSettings) as caught:
        post_of(settings(written(f"li: {SECRET}\n"), url="here"))

    assert sorted(fault.split("：")[0] for fault in caught.value.faults) == ["XUEJI_CHANNELS", "XUEJI_URL"]
