"""Arguments as people and programs write them: plain values by the contract's schema, every problem at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from hansa.client.arguments import described, from_json, from_pairs, misfit, moment, schema_of
from hansa.contracts import program
from hansa.contracts.codecs import Codecs
from hansa.contracts.ledger import Ledger
from hansa.contracts.prices import DURATION_MAX, INSTANT_MAX
from hansa.contracts.schema import contract_schema

SOURCE = """
from hansa.contract import (Amount, Bytes, Contract, Date, Duration, Enum, Hash, Instant, Int, Party, Record,
    SignedAmount, Struct, Text, User, action)

class Kind(Enum):
    Sight = "payable at sight"
    Usance = "payable later"

class Port(Struct):
    name: Text[1, 9]
    kind: Kind = Kind.Sight

class Terms(Struct):
    port: Port
    fee: SignedAmount
    from_: Instant | None = None
    grace: Duration | None = None
    seal: Bytes[0, 9] | None = None
    count: int = 0

class Shop(Contract, version="1.0.0"):
    class Item(Record, key="id"):
        id: Bytes[1, 4]

    class Lot(Record, key="number"):
        number: int

    @action(by="member")
    def go(tx, text: Text[0, 99], number: int, small: Int[0, 9], flag: bool, raw: Bytes[0, 9], digest: Hash,
           party: Party, amount: Amount, texts: list[Text[0, 9], 9], amounts: list[Amount, 9],
           raws: list[Bytes[0, 9], 9], item: Item, lot: Lot, maybe: int | None, perhaps: Amount | None,
           possibly: Bytes[0, 9] | None, either: bool | None, user: User, signed: SignedAmount, day: Date,
           time: Instant, length: Duration, kind: Kind, terms: Terms, ports: list[Port, 2],
           shares: dict[Party, Int[0, 9], 2], fees: dict[Text[1, 9], Amount | None, 2],
           ranks: dict[Kind, Bytes[0, 9], 2], someday: Date | None, some: Kind | None,
           agreed: Terms | None):
        pass
"""
OPTIONAL = {"maybe", "perhaps", "possibly", "either", "someday", "some", "agreed"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return schema_of(contract_schema(program.check(SOURCE, "shop").manifest), "actions", "go")


USD = {"minor": 500, "currency": "USD"}

NO_TIME = "is not a time such as 2030-01-31T12:00:00Z, 2030-01-31, or milliseconds"
NO_LENGTH = "is not a length of time such as 3d, 1h30m, 500ms, or milliseconds"

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
    ("lot", "-5", -5),
    ("user", "alice/ann", "alice/ann"),
    ("amount", "5.00 USD", USD),
    ("signed", "-12.50 EUR", {"minor": -1250, "currency": "EUR"}),
    ("signed", "EUR -12.50", {"minor": -1250, "currency": "EUR"}),
    ("signed", "EUR 12.50", {"minor": 1250, "currency": "EUR"}),
    ("signed", '{"minor": -5, "currency": "EUR"}', {"minor": -5, "currency": "EUR"}),
    (
        "signed",
        '{"minor": "-9223372036854775807", "currency": "EUR"}',
        {"minor": -(2**63) + 1, "currency": "EUR"},
    ),
    ("day", "2024-02-29", "2024-02-29"),
    ("day", "0001-01-01", "0001-01-01"),
    ("someday", "null", None),
    ("time", "0", 0),
    ("time", "1700000000000", 1_700_000_000_000),
    ("time", "2023-11-14T22:13:20Z", 1_700_000_000_000),
    ("time", "2023-11-14t22:13:20.5z", 1_700_000_000_500),
    ("time", "2023-11-14 23:13:20.042+01:00", 1_700_000_000_042),
    ("time", "2023-11-14T20:13:20-02:00", 1_700_000_000_000),
    ("time", "1970-01-02", 86_400_000),
    ("time", "9999-12-31T23:59:59.999Z", INSTANT_MAX),
    ("length", "5", 5),
    ("length", "-5", -5),
    ("length", "3d", 3 * 86_400_000),
    ("length", "90m", 5_400_000),
    ("length", "1d12h30m5s250ms", 131_405_250),
    ("length", "-1h30m", -5_400_000),
    ("length", "250ms", 250),
    ("length", "0s", 0),
    ("kind", "Sight", "Sight"),
    ("some", "null", None),
    ("some", "Usance", "Usance"),
    ("ports", '[{"name": "a"}, {"name": "b", "kind": "Usance"}]', [{"name": "a"}, {"name": "b", "kind": "Usance"}]),
    ("shares", '{"alice": 5, "bob": 0}', {"alice": 5, "bob": 0}),
    ("shares", "{}", {}),
    ("fees", '{"a": "USD 5.00", "b": null}', {"a": USD, "b": None}),
    ("ranks", '{"Sight": "00ff"}', {"Sight": b"\x00\xff"}),
    (
        "terms",
        '{"port": {"name": "a"}, "fee": {"minor": -1, "currency": "USD"}, "seal": "00", "count": "9007199254740993"}',
        {
            "port": {"name": "a"},
            "fee": {"minor": -1, "currency": "USD"},
            "seal": b"\x00",
            "count": 9_007_199_254_740_993,
        },
    ),
    (
        "agreed",
        '{"port": {"name": "a"}, "fee": "USD -5.00", "from_": "1970-01-01T00:00:01Z", "grace": "3d"}',
        {
            "port": {"name": "a"},
            "fee": {"minor": -500, "currency": "USD"},
            "from_": 1_000,
            "grace": 3 * 86_400_000,
        },
    ),
    ("agreed", "null", None),
]


@pytest.mark.parametrize(("name", "text", "value"), WRITTEN)
def test_pairs_become_plain_values(name: str, text: str, value: object, schema: dict[str, Any]) -> None:
    found = from_pairs({**schema, "required": []}, [f"{name}={text}"])
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
        (
            'amounts=[{"minor": "3", "currency": "USD"}]',
            "amounts: item 0: `minor` must be a whole number, not negative",
        ),
        ('amount={"minor": 1.5, "currency": "USD"}', "amount: `minor` must be a whole number, not negative"),
        ('amount={"minor": 1}', "amount: must have `minor` (whole minor units) and `currency`, nothing else"),
        ('amount={"minor": 99999999999999999999, "currency": "USD"}', "amount: `minor` must fit 64 bits"),
        ("amount=USD -5.00", "amount: USD -5.00 is negative, which this amount cannot be"),
        ('signed={"minor": 1.5, "currency": "USD"}', "signed: `minor` must be a whole number"),
        ("signed=5", "signed: '5' is not an amount such as `USD -500.00`"),
        ("lot=x", "lot: 'x' is not a whole number"),
        ("user=alice", "user: must be the name of a user"),
        ("day=2023-02-29", "day: must be a date, written YYYY-MM-DD"),
        ("day=0000-01-01", "day: must be a date, written YYYY-MM-DD"),
        ("day=20240101", "day: must be a date, written YYYY-MM-DD"),
        ("day=\u0662024-01-01", "day: must be a date, written YYYY-MM-DD"),
        ("someday=", "someday: must be a date, written YYYY-MM-DD"),
        ("time=tomorrow", f"time: 'tomorrow' {NO_TIME}"),
        ("time=2023-02-29", f"time: '2023-02-29' {NO_TIME}"),
        ("time=2023-01-01T00:00:00", f"time: '2023-01-01T00:00:00' {NO_TIME}"),
        ("time=2023-01-01T24:00:00Z", f"time: '2023-01-01T24:00:00Z' {NO_TIME}"),
        ("time=2023-01-01T00:00:60Z", f"time: '2023-01-01T00:00:60Z' {NO_TIME}"),
        ("time=2023-01-01T00:00:00.0001Z", f"time: '2023-01-01T00:00:00.0001Z' {NO_TIME}"),
        ("time=1969-12-31", "time: must be a time in milliseconds since 1970, before the year 10000"),
        ("time=-1", "time: must be a time in milliseconds since 1970, before the year 10000"),
        (f"time={INSTANT_MAX + 1}", "time: must be a time in milliseconds since 1970, before the year 10000"),
        ("length=3 days", f"length: '3 days' {NO_LENGTH}"),
        ("length=3w", f"length: '3w' {NO_LENGTH}"),
        ("length=1.5h", f"length: '1.5h' {NO_LENGTH}"),
        ("length=", f"length: '' {NO_LENGTH}"),
        (
            f"length={DURATION_MAX + 1}",
            "length: must be a length of time in milliseconds, at most ten thousand years",
        ),
        ("kind=sight", "kind: must be one of Sight, Usance"),
        ("some=5", "some: must be one of Sight, Usance"),
        ("ports=[{}]", "ports: item 0: lacks `name`"),
        ('ports=[{"name": 1}]', "ports: item 0: `name`: must be text"),
        ('ports=[{"name": "a", "x": 1}]', "ports: item 0: has fields that are not declared"),
        ("ports=[1]", "ports: item 0: must be a map of fields"),
        ("terms=[]", "terms: must be a map of fields"),
        ('terms={"port": {"name": ""}, "fee": "USD 1"}', "terms: `port`: `name`: must have 1 to 9 characters, not 0"),
        (
            'terms={"port": {"name": "a"}, "fee": 5}',
            "terms: `fee`: must have `minor` (whole minor units) and `currency`, nothing else",
        ),
        ("shares=[]", "shares: must be a map"),
        ('shares={"Alice": 5}', "shares: key 0: must be the name of a member"),
        ('shares={"bob": 5, "alice": 10}', "shares: value 0: must lie within 0 and 9"),
        ('shares={"a": 1, "b": 1, "c": 1}', "shares: must have at most 2 keys, not 3"),
        ('shares={"alice": 1, "alice": 2}', "shares: a name stands twice in a JSON object"),
        ('ranks={"Other": "00"}', "ranks: key 0: must be one of Sight, Usance"),
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
        from_pairs({**schema, "required": []}, [pair])
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
        f"there is no argument color; there are {', '.join(sorted(schema['properties']))}",
        "'alone' is not name=value",
    ]
    missing = [name for name in schema["required"] if name not in ("text", "number", "flag", "amount")]
    assert problems[5:] == [f"{name} is missing" for name in missing]
    assert len(missing) == 20


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
        from_pairs(schema, ["texts=" + "[" * 100_000])


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
    ("signed", {"minor": "-9223372036854775807", "currency": "USD"}, {"minor": -(2**63) + 1, "currency": "USD"}),
    ("day", "2024-01-01", "2024-01-01"),
    ("time", "2024-01-01", "2024-01-01"),
    ("length", "3d", "3d"),
    ("kind", "Sight", "Sight"),
    ("lot", "9007199254740993", 9007199254740993),
    ("ports", [{"name": "00"}], [{"name": "00"}]),
    ("terms", {"seal": "00", "count": "9007199254740993"}, {"seal": b"\x00", "count": 9007199254740993}),
    ("agreed", {"seal": None, "more": "00"}, {"seal": None, "more": "00"}),
    ("ranks", {"Sight": "00"}, {"Sight": b"\x00"}),
    ("fees", {"00": {"minor": 5, "currency": "USD"}}, {"00": {"minor": 5, "currency": "USD"}}),
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
        ("item", "key of an Item"),
        ("maybe", "whole number, or null"),
        ("perhaps", "amount, such as `USD 500.00`, or null"),
        ("lot", "key of a Lot"),
        ("user", "user"),
        ("signed", "amount, such as `USD -12.50`"),
        ("day", "date, such as 2030-01-31"),
        ("time", "time, such as 2030-01-31T12:00:00Z"),
        ("length", "length of time, such as 3d, 90m or 500ms"),
        ("kind", "one of Sight, Usance"),
        ("some", "one of Sight, Usance, or null"),
        ("terms", "Terms as JSON: port, fee, from_, grace, seal, count"),
        ("ports", "list of at most 2: Port as JSON: name, kind"),
        ("shares", "map of at most 2 as JSON: member to 0 to 9"),
    ],
)
def test_a_schema_is_described(name: str, words: str, schema: dict[str, Any]) -> None:
    assert described(schema["properties"][name], schema["$defs"]) == words


def test_a_state_is_described_by_those_there_are() -> None:
    assert described({"title": "state", "type": "string", "enum": ["Open", "Shut"]}, {}) == "one of Open, Shut"


@pytest.mark.parametrize(
    ("text", "at"), [("1970-01-01", 0), ("1970-01-01T00:00:00.001Z", 1), ("1969-12-31", -86_400_000)]
)
def test_a_moment_is_read(text: str, at: int) -> None:
    assert moment(text) == at


PLAIN: list[Any] = [
    None,
    True,
    0,
    -1,
    9,
    10,
    2**63,
    -(2**63) - 1,
    1.5,
    INSTANT_MAX,
    INSTANT_MAX + 1,
    DURATION_MAX,
    DURATION_MAX + 1,
    -DURATION_MAX,
    -DURATION_MAX - 1,
    "",
    "x" * 100,
    "A",
    "alice",
    "alice\n",
    "alice/ann",
    "alice/",
    "2024-02-29",
    "2023-02-29",
    "0000-01-01",
    "9999-12-31",
    "2024-1-1",
    "\uff12024-01-01",
    "Sight",
    "sight",
    b"",
    bytes(4),
    bytes(10),
    bytes(32),
    [],
    USD,
    [USD],
    ["a"] * 10,
    [{"name": "a"}],
    [{"name": "a"}] * 3,
    [{"name": ""}],
    [{}],
    {},
    {"minor": -1, "currency": "USD"},
    {"minor": -(2**63) + 1, "currency": "USD"},
    {"minor": -(2**63), "currency": "USD"},
    {"minor": 2**63, "currency": "USD"},
    {"minor": True, "currency": "USD"},
    {"minor": 1},
    {"minor": 1, "currency": "usd"},
    {"minor": 1, "currency": "USD\n"},
    {"minor": 1, "currency": 5},
    {"alice": 5},
    {"bob": 5, "alice": 10},
    {"alice": 5, "Bob": 5},
    {"a": None},
    {"a": USD, "b": None},
    {"a": 1, "b": 1, "c": 1},
    {"Sight": b""},
    {"Sight": "00"},
    {"port": {"name": "a"}, "fee": USD},
    {"port": {"name": "a"}, "fee": {"minor": -1, "currency": "USD"}},
    {"port": {"name": "a", "kind": "sight"}, "fee": USD},
    {"port": {"name": "a"}, "fee": USD, "from_": -1},
    {"port": {"name": "a"}, "fee": USD, "grace": None, "seal": bytes(9), "count": 5},
    {"port": {"name": "a"}, "fee": USD, "more": 5},
    {"port": {"name": "a"}},
]


def test_the_contract_takes_what_the_client_lets_through(schema: dict[str, Any]) -> None:
    """And in its own words: the client's check is the contract's, as far as a schema can say it."""
    manifest, ledger = program.check(SOURCE, "shop").manifest, Ledger()
    told = 0
    for parameter in manifest.actions["go"].parameters:
        problem, known = Codecs(manifest).of(parameter.type).problem, schema["properties"][parameter.name]
        taken = 0
        for value in PLAIN:
            ours, theirs = misfit(known, value, schema["$defs"]), problem(value, ledger)
            assert bool(ours) == bool(theirs), (parameter.name, value, ours, theirs)
            assert ours == theirs or _says_more(ours), (parameter.name, value, ours, theirs)
            taken += not theirs
            told += bool(theirs)
        assert taken, f"nothing here fits {parameter.name}"
    assert told


def _says_more(words: str) -> bool:
    """What the client says otherwise: how bytes are written, which values there are, a length that is one number."""
    return any(more in words for more in ("must be hexadecimal", "must be one of", "must have 32 bytes"))
