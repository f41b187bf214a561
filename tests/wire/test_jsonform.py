"""The JSON face of values: no number is ever rounded, and bytes are hexadecimal."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import jsonform
from hansa.wire.block import Header

SAFE = 2**53 - 1
TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS | st.binary(),
    lambda items: st.lists(items, max_size=5) | st.dictionaries(TEXTS, items, max_size=5),
    max_leaves=12,
)


class Inner(msgspec.Struct):
    digest: bytes
    seq: int


class Outer(msgspec.Struct):
    inner: Inner
    listed: list[Inner]


class TestIntegers:
    @pytest.mark.parametrize("value", [0, 1, -1, SAFE, -SAFE])
    def test_safe_ones_stay_numbers(self, value):
        assert jsonform.dumps(value) == str(value).encode()

    @pytest.mark.parametrize("value", [SAFE + 1, -SAFE - 1, 2**63 - 1, -(2**63), 10**40])
    def test_others_travel_as_text(self, value):
        assert jsonform.dumps(value) == f'"{value}"'.encode()

    @given(st.integers(-(2**63), 2**63 - 1))
    def test_a_reader_that_knows_floats_only_sees_the_same(self, value):
        read = json.loads(jsonform.dumps(value), parse_int=float)
        assert int(read) == value

    @pytest.mark.parametrize("value", [True, False])
    def test_booleans_are_no_numbers(self, value):
        assert jsonform.dumps(value) == str(value).lower().encode()


class TestOtherValues:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "null"),
            (b"", '""'),
            (b"\x00\xff", '"00ff"'),
            ("", '""'),
            ("\u00e9\U0001f6a2", '"\u00e9\U0001f6a2"'),
            ([], "[]"),
            ((1, (b"\x01",)), '[1,["01"]]'),
            ({}, "{}"),
            ({"b": 1, "a": [2**53]}, '{"b":1,"a":["9007199254740992"]}'),
            (Inner(b"\x01", 2**60), '{"digest":"01","seq":"1152921504606846976"}'),
            (
                Outer(Inner(b"", 1), [Inner(b"\xff", 2)]),
                '{"inner":{"digest":"","seq":1},"listed":[{"digest":"ff","seq":2}]}',
            ),
        ],
        ids=["null", "no bytes", "bytes", "no text", "text", "list", "tuples", "map", "maps", "struct", "structs"],
    )
    def test_known_forms(self, value, text):
        assert jsonform.dumps(value).decode() == text

    def test_structs_that_are_arrays_on_the_wire_are_objects_here(self):
        header = Header(0, b"\x01", 2, 3, 4, 2**60, b"", b"\xff", 5)
        assert json.loads(jsonform.dumps(header)) == {
            "version": 0,
            "ledger": "01",
            "height": 2,
            "seq": 3,
            "count": 4,
            "time": str(2**60),
            "previous": "",
            "root": "ff",
            "position": 5,
        }

    @given(VALUES)
    def test_json_says_what_plain_says(self, value):
        assert json.loads(jsonform.dumps(value)) == jsonform.plain(value)

    @given(VALUES)
    def test_plain_values_stay(self, value):
        assert jsonform.plain(jsonform.plain(value)) == jsonform.plain(value)

    @pytest.mark.parametrize("value", [2**53, -(2**53)])
    def test_wide_integers_anywhere(self, value):
        assert jsonform.dumps({"a": [{"b": (value,)}]}).decode() == f'{{"a":[{{"b":["{value}"]}}]}}'
