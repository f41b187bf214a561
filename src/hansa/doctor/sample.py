"""A sample audit: entries by chance, each proven from the ledger's own checkpoints, and the state beside them.

Of a stopped ledger the folder is read, in a worker that may die of a damaged database; of a running one, its answers.
A short ledger that is stopped is audited whole instead, every action executed again. Executing an entry of a long one
needs the state as it was before it, which only `hansa audit` builds.
"""

import contextlib
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from hansa.client import verification
from hansa.client.verification import Pinned, Signer
from hansa.doctor.check import Check
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory
from hansa.merkle.tiles import Tiles
from hansa.node.apply import Tip
from hansa.node.audit import audit
from hansa.node.reading import Reading
from hansa.node.recovery import load_directory
from hansa.node.workers import Lost, Worker
from hansa.store import journal
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Disk, read_whole
from hansa.store.folder import Folder, Lock
from hansa.store.journal import Segments
from hansa.store.rows import Rows
from hansa.store.state import State
from hansa.wire import entry, genesis, writes
from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError

SAMPLE: Final = 200
SECONDS_MAX: Final = 3.0
"""How long a sample is read for."""
WHOLE_MAX: Final = 2_000
"""Entries up to which a stopped ledger is audited whole: about a second."""
FINDINGS_MAX: Final = 5
"""Shown; `hansa audit` tells all."""

_WHY: Final = "A ledger is worth what its proofs are worth; a single wrong entry shows that something wrote into it."

FORMER: Final = "former"
"""What a key is for that counts no more."""


class Sampled(msgspec.Struct, frozen=True):
    """What a sample gave. `keys`: what each key the ledger knows is for; `uncovered`: under no checkpoint yet."""

    size: int
    entries: int
    uncovered: int
    findings: list[str]
    keys: list[tuple[bytes, str]]


class Node(Protocol):
    """A running node, as far as it is asked."""

    def get(self, path: str, **query: str | int) -> Any:
        """An answer as JSON. Raises `HansaError`."""
        ...

    def get_bytes(self, path: str) -> bytes:
        """An answer as bytes. Raises `HansaError`."""
        ...


class _Bodies(msgspec.Struct, frozen=True):
    entry: bytes
    envelope: bytes
    outcome: bytes
    writes: bytes


def of_stopped(folder: Folder) -> Sampled:
    """Samples the folder of a stopped ledger. Raises `HansaError`; nothing in it is changed."""
    lock = Lock(folder.lock, shared=True) if folder.lock.exists() else None
    reader = Worker()
    try:
        return reader.call(sample_folder, folder.root, random.getrandbits(64))
    except Lost as lost:
        raise HansaError("state.unreadable", str(lost)) from None
    finally:
        reader.stop()
        if lock is not None:
            lock.release()


def sample_folder(_: Callable[[], None], root: Path, seed: int) -> Sampled:
    """To be run in a worker. Raises `HansaError`."""
    with _opened(Folder(root)) as (reading, state, directory, size):
        known = {**directory.former, **directory.senders}
        signers = {kid: Signer(sender.user or sender.member, sender.key) for kid, sender in known.items()}
        spans = directory.checkpoint_spans
        pinned = Pinned({kid: span.key for kid, span in spans.items()}, reading.tip.ledger, signers)
        keys = [(kid, "governance" if s.is_governor else "transaction") for kid, s in directory.senders.items()]
        keys += [(kid, "checkpoint") for kid in directory.checkpoint_keys]
        keys += [(kid, "node") for kid in directory.node_keys]
        keys += [(kid, FORMER) for kid in {*spans, *directory.former, *directory.former_node_keys} - dict(keys).keys()]

        def bodies(seq: int) -> _Bodies:
            found = reading.at(seq)
            return _Bodies(found.entry(), found.envelope, found.outcome, found.writes)

        def also(seq: int, written: writes.WriteSet) -> str:
            for write in written:
                stored = state.get(write.place)
                if stored is None or stored.seq < seq:
                    return f"entry {seq} wrote a {write.record} of {write.contract} that the state does not have"
                if stored.seq == seq and stored.value != write.value:
                    return f"the {write.record} of {write.contract} that entry {seq} wrote is another in the state"
            return ""

        return _sample(size, seed, pinned, bodies, reading.receipt, also, keys)


@contextlib.contextmanager
def _opened(folder: Folder) -> Generator[tuple[Reading, State, Directory, int]]:
    """A stopped ledger's parts for reading, as far as its state reaches, without a byte changed."""
    files = Disk()
    document = read_whole(files, folder.genesis)
    directory = Directory(governance_genesis.members_program(genesis.decode(document)))
    with contextlib.ExitStack() as opened:
        segments = Segments(files, folder.journal, journal.read_ledger(files, folder.journal))
        opened.callback(segments.close)
        state = State(folder.state, directory.indexes_of, readonly=True, lock=False)
        opened.callback(state.close)
        applied = state.applied()
        if applied is None:
            raise HansaError("state.unreadable", "the state is empty")
        load_directory(directory, state)
        rows = Rows(files, folder.tiles, writable=False)
        opened.callback(rows.close)
        checkpoints = Checkpoints(files, folder.checkpoints, applied.ledger, writable=False)
        opened.callback(checkpoints.close)
        tip = Tip(applied.ledger, applied.position.height, applied.size, applied.time, applied.header)
        tiles = Tiles(tip.size, rows.read)
        if tiles.root() != applied.root:
            raise HansaError("tiles.differ", "the tree's hashes do not give the root that the state has seen")
        yield Reading(segments, state, tiles, checkpoints, directory, tip), state, directory, tip.size


def of_running(node: Node) -> Sampled:
    """Samples a running ledger by what its node answers. Raises `HansaError` if it does not answer."""
    status = node.get("/node/status")
    document = node.get_bytes("/node/genesis")
    genesis_pinned = verification.pin_genesis(document, bytes.fromhex(status["ledger"]))
    keys: list[tuple[bytes, str]] = []
    checkpoint_keys, signers = dict(genesis_pinned.keys), dict(genesis_pinned.signers)
    for row in _rows(node, "/app/contracts/members/records/Key"):
        value = row["value"]
        key = PublicKey(bytes.fromhex(value["spki"]))
        keys.append((key.kid, value["purpose"] if value["status"] == "active" else FORMER))
        if value["purpose"] == "checkpoint":
            checkpoint_keys[key.kid] = key
        elif value["purpose"] in ("transaction", "governance"):
            signers[key.kid] = Signer(value["owner"], key)

    def bodies(seq: int) -> _Bodies:
        return _Bodies(*(node.get_bytes(f"/app/entries/{seq}/{part}") for part in _Bodies.__struct_fields__))

    def receipt(seq: int) -> bytes:
        return node.get_bytes(f"/app/receipts/{seq}")

    pinned = Pinned(checkpoint_keys, genesis_pinned.ledger, signers)
    return _sample(status["entries"], random.getrandbits(64), pinned, bodies, receipt, _nothing, keys)


def _nothing(_: int, __: writes.WriteSet) -> str:
    """Of a running node's state nothing is compared: it moves meanwhile."""
    return ""


def _rows(node: Node, path: str) -> Iterator[Mapping[str, Any]]:
    query: dict[str, str | int] = {}
    while True:
        page = node.get(path, **query)
        yield from page["rows"]
        if page["next"] is None:
            return
        query = {"after": page["next"]}


def _sample(
    size: int,
    seed: int,
    pinned: Pinned,
    bodies: Callable[[int], _Bodies],
    receipt: Callable[[int], bytes],
    also: Callable[[int, writes.WriteSet], str],
    keys: list[tuple[bytes, str]],
) -> Sampled:
    """Takes entries by chance until there are enough, or time is up."""
    chance, end = random.Random(seed), time.monotonic() + SECONDS_MAX  # noqa: S311 - a sample, no secret
    entries = uncovered = 0
    findings: list[str] = []
    for seq in chance.sample(range(size), min(SAMPLE, size)):
        if time.monotonic() > end or len(findings) >= FINDINGS_MAX:
            break
        entries += 1
        try:
            finding = _judge(seq, bodies(seq), receipt(seq), pinned, also)
        except HansaError as error:
            if error.code == "checkpoint.none":
                uncovered += 1
                continue
            if error.code.startswith(("node.unreachable", "node.silent")):
                raise
            finding = f"entry {seq}: {error.detail} [{error.code}]"
        if finding:
            findings.append(finding)
    return Sampled(size, entries, uncovered, findings, keys)


def _judge(
    seq: int, found: _Bodies, receipt: bytes, pinned: Pinned, also: Callable[[int, writes.WriteSet], str]
) -> str:
    """What is wrong with an entry; nothing if all is right. Raises `HansaError` for what a proof does not show."""
    proven = verification.verify(receipt, found.entry, pinned, envelope=found.envelope, outcome=found.outcome)
    if proven.seq != seq:
        return f"what was given as entry {seq} is entry {proven.seq}"
    if proven.kind in entry.SIGNED and proven.signer is None:
        return f"entry {seq} is signed by a key that the ledger does not know"
    assert proven.outcome is not None
    if proven.outcome.writes != writes.digest(found.writes):
        return f"the write set of entry {seq} is not what its outcome commits to"
    return also(seq, writes.decode(found.writes))


def check(root: Path, sampled: Sampled, *, running: bool) -> Check:
    """The verdict on a sample."""
    name = "sample audit"
    proven = sampled.entries - sampled.uncovered
    seen = f"{proven:,} of {sampled.size:,} entries: signature, place in the tree, outcome, write set"
    fix = f"Stop the node, keep the folder as it is, and run `hansa audit {root}`; then restore a backup."
    if sampled.findings:
        return Check(name, "fail", "; ".join(sampled.findings), _WHY, fix)
    if not proven:
        why = "Only under a checkpoint an entry can be proven."
        return Check(name, "unknown", "no stored checkpoint covers an entry yet", why, "Start the node: it signs one.")
    if running:
        return Check(name, "ok", f"{seen}; executing again needs a stopped ledger")
    return Check(name, "ok", f"{seen}, record in the state; none executed again, as `hansa audit` does")


def whole(root: Path) -> Check:
    """All of a short ledger that is stopped."""
    name = "sample audit"
    try:
        report = audit(root, workers=1)
    except HansaError as error:
        return Check(name, "unknown", error.detail, _WHY, error.remedy)
    if report.is_sound:
        return Check(name, "ok", f"all {report.entries:,} entries, {report.executed:,} executed again, and the state")
    found = "; ".join(f"{one.where}: {one.detail} [{one.code}]" for one in report.findings[:FINDINGS_MAX])
    fix = f"Keep the folder as it is; `hansa audit {root}` says more; then restore a backup."
    return Check(name, "fail", found, _WHY, fix)
