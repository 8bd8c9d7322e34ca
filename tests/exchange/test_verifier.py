"""The offline verifier held against histories written by hand: the honest ones are sound, every forgery is named."""

import ast
import subprocess
import sys
from hashlib import sha256

import pytest

from engine.trail import tree
from exchange.bundles import VERIFIER
from tests.exchange import toy_trail as toy
from tests.exchange.broken_bundles import BROKEN
from tests.exchange.forgeries import FORGERIES
from tests.trail.verifying import verifier

FOUND_ELSEWHERE = {"cause", "erasure", "facts", "personal-missing", "rule-missing", "unsealed"}
"""Codes whose tests have their own words below, or in `test_verifier_bundles.py`."""


@pytest.mark.parametrize("story", toy.HONEST, ids=lambda one: one.__name__)
def test_an_honest_history_is_sound(story):
    assert toy.found(story()) == set()


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda one: one.name)
def test_a_forgery_by_somebody_who_holds_every_key_is_named(forgery):
    story = forgery.story()
    forgery.forge(story)

    assert forgery.code in toy.found(story)


def test_every_code_of_a_finding_has_its_test():
    tested = {one.code for one in FORGERIES} | {one.code for one in BROKEN} | FOUND_ELSEWHERE

    assert tested == set(verifier.CODES)


def test_a_right_that_has_ended_is_good_until_then_and_not_after():
    ended = {"kind": "role_changed", "seq": 99, "at": toy.at(1), "actor": "setup"}
    ended["data"] = {"login": "bob", "role": "checker", "unit": "S1", "held": False}

    assert "right" in toy.found(toy.checked(), people=[*toy.registry(), ended])
    assert toy.found(toy.checked(), people=[*toy.registry(), {**ended, "at": toy.at(3)}]) == set()


def test_a_right_that_is_lent_from_a_later_moment_on_does_not_count_before():
    data = {"by": "ann", "to": "bob", "role": "checker", "unit": "S1", "why": "x", "until": None, "for_good": False}
    for since, counts_from in ((toy.at(9), toy.at(9)), (toy.at(0), toy.at(3)), (None, toy.at(3)), (7, toy.at(3))):
        loans: verifier.Loans = {}
        verifier.lend(loans, {"kind": "delegated", "at": toy.at(3), "data": {**data, "since": since}})
        assert [one.since for one in loans["ann", "bob"]] == [counts_from], "it never counts before it was lent"


def test_a_rule_that_the_rulebook_lacks_is_said_to_be_missing():
    lacking = {**toy.RULEBOOK, "rules": {"cheap": toy.RULEBOOK["rules"]["cheap"]}}
    report = verifier.Report()
    library = verifier.Library({toy.LAW: toy.DEFINITION}, {toy.BOOK: lacking})
    ground = verifier.Ground()
    for one in toy.registry():
        ground.take(one)
    replay = verifier.CaseReplay(toy.CASE, ground, library, report)
    for one in toy.placed(toy.checked()):
        replay.take(verifier.Told(one, None, hidden=False))

    assert set(report.codes) == {"rule-missing"}


def test_a_verdict_that_rests_on_erased_values_is_counted_and_not_passed_over():
    law = {**toy.RULEBOOK["vocabulary"]["student"], "owed": {"type": "money", "privacy": "personal"}}
    book = {**toy.RULEBOOK, "vocabulary": {**toy.RULEBOOK["vocabulary"], "student": law}}
    library = verifier.Library({toy.LAW: toy.DEFINITION}, {toy.BOOK: book})
    report, ground = verifier.Report(), verifier.Ground()
    for one in toy.registry():
        ground.take(one)
    replay = verifier.CaseReplay(toy.CASE, ground, library, report)
    story = toy.placed(toy.checked())
    del story[1]["data"]["seen"]["owed"]
    for one in story:
        replay.take(verifier.Told(one, None, hidden=one["kind"] == "moved"))

    assert report.codes == {}
    assert report.tally["unjudged: values erased"] == 1
    assert report.tally["verdicts"] == 1


def test_an_old_value_that_was_never_known_is_named():
    report = verifier.Report()
    replay = verifier.StudentReplay(toy.STUDENT, verifier.Ground(), verifier.Library({}, {}), report)
    for seq, old in ((1, None), (2, 3)):
        told = {"kind": "fact_changed", "seq": seq, "at": toy.at(seq), "actor": "ann"}
        told["data"] = {"facts": {"terms": {"old": old, "new": seq}}}
        replay.take(verifier.Told(told, None, hidden=False))

    assert [(one.code, one.seq) for one in report.findings] == [("facts", 2)]


@pytest.mark.parametrize(
    "size",
    [
        1, 2, 3, 7, 8, 9, 33,
    ],
)  # fmt: skip
def test_the_tree_is_that_of_the_engine_and_of_rfc_6962(size):
    leaves = [tree.leaf_hash(b"%d" % place) for place in range(size)]

    def node(level, index):
        return tree.root_of(leaves[index << level : (index + 1) << level])

    head = verifier.Head("log", size, tree.root_of(leaves))
    assert verifier.root_of(leaves) == head.root
    for index in range(size):
        path = tree.inclusion_path(index, size, node)
        assert verifier.includes(leaves[index], index, size, path, head.root)
        assert not verifier.includes(leaves[index - 1], index, size, path, head.root) or size == 1
    for old in range(1, size):
        before = verifier.Head("log", old, tree.root_of(leaves[:old]))
        path = tree.consistency_path(old, size, node)
        assert verifier.extends(before, head, path)
        assert not verifier.extends(verifier.Head("log", old, sha256(b"").digest()), head, path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a":1,"b":"人"}', True),
        ('{"b":1,"a":1}', False),
        ('{"a":1, "b":1}', False),
        ('{"a":1.5}', False),
        ('{"a":1e3}', False),
        ('{"a":NaN}', False),
        ('{"a":9007199254740991}', True),
        ('{"a":9007199254740992}', False),
        ('{"a":-0}', False),
        ('{"a":1,"a":1}', False),
        ('{"a":"\\u4eba"}', False),
        ('{"a":"e\u0301"}', False),
        ('{"a":"\\ud800"}', False),
        ("[" * 100_000, False),
    ],
)
def test_a_text_has_one_form(text, says):
    try:
        verifier.read_canonical(text)
        good = True
    except verifier.NotCanonical:
        good = False

    assert good is says


def test_the_verifier_is_one_file_that_imports_nothing_of_the_project():
    source = (VERIFIER / "xueji_verify.py").read_text("utf-8")
    imported = set()
    for one in ast.walk(ast.parse(source)):
        if isinstance(one, ast.Import):
            imported |= {name.name.partition(".")[0] for name in one.names}
        elif isinstance(one, ast.ImportFrom):
            imported.add((one.module or "").partition(".")[0])

    assert imported - {"cryptography"} <= set(sys.stdlib_module_names)


def test_misuse_is_told_and_nothing_is_checked(tmp_path):
    (tmp_path / "policy").write_text("log nonsense\n", "utf-8")
    command = [sys.executable, "-I", VERIFIER / "xueji_verify.py", tmp_path / "no.zip", "--policy", tmp_path / "policy"]
    (tmp_path / "no.zip").touch()
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "log nonsense" in done.stderr
    assert "quorum" in done.stderr
