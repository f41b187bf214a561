"""Which types can be keys or indexed: those whose longest value fits once encoded."""

import pytest
from tests.contracts.sources import contract

from hansa.contracts import program
from hansa.contracts.codecs import Codecs
from hansa.contracts.manifest import (
    AmountType,
    BoolType,
    BytesType,
    DateType,
    DurationType,
    EnumType,
    InstantType,
    IntType,
    ListType,
    MapType,
    OptionalType,
    PartyType,
    ReferenceType,
    StateType,
    StructType,
    TextType,
    Type,
    UserType,
    is_index_type,
    is_key_type,
    is_map_key,
    key_bytes_most,
)
from hansa.wire import cbor, order
from hansa.wire.limits import USER_NAME_CHARS_MAX

TYPES = """
class Terms(Struct):
    text: Text[0, 9]
    amount: SignedAmount
class Shade(Enum):
    Red = "as blood"
"""
MANIFEST = program.check(contract("pass", TYPES), "sample").manifest


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
        (ReferenceType("Thing"), None, False, True),
        (OptionalType(ReferenceType("Thing")), None, False, True),
        (UserType(), 65, True, True),
        (DateType(), 10, True, True),
        (InstantType(), 8, True, True),
        (DurationType(), 8, True, True),
        (EnumType("Shade"), 48, True, True),
        (StateType("Thing"), 48, True, True),
        (StructType("Terms"), None, False, False),
        (MapType(PartyType(), IntType(), 1), None, False, False),
        (AmountType(signed=True), None, False, False),
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
        (UserType(), "a" * 32 + "/" + "b" * 32),
        (DateType(), "9999-12-31"),
        (EnumType("Shade"), "V" * 48),
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
        (UserType(), "a" * 32 + "/" + "b" * 32),
        (DateType(), "9999-12-31"),
        (EnumType("Shade"), "V" * 48),
        (StructType("Terms"), {"text": "\U0010ffff" * 9, "amount": {"minor": -(2**63) + 1, "currency": "EUR"}}),
        (MapType(TextType(0, 9), IntType(), 99), {"\U0010ffff" * 8 + chr(0x10000 + n): -(2**63) for n in range(99)}),
    ],
)
def test_no_value_is_encoded_longer_than_its_type_says(type_: Type, longest: object) -> None:
    most = Codecs(MANIFEST).bytes_most(type_)
    slack = max(2 * len(cbor.encode(longest)), USER_NAME_CHARS_MAX) + 9
    assert len(cbor.encode(longest)) <= most <= slack * (99 if isinstance(type_, MapType) else 1)


@pytest.mark.parametrize(
    ("type_", "can_be"),
    [
        (TextType(0, 100), True),
        (TextType(0, 101), False),
        (PartyType(), True),
        (UserType(), True),
        (EnumType("Shade"), True),
        (IntType(), False),
        (BoolType(), False),
        (DateType(), False),
        (OptionalType(PartyType()), False),
    ],
)
def test_keys_of_maps(type_: Type, can_be: bool) -> None:
    assert is_map_key(type_) is can_be
