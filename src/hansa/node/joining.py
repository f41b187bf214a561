"""Joining: makes the folder of a node from what other nodes hand out, all of whom may lie.

What is believed begins with the ledger's id, which whoever joins has pinned. By it the genesis document is known, by
that and the chain of key changes the keys of members' nodes, and by signatures of `k` members over one head the root of
the tree. Every block has to lead there: its entries to the tree, by a proof that goes with each part of the journal
before it is written; its write sets to their outcomes. So the entries of kind snapshot in it are believed, and with
them the manifest and chunks that have their digest, whoever hands them out. The state is loaded from these, the journal
behind them is replayed on it by recovery, and must come to the very head.

What was copied stays where it is when this is interrupted; the next call checks it again and goes on. What the headers
behind the snapshot say of themselves (times, batches' positions) no signature covers: the nodes that are asked must
agree about the last one, and the order's next block shows it.
"""

import contextlib
import hashlib
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

import msgspec
import structlog

from hansa.client import agreement, key_chain
from hansa.client.exchange import Reply, Request, address, refusal
from hansa.client.verification import Pinned
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory
from hansa.merkle import receipt, receipts, tree
from hansa.merkle.checkpoint import Checkpoint
from hansa.merkle.tiles import Tiles
from hansa.merkle.tree import leaf_hash
from hansa.node.apply import BLOCK_ENCODED_BYTES_MAX, Tip, tip_after
from hansa.node.recovery import check_follows, close_in_order, load_directory, recover
from hansa.node.snapshots import is_digested
from hansa.store import journal
from hansa.store.files import Files, replace, trouble_told
from hansa.store.folder import FORMAT as FOLDER_FORMAT
from hansa.store.folder import Folder, Lock
from hansa.store.journal import Position, Scan, Segments, Writer
from hansa.store.rows import Rows
from hansa.store.snapshots import Making, Snapshots
from hansa.store.state import FORMAT as STATE_FORMAT
from hansa.store.state import Applied, BlockPlace, Entered, State
from hansa.wire import block, cbor, entry, genesis, snapshot, writes
from hansa.wire.block import Header, Item
from hansa.wire.genesis import Genesis
from hansa.wire.problems import HansaError
from hansa.wire.snapshot import Chunk, Manifest, Snapshot

if TYPE_CHECKING:
    from hansa.client.transport import Transport

log = structlog.get_logger()

WAIT_S: Final = 30.0
"""How long a node may take to hand a part out."""
TRIES: Final = 20
"""How often a node is asked again that is busy."""
PART_BYTES_MAX: Final = BLOCK_ENCODED_BYTES_MAX + 64 * 1024
"""No answer is larger: a whole block with the hashes behind it."""
PAUSE_S_MAX: Final = 5.0
"""The longest that is waited for a busy node, each time."""
_STATE: Final = "state.new"
_LOADED_ENTRIES: Final = 50_000

ENTRIES: Final = "entries"
CHUNKS: Final = "chunks"

Progress = Callable[[str, int, int], None]
"""Told what is copied (`ENTRIES` or `CHUNKS`), how much of it is there, and how much there will be."""
_T = TypeVar("_T")


class Joined(msgspec.Struct, frozen=True):
    """What a folder holds now: so many entries, with the root that `members` have signed.

    `snapshot` is the height of the block whose state was loaded; None if there was none, and the state was made from
    write sets alone.
    """

    ledger: str
    name: str
    entries: int
    height: int
    root: str
    members: list[str]
    snapshot: int | None


def join(
    files: Files,
    folder: Folder,
    urls: Sequence[str],
    ledger: bytes,
    k: int | None = None,
    progress: Progress = lambda what, done, total: None,
    *,
    at_least: int = 0,
    transport: "Transport | None" = None,
) -> Joined:
    """Makes the ledger with this id in a folder, from the nodes at `urls`; then `open_node` takes it.

    `k`: so many members must have signed the head, f + 1 of those that have nodes without it. `at_least`: the size of a
    checkpoint that whoever joins knows of: nothing older is taken. Keys and settings may lie in the folder already.
    Raises `HansaError`: `folder.taken`, `folder.locked`, `verify.genesis`, `receipt.members`, `snapshot.old`, what is
    wrong with what was handed out, and why a node cannot be asked. Called again it goes on where it was.
    """
    with trouble_told(folder.root), _carried(transport) as carried:
        if folder.exists():
            raise HansaError("folder.taken", f"{folder.root} already holds a ledger")
        files.make_folder(folder.root)
        lock = Lock(folder.lock)
        try:
            return _Joining(files, folder, _Peers(urls, carried), ledger, progress).run(k, at_least)
        finally:
            lock.release()


def _drop_journal(folder: Folder) -> None:
    for path in (folder.journal, folder.tiles):
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _carried(transport: "Transport | None") -> "Generator[Transport]":
    if transport is not None:
        yield transport
        return
    from hansa.client.connections import Certificates, Connections  # noqa: PLC0415 - it takes a while to load

    # Whoever answers: what they hand out is believed for what it proves.
    with contextlib.closing(Connections(Certificates(None, by_keys=True))) as made:
        yield made


class _Peers:
    """The nodes that are asked, in turn: what one does not give, or gives wrong, the next one may give."""

    def __init__(self, urls: Sequence[str], transport: "Transport") -> None:
        if not urls:
            raise HansaError("argument.value", "there is no node to copy from", remedy="Give the URL of one at least.")
        self.urls = list(urls)
        self._transport = transport

    def ask(self, url: str, path: str, query: dict[str, str | int] | None = None) -> bytes:
        """What a node answers. Raises `HansaError`: its refusal, or why there is no answer."""
        from hansa.client.transport import carry  # noqa: PLC0415 - as above

        for _ in range(TRIES):
            asked = Request("GET", url, path, query or {}, wait_s=WAIT_S, bytes_max=PART_BYTES_MAX)
            heard = carry(self._transport, asked)
            if not isinstance(heard, Reply):
                raise heard
            if heard.status == 200:
                return heard.body
            refused = refusal(heard)
            later = refused.fields.get("retry_after")
            if not isinstance(later, int):
                raise refused
            time.sleep(min(later, PAUSE_S_MAX))
        raise HansaError("node.silent", f"{address(url)} is busy")

    def first(self, of: Callable[[str], _T]) -> _T:
        """What the first node gives that gives something good. Raises `HansaError`: of the last, naming each."""
        told: list[str] = []
        code = ""
        for url in self.urls:
            try:
                return of(url)
            except HansaError as error:
                code = error.code
                told.append(f"{address(url)}: {error.detail}")
                log.warning("joining.passed_over", node=address(url), code=error.code, detail=error.detail)
        raise HansaError(code, "; ".join(told))


class _Joining:
    """One ledger on its way into a folder."""

    def __init__(self, files: Files, folder: Folder, peers: _Peers, ledger: bytes, progress: Progress) -> None:
        self._files = files
        self._folder = folder
        self._peers = peers
        self._ledger = ledger
        self._progress = progress

    def run(self, k: int | None, at_least: int) -> Joined:
        """See `join`."""
        document = self._peers.first(self._document)
        decoded = genesis.decode(document)
        head, members = self._peers.first(lambda url: self._head(url, k, at_least))
        copied = self._copy_journal(document, decoded, head)
        self._check_last_header(copied, head)
        loaded = self._load_state(decoded, copied)
        replace(self._files, self._folder.genesis, document)
        replace(self._files, self._folder.format, FOLDER_FORMAT)
        try:
            self._check_replay(head)
        except BaseException:  # until the state has come to the head, there is no ledger here
            self._files.unlink(self._folder.format)
            raise
        height = None if loaded is None else loaded.height
        told = self._ledger.hex(), decoded.name, head.size, copied.last.height, head.root.hex()
        return Joined(*told, members, height)

    # What is believed

    def _document(self, url: str) -> bytes:
        """The genesis document. Raises `HansaError` `verify.genesis` for that of another ledger."""
        data = self._peers.ask(url, "/node/genesis")
        if genesis.ledger_id(data) != self._ledger:
            raise HansaError("verify.genesis", f"the document is that of ledger {genesis.ledger_id(data).hex()}")
        return data

    def _head(self, url: str, k: int | None, at_least: int) -> tuple[Checkpoint, list[str]]:
        """A head that `k` members have signed, and who did: as this node and those behind it show it."""
        pinned = key_chain.pin_trust(self._peers.ask(url, "/node/trust"), self._ledger)
        assert pinned.head is not None
        size = pinned.head.size
        if size < at_least:
            raise HansaError("snapshot.old", f"it shows {size} entries, and {at_least} were seen before")
        wanted = agreement.default_k(agreement.able(pinned)) if k is None else k
        leaf = self._peers.ask(url, f"/app/entries/{size - 1}/entry")
        return self._signed(url, size - 1, leaf, pinned, wanted)

    def _signed(self, url: str, seq: int, leaf: bytes, pinned: Pinned, k: int) -> tuple[Checkpoint, list[str]]:
        """The head with this entry that most members have signed, by what the nodes show, one after the other."""
        found: list[bytes] = []
        problem: HansaError | None = None
        for other in (url, *(one for one in self._peers.urls if one != url)):
            try:
                query: dict[str, str | int] = {"k": k, "at_least": seq}
                found += receipts.decode(self._peers.ask(other, f"/app/receipts/{seq}", query))
                agreed = agreement.verify(found, leaf, pinned, k)
                return receipt.head_of(agreed.receipt, leaf), agreed.members
            except HansaError as error:
                problem = error
                if error.code == "receipt.split":
                    break
        assert problem is not None
        raise problem

    # The journal

    def _copy_journal(self, document: bytes, decoded: Genesis, head: Checkpoint) -> "_Copied":
        """All blocks up to the head, each believed before it is written. What is there already is checked again."""

        def of(url: str) -> _Copied:
            with _Copy(self._files, self._folder, document, decoded) as copy:
                if copy.tip.size > head.size:  # it was copied up to a newer head, which nobody shows now
                    raise HansaError("snapshot.old", f"{copy.tip.size} entries were copied already")
                while copy.tip.size < head.size:
                    self._progress(ENTRIES, copy.tip.size, head.size)
                    query: dict[str, str | int] = {"from": copy.tip.size, "until": head.size}
                    copy.take(self._peers.ask(url, "/node/blocks", query), head)
                self._progress(ENTRIES, copy.tip.size, head.size)
                return copy.copied(head)

        def tried(url: str) -> _Copied:
            try:
                return of(url)
            except HansaError as error:
                if error.code != "block.chain":
                    raise
            # What another node handed out before may have been under forged headers: this one's, from the first on.
            _drop_journal(self._folder)
            return of(url)

        return self._peers.first(tried)

    def _check_last_header(self, copied: "_Copied", head: Checkpoint) -> None:
        """Raises `HansaError` `block.chain`, and drops the copy, unless more nodes have its last block than another.

        One node alone must not keep others from joining by what it says of itself.
        """
        last, alike, others = copied.last, 0, list[str]()
        for url in self._peers.urls:
            try:
                found = _split(self._peers.ask(url, "/node/blocks", {"from": last.seq, "until": head.size}))[1]
                (header,) = (block.decode(one).header for one in found[:1])
            except HansaError as error:  # it may not be there, or not so far
                log.info("joining.not_compared", node=address(url), code=error.code)
                continue
            except ValueError:  # it shows none
                log.info("joining.not_compared", node=address(url), code="block.form")
                continue
            if header == last:
                alike += 1
            else:
                others.append(address(url))
        if others and len(others) >= alike:
            _drop_journal(self._folder)
            told = f"{', '.join(others)} have another block {last.height} than was copied"
            raise HansaError("block.chain", told, remedy="Ask their members; give the URLs of nodes that agree.")

    # The state

    def _load_state(self, decoded: Genesis, copied: "_Copied") -> Manifest | None:
        """Loads the newest snapshot that somebody has; None if nobody has one, which only takes longer."""
        for path in (self._folder.state, self._folder.root / _STATE):
            if path.exists():
                shutil.rmtree(path)
        self._files.unlink(self._folder.seal)
        kept = Snapshots(self._files, self._folder.snapshots)
        for said in reversed(copied.snapshots):
            end = copied.ends.get(said.height)
            if end is None:
                raise HansaError("block.form", f"an entry names a snapshot of block {said.height}, which has none")
            try:
                data, url = self._peers.first(lambda url, said=said: self._manifest(url, said))
                manifest = snapshot.decode_manifest(data)
                _check_manifest(manifest, said, end.header)
                making = kept.make(said.height, anew=False)
                state = self._load(decoded, copied, manifest, making, url)
            except HansaError as error:  # nobody has it whole; an older one, or write sets alone, do as well
                if not error.code.startswith(("snapshot.", "node.")):
                    raise
                log.warning("joining.no_snapshot", height=said.height, code=error.code, detail=error.detail)
                shutil.rmtree(self._folder.root / _STATE, ignore_errors=True)
                continue
            making.finish(data)
            self._files.rename(state, self._folder.state)
            self._files.sync_folder(self._folder.root)
            return manifest
        return None

    def _manifest(self, url: str, said: Snapshot) -> tuple[bytes, str]:
        """The manifest that an entry commits to, and who has it. Raises `HansaError` `snapshot.chunk` for another."""
        data = self._peers.ask(url, f"/node/snapshots/{said.height}")
        if hashlib.sha256(data).digest() != said.digest:
            raise HansaError("snapshot.chunk", f"its manifest of block {said.height} has not the digest in the ledger")
        return data, url

    def _load(self, decoded: Genesis, copied: "_Copied", manifest: Manifest, making: Making, url: str) -> Path:
        """A state with the rows of a snapshot, and what of the blocks up to it is looked up; where it lies."""

        def chunk_of(number: int) -> bytes:
            self._progress(CHUNKS, number, len(manifest.chunks))
            return self._chunk(making, manifest.height, number, manifest.chunks[number], url)

        path = self._folder.root / _STATE
        directory = Directory(governance_genesis.members_program(decoded))
        state = State(path, directory.indexes_of, durable=False)
        try:
            load(state, directory, manifest, chunk_of)
            self._progress(CHUNKS, len(manifest.chunks), len(manifest.chunks))
            self._enter_blocks(state, copied, manifest)
            state.settle()
        finally:
            state.close()
        return path

    def _chunk(self, making: Making, height: int, number: int, chunk: Chunk, url: str) -> bytes:
        """A chunk: the one that was copied before, or as a node hands it out; it is written when it is the right one.

        Raises `HansaError` `snapshot.chunk` if nobody has it.
        """
        there = making.chunk(number)
        if there is not None and _is_chunk(there, chunk):
            return there

        def of(url: str) -> bytes:
            data = self._peers.ask(url, f"/node/snapshots/{height}/chunks/{number}")
            if not _is_chunk(data, chunk):
                raise HansaError("snapshot.chunk", f"chunk {number} of block {height} is not what the manifest says")
            return data

        try:
            data = of(url)
        except HansaError:
            data = self._peers.first(of)
        making.put(number, data)
        return data

    def _enter_blocks(self, state: State, copied: "_Copied", manifest: Manifest) -> None:
        """Enters where blocks lie and which ids they have, up to the snapshot's: the journal alone says that."""
        rows = Rows(self._files, self._folder.tiles, writable=False)
        try:
            checksums = rows.checksums_of(manifest.size)
        finally:
            rows.close()
        applied = Applied(
            format=STATE_FORMAT,
            ledger=self._ledger,
            size=manifest.size,
            time=manifest.time,
            header=manifest.header,
            root=copied.ends[manifest.height].header.root,
            position=copied.ends[manifest.height].position,
            checkpoints=0,
            rows=checksums,
        )
        segments = Segments(self._files, self._folder.journal, self._ledger)
        try:
            scan = Scan(segments)
            for _, unit in scan:
                for data, location in unit:
                    found = block.decode(data)
                    header = found.header
                    entered = [Entered(seq, item.id, 0, []) for seq, item in enumerate(found.items, header.seq)]
                    state.apply(BlockPlace(header.seq, header.height, location), entered)
                if scan.position.height > manifest.height:
                    break
                if state.pending() >= _LOADED_ENTRIES:
                    state.flush(applied)
            state.flush(applied)
        finally:
            segments.close()

    def _check_replay(self, head: Checkpoint) -> None:
        """Opens the folder as a node does, which replays what is behind the snapshot. Raises `HansaError`."""
        parts = recover(self._files, self._folder)
        try:
            if (parts.tip.size, parts.tiles.root()) != (head.size, head.root):
                raise HansaError("block.root", f"the state comes to {parts.tip.size} entries, not to the head")
        finally:
            close_in_order(self._files, self._folder, parts)


def load(state: State, directory: Directory, manifest: Manifest, chunk_of: Callable[[int], bytes]) -> None:
    """Fills an empty state and a new directory from a snapshot, of which `chunk_of` gives the chunks by number.

    What follows from the records is made from them; where blocks lie and which ids they have is still to come, and a
    flush. Raises `HansaError`: `snapshot.chunk`, `snapshot.form`, `disk.full`.
    """
    after, keys = snapshot.BEGIN, 0
    for number, chunk in enumerate(manifest.chunks):
        section, rows = snapshot.decode_chunk(chunk_of(number), chunk, after)
        after, keys = (section, rows[-1].key), keys + len(rows)
        state.load(section, rows)
    if keys != manifest.keys:
        raise HansaError("snapshot.form", f"{keys} rows where the manifest names {manifest.keys}")
    load_directory(directory, state)
    state.index()


class _End(msgspec.Struct, frozen=True):
    """A block whose state is digested, and where the journal goes on behind it."""

    header: Header
    position: Position


class _Copied(msgspec.Struct, frozen=True):
    """A journal that is there whole: its last header, the blocks whose states are digested, and the digests of some."""

    last: Header
    ends: dict[int, _End]
    snapshots: list[Snapshot]


class _Copy:
    """The journal and the tree's rows while they are copied; a context manager."""

    def __init__(self, files: Files, folder: Folder, document: bytes, decoded: Genesis) -> None:
        self._files = files
        self._folder = folder
        self._document = document
        self._ledger = genesis.ledger_id(document)
        self._decoded = decoded
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            try:
                self._open(opened)
            except HansaError as error:  # what an interrupted call left is not whole: it begins anew
                log.warning("joining.anew", code=error.code, detail=error.detail)
                opened.close()
                _drop_journal(self._folder)
                self._open(opened)
            self._closing = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def take(self, body: bytes, head: Checkpoint) -> None:
        """Writes the blocks that a node hands out, once all of them lead to the head.

        Raises `HansaError` if they do not; then nothing is written, and this cannot be gone on with.
        """
        path, found = _split(body)
        blocks = [self._check(data) for data in found]
        if not blocks or self.tip.size > head.size:
            raise HansaError("block.chain", f"{len(blocks)} blocks from entry {self.tip.size} on, of {head.size}")
        if not tree.is_consistent(self.tip.size, head.size, self._tiles.root(), head.root, path):
            raise HansaError("block.root", f"up to entry {self.tip.size} it is not the ledger whose head was signed")
        unit: list[bytes] = []
        for data, header in zip(found, blocks, strict=True):
            unit.append(data)
            if is_digested(header, self._decoded.snapshot_entries):  # where a state is digested, a unit ends
                self._writer.append(unit)
                self._ends[header.height] = _End(header, self._writer.end)
                unit = []
        if unit:
            self._writer.append(unit)
        self._store_rows()

    def copied(self, head: Checkpoint) -> _Copied:
        """All of it. Raises `HansaError` `block.root` if it is not what the head was signed for."""
        if (self.tip.size, self._tiles.root()) != (head.size, head.root) or self._last is None:
            raise HansaError("block.root", f"{self.tip.size} entries do not give the root that members have signed")
        return _Copied(self._last, self._ends, self._snapshots)

    def _open(self, opened: contextlib.ExitStack) -> None:
        """Takes in what is there already, checked as what comes is."""
        files, folder = self._files, self._folder
        self.tip = Tip(self._ledger, 0, 0, self._decoded.time, block.GENESIS_PREVIOUS)
        self._last: Header | None = None
        self._ends: dict[int, _End] = {}
        self._snapshots: list[Snapshot] = []
        if not files.names(folder.journal):
            journal.create(files, folder.journal, self._ledger)
        segments = Segments(files, folder.journal, self._ledger)
        opened.callback(segments.close)
        self._rows = Rows(files, folder.tiles)
        opened.callback(self._rows.close)
        self._tiles = Tiles(0, self._rows.read)
        scan = Scan(segments)
        for _, unit in scan:
            header = [self._check(data) for data, _ in unit][-1]
            self._store_rows()
            if is_digested(header, self._decoded.snapshot_entries):
                self._ends[header.height] = _End(header, scan.position)
        if scan.broken is not None:
            journal.cut(files, folder.journal, scan.broken, folder.cut)
        self._writer = Writer(files, folder.journal, self._ledger, scan.position)
        opened.callback(self._writer.close)

    def _check(self, data: bytes) -> Header:
        """The header of the next block, which fits all that was there before; the tree and the tip move on."""
        found = block.decode(data)
        header = found.header
        check_follows(found, self.tip)
        for seq, item in enumerate(found.items, header.seq):
            if entry.decode_outcome(item.outcome).writes != writes.digest(item.writes):
                raise HansaError("block.writes", f"entry {seq}: its write set is not what its outcome commits to")
            self._tiles.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
            if item.kind == entry.SNAPSHOT:
                self._snapshots.append(self._said(item, header))
        if header.root != self._tiles.root() or (not header.height and found.items[0].envelope != self._document):
            raise HansaError("block.root", f"block {header.height}: its entries do not give its root")
        self._last, self.tip = header, tip_after(header)
        return header

    def _said(self, item: Item, header: Header) -> Snapshot:
        """What the entry of a snapshot says. Raises `HansaError` `block.form` for one that does not belong there."""
        said = snapshot.read(item.envelope)
        if said.ledger != self._ledger or said.height + self._decoded.snapshot_blocks != header.height:
            raise HansaError("block.form", f"block {header.height} has the entry of a snapshot of block {said.height}")
        return said

    def _store_rows(self) -> None:
        self._rows.write(self._tiles.unstored())
        self._tiles.mark_stored()


def _split(body: bytes) -> tuple[list[bytes], list[bytes]]:
    """The path and the blocks in what `/node/blocks` answers. Raises `HansaError`."""
    end = cbor.item_end(body, 0)
    try:
        path = msgspec.convert(cbor.decode(body[:end]), list[entry.Digest], builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("block.form", f"no path of hashes: {error}") from None
    found: list[bytes] = []
    while end < len(body):
        data, end = cbor.read_byte_string(body, end)
        found.append(data)
    return path, found


def _check_manifest(manifest: Manifest, said: Snapshot, header: Header) -> None:
    """Raises `HansaError` `snapshot.form` for a manifest of another block than the entry is about.

    No honest node commits to such a one, though its digest be right.
    """
    found = manifest.ledger, manifest.height, manifest.header, manifest.size, manifest.time, manifest.keys
    size = header.seq + header.count
    if found != (header.ledger, header.height, block.header_digest(header), size, header.time, said.keys):
        raise HansaError("snapshot.form", f"the manifest is not of the state behind block {header.height}")


def _is_chunk(data: bytes, chunk: Chunk) -> bool:
    return len(data) == chunk.length and hashlib.sha256(data).digest() == chunk.digest
