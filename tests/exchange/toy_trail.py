"""A procedure and its history written out by hand, so that the verifier is held against the words and not the engine.

One case of each kind is honest; a forgery changes one thing and is taken by the verifier's own replay.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.trail.event import chain_name
from tests.trail.verifying import verifier

Event = dict[str, Any]
Story = list[Event]

LAW, LATER_LAW, BOOK, OTHER_BOOK = "a" * 64, "b" * 64, "c" * 64, "d" * 64
LETTER = "f" * 64
"""What a template's publication says beside its name; it publishes nothing that a step may be judged by."""
CASE, STUDENT, OTHER = chain_name(7), chain_name(-3), chain_name(9)
WHO: Mapping[str, tuple[str, str]] = {
    "ann": ("operator", "S1"), "bob": ("checker", "S1"), "cy": ("head", "P"), "dan": ("sealer", "S1"),
    "eve": ("operator", "S2"), "flo": ("records_section", "P"), "gus": ("checker", "S1"), "hal": ("head", "P"),
    "sam": ("security_admin", "P"),
}  # fmt: skip
"""Who holds which role where."""

DEFINITION: Mapping[str, Any] = {
    "workflow": "loan", "procedure": "W-99", "version": 1, "profile": "toy", "about": ["student"], "rounds": 1,
    "title": {"zh": "借", "en": "Loan"},
    "fields": {
        "purpose": {"type": "text"}, "level": {"type": "text"}, "day": {"type": "date"}, "batch": {"type": "batch b"},
        "secret": {"type": "text", "privacy": "personal"},
    },
    "states": {
        "asked": {}, "checked": {}, "approved": {}, "shelved": {"rests": True}, "lent": {"final": True},
        "refused": {"final": True}, "lapsed": {"final": True},
    },
    "transitions": {
        "ask": {
            "from": ["new"], "to": ["asked"], "by": [{"role": "operator"}], "asks": ["purpose"], "accepts": ["batch"],
        },
        "check": {
            "from": ["asked"], "to": ["checked"], "by": [{"role": "checker"}], "guards": ["known", "cheap"],
            "set": {"case.level": "'high' if amount > 5 else 'low'", "student.seen_by_us": "true"},
            "retractable": True, "applies": "amount >= 0",
        },
        "note": {"from": ["asked"], "by": [{"role": "effect"}], "accepts": ["day"]},
        "give_back": {
            "from": ["checked"], "to": ["asked", "shelved"], "kind": "return", "by": [{"role": "checker"}],
        },
        "approve": {
            "from": ["checked"], "to": ["approved"],
            "sign": {
                "slots": {"head": {"role": "head"}, "second": {"role": "head"}, "seal": {"role": "sealer"}},
                "order": "sequence", "against": "refuse", "add": {"by": ["head"], "roles": ["checker"], "at_most": 1},
            },
        },
        "refuse": {"from": ["checked"], "to": ["refused"], "kind": "reject", "by": [{"role": "head"}]},
        "lend": {
            "from": ["approved"], "to": ["lent"], "by": [{"role": "operator"}], "needs": ["E-1"], "reviews": ["E-1"],
            "then": [{"fire": "record.note", "applies": "amount > 5"}, {"fire": "record.stamp"}],
        },
        "expire": {"from": ["asked"], "to": ["lapsed"], "by": [{"role": "timer"}]},
        "student_ask": {
            "from": ["asked"], "by": [{"role": "student", "delegates": {"roles": ["operator"], "reasons": ["ill"]}}],
        },
        "wake": {"from": ["shelved"], "to": ["asked"], "by": [{"role": "operator"}]},
    },
    "deadlines": {"D": {"while": ["asked"], "due": "day", "missed": {"fire": "expire"}}},
    "invariants": {"INV-1": {"never_left": ["checked"]}},
    "distinct": [["ask", "check", "approve.second"]],
}  # fmt: skip
LATER_DEFINITION: Mapping[str, Any] = {**DEFINITION, "version": 2, "upgrades": {"1": {"asked": "asked"}}}
RULEBOOK: Mapping[str, Any] = {
    "rules": {
        "known": {"id": "T-1", "title": {}, "holds": "known(level)"},
        "cheap": {
            "id": "T-2", "title": {}, "let": {"most": "12.50"}, "applies": "level == '专科'", "holds": "owed <= most",
        },
        "small": {"id": "T-3", "title": {}, "holds": "file.bytes < 100"},
    },
    "engine": {
        "asked-missing": {"id": "X-05"}, "rounds-used-up": {"id": "X-07"}, "document-missing": {"id": "X-09"},
        "never-left": {"id": "X-60"},
    },
    "documents": {"E-1": {"file": ["pdf"], "rules": ["small"], "ticks": {"clear": {}}}},
    "vocabulary": {
        "student": {
            "level": {"type": "choice level"}, "owed": {"type": "money"}, "amount": {"type": "number"},
            "seen_by_us": {"type": "yes_no"},
        },
        "batch": {"b": {"fields": {"until": {"type": "date"}}}},
    },
}  # fmt: skip


def at(second: int) -> str:
    """A moment of the story."""
    return f"2024-05-13T01:00:{second:02}.000000Z"


def registry() -> Story:
    """What the registry's chain tells: units, people, and what was published."""
    told: list[tuple[str, Event]] = [
        ("unit_changed", {"unit": "P", "kind": "province", "parent": None, "name": "P"}),
        *(("unit_changed", {"unit": unit, "kind": "site", "parent": "P", "name": unit}) for unit in ("S1", "S2")),
        *(
            ("role_changed", {"login": login, "role": role, "unit": unit, "held": True})
            for login, (role, unit) in WHO.items()
        ),
        ("role_changed", {"login": "pupil", "role": "student", "about": STUDENT, "held": True}),
        *(("definition_published", {"definition": law}) for law in (LAW, LATER_LAW)),
        *(("definition_published", {"rulebook": book}) for book in (BOOK, OTHER_BOOK)),
        ("batch_published", {"batch": "B", "values": {"until": "2024-06-01"}, "rulebook": BOOK}),
        ("definition_published", {"message": "order/letter.txt", "rulebook": LETTER}),
        ("definition_published", {"batch": "2025-06", "rulebook": LETTER}),
    ]
    return [
        {"kind": kind, "seq": seq, "at": at(0), "actor": "setup", "data": data}
        for seq, (kind, data) in enumerate(told, start=1)
    ]


def event(kind: str, who: str, **data: Any) -> Event:
    """An event of the case; its place and moment follow from where it stands."""
    role, unit = WHO.get(who, ("", ""))
    return {"kind": kind, "actor": who, "role": role, "unit": unit, "definition": LAW, "rulebook": BOOK, "data": data}


def step(trigger: str, who: str, before: str, to: str, **data: Any) -> Event:
    """A step that was taken."""
    return event("moved", who, trigger=trigger, **{"from": before}, to=to, **data)


SEEN: Event = {"level": "专科", "owed": "12.50", "amount": 6}
SAID: Event = {"known": "holds", "cheap": "holds"}


def opened() -> Story:
    data: Event = {
        "trigger": "ask", "from": "new", "to": "asked", "workflow": "loan", "unit": "S1", "about": {"student": STUDENT},
        "fields": {"purpose": "reading"}, "deadlines": {"D": {"due": at(50)}},
    }  # fmt: skip
    return [event("opened", "ann", **data)]


def checked() -> Story:
    told = step(
        "check", "bob", "asked", "checked", seen=copy.deepcopy(SEEN), verdicts=dict(SAID), fields={"level": "high"},
        facts=["seen_by_us"], deadlines={"D": None},
    )  # fmt: skip
    return [*opened(), told]


def given_back() -> Story:
    told = step("give_back", "gus", "checked", "asked", reason="again", rounds=1, deadlines={"D": {"due": at(50)}})
    return [*checked(), told]


def shelved() -> Story:
    told = step("give_back", "gus", "checked", "shelved", reason="again", rests=True)
    return [*checked(), told, step("wake", "ann", "shelved", "asked", deadlines={"D": {"due": at(50)}})]


def taken_back() -> Story:
    data: Event = {
        "trigger": "check", "from": "checked", "to": "asked", "fields": {"purpose": "reading"},
        "taken": {"ask": ["ann"]}, "rounds": 0, "slots": {}, "deadlines": {"D": {"due": at(50)}},
    }  # fmt: skip
    return [*checked(), event("noted", "flo", note="?"), event("retracted", "bob", **data)]


def signed(slot: str, who: str, missing: Sequence[str], vote: str = "yes") -> Event:
    return event(
        "signed", who, trigger="approve", **{"from": "checked"}, slot=slot, vote=vote, signing="approve",
        missing=list(missing),
    )  # fmt: skip


def approved() -> Story:
    last = step("approve", "dan", "checked", "approved", slot="seal", vote="yes", signing="approve")
    return [*checked(), signed("head", "cy", ["second", "seal"]), signed("second", "hal", ["seal"]), last]


def objected() -> Story:
    no = step("refuse", "cy", "checked", "refused", slot="head", vote="no", signing="approve", reason="no")
    return [*checked(), no]


def added() -> Story:
    path = "/P/S1/"
    block = {"approve": {"added": {"+1": {"role": "checker", "unit": "S1", "path": path}}}}
    more = event(
        "signer_changed", "cy", trigger="approve", **{"from": "checked"}, added="+1", signer="checker", at_unit="S1",
        slots=block,
    )  # fmt: skip
    return [*checked(), more, signed("head", "cy", ["second", "seal", "+1"])]


def put_before() -> Story:
    """A signer added between two who sign in sequence, and the one who follows."""
    seat = {"role": "checker", "unit": "S1", "path": "/P/S1/", "before": "second"}
    more = event(
        "signer_changed", "cy", trigger="approve", **{"from": "checked"}, added="+1", signer="checker", at_unit="S1",
        before="second", slots={"approve": {"added": {"+1": seat}}},
    )  # fmt: skip
    first = signed("head", "cy", ["+1", "second", "seal"])
    return [*checked(), more, first, signed("+1", "gus", ["second", "seal"]), signed("second", "hal", ["seal"])]


def lent() -> Story:
    file = {"sha256": "e" * 64, "kind": "pdf", "bytes": 99}
    handed_in = event(
        "evidence_added", "ann", trigger="attach:E-1", **{"from": "approved"}, document="E-1", file=file,
        verdicts={"small": "holds"},
    )  # fmt: skip
    seen = {"trigger": "view:E-1", "document": "E-1", "added": 6, "sha256": "e" * 64}
    last = step(
        "lend", "ann", "approved", "lent", seen={"amount": 6}, effects=["record.note", "record.stamp"],
        ticks={"E-1.clear": True},
    )  # fmt: skip
    return [*approved(), handed_in, event("viewed", "bob", **seen), last]


def looked_over() -> Story:
    """Personal values were shown, somebody wrote a comment and sent a copy: nothing of it decides anything."""
    shown = event("viewed", "bob", trigger="view:facts", revealed=["id_number"], purpose="contact")
    own = event("viewed", "pupil", **{**shown["data"], "trigger": "view:facts"}) | {"role": "student", "unit": "S1"}
    beside = [event("commented", "ann", trigger="comment"), event("copied", "ann", trigger="copy", colleagues=["bob"])]
    return [*opened(), shown, own, *beside, *checked()[1:]]


def withdrawn() -> Story:
    gone = event(
        "evidence_withdrawn", "ann", trigger="withdraw:E-1", **{"from": "approved"}, document="E-1", added=6, reason="x"
    )
    return [*lent()[:6], gone]


def expired() -> Story:
    late = event("late", "timer", deadline="D", due=at(0))
    fired = step("expire", "timer", "asked", "lapsed", deadlines={"D": None}) | {"role": "timer", "unit": ""}
    story = [*opened(), late, fired]
    story[0]["data"]["deadlines"]["D"]["due"] = at(0)
    return story


def reminded() -> Story:
    told: Event = {"deadline": "D", "due": at(50), "rung": "before:1d"}
    moved: Event = {"deadline": "D", "old": at(50), "new": at(55), "extended": True, "reason": "ill"}
    counted = event("deadline_moved", "timer", deadline="D", old=at(55), new=at(54)) | {
        "cause": {"chain": CASE, "seq": 3}
    }
    return [*opened(), event("reminded", "timer", **told), event("deadline_moved", "ann", **moved), counted]


def noted() -> Story:
    told = step("note", "cy", "asked", "asked", people=[], fields={"day": "2024-05-13"}) | {"role": "effect"}
    return [*opened(), told | {"unit": "S1", "cause": {"chain": OTHER, "seq": 4}}]


def cancelled() -> Story:
    told = step("cancelled", "cy", "asked", "cancelled", people=[], deadlines={"D": None}) | {"role": "effect"}
    return [*opened(), told | {"unit": "S1", "cause": {"chain": OTHER, "seq": 4}}]


def refused() -> Story:
    said = {"known": "holds", "cheap": "fails"}
    told = event(
        "refused", "bob", trigger="check", **{"from": "asked"}, verdicts=said, seen={**SEEN, "owed": "12.51"},
        engine=[], failed=["T-2"], undecided=[],
    )  # fmt: skip
    return [*opened(), told]


def stopped() -> Story:
    """A second return is refused: the cap is one."""
    told = event(
        "refused", "gus", trigger="give_back", **{"from": "checked"}, verdicts={}, reason="again",
        engine=["rounds-used-up"], failed=["X-07"], undecided=[],
    )  # fmt: skip
    again = copy.deepcopy(checked()[1])
    return [*given_back(), again, told]


def held_back() -> Story:
    """What the definition promises refuses a step under the promise's own name."""
    told = event(
        "refused", "gus", trigger="give_back", **{"from": "checked"}, verdicts={}, reason="again",
        engine=["never-left"], failed=["INV-1"], undecided=[],
    )  # fmt: skip
    return [*checked(), told]


def in_batch() -> Story:
    story = checked()
    story[0]["data"]["fields"]["batch"] = "B"
    story[1]["data"]["seen"] |= {"batch.until": "2024-06-01", "today": "2024-05-13", "case.purpose": "reading"}
    return story


def relocated() -> Story:
    told = event("relocated", "cy", unit="S2", was="S1") | {"cause": {"chain": OTHER, "seq": 4}}
    return [*opened(), {key: value for key, value in told.items() if key not in ("role", "unit")}]


def migrated() -> Story:
    told = event("migrated", "flo", **{"from": "asked"}, to="asked", was=LAW) | {"definition": LATER_LAW}
    return [*opened(), told]


def by_deputy() -> Story:
    """A checker lends the right to an operator of another site, who checks."""
    loan: Event = {
        "by": "bob",
        "to": "eve",
        "role": "checker",
        "unit": "S1",
        "why": "ill",
        "until": at(50),
        "for_good": False,
    }
    told = checked()[1] | {"actor": "eve", "delegation": {"by": "bob", "why": "ill", "until": at(50)}}
    told["data"]["people"] = ["eve", "bob"]
    return [*opened(), event("delegated", "bob", **loan), told]


def handed_on() -> Story:
    """A checker leaves, and whoever looks after people hands on what the checker had."""
    left: Event = {
        "by": "bob", "to": "gus", "role": "checker", "unit": "S1", "why": "left", "until": None, "for_good": True,
    }  # fmt: skip
    return [*opened(), event("handed_over", "sam", **left)]


def for_the_student() -> Story:
    loan: Event = {
        "by": STUDENT,
        "to": "ann",
        "role": "student",
        "unit": "S1",
        "why": "ill",
        "until": at(50),
        "for_good": False,
    }
    told = step("student_ask", "ann", "asked", "asked", people=["ann", STUDENT]) | {
        "role": "student", "delegation": {"by": STUDENT, "why": "ill", "until": at(50)},
    }  # fmt: skip
    return [*opened(), event("delegated", "flo", **loan), told]


def by_the_student() -> Story:
    return [*opened(), step("student_ask", "pupil", "asked", "asked") | {"role": "student", "unit": "S1"}]


HONEST: Sequence[Callable[[], Story]] = (
    opened, checked, given_back, shelved, taken_back, approved, objected, added, put_before,
    lent, looked_over, withdrawn, expired,
    reminded, noted, cancelled, refused, stopped, held_back, in_batch, relocated,
    migrated, by_deputy, handed_on, for_the_student, by_the_student,
)  # fmt: skip


def placed(story: Story) -> Story:
    """Every event with its number and moment."""
    return [{"seq": seq, "at": at(seq), **one} for seq, one in enumerate(story, start=1)]


def found(story: Story, *, people: Story | None = None) -> set[str]:
    """The codes of what the verifier finds in a story."""
    report = verifier.Report()
    ground = verifier.Ground()
    for one in registry() if people is None else people:
        ground.take(one)
    library = verifier.Library({LAW: DEFINITION, LATER_LAW: LATER_DEFINITION}, {BOOK: RULEBOOK, OTHER_BOOK: RULEBOOK})
    replay = verifier.CaseReplay(CASE, ground, library, report)
    for one in placed(story):
        try:
            told = verifier.Told(one, None, hidden=False)
        except ValueError:
            report.add("shape", "形状", "shape")
            continue
        replay.take(told)
    return {one.code for one in report.findings}
