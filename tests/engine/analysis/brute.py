"""Small definitions made up at random, and an explorer that knows nothing of `engine.analysis`.

The explorer tries every truth value of every rule, every value of every field and every vote, one case at a time, by
what the language says and not by how `engine.analysis` reads it: plain dictionaries, no sharing, no cleverness.
"""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any, NamedTuple

from engine.definition import Definition
from engine.library import Library
from engine.vocabulary import Rule, RulebookText

TITLE = {"zh": "甲", "en": "A"}
CHOICE = ("甲", "乙")
TESTS = {"flag": "case.flag", "unset": "not case.flag", "kind": "case.kind == '甲'", "late": "case.rounds < 2"}
"""Rules decided by the case's own fields; `free` and `other` are decided by the student."""
FACTS = {"here": "free", "there": "other", "apart": "", "written": "", "signing": ""}
"""Facts, each asked in one way only: by a rule, by `applies` of a step, by `set`, by `applies` of a slot."""


class Spot(NamedTuple):
    """Where a case stands, as the explorer sees it."""

    state: str
    flag: bool | None
    kind: str | None
    rounds: int
    fired: frozenset[str]
    votes: frozenset[tuple[str, str, bool]]


def rulebook() -> RulebookText:
    """Rules over own fields, and rules over facts."""
    texts = {**TESTS, "free": "here", "other": "there"}
    rules = {
        name: Rule.model_validate({"id": name, "title": TITLE, "source": "S", "holds": text, "otherwise": TITLE,
                                   "remedy": {"by": "clerk", **TITLE}})
        for name, text in texts.items()
    }  # fmt: skip
    facts = {name: {"type": "yes_no", "title": TITLE} for name in FACTS}
    tree = {
        "effective_from": "2024-01-01",
        "vocabulary": {"student": facts, "choices": {"kind": dict.fromkeys(CHOICE, TITLE)}},
        "rules": rules,
        "engine": {},
        "documents": {},
        "organisation": {
            "units": {"school": {"title": TITLE}},
            "roles": {"clerk": {"title": TITLE, "held_at": ["school"]}},
            "profiles": {"p": {"title": TITLE}},
        },
    }
    return RulebookText.model_validate(tree)


def random_tree(random: Random) -> dict[str, Any]:
    """A definition of one to four states and a handful of steps."""
    states = [f"s{number}" for number in range(random.randint(2, 4))]
    tree: dict[str, Any] = {
        "workflow": "w", "procedure": "W", "version": 1, "effective_from": "2024-01-01", "profile": "p",
        "title": TITLE, "about": ["student"], "rounds": random.randint(1, 3),
        "fields": {
            "flag": {"type": "yes_no", "title": TITLE, **({"starts": "false"} if random.random() < 0.6 else {})},
            "kind": {"type": "choice kind", "title": TITLE, **({"starts": "'甲'"} if random.random() < 0.5 else {})},
        },
        "states": {name: {"title": TITLE, "rests": random.random() < 0.15} for name in states[:-1]},
        "transitions": {"open": {"title": TITLE, "from": "new", "to": states[0], "by": "clerk"}},
    }  # fmt: skip
    tree["states"][states[-1]] = {"title": TITLE, "final": True}
    for number in range(random.randint(1, 5)):
        tree["transitions"][f"t{number}"] = _random_step(random, states, [f"t{n}" for n in range(number)])
    assigned = {target[5:] for one in tree["transitions"].values() for target in one.get("set", {})}
    for one in tree["transitions"].values():
        for key in ("asks", "accepts"):
            if key in one and one[key][0] not in assigned:
                del one[key]  # what people type in and no step sets is free, not followed
    timed = [name for name, one in tree["transitions"].items() if one.get("by") == "timer"]
    if timed:
        while_ = random.sample(states[:-1], random.randint(1, len(states) - 1))
        missed = {"fire": random.choice(timed)}
        tree["deadlines"] = {"D": {"title": TITLE, "while": while_, "due": "case.opened_on", "missed": missed}}
    if random.random() < 0.3:
        tree["invariants"] = {"I": {"holds": "case.state != 's1' or case.flag"}}
    return tree


def _random_step(random: Random, states: list[str], earlier: list[str]) -> dict[str, Any]:
    step: dict[str, Any] = {"title": TITLE, "from": random.sample(states[:-1], random.randint(1, len(states) - 1))}
    if random.random() < 0.85:
        step["to"] = random.choice(states)
        step["kind"] = random.choices(["advance", "return", "reject"], [6, 3, 1])[0]
    _add_rules(random, step)
    _add_fields(random, step)
    way = random.random()
    if way < 0.3:
        step["sign"] = _random_block(random, earlier)
    else:
        step["by"] = "timer" if way < 0.4 else "clerk"
    return step


def _add_rules(random: Random, step: dict[str, Any]) -> None:
    names = [*TESTS, "free", "other"]
    if random.random() < 0.5:
        step["guards"] = random.sample(names, random.randint(1, 2))
    if random.random() < 0.3:
        step["unless"] = random.sample(names, random.randint(1, 2))
    if random.random() < 0.15:
        step["applies"] = random.choice(["case.flag", "not case.flag", "apart"])


def _add_fields(random: Random, step: dict[str, Any]) -> None:
    if random.random() < 0.35:
        step["set"] = {"case.flag": random.choice(["true", "false", "not case.flag", "written", None])}
    if random.random() < 0.25:
        step["set"] = {**step.get("set", {}), "case.kind": random.choice(["'乙'", "'甲' if case.flag else '乙'", None])}
    if random.random() < 0.15:
        step[random.choice(["asks", "accepts"])] = [random.choice(["flag", "kind"])]


def _random_block(random: Random, earlier: list[str]) -> dict[str, Any]:
    slots: dict[str, Any] = {name: {"role": "clerk"} for name in ("x", "y", "z")[: random.randint(1, 3)]}
    if len(slots) > 1 and random.random() < 0.4:
        slots["y"]["applies"] = random.choice(["case.flag", "signing"])
    block: dict[str, Any] = {
        "slots": slots, "quorum": random.choice(["all", "any", "majority", 2]), "veto": random.random() < 0.5,
        "order": random.choice(["any", "sequence"]),
    }  # fmt: skip
    if earlier and random.random() < 0.7:
        block["against"] = random.choice(earlier)
    return block


def library_of(tree: dict[str, Any], book: RulebookText) -> Library:
    """A library of one definition."""
    definition = Definition.model_validate(tree)
    return Library(definitions={("w", "p"): definition}, rulebook=book, batches={})


# --- the explorer --------------------------------------------------------------------------------


class Explorer:
    """Tries everything, with every value of the two facts at every step."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree
        self.edges: dict[Spot, set[Spot]] = {}
        self.taken: set[str] = set()
        texts = str([TESTS.get(name, "") for one in tree["transitions"].values() for key in ("guards", "unless")
                     for name in one.get(key, ())]) + str(tree.get("invariants"))  # fmt: skip
        texts += str([one.get("applies") for one in tree["transitions"].values()])
        texts += str([one.get("sign") for one in tree["transitions"].values()])
        sets = [one.get("set", {}).get("case.kind") for one in tree["transitions"].values()]
        texts += str(sets) if "case.kind" in texts else ""
        self.unread = {name: None for name in ("flag", "kind") if f"case.{name}" not in texts}
        self.explore()

    def explore(self) -> None:
        """Everything that can be reached."""
        fields = self.tree["fields"]
        start = Spot(
            "new", False if "starts" in fields["flag"] else None, "甲" if "starts" in fields["kind"] else None,
            0, frozenset(), frozenset(),
        )  # fmt: skip
        waiting = list(self.take(start, "open"))
        while waiting:
            spot = waiting.pop()
            if spot in self.edges:
                continue
            self.edges[spot] = set(self.steps(spot))
            waiting += self.edges[spot]

    def steps(self, spot):
        """All that may follow."""
        for trigger, step in self.tree["transitions"].items():
            if spot.state not in step["from"]:
                continue
            if "sign" in step:
                yield from self.sign(spot, trigger, step)
            elif step["by"] == "timer":
                for name, deadline in self.tree.get("deadlines", {}).items():
                    fires = deadline["missed"]["fire"] == trigger and spot.state in deadline["while"]
                    if fires and name not in spot.fired:
                        yield from self.take(spot._replace(fired=spot.fired | {name}), trigger)
            else:
                yield from self.take(spot, trigger)

    def truth(self, text, spot, world):
        """What an expression of the generator says; None is undecided."""
        flag, kind = spot.flag, spot.kind
        return {
            **world,
            "true": True,
            "false": False,
            "'乙'": "乙",
            "case.flag": flag,
            "not case.flag": None if flag is None else not flag,
            "case.kind == '甲'": None if kind is None else kind == "甲",
            "case.rounds < 2": spot.rounds < 2,
            "'甲' if case.flag else '乙'": None if flag is None else ("甲" if flag else "乙"),
            "case.state != 's1' or case.flag": True if spot.state != "s1" else flag,
        }[text]

    def worlds(self, step):
        """Every value of the facts that a step asks."""
        named = {*step.get("guards", ()), *step.get("unless", ())}
        asked = {fact for fact, rule in FACTS.items() if rule in named} | {step.get("applies")} | {"signing"}
        asked |= set(step.get("set", {}).values())
        used = [fact for fact in FACTS if fact in asked]
        for values in product((True, False, None), repeat=len(used)):
            yield dict(zip(used, values, strict=True))

    def passes(self, step, spot, world):
        """Whether the rules let it pass."""
        if "applies" in step and self.truth(step["applies"], spot, world) is False:
            return False
        rules = {rule: world.get(fact) for fact, rule in FACTS.items()}
        answers = {
            name: rules[name] if name in rules else self.truth(TESTS[name], spot, world)
            for name in (*step.get("guards", ()), *step.get("unless", ()))
        }
        if any(answers[name] is not True for name in step.get("guards", ())):
            return False
        unless = [answers[name] for name in step.get("unless", ())]
        return None not in unless and (not unless or False in unless)

    def take(self, spot, trigger):
        """One step, with everything that may be given."""
        step = self.tree["transitions"][trigger]
        rounds = spot.rounds + (step.get("kind") == "return")
        if rounds > self.tree["rounds"]:
            return
        asks, accepts = step.get("asks", ()), step.get("accepts", ())
        flags = [True, False] if "flag" in asks else [True, False, spot.flag] if "flag" in accepts else [spot.flag]
        kinds = [*CHOICE] if "kind" in asks else [*CHOICE, spot.kind] if "kind" in accepts else [spot.kind]
        for flag, kind, world in product(flags, kinds, list(self.worlds(step))):
            given = spot._replace(flag=flag, kind=kind)
            if not self.passes(step, given, world):
                continue
            self.taken.add(trigger)
            after = {
                target[5:]: None if text is None else self.truth(text, given, world)
                for target, text in step.get("set", {}).items()
            }
            yield self.land(given._replace(rounds=rounds, **after), trigger, step)

    def land(self, spot, trigger, step):
        """Where a step leads."""
        target = step.get("to", spot.state)
        moves = target != spot.state
        votes = frozenset() if "to" in step else frozenset(one for one in spot.votes if one[0] != trigger)
        state = self.tree["states"][target]
        over = state.get("final") or (moves and state.get("rests"))
        fired = frozenset(n for n in spot.fired if not moves or target in self.tree["deadlines"][n]["while"])
        spot = spot._replace(**self.unread)  # what nobody asks about makes no difference
        return spot._replace(state=target, votes=votes, fired=fired, rounds=0 if over else spot.rounds)

    def sign(self, spot, trigger, step):
        """One more vote of a block; a field that the last signer gives may have any value while the others sign."""
        block, asks = step["sign"], step.get("asks", ())
        given = {slot for name, slot, _ in spot.votes if name == trigger}
        flags = [True, False] if "flag" in asks else [spot.flag]
        kinds = [*CHOICE] if "kind" in asks else [spot.kind]
        for world, flag, kind in product(list(self.worlds(step)), flags, kinds):
            seen = spot._replace(flag=flag, kind=kind)
            if not self.passes(step, seen, world):
                continue
            names = [name for name in block["slots"] if name in given or self.applies(block, name, seen, world)]
            for index, slot in enumerate(names):
                late = block["order"] == "sequence" and (
                    any(name not in given for name in names[:index]) or any(name in given for name in names[index:])
                )
                if slot not in given and not late:
                    yield from self.vote(spot, trigger, names, slot)

    def applies(self, block, name, spot, world):
        """Whether a slot is to be signed."""
        text = block["slots"][name].get("applies")
        return True if text is None else self.truth(text, spot, world) is True

    def vote(self, spot, trigger, names, slot):
        """A yes and a no at one slot."""
        block = self.tree["transitions"][trigger]["sign"]
        votes = [yes for name, s, yes in spot.votes if name == trigger]
        wanted = {"all": len(names), "any": 1, "majority": len(names) // 2 + 1}.get(block["quorum"], min(2, len(names)))
        signed = spot._replace(votes=spot.votes | {(trigger, slot, True)})
        if votes.count(True) + 1 >= wanted:
            yield from self.take(signed, trigger)
        else:
            yield signed
        answer = block.get("against")
        if answer and spot.state in self.tree["transitions"][answer]["from"]:
            refused = spot._replace(votes=spot.votes | {(trigger, slot, False)})
            if block["veto"] or len(names) - votes.count(False) - 1 < wanted:
                yield from self.take(refused, answer)
            else:
                yield refused

    # --- what is wrong ---------------------------------------------------------------------------

    def states(self):
        """The states that are reached."""
        return {spot.state for spot in self.edges}

    def faults(self):
        """Code and place of everything that is wrong, found by looking at every spot."""
        states = self.tree["states"]
        peaceful = {s for s in self.edges if states[s.state].get("final") or states[s.state].get("rests")}
        saved = set(peaceful)
        while more := {s for s, after in self.edges.items() if s not in saved and after & saved}:
            saved |= more
        doomed = set(self.edges) - saved
        dead = {s for s in doomed if self.edges[s] <= {s}}
        near = set(dead)
        while more := {s for s in doomed if s not in near and self.edges[s] & near}:
            near |= more
        found = {("stuck", s.state) for s in dead}
        found |= {("unreachable", name) for name in states if name not in self.states()}
        found |= {
            ("unreachable", name)
            for name, step in self.tree["transitions"].items()
            if name not in self.taken and set(step["from"]) & self.states()
        }
        broken = [s for s in self.edges if "invariants" in self.tree and s.state == "s1" and s.flag is False]
        found |= {("invariant-broken", "I") for _ in broken[:1]}
        return found, bool(doomed - near)
