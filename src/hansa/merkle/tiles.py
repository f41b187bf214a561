"""Tiles: the tree's hashes in rows of 256, so that a proof reads the same few pieces at any length.

Tile row `t` holds the hashes of complete subtrees of 256**t leaves, in order, 256 to a tile (the layout of
C2SP tlog-tiles). A hash never changes once written, so full tiles can be cached for ever. The tree in memory
is the incomplete last tile of each row; full ones are handed to whoever stores them.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, TypeAlias

from hansa.merkle.tree import EMPTY_ROOT, HASH_BYTES, complete_subtrees, fold_right

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
ROWS_MAX: Final = 8
"""64-bit sequence numbers need no more."""
_PYRAMIDS_CACHED: Final = 256

RowReader: TypeAlias = Callable[[int, int, int], bytes]
"""The stored hashes [begin, end) of a row, joined."""


class Tiles:
    """The tree: what is stored, through `read`, and the hashes behind it that are not stored yet.

    The first `stored` leaves can be read from rows; the hashes behind them wait in memory until `unstored`
    hands them out and `mark_stored` says they are safe. Besides, the frontier: the complete subtrees along the
    right edge, all that appending and the root need. Owned by the node's event loop.
    """

    __slots__ = ("_begin", "_frontier", "_pyramids", "_read", "_tail", "size", "stored")

    def __init__(self, stored: int, read: RowReader) -> None:
        self._read = read
        self._pyramids: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()
        self._begin = [row_length(stored, row) for row in range(ROWS_MAX)]
        self._tail: list[list[bytes]] = [[] for _ in range(ROWS_MAX)]
        self.stored = self.size = stored
        self._frontier = [self.node(level, index) for level, index in complete_subtrees(0, stored)]

    def root(self) -> bytes:
        """The root over all leaves."""
        return fold_right(self._frontier) if self._frontier else EMPTY_ROOT

    def append(self, leaf: bytes) -> None:
        """Adds a leaf hash, and above it the hash of every tile it completes."""
        self._tail[0].append(leaf)
        sha256, frontier = hashlib.sha256, self._frontier
        size, level = self.size, 0
        while size & 1:
            leaf = sha256(b"\x01" + frontier.pop() + leaf).digest()
            size >>= 1
            level += 1
            if not level % TILE_HEIGHT:
                self._tail[level // TILE_HEIGHT].append(leaf)
        frontier.append(leaf)
        self.size += 1

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree, as `tree.NodeSource`."""
        row, height = divmod(level, TILE_HEIGHT)
        first = index << height
        tile = first // TILE_WIDTH
        if height == 0 and (row, tile) not in self._pyramids:
            return self._hashes(row, first, first + 1)[0]
        if self._begin[row] + len(self._tail[row]) >= (tile + 1) * TILE_WIDTH:
            return self._pyramid(row, tile)[(TILE_WIDTH >> height) + (first % TILE_WIDTH >> height)]
        return _fold(self._hashes(row, first, first + (1 << height)))

    def unstored(self) -> list[tuple[int, int, bytes]]:
        """What is not stored yet: for each row its number, the position of the first hash, the hashes joined."""
        return [(row, self._begin[row], b"".join(tail)) for row, tail in enumerate(self._tail) if tail]

    def mark_stored(self) -> None:
        """Everything up to `size` can be read from the store now."""
        self.stored = self.size
        self._begin = [row_length(self.stored, row) for row in range(ROWS_MAX)]
        self._tail = [[] for _ in range(ROWS_MAX)]

    def _hashes(self, row: int, begin: int, end: int) -> list[bytes]:
        """The hashes [begin, end) of a row, from the store and from what waits behind it."""
        found: list[bytes] = []
        border = self._begin[row]
        if begin < border:
            joined = self._read(row, begin, min(end, border))
            found = [joined[i : i + HASH_BYTES] for i in range(0, len(joined), HASH_BYTES)]
        if end > border:
            found += self._tail[row][max(begin - border, 0) : end - border]
        assert len(found) == end - begin
        return found

    def _pyramid(self, row: int, tile: int) -> list[bytes]:
        """All hashes of a full tile as a heap: the root of the tile at 1, its leaves from 256 on."""
        key = (row, tile)
        pyramid = self._pyramids.get(key)
        if pyramid is None:
            level = self._hashes(row, tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH)
            pyramid = level
            while len(level) > 1:
                level = _above(level)
                pyramid = level + pyramid
            pyramid = [b"", *pyramid]
            self._pyramids[key] = pyramid
            if len(self._pyramids) > _PYRAMIDS_CACHED:
                self._pyramids.popitem(last=False)
        else:
            self._pyramids.move_to_end(key)
        return pyramid


def row_length(size: int, row: int) -> int:
    """How many hashes a row has in a tree of `size` leaves."""
    return size >> (TILE_HEIGHT * row)


def _fold(hashes: list[bytes]) -> bytes:
    """The hash over a power of two of neighbouring hashes."""
    while len(hashes) > 1:
        hashes = _above(hashes)
    return hashes[0]


def _above(hashes: list[bytes]) -> list[bytes]:
    """The hashes of the nodes above pairs: `tree.node_hash` written out, since a proof makes hundreds of them."""
    sha256 = hashlib.sha256
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
