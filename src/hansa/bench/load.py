"""The load generator: sends transactions signed beforehand over HTTP and checks that every answer says applied.

A process of its own, one event loop, a bare protocol: it must cost little, since it shares the cores with what it
measures. It never sends a transaction twice, so duplicates cannot pass for speed; it stops when its set is used up.
Connections take turns among the nodes. With a rate, requests go out at fixed times whether answers are in or not, and a
latency counts from the time at which its request was due.
"""

import asyncio
import json
import math
import struct
import sys
import time
from collections import deque
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
    """One connection, with one request at a time on its way."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins."""
        self.transport = cast("asyncio.WriteTransport", transport)
        self.load.free(self)

    def send(self, due: float) -> None:
        """Sends the next request, whose latency counts from `due`, or closes if there is none."""
        request = self.load.next_request()
        if request is None:
            self.transport.close()
            return
        self.sent = due
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
        self.load.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Is the end of this connection."""
        self.load.closed()


class Load:
    """All connections of one run, and what came back; in a closed loop, each sends when its last answer is in."""

    def __init__(self, requests: list[bytes], batch: int, seconds: float) -> None:
        self.requests = iter(requests)
        self.batch = batch
        self.latencies: list[float] = []
        self.failures: list[str] = []
        self.until = time.perf_counter() + seconds
        self.ran_out = False
        self.open = 0
        self.done = asyncio.get_running_loop().create_future()

    def free(self, connection: Connection) -> None:
        """Is told when a connection can send."""
        connection.send(time.perf_counter())

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


class Paced(Load):
    """So many requests a second, each by the connection that has been free the longest."""

    def __init__(self, requests: list[bytes], batch: int, seconds: float, rate: float) -> None:
        super().__init__(requests, batch, math.inf)  # what was due is sent, however late
        begun = time.perf_counter()
        self.last = begun + seconds
        self.pause = 1 / rate
        self.waiting: deque[Connection] = deque()
        self.overdue: deque[float] = deque()
        asyncio.get_running_loop().call_soon(self.tick, begun)

    def tick(self, due: float) -> None:
        """Has the request sent that is due, at once or when a connection is free; then waits for the next."""
        if due >= self.last or self.failures:
            while self.waiting:
                self.waiting.popleft().transport.close()
            return
        self.overdue.append(due)
        if self.waiting:
            self.free(self.waiting.popleft())
        following = due + self.pause
        asyncio.get_running_loop().call_later(max(0.0, following - time.perf_counter()), self.tick, following)

    def free(self, connection: Connection) -> None:
        """Is told when a connection can send."""
        if self.overdue:
            connection.send(self.overdue.popleft())
        elif time.perf_counter() >= self.last or self.failures:
            connection.transport.close()
        else:
            self.waiting.append(connection)


async def run(
    ports: list[int], connections: int, seconds: float, path: Path, batch: int, rate: float
) -> dict[str, object]:
    """One run; its figures. `rate`: requests a second; 0 for as many as are answered."""
    kind = "application/cose" if batch == 1 else "application/cbor-seq"
    requests = read_requests(path, batch, kind)
    load = Paced(requests, batch, seconds, rate) if rate else Load(requests, batch, seconds)
    load.open = connections
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for number in range(connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", ports[number % len(ports)])
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
    ports, connections, seconds, path, batch, rate = sys.argv[1:]
    at = [int(port) for port in ports.split(",")]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(at, int(connections), float(seconds), Path(path), int(batch), float(rate)))
    sys.stdout.write(json.dumps(result))
