"""Keys as a store sees them: their bytes sort as the values do, and no two records share a place."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import limits, order

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=100)
BYTES = st.binary(max_size=200)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=48)

EXTREMES = [-(2**63), -(2**63) + 1, -(2**32), -256, -255, -1, 0, 1, 255, 256, 2**32, 2**63 - 2, 2**63 - 1]
# In order of code points, which is not the order of UTF-16: U+FFFF stands before U+10000 and after U+D7FF.
TEXTS_IN_ORDER = [
    *("", "\x00", "\x00\x00", "A", "a", "aa", "ab", "b", "\u00e4"),
    *("\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff", "\U0010ffff\x00"),
]
BYTES_IN_ORDER = [b"", b"\x00", b"\x00\x00", b"\x00\xff", b"\x01", b"a", b"aa", b"b", b"\xff", b"\xff\x00", b"\xff\xff"]


def sorts_alike(a, b, encode):
    return (a < b, a == b) == (encode(a) < encode(b), encode(a) == encode(b))


@pytest.mark.parametrize("encode", [order.key_bytes, order.indexed_bytes])
class TestOrder:
    @given(a=INTEGERS, b=INTEGERS)
    def test_integers(self, encode, a, b):
        assert sorts_alike(a, b, encode)

    @given(a=TEXTS, b=TEXTS)
    def test_texts(self, encode, a, b):
        assert sorts_alike(a, b, encode)

    @given(a=BYTES, b=BYTES)
    def test_bytes(self, encode, a, b):
        assert sorts_alike(a, b, encode)

    @pytest.mark.parametrize("values", [EXTREMES, TEXTS_IN_ORDER, BYTES_IN_ORDER], ids=["integers", "texts", "bytes"])
    def test_known_orders(self, encode, values):
        encoded = [encode(value) for value in values]
        assert encoded == sorted(encoded)
        assert len(set(encoded)) == len(values)


class TestIndexedValues:
    @pytest.mark.parametrize("value", ["", "\x00", b"", -(2**63), False])
    def test_what_is_absent_comes_first(self, value):
        assert order.indexed_bytes(None) < order.indexed_bytes(value)

    def test_false_before_true(self):
        assert order.indexed_bytes(False) < order.indexed_bytes(True)


class TestKeys:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [(0, True), ("", True), (b"", True), (True, False), (None, False), ([], False), ({}, False), (1.0, False)],
    )
    def test_what_has_the_type_of_one(self, value, expected):
        assert order.has_key_type(value) is expected

    @pytest.mark.parametrize("value", ["x" * 400, "\u00e9" * 200, "\U0001f6a2" * 100, b"x" * 400, 0, 2**63 - 1])
    def test_as_long_as_may_be(self, value):
        assert len(order.key_bytes(value)) <= limits.KEY_BYTES_MAX
        assert order.is_key(value)

    @pytest.mark.parametrize("value", ["x" * 401, "\u00e9" * 201, "\U0001f6a2" * 101, b"x" * 401, "x" * 10**6])
    def test_too_long(self, value, refused):
        for encode in (order.key_bytes, order.indexed_bytes, lambda key: order.place("c", "R", key)):
            with refused("key.too_long"):
                encode(value)
        assert not order.is_key(value)

    @pytest.mark.parametrize("value", ["\ud800", "a\udfff"])
    def test_surrogates_are_no_key(self, value):
        assert not order.is_key(value)

    @pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**64, 10**30])
    def test_integers_beyond_64_bits_are_no_key(self, value):
        assert not order.is_key(value)

    @pytest.mark.parametrize("value", [True, None, [], {}, 1.0])
    def test_other_types_are_no_key(self, value):
        assert not order.is_key(value)


class TestPlaces:
    @given(st.tuples(NAMES, NAMES, INTEGERS), st.tuples(NAMES, NAMES, INTEGERS))
    def test_two_records_never_share_one(self, one, other):
        assert (order.place(*one) == order.place(*other)) == (one == other)

    @given(NAMES, NAMES, TEXTS | BYTES)
    def test_a_place_lies_in_its_table(self, contract, record, key):
        table = order.table(contract, record)
        assert order.place(contract, record, key) == table + order.key_bytes(key)

    @given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES), BYTES)
    def test_no_table_holds_places_of_another(self, one, other, key):
        assert order.place(*one, key).startswith(order.table(*other)) == (one == other)

    def test_names_that_run_into_each_other(self):
        parts = ["a", "b", "aa", "ab", "ba", "aab"]
        places = {order.place(*names) for names in product(parts, repeat=3)}
        assert len(places) == len(parts) ** 3

    def test_the_longest_fits_the_store(self):
        contract, record = "c" * limits.CONTRACT_NAME_CHARS_MAX, "R" * limits.RECORD_NAME_CHARS_MAX
        lmdb_key_bytes_max = 511
        assert len(order.place(contract, record, "x" * limits.KEY_BYTES_MAX)) <= lmdb_key_bytes_max
