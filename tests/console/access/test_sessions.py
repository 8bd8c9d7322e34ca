"""Sessions: what begins, keeps and ends one."""

from __future__ import annotations

from datetime import timedelta

from console.access import sessions
from console.access.sessions import ABSOLUTE, STAFF_IDLE, STUDENT_IDLE, Arrival
from engine.store import access
from engine.store import sessions as stored
from engine.store.database import Connection
from engine.store.sessions import Preference
from tests.console.access.people import MINUTE, NOW, STAFF, STUDENT

SECOND = timedelta(seconds=1)
ZHOU, LIN, _ = STAFF


def test_a_token_signs_its_person_in_and_stands_in_no_table(connection: Connection):
    token = sessions.begin(connection, ZHOU, NOW)

    row = sessions.resume(connection, token, NOW)

    assert row is not None
    assert (row.login, row.is_student, row.stepped_up_at) == (ZHOU, False, NOW)
    [kept] = connection.execute("SELECT id_hash FROM session").fetchall()
    assert len(token) >= 43
    assert token not in str(kept)


def test_a_made_up_token_and_the_kept_hash_sign_nobody_in(connection: Connection):
    sessions.begin(connection, ZHOU, NOW)
    [[kept]] = connection.execute("SELECT id_hash FROM session").fetchall()

    assert sessions.resume(connection, "made-up", NOW) is None
    assert sessions.resume(connection, kept, NOW) is None


def test_two_sessions_never_have_the_same_token(connection: Connection):
    tokens = {sessions.begin(connection, ZHOU, NOW) for _ in range(20)}

    assert len(tokens) == 20


def test_staff_are_signed_out_after_half_an_hour_without_use_and_students_after_a_quarter(connection: Connection):
    for login, idle in ((ZHOU, STAFF_IDLE), (STUDENT, STUDENT_IDLE)):
        token = sessions.begin(connection, login, NOW)

        assert sessions.resume(connection, token, NOW + idle - SECOND, is_use=False) is not None
        assert sessions.resume(connection, token, NOW + idle) is None


def test_every_use_puts_the_end_off_but_never_beyond_half_a_day(connection: Connection):
    token = sessions.begin(connection, ZHOU, NOW)

    at = NOW
    while at + STAFF_IDLE < NOW + ABSOLUTE:
        at += STAFF_IDLE - MINUTE
        assert sessions.resume(connection, token, at) is not None

    assert sessions.resume(connection, token, NOW + ABSOLUTE - SECOND) is not None
    assert sessions.resume(connection, token, NOW + ABSOLUTE) is None


def test_a_page_that_looks_for_news_by_itself_keeps_nobody_signed_in(connection: Connection):
    token = sessions.begin(connection, ZHOU, NOW)

    assert sessions.resume(connection, token, NOW + 29 * MINUTE, is_use=False) is not None

    assert sessions.resume(connection, token, NOW + 31 * MINUTE) is None


def test_the_last_use_is_written_once_a_minute_at_most(connection: Connection):
    token = sessions.begin(connection, ZHOU, NOW)

    sessions.resume(connection, token, NOW + 59 * SECOND)
    soon = sessions.resume(connection, token, NOW + 59 * SECOND)
    sessions.resume(connection, token, NOW + 61 * SECOND)
    later = sessions.resume(connection, token, NOW + 62 * SECOND)

    assert soon is not None
    assert later is not None
    assert (soon.seen_at, later.seen_at) == (NOW, NOW + 61 * SECOND)


def test_a_session_signed_out_is_over_for_whoever_kept_its_token(connection: Connection):
    token = sessions.begin(connection, ZHOU, NOW)

    assert sessions.end(connection, token)
    assert not sessions.end(connection, token)

    assert sessions.resume(connection, token, NOW) is None


def test_proving_oneself_again_gives_another_token_and_the_old_one_is_good_no_more(connection: Connection):
    before = sessions.begin(connection, ZHOU, NOW, Arrival(is_proven=False))
    row = sessions.resume(connection, before, NOW)
    assert row is not None
    assert row.stepped_up_at is None

    after = sessions.step_up(connection, row, NOW + MINUTE)

    assert after is not None
    assert sessions.resume(connection, before, NOW + MINUTE) is None
    again = sessions.resume(connection, after, NOW + MINUTE)
    assert again is not None
    assert (again.stepped_up_at, again.expires_at) == (NOW + MINUTE, row.expires_at)


def test_of_two_who_prove_themselves_with_one_session_at_once_one_gets_a_token(
    connection: Connection, other_connection: Connection
):
    row = sessions.resume(connection, sessions.begin(connection, ZHOU, NOW), NOW)
    assert row is not None

    tokens = [sessions.step_up(one, row, NOW) for one in (connection, other_connection)]

    assert [token is None for token in tokens] == [False, True]


def test_signing_out_everywhere_spares_the_one_who_asks_and_other_people(connection: Connection):
    here, there = (sessions.begin(connection, ZHOU, NOW) for _ in range(2))
    another = sessions.begin(connection, LIN, NOW)

    ended = sessions.end_all(connection, ZHOU, but=sessions.resume(connection, here, NOW))

    assert ended == 1
    assert sessions.resume(connection, there, NOW) is None
    assert sessions.resume(connection, here, NOW) is not None
    assert sessions.resume(connection, another, NOW) is not None


def test_nobody_ends_the_session_of_another_by_its_hash(connection: Connection):
    token = sessions.begin(connection, LIN, NOW)
    [[id_hash]] = connection.execute("SELECT id_hash FROM session").fetchall()

    assert not sessions.end_one(connection, ZHOU, id_hash)
    assert sessions.resume(connection, token, NOW) is not None
    assert sessions.end_one(connection, LIN, id_hash)
    assert sessions.resume(connection, token, NOW) is None


def test_disabling_a_person_ends_every_session_and_lets_none_begin_to_count(connection: Connection):
    token = sessions.begin(connection, ZHOU, NOW)

    with connection.writing():
        assert access.disable(connection, ZHOU, NOW)
        assert not access.disable(connection, ZHOU, NOW)

    assert sessions.resume(connection, token, NOW) is None
    assert sessions.resume(connection, sessions.begin(connection, ZHOU, NOW), NOW) is None
    with connection.writing():
        assert access.enable(connection, ZHOU)
    assert sessions.resume(connection, token, NOW) is None


def test_the_schools_sign_on_ends_the_sessions_of_its_own_ticket_only(connection: Connection):
    theirs = sessions.begin(connection, ZHOU, NOW, Arrival(ticket="ST-1", is_proven=False))
    ours = sessions.begin(connection, ZHOU, NOW)

    assert sessions.end_by_ticket(connection, "ST-1") == 1
    assert sessions.end_by_ticket(connection, "ST-1") == 0

    assert sessions.resume(connection, theirs, NOW) is None
    assert sessions.resume(connection, ours, NOW) is not None


def test_sessions_that_are_over_are_forgotten_when_another_begins(connection: Connection):
    sessions.begin(connection, ZHOU, NOW)
    sessions.begin(connection, LIN, NOW + ABSOLUTE)

    assert [row.login for row in stored.sessions_of(connection, ZHOU)] == []
    assert [row.login for row in stored.sessions_of(connection, LIN)] == [LIN]


def test_how_a_person_likes_the_pages_comes_with_the_session(connection: Connection):
    token = sessions.begin(connection, ZHOU, NOW)
    liked = Preference(lang="en", undo_seconds=60, keys=False, density="compact")

    before = sessions.resume(connection, token, NOW)
    stored.set_preference(connection, ZHOU, Preference())
    stored.set_preference(connection, ZHOU, liked)
    after = sessions.resume(connection, token, NOW)

    assert before is not None
    assert after is not None
    assert (before.preference, after.preference) == (Preference(), liked)


def test_who_chose_what_only_a_later_version_knows_can_sign_in_after_going_back_to_this_one(connection: Connection):
    token = sessions.begin(connection, ZHOU, NOW)
    kept = '{"lang": "en", "undo_seconds": 60, "columns": ["cohort", "later"], "later": {"of": 1}}'

    connection.execute("INSERT INTO preference (login, body) VALUES (?, ?)", (ZHOU, kept))
    found = sessions.resume(connection, token, NOW)

    assert found is not None
    assert found.preference == Preference(lang="en", undo_seconds=60, columns=("cohort", "later"))
