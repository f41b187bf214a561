"""Batches put into etcd where none is, and taken out by revision: the order that all nodes of a cluster follow.

Called by `node` through `Orderer`, on its loop. Keys: `b/` batches, by the hash of their bytes, so that one handed in
twice stands once; `u/` batches without a time, of a node that doubts its clock, for another to stamp; `n/` what each
node says of itself; `t` what was trimmed; `l` the ledger. A batch's position is the revision that put it.

It never decides an order itself, and never goes on when the cluster is not the one it has followed.
"""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

import structlog

from hansa.orderers import DEGRADED, DIVERGED, HALTED, HEALTHY, Batch, Replica, Standing
from hansa.orderers.engine import Engine
from hansa.orderers.etcd import settings as settings_of
from hansa.orderers.etcd import tls
from hansa.orderers.etcd.gateway import (
    Compacted,
    Diverged,
    Event,
    Full,
    Gateway,
    Item,
    Unavailable,
    Watched,
    absent,
    below,
    delete,
    prefix_end,
    present,
    put,
)
from hansa.orderers.etcd.marks import VERSION, Carried, Kept, Mark, Place, Record, decode, encode
from hansa.orderers.etcd.peers import CLOCK_MS_MAX, Peers
from hansa.orderers.etcd.retained import KEY_BYTES, Retained, waited_for
from hansa.orderers.etcd.settings import EtcdSettings
from hansa.orderers.lanes import ENGINE_BATCH_BYTES_MAX, Lanes
from hansa.wire import batch as wire_batch
from hansa.wire.limits import NONCE_BYTES
from hansa.wire.problems import HansaError

log = structlog.get_logger()

AHEAD_BYTES_MAX: Final = 32 * 1024 * 1024
"""Ordered batches that wait for this node; then it reads no further."""
MARK_S: Final = 1.0
"""How often a node says how far it is, while that changes."""
MARK_IDLE_S: Final = 3.0
"""And while it does not: the others know from it that the node is there, and what time it has."""
LISTEN_S: Final = 4.0
"""For how long a node that starts waits to hear all others' clocks before it stamps a batch."""
RETRY_S: Final = 0.2
"""Between two questions, while etcd does not answer."""
STARTING_S: Final = 10.0
"""For how long it is no news that a cluster which is started does not answer."""
ENGINE_PATIENCE_S: Final = 2.0
"""For etcd to hand over its lead; it waits longer for those who still ask it, but what it said is on disk anyway."""
UNANSWERED_S: Final = 4.0
"""Failing for so long to get an answer for the whole cluster, the order has halted; an election takes one second."""
TRIM_S: Final = 5.0
"""How often is looked whether batches can be trimmed."""
TRIM_KEYS: Final = 100
"""In one change: etcd allows 128."""
TRIM_CHANGES: Final = 50
"""In one go, so that this node is not silent meanwhile: 1,000 batches a second are more than are ordered."""
COMPACT_REVISIONS: Final = 1_000
"""That stay readable behind what all present nodes have seen, so that one that comes back soon need not list keys."""
RENEW_S: Final = 24 * 60 * 60.0
"""How often certificates are made anew."""
TAKE_OVER_S: Final = 0.3
"""One after the other the nodes try to stamp what was handed over, so that they do not all do."""

_BATCH: Final = b"b/"
_UNSTAMPED: Final = b"u/"
_NODE: Final = b"n/"
_TRIMMED: Final = b"t"
_LEDGER: Final = b"l"
_RESEED: Final = "Give this node a fresh copy of the ledger from another node; then start it again."
_FOREIGN: Final = (
    "Stop. Find out why before anything else; go on only with the cluster that this ledger was ordered by."
)
_ROOM: Final = "Raise `quota` in every node's orderer.json, and start them again."
_MISSING: Final = "Bring the missing nodes up again; the order goes on while more than half are there."


class Etcd:
    """See `Orderer`. Starts its member of the cluster from `binary`, and ends it.

    `renew` puts fresh certificates where `settings` name them; it is called every day.
    Raises `HansaError` `orderer.settings` for settings of which no cluster can be made.
    """

    name = "etcd"

    def __init__(
        self, settings: EtcdSettings, binary: Path, replica: Replica, *, renew: Callable[[], object] | None = None
    ) -> None:
        settings_of.check(settings)
        self._settings = settings
        self._replica = replica
        home = Path(settings.home)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._binary = binary
        self._engine = self._make_engine(joins=False)
        self._make_certificates = renew
        self._context = tls.context(settings)
        self._gateway = Gateway(settings_of.endpoints(settings), self._context)
        self._record = Record(home / "followed")
        self._lanes = Lanes(replica.limits, ENGINE_BATCH_BYTES_MAX)
        self._names = sorted(member.name for member in settings.members)
        self._peers = Peers(name for name in self._names if name != settings.name)
        self._retained = Retained()
        self._tasks: list[asyncio.Task[None]] = []
        self._ready: Callable[[], None] = _nothing
        # What is submitted and not yet seen in the order. Envelopes tell their ids when they come back.
        self._waiting: set[bytes] = set()
        self._ids: dict[bytes, bytes] = {}
        self._work = asyncio.Event()
        # What is ordered, and how far.
        self._ahead: deque[Batch] = deque()
        self._given: deque[tuple[int, bytes]] = deque()  # position and key of each that is not applied
        self._ahead_bytes = 0
        self._room = asyncio.Event()
        self._place = Place(0, bytes(32))
        self._last = 0  # position of the last batch read
        self._moved = asyncio.Event()
        self._followed = 0  # revision up to which everything was read
        self._changed = True
        self._stirred = asyncio.Event()
        self._kept: Kept | None = None
        self._known: float | None = None  # since when the cluster is known to be the one that was followed
        self._fresh = 0  # what nodes wrote behind this revision, they wrote while this node was listening
        self._unstamped: dict[bytes, tuple[bytes, float]] = {}  # what was handed over, and when that was seen
        self._offered = asyncio.Event()
        # How it is.
        self._answered: float | None = None
        self._began = 0.0
        self._failing: float | None = None  # since when nothing but failures came back
        self._trouble = ""
        self._full = False
        self._doubt = ""
        self._final: Standing | None = None

    def _make_engine(self, *, joins: bool) -> Engine:
        command = settings_of.command(self._settings, self._binary, joins=joins)
        return Engine(command, Path(self._settings.home) / "etcd.log", died=self._engine_died)

    def start(self, position: int, digest: bytes, ready: Callable[[], None]) -> None:
        """See `Orderer`."""
        self._ready = ready
        self._place = Place(position, digest)
        self._last = self._followed = position
        self._began = time.monotonic()
        self._room.set()
        self._tasks = [asyncio.get_running_loop().create_task(self._run())]

    def submit(self, lane: str, id: bytes, envelope: bytes, steps: int) -> None:
        """See `Orderer`."""
        if id in self._waiting:
            return
        self._waiting.add(id)
        self._ids[envelope] = id
        self._lanes.add(lane, id, envelope, steps)
        self._work.set()

    def take(self) -> Batch | None:
        """See `Orderer`."""
        if not self._ahead or self._stands_apart() is not None:
            return None
        return self._ahead.popleft()

    def applied(self, position: int, digest: bytes) -> None:
        """See `Orderer`."""
        given, key = self._given.popleft()
        assert given == position, "batches are applied in the order they were taken in"
        self._place = Place(position, digest)
        self._changed = True
        self._moved.set()
        self._ahead_bytes -= int.from_bytes(key[-4:], "big")
        if self._ahead_bytes < AHEAD_BYTES_MAX:
            self._room.set()
        self._keep(key)
        self._peers.applied(self._place)

    def standing(self) -> Standing:
        """See `Orderer`."""
        apart = self._stands_apart()
        if apart is not None:
            return apart
        now = time.monotonic()
        if self._full:
            return Standing(HALTED, "the store of etcd is full: it takes nothing any more", _ROOM)
        if self._answered is None and now - self._began <= STARTING_S:
            return Standing(HALTED, "etcd is starting", "Wait a moment.")
        is_halted = self._answered is None or (self._failing is not None and now - self._failing > UNANSWERED_S)
        found = self._troubles(now)
        if is_halted:
            found = [("no majority of the cluster's members answers", _MISSING), *found, (self._trouble, "")]
        if not found:
            return Standing(HEALTHY)
        reasons, remedies = (filter(None, dict.fromkeys(told)) for told in zip(*found, strict=True))
        return Standing(HALTED if is_halted else DEGRADED, "; ".join(reasons), " ".join(remedies))

    def _troubles(self, now: float) -> list[tuple[str, str]]:
        """What is the matter with single nodes, and what to do about each."""
        found: list[tuple[str, str]] = []
        if now - self._began > UNANSWERED_S:  # before, nobody has had the time
            missing = self._peers.absent(now)
            if not self._room.is_set():  # then it does not read what the others say either
                found.append((f"{len(self._given)} ordered batches wait for this node", "Give it more of a machine."))
            elif missing:
                found.append((f"not heard: {', '.join(missing)}", _MISSING))
            if self._engine.pid is None or self._engine.is_shaky:
                found.append(("this node's own etcd is down", f"Read why in {Path(self._settings.home) / 'etcd.log'}."))
        if self._peers.differing():
            names = ", ".join(self._peers.differing())
            found.append((f"{names} has another history than the majority", f"Stop {names} and find out why."))
        if self._clock_doubt():
            found.append((f"others stamp this node's batches: {self._clock_doubt()}", "Set this node's clock."))
        return found

    async def barrier(self) -> None:
        """See `Orderer`: a read that etcd answers for its whole cluster says how far that is."""
        while True:
            try:
                revision = (await self._gateway.read(_TRIMMED)).header.revision
                break
            except Unavailable:
                await asyncio.sleep(RETRY_S)
        while self._seen() < revision:
            self._moved.clear()
            await self._moved.wait()

    async def stop(self) -> None:
        """See `Orderer`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._ahead.clear()
        await self._gateway.close()
        await self._engine.stop(ENGINE_PATIENCE_S)
        if self._kept is not None:
            self._record.write(self._kept, durable=True)
        self._record.close()

    # -- running ------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Starts the member and all that goes on beside each other; the first that ends, ends the others."""
        works: list[Callable[[], Coroutine[None, None, None]]]
        works = [self._follow, self._send, self._tell, self._take_over, self._renew]
        try:
            if self._place.position and len(self._names) > 1 and not settings_of.has_data(self._settings):
                await self._join_anew()
            await self._engine.start()
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(work())
        except* Diverged as errors:
            self._diverge(str(errors.exceptions[0]))
        except* HansaError as errors:
            error = errors.exceptions[0]
            assert isinstance(error, HansaError)
            self._end(Standing(HALTED, error.detail, error.remedy))
        except* _Behind:
            self._end(Standing(HALTED, "the others trimmed batches that this node has not applied", _RESEED))
        except* Exception as errors:
            log.exception("orderer.defect", exc_info=errors)
            self._end(Standing(HALTED, "an unexpected failure: a defect of Hansa", "Report it with the node's log."))

    async def _join_anew(self) -> None:
        """A member that lost the data of an order which its node followed becomes a new one, before it votes again."""
        log.warning("etcd.data_lost", home=self._settings.home)
        kept = self._record.read()
        if kept is not None:
            self._gateway.cluster = int.from_bytes(kept.cluster, "big")
        while True:
            try:
                await self._gateway.join_anew(self._settings.own.peers)
                break
            except Unavailable as error:
                await self._unanswered(error)
        self._engine = self._make_engine(joins=True)

    def _diverge(self, reason: str) -> None:
        self._end(Standing(DIVERGED, reason, _FOREIGN))

    def _end(self, standing: Standing) -> None:
        log.error("orderer.ended", state=standing.state, reason=standing.reason)
        self._final = standing
        self._ahead.clear()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._ready()

    def _engine_died(self, code: int) -> None:
        self._trouble = f"etcd ended with code {code}"

    def _stands_apart(self) -> Standing | None:
        """Why this node may apply nothing: for good, or while nobody knows whose history is the right one."""
        if self._final is not None:
            return self._final
        differing = self._peers.differing()
        if not differing or 2 * (1 + len(self._peers.agreeing())) > len(self._names):
            return None
        names = ", ".join(differing)
        if 2 * len(differing) >= len(self._names):
            self._diverge(f"the history of this node is not that of {names}")
            return self._final
        return Standing(
            HALTED, f"the history of {names} is not that of this node, and no majority says whose holds", _FOREIGN
        )

    # -- into the order -----------------------------------------------------------------------------------------------

    async def _send(self) -> None:
        """One batch at a time is on its way: what comes meanwhile makes the next, so there is no timer to wait for."""
        while True:
            await self._work.wait()
            if not len(self._lanes):
                self._work.clear()
                continue
            if self._heard_all():
                await self._hand_in(self._lanes.fill())
            else:
                await asyncio.sleep(RETRY_S)

    def _heard_all(self) -> bool:
        """Whether this node has listened to the others' clocks, as far as there is anybody to be heard."""
        now = time.monotonic()
        return self._known is not None and (now - self._known > LISTEN_S or not self._peers.absent(now))

    async def _hand_in(self, envelopes: list[bytes]) -> None:
        """Asks until it is known that the batch is in the order. The same bytes have the same key: it stands once."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        stamp = self._stamp()
        data = wire_batch.encode(stamp or 0, envelopes, nonce)
        name = _name_of(data)
        if stamp is not None:
            conditions = [absent(_BATCH + name)]
            changes = [put(_BATCH + name, self._carried(data))]
        else:  # for another to stamp; whoever does, puts it under the same name
            conditions = [absent(_BATCH + name), absent(_UNSTAMPED + name)]
            changes = [put(_UNSTAMPED + name, data)]
        while True:
            try:
                await self._gateway.change(conditions, changes)
            except Unavailable as error:
                await self._unanswered(error)
            else:
                self._answer()
                return

    def _carried(self, data: bytes) -> bytes:
        return encode(Carried(VERSION, self._settings.name, self._place, data))

    def _stamp(self) -> int | None:
        """The time for a batch; None while this node's clock is in doubt."""
        return None if self._clock_doubt() else self._now()

    def _now(self) -> int | None:
        try:
            return self._replica.stamp()
        except HansaError as error:
            self._doubt = error.detail
            return None

    def _clock_doubt(self) -> str:
        if self._now() is None:
            return self._doubt
        error = self._peers.clock_error(time.monotonic())
        if abs(error) <= CLOCK_MS_MAX:
            return ""
        side = "ahead of" if error > 0 else "behind"
        return f"its clock is {abs(error) // 1000} s {side} the others'"

    async def _take_over(self) -> None:
        """Stamps what nodes with a doubtful clock have handed over."""
        patience = TAKE_OVER_S * self._names.index(self._settings.name)
        while True:
            await self._offered.wait()
            await asyncio.sleep(TAKE_OVER_S / 3)
            for name, (data, since) in list(self._unstamped.items()):
                stamp = self._stamp()
                if stamp is None or time.monotonic() - since < patience or name not in self._unstamped:
                    continue
                changes = [delete(_UNSTAMPED + name)]
                try:
                    bundle = wire_batch.decode(data)
                    stamped = wire_batch.encode(stamp, bundle.envelopes, bundle.nonce)
                    changes.append(put(_BATCH + name, self._carried(stamped)))
                except HansaError:
                    log.warning("orderer.unstampable", batch=name.hex())
                try:
                    await self._gateway.change([present(_UNSTAMPED + name), absent(_BATCH + name)], changes)
                except Unavailable as error:
                    await self._unanswered(error)
                else:
                    self._unstamped.pop(name, None)
            if not self._unstamped:
                self._offered.clear()

    # -- out of the order ---------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Reads the changes of the cluster from where it left off, at whichever member answers."""
        while True:
            try:
                await self._compare()
                member = self._gateway.endpoint
                async with contextlib.aclosing(self._gateway.watch(self._followed + 1)) as answers:
                    async for watched in answers:
                        await self._read_all(watched)
                        if self._gateway.endpoint != member:  # that one failed, or the nearest is there again
                            break
            except Compacted:
                try:
                    await self._read_keys()
                except Unavailable as error:
                    await self._unanswered(error)
            except Unavailable as error:
                await self._unanswered(error)

    async def _read_all(self, watched: Watched) -> None:
        for event in watched.events:
            await self._room.wait()
            self._read(event)
        if watched.events:
            last = watched.events[-1].kv.mod_revision
            # A fragment may end within a revision, the rest of which must not be missed.
            self._followed = max(self._followed, last - 1 if watched.fragment else last)
            self._moved.set()

    async def _compare(self) -> None:
        """Whether this is the cluster that was followed. Raises `Diverged`."""
        if self._known is None:
            await self._recognise()
        page = await self._gateway.read(_TRIMMED)
        self._answer()
        self._fresh = page.header.revision
        self._retained.trim(_number(page.kvs))

    async def _recognise(self) -> None:
        """At the first answer: the cluster's id, its ledger, and the last batch that this node had from it."""
        ledger = self._replica.ledger
        await self._gateway.disarm()  # a start is how a larger quota comes about
        await self._gateway.change([absent(_LEDGER)], [put(_LEDGER, ledger)])
        await self._gateway.change([absent(_TRIMMED)], [put(_TRIMMED, _numeral(0))])
        kept = self._record.read()
        page = await self._gateway.read(_LEDGER)
        if page.kvs[0].value != ledger:
            raise Diverged(f"the cluster orders another ledger, {page.kvs[0].value.hex()}")
        cluster = page.header.cluster_id.to_bytes(8, "big")
        if kept is not None and kept.cluster != cluster:
            raise Diverged(f"cluster {cluster.hex()} answers where {kept.cluster.hex()} did: it is another cluster")
        reached = max(self._place.position, kept.place.position if kept is not None else 0)
        if page.header.revision < reached:
            raise Diverged(
                f"the cluster is at revision {page.header.revision} where this node has applied {reached}: "
                "it was set back, as by a restored backup, or is another one"
            )
        if kept is not None and kept.key:
            found = (await self._gateway.read(kept.key)).kvs
            trimmed = _number((await self._gateway.read(_TRIMMED)).kvs)
            position = found[0].mod_revision if found else 0
            if position != kept.place.position and (found or trimmed < kept.place.position):
                raise Diverged(
                    f"the batch at {kept.place.position} is not there: the cluster was set back, as by a backup"
                )
        mark = await self._own_mark()
        # Batches that counted for nothing left no block; what was written down beside the ledger knows them.
        places = [
            known.place for known in (kept, mark) if known is not None and known.place.digest == self._place.digest
        ]
        self._place = max([self._place, *places], key=_position)
        self._last = self._followed = self._place.position
        self._peers.began(self._place)
        same = kept is not None and kept.place.position == self._place.position
        self._keep(kept.key if kept is not None and same else b"", durable=True)
        await self._list_keys()
        for item in (await self._gateway.read(_UNSTAMPED, prefix_end(_UNSTAMPED))).kvs:
            self._read(Event(item))
        self._known = time.monotonic()

    async def _own_mark(self) -> Mark | None:
        found = (await self._gateway.read(_NODE + self._settings.name.encode())).kvs
        return decode(found[0].value, Mark) if found else None

    async def _list_keys(self) -> tuple[list[Item], int]:
        """The batches that are there, in their order, without their bytes; and the revision up to which that is all."""
        items: list[Item] = []
        start, end, revision = _BATCH, prefix_end(_BATCH), 0
        while True:
            page = await self._gateway.read(start, end, keys_only=True)
            revision = revision or page.header.revision
            items += page.kvs
            if not page.more:
                break
            start = page.kvs[-1].key + b"\0"
        found = sorted((item for item in items if item.mod_revision <= revision), key=_revision)
        for item in found:
            if len(item.key) == KEY_BYTES and item.version == 1:
                self._retained.add(item.mod_revision, item.key)
        return found, revision

    async def _read_keys(self) -> None:
        """Catches up by the keys, where changes are no longer kept. Raises `_Behind` if some that it needs are gone."""
        found, revision = await self._list_keys()
        self._retained.trim(_number((await self._gateway.read(_TRIMMED)).kvs))
        if self._retained.trimmed > self._last:
            raise _Behind
        others = [*(await self._gateway.read(_NODE, prefix_end(_NODE))).kvs]
        others += (await self._gateway.read(_UNSTAMPED, prefix_end(_UNSTAMPED))).kvs
        for item in found:
            if item.mod_revision > self._last:
                await self._room.wait()
                whole = (await self._gateway.read(item.key)).kvs
                if not whole:
                    raise _Behind
                self._read(Event(whole[0]))
        for item in others:
            self._read(Event(item))
        self._followed = max(self._followed, revision)
        self._moved.set()

    def _read(self, event: Event) -> None:
        """One change. Every node reads the same ones in the same order, and whatever is no sound batch alike."""
        item, made = event.kv, event.type == "PUT"
        key = item.key
        if key.startswith(_BATCH):
            if made and item.version == 1 and item.mod_revision > self._last and len(key) == KEY_BYTES:
                self._read_batch(item)
        elif key.startswith(_NODE):
            mark = decode(item.value, Mark) if made else None
            if mark is not None:
                name = key[len(_NODE) :].decode(errors="replace")
                self._peers.told(name, mark)
                if item.mod_revision > self._fresh:
                    self._peers.heard(name, mark, self._now(), time.monotonic())
                    if mark.asks and name != self._settings.name:
                        self._changed = True
                        self._stirred.set()
                if self._ahead:  # perhaps a dispute over histories is decided now
                    self._ready()
        elif key.startswith(_UNSTAMPED):
            if made:
                self._unstamped[key[len(_UNSTAMPED) :]] = item.value, time.monotonic()
                self._offered.set()
            else:
                self._unstamped.pop(key[len(_UNSTAMPED) :], None)
        elif key == _TRIMMED and made:
            self._retained.trim(_number([item]))

    def _read_batch(self, item: Item) -> None:
        position = item.mod_revision
        self._last = position
        self._retained.add(position, item.key)
        carried = decode(item.value, Carried)
        envelopes: list[bytes] = []
        stamp = 0
        try:
            if carried is not None:
                bundle = wire_batch.decode(carried.batch)
                stamp, envelopes = bundle.stamp, bundle.envelopes
                self._peers.claimed(carried.node, carried.place)
        except HansaError:
            log.warning("orderer.unreadable", position=position)
        for envelope in envelopes:
            id = self._ids.pop(envelope, None)
            if id is not None:
                self._waiting.discard(id)
        self._given.append((position, item.key))
        self._ahead.append(Batch(position, stamp, envelopes))
        self._ahead_bytes += int.from_bytes(item.key[-4:], "big")
        if self._ahead_bytes >= AHEAD_BYTES_MAX:
            self._room.clear()
        self._ready()

    # -- beside the order ---------------------------------------------------------------------------------------------

    def _seen(self) -> int:
        return self._given[0][0] - 1 if self._given else self._followed

    def _keep(self, key: bytes, *, durable: bool = False) -> None:
        assert self._gateway.cluster is not None
        self._kept = Kept(VERSION, self._gateway.cluster.to_bytes(8, "big"), self._place, key)
        self._record.write(self._kept, durable=durable)

    async def _tell(self) -> None:
        """Says how far this node is, which also finds out whether the cluster answers; and trims."""
        told = trimmed = turned = 0.0
        key = _NODE + self._settings.name.encode()
        while True:
            with contextlib.suppress(TimeoutError):  # not by `wait_for`: that of Python 3.11 may lose a cancellation
                async with asyncio.timeout(MARK_S if told else RETRY_S):
                    await self._stirred.wait()
            await asyncio.sleep(max(0.0, told + RETRY_S - time.monotonic()))  # of two that ask, each stirs the other
            self._stirred.clear()
            now = time.monotonic()
            if self._known is None or (not self._changed and now - told < MARK_IDLE_S):
                continue
            if self._engine.pid is not None and now - turned > UNANSWERED_S * 3:
                turned = now
                self._gateway.nearest()
            mark = Mark(VERSION, self._place, self._seen(), self._now(), not self._heard_all(), self._peers.disputed())
            self._changed = False
            try:
                await self._gateway.change([], [put(key, encode(mark))])
                self._answer()
                self._full = False
                told = now
                if now - trimmed > TRIM_S:
                    trimmed = now
                    await self._trim()
            except Unavailable as error:
                self._changed = True
                await self._unanswered(error)

    async def _trim(self) -> None:
        """The first node that is there deletes what all that are waited for have applied, and lets etcd forget it."""
        now = time.monotonic()
        present_names = [*self._peers.present(now), self._settings.name]
        if min(present_names) != self._settings.name:
            return
        seen = self._peers.seen(self._settings.name, self._seen())
        awaited = waited_for(self._retained, seen, self._settings.quota)
        through = min((seen[name] for name in awaited), default=0)
        for _ in range(TRIM_CHANGES):
            old = self._retained.trimmable(through, TRIM_KEYS)
            if not old:
                break
            mark = _numeral(old[-1][0])
            # Another node may trim too, and has perhaps come farther.
            await self._gateway.change([below(_TRIMMED, mark)], [*(delete(key) for _, key in old), put(_TRIMMED, mark)])
            self._retained.trim(old[-1][0])
        forgotten = min((seen[name] for name in present_names if name in awaited), default=0) - COMPACT_REVISIONS
        if forgotten > 0:
            await self._gateway.compact(forgotten)

    async def _renew(self) -> None:
        """New certificates for old, while it runs; those that it starts with are its caller's to make."""
        while self._context is not None and self._make_certificates is not None:
            await asyncio.sleep(RENEW_S)
            try:
                self._make_certificates()
                tls.load(self._context, self._settings)
            except HansaError as error:  # the old ones last for a while; the next time may do
                log.warning("orderer.certificates", code=error.code, detail=error.detail)

    def _answer(self) -> None:
        self._answered = time.monotonic()
        self._failing = None
        self._trouble = ""

    async def _unanswered(self, error: Unavailable) -> None:
        self._full = self._full or isinstance(error, Full)
        self._failing = self._failing or time.monotonic()
        self._trouble = str(error)
        await asyncio.sleep(RETRY_S)


class _Behind(Exception):
    """The others have trimmed what this node still needs."""


def _nothing() -> None:
    return None


def _name_of(data: bytes) -> bytes:
    """A batch's name: its id, and its size, which follows from its bytes as the id does."""
    return wire_batch.id_of(data) + len(data).to_bytes(4, "big")


def _numeral(number: int) -> bytes:
    """A number so that greater ones sort behind it."""
    return b"%020d" % number


def _number(items: list[Item]) -> int:
    """What stands in a key of decimal digits; 0 if it is not there."""
    return int(items[0].value) if items and items[0].value.isdigit() else 0


def _position(place: Place) -> int:
    return place.position


def _revision(item: Item) -> int:
    return item.mod_revision
