"""What is made of etcd's answers: which say to ask again, and which that this is not the cluster any more."""

import asyncio
import base64
import json
import ssl

import httpx2
import pytest

from hansa.orderers.etcd import gateway
from hansa.orderers.etcd.gateway import Compacted, Diverged, Full, Gateway, Unavailable, absent, prefix_end, put


def header(revision, cluster=7):
    return {"cluster_id": str(cluster), "member_id": "1", "revision": str(revision), "raft_term": "2"}


class Stream(httpx2.AsyncByteStream):
    """An answer that comes in pieces of `size` bytes."""

    def __init__(self, data, size=100):
        self.data, self.size = data, size

    async def __aiter__(self):
        for start in range(0, len(self.data), self.size):
            yield self.data[start : start + self.size]


class Members:
    """Members that answer as they are told. `asked` has each URL's host and what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, request):
        self.asked.append((request.url.host, request.url.path, json.loads(request.content)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        if isinstance(body, Stream):
            return httpx2.Response(status, stream=body)
        return httpx2.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())


def told(monkeypatch, *answers):
    """A gateway to three members that give these answers."""
    members = Members(*answers)
    real = httpx2.AsyncClient

    def client(**given):
        return real(transport=httpx2.MockTransport(members), timeout=given["timeout"])

    with monkeypatch.context() as patch:
        patch.setattr(gateway.httpx2, "AsyncClient", client)
        return Gateway(["http://a", "http://b", "http://c"], None), members


def test_integers_come_as_text_and_bytes_in_base64(monkeypatch):
    found = {"key": "Yi8x", "mod_revision": "9007199254740993", "version": "1", "value": "AAH/"}
    made, members = told(
        monkeypatch,
        {"header": header(2**62), "kvs": [found], "count": "1"},
        {"header": header(2**62 + 1), "succeeded": True, "responses": [{"response_put": {}}]},
        {"header": header(2**62 + 1), "responses": []},
    )

    async def scenario():
        page = await made.read(b"b/", prefix_end(b"b/"))
        assert page.kvs == [gateway.Item(b"b/1", 9007199254740993, 1, b"\x00\x01\xff")]
        assert (await made.change([absent(b"k")], [put(b"k", b"v")])).succeeded
        assert not (await made.change([absent(b"k")], [put(b"k", b"v")])).succeeded

    asyncio.run(scenario())
    assert members.asked[0][2]["range_end"] == base64.b64encode(b"b0").decode()
    assert members.asked[1][2]["compare"] == [{"key": "aw==", "target": "VERSION", "result": "EQUAL", "version": 0}]


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("late"),
        ssl.SSLError("certificate required"),
        TimeoutError(),
        (503, {"code": 14, "message": "etcdserver: leader changed"}),
        (504, {"code": 4, "message": "context deadline exceeded"}),
        (502, b"<html>"),
        (200, b"[]"),
        (200, b'{"header": {"revision": "x"}}'),
    ],
)
def test_a_failure_is_an_unknown_outcome_and_the_next_member_is_asked(monkeypatch, failure):
    made, members = told(monkeypatch, failure, {"header": header(5)}, {"header": header(5)})

    async def scenario():
        with pytest.raises(Unavailable):
            await made.read(b"k")
        await made.read(b"k")
        made.nearest()
        await made.read(b"k")

    asyncio.run(scenario())
    hosts = [host for host, _, _ in members.asked]
    if isinstance(failure, tuple) and failure[0] == 200:
        assert hosts == ["a", "a", "a"]  # it answers, and what it says is for the caller to ask again
    else:
        assert hosts == ["a", "b", "a"]


def test_a_full_store_and_a_forgotten_revision_are_told_apart(monkeypatch):
    made, members = told(
        monkeypatch,
        (429, {"code": 8, "message": "etcdserver: mvcc: database space exceeded"}),
        (400, {"code": 11, "message": "etcdserver: mvcc: required revision has been compacted"}),
        (400, {"code": 11, "message": "etcdserver: mvcc: required revision has been compacted"}),
        (429, {"code": 8, "message": "etcdserver: too many requests"}),
    )

    async def scenario():
        with pytest.raises(Full):
            await made.change([], [])
        with pytest.raises(Compacted):
            await made.read(b"k")
        await made.compact(3)  # was done before
        with pytest.raises(Unavailable) as caught:
            await made.change([], [])
        assert type(caught.value) is Unavailable

    asyncio.run(scenario())
    assert [host for host, _, _ in members.asked] == ["a", "a", "a", "a"]


def test_another_cluster_or_one_that_went_back_is_seen_at_any_answer(monkeypatch):
    made, _ = told(
        monkeypatch,
        {"header": header(5)},
        {"header": header(5)},
        {"header": header(4)},
        {"header": header(6, cluster=8)},
    )

    async def scenario():
        await made.read(b"k")
        await made.change([], [])
        with pytest.raises(Diverged, match="revision 4 where it had reached 5"):
            await made.read(b"k")
        with pytest.raises(Diverged, match="another cluster"):
            await made.change([], [])

    asyncio.run(scenario())


async def watch(made, revision=1):
    return [watched async for watched in made.watch(revision)]


def line(revision, *keys, **more):
    events = [{"kv": {"key": base64.b64encode(k).decode(), "mod_revision": str(revision)}} for k in keys]
    return json.dumps({"result": {"header": header(revision), "events": events, **more}}).encode() + b"\n"


def test_a_watch_gives_its_lines_however_they_are_cut_and_its_end_is_no_end_of_the_order(monkeypatch):
    data = line(1, created=True) + line(2, b"b/1", b"u/1") + line(3, b"b/2", fragment=True)

    for size in (1, 7, len(data)):
        made, _ = told(monkeypatch, (200, Stream(data, size)))
        seen = []

        async def scenario(made=made, seen=seen):
            with pytest.raises(Unavailable, match="ended"):
                async for watched in made.watch(1):
                    seen.append(watched)

        asyncio.run(scenario())
        assert [[event.kv.key for event in watched.events] for watched in seen] == [[], [b"b/1", b"u/1"], [b"b/2"]]
        assert [watched.fragment for watched in seen] == [False, False, True]
        assert made.endpoint == "http://b"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b'{"result": {"header": {"cluster_id": "7"}, "canceled": true, "compact_revision": "9"}}\n', Compacted),
        (b'{"result": {"header": {"cluster_id": "7"}, "canceled": true}}\n', Unavailable),
        (b'{"error": {"code": 14, "message": "no leader"}}\n', Unavailable),
        (b"\n", Unavailable),
        (b'{"result": {"header": {"cluster_id": "8"}}}\n', Diverged),
    ],
)
def test_a_watch_that_cannot_go_on_says_why(monkeypatch, answer, error):
    made, _ = told(monkeypatch, (200, Stream(answer)))
    made.cluster = 7
    with pytest.raises(error):
        asyncio.run(watch(made))


def test_an_answer_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(gateway, "LINE_BYTES_MAX", 1_000)
    made, _ = told(monkeypatch, (200, Stream(b"x" * 1_001)))
    with pytest.raises(Unavailable, match="beyond every limit"):
        asyncio.run(watch(made))
