"""A procedure with every kind of deadline, and what its rows should be: a loan that must be checked, paid and ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from engine.actors import TIMER
from engine.definition import Definition
from engine.library import Library
from engine.publishing import publish_batch
from engine.records import Request
from engine.settling import standings
from engine.store.cases import read_cases
from engine.store.deadlines import Row, due_rows, hold, of_cases
from engine.timers import Firing, fire_timer, is_to_fire, mark_late
from engine.vocabulary import CalendarText, Document, Rule
from tests.engine.lab import CHECK, loan, rule, with_loan
from tests.engine.town import BATCH, NOW, Town, town_at

LADDER = {"to": "site_operator", "before": ["7d", "3d", "1d", "0d"], "overdue": "1d"}
DEADLINES: Mapping[str, Mapping[str, object]] = {
    "by-opening": {
        "title": {"zh": "审核", "en": "Check"}, "while": ["asked", "checked"], "due": "days_after(case.opened_on, 10)",
        "remind": LADDER, "escalate": {"to": "records_section", "after": "1d"},
    },
    "by-fact": {
        "title": {"zh": "发证后", "en": "After issue"}, "while": ["asked"], "due": "days_after(issued_on, 30)",
        "settled": ["paid"], "remind": LADDER,
    },
    "by-batch": {
        "title": {"zh": "照片", "en": "Photos"}, "while": ["asked", "checked"], "due": "batch.photo_by",
        "remind": LADDER, "settled": ["card"],
    },
    "by-stay": {
        "title": {"zh": "处理", "en": "Work"}, "while": ["checked"], "due": "working_days_after(case.entered_on, 3)",
    },
    "over": {
        "title": {"zh": "期满", "en": "Over"}, "while": ["asked", "checked"], "due": "days_after(case.opened_on, 40)",
        "missed": {"fire": "lapse"},
    },
}  # fmt: skip
RULES: Mapping[str, Rule] = {
    "paid": rule("fee_owed == 0"),
    "card": rule("has('T-CARD')"),
    "unowed": rule("fee_owed == 0"),
}
CARD, TERM = "T-CARD", "2024-12"
"""A paper, and a batch published under the rules below."""
_CARD = {"title": {"zh": "卡片", "en": "Card"}, "source": "test", "file": ["jpeg"]}
TRANSITIONS: Mapping[str, Mapping[str, object]] = {
    **CHECK,
    "ask": {
        "from": "new", "to": "asked", "by": ["site_operator", "effect"], "asks": ["batch"],
    },
    "check": {**CHECK["check"], "retractable": True, "bulk": True},
    "put_aside": {"from": ["asked", "checked"], "to": "shelved", "by": "site_approver"},
    "take_up": {"from": "shelved", "to": "asked", "by": "site_approver"},
    "note": {"from": "asked", "by": "site_operator", "accepts": ["remark"]},
    "lend": {"from": "checked", "to": "lent", "by": "site_approver", "kind": "advance"},
    "lapse": {"from": ["asked", "checked"], "to": "lent", "by": "timer", "guards": ["unowed"]},
}  # fmt: skip


def clock_loan(steps: Mapping[str, Mapping[str, object]], version: int) -> Definition:
    """A loan with those deadlines; `steps` replace those of the same name."""
    fields = {
        "batch": {"type": "batch graduation", "title": {"zh": "批次", "en": "Batch"}},
        "there": {"type": "text", "title": {"zh": "转入单位", "en": "Where to"}},
        "remark": {"type": "text", "title": {"zh": "备注", "en": "Remark"}},
    }
    upgrades = {} if version == 1 else {"upgrades": {1: {"asked": "checked"}}}
    written = {"deadlines": DEADLINES, "fields": fields, "unique": "never", "version": version, **upgrades}
    return loan({**TRANSITIONS, **steps}, **written)


@contextmanager
def ticking(
    url: str,
    library: Library,
    *,
    extra: Mapping[str, Rule] = MappingProxyType({}),
    calendar: CalendarText | None = None,
    version: int = 1,
    steps: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
) -> Iterator[Town]:
    """A desk that lends by the clock, with further rules, steps of its own, or another calendar."""
    library = with_loan(library, clock_loan(steps, version))
    book = library.rulebook
    more: dict[str, object] = {
        "rules": {**book.rules, **RULES, **extra},
        "documents": {**book.documents, CARD: Document.model_validate(_CARD)},
        "calendar": book.calendar if calendar is None else calendar,
    }
    batches = {**library.batches, TERM: library.batches[BATCH].model_copy(update={"batch": TERM})}
    library = replace(library, rulebook=book.model_copy(update=more), batches=batches)
    with town_at(url, library) as town:
        town.desk.publish(NOW, "setup")
        if town.desk.batch(TERM) is None:
            publish_batch(town.desk, TERM, town.request("publish", "records.sx"))
        yield town


def rows(town: Town, case: int) -> dict[str, Row]:
    return {row.name: row for row in of_cases(town.connection, [case]).get(case, [])}


def agree(town: Town) -> None:
    """Every row that is kept is the one that would be made now, and the trail says so too."""
    town.desk.refresh()
    ids = [int(str(row[0])) for row in town.connection.execute("SELECT id FROM cases").fetchall()]
    kept, asked = of_cases(town.connection, ids), Request(trigger="", actor=TIMER, at=NOW)
    for case, found in read_cases(town.connection, ids).items():
        own = {row.name: row for row in kept.get(case, [])}
        fresh = standings(town.desk, found, asked)
        assert own.keys() == fresh.keys(), (found.case.state, own, fresh)
        for name, standing in fresh.items():
            assert own[name].settled == standing.is_settled, name
            assert own[name].extended or own[name].due_at == standing.due, name
    assert town.replayed().diverged == ()


def scan(town: Town, at: datetime) -> list[Firing]:
    """What a scan does about late marks and timers, without telling anybody."""
    request = Request(trigger="scan", actor=TIMER, at=at)
    fired = []
    for row in due_rows(town.connection, at, 1000):
        with town.connection.writing():
            held = hold(town.connection, row.case, row.name)
            held = None if held is None else mark_late(town.desk, held, request)
        if held is not None and is_to_fire(town.desk, held):
            fired.append(fire_timer(town.desk, held, request))
    return fired
