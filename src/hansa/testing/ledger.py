"""A ledger in memory for tests: members, users, contracts and a clock, by the very rules of a node.

What is sent is signed and goes through `node.apply` in blocks of one transaction, as under a node that has nothing else
to do; only the disk, the queue and the network are left out.
"""

import copy
import hashlib
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from hansa.client import readable, transactions
from hansa.client.arguments import EPOCH, MILLISECOND
from hansa.client.contract_files import suggested_name
from hansa.client.words import filled
from hansa.contracts import program, schedules
from hansa.contracts.calls import NOBODY, Call, Execution, Host, Reader
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid, render
from hansa.contracts.program import Program
from hansa.contracts.schema import contract_schema
from hansa.contracts.tracing import Lines, lines_of
from hansa.contracts.values import Cache
from hansa.governance import genesis as governance_genesis
from hansa.governance import sequel
from hansa.governance.directory import Directory
from hansa.merkle.tiles import Tiles
from hansa.node import apply, intake, shipped
from hansa.node.apply import Sealed, View
from hansa.node.create import members_source
from hansa.orderers import Batch
from hansa.testing import coverage, keys
from hansa.testing.answers import Answer, Event, Failure, Refused
from hansa.testing.contract import Contract
from hansa.testing.forms import Defect, Disagreement, Forms
from hansa.testing.memory import Memory
from hansa.testing.plain import milliseconds
from hansa.wire import cbor, cose, entry, genesis, names, scheduled, tick, transaction
from hansa.wire.block import Item
from hansa.wire.genesis import Genesis, Limits, Member, Node, User
from hansa.wire.keys import PrivateKey
from hansa.wire.limits import GOVERNANCE_STEPS_MAX, INTEGER_MAX, NONCE_BYTES, TRANSACTION_STEPS_DEFAULT
from hansa.wire.problems import HansaError
from hansa.wire.writes import WriteSet

_Registered = TypeVar("_Registered", Member, User)
START: Final = datetime(2030, 1, 1, 12, tzinfo=UTC)
"""Ledger time when a test begins."""
HOST: Final = "host"
"""The member that every ledger begins with: it runs the node and deploys."""
LOCK: Final = timedelta(hours=1)
"""How long an accepted change of the constitution waits."""
_CACHED_MOST: Final = 256
"""Records whose decoded form is kept: it is tried with some forgotten, too."""
_BLOCKS_MAX: Final = 10_000
"""What ledger time may take in one go: a contract that schedules itself every second could go on for ever."""


class Clock:
    """Ledger time, which stands still until it is told. What comes due on the way is taken when it is due."""

    def __init__(self, ledger: "Ledger", start: datetime) -> None:
        self._ledger = ledger
        self.ms = milliseconds(start)
        """Ledger time in milliseconds UTC since 1970."""

    @property
    def now(self) -> datetime:
        """Ledger time, UTC."""
        return EPOCH + self.ms * MILLISECOND

    def advance(self, **length: float) -> list[Answer]:
        """Goes on by so many `days`, `hours` and so on, as `timedelta` has them; what was taken meanwhile."""
        return self.set(self.now + timedelta(**length))

    def set(self, at: datetime | date | str) -> list[Answer]:
        """Goes on to a time (a date: its first moment, UTC); what was taken meanwhile.

        Raises ValueError for the past.
        """
        to = milliseconds(at)
        if to < self.ms:
            raise ValueError(f"ledger time never runs backwards: {at} is before {self.now}")
        taken = self._ledger.take_due(to, _BLOCKS_MAX)
        if self.ms < to:
            told = f"more than {_BLOCKS_MAX:,} blocks came due: does an action schedule itself again and again?"
            raise RuntimeError(told)
        return taken


class Ledger:
    """One ledger. `folder`: where the contract files that `deploy` names lie.

    `founders`: the members that it begins with, equal, none of which deploys without a vote; by itself it is `host`
    alone, which does. `constitution`: the name of one that comes with Hansa, or the text of one.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        start: datetime = START,
        limits: Limits | None = None,
        founders: Sequence[str] = (),
        constitution: str = "majority",
        lock: timedelta = LOCK,
    ) -> None:
        self.folder = folder
        self.clock = Clock(self, start)
        self._coverage = coverage.current
        self.forms = Forms(Lines() if self._coverage is None else self._coverage.lines)
        self.entries: list[Answer] = []
        """What came of every transaction, and of all that ledger time took, in order."""
        names_ = list(founders) or [HOST]
        self._keys: dict[str, PrivateKey] = {name: keys.sender(name) for name in names_}
        self._governance_keys = {name: keys.sender(f"{name} governance") for name in names_}
        self._sources: dict[str, tuple[Path | None, str]] = {}
        self._node_key = keys.node("node key")
        first = Genesis(
            version=genesis.VERSION,
            name="test",
            time=self.clock.ms,
            nonce=bytes(NONCE_BYTES),
            members=[self._member(name) for name in names_],
            nodes=[
                Node(
                    id="node-1",
                    member=names_[0],
                    node_key=self._node_key.public.spki,
                    checkpoint_key=keys.node("checkpoint key").public.spki,
                )
            ],
            deployers=[] if founders else [HOST],
            limits=limits or Limits(),
            members_contract=members_source(),
            constitution=constitution if "\n" in constitution else shipped.constitution(constitution),
            constitution_lock=lock // MILLISECOND,
            libraries=[(shipped.LIBRARY, shipped.library())],
        )
        document = genesis.encode(first)
        own, checked = _members(first.members_contract)
        self._directory = Directory(own)
        self.forms.files |= {checked.digest: checked, **_files(first.constitution, tuple(first.libraries))}
        self._memory = Memory(self._directory.indexes_of)
        self._tiles = Tiles(0, _no_rows)
        self._cache = Cache(_CACHED_MOST)
        self.id = genesis.ledger_id(document)
        self._enter(apply.apply_genesis(document, first, self.id, self._directory, self._tiles))

    def fork(self) -> "Ledger":
        """Another ledger of the same content and time, which goes on apart: to deploy once and try many things.

        This one MUST NOT change any more.
        """
        made = Ledger.__new__(Ledger)
        made.folder, made.id = self.folder, self.id
        made.clock = Clock(made, self.clock.now)
        made.entries = list(self.entries)
        made.forms = Forms(self.forms.lines)
        made.forms.files |= self.forms.files
        made._coverage = self._coverage
        made._keys, made._sources, made._node_key = dict(self._keys), dict(self._sources), self._node_key
        made._governance_keys = dict(self._governance_keys)
        made._directory = self._directory.copy()
        made._memory = Memory(made._directory.indexes_of, self._memory)
        made._tiles = copy.deepcopy(self._tiles)
        made._cache = Cache(_CACHED_MOST)
        made._tip = self._tip
        return made

    # Who belongs to it

    def member(self, name: str, *, attributes: Iterable[str] = (), users: Iterable[str] = ()) -> str:
        """Registers a member, and users of it by their own names; its name.

        The records are those that genesis makes, and count from the next transaction on. Raises ValueError for a name
        that is none or is taken, and for attributes that no genesis could have.
        """
        if not names.is_member(name) or self._directory.is_member(name):
            raise ValueError(f"{name!r} is {'a member already' if names.is_member(name) else 'no name of a member'}")
        self._keys[name] = keys.sender(name)
        self._governance_keys[name] = keys.sender(f"{name} governance")
        try:
            self._register(governance_genesis.member_writes(_as_in_genesis(self._member(name, attributes))))
        except ValueError:
            del self._keys[name], self._governance_keys[name]
            raise
        for user in users:
            self.user(f"{name}/{user}")
        return name

    def user(self, name: str, *, attributes: Iterable[str] = ()) -> str:
        """Registers a user, `MEMBER/NAME`, of a member there is; its name. Raises ValueError as `member` does."""
        member = name.partition("/")[0]
        if not names.is_user(name) or self._directory.is_user(name) or not self._directory.is_member(member):
            raise ValueError(f"{name!r} is no MEMBER/NAME of a member of this ledger, or is a user already")
        key = keys.sender(name)
        made = User(id=name, name=name, keys=[key.public.spki], attributes=sorted(attributes))
        self._register(governance_genesis.user_writes(_as_in_genesis(made)))
        self._keys[name] = key
        return name

    @property
    def members(self) -> list[str]:
        """All who can sign: members, and users as `MEMBER/NAME`, but for the host."""
        return [name for name in self._keys if name != HOST]

    # Contracts

    def deploy(self, file: str | Path, name: str | None = None) -> "Contract":
        """Puts a contract file on the ledger, under its own or its folder's name unless another is given.

        Raises `ContractInvalid`, whose notes show every finding, and `Refused`.
        """
        path = self._path(file)
        return self.deploy_source(name or suggested_name(path), _text(path), path)

    def deploy_source(self, name: str, source: str, path: Path | None = None) -> "Contract":
        """Puts a contract on the ledger, or the next version of one that is there. Raises as `deploy`."""
        self._take(name, source, path, "contract")
        is_there = name in self._directory.programs
        arguments = {"deployment" if is_there else "name": name, "source": source}
        self._members("upgrade" if is_there else "deploy", arguments)
        return Contract(self, name)

    def deploy_library(self, file: str | Path, name: str | None = None) -> str:
        """Puts a library file on the ledger; its digest, as `library(...)` names it. Raises as `deploy`."""
        path = self._path(file)
        source = _text(path)
        digest = self._take(name or suggested_name(path), source, path, "library")
        self._members("deploy_library", {"name": name or suggested_name(path), "source": source})
        return digest.hex()

    def contract(self, name: str) -> "Contract":
        """A contract that is deployed. Raises `HansaError` `contract.missing`."""
        if name not in self._directory.programs:
            raise HansaError("contract.missing", f"there is no contract {name[:60]!a}")
        return Contract(self, name)

    def add_reference(self, name: str, data: str, *, valid_from: datetime | None = None) -> Answer:
        """Puts dated reference data on the ledger, as a deployer does. Raises `Refused`."""
        since = self.clock.ms if valid_from is None else milliseconds(valid_from)
        return self._members("add_reference", {"name": name, "valid_from": since, "data": data})

    # Governance

    def govern(self, by: str, action: str, arguments: dict[str, Any], *, key: PrivateKey | None = None) -> Answer:
        """Takes an action of the contract `members` with a member's governance key, or another. Raises as `send`."""
        __tracebackhide__ = True
        own = governance_genesis.CONTRACT
        return self.send(
            by, own, action, arguments, steps_max=GOVERNANCE_STEPS_MAX, key=key or self._governance_keys[by]
        )

    def propose(self, by: str, *steps: dict[str, Any], title: str = "A proposal") -> bytes:
        """Proposes steps as the contract `members` takes them; the proposal's id. Raises as `send`."""
        __tracebackhide__ = True
        return self.govern(by, "propose", {"title": title, "steps": list(steps)}).id

    def vote(self, by: str, proposal: bytes, yes: bool = True) -> Answer:
        """Says yes or no to a proposal under the constitution in force. Raises as `send`."""
        __tracebackhide__ = True
        digest = self._directory.constitution
        return self.govern(by, "vote", {"proposal": proposal, "yes": yes, "constitution": digest})

    @property
    def events(self) -> list[Event]:
        """All events of contracts in the ledger's order; those of what the host deploys are not among them."""
        own = governance_genesis.CONTRACT
        return [event for one in self.entries for event in one.events if event.contract != own]

    @property
    def limits(self) -> Limits:
        """The ledger's limits as they are now."""
        return self._directory.limits

    @property
    def programs(self) -> dict[str, Program]:
        """The current version of each contract."""
        return self._directory.programs

    def source(self, contract: str) -> tuple[Path | None, str]:
        """The file and the text of a contract or library, as deployed last."""
        return self._sources[contract]

    def lines(self, contract: str) -> tuple[set[int], dict[int, str]]:
        """See `Contract.lines`."""
        digest = self._directory.programs[contract].digest
        return self.forms.lines.reached_lines.get(digest, set()), lines_of(self.forms.files[digest])

    # Transactions

    def send(
        self,
        by: str,
        contract: str,
        action: str,
        arguments: dict[str, Any],
        *,
        steps_max: int = transactions.STEPS_MAX,
        key: PrivateKey | None = None,
    ) -> Answer:
        """Takes an action, signed by a member or user, with plain arguments, as the next entry.

        `steps_max`: at most so many steps, by default those for which `hansa.client` and `hansa call` sign.
        Raises `Refused` if the rules refuse it, ValueError for a signer who is not registered, `HansaError` for what
        gets no entry at all, `Disagreement` and `Defect`.
        """
        __tracebackhide__ = True  # pytest shows the call in the test
        is_governance = key is not None
        key = key or self._keys.get(by)
        if key is None:
            known = ", ".join(self.members) or "nobody"
            raise ValueError(f"nobody called {by!r} can sign here, but {known}; `ledger.member({by!r})` registers one")
        made = transactions.prepare(
            key,
            self.id,
            contract,
            action,
            arguments,
            steps_max=steps_max,
            not_after=self.clock.ms + transactions.VALID_MS,
            nonce=self._tip.size.to_bytes(NONCE_BYTES),  # another for each entry, and the same in every run
            content_type=cose.GOVERNANCE if is_governance else cose.TRANSACTION,
        )
        signed, sender = intake.read(made.envelope, self.id, self._directory)
        intake.check_time(signed, sender, self.clock.ms)
        answers = self._block([made.envelope], self.clock.ms)
        answer = next((one for one in answers if one.id == made.id), None)
        assert answer is not None, "a block of one transaction has its entry"
        if answer.failure is not None:
            raise Refused(answer, answer.failure)
        return answer

    def look(self, contract: str, view: str, arguments: dict[str, Any]) -> Any:
        """What a view returns, plain, at ledger time as it is now; nobody signs for it. Raises `Refused`."""
        reader = View(self._memory, self._directory.indexes_of)
        call = Call(contract, view, arguments, NOBODY, self.clock.ms, self._tip.size)
        ran = self.forms.run(call, self._directory, reader, TRANSACTION_STEPS_DEFAULT)  # as `node.reading.view`
        if ran.code == "ok":
            return ran.result
        answer = Answer(b"", -1, contract, "refused", ran.code, ran.result, [], ran.steps, self.clock.ms)
        failure = self._failure(contract, ran.result)
        raise Refused(msgspec.structs.replace(answer, failure=failure), failure)

    def take_due(self, to: int, blocks_max: int) -> list[Answer]:
        """Takes what is due up to a ledger time (ms), each at its own, by a tick as a node sends it; what was taken.

        Ledger time is there then, or, behind so many blocks, at the last.
        """
        taken: list[Answer] = []
        for _ in range(blocks_max):
            at = self.next_due()
            if at is None or at > to:
                self.clock.ms = to
                break
            self.clock.ms = max(self.clock.ms, at)
            taken += self._block([tick.seal(self._node_key, self.id, self._tip.size)], self.clock.ms)
        return taken

    def next_due(self) -> int | None:
        """When ledger time takes something next, in ms; None if nothing is scheduled."""
        view = View(self._memory, self._directory.indexes_of)
        found = apply.next_due(view, INTEGER_MAX) if self._directory.has_schedules else None
        return None if found is None else schedules.read(found.value).at

    def rows(self, contract: str, record: str) -> list[dict[str, Any]]:
        """The plain values of all records of a type, in the order of their keys, each as it was stored."""
        found = self._memory.select(contract, record, None, None, None, sys.maxsize)
        return [cbor.decode(stored.value) for _, stored in found]

    # How

    def _members(self, action: str, arguments: dict[str, Any]) -> Answer:
        steps = transactions.deploy_steps(arguments.get("source", ""))
        return self.send(HOST, governance_genesis.CONTRACT, action, arguments, steps_max=steps)

    def _run(self, call: Call, host: Host[Program], reader: Reader, steps: int, cache: Cache | None) -> Execution:
        """Both forms of each action, and of what follows from it."""
        return sequel.run(call, host, reader, steps, cache, self.forms.run)

    def _member(self, name: str, attributes: Iterable[str] = ()) -> Member:
        own, governance = self._keys[name].public.spki, self._governance_keys[name].public.spki
        return Member(id=name, name=name, keys=[own], governance_keys=[governance], attributes=sorted(attributes))

    def _block(self, envelopes: list[bytes], at: int) -> list[Answer]:
        tip = self._tip
        batch = Batch(tip.height, max(at, tip.time), envelopes)
        try:
            sealed, skipped = apply.apply_batch(
                batch, tip, self._memory, self._directory, self._tiles, {}, self._cache, self._run
            )
        except HansaError as error:
            if isinstance(error.__cause__, Disagreement | Defect):
                raise error.__cause__ from error.__cause__.__cause__
            raise
        if skipped:
            raise HansaError(skipped[0][1])
        assert sealed is not None
        return self._enter(sealed)

    def _enter(self, sealed: Sealed) -> list[Answer]:
        """Takes in a block; the answers of its transactions and of what was due."""
        self._tip = sealed.tip
        answers: list[Answer] = []
        for item, entered in zip(sealed.block.items, sealed.entered, strict=True):
            self._memory.write(entered.seq, entered.writes)
            self._memory.ids[entered.id] = entered.seq
            self._take_files(entered.writes)
            if item.kind in (*entry.SIGNED, entry.SCHEDULED):
                answers.append(self._answer(item, entered.seq))
        self.entries += answers
        return answers

    def _answer(self, item: Item, seq: int) -> Answer:
        found, is_due = entry.decode_outcome(item.outcome), item.kind == entry.SCHEDULED
        contract = (scheduled.read(item.envelope) if is_due else transaction.read(item.envelope).transaction).contract
        events = [Event(seq, each.get("contract", contract), each["name"], each["data"]) for each in found.events]
        failure = None if found.code == "ok" else self._failure(contract, found.result)
        status = "applied" if failure is None else "refused"
        return Answer(
            item.id, seq, contract, status, found.code, found.result, events, found.steps, found.time, failure
        )

    def _failure(self, called: str, result: dict[str, Any]) -> Failure:
        """What a refusal of an action of the contract `called` says, with the line of the file that it arose in."""
        of = self._directory.programs.get(readable.speaker(result, called))
        declared = {of.manifest.name: _schema(of)} if of is not None and readable.has_values(result) else {}
        message = filled(readable.refusal(declared, called, result))
        contract = str(result["contract"])
        line: int | None = result.get("line")
        path, text = self._sources.get(contract, (None, ""))
        lines = text.split("\n")
        source = lines[line - 1].strip() if line is not None and line <= len(lines) else ""
        return Failure(result["message"], result.get("values", {}), contract, path, line, source, message)

    def _take_files(self, written: WriteSet) -> None:
        """Makes the written form of files known that came onto the ledger by a vote."""
        own = governance_genesis.CONTRACT
        for write in written:
            field = governance_genesis.FILES.get(write.record) if write.contract == own else None
            if field is not None:
                value = cbor.decode(write.value)
                if hashlib.sha256(value["source"].encode()).digest() not in self.forms.files:
                    name = value.get(field, governance_genesis.CONSTITUTION)
                    self.forms.take(name, value["source"], self._directory.libraries)

    def _register(self, written: WriteSet) -> None:
        seq = self._tip.size - 1
        self._memory.write(seq, written)
        self._directory.apply(seq, written)

    def _take(self, name: str, source: str, path: Path | None, kind: str) -> bytes:
        try:
            checked = self.forms.take(name, source, self._directory.libraries)
        except ContractInvalid as invalid:
            for each in invalid.diagnostics:
                invalid.add_note(render(source, each, str(path or name)))
            raise
        if checked.manifest.kind != kind:
            told = f"{path or name} is a {checked.manifest.kind}, not a {kind}"
            raise HansaError("contract.invalid", told, remedy="Use `deploy` or `deploy_library`, whichever it is.")
        self._sources[name] = path, source
        if path is not None and self._coverage is not None:
            self._coverage.add(path, checked)
        return checked.digest

    def _path(self, file: str | Path) -> Path:
        return Path(file) if self.folder is None else self.folder / file


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise HansaError("argument.file", f"{path}: {error.strerror}") from None


def _as_in_genesis(made: _Registered) -> _Registered:
    """What is registered, checked as a genesis is when it is read. Raises ValueError."""
    try:
        return msgspec.convert(msgspec.to_builtins(made), type(made))
    except msgspec.ValidationError as error:
        raise ValueError(f"no genesis could register {made.id}: {error}") from None


@lru_cache(maxsize=8)
def _schema(loaded: Program) -> dict[str, Any]:
    """What a contract declares, kept: tests refuse often."""
    return contract_schema(loaded.manifest)


@lru_cache(maxsize=1)
def _members(source: str) -> tuple[Program, Checked]:
    """The contract that every ledger begins with, in both forms: to load it takes longer than most tests."""
    checked = program.check(source, governance_genesis.CONTRACT, system=True)
    return program.compiled(checked), checked


@lru_cache(maxsize=4)
def _files(constitution: str, libraries: tuple[tuple[str, str], ...]) -> dict[bytes, Checked]:
    """The written form of the files in a genesis document, by SHA-256."""
    forms, found = Forms(Lines()), dict[bytes, Checked]()
    for name, source in libraries:
        checked = forms.take(name, source, found)
        found[checked.digest] = checked
    forms.take(governance_genesis.CONSTITUTION, constitution, found)
    return forms.files


def _no_rows(row: int, begin: int, end: int) -> bytes:
    raise AssertionError
