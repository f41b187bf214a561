"""etcd's JSON gateway, as much of it as an order needs, over HTTP.

Called by `orderer` on the node's loop. One request goes to one member; a member that does not answer makes room for the
next, and the caller asks again: everything asked here may be asked twice. It decides nothing about what it reads, but
that it comes from the cluster it has come from before.
Source: the `rpc.proto` of etcd 3.6, in the JSON mapping of proto3.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final, TypeAlias, TypeVar

import httpx2
import msgspec

CONNECT_S: Final = 1.0
"""How long a member may take to be reached at all; then the next is asked."""
ANSWER_S: Final = 3.0
"""How long a member may take; an election takes one second."""
SILENCE_S: Final = 8.0
"""A watch without a word for so long is dead: the nodes' own marks come by more often."""
PAGE_KEYS: Final = 100
LINE_BYTES_MAX: Final = 16 * 1024 * 1024
"""One answer of a watch: etcd splits what is larger than a request may be."""

_OUT_OF_RANGE: Final = 11  # google.rpc.Code
_EXHAUSTED: Final = 8


class Unavailable(Exception):
    """No answer, or one that says to ask again. What was asked may have been done: the outcome is unknown."""


class Full(Unavailable):
    """The store of etcd has reached its quota: it takes nothing until there is room."""


class Compacted(Exception):
    """The revision asked for is no longer kept."""


class Diverged(Exception):
    """What answers is not the cluster that answered before, or has lost what that one had."""


class Header(msgspec.Struct, frozen=True):
    """Of every answer. `revision` grows with each change; etcd leaves out what is zero."""

    cluster_id: int = 0
    revision: int = 0


class Item(msgspec.Struct, frozen=True, gc=False):
    """A key with its value. `version` counts the writes since it was made."""

    key: bytes
    mod_revision: int = 0
    version: int = 0
    value: bytes = b""


class Event(msgspec.Struct, frozen=True):
    """A change of one key."""

    kv: Item
    type: str = "PUT"


class Page(msgspec.Struct, frozen=True):
    """What a range holds, at one revision."""

    header: Header
    kvs: list[Item] = []
    more: bool = False


class Done(msgspec.Struct, frozen=True):
    """Whether the conditions of a change held, so that it was made, at the header's revision."""

    header: Header
    succeeded: bool = False


class Alarm(msgspec.Struct, frozen=True):
    """That a member has no room, or damaged data."""

    member: int = msgspec.field(default=0, name="memberID")
    alarm: str = ""


class Alarms(msgspec.Struct, frozen=True):
    """What alarms there are."""

    header: Header
    alarms: list[Alarm] = []


class Listed(msgspec.Struct, frozen=True):
    """A member as the cluster knows it: without `clients` it was never started."""

    id: int = msgspec.field(default=0, name="ID")
    peers: list[str] = msgspec.field(default_factory=list[str], name="peerURLs")
    clients: list[str] = msgspec.field(default_factory=list[str], name="clientURLs")


class Members(msgspec.Struct, frozen=True):
    """Of a cluster."""

    header: Header
    members: list[Listed] = []


class Watched(msgspec.Struct, frozen=True):
    """One answer of a watch. When it is a fragment, more of the same revision may follow."""

    header: Header
    events: list[Event] = []
    created: bool = False
    canceled: bool = False
    compact_revision: int = 0
    fragment: bool = False


class _Problem(msgspec.Struct, frozen=True):
    code: int = 0
    message: str = ""


class _Line(msgspec.Struct, frozen=True):
    result: Watched | None = None
    error: _Problem | None = None


Json: TypeAlias = "dict[str, object]"
_T = TypeVar("_T")


def absent(key: bytes) -> Json:
    """The condition that a key does not exist."""
    return {"key": key, "target": "VERSION", "result": "EQUAL", "version": 0}


def present(key: bytes) -> Json:
    """The condition that a key exists."""
    return {"key": key, "target": "VERSION", "result": "GREATER", "version": 0}


def below(key: bytes, value: bytes) -> Json:
    """The condition that a key exists and that its value sorts before `value`."""
    return {"key": key, "target": "VALUE", "result": "LESS", "value": value}


def put(key: bytes, value: bytes) -> Json:
    """Writes a key."""
    return {"request_put": {"key": key, "value": value}}


def delete(key: bytes) -> Json:
    """Removes a key; none is no error."""
    return {"request_delete_range": {"key": key}}


def prefix_end(prefix: bytes) -> bytes:
    """The first key behind all that begin with `prefix`, whose last byte is not 255."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))


class Gateway:
    """The members of one cluster. `endpoints` are their URLs, the nearest first; `context` is None for plain HTTP."""

    def __init__(self, endpoints: Sequence[str], context: ssl.SSLContext | None) -> None:
        self._endpoints = list(endpoints)
        self._current = 0
        self._client = httpx2.AsyncClient(
            verify=context if context is not None else False,
            trust_env=False,  # a proxy named by a variable is not between members of a cluster
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S),
        )
        self.cluster: int | None = None
        """The cluster that answers must come from; None takes the first one's."""
        self.floor = 0
        """A revision that the cluster has reached: no answer for the whole of it may be below."""

    @property
    def endpoint(self) -> str:
        """The member that is asked next."""
        return self._endpoints[self._current]

    def nearest(self) -> None:
        """Asks the first member again from now on."""
        self._current = 0

    async def close(self) -> None:
        """Ends all connections."""
        await self._client.aclose()

    async def change(self, conditions: Sequence[Json], changes: Sequence[Json]) -> Done:
        """Makes all `changes` at once, if all `conditions` hold. Raises `Unavailable`: perhaps it was done."""
        body: Json = {"compare": conditions, "success": changes}
        floor = self.floor
        done = await self._ask("/v3/kv/txn", body, Done)
        self._note(done.header, floor)
        return done

    async def read(self, key: bytes, end: bytes = b"", *, keys_only: bool = False) -> Page:
        """A key, or the first `PAGE_KEYS` of those from `key` up to `end`, as they are now on the whole cluster."""
        body: Json = {"key": key, "range_end": end, "limit": PAGE_KEYS, "keys_only": keys_only}
        floor = self.floor
        page = await self._ask("/v3/kv/range", body, Page)
        self._note(page.header, floor)
        return page

    async def compact(self, revision: int) -> None:
        """Lets etcd forget what was before `revision`; again is no error."""
        try:
            await self._ask("/v3/kv/compaction", {"revision": revision}, Done)
        except Compacted:
            return

    async def disarm(self) -> None:
        """Takes back the alarms that a store is full; a member that still is so raises its own again."""
        found = await self._ask("/v3/maintenance/alarm", {"action": "GET"}, Alarms)
        for one in found.alarms:
            if one.alarm == "NOSPACE":
                body: Json = {"action": "DEACTIVATE", "memberID": one.member, "alarm": one.alarm}
                await self._ask("/v3/maintenance/alarm", body, Alarms)

    async def members(self) -> list[Listed]:
        """Those that the cluster has now. Raises `Unavailable`, `Diverged`."""
        found = await self._ask("/v3/cluster/member/list", {"linearizable": True}, Members)
        self._check(found.header)
        return found.members

    async def join_anew(self, peers: str) -> None:
        """Has the member at `peers`, which lost its data, be another one from now on, and does nothing if it is one.

        As the one that it was it might vote against what it had promised. Raises `Unavailable`; then ask again.
        """
        found = [one for one in await self.members() if peers in one.peers]
        if found and not found[0].clients:
            return
        for one in found:
            await self._ask("/v3/cluster/member/remove", {"ID": one.id}, Members)
        await self._ask("/v3/cluster/member/add", {"peerURLs": [peers]}, Members)

    async def watch(self, revision: int) -> AsyncGenerator[Watched, None]:
        """All changes of all keys from `revision` on, in order; the last of them may come again in the next watch.

        Raises `Unavailable` when the member ends it, `Compacted` when it cannot begin there.
        """
        create = {"key": b"\0", "range_end": b"\0", "start_revision": revision, "fragment": True}
        endpoint, origin = self.endpoint, self._current
        timeout = httpx2.Timeout(ANSWER_S, connect=CONNECT_S, read=SILENCE_S)
        body = msgspec.json.encode({"create_request": create})
        try:
            async with self._client.stream("POST", endpoint + "/v3/watch", content=body, timeout=timeout) as answer:
                async for line in _lines(answer):
                    yield self._watched(line)
        except (httpx2.TransportError, httpx2.StreamError, OSError) as error:
            self._turn(origin)
            raise Unavailable(f"{endpoint}: {error or type(error).__name__}") from error
        except Unavailable:
            self._turn(origin)
            raise
        self._turn(origin)
        raise Unavailable(f"{endpoint}: the watch ended")

    def _watched(self, line: bytes) -> Watched:
        answer = _decoded(line, _Line)
        if answer.error is not None or answer.result is None:
            raise Unavailable(answer.error.message if answer.error else "an empty answer")
        watched = answer.result
        self._check(watched.header)
        if watched.compact_revision:
            raise Compacted
        if watched.canceled:
            raise Unavailable("the watch was cancelled")
        return watched

    async def _ask(self, path: str, body: Json, kind: type[_T]) -> _T:
        endpoint, origin = self.endpoint, self._current
        try:
            # One bound for all of it: the timeouts of the transport begin anew with each byte.
            async with asyncio.timeout(ANSWER_S):
                answer = await self._client.post(endpoint + path, content=msgspec.json.encode(body))
        except (httpx2.TransportError, OSError) as error:  # what TLS 1.3 refuses late comes as it is, an OSError
            self._turn(origin)
            raise Unavailable(f"{endpoint}: {str(error) or type(error).__name__}") from error
        if answer.status_code == 200:
            return _decoded(answer.content, kind)
        try:
            problem = _decoded(answer.content, _Problem)
        except Unavailable:
            problem = _Problem(message=f"HTTP status {answer.status_code}")
        if problem.code == _OUT_OF_RANGE:
            raise Compacted
        if problem.code == _EXHAUSTED and "space" in problem.message:
            raise Full(problem.message)
        self._turn(origin)
        raise Unavailable(f"{endpoint}: {problem.message}")

    def _turn(self, origin: int) -> None:
        """To the next member, unless another question that failed has turned already."""
        if self._current == origin:
            self._current = (origin + 1) % len(self._endpoints)

    def _note(self, header: Header, floor: int) -> None:
        """`floor` is the one that stood when the question was asked: answers may overtake each other."""
        self._check(header)
        if header.revision < floor:
            raise Diverged(
                f"the cluster is at revision {header.revision} where it had reached {floor}: it was set back, as by a "
                "restored backup"
            )
        self.floor = max(self.floor, header.revision)

    def _check(self, header: Header) -> None:
        if self.cluster is None:
            self.cluster = header.cluster_id
        elif header.cluster_id != self.cluster:
            raise Diverged(f"cluster {header.cluster_id:x} answers where {self.cluster:x} did: it is another cluster")


def _decoded(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind, strict=False)  # proto3 writes 64-bit integers as strings
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unavailable(f"an answer that is none of etcd's: {error}") from error


async def _lines(answer: httpx2.Response) -> AsyncIterator[bytes]:
    """The lines of a stream, as bytes: most of them are one long string."""
    parts: list[bytes] = []
    size = 0
    async for chunk in answer.aiter_raw():
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            yield b"".join((*parts, piece))
            parts, size = [], 0
        if rest:
            parts.append(rest)
            size += len(rest)
            if size > LINE_BYTES_MAX:
                raise Unavailable("an answer beyond every limit")
