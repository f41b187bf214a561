"""A program goes on while its node is killed and started again: every call is applied, none twice."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.client import AsyncClient, Client, transactions

CONTRACT = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"
CALLS = 90
KILLED_AFTER = (15, 40, 65)
"""After so many answers the node is killed."""


class Killed:
    """A node in a process of its own, always at the same port."""

    def __init__(self, root: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        start = [sys.executable, "-m", "hansa.cli.main", "up", "--data", str(root), "--port", str(port)]
        self._command = [*start, "--json", "--reserve-mb", "0"]
        self.url = f"http://127.0.0.1:{port}"
        self.key = root / "keys" / "members" / "northbank.pem"
        self.start()

    def start(self) -> None:
        self._process: Any = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["url"] == self.url

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Killed]:
    made = Killed(tmp_path / "ledger")
    yield made
    made.kill()


def test_a_program_goes_on_while_its_node_is_killed(node: Killed, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    with Client(node.url, node.key, memory=memory) as client:
        source = CONTRACT.read_text()
        arguments = {"name": "example_ledger", "source": source}
        client.call("members", "deploy", arguments, steps_max=transactions.deploy_steps(source))
    seqs = asyncio.run(work(node, memory))
    assert len(set(seqs.values())) == CALLS
    with Client(node.url, memory=memory) as client:
        assert client.checkpoint().size == 2 + CALLS  # genesis, the contract, and each call once
        assert client.receipt(max(seqs.values())).proven.signer == "northbank"


async def work(node: Killed, memory: Path) -> dict[str, int]:
    """The seq of each call's entry, by its message."""
    waiting = [f"message {number}" for number in range(CALLS)]
    seqs: dict[str, int] = {}
    reached = {count: asyncio.Event() for count in KILLED_AFTER}

    async def worker(client: AsyncClient) -> None:
        while waiting:
            message = waiting.pop()
            arguments = {"to": "harbourline", "message": message}
            answer = await client.call("example_ledger", "tell", arguments)
            assert answer.seq is not None
            seqs[message] = answer.seq
            if len(seqs) in reached:
                reached[len(seqs)].set()

    async def killer() -> None:
        for count in KILLED_AFTER:
            await reached[count].wait()
            await asyncio.to_thread(node.kill)
            await asyncio.to_thread(node.start)

    async with AsyncClient(node.url, node.key, memory=memory) as client:
        await asyncio.gather(killer(), *(worker(client) for _ in range(8)))
    return seqs
