"""Resident ID numbers, names and certificate numbers say what they may and are held to it."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.certificates import faults_of_certificate, make_certificate_no
from exchange.faults import Sentence
from exchange.identity import (
    is_resident_id,
    make_check_digit,
    mask,
    parse,
    read_id_number,
    region_is_known,
    upgrade,
)
from exchange.names import outside_gbk, read_name

first_17 = st.builds(
    lambda region, day, order: f"{region}{day:%Y%m%d}{order:03d}",
    st.integers(110000, 659999),
    st.dates(date(1930, 1, 1), date(2010, 12, 31)),
    st.integers(0, 999),
)


def test_the_worked_example_of_the_standard_has_an_x():
    # Published in a textbook; its sum of 145 leaves 2 (domain.md, 2.1).
    assert make_check_digit("13040420021111081") == "X"


@given(first_17, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_no_single_mistyped_place_gets_through(digits, place, mistyped):
    number = digits + make_check_digit(digits)
    changed = number[:place] + mistyped + number[place + 1 :]

    assert parse(number) == number
    assert (parse(changed) == changed) == (changed == number)


@given(first_17.filter(lambda digits: digits[6:8] == "19"))
def test_an_old_number_is_upgraded_to_the_one_issued_later(digits):
    number = digits + make_check_digit(digits)

    assert read_id_number(digits[:6] + digits[8:]) == number


def test_a_small_x_and_spaces_are_made_right():
    assert read_id_number(" 13040420021111081x　") == "13040420021111081X"


def test_a_birthday_that_never_was_is_refused():
    number = "11010119900230001"

    assert "no date" in str(parse(number + make_check_digit(number)))


@pytest.mark.parametrize("text", ["1101011990", "1101011990010100213", "11010119900101X021", "护照"])
def test_other_shapes_are_refused(text):
    assert isinstance(read_id_number(text), Sentence)


def test_a_number_that_excel_rounded_is_recognised():
    assert "digits are lost" in str(read_id_number(1.10101199001011e17))


@pytest.mark.parametrize("prefix", ["810000", "820000", "830000", "110101", "653101", "429006"])
def test_permits_and_real_places_pass_as_regions(prefix):
    assert region_is_known(prefix + "199001010011")


@pytest.mark.parametrize("prefix", ["100101", "119901", "991101"])
def test_a_place_that_is_none_is_noticed(prefix):
    assert not region_is_known(prefix + "199001010011")


def test_a_number_is_shown_by_its_ends_only():
    assert mask("110101199001010021") == "1101****0021"
    assert mask("1234") == "****"


@pytest.mark.parametrize("text", ["511615202406000001", "20620102000000", "张三"])
def test_other_numbers_are_not_taken_for_resident_ids(text):
    assert not is_resident_id(text)


def test_an_upgraded_number_is_taken_for_a_resident_id():
    assert is_resident_id(upgrade("110101900101002"))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("　张 三\u00a0", "张三"),
        ("古丽娜•依明", "古丽娜·依明"),
        ("古丽娜 ・ 依明", "古丽娜·依明"),
        ("Anna  Lee", "Anna Lee"),
        ("Anna • Lee", "Anna·Lee"),
        ("\uff2c\uff25\uff25", "LEE"),
        ("㛃䶮", "㛃䶮"),
        ("\U00020bb7野", "\U00020bb7野"),
    ],
)
def test_names_are_made_comparable_and_never_corrected(written, kept):
    assert read_name(written) == kept


@given(st.text(min_size=1))
def test_reading_a_name_twice_changes_nothing(written):
    once = read_name(written)

    assert read_name(once) == once


def test_characters_a_dbf_file_cannot_hold_are_named():
    assert outside_gbk("张䶮喆") == "䶮"
    assert outside_gbk("古丽娜·依明") == ""


NUMBER = make_certificate_no(school_code="51161", kind="5", graduated_on=date(2024, 7, 31), level="专科", serial=7)


def certificate_faults(number: str, **known: Any):
    given_facts: dict[str, Any] = {
        "school_code": "51161",
        "level": "专科",
        "graduated_on": date(2024, 7, 31),
    } | known
    faults = faults_of_certificate(number, today=date(2024, 6, 1), **given_facts)
    return [fault.en for fault in faults]


def test_a_certificate_number_that_fits_its_holder_has_no_fault():
    assert NUMBER == "511615202406000007"
    assert certificate_faults(NUMBER) == []


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"school_code": "10001"}, "digits 1 to 5 (school) are 51161, expected 10001"),
        ({"level": "专升本"}, "digits 11 and 12 (level) are 06, expected 05"),
        (
            {"graduated_on": date(2025, 1, 31)},
            "digits 7 to 10 (year of graduation) are 2024, expected 2025",
        ),
    ],
)
def test_each_part_of_a_certificate_number_is_compared_with_the_holder(known, says):
    assert certificate_faults(NUMBER, **known) == [says]


def test_what_is_not_known_of_the_holder_is_not_compared():
    assert certificate_faults(NUMBER, school_code=None, level=None, graduated_on=None) == []


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("1029952023050228353", "expected 18 digits, not 19"),  # printed on a web page
        ("51161520240600007", "expected 18 digits, not 17"),
        ("51161520240600000A", "digits only"),
    ],
)
def test_a_certificate_number_of_another_shape_is_refused(number, says):
    assert says in certificate_faults(number)[0]


def test_seventeen_digits_pass_for_the_first_two_years_only():
    early = {"graduated_on": date(2002, 7, 1)}

    assert certificate_faults("51161520020600007", **early) == []
    assert certificate_faults("51161520030600007", graduated_on=date(2003, 7, 1)) != []


def test_a_certificate_number_of_a_year_to_come_is_refused():
    assert certificate_faults("511615209906000007", graduated_on=None) != []
