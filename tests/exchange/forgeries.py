"""What somebody who holds every key can write into a case, and the code by which the verifier names each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.exchange import toy_trail as toy
from tests.exchange.toy_trail import Event, Story

Forge = Callable[[Story], object]


class Forgery(NamedTuple):
    """A story, what is changed in it, and what is found."""

    name: str
    code: str
    story: Callable[[], Story]
    forge: Forge


def data(place: int, **said: Any) -> Forge:
    """Let an event say something else in its innermost part; None: not say it."""

    def forge(story: Story) -> None:
        told = story[place]["data"]
        told.update(said)
        for name in [name for name, value in said.items() if value is None]:
            del told[name]

    return forge


def outside(place: int, **said: Any) -> Forge:
    """Let an event say something else of who, when and by what."""
    return lambda story: story[place].update(said)


def seen(place: int, **values: Any) -> Forge:
    """Let something else have been seen; a dot is written as two underscores."""
    return lambda story: story[place]["data"]["seen"].update(
        {name.replace("__", "."): value for name, value in values.items()}
    )


def verdict(place: int, rule: str, word: str) -> Forge:
    """Flip a verdict."""
    return lambda story: story[place]["data"]["verdicts"].update({rule: word})


def again(place: int) -> Forge:
    """Let an event happen a second time."""
    return lambda story: story.append(dict(story[place]))


def appended(event: Event) -> Forge:
    """Let one thing more happen."""
    return lambda story: story.append(event)


def without(place: int) -> Forge:
    """Leave an event out."""
    return lambda story: story.pop(place)


def both(*forges: Forge) -> Forge:
    """Several changes."""
    return lambda story: [forge(story) for forge in forges]


def _late(story: Story) -> None:
    story[0]["data"]["deadlines"]["D"]["due"] = toy.at(0)


def _told_twice(story: Story) -> None:
    story.insert(2, dict(story[1]))


def _signers(**said: Any) -> Forge:
    return both(data(2, **said), lambda story: story.pop())


def _put_before(slot: str) -> Forge:
    def forge(story: Story) -> None:
        story[2]["data"]["before"] = slot
        story[2]["data"]["slots"]["approve"]["added"]["+1"]["before"] = slot

    return forge


FORGERIES: tuple[Forgery, ...] = (
    # who the case is about, and under what
    Forgery("the opening is of another workflow", "opening", toy.opened, data(0, workflow="other")),
    Forgery("the opening is about a unit", "opening", toy.opened, data(0, about={"unit": "S1"})),
    Forgery("the opening is at no unit", "opening", toy.opened, data(0, unit="S9")),
    Forgery("a case is opened twice", "opening", toy.opened, again(0)),
    Forgery("a case begins with a step", "opening", toy.checked, without(0)),
    Forgery("a step by another definition", "pinned", toy.checked, outside(1, definition=toy.LATER_LAW)),
    Forgery("a rulebook that is not the batch's", "pinned", toy.in_batch, outside(1, rulebook=toy.OTHER_BOOK)),
    Forgery("a rulebook nobody has published", "unpublished", toy.checked, outside(1, rulebook="e" * 64)),
    Forgery("a rulebook only a template's event names", "unpublished", toy.checked, outside(1, rulebook=toy.LETTER)),
    Forgery("a rulebook nobody has brought", "definition-missing", toy.checked, outside(1, rulebook="e" * 64)),
    Forgery("a kind of event that cases do not have", "kind", toy.opened, appended(toy.event("sealed", "ann"))),
    Forgery("an event without what its kind says", "shape", toy.checked, data(1, to=None)),
    Forgery("fields that are no object", "shape", toy.checked, data(1, fields=["level"])),
    # where it was and where it went
    Forgery("from a state it was not in", "state", toy.checked, data(1, **{"from": "approved"})),
    Forgery(
        "a step that the state does not have",
        "trigger",
        toy.checked,
        appended(toy.step("wake", "ann", "checked", "asked")),
    ),
    Forgery("a step that nobody knows", "trigger", toy.checked, data(1, trigger="chekc")),
    Forgery("to where the step does not lead", "target", toy.checked, data(1, to="lent")),
    Forgery("a step that did not apply", "applies", toy.checked, seen(1, amount=-1)),
    Forgery("a record's cancelling", "state", toy.cancelled, data(1, to="lent")),
    Forgery(
        "a field that the step does not write",
        "fields",
        toy.checked,
        data(1, fields={"level": "high", "day": "2024-05-13"}),
    ),
    Forgery("a field that is asked for is not there", "fields", toy.opened, data(0, fields={})),
    Forgery("a return without a reason", "fields", toy.given_back, data(2, reason=None)),
    Forgery("a field is set to what does not follow", "assigned", toy.checked, data(1, fields={"level": "low"})),
    Forgery("a fact is written that the step does not write", "assigned", toy.checked, data(1, facts=["owed"])),
    Forgery("a return that is not counted", "rounds", toy.given_back, data(2, rounds=None)),
    Forgery(
        "a return more than there may be",
        "rounds",
        toy.stopped,
        appended(toy.step("give_back", "gus", "checked", "asked", reason="again", rounds=2)),
    ),
    Forgery("a rest that is none", "rests", toy.given_back, data(2, rests=True)),
    Forgery("a rest that is not told", "rests", toy.shelved, data(2, rests=None)),
    # rules
    Forgery("a verdict is flipped", "verdict", toy.refused, both(verdict(1, "cheap", "holds"))),
    Forgery("what was seen is another amount", "verdict", toy.checked, seen(1, owed="12.51")),
    Forgery(
        "what was seen is not there any more",
        "verdict",
        toy.checked,
        lambda story: story[1]["data"]["seen"].pop("level"),
    ),
    Forgery("a value of another type", "seen", toy.checked, seen(1, owed=12)),
    Forgery("another day than it was", "seen", toy.in_batch, seen(1, today="2024-05-14")),
    Forgery("another date of the batch", "seen", toy.in_batch, seen(1, batch__until="2024-07-01")),
    Forgery("another field of the case", "seen", toy.in_batch, seen(1, case__purpose="selling")),
    Forgery("a rule is not asked", "rules", toy.checked, lambda story: story[1]["data"]["verdicts"].pop("cheap")),
    Forgery("a rule is asked that the step does not have", "rules", toy.checked, verdict(1, "small", "holds")),
    Forgery(
        "taken although a rule fails",
        "against-rules",
        toy.checked,
        both(seen(1, owed="99.00"), verdict(1, "cheap", "fails")),
    ),
    Forgery(
        "taken although a rule is undecided",
        "against-rules",
        toy.checked,
        both(lambda story: story[1]["data"]["seen"].pop("owed"), verdict(1, "cheap", "undecided")),
    ),
    Forgery(
        "a file taken although a rule fails",
        "against-rules",
        toy.lent,
        data(5, file={"bytes": 100}, verdicts={"small": "fails"}),
    ),
    Forgery("the rule of a file flipped", "verdict", toy.lent, data(5, file={"bytes": 100, "sha256": "e" * 64})),
    # refusals
    Forgery("refused without a reason", "refusal", toy.refused, data(1, verdicts=None, failed=[], engine=[])),
    Forgery(
        "refused and nothing stood against it",
        "refusal",
        toy.refused,
        both(seen(1, owed="1.00"), verdict(1, "cheap", "holds")),
    ),
    Forgery("refused, and another rule is blamed", "refusal", toy.refused, data(1, failed=["T-1"])),
    Forgery(
        "refused for returns that there were not", "refusal", toy.stopped, lambda story: [story.pop(3), story.pop(2)]
    ),
    # who
    Forgery("a role that does not take the step", "right", toy.checked, outside(1, actor="ann", role="operator")),
    Forgery("a role that the person does not hold", "right", toy.checked, outside(1, actor="ann")),
    Forgery("a role held at another unit", "right", toy.opened, outside(0, actor="eve", unit="S2")),
    Forgery("somebody else is counted", "right", toy.checked, data(1, people=["zoe"])),
    Forgery("on behalf of somebody", "right", toy.checked, outside(1, on_behalf_of="student")),
    Forgery("another student's account", "right", toy.by_the_student, outside(1, actor="ann")),
    Forgery("the clock's step by a person", "right", toy.expired, outside(2, actor="ann")),
    Forgery("the own case", "own-case", toy.checked, both(outside(1, actor="pupil"), data(1, people=["pupil"]))),
    Forgery("two steps kept apart", "distinct", toy.checked, outside(1, actor="ann")),
    Forgery("a delegation that nobody has given", "delegation", toy.by_deputy, without(1)),
    Forgery("a delegation that was over", "delegation", toy.by_deputy, data(1, until=toy.at(1))),
    Forgery("a delegation of what is not one's own", "delegation", toy.by_deputy, data(1, role="head")),
    Forgery("handed on by somebody who may not", "delegation", toy.handed_on, outside(1, actor="flo")),
    Forgery("lent in somebody else's name", "delegation", toy.handed_on, data(1, for_good=False)),
    Forgery("left for a reason that is none", "delegation", toy.for_the_student, data(1, why="busy")),
    Forgery("an effect of nothing", "cause", toy.noted, lambda story: story[1].pop("cause")),
    Forgery("a cancelling of nothing", "cause", toy.cancelled, lambda story: story[1].pop("cause")),
    Forgery("a timer without a missed deadline", "timer", toy.expired, without(1)),
    # signatures
    Forgery("a seat that there is not", "signature-place", toy.approved, data(2, slot="third")),
    Forgery("a seat signed twice", "signature-twice", toy.approved, data(3, slot="head")),
    Forgery("one person in two seats", "signature-twice", toy.approved, outside(3, actor="cy")),
    Forgery("out of turn", "signature-order", toy.approved, data(2, slot="second", missing=["head", "seal"])),
    Forgery("one signature is missing", "quorum-of-slots", toy.approved, without(3)),
    Forgery(
        "no signature at all",
        "quorum-of-slots",
        toy.checked,
        appended(toy.step("approve", "cy", "checked", "approved")),
    ),
    Forgery("a yes taken for a no", "quorum-of-slots", toy.objected, data(2, vote="yes")),
    Forgery("a missing seat that is not told", "quorum-of-slots", toy.approved, data(2, missing=["seal"])),
    Forgery("a signer whom nobody may add", "signers", toy.added, _signers(signer="sealer")),
    Forgery("a signer put before nobody", "signers", toy.put_before, _put_before("third")),
    Forgery("a signer put elsewhere than is said", "signers", toy.put_before, data(2, before="seal")),
    Forgery(
        "a signature before that of the signer put before it",
        "signature-order",
        toy.put_before,
        both(data(5, missing=["+1", "seal"]), without(4)),
    ),
    Forgery(
        "signers changed by whom it is not left to",
        "right",
        toy.added,
        outside(2, actor="bob", role="checker", unit="S1"),
    ),
    # papers
    Forgery(
        "a document that is needed is not there",
        "documents",
        toy.lent,
        both(data(7, ticks=None), lambda story: [story.pop(6), story.pop(5)]),
    ),
    Forgery("a tick that was not given", "documents", toy.lent, data(7, ticks={})),
    Forgery("a form that the step does not make", "documents", toy.checked, data(1, documents={"F-1": "f" * 64})),
    Forgery("a look at another file", "documents", toy.lent, data(6, sha256="f" * 64)),
    Forgery("what is withdrawn is not there", "documents", toy.withdrawn, data(6, added=5)),
    Forgery(
        "a look by who takes no part", "right", toy.lent, outside(6, actor="flo", role="records_section", unit="P")
    ),
    Forgery(
        "personal values shown to who takes no part", "right", toy.looked_over, outside(1, actor="flo", role="clerk")
    ),
    Forgery("personal values shown to another student", "right", toy.looked_over, outside(2, actor="ann")),
    Forgery("a whole case seen as an auditor sees it", "right", toy.looked_over, data(1, trigger="view:case")),
    Forgery("an effect that did not apply", "effects", toy.lent, seen(7, amount=5)),
    Forgery("an effect that was left out", "effects", toy.lent, data(7, effects=["record.note"])),
    # deadlines
    Forgery("late and not marked", "late", toy.checked, _late),
    Forgery("late before it is", "deadline", toy.expired, data(1, due=toy.at(49))),
    Forgery("told twice", "deadline", toy.reminded, _told_twice),
    Forgery("told of another date", "deadline", toy.reminded, data(1, due=toy.at(49))),
    Forgery("another date without a reason", "deadline", toy.reminded, data(2, reason=None)),
    Forgery("another date than ran", "deadline", toy.reminded, data(2, old=toy.at(3))),
    # what else happens to a case
    Forgery("taken back by somebody else", "retraction", toy.taken_back, outside(3, actor="gus")),
    Forgery("taken back to another state", "retraction", toy.taken_back, data(3, to="approved")),
    Forgery(
        "taken back, and a field stays",
        "retraction",
        toy.taken_back,
        data(3, fields={"purpose": "reading", "level": "high"}),
    ),
    Forgery(
        "what cannot be taken back",
        "retraction",
        toy.given_back,
        appended(
            toy.event(
                "retracted",
                "gus",
                trigger="give_back",
                **{"from": "asked"},
                to="checked",
                fields={},
                taken={},
                rounds=0,
                slots={},
            )
        ),
    ),
    Forgery("from a unit it was not at", "relocation", toy.relocated, data(1, was="P")),
    Forgery("to a unit that there is not", "relocation", toy.relocated, data(1, unit="S9")),
    Forgery("to a version by who may not", "right", toy.migrated, outside(1, actor="ann")),
    Forgery("to a state of the version that is another", "migration", toy.migrated, data(1, to="approved")),
    Forgery("to the same version", "migration", toy.migrated, outside(1, definition=toy.LAW)),
)

BY_CODE: Mapping[str, str] = {one.code: one.name for one in FORGERIES}
