"""Talking to a node: refusals come as what they name, and lost answers are asked for again."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest

from hansa.client.connection import Connection, segment
from hansa.wire import cbor
from hansa.wire.problems import KINDS, HansaError

URL = "http://127.0.0.1:8470"
ANSWER = cbor.encode({"id": bytes(32), "seq": 5, "outcome": b"\xa0", "duplicate": False})
Reply = httpx2.Response | Exception


class Fake:
    """A transport that gives prepared answers and keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[dict[str, Any]] = []
        self.waits: list[tuple[float | None, float]] = []

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
    ) -> httpx2.Response:
        assert timeout is not None
        assert timeout.read is not None
        self.waits.append((timeout.connect, timeout.read))
        self.asked.append({"method": method, "url": url, "params": params, "content": content, "headers": headers})
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def good(value: Any) -> httpx2.Response:
    return httpx2.Response(200, json=value)


def problem(code: str, **fields: Any) -> httpx2.Response:
    error = HansaError(code, "what happened", **fields)
    return httpx2.Response(error.kind.status, content=json.dumps(error.problem()).encode())


def lost() -> Exception:
    return httpx2.ReadTimeout("no answer")


def test_a_route_is_asked_as_it_is_named() -> None:
    fake = Fake(good({"state": "running"}))
    assert Connection(URL + "/", fake).get("/node/status", rows=5) == {"state": "running"}
    assert fake.asked == [
        {
            "method": "GET",
            "url": URL + "/node/status",
            "params": {"rows": 5},
            "content": None,
            "headers": {"accept": "*/*"},
        }
    ]


def test_bytes_are_given_as_they_came() -> None:
    fake = Fake(httpx2.Response(200, content=b"\x00\xff"))
    assert Connection(URL, fake).get_bytes("/node/genesis", "application/cbor") == b"\x00\xff"
    assert fake.asked[0]["headers"] == {"accept": "application/cbor"}


def test_the_id_of_the_ledger_is_asked_for(refused: Callable) -> None:
    fake = Fake(good({"ledger": "ab" * 32}))
    assert Connection(URL, fake).ledger() == b"\xab" * 32
    assert fake.asked[0]["url"] == URL + "/node/status"
    with refused("request.digest"):
        Connection(URL, Fake(good({"ledger": "ab"}))).ledger()


def test_a_view_is_asked_with_its_arguments() -> None:
    fake = Fake(good({"result": 5}))
    assert Connection(URL, fake).view("a/b", "c d", {"n": 1}) == {"result": 5}
    (asked,) = fake.asked
    assert (asked["method"], asked["url"]) == ("POST", URL + "/app/contracts/a%2Fb/views/c%20d")
    assert json.loads(asked["content"]) == {"n": 1}
    assert asked["headers"]["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abc", "abc"), ("a/b", "a%2Fb"), ("a b", "a%20b"), ("é", "%C3%A9"), ("a?b#c", "a%3Fb%23c"), ("%2F", "%252F")],
)
def test_a_segment_of_a_path(text: str, expected: str) -> None:
    assert segment(text) == expected


@pytest.mark.parametrize(
    "code", ["sender.unknown", "transaction.expired", "entry.unknown", "queue.full", "argument.value"]
)
def test_a_refusal_comes_as_what_it_names(code: str, refused: Callable) -> None:
    fake = Fake(problem(code, retry_after=1, problems=["a", "b"], remedy="Do this."))
    with refused(code) as caught:
        Connection(URL, fake).get("/x")
    assert (caught.value.detail, caught.value.remedy) == ("what happened", "Do this.")
    assert caught.value.fields == {"retry_after": 1, "problems": ["a", "b"]}
    assert len(fake.asked) == 1


def test_every_code_comes_back(refused: Callable) -> None:
    for code, kind in KINDS.items():
        status = max(kind.status, 400)
        document = json.dumps(HansaError(code, "d").problem()).encode()
        with refused(code):
            Connection(URL, Fake(httpx2.Response(status, content=document))).get("/x")


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(502, content=b"<html>bad gateway</html>"),
        httpx2.Response(500, content=b""),
        httpx2.Response(404, content=b"{}"),
        httpx2.Response(404, content=b"[]"),
        httpx2.Response(404, content=b"null"),
        httpx2.Response(404, content=b'{"code": "entry.unknown"}'),
        httpx2.Response(500, content=b'{"code": "a.newer.code", "detail": "from a newer node"}'),
    ],
)
def test_an_error_that_is_no_problem_document(answer: httpx2.Response, refused: Callable) -> None:
    with refused("node.newer" if b"a.newer.code" in answer.content else "node.foreign"):
        Connection(URL, Fake(answer)).get("/x")


def test_a_code_of_a_newer_node_is_told(refused: Callable) -> None:
    answer = httpx2.Response(400, content=b'{"code": "a.newer.code", "detail": "why", "remedy": "Update."}')
    with refused("node.newer") as caught:
        Connection(URL, Fake(answer)).get("/x")
    assert (caught.value.detail, caught.value.remedy) == ("a.newer.code: why", "Update.")


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (httpx2.ConnectError("refused"), "node.unreachable"),
        (httpx2.ConnectTimeout("slow"), "node.unreachable"),
        (httpx2.ReadTimeout("slow"), "node.silent"),
        (httpx2.ReadError("reset"), "node.silent"),
        (httpx2.RemoteProtocolError("closed"), "node.silent"),
    ],
)
def test_no_answer_is_said_to_be_none(failure: Exception, code: str, refused: Callable) -> None:
    """Nobody there, and somebody who says nothing, are two things: only the first is mended by starting a node."""
    with refused(code) as caught:
        Connection(URL, Fake(failure)).get("/x")
    assert URL in caught.value.detail
    assert ("hansa up" in caught.value.remedy) == (code == "node.unreachable")


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, content=b"<html>another server</html>"),
        httpx2.Response(307, headers={"location": "/y"}),
        httpx2.Response(204),
    ],
)
def test_an_answer_of_another_server(answer: httpx2.Response, refused: Callable) -> None:
    with refused("node.foreign"):
        Connection(URL, Fake(answer)).get("/x")


# Submitting


def test_a_submission_gives_the_exact_outcome() -> None:
    fake = Fake(httpx2.Response(200, content=ANSWER))
    answer = Connection(URL, fake).submit(b"envelope")
    assert answer == {"id": bytes(32), "seq": 5, "outcome": b"\xa0", "duplicate": False}
    (asked,) = fake.asked
    assert (asked["method"], asked["url"]) == ("POST", URL + "/app/transactions")
    assert (asked["content"], asked["params"]) == (b"envelope", None)
    assert asked["headers"] == {"accept": "application/cbor", "content-type": "application/cose"}


def test_a_receipt_is_asked_for() -> None:
    fake = Fake(httpx2.Response(200, content=ANSWER))
    Connection(URL, fake).submit(b"envelope", receipt=True)
    assert fake.asked[0]["params"] == {"receipt": "true"}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which no test waits for."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


@pytest.mark.parametrize(
    "losses",
    [
        [lost()],
        [lost(), lost()],
        [problem("answer.late")],
        [problem("answer.late"), lost()],
        [problem("node.stopping"), httpx2.ConnectError("it starts again")],
        [httpx2.RemoteProtocolError("closed")],
        [httpx2.Response(502, content=b"<html>bad gateway</html>")],
    ],
)
def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(losses: list[Reply], slept: list[float]) -> None:
    fake = Fake(*losses, httpx2.Response(200, content=ANSWER))
    assert Connection(URL, fake).submit(b"envelope")["seq"] == 5
    assert [asked["content"] for asked in fake.asked] == [b"envelope"] * (len(losses) + 1)


@pytest.mark.parametrize(
    ("replies", "cause"),
    [
        ([lost()] * 3, "node.silent"),
        ([problem("answer.late")] * 3, "answer.late"),
        ([problem("node.stopping")] + [httpx2.ConnectError("gone")] * 2, "node.stopping"),
        ([problem("node.faulted"), problem("node.faulted", retry_after=1), lost()], "node.faulted"),
        ([lost(), problem("queue.full", retry_after=1), problem("sender.unknown")], "node.silent"),
    ],
)
def test_after_three_tries_the_outcome_is_unknown(
    replies: list[Reply], cause: str, refused: Callable, slept: list[float]
) -> None:
    """Whatever is said to what was sent again: the first may have been taken."""
    fake = Fake(*replies)
    with refused("answer.unknown") as caught:
        Connection(URL, fake).submit(b"envelope")
    assert (len(fake.asked), caught.value.fields) == (3, {"cause": cause})


def test_trying_again_has_an_end(refused: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda pause: now.__setitem__(0, now[0] + pause))

    class Slow(Fake):
        def request(self, *words: Any, timeout: httpx2.Timeout | None = None, **more: Any) -> httpx2.Response:
            assert timeout is not None
            assert timeout.read is not None
            now[0] += timeout.read
            return super().request(*words, timeout=timeout, **more)

    fake = Slow(*[lost()] * 3)
    with refused("answer.unknown"):
        Connection(URL, fake).submit(b"envelope")
    assert fake.waits == [(5.0, 35.0), (5.0, 24.5)]
    assert now[0] < 63


def test_a_read_waits_for_ten_seconds() -> None:
    fake = Fake(good(1))
    Connection(URL, fake).get("/x")
    assert fake.waits == [(5.0, 10.0)]


@pytest.mark.parametrize("code", ["sender.unknown", "signature.invalid", "queue.full", "node.faulted", "disk.full"])
def test_a_refused_submission_is_not_sent_again(code: str, refused: Callable) -> None:
    fake = Fake(problem(code, retry_after=1))
    with refused(code):
        Connection(URL, fake).submit(b"envelope")
    assert len(fake.asked) == 1


def test_a_submission_that_reached_nobody_is_not_unknown(refused: Callable) -> None:
    fake = Fake(httpx2.ConnectError("refused"))
    with refused("node.unreachable"):
        Connection(URL, fake).submit(b"envelope")
    assert len(fake.asked) == 1


def test_an_answer_that_is_no_cbor_is_refused(refused: Callable) -> None:
    with refused("cbor.truncated"):
        Connection(URL, Fake(httpx2.Response(200, content=b""))).submit(b"envelope")


# Life


def test_a_real_connection_closes() -> None:
    with Connection("http://127.0.0.1:1") as node, pytest.raises(HansaError) as caught:
        node.get("/node/status")
    assert caught.value.code == "node.unreachable"
    assert node._client is not None
    assert node._client.is_closed


def test_a_transport_of_the_callers_is_left_open() -> None:
    with Connection(URL, Fake(good(1))) as node:
        assert node.get("/x") == 1
    assert node._client is None


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:port"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with Connection(url) as node, pytest.raises(HansaError) as caught:
        node.get("/x")
    assert caught.value.code == "node.unreachable"


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://127.0.0.1:1", "http://"])
def test_a_url_that_leads_nowhere_is_unreachable(url: str, refused: Callable) -> None:
    with Connection(url) as node, refused("node.unreachable"):
        node.get("/x")
