"""Installing gives everybody the same, byte for byte."""

import re

import pytest

from tests.house.source import ROOT, configuration

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def _pins(name):
    return dict(PIN.findall((ROOT / "requirements" / name).read_text("utf-8")))


def _names(requirements):
    return {re.split(r"[^A-Za-z0-9_.-]", text, maxsplit=1)[0].lower() for text in requirements}


@pytest.mark.parametrize("name", ["run.txt", "test.txt"])
def test_every_pinned_library_is_held_to_its_hashes(name):
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements" / name).read_text("utf-8"), flags=re.MULTILINE)

    assert [block for block in blocks if PIN.match(block) and "--hash=sha256:" not in block] == []
    assert len(_pins(name)) == len([block for block in blocks if block.strip()])


def test_what_is_tested_is_what_runs():
    run, tested = _pins("run.txt"), _pins("test.txt")

    assert run.items() <= tested.items()


def test_every_library_asked_for_is_pinned():
    asked = configuration()

    assert _names(asked["project"]["dependencies"]) <= _pins("run.txt").keys()
    assert _names(asked["dependency-groups"]["test"]) <= _pins("test.txt").keys()
