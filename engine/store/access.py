"""What proves who somebody is: passwords, second factors, codes for one use, known devices; and what went wrong.

Plain SQL for both databases. Whatever is good once is taken by one UPDATE that names the state it leaves, so that of
two who use it at the same moment one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from engine.store.database import Connection
from engine.store.sessions import end_sessions
from engine.trail.event import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRow:
    """What proves who holds an account; moments are aware UTC. Everything but `login` may be missing."""

    login: str
    is_student: bool
    password_hash: str | None = None
    totp_secret: str | None = None
    is_activated: bool = False
    is_disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """A code for one use, by its hash; `expires_at` None: until it is used."""

    code_hash: str
    login: str
    purpose: str
    expires_at: datetime | None


class Tries(NamedTuple):
    """How often it went wrong in a bucket, when last, and from when it is free again; moments of the trail."""

    tries: int
    last_at: str
    free_at: str


def credential(connection: Connection, login: str) -> CredentialRow | None:
    """What proves who holds an account, or None where there is no such account."""
    row = connection.execute(
        "SELECT a.login, a.student IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM role_grant g WHERE g.login = a.login AND g.until IS NULL), c.password_hash, c.totp_secret,"
        " c.activated_at IS NOT NULL, c.disabled_at IS NOT NULL"
        " FROM account a LEFT JOIN credential c ON c.login = a.login WHERE a.login = ?",
        (login,),
    ).fetchone()
    if row is None:
        return None
    name, student, password, totp, activated, disabled = row
    return CredentialRow(
        login=name, is_student=bool(student), password_hash=password, totp_secret=totp, is_activated=bool(activated),
        is_disabled=bool(disabled),
    )  # fmt: skip


def set_password(connection: Connection, login: str, password_hash: str, at: datetime) -> None:
    """Keep a person's new password; whoever has one has begun to use the account."""
    now = moment(at)
    connection.execute(
        "INSERT INTO credential (login, password_hash, activated_at, changed_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (login) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at,"
        " activated_at = coalesce(credential.activated_at, excluded.activated_at)",
        (login, password_hash, now, now),
    )


def replace_hash(connection: Connection, login: str, old: str, new: str) -> bool:
    """Keep the same password under stronger parameters; False when it was changed meanwhile."""
    sql = "UPDATE credential SET password_hash = ? WHERE login = ? AND password_hash = ?"
    return connection.execute(sql, (new, login, old)).rowcount == 1


def set_second_factor(connection: Connection, login: str, secret: str | None, at: datetime) -> None:
    """Keep a person's second factor, or (None) that there is none any more; codes for a lost one go with it."""
    connection.execute(
        "INSERT INTO credential (login, totp_secret, changed_at) VALUES (?, ?, ?) ON CONFLICT (login) DO UPDATE"
        " SET totp_secret = excluded.totp_secret, totp_counter = NULL, changed_at = excluded.changed_at",
        (login, secret, moment(at)),
    )
    drop_codes(connection, login, "recovery")


def use_counter(connection: Connection, login: str, counter: int) -> bool:
    """Take the code of a time step; False when that or a later one has been taken already."""
    sql = "UPDATE credential SET totp_counter = ? WHERE login = ? AND (totp_counter IS NULL OR totp_counter < ?)"
    return connection.execute(sql, (counter, login, counter)).rowcount == 1


def disable(connection: Connection, login: str, at: datetime) -> bool:
    """Keep a person out from now on, signed in or not; False when that was so already."""
    now = moment(at)
    changed = connection.execute(
        "INSERT INTO credential (login, disabled_at, changed_at) VALUES (?, ?, ?) ON CONFLICT (login) DO UPDATE"
        " SET disabled_at = excluded.disabled_at WHERE credential.disabled_at IS NULL",
        (login, now, now),
    ).rowcount
    connection.execute("DELETE FROM one_time_code WHERE login = ?", (login,))
    end_sessions(connection, login)
    return changed == 1


def enable(connection: Connection, login: str) -> bool:
    """Let a person in again who was kept out; False when nobody kept them out."""
    sql = "UPDATE credential SET disabled_at = NULL WHERE login = ? AND disabled_at IS NOT NULL"
    return connection.execute(sql, (login,)).rowcount == 1


def add_codes(connection: Connection, codes: Sequence[NewCode], at: datetime) -> None:
    """Keep codes for one use, and forget those whose time is over."""
    now = moment(at)
    connection.execute("DELETE FROM one_time_code WHERE expires_at <= ?", (now,))
    connection.executemany(
        "INSERT INTO one_time_code (code_hash, login, purpose, made_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        [
            (one.code_hash, one.login, one.purpose, now, None if one.expires_at is None else moment(one.expires_at))
            for one in codes
        ],
    )


def drop_codes(connection: Connection, login: str, purpose: str) -> None:
    """What was given out to a person for a purpose is good no more."""
    connection.execute("DELETE FROM one_time_code WHERE login = ? AND purpose = ?", (login, purpose))


def whose_code(connection: Connection, code_hash: str, purposes: Iterable[str], at: datetime) -> str | None:
    """Whose code this is while it is good, without using it; None when it is not."""
    wanted = tuple(purposes)
    marks = ",".join("?" * len(wanted))
    row = connection.execute(
        f"SELECT login FROM one_time_code WHERE code_hash = ? AND purpose IN ({marks}) AND used_at IS NULL"  # noqa: S608 marks
        " AND (expires_at IS NULL OR expires_at > ?)",
        (code_hash, *wanted, moment(at)),
    ).fetchone()
    return None if row is None else str(row[0])


def use_code(connection: Connection, code_hash: str, login: str, at: datetime) -> bool:
    """Use a person's code up; False when it is used, another's, or its time is over."""
    now = moment(at)
    sql = (
        "UPDATE one_time_code SET used_at = ? WHERE code_hash = ? AND login = ? AND used_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > ?)"
    )
    return connection.execute(sql, (now, code_hash, login, now)).rowcount == 1


def codes_left(connection: Connection, login: str, purpose: str) -> int:
    """How many of a person's codes are not used."""
    sql = "SELECT count(*) FROM one_time_code WHERE login = ? AND purpose = ? AND used_at IS NULL"
    row = connection.execute(sql, (login, purpose)).fetchone()
    return 0 if row is None else int(row[0])


def know_device(connection: Connection, device: str, login: str, at: datetime) -> None:
    """Keep that a person has signed in from a device."""
    connection.execute(
        "INSERT INTO device (hash, login, seen_at) VALUES (?, ?, ?)"
        " ON CONFLICT (hash, login) DO UPDATE SET seen_at = excluded.seen_at",
        (device, login, moment(at)),
    )


def knows_device(connection: Connection, device: str, login: str) -> bool:
    """Whether a person has signed in from a device before."""
    row = connection.execute("SELECT 1 FROM device WHERE hash = ? AND login = ?", (device, login)).fetchone()
    return row is not None


def forget_devices(connection: Connection, login: str) -> None:
    """From now on no device is known to be a person's."""
    connection.execute("DELETE FROM device WHERE login = ?", (login,))


def hold_bucket(connection: Connection, bucket: str, at: datetime) -> Tries:
    """What is known of a bucket; whoever else looks at it waits until the transaction ends."""
    now = moment(at)
    row = connection.execute(
        "INSERT INTO login_attempt (bucket, tries, last_at, free_at) VALUES (?, 0, ?, ?)"
        " ON CONFLICT (bucket) DO UPDATE SET bucket = excluded.bucket RETURNING tries, last_at, free_at",
        (bucket, now, now),
    ).fetchone()
    tries, last_at, free_at = row or (0, now, now)
    return Tries(int(tries), str(last_at), str(free_at))


def write_bucket(connection: Connection, bucket: str, tries: Tries) -> None:
    """Keep how a bucket stands; call in the transaction that holds it."""
    connection.execute(
        "UPDATE login_attempt SET tries = ?, last_at = ?, free_at = ? WHERE bucket = ?", (*tries, bucket)
    )


def clear_buckets(connection: Connection, buckets: Iterable[str]) -> None:
    """Begin to count anew."""
    connection.executemany("DELETE FROM login_attempt WHERE bucket = ?", [(one,) for one in buckets])


def forget_tries(connection: Connection, before: datetime) -> None:
    """Forget buckets in which nothing has happened since a moment."""
    connection.execute("DELETE FROM login_attempt WHERE last_at < ?", (moment(before),))
