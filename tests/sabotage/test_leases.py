"""Promise: of several workers one leads, and one that was paused beyond its lease writes nothing under it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from console.wiring import Office
from engine.store import leases, schema
from engine.store.database import Connection
from engine.store.deadlines import Row, due_rows
from engine.store.leases import Held, still_held, take
from notifications import scanning
from notifications.scanning import scan
from tests.faults.workers import FIRST_RUNG, owing, told
from tests.sabotage.builds import Build, although, breaks_under
from tests.sabotage.switches import Patch, edit

STUDENTS = 3
DUE = FIRST_RUNG + timedelta(seconds=5)


def _ends_ignored(patch: Patch) -> None:
    """Whoever asks gets the lease, whether the other's is over or not."""
    edit(patch, leases, "_TAKE", "lease.until <= ?", "lease.until > '' OR lease.until <= ?")


def _no_fencing(patch: Patch) -> None:
    """Whoever once held a lease believes to hold it still."""
    believed = "CAST(? AS text) || CAST(? AS text) || CAST(? AS text) > ''"
    edit(patch, leases, "_HELD", "holder = ? AND epoch = ? AND until > ?", believed)


def _same_epoch(patch: Patch) -> None:
    edit(patch, leases, "_TAKE", "ELSE lease.epoch + 1 END", "ELSE lease.epoch END")


def _rows_as_read(patch: Patch) -> None:
    """What is due is believed as it stood on the page that was read, whatever has been done about it since."""
    seen: dict[tuple[int, str], Row] = {}

    def due(connection: Connection, now: datetime, limit: int) -> list[Row]:
        found = due_rows(connection, now, limit)
        seen.update({row[:2]: row for row in found})
        return found

    def held(_connection: Connection, case: int, name: str) -> Row | None:
        return seen.get((case, name))

    patch.setattr(scanning, "due_rows", due)
    patch.setattr(scanning, "hold", held)


def _no_unique_rung(patch: Patch) -> None:
    honest = schema.upgrade

    def upgrade(engine: Engine) -> None:
        honest(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("DROP INDEX uq_outbox_rung")

    patch.setattr(schema, "upgrade", upgrade)


def _neither_row_nor_key(patch: Patch) -> None:
    _rows_as_read(patch)
    _no_unique_rung(patch)


ENDS_IGNORED = Build(name="a lease is taken before it is over", sabotage=_ends_ignored)
NO_FENCING = Build(name="no fencing: a lease is believed to last", sabotage=_no_fencing)
SAME_EPOCH = Build(name="the epoch does not rise", sabotage=_same_epoch)
ROWS_AS_READ = Build(name="due rows are not looked at again", sabotage=_rows_as_read)
NO_UNIQUE_RUNG = Build(name="no unique rung", sabotage=_no_unique_rung)
NEITHER_ROW_NOR_KEY = Build(name="neither looked at again nor unique", sabotage=_neither_row_nor_key)


def taken(office: Office, holder: str, seconds: float) -> Held:
    held = take(office.desk.connection, "work", holder, DUE + timedelta(seconds=seconds), 30)
    assert held is not None
    return held


@breaks_under(ENDS_IGNORED)
def test_while_one_leads_nobody_else_does(build, premises):
    with build.tried(), premises.furnished(1) as office, premises.opened() as other:
        taken(office, "one", 0)

        assert take(other.desk.connection, "work", "two", DUE + timedelta(seconds=29), 30) is None


@breaks_under(NO_FENCING)
def test_one_that_was_paused_while_another_took_over_writes_nothing_under_its_old_lease(build, premises):
    with build.tried(), premises.furnished(1) as office, premises.opened() as other:
        connection, paused = office.desk.connection, taken(office, "one", 0)
        taken(other, "two", 31)

        with connection.writing():
            leads = still_held(connection, paused, DUE)

        assert not leads


@breaks_under(SAME_EPOCH)
def test_what_was_claimed_under_an_old_lease_can_be_told_from_what_is_claimed_under_the_new(build, premises):
    with build.tried(), premises.furnished(1) as office, premises.opened() as other:
        assert taken(office, "one", 0).epoch < taken(other, "two", 31).epoch


@breaks_under(although(ROWS_AS_READ), although(NO_UNIQUE_RUNG), NEITHER_ROW_NOR_KEY)
def test_two_scans_that_read_the_same_page_tell_everybody_once(build, premises, monkeypatch):
    with build.tried(), owing(premises, STUDENTS) as office, premises.opened() as other:
        honest, others_turn = vars(scanning)["due_rows"], [lambda: scan(other.desk, DUE, 50)]

        def read_then_be_overtaken(connection: Connection, now: datetime, limit: int) -> list[Row]:
            found: list[Row] = honest(connection, now, limit)
            while others_turn:
                others_turn.pop()()
            return found

        monkeypatch.setattr(scanning, "due_rows", read_then_be_overtaken)
        scan(office.desk, DUE, 50)
        monkeypatch.undo()

        assert told(office.desk.connection) == {"before:7d": STUDENTS}
