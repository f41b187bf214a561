"""The stream of events over HTTP: its messages, its limits, and how it begins and ends."""

import asyncio
import contextlib
import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time

import httpx2
import pytest
from tests.api.conftest import Server

from hansa.client import AsyncClient, Client, HansaError, events, transactions
from hansa.client.events import Event, Follower, Heartbeat, Parser

FAST = 0.2
PATIENT = 20


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """`changed({"hansa.api.streams.HEARTBEAT_S": 0.2})`: a server with the example ledger and other constants."""
    made = []

    def make(constants):
        started = Server(tmp_path_factory.mktemp("server") / "ledger", {"hansa.api.server._STOP_S": 5, **constants})
        made.append(started)
        assert started.submit(started.deploy()).json()["status"] == "applied"
        return started

    yield make
    for one in made:
        assert one.stop() == 0
        assert one.defects() == []


class Stream:
    """A stream as bytes come, on a connection of its own."""

    def __init__(self, server, query=b"", headers=b"", receive_bytes=None) -> None:
        self.socket = socket.socket()
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(PATIENT)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(server.get(b"/app/events" + query, headers))
        self.head = b""
        while b"\r\n\r\n" not in self.head:
            self.head += self._more()
        self.head, _, self._rest = self.head.partition(b"\r\n\r\n")
        self.status = int(self.head.split()[1])
        self.parser = Parser()
        self.has_ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _more(self) -> bytes:
        data = self.socket.recv(65_536)
        if not data:
            raise EOFError
        return data

    def read(self) -> list:
        """The messages of what comes next; none once the answer has ended."""
        while True:
            size, separator, rest = self._rest.partition(b"\r\n")
            if separator and len(rest) >= int(size, 16) + 2:
                chunk, self._rest = rest[: int(size, 16)], rest[int(size, 16) + 2 :]
                if not chunk:
                    self.has_ended = True
                    return []
                if found := self.parser.feed(chunk):
                    return found
            else:
                self._rest += self._more()

    def until(self, condition) -> list:
        found = []
        while not any(condition(one) for one in found):
            found += self.read()
            assert not self.has_ended
        return found


def ids(found):
    return [one.id for one in found if one.type == "message"]


def test_history_then_what_comes(server):
    size = server.entries()
    with Stream(server, b"?after=0") as stream:
        assert stream.status == 200
        assert b"content-type: text/event-stream" in stream.head
        assert b"cache-control: no-store" in stream.head
        assert b"hansa-ledger: " + server.ledger.hex().encode() in stream.head
        first = stream.until(lambda one: one.type == "heartbeat" and one.id == str(size - 1))
        assert (first[0].type, first[0].id) == ("heartbeat", "0")
        assert json.loads(first[0].data) == {"after": "0", "entries": size}
        everything = [
            f"{seq}-{index}"
            for seq in range(size)
            for index in range(len(server.ask(server.get(f"/app/entries/{seq}".encode())).json()["decoded"]["events"]))
        ]
        assert ids(first) == everything
        answer = server.submit(server.prepare("example_ledger", "sell", {"title": "boat", "to": "eastmutual"})).json()
        (message,) = [one for one in stream.until(lambda one: one.type == "message") if one.type == "message"]
        assert message.id == f"{answer['seq']}-0"
        said = json.loads(message.data)
        (emitted,) = answer["events"]
        assert said == {
            "id": message.id,
            "seq": answer["seq"],
            "index": 0,
            "contract": "example_ledger",
            "version": "1.0.0",
            "name": emitted["name"],
            "time": answer["time"],
            "transaction": answer["id"],
            "data": emitted["data"],
        }
    back = server.prepare("example_ledger", "sell", {"title": "boat", "to": "northbank"}, by="eastmutual")
    assert server.submit(back).json()["status"] == "applied"


def test_without_a_place_it_begins_now(server):
    size = server.entries()
    with Stream(server) as stream:
        (first,) = stream.read()
        assert (first.type, first.id) == ("heartbeat", str(size - 1))


def test_the_last_event_id_counts_before_the_query(server):
    with Stream(server, b"?after=0&follow=false", b"last-event-id: 1\r\n") as stream:
        (first,) = stream.read()
        assert first.id == "1"
    answer = server.ask(server.get(b"/app/events?after=0", b"last-event-id: nothing\r\n"))
    assert (answer.status, answer.code) == (400, "events.id")


def test_it_ends_where_the_ledger_ends_if_it_does_not_follow(server, client):
    text = client.get("/app/events", params={"after": "0", "follow": "false"}).text
    found = Parser().feed(text.encode())
    assert found[0].type == found[-1].type == "heartbeat"
    assert json.loads(found[-1].data) == {"after": str(server.entries() - 1), "entries": server.entries()}
    assert text.startswith("retry: 1000\n\n")


def test_head_says_what_get_would(client):
    answer = client.head("/app/events")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_the_connection_is_used_again(server):
    with server.line() as line:
        line.send(server.get(b"/app/events?follow=false"))
        start = b""
        while not start.endswith(b"\r\n0\r\n\r\n"):
            start += line.socket.recv(65_536)
        line.send(server.get(b"/node/version"))
        assert line.answer().status == 200


def test_heartbeats_go_on_with_what_was_looked_at(changed):
    """A reader whose filter never fits is told how far it is, without an event; it lives longer than any answer may."""
    server = changed({"hansa.api.streams.HEARTBEAT_S": FAST, "hansa.api.submit.ANSWER_S_MAX": 1.0})
    with Stream(server, b"?after=0&name=nothing") as stream:
        begun = time.monotonic()
        found = stream.until(lambda one: one.id == "1")
        for _ in range(3):
            assert server.submit(server.tell()).json()["status"] == "applied"
        found += stream.until(lambda one: one.id == "4")
        found += stream.until(lambda _: time.monotonic() - begun > 2)  # not about speed: longer than ANSWER_S_MAX
        assert {one.type for one in found} == {"heartbeat"}
        assert [int(one.id) for one in found] == sorted(int(one.id) for one in found)
        assert all(json.loads(one.data)["after"] == one.id for one in found)


def test_so_many_streams_and_no_more(changed):
    server = changed({"hansa.node.events.READERS_MAX": 3})
    with contextlib.ExitStack() as opened:
        streams = [opened.enter_context(Stream(server)) for _ in range(3)]
        answer = server.ask(server.get(b"/app/events"))
        assert (answer.status, answer.code) == (503, "events.full")
        assert int(answer.headers["retry-after"]) > 0
        assert server.ask(server.get(b"/app/events", method=b"HEAD")[:-2] + b"connection: close\r\n\r\n").status == 200
        # A reader that resets its connection is noticed at once; one that only ends it, at the next heartbeat.
        streams[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        streams[0].socket.close()
        server.until(lambda: server.ask(server.get(b"/node/status")).status == 200, 1)

        def free():
            with Stream(server) as one:
                return one.status == 200

        server.until(free)
    # Refusals before a stream begins count nothing.
    for _ in range(5):
        assert server.ask(server.get(b"/app/events?after=x")).status == 400
    server.until(free)


LOUD = """from hansa.contract import Contract, Record, Text, action, event


class Loud(Contract, version="1.0.0"):
    class Thing(Record, key="id"):
        id: int

    @action(by="member")
    def shout(tx, text: Text[0, 1000], count: int):
        event("first", count=count)
        for number in range(count):
            event("shouted", number=number, text=text)
"""


def deploy_loud(server):
    deployed = {"name": "loud", "source": LOUD}
    prepared = server.prepare("members", "deploy", deployed, steps_max=transactions.deploy_steps(LOUD))
    assert server.submit(prepared).json()["status"] == "applied"


def shout(server, entries, count):
    """So many entries with so many events of about 1 kB each; the id of the last event."""
    said = {"text": "x" * 900, "count": count}
    envelopes = [server.prepare("loud", "shout", said).envelope for _ in range(entries)]
    answer = server.ask(server.request(b"".join(envelopes), kind=b"application/cbor-seq"), timeout=60)
    assert {one["status"] for one in answer.json()} == {"applied"}
    return f"{max(one['seq'] for one in answer.json())}-{count}"


def test_a_slow_reader_holds_up_nobody_and_no_memory(changed):
    server = changed({})
    deploy_loud(server)
    with contextlib.ExitStack() as opened:
        slow = [opened.enter_context(Stream(server, receive_bytes=65_536)) for _ in range(8)]
        quick = opened.enter_context(Stream(server))
        for _ in range(3):
            shout(server, 20, 60)
        before = server.memory_mb()
        for _ in range(30):  # 36 MB, which the slow ones have not begun to read
            last = shout(server, 20, 60)
        found = quick.until(lambda one: one.id == last)
        assert len(ids(found)) == 33 * 20 * 61
        assert server.memory_mb() - before < 64  # and not 36 for each of them
        assert ids(slow[0].until(lambda one: one.id == last)) == ids(found)


def test_a_reader_that_takes_nothing_is_let_go(changed):
    server = changed({"hansa.api.submit.STREAM_S_MAX": 1.0, "hansa.node.events.READERS_MAX": 1})
    deploy_loud(server)
    for _ in range(20):  # 24 MB, more than the system keeps for a connection
        last = shout(server, 20, 60)
    with Stream(server, b"?after=0", receive_bytes=65_536) as stream:
        server.until(lambda: not full(server), PATIENT)
        with pytest.raises((EOFError, ConnectionError)):
            stream.until(lambda one: one.id == last)


def full(server) -> bool:
    answer = server.ask(server.get(b"/app/events?follow=false"))
    return answer.status == 503


def test_a_stop_ends_the_streams_cleanly(changed):
    server = changed({})
    with Stream(server, b"?after=0") as stream:
        stream.until(lambda one: one.type == "message")
        server.process.terminate()
        while not stream.has_ended:
            stream.read()
    assert server.process.wait(10) == 0
    assert "Cancel" not in server.log.read_text()


def test_a_reader_over_a_restart_gets_everything_once(changed):
    """The SDK's reader, beside a node that is killed and started again at the same port while events come."""
    server = changed({})
    found, problems = [], []

    def read():
        try:
            with httpx2.Client() as made:
                for one in events.follow(
                    made, lambda: server.url, Follower("example_ledger", after="0"), sleep=lambda _: None
                ):
                    if isinstance(one, Event):
                        found.append(one)
                    if len(found) == 30:
                        return
        except Exception as error:
            problems.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(30):
        if number in (10, 20):
            server.kill()
            restart(server)
        assert server.submit(server.tell(f"{number}")).json()["status"] == "applied"
    reader.join(PATIENT)
    assert problems == []
    assert [one.data["message"] for one in found] == [str(number) for number in range(30)]
    assert [one.seq for one in found] == list(range(2, 32))


def restart(server) -> None:
    """Starts the node again over the same folder, at the same port."""
    command = [sys.executable, "-m", "hansa.cli.main", "up", "--data", str(server.root), "--port", str(server.port)]
    with server.log.open("ab") as log:
        server.process.stdout.close()
        server.process = subprocess.Popen(
            [*command, "--json", "--reserve-mb", "0"], stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert "url" in json.loads(server.process.stdout.readline())


def test_the_description_names_the_header(client):
    described = client.get("/openapi.json").json()["paths"]["/app/events"]["get"]
    (header,) = [one for one in described["parameters"] if one["in"] == "header"]
    assert header["name"] == "Last-Event-ID"
    assert re.fullmatch(header["schema"]["pattern"], "12-3")
    assert set(described["responses"]["200"]["content"]) == {"text/event-stream"}


def test_the_sdk_reads_what_the_node_sends(server):
    with httpx2.Client() as made:
        found = list(events.follow(made, lambda: server.url, Follower(after="0", follow=False)))
    assert isinstance(found[-1], Heartbeat)
    assert found[-1].after == str(server.entries() - 1)
    assert next(one.name for one in found if isinstance(one, Event)) == "contract.deployed"


def test_a_client_gives_events_from_whichever_node_answers(server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with Client([nobody, server.url]) as made:
        found = list(made.events(after="0", follow=False))

    async def read() -> list[Event]:
        async with AsyncClient([nobody, server.url]) as other:
            return [one async for one in other.events(after="0", follow=False)]

    assert found == asyncio.run(read())
    assert "contract.deployed" in [one.name for one in found]
    places = [(one.seq, one.index) for one in found]
    assert places == sorted(set(places))
    with Client(server.url) as made:
        assert list(made.events("example_ledger", after=found[-1].id, follow=False)) == []


def test_a_transport_that_streams_nothing_gives_no_events(server):
    class Plain:
        def request(self, *words, **more):
            return httpx2.request(*words, **{name: value for name, value in more.items() if value is not None})

    with Client(server.url, transport=Plain()) as made, pytest.raises(HansaError) as caught:
        next(made.events())
    assert caught.value.code == "argument.value"
