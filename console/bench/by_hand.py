"""The yardstick's head: the steps of the cycle as one would write them for this one purpose, without an engine.

Rules are plain Python on plain dictionaries, states and roles are constants, a missing fact is a KeyError. The event
has the keys and the bytes of the engine's own; hash, MAC and case number are computed by the very same functions, so
nothing of a ratio comes from them. What the yardstick cannot do is refuse: it only ever sees cases that may move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from console.bench.lanes_by_hand import NEXT, Waits, wait_by_hand
from console.bench.scene import AT, Act
from engine.records import case_number
from engine.trail.chain import event_hash
from engine.trail.event import canonical, moment

_TODAY = AT.date().isoformat()
_MOMENT = moment(AT)

Row = tuple[Any, ...]  # what a database hands over has the types of its columns
"""id, path, state, revision, seq, head, fields, taken, rounds, facts; others and batch values where they are read; and
last, how often it came back."""

Judged = tuple[dict[str, str], dict[str, object]]
"""What each rule said, and what was seen."""

Grant = tuple[str, str, str]
"""A role, the unit it is held at, and the unit's path."""


class NotByHandError(Exception):
    """The case may not move; a yardstick that refused would no longer be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What stands in every event: the log, the definition, the rulebook; and the MAC's key, ready to use."""

    log: str
    definition: str
    rulebook: str
    mac: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The rows one step writes; the first is the UPDATE's parameters, version predicate last.

    `waited` says that the case was in a lane before.
    """

    update: tuple[object, ...]
    event: tuple[object, ...]
    told: tuple[object, ...] | None
    waited: bool
    waits: Waits
    deed: tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandStep:
    """One step as constants."""

    origin: str
    target: str
    role: str
    says: Mapping[str, str]
    apart: tuple[str, ...] = ()
    judge: Callable[[Row, Mapping[str, object]], Judged] | None = None
    reads_others: bool = False
    reads_batch: bool = False
    told: str | None = None
    rests: bool = False
    sends_back: bool = False


def decide_by_hand(row: Row, act: Act, request: str, grant: Grant, letterhead: Letterhead) -> Decided:
    """The rows that a step of the cycle writes.

    Raises:
        NotByHandError: If the case may not take the step.
    """
    case, path, state, revision, seq, head, fields_text, taken_text, rounds = row[:9]
    step = STEPS[act.trigger]
    taken = orjson.loads(taken_text)
    if state != step.origin or grant[0] != step.role or not path.startswith(grant[2]):
        raise NotByHandError(act.trigger)
    if any(act.login in taken.get(earlier, ()) for earlier in step.apart):
        raise NotByHandError(act.trigger)
    data: dict[str, object] = {"trigger": act.trigger, "from": state, "to": step.target}
    if step.judge is not None:
        verdicts, data["seen"] = step.judge(row, taken)
        if not _OPEN.issuperset(verdicts.values()):
            raise NotByHandError(act.trigger)
        data["verdicts"] = verdicts
    fields = orjson.loads(fields_text)
    if act.fields:
        kept = {name: value for name, value in act.fields.items() if name != "reason"}
        data["fields"] = {name: value for name, value in kept.items() if fields.get(name) != value}
        fields.update(kept)
        fields_text = canonical(fields).decode()
        if "reason" in act.fields:
            data["reason"] = act.fields["reason"]
    if step.rests:
        data["rests"], taken, rounds = True, {}, 0
    else:
        taken.setdefault(act.trigger, []).append(act.login)
    sent_back = row[-1] + step.sends_back
    event = {
        "v": 1, "log": letterhead.log, "chain": f"case/{case_number(case)}", "seq": seq + 1, "kind": "moved",
        "prev": head.hex(), "request": request, "at": _MOMENT, "actor": act.login, "role": grant[0], "unit": grant[1],
        "definition": letterhead.definition, "rulebook": letterhead.rulebook, "data": data, **step.says,
    }  # fmt: skip
    body = canonical(event)
    digest = event_hash(body)
    return Decided(
        update=(
            step.target, seq + 1, digest, fields_text, canonical(taken).decode(), rounds, fields.get("batch"), _MOMENT,
            sent_back, case, revision, seq,
        ),
        event=(case, seq + 1, request, body, digest, letterhead.mac(body)),
        told=(case, seq + 1, step.told, "moved") if step.told else None,
        waited=step.origin in NEXT,
        waits=wait_by_hand(
            (case, path, step.target, fields.get("batch")), (row[9], row[-2]), taken,
            (letterhead.definition, letterhead.rulebook, _MOMENT), sent_back=sent_back > 0,
        ),
        deed=(case, seq + 1, act.login, act.trigger, _MOMENT, False),
    )  # fmt: skip


_OPEN = frozenset({"holds", "not_applicable"})
_CHANGES = ("status-change", "leave-of-absence", "resumption-of-study", "student-information-change")


def _word(holds: object) -> str:
    return "holds" if holds else "fails"


def _others(text: str | None) -> list[list[str]]:
    """The student's other cases, each as workflow, state, batch."""
    return [] if text is None else [one.split("|") for one in text.split(",")]


def _judge_application(row: Row, _taken: Mapping[str, object]) -> Judged:
    facts, others, pairs = orjson.loads(row[9]), _others(row[10]), orjson.loads(row[11])["pairs"]
    state, until = row[2], facts.get("max_study_until")
    settled = not any(workflow in _CHANGES for workflow, _, _ in others)
    applies = facts["cohort"] == _COHORT_EXAMINED and facts["level"] in ("专科", "专升本")
    verdicts = {
        "in-batch": _word(state == "enrolled" and [facts["cohort"], facts["level"]] in pairs),
        "prior-qualification": _word(facts["prior_qualification"] in ("符合", "审核通过")),
        "key-info-settled": _word(facts["key_info_confirmed"] and settled),
        "terms-passed": _word(facts["terms_passed"] >= facts["terms_required"]),
        "level-exam-passed": _word(facts["level_exam"] == "合格") if applies else "not_applicable",
        "photo-ready": _word(
            facts["photo_collected"] and facts["photo_review"] == "通过" and facts["identity_check"] != "未通过"
        ),
        "fees-paid": _word(Decimal(facts["fee_owed"]) == 0),
        "file-complete": _word(facts["card_filled"] and facts["form_filled"] and facts["form_signed"]),
        "within-study-period": "not_applicable" if until is None else _word(until >= _TODAY),
        "no-open-change": _word(settled),
    }
    seen = {name: facts[name] for name in _READ_AT_APPLICATION}
    seen |= {"batch.pairs": pairs, "record.state": state, "today": _TODAY, _NO_CHANGE: settled, _NO_CORRECTION: settled}
    return verdicts, seen


_COHORT_EXAMINED = 2022
"""S000-2.4: the level examination is asked of this cohort alone."""

_READ_AT_APPLICATION = (
    "card_filled", "cohort", "fee_owed", "form_filled", "form_signed", "identity_check", "key_info_confirmed", "level",
    "level_exam", "photo_collected", "photo_review", "prior_qualification", "terms_passed", "terms_required",
)  # fmt: skip
_NO_CHANGE = "none(cases('status-change'), it.open)"
_NO_CORRECTION = "none(cases('student-information-change'), it.open)"
_ON_A_LIST = "any(cases('graduation-eligibility-review'), it.batch == case.batch)"
_ON_A_CONFIRMED_LIST = (
    "any(cases('graduation-eligibility-review'), it.batch == case.batch and it.state in ('confirmed', 'concluded'))"
)


def _judge_at_site(row: Row, _taken: Mapping[str, object]) -> Judged:
    facts = orjson.loads(row[9])
    lists = [
        state for workflow, state, batch in _others(row[10])
        if workflow == "graduation-eligibility-review" and batch == orjson.loads(row[6])["batch"]
    ]  # fmt: skip
    confirmed = any(state in ("confirmed", "concluded") for state in lists)
    seen = {name: facts[name] for name in ("electronic_photo", "file_reviewed", "site_opinion")}
    verdicts = {
        "file-reviewed": _word(facts["file_reviewed"] and facts["site_opinion"]),
        "electronic-photo": _word(facts["electronic_photo"]),
        "on-confirmed-list": _word(confirmed) if lists else "not_applicable",
    }
    return verdicts, seen | {_ON_A_LIST: bool(lists), _ON_A_CONFIRMED_LIST: confirmed}


def _judge_at_province(_row: Row, taken: Mapping[str, object]) -> Judged:
    site, branch = "site_approve" in taken, "branch_approve" in taken
    verdicts = {"both-approvals": _word(site and branch)}
    return verdicts, {"taken('site_approve')": site, "taken('branch_approve')": branch}


_SECTION = "records_section"

STEPS = {
    "apply": HandStep(
        origin="enrolled", target="applied", role="site_operator", says={"on_behalf_of": "student"},
        apart=("site_approve", "branch_approve", "provincial_audit"), judge=_judge_application, reads_others=True,
        reads_batch=True, told="student",
    ),
    "site_approve": HandStep(
        origin="applied", target="site_approved", role="site_approver", says={},
        apart=("apply", "branch_approve", "provincial_audit"), judge=_judge_at_site, reads_others=True,
    ),
    "branch_approve": HandStep(
        origin="site_approved", target="branch_approved", role=_SECTION, says={},
        apart=("apply", "site_approve", "provincial_audit"),
    ),
    "provincial_audit": HandStep(
        origin="branch_approved", target="provincially_audited", role=_SECTION, says={"done_by": "provincial_auditor"},
        apart=("apply", "site_approve", "branch_approve"), judge=_judge_at_province,
    ),
    "national_reject": HandStep(
        origin="provincially_audited", target="enrolled", role=_SECTION, says={"done_by": "national_auditor"},
        rests=True, sends_back=True,
    ),
}  # fmt: skip
