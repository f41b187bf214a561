"""What the API's tests share: servers as users start them, raw connections to them, and signed transactions.

`server` is `hansa up` itself with the example ledger deployed. `make_server` starts others, whose constants are set
from outside and whose blocks can be held back, so that time-outs and slow disks are seen in a second.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from hypothesis import settings

from hansa.client import keys, transactions

# A busy machine is no failure: pytest-timeout bounds each test instead.
settings.register_profile("hansa", deadline=None)
settings.load_profile("hansa")

EXAMPLE = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"
MEMBERS = ("northbank", "harbourline", "eastmutual", "tradewatch")

# Runs `hansa up` with constants set as the first argument says, and holds blocks back while DATA.hold exists.
LAUNCHER = """
import importlib, json, pathlib, resource, sys, time
from hansa.store import journal
from hansa.cli.main import main

changes = json.loads(sys.argv.pop(1))
files = changes.pop("files", None)
if files:
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
for name, value in changes.items():
    module, attribute = name.rsplit(".", 1)
    setattr(importlib.import_module(module), attribute, value)
hold = pathlib.Path(sys.argv[sys.argv.index("--data") + 1] + ".hold")
append = journal.Writer.append

def slow_append(self, blocks):
    time.sleep(0.005)  # slow enough for a thread to wait for the disk
    while hold.exists():
        time.sleep(0.005)
    return append(self, blocks)

if changes.get("hansa.api.server._STOP_S"):
    journal.Writer.append = slow_append
main()
"""


class Answer:
    """One HTTP answer as it came."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of a problem document; it must be one."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        problem = self.json()
        assert problem["status"] == self.status
        return problem["code"]


class Line:
    """A connection on which bytes are sent as they are, and answers read one by one."""

    def __init__(self, port: int, timeout: float = 10, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *data: bytes) -> None:
        self.socket.sendall(b"".join(data))

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise EOFError(self._read)
        self._read += data

    def answer(self, *, head: bool = False) -> Answer:
        """The next answer. Raises `EOFError` if the connection ends before it is whole."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        start, _, self._read = self._read.partition(b"\r\n\r\n")
        status, *lines = start.decode("latin-1").split("\r\n")
        assert re.match(r"HTTP/1\.1 \d{3} ", status)
        names = [line.partition(": ")[0].lower() for line in lines]
        assert len(set(names)) == len(names), lines  # no header twice
        headers = dict(line.partition(": ")[::2] for line in lines)
        length = 0 if head else int(headers.get("content-length", 0))
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(int(status.split(" ")[1]), headers, body)

    def is_closed(self, within: float = 10) -> bool:
        """Whether the server closes this connection in time; whatever it sends before that is passed over."""
        limit = time.monotonic() + within
        try:
            while (left := limit - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(65_536):
                    return True
        except ConnectionError:
            return True
        except TimeoutError:
            pass
        return False


class Server:
    """A server process over a folder of its own."""

    def __init__(self, root: Path, changes: dict | None = None, options: tuple[str, ...] = ()) -> None:
        self.root = root
        self._hold = Path(f"{root}.hold")
        start = [sys.executable, "-m", "hansa.cli.main"]
        if changes is not None:
            start = [sys.executable, "-c", LAUNCHER, json.dumps(changes)]
        command = [*start, "up", "--data", str(root), "--port", "0", "--json", "--reserve-mb", "0", *options]
        self.log = Path(f"{root}.log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        fields = json.loads(self.process.stdout.readline())
        if "url" not in fields:
            self.process.communicate()
            pytest.fail(str(fields))
        self.fields = fields
        self.url, self.ledger = fields["url"], bytes.fromhex(fields["ledger"])
        self.port = int(self.url.rsplit(":", 1)[1])
        self.host = f"127.0.0.1:{self.port}".encode()
        self.keys = {name: keys.load(root / "keys" / "members" / f"{name}.pem") for name in MEMBERS}

    def stop(self) -> int:
        self.release()
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code

    def defects(self) -> list[str]:
        """Every sign in the log that something went wrong which nobody expected."""
        signs = ("Traceback", "Exception in", "node.defect", "listener.failed", "contract.internal", '"asyncio"')
        return [line for line in self.log.read_text().splitlines() if any(sign in line for sign in signs)]

    # Transactions

    def prepare(self, contract="nowhere", action="nothing", arguments=None, *, by="northbank", **options):
        return transactions.prepare(self.keys[by], self.ledger, contract, action, arguments or {}, **options)

    def deploy(self, name="example_ledger"):
        source = EXAMPLE.read_text()
        return self.prepare(
            "members", "deploy", {"name": name, "source": source}, steps_max=transactions.deploy_steps(source)
        )

    def tell(self, message="hello", by="northbank", **options):
        return self.prepare("example_ledger", "tell", {"to": "eastmutual", "message": message}, by=by, **options)

    def forged(self):
        envelope = self.tell().envelope
        return envelope[:-1] + bytes([envelope[-1] ^ 1])

    # Requests

    def request(self, envelope, query=b"", *, headers=b"", kind=b"application/cose", version=b"1.1", host=None):
        """The bytes of a submission."""
        return b"".join((
            b"POST /app/transactions", query, b" HTTP/", version, b"\r\nhost: ", host or self.host,
            b"\r\ncontent-type: ", kind, b"\r\ncontent-length: ", str(len(envelope)).encode(), b"\r\n",
            headers, b"\r\n", envelope,
        ))  # fmt: skip

    def get(self, path: bytes, headers=b"", method=b"GET") -> bytes:
        """The bytes of a request without a body."""
        return method + b" " + path + b" HTTP/1.1\r\nhost: " + self.host + b"\r\n" + headers + b"\r\n"

    def line(self, timeout=10, source="127.0.0.1") -> Line:
        return Line(self.port, timeout, source)

    def ask(self, request: bytes, timeout=10) -> Answer:
        """The answer to one request on a connection of its own."""
        with self.line(timeout) as line:
            line.send(request)
            return line.answer()

    def submit(self, prepared, query=b"", **options) -> Answer:
        return self.ask(self.request(getattr(prepared, "envelope", prepared), query, **options))

    def entries(self) -> int:
        return self.ask(self.get(b"/node/status")).json()["entries"]

    def lookup(self, id: bytes) -> str:
        return self.ask(self.get(b"/app/transactions/" + id.hex().encode())).json()["status"]

    def until(self, condition, seconds=5):
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit, "it did not come to that"
            time.sleep(0.01)

    # The process

    def hold(self) -> None:
        """From now on no block becomes durable."""
        self._hold.touch()

    def release(self) -> None:
        self._hold.unlink(missing_ok=True)

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def make_server(tmp_path_factory):
    """`make_server(HEADERS_S_MAX=0.5)` sets constants of `api.submit`; blocks of such a server can be held back."""
    made = []

    def make(*, files=None, **constants):
        changes = {f"hansa.api.submit.{name}": value for name, value in constants.items()}
        changes["hansa.api.server._STOP_S"] = 1
        if files is not None:
            changes["files"] = files
        made.append(Server(tmp_path_factory.mktemp("server") / "ledger", changes))
        return made[-1]

    yield make
    for server in made:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """`hansa up` with the example ledger, two accounts and a title whose history has three values."""
    started = Server(tmp_path_factory.mktemp("up") / "ledger", {"hansa.api.app.AT_LEAST_S": 0.05})
    try:
        usd = {"currency": "USD", "minor": 10_000}
        for prepared in (
            started.deploy(),
            started.prepare("example_ledger", "open", {"owner": "northbank", "balance": usd}, by="tradewatch"),
            started.prepare("example_ledger", "open", {"owner": "eastmutual", "balance": usd}, by="tradewatch"),
            started.prepare("example_ledger", "register", {"thing": "boat", "owner": "northbank"}, by="tradewatch"),
            started.prepare("example_ledger", "sell", {"title": "boat", "to": "eastmutual"}),
            started.prepare("example_ledger", "sell", {"title": "boat", "to": "northbank"}, by="eastmutual"),
        ):
            answer = started.submit(prepared)
            assert answer.json()["status"] == "applied", answer.body
        yield started
    finally:
        code = started.stop()
    assert code == 0
    assert started.defects() == []


@pytest.fixture(scope="module")
def client(server):
    with httpx2.Client(base_url=server.url, timeout=10) as made:
        yield made
