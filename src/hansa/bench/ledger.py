"""A ledger to measure: 64 members, 10,000 accounts, and transfers signed beforehand by their owners' keys."""

import asyncio
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

from hansa.bench.processes import anonymous_mb, cpu_seconds, end_with_parent, start_node
from hansa.client import keys, transactions
from hansa.node.create import Founder, create_ledger, member_key
from hansa.node.intake import Answer
from hansa.node.node import Node, open_node
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

MEMBERS = 64
ACCOUNTS = 10_000
STEPS_MAX: Final = 1_000
"""More than a payment of the benchmark takes."""
VALID_MS: Final = 55 * 60 * 1000
"""Transactions are signed before the rounds in which they are sent."""
LENGTH = struct.Struct(">I")


def member(number: int) -> str:
    """A member's name."""
    return f"m{number:02d}"


class Ledger:
    """A ledger in a temporary folder, and the server process over it while it runs. A context manager."""

    def __init__(self, accounts: int = ACCOUNTS, where: Path | None = None) -> None:
        self.accounts = accounts
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.root = Path(tempfile.mkdtemp(prefix="hansa-bench-", dir=where))
        try:
            self.folder = Folder(self.root / "ledger")
            founders = [Founder(member(i), member(i), deployer=not i) for i in range(MEMBERS)]
            self.id = create_ledger(Disk(), self.folder, "Bench", founders)
            asyncio.run(self._set_up())
        except BaseException:  # an interruption too: private keys lie there
            self.remove()
            raise

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the server if it runs, and removes the folder."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.kill()
        finally:
            self.remove()

    async def _set_up(self) -> None:
        loaded = {member(i): keys.load(member_key(self.folder, member(i))) for i in range(MEMBERS)}
        source = Path(__file__).with_name("transfer_contract.py").read_text()
        node = open_node(self.folder.root)
        node.start()
        deployment = {"name": "transfer", "source": source}
        await self._submit(node, loaded[member(0)], "members", "deploy", deployment, transactions.deploy_steps(source))
        for start in range(0, self.accounts, 500):
            await asyncio.gather(
                *(
                    self._submit(
                        node,
                        loaded[member(i % MEMBERS)],
                        "transfer",
                        "open",
                        {"id": f"a{i}", "owner": member(i % MEMBERS), "balance": 1_000_000},
                        STEPS_MAX,
                    )
                    for i in range(start, min(start + 500, self.accounts))
                )
            )
        await node.stop()

    async def _submit(
        self, node: Node, key: PrivateKey, contract: str, action: str, arguments: dict[str, Any], steps: int
    ) -> None:
        done: asyncio.Future[Answer | HansaError] = asyncio.get_running_loop().create_future()
        made = transactions.prepare(key, self.id, contract, action, arguments, steps_max=steps)
        node.submit(made.envelope, done.set_result)
        answer = await done
        if not isinstance(answer, Answer) or b"applied" not in answer.outcome:
            raise RuntimeError(answer)

    def sign(self, count: int, path: Path) -> None:
        """Signs `count` transfers between random accounts into a file, on all cores."""
        sign(self.id, [member_key(self.folder, member(i)) for i in range(MEMBERS)], self.accounts, count, path)

    def start(self, timeout: float = 60) -> float:
        """Starts the server; the seconds until it was ready."""
        begun = time.perf_counter()
        self.process = start_node(self.folder.root)
        line = self.process.stdout.readline()  # type: ignore[union-attr]
        ready = time.perf_counter() - begun
        if ready > timeout or not line:
            raise RuntimeError("the server did not start")
        self.port = int(json.loads(line)["url"].rsplit(":", 1)[1])
        return ready

    def kill(self) -> None:
        """Ends the server as a crash would."""
        assert self.process is not None
        self.process.kill()
        self._ended()

    def stop(self) -> None:
        """Ends the server in order."""
        assert self.process is not None
        self.process.terminate()
        self._ended()

    def _ended(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def load(self, connections: int, seconds: float, path: Path, batch: int) -> dict[str, float]:
        """One run of the load generator against the running server, with the server's CPU in us a transfer."""
        assert self.process is not None
        before = cpu_seconds(self.process.pid)
        result = load([self.port], connections, seconds, path, batch)
        used = cpu_seconds(self.process.pid) - before
        return {**result, "cpu_us": used / result["transactions"] * 1e6}

    def memory_mb(self) -> float:
        """Anonymous memory of the server and its workers."""
        assert self.process is not None
        return anonymous_mb(self.process.pid)

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.root, ignore_errors=True)


def load(
    ports: list[int], connections: int, seconds: float, path: Path, batch: int, rate: float = 0
) -> dict[str, float]:
    """One run of the load generator against nodes of a ledger; raises `RuntimeError` unless all was applied."""
    words = [",".join(map(str, ports)), str(connections), str(seconds), str(path), str(batch), str(rate)]
    command = [sys.executable, "-m", "hansa.bench.load", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a module of ours
    result = json.loads(done.stdout)
    if result["failures"] or result["ran_out"]:
        raise RuntimeError(f"{result}")
    return result  # type: ignore[no-any-return]


def sign(ledger: bytes, owners: list[Path], accounts: int, count: int, path: Path) -> None:
    """Signs `count` transfers into a file, on all cores; the keys in `owners` own the accounts in turn."""
    share = count // 2
    with ProcessPoolExecutor(2, initializer=end_with_parent, initargs=(os.getpid(),)) as pool:
        parts = list(
            pool.map(_sign, [ledger] * 2, [owners] * 2, [accounts] * 2, [share, count - share], [1, 2]),
        )
    path.write_bytes(b"".join(parts))


def _sign(ledger: bytes, owners: list[Path], accounts: int, count: int, seed: int) -> bytes:
    loaded = [keys.load(path) for path in owners]
    chance = random.Random(f"{seed} {os.getpid()} {time.time_ns()}")  # noqa: S311 - who pays whom is no secret
    not_after = time.time_ns() // 1_000_000 + VALID_MS
    parts: list[bytes] = []
    for _ in range(count):
        payer = chance.randrange(accounts)
        payee = (payer + chance.randrange(1, accounts)) % accounts
        made = transactions.prepare(
            loaded[payer % len(loaded)],
            ledger,
            "transfer",
            "pay",
            {"account": f"a{payer}", "to": f"a{payee}", "amount": 1},
            steps_max=STEPS_MAX,
            not_after=not_after,
        )
        parts.append(LENGTH.pack(len(made.envelope)) + made.envelope)
    return b"".join(parts)
