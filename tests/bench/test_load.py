"""The load generator at a fixed rate: everything that was due is sent, and each node has its turn."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from hansa.bench import load

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\ngapplied"


@pytest.mark.parametrize("connections", [2, 8])
def test_at_a_rate_all_that_was_due_is_sent_however_late(tmp_path: Path, connections: int) -> None:
    path = tmp_path / "signed"
    path.write_bytes(b"".join(load.LENGTH.pack(3) + b"%03d" % number for number in range(100)))
    heard: Counter[int] = Counter()
    bodies: list[bytes] = []

    async def run() -> dict[str, object]:
        servers: list[asyncio.Server] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while head := await reader.read(4096):  # a request is one small write
                heard[writer.get_extra_info("sockname")[1]] += 1
                bodies.append(head[-3:])
                await asyncio.sleep(0.01)  # two connections cannot keep up with the rate
                writer.write(ANSWER)
            writer.close()

        for _ in range(2):
            servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        found = await load.run(ports, connections, 0.05, path, 1, 1000)
        for server in servers:
            server.close()
        return found

    found = asyncio.run(run())
    assert not found["failures"]
    assert not found["ran_out"]
    assert found["transactions"] == len(bodies) == len(set(bodies))
    assert len(bodies) in (50, 51), "0.05 s of one each ms, but for the rounding of times"
    assert len(heard) == 2
