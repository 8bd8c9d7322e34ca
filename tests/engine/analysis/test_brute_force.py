"""Walking agrees with trying everything, on a thousand definitions made up at random."""

from random import Random

import pytest

from engine.analysis.configurations import Space
from engine.analysis.proofs import invariants, stuck, unreachable
from engine.analysis.walking import walk
from engine.checking.subjects import Subject
from tests.engine.analysis.brute import Explorer, library_of, random_tree, rulebook

BOOK = rulebook()
SEEDS = 1000
AT_ONCE = 100


def walked(tree):
    library = library_of(tree, BOOK)
    return walk(Space(subject=Subject(library=library, definition=library.definitions["w", "p"])))


def found(one):
    complaints = [complaint for proof in (stuck, unreachable, invariants) for complaint in proof(one)]
    codes = {(complaint.finding.code, str(complaint.path[-1])) for complaint in complaints}
    return {pair for pair in codes if pair[0] != "never-ending"}, any(code == "never-ending" for code, _ in codes)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_walking_finds_what_trying_everything_finds(first):
    for seed in range(first, first + AT_ONCE):
        tree = random_tree(Random(seed))  # noqa: S311 no secret, and the same again next time
        explored = Explorer(tree)
        one = walked(tree)

        assert {place.state for place in one.moves} == explored.states(), (seed, tree)
        assert found(one) == explored.faults(), (seed, tree)
