"""The Merkle tree of RFC 9162 section 2.1: leaf and node hashes, roots, inclusion and consistency paths.

Paths are computed from the hashes of complete subtrees, which never change once they exist; where those come
from (tiles on disk, a list in a test) is the caller's business.
"""

import hashlib
from collections.abc import Callable
from typing import Final, TypeAlias

from hansa.wire.problems import HansaError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

NodeSource: TypeAlias = Callable[[int, int], bytes]
"""The hash of the complete subtree over leaves [index * 2**level, (index + 1) * 2**level)."""


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162 section 2.1.1: SHA-256 over 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 section 2.1.1: SHA-256 over 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete_subtrees(begin: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees, as (level, index), that cover [begin, end) left to right.

    `begin` MUST be a multiple of the largest power of two not above end - begin, as in every RFC 9162 split.
    """
    found: list[tuple[int, int]] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        found.append((level, begin >> level))
        begin += 1 << level
    return found


def root_of(begin: int, end: int, node: NodeSource) -> bytes:
    """The hash over leaves [begin, end), aligned as for `complete_subtrees`."""
    if begin == end:
        return EMPTY_ROOT
    return fold_right([node(level, index) for level, index in complete_subtrees(begin, end)])


def fold_right(hashes: list[bytes]) -> bytes:
    """The root over complete subtrees that stand side by side, largest first."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def inclusion_path(index: int, size: int, node: NodeSource) -> list[bytes]:
    """RFC 9162 section 2.1.3.1: the path for leaf `index` in the tree of `size` leaves, lowest hash first."""
    if not 0 <= index < size:
        raise HansaError("tree.range", f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(root_of(middle, end, node))
            end = middle
        else:
            path.append(root_of(begin, middle, node))
            begin = middle
    path.reverse()
    return path


def consistency_path(first: int, second: int, node: NodeSource) -> list[bytes]:
    """RFC 9162 section 2.1.4.1: the proof that the tree of `second` leaves begins with the tree of `first`."""
    if not 0 < first <= second:
        raise HansaError("tree.range", f"no consistency proof from size {first} to {second}")
    path: list[bytes] = []
    begin, end = 0, second
    whole = True  # whether [begin, first) is still the whole old tree, which the verifier has
    while first != end:
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(root_of(middle, end, node))
            end = middle
        else:
            path.append(root_of(begin, middle, node))
            begin = middle
            whole = False
    if not whole:
        path.append(root_of(begin, end, node))
    path.reverse()
    return path


def root_from_inclusion(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.3.2: the root that a path leads to. Raises `HansaError` if its length cannot be right."""
    if not 0 <= index < size:
        raise HansaError("tree.range", f"no leaf {index} in a tree of {size}")
    position, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise HansaError("tree.path", "the path is too long for the tree")
        if position & 1 or position == last:
            root = node_hash(sibling, root)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise HansaError("tree.path", "the path is too short for the tree")
    return root


def root_before(index: int, size: int, path: list[bytes]) -> bytes:
    """The root of the first `index` leaves, at least one, as the path for leaf `index` in a tree of `size` shows it.

    What stands left of a leaf is the complete subtrees over all leaves before it, and every one is a step of its path.
    MUST be called for a path that `root_from_inclusion` led to a root that is trusted.
    """
    assert 0 < index < size
    begin, end = 0, size
    left: list[bytes] = []
    for sibling in reversed(path):
        middle = begin + _split(end - begin)
        if index < middle:
            end = middle
        else:
            left.append(sibling)
            begin = middle
    return fold_right(left)


def is_consistent(first: int, second: int, first_root: bytes, second_root: bytes, path: list[bytes]) -> bool:
    """RFC 9162 section 2.1.4.2: whether a proof shows that one tree begins with the other."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    hashes = list(path)
    if first & (first - 1) == 0:
        hashes.insert(0, first_root)
    if not hashes:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and old == first_root and new == second_root


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
