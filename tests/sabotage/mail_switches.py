"""The switches of mail: each breaks what keeps a mail from coming twice, in memory and for one test only."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from engine.store import mails, schema
from notifications import sending
from tests.sabotage.builds import Build
from tests.sabotage.switches import edit

Patch = pytest.MonkeyPatch


def _no_slot(patch: Patch) -> None:
    honest = schema.upgrade

    def upgrade(engine: Engine) -> None:
        honest(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("DROP INDEX uq_mail_slot")

    patch.setattr(schema, "upgrade", upgrade)


def _doubtful_tried_again(patch: Patch) -> None:
    patch.setitem(sending._STATES, "unknown", "waiting")  # noqa: SLF001 a switch reaches inside
    edit(patch, mails, "_DOUBTFUL", "SET state = 'unknown'", "SET state = 'waiting'")


def _epoch_ignored(patch: Patch) -> None:
    edit(patch, mails, "_CLAIM", " AND epoch <= ?", " AND ? >= 0")
    for name in ("_HAND_OVER", "_NOTE", "_NOTE_ACCEPTED", "_LET_GO"):
        edit(patch, mails, name, " AND epoch = ?", " AND ? >= 0")


def _lease_not_asked(patch: Patch) -> None:
    patch.setattr(sending, "still_held", lambda *_: True)


def _neither(patch: Patch) -> None:
    _epoch_ignored(patch)
    _lease_not_asked(patch)


NO_SLOT = Build(name="no unique (recipient, slot)", sabotage=_no_slot)
DOUBTFUL_TRIED_AGAIN = Build(name="mails that may have arrived are tried again", sabotage=_doubtful_tried_again)
EPOCH_IGNORED = Build(name="the epoch of a mail is ignored", sabotage=_epoch_ignored)
LEASE_NOT_ASKED = Build(name="the lease is not asked before a mail leaves", sabotage=_lease_not_asked)
NEITHER_LEASE_NOR_EPOCH = Build(name="neither the lease nor the epoch is asked", sabotage=_neither)
