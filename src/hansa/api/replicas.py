"""What another node copies from this one: the journal's blocks, and snapshots of the state.

Whoever copies checks every byte against what members' nodes have signed, so nothing is checked here, and what goes out
in a second is bounded: a node serves its members first.
"""

from collections.abc import Callable
from time import monotonic
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from hansa.api.operations import CBOR, CBOR_SEQUENCE
from hansa.api.requests import SECURITY, json_response, number
from hansa.node.node import Node
from hansa.wire import cbor, snapshot
from hansa.wire.problems import HansaError

BLOCKS_BYTES: Final = 1024 * 1024
"""Of one answer's blocks, unless one block alone has more: what is read from the journal at once."""
COPIED_BYTES_MAX: Final = 64 * 1024 * 1024
"""What may be copied from a node in a second, by all who do: reading and sending it takes about a tenth of its time."""


class Allowance:
    """So many bytes in each second, whoever takes them; who comes when they are used up comes again."""

    def __init__(self, bytes_s: int, clock: Callable[[], float] = monotonic) -> None:
        self._bytes_s = bytes_s
        self._clock = clock
        self._left = float(bytes_s)
        self._at = clock()

    def check(self) -> None:
        """Raises `HansaError` `snapshot.busy` if nothing is left."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) * self._bytes_s, float(self._bytes_s))
        self._at = now
        if self._left <= 0:
            raise HansaError("snapshot.busy", retry_after=1)

    def spend(self, count: int) -> None:
        """So many went out; what is too much is missing from the next seconds."""
        self._left -= count


class ReplicaRoutes:
    """The handlers."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._allowance = Allowance(COPIED_BYTES_MAX)

    async def snapshots(self, request: Request) -> Response:
        """Those that are kept here, the newest first."""
        kept = self._node.snapshots
        listed: list[dict[str, object]] = []
        for height in kept.heights():
            data = kept.manifest(height)
            found, said = snapshot.decode_manifest(data), snapshot.read(snapshot.envelope_of(data))
            size = sum(chunk.length for chunk in found.chunks)
            listed.append({"height": height, "digest": said.digest, "entries": found.size, "time": found.time})
            listed[-1] |= {"keys": found.keys, "chunks": len(found.chunks), "bytes": size}
        return json_response({"snapshots": listed})

    async def snapshot_manifest(self, request: Request) -> Response:
        """The exact bytes of a manifest."""
        return self._copied(self._node.snapshots.manifest(number(request.path_params["height"], "height")), CBOR)

    async def snapshot_chunk(self, request: Request) -> Response:
        """The exact bytes of a chunk."""
        self._allowance.check()
        height, place = (number(request.path_params[name], name) for name in ("height", "number"))
        return self._copied(self._node.snapshots.chunk(height, place), CBOR)

    async def blocks(self, request: Request) -> Response:
        """Whole blocks, behind the path by which the tree goes on from them."""
        self._allowance.check()
        begin, until = (number(request.query_params[name], name) for name in ("from", "until"))
        found, path = self._node.reading.blocks(begin, until, BLOCKS_BYTES)
        return self._copied(b"".join([cbor.encode_ordered(path), *map(cbor.byte_string, found)]), CBOR_SEQUENCE)

    def _copied(self, data: bytes, content_type: str) -> Response:
        self._allowance.spend(len(data))
        return Response(data, media_type=content_type, headers=SECURITY)
