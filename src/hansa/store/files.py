"""All file access of the store, in one seam: what a crash may lose is decided by these operations alone.

`Disk` is the real thing. Tests put a recorder or a fault in its place. An error is never swallowed here, and
no operation is ever retried: after a failed sync nobody knows what is on the disk.
"""

import contextlib
import errno
import fcntl
import os
import stat
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Final, Protocol

from hansa.wire.problems import HansaError

_ZEROS: Final = bytes(1024 * 1024)
FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
"""What a ledger holds is its members' business alone, however open the folder it was put into."""


class File(Protocol):
    """An open file. Offsets and lengths are in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`; fewer only at the end."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Writes all of `data`; not durable before `sync`."""
        ...

    def sync(self) -> None:
        """Returns when everything written is on the device. An error is final."""
        ...

    def settle(self) -> None:
        """As `sync`; then forgets what the system remembers, so that the next read is of the device itself.

        After a sync that failed, the system may remember as written what the device does not have.
        """
        ...

    def size(self) -> int:
        """The file's length."""
        ...

    def truncate(self, size: int) -> None:
        """Cuts the file to `size`; not durable before `sync`."""
        ...

    def close(self) -> None:
        """Closes without syncing."""
        ...


class Files(Protocol):
    """The operations on names. Only `sync_folder` makes a create, rename or unlink durable."""

    def open(self, path: Path, *, create: bool = False) -> File:
        """Opens for reading and writing."""
        ...

    def open_to_read(self, path: Path) -> File:
        """Opens for reading."""
        ...

    def create_zeroed(self, path: Path, size: int) -> File:
        """A new file of `size` zero bytes, written out and synced, so that later writes move no metadata."""
        ...

    def make_folder(self, path: Path) -> None:
        """Creates a folder and its parents unless it exists."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Replaces `new` by `old` at once."""
        ...

    def unlink(self, path: Path) -> None:
        """Removes a file; none is no error."""
        ...

    def sync_folder(self, path: Path) -> None:
        """Makes the names in a folder durable."""
        ...

    def names(self, path: Path) -> list[str]:
        """The names in a folder, sorted; none if it does not exist."""
        ...

    def free_bytes(self, path: Path) -> int:
        """What the device of `path` still takes from this user."""
        ...


class DiskFile:
    """`File` on a descriptor."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, offset: int, length: int) -> bytes:
        """See `File`."""
        data = os.pread(self._descriptor, length, offset)
        while 0 < len(data) < length:
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def write(self, offset: int, data: bytes) -> None:
        """See `File`."""
        written = os.pwrite(self._descriptor, data, offset)
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], offset + written)

    def sync(self) -> None:
        """See `File`. On macOS only F_FULLFSYNC reaches the platter."""
        if sys.platform == "darwin":
            fcntl.fcntl(self._descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(self._descriptor)

    def settle(self) -> None:
        """See `File`. Where the system cannot be told to forget, this is `sync`."""
        self.sync()
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def size(self) -> int:
        """See `File`."""
        return os.fstat(self._descriptor).st_size

    def truncate(self, size: int) -> None:
        """See `File`."""
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        """See `File`."""
        os.close(self._descriptor)


class Disk:
    """`Files` on the operating system."""

    def open(self, path: Path, *, create: bool = False) -> File:
        """See `Files`."""
        return DiskFile(_descriptor(path, os.O_RDWR | (os.O_CREAT if create else 0)))

    def open_to_read(self, path: Path) -> File:
        """See `Files`."""
        return DiskFile(_descriptor(path, os.O_RDONLY))

    def create_zeroed(self, path: Path, size: int) -> File:
        """See `Files`."""
        file = DiskFile(_descriptor(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC))
        try:
            for offset in range(0, size, len(_ZEROS)):
                file.write(offset, _ZEROS[: size - offset])
            file.sync()
        except BaseException:
            file.close()
            raise
        return file

    def make_folder(self, path: Path) -> None:
        """See `Files`."""
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    def rename(self, old: Path, new: Path) -> None:
        """See `Files`."""
        old.replace(new)

    def unlink(self, path: Path) -> None:
        """See `Files`."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """See `Files`."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def names(self, path: Path) -> list[str]:
        """See `Files`."""
        return sorted(os.listdir(path)) if path.is_dir() else []  # noqa: PTH208 - names, not paths

    def free_bytes(self, path: Path) -> int:
        """See `Files`."""
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize


def is_full(error: OSError) -> bool:
    """Whether the disk, or this user's share of it, had no room: the one failure that may pass by itself."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def full_disk_told(path: Path) -> Generator[None, None, None]:
    """Turns a full disk into `HansaError` `disk.full`; every other error comes through as it is."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise HansaError("disk.full", f"there is no room for {path}") from error
        raise


@contextlib.contextmanager
def trouble_told(path: Path) -> Generator[None, None, None]:
    """Turns a full disk into `HansaError` `disk.full`, and all else that the system refuses into `folder.access`."""
    try:
        with full_disk_told(path):
            yield
    except OSError as error:
        raise inaccessible(error, path) from error


def inaccessible(error: OSError, path: Path) -> HansaError:
    """What the system refused, as `HansaError` `folder.access`; `path` where the error names none."""
    return HansaError("folder.access", f"{error.filename or path}: {error.strerror or error}")


def read_whole(files: Files, path: Path) -> bytes:
    """A file's contents."""
    file = files.open_to_read(path)
    try:
        return file.read(0, file.size())
    finally:
        file.close()


def replace(files: Files, path: Path, data: bytes) -> None:
    """Puts a file of this content in place, durably and at once: a crash leaves the old or the new, whole."""
    temporary = path.with_name(path.name + ".tmp")
    files.unlink(temporary)
    file = files.open(temporary, create=True)
    try:
        file.write(0, data)
        file.sync()
    finally:
        file.close()
    files.rename(temporary, path)
    files.sync_folder(path.parent)


def _descriptor(path: Path, flags: int) -> int:
    """A file opened. What stands in a file's place and is none is refused here, and not waited for."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, FILE_MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EISDIR, "Not a file", str(path))
    return descriptor
