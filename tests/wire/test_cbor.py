"""Deterministic CBOR: every value has one encoding, and every other string of bytes is refused."""

import enum
import math
from decimal import Decimal
from itertools import product

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import cbor
from hansa.wire.limits import CBOR_DEPTH_MAX
from hansa.wire.problems import HansaError

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS | st.binary() | st.binary(min_size=250, max_size=260),
    lambda items: st.lists(items, max_size=30) | st.dictionaries(TEXTS, items, max_size=30),
    max_leaves=40,
)

# RFC 8949 appendix A, as far as the profile goes, and the edges of every head length.
EXAMPLES = [
    (0, "00"),
    (1, "01"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (25, "1819"),
    (100, "1864"),
    (255, "18ff"),
    (256, "190100"),
    (1000, "1903e8"),
    (65535, "19ffff"),
    (65536, "1a00010000"),
    (1000000, "1a000f4240"),
    (2**32 - 1, "1affffffff"),
    (2**32, "1b0000000100000000"),
    (1000000000000, "1b000000e8d4a51000"),
    (2**63 - 1, "1b7fffffffffffffff"),
    (-1, "20"),
    (-10, "29"),
    (-24, "37"),
    (-25, "3818"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (-(2**63), "3b7fffffffffffffff"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (bytes.fromhex("01020304"), "4401020304"),
    (bytes(24), "5818" + "00" * 24),
    ("", "60"),
    ("a", "6161"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("\u00fc", "62c3bc"),
    ("\u6c34", "63e6b0b4"),
    ("\U00010151", "64f0908591"),
    ("a" * 24, "7818" + "61" * 24),
    ([], "80"),
    ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
    ({"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}, "a56161614161626142616361436164614461656145"),
    ({"b": 1, "aa": 2}, "a261620162616102"),
    ({"": 0, "aa": 1, "\u00e9": 2}, "a360006261610162c3a902"),
]

# Bytes that hold every kind of head; used to be cut and extended.
SAMPLES = [
    [0, 23, 24, 255, 256, 65536, 2**32, -1, -25, -257, -65537, -(2**63)],
    {"text": "a short one", "bytes": bytes(30), "longest": "x" * 30},
    {"first": {"x" * 24: None, "x" * 256: 1}, "second": {"y" * 300: True}},
    [[], {}, [[{}]], "", b"", {"": {"": []}}],
    list(range(300)),
]

# In hexadecimal. Heads longer than they need be: integers, strings, arrays, maps, and inside of others.
LONG_HEADS = f"""
    1800 1817 190000 1900ff 1a00000000 1a0000ffff 1b0000000000000000 1b00000000ffffffff
    3800 3817 390000 3900ff 3a00000000 3a0000ffff 3b0000000000000000 3b00000000ffffffff
    5800 5817{"00" * 23} 590000 5900ff{"00" * 255} 5a0000000100 5b000000000000000100
    7800 780161 790000 7a0000000161 7b000000000000000161
    9800 980100 990000 99000100 9a0000000100 9b000000000000000100
    b800 b8016000 b90000 ba000000016000 bb00000000000000016000
    81181700 a1780000 a1601817 a178016100
"""
INDEFINITE = "5fff 5f4101ff 7fff 7f6161ff 9fff 9f01ff bfff bf616101ff 819fff a17f6161ff01 1f 3f"
TAGS = """
    c074323031332d30332d32315432303a30343a30305a c11a514b67b0 d74401020304 d818456449455446
    d9d9f700 d280 da0000000100 db000000000000000100 81c000 a160c000 82f6d81c00
"""
BIGNUMS = "c249010000000000000000 c349010000000000000000 c240"
FLOATS = "f90000 f93e00 f97e00 f97c00 fa47c35000 fb3ff199999999999a fb7ff0000000000000 81f90000 a160f90000"
SIMPLE_VALUES = "f7 e0 f0 f3 f814 f8ff fc fd fe ff 81f7 a160ff"
WIDE_INTEGERS = "1b8000000000000000 1bffffffffffffffff 3b8000000000000000 3bffffffffffffffff"
OTHER_KEYS = "00 20 40 4161 80 a0 c060 f4 f5 f6 f90000 1818"
NOT_UTF8 = """
    61ff 6180 61c3 62c080 62c328 63e28228 63eda080 63edbfbf 64f0808080 64f4908080 65f888808080
"""


class Colour(enum.IntEnum):
    RED = 1


class Name(str):
    __slots__ = ()


OTHER_TYPES = [
    1.0,
    math.nan,
    1j,
    Decimal(1),
    {1},
    frozenset(),
    range(3),
    bytearray(b"x"),
    memoryview(b"x"),
    object(),
    Colour.RED,
    Name("x"),
    cbor2.undefined,
    cbor2.CBORTag(18, []),
    cbor2.CBORSimpleValue(1),
]


def exact(value):
    """`value` with its types, because in Python True == 1 and both are needed here."""
    if isinstance(value, dict):
        return dict, {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return list, [exact(item) for item in value]
    return type(value), value


def nested(depth, kind):
    """`depth` containers, one in another: arrays, maps, or both in turn."""
    value = None
    for level in range(depth):
        value = [value] if kind == "array" or (kind == "mixed" and level % 2) else {"": value}
    return value


def refused_or_unique(data):
    """What must hold for any bytes at all: they are refused, or they are the encoding of what they mean."""
    try:
        value = cbor.decode(data)
    except HansaError as error:
        assert error.code.startswith("cbor.")
        return False
    assert cbor.encode(value) == data
    return True


class TestOneEncoding:
    @pytest.mark.parametrize(("value", "encoded"), EXAMPLES, ids=[encoded[:24] for _, encoded in EXAMPLES])
    def test_known_encodings(self, value, encoded):
        assert cbor.encode(value).hex() == encoded
        assert exact(cbor.decode(bytes.fromhex(encoded))) == exact(value)

    @given(VALUES)
    def test_a_value_survives(self, value):
        encoded = cbor.encode(value)
        assert exact(cbor.decode(encoded)) == exact(value)
        assert exact(cbor.decode_own(encoded)) == exact(value)
        assert exact(cbor2.loads(encoded)) == exact(value)
        assert cbor.encode_ordered(cbor.decode(encoded)) == encoded

    @given(VALUES, st.randoms(use_true_random=False))
    def test_the_order_in_which_a_map_was_filled_leaves_no_trace(self, value, random):
        def shuffled(item):
            if isinstance(item, dict):
                pairs = [(key, shuffled(inner)) for key, inner in item.items()]
                random.shuffle(pairs)
                return dict(pairs)
            return [shuffled(inner) for inner in item] if isinstance(item, list) else item

        assert cbor.encode(shuffled(value)) == cbor.encode(value)

    def test_a_tuple_is_an_array(self):
        assert cbor.encode((1, (2,), {"a": (3,)})) == cbor.encode([1, [2], {"a": [3]}])

    @pytest.mark.parametrize(
        ("length", "valid"),
        [
            (0, 0),
            (1, 24 + 24 + 4 + 3),  # small integers of both signs, what is empty, the three constants
            (2, 232 + 232 + 256 + 128 + 55),  # wider integers, a byte, an ASCII character, an array of one of the above
        ],
    )
    def test_every_string_of_few_bytes(self, length, valid):
        assert sum(refused_or_unique(bytes(data)) for data in product(range(256), repeat=length)) == valid

    @pytest.mark.parametrize(
        ("head", "valid"),
        [
            (0x82, 55 * 55),  # an array of two of the 55 items of one byte
            (0xA1, 55),  # a map from the empty key to one of them
            (0x19, 0x10000 - 0x100),  # integers that need two bytes
            (0x62, 128 * 128 + 0x800 - 0x80),  # two ASCII characters, or one that needs two bytes
            (0x58, 0),
            (0x78, 0),  # a string so short has another head
        ],
        ids=hex,
    )
    def test_every_string_of_three_bytes_with_this_head(self, head, valid):
        assert sum(refused_or_unique(bytes((head, *data))) for data in product(range(256), repeat=2)) == valid

    @pytest.mark.parametrize("sample", [s for s in SAMPLES if len(cbor2.dumps(s)) < 150], ids=lambda s: repr(s)[:30])
    def test_every_byte_replaced_by_every_other(self, sample):
        encoded = cbor.encode(sample)
        for at, byte in product(range(len(encoded)), range(256)):
            refused_or_unique(encoded[:at] + bytes([byte]) + encoded[at + 1 :])

    @given(st.binary(max_size=64))
    def test_any_bytes(self, data):
        refused_or_unique(data)

    @given(VALUES.filter(lambda value: isinstance(value, list | dict)), st.data())
    def test_a_changed_encoding(self, value, data):
        encoded = bytearray(cbor.encode(value))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(encoded)))
            change = data.draw(st.sampled_from(["replace", "insert", "delete"]))
            stop = at if change == "insert" else at + 1
            encoded[at:stop] = b"" if change == "delete" else bytes([data.draw(st.integers(0, 255))])
        refused_or_unique(bytes(encoded))

    @given(st.lists(TEXTS, unique=True))
    def test_keys_sort_as_their_encodings(self, keys):
        assert sorted(keys, key=cbor.key_order) == sorted(keys, key=cbor.encode)

    @pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
    def test_long_text_of_wide_characters(self, size):
        text = "\u00e9" * size + "\U0001f6a2"
        assert cbor.decode(cbor.encode(text)) == text


class TestRefusedBytes:
    @pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: repr(sample)[:30])
    def test_cut_off_anywhere(self, sample, refused):
        encoded = cbor.encode(sample)
        for length in range(len(encoded)):
            with refused("cbor.truncated"):
                cbor.decode(encoded[:length])

    def test_cut_off_within_a_key_like_the_one_before(self, refused):
        encoded = cbor.encode({"account": 1, "balance": 2})
        for length in range(len(encoded)):
            with refused("cbor.truncated"):
                cbor.decode(encoded[:length])

    @pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: repr(sample)[:30])
    @pytest.mark.parametrize("behind", [b"\x00", b"\xff", b"\xf6", b"\x80"], ids=bytes.hex)
    def test_something_behind(self, sample, behind, refused):
        with refused("cbor.trailing"):
            cbor.decode(cbor.encode(sample) + behind)

    @pytest.mark.parametrize("data", LONG_HEADS.split())
    def test_a_head_longer_than_it_need_be(self, data, refused):
        with refused("cbor.form"):
            cbor.decode(bytes.fromhex(data))

    @pytest.mark.parametrize("data", INDEFINITE.split())
    def test_indefinite_lengths(self, data, refused):
        with refused("cbor.form"):
            cbor.decode(bytes.fromhex(data))

    @pytest.mark.parametrize("head", [major << 5 | info for major in range(6) for info in (28, 29, 30)], ids=hex)
    def test_reserved_heads(self, head, refused):
        with refused("cbor.form"):
            cbor.decode(bytes([head]) + bytes(16))

    @pytest.mark.parametrize("data", TAGS.split())
    def test_tags(self, data, refused):
        with refused("cbor.type"):
            cbor.decode(bytes.fromhex(data))

    @pytest.mark.parametrize("data", BIGNUMS.split())
    def test_bignums(self, data, refused):
        with refused("cbor.type"):
            cbor.decode(bytes.fromhex(data))

    @pytest.mark.parametrize("data", FLOATS.split())
    def test_floats(self, data, refused):
        with refused("cbor.type"):
            cbor.decode(bytes.fromhex(data))

    @pytest.mark.parametrize("data", SIMPLE_VALUES.split())
    def test_simple_values_but_three(self, data, refused):
        with refused("cbor.type"):
            cbor.decode(bytes.fromhex(data))

    @pytest.mark.parametrize("data", WIDE_INTEGERS.split())
    def test_integers_beyond_64_bits(self, data, refused):
        with refused("cbor.integer"):
            cbor.decode(bytes.fromhex(data))

    @pytest.mark.parametrize("key", OTHER_KEYS.split())
    def test_keys_that_are_not_text(self, key, refused):
        with refused("cbor.key"):
            cbor.decode(bytes.fromhex(f"a1{key}00"))
        with refused("cbor.key"):
            cbor.decode(bytes.fromhex(f"a26000{key}00"))

    @pytest.mark.parametrize("length", [0, 1, 23, 24, 25, 255, 256, 65_536])
    def test_a_key_twice(self, length, refused):
        key = cbor.encode("k" * length)
        with refused("cbor.form"):
            cbor.decode(b"\xa2" + key + b"\x00" + key + b"\x01")

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("b", "a"),
            ("aa", "b"),
            ("a", ""),
            ("\u00e9", "aa"),
            ("\U00010000", "\u00e9"),
            ("k" * 23 + "b", "k" * 23 + "a"),
            ("a" * 24, "b" * 23),
            ("a" * 25, "b" * 24),
            ("a" * 256, "b" * 255),
            ("k" * 300 + "b", "k" * 300 + "a"),
        ],
        ids=lambda key: f"{len(key)}{key[-1:]!a}",
    )
    def test_keys_out_of_order(self, first, second, refused):
        one, two = cbor.encode(first) + b"\x00", cbor.encode(second) + b"\x00"
        with refused("cbor.form"):
            cbor.decode(b"\xa2" + one + two)
        assert cbor.decode(b"\xa2" + two + one) == {second: 0, first: 0}

    @pytest.mark.parametrize("kind", ["array", "map", "mixed"])
    def test_sixteen_levels_and_no_more(self, kind, refused):
        assert CBOR_DEPTH_MAX == 16
        deepest = nested(16, kind)
        assert cbor.decode(cbor2.dumps(deepest)) == deepest
        with refused("cbor.depth"):
            cbor.decode(cbor2.dumps(nested(17, kind)))

    @pytest.mark.parametrize("empty", ["80", "a0"])
    def test_an_empty_container_is_a_level_too(self, empty, refused):
        cbor.decode(bytes.fromhex("81" * 15 + empty))
        with refused("cbor.depth"):
            cbor.decode(bytes.fromhex("81" * 16 + empty))

    @pytest.mark.parametrize("text", NOT_UTF8.split())
    @pytest.mark.parametrize("place", ["{}", "82{}00", "a1{}00", "a160{}"])
    def test_text_that_is_not_utf8(self, text, place, refused):
        with refused("cbor.text"):
            cbor.decode(bytes.fromhex(place.format(text)))

    @pytest.mark.parametrize("length", [65_535, 65_536, 65_537, 131_072])
    def test_long_text_cut_within_its_last_character(self, length, refused):
        text = ("a" * (length - 1) + "\u00e9").encode()[:-1]
        head = b"\x79" + length.to_bytes(2, "big") if length < 65_536 else b"\x7a" + length.to_bytes(4, "big")
        with refused("cbor.text"):
            cbor.decode(head + text)

    @pytest.mark.parametrize("major", [2, 3, 4, 5], ids=["bytes", "text", "array", "map"])
    @pytest.mark.parametrize("count", [2**16, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1])
    def test_more_is_claimed_than_there_is(self, major, count, refused):
        head = cbor2.dumps(count)
        claim = bytes([head[0] | major << 5]) + head[1:]
        behind = b"".join(cbor.encode(f"{i:04}") for i in range(100))
        for data in (claim, claim + behind, b"\x82" + claim + behind, b"\xa1\x60" + claim + behind):
            with refused("cbor.truncated"):
                cbor.decode(data)

    @pytest.mark.timeout(20)
    def test_long_input_takes_no_longer_than_its_length(self, refused):
        mebibyte = 2**20
        assert len(cbor.decode(b"\x9a" + mebibyte.to_bytes(4, "big") + bytes(mebibyte))) == mebibyte
        with refused("cbor.truncated"):
            cbor.decode(b"\x9b" + (2**63).to_bytes(8, "big") + bytes(mebibyte))
        with refused("cbor.truncated"):
            cbor.decode(b"\xbb" + (2**63).to_bytes(8, "big") + cbor.encode({f"{i:06}": i for i in range(50_000)})[3:])
        with refused("cbor.trailing"):
            cbor.decode(bytes(mebibyte))
        for head in (b"\x81", b"\xa1\x60", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"):
            with refused("cbor.depth"):
                cbor.decode(head * (mebibyte // len(head)))


class TestRefusedValues:
    @pytest.mark.parametrize("value", OTHER_TYPES, ids=lambda value: type(value).__name__)
    def test_types_outside_the_profile(self, value, refused):
        for place in (value, [value], {"a": [value]}):
            with refused("cbor.type"):
                cbor.encode(place)

    @pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**64, 10**100])
    def test_integers_beyond_64_bits(self, value, refused):
        for place in (value, [value], {"a": value}):
            with refused("cbor.integer"):
                cbor.encode(place)

    @pytest.mark.parametrize("key", [1, None, True, b"a", ("a",), 1.5, Name("x")], ids=repr)
    def test_keys_that_are_not_text(self, key, refused):
        with refused("cbor.key"):
            cbor.encode({"a": 1, key: 2})

    @pytest.mark.parametrize(
        "text", ["\ud800", "a\udfff", "\ud83d\udea2", "x" * 70_000 + "\ud800"], ids=lambda text: ascii(text[-2:])
    )
    def test_surrogates(self, text, refused):
        for place in (text, [text], {text: 1}, {"a": text}):
            with refused("cbor.text"):
                cbor.encode(place)

    @pytest.mark.parametrize("kind", ["array", "map", "mixed"])
    def test_more_than_sixteen_levels(self, kind, refused):
        assert cbor.encode(nested(16, kind)) == cbor2.dumps(nested(16, kind))
        with refused("cbor.depth"):
            cbor.encode(nested(17, kind))

    def test_a_list_that_holds_itself(self, refused):
        endless = []
        endless.append(endless)
        with refused("cbor.depth"):
            cbor.encode(endless)


class TestPieces:
    """What COSE is put together from, byte by byte."""

    @pytest.mark.parametrize("length", [0, 1, 23, 24, 255, 256, 65_535, 65_536])
    def test_byte_strings(self, length):
        content = bytes(i % 251 for i in range(length))
        encoded = cbor.byte_string(content)
        assert encoded == cbor2.dumps(content)
        assert cbor.read_byte_string(b"\x00" + encoded + b"\x00", 1) == (content, 1 + len(encoded))
        assert cbor.byte_string_span(b"\x00" + encoded + b"\x00", 1) == (1 + len(encoded) - length, 1 + len(encoded))

    @pytest.mark.parametrize("count", [0, 1, 23, 24, 255, 256, 65_535, 65_536])
    def test_array_heads(self, count):
        assert cbor.array_head(count) + bytes(count) == cbor2.dumps([0] * count)

    @pytest.mark.parametrize("other", ["00", "20", "60", "80", "a0", "d240", "f6", "ff"])
    def test_a_byte_string_is_expected(self, other, refused):
        with refused("cbor.type"):
            cbor.read_byte_string(bytes.fromhex(other) + bytes(16), 0)

    @pytest.mark.parametrize(
        "head", ["5800", "5817", "590001", "5900ff", "5a0000ffff", "5b00000000ffffffff", "5c", "5f"]
    )
    def test_a_byte_string_has_the_shortest_head(self, head, refused):
        with refused("cbor.form"):
            cbor.read_byte_string(bytes.fromhex(head) + bytes(70_000), 0)

    @pytest.mark.parametrize("length", [0, 1, 24, 256, 65_536])
    def test_a_byte_string_is_cut_off(self, length, refused):
        encoded = cbor.byte_string(bytes(length))
        for end in {0, 1, 2, len(encoded) - 1} & set(range(len(encoded))):
            with refused("cbor.truncated"):
                cbor.read_byte_string(encoded[:end], 0)

    @pytest.mark.parametrize("position", [3, 4, 100])
    def test_a_byte_string_behind_the_end(self, position, refused):
        with refused("cbor.truncated"):
            cbor.read_byte_string(b"\x42\x01\x02", position)

    @given(st.lists(VALUES, min_size=1, max_size=5))
    def test_items_in_a_row(self, values):
        encoded = [cbor.encode(value) for value in values]
        data, position = b"".join(encoded), 0
        for item in encoded:
            end = cbor.item_end(data, position)
            assert data[position:end] == item
            position = end
        assert position == len(data)

    def test_an_item_within_fewer_levels(self, refused):
        assert cbor.item_end(b"\x81\x80", 0, 2) == 2
        assert cbor.item_end(b"\x00", 0, 0) == 1
        with refused("cbor.depth"):
            cbor.item_end(b"\x81\x80", 0, 1)
        with refused("cbor.depth"):
            cbor.item_end(b"\x80", 0, 0)

    @pytest.mark.parametrize("data", ["", "81", "62 61", "18", "82 01 41"])
    def test_an_item_cut_off(self, data, refused):
        with refused("cbor.truncated"):
            cbor.item_end(bytes.fromhex(data), 0)
