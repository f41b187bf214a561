"""Declared types: what fits, what it costs, what is said when it does not."""

import ast
from typing import Any

import pytest
from tests.contracts.specification import ledger

from hansa.contracts import manifest as d
from hansa.contracts.faults import Fault
from hansa.contracts.specification import fitting
from hansa.contracts.specification.values import Amount, Date, Duration, Instant, Struct

TERMS = d.Struct(
    "Terms",
    {"port": ledger.field("port", d.TextType(1, 3)), "days": ledger.field("days", d.IntType(0, 9), default=5)},
    "",
    1,
)
KIND = d.Enum("Kind", {"Sight": "at sight"}, 1)
LC = ledger.record("LC", "id", ledger.field("id", d.TextType(1, 3)), states={"Open": "", "Paid": ""})
FILE = ledger.manifest(structs=[TERMS], enums=[KIND], records=[LC])
MAP = d.MapType(d.TextType(1, 2), d.IntType(0, 9), 2)
LIST = d.ListType(d.TextType(0, 2), 2)

PLAIN = {
    "text": (d.TextType(1, 3), "abc", "abc"),
    "bytes": (d.BytesType(1, 3), b"abc", b"abc"),
    "integer": (d.IntType(0, 3), 3, 3),
    "boolean": (d.BoolType(), True, True),
    "member": (d.PartyType(), "bob", "bob"),
    "user": (d.UserType(), "alice/ann", "alice/ann"),
    "amount": (d.AmountType(), {"minor": 3, "currency": "EUR"}, Amount(3, "EUR")),
    "signed amount": (d.AmountType(signed=True), {"minor": -3, "currency": "EUR"}, Amount(-3, "EUR", signed=True)),
    "date": (d.DateType(), "2024-02-29", Date(2024, 2, 29)),
    "instant": (d.InstantType(), 5, Instant(5)),
    "duration": (d.DurationType(), -5, Duration(-5)),
    "enum": (d.EnumType("Kind"), "Sight", "Sight"),
    "state": (d.StateType("LC"), "Paid", "Paid"),
    "struct": (d.StructType("Terms"), {"port": "a", "days": 1}, Struct(TERMS, FILE, {"port": "a", "days": 1})),
    "struct with a default": (d.StructType("Terms"), {"port": "a"}, Struct(TERMS, FILE, {"port": "a", "days": 5})),
    "list": (d.ListType(d.DateType(), 2), ["2024-02-29"], [Date(2024, 2, 29)]),
    "map": (MAP, {"b": 1, "aa": 2}, {"aa": 2, "b": 1}),
    "None": (d.OptionalType(d.DateType()), None, None),
    "something": (d.OptionalType(d.DateType()), "2024-02-29", Date(2024, 2, 29)),
    "key": (d.ReferenceType("LC"), "abc", "abc"),
}


@pytest.mark.parametrize(("type", "plain", "value"), PLAIN.values(), ids=PLAIN)
def test_plain_values_that_fit(type: d.Type, plain: Any, value: Any) -> None:
    machine = ledger.machine()
    assert fitting.plain_misfit(machine, FILE, type, plain) == ""
    assert fitting.from_plain(FILE, type, plain) == value
    assert machine.left == machine.limit


def test_a_map_from_outside_is_put_in_code_point_order() -> None:
    assert list(fitting.from_plain(FILE, MAP, {"b": 1, "aa": 2})) == ["aa", "b"]


PLAIN_MISFITS = {
    "no text": (d.TextType(1, 3), 5, "must be text"),
    "no text at all": (d.TextType(1, 3), None, "must be text"),
    "too short": (d.TextType(1, 3), "", "must have 1 to 3 characters, not 0"),
    "no bytes": (d.BytesType(1, 3), "abc", "must be bytes"),
    "too many bytes": (d.BytesType(1, 3), b"abcd", "must have 1 to 3 bytes, not 4"),
    "no number": (d.IntType(0, 3), True, "must be a whole number"),
    "too large": (d.IntType(0, 3), 4, "must lie within 0 and 3"),
    "no boolean": (d.BoolType(), 1, "must be true or false"),
    "no name of a member": (d.PartyType(), "Bob", "must be the name of a member"),
    "no member": (d.PartyType(), "zoe", "is not a member of this ledger"),
    "no name of a user": (d.UserType(), "alice", "must be the name of a user"),
    "no user": (d.UserType(), "alice/zoe", "is not a user of this ledger"),
    "no amount": (d.AmountType(), {"minor": 3}, "must have `minor` (whole minor units) and `currency`, nothing else"),
    "negative": (
        d.AmountType(),
        {"minor": -3, "currency": "EUR"},
        "`minor` must be a whole number, not negative",
    ),
    "no units": (d.AmountType(signed=True), {"minor": True, "currency": "EUR"}, "`minor` must be a whole number"),
    "too much": (d.AmountType(signed=True), {"minor": -(2**63), "currency": "EUR"}, "`minor` must fit 64 bits"),
    "no currency": (d.AmountType(), {"minor": 3, "currency": "EU"}, "`currency` must be three capital letters"),
    "no date": (d.DateType(), "2023-02-29", "must be a date, written YYYY-MM-DD"),
    "no instant": (d.InstantType(), -1, "must be a time in milliseconds since 1970, before the year 10000"),
    "no duration": (
        d.DurationType(),
        "5",
        "must be a length of time in milliseconds, at most ten thousand years",
    ),
    "no value of the enum": (d.EnumType("Kind"), "at sight", "must be one of the values of Kind"),
    "no state": (d.StateType("LC"), "Lost", "must be one of the states of LC"),
    "no struct": (d.StructType("Terms"), [], "must be a map of fields"),
    "a field missing": (d.StructType("Terms"), {"days": 10}, "lacks `port`"),
    "a field that does not fit": (d.StructType("Terms"), {"port": ""}, "`port`: must have 1 to 3 characters, not 0"),
    "a field too many": (d.StructType("Terms"), {"port": "a", "x": 1}, "has fields that are not declared"),
    "no list": (LIST, "ab", "must be a list"),
    "too long": (LIST, ["a", "b", "c"], "must have at most 2 items, not 3"),
    "an item that does not fit": (LIST, ["a", "bcd"], "item 1: must have 0 to 2 characters, not 3"),
    "no map": (MAP, [], "must be a map"),
    "too many keys": (MAP, {"a": 1, "b": 1, "c": 1}, "must have at most 2 keys, not 3"),
    "a key that does not fit": (MAP, {"b": 1, "": 10}, "key 0: must have 1 to 2 characters, not 0"),
    "a value that does not fit": (MAP, {"b": 10, "aa": 1}, "value 1: must lie within 0 and 9"),
    "no key of the record": (d.ReferenceType("LC"), "abcd", "must have 1 to 3 characters, not 4"),
}


@pytest.mark.parametrize(("type", "plain", "problem"), PLAIN_MISFITS.values(), ids=PLAIN_MISFITS)
def test_plain_values_that_do_not_fit(type: d.Type, plain: Any, problem: str) -> None:
    assert fitting.plain_misfit(ledger.machine(), FILE, type, plain) == problem


FITS = {
    "a scalar costs nothing": (d.TextType(0, 500), "a" * 500, "a" * 500, 0),
    "items": (LIST, ["a", "b"], ["a", "b"], 2),
    "items of items": (d.ListType(MAP, 2), [{"a": 1}, {"b": 2, "c": 3}], [{"a": 1}, {"b": 2, "c": 3}], 5),
    "an amount becomes signed": (d.AmountType(signed=True), Amount(3, "EUR"), Amount(3, "EUR", signed=True), 0),
    "a signed one becomes an amount": (
        d.ListType(d.AmountType(), 2),
        [Amount(0, "EUR", signed=True)],
        [Amount(0, "EUR")],
        1,
    ),
    "None where it may be": (d.OptionalType(LIST), None, None, 0),
    "a struct": (
        d.StructType("Terms"),
        Struct(TERMS, FILE, {"port": "a", "days": 1}),
        Struct(TERMS, FILE, {"port": "a", "days": 1}),
        2,
    ),
}


@pytest.mark.parametrize(("type", "value", "fitted", "steps"), FITS.values(), ids=FITS)
def test_values_that_fit(type: d.Type, value: Any, fitted: Any, steps: int) -> None:
    machine = ledger.machine()
    assert fitting.fit(machine, FILE, type, value, "`x`") == fitted
    assert machine.limit - machine.left == steps


MISFITS = {
    "text": (d.TextType(1, 3), "", "`x` must have 1 to 3 characters, not 0"),
    "an integer of 65 bits": (d.IntType(), 2**63, f"`x` must lie within {-(2**63)} and {2**63 - 1}"),
    "a stranger": (d.PartyType(), "zoe", "`x` is not a member of this ledger"),
    "a negative amount": (
        d.AmountType(),
        Amount(-1, "EUR", signed=True),
        "`x` `minor` must be a whole number, not negative",
    ),
    "too many items": (LIST, ["", "", ""], "`x` must have at most 2 items, not 3"),
    "within a struct": (
        d.StructType("Terms"),
        Struct(TERMS, FILE, {"port": "a", "days": 10}),
        "`x` `days`: must lie within 0 and 9",
    ),
}


@pytest.mark.parametrize(("type", "value", "message"), MISFITS.values(), ids=MISFITS)
def test_values_that_do_not_fit(type: d.Type, value: Any, message: str) -> None:
    with pytest.raises(Fault) as caught:
        fitting.fit(ledger.machine(), FILE, type, value, "`x`")
    assert (caught.value.code, caught.value.message) == ("value.bounds", message)


def test_none_is_no_misfit_but_missing() -> None:
    with pytest.raises(Fault) as caught:
        fitting.fit(ledger.machine(), FILE, d.TextType(0, 3), None, "`x`")
    assert caught.value.code == "value.none"


def test_all_is_charged_before_anything_is_checked() -> None:
    machine = ledger.machine(steps=3)
    with pytest.raises(Fault) as caught:
        fitting.fit(machine, FILE, d.ListType(MAP, 1), [{"a": 10}, {"b": 1}], "`x`")
    assert caught.value.code == "steps.exceeded"


@pytest.mark.parametrize(
    ("annotation", "type"),
    [
        ("int", d.IntType()),
        ("Int[-5, MAX]", d.IntType(-5, 7)),
        ("Text[0, 9]", d.TextType(0, 9)),
        ("Bytes[0, 9]", d.BytesType(0, 9)),
        ("Hash", d.BytesType(32, 32)),
        ("list[Amount, MAX] | None", d.OptionalType(d.ListType(d.AmountType(), 7))),
        ("dict[Party, list[Kind, 2], 3]", d.MapType(d.PartyType(), d.ListType(d.EnumType("Kind"), 2), 3)),
        ("C.Terms", d.StructType("Terms")),
        ("LC", d.ReferenceType("LC")),
    ],
)
def test_annotations(annotation: str, type: d.Type) -> None:
    file = ledger.manifest(structs=[TERMS], enums=[KIND], records=[LC], constants={"MAX": 7})
    node = ast.parse(annotation, mode="eval").body
    assert fitting.annotated_type(file, node) == type
