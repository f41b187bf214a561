"""The snapshots that a node keeps: a folder for each, by the height of its block, with the manifest and the chunks.

Derived from the state, safe to drop once the entry with the digest is in the journal. A snapshot has its name only when
all of it is durable. What is in a file is checked by whoever reads it.
"""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Final

from hansa.store.files import Files, full_disk_told, read_whole
from hansa.wire.problems import HansaError

KEPT: Final = 2
"""Snapshots that a node keeps: who loads one is not left without it when the next has come."""
_MANIFEST: Final = ".manifest"
"""Behind the SHA-256 of its bytes: what rots is not handed out, and no entry is made of it."""
_NAME: Final = re.compile(r"[0-9]{16}")
_MAKING: Final = ".new"


class Snapshots:
    """The snapshots in a folder."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder

    def heights(self) -> list[int]:
        """The blocks that there are snapshots of, the newest first."""
        return sorted((int(name) for name in self._files.names(self._folder) if _NAME.fullmatch(name)), reverse=True)

    def manifest(self, height: int) -> bytes:
        """The manifest of a snapshot, as it was written. Raises `HansaError`: `snapshot.none`, `snapshot.form`."""
        names = [name for name in self._files.names(self._folder / _name(height)) if name.endswith(_MANIFEST)]
        data = self._read(height, names[0] if names else _MANIFEST)
        if _manifest_name(data) != names[0]:
            raise HansaError("snapshot.form", f"the manifest of the snapshot of block {height} is damaged")
        return data

    def chunk(self, height: int, number: int) -> bytes:
        """A chunk of a snapshot. Raises `HansaError` `snapshot.none`."""
        return self._read(height, _chunk_name(number))

    def make(self, height: int, *, anew: bool) -> "Making":
        """A snapshot to be written; unless `anew`, with the chunks that are there already."""
        return Making(self._files, self._folder, height, anew=anew)

    def prune(self) -> None:
        """Removes all but the newest."""
        for height in self.heights()[KEPT:]:
            shutil.rmtree(self._folder / _name(height), ignore_errors=True)

    def _read(self, height: int, name: str) -> bytes:
        try:
            return read_whole(self._files, self._folder / _name(height) / name)
        except FileNotFoundError:
            raise HansaError("snapshot.none", f"there is no such part of a snapshot of block {height} here") from None


class Making:
    """A snapshot that is being written."""

    def __init__(self, files: Files, folder: Path, height: int, *, anew: bool) -> None:
        self._files = files
        self._folder = folder
        self._height = height
        self._made = folder / (_name(height) + _MAKING)
        if anew:
            shutil.rmtree(self._made, ignore_errors=True)
        files.make_folder(self._made)
        files.sync_folder(folder.parent)

    def chunk(self, number: int) -> bytes | None:
        """A chunk that is there already, whole or not; None if it is not."""
        path = self._made / _chunk_name(number)
        return read_whole(self._files, path) if path.exists() else None

    def put(self, number: int, data: bytes) -> None:
        """Writes a chunk, durably. Raises `HansaError` `disk.full`."""
        with full_disk_told(self._folder):
            self._write(_chunk_name(number), data)

    def _write(self, name: str, data: bytes) -> None:
        file = self._files.open(self._made / name, create=True)
        try:
            file.truncate(0)
            file.write(0, data)
            file.sync()
        finally:
            file.close()

    def finish(self, manifest: bytes) -> None:
        """All of it is there: it gets its name, durably. Raises `HansaError` `disk.full`."""
        final = self._folder / _name(self._height)
        with full_disk_told(self._folder):
            self._write(_manifest_name(manifest), manifest)
            self._files.sync_folder(self._made)
            shutil.rmtree(final, ignore_errors=True)
            self._files.rename(self._made, final)
            self._files.sync_folder(self._folder)


def _name(height: int) -> str:
    return f"{height:016d}"


def _manifest_name(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest() + _MANIFEST


def _chunk_name(number: int) -> str:
    return f"{number:06d}.chunk"
