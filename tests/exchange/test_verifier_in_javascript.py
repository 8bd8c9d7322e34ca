"""The browser's verifier comes to what the Python one comes to, on every story, forgery, broken bundle and attack."""

import copy
import json
import shutil
import subprocess
from base64 import b64encode
from random import Random

import pytest

from exchange.bundles import VERIFIER
from tests import chromium
from tests.engine.town import HOME
from tests.exchange import toy_trail as toy
from tests.exchange.broken_bundles import BROKEN
from tests.exchange.forgeries import FORGERIES
from tests.trail.attacks_on_bundles import ATTACKS, TOLERATED, UNFOUND
from tests.trail.prey import POLICY
from tests.trail.verifying import verifier

NODE, CHROMIUM = shutil.which("node"), chromium.installed()
needs_node = pytest.mark.skipif(
    NODE is None, reason="NOT RUN: the browser's verifier was not compared; no node in PATH"
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=f"NOT RUN: the page was not opened; {chromium.MISSING}")


EVERY = (*ATTACKS, *UNFOUND, *TOLERATED)


@pytest.fixture(scope="module")
def ask():
    """Ask the verifier in JavaScript."""
    command = [str(NODE), str(HOME / "tests/exchange/verifier_driver.js"), str(VERIFIER / "verify.js")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        say, hear = running.stdin, running.stdout

        def answer(what, **asked):
            say.write(json.dumps({"what": what, **asked}) + "\n")
            say.flush()
            return json.loads(hear.readline())

        yield answer
        say.close()


def both(ask, path, policy, seen=None):
    """What each of the two comes to: outcome and codes."""
    kept = path.with_suffix(".head")
    if seen is not None:
        kept.write_bytes(seen.encoded().encode())
    other = ask("bundle", path=str(path), policy=policy, seen=None if seen is None else str(kept))
    try:
        asked = verifier.Asked(verifier.Policy.parse(policy), None if seen is None else kept.read_bytes(), 1)
        own = verifier.as_json(verifier.verify(path, asked))
    except verifier.Misuse:
        own = {"outcome": "misuse", "codes": {}}
    return (own["outcome"], set(own["codes"])), (other["outcome"], set(other["codes"]))


@needs_node
def test_both_know_the_same_codes_and_the_same_shapes(ask):
    assert ask("codes") == [dict(verifier.CODES), dict(verifier.SHAPES)]


@needs_node
@pytest.mark.parametrize("story", toy.HONEST, ids=lambda one: one.__name__)
def test_an_honest_story_is_sound_for_both(ask, story):
    assert ask("story", **told(story())) == []


@needs_node
@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda one: one.name)
def test_a_forgery_is_named_by_both_in_the_same_words(ask, forgery):
    story = forgery.story()
    forgery.forge(story)

    assert ask("story", **told(story)) == sorted(toy.found(story))


@needs_node
@pytest.mark.parametrize("seed", range(3))
def test_whatever_stands_wherever_in_a_story_is_answered_alike_by_both(ask, seed):
    chance = Random(seed)  # noqa: S311 places of a test, no secret
    for _ in range(150):
        story = chance.choice(toy.HONEST)()
        holder, name = chance.choice([place for one in story for place in places(one)])
        if chance.random() < SELDOM and isinstance(holder, dict):
            del holder[name]
        else:
            holder[name] = copy.deepcopy(chance.choice(ANYTHING))
        if all(isinstance(one.get("data"), dict) and isinstance(one.get("kind"), str) for one in story):
            assert ask("story", **told(story)) == sorted(toy.found(story)), (holder, name)


def places(value):
    """Every place in a JSON value, as what holds it and its name."""
    for name, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, name
        if isinstance(inner, dict | list):
            yield from places(inner)


SELDOM = 0.2
ANYTHING: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 7, "", "x", "asked", "checked", "head", "ann", "bob", [], {}, ["x"], {"a": 1}, [None],
    "2024-05-13T01:00:03.000000Z", "2024-05-13", "12.50",
)  # fmt: skip


def told(story):
    return {
        "events": toy.placed(story),
        "people": toy.registry(),
        "definitions": {toy.LAW: toy.DEFINITION, toy.LATER_LAW: toy.LATER_DEFINITION},
        "rulebooks": {toy.BOOK: toy.RULEBOOK, toy.OTHER_BOOK: toy.RULEBOOK},
        "name": toy.CASE,
    }


@needs_node
def test_an_honest_bundle_is_sound_for_both_with_as_many_verdicts(ask, prey, whole, tmp_path):
    path = whole.write(tmp_path / "bundle.zip")
    own = verifier.as_json(verifier.verify(path, verifier.Asked(verifier.Policy.parse(POLICY), None, 1)))
    other = ask("bundle", path=str(path), policy=POLICY)

    assert prey.seen is not None
    assert both(ask, path, POLICY, prey.seen) == (("sound", set()), ("sound", set()))
    assert other == own


@needs_node
@pytest.mark.parametrize("broken", [one for one in BROKEN if not one.part], ids=lambda one: one.code)
def test_what_is_broken_is_named_by_both(ask, prey, whole, tmp_path, broken):
    parcel = whole.copy()
    broken.breaks(parcel, prey)

    own, other = both(ask, parcel.write(tmp_path / "bundle.zip"), broken.policy, prey.seen)

    assert own == other


@needs_node
@pytest.mark.parametrize("attack", [one for one in EVERY if not one.partial], ids=lambda one: one.name)
def test_an_attack_is_found_by_both_or_by_neither(ask, prey, whole, tmp_path, attack):
    parcel = whole.copy()
    attack.does(parcel, prey)

    own, other = both(ask, parcel.write(tmp_path / "bundle.zip"), attack.policy, prey.seen if attack.seen else None)

    assert own == other


DRIVE = """
"use strict";
const given = JSON.parse(document.getElementById("given").textContent);
const files = new DataTransfer();
files.items.add(new File([Uint8Array.from(atob(given.bundle), (letter) => letter.charCodeAt(0))], "bundle.zip"));
document.getElementById("bundle").files = files.files;
document.getElementById("policy").value = given.policy;
document.getElementById("check").click();
"""


@needs_chromium
@pytest.mark.parametrize("change", ["nothing", "a MAC"])
def test_the_page_opened_from_disk_says_what_the_program_says(whole, prey, tmp_path, change):
    parcel = whole.copy()
    if change == "a MAC":
        next(one for one in BROKEN if one.code == "leaf").breaks(parcel, prey)
    body = b64encode(parcel.write(tmp_path / "bundle.zip").read_bytes()).decode()
    shutil.copy(VERIFIER / "verify.js", tmp_path)
    (tmp_path / "drive.js").write_text(DRIVE, "utf-8")
    page = (VERIFIER / "index.html").read_text("utf-8")
    given = json.dumps({"bundle": body, "policy": POLICY})
    driven = f'<script id="given" type="application/json">{given}</script>\n<script src="drive.js"></script>\n</body>'
    (tmp_path / "index.html").write_text(page.replace("</body>", driven), "utf-8")

    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=60000", "--dump-dom", (tmp_path / "index.html").as_uri(),
        ],
        capture_output=True, check=False, text=True, timeout=120,
    )  # fmt: skip

    expected = "sound" if change == "nothing" else "invalid"
    assert f'data-outcome="{expected}"' in done.stdout, done.stderr[-2000:]
