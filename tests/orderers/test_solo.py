"""The embedded orderer: one order without gaps, bounded batches, fair turns, and a clock that may say no."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.orderers import Replica
from hansa.orderers.solo import Solo
from hansa.wire.genesis import Limits
from hansa.wire.limits import BLOCK_STEPS_MAX
from hansa.wire.problems import HansaError


class Bounds:
    """Limits without the ledger's own minimum, so that a few bytes are enough to reach them."""

    def __init__(self, entries=1_000, size=1_000_000, steps=BLOCK_STEPS_MAX):
        self.block_entries, self.block_bytes, self.block_steps = entries, size, steps


def solo(limits=None, position=0, clock=lambda: 1_000):
    return started(clock, lambda: limits or Limits(), position)


def started(clock, limits, position=0, ready=lambda: None):
    orderer = Solo(Replica(bytes(32), clock, limits, lambda _: bytes(32), 0, [], list, lambda first, end: []))
    orderer.start(position, bytes(32), ready)
    return orderer


def queue(orderer, *names, lane="acme", size=10, steps=1):
    """Submits envelopes whose content is their name, padded to `size`."""
    for name in names:
        orderer.submit(lane, name.encode(), name.encode().ljust(size, b"."), steps)


def names(batch):
    return [envelope.rstrip(b".").decode() for envelope in batch.envelopes]


def batches(orderer):
    """Everything that is queued, batch by batch."""
    return [names(batch) for batch in iter(orderer.take, None)]


def test_an_empty_queue_gives_no_batch_and_does_not_ask_the_clock():
    def clock():
        raise AssertionError

    assert solo(clock=clock).take() is None


def test_a_batch_is_whatever_queued_in_its_order():
    orderer = solo()
    queue(orderer, "a", "b", "c")
    assert batches(orderer) == [["a", "b", "c"]]


@pytest.mark.parametrize("first", [0, 1, 77])
def test_positions_go_on_behind_the_last_one(first):
    orderer = solo(Bounds(entries=1), position=first)
    taken = []
    for name in "abc":
        assert orderer.take() is None  # asking in vain uses no position
        queue(orderer, name)
        taken.append(orderer.take().position)
    assert taken == [first + 1, first + 2, first + 3]


def test_a_batch_carries_the_time_at_which_it_is_taken():
    times = iter([5, 9])
    orderer = solo(Bounds(entries=1), clock=lambda: next(times))
    queue(orderer, "a", "b")
    assert [orderer.take().stamp, orderer.take().stamp] == [5, 9]


def test_the_same_id_while_it_waits_changes_nothing():
    orderer = solo()
    orderer.submit("acme", b"id", b"first", 1)
    orderer.submit("acme", b"id", b"second", 1)
    orderer.submit("bolt", b"id", b"third", 1)
    assert orderer.take().envelopes == [b"first"]
    assert orderer.take() is None


def test_an_id_that_was_taken_may_come_again():
    orderer = solo()
    queue(orderer, "a")
    orderer.take()
    queue(orderer, "a")
    assert batches(orderer) == [["a"]]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Bounds(entries=2), [["a", "b"], ["c", "d"], ["e"]]),
        (Bounds(size=30), [["a", "b", "c"], ["d", "e"]]),
        (Bounds(size=29), [["a", "b"], ["c", "d"], ["e"]]),
        (Bounds(steps=20), [["a", "b", "c", "d"], ["e"]]),
        (Bounds(steps=19), [["a", "b", "c"], ["d", "e"]]),
        (Bounds(entries=3, size=20, steps=5), [["a"], ["b"], ["c"], ["d"], ["e"]]),
    ],
    ids=["count", "bytes exactly", "bytes one less", "steps exactly", "steps one less", "the tightest counts"],
)
def test_a_batch_ends_at_its_first_limit(limits, expected):
    orderer = solo(limits)
    queue(orderer, *"abcde", size=10, steps=5)
    assert batches(orderer) == expected


@pytest.mark.parametrize("large", [{"size": 101, "steps": 1}, {"size": 10, "steps": 101}], ids=["bytes", "steps"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_item_beyond_a_limit_goes_alone(large, place):
    orderer = solo(Bounds(size=100, steps=100))
    order = ["a", "b"]
    order.insert(place, "large")
    for name in order:
        queue(orderer, name, **(large if name == "large" else {}))
    taken = batches(orderer)
    assert ["large"] in taken
    assert [name for batch in taken for name in batch] == order


def test_limits_are_asked_for_at_each_batch():
    limits = [Bounds(entries=1), Bounds(entries=3)]
    orderer = started(lambda: 0, lambda: limits.pop(0))
    queue(orderer, *"abcd")
    assert [names(orderer.take()), names(orderer.take())] == [["a"], ["b", "c", "d"]]


def test_members_take_turns_within_a_batch():
    orderer = solo()
    queue(orderer, "a1", "a2", "a3", "a4", lane="acme")
    queue(orderer, "b1", "b2", lane="bolt")
    queue(orderer, "c1", lane="core")
    assert batches(orderer) == [["a1", "b1", "c1", "a2", "b2", "a3", "a4"]]


def test_turns_go_on_from_batch_to_batch():
    orderer = solo(Bounds(entries=2))
    queue(orderer, "a1", "a2", "a3", lane="acme")
    queue(orderer, "b1", "b2", "b3", lane="bolt")
    queue(orderer, "c1", lane="core")
    assert batches(orderer) == [["a1", "b1"], ["c1", "a2"], ["b2", "a3"], ["b3"]]


def test_who_did_not_fit_goes_first_in_the_next_batch():
    orderer = solo(Bounds(size=50))
    queue(orderer, "a1", "a2", lane="acme")
    queue(orderer, "large", lane="bolt", size=45)
    assert batches(orderer) == [["a1"], ["large"], ["a2"]]


def test_a_flood_delays_another_member_by_one_batch_at_most():
    orderer = solo(Bounds(entries=10))
    queue(orderer, *[f"a{i}" for i in range(1_000)], lane="acme")
    orderer.take()
    queue(orderer, "b", lane="bolt")
    assert "b" in names(orderer.take())


def test_a_refusing_clock_keeps_the_queue_and_the_position():
    answers = [HansaError("clock.behind"), HansaError("clock.jumped"), 7]

    def clock():
        answer = answers.pop(0)
        if isinstance(answer, HansaError):
            raise answer
        return answer

    orderer = solo(position=3, clock=clock)
    queue(orderer, "a", "b")
    for code in ("clock.behind", "clock.jumped"):
        with pytest.raises(HansaError) as caught:
            orderer.take()
        assert caught.value.code == code
    queue(orderer, "c", "a")
    batch = orderer.take()
    assert (batch.position, batch.stamp, names(batch)) == (4, 7, ["a", "b", "c"])


def test_the_callback_comes_for_each_new_id_only():
    calls = []
    orderer = started(lambda: 0, Limits, ready=lambda: calls.append(1))
    queue(orderer, "a", "a", "b", "a")
    assert len(calls) == 2


_ITEMS = st.lists(
    st.tuples(st.sampled_from(["acme", "bolt", "core"]), st.integers(1, 60), st.integers(0, 60)), max_size=40
)


@settings(deadline=None)
@given(_ITEMS, st.integers(1, 5), st.integers(1, 100), st.integers(1, 100), st.randoms(use_true_random=False))
def test_whatever_comes_leaves_once_in_its_members_order_within_the_limits(items, entries, size, steps, chance):
    orderer = solo(Bounds(entries, size, steps))
    costs = {}
    sent = {"acme": [], "bolt": [], "core": []}
    left = {"acme": [], "bolt": [], "core": []}
    waiting = []
    taken = []

    def take():
        batch = orderer.take()
        if batch is not None:
            taken.append(batch)
            assert len(batch.envelopes) <= entries
            assert len(batch.envelopes) == 1 or sum(map(len, batch.envelopes)) <= size
            assert len(batch.envelopes) == 1 or sum(costs[e] for e in batch.envelopes) <= steps
            for envelope in batch.envelopes:
                waiting.remove(envelope)
                left[envelope.split(b" ")[0].decode()].append(envelope)
        return batch

    for number, (lane, length, cost) in enumerate(items):
        envelope = f"{lane} {number} ".encode() + bytes(length)
        costs[envelope] = cost
        sent[lane].append(envelope)
        waiting.append(envelope)
        orderer.submit(lane, envelope, envelope, cost)
        if chance.random() < 0.2:
            take()
    while waiting:
        assert take() is not None
    assert orderer.take() is None
    assert left == sent
    assert [batch.position for batch in taken] == list(range(1, len(taken) + 1))
