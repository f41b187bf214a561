"""Whether the disk keeps what it says it keeps, how fast it does so, and how much it still takes.

No program can see for certain that a sync reached the platter: only cutting the power shows that. What can be seen is
a filesystem that never syncs, an option that turns it off, and a sync faster than the device could be.
"""

import contextlib
import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Final

import msgspec

from hansa.doctor.check import Check
from hansa.doctor.machine import Machine
from hansa.node.node import RESERVE_BYTES
from hansa.store.files import FILE_MODE, File, Files

SYNCS: Final = 100
SYNC_SECONDS_MAX: Final = 2.0
"""How long the disk is tried."""
UNIT_BYTES: Final = 4096
"""Of one write between syncs: the journal's unit."""
SLOW_MS: Final = 20.0
"""A sync takes a disk of today less than this; every answer waits for one."""
STALL_MS: Final = 250.0
"""People notice an answer that is late by so much."""
MEMORY_MS: Final = 0.005
"""No device answers a sync faster."""
ROTATION_MS: Final = 1.0
"""A rotating disk needs several times this to come round to where it has to write."""
FILES_FREE_MIN: Final = 1_000
"""A journal of many years takes fewer files than this."""

IN_MEMORY: Final = ("tmpfs", "ramfs", "devtmpfs", "hugetlbfs")
NETWORK: Final = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "virtiofs",
    "ceph",
    "glusterfs",
    "lustre",
    "afs",
    "ocfs2",
)
LAYERED: Final = ("overlay", "aufs", "overlayfs")
UNSAFE_OPTIONS: Final = ("nobarrier", "barrier=0", "barrier=none", "nosync", "async_commit")

_ESCAPED: Final = re.compile(rb"\\([0-3][0-7]{2})")
"""A byte of a name in mountinfo: blanks, tabs, line ends and backslashes at least."""
_SYNC_WHY: Final = "An answer is given once its block is synced: what a sync does not keep, a power cut takes away."


class Mount(msgspec.Struct, frozen=True):
    """The filesystem that a path lies on. `place` as the system names files, whose bytes need not be UTF-8."""

    place: str
    type: str
    options: frozenset[str]

    @property
    def shown(self) -> str:
        """Type and place as text."""
        return f"{self.type} at {os.fsencode(self.place).decode(errors='replace')}"


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that there is."""
    return path if path.exists() else existing(path.absolute().parent)


def mount_of(machine: Machine, path: Path) -> Mount | None:
    """The filesystem of `path`, from /proc/self/mountinfo (proc(5)); None where there is no such file."""
    data = machine.data(machine.proc / "self" / "mountinfo")
    if data is None:
        return None
    real = Path(os.path.realpath(path))
    found: Mount | None = None
    for line in data.split(b"\n"):
        mount = _mount(line)
        # The last of one place hides those before.
        longest = "" if found is None else found.place
        if mount is not None and real.is_relative_to(mount.place) and len(mount.place) >= len(longest):
            found = mount
    return found


def _mount(line: bytes) -> Mount | None:
    before, dash, after = line.partition(b" - ")
    fields, rest = before.split(b" "), after.split(b" ")
    if not dash or len(fields) < 6 or len(rest) < 2:
        return None
    place = _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), fields[4])
    options = b",".join((fields[5], *rest[2:3])).decode(errors="replace")
    return Mount(os.fsdecode(place), rest[0].decode(errors="replace"), frozenset(filter(None, options.split(","))))


def filesystem(machine: Machine, root: Path) -> Check:
    """Whether the filesystem's kind and options let a sync be one, and the state database be mapped into memory."""
    name = "filesystem"
    mount = mount_of(machine, existing(root))
    if mount is None:
        why = "Some filesystems never sync, or break the state database."
        fix = "Keep the ledger on a local disk; on Linux this check reads /proc/self/mountinfo."
        return Check(name, "unknown", "the system does not say which filesystem it is", why, fix)
    seen = mount.shown
    unsafe = sorted(mount.options.intersection(UNSAFE_OPTIONS))
    if mount.type in IN_MEMORY:
        return Check(
            name, "fail", f"{seen}, which is memory", "The ledger is gone with the next restart of the machine.",
            "Give --data a folder on a disk; for a trial that may be lost, leave it.",
        )  # fmt: skip
    if mount.type in NETWORK:
        return Check(
            name, "fail", f"{seen}, which is another machine's disk",
            "The state database is mapped into memory and locked, which network filesystems do not do reliably.",
            "Give --data a folder on a local disk, and keep copies with `hansa backup`.",
        )  # fmt: skip
    if "ro" in mount.options:
        return Check(
            name,
            "fail",
            f"{seen}, read-only",
            "A node writes every block.",
            "Mount it for writing, or move the ledger.",
        )
    if unsafe:
        return Check(
            name, "fail", f"{seen}, mounted with {', '.join(unsafe)}", _SYNC_WHY, "Mount it without these options."
        )
    if mount.type in LAYERED:
        return Check(
            name, "warn", f"{seen}, a container's own layer", "The ledger is gone when the container is removed.",
            "Give --data a folder on a volume.",
        )  # fmt: skip
    if mount.type.startswith("fuse"):
        return Check(
            name, "warn", f"{seen}, served by a program", "Whether a sync is one depends on that program.",
            "Find out whether it keeps fsync and mmap, or give --data a folder on a local disk.",
        )  # fmt: skip
    return Check(name, "ok", seen)


def sync(machine: Machine, files: Files, root: Path) -> Check:
    """How long syncs of writes as the journal makes them take: the latency of every transaction rests on it."""
    name, where = "disk sync", existing(root)
    if "eatmydata" in machine.environment().get("LD_PRELOAD", ""):
        return Check(name, "fail", "LD_PRELOAD names libeatmydata, which turns syncs off", _SYNC_WHY, "Run without it.")
    try:
        times = sorted(_sync_times(machine, files, where))
    except OSError as error:
        return Check(
            name, "fail", f"{where}: {error.strerror}", "A node writes and syncs every block.",
            "Make room, and the folder writable for this user; if the disk gave the error, replace it.",
        )  # fmt: skip
    p50, p99, most = times[len(times) // 2], times[len(times) * 99 // 100], times[-1]
    seen = (
        f"{len(times)} syncs of {UNIT_BYTES} bytes in {where}: p50 {p50:.3f} ms, p99 {p99:.2f} ms, most {most:.2f} ms"
    )
    if p50 < MEMORY_MS:
        return Check(
            name, "fail", f"{seen}: too fast for any device", _SYNC_WHY,
            "Find what keeps it in memory (a virtual disk's cache mode, a filesystem option), or use another disk.",
        )  # fmt: skip
    if p50 < ROTATION_MS and _rotates(machine, where):
        return Check(
            name, "warn", f"{seen}: too fast for a rotating disk", _SYNC_WHY,
            "Turn its write cache off (hdparm -W0), unless a battery keeps the cache.",
        )  # fmt: skip
    if p50 > SLOW_MS:
        one = 1000 / p50
        return Check(
            name, "warn", seen,
            f"A client that waits for each answer gets about {one:.0f} a second; many at once share syncs.",
            "Use a faster disk (an SSD with power-loss protection), or send transactions in batches.",
        )  # fmt: skip
    if most > STALL_MS:
        return Check(
            name, "warn", f"{seen}: it stalls", "Every answer waits while a sync does.",
            "Look for other programs that write to this disk; run doctor again when it is quiet.",
        )  # fmt: skip
    return Check(name, "ok", seen)


def _sync_times(machine: Machine, files: Files, where: Path) -> list[float]:
    """The time of each sync in ms."""
    with _probe(files, where) as file:
        times: list[float] = []
        begun = machine.stopwatch()
        for number in range(SYNCS):
            file.write(UNIT_BYTES * number, os.urandom(UNIT_BYTES))
            before = machine.stopwatch()
            file.sync()
            now = machine.stopwatch()
            times.append((now - before) * 1000)
            if now - begun > SYNC_SECONDS_MAX:
                break
        return times


@contextlib.contextmanager
def _probe(files: Files, where: Path) -> Generator[File]:
    """A file on the filesystem of `where` to write into, of which nothing is left behind.

    It never has a name where the system makes such files (O_TMPFILE of open(2)), so that the folder stays as it is;
    elsewhere it has one for a moment, which moves the folder's time of change.
    """
    with contextlib.ExitStack() as opened:
        nameless = _nameless(where)
        if nameless is not None:
            opened.callback(os.close, nameless)
            file = files.create_zeroed(Path(f"/proc/self/fd/{nameless}"), UNIT_BYTES * SYNCS)
            opened.callback(file.close)
        else:
            path = where / f".hansa-doctor-{os.getpid()}"
            file = files.create_zeroed(path, UNIT_BYTES * SYNCS)
            opened.callback(file.close)
            files.unlink(path)
        yield file


def _nameless(where: Path) -> int | None:
    """A descriptor of a new file without a name; None where the system or the filesystem has none."""
    if not hasattr(os, "O_TMPFILE"):
        return None
    try:
        made = os.open(where, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, FILE_MODE)
    except OSError:
        return None  # if it is for another reason, the file with a name meets it too
    if not Path(f"/proc/self/fd/{made}").exists():
        os.close(made)
        return None
    return made


def _rotates(machine: Machine, where: Path) -> bool:
    """Whether the kernel takes the device for a rotating disk."""
    device = machine.sys / "dev" / "block" / machine.device(where)
    for path in (device / "queue" / "rotational", device / ".." / "queue" / "rotational"):  # a partition's is above
        text = machine.text(path)
        if text is not None:
            return text.strip() == "1"
    return False


def space(machine: Machine, root: Path) -> Check:
    """What the disk still takes."""
    name, why = "disk space", f"Below {RESERVE_BYTES // 1_000_000} MB free a node takes no transactions."
    room = machine.room(existing(root))
    seen = f"{room.bytes_free / 1e9:.1f} GB free"
    if room.bytes_free < RESERVE_BYTES:
        return Check(name, "fail", seen, why, "Make room.")
    if room.files_free is not None and room.files_free < FILES_FREE_MIN:
        why = "The journal and the tree begin new files as they grow; without inodes they cannot."
        return Check(name, "fail", f"{seen}, {room.files_free} inodes free", why, "Remove small files from this disk.")
    if room.bytes_free < 4 * RESERVE_BYTES:
        return Check(name, "warn", seen, why, "Make room before the node stops taking transactions.")
    return Check(name, "ok", seen)
