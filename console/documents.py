"""What `--json` says of verdicts, refusals and timelines; the keys are a contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from engine.definition import Bilingual
from engine.eligibility import Eligibility
from engine.facts import FactRefusal
from engine.prospects import Prospect, SeatStanding, Signatures
from engine.queues import Waiting
from engine.records import Json, Outcome, Sentence, Verdict
from engine.store.deadlines import Row
from engine.timeline import Entry
from engine.trail.event import moment

Document = dict[str, object]


def words(text: Bilingual | Sentence) -> Mapping[str, str]:
    """A text in both languages."""
    return {"zh": text.zh, "en": text.en}


def refusal(student_no: str, failed: Iterable[str], undecided: Iterable[str]) -> Document:
    """One student who was refused: the ids of the rules, sorted."""
    return {"student_no": student_no, "failed": list(failed), "undecided": list(undecided)}


def fact_refusal(one: FactRefusal) -> Document:
    """A row that was read well and is refused by rules."""
    return refusal(one.student_no, ids(one.verdicts, Outcome.FAILS), ids(one.verdicts, Outcome.UNDECIDED))


def ids(verdicts: Iterable[Verdict], outcome: Outcome) -> list[str]:
    """The ids of the rules with this outcome, sorted, each once."""
    return sorted({one.id for one in verdicts if one.outcome is outcome})


def eligibility(one: Eligibility) -> Document:
    """One student of a batch."""
    return {
        "student_no": one.student_no,
        "eligible": one.eligible,
        "failed": list(one.failed),
        "undecided": list(one.undecided),
        "not_applicable": list(one.not_applicable),
    }


def verdict(one: Verdict) -> Document:
    """What one rule said, with its sentence where it does not hold."""
    return {
        "id": one.id,
        "rule": one.rule,
        "outcome": one.outcome.word,
        "title": words(one.title),
        "sentence": words(one.sentence) if one.outcome.refuses else None,
        "remedy_by": one.remedy_by,
        "remedy": words(one.remedy) if one.remedy else None,
        "source": list(one.source),
    }


def prospect(one: Prospect) -> Document:
    """A step that leads on, with every verdict."""
    return {
        "trigger": one.trigger,
        "title": words(one.title),
        "to": list(one.targets),
        "roles": list(one.roles),
        "could": list(one.could),
        "asks": list(one.asks),
        "is_open": one.is_open,
        "verdicts": [verdict(each) for each in one.verdicts],
        "documents": [verdict(each) for each in one.papers],
        "signatures": None if one.signatures is None else _signatures(one.signatures),
    }


def _signatures(one: Signatures) -> Document:
    """The signatures of a step, seat by seat."""
    return {
        "needed": one.needed,
        "given": one.given,
        "missing": list(one.missing),
        "in_sequence": one.in_sequence,
        "seats": [_seat(each) for each in one.seats],
    }


def _seat(one: SeatStanding) -> Document:
    vote = one.given
    return {
        "slot": one.name,
        "role": one.role,
        "unit": one.unit,
        "seal": one.seal,
        "by": None if vote is None else vote.by,
        "for": None if vote is None else vote.giver,
        "vote": None if vote is None else "yes" if vote.yes else "no",
        "is_turn": one.is_turn,
        "could": list(one.could),
    }


def entry(one: Entry) -> Mapping[str, Json]:
    """A line of a timeline; personal values are named, never told."""
    return {
        "at": one.at,
        "chain": one.chain,
        "seq": one.seq,
        "kind": one.kind,
        "actor": one.actor,
        "role": one.role,
        "trigger": one.trigger,
        "from": one.origin,
        "to": one.target,
        "failed": list(one.failed),
        "undecided": list(one.undecided),
        "changed": dict(one.changed),
        "sealed": list(one.sealed),
        "reason": one.reason,
        "taker": one.taker,
    }


def deadline(row: Row, at: datetime) -> Document:
    """One deadline of a case, as it stands at a moment."""
    return {
        "deadline": row.name,
        "due_at": None if row.due_at is None else moment(row.due_at),
        "settled": row.settled,
        "late": row.is_over(at),
        "extended": row.extended,
        "blocked": row.blocked,
    }


def waiting(one: Waiting, at: datetime) -> Document:
    """A case in a queue."""
    return {
        "case": one.number,
        "revision": one.revision,
        "student_no": one.student_no,
        "workflow": one.workflow,
        "state": one.state,
        "unit": one.unit,
        "batch": one.batch,
        "since": one.since,
        "role": one.role,
        "triggers": list(one.triggers),
        "slots": {trigger: list(slots) for trigger, slots in one.slots.items()},
        "givers": list(one.givers),
        "deadlines": [deadline(row, at) for row in one.deadlines],
    }
