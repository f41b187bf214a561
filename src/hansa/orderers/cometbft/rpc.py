"""What `orderer` asks of its own engine: to take a batch, whom it is connected to, whether it follows.

JSON-RPC over a Unix socket in a folder that only this account may enter: the engine listens to nobody else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
import msgspec

ANSWER_S_MAX: Final = 5.0
"""An engine on the same machine that takes longer is asked again."""
_KNOWN: Final = "tx already exists in cache"
_JSON: Final = {"content-type": "application/json"}


_Read = TypeVar("_Read")


class Refused(Exception):
    """The engine will never take this batch."""


class Unready(Exception):
    """The engine does not answer, or not now."""


class _Error(msgspec.Struct, frozen=True):
    message: str = ""
    data: str = ""


class _Reply(msgspec.Struct, frozen=True):
    result: Any = None
    error: _Error | None = None


class _Taken(msgspec.Struct, frozen=True):
    code: int
    log: str = ""


class _Synced(msgspec.Struct, frozen=True):
    latest_block_height: str
    catching_up: bool


class _Status(msgspec.Struct, frozen=True):
    sync_info: _Synced


class _Node(msgspec.Struct, frozen=True):
    id: str


class _Peer(msgspec.Struct, frozen=True):
    node_info: _Node


class _Peers(msgspec.Struct, frozen=True):
    peers: list[_Peer]


class View(msgspec.Struct, frozen=True):
    """How an engine sees itself: the names of its peers, and whether it is still catching up with them."""

    height: int
    catching_up: bool
    peers: frozenset[str]


class Rpc:
    """An engine's RPC at the socket `path`."""

    def __init__(self, path: Path) -> None:
        transport = httpx2.AsyncHTTPTransport(uds=str(path))
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://engine", timeout=ANSWER_S_MAX)

    async def broadcast(self, batch: bytes) -> None:
        """Hands in a batch; again is no error. Raises `Refused`, `Unready`."""
        reply = await self._ask("broadcast_tx_sync", {"tx": batch})
        if reply.error is not None:
            if _KNOWN in reply.error.data:
                return
            raise Unready(reply.error.data or reply.error.message)
        taken = _read(reply, _Taken)
        if taken.code:
            raise Refused(taken.log)

    async def view(self) -> View:
        """How it is. Raises `Unready`."""
        status = _read(await self._ask("status", {}), _Status).sync_info
        peers = _read(await self._ask("net_info", {}), _Peers).peers
        names = frozenset(peer.node_info.id for peer in peers)
        return View(height=int(status.latest_block_height), catching_up=status.catching_up, peers=names)

    async def ask(self, route: str, query: Mapping[str, int]) -> bytes:
        """What it answers to a question, in JSON, an error of its own too. Raises `Unready`."""
        try:
            response = await self._client.get(f"/{route}", params={name: str(value) for name, value in query.items()})
        except (httpx2.HTTPError, OSError) as error:
            raise Unready(f"{type(error).__name__}: {error}") from None
        return response.content

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

    async def _ask(self, method: str, params: dict[str, bytes]) -> _Reply:
        try:
            asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            # Not by `json=`: that is 1.5 ms of the loop for a batch, eight times as much.
            response = await self._client.post("/", content=msgspec.json.encode(asked), headers=_JSON)
            return msgspec.json.decode(response.content, type=_Reply)
        except (httpx2.HTTPError, OSError, msgspec.MsgspecError) as error:
            raise Unready(f"{type(error).__name__}: {error}") from None


def _read(reply: _Reply, type: type[_Read]) -> _Read:
    if reply.error is not None:
        raise Unready(reply.error.data or reply.error.message)
    try:
        return msgspec.convert(reply.result, type)
    except msgspec.ValidationError as error:
        raise Unready(str(error)) from None
