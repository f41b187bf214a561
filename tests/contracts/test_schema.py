"""The JSON Schemas: they take the JSON form of what execution takes, and refuse what it refuses."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from hansa.client.arguments import from_json
from hansa.contracts import program
from hansa.contracts.codecs import codec
from hansa.contracts.manifest import OptionalType
from hansa.contracts.schema import arguments_schema, contract_schema, record_schema, type_schema
from hansa.wire import jsonform

jsonschema_rs = pytest.importorskip("jsonschema_rs")

THING = """
class Thing(Record, key="id", index=["size"]):
    \"\"\"What there is.\"\"\"
    id: Text[1, 3]
    size: Int[0, 9] | None = None
"""
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
    "Amount",
    "list[int, 2]",
    "list[Text[1, 3], 2]",
    "list[Amount, 2]",
    "list[Bytes[1, 3], 2]",
    "list[Int[0, 5] | None, 2]",
    "int | None",
    "Text[1, 3] | None",
    "Amount | None",
    "list[bool, 1] | None",
    "Thing",
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
    {},
    {"minor": 1, "currency": "USD"},
    {"minor": 2**63 - 1, "currency": "USD"},
    {"minor": 0, "currency": "usd"},
    {"minor": -1, "currency": "USD"},
    {"minor": 1},
    {"minor": 1, "currency": "USD", "more": 1},
    [{"minor": 1, "currency": "USD"}],
    [{"minor": -1, "currency": "USD"}],
]


@pytest.mark.parametrize("annotation", TYPES)
def test_a_schema_and_execution_take_the_same(annotation: str, declared: Callable[[str], str]) -> None:
    source = declared(f'{THING}\n@action(by="member")\ndef go(tx, a: {annotation}):\n    pass')
    manifest, _ = program.check(source, "sample")
    type_ = manifest.actions["go"].parameters[0].type
    if annotation == "Thing":
        type_ = manifest.records["Thing"].fields["id"].type
    schema = arguments_schema(manifest.actions["go"], manifest)
    validator = jsonschema_rs.Draft202012Validator(schema)
    problem = codec(type_).problem
    taken = 0
    for sample in SAMPLES:
        as_json = {"a": json.loads(jsonform.dumps(sample))}
        back = from_json(schema, as_json)["a"]
        if validator.is_valid(as_json):
            assert not problem(back), (sample, back)
        if not problem(back):  # short numbers may come as text too, so the form they are given out in is what counts
            assert validator.is_valid({"a": json.loads(jsonform.dumps(back))}), (sample, back)
        if not problem(sample):
            assert (back, type(back)) == (sample, type(sample)), "the JSON form of what fits comes back"
            taken += 1
    assert taken


@pytest.mark.parametrize("annotation", ["Bytes[0, 65536]", "Bytes[1, 1001]"])
def test_a_schema_can_be_compiled_by_engines_of_linear_time(annotation: str, declared: Callable[[str], str]) -> None:
    """They bound repetition: RE2 and Go to 1,000."""
    manifest, _ = program.check(declared(f'@action(by="member")\ndef go(tx, a: {annotation}):\n    pass'), "x")
    pattern = arguments_schema(manifest.actions["go"], manifest)["properties"]["a"]["pattern"]
    assert max(int(number) for number in re.findall("[0-9]+(?=[,}])", pattern)) <= 1_000


def test_long_integers_as_text_keep_their_bounds(declared: Callable[[str], str]) -> None:
    manifest, _ = program.check(
        declared('@action(by="member")\ndef go(tx, a: Int[0, 9007199254740992]):\n    pass'), "x"
    )
    validator = jsonschema_rs.Draft202012Validator(arguments_schema(manifest.actions["go"], manifest))
    assert validator.is_valid({"a": "9007199254740992"})
    assert not validator.is_valid({"a": "-9007199254740992"})


EXPECTED = {
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
    "Party": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$", "title": "member"},
    "list[bool, 2]": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2},
    "bool | None": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    "Thing": {"type": "string", "minLength": 1, "maxLength": 3, "title": "key of a Thing"},
    "Amount": {
        "type": "object",
        "properties": {
            "minor": {
                "anyOf": [
                    {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
                    {"type": "string", "pattern": "^[0-9]{16,19}$"},
                ]
            },
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        },
        "required": ["minor", "currency"],
        "additionalProperties": False,
        "title": "amount",
    },
}


@pytest.mark.parametrize("annotation", EXPECTED)
def test_the_schema_of_a_type(annotation: str, declared: Callable[[str], str]) -> None:
    source = declared(f'{THING}\n@action(by="member")\ndef go(tx, a: {annotation}):\n    pass')
    manifest, _ = program.check(source, "sample")
    assert type_schema(manifest.actions["go"].parameters[0].type, manifest) == EXPECTED[annotation]


WHOLE = (
    THING
    + """
class Roles:
    keeper: Party = Party(attribute="licence:shop")
    owner: Party
@action(by="keeper", creates="Thing")
def add(tx, thing: Thing, id: Text[1, 3], note: bool | None):
    \"\"\"Adds one.\"\"\"
    pass
@action(by="member")
def use(tx, thing: Thing):
    pass
@view
def size_of(tx, thing: Thing) -> Int[0, 9] | None:
    return thing.size
"""
)


def test_the_schema_of_a_contract(declared: Callable[[str], str]) -> None:
    source = declared(WHOLE)
    manifest, _ = program.check(source, "shop")
    line = {name: source[: source.index(f"def {name}")].count("\n") + 1 for name in ("add", "use", "size_of")}
    text = {"type": "string", "minLength": 1, "maxLength": 3}
    key = {**text, "title": "key of a Thing"}
    size = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "null"}]}
    record = {
        "type": "object",
        "description": "What there is.",
        "properties": {"id": text, "size": size},
        "required": ["id", "size"],
        "additionalProperties": False,
    }

    def arguments(doc: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
        return {
            "type": "object",
            "description": doc,
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    note = {"anyOf": [{"type": "boolean"}, {"type": "null"}]}
    expected = {
        "contract": "shop",
        "version": "1.2.3",
        "description": "",
        "roles": {"keeper": {"attribute": "licence:shop"}, "owner": {"attribute": None}},
        "records": {"Thing": {"key": "id", "index": ["size"], "schema": record}},
        "actions": {
            "add": {
                "by": "keeper",
                "creates": "Thing",
                "line": line["add"],
                "arguments": arguments("Adds one.", {"id": text, "note": note}, ["id"]),
            },
            "use": {
                "by": "member",
                "creates": None,
                "line": line["use"],
                "arguments": arguments("", {"thing": key}, ["thing"]),
            },
        },
        "views": {
            "size_of": {"line": line["size_of"], "arguments": arguments("", {"thing": key}, ["thing"]), "returns": size}
        },
    }
    assert contract_schema(manifest) == expected
    assert json.loads(json.dumps(expected)) == expected, "it is JSON"


def test_arguments_are_refused_alike(declared: Callable[[str], str], bench: type) -> None:
    made = bench(declared(WHOLE))
    manifest = made.program.manifest
    validator = jsonschema_rs.Draft202012Validator(arguments_schema(manifest.actions["add"], manifest))
    for arguments in (
        {},
        {"id": "a"},
        {"id": "a", "note": None},
        {"id": "a", "x": 1},
        {"id": "a", "thing": "b"},
        {"id": 1},
    ):
        ran = made.run("add", arguments, attributes=("licence:shop",))
        assert validator.is_valid(arguments) == (ran.code == "ok"), arguments


def test_the_schema_of_a_record_takes_what_is_stored(declared: Callable[[str], str], bench: type) -> None:
    made = bench(declared(WHOLE))
    made.take("add", {"id": "a"}, attributes=("licence:shop",))
    manifest = made.program.manifest
    validator = jsonschema_rs.Draft202012Validator(record_schema(manifest.records["Thing"], manifest))
    (value,) = made.values()
    assert validator.is_valid(json.loads(jsonform.dumps(value)))
    assert not validator.is_valid({"id": "a"})
    assert not validator.is_valid({**value, "x": 1})


def test_every_optional_argument_may_be_left_out(declared: Callable[[str], str]) -> None:
    manifest, _ = program.check(declared(WHOLE), "shop")
    for action in manifest.actions.values():
        optional = {p.name for p in action.parameters if isinstance(p.type, OptionalType)}
        assert not optional & set(arguments_schema(action, manifest)["required"])
