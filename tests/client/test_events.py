"""Following events: the stream's format byte by byte, and a reader's progress over any way of being cut off."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.client import AsyncClient, Client, events
from hansa.client.events import Event, Follower, Heartbeat, Message, Parser
from hansa.wire.problems import HansaError

LEDGER = "ab" * 32


def parsed(*chunks: bytes) -> list[Message]:
    parser = Parser()
    return [message for chunk in chunks for message in parser.feed(chunk)]


def message(data: str, id: str = "", type: str = "message") -> Message:
    return Message(type, data, id)


# The examples of WHATWG HTML, section 9.2, and what its rules say beside them.
STREAMS: list[tuple[bytes, list[Message]]] = [
    (b"data: YHOO\ndata: +2\ndata: 10\n\n", [message("YHOO\n+2\n10")]),
    (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [message("first event", "1"), message("second event"), message(" third event")],
    ),
    (b"data\n\ndata\ndata\n\ndata:", [message(""), message("\n")]),
    (b"data:test\n\ndata: test\n\n", [message("test"), message("test")]),
    (b"\xef\xbb\xbfdata: a\n\n", [message("a")]),
    (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),  # the second is part of a field's name
    (b"event: add\r\ndata: 1\r\n\r\nevent: add\rdata: 2\r\r", [message("1", type="add"), message("2", type="add")]),
    (b"data: a\r\n\ndata: b\n\r\n", [message("a"), message("b")]),
    (b"id: 7\n\ndata: a\n\n", [message("a", "7")]),  # an id without data counts for what comes behind
    (b"id: 7\nid: 8\0\ndata: a\n\n", [message("a", "7")]),
    (b"event: lost\n\ndata: a\n\n", [message("a")]),
    (b"retry: 5\nnothing: x\nDATA: y\n:data: z\ndata: a\n\n", [message("a")]),
    (b"data: a", []),
    (b"data: a\n", []),
    ("data: h\u00e4nse\u2028\n\n".encode(), [message("h\u00e4nse\u2028")]),
    (b"data: \xff\n\n", [message("\ufffd")]),
]


@pytest.mark.parametrize(("stream", "expected"), STREAMS)
def test_the_format(stream: bytes, expected: list[Message]) -> None:
    assert parsed(stream) == expected
    assert parsed(*(bytes([byte]) for byte in stream)) == expected


PIECES = [b"data", b"id", b"event", b":", b" ", b"\r", b"\n", b"\r\n", b"x", b"\0", b"\xef\xbb\xbf", b"\xc3", b"\xa4"]


@given(st.lists(st.sampled_from(PIECES)).map(b"".join), st.data())
def test_any_chunking_gives_the_same(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parsed(*chunks) == parsed(stream)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_has_a_limit(end: bytes) -> None:
    parser = Parser()
    half = b"d" * (events.LINE_BYTES_MAX // 2)
    assert parser.feed(half) == []
    assert parser.feed(half) == []
    with pytest.raises(HansaError) as raised:
        parser.feed(b"d" + end)
    assert raised.value.code == "node.foreign"


def test_the_data_of_a_message_has_a_limit() -> None:
    parser = Parser()
    line = b"data: " + b"d" * 65_536 + b"\n"
    with pytest.raises(HansaError):
        for _ in range(17):
            assert parser.feed(line) == []


# A node, as a reader meets it


def event(seq: int, index: int = 0, **changes: Any) -> bytes:
    fields = {
        "id": f"{seq}-{index}",
        "seq": seq,
        "index": index,
        "contract": "notes",
        "version": "1.0.0",
        "name": "added",
        "time": 5,
        "transaction": "00",
        "data": {"n": seq},
        **changes,
    }
    return f"id: {fields['id']}\ndata: {json.dumps(fields)}\n\n".encode()


def beat(after: str | None, entries: int) -> bytes:
    id = "" if after is None else f"id: {after}\n"
    return f"event: heartbeat\n{id}data: {json.dumps({'after': after, 'entries': entries})}\n\n".encode()


def key(id: str) -> tuple[int, float]:
    seq, _, index = id.partition("-")
    return int(seq), float(index) if index else float("inf")


LINES = [(seq, index) for seq in range(1, 12) for index in range(seq % 4)]
"""Entries with none to three events."""


class Node:
    """A node that holds LINES, whose answers are cut off where a script says; None lets one go on to its end."""

    def __init__(self, cuts: list[int | None], chunk: int = 7, entries: int = 12) -> None:
        self.cuts = iter(cuts)
        self.chunk = chunk
        self.entries = entries
        self.asked: list[str | None] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        after = request.headers.get("last-event-id")
        self.asked.append(after)
        behind = key(after) if after is not None else (self.entries - 1, float("inf"))
        body = b"retry: 1000\n\n" + beat(after or str(self.entries - 1), self.entries)
        for seq, index in LINES:
            if (seq, index) > behind and seq < self.entries:
                body += event(seq, index)
                if seq % 3 == 0 and index == seq % 4 - 1:
                    body += beat(str(seq), self.entries)
        body += beat(str(self.entries - 1), self.entries)
        cut = next(self.cuts, None)
        return httpx2.Response(
            200,
            headers={"content-type": "text/event-stream; charset=utf-8", "hansa-ledger": LEDGER},
            content=self.pieces(body if cut is None else body[:cut], cut is not None),
        )

    def pieces(self, body: bytes, breaks: bool) -> Iterator[bytes]:
        for at in range(0, len(body), self.chunk):
            yield body[at : at + self.chunk]
        if breaks:
            raise httpx2.ReadError("cut off")


def client(handler: Callable[[httpx2.Request], httpx2.Response]) -> httpx2.Client:
    return httpx2.Client(transport=httpx2.MockTransport(handler))


def read(handler: Callable[[httpx2.Request], httpx2.Response], follower: Follower) -> list[Event | Heartbeat]:
    with client(handler) as made:
        return list(events.follow(made, lambda: "http://node", follower, sleep=lambda _: None))


def ids(found: list[Event | Heartbeat]) -> list[str]:
    return [one.id for one in found if isinstance(one, Event)]


ALL = [f"{seq}-{index}" for seq, index in LINES]


@given(st.lists(st.integers(0, 6_000), max_size=8), st.integers(1, 4_000))
def test_every_event_comes_once_and_in_order_however_often_it_is_cut_off(cuts: list[int], chunk: int) -> None:
    node = Node([5_000, *cuts], chunk)
    found = read(node.answer, Follower(after="0", follow=False))
    assert ids(found) == ALL
    assert node.asked[0] == "0"


@pytest.mark.parametrize("after", ["0", *ALL, *map(str, range(12))])
def test_a_start_behind_any_place(after: str) -> None:
    found = read(Node([]).answer, Follower(after=after, follow=False))
    assert ids(found) == [id for id in ALL if key(id) > key(after)]


def test_from_now_on_nothing_is_missed_between_two_connections() -> None:
    node = Node([], entries=6)
    with client(node.answer) as made:
        stream = events.follow(made, lambda: "http://node", Follower(), sleep=lambda _: None)
        assert next(stream) == Heartbeat("5", 6)
        node.entries = 12  # while the connection is lost
        assert next(one.id for one in stream if isinstance(one, Event)) == "6-0"
    assert node.asked == [None, "5"]


def test_a_heartbeat_moves_the_place() -> None:
    follower = Follower("notes", after="0")
    follower.answered(200, {"content-type": "text/event-stream", "hansa-ledger": LEDGER})
    assert list(follower.feed(beat("0", 9) + beat("8", 9))) == [Heartbeat("0", 9), Heartbeat("8", 9)]
    assert follower.request() == (
        "/app/events",
        {"contract": "notes"},
        {
            "accept": "text/event-stream",
            "accept-encoding": "identity",
            "cache-control": "no-store",
            "last-event-id": "8",
        },
    )


def test_an_answer_that_is_compressed_is_refused() -> None:
    follower = Follower(after="0")
    head = {"content-type": "text/event-stream", "hansa-ledger": LEDGER, "content-encoding": "gzip"}
    with pytest.raises(HansaError, match=r"node\.foreign"):
        follower.answered(200, head)


@pytest.mark.parametrize("wanted", [{"contract": "others"}, {"name": "removed"}])
def test_what_was_not_asked_for_is_refused(wanted: dict[str, str]) -> None:
    follower = opened(**wanted)
    with pytest.raises(HansaError, match=r"node\.foreign"):
        list(follower.feed(event(1)))
    assert follower.after == "0"


@pytest.mark.parametrize("is_async", [False, True])
def test_from_now_on_begins_where_the_ledger_ends_when_it_is_asked_for(is_async: bool) -> None:
    """Also if the first connection is lost before it has said anything: what came meanwhile is not missed."""
    asked: list[str | None] = []
    status = {"ledger": LEDGER, "name": "n", "state": "running", "trouble": "", "detail": "", "entries": 6, "height": 1}
    status |= {"time": 1, "waiting": 0, "checkpoint": 6, "clock": "real", "now": 1}

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/node/status":
            return httpx2.Response(200, json=status)
        asked.append(request.headers.get("last-event-id"))
        status["entries"] += 1
        head = {"content-type": "text/event-stream", "hansa-ledger": LEDGER}
        return httpx2.Response(200, headers=head, content=b"" if len(asked) == 1 else event(6) + event(7))

    async def first(transport: httpx2.AsyncBaseTransport) -> str:
        carrier = httpx2.AsyncClient(transport=transport)
        async with AsyncClient("http://node", transport=carrier) as made:
            return (await anext(made.events())).id

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "PAUSES_S", (0.0,))
        if is_async:
            found = asyncio.run(first(httpx2.MockTransport(handler)))
        else:
            found = next(Client("http://node", transport=client(handler)).events()).id
    assert (found, asked) == ("6-0", ["5", "5"])


def opened(after: str | None = "0", **options: Any) -> Follower:
    follower = Follower(after=after, **options)
    follower.answered(200, {"content-type": "text/event-stream", "hansa-ledger": LEDGER})
    return follower


@pytest.mark.parametrize(
    "stream",
    [
        event(5) + event(5),
        event(5, 1) + event(5, 0),
        event(5) + event(4),
        beat("5", 9) + event(5),
        event(5, 1) + beat("5-0", 9),
        event(5) + beat("4", 9),
    ],
)
def test_what_goes_backwards_is_refused(stream: bytes) -> None:
    follower = opened()
    with pytest.raises(HansaError) as raised:
        list(follower.feed(stream))
    assert raised.value.code == "events.order"
    with pytest.raises(HansaError):  # and asking again is of no use
        follower.lost(raised.value)


@pytest.mark.parametrize(
    "stream",
    [
        b"id: 5-0\ndata: {\n\n",
        b"id: 5-0\ndata: {}\n\n",
        b"id: 5-0\ndata: " + b"[" * 5_000 + b"\n\n",
        event(5).replace(b"id: 5-0", b"id: 6-0"),
        event(5, id="5-1"),
        b"event: heartbeat\ndata: 1\n\n",
    ],
)
def test_what_is_no_event_is_refused(stream: bytes) -> None:
    with pytest.raises(HansaError) as raised:
        list(opened().feed(stream))
    assert raised.value.code == "node.foreign"


def test_what_was_not_taken_counts_as_not_come() -> None:
    """A problem in the same piece as events does not lose them."""
    problem = {"code": "node.stopping", "detail": "stopping", "remedy": ""}
    end = f"event: problem\ndata: {json.dumps(problem)}\n\n".encode()
    follower = opened()
    taken = follower.feed(event(5) + event(6) + end)
    assert next(taken) == next(iter(opened().feed(event(5))))
    assert follower.after == "5-0"
    assert [one.id for one in [next(taken)] if isinstance(one, Event)] == ["6-0"]
    with pytest.raises(HansaError) as raised:
        next(taken)
    assert raised.value.code == "node.stopping"
    assert follower.after == "6-0"
    assert follower.lost(raised.value) > 0


def refused(status: int, code: str = "", **fields: Any) -> Callable[[httpx2.Request], httpx2.Response]:
    body = json.dumps({"code": code, "detail": "told", "remedy": "do", **fields}) if code else "<html>"
    return lambda _: httpx2.Response(status, text=body)


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (refused(409, "events.beyond"), "events.beyond"),
        (refused(404, "contract.missing"), "contract.missing"),
        (refused(503, "events.full", retry_after=5), "events.full"),  # at first: who starts is told so
        (refused(400, "events.from_the_future"), "node.newer"),
        (refused(404), "node.foreign"),
        (lambda _: httpx2.Response(200, text="hello"), "node.foreign"),
        (lambda _: httpx2.Response(302, headers={"location": "http://elsewhere/"}), "node.foreign"),
    ],
)
def test_a_refusal_is_raised(handler: Callable[[httpx2.Request], httpx2.Response], code: str) -> None:
    with pytest.raises(HansaError) as raised:
        read(handler, Follower(after="0"))
    assert raised.value.code == code


@pytest.mark.parametrize(
    "problem",
    [
        b'{"code": [], "detail": "x"}',
        b'{"code": "node.stopping", "detail": "x", "self": 1}',
        b'{"code": "node.stopping", "detail": "x", "retry_after": ' + b"9" * 400 + b"}",
        b"[" * 100_000,
    ],
)
def test_a_hostile_problem_in_the_stream_is_a_refusal(problem: bytes) -> None:
    follower = opened()
    with pytest.raises(HansaError) as caught:
        list(follower.feed(b"event: problem\ndata: " + problem + b"\n\n"))
    if caught.value.code == "node.stopping":
        assert follower.lost(caught.value) <= 8


def test_a_node_that_was_never_there_is_not_waited_for() -> None:
    def none(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with pytest.raises(HansaError) as raised:
        read(none, Follower())
    assert raised.value.code == "node.unreachable"


def test_a_node_that_went_away_is_asked_again_with_pauses_until_patience_ends() -> None:
    node, pauses, told = Node([600]), [], []

    def away(request: httpx2.Request) -> httpx2.Response:
        if node.asked:
            return refused(503, "events.full", retry_after=3)(request) if len(pauses) == 1 else refused(502)(request)
        return node.answer(request)

    follower = Follower(after="0", patience_s=20.0)
    found = []
    with client(away) as made, pytest.raises(HansaError) as raised:
        lost = lambda error, pause: told.append((error.code, pause))  # noqa: E731
        for one in events.follow(made, lambda: "http://node", follower, on_lost=lost, sleep=pauses.append):
            found.append(one)
    assert ids(found) == ALL[: len(ids(found))] != []
    assert raised.value.code == "node.silent"
    assert pauses == [0.25, 3.0, 1.0, 2.0, 4.0, 8.0]
    assert told == [("node.silent", 0.25), ("events.full", 3.0), *(("node.silent", p) for p in pauses[2:])]


def test_another_ledger_at_the_same_url_is_refused() -> None:
    node = Node([600])

    def handler(request: httpx2.Request) -> httpx2.Response:
        answer = node.answer(request)
        if len(node.asked) > 1:
            answer.headers["hansa-ledger"] = "cd" * 32
        return answer

    with pytest.raises(HansaError) as raised:
        read(handler, Follower(after="0"))
    assert raised.value.code == "events.ledger"


@pytest.mark.parametrize("after", ["", "x", "-1", "5-", "05", "5-100", "1e3", "5-0-0"])
def test_a_malformed_id_is_refused(after: str) -> None:
    with pytest.raises(HansaError) as raised:
        Follower(after=after)
    assert raised.value.code == "events.id"


def test_the_same_for_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PAUSES_S", (0.0,))
    node = Node([400, 900, 0])

    @asynccontextmanager
    async def stream(self: Any, method: str, url: str, **options: Any) -> AsyncIterator[Any]:
        request = httpx2.Request(method, url, params=options["params"], headers=options["headers"])
        answer = node.answer(request)

        class Body:
            status_code, headers = answer.status_code, answer.headers

            async def aiter_bytes(self) -> AsyncIterator[bytes]:
                for chunk in answer.iter_bytes():
                    yield chunk

        yield Body()

    async def run() -> list[Event | Heartbeat]:
        transport: Any = type("Transport", (), {"stream": stream})()
        follower = Follower(after="0", follow=False)
        return [one async for one in events.afollow(transport, lambda: "http://node", follower)]

    assert ids(asyncio.run(run())) == ALL
    assert len(node.asked) == 4


def test_an_answer_is_let_go_when_its_reader_stops() -> None:
    closed = []
    node = Node([])

    class Transport:
        @contextmanager
        def stream(self, method: str, url: str, **options: Any) -> Iterator[httpx2.Response]:
            try:
                yield node.answer(httpx2.Request(method, url, headers=options["headers"]))
            finally:
                closed.append(url)

    stream = events.follow(Transport(), lambda: "http://node/", Follower(after="0"))
    assert isinstance(next(stream), Heartbeat)
    stream.close()  # type: ignore[attr-defined]
    assert closed == ["http://node/app/events"]
