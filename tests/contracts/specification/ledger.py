"""What the tests of the specification run on: a ledger in memory, and files put together without the front end."""

import ast
import textwrap
from collections.abc import Sequence
from typing import Any

import msgspec

from hansa.contracts import manifest as declared
from hansa.contracts.calls import NOBODY, Call, Caller, Execution
from hansa.contracts.checked import Checked
from hansa.contracts.manifest import Action, Field, Manifest, Parameter, RecordType
from hansa.contracts.specification import statements, transaction
from hansa.contracts.specification.machine import Context, Frame, Machine
from hansa.wire import cbor, order

TIME = 1_700_000_000_000  # 2023-11-14T22:13:20Z
INT = declared.IntType()
TEXT = declared.TextType(0, 65_536)
PARTY = declared.PartyType()
AMOUNT = declared.AmountType()
STEPS = 100_000


class Stored(msgspec.Struct, frozen=True):
    seq: int
    value: bytes


class Ledger:
    """Host and reader."""

    def __init__(self) -> None:
        self.members = {"alice", "bob", "carol"}
        self.users = {"alice/ann"}
        self.contracts: dict[str, list[tuple[int, Checked]]] = {}
        self.records: dict[bytes, Stored] = {}
        self.seq = 10

    def is_member(self, name: str) -> bool:
        return name in self.members

    def is_user(self, name: str) -> bool:
        return name in self.users

    def versions(self, contract: str) -> Sequence[tuple[int, Checked]]:
        return self.contracts.get(contract, [])

    def contract_version(self, name: str, source: str) -> str:
        return "1.0.0"

    def get(self, place: bytes) -> Stored | None:
        return self.records.get(place)

    def select(
        self, contract: str, record: str, field: str | None, least: bytes | None, most: bytes | None, rows: int
    ) -> Sequence[tuple[bytes, Stored]]:
        table = order.table(contract, record)
        found = []
        for place, stored in self.records.items():
            if place.startswith(table):
                key = place[len(table) :]
                value = key if field is None else order.indexed_bytes(cbor.decode(stored.value)[field])
                if (least is None or least <= value) and (most is None or value <= most):
                    found.append((value, key, stored))
        return [(key, stored) for _, key, stored in sorted(found, key=lambda row: row[:2])[:rows]]

    def put(self, contract: str, record: str, key: Any, value: dict[str, Any], seq: int = 5) -> None:
        self.records[order.place(contract, record, key)] = Stored(seq, cbor.encode(value))

    def call(
        self, action: str, by: Caller | None = None, contract: str = "c", steps: int = STEPS, **arguments: Any
    ) -> Execution:
        caller = Caller("alice", None, frozenset(), frozenset()) if by is None else by
        ran = transaction.run(Call(contract, action, arguments, caller, TIME, self.seq), self, self, steps)
        if ran.error is not None:
            raise ran.error
        return ran


def field(name: str, type: declared.Type, **default: Any) -> Field:
    return Field(name, type, "default" not in default, default.get("default"), 1)


def record(name: str, key: str, *fields: Field, **more: Any) -> RecordType:
    told: dict[str, Any] = {"indexes": (), "states": {}, "invariants": (), "migration": None, "doc": "", "line": 1}
    return RecordType(name=name, key=key, fields={each.name: each for each in fields}, **(told | more))


def action(name: str, *parameters: tuple[str, declared.Type], by: Sequence[str] = ("member",), **more: Any) -> Action:
    told: dict[str, Any] = {"creates": None, "on": (), "to": (), "returns": None, "doc": "", "line": 1}
    bound = tuple(Parameter(each, type, 1) for each, type in parameters)
    return Action(name=name, by=tuple(by), parameters=bound, **(told | more))


def view(name: str, *parameters: tuple[str, declared.Type], returns: declared.Type) -> Action:
    return action(name, *parameters, by=(), returns=returns)


def function(name: str, *parameters: tuple[str, declared.Type], returns: declared.Type) -> declared.Function:
    return declared.Function(name, tuple(Parameter(each, type, 1) for each, type in parameters), returns, "", 1)


def manifest(kind: Any = "contract", name: str = "c", version: str = "1.0.0", **parts: Any) -> Manifest:
    told: dict[str, Any] = {"doc": "", "title": "C" if kind == "contract" else ""}
    kinds = ("roles", "structs", "enums", "records", "actions", "views", "functions", "interfaces")
    named = {each: {part.name: part for part in parts.pop(each, ())} for each in kinds}
    told |= {"libraries": {}, "constants": {}} | parts
    return Manifest(kind=kind, name=name, version=version, **told, **named)


def checked(
    source: str, libraries: dict[str, Checked] | None = None, digest: bytes = bytes(32), **parts: Any
) -> Checked:
    """A file whose bodies stand in `source` as plain functions; `Record.name` is written `Record__name`."""
    tree = ast.parse(textwrap.dedent(source))
    bodies = {each.name.replace("__", "."): each for each in tree.body if isinstance(each, ast.FunctionDef)}
    return Checked(manifest(**parts), digest, bodies, {}, libraries or {})


def machine(ledger: Ledger | None = None, steps: int = STEPS, file: Checked | None = None) -> Machine:
    """A machine in the midst of a body."""
    ledger = ledger or Ledger()
    call = Call("c", "act", {}, Caller("alice", None, frozenset(), frozenset()), TIME, ledger.seq)
    made = Machine(ledger, ledger, call, steps, steps, statements.run_body, transaction.call_contract)
    made.frames.append(Frame(file or checked(""), "c", "1.0.0", Context(None)))
    return made


TIME_ITSELF = NOBODY
