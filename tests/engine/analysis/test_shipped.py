"""What is shipped proves in order: no story goes wrong, rules and branches are sound, and walking stays small."""

from pathlib import Path

from engine.analysis.examining import examine
from engine.analysis.guards import examine_guards
from rules.functions import FUNCTIONS

ROOT = Path(__file__).parents[3]
MOST = 6000
PROVEN = {
    "double-firing", "effect-not-allowed", "gap", "invariant-broken", "never-ending", "never-fails", "never-full",
    "never-holds", "one-person-alone", "overlap", "stuck", "too-large", "trap", "unreachable",
}  # fmt: skip


def test_every_story_of_the_shipped_definitions_ends_well():
    examined = examine(ROOT, FUNCTIONS, guards=examine_guards)

    assert examined.library is not None
    assert [str(fault) for fault, _ in examined.told if fault.code in PROVEN] == []
    assert 0 < examined.configurations < MOST
