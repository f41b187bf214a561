"""A real server in a process of its own, its clients, and what they were promised: for kills, full disks, strace."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hansa.client import keys, transactions
from hansa.client.transactions import Prepared
from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import genesis as wire_genesis
from hansa.wire.keys import PublicKey

from .workload import CONTRACT, SOURCE

START_S = 30
OWNER = "northbank"


class Server:
    """`hansa up` on a folder. `prefix` goes before the command, such as strace's."""

    def __init__(self, data: Path, *options: str, prefix: tuple[str, ...] = ()) -> None:
        command = [*prefix, sys.executable, "-m", "hansa.cli.main", "up", "--data", str(data)]
        self.log = open(data.parent / f"{data.name}.log", "ab")  # noqa: SIM115 - open while the process lives
        self.process = subprocess.Popen(
            [*command, "--port", "0", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=self.log,
            start_new_session=True,
        )
        self.url = ""
        self.port = 0
        self.fields: dict[str, Any] = {}

    def ready(self, wait_s: float = START_S) -> bool:
        """Waits for the line that says so; False if the process ended before it.

        The log goes to the same stream: whatever is no JSON object with a URL is passed over.
        """
        deadline = threading.Timer(wait_s, self.kill)
        deadline.start()
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict) and "url" in found:
                    deadline.cancel()
                    self.fields, self.url = found, found["url"]
                    self.port = int(self.url.rsplit(":", 1)[1])
                    return True
        deadline.cancel()
        self.process.wait()
        return False

    def kill(self) -> None:
        """SIGKILL, to the whole session: a tracer's child too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.close()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self.close()
        return code

    def close(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()

    def client(self) -> "Client":
        return Client(self.port)


class Client:
    """One connection. Every failure of it is an `OSError` or an `HTTPException`."""

    def __init__(self, port: int, wait_s: float = 10) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=wait_s)

    def submit(self, envelope: bytes) -> tuple[int, dict[str, Any]]:
        headers = {"content-type": "application/cose"}
        self._connection.request("POST", "/app/transactions", envelope, headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def get(self, path: str) -> dict[str, Any]:
        status, body = self.get_bytes(path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def get_bytes(self, path: str, accept: str = "*/*") -> tuple[int, bytes]:
        self._connection.request("GET", path, headers={"accept": accept})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def checkpoint(self) -> Checkpoint:
        status, body = self.get_bytes("/app/checkpoints/latest", "application/cose")
        assert status == 200
        return receipt.read_bare(body)

    def close(self) -> None:
        self._connection.close()


LOST = (OSError, http.client.HTTPException, ValueError)
"""No answer, or half of one: the outcome is unknown."""


@dataclass
class Promises:
    """What the clients of a ledger know: what was acknowledged, and what is unknown."""

    data: Path
    acknowledged: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    unknown: dict[bytes, Prepared] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    added: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    """What each counting transaction adds to which counter."""
    heads: list[Checkpoint] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        document = (self.data / "genesis.cbor").read_bytes()
        self.ledger = wire_genesis.ledger_id(document)
        found = [PublicKey(node.checkpoint_key) for node in wire_genesis.decode(document).nodes]
        self.pinned = {key.kid: key for key in found}
        self.key = keys.load(self.data / "keys" / "members" / f"{OWNER}.pem")
        self._lock = threading.Lock()

    def deploy(self, client: Client, counters: list[str]) -> None:
        prepared = [
            transactions.prepare(
                self.key, self.ledger, "members", "deploy", {"name": CONTRACT, "source": SOURCE}, steps_max=100_000
            )
        ]
        prepared += [transactions.prepare(self.key, self.ledger, CONTRACT, "open", {"name": n}) for n in counters]
        for one in prepared:
            assert self.send(client, one)["status"] == "applied"

    def add(self, counter: str, amount: int) -> Prepared:
        arguments = {"count": counter, "amount": amount}
        prepared = transactions.prepare(self.key, self.ledger, CONTRACT, "add", arguments)
        with self._lock:
            self.added[prepared.id] = counter, amount
        return prepared

    def send(self, client: Client, prepared: Prepared) -> dict[str, Any]:
        """Sends; the answer is remembered, and compared with the one before if there was one. Raises `LOST`."""
        with self._lock:
            self.unknown[prepared.id] = prepared
        status, answer = client.submit(prepared.envelope)
        with self._lock:
            if status != 200:
                if status != 504 and answer.get("code") not in ("node.faulted", "node.stopping"):
                    del self.unknown[prepared.id]  # refused at intake, or the node is full
                    self.added.pop(prepared.id, None)
                self.refused[answer["code"]] = self.refused.get(answer["code"], 0) + 1
                return answer
            del self.unknown[prepared.id]
            before = self.acknowledged.setdefault(prepared.id, answer)
            if any(before[name] != answer[name] for name in ("seq", "status", "code", "writes", "steps", "time")):
                self.problems.append(f"two answers for {prepared.id.hex()}: {before} and {answer}")
        return answer

    def check(self, client: Client, ids: list[bytes]) -> None:
        """Every one of these acknowledged transactions is there, once, as it was answered."""
        for id in ids:
            told = self.acknowledged[id]
            found = client.get(f"/app/transactions/{id.hex()}")
            if found["status"] != "committed":
                self.problems.append(f"{id.hex()} was acknowledged as entry {told['seq']} and is {found['status']}")
            elif found["seq"] != told["seq"] or any(
                found["decoded"][name] != told[name] for name in ("status", "code", "writes", "steps", "time")
            ):
                self.problems.append(f"{id.hex()} is another entry than was acknowledged: {found}, {told}")

    def resend_unknown(self, client: Client) -> int:
        """The same bytes again: one effect, whether they had come through or not. How many had."""
        before = 0
        for prepared in list(self.unknown.values()):
            found = client.get(f"/app/transactions/{prepared.id.hex()}")
            answer = self.send(client, prepared)
            if found["status"] == "committed":
                before += 1
                if not answer.get("duplicate") or answer.get("seq") != found["seq"]:
                    self.problems.append(f"{prepared.id.hex()} was committed as {found['seq']}, sent again: {answer}")
            again = self.send(client, prepared)
            if not again.get("duplicate") or again.get("seq") != answer.get("seq"):
                self.problems.append(f"{prepared.id.hex()} sent twice: {answer}, {again}")
        return before

    def check_head(self, client: Client) -> None:
        """The newest checkpoint continues every one seen before."""
        head = client.checkpoint()
        for first in self.heads[-3:]:
            status, proof = client.get_bytes(f"/app/consistency?first={first.size}&second={head.size}")
            assert status == 200, proof
            receipt.verify_consistency(proof, first, head.root, self.pinned)
        self.heads.append(head)

    def check_counters(self, client: Client, counters: list[str]) -> None:
        """Each counter is the sum of what was added, and each entry is in the ledger once."""
        sums = dict.fromkeys(counters, 0)
        for id, (counter, amount) in self.added.items():
            if id in self.acknowledged:
                sums[counter] += amount
        for counter, expected in sums.items():
            found = client.get(f"/app/contracts/{CONTRACT}/records/Count/value?key={counter}")["value"]["value"]
            if found != expected:
                self.problems.append(f"counter {counter} is {found}, not {expected}")
        size = client.get("/node/status")["entries"]
        if size != len(self.acknowledged) + 1:
            self.problems.append(f"{size} entries for {len(self.acknowledged)} transactions and the genesis")
        seqs = sorted(answer["seq"] for answer in self.acknowledged.values())
        if seqs != list(range(1, len(seqs) + 1)):
            self.problems.append("the seqs have gaps or twins")


class Load:
    """Threads that send without pause until they are stopped or the server goes."""

    def __init__(self, server: Server, promises: Promises, counters: list[str], threads: int, pause_s: float = 0.0):
        self._promises = promises
        self._counters = counters
        self._stopping = threading.Event()
        self._pause_s = pause_s
        self._threads = [threading.Thread(target=self._run, args=(server.client(), i)) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self, client: Client, number: int) -> None:
        chance = Random(number)
        with contextlib.suppress(*LOST):
            while not self._stopping.is_set():
                prepared = self._promises.add(chance.choice(self._counters), chance.randrange(1, 9))
                self._promises.send(client, prepared)
                if self._pause_s:
                    time.sleep(self._pause_s)
        client.close()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
