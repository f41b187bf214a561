"""The tree's rows on disk: one append-only file of 32-byte hashes for each tile row.

Derived from the journal and rebuilt from it if lost. Hashes are written only after the block that made them is
durable, so a row longer than the journal proves that the journal lost something. What is written never changes, so a
running checksum over each row tells at the next start whether it is still what was written.
"""

from pathlib import Path
from typing import Final

from hansa.merkle.tiles import ROWS_MAX, TILE_WIDTH, row_length
from hansa.merkle.tree import HASH_BYTES
from hansa.store.checksum import crc32c
from hansa.store.files import File, Files, full_disk_told
from hansa.wire.problems import HansaError

_READ_BYTES: Final = 1024 * 1024


class Rows:
    """The row files of a folder; `read` is a `merkle.tiles.RowReader`."""

    def __init__(self, files: Files, folder: Path, *, writable: bool = True) -> None:
        self._files = files
        self._folder = folder
        self._writable = writable
        self._open: dict[int, File] = {}
        self.checksums: tuple[int, ...] = (0,) * ROWS_MAX
        """Over what `write` put there, from the beginning or behind what `is_sound` found."""

    def read(self, row: int, begin: int, end: int) -> bytes:
        """The hashes [begin, end) of a row, joined. Raises `HansaError` `tiles.short` where there are none."""
        file = self._file(row)
        data = b"" if file is None else file.read(begin * HASH_BYTES, (end - begin) * HASH_BYTES)
        if len(data) != (end - begin) * HASH_BYTES:
            raise HansaError("tiles.short", f"{row_name(row)} has no hash {end - 1}")
        return data

    def write(self, unstored: list[tuple[int, int, bytes]]) -> None:
        """Puts hashes at their positions, in order from the beginning, and returns when they are durable.

        Raises `HansaError` `disk.full` with nothing lost: the same call may be made again later.
        """
        checksums = list(self.checksums)
        with full_disk_told(self._folder):
            for row, position, joined in unstored:
                file = self._file(row, create=True)
                assert file is not None
                file.write(position * HASH_BYTES, joined)
                file.sync()
                checksums[row] = crc32c(joined, checksums[row])
        self.checksums = tuple(checksums)

    def is_sound(self, size: int, checksums: tuple[int, ...]) -> bool:
        """Whether the rows of a tree of `size` leaves are what was written; then `write` goes on from there."""
        if len(checksums) != ROWS_MAX or any(self.length(row) < row_length(size, row) for row in range(ROWS_MAX)):
            return False
        if self.checksums_of(size) != checksums:
            return False
        self.checksums = checksums
        return True

    def checksums_of(self, size: int) -> tuple[int, ...]:
        """The checksums of the rows of a tree of `size` leaves, which are all stored."""
        return tuple(self._checksum(row, row_length(size, row)) for row in range(ROWS_MAX))

    def length(self, row: int) -> int:
        """How many whole hashes a row holds."""
        file = self._file(row)
        return 0 if file is None else file.size() // HASH_BYTES

    def leaves(self) -> int:
        """How many leaves the lowest row holds."""
        return self.length(0)

    def close(self) -> None:
        """Closes what is open."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _checksum(self, row: int, count: int) -> int:
        checksum, step = 0, _READ_BYTES // HASH_BYTES
        for begin in range(0, count, step):
            checksum = crc32c(self.read(row, begin, min(begin + step, count)), checksum)
        return checksum

    def _file(self, row: int, *, create: bool = False) -> File | None:
        file = self._open.get(row)
        if file is None:
            path = self._folder / row_name(row)
            present = row_name(row) in self._files.names(self._folder)
            if not present and not create:
                return None
            if self._writable:
                self._files.make_folder(self._folder)
                file = self._files.open(path, create=True)
                if not present:
                    self._files.sync_folder(self._folder)
            else:
                file = self._files.open_to_read(path)
            self._open[row] = file
        return file


def row_name(row: int) -> str:
    """The file name of a row: the leaves an entry of it stands for."""
    return f"row-{TILE_WIDTH**row}"
