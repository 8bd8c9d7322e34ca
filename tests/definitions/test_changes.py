"""A text to be published is checked where it can have changed something, and what it breaks elsewhere is found."""

from __future__ import annotations

import pytest

from console.settings import HOME
from engine.checking.changes import changed_soundly
from engine.library import Library
from engine.loading.folder import load
from notifications.messages.catalogue import MESSAGES
from rules.functions import FUNCTIONS


@pytest.fixture(scope="module")
def installed() -> Library:
    return load(HOME, FUNCTIONS)


def changed(base: Library, file: str, old: str, new: str) -> Library | None:
    text = (HOME / file).read_text(encoding="utf-8")
    assert old in text
    return changed_soundly(base, HOME, {file: text.replace(old, new)}, file, MESSAGES)


def test_a_sound_change_gives_the_library_that_reading_everything_gives(installed: Library) -> None:
    file = "workflows/student-card-replacement.yaml"
    library = changed(installed, file, "zh: 学生证补办,", "zh: 学生证补发,")

    text = (HOME / file).read_text(encoding="utf-8").replace("zh: 学生证补办,", "zh: 学生证补发,")
    whole = load(HOME, FUNCTIONS, {file: text})
    assert library is not None
    assert library.pins() == whole.pins() != installed.pins()
    assert list(library.definitions) == list(whole.definitions)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("admission-qualification-recheck", "  start:", "  begin:", id="a step another procedure fires"),
        pytest.param("make-up-examination", "reported", "handed_in", id="a state that a rule others ask looks for"),
        pytest.param("student-card-replacement", "by: records_section", "by: nobody", id="its own"),
    ],
)
def test_what_a_change_breaks_is_found_also_where_the_text_does_not_stand(
    installed: Library, file: str, old: str, new: str
) -> None:
    assert changed(installed, f"workflows/{file}.yaml", old, new) is None


def test_a_rule_that_procedures_ask_does_not_go_and_a_calendar_does_not_run_backwards(installed: Library) -> None:
    assert changed(installed, "rules/vocabulary.yaml", "  fee_owed:", "  fees_owed:") is None
    holidays = "from: 2024-05-01, to: 2024-05-05"
    assert changed(installed, "rules/calendars/2024.yaml", holidays, "from: 2024-05-05, to: 2024-05-01") is None
    longer = changed(installed, "rules/calendars/2024.yaml", holidays, "from: 2024-05-01, to: 2024-05-06")
    assert longer is not None
    assert longer.rulebook.calendar != installed.rulebook.calendar
