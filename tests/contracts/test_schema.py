"""The JSON Schemas: they take the JSON form of what execution takes, and refuse what it refuses."""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from hansa.client.arguments import from_json
from hansa.contracts import execution, program
from hansa.contracts.calls import Call, Caller
from hansa.contracts.codecs import Codecs
from hansa.contracts.ledger import Ledger
from hansa.contracts.manifest import Manifest, OptionalType
from hansa.contracts.prices import DURATION_MAX, INSTANT_MAX
from hansa.contracts.schema import arguments_schema, contract_schema, definitions, record_schema, type_schema
from hansa.wire import jsonform

jsonschema_rs = pytest.importorskip("jsonschema_rs")

EXAMPLE = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"
HEAD = '''from hansa.contract import (Amount, Bytes, Contract, Date, Duration, Enum, Hash, Instant, Int, Interface,
    Party, Record, SignedAmount, Struct, Text, User, action, become, event, require, view)


class Kind(Enum):
    Sight = "payable at sight"
    Usance = "payable later"


class Port(Struct):
    name: Text[1, 3]
    kind: Kind | None = None


class Terms(Struct):
    """What was agreed."""

    port: Port
    days: Int[0, 9] = 3
    kind: Kind = Kind.Sight
    tags: list[Text[1, 3], 2] = []


class Accounts(Interface, contract="accounts"):
    @action
    def pay(tx, to: Party, amount: Amount): ...
    @view
    def paid(tx, terms: Terms) -> Amount: ...


class Sample(Contract, version="1.2.3"):
'''
THING = '''
class Thing(Record, key="id", index=["size"]):
    """What there is."""
    id: Text[1, 3]
    size: Int[0, 9] | None = None
class Day(Record, key="date"):
    date: Date
class Sort(Record, key="kind"):
    kind: Kind
'''


def read(lines: str, name: str = "sample") -> Manifest:
    """The manifest of a contract whose class holds these lines."""
    return program.check(HEAD + textwrap.indent(textwrap.dedent(lines).strip("\n"), "    ") + "\n", name).manifest


def taking(annotation: str) -> Manifest:
    """The manifest of a contract with one action `go`, which takes `a` of this type."""
    return read(f'{THING}\n@action(by="member")\ndef go(tx, a: {annotation}):\n    pass')


def as_json(value: Any) -> Any:
    return json.loads(jsonform.dumps(value))


def accepts(schema: dict[str, Any]) -> Any:
    """A validator that looks at formats too."""
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


TYPES = [
    "int",
    "Int[-5, 5]",
    "Int[0, 9007199254740991]",
    "bool",
    "Text[1, 3]",
    "Text[0, 65536]",
    "Bytes[1, 3]",
    "Hash",
    "Party",
    "User",
    "Amount",
    "SignedAmount",
    "Date",
    "Instant",
    "Duration",
    "Kind",
    "Port",
    "Terms",
    "list[int, 2]",
    "list[Text[1, 3], 2]",
    "list[Amount, 2]",
    "list[Bytes[1, 3], 2]",
    "list[Int[0, 5] | None, 2]",
    "list[Port, 2]",
    "dict[Text[1, 3], Int[0, 9], 2]",
    "dict[Party, Bytes[1, 3], 2]",
    "dict[User, int, 2]",
    "dict[Kind, Port, 2]",
    "int | None",
    "Text[1, 3] | None",
    "Amount | None",
    "Date | None",
    "Terms | None",
    "dict[Text[1, 3], Amount | None, 2] | None",
    "list[bool, 1] | None",
    "Thing",
    "Day",
    "Sort",
]
SAMPLES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -5,
    6,
    2**53 - 1,
    2**53,
    -(2**53),
    2**63 - 1,
    -(2**63),
    INSTANT_MAX,
    INSTANT_MAX + 1,
    DURATION_MAX,
    DURATION_MAX + 1,
    -DURATION_MAX,
    -DURATION_MAX - 1,
    "",
    "a",
    "abc",
    "abcd",
    "é√💡",
    "alice",
    "Alice",
    "alice\n",
    "-alice",
    "a" * 33,
    "alice/ann",
    "alice/a.b",
    "alice/",
    "/ann",
    f"{'a' * 32}/{'b' * 32}",
    f"{'a' * 32}/{'b' * 33}",
    "2024-02-29",
    "2023-02-29",
    "2024-13-01",
    "9999-12-31",
    "0001-01-01",
    "2024-1-1",
    "20240101",
    "2024-01-01T00:00:00Z",
    "Sight",
    "sight",
    b"",
    b"a",
    b"abc",
    b"abcd",
    bytes(32),
    bytes(33),
    [],
    [1],
    [1, 2],
    [1, 2, 3],
    [None],
    ["a"],
    ["a", ""],
    [b"a"],
    [True],
    [[1]],
    [{"name": "a"}],
    [{"name": ""}],
    {},
    {"a": 1},
    {"a": 10},
    {"a": 1, "b": 2, "c": 3},
    {"": 1},
    {"abcd": 1},
    {"alice": b"a"},
    {"Alice": b"a"},
    {"alice/ann": 5},
    {"Sight": {"name": "a"}},
    {"Sight": {"name": "a", "kind": "Usance"}},
    {"Other": {"name": "a"}},
    {"a": None},
    {"a": {"minor": 1, "currency": "USD"}},
    {"name": "a"},
    {"name": "a", "kind": "Sight"},
    {"name": "a", "kind": None},
    {"name": "a", "kind": "Other"},
    {"name": "a", "more": 1},
    {"kind": "Sight"},
    {"port": {"name": "a"}},
    {"port": {"name": ""}},
    {"port": {"name": "a"}, "days": 10},
    {"port": {"name": "a", "kind": "Sight"}, "days": 9, "kind": "Usance", "tags": ["a", "b"]},
    {"port": {"name": "a"}, "tags": ["a", "b", "c"]},
    {"minor": 1, "currency": "USD"},
    {"minor": 2**63 - 1, "currency": "USD"},
    {"minor": -(2**63) + 1, "currency": "USD"},
    {"minor": 0, "currency": "usd"},
    {"minor": -1, "currency": "USD"},
    {"minor": 1},
    {"minor": 1, "currency": "USD", "more": 1},
    [{"minor": 1, "currency": "USD"}],
    [{"minor": -1, "currency": "USD"}],
]


@pytest.mark.parametrize("annotation", TYPES)
def test_a_schema_and_execution_take_the_same(annotation: str) -> None:
    manifest, ledger = taking(annotation), Ledger()
    schema = arguments_schema(manifest.actions["go"], manifest)
    validator = accepts(schema)
    problem = Codecs(manifest).of(manifest.actions["go"].parameters[0].type).problem
    taken = 0
    for sample in SAMPLES:
        given = {"a": as_json(sample)}
        back = from_json(schema, given)["a"]
        if validator.is_valid(given):
            assert not problem(back, ledger), (sample, back)
        if not problem(back, ledger):  # short numbers may come as text too, so the form they are given out in counts
            assert validator.is_valid({"a": as_json(back)}), (sample, back)
        if not problem(sample, ledger):
            assert (back, type(back)) == (sample, type(sample)), "the JSON form of what fits comes back"
            taken += 1
    assert taken


@pytest.mark.parametrize("annotation", ["Bytes[0, 65536]", "Bytes[1, 1001]", "User", "Date"])
def test_a_schema_can_be_compiled_by_engines_of_linear_time(annotation: str) -> None:
    """They bound repetition: RE2 and Go to 1,000. And they look neither ahead nor back."""
    manifest = taking(annotation)
    pattern = arguments_schema(manifest.actions["go"], manifest)["properties"]["a"]["pattern"]
    assert max((int(number) for number in re.findall("[0-9]+(?=[,}])", pattern)), default=0) <= 1_000
    assert "(?" not in pattern


def test_long_integers_as_text_keep_their_bounds() -> None:
    manifest = taking("Int[0, 9007199254740992]")
    validator = accepts(arguments_schema(manifest.actions["go"], manifest))
    assert validator.is_valid({"a": "9007199254740992"})
    assert not validator.is_valid({"a": "-9007199254740992"})


def amount(least: int, sign: str) -> dict[str, Any]:
    long = {"type": "string", "pattern": f"^{sign}[0-9]{{16,19}}$"}
    return {
        "type": "object",
        "properties": {
            "minor": {"anyOf": [{"type": "integer", "minimum": least, "maximum": 2**53 - 1}, long]},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        },
        "required": ["minor", "currency"],
        "additionalProperties": False,
    }


MEMBER = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$", "format": "member", "title": "member"}
EXPECTED: dict[str, dict[str, Any]] = {
    "int": {
        "anyOf": [
            {"type": "integer", "minimum": -(2**53 - 1), "maximum": 2**53 - 1},
            {"type": "string", "pattern": "^-?[0-9]{16,19}$"},
        ]
    },
    "Int[-5, 5]": {"type": "integer", "minimum": -5, "maximum": 5},
    "bool": {"type": "boolean"},
    "Text[1, 3]": {"type": "string", "minLength": 1, "maxLength": 3},
    "Hash": {
        "type": "string",
        "pattern": "^([0-9a-f]{2})*$",
        "minLength": 64,
        "maxLength": 64,
        "contentEncoding": "base16",
    },
    "Party": MEMBER,
    "User": {
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9-]{0,31}/[a-z0-9][a-z0-9.-]{0,31}$",
        "format": "user",
        "title": "user",
    },
    "Date": {
        "type": "string",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "format": "date",
        "title": "date",
        "description": "A day of the years 0001 to 9999.",
    },
    "Instant": {
        "type": "integer",
        "minimum": 0,
        "maximum": 253_402_300_799_999,
        "format": "instant-ms",
        "title": "time",
        "description": "A point in time, in milliseconds UTC since 1970-01-01.",
    },
    "Duration": {
        "type": "integer",
        "minimum": -315_576_000_000_000,
        "maximum": 315_576_000_000_000,
        "format": "duration-ms",
        "title": "length of time",
        "description": "A length of time in milliseconds.",
    },
    "Kind": {"$ref": "#/$defs/Kind"},
    "Terms": {"$ref": "#/$defs/Terms"},
    "list[bool, 2]": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2},
    "dict[Party, bool, 2]": {
        "type": "object",
        "propertyNames": MEMBER,
        "additionalProperties": {"type": "boolean"},
        "maxProperties": 2,
    },
    "bool | None": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    "Thing": {"type": "string", "minLength": 1, "maxLength": 3, "title": "key of a Thing"},
    "Sort": {"$ref": "#/$defs/Kind", "title": "key of a Sort"},
    "Amount": {**amount(0, ""), "format": "amount", "title": "amount"},
    "SignedAmount": {**amount(-(2**53 - 1), "-?"), "format": "signed-amount", "title": "amount, negative too"},
}


@pytest.mark.parametrize("annotation", EXPECTED)
def test_the_schema_of_a_type(annotation: str) -> None:
    manifest = taking(annotation)
    assert type_schema(manifest.actions["go"].parameters[0].type, manifest) == EXPECTED[annotation]


def test_structs_and_enums_stand_once_as_definitions() -> None:
    kind = {"$ref": "#/$defs/Kind"}
    expected = {
        "Kind": {
            "title": "Kind",
            "type": "string",
            "enum": ["Sight", "Usance"],
            "description": "Sight: payable at sight\nUsance: payable later",
        },
        "Port": {
            "type": "object",
            "title": "Port",
            "description": "",
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 3},
                "kind": {"anyOf": [kind, {"type": "null"}], "default": None},
            },
            "required": ["name"],
            "additionalProperties": False,
        },
        "Terms": {
            "type": "object",
            "title": "Terms",
            "description": "What was agreed.",
            "properties": {
                "port": {"$ref": "#/$defs/Port"},
                "days": {"type": "integer", "minimum": 0, "maximum": 9, "default": 3},
                "kind": {**kind, "default": "Sight"},
                "tags": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1, "maxLength": 3},
                    "maxItems": 2,
                    "default": [],
                },
            },
            "required": ["port"],
            "additionalProperties": False,
        },
    }
    assert definitions(taking("Terms")) == expected


def test_a_schema_is_no_larger_than_its_structs_however_they_nest() -> None:
    fields = 10
    lines = ["from hansa.contract import Contract, Struct, action"]
    for level in range(3):
        of = "bool" if level == 0 else f"S{level - 1}"
        lines += [f"class S{level}(Struct):", *(f"    f{i}: {of}" for i in range(fields))]
    lines += [
        'class X(Contract, version="1.0.0"):',
        '    @action(by="member")',
        "    def go(tx, a: S2):",
        "        pass",
    ]
    manifest = program.check("\n".join(lines) + "\n", "x").manifest
    assert len(json.dumps(contract_schema(manifest))) < 6_000


def test_what_comes_from_a_library_has_its_alias_before_it() -> None:
    library = (
        'from hansa.contract import Enum, Struct\n\n\nclass K(Enum):\n    A = "a"\n\n\nclass S(Struct):\n    k: K\n'
    )
    ledger = Ledger()
    digest = ledger.add_library("lib", library).hex()
    text = (
        f'from hansa.contract import Contract, action, library\n\nlib = library("lib", "{digest}")\n\n\n'
        'class X(Contract, version="1.0.0"):\n    @action(by="member")\n    def go(tx, s: lib.S):\n        pass\n'
    )
    manifest = program.check(text, "x", ledger.libraries).manifest
    found = contract_schema(manifest)
    assert found["libraries"] == {"lib": {"name": "lib", "digest": digest}}
    assert set(found["$defs"]) == {"lib-K", "lib-S"}
    assert found["actions"]["go"]["arguments"]["properties"] == {"s": {"$ref": "#/$defs/lib-S"}}
    validator = accepts(arguments_schema(manifest.actions["go"], manifest))
    assert validator.is_valid({"s": {"k": "A"}})
    assert not validator.is_valid({"s": {"k": "B"}})


WHOLE = (
    THING
    + """
class Roles:
    keeper: Party = Party(attribute="licence:shop")
    clerk: Party = Party(user="role:clerk")
    engine: Party = Party(contract="settlement")
    owner: Party
class Deal(Record, key="id"):
    class States:
        Open: "may be closed"
        Shut: "is closed"
    id: Text[1, 3]
    owner: Party
    terms: Terms
    thing: Thing | None = None
@action(by="keeper", creates="Thing")
def add(tx, thing: Thing, id: Text[1, 3], note: bool | None):
    \"\"\"Adds one.\"\"\"
    pass
@action(by=["owner", "clerk"], creates="Deal", to="Open")
def agree(tx, deal: Deal, id: Text[1, 3], terms: Terms):
    pass
@action(by="owner", on="Open", to="Shut")
def shut(tx, deal: Deal):
    pass
@view
def size_of(tx, thing: Thing) -> Int[0, 9] | None:
    return thing.size
"""
)


def arguments(doc: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": doc,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def test_the_schema_of_a_contract() -> None:
    manifest = read(WHOLE, "shop")
    found = contract_schema(manifest)
    text, terms = EXPECTED["Text[1, 3]"], EXPECTED["Terms"]
    key = {**text, "title": "key of a Thing"}
    assert {name: found[name] for name in ("contract", "version", "description", "libraries")} == {
        "contract": "shop",
        "version": "1.2.3",
        "description": "",
        "libraries": {},
    }
    nothing = {"attribute": None, "user": None, "contract": None}
    assert found["roles"] == {
        "keeper": {**nothing, "attribute": "licence:shop"},
        "clerk": {**nothing, "user": "role:clerk"},
        "engine": {**nothing, "contract": "settlement"},
        "owner": nothing,
    }
    deal = found["records"]["Deal"]
    assert (deal["key"], deal["index"]) == ("id", [])
    assert deal["states"] == {"Open": "may be closed", "Shut": "is closed"}
    state = {
        "title": "state",
        "type": "string",
        "enum": ["Open", "Shut"],
        "description": "Open: may be closed\nShut: is closed",
    }
    fields = {"id": text, "owner": MEMBER, "terms": terms, "thing": {"anyOf": [key, {"type": "null"}]}, "state": state}
    assert deal["schema"] == arguments("", fields, sorted(fields))
    thing = found["records"]["Thing"]
    assert (thing["index"], thing["states"], thing["schema"]["description"]) == (["size"], {}, "What there is.")
    actions = {name: {k: v for k, v in each.items() if k != "line"} for name, each in found["actions"].items()}
    note = {"anyOf": [{"type": "boolean"}, {"type": "null"}]}
    assert actions == {
        "add": {
            "by": ["keeper"],
            "subject": "thing",
            "creates": "Thing",
            "on": [],
            "to": [],
            "arguments": arguments("Adds one.", {"id": text, "note": note}, ["id"]),
        },
        "agree": {
            "by": ["owner", "clerk"],
            "subject": "deal",
            "creates": "Deal",
            "on": [],
            "to": ["Open"],
            "arguments": arguments("", {"id": text, "terms": terms}, ["id", "terms"]),
        },
        "shut": {
            "by": ["owner"],
            "subject": "deal",
            "creates": None,
            "on": ["Open"],
            "to": ["Shut"],
            "arguments": arguments("", {"deal": {**text, "title": "key of a Deal"}}, ["deal"]),
        },
    }
    view = found["views"]["size_of"]
    size = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "null"}]}
    assert (view["arguments"], view["returns"]) == (arguments("", {"thing": key}, ["thing"]), size)
    pay = arguments("", {"to": MEMBER, "amount": EXPECTED["Amount"]}, ["to", "amount"])
    paid = {"arguments": arguments("", {"terms": terms}, ["terms"]), "returns": EXPECTED["Amount"]}
    assert found["interfaces"] == {
        "Accounts": {"contract": "accounts", "actions": {"pay": {"arguments": pay}}, "views": {"paid": paid}}
    }
    assert found["enums"] == {"Kind": {"Sight": "payable at sight", "Usance": "payable later"}}
    assert found["$defs"] == definitions(manifest)
    assert json.loads(json.dumps(found)) == found, "it is JSON"


def test_lines_say_where_in_the_file() -> None:
    lines = EXAMPLE.read_text("utf-8").split("\n")
    found = contract_schema(program.check("\n".join(lines), "example_ledger").manifest)
    for name, action in {**found["actions"], **found["views"]}.items():
        assert f"def {name}(" in lines[action["line"] - 1]
    for name, record in found["records"].items():
        assert f"class {name}(" in lines[record["line"] - 1]


def test_every_optional_argument_may_be_left_out() -> None:
    manifest = read(WHOLE, "shop")
    for action in manifest.actions.values():
        optional = {p.name for p in action.parameters if isinstance(p.type, OptionalType)}
        assert not optional & set(arguments_schema(action, manifest)["required"])


LETTER = '''"""Standby letter of credit."""
from hansa.contract import Amount, Contract, Date, Hash, Party, Record, Text, action, become, event, require, view


class LetterOfCredit(Contract, version="1.0.0"):
    class Roles:
        applicant: Party
        beneficiary: Party
        issuer: Party = Party(attribute="licence:bank")

    class States:
        Requested: "awaiting the bank"
        Issued: "in force"
        Presented: "documents under examination"
        Paid: "closed, drawn in full"

    class LC(Record, key="id", index=["applicant", "beneficiary", "expiry"]):
        id: Text[1, 16]
        applicant: Party
        beneficiary: Party
        issuer: Party
        amount: Amount
        drawn: Amount
        claim: Amount | None = None
        expiry: Date
        documents: list[Hash, 20] = []

    @action(by="applicant", creates="LC", to="Requested")
    def request(tx, lc: LC, id: Text[1, 16], beneficiary: Party, issuer: Party, amount: Amount, expiry: Date):
        require(amount.minor > 0, "the amount must be positive")
        lc.drawn = Amount(0, amount.currency)

    @action(by="issuer", on="Requested", to="Issued")
    def issue(tx, lc: LC):
        event("lc.issued", id=lc.id, amount=lc.amount)

    @action(by="beneficiary", on="Issued", to="Presented")
    def present(tx, lc: LC, claim: Amount, documents: list[Hash, 20]):
        lc.claim = claim
        lc.documents = documents

    @action(by="issuer", on="Presented", to=["Paid", "Issued"])
    def examine(tx, lc: LC, complying: bool):
        if complying:
            lc.drawn = lc.drawn + lc.claim
        lc.claim = None
        become(lc, "Paid" if lc.drawn == lc.amount else "Issued")

    @view
    def undrawn(tx, lc: LC) -> Amount:
        return lc.amount - lc.drawn
'''
USD = {"minor": 500, "currency": "USD"}
STEPS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "request",
        "alice",
        {"id": "LC1", "beneficiary": "bob", "issuer": "bank", "amount": USD, "expiry": "2030-01-31"},
    ),
    ("issue", "bank", {"lc": "LC1"}),
    ("present", "bob", {"lc": "LC1", "claim": USD, "documents": [bytes(32)]}),
    ("examine", "bank", {"lc": "LC1", "complying": True}),
]


def take(ledger: Ledger, action: str, by: str, given: dict[str, Any]) -> execution.Execution:
    caller = Caller(by, None, frozenset({"licence:bank"}), frozenset())
    return execution.run(Call("lc", action, given, caller, 1_700_000_000_000, ledger.seq), ledger, ledger, 100_000)


def test_a_letter_of_credit_is_as_its_schemas_say() -> None:
    ledger = Ledger()
    manifest = ledger.deploy("lc", LETTER).manifest
    stored = accepts(record_schema(manifest.records["LC"], manifest))
    states = []
    for action, by, given in STEPS:
        schema = accepts(arguments_schema(manifest.actions[action], manifest))
        assert schema.is_valid(as_json(given))
        for name in given:
            assert not schema.is_valid(as_json({**given, name: "no such thing at all"})), name
            lacking = {other: value for other, value in given.items() if other != name}
            assert not schema.is_valid(as_json(lacking))
            assert take(ledger, action, by, lacking).code == "arguments.invalid"
        ran = take(ledger, action, by, given)
        assert ran.code == "ok", ran
        ledger.apply(ran)
        ((_, value),) = ledger.values("lc", "LC")
        assert stored.is_valid(as_json(value))
        states.append(value["state"])
        for name in value:
            assert not stored.is_valid({n: v for n, v in as_json(value).items() if n != name})
        assert not stored.is_valid({**as_json(value), "x": 1})
        assert not stored.is_valid({**as_json(value), "state": "Lost"})
    assert states == ["Requested", "Issued", "Presented", "Paid"]
    undrawn = take(ledger, "undrawn", "alice", {"lc": "LC1"}).result
    returns = manifest.views["undrawn"].returns
    assert returns is not None
    assert accepts(type_schema(returns, manifest)).is_valid(as_json(undrawn))


def test_arguments_are_refused_alike() -> None:
    ledger = Ledger()
    manifest = ledger.deploy("lc", LETTER).manifest
    schema = accepts(arguments_schema(manifest.actions["request"], manifest))
    good = STEPS[0][2]
    for change in (
        {},
        {"id": ""},
        {"id": 1},
        {"expiry": "2030-02-30"},
        {"expiry": "tomorrow"},
        {"issuer": "Bank"},
        {"amount": {"minor": -1, "currency": "USD"}},
        {"amount": 5},
        {"lc": "LC1"},
        {"x": 1},
    ):
        given = {**good, **change}
        ran = take(ledger, "request", "alice", given)
        assert schema.is_valid(as_json(given)) == (ran.code == "ok"), (given, ran)
        assert ran.code in ("ok", "arguments.invalid")


# What events and refusals carry

SAYING = """
class Stay(Record, key="id"):
    id: Text[1, 9]
    until: Instant
@action(by="member")
def say(tx, at: Instant, terms: Terms, many: list[Amount, 3], n: int, note: Text[0, 9] | None):
    event("said", at=at, length=at - tx.time, terms=terms, many=many, n=n * n, note=note, kind=Kind.Sight)
    event("said again.", at=at)
    if n > 1:
        event("said again.", at=n, day=at.date)
@action(by="member")
def refuse(tx, at: Instant, port: Port):
    require(at < tx.time, "{at} is not before {now}, {port}", at=at, now=tx.time, port=port)
"""


def test_events_have_schemas_that_what_is_emitted_fits() -> None:
    manifest = read(SAYING)
    schemas = contract_schema(manifest)["events"]
    assert schemas["said again."] == {
        "type": "object",
        "properties": {"at": {}, "day": schemas["said again."]["properties"]["day"]},
        "required": ["at"],
        "additionalProperties": False,
    }
    assert schemas["said again."]["properties"]["day"]["format"] == "date"
    ledger = Ledger()
    ledger.deploy("sample", HEAD + textwrap.indent(textwrap.dedent(SAYING).strip("\n"), "    ") + "\n")
    many = [{"minor": 2**62, "currency": "USD"}]
    given = {"at": 5, "terms": {"port": {"name": "x"}}, "many": many, "n": 2**31, "note": None}
    ran = execution.run(
        Call("sample", "say", given, Caller("a", None, frozenset(), frozenset()), 9, 0), ledger, ledger, 10_000
    )
    assert (ran.code, [event["name"] for event in ran.events]) == ("ok", ["said", "said again.", "said again."])
    for event in ran.events:
        schema = {**schemas[event["name"]], "$defs": definitions(manifest)}
        data = json.loads(jsonform.dumps(event["data"]))
        assert jsonschema_rs.is_valid(schema, data)
        assert not jsonschema_rs.is_valid(schema, {**data, "more": 1})
    said = schemas["said"]["properties"]
    assert (said["at"]["format"], said["length"]["format"]) == ("instant-ms", "duration-ms")
    assert said["terms"] == {"$ref": "#/$defs/Terms"}


def test_refusals_have_schemas_by_their_text() -> None:
    (text, schema), *others = contract_schema(read(SAYING))["refusals"].items()
    assert (text, others) == ("{at} is not before {now}, {port}", [])
    assert {name: each.get("format") for name, each in schema["properties"].items()} == {
        "at": "instant-ms",
        "now": "instant-ms",
        "port": None,
    }
    assert schema["properties"]["port"] == {"$ref": "#/$defs/Port"}
    assert schema["required"] == ["at", "now", "port"]


def test_refusals_of_libraries_are_with_those_of_the_contract() -> None:
    ledger = Ledger()
    library = """
from hansa.contract import Instant, Struct, require
class Span(Struct):
    start: Instant
def check(span: Span, n: int) -> bool:
    require(n > 0, "{span} is too early", span=span)
    require(n > 1, "{n} of {m}", n=n, m=span.start)
    require(n > 2, "{n} is few", n=n)
    return True
"""
    digest = ledger.add_library("spans", library).hex()
    source = f"""
from hansa.contract import Contract, Instant, action, library, require
spans = library("spans", "{digest}")
class Trip(Contract, version="1.0.0"):
    @action(by="member")
    def go(tx, at: Instant, n: int):
        require(spans.check(spans.Span(start=at), n), "no")
        require(n > 3, "{{n}} of {{m}}", n=n, m=n)
        require(n > 4, "{{n}} is few", n=n)
"""
    found = contract_schema(ledger.deploy("trip", source).manifest)
    refusals = {text: schema["properties"] for text, schema in found["refusals"].items()}
    assert refusals.keys() == {"{n} of {m}", "{n} is few", "{span} is too early"}
    assert refusals["{span} is too early"] == {"span": {"$ref": "#/$defs/spans-Span"}}
    assert "spans-Span" in found["$defs"]
    number = refusals["{n} is few"]["n"]
    assert number != {}
    assert refusals["{n} of {m}"] == {"n": number, "m": {}}
