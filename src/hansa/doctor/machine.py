"""What the checks ask of the machine, and how: the seam where tests put a machine with a fault.

Facts come from the kernel's own files and calls, on Linux; where there are none (macOS, a closed container) the
answer is None, and the check that asked says so. Nothing here needs root, and nothing is changed.
"""

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec

_UNSYNCHRONISED: Final = 0x40  # STA_UNSYNC of <sys/timex.h>
_TIME_ERROR: Final = 5  # what adjtimex gives then
_COMMAND_S: Final = 5.0
"""A command of the system that takes longer has no answer."""


class Synchronised(msgspec.Struct, frozen=True):
    """What the kernel says of its clock; the error is its own estimate of the most that it can be wrong, in ms."""

    is_synchronised: bool
    error_ms_max: float


class Room(msgspec.Struct, frozen=True):
    """What a filesystem still takes from this user; `files_free` is None where files are not counted."""

    bytes_free: int
    files_free: int | None


class _Timex(ctypes.Structure):
    """`struct timex` of <sys/timex.h>, with room for what follows the fields used here."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


class Machine:
    """The machine it runs on. `proc` and `sys` are where the kernel shows its files."""

    def __init__(self, proc: Path = Path("/proc"), sys: Path = Path("/sys"), run: Path = Path("/run")) -> None:
        self.proc = proc
        self.sys = sys
        self.run = run

    # Time

    def stopwatch(self) -> float:
        """Seconds, for how long something takes."""
        return time.perf_counter()

    def wall_ms(self) -> int:
        """The clock that people see, in ms since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """A clock that is never set, in ms."""
        return time.monotonic_ns() // 1_000_000

    def synchronised(self) -> Synchronised | None:
        """The kernel's word about its clock, from adjtimex(2) with nothing to adjust; None where it says none."""
        buffer = _Timex()
        try:
            state = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(buffer)))
        except (AttributeError, OSError):
            return None
        if state < 0:
            return None
        is_synchronised = state != _TIME_ERROR and not buffer.status & _UNSYNCHRONISED
        return Synchronised(is_synchronised, buffer.maxerror / 1000)

    # The kernel's files

    def text(self, path: Path) -> str | None:
        """A small file of the kernel's; None if there is none or it may not be read."""
        data = self.data(path)
        return None if data is None else data.decode(errors="replace")

    def data(self, path: Path) -> bytes | None:
        """The same as bytes: what names files need not be text."""
        try:
            return path.read_bytes()
        except OSError:
            return None

    def sockets_of(self, pid: int) -> Iterator[str]:
        """The inodes of a process's sockets; none if it is another user's."""
        with contextlib.suppress(OSError):
            for descriptor in (self.proc / str(pid) / "fd").iterdir():
                with contextlib.suppress(OSError):
                    target = str(descriptor.readlink())
                    if target.startswith("socket:["):
                        yield target[8:-1]

    def processes(self) -> Iterator[int]:
        """The processes that can be seen."""
        with contextlib.suppress(OSError):
            yield from (int(path.name) for path in self.proc.iterdir() if path.name.isdecimal())

    # This process and what is installed

    def room(self, path: Path) -> Room:
        """What the filesystem of `path` still takes. Raises OSError."""
        found = os.statvfs(path)
        return Room(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)

    def device(self, path: Path) -> str:
        """The device of `path` as `/sys/dev/block` names it. Raises OSError."""
        number = path.stat().st_dev
        return f"{os.major(number)}:{os.minor(number)}"

    def user(self) -> int:
        """Whose process this is."""
        return os.getuid()

    def open_files_max(self) -> int | None:
        """How many files a process may have open; None for any number."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return None if hard == resource.RLIM_INFINITY else hard

    def environment(self) -> Mapping[str, str]:
        """What the process was given by its environment."""
        return os.environ

    def installed(self, distribution: str) -> str | None:
        """The version of an installed distribution."""
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            return None

    def required(self) -> list[str]:
        """What Hansa requires, as its package says it; nothing if it was not installed as a package."""
        try:
            return metadata.requires("hansa") or []
        except metadata.PackageNotFoundError:
            return []

    def git_ignores(self, path: Path) -> bool | None:
        """Whether git leaves a path out; None if there is no git to ask."""
        git = shutil.which("git")
        if git is None:
            return None
        try:
            done = subprocess.run(  # noqa: S603 - git by its path, on a path of the ledger's
                [git, "-C", str(path.parent), "check-ignore", "-q", "--", str(path)],
                check=False,
                capture_output=True,
                timeout=_COMMAND_S,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return {0: True, 1: False}.get(done.returncode)
