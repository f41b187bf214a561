"""The tree against RFC 9162: its roots and paths, what they prove, and that nothing else passes for them."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.merkle import tree

SIZES = range(131)
SIZES_TO_3000 = st.integers(1, 3000)

# The eight entries of Certificate Transparency's own tests, and the roots over the first of them.
CT_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
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

# RFC 9942 prints the path of leaf 17 in a tree of 20 with the middle of each hash left out.
RFC9942_PATH = [("fc9f050f", "221c92cb"), ("bd0136ad", "6b28cf21"), ("d68af9d6", "93b1632b")]


def changed(hash):
    return bytes([hash[0] ^ 1]) + hash[1:]


class TestHashes:
    def test_leaves_and_nodes_are_told_apart(self):
        assert tree.leaf_hash(b"L123456") == hashlib.sha256(b"\x00L123456").digest()
        assert tree.node_hash(b"N123", b"N456") == hashlib.sha256(b"\x01N123N456").digest()
        assert tree.EMPTY_ROOT.hex() == CT_ROOTS[0]

    @pytest.mark.parametrize("size", range(9))
    def test_known_roots(self, size):
        leaves = [tree.leaf_hash(bytes.fromhex(entry)) for entry in CT_ENTRIES]

        def node(level, index):
            if level == 0:
                return leaves[index]
            return tree.node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

        assert tree.root_of(0, size, node).hex() == CT_ROOTS[size]

    def test_the_path_that_rfc9942_prints(self, naive):
        path = tree.inclusion_path(17, 20, naive.node)
        assert [(hash.hex()[:8], hash.hex()[-8:]) for hash in path] == RFC9942_PATH
        assert tree.root_from_inclusion(17, 20, tree.leaf_hash(b"entry-17"), path) == naive.root(20)

    @pytest.mark.parametrize("size", SIZES)
    def test_roots(self, naive, size):
        assert tree.root_of(0, size, naive.node) == naive.root(size)

    @given(st.integers(0, 3000), st.integers(0, 11))
    def test_roots_of_parts(self, naive, size, level):
        """A part as an RFC 9162 split makes it: it begins at a multiple of a power of two and is at most that long."""
        begin = size >> level << level
        assert tree.root_of(begin, size, naive.node) == naive.mth(begin, size)

    @given(st.integers(0, 2**62))
    def test_complete_subtrees_cover_all_without_gaps(self, size):
        found = tree.complete_subtrees(0, size)
        bounds = [(index << level, (index + 1) << level) for level, index in found]
        assert [0, *(end for _, end in bounds)] == [*(begin for begin, _ in bounds), size]
        assert all(level > following for (level, _), (following, _) in pairwise(found))


class TestInclusion:
    @pytest.mark.parametrize("size", SIZES)
    def test_every_leaf(self, naive, size):
        for index in range(size):
            path = tree.inclusion_path(index, size, naive.node)
            assert path == naive.path(index, 0, size)
            assert tree.root_from_inclusion(index, size, naive.leaf(index), path) == naive.root(size)

    @pytest.mark.parametrize("size", SIZES)
    def test_a_path_holds_the_root_of_what_is_before(self, naive, size):
        for index in range(1, size):
            assert tree.root_before(index, size, naive.path(index, 0, size)) == naive.root(index)

    @given(SIZES_TO_3000, st.data())
    def test_larger_trees(self, naive, size, data):
        index = data.draw(st.integers(0, size - 1))
        path = tree.inclusion_path(index, size, naive.node)
        assert path == naive.path(index, 0, size)
        assert tree.root_from_inclusion(index, size, naive.leaf(index), path) == naive.root(size)

    @pytest.mark.parametrize("size", [2, 3, 7, 20, 33, 130])
    def test_nothing_else_leads_to_the_root(self, naive, size):
        for index in range(size):
            leaf, path = naive.leaf(index), naive.path(index, 0, size)
            assert tree.root_from_inclusion(index, size, changed(leaf), path) != naive.root(size)
            for at, hash in enumerate(path):
                forged = [*path[:at], changed(hash), *path[at + 1 :]]
                assert tree.root_from_inclusion(index, size, leaf, forged) != naive.root(size)

    @pytest.mark.parametrize("size", range(1, 40))
    def test_paths_of_another_length(self, naive, size, refused):
        for index in range(size):
            leaf, path = naive.leaf(index), naive.path(index, 0, size)
            for other in [path[:-1], path[1:], []] if path else []:
                with refused("tree.path"):
                    tree.root_from_inclusion(index, size, leaf, other)
            for other in [[*path, leaf], [leaf, *path], path + path + [leaf], [leaf] * 128]:
                with refused("tree.path"):
                    tree.root_from_inclusion(index, size, leaf, other)

    @pytest.mark.parametrize("size", [2, 5, 8, 20])
    def test_a_path_proves_one_place_only(self, naive, size, refused):
        for index in range(size):
            path = naive.path(index, 0, size)
            for other in set(range(size)) - {index}:
                if len(naive.path(other, 0, size)) == len(path):
                    assert tree.root_from_inclusion(other, size, naive.leaf(index), path) != naive.root(size)
                else:
                    with refused("tree.path"):
                        tree.root_from_inclusion(other, size, naive.leaf(index), path)

    def test_the_size_is_not_bound_by_the_path(self, naive):
        """The trap of RFC 9942 that `receipt` closes: some other sizes lead to the same root."""
        path = naive.path(5, 0, 8)
        assert tree.root_from_inclusion(5, 7, naive.leaf(5), path) == naive.root(8)

    @pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 5), (5, 5), (6, 5), (0, -1), (2**64, 2**63)])
    def test_leaves_that_are_not_there(self, naive, index, size, refused):
        with refused("tree.range"):
            tree.inclusion_path(index, size, naive.node)
        with refused("tree.range"):
            tree.root_from_inclusion(index, size, naive.leaf(0), [])

    def test_huge_trees(self):
        """A tree whose leaves are all alike, so that its nodes need no storing."""
        hashes = [tree.leaf_hash(b"")]
        while len(hashes) < 64:
            hashes.append(tree.node_hash(hashes[-1], hashes[-1]))
        size = 2**62 + 12_345
        root = tree.root_of(0, size, lambda level, _: hashes[level])
        for index in (0, 1, 2**61, 2**62 - 1, 2**62, size - 1):
            path = tree.inclusion_path(index, size, lambda level, _: hashes[level])
            assert len(path) <= 63
            assert tree.root_from_inclusion(index, size, hashes[0], path) == root


class TestConsistency:
    @pytest.mark.parametrize("second", SIZES)
    def test_every_older_size(self, naive, second):
        for first in range(1, second + 1):
            path = tree.consistency_path(first, second, naive.node)
            assert path == naive.proof(first, second)
            assert tree.is_consistent(first, second, naive.root(first), naive.root(second), path)

    @given(SIZES_TO_3000, st.data())
    def test_larger_trees(self, naive, second, data):
        first = data.draw(st.integers(1, second))
        path = tree.consistency_path(first, second, naive.node)
        assert path == naive.proof(first, second)
        assert tree.is_consistent(first, second, naive.root(first), naive.root(second), path)

    @pytest.mark.parametrize("second", [2, 3, 7, 8, 20, 33])
    def test_nothing_else_proves_it(self, naive, second):
        for first in range(1, second):
            old, new, path = naive.root(first), naive.root(second), naive.proof(first, second)
            forgeries = [[*path[:at], changed(hash), *path[at + 1 :]] for at, hash in enumerate(path)]
            lengths = [path[:-1], path[1:], [], [*path, old], [old, *path], path + path]
            for other in [other for other in forgeries + lengths if other != path]:
                assert not tree.is_consistent(first, second, old, new, other)
            assert not tree.is_consistent(first, second, changed(old), new, path)
            assert not tree.is_consistent(first, second, old, changed(new), path)
            assert not tree.is_consistent(first, second, new, old, path)

    @pytest.mark.parametrize("second", [4, 7, 8, 20])
    def test_a_rewritten_history_cannot_be_proven(self, naive, second):
        """The new tree has another first entry: no path made from its nodes leads from the old root."""

        def rewritten(level, index):
            if index:
                return naive.node(level, index)
            return (
                tree.leaf_hash(b"other")
                if not level
                else tree.node_hash(rewritten(level - 1, 0), naive.node(level - 1, 1))
            )

        new = tree.root_of(0, second, rewritten)
        for first in range(1, second):
            path = tree.consistency_path(first, second, rewritten)
            assert tree.is_consistent(first, second, tree.root_of(0, first, rewritten), new, path)
            assert not tree.is_consistent(first, second, naive.root(first), new, path)

    def test_a_tree_is_consistent_with_itself(self, naive):
        assert tree.consistency_path(7, 7, naive.node) == []
        assert tree.is_consistent(7, 7, naive.root(7), naive.root(7), [])
        assert not tree.is_consistent(7, 7, naive.root(7), naive.root(8), [])
        assert not tree.is_consistent(7, 7, naive.root(7), naive.root(7), [naive.root(7)])

    @pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (6, 5), (-1, 5), (1, 0), (1, -1)])
    def test_sizes_that_make_no_sense(self, naive, first, second, refused):
        with refused("tree.range"):
            tree.consistency_path(first, second, naive.node)
        root = naive.root(5)
        assert not tree.is_consistent(first, second, root, root, [])
        assert not tree.is_consistent(first, second, root, root, [root])

    @pytest.mark.parametrize("second", [4, 7, 8, 20])
    def test_a_proof_with_another_size_on_it(self, naive, second):
        """Sizes whose proofs have another length: the right roots do not help."""
        for first in range(1, second):
            old, new, path = naive.root(first), naive.root(second), naive.proof(first, second)
            for other in range(first + 1, 70):
                if len(naive.proof(first, other)) != len(path):
                    assert not tree.is_consistent(first, other, old, new, path)

    @settings(max_examples=50)
    @given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
    def test_a_proof_holds_for_its_sizes_only(self, naive, first, second, other):
        first, second = min(first, second), max(first, second)
        path, roots = naive.proof(first, second), (naive.root(first), naive.root(second))
        if other not in (first, second):
            assert not tree.is_consistent(first, second, naive.root(other), roots[1], path)
            assert not tree.is_consistent(first, second, roots[0], naive.root(other), path)
