"""Types between messages and contracts: what fits a type, as plain and as a contract has it, and what fitting costs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.sources import contract
from tests.contracts.test_frame import framed

from hansa.contracts import program
from hansa.contracts.codecs import Amount, Codec, Codecs, is_currency, to_plain
from hansa.contracts.faults import Fault
from hansa.contracts.manifest import StateType
from hansa.contracts.prices import DURATION_MAX, INSTANT_MAX

MANIFEST = program.check(
    contract(
        "@view\ndef go(tx) -> int:\n    return 1",
        """
        class Shade(Enum):
            Red = "as blood"
            Blue = "as the sky"
        class Terms(Struct):
            port: Text[1, 3]
            days: Int[0, 9] = 3
            paid: Amount | None = None
            shade: Shade = Shade.Red
            ways: list[SignedAmount, 2] = []
        class Thing(Record, key="id"):
            id: Text[1, 3]
            class States:
                Open: "it is open"
        """,
    ),
    "sample",
).manifest


class Registry:
    """Alice and her Ann are known."""

    def is_member(self, name: str) -> bool:
        return name == "alice"

    def is_user(self, name: str) -> bool:
        return name == "alice/ann"


def of(annotation: str) -> Codec:
    """The codec of a type as it is written."""
    declared = "\n".join(f"class {name}(Enum):\n    Red = 'r'\n    Blue = 'b'" for name in ["Shade"])
    struct = (
        "class Terms(Struct):\n    port: Text[1, 3]\n    days: Int[0, 9] = 3\n    paid: Amount | None = None\n"
        "    shade: Shade = Shade.Red\n    ways: list[SignedAmount, 2] = []\n"
    )
    record = 'class Thing(Record, key="id"):\n    id: Text[1, 3]\n    class States:\n        Open: "o"\n'
    source = contract(f"@view\ndef go(tx, a: {annotation}) -> int:\n    return 1", f"{declared}\n{struct}{record}")
    manifest = program.check(source, "sample").manifest
    return Codecs(manifest).of(manifest.views["go"].parameters[0].type)


def problem(annotation: str, value: object) -> str:
    return of(annotation).problem(value, Registry())


EUR = {"minor": 5, "currency": "EUR"}
PROBLEMS = [
    (
        "Text[1, 3]",
        {"a": "", "é💡x": "", "": "must have 1 to 3 characters, not 0", "abcd": "must have 1 to 3 characters, not 4"},
    ),
    ("Text[1, 3]", {1: "must be text", None: "must be text", b"a": "must be text"}),
    (
        "Bytes[1, 2]",
        {b"a": "", b"": "must have 1 to 2 bytes, not 0", b"abc": "must have 1 to 2 bytes, not 3", "a": "must be bytes"},
    ),
    ("Hash", {bytes(32): "", bytes(31): "must have 32 to 32 bytes, not 31"}),
    (
        "Int[-2, 3]",
        {-2: "", 3: "", -3: "must lie within -2 and 3", 4: "must lie within -2 and 3", "1": "must be a whole number"},
    ),
    (
        "int",
        {
            2**63 - 1: "",
            -(2**63): "",
            2**63: f"must lie within {-(2**63)} and {2**63 - 1}",
            1.5: "must be a whole number",
        },
    ),
    ("bool", {None: "must be true or false", "": "must be true or false"}),
    (
        "Party",
        {
            "alice": "",
            "bob": "is not a member of this ledger",
            **dict.fromkeys(("Bob", "", "alice\n", "alice/ann", 1, None), "must be the name of a member"),
        },
    ),
    (
        "User",
        {
            "alice/ann": "",
            "alice/bea": "is not a user of this ledger",
            **dict.fromkeys(("alice", "/ann", "alice/", "Alice/ann", 1), "must be the name of a user"),
        },
    ),
    (
        "Date",
        {"2024-02-29": "", **dict.fromkeys(("2023-02-29", "", 20240229, None), "must be a date, written YYYY-MM-DD")},
    ),
    (
        "Instant",
        {
            0: "",
            INSTANT_MAX: "",
            **dict.fromkeys(
                (-1, INSTANT_MAX + 1, "0", None), "must be a time in milliseconds since 1970, before the year 10000"
            ),
        },
    ),
    (
        "Duration",
        {
            -DURATION_MAX: "",
            DURATION_MAX: "",
            **dict.fromkeys(
                (DURATION_MAX + 1, -DURATION_MAX - 1, "1"),
                "must be a length of time in milliseconds, at most ten thousand years",
            ),
        },
    ),
    ("Shade", {"Red": "", **dict.fromkeys(("red", "Green", "", 1, None), "must be one of the values of Shade")}),
    ("Thing", {"abc": "", "": "must have 1 to 3 characters, not 0", 1: "must be text"}),
    ("int | None", {None: "", 1: "", "a": "must be a whole number"}),
]
ONLY = "must have `minor` (whole minor units) and `currency`, nothing else"
UNHASHABLE: list[tuple[str, Any, str]] = [
    ("int", True, "must be a whole number"),
    ("bool", 1, "must be true or false"),
    ("bool", True, ""),
    ("Amount", EUR, ""),
    *(
        ("Amount", value, ONLY)
        for value in (5, {"minor": 5}, {"currency": "EUR"}, {**EUR, "x": 1}, [5, "EUR"], {"minor": 5, "x": 1})
    ),
    ("Amount", {**EUR, "minor": -1}, "`minor` must be a whole number, not negative"),
    ("Amount", {**EUR, "minor": True}, "`minor` must be a whole number, not negative"),
    ("Amount", {**EUR, "minor": 2**63}, "`minor` must fit 64 bits"),
    *(
        ("Amount", {**EUR, "currency": text}, "`currency` must be three capital letters")
        for text in ("eur", "EU", 978, None)
    ),
    ("SignedAmount", {**EUR, "minor": -(2**63) + 1}, ""),
    ("SignedAmount", {**EUR, "minor": -(2**63)}, "`minor` must fit 64 bits"),
    ("SignedAmount", {**EUR, "minor": "1"}, "`minor` must be a whole number"),
    ("Amount | None", None, ""),
    ("Amount | None", False, ONLY),
    ("list[Text[1, 3], 2]", [], ""),
    ("list[Text[1, 3], 2]", ["a", "b"], ""),
    ("list[Text[1, 3], 2]", ["a", "b", "c"], "must have at most 2 items, not 3"),
    ("list[Text[1, 3], 2]", ["a", ""], "item 1: must have 1 to 3 characters, not 0"),
    ("list[Text[1, 3], 2]", [None], "item 0: must be text"),
    ("list[Text[1, 3], 2]", {"a": "b"}, "must be a list"),
    ("list[Text[1, 3] | None, 2]", [None], ""),
    ("list[list[int, 1], 2]", [[1], [1, 2]], "item 1: must have at most 1 items, not 2"),
    ("dict[Text[1, 2], int, 2]", {}, ""),
    ("dict[Text[1, 2], int, 2]", {"b": 1, "a": 2}, ""),
    ("dict[Text[1, 2], int, 2]", {"b": 1, "a": 2, "c": 3}, "must have at most 2 keys, not 3"),
    ("dict[Text[1, 2], int, 2]", {"b": 1, "": 2}, "key 0: must have 1 to 2 characters, not 0"),
    ("dict[Text[1, 2], int, 2]", {"b": "x", "a": 2}, "value 1: must be a whole number"),
    ("dict[Text[1, 2], int, 2]", [], "must be a map"),
    ("dict[Party, int, 2]", {"bob": 1}, "key 0: is not a member of this ledger"),
    ("Terms", {"port": "a"}, ""),
    ("Terms", {"port": "a", "days": 9, "paid": EUR, "shade": "Blue", "ways": [{**EUR, "minor": -1}]}, ""),
    ("Terms", {}, "lacks `port`"),
    ("Terms", {"port": "a", "x": 1}, "has fields that are not declared"),
    ("Terms", {"port": "", "days": 10}, "`port`: must have 1 to 3 characters, not 0"),
    ("Terms", {"port": "a", "days": 10}, "`days`: must lie within 0 and 9"),
    ("Terms", {"port": "a", "ways": [EUR, 1]}, f"`ways`: item 1: {ONLY}"),
    ("Terms", [], "must be a map of fields"),
    ("list[Terms, 2]", [{"port": "a"}, {"port": 1}], "item 1: `port`: must be text"),
]


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [*((a, v, p) for a, found in PROBLEMS for v, p in found.items()), *UNHASHABLE],
)
def test_what_is_wrong_with_a_plain_value(annotation: str, value: object, expected: str) -> None:
    assert problem(annotation, value) == expected


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        ("Amount", Amount(5, "EUR"), ""),
        ("Amount", Amount(-5, "EUR"), "`minor` must be a whole number, not negative"),
        ("SignedAmount", Amount(-5, "EUR"), ""),
        ("Amount | None", None, ""),
        (
            "list[Amount, 2]",
            [Amount(5, "EUR"), Amount(-1, "EUR")],
            "item 1: `minor` must be a whole number, not negative",
        ),
        ("Int[0, 9]", 2**200, "must lie within 0 and 9"),
        ("int", -(2**63) - 1, f"must lie within {-(2**63)} and {2**63 - 1}"),
    ],
)
def test_what_is_wrong_with_a_value_of_a_contract(annotation: str, value: object, expected: str) -> None:
    assert problem(annotation, value) == expected


def test_states_are_texts_of_their_record() -> None:
    found = Codecs(MANIFEST).of(StateType("Thing"))
    assert found.problem("Open", Registry()) == ""
    assert found.problem("Shut", Registry()) == "must be one of the states of Thing"


MONEY = st.builds(dict, minor=st.integers(0, 2**63 - 1), currency=st.text("ABCXYZ", min_size=3, max_size=3))


@given(MONEY)
def test_an_amount_comes_back_as_it_went_in(value: dict[str, Any]) -> None:
    inside = AMOUNT.from_plain(value)  # type: ignore[misc]
    assert isinstance(inside, Amount)
    assert list(to_plain(inside).items()) == [("minor", value["minor"]), ("currency", value["currency"])]


@given(st.dictionaries(st.text(max_size=9), st.none() | MONEY, max_size=5))
def test_a_map_is_in_code_point_order_inside_and_in_encoding_order_outside(value: dict[str, Any]) -> None:
    inside = MAP.from_plain(value)  # type: ignore[misc]
    assert list(inside) == sorted(value)
    assert [type(each) for each in inside.values()] == [
        type(None) if value[k] is None else Amount for k in sorted(value)
    ]
    outside = to_plain(inside)
    assert outside == value
    assert list(outside) == sorted(value, key=lambda name: (len(name.encode()), name.encode()))


def test_a_struct_has_all_its_fields_inside_in_encoding_order() -> None:
    inside = TERMS.from_plain({"port": "a", "ways": [EUR]})  # type: ignore[misc]
    assert list(inside) == ["days", "paid", "port", "ways", "shade"]
    assert to_plain(inside) == {"days": 3, "paid": None, "port": "a", "ways": [EUR], "shade": "Red"}


@pytest.mark.parametrize(
    "annotation", ["Text[0, 1]", "int", "bool", "Bytes[0, 1]", "Party", "User", "Date", "Instant", "Duration"]
)
@pytest.mark.parametrize("form", ["{}", "{} | None", "list[{}, 2]", "list[list[{}, 2] | None, 2]"])
def test_other_values_are_the_same_on_both_sides(annotation: str, form: str) -> None:
    assert of(form.format(annotation)).from_plain is None


@pytest.mark.parametrize(
    ("annotation", "value", "cost"),
    [
        ("int", 1, None),
        ("Amount", EUR, None),
        ("int | None", None, None),
        ("list[int, 9]", [1, 2, 3], 3),
        ("list[int, 9] | None", None, 0),
        ("list[list[int, 9], 9]", [[1, 2], []], 2 + 2),
        ("dict[Text[1, 2], list[int, 9], 9]", {"a": [1, 2], "b": []}, 2 + 2),
        ("Terms", {"port": "a", "days": 1, "paid": None, "shade": "Red", "ways": [1, 2]}, 5 + 2),
    ],
)
def test_fitting_costs_one_for_each_item_and_field(annotation: str, value: Any, cost: int | None) -> None:
    pay, frame = of(annotation).pay, framed(99)
    if pay is not None:
        pay(frame, value)
    assert (None if pay is None else frame.used) == cost


def test_fitting_is_paid_as_it_goes_so_that_what_is_shared_is_paid_each_time() -> None:
    shared: Any = [0] * 9
    for _ in range(4):
        shared = [shared] * 9
    pay, frame = of("list[list[list[list[list[int, 9], 9], 9], 9], 9]").pay, framed(100)
    assert pay is not None
    with pytest.raises(Fault) as caught:
        pay(frame, shared)
    assert (caught.value.code, frame.used) == ("steps.exceeded", 100)


AMOUNT, MAP, TERMS = of("Amount"), of("dict[Text[0, 9], Amount | None, 9]"), of("Terms")


@pytest.mark.parametrize("text", ["USD", "XAU", "AAA", "ZZZ"])
def test_currencies(text: str) -> None:
    assert is_currency(text)


@pytest.mark.parametrize(
    "text", ["usd", "US", "USDX", "", "US1", " US", "US\n", "ÄBC", "\uff35\uff33\uff24", "ΑΒΓ", "ǅAB", 1, None, b"USD"]
)
def test_no_currencies(text: object) -> None:
    assert not is_currency(text)
