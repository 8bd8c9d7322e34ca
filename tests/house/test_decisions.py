"""A decision can be found by its number and says why."""

import re
from collections import Counter

from tests.house.source import ROOT

HEADINGS = ["Situation", "Decision", "Reason", "Consequences"]


def _decisions():
    return [path for path in (ROOT / "docs/decisions").glob("*.md") if path.name != "README.md"]


def test_every_decision_has_a_number_of_its_own():
    numbers = Counter(path.name[:4] for path in _decisions())

    assert [path.name for path in _decisions() if not re.match(r"\d{4}-[a-z0-9-]+\.md", path.name)] == []
    assert [number for number, times in numbers.items() if times > 1] == []


def test_every_decision_is_titled_by_its_number_and_says_situation_reason_and_consequences():
    faults = []
    for path in _decisions():
        text = path.read_text("utf-8")
        if not text.startswith(f"# {path.name[:4]}. "):
            faults.append(f"{path.name}: title")
        if re.findall(r"^## (.*)$", text, re.MULTILINE) != HEADINGS:
            faults.append(f"{path.name}: headings")

    assert faults == []
