"""Which types can be keys or indexed: those whose longest value fits once encoded."""

import pytest

from hansa.contracts.manifest import (
    AmountType,
    BoolType,
    BytesType,
    IntType,
    ListType,
    OptionalType,
    PartyType,
    ReferenceType,
    TextType,
    Type,
    encoded_bytes_most,
    is_index_type,
    is_key_type,
    key_bytes_most,
)
from hansa.wire import cbor, order


@pytest.mark.parametrize(
    ("type_", "most", "key", "index"),
    [
        (TextType(0, 100), 400, True, True),
        (TextType(0, 101), 404, False, False),
        (TextType(0, 65_536), 262_144, False, False),
        (BytesType(0, 400), 400, True, True),
        (BytesType(0, 401), 401, False, False),
        (BytesType(32, 32), 32, True, True),
        (IntType(), 8, True, True),
        (IntType(0, 1), 8, True, True),
        (PartyType(), 32, True, True),
        (BoolType(), 1, False, True),
        (OptionalType(IntType()), 8, False, True),
        (OptionalType(TextType(0, 101)), 404, False, False),
        (OptionalType(BoolType()), 1, False, True),
        (AmountType(), None, False, False),
        (OptionalType(AmountType()), None, False, False),
        (ListType(IntType(), 1), None, False, False),
        (ReferenceType("Thing"), None, False, False),
    ],
)
def test_keys_and_indexes(type_: Type, most: int | None, key: bool, index: bool) -> None:
    assert (key_bytes_most(type_), is_key_type(type_), is_index_type(type_)) == (most, key, index)


@pytest.mark.parametrize(
    ("type_", "longest"),
    [
        (TextType(0, 100), "\U0010ffff" * 100),
        (BytesType(0, 400), bytes(400)),
        (IntType(), 2**63 - 1),
        (IntType(), -(2**63)),
        (PartyType(), "a" * 32),
    ],
)
def test_the_bound_is_reached_and_never_passed(type_: Type, longest: int | str | bytes) -> None:
    assert len(order.key_bytes(longest)) == key_bytes_most(type_)


@pytest.mark.parametrize(
    ("type_", "longest"),
    [
        (TextType(0, 100), "\U0010ffff" * 100),
        (TextType(0, 65_536), "\U0010ffff" * 65_536),
        (BytesType(0, 65_536), bytes(65_536)),
        (IntType(), -(2**63)),
        (BoolType(), True),
        (PartyType(), "a" * 32),
        (AmountType(), {"minor": 2**63 - 1, "currency": "EUR"}),
        (ListType(OptionalType(TextType(0, 9)), 1_024), ["\U0010ffff" * 9] * 1_024),
        (OptionalType(IntType()), 2**63 - 1),
    ],
)
def test_no_value_is_encoded_longer_than_its_type_says(type_: Type, longest: object) -> None:
    most = encoded_bytes_most(type_)
    assert len(cbor.encode(longest)) <= most <= 2 * len(cbor.encode(longest)) + 8
