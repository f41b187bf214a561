"""Recovery: brings a data folder back to exactly what was durable, and refuses where it cannot be sure.

What a killed process wrote and never synced is made durable before anyone relies on it. The journal is read on from
where the state ends. A torn last unit is cut only if nothing shows that it was ever
whole: neither the state, nor the tree's rows, nor a stored checkpoint reach beyond it. The state and the rows are
rebuilt from the journal if they are missing, damaged or do not fit; the journal itself is never mended.
"""

import contextlib
import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Final

import msgspec
import structlog

from hansa.contracts import schedules
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import RECORDS, Directory
from hansa.merkle import checkpoint as merkle_checkpoint
from hansa.merkle import tree
from hansa.merkle.checkpoint import Checkpoint
from hansa.merkle.tiles import Tiles
from hansa.merkle.tree import leaf_hash
from hansa.node.apply import Tip, tip_after
from hansa.node.flush import flush
from hansa.node.reading import Reading
from hansa.node.snapshots import Snapshots
from hansa.store import journal
from hansa.store import state as store_state
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Disk, Files, read_whole, replace, trouble_told
from hansa.store.folder import Folder, Lock
from hansa.store.journal import Location, Position, Scan, Segments
from hansa.store.overlay import Overlay
from hansa.store.rows import Rows
from hansa.store.state import Applied, BlockPlace, Entered, State
from hansa.wire import block, entry, genesis, transaction, writes
from hansa.wire.block import Block
from hansa.wire.genesis import Genesis
from hansa.wire.problems import HansaError
from hansa.wire.writes import Write

log = structlog.get_logger()

_REPLAY_FLUSH_ENTRIES: Final = 50_000

_REBUILDS: Final = (*store_state.UNREADABLE, "tiles.differ")
"""What is wrong with state or rows, for which they are made again from the journal."""

Progress = Callable[[int], None]
"""Told now and then how many entries have been read."""


class Recovered(msgspec.Struct, frozen=True):
    """A folder opened: the ledger's parts, consistent with each other at `tip`."""

    ledger: bytes
    document: bytes
    genesis: Genesis
    tip: Tip
    directory: Directory
    state: State
    tiles: Tiles
    rows: Rows
    checkpoints: Checkpoints
    segments: Segments
    end: Position
    snapshots: Snapshots

    def reading(self, directory: Directory | None = None) -> Reading:
        """What can be read of it; by another directory than that of apply, if one is given."""
        shown = directory or self.directory
        return Reading(self.segments, self.state, self.tiles, self.checkpoints, shown, self.tip)

    def close(self) -> None:
        """Closes every file."""
        self.state.close()
        self.rows.close()
        self.checkpoints.close()
        self.segments.close()


def recover(files: Files, folder: Folder, progress: Progress = lambda _: None) -> Recovered:
    """Opens the ledger in `folder`, whose lock the caller holds. Raises `HansaError` where it must not go on."""
    with trouble_told(folder.root):
        try:
            return _opened_whole(files, folder, progress)
        except HansaError as error:
            if error.code not in store_state.UNREADABLE:
                raise
            log.warning("state.rebuilt", reason=error.detail)  # it showed only when the journal was read on
        shutil.rmtree(folder.state)
        return _opened_whole(files, folder, progress)


def _opened_whole(files: Files, folder: Folder, progress: Progress) -> Recovered:
    """All parts, or none open."""
    with contextlib.ExitStack() as opened:
        recovered = _recover(files, folder, progress, opened)
        opened.pop_all()
        return recovered


def _recover(files: Files, folder: Folder, progress: Progress, opened: contextlib.ExitStack) -> Recovered:
    """See `recover`; `opened` closes what was opened if it fails."""
    folder.check_format(files)
    files.sync_folder(folder.root)
    ledger = journal.read_ledger(files, folder.journal)
    segments = Segments(files, folder.journal, ledger)
    opened.callback(segments.close)
    document = _genesis_document(files, folder, ledger, segments)
    decoded = genesis.decode(document)
    checkpoints = Checkpoints(files, folder.checkpoints, ledger)
    opened.callback(checkpoints.close)
    rows = Rows(files, folder.tiles)
    opened.callback(rows.close)
    directory, state, applied, seen = _open_derived(files, folder, decoded, segments, rows)
    opened.callback(state.close)
    last = checkpoints.last()
    seen = max(seen, last.size if last else 0)
    if applied is None:
        tip, start, synced = Tip(ledger, 0, 0, decoded.time, block.GENESIS_PREVIOUS), journal.START, 0
    else:
        tip = Tip(ledger, applied.position.height, applied.size, applied.time, applied.header)
        start, synced = applied.position, applied.checkpoints
    journal.settle(files, folder.journal, start.segment, segments.count - 1)
    snapshots = Snapshots(files, folder, decoded)
    if applied is not None:
        snapshots.open(state, segments, tip)
    replay = _Replay(directory, state, Tiles(tip.size, rows.read), rows, tip, snapshots)
    scan = Scan(segments, start)
    for _, blocks in scan:
        for data, location in blocks:
            replay.take(data, location)
        replay.keep_up(synced, scan.position)
        progress(replay.tip.size)
    snapshots.check()
    if seen > replay.tip.size:
        raise HansaError(
            "journal.lost_tail",
            f"the journal ends at entry {replay.tip.size}, but {seen} entries were durable once",
            entries=replay.tip.size,
            seen=seen,
        )
    if scan.broken is not None:
        kept = journal.cut(files, folder.journal, scan.broken, folder.cut)
        log.warning(
            "journal.cut", reason=scan.broken.reason, bytes=scan.broken.end - scan.broken.offset, kept=str(kept)
        )
    _check_last_checkpoint(last, replay.tiles, directory)
    checkpoints.trim(synced)
    checkpoints.sync()
    replay.flush_if_there_is_room(checkpoints.count, scan.position)
    return Recovered(
        ledger,
        document,
        decoded,
        replay.tip,
        directory,
        state,
        replay.tiles,
        rows,
        checkpoints,
        segments,
        scan.position,
        snapshots,
    )


def close_in_order(files: Files, folder: Folder, recovered: Recovered) -> None:
    """Closes what is whole, and seals the state: the next start knows by it whether the state is still the same.

    Without a seal (a crash, a full disk) the state is believed as far as its rows' checksums go.
    """
    try:
        recovered.state.settle()
    finally:
        close(folder, recovered)
    replace(files, folder.seal, store_state.seal(files, folder.state))


def close(folder: Folder, recovered: Recovered) -> None:
    """Closes every file. A state that was found damaged goes: the next start makes it again."""
    recovered.close()
    if recovered.state.is_damaged:
        shutil.rmtree(folder.state, ignore_errors=True)


@contextlib.contextmanager
def open_stopped(root: Path) -> Generator[Recovered, None, None]:
    """The parts of a ledger whose node does not run: for reading, with no private key."""
    files, folder = Disk(), Folder(root)
    folder.check_format(files)
    lock = Lock(folder.lock)
    try:
        recovered = recover(files, folder)
        try:
            yield recovered
        finally:
            with contextlib.suppress(OSError):  # a full disk: then without a seal
                close_in_order(files, folder, recovered)
    finally:
        lock.release()


class _Replay:
    """Takes blocks from the journal into the derived parts, each checked against its header."""

    def __init__(
        self, directory: Directory, state: State, tiles: Tiles, rows: Rows, tip: Tip, snapshots: Snapshots
    ) -> None:
        self._directory = directory
        self._state = state
        self._rows = rows
        self._snapshots = snapshots
        self.tiles = tiles
        self.tip = tip

    def take(self, data: bytes, location: Location) -> None:
        decoded = block.decode(data)
        check_follows(decoded, self.tip)
        if self._snapshots.to_flush is not None:
            raise HansaError("journal.corrupt", f"block {self.tip.height - 1} must end its unit: its state is digested")
        entered: list[Entered] = []
        for seq, item in enumerate(decoded.items, self.tip.size):
            self.tiles.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
            written = checked_writes(item, seq)
            self._directory.apply(seq, written)
            not_after = transaction.not_after_of(item.envelope) if item.kind in entry.SIGNED else 0
            entered.append(Entered(seq, item.id, not_after, written))
        if self.tiles.root() != decoded.header.root:
            raise HansaError("block.root", f"block {decoded.header.height}: its entries do not give its root")
        place = BlockPlace(decoded.header.seq, decoded.header.height, location)
        self._state.apply(place, entered)
        self.tip = tip_after(decoded.header)
        self._snapshots.passed(decoded)

    def keep_up(self, checkpoints: int, position: Position) -> None:
        """Flushes where it has to be, or where much has gathered, unless a digest of the state is still to come.

        If its entry is further on in the journal, it comes without work.
        """
        if self._snapshots.to_flush is not None:
            if self._snapshots.to_digest is not None:
                self._snapshots.keep(self._state)
            self.flush(checkpoints, position)
        elif self._state.pending() >= _REPLAY_FLUSH_ENTRIES and self._snapshots.to_digest is None:
            self.flush(checkpoints, position)

    def flush(self, checkpoints: int, position: Position) -> None:
        """Brings rows and state up to here; so many checkpoints are known to be sound and durable."""
        flush(self._state, self.tiles, self._rows, checkpoints, self.tip, position)
        self._snapshots.flushed(self.tip.height - 1)

    def flush_if_there_is_room(self, checkpoints: int, position: Position) -> None:
        """The same at the end: on a full disk the overlay keeps what is left, and all of it can be read."""
        try:
            if self._state.pending() and self._snapshots.to_digest is None:
                self.flush(checkpoints, position)
        except HansaError as error:
            if error.code != "disk.full":
                raise
            log.warning("recovery.unflushed", detail=error.detail)


def check_follows(decoded: Block, tip: Tip) -> None:
    """Raises `HansaError` `block.chain` unless the block goes on from `tip`."""
    header = decoded.header
    for name, found, expected in (
        ("ledger", header.ledger.hex(), tip.ledger.hex()),
        ("height", header.height, tip.height),
        ("first entry", header.seq, tip.size),
        ("previous header", header.previous.hex(), tip.previous.hex()),
    ):
        if found != expected:
            raise HansaError("block.chain", f"block {tip.height}: its {name} is {found}, not {expected}")
    if header.time < tip.time or not decoded.items:
        raise HansaError("block.chain", f"block {tip.height}: it is empty or ledger time goes back")


def checked_writes(item: block.Item, seq: int) -> list[Write]:
    """The write set of an item, checked against the digest in its outcome."""
    if entry.decode_outcome(item.outcome).writes != writes.digest(item.writes):
        raise HansaError("block.writes", f"entry {seq}: its write set is not what its outcome commits to")
    return writes.decode(item.writes)


def _genesis_document(files: Files, folder: Folder, ledger: bytes, segments: Segments) -> bytes:
    """The genesis document, which is also the first entry's envelope; a lost copy is written again."""
    if folder.genesis.exists():
        document = read_whole(files, folder.genesis)
        if genesis.ledger_id(document) == ledger:
            return document
    for _, blocks in Scan(segments):
        document = block.decode(blocks[0][0]).items[0].envelope
        if genesis.ledger_id(document) == ledger:
            log.warning("genesis.restored", path=str(folder.genesis))
            replace(files, folder.genesis, document)
            return document
        break
    raise HansaError("genesis.lost", f"neither {folder.genesis} nor the journal has it")


def _open_derived(
    files: Files, folder: Folder, decoded: Genesis, segments: Segments, rows: Rows
) -> tuple[Directory, State, Applied | None, int]:
    """The state as far as it can be gone on from, else a new one; and how many entries state and rows have seen.

    Rows that are not gone on from stay until they are written over, since they may have seen more than the journal has.
    """
    seen = rows.leaves()
    directory = Directory(governance_genesis.members_program(decoded))
    state: State | None = None
    try:
        _break_seal(files, folder)
        state = State(folder.state, directory.indexes_of)
        applied = state.applied()
        if applied is not None:
            seen = max(seen, applied.size)
            _check_fits(applied, state, segments, rows)
            load_directory(directory, state)
            return directory, state, applied, seen
        if next(state.rows("blocks"), None) is not None:
            raise HansaError("state.unreadable", "the state does not say how far it has got")
    except BaseException as error:
        if state is not None:
            state.close()
        damaged = error.code in _REBUILDS if isinstance(error, HansaError) else isinstance(error, LookupError)
        if not damaged:
            raise
        log.warning("state.rebuilt", reason=str(error))
        directory, state = _fresh_state(folder, decoded)
    return directory, state, None, seen


def _break_seal(files: Files, folder: Folder) -> None:
    """Raises `HansaError` `state.unreadable` if the state is not what was sealed. From here on it changes."""
    if not folder.seal.exists():
        return
    unchanged = read_whole(files, folder.seal) == store_state.seal(files, folder.state)
    files.unlink(folder.seal)
    files.sync_folder(folder.root)
    if not unchanged:
        raise HansaError("state.unreadable", "the state is not what it was when it was closed")


def _fresh_state(folder: Folder, decoded: Genesis) -> tuple[Directory, State]:
    if folder.state.is_dir():  # `State` refuses whatever else stands there
        shutil.rmtree(folder.state)
    directory = Directory(governance_genesis.members_program(decoded))
    return directory, State(folder.state, directory.indexes_of)


def load_directory(directory: Directory, state: State) -> None:
    """Fills a directory from the members records of a state, in the order in which they were written."""
    for seq, record, value in members_records(state, RECORDS):
        directory.apply_record(record, value, seq)
    scheduled = state.select(governance_genesis.CONTRACT, schedules.RECORD, None, None, None, 1)
    directory.has_schedules = bool(scheduled)


def members_records(state: State | Overlay, types: Iterable[str]) -> list[tuple[int, str, bytes]]:
    """Members records of these types in the order in which they were written: by whom last, type and value."""
    found: list[tuple[int, str, bytes]] = []
    for record in types:
        after = None
        while page := state.select(governance_genesis.CONTRACT, record, None, None, None, 1_000, after):
            found += [(stored.seq, record, stored.value) for _, stored in page]
            after = (b"", page[-1][0])
    return sorted(found, key=lambda row: row[0])


def _check_fits(applied: Applied, state: State, segments: Segments, rows: Rows) -> None:
    """Checks that state, rows and journal are of one ledger and height. Raises `HansaError`: those of `_REBUILDS`.

    `journal.lost_tail` unless the journal has the last block that the state has seen: reading goes on behind that
    block, so without this an older copy of the journal would pass for a whole one.
    """
    if applied.ledger != segments.ledger:
        raise HansaError("state.unreadable", "the state belongs to another ledger")
    place = state.block_of(applied.size - 1)
    if place is None:
        raise HansaError("state.corrupt", "the state does not know where its last block lies")
    try:
        if place.location.segment >= segments.count:
            raise HansaError("journal.missing")
        header = block.decode(segments.read(place.location)).header
        if block.header_digest(header) != applied.header:
            raise HansaError("block.chain")
    except HansaError:
        raise HansaError(
            "journal.lost_tail",
            f"the journal does not hold entry {applied.size - 1}, which the state has seen",
            seen=applied.size,
        ) from None
    if not rows.is_sound(applied.size, applied.rows) or Tiles(applied.size, rows.read).root() != applied.root:
        raise HansaError("tiles.differ", "the tree's rows are not what was written")


def _check_last_checkpoint(last: Checkpoint | None, tiles: Tiles, directory: Directory) -> None:
    """Raises `HansaError` `journal.diverged` if the newest checkpoint was not signed over this very history."""
    if last is None:
        return
    span = directory.checkpoint_spans.get(last.kid)
    root = tree.root_of(0, last.size, tiles.node)
    if span is None or last.root != root or not merkle_checkpoint.verify(last, span.key):
        raise HansaError("journal.diverged", f"the stored checkpoint of size {last.size} does not fit the journal")
