"""The digest of the state behind a block: its rows cut into chunks, written down as a snapshot, and the manifest.

Run by a process beside the node, on a state that nobody moves on meanwhile, by recovery and by the audit. The same on
every node: which rows there are, and their bytes, follow from the blocks alone.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hansa.store import state as store_state
from hansa.store.files import Disk
from hansa.store.snapshots import Snapshots
from hansa.store.state import Applied, State
from hansa.wire import snapshot
from hansa.wire.problems import HansaError
from hansa.wire.snapshot import Chunk, Manifest

_NICE: Final = 10
"""The process beside the node leaves the processor to those who wait for answers."""


class Digesting:
    """Goes through a state once: `chunks` gives what a snapshot is made of, `manifest` then what it is."""

    def __init__(self, state: State, height: int) -> None:
        """Raises `HansaError` `state.unreadable` unless the state is the one behind block `height`."""
        applied = state.applied()
        if applied is None or applied.position.height != height + 1:
            told = "nothing" if applied is None else f"block {applied.position.height - 1}"
            raise HansaError("state.unreadable", f"it stands behind {told}, not behind block {height} as it must")
        self._state = state
        self._applied: Applied = applied
        self._height = height
        self._keys = 0
        self._chunks: list[Chunk] = []

    def chunks(self) -> Iterator[bytes]:
        """The chunks in their order. Raises `HansaError` `state.corrupt` for a row that is not what was written."""
        for section in snapshot.SECTIONS:
            for data, keys in snapshot.chunks(section, self._state.decisive(section)):
                self._keys += keys
                self._chunks.append(Chunk(hashlib.sha256(data).digest(), len(data)))
                yield data

    def manifest(self) -> bytes:
        """The manifest, once all chunks were given."""
        applied = self._applied
        return snapshot.encode_manifest(
            Manifest(
                version=snapshot.VERSION,
                ledger=applied.ledger,
                height=self._height,
                header=applied.header,
                size=applied.size,
                time=applied.time,
                keys=self._keys,
                chunks=self._chunks,
            )
        )


def manifest_of(state: State, height: int) -> bytes:
    """The manifest of a state that stands behind block `height`; nothing is kept."""
    digesting = Digesting(state, height)
    for _ in digesting.chunks():
        pass
    return digesting.manifest()


def keep(state: State, kept: Snapshots, height: int) -> bytes:
    """Writes the snapshot of a state that stands behind block `height`, durably; its manifest.

    Raises `HansaError`: `state.unreadable`, `state.corrupt`, `disk.full`.
    """
    digesting = Digesting(state, height)
    making = kept.make(height, anew=True)
    for number, data in enumerate(digesting.chunks()):
        making.put(number, data)
    manifest = digesting.manifest()
    making.finish(manifest)
    kept.prune()
    return manifest


def take(state: Path, kept: Path, height: int) -> None:
    """The same of the state in a folder, which no process moves on meanwhile. Raises as `keep`."""
    opened = State(state, _no_indexes, readonly=True)
    try:
        keep(opened, Snapshots(Disk(), kept), height)
    finally:
        opened.close()


def is_damage(code: str) -> bool:
    """Whether the state has to be made again."""
    return code in store_state.UNREADABLE


def _no_indexes(contract: str, record: str) -> tuple[str, ...]:
    return ()


if __name__ == "__main__":
    import signal
    import sys

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node ends it itself
    os.nice(_NICE)
    try:
        take(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
    except HansaError as error:
        sys.stdout.write(f"{error.code} {error.detail}")
