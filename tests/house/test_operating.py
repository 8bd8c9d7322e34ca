"""What an administrator is told of settings and services is what there is."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from console.durable import put
from console.post import post_of
from console.settings import Settings
from tests.house.source import ROOT

OPERATING = (ROOT / "docs" / "operating.md").read_text("utf-8")
EXAMPLE = ROOT / "deploy" / "xueji.env.example"
_ROW = re.compile(r"^\| `(XUEJI_\w+)` \|", re.MULTILINE)
_SET = re.compile(r"^#?(XUEJI_\w+)=(.*)$", re.MULTILINE)
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


def _settings() -> set[str]:
    return {str(one.alias or f"XUEJI_{name.upper()}") for name, one in Settings.model_fields.items()}


def test_every_setting_there_is_has_its_line_in_the_guide_and_every_line_is_of_one() -> None:
    told = _ROW.findall(OPERATING.partition("\n## Settings\n")[2])

    assert sorted(told) == sorted(_settings())


def test_the_example_of_an_environment_names_only_settings_and_paths_of_the_guide() -> None:
    given = dict(_SET.findall(EXAMPLE.read_text("utf-8")))

    assert given.keys() <= _settings()
    folders = {"/var/lib/xueji", "/etc/xueji", "/var/backups/xueji"}
    named = [value for value in given.values() if value.startswith("/")]
    assert [one for one in named if not any(one == each or one.startswith(f"{each}/") for each in folders)] == []


def test_the_example_is_read_by_a_shell_and_says_the_same_as_it_says_to_a_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = EXAMPLE.read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    plain = dict(line.partition("=")[::2] for line in lines)
    shell = subprocess.run(
        ["/bin/sh", "-c", f"set -a; . {EXAMPLE}; env"], capture_output=True, text=True, check=True, env={}
    ).stdout
    sourced = dict(line.partition("=")[::2] for line in shell.splitlines())

    assert {name: sourced[name] for name in plain} == plain
    for name, value in plain.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert str(post_of(settings).way) == "/var/lib/xueji/mail"
    assert str(settings.checkpoint_file) == "/var/lib/xueji/public/checkpoint"


def test_the_example_leaves_no_path_to_the_folder_a_command_is_called_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _SET.findall(EXAMPLE.read_text("utf-8")):
        monkeypatch.setenv(name, value)
    settings = Settings()

    paths = [one for one in settings.model_dump().values() if isinstance(one, Path)]
    made_up = [settings.key_file, settings.seal_key_file, settings.checkpoint_file, settings.memory_folder]
    assert [one for one in [*paths, *made_up] if not one.is_absolute()] == []


def test_a_command_of_the_machine_works_in_the_folder_it_is_called_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    words = (ROOT / "deploy" / "xueji").read_text("utf-8")
    xueji, here = tmp_path / "xueji", tmp_path / "here"
    (tmp_path / "bin").mkdir()
    here.mkdir()
    (here / "list.xlsx").write_text("six students")
    (tmp_path / "bin" / "id").write_text("#!/bin/sh\necho xueji\n")
    (tmp_path / "bin" / "id").chmod(0o755)
    shutil.copy(shutil.which("cat") or "/bin/cat", xueji)  # what is done with a file is not asked here
    script = words.replace("/etc/xueji/xueji.env", str(EXAMPLE)).replace("/srv/xueji/.venv/bin/xueji", str(xueji))

    said = subprocess.run(
        ["/bin/sh", "-c", script, "xueji", "./list.xlsx"], capture_output=True, text=True, check=False, cwd=here
    )

    assert (said.stdout, said.stderr) == ("six students", "")


def test_the_guide_makes_every_folder_that_a_service_needs_and_does_not_make_itself() -> None:
    made = set(re.findall(r"(/var/\S+)", "\n".join(re.findall(r"install -d .*", OPERATING))))
    needed = {
        path.lstrip("-")
        for unit in UNITS
        for line in re.findall(
            r"^(?:ReadWritePaths|AssertPathIsDirectory)=(.*)$", unit.read_text("utf-8"), re.MULTILINE
        )
        for path in line.split()
    }

    assert needed <= made


def test_what_everybody_is_to_read_is_readable_however_closely_the_service_is_kept(tmp_path) -> None:
    before = os.umask(0o077)
    try:
        put(tmp_path / "checkpoint", "head")
        put(tmp_path / "own", "secret", 0o600)
    finally:
        os.umask(before)

    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("checkpoint", "own")] == [0o644, 0o600]


@pytest.mark.parametrize("unit", ["xueji-serve.service", "xueji-work.service"])
def test_a_service_lets_the_web_server_pass_to_the_checkpoint_and_keeps_all_else_to_itself(unit: str) -> None:
    text = (ROOT / "deploy" / "systemd" / unit).read_text("utf-8")

    assert "StateDirectory=xueji xueji/public\n" in text
    assert "StateDirectoryMode=0711\n" in text
    assert "UMask=0077\n" in text
