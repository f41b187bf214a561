"""`store.rows`: the tree's hashes come back where they were put, and what is missing is said to be."""

import hashlib

import pytest

from hansa.merkle.tiles import Tiles
from hansa.merkle.tree import leaf_hash, root_of
from hansa.store.rows import Rows, row_name
from hansa.wire.problems import HansaError


def hashes(begin, end):
    return b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(begin, end))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "tiles"


def test_a_new_folder_has_none(disk, folder):
    rows = Rows(disk, folder)
    assert rows.leaves() == 0
    assert rows.read(0, 0, 0) == b""
    with pytest.raises(HansaError) as error:
        rows.read(0, 0, 1)
    assert error.value.code == "tiles.short"
    assert not folder.exists()


def test_rows_are_read_again(disk, folder):
    rows = Rows(disk, folder)
    rows.write([(0, 0, hashes(0, 300)), (1, 0, hashes(1000, 1001))])
    rows.write([(0, 300, hashes(300, 310))])
    rows.close()
    for again in (Rows(disk, folder), Rows(disk, folder, writable=False)):
        assert again.leaves() == 310
        assert again.read(0, 0, 310) == hashes(0, 310)
        assert again.read(0, 299, 301) == hashes(299, 301)
        assert again.read(1, 0, 1) == hashes(1000, 1001)
        for row, begin, end in ((0, 309, 311), (0, 400, 401), (1, 1, 2), (2, 0, 1)):
            with pytest.raises(HansaError) as error:
                again.read(row, begin, end)
            assert error.value.code == "tiles.short"
        again.close()


def test_a_torn_hash_does_not_count(disk, folder):
    rows = Rows(disk, folder)
    rows.write([(0, 0, hashes(0, 5))])
    rows.close()
    file = folder / row_name(0)
    file.write_bytes(file.read_bytes()[:-1])
    rows = Rows(disk, folder)
    assert rows.leaves() == 4
    with pytest.raises(HansaError):
        rows.read(0, 4, 5)
    rows.write([(0, 4, hashes(4, 5))])
    assert rows.read(0, 0, 5) == hashes(0, 5)
    rows.close()


def test_what_was_written_is_told_from_anything_else(disk, folder):
    rows = Rows(disk, folder)
    assert rows.is_sound(0, rows.checksums)
    rows.write([(0, 0, hashes(0, 300)), (1, 0, hashes(1000, 1001))])
    rows.write([(0, 300, hashes(300, 310))])
    checksums = rows.checksums
    rows.write([(0, 310, hashes(310, 313))])  # a crash before the state knew: more may be there
    rows.close()
    again = Rows(disk, folder)
    assert again.is_sound(310, checksums)
    again.write([(0, 310, hashes(310, 313))])
    assert again.checksums == rows.checksums
    assert not again.is_sound(310, ())
    assert not again.is_sound(309, checksums)
    assert not again.is_sound(600, checksums)
    again.close()
    for row, at in ((0, 0), (0, 309 * 32 + 31), (1, 7)):
        file = folder / row_name(row)
        data = bytearray(file.read_bytes())
        data[at] ^= 1
        file.write_bytes(data)
        assert not Rows(disk, folder).is_sound(310, checksums)
        data[at] ^= 1
        file.write_bytes(data)
    (folder / row_name(1)).unlink()
    assert not Rows(disk, folder).is_sound(310, checksums)


def test_a_reader_makes_nothing(disk, folder):
    rows = Rows(disk, folder, writable=False)
    assert rows.leaves() == 0
    assert not folder.exists()


def test_a_write_is_synced_and_so_are_new_names(disk, folder):
    order = []

    class Spy(type(disk)):
        def open(self, path, *, create=False):
            file = super().open(path, create=create)
            write, sync = file.write, file.sync

            class SpyFile:
                def write(self, offset, data):
                    order.append(("write", path.name))
                    write(offset, data)

                def sync(self):
                    order.append(("sync", path.name))
                    sync()

                def close(self):
                    file.close()

            return SpyFile()

        def sync_folder(self, path):
            order.append(("sync_folder", path.name))
            super().sync_folder(path)

    rows = Rows(Spy(), folder)
    rows.write([(0, 0, hashes(0, 1))])
    rows.write([(0, 1, hashes(1, 2))])
    rows.close()
    assert order == [("sync_folder", "tiles"), *[("write", "row-1"), ("sync", "row-1")] * 2]


def test_tiles_over_rows_give_the_tree(disk, folder):
    """In steps of odd sizes, with a new reader each time, the root and every leaf are those of the whole tree."""
    leaves = [leaf_hash(str(i).encode()) for i in range(700)]
    stored = 0
    for step in (1, 3, 250, 2, 1, 300, 143):
        rows = Rows(disk, folder)
        tiles = Tiles(stored, rows.read)
        for leaf in leaves[stored : stored + step]:
            tiles.append(leaf)
        rows.write(tiles.unstored())
        tiles.mark_stored()
        stored += step
        assert rows.leaves() == tiles.size == stored
        again = Tiles(stored, rows.read)
        whole = root_of(0, stored, lambda level, index: _subtree(leaves, level, index))
        assert again.root() == tiles.root() == whole
        assert [again.node(0, i) for i in range(0, stored, 37)] == leaves[:stored:37]
        rows.close()
    assert stored == 700


def _subtree(leaves, level, index):
    found = leaves[index << level : (index + 1) << level]
    while len(found) > 1:
        found = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(found[::2], found[1::2], strict=True)]
    return found[0]
