"""`Files` that fail: at the Nth call of a kind, from some moment on, or because the disk is full."""

import errno
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hansa.store.files import Disk, File

Plan = Callable[[str, Path, int], int]
"""Kind of call, path, and how many such calls there were before; an errno, or 0 to let it pass."""


def nth(kind: str, number: int, code: int = errno.EIO, of: str = "") -> Plan:
    """Fails the call `number` (from 0) of `kind` on paths whose name contains `of`, and no other."""
    count = [0]

    def plan(called: str, path: Path, _: int) -> int:
        if called != kind or of not in path.name:
            return 0
        count[0] += 1
        return code if count[0] == number + 1 else 0

    return plan


class FaultyFiles:
    """`Disk` that asks a plan before each call. `calls` counts them, `fired` says which failed."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan
        self.full = ""
        """Files below a folder or of a name that this is part of cannot grow nor be made: ENOSPC. What is there can be
        written over, as on a real disk. "/" is everything."""
        self.slow_s = 0.0
        """How long a sync takes."""
        self.gate: threading.Event | None = None
        """If set, syncs wait for it."""
        self.free: int | None = None
        self.calls: Counter[str] = Counter()
        self.fired: list[tuple[str, str]] = []
        self._disk = Disk()
        self._lock = threading.Lock()

    def ask(self, kind: str, path: Path) -> None:
        with self._lock:
            number = self.calls[kind]
            self.calls[kind] += 1
            code = self.plan(kind, path, number) if self.plan is not None else 0
            if code:
                self.fired.append((kind, path.name))
        if code:
            raise OSError(code, os.strerror(code), str(path))

    def grow(self, path: Path) -> None:
        if self.full and self.full in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def open(self, path: Path, *, create: bool = False) -> File:
        self.ask("open", path)
        if create and not path.exists():
            self.grow(path)
        return _Faulty(self, self._disk.open(path, create=create), path)

    def open_to_read(self, path: Path) -> File:
        self.ask("open_to_read", path)
        return _Faulty(self, self._disk.open_to_read(path), path)

    def create_zeroed(self, path: Path, size: int) -> File:
        file = self.open(path, create=True)
        try:
            file.truncate(0)
            file.write(0, bytes(size))
            file.sync()
        except BaseException:
            file.close()
            raise
        return file

    def make_folder(self, path: Path) -> None:
        self.ask("make_folder", path)
        if not path.exists():
            self.grow(path)
        self._disk.make_folder(path)

    def rename(self, old: Path, new: Path) -> None:
        self.ask("rename", new)
        self._disk.rename(old, new)

    def unlink(self, path: Path) -> None:
        self.ask("unlink", path)
        self._disk.unlink(path)

    def sync_folder(self, path: Path) -> None:
        self.ask("sync_folder", path)
        self._disk.sync_folder(path)

    def names(self, path: Path) -> list[str]:
        self.ask("names", path)
        return self._disk.names(path)

    def free_bytes(self, path: Path) -> int:
        self.ask("free_bytes", path)
        return self._disk.free_bytes(path) if self.free is None else self.free


class _Faulty:
    """A file of `FaultyFiles`."""

    def __init__(self, files: FaultyFiles, file: File, path: Path) -> None:
        self._files = files
        self._file = file
        self._path = path

    def read(self, offset: int, length: int) -> bytes:
        self._files.ask("read", self._path)
        return self._file.read(offset, length)

    def write(self, offset: int, data: bytes) -> None:
        """A failing write may have come through in part."""
        room = max(0, self._file.size() - offset)
        try:
            self._files.ask("write", self._path)
            if len(data) > room:
                self._files.grow(self._path)
        except OSError as error:
            part = data[:room] if error.errno == errno.ENOSPC else data[: len(data) // 2]
            if part:
                self._file.write(offset, part)
            raise
        self._file.write(offset, data)

    def sync(self) -> None:
        self._files.ask("sync", self._path)
        if self._files.slow_s:
            time.sleep(self._files.slow_s)
        if self._files.gate is not None:
            self._files.gate.wait()
        self._file.sync()

    def settle(self) -> None:
        self.sync()

    def size(self) -> int:
        return self._file.size()

    def truncate(self, size: int) -> None:
        self._files.ask("truncate", self._path)
        self._file.truncate(size)

    def close(self) -> None:
        self._file.close()
