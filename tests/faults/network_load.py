"""Clients of a network: what they ask, what they were told, and whether every node keeps to it.

Each has a node of its own and asks it one thing after the other, whatever becomes of that node. What they ask of is
registers, so that their histories can be checked, see `linearizability`.
"""

import json
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from hansa.client import keys, transactions
from hansa.client.transactions import Prepared
from hansa.wire import entry, evidence
from hansa.wire.keys import PrivateKey

from . import linearizability
from .linearizability import Operation
from .network_nodes import PATIENCE_S, Nodes
from .server import LOST, Client

CONTRACT = "registers"
SOURCE = '''"""Remembers a number under each name."""

from hansa.contract import Contract, Record, Text, action, event


class Registers(Contract, version="1.0.0"):
    class Register(Record, key="name"):
        name: Text[1, 40]
        value: int = 0

    @action(by="member", creates="Register")
    def open(tx, register: Register, name: Text[1, 40]):
        """Begins with 0."""

    @action(by="member")
    def swap(tx, register: Register, value: int):
        """Puts a number in, and tells the one before."""
        event("held", value=register.value)
        register.value = value

    @action(by="member")
    def look(tx, register: Register):
        """Tells the number, in its place in the order."""
        event("held", value=register.value)
'''
REGISTERS = ("a", "b", "c")
ANSWER_S = 3.0
"""How long a client waits for an answer; then the outcome is unknown to it."""
PAUSE_S = 0.1
_READ, _SWAPPED = 0.2, 0.75
"""Of what is asked, so much are reads without a transaction; up to there come numbers that are put in."""
_LINEAR = f"/app/contracts/{CONTRACT}/records/Register/value?consistency=linear&key="
_LAST = 50
_UNKNOWN = ("answer.late", "answer.unknown", "node.faulted", "node.stopping")


@dataclass
class Asked:
    """A transaction, what it does, and which node was asked."""

    node: str
    prepared: Prepared
    operation: Operation


@dataclass
class Clients:
    """The clients of all nodes, one each, and all they have known since the network began.

    `seqs`: the entry of each transaction that was acknowledged. `refused`: those that were not taken, so they have
    none. `open`: those of unknown outcome.
    """

    nodes: Nodes
    seqs: dict[bytes, int] = field(default_factory=dict)
    refused: set[bytes] = field(default_factory=set)
    open: dict[bytes, Asked] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unknown: int = 0
    """How many outcomes were unknown at first."""
    again: int = 0
    """How many of those were sent again."""
    late: int = 0
    """How many of those had come through when they were sent again."""
    read: int = 0
    """How many registers were read without a transaction."""
    _checked: int = 0
    _ids: set[str] = field(default_factory=set)
    _looked: dict[str, int] = field(default_factory=dict)
    _proved: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = bytes.fromhex(self.nodes.network.ledger)
        self.keys: dict[str, PrivateKey] = {}
        for member, node in self.nodes.network.nodes():
            folder = self.nodes.root / member.id / "keys" / "members"
            self.keys[node.id] = keys.load(folder / f"{member.id}.pem")
        self._numbers = count(1)
        self._answered = threading.Condition()
        self._acknowledged: list[tuple[float, str]] = []

    def begin(self) -> None:
        """The contract and its registers."""
        arguments = {"name": CONTRACT, "source": SOURCE}
        first = self.nodes.names[0]
        asked = [self._prepare(first, "members", "deploy", arguments, steps_max=100_000)]
        asked += [self._prepare(first, CONTRACT, "open", {"name": name}) for name in REGISTERS]
        with closing(Client(self.nodes.ports[first], PATIENCE_S)) as client:
            for prepared in asked:
                status, answer = client.submit(prepared.envelope)
                assert (status, answer.get("status")) == (200, "applied"), answer
                self.seqs[prepared.id] = answer["seq"]

    def _prepare(self, node: str, contract: str, action: str, arguments: dict[str, Any], **more: int) -> Prepared:
        return transactions.prepare(self.keys[node], self.ledger, contract, action, arguments, **more)

    @contextmanager
    def asking(self):
        """All of them at work, a thread each."""
        stopping = threading.Event()
        threads = [
            threading.Thread(target=self._ask_on, args=(name, stopping, Random(f"{name}{len(self.operations)}")))
            for name in self.nodes.names
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join()

    def _ask_on(self, name: str, stopping: threading.Event, chance: Random) -> None:
        client: Client | None = None
        while not stopping.wait(PAUSE_S):
            register, kind = chance.choice(REGISTERS), chance.random()
            if kind < _READ:
                client = self._read(name, client, register)
                continue
            value = next(self._numbers) if kind < _SWAPPED else None
            arguments: dict[str, Any] = {"register": register}
            prepared = (
                self._prepare(name, CONTRACT, "look", arguments)
                if value is None
                else self._prepare(name, CONTRACT, "swap", {**arguments, "value": value})
            )
            asked = Asked(name, prepared, Operation(register, value, time.monotonic()))
            client = client or Client(self.nodes.ports[name], ANSWER_S)
            try:
                status, answer = client.submit(prepared.envelope)
            except LOST as error:
                client.close()
                client = None
                if not isinstance(error, ConnectionRefusedError):  # nobody was there: it was not asked at all
                    self._leave_open(asked)
            else:
                self._told(asked, status, answer)
        if client is not None:
            client.close()

    def _read(self, name: str, client: Client | None, register: str) -> Client | None:
        """Reads a register without a transaction, behind all that any node has answered; what is not told, is not."""
        operation = Operation(register, None, time.monotonic())
        client = client or Client(self.nodes.ports[name], ANSWER_S)
        try:
            status, body = client.get_bytes(_LINEAR + register)
            found = json.loads(body)
        except LOST:
            client.close()
            return None
        if status == 200:
            operation.ended, operation.found = time.monotonic(), found["value"]["value"]
            with self._answered:
                self.operations.append(operation)
                self.read += 1
        return client

    def _leave_open(self, asked: Asked) -> None:
        with self._answered:
            self.open[asked.prepared.id] = asked
            self.operations.append(asked.operation)
            self.unknown += 1

    def _told(self, asked: Asked, status: int, answer: dict[str, Any]) -> None:
        id = asked.prepared.id
        if status != 200 and answer["code"] in _UNKNOWN:
            self._leave_open(asked)
            return
        with self._answered:
            if status != 200:
                self.refused.add(id)
                return
            self._close(asked, answer)
            self.operations.append(asked.operation)
            self._acknowledged.append((asked.operation.begun, asked.node))
            self._answered.notify_all()

    def _close(self, asked: Asked, answer: dict[str, Any]) -> None:
        if answer["status"] != "applied":
            self.problems.append(f"{asked.prepared.id.hex()} is {answer['status']}: {answer}")
        asked.operation.ended = time.monotonic()
        asked.operation.found = answer["events"][0]["data"]["value"]
        self.seqs[asked.prepared.id] = answer["seq"]

    def next(self, *nodes: str) -> float:
        """Waits until something asked from now on is acknowledged, by one of these nodes or any; after how long."""
        begun = time.monotonic()

        def found() -> bool:
            return any(at > begun and (not nodes or name in nodes) for at, name in self._acknowledged[-_LAST:])

        with self._answered:
            assert self._answered.wait_for(found, PATIENCE_S), f"nothing is acknowledged: {self.nodes.state()}"
        return time.monotonic() - begun

    def served(self, node: str, since: float) -> int:
        """How many of the last that a node was asked since then it has acknowledged."""
        with self._answered:
            return sum(at > since and name == node for at, name in self._acknowledged[-_LAST:])

    def evidence(self, node: str) -> list[dict[str, Any]]:
        """The entries of evidence that a node has, each with what it says."""
        with closing(Client(self.nodes.ports[node], PATIENCE_S)) as client:
            size = client.get("/node/status")["entries"]
            found = [client.get(f"/app/entries/{seq}") for seq in range(self._looked.get(node, 0), size)]
        self._looked[node] = size
        kept = self._proved.setdefault(node, [])
        for one in found:
            if one["kind"] == entry.EVIDENCE:
                proved = evidence.read(bytes.fromhex(one["envelope"]))
                of = one["decoded"]["result"]["node"]
                kept.append({"id": one["id"], "voter": proved.key.hex(), "height": proved.height, "node": of})
        return kept

    def ask_again(self) -> None:
        """Sends every second of what is open again, the same bytes to another node; the rest stays open."""
        for id, asked in list(self.open.items())[::2]:
            others = self.nodes.others(asked.node)
            with closing(Client(self.nodes.ports[others[len(self.seqs) % len(others)]], PATIENCE_S)) as client:
                status, answer = client.submit(asked.prepared.envelope)
            if status != 200:
                self.problems.append(f"{id.hex()} sent again: {answer}")
                continue
            del self.open[id]
            self.again += 1
            self.late += bool(answer.get("duplicate"))
            self._close(asked, answer)

    def check(self) -> list[str]:
        """What is wrong with what the nodes keep, once all have the same number of entries. Nobody may be asking."""
        self.ask_again()
        self.nodes.until(lambda state: len({(node.entries, node.size) for node in state.nodes}) == 1)
        state = self.nodes.until_healthy()
        roots = {(node.size, node.root) for node in state.nodes}
        if len(roots) != 1:
            self.problems.append(f"the roots differ: {state}")
        kept = {name: self._new_entries(name) for name in self.nodes.names}
        first = kept[self.nodes.names[0]]
        for name, ids in kept.items():
            if ids != first:
                self.problems.append(f"{name} has other entries than {self.nodes.names[0]}")
        by_seq = dict(enumerate(first, self._checked))
        self.problems += [
            f"{id.hex()} was acknowledged as entry {seq}, which is {by_seq[seq]}"
            for id, seq in self.seqs.items()
            if seq >= self._checked and by_seq.get(seq) != id.hex()
        ]
        if twice := [id for id in first if id in self._ids] + [id for id in first if first.count(id) > 1]:
            self.problems.append(f"twice in the ledger: {twice}")
        if refused := [id for id in first if bytes.fromhex(id) in self.refused]:
            self.problems.append(f"refused, and in the ledger: {refused}")
        self._checked += len(first)
        self._ids.update(first)
        self.problems += linearizability.violations(self.operations)
        return self.problems

    def _new_entries(self, name: str) -> list[str]:
        """The ids of a node's entries behind those that were checked before."""
        with closing(Client(self.nodes.ports[name])) as client:
            size = client.get("/node/status")["entries"]
            return [client.get(f"/app/entries/{seq}")["id"] for seq in range(self._checked, size)]
