"""Blocks: every byte counts, and nothing but a block is taken for one."""

import hashlib

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import block, cbor
from hansa.wire.block import Block, Header, Item

NUMBERS = st.integers(0, 2**63 - 1)
DIGESTS = st.binary(min_size=32, max_size=32)
ITEMS = st.lists(
    st.builds(
        Item,
        kind=st.sampled_from(["genesis", "transaction"]),
        id=DIGESTS,
        envelope=st.binary(max_size=300),
        outcome=st.binary(),
        writes=st.binary(),
    ),
    max_size=5,
)
HEADER = Header(0, bytes([1]) * 32, 7, 40, 2, 1_900_000_000_000, bytes([2]) * 32, bytes([3]) * 32, 9)
BLOCK = Block(
    HEADER,
    [
        Item("transaction", bytes([4]) * 32, b"envelope", b"outcome", b"\x80"),
        Item("transaction", bytes([5]) * 32, b"another", b"outcome", b"\x80"),
    ],
)


def as_lists(made):
    """The block as plain lists, to be changed."""
    return cbor.decode(block.encode(made))


class TestBlock:
    @given(ITEMS, NUMBERS, NUMBERS, NUMBERS, DIGESTS, DIGESTS, DIGESTS, NUMBERS)
    def test_a_block_survives(self, items, height, seq, time, ledger, previous, root, position):
        made = Block(Header(block.VERSION, ledger, height, seq, len(items), time, previous, root, position), items)
        encoded = block.encode(made)
        assert block.decode(encoded) == made
        assert encoded == cbor2.dumps(
            [
                [0, ledger, height, seq, len(items), time, previous, root, position],
                [[i.kind, i.id, i.envelope, i.outcome, i.writes] for i in items],
            ]
        )

    def test_cut_off_anywhere(self, refused):
        encoded = block.encode(BLOCK)
        for length in range(len(encoded)):
            with refused("cbor.truncated"):
                block.decode(encoded[:length])

    def test_something_behind(self, refused):
        with refused("cbor.trailing"):
            block.decode(block.encode(BLOCK) + b"\x00")

    @pytest.mark.parametrize("version", [-1, 1, 2**63 - 1])
    def test_another_version(self, version, refused):
        value = as_lists(BLOCK)
        value[0][0] = version
        with refused("block.version"):
            block.decode(cbor.encode(value))

    def test_another_version_may_have_another_form(self, refused):
        """Otherwise whoever opens a ledger of tomorrow's format is told that its journal is damaged."""
        value = as_lists(BLOCK)
        value[0] = [1, {"height": 7}]
        with refused("block.version"):
            block.decode(cbor.encode(value))

    @pytest.mark.parametrize("count", [-1, 0, 1, 3, 2**63 - 1])
    def test_another_count_than_there_are_items(self, count, refused):
        value = as_lists(BLOCK)
        value[0][4] = count
        with refused("block.form"):
            block.decode(cbor.encode(value))

    @pytest.mark.parametrize("value", [None, 0, "", b"", {}, [], [[]], [[], []], [{}, []], [[], {}]], ids=repr)
    def test_what_is_no_block(self, value, refused):
        with refused("block.form"):
            block.decode(cbor.encode(value))

    @pytest.mark.parametrize("field", range(9))
    @pytest.mark.parametrize("other", [None, "text", True, [], {}], ids=repr)
    def test_header_fields_of_another_type(self, field, other, refused):
        value = as_lists(BLOCK)
        value[0][field] = other
        with refused("block.form"):
            block.decode(cbor.encode(value))

    @pytest.mark.parametrize("field", range(5))
    @pytest.mark.parametrize("other", [None, 0, True, [], {}], ids=repr)
    def test_item_fields_of_another_type(self, field, other, refused):
        value = as_lists(BLOCK)
        value[1][1][field] = other
        with refused("block.form"):
            block.decode(cbor.encode(value))

    @pytest.mark.parametrize("place", ["header", "item", "block"])
    def test_a_field_missing(self, place, refused):
        value = as_lists(BLOCK)
        {"header": value[0], "item": value[1][0], "block": value}[place].pop()
        with refused("block.form"):
            block.decode(cbor.encode(value))

    @pytest.mark.parametrize("place", ["header", "item", "block"])
    def test_a_field_more(self, place, refused):
        """Otherwise two strings of bytes would be one block, and the header digest would not tell them apart."""
        value = as_lists(BLOCK)
        {"header": value[0], "item": value[1][0], "block": value}[place].append(0)
        with refused("block.form"):
            block.decode(cbor.encode(value))


class TestHeaderDigest:
    def test_it_is_over_the_header_as_it_stands_in_the_block(self):
        in_block = block.encode(BLOCK)[1:]
        header = in_block[: cbor.item_end(in_block, 0)]
        assert block.header_digest(HEADER) == hashlib.sha256(header).digest()

    @pytest.mark.parametrize("field", Header.__struct_fields__)
    def test_every_field_counts(self, field):
        value = getattr(HEADER, field)
        other = value + 1 if isinstance(value, int) else bytes(32)
        assert block.header_digest(msgspec.structs.replace(HEADER, **{field: other})) != block.header_digest(HEADER)
