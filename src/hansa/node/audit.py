"""Audit: reads a stopped ledger again from genesis, and believes nothing that it can check.

One pass follows the journal: hashes, roots, checkpoints, write sets, ids; it builds a state of its own from the write
sets alone. In slices, on all cores, every signature is verified and every action executed again on that state as it
was just before, and must give the very bytes that stand there. The folder's own rows, checkpoints and state are
compared with what the journal gives. Nothing in the folder is changed.

What it cannot see: a tail cut off cleanly together with everything that had seen it, or an older copy of the whole
folder. Only something outside that saw more can show that: see `at_least`.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory
from hansa.merkle.tiles import ROWS_MAX, Tiles, row_length
from hansa.merkle.tree import EMPTY_ROOT, HASH_BYTES, leaf_hash
from hansa.node import state_digest, witnesses
from hansa.node.apply import Tip, tip_after
from hansa.node.as_of import Governance, as_of
from hansa.node.recovery import check_follows, checked_writes
from hansa.node.reexecution import Executor, Finding, Ledger, Result
from hansa.node.snapshots import is_digested
from hansa.node.statecheck import compare_states, read_applied
from hansa.node.witnesses import Find, Witnesses
from hansa.node.workers import Lost, Worker
from hansa.store import journal
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Disk, inaccessible, read_whole
from hansa.store.folder import Folder, Lock
from hansa.store.journal import SEGMENT_HEADER_BYTES, Location, Position, Scan, Segments
from hansa.store.rows import Rows, row_name
from hansa.store.state import FORMAT, Applied, BlockPlace, Entered, State
from hansa.wire import block, cose, entry, genesis, snapshot, transaction
from hansa.wire.block import Header, Item
from hansa.wire.problems import HansaError

SLICE_ENTRIES: Final = 4_000
FINDINGS_MAX: Final = 100
"""Told by an audit; then it says that there are more."""

Progress = Callable[[int], None]
"""Told how many entries have been read."""


class Report(msgspec.Struct, frozen=True):
    """What an audit saw. `notes` are worth knowing and no fault."""

    ledger: str
    name: str
    entries: int
    blocks: int
    root: str
    checkpoints: int
    executed: int
    findings: list[Finding]
    notes: list[str]
    governance: Governance | None = None  # as of the last block that was read, if it was asked for

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def audit(
    root: Path,
    at_least: Iterable[Path] = (),
    progress: Progress = lambda _: None,
    workers: int | None = None,
    at: int | None = None,
    *,
    governance: bool = False,
) -> Report:
    """Audits the ledger in a folder that no node uses.

    `at`: the height of the last block to be read; what lies beside the journal is then compared up to there alone.
    `governance`: the report has members, keys and rules as of there, as executing everything again gives them.

    `at_least` names receipts, checkpoints or folders of states that others hold: the ledger must contain what they saw.
    Raises `HansaError` only if there is nothing to audit: no ledger, another format, a node running, unreadable
    evidence; or the audit cannot go on, for a disk that gives an error or has no room for the audit's own state.
    """
    folder = Folder(root)
    try:
        with _alone(folder), _scratch(root) as scratch:
            count = (os.cpu_count() or 1) if workers is None else workers
            return _Audit(folder, scratch, progress, count, at, governance=governance).run(at_least)
    except OSError as error:
        raise inaccessible(error, root) from error


@contextlib.contextmanager
def _alone(folder: Folder) -> Generator[None, None, None]:
    """Keeps nodes away; a folder without a lock has never had one."""
    folder.check_format(Disk())
    lock = Lock(folder.lock, shared=True) if folder.lock.exists() else None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


@contextlib.contextmanager
def _scratch(root: Path) -> Generator[Path, None, None]:
    """A folder for the audit's own state, as large as the ledger's: beside it, or else with the temporary files."""
    beside = root.absolute().parent
    path = Path(tempfile.mkdtemp(prefix="hansa-audit-", dir=beside if os.access(beside, os.W_OK) else None))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _said(error: Exception) -> str:
    return error.detail if isinstance(error, HansaError) else type(error).__name__


class _Stop(Exception):
    """Nothing more is judged."""


class _Audit:
    def __init__(
        self,
        folder: Folder,
        scratch: Path,
        progress: Progress,
        workers: int,
        at: int | None = None,
        *,
        governance: bool = False,
    ) -> None:
        self._at = at
        self._is_governance_asked = governance
        self._governance: Governance | None = None
        self._folder = folder
        self._scratch = scratch
        self._progress = progress
        self._workers = workers
        self._files = Disk()
        self._reader = Worker()
        self._findings: list[Finding] = []
        self._notes: list[str] = []
        self._name = ""
        self._executed = self._blocks = self._checkpoints = 0
        self._tip = Tip(bytes(32), 0, 0, 0, block.GENESIS_PREVIOUS)
        self._root = EMPTY_ROOT
        self._header: Header
        self._digested: dict[int, bytes] = {}
        """By the height of the block that must end with it, the envelope of a snapshot."""
        self._is_whole = False  # whether the journal could be followed to its end

    def run(self, at_least: Iterable[Path]) -> Report:
        with contextlib.ExitStack() as held, contextlib.suppress(_Stop):
            held.callback(self._reader.stop)
            kept = [witnesses.outside(self._files, path, self._reader) for path in at_least]
            with self._opening():
                ledger = journal.read_ledger(self._files, self._folder.journal)
                self._tip = Tip(ledger, 0, 0, 0, block.GENESIS_PREVIOUS)
                segments = Segments(self._files, self._folder.journal, ledger)
                held.callback(segments.close)
                for number in range(segments.count):
                    segments.file(number)
                document = self._document(ledger, segments)
                decoded = genesis.decode(document)
                self._name = decoded.name
                if decoded.is_told:
                    self._notes.append(genesis.TOLD_IN_WORDS)
                directory = Directory(governance_genesis.members_program(decoded))
                stored = Checkpoints(self._files, self._folder.checkpoints, ledger, writable=False)
                held.callback(stored.close)
                self._checkpoints = stored.count
            seen = Witnesses(
                ledger, directory, witnesses.stored(stored, self._find), kept, self._find, told=decoded.is_told
            )
            self._read(segments, document, directory, seen, held)
        return Report(
            self._tip.ledger.hex(),
            self._name,
            self._tip.size,
            self._blocks,
            self._root.hex(),
            self._checkpoints,
            self._executed,
            self._findings,
            self._notes,
            self._governance,
        )

    # The pass over the journal

    def _read(
        self, segments: Segments, document: bytes, directory: Directory, seen: Witnesses, held: contextlib.ExitStack
    ) -> None:
        found = applied = self._applied()
        state = State(self._scratch, directory.indexes_of, durable=False)
        held.callback(state.close)
        rows = _RowCheck(Rows(self._files, self._folder.tiles, writable=False), self._find)
        held.callback(rows.close)
        tiles = Tiles(0, rows.never)
        executor = Executor(Ledger(self._folder.journal, self._scratch, document, self._tip.ledger), self._workers)
        held.callback(executor.stop)
        scan = Scan(segments)
        current = _Slice(self._tip)
        decoded = genesis.decode(document)
        every, later = decoded.snapshot_entries, decoded.snapshot_blocks

        def end_slice() -> None:
            """Hands the slice out to be executed again on the state before it, then goes on with the one behind it.

            The state in LMDB is still the one before the slice: what the slice wrote lies in the overlay.
            """
            nonlocal current
            if current.places:
                rows.compare(tiles.unstored(), self._tip.size)
                tiles.mark_stored()
                self._collect(executor.execute(current.first, current.places, current.digested))
                self._flush(state, scan.position)
            current = _Slice(self._tip)

        for location in self._follow(scan, directory, state, tiles):
            current.places.append(location)
            seen.reach(self._header)
            if self._header.height in self._digested:
                current.digested[self._header.height] = self._digested.pop(self._header.height)
            if is_digested(self._header, every):
                end_slice()
                manifest = state_digest.manifest_of(state, self._header.height)
                self._digested[self._header.height + later] = snapshot.envelope_of(manifest)
            if applied is not None and self._tip.size == applied.size:
                end_slice()
                self._compare_state(applied, scan.position)
                applied = None
            elif self._tip.size - current.first.size >= SLICE_ENTRIES:
                end_slice()
        end_slice()
        self._collect(executor.finish())
        if self._is_governance_asked and self._blocks:
            self._governance = as_of(state, self._tip)
        if self._is_whole and self._at is not None:
            self._end_early(seen)
        elif self._is_whole:
            self._check_end(scan, applied)
            seen.finish(self._tip.size)
            if rows.is_empty():
                self._notes.append("there are no hashes of the tree; a node rebuilds them")
            else:
                rows.finish(self._tip.size, 0 if found is None else found.size)

    def _follow(self, scan: Scan, directory: Directory, state: State, tiles: Tiles) -> Iterator[Location]:
        """Takes block after block in, to the end or to one behind which nothing can be judged."""
        try:
            for _, blocks in scan:
                for data, location in blocks:
                    self._take(data, location, directory, state, tiles)
                    yield location
                    if self._at is not None and self._header.height >= self._at:
                        self._is_whole = True
                        return
                self._progress(self._tip.size)
            self._is_whole = True
        except (HansaError, OSError) as error:
            self._find_last(error)

    def _take(self, data: bytes, location: Location, directory: Directory, state: State, tiles: Tiles) -> None:
        """Checks a block against the chain and takes its write sets into the audit's own state."""
        decoded = block.decode(data)
        header = decoded.header
        check_follows(decoded, self._tip)
        entered: list[Entered] = []
        written_at: dict[bytes, int] = {}
        ids: set[bytes] = set()
        for seq, item in enumerate(decoded.items, self._tip.size):
            tiles.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
            written = checked_writes(item, seq)
            for write in written:
                found = state.get(write.place)
                if write.previous != written_at.get(write.place, None if found is None else found.seq):
                    self._find("block.writes", f"entry {seq}", f"a write names {write.previous} as the one before")
                written_at[write.place] = seq
            not_after = self._check_id(item, seq, header.time, state, ids)
            entered.append(Entered(seq, item.id, not_after, written))
        if tiles.root() != header.root:
            raise HansaError("block.root", f"block {header.height}: its entries do not give its root")
        try:
            for one in entered:
                directory.apply(one.seq, one.writes)
            state.apply(BlockPlace(header.seq, header.height, location), entered)
        except Exception as error:  # it fits every hash, but no action can have written it
            raise HansaError(
                "block.writes", f"block {header.height} wrote what no records are: {_said(error)}"
            ) from error
        self._tip, self._root, self._header = tip_after(header), header.root, header
        self._blocks += 1

    def _check_id(self, item: Item, seq: int, time: int, state: State, ids: set[bytes]) -> int:
        """Checks that an entry's id is its envelope's and new; until when it counts as seen (ms)."""
        if item.kind not in entry.SIGNED:
            ids.add(item.id)  # executing makes these again, ids and all
            return 0
        try:
            not_after = transaction.not_after_of(item.envelope)
            if cose.id_of(item.envelope) != item.id:
                self._find("verify.id", f"entry {seq}", "its id is not the one of its envelope")
        except (HansaError, KeyError, TypeError, ValueError):
            self._find("envelope.form", f"entry {seq}", "its envelope cannot be read")
            return 0
        is_open = not_after >= time  # what has expired is found by executing, and its id may be forgotten
        if is_open and (item.id in ids or state.in_window(item.id, not_after) is not None):
            self._find("transaction.duplicate", f"entry {seq}", "the same transaction has an entry before it")
        ids.add(item.id)
        return not_after

    def _flush(self, state: State, position: Position) -> None:
        try:
            state.flush(
                Applied(
                    format=FORMAT,
                    ledger=self._tip.ledger,
                    size=self._tip.size,
                    time=self._tip.time,
                    header=self._tip.previous,
                    root=self._root,
                    position=position,
                    checkpoints=0,
                )
            )
        except HansaError:
            raise
        except Exception as error:  # as above: such keys cannot have been in a state
            self._find_last(HansaError("block.writes", f"what was written cannot be kept: {_said(error)}"))
            raise _Stop from error

    def _end_early(self, seen: Witnesses) -> None:
        """It was read as far as it was asked for. Raises `HansaError` `tree.range` if there is less."""
        assert self._at is not None
        if self._tip.height <= self._at:
            last = self._tip.height - 1
            told = f"there is no block {self._at}: the last one is block {last}"
            raise HansaError("tree.range", told, remedy=f"Ask for the height of a block: from 0 to {last}.")
        self._checkpoints = seen.reached
        self._notes.append(f"read to block {self._at} alone; nothing behind it was judged")

    def _check_end(self, scan: Scan, applied: Applied | None) -> None:
        """The journal was followed to its end; the folder's state, if it was not met on the way, has seen more."""
        if scan.broken is not None:
            place = f"{journal.segment_name(scan.broken.segment)}, byte {scan.broken.offset}"
            self._notes.append(
                f"the journal ends in a torn unit ({place}: {scan.broken.reason}); a node keeps it aside and goes on, "
                "nothing in it was answered"
            )
        if applied is not None and applied.size > self._tip.size:
            self._find("journal.lost_tail", "state", witnesses.lost(applied.size, self._tip.size))
        elif applied is not None:
            self._find("state.corrupt", "state", f"it ends at {applied.size} entries, where no block ends")

    # What lies beside the journal

    def _document(self, ledger: bytes, segments: Segments) -> bytes:
        """The genesis document, which the first block holds; the copy beside it must be the same."""
        first = next(iter(Scan(segments)), None)
        items = block.decode(first[1][0][0]).items if first is not None and first[1] else []
        copy = read_whole(self._files, self._folder.genesis) if self._folder.genesis.exists() else b""
        document = items[0].envelope if items else copy
        if genesis.ledger_id(document) != ledger:
            raise HansaError("genesis.lost", "the first entry is not this ledger's genesis")
        if copy != document:
            self._find("genesis.copy", "genesis.cbor", "it is missing, or not the document in the journal")
        return document

    def _applied(self) -> Applied | None:
        """How far the folder's state has got."""
        if not (self._folder.state / "data.mdb").exists():
            self._notes.append("there is no state; a node rebuilds it")
            return None
        try:
            return self._reader.call(read_applied, self._folder.state)
        except Lost as lost:
            self._find("state.unreadable", "state", str(lost))
            return None

    def _compare_state(self, applied: Applied, position: Position) -> None:
        """Compares the folder's state with the one made from the write sets, at the same height."""
        tip = self._tip
        next_segment = Position(position.segment + 1, SEGMENT_HEADER_BYTES, position.chain, position.height)
        differing = [
            name
            for name, found, expected in (
                ("ledger", applied.ledger, (tip.ledger,)),
                ("time", applied.time, (tip.time,)),
                ("header", applied.header, (tip.previous,)),
                ("root", applied.root, (self._root,)),
                ("position", applied.position, (position, next_segment)),
            )
            if found not in expected
        ]
        if differing:
            self._find("state.corrupt", "state", f"its {', '.join(differing)} are not what the journal gives")
        if applied.checkpoints > self._checkpoints:
            how = f"the state has seen {applied.checkpoints} records, {self._checkpoints} are left"
            self._find("checkpoint.damaged", "checkpoints", how)
        try:
            for database, key, how in self._reader.call(compare_states, self._folder.state, self._scratch):
                self._find("state.corrupt", f"state, {database}, {key}", how)
        except Lost as lost:
            self._find("state.unreadable", "state", str(lost))

    # Findings

    def _collect(self, results: Iterable[Result]) -> None:
        for executed, findings in results:
            self._executed += executed
            for finding in findings:
                self._find(finding.code, finding.where, finding.detail)

    def _find(self, code: str, where: str, detail: str) -> None:
        self._findings.append(Finding(code, where, detail))
        if len(self._findings) >= FINDINGS_MAX:
            self._notes.append(f"the audit ended with its {FINDINGS_MAX}th finding; there may be more")
            raise _Stop

    def _find_last(self, error: HansaError | OSError) -> None:
        """The finding behind which nothing can be judged."""
        if isinstance(error, OSError):
            error = inaccessible(error, self._folder.journal)
        where = f"behind entry {self._tip.size - 1}" if self._tip.size else "at the beginning"
        self._findings.append(Finding(error.code, where, f"{error.detail}; nothing behind it was judged"))

    @contextlib.contextmanager
    def _opening(self) -> Generator[None, None, None]:
        """What cannot even be opened is a finding too."""
        try:
            yield
        except (HansaError, OSError) as error:
            self._find_last(error)
            raise _Stop from None


class _Slice:
    """Blocks that are executed again together, on the state before them."""

    def __init__(self, first: Tip) -> None:
        self.first = first
        self.places: list[Location] = []
        self.digested: dict[int, bytes] = {}


class _RowCheck:
    """Compares the stored rows of the tree with the hashes that the journal gives, as they come."""

    def __init__(self, rows: Rows, find: Find) -> None:
        self._rows = rows
        self._find = find
        self.close = rows.close

    def never(self, row: int, begin: int, end: int) -> bytes:
        """The audit's own tree never reads what is stored."""
        raise AssertionError

    def compare(self, unstored: list[tuple[int, int, bytes]], size: int) -> None:
        """Compares the hashes of a slice that ends at `size` entries, as far as they are stored."""
        for row, position, joined in unstored:
            count = max(0, min(self._rows.length(row), row_length(size, row)) - position)
            stored = self._rows.read(row, position, position + count) if count else b""
            if stored != joined[: count * HASH_BYTES]:
                at = next(i for i in range(count) if _hash_at(stored, i) != _hash_at(joined, i))
                self._find("tiles.differ", f"{row_name(row)}, hash {position + at}", "it is not the tree's")

    def is_empty(self) -> bool:
        """Whether nothing is stored."""
        return not any(self._rows.length(row) for row in range(ROWS_MAX))

    def finish(self, size: int, seen: int) -> None:
        """The journal ends at `size` entries, the state at `seen`: rows reach at least as far as the state."""
        if self._rows.leaves() > size:
            self._find("journal.lost_tail", row_name(0), witnesses.lost(self._rows.leaves(), size))
        for row in range(ROWS_MAX):
            length = self._rows.length(row)
            if row and length > row_length(size, row):
                self._find("tiles.differ", row_name(row), f"it has {length} hashes, the tree {row_length(size, row)}")
            if length < row_length(min(seen, size), row):
                self._find(
                    "tiles.short", row_name(row), f"it has {length} hashes of the {row_length(seen, row)} needed"
                )


def _hash_at(joined: bytes, index: int) -> bytes:
    return joined[index * HASH_BYTES : (index + 1) * HASH_BYTES]
