"""Write sets: what is hashed and journaled is read back as it was, with each record's place worked out again."""

import hashlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import cbor, order, writes

CONTRACTS = st.from_regex(r"[a-z][a-z0-9_]{0,47}", fullmatch=True)
RECORDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,47}", fullmatch=True)
VALUES = st.dictionaries(st.text("abc", max_size=4), st.integers(0, 9), max_size=3).map(cbor.encode)
RECORD_KEYS = (
    st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8"), max_size=100) | st.binary(max_size=400)
)
WRITES = st.builds(writes.make, CONTRACTS, RECORDS, RECORD_KEYS, VALUES, st.none() | st.integers(0, 2**63 - 1))


class TestWriteSet:
    @given(st.lists(WRITES, max_size=6))
    def test_a_write_set_survives(self, made):
        encoded = writes.encode(made)
        assert writes.decode(encoded) == made
        assert encoded == cbor2.dumps([[w.contract, w.record, w.key, w.value, w.previous] for w in made])

    def test_the_order_is_kept(self):
        made = [writes.make("c", "R", key, b"\xa0", None) for key in (3, 1, 2)]
        assert [write.key for write in writes.decode(writes.encode(made))] == [3, 1, 2]

    @given(CONTRACTS, RECORDS, RECORD_KEYS)
    def test_the_place_follows_from_the_rest(self, contract, record, key):
        (read,) = writes.decode(writes.encode([writes.make(contract, record, key, b"\xa0", 5)]))
        assert read.place == order.place(contract, record, key)

    def test_an_empty_one(self):
        assert writes.encode([]) == writes.EMPTY == cbor.encode([])
        assert writes.decode(writes.EMPTY) == []

    @given(st.lists(WRITES, max_size=3))
    def test_its_digest(self, made):
        encoded = writes.encode(made)
        assert writes.digest(encoded) == hashlib.sha256(encoded).digest()


class TestOtherForms:
    @pytest.mark.parametrize(
        "value",
        [
            None,
            {},
            "",
            b"",
            [None],
            [{}],
            [[]],
            [["c", "R", 1, b""]],
            [["c", "R", 1, b"", None, 0]],
            [[0, "R", 1, b"", None]],
            [["c", b"R", 1, b"", None]],
            [["c", "R", None, b"", None]],
            [["c", "R", True, b"", None]],
            [["c", "R", ["k"], b"", None]],
            [["c", "R", {}, b"", None]],
            [["c", "R", 1, "", None]],
            [["c", "R", 1, {}, None]],
            [["c", "R", 1, b"", "0"]],
            [["c", "R", 1, b"", False]],
            [["c", "R", 1, b"\xa0", -1]],
            [["c\0R", "R", 1, b"\xa0", None]],
            [["c", "", 1, b"\xa0", None]],
            [["C", "R", 1, b"\xa0", None]],
            [["c", "R", 1, b"", None], ["c", "R"]],
        ],
        ids=repr,
    )
    def test_what_is_no_write_set(self, value, refused):
        with refused("writes.form"):
            writes.decode(cbor.encode(value))

    def test_a_value_in_another_encoding(self, refused):
        with refused("cbor.form"):
            writes.decode(cbor.encode([["c", "R", 1, b"\xbf\xff", None]]))

    def test_a_key_that_is_too_long(self, refused):
        with refused("writes.form"):
            writes.decode(cbor.encode([["c", "R", "x" * 401, b"\xa0", None]]))

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "cbor.truncated"),
            (b"\x81", "cbor.truncated"),
            (b"\x80\x00", "cbor.trailing"),
            (b"\x98\x00", "cbor.form"),
            (b"\x9f\xff", "cbor.form"),
            (b"\xd2\x80", "cbor.type"),
        ],
    )
    def test_other_cbor(self, data, code, refused):
        with refused(code):
            writes.decode(data)
