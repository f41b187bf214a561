"""Tiles: the same tree, whatever of it lies in the store and whenever it was opened, for a few reads a proof."""

import random
from functools import cache

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hansa.merkle import tree
from hansa.merkle.tiles import ROWS_MAX, TILE_WIDTH, Tiles, row_length

MOST = 67_000  # leaves: enough for two rows of full tiles and for more of them than are cached


@cache
def levels():
    """All nodes of a tree of `MOST` leaves, level by level, hashed pair by pair: what tiles are compared with."""
    found = [[tree.leaf_hash(b"%d" % index) for index in range(MOST)]]
    while len(found[-1]) > 1:
        below = found[-1]
        found.append([tree.node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return found


def node(level, index):
    return levels()[level][index]


def root(size):
    return tree.root_of(0, size, node)


class Rows:
    """A store of rows that gives out only what it was given."""

    def __init__(self, size=0):
        self.rows = [bytearray(b"".join(levels()[8 * row][: row_length(size, row)])) for row in range(3)]
        self.calls = []

    def read(self, row, begin, end):
        self.calls.append((row, begin, end))
        assert 0 <= begin < end <= len(self.rows[row]) // 32
        return bytes(self.rows[row][32 * begin : 32 * end])

    def take(self, tiles):
        """Stores what is not stored yet, as the node does."""
        for row, position, hashes in tiles.unstored():
            assert 32 * position == len(self.rows[row])
            self.rows[row] += hashes
        tiles.mark_stored()


def appended(tiles, count):
    for index in range(tiles.size, tiles.size + count):
        tiles.append(node(0, index))
    return tiles


class TilesMachine(RuleBasedStateMachine):
    """A node's life: entries come, are stored now and then, and it starts again from what is stored."""

    @initialize(stored=st.sampled_from([0, 1, 255, 256, 257, 511, 513, 65_279, 65_280, 65_535, 65_536, 65_537, 65_793]))
    def open(self, stored):
        self.rows = Rows(stored)
        self.tiles = Tiles(stored, self.rows.read)

    @rule(count=st.sampled_from([1, 2, 3, 7, 100, 255, 256, 257]))
    @precondition(lambda self: self.tiles.size < MOST - 257)
    def append(self, count):
        appended(self.tiles, count)

    @rule()
    def store(self):
        self.rows.take(self.tiles)
        assert self.tiles.stored == self.tiles.size
        assert self.tiles.unstored() == []

    @rule()
    def start_again(self):
        self.tiles = Tiles(self.tiles.stored, self.rows.read)

    @rule(data=st.data())
    @precondition(lambda self: self.tiles.size)
    def look_up(self, data):
        level = data.draw(st.integers(0, self.tiles.size.bit_length() - 1))
        index = data.draw(st.integers(0, (self.tiles.size >> level) - 1))
        assert self.tiles.node(level, index) == node(level, index)

    @rule(data=st.data())
    @precondition(lambda self: self.tiles.size)
    def prove(self, data):
        size = data.draw(st.integers(1, self.tiles.size) | st.just(self.tiles.size))
        index = data.draw(st.integers(0, size - 1))
        assert tree.inclusion_path(index, size, self.tiles.node) == tree.inclusion_path(index, size, node)
        assert tree.consistency_path(index + 1, size, self.tiles.node) == tree.consistency_path(index + 1, size, node)

    @invariant()
    def the_root_is_that_of_the_tree(self):
        if hasattr(self, "tiles"):
            assert self.tiles.root() == root(self.tiles.size)

    @invariant()
    def the_rows_hold_the_hashes_of_whole_tiles(self):
        if hasattr(self, "rows"):
            for row, hashes in enumerate(self.rows.rows):
                assert len(hashes) == 32 * row_length(self.tiles.stored, row)


TestTilesMachine = TilesMachine.TestCase
TestTilesMachine.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


class TestGrowing:
    def test_an_empty_tree(self):
        tiles = Tiles(0, Rows().read)
        assert (tiles.root(), tiles.size, tiles.stored, tiles.unstored()) == (tree.EMPTY_ROOT, 0, 0, [])

    def test_against_the_naive_tree(self, naive):
        tiles = Tiles(0, Rows().read)
        for size in range(1, 700):
            tiles.append(naive.leaf(size - 1))
            assert tiles.root() == naive.root(size)

    @pytest.mark.parametrize("step", [1, 100, 255, 256, 257, 1000])
    def test_what_is_stored_is_row_by_row(self, step):
        """Row t holds the hashes over 256**t leaves, the layout of C2SP tlog-tiles."""
        rows = Rows()
        tiles = Tiles(0, rows.read)
        while tiles.size < 1500:
            rows.take(appended(tiles, step))
        stored = [[bytes(hashes[at : at + 32]) for at in range(0, len(hashes), 32)] for hashes in rows.rows]
        assert stored == [levels()[8 * row][: row_length(tiles.size, row)] for row in range(3)]

    def test_all_of_a_large_tree(self):
        rows = Rows()
        tiles = appended(Tiles(0, rows.read), 65_536)
        assert [(row, position, len(hashes) // 32) for row, position, hashes in tiles.unstored()] == [
            (0, 0, 65_536),
            (1, 0, 256),
            (2, 0, 1),
        ]
        assert tiles.root() == node(16, 0)
        rows.take(tiles)
        assert Tiles(65_536, rows.read).root() == node(16, 0)

    def test_asking_what_is_not_stored_changes_nothing(self):
        rows = Rows(300)
        tiles = appended(Tiles(300, rows.read), 300)
        assert tiles.unstored() == tiles.unstored()
        assert [(row, position, len(hashes) // 32) for row, position, hashes in tiles.unstored()] == [
            (0, 300, 300),
            (1, 1, 1),
        ]
        assert tiles.stored == 300

    @pytest.mark.parametrize("stored", [0, 1, 255, 256, 257, 300, 65_535, 65_536, 65_537])
    def test_every_node_near_the_border_of_what_is_stored(self, stored):
        tiles = appended(Tiles(stored, Rows(stored).read), 600)
        for level in range(tiles.size.bit_length()):
            last = (tiles.size >> level) - 1
            for index in range(max(last - (1200 >> level), 0), last + 1):
                assert tiles.node(level, index) == node(level, index)

    def test_more_full_tiles_than_are_cached(self):
        tiles = Tiles(66_900, Rows(66_900).read)
        order = list(range(66_900 // TILE_WIDTH)) * 2
        random.Random(1).shuffle(order)
        for tile in order:
            assert tiles.node(3, 32 * tile + 5) == node(3, 32 * tile + 5)


class TestRowLength:
    @pytest.mark.parametrize(
        ("size", "lengths"),
        [
            (0, [0, 0, 0]),
            (255, [255, 0, 0]),
            (256, [256, 1, 0]),
            (65_535, [65_535, 255, 0]),
            (65_536, [65_536, 256, 1]),
            (2**64 - 1, [2**64 - 1, 2**56 - 1, 2**48 - 1]),
        ],
    )
    def test_known_lengths(self, size, lengths):
        assert [row_length(size, row) for row in range(3)] == lengths

    def test_there_are_rows_enough(self):
        assert row_length(2**64 - 1, ROWS_MAX - 1) > 0
        assert row_length(2**64 - 1, ROWS_MAX) == 0


@cache
def uniform():
    """The node of each level in a tree whose leaves are all alike: such a tree can be any size and none is built."""
    found = [tree.leaf_hash(b"")]
    while len(found) < 64:
        found.append(tree.node_hash(found[-1], found[-1]))
    return found


class UniformRows:
    """The store of such a tree, which counts how often it is read."""

    def __init__(self, size):
        self.size = size
        self.calls = []

    def read(self, row, begin, end):
        assert 0 <= begin < end <= row_length(self.size, row)
        self.calls.append((row, begin, end))
        return uniform()[8 * row] * (end - begin)


def costs(size, prove):
    """What a proof costs a node that has just started, for many leaves: how many reads, how many hashes at most."""
    indexes = [1, 2, 255, 256, size // 3, size // 2, size - 257, size - 2, size - 1]
    for index in indexes + random.Random(size).sample(range(1, size), 200):
        rows = UniformRows(size)
        tiles = Tiles(size, rows.read)
        rows.calls.clear()
        path = prove(index, size, tiles.node)
        assert path == prove(index, size, lambda level, _: uniform()[level])
        yield len(rows.calls), max(end - begin for _, begin, end in rows.calls)


class TestCost:
    @pytest.mark.parametrize("prove", [tree.inclusion_path, tree.consistency_path])
    @pytest.mark.parametrize("size", [10**3, 10**6])
    def test_a_proof_costs_few_reads(self, prove, size):
        """At most 16, none of them larger than a tile, at a thousand leaves as at a million."""
        reads, hashes = zip(*costs(size, prove), strict=True)
        assert max(reads) <= 16
        assert max(hashes) <= TILE_WIDTH

    @pytest.mark.parametrize(("size", "most"), [(10**9, 16 + 8), (10**12, 16 + 2 * 8)])
    def test_another_row_costs_at_most_eight_more(self, size, most):
        assert max(reads for reads, _ in costs(size, tree.inclusion_path)) <= most

    def test_full_tiles_are_read_once(self):
        size = 256**2
        rows = UniformRows(size)
        tiles = Tiles(size, rows.read)
        rows.calls.clear()
        for index in range(256 * 7, 256 * 8):
            tree.inclusion_path(index, size, tiles.node)
        whole = [call for call in rows.calls if call[2] - call[1] > 1]
        assert sorted(whole) == [(0, 256 * 7, 256 * 8), (1, 0, 256)]
        assert len(rows.calls) <= 2 + 2 * 256  # and for each proof at most one hash of each row

    @pytest.mark.parametrize("size", [1, 10**3, 10**6, 10**9])
    def test_opening_reads_the_right_edge_only(self, size):
        rows = UniformRows(size)
        tiles = Tiles(size, rows.read)
        assert len(rows.calls) <= size.bit_length()
        assert tiles.root() == tree.root_of(0, size, lambda level, _: uniform()[level])
