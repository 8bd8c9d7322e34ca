"""Pairs of linked machines: acts whose effects get in each other's way, and cases that wait for one that is gone.

A case and the one its steps fire are walked together. Whether the linked case is ready is then no longer free: it is
in one of its own states. A linked case can be opened again unless there is ever only one.
Source: the definition language, sections 7 and 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from engine.analysis.stories import Both, Story, sentence, state_title, story
from engine.analysis.walking import Step, Walk
from engine.checking.people import acting_roles
from engine.checking.subjects import Complaint, Subject, conditions, is_final
from engine.definition import CANCELLED, NEW, Transition

_DEEPEST = 12
"""Effects of effects; deeper is a circle, which is another fault."""


class Fired(NamedTuple):
    """One effect of an act, however deep: which machine's trigger, and whether it surely happens.

    `by_list`: to the members of a list, which gathers anew what is ready.
    """

    target: str
    trigger: str
    where: str
    is_sure: bool
    by_list: bool


class Joint(NamedTuple):
    """Where a case and the case it is linked to stand."""

    own: str
    other: str


@dataclass(frozen=True, kw_only=True)
class Links:
    """The walks of one profile, and what their steps do to each other."""

    walks: Mapping[str, Walk]

    @cached_property
    def record(self) -> str:
        """What `record` means in this profile; empty if there is none."""
        found = (name for name, one in self.walks.items() if one.space.subject.definition.record)
        return next((name for name in found if "." not in name), "")

    def acts(self, subject: Subject, transition: Transition, depth: int = 0) -> Iterator[Fired]:
        """What one step sets off, in the order it happens: depth first."""
        for effect in transition.then if depth < _DEEPEST else ():
            if effect.fire is None:
                continue
            name, _, trigger = effect.fire.rpartition(".")
            by_list = name == "members"
            sure = effect.applies is None and (by_list or effect.expects == "one")
            fired = Fired(self._meant(subject, name), trigger, effect.where or "", sure, by_list)
            yield fired
            target = self.walks.get(fired.target)
            linked = target.space.machine.transitions.get(trigger) if target is not None else None
            if target is not None and linked is not None:
                for further in self.acts(target.space.subject, linked, depth + 1):
                    sure = further.is_sure and fired.is_sure
                    yield further._replace(is_sure=sure, by_list=further.by_list or by_list)

    def _meant(self, subject: Subject, name: str) -> str:
        if name == "members":
            return subject.machine.members.of if subject.machine.members is not None else ""
        return self.record if name == "record" else name


def proven(walks: Iterable[Walk]) -> Iterator[Complaint]:
    """What pairs of linked machines prove wrong, profile by profile."""
    profiles: dict[str, dict[str, Walk]] = {}
    for one in walks:
        profiles.setdefault(one.space.subject.definition.profile, {})[one.space.subject.name] = one
    for profile, machines in profiles.items():
        links = Links(walks=machines)
        for one in machines.values():
            for complaint in (complaint for proof in PROOFS for complaint in proof(links, one)):
                yield replace(complaint, profile=profile)


def double_firing(links: Links, walk: Walk) -> Iterator[Complaint]:
    """`double-firing`, `effect-not-allowed`: one act takes a step twice, or steps that exclude each other."""
    subject = walk.space.subject
    for trigger, one in subject.machine.transitions.items():
        groups: dict[tuple[str, str], list[str]] = {}
        for fired in links.acts(subject, one):
            if fired.is_sure and fired.target in links.walks:
                groups.setdefault((fired.target, fired.where), []).append(fired.trigger)
        for (target, _), triggers in groups.items():
            twice = [name for index, name in enumerate(triggers) if name in triggers[:index]]
            code, message, what = _conflict(links.walks[target], target, triggers, twice)
            if code:
                complaint = subject.says(code, message, "transitions", trigger, "then")
                yield replace(complaint, story=_story_of(walk, trigger, what))


def _conflict(target: Walk, name: str, triggers: list[str], twice: list[str]) -> tuple[str, str, Both]:
    known = target.space.machine.transitions
    titles = [known[one].title for one in triggers if one in known]
    zh, en = "、".join(f"“{one.zh}”" for one in titles), ", ".join(f"'{one.en}'" for one in titles)
    if twice:
        what = Both(f"一次办理对同一案件触发：{zh}。", f"One act takes of one case: {en}.")
        return "double-firing", f"one act takes '{name}.{twice[0]}' of one case twice.", what
    if len(triggers) > 1 and len(titles) == len(triggers) and not _after(target, triggers):
        what = Both(f"没有一种状态可以接连办理：{zh}。", f"There is no state in which these follow: {en}.")
        return "effect-not-allowed", f"'{name}' can never take {', '.join(triggers)} one after another.", what
    return "", "", Both("", "")


def _after(walk: Walk, triggers: Iterable[str]) -> frozenset[str]:
    """The states a case can be in after some steps in a row, wherever it was before."""
    at = frozenset(place.state for place in walk.moves) | {NEW}
    for trigger in triggers:
        at = frozenset(target for origin in at for target in _targets(walk, origin, trigger))
    return at


def _targets(walk: Walk, origin: str, trigger: str) -> frozenset[str]:
    one = walk.space.machine.transitions.get(trigger)
    return frozenset(one.targets or (origin,)) if one is not None and origin in one.origins else frozenset()


def _story_of(walk: Walk, trigger: str, what: Both) -> Story:
    step = next((one for one in walk.steps() if one.move.takes == trigger), None)
    return story(walk.space, walk.after(step) if step is not None else (), what)


def one_person_alone(links: Links, walk: Walk) -> Iterator[Complaint]:
    """`one-person-alone`: who takes a step of a case also takes, by another's effect, one that `distinct` keeps apart.

    What effects take is nobody's own step, so the linked case does not notice (section 3, `distinct`).
    """
    subject = walk.space.subject
    for trigger, one in subject.machine.transitions.items():
        for fired in links.acts(subject, one):
            target = links.walks.get(fired.target)
            for apart in target.space.machine.distinct if target is not None else ():
                steps = target.space.machine.transitions if target is not None else {}
                others = [name for name in {word.partition(".")[0] for word in apart} if name != fired.trigger]
                alone = [name for name in sorted(others) if acting_roles(steps[name]) & acting_roles(one)]
                if fired.trigger in apart and alone:
                    message = (
                        f"who takes '{fired.target}.{alone[0]}' may take this too, which fires '{fired.trigger}': "
                        "distinct keeps the two apart, and does not count what effects take."
                    )
                    complaint = subject.says("one-person-alone", message, "transitions", trigger, "then")
                    what = Both("同一人可兼办应分开的两步。", "One person may take both steps that are kept apart.")
                    yield replace(complaint, story=_story_of(walk, trigger, what))


# --- pairs ---------------------------------------------------------------------------------------


def waits_for_what_is_gone(links: Links, walk: Walk) -> Iterator[Complaint]:
    """`stuck`: every way on needs a linked case that can have moved on for good."""
    subject = walk.space.subject
    wanted: dict[str, dict[str, list[str]]] = {}
    for trigger, one in subject.machine.transitions.items():
        for fired in links.acts(subject, one):
            if fired.is_sure and not fired.by_list and fired.target in links.walks:
                wanted.setdefault(fired.target, {}).setdefault(trigger, []).append(fired.trigger)
    for name, needs in wanted.items():
        other = links.walks[name]
        if name != subject.name and not walk.doomed():
            yield from _stuck(Pair(walk=walk, other=other, needs=needs))


PROOFS = (double_firing, one_person_alone, waits_for_what_is_gone)
"""Asked of every workflow and every list of a profile, with all the others at hand."""


class Joined(NamedTuple):
    """One step of the two: who took it, where both stand then."""

    walk: Walk
    step: Step
    to: Joint


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A machine, one it is linked to, and what each of its steps needs of the other: trigger → triggers in order."""

    walk: Walk
    other: Walk
    needs: Mapping[str, list[str]]

    def steps(self, at: Joint, *, careful: bool) -> Iterator[Joined]:
        """What either can do; `careful`: the other by itself, and only what asks no rule about related cases."""
        for step in self._own.get(at.own, ()):
            if self._may(step, at):
                for after in self._others_after(at.other, step.move.takes):
                    yield Joined(self.walk, step, Joint(step.move.to.state, after))
        driven = {trigger for triggers in self.needs.values() for trigger in triggers}
        for step in self._others.get(at.other, ()):
            taken = self.other.space.machine.transitions[step.move.takes]
            if careful and (step.move.takes in driven or _looks_around(self.other.space.subject, taken)):
                continue
            cancels = any(effect.cancel is not None for effect in taken.then) and not self._is_over(at.own)
            yield Joined(self.other, step, Joint(CANCELLED if cancels else at.own, step.move.to.state))

    def _may(self, step: Step, at: Joint) -> bool:
        """Whether the rules of a step can pass; those about the record are answered by where it stands."""
        if not self.other.space.subject.definition.record:
            return True
        known: dict[str, object] = {"record.state": None if at.other == NEW else at.other, "case.state": at.own}
        return self.walk.space.rules.may_pass(self.walk.space.machine.transitions[step.move.takes], known)

    def _others_after(self, other: str, trigger: str) -> frozenset[str]:
        found = frozenset({other})
        for needed in self.needs.get(trigger, ()):
            found = frozenset(target for one in found for target in _targets(self.other, one, needed))
        return found

    def _is_over(self, own: str) -> bool:
        return own == NEW or is_final(self.walk.space.machine, own)

    @cached_property
    def peaceful(self) -> frozenset[str]:
        """The states in which nobody waits for anything."""
        return frozenset(place.state for place in self.walk.moves if self.walk.is_at_peace(place)) | {CANCELLED}

    @cached_property
    def _own(self) -> Mapping[str, list[Step]]:
        return _by_state(self.walk, again=False)

    @cached_property
    def _others(self) -> Mapping[str, list[Step]]:
        return _by_state(self.other, again=self.other.space.machine.unique != "ever")


def _by_state(walk: Walk, *, again: bool) -> Mapping[str, list[Step]]:
    """The steps out of every state, each once; a case that is over may be followed by another (`again`)."""
    found: dict[str, dict[tuple[str, str], Step]] = {}
    for step in walk.steps():
        origin = NEW if step.origin is None else step.origin.state
        if step.move.takes and step.move.to.state != origin:
            found.setdefault(origin, {}).setdefault((step.move.takes, step.move.to.state), step)
    if again:
        for state in {place.state for place in walk.moves if walk.is_final(place)}:
            found.setdefault(state, {}).update(found.get(NEW, {}))
    return {state: list(steps.values()) for state, steps in found.items()}


def _looks_around(subject: Subject, transition: Transition) -> bool:
    rules = conditions((*transition.guards, *transition.unless), subject.library.rulebook.rules)
    texts = (text for rule in rules.values() for text in (rule.applies, rule.holds, *rule.let.values()) if text)
    return any("cases(" in text or "others(" in text for text in texts)


def _stuck(pair: Pair) -> Iterator[Complaint]:
    came: dict[Joint, tuple[Joint | None, Joined | None]] = {Joint(NEW, NEW): (None, None)}
    waiting = list(came)
    for at in waiting:
        for joined in pair.steps(at, careful=True):
            if joined.to not in came:
                came[joined.to] = at, joined
                waiting.append(joined.to)
    told = set[str]()
    for at in waiting:
        if at.own == NEW or at.own in told or _ends(pair, at):
            continue
        told.add(at.own)
        yield _complaint(pair, at, came)


def _ends(pair: Pair, at: Joint) -> bool:
    found, waiting = {at}, [at]
    for one in waiting:
        if one.own in pair.peaceful:
            return True
        fresh = {joined.to for joined in pair.steps(one, careful=False)} - found
        found |= fresh
        waiting += fresh
    return False


def _complaint(pair: Pair, at: Joint, came: Mapping[Joint, tuple[Joint | None, Joined | None]]) -> Complaint:
    lines: list[str] = []
    here: Joint | None = at
    while here is not None:
        before, joined = came[here]
        if joined is not None:
            title = joined.walk.space.machine.title
            told = sentence(joined.walk.space, joined.step.move)
            lines.append(f"{title.zh}：{told.zh} · {title.en}: {told.en}")
        here = before
    subject, other = pair.walk.space.subject, pair.other.space.subject
    where, own = state_title(other, at.other), state_title(subject, at.own)
    what = Both(
        f"关联案件处于“{where.zh}”，“{own.zh}”再也办不下去。",
        f"With the linked case in '{where.en}', nothing leads on from '{own.en}'.",
    )
    numbered = tuple(f"{number}. {line}" for number, line in enumerate(reversed(lines), 1))
    message = f"a case can be stuck in '{at.own}', because '{other.name}' is in '{at.other}'."
    return replace(subject.says_of("stuck", message, "states", at.own), story=(*numbered, str(what)))
