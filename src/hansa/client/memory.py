"""The last checkpoint that a client has seen of a ledger: in memory, and in a small file if it has one.

A checkpoint is kept with its signature, so that the file is evidence by itself. Whoever calls `keep` has checked that
the new checkpoint continues the old one; a file is replaced as a whole or not at all.
"""

import contextlib
import os
import tempfile
import threading
from pathlib import Path
from typing import Final

import msgspec

from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire.problems import HansaError

FORMAT: Final = "hansa.memory.0"
_BYTES_MAX: Final = 64 * 1024
"""Far more than a checkpoint takes: a larger file is another one."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds, as JSON: the checkpoint as a COSE_Sign1 message, in hexadecimal."""

    format: str
    checkpoint: str


PROOF: Final = ".split-view"
"""The ending of the file beside it that proves a split view: see `wire.split_view`."""


class Memory:
    """The last checkpoint, None before the first. One process at a time uses a file."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.last: Checkpoint | None = None if path is None else _load(path)

    def keep(self, seen: Checkpoint | None, new: Checkpoint) -> bool:
        """Keeps the new checkpoint if it is larger; False if `seen`, which it was compared with, is not the last."""
        with self._lock:
            if self.last is not seen:
                return False
            if seen is None or new.size > seen.size:
                if self._path is not None:
                    _save(self._path, new)
                self.last = new
            return True

    def accuse(self, proof: bytes) -> Path | None:
        """Writes the proof of a split view beside the file, over one from before; where it is, if there is a file."""
        if self._path is None:
            return None
        path = self._path.with_name(self._path.name + PROOF)
        _replace(path, proof)
        return path


def _load(path: Path) -> Checkpoint | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HansaError("memory.file", f"{path}: {error.strerror}") from None
    if len(data) > _BYTES_MAX:
        raise HansaError("memory.file", f"{path} is too large to be one")
    try:
        file = msgspec.json.decode(data, type=_File)
        message = bytes.fromhex(file.checkpoint)
    except ValueError:
        raise HansaError("memory.file", f"{path} is not in the format {FORMAT}") from None
    if file.format != FORMAT:
        raise HansaError("memory.file", f"{path} is of the format {file.format[:60]!a}; this version reads {FORMAT}")
    try:
        return receipt.read_bare(message)
    except HansaError as error:
        raise HansaError("memory.file", f"{path}: {error.detail}") from None


def _save(path: Path, head: Checkpoint) -> None:
    _replace(path, msgspec.json.format(msgspec.json.encode(_File(FORMAT, receipt.bare(head).hex()))) + b"\n")


def _replace(path: Path, data: bytes) -> None:
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise HansaError("memory.file", f"{path}: {error.strerror}") from None
