"""A small institution for the tests of expressions: its names, its calendar, and worlds of values."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from engine.expressions.functions import Registered
from engine.expressions.kinds import (
    CODE,
    DATE,
    MOMENT,
    MONEY,
    NUMBER,
    TERM,
    TEXT,
    YES_NO,
    Kind,
    choice,
    parse_kind,
    state,
)
from engine.expressions.scope import Scope

TITLES = {
    "level": {
        "专科": {"zh": "专科", "en": "Junior college"},
        "专升本": {"zh": "专升本", "en": "Junior college to bachelor"},
    },
    "exam": {"合格": {"en": "passed"}, "缺考": {"en": "absent"}},
    "item": {"name": {"zh": "姓名", "en": "Name"}, "id_number": {"zh": "身份证号", "en": "ID"}},
}
FACTS = {
    "enrolled": YES_NO,
    "wants_degree": YES_NO,
    "cohort": NUMBER,
    "terms_passed": NUMBER,
    "fee_owed": MONEY,
    "level": choice("level"),
    "level_exam": choice("exam"),
    "name": TEXT,
    "id_number": CODE,
    "born_on": DATE,
    "today": DATE,
    "now": MOMENT,
    "this_term": TERM,
}
CASE = {
    "state": state(("drafted", "approved"), "leave"),
    "batch": Kind(name="batch", of="graduation"),
    "unit": Kind(name="unit"),
    "cause": TEXT,
    "item": choice("item"),
    "slot_at": MOMENT,
    "new_value": parse_kind("value of case.item"),
}
BATCH = {"pairs": parse_kind("set of number and choice level"), "fees_by": DATE}
LEAVE = {
    "open": YES_NO,
    "state": state(("drafted", "approved"), "leave"),
    "batch": Kind(name="batch", of="graduation"),
    "cost": MONEY,
    "days": NUMBER,
    "opened_on": DATE,
    "level": choice("level"),
}
COURSES = {"course": CODE, "level": choice("level"), "term": NUMBER}
ROWS = {
    ("cases", "leave"): LEAVE,
    ("others", "leave"): LEAVE,
    ("rows", "courses"): COURSES,
    ("members", ""): LEAVE,
    ("same_person", ""): FACTS,
}
SCOPE = Scope(
    names=FACTS,
    groups={
        "case": CASE,
        "batch": BATCH,
        "class": {"code": CODE},
    },
    rows=lambda function, argument: ROWS.get((function, argument)),
    choices=TITLES,
    triggers=("approve", "return"),
    deadlines=("D-01",),
    documents=("F-01", "E-ID"),
    states=("drafted", "approved"),
    functions={
        "closes": Registered(
            takes=(TERM,),
            gives=DATE,
            run=lambda calendar, term: calendar.last_day(term),
            wants_calendar=True,
        )
    },
    workflows=("leave",),
    tables=("courses",),
)
LAST_YEAR = 2030


class WeekdaysOnly:
    """Works Monday to Friday; terms of September to January and February to August."""

    def is_working_day(self, day: date, /) -> bool:
        return day.isoweekday() <= 5

    def term_of(self, day: date, /) -> tuple[int, int] | None:
        if day.year > LAST_YEAR:
            return None
        if day.month >= 9:
            return day.year, 1
        return (day.year - 1, 1) if day.month == 1 else (day.year - 1, 2)

    def first_day(self, term: tuple[int, int], /) -> date | None:
        year, number = term
        if not 1 < year < LAST_YEAR:
            return None
        return date(year, 9, 1) if number == 1 else date(year + 1, 2, 1)

    def last_day(self, term: tuple[int, int], /) -> date | None:
        first = self.first_day(term)
        return None if first is None else first + timedelta(days=130)


CALENDAR = WeekdaysOnly()

# Few values per kind, so that equality is met often.
VALUES = {
    "yes_no": (True, False),
    "number": (0, 1, 2022),
    "money": (Decimal("0.00"), Decimal("120.50"), Decimal(1)),
    "text": ("", "甲", "51161"),
    "code": ("51161", "0123"),
    "date": (date(2024, 5, 13), date(2022, 9, 1), date(9999, 12, 31)),
    "moment": (datetime(2024, 5, 13, 9, 40, tzinfo=UTC), datetime(2024, 5, 12, 16, tzinfo=UTC)),
    "clock": (time(17, 40), time(0, 0)),
    "term": ((2023, 2), (2024, 1)),
    "choice level": ("专科", "专升本"),
    "choice exam": ("合格", "缺考"),
    "choice item": ("name", "id_number"),
    "state leave": ("drafted", "approved"),
    "batch graduation": ("2024-06", "2025-01"),
    "unit": ("site-1", "site-2"),
    "value of case.item": ("甲", "0123", date(2024, 5, 13), 1),
    "set of number and choice level": (
        frozenset({(2022, "专科"), (0, "专升本")}),
        frozenset(),
    ),
}
