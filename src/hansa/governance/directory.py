"""The directory: who a key speaks for, what attributes a member has, what the limits are, which contracts run.

It is the `members` records in the form that every transaction needs them, kept in memory and fed each write as
it takes effect. Derived: `from_records` makes it again from the state.
"""

import hashlib
from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any, Final

import msgspec

from hansa.contracts import schedules, upgrade
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid
from hansa.contracts.faults import Fault
from hansa.contracts.program import Program, load
from hansa.governance import constitution
from hansa.governance.genesis import (
    ACTIVE,
    CHECKPOINT,
    CONSTITUTION,
    CONTRACT,
    DEPLOYER,
    GOVERNANCE,
    NODE,
    RETIRED,
    TRANSACTION,
    TRUSTED,
)
from hansa.governance.issuer import SESSION
from hansa.wire import cbor, keys, names
from hansa.wire.genesis import Limits
from hansa.wire.keys import PublicKey
from hansa.wire.limits import CONTRACT_NAME_CHARS_MAX, GOVERNANCE_STEPS_MAX
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Signed
from hansa.wire.writes import Write

RECORDS: Final = (
    "Ledger",
    "Limits",
    "Member",
    "User",
    "Node",
    "PowerStep",
    "Retirement",
    "CheckpointKey",
    "Key",
    SESSION,
    "Library",
    "Version",
    "Deployment",
    "ConstitutionText",
    "Constitution",
)
"""The members records that it holds, in the order in which one entry's may need each other."""
_PLACES: Final = {record: place for place, record in enumerate(RECORDS)}


class Sender(msgspec.Struct, frozen=True, gc=False):
    """Who a key speaks for. `user` is None for a member's own key.

    `is_governor`: it signs proposals and votes, and no transactions. `until`: the ledger time (ms) after which a
    session's key counts no more. A key that is not `held` by its user but by the member's node signs for nobody: what
    it signs is what the member asserts that the user wants.
    """

    key: PublicKey
    member: str
    user: str | None
    is_governor: bool = False
    until: int | None = None
    held: bool = True

    @property
    def person(self) -> str | None:
        """The user that signed; None if it was a member."""
        return self.user if self.held else None

    @property
    def asserted(self) -> str:
        """The user for whom a member's node signed; empty if whose key it is signed."""
        return "" if self.held or self.user is None else self.user

    def may_sign(self, signed: Signed) -> bool:
        """Whether the key is for such messages: a governance key signs those of governance, and these alone."""
        return signed.is_governance == self.is_governor and (
            not self.is_governor or signed.transaction.contract == CONTRACT
        )


class Member(msgspec.Struct, frozen=True, gc=False):
    """An active member, as votes count it."""

    id: str
    weight: int
    attributes: list[str]


class Node(msgspec.Struct, frozen=True, gc=False):
    """A node as its record has it: see `Node` in the contract `members`. `state`: Pending, Trusted or Retired."""

    id: str
    member: str
    state: str
    url: str
    peer: str
    address: str
    engine_key: bytes
    power: int
    is_ready: bool


class PowerStep(msgspec.Struct, frozen=True, gc=False):
    """The entry of a step in which powers moved, and the engine keys (raw) whose power it set, with that."""

    seq: int
    powers: list[tuple[bytes, int]]


class Span(msgspec.Struct, frozen=True, gc=False):
    """A checkpoint key of a node, and the entries of whose blocks it signs the checkpoints: from `first` to `last`.

    `last` is the entry that registered the node's next one or retired the node, of whose block it signs too; None: it
    counts now.
    """

    key: PublicKey
    node: str
    first: int
    last: int | None

    def signs_from(self, seq: int) -> bool:
        """Whether it signs the checkpoint of a block whose first entry is at `seq`."""
        return self.first <= seq and (self.last is None or seq <= self.last)


class Expiring(msgspec.Struct, frozen=True, gc=False):
    """An active key of which somebody said when it expires (ms). That only warns."""

    kid: bytes
    owner: str
    purpose: str
    expires: int


class File(msgspec.Struct, frozen=True):
    """What decides what the program of a file is: its name and digest, and that of the file that it follows.

    Libraries it names by their digests itself.
    """

    name: str
    digest: bytes
    before: bytes | None


class Directory:
    """The members records, looked up. `apply` MUST see every write of the members contract, in order."""

    def __init__(self, members: Program) -> None:
        self.senders: dict[bytes, Sender] = {}
        """By kid, those who may sign now."""
        self.former: dict[bytes, Sender] = {}
        """By kid, those who no longer may: revoked, retired, or of a member or user that was removed."""
        self._ended: dict[bytes, str] = {}
        """By kid, how a key was ended: the status that is not active."""
        self.checkpoint_keys: dict[bytes, PublicKey] = {}
        """Those that count now."""
        self.checkpoint_spans: dict[bytes, Span] = {}
        """Those of all time, in the order in which they came."""
        self.expiring: dict[bytes, Expiring] = {}
        """By kid, the active keys that expire."""
        self.nodes: dict[str, Node] = {}
        """All that ever were, by id."""
        self.power_steps: list[PowerStep] = []  # all there were, in order
        self._retired: dict[str, int] = {}  # by the entries that retired them
        self.node_keys: dict[bytes, PublicKey] = {}
        """Those that count now, in the order in which they came."""
        self.node_owners: dict[bytes, str] = {}  # by kid, also of keys that count no more
        self.members: dict[str, Member] = {}
        """The active members."""
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
        self.constitution = b""
        """The SHA-256 of the constitution in force."""
        self._versions: dict[str, list[tuple[int, Program]]] = {CONTRACT: [(0, members)]}
        self._owners: dict[str, str] = {}
        self._removed: set[str] = set()
        """Members and users."""
        self._begun: dict[bytes, int] = {}
        """Since which entry checkpoint keys count that came after genesis."""
        self._signing: dict[bytes, tuple[str, PublicKey]] = {}
        """The checkpoint keys of all time, and whose node's they are or were."""
        self._texts: dict[bytes, str] = {}
        """Constitutions by digest."""
        self._asserted: set[bytes] = set()
        """The keys of sessions that members' nodes hold."""
        self.loaded: Mapping[File, Program | ContractInvalid] = {}
        """Files that were loaded before, or cannot be: a draft's, as that takes long."""
        self._checked = members
        """What was checked last: the program of a deployment that is about to be written, so it is loaded once."""

    def copy(self) -> "Directory":
        """Another one of the same content, to be moved on apart."""
        made = copy(self)
        for name, field in vars(self).items():
            if isinstance(field, dict | set | list):
                setattr(made, name, copy(getattr(self, name)))
        made._versions = {name: list(versions) for name, versions in self._versions.items()}
        return made

    def apply(self, seq: int, writes: Iterable[Write]) -> Iterable[str]:
        """Takes in what entry `seq` wrote, other contracts' passed over; of which records that was."""
        found: list[Write] = []
        for write in writes:
            if write.contract == CONTRACT:
                if write.record in _PLACES:
                    found.append(write)
                elif write.record == schedules.RECORD:
                    self.has_schedules = True
        for write in sorted(found, key=_place) if len(found) > 1 else found:
            self.apply_record(write.record, write.value, seq)
        return {write.record for write in found} if found else ()

    def apply_record(self, record: str, value: bytes, seq: int) -> None:
        """Takes in the value of a members record that entry `seq` wrote last."""
        if record in RECORDS:
            self._apply_fields(record, cbor.decode_own(value), seq)

    def checkpoint_changes(self) -> list[int]:
        """The entries that registered checkpoint keys after genesis, or ended them with their node, in order."""
        begun = {span.first - 1 for span in self.checkpoint_spans.values() if span.first}
        return sorted(begun | {*self._retired.values()})

    def cosigners(self) -> list[str]:
        """The active members that have nodes whose checkpoint keys count now, by name."""
        return sorted({node.member for node in self.signers()})

    def signers(self) -> list[Node]:
        """The nodes that sign for active members now: trusted, with a checkpoint key that counts."""
        found = (self.nodes[self.checkpoint_spans[kid].node] for kid in self.checkpoint_keys)
        return [node for node in found if node.state == TRUSTED and node.member in self.members]

    def admitted(self) -> list[Node]:
        """The nodes that others' engines let in, by id: those that are not retired, as a removed member's are.

        But for the last node of all that orders, which stays whose ever it is.
        """
        return [node for _, node in sorted(self.nodes.items()) if node.state != RETIRED]

    @property
    def former_node_keys(self) -> set[bytes]:
        """The kids of node keys that count no more."""
        return self.node_owners.keys() - self.node_keys.keys()

    def peer_keys(self) -> dict[bytes, PublicKey]:
        """By kid, the node keys that count now, of active members' nodes that are not retired."""
        return {kid: key for kid, key in self.node_keys.items() if self._is_members(kid)}

    def reader(self, kid: bytes, now: int) -> PublicKey | None:
        """The key that may read: of an active member, of a user or a node of one, at ledger time `now` (ms)."""
        sender = self.senders.get(kid)
        if sender is not None:
            return sender.key if sender.until is None or now < sender.until else None
        return self.node_keys.get(kid) if self._is_members(kid) else None

    def _is_members(self, kid: bytes) -> bool:
        """Whether a node key is one of an active member's node that is not retired."""
        node = self.nodes.get(self.node_owners.get(kid, ""))
        return node is not None and node.state != RETIRED and node.member in self.members

    def voter(self, address: bytes) -> Node | None:
        """The node whose engine goes by this address: the first 20 bytes of the SHA-256 of the key it votes with."""
        for _, node in sorted(self.nodes.items()):
            if node.engine_key and hashlib.sha256(PublicKey(node.engine_key).raw).digest()[:20] == address:
                return node
        return None

    def indexes_of(self, contract: str, record: str) -> tuple[str, ...]:
        """The indexed fields of a record type, as `store.state` asks for them."""
        program = self.programs.get(contract)
        shape = None if program is None else program.shapes.get(record)
        return () if shape is None else shape.type.indexes

    def refusal(self, kid: bytes) -> str:
        """The code for which nobody can sign with a key that is not among `senders`."""
        return "sender.revoked" if kid in self.former else "sender.unknown"

    def users_of(self, member: str) -> list[str]:
        """The users of a member that were not removed themselves, by id."""
        return sorted(id for id, owner in self._owners.items() if owner == member and id not in self._removed)

    def why_not(self, kid: bytes) -> str:
        """In words, why nobody can sign with a key that is not among `senders`, for who asks before there is an entry.

        That a member or user was removed comes before how a key of it was ended: another key would not help.
        """
        sender = self.former.get(kid)
        if sender is None:
            return f"the key {kid.hex()} is none of a member or user"
        if sender.member in self._removed:
            return f"the member {sender.member} was removed: its keys, such as {kid.hex()}, count no more"
        if sender.user is not None and sender.user in self._removed:
            return f"the user {sender.user} was removed: its keys, such as {kid.hex()}, count no more"
        return f"the key {kid.hex()} of {sender.user or sender.member} was {self._ended.get(kid, 'ended')}"

    def steps_most(self, sender: Sender, contract: str) -> int:
        """What a transaction may use at most: checking a large contract takes a deployer more than anything else."""
        if sender.is_governor:
            return GOVERNANCE_STEPS_MAX
        if contract == CONTRACT and DEPLOYER in self.attributes.get(sender.member, ()):
            return max(self.limits.block_steps, self.limits.transaction_steps)
        return self.limits.transaction_steps

    # contracts.calls.Host

    def is_member(self, name: str) -> bool:
        """See `contracts.calls.Host`: a member that was removed stays one, records may name it."""
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
        if name == CONSTITUTION:
            if problems := constitution.problems(checked.manifest):
                raise Fault("constitution.invalid", problems[0])
            return checked.manifest.version
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

    def key_id(self, spki: bytes) -> bytes:
        """See `contracts.calls.Host`."""
        try:
            return keys.registrable(spki).kid
        except HansaError as error:
            raise Fault(error.code, "this is no key that can be registered") from None

    def _check(self, name: str, source: str) -> Program:
        if not names.is_contract(name) or name == CONTRACT:
            raise Fault(
                "contract.name", "`{name}` is taken or not a contract name", {"name": name[:CONTRACT_NAME_CHARS_MAX]}
            )
        try:
            self._checked = self._load(name, source)
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
                self._apply_member(value)
            case "User":
                self._owners[value["id"]] = value["member"]
                self.user_attributes[value["id"]] = frozenset(value["attributes"])
                if value["removed"]:
                    self._remove(value["id"])
            case "Node":
                self._apply_node(value)
            case "PowerStep":
                powers = [(PublicKey(one["engine_key"]).raw, one["power"]) for one in value["powers"]]
                insort(self.power_steps, PowerStep(seq, powers), key=_seq_of)
            case "Retirement":
                self._retired[value["node"]] = seq
                self._tell_spans()
            case "CheckpointKey":
                self._begun[value["kid"]] = seq + 1
            case "Key":
                self._apply_key(value)
            case "Session":
                self._apply_session(value["kid"], held=value["held"])
            case "Deployment":
                (self.paused.add if value["paused"] else self.paused.discard)(value["name"])
            case "ConstitutionText":
                self._texts[value["digest"]] = value["source"]
            case "Constitution":
                self.constitution = value["digest"]
                program = self.programs[CONSTITUTION] = self._program(CONSTITUTION, self._texts[self.constitution])
                program.forget_bodies()
                self._versions[CONSTITUTION] = [(seq + 1, program)]
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
        return checked if same else self._load(name, source)

    def _load(self, name: str, source: str) -> Program:
        """Raises `ContractInvalid`."""
        before = None if name == CONSTITUTION else self.programs.get(name)
        if self.loaded:
            found = self.loaded.get(file_of(name, source, before))
            if isinstance(found, ContractInvalid):
                raise found
            if found is not None:
                return found
        return load(source, name, self.libraries, None if before is None else before.checked)

    def _apply_member(self, value: dict[str, Any]) -> None:
        id, attributes = value["id"], value["attributes"]
        if value["removed"]:
            self.attributes[id] = frozenset()
            self.members.pop(id, None)
            self._remove(id)
        else:
            self.attributes[id] = frozenset(attributes)
            self.members[id] = Member(id, value["weight"], attributes)

    def _remove(self, id: str) -> None:
        """Nobody signs for a member or user any more."""
        self._removed.add(id)
        for kid in [kid for kid, one in self.expiring.items() if one.owner == id or one.owner.startswith(f"{id}/")]:
            del self.expiring[kid]
        for kid in [kid for kid, sender in self.senders.items() if id in (sender.member, sender.user)]:
            self.former[kid] = self.senders.pop(kid)

    def _apply_node(self, value: dict[str, Any]) -> None:
        fields = {name: value[name] for name in ("id", "member", "state", "url", "peer", "address", "engine_key")}
        node = Node(**fields, power=value["power"], is_ready=value["ready"] is not None)
        self.nodes[node.id] = node

    def _apply_session(self, kid: bytes, *, held: bool) -> None:
        """Notes whose hands a session's key is in, for now and for when its record is written again."""
        if not held:
            self._asserted.add(kid)
            if kid in self.senders:
                self.senders[kid] = msgspec.structs.replace(self.senders[kid], held=False)

    def _apply_key(self, value: dict[str, Any]) -> None:
        key, is_active, owner = PublicKey(value["spki"]), value["status"] == ACTIVE, value["owner"]
        self.expiring.pop(key.kid, None)
        if not is_active:
            self._ended[key.kid] = value["status"]
        if is_active and value["expires"] is not None and not self._removed & {owner, owner.split("/")[0]}:
            self.expiring[key.kid] = Expiring(key.kid, owner, value["purpose"], value["expires"])
        match value["purpose"]:
            case purpose if purpose == CHECKPOINT:
                self._signing[key.kid] = owner, key
                self._tell_spans()
            case purpose if purpose == NODE:
                _keep(self.node_keys, key, is_active)
                self.node_owners[key.kid] = owner
            case purpose if purpose in (TRANSACTION, GOVERNANCE):
                member, user = (owner.split("/")[0], owner) if value["owner_kind"] == "user" else (owner, None)
                held = key.kid not in self._asserted
                sender = Sender(key, member, user, purpose == GOVERNANCE, value["until"], held)
                self.senders.pop(key.kid, None)
                counts = is_active and not self._removed & {member, user}
                (self.senders if counts else self.former)[key.kid] = sender
            case _:
                pass

    def _tell_spans(self) -> None:
        """Works out from where to where each checkpoint key counts: to where the next one of the same node came."""
        spans: dict[bytes, Span] = {}
        current: dict[str, Span] = {}
        for kid in sorted(self._signing, key=lambda kid: self._begun.get(kid, 0)):
            (node, key), first = self._signing[kid], self._begun.get(kid, 0)
            before = current.get(node)
            if before is not None:
                spans[before.key.kid] = msgspec.structs.replace(before, last=first - 1)
            spans[kid] = current[node] = Span(key, node, first, None)
        for node, seq in self._retired.items():
            if (last := current.pop(node, None)) is not None:
                spans[last.key.kid] = msgspec.structs.replace(last, last=seq)
        self.checkpoint_spans = spans
        self.checkpoint_keys = {span.key.kid: span.key for span in current.values()}


def file_of(name: str, source: str, before: Program | None) -> File:
    """What decides about the program of a source that follows `before`."""
    return File(name, hashlib.sha256(source.encode()).digest(), None if before is None else before.digest)


def _keep(kept: dict[bytes, PublicKey], key: PublicKey, is_active: bool) -> None:
    if is_active:
        kept[key.kid] = key
    else:
        kept.pop(key.kid, None)


def _seq_of(step: PowerStep) -> int:
    return step.seq


def _place(write: Write) -> int:
    return _PLACES[write.record]
