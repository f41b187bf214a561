"""The orderer of a node: its CometBFT engine decides, this node executes what it decided.

One batch is one transaction of CometBFT. A block of CometBFT at height H with transactions 0 to n gives the batches at
the positions `H << 16 | i`; their time is the header's. What is no batch, or an empty one, gives none. Proof that
somebody voted twice, if the block has any, is a last batch by itself. The engine's
answer waits until all of them are durable here, and carries the digest of the last header: so a node that computed
another ledger finds out at the next block, and stops.

**A crash at any moment.** A Hansa block becomes durable while its CometBFT block is being finalized, so this node may
be ahead of what the engine remembers of our answer. Hence `info` says one height less than that of the last block
here: CometBFT then replays from that height on (consensus/replay.go at v0.40.0, ReplayBlocksWithContext), whether it
kept the answer, the state behind it, or only the block itself, and is answered from what is known. The block is there:
CometBFT writes it durably before it has it finalized. Blocks and states are pruned well below that height.
An engine that lost its data begins anew at height 0 and is answered from what is known likewise; what it had signed is
lost with them, so it votes again only some heights on (`home`).

Engine and application are a pair: when a connection ends, the engine is killed, and it is started again.
"""

import asyncio
import contextlib
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog

from hansa.orderers import DIVERGED, HALTED, Batch, Misbehavior, Replica, Standing
from hansa.orderers.cometbft import home as homes
from hansa.orderers.cometbft import standing
from hansa.orderers.cometbft.abci import Finalized, Server
from hansa.orderers.cometbft.home import TRANSACTION_BYTES_MAX, TRANSACTIONS_MAX
from hansa.orderers.cometbft.rpc import Refused, Rpc, Unready, View
from hansa.orderers.cometbft.settings import CometSettings
from hansa.orderers.cometbft.standing import Facts
from hansa.orderers.engine import Engine
from hansa.orderers.lanes import ENGINE_BATCH_BYTES_MAX, Lanes
from hansa.store.files import Disk
from hansa.wire import batch
from hansa.wire.limits import NONCE_BYTES
from hansa.wire.problems import HansaError

log = structlog.get_logger()

FLIGHTS_MAX: Final = 4
"""Batches that are handed in and not yet ordered: the next ones fill meanwhile."""
RESEND_S: Final = 10.0
"""After how long a batch that was not ordered is handed in again."""
RETRY_S: Final = 0.2
"""Between two tries to hand in a batch while the engine takes none: it is starting, or full."""
STALE_S: Final = 5.0
"""After how long without a block the next one would have too old a time: it is the time of the last votes."""
EXPEL_S: Final = 15.0
"""How long one node after the other waits before it starts its engine anew to be rid of a peer: longer than that takes.
"""
FULL_BYTES: Final = 1024 * 1024
"""A disk with less is taken for full: an engine writes more than that at once."""
LOOK_S: Final = 1.0
"""How often the engine is asked how it is."""

_INDEX_BITS: Final = 16
_PROVED_INDEX: Final = (1 << _INDEX_BITS) - 1
"""The place of what a block proves, behind all its transactions."""
_FRAME_BYTES: Final = 6
"""What a transaction costs in a block besides its bytes, at most."""
_FILTER: Final = "/p2p/filter/"
_LOG_BYTES: Final = 1024 * 1024
"""Of its log, what is read at a time."""
_FAILURE: Final = b"CONSENSUS FAILURE"
_LAST_WORDS: Final = (b"ERROR:", b"panic:")
_WORDS: Final = 300
"""Of those, what is told."""
_DIVERGED_LINES: Final = (
    (b"+2/3", b"Block.Header.AppHash"),
    (b"Error in validation", b"Block.Header.AppHash"),
    (b"AppHash does not match AppHash after replay",),
)
"""What CometBFT 0.40.0 writes when two thirds signed another hash than ours (consensus, blocksync, handshake)."""
_DIVERGED_REMEDY: Final = (
    "Keep the folder as it is. Compare checkpoints with the others (`hansa audit` says which entry differs first), "
    "and report it."
)


class _Flight(msgspec.Struct):
    """A batch that waits to be seen in the order. `since`: when it was made; `sent`: when it was handed in last."""

    data: bytes
    since: float
    sent: float | None = None


class CometBFT:
    """See `Orderer`. `binary`: the program of the engine."""

    name = "cometbft"

    def __init__(self, settings: CometSettings, binary: Path, replica: Replica) -> None:
        self._replica = replica
        self._settings = settings
        self._home = Path(settings.home)
        self._binary = binary
        self._ready: Callable[[], None] = lambda: None
        # What was decided. Positions: given to the queue, applied, and of the last block.
        self._queue: deque[Batch] = deque()
        self._queued = self._applied = self._last = 0
        self._digest = b""
        self._progress = asyncio.Event()
        # What is handed in.
        self._lanes = Lanes(replica.limits, ENGINE_BATCH_BYTES_MAX)
        self._flights: dict[bytes, _Flight] = {}
        self._work = asyncio.Event()
        self._barriers: dict[bytes, asyncio.Future[None]] = {}  # by the empty batch that each waits for
        self._proposed = 0  # the last height that was proposed here
        self._decided: tuple[float, float] | None = None  # when that one was: by the steady clock, by the wall's
        # How it is.
        self._view: View | None = None
        self._began = self._viewed = 0.0
        self._lost = 0.0  # since when the same peers are missing
        self._strange: float | None = None  # since when it is connected to one that is let in no more
        self._log_read = 0
        self._was_full = False  # the engine's disk, at the last look
        self._diverged = ""
        self._failed = ""
        self._ended = ""
        self._words = ""  # what the engine said last, when it ended by itself
        self._life = 0  # how many engines there were before this one
        self._engine: Engine | None = None
        self._rpc: Rpc | None = None
        self._main: asyncio.Task[None] | None = None

    def start(self, position: int, digest: bytes, ready: Callable[[], None]) -> None:
        """See `Orderer`. Raises `HansaError`: `engine.start`, `engine.keys`, `folder.access`, `disk.full`."""
        self._queued = self._applied = self._last = position
        self._digest = digest
        self._ready = ready
        if not os.access(self._binary, os.X_OK):
            raise HansaError("engine.start", f"{self._binary} is not a program that this account may run")
        homes.prepare(self._settings, self._replica, position >> _INDEX_BITS)
        self._began = self._viewed = time.monotonic()
        self._main = asyncio.create_task(self._run())

    def submit(self, lane: str, id: bytes, envelope: bytes, steps: int) -> None:
        """See `Orderer`."""
        if self._lanes.add(lane, id, envelope, steps):
            self._work.set()

    def take(self) -> Batch | None:
        """See `Orderer`."""
        return self._queue.popleft() if self._queue else None

    def applied(self, position: int, digest: bytes) -> None:
        """See `Orderer`."""
        assert self._applied < position <= self._queued
        self._applied = position
        if digest != self._digest:
            self._digest, self._last = digest, position
        self._progress.set()

    def standing(self) -> Standing:
        """See `Orderer`."""
        if self._diverged:
            return Standing(DIVERGED, self._diverged, _DIVERGED_REMEDY)
        if self._failed:
            return Standing(HALTED, self._failed, "Start the node again, and report it with its log.")
        return standing.judge(self._settings.node, self._replica.seats(), self._facts())

    async def barrier(self) -> None:
        """See `Orderer`: an empty batch is ordered, and whatever was decided before it is applied first."""
        id = self._fly([])
        reached = self._barriers[id] = asyncio.get_running_loop().create_future()
        self._work.set()
        try:
            await reached
        finally:
            del self._barriers[id]

    async def stop(self) -> None:
        """See `Orderer`."""
        main, self._main = self._main, None
        if main is not None:
            main.cancel()
            await asyncio.gather(main, return_exceptions=True)

    # What CometBFT asks: see `abci.Application`.

    def info(self) -> tuple[int, bytes]:
        """One height less than that of the last block here: see the top of this page."""
        height = self._last >> _INDEX_BITS
        if not height or homes.is_renewed(self._home):
            return 0, b""
        return height - 1, self._replica.digest_before(height << _INDEX_BITS)

    def first_hash(self) -> bytes:
        """The digest of genesis' header."""
        return self._digest if not self._last else self._replica.digest_before(1 << _INDEX_BITS)

    def admits(self, path: str) -> str:
        """Only nodes that the ledger lets in, and those this one was told to begin with, whatever their address."""
        kind, _, name = path.removeprefix(_FILTER).partition("/")
        if path.startswith(_FILTER) and kind == "addr":
            return ""
        known = path.startswith(_FILTER) and kind == "id" and name in self._known()
        return "" if known else "not a node of this network"

    def _known(self) -> set[str]:
        """The peers that are let in."""
        return {
            *(each.peer for each in self._replica.seats()),
            *(peer.partition("@")[0] for peer in self._settings.peers),
        }

    def check(self, tx: bytes) -> str:
        """Only what reads as a batch is passed on."""
        if len(tx) > TRANSACTION_BYTES_MAX:
            return f"a batch has at most {TRANSACTION_BYTES_MAX} bytes"
        try:
            batch.decode(tx)
        except HansaError as error:
            return str(error)
        return ""

    def prepare(self, height: int, txs: list[bytes], room: int) -> list[bytes]:
        """As many as a block may have."""
        self._proposed = height
        chosen = txs[:TRANSACTIONS_MAX]
        while sum(map(len, chosen)) + len(chosen) * _FRAME_BYTES > room:
            chosen.pop()
        return chosen

    def process(self, height: int, txs: list[bytes]) -> bool:
        """Whether it has the bounds of this network."""
        self._proposed = height
        return len(txs) <= TRANSACTIONS_MAX and all(len(tx) <= TRANSACTION_BYTES_MAX for tx in txs)

    async def finalize(
        self, height: int, time: int, txs: list[bytes], misbehavior: tuple[Misbehavior, ...] = ()
    ) -> Finalized:
        """Queues what was not queued yet, and waits until all of it is durable here.

        Which powers a height set stands on the ledger with the blocks of it, so the answer is the same in every replay.
        """
        last = 0
        seen = self._proposed == height
        for index, tx in enumerate(txs):
            envelopes = self._envelopes(tx)
            if envelopes:
                last = height << _INDEX_BITS | index
                self._decide(Batch(position=last, stamp=time, envelopes=envelopes))
            seen |= self._flights.pop(batch.id_of(tx), None) is not None
        if misbehavior:
            last = height << _INDEX_BITS | _PROVED_INDEX
            self._decide(Batch(position=last, stamp=time, envelopes=[], misbehavior=misbehavior))
        if self._queue:
            self._ready()
        if seen:  # now, and not in a replay: the votes for it are as fresh
            self._decided = self._now()
        self._work.set()
        while self._applied < last:
            self._progress.clear()
            await self._progress.wait()
        for tx in txs:
            reached = self._barriers.get(batch.id_of(tx))
            if reached is not None and not reached.done():
                reached.set_result(None)
        powers = self._replica.powers(height << _INDEX_BITS, height + 1 << _INDEX_BITS)
        if height >= self._last >> _INDEX_BITS:
            homes.unmark_renewed(self._home)
            return Finalized(self._digest, powers)
        return Finalized(self._replica.digest_before(height + 1 << _INDEX_BITS), powers)

    def _decide(self, batch: Batch) -> None:
        if batch.position > self._queued:
            self._queued = batch.position
            self._queue.append(batch)

    async def ask(self, route: str, query: Mapping[str, int]) -> bytes:
        """See `Answering`."""
        if self._rpc is None:
            raise HansaError("engine.silent", "it is not started yet", retry_after=1)
        try:
            return await self._rpc.ask(route, query)
        except Unready as error:
            raise HansaError("engine.silent", str(error), retry_after=1) from None

    def retained(self) -> int:
        """Well below what `info` would say: a block is replayed with the validators of the one before."""
        if homes.is_renewed(self._home):
            return 0
        return max(0, (self._last >> _INDEX_BITS) - 1 - self._settings.retained)

    # What runs beside.

    @property
    def _log_file(self) -> Path:
        return self._home / "engine.log"

    async def _run(self) -> None:
        """The engine, and all that belongs to one, until it is cancelled."""
        sockets = homes.socket_folder(self._home)
        abci, answers = sockets / "abci", sockets / "rpc"
        rpc = self._rpc = Rpc(answers)
        server = Server(self, self._connection_lost)
        command = [self._binary, "start", "--home", self._home.absolute()]
        command += ["--proxy_app", f"unix://{abci}", "--rpc.laddr", f"unix://{answers}"]
        engine = self._engine = Engine(command, self._log_file, died=partial(self._died, server, answers))
        try:
            with contextlib.suppress(FileNotFoundError):
                self._log_read = self._log_file.stat().st_size
            await server.start(abci)
            await engine.start()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send(rpc))
                tasks.create_task(self._look(rpc))
        except Exception as error:
            log.exception("orderer.failed")
            self._failed = f"the orderer failed: {type(error).__name__}"
        finally:
            if self._applied < self._queued:  # the engine waits for what will not come any more
                server.drop()
            await engine.stop()
            await server.stop()
            await rpc.close()
            shutil.rmtree(sockets, ignore_errors=True)

    def _died(self, server: Server, socket: Path, code: int) -> None:
        """What the engine had of us is gone with it."""
        server.drop()
        socket.unlink(missing_ok=True)
        try:
            homes.configure(self._settings, self._replica.seats())
        except HansaError as error:  # a full disk; what it read before is as good for a while
            log.warning("engine.unconfigured", detail=error.detail)
        self._read_log()
        self._ended = f"its engine ended ({code}) and is started again: {self._words or 'it gave no reason'}"
        self._view = None
        self._proposed = 0
        self._life += 1
        for flight in self._flights.values():
            flight.sent = None
        self._work.set()

    def _connection_lost(self) -> None:
        if self._engine is not None:
            self._engine.kill()

    async def _send(self, rpc: Rpc) -> None:
        """Makes batches of what has queued and hands them in until they are ordered."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESEND_S):  # not wait_for: until Python 3.12 it may swallow an end
                    await self._work.wait()
            self._work.clear()
            self._fill()
            for id, flight in list(self._flights.items()):
                if flight.sent is not None and time.monotonic() - flight.sent < RESEND_S:
                    continue
                life = self._life
                try:
                    await rpc.broadcast(flight.data)
                except Refused as refused:
                    log.warning("batch.refused", reason=str(refused))
                    self._flights.pop(id, None)
                except Unready:
                    await asyncio.sleep(RETRY_S)
                    self._work.set()
                    break
                else:
                    flight.sent = time.monotonic() if life == self._life else None

    def _fill(self) -> None:
        """Batches of what waits. After a pause an empty one goes alone: the votes for it give the next one its time."""
        while len(self._lanes) and len(self._flights) < FLIGHTS_MAX:
            stale = self._is_stale()
            if stale and self._flights:
                return
            self._fly([] if stale else self._lanes.fill())

    def _fly(self, envelopes: list[bytes]) -> bytes:
        """Has a batch handed in; its id."""
        data = batch.encode(0, envelopes, os.urandom(NONCE_BYTES))  # the header's time counts, not ours
        id = batch.id_of(data)
        self._flights[id] = _Flight(data, time.monotonic())
        return id

    async def _look(self, rpc: Rpc) -> None:
        """Asks the engine how it is, and reads what it writes, until it is done for."""
        while not self._diverged:
            with contextlib.suppress(Unready):
                self._see(await rpc.view())
            self._read_log()
            self._watch_disk()
            await asyncio.sleep(LOOK_S)
        log.error("orderer.diverged", reason=self._diverged)
        self._queue.clear()
        self._ready()
        assert self._engine is not None
        await self._engine.stop()

    def _watch_disk(self) -> None:
        """Starts the engine anew when its disk was full and is no more.

        It may have given up voting and live on, and what it said of that had no place in its log.
        """
        with contextlib.suppress(OSError):
            is_full = Disk().free_bytes(self._home) < FULL_BYTES
            if self._was_full and not is_full and self._engine is not None:
                log.info("engine.renewed", engine=self.name, after="full disk")
                self._engine.kill()
            self._was_full = is_full

    def _see(self, view: View) -> None:
        self._viewed = time.monotonic()
        self._ended = ""
        if self._view is None or view.peers != self._view.peers:
            self._lost = self._viewed
        self._view = view
        self._expel(view)
        if not self._flights and standing.is_cut_off(self._settings.node, self._replica.seats(), self._facts()):
            self._fly([])  # whether it is ordered tells more than connections do
            self._work.set()

    def _expel(self, view: View) -> None:
        """Starts the engine anew while it is connected to one that is let in no more: by itself it lets nobody go.

        One node after the other, by its place among all, so that the order goes on meanwhile; where it would not, the
        peer stays until the engine starts anew for another reason.
        """
        strangers, now = view.peers - self._known(), time.monotonic()
        if not strangers or not self._is_spared():
            self._strange = None
        elif self._strange is None:
            self._strange = now
        else:
            before = sum(seat.name < self._settings.node for seat in self._replica.seats())
            if now - self._strange > EXPEL_S * (before + 1) and self._engine is not None:
                log.info("engine.parted", engine=self.name, without=sorted(strangers))
                self._strange = None
                self._engine.kill()

    def _is_spared(self) -> bool:
        """Whether the others order without this node: its vote is less than a third of all."""
        seats = self._replica.seats()
        return 3 * sum(seat.power for seat in seats if seat.name == self._settings.node) < sum(
            seat.power for seat in seats
        )

    def _facts(self) -> Facts:
        return Facts(
            now=time.monotonic(),
            viewed=self._viewed,
            view=self._view,
            ended=self._ended,
            lost=self._lost,
            decided=None if self._decided is None else self._decided[0],
            waiting=min((flight.since for flight in self._flights.values()), default=None),
            began=self._began,
        )

    def _read_log(self) -> None:
        """Looks for what the engine says of itself nowhere else: that its order and this ledger are not one."""
        try:
            with self._log_file.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                self._log_read = file.seek(self._log_read if self._log_read <= size else 0)
                written = file.read(_LOG_BYTES)
        except FileNotFoundError:
            return
        whole = len(written) if len(written) == _LOG_BYTES else written.rfind(b"\n") + 1
        self._log_read += whole
        for line in written[:whole].splitlines():
            if any(all(part in line for part in parts) for parts in _DIVERGED_LINES):
                self._diverged = "the others computed another ledger than this node from the same order"
            elif line.startswith(_LAST_WORDS):
                self._words = line[:_WORDS].decode(errors="replace")
            elif _FAILURE in line and self._engine is not None:
                self._engine.kill()  # it lives on and takes no part any more

    @staticmethod
    def _envelopes(tx: bytes) -> list[bytes]:
        """What a transaction of CometBFT carries; nothing if it is no batch."""
        try:
            return batch.decode(tx).envelopes
        except HansaError:
            return []

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.monotonic(), time.time()

    def _is_stale(self) -> bool:
        """Whether the next block's time would be too old: nothing was decided for a while, by either clock."""
        if self._decided is None:
            return True
        return any(abs(now - then) > STALE_S for now, then in zip(self._now(), self._decided, strict=True))
