"""Promises 4 and 5: a case keeps the shape it was opened with; moments and days come from the request alone."""

from dataclasses import replace
from datetime import UTC, datetime

from engine import casework
from engine.library import Library
from engine.records import Moved, Refused
from tests.sabotage.builds import breaks_under
from tests.sabotage.office import NOW, asked, attempt, events, shipped
from tests.sabotage.switches import A_CLOCK_OF_ITS_OWN, DAYS_IN_UTC, RULEBOOK_IN_FORCE, SHAPE_IN_FORCE

RECORD = ("diploma-registration", "online-ed")
LAST_DAY = "2024-04-20"
BEFORE_MIDNIGHT = datetime(2024, 4, 20, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
AFTER_MIDNIGHT = datetime(2024, 4, 20, 16, tzinfo=UTC)  # 00:00 of the 21st


def without_cancelling() -> Library:
    """The library of next year: nobody may cancel an application any more."""
    old = shipped().definitions[RECORD]
    left = {trigger: one for trigger, one in old.transitions.items() if trigger != "cancel_application"}
    new = old.model_copy(update={"version": old.version + 1, "transitions": left})
    return replace(shipped(), definitions={**shipped().definitions, RECORD: new})


def with_stricter_fees() -> Library:
    """The library of next year: nobody has ever paid enough."""
    book = shipped().rulebook
    stricter = book.rules["fees-paid"].model_copy(update={"holds": "fee_owed < 0"})
    rules = {**book.rules, "fees-paid": stricter}
    return replace(shipped(), rulebook=book.model_copy(update={"rules": rules}))


@breaks_under(SHAPE_IN_FORCE)
def test_a_case_goes_on_by_the_definition_it_was_opened_with(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        assert isinstance(casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply")), Moved)
        opened_with = events(office.desk.connection, 1)[0]["definition"]

        with sqlite_premises.opened(without_cancelling()) as later:
            later.desk.publish(NOW, "setup")
            request = replace(asked(later.desk, "operator.one", "cancel_application"), fields={"reason": "改期"})
            answer = attempt(lambda: casework.move(later.desk, 1, request))

            assert isinstance(answer, Moved)
            assert events(later.desk.connection, 1)[-1]["definition"] == opened_with


@breaks_under(RULEBOOK_IN_FORCE)
def test_a_published_batch_is_judged_by_the_rules_it_was_published_with(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        published_under = office.desk.rulebook

        with sqlite_premises.opened(with_stricter_fees()) as later:
            later.desk.publish(NOW, "setup")
            answer = casework.move(later.desk, 1, asked(later.desk, "operator.one", "apply"))

            assert isinstance(answer, Moved)
            assert later.desk.rulebook != published_under
            assert events(later.desk.connection, 1)[-1]["rulebook"] == published_under


@breaks_under(A_CLOCK_OF_ITS_OWN)
def test_an_event_carries_the_moment_of_the_request(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply"))

        assert events(office.desk.connection, 1)[-1]["at"] == "2024-04-20T02:00:00.000000Z"


@breaks_under(DAYS_IN_UTC)
def test_a_day_ends_at_midnight_in_shanghai(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished(max_study_until=LAST_DAY) as office:
        request = asked(office.desk, "operator.one", "apply")

        in_time = casework.move(office.desk, 1, replace(request, at=BEFORE_MIDNIGHT))
        too_late = casework.move(office.desk, 2, replace(request, at=AFTER_MIDNIGHT))

        assert isinstance(in_time, Moved)
        assert isinstance(too_late, Refused)
        assert too_late.failed == ("G-GR-24",)
