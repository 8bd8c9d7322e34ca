"""The tree over all events: RFC 6962, section 2.1, checked as RFC 9162, sections 2.1.3 and 2.1.4, say.

A leaf is the hash of an event and its MAC. A head (size and root) fixes every leaf and their order; a path of some
twenty hashes shows that a leaf is in it, another that a later head still holds all that an earlier one did.
Nothing here stores a node: who asks for a path says how to find the root of a complete subtree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962, section 2.1)."""

HASH_BYTES = 32
LARGEST_TREE = 1 << 63
"""Sizes beyond this are nobody's tree: they are refused before anything is computed with them."""

Node = Callable[[int, int], bytes]
"""The root of a complete subtree by level and index; level 0 are the leaf hashes, (2, 3) covers leaves 12 to 15."""


def leaf_hash(data: bytes) -> bytes:
    """What stands for an entry in the tree; the 0 keeps a leaf from ever being taken for a node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """What stands for two neighbours in the tree."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree, as little of it as the next leaf needs: the roots of its complete subtrees, largest first.

    `peaks` has one hash for each 1 in the binary form of `size`, so 63 at most. The two together are all that has to
    be kept between one round of sealing and the next.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if not 0 <= size < LARGEST_TREE or len(peaks) != size.bit_count() or not all(map(_is_hash, peaks)):
            message = f"a tree of {size} leaves has {max(size, 0).bit_count()} peaks of 32 bytes, not {len(peaks)}"
            raise ValueError(message)
        self.size = size
        self.peaks = list(peaks)

    @classmethod
    def from_json(cls, told: tuple[int, Sequence[str]]) -> Frontier:
        """The frontier that `to_json` told of.

        Raises:
            ValueError: If the peaks are not those of a tree of that size.
        """
        size, peaks = told
        return cls(size, [bytes.fromhex(peak) for peak in peaks])

    def to_json(self) -> tuple[int, tuple[str, ...]]:
        """Size and peaks (hexadecimal), as JSON can hold them."""
        return self.size, tuple(peak.hex() for peak in self.peaks)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at the end."""
        height = self.size
        while height & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            height >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        return _folded(self.peaks)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in memory that does not grow with their number."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def root_at(size: int, node: Node) -> bytes:
    """The root of the first `size` leaves."""
    return _root_between(0, size, node)


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """The path from a leaf to the root of the first `size` leaves (RFC 6962, section 2.1.1), lowest hash first.

    Raises:
        ValueError: If that tree has no such leaf.
    """
    if not 0 <= index < size:
        message = f"leaf {index} is not in a tree of {size} leaves: they count from 0 to {size - 1}"
        raise ValueError(message)
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _left_part(end - begin)
        if index < middle:
            path.append(_root_between(middle, end, node))
            end = middle
        else:
            path.append(_root_between(begin, middle, node))
            begin = middle
    return path[::-1]


def consistency_path(old: int, new: int, node: Node) -> list[bytes]:
    """The path that shows a tree of `new` leaves to begin with those of `old` (RFC 6962, section 2.1.2).

    Empty where nothing needs to be shown: from the empty tree, and from a tree to itself.

    Raises:
        ValueError: If the new tree is smaller than the old one.
    """
    if not 0 <= old <= new:
        message = f"a tree of {new} leaves does not grow out of one of {old}"
        raise ValueError(message)
    if old == 0:
        return []
    path: list[bytes] = []
    begin, end = 0, new
    while end != old:
        middle = begin + _left_part(end - begin)
        if old <= middle:
            path.append(_root_between(middle, end, node))
            end = middle
        else:
            path.append(_root_between(begin, middle, node))
            begin = middle
    if begin:  # the old tree is not itself a node on the way: its last part is named too
        path.append(_root_between(begin, end, node))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` shows the leaf hash at `index` of the tree with this size and root (RFC 9162, 2.1.3.2).

    False for anything malformed; nothing that comes from outside makes it raise or take long.
    """
    if not (_is_size(size) and _is_size(index) and index < size and _are_hashes(leaf, root) and _is_path(path)):
        return False
    place, last, reached = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(sibling, reached)
            place, last = _past_lone_parents(place, last)
        else:
            reached = node_hash(reached, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def extends(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows the newer head to begin with all leaves of the older one (RFC 9162, 2.1.4.2).

    Every tree extends the empty one, by an empty path. False for anything malformed, as `includes`.
    """
    if not (_is_size(old) and _is_size(new) and old <= new and _are_hashes(old_root, new_root) and _is_path(path)):
        return False
    if old in (0, new):
        good = old_root == (EMPTY_ROOT if old == 0 else new_root) and (new > 0 or new_root == EMPTY_ROOT)
        return good and not path
    return _grows(old, old_root, new, new_root, path)


def _grows(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    hashes = [old_root, *path] if old.bit_count() == 1 else list(path)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            place, last = _past_lone_parents(place, last)
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _past_lone_parents(place: int, last: int) -> tuple[int, int]:
    """Upwards past nodes at the right edge that have no sibling and so stand for themselves."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _left_part(count: int) -> int:
    """The largest power of two below a number of leaves greater than one."""
    return 1 << ((count - 1).bit_length() - 1)


def _root_between(begin: int, end: int, node: Node) -> bytes:
    """The root over leaves `begin` (a multiple of the largest power of two in their number) up to before `end`."""
    peaks: list[bytes] = []
    for level in range((end - begin).bit_length() - 1, -1, -1):
        if (end - begin) >> level & 1:
            peaks.append(node(level, begin >> level))
            begin += 1 << level
    return _folded(peaks)


def _folded(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in peaks[-2::-1]:
        root = node_hash(peak, root)
    return root


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == HASH_BYTES


def _are_hashes(*values: object) -> bool:
    return all(map(_is_hash, values))


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value < LARGEST_TREE  # True is no size


def _is_path(value: object) -> bool:
    """A list or tuple of hashes, none longer than the highest tree has levels on both its sides."""
    return isinstance(value, list | tuple) and len(value) <= LARGEST_TREE.bit_length() * 2 and _are_hashes(*value)
