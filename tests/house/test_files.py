"""What is committed works on any machine and gives nobody's address away."""

import re
import subprocess

import pytest

from tests.house.source import ROOT, committed

TELLS_A_REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.|npmjs\.(?:org|com)|deb\.debian|--(?:extra-)?index-url\s+\S+:|find-links\s+\S"
)
TELLS_A_MACHINE = re.compile(r"(?<![\w.])/(?:root|opt|home/\w+)/|(?<![\w.])/work/(?:main|shared|\.)")
LOCKS_WITH_ADDRESSES = re.compile(r"uv\.lock|pylock.*\.toml|poetry\.lock|Pipfile\.lock")


def _lines_matching(pattern):
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in committed()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_committed_file_names_a_package_registry():
    assert _lines_matching(TELLS_A_REGISTRY) == []


def test_no_committed_file_names_a_folder_of_one_machine():
    assert _lines_matching(TELLS_A_MACHINE) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        pytest.param(TELLS_A_REGISTRY, "https://pypi." + "org/simple", id="registry"),
        pytest.param(TELLS_A_MACHINE, "see /" + "root/.venv", id="home"),
        pytest.param(TELLS_A_MACHINE, "'/wo" + "rk/main/engine'", id="work-tree"),
    ],
)
def test_addresses_and_folders_are_noticed(pattern, line):
    assert pattern.search(line)


def test_no_lock_file_with_addresses_is_committed():
    assert [path for path in committed() if LOCKS_WITH_ADDRESSES.fullmatch(path.name)] == []


def test_text_is_committed_with_plain_line_ends():
    windows = [path for path in committed() if path.suffix in {".py", ".md", ".yaml", ".toml", ".txt"}]

    assert [path for path in windows if b"\r\n" in path.read_bytes()] == []


def test_make_alone_explains_every_target():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    told = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert targets is not None
    assert re.findall(r"^make (\S+)", told.stdout, re.MULTILINE) == targets[1].split()
