"""Writes a typed client for one contract from its schema: a Python module over `hansa.client`, for others to import.

The text follows from the schema alone, and is as `ruff format` leaves it, whatever its line length: what has several
parts stands on a line each. Values are what `Client` takes and gives: `Amount`, `datetime`, `date`, `bytes`, `dict`.
A module is code that somebody will run: every text of a schema stands in it as a literal, whatever is in it, and what
becomes a name must be one, else nothing is written. Called by `hansa contract stubs`; reads and writes no file.
"""

import keyword
import re
from collections.abc import Iterable
from typing import Any, Final

from hansa.client.arguments import Schema, resolved
from hansa.client.transactions import STEPS_MAX
from hansa.wire import names as naming
from hansa.wire.problems import HansaError

_DEFINED: Final = "#/$defs/"
_MODULE: Final = frozenset(
    {
        *("Amount", "Answer", "Any", "AsyncClient", "AsyncIterator", "CONTRACT", "Client", "DIGEST", "Generic"),
        *("Iterator", "Literal", "NotRequired", "Stored", "TypeAlias", "TypeVar", "TypedDict", "Unpack", "VERSION"),
        *("bool", "bytes", "cast", "dataclass", "datetime", "dict", "int", "list", "self", "str"),
    }
)
"""Names of a module that its own parts use."""
_IN_BODIES: Final = frozenset({"Stored", "cast", "row", "self"})
"""Names that the bodies of methods use, which no parameter may hide."""
_FORMATS: Final = {
    "amount": "Amount",
    "signed-amount": "Amount",
    "date": "datetime.date",
    "instant-ms": "datetime.datetime",
    "duration-ms": "datetime.timedelta",
    "member": "str",
    "user": "str",
}
_STORED: Final = '''\
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Stored(Generic[_Value]):
    """A record: its value, the entry that wrote it, and the contract's version that did."""

    seq: int
    version: str
    value: _Value'''


def module(schema: Schema, digest: str, *, is_async: bool = False) -> str:
    """The text of a module with a class that has a method for each action, view and record type.

    `schema` is what `hansa contract schema` prints, `digest` the SHA-256 of the contract's source in hexadecimal.
    Raises `HansaError` `contract.invalid` where what would be a name in it is none.
    """
    _check_names(schema, digest)
    return _Writer(schema, digest, is_async).module()


def _check_names(schema: Schema, digest: str) -> None:
    """Refuses what no check of a contract lets pass: text in the place of a name, a version or a digest."""
    found: list[str] = []
    for kind in ("actions", "views", "records"):
        found += schema[kind]
    for each in (*schema["actions"].values(), *schema["views"].values()):
        found += each["arguments"]["properties"]
    for record in schema["records"].values():
        found += [record["key"], *record["index"], *record["states"], *record["schema"]["properties"]]
    for name, kind in schema["$defs"].items():
        found += [*name.split("-"), *kind.get("enum", ()), *kind.get("properties", ())]  # by library
    wrong = [text for text in found if not naming.is_identifier(text)]
    wrong += [text for text in (schema["contract"],) if not naming.is_contract(text)]
    wrong += [text for text in (schema["version"],) if not naming.is_version(text)]
    wrong += [text for text in (digest,) if not naming.is_digest_hex(text)]
    if wrong:
        raise HansaError("contract.invalid", f"{wrong[0][:60]!a} stands where a contract has a name, version or digest")


class _Names:
    """Names in one scope, each given once: what is taken, or a keyword, gets an underscore."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def take(self, name: str) -> str:
        name = re.sub(r"\W", "_", name)
        while name in self._taken or keyword.iskeyword(name):
            name += "_"
        self._taken.add(name)
        return name

    @property
    def all(self) -> frozenset[str]:
        return frozenset(self._taken)


class _Writer:
    def __init__(self, schema: Schema, digest: str, is_async: bool) -> None:
        self._schema = schema
        self._digest = digest
        self._defined: dict[str, Schema] = schema["$defs"]
        self._prefix = "Async" if is_async else ""
        self._await = "await " if is_async else ""
        self._def = "async def" if is_async else "def"
        self._uses: set[str] = set()
        names = _Names(_MODULE)
        self._class = names.take(f"{self._prefix}{_title(schema['contract'])}Client")
        self._types = {name: names.take(name) for name in self._defined}
        self._records = {name: names.take(name) for name in schema["records"]}
        self._states = {n: names.take(f"{n}State") for n, record in schema["records"].items() if record["states"]}
        self._selections = {name: names.take(f"{name}Selection") for name in schema["records"]}
        self._given = {n: names.take(f"{n}Given") for n in self._defined if self._is_taken(n) and self._has_defaults(n)}
        self._methods = _Names(names.all | {"_client", "_name", "_steps_max", "_wait"})

    def module(self) -> str:
        body = [self._definition(name) for name in self._types]
        body += [self._typed_dict(alias, self._defined[name], given=True) for name, alias in self._given.items()]
        for name in self._records:
            body += self._record(name)
        body.append(self._client())
        constants = [
            f"CONTRACT = {_text(self._schema['contract'])}",
            f"VERSION = {_text(self._schema['version'])}",
            f"DIGEST = {_text(self._digest)}",
        ]
        head = [_doc(self._head(), 0), "\n".join(self._imports()), "\n".join(constants)]
        stored = [_STORED] if self._records else []
        return "\n\n".join(head) + "\n\n\n" + "\n\n\n".join([*stored, *body]) + "\n"

    def _head(self) -> str:
        schema = self._schema
        said = [schema["description"]] if schema["description"] else []
        made = f"SHA-256 of the contract's source:\n{self._digest}"
        first = f"A typed client of the contract {schema['contract']} {schema['version']}."
        return "\n\n".join([first, *said, "Made by `hansa contract stubs`; changes are lost.", made])

    def _imports(self) -> list[str]:
        lines: list[str] = []
        if "datetime" in self._uses:
            lines.append("import datetime")
        if self._records:
            lines.append(f"from collections.abc import {self._prefix}Iterator")
            lines.append("from dataclasses import dataclass")
        typing = self._uses & {"Any", "Literal", "NotRequired", "TypeAlias", "TypedDict", "cast"}
        typing |= {"Generic", "TypeVar", "TypedDict", "Unpack", "cast"} if self._records else set()
        lines += _from("typing", {*typing, "Literal"})
        own = {f"{self._prefix}Client", *(self._uses & {"Amount", "Answer"})}
        return [*lines, "", *_from("hansa.client", own)]

    # Types

    def _definition(self, name: str) -> str:
        kind = self._defined[name]
        if "enum" in kind:
            return self._alias(self._types[name], kind["enum"], kind["description"])
        return self._typed_dict(self._types[name], kind)

    def _alias(self, name: str, values: list[str], doc: str) -> str:
        self._uses |= {"Literal", "TypeAlias"}
        return f"{name}: TypeAlias = {_literal(values, 0)}\n{_doc(doc, 0)}"

    def _typed_dict(self, name: str, kind: Schema, *, given: bool = False) -> str:
        self._uses.add("TypedDict")
        required = kind["required"]
        fields: dict[str, str] = {}
        for field, each in kind["properties"].items():
            type_ = self._type(each, given=given)
            if given and field not in required:
                self._uses.add("NotRequired")
                type_ = f"NotRequired[{type_}]"
            fields[field] = type_
        if any(keyword.iskeyword(field) for field in fields):
            lines = [f"{name} = TypedDict(\n    {_text(name)},\n    {{"]
            lines += [f"        {_text(field)}: {type_}," for field, type_ in fields.items()]
            return "\n".join([*lines, "    },\n)"])
        doc = kind["description"] + ("\n\nAs it is given: what has a default may be left out." if given else "")
        lines = [f"class {name}(TypedDict):", *([_doc(doc, 4), ""] if doc.strip() else [])]
        return "\n".join([*lines, *(f"    {field}: {type_}" for field, type_ in fields.items())])

    def _type(self, schema: Schema, *, given: bool = False) -> str:
        """The type of a value; `given`: as an argument."""
        if "anyOf" in schema and schema["anyOf"][1] == {"type": "null"}:
            return f"{self._type(schema['anyOf'][0], given=given)} | None"
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(_DEFINED)
            return self._given.get(name, self._types[name]) if given else self._types[name]
        kind, _ = resolved(schema, self._defined)
        match kind:
            case {"format": format} if format in _FORMATS:
                return self._used(_FORMATS[format])
            case {"title": "state", "enum": values}:
                same = (n for n in self._states if list(self._schema["records"][n]["states"]) == values)
                return self._states[next(same)]
            case {"enum": values}:
                self._uses.add("Literal")
                return f"Literal[{', '.join(map(_text, values))}]"
            case {"contentEncoding": "base16"}:
                return "bytes"
            case {"type": "array", "items": items}:
                return f"list[{self._type(items, given=given)}]"
            case {"type": "object", "propertyNames": keys, "additionalProperties": values}:
                return f"dict[{self._type(keys)}, {self._type(values, given=given)}]"
            case {"type": ("string" | "integer" | "boolean") as simple}:
                return {"string": "str", "integer": "int", "boolean": "bool"}[simple]
            case _:
                return self._used("Any")

    def _used(self, type_: str) -> str:
        self._uses.add(type_.partition(".")[0])
        return type_

    def _is_taken(self, name: str) -> bool:
        """Whether a struct is in what actions and views take."""
        schema = self._schema
        taken = [each["arguments"]["properties"] for kind in ("actions", "views") for each in schema[kind].values()]
        return any(name in self._named(list(properties.values()), set()) for properties in taken)

    def _has_defaults(self, name: str) -> bool:
        """Whether something of a struct, or of what is in it, may be left out."""
        kinds = [self._defined[each] for each in self._named([{"$ref": _DEFINED + name}], set())]
        return any(set(kind["required"]) != set(kind["properties"]) for kind in kinds if "properties" in kind)

    def _named(self, found: Any, known: set[str]) -> set[str]:
        """The names of all definitions in a schema, those in definitions too."""
        if isinstance(found, list):
            for each in found:  # pyright: ignore[reportUnknownVariableType]
                self._named(each, known)
        elif isinstance(found, dict):
            for word, each in found.items():  # pyright: ignore[reportUnknownVariableType]
                if word != "$ref":
                    self._named(each, known)
                elif (name := str(each).removeprefix(_DEFINED)) not in known:  # pyright: ignore[reportUnknownArgumentType]
                    known.add(name)
                    self._named(self._defined[name].get("properties", {}), known)
        return known

    # Records

    def _record(self, name: str) -> list[str]:
        record = self._schema["records"][name]
        found: list[str] = []
        if name in self._states:
            states: dict[str, str] = record["states"]
            says = "\n".join(f"{state}: {text}" for state, text in states.items())
            found.append(self._alias(self._states[name], list(states), says))
        found.append(self._typed_dict(self._records[name], record["schema"]))
        fields = record["schema"]["properties"]
        types = dict.fromkeys(self._type(fields[field]) for field in (record["key"], *record["index"]))
        union = " | ".join(dict.fromkeys(part for type_ in types for part in type_.split(" | ")))
        lines = [
            f"class {self._selections[name]}(TypedDict, total=False):",
            _doc(f"Which `{name}` records: of what is indexed equal to a value, or from least to most.", 4),
            "",
            *([f"    index: {_literal(record['index'], 4)}"] if record["index"] else []),
            *(f"    {bound}: {union}" for bound in ("equal", "least", "most")),
            "    descending: bool",
        ]
        return [*found, "\n".join(lines)]

    # The client

    def _client(self) -> str:
        schema = self._schema
        parts = [self._start()]
        parts += [self._method(name, each, None) for name, each in schema["actions"].items()]
        parts += [self._method(name, each, each["returns"]) for name, each in schema["views"].items()]
        for name in self._records:
            parts += self._readers(name)
        doc = (
            f"The contract {schema['contract']}. `name`: what it is called on the ledger.\n\n"
            "`wait` and `steps_max`, the most that each action may use: see `Client.call`."
        )
        return "\n\n".join([f"class {self._class}:\n{_doc(doc, 4)}", *parts])

    def _start(self) -> str:
        return f"""\
    def __init__(
        self,
        client: {self._prefix}Client,
        *,
        name: str = CONTRACT,
        wait: Literal["accepted", "committed", "receipt"] = "committed",
        steps_max: int = {STEPS_MAX:_},
    ) -> None:
        self._client = client
        self._name = name
        self._wait: Literal["accepted", "committed", "receipt"] = wait
        self._steps_max = steps_max"""

    def _method(self, name: str, declared: Schema, returns: Schema | None) -> str:
        """An action, or a view that `returns` something."""
        arguments = declared["arguments"]
        names = _Names(_IN_BODIES)
        given = {each: names.take(each) for each in arguments["properties"]}
        lines: list[str] = []
        for each, taken in given.items():
            type_ = self._type(arguments["properties"][each], given=True)
            default = "" if each in arguments["required"] else " = None"
            lines.append(f"        {taken}: {type_}{default},")
        type_ = self._used("Answer") if returns is None else self._type(returns)
        parameters = "\n".join(["(", "        self,", "        *,", *lines, "    )"]) if lines else "(self)"
        text = [f"    {self._def} {self._methods.take(name)}{parameters} -> {type_}:"]
        text.append(_doc(arguments["description"] or self._fallback(name, declared), 8))
        values = [f"            {_text(each)}: {taken}," for each, taken in given.items()]
        passed = ["        {", *values, "        },"] if values else ["        {},"]
        word = "call" if returns is None else "view"
        wait = ["        wait=self._wait,", "        steps_max=self._steps_max,"] if returns is None else []
        call = [f"self._client.{word}(", "        self._name,", f"        {_text(name)},", *passed, *wait, "    )"]
        if returns is None or type_ == "Any":
            return "\n".join([*text, *_indented([f"return {self._await}{call[0]}", *call[1:]], 4, first=8)])
        self._uses.add("cast")
        inside = _indented([f"{self._await}{call[0]}", *call[1:-1], f"{call[-1]},"], 8, first=12)
        return "\n".join([*text, "        return cast(", f"            {_text(type_)},", *inside, "        )"])

    def _fallback(self, name: str, declared: Schema) -> str:
        return f"The view `{name}`." if "returns" in declared else f"The action `{name}`."

    def _readers(self, name: str) -> list[str]:
        """What gives one record by its key, and what gives many."""
        record = self._schema["records"][name]
        type_ = self._type(record["schema"]["properties"][record["key"]])
        alias, snake, key = self._records[name], _snake(name), _Names(_IN_BODIES).take(record["key"])
        one = f'''\
    {self._def} {self._methods.take(f"{snake}_record")}(
        self,
        {key}: {type_},
    ) -> Stored[{alias}]:
        """The `{name}` of this `{record["key"]}`; raises `record.unknown` if there is none."""
        row = {self._await}self._client.record(
            self._name,
            {_text(name)},
            {key},
        )
        return Stored(
            row.seq,
            row.version,
            cast({_text(alias)}, row.value),
        )'''
        many = f'''\
    {self._def} {self._methods.take(f"{snake}_records")}(
        self,
        **which: Unpack[{self._selections[name]}],
    ) -> {self._prefix}Iterator[Stored[{alias}]]:
        """All `{name}` records, or those selected, page by page."""
        rows = self._client.records(
            self._name,
            {_text(name)},
            **which,
        )
        {"async for" if self._await else "for"} row in rows:
            yield Stored(
                row.seq,
                row.version,
                cast({_text(alias)}, row.value),
            )'''
        return [one, many]


def _from(room: str, names: Iterable[str]) -> list[str]:
    """An import, a name a line where there are several."""
    ordered = sorted(names, key=lambda name: (name[0].islower(), name.lower()))
    if len(ordered) == 1:
        return [f"from {room} import {ordered[0]}"]
    return [f"from {room} import (", *(f"    {name}," for name in ordered), ")"]


def _literal(values: list[str], indent: int) -> str:
    if len(values) == 1:
        return f"Literal[{_text(values[0])}]"
    inside = "".join(f"\n{' ' * (indent + 4)}{_text(value)}," for value in values)
    return f"Literal[{inside}\n{' ' * indent}]"


def _text(value: str) -> str:
    """A text as a literal: by `repr`, in the quotes that the formatter takes."""
    return repr(value) if '"' in value else '"' + repr("'" + value).removeprefix("\"'")


def _doc(text: str, indent: int) -> str:
    """A docstring: no text ends it, and what cannot be seen in it is escaped."""
    margin = " " * indent
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = [_seen(line.rstrip()) for line in text.strip().split("\n")]
    if len(lines) == 1 and not lines[0].endswith('"'):
        return f'{margin}"""{lines[0]}"""'
    body = [f"{margin}{line}" if line else "" for line in lines[1:]]
    return "\n".join([f'{margin}"""{lines[0]}', *body, f'{margin}"""'])


def _seen(line: str) -> str:
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in line)


def _indented(lines: list[str], by: int, *, first: int) -> list[str]:
    return [" " * first + lines[0], *(" " * by + line for line in lines[1:])]


def _title(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
