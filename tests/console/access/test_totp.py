"""The second factor: which codes are taken, once, and what is kept of the secret."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree as ET

import pyotp
import pytest
from cryptography.exceptions import InvalidTag

from console.access import totp
from engine.store import access
from engine.store.access import CredentialRow
from engine.store.database import Connection
from tests.console.access.people import KEY, NOW, STAFF

STEP = timedelta(seconds=30)
ZHOU, LIN, _ = STAFF
SECRET = totp.offered_secret(KEY, "an occasion")


def code_at(at, secret: str = SECRET) -> str:
    return pyotp.TOTP(secret).at(at)


def enrolled(connection: Connection, login: str = ZHOU) -> CredentialRow:
    totp.enrol(connection, KEY, login, SECRET, NOW)
    row = access.credential(connection, login)
    assert row is not None
    return row


def test_the_code_of_the_telephone_is_taken_and_never_again(connection: Connection):
    row = enrolled(connection)

    assert totp.take(connection, KEY, row, code_at(NOW), NOW)
    assert not totp.take(connection, KEY, row, code_at(NOW), NOW)
    assert totp.take(connection, KEY, row, code_at(NOW + STEP), NOW + STEP)


def test_of_two_who_send_one_code_at_the_same_moment_one_comes_in(connection: Connection, other_connection: Connection):
    row = enrolled(connection)

    taken = [totp.take(one, KEY, row, code_at(NOW), NOW) for one in (connection, other_connection)]

    assert taken == [True, False]


def test_a_code_older_than_one_that_was_taken_is_not_taken(connection: Connection):
    row = enrolled(connection)

    assert totp.take(connection, KEY, row, code_at(NOW), NOW)
    assert not totp.take(connection, KEY, row, code_at(NOW - STEP), NOW)


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_telephone_may_be_half_a_minute_wrong(connection: Connection, steps: int, is_taken: bool):  # noqa: FBT001 a table
    row = enrolled(connection)

    assert totp.take(connection, KEY, row, code_at(NOW + steps * STEP), NOW) is is_taken


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "000000\n", "' OR 1=1 --"])
def test_what_is_no_code_is_not_taken(connection: Connection, code: str):
    row = enrolled(connection)

    assert not totp.take(connection, KEY, row, code, NOW)


def test_a_code_may_be_typed_in_two_halves_or_in_digits_of_full_width(connection: Connection):
    row = enrolled(connection)
    code = code_at(NOW)
    wide = "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in code_at(NOW + STEP))

    assert totp.take(connection, KEY, row, f"{code[:3]} {code[3:]}", NOW)
    assert totp.take(connection, KEY, row, wide, NOW + STEP)


def test_the_secret_is_kept_sealed_for_its_login_and_with_a_key_the_database_lacks(connection: Connection):
    row = enrolled(connection)

    assert row.totp_secret is not None
    assert SECRET not in row.totp_secret
    assert totp.opened(KEY, ZHOU, row.totp_secret) == SECRET
    with pytest.raises(InvalidTag):
        totp.opened(KEY, LIN, row.totp_secret)
    with pytest.raises(InvalidTag):
        totp.opened(KEY[::-1], ZHOU, row.totp_secret)


def test_each_code_for_a_lost_telephone_is_good_once_and_for_its_owner_only(connection: Connection):
    row = enrolled(connection)
    codes = totp.enrol(connection, KEY, ZHOU, SECRET, NOW)
    other = enrolled(connection, LIN)

    assert len(set(codes)) == totp.RECOVERY_CODES
    assert not totp.take(connection, KEY, other, codes[0], NOW)
    assert totp.take(connection, KEY, row, codes[0].lower().replace("-", " "), NOW)
    assert not totp.take(connection, KEY, row, codes[0], NOW)
    assert totp.take(connection, KEY, row, codes[1], NOW + timedelta(days=2000))
    assert access.codes_left(connection, ZHOU, "recovery") == totp.RECOVERY_CODES - 2


def test_a_new_telephone_makes_the_codes_of_the_old_one_worthless(connection: Connection):
    old = totp.enrol(connection, KEY, ZHOU, SECRET, NOW)
    totp.enrol(connection, KEY, ZHOU, totp.offered_secret(KEY, "another occasion"), NOW)
    row = access.credential(connection, ZHOU)
    assert row is not None

    assert not totp.take(connection, KEY, row, old[0], NOW)
    assert not totp.take(connection, KEY, row, code_at(NOW), NOW)


def test_who_has_no_second_factor_has_no_code(connection: Connection):
    row = access.credential(connection, ZHOU)
    assert row is not None

    assert not totp.take(connection, KEY, row, code_at(NOW), NOW)


def test_the_same_secret_is_offered_on_one_occasion_and_another_on_the_next():
    assert totp.offered_secret(KEY, "an occasion") == SECRET
    assert totp.offered_secret(KEY, "the next") != SECRET
    assert totp.offered_secret(KEY[::-1], "an occasion") != SECRET
    assert len(SECRET) == 32


def test_the_picture_is_svg_without_style_or_script():
    root = ET.fromstring(totp.picture(SECRET, "周敏"))  # noqa: S314 our own

    assert root.tag.endswith("svg")
    assert root.attrib["viewBox"].startswith("0 0 ")
    assert {name for element in root.iter() for name in element.attrib} <= {
        "width", "height", "viewBox", "fill", "stroke", "d", "transform"
    }  # fmt: skip
