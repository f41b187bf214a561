"""What tests of the specification's parts run on: a machine in the midst of a body, and declarations put together."""

from collections.abc import Sequence
from typing import Any

from hansa.contracts import manifest as declared
from hansa.contracts.calls import Call, Caller
from hansa.contracts.checked import Checked
from hansa.contracts.manifest import Field, Manifest, RecordType
from hansa.contracts.specification import statements, transaction
from hansa.contracts.specification.machine import Machine

TIME = 1_700_000_000_000  # 2023-11-14T22:13:20Z
INT = declared.IntType()
TEXT = declared.TextType(0, 65_536)
STEPS = 100_000


class Ledger:
    """A host and reader with three members, a user, and nothing else."""

    def is_member(self, name: str) -> bool:
        return name in {"alice", "bob", "carol"}

    def is_user(self, name: str) -> bool:
        return name == "alice/ann"

    def is_paused(self, contract: str) -> bool:
        return False

    def versions(self, contract: str) -> Sequence[tuple[int, Checked]]:
        return []

    def contract_version(self, name: str, source: str) -> str:
        return "1.0.0"

    def library_digest(self, name: str, source: str) -> bytes:
        return bytes(32)

    def key_id(self, spki: bytes) -> bytes:
        return bytes(32)

    def get(self, place: bytes) -> None:
        return None

    def select(
        self, contract: str, record: str, field: str | None, least: bytes | None, most: bytes | None, rows: int
    ) -> Sequence[Any]:
        return []


def field(name: str, type: declared.Type, **default: Any) -> Field:
    return Field(name, type, "default" not in default, default.get("default"), 1)


def record(name: str, key: str, *fields: Field, **more: Any) -> RecordType:
    told: dict[str, Any] = {"indexes": (), "states": {}, "invariants": (), "migration": None, "doc": "", "line": 1}
    return RecordType(name=name, key=key, fields={each.name: each for each in fields}, **(told | more))


def manifest(**parts: Any) -> Manifest:
    """A contract that declares these and nothing else."""
    told: dict[str, Any] = {"kind": "contract", "name": "c", "version": "1.0.0", "doc": "", "title": "C"}
    kinds = ("roles", "structs", "enums", "records", "actions", "views", "functions", "interfaces")
    named = {each: {part.name: part for part in parts.pop(each, ())} for each in kinds}
    return Manifest(**{**told, "libraries": {}, "constants": {}, **named, **parts})


def machine(steps: int = STEPS) -> Machine:
    """A machine in the midst of a body."""
    ledger = Ledger()
    call = Call("c", "act", {}, Caller("alice", None, frozenset(), frozenset()), TIME, 10, bytes(range(32)))
    return Machine(ledger, ledger, call, steps, steps, statements.run_body, transaction.call_contract)
