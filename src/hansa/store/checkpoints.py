"""The signed checkpoints, one fixed record each, in order of size.

From them a receipt for any entry can be made without a key, also from a stopped ledger. A record is appended
after its block is durable and synced now and then: the last ones may be lost in a crash and are signed again.
A checkpoint larger than the journal proves that the journal lost something.
"""

import struct
from pathlib import Path
from typing import Final

from hansa.merkle.checkpoint import Checkpoint
from hansa.store.checksum import crc32c
from hansa.store.files import File, Files, full_disk_told, replace
from hansa.wire.limits import SIGNATURE_BYTES

_MAGIC: Final = b"HJC\0"
_RECORD: Final = struct.Struct(
    f">4sIQQi32s32s{SIGNATURE_BYTES}s?3x"
)  # magic, crc, size, time, alg, root, kid, signature, told
_CRC_END: Final = 8
RECORD_BYTES: Final = _RECORD.size
FILE_NAME: Final = "checkpoints"


class Checkpoints:
    """The checkpoint file of a ledger: `count` records, of which a crash may have damaged the last ones."""

    def __init__(self, files: Files, path: Path, ledger: bytes, *, writable: bool = True) -> None:
        self._files = files
        self._path = path
        self._ledger = ledger
        present = path.name in files.names(path.parent)
        self._file: File | None = None
        if writable:
            with full_disk_told(path):
                self._file = files.open(path, create=True)
            if not present:
                files.sync_folder(path.parent)
        elif present:
            self._file = files.open_to_read(path)
        self.count = 0 if self._file is None else self._file.size() // RECORD_BYTES

    def last(self) -> Checkpoint | None:
        """The newest sound checkpoint."""
        return next((c for c in map(self.get, range(self.count - 1, -1, -1)) if c is not None), None)

    def get(self, number: int) -> Checkpoint | None:
        """Record `number`; None if it is damaged or not there."""
        if self._file is None or not 0 <= number < self.count:
            return None
        data = self._record(number)
        if len(data) < RECORD_BYTES or not data.startswith(_MAGIC):
            return None
        _, crc, size, time, algorithm, root, kid, signature, told = _RECORD.unpack(data)
        if crc32c(data[_CRC_END:]) != crc:
            return None
        return Checkpoint(self._ledger, size, time, root, algorithm, kid, signature, told)

    def covering(self, seq: int) -> Checkpoint | None:
        """The smallest sound checkpoint that covers the entry at `seq`; None if none does."""
        low, high, found = 0, self.count, None
        while low < high:
            middle = (low + high) // 2
            probe = middle
            while (checkpoint := self.get(probe)) is None and probe + 1 < high:
                probe += 1
            if checkpoint is None or checkpoint.size > seq:
                found = checkpoint or found
                high = middle
            else:
                low = probe + 1
        return found

    def trim(self, synced: int) -> None:
        """Forgets what a crash damaged: the bad records behind the first `synced`, and none else."""
        assert self._file is not None
        first = min(synced, self.count)
        sound = [number for number in range(first, self.count) if self.get(number) is not None]
        if len(sound) == self.count - first:
            return
        if not sound or sound[-1] - first == len(sound) - 1:
            self._file.truncate((first + len(sound)) * RECORD_BYTES)
        else:
            kept = (*range(first), *sound)
            replace(self._files, self._path, b"".join(self._record(number) for number in kept))
            self._file.close()
            self._file = self._files.open(self._path)
        self.count = first + len(sound)

    def append(self, checkpoint: Checkpoint) -> None:
        """Adds a checkpoint larger than the last; durable after `sync`.

        Raises `HansaError` `disk.full` with nothing changed: it may be signed again later.
        """
        assert self._file is not None
        fields = (
            checkpoint.size,
            checkpoint.time,
            checkpoint.algorithm,
            checkpoint.root,
            checkpoint.kid,
            checkpoint.signature,
            checkpoint.told,
        )
        crc = crc32c(_RECORD.pack(_MAGIC, 0, *fields)[_CRC_END:])
        with full_disk_told(self._path):
            self._file.write(self.count * RECORD_BYTES, _RECORD.pack(_MAGIC, crc, *fields))
        self.count += 1

    def sync(self) -> None:
        """Makes the appended checkpoints durable."""
        assert self._file is not None
        self._file.sync()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def _record(self, number: int) -> bytes:
        assert self._file is not None
        return self._file.read(number * RECORD_BYTES, RECORD_BYTES)
