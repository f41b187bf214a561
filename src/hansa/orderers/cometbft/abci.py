"""The server that CometBFT asks: ABCI 2.0 over a Unix socket, as of CometBFT 0.38 to 0.40.

CometBFT opens four connections and sends one request after another on each; a reply has its request's place, and a
`Flush` is answered like any other. A frame is the length as a varint, then a `Request` (`Response`) with one of its
fields. Numbers of messages and fields are those of proto/tendermint/abci/types.proto, at v0.40.0:

    message Request  { oneof { echo = 1; flush = 2; info = 3; init_chain = 5; query = 6; check_tx = 8; commit = 11;
                               list_snapshots = 12; offer_snapshot = 13; load_snapshot_chunk = 14;
                               apply_snapshot_chunk = 15; prepare_proposal = 16; process_proposal = 17;
                               extend_vote = 18; verify_vote_extension = 19; finalize_block = 20; } }
    message Response { oneof { the same, each one more } }
    RequestEcho             { string message = 1; }                             ResponseEcho { string message = 1; }
    RequestInfo             {}            ResponseInfo { int64 last_block_height = 4; bytes last_block_app_hash = 5; }
    RequestInitChain        {}            ResponseInitChain { bytes app_hash = 3; }
    RequestQuery            { string path = 2; }                     ResponseQuery { uint32 code = 1; string log = 3; }
    RequestCheckTx          { bytes tx = 1; }                      ResponseCheckTx { uint32 code = 1; string log = 3; }
    RequestCommit           {}                                            ResponseCommit { int64 retain_height = 3; }
    RequestPrepareProposal  { int64 max_tx_bytes = 1; repeated bytes txs = 2; int64 height = 5; }
                                                                   ResponsePrepareProposal { repeated bytes txs = 1; }
    RequestProcessProposal  { repeated bytes txs = 1; int64 height = 5; }  ResponseProcessProposal { enum status = 1; }
    RequestFinalizeBlock    { repeated bytes txs = 1; repeated Misbehavior misbehavior = 3; int64 height = 5;
                              Timestamp time = 6; }
    Misbehavior             { Validator validator = 2; int64 height = 3; }       Validator { bytes address = 1; }
    ResponseFinalizeBlock   { repeated ExecTxResult tx_results = 2; repeated ValidatorUpdate validator_updates = 3;
                              bytes app_hash = 5; }
    ValidatorUpdate         { PublicKey pub_key = 1; int64 power = 2; }
    PublicKey               { oneof { bytes ed25519 = 1; } }                  (proto/tendermint/crypto/keys.proto)
    Timestamp               { int64 seconds = 1; int32 nanos = 2; }

Other fields are not read and not sent. Snapshots are Hansa's own, and votes are not extended: what asks for either is
answered with nothing, or refused. Used by `orderer` only; it decides nothing itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
import structlog

from hansa.orderers import Misbehavior
from hansa.orderers.cometbft import protobuf
from hansa.orderers.cometbft.protobuf import Message

log = structlog.get_logger()

FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
"""Far beyond what a block of this network can be."""
_BUFFER_BYTES: Final = 1024 * 1024

ECHO: Final = 1
FLUSH: Final = 2
INFO: Final = 3
INIT_CHAIN: Final = 5
QUERY: Final = 6
CHECK_TX: Final = 8
COMMIT: Final = 11
LIST_SNAPSHOTS: Final = 12
LOAD_SNAPSHOT_CHUNK: Final = 14
PREPARE_PROPOSAL: Final = 16
PROCESS_PROPOSAL: Final = 17
FINALIZE_BLOCK: Final = 20

_ACCEPT: Final = 1
_REJECT: Final = 2


class Finalized(msgspec.Struct, frozen=True):
    """What came of a block: the application's hash behind it, and the powers that it set, by Ed25519 keys.

    CometBFT takes these to be in force two heights on. 0 removes; who has no power must not be removed again.
    """

    digest: bytes
    powers: Sequence[tuple[bytes, int]] = ()


class Application(Protocol):
    """What CometBFT asks of whoever executes. Heights are CometBFT's own."""

    def info(self) -> tuple[int, bytes]:
        """The height that is done here, and the application's hash by then."""
        ...

    def first_hash(self) -> bytes:
        """The application's hash before any block."""
        ...

    def admits(self, path: str) -> str:
        """Why the peer that a path names is kept out; empty if it is not."""
        ...

    def check(self, tx: bytes) -> str:
        """Why a transaction is not to be passed on; empty if it is."""
        ...

    def prepare(self, height: int, txs: list[bytes], room: int) -> list[bytes]:
        """What to propose of what waits: `room` bytes at most."""
        ...

    def process(self, height: int, txs: list[bytes]) -> bool:
        """Whether a proposal is in order. Every node MUST say the same."""
        ...

    async def finalize(
        self, height: int, time: int, txs: list[bytes], misbehavior: tuple[Misbehavior, ...] = ()
    ) -> "Finalized":
        """Executes a decided block (`time`: ms since 1970 UTC); what came of it, when it is durable.

        `misbehavior`: of which the block has proof.
        """
        ...

    def retained(self) -> int:
        """The least height whose block is still wanted here; 0 for all of them."""
        ...


class Server:
    """One socket for one engine. `lost` is called when the engine, or a defect here, ends a connection."""

    def __init__(self, application: Application, lost: Callable[[], None]) -> None:
        self._application = application
        self._lost = lost
        self._server: asyncio.Server | None = None  # kept: uvloop closes a server that nobody holds
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, path: Path) -> None:
        """Listens at `path`, which at most 107 bytes may name. Raises `OSError`."""
        self._server = await asyncio.start_unix_server(self._connected, path, limit=_BUFFER_BYTES)

    def drop(self) -> None:
        """Ends the connections of an engine that is gone, without calling `lost`."""
        for connection in self._connections:
            connection.cancel()

    async def stop(self) -> None:
        """Ends everything."""
        self.drop()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            return  # asked for by `drop`: nobody waits for this task
        except (EOFError, ConnectionError):
            self._lost()
        except Exception:
            log.exception("abci.failed")
            self._lost()
        finally:
            self._connections.discard(connection)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = Message(await _frame(reader))
            (number,) = request.numbers()
            reply = protobuf.blob(number + 1, await self._answer(number, request.message(number)))
            writer.write(protobuf.varint(len(reply)) + reply)
            await writer.drain()

    async def _answer(self, number: int, request: Message) -> bytes:
        asked = self._application
        if number in (FLUSH, LIST_SNAPSHOTS, LOAD_SNAPSHOT_CHUNK):
            return b""
        if number == ECHO:
            return protobuf.blob(1, request.blob(1))
        if number == INFO:
            height, digest = asked.info()
            return protobuf.integer(4, height) + protobuf.blob(5, digest)
        if number == INIT_CHAIN:
            return protobuf.blob(3, asked.first_hash())
        if number == QUERY:
            return _verdict(asked.admits(request.blob(2).decode()))
        if number == CHECK_TX:
            return _verdict(asked.check(request.blob(1)))
        if number == COMMIT:
            return protobuf.integer(3, asked.retained())
        if number == PREPARE_PROPOSAL:
            return protobuf.blobs(1, asked.prepare(request.integer(5), request.blobs(2), request.integer(1)))
        if number == PROCESS_PROPOSAL:
            accepted = asked.process(request.integer(5), request.blobs(1))
            return protobuf.integer(1, _ACCEPT if accepted else _REJECT)
        if number == FINALIZE_BLOCK:
            time, txs = request.message(6), request.blobs(1)
            stamp = time.integer(1) * 1_000 + time.integer(2) // 1_000_000
            proved = tuple(_misbehavior(Message(part)) for part in request.blobs(3))
            found = await asked.finalize(request.integer(5), stamp, txs, proved)
            updates = [
                protobuf.blob(1, protobuf.blob(1, key)) + protobuf.integer(2, power) for key, power in found.powers
            ]
            return protobuf.blobs(2, [b""] * len(txs)) + protobuf.blobs(3, updates) + protobuf.blob(5, found.digest)
        raise ValueError(f"request {number} is never made with what is set here")


def _misbehavior(found: Message) -> Misbehavior:
    return Misbehavior(found.integer(3), found.message(2).blob(1))


def _verdict(refusal: str) -> bytes:
    return protobuf.integer(1, 1) + protobuf.blob(3, refusal.encode()) if refusal else b""


async def _frame(reader: asyncio.StreamReader) -> bytes:
    length = shift = 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 28:
            raise ValueError("the length of a frame is no length")
    if length > FRAME_BYTES_MAX:
        raise ValueError(f"a frame of {length} bytes")
    return await reader.readexactly(length)
