"""班/休: a date field says what kind of day was chosen, with and without a script."""

from __future__ import annotations

import re

import pytest

from console.demo import evening
from tests.web.conftest import Site


@pytest.mark.parametrize(
    ("day", "says"),
    [
        pytest.param("2024-05-15", "2024年5月15日（周三） 工作日", id="a Wednesday"),
        pytest.param("2024-05-11", "2024年5月11日（周六） 调休上班", id="a Saturday that is worked"),
        pytest.param("2024-05-18", "5月18日 休息日（周六），下一个工作日 2024年5月20日（周一）", id="a Saturday"),
        pytest.param("2024-06-10", "6月10日 休息日（端午节），下一个工作日 2024年6月11日（周二）", id="a holiday"),
        pytest.param("2024-02-30", "", id="no day at all"),
        pytest.param("", "", id="nothing"),
        pytest.param("2040-05-15", "2040年5月15日（周二） 工作日；2040 年放假通知未出，可能有变", id="a year to come"),
        pytest.param("9999-12-31", "", id="the last day of all"),
    ],
)
def test_a_day_is_said_to_be_worked_or_not_and_when_people_work_next(read_site: Site, day: str, says: str) -> None:
    answer = read_site.signed_in(evening.APPROVER).fragment(f"/day?until={day}")

    assert answer.status_code == 200
    text = re.sub(r"<[^>]*>", "", answer.text).strip()
    assert text == says


def test_a_form_that_comes_back_says_it_beside_its_field_without_a_script(site: Site) -> None:
    person = site.signed_in(evening.APPROVER)

    page = person.post("/me/delegations", {"since": "2024-05-18", "until": "2024-05-11"}).text

    assert re.search(r'id="since-day"[^>]*>.*?休息日（周六），下一个工作日 2024年5月20日（周一）', page, re.DOTALL)
    assert re.search(r'id="until-day"[^>]*>[^<]*调休上班', page)
    assert 'aria-describedby="' in page
