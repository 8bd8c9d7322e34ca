"""The tree: heads and paths as RFC 6962 draws them, and nothing else passes for one."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.trail.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    extends,
    includes,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_at,
    root_of,
)

# The entries and roots of the reference implementation of RFC 6962.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSIONS = {  # leaf and size, as the reference implementation tests them
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCIES = {  # older and newer size
    (1, 1): [],
    (1, 8): INCLUSIONS[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
REFERENCE = tuple(leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES)
LEAVES = tuple(leaf_hash(index.to_bytes(4)) for index in range(64))
HASHES = st.binary(min_size=32, max_size=32)


# RFC 6962, section 2.1, read word for word: D[a:b] is the slice from a to before b.


def split(count: int) -> int:
    """k: the largest power of two smaller than n."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


@cache
def mth(leaves: tuple[bytes, ...]) -> bytes:
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def naive_path(m: int, leaves: tuple[bytes, ...]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), mth(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), mth(leaves[:k])]


def naive_proof(m: int, leaves: tuple[bytes, ...], *, is_whole: bool = True) -> list[bytes]:
    if m == len(leaves):
        return [] if is_whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*naive_proof(m, leaves[:k], is_whole=is_whole), mth(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], is_whole=False), mth(leaves[:k])]


def nodes(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """Complete subtrees only: whoever asks for another one fails here."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


def test_the_roots_are_those_of_the_reference_implementation():
    for size, root in enumerate(ROOTS):
        assert root_of(REFERENCE[:size]).hex() == root
        assert root_at(size, nodes(REFERENCE)).hex() == root
    assert ROOTS[0] == EMPTY_ROOT.hex()


def test_the_paths_are_those_of_the_reference_implementation():
    for (index, size), told in INCLUSIONS.items():
        path = [bytes.fromhex(one) for one in told]
        assert inclusion_path(index, size, nodes(REFERENCE)) == path
        assert includes(REFERENCE[index], index, size, path, bytes.fromhex(ROOTS[size]))
    for (old, new), told in CONSISTENCIES.items():
        path = [bytes.fromhex(one) for one in told]
        assert consistency_path(old, new, nodes(REFERENCE)) == path
        assert extends(old, bytes.fromhex(ROOTS[old]), new, bytes.fromhex(ROOTS[new]), path)


def test_every_leaf_of_every_tree_up_to_64_is_shown_by_the_path_of_the_rfc():
    node = nodes(LEAVES)
    for size in range(1, 65):
        leaves = LEAVES[:size]
        assert root_at(size, node) == root_of(leaves) == mth(leaves)
        for index in range(size):
            path = inclusion_path(index, size, node)
            assert path == naive_path(index, leaves)
            assert includes(LEAVES[index], index, size, path, mth(leaves))


def test_every_tree_up_to_64_is_shown_to_extend_every_smaller_one_by_the_path_of_the_rfc():
    node = nodes(LEAVES)
    for new in range(65):
        for old in range(new + 1):
            path = consistency_path(old, new, node)
            assert path == (naive_proof(old, LEAVES[:new]) if old else [])
            assert extends(old, mth(LEAVES[:old]), new, mth(LEAVES[:new]), path)


@given(st.lists(HASHES, max_size=40), st.integers(0, 40))
def test_a_frontier_put_down_and_taken_up_again_grows_into_the_same_tree(leaves, stop):
    first = Frontier()
    for leaf in leaves[:stop]:
        first.append(leaf)
    second = Frontier.from_json(first.to_json())
    for leaf in leaves[stop:]:
        second.append(leaf)
    assert second.root() == mth(tuple(leaves))
    assert second.size == len(leaves)
    assert len(second.peaks) == second.size.bit_count()


@pytest.mark.parametrize(
    ("size", "peaks"), [(-1, []), (0, [EMPTY_ROOT]), (3, [EMPTY_ROOT]), (2, [b"short"]), (1 << 63, [EMPTY_ROOT])]
)
def test_a_frontier_that_no_tree_has_is_refused(size, peaks):
    with pytest.raises(ValueError, match=r"a tree of .* leaves has .* peaks"):
        Frontier(size, peaks)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (9, 5)])
def test_there_is_no_path_to_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match=f"leaf {index} is not in a tree of {size} leaves"):
        inclusion_path(index, size, nodes(LEAVES))


@pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5)])
def test_there_is_no_path_from_a_tree_to_a_smaller_one(old, new):
    with pytest.raises(ValueError, match=f"a tree of {new} leaves does not grow out of one of {old}"):
        consistency_path(old, new, nodes(LEAVES))


def test_a_leaf_never_passes_for_a_node_nor_a_node_for_a_leaf():
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert not includes(node_hash(left, right), 0, 1, [], mth(LEAVES[:4]))


def test_only_the_empty_tree_is_extended_without_a_path_and_only_with_its_own_root():
    root, other = mth(LEAVES[:5]), mth(LEAVES[:4])
    assert extends(0, EMPTY_ROOT, 5, root, [])
    assert extends(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert not extends(0, other, 5, root, [])
    assert not extends(0, other, 0, other, [])
    assert not extends(0, EMPTY_ROOT, 5, root, [other])
    assert not extends(5, root, 5, other, [])
    assert not extends(5, root, 5, root, [root])
    assert not extends(3, other, 5, root, [])
    assert not extends(4, other, 5, root, [])


HUGE = 1 << 100_000
PATH = inclusion_path(3, 7, nodes(LEAVES))
GOOD = (LEAVES[3], 3, 7, PATH, mth(LEAVES[:7]))
GROWN = (3, mth(LEAVES[:3]), 7, mth(LEAVES[:7]), consistency_path(3, 7, nodes(LEAVES)))
NO_HASHES: list[Any] = [None, b"", b"\0" * 31, b"\0" * 33, "0" * 32, bytearray(32), 7]
NO_SIZES: list[Any] = [None, -1, HUGE, -HUGE, 1 << 63, 7.0, "7", True, float("nan")]
NO_PATHS: list[Any] = [None, 7, "path", b"path", {}, iter(PATH), [*PATH, None], [b"short"], [PATH], [PATH[0]] * 1000]
NOT_INCLUDED = [(place, wrong) for place, wrongs in zip(
    range(5), (NO_HASHES, NO_SIZES, NO_SIZES, NO_PATHS, NO_HASHES), strict=True) for wrong in wrongs]  # fmt: skip
NOT_GROWN = [(place, wrong) for place, wrongs in zip(
    range(5), (NO_SIZES, NO_HASHES, NO_SIZES, NO_HASHES, NO_PATHS), strict=True) for wrong in wrongs]  # fmt: skip


def put(right: Sequence[Any], place: int, wrong: object) -> list[Any]:
    return [*right[:place], wrong, *right[place + 1 :]]


def test_what_is_malformed_shows_nothing_and_raises_nothing():
    assert includes(*GOOD)
    assert extends(*GROWN)
    for place, wrong in NOT_INCLUDED:
        leaf, index, size, path, root = put(GOOD, place, wrong)
        assert not includes(leaf, index, size, path, root)
    for place, wrong in NOT_GROWN:
        old, old_root, new, new_root, path = put(GROWN, place, wrong)
        assert not extends(old, old_root, new, new_root, path)


def test_paths_as_long_as_the_largest_tree_would_need_are_answered_at_once():
    started = time.perf_counter()
    for size in (2**62 + 1, 2**63 - 1):
        assert not includes(LEAVES[0], size - 1, size, LEAVES, LEAVES[1])
        assert not extends(size - 1, LEAVES[0], size, LEAVES[1], LEAVES)
    assert time.perf_counter() - started < 1


MUTATED = 100_000


def mutate(path: Sequence[bytes], random: Random) -> list[bytes]:
    """The path with one thing wrong with it."""
    wrong = list(path)
    place = random.randrange(len(wrong) + 1)
    match random.randrange(6) if place < len(wrong) else 0:
        case 0:
            wrong.insert(place, random.choice(LEAVES))
        case 1:
            del wrong[place]
        case 2:
            flipped = bytearray(wrong[place])
            flipped[random.randrange(32)] ^= 1 << random.randrange(8)
            wrong[place] = bytes(flipped)
        case 3:
            wrong[place] = random.choice(LEAVES)
        case 4:
            wrong.append(wrong[place])
        case _:
            other = random.randrange(len(wrong))
            wrong[place], wrong[other] = wrong[other], wrong[place]
    return wrong


def test_of_a_hundred_thousand_mutated_proofs_none_is_accepted():
    random, node = Random(6962), nodes(LEAVES)  # noqa: S311 the same mutations every time
    roots = [mth(LEAVES[:size]) for size in range(65)]
    inclusions = [(at, size, inclusion_path(at, size, node)) for size in range(1, 65) for at in range(size)]
    growths = [(old, new, consistency_path(old, new, node)) for new in range(2, 65) for old in range(1, new)]
    accepted: list[object] = []
    tried = 0
    while tried < MUTATED:
        index, size, path = random.choice(inclusions)
        wrong, place, other = mutate(path, random), random.randrange(65), random.randrange(65)
        old, new, growth = random.choice(growths)
        off, head = mutate(growth, random), random.randrange(65)
        attempts = (
            wrong != path and includes(LEAVES[index], index, size, wrong, roots[size]),
            place != index and includes(LEAVES[index], place, size, path, roots[size]),
            other != size and includes(LEAVES[index], index, other, path, roots[other]),
            index != place % 64 and includes(LEAVES[place % 64], index, size, path, roots[size]),
            off != growth and extends(old, roots[old], new, roots[new], off),
            head != old and extends(head, roots[head], new, roots[new], growth),
            head != new and extends(old, roots[old], head, roots[head], growth),
            head != old and extends(old, roots[head], new, roots[new], growth),
            extends(new, roots[new], old, roots[old], growth),
        )
        accepted += [(index, size, old, new, place) for attempt in attempts if attempt]
        tried += len(attempts)
    assert accepted == []
