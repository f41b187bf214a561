"""Which blocks' states are digested, and what came of it: what a node must know to make the entries in their blocks.

The state is digested behind each block that has a `snapshot_entries`th entry, and the digest is the last entry of the
block that comes `snapshot_blocks` after it. LMDB holds one state, so: it is flushed just behind such a block, before
the next is made, and not moved on until the digest is on the disk, or its entry in the journal. A crash at any point
then leaves either the digest or the state that it is taken of. Owned by whoever owns the state: recovery, then the
node.
"""

from typing import Final

import structlog

from hansa.node import state_digest
from hansa.node.apply import Tip
from hansa.store.files import Files
from hansa.store.folder import Folder
from hansa.store.journal import Segments
from hansa.store.snapshots import Snapshots as Kept
from hansa.store.state import State
from hansa.wire import block, entry, snapshot
from hansa.wire.block import Block, Header
from hansa.wire.genesis import Genesis
from hansa.wire.problems import HansaError

log = structlog.get_logger()

NOTHING: Final = -1
"""The height of a state that stands behind no block."""


def is_digested(header: Header, every: int) -> bool:
    """Whether the state behind the block of a header is digested: it has the last of so many entries, or is beyond."""
    return header.seq // every != (header.seq + header.count) // every


class Snapshots:
    """What is to come, by the heights of blocks."""

    def __init__(self, files: Files, folder: Folder, genesis: Genesis) -> None:
        self.kept = Kept(files, folder.snapshots)
        self._every = genesis.snapshot_entries
        self._after = genesis.snapshot_blocks
        self._pending: dict[int, bytes | None] = {}
        """By the height of the block digested: the envelope of the entry, None while it is not known."""
        self._flushed = NOTHING

    def open(self, state: State, segments: Segments, tip: Tip) -> None:
        """Finds what is pending behind a state that stands at `tip`: where its blocks lie it says itself.

        Raises `HansaError`: those of reading the journal.
        """
        self._flushed = tip.height - 1
        bound = tip.size // self._every * self._every
        while bound > 0:
            place = state.block_of(bound - 1)
            if place is None or place.height + self._after < tip.height:
                return
            if place.height not in self._pending:
                header = block.decode(segments.read(place.location)).header
                self._pending = {place.height: self._known(header), **self._pending}
            bound -= self._every

    def passed(self, made: Block) -> bool:
        """Takes note of a block that has become durable; whether its state is to be digested.

        Raises `HansaError` `block.form` for one that has not just the entry of a snapshot that it must have.
        """
        header = made.header
        due = header.height - self._after
        items = [item for item in made.items if item.kind == entry.SNAPSHOT]
        if len(items) != (due in self._pending) or (items and made.items[-1] != items[0]):
            raise HansaError("block.form", f"block {header.height}: it has not the entry of the snapshot that it must")
        if items:
            said = snapshot.read(items[0].envelope)
            if said.height != due or self._pending[due] not in (None, items[0].envelope):
                raise HansaError("block.form", f"block {header.height}: its snapshot is not that of the state here")
            del self._pending[due]
        if is_digested(header, self._every):
            self._pending[header.height] = self._known(header)
            return True
        return False

    def flushed(self, height: int) -> None:
        """The state in LMDB stands behind that block now."""
        self._flushed = height

    def knows(self, height: int, manifest: bytes) -> None:
        """A snapshot is on the disk."""
        if height in self._pending:
            self._pending[height] = snapshot.envelope_of(manifest)

    @property
    def to_digest(self) -> int | None:
        """The block behind which LMDB stands and must stay until its state is digested; None if there is none."""
        return self._flushed if self._is_unknown(self._flushed) else None

    @property
    def to_flush(self) -> int | None:
        """The block just behind which the state must be flushed before another is made; None if there is none."""
        last = next(reversed(self._pending), NOTHING)
        return last if last > self._flushed and self._is_unknown(last) else None

    def may_make(self, height: int) -> bool:
        """Whether the block of this height can be made now: the state before it is safe, and what it ends with."""
        return self.to_flush is None and not self._is_unknown(height - self._after)

    def digested(self, height: int) -> bytes | None:
        """The envelope of the snapshot that the block of this height ends with; None if it ends with none."""
        return self._pending.get(height - self._after)

    def keep(self, state: State) -> None:
        """Digests the state that LMDB holds, here and now. Raises `HansaError`: `state.unreadable`, `disk.full`."""
        height = self.to_digest
        assert height is not None
        self.knows(height, state_digest.keep(state, self.kept, height))

    def check(self) -> None:
        """Raises `HansaError` `state.unreadable` if LMDB stands behind a state that should have been digested."""
        lost = [height for height in self._pending if height < self._flushed and self._is_unknown(height)]
        if lost:
            raise HansaError("state.unreadable", f"the state behind block {lost[0]} is not digested, and gone")

    def _is_unknown(self, height: int) -> bool:
        return height in self._pending and self._pending[height] is None

    def _known(self, header: Header) -> bytes | None:
        """The envelope of the snapshot behind the block of a header, if it is kept and whole: from before a crash."""
        if header.height not in self.kept.heights():
            return None
        try:
            manifest = self.kept.manifest(header.height)
            if snapshot.decode_manifest(manifest).header == block.header_digest(header):
                return snapshot.envelope_of(manifest)
        except (HansaError, OSError) as error:
            log.warning("snapshot.unknown", height=header.height, reason=str(error))
        return None
