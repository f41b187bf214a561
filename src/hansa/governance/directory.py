"""The directory: who a key speaks for, what attributes a member has, what the limits are, which contracts run.

It is the `members` records in the form that every transaction needs them, kept in memory and fed each write as
it takes effect. Derived: `from_records` makes it again from the state.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.meter import Fault
from hansa.contracts.program import Program, load
from hansa.governance.genesis import CHECKPOINT, CONTRACT, TRANSACTION
from hansa.wire import cbor, names
from hansa.wire.genesis import Limits
from hansa.wire.keys import PublicKey
from hansa.wire.limits import CONTRACT_NAME_CHARS_MAX
from hansa.wire.writes import Write


class Sender(msgspec.Struct, frozen=True, gc=False):
    """Who a transaction key speaks for. `user` is None for a member's own key."""

    key: PublicKey
    member: str
    user: str | None


class Directory:
    """The members records, looked up. `apply` MUST see every write of the members contract, in order."""

    def __init__(self, members: Program) -> None:
        self.senders: dict[bytes, Sender] = {}
        self.checkpoint_keys: dict[bytes, PublicKey] = {}
        self.attributes: dict[str, frozenset[str]] = {}
        self.limits = Limits()
        self.name = ""
        self.programs: dict[str, Program] = {CONTRACT: members}
        self._owners: dict[str, str] = {}
        self._checked = members
        """What was checked last: the program of a deployment that is about to be written, so it is loaded once."""

    def copy(self) -> "Directory":
        """Another one of the same content, to be moved on apart."""
        made = Directory(self.programs[CONTRACT])
        made.senders, made.checkpoint_keys = dict(self.senders), dict(self.checkpoint_keys)
        made.attributes, made.limits, made.name = dict(self.attributes), self.limits, self.name
        made.programs, made._owners = dict(self.programs), dict(self._owners)
        return made

    def apply(self, writes: Iterable[Write]) -> None:
        """Takes writes in, other contracts' passed over."""
        for write in writes:
            if write.contract == CONTRACT:
                self.apply_record(write.record, write.value)

    def apply_record(self, record: str, value: bytes) -> None:
        """Takes in the current value of a members record."""
        self._apply_fields(record, cbor.decode_own(value))

    def indexes_of(self, contract: str, record: str) -> tuple[str, ...]:
        """The indexed fields of a record type, as `store.state` asks for them."""
        program = self.programs.get(contract)
        shape = None if program is None else program.shapes.get(record)
        return () if shape is None else shape.type.indexes

    def is_member(self, name: str) -> bool:
        """Whether a member of this name is registered: see `contracts.meter.Host`."""
        return name in self.attributes

    def contract_version(self, name: str, source: str) -> str:
        """Checks a contract file for deployment: see `contracts.meter.Host`."""
        if not names.is_contract(name) or name in self.programs:
            raise Fault(
                "contract.name", "`{name}` is taken or not a contract name", {"name": name[:CONTRACT_NAME_CHARS_MAX]}
            )
        try:
            checked = load(source, name)
        except ContractInvalid:
            # Which findings there are may depend on the Python that parsed the file; that there are some does not.
            raise Fault("contract.invalid", "the contract file has findings; check it to see them") from None
        self._checked = checked
        return checked.manifest.version

    def _apply_fields(self, record: str, value: dict[str, Any]) -> None:
        match record:
            case "Ledger":
                self.name = value["name"]
            case "Limits":
                self.limits = Limits(**{name: value[name] for name in Limits.__struct_fields__})
            case "Member":
                self.attributes[value["id"]] = frozenset(value["attributes"])
            case "User":
                self._owners[value["id"]] = value["member"]
            case "Key":
                self._apply_key(value)
            case "Deployment":
                self.programs[value["name"]] = self._program(value["name"], value["source"])
            case _:
                pass

    def _program(self, name: str, source: str) -> Program:
        checked = self._checked
        same = checked.manifest.name == name and checked.digest == hashlib.sha256(source.encode()).digest()
        return checked if same else load(source, name)

    def _apply_key(self, value: dict[str, Any]) -> None:
        key = PublicKey(value["spki"])
        if value["purpose"] == CHECKPOINT:
            self.checkpoint_keys[key.kid] = key
        elif value["purpose"] == TRANSACTION:
            owner = value["owner"]
            if value["owner_kind"] == "user":
                self.senders[key.kid] = Sender(key, self._owners[owner], owner)
            else:
                self.senders[key.kid] = Sender(key, owner, None)
