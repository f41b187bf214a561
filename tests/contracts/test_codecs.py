"""Types between messages and contracts: what fits a type, and that Amounts come back as they went in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.contracts.codecs import Amount, codec, is_currency
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
)
from hansa.contracts.values import to_plain

USD = {"minor": 5, "currency": "USD"}
SAMPLES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**63 - 1,
    -(2**63),
    1.0,
    "",
    "a",
    "alice",
    "USD",
    b"",
    b"a",
    bytes(32),
    [],
    [1],
    ["a"],
    [None],
    [USD],
    {},
    USD,
    {"minor": 5},
    object,
]

# A type, and which of the samples fit it.
FITTING: list[tuple[Type, list[Any]]] = [
    (TextType(1, 5), ["a", "alice", "USD"]),
    (TextType(0, 0), [""]),
    (IntType(), [0, 1, -1, 2**63 - 1, -(2**63)]),
    (IntType(0, 1), [0, 1]),
    (BoolType(), [True, False]),
    (BytesType(1, 1), [b"a"]),
    (BytesType(32, 32), [bytes(32)]),
    (PartyType(), ["a", "alice"]),
    (AmountType(), [USD]),
    (ListType(IntType(), 1), [[], [1]]),
    (ListType(AmountType(), 1), [[], [USD]]),
    (ListType(OptionalType(IntType()), 1), [[], [1], [None]]),
    (OptionalType(BoolType()), [None, True, False]),
    (OptionalType(AmountType()), [None, USD]),
    (OptionalType(ListType(TextType(1, 1), 3)), [None, [], ["a"]]),
    (ReferenceType("Thing"), []),
]


@pytest.mark.parametrize(("type_", "fitting"), FITTING, ids=[str(type_)[:50] for type_, _ in FITTING])
def test_each_type_takes_its_values_and_no_others(type_: Type, fitting: list[Any]) -> None:
    problem = codec(type_).problem
    kinds = [(type(value), value) for value in fitting]
    assert [(type(value), value) for value in SAMPLES if not problem(value)] == [
        (type(value), value) for value in SAMPLES if (type(value), value) in kinds
    ]
    assert all(isinstance(problem(value), str) for value in SAMPLES)


@pytest.mark.parametrize(
    ("type_", "least", "most", "make"),
    [
        (TextType(2, 4), 2, 4, lambda n: "é" * n),
        (BytesType(2, 4), 2, 4, bytes),
        (IntType(-2, 4), -2, 4, lambda n: n),
        (ListType(BoolType(), 4), 0, 4, lambda n: [True] * n),
    ],
)
def test_bounds_are_inclusive(type_: Type, least: int, most: int, make: Any) -> None:
    fits = [n for n in range(least if least < 0 else 0, most + 3) if not codec(type_).problem(make(n))]
    assert fits == list(range(least, most + 1))
    if isinstance(type_, IntType):
        assert codec(type_).problem(least - 1)


MONEY = st.builds(dict, minor=st.integers(0, 2**63 - 1), currency=st.text("ABCXYZ", min_size=3, max_size=3))


@given(MONEY)
def test_an_amount_comes_back_as_it_went_in(plain: dict[str, Any]) -> None:
    convert = codec(AmountType()).from_plain
    assert convert is not None
    assert isinstance(convert(plain), Amount)
    assert to_plain(convert(plain)) == plain
    assert list(to_plain(convert(plain))) == ["minor", "currency"], "in encoding order"


@given(st.lists(st.none() | MONEY, max_size=4))
def test_amounts_in_lists_and_optional_ones_come_back(plain: list[Any]) -> None:
    convert = codec(ListType(OptionalType(AmountType()), 4)).from_plain
    assert convert is not None
    inside = convert(plain)
    assert [type(value) for value in inside] == [type(None) if value is None else Amount for value in plain]
    assert to_plain(inside) == plain


@pytest.mark.parametrize(
    "type_",
    [
        TextType(0, 1),
        IntType(),
        BoolType(),
        BytesType(0, 1),
        PartyType(),
        ListType(IntType(), 1),
        OptionalType(IntType()),
    ],
)
def test_other_values_are_the_same_on_both_sides(type_: Type) -> None:
    assert codec(type_).from_plain is None


@pytest.mark.parametrize("text", ["USD", "XAU", "AAA", "ZZZ"])
def test_currencies(text: str) -> None:
    assert is_currency(text)


@pytest.mark.parametrize(
    "text", ["usd", "US", "USDX", "", "US1", " US", "US\n", "ÄBC", "\uff35\uff33\uff24", "ΑΒΓ", "ǅAB", 1, None, b"USD"]
)
def test_no_currencies(text: object) -> None:
    assert not is_currency(text)
