"""Every name a workflow uses exists: states, triggers, rules, roles, fields, facts and more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from unicodedata import is_normalized

from engine.checking.subjects import Complaint, Step, Subject
from engine.definition import CANCELLED, NEW, RESERVED_ROLES, MachineFile, MoveKind, Reason, Sign, Slot, Transition, Who
from engine.errors import nearest
from engine.expressions.kinds import Kind, parse_kind
from engine.scopes import BUILT_IN
from engine.usual import is_offered
from engine.vocabulary import Vocabulary

STUDENT = frozenset({"student"})

Named = tuple[str, tuple[Step, ...]]
"""A name and the path where it stands."""


def listed(names: Iterable[str], *path: Step) -> Iterator[Named]:
    """Each name of a list with the path to it."""
    for index, name in enumerate(names):
        yield name, (*path, index)


def unknown(subject: Subject, what: str, known: Collection[str], named: Iterable[Named]) -> Iterator[Complaint]:
    """A complaint for each name that is not known, with the nearest that is."""
    for name, path in named:
        if name not in known:
            message = f"no {what} '{name}'.{nearest(name, known)}"
            yield subject.says(f"unknown-{what}", message, *path)


def states(subject: Subject) -> Iterator[Complaint]:
    """`unknown-state`: from, to, while, invariants."""
    own = subject.machine.states
    for trigger, one in subject.machine.transitions.items():
        origins = listed(one.origins, "transitions", trigger, "from")
        yield from unknown(subject, "state", {*own, CANCELLED, NEW}, origins)
        targets = listed(one.targets, "transitions", trigger, "to")
        yield from unknown(subject, "state", {*own, CANCELLED}, targets)
    for name, deadline in subject.machine.deadlines.items():
        running = listed(deadline.running, "deadlines", name, "while")
        yield from unknown(subject, "state", own, running)
    for name, invariant in subject.machine.invariants.items():
        kept = [*listed(invariant.never_left, "invariants", name, "never_left")]
        if invariant.since is not None:
            kept.append((invariant.since, ("invariants", name, "since")))
        yield from unknown(subject, "state", own, kept)


def upgrades(subject: Subject) -> Iterator[Complaint]:
    """`unknown-state`, `wrong-value`: where the cases of an earlier version go on."""
    definition = subject.definition
    if subject.part is not None:
        return
    for version, moved in definition.upgrades.items():
        here = ("upgrades", str(version))
        if version >= definition.version:
            message = f"this is version {definition.version}; only cases of earlier ones are moved to it."
            yield subject.says_of("wrong-value", message, *here)
        targets = [(new, (*here, old)) for old, new in moved.items()]
        yield from unknown(subject, "state", {*definition.states, CANCELLED}, targets)


def triggers(subject: Subject) -> Iterator[Complaint]:
    """`unknown-trigger`: against, invariants, missed deadlines."""
    machine = subject.machine
    named: list[Named] = []
    for trigger, one in machine.transitions.items():
        if one.sign is not None and one.sign.against is not None:
            named.append((one.sign.against, ("transitions", trigger, "sign", "against")))
    for name, deadline in machine.deadlines.items():
        if deadline.missed is not None:
            named.append((deadline.missed.fire, ("deadlines", name, "missed", "fire")))
    for name, invariant in machine.invariants.items():
        named.extend(listed(invariant.in_order, "invariants", name, "in_order"))
    yield from unknown(subject, "trigger", machine.transitions, named)


def distinct(subject: Subject) -> Iterator[Complaint]:
    """`unknown-trigger`, `unknown-slot`: the steps no person takes two of."""
    transitions = subject.machine.transitions
    for index, apart in enumerate(subject.machine.distinct):
        for name, path in listed(apart, "distinct", index):
            trigger, _, slot = name.partition(".")
            yield from unknown(subject, "trigger", transitions, [(trigger, path)])
            if slot and trigger in transitions:
                slots = dict(slots_of(transitions[trigger]))
                yield from unknown(subject, "slot", slots, [(slot, path)])


def rules(subject: Subject) -> Iterator[Complaint]:
    """`unknown-rule`: guards, unless, warns, signatures, what settles a deadline."""
    for name, path in rules_named(subject):
        yield from unknown(subject, "rule", subject.library.rulebook.rules, [(name, path)])


def rules_named(subject: Subject) -> Iterator[Named]:
    """Every rule a machine names, and where."""
    yield from machine_rules(subject.machine)


def machine_rules(machine: MachineFile) -> Iterator[Named]:
    """Every rule a machine names, and where within it."""
    for trigger, one in machine.transitions.items():
        here = ("transitions", trigger)
        yield from listed(one.guards, *here, "guards")
        yield from listed(one.unless, *here, "unless")
        yield from listed(one.warns, *here, "warns")
        for name, slot in slots_of(one):
            yield from listed(slot.guards, *here, "sign", "slots", name, "guards")
    for name, deadline in machine.deadlines.items():
        yield from listed(deadline.settled, "deadlines", name, "settled")


def slots_of(transition: Transition) -> Iterator[tuple[str, Slot]]:
    """The signatures of a transition, by name."""
    if transition.sign is not None:
        yield from transition.sign.slots.items()


def people(transition: Transition) -> Iterator[tuple[Who, tuple[Step, ...]]]:
    """Everybody who acts in a transition or signs it, with the path within it."""
    for index, who in enumerate(transition.by):
        yield who, ("by", index)
    for name, slot in slots_of(transition):
        yield slot, ("sign", "slots", name)


def roles(subject: Subject) -> Iterator[Complaint]:
    """`unknown-role`: who acts, signs, records, is told, reminded or alarmed."""
    known = subject.library.rulebook.organisation.roles
    for trigger, one in subject.machine.transitions.items():
        here = ("transitions", trigger)
        for who, path in people(one):
            acting = [(who.role, (*here, *path, "role"))]
            yield from unknown(subject, "role", {*known, *RESERVED_ROLES}, acting)
            others = list(
                listed(
                    who.delegates.roles if who.delegates else (),
                    *here,
                    *path,
                    "delegates",
                    "roles",
                )
            )
            if who.recorded_by is not None:
                others.append((who.recorded_by, (*here, *path, "recorded_by")))
            yield from unknown(subject, "role", known, others)
        told = [(tell.to, (*here, "tell", index, "to")) for index, tell in enumerate(one.tell)]
        yield from unknown(subject, "role", {*known, *STUDENT}, [*told, *_signer_roles(one.sign, here)])
    yield from unknown(subject, "role", {*known, *STUDENT}, _told_of_deadlines(subject))
    for state, one_state in subject.machine.states.items():
        queue = listed(one_state.queue, "states", state, "queue")
        yield from unknown(subject, "role", {*known, *STUDENT}, queue)


def _signer_roles(sign: Sign | None, here: tuple[Step, ...]) -> Iterator[Named]:
    if sign is not None and sign.add is not None:
        yield from listed(sign.add.by, *here, "sign", "add", "by")
        yield from listed(sign.add.roles, *here, "sign", "add", "roles")
    if sign is not None and sign.drop is not None:
        yield from listed(sign.drop.by, *here, "sign", "drop", "by")


def messages(subject: Subject, known: Collection[str]) -> Iterator[Complaint]:
    """`unknown-message`: what those a step tells of itself are told."""
    for trigger, one in subject.machine.transitions.items():
        said = (
            (tell.message, ("transitions", trigger, "tell", index, "message"))
            for index, tell in enumerate(one.tell)
            if tell.message is not None
        )
        yield from unknown(subject, "message", known, said)


def _told_of_deadlines(subject: Subject) -> Iterator[Named]:
    for name, deadline in subject.machine.deadlines.items():
        if deadline.remind is not None:
            yield from listed(deadline.remind.to, "deadlines", name, "remind", "to")
        if deadline.escalate is not None:
            yield deadline.escalate.to, ("deadlines", name, "escalate", "to")


def fields(subject: Subject) -> Iterator[Complaint]:
    """`unknown-field`, `unknown-fact`: asks, accepts, set, about."""
    machine = subject.machine
    own = {*machine.fields, "reason"}
    for trigger, one in machine.transitions.items():
        here = ("transitions", trigger)
        yield from unknown(subject, "field", own, listed(one.asks, *here, "asks"))
        yield from unknown(subject, "field", own, listed(one.accepts, *here, "accepts"))
        for target in one.assigns:
            yield from _assigned(subject, target, (*here, "set"))
    about = [
        (one.removeprefix("case."), path) for one, path in listed(machine.about, "about") if one.startswith("case.")
    ]
    yield from unknown(subject, "field", machine.fields, about)


def _assigned(subject: Subject, target: str, path: tuple[Step, ...]) -> Iterator[Complaint]:
    """One target of `set`: a field, a fact of the student, or the fact a choice field names."""
    machine, vocabulary = subject.machine, subject.library.rulebook.vocabulary
    if target.startswith("student[case.") and target.endswith("]"):
        field = target.removeprefix("student[case.").removesuffix("]")
        known, name, what = set(machine.fields), field, "field"
    else:
        group, _, name = target.partition(".")
        what = {"case": "field", "student": "fact"}.get(group, "name")
        known = {"field": set(machine.fields), "fact": _stored(vocabulary), "name": set()}[what]
    if name not in known:
        message = f"'{target}' cannot be set: no {what} '{name}'.{nearest(name, known)}"
        yield subject.says_of(f"unknown-{what}", message, *path, target)


def _stored(vocabulary: Vocabulary) -> set[str]:
    """The facts that have a value of their own; a derived one follows from others."""
    return {name for name, fact in vocabulary.student.items() if fact.derive is None}


def reasons(subject: Subject) -> Iterator[Complaint]:
    """`nothing-asks`, `twice`, `wrong-value`: usual reasons nobody is asked for, can tell apart, or could send."""
    steps = subject.machine.transitions
    votes = {one.sign.against for one in steps.values() if one.sign is not None}
    for kind in MoveKind:
        said = subject.machine.reasons.of(kind)
        of_kind = {name: one for name, one in steps.items() if one.kind is kind and one.reasons is None}
        if said and not any(name in votes or is_offered(one) for name, one in of_kind.items()):
            message = f"no step of kind '{kind}' here is taken by staff and without reasons of its own."
            yield subject.says_of("nothing-asks", message, "reasons", kind)
        yield from _told_apart(subject, said, "reasons", kind)
    for name, one in steps.items():
        here = ("transitions", name, "reasons")
        can_oppose = one.sign is not None and one.sign.against is not None
        if one.reasons and name not in votes and not (is_offered(one) and ("reason" in one.asked or can_oppose)):
            yield subject.says_of("nothing-asks", "no staff are asked why with this step.", *here)
        yield from _told_apart(subject, one.reasons or (), *here)


def _told_apart(subject: Subject, said: Sequence[Reason], *here: Step) -> Iterator[Complaint]:
    for lang in ("zh", "en"):
        texts = [getattr(one, lang) for one in said]
        for place, text in enumerate(texts):
            if text in texts[:place]:
                yield subject.says("twice", "this reason stands here already.", *here, place, lang)
            elif not is_normalized("NFC", text):
                message = "a character is written in pieces (not NFC), so the text could not be sent."
                yield subject.says("wrong-value", message, *here, place, lang)


def documents(subject: Subject) -> Iterator[Complaint]:
    """`unknown-document`: needs, reviews, issues, on_one_of."""
    named = list(documents_named(subject))
    yield from unknown(subject, "document", subject.library.rulebook.documents, named)


def documents_named(subject: Subject) -> Iterator[Named]:
    """Every document a machine names, and where."""
    if subject.machine.members is not None:
        yield from listed(subject.machine.members.on_one_of, "members", "on_one_of")
    for trigger, one in subject.machine.transitions.items():
        here = ("transitions", trigger)
        yield from listed(one.needs, *here, "needs")
        yield from listed(one.reviews, *here, "reviews")
        yield from listed(one.issues, *here, "issues")
        for name, slot in slots_of(one):
            yield from listed(slot.needs, *here, "sign", "slots", name, "needs")


def units(subject: Subject) -> Iterator[Complaint]:
    """`unknown-unit`, `unknown-batch`: what a case is about, and where a role counts."""
    vocabulary, organisation = (
        subject.library.rulebook.vocabulary,
        subject.library.rulebook.organisation,
    )
    for one, path in listed(subject.machine.about, "about"):
        if one.startswith("batch "):
            kind = one.removeprefix("batch ")
            yield from unknown(subject, "batch", vocabulary.batch, [(kind, path)])
        elif not one.startswith("case."):
            yield from unknown(subject, "unit", {*organisation.units, *STUDENT}, [(one, path)])
    for trigger, transition in subject.machine.transitions.items():
        here = ("transitions", trigger)
        for who, inner in people(transition):
            if who.at is not None and not who.at.startswith("case."):
                yield from unknown(subject, "unit", organisation.units, [(who.at, (*here, *inner, "at"))])
        for name, slot in slots_of(transition):
            each = [] if slot.each is None else [(slot.each, (*here, "sign", "slots", name, "each"))]
            yield from unknown(subject, "unit", organisation.units, each)


def types(subject: Subject) -> Iterator[Complaint]:
    """`unknown-type`, `unknown-choice`, `unknown-unit`, `unknown-batch`: the types of fields."""
    for name, field in subject.machine.fields.items():
        for code, message in type_faults(field.type, subject):
            yield subject.says(code, message, "fields", name, "type")


def type_faults(text: str, subject: Subject) -> Iterator[tuple[str, str]]:
    """What is wrong with a type as written."""
    try:
        kind = parse_kind(text)
    except ValueError as error:
        yield "unknown-type", str(error)
        return
    yield from _kind_faults(kind, subject)


def _kind_faults(kind: Kind, subject: Subject) -> Iterator[tuple[str, str]]:
    book = subject.library.rulebook
    known: Collection[str]
    match kind.name:
        case "choice":
            known = book.vocabulary.choices
        case "unit":
            known = book.organisation.units
        case "batch":
            known = book.vocabulary.batch
        case "value_of":
            known = subject.machine.fields
        case _:
            for part in kind.parts:
                yield from _kind_faults(part, subject)
            return
    if kind.of not in known:
        what = {"value_of": "field"}.get(kind.name, kind.name)
        yield f"unknown-{what}", f"no {what} '{kind.of}'.{nearest(kind.of, known)}"


def clashes(subject: Subject) -> Iterator[Complaint]:
    """`name-clash`: a field called like a fact or like what every case has; a reserved state."""
    facts = subject.library.rulebook.vocabulary.student if "student" in subject.machine.about else {}
    for name in subject.machine.fields:
        if name in facts:
            yield subject.says_of("name-clash", f"'{name}' is a fact of the student.", "fields", name)
        elif name in {*BUILT_IN, "reason"} - {"batch"}:
            yield subject.says_of("name-clash", f"every case has '{name}' already.", "fields", name)
    for name in subject.machine.states:
        if name in {NEW, CANCELLED}:
            yield subject.says_of("name-clash", f"'{name}' is a reserved state.", "states", name)


def profiles(subject: Subject) -> Iterator[Complaint]:
    """`unknown-profile`, and `twice` where a profile has two records."""
    known = subject.library.rulebook.organisation.profiles
    profile = subject.definition.profile
    if subject.part is None and profile not in known:
        yield subject.says("unknown-profile", f"no profile '{profile}'.{nearest(profile, known)}", "profile")
    rivals = [one.workflow for one in subject.neighbours.values() if one.record]
    if subject.part is None and subject.definition.record and len(rivals) > 1:
        message = f"'{profile}' has more than one record: {', '.join(sorted(rivals))}."
        yield subject.says("twice", message, "record")
