"""Calendars are refused for whatever would let a count of days go wrong unseen."""

from datetime import date

import pytest

from engine.library import canonical, content_hash
from engine.loading.folder import load, read
from engine.vocabulary import CalendarText, CalendarYear, RulebookText
from tests.engine.loading.folders import CLEAN, write

YEAR = """\
year: 2024
status: confirmed
source: 国办发明电〔2023〕7号
holidays:
  - {title: {zh: 元旦, en: New Year}, from: 2023-12-30, to: 2024-01-01}
  - {title: {zh: 国庆节, en: National Day}, from: 2024-10-01, to: 2024-10-07}
working_days: [2024-09-29, 2024-10-12]
"""
TERMS = """\
source: S-1
terms:
  2024-1: {from: 2024-09-02, to: 2025-01-10}
  2024-2: {from: 2025-02-17, to: 2025-07-04, vacation_to: 2025-08-31}
closures:
  - {title: {zh: 校庆, en: Anniversary}, from: 2024-09-18}
profiles:
  college: {terms: {2024-1: {from: 2024-09-09, to: 2025-01-10}}}
units:
  C1: {closures: [{title: {zh: 搬迁, en: Move}, from: 2024-11-04, to: 2024-11-05}]}
"""


@pytest.fixture
def folder(tmp_path):
    for name, text in CLEAN.items():
        write(tmp_path, name, text)
    return tmp_path


def test_calendars_are_part_of_the_rulebook_and_of_its_hash(folder):
    without = load(folder).rulebook
    write(folder, "rules/calendars/2024.yaml", YEAR)
    write(folder, "rules/calendars/terms.yaml", TERMS)
    book = load(folder).rulebook

    assert book.calendar.years[0].holidays[1].last == date(2024, 10, 7)
    assert book.calendar.profiles["college"].terms["2024-1"].first == date(2024, 9, 9)
    assert content_hash(book) != content_hash(without)
    assert RulebookText.model_validate_json(canonical(book)) == book


def test_a_rulebook_without_calendars_keeps_the_hash_it_had(folder):
    book = load(folder).rulebook

    assert book.calendar == CalendarText()
    assert "calendar" not in book.model_dump(exclude_defaults=True)


def test_days_on_end_include_the_first_and_the_last():
    year = CalendarYear.model_validate(
        {
            "year": 2024,
            "status": "provisional",
            "holidays": [{"title": {"zh": "元旦", "en": "N"}, "from": "2024-01-01"}],
        }
    )

    assert list(year.holidays[0].days()) == [date(2024, 1, 1)]


@pytest.mark.parametrize(
    ("line", "instead", "begins", "says"),
    [
        ("year: 2024", "year: 2025", "2025", "the year 2024, not 2025"),
        ("source: 国办发明电〔2023〕7号\n", "", "confirmed", "names its notice"),
        ("to: 2024-01-01", "to: 2023-12-29", "2023-12-29", "ends before it begins"),
        (
            "to: 2024-01-01",
            "to: 2024-10-02",
            "2024-10-01",
            "2024-10-01 stands also in rules/calendars/2024.yaml, line 5",
        ),
        ("2024-09-29", "2024-09-27", "2024-09-27", "no Saturday or Sunday"),
        ("2024-09-29", "2024-10-06", "2024-10-06", "line 6"),
        ("2024-10-12]", "2024-10-12, 2024-10-12 ]", "2024-10-12 ]", "line 7"),
        ("2024-09-29", "2025-01-04", "2025-01-04", "not in 2024"),
        ("from: 2023-12-30", "from: 2023-11-30", "2023-11-30", "2023-11-30 is not in 2024"),
        ("status: confirmed", "status: sure", "sure", "expected 'confirmed'"),
        ("status: confirmed", "state: confirmed", "state", "Did you mean 'status'"),
    ],
)
def test_a_fault_in_a_year_is_placed_where_it_stands(folder, line, instead, begins, says):
    assert line in YEAR
    write(folder, "rules/calendars/2024.yaml", YEAR.replace(line, instead))

    [fault] = [one for one in read(folder).faults if says in one.message]

    assert fault.file == "rules/calendars/2024.yaml"
    assert fault.excerpt[fault.column - 1 :].startswith(begins)


@pytest.mark.parametrize(
    ("line", "instead", "at_line", "says"),
    [
        ("to: 2025-01-10}\n  2024-2", "to: 2024-09-01}\n  2024-2", 3, "the term ends before it begins"),
        ("from: 2025-02-17", "from: 2025-01-10", 4, "before 2024-1 and its vacation are over"),
        ("vacation_to: 2025-08-31", "vacation_to: 2025-07-01", 4, "the vacation ends before the term does"),
        ("from: 2024-11-04, to: 2024-11-05", "from: 2024-11-04, to: 2024-11-03", 10, "ends before it begins"),
        ("2024-2:", "2024-3:", 4, "2024-3"),
        ("  college:", "  collage:", 8, "Did you mean 'college'"),
    ],
)
def test_a_fault_in_the_terms_is_placed_where_it_stands(folder, line, instead, at_line, says):
    assert line in TERMS
    write(folder, "rules/calendars/terms.yaml", TERMS.replace(line, instead))

    faults = read(folder).faults

    assert [(one.file, one.line) for one in faults if says in f"{one.message} {one.excerpt}"] == [
        ("rules/calendars/terms.yaml", at_line)
    ]


def test_two_years_cannot_both_speak_of_the_same_day(folder):
    late = "  - {title: {zh: 元旦, en: New Year}, from: 2024-12-31}\n"
    write(folder, "rules/calendars/2024.yaml", YEAR.replace("working_days", f"{late}working_days"))
    write(folder, "rules/calendars/2025.yaml", f"year: 2025\nstatus: provisional\nholidays:\n{late}")

    [fault] = read(folder).faults

    assert (fault.file, fault.line, fault.code) == ("rules/calendars/2025.yaml", 4, "twice")
    assert "2024-12-31 stands also in rules/calendars/2024.yaml, line 7" in fault.message


def test_a_calendar_file_that_cannot_be_read_leaves_no_library_to_go_by(folder):
    write(folder, "rules/calendars/2024.yaml", "year: [")

    reading = read(folder)

    assert reading.library is None
    assert [one.file for one in reading.faults] == ["rules/calendars/2024.yaml"]
