"""Clients that mean harm or know no better: whatever one does, the others are served, and nothing grows without bound.

The limits on time are shortened so that they pass in a second; they are the same code.
"""

import contextlib
import json
import resource
import subprocess
import sys
import threading
import time

import pytest
from tests.api.conftest import MEMBERS, Server

from hansa.wire.limits import BATCH_BYTES_MAX

HEADERS_S, BODY_S, IDLE_S, ANSWER_S = 0.5, 1.0, 1.0, 1.5
SLACK_S = 2.0
"""What a busy machine may take longer."""
SERVED_S = 20.0
IDLE_CONNECTIONS = 10_000
ROOM = 64
GROWTH_MB_MAX = 60


@pytest.fixture(scope="module")
def short(make_server):
    """A server with short limits on time and the example ledger."""
    limits = {"HEADERS_S_MAX": HEADERS_S, "BODY_S_MAX": BODY_S, "IDLE_S_MAX": IDLE_S, "ANSWER_S_MAX": ANSWER_S}
    made = make_server(**limits, SWEEP_S=0.05)
    assert made.submit(made.deploy()).json()["status"] == "applied"
    yield made
    assert made.defects() == []


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A server whose queue has little room, and whose blocks can be held back."""
    changes = {"hansa.node.intake.QUEUE_TRANSACTIONS_MAX": ROOM, "hansa.api.server._STOP_S": 1}
    made = Server(tmp_path_factory.mktemp("crowded") / "ledger", changes)
    try:
        assert made.submit(made.deploy()).json()["status"] == "applied"
        yield made
    finally:
        made.stop()
    assert made.defects() == []


def served(server, by="eastmutual"):
    """Somebody else is served, and soon."""
    began = time.monotonic()
    assert server.submit(server.tell(by=by)).json()["status"] == "applied"
    assert server.ask(server.get(b"/node/ready")).status == 200
    assert time.monotonic() - began < SERVED_S


@contextlib.contextmanager
def lines(server, count):
    """So many connections."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.line()) for _ in range(count)]


def drip(line, pieces, seconds):
    """Sends piece by piece until the server has had enough."""
    limit = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < limit:
            line.send(next(pieces))
            time.sleep(0.02)


def forever(piece):
    while True:
        yield piece


# Slow and silent


@pytest.mark.parametrize("start", [b"", b"POST /app/transactions HTTP/1.1\r\n", b"GET /node/status HTTP/1.1\r\nx: "])
def test_slow_headers_are_cut_off(short, start):
    with lines(short, 30) as slow:
        for line in slow:
            line.send(start)
        threads = [threading.Thread(target=drip, args=(line, forever(b"a"), BODY_S + SLACK_S)) for line in slow[:5]]
        for thread in threads:
            thread.start()
        served(short)
        assert all(line.is_closed(HEADERS_S + SLACK_S) for line in slow)
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("path", [b"/app/transactions", b"/app/contracts/example_ledger/views/balance_of"])
def test_slow_bodies_are_cut_off(short, path):
    head = short.get(path, b"content-type: application/cose\r\ncontent-length: 5000\r\n", b"POST")
    with lines(short, 30) as slow:
        for line in slow:
            line.send(head)
        threads = [threading.Thread(target=drip, args=(line, forever(b"a"), BODY_S + SLACK_S)) for line in slow[:5]]
        for thread in threads:
            thread.start()
        served(short)
        assert all(line.is_closed(BODY_S + SLACK_S) for line in slow)
        for thread in threads:
            thread.join()


def test_an_idle_connection_is_kept_a_while_and_then_closed(short):
    with short.line() as line:
        for _ in range(3):
            line.send(short.get(b"/node/version"))
            assert line.answer().status == 200
            time.sleep(IDLE_S / 4)
        assert line.is_closed(IDLE_S + SLACK_S)


def test_who_does_not_take_his_answers_is_closed(short):
    before = short.memory_mb()
    with short.line() as line:
        line.socket.settimeout(0.2)
        with pytest.raises(OSError):
            while True:  # until nothing fits in between any more
                line.send(short.get(b"/openapi.json"))
                time.sleep(0.0005)
        served(short)
        time.sleep(ANSWER_S + BODY_S)
        assert line.is_closed(0.5)
    assert short.memory_mb() - before < GROWTH_MB_MAX


def test_refusals_that_nobody_takes_do_not_pile_up(short):
    before = short.memory_mb()
    request = short.request(b"noise") * 100
    with short.line() as line:
        line.socket.settimeout(0.2)
        with pytest.raises(OSError):
            for _ in range(10_000):  # some 150 MB
                line.send(request)
        served(short)
    assert short.memory_mb() - before < GROWTH_MB_MAX


def test_requests_in_a_row_are_answered_in_their_order(short):
    """Also where each is refused the moment its turn comes."""
    with short.line() as line:
        line.send(short.request(short.tell().envelope), *[short.request(b"noise")] * 400, short.get(b"/node/version"))
        assert line.answer().json()["status"] == "applied"
        assert [line.answer().code for _ in range(400)] == ["envelope.form"] * 400
        assert line.answer().json()["version"]


@pytest.mark.parametrize("path", [b"/openapi.json", b"/app/contracts/example_ledger/views/balance_of"])
def test_requests_in_a_row_without_end(short, path):
    before = short.memory_mb()
    method = b"GET" if path == b"/openapi.json" else b"POST"
    with short.line() as line:
        request = short.get(path, b"content-length: 0\r\n", method) * 1_000
        with contextlib.suppress(OSError):
            for _ in range(100):
                line.send(request)
        assert line.is_closed(BODY_S + SLACK_S)
    served(short)
    assert short.memory_mb() - before < GROWTH_MB_MAX


CROWD = """
import resource, socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
request = b"GET /node/version HTTP/1.1\\r\\nhost: 127.0.0.1:%d\\r\\n\\r\\n" % port
opened = []
for number in range(count):
    # Each source address has ports of its own.
    source = (f"127.0.{1 + number // 1000}.{1 + number % 20}", 0)
    opened.append(socket.create_connection(("127.0.0.1", port), 10, source_address=source))
    opened[-1].sendall(request)
for connection in opened:
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
print("ready", flush=True)
sys.stdin.readline()
still = 0
for connection in opened:
    connection.setblocking(False)
    try:
        still += bool(connection.recv(1))
    except BlockingIOError:
        still += 1
print(still, flush=True)
"""


def test_ten_thousand_idle_connections_leave_the_others_served(server):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < IDLE_CONNECTIONS + 500:
        pytest.fail(f"this machine allows {hard} open files (ulimit -Hn); {IDLE_CONNECTIONS + 500} are needed")
    command = [sys.executable, "-c", CROWD, str(server.port), str(IDLE_CONNECTIONS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
        assert crowd.stdout.readline() == "ready\n"
        for by in MEMBERS:
            served(server, by)
        idle = server.cpu_s()
        time.sleep(1)
        assert server.cpu_s() - idle < 0.5  # they cost next to nothing
        out, _ = crowd.communicate("\n", timeout=10)
        assert int(out) == IDLE_CONNECTIONS
    assert crowd.returncode == 0
    served(server)


def test_at_the_limit_of_connections_the_longest_idle_go(make_server):
    limited = make_server(files=300)  # 172 for connections
    assert limited.submit(limited.deploy()).json()["status"] == "applied"
    with lines(limited, 150) as idle:
        for line in idle:
            line.send(limited.get(b"/node/version"))
            assert line.answer().status == 200
        with lines(limited, 150) as more:
            for line in more:
                line.send(limited.get(b"/node/version"))
                assert line.answer().status == 200
            served(limited)
        assert sum(line.is_closed(0.001) for line in idle[:50]) == 50


# Without end


def test_headers_without_end(short):
    before = short.memory_mb()
    for piece in (b"a" * 65_536, b"x: y\r\n" * 10_000):
        with short.line() as line:
            line.send(b"GET /node/status HTTP/1.1\r\n")
            with contextlib.suppress(OSError):
                for _ in range(1_000):
                    line.send(piece)
            assert line.is_closed(1)
    served(short)
    assert short.memory_mb() - before < GROWTH_MB_MAX


def test_headers_that_are_too_long_are_told_so(short):
    with short.line() as line:
        line.send(b"GET /node/status HTTP/1.1\r\nx: ", b"a" * 300_000)
        time.sleep(0.1)
        with contextlib.suppress(OSError):
            line.send(b"a")
        with contextlib.suppress(ConnectionError):  # the kernel may drop what it had for us
            assert line.answer().code == "request.oversized"


def test_headers_of_a_usual_length_pass(short):
    with short.line() as line:
        for _ in range(3):
            line.send(short.get(b"/node/version", b"x: " + b"a" * 30_000 + b"\r\n"))
            assert line.answer().status == 200


@pytest.mark.parametrize("path", [b"/app/transactions", b"/app/contracts/example_ledger/views/balance_of"])
@pytest.mark.parametrize("size", [1, 60_000])
def test_a_chunked_body_without_end(short, path, size):
    before = short.memory_mb()
    chunk = b"%x\r\n" % size + b"a" * size + b"\r\n"
    with short.line() as line:
        line.send(short.get(path, b"content-type: application/cose\r\ntransfer-encoding: chunked\r\n", b"POST"))
        limit = time.monotonic() + BODY_S + SLACK_S
        with contextlib.suppress(OSError):
            line.socket.settimeout(BODY_S + SLACK_S)
            while time.monotonic() < limit:
                line.send(chunk * max(1, 60_000 // size))
        assert line.is_closed(BODY_S)
    served(short)
    assert short.memory_mb() - before < GROWTH_MB_MAX


def test_trailers_without_end(short):
    before = short.memory_mb()
    with short.line() as line:
        headers = b"content-type: application/cose\r\ntransfer-encoding: chunked\r\n"
        line.send(short.get(b"/app/transactions", headers, b"POST"), b"1\r\na\r\n0\r\n")
        with contextlib.suppress(OSError):
            for _ in range(2_000):
                line.send(b"x: " + b"a" * 60_000 + b"\r\n")
        assert line.is_closed(1)
    served(short)
    assert short.memory_mb() - before < GROWTH_MB_MAX


def test_a_transaction_may_come_in_chunks(short):
    prepared = short.tell()
    headers = b"content-type: application/cose\r\ntransfer-encoding: chunked\r\n"
    pieces = [prepared.envelope[at : at + 7] for at in range(0, len(prepared.envelope), 7)]
    body = b"".join(b"%x\r\n" % len(piece) + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"
    assert short.ask(short.get(b"/app/transactions", headers, b"POST") + body).json()["status"] == "applied"


def test_a_body_that_comes_byte_by_byte_costs_no_more_than_its_size(short):
    """Joining what has come with each new piece would cost the square of it."""
    began = short.cpu_s()
    with short.line() as line:
        line.send(short.get(b"/app/transactions", b"content-length: %d\r\n" % BATCH_BYTES_MAX, b"POST"))
        with contextlib.suppress(OSError):
            for _ in range(20_000):
                line.send(b"a")
    served(short)
    assert short.cpu_s() - began < 3


# What is no HTTP


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /node/status HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /app/transactions HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /app/transactions HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
        b"POST /app/transactions HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\na",
        b"POST /app/transactions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=repr,
)
def test_what_is_no_http_is_refused_and_closed(short, noise):
    with short.line() as line:
        line.send(noise)
        answer = line.answer()
        assert (answer.status, answer.code) == (400, "request.form")
        assert answer.headers["connection"] == "close"
        assert line.is_closed()
    served(short)


def test_noise_behind_a_transaction_is_not_taken_for_its_answer(crowded):
    prepared = crowded.tell()
    crowded.hold()
    with crowded.line() as line:
        line.send(crowded.request(prepared.envelope), b"\x00noise\r\n\r\n")
        with pytest.raises((EOFError, ConnectionError)):
            line.answer()
    crowded.release()
    crowded.until(lambda: crowded.lookup(prepared.id) == "committed")


# The queue


def test_a_flood_of_one_member_leaves_the_others_served(crowded):
    crowded.hold()
    flood = [crowded.tell() for _ in range(3 * ROOM)]
    other = crowded.tell(by="eastmutual")
    with crowded.line() as line, crowded.line() as another:
        line.send(*[crowded.request(one.envelope, b"?wait=accepted") for one in flood])
        answers = [line.answer() for _ in flood]
        refused = [answer for answer in answers if answer.status != 202]
        assert {(answer.status, answer.code, answer.headers["retry-after"]) for answer in refused} == {
            (503, "queue.share", "1")
        }
        assert ROOM // 4 <= len(answers) - len(refused) <= ROOM
        another.send(crowded.request(other.envelope, b"?wait=accepted"))
        assert another.answer().status == 202
        crowded.release()
        taken = [one for one, answer in zip(flood, answers, strict=True) if answer.status == 202]
        crowded.until(lambda: all(crowded.lookup(one.id) == "committed" for one in [other, *taken]))
    assert {crowded.submit(one).json()["status"] for one in flood} == {"applied"}


def test_a_full_queue_says_when_to_come_back_and_keeps_what_it_took(crowded):
    crowded.hold()
    everyone = [crowded.tell(by=by) for _ in range(ROOM) for by in MEMBERS]
    with crowded.line() as line:
        line.send(*[crowded.request(one.envelope, b"?wait=accepted") for one in everyone])
        answers = [line.answer() for _ in everyone]
    refused = [answer for answer in answers if answer.status != 202]
    assert len(everyone) - len(refused) <= ROOM + 1  # one block of one is on its way to the disk
    assert {(answer.status, answer.headers["retry-after"]) for answer in refused} == {(503, "1")}
    assert {answer.code for answer in refused} <= {"queue.full", "queue.share"}
    assert crowded.ask(crowded.get(b"/node/status")).json()["waiting"] <= ROOM
    crowded.release()
    taken = [one for one, answer in zip(everyone, answers, strict=True) if answer.status == 202]
    crowded.until(lambda: all(crowded.lookup(one.id) == "committed" for one in taken))


def test_in_a_batch_each_item_is_refused_for_itself(crowded):
    crowded.hold()
    flood = [crowded.tell() for _ in range(2 * ROOM)]
    with crowded.line() as line:
        body = b"".join(one.envelope for one in flood)
        line.send(crowded.request(body, kind=b"application/cbor-seq"))
        time.sleep(0.3)
        crowded.release()
        results = line.answer().json()
    codes = [result["problem"]["code"] if "problem" in result else result["code"] for result in results]
    assert "ok" in codes
    assert "queue.share" in codes
    assert set(codes) <= {"ok", "queue.share", "queue.full"}
    assert len(codes) == len(flood)
    served(crowded)


# The same again


def test_the_same_transaction_from_everywhere_has_one_entry(short):
    prepared = short.tell()
    entries = short.entries()
    with lines(short, 40) as many:
        for line in many:
            line.send(short.request(prepared.envelope))
        answers = [line.answer().json() for line in many]
    assert {answer["id"] for answer in answers} == {prepared.id.hex()}
    assert len({answer["seq"] for answer in answers}) == 1
    assert [answer["duplicate"] for answer in answers].count(False) == 1
    assert short.entries() == entries + 1


def test_a_transaction_twice_in_a_batch_has_one_entry(short):
    prepared, entries = short.tell(), short.entries()
    answer = short.submit(prepared.envelope * 10, kind=b"application/cbor-seq")
    results = json.loads(answer.body)
    assert {result["seq"] for result in results} == {entries}
    assert [result["duplicate"] for result in results] == [False] + [True] * 9
