"""`store.checkpoints`: records come back, damage is noticed, and the covering one is found whatever is damaged."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.merkle.checkpoint import Checkpoint
from hansa.store.checkpoints import RECORD_BYTES, Checkpoints
from hansa.store.files import Disk

LEDGER = bytes(range(32))


def checkpoint(size):
    return Checkpoint(LEDGER, size, 1_000 + size, bytes([size % 256]) * 32, -7, b"k" * 32, bytes([size % 251]) * 64)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoints"


def written(disk, path, sizes):
    made = Checkpoints(disk, path, LEDGER)
    for size in sizes:
        made.append(checkpoint(size))
    made.sync()
    return made


def damage(path, number, at=100):
    data = bytearray(path.read_bytes())
    data[number * RECORD_BYTES + at] ^= 1
    path.write_bytes(data)


def test_records_are_read_again(disk, path):
    made = written(disk, path, [1, 5, 9])
    made.close()
    for again in (Checkpoints(disk, path, LEDGER), Checkpoints(disk, path, LEDGER, writable=False)):
        assert again.count == 3
        assert [again.get(i) for i in range(-1, 4)] == [None, checkpoint(1), checkpoint(5), checkpoint(9), None]
        assert again.last() == checkpoint(9)
        again.close()


def test_none_yet(disk, path):
    for made in (Checkpoints(disk, path, LEDGER, writable=False), Checkpoints(disk, path, LEDGER)):
        assert (made.count, made.last(), made.covering(0)) == (0, None, None)
        made.close()
    assert path.exists()


def test_a_reader_makes_nothing(disk, path):
    Checkpoints(disk, path, LEDGER, writable=False).close()
    assert not path.exists()


def test_every_flipped_byte_is_noticed(disk, path):
    """Anywhere in a record, its unused bytes too."""
    written(disk, path, [3, 8]).close()
    whole = path.read_bytes()
    made = Checkpoints(disk, path, LEDGER)
    unnoticed = []
    for at in range(RECORD_BYTES, 2 * RECORD_BYTES):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        assert made.get(0) == checkpoint(3)
        if made.get(1) is not None:
            unnoticed.append(at - RECORD_BYTES)
        else:
            assert made.last() == checkpoint(3)
    assert unnoticed == []
    made.close()


@settings(max_examples=150, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 400), unique=True, max_size=24).map(sorted),
    bad=st.sets(st.integers(0, 23)),
    torn=st.integers(0, RECORD_BYTES - 1),
)
def test_covering_is_what_a_linear_search_finds(disk_, shared, sizes, bad, torn):
    path = shared / "checkpoints"
    path.unlink(missing_ok=True)
    written(disk_, path, sizes).close()
    for number in bad:
        if number < len(sizes):
            damage(path, number, at=number * 7 % (RECORD_BYTES - 4))
    path.write_bytes(path.read_bytes() + b"\xff" * torn)
    made = Checkpoints(disk_, path, LEDGER)
    assert made.count == len(sizes)
    sound = [size for number, size in enumerate(sizes) if number not in bad]
    for seq in {0, *sizes, *(size - 1 for size in sizes), *(size + 1 for size in sizes), 1000}:
        expected = next((size for size in sound if size > seq), None)
        assert made.covering(seq) == (None if expected is None else checkpoint(expected))
    assert made.last() == (checkpoint(sound[-1]) if sound else None)
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def disk_():
    return Disk()


@pytest.mark.parametrize(
    ("bad", "synced", "left"),
    [
        ([], 0, 6),
        ([], 6, 6),
        ([5], 3, 5),
        ([5], 5, 5),
        ([3], 3, 5),
        ([3, 5], 0, 4),
        ([2, 4], 3, 5),
        ([4], 6, 6),  # damage below what was synced is no crash's: nothing is forgotten for it
        ([0], 0, 5),
        ([0, 1, 2, 3, 4, 5], 0, 0),
        ([1], 2, 6),
        ([], 100, 6),
    ],
)
def test_trim_forgets_the_damaged_alone(disk, path, bad, synced, left):
    written(disk, path, [10, 20, 30, 40, 50, 60]).close()
    for number in bad:
        damage(path, number)
    made = Checkpoints(disk, path, LEDGER)
    made.trim(synced)
    assert made.count == left
    assert path.stat().st_size == left * RECORD_BYTES
    kept = [size for n, size in enumerate((10, 20, 30, 40, 50, 60)) if n not in bad or n < synced]
    sizes = [None if head is None else head.size for head in map(made.get, range(made.count))]
    assert sizes == [None if n in bad and n < synced else size for n, size in enumerate(kept)]
    made.append(checkpoint(70))
    assert made.get(left) == checkpoint(70) == made.last()
    made.close()


def test_a_torn_last_record_is_written_over(disk, path):
    written(disk, path, [10, 20]).close()
    os.truncate(path, 2 * RECORD_BYTES - 7)
    made = Checkpoints(disk, path, LEDGER)
    assert made.count == 1
    made.trim(1)
    made.append(checkpoint(30))
    made.close()
    again = Checkpoints(disk, path, LEDGER)
    assert [again.get(i) for i in range(again.count)] == [checkpoint(10), checkpoint(30)]
    again.close()


def test_zeros_after_a_crash_are_no_record(disk, path):
    """A file that grew without its bytes: the length is there, the records are not."""
    written(disk, path, [10]).close()
    os.truncate(path, 3 * RECORD_BYTES)
    made = Checkpoints(disk, path, LEDGER)
    assert made.count == 3
    assert made.last() == checkpoint(10)
    made.trim(1)
    assert made.count == 1
    made.close()
