"""Who is left for the evening of 15 May: those who were in order from the start, however many students there are.

That they stand in their lanes as promised (47, 5, 8) is asked over HTTP in tests/web/test_queue.py.
"""

import pytest

from console.demo import evening, school
from console.demo.cast import _is_in_order, gather, mended

_HERE = tuple(one for one in school.SITES if one.code == evening.SITE)
_SIZES = [
    pytest.param(170, (*_HERE * 11, *school.SITES), id="as the tests stage it"),
    pytest.param(1_200, school.SITES, id="as make demo tells it"),
]


@pytest.mark.parametrize(("students", "sites"), _SIZES)
def test_nobody_is_left_for_the_evening_with_whom_something_was_put_right_before(students, sites):
    cast = gather(students, 1, sites)
    changed = {row["student_no"] for row in mended(cast)}
    here = [one for one in cast.students if one.roster["site_code"] == evening.SITE]
    waiting = [one.student_no for one in here if _is_in_order(one) or one.student_no in changed]

    ordered = evening.in_order(reversed(waiting), cast)

    assert changed & set(waiting), "there would be nothing to put in order"
    assert not changed & set(ordered[: evening.TO_GO])
    assert len(ordered[: evening.TO_GO]) == evening.TO_GO
    assert sorted(ordered) == sorted(waiting)
