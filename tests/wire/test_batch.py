"""Batches as engines carry them: what was put in comes out, and nothing else reads."""

import hashlib

import pytest

from hansa.wire import batch, cbor

NONCE = bytes(range(16))
MADE = batch.encode(1_900_000_000_000, [b"one", b"", b"two"], NONCE)


def test_a_batch_survives():
    assert batch.decode(MADE) == batch.Bundle(0, NONCE, 1_900_000_000_000, [b"one", b"", b"two"])
    assert batch.id_of(MADE) == hashlib.sha256(MADE).digest()
    assert batch.decode(batch.encode(0, [], NONCE)).envelopes == []


def test_the_nonce_tells_equal_batches_apart():
    assert batch.id_of(batch.encode(1, [b"a"], NONCE)) != batch.id_of(batch.encode(1, [b"a"], bytes(16)))


@pytest.mark.parametrize(
    "value",
    [
        [1, NONCE, 0, []],
        [0, NONCE[1:], 0, []],
        [0, NONCE, -1, []],
        [0, NONCE, 0, ["text"]],
        [0, NONCE, 0, [b""] * 2_001],
        [0, NONCE, 0, [], 0],
        [0, NONCE, 0],
        {},
        b"",
    ],
    ids=["version", "nonce", "stamp", "text", "too many", "longer", "shorter", "map", "bytes"],
)
def test_what_is_no_batch(value, refused):
    with refused("batch.form"):
        batch.decode(cbor.encode(value))


def test_cut_off_or_longer(refused):
    with refused("cbor.truncated"):
        batch.decode(MADE[:-1])
    with refused("cbor.trailing"):
        batch.decode(MADE + b"\0")
