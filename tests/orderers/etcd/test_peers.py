"""What nodes tell of themselves: whose clock is off, who is away, whose history differs, for whom the others wait."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.orderers.etcd.marks import DISPUTES_MAX, VERSION, Carried, Kept, Mark, Place, Record, decode, encode
from hansa.orderers.etcd.peers import CLOCK_MS_MAX, SILENT_S, Peers
from hansa.orderers.etcd.retained import KEPT_BATCHES, KEY_BYTES, OVERHEAD_BYTES, Retained, waited_for


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def place(position, history="same"):
    return Place(position, digest(f"{history} {position}"))


def mark(position=0, *, seen=0, clock=None, disputed=(), history="same"):
    return Mark(VERSION, place(position, history), seen, clock, False, list(disputed))


def off(*clocks):
    """How far a node's clock is off, by what it heard; its own stands at 10^12."""
    peers = Peers([str(number) for number in range(len(clocks))])
    for number, error in enumerate(clocks):
        peers.heard(str(number), mark(clock=10**12 + error), 10**12, at=1.0)
    return peers.clock_error(1.0)


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], 0),
        ([0, HOUR], 0),  # one of three is fast, and it is not this one
        ([0, -HOUR], 0),
        ([HOUR, HOUR], -HOUR),  # it is this one, which is slow against the others
        ([-HOUR, -HOUR], HOUR),
        ([-HOUR, -HOUR - 5], HOUR),
        ([HOUR], -HOUR),  # of two that differ nobody knows which is right
        ([-HOUR], HOUR),
        ([5], -5),
        ([0, HOUR, HOUR], -HOUR),
        ([0, 0, HOUR], 0),
        ([0, 0, HOUR, HOUR], 0),
        ([HOUR, HOUR, HOUR, 0], -HOUR),
    ],
)
def test_a_clock_is_held_against_the_middle_of_all(others, expected):
    assert off(*others) == expected


@given(st.lists(st.integers(-CLOCK_MS_MAX, CLOCK_MS_MAX), max_size=4))
def test_clocks_that_are_near_each_other_stop_nobody(others):
    assert abs(off(*others)) <= CLOCK_MS_MAX


@given(st.integers(2, 4), st.integers(CLOCK_MS_MAX + 1, 10**11), st.booleans())
def test_one_wrong_clock_stops_its_node_alone(count, error, fast):
    error = error if fast else -error
    assert abs(off(*[-error] * count)) > CLOCK_MS_MAX
    assert off(*[0] * (count - 1), error) == 0


def test_marks_that_come_late_make_no_clock_slow_and_those_of_who_is_away_do_not_count():
    peers = Peers(["a"])
    for delay in (0, 50_000, 100_000):
        peers.heard("a", mark(clock=10**12), 10**12 + delay, at=1.0)
    assert peers.clock_error(1.0) == 0
    for _ in range(4):
        peers.heard("a", mark(clock=10**12), 10**12 + HOUR, at=1.0)
    assert peers.clock_error(1.0) == HOUR
    assert peers.clock_error(1.1 + SILENT_S) == 0
    peers.heard("a", mark(clock=None), 10**12, at=20.0)
    peers.heard("b", mark(clock=7), 10**12, at=20.0)  # no member


def test_who_is_silent_is_away():
    peers = Peers(["a", "b"])
    peers.heard("a", mark(), None, at=5.0)
    peers.told("b", mark(seen=7))  # written at some time, not heard now
    assert (peers.present(5.0), peers.absent(5.0)) == (["a"], ["b"])
    assert peers.absent(5.1 + SILENT_S) == ["a", "b"]
    assert peers.seen("c", 9) == {"a": 0, "b": 7, "c": 9}


def test_another_history_is_seen_whoever_comes_first_to_the_place():
    peers = Peers(["a", "b", "c"])
    peers.began(place(10))
    peers.claimed("a", place(12, "other"))
    peers.claimed("b", place(12))
    peers.claimed("a", Place(0, digest("genesis")))  # where nobody has a block yet, nothing can differ
    assert peers.differing() == []
    peers.applied(place(11))
    peers.applied(place(12))
    assert (peers.differing(), peers.agreeing()) == (["a"], ["b"])
    peers.claimed("c", place(11, "other"))  # at a place where this node has been
    assert peers.differing() == ["a", "c"]
    peers.claimed("stranger", place(11, "other"))
    assert peers.differing() == ["a", "c"]


def test_who_agrees_before_the_dispute_says_nothing_about_it():
    peers = Peers(["a", "b"])
    peers.began(place(10))
    peers.claimed("b", place(10))
    peers.applied(place(11))
    peers.claimed("a", place(11, "other"))
    assert peers.agreeing() == []
    assert peers.disputed() == [place(11)]
    peers.claimed("b", place(11))
    assert peers.agreeing() == ["b"]


def test_what_is_disputed_elsewhere_is_told_by_all_who_know_it():
    peers = Peers(["a"])
    peers.began(place(10))
    peers.applied(place(11))
    peers.told("a", mark(9, disputed=[place(11), place(99)]))
    assert peers.disputed() == [place(11)]
    for position in range(12, 40):
        peers.applied(place(position))
    peers.told("a", mark(9, disputed=[place(p) for p in range(12, 12 + DISPUTES_MAX)]))
    assert len(peers.disputed()) == DISPUTES_MAX


def key(number, size=1_000):
    return b"b/" + number.to_bytes(32, "big") + size.to_bytes(4, "big")


def retained(*positions, size=1_000):
    made = Retained()
    for position in positions:
        made.add(position, key(position, size))
    return made


def test_keys_are_of_one_length():
    assert len(key(1)) == KEY_BYTES


def test_batches_are_trimmed_from_the_oldest_and_some_stay():
    held = retained(*range(10, 30))
    assert len(held) == 20
    old = held.trimmable(14, 100)
    assert [position for position, _ in old] == [10, 11, 12, 13, 14]
    assert old[0][1] == key(10)
    assert [position for position, _ in held.trimmable(14, 2)] == [10, 11]
    assert len(held.trimmable(1_000, 100)) == 20 - KEPT_BATCHES
    held.trim(14)
    assert (len(held), held.trimmed) == (15, 14)
    assert held.trimmable(16, 100) == [(15, key(15)), (16, key(16))]
    held.trim(3)  # was done before
    assert (len(held), held.trimmed) == (15, 14)
    held.trim(1_000)
    assert (len(held), held.trimmable(2_000, 100)) == (0, [])


def test_what_is_known_already_is_not_counted_twice():
    held = retained(5, 7)
    held.add(5, key(5))
    held.add(7, key(7))
    assert len(held) == 2


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=30), st.integers(0, 35), st.integers(0, 35))
def test_what_a_node_lacks_is_what_lies_behind_it(sizes, through, seen):
    held = Retained()
    for number, size in enumerate(sizes, 1):
        held.add(number, key(number, size))
    held.trim(through)
    lacking = [size for number, size in enumerate(sizes, 1) if number > max(through, seen)]
    assert held.behind(seen) == sum(lacking) + OVERHEAD_BYTES * len(lacking)


def test_who_lacks_more_than_a_quarter_is_not_waited_for():
    held = retained(*range(1, 11), size=10_000)
    each = 10_000 + OVERHEAD_BYTES
    seen = {"a": 10, "b": 5, "c": 0}
    assert waited_for(held, seen, 40 * each) == ["a", "b", "c"]
    assert waited_for(held, seen, 39 * each) == ["a", "b"]
    assert waited_for(held, seen, 19 * each) == ["a"]
    held.trim(6)
    assert waited_for(held, seen, 400 * each) == ["a"]  # what `b` lacks is gone


def test_marks_come_back_as_they_were_written_and_nothing_else_is_one():
    for value in (
        mark(5, seen=9, clock=3, disputed=[place(1)]),
        Carried(VERSION, "a", place(3), b"batch"),
        Kept(VERSION, bytes(8), place(3), b"key"),
    ):
        data = encode(value)
        assert decode(data, type(value)) == value
        assert decode(data + b"\0", type(value)) is None
        assert decode(data[:-1], type(value)) is None
        assert decode(b"\x80", type(value)) is None
        assert decode(data.replace(b"\x00", b"\x01", 1), type(value)) is None  # of another version
    assert decode(encode(mark(5)), Kept) is None


def test_a_torn_record_counts_for_nothing(tmp_path):
    path = tmp_path / "followed"
    assert Record(path).read() is None
    record = Record(path)
    for durable in (True, False, False, True, False):
        kept = Kept(VERSION, bytes(8), place(7 + durable), b"k" * (30 if durable else 20))
        record.write(kept, durable=durable)
        assert Record(path).read() == kept
    record.close()
    data = path.read_bytes()
    for damaged in (data[:50], b"", data[:40] + bytes([data[40] ^ 1]) + data[41:]):
        path.write_bytes(damaged)
        assert Record(path).read() is None
