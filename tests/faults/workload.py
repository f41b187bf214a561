"""A small ledger and what is done to it in the fault suites, in process; and the record of what came of it.

`Ledger` makes transactions for it. `Run` reads a folder whole and is what every later copy of that ledger, after
whatever crash, must be a beginning of.
"""

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import structlog

from hansa.client import keys, transactions
from hansa.client.transactions import Prepared
from hansa.contracts import program as program_module
from hansa.contracts import schedules
from hansa.contracts.checked import Checked
from hansa.contracts.declarations import Libraries
from hansa.contracts.program import Program
from hansa.governance import directory as governance_directory
from hansa.merkle import tiles
from hansa.merkle.tree import leaf_hash, node_hash
from hansa.node import node as node_module
from hansa.node import recovery
from hansa.node.clock import Clock
from hansa.node.create import Founder, create_ledger, member_key
from hansa.node.intake import Answer
from hansa.node.node import Node, open_node
from hansa.store import journal, rows
from hansa.store.files import Disk, Files
from hansa.store.folder import Folder
from hansa.store.journal import Scan, Segments
from hansa.wire import block, cbor, entry, order, writes
from hansa.wire import genesis as wire_genesis
from hansa.wire.genesis import Limits
from hansa.wire.problems import HansaError

MEMBER = "acme"
CONTRACT = "counter"
SOURCE = '''"""Counts."""

from hansa.contract import Contract, Record, Text, action, event, require


class Counter(Contract, version="1.0.0"):
    class Count(Record, key="name", index=["odd"]):
        """A number that only grows."""

        name: Text[1, 40]
        value: int = 0
        odd: bool = False

    @action(by="member", creates="Count")
    def open(tx, count: Count, name: Text[1, 40]):
        """Begins to count."""

    @action(by="member")
    def add(tx, count: Count, amount: int):
        """Counts on."""
        require(amount > 0, "{amount} is no step forward", amount=amount)
        count.value = count.value + amount
        count.odd = count.value % 2 == 1
        event("counted", name=count.name, value=count.value)
'''

SCHEDULING = (
    SOURCE.replace(
        "Contract, Record, Text, action, event, require",
        "Contract, Duration, Record, Text, action, event, require, schedule",
    )
    + """
    @action(by="member")
    def later(tx, count: Count):
        schedule(count, "grow", tx.time + Duration(seconds=1))

    @action(by="schedule")
    def grow(tx, count: Count):
        count.value = count.value + 101
        count.odd = count.value % 2 == 1
"""
)
"""The same with what ledger time does."""


class Ahead(Clock):
    """The machine's clock, set wrong by `ahead` ms."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


class Ledger:
    """A ledger in a folder with one member, whose key signs everything."""

    def __init__(self, root: Path, files: Files | None = None, limits: Limits | None = None) -> None:
        self.folder = Folder(root)
        self.id = create_ledger(
            files or Disk(), self.folder, "faults", [Founder(MEMBER, "Acme", deployer=True)], limits=limits
        )
        self.key = keys.load(member_key(self.folder, MEMBER))

    def deploy(self, source: str = SOURCE) -> Prepared:
        arguments = {"name": CONTRACT, "source": source}
        return transactions.prepare(self.key, self.id, "members", "deploy", arguments, steps_max=100_000)

    def open(self, name: str) -> Prepared:
        return transactions.prepare(self.key, self.id, CONTRACT, "open", {"name": name})

    def add(self, name: str, amount: int = 1) -> Prepared:
        return transactions.prepare(self.key, self.id, CONTRACT, "add", {"count": name, "amount": amount})

    def later(self, name: str) -> Prepared:
        """Has ledger time count on in a second."""
        return transactions.prepare(self.key, self.id, CONTRACT, "later", {"count": name})

    def any(self, contract: str, arguments: dict) -> Prepared:
        """A transaction that is refused at apply, and carries what it likes."""
        return transactions.prepare(self.key, self.id, contract, "none", arguments)


@dataclass
class Asked:
    """What a node was asked, and what it told: `told` by id."""

    told: dict[bytes, Answer | HansaError] = field(default_factory=dict)
    acknowledged: list[Answer] = field(default_factory=list)
    on_answer: Callable[[Answer], None] = lambda _: None

    def submit(self, node: Node, prepared: Prepared) -> "asyncio.Future[Answer | HansaError]":
        """Submits; the future has what the listener was told, or the refusal at once."""
        future: asyncio.Future[Answer | HansaError] = asyncio.get_running_loop().create_future()

        def listener(answer: Answer | HansaError) -> None:
            self.told[prepared.id] = answer
            if isinstance(answer, Answer):
                self.acknowledged.append(answer)
                self.on_answer(answer)
            if not future.done():
                future.set_result(answer)

        try:
            node.submit(prepared.envelope, listener)
        except HansaError as error:
            future.set_result(error)
        return future

    async def submit_all(self, node: Node, prepared: list[Prepared]) -> list[Answer | HansaError]:
        return await asyncio.gather(*[self.submit(node, one) for one in prepared])


@dataclass
class Run:
    """Everything that a ledger's journal holds: the blocks, and what follows from them."""

    blocks: list[bytes]
    ids: list[bytes] = field(default_factory=list)
    outcomes: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    roots: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # size -> number of blocks, root
    written: list[list[writes.Write]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, data in enumerate(self.blocks, 1):
            decoded = block.decode(data)
            for item in decoded.items:
                self.ids.append(item.id)
                self.outcomes.append(item.outcome)
                self.leaves.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
                self.written.append(writes.decode(item.writes))
            self.roots[len(self.ids)] = number, decoded.header.root
        self.roots.setdefault(0, (0, b""))
        self.counts = lru_cache(None)(self._counts)
        self.rows = lru_cache(None)(self._rows)

    def _counts(self, size: int) -> tuple[tuple[bytes, int, bytes], ...]:
        """The records of the counter contract at `size`, as (key, seq, value)."""
        found = {}
        for seq, written in enumerate(self.written[:size]):
            for write in written:
                if write.contract == CONTRACT:
                    found[order.key_bytes(write.key)] = (seq, write.value)
        return tuple((key, *found[key]) for key in sorted(found))

    def _rows(self, size: int) -> list[bytes]:
        """The tree's rows at `size`, joined, as they must lie on the disk."""
        found, hashes = [], self.leaves[:size]
        while hashes:
            found.append(b"".join(hashes))
            for _ in range(tiles.TILE_HEIGHT):
                hashes = [node_hash(a, b) for a, b in zip(hashes[::2], hashes[1::2], strict=False)]
        return found

    def due(self, size: int) -> list[bytes]:
        """The records of what is still to come at `size`."""
        found = {}
        for written in self.written[:size]:
            for write in written:
                if (write.contract, write.record) == (schedules.CONTRACT, schedules.RECORD):
                    found[write.key] = write.value
        return sorted(value for value in found.values() if cbor.decode_own(value)["due"] is not None)

    def odd(self, size: int) -> list[bytes]:
        return [key for key, _, value in self.counts(size) if cbor.decode_own(value)["odd"]]


def read_run(root: Path) -> Run:
    """What the journal in a folder holds; it must be sound to its end."""
    folder = Folder(root)
    files = Disk()
    segments = Segments(files, folder.journal, journal.read_ledger(files, folder.journal))
    try:
        scan = Scan(segments)
        run = Run([data for _, blocks in scan for data, _ in blocks])
        assert scan.broken is None
        return run
    finally:
        segments.close()


async def session(
    ledger: Ledger,
    files: Files,
    waves: Iterable[list[Prepared]],
    asked: Asked,
    *,
    clock: Clock | None = None,
    stop: bool = True,
    opened: Callable[[Node], None] = lambda _: None,
    root: Path | None = None,
) -> Node:
    """Opens the ledger, or a copy of it at `root`, submits each wave and waits for its answers, each an `Answer`."""
    node = open_node(root or ledger.folder.root, files=files, clock=clock, reserve_bytes=0)
    node.start()
    opened(node)
    for wave in waves:
        for answer in await asked.submit_all(node, wave):
            assert isinstance(answer, Answer), answer
    if stop:
        await node.stop()
    return node


async def abandon(node: Node) -> None:
    """Lets a node go without its stopping properly, as far as this process must; nothing more reaches the files."""
    node._stopping = True
    node._verifier.stop()
    committer = node._committer
    committer._stopping.set()
    committer._units.put(None)
    await asyncio.get_running_loop().run_in_executor(None, committer._thread.join)
    if committer._preparing is not None:
        committer._preparing.join()
    if node.failed is not None and node.failed.done():
        node.failed.exception()
    release(node)


def release(node: Node) -> None:
    """Closes what a node, or one that failed to stop, holds of its folder."""
    parts = node._parts
    for close in (parts.state.close, parts.rows.close, parts.checkpoints.close, parts.segments.close):
        with contextlib.suppress(Exception):
            close()
    for lock in node._locks:
        with contextlib.suppress(OSError):
            lock.release()


@contextlib.contextmanager
def small(
    segment_bytes: int = 16_384, flush_entries: int = 10, tile_height: int = 2, replay_flush_entries: int = 50_000
) -> Iterator[None]:
    """Everything that is large is small: segments, flushes, tiles. So a few entries go through all the code."""
    patches = [
        (journal, "SEGMENT_BYTES_FIRST", segment_bytes),
        (journal, "SEGMENT_BYTES", segment_bytes),
        (node_module, "FLUSH_ENTRIES", flush_entries),
        (node_module, "IDLE_FLUSH_S", 3600.0),
        (recovery, "_REPLAY_FLUSH_ENTRIES", replay_flush_entries),
        (tiles, "TILE_HEIGHT", tile_height),
        (tiles, "TILE_WIDTH", 1 << tile_height),
        (rows, "TILE_WIDTH", 1 << tile_height),
    ]
    with patched(patches):
        yield


@contextlib.contextmanager
def patched(patches: list[tuple[object, str, object]]) -> Iterator[None]:
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
    for owner, name, value in patches:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Pure functions that every recovery calls with the same arguments answer from memory."""
    loaded: dict[tuple[str, str, tuple[bytes, ...], bytes], Program] = {}

    def load(source: str, name: str, libraries: Libraries, before: Checked | None) -> Program:
        known = source, name, tuple(sorted(libraries)), b"" if before is None else before.digest
        if known not in loaded:
            loaded[known] = program_module.load(source, name, libraries, before)
        return loaded[known]

    patches = [
        (governance_directory, "load", load),
        (wire_genesis, "decode", lru_cache(None)(wire_genesis.decode)),
    ]
    with patched(patches):
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No log: what is logged here is expected."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory if there is one: what is tested here is what is written, not the disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="hansa-faults-", dir=memory) as name:
        yield Path(name)


def run_quietly(main: Awaitable[object], problems: list[dict] | None = None) -> object:
    """Runs a coroutine; what the loop would only log (exceptions in callbacks) goes to `problems`."""

    async def guarded() -> object:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: problems.append(context) if problems is not None else None
        )
        return await main

    return asyncio.run(guarded())
