"""Linked cases: what a move does to other cases, and whether those are ready for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, product

from engine.checking.names import unknown
from engine.checking.subjects import Complaint, Step, Subject, reached, subjects
from engine.definition import Effect, MachineFile, Members, Transition
from engine.errors import nearest
from engine.library import Library
from engine.scopes import batch_kind
from engine.vocabulary import NAMES

Site = tuple[Step, ...]


def effects_of(subject: Subject) -> Iterator[tuple[Effect, Site]]:
    """Every effect of a machine, and where it stands."""
    for trigger, one in subject.machine.transitions.items():
        for index, effect in enumerate(one.then):
            yield effect, ("transitions", trigger, "then", index)


def members(subject: Subject) -> Iterator[Complaint]:
    """`unknown-workflow`, `wrong-value`: a list of what there is none of; forms that do not share its members out."""
    gathered = subject.machine.members
    if gathered is None:
        return
    if not subject.called(gathered.of):
        message = f"no workflow '{gathered.of}' in this profile.{nearest(gathered.of, subject.neighbours)}"
        yield subject.says("unknown-workflow", message, "members", "of")
    if len(gathered.on_one_of) == 1:
        yield subject.says("wrong-value", "one form shares nobody out: name two or more.", "members", "on_one_of", 0)
    yield from _sharing(subject, gathered)


def _sharing(subject: Subject, gathered: Members) -> Iterator[Complaint]:
    """`wrong-value`: forms that are not made when the members are fixed, or do not tell the members apart."""
    documents = subject.library.rulebook.documents
    issued = [kind for kind in subject.machine.issued_when_fixed if kind in documents]
    made = [kind for kind in issued if documents[kind].made_from == "members"]
    telling = _never_empty(subject.called(gathered.of))
    for index, kind in enumerate(gathered.on_one_of):
        if kind not in documents:
            continue
        if kind not in made:
            message = f"'{kind}' is not made of the members by the step that fixes them.{nearest(kind, made)}"
        elif not telling & {*documents[kind].columns}:
            columns = " or ".join(f"'{name}'" for name in NAMES if name in telling)
            message = f"'{kind}' does not tell its members apart: give it the column {columns}."
        else:
            continue
        yield subject.says("wrong-value", message, "members", "on_one_of", index)


def _never_empty(machines: Sequence[MachineFile]) -> frozenset[str]:
    """The columns by which every member is known (`engine.drafts.form_from`): a case has a number from the start."""
    about_students = bool(machines) and all("student" in one.about for one in machines)
    return frozenset({"number", "student_no"} if about_students else {"number"})


def verbs(subject: Subject) -> Iterator[Complaint]:
    """`wrong-value`, `unknown-field`, `unknown-unit`: words of move, cancel and for_each."""
    units = subject.library.rulebook.organisation.units
    for effect, site in effects_of(subject):
        if effect.cancel not in {None, "open_cases"}:
            yield subject.says("wrong-value", "only `cancel: open_cases` is possible.", *site, "cancel")
        if effect.move not in {None, "student"}:
            yield subject.says("wrong-value", "only `move: student` is possible.", *site, "move")
        if effect.move is not None:
            field = (effect.to or "").removeprefix("case.")
            yield from unknown(subject, "field", subject.machine.fields, [(field, (*site, "to"))])
        if effect.for_each is not None:
            named = [(effect.for_each, (*site, "for_each"))]
            yield from unknown(subject, "unit", {*units, "student"}, named)


def targets(subject: Subject) -> Iterator[Complaint]:
    """What is fired or opened: it exists, lists `effect`, and is given all it asks."""
    for effect, site in effects_of(subject):
        verb = "fire" if effect.fire is not None else "open"
        target = effect.fire or effect.open
        if target is not None:
            yield from _target(subject, effect, (*site, verb))


def _target(subject: Subject, effect: Effect, path: Site) -> Iterator[Complaint]:
    name, _, trigger = (effect.fire or effect.open or "").rpartition(".")
    machines = subject.called(name)
    if not machines:
        message = f"no workflow '{name}' in this profile.{nearest(name, subject.neighbours)}"
        yield subject.says("unknown-workflow", message, *path)
    for machine in machines:
        fired = machine.transitions.get(trigger)
        if fired is None:
            message = f"'{name}' has no trigger '{trigger}'.{nearest(trigger, machine.transitions)}"
            yield subject.says("unknown-trigger", message, *path)
            continue
        yield from _readiness(subject, effect, machine, fired, path)


def _readiness(
    subject: Subject, effect: Effect, machine: MachineFile, fired: Transition, path: Site
) -> Iterator[Complaint]:
    if not any(who.role == "effect" for who in fired.by):
        message = "the linked step is not `by: effect`."
        yield subject.says("effect-not-allowed", message, *path)
    if effect.open is not None and not fired.opens:
        yield subject.says("effect-not-allowed", "the linked step opens no case.", *path)
    dimensions = own_dimensions(machine) if fired.opens else set()
    missing = sorted(set(fired.asked) - set(effect.values) - dimensions)
    if missing:
        yield subject.says("effect-asks", f"`with` lacks {', '.join(missing)}.", *path)
    known = {*fired.asked, *fired.accepts, *dimensions}
    for field in effect.values:
        if field not in known:
            message = f"the linked step takes no '{field}'.{nearest(field, known)}"
            yield subject.says_of("unknown-field", message, *path[:-1], "with", field)
    if effect.open is not None:
        lacking = sorted(_lacking(subject, effect, machine))
        if lacking:
            what = ", ".join(lacking)
            message = f"the case to open is also about {what}: share it or give it in `with`."
            yield subject.says("opening-lacks", message, *path)


def own_dimensions(machine: MachineFile) -> set[str]:
    """What is given to identify a case besides its student and unit: fields, and its batch."""
    fields = {one.removeprefix("case.") for one in machine.about if one.startswith("case.")}
    return fields | {"batch" for one in machine.about if one.startswith("batch ")}


def _lacking(subject: Subject, effect: Effect, machine: MachineFile) -> Iterator[str]:
    given = {*effect.values, *own_dimensions(subject.machine)}
    for one in machine.about:
        if one.startswith("case."):
            shared = one.removeprefix("case.") in given
        elif one.startswith("batch "):
            shared = one == f"batch {batch_kind(subject.machine)}" or "batch" in given
        elif one == "student":
            shared = "student" in subject.machine.about or effect.for_each == "student"
        else:
            shared = True  # a unit is found above the case's own, or is the one of `for_each`
        if not shared:
            yield one


def nothing_fires(library: Library) -> Iterator[Complaint]:
    """`nothing-fires`: a step that only effects take, and no effect of its profile takes it."""
    everybody = tuple(subjects(library))
    fired = {
        (one.definition.profile, *called)
        for one in everybody
        for transition in one.machine.transitions.values()
        for called in _fired(one, transition)
    }
    for subject in everybody:
        profile, names = subject.definition.profile, _names(subject)
        for trigger, one in subject.machine.transitions.items():
            only_effects = bool(one.by) and all(who.role == "effect" for who in one.by)
            if only_effects and not any((profile, name, trigger) in fired for name in names):
                message = f"only effects take '{trigger}', and none does."
                yield subject.says_of("nothing-fires", message, "transitions", trigger)


def effect_cycle(library: Library) -> Iterator[Complaint]:
    """`effect-cycle`: a step whose effects come back to it, so that the act would never end."""
    everybody = tuple(subjects(library))
    edges = _chains(everybody)
    for subject in everybody:
        for trigger in subject.machine.transitions:
            step = (subject.definition.profile, subject.name, trigger)
            if step in reached(edges[step], edges):
                message = f"the effects of '{trigger}' lead back to it."
                yield subject.says_of("effect-cycle", message, "transitions", trigger)


_Called = tuple[str, str, str]
"""A step as effects call it: profile, name of the machine, trigger."""


def _chains(everybody: Sequence[Subject]) -> Mapping[_Called, frozenset[_Called]]:
    """Step → the steps its effects take."""
    meant: dict[_Called, set[_Called]] = {}
    for subject in everybody:
        for name, trigger in product(_names(subject), subject.machine.transitions):
            step = (subject.definition.profile, subject.name, trigger)
            meant.setdefault((subject.definition.profile, name, trigger), set()).add(step)
    edges: dict[_Called, frozenset[_Called]] = {}
    for subject in everybody:
        profile = subject.definition.profile
        for trigger, one in subject.machine.transitions.items():
            taken = (meant.get((profile, *called), set()) for called in _fired(subject, one))
            edges[profile, subject.name, trigger] = frozenset(chain.from_iterable(taken))
    return edges


def _fired(subject: Subject, transition: Transition) -> Iterator[tuple[str, str]]:
    """What the effects of a step fire or open: name of the machine, and trigger."""
    for effect in transition.then:
        name, _, trigger = (effect.fire or effect.open or "").rpartition(".")
        if name == "members" and subject.machine.members is not None:
            name = subject.machine.members.of
        yield name, trigger


def _names(subject: Subject) -> set[str]:
    """What effects may call a machine: by its name, its family, and the record as such."""
    names = {subject.name, subject.definition.family or subject.name}
    return names | {"record"} if subject.definition.record and subject.part is None else names


def asked_fields(subject: Subject) -> Iterator[Complaint]:
    """`twice`: what must be given cannot also be optional."""
    for trigger, one in subject.machine.transitions.items():
        twice = [name for name in one.accepts if name in one.asks]
        if twice:
            message = f"'{', '.join(twice)}' must be given; it cannot also be optional."
            yield subject.says("twice", message, "transitions", trigger, "accepts")
