"""Every rule of every shipped definition, read and judged by the verifiers as the engine reads and judges it.

The engine compiles typed trees; the verifiers read the text anew, with parsers of their own, and know only JSON.
"""

import json
import shutil
import subprocess
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

import pytest

from engine.expressions.kinds import encode
from engine.library import canonical, content_hash
from engine.loading.folder import load
from engine.records import Outcome
from engine.steps import Machine
from exchange.bundles import VERIFIER
from tests.engine.town import HOME
from tests.trail.verifying import verifier

NODE = shutil.which("node")
TRIES = 40
"""How many sets of values each rule of each definition is asked with."""


@pytest.fixture(scope="module")
def shipped():
    """Machines of the engine, and the verifier's library of the same texts, by content hash."""
    library = load(HOME)
    definitions = {content_hash(one): one for one in library.machines()}
    texts = {digest: json.loads(canonical(one)) for digest, one in definitions.items()}
    book = json.loads(canonical(library.rulebook))
    machines = {digest: Machine(library, one, shape=digest, rulebook="b") for digest, one in definitions.items()}
    return machines, verifier.Library(texts, {"b": book})


def guards(machine):
    steps = {step.trigger: step for _, step in machine.steps()}
    every = [guard for step in steps.values() for one in (step, *_of_slots(step)) for guard in one.guards]
    return {guard.name: guard for guard in every}


def _of_slots(step):
    return () if step.signing is None else step.signing.steps.values()


def test_every_rule_reads_what_the_engine_has_it_read(shipped):
    machines, library = shipped
    differing = []
    compared = 0
    for digest, machine in machines.items():
        law = library.law(digest, "b")
        for name, guard in guards(machine).items():
            compared += 1
            if law.rule(name).reads != guard.reads:
                differing.append((machine.definition.workflow, name))

    assert compared > 500
    assert differing == []


def test_every_step_asks_the_rules_the_engine_asks(shipped):
    machines, library = shipped
    for digest, machine in machines.items():
        law = library.law(digest, "b")
        for _, step in machine.steps():
            own = law.step(step.trigger)
            assert [rule.name for rule in own.rules] == [guard.name for guard in step.guards]
            assert set(step.apart) == set(own.apart)


SELDOM = 0.15
WORDS = ("", "x", "2024", "毕业", "专科", "合格", "通过", "S1", "registered", "enrolled", "change", "12345678")


SINGLE = {
    "yes_no": lambda chance: chance.random() < 0.5,
    "number": lambda chance: chance.randrange(-2, 2030),
    "money": lambda chance: Decimal(chance.randrange(-100, 10_000_000)) / 100,
    "date": lambda chance: date(2024, 5, 13) + timedelta(days=chance.randrange(-900, 900)),
    "moment": lambda chance: datetime(2024, 5, 13, tzinfo=UTC) + timedelta(minutes=chance.randrange(-900_000, 900_000)),
    "clock": lambda chance: time(chance.randrange(24), chance.randrange(60)),
    "term": lambda chance: (chance.randrange(2018, 2027), chance.randrange(1, 3)),
}


def made_up(chance, kind, machine):
    """A value of a kind, or nothing."""
    if chance.random() < SELDOM:
        return None
    few = range(chance.randrange(4))
    if kind.name == "set":
        return frozenset(tuple(made_up_for_sure(chance, part, machine) for part in kind.parts) for _ in few)
    if kind.name == "values":
        return tuple(made_up(chance, kind.parts[0], machine) for _ in few)
    if kind.name in SINGLE:
        return SINGLE[kind.name](chance)
    own = {"choice": machine.scope.choices.get(kind.of, {}), "state": machine.definition.states}.get(kind.name, ())
    return chance.choice([*own, *WORDS])


def made_up_for_sure(chance, kind, machine):
    found = None
    while found is None:
        found = made_up(chance, kind, machine)
    return found


def asked(shipped):
    """Rules with values made up, and what the engine says: (hash, rule, JSON seen, word)."""
    machines, _ = shipped
    chance = Random(5)  # noqa: S311 values of a test, no secret
    for digest, machine in machines.items():
        for name, guard in guards(machine).items():
            kinds = {key: machine.kind(key) for key in guard.reads}
            for _ in range(TRIES):
                values = {key: made_up(chance, kind, machine) for key, kind in kinds.items()}
                seen = {key: encode(kinds[key], value) for key, value in values.items() if value is not None}
                yield digest, name, seen, Outcome(guard.ask(*values.values())).word


def test_every_rule_says_what_the_engine_has_it_say(shipped):
    _, library = shipped
    words = set()
    for digest, name, seen, word in asked(shipped):
        words.add(word)
        assert library.law(digest, "b").rule(name).verdict(seen) == word, (name, seen)

    assert words == {"holds", "fails", "undecided", "not_applicable"}


@pytest.mark.skipif(NODE is None, reason="NOT RUN: no node in PATH, the browser's verifier was not asked")
def test_every_rule_says_the_same_in_the_browser(shipped, tmp_path):
    _, library = shipped
    every = list(asked(shipped))
    texts = {"definitions": library.definitions, "rulebooks": library.rulebooks, "asked": [one[:3] for one in every]}
    (tmp_path / "asked.json").write_text(json.dumps(texts), "utf-8")
    command = [str(NODE), str(HOME / "tests/exchange/verifier_driver.js"), str(VERIFIER / "verify.js")]
    question = json.dumps({"what": "rules", "path": str(tmp_path / "asked.json")})
    done = subprocess.run(command, input=question, capture_output=True, check=True, text=True)

    differing = [one for one, word in zip(every, json.loads(done.stdout), strict=True) if word != one[3]]
    assert differing == []
