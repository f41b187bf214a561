"""The load generator: sends transactions signed beforehand over HTTP and checks that every answer says applied.

A process of its own, one event loop, a bare protocol: it must cost little, since it shares the cores with what it
measures. It never sends a transaction twice, so duplicates cannot pass for speed; it stops when its set is used up.
"""

import asyncio
import json
import struct
import sys
import time
from pathlib import Path
from typing import cast

import uvloop

LENGTH = struct.Struct(">I")
APPLIED = b"gapplied"  # CBOR text, as it stands in the outcome of an answer


def read_requests(path: Path, batch: int, kind: str) -> list[bytes]:
    """The HTTP requests for the envelopes in a file, `batch` to a request."""
    data = path.read_bytes()
    envelopes: list[bytes] = []
    position = 0
    while position < len(data):
        (length,) = LENGTH.unpack_from(data, position)
        position += LENGTH.size
        envelopes.append(data[position : position + length])
        position += length
    requests: list[bytes] = []
    for start in range(0, len(envelopes) - batch + 1, batch):
        body = b"".join(envelopes[start : start + batch])
        head = (
            "POST /app/transactions HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/cbor\r\n"
            f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


class Connection(asyncio.Protocol):
    """One closed-loop connection: the next request goes out when the last answer is in."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins."""
        self.transport = cast("asyncio.WriteTransport", transport)
        self.send()

    def send(self) -> None:
        """Sends the next request, or closes if there is none."""
        request = self.load.next_request()
        if request is None:
            self.transport.close()
            return
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Takes an answer; the next request follows once it is whole."""
        self.buffer = self.buffer + data if self.buffer else data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.buffer.find(b"content-length: ", 0, end)
        length = int(self.buffer[at + 16 : self.buffer.index(b"\r", at)])
        if len(self.buffer) < end + 4 + length:
            return
        answer, self.buffer = self.buffer, b""
        self.load.answered(answer, time.perf_counter() - self.sent)
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Is the end of this connection."""
        self.load.closed()


class Load:
    """All connections of one run, and what came back."""

    def __init__(self, requests: list[bytes], batch: int, seconds: float) -> None:
        self.requests = iter(requests)
        self.batch = batch
        self.latencies: list[float] = []
        self.failures: list[str] = []
        self.until = time.perf_counter() + seconds
        self.ran_out = False
        self.open = 0
        self.done = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        """A request nobody has sent; None at the end of time or of the set."""
        if time.perf_counter() >= self.until or self.failures:
            return None
        request = next(self.requests, None)
        if request is None:
            self.ran_out = True
        return request

    def answered(self, answer: bytes, seconds: float) -> None:
        """Counts an answer, which must say so often that it was applied."""
        if answer.count(APPLIED) != self.batch:
            self.failures.append(repr(answer[:400]))
        self.latencies.append(seconds)

    def closed(self) -> None:
        """Is told of each connection's end."""
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


async def run(port: int, connections: int, seconds: float, path: Path, batch: int) -> dict[str, object]:
    """One run; its figures."""
    kind = "application/cose" if batch == 1 else "application/cbor-seq"
    load = Load(read_requests(path, batch, kind), batch, seconds)
    load.open = connections
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
    await load.done
    elapsed = time.perf_counter() - started
    ordered = sorted(load.latencies)
    return {
        "transactions": len(ordered) * batch,
        "seconds": elapsed,
        "per_second": len(ordered) * batch / elapsed,
        "p50_ms": 1000 * ordered[len(ordered) // 2] if ordered else 0,
        "p99_ms": 1000 * ordered[len(ordered) * 99 // 100] if ordered else 0,
        "ran_out": load.ran_out,
        "failures": load.failures[:3],
    }


if __name__ == "__main__":
    port, connections, seconds, path, batch = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(int(port), int(connections), float(seconds), Path(path), int(batch)))
    sys.stdout.write(json.dumps(result))
