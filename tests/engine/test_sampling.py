"""A sample: its size follows the stated formula, its cases follow from the seed, and anybody can draw it again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.auditing.sampling import allocate, draw, sample_size
from engine.errors import Unreadable

POPULATION = {"S1": [f"A{one:07d}" for one in range(40)], "S2": [f"B{one:07d}" for one in range(9)], "S3": ["C0000001"]}
SIZES = st.dictionaries(st.text("ABC123", min_size=1, max_size=4), st.integers(1, 200), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("population", "confidence", "error", "expected"),
    [
        pytest.param(10**9, 95, 5, 385, id="the number every textbook has: 384.16, rounded up"),
        pytest.param(10**9, 99, 5, 664, id="99 %: 663.5"),
        pytest.param(1000, 95, 5, 278, id="a thousand cases: 277.7"),
        pytest.param(60, 95, 5, 53, id="sixty cases: 52.0 and a little"),
        pytest.param(60, 95, 10, 38, id="a wider error: 37.2"),
        pytest.param(1, 95, 5, 1, id="one case is read"),
        pytest.param(0, 95, 5, 0, id="nothing to read"),
    ],
)
def test_the_size_is_that_of_cochrans_formula(population, confidence, error, expected):
    assert sample_size(population, Fraction(confidence), Fraction(error)) == expected


@pytest.mark.parametrize(("confidence", "error"), [(0, 5), (100, 5), (95, 0), (95, 100), (-1, 5)])
def test_a_percentage_out_of_range_is_named(confidence, error):
    with pytest.raises(Unreadable, match=r"--confidence|--error"):
        sample_size(60, Fraction(confidence), Fraction(error))


@given(SIZES, st.integers(1, 500))
def test_every_unit_gives_its_share_at_least_one_case_and_never_more_than_it_has(sizes: Mapping[str, int], wanted: int):
    given_cases, total = allocate(sizes, wanted), sum(sizes.values())
    assert given_cases.keys() == sizes.keys()
    for unit, count in given_cases.items():
        share = Fraction(min(wanted, total) * sizes[unit], total)
        assert 1 <= count <= sizes[unit]
        assert count == 1 or abs(count - share) < 1
    assert min(wanted, total) <= sum(given_cases.values()) <= min(wanted, total) + len(sizes)


def test_what_is_left_goes_to_the_largest_remainders_and_then_by_code():
    assert allocate({"B": 10, "A": 10, "C": 10}, 10) == {"A": 4, "B": 3, "C": 3}
    assert allocate({"A": 97, "B": 1, "C": 2}, 10) == {"A": 9, "B": 1, "C": 1}


def test_the_smallest_hashes_under_the_seed_are_drawn_as_anybody_can_recompute_them():
    drawn = draw(POPULATION, 10, "2024-auditors")
    for stratum in drawn.strata:
        by_hand = sorted(
            POPULATION[stratum.unit], key=lambda number: hashlib.sha256(b"2024-auditors:" + number.encode()).digest()
        )
        assert list(stratum.drawn) == by_hand[: len(stratum.drawn)]
    assert [(one.unit, one.population, len(one.drawn)) for one in drawn.strata] == [
        ("S1", 40, 8), ("S2", 9, 1), ("S3", 1, 1),
    ]  # fmt: skip
    lines = "".join(sorted(f"{number}\n" for numbers in POPULATION.values() for number in numbers))
    assert drawn.digest == hashlib.sha256(lines.encode()).hexdigest()


def test_the_same_seed_draws_the_same_cases_for_ever_and_another_seed_others():
    assert draw(POPULATION, 10, "seed").cases == (
        "A0000013", "A0000010", "A0000037", "A0000030", "A0000032", "A0000003", "A0000020", "A0000016",
        "B0000002", "C0000001",
    )  # fmt: skip
    assert draw({unit: numbers[::-1] for unit, numbers in POPULATION.items()}, 10, "seed") == draw(
        POPULATION, 10, "seed"
    )
    assert draw(POPULATION, 10, "seed").cases != draw(POPULATION, 10, "Seed").cases
