"""The node: one open ledger that takes transactions in, applies them in order, keeps them and answers.

Everything but the disk wait of `commit` happens on one event loop, so nothing here needs a lock. At most one block
is on its way to the disk; what arrives meanwhile is the next. Nothing that a block did is seen by anyone before
the block is durable.
"""

import asyncio
import contextlib
import json
from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog

from hansa.contracts import schedules
from hansa.contracts.values import Cache
from hansa.governance import expiry, sequel
from hansa.governance.directory import Directory, PowerStep, Sender
from hansa.governance.directory import Node as NodeRecord
from hansa.governance.genesis import RETIRED
from hansa.merkle import checkpoint as merkle_checkpoint
from hansa.merkle.checkpoint import Checkpoint
from hansa.node import earlier, intake, peers, seats, state_digest
from hansa.node.apply import Sealed, View, apply_batch, apply_genesis, next_due
from hansa.node.clock import Clock, ToldClock, backward
from hansa.node.commit import Committer
from hansa.node.create import CHECKPOINT_KEY, NODE_KEY
from hansa.node.digester import Digester, Taken
from hansa.node.events import BUSY_S, Events, Place
from hansa.node.exclusions import Exclusions
from hansa.node.exclusions import load as load_exclusions
from hansa.node.flush import FLUSH_ENTRIES, flush
from hansa.node.intake import Accepted, Answer, Listener, Pending, Queue
from hansa.node.isolation import Isolation
from hansa.node.key_folder import KeyFolder
from hansa.node.linear import Barriers
from hansa.node.recovery import Progress, Recovered, close, close_in_order, recover
from hansa.node.tally import Gauges, Tally
from hansa.node.verifier import Verifier
from hansa.orderers import DEGRADED, DIVERGED, HALTED, Answering, MakeOrderer, Replica
from hansa.orderers.solo import Solo
from hansa.store.files import Disk, Files, read_whole, replace, trouble_told
from hansa.store.folder import Folder, Lock
from hansa.store.journal import Location, Writer
from hansa.store.overlay import Stored
from hansa.store.snapshots import Snapshots as Kept
from hansa.store.state import BlockPlace
from hansa.wire import block, cose, genesis, tick
from hansa.wire.keys import PrivateKey
from hansa.wire.limits import INTEGER_MAX
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Signed
from hansa.wire.trust import Trust

log = structlog.get_logger()

RECENT_BLOCKS: Final = 256
"""The last so many blocks have their ends signed when somebody asks, once each: nobody can set off more than that."""
CHECKPOINT_MS: Final = 20
"""How old the newest checkpoint may get while blocks keep coming; an idle node signs at once."""
IDLE_FLUSH_S: Final = 1.0
"""How long the state of an idle node stays in memory alone; the journal has it already."""
RETRY_S: Final = 1.0
"""How long a node waits for a clock that is behind before it looks again."""
RESERVE_BYTES: Final = 256 * 1024 * 1024
"""Free space below which intake stops, so that what was promised can always be kept."""
WATCH_S: Final = 0.5
"""How often the free space of the disk and the standing of the order are looked at."""
CACHED_RECORDS: Final = 4_096
TICK_WAIT_S: Final = 0.05
"""The least time between two ticks: what is carried over to the next block is not hurried more than this."""
TICK_AGAIN_S: Final = 2.0
"""How long the order may take for a tick until another is tried at the same size."""
TELL_TICKS_MAX: Final = 256
"""So many blocks are made for one asker who puts a told clock forward; who wants more goes on from there."""
TELL_S_MAX: Final = 10.0
"""And so long at most: the answer comes while it is still waited for."""
TELL_LOOK_S: Final = 0.25
"""How often is looked whether it is still waited for, while no block comes."""
_OTHER_KEY: Final = "Put the right key into DIR/keys."
TIMER_S_MAX: Final = 60.0
"""The timer is set anew this often: clocks are set and machines sleep, and it counts neither."""


class Reason(msgspec.Struct, frozen=True):
    """Why a node takes no transactions: a code of `wire.problems`, what is the matter here, and what to do."""

    code: str
    detail: str
    remedy: str


class Status(msgspec.Struct, frozen=True):
    """How a node is.

    It is healthy unless it has stopped for good, and ready if it takes transactions; if it does not, `reasons` say why.
    `trouble` and `detail` are the first reason's, empty if there is none. `time` is that of the last block, `now` the
    node's clock, both in ms; `clock` is `told` where whoever runs the node tells it, else `real`. `orderer`: what puts
    transactions in one order: solo, etcd, cometbft.
    """

    ledger: str
    name: str
    state: str  # running, refusing, faulted
    healthy: bool
    ready: bool
    reasons: list[Reason]
    trouble: str
    detail: str
    entries: int
    height: int
    time: int
    waiting: int
    checkpoint: int  # the size of the newest one
    clock: str
    now: int
    orderer: str
    warnings: list[Reason]


class _Head(msgspec.Struct, frozen=True):
    """The end of a block as it is signed: `seq` is its first entry's."""

    seq: int
    size: int
    time: int  # ms
    root: bytes


class Node:
    """See the module. Made by `open_node`; `start` and everything after it on one event loop."""

    def __init__(
        self,
        folder: Folder,
        files: Files,
        locks: list[Lock | KeyFolder],
        recovered: Recovered,
        keys: KeyFolder,
        clock: Clock,
        reserve_bytes: int,
        exclusions: Exclusions,
        isolation: Isolation | None,
        orderer: MakeOrderer,
        told_peers: list[str],
        verifier: Path | None,
    ) -> None:
        self.folder = folder
        self.ledger = recovered.ledger
        self.genesis = recovered.document
        self.parsed_genesis = recovered.genesis
        self.directory = recovered.directory.copy()
        """Of what is durable, as everything that is shown; the one of apply runs ahead while a block is on its way."""
        self.reading = recovered.reading(self.directory)
        self.events = Events(self.reading, self._is_busy)
        self.tally = Tally()
        self.failed: asyncio.Future[None] | None = None
        self._told_peers = told_peers
        self._files = files
        self._locks = locks
        self._parts = recovered
        self._tip = recovered.tip
        self._keys = keys
        self._cache = Cache(CACHED_RECORDS)
        self._exclusions = exclusions
        self._isolation = isolation
        self._run = sequel.run if isolation is None else isolation.run
        self._ticked = 0, 0.0  # the size and about when the last tick was ordered
        self._tick_timer: asyncio.TimerHandle | None = None
        self._clock = clock
        self._is_told_now = False  # the clock is being put forward
        self._reserve_bytes = reserve_bytes
        self._queue = Queue()
        self._verifier = Verifier(program=verifier)
        self._unverified: list[Pending] = []
        self._verified: dict[bytes, Signed] = {}
        """Verified and without an entry, by envelope: `_enqueue` puts in, `_tell` takes out once there is one."""
        self._step_positions: dict[int, int] = {}  # where in the order each step in which powers moved was
        self._orderer = orderer(self._replica())
        self._ordering = False  # the orderer has begun
        self.barriers = Barriers(self._orderer)
        self._trouble: dict[str, HansaError] = {}  # by what notices it: disk, reserve, clock, fault
        self._committing = False
        self._stirred = -BUSY_S  # when a transaction came or a block was made, by the loop's time
        self._begun = 0.0  # when the block in hand was, by the loop's time
        self._woken = False
        self._stopping = False
        self._signed_at = 0.0
        self._asked: dict[int, Checkpoint] = {}
        """Checkpoints by size that were signed because somebody asked, and are stored nowhere."""
        last = recovered.checkpoints.last()
        self._signed_size = 0 if last is None else last.size
        self._owed = self._find_owed()
        """Heads that are signed before the newest: of blocks that changed the checkpoint keys, by a key from before."""
        self._head = self._head_of(self._tip.size - 1) if self._tip.size else None
        self._flush_timer: asyncio.TimerHandle | None = None
        self._digester = Digester(folder, self._digested)

    # Life

    def start(self) -> None:
        """Begins to take transactions; a new ledger first gets its genesis block."""
        self._loop = asyncio.get_running_loop()
        self.failed = self._loop.create_future()
        with trouble_told(self.folder.journal):
            self._writer = Writer(self._files, self.folder.journal, self.ledger, self._parts.end)
        self._committer = Committer(self._writer, self._call_soon, self._disk_full, self._fail, self.tally.sync_s.add)
        self._digest()
        if self._tip.size == 0:
            parts = self._parts
            self._begun = self._loop.time()
            self._commit(apply_genesis(self.genesis, parts.genesis, self.ledger, parts.directory, parts.tiles))
        else:
            self.sign_checkpoint()
            if self._parts.state.pending():
                self._flush_later()
            self._await_due()
            self._begin_order(self.reading.header_of(self._tip.size - 1).position, self._tip.previous)
        self._watch()

    async def stop(self) -> None:
        """Finishes the block in hand, brings everything to disk and lets the folder go."""
        self._stopping = True
        self.events.close()
        if self._tick_timer is not None:
            self._tick_timer.cancel()
        self.barriers.stop()
        await self._orderer.stop()
        self._verifier.stop()
        if self._isolation is not None:
            self._isolation.stop()
        await self._digester.stop()
        try:
            await self._loop.run_in_executor(None, self._committer.stop)
            await asyncio.sleep(0)  # the last block's answers
            self._give_up(HansaError("node.stopping"))
            if not self._committing:
                self.sign_checkpoint()
                self._flush()
            self._close()
        finally:
            for lock in self._locks:
                lock.release()

    # Who else there is

    @property
    def own(self) -> NodeRecord | None:
        """What the ledger says of this node, whose key lies in its folder; None as far as it says nothing yet."""
        spans = reversed(self.directory.checkpoint_spans.values())
        id = next((span.node for span in spans if span.key.kid in self._keys.checkpoint), None)
        return None if id is None else self.directory.nodes[id]

    @property
    def peers(self) -> list[str]:
        """The URLs of other nodes: where `peers.json` and the ledger say that those are reached which sign now."""
        found = [node.url for node in self.directory.signers() if node != self.own and peers.is_usable(node.url)]
        return list(dict.fromkeys([*self._told_peers, *found]))

    def trust(self) -> Trust:
        """See `Reading.trust`, with what this node was given of the time before it came. Raises `HansaError`."""
        return self.reading.trust(earlier.load(self._files, self.folder))

    # Intake

    def submit(self, envelope: bytes, listener: Listener, accepted: Accepted | None = None) -> None:
        """Takes one transaction in; `listener` is told of its entry, perhaps at once, or why there will be none.

        `accepted` is called before that, once the signature was found good and the transaction waits for its block.
        Raises `HansaError` if it is refused at once; then `listener` is not told.
        """
        self._check_open()
        self._stirred = self._loop.time()
        signed, sender = intake.read(envelope, self.ledger, self.directory)
        not_after, time = signed.transaction.not_after, self.ledger_time()
        if signed.id not in self._queue.by_id:
            earlier = self._earlier(signed, sender) if not_after < time else None
            if earlier is not None:
                listener(earlier)
                return
            intake.check_time(signed, sender, time)
        self._queue.await_verification(sender.member, len(envelope))
        self._unverified.append(Pending(signed, sender, listener, accepted))
        if not self._woken:
            self._wake()

    def is_pending(self, id: bytes) -> bool:
        """Whether a transaction is between intake and its block."""
        return id in self._queue.by_id

    # Reading

    def status(self) -> Status:
        """How the node is; its order is looked at for that."""
        self._watch_order()
        reasons = self._reasons()
        healthy = "fault" not in self._trouble
        return Status(
            self.ledger.hex(),
            self.directory.name,
            "refusing" if healthy and reasons else "running" if healthy else "faulted",
            healthy,
            not reasons,
            reasons,
            reasons[0].code if reasons else "",
            reasons[0].detail if reasons else "",
            self.reading.tip.size,
            self.reading.tip.height - 1,
            self.reading.tip.time,
            len(self._queue),
            self._signed_size,
            genesis.TOLD if self.parsed_genesis.is_told else genesis.REAL,
            self.ledger_time(),
            self._orderer.name,
            self._warnings(),
        )

    def directory_ahead(self) -> Directory:
        """The directory behind the last block that was made, durable or not: at a first start, behind genesis."""
        return self._parts.directory

    @property
    def snapshots(self) -> Kept:
        """The snapshots that are kept here, for others to copy."""
        return self._parts.snapshots.kept

    def ledger_time(self) -> int:
        """Ledger time if a block were made now, in ms, undoubted: never before that of the last block."""
        return max(self._tip.time, self._clock.now())

    def gauges(self) -> Gauges:
        """What the metrics show of how it is now."""
        tip = self.reading.tip
        lag_s = (self._clock.now() - tip.time) / 1000 if tip.size else 0.0
        expires = expiry.next_days(self.directory.expiring.values(), self.ledger_time())
        return Gauges(not self._reasons(), tip.size, lag_s, len(self._queue), self.events.readers, expires)

    def _warnings(self) -> list[Reason]:
        """What is the matter: keys are missing here or expire soon, the order goes on without somebody."""
        found = self._missing_keys() if self.reading.tip.size else []
        found += expiry.warnings(self.directory.expiring.values(), self.ledger_time())
        standing = self._orderer.standing()
        if standing.state == DEGRADED:
            found.append(HansaError("orderer.degraded", standing.reason, remedy=standing.remedy))
        return [Reason(error.code, error.detail, error.remedy) for error in found]

    def _missing_keys(self) -> list[HansaError]:
        """What the node can do nothing about until somebody gives it the file of a key that counts."""
        found: list[HansaError] = []
        if self.own is not None and self.own.state == RETIRED:
            return [HansaError("node.retired", f"{self.own.id} of {self.own.member} was retired")]
        if not self.directory.checkpoint_keys.keys() & self._keys.checkpoint.keys():
            found.append(HansaError("key.checkpoint"))
        elif any(self._signer_of(head) is None for head in self._due_heads()):
            told = "the key before has to sign the block that registered the new one, and is missing"
            found.append(HansaError("key.checkpoint", told))
        if self.own_key() is None:
            found.append(HansaError("key.node"))
        return found

    def _reasons(self) -> list[Reason]:
        """Why it takes no transactions, the gravest first."""
        found = [error for _, error in sorted(self._trouble.items(), key=lambda one: one[0] != "fault")]
        if self._stopping:
            found.append(HansaError("node.stopping"))
        if not self.reading.tip.size:
            found.append(HansaError("node.starting"))
        if self._queue.is_full:
            found.append(HansaError("queue.full", f"{len(self._queue)} transactions wait"))
        reasons: dict[str, Reason] = {}
        for error in found:  # a full disk is noticed in several places
            reasons.setdefault(error.code, Reason(error.code, error.detail, error.remedy))
        return list(reasons.values())

    def sign_checkpoint(self) -> None:
        """Signs the durable head unless it is signed already, and before it what is owed.

        On a full disk, and while the node has no key that counts, that is left for later.
        """
        if "fault" in self._trouble or self._head is None:
            return
        for head in self._due_heads():
            if head.size > self._signed_size and not self._sign(head, durable=True):
                return
        self._owed = []
        if self._head.size > self._signed_size:
            self._sign(self._head)

    def checkpoint_at(self, size: int) -> Checkpoint:
        """The node's checkpoint of exactly this size: the stored one, or one made now of the end of a recent block.

        So what other nodes signed can be matched, whichever blocks this one signed by itself. What is made is kept in
        memory alone. Raises `HansaError`: `node.faulted`, and as `Reading.recent_end`.
        """
        found = self._asked.get(size) or self.reading.stored_checkpoint(size)
        if found is not None:
            return found
        if "fault" in self._trouble:
            raise HansaError("node.faulted")
        header = self.reading.recent_end(size, RECENT_BLOCKS)
        made = self._signed(_Head(header.seq, size, header.time, header.root))
        if made is None:
            raise HansaError("checkpoint.none", "this node has no key that signs it", size=size)
        self._asked[size] = made
        if len(self._asked) > RECENT_BLOCKS:
            del self._asked[min(self._asked)]  # which is none of the last blocks any more
        return made

    def _sign(self, head: "_Head", *, durable: bool = False) -> bool:
        """Signs one head, by the newest key of the node that counts for its block; whether that was done.

        `durable`: it is on the disk then. Else the last ones may be lost in a crash and are signed again, which a key
        that counts no more must not be needed for.
        """
        made = self._signed(head)
        if made is None:
            return False
        try:
            self._parts.checkpoints.append(made)
            if durable:
                self._parts.checkpoints.sync()
        except Exception as error:
            self._disk_trouble("checkpoint", error)
            return False
        self._clear_trouble("checkpoint")
        self._signed_size = head.size
        self._signed_at = self._loop.time()
        return True

    def _signed(self, head: "_Head") -> Checkpoint | None:
        """The checkpoint of a durable head; None if the node has no key that counts for its block."""
        signer, told = self._signer_of(head), self.parsed_genesis.is_told
        if signer is None:
            return None
        return merkle_checkpoint.sign(self.ledger, head.size, head.time, head.root, signer, told=told)

    def _signer_of(self, head: "_Head") -> PrivateKey | None:
        """The newest key of the node that counts for a head; None if it has none."""
        spans = reversed(self.directory.checkpoint_spans.values())
        counting = (self._keys.checkpoint.get(span.key.kid) for span in spans if span.signs_from(head.seq))
        return next((key for key in counting if key is not None), None)

    def _head_of(self, seq: int) -> "_Head":
        """The head of the block with the entry at `seq`."""
        header = self.reading.header_of(seq)
        return _Head(header.seq, header.seq + header.count, header.time, header.root)

    def _digest_before(self, position: int) -> bytes:
        """See `orderers.Replica`; of genesis' header if there is no other."""
        behind = bisect_left(range(self._tip.size), position, key=lambda seq: self.reading.header_of(seq).position)
        return block.header_digest(self.reading.header_of(max(behind - 1, 0)))

    def _replica(self) -> Replica:
        """What the orderer is told of this node."""
        return Replica(
            self.ledger,
            self._stamp,
            lambda: self.directory.limits,
            self._digest_before,
            self.parsed_genesis.time,
            seats.founding(self.parsed_genesis),
            lambda: seats.admitted(self.directory),
            self._powers,
        )

    def _powers(self, first: int, end: int) -> list[tuple[bytes, int]]:
        """See `orderers.Replica`."""

        def position(step: PowerStep) -> int:
            if step.seq not in self._step_positions:
                self._step_positions[step.seq] = self.reading.header_of(step.seq).position
            return self._step_positions[step.seq]

        steps = self.directory.power_steps
        found = steps[bisect_left(steps, first, key=position) : bisect_left(steps, end, key=position)]
        return [power for step in found for power in step.powers]

    def _find_owed(self) -> list["_Head"]:
        """The heads of blocks that changed the checkpoint keys and that no stored checkpoint covers."""
        changes = [seq for seq in self.directory.checkpoint_changes() if seq >= self._signed_size]
        return list({head.size: head for head in map(self._head_of, changes)}.values())

    def _due_heads(self) -> list["_Head"]:
        """Those owed that this node can sign: not those from before it was registered, and had no key."""
        if self.own is None:
            return self._owed
        spans = [span for span in self.directory.checkpoint_spans.values() if span.node == self.own.id]
        return [head for head in self._owed if any(span.signs_from(head.seq) for span in spans)]

    def _earlier(self, signed: Signed, sender: Sender) -> Answer | None:
        """The entry of a transaction past its time, if it got one while there was time."""
        seq = self.reading.find(signed.id)
        if seq is None:
            return None
        if not sender.key.verify(signed.signature, signed.structure):
            raise intake.signature_refusal(signed)
        return self._again(signed.id, seq)

    def _again(self, id: bytes, seq: int) -> Answer:
        """The answer for an entry from before, read from the journal. Raises `HansaError` `journal.corrupt`."""
        return Answer(id, seq, self.reading.at(seq).outcome, True)

    def _is_busy(self) -> bool:
        """Whether transactions wait, or one came or had its block a moment ago."""
        return self._committing or len(self._queue) > 0 or self._loop.time() - self._stirred < BUSY_S

    # The way to a block

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._pump)

    def _verify_waiting(self) -> None:
        """Has the signatures verified that have come since: a few here, many in the workers, in frames."""
        while count := self._verifier.room(len(self._unverified)):
            waiting, self._unverified = self._unverified[:count], self._unverified[count:]
            checks = [(p.sender.key, p.signed.signature, p.signed.structure) for p in waiting]
            self._verifier.verify(checks, partial(self._verified_all, waiting))

    def _verified_all(self, waiting: list[Pending], verdicts: list[bool]) -> None:
        for pending, accepted in zip(waiting, verdicts, strict=True):
            self._queue.verified(len(pending.signed.envelope))
            try:
                if not accepted:
                    raise intake.signature_refusal(pending.signed)
                self._enqueue(pending)
            except HansaError as error:
                _tell_all(pending.listeners, error)
        self._wake()

    def _enqueue(self, pending: Pending) -> None:
        """Hands a verified transaction to the orderer, or its askers to the one of the same id that is there."""
        signed, sender = pending.signed, pending.sender
        same = self._queue.by_id.get(signed.id)
        if same is not None:
            if pending.accepted is not None:
                pending.accepted(signed.id)
            else:
                self._queue.attach(same, _as_duplicate(pending.listeners[0]))
            return
        seq = self._parts.state.in_window(signed.id, signed.transaction.not_after)
        if seq is not None:
            _tell_all(pending.listeners, self._again(signed.id, seq))
            return
        self._check_open()
        self._queue.check_room(sender.member, len(signed.envelope))
        self._queue.add(pending)
        self._verified[signed.envelope] = signed
        self._orderer.submit(sender.member, signed.id, signed.envelope, signed.transaction.steps_max)
        if pending.accepted is not None:
            pending.accepted(signed.id)

    def _pump(self) -> None:
        """Makes the next block of what has queued, unless one is on its way to the disk."""
        self._woken = False
        if self._stopping or "fault" in self._trouble:
            return
        self._verify_waiting()
        if self._committing or not self._parts.snapshots.may_make(self._tip.height):
            return
        self._begun = self._loop.time()
        try:
            batch = self._orderer.take()
        except HansaError as error:
            self._set_trouble("clock", error)
            self._loop.call_later(RETRY_S, self._wake)
            return
        self._clear_trouble("clock")
        if batch is None:
            self.sign_checkpoint()
            return
        try:
            parts = self._parts
            sealed, skipped = apply_batch(
                batch,
                self._tip,
                parts.state,
                parts.directory,
                parts.tiles,
                self._verified,
                self._cache,
                self._run,
                self._exclusions,
                self._parts.snapshots.digested(self._tip.height),
                self._verifier.judge,
            )
        except Exception as error:
            self._fail(error)
            return
        self.tally.skipped += len(skipped)
        for id, code in skipped:
            self._tell_skipped(id, code)
        if sealed is None:
            self._orderer.applied(batch.position, self._tip.previous)
            self._wake()
        else:
            self._commit(sealed)

    def _commit(self, sealed: Sealed) -> None:
        self._committing = True
        self._committer.append([sealed.encoded], partial(self._committed, sealed), self._fail)

    def _committed(self, sealed: Sealed, locations: list[Location]) -> None:
        """The block is durable: now it counts, now it is seen, now it is answered."""
        header = sealed.block.header
        try:
            self._parts.state.apply(BlockPlace(header.seq, header.height, locations[0]), sealed.entered)
        except Exception as error:  # what lies in the state is damaged
            self._fail(error)
            return
        written: set[str] = set()
        for entered in sealed.entered:
            written.update(self.directory.apply(entered.seq, entered.writes))
        self._tip = self.reading.tip = sealed.tip
        self._head = _Head(header.seq, sealed.tip.size, header.time, header.root)
        self._committing = False
        if header.height:
            self._orderer.applied(header.position, sealed.tip.previous)
        elif not self._stopping:
            self._begin_order(header.position, sealed.tip.previous)
        self._follow_keys(written)
        for seq, item in enumerate(sealed.block.items, header.seq):
            self._tell(item.id, Answer(item.id, seq, item.outcome, False))
        self._stirred = self._loop.time()
        self.tally.committed(sealed.block.items, self._loop.time() - self._begun)
        self.events.moved()
        idle = not len(self._queue)
        if idle or (self._loop.time() - self._signed_at) * 1000 >= CHECKPOINT_MS:
            self.sign_checkpoint()
        if self._parts.snapshots.passed(sealed.block) or self._parts.state.pending() >= FLUSH_ENTRIES:
            self._flush()
        elif idle:
            self._flush_later()
        if not self._stopping:
            self._committer.prepare()
            if any(write.record == schedules.RECORD for one in sealed.entered for write in one.writes):
                self._await_due()
        self._wake()

    def _follow_keys(self, written: set[str]) -> None:
        """Where keys changed: the block that did it is signed at once, by the key from before; then files are found."""
        if self._head is not None and not written.isdisjoint(("CheckpointKey", "Retirement")):
            self._owed.append(self._head)
            self.sign_checkpoint()
        if "Key" in written:
            self._keys.look_again()

    # Ledger time on an idle ledger

    def _await_due(self) -> None:
        """Sets the timer for what is due next, if there is anything."""
        if self._tick_timer is not None:
            self._tick_timer.cancel()
            self._tick_timer = None
        try:
            found = self._next_due(INTEGER_MAX)
        except Exception as error:  # what lies in the state is damaged
            self._fail(error)
            return
        if found is not None:
            at = schedules.read(found.value).at
            wait = min(max((at - self.ledger_time()) / 1000, TICK_WAIT_S), TIMER_S_MAX)
            self._tick_timer = self._loop.call_later(wait, self._tick, at)

    def _next_due(self, until: int) -> Stored | None:
        """The record of what is due next until then, if there is anything."""
        return next_due(View(self._parts.state, self.directory.indexes_of), until)

    def _tick(self, at: int) -> None:
        """What is due `at` comes first: if no transaction is on its way to move ledger time there, a tick does.

        While something keeps the node from making blocks, another tick would not help either.
        """
        self._tick_timer = None
        if self._stopping or "fault" in self._trouble:
            return
        if at <= self.ledger_time():
            self._order_tick()
        self._await_due()

    def _order_tick(self) -> None:
        """Orders a tick, unless a block is coming anyway or none can be made."""
        if not (self._committing or len(self._queue) or self._trouble):
            own_key = self.own_key()
            if own_key is None:
                return
            now = self._tip.size, self._loop.time() // TICK_AGAIN_S
            if self._ticked == now:
                return  # it is on its way through the order
            self._ticked = now
            envelope = tick.seal(own_key, self.ledger, self._tip.size)
            self._orderer.submit("", cose.id_of(envelope), envelope, 0)

    async def ask_engine(self, route: str, query: Mapping[str, int]) -> bytes:
        """What the engine of the order answers. Raises `HansaError`: `engine.none`, `engine.silent`."""
        if not isinstance(self._orderer, Answering):
            raise HansaError("engine.none", f"{self._orderer.name} has none that is asked")
        return await self._orderer.ask(route, query)

    def own_key(self) -> PrivateKey | None:
        """The key that signs ticks and its certificate: any of the node's that counts, the newest if it has more."""
        counting = [kid for kid in self.directory.node_keys if kid in self._keys.node]
        return self._keys.node[counting[-1]] if counting else None

    async def tell_time(self, time: int, is_gone: Callable[[], bool] = lambda: False) -> None:
        """Puts a told clock forward to `time` (ms). What is due on the way is taken when it is due.

        It may stop before that, and `status` says where: after `TELL_TICKS_MAX` blocks or `TELL_S_MAX`, so that nobody
        can set off work without end, and when the asker `is_gone`. Raises `HansaError` `clock.real` where time is not
        told, `clock.backward`, `clock.moving` while another asker has it put forward, or what keeps the node from
        going on.
        """
        clock = self._clock
        if not isinstance(clock, ToldClock):
            raise HansaError("clock.real")
        if time < self.ledger_time():
            raise backward(self.ledger_time())
        if self._is_told_now:
            raise HansaError("clock.moving", retry_after=1)
        self._is_told_now = True
        try:
            await self._move(clock, time, is_gone)
        finally:
            self._is_told_now = False

    async def _move(self, clock: ToldClock, time: int, is_gone: Callable[[], bool]) -> None:
        """See `tell_time`. Each step puts the clock where something is due, and waits for the block that takes it."""
        end, height, blocks = self._loop.time() + TELL_S_MAX, self._tip.height, 0
        while blocks < TELL_TICKS_MAX and self._loop.time() < end and not is_gone():
            if self.events.is_closed:
                raise HansaError("node.stopping")
            self._check_open()
            found = self._next_due(time)
            if found is None:
                clock.move(max(time, clock.now()))
                return
            clock.move(max(schedules.read(found.value).at, clock.now()))
            self._order_tick()
            await self.events.wait(Place(self._tip.size), TELL_LOOK_S)
            blocks = self._tip.height - height

    def _tell(self, id: bytes, answer: Answer | HansaError) -> None:
        pending = self._queue.remove(id)
        if pending is not None:
            self._verified.pop(pending.signed.envelope, None)
            _tell_all(pending.listeners, answer)

    def _tell_skipped(self, id: bytes, code: str) -> None:
        """A transaction that got no entry here: it has one from before, or never will have."""
        pending = self._queue.by_id.get(id)
        if code == "transaction.duplicate" and pending is not None:
            seq = self._parts.state.in_window(id, pending.signed.transaction.not_after)
            if seq is not None:
                try:
                    answer: Answer | HansaError = self._again(id, seq)
                except HansaError as error:  # the journal's bytes were changed; the block in hand goes on
                    answer = error
                self._tell(id, answer)
                return
        self._tell(id, HansaError(code))

    def _close(self) -> None:
        """Lets the parts go: on an orderly end with a note of when and how, after a fault without touching the disk."""
        if self._committing or "fault" in self._trouble:
            close(self.folder, self._parts)
            return
        try:
            close_in_order(self._files, self.folder, self._parts)
            if "clock" not in self._trouble:  # else it is no sign of life to judge the next start by
                replace(self._files, self.folder.clock, json.dumps({"stopped": self._stamp()}).encode())
        except (OSError, HansaError) as error:  # a full disk or a doubted clock; the next start does without the note
            log.warning("node.stop_unrecorded", detail=str(error))

    # Disk and doubt

    def _flush(self) -> None:
        parts = self._parts
        if not parts.state.pending() or "fault" in self._trouble or self._parts.snapshots.to_digest is not None:
            return
        try:
            parts.checkpoints.sync()
            flush(parts.state, parts.tiles, parts.rows, parts.checkpoints.count, self._tip, self._writer.end)
        except Exception as error:
            self._disk_trouble("flush", error)
        else:
            self._clear_trouble("flush")
            self._parts.snapshots.flushed(self._tip.height - 1)
            self._digest()
            self._wake()

    # The digest of the state

    def _digest(self) -> None:
        """Has the state in LMDB digested, if that is to be; until it is, nothing is flushed."""
        height = self._parts.snapshots.to_digest
        if height is not None and "fault" not in self._trouble:
            self._digester.begin(height)

    def _digested(self, height: int, taken: Taken) -> None:
        """The digest is there, and the state may go on; or it is tried again, as the node waits for it at its block."""
        snapshots = self._parts.snapshots
        if not isinstance(taken, HansaError):
            self._clear_trouble("snapshot")
            snapshots.knows(height, taken)
            if snapshots.to_flush is None:
                self._flush_later()
            else:
                self._flush()
            self._wake()
        elif state_digest.is_damage(taken.code):
            self._fail(self._parts.state.damage(taken.detail))
        else:
            self._set_trouble("snapshot", taken)
            self._loop.call_later(RETRY_S, self._digest)

    def _flush_later(self) -> None:
        if self._flush_timer is None:
            self._flush_timer = self._loop.call_later(IDLE_FLUSH_S, self._flush_when_quiet)

    def _flush_when_quiet(self) -> None:
        self._flush_timer = None
        if self._committing:
            self._flush_later()
        elif not self._stopping and "fault" not in self._trouble:
            self.sign_checkpoint()
            self._flush()

    def _watch(self) -> None:
        """Looks now and then at what changes by itself: keys that are put there, the order, the disk."""
        if self._stopping:
            return
        self._loop.call_later(WATCH_S, self._watch)
        if self.reading.tip.size and self._missing_keys():
            self._keys.look_again()
            self.sign_checkpoint()
        self._watch_order()
        self._watch_reserve()

    def _begin_order(self, position: int, digest: bytes) -> None:
        """Behind the last block; the first look is here, so that no node is ready before it knows how its order is."""
        self._orderer.start(position, digest, self._wake)
        self._ordering = True
        self._watch_order()

    def _watch_order(self) -> None:
        """Intake stops while nothing can be ordered; a node whose order is not that of the others stops for good."""
        if not self._ordering or "fault" in self._trouble:
            return
        standing = self._orderer.standing()
        if standing.state == DIVERGED:
            self._fail(HansaError("orderer.diverged", standing.reason, remedy=standing.remedy))
        elif standing.state == HALTED:
            self._set_trouble("order", HansaError("orderer.halted", standing.reason, remedy=standing.remedy))
        else:
            self._clear_trouble("order")

    def _watch_reserve(self) -> None:
        """Intake stops while the disk has less than the reserve; it goes on by itself."""
        try:
            free = self._files.free_bytes(self.folder.root)
        except OSError as error:  # how much there is now shows at the next look
            log.warning("reserve.unknown", detail=str(error))
            return
        if free < self._reserve_bytes:
            detail = f"{free // 1_000_000} MB are free; intake stops below {self._reserve_bytes // 1_000_000}"
            self._set_trouble("reserve", HansaError("disk.full", detail))
        else:
            self._clear_trouble("reserve")

    def _disk_full(self, full: bool) -> None:
        if full:
            self._set_trouble("journal", HansaError("disk.full"))
        else:
            self._clear_trouble("journal")

    def _disk_trouble(self, what: str, error: Exception) -> None:
        """A full disk is waited out, since what could not be written is still in memory; all else is final."""
        if isinstance(error, HansaError) and error.code == "disk.full":
            self._set_trouble(what, error)
            self._flush_later()
        else:
            self._fail(error)

    def _check_open(self) -> None:
        if self._stopping:
            raise HansaError("node.stopping")
        for error in self._trouble.values():
            raise HansaError(error.code, error.detail, retry_after=1)

    def _set_trouble(self, what: str, error: HansaError) -> None:
        if what not in self._trouble:
            log.error("node.refusing", code=error.code, detail=error.detail)
        self._trouble[what] = error

    def _clear_trouble(self, what: str) -> None:
        if self._trouble.pop(what, None) is not None:
            log.info("node.resumed", after=what)

    def _fail(self, error: BaseException) -> None:
        """Stops for good: what is on the disk is unknown, or a block was half applied."""
        log.error("node.faulted", exc_info=error)
        remedy = error.remedy if isinstance(error, HansaError) else ""
        self._trouble["fault"] = HansaError("node.faulted", str(error), remedy=remedy)
        self._give_up(HansaError("node.faulted"))
        if self.failed is not None and not self.failed.done():
            self.failed.set_exception(self._trouble["fault"])

    def _give_up(self, error: HansaError) -> None:
        """Tells everyone who waits that no answer will come from here: what became of it is unknown."""
        for pending in self._unverified:
            _tell_all(pending.listeners, error)
        self._unverified = []
        for id in list(self._queue.by_id):
            self._tell(id, error)

    def _stamp(self) -> int:
        return self._clock.stamp(self._tip.time)

    def _call_soon(self, function: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(function)


def open_node(
    root: Path,
    *,
    files: Files | None = None,
    clock: Clock | None = None,
    accept_clock: bool = False,
    told: bool = False,
    isolate: bool = False,
    orderer: MakeOrderer = Solo,
    verifier: Path | None = None,
    id: str = "",
    reserve_bytes: int = RESERVE_BYTES,
    progress: Progress = lambda _: None,
) -> Node:
    """Locks and recovers the ledger in a folder. Raises `HansaError` where it must not run.

    `isolate`: contracts run in a process of their own, see `isolation`. `told`: the ledger must be one whose time is
    told, else `clock.real`. `orderer` makes what the node has its transactions put in order by. `verifier`: a program
    that verifies signatures together, see there. `id`: which node of many it is; one that the ledger does not know
    yet, as far as it is here, has keys that it does not know either.
    """
    files, folder = files or Disk(), Folder(root)
    folder.check_format(files)
    with contextlib.ExitStack() as opened:
        lock = Lock(folder.lock)
        opened.callback(lock.release)
        keys = KeyFolder(folder)
        opened.callback(keys.release)
        keys.open()
        recovered = recover(files, folder, progress)
        opened.callback(recovered.close)
        if not id or id in recovered.directory.nodes:
            _check_keys(folder, keys, recovered)
        if told and not recovered.genesis.is_told:
            raise HansaError("clock.real", f"the ledger in {root} has real time, which nobody tells")
        clock = clock or (ToldClock(recovered.genesis.time) if recovered.genesis.is_told else Clock())
        clock.check_start(max(recovered.tip.time, last_stop(files, folder)), accepted=accept_clock)
        exclusions, told_peers = load_exclusions(files, folder), peers.load(files, folder)
        isolation = Isolation(recovered.genesis.members_contract) if isolate else None
        opened.pop_all()
    locks: list[Lock | KeyFolder] = [lock, keys]
    return Node(
        folder,
        files,
        locks,
        recovered,
        keys,
        clock,
        reserve_bytes,
        exclusions,
        isolation,
        orderer,
        told_peers,
        verifier,
    )


def _check_keys(folder: Folder, keys: KeyFolder, recovered: Recovered) -> None:
    """Raises `HansaError` (`key.checkpoint`, `key.node`) for a folder in which no key ever was this ledger's.

    Where one was, and counts no more, the node runs: the next one may be put there while it does.
    """
    directory = recovered.directory
    if recovered.tip.size and not keys.checkpoint.keys() & directory.checkpoint_spans.keys():
        told = f"{folder.keys / CHECKPOINT_KEY} is not a checkpoint key of this ledger"
        raise HansaError("key.checkpoint", told, remedy=_OTHER_KEY)
    if recovered.tip.size and not keys.node.keys() & (directory.node_keys.keys() | directory.former_node_keys):
        told = f"{folder.keys / NODE_KEY} is not a node's key of this ledger"
        raise HansaError("key.node", told, remedy=_OTHER_KEY)


class _Stopped(msgspec.Struct):
    stopped: Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]


def last_stop(files: Files, folder: Folder) -> int:
    """When the node last stopped cleanly, ms; 0 if it never did, or something else stands where it says so."""
    if not folder.clock.exists():
        return 0
    with trouble_told(folder.clock):
        data = read_whole(files, folder.clock)
    try:
        return msgspec.json.decode(data, type=_Stopped).stopped
    except (ValueError, RecursionError):
        return 0


def _tell_all(listeners: list[Listener], answer: Answer | HansaError) -> None:
    for listener in listeners:
        try:
            listener(answer)
        except Exception:  # one asker's trouble is not the others'
            log.exception("listener.failed")


def _as_duplicate(listener: Listener) -> Listener:
    """A second asker for the same id gets the same answer, marked."""

    def tell(answer: Answer | HansaError) -> None:
        if isinstance(answer, Answer):
            answer = Answer(answer.id, answer.seq, answer.outcome, True)
        listener(answer)

    return tell
