"""The directory: who a key speaks for, what attributes a member has, what the limits are, which contracts run.

It is the `members` records in the form that every transaction needs them, kept in memory and fed each write as
it takes effect. Derived: `from_records` makes it again from the state.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from hansa.contracts import schedules, upgrade
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.faults import Fault
from hansa.contracts.program import Program, load
from hansa.governance import constitution
from hansa.governance.genesis import CHECKPOINT, CONTRACT, DEPLOYER, NODE, TRANSACTION
from hansa.wire import cbor, names
from hansa.wire.genesis import Limits
from hansa.wire.keys import PublicKey
from hansa.wire.limits import CONTRACT_NAME_CHARS_MAX
from hansa.wire.writes import Write

RECORDS: Final = ("Ledger", "Limits", "Member", "User", "Key", "Library", "Version")
"""The members records that it holds, in the order in which one entry's may need each other."""


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
        self.node_keys: dict[bytes, PublicKey] = {}
        self.attributes: dict[str, frozenset[str]] = {}
        self.user_attributes: dict[str, frozenset[str]] = {}
        self.limits = Limits()
        self.name = ""
        self.has_schedules = False
        """Whether anything was ever scheduled: where nothing was, no block need look for what is due."""
        self.libraries: dict[bytes, Checked] = {}
        self.programs: dict[str, Program] = {CONTRACT: members}
        """The current version of each contract."""
        self.paused: set[str] = set()
        """The contracts of which no action is taken."""
        self._versions: dict[str, list[tuple[int, Program]]] = {CONTRACT: [(0, members)]}
        self._owners: dict[str, str] = {}
        self._checked = members
        """What was checked last: the program of a deployment that is about to be written, so it is loaded once."""

    def copy(self) -> "Directory":
        """Another one of the same content, to be moved on apart."""
        made = Directory(self.programs[CONTRACT])
        made.senders, made.checkpoint_keys = dict(self.senders), dict(self.checkpoint_keys)
        made.node_keys, made.libraries = dict(self.node_keys), dict(self.libraries)
        made.attributes, made.user_attributes = dict(self.attributes), dict(self.user_attributes)
        made.limits, made.name, made.has_schedules = self.limits, self.name, self.has_schedules
        made.programs, made._owners = dict(self.programs), dict(self._owners)
        made.paused = set(self.paused)
        made._versions = {name: list(versions) for name, versions in self._versions.items()}
        return made

    def apply(self, seq: int, writes: Iterable[Write]) -> None:
        """Takes in what entry `seq` wrote, other contracts' passed over."""
        for write in writes:
            if write.contract == CONTRACT:
                self.has_schedules = self.has_schedules or write.record == schedules.RECORD
                self.apply_record(write.record, write.value, seq)

    def apply_record(self, record: str, value: bytes, seq: int) -> None:
        """Takes in the value of a members record that entry `seq` wrote last."""
        if record in RECORDS:
            self._apply_fields(record, cbor.decode_own(value), seq)

    def indexes_of(self, contract: str, record: str) -> tuple[str, ...]:
        """The indexed fields of a record type, as `store.state` asks for them."""
        program = self.programs.get(contract)
        shape = None if program is None else program.shapes.get(record)
        return () if shape is None else shape.type.indexes

    def steps_most(self, sender: Sender, contract: str) -> int:
        """What a transaction may use at most: checking a large contract takes a deployer more than anything else."""
        if contract == CONTRACT and DEPLOYER in self.attributes.get(sender.member, ()):
            return max(self.limits.block_steps, self.limits.transaction_steps)
        return self.limits.transaction_steps

    # contracts.calls.Host

    def is_member(self, name: str) -> bool:
        """See `contracts.calls.Host`."""
        return name in self.attributes

    def is_user(self, name: str) -> bool:
        """See `contracts.calls.Host`."""
        return name in self._owners

    def is_paused(self, contract: str) -> bool:
        """See `contracts.calls.Host`."""
        return contract in self.paused

    def versions(self, contract: str) -> Sequence[tuple[int, Program]]:
        """See `contracts.calls.Host`."""
        return self._versions.get(contract, ())

    def contract_version(self, name: str, source: str) -> str:
        """See `contracts.calls.Host`."""
        checked = self._check(name, source)
        before = self.programs.get(name)
        if checked.manifest.kind != "contract":
            raise Fault("contract.invalid", "this is a library: use deploy_library")
        if before is not None and (problems := upgrade.problems(before.manifest, checked.manifest)):
            raise Fault("upgrade.refused", problems[0])
        return checked.manifest.version

    def library_digest(self, name: str, source: str) -> bytes:
        """See `contracts.calls.Host`."""
        checked = self._check(name, source)
        if checked.manifest.kind != "library":
            raise Fault("contract.invalid", "this is a contract: use deploy")
        return checked.digest

    def constitution_version(self, source: str) -> str:
        """See `contracts.calls.Host`."""
        try:
            checked = load(source, constitution.CONTRACT, self.libraries)
        except ContractInvalid:  # see `_check`
            raise Fault(constitution.INVALID, "the file has findings; check it to see them") from None
        if problems := constitution.problems(checked.manifest):
            raise Fault(constitution.INVALID, problems[0])
        self._checked = checked
        return checked.manifest.version

    def _check(self, name: str, source: str) -> Program:
        if not names.is_contract(name) or name == CONTRACT:
            raise Fault(
                "contract.name", "`{name}` is taken or not a contract name", {"name": name[:CONTRACT_NAME_CHARS_MAX]}
            )
        before = self.programs.get(name)
        try:
            self._checked = load(source, name, self.libraries, None if before is None else before.checked)
        except ContractInvalid:
            # Which findings there are may depend on the Python that parsed the file; that there are some does not.
            raise Fault("contract.invalid", "the file has findings; check it to see them") from None
        return self._checked

    def _apply_fields(self, record: str, value: dict[str, Any], seq: int) -> None:
        match record:
            case "Ledger":
                self.name = value["name"]
            case "Limits":
                self.limits = Limits(**{name: value[name] for name in Limits.__struct_fields__})
            case "Member":
                self.attributes[value["id"]] = frozenset(value["attributes"])
            case "User":
                self._owners[value["id"]] = value["member"]
                self.user_attributes[value["id"]] = frozenset(value["attributes"])
            case "Key":
                self._apply_key(value)
            case "Library":
                self.libraries[value["digest"]] = self._program(value["name"], value["source"]).checked
            case _:
                name: str = value["contract"]
                program = self.programs[name] = self._program(name, value["source"])
                program.forget_bodies()
                self._versions.setdefault(name, []).append((seq + 1, program))

    def _program(self, name: str, source: str) -> Program:
        checked = self._checked
        same = checked.manifest.name == name and checked.digest == hashlib.sha256(source.encode()).digest()
        if same:
            return checked
        before = self.programs.get(name)
        return load(source, name, self.libraries, None if before is None else before.checked)

    def _apply_key(self, value: dict[str, Any]) -> None:
        key = PublicKey(value["spki"])
        if value["purpose"] == CHECKPOINT:
            self.checkpoint_keys[key.kid] = key
        elif value["purpose"] == NODE:
            self.node_keys[key.kid] = key
        elif value["purpose"] == TRANSACTION:
            owner = value["owner"]
            if value["owner_kind"] == "user":
                self.senders[key.kid] = Sender(key, self._owners[owner], owner)
            else:
                self.senders[key.kid] = Sender(key, owner, None)
