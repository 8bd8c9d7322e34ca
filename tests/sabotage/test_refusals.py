"""Promise 1: a refusal is an answer, whole and kept."""

from engine import bulk, casework
from engine.records import Refused
from tests.sabotage.builds import breaks_under
from tests.sabotage.office import asked, events, state_of
from tests.sabotage.switches import BULK_WAVES_THROUGH, ONLY_THE_FIRST_REASON, REFUSALS_LEAVE_NO_TRACE

TROUBLES = {"fee_owed": "120.50", "terms_passed": 4, "form_signed": False, "level_exam": None}
FAILED, UNDECIDED = ("G-GR-04", "G-GR-07", "G-GR-08"), ("G-GR-05",)


@breaks_under(ONLY_THE_FIRST_REASON)
def test_a_refusal_tells_everything_that_stands_in_the_way_who_can_mend_it_and_why(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished(**TROUBLES) as office:
        answer = casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply"))

        assert isinstance(answer, Refused)
        assert (answer.failed, answer.undecided) == (FAILED, UNDECIDED)
        for verdict in answer.verdicts:
            assert verdict.sentence.zh
            assert verdict.sentence.en
            assert verdict.remedy_by
            assert verdict.source


@breaks_under(REFUSALS_LEAVE_NO_TRACE)
def test_a_refusal_is_an_event_with_every_reason_and_the_case_stays(build, premises):
    with build.tried(), premises.furnished(**TROUBLES) as office:
        casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply"))

        last = events(office.desk.connection, 1)[-1]
        assert last["kind"] == "refused"
        data = last["data"]
        assert isinstance(data, dict)
        assert (data["failed"], data["undecided"]) == ([*FAILED], [*UNDECIDED])
        assert state_of(office.desk.connection, 1) == "enrolled"


@breaks_under(BULK_WAVES_THROUGH)
def test_what_is_refused_one_by_one_is_refused_in_bulk_for_the_same_reasons(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished(**TROUBLES) as office:
        request = asked(office.desk, "operator.one", "apply")

        alone = casework.move(office.desk, 1, request)
        together = bulk.move_many(office.desk, [(2, 1), (3, 1)], request)

        assert isinstance(alone, Refused)
        assert together.moved == []
        assert [one.verdicts for one in together.refused] == [alone.verdicts] * 2
