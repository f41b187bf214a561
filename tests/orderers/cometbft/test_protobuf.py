"""The little of Protocol Buffers that is used, against the examples of its own documentation."""

import pytest

from hansa.orderers.cometbft import protobuf
from hansa.orderers.cometbft.protobuf import Message


def test_the_examples_of_the_documentation():
    assert protobuf.integer(1, 150) == bytes.fromhex("089601")
    assert protobuf.blob(2, b"testing") == bytes.fromhex("120774657374696e67")
    inside = Message(bytes.fromhex("1a03089601"))
    assert inside.message(3).integer(1) == 150
    assert protobuf.varint(-2) == bytes.fromhex("feffffffffffffffff01")


@pytest.mark.parametrize("value", [1, 127, 128, 2**31, 2**63 - 1, -1, -(2**63)])
def test_an_integer_comes_back(value):
    assert Message(protobuf.integer(7, value)).integer(7) == value


def test_what_is_not_there_is_nothing_and_of_two_the_last_counts():
    message = Message(protobuf.integer(1, 0) + protobuf.blob(2, b"a") + protobuf.blob(2, b"b"))
    assert (message.integer(1), message.integer(9), message.blob(9), message.blobs(9)) == (0, 0, b"", [])
    assert message.message(9).numbers() == []
    assert (message.blob(2), message.blobs(2), message.numbers()) == (b"b", [b"a", b"b"], [2])
    assert Message(protobuf.integer(1, 5) + protobuf.integer(1, 6)).integer(1) == 6


def test_fields_of_other_kinds_are_passed_over():
    fixed = bytes.fromhex("3d01020304") + bytes.fromhex("410102030405060708")
    assert Message(fixed + protobuf.integer(1, 5)).integer(1) == 5


@pytest.mark.parametrize(
    "data",
    ["08", "0896", "12", "1207", "120774657374", "08" + "ff" * 10 + "01", "0b", "3d0102"],
    ids=["no value", "half a value", "no length", "no bytes", "too few bytes", "too long", "a group", "half a fixed"],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(ValueError):
        Message(bytes.fromhex(data))


def test_a_batch_costs_a_copy_and_no_more():
    large = bytes(1_000_000)
    assert Message(protobuf.blobs(1, [large, large])).blobs(1) == [large, large]
