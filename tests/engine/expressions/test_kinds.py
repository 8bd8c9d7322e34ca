"""Values in JSON, from a person's hand, and in sentences."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions.kinds import (
    CODE,
    DATE,
    MOMENT,
    NUMBER,
    TEXT,
    VALUE_OF_FACT,
    YES_NO,
    Kind,
    Row,
    choice,
    decode,
    encode,
    parse_input,
    parse_kind,
    rows,
    show,
)
from tests.engine.expressions.school import LEAVE, TITLES

PAIRS = parse_kind("set of number and choice level")
DAYS = st.dates(min_value=date(1, 1, 2))
BY_KIND = {
    "yes_no": st.booleans(),
    "number": st.integers(-(2**53) + 1, 2**53 - 1),
    "money": st.integers(-(10**16), 10**16).map(lambda fen: Decimal(fen) / 100),
    "text": st.text(),
    "date": st.dates(),
    "moment": st.datetimes(min_value=datetime(2, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is added
    "clock": st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    "term": st.tuples(st.integers(1, 9999), st.integers(1, 2)),
}


@pytest.mark.parametrize("name", BY_KIND)
@given(data=st.data())
def test_a_value_comes_back_from_json_as_it_went(name, data):
    value = data.draw(BY_KIND[name])
    kind = parse_kind(name)

    assert decode(kind, encode(kind, value)) == value
    assert decode(VALUE_OF_FACT, encode(VALUE_OF_FACT, value)) == value


@given(pairs=st.frozensets(st.tuples(st.integers(0, 99), st.sampled_from(["专科", "专升本"]))))
def test_a_set_comes_back_from_json_as_it_went(pairs):
    assert decode(PAIRS, encode(PAIRS, pairs)) == pairs


def test_rows_and_values_come_back_from_json_with_what_is_missing_in_them():
    kind = rows(LEAVE)
    row: Row = {
        "open": True,
        "state": "drafted",
        "batch": "2024-06",
        "cost": None,
        "days": 1,
        "opened_on": date(2024, 5, 13),
        "level": "专科",
    }
    days = Kind(name="values", parts=(DATE,))

    assert decode(kind, encode(kind, (row,))) == (row,)
    assert decode(days, encode(days, (date(2024, 5, 13), None))) == (date(2024, 5, 13), None)


@pytest.mark.parametrize(
    ("kind", "value", "json"),
    [
        ("money", Decimal("120.5"), "120.50"),
        ("money", Decimal("-0.00"), "0.00"),
        ("date", date(2024, 5, 13), "2024-05-13"),
        ("moment", datetime(2024, 5, 13, 9, 40, tzinfo=UTC), "2024-05-13T09:40:00.000000Z"),
        ("clock", time(17, 40), "17:40"),
        ("term", (2024, 1), "2024-1"),
        ("set of number and text", frozenset({(1, "b"), (1, "a")}), [[1, "a"], [1, "b"]]),
        ("yes_no", None, None),
    ],
)
def test_a_value_has_one_form_in_json(kind, value, json):
    assert encode(parse_kind(kind), value) == json


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("yes_no", 1),
        ("number", True),
        ("number", 2**53),
        ("number", 1.5),
        ("money", Decimal("0.001")),
        ("money", Decimal("NaN")),
        ("money", Decimal(10) ** 15),
        ("money", 0.5),
        ("text", 1),
        ("date", datetime(2024, 5, 13, tzinfo=UTC)),
        ("moment", datetime(2024, 5, 13)),  # noqa: DTZ001 - refused for it
        ("moment", date(2024, 5, 13)),
        ("clock", time(17, 40, 1)),
        ("term", (2024,)),
        ("set of number and text", frozenset({(1,)})),
        ("set of number and text", "x"),
    ],
)
def test_a_value_of_another_kind_is_not_written(kind, value):
    with pytest.raises(ValueError, match="Expected"):
        encode(parse_kind(kind), value)


@pytest.mark.parametrize(
    ("kind", "json"),
    [
        ("yes_no", "true"),
        ("number", "1"),
        ("money", "120.5"),
        ("money", 120),
        ("date", "20240513"),
        ("date", "2024-W20-1"),
        ("moment", "2024-05-13T09:40:00Z"),
        ("clock", "9:40"),
        ("term", "2024"),
        ("set of number and text", [[1]]),
        ("set of number and text", {}),
        ("value of case.item", {"date": "2024-05-13", "text": "x"}),
    ],
)
def test_json_of_another_form_is_not_read(kind, json):
    with pytest.raises(ValueError, match="Expected"):
        decode(parse_kind(kind), json)


@pytest.mark.parametrize("text", ["nubmer", "choice", "choice a b", "set of x", "value of item", ""])
def test_a_type_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="is no type"):
        parse_kind(text)


@pytest.mark.parametrize(
    "text",
    ["number", "choice level", "batch graduation", "unit site", "set of number and choice level", "value of case.item"],
)
def test_a_type_reads_as_it_is_written(text):
    assert str(parse_kind(text)) == text


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("yes_no", "是", True),
        ("yes_no", "FALSE", False),
        ("number", "\uff12\uff10\uff12\uff12", 2022),
        ("money", "1,120.5元", Decimal("1120.50")),
        ("date", "2024-05-13", date(2024, 5, 13)),
        ("date", "20240513", date(2024, 5, 13)),
        ("date", "2024年5月13日", date(2024, 5, 13)),
        ("date", "2024/5/3", date(2024, 5, 3)),
        ("clock", "9:40", time(9, 40)),
        ("moment", "2024-05-13 17:40", datetime(2024, 5, 13, 9, 40, tzinfo=UTC)),
        ("moment", "2024-05-13T09:40:00Z", datetime(2024, 5, 13, 9, 40, tzinfo=UTC)),
        ("term", "2024-1", (2024, 1)),
        ("choice item", "name", "name"),
        ("choice item", "姓名", "name"),
        ("choice level", "专科", "专科"),
        ("code", " 0123 ", "0123"),
    ],
)
def test_what_a_person_types_is_understood(kind, typed, value):
    assert parse_input(parse_kind(kind), typed, TITLES) == value


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        ("yes_no", "maybe", "是 or 否"),
        ("number", "12.5", "whole number"),
        ("money", "12.345", "money like"),
        ("date", "13.5.2024", "day like"),
        ("date", "2024-02-30", "day"),
        ("date", "0001-01-01", "a day of the years 1900 to 2200"),
        ("date", "9999-12-31", "a day of the years 1900 to 2200"),
        ("moment", "0001-01-01 00:00", "a day of the years 1900 to 2200"),
        ("moment", "9999-12-31T23:00:00Z", "a day of the years 1900 to 2200"),
        ("clock", "noon", "time of day"),
        ("choice item", "nmae", "Did you mean 'name'"),
        ("set of number and text", "x", "in a file"),
        ("text", "  ", "Nothing was given"),
    ],
)
def test_what_cannot_be_understood_is_answered_with_what_can(kind, typed, says):
    with pytest.raises(ValueError, match=says):
        parse_input(parse_kind(kind), typed, TITLES)


@pytest.mark.parametrize(
    ("kind", "value", "zh", "en"),
    [
        ("money", Decimal("120.5"), "120.50元", "CNY 120.50"),
        ("date", date(2024, 5, 13), "2024年5月13日（周一）", "Mon 13 May 2024"),
        (
            "moment",
            datetime(2020, 4, 24, 9, 40, tzinfo=UTC),
            "2020年4月24日（周五）17:40",
            "Fri 24 Apr 2020, 17:40",
        ),
        ("clock", time(17, 40), "17:40", "17:40"),
        ("yes_no", True, "是", "yes"),
        ("yes_no", False, "否", "no"),
        ("choice item", "name", "姓名", "Name"),
        ("choice item", "other", "other", "other"),
        ("term", (2024, 1), "2024—2025学年第1学期", "term 1 of 2024/25"),
        ("number", 3, "3", "3"),
        ("text", None, "未填", "not given"),
        ("set of number and choice level", frozenset({(2022, "专科")}), "2022 专科", "2022 Junior college"),
        ("value of case.item", date(2024, 5, 13), "2024年5月13日（周一）", "Mon 13 May 2024"),
    ],
)
def test_a_value_reads_as_people_write_it(kind, value, zh, en):
    assert show(parse_kind(kind), value, "zh", TITLES) == zh
    assert show(parse_kind(kind), value, "en", TITLES) == en


def test_rows_read_by_their_number_or_name_and_never_more_than_ten():
    kind = rows({"name": TEXT, "student_no": CODE})
    few = ({"name": "甲", "student_no": "01"}, {"name": "乙", "student_no": None})
    many = tuple({"name": "甲", "student_no": str(n)} for n in range(12))

    assert show(kind, few, "zh", {}) == "01、乙"
    assert show(kind, (), "en", {}) == "none"
    assert show(kind, many, "zh", {}) == "0、1、2、3、4、5、6、7、8、9等12个"
    assert show(kind, many, "en", {}).endswith("9 … (12 in all)")


def test_a_unit_is_shown_by_the_title_given_for_its_kind():
    titles = {"unit site": {"01": {"zh": "城东教学点", "en": "East site"}}}

    assert show(Kind(name="unit", of="site"), "01", "zh", titles) == "城东教学点"
    assert show(choice("level"), "01", "zh", titles) == "01"
    assert {YES_NO, NUMBER, MOMENT} == {parse_kind(name) for name in ("yes_no", "number", "moment")}
