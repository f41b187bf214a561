"""Arguments as people and programs write them: plain values by the contract's schema, every problem at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from hansa.client.arguments import described, from_json, from_pairs, misfit
from hansa.contracts import program
from hansa.contracts.codecs import codec
from hansa.contracts.schema import arguments_schema

SOURCE = """
from hansa.contract import Amount, Bytes, Contract, Hash, Int, Party, Record, Text, action

class Shop(Contract, version="1.0.0"):
    class Item(Record, key="id"):
        id: Bytes[1, 4]

    @action(by="member")
    def go(tx, text: Text[0, 99], number: int, small: Int[0, 9], flag: bool, raw: Bytes[0, 9], digest: Hash,
           party: Party, amount: Amount, texts: list[Text[0, 9], 9], amounts: list[Amount, 9],
           raws: list[Bytes[0, 9], 9], item: Item, maybe: int | None, perhaps: Amount | None,
           possibly: Bytes[0, 9] | None, either: bool | None):
        pass
"""
OPTIONAL = {"maybe", "perhaps", "possibly", "either"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    manifest, _ = program.check(SOURCE, "shop")
    return arguments_schema(manifest.actions["go"], manifest)


USD = {"minor": 500, "currency": "USD"}

# The name of an argument, how it is written on a command line, and its plain value.
WRITTEN = [
    ("text", "abc", "abc"),
    ("text", "", ""),
    ("text", "a=b=c", "a=b=c"),
    ("text", "12", "12"),
    ("text", "true", "true"),
    ("text", "null", "null"),
    ("text", '{"a": 1}', '{"a": 1}'),
    ("text", "é √ 💡\n", "é √ 💡\n"),
    ("number", "12", 12),
    ("number", "-12", -12),
    ("number", "9223372036854775807", 2**63 - 1),
    ("number", "-9223372036854775808", -(2**63)),
    ("number", "007", 7),
    ("small", "9", 9),
    ("flag", "true", True),
    ("flag", "false", False),
    ("raw", "00ff", b"\x00\xff"),
    ("raw", "", b""),
    ("raw", "0x00ff", b"\x00\xff"),
    ("raw", "00FF", b"\x00\xff"),
    ("digest", "00" * 32, bytes(32)),
    ("party", "alice", "alice"),
    ("amount", "USD 5.00", USD),
    ("amount", "JPY 5", {"minor": 5, "currency": "JPY"}),
    ("amount", '{"minor": 500, "currency": "USD"}', USD),
    ("amount", '{"minor": "9223372036854775807", "currency": "USD"}', {"minor": 2**63 - 1, "currency": "USD"}),
    ("texts", '["a", "b"]', ["a", "b"]),
    ("texts", "[]", []),
    ("amounts", '[{"minor": 500, "currency": "USD"}]', [USD]),
    ("raws", '["00", "ff"]', [b"\x00", b"\xff"]),
    ("item", "00ff", b"\x00\xff"),
    ("maybe", "12", 12),
    ("maybe", "null", None),
    ("perhaps", "USD 5.00", USD),
    ("perhaps", "null", None),
    ("possibly", "00", b"\x00"),
    ("possibly", "null", None),
    ("either", "true", True),
    ("either", "null", None),
]


@pytest.mark.parametrize(("name", "text", "value"), WRITTEN)
def test_pairs_become_plain_values(name: str, text: str, value: object, schema: dict[str, Any]) -> None:
    found = from_pairs({"properties": schema["properties"]}, [f"{name}={text}"])
    assert found == {name: value}
    assert type(found[name]) is type(value)


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        ("number=1.5", "number: '1.5' is not a whole number"),
        ("number=", "number: '' is not a whole number"),
        ("number=ten", "number: 'ten' is not a whole number"),
        ("number=+5", "number: '+5' is not a whole number"),
        ("number=1e3", "number: '1e3' is not a whole number"),
        ("number=\u0665", "number: '\\u0665' is not a whole number"),
        ("number=" + "9" * 20, "number: must lie within -9223372036854775808 and 9223372036854775807"),
        ("number=9223372036854775808", "number: must lie within -9223372036854775808 and 9223372036854775807"),
        ("number=" + "9" * 101, "number: '" + "9" * 60 + "' is not a whole number"),
        ("small=99", "small: must lie within 0 and 9"),
        ("small=-1", "small: must lie within 0 and 9"),
        ("text=" + "x" * 100, "text: must have 0 to 99 characters, not 100"),
        ("raw=xyz", "raw: must be hexadecimal, such as 00ff"),
        ("raw=0", "raw: must be hexadecimal, such as 00ff"),
        ("raw=" + "00" * 10, "raw: must have 0 to 9 bytes, not 10"),
        ("digest=00", "digest: must have 32 bytes, not 1"),
        ("item=", "item: must have 1 to 4 bytes, not 0"),
        ("party=A B", "party: must be the name of a member"),
        ("texts=[1]", "texts: item 0: must be text"),
        ("texts=[1.5]", "texts: item 0: must be text"),
        ('texts={"a": 1}', "texts: must be a list"),
        ("texts=" + json.dumps(["a"] * 10), "texts: must have at most 9 items, not 10"),
        ('amounts=[{"minor": "3", "currency": "USD"}]', "amounts: item 0: minor: must be a whole number"),
        ('amount={"minor": 1.5, "currency": "USD"}', "amount: minor: must be a whole number"),
        ('amount={"minor": 1}', "amount: must have `minor` and `currency`, nothing else"),
        (
            'amount={"minor": 99999999999999999999, "currency": "USD"}',
            "amount: minor: must lie within 0 and 9223372036854775807",
        ),
        ("maybe=none", "maybe: 'none' is not a whole number"),
        ("flag=yes", "flag: give true or false"),
        ("flag=True", "flag: give true or false"),
        ("either=1", "either: give true or false"),
        ("amount=5", "amount: '5' is not an amount such as `USD 500.00`"),
        ("amount=USD 5.0", "amount: USD is written with 2 digits after the point"),
        ("amount={", "amount: '{' is not JSON"),
        ("texts=a,b", "texts: 'a,b' is not JSON"),
        ("texts=", "texts: '' is not JSON"),
        ("text", "'text' is not name=value"),
        ("=5", "'=5' is not name=value"),
        ("", "'' is not name=value"),
    ],
)
def test_a_pair_that_does_not_fit_is_told(pair: str, problem: str, schema: dict[str, Any], refused: Callable) -> None:
    with refused("argument.value") as caught:
        from_pairs({"properties": schema["properties"]}, [pair])
    assert caught.value.fields["problems"] == [problem]
    assert caught.value.detail == problem


def test_every_problem_is_told_at_once(schema: dict[str, Any], refused: Callable) -> None:
    pairs = ["text=a", "text=b", "number=x", "flag=y", "color=red", "alone", "amount=USD 1"]
    with refused("argument.value") as caught:
        from_pairs(schema, pairs)
    problems = caught.value.fields["problems"]
    assert problems[:5] == [
        "text is given twice",
        "number: 'x' is not a whole number",
        "flag: give true or false",
        f"there is no argument color; there is {', '.join(sorted(schema['properties']))}",
        "'alone' is not name=value",
    ]
    missing = [name for name in schema["required"] if name not in ("text", "number", "flag", "amount")]
    assert problems[5:] == [f"{name} is missing" for name in missing]
    assert len(missing) == 8


def test_what_may_be_left_out_is_not_missed(schema: dict[str, Any]) -> None:
    cases = [case for case in WRITTEN if isinstance(case[0], str) and case[0] not in OPTIONAL]
    written = {case[0]: case[1] for case in cases}
    found = from_pairs(schema, [f"{name}={text}" for name, text in written.items()])
    assert set(found) == set(schema["properties"]) - OPTIONAL


def test_an_action_without_arguments_takes_none(refused: Callable) -> None:
    assert from_pairs({"properties": {}, "required": []}, []) == {}
    with refused("argument.value") as caught:
        from_pairs({"properties": {}}, ["a=1"])
    assert caught.value.detail == "there is no argument a; there is none"


def test_json_that_is_nested_too_deeply_is_refused(schema: dict[str, Any], refused: Callable) -> None:
    with refused("argument.value"):
        from_pairs({"properties": schema["properties"]}, ["texts=" + "[" * 100_000])


# An argument's name, its JSON form, and its plain value.
JSON = [
    ("text", "abc", "abc"),
    ("text", "12", "12"),
    ("number", 12, 12),
    ("number", "9007199254740993", 9007199254740993),
    ("number", "-9223372036854775808", -(2**63)),
    ("number", "twelve", "twelve"),
    ("number", 1.5, 1.5),
    ("number", True, True),
    ("raw", "00ff", b"\x00\xff"),
    ("raw", "00FF", "00FF"),
    ("raw", 5, 5),
    ("amount", {"minor": 500, "currency": "USD"}, USD),
    ("amount", {"minor": "9223372036854775807", "currency": "USD"}, {"minor": 2**63 - 1, "currency": "USD"}),
    ("amount", {"minor": "5", "currency": "USD"}, {"minor": "5", "currency": "USD"}),
    ("number", "12", "12"),
    ("amount", {"other": "5"}, {"other": "5"}),
    ("amount", "USD 5.00", "USD 5.00"),
    ("texts", ["1", "00"], ["1", "00"]),
    ("raws", ["00", "x"], [b"\x00", "x"]),
    ("amounts", [{"minor": 500, "currency": "USD"}], [USD]),
    ("item", "00", b"\x00"),
    ("maybe", None, None),
    ("maybe", "9007199254740993", 9007199254740993),
    ("perhaps", None, None),
    ("perhaps", {"minor": 500, "currency": "USD"}, USD),
    ("possibly", "ff", b"\xff"),
    ("either", False, False),
    ("unknown", "00ff", "00ff"),
    ("unknown", {"a": ["1"]}, {"a": ["1"]}),
]


@pytest.mark.parametrize(("name", "value", "plain"), JSON)
def test_json_becomes_plain_values(name: str, value: Any, plain: Any, schema: dict[str, Any]) -> None:
    found = from_json(schema, {name: value})
    assert found == {name: plain}
    assert type(found[name]) is type(plain)


def test_what_is_given_is_not_changed(schema: dict[str, Any]) -> None:
    given = {"amount": {"minor": "500", "currency": "USD"}, "raws": ["00"]}
    from_json(schema, given)
    assert given == {"amount": {"minor": "500", "currency": "USD"}, "raws": ["00"]}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text", "0 to 99 characters"),
        ("number", "whole number"),
        ("small", "0 to 9"),
        ("flag", "true or false"),
        ("raw", "0 to 9 bytes, hexadecimal"),
        ("digest", "32 bytes, hexadecimal"),
        ("party", "member"),
        ("amount", "amount, such as `USD 500.00`"),
        ("texts", "list of at most 9: 0 to 9 characters"),
        ("item", "key of a Item"),
        ("maybe", "whole number, or null"),
        ("perhaps", "amount, such as `USD 500.00`, or null"),
    ],
)
def test_a_schema_is_described(name: str, words: str, schema: dict[str, Any]) -> None:
    assert described(schema["properties"][name]) == words


def test_the_contract_takes_what_the_client_lets_through(schema: dict[str, Any]) -> None:
    """And in its own words: the client's check is the contract's, as far as a schema can say it."""
    manifest, _ = program.check(SOURCE, "shop")
    parameters = {p.name: p for p in manifest.actions["go"].parameters}
    for value in (
        None,
        True,
        0,
        -1,
        9,
        10,
        2**63,
        -(2**63) - 1,
        1.5,
        "",
        "x" * 100,
        "A",
        b"",
        bytes(10),
        bytes(32),
        [],
        USD,
        [USD],
        ["a"] * 10,
        {"minor": -1, "currency": "USD"},
        {"minor": 1},
        {"minor": 1, "currency": "usd"},
    ):
        for name, known in schema["properties"].items():
            if name == "item":
                continue
            theirs = codec(parameters[name].type).problem(value)
            assert bool(misfit(known, value)) == bool(theirs), (name, value, theirs)
